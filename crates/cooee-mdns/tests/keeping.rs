//! RFC 6762 §10: what is kept, and for how long.

mod lan;

use cooee_mdns::{Event, Presence, QueryId, RecordSet};
use cooee_sim::HostId;
use cooee_wire::{Flags, RecordType, Section};
use lan::{Lan, a, flush, message, ms, name, ptr, response, service, srv, with_ttl};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

/// A host that browses, and has just heard of the shop.
fn browser(seed: u64) -> (Lan, HostId) {
    let mut lan = Lan::new(seed);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.hear(&[ptr(HTTP, SHOP)]);
    (lan, host)
}

/// A shop, and a host that has asked where it is, and knows.
fn client(seed: u64) -> (Lan, HostId, HostId, QueryId) {
    let mut lan = Lan::new(seed);
    let (shop, host) = (lan.host("shop", 1), lan.host("a", 2));
    lan.publish(shop, service("Shop", "box.local", 80));
    let query = lan.ask(host, SHOP, RecordType::SRV);
    lan.run_ms(5000);
    (lan, shop, host, query)
}

/// Whether the host has been told that an answer to the query is there, or is gone.
fn is_told(lan: &Lan, host: HostId, of: QueryId, that: Presence) -> bool {
    let tells = |event: &Event| matches!(event, Event::Answer { query, presence, .. } if *query == of && *presence == that);
    let mut events = lan.network.node(host).events.iter();
    events.any(|(_, event)| tells(event))
}

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
    lan.withdraw(shop, group);
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
    lan.withdraw(shop, group);
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
    lan.withdraw(shop, first);
    lan.run_ms(3000);
    lan.assert_silent(shop, start);
    lan.withdraw(shop, second);
    lan.run_ms(3000);
    assert_eq!(
        lan.sent_at(shop, start, "_x._tcp.local", RecordType::PTR),
        [3000, 4000]
    );
}

#[test]
fn a_record_that_comes_back_within_its_second_stays() {
    // 6762-10.1-3, ruling 33
    let (mut lan, host) = browser(4);
    lan.run_ms(100);
    lan.hear(&[with_ttl(ptr(HTTP, SHOP), 0)]);
    lan.run_ms(500);
    lan.hear(&[ptr(HTTP, SHOP)]);
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
    lan.hear(&[with_ttl(ptr(HTTP, SHOP), 0)]);
    lan.run_ms(3000);
    assert!(lan.network.node(host).events.is_empty());
}

#[test]
fn the_cache_flush_bit_lets_older_records_go_after_a_second() {
    // 6762-10.2-4, 6762-10.2-5, 6762-10.2-6
    let mut lan = Lan::new(6);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::A);
    lan.hear(&[flush(a("box.local", 1))]);
    lan.run_ms(500);
    lan.hear(&[flush(a("box.local", 2))]);
    lan.run_ms(3000);
    assert_eq!(
        lan.answers(host).len(),
        2,
        "both came within a second: one large set"
    );
    lan.hear(&[flush(a("box.local", 3))]);
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
    lan.hear(&set);
    lan.run_ms(10_000);
    lan.hear(&set);
    lan.run_ms(10_000);
    assert_eq!(lan.answers(host).len(), 2);
}

#[test]
fn a_leaving_record_is_not_given_to_new_clients() {
    // Ruling 33
    let (mut lan, host) = browser(8);
    lan.run_ms(3000);
    lan.hear(&[with_ttl(ptr(HTTP, SHOP), 0)]);
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
fn records_of_a_set_are_kept_each_for_its_own_time() {
    // 2181-5.2-2, 1035-7.4-1, 1035-3.2.1-2: without the cache-flush bit they join what is there
    let mut lan = Lan::new(21);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::A);
    let timed = |last, ttl| response(&[with_ttl(a("box.local", last), ttl)]);
    for (last, ttl) in [(1, 10), (2, 120), (3, 0)] {
        lan.inject("192.0.2.9:5353", &timed(last, ttl));
        lan.run_ms(2000);
    }
    assert_eq!(lan.answers(host).len(), 2, "0 is no time to be kept for");
    lan.run_ms(5000);
    assert_eq!(lan.answers(host), [a("box.local", 2).rdata]);
}

