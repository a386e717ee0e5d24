//! RFC 6762 §5: when a question is asked, and when no more.

mod lan;

use cooee_mdns::{Event, Instant, LinkSet, QueryOptions, RecordSet};
use cooee_wire::{Flags, Message, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section};
use lan::{
    Lan, a, flush, message, ms, name, ptr, query, questions, records, response, service, srv, txt,
    with_ttl,
};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

#[test]
fn the_first_query_waits_20_to_120_ms_and_the_intervals_double_up_to_an_hour() {
    // 6762-5.2-2, 6762-5.2-3, 6762-5.2-5, 6762-5.2-6
    let mut firsts = Vec::new();
    for seed in 0..50 {
        let mut lan = Lan::new(seed);
        let host = lan.host("a", 1);
        lan.run_ms(10_000);
        let start = lan.now();
        lan.ask(host, HTTP, RecordType::PTR);
        lan.run_ms(24 * 3600 * 1000);
        let asked = lan.asked_at(host, start, HTTP, RecordType::PTR);
        firsts.push(asked[0]);
        let gaps: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let wanted = (0..).map(|n| (1000_u64 << n.min(20)).min(3_600_000));
        assert!(gaps.iter().copied().eq(wanted.take(gaps.len())), "{gaps:?}");
        assert!(gaps.len() > 30);
        lan.assert_clean();
    }
    assert!(
        firsts.iter().all(|first| (20..=120).contains(first)),
        "{firsts:?}"
    );
    assert!(
        firsts.iter().min() < Some(&40) && firsts.iter().max() > Some(&100),
        "{firsts:?}"
    );
}

#[test]
fn only_questions_that_stand_when_the_link_comes_up_are_qu_and_only_once() {
    // 6762-5.4-3, 6762-5.4-4, 6762-5.4-5, 6762-5.4-6, 6762-5.4-7, ruling 1
    let mut lan = Lan::new(1);
    let host = lan.network.add_station("a");
    lan.ask(host, HTTP, RecordType::PTR);
    let start = lan.now();
    lan.network.join(host, lan.link, &lan::addresses(1));
    lan.run_ms(5000);
    lan.ask(host, "_ipp._tcp.local", RecordType::PTR);
    lan.run_ms(5000);
    let modes = |owner: &str| -> Vec<bool> {
        let packets = lan.sent(host, start);
        let all = packets.into_iter().flat_map(questions);
        all.filter(|question| question.name == name(owner))
            .map(|question| question.unicast_response)
            .collect()
    };
    assert_eq!(modes(HTTP)[..3], [true, false, false]);
    assert!(modes("_ipp._tcp.local").iter().all(|unicast| !unicast));
}

