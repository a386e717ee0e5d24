//! JSON lines: an object is written field by field, in the order in which the fields are named.
//!
//! Text that would steer a terminal is written as `\uXXXX`: the value is exact, the terminal stays whole.

use std::fmt::Write as _;
use std::time::Duration;

use crate::escape::is_hostile;

/// An object being written.
#[derive(Debug)]
pub(crate) struct Object {
    text: String,
}

impl Object {
    /// Begins an object.
    pub(crate) fn new() -> Self {
        Self {
            text: String::from("{"),
        }
    }

    /// A field with text.
    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        push_string(&mut self.text, value);
        self
    }

    /// A field with text or null.
    pub(crate) fn text_or_null(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// Octets as text; if they are not UTF-8 they follow in base64 under the same key with `_raw`.
    pub(crate) fn octets(self, key: &str, octets: &[u8]) -> Self {
        match str::from_utf8(octets) {
            Ok(text) => self.text(key, text),
            Err(_) => self
                .text(key, &String::from_utf8_lossy(octets))
                .text(&format!("{key}_raw"), &crate::base64::encode(octets)),
        }
    }

    /// A field with a whole number.
    pub(crate) fn number(self, key: &str, value: impl Into<u64>) -> Self {
        let value = value.into();
        self.raw(key, &value.to_string())
    }

    /// A field with milliseconds, to the microsecond where there are any.
    pub(crate) fn milliseconds(self, key: &str, value: Duration) -> Self {
        let micros = value.as_micros();
        let whole = micros / 1_000;
        match micros % 1_000 {
            0 => self.raw(key, &whole.to_string()),
            rest => {
                let digits = format!("{rest:03}");
                self.raw(key, &format!("{whole}.{}", digits.trim_end_matches('0')))
            }
        }
    }

    /// A field with a whole number or null.
    pub(crate) fn number_or_null(self, key: &str, value: Option<impl Into<u64>>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self.raw(key, "null"),
        }
    }

    /// A field with an object.
    pub(crate) fn object(self, key: &str, value: Self) -> Self {
        self.raw(key, &value.finish())
    }

    /// A field with true or false.
    pub(crate) fn flag(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// A field with a list of objects.
    pub(crate) fn objects(self, key: &str, values: impl IntoIterator<Item = Self>) -> Self {
        self.list(key, values, |text, value| text.push_str(&value.finish()))
    }

    /// A field with a list of texts.
    pub(crate) fn texts(
        self,
        key: &str,
        values: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        self.list(key, values, |text, value| push_string(text, value.as_ref()))
    }

    /// Ends the object.
    pub(crate) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn list<T>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = T>,
        push: impl Fn(&mut String, T),
    ) -> Self {
        self.key(key);
        self.text.push('[');
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            push(&mut self.text, value);
        }
        self.text.push(']');
        self
    }

    fn raw(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        self.text.push_str(value);
        self
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        push_string(&mut self.text, key);
        self.text.push(':');
    }
}

fn push_string(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_hostile(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_order_in_which_they_were_named() {
        let line = Object::new()
            .text("event", "added")
            .number("port", 8080_u16)
            .flag("local", false)
            .text_or_null("title", None)
            .texts("missing", ["srv", "txt"])
            .objects(
                "links",
                [Object::new().text("interface", "eth0"), Object::new()],
            )
            .objects("none", [])
            .finish();
        assert_eq!(
            line,
            r#"{"event":"added","port":8080,"local":false,"title":null,"missing":["srv","txt"],"links":[{"interface":"eth0"},{}],"none":[]}"#
        );
    }

    #[test]
    fn milliseconds_have_the_decimals_they_need() {
        for (micros, written) in [
            (0, "0"),
            (404_118, "404.118"),
            (1_500, "1.5"),
            (70, "0.07"),
            (3_000_000, "3000"),
        ] {
            let line = Object::new()
                .milliseconds("ms", Duration::from_micros(micros))
                .finish();
            assert_eq!(line, format!("{{\"ms\":{written}}}"));
        }
    }

    #[test]
    fn hostile_text_is_exact_and_harmless() {
        let hostile = "\u{1b}[31m \"\\\n\u{7f}\u{9b}\u{202e}\u{feff}\u{2028}\u{e0041} Keith’s 👩‍👩‍👧";
        let line = Object::new().text("name", hostile).finish();
        assert!(!line.chars().any(is_hostile), "{line}");
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["name"], hostile);
    }

    #[test]
    fn octets_that_are_not_utf8_come_in_base64_too() {
        assert_eq!(
            Object::new().octets("name", b"caf\xe9").finish(),
            "{\"name\":\"caf\u{fffd}\",\"name_raw\":\"Y2Fm6Q==\"}"
        );
        assert_eq!(
            Object::new().octets("name", b"cafe").finish(),
            r#"{"name":"cafe"}"#
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_text_holds_is_exact_and_harmless(text in proptest::prelude::any::<String>()) {
            let line = Object::new().text("name", &text).finish();
            proptest::prop_assert!(!line.chars().any(is_hostile));
            let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
            proptest::prop_assert_eq!(&parsed["name"], &text);
        }
    }
}
