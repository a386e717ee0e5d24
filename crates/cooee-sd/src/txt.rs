//! TXT attributes: what a service says about itself beyond host and port.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// The longest string in a TXT record.
// RFC 6763 §6.1 (6763-6.1-4)
const MAX_STRING: usize = 255;

/// The longest TXT data that any DNS message can carry.
// RFC 6763 §6.1 (6763-6.1-1)
const MAX_RDATA: usize = 65_535;

/// The longest TXT data that goes over multicast DNS.
// RFC 6763 §6.1 (6763-6.1-2)
pub(crate) const MAX_MULTICAST: usize = 8900;

/// What the TXT data of a service without attributes looks like: one empty string.
// RFC 6763 §6.1 (6763-6.1-5, 6763-6.1-6)
const NOTHING: &[u8] = &[0];

/// The attributes of a service: `key=value` strings in the order in which they were given or received.
///
/// Looking up a key has four outcomes: absent, present without a value, present with an empty one, present with a value.
/// Keys compare without regard to the case of ASCII letters, and of several equal ones only the first counts. Values are
/// bytes, any of them. Strings that are no attribute (empty, without a key, repeated) are kept and can be seen by
/// [`entries`](Self::entries) and [`strings`](Self::strings), nowhere else.
///
/// A clone is one reference count.
///
/// ```
/// use cooee_sd::{TxtAttributes, TxtValue};
///
/// let mut txt = TxtAttributes::new();
/// txt.set("txtvers", "1")?;
/// txt.set("icon", [0xff, 0x00])?;
/// txt.set("note", "")?;
/// txt.set_flag("Color")?;
///
/// assert_eq!(txt.get_str("TXTVERS"), Some("1"));
/// assert_eq!(txt.get("note"), Some(TxtValue::Bytes(b"")));
/// assert_eq!(txt.get("color"), Some(TxtValue::None));
/// assert_eq!(txt.get("paper"), None);
/// # Ok::<(), cooee_sd::TxtError>(())
/// ```
// RFC 6763 §6.4 (6763-6.4-7, 6763-6.4-10, 6763-6.4-11)
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TxtAttributes {
    /// Strings with their length octets; `None` when there is none but an empty one. So the three ways to say nothing
    /// (no record, no string, one empty string) are one.
    // RFC 6763 §6.1 (6763-6.1-7)
    octets: Option<Arc<[u8]>>,
}

/// What stands after a key: nothing at all, or `=` and any bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6763 §6.4 has no third form")]
pub enum TxtValue<'a> {
    /// The key stands alone, as in `passreq`.
    None,
    /// The bytes after `=`, perhaps none.
    Bytes(&'a [u8]),
}

impl<'a> TxtValue<'a> {
    /// The bytes; those of a missing value are empty.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::None => &[],
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The value as text: `None` if there is no value or it is not UTF-8.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::None => None,
            Self::Bytes(bytes) => core::str::from_utf8(bytes).ok(),
        }
    }
}

/// One string of a TXT record and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TxtEntry<'a> {
    /// The string as it stands, without its length octet.
    pub string: &'a [u8],
    /// Key and value, if there is a key as RFC 6763 §6.4 allows it: printable ASCII without `=`.
    pub attribute: Option<(&'a str, TxtValue<'a>)>,
    /// The string counts for nothing: it has no such key, or an earlier one has the same key.
    pub ignored: bool,
}

