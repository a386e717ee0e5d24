//! TXT strings, taken apart for people and for JSON.

use std::collections::HashSet;

use crate::escape::{self, Piece};

/// One string of a TXT record, read by RFC 6763, section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    /// The whole string.
    pub(crate) string: &'a [u8],
    /// The key, if it is a legal one.
    pub(crate) key: Option<&'a str>,
    /// What follows the first `=`, if there is one.
    pub(crate) value: Option<&'a [u8]>,
    /// No client looks at it: no key at all, or the key stood before.
    pub(crate) ignored: bool,
}

/// Reads the strings of a record in their order. A record of one empty string has no attributes.
pub(crate) fn attributes(strings: &[Vec<u8>]) -> Vec<Attribute<'_>> {
    if let [only] = strings
        && only.is_empty()
    {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    strings
        .iter()
        .map(|string| {
            let equals = string.iter().position(|octet| *octet == b'=');
            let (key, value) = match equals {
                Some(at) => (string.get(..at).unwrap_or_default(), string.get(at + 1..)),
                None => (string.as_slice(), None),
            };
            let key = legal_key(key);
            // The first of a key counts (6763-6.4-10); a string without key is skipped (6763-6.4-2).
            let ignored = key.is_none_or(|key| !seen.insert(key.to_ascii_lowercase()));
            Attribute {
                string,
                key,
                value,
                ignored,
            }
        })
        .collect()
}

impl Attribute<'_> {
    /// How a person sees it: text plain, other octets counted, or written out when `hex` is wished.
    pub(crate) fn pieces(&self, hex: bool) -> Vec<Piece> {
        let (Some(key), value) = (self.key, self.value) else {
            return escape::pieces(self.string).collect();
        };
        let mut pieces: Vec<Piece> = escape::pieces(key.as_bytes()).collect();
        let Some(value) = value else {
            return pieces;
        };
        pieces.push(Piece::Plain('='));
        if str::from_utf8(value).is_ok_and(|text| !has_controls(text)) {
            pieces.extend(escape::pieces(value));
        } else if hex {
            pieces.extend(hex_and_text(value).chars().map(Piece::Plain));
        } else {
            let unit = if value.len() == 1 { "byte" } else { "bytes" };
            pieces.extend(
                format!("<binary, {} {unit}>", value.len())
                    .chars()
                    .map(Piece::Plain),
            );
        }
        pieces
    }

    /// The same as one text, with escapes.
    pub(crate) fn shown(&self, hex: bool) -> String {
        let mut out = String::new();
        for piece in self.pieces(hex) {
            piece.push_to(&mut out);
        }
        out
    }
}

/// Printable ASCII without `=`, at least one character (6763-6.4-1, 6763-6.4-5).
fn legal_key(key: &[u8]) -> Option<&str> {
    let legal = !key.is_empty() && key.iter().all(|octet| matches!(octet, 0x20..=0x7e));
    legal.then(|| str::from_utf8(key).ok()).flatten()
}

/// Line feeds and tabs appear in honest text; other controls mean that it is none.
fn has_controls(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn hex_and_text(value: &[u8]) -> String {
    let hex: Vec<String> = value.iter().map(|octet| format!("{octet:02x}")).collect();
    let text: String = value
        .iter()
        .map(|octet| {
            if octet.is_ascii_graphic() || *octet == b' ' {
                char::from(*octet)
            } else {
                '.'
            }
        })
        .collect();
    format!("<{} |{text}|>", hex.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(strings: &[&[u8]]) -> Vec<Vec<u8>> {
        strings.iter().map(|string| string.to_vec()).collect()
    }

    #[test]
    fn absent_empty_and_no_value_are_three_things() {
        let strings = strings(&[b"flag", b"empty=", b"path=/"]);
        let attributes = attributes(&strings);
        let seen: Vec<_> = attributes
            .iter()
            .map(|one| (one.key, one.value, one.ignored))
            .collect();
        assert_eq!(
            seen,
            [
                (Some("flag"), None, false),
                (Some("empty"), Some(&b""[..]), false),
                (Some("path"), Some(&b"/"[..]), false)
            ]
        );
    }

    #[test]
    fn the_first_of_a_key_counts_in_any_case() {
        // 6763-6.4-10, 6763-6.4-2, 6763-6.4-7
        let strings = strings(&[b"a=1", b"A=2", b"=x", b""]);
        let ignored: Vec<bool> = attributes(&strings).iter().map(|one| one.ignored).collect();
        assert_eq!(ignored, [false, true, true, true]);
    }

    #[test]
    fn one_empty_string_is_no_attribute() {
        // 6763-6.1-6, 6763-6.4-12
        assert!(attributes(&strings(&[b""])).is_empty());
        assert!(attributes(&[]).is_empty());
    }

    #[test]
    fn binary_values_are_counted_or_written_as_hex() {
        // 6763-6.5-5
        let strings = strings(&[
            b"icon=\xff\x00",
            b"n=\x01",
            b"esc=\x1b[31m",
            b"name=Caf\xc3\xa9",
            b"two=a\nb",
        ]);
        let shown: Vec<String> = attributes(&strings)
            .iter()
            .map(|one| one.shown(false))
            .collect();
        assert_eq!(
            shown,
            [
                "icon=<binary, 2 bytes>",
                "n=<binary, 1 byte>",
                "esc=<binary, 5 bytes>",
                "name=Café",
                "two=a\\010b"
            ]
        );
        let hex: Vec<String> = attributes(&strings)
            .iter()
            .take(3)
            .map(|one| one.shown(true))
            .collect();
        assert_eq!(
            hex,
            [
                "icon=<ff 00 |..|>",
                "n=<01 |.|>",
                "esc=<1b 5b 33 31 6d |.[31m|>"
            ]
        );
    }
}