#[test]
fn nothing_asks_for_unicast_where_the_port_is_shared() {
    // 6762-15.1-3, ruling 2
    let mut lan = Lan::new(2);
    let host = lan.network.add_station("a");
    lan.ask(host, HTTP, RecordType::PTR);
    lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    let start = lan.now();
    let link = lan.link;
    let addresses = lan::addresses(1);
    lan.network.join(host, link, &addresses);
    let mut info = cooee_mdns::LinkInfo::new(addresses.map(Into::into));
    info.unicast_reliable = false;
    lan.network.command(host, |station, now| {
        station.engine.link_changed(now, link, info)
    });
    lan.run_ms(3000);
    let asked: Vec<QuestionBuf> = lan
        .sent(host, start)
        .into_iter()
        .flat_map(questions)
        .collect();
    assert!(asked.len() >= 5);
    assert!(
        asked.iter().all(|question| !question.unicast_response),
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn a_unique_answer_ends_the_series_and_is_refreshed_at_80_percent() {
    // 6762-5.2-15, 6762-5.2-16, 6762-5.2-10, 6762-5.2-11, ruling 4
    let mut lan = Lan::new(3);
    let owner = lan.host("owner", 2);
    lan.publish(
        owner,
        RecordSet::new().unique(with_ttl(txt("box.local", "hello"), 120)),
    );
    lan.run_ms(5000);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.ask(host, "box.local", RecordType::TXT);
    lan.run_ms(110_000);
    let asked = lan.asked_at(host, start, "box.local", RecordType::TXT);
    assert_eq!(asked.len(), 2, "{}", lan.network.transcript());
    // The answer came two milliseconds after the first query.
    let window = (asked[0] + 96_000)..=(asked[0] + 98_405);
    assert!(window.contains(&asked[1]), "{asked:?}");
    assert_eq!(lan.answers(host).len(), 1);
    lan.assert_clean();
}

#[test]
fn a_record_that_nobody_refreshes_is_asked_for_four_times_and_goes_at_the_end() {
    // 6762-5.2-8, 6762-5.2-9, 6762-5.2-10, 6762-5.2-12, 6762-5.2-14
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::TXT);
    lan.run_ms(200);
    lan.inject(
        "192.0.2.9:5353",
        &response(&[flush(with_ttl(txt("box.local", "hello"), 1000))]),
    );
    lan.run_ms(1);
    let heard = lan.now();
    lan.run_ms(999_990);
    let asked = lan.asked_at(host, heard, "box.local", RecordType::TXT);
    assert_eq!(asked.len(), 4, "{asked:?}");
    for (point, asked) in [800_000, 850_000, 900_000, 950_000].into_iter().zip(asked) {
        assert!(
            (point..=point + 20_000).contains(&asked),
            "{asked} is not in the window of {point}"
        );
    }
    assert_eq!(lan.answers(host).len(), 1);
    lan.run_ms(20);
    assert_eq!(lan.answers(host).len(), 0);
}

#[test]
fn a_record_that_nobody_asks_for_is_not_refreshed() {
    // 6762-5.2-13, 6762-5.2-7
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    lan.hear(&[flush(a("other.local", 9))]);
    lan.run_ms(200_000);
    assert!(
        lan.network
            .packets()
            .iter()
            .all(|packet| packet.host != Some(host))
    );
}

#[test]
fn known_answers_are_listed_without_the_cache_flush_bit_while_half_their_ttl_is_left() {
    // 6762-5.2-4, 6762-7.1-1, 6762-7.1-5, 6762-10.2-13
    let mut lan = Lan::new(6);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    let start = lan.now();
    lan.run_ms(500);
    let known = with_ttl(ptr(HTTP, "Shop._http._tcp.local"), 10);
    lan.hear(&[known]);
    lan.run_ms(7600);
    let listed: Vec<(u64, usize)> = lan
        .sent(host, start)
        .into_iter()
        .map(|packet| {
            let answers = records(packet)
                .into_iter()
                .filter(|(section, _)| *section == Section::Answer);
            (lan::millis(packet.at, start), answers.count())
        })
        .collect();
    let counts: Vec<usize> = listed.iter().map(|(_, count)| *count).collect();
    // Asked at about 0, 1, 3 and 7 s: the answer came at 0.5 s and is half gone at 5.5 s.
    assert_eq!(counts, [0, 1, 1, 0], "{}", lan.network.transcript());
    lan.assert_clean();
}

#[test]
fn known_answers_that_do_not_fit_follow_in_further_packets() {
    // 6762-7.2-1, 6762-7.2-2, 6762-7.2-3, 6762-7.2-4, 6762-17-2
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.run_ms(500);
    let all: Vec<_> = (0..200)
        .map(|n| ptr(HTTP, &format!("A shop with number {n}._http._tcp.local")))
        .collect();
    for some in all.chunks(50) {
        lan.inject("192.0.2.9:5353", &response(some));
    }
    let start = lan.now();
    lan.run_ms(1000);
    let sent = lan.sent(host, start);
    assert!(sent.len() > 3);
    let mut listed = 0;
    for (place, packet) in sent.iter().enumerate() {
        let message = Message::parse(&packet.payload).expect("a message");
        assert_eq!(message.header().question_count, u16::from(place == 0));
        assert_eq!(
            message.header().flags.is_truncated(),
            place + 1 < sent.len()
        );
        assert!(packet.payload.len() <= 1452);
        listed += message.answers().count();
    }
    assert_eq!(listed, 200);
    lan.assert_clean();
}

#[test]
fn clients_with_the_same_question_share_one_series() {
    // 6762-15.3-1, 6762-15.4-1, ruling 3
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    let start = lan.now();
    let first = lan.ask(host, HTTP, RecordType::PTR);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.run_ms(2500);
    assert_eq!(lan.asked_at(host, start, HTTP, RecordType::PTR).len(), 2);
    lan.cancel(host, first);
    lan.run_ms(3000);
    assert_eq!(lan.asked_at(host, start, HTTP, RecordType::PTR).len(), 3);
}

#[test]
fn a_new_client_gets_what_is_known_at_once_and_restarts_the_series() {
    // Ruling 3, 6762-18.1-3
    let mut lan = Lan::new(9);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.run_ms(200);
    lan.inject(
        "192.0.2.9:5353",
        &response(&[ptr(HTTP, "Shop._http._tcp.local")]),
    );
    lan.run_ms(60_000);
    let start = lan.now();
    let second = lan.ask(host, HTTP, RecordType::PTR);
    let told = lan.network.node(host).events.last().expect("an event");
    assert!(matches!(told, (at, Event::Answer { query, .. }) if *at == start && *query == second));
    lan.run_ms(2000);
    let asked = lan.asked_at(host, start, HTTP, RecordType::PTR);
    assert!((20..=120).contains(&asked[0]), "{asked:?}");
    assert_eq!(asked[1] - asked[0], 1000);
}

#[test]
fn a_cancelled_question_is_not_asked_again() {
    // 6762-5.2-1
    let mut lan = Lan::new(10);
    let host = lan.host("a", 1);
    let asking = lan.ask(host, HTTP, RecordType::PTR);
    lan.run_ms(500);
    lan.cancel(host, asking);
    let start = lan.now();
    lan.run_ms(100_000);
    lan.assert_silent(host, start);
    assert_eq!(lan.network.node(host).engine.poll_timeout(), None);
}

#[test]
fn the_query_of_another_stands_for_ours() {
    // 6762-7.3-1, ruling 24
    let mut lan = Lan::new(11);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.ask(host, HTTP, RecordType::PTR);
    lan.inject("192.0.2.9:5353", &query(HTTP, RecordType::PTR, &[]));
    lan.inject("[fe80::9]:5353", &query(HTTP, RecordType::PTR, &[]));
    lan.run_ms(900);
    assert_eq!(
        lan.asked_at(host, start, HTTP, RecordType::PTR),
        [] as [u64; 0],
        "{}",
        lan.network.transcript()
    );
    // A second later, and 20 to 120 ms: others have heard the same.
    lan.run_ms(300);
    let next = lan.asked_at(host, start, HTTP, RecordType::PTR);
    assert!(
        next.len() == 1 && (1021..=1121).contains(&next[0]),
        "{next:?}"
    );
}

#[test]
fn the_query_of_another_that_knows_more_does_not_stand_for_ours() {
    // 6762-7.3-1
    let mut lan = Lan::new(12);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.ask(host, HTTP, RecordType::PTR);
    let knowing = query(HTTP, RecordType::PTR, &[ptr(HTTP, "Shop._http._tcp.local")]);
    lan.inject("192.0.2.9:5353", &knowing);
    lan.inject("[fe80::9]:5353", &knowing);
    lan.run_ms(500);
    assert_eq!(lan.asked_at(host, start, HTTP, RecordType::PTR).len(), 1);
}

#[test]
fn a_truncated_query_stands_for_ours_unless_what_follows_knows_more() {
    // 6762-7.3-1, 6762-7.2-4
    let asked = |known: &[RecordBuf]| {
        let mut lan = Lan::new(31);
        let host = lan.host("a", 1);
        let start = lan.now();
        lan.ask(host, HTTP, RecordType::PTR);
        let question = [QuestionBuf::new(name(HTTP), RecordType::PTR)];
        let first = message(Flags::QUERY.with_truncated(true), &question, &[]);
        let known = known.iter().map(|known| (Section::Answer, known.clone()));
        let last = message(Flags::QUERY, &[], &known.collect::<Vec<_>>());
        for part in [first, last] {
            lan.inject("192.0.2.9:5353", &part);
            lan.inject("[fe80::9]:5353", &part);
        }
        lan.run_ms(1200);
        lan.asked_at(host, start, HTTP, RecordType::PTR)
    };
    let next = asked(&[]);
    assert!(
        next.len() == 1 && (1021..=1121).contains(&next[0]),
        "{next:?}"
    );
    let first = asked(&[ptr(HTTP, "Shop._http._tcp.local")])[0];
    assert!(first <= 120, "{first}");
}

#[test]
fn what_follows_a_truncated_query_asks_nothing_that_has_been_answered_meanwhile() {
    // 6762-7.3-1, 6762-5.2-15
    let mut lan = Lan::new(32);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.ask(host, SHOP, RecordType::SRV);
    let question = [QuestionBuf::new(name(SHOP), RecordType::SRV)];
    let first = message(Flags::QUERY.with_truncated(true), &question, &[]);
    let known = (Section::Answer, srv(SHOP, "other.local", 80));
    let last = message(Flags::QUERY, &[], &[known]);
    let answer = response(&[flush(srv(SHOP, "box.local", 80))]);
    for part in [first, answer, last] {
        lan.inject("192.0.2.9:5353", &part);
        lan.inject("[fe80::9]:5353", &part);
    }
    lan.run_ms(5000);
    assert_eq!(
        lan.asked_at(host, start, SHOP, RecordType::SRV),
        [] as [u64; 0],
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn a_series_does_not_ask_what_was_asked_just_now_to_refresh_an_answer() {
    // 6762-5.2-2: the refresh at 80 % of 83 s comes shortly before the query of the series that is due after 63 s
    for seed in 0..10 {
        let mut lan = Lan::new(seed);
        let (host, shop) = (lan.host("a", 1), lan.host("shop", 2));
        let pointer = with_ttl(ptr(HTTP, "Shop._http._tcp.local"), 83);
        lan.publish(shop, RecordSet::new().shared(pointer));
        lan.run_ms(5000);
        lan.ask(host, HTTP, RecordType::PTR);
        lan.run_ms(70_000);
        lan.assert_clean();
    }
}

#[test]
fn who_gives_up_and_asks_again_waits_its_second_too() {
    // 6762-5.2-2, ruling 3
    let mut lan = Lan::new(33);
    let host = lan.host("a", 1);
    let start = lan.now();
    for _ in 0..30 {
        let asking = lan.ask(host, HTTP, RecordType::PTR);
        lan.run_ms(150);
        lan.cancel(host, asking);
    }
    let asked = lan.asked_at(host, start, HTTP, RecordType::PTR);
    assert!((3..=5).contains(&asked.len()), "{asked:?}");
    lan.assert_clean();
}

#[test]
fn of_many_who_ask_the_same_few_do() {
    // 6762-7.3-1: two in each interval, however many there are and however much they know
    for services in [3, 150] {
        let mut lan = Lan::new(32);
        let shop = lan.host("shop", 1);
        for number in 0..services {
            lan.publish(shop, service(&format!("Shop {number}"), "box.local", 80));
        }
        lan.run_ms(5000);
        let hosts: Vec<_> = (0..20)
            .map(|number| {
                let host = lan.host("browser", 10 + number);
                lan.ask(host, HTTP, RecordType::PTR);
                lan.run_ms(300);
                host
            })
            .collect();
        let start = lan.now();
        lan.run_ms(1_800_000);
        let queries: usize = hosts
            .iter()
            .map(|&host| lan.asked_at(host, start, HTTP, RecordType::PTR).len())
            .sum();
        // Intervals of 4 s to half an hour are ten doublings.
        assert!(queries <= 30, "{services} services: {queries} queries");
        lan.assert_clean();
    }
}

#[test]
fn those_for_whom_one_has_asked_do_not_all_ask_at_once_the_next_time() {
    // 6762-7.3-1, 6762-5.2-6: two who ask within a millisecond do not hear each other in time
    for seed in 0..8 {
        let mut lan = Lan::new(seed);
        let hosts: Vec<_> = (0..50)
            .map(|number| lan.host("browser", 10 + number))
            .collect();
        lan.run_ms(5000);
        let start = lan.now();
        for &host in &hosts {
            lan.ask(host, HTTP, RecordType::PTR);
        }
        lan.run_ms(40_000);
        let queries: usize = hosts.iter().map(|&host| lan.sent(host, start).len()).sum();
        // After 0, 1, 3, 7, 15 and 31 seconds, and a few who had not heard it yet.
        assert!(
            (6..=24).contains(&queries),
            "seed {seed}: {queries} queries"
        );
        lan.assert_clean();
    }
}

#[test]
fn questions_for_which_one_packet_of_another_host_has_stood_stay_together() {
    // 6762-7.3-1, 6762-5.3-1
    let mut lan = Lan::new(5);
    let host = lan.host("browser", 1);
    lan.run_ms(5000);
    let names: Vec<_> = (0..20).map(|n| format!("Nobody{n}.{HTTP}")).collect();
    for owner in &names {
        lan.ask(host, owner, RecordType::SRV);
    }
    lan.run_ms(2500);
    // The next query is due after 3 s; another host asks the same, over both families, and is not heard again.
    let start = lan.now();
    let questions: Vec<_> = names
        .iter()
        .map(|owner| QuestionBuf::new(name(owner), RecordType::SRV))
        .collect();
    let theirs = message(Flags::QUERY, &questions, &[]);
    lan.inject("192.0.2.9:5353", &theirs);
    lan.inject("[fe80::9]:5353", &theirs);
    lan.run_ms(30_000);
    let queries = lan.sent(host, start).len();
    assert_eq!(queries, 3, "after 4, 12 and 28 s");
    lan.assert_clean();
}

#[test]
fn of_many_who_hold_a_record_one_refreshes_it() {
    // 6762-7.3-1, 6762-5.2-10: several questions are answered after a while, and meanwhile others are due
    let mut lan = Lan::new(34);
    let shop = lan.host("shop", 1);
    for shop_name in ["One", "Two", "Three"] {
        lan.publish(shop, service(shop_name, "box.local", 80));
    }
    lan.run_ms(5000);
    let hosts: Vec<_> = (0..80)
        .map(|number| {
            let host = lan.host("browser", 10 + number);
            for shop_name in ["One", "Two", "Three"] {
                let owner = format!("{shop_name}.{HTTP}");
                lan.ask(host, &owner, RecordType::SRV);
            }
            host
        })
        .collect();
    lan.run_ms(10_000);
    let start = lan.now();
    lan.run_ms(1_200_000);
    let queries: usize = hosts.iter().map(|&host| lan.sent(host, start).len()).sum();
    // Twelve or thirteen times in twenty minutes all three are refreshed.
    assert!((12..=20).contains(&queries), "{queries} queries");
    lan.assert_clean();
}

#[test]
fn a_one_shot_query_ends_with_the_complete_answer_or_with_its_time() {
    // 6762-5-1, 6762-5.1-2, 6762-5.1-4, ruling 3
    let mut lan = Lan::new(13);
    let (host, owner) = (lan.host("a", 1), lan.host("owner", 2));
    lan.publish(owner, RecordSet::new().unique(txt("box.local", "hello")));
    lan.run_ms(5000);
    let ask = |lan: &mut Lan, owner: &str| {
        let question = QuestionBuf::new(name(owner), RecordType::TXT);
        let options = QueryOptions::one_shot(ms(3000));
        lan.network.command(host, |station, now| {
            station.engine.query(now, question, options, LinkSet::All)
        })
    };
    let start = lan.now();
    let found = ask(&mut lan, "box.local");
    let missed = ask(&mut lan, "nobody.local");
    lan.run_ms(10_000);
    let finished = |wanted| -> Option<Instant> {
        let events = &lan.network.node(host).events;
        events
            .iter()
            .find(|(_, e)| matches!(e, Event::Finished { query } if *query == wanted))
            .map(|(at, _)| *at)
    };
    assert!(lan::millis(finished(found).expect("it ends"), start) < 200);
    assert_eq!(lan::millis(finished(missed).expect("it ends"), start), 3000);
}

#[test]
fn the_denial_of_a_record_is_told() {
    // 6762-6.1-1, 6762-6.1-5, 6762-6.1-18
    let mut lan = Lan::new(14);
    let (host, owner) = (lan.host("a", 1), lan.host("owner", 2));
    lan.publish(owner, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    let start = lan.now();
    let asking = lan.ask(host, "box.local", RecordType::HINFO);
    lan.run_ms(5000);
    let events = &lan.network.node(host).events;
    assert!(
        events
            .iter()
            .any(|(_, event)| matches!(event, Event::Denied { query, .. } if *query == asking)),
        "{}",
        lan.network.transcript()
    );
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::HINFO)
            .len(),
        1
    );
}

#[test]
fn a_denial_counts_as_long_as_its_ttl_says() {
    // 6762-6.1-18
    let mut lan = Lan::new(33);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::HINFO);
    lan.run_ms(200);
    let types = RdataBuf::nsec(name("box.local").as_name(), [RecordType::A]);
    let denial = flush(RecordBuf::new(name("box.local"), 10, types));
    lan.hear(&[denial]);
    lan.run_ms(1);
    let start = lan.now();
    lan.run_ms(9990);
    let asked = |lan: &Lan| lan.asked_at(host, start, "box.local", RecordType::HINFO);
    assert_eq!(asked(&lan), [] as [u64; 0]);
    lan.run_ms(140);
    assert_eq!(asked(&lan).len(), 1);
}

#[test]
fn a_publisher_finds_its_own_records() {
    let mut lan = Lan::new(15);
    let host = lan.host("a", 1);
    lan.ask(host, HTTP, RecordType::PTR);
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(3000);
    let answers = lan.network.node(host).answers();
    assert_eq!(answers.len(), 1);
    assert!(answers[0].own);
    let late = lan.ask(host, HTTP, RecordType::PTR);
    let told = &lan.network.node(host).events.last().expect("an event").1;
    assert!(matches!(told, Event::Answer { query, own: true, .. } if *query == late));
}

#[test]
fn what_is_known_as_unique_is_asked_for_again_when_the_link_returns() {
    // 6762-7.1-2, 6762-10.2-1: the answer must not be suppressed by the question
    let mut lan = Lan::new(16);
    let (host, owner) = (lan.host("a", 1), lan.host("owner", 2));
    lan.publish(owner, RecordSet::new().unique(txt("box.local", "hello")));
    lan.ask(host, "box.local", RecordType::TXT);
    lan.run_ms(5000);
    let link = lan.link;
    lan.network.leave(host, link);
    lan.run_ms(2000);
    let start = lan.now();
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(60_000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::TXT)
            .len(),
        1,
        "{}",
        lan.network.transcript()
    );
    assert_eq!(lan.answers(host).len(), 1);
}

