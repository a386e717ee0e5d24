//! Random walks: whatever comes in whatever order, the events lead from one picture to the next.

use alloc::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Say(usize, Link),
    Gone(usize, Link),
    Deny(Link),
    Down(Link),
    Wait(u64),
    Read,
    Snapshot,
}

fn step() -> impl Strategy<Value = Step> {
    let link = prop_oneof![Just(ETH), Just(WLAN)];
    prop_oneof![
        12 => (0..records().len(), link.clone()).prop_map(|(at, link)| Step::Say(at, link)),
        6 => (0..records().len(), link.clone()).prop_map(|(at, link)| Step::Gone(at, link)),
        1 => link.clone().prop_map(Step::Deny),
        1 => link.prop_map(Step::Down),
        2 => (0..12_000_u64).prop_map(Step::Wait),
        2 => Just(Step::Read),
        1 => Just(Step::Snapshot),
    ]
}

fn records() -> Vec<RecordBuf> {
    let hall = "Hall._http._tcp";
    let mut records = Vec::from(lobby());
    records.extend([
        srv(LOBBY, "chipotle.local", 81),
        srv(LOBBY, "tabasco.local", 0),
        txt(LOBBY, &[]),
        ptr(hall),
        srv(hall, "tabasco.local", 82),
        txt(hall, &["a=b"]),
        address("chipotle.local", "192.0.2.2"),
        address("chipotle.local", "fe80::2"),
        RecordBuf::new(
            name("tabasco.local"),
            120,
            RdataBuf::cname(name("chipotle.local").as_name()),
        ),
        RecordBuf::new(
            name("chipotle.local"),
            120,
            RdataBuf::cname(name("tabasco.local").as_name()),
        ),
    ]);
    records
}

/// What a reader knows from events alone.
#[derive(Default)]
struct Reader {
    known: BTreeMap<ServiceName, Found>,
}

impl Reader {
    fn hear(&mut self, event: BrowseEvent) {
        match event {
            BrowseEvent::Added(found) => {
                let before = self.known.insert(found.name().clone(), found);
                assert!(before.is_none(), "added twice");
            }
            BrowseEvent::Updated(found) => {
                let before = self.known.insert(found.name().clone(), found.clone());
                assert!(
                    before.is_some_and(|before| before != found),
                    "updated without being there, or without change"
                );
            }
            BrowseEvent::Removed(name) => assert!(
                self.known.remove(&name).is_some(),
                "removed without being there"
            ),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_lead_from_picture_to_picture(steps in prop::collection::vec(step(), 1..120), one in any::<bool>()) {
        // ruling 32
        let spec = match one {
            true => BrowseSpec::instance(LOBBY.parse().unwrap()),
            false => BrowseSpec::types([ServiceType::tcp("http").unwrap()]),
        };
        let mut bench = Bench::new(spec);
        let records = records();
        let mut reader = Reader::default();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Say(at, link) => { bench.say(link, &records[at]); }
                Step::Gone(at, link) => { bench.gone(link, &records[at]); }
                Step::Deny(link) => { bench.deny(link, "tabasco.local", RecordType::AAAA); }
                Step::Down(link) => bench.browser.handle_link_down(Duration::from_millis(now), link),
                Step::Wait(millis) => { now += millis; bench.at(now); }
                Step::Read => while let Some(event) = bench.browser.poll_event() { reader.hear(event); },
                Step::Snapshot => {
                    let services = bench.browser.snapshot().services;
                    reader.known = services.into_iter().map(|found| (found.name().clone(), found)).collect();
                }
            }
            bench.asks();
            prop_assert!(bench.browser.poll_timeout().is_none_or(|at| at >= bench.now));
        }
        while let Some(event) = bench.browser.poll_event() { reader.hear(event); }
        prop_assert!(!bench.browser.has_news());
        let told: Vec<_> = reader.known.values().cloned().collect();
        let mut services = bench.browser.snapshot().services;
        services.sort_by(|a, b| a.name().cmp(b.name()));
        prop_assert_eq!(told, services);

        // Each question is asked once, and when all is gone only the first ones are.
        let asked: BTreeSet<_> = bench.asked.values().cloned().collect();
        prop_assert_eq!(asked.len(), bench.asked.len());
        for link in [ETH, WLAN] {
            bench.browser.handle_link_down(bench.now, link);
        }
        bench.at(now + 60_000);
        bench.browser.snapshot();
        bench.asks();
        prop_assert_eq!(bench.asked.len(), if one { 2 } else { 1 });
        prop_assert_eq!((bench.browser.hosts.len(), bench.browser.instances.len(), bench.browser.timers.len()), (0, 0, 0));
    }
}
