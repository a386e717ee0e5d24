//! What was found, in a form that programs can connect to.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use cooee_mdns::net::Families;
use cooee_mdns::{Family, LinkId, LinkSet};
use cooee_sd::{InstanceName, Missing, ServiceName, ServiceType, Ttl, TxtAttributes};
use cooee_wire::{Name, NameBuf, RdataBuf, RecordBuf};
use tokio::time::Instant;

use crate::address::ScopedAddr;
use crate::links::{Link, LinkTable};

/// A service that was found and resolved: a picture of one moment, which does not change. A clone costs one reference count.
///
/// The fields at the top are those of the link where the service has been known longest; [`views`](Self::views) has all. Two are equal if they
/// say the same about name, host, port, priority, weight, TXT, addresses and links; how fresh that is does not matter.
#[derive(Clone)]
pub struct FoundService(Arc<Inner>);

struct Inner {
    found: cooee_sd::Found,
    instance: InstanceName,
    kind: ServiceType,
    addresses: Box<[ScopedAddr]>,
    socket_addrs: Box<[SocketAddr]>,
    links: Box<[Link]>,
    /// Of the computer.
    known_links: LinkTable,
    views: Box<[View]>,
    /// When the picture was made, and how long it was good for then.
    made: Instant,
    good_for: Duration,
}

impl FoundService {
    /// `now` is the node's time.
    pub(crate) fn new(found: &cooee_sd::Found, links: &LinkTable, now: Duration) -> Self {
        let views: Box<[View]> = found
            .views()
            .iter()
            .map(|view| View::new(view, links))
            .collect();
        let addresses = addresses(&found.view().addresses, links);
        let socket_addrs = addresses
            .iter()
            .map(|address| address.with_port(found.view().port))
            .collect();
        Self(Arc::new(Inner {
            instance: found.name().instance(),
            kind: found.name().service_type(),
            addresses,
            socket_addrs,
            links: links.select(found.links().iter().map(|link| link.0)),
            known_links: links.clone(),
            views,
            made: Instant::now(),
            good_for: found.view().expires_at.saturating_sub(now),
            found: found.clone(),
        }))
    }

    /// The records by which it is reached, and where they were seen: those to doubt when it cannot be.
    pub(crate) fn records(&self) -> Vec<(RecordBuf, LinkSet)> {
        let mut records = Vec::new();
        for view in self.0.found.views() {
            let srv = RdataBuf::srv(view.priority, view.weight, view.port, view.host.as_name());
            let srv = RecordBuf::new(self.name().as_name_buf().clone(), 0, srv);
            let links = view.links.iter().map(|link| LinkId(link.0));
            records.push((srv, LinkSet::Only(links.collect())));
            for found in &view.addresses {
                let address = match found.address {
                    IpAddr::V4(ip) => RdataBuf::a(ip),
                    IpAddr::V6(ip) => RdataBuf::aaaa(ip),
                };
                let address = RecordBuf::new(view.host.clone(), 0, address);
                records.push((address, LinkSet::one(LinkId(found.link.0))));
            }
        }
        records
    }

    /// The same with the addresses of these families only.
    pub(crate) fn only(self, families: Families) -> Self {
        if families == Families::Both {
            return self;
        }
        let inner = &*self.0;
        let addresses: Box<[ScopedAddr]> = inner
            .addresses
            .iter()
            .filter(|address| families.contains(Family::of(address.ip())))
            .copied()
            .collect();
        Self(Arc::new(Inner {
            found: inner.found.clone(),
            instance: inner.instance,
            kind: inner.kind,
            socket_addrs: addresses
                .iter()
                .map(|address| address.with_port(self.port()))
                .collect(),
            addresses,
            links: inner.links.clone(),
            known_links: inner.known_links.clone(),
            views: inner.views.clone(),
            made: inner.made,
            good_for: inner.good_for,
        }))
    }

