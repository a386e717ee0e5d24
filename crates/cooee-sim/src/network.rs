//! Hosts and links, and the passing of time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cooee_mdns::{Datagram, Destination, Family, Instant, LinkAddress, LinkId, LinkInfo, Node};

use crate::address::Address;
use crate::chance::Chance;
use crate::host::{Host, HostId};
use crate::monitor::{Monitor, Violation};
use crate::packet::Packet;
use crate::station::Station;
use crate::traffic::Traffic;
use crate::wire::{Conditions, Interface, Letter, To, UnderWay, Wire};

pub(crate) const PORT: u16 = 5353;
const GROUP_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb));
/// How many bridges a packet crosses before a loop of them lets it go.
const MOST_BRIDGES: u32 = 4;

/// A simulated network of hosts that run nodes of type `N`.
#[derive(Debug)]
pub struct Network<N = Station> {
    now: Instant,
    seed: u64,
    chance: Chance,
    links: BTreeMap<LinkId, Wire>,
    hosts: Vec<Host<N>>,
    /// By time of arrival, and in the order of sending.
    under_way: BTreeMap<(Instant, u64), UnderWay>,
    /// When a host's node wants to be called.
    deadlines: BTreeSet<(Instant, HostId)>,
    sent: u64,
    packets: Vec<Packet>,
    /// Of a transcript with a bound: the last packets.
    recent: VecDeque<Packet>,
    keep: Keep,
    traffic: Traffic,
    monitor: Option<Monitor>,
    last_response: BTreeMap<LinkId, Arc<[u8]>>,
    buffer: Vec<u8>,
}

