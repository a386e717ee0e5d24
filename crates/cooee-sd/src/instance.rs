//! The name a person reads: `Keith’s web server`.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;

use crate::label::{Label, MAX_LABEL};

/// What [`InstanceName::truncated`] gives for a text of which nothing can be kept.
const UNNAMED: &str = "Unnamed";

/// The name of one service instance as a person reads it: 1 to 63 bytes, in which dots and spaces are plain characters.
///
/// Parsing from text is for names that *we* give: it refuses control characters and a byte order mark, and composes
/// accents (NFC). Names of others come by [`from_bytes`](Self::from_bytes), which takes whatever was received; such a
/// name prints with U+FFFD for what is not UTF-8. Comparison folds ASCII case and nothing else.
///
/// ```
/// use cooee_sd::InstanceName;
///
/// let name: InstanceName = "Dr. Müller’s printer".parse()?;
/// assert_eq!(name.as_str(), Some("Dr. Müller’s printer"));
/// assert_eq!(name.next().to_string(), "Dr. Müller’s printer (2)");
/// assert_eq!(name.next().next().to_string(), "Dr. Müller’s printer (3)");
/// # Ok::<(), cooee_sd::InstanceNameError>(())
/// ```
// RFC 6763 §4.1.1 (6763-4.1.1-3, 6763-4.1.1-8, 6763-E-1)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName(Label);

impl InstanceName {
    /// A name as it was received: any 1 to 63 bytes.
    ///
    /// # Errors
    ///
    /// [`InstanceNameError::Empty`] or [`InstanceNameError::TooLong`].
    pub fn from_bytes(octets: &[u8]) -> Result<Self, InstanceNameError> {
        Label::new(octets)
            .map(Self)
            .ok_or_else(|| match octets.len() {
                0 => InstanceNameError::Empty,
                // RFC 6763 §4.1.1 (6763-4.1.1-9)
                len => InstanceNameError::TooLong {
                    text: String::from_utf8_lossy(octets).into_owned(),
                    len,
                },
            })
    }

    /// Makes a name of any text: forbidden characters are left out, and what is longer than 63 bytes is cut after a whole
    /// character. A text of which nothing remains becomes `Unnamed`.
    ///
    /// For names that come from elsewhere, such as a computer's own; what a user typed is better parsed, so that the user
    /// hears about it.
    #[must_use]
    pub fn truncated(text: &str) -> Self {
        let kept: String = text
            .chars()
            .filter(|character| refused(*character).is_none())
            .nfc()
            .collect();
        let cut = cut(kept.trim_start_matches('\u{feff}'), MAX_LABEL);
        let cut = if cut.is_empty() { UNNAMED } else { cut };
        Self(Label::new(cut.as_bytes()).expect("the text was cut to 63 bytes and is not empty"))
    }

    /// The bytes of the label.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name as text, if it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }

    /// The name as text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    /// Whether this name, wherever it came from, may be published.
    ///
    /// # Errors
    ///
    /// What [`from_str`](Self::from_str) would refuse, or [`InstanceNameError::NotUtf8`].
    pub fn check_publishable(&self) -> Result<(), InstanceNameError> {
        let text = self.as_str().ok_or_else(|| InstanceNameError::NotUtf8 {
            text: self.to_string_lossy().into_owned(),
        })?;
        check(text)
    }

    /// The name to try after this one was taken: `Name (2)`, then `Name (3)`. Cut on a character boundary, so that the
    /// number always fits into the 63 bytes.
    // RFC 6763 Appendix D (6763-D-1)
    #[must_use]
    pub fn next(&self) -> Self {
        let text = self.to_string_lossy();
        let (base, number) = numbered(&text, " (", ")");
        let suffix = format!(" ({number})");
        let base = cut(base, MAX_LABEL - suffix.len()).trim_end();
        let name = format!("{base}{suffix}");
        Self(Label::new(name.as_bytes()).expect("the base was cut so that the number fits"))
    }
}

/// The host label to try after this one was taken: `name-2`, then `name-3`. Cut on a character boundary to 63 bytes.
///
/// ```
/// assert_eq!(cooee_sd::next_host_label("tabasco"), "tabasco-2");
/// assert_eq!(cooee_sd::next_host_label("tabasco-2"), "tabasco-3");
/// assert_eq!(cooee_sd::next_host_label("rack-007"), "rack-007-2");
/// ```
#[must_use]
pub fn next_host_label(label: &str) -> String {
    let (base, number) = numbered(label, "-", "");
    let suffix = format!("-{number}");
    format!("{}{suffix}", cut(base, MAX_LABEL - suffix.len()))
}

