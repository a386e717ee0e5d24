use core::fmt;
use core::hash::{Hash, Hasher};

use crate::parse::{Stopped, character_string};

/// Character-strings: in DNS-SD the attributes of a service, one each. RFC 1035 §3.3.14, RFC 6763 §6.
///
/// There is at least one, perhaps empty. Data of length 0, which many send and the RFC forbids to send, is taken as
/// one empty string (RFC 6763 §6.1): [`strings`](Self::strings), equality and hash do not tell it from that.
// RFC 6763 §6.1 (6763-6.1-7), ruling 29
#[derive(Clone, Copy)]
pub struct Txt<'m> {
    octets: &'m [u8],
}

impl<'m> Txt<'m> {
    #[inline]
    pub(super) fn parse(octets: &'m [u8]) -> Result<Self, Stopped> {
        let mut rest = octets;
        while !rest.is_empty() {
            (rest, _) = character_string(rest)?;
        }
        Ok(Self { octets })
    }

    /// The strings, in their order.
    #[inline]
    pub fn strings(&self) -> CharacterStrings<'m> {
        CharacterStrings {
            rest: normal(self.octets),
        }
    }

    /// The data as it stands: each string behind its length.
    pub fn octets(&self) -> &'m [u8] {
        self.octets
    }
}

/// TXT data by what it says: of no octets it is one empty string.
#[inline]
pub(super) fn normal(octets: &[u8]) -> &[u8] {
    if octets.is_empty() { &[0] } else { octets }
}

impl PartialEq for Txt<'_> {
    fn eq(&self, other: &Self) -> bool {
        normal(self.octets) == normal(other.octets)
    }
}

impl Eq for Txt<'_> {}

impl Hash for Txt<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        normal(self.octets).hash(state);
    }
}

impl fmt::Debug for Txt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.strings().map(<[u8]>::escape_ascii).map(Quoted))
            .finish()
    }
}

struct Quoted<'m>(core::slice::EscapeAscii<'m>);

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// The strings of a [`Txt`], each of 0 to 255 octets.
#[derive(Clone, Debug)]
pub struct CharacterStrings<'m> {
    rest: &'m [u8],
}

impl<'m> Iterator for CharacterStrings<'m> {
    type Item = &'m [u8];

    #[inline]
    fn next(&mut self) -> Option<&'m [u8]> {
        let (len, rest) = self.rest.split_first()?;
        let (string, rest) = rest.split_at_checked(usize::from(*len))?;
        self.rest = rest;
        Some(string)
    }
}

impl core::iter::FusedIterator for CharacterStrings<'_> {}