impl TxtAttributes {
    /// No attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self { octets: None }
    }

    /// Reads the data of a TXT record: strings with a length octet each.
    ///
    /// # Errors
    ///
    /// [`TxtError::Malformed`] if the last string is longer than the data.
    pub fn from_rdata(octets: &[u8]) -> Result<Self, TxtError> {
        let mut rest = octets;
        while let [len, after @ ..] = rest {
            rest = after.get(usize::from(*len)..).ok_or(TxtError::Malformed {
                at: octets.len() - rest.len(),
            })?;
        }
        Self::from_octets(octets)
    }

    /// Takes strings as they are, attributes or not.
    ///
    /// # Errors
    ///
    /// [`TxtError::TooLong`] for a string of more than 255 bytes, [`TxtError::TooLarge`] for all together.
    pub fn from_strings<S: AsRef<[u8]>>(
        strings: impl IntoIterator<Item = S>,
    ) -> Result<Self, TxtError> {
        let mut octets = Vec::new();
        for string in strings {
            push(&mut octets, string.as_ref())?;
        }
        Self::from_octets(&octets)
    }

    /// Gives a key a value, in its old place if the key is there already, else at the end.
    ///
    /// # Errors
    ///
    /// If the key is empty or holds anything but printable ASCII without `=`; if key and value have more than 254 bytes
    /// together; if all is more than 65,535 bytes.
    pub fn set(&mut self, key: &str, value: impl AsRef<[u8]>) -> Result<(), TxtError> {
        let value = value.as_ref();
        let mut string = Vec::with_capacity(key.len() + 1 + value.len());
        string.extend_from_slice(key.as_bytes());
        string.push(b'=');
        string.extend_from_slice(value);
        self.replace(key, Some(&string)).map(|_| ())
    }

    /// Puts a key without a value, as in `passreq`.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_flag(&mut self, key: &str) -> Result<(), TxtError> {
        self.replace(key, Some(key.as_bytes())).map(|_| ())
    }

    /// Takes a key away, with all its repetitions. Whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.contains(key) && self.replace(key, None).unwrap_or(false)
    }

    /// What the key says; `None` if it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<TxtValue<'_>> {
        // RFC 6763 §6.4 (6763-6.4-10): the first wins.
        self.strings()
            .find_map(|string| split(string).filter(|(found, _)| found.eq_ignore_ascii_case(key)))
            .map(|(_, value)| value)
    }

    /// The value of the key as text: `None` if the key is absent, has no value, or its value is not UTF-8.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The value of the key: `None` if the key is absent or has no value.
    #[must_use]
    pub fn get_bytes(&self, key: &str) -> Option<&[u8]> {
        match self.get(key)? {
            TxtValue::None => None,
            TxtValue::Bytes(bytes) => Some(bytes),
        }
    }

    /// Whether the key is there, with a value or without.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The attributes that count, in their order, keys as they are spelled.
    pub fn iter(&self) -> impl Iterator<Item = (&str, TxtValue<'_>)> {
        self.entries()
            .filter(|entry| !entry.ignored)
            .filter_map(|entry| entry.attribute)
    }

    /// All strings with their meaning, ignored ones too.
    pub fn entries(&self) -> impl Iterator<Item = TxtEntry<'_>> {
        let mut seen = BTreeSet::new();
        self.strings().map(move |string| {
            let attribute = split(string);
            let ignored = match attribute {
                Some((key, _)) => !seen.insert(Folded(key)),
                None => true,
            };
            TxtEntry {
                string,
                attribute,
                ignored,
            }
        })
    }

    /// The strings as received, without their length octets; none if there are no attributes.
    pub fn strings(&self) -> impl Iterator<Item = &[u8]> {
        Strings {
            rest: self.octets.as_deref().unwrap_or_default(),
        }
    }

    /// Whether there is no string at all (or only one empty one).
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.octets.is_none()
    }

    /// The data of the TXT record: never empty, a service without attributes has one zero octet.
    // RFC 6763 §6.1 (6763-6.1-6), §6 (6763-6-1)
    #[must_use]
    pub fn rdata(&self) -> &[u8] {
        self.octets.as_deref().unwrap_or(NOTHING)
    }

    /// How many bytes the data of the TXT record has, at least 1.
    #[must_use]
    pub fn wire_len(&self) -> usize {
        self.rdata().len()
    }

    /// The version of these attributes, from the key `txtvers`. Clients do well to leave alone what they do not know.
    // RFC 6763 §6.7 (6763-6.7-1, 6763-6.7-2)
    #[must_use]
    pub fn txtvers(&self) -> Option<u32> {
        self.get_str("txtvers")
            .filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?
            .parse()
            .ok()
    }

    /// What RFC 6763 would rather have otherwise, though it is allowed. Nothing to say about most services.
    #[must_use]
    pub fn advice(&self) -> Vec<TxtAdvice> {
        let size = match self.wire_len() {
            0..=1300 => None,
            len @ 1301..=MAX_MULTICAST => Some(TxtAdvice::Large { len }),
            len => Some(TxtAdvice::TooLargeForMulticast { len }),
        };
        // RFC 6763 §6.4 (6763-6.4-3)
        let long = self
            .iter()
            .filter(|(key, _)| key.len() > 9)
            .map(|(key, _)| TxtAdvice::LongKey {
                key: key.to_owned(),
            });
        size.into_iter().chain(long).collect()
    }

    /// Where the size stands among the limits of RFC 6763 §6.2.
    #[must_use]
    pub fn size_class(&self) -> TxtSize {
        match self.wire_len() {
            0..=200 => TxtSize::Typical,
            201..=400 => TxtSize::SmallMessage,
            401..=1300 => TxtSize::OnePacket,
            1301..=MAX_MULTICAST => TxtSize::Large,
            _ => TxtSize::TooLargeForMulticast,
        }
    }

    fn replace(&mut self, key: &str, string: Option<&[u8]>) -> Result<bool, TxtError> {
        check_key(key)?;
        let mut string = string;
        let mut found = false;
        let mut octets =
            Vec::with_capacity(self.wire_len() + string.map_or(0, |string| string.len() + 1));
        for old in self.strings() {
            if split(old).is_some_and(|(old, _)| old.eq_ignore_ascii_case(key)) {
                found = true;
                // RFC 6763 §6.4 (6763-6.4-9): no key twice.
                if let Some(string) = string.take() {
                    push(&mut octets, string)?;
                }
            } else {
                push(&mut octets, old)?;
            }
        }
        if let Some(string) = string {
            push(&mut octets, string)?;
        }
        *self = Self::from_octets(&octets)?;
        Ok(found)
    }

    fn from_octets(octets: &[u8]) -> Result<Self, TxtError> {
        if octets.len() > MAX_RDATA {
            return Err(TxtError::TooLarge { len: octets.len() });
        }
        // RFC 6763 §6.1 (6763-6.1-7), ruling 29
        Ok(Self {
            octets: (!octets.is_empty() && octets != NOTHING).then(|| Arc::from(octets)),
        })
    }
}

