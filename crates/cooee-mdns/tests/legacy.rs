//! RFC 6762 §6.7 with RFC 6891, 2181 and 1035: what a simple resolver gets, with EDNS and without, and how much of it.

mod lan;

use cooee_mdns::RecordSet;
use cooee_sim::HostId;
use cooee_wire::{Class, Flags, Message, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section};
use lan::{Lan, a, flush, message, name, query, records, response, service, shop, txt};

const SHOP: &str = "Shop._http._tcp.local";
const RESOLVER: &str = "192.0.2.9:40000";

#[test]
fn who_speaks_edns_is_answered_with_it_and_who_does_not_without() {
    // 6891-6.1.1-1, 6891-6.1.1-3, 6891-6.2.3-2, 6891-7-1
    let (mut lan, host) = shop(1);
    let reply = ask(&mut lan, host, &with_opt(&[opt(4096)]));
    let [answered] = &opts(&reply)[..] else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (answered.class, answered.ttl, answered.rdata.octets()),
        (Class::new(1440), 0, &[][..]),
        "what Ethernet holds, version 0, no options"
    );
    let reply = ask(&mut lan, host, &query(SHOP, RecordType::SRV, &[]));
    assert!(!records_of(&reply).is_empty());
    assert!(opts(&reply).is_empty());
}

#[test]
fn a_reply_keeps_to_the_size_that_its_query_tells() {
    // 6762-18.5-4, 1035-2.3.4-4, 1035-4.2.1-1, 6891-6.2.3-1, 6891-6.2.3-3; ruling 13: 1452 octets are asked for by no word at all
    let mut lan = Lan::new(2);
    let host = lan.host("shop", 1);
    let text = "x".repeat(200);
    let texts = (0..12).map(|n| txt("many.local", &format!("{n:02}{text}")));
    lan.publish(host, texts.fold(RecordSet::new(), RecordSet::shared));
    lan.run_ms(5000);
    let plain = query("many.local", RecordType::TXT, &[]);
    let sized = |size| {
        let question = QuestionBuf::new(name("many.local"), RecordType::TXT);
        message(
            Flags::QUERY,
            &[question],
            &[(Section::Additional, opt(size))],
        )
    };
    // What one has told holds for that one query; a size below 512 is 512.
    for (payload, limit) in [
        (sized(1000), 1000),
        (plain.clone(), 1452),
        (sized(512), 512),
        (sized(100), 512),
        (plain, 1452),
    ] {
        let reply = ask(&mut lan, host, &payload);
        assert!(
            (limit - 220..=limit).contains(&reply.len()),
            "{} of {limit}",
            reply.len()
        );
        assert!(flags(&reply).is_truncated(), "twelve do not fit");
    }
}

#[test]
fn an_opt_record_has_its_place_even_where_answers_would_fill_the_message() {
    // 6891-6.1.1-3: the answers take the reply to a few octets below its end.
    for length in 440..=480 {
        let mut lan = Lan::new(3);
        let host = lan.host("shop", 1);
        let texts = [200, 200, length - 400].map(|len| "x".repeat(len));
        let data = RdataBuf::txt(texts).expect("short strings");
        let filler = RecordBuf::new(name("many.local"), 120, data);
        lan.publish(host, RecordSet::new().unique(filler));
        lan.run_ms(5000);
        let question = QuestionBuf::new(name("many.local"), RecordType::TXT);
        let asked = message(
            Flags::QUERY,
            &[question],
            &[(Section::Additional, opt(512))],
        );
        let reply = ask(&mut lan, host, &asked);
        assert!(reply.len() <= 512);
        assert_eq!(opts(&reply).len(), 1, "with {length} octets of text");
        let answered = records_of(&reply)
            .iter()
            .any(|(section, _)| *section == Section::Answer);
        assert_eq!(answered, !flags(&reply).is_truncated());
    }
}

