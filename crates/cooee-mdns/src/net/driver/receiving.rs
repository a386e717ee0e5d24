//! Datagrams in: what is for us, and not from us, goes to the engine.

use std::io;
use std::net::IpAddr;

use super::super::driven::{Driven, NetworkEvent};
use super::super::own_copies::Origin;
use super::super::socket::Received;
use super::super::world::World;
use super::super::{PORT, group};
use super::Driver;
use crate::{Datagram, Family, Instant, LinkId};

impl<N: Driven, W: World> Driver<N, W> {
    pub(super) fn receive(&mut self, received: io::Result<Received>) {
        let now = self.world.now();
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(target: "cooee_mdns", %error, "cannot receive");
                self.stats.receive_errors += 1;
                return;
            }
        };
        if let Some(lost) = received.lost {
            self.lost.insert(Family::of(received.destination), lost);
            self.stats.lost_by_system = self.lost.values().copied().map(u64::from).sum();
        }
        if received.truncated {
            self.stats.dropped_too_long += 1;
            return;
        }
        // Membership does not filter: what was joined on one link, by anybody, is heard of all.
        if !self.in_use.contains_key(&received.index) {
            self.stats.dropped_other_link += 1;
            return;
        }
        let family = Family::of(received.destination);
        // RFC 6762 §11 (6762-11-4, -5): a unicast destination is looked at by the engine, with the link's prefixes.
        if received.destination != group(family) && !self.is_own_address(received.destination) {
            self.stats.dropped_other_destination += 1;
            return;
        }
        let link = LinkId(received.index);
        let Some(payload) = self.inbox.get(..received.len) else {
            return;
        };
        if received.source.port() == PORT && self.is_own_address(received.source.ip()) {
            match self.own_copies.arrived(now, link, family, payload) {
                Origin::OwnCopy => {
                    self.stats.own_copies += 1;
                    return;
                }
                Origin::OwnByAnotherLink => {}
                Origin::OtherProgram => self.note_other_program(now),
            }
        }
        tracing::trace!(target: "cooee_mdns", link = received.index, source = %received.source, destination = %received.destination, hop_limit = received.hop_limit, octets = received.len, "in");
        self.stats.received += 1;
        self.stats.received_octets += received.len as u64;
        let payload = self.inbox.get(..received.len).unwrap_or_default();
        self.node.engine().handle_datagram(
            now,
            &Datagram {
                link,
                source: received.source,
                destination: received.destination,
                payload,
            },
        );
    }

    /// A datagram came from our address and port that we have not sent: somebody here shares the port.
    // ruling 2; RFC 6762 §15.1 (6762-15.1-2)
    pub(super) fn note_other_program(&mut self, now: Instant) {
        if self.is_port_shared {
            return;
        }
        tracing::info!(target: "cooee_mdns", "another program on this machine has come to port 5353");
        self.is_port_shared = true;
        self.look_at_interfaces(now);
        self.node.handle_network(now, &NetworkEvent::PortShared);
    }

    pub(super) fn is_own_address(&self, address: IpAddr) -> bool {
        self.own_addresses.binary_search(&address).is_ok()
    }
}
