//! systemd's `*.dnssd`: one service in sections and keys, with specifiers and drop-ins.

use std::fs;

use super::super::offer::Offer;
use super::Sheet;
use crate::nearest::nearest;
use crate::{base64, escape, name_arg, type_arg, value_arg};

/// What the specifiers stand for.
#[derive(Debug, Default)]
pub(super) struct System {
    host: String,
    machine_id: String,
    boot_id: String,
    kernel: String,
    os_release: String,
}

impl System {
    /// Asks the system.
    pub(super) fn read(computer: &str) -> Self {
        let line = |file| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.trim().to_owned()
        };
        Self {
            host: computer.to_owned(),
            machine_id: line("/etc/machine-id"),
            boot_id: line("/proc/sys/kernel/random/boot_id").replace('-', ""),
            kernel: line("/proc/sys/kernel/osrelease"),
            os_release: line("/etc/os-release"),
        }
    }

    fn replace(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            match letters.next() {
                Some('%') => out.push('%'),
                Some('H') => out.push_str(&self.host),
                Some('m') => out.push_str(&self.machine_id),
                Some('b') => out.push_str(&self.boot_id),
                Some('v') => out.push_str(&self.kernel),
                Some('a') => out.push_str(architecture()),
                Some('o') => out.push_str(self.release("ID")),
                Some('w') => out.push_str(self.release("VERSION_ID")),
                Some('W') => out.push_str(self.release("VARIANT_ID")),
                Some('B') => out.push_str(self.release("BUILD_ID")),
                other => {
                    let other: String = other.into_iter().collect();
                    return Err(format!(
                        "'%{}' is not known: %H %m %b %v %a %o %w %W %B are, and %% for one %",
                        escape::text(&other)
                    ));
                }
            }
        }
        Ok(out)
    }

    fn release(&self, key: &str) -> &str {
        let mut lines = self.os_release.lines();
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches(['"', '\''])
    }
}

/// In systemd's words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64",
        other => other,
    }
}

const KEYS: [&str; 8] = [
    "Name", "Type", "SubType", "Port", "Priority", "Weight", "TxtText", "TxtData",
];

/// Reads such a file, and then what changes it: name and text of each.
pub(super) fn read(
    text: &str,
    drop_ins: &[(String, String)],
    system: &System,
    sheet: &mut Sheet<'_>,
) {
    let faults = sheet.contents.faults.len();
    let mut draft = Draft::default();
    draft.read(text, system, sheet);
    for (name, text) in drop_ins {
        let mut changed = Sheet {
            file: name.clone(),
            contents: &mut *sheet.contents,
        };
        draft.read(text, system, &mut changed);
    }
    if sheet.contents.faults.len() > faults {
        return;
    }
    for (key, is_missing) in [
        ("Name", draft.offer.name.is_empty()),
        ("Type", draft.offer.kind.is_empty()),
    ] {
        if is_missing {
            sheet.fault(0, format!("'{key}=' is missing in [Service]"));
        }
    }
    if sheet.contents.faults.len() > faults {
        return;
    }
    let mut records = draft.records.into_iter();
    draft.offer.txt = records
        .next()
        .map(|(_, strings)| strings)
        .unwrap_or_default();
    for (line, _) in records {
        sheet.warn(
            line,
            "another TXT record is not published: one with all attributes is normal",
        );
    }
    draft.offer.subtypes.extend(draft.subtype);
    sheet.offer(1, draft.offer);
}

#[derive(Default)]
struct Draft {
    offer: Offer,
    subtype: Option<String>,
    /// TXT records, with the line of each.
    records: Vec<(usize, Vec<Vec<u8>>)>,
}

impl Draft {
    fn read(&mut self, text: &str, system: &System, sheet: &mut Sheet<'_>) {
        let mut section = String::new();
        for (number, line) in joined(text) {
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
                if section != "Service" && !section.starts_with("X-") {
                    let name = escape::text(&section);
                    sheet.fault(
                        number,
                        format!("[{name}] does not belong here: [Service] does"),
                    );
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                sheet.fault(number, "neither a [section] nor KEY=VALUE");
                continue;
            };
            let set = match section.as_str() {
                "Service" => self.set(number, key.trim(), value.trim(), system),
                "" => Err("[Service] must stand before it".into()),
                // Told already, or not for us.
                _ => Ok(()),
            };
            if let Err(fault) = set {
                sheet.fault(number, fault);
            }
        }
    }

