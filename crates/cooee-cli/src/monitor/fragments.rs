//! IP fragments of a capture, put together again. Strangers cannot make it grow beyond its bound.

use std::net::IpAddr;

use super::bounded::Bounded;

/// Source, destination and number of a packet.
type Key = (IpAddr, IpAddr, u32);

/// The place of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Where it begins.
    pub(super) offset: usize,
    /// It is not the last.
    pub(super) has_more: bool,
}

/// Packets that are not whole yet.
#[derive(Debug)]
pub(super) struct Fragments {
    pending: Bounded<Key, Vec<(Fragment, Vec<u8>)>>,
}

const MOST: usize = 64;
/// More parts than the largest packet has on a small link.
const MOST_PARTS: usize = 64;
/// The largest IP packet.
const LARGEST: usize = 65_535;

impl Fragments {
    pub(super) fn new() -> Self {
        Self {
            pending: Bounded::new(MOST),
        }
    }

    /// Adds a part; gives the whole if that was the last to come.
    pub(super) fn add(&mut self, key: Key, part: Fragment, octets: &[u8]) -> Option<Vec<u8>> {
        if part.offset + octets.len() > LARGEST {
            return None;
        }
        let parts = self.pending.entry(key, Vec::new);
        let is_known = parts.iter().any(|(known, _)| known.offset == part.offset);
        if is_known || parts.len() >= MOST_PARTS {
            return None;
        }
        parts.push((part, octets.to_vec()));
        parts.sort_unstable_by_key(|(part, _)| part.offset);
        let whole = whole(parts)?;
        self.pending.remove(&key);
        Some(whole)
    }
}

fn whole(parts: &[(Fragment, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    for (part, octets) in parts {
        if part.offset != whole.len() {
            return None;
        }
        whole.extend_from_slice(octets);
        if !part.has_more {
            return Some(whole);
        }
    }
    None
}
