//! RFC 6762 §5.4 and §5.5: answers that go to one host alone.

mod lan;

use cooee_mdns::RecordSet;
use cooee_sim::HostId;
use cooee_wire::{Flags, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use lan::{Lan, message, name, ptr, query, records, truncated, txt};

const HTTP: &str = "_http._tcp.local";

/// A host that publishes its addresses and has been quiet for a while.
fn host(seed: u64) -> (Lan, HostId) {
    let mut lan = Lan::new(seed);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    (lan, host)
}

/// A query with one QU question.
fn qu(owner: &str, kind: RecordType) -> Vec<u8> {
    let question = QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name(owner), kind)
    };
    message(Flags::QUERY, &[question], &[])
}

#[test]
fn two_hosts_with_one_family_each_that_ask_the_same_for_unicast_both_get_it() {
    // 6762-5.4-8, ruling 24: the same octets over both families may be of two hosts
    let (mut lan, host) = host(27);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &qu("box.local", RecordType::A));
    lan.run_ms(20);
    lan.inject("[fe80::8]:5353", &qu("box.local", RecordType::A));
    lan.run_ms(1000);
    let packets = lan.network.packets().iter();
    let replies: Vec<String> = packets
        .filter(|packet| packet.host == Some(host) && packet.at >= start)
        .map(|packet| packet.destination.to_string())
        .collect();
    assert_eq!(replies, ["192.0.2.9:5353", "[fe80::8]:5353"]);
    lan.assert_clean();
}

#[test]
fn a_unicast_answer_that_is_larger_than_a_packet_is_given_in_several() {
    // 6762-5.4-8, 6762-17-2, 6762-17-6: nobody else will give the rest
    let mut lan = Lan::new(28);
    let host = lan.host("a", 1);
    let mut set = RecordSet::new();
    for number in 0..200 {
        set = set.shared(ptr(
            HTTP,
            &format!("instance number {number}.{HTTP}").replace(' ', "\\032"),
        ));
    }
    set = set.shared(txt(HTTP, "x"));
    lan.publish(host, set);
    lan.run_ms(10_000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &qu(HTTP, RecordType::PTR));
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    let unicast = sent
        .iter()
        .filter(|packet| packet.destination.to_string() == "192.0.2.9:5353");
    let count: usize = unicast.map(|packet| records(packet).len()).sum();
    assert_eq!(count, 200, "{}", lan.network.transcript());
    assert!(sent.iter().all(|packet| packet.payload.len() <= 1452));
    lan.assert_clean();
}

#[test]
fn a_large_record_goes_alone_by_unicast_too() {
    // 6762-17-3, 6762-17-6
    let mut lan = Lan::new(29);
    let host = lan.host("a", 1);
    let large = |owner: &str| {
        let text = RdataBuf::txt((0..10).map(|_| [b'x'; 200])).expect("short strings");
        RecordBuf::new(name(owner), 4500, text)
    };
    lan.publish(
        host,
        RecordSet::new()
            .unique(large("one.local"))
            .unique(large("two.local")),
    );
    lan.run_ms(10_000);
    let start = lan.now();
    let questions = ["one.local", "two.local"].map(|owner| QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name(owner), RecordType::TXT)
    });
    lan.inject("192.0.2.9:5353", &message(Flags::QUERY, &questions, &[]));
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    let counts: Vec<usize> = sent.iter().map(|packet| records(packet).len()).collect();
    assert_eq!(counts, [1, 1], "{}", lan.network.transcript());
    assert!(
        sent.iter()
            .all(|packet| !packet.destination.ip().is_multicast())
    );
}

#[test]
fn a_direct_query_refreshes_all_caches_if_the_record_was_not_multicast_lately() {
    // 6762-5.5-1, 6762-5.4-9: as if the question were QU; but who asks us alone gets its reply in any case
    let (mut lan, host) = host(31);
    lan.run_ms(40_000);
    let start = lan.now();
    let payload = query("box.local", RecordType::A, &[]);
    lan.send_to(host, "192.0.2.9:5353", "192.0.2.1", &payload);
    lan.run_ms(500);
    let sent = lan.sent(host, start);
    let mut to: Vec<String> = sent
        .iter()
        .map(|packet| packet.destination.to_string())
        .collect();
    to.sort();
    assert_eq!(to, ["192.0.2.9:5353", "224.0.0.251:5353"]);
}

#[test]
fn twins_of_a_query_that_was_answered_by_multicast_get_nothing_more() {
    // Ruling 24, 6762-5.4-9
    let (mut lan, host) = host(32);
    lan.run_ms(40_000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &qu("box.local", RecordType::A));
    lan.run_ms(20);
    lan.inject("[fe80::9]:5353", &qu("box.local", RecordType::A));
    lan.run_ms(3000);
    let packets = lan.network.packets().iter();
    let sent: Vec<String> = packets
        .filter(|packet| packet.host == Some(host) && packet.at >= start)
        .map(|packet| packet.destination.to_string())
        .collect();
    assert_eq!(sent, ["224.0.0.251:5353", "[ff02::fb]:5353"]);
    lan.assert_clean();
}

