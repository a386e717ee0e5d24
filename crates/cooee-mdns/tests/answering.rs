//! RFC 6762 §6 and §7: what is answered, to whom, and when.

mod lan;

use cooee_mdns::{GroupId, RecordSet};
use cooee_sim::HostId;
use cooee_wire::{Flags, Message, QuestionBuf, RecordType, Section};
use lan::{
    Lan, flush, is_response, message, millis, name, ptr, query, questions, records, response,
    service, txt, with_ttl,
};

const SHOP: &str = "Shop._http._tcp.local";
const HTTP: &str = "_http._tcp.local";

/// A host that publishes a service and has been quiet for a while.
fn shop(seed: u64) -> (Lan, HostId, GroupId) {
    let mut lan = Lan::new(seed);
    let host = lan.host("shop", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    let group = lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    (lan, host, group)
}

#[test]
fn a_sole_unique_answer_is_given_at_once() {
    // 6762-6-16, 6762-6-17
    let (mut lan, host, _) = shop(1);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::A, &[]));
    lan.run_ms(1000);
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::A),
        [1],
        "{}",
        lan.network.transcript()
    );
    lan.assert_clean();
}

#[test]
fn a_shared_answer_waits_20_to_120_ms() {
    // 6762-6-21
    let mut waits = Vec::new();
    for seed in 0..100 {
        let (mut lan, host, _) = shop(seed);
        let start = lan.now();
        lan.inject("192.0.2.9:5353", &query(HTTP, RecordType::PTR, &[]));
        lan.run_ms(1000);
        let sent = lan.sent_at(host, start, HTTP, RecordType::PTR);
        assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
        waits.push(sent[0]);
    }
    assert!(
        waits.iter().all(|wait| (21..=121).contains(wait)),
        "{waits:?}"
    );
    assert!(
        waits.iter().min() < Some(&40) && waits.iter().max() > Some(&100),
        "{waits:?}"
    );
}

#[test]
fn a_query_with_tc_is_answered_after_400_to_500_ms() {
    // 6762-6-23, 6762-18.5-1, 6762-18.5-2
    let (mut lan, host, _) = shop(2);
    let start = lan.now();
    let truncated = message(
        Flags::QUERY.with_truncated(true),
        &[QuestionBuf::new(name(HTTP), RecordType::PTR)],
        &[(Section::Answer, ptr(HTTP, "Other._http._tcp.local"))],
    );
    lan.inject("192.0.2.9:5353", &truncated);
    lan.run_ms(1000);
    let sent = lan.sent_at(host, start, HTTP, RecordType::PTR);
    assert_eq!(sent.len(), 1);
    assert!((401..=501).contains(&sent[0]), "{sent:?}");
}

#[test]
fn known_answers_that_follow_take_the_answer_back() {
    // 6762-7.2-6, 6762-15.2-1
    let (mut lan, host, _) = shop(3);
    let start = lan.now();
    let first = message(
        Flags::QUERY.with_truncated(true),
        &[QuestionBuf::new(name(HTTP), RecordType::PTR)],
        &[],
    );
    lan.inject("192.0.2.9:5353", &first);
    lan.run_ms(5);
    lan.inject(
        "192.0.2.9:5353",
        &message(Flags::QUERY, &[], &[(Section::Answer, ptr(HTTP, SHOP))]),
    );
    lan.run_ms(2000);
    assert_eq!(
        lan.sent_at(host, start, HTTP, RecordType::PTR),
        [] as [u64; 0],
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn known_answers_of_one_host_do_not_silence_what_another_waits_for() {
    // 6762-7.2-6
    let (mut lan, host, _) = shop(4);
    let start = lan.now();
    let first = message(
        Flags::QUERY.with_truncated(true),
        &[QuestionBuf::new(name(HTTP), RecordType::PTR)],
        &[],
    );
    lan.inject("192.0.2.9:5353", &first);
    lan.inject("192.0.2.10:5353", &query(HTTP, RecordType::PTR, &[]));
    lan.run_ms(5);
    lan.inject(
        "192.0.2.9:5353",
        &message(Flags::QUERY, &[], &[(Section::Answer, ptr(HTTP, SHOP))]),
    );
    lan.run_ms(2000);
    assert_eq!(lan.sent_at(host, start, HTTP, RecordType::PTR).len(), 1);
}

#[test]
fn a_known_answer_with_half_its_ttl_is_not_given_again() {
    // 6762-7.1-3, 6762-7.1-4
    let answered = |ttl| {
        let (mut lan, host, _) = shop(5);
        let start = lan.now();
        lan.inject(
            "192.0.2.9:5353",
            &query(HTTP, RecordType::PTR, &[with_ttl(ptr(HTTP, SHOP), ttl)]),
        );
        lan.run_ms(1000);
        !lan.sent_at(host, start, HTTP, RecordType::PTR).is_empty()
    };
    assert!(!answered(4500));
    assert!(!answered(2250));
    assert!(answered(2249));
}

#[test]
fn nothing_is_multicast_twice_within_a_second_and_nothing_is_lost() {
    // 6762-6-30: put off, not dropped
    let (mut lan, host, _) = shop(6);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::A, &[]));
    lan.run_ms(200);
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::A, &[]));
    lan.run_ms(2000);
    let sent = lan.sent_at(host, start, "box.local", RecordType::A);
    assert_eq!(sent, [1, 1001], "{}", lan.network.transcript());
    lan.assert_clean();
}