    /// Its name, by which it can be found again: `Keith’s web server._http._tcp.local`.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        self.0.found.name()
    }

    /// The part of the name that is for people.
    #[must_use]
    pub fn instance(&self) -> &InstanceName {
        &self.0.instance
    }

    /// What kind of service it is.
    #[must_use]
    pub fn service_type(&self) -> &ServiceType {
        &self.0.kind
    }

    /// The host it runs on.
    #[must_use]
    pub fn host(&self) -> &NameBuf {
        &self.0.found.view().host
    }

    /// Its port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.found.view().port
    }

    /// Of several services for one purpose, the one with the lowest number is to be used.
    #[must_use]
    pub fn priority(&self) -> u16 {
        self.0.found.view().priority
    }

    /// The share of clients among services of the same priority.
    #[must_use]
    pub fn weight(&self) -> u16 {
        self.0.found.view().weight
    }

    /// All hosts that serve this name, in the order in which a client should try them: the lowest priority first, among equals by lot, in proportion to
    /// their weights. Each call draws anew.
    ///
    /// Nearly every service has one host, which is then the only element; the addresses of a further one are there when they are known.
    ///
    /// ```no_run
    /// # fn example(service: cooee::FoundService) -> Option<std::net::TcpStream> {
    /// service
    ///     .targets()
    ///     .iter()
    ///     .find_map(|target| std::net::TcpStream::connect(target.socket_addrs()).ok())
    /// # }
    /// ```
    // RFC 6763 §5 (6763-5-3)
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        let targets = self.0.found.view().targets(draw);
        let target = |target| Target::new(target, &self.0.known_links);
        targets.into_iter().map(target).collect()
    }

    /// Its TXT attributes.
    #[must_use]
    pub fn txt(&self) -> &TxtAttributes {
        &self.0.found.view().txt
    }

    /// Where the host can be reached, best first.
    #[must_use]
    pub fn addresses(&self) -> &[ScopedAddr] {
        &self.0.addresses
    }

    /// Where the service can be reached, best first: what `TcpStream::connect` takes, in tokio and in std. Empty if its host has lost all addresses
    /// since it was found.
    #[must_use]
    pub fn socket_addrs(&self) -> &[SocketAddr] {
        &self.0.socket_addrs
    }

    /// The links on which it is seen.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.0.links
    }

    /// What is said on each link. Links where the same host and port are named make one view; longest known first.
    #[must_use]
    pub fn views(&self) -> &[View] {
        &self.0.views
    }

    /// Whether it is published through this [`Zeroconf`](crate::Zeroconf) or a clone of it. Another program on this computer is not "own".
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.found.is_own()
    }

    /// How long what is said here is good for, if nothing more is heard. Zero if that time is over; it is asked for anew long before.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.0.good_for.saturating_sub(self.0.made.elapsed())
    }

    /// Lifetimes of the records behind it, as received.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.0.found.view().ttl
    }
}

impl PartialEq for FoundService {
    fn eq(&self, other: &Self) -> bool {
        self.0.found == other.0.found
    }
}

impl Eq for FoundService {}

impl fmt::Debug for FoundService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundService")
            .field("name", self.name())
            .field("host", self.host())
            .field("port", &self.port())
            .field("txt", self.txt())
            .field("addresses", &self.addresses())
            .field("links", &self.links())
            .finish_non_exhaustive()
    }
}

/// What is said about a service on one link, or on several that name the same host and port.
#[derive(Clone)]
pub struct View {
    view: cooee_sd::View,
    addresses: Box<[ScopedAddr]>,
    socket_addrs: Box<[SocketAddr]>,
    links: Box<[Link]>,
}

impl View {
    fn new(view: &cooee_sd::View, links: &LinkTable) -> Self {
        let addresses = addresses(&view.addresses, links);
        Self {
            socket_addrs: addresses
                .iter()
                .map(|address| address.with_port(view.port))
                .collect(),
            addresses,
            links: links.select(view.links.iter().map(|link| link.0)),
            view: view.clone(),
        }
    }

    /// The links that say so.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &NameBuf {
        &self.view.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.view.port
    }

    /// As [`FoundService::priority`].
    #[must_use]
    pub fn priority(&self) -> u16 {
        self.view.priority
    }

    /// As [`FoundService::weight`].
    #[must_use]
    pub fn weight(&self) -> u16 {
        self.view.weight
    }

    /// The TXT attributes.
    #[must_use]
    pub fn txt(&self) -> &TxtAttributes {
        &self.view.txt
    }

    /// Where the host can be reached, best first.
    #[must_use]
    pub fn addresses(&self) -> &[ScopedAddr] {
        &self.addresses
    }

    /// Where the service can be reached, best first.
    #[must_use]
    pub fn socket_addrs(&self) -> &[SocketAddr] {
        &self.socket_addrs
    }

    /// Lifetimes of the records, as received.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        self.view.ttl
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("links", &self.links)
            .field("host", self.host())
            .field("port", &self.port())
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// One of the hosts that serve a name. See [`FoundService::targets`].
#[derive(Clone, Debug)]
pub struct Target {
    target: cooee_sd::Target,
    socket_addrs: Box<[SocketAddr]>,
}

