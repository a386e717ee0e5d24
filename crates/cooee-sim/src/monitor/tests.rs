//! Each rule can be broken, and the monitor sees it: a watch that never barks proves nothing.

use cooee_mdns::{Instant, LinkId};
use cooee_wire::{
    Compression, Flags, MessageBuilder, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section,
};

use super::Monitor;
use crate::host::HostId;
use crate::packet::Packet;

const NAME: &str = "box.local";

#[test]
fn a_record_twice_in_a_second_is_seen() {
    // 6762-6-30
    assert_eq!(
        broken(&[(0, 1, shared(120)), (999, 1, shared(120))]),
        ["6762-6-30"]
    );
    assert!(broken(&[(0, 1, shared(120)), (1000, 1, shared(120))]).is_empty());
    // Ruling 8: the first goodbye counts apart.
    assert!(broken(&[(0, 1, shared(120)), (500, 1, shared(0))]).is_empty());
}

#[test]
fn a_unique_record_that_was_not_probed_for_is_seen() {
    // 6762-8.1-1
    let probed = |probes: u64| {
        let mut packets: Vec<_> = (0..probes).map(|n| (n * 250, 1, probe())).collect();
        packets.push((2000, 1, unique(1)));
        broken(&packets)
    };
    assert_eq!(probed(0), ["6762-8.1-1"]);
    assert_eq!(probed(2), ["6762-8.1-1"]);
    assert!(probed(3).is_empty());
}

#[test]
fn probes_that_follow_too_soon_are_seen() {
    // 6762-8.1-5
    assert_eq!(
        broken(&[(0, 1, probe()), (249, 1, probe())]),
        ["6762-8.1-5"]
    );
}

#[test]
fn a_known_answer_with_the_flush_bit_is_seen() {
    // 6762-10.2-13
    let known = flush(record(120, 1));
    assert_eq!(broken(&[(0, 1, query(known))]), ["6762-10.2-13"]);
}

#[test]
fn a_known_answer_past_half_its_ttl_is_seen() {
    // 6762-7.1-5
    assert_eq!(
        broken(&[(0, 1, shared(120)), (70_000, 2, query(record(50, 1)))]),
        ["6762-7.1-5"]
    );
    assert!(broken(&[(0, 1, shared(120)), (50_000, 2, query(record(70, 1)))]).is_empty());
}

#[test]
fn wrong_headers_are_seen() {
    // 6762-18.1-5, 6762-18.4-2, 6762-18.5-3, 6762-6-12, 1035-4.1-2
    let with = |place: usize, value: u8| {
        let mut payload = shared(120);
        payload[place] = value;
        broken(&[(0, 1, payload)])
    };
    assert_eq!(with(1, 7), ["6762-18.1-5"]);
    assert_eq!(with(2, 0x80), ["6762-18.4-2"]);
    assert_eq!(with(2, 0x86), ["6762-18.5-3"]);
    assert_eq!(broken(&[(0, 1, vec![0; 5])]), ["1035-4.1-2"]);
    let asked = message(Flags::RESPONSE, true, &[(Section::Answer, record(120, 1))]);
    assert_eq!(broken(&[(0, 1, asked)]), ["6762-6-12"]);
}

#[test]
fn a_packet_that_is_too_large_is_seen() {
    // 6762-17-6
    let many: Vec<_> = (0..8).map(|n| (Section::Answer, text(n))).collect();
    let large = message(Flags::RESPONSE, false, &many);
    assert_eq!(broken(&[(0, 1, large)]), ["6762-17-6"]);
}

#[test]
fn two_owners_of_a_name_are_seen_once_all_is_settled() {
    // 6762-8.1-1
    let mut monitor = Monitor::default();
    for host in [1, 2] {
        for n in 0..3 {
            monitor.watch(&packet(n * 250, host, probe()));
        }
    }
    monitor.watch(&packet(1000, 1, unique(1)));
    monitor.settle();
    monitor.watch(&packet(3000, 1, unique(1)));
    assert!(monitor.violations().is_empty());
    monitor.watch(&packet(3100, 2, unique(2)));
    assert_eq!(monitor.violations().len(), 1);
}

