//! What the kernel has told of interfaces so far, put together.

use std::collections::BTreeMap;

use super::interface::{Address, Interface};
use super::netlink::{Entry, Link, Told, flags};

/// Interfaces by index, built from a dump and kept true by what is told later.
#[derive(Debug, Default)]
pub(super) struct InterfaceTable {
    links: BTreeMap<u32, Link>,
    addresses: BTreeMap<u32, Vec<Entry>>,
}

impl InterfaceTable {
    /// Applies one message; what is no news of an interface or address is passed over.
    pub(super) fn apply(&mut self, told: Told) {
        match told {
            Told::Link(link) => {
                self.links.insert(link.index, link);
            }
            Told::LinkGone(index) => {
                self.links.remove(&index);
                self.addresses.remove(&index);
            }
            Told::Address(index, told) => {
                let entries = self.addresses.entry(index).or_default();
                match entries.iter_mut().find(|known| is_same(known, &told)) {
                    Some(known) => *known = told,
                    None => entries.push(told),
                }
            }
            Told::AddressGone(index, gone) => {
                if let Some(entries) = self.addresses.get_mut(&index) {
                    entries.retain(|known| !is_same(known, &gone));
                }
            }
            Told::Done { .. } | Told::Failed(_) => {}
        }
    }

    pub(super) fn interfaces(&self) -> Vec<Interface> {
        self.links
            .values()
            .map(|link| {
                let has = |flag| link.flags & flag != 0;
                Interface {
                    index: link.index,
                    name: link.name.clone(),
                    is_up: has(flags::UP),
                    is_running: has(flags::RUNNING),
                    is_loopback: has(flags::LOOPBACK),
                    is_point_to_point: has(flags::POINT_TO_POINT),
                    is_multicast: has(flags::MULTICAST),
                    mtu: link.mtu.unwrap_or(0),
                    kind: link.kind.clone(),
                    master: link.master,
                    addresses: self.addresses_of(link.index),
                }
            })
            .collect()
    }

    /// Each once, though it may be our end of several point-to-point links.
    fn addresses_of(&self, index: u32) -> Vec<Address> {
        let mut addresses = Vec::new();
        for entry in self.addresses.get(&index).into_iter().flatten() {
            if !addresses.contains(&entry.address) {
                addresses.push(entry.address);
            }
        }
        addresses
    }
}

/// Whether both are one entry of the kernel's, perhaps with other flags: one address may be there with several prefixes and several peers.
fn is_same(a: &Entry, b: &Entry) -> bool {
    let key = |entry: &Entry| (entry.address.address, entry.address.prefix_len, entry.peer);
    key(a) == key(b)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn link(index: u32, name: &str) -> Told {
        Told::Link(Link {
            index,
            name: name.into(),
            ..Link::default()
        })
    }

    fn address(last: u8, is_tentative: bool) -> Address {
        Address {
            address: Ipv4Addr::new(10, 0, 0, last).into(),
            prefix_len: 24,
            is_tentative,
            is_deprecated: false,
        }
    }

    fn entry(address: Address) -> Entry {
        Entry {
            address,
            peer: address.address,
        }
    }

    fn told(news: impl IntoIterator<Item = Told>) -> Vec<Interface> {
        let mut table = InterfaceTable::default();
        for told in news {
            table.apply(told);
        }
        table.interfaces()
    }

    #[test]
    fn a_renamed_interface_keeps_its_index_and_addresses() {
        let interfaces = told([
            link(3, "eth0"),
            Told::Address(3, entry(address(1, false))),
            link(3, "lan"),
        ]);
        assert_eq!(interfaces.len(), 1);
        assert_eq!(interfaces[0].name, "lan");
        assert_eq!(interfaces[0].addresses, [address(1, false)]);
    }

    #[test]
    fn an_address_that_was_checked_stays_in_its_place() {
        let interfaces = told([
            link(3, "eth0"),
            Told::Address(3, entry(address(1, true))),
            Told::Address(3, entry(address(2, false))),
            Told::Address(3, entry(address(1, false))),
        ]);
        assert_eq!(
            interfaces[0].addresses,
            [address(1, false), address(2, false)]
        );
    }

    #[test]
    fn an_address_with_another_prefix_outlives_the_one_it_replaces() {
        // As a mask is changed without a gap: the new one first, then the old one away.
        let wider = Address {
            prefix_len: 16,
            ..address(1, false)
        };
        let interfaces = told([
            link(3, "eth0"),
            Told::Address(3, entry(address(1, false))),
            Told::Address(3, entry(wider)),
            Told::AddressGone(3, entry(address(1, false))),
        ]);
        assert_eq!(interfaces[0].addresses, [wider]);
    }

    #[test]
    fn an_address_stays_while_it_is_our_end_of_one_link_of_several() {
        let to = |last| Entry {
            peer: Ipv4Addr::new(10, 0, 1, last).into(),
            ..entry(address(1, false))
        };
        let both = [
            link(3, "ppp0"),
            Told::Address(3, to(1)),
            Told::Address(3, to(2)),
        ];
        let one = both
            .clone()
            .into_iter()
            .chain([Told::AddressGone(3, to(1))]);
        let none = one.clone().chain([Told::AddressGone(3, to(2))]);
        assert_eq!(told(both)[0].addresses, [address(1, false)]);
        assert_eq!(told(one)[0].addresses, [address(1, false)]);
        assert_eq!(told(none)[0].addresses, []);
    }

    #[test]
    fn what_is_gone_is_gone_with_all_that_belonged_to_it() {
        let interfaces = told([
            link(3, "eth0"),
            Told::Address(3, entry(address(1, false))),
            Told::Address(3, entry(address(2, false))),
            Told::AddressGone(3, entry(address(1, false))),
            Told::AddressGone(9, entry(address(1, false))),
        ]);
        assert_eq!(interfaces[0].addresses, [address(2, false)]);
        let interfaces = told([
            link(3, "eth0"),
            Told::Address(3, entry(address(1, false))),
            Told::LinkGone(3),
            link(3, "eth0"),
        ]);
        assert_eq!(interfaces[0].addresses, []);
    }
}