impl fmt::Debug for TxtAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for string in self.strings() {
            list.entry(&format_args!("\"{}\"", string.escape_ascii()));
        }
        list.finish()
    }
}

struct Strings<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.rest.split_first()?;
        let (string, rest) = rest.split_at_checked(usize::from(*len))?;
        self.rest = rest;
        Some(string)
    }
}

/// Orders keys without regard to case.
struct Folded<'a>(&'a str);

impl Ord for Folded<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let folded = |octet: u8| octet.to_ascii_lowercase();
        self.0.bytes().map(folded).cmp(other.0.bytes().map(folded))
    }
}

impl PartialOrd for Folded<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Folded<'_> {}

/// Key and value of a string, if it has a key.
fn split(string: &[u8]) -> Option<(&str, TxtValue<'_>)> {
    // RFC 6763 §6.3 (6763-6.3-2, 6763-6.3-3): the first "=" ends the key, further ones belong to the value.
    let (key, value) = match string.iter().position(|octet| *octet == b'=') {
        Some(at) => (string.get(..at)?, TxtValue::Bytes(string.get(at + 1..)?)),
        // RFC 6763 §6.4 (6763-6.4-8)
        None => (string, TxtValue::None),
    };
    let key = core::str::from_utf8(key).ok()?;
    // RFC 6763 §6.4 (6763-6.4-2): a string without a key is silently ignored.
    check_key(key).is_ok().then_some((key, value))
}

