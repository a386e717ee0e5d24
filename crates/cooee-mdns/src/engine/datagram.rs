//! What goes in and out: datagrams, and what a driver is told about sending one.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::config::GROUPS;
use super::link_info::{Family, LinkId};

/// A datagram that has arrived at port 5353.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a driver builds it; there is no more to know about a datagram"
)]
pub struct Datagram<'a> {
    /// The link it arrived on.
    pub link: LinkId,
    /// Where it came from.
    pub source: SocketAddr,
    /// Where it was sent to: a group, or an address of ours.
    pub destination: IpAddr,
    /// The UDP payload.
    pub payload: &'a [u8],
}

impl Datagram<'_> {
    /// It was sent to one of the groups.
    // RFC 6762 §11 (6762-11-4)
    pub(super) fn is_multicast(&self) -> bool {
        GROUPS.contains(&self.destination)
    }

    /// It was sent to one of the groups, or to one host: what goes to another group or to everybody is not multicast DNS.
    pub(super) fn is_for_us(&self) -> bool {
        self.is_multicast()
            || !(self.destination.is_multicast() || self.destination == Ipv4Addr::BROADCAST)
    }
}

/// A datagram to be sent now; its octets are in the buffer given to [`Engine::poll_transmit`](super::Engine::poll_transmit).
///
/// It leaves from port 5353 with a TTL (hop limit) of 255 (6762-6-24, 6762-11-1). For each family the driver tells
/// [`Engine::transmitted`](super::Engine::transmitted) what became of it: what was not sent did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// Its number.
    pub id: TransmitId,
    /// The link it has to leave on.
    pub link: LinkId,
    /// Where to.
    pub destination: Destination,
}

/// The number of a datagram that was given out for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransmitId(pub(super) u64);

/// Where a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// To the group of each family told, the same octets (ruling 24).
    Multicast {
        /// To 224.0.0.251, port 5353.
        ipv4: bool,
        /// To ff02::fb, port 5353.
        ipv6: bool,
    },
    /// To one host.
    Unicast(SocketAddr),
}

impl Destination {
    /// The families it goes out on.
    pub fn families(self) -> impl Iterator<Item = Family> {
        let (v4, v6) = match self {
            Self::Multicast { ipv4, ipv6 } => (ipv4, ipv6),
            Self::Unicast(to) => (to.is_ipv4(), to.is_ipv6()),
        };
        v4.then_some(Family::V4)
            .into_iter()
            .chain(v6.then_some(Family::V6))
    }
}
