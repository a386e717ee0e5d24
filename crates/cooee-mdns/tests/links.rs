//! Several links, and the two families of one: what is apart, and what is not.

mod lan;

use cooee_mdns::{
    Config, Datagram, Engine, Event, Family, Instant, LinkAddress, LinkId, LinkInfo, LinkSet,
    RecordSet,
};
use cooee_sim::{Address, Conditions};
use cooee_wire::{Data, Flags, QuestionBuf, RecordBuf, RecordType};
use lan::{Lan, a, flush, message, ms, name, query, records, response};

#[test]
fn a_name_means_on_each_link_what_is_said_there() {
    // 6762-3-4, 6762-14-5, 6762-14-6
    let mut lan = Lan::new(1);
    let second = lan.network.add_link(Conditions::default());
    let host = lan.host("a", 1);
    let other_address: Address = "198.51.100.1/24".parse().expect("an address");
    lan.network.join(host, second, &[other_address]);
    lan.ask(host, "x.local", RecordType::A);
    lan.run_ms(1000);
    let other = RecordBuf::new(
        name("x.local"),
        120,
        cooee_wire::RdataBuf::a([198, 51, 100, 9].into()),
    );
    lan.hear(&[flush(a("x.local", 9))]);
    let source = "198.51.100.9:5353".parse().expect("an address");
    lan.network
        .inject(second, source, &response(&[flush(other.clone())]));
    lan.run_ms(5000);
    // Neither has flushed the other.
    let mut answers: Vec<_> = lan
        .network
        .node(host)
        .answers()
        .iter()
        .map(|answer| (answer.link, answer.record.rdata.clone()))
        .collect();
    answers.sort_by_key(|(link, _)| *link);
    assert_eq!(
        answers,
        [(lan.link, a("x.local", 9).rdata), (second, other.rdata)]
    );
    assert_eq!(lan.network.node(host).engine.stats().conflicts, 0);
}

#[test]
fn an_address_with_two_prefixes_is_one_record() {
    // 6762-14-4: as while the mask of an address is changed.
    let mut lan = Lan::new(1);
    let host = lan.network.add_station("a");
    let addresses = ["192.0.2.1/24", "192.0.2.1/16"].map(|text| text.parse().expect("an address"));
    lan.network.join(host, lan.link, &addresses);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::A, &[]));
    lan.run_ms(500);
    let sent = lan.sent(host, start);
    let answers = sent.iter().flat_map(|packet| records(packet));
    let answers = answers.filter(|(_, record)| record.kind() == RecordType::A);
    assert_eq!(answers.count(), 1, "{}", lan.network.chronicle());
}

#[test]
fn a_host_defends_its_name_on_every_link() {
    // 6762-14-1
    let mut lan = Lan::new(2);
    let host = lan.host("a", 1);
    let mut links = vec![(lan.link, "192.0.2.9:5353")];
    for (own, other) in [
        ("198.51.100.1/24", "198.51.100.9:5353"),
        ("203.0.113.1/24", "203.0.113.9:5353"),
    ] {
        let link = lan.network.add_link(Conditions::default());
        let own: Address = own.parse().expect("an address");
        lan.network.join(host, link, &[own]);
        links.push((link, other));
    }
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    for (link, source) in links {
        let start = lan.now();
        let question = QuestionBuf {
            unicast_response: true,
            ..QuestionBuf::new(name("box.local"), RecordType::ANY)
        };
        let wanted = [(cooee_wire::Section::Authority, a("box.local", 9))];
        let probe = message(Flags::QUERY, &[question], &wanted);
        let source = source.parse().expect("an address");
        lan.network.inject(link, source, &probe);
        lan.run_ms(200);
        let sent = lan.sent(host, start);
        let defence = sent.iter().find(|packet| packet.link == link);
        let defence = defence.expect("it defends itself there");
        assert_eq!(defence.destination, source);
    }
}

