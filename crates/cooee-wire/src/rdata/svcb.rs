use crate::parse::{Stopped, array, stop, uncompressed_name};
use crate::{Malformed, Name};

/// How to reach a service. RFC 9460 §2.2.
///
/// ```text
/// priority   16 bits; 0 makes it an alias
/// target     a name, never compressed
/// params     keys of 16 bits in ascending order, a length of 16 bits, a value
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Svcb<'m> {
    /// The lowest is tried first; 0 means that the target is an alias.
    pub priority: u16,
    /// The alternative host; the root stands for the owner itself, or for "not available" in an alias.
    pub target: Name<'m>,
    /// The parameters.
    pub params: SvcParams<'m>,
}

impl<'m> Svcb<'m> {
    pub(super) fn parse(octets: &'m [u8]) -> Result<Self, Stopped> {
        let (named, priority) = array(Malformed::RdataTooShort)(octets)?;
        let (rest, ()) = uncompressed_name(named)?;
        let mut params = SvcParams { rest };
        let mut last = None;
        while !params.rest.is_empty() {
            let before = params.rest;
            match params.next() {
                Some((key, _)) if last < Some(key) => last = Some(key),
                _ => return stop(before, Malformed::SvcParam),
            }
        }
        Ok(Self {
            priority: u16::from_be_bytes(*priority),
            target: Name::at(octets, octets.len() - named.len()),
            params: SvcParams { rest },
        })
    }
}

/// The parameters of a [`Svcb`], by key in ascending order.
#[derive(Clone, Copy, Debug)]
pub struct SvcParams<'m> {
    rest: &'m [u8],
}

impl<'m> Iterator for SvcParams<'m> {
    type Item = (u16, &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[k0, k1, n0, n1], rest) = self.rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([n0, n1])))?;
        self.rest = rest;
        Some((u16::from_be_bytes([k0, k1]), value))
    }
}

impl core::iter::FusedIterator for SvcParams<'_> {}
