//! RFC 6762 §6, §7.2 and §7.4: how long an answer waits, for whom, and what takes it back.

mod lan;

use cooee_mdns::RecordSet;
use cooee_wire::{Flags, QuestionBuf, RecordBuf, RecordType, Section};
use lan::{
    Lan, a, flush, is_response, message, millis, name, probe, ptr, query, records, response, shop,
    truncated, txt,
};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";
const TYPES: &str = "_services._dns-sd._udp.local";

fn browse() -> Vec<QuestionBuf> {
    vec![QuestionBuf::new(name(HTTP), RecordType::PTR)]
}

#[test]
fn queries_that_come_back_to_back_are_answered_together() {
    // 6762-6-20, 6762-6-22: shared answers wait for 20 ms at least
    for seed in 0..50 {
        let (mut lan, host) = shop(seed);
        let start = lan.now();
        lan.inject("192.0.2.9:5353", &query(HTTP, RecordType::PTR, &[]));
        lan.run_ms(5);
        lan.inject("192.0.2.8:5353", &query(TYPES, RecordType::PTR, &[]));
        lan.run_ms(14);
        assert!(lan.sent(host, start).is_empty(), "too soon");
        lan.run_ms(3000);
        let sent = lan.sent(host, start);
        let answers = |packet| {
            records(packet)
                .into_iter()
                .filter(|(section, _)| *section == Section::Answer)
                .count()
        };
        assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
        assert_eq!(answers(sent[0]), 2);
    }
}

#[test]
fn a_query_with_tc_is_answered_after_400_to_500_ms_whatever_the_seed() {
    // 6762-6-15, 6762-7.2-5
    let mut waits = Vec::new();
    for seed in 0..300 {
        let (mut lan, host) = shop(seed);
        let start = lan.now();
        lan.inject("192.0.2.9:5353", &truncated(&browse(), &[]));
        lan.run_ms(1500);
        let sent = lan.sent_at(host, start, HTTP, RecordType::PTR);
        assert_eq!(sent.len(), 1);
        waits.push(sent[0]);
    }
    assert!(waits.iter().all(|wait| (400..=501).contains(wait)));
    let (first, last) = (waits.iter().min(), waits.iter().max());
    assert!(
        first < Some(&410) && last > Some(&490),
        "{first:?} {last:?}"
    );
}

#[test]
fn each_further_packet_with_tc_puts_the_answer_off_but_not_for_ever() {
    // 6762-7.2-7, 6762-7.2-8, ruling 12: three seconds in all
    let other = ptr(HTTP, "Other._http._tcp.local");
    let (mut lan, host) = shop(1);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &truncated(&browse(), &[]));
    for _ in 0..2 {
        lan.run_ms(300);
        lan.inject(
            "192.0.2.9:5353",
            &truncated(&[], std::slice::from_ref(&other)),
        );
    }
    lan.run_ms(2000);
    let sent = lan.sent_at(host, start, HTTP, RecordType::PTR);
    assert_eq!(sent.len(), 1);
    assert!((1000..=1101).contains(&sent[0]), "{sent:?}");
    // A stream that does not end.
    let (mut lan, host) = shop(2);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &truncated(&browse(), &[]));
    for _ in 0..200 {
        lan.run_ms(300);
        lan.inject(
            "192.0.2.9:5353",
            &truncated(&[], std::slice::from_ref(&other)),
        );
    }
    let sent = lan.sent_at(host, start, HTTP, RecordType::PTR);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!((2900..=3001).contains(&sent[0]), "{sent:?}");
}

#[test]
fn known_answers_of_two_programs_of_one_host_do_no_harm() {
    // 6762-15.2-2: they look like one
    let (mut lan, host) = shop(3);
    let start = lan.now();
    let types = vec![QuestionBuf::new(name(TYPES), RecordType::PTR)];
    lan.inject("192.0.2.9:5353", &truncated(&browse(), &[]));
    lan.inject("192.0.2.9:5353", &truncated(&types, &[]));
    lan.run_ms(10);
    lan.inject(
        "192.0.2.9:5353",
        &message(Flags::QUERY, &[], &[(Section::Answer, ptr(HTTP, SHOP))]),
    );
    lan.run_ms(3000);
    assert!(lan.sent_at(host, start, HTTP, RecordType::PTR).is_empty());
    assert_eq!(lan.sent_at(host, start, TYPES, RecordType::PTR).len(), 1);
    lan.assert_clean();
}