#[test]
fn all_addresses_of_a_link_are_given_of_either_scope() {
    // 6762-6.2-3, 6762-8-1, 6762-14-4
    let mut lan = Lan::new(3);
    let host = lan.network.add_station("a");
    let addresses: [Address; 3] = ["192.0.2.1/24", "fe80::1/64", "2001:db8::1/64"]
        .map(|address| address.parse().expect("an address"));
    lan.network.join(host, lan.link, &addresses);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::AAAA, &[]));
    lan.run_ms(500);
    let sent = records(lan.sent(host, start)[0]);
    let data: Vec<String> = sent
        .iter()
        .map(|(_, record)| match record.as_record().data() {
            Ok(Data::A(address)) => address.to_string(),
            Ok(Data::Aaaa(address)) => address.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(data, ["fe80::1", "2001:db8::1", "192.0.2.1"]);
}

#[test]
fn no_family_of_a_link_says_that_the_other_is_not_there() {
    // 6762-6.2-6, 6762-20-3: both families of a link are one, and its NSEC lists both
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    for source in ["192.0.2.9:5353", "[fe80::9]:5353", "192.0.2.9:40000"] {
        for kind in [RecordType::A, RecordType::AAAA, RecordType::TXT] {
            lan.inject(source, &query("box.local", kind, &[]));
            lan.run_ms(2000);
        }
    }
    let mut denials = 0;
    let all = lan.network.packets().iter();
    for record in all.flat_map(records).map(|(_, record)| record) {
        if let Ok(Data::Nsec(nsec)) = record.as_record().data() {
            let has = |kind| nsec.contains(kind);
            if record.name == name("box.local") {
                assert!(has(RecordType::A) && has(RecordType::AAAA));
                denials += 1;
            }
        }
    }
    assert!(denials >= 3, "the questions for TXT");
}

#[test]
fn the_way_back_from_an_address_has_a_name_and_nothing_else() {
    // 6762-6.1-21, 6762-6.1-7, 6762-6.1-8, 6762-6.1-9
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    let back = "1.2.0.192.in-addr.arpa";
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query(back, RecordType::TXT, &[]));
    lan.run_ms(500);
    let packet = lan.sent(host, start)[0];
    let (_, record) = records(packet).remove(0);
    let record = record.as_record();
    let Ok(Data::Nsec(nsec)) = record.data() else {
        panic!("an NSEC: {packet}")
    };
    let types: Vec<RecordType> = nsec.types().collect();
    assert_eq!(types, [RecordType::PTR]);
    // Twelve octets of header, then the name; at the end a pointer to it, window 0, two octets of bitmap: PTR is bit 12.
    let end = &packet.payload[packet.payload.len() - 6..];
    assert_eq!(end, [0xC0, 12, 0, 2, 0, 0b0000_1000]);
}

/// An engine alone, whose system sends on some links and not on others.
struct Alone {
    engine: Engine,
    now: Instant,
    /// The links and families on which nothing can be sent.
    broken: Vec<(LinkId, Family)>,
    events: Vec<Event>,
    sent: Vec<(Instant, LinkId)>,
}

