//! What the engine does again and again allocates nothing (design §5).

mod lan;

use cooee_mdns::{
    Config, Datagram, Engine, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, QueryOptions,
    RecordSet,
};
use cooee_wire::{QuestionBuf, RecordType};
use lan::{flush, ms, name, ptr, query, response, service, srv};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

/// An engine on one link, that has sent all it has to say.
struct Alone {
    engine: Engine,
    now: Instant,
    buffer: Vec<u8>,
}

#[test]
fn a_refresh_of_known_records_allocates_nothing() {
    let mut alone = Alone::new();
    for (owner, kind) in [(HTTP, RecordType::PTR), (SHOP, RecordType::SRV)] {
        let question = QuestionBuf::new(name(owner), kind);
        alone
            .engine
            .query(alone.now, question, QueryOptions::standing(), LinkSet::All);
    }
    let known = response(&[ptr(HTTP, SHOP), flush(srv(SHOP, "box.local", 80))]);
    assert_eq!(alone.allocations_of(&known, "192.0.2.9:5353", 10), 0);
}

#[test]
fn an_answer_by_multicast_allocates_nothing() {
    let mut alone = Alone::new();
    alone.publish();
    let asked = query("box.local", RecordType::A, &[]);
    assert_eq!(alone.allocations_of(&asked, "192.0.2.9:5353", 10), 0);
}

#[test]
fn an_answer_to_a_simple_resolver_allocates_nothing() {
    let mut alone = Alone::new();
    alone.publish();
    let asked = query(SHOP, RecordType::SRV, &[]);
    assert_eq!(alone.allocations_of(&asked, "192.0.2.9:40000", 10), 0);
}

#[test]
fn a_query_for_what_we_do_not_have_allocates_nothing() {
    let mut alone = Alone::new();
    alone.publish();
    let asked = query("nobody.local", RecordType::A, &[]);
    assert_eq!(alone.allocations_of(&asked, "192.0.2.9:5353", 10), 0);
}

impl Alone {
    fn new() -> Self {
        let now = Instant::from_micros(1);
        let mut engine = Engine::new(Config::default(), 1, now);
        engine.link_up(
            now,
            LinkId(1),
            LinkInfo::new([LinkAddress::new([192, 0, 2, 1], 24)]),
        );
        Self {
            engine,
            now,
            buffer: Vec::with_capacity(9000),
        }
    }

    fn publish(&mut self) {
        let host = RecordSet::new().host_addresses(name("box.local"));
        self.engine
            .publish(self.now, host, LinkSet::All)
            .expect("a host");
        self.engine
            .publish(self.now, service("Shop", "box.local", 80), LinkSet::All)
            .expect("a service");
        self.run(20);
    }

    /// Lets so many seconds pass.
    fn run(&mut self, seconds: u64) {
        let end = self.now + ms(seconds * 1000);
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while self.engine.poll_event().is_some() {}
        while let Some(transmit) = self.engine.poll_transmit(self.now, &mut self.buffer) {
            for family in transmit.destination.families() {
                self.engine.transmitted(self.now, transmit.id, family, true);
            }
        }
    }

    fn receive(&mut self, payload: &[u8], source: &str) {
        let datagram = Datagram {
            link: LinkId(1),
            source: source.parse().expect("an address"),
            destination: "224.0.0.251".parse().expect("an address"),
            payload,
        };
        self.engine.handle_datagram(self.now, &datagram);
        self.drain();
    }

    /// How much is allocated for a datagram that has come a few times before.
    fn allocations_of(&mut self, payload: &[u8], source: &str, times: usize) -> u64 {
        for _ in 0..times {
            self.receive(payload, source);
            self.run(2);
        }
        allocation_counter::measure(|| self.receive(payload, source)).count_total
    }
}
