//! Which addresses are one machine.

use std::net::IpAddr;

use cooee::wire::Data;

use super::bounded::Bounded;
use super::decoded::Decoded;
use super::packet::Packet;

/// A machine on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Host(u64);

/// What is known of the machines.
#[derive(Debug)]
pub(crate) struct Hosts {
    by_address: Bounded<(u32, IpAddr), Host>,
    /// Those that turned out to be another that was known before.
    same: Bounded<Host, Host>,
    next: u64,
}

/// Addresses that are kept in mind.
const MOST: usize = 8_192;

impl Hosts {
    pub(crate) fn new() -> Self {
        Self {
            by_address: Bounded::new(MOST),
            same: Bounded::new(MOST),
            next: 0,
        }
    }

    /// The machine that has this address on this link.
    pub(crate) fn at(&mut self, link: u32, address: IpAddr) -> Host {
        let next = Host(self.next);
        let host = *self.by_address.entry((link, address), || next);
        if host == next {
            self.next += 1;
        }
        host
    }

    /// The machine at an address, if there is one.
    pub(crate) fn known_at(&self, link: u32, address: IpAddr) -> Option<Host> {
        self.by_address.get(&(link, address)).copied()
    }

    /// Notes that addresses are of one machine: the one that was known first, if any was.
    pub(crate) fn unite(&mut self, link: u32, addresses: impl Iterator<Item = IpAddr> + Clone) {
        let known = addresses
            .clone()
            .filter_map(|address| self.known_at(link, address));
        let host = match (known.min(), addresses.clone().next()) {
            (Some(host), _) => host,
            (None, Some(address)) => self.at(link, address),
            (None, None) => return,
        };
        for address in addresses {
            let before = self.by_address.insert((link, address), host);
            if let Some(before) = before.filter(|before| *before != host) {
                self.same.insert(before, host);
            }
        }
    }

    /// The machine as it is known now: two may have turned out to be one.
    pub(crate) fn now_known_as(&self, host: Host) -> Host {
        let mut host = host;
        // Each is known as one that is older, so this ends.
        while let Some(older) = self.same.get(&host) {
            host = *older;
        }
        host
    }

    /// A host that tells all its addresses, the one it sends from among them, tells which are one machine.
    pub(crate) fn learn(&mut self, packet: &Packet, decoded: &Decoded) {
        let is_probe = decoded.is_probe();
        if !decoded.is_response() && !is_probe {
            return;
        }
        let source = packet.source.ip();
        let addresses = decoded.data().filter_map(|(_, record)| {
            let address = match record.rdata.decode() {
                Ok(Data::A(address)) => IpAddr::V4(address),
                Ok(Data::Aaaa(address)) => IpAddr::V6(address),
                _ => return None,
            };
            (record.ttl > 0 && (record.cache_flush || is_probe)).then_some((&record.name, address))
        });
        let addresses: Vec<_> = addresses.collect();
        let own = addresses.iter().find(|(_, address)| *address == source);
        let Some((name, _)) = own else { return };
        // One of them may be new: a host that has another address now is the host it was.
        let all = addresses.iter().filter(|(other, _)| other == name);
        self.unite(packet.link(), all.map(|(_, address)| *address));
    }
}
