use core::fmt;

use crate::parse::{Stopped, stop};
use crate::{Malformed, Name};

/// How to reach a service. RFC 9460 §2.2.
///
/// ```text
/// priority   16 bits; 0 makes it an alias
/// target     a name, never compressed
/// params     keys of 16 bits in ascending order, a length of 16 bits, a value
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    pub(super) fn new(priority: u16, target: Name<'m>, octets: &'m [u8]) -> Result<Self, Stopped> {
        let mut params = SvcParams { rest: octets };
        let mut last = None;
        while !params.rest.is_empty() {
            let before = params.rest;
            match params.next() {
                Some((key, _)) if last < Some(key) => last = Some(key),
                _ => return stop(before, Malformed::SvcParam),
            }
        }
        Ok(Self {
            priority,
            target,
            params: SvcParams { rest: octets },
        })
    }
}

/// The parameters of a [`Svcb`], by key in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SvcParams<'m> {
    rest: &'m [u8],
}

impl SvcParams<'_> {
    /// The key of the parameter that lists the keys a client must know to use the record. RFC 9460 §8.
    pub const MANDATORY: u16 = 0;
}

impl fmt::Debug for SvcParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(*self).finish()
    }
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

/// Appends parameters, in the order of their keys.
#[cfg(feature = "alloc")]
pub(super) fn write_params(
    params: &alloc::collections::BTreeMap<u16, alloc::vec::Vec<u8>>,
    octets: &mut alloc::vec::Vec<u8>,
) -> Result<(), Malformed> {
    // RFC 9460 §8: in ascending order, each once, each there, and not itself.
    if let Some(listed) = params.get(&SvcParams::MANDATORY) {
        let (keys, []) = listed.as_chunks::<2>() else {
            return Err(Malformed::MandatoryParam);
        };
        let keys = || keys.iter().map(|key| u16::from_be_bytes(*key));
        let is_sound = |key| key != SvcParams::MANDATORY && params.contains_key(&key);
        if listed.is_empty() || !keys().all(is_sound) || !keys().is_sorted_by(|a, b| a < b) {
            return Err(Malformed::MandatoryParam);
        }
    }
    for (key, value) in params {
        let len = u16::try_from(value.len()).map_err(|_| Malformed::RdataTooLong)?;
        octets.extend(key.to_be_bytes());
        octets.extend(len.to_be_bytes());
        octets.extend_from_slice(value);
    }
    Ok(())
}
