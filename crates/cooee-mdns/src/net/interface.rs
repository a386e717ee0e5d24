//! What the system says about one interface, as it stands.

use std::net::{IpAddr, Ipv4Addr};

/// An interface with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "behind the seam, for worlds that make one"
)]
pub struct Interface {
    /// Never 0, never used again for another interface while this one is there.
    pub index: u32,
    /// Such as `eth0`; it may change.
    pub name: String,
    /// The administrator has switched it on.
    pub is_up: bool,
    /// The cable is in, the radio is associated.
    pub is_running: bool,
    /// The machine talks to itself on it.
    pub is_loopback: bool,
    /// It has one other end.
    pub is_point_to_point: bool,
    /// It carries multicasts.
    pub is_multicast: bool,
    /// Bytes of an IP packet.
    pub mtu: u32,
    /// What kind of virtual interface it is (`bridge`, `veth` …), where the system tells; hardware has none.
    pub kind: Option<String>,
    /// The index of the bridge, bond or team that it is a port of.
    pub master: Option<u32>,
    /// In the order in which the system lists them.
    pub addresses: Vec<Address>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "behind the seam, for worlds that make one"
)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// Length of the prefix that is on the link.
    pub prefix_len: u8,
    /// Still being checked for duplicates, or found to be one.
    pub is_tentative: bool,
    /// Past the time in which it should be used for anything new (RFC 4862 §5.5.4), where the system tells.
    pub is_deprecated: bool,
}

impl Interface {
    /// Whether it has an address of this sort that can be sent from.
    pub(super) fn has_usable(&self, wanted: impl Fn(IpAddr) -> bool) -> bool {
        self.addresses
            .iter()
            .any(|a| !a.is_tentative && wanted(a.address))
    }

    /// Whether this address of ours is past its time and another can take its place, so that it is not told to others any more: what a
    /// network was called before it was renumbered leads nowhere soon.
    pub(super) fn is_superseded(&self, address: &Address) -> bool {
        let reach = |a: &Address| match a.address {
            IpAddr::V4(v4) => (4, v4.is_link_local()),
            IpAddr::V6(v6) => (6, v6.is_unicast_link_local()),
        };
        address.is_deprecated
            && self
                .addresses
                .iter()
                .any(|a| !a.is_deprecated && !a.is_tentative && reach(a) == reach(address))
    }

    /// An address to send IPv4 from, for an interface where the kernel does not find one by itself.
    pub(super) fn first_ipv4(&self) -> Option<Ipv4Addr> {
        self.addresses.iter().find_map(|a| match a.address {
            IpAddr::V4(v4) if !a.is_tentative => Some(v4),
            _ => None,
        })
    }
}
