//! What there is to a host.

use std::collections::BTreeMap;

use cooee_mdns::{Instant, LinkId};

use crate::wire::Interface;

/// The number of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// A host: its node, its interfaces, and how it is.
#[derive(Debug)]
pub(crate) struct Host<N> {
    pub(crate) name: String,
    pub(crate) node: N,
    pub(crate) interfaces: BTreeMap<LinkId, Interface>,
    pub(crate) alive: bool,
    /// The system refuses to send.
    pub(crate) mute: bool,
    /// Since when the machine sleeps.
    pub(crate) asleep: Option<Instant>,
    /// Microseconds by which its clock is ahead.
    pub(crate) ahead: i64,
    /// Its entry in the list of deadlines.
    pub(crate) scheduled: Option<Instant>,
}

impl<N> Host<N> {
    pub(crate) fn is_awake(&self) -> bool {
        self.alive && self.asleep.is_none()
    }

    /// The time by its own clock.
    pub(crate) fn clock(&self, now: Instant) -> Instant {
        Instant::from_micros(now.as_micros().saturating_add_signed(self.ahead))
    }
}