#[test]
fn addresses_that_came_along_are_not_asked_for() {
    // 2782-usage-2
    let mut lan = Lan::new(23);
    let host = lan.host("a", 1);
    lan.ask(host, SHOP, RecordType::SRV);
    lan.run_ms(500);
    let told = [
        (Section::Answer, flush(srv(SHOP, "box.local", 80))),
        (Section::Additional, flush(a("box.local", 7))),
    ];
    lan.inject("192.0.2.9:5353", &message(Flags::RESPONSE, &[], &told));
    lan.run_ms(100);
    let start = lan.now();
    lan.ask(host, "box.local", RecordType::A);
    assert!(lan.answers(host).contains(&a("box.local", 7).rdata));
    lan.run_ms(10_000);
    let asked = lan.asked_at(host, start, "box.local", RecordType::A);
    assert!(asked.is_empty(), "{}", lan.network.transcript());
}

#[test]
fn no_record_is_kept_for_more_than_a_week() {
    // 1035-7.3-2, 2181-8-3, ruling 7
    const WEEK: u64 = 7 * 24 * 3600 * 1000;
    let mut lan = Lan::new(22);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::A);
    let forever = with_ttl(flush(a("box.local", 1)), 0x7FFF_FFFF);
    lan.hear(&[forever]);
    lan.run_ms(WEEK - 1000);
    assert_eq!(lan.answers(host).len(), 1);
    lan.run_ms(2000);
    assert!(lan.answers(host).is_empty());
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
        lan.hear(&flood);
        lan.run_ms(2);
    }
    lan.ask(host, HTTP, RecordType::PTR);
    lan.hear(&[ptr(HTTP, SHOP)]);
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
    let (mut lan, host) = browser(12);
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

#[test]
fn a_record_that_others_ask_for_in_vain_is_given_up() {
    // 6762-10.5-1, 6762-10.5-2, 6762-10.5-3, ruling 6
    let (mut lan, host) = browser(13);
    lan.run_ms(10_000);
    let asked = |lan: &mut Lan, known: &[cooee_wire::RecordBuf]| {
        lan.inject("192.0.2.8:5353", &lan::query(HTTP, RecordType::PTR, known));
        lan.inject("[fe80::8]:5353", &lan::query(HTTP, RecordType::PTR, known));
        lan.run_ms(2000);
    };
    for _ in 0..3 {
        asked(&mut lan, &[ptr(HTTP, SHOP)]);
    }
    lan.run_ms(20_000);
    assert_eq!(
        lan.answers(host).len(),
        1,
        "who knows the answer does not wait for it"
    );
    asked(&mut lan, &[]);
    lan.run_ms(20_000);
    assert_eq!(lan.answers(host).len(), 1, "once is not enough");
    let start = lan.now();
    asked(&mut lan, &[]);
    lan.run_ms(7990);
    assert_eq!(lan.answers(host).len(), 1);
    let own = lan.asked_at(host, start, HTTP, RecordType::PTR);
    assert_eq!(own, [] as [u64; 0], "others have asked");
    lan.run_ms(20);
    assert_eq!(lan.answers(host).len(), 0, "{}", lan.network.transcript());
}

#[test]
fn an_answer_clears_the_doubt() {
    // 6762-10.5-2
    let (mut lan, host) = browser(14);
    lan.run_ms(10_000);
    for _ in 0..2 {
        lan.inject("192.0.2.8:5353", &lan::query(HTTP, RecordType::PTR, &[]));
        lan.inject("[fe80::8]:5353", &lan::query(HTTP, RecordType::PTR, &[]));
        lan.run_ms(2000);
    }
    lan.hear(&[ptr(HTTP, SHOP)]);
    lan.run_ms(20_000);
    assert_eq!(lan.answers(host).len(), 1);
}

#[test]
fn a_doubted_record_is_asked_for_twice_at_least_and_goes_after_ten_seconds() {
    // 6762-10.4-4, 6762-10.4-5, 6762-10.4-6
    let (mut lan, shop, host, _) = client(15);
    let srv = srv(SHOP, "box.local", 80);
    lan.doubt(host, &srv);
    lan.run_ms(20_000);
    assert_eq!(lan.answers(host).len(), 1, "it is still there");
    lan.network.crash(shop);
    let start = lan.now();
    lan.doubt(host, &srv);
    lan.run_ms(9990);
    assert_eq!(lan.answers(host).len(), 1);
    assert!(lan.asked_at(host, start, SHOP, RecordType::SRV).len() >= 2);
    lan.run_ms(20);
    assert_eq!(lan.answers(host).len(), 0);
}