#[test]
fn a_multicast_response_has_no_question_and_the_right_header() {
    // 6762-6-12, 6762-18.1-5, 6762-18.2-2, 6762-18.3-1, 6762-18.4-2, 6762-18.11-1
    let (lan, host, _) = shop(7);
    for packet in lan
        .network
        .packets()
        .iter()
        .filter(|packet| packet.host == Some(host) && is_response(packet))
    {
        let header = Message::parse(&packet.payload).expect("a message").header();
        assert_eq!(
            (header.id, header.flags.bits(), header.question_count),
            (0, 0x8400, 0)
        );
    }
}

#[test]
fn unique_records_carry_the_cache_flush_bit_and_shared_ones_never() {
    // 6762-8.3-3, 6762-8.3-4, 6762-10.2-8, 6762-10.2-14
    let (lan, host, _) = shop(8);
    let mut seen = 0;
    for packet in lan
        .network
        .packets()
        .iter()
        .filter(|packet| packet.host == Some(host) && is_response(packet))
    {
        for (_, record) in records(packet) {
            let shared =
                record.name == name(HTTP) || record.name == name("_services._dns-sd._udp.local");
            assert_eq!(record.cache_flush, !shared, "{record:?}");
            seen += 1;
        }
    }
    assert!(seen > 10);
}

#[test]
fn the_name_of_a_type_that_is_absent_is_denied_by_nsec() {
    // 6762-6-8, 6762-6-9, 6762-6.1-1, 6762-6.1-17, 6762-6.1-19
    let (mut lan, host, _) = shop(9);
    let start = lan.now();
    lan.inject(
        "192.0.2.9:5353",
        &query("box.local", RecordType::HINFO, &[]),
    );
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    let (section, nsec) = records(sent[0]).remove(0);
    assert_eq!(
        (section, nsec.kind(), nsec.ttl, nsec.cache_flush),
        (Section::Answer, RecordType::NSEC, 120, true)
    );
    let record = nsec.as_record();
    let Ok(cooee_wire::Data::Nsec(nsec)) = record.data() else {
        panic!("an NSEC")
    };
    let has = |kind| nsec.contains(kind);
    assert!(has(RecordType::A) && has(RecordType::AAAA));
    assert!(!has(RecordType::HINFO) && !has(RecordType::NSEC));
}

#[test]
fn a_host_with_one_family_says_that_it_has_no_other() {
    // 6762-6.2-5, 6762-E-2, 6763-12.2-1
    let mut lan = Lan::new(10);
    let host = lan.network.add_station("four");
    lan.network.join(
        host,
        lan.link,
        &["192.0.2.4/24".parse().expect("an address")],
    );
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(SHOP, RecordType::SRV, &[]));
    lan.run_ms(100);
    let sent = records(lan.sent(host, start)[0]);
    let additional = |kind| {
        sent.iter()
            .any(|(section, r)| *section == Section::Additional && r.kind() == kind)
    };
    assert!(
        additional(RecordType::A) && additional(RecordType::NSEC),
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn one_answer_to_a_browser_holds_all_it_needs() {
    // 6763-12.1-1, 6763-12.1-2, 6763-12.1-3
    let (mut lan, host, _) = shop(11);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(HTTP, RecordType::PTR, &[]));
    lan.run_ms(500);
    let sent = records(lan.sent(host, start)[0]);
    let kinds: Vec<_> = sent
        .iter()
        .map(|(section, record)| (*section, record.kind()))
        .collect();
    assert_eq!(kinds[0], (Section::Answer, RecordType::PTR));
    for kind in [
        RecordType::SRV,
        RecordType::TXT,
        RecordType::A,
        RecordType::AAAA,
    ] {
        assert!(kinds.contains(&(Section::Additional, kind)), "{kinds:?}");
    }
}

