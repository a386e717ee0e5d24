//! A subtype: one label that narrows a service type.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::label::{self, Label};

/// One label that selects some of the instances of a type: `_universal` of `_ipp._tcp`.
///
/// It may be any 1 to 63 bytes and needs no underscore, though most have one. Case is folded for ASCII letters, also in
/// binary labels. The text form escapes dots, backslashes and what is no text, and reads the same escapes back.
///
/// ```
/// use cooee_sd::Subtype;
///
/// let subtype: Subtype = "_universal".parse()?;
/// assert_eq!(subtype, Subtype::from_bytes(b"_Universal")?);
/// assert_eq!(Subtype::from_bytes(&[0x00, b'.', 0xff])?.to_string(), "\\000\\.\\255");
/// # Ok::<(), cooee_sd::SubtypeError>(())
/// ```
// RFC 6763 §7.1 (6763-7.1-6, 6763-7.1-7, 6763-7.1-8), ruling 35
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subtype(Label);

impl Subtype {
    /// The label with these bytes.
    ///
    /// # Errors
    ///
    /// If there is no byte, or more than 63.
    pub fn from_bytes(octets: &[u8]) -> Result<Self, SubtypeError> {
        Label::new(octets)
            .map(Self)
            .ok_or_else(|| match octets.len() {
                0 => SubtypeError::Empty,
                // RFC 6763 §7.2 (6763-7.2-4)
                len => SubtypeError::TooLong {
                    text: label::escaped(octets),
                    len,
                },
            })
    }

    /// The bytes of the label.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl FromStr for Subtype {
    type Err = SubtypeError;

    fn from_str(text: &str) -> Result<Self, SubtypeError> {
        let segments = label::segments(text);
        if let Some(at) = segments
            .iter()
            .position(|label| label.eq_ignore_ascii_case("_sub"))
            .filter(|at| *at > 0)
        {
            let label = segments
                .get(..at)
                .map(|labels| labels.join("."))
                .unwrap_or_default();
            return Err(SubtypeError::WholeName {
                text: text.to_owned(),
                label,
            });
        }
        let octets = label::unescape(text).map_err(|_| SubtypeError::BadEscape {
            text: text.to_owned(),
        })?;
        Self::from_bytes(&octets)
    }
}

impl TryFrom<&str> for Subtype {
    type Error = SubtypeError;

    fn try_from(text: &str) -> Result<Self, SubtypeError> {
        text.parse()
    }
}

impl TryFrom<String> for Subtype {
    type Error = SubtypeError;

    fn try_from(text: String) -> Result<Self, SubtypeError> {
        text.parse()
    }
}

impl fmt::Display for Subtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Subtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subtype(\"{self}\")")
    }
}

/// Why something is no subtype.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubtypeError {
    /// There is no byte.
    Empty,
    /// There are more than 63 bytes.
    TooLong {
        /// The input.
        text: String,
        /// Its length in bytes.
        len: usize,
    },
    /// The text is a whole name with `_sub` in it.
    WholeName {
        /// The input.
        text: String,
        /// The subtype in it.
        label: String,
    },
    /// A backslash is followed by nothing, or by digits that are no byte.
    BadEscape {
        /// The input.
        text: String,
    },
}

impl fmt::Display for SubtypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a subtype must not be empty"),
            Self::TooLong { text, len } => write!(
                f,
                "the subtype {text:?} has {len} bytes, at most 63 are allowed"
            ),
            Self::WholeName { text, label } => {
                write!(
                    f,
                    "{text:?} is a whole name: give only the subtype, {label:?}"
                )
            }
            Self::BadEscape { text } => write!(
                f,
                "{text:?} has a backslash that escapes nothing: write \"\\\\\" for a backslash, \\DDD for a byte"
            ),
        }
    }
}

impl core::error::Error for SubtypeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn a_subtype_needs_no_underscore() {
        // 6763-7.1-6
        assert_eq!("color".parse::<Subtype>().unwrap().as_bytes(), b"color");
    }

    #[test]
    fn a_subtype_may_be_binary_and_folds_ascii_case() {
        // 6763-7.1-7, 6763-7.1-8
        let subtype = Subtype::from_bytes(&[0x00, 0x2e, 0xff]).unwrap();
        assert_eq!(subtype.to_string().parse(), Ok(subtype));
        assert_eq!(
            Subtype::from_bytes(&[0x41, 0xff]),
            Subtype::from_bytes(&[0x61, 0xff])
        );
    }

    #[test]
    fn a_subtype_has_1_to_63_bytes() {
        // 6763-7.2-4
        assert!(Subtype::from_bytes(&[b'x'; 63]).is_ok());
        assert!(matches!(
            Subtype::from_bytes(&[b'x'; 64]),
            Err(SubtypeError::TooLong { len: 64, .. })
        ));
        assert_eq!("".parse::<Subtype>(), Err(SubtypeError::Empty));
    }

    #[test]
    fn a_whole_name_is_answered_with_its_subtype() {
        let error = "_printer._sub._http._tcp".parse::<Subtype>().unwrap_err();
        assert!(error.to_string().ends_with("\"_printer\""), "{error}");
    }
}
