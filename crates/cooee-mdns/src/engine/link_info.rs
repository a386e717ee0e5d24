//! What the engine is told about links.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A link: an interface as mDNS sees it. IPv4 and IPv6 of one interface are one link (ruling 24).
///
/// The number is the driver's own (ours uses the interface index); the engine only compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.0)
    }
}

/// The two families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "multicast DNS has these two groups and no third"
)]
pub enum Family {
    /// IPv4, group 224.0.0.251.
    V4,
    /// IPv6, group ff02::fb.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A network: an address and the number of its leading bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// The network of `address` with `length` leading bits; lengths over 32 or 128 mean the address alone.
    pub const fn new(address: IpAddr, length: u8) -> Self {
        Self { address, length }
    }

    /// Whether `other` is in this network.
    pub fn contains(self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let mask = u32::MAX
                    .checked_shl(32_u32.saturating_sub(self.length.into()))
                    .unwrap_or(0);
                (u32::from(a) ^ u32::from(b)) & mask == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let mask = u128::MAX
                    .checked_shl(128_u32.saturating_sub(self.length.into()))
                    .unwrap_or(0);
                (u128::from(a) ^ u128::from(b)) & mask == 0
            }
            _ => false,
        }
    }
}

/// An address of ours on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkAddress {
    /// The address.
    pub address: IpAddr,
    /// Length of the prefix that is on the link: 0 to 32, or 0 to 128.
    pub prefix_len: u8,
    /// Still being checked for duplicates, or found to be one: not to be published, not to be sent from.
    pub tentative: bool,
}

impl LinkAddress {
    /// A usable address with the length of its on-link prefix.
    pub fn new(address: impl Into<IpAddr>, prefix_len: u8) -> Self {
        Self {
            address: address.into(),
            prefix_len,
            tentative: false,
        }
    }
}

/// What a driver tells the engine about a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkInfo {
    /// Our addresses on the link, in the order in which they shall be published.
    pub addresses: Vec<LinkAddress>,
    /// Multicasts go out over IPv4.
    pub ipv4: bool,
    /// Multicasts go out over IPv6.
    pub ipv6: bool,
    /// Size of the largest IP packet in bytes.
    pub mtu: u32,
    /// Unicast to port 5353 reaches us: nobody else on this host shares the port (ruling 2).
    pub unicast_reliable: bool,
    /// Networks on the link beside those of the addresses, for example from router advertisements (RFC 6762 §11). Empty for the links of
    /// the crate's own driver, which knows the prefixes of addresses only.
    pub on_link: Vec<Prefix>,
}

impl LinkInfo {
    /// A link with these addresses: each family that has a usable one is enabled, MTU 1500, unicast reliable.
    pub fn new(addresses: impl IntoIterator<Item = LinkAddress>) -> Self {
        let addresses: Vec<_> = addresses.into_iter().collect();
        let has = |family| {
            addresses
                .iter()
                .any(|a: &LinkAddress| !a.tentative && Family::of(a.address) == family)
        };
        Self {
            ipv4: has(Family::V4),
            ipv6: has(Family::V6),
            addresses,
            mtu: 1500,
            unicast_reliable: true,
            on_link: Vec::new(),
        }
    }

    /// Whether another program of this host has port 5353 too: another responder, perhaps.
    pub(super) const fn is_port_shared(&self) -> bool {
        !self.unicast_reliable
    }

    /// The families that multicasts go out on.
    pub fn families(&self) -> impl Iterator<Item = Family> + use<> {
        let v4 = self.ipv4.then_some(Family::V4);
        v4.into_iter().chain(self.ipv6.then_some(Family::V6))
    }

    /// Whether `source` is on this link, by the prefixes (RFC 6762 §11, 6762-11-5).
    pub fn is_on_link(&self, source: IpAddr) -> bool {
        if let IpAddr::V6(v6) = source
            && v6.is_unicast_link_local()
        {
            return true;
        }
        self.addresses
            .iter()
            .any(|a| Prefix::new(a.address, a.prefix_len).contains(source))
            || self.on_link.iter().any(|prefix| prefix.contains(source))
    }

    /// Whether `address` is one of ours on this link.
    pub fn is_own(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|a| a.address == address)
    }

    /// Our usable IPv4 addresses on the link.
    pub fn ipv4_addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.usable().filter_map(|address| match address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        })
    }

    /// Our usable IPv6 addresses on the link.
    pub fn ipv6_addresses(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.usable().filter_map(|address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => Some(v6),
        })
    }

    fn usable(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.addresses
            .iter()
            .filter(|a| !a.tentative)
            .map(|a| a.address)
    }
}

/// On which links something is published or asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkSet {
    /// On all that are up, now and later.
    #[default]
    All,
    /// On these only, whenever they are up.
    Only(BTreeSet<LinkId>),
}

impl LinkSet {
    /// One link alone.
    pub fn one(link: LinkId) -> Self {
        Self::Only(BTreeSet::from([link]))
    }

    /// Whether `link` is in the set.
    pub fn contains(&self, link: LinkId) -> bool {
        match self {
            Self::All => true,
            Self::Only(links) => links.contains(&link),
        }
    }
}
