//! The data of records: undecoded, decoded, owned.

mod compare;
mod data;
mod display;
mod layout;
mod nsec;
mod opt;
#[cfg(feature = "alloc")]
mod owned;
mod svcb;
mod txt;

pub use data::{Data, Hinfo, Mx, Soa, Srv, Unknown};
pub use nsec::{Nsec, TypeBitmap};
pub use opt::{Opt, OptOption, OptOptions, Owner};
#[cfg(feature = "alloc")]
pub use owned::RdataBuf;
pub use svcb::{SvcParams, Svcb};
pub use txt::{CharacterStrings, Txt};

pub(crate) use layout::{Compressed, Layout, Split};

use crate::parse::located;
use crate::{Field, Malformed, Name, ParseError, RecordType};

/// The data of a record and its type, as a view into a message, not decoded.
///
/// `Eq` and `Hash` are those of the data, not of its octets here: names inside the types that this crate knows
/// compare with their pointers followed and their case folded, everything else octet for octet; TXT data of length
/// 0 is one empty string (RFC 6763 §6.1). They agree with those of `RdataBuf`, and compare with it directly.
#[derive(Clone, Copy)]
pub struct Rdata<'m> {
    message: &'m [u8],
    at: u16,
    len: u16,
    kind: RecordType,
}

impl<'m> Rdata<'m> {
    /// The data at this place of the message.
    #[inline(always)]
    pub(crate) fn within(message: &'m [u8], kind: RecordType, at: usize, len: usize) -> Self {
        debug_assert!(at + len <= message.len() && message.len() <= usize::from(u16::MAX));
        Self {
            message,
            at: at as u16,
            len: len as u16,
            kind,
        }
    }

    /// Data of this type in these octets, where names stand uncompressed.
    ///
    /// This is how to build messages without an allocator. Data of types that this crate does not know may be
    /// anything.
    ///
    /// # Errors
    /// If there are more than 65,535 octets, or they are not what the type asks for, or a name in them has a
    /// compression pointer.
    pub fn from_octets(kind: RecordType, octets: &'m [u8]) -> Result<Self, ParseError> {
        if octets.len() > usize::from(u16::MAX) {
            let error = ParseError::new(octets.len(), Malformed::RdataTooLong);
            return Err(error.within(Field::Data(kind)));
        }
        let rdata = Self {
            message: octets,
            at: 0,
            len: octets.len() as u16,
            kind,
        };
        Layout::of(kind)
            .check_uncompressed(octets)
            .map_err(|error| located(octets.len(), error).within(Field::Data(kind)))?;
        rdata.decode()?;
        Ok(rdata)
    }

    /// The type of the record.
    #[inline]
    pub fn kind(&self) -> RecordType {
        self.kind
    }

    /// Whether there are no octets.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The octets as they stand in the message, names perhaps compressed.
    #[inline(always)]
    pub fn octets(&self) -> &'m [u8] {
        let at = usize::from(self.at);
        self.message
            .get(at..at + usize::from(self.len))
            .unwrap_or_default()
    }

    /// The offset in the message where the octets start.
    pub fn offset(&self) -> usize {
        usize::from(self.at)
    }

    /// The names inside, none for types that this crate does not know.
    ///
    /// # Errors
    /// If the data is not what the type asks for.
    pub(crate) fn names(&self) -> Result<impl Iterator<Item = Name<'m>> + use<'m>, ParseError> {
        Ok(self.split()?.names.into_iter().flatten())
    }

    /// The octets before, in and behind the names.
    #[inline]
    pub(crate) fn split(&self) -> Result<Split<'m>, ParseError> {
        self.split_by(Layout::of(self.kind))
    }

    #[inline(always)]
    pub(crate) fn split_by(&self, layout: Layout) -> Result<Split<'m>, ParseError> {
        let end = self.end();
        layout
            .split(self.message, end, self.octets())
            .map_err(|error| located(end, error).within(Field::Data(self.kind)))
    }

    /// The offset in the message behind the octets.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        usize::from(self.at) + usize::from(self.len)
    }
}