#[test]
fn an_any_query_gets_all_records_of_the_name() {
    // 6762-6.5-1, 6762-6.5-2, 6762-6-4
    let (mut lan, host, _) = shop(12);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(SHOP, RecordType::ANY, &[]));
    lan.run_ms(500);
    let answers: Vec<_> = records(lan.sent(host, start)[0])
        .into_iter()
        .filter(|(section, _)| *section == Section::Answer)
        .map(|(_, record)| record.kind())
        .collect();
    assert_eq!(answers, [RecordType::SRV, RecordType::TXT]);
}

#[test]
fn several_questions_are_answered_together_after_20_to_120_ms() {
    // 6762-6.3-1, 6762-6.3-2, 6762-6.4-1, 6762-5.3-2
    let (mut lan, host, _) = shop(13);
    let start = lan.now();
    let asked = [
        QuestionBuf::new(name("box.local"), RecordType::A),
        QuestionBuf::new(name(SHOP), RecordType::SRV),
    ];
    lan.inject("192.0.2.9:5353", &message(Flags::QUERY, &asked, &[]));
    lan.run_ms(500);
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    assert!((21..=121).contains(&millis(sent[0].at, start)));
}

#[test]
fn case_does_not_matter_and_is_kept() {
    // 6762-16-5, 1035-2.3.3-1, 1035-2.3.3-2
    let (mut lan, host, _) = shop(14);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("BOX.Local", RecordType::A, &[]));
    lan.run_ms(500);
    let sent = records(lan.sent(host, start)[0]);
    assert_eq!(sent[0].1.name.to_string(), "box.local");
}

#[test]
fn a_simple_resolver_gets_a_conventional_reply() {
    // 6762-6.7-1 .. 6762-6.7-6, 6762-18.1-6, 6762-10.2-12, 6762-18.14-10, 6762-18.6-2
    let (mut lan, host, _) = shop(15);
    let start = lan.now();
    let mut payload = query(SHOP, RecordType::SRV, &[]);
    payload[0..2].copy_from_slice(&[0x12, 0x34]);
    payload[2] |= 1;
    lan.inject("192.0.2.9:40000", &payload);
    lan.run_ms(500);
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    assert_eq!(sent[0].destination.to_string(), "192.0.2.9:40000");
    let header = Message::parse(&sent[0].payload)
        .expect("a message")
        .header();
    assert_eq!(header.id, 0x1234);
    assert_eq!(questions(sent[0])[0].name, name(SHOP));
    assert!(
        records(sent[0])
            .iter()
            .all(|(_, record)| !record.cache_flush && record.ttl <= 10)
    );
    let target = b"\x03box\x05local\x00";
    assert!(
        sent[0]
            .payload
            .windows(target.len())
            .any(|window| window == target),
        "the target is written out"
    );
}

#[test]
fn a_qu_question_is_answered_by_unicast_if_the_record_was_multicast_lately() {
    // 6762-5.4-8, 6762-5.4-9, 6762-5.4-11: a quarter of 120 s is 30 s
    let destination = |wait_ms| {
        let (mut lan, host, _) = shop(16);
        lan.run_ms(wait_ms);
        let start = lan.now();
        let question = QuestionBuf {
            unicast_response: true,
            ..QuestionBuf::new(name("box.local"), RecordType::A)
        };
        lan.inject("192.0.2.9:5353", &message(Flags::QUERY, &[question], &[]));
        lan.run_ms(500);
        let sent = lan.sent(host, start);
        assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
        assert!(
            records(sent[0])
                .iter()
                .any(|(_, record)| record.cache_flush)
        );
        sent[0].destination.to_string()
    };
    assert_eq!(destination(5_000), "192.0.2.9:5353");
    assert_eq!(destination(40_000), "224.0.0.251:5353");
}

