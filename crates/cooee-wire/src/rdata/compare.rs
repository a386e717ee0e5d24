//! Data compared and hashed as if its names were uncompressed.

use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

use super::{Rdata, Split, txt};
use crate::{ParseError, RecordType};

impl PartialEq<Rdata<'_>> for Rdata<'_> {
    fn eq(&self, other: &Rdata<'_>) -> bool {
        self.kind == other.kind
            && match (self.meant(), other.meant()) {
                (Ok(ours), Ok(theirs)) => {
                    ours.head == theirs.head
                        && ours.tail == theirs.tail
                        && ours.names == theirs.names
                }
                // What its type cannot explain is compared as it stands.
                (Err(_), Err(_)) => self.octets() == other.octets(),
                _ => false,
            }
    }
}

impl Eq for Rdata<'_> {}

impl Hash for Rdata<'_> {
    /// The type, the octets before the names, the names, the octets behind them.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u16(self.kind.get());
        match self.meant() {
            Ok(Split { head, names, tail }) => {
                state.write(head);
                names
                    .into_iter()
                    .flatten()
                    .for_each(|name| name.hash(state));
                state.write(tail);
            }
            Err(_) => state.write(self.octets()),
        }
    }
}

impl<'m> Rdata<'m> {
    /// The data taken apart, as it is compared and hashed.
    #[inline]
    fn meant(&self) -> Result<Split<'m>, ParseError> {
        let mut split = self.split()?;
        // RFC 6763 §6.1 (6763-6.1-7)
        if self.kind == RecordType::TXT {
            split.tail = txt::normal(split.tail);
        }
        Ok(split)
    }

    /// The order of the tie-break between simultaneous probes: by the octets of the uncompressed data, unsigned,
    /// case not folded, a missing octet first. Compares data only; class and type are compared before.
    ///
    /// Octets and nothing else, as both sides of a tie-break see them: data that is equal may differ here, by the
    /// case of a name, or TXT data of length 0 and of one empty string.
    // RFC 6762 §8.2 (6762-8.2-12, 6762-8.2-13), RFC 4034 §6.3 (4034-6.3-1)
    pub fn canonical_cmp(&self, other: Rdata<'_>) -> Ordering {
        self.uncompressed().cmp(other.uncompressed())
    }

    /// The octets of the data, its names uncompressed.
    pub(crate) fn uncompressed(&self) -> impl Iterator<Item = u8> + Clone + use<'m> {
        let Split { head, names, tail } = self.split().unwrap_or(Split {
            head: self.octets(),
            names: [None, None],
            tail: &[],
        });
        let names = names.into_iter().flatten().flat_map(|name| {
            name.labels()
                .flat_map(|label| core::iter::once(label.len() as u8).chain(label.iter().copied()))
                .chain([0])
        });
        head.iter()
            .copied()
            .chain(names)
            .chain(tail.iter().copied())
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use core::hash::{Hash, Hasher};

    use super::Split;
    use crate::{Rdata, RdataBuf};

    impl PartialEq for RdataBuf {
        fn eq(&self, other: &Self) -> bool {
            self.as_rdata() == other.as_rdata()
        }
    }

    impl Eq for RdataBuf {}

    impl PartialEq<Rdata<'_>> for RdataBuf {
        /// Our names are not compressed, so that data with one name at its end is walked once, and data without names is compared as it stands.
        #[inline]
        fn eq(&self, other: &Rdata<'_>) -> bool {
            if self.kind() != other.kind {
                return false;
            }
            match other.split() {
                Ok(Split {
                    names: [None, None],
                    ..
                }) if self.octets() == other.octets() => true,
                Ok(Split {
                    head,
                    names: [Some(name), None],
                    tail: [],
                }) => {
                    let ours = self.octets().split_at_checked(head.len());
                    ours.is_some_and(|(ours, rest)| ours == head && name.reads(rest))
                }
                _ => self.as_rdata() == *other,
            }
        }
    }

    impl PartialEq<RdataBuf> for Rdata<'_> {
        fn eq(&self, other: &RdataBuf) -> bool {
            other == self
        }
    }

    impl Hash for RdataBuf {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.as_rdata().hash(state);
        }
    }
}
