//! Hosts and links, and the passing of time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use cooee_mdns::{Datagram, Destination, Family, Instant, LinkAddress, LinkId, LinkInfo, Node};

use crate::address::Address;
use crate::chance::Chance;
use crate::monitor::{Monitor, Violation};
use crate::packet::Packet;
use crate::station::Station;

const PORT: u16 = 5353;
const GROUP_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb));

/// What a link does to the packets that cross it.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// How long a packet takes at least.
    pub delay: Duration,
    /// How much longer it may take; with more than the time between two packets they overtake each other.
    pub jitter: Duration,
    /// Probability that one receiver does not get a packet.
    pub loss: f64,
    /// Probability that one receiver gets it twice.
    pub duplication: f64,
}

impl Default for Conditions {
    /// A wire in a house: 1 ms, and nothing is lost.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
        }
    }
}

/// The number of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(usize);

/// A simulated network of hosts that run nodes of type `N`.
#[derive(Debug)]
pub struct Network<N = Station> {
    now: Instant,
    chance: Chance,
    links: BTreeMap<LinkId, Conditions>,
    hosts: Vec<Host<N>>,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    sent: u64,
    packets: Vec<Packet>,
    monitor: Monitor,
}

#[derive(Debug)]
struct Host<N> {
    name: String,
    node: N,
    interfaces: BTreeMap<LinkId, Vec<LinkAddress>>,
    alive: bool,
    /// The system refuses to send.
    mute: bool,
    /// Since when the machine sleeps.
    asleep: Option<Instant>,
}

impl<N> Host<N> {
    fn is_awake(&self) -> bool {
        self.alive && self.asleep.is_none()
    }
}

/// A packet on its way to one host.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    arrives: Instant,
    /// Packets that arrive together do so in the order of sending.
    number: u64,
    host: HostId,
    link: LinkId,
    source: SocketAddr,
    destination: IpAddr,
    payload: Vec<u8>,
}

impl Network<Station> {
    /// Adds a host with an engine and nothing on it.
    pub fn add_station(&mut self, name: &str) -> HostId {
        self.add_host(name, Station::new)
    }
}