#[test]
fn what_ran_out_while_the_machine_slept_gets_five_seconds_to_answer() {
    // Ruling 27, 6762-10.3-2, 6762-8-2
    let mut lan = Lan::new(16);
    let (shop, gone) = (lan.host("shop", 1), lan.host("gone", 2));
    lan.publish(
        shop,
        RecordSet::new().unique(lan::txt("shop.local", "here")),
    );
    lan.publish(
        gone,
        RecordSet::new().unique(lan::txt("gone.local", "here")),
    );
    let host = lan.host("a", 3);
    lan.run_ms(2000);
    lan.ask(host, "shop.local", RecordType::TXT);
    lan.ask(host, "gone.local", RecordType::TXT);
    lan.run_ms(3000);
    assert_eq!(lan.answers(host).len(), 2);
    lan.network.crash(gone);
    lan.network.suspend(host);
    lan.run_ms(6_000_000);
    lan.network.resume(host);
    let start = lan.now();
    lan.run_ms(4990);
    assert_eq!(lan.answers(host).len(), 2, "{}", lan.network.transcript());
    assert_eq!(
        lan.asked_at(host, start, "gone.local", RecordType::TXT)
            .len(),
        3
    );
    lan.run_ms(20);
    assert_eq!(lan.answers(host), [lan::txt("shop.local", "here").rdata]);
    let told: Vec<_> = lan
        .network
        .node(host)
        .events
        .iter()
        .filter(|(at, _)| *at > start)
        .collect();
    assert_eq!(told.len(), 1, "only what stays silent is gone: {told:?}");
}

#[test]
fn who_asks_while_a_record_is_leaving_is_told_when_it_is_rescued() {
    // Rulings 3 and 33, 6762-10.1-3
    let (mut lan, host) = browser(17);
    lan.run_ms(3000);
    lan.hear(&[with_ttl(ptr(HTTP, SHOP), 0)]);
    lan.run_ms(300);
    let late = lan.ask(host, HTTP, RecordType::PTR);
    lan.hear(&[ptr(HTTP, SHOP)]);
    lan.run_ms(3000);
    assert!(is_told(&lan, host, late, Presence::Present));
}

#[test]
fn a_cancelled_query_is_told_of_no_record_that_comes_back() {
    // 6762-10.1-3: it has asked while the record was going
    let mut lan = Lan::new(23);
    let host = lan.host("a", 1);
    lan.hear(&[ptr(HTTP, SHOP)]);
    lan.run_ms(1000);
    let goodbye = with_ttl(ptr(HTTP, SHOP), 0);
    lan.hear(&[goodbye]);
    lan.run_ms(100);
    let (early, late) = (
        lan.ask(host, HTTP, RecordType::PTR),
        lan.ask(host, HTTP, RecordType::PTR),
    );
    lan.cancel(host, early);
    lan.hear(&[ptr(HTTP, SHOP)]);
    lan.run_ms(3000);
    let told = |query| is_told(&lan, host, query, Presence::Present);
    assert!(told(late) && !told(early));
}

#[test]
fn one_query_that_asks_twice_throws_no_doubt() {
    // 6762-10.5-2, ruling 6: two or more queries
    let (mut lan, host) = browser(18);
    lan.run_ms(10_000);
    let twice = [(); 2].map(|()| cooee_wire::QuestionBuf::new(name(HTTP), RecordType::PTR));
    let twice = message(Flags::QUERY, &twice, &[]);
    lan.inject("192.0.2.8:5353", &twice);
    lan.inject("[fe80::8]:5353", &twice);
    lan.run_ms(20_000);
    assert_eq!(lan.answers(host).len(), 1);
}

#[test]
fn a_confirmed_record_that_nobody_asks_for_is_left_alone() {
    // 6762-5.2-13, 6762-10.4-5
    let mut lan = Lan::new(19);
    let host = lan.host("a", 1);
    let srv = flush(srv(SHOP, "box.local", 80));
    lan.hear(std::slice::from_ref(&srv));
    lan.run_ms(1000);
    lan.doubt(host, &srv);
    lan.run_ms(500);
    lan.hear(&[srv]);
    lan.run_ms(10);
    let start = lan.now();
    lan.run_ms(200_000);
    lan.assert_silent(host, start);
}

