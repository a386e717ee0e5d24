//! Whatever arrives, whenever, and whatever the application and the links do meanwhile: no panic, no deadline that lies in the past, no
//! packet that breaks a rule which the monitors hold, and nothing that grows or goes on for ever. When all is over nothing is left, and the
//! engine works as on its first day.

#![no_main]

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cooee_mdns::{
    Config, Engine, Event, GroupId, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, Node, Prefix,
    PublishError, QueryId, QueryOptions, RecordSet, Sizes,
};
use cooee_sim::{Address, Conditions, HostId, Network};
use cooee_wire::{
    Compression, Flags, MessageBuilder, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType,
    Section,
};
use libfuzzer_sys::fuzz_target;

/// A run longer than this finds nothing that a shorter one does not.
const STEPS: usize = 200;
/// Bounds so near that a run can come to them.
const ASKED: usize = 12;
const UNASKED: usize = 8;
const REPLIES: usize = 3;
/// How many groups, and how many queries, the application has at most at one time.
const MOST: usize = 12;
/// More records than any group here has on one link: the addresses of a host, the ways back, and what denies the rest.
const RECORDS_OF_A_GROUP: usize = 12;
/// By how much the clock is set back at most, in milliseconds: that long nothing goes on.
const MOST_SET_BACK: u64 = 300_000;
/// Longer than any record may be kept.
const SILENCE: Duration = Duration::from_secs(8 * 24 * 3600);

fuzz_target!(|octets: &[u8]| {
    let mut input = Input(octets);
    let mut run = Run::new(input.number());
    for _ in 0..STEPS {
        let Some(step) = input.octet() else { break };
        run.step(step, &mut input);
        // After a sleep much is due at once.
        run.pass(Duration::ZERO);
        run.check();
    }
    run.end();
    assert!(
        run.network.violations().is_empty(),
        "{}",
        run.network.transcript()
    );
});

/// An engine, and an application that may be too busy to hear what it tells.
struct Subject {
    engine: Engine,
    busy: bool,
    ready: Vec<GroupId>,
}

