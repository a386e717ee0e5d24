//! What a link does to the packets that cross it, and the packets that are under way.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cooee_mdns::{Family, LinkAddress, LinkId};

use crate::host::HostId;

/// What a link does to the packets that cross it.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// How long a packet takes at least.
    pub delay: Duration,
    /// How much longer it may take; with more than the time between two packets they overtake each other.
    pub jitter: Duration,
    /// Probability that one receiver does not get a packet.
    pub loss: f64,
    /// Probability that one receiver gets it twice.
    pub duplication: f64,
}

impl Default for Conditions {
    /// A wire in a house: 1 ms, and nothing is lost.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
        }
    }
}

impl Conditions {
    /// All receivers get a packet at the same time.
    pub(crate) fn are_the_same_for_all(&self) -> bool {
        self.jitter.is_zero() && self.loss <= 0.0 && self.duplication <= 0.0
    }
}

/// A link and who is on it.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    pub(crate) conditions: Conditions,
    /// In the order of their numbers; shared with the letter that is handed round.
    pub(crate) members: Arc<Vec<HostId>>,
    /// Nobody hears anybody else.
    pub(crate) scattered: bool,
    /// The links that a bridge repeats its multicasts on.
    pub(crate) bridged: Vec<LinkId>,
}

/// A host's place on a link.
#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) addresses: Vec<LinkAddress>,
    /// Hosts with different numbers are on different sides of a partition.
    pub(crate) side: u32,
}

impl Interface {
    pub(crate) fn address(&self, family: Family) -> Option<IpAddr> {
        let mut all = self.addresses.iter().map(|address| address.address);
        all.find(|address| Family::of(*address) == family)
    }

    pub(crate) fn hears(&self, letter: &Letter) -> bool {
        if self.side != letter.side {
            return false;
        }
        if letter.destination.ip().is_multicast() {
            self.address(Family::of(letter.source.ip())).is_some()
        } else {
            let to = letter.destination.ip();
            self.addresses.iter().any(|address| address.address == to)
        }
    }
}

/// A packet as all its receivers share it.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: Option<HostId>,
    pub(crate) side: u32,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) payload: Arc<[u8]>,
}

/// Who gets a letter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum To {
    /// Everybody on the link; not the sender, who has had its copy.
    All,
    /// This host.
    One(HostId),
}

/// A letter on its way over a link.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay {
    pub(crate) link: LinkId,
    pub(crate) to: To,
    pub(crate) letter: Letter,
}
