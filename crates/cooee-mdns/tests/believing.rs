//! Whom an engine believes, and what: the port and the place that a response comes from, whether it was asked for, and what in it counts.

mod lan;

use cooee_mdns::{
    Config, Datagram, Engine, Event, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, Presence,
    QueryOptions, Stats,
};
use cooee_wire::{Class, Flags, Message, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section};
use lan::{a, flush, message, ms, name, ptr, query, response, srv, txt, with_ttl};

const LINK: LinkId = LinkId(1);
const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";
const GROUP: &str = "224.0.0.251";
const US: &str = "192.0.2.1";

/// An engine alone on a link with 192.0.2.1/25 and 2001:db8::1/64.
struct Querier {
    engine: Engine,
    now: Instant,
    /// All that it has sent.
    sent: Vec<Vec<u8>>,
}

impl Querier {
    fn new() -> Self {
        let now = Instant::ZERO;
        let mut engine = Engine::new(Config::default(), 1, now);
        engine.link_up(now, LINK, info());
        Self {
            engine,
            now,
            sent: Vec::new(),
        }
    }

    /// One whose question stood when the link came up, so that it has just been asked with QU.
    fn that_asks_for_unicast(owner: &str, kind: RecordType) -> Self {
        let mut querier = Self {
            engine: Engine::new(Config::default(), 1, Instant::ZERO),
            now: Instant::ZERO,
            sent: Vec::new(),
        };
        querier.ask(owner, kind);
        querier.engine.link_up(Instant::ZERO, LINK, info());
        while querier.sent.is_empty() {
            querier.run(1);
        }
        querier
    }

    fn ask(&mut self, owner: &str, kind: RecordType) {
        let question = QuestionBuf::new(name(owner), kind);
        self.engine
            .query(self.now, question, QueryOptions::standing(), LinkSet::All);
    }

    fn hear(&mut self, source: &str, destination: &str, payload: &[u8]) {
        self.engine.handle_datagram(
            self.now,
            &Datagram {
                link: LINK,
                source: source.parse().expect("an address and a port"),
                destination: destination.parse().expect("an address"),
                payload,
            },
        );
        self.drain();
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, millis: u64) {
        let end = self.now + ms(millis);
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        let mut buffer = Vec::new();
        while let Some(transmit) = self.engine.poll_transmit(self.now, &mut buffer) {
            self.sent.push(buffer.clone());
            for family in transmit.destination.families() {
                self.engine.transmitted(self.now, transmit.id, family, true);
            }
        }
    }

    fn knows(&self, record: &RecordBuf) -> bool {
        let question = QuestionBuf {
            class: record.class,
            ..QuestionBuf::new(record.name.clone(), record.kind())
        };
        let known = self.engine.cache(self.now, &question);
        known
            .iter()
            .any(|(_, other, _)| other.rdata == record.rdata && other.class == record.class)
    }

    /// What has been told of answers since this was last called.
    fn told(&mut self) -> Vec<(RdataBuf, Presence)> {
        std::iter::from_fn(|| self.engine.poll_event())
            .filter_map(|event| match event {
                Event::Answer {
                    record, presence, ..
                } => Some((record.rdata, presence)),
                _ => None,
            })
            .collect()
    }

    fn stats(&self) -> Stats {
        self.engine.stats()
    }
}

fn info() -> LinkInfo {
    LinkInfo::new([
        LinkAddress::new([192, 0, 2, 1], 25),
        LinkAddress::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 64),
    ])
}

#[test]
fn a_unicast_answer_is_believed_for_two_seconds_after_its_question_asked_for_one() {
    // 6762-6-28, 6762-6-29, 6762-5.4-2
    let shop = response(&[ptr(HTTP, SHOP)]);
    for (wait, believed) in [(1900, true), (2100, false)] {
        let mut querier = Querier::that_asks_for_unicast(HTTP, RecordType::PTR);
        querier.run(wait);
        querier.hear("192.0.2.9:5353", US, &shop);
        assert_eq!(querier.knows(&ptr(HTTP, SHOP)), believed, "{wait} ms");
        assert_eq!(querier.stats().unsolicited, u64::from(!believed));
        // By multicast it is always welcome.
        querier.hear("192.0.2.8:5353", GROUP, &shop);
        assert!(querier.knows(&ptr(HTTP, SHOP)));
    }
    // A later question is QM, and nobody has leave to answer it by unicast.
    let mut querier = Querier::new();
    querier.ask(HTTP, RecordType::PTR);
    querier.run(200);
    querier.hear("192.0.2.9:5353", US, &shop);
    assert!(!querier.knows(&ptr(HTTP, SHOP)));
}