impl Target {
    fn new(target: cooee_sd::Target, links: &LinkTable) -> Self {
        let addresses = addresses(&target.addresses, links);
        Self {
            socket_addrs: addresses
                .iter()
                .map(|address| address.with_port(target.port))
                .collect(),
            target,
        }
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &NameBuf {
        &self.target.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.target.port
    }

    /// As [`FoundService::priority`].
    #[must_use]
    pub fn priority(&self) -> u16 {
        self.target.priority
    }

    /// As [`FoundService::weight`].
    #[must_use]
    pub fn weight(&self) -> u16 {
        self.target.weight
    }

    /// Where the service can be reached there, best first; empty while no address is known.
    #[must_use]
    pub fn socket_addrs(&self) -> &[SocketAddr] {
        &self.socket_addrs
    }
}

/// A number from the range. Every new state of the standard library's hasher has other keys, which nobody can guess.
fn draw(range: RangeInclusive<u32>) -> u32 {
    let wide = RandomState::new().hash_one(0) >> 32;
    let count = u64::from(range.end() - range.start()) + 1;
    // Below `count`, as `wide` has 32 bits.
    range.start() + u32::try_from((wide * count) >> 32).unwrap_or_default()
}

/// An instance that is announced, but of which something is missing.
#[derive(Clone, Debug)]
pub struct Unresolved {
    name: ServiceName,
    missing: Missing,
    links: Box<[Link]>,
    own: bool,
}

impl Unresolved {
    pub(crate) fn new(unresolved: cooee_sd::Unresolved, links: &LinkTable) -> Self {
        Self {
            links: links.select(unresolved.links.iter().map(|link| link.0)),
            name: unresolved.name,
            missing: unresolved.missing,
            own: unresolved.own,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.name
    }

    /// What is missing.
    #[must_use]
    pub fn missing(&self) -> Missing {
        self.missing
    }

    /// The links on which it is announced.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// As [`FoundService::is_own`].
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own
    }
}

/// All that a browser knows at one moment.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// What is found and resolved, by name.
    pub services: Vec<FoundService>,
    /// What is announced but not resolved (yet), by name. With [`Browse::names_only`](crate::Browse::names_only), everything.
    pub unresolved: Vec<Unresolved>,
}

impl Snapshot {
    pub(crate) fn new(snapshot: cooee_sd::Snapshot, links: &LinkTable, now: Duration) -> Self {
        Self {
            services: snapshot
                .services
                .iter()
                .map(|found| FoundService::new(found, links, now))
                .collect(),
            unresolved: snapshot
                .unresolved
                .into_iter()
                .map(|unresolved| Unresolved::new(unresolved, links))
                .collect(),
        }
    }
}

/// The addresses of a host.
///
/// Two are equal if name and addresses are; for how long they may be kept makes no difference.
#[derive(Clone, Debug)]
pub struct HostAddresses {
    name: NameBuf,
    addresses: Vec<ScopedAddr>,
    ttl: u32,
}

// Ruling 30.
impl PartialEq for HostAddresses {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.addresses) == (&other.name, &other.addresses)
    }
}

impl Eq for HostAddresses {}

impl HostAddresses {
    pub(crate) fn new(name: NameBuf, addresses: BTreeSet<ScopedAddr>, ttl: u32) -> Self {
        Self {
            name,
            addresses: addresses.into_iter().collect(),
            ttl,
        }
    }

    /// For how many seconds they may be kept, as received: the least of all.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.ttl
    }

    /// The host.
    #[must_use]
    pub fn name(&self) -> Name<'_> {
        self.name.as_name()
    }

    /// Where it can be reached, best first.
    #[must_use]
    pub fn addresses(&self) -> &[ScopedAddr] {
        &self.addresses
    }

    /// The same with a port, for `connect`.
    #[must_use]
    pub fn socket_addrs(&self, port: u16) -> Vec<SocketAddr> {
        self.addresses
            .iter()
            .map(|address| address.with_port(port))
            .collect()
    }
}

/// Best first, each once, without what is no address to connect to.
fn addresses(found: &[cooee_sd::FoundAddress], links: &LinkTable) -> Box<[ScopedAddr]> {
    let set: BTreeSet<_> = found
        .iter()
        .map(|found| links.scoped(found.address, found.link.0))
        .filter(ScopedAddr::is_usable)
        .collect();
    set.into_iter().collect()
}
