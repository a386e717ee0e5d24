use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::{Labels, Name, NameError, text};
use crate::ParseError;
use crate::storage::Storage;

/// A name that owns its octets: uncompressed, checked, up to 46 of them without an allocation.
///
/// ```
/// use cooee_wire::NameBuf;
///
/// let name: NameBuf = r"Keith\.s printer._ipp._tcp.local".parse()?;
/// assert_eq!(name.labels().next(), Some(&b"Keith.s printer"[..]));
/// assert_eq!(name.to_string(), r"Keith\.s\032printer._ipp._tcp.local");
/// assert_eq!(name, NameBuf::try_from("KEITH\\.S PRINTER._ipp._tcp.local.")?);
/// # Ok::<(), cooee_wire::NameError>(())
/// ```
#[derive(Clone)]
pub struct NameBuf(Storage<46>);

impl NameBuf {
    /// The root, a name without labels.
    pub fn root() -> Self {
        Self(Storage::new(&[0]))
    }

    /// The name of these labels, of any octets, first to last.
    ///
    /// # Errors
    /// If a label is empty or longer than 63 octets, or the name longer than 255.
    pub fn from_labels<I>(labels: I) -> Result<Self, NameError>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut octets = Octets::new();
        for label in labels {
            octets.push(label.as_ref())?;
        }
        Ok(octets.finish())
    }

    /// This name as a view.
    #[inline]
    pub fn as_name(&self) -> Name<'_> {
        Name {
            message: self.as_octets(),
            at: 0,
        }
    }

    /// The octets as they stand uncompressed in a message, with the final zero.
    #[inline]
    pub fn as_octets(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The labels, first to last, without the empty one of the root.
    #[inline]
    pub fn labels(&self) -> Labels<'_> {
        self.as_name().labels()
    }

    /// Whether this is the root, the name without labels.
    pub fn is_root(&self) -> bool {
        self.as_octets() == [0]
    }

    /// How many octets the name takes uncompressed, with the final zero: 1 to 256.
    pub fn wire_len(&self) -> usize {
        self.as_octets().len()
    }

    /// The name without its first label; `None` for the root.
    pub fn parent(&self) -> Option<Name<'_>> {
        self.as_name().parent()
    }

    /// Whether the last labels of this name are those of `suffix`.
    pub fn ends_with(&self, suffix: Name<'_>) -> bool {
        self.as_name().ends_with(suffix)
    }

    /// This name with one more label before it.
    ///
    /// # Errors
    /// If the label is empty or longer than 63 octets, or the name would be longer than 255.
    pub fn prepend(&self, label: &[u8]) -> Result<Self, NameError> {
        Self::from_labels(core::iter::once(label).chain(self.labels()))
    }

    /// This name with the labels of another behind it.
    ///
    /// # Errors
    /// If the name would be longer than 255 octets, or the other one is faulty.
    pub fn append(&self, suffix: Name<'_>) -> Result<Self, NameError> {
        suffix.check().map_err(NameError::Malformed)?;
        Self::from_labels(self.labels().chain(suffix.labels()))
    }
}

impl Name<'_> {
    /// A copy that owns its octets.
    ///
    /// # Errors
    /// If the name is faulty.
    pub fn to_owned(&self) -> Result<NameBuf, ParseError> {
        let mut octets = Octets::new();
        let mut labels = self.labels();
        while let Some(label) = labels.step()? {
            if octets.push(label).is_err() {
                break;
            }
        }
        Ok(octets.finish())
    }
}

impl FromStr for NameBuf {
    type Err = NameError;

    /// Reads labels joined by dots, with a dot at the end or without. `\DDD` is the octet of that decimal number,
    /// a backslash before anything but a digit takes that as it is. Everything else stands for its UTF-8 octets.
    fn from_str(text: &str) -> Result<Self, NameError> {
        text::parse::name(text).map(|octets| octets.finish())
    }
}

impl TryFrom<&str> for NameBuf {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for NameBuf {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<Name<'_>> for NameBuf {
    type Error = ParseError;

    fn try_from(name: Name<'_>) -> Result<Self, ParseError> {
        name.to_owned()
    }
}

impl fmt::Display for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_name().fmt(f)
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_name(), f)
    }
}

/// A name in the making.
pub(crate) struct Octets {
    /// All labels so far. The octet behind them is zero.
    octets: [u8; Name::MAX_LENGTH + 1],
    len: usize,
}

impl Octets {
    pub(crate) fn new() -> Self {
        Self {
            octets: [0; Name::MAX_LENGTH + 1],
            len: 0,
        }
    }

    pub(crate) fn push(&mut self, label: &[u8]) -> Result<(), NameError> {
        let length = match label.len() {
            // RFC 6762 Appendix C (6762-C-2)
            0 => return Err(NameError::EmptyLabel),
            64.. => return Err(NameError::LabelTooLong),
            length => length as u8,
        };
        let end = self.len + 1 + label.len();
        // RFC 6762 Appendix C (6762-C-1)
        let room = self
            .octets
            .get_mut(self.len..end)
            .filter(|_| end <= Name::MAX_LENGTH);
        let Some([first, rest @ ..]) = room else {
            return Err(NameError::NameTooLong);
        };
        *first = length;
        rest.copy_from_slice(label);
        self.len = end;
        Ok(())
    }

    pub(crate) fn finish(&self) -> NameBuf {
        NameBuf(Storage::new(self.octets.get(..=self.len).unwrap_or(&[0])))
    }
}
