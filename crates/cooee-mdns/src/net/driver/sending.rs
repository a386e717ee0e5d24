//! Datagrams out: paced, pinned to their link, and their fate told to the engine.

use std::io;
use std::net::SocketAddr;

use super::super::driven::Driven;
use super::super::world::World;
use super::super::{PORT, group};
use super::Driver;
use crate::{Destination, Family, Instant, LinkId, Transmit};

/// Multicasts in a row that the system refuses before a link is called unusable.
// ruling 26
const FAILURES_BEFORE_UNUSABLE: u32 = 3;

impl<N: Driven, W: World> Driver<N, W> {
    /// Sends it, or keeps it until its place in the pace comes; then nothing else is composed meanwhile.
    pub(super) fn send_or_hold(&mut self, now: Instant, transmit: Transmit) {
        if matches!(transmit.destination, Destination::Multicast { .. })
            && let Err(until) = self.pacing.admit(now, transmit.link)
        {
            self.stats.paced += 1;
            self.held = Some((transmit, until));
            return;
        }
        self.send(now, transmit);
    }

    /// Sends in each family, now; what becomes of it is told to the engine at once.
    pub(super) fn send(&mut self, now: Instant, transmit: Transmit) {
        let LinkId(index) = transmit.link;
        let is_multicast = matches!(transmit.destination, Destination::Multicast { .. });
        let mut any_left = false;
        let mut refused = None;
        for family in transmit.destination.families() {
            let result = self.send_in(family, transmit);
            let is_sent = result.is_ok();
            tracing::trace!(target: "cooee_mdns", link = index, ?family, destination = ?transmit.destination, octets = self.outbox.len(), is_sent, "out");
            match result {
                Ok(()) => {
                    any_left = true;
                    self.stats.sent_octets += self.outbox.len() as u64;
                    if is_multicast {
                        self.stats.sent_multicast += 1;
                    } else {
                        self.stats.sent_unicast += 1;
                    }
                }
                Err(error) => {
                    tracing::debug!(target: "cooee_mdns", link = index, ?family, %error, "cannot send");
                    self.stats.send_failures += 1;
                    refused = Some(error);
                }
            }
            self.node
                .engine()
                .transmitted(now, transmit.id, family, is_sent);
        }
        // What becomes of a unicast reply says nothing of the link: its address may be a bad one.
        match refused {
            _ if !is_multicast => {}
            Some(error) if !any_left => self.note_failure(now, index, error),
            _ => self.note_success(now, index),
        }
    }

    fn send_in(&mut self, family: Family, transmit: Transmit) -> io::Result<()> {
        let LinkId(index) = transmit.link;
        // It may have gone while the datagram was held back.
        let state = self.in_use.get(&index).ok_or(io::ErrorKind::NotConnected)?;
        let source = state.source.filter(|source| Family::of(*source) == family);
        let destination = match transmit.destination {
            Destination::Multicast { .. } => SocketAddr::new(group(family), PORT),
            Destination::Unicast(to) => to,
        };
        self.world.send(index, source, destination, &self.outbox)
    }

    fn note_success(&mut self, now: Instant, index: u32) {
        if let Some(state) = self.in_use.get_mut(&index)
            && std::mem::take(&mut state.failures) >= FAILURES_BEFORE_UNUSABLE
        {
            self.look_at_interfaces(now);
        }
    }

    fn note_failure(&mut self, now: Instant, index: u32, error: io::Error) {
        let Some(state) = self.in_use.get_mut(&index) else {
            return;
        };
        state.failures = state.failures.saturating_add(1);
        if state.failures == FAILURES_BEFORE_UNUSABLE {
            state.failure = Some(format!("sending fails: {error}"));
            self.look_at_interfaces(now);
            self.tell_failed(now, index, error);
        }
    }
}