    fn set(&mut self, line: usize, key: &str, value: &str, system: &System) -> Result<(), String> {
        let value = system.replace(value)?;
        let offer = &mut self.offer;
        match (key, value.as_str()) {
            // Nothing behind the sign is: as if it had not been said.
            ("Name", "") => offer.name.clear(),
            ("Name", name) => offer.name = name_arg::plain_label(name.as_bytes().to_vec())?,
            ("Type", "") => offer.kind.clear(),
            ("Type", kind) => offer.kind = type_arg::parse(kind)?.wire,
            ("SubType", "") => self.subtype = None,
            ("SubType", subtype) => self.subtype = Some(subtype.to_owned()),
            ("Port" | "Priority" | "Weight", "") => *self.number(key) = 0,
            ("Port", port) => offer.port = value_arg::port(port)?,
            ("Priority" | "Weight", number) => {
                let number = value_arg::preference(number)?;
                *self.number(key) = number;
            }
            ("TxtText" | "TxtData", "") => self.records.clear(),
            ("TxtText", text) => {
                let strings = words(text)?;
                self.records
                    .push((line, strings.into_iter().map(String::into_bytes).collect()));
            }
            ("TxtData", text) => {
                let strings: Result<_, String> = words(text)?.iter().map(|one| data(one)).collect();
                self.records.push((line, strings?));
            }
            (other, _) => {
                let near = nearest(other, KEYS)
                    .map(|near| format!("; did you mean '{near}'?"))
                    .unwrap_or_else(|| format!("; there are {}", KEYS.join(", ")));
                return Err(format!(
                    "'{}' is not a key of [Service]{near}",
                    escape::text(other)
                ));
            }
        }
        Ok(())
    }

    fn number(&mut self, key: &str) -> &mut u16 {
        match key {
            "Port" => &mut self.offer.port,
            "Priority" => &mut self.offer.priority,
            _ => &mut self.offer.weight,
        }
    }
}

/// Lines with their numbers; a backslash at the end goes on in the next one.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let (line, more) = match line.strip_suffix('\\') {
            Some(front) => (front, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if goes_on => {
                last.push(' ');
                last.push_str(line);
            }
            _ => lines.push((number, line.to_owned())),
        }
        goes_on = more;
    }
    lines
}

/// Words apart by white space; quotes keep it together, a backslash keeps the character after it.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', _) => word.get_or_insert_default().extend(letters.next()),
            (letter, Some(open)) if letter == open => quote = None,
            (letter, Some(_)) => word.get_or_insert_default().push(letter),
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, None) => word.get_or_insert_default().push(letter),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// `key=BASE64`.
fn data(word: &str) -> Result<Vec<u8>, String> {
    let Some((key, value)) = word.split_once('=') else {
        return Ok(word.as_bytes().to_vec());
    };
    let value =
        base64::decode(value).ok_or_else(|| format!("'{}' is not base64", escape::text(value)))?;
    Ok([key.as_bytes(), b"=", value.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::super::examine;
    use super::*;

    fn shown(text: &str, drop_ins: &[&str]) -> String {
        let system = System {
            host: "tabasco".into(),
            machine_id: "0123".into(),
            boot_id: "4567".into(),
            kernel: "6.18".into(),
            os_release: "ID=debian\nVERSION_ID=\"13\"\n".into(),
        };
        let drop_ins: Vec<(String, String)> = drop_ins
            .iter()
            .map(|text| ("drop-in".into(), (*text).into()))
            .collect();
        examine(|sheet| read(text, &drop_ins, &system, sheet)).shown()
    }

    #[test]
    fn everything_that_systemd_knows_is_read() {
        insta::assert_snapshot!(shown(
            "# a comment\n; another\n[Service]\nName=%H %m %b %v %o %w %W%B 100%% C:\\x\n\
             Type=_http._tcp\nSubType=_printer\nPort=80\nPriority=1\nWeight=2\n\
             TxtText=path=/stats/index.html t=\"two words\" \\\n  flag\n\
             TxtData=icon=AP8=\n[X-Mine]\nAny=thing\n",
            &["[Service]\nPort=81\nWeight=\n", "[Service]\nPort=82\n"]
        ));
        assert!(architecture() != "x86_64");
    }

    #[test]
    fn an_empty_value_takes_back_what_was_said() {
        let told = shown(
            "[Service]\nName=A\nType=_http._tcp\nPort=80\nTxtText=a=1\nTxtText=\nTxtText=b=2\n",
            &[],
        );
        assert!(
            told.contains("[\"b=2\"]") && !told.contains("warning"),
            "{told}"
        );
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_the_nearest_word() {
        insta::assert_snapshot!(shown(
            "Name=early\n[Servise]\nName=x\n[Service]\nNmae=x\nName=%h\nType=_htp._tpc\nPort=0\n\
             Priority=many\nnonsense\nTxtText=\"open\nTxtData=a=?\n",
            &["[Service]\nPrt=1\n"]
        ));
        assert!(shown("[Service]\nPort=80\n", &[]).contains("'Name=' is missing"));
        assert!(shown("", &[]).contains("'Type=' is missing"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "(\\[Service\\]\n)?(.|\n|=|\\\\){0,80}") {
            shown(&text, &[]);
        }
    }
}