#[test]
fn what_we_published_ourselves_is_asked_of_others_once_it_is_withdrawn() {
    // 6762-5.2-1
    let mut lan = Lan::new(17);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    lan.run_ms(5000);
    let start = lan.now();
    lan.ask(host, "box.local", RecordType::TXT);
    lan.run_ms(5000);
    assert!(
        lan.asked_at(host, start, "box.local", RecordType::TXT)
            .is_empty()
    );
    lan.withdraw(host, group);
    lan.run_ms(5000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::TXT)
            .len(),
        3
    );
    assert!(lan.answers(host).is_empty());
}

#[test]
fn a_query_that_could_not_be_sent_does_not_count() {
    // Ruling 26
    let mut lan = Lan::new(90);
    let host = lan.host("a", 1);
    lan.run_ms(1000);
    let start = lan.now();
    lan.network.set_mute(host, true);
    lan.ask(host, "_x._tcp.local", RecordType::PTR);
    lan.run_ms(200);
    lan.network.set_mute(host, false);
    lan.run_ms(3000);
    let asked = lan.asked_at(host, start, "_x._tcp.local", RecordType::PTR);
    assert!((200..=370).contains(&asked[0]), "{asked:?}");
    assert_eq!(asked[1] - asked[0], 1000);
    assert_eq!(lan.network.node(host).engine.stats().send_failures, 1);
}
