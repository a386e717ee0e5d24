//! Addresses that know their link.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// The longest interface name, in bytes.
const NAME_MAX: usize = 16;

/// An address and, if known, the link where it was told.
///
/// A link-local IPv6 address means nothing without its link, as every link has its own `fe80::1`; all others are good by themselves, and
/// there the link is a remark. Ordered best first: IPv4, routable IPv6, the link-local ones, then loopback. Two are equal if they lead to the same place.
///
/// ```
/// use cooee::ScopedAddr;
///
/// let address = ScopedAddr::new("fe80::1".parse()?, 3);
/// assert_eq!(address.to_string(), "fe80::1%3");
/// assert_eq!(address.with_port(80).to_string(), "[fe80::1%3]:80");
///
/// let routable = ScopedAddr::from("192.0.2.1".parse::<std::net::IpAddr>()?);
/// assert!(routable < address);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct ScopedAddr {
    ip: IpAddr,
    /// Index of the interface; zero: not known.
    index: u32,
    /// Its name, filled up with zeros.
    interface: [u8; NAME_MAX],
}

impl ScopedAddr {
    /// An address on the interface with this index; 0 if that is not known.
    #[must_use]
    pub fn new(ip: IpAddr, index: u32) -> Self {
        Self {
            ip,
            index,
            interface: [0; NAME_MAX],
        }
    }

    /// The IP address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Index of the interface that a link-local IPv6 address is valid on; zero for all others.
    #[must_use]
    pub fn scope_id(&self) -> u32 {
        match self.ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => self.index,
            IpAddr::V6(_) | IpAddr::V4(_) => 0,
        }
    }

    /// Index of the interface on which the address was told, if known.
    #[must_use]
    pub fn interface_index(&self) -> Option<u32> {
        (self.index != 0).then_some(self.index)
    }

    /// Name of the interface on which the address was told, if known.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        let name = self.interface.split(|&octet| octet == 0).next()?;
        std::str::from_utf8(name)
            .ok()
            .filter(|name| !name.is_empty())
    }

    /// What can be connected to.
    #[must_use]
    pub fn with_port(&self, port: u16) -> SocketAddr {
        match self.ip {
            IpAddr::V4(ip) => (ip, port).into(),
            IpAddr::V6(ip) => SocketAddrV6::new(ip, port, 0, self.scope_id()).into(),
        }
    }

    /// Remembers the name of the interface. One that is too long is left out.
    pub(crate) fn on_interface(mut self, name: &str) -> Self {
        if let Some(room) = self.interface.get_mut(..name.len()) {
            room.copy_from_slice(name.as_bytes());
        }
        self
    }

    /// Whether a program can do anything with it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.ip.is_unspecified() && !self.ip.is_multicast()
    }

    /// The lower, the better; `cooee_sd::View::addresses` are in the same order.
    fn rank(&self) -> u8 {
        match self.ip {
            _ if self.ip.is_loopback() => 4,
            IpAddr::V4(ip) if ip.is_link_local() => 2,
            IpAddr::V4(_) => 0,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => 3,
            IpAddr::V6(_) => 1,
        }
    }

    fn key(&self) -> (u8, IpAddr, u32) {
        (self.rank(), self.ip, self.scope_id())
    }
}

impl PartialEq for ScopedAddr {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ScopedAddr {}

impl PartialOrd for ScopedAddr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ScopedAddr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for ScopedAddr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for ScopedAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)?;
        match (self.scope_id(), self.interface()) {
            (0, _) => Ok(()),
            (_, Some(name)) => write!(f, "%{name}"),
            (index, None) => write!(f, "%{index}"),
        }
    }
}

impl fmt::Debug for ScopedAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<IpAddr> for ScopedAddr {
    fn from(ip: IpAddr) -> Self {
        Self::new(ip, 0)
    }
}

impl From<Ipv4Addr> for ScopedAddr {
    fn from(ip: Ipv4Addr) -> Self {
        Self::new(ip.into(), 0)
    }
}

impl From<Ipv6Addr> for ScopedAddr {
    fn from(ip: Ipv6Addr) -> Self {
        Self::new(ip.into(), 0)
    }
}

impl From<SocketAddr> for ScopedAddr {
    /// The port is dropped, the scope is kept.
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::new((*v4.ip()).into(), 0),
            SocketAddr::V6(v6) => Self::new((*v6.ip()).into(), v6.scope_id()),
        }
    }
}