#[test]
fn a_unicast_answer_to_another_question_than_ours_is_not_believed() {
    // 6762-6-28: it has to answer the query that asked for unicast
    let mut querier = Querier::that_asks_for_unicast(HTTP, RecordType::PTR);
    querier.hear(
        "192.0.2.9:5353",
        US,
        &response(&[flush(a("bank.local", 66))]),
    );
    assert!(!querier.knows(&a("bank.local", 66)));
    assert_eq!(querier.stats().unsolicited, 1);
    // What comes along with the answer is welcome.
    let with_more = message(
        Flags::RESPONSE,
        &[],
        &[
            (Section::Answer, ptr(HTTP, SHOP)),
            (Section::Additional, flush(srv(SHOP, "box.local", 80))),
        ],
    );
    querier.hear("192.0.2.9:5353", US, &with_more);
    assert!(querier.knows(&srv(SHOP, "box.local", 80)));
}

#[test]
fn a_capped_ttl_is_listed_as_it_was_received() {
    // Ruling 7, 6762-7.1-5, 1035-7.3-2: with less, the owner would take us for one that is about to forget it
    let month = 30 * 24 * 3600;
    let mut querier = Querier::new();
    querier.ask(HTTP, RecordType::PTR);
    querier.hear(
        "192.0.2.9:5353",
        GROUP,
        &response(&[with_ttl(ptr(HTTP, SHOP), month)]),
    );
    let week = Config::default().max_ttl;
    let question = QuestionBuf::new(name(HTTP), RecordType::PTR);
    let left = querier.engine.cache(querier.now, &question)[0].2;
    assert_eq!(left, week);
    querier.run(1500);
    let asked = querier.sent.last().expect("a query");
    let message = Message::parse(asked).expect("a message");
    let listed = message.answers().next().expect("a known answer");
    let listed = listed.expect("a whole record").ttl;
    assert!((month - 2..=month).contains(&listed), "{listed}");
    // And it ends when the cap says, not a month later.
    querier.told();
    querier.run(u64::from(week) * 1000);
    assert_eq!(
        querier.told(),
        [(ptr(HTTP, SHOP).rdata, Presence::Gone)],
        "a week later"
    );
}

#[test]
fn what_is_sent_to_another_group_is_not_for_us() {
    // 6762-H-1, 6762-11-4: 224.0.0.252 is LLMNR's
    let mut querier = Querier::new();
    for (source, destination) in [
        ("192.0.2.9:5353", "224.0.0.1"),
        ("192.0.2.9:5353", "224.0.0.252"),
        ("[fe80::9]:5353", "ff02::1"),
        ("192.0.2.9:5353", "255.255.255.255"),
    ] {
        querier.hear(source, destination, &response(&[a("box.local", 9)]));
        assert!(!querier.knows(&a("box.local", 9)), "{destination}");
    }
    assert_eq!(querier.stats().not_for_us, 4);
    for (source, destination) in [("192.0.2.9:5353", GROUP), ("[fe80::9]:5353", "ff02::fb")] {
        let record = a("box.local", if destination == GROUP { 9 } else { 8 });
        querier.hear(
            source,
            destination,
            &response(std::slice::from_ref(&record)),
        );
        assert!(querier.knows(&record), "{destination}");
    }
}