impl Node for Subject {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        while !self.busy
            && let Some(event) = self.engine.poll_event()
        {
            if let Event::Ready { group } = event {
                self.ready.push(group);
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

struct Run {
    network: Network<Subject>,
    host: HostId,
    links: [LinkId; 2],
    groups: Vec<GroupId>,
    queries: Vec<QueryId>,
    asleep: bool,
    shut_down: bool,
    /// By how much the host's clock is ahead, and has been set back, in milliseconds.
    ahead: u64,
    set_back: u64,
    /// What others have sent.
    injected: u64,
    /// How many packets may still be sent: what happens allows some, and time does.
    allowed: u64,
    sent: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut network = Network::new(seed);
        network.keep_last(TRANSCRIPT);
        let links = [(); 2].map(|()| network.add_link(Conditions::default()));
        let mut config = Config::default();
        config.asked_records = ASKED;
        config.unasked_records = UNASKED;
        config.pending_replies = REPLIES;
        let host = network.add_host("host", |seed, now| Subject {
            engine: Engine::new(config, seed, now),
            busy: false,
            ready: Vec::new(),
        });
        network.join(host, links[0], &addresses(3));
        Self {
            network,
            host,
            links,
            groups: Vec::new(),
            queries: Vec::new(),
            asleep: false,
            shut_down: false,
            ahead: 0,
            set_back: 0,
            injected: 0,
            allowed: 0,
            sent: 0,
        }
    }

    fn step(&mut self, step: u8, input: &mut Input<'_>) {
        let link = self.links[usize::from(step >> 7)];
        let choice = usize::from(step >> 5);
        match step % 32 {
            0..=4 => {
                let payload = input.datagram();
                let source = input.source();
                self.inject(link, source, group_of(source), &payload);
            }
            5..=12 => {
                let payload = input.message();
                let source = input.source();
                self.inject(link, source, group_of(source), &payload);
            }
            13 => {
                let payload = input.message();
                let (source, destination) = (input.source(), input.destination());
                self.inject(link, source, destination, &payload);
            }
            14 => self.pass(Duration::from_millis(input.number() % 1000)),
            15 => self.pass(Duration::from_secs(input.number() % 5000)),
            16 if self.groups.len() < MOST => {
                let (set, links) = (input.records(), self.link_set(choice));
                let group = self.command(|engine, now| engine.publish(now, set, links));
                self.groups.extend(group);
            }
            17 | 18 => {
                let set = input.records();
                if let Some(group) = self.groups.get(choice).copied() {
                    let result = self.command(|engine, now| match step % 32 {
                        17 => engine.update(now, group, set),
                        _ => engine.rename(now, group, set),
                    });
                    assert_ne!(result, Err(PublishError::UnknownGroup));
                }
            }
            19 => {
                if let Some(group) = self.groups.get(choice).copied() {
                    let links = self.link_set(usize::from(input.octet().unwrap_or_default()));
                    let moved = self.command(|engine, now| engine.move_to(now, group, links));
                    assert!(moved.is_ok() || self.shut_down);
                }
            }
            20 => {
                if choice < self.groups.len() {
                    let group = self.groups.swap_remove(choice);
                    self.command(|engine, now| engine.withdraw(now, group));
                }
            }
            21 if self.queries.len() < MOST => {
                let (question, links) = (input.question(), self.link_set(choice));
                let options = match input.octet().unwrap_or_default() % 2 {
                    0 => QueryOptions::standing(),
                    _ => QueryOptions::one_shot(Duration::from_secs(3)),
                };
                let query = self.command(|engine, now| engine.query(now, question, options, links));
                self.queries.push(query);
            }
            22 => {
                if choice < self.queries.len() {
                    let query = self.queries.swap_remove(choice);
                    self.command(|engine, now| engine.cancel(now, query));
                }
            }
            23 => {
                let (record, links) = (input.record(), self.link_set(choice));
                self.command(|engine, now| engine.reconfirm(now, &record.as_record(), &links));
            }
            24 => {
                self.command(|engine, now| engine.leave_link(now, link));
                if step & 64 != 0 {
                    self.network.leave(self.host, link);
                }
            }
            25 => self.network.leave(self.host, link),
            26 => self.network.join(self.host, link, &addresses(choice)),
            27 => self.network.readdress(self.host, link, &addresses(choice)),
            28 if step & 32 == 0 => {
                self.network.suspend(self.host);
                self.asleep = true;
            }
            28 => {
                self.network.resume(self.host);
                self.asleep = false;
            }
            29 => match choice {
                0 => self.network.set_mute(self.host, true),
                1 => {
                    // One is enough: each doubles what is sent.
                    self.network.unbridge(self.links[0], self.links[1]);
                    self.network.bridge(self.links[0], self.links[1]);
                }
                2 => self.network.unbridge(self.links[0], self.links[1]),
                3 => {
                    let (host, ahead) = (self.host, input.number());
                    self.network.jump_clock(host, Duration::from_millis(ahead));
                    self.ahead += ahead;
                }
                4 => {
                    let back = input.number().min(MOST_SET_BACK - self.set_back);
                    let host = self.host;
                    self.network
                        .set_back_clock(host, Duration::from_millis(back));
                    self.set_back += back;
                }
                _ => self.network.set_mute(self.host, false),
            },
            30 => {
                let busy = step & 32 == 0;
                self.network
                    .command(self.host, |subject, _| subject.busy = busy);
            }
            31 if step == 255 && input.octet() == Some(255) => {
                self.shut_down = true;
                self.command(|engine, now| engine.shutdown(now));
                self.groups.clear();
            }
            31 => {
                let info = input.link_info(choice);
                self.command(|engine, now| engine.link_changed(now, link, info));
            }
            _ => {}
        }
    }

    fn command<T>(&mut self, command: impl FnOnce(&mut Engine, Instant) -> T) -> T {
        self.network
            .command(self.host, |subject, now| command(&mut subject.engine, now))
    }

    fn inject(&mut self, link: LinkId, source: SocketAddr, destination: IpAddr, payload: &[u8]) {
        self.injected += 1;
        let destination = SocketAddr::new(destination, 5353);
        self.network.inject_to(link, source, destination, payload);
        self.pass(Duration::from_millis(1));
    }

    fn link_set(&self, choice: usize) -> LinkSet {
        match choice % 4 {
            0 => LinkSet::one(self.links[0]),
            1 => LinkSet::one(self.links[1]),
            _ => LinkSet::All,
        }
    }

    /// Lets time pass, and looks each second how much has been sent.
    fn pass(&mut self, time: Duration) {
        let end = self.network.now() + time;
        self.allowed += PACKETS_OF_A_STEP;
        loop {
            let left = end.since(self.network.now());
            self.network.run_for(left.min(Duration::from_secs(1)));
            let sent = self.network.traffic().packets - self.injected;
            let new = sent - self.sent;
            assert!(
                new <= self.allowed,
                "{new} packets at once\n{}",
                self.network.transcript()
            );
            self.sent = sent;
            self.allowed = (self.allowed - new + PACKETS_OF_A_SECOND).min(PACKETS_AT_ONCE);
            if self.network.now() >= end {
                return;
            }
        }
    }

    fn sizes(&self) -> Sizes {
        self.network.node(self.host).engine.sizes()
    }

    fn check(&self) {
        // A clock that is set back stands still for the engine.
        let micros = self.network.now().as_micros() + 1000 * self.ahead;
        let now = Instant::from_micros(micros.saturating_sub(1000 * self.set_back));
        let due = self.network.node(self.host).engine.poll_timeout();
        assert!(
            self.asleep || due.is_none_or(|due| due >= now),
            "a deadline in the past: {due:?} at {now}"
        );
        let sizes = self.sizes();
        let (links, groups) = (self.links.len(), self.groups.len());
        let records = sizes.asked_records + sizes.unasked_records;
        let own = groups * RECORDS_OF_A_GROUP * links;
        // What watches over a host name that is borrowed asks twice; what is doubted is asked for.
        let questions = links * (self.queries.len() + 2 * groups + ASKED + UNASKED);
        let alive = records + sizes.questions + groups * links;
        let is_bounded = sizes.asked_records <= links * ASKED
            && sizes.unasked_records <= links * UNASKED
            && sizes.questions <= questions
            && sizes.own_records <= own
            // A denial that is renewed may leave its place behind until the time has come.
            && sizes.pending_answers <= 2 * own + 32
            && sizes.pending_replies <= links * REPLIES
            && sizes.events <= 2048
            && sizes.deadlines <= 2 * alive + links * (1024 + 2) + 2 * groups + self.queries.len();
        assert!(is_bounded, "{sizes:?}");
    }

    /// All is taken back and nobody says anything any more: nothing is left. Then all is as at first.
    fn end(&mut self) {
        if self.asleep {
            self.network.resume(self.host);
        }
        self.network.set_mute(self.host, false);
        self.network
            .command(self.host, |subject, _| subject.busy = false);
        for group in std::mem::take(&mut self.groups) {
            self.command(|engine, now| engine.withdraw(now, group));
        }
        for query in std::mem::take(&mut self.queries) {
            self.command(|engine, now| engine.cancel(now, query));
        }
        self.pass(Duration::from_secs(600));
        let before = self.network.traffic().packets;
        self.network.run_for(SILENCE);
        assert_eq!(self.network.traffic().packets, before, "nobody asks");
        assert_eq!(self.sizes(), Sizes::default());
        let due = self.network.node(self.host).engine.poll_timeout();
        assert_eq!(due, None, "nothing is left to do");
        if self.shut_down {
            return;
        }
        self.network.leave(self.host, self.links[0]);
        self.network.join(self.host, self.links[0], &addresses(3));
        let text = RdataBuf::txt(["still here"]).unwrap();
        let record = RecordBuf::new("new.local".parse().unwrap(), 120, text);
        let set = RecordSet::new().unique(record);
        let group = self.command(|engine, now| engine.publish(now, set, LinkSet::All));
        self.network.run_for(Duration::from_secs(2));
        let ready = &self.network.node(self.host).ready;
        assert!(ready.contains(&group.unwrap()), "and works");
    }
}

/// How many packets may be sent beyond what time allows, for whatever happens: probes, announcements, answers to one and to all, in both families,
/// on both links.
const PACKETS_OF_A_STEP: u64 = 32;
/// What may go on and on. Twelve queries that nobody answers are less than one packet a minute.
const PACKETS_OF_A_SECOND: u64 = 1;
const PACKETS_AT_ONCE: u64 = 1000;
/// As many of the last packets are kept to be shown.
const TRANSCRIPT: usize = 400;

fn group_of(source: SocketAddr) -> IpAddr {
    let group = match source {
        SocketAddr::V4(_) => "224.0.0.251",
        SocketAddr::V6(_) => "ff02::fb",
    };
    group.parse().unwrap()
}

/// None, IPv4 only, IPv6 only, both, both of others, two of one family.
fn addresses(choice: usize) -> Vec<Address> {
    let texts: &[&str] = match choice {
        0 => &[],
        1 => &["192.0.2.1/24"],
        2 => &["fe80::1/64"],
        3 | 4 => &["192.0.2.1/24", "fe80::1/64"],
        5 => &["192.0.2.2/24", "fe80::2/64"],
        6 => &["192.0.2.1/24", "192.0.2.2/24"],
        _ => &["198.51.100.1/24", "2001:db8::1/64"],
    };
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

const NAMES: [&str; 8] = [
    "_a._tcp.local",
    "x._a._tcp.local",
    "h.local",
    "local",
    "y._a._tcp.local",
    "i.local",
    "1.2.0.192.in-addr.arpa",
    "_services._dns-sd._udp.local",
];

/// What is left of the input.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn below(&mut self, limit: u8) -> usize {
        usize::from(self.octet().unwrap_or_default() % limit)
    }

    fn number(&mut self) -> u64 {
        let high = u64::from(self.octet().unwrap_or_default());
        high << 8 | u64::from(self.octet().unwrap_or_default())
    }

    /// Any octets.
    fn datagram(&mut self) -> Vec<u8> {
        let length = usize::try_from(self.number() % 600)
            .unwrap_or(0)
            .min(self.0.len());
        let (datagram, rest) = self.0.split_at(length);
        self.0 = rest;
        datagram.to_vec()
    }

    /// A message that somebody could mean.
    fn message(&mut self) -> Vec<u8> {
        let shape = self.octet().unwrap_or_default();
        let flags = match shape & 1 {
            0 => Flags::QUERY,
            _ => Flags::RESPONSE,
        };
        let flags = flags.with_truncated(shape & 2 != 0);
        let mut buffer = [0; 1500];
        let mut message =
            MessageBuilder::new(&mut buffer, 0, flags, Compression::Multicast).unwrap();
        for _ in 0..shape >> 2 & 3 {
            let _ = message.question(self.question().as_question());
        }
        for _ in 0..shape >> 4 & 7 {
            let _ = message.record(Section::Answer, self.record().as_record());
        }
        for _ in 0..shape >> 7 {
            let section = match self.below(2) {
                0 => Section::Authority,
                _ => Section::Additional,
            };
            let _ = message.record(section, self.record().as_record());
        }
        let length = message.finish();
        buffer[..length].to_vec()
    }

    fn name(&mut self) -> NameBuf {
        NAMES[self.below(8)].parse().unwrap()
    }

    fn question(&mut self) -> QuestionBuf {
        let kinds = [
            RecordType::PTR,
            RecordType::SRV,
            RecordType::TXT,
            RecordType::A,
            RecordType::AAAA,
            RecordType::CNAME,
            RecordType::NSEC,
            RecordType::ANY,
        ];
        let name = self.name();
        let choice = self.octet().unwrap_or_default();
        QuestionBuf {
            unicast_response: choice & 8 != 0,
            ..QuestionBuf::new(name, kinds[usize::from(choice % 8)])
        }
    }

    fn record(&mut self) -> RecordBuf {
        let owner = self.name();
        let choice = self.octet().unwrap_or_default();
        let value = self.octet().unwrap_or_default();
        let target: NameBuf = NAMES[usize::from(value % 8)].parse().unwrap();
        let target = target.as_name();
        let rdata = match choice % 8 {
            0 => RdataBuf::ptr(target),
            1 => RdataBuf::srv(0, 0, value.into(), target),
            2 => RdataBuf::txt([[value]]).unwrap(),
            3 => RdataBuf::a([192, 0, 2, value % 16].into()),
            4 => RdataBuf::aaaa([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(value % 16)].into()),
            5 => RdataBuf::cname(target),
            6 => RdataBuf::nsec(
                owner.as_name(),
                [RecordType::TXT].into_iter().take((value % 2).into()),
            ),
            _ => RdataBuf::txt([[value], [choice]]).unwrap(),
        };
        let ttl = [0, 1, 5, 120, 120, 4500, 4500, u32::MAX][usize::from(choice >> 4 & 7)];
        RecordBuf {
            cache_flush: choice & 128 != 0,
            ..RecordBuf::new(owner, ttl, rdata)
        }
    }

    /// A link with a smaller or larger MTU, another program on the port, an address that is still being checked.
    fn link_info(&mut self, choice: usize) -> LinkInfo {
        let mut addresses: Vec<LinkAddress> = addresses(choice)
            .into_iter()
            .map(LinkAddress::from)
            .collect();
        let shape = self.octet().unwrap_or_default();
        if let Some(address) = addresses.first_mut() {
            address.tentative = shape & 1 != 0;
        }
        let mut info = LinkInfo::new(addresses);
        info.unicast_reliable = shape & 2 != 0;
        info.mtu = u32::from(shape >> 2) * 64;
        info.on_link.push(Prefix::new([203, 0, 113, 0].into(), 24));
        info
    }

    /// Another host, another program of this one, or a simple resolver.
    fn source(&mut self) -> SocketAddr {
        let texts = [
            "192.0.2.9:5353",
            "[fe80::9]:5353",
            "192.0.2.8:5353",
            "192.0.2.1:5353",
            "[fe80::1]:5353",
            "192.0.2.9:4000",
            "203.0.113.9:5353",
            "192.0.2.7:5353",
        ];
        texts[self.below(8)].parse().unwrap()
    }

    fn destination(&mut self) -> IpAddr {
        let texts = ["192.0.2.1", "fe80::1", "192.0.2.2", "224.0.0.1"];
        texts[self.below(4)].parse().unwrap()
    }

    /// What others may have too stays so: the monitors take a name that is now shared and now unique for a fault.
    fn records(&mut self) -> RecordSet {
        let mut set = RecordSet::new();
        for _ in 0..self.below(3) {
            let place = self.below(8);
            let owner: NameBuf = NAMES[place].parse().unwrap();
            let value = self.octet().unwrap_or_default();
            let text = RecordBuf::new(owner.clone(), 120, RdataBuf::txt([[value]]).unwrap());
            set = match (place, value % 8) {
                (0 | 3 | 7, 0..4) => set.shared(text),
                (0 | 3 | 7, _) => set.shared_without_goodbye(text),
                (2 | 5, 0..3) => set.host_addresses(owner),
                (2 | 5, 3) => set.system_host(owner),
                (2 | 5, 4) => set.addresses_of(&owner, [[192, 0, 2, value].into()]),
                (6, _) => set.known_unique(RecordBuf::new(owner, 120, text.rdata)),
                (1 | 4, 0) => {
                    let host: NameBuf = NAMES[2].parse().unwrap();
                    let srv = RdataBuf::srv(0, 0, value.into(), host.as_name());
                    set.unique(RecordBuf::new(owner, 120, srv)).unique(text)
                }
                _ => set.unique(text),
            };
        }
        set
    }
}