#[test]
fn what_is_only_additional_is_left_out_without_a_word() {
    // 2181-9-1
    let mut lan = Lan::new(4);
    let host = lan.host("shop", 1);
    let many = (1..60).map(|n| a("box.local", n));
    lan.publish(host, many.fold(RecordSet::new(), RecordSet::unique));
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let reply = ask(&mut lan, host, &with_opt(&[opt(512)]));
    let additional = records_of(&reply)
        .iter()
        .filter(|(section, record)| {
            *section == Section::Additional && record.kind() == RecordType::A
        })
        .count();
    assert_eq!(additional, 0, "all of them or none");
    assert!(!flags(&reply).is_truncated());
}

#[test]
fn a_multicast_responder_tells_no_errors_about_edns() {
    // 6891-6.1.1-6, 6891-6.1.3-2: RFC 6762 §18.11 has no response codes, so there is neither FORMERR nor BADVERS.
    let (mut lan, host) = shop(5);
    let newer = RecordBuf {
        ttl: 1 << 16,
        ..opt(1440)
    };
    let mut twice = with_opt(&[opt(1440)]);
    twice.extend([0, 0, 41, 5, 0xA0, 0, 0, 0, 0, 0, 0]);
    twice[11] = 2;
    for payload in [with_opt(&[newer]), twice] {
        let reply = ask(&mut lan, host, &payload);
        assert_eq!(flags(&reply).rcode().get(), 0);
        let [answered] = &opts(&reply)[..] else {
            panic!("{reply:?}")
        };
        assert_eq!(answered.ttl, 0, "no upper bits of a code, version 0");
    }
}

#[test]
fn an_opt_record_is_never_kept() {
    // 6891-6.1.1-4, 6891-6.2.1-1
    let mut lan = Lan::new(6);
    let host = lan.host("a", 1);
    lan.ask(host, ".", RecordType::OPT);
    lan.ask(host, ".", RecordType::ANY);
    lan.ask(host, "box.local", RecordType::A);
    lan.run_ms(500);
    let told = [
        (Section::Answer, flush(a("box.local", 7))),
        (Section::Additional, opt(1440)),
    ];
    lan.inject("192.0.2.9:5353", &message(Flags::RESPONSE, &[], &told));
    // Misplaced, and of a class that records have.
    let mut misplaced = response(&[flush(a("box.local", 7))]);
    misplaced.extend([0, 0, 41, 0, 1, 0, 0, 0, 120, 0, 0]);
    misplaced[7] = 2;
    lan.inject("192.0.2.9:5353", &misplaced);
    lan.run_ms(100);
    assert_eq!(lan.answers(host), [a("box.local", 7).rdata]);
}

/// A query for the SRV record with these in the additional section.
fn with_opt(additional: &[RecordBuf]) -> Vec<u8> {
    let question = QuestionBuf::new(name(SHOP), RecordType::SRV);
    let additional: Vec<_> = additional
        .iter()
        .map(|record| (Section::Additional, record.clone()))
        .collect();
    message(Flags::QUERY, &[question], &additional)
}

fn opt(size: u16) -> RecordBuf {
    RecordBuf::opt(size, []).expect("no options are few")
}

/// What the host replies to a simple resolver.
fn ask(lan: &mut Lan, host: HostId, payload: &[u8]) -> Vec<u8> {
    lan.run_ms(1500);
    let start = lan.now();
    lan.inject(RESOLVER, payload);
    lan.run_ms(500);
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    assert_eq!(sent[0].destination.to_string(), RESOLVER);
    assert_eq!(
        records(sent[0]).len(),
        records_of(&sent[0].payload).len(),
        "all of it can be read"
    );
    sent[0].payload.to_vec()
}

fn flags(reply: &[u8]) -> Flags {
    Message::parse(reply).expect("a message").header().flags
}

fn records_of(reply: &[u8]) -> Vec<(Section, RecordBuf)> {
    let records = Message::parse(reply).expect("a message").records();
    records
        .map(|item| {
            let (section, record) = item.expect("a sound record");
            (section, record.to_owned().expect("sound data"))
        })
        .collect()
}

fn opts(reply: &[u8]) -> Vec<RecordBuf> {
    records_of(reply)
        .into_iter()
        .filter(|(section, record)| {
            *section == Section::Additional && record.kind() == RecordType::OPT
        })
        .map(|(_, record)| record)
        .collect()
}