impl Alone {
    fn new(links: &[LinkId]) -> Self {
        let mut engine = Engine::new(Config::default(), 1, Instant::ZERO);
        for &link in links {
            engine.link_up(Instant::ZERO, link, info(link));
        }
        Self {
            engine,
            now: Instant::ZERO,
            broken: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    fn run_ms(&mut self, millis: u64) {
        let end = self.now + ms(millis);
        self.drain();
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
            self.sent.push((self.now, transmit.link));
            for family in transmit.destination.families() {
                let works = !self.broken.contains(&(transmit.link, family));
                self.engine
                    .transmitted(self.now, transmit.id, family, works);
            }
        }
        self.events
            .extend(std::iter::from_fn(|| self.engine.poll_event()));
    }
}

fn info(link: LinkId) -> LinkInfo {
    let last = u16::try_from(link.0).expect("a small number");
    LinkInfo::new([
        LinkAddress::new([192, 0, link.0 as u8, 1], 24),
        LinkAddress::new([0xfe80, 0, 0, 0, 0, 0, 0, last], 64),
    ])
}

#[test]
fn a_link_on_which_nothing_can_be_sent_is_left_out_until_something_happens_to_it() {
    // Ruling 26: three failures, and readiness does not wait for it
    let [good, bad] = [LinkId(1), LinkId(2)];
    let mut alone = Alone::new(&[good, bad]);
    alone.broken = vec![(bad, Family::V4), (bad, Family::V6)];
    let set = RecordSet::new().host_addresses(name("box.local"));
    let group = alone
        .engine
        .publish(alone.now, set, LinkSet::All)
        .expect("a name");
    alone.run_ms(3000);
    assert_eq!(
        alone.events,
        [Event::LinkUnusable { link: bad }, Event::Ready { group }]
    );
    let tried = alone.sent.iter().filter(|(_, link)| *link == bad);
    assert_eq!(tried.count(), 3);
    alone.run_ms(60_000);
    let tried = alone.sent.iter().filter(|(_, link)| *link == bad);
    assert_eq!(tried.count(), 3, "nothing more is tried");
    // It works again, and the driver says that something has happened.
    alone.broken.clear();
    alone.engine.link_changed(alone.now, bad, info(bad));
    alone.run_ms(3000);
    let tried = alone.sent.iter().filter(|(_, link)| *link == bad);
    assert_eq!(tried.count(), 3 + 5, "three probes and two announcements");
}

#[test]
fn what_has_left_in_one_family_was_sent() {
    // Ruling 24
    let link = LinkId(1);
    let mut alone = Alone::new(&[link]);
    alone.broken = vec![(link, Family::V6)];
    let set = RecordSet::new().host_addresses(name("box.local"));
    let group = alone
        .engine
        .publish(alone.now, set, LinkSet::All)
        .expect("a name");
    alone.run_ms(10_000);
    assert_eq!(alone.events, [Event::Ready { group }]);
    assert_eq!(alone.sent.len(), 5, "three probes and two announcements");
    assert_eq!(alone.engine.stats().send_failures, 0);
}

#[test]
fn an_address_that_was_ours_is_no_conflict_for_two_minutes() {
    // Ruling 21
    for (wait, conflicts) in [(110_000, 0), (130_000, 1)] {
        let link = LinkId(1);
        let mut alone = Alone::new(&[link]);
        let set = RecordSet::new().host_addresses(name("box.local"));
        alone
            .engine
            .publish(alone.now, set, LinkSet::All)
            .expect("a name");
        alone.run_ms(5000);
        // It goes, as another does when a lease ends.
        let other = LinkInfo::new([LinkAddress::new([192, 0, 2, 44], 24)]);
        alone.engine.link_changed(alone.now, link, other);
        alone.run_ms(wait);
        let old = RecordBuf::new(
            name("box.local"),
            120,
            cooee_wire::RdataBuf::a([192, 0, 1, 1].into()),
        );
        alone.engine.handle_datagram(
            alone.now,
            &Datagram {
                link,
                source: "192.0.2.9:5353".parse().expect("an address"),
                destination: "224.0.0.251".parse().expect("an address"),
                payload: &response(&[flush(old)]),
            },
        );
        assert_eq!(alone.engine.stats().conflicts, conflicts, "{wait} ms later");
    }
}

#[test]
fn a_link_that_comes_changes_nothing_on_another_that_is_being_probed() {
    // 6762-8-2, 6762-8.1-1
    let mut lan = Lan::new(9);
    let second = lan.network.add_link(Conditions::default());
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, RecordSet::new().unique(lan::txt("box.local", "x")));
    lan.run_ms(600);
    lan.network.join(host, second, &lan::addresses(2));
    lan.run_ms(5000);
    let first: Vec<_> = lan
        .sent(host, start)
        .into_iter()
        .filter(|packet| packet.link == lan.link)
        .map(lan::is_response)
        .collect();
    assert_eq!(first, [false, false, false, true, true]);
    lan.assert_clean();
}
