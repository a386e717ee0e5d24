//! Hashes of names and records, keyed so that strangers cannot choose names that collide (ruling 37).

use core::hash::{Hash, Hasher};

use cooee_wire::{Class, Name, Rdata, RecordType};
use siphasher::sip::SipHasher13;

use super::rng::Rng;

/// The keys of one engine's tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys(u64, u64);

impl Keys {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self(rng.next(), rng.next())
    }

    /// The hash of a name; case does not matter.
    pub(super) fn name(&self, name: Name<'_>) -> u64 {
        let mut folded = [0; 256];
        let mut length = 0;
        for label in name.labels() {
            let end = length + 1 + label.len();
            let Some([first, octets @ ..]) = folded.get_mut(length..end) else {
                break;
            };
            *first = label.len() as u8;
            octets.copy_from_slice(label);
            length = end;
        }
        // Lengths are below the letters.
        let folded = folded.get_mut(..length).unwrap_or_default();
        folded.make_ascii_lowercase();
        self.payload(folded)
    }

    /// The hash of a name, type and class, made from the name's.
    pub(super) fn rrset(&self, name: u64, kind: RecordType, class: Class) -> u64 {
        mix(name, u64::from(kind.get()) << 16 | u64::from(class.get()))
    }

    /// The hash of a whole record, made from its RRset's.
    pub(super) fn record(&self, rrset: u64, rdata: Rdata<'_>) -> u64 {
        mix(rrset, self.of(&rdata))
    }

    /// The hash of a payload.
    pub(super) fn payload(&self, octets: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.0, self.1).hash(octets)
    }

    /// The hash of anything.
    pub(super) fn of(&self, value: &impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// Joins two hashes, of which one at least is keyed.
fn mix(a: u64, b: u64) -> u64 {
    (a ^ b.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9)
}