#[test]
fn a_question_twice_in_a_second_is_seen() {
    // 6762-5.2-2
    let ask = || message(Flags::QUERY, true, &[]);
    assert_eq!(broken(&[(0, 1, ask()), (999, 1, ask())]), ["6762-5.2-2"]);
    assert!(broken(&[(0, 1, ask()), (1000, 1, ask())]).is_empty());
    assert!(broken(&[(0, 1, ask()), (500, 2, ask())]).is_empty());
}

#[test]
fn an_rrset_that_is_unique_at_times_is_seen() {
    // 6762-10.2-14
    let mut packets: Vec<_> = (0..3).map(|n| (n * 250, 1, probe())).collect();
    packets.extend([(1000, 1, unique(1)), (3000, 1, shared(120))]);
    assert_eq!(broken(&packets), ["6762-10.2-14"]);
}

#[test]
fn an_rrset_with_two_ttls_is_seen() {
    // 2181-5.2-1
    let with = |records: [RecordBuf; 2]| {
        let records = records.map(|record| (Section::Answer, record));
        broken(&[(0, 1, message(Flags::RESPONSE, false, &records))])
    };
    assert_eq!(with([record(120, 1), record(60, 2)]), ["2181-5.2-1"]);
    assert!(with([record(120, 1), record(0, 2)]).is_empty());
}

#[test]
fn a_record_that_no_datagram_may_hold_is_seen() {
    // 6762-17-7
    let text = RdataBuf::txt((0..35).map(|n| [n; 255])).expect("strings");
    let name = NAME.parse().expect("a name");
    let huge = [(Section::Answer, RecordBuf::new(name, 120, text))];
    assert_eq!(
        broken(&[(0, 1, message(Flags::RESPONSE, false, &huge))]),
        ["6762-17-7"]
    );
}

#[test]
fn a_storm_is_seen() {
    // 6762-6-30: what may be said to a prober every 250 ms is a storm if it never ends
    let mut monitor = Monitor::default();
    for n in 0..3 {
        monitor.watch(&packet(n * 250, 1, probe()));
    }
    for n in 0..150 {
        monitor.probed.insert(
            NAME.parse().expect("a name"),
            packet(1000 + n * 50, 2, Vec::new()).at,
        );
        monitor.watch(&packet(1000 + n * 50, 1, unique(1)));
    }
    let is_storm = |violation: &&super::Violation| violation.text.starts_with("a storm");
    assert!(monitor.violations().iter().filter(is_storm).count() > 10);
}

#[test]
fn unicast_to_somebody_who_did_not_ask_is_seen() {
    // 6762-6-27
    let mut monitor = Monitor::default();
    let reply = |at, payload| Packet {
        destination: "192.0.2.2:5353".parse().expect("an address"),
        ..packet(at, 1, payload)
    };
    let asker = |payload| Packet {
        source: "192.0.2.2:5353".parse().expect("an address"),
        ..packet(0, 2, payload)
    };
    monitor.watch(&asker(message(Flags::QUERY, true, &[])));
    monitor.watch(&reply(10, shared(120)));
    assert_eq!(clauses(&monitor), ["6762-6-27"]);

    let mut monitor = Monitor::default();
    let mut for_unicast = message(Flags::QUERY, true, &[]);
    let class = for_unicast.len() - 2;
    for_unicast[class] |= 0x80;
    monitor.watch(&asker(for_unicast));
    monitor.watch(&reply(10, shared(120)));
    assert!(monitor.violations().is_empty());
    monitor.watch(&reply(4100, shared(120)));
    assert_eq!(clauses(&monitor), ["6762-6-27"]);
}

