//! What a browser reports.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::NameBuf;

use super::Link;
use crate::service_name::ServiceName;
use crate::txt::TxtAttributes;

/// A service that was found and resolved. A clone is one reference count.
///
/// Two are equal if they say the same about name, host, port, priority, weight, TXT, addresses and links; how long that
/// is good for does not matter (ruling 30).
#[derive(Clone, Debug)]
pub struct Found {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: ServiceName,
    own: bool,
    links: Vec<Link>,
    /// Never empty.
    views: Vec<View>,
}

impl Found {
    /// `None` without a view.
    pub(crate) fn new(name: ServiceName, own: bool, views: Vec<View>) -> Option<Self> {
        if views.is_empty() {
            return None;
        }
        let mut links: Vec<_> = views
            .iter()
            .flat_map(|view| view.links.iter().copied())
            .collect();
        links.sort_unstable();
        links.shrink_to_fit();
        Some(Self {
            inner: Arc::new(Inner {
                name,
                own,
                links,
                views,
            }),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.inner.name
    }

    /// What is said on the link where the service has been known longest; it does not change while that view lives.
    // ruling 31
    #[must_use]
    pub fn view(&self) -> &View {
        self.inner
            .views
            .first()
            .expect("a service is found by at least one view")
    }

    /// What is said on each link. Links that name the same host and port are one view; longest known first.
    // ruling 31
    #[must_use]
    pub fn views(&self) -> &[View] {
        &self.inner.views
    }

    /// All links on which it is seen.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.inner.links
    }

    /// Whether it is published through the same node, on any link.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.inner.own
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        let same = |(ours, theirs): (&View, &View)| ours.says_the_same(theirs);
        Arc::ptr_eq(&self.inner, &other.inner)
            || (self.name() == other.name()
                && self.inner.own == other.inner.own
                && self.views().len() == other.views().len()
                && self.views().iter().zip(other.views()).all(same))
    }
}

impl Eq for Found {}

/// What is said about a service on one link, or on several that name the same host and port.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct View {
    /// The links that say so, longest known first.
    pub links: Vec<Link>,
    /// The host the service runs on.
    pub host: NameBuf,
    /// Its port, never 0.
    pub port: u16,
    /// Hosts with the lowest number are to be tried first (RFC 2782).
    pub priority: u16,
    /// The share of clients among hosts of the same priority (RFC 2782).
    pub weight: u16,
    /// The attributes; of several TXT records, the latest.
    pub txt: TxtAttributes,
    /// Further TXT records, for the one protocol that has them (LPR printing), and while one replaces another. No part of
    /// equality.
    // RFC 6763 §6.8 (6763-6.8-2)
    pub more_txt: Vec<TxtAttributes>,
    /// Further hosts that serve the same name, as their SRV records say. No part of equality.
    // RFC 6763 §5 (6763-5-3)
    pub others: Vec<Target>,
    /// Where the host can be reached, best first: IPv4, IPv6, link-local ones, then loopback.
    pub addresses: Vec<FoundAddress>,
    /// The lifetimes as received, on the link known longest.
    pub ttl: Ttl,
    /// When the first of the records ends unless it is renewed, on the caller's clock, as far as the machine was told.
    pub expires_at: Duration,
}

impl View {
    fn says_the_same(&self, other: &Self) -> bool {
        self.host == other.host
            && (self.port, self.priority, self.weight) == (other.port, other.priority, other.weight)
            && self.txt == other.txt
            && self.addresses == other.addresses
            && self.links == other.links
    }
}

/// One more host of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The host.
    pub host: NameBuf,
    /// Its port.
    pub port: u16,
    /// The lowest goes first.
    pub priority: u16,
    /// The share among equals.
    pub weight: u16,
    /// Where it can be reached.
    pub addresses: Vec<FoundAddress>,
}

/// An address and the link on which it was told: a link-local one has no meaning elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "an address on a link has no third part"
)]
pub struct FoundAddress {
    /// The address.
    pub address: IpAddr,
    /// The link.
    pub link: Link,
}

impl FoundAddress {
    /// Best first: what works from everywhere on the link, then what needs a scope, then what leads no further than this computer.
    pub(crate) fn rank(&self) -> (u8, IpAddr, Link) {
        let rank = match self.address {
            address if address.is_loopback() => 4,
            IpAddr::V4(address) if address.is_link_local() => 2,
            IpAddr::V4(_) => 0,
            IpAddr::V6(address) if address.is_unicast_link_local() => 3,
            IpAddr::V6(_) => 1,
        };
        (rank, self.address, self.link)
    }
}

/// Lifetimes of the records behind a view, in seconds as received. `None`: there is no such record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ttl {
    /// Of the PTR record that named the instance.
    pub ptr: Option<u32>,
    /// Of the SRV record.
    pub srv: Option<u32>,
    /// Of the TXT record.
    pub txt: Option<u32>,
    /// The shortest of the address records.
    pub address: Option<u32>,
}

/// A difference between what was told and what is true.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth thing a state can do"
)]
pub enum BrowseEvent {
    /// Something new, or something that was removed before.
    Added(Found),
    /// The whole picture of something that was told, changed.
    Updated(Found),
    /// Gone from all links.
    Removed(ServiceName),
}

/// All that is true now.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// What is found and resolved, by name.
    pub services: Vec<Found>,
    /// What is found, but not resolved (yet), by name.
    pub unresolved: Vec<Unresolved>,
}

/// An instance that is announced, but of which something is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unresolved {
    /// Its name.
    pub name: ServiceName,
    /// Where it is announced.
    pub links: Vec<Link>,
    /// What is missing on the link where the least is.
    pub missing: Missing,
    /// Whether it is published through the same node.
    pub own: bool,
}

/// What an instance lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Missing {
    /// No SRV record.
    pub srv: bool,
    /// No TXT record.
    pub txt: bool,
    /// No address of the host, or one whose other address family may still come within 250 ms.
    pub address: bool,
    /// The SRV record has port 0: a placeholder that keeps the name, not a service.
    // RFC 6763 §8 (6763-8-7)
    pub port: bool,
}