#[test]
fn a_qu_question_from_elsewhere_is_answered_by_multicast() {
    // 6762-11-6, 6762-11-7, ruling 16
    let (mut lan, host, _) = shop(17);
    let start = lan.now();
    let question = QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name("box.local"), RecordType::A)
    };
    lan.inject("203.0.113.5:5353", &message(Flags::QUERY, &[question], &[]));
    lan.run_ms(500);
    assert_eq!(lan.sent_at(host, start, "box.local", RecordType::A), [1]);
}

#[test]
fn what_another_has_just_answered_is_not_answered_again() {
    // 6762-7.4-1, ruling 24: on both families
    let (mut lan, host, _) = shop(18);
    let types = "_services._dns-sd._udp.local";
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(types, RecordType::PTR, &[]));
    lan.run_ms(2);
    lan.inject("192.0.2.8:5353", &response(&[ptr(types, HTTP)]));
    lan.inject("[fe80::8]:5353", &response(&[ptr(types, HTTP)]));
    lan.run_ms(1000);
    assert_eq!(
        lan.sent_at(host, start, types, RecordType::PTR),
        [] as [u64; 0],
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn what_another_has_answered_in_one_family_is_answered() {
    // Ruling 24
    let (mut lan, host, _) = shop(19);
    let types = "_services._dns-sd._udp.local";
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(types, RecordType::PTR, &[]));
    lan.run_ms(2);
    lan.inject("192.0.2.8:5353", &response(&[ptr(types, HTTP)]));
    lan.run_ms(1000);
    assert_eq!(lan.sent_at(host, start, types, RecordType::PTR).len(), 1);
}

#[test]
fn the_same_query_over_both_families_gets_one_answer() {
    // Ruling 24
    let (mut lan, host, _) = shop(20);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::A, &[]));
    lan.inject("[fe80::9]:5353", &query("box.local", RecordType::A, &[]));
    lan.run_ms(3000);
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::A),
        [1],
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn a_goodbye_of_another_for_our_record_is_corrected() {
    // 6762-6.6-4, 6762-10.1-3, ruling 10
    let (mut lan, host, _) = shop(21);
    let start = lan.now();
    lan.inject(
        "192.0.2.9:5353",
        &response(&[with_ttl(ptr("_services._dns-sd._udp.local", HTTP), 0)]),
    );
    lan.run_ms(1000);
    let sent = lan.sent_at(host, start, "_services._dns-sd._udp.local", RecordType::PTR);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    assert!((21..=121).contains(&sent[0]));
}

#[test]
fn nonsense_is_counted_and_has_no_other_effect() {
    // 6762-18.3-2, 6762-18.11-2, 6762-6-25, 1035-4.1-2
    let (mut lan, host, _) = shop(22);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &[1, 2, 3]);
    let mut status = query("box.local", RecordType::A, &[]);
    status[2] |= 2 << 3;
    lan.inject("192.0.2.9:5353", &status);
    let mut refused = query("box.local", RecordType::A, &[]);
    refused[3] |= 5;
    lan.inject("192.0.2.9:5353", &refused);
    lan.inject("192.0.2.9:1234", &response(&[flush(txt(SHOP, "theirs"))]));
    lan.run_ms(3000);
    let stats = lan.network.node(host).engine.stats();
    assert_eq!(
        (stats.malformed, stats.not_a_query, stats.wrong_port),
        (1, 2, 1)
    );
    lan.assert_silent(host, start);
}

#[test]
fn the_addresses_of_a_link_are_those_that_are_published_on_it() {
    // 6762-14-4, 6762-6.2-1, 6762-6.2-2
    let mut lan = Lan::new(23);
    let host = lan.host("two-homed", 1);
    let other = lan.network.add_link(cooee_sim::Conditions::default());
    lan.network.join(
        host,
        other,
        &["198.51.100.1/24".parse().expect("an address")],
    );
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(3000);
    for packet in lan
        .network
        .packets()
        .iter()
        .filter(|packet| is_response(packet))
    {
        for (_, record) in records(packet)
            .into_iter()
            .filter(|(_, record)| record.kind() == RecordType::A)
        {
            let first = if packet.link == other { 198 } else { 192 };
            assert_eq!(
                record.rdata.octets()[0],
                first,
                "{}",
                lan.network.transcript()
            );
        }
    }
    lan.assert_clean();
}