#[test]
fn what_a_simple_resolver_does_not_understand_is_seen() {
    // 6762-18.1-6, 6762-6.7-4, 6762-6.7-6, 6762-10.2-12
    let told = |id: u8, asked: bool, record: RecordBuf| {
        let mut monitor = Monitor::default();
        let resolver = "192.0.2.2:40000".parse().expect("an address");
        let with_id = |mut payload: Vec<u8>, id| {
            payload[1] = id;
            payload
        };
        monitor.watch(&Packet {
            source: resolver,
            host: None,
            ..packet(0, 2, with_id(message(Flags::QUERY, true, &[]), 7))
        });
        let reply = message(Flags::RESPONSE, asked, &[(Section::Answer, record)]);
        monitor.watch(&Packet {
            destination: resolver,
            ..packet(10, 1, with_id(reply, id))
        });
        clauses(&monitor)
    };
    assert!(told(7, true, record(10, 1)).is_empty());
    assert_eq!(told(8, true, record(10, 1)), ["6762-18.1-6"]);
    assert_eq!(told(7, false, record(10, 1)), ["6762-6.7-4"]);
    assert_eq!(told(7, true, record(11, 1)), ["6762-6.7-6"]);
    assert_eq!(told(7, true, flush(record(10, 1))), ["6762-10.2-12"]);
}

/// The clauses that these packets break: (milliseconds, host, message).
fn broken(packets: &[(u64, usize, Vec<u8>)]) -> Vec<&'static str> {
    let mut monitor = Monitor::default();
    for (at, host, payload) in packets {
        monitor.watch(&packet(*at, *host, payload.clone()));
    }
    clauses(&monitor)
}

fn clauses(monitor: &Monitor) -> Vec<&'static str> {
    let violations = monitor.violations().iter();
    violations.map(|violation| violation.clause).collect()
}

fn packet(millis: u64, host: usize, payload: Vec<u8>) -> Packet {
    Packet {
        at: Instant::from_micros(1_000_000 + millis * 1000),
        link: LinkId(1),
        host: Some(HostId(host)),
        sender: format!("host {host}"),
        source: "192.0.2.1:5353".parse().expect("an address"),
        destination: "224.0.0.251:5353".parse().expect("an address"),
        payload,
    }
}

fn record(ttl: u32, last: u8) -> RecordBuf {
    let name = NAME.parse().expect("a name");
    RecordBuf::new(name, ttl, RdataBuf::a([192, 0, 2, last].into()))
}

fn text(number: u8) -> RecordBuf {
    let name = NAME.parse().expect("a name");
    let octets = [number; 200];
    RecordBuf::new(name, 120, RdataBuf::txt([octets]).expect("short enough"))
}

fn flush(record: RecordBuf) -> RecordBuf {
    RecordBuf {
        cache_flush: true,
        ..record
    }
}

fn shared(ttl: u32) -> Vec<u8> {
    message(Flags::RESPONSE, false, &[(Section::Answer, record(ttl, 1))])
}

fn unique(last: u8) -> Vec<u8> {
    let claim = flush(record(120, last));
    message(Flags::RESPONSE, false, &[(Section::Answer, claim)])
}

fn probe() -> Vec<u8> {
    message(Flags::QUERY, true, &[(Section::Authority, record(120, 1))])
}

fn query(known: RecordBuf) -> Vec<u8> {
    message(Flags::QUERY, true, &[(Section::Answer, known)])
}

fn message(flags: Flags, asks: bool, records: &[(Section, RecordBuf)]) -> Vec<u8> {
    let mut buffer = vec![0; 9000];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, flags, Compression::Multicast).expect("room");
    if asks {
        let question = QuestionBuf::new(NAME.parse().expect("a name"), RecordType::ANY);
        builder.question(question.as_question()).expect("room");
    }
    for (section, record) in records {
        builder.record(*section, record.as_record()).expect("room");
    }
    let length = builder.finish();
    buffer.truncate(length);
    buffer
}