#[test]
fn what_another_answers_after_us_takes_nothing_back() {
    // 6762-7.4-2: only what still waits can be
    let (mut lan, host) = shop(4);
    let again = |lan: &mut Lan| {
        for source in ["192.0.2.8:5353", "[fe80::8]:5353"] {
            lan.inject(source, &response(&[ptr(TYPES, HTTP)]));
        }
    };
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(TYPES, RecordType::PTR, &[]));
    lan.run_ms(150);
    again(&mut lan);
    lan.run_ms(3000);
    assert_eq!(lan.sent_at(host, start, TYPES, RecordType::PTR).len(), 1);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(TYPES, RecordType::PTR, &[]));
    lan.run_ms(5);
    again(&mut lan);
    lan.run_ms(3000);
    assert!(lan.sent_at(host, start, TYPES, RecordType::PTR).is_empty());
}

#[test]
fn a_defence_waits_for_nothing() {
    // 6762-5.4-10, 6762-6-18, 6762-6-31, 6762-6.3-3: not for other questions, nor for more than 250 ms after the record was last multicast
    let (mut lan, host) = shop(5);
    let start = lan.now();
    let question = |owner: &str| QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name(owner), RecordType::ANY)
    };
    let two = message(
        Flags::QUERY,
        &[question("other.local"), question("box.local")],
        &[
            (Section::Authority, a("other.local", 9)),
            (Section::Authority, a("box.local", 9)),
        ],
    );
    lan.inject("192.0.2.9:5353", &two);
    lan.run_ms(400);
    let sent = lan.sent(host, start);
    assert_eq!(millis(sent[0].at, start), 1);
    assert_eq!(sent[0].destination.to_string(), "192.0.2.9:5353");
    // By multicast, 10 ms after the same has been sent.
    lan.run_ms(40_000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::A, &[]));
    lan.run_ms(10);
    lan.inject("192.0.2.9:5353", &probe("box.local", &[a("box.local", 9)]));
    lan.run_ms(2000);
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::A),
        [1, 251],
        "{}",
        lan.network.transcript()
    );
    lan.assert_clean();
}

#[test]
fn what_goes_along_with_which_answer() {
    // 6762-6.2-4, 6763-12-1, 6763-12.3-1, 6763-12.4-1
    let (mut lan, host) = shop(6);
    let additional = |lan: &mut Lan, owner: &str, kind| {
        lan.run_ms(2000);
        let start = lan.now();
        lan.inject("192.0.2.9:5353", &query(owner, kind, &[]));
        lan.run_ms(1000);
        let sent = records(lan.sent(host, start)[0]);
        let mut kinds: Vec<RecordType> = sent
            .iter()
            .filter(|(section, _)| *section == Section::Additional)
            .map(|(_, record)| record.kind())
            .collect();
        kinds.sort();
        kinds
    };
    let [address, address6] = [RecordType::A, RecordType::AAAA];
    assert_eq!(additional(&mut lan, SHOP, RecordType::TXT), []);
    assert_eq!(additional(&mut lan, "box.local", address6), [address]);
    assert_eq!(additional(&mut lan, "box.local", address), [address6]);
    assert_eq!(
        additional(&mut lan, SHOP, RecordType::SRV),
        [address, address6]
    );
    assert_eq!(
        additional(&mut lan, HTTP, RecordType::PTR),
        [address, RecordType::TXT, address6, RecordType::SRV]
    );
}

