//! A link with some hosts, and the records that the tests speak of.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a crate of its own and uses a part"
)]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use cooee_mdns::{Datagram, GroupId, Instant, LinkId, LinkSet, QueryId, QueryOptions, RecordSet};
use cooee_sim::{Address, Conditions, HostId, Network, Packet};
use cooee_wire::{
    Compression, Flags, Message, MessageBuilder, NameBuf, QuestionBuf, RdataBuf, RecordBuf,
    RecordType, Section,
};

pub struct Lan {
    pub network: Network,
    pub link: LinkId,
}

impl Lan {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Conditions::default())
    }

    pub fn with(seed: u64, conditions: Conditions) -> Self {
        let mut network = Network::new(seed);
        let link = network.add_link(conditions);
        Self { network, link }
    }

    /// A host with an IPv4 and an IPv6 address that end in `number`.
    pub fn host(&mut self, name: &str, number: u8) -> HostId {
        let host = self.network.add_station(name);
        self.network.join(host, self.link, &addresses(number));
        host
    }

    pub fn publish(&mut self, host: HostId, records: RecordSet) -> GroupId {
        self.network
            .command(host, |station, now| {
                station.engine.publish(now, records, LinkSet::All)
            })
            .expect("the records can be published")
    }

    pub fn ask(&mut self, host: HostId, name: &str, kind: RecordType) -> QueryId {
        let question = QuestionBuf::new(self::name(name), kind);
        let options = QueryOptions::standing();
        self.network.command(host, |station, now| {
            station.engine.query(now, question, options, LinkSet::All)
        })
    }

    pub fn withdraw(&mut self, host: HostId, group: GroupId) {
        self.network
            .command(host, |station, now| station.engine.withdraw(now, group));
    }

    pub fn update(&mut self, host: HostId, group: GroupId, records: RecordSet) {
        self.network
            .command(host, |station, now| {
                station.engine.update(now, group, records)
            })
            .expect("the records can be published");
    }

    pub fn rename(&mut self, host: HostId, group: GroupId, records: RecordSet) {
        self.network
            .command(host, |station, now| {
                station.engine.rename(now, group, records)
            })
            .expect("the records can be published");
    }

    pub fn cancel(&mut self, host: HostId, query: QueryId) {
        self.network
            .command(host, |station, now| station.engine.cancel(now, query));
    }

    /// Somebody on this host could not use what the record says.
    pub fn doubt(&mut self, host: HostId, record: &RecordBuf) {
        self.network.command(host, |station, now| {
            station
                .engine
                .reconfirm(now, &record.as_record(), &LinkSet::All);
        });
    }

    pub fn run_ms(&mut self, millis: u64) {
        self.network.run_for(ms(millis));
    }

    /// Until somebody has sent something: a probe, after a quarter of a second at most.
    pub fn run_to_first_packet(&mut self) {
        let end = self.now() + ms(1000);
        self.network
            .run_until(end, |network| !network.packets().is_empty());
    }

    pub fn now(&self) -> Instant {
        self.network.now()
    }

    /// The data of the answers that a host has now.
    pub fn answers(&self, host: HostId) -> Vec<RdataBuf> {
        self.network
            .node(host)
            .answers()
            .iter()
            .map(|answer| answer.record.rdata.clone())
            .collect()
    }

    /// IPv4 packets of a host since `since`: each multicast is counted once.
    pub fn sent(&self, host: HostId, since: Instant) -> Vec<&Packet> {
        self.network
            .packets()
            .iter()
            .filter(|packet| {
                packet.host == Some(host) && packet.source.is_ipv4() && packet.at >= since
            })
            .collect()
    }

    /// The times at which a host has asked a question, in milliseconds since `since`.
    pub fn asked_at(&self, host: HostId, since: Instant, name: &str, kind: RecordType) -> Vec<u64> {
        self.sent(host, since)
            .into_iter()
            .filter(|packet| {
                questions(packet)
                    .iter()
                    .any(|q| q.name == self::name(name) && q.kind == kind)
            })
            .map(|packet| millis(packet.at, since))
            .collect()
    }

    /// The times at which a host has sent a record by multicast, in milliseconds since `since`.
    pub fn sent_at(&self, host: HostId, since: Instant, name: &str, kind: RecordType) -> Vec<u64> {
        self.sent(host, since)
            .into_iter()
            .filter(|packet| packet.destination.ip().is_multicast() && is_response(packet))
            .filter(|packet| {
                records(packet)
                    .iter()
                    .any(|(_, r)| r.name == self::name(name) && r.kind() == kind)
            })
            .map(|packet| millis(packet.at, since))
            .collect()
    }

    /// A packet from a host that is not in the network.
    pub fn inject(&mut self, source: &str, payload: &[u8]) {
        let source: SocketAddr = source.parse().expect("an address with a port");
        self.network.inject(self.link, source, payload);
    }

    /// All hear these records from 192.0.2.9, which is not in the network.
    pub fn hear(&mut self, records: &[RecordBuf]) {
        self.inject("192.0.2.9:5353", &response(records));
    }

    /// The host has become the owner of what it wants to publish.
    #[track_caller]
    pub fn assert_ready(&self, host: HostId, group: GroupId) {
        assert!(
            self.network.node(host).ready_at(group).is_some(),
            "{}",
            self.network.transcript()
        );
    }

    /// The host has sent nothing since then.
    #[track_caller]
    pub fn assert_silent(&self, host: HostId, since: Instant) {
        assert!(
            self.sent(host, since).is_empty(),
            "{}",
            self.network.transcript()
        );
    }

    /// A packet that a host gets alone, or that comes to an address which is not a group's.
    pub fn send_to(&mut self, host: HostId, source: &str, destination: &str, payload: &[u8]) {
        let datagram = Datagram {
            link: self.link,
            source: source.parse().expect("an address with a port"),
            destination: destination.parse().expect("an address"),
            payload,
        };
        self.network.command(host, |station, now| {
            station.engine.handle_datagram(now, &datagram);
        });
    }

    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(
            self.network.violations().is_empty(),
            "{}",
            self.network.chronicle()
        );
    }
}