#[test]
fn a_response_counts_whatever_its_id_its_questions_and_its_flags() {
    // 6762-6-13, 6762-6-14, 6762-18.1-1, 6762-18.1-2, 6762-18.1-5, 6762-18.4-3, 6762-18.5-3
    // 6762-18.6-2, 6762-18.7-1, 6762-18.8-1, 6762-18.9-1, 6762-18.10-1
    let [aa, tc, rd, ra, z, ad, cd] = [0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10_u16];
    let foreign = [QuestionBuf::new(name("what.local"), RecordType::TXT)];
    for (number, flags) in (1..).zip([0, aa, tc, rd, ra, z, ad, cd, 0x7F0]) {
        let mut querier = Querier::new();
        querier.ask(HTTP, RecordType::PTR);
        let shop = ptr(HTTP, SHOP);
        let mut payload = message(
            Flags::RESPONSE,
            &foreign,
            &[(Section::Answer, shop.clone())],
        );
        payload[..2].copy_from_slice(&[0xAB, number]);
        payload[2..4].copy_from_slice(&(0x8000 | flags).to_be_bytes());
        querier.hear("192.0.2.9:5353", GROUP, &payload);
        // Long before our own query could have caused it.
        assert_eq!(
            querier.told(),
            [(shop.rdata, Presence::Present)],
            "{flags:#x}"
        );
        assert_eq!(querier.stats().malformed, 0);
    }
}

#[test]
fn what_a_query_lists_as_known_is_neither_learned_nor_a_conflict() {
    // 6762-7.1-6, 6762-7.1-7
    let mut querier = Querier::new();
    querier.ask(HTTP, RecordType::PTR);
    let set = cooee_mdns::RecordSet::new().unique(txt("box.local", "ours"));
    querier
        .engine
        .publish(querier.now, set, LinkSet::All)
        .expect("a name");
    querier.run(3000);
    for (owner, kind, known) in [
        (HTTP, RecordType::PTR, ptr(HTTP, SHOP)),
        ("box.local", RecordType::TXT, txt("box.local", "theirs")),
    ] {
        querier.hear(
            "192.0.2.9:5353",
            GROUP,
            &query(owner, kind, std::slice::from_ref(&known)),
        );
        assert!(!querier.knows(&known));
    }
    querier.run(1000);
    assert_eq!(querier.told(), []);
    assert_eq!(querier.stats().conflicts, 0);
}

#[test]
fn a_denial_counts_whatever_name_it_says_is_next() {
    // 6762-6.1-2, 6762-6.1-6, 6762-6.1-13, 6762-6.1-14
    let mut querier = Querier::new();
    let question = QuestionBuf::new(name("box.local"), RecordType::AAAA);
    let asked = querier.engine.query(
        querier.now,
        question,
        QueryOptions::standing(),
        LinkSet::All,
    );
    let denial = RdataBuf::nsec(name("other.local").as_name(), [RecordType::A]);
    let denial = flush(RecordBuf::new(name("box.local"), 120, denial));
    querier.hear("192.0.2.9:5353", GROUP, &response(&[denial]));
    let denied = std::iter::from_fn(|| querier.engine.poll_event()).any(
        |event| matches!(event, Event::Denied { query, kind, .. } if query == asked && kind == RecordType::AAAA),
    );
    assert!(denied);
}

#[test]
fn a_denial_that_cannot_be_read_costs_nothing_but_itself() {
    // 6762-6.1-10, 6762-6.1-16, trap 11: the bitmap is shorter than its length octet says
    let mut querier = Querier::new();
    querier.ask("box.local", RecordType::AAAA);
    let mut payload = response(&[
        flush(a("box.local", 9)),
        flush(RecordBuf::new(
            name("box.local"),
            120,
            RdataBuf::nsec(name("box.local").as_name(), [RecordType::A]),
        )),
        flush(srv(SHOP, "box.local", 80)),
    ]);
    // Window 0, one octet: say two, where one is.
    let bitmap = payload
        .windows(3)
        .position(|octets| octets == [0, 1, 0x40])
        .expect("the bitmap of A");
    payload[bitmap + 1] = 2;
    querier.hear("192.0.2.9:5353", GROUP, &payload);
    assert!(querier.knows(&a("box.local", 9)));
    assert!(querier.knows(&srv(SHOP, "box.local", 80)));
    assert!(
        std::iter::from_fn(|| querier.engine.poll_event())
            .all(|event| !matches!(event, Event::Denied { .. }))
    );
}

