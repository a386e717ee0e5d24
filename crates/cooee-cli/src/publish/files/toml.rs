//! Our own files, in TOML: a list of `[[service]]`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::offer::Offer;
use super::Sheet;
use crate::nearest::nearest;
use crate::{base64, duration, escape, name_arg, type_arg, value_arg};

/// Reads such a file.
pub(super) fn read(text: &str, computer: &str, sheet: &mut Sheet<'_>) {
    let before = sheet.contents.faults.len();
    read_all(text, computer, sheet);
    // Keys are asked for in our order; people read theirs.
    if let Some(faults) = sheet.contents.faults.get_mut(before..) {
        faults.sort_by_key(|fault| fault.line);
    }
}

fn read_all(text: &str, computer: &str, sheet: &mut Sheet<'_>) {
    let lines = Lines(text);
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let line = error.span().map_or(0, |span| lines.at(span.start));
            return sheet.fault(line, escape::text(error.message()));
        }
    };
    let document = document.get_ref();
    let mut table = Table::of(document, "the file", lines);
    let host = table.text(sheet, "host");
    if let Some(host) = &host {
        sheet.contents.host = Some(host.clone());
    }
    let host = host.unwrap_or_else(|| computer.to_owned());
    let services = table.take("service");
    table.refuse_rest(sheet);
    let Some((line, services)) = services else {
        return sheet.fault(0, "there is no [[service]] in it");
    };
    let DeValue::Array(services) = services else {
        return sheet.fault(
            line,
            "write [[service]] with two brackets: there may be several",
        );
    };
    for service in services {
        let line = lines.at(service.span().start);
        match service.get_ref() {
            DeValue::Table(table) => {
                read_service(Table::of(table, "a service", lines), line, &host, sheet);
            }
            _ => sheet.fault(line, "a service must be a table: [[service]]"),
        }
    }
}

fn read_service(mut table: Table<'_>, line: usize, host: &str, sheet: &mut Sheet<'_>) {
    let faults = sheet.contents.faults.len();
    let mut offer = Offer::default();
    match table.located_text(sheet, "name") {
        Some((line, name)) => match instance(&name, host) {
            Ok(name) => offer.name = name,
            Err(fault) => sheet.fault(line, fault),
        },
        None if table.lacks("name") => sheet.fault(line, "'name' is missing: what people will see"),
        None => {}
    }
    match table.located_text(sheet, "type") {
        Some((line, kind)) => match type_arg::parse(&kind) {
            Ok(kind) => (offer.kind, offer.subtypes) = (kind.wire, kind.subtypes),
            Err(fault) => sheet.fault(line, fault),
        },
        None if table.lacks("type") => {
            sheet.fault(line, "'type' is missing, such as \"_http._tcp\"");
        }
        None => {}
    }
    let is_flagship = table.flag(sheet, "flagship");
    match table.number(sheet, "port", "1 to 65535") {
        Some((line, 0)) if !is_flagship => sheet.fault(
            line,
            "port 0 is no port: 1 to 65535 are; to keep the name only, write flagship = true",
        ),
        Some((_, port)) => offer.port = port,
        None if table.lacks("port") && !is_flagship => {
            sheet.fault(line, "'port' is missing, 1 to 65535");
        }
        None => {}
    }
    if let Some((_, priority)) = table.number(sheet, "priority", "0 to 65535") {
        offer.priority = priority;
    }
    if let Some((_, weight)) = table.number(sheet, "weight", "0 to 65535") {
        offer.weight = weight;
    }
    offer.ttl = table.ttl(sheet);
    offer.subtypes.extend(table.texts(sheet, "subtypes"));
    offer.interfaces = table.texts(sheet, "interfaces");
    offer.host = table.text(sheet, "host");
    offer.no_rename = table.flag(sheet, "no-rename");
    if let Some((line, _)) = table.peek("addresses") {
        for address in table.texts(sheet, "addresses") {
            match value_arg::address(&address) {
                Ok(address) => offer.addresses.push(address),
                Err(fault) => sheet.fault(line, fault),
            }
        }
        if offer.host.is_none() {
            sheet.fault(
                line,
                "'addresses' are those of another host: name it with 'host'",
            );
        }
    }
    offer.txt = table.txt(sheet);
    table.refuse_rest(sheet);
    if sheet.contents.faults.len() == faults {
        sheet.offer(line, offer);
    }
}