/// A host that publishes a service and has been quiet for a while.
pub fn shop(seed: u64) -> (Lan, HostId) {
    let mut lan = Lan::new(seed);
    let host = lan.host("shop", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    (lan, host)
}

pub fn addresses(number: u8) -> [Address; 2] {
    let v4 = format!("192.0.2.{number}/24").parse().expect("an address");
    let v6 = format!("fe80::{number}/64").parse().expect("an address");
    [v4, v6]
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub fn millis(at: Instant, since: Instant) -> u64 {
    u64::try_from(at.since(since).as_millis()).expect("not that long")
}

pub fn name(text: &str) -> NameBuf {
    text.parse().expect("a name")
}

pub fn a(owner: &str, last: u8) -> RecordBuf {
    RecordBuf::new(
        name(owner),
        120,
        RdataBuf::a(Ipv4Addr::new(192, 0, 2, last)),
    )
}

pub fn aaaa(owner: &str, last: u16) -> RecordBuf {
    RecordBuf::new(
        name(owner),
        120,
        RdataBuf::aaaa(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last)),
    )
}

pub fn ptr(owner: &str, target: &str) -> RecordBuf {
    RecordBuf::new(name(owner), 4500, RdataBuf::ptr(name(target).as_name()))
}

pub fn txt(owner: &str, text: &str) -> RecordBuf {
    RecordBuf::new(
        name(owner),
        4500,
        RdataBuf::txt([text.as_bytes()]).expect("short enough"),
    )
}

pub fn srv(owner: &str, host: &str, port: u16) -> RecordBuf {
    RecordBuf::new(
        name(owner),
        120,
        RdataBuf::srv(0, 0, port, name(host).as_name()),
    )
}

/// The records of a service called `instance` on `host`.
pub fn service(instance: &str, host: &str, port: u16) -> RecordSet {
    let owner = format!("{instance}._http._tcp.local");
    RecordSet::new()
        .shared(ptr("_http._tcp.local", &owner))
        .shared_without_goodbye(ptr("_services._dns-sd._udp.local", "_http._tcp.local"))
        .unique(srv(&owner, host, port))
        .unique(txt(&owner, "path=/"))
}

pub fn records(packet: &Packet) -> Vec<(Section, RecordBuf)> {
    let message = Message::parse(&packet.payload).expect("a message");
    message
        .records()
        .filter_map(Result::ok)
        .map(|(s, r)| (s, r.to_owned().expect("a whole record")))
        .collect()
}

pub fn questions(packet: &Packet) -> Vec<QuestionBuf> {
    let message = Message::parse(&packet.payload).expect("a message");
    message
        .questions()
        .filter_map(Result::ok)
        .map(|q| q.to_owned().expect("a whole question"))
        .collect()
}

pub fn is_response(packet: &Packet) -> bool {
    Message::parse(&packet.payload)
        .expect("a message")
        .header()
        .flags
        .is_response()
}

/// A message made by hand.
pub fn message(
    flags: Flags,
    questions: &[QuestionBuf],
    records: &[(Section, RecordBuf)],
) -> Vec<u8> {
    let mut buffer = vec![0; 9000];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, flags, Compression::Multicast).expect("room");
    for question in questions {
        builder.question(question.as_question()).expect("room");
    }
    for (section, record) in records {
        builder.record(*section, record.as_record()).expect("room");
    }
    let length = builder.finish();
    buffer.truncate(length);
    buffer
}

fn all_in(section: Section, records: &[RecordBuf]) -> Vec<(Section, RecordBuf)> {
    let records = records.iter().cloned();
    records.map(|record| (section, record)).collect()
}

/// A response with these answers.
pub fn response(answers: &[RecordBuf]) -> Vec<u8> {
    let records = all_in(Section::Answer, answers);
    message(Flags::RESPONSE, &[], &records)
}

/// A query with one question and these known answers.
pub fn query(owner: &str, kind: RecordType, known: &[RecordBuf]) -> Vec<u8> {
    let records = all_in(Section::Answer, known);
    message(
        Flags::QUERY,
        &[QuestionBuf::new(name(owner), kind)],
        &records,
    )
}

/// A packet of a querier that has more to list than fits into it: with its questions, if it is the first, and known answers.
pub fn truncated(questions: &[QuestionBuf], known: &[RecordBuf]) -> Vec<u8> {
    let records = all_in(Section::Answer, known);
    message(Flags::QUERY.with_truncated(true), questions, &records)
}

/// A probe for one name with these records.
pub fn probe(owner: &str, proposed: &[RecordBuf]) -> Vec<u8> {
    let records = all_in(Section::Authority, proposed);
    message(
        Flags::QUERY,
        &[QuestionBuf::new(name(owner), RecordType::ANY)],
        &records,
    )
}

pub fn flush(record: RecordBuf) -> RecordBuf {
    RecordBuf {
        cache_flush: true,
        ..record
    }
}

pub fn with_ttl(record: RecordBuf, ttl: u32) -> RecordBuf {
    RecordBuf { ttl, ..record }
}
