//! Names as text: the only place that knows of escapes.

use core::fmt::{self, Write};

use super::Name;
use crate::ParseError;

impl fmt::Display for Name<'_> {
    /// Labels joined by dots, escaped as in master files: `\.` and `\\` for those two, `\DDD` for each octet that
    /// is no printable ASCII. No dot behind the last label; `{:#}` adds it. The root is `.`.
    ///
    /// The text of a faulty name ends in `…` where the fault is, which no other name's text does.
    // RFC 1035 §5.1 (1035-5.1-1), RFC 4343 §2.1 (4343-2.1-1, 4343-2.1-2)
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut labels = self.labels();
        let mut first = true;
        loop {
            match labels.step() {
                Ok(Some(label)) => {
                    if !first {
                        f.write_char('.')?;
                    }
                    write_label(f, label)?;
                    first = false;
                }
                Ok(None) if first || f.alternate() => return f.write_char('.'),
                Ok(None) => return Ok(()),
                Err(_) => return f.write_char('…'),
            }
        }
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Writes one label with its escapes.
fn write_label(f: &mut fmt::Formatter<'_>, label: &[u8]) -> fmt::Result {
    for &octet in label {
        match octet {
            b'.' | b'\\' => {
                f.write_char('\\')?;
                f.write_char(char::from(octet))?;
            }
            0x21..=0x7E => f.write_char(char::from(octet))?,
            _ => write!(f, "\\{octet:03}")?,
        }
    }
    Ok(())
}

/// Why something is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty; the root is `.`.
    EmptyText,
    /// A label is empty.
    EmptyLabel,
    /// A label has more than 63 octets.
    LabelTooLong,
    /// The name has more than 255 octets before its final zero.
    NameTooLong,
    /// A backslash stands before nothing, or before a number that is not three digits up to 255.
    BadEscape,
    /// A name taken from a message was faulty.
    Malformed(ParseError),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyText => f.write_str("name is empty"),
            Self::EmptyLabel => f.write_str("name has an empty label"),
            Self::LabelTooLong => f.write_str("label is longer than 63 octets"),
            Self::NameTooLong => f.write_str("name is longer than 255 octets"),
            Self::BadEscape => f.write_str(
                "backslash is followed by neither a character nor three digits up to 255",
            ),
            Self::Malformed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(feature = "alloc")]
pub(super) mod parse {
    use super::NameError;
    use crate::name::owned::Octets;

    /// Reads labels joined by dots, with escapes, a dot at the end or not.
    pub(crate) fn name(text: &str) -> Result<Octets, NameError> {
        let mut name = Octets::new();
        match text {
            "" => return Err(NameError::EmptyText),
            "." => return Ok(name),
            _ => {}
        }
        let mut label = [0; 63];
        let mut len = 0;
        let mut rest = text.as_bytes();
        while let [octet, tail @ ..] = rest {
            rest = tail;
            let octet = match octet {
                b'.' => {
                    name.push(label.get(..len).unwrap_or_default())?;
                    len = 0;
                    continue;
                }
                b'\\' => {
                    let (octet, tail) = escaped(tail)?;
                    rest = tail;
                    octet
                }
                octet => *octet,
            };
            *label.get_mut(len).ok_or(NameError::LabelTooLong)? = octet;
            len += 1;
        }
        if len > 0 {
            name.push(label.get(..len).unwrap_or_default())?;
        }
        Ok(name)
    }

    /// What stands behind a backslash: three digits, or one octet that is no digit.
    // RFC 4343 §2.1 (4343-2.1-2)
    fn escaped(text: &[u8]) -> Result<(u8, &[u8]), NameError> {
        match text {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let number = [a, b, c]
                    .into_iter()
                    .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
                Ok((
                    u8::try_from(number).map_err(|_| NameError::BadEscape)?,
                    rest,
                ))
            }
            [b'0'..=b'9', ..] | [] => Err(NameError::BadEscape),
            [octet, rest @ ..] => Ok((*octet, rest)),
        }
    }
}
