//! Whom an engine believes, and what: the port and the place that a response comes from, whether it was asked for, and what in it counts.

mod lan;

use cooee_mdns::{
    Config, Datagram, Engine, Event, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, Presence,
    QueryOptions, Stats,
};
use cooee_wire::{Flags, Message, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section};
use lan::{a, flush, message, ms, name, ptr, response, srv, with_ttl};

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
