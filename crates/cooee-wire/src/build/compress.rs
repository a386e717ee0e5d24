use crate::name::Labels;
use crate::parse::pointer;

/// How many suffixes are remembered. What comes later is still compressed against these.
///
/// Each takes a label of at least two octets, and a record or question around it: a datagram of an Ethernet's size
/// holds about as many, and real ones a third of them.
const CAPACITY: usize = 128;

/// Where the names written so far have their labels: each is the start of a suffix to point to.
///
/// A linear table of offsets, with two octets of each first label beside them. To find a suffix is to look
/// through those, and to compare in the message itself what agrees: no hash, no copy, no allocation.
#[derive(Clone)]
pub(super) struct Suffixes {
    tags: [Tag; CAPACITY],
    offsets: [u16; CAPACITY],
    len: usize,
    /// How many labels may still be compared. Names chosen to be alike up to their ends would take long.
    effort: u32,
}

/// A state of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) len: usize,
    effort: u32,
}

/// Labels compared for one message at most; thousands of ordinary names take fewer.
const EFFORT: u32 = 65_536;

/// The length of a label, and its first and last octet mixed.
type Tag = u16;

impl Suffixes {
    pub(super) fn new() -> Self {
        Self {
            tags: [0; CAPACITY],
            offsets: [0; CAPACITY],
            len: 0,
            effort: EFFORT,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many labels may still be compared.
    #[cfg(test)]
    pub(super) fn effort(&self) -> u32 {
        self.effort
    }

    /// The present state, to go back to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            len: self.len,
            effort: self.effort,
        }
    }

    pub(super) fn rewind(&mut self, mark: Mark) {
        self.len = self.len.min(mark.len);
        self.effort = mark.effort;
    }

    /// Remembers that a suffix starting with this label is about to be written at `offset`.
    #[inline]
    pub(super) fn add(&mut self, offset: usize, label: &[u8]) {
        // RFC 1035 §4.1.4 (1035-4.1.4-3): a pointer has 14 bits.
        if offset >= 0x4000 {
            return;
        }
        if let (Some(to), Some(tags)) =
            (self.offsets.get_mut(self.len), self.tags.get_mut(self.len))
        {
            *to = offset as u16;
            *tags = tag(label);
            self.len += 1;
        }
    }

    /// Where in `message` the same labels were written as are still to come here.
    #[inline]
    pub(super) fn find(&mut self, message: &[u8], labels: &Labels<'_>) -> Option<u16> {
        let mut rest = labels.clone();
        let first = rest.next()?;
        let wanted = tag(first);
        let (tags, offsets) = (self.tags.get(..self.len)?, self.offsets.get(..self.len)?);
        let known = tags.iter().zip(offsets);
        known
            .filter(|(tag, _)| **tag == wanted)
            .map(|(_, offset)| *offset)
            .find(|offset| {
                same(
                    message,
                    usize::from(*offset),
                    first,
                    rest.clone(),
                    &mut self.effort,
                )
            })
    }
}

#[inline]
fn tag(label: &[u8]) -> Tag {
    let (first, last) = (
        label.first().copied().unwrap_or(0),
        label.last().copied().unwrap_or(0),
    );
    u16::from_be_bytes([label.len() as u8, first ^ last.rotate_left(3)])
}

/// Whether `first` and the labels behind it stand at `offset` of the message, octet for octet.
///
/// What stands there was written here: labels, and pointers that lead strictly backwards.
#[inline]
fn same(
    message: &[u8],
    offset: usize,
    first: &[u8],
    mut rest: Labels<'_>,
    effort: &mut u32,
) -> bool {
    let mut written = message.get(offset..).unwrap_or_default();
    let mut label = Some(first);
    loop {
        match (written, label) {
            (&[high @ 0xC0..=0xFF, low, ..], _) => {
                written = message.get(pointer(high, low)..).unwrap_or_default();
            }
            ([len, tail @ ..], Some(wanted)) if usize::from(*len) == wanted.len() => {
                let (Some(tail), Some(left)) = (tail.strip_prefix(wanted), effort.checked_sub(1))
                else {
                    return false;
                };
                (written, *effort) = (tail, left);
                label = match rest.step() {
                    Ok(label) => label,
                    Err(_) => return false,
                };
            }
            ([0, ..], None) => return true,
            _ => return false,
        }
    }
}