/// How much of what was sent is kept for the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    All,
    Last(usize),
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
            seed,
            chance: Chance::new(seed),
            links: BTreeMap::new(),
            hosts: Vec::new(),
            under_way: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            sent: 0,
            packets: Vec::new(),
            recent: VecDeque::new(),
            keep: Keep::All,
            traffic: Traffic::default(),
            monitor: Some(Monitor::default()),
            last_response: BTreeMap::new(),
            buffer: Vec::new(),
        }
    }

    /// Keeps only the last so many packets for the transcript: a long run would fill the memory. [`packets`](Self::packets) is
    /// empty then.
    pub fn keep_last(&mut self, packets: usize) {
        self.keep = Keep::Last(packets);
    }

    /// Judges no packet any more: for measuring.
    pub fn stop_watching(&mut self) {
        self.monitor = None;
    }

    /// The present.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// What has gone over the links so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Adds a link.
    pub fn add_link(&mut self, conditions: Conditions) -> LinkId {
        let id = LinkId(
            u32::try_from(self.links.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
        );
        self.set_conditions(id, conditions);
        id
    }

    /// Changes what a link does to packets.
    pub fn set_conditions(&mut self, link: LinkId, conditions: Conditions) {
        self.links.entry(link).or_default().conditions = conditions;
    }

    /// Connects two links by a bridge: what is multicast on one is heard on the other too, a moment later. Bridges may form a loop;
    /// a packet goes round until it has crossed four of them.
    pub fn bridge(&mut self, one: LinkId, other: LinkId) {
        self.links.entry(one).or_default().bridged.push(other);
        self.links.entry(other).or_default().bridged.push(one);
    }

    /// Takes the bridges between two links away.
    pub fn unbridge(&mut self, one: LinkId, other: LinkId) {
        for (link, gone) in [(one, other), (other, one)] {
            if let Some(wire) = self.links.get_mut(&link) {
                wire.bridged.retain(|to| *to != gone);
            }
        }
    }

    /// Cuts a link in two: these hosts hear each other and nobody else, until it is healed. No host is told.
    pub fn partition(&mut self, link: LinkId, apart: &[HostId]) {
        for (id, host) in (0..).map(HostId).zip(&mut self.hosts) {
            if let Some(interface) = host.interfaces.get_mut(&link) {
                interface.side = u32::from(apart.contains(&id));
            }
        }
    }

    /// Takes a link apart: each host hears itself alone, until the link is healed. No host is told.
    pub fn scatter(&mut self, link: LinkId) {
        self.links.entry(link).or_default().scattered = true;
    }

    /// Makes one link of the parts again. No host is told.
    pub fn heal(&mut self, link: LinkId) {
        self.links.entry(link).or_default().scattered = false;
        self.partition(link, &[]);
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
            ahead: 0,
            scheduled: None,
        });
        HostId(self.hosts.len() - 1)
    }

    /// Connects a host to a link, with these addresses; a family without address is not used.
    pub fn join(&mut self, host: HostId, link: LinkId, addresses: &[Address]) {
        let addresses: Vec<LinkAddress> = addresses.iter().map(|&address| address.into()).collect();
        let interface = Interface {
            addresses: addresses.clone(),
            side: 0,
        };
        if self.hosts[host.0]
            .interfaces
            .insert(link, interface)
            .is_none()
        {
            if let Some(monitor) = &mut self.monitor {
                monitor.forget_claims_on(link, host);
            }
            let members = Arc::make_mut(&mut self.links.entry(link).or_default().members);
            let place = members.partition_point(|other| *other < host);
            members.insert(place, host);
        }
        self.command(host, |node, now| {
            node.engine().link_up(now, link, LinkInfo::new(addresses))
        });
    }

    /// Gives a host other addresses on a link.
    pub fn readdress(&mut self, host: HostId, link: LinkId, addresses: &[Address]) {
        let addresses: Vec<LinkAddress> = addresses.iter().map(|&address| address.into()).collect();
        if let Some(interface) = self.hosts[host.0].interfaces.get_mut(&link) {
            interface.addresses = addresses.clone();
        }
        self.command(host, |node, now| {
            node.engine()
                .link_changed(now, link, LinkInfo::new(addresses))
        });
    }

    /// Takes a host off a link.
    pub fn leave(&mut self, host: HostId, link: LinkId) {
        self.unplug(host, link);
        self.command(host, |node, now| node.engine().link_down(now, link));
    }

    fn unplug(&mut self, host: HostId, link: LinkId) {
        if self.hosts[host.0].interfaces.remove(&link).is_some()
            && let Some(wire) = self.links.get_mut(&link)
        {
            Arc::make_mut(&mut wire.members).retain(|member| *member != host);
        }
    }

    /// The host is gone at once, without a word.
    pub fn crash(&mut self, host: HostId) {
        self.hosts[host.0].alive = false;
        self.schedule(host);
    }

    /// The host's machine is put to sleep: it hears nothing and does nothing, but its clock goes on.
    pub fn suspend(&mut self, host: HostId) {
        self.hosts[host.0].asleep.get_or_insert(self.now);
        self.schedule(host);
    }

    /// The host's machine wakes up.
    pub fn resume(&mut self, host: HostId) {
        if let Some(since) = self.hosts[host.0].asleep.take() {
            self.forget_claims(host);
            let slept = self.now.since(since);
            self.command(host, |node, now| node.engine().resumed(now, slept));
        }
    }

    /// The host's clock leaps ahead, and nobody tells its node why: a machine that was stopped for a while.
    pub fn jump_clock(&mut self, host: HostId, ahead: Duration) {
        let micros = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
        self.shift_clock(host, micros);
    }

    /// The host's clock is set back, which no clock should ever do. Its node must make the best of it.
    pub fn set_back_clock(&mut self, host: HostId, back: Duration) {
        let micros = i64::try_from(back.as_micros()).unwrap_or(i64::MAX);
        self.shift_clock(host, -micros);
    }

    fn shift_clock(&mut self, host: HostId, micros: i64) {
        let shifted = &mut self.hosts[host.0];
        shifted.ahead = shifted.ahead.saturating_add(micros);
        if let Some(monitor) = &mut self.monitor {
            monitor.forget_pace(host);
        }
        self.schedule(host);
    }

    /// The host's system refuses to send anything, or does not any more.
    pub fn set_mute(&mut self, host: HostId, mute: bool) {
        self.hosts[host.0].mute = mute;
    }

    /// The name of a host in transcripts.
    pub fn name(&self, host: HostId) -> &str {
        &self.hosts[host.0].name
    }

    /// A host's node.
    pub fn node(&self, host: HostId) -> &N {
        &self.hosts[host.0].node
    }

    /// Tells a host's node to do something, and sends what comes of it.
    pub fn command<T>(&mut self, host: HostId, command: impl FnOnce(&mut N, Instant) -> T) -> T {
        let told = &mut self.hosts[host.0];
        let now = told.clock(self.now);
        let result = command(&mut told.node, now);
        if told.is_awake() {
            self.serve(host);
        }
        result
    }

    /// Delivers a packet of somebody who is not a host of this network to all on a link.
    pub fn inject(&mut self, link: LinkId, source: SocketAddr, payload: &[u8]) {
        self.inject_to(link, source, group(Family::of(source.ip())), payload);
    }

    /// The same to whom it may concern: a group, or the host with this address.
    pub fn inject_to(
        &mut self,
        link: LinkId,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) {
        let letter = Letter {
            from: None,
            side: 0,
            source,
            destination,
            payload: payload.into(),
        };
        self.transmit(link, letter);
    }

    /// From now on no two hosts of a link may claim one unique name; see [`unsettle`](Self::unsettle).
    // RFC 6762 §8 (6762-8-1)
    pub fn settle(&mut self) {
        if let Some(monitor) = &mut self.monitor {
            monitor.settle();
        }
    }

    /// What happens from now on may bring names into doubt.
    pub fn unsettle(&mut self) {
        if let Some(monitor) = &mut self.monitor {
            monitor.unsettle();
        }
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
            let arrival = self.under_way.first_key_value().map(|(&(at, _), _)| at);
            let deadline = self.deadlines.first().map(|&(at, _)| at);
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
            self.wake();
        }
    }

    /// All packets sent so far, unless only some are kept; a multicast counts once for each family.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// What was against the rules.
    pub fn violations(&self) -> &[Violation] {
        self.monitor.as_ref().map_or(&[], Monitor::violations)
    }

    /// The seed, all packets that are kept and all violations, to be printed when a test fails.
    pub fn transcript(&self) -> String {
        self.transcript_with(|_| &[])
    }

    /// The packets that are kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Packet> {
        self.packets.iter().chain(&self.recent)
    }

    /// All nodes, with the names of their hosts.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, &N)> {
        self.hosts.iter().map(|host| (&*host.name, &host.node))
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// What a host of the link said last.
    pub(crate) fn last_response(&self, link: LinkId) -> Option<Vec<u8>> {
        self.last_response
            .get(&link)
            .map(|payload| payload.to_vec())
    }

    /// A number from the seed.
    pub(crate) fn draw(&mut self) -> u64 {
        self.chance.next()
    }

    fn forget_claims(&mut self, host: HostId) {
        if let Some(monitor) = &mut self.monitor {
            monitor.forget_claims(host);
        }
    }

    fn deliver(&mut self) {
        while let Some(first) = self.under_way.first_entry() {
            if first.key().0 > self.now {
                return;
            }
            let UnderWay { link, to, letter } = first.remove();
            match to {
                To::One(host) => self.hand_over(host, link, &letter),
                To::All => {
                    let Some(wire) = self.links.get(&link) else {
                        continue;
                    };
                    let members = Arc::clone(&wire.members);
                    for &host in members.iter().filter(|host| letter.from != Some(**host)) {
                        self.hand_over(host, link, &letter);
                    }
                }
            }
        }
    }

    fn hand_over(&mut self, id: HostId, link: LinkId, letter: &Letter) {
        let host = &mut self.hosts[id.0];
        let hears = |interface: &Interface| interface.hears(letter);
        if !host.is_awake() || !host.interfaces.get(&link).is_some_and(hears) {
            return;
        }
        let datagram = Datagram {
            link,
            source: letter.source,
            destination: letter.destination.ip(),
            payload: &letter.payload,
        };
        self.traffic.deliveries += 1;
        let now = host.clock(self.now);
        host.node.engine().handle_datagram(now, &datagram);
        self.serve(id);
    }

    /// Calls the nodes whose time has come, each once.
    fn wake(&mut self) {
        let now = self.now;
        let due: Vec<HostId> = self
            .deadlines
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, host)| *host)
            .collect();
        for id in due {
            let host = &mut self.hosts[id.0];
            let now = host.clock(now);
            if host.is_awake() && host.node.poll_timeout().is_some_and(|due| due <= now) {
                host.node.engine().handle_timeout(now);
                self.serve(id);
            } else {
                self.schedule(id);
            }
        }
    }

    /// Brings the list of deadlines up to date.
    fn schedule(&mut self, id: HostId) {
        let host = &mut self.hosts[id.0];
        let due = if host.is_awake() {
            host.node.poll_timeout()
        } else {
            None
        };
        let due = due.map(|due| {
            Instant::from_micros(
                due.as_micros()
                    .saturating_add_signed(host.ahead.saturating_neg()),
            )
        });
        if due == host.scheduled {
            return;
        }
        if let Some(before) = host.scheduled {
            self.deadlines.remove(&(before, id));
        }
        host.scheduled = due;
        self.deadlines.extend(due.map(|due| (due, id)));
    }

    /// Does what a driver does after every call.
    fn serve(&mut self, id: HostId) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let now = self.hosts[id.0].clock(self.now);
        self.hosts[id.0].node.process(now);
        loop {
            let host = &mut self.hosts[id.0];
            let Some(transmit) = host.node.engine().poll_transmit(now, &mut buffer) else {
                break;
            };
            let mut payload: Option<Arc<[u8]>> = None;
            for family in transmit.destination.families() {
                let host = &mut self.hosts[id.0];
                let interface = host.interfaces.get(&transmit.link);
                let source = interface
                    .and_then(|interface| Some((interface.address(family)?, interface.side)))
                    .filter(|_| !host.mute);
                host.node
                    .engine()
                    .transmitted(now, transmit.id, family, source.is_some());
                let Some((source, side)) = source else {
                    continue;
                };
                let letter = Letter {
                    from: Some(id),
                    side,
                    source: SocketAddr::new(source, PORT),
                    destination: match transmit.destination {
                        Destination::Unicast(to) => to,
                        _ => group(family),
                    },
                    payload: payload
                        .get_or_insert_with(|| buffer.as_slice().into())
                        .clone(),
                };
                self.transmit(transmit.link, letter);
            }
            self.hosts[id.0].node.process(now);
        }
        self.buffer = buffer;
        self.schedule(id);
    }

    /// Puts a packet onto a link: to all, the sender too, or to one.
    fn transmit(&mut self, link: LinkId, letter: Letter) {
        self.note(link, &letter);
        let Some(from) = letter.from else {
            return self.spread(link, &letter, Duration::ZERO, MOST_BRIDGES);
        };
        // One's own copy comes back at once, by way of the system and not of the link.
        if letter.destination.ip().is_multicast() {
            self.post(self.now, link, To::One(from), &letter);
        }
        self.spread(link, &letter, Duration::ZERO, MOST_BRIDGES);
    }

    /// Sends a packet over a link, and over the bridges of that link.
    fn spread(&mut self, link: LinkId, letter: &Letter, so_far: Duration, bridges: u32) {
        let Some(wire) = self.links.get_mut(&link) else {
            return;
        };
        if wire.scattered {
            return;
        }
        let conditions = wire.conditions;
        let base = self.now + so_far + conditions.delay;
        if !letter.destination.ip().is_multicast() {
            for (link, host) in self.receivers(link, letter) {
                self.carry(base, link, host, conditions, letter);
            }
            return;
        }
        let next = wire.bridged.clone();
        if conditions.are_the_same_for_all() {
            self.post(base, link, To::All, letter);
        } else {
            let members = Arc::clone(&wire.members);
            for &host in members.iter() {
                if letter.from != Some(host) {
                    self.carry(base, link, host, conditions, letter);
                }
            }
        }
        for beyond in next {
            if bridges > 0 {
                // Over a bridge a packet can come back to its sender.
                let repeated = Letter {
                    from: None,
                    ..letter.clone()
                };
                let so_far = so_far + conditions.delay;
                self.spread(beyond, &repeated, so_far, bridges - 1);
            }
        }
    }

    /// Who has the address that a unicast packet goes to: bridges carry it to the right place.
    fn receivers(&self, link: LinkId, letter: &Letter) -> Vec<(LinkId, HostId)> {
        let mut links = vec![link];
        let mut place = 0;
        while let Some(wire) = links.get(place).and_then(|link| self.links.get(link)) {
            for &next in &wire.bridged {
                if !links.contains(&next) {
                    links.push(next);
                }
            }
            place += 1;
        }
        let mut receivers = Vec::new();
        for link in links {
            let members = self.links.get(&link).map(|wire| wire.members.iter());
            for &host in members.into_iter().flatten() {
                let interface = self.hosts[host.0].interfaces.get(&link);
                if interface.is_some_and(|interface| interface.hears(letter)) {
                    receivers.push((link, host));
                }
            }
        }
        receivers
    }

    /// Sends a packet to one host: it may be lost, late or doubled.
    fn carry(&mut self, base: Instant, link: LinkId, to: HostId, on: Conditions, letter: &Letter) {
        let copies = match () {
            () if self.chance.happens(on.loss) => 0,
            () if self.chance.happens(on.duplication) => 2,
            () => 1,
        };
        for _ in 0..copies {
            let at = base + self.chance.up_to(on.jitter);
            self.post(at, link, To::One(to), letter);
        }
    }

    fn post(&mut self, at: Instant, link: LinkId, to: To, letter: &Letter) {
        self.sent += 1;
        let letter = letter.clone();
        self.under_way
            .insert((at, self.sent), UnderWay { link, to, letter });
    }

    /// Counts, judges and keeps a packet.
    fn note(&mut self, link: LinkId, letter: &Letter) {
        self.traffic.packets += 1;
        let is_query = letter.payload.get(2).is_some_and(|flags| flags & 0x80 == 0);
        self.traffic.queries += u64::from(is_query);
        if !is_query && letter.from.is_some() {
            self.last_response.insert(link, Arc::clone(&letter.payload));
        }
        self.traffic.bytes += letter.payload.len() as u64;
        if self.monitor.is_none() && self.keep == Keep::Last(0) {
            return;
        }
        let sender = letter.from.map_or_else(
            || letter.source.to_string(),
            |id| self.hosts[id.0].name.clone(),
        );
        let packet = Packet {
            at: self.now,
            link,
            host: letter.from,
            sender,
            source: letter.source,
            destination: letter.destination,
            payload: letter.payload.to_vec(),
        };
        if let Some(monitor) = &mut self.monitor {
            monitor.watch(&packet);
        }
        match self.keep {
            Keep::All => self.packets.push(packet),
            Keep::Last(most) => {
                self.recent.push_back(packet);
                while self.recent.len() > most {
                    self.recent.pop_front();
                }
            }
        }
    }
}

/// Where multicasts of a family go.
fn group(family: Family) -> SocketAddr {
    let address = match family {
        Family::V4 => GROUP_V4,
        Family::V6 => GROUP_V6,
    };
    SocketAddr::new(address, PORT)
}
