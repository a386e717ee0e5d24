//! What strangers can make grow, and how far: records, events, and everything wrong that they send.

mod lan;

use cooee_mdns::{
    Config, Datagram, Engine, Event, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, Presence,
    QueryId, QueryOptions, RecordSet, Stats,
};
use cooee_wire::{Flags, Message, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use lan::{a, ms, name, ptr, response, with_ttl};

const LINK: LinkId = LinkId(1);
const HTTP: &str = "_http._tcp.local";

/// An engine on a link that has asked for something; its events are not polled.
struct Asker {
    engine: Engine,
    now: Instant,
}

impl Asker {
    fn new(config: Config) -> Self {
        let now = Instant::ZERO;
        let mut engine = Engine::new(config, 1, now);
        let address = LinkAddress::new([192, 0, 2, 1], 24);
        engine.link_up(now, LINK, LinkInfo::new([address]));
        let question = QuestionBuf::new(name(HTTP), RecordType::PTR);
        engine.query(now, question, QueryOptions::standing(), LinkSet::All);
        Self { engine, now }
    }

    fn hear(&mut self, source: &str, records: &[RecordBuf]) {
        self.hear_payload(source, "224.0.0.251:5353", &response(records));
    }

    fn hear_payload(&mut self, source: &str, destination: &str, payload: &[u8]) {
        self.now = self.now + ms(1);
        self.engine.handle_datagram(
            self.now,
            &Datagram {
                link: LINK,
                source: source.parse().expect("an address"),
                destination: destination
                    .parse::<std::net::SocketAddr>()
                    .expect("an address")
                    .ip(),
                payload,
            },
        );
        self.engine.handle_timeout(self.now);
    }

    /// What an application that has heard all events thinks is there.
    fn poll_into(&mut self, there: &mut Vec<RdataBuf>) -> usize {
        let mut count = 0;
        while let Some(event) = self.engine.poll_event() {
            count += 1;
            match event {
                Event::Answer {
                    record,
                    presence: Presence::Present,
                    ..
                } => {
                    assert!(!there.contains(&record.rdata), "told twice");
                    there.push(record.rdata);
                }
                Event::Answer { record, .. } => {
                    assert!(there.contains(&record.rdata), "gone, but never there");
                    there.retain(|known| *known != record.rdata);
                }
                _ => {}
            }
        }
        count
    }

    fn is_known(&self, record: &RecordBuf) -> bool {
        let question = QuestionBuf::new(record.name.clone(), record.kind());
        let known = self.engine.cache(self.now, &question);
        known
            .iter()
            .any(|(_, other, _)| other.rdata == record.rdata)
    }
}

fn service(n: u32) -> RecordBuf {
    ptr(HTTP, &format!("service-{n}.{HTTP}"))
}

#[test]
fn who_polls_events_late_gets_states_and_not_their_history() {
    // Ruling 32
    let mut asker = Asker::new(Config::default());
    let mut there = Vec::new();
    let old: Vec<_> = (0..20).map(service).collect();
    asker.hear("192.0.2.9:5353", &old);
    assert_eq!(asker.poll_into(&mut there), 20);
    // Ten of these go for good, and ten thousand others come and go.
    let gone: Vec<_> = old[..10].iter().map(|r| with_ttl(r.clone(), 0)).collect();
    asker.hear("192.0.2.9:5353", &gone);
    for n in 0..10_000 {
        asker.hear("192.0.2.9:5353", &[service(100 + n)]);
        asker.hear("192.0.2.9:5353", &[with_ttl(service(100 + n), 0)]);
        if n % 1000 == 0 {
            // All that was taken back is forgotten.
            asker.now = asker.now + ms(1100);
            asker.engine.handle_timeout(asker.now);
        }
    }
    asker.now = asker.now + ms(1100);
    asker.engine.handle_timeout(asker.now);
    asker.hear("192.0.2.9:5353", &[service(7), service(50)]);
    let count = asker.poll_into(&mut there);
    assert!(count <= 3100, "{count} events for twelve changes");
    let mut wanted: Vec<_> = old[10..].to_vec();
    wanted.extend([service(7), service(50)]);
    assert_eq!(there.len(), wanted.len());
    assert!(wanted.iter().all(|record| there.contains(&record.rdata)));
}

#[test]
fn a_host_that_fills_the_cache_does_not_keep_out_others() {
    // Design: fair eviction, ruling 37
    let mut config = Config::default();
    config.asked_records = 100;
    let mut asker = Asker::new(config);
    let mut there = Vec::new();
    for n in 0..500 {
        asker.hear("192.0.2.66:5353", &[service(n)]);
    }
    let Stats {
        over_limit,
        evicted,
        ..
    } = asker.engine.stats();
    // One that has the most already gets no more, and so nothing flaps.
    assert_eq!((over_limit, evicted), (400, 0));
    asker.poll_into(&mut there);
    assert_eq!(there.len(), 100);
    let honest: Vec<_> = (1000..1020).map(service).collect();
    for (n, record) in honest.iter().enumerate() {
        asker.hear(
            &format!("192.0.2.{}:5353", 100 + n),
            std::slice::from_ref(record),
        );
    }
    for n in 500..1000 {
        asker.hear("192.0.2.66:5353", &[service(n)]);
    }
    assert!(honest.iter().all(|record| asker.is_known(record)));
    assert_eq!(asker.engine.stats().evicted, 20);
    asker.poll_into(&mut there);
    assert_eq!(
        there.len(),
        100,
        "who had to go has gone for the application too"
    );
    assert!(honest.iter().all(|record| there.contains(&record.rdata)));
}

/// Hears a hundred thousand records that nobody has asked for, fifty a packet, and tells how many of the last of them are known.
fn flood(asker: &mut Asker, source: impl Fn(u32) -> String) -> usize {
    for n in 0..2000_u32 {
        let records: Vec<_> = (0..50)
            .map(|k| a(&format!("host-{}.local", n * 50 + k), 1))
            .collect();
        asker.hear(&source(n), &records);
    }
    let last = (0..100_000).rev().take(8192);
    last.filter(|n| asker.is_known(&a(&format!("host-{n}.local"), 1)))
        .count()
}

#[test]
fn a_flood_from_one_host_fills_a_bounded_cache_and_pushes_nothing_out() {
    // Ruling 37
    let mut asker = Asker::new(Config::default());
    let before = a("before.local", 2);
    asker.hear("192.0.2.9:5353", std::slice::from_ref(&before));
    assert_eq!(flood(&mut asker, |_| "192.0.2.66:5353".to_owned()), 0);
    let Stats {
        over_limit,
        evicted,
        ..
    } = asker.engine.stats();
    assert_eq!((over_limit, evicted), (100_001 - 4096, 0));
    assert!(asker.is_known(&before));
    // Others still have their share.
    let after = a("after.local", 3);
    asker.hear("192.0.2.10:5353", std::slice::from_ref(&after));
    assert!(asker.is_known(&after) && asker.is_known(&before));
}

#[test]
fn a_flood_in_the_name_of_many_hosts_leaves_a_bounded_cache() {
    // Ruling 37
    let mut asker = Asker::new(Config::default());
    let known = flood(&mut asker, |n| {
        format!("192.0.{}.{}:5353", n / 200, n % 200 + 2)
    });
    // Each of the last 164 hosts has its share, and that is two or three.
    assert!((300..500).contains(&known), "{known} of the last known");
    let Stats {
        over_limit,
        evicted,
        ..
    } = asker.engine.stats();
    assert_eq!(over_limit + evicted, 100_000 - 4096);
}

#[test]
fn everything_wrong_from_the_network_is_counted_by_its_reason() {
    // 6762-6-25, 6762-6-29, 6762-11-3, 6762-5.5-2, 6762-18.3-2
    let mut asker = Asker::new(Config::default());
    let good = response(&[service(1)]);
    let multicast = "224.0.0.251:5353";
    let mut rcode = good.clone();
    rcode[3] |= 3;
    for (source, destination, payload) in [
        ("192.0.2.9:5353", multicast, &good[..7]),
        ("192.0.2.9:5353", multicast, &good[..good.len() - 3]),
        ("192.0.2.9:5353", multicast, &rcode[..]),
        ("192.0.2.9:4000", multicast, &good[..]),
        ("198.51.100.9:5353", "192.0.2.1:5353", &good[..]),
        ("192.0.2.9:5353", "192.0.2.1:5353", &good[..]),
    ] {
        asker.hear_payload(source, destination, payload);
    }
    let elsewhere = Datagram {
        link: LinkId(7),
        source: "192.0.2.9:5353".parse().expect("an address"),
        destination: "224.0.0.251".parse().expect("an address"),
        payload: &good,
    };
    asker.engine.handle_datagram(asker.now, &elsewhere);
    let stats = asker.engine.stats();
    let counted = [
        stats.malformed,
        stats.not_a_query,
        stats.wrong_port,
        stats.off_link,
        stats.unsolicited,
        stats.no_link,
    ];
    assert_eq!(counted, [2, 1, 1, 1, 1, 1]);
    assert!(!asker.is_known(&service(1)));
}

#[test]
fn a_doubted_record_that_makes_room_for_another_is_not_asked_for_any_more() {
    // 6762-5.2-13, ruling 37
    let mut config = Config::default();
    config.unasked_records = 1;
    let mut asker = Asker::new(config);
    let other = "_ipp._tcp.local";
    let doubted = ptr(other, "one._ipp._tcp.local");
    asker.hear("192.0.2.9:5353", std::slice::from_ref(&doubted));
    let now = asker.now;
    asker
        .engine
        .reconfirm(now, &doubted.as_record(), &LinkSet::All);
    asker.hear(
        "192.0.2.10:5353",
        &[ptr("_x._tcp.local", "x._x._tcp.local")],
    );
    assert!(!asker.is_known(&doubted));
    let mut buffer = Vec::new();
    for _ in 0..1000 {
        asker.now = asker.now + ms(10);
        asker.engine.handle_timeout(asker.now);
        while asker.engine.poll_transmit(asker.now, &mut buffer).is_some() {
            let message = Message::parse(&buffer).expect("a message");
            let mut questions = message.questions().filter_map(Result::ok);
            assert!(questions.all(|question| name(other) != question.name));
        }
    }
}

/// Hears a record from each of so many hosts: none has more than its share.
fn hear_many(asker: &mut Asker, count: u32, record: impl Fn(u32) -> RecordBuf) {
    for n in 0..count {
        let source = format!("198.51.{}.{}:5353", 100 + n / 250, n % 250);
        asker.hear(&source, &[record(n)]);
    }
}

fn ask(asker: &mut Asker, owner: &str, kind: RecordType) -> QueryId {
    let question = QuestionBuf::new(name(owner), kind);
    let standing = QueryOptions::standing();
    asker
        .engine
        .query(asker.now, question, standing, LinkSet::All)
}

fn few(asked: usize, unasked: usize) -> Asker {
    let mut config = Config::default();
    (config.asked_records, config.unasked_records) = (asked, unasked);
    Asker::new(config)
}

#[test]
fn what_one_client_gives_up_and_another_still_asks_for_is_not_pushed_out() {
    // Ruling 37: by what nobody asks for
    for (kind, given_up) in [
        (RecordType::A, RecordType::ANY),
        (RecordType::ANY, RecordType::A),
    ] {
        let mut asker = few(100, 10);
        ask(&mut asker, "box.local", kind);
        let other = ask(&mut asker, "box.local", given_up);
        asker.hear("192.0.2.9:5353", &[a("box.local", 9)]);
        asker.engine.cancel(asker.now, other);
        hear_many(&mut asker, 1000, |n| a(&format!("flood-{n}.local"), 1));
        assert!(asker.is_known(&a("box.local", 9)), "without {given_up}");
    }
}

#[test]
fn a_denial_is_kept_for_who_asks_and_no_longer() {
    // Ruling 37: what is known of a name that is asked for
    let denial = |owner: &str| {
        let data = RdataBuf::nsec(name(owner).as_name(), [RecordType::A]);
        RecordBuf {
            cache_flush: true,
            ..RecordBuf::new(name(owner), 120, data)
        }
    };
    let mut asker = few(100, 10);
    asker.hear("192.0.2.9:5353", &[denial("box.local")]);
    let query = ask(&mut asker, "box.local", RecordType::AAAA);
    hear_many(&mut asker, 1000, |n| a(&format!("flood-{n}.local"), 1));
    assert!(asker.is_known(&denial("box.local")), "asked for");
    asker.engine.cancel(asker.now, query);
    hear_many(&mut asker, 1000, |n| a(&format!("again-{n}.local"), 1));
    assert!(!asker.is_known(&denial("box.local")), "not any more");
}

#[test]
fn whatever_is_asked_and_given_up_the_cache_stays_within_its_bounds() {
    // Ruling 37: what was asked for may be too much to keep once it is not, and the reverse
    let mut asker = few(40, 10);
    for round in 0..20 {
        let owner = format!("_x{round}._tcp.local");
        let record = |n| ptr(&owner, &format!("{n}.{owner}"));
        hear_many(&mut asker, 100, record);
        let query = ask(&mut asker, &owner, RecordType::PTR);
        hear_many(&mut asker, 100, record);
        if round % 3 > 0 {
            asker.engine.cancel(asker.now, query);
        }
        let sizes = asker.engine.sizes();
        assert!(
            sizes.asked_records <= 40 && sizes.unasked_records <= 10,
            "{sizes:?}"
        );
    }
}

#[test]
fn a_question_whose_complete_answer_has_made_room_is_asked_again() {
    // Ruling 37, 6762-5.2-15: who has pushed it out goes some day
    let mut asker = few(10, 10);
    let address = |n: u32| RecordBuf {
        cache_flush: true,
        ..a("box.local", u8::try_from(n).unwrap_or(0))
    };
    ask(&mut asker, "box.local", RecordType::A);
    let set: Vec<_> = (1..=5).map(address).collect();
    asker.hear("192.0.2.9:5353", &set);
    hear_many(&mut asker, 100, service);
    assert!(!set.iter().any(|record| asker.is_known(record)));
    let mut asked = 0;
    let mut buffer = Vec::new();
    for _ in 0..1000 {
        asker.now = asker.now + ms(100);
        asker.engine.handle_timeout(asker.now);
        while asker.engine.poll_transmit(asker.now, &mut buffer).is_some() {
            let message = Message::parse(&buffer).expect("a message");
            let mut questions = message.questions().filter_map(Result::ok);
            asked += usize::from(questions.any(|question| name("box.local") == question.name));
        }
    }
    assert!((3..10).contains(&asked), "{asked} times in 100 s");
}

#[test]
fn a_doubt_that_a_sleep_has_ended_leaves_no_question() {
    // 6762-5.2-13, ruling 27: when the record makes room afterwards
    let mut asker = few(1, 1);
    let other = "_ipp._tcp.local";
    let doubted = ptr(other, "one._ipp._tcp.local");
    let query = ask(&mut asker, other, RecordType::ANY);
    asker.hear("192.0.2.9:5353", std::slice::from_ref(&doubted));
    let all = LinkSet::All;
    asker
        .engine
        .reconfirm(asker.now, &doubted.as_record(), &all);
    asker.now = asker.now + ms(20_000);
    asker.engine.resumed(asker.now, ms(20_000));
    asker.hear("192.0.2.8:5353", &[service(1)]);
    assert_eq!(asker.engine.stats().evicted, 1);
    asker.engine.cancel(asker.now, query);
    assert_eq!(asker.engine.sizes().questions, 1, "only the first");
}

#[test]
fn what_pushes_out_the_last_doubted_record_is_asked_for_by_nobody() {
    // Ruling 37, 6762-5.2-13: the question has gone with it
    let mut asker = few(1, 10);
    let other = "_ipp._tcp.local";
    let record = |n: u32| ptr(other, &format!("{n}.{other}"));
    let query = ask(&mut asker, other, RecordType::PTR);
    asker.hear("192.0.2.9:5353", &[record(0)]);
    let (now, all) = (asker.now, LinkSet::All);
    asker.engine.reconfirm(now, &record(0).as_record(), &all);
    asker.engine.cancel(now, query);
    asker.hear("192.0.2.8:5353", &[record(1), record(2)]);
    let sizes = asker.engine.sizes();
    assert_eq!((sizes.asked_records, sizes.unasked_records), (0, 2));
    assert_eq!(sizes.questions, 1, "only the first");
}

#[test]
fn who_polls_no_events_at_all_keeps_no_more_of_them_than_there_are_answers() {
    // Ruling 32: whatever strangers say
    let mut asker = few(100, 10);
    for n in 0..50_000_u32 {
        let source = format!("198.51.100.{}:5353", n % 250);
        asker.hear(&source, &[service(n)]);
        if n % 3 == 0 {
            asker.hear(&source, &[with_ttl(service(n), 0)]);
        }
        assert!(asker.engine.sizes().events <= 1024);
    }
    // What is published and taken back is told to nobody.
    for _ in 0..5000 {
        let set = RecordSet::new().shared(service(1));
        let group = asker.engine.publish(asker.now, set, LinkSet::All);
        asker.engine.withdraw(asker.now, group.expect("the same"));
        let waiting = RecordSet::new().unique(a("box.local", 1));
        let nowhere = LinkSet::one(LinkId(9));
        let group = asker.engine.publish(asker.now, waiting, nowhere);
        asker.engine.withdraw(asker.now, group.expect("no other"));
    }
    assert!(asker.engine.sizes().events <= 1024);
}

#[test]
fn what_others_ask_about_others_changes_nothing_here() {
    // Not even what chance has in store: who asks for what nobody here wants or has draws no number
    let query = lan::query("elsewhere.local", RecordType::A, &[]);
    let first_query = |heard: usize| {
        let mut asker = Asker::new(Config::default());
        for _ in 0..heard {
            asker.hear_payload("192.0.2.9:5353", "224.0.0.251:5353", &query);
        }
        asker.now = Instant::ZERO + ms(500);
        asker.engine.handle_timeout(asker.now);
        while asker
            .engine
            .poll_transmit(asker.now, &mut Vec::new())
            .is_some()
        {}
        ask(&mut asker, "box.local", RecordType::A);
        asker.engine.poll_timeout()
    };
    assert_eq!(first_query(7), first_query(0));
}

#[test]
fn answers_of_what_is_withdrawn_do_not_wait() {
    // However often it is published and withdrawn, while somebody asks and says that it has more to say
    let mut asker = Asker::new(Config::default());
    let question = QuestionBuf::new(name("_x._tcp.local"), RecordType::PTR);
    let query = lan::message(Flags::QUERY.with_truncated(true), &[question], &[]);
    for _ in 0..500 {
        let set = RecordSet::new().shared(ptr("_x._tcp.local", "x._x._tcp.local"));
        let group = asker.engine.publish(asker.now, set, LinkSet::All);
        asker.hear_payload("192.0.2.9:5353", "224.0.0.251:5353", &query);
        let mut buffer = Vec::new();
        while asker.engine.poll_transmit(asker.now, &mut buffer).is_some() {}
        asker.engine.withdraw(asker.now, group.expect("no other"));
    }
    assert_eq!(asker.engine.sizes().pending_answers, 0);
}
