//! RFC 6762 as a state machine: no socket, no clock, no dice.

mod config;
mod datagram;
mod instant;
mod link_info;
mod node;

pub use config::Config;
pub use datagram::{Datagram, Destination, Transmit, TransmitId};
pub use instant::Instant;
pub use link_info::{Family, LinkAddress, LinkId, LinkInfo, LinkSet, Prefix};
pub use node::Node;

use alloc::vec::Vec;
use core::time::Duration;

/// The multicast DNS engine.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// An engine without links. All its randomness comes from `seed`: the same seed and the same calls give the same packets.
    pub fn new(_config: Config, _seed: u64, _now: Instant) -> Self {
        Self {}
    }

    /// A link is there and usable.
    pub fn link_up(&mut self, _now: Instant, _link: LinkId, _info: LinkInfo) {}

    /// The addresses or properties of a link are different now.
    pub fn link_changed(&mut self, _now: Instant, _link: LinkId, _info: LinkInfo) {}

    /// A link is gone.
    pub fn link_down(&mut self, _now: Instant, _link: LinkId) {}

    /// The machine was asleep for `slept`, and no call came in that time (ruling 27).
    pub fn resumed(&mut self, _now: Instant, _slept: Duration) {}

    /// A datagram has arrived.
    pub fn handle_datagram(&mut self, _now: Instant, _datagram: &Datagram<'_>) {}

    /// The time of [`poll_timeout`](Self::poll_timeout) has come; early or late calls do no harm.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// The next datagram to send, composed at this moment into `buffer`, which is cleared first.
    pub fn poll_transmit(&mut self, _now: Instant, _buffer: &mut Vec<u8>) -> Option<Transmit> {
        None
    }

    /// What became of a datagram in one family: `sent`, or the system refused it.
    pub fn transmitted(&mut self, _now: Instant, _id: TransmitId, _family: Family, _sent: bool) {}

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next; `None`: not before something else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// Says goodbye for everything published; what [`poll_transmit`](Self::poll_transmit) gives afterwards is the last.
    pub fn shutdown(&mut self, _now: Instant) {}
}
