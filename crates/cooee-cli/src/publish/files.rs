//! Files that describe services. All of them are read and checked before anything is sent, and every fault is told.

mod avahi;
mod dnssd;
mod toml;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::offer::Offer;
use crate::{escape, output};

/// No file of services is longer; a device or a pipe may be.
const LONGEST: u64 = 1 << 20;

/// The ends of names that are known.
const KINDS: [&str; 3] = ["toml", "service", "dnssd"];

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The services, and where each stands: `web.toml:3`.
    pub(crate) offers: Vec<(String, Offer)>,
    /// The name of this host, if one is wished.
    pub(crate) host: Option<String>,
    /// What is wrong, each with file and line; then nothing is to be published.
    pub(crate) faults: Vec<Fault>,
    /// What is odd.
    pub(crate) warnings: Vec<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    line: usize,
    /// With file and line.
    pub(crate) text: String,
}

impl Fault {
    /// One of a whole file or folder.
    fn of(text: String) -> Self {
        Self { line: 0, text }
    }
}

/// Reads files and all that folders hold. `computer` is what this computer is called.
pub(crate) fn read(paths: &[PathBuf], computer: &str) -> Contents {
    let mut contents = Contents::default();
    let mut files = Vec::new();
    for path in paths {
        match listed(path) {
            Ok(listed) => files.extend(listed),
            Err(fault) => contents.faults.push(Fault::of(fault)),
        }
    }
    for file in &files {
        let mut sheet = Sheet {
            file: shown(file),
            contents: &mut contents,
        };
        read_one(file, computer, &mut sheet);
    }
    contents.find_doubles();
    contents
}

/// The file, or the files of services in the folder, by name.
fn listed(path: &Path) -> Result<Vec<PathBuf>, String> {
    let fault = |error: std::io::Error| format!("{}: {}", shown(path), output::plain(&error));
    if !fs::metadata(path).map_err(fault)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(fault)? {
        let file = entry.map_err(fault)?.path();
        let is_hidden = file
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && kind(&file).is_some() && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    match files.as_slice() {
        [] => Err(format!(
            "{}: no files of services in this folder: they end in .toml, .service or .dnssd",
            shown(path)
        )),
        _ => Ok(files),
    }
}

fn kind(file: &Path) -> Option<&str> {
    let extension = file.extension()?.to_str()?;
    KINDS.contains(&extension).then_some(extension)
}

fn read_one(file: &Path, computer: &str, sheet: &mut Sheet<'_>) {
    let Some(kind) = kind(file) else {
        let fault = "what kind of file is it? The name must end in .toml, .service (Avahi) or .dnssd (systemd)";
        return sheet.fault(0, fault);
    };
    let text = match text(file) {
        Ok(text) => text,
        Err(fault) => return sheet.fault(0, fault),
    };
    match kind {
        "toml" => toml::read(&text, computer, sheet),
        "service" => avahi::read(&text, computer, sheet),
        _ => {
            let drop_ins = drop_ins(file, sheet);
            dnssd::read(&text, &drop_ins, &dnssd::System::read(computer), sheet);
        }
    }
}

fn text(file: &Path) -> Result<String, String> {
    let mut octets = Vec::new();
    let opened = fs::File::open(file);
    let read = opened.and_then(|opened| opened.take(LONGEST + 1).read_to_end(&mut octets));
    read.map_err(|error| output::plain(&error))?;
    if octets.len() as u64 > LONGEST {
        return Err("it is longer than 1 MiB: that is no file of services".into());
    }
    String::from_utf8(octets).map_err(|_| "it is not UTF-8".into())
}

/// The changes to a systemd file, in `NAME.dnssd.d/*.conf`: name and text.
fn drop_ins(file: &Path, sheet: &mut Sheet<'_>) -> Vec<(String, String)> {
    let mut folder = file.as_os_str().to_owned();
    folder.push(".d");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "conf"));
    files.sort();
    let mut read = Vec::new();
    for file in files {
        let name = shown(&file);
        match text(&file) {
            Ok(text) => read.push((name, text)),
            Err(fault) => Sheet {
                file: name,
                contents: &mut *sheet.contents,
            }
            .fault(0, fault),
        }
    }
    read
}

fn shown(file: &Path) -> String {
    escape::octets(file.as_os_str().as_encoded_bytes())
}

impl Contents {
    /// One name can be had once.
    fn find_doubles(&mut self) {
        let mut seen: BTreeMap<(Vec<u8>, String), &str> = BTreeMap::new();
        for (place, offer) in &self.offers {
            match seen.get(&offer.identity()) {
                Some(first) => self.faults.push(Fault::of(format!(
                    "{place}: '{}' stands at {first} already",
                    offer.shown()
                ))),
                None => {
                    seen.insert(offer.identity(), place);
                }
            }
        }
    }
}