#[test]
fn addresses_that_do_not_all_fit_are_all_left_out_and_answers_never() {
    // 6762-6.2-4, 6762-10.2-7, 2181-9-1: by multicast, by unicast, and to a simple resolver
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    let set = (1..=60).fold(
        RecordSet::new().unique(lan::aaaa("box.local", 1)),
        |set, last| set.unique(a("box.local", last)),
    );
    lan.publish(host, set);
    let strings: Vec<Vec<u8>> = (0..4).map(|_| vec![b'x'; 250]).collect();
    let text = cooee_wire::RdataBuf::txt(&strings).expect("short strings");
    let big = RecordBuf::new(name("big.local"), 4500, text);
    lan.publish(host, RecordSet::new().unique(big));
    lan.run_ms(10_000);
    let asked = |unicast_response| {
        ["big.local", "box.local"].map(|owner| QuestionBuf {
            unicast_response,
            ..QuestionBuf::new(
                name(owner),
                if owner == "box.local" {
                    RecordType::AAAA
                } else {
                    RecordType::TXT
                },
            )
        })
    };
    for (source, questions) in [
        ("192.0.2.9:5353", &asked(true)[..]),
        ("192.0.2.9:5353", &asked(false)[..]),
        ("192.0.2.9:40000", &asked(false)[..]),
    ] {
        lan.run_ms(2000);
        let start = lan.now();
        lan.inject(source, &message(Flags::QUERY, questions, &[]));
        lan.run_ms(1000);
        let mut kinds: Vec<_> = lan
            .sent(host, start)
            .into_iter()
            .flat_map(records)
            .map(|(section, record)| (section, record.kind()))
            .collect();
        kinds.sort_by_key(|(_, kind)| *kind);
        let wanted = [RecordType::TXT, RecordType::AAAA].map(|kind| (Section::Answer, kind));
        assert_eq!(kinds, wanted, "to {source}");
    }
    lan.assert_clean();
}

#[test]
fn an_alias_is_answered_with_what_it_stands_for() {
    // 6762-16-7, 6762-6-4
    let (mut lan, host) = shop(8);
    let alias = RecordBuf::new(
        name("kiste.local"),
        120,
        cooee_wire::RdataBuf::cname(name("box.local").as_name()),
    );
    lan.publish(host, RecordSet::new().unique(alias));
    lan.run_ms(10_000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("kiste.local", RecordType::A, &[]));
    lan.run_ms(500);
    let sent = records(lan.sent(host, start)[0]);
    let kinds: Vec<_> = sent
        .iter()
        .map(|(section, record)| (*section, record.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Section::Answer, RecordType::CNAME),
            (Section::Additional, RecordType::A),
            (Section::Additional, RecordType::AAAA),
        ]
    );
    lan.assert_clean();
}

#[test]
fn the_replies_that_wait_are_bounded() {
    // 6762-D-2: four times the queriers that any memory is kept for
    let (mut lan, host) = shop(9);
    let qu = QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name(HTTP), RecordType::PTR)
    };
    let payload = message(Flags::QUERY, &[qu], &[]);
    let start = lan.now();
    for number in 0..1000 {
        let source = format!("192.0.2.{}:5353", 10 + number % 200);
        lan.inject(&source, &payload);
    }
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    let replies = sent
        .iter()
        .filter(|packet| is_response(packet) && !packet.destination.ip().is_multicast());
    assert_eq!(replies.count(), 256);
    assert_eq!(lan.network.node(host).engine.stats().over_limit, 1000 - 256);
    lan.assert_clean();
}

#[test]
fn the_answer_of_a_proxy_counts_as_ours() {
    // 6762-7.4-1: a unique record too
    let (mut lan, host) = shop(10);
    let start = lan.now();
    let both = [
        QuestionBuf::new(name(SHOP), RecordType::TXT),
        QuestionBuf::new(name(HTTP), RecordType::PTR),
    ];
    lan.inject("192.0.2.9:5353", &message(Flags::QUERY, &both, &[]));
    lan.run_ms(5);
    for source in ["192.0.2.8:5353", "[fe80::8]:5353"] {
        lan.inject(source, &response(&[flush(txt(SHOP, "path=/"))]));
    }
    lan.run_ms(1000);
    let sent = records(lan.sent(host, start)[0]);
    assert!(
        sent.iter().all(
            |(section, record)| *section != Section::Answer || record.kind() == RecordType::PTR
        )
    );
}
