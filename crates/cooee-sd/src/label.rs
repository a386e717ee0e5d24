//! One label: up to 63 octets of anything, and its text form.
//!
//! The text form is used where a label stands in a longer name. It escapes only what would be lost otherwise: a dot, a
//! backslash, control characters and octets that are not UTF-8 (RFC 6763 §4.3). Spaces and letters of all scripts stay.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// The longest label.
// RFC 6763 §7.2 (6763-7.2-3, 6763-7.2-4, 6763-E-2)
pub(crate) const MAX_LABEL: usize = 63;

/// A label of 1 to 63 octets, held inline. Comparison and hash fold ASCII case and nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Label {
    len: u8,
    octets: [u8; MAX_LABEL],
}

impl Label {
    /// `None` unless there are 1 to 63 octets.
    pub(crate) fn new(octets: &[u8]) -> Option<Self> {
        let mut label = Self {
            len: u8::try_from(octets.len()).ok()?,
            octets: [0; MAX_LABEL],
        };
        if octets.is_empty() {
            return None;
        }
        label
            .octets
            .get_mut(..octets.len())?
            .copy_from_slice(octets);
        Some(label)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.octets
            .get(..usize::from(self.len))
            .unwrap_or(&self.octets)
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.as_bytes().iter().map(u8::to_ascii_lowercase)
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
    }
}

impl Eq for Label {}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Label {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Label {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.len);
        for octet in self.folded() {
            state.write_u8(octet);
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, self.as_bytes())
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Writes octets as one label of a longer name.
// RFC 6763 §4.3 (6763-4.3-2, 6763-4.3-3)
pub(crate) fn write_escaped(out: &mut impl fmt::Write, octets: &[u8]) -> fmt::Result {
    write_with(out, octets, |character| matches!(character, '.' | '\\'))
}

fn write_with(
    out: &mut impl fmt::Write,
    octets: &[u8],
    is_special: fn(char) -> bool,
) -> fmt::Result {
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_special(character) {
                out.write_char('\\')?;
                out.write_char(character)?;
            } else if character.is_control() {
                write_decimal(out, character.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                out.write_char(character)?;
            }
        }
        write_decimal(out, chunk.invalid())?;
    }
    Ok(())
}

fn write_decimal(out: &mut impl fmt::Write, octets: &[u8]) -> fmt::Result {
    octets
        .iter()
        .try_for_each(|octet| write!(out, "\\{octet:03}"))
}

/// A backslash with nothing sensible after it: at the end of the text, or before digits that are no octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadEscape;

/// The octets of a text: `\DDD` is one octet, a backslash before anything else makes that literal. Dots stay dots.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, BadEscape> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let escaped = rest.next().ok_or(BadEscape)?;
        if !escaped.is_ascii_digit() {
            octets.push(escaped);
            continue;
        }
        let mut value = u32::from(escaped - b'0');
        for _ in 0..2 {
            let digit = rest.next().filter(u8::is_ascii_digit).ok_or(BadEscape)?;
            value = value * 10 + u32::from(digit - b'0');
        }
        octets.push(u8::try_from(value).map_err(|_| BadEscape)?);
    }
    Ok(octets)
}

/// Where the labels of a text begin and end: at each dot without a backslash. One dot at the end is no label.
pub(crate) fn segments(text: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'.' => {
                segments.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() {
        segments.push(&text[start..]);
    }
    segments
}

/// The text of some octets as [`write_escaped`] has it.
pub(crate) fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    write_escaped(&mut text, octets).expect("writing to a String cannot fail");
    text
}

/// The text of some octets that stand alone, in which a dot is a dot; [`unescape`] reads it too.
#[cfg(feature = "serde")]
pub(crate) fn escaped_string(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    write_with(&mut text, octets, |character| character == '\\')
        .expect("writing to a String cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_label_has_1_to_63_octets() {
        // 6763-E-2
        assert!(Label::new(b"").is_none());
        assert!(Label::new(&[0xff; 63]).is_some());
        assert!(Label::new(&[0xff; 64]).is_none());
        assert!(Label::new(&[0xff; 300]).is_none());
    }

    #[test]
    fn labels_fold_ascii_case_only() {
        let label = |text: &str| Label::new(text.as_bytes()).unwrap();
        assert_eq!(label("BÜRO"), label("bÜro"));
        assert_ne!(label("BÜRO"), label("büro"));
        assert!(label("a") < label("B"));
    }

    #[test]
    fn escapes_are_exact_both_ways() {
        // 6763-4.3-2, 6763-4.3-3
        for (octets, text) in [
            (&b"Dr. Pepper"[..], "Dr\\. Pepper"),
            (b"a\\b", "a\\\\b"),
            (b"a\nb\x7f", "a\\010b\\127"),
            (b"\xff\xc3\xbc", "\\255ü"),
            ("\u{85}".as_bytes(), "\\194\\133"),
        ] {
            assert_eq!(Label::new(octets).unwrap().to_string(), text);
            assert_eq!(unescape(text).unwrap(), octets);
        }
    }

    #[test]
    fn an_unfinished_escape_is_refused() {
        for text in ["a\\", "\\1", "\\12", "\\12a", "\\256", "\\999"] {
            assert_eq!(unescape(text), Err(BadEscape), "{text}");
        }
    }

    #[test]
    fn an_escaped_dot_ends_no_label() {
        assert_eq!(segments("a\\.b.c\\\\.d."), ["a\\.b", "c\\\\", "d"]);
        assert_eq!(segments("a..b"), ["a", "", "b"]);
        assert!(segments("").is_empty());
    }
}