#[test]
fn what_one_program_knows_takes_nothing_back_from_another_of_the_same_host() {
    // 6762-7.2-6, 6762-6.7-1: a simple resolver beside the host's responder
    let (mut lan, host) = host(33);
    lan.publish(host, RecordSet::new().unique(txt("box.local", "hello")));
    lan.run_ms(5000);
    let start = lan.now();
    let question = |kind| QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name("box.local"), kind)
    };
    let both = [question(RecordType::A), question(RecordType::TXT)];
    lan.inject("192.0.2.9:5353", &message(Flags::QUERY, &both, &[]));
    lan.run_ms(5);
    let known = [lan::a("box.local", 1), txt("box.local", "hello")];
    let knowing = query("box.local", RecordType::AAAA, &known);
    lan.inject("192.0.2.9:40000", &knowing);
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    let mut reply = sent
        .iter()
        .filter(|packet| packet.destination.port() == 5353 && packet.destination.is_ipv4());
    let reply = reply
        .next()
        .unwrap_or_else(|| panic!("{}", lan.network.transcript()));
    let kinds: Vec<RecordType> = records(reply)
        .iter()
        .map(|(_, record)| record.kind())
        .collect();
    assert!(
        kinds.contains(&RecordType::A) && kinds.contains(&RecordType::TXT),
        "{kinds:?}"
    );
}

#[test]
fn an_answer_that_others_may_give_too_waits_by_unicast_as_by_multicast() {
    // 6762-5.4-11, 6762-6-21
    let mut waits = Vec::new();
    for seed in 0..50 {
        let mut lan = Lan::new(seed);
        let host = lan.host("a", 1);
        lan.publish(
            host,
            RecordSet::new().shared(ptr(HTTP, "x._http._tcp.local")),
        );
        lan.run_ms(5000);
        let start = lan.now();
        lan.inject("192.0.2.9:5353", &qu(HTTP, RecordType::PTR));
        lan.run_ms(500);
        let sent = lan.sent(host, start);
        assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
        assert_eq!(sent[0].destination.to_string(), "192.0.2.9:5353");
        waits.push(lan::millis(sent[0].at, start));
    }
    // The query takes up to a millisecond.
    assert!(
        waits.iter().all(|wait| (20..=122).contains(wait)),
        "{waits:?}"
    );
    assert!(waits.iter().max() > waits.iter().min());
}

#[test]
fn a_unicast_answer_too_waits_for_all_known_answers_of_the_querier() {
    // 6762-7.2-7, 6762-18.5-2, ruling 12: asked of all or of us alone, it is put off by 400 to 500 ms with each packet, for 3 s at most
    let asked = QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name("box.local"), RecordType::A)
    };
    let other = lan::a("other.local", 9);
    for destination in ["224.0.0.251", "192.0.2.1"] {
        let (mut lan, host) = host(34);
        let hear = |lan: &mut Lan, payload: &[u8]| {
            lan.send_to(host, "192.0.2.9:5353", destination, payload);
        };
        let first = truncated(std::slice::from_ref(&asked), &[]);
        let more = truncated(&[], std::slice::from_ref(&other));
        let start = lan.now();
        hear(&mut lan, &first);
        for _ in 0..2 {
            lan.run_ms(350);
            hear(&mut lan, &more);
        }
        lan.run_ms(350);
        hear(&mut lan, &truncated(&[], &[lan::a("box.local", 1)]));
        lan.run_ms(5000);
        lan.assert_silent(host, start);
        // A stream that does not end.
        let start = lan.now();
        hear(&mut lan, &first);
        for _ in 0..20 {
            lan.run_ms(350);
            hear(&mut lan, &more);
        }
        let sent = lan.sent(host, start);
        assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
        assert_eq!(sent[0].destination.to_string(), "192.0.2.9:5353");
        let waited = lan::millis(sent[0].at, start);
        assert!((2900..=3001).contains(&waited), "{waited}");
    }
}

#[test]
fn what_is_published_meanwhile_is_no_answer_to_what_was_asked_before() {
    // 6762-6.1-21: the word that there is none goes with the name that it was about
    let (mut lan, host) = host(35);
    let group = lan.publish(host, RecordSet::new().unique(txt("other.local", "x")));
    lan.run_ms(5000);
    let start = lan.now();
    let asked = QuestionBuf::new(name("other.local"), RecordType::SRV);
    let payload = truncated(&[asked], &[]);
    lan.send_to(host, "192.0.2.9:5353", "192.0.2.1", &payload);
    lan.run_ms(10);
    lan.withdraw(host, group);
    let services = (0..10).fold(RecordSet::new(), |set, number| {
        set.shared(ptr(HTTP, &format!("{number}.{HTTP}")))
    });
    lan.publish(host, services);
    lan.run_ms(1000);
    let packets = lan.sent(host, start);
    let mut replies = packets
        .iter()
        .filter(|packet| !packet.destination.ip().is_multicast());
    assert!(replies.next().is_none(), "{}", lan.network.transcript());
}
