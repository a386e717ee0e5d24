//! What the system says about one interface, as it stands.

use std::net::{IpAddr, Ipv4Addr};

/// An interface with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    /// Never 0, never used again for another interface while this one is there.
    pub(super) index: u32,
    pub(super) name: String,
    /// The administrator has switched it on.
    pub(super) is_up: bool,
    /// The cable is in, the radio is associated.
    pub(super) is_running: bool,
    pub(super) is_loopback: bool,
    pub(super) is_point_to_point: bool,
    pub(super) is_multicast: bool,
    /// Bytes of an IP packet.
    pub(super) mtu: u32,
    /// What kind of virtual interface it is (`bridge`, `veth` …), where the system tells; hardware has none.
    pub(super) kind: Option<String>,
    /// The index of the bridge, bond or team that it is a port of.
    pub(super) master: Option<u32>,
    /// In the order in which the system lists them.
    pub(super) addresses: Vec<Address>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) address: IpAddr,
    pub(super) prefix_len: u8,
    /// Still being checked for duplicates, or found to be one.
    pub(super) is_tentative: bool,
}

impl Interface {
    /// Whether it has an address of this sort that can be sent from.
    pub(super) fn has_usable(&self, wanted: impl Fn(IpAddr) -> bool) -> bool {
        self.addresses
            .iter()
            .any(|a| !a.is_tentative && wanted(a.address))
    }

    /// An address to send IPv4 from, for an interface where the kernel does not find one by itself.
    pub(super) fn first_ipv4(&self) -> Option<Ipv4Addr> {
        self.addresses.iter().find_map(|a| match a.address {
            IpAddr::V4(v4) if !a.is_tentative => Some(v4),
            _ => None,
        })
    }
}
