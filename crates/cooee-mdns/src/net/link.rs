//! A link as users see it: what it is, and whether and why it is used.

use std::fmt;
use std::sync::Arc;

use super::interface::Interface;
use crate::{Family, LinkAddress, LinkId};

/// An interface of this machine as multicast DNS sees it, at one moment: a link that was fetched does not change.
///
/// All interfaces of the machine are links, used or not; [`status`](Self::status) tells which, and why. Cloning is cheap.
#[derive(Clone)]
pub struct Link {
    inner: Arc<Inner>,
}

/// Whether a link is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkStatus {
    /// Multicast DNS is spoken on it.
    InUse,
    /// It was not chosen; the text says by which rule.
    LeftOut(String),
    /// It was chosen, but nothing can be sent on it now; the text says why. It is used as soon as that changes.
    Unusable(String),
}

struct Inner {
    interface: Interface,
    addresses: Vec<LinkAddress>,
    /// Whether the default policy takes it, or why not (ruling 25).
    role: Result<(), &'static str>,
    status: LinkStatus,
    families: Vec<Family>,
}

impl Link {
    pub(super) fn new(interface: Interface, role: Result<(), &'static str>) -> Self {
        let addresses = interface
            .addresses
            .iter()
            .map(|a| {
                let mut address = LinkAddress::new(a.address, a.prefix_len);
                address.tentative = a.is_tentative;
                address
            })
            .collect();
        Self {
            inner: Arc::new(Inner {
                interface,
                addresses,
                role,
                status: LinkStatus::LeftOut(String::new()),
                families: Vec::new(),
            }),
        }
    }

    /// The same link with another verdict.
    pub(super) fn with_status(&self, status: LinkStatus, families: Vec<Family>) -> Self {
        let inner = &self.inner;
        Self {
            inner: Arc::new(Inner {
                interface: inner.interface.clone(),
                addresses: inner.addresses.clone(),
                role: inner.role,
                status,
                families,
            }),
        }
    }

    /// Its number in the engine and in all that is reported.
    pub fn id(&self) -> LinkId {
        LinkId(self.index())
    }

    /// The interface's name, such as `eth0`. It may change while the link stays the same.
    pub fn name(&self) -> &str {
        &self.inner.interface.name
    }

    /// The interface's index, never 0; the scope id of link-local addresses on it.
    pub fn index(&self) -> u32 {
        self.inner.interface.index
    }

    /// Its addresses, also those that are still being checked for duplicates.
    pub fn addresses(&self) -> &[LinkAddress] {
        &self.inner.addresses
    }

    /// Bytes of the largest IP packet.
    pub fn mtu(&self) -> u32 {
        self.inner.interface.mtu
    }

    /// What kind of virtual interface it is (`bridge`, `veth`, `wireguard` …); hardware has none, nor has any on systems that do not
    /// tell.
    pub fn kind(&self) -> Option<&str> {
        self.inner.interface.kind.as_deref()
    }

    /// It is switched on.
    pub fn is_up(&self) -> bool {
        self.inner.interface.is_up
    }

    /// The cable is in, the radio is associated.
    pub fn has_carrier(&self) -> bool {
        self.inner.interface.is_running
    }

    /// It carries multicasts, by its own account. Loopback does without saying so (ruling 28).
    pub fn is_multicast(&self) -> bool {
        self.inner.interface.is_multicast
    }

    /// The machine talks to itself on it.
    pub fn is_loopback(&self) -> bool {
        self.inner.interface.is_loopback
    }

    /// It has one other end, as most VPNs have.
    pub fn is_point_to_point(&self) -> bool {
        self.inner.interface.is_point_to_point
    }

    /// Whether it is used, and why not.
    pub fn status(&self) -> &LinkStatus {
        &self.inner.status
    }

    /// Multicast DNS is spoken on it now.
    pub fn is_in_use(&self) -> bool {
        self.inner.status == LinkStatus::InUse
    }

    /// The families in which multicasts go out on it; none if it is not in use (but while sending fails, those that are tried).
    pub fn families(&self) -> &[Family] {
        &self.inner.families
    }

    /// Whether the default policy takes it, or why not.
    pub(super) fn role(&self) -> Result<(), &'static str> {
        self.inner.role
    }

    pub(super) fn interface(&self) -> &Interface {
        &self.inner.interface
    }
}

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&*self.inner, &*other.inner);
        Arc::ptr_eq(&self.inner, &other.inner)
            || (a.interface == b.interface
                && a.role == b.role
                && a.status == b.status
                && a.families == b.families)
    }
}

impl Eq for Link {}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("index", &self.index())
            .field("name", &self.name())
            .field("addresses", &self.addresses())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for LinkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("in use"),
            Self::LeftOut(why) => write!(f, "left out: {why}"),
            Self::Unusable(why) => write!(f, "unusable: {why}"),
        }
    }
}