#[test]
fn a_denial_does_not_contradict_what_is_there() {
    // Trap 11: some set the bits of the types that are missing
    let mut querier = Querier::new();
    querier.ask(SHOP, RecordType::SRV);
    let wrong = RdataBuf::nsec(name(SHOP).as_name(), [RecordType::AAAA]);
    querier.hear(
        "192.0.2.9:5353",
        GROUP,
        &response(&[
            flush(srv(SHOP, "box.local", 80)),
            flush(RecordBuf::new(name(SHOP), 120, wrong)),
        ]),
    );
    let events: Vec<Event> = std::iter::from_fn(|| querier.engine.poll_event()).collect();
    assert!(matches!(events[..], [Event::Answer { .. }]), "{events:?}");
}

#[test]
fn data_of_no_octets_is_data() {
    // 6762-E-1
    let mut querier = Querier::new();
    querier.ask("box.local", RecordType::TXT);
    let mut payload = response(&[flush(txt("box.local", ""))]);
    // One string of no octets: leave it out, and say so.
    payload.pop();
    let length = payload.len();
    payload[length - 2..].copy_from_slice(&[0, 0]);
    querier.hear("192.0.2.9:5353", GROUP, &payload);
    let events: Vec<Event> = std::iter::from_fn(|| querier.engine.poll_event()).collect();
    assert!(
        matches!(&events[..], [Event::Answer { record, presence: Presence::Present, .. }] if record.kind() == RecordType::TXT),
        "{events:?}"
    );
}

#[test]
fn what_is_about_the_message_is_not_stored() {
    // 6762-10.2-17, 6762-10.2-18, 6891-6.1.1-4, 6891-6.2.1-1: its class is a size, which looks like one with the cache-flush bit
    let mut querier = Querier::new();
    querier.ask(".", RecordType::ANY);
    querier.ask(".", RecordType::OPT);
    let mut payload = response(&[a("box.local", 9)]);
    payload.extend([0, 0, 41, 0x90, 0, 0, 0, 0, 0, 0, 0]);
    payload[11] = 1;
    querier.hear("192.0.2.9:5353", GROUP, &payload);
    assert!(querier.knows(&a("box.local", 9)));
    let all = QuestionBuf {
        class: Class::ANY,
        ..QuestionBuf::new(name("."), RecordType::ANY)
    };
    assert_eq!(querier.engine.cache(querier.now, &all), []);
    assert_eq!(querier.told(), []);
}

#[test]
fn the_cache_flush_bit_is_no_part_of_the_class() {
    // 6762-5.4-1, 6762-10.2-15, 6762-10.2-16
    let mut querier = Querier::new();
    querier.ask("box.local", RecordType::TXT);
    for record in [txt("box.local", "x"), flush(txt("box.local", "x"))] {
        querier.hear("192.0.2.9:5353", GROUP, &response(&[record]));
    }
    let question = QuestionBuf::new(name("box.local"), RecordType::TXT);
    assert_eq!(querier.engine.cache(querier.now, &question).len(), 1);
    assert_eq!(querier.told().len(), 1);
    // And a question with the same bit set is of that class too, and wants a unicast answer.
    let mut asked = query("box.local", RecordType::TXT, &[]);
    let last = asked.len() - 2;
    asked[last] |= 0x80;
    let message = Message::parse(&asked).expect("a message");
    let question = message.questions().next().expect("one").expect("whole");
    assert_eq!(
        (question.class, question.unicast_response),
        (Class::IN, true)
    );
}

#[test]
fn multicast_is_local_wherever_it_comes_from_and_unicast_by_the_prefixes() {
    // 6762-11-4, 6762-11-5, ruling 16: 192.0.2.1/25 and 2001:db8::1/64
    for (source, destination, believed) in [
        ("203.0.113.1:5353", GROUP, true),
        ("[2001:db8:1::9]:5353", "ff02::fb", true),
        ("192.0.2.127:5353", US, true),
        ("192.0.2.128:5353", US, false),
        ("203.0.113.1:5353", US, false),
        ("[2001:db8::9]:5353", "2001:db8::1", true),
        ("[2001:db8:0:1::9]:5353", "2001:db8::1", false),
        ("[fe80::9]:5353", "2001:db8::1", true),
    ] {
        let mut querier = Querier::that_asks_for_unicast(HTTP, RecordType::PTR);
        querier.hear(source, destination, &response(&[ptr(HTTP, SHOP)]));
        assert_eq!(querier.knows(&ptr(HTTP, SHOP)), believed, "{source}");
        assert_eq!(querier.stats().off_link, u64::from(!believed), "{source}");
    }
}