/// One file under examination.
#[derive(Debug)]
struct Sheet<'c> {
    file: String,
    contents: &'c mut Contents,
}

impl Sheet<'_> {
    /// Something is wrong in this line; 0 for the whole file.
    fn fault(&mut self, line: usize, text: impl AsRef<str>) {
        let text = format!("{}: {}", self.place(line), text.as_ref());
        self.contents.faults.push(Fault { line, text });
    }

    /// Something is odd in this line.
    fn warn(&mut self, line: usize, text: impl AsRef<str>) {
        let warning = format!("{}: {}", self.place(line), text.as_ref());
        self.contents.warnings.push(warning);
    }

    /// Takes a service that begins in this line, if it can be published.
    fn offer(&mut self, line: usize, offer: Offer) {
        match offer.service() {
            Ok(_) => {
                let place = self.place(line);
                self.contents.offers.push((place, offer));
            }
            Err(fault) => self.fault(line, fault),
        }
    }

    fn place(&self, line: usize) -> String {
        match line {
            0 => self.file.clone(),
            line => format!("{}:{line}", self.file),
        }
    }
}

/// Reads one file from a text: for tests.
#[cfg(test)]
fn examine(read: impl FnOnce(&mut Sheet<'_>)) -> Contents {
    let mut contents = Contents::default();
    read(&mut Sheet {
        file: "file".into(),
        contents: &mut contents,
    });
    contents
}

#[cfg(test)]
impl Contents {
    /// All of it, for snapshots.
    fn shown(&self) -> String {
        let offers = self.offers.iter().map(|(place, offer)| {
            let txt = offer.txt.iter().map(|one| escape::octets(one));
            let txt: Vec<String> = txt.collect();
            format!(
                "{place}: {} {:?} port {} {}/{} ttl {:?} txt {txt:?} on {:?} host {:?} {:?}{}",
                offer.shown(),
                offer.subtypes,
                offer.port,
                offer.priority,
                offer.weight,
                offer.ttl,
                offer.interfaces,
                offer.host,
                offer.addresses,
                if offer.no_rename {
                    " never renamed"
                } else {
                    ""
                }
            )
        });
        let host = self.host.iter().map(|host| format!("host {host}"));
        let faults = self
            .faults
            .iter()
            .map(|fault| format!("fault {}", fault.text));
        let warnings = self.warnings.iter().map(|one| format!("warning {one}"));
        let all: Vec<String> = host.chain(offers).chain(faults).chain(warnings).collect();
        all.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_by_name_and_what_is_wrong_is_told_of_all() {
        let folder = std::env::temp_dir().join(format!("cooee-files-{}", std::process::id()));
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        fs::create_dir_all(folder.join("b.dnssd.d")).unwrap();
        write(
            "a.toml",
            "[[service]]\nname = \"A\"\ntype = \"http\"\nport = 80\n",
        );
        write("b.dnssd", "[Service]\nName=B\nType=_http._tcp\nPort=80\n");
        write("b.dnssd.d/port.conf", "[Service]\nPort=81\n");
        write(
            "c.toml",
            "[[service]]\nname = \"a\"\ntype = \"http\"\nport = 82\n",
        );
        write("notes.txt", "nothing");
        write(".hidden.toml", "nonsense");
        let contents = read(std::slice::from_ref(&folder), "tabasco");
        let ports: Vec<u16> = contents.offers.iter().map(|(_, one)| one.port).collect();
        assert_eq!(ports, [80, 81, 82]);
        assert_eq!(contents.faults.len(), 1);
        assert!(
            contents.faults[0].text.ends_with("a.toml:1 already"),
            "{contents:?}"
        );

        let wrong = read(
            &[folder.join("notes.txt"), folder.join("none.toml")],
            "tabasco",
        );
        assert_eq!(wrong.faults.len(), 2);
        assert!(wrong.faults[0].text.contains("no such file"), "{wrong:?}");
        assert!(wrong.faults[1].text.contains("must end in"), "{wrong:?}");

        fs::write(folder.join("b.dnssd.d/odd.conf"), b"[Service]\nPort=\xff\n").unwrap();
        let odd = read(&[folder.join("b.dnssd")], "tabasco");
        assert_eq!(odd.faults.len(), 1, "{odd:?}");
        assert!(
            odd.faults[0].text.ends_with("odd.conf: it is not UTF-8"),
            "{odd:?}"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
