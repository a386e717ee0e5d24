//! A packet under judgement: everything about it that can be said without the packets before it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use cooee::wire::{NameBuf, RecordBuf, RecordType};

use super::decoded::Decoded;
use super::hosts::Host;
use super::packet::Packet;

/// A packet, what it says, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Counts packets, from 1.
    pub(crate) number: u64,
    /// When, since the start; never before the one that came before.
    pub(crate) now: Duration,
    /// The packet.
    pub(crate) packet: &'a Packet,
    /// What it says.
    pub(crate) decoded: &'a Decoded,
    /// Who sent it: both families of one machine are one host, once that is known.
    pub(crate) host: Host,
    /// The same payload came just before in the other family.
    pub(crate) is_twin: bool,
    /// Makes digests that no stranger can foresee.
    pub(crate) hasher: &'a RandomState,
}

/// Stands for something that a stranger may make as large as he likes: only this is kept.
pub(crate) type Digest = u64;

/// What a question or a set of records is about, on one link.
pub(crate) type Key = (u32, NameBuf, RecordType);

impl Seen<'_> {
    /// The key of a name and type on this packet's link.
    pub(crate) fn key(&self, name: &NameBuf, kind: RecordType) -> Key {
        (self.packet.link(), name.clone(), kind)
    }

    /// Stands for a record on this packet's link: its name and data.
    pub(crate) fn record(&self, record: &RecordBuf) -> Digest {
        self.digest(&(self.packet.link(), &record.name, &record.rdata))
    }

    /// Stands for anything.
    pub(crate) fn digest(&self, what: &impl Hash) -> Digest {
        self.hasher.hash_one(what)
    }

    /// How long ago something was.
    pub(crate) fn since(&self, then: Duration) -> Duration {
        self.now.saturating_sub(then)
    }
}
