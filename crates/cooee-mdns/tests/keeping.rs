//! RFC 6762 §10: what is kept, and for how long.

mod lan;

use cooee_mdns::{Event, Presence, RecordSet};
use cooee_wire::RecordType;
use lan::{Lan, a, flush, ms, name, ptr, response, service, with_ttl};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

#[test]
fn a_goodbye_takes_a_record_away_a_second_later() {
    // 6762-10.1-1, 6762-10.1-2
    let mut lan = Lan::new(1);
    let (shop, host) = (lan.host("shop", 1), lan.host("a", 2));
    let group = lan.publish(shop, service("Shop", "box.local", 80));
    lan.ask(host, HTTP, RecordType::PTR);
    lan.run_ms(5000);
    assert_eq!(lan.answers(host).len(), 1);
    let start = lan.now();
    lan.network
        .command(shop, |station, now| station.engine.withdraw(now, group));
    lan.run_ms(990);
    assert_eq!(lan.answers(host).len(), 1);
    lan.run_ms(20);
    assert_eq!(lan.answers(host).len(), 0, "{}", lan.network.transcript());
    lan.run_ms(5000);
    // Ruling 9: one at once and one a second later.
    assert_eq!(lan.sent_at(shop, start, HTTP, RecordType::PTR), [0, 1000]);
    lan.assert_clean();
}

#[test]
fn the_type_enumeration_record_gets_no_goodbye() {
    // Ruling 10
    let mut lan = Lan::new(2);
    let shop = lan.host("shop", 1);
    let group = lan.publish(shop, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let start = lan.now();
    lan.network
        .command(shop, |station, now| station.engine.withdraw(now, group));
    lan.run_ms(5000);
    assert!(
        lan.sent_at(shop, start, "_services._dns-sd._udp.local", RecordType::PTR)
            .is_empty()
    );
}

#[test]
fn what_two_groups_publish_gets_its_goodbye_with_the_last() {
    // Ruling 10
    let mut lan = Lan::new(3);
    let shop = lan.host("shop", 1);
    let shared = || RecordSet::new().shared(ptr("_x._tcp.local", "one._x._tcp.local"));
    let (first, second) = (lan.publish(shop, shared()), lan.publish(shop, shared()));
    lan.run_ms(5000);
    let start = lan.now();
    lan.network
        .command(shop, |station, now| station.engine.withdraw(now, first));
    lan.run_ms(3000);
    assert!(lan.sent(shop, start).is_empty());
    lan.network
        .command(shop, |station, now| station.engine.withdraw(now, second));
    lan.run_ms(3000);
    assert_eq!(
        lan.sent_at(shop, start, "_x._tcp.local", RecordType::PTR),
        [3000, 4000]
    );
}

#[test]
fn a_record_that_comes_back_within_its_second_stays() {
    // 6762-10.1-3, ruling 33
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.inject("192.0.2.9:5353", &response(&[ptr(HTTP, SHOP)]));
    lan.run_ms(100);
    lan.inject("192.0.2.9:5353", &response(&[with_ttl(ptr(HTTP, SHOP), 0)]));
    lan.run_ms(500);
    lan.inject("192.0.2.9:5353", &response(&[ptr(HTTP, SHOP)]));
    lan.run_ms(5000);
    let told: Vec<_> = lan
        .network
        .node(host)
        .events
        .iter()
        .map(|(_, event)| event)
        .collect();
    assert!(
        matches!(
            told[..],
            [Event::Answer {
                presence: Presence::Present,
                ..
            }]
        ),
        "{told:?}"
    );
}

#[test]
fn a_goodbye_for_what_is_not_known_creates_nothing() {
    // 6762-10.1-2
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.inject("192.0.2.9:5353", &response(&[with_ttl(ptr(HTTP, SHOP), 0)]));
    lan.run_ms(3000);
    assert!(lan.network.node(host).events.is_empty());
}

#[test]
fn the_cache_flush_bit_lets_older_records_go_after_a_second() {
    // 6762-10.2-4, 6762-10.2-5, 6762-10.2-6
    let mut lan = Lan::new(6);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::A);
    lan.inject("192.0.2.9:5353", &response(&[flush(a("box.local", 1))]));
    lan.run_ms(500);
    lan.inject("192.0.2.9:5353", &response(&[flush(a("box.local", 2))]));
    lan.run_ms(3000);
    assert_eq!(
        lan.answers(host).len(),
        2,
        "both came within a second: one large set"
    );
    lan.inject("192.0.2.9:5353", &response(&[flush(a("box.local", 3))]));
    lan.run_ms(990);
    assert_eq!(lan.answers(host).len(), 3);
    lan.run_ms(20);
    assert_eq!(lan.answers(host), [a("box.local", 3).rdata]);
}