/// Splits off a number that this rule added earlier, and says which comes next. `(1)` or leading zeros are not ours.
fn numbered<'t>(text: &'t str, open: &str, close: &str) -> (&'t str, u32) {
    let split = text
        .strip_suffix(close)
        .and_then(|rest| rest.rsplit_once(open));
    match split.and_then(|(base, digits)| Some((base, digits, digits.parse::<u32>().ok()?))) {
        Some((base, digits, number))
            if (2..u32::MAX).contains(&number)
                && !base.is_empty()
                && !digits.starts_with(['0', '+']) =>
        {
            (base, number + 1)
        }
        _ => (text, 2),
    }
}

/// At most `len` bytes of a text, cut after a whole character.
fn cut(text: &str, len: usize) -> &str {
    let mut end = len.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Why a character must not be published.
fn refused(character: char) -> Option<char> {
    // RFC 6763 §4.1.1 (6763-4.1.1-2); RFC 5198 §2 (5198-2-2) adds U+0080 to U+009F.
    character.is_control().then_some(character)
}

fn check(text: &str) -> Result<(), InstanceNameError> {
    if let Some(character) = text.chars().find_map(refused) {
        return Err(InstanceNameError::ControlCharacter {
            text: text.to_owned(),
            character,
        });
    }
    // RFC 5198 §2 (5198-2-4), ruling 35
    if text.starts_with('\u{feff}') {
        return Err(InstanceNameError::ByteOrderMark {
            text: text.to_owned(),
        });
    }
    Ok(())
}

impl FromStr for InstanceName {
    type Err = InstanceNameError;

    fn from_str(text: &str) -> Result<Self, InstanceNameError> {
        check(text)?;
        // RFC 6762 §16 (6762-16-1), RFC 5198 §2 (5198-2-3), ruling 35. A text so long that no composition can bring it
        // down to 63 bytes is refused as it stands.
        let composed: String = text.chars().take(4 * MAX_LABEL).nfc().collect();
        if composed.len() > MAX_LABEL {
            return Err(InstanceNameError::TooLong {
                text: text.to_owned(),
                len: text.nfc().map(char::len_utf8).sum(),
            });
        }
        Self::from_bytes(composed.as_bytes())
    }
}

impl TryFrom<&str> for InstanceName {
    type Error = InstanceNameError;

    fn try_from(text: &str) -> Result<Self, InstanceNameError> {
        text.parse()
    }
}

impl TryFrom<String> for InstanceName {
    type Error = InstanceNameError;

    fn try_from(text: String) -> Result<Self, InstanceNameError> {
        text.parse()
    }
}

impl TryFrom<&String> for InstanceName {
    type Error = InstanceNameError;

    fn try_from(text: &String) -> Result<Self, InstanceNameError> {
        text.parse()
    }
}

/// The plain text, without escapes.
// RFC 6763 §4.2 (6763-4.2-1)
impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl fmt::Debug for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceName({:?})", self.0)
    }
}

/// Why something is no instance name, or none that may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstanceNameError {
    /// There is no byte.
    Empty,
    /// There are more than 63 bytes of (composed) UTF-8.
    TooLong {
        /// The input.
        text: String,
        /// Its length in bytes.
        len: usize,
    },
    /// A control character is in it.
    ControlCharacter {
        /// The input.
        text: String,
        /// The first such character.
        character: char,
    },
    /// It begins with U+FEFF.
    ByteOrderMark {
        /// The input.
        text: String,
    },
    /// A received name that is no UTF-8 cannot be published again.
    NotUtf8 {
        /// The input, with U+FFFD for what is no text.
        text: String,
    },
}

impl fmt::Display for InstanceNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an instance name must not be empty"),
            Self::TooLong { text, len } => write!(
                f,
                "the instance name {text:?} has {len} bytes of UTF-8, at most {MAX_LABEL} are allowed: shorten it"
            ),
            Self::ControlCharacter { text, character } => write!(
                f,
                "the instance name {text:?} holds the control character U+{:04X}: leave it out",
                u32::from(*character)
            ),
            Self::ByteOrderMark { text } => {
                write!(
                    f,
                    "the instance name {text:?} begins with a byte order mark: leave it out"
                )
            }
            Self::NotUtf8 { text } => write!(
                f,
                "the instance name {text:?} is not UTF-8 and cannot be published"
            ),
        }
    }
}