impl<N: Node> Network<N> {
    /// An empty network, in which all chance comes from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            // Not zero, so that a forgotten time shows.
            now: Instant::from_micros(1_000_000),
            chance: Chance::new(seed),
            links: BTreeMap::new(),
            hosts: Vec::new(),
            under_way: BinaryHeap::new(),
            sent: 0,
            packets: Vec::new(),
            monitor: Monitor::default(),
        }
    }

    /// The present.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Adds a link.
    pub fn add_link(&mut self, conditions: Conditions) -> LinkId {
        let id = LinkId(
            u32::try_from(self.links.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        );
        self.links.insert(id, conditions);
        id
    }

    /// Changes what a link does to packets.
    pub fn set_conditions(&mut self, link: LinkId, conditions: Conditions) {
        self.links.insert(link, conditions);
    }

    /// Adds a host; `node` makes its node from a seed and the present time.
    pub fn add_host(&mut self, name: &str, node: impl FnOnce(u64, Instant) -> N) -> HostId {
        let node = node(self.chance.next(), self.now);
        self.hosts.push(Host {
            name: name.to_owned(),
            node,
            interfaces: BTreeMap::new(),
            alive: true,
            mute: false,
            asleep: None,
        });
        HostId(self.hosts.len() - 1)
    }

    /// Connects a host to a link, with these addresses; a family without address is not used.
    pub fn join(&mut self, host: HostId, link: LinkId, addresses: &[Address]) {
        let addresses: Vec<LinkAddress> = addresses.iter().map(|&address| address.into()).collect();
        let interfaces = &mut self.hosts[host.0].interfaces;
        if interfaces.insert(link, addresses.clone()).is_none() {
            self.monitor.forget_claims(host);
        }
        self.command(host, |node, now| {
            node.engine().link_up(now, link, LinkInfo::new(addresses))
        });
    }

    /// Gives a host other addresses on a link.
    pub fn readdress(&mut self, host: HostId, link: LinkId, addresses: &[Address]) {
        let addresses: Vec<LinkAddress> = addresses.iter().map(|&address| address.into()).collect();
        self.hosts[host.0]
            .interfaces
            .insert(link, addresses.clone());
        self.command(host, |node, now| {
            node.engine()
                .link_changed(now, link, LinkInfo::new(addresses))
        });
    }

    /// Takes a host off a link.
    pub fn leave(&mut self, host: HostId, link: LinkId) {
        self.hosts[host.0].interfaces.remove(&link);
        self.command(host, |node, now| node.engine().link_down(now, link));
    }

    /// The host is gone at once, without a word.
    pub fn crash(&mut self, host: HostId) {
        self.hosts[host.0].alive = false;
    }

    /// The host's machine is put to sleep: it hears nothing and does nothing, but its clock goes on.
    pub fn suspend(&mut self, host: HostId) {
        self.hosts[host.0].asleep.get_or_insert(self.now);
    }

    /// The host's machine wakes up.
    pub fn resume(&mut self, host: HostId) {
        if let Some(since) = self.hosts[host.0].asleep.take() {
            self.monitor.forget_claims(host);
            let slept = self.now.since(since);
            self.command(host, |node, now| node.engine().resumed(now, slept));
        }
    }

    /// The host's system refuses to send anything, or does not any more.
    pub fn set_mute(&mut self, host: HostId, mute: bool) {
        self.hosts[host.0].mute = mute;
    }

    /// A host's node.
    pub fn node(&self, host: HostId) -> &N {
        &self.hosts[host.0].node
    }

    /// Tells a host's node to do something, and sends what comes of it.
    pub fn command<T>(&mut self, host: HostId, command: impl FnOnce(&mut N, Instant) -> T) -> T {
        let result = command(&mut self.hosts[host.0].node, self.now);
        if self.hosts[host.0].is_awake() {
            self.serve(host);
        }
        result
    }

    /// Delivers a packet of somebody who is not a host of this network to all on a link.
    pub fn inject(&mut self, link: LinkId, source: SocketAddr, payload: &[u8]) {
        let destination = SocketAddr::new(if source.is_ipv4() { GROUP_V4 } else { GROUP_V6 }, PORT);
        self.transmit(None, link, source, destination, payload);
    }

    /// Lets time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run_until(end, |_| false);
    }

    /// Lets time pass until `end`, or until `done`. Tells whether it was done.
    pub fn run_until(&mut self, end: Instant, mut done: impl FnMut(&Self) -> bool) -> bool {
        loop {
            if done(self) {
                return true;
            }
            let arrival = self.under_way.peek().map(|Reverse(packet)| packet.arrives);
            let deadline = self
                .hosts
                .iter()
                .filter(|host| host.is_awake())
                .filter_map(|host| host.node.poll_timeout())
                .min();
            let Some(next) = arrival
                .into_iter()
                .chain(deadline)
                .min()
                .filter(|next| *next <= end)
            else {
                self.now = self.now.max(end);
                return done(self);
            };
            self.now = self.now.max(next);
            self.deliver();
            for host in (0..self.hosts.len()).map(HostId) {
                self.wake(host);
            }
        }
    }

    /// All packets sent so far; a multicast counts once for each family.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// What was against the rules.
    pub fn violations(&self) -> &[Violation] {
        self.monitor.violations()
    }

    /// All packets and all violations, to be printed when a test fails.
    pub fn transcript(&self) -> String {
        let mut text = String::new();
        for packet in &self.packets {
            let _ = writeln!(text, "{packet}");
        }
        for violation in self.violations() {
            let _ = writeln!(text, "!! {violation}");
        }
        text
    }

    fn deliver(&mut self) {
        while self
            .under_way
            .peek()
            .is_some_and(|Reverse(packet)| packet.arrives <= self.now)
        {
            let Some(Reverse(packet)) = self.under_way.pop() else {
                return;
            };
            let host = &mut self.hosts[packet.host.0];
            if !host.is_awake() || !host.interfaces.contains_key(&packet.link) {
                continue;
            }
            let datagram = Datagram {
                link: packet.link,
                source: packet.source,
                destination: packet.destination,
                payload: &packet.payload,
            };
            host.node.engine().handle_datagram(self.now, &datagram);
            self.serve(packet.host);
        }
    }

    fn wake(&mut self, id: HostId) {
        let host = &mut self.hosts[id.0];
        if host.is_awake() && host.node.poll_timeout().is_some_and(|due| due <= self.now) {
            host.node.engine().handle_timeout(self.now);
            self.serve(id);
        }
    }

    /// Does what a driver does after every call.
    fn serve(&mut self, id: HostId) {
        let mut buffer = Vec::new();
        self.hosts[id.0].node.process(self.now);
        loop {
            let host = &mut self.hosts[id.0];
            let Some(transmit) = host.node.engine().poll_transmit(self.now, &mut buffer) else {
                break;
            };
            let addresses = host
                .interfaces
                .get(&transmit.link)
                .cloned()
                .unwrap_or_default();
            for family in transmit.destination.families() {
                let source = addresses
                    .iter()
                    .map(|a| a.address)
                    .find(|address| Family::of(*address) == family);
                let sent = source.filter(|_| !self.hosts[id.0].mute);
                self.hosts[id.0].node.engine().transmitted(
                    self.now,
                    transmit.id,
                    family,
                    sent.is_some(),
                );
                let Some(source) = sent else { continue };
                let destination = match transmit.destination {
                    Destination::Unicast(to) => to,
                    _ => SocketAddr::new(
                        if family == Family::V4 {
                            GROUP_V4
                        } else {
                            GROUP_V6
                        },
                        PORT,
                    ),
                };
                self.transmit(
                    Some(id),
                    transmit.link,
                    SocketAddr::new(source, PORT),
                    destination,
                    &buffer,
                );
            }
            self.hosts[id.0].node.process(self.now);
        }
    }

    /// Puts a packet onto a link: to all, the sender too, or to one.
    fn transmit(
        &mut self,
        from: Option<HostId>,
        link: LinkId,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) {
        let sender = from.map_or_else(|| source.to_string(), |id| self.hosts[id.0].name.clone());
        let packet = Packet {
            at: self.now,
            link,
            host: from,
            sender,
            source,
            destination,
            payload: payload.to_vec(),
        };
        self.monitor.watch(&packet);
        self.packets.push(packet);
        let Some(&conditions) = self.links.get(&link) else {
            return;
        };
        let family = Family::of(source.ip());
        for id in (0..self.hosts.len()).map(HostId) {
            let Some(addresses) = self.hosts[id.0].interfaces.get(&link) else {
                continue;
            };
            let hears = if destination.ip().is_multicast() {
                addresses.iter().any(|a| Family::of(a.address) == family)
            } else {
                addresses.iter().any(|a| a.address == destination.ip())
            };
            if !hears {
                continue;
            }
            // One's own copy comes back at once, by way of the system and not of the link.
            let own = from == Some(id);
            let copies = match () {
                () if own => 1,
                () if self.chance.happens(conditions.loss) => 0,
                () if self.chance.happens(conditions.duplication) => 2,
                () => 1,
            };
            for _ in 0..copies {
                let takes = if own {
                    Duration::ZERO
                } else {
                    conditions.delay + self.chance.up_to(conditions.jitter)
                };
                self.sent += 1;
                self.under_way.push(Reverse(UnderWay {
                    arrives: self.now + takes,
                    number: self.sent,
                    host: id,
                    link,
                    source,
                    destination: destination.ip(),
                    payload: payload.to_vec(),
                }));
            }
        }
    }
}
