//! The library part: packets in, tagged packets and findings out. It does no I/O and reads no clock.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use super::decoded::Decoded;
use super::history::History;
use super::lint::{Finding, Lint};
use super::packet::Packet;
use super::seen::Seen;
use super::tags::{self, Tag};
use crate::clock::Moment;

/// Looks at packets, one after the other.
#[derive(Debug)]
pub(crate) struct Inspector {
    history: History,
    lint: Option<Lint>,
    hasher: RandomState,
    count: u64,
    now: Duration,
}

/// A packet that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Inspected {
    /// Counts packets, from 1.
    pub(crate) number: u64,
    /// The packet.
    pub(crate) packet: Packet,
    /// What it says.
    pub(crate) decoded: Decoded,
    /// What it is.
    pub(crate) tags: Vec<Tag>,
    /// What is wrong with it, or came to light with it: each once for a host and a name.
    pub(crate) findings: Vec<Finding>,
}

impl Inspector {
    /// Looks for faults too, if that is wanted.
    pub(crate) fn new(lint: bool) -> Self {
        Self {
            history: History::new(),
            lint: lint.then(Lint::new),
            hasher: RandomState::new(),
            count: 0,
            now: Duration::ZERO,
        }
    }

    /// These are the addresses of this machine from now on.
    pub(crate) fn know_own(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.history.know_own(addresses);
    }

    /// Looks at the next packet.
    pub(crate) fn inspect(&mut self, packet: Packet) -> Inspected {
        self.count += 1;
        // A capture may be out of order; the rules are about time that goes on.
        self.now = self.now.max(packet.moment.since_start);
        let decoded = Decoded::read(&packet.payload);
        let payload = self.hasher.hash_one(&packet.payload);
        let (host, is_twin) = self.history.meet(self.now, &packet, &decoded, payload);
        let seen = Seen {
            number: self.count,
            now: self.now,
            packet: &packet,
            decoded: &decoded,
            host,
            is_twin,
            hasher: &self.hasher,
        };
        let tags = tags::tags(&seen, &self.history);
        let findings = match &mut self.lint {
            Some(lint) => lint.look(&seen, &tags, &self.history),
            None => Vec::new(),
        };
        self.history.learn(&seen);
        Inspected {
            number: self.count,
            packet,
            decoded,
            tags,
            findings,
        }
    }

    /// Time has gone by without a packet: what was due and did not come. Call it every second or so, and at the end.
    pub(crate) fn pass(&mut self, moment: &Moment) -> Vec<Finding> {
        self.now = self.now.max(moment.since_start);
        match &mut self.lint {
            Some(lint) => lint.pass(self.now),
            None => Vec::new(),
        }
    }

    /// What is kept in mind.
    #[cfg(test)]
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// How often each rule was broken, those findings too that were told before.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.lint.as_ref().map(Lint::counts).unwrap_or_default()
    }
}