impl core::error::Error for InstanceNameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn name(text: &str) -> InstanceName {
        text.parse().unwrap()
    }

    #[test]
    fn dots_spaces_and_all_scripts_are_plain_characters() {
        // 6763-4.1.1-1, 6763-4.1.1-3, 6763-E-1
        for text in [
            "a.b c日",
            "Büro 2. Stock",
            "!@#",
            " leading",
            "back\\slash",
            "_http._tcp",
        ] {
            assert_eq!(name(text).to_string(), text);
        }
    }

    #[test]
    fn control_characters_are_refused() {
        // 6763-4.1.1-2, 5198-2-2
        for code in (0x00..=0x1f).chain([0x7f, 0x80, 0x85, 0x9f]) {
            let text = format!("a{}b", char::from_u32(code).unwrap());
            let error = text.parse::<InstanceName>().unwrap_err();
            assert!(
                error.to_string().contains(&format!("U+{code:04X}")),
                "{error}"
            );
            // What was received is taken as it is, but not given on.
            assert!(
                InstanceName::from_bytes(text.as_bytes())
                    .unwrap()
                    .check_publishable()
                    .is_err()
            );
        }
    }

    #[test]
    fn a_byte_order_mark_is_refused() {
        // 5198-2-4, ruling 35
        assert!(matches!(
            "\u{feff}x".parse::<InstanceName>(),
            Err(InstanceNameError::ByteOrderMark { .. })
        ));
        assert_eq!(InstanceName::truncated("\u{feff}x").as_bytes(), b"x");
    }

    #[test]
    fn what_we_name_is_composed() {
        // 5198-2-3, 6762-16-1, 6762-F-2, 6763-4.1.1-8
        assert_eq!(name("Caf\u{65}\u{301}").as_bytes(), "Caf\u{e9}".as_bytes());
        // 31 characters of 2 bytes each are 62 bytes once composed, though 93 as they came.
        assert_eq!(name(&"e\u{301}".repeat(31)).as_bytes().len(), 62);
    }

    #[test]
    fn what_we_receive_is_kept_byte_for_byte() {
        // 5198-2-1, ruling 35
        let decomposed = InstanceName::from_bytes("e\u{301}".as_bytes()).unwrap();
        assert_ne!(decomposed, name("\u{e9}"));
        let broken = InstanceName::from_bytes(b"\xffx").unwrap();
        assert_eq!(
            (broken.as_str(), broken.to_string().as_str()),
            (None, "\u{fffd}x")
        );
    }

    #[test]
    fn names_have_63_bytes_at_most() {
        // 6763-4.1.1-9, 6763-7.2-3
        assert!("x".repeat(63).parse::<InstanceName>().is_ok());
        assert!("漢".repeat(21).parse::<InstanceName>().is_ok());
        for long in ["x".repeat(64), "漢".repeat(22), "x".repeat(100_000)] {
            let error = long.parse::<InstanceName>().unwrap_err();
            assert!(matches!(error, InstanceNameError::TooLong { len, .. } if len == long.len()));
        }
        assert_eq!("".parse::<InstanceName>(), Err(InstanceNameError::Empty));
    }

    #[test]
    fn a_taken_name_gets_a_number_that_counts_up() {
        // 6763-D-1
        for (text, next) in [
            ("Printer", "Printer (2)"),
            ("Printer (2)", "Printer (3)"),
            ("Printer (9)", "Printer (10)"),
            ("Printer (1)", "Printer (1) (2)"),
            ("Printer (007)", "Printer (007) (2)"),
            ("Printer (x)", "Printer (x) (2)"),
            (" (2)", " (2) (2)"),
            ("P (4294967295)", "P (4294967295) (2)"),
        ] {
            assert_eq!(name(text).next().to_string(), next);
        }
    }

    #[test]
    fn renaming_keeps_63_bytes_and_whole_characters() {
        let long = name(&"漢".repeat(21));
        let next = long.next();
        assert_eq!(next.to_string(), format!("{} (2)", "漢".repeat(19)));
        let mut name = name(&"x".repeat(63));
        for number in 2..120 {
            name = name.next();
            assert!(
                name.as_bytes().len() <= 63 && name.to_string().ends_with(&format!(" ({number})"))
            );
        }
    }

    #[test]
    fn a_host_gets_a_number_that_counts_up() {
        for (label, next) in [
            ("tabasco", "tabasco-2"),
            ("tabasco-2", "tabasco-3"),
            ("tabasco-1", "tabasco-1-2"),
            ("rack-7-9", "rack-7-10"),
            ("-2", "-2-2"),
        ] {
            assert_eq!(next_host_label(label), next);
        }
        assert_eq!(next_host_label(&"ü".repeat(32)).len(), 62);
    }

    #[test]
    fn truncated_always_gives_a_name() {
        assert_eq!(InstanceName::truncated("").to_string(), "Unnamed");
        assert_eq!(InstanceName::truncated("\u{7}").to_string(), "Unnamed");
        assert_eq!(
            InstanceName::truncated(&"漢".repeat(40)).to_string(),
            "漢".repeat(21)
        );
    }
}
