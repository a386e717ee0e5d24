//! Names compared, ordered and hashed by their labels, ASCII letters folded.

use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

use super::Name;
#[cfg(feature = "alloc")]
use super::NameBuf;

impl PartialEq<Name<'_>> for Name<'_> {
    #[inline]
    fn eq(&self, other: &Name<'_>) -> bool {
        let (mut ours, mut theirs) = (self.labels(), other.labels());
        let one_message = core::ptr::eq(self.message, other.message);
        loop {
            // Names of one message mostly meet where their common suffix was written first.
            if one_message && ours.joins(&theirs) {
                return true;
            }
            match (ours.step(), theirs.step()) {
                (Ok(Some(ours)), Ok(Some(theirs))) if same_label(ours, theirs) => {}
                (Ok(None), Ok(None)) | (Err(_), Err(_)) => return true,
                _ => return false,
            }
        }
    }
}

#[cfg(feature = "alloc")]
impl Name<'_> {
    /// Whether this is the name with these octets, which are a valid one's and uncompressed: walks one name, not two.
    #[inline]
    pub(crate) fn reads(&self, mut octets: &[u8]) -> bool {
        let mut labels = self.labels();
        loop {
            // Mostly they are spelt alike, and the end of the one stands in one piece somewhere in the message of the other.
            if labels.is_followed_by(octets) {
                return true;
            }
            octets = match (labels.step(), octets) {
                (Ok(Some(ours)), [len, rest @ ..]) if ours.len() == usize::from(*len) => {
                    match rest.split_at_checked(ours.len()) {
                        Some((theirs, rest)) if same_label(ours, theirs) => rest,
                        _ => return false,
                    }
                }
                (Ok(None), [0]) => return true,
                _ => return false,
            };
        }
    }
}

/// Whether two labels differ in ASCII case only; mostly they do not even in that. Eight octets at a time.
#[inline]
fn same_label(ours: &[u8], theirs: &[u8]) -> bool {
    let ((ours, our_tail), (theirs, their_tail)) = (ours.as_chunks::<8>(), theirs.as_chunks::<8>());
    ours.len() == theirs.len()
        && core::iter::zip(ours, theirs).all(|(a, b)| a == b || a.eq_ignore_ascii_case(b))
        && our_tail.eq_ignore_ascii_case(their_tail)
}

impl Eq for Name<'_> {}

impl Hash for Name<'_> {
    /// For each label one write of its length and its folded octets, then a zero.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut folded = [0; 64];
        for label in self.labels() {
            let Some(([length], rest)) = folded.split_first_chunk_mut() else {
                return;
            };
            let Some(rest) = rest.get_mut(..label.len()) else {
                return;
            };
            *length = label.len() as u8;
            rest.copy_from_slice(label);
            rest.make_ascii_lowercase();
            state.write(folded.get(..1 + label.len()).unwrap_or_default());
        }
        state.write_u8(0);
    }
}

impl Ord for Name<'_> {
    /// The canonical order: the last labels first, as unsigned octets. Faulty names stand behind all others.
    // RFC 4034 §6.1 (4034-6.1-1)
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.check().is_err(), other.check().is_err());
        ours.cmp(&theirs).then_with(|| {
            let (ours, theirs) = (Starts::of(*self), Starts::of(*other));
            ours.backwards()
                .map(Folded)
                .cmp(theirs.backwards().map(Folded))
        })
    }
}

impl PartialOrd for Name<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where the labels of a name start.
struct Starts<'m> {
    message: &'m [u8],
    starts: [u16; 128],
    count: usize,
}

impl<'m> Starts<'m> {
    fn of(name: Name<'m>) -> Self {
        let mut starts = [0; 128];
        let mut count = 0;
        let mut labels = name.labels();
        for start in &mut starts {
            let Some(label) = labels.next() else { break };
            // The length octet stands right before the label.
            *start = (labels.as_name().offset() - label.len() - 1) as u16;
            count += 1;
        }
        Self {
            message: name.message,
            starts,
            count,
        }
    }

    fn backwards(&self) -> impl Iterator<Item = &'m [u8]> {
        let starts = self.starts.get(..self.count).unwrap_or_default();
        starts.iter().rev().filter_map(|start| {
            Name {
                message: self.message,
                at: *start,
            }
            .labels()
            .next()
        })
    }
}

/// A label that orders by its folded octets.
struct Folded<'m>(&'m [u8]);

impl Folded<'_> {
    fn octets(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(u8::to_ascii_lowercase)
    }
}

impl PartialEq for Folded<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Folded<'_> {}

impl PartialOrd for Folded<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Folded<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.octets().cmp(other.octets())
    }
}

#[cfg(feature = "alloc")]
impl PartialEq for NameBuf {
    fn eq(&self, other: &Self) -> bool {
        // The octets of a valid name have their length octets below the letters: folding the whole is exact.
        self.as_octets().eq_ignore_ascii_case(other.as_octets())
    }
}

#[cfg(feature = "alloc")]
impl Eq for NameBuf {}

#[cfg(feature = "alloc")]
impl PartialEq<Name<'_>> for NameBuf {
    #[inline]
    fn eq(&self, other: &Name<'_>) -> bool {
        other.reads(self.as_octets())
    }
}

#[cfg(feature = "alloc")]
impl PartialEq<NameBuf> for Name<'_> {
    #[inline]
    fn eq(&self, other: &NameBuf) -> bool {
        self.reads(other.as_octets())
    }
}

#[cfg(feature = "alloc")]
impl Hash for NameBuf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_name().hash(state);
    }
}

#[cfg(feature = "alloc")]
impl Ord for NameBuf {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_name().cmp(&other.as_name())
    }
}

#[cfg(feature = "alloc")]
impl PartialOrd for NameBuf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
