//! Datagrams out: paced, pinned to their link, and their fate told to the engine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use nix::errno::Errno;

use super::super::driven::Driven;
use super::super::world::World;
use super::super::{PORT, group};
use super::Driver;
use crate::{Destination, Family, Instant, LinkId, Transmit};

/// Multicasts in a row that the system refuses before a link is called unusable.
// ruling 26
const FAILURES_BEFORE_UNUSABLE: u32 = 3;

/// A link that was called unusable is tried again after this time, if nothing has happened to it before.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// A multicast for which there is no room is tried again after this time, so many times.
const FULL_PAUSE: Duration = Duration::from_millis(10);
const FULL_LIMIT: u32 = 25;

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
    ///
    /// A multicast that finds all queues full waits a little, and what would follow it as well.
    pub(super) fn send(&mut self, now: Instant, transmit: Transmit) {
        let LinkId(index) = transmit.link;
        let is_multicast = matches!(transmit.destination, Destination::Multicast { .. });
        let mut outcomes = [const { None }; 2];
        for (outcome, family) in outcomes.iter_mut().zip(transmit.destination.families()) {
            *outcome = Some((family, self.send_in(family, transmit)));
        }
        let outcomes = || outcomes.iter().flatten();
        let any_left = outcomes().any(|(_, result)| result.is_ok());
        let all_full = outcomes().all(|(_, result)| result.as_ref().is_err_and(is_full));
        if is_multicast && all_full && self.full_for < FULL_LIMIT {
            self.full_for += 1;
            self.held = Some((transmit, now + FULL_PAUSE));
            return;
        }
        self.full_for = 0;

        for (family, result) in outcomes() {
            let octets = self.outbox.len();
            match result {
                Ok(()) => {
                    tracing::trace!(target: "cooee_mdns", link = index, ?family, destination = ?transmit.destination, octets, "out");
                    self.stats.sent_octets += octets as u64;
                    if is_multicast {
                        self.stats.sent_multicast += 1;
                    } else {
                        self.stats.sent_unicast += 1;
                    }
                }
                Err(error) => {
                    tracing::debug!(target: "cooee_mdns", link = index, ?family, destination = ?transmit.destination, octets, %error, "cannot send");
                    self.stats.send_failures += 1;
                }
            }
            self.node
                .engine()
                .transmitted(now, transmit.id, *family, result.is_ok());
        }
        // What becomes of a unicast reply says nothing of the link: its address may be a bad one.
        if !is_multicast {
            return;
        }
        if any_left {
            self.note_success(now, index);
        } else if let Some((_, Err(error))) = outcomes().next() {
            self.note_failure(now, index, error);
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

    fn note_failure(&mut self, now: Instant, index: u32, error: &io::Error) {
        let Some(state) = self.in_use.get_mut(&index) else {
            return;
        };
        state.failures = state.failures.saturating_add(1);
        if state.failures == FAILURES_BEFORE_UNUSABLE {
            state.failure = Some(format!("sending fails: {error}"));
            state.retry_at = Some(now + RETRY_INTERVAL);
            self.look_at_interfaces(now);
            let error = copy(error);
            self.tell_failed(now, index, error);
        }
    }
}

/// Nothing is wrong but that much is on its way already: the socket's own queue is full, or the interface's.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(Errno::ENOBUFS as i32)
}

/// The same error once more.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}
