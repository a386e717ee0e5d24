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

    pub(super) fn send(&mut self, now: Instant, transmit: Transmit) {
        let LinkId(index) = transmit.link;
        for family in transmit.destination.families() {
            let result = match self.in_use.get(&index) {
                Some(state) => {
                    let source = state.source.filter(|source| Family::of(*source) == family);
                    let destination = match transmit.destination {
                        Destination::Multicast { .. } => SocketAddr::new(group(family), PORT),
                        Destination::Unicast(to) => to,
                    };
                    self.world.send(index, source, destination, &self.outbox)
                }
                None => Err(io::ErrorKind::NetworkDown.into()),
            };
            let is_sent = result.is_ok();
            tracing::trace!(target: "cooee_mdns", link = index, ?family, destination = ?transmit.destination, octets = self.outbox.len(), is_sent, "out");
            match result {
                Ok(()) => self.note_sent(now, transmit, family),
                Err(error) => self.note_refused(now, transmit, family, error),
            }
            self.node
                .engine()
                .transmitted(now, transmit.id, family, is_sent);
        }
    }

    pub(super) fn note_sent(&mut self, now: Instant, transmit: Transmit, family: Family) {
        self.stats.sent_octets += self.outbox.len() as u64;
        match transmit.destination {
            Destination::Multicast { .. } => {
                self.stats.sent_multicast += 1;
                self.own_copies
                    .sent(now, transmit.link, family, &self.outbox);
                let LinkId(index) = transmit.link;
                if let Some(state) = self.in_use.get_mut(&index) {
                    state.failures = 0;
                    if state.failure.take().is_some() {
                        self.look_at_interfaces(now);
                    }
                }
            }
            Destination::Unicast(to) => {
                self.stats.sent_unicast += 1;
                // It may come back to us if the port is shared with the one that asked.
                if to.port() == PORT && self.is_own_address(to.ip()) {
                    self.own_copies
                        .sent(now, transmit.link, family, &self.outbox);
                }
            }
        }
    }

    pub(super) fn note_refused(
        &mut self,
        now: Instant,
        transmit: Transmit,
        family: Family,
        error: io::Error,
    ) {
        self.stats.send_failures += 1;
        let LinkId(index) = transmit.link;
        tracing::debug!(target: "cooee_mdns", link = index, ?family, %error, "cannot send");
        // What becomes of a reply says nothing of the link: the address may be a bad one.
        if matches!(transmit.destination, Destination::Unicast(_)) {
            return;
        }
        let Some(state) = self.in_use.get_mut(&index) else {
            return;
        };
        state.failures = state.failures.saturating_add(1);
        if state.failures == FAILURES_BEFORE_UNUSABLE && state.failure.is_none() {
            state.failure = Some(format!("sending fails: {error}"));
            self.look_at_interfaces(now);
            self.tell_failed(now, index, error);
        }
    }
}
