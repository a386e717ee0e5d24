//! A packet as it was heard: the octets, and what was known of their way.

use std::net::SocketAddr;

use cooee::Heard;

use crate::clock::Moment;
use crate::picture::Interface;

/// A datagram of multicast DNS, live or from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// When it came.
    pub(crate) moment: Moment,
    /// Where it came in; a file may not tell.
    pub(crate) interface: Option<Interface>,
    /// Who sent it.
    pub(crate) source: SocketAddr,
    /// To whom.
    pub(crate) destination: SocketAddr,
    /// Its TTL or hop limit, where it is known.
    pub(crate) hop_limit: Option<u8>,
    /// It came in several IP packets; a socket does not tell.
    pub(crate) fragmented: Option<bool>,
    /// The UDP payload.
    pub(crate) payload: Vec<u8>,
}

/// The port of multicast DNS.
pub(crate) const PORT: u16 = 5353;

impl Packet {
    /// A datagram that came in on a link at this moment.
    pub(crate) fn heard(heard: Heard, moment: Moment) -> Self {
        Self {
            moment,
            interface: Some(Interface {
                name: heard.link.name().into(),
                index: heard.link.index(),
            }),
            source: heard.source,
            destination: heard.destination,
            hop_limit: heard.hop_limit,
            fragmented: None,
            payload: heard.payload,
        }
    }

    /// Went to a group.
    pub(crate) fn is_multicast(&self) -> bool {
        self.destination.ip().is_multicast()
    }

    /// Says which link it was on, as far as that is known.
    pub(crate) fn link(&self) -> u32 {
        self.interface
            .as_ref()
            .map_or(0, |interface| interface.index)
    }
}