#[test]
fn a_direct_query_is_answered_directly_if_it_is_from_the_link() {
    // 6762-5.5-1, 6762-5.5-2, ruling 16
    let (mut lan, host, _) = shop(24);
    let start = lan.now();
    let payload = query("box.local", RecordType::A, &[]);
    for source in ["192.0.2.9:5353", "203.0.113.9:5353"] {
        lan.send_to(host, source, "192.0.2.1", &payload);
    }
    lan.run_ms(500);
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    assert_eq!(sent[0].destination.to_string(), "192.0.2.9:5353");
    assert_eq!(lan.network.node(host).engine.stats().off_link, 1);
}

#[test]
fn a_query_that_asks_the_same_again_and_again_is_cut_short() {
    let (mut lan, host, _) = shop(25);
    let start = lan.now();
    let asked: Vec<_> = (0..400)
        .map(|_| QuestionBuf::new(name(HTTP), RecordType::PTR))
        .collect();
    lan.inject("192.0.2.9:5353", &message(Flags::QUERY, &asked, &[]));
    lan.run_ms(500);
    assert_eq!(lan.sent_at(host, start, HTTP, RecordType::PTR).len(), 1);
    assert_eq!(lan.network.node(host).engine.stats().over_limit, 400 - 16);
}

#[test]
fn a_unique_set_that_is_known_in_part_is_sent_whole() {
    // 6762-10.2-7, reading 4
    let mut lan = Lan::new(26);
    let host = lan.host("a", 1);
    let set = RecordSet::new()
        .unique(lan::a("box.local", 1))
        .unique(lan::a("box.local", 2));
    lan.publish(host, set);
    lan.run_ms(5000);
    let start = lan.now();
    let asked = [QuestionBuf::new(name("box.local"), RecordType::A)];
    lan.inject(
        "192.0.2.9:5353",
        &message(Flags::QUERY.with_truncated(true), &asked, &[]),
    );
    lan.run_ms(5);
    lan.inject(
        "192.0.2.9:5353",
        &message(
            Flags::QUERY,
            &[],
            &[(Section::Answer, lan::a("box.local", 1))],
        ),
    );
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    let addresses = records(sent[0])
        .into_iter()
        .filter(|(_, record)| record.kind() == RecordType::A);
    assert_eq!(addresses.count(), 2);
}

#[test]
fn an_answer_waits_up_to_500_ms_for_one_that_is_due_a_little_later() {
    // 6762-6.4-1, 6762-6.4-2
    let mut lan = Lan::new(92);
    let host = lan.host("a", 1);
    let shared = |kind: &str| RecordSet::new().shared(ptr(kind, &format!("one.{kind}")));
    lan.publish(host, shared("_x._tcp.local"));
    lan.publish(host, shared("_y._tcp.local"));
    lan.run_ms(10_000);
    let start = lan.now();
    lan.inject(
        "192.0.2.9:5353",
        &query("_x._tcp.local", RecordType::PTR, &[]),
    );
    let later = QuestionBuf::new(name("_y._tcp.local"), RecordType::PTR);
    let truncated = message(Flags::QUERY.with_truncated(true), &[later], &[]);
    lan.inject("192.0.2.8:5353", &truncated);
    lan.run_ms(2000);
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    let at = millis(sent[0].at, start);
    assert!((400..=501).contains(&at), "{at}");
    // What is to go at once waits for nobody, and takes along what may go.
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_ms(10_000);
    let start = lan.now();
    lan.inject("192.0.2.8:5353", &truncated);
    lan.inject(
        "192.0.2.9:5353",
        &query("_x._tcp.local", RecordType::PTR, &[]),
    );
    lan.run_ms(150);
    lan.assert_silent(host, start);
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::TXT, &[]));
    lan.run_ms(5);
    let first = records(lan.sent(host, start)[0]);
    assert!(
        first
            .iter()
            .any(|(_, record)| record.kind() == RecordType::PTR)
    );
    lan.withdraw(host, group);
    lan.run_ms(2000);
    lan.assert_clean();
}