/// A name with its escapes, and the host's in the place of `{host}`.
fn instance(typed: &str, host: &str) -> Result<Vec<u8>, String> {
    name_arg::instance_label(typed.replace("{host}", host).as_bytes())
}

/// A table of which one key after the other is taken.
struct Table<'t> {
    what: &'static str,
    lines: Lines<'t>,
    entries: Vec<(&'t str, usize, &'t Spanned<DeValue<'t>>)>,
    asked: Vec<&'static str>,
    taken: Vec<&'static str>,
}

impl<'t> Table<'t> {
    fn of(table: &'t DeTable<'t>, what: &'static str, lines: Lines<'t>) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let line = lines.at(key.span().start);
            (key.get_ref().as_ref(), line, value)
        });
        Self {
            what,
            lines,
            entries: entries.collect(),
            asked: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn peek(&self, key: &str) -> Option<(usize, &'t DeValue<'t>)> {
        let mut entries = self.entries.iter();
        let (_, line, value) = entries.find(|(name, ..)| *name == key)?;
        Some((*line, value.get_ref()))
    }

    fn take(&mut self, key: &'static str) -> Option<(usize, &'t DeValue<'t>)> {
        let found = self.peek(key);
        self.asked.push(key);
        self.taken.extend(found.map(|_| key));
        found
    }

    fn lacks(&self, key: &str) -> bool {
        !self.taken.contains(&key)
    }

    /// What nobody asked for is a slip.
    fn refuse_rest(&self, sheet: &mut Sheet<'_>) {
        for (key, line, _) in &self.entries {
            if !self.asked.contains(key) {
                let near = nearest(key, self.asked.iter().copied())
                    .map(|near| format!("; did you mean '{near}'?"))
                    .unwrap_or_else(|| format!("; there are {}", self.asked.join(", ")));
                let key = escape::text(key);
                sheet.fault(
                    *line,
                    format!("'{key}' is not a key of {}{near}", self.what),
                );
            }
        }
    }

    fn located_text(
        &mut self,
        sheet: &mut Sheet<'_>,
        key: &'static str,
    ) -> Option<(usize, String)> {
        match self.take(key)? {
            (line, DeValue::String(text)) => Some((line, text.to_string())),
            (line, _) => {
                sheet.fault(line, format!("'{key}' must be text in quotes"));
                None
            }
        }
    }

    fn text(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Option<String> {
        self.located_text(sheet, key).map(|(_, text)| text)
    }

    fn flag(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> bool {
        match self.take(key) {
            None => false,
            Some((_, DeValue::Boolean(flag))) => *flag,
            Some((line, _)) => {
                sheet.fault(line, format!("'{key}' must be true or false"));
                false
            }
        }
    }

    /// `range` is what may be said, in words.
    fn number(
        &mut self,
        sheet: &mut Sheet<'_>,
        key: &'static str,
        range: &str,
    ) -> Option<(usize, u16)> {
        let (line, value) = self.take(key)?;
        let number = match value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let number = number.and_then(|number| u16::try_from(number).ok());
        if number.is_none() {
            sheet.fault(line, format!("'{key}' must be a number from {range}"));
        }
        number.map(|number| (line, number))
    }

    fn ttl(&mut self, sheet: &mut Sheet<'_>) -> Option<u32> {
        let (line, value) = self.take("ttl")?;
        let ttl = match value {
            DeValue::Integer(number) => duration::parse(number.as_str()),
            DeValue::String(text) => duration::parse(text),
            _ => Err("'ttl' must be a number of seconds, or a time such as \"2m\"".into()),
        };
        match ttl.and_then(value_arg::seconds) {
            Ok(seconds) => Some(seconds),
            Err(fault) => {
                sheet.fault(line, fault);
                None
            }
        }
    }

    fn texts(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Vec<String> {
        let Some((line, value)) = self.take(key) else {
            return Vec::new();
        };
        let texts = match value {
            DeValue::Array(values) => values
                .iter()
                .map(|value| match value.get_ref() {
                    DeValue::String(text) => Some(text.to_string()),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        texts.unwrap_or_else(|| {
            sheet.fault(line, format!("'{key}' must be a list of texts: [\"…\"]"));
            Vec::new()
        })
    }

    fn txt(&mut self, sheet: &mut Sheet<'_>) -> Vec<Vec<u8>> {
        let Some((line, value)) = self.take("txt") else {
            return Vec::new();
        };
        match value {
            DeValue::Table(table) => {
                let mut strings = Vec::new();
                for (key, value) in table {
                    let line = self.lines.at(key.span().start);
                    match txt_string(key.get_ref(), value.get_ref()) {
                        Ok(string) => strings.extend(string),
                        Err(fault) => sheet.fault(line, fault),
                    }
                }
                strings
            }
            DeValue::Array(_) => {
                // The same value once more, as what it is here.
                self.texts(sheet, "txt")
                    .into_iter()
                    .map(String::into_bytes)
                    .collect()
            }
            _ => {
                sheet.fault(
                    line,
                    "'txt' must be a table: { path = \"/\" }, or a list of texts",
                );
                Vec::new()
            }
        }
    }
}

/// A string of the record, or nothing for a key that is false.
fn txt_string(key: &str, value: &DeValue<'_>) -> Result<Option<Vec<u8>>, String> {
    let with = |value: &[u8]| [key.as_bytes(), b"=", value].concat();
    Ok(match value {
        DeValue::Boolean(true) => Some(key.as_bytes().to_vec()),
        DeValue::Boolean(false) => None,
        DeValue::String(text) => Some(with(text.as_bytes())),
        DeValue::Integer(number) => Some(with(number.as_str().as_bytes())),
        DeValue::Table(table) if table.len() == 1 => {
            let mut entries = table.iter();
            let octets = entries.next().and_then(|(key, value)| {
                match (key.get_ref().as_ref(), value.get_ref()) {
                    ("base64", DeValue::String(text)) => base64::decode(text),
                    _ => None,
                }
            });
            match octets {
                Some(octets) => Some(with(&octets)),
                None => return Err(form(key)),
            }
        }
        _ => return Err(form(key)),
    })
}

fn form(key: &str) -> String {
    format!(
        "the value of '{}' must be text, a number, true, or {{ base64 = \"AP8=\" }}",
        escape::text(key)
    )
}

/// From places to lines.
#[derive(Clone, Copy)]
struct Lines<'t>(&'t str);

impl Lines<'_> {
    fn at(self, octet: usize) -> usize {
        let before = self.0.as_bytes().get(..octet).unwrap_or_default();
        1 + before.iter().filter(|octet| **octet == b'\n').count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::examine;

    fn shown(text: &str) -> String {
        examine(|sheet| super::read(text, "tabasco", sheet)).shown()
    }

    #[test]
    fn everything_that_a_service_may_have_is_read() {
        insta::assert_snapshot!(shown(
            r#"
host = "pepper"

[[service]]
name = "Keith’s web server on {host}"
type = "_http._tcp"
port = 8080
subtypes = ["_printer"]
txt = { path = "/", flag = true, not = false, empty = "", n = 7, icon = { base64 = "AP8=" } }
interfaces = ["eth*"]
priority = 1
weight = 2
ttl = "2m"
no-rename = true

[[service]]
name = 'Lobby'
type = "ipp,_universal"
port = 631
txt = ["txtvers=1", "Color"]
host = "laserjet"
addresses = ["192.0.2.50", "fe80::50"]

[[service]]
name = "Printer"
type = "_printer._tcp"
flagship = true
"#
        ));
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_the_nearest_word() {
        insta::assert_snapshot!(shown(
            r#"
hots = "pepper"
[[service]]
nam = "Web"
type = "_htp._tpc"
port = 0
txt = { path = [1], "ke=y" = "x" }
[[service]]
name = "a\u0007b"
type = "http"
port = 70000
ttl = "soon"
subtypes = "x"
interfaces = [1]
addresses = ["somewhere"]
flagship = "yes"
[[service]]
name = 7
type = "http"
port = 80
txt = 7
[[service]]
name = "Good\\q"
type = "http"
port = 80
[[service]]
name = "Twice"
type = "http"
port = 80
txt = ["a=1", "A=2"]
"#
        ));
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        assert!(shown("[[service]]\nname = \n").starts_with("fault file:2: "));
        assert!(shown("").contains("no [[service]]"));
        assert!(shown("[service]\nname = \"x\"\n").contains("two brackets"));
        assert!(shown("service = [1]").contains("must be a table"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fall(text in "(\\[\\[service\\]\\]\n)?(.|\n){0,80}") {
            shown(&text);
        }
    }
}