fn check_key(key: &str) -> Result<(), TxtError> {
    // RFC 6763 §6.4 (6763-6.4-1)
    if key.is_empty() {
        return Err(TxtError::EmptyKey);
    }
    // RFC 6763 §6.4 (6763-6.4-5, 6763-6.4-6)
    match key
        .chars()
        .find(|character| !matches!(character, ' '..='~') || *character == '=')
    {
        Some(character) => Err(TxtError::BadKey {
            key: key.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

fn push(octets: &mut Vec<u8>, string: &[u8]) -> Result<(), TxtError> {
    let too_long = || TxtError::TooLong {
        string: String::from_utf8_lossy(string).into_owned(),
        len: string.len(),
    };
    octets.push(u8::try_from(string.len()).map_err(|_| too_long())?);
    octets.extend_from_slice(string);
    Ok(())
}

/// Where the size of TXT data stands.
// RFC 6763 §6.2 (6763-6.2-1 to 6763-6.2-4), §6.1 (6763-6.1-2)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TxtSize {
    /// Up to 200 bytes, as it should be.
    Typical,
    /// Up to 400 bytes: fits a DNS message of 512 bytes.
    SmallMessage,
    /// Up to 1300 bytes: fits one Ethernet packet.
    OnePacket,
    /// Up to 8900 bytes: not recommended, the packet is fragmented.
    Large,
    /// More than multicast DNS carries.
    TooLargeForMulticast,
}

/// Something about attributes that is allowed, but not recommended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxtAdvice {
    /// More than 1300 bytes.
    Large {
        /// The size of the data.
        len: usize,
    },
    /// More than 8900 bytes: no multicast packet holds it.
    TooLargeForMulticast {
        /// The size of the data.
        len: usize,
    },
    /// A key of more than nine characters.
    LongKey {
        /// The key.
        key: String,
    },
}

impl fmt::Display for TxtAdvice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Large { len } => write!(
                f,
                "the TXT data has {len} bytes: keep it below 1300 so that it fits one packet"
            ),
            Self::TooLargeForMulticast { len } => {
                write!(
                    f,
                    "the TXT data has {len} bytes: multicast DNS carries at most {MAX_MULTICAST}"
                )
            }
            Self::LongKey { key } => write!(
                f,
                "the TXT key {key:?} has {} characters: nine should do",
                key.len()
            ),
        }
    }
}

/// Why an attribute, or a whole TXT record, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxtError {
    /// A key needs at least one character.
    EmptyKey,
    /// A key holds something else than printable ASCII, or `=`.
    BadKey {
        /// The key.
        key: String,
        /// The first such character.
        character: char,
    },
    /// A string (key, `=` and value) has more than 255 bytes.
    TooLong {
        /// The string, with U+FFFD for what is no text.
        string: String,
        /// Its length in bytes.
        len: usize,
    },
    /// All strings together have more than 65,535 bytes, or more than multicast DNS carries.
    TooLarge {
        /// The size of the data.
        len: usize,
    },
    /// A string is longer than the data it stands in.
    Malformed {
        /// The octet that gives the length, counted from 0.
        at: usize,
    },
}

impl fmt::Display for TxtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyKey => f.write_str("a TXT key must not be empty"),
            Self::BadKey { key, character } => write!(
                f,
                "the TXT key {key:?} holds {character:?}: only printable ASCII without \"=\" is allowed"
            ),
            Self::TooLong { string, len } => {
                write!(
                    f,
                    "the TXT string {string:?} has {len} bytes, at most {MAX_STRING} are allowed for \"key=value\""
                )
            }
            Self::TooLarge { len } => {
                write!(
                    f,
                    "the TXT data has {len} bytes, at most {MAX_MULTICAST} go over multicast DNS"
                )
            }
            Self::Malformed { at } => write!(
                f,
                "a TXT string goes beyond the end of its record at octet {at}"
            ),
        }
    }
}

impl core::error::Error for TxtError {}

#[cfg(test)]
mod tests;