#[test]
fn nobody_answering_is_no_event() {
    // 6762-6-10: of shared records nobody can say that there are none
    let mut querier = Querier::new();
    querier.ask(HTTP, RecordType::PTR);
    querier.run(7200 * 1000);
    assert_eq!(querier.engine.poll_event(), None);
}

#[test]
fn either_kind_of_record_can_be_doubted() {
    // 6762-10.4-1, 6762-10.4-2: no answer to ARP, or to the connection
    for (owner, record) in [
        ("box.local", flush(a("box.local", 9))),
        (SHOP, flush(srv(SHOP, "box.local", 80))),
    ] {
        let mut querier = Querier::new();
        querier.ask(owner, record.kind());
        querier.hear(
            "192.0.2.9:5353",
            GROUP,
            &response(std::slice::from_ref(&record)),
        );
        querier.run(5000);
        querier.sent.clear();
        querier
            .engine
            .reconfirm(querier.now, &record.as_record(), &LinkSet::All);
        querier.run(4000);
        assert!(querier.sent.len() >= 2, "{owner}: {}", querier.sent.len());
        querier.run(7000);
        assert!(!querier.knows(&record));
    }
}

#[test]
fn a_link_that_is_stable_is_asked_once_an_hour() {
    // 6762-10-3: 75 minutes, asked for again after 80 % of them
    let mut querier = Querier::new();
    querier.ask(HTTP, RecordType::PTR);
    querier.run(130);
    querier.hear("192.0.2.9:5353", GROUP, &response(&[ptr(HTTP, SHOP)]));
    querier.run(3600 * 1000);
    let mut asked = 0;
    for _ in 0..10 * 60 * 6 {
        querier.sent.clear();
        querier.run(10_000);
        asked += querier.sent.len();
        for _ in 0..querier.sent.len() {
            querier.hear("192.0.2.9:5353", GROUP, &response(&[ptr(HTTP, SHOP)]));
        }
    }
    // The series of the question has come to one an hour too.
    assert!((9..=21).contains(&asked), "{asked} queries in ten hours");
}

#[test]
fn records_are_refreshed_in_whatever_order_they_come() {
    // 6762-5.2-11: what came after what the last time is a guess, and no more
    let mut records = Vec::new();
    for number in 0..40_u8 {
        let instance = format!("Shop{number}._http._tcp.local");
        records.push(with_ttl(ptr(HTTP, &instance), 120));
        records.push(flush(srv(&instance, "box.local", u16::from(number))));
        records.push(flush(with_ttl(txt(&instance, &instance), 120)));
        records.push(with_ttl(a("many.local", number), 120));
    }
    let mut querier = Querier::new();
    let hear = |querier: &mut Querier, order: &[RecordBuf]| {
        for part in order.chunks(17) {
            querier.hear("192.0.2.9:5353", GROUP, &response(part));
        }
    };
    hear(&mut querier, &records);
    let mut random = 1_usize;
    for round in 0..20 {
        querier.run(100_000);
        match round % 4 {
            0 => records.reverse(),
            1 => records.rotate_left(7),
            2 => records.sort_by_key(|record| (record.kind(), record.name.clone())),
            _ => {
                for place in (1..records.len()).rev() {
                    random = random.wrapping_mul(6_364_136_223_846_793_005) + 1;
                    records.swap(place, (random >> 33) % place);
                }
            }
        }
        hear(&mut querier, &records);
        assert!(
            records.iter().all(|record| querier.knows(record)),
            "{round}"
        );
    }
    assert_eq!(querier.stats().evicted, 0);
    // One is not refreshed, and goes alone.
    let left_out = records.pop().expect("many");
    querier.run(100_000);
    hear(&mut querier, &records);
    querier.run(25_000);
    assert!(!querier.knows(&left_out));
    assert!(records.iter().all(|record| querier.knows(record)));
}
