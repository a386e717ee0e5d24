use core::fmt;

use crate::parse::{Stopped, stop};
use crate::{Malformed, Name, RecordType};

/// What exists at a name, and thereby what does not. RFC 4034 §4, and RFC 6762 §6.1 for its use here.
///
/// In multicast DNS the next name is the record's own, and the bitmap lists the types that the name has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Nsec<'m> {
    /// The next name of the zone; in multicast DNS the owner itself.
    pub next: Name<'m>,
    /// The types that exist.
    pub types: TypeBitmap<'m>,
}

impl<'m> Nsec<'m> {
    #[inline]
    pub(super) fn new(next: Name<'m>, bitmap: &'m [u8]) -> Result<Self, Stopped> {
        Ok(Self {
            next,
            types: TypeBitmap::parse(bitmap)?,
        })
    }

    /// The types that exist, in the order of the bitmap.
    pub fn types(&self) -> impl Iterator<Item = RecordType> + use<'m> {
        self.types.iter()
    }

    /// Whether this type exists.
    pub fn contains(&self, kind: RecordType) -> bool {
        self.types.contains(kind)
    }
}

/// A set of types, as blocks of bits.
///
/// ```text
/// window   8 bits: the upper half of the type numbers in this block
/// length   1 to 32
/// bitmap   so many octets; bit 0 is the most significant of the first
/// ```
///
/// RFC 4034 §4.1.2. Blocks may come in any order here; their own RFC wants them ascending.
// RFC 4034 §4.1.2 (4034-4.1.2-1, -2, -3, -8)
#[derive(Clone, Copy)]
pub struct TypeBitmap<'m> {
    octets: &'m [u8],
}

impl<'m> TypeBitmap<'m> {
    fn parse(octets: &'m [u8]) -> Result<Self, Stopped> {
        let mut rest = octets;
        loop {
            rest = match rest {
                [] => return Ok(Self { octets }),
                [_, len @ 1..=32, blocks @ ..] => match blocks.get(usize::from(*len)..) {
                    Some(rest) => rest,
                    None => return stop(rest, Malformed::TypeBitmap),
                },
                _ => return stop(rest, Malformed::TypeBitmap),
            };
        }
    }

    /// The types of the set, without those that no record in a zone can have.
    pub fn iter(&self) -> impl Iterator<Item = RecordType> + use<'m> {
        self.blocks()
            .flat_map(|(window, bitmap)| {
                bitmap.iter().zip(0u16..).flat_map(move |(octet, index)| {
                    let first = u16::from(window) << 8 | index << 3;
                    (0..8u16)
                        .filter(move |bit| octet & (0x80 >> bit) != 0)
                        .map(move |bit| RecordType::new(first | bit))
                })
            })
            // RFC 4034 §4.1.2 (4034-4.1.2-5)
            .filter(|kind| !kind.is_pseudo())
    }

    /// Whether the set has this type.
    pub fn contains(&self, kind: RecordType) -> bool {
        let [window, low] = kind.get().to_be_bytes();
        !kind.is_pseudo()
            && self.blocks().any(|(block, bitmap)| {
                let octet = bitmap.get(usize::from(low >> 3)).copied().unwrap_or(0);
                block == window && octet & (0x80 >> (low & 7)) != 0
            })
    }

    /// The blocks as they stand.
    pub fn octets(&self) -> &'m [u8] {
        self.octets
    }

    fn blocks(&self) -> impl Iterator<Item = (u8, &'m [u8])> + use<'m> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            let ([window, len], blocks) = rest.split_first_chunk()?;
            let (bitmap, blocks) = blocks.split_at_checked(usize::from(*len))?;
            rest = blocks;
            Some((*window, bitmap))
        })
    }
}

impl fmt::Debug for TypeBitmap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Appends the bitmap of some types.
#[cfg(feature = "alloc")]
pub(super) fn write_bitmap(
    kinds: &alloc::collections::BTreeSet<RecordType>,
    octets: &mut alloc::vec::Vec<u8>,
) {
    let mut block: Option<(u8, [u8; 32], usize)> = None;
    // RFC 4034 §4.1.2 (4034-4.1.2-4): pseudo-types have no bit.
    for kind in kinds.iter().filter(|kind| !kind.is_pseudo()) {
        let [window, low] = kind.get().to_be_bytes();
        if block.is_some_and(|(open, ..)| open != window) {
            flush(block.take(), octets);
        }
        let (_, bitmap, len) = block.get_or_insert((window, [0; 32], 0));
        if let Some(octet) = bitmap.get_mut(usize::from(low >> 3)) {
            *octet |= 0x80 >> (low & 7);
        }
        // Types come in ascending order: the last one ends the block. (4034-4.1.2-6, -7)
        *len = usize::from(low >> 3) + 1;
    }
    flush(block, octets);

    fn flush(block: Option<(u8, [u8; 32], usize)>, octets: &mut alloc::vec::Vec<u8>) {
        if let Some((window, bitmap, len)) = block {
            octets.extend([window, len as u8]);
            octets.extend_from_slice(bitmap.get(..len).unwrap_or_default());
        }
    }
}
