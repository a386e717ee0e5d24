//! What a driver runs.

use std::io;

use super::link::Link;
use crate::{Datagram, Engine, Family, Instant, Node};

/// A node that is told about the network it is on.
pub trait Driven: Node + Send + 'static {
    /// Something about links or the port is different. The engine is told by the driver; [`Node::process`] is called afterwards.
    fn handle_network(&mut self, now: Instant, event: &NetworkEvent) {
        let _ = (now, event);
    }

    /// A datagram has arrived on a link in use, at a group or an address of ours; our own multicasts come back too. The engine gets it next.
    /// `hop_limit` is its TTL or hop limit, where the system tells. For who wants to know what is going on; must not block.
    fn overhear(&mut self, now: Instant, datagram: &Datagram<'_>, hop_limit: Option<u8>) {
        let _ = (now, datagram, hop_limit);
    }
}

impl Driven for Engine {}

/// News of the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// All links of the machine, by index, used or not; told at the start and after every change of any of them, before the engine is
    /// told and before the events of the single links.
    Links(Vec<Link>),
    /// A link is in use from now on.
    LinkUp(Link),
    /// A link is in use no longer: it went, lost its addresses or its carrier, or is not chosen any more.
    LinkDown(Link),
    /// A link was chosen, but the system does not let us use it.
    LinkFailed {
        /// The link; its status has the reason in words.
        link: Link,
        /// What the system said.
        error: io::Error,
    },
    /// No socket can be had for one of the families, as for IPv6 where it is switched off, or because a program holds the port and does not share
    /// it. The other family goes on; a port that is held is asked for again, after a second and then ever less often, down to once a minute.
    NoSocket {
        /// The family that is missing.
        family: Family,
        /// What the system said.
        error: io::Error,
    },
    /// The port of a family is held by nobody any more, so that there is a socket now.
    SocketOpened(Family),
    /// No link is in use. Everything waits for one.
    NoLink,
    /// Another program on this machine was on port 5353 when we came, so that unicast answers may go astray and are not asked for (ruling 2). One
    /// that comes later is found by the engine, which tells it as an event of its own.
    PortShared,
}