#[test]
fn a_doubted_record_that_goes_and_comes_back_is_left_alone_too() {
    // 6762-5.2-13, 6762-10.1-3, 6762-10.4-5
    let mut lan = Lan::new(21);
    let host = lan.host("a", 1);
    let srv = flush(srv(SHOP, "box.local", 80));
    lan.hear(std::slice::from_ref(&srv));
    lan.run_ms(1000);
    lan.doubt(host, &srv);
    lan.run_ms(500);
    lan.hear(&[with_ttl(srv.clone(), 0)]);
    lan.run_ms(500);
    lan.hear(&[srv]);
    lan.run_ms(10);
    let start = lan.now();
    lan.run_ms(200_000);
    lan.assert_silent(host, start);
}

#[test]
fn who_asks_for_a_doubted_record_does_not_end_the_asking() {
    // 6762-10.4-5, 6762-5.2-15: a program that could not connect doubts the record, and looks it up again
    let (mut lan, _, host, _) = client(22);
    let srv = srv(SHOP, "box.local", 80);
    lan.doubt(host, &srv);
    let start = lan.now();
    let again = lan.ask(host, SHOP, RecordType::SRV);
    lan.run_ms(20_000);
    assert!(
        !lan.asked_at(host, start, SHOP, RecordType::SRV).is_empty(),
        "{}",
        lan.network.transcript()
    );
    assert!(!is_told(&lan, host, again, Presence::Gone));
    assert_eq!(lan.answers(host).len(), 1);
}

#[test]
fn a_doubted_record_is_asked_for_even_if_its_last_client_goes() {
    // 6762-10.4-4, 6762-10.4-5, 6762-5.2-13: who doubts a record may be done with it at once; it stays if it is there
    let (mut lan, _, host, query) = client(23);
    let srv = srv(SHOP, "box.local", 80);
    lan.doubt(host, &srv);
    lan.cancel(host, query);
    let start = lan.now();
    lan.run_ms(20_000);
    let question = cooee_wire::QuestionBuf::new(name(SHOP), RecordType::SRV);
    let known = lan.network.node(host).engine.cache(lan.now(), &question);
    assert_eq!(known.len(), 1, "{}", lan.network.transcript());
    assert_eq!(lan.asked_at(host, start, SHOP, RecordType::SRV).len(), 1);
    // It has been confirmed, and nobody wants it: it may run out.
    let start = lan.now();
    lan.run_ms(200_000);
    lan.assert_silent(host, start);
}

#[test]
fn what_becomes_of_one_doubted_record_does_not_end_the_asking_for_another() {
    // 6762-10.4-5
    let one = ptr(HTTP, "One._http._tcp.local");
    let two = ptr(HTTP, "Two._http._tcp.local");
    for settled in [one.clone(), with_ttl(one.clone(), 0)] {
        let mut lan = Lan::new(24);
        let host = lan.host("a", 1);
        lan.hear(&[one.clone(), two.clone()]);
        lan.run_ms(1000);
        let start = lan.now();
        lan.doubt(host, &one);
        lan.doubt(host, &two);
        lan.run_ms(200);
        lan.hear(&[settled]);
        lan.run_ms(20_000);
        let asked = lan.asked_at(host, start, HTTP, RecordType::PTR);
        assert_eq!(asked.len(), 4, "{}", lan.network.transcript());
        assert!(asked.iter().all(|at| *at < 10_000));
    }
}

#[test]
fn a_record_that_comes_and_goes_and_comes_and_goes_says_goodbye_once_a_second() {
    // Ruling 8, 6762-6-30
    let mut lan = Lan::new(20);
    let host = lan.host("a", 1);
    for _ in 0..5 {
        let set = RecordSet::new().shared(ptr("_x._tcp.local", "one._x._tcp.local"));
        let group = lan.publish(host, set);
        lan.withdraw(host, group);
    }
    lan.run_ms(5000);
    lan.assert_clean();
}

#[test]
fn a_goodbye_that_could_not_be_sent_does_not_count() {
    // Ruling 26, ruling 9
    let mut lan = Lan::new(91);
    let (shop, host) = (lan.host("shop", 1), lan.host("a", 2));
    let group = lan.publish(shop, service("Shop", "box.local", 80));
    lan.ask(host, HTTP, RecordType::PTR);
    lan.run_ms(5000);
    let start = lan.now();
    lan.network.set_mute(shop, true);
    lan.withdraw(shop, group);
    lan.run_ms(400);
    lan.network.set_mute(shop, false);
    lan.run_ms(5000);
    let said = lan.sent_at(shop, start, HTTP, RecordType::PTR);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(lan.answers(host).is_empty());
    lan.assert_clean();
}
