//! The names that were chosen after a conflict, in a file that outlives us: TOML, written whole and renamed into place.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cooee::NameStore;
use toml::de::{DeTable, DeValue};

use crate::escape;
use crate::failure::Failure;
use crate::output::{self, Talk};

/// The file.
#[derive(Debug)]
pub(crate) struct State {
    file: PathBuf,
    names: Mutex<BTreeMap<String, String>>,
    talk: Talk,
}

impl State {
    /// Reads the file; one that is not there yet is empty.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is no such file, or whose folder is not there.
    pub(crate) fn open(file: &Path, talk: Talk) -> Result<Self, Failure> {
        let shown = escape::octets(file.as_os_str().as_encoded_bytes());
        let fault = |text: String| Failure::usage(format!("{shown}: {text}"));
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let folder = file.parent().filter(|folder| folder != &Path::new(""));
                if folder.is_some_and(|folder| !folder.is_dir()) {
                    return Err(fault("there is no such folder".into()));
                }
                String::new()
            }
            Err(error) => return Err(fault(output::plain(&error))),
        };
        let names = parse(&text).ok_or_else(|| {
            fault("it is no file of names: each line is \"wanted\" = \"chosen\"".into())
        })?;
        Ok(Self {
            file: file.to_owned(),
            names: Mutex::new(names),
            talk,
        })
    }

    fn write(&self, names: &BTreeMap<String, String>) -> std::io::Result<()> {
        let mut beside = self.file.clone().into_os_string();
        beside.push(".new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(text(names).as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.file)
    }
}

impl NameStore for State {
    fn load(&self, wanted: &str) -> Option<String> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(wanted).cloned()
    }

    fn store(&self, wanted: &str, chosen: &str) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(wanted.to_owned(), chosen.to_owned());
        if let Err(error) = self.write(&names) {
            let file = escape::octets(self.file.as_os_str().as_encoded_bytes());
            let error = output::plain(&error);
            self.talk
                .hint(&format!("{file}: the name could not be kept: {error}"));
        }
    }
}

fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let table = DeTable::parse(text).ok()?;
    let entries = table.get_ref().iter();
    entries
        .map(|(wanted, chosen)| match chosen.get_ref() {
            DeValue::String(chosen) => Some((wanted.get_ref().to_string(), chosen.to_string())),
            _ => None,
        })
        .collect()
}

fn text(names: &BTreeMap<String, String>) -> String {
    let mut text =
        String::from("# What was wanted, and what it became: `cooee publish --state`.\n");
    for (wanted, chosen) in names {
        text += &format!("{} = {}\n", quoted(wanted), quoted(chosen));
    }
    text
}

fn quoted(name: &str) -> String {
    let mut text = String::from('"');
    for letter in name.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            letter if letter.is_control() => text += &format!("\\U{:08X}", u32::from(letter)),
            letter => text.push(letter),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::ColorChoice;

    #[test]
    fn names_outlive_the_program() {
        let file = std::env::temp_dir().join(format!("cooee-state-{}", std::process::id()));
        let _ = fs::remove_file(&file);
        let talk = Talk::new(true, ColorChoice::Never);
        let wanted = "Keith’s \"web\"\\\\ server\\007._http._tcp.local";
        let state = State::open(&file, talk).unwrap();
        assert_eq!(state.load(wanted), None);
        state.store(wanted, "Other (2)._http._tcp.local");
        state.store("tabasco.local", "tabasco-2.local");
        let again = State::open(&file, talk).unwrap();
        assert_eq!(
            again.load(wanted).as_deref(),
            Some("Other (2)._http._tcp.local")
        );
        assert_eq!(
            again.load("tabasco.local").as_deref(),
            Some("tabasco-2.local")
        );
        fs::write(&file, "x = 7\n").unwrap();
        let text = State::open(&file, talk).unwrap_err().text;
        assert!(text.contains("no file of names"), "{text}");
        fs::remove_file(&file).unwrap();
        let nowhere = file.join("nowhere");
        let text = State::open(&nowhere, talk).unwrap_err().text;
        assert!(text.contains("no such folder"), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_names_hold_is_read_back(wanted in "\\PC{0,20}|.{0,20}", chosen in ".{0,20}") {
            let names = BTreeMap::from([(wanted, chosen)]);
            proptest::prop_assert_eq!(parse(&text(&names)), Some(names));
        }
    }
}
