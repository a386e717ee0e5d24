//! Names are hostile: what a stranger called his printer must not steer this terminal.
//!
//! Everything that came from the network or from the command line goes through here before it is shown to a
//! person. Each octet of a character that is not safe to show becomes `\DDD`, a backslash becomes `\\`, so that
//! what is shown can be pasted back as an argument.

use std::fmt::Write as _;

/// Tells whether a character would steer a terminal, reorder a line or hide in it.
///
/// Joiners and variation selectors are not among them: emoji and Persian need them.
pub(crate) fn is_hostile(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1F}'
            | '\u{7F}'..='\u{9F}'
            | '\u{61C}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// A stretch of text to show, or one escape in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A character that shows itself.
    Plain(char),
    /// An octet that is shown by its number.
    Octet(u8),
    /// A backslash, shown twice.
    Backslash,
}

impl Piece {
    /// Appends what is shown.
    pub(crate) fn push_to(self, out: &mut String) {
        match self {
            Self::Plain(c) => out.push(c),
            Self::Octet(octet) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\{octet:03}");
            }
            Self::Backslash => out.push_str("\\\\"),
        }
    }

    /// Tells whether this is an escape, which terminals show in a colour of its own.
    pub(crate) fn is_escape(self) -> bool {
        matches!(self, Self::Octet(_) | Self::Backslash)
    }
}

/// Takes octets apart into what is shown for each.
pub(crate) fn pieces(octets: &[u8]) -> impl Iterator<Item = Piece> {
    octets.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().flat_map(char_pieces);
        let invalid = chunk.invalid().iter().map(|octet| Piece::Octet(*octet));
        valid.chain(invalid)
    })
}

fn char_pieces(c: char) -> impl Iterator<Item = Piece> {
    let mut octets = [0; 4];
    let hostile = is_hostile(c);
    let len = if hostile {
        c.encode_utf8(&mut octets).len()
    } else {
        0
    };
    let shown = match c {
        '\\' => Some(Piece::Backslash),
        _ if hostile => None,
        _ => Some(Piece::Plain(c)),
    };
    shown
        .into_iter()
        .chain(octets.into_iter().take(len).map(Piece::Octet))
}

/// Takes text apart that already has its master-file escapes (a host name, a whole service name, a message):
/// backslashes stay as they are.
pub(crate) fn escaped_pieces(text: &str) -> impl Iterator<Item = Piece> {
    text.chars().flat_map(|c| {
        let backslash = (c == '\\').then_some(Piece::Plain(c));
        let other = backslash
            .is_none()
            .then(|| char_pieces(c))
            .into_iter()
            .flatten();
        backslash.into_iter().chain(other)
    })
}

/// Text for a person: octets of a label, a TXT value, an argument.
pub(crate) fn octets(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for piece in pieces(octets) {
        piece.push_to(&mut out);
    }
    out
}

/// Text for a person: an argument or a file name as it was typed.
pub(crate) fn text(text: &str) -> String {
    octets(text.as_bytes())
}

/// Text for a person that already has its master-file escapes.
pub(crate) fn escaped_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in escaped_pieces(text) {
        piece.push_to(&mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_of_many_scripts_stay_as_they_are() {
        for name in [
            "Keith’s web server",
            "日本語のプリンタ",
            "مكتب",
            "👩‍👩‍👧 family",
            "می‌خواهم",
        ] {
            assert_eq!(text(name), name);
        }
    }

    #[test]
    fn controls_become_numbers_and_a_backslash_two() {
        assert_eq!(text("\u{1b}[31mred"), "\\027[31mred");
        assert_eq!(text("a\nb\tc\u{7f}"), "a\\010b\\009c\\127");
        assert_eq!(text("C:\\temp"), "C:\\\\temp");
        // C1 controls are two octets in UTF-8.
        assert_eq!(text("\u{9b}31m"), "\\194\\15531m");
    }

    #[test]
    fn what_reorders_or_hides_becomes_numbers() {
        for hostile in [
            '\u{61c}',
            '\u{200b}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{e0001}',
            '\u{e007f}',
        ] {
            let shown = text(&format!("a{hostile}b"));
            assert!(shown.is_ascii(), "{hostile:?} shows as {shown:?}");
        }
        assert_eq!(text("\u{202e}exe"), "\\226\\128\\174exe");
    }

    #[test]
    fn octets_that_are_not_utf8_become_numbers() {
        assert_eq!(octets(b"caf\xe9 \xff"), "caf\\233 \\255");
        assert_eq!(octets(b"\xe2\x80"), "\\226\\128");
    }

    #[test]
    fn text_with_escapes_keeps_its_backslashes() {
        assert_eq!(escaped_text("Test Svc\\.One.local"), "Test Svc\\.One.local");
        assert_eq!(escaped_text("a\\.b\u{1b}"), "a\\.b\\027");
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_label_holds_is_shown_without_harm_and_can_be_pasted_back(
            label in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..=63)
        ) {
            let shown = octets(&label);
            proptest::prop_assert!(!shown.chars().any(is_hostile));
            proptest::prop_assert_eq!(crate::name_arg::instance_label(shown.as_bytes()), Ok(label));
        }

        #[test]
        fn whatever_text_holds_is_shown_without_harm(text in ".*") {
            proptest::prop_assert!(!super::text(&text).chars().any(is_hostile));
            proptest::prop_assert!(!escaped_text(&text).chars().any(is_hostile));
        }
    }
}
