//! Datagrams in: what is for us goes to the engine, our own copies too, which it knows by what it has sent (ruling 20).

use std::io;
use std::net::IpAddr;

use super::super::driven::Driven;
use super::super::group;
use super::super::socket::Received;
use super::super::world::World;
use super::Driver;
use crate::{Datagram, Family, LinkId};

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
        tracing::trace!(target: "cooee_mdns", link = received.index, source = %received.source, destination = %received.destination, hop_limit = received.hop_limit, octets = received.len, "in");
        self.stats.received += 1;
        self.stats.received_octets += received.len as u64;
        let payload = self.inbox.get(..received.len).unwrap_or_default();
        let datagram = Datagram {
            link: LinkId(received.index),
            source: received.source,
            destination: received.destination,
            payload,
        };
        self.node.overhear(now, &datagram, received.hop_limit);
        self.node.engine().handle_datagram(now, &datagram);
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        self.own_addresses.binary_search(&address).is_ok()
    }
}