#[test]
fn a_record_with_the_bit_does_not_flush_itself_or_those_beside_it() {
    // 6762-10.2-5
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::A);
    let set = [flush(a("box.local", 1)), flush(a("box.local", 2))];
    lan.inject("192.0.2.9:5353", &response(&set));
    lan.run_ms(10_000);
    lan.inject("192.0.2.9:5353", &response(&set));
    lan.run_ms(10_000);
    assert_eq!(lan.answers(host).len(), 2);
}

#[test]
fn a_leaving_record_is_not_given_to_new_clients() {
    // Ruling 33
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.inject("192.0.2.9:5353", &response(&[ptr(HTTP, SHOP)]));
    lan.run_ms(3000);
    lan.inject("192.0.2.9:5353", &response(&[with_ttl(ptr(HTTP, SHOP), 0)]));
    lan.run_ms(10);
    let before = lan.network.node(host).events.len();
    lan.ask(host, HTTP, RecordType::PTR);
    assert_eq!(lan.network.node(host).events.len(), before);
}

#[test]
fn records_end_with_their_ttl_and_a_killed_publisher_is_forgotten() {
    // 6762-5.2-12; the budget of a killed publisher: the SRV's TTL and 12 s
    let mut lan = Lan::new(9);
    let (shop, host) = (lan.host("shop", 1), lan.host("a", 2));
    lan.publish(shop, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    lan.ask(host, SHOP, RecordType::SRV);
    lan.run_ms(3000);
    assert_eq!(lan.answers(host).len(), 1);
    lan.network.crash(shop);
    lan.run_ms(121_000);
    assert_eq!(lan.answers(host).len(), 0);
}

#[test]
fn a_shut_down_says_goodbye_once_for_everything() {
    // 6762-10.1-1, ruling 9
    let mut lan = Lan::new(10);
    let shop = lan.host("shop", 1);
    lan.publish(shop, RecordSet::new().host_addresses(name("box.local")));
    lan.publish(shop, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let start = lan.now();
    lan.network
        .command(shop, |station, now| station.engine.shutdown(now));
    lan.run_ms(10);
    let sent = lan.sent(shop, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    let goodbyes = lan::records(sent[0]);
    assert!(goodbyes.iter().all(|(_, record)| record.ttl == 0));
    for kind in [
        RecordType::PTR,
        RecordType::SRV,
        RecordType::TXT,
        RecordType::A,
        RecordType::AAAA,
    ] {
        assert!(goodbyes.iter().any(|(_, record)| record.kind() == kind));
    }
}

#[test]
fn records_nobody_asked_for_are_bounded_and_do_not_keep_out_those_asked_for() {
    // Ruling 37
    let mut lan = Lan::new(11);
    let host = lan.host("a", 1);
    for some in 0..200_u32 {
        let flood: Vec<_> = (0..50)
            .map(|n| a(&format!("flood-{}.local", some * 50 + n), 1))
            .collect();
        lan.inject("192.0.2.9:5353", &response(&flood));
        lan.run_ms(2);
    }
    lan.ask(host, HTTP, RecordType::PTR);
    lan.inject("192.0.2.9:5353", &response(&[ptr(HTTP, SHOP)]));
    lan.run_ms(10);
    assert_eq!(lan.answers(host).len(), 1);
    let engine = &lan.network.node(host).engine;
    let known = (0..10_000).filter(|n| {
        let question =
            cooee_wire::QuestionBuf::new(name(&format!("flood-{n}.local")), RecordType::A);
        !engine.cache(lan.now(), &question).is_empty()
    });
    let known = known.count();
    assert!((4000..=4096).contains(&known), "{known}");
}

#[test]
fn what_was_learned_on_a_link_outlives_a_short_break_of_it() {
    // 6762-10.3-1, ruling 33
    let mut lan = Lan::new(12);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.inject("192.0.2.9:5353", &response(&[ptr(HTTP, SHOP)]));
    lan.run_ms(100);
    let link = lan.link;
    lan.network.leave(host, link);
    lan.run_ms(3000);
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(10_000);
    assert_eq!(lan.answers(host).len(), 1);
    lan.network.leave(host, link);
    lan.run_ms(4990);
    assert_eq!(lan.answers(host).len(), 1);
    lan.network.run_until(lan.now() + ms(20), |_| false);
    assert_eq!(lan.answers(host).len(), 0);
}
