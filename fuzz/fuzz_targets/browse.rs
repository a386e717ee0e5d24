//! Whatever records come and go, on whatever links: a browser's events lead from each picture to the next, its questions start and stop
//! in pairs, what it keeps is bounded, and no deadline lies in the past.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cooee_sd::{
    Ask, AskId, BrowseEvent, BrowseSpec, Browser, Found, Limits, Link, Presence, ServiceName,
    ServiceType,
};
use cooee_wire::{NameBuf, RdataBuf, RecordBuf, RecordType};
use libfuzzer_sys::fuzz_target;

/// A run longer than this finds nothing that a shorter one does not.
const STEPS: usize = 400;

fuzz_target!(|octets: &[u8]| {
    let mut input = Input(octets);
    let mut limits = Limits::default();
    (limits.instances, limits.hosts, limits.addresses) = (6, 5, 3);
    (limits.variants, limits.types, limits.early) = (2, 3, 4);
    let spec = match input.octet().unwrap_or_default() % 4 {
        0 => BrowseSpec::types([
            ServiceType::tcp("a").unwrap(),
            ServiceType::udp("b").unwrap(),
        ]),
        1 => BrowseSpec::types([ServiceType::tcp("a").unwrap()])
            .subtype("s".parse().unwrap())
            .without_own(),
        2 => BrowseSpec::all_types(),
        _ => BrowseSpec::instance("0._a._tcp".parse().unwrap()),
    };
    let mut browser = Browser::new(spec.limits(limits));
    let mut now = Duration::ZERO;
    let mut asked: BTreeSet<AskId> = BTreeSet::new();
    let mut known: BTreeMap<ServiceName, Found> = BTreeMap::new();
    for _ in 0..STEPS {
        let Some(step) = input.octet() else { break };
        let link = Link(u32::from(step / 64 % 2));
        match step % 16 {
            0..=8 => {
                let presence = if step & 128 == 0 {
                    Presence::Present
                } else {
                    Presence::Gone
                };
                let record = input.record();
                browser.handle_record(now, link, record.as_record(), presence, step % 16 == 8);
            }
            9 => {
                let kind = if step & 128 == 0 {
                    RecordType::A
                } else {
                    RecordType::AAAA
                };
                browser.handle_denial(now, link, input.host().as_name(), kind);
            }
            10 => browser.handle_link_down(now, link),
            11 | 12 => {
                now += Duration::from_millis(u64::from(input.octet().unwrap_or_default()) * 50);
                browser.handle_timeout(now);
                assert!(
                    browser.poll_timeout().is_none_or(|due| due > now),
                    "what was due is done"
                );
            }
            13 => {
                let services = browser.snapshot().services;
                known = services
                    .into_iter()
                    .map(|found| (found.name().clone(), found))
                    .collect();
                assert!(known.len() <= 6 && !browser.has_news());
            }
            _ => hear(&mut browser, &mut known),
        }
        while let Some(ask) = browser.poll_ask() {
            match ask {
                Ask::Start { id, .. } => assert!(asked.insert(id)),
                Ask::Stop { id } => assert!(asked.remove(&id), "only what was started is stopped"),
                Ask::Reconfirm { .. } => {}
            }
        }
        // Types, instances, and hosts with two links each; then the first questions.
        assert!(asked.len() <= 3 + 2 * 2 * 6 + 2 * 5 + 2);
    }
    hear(&mut browser, &mut known);
    let services: Vec<Found> = browser.snapshot().services;
    assert!(known.into_values().eq(services));
});

fn hear(browser: &mut Browser, known: &mut BTreeMap<ServiceName, Found>) {
    while let Some(event) = browser.poll_event() {
        match event {
            BrowseEvent::Added(found) => {
                assert!(known.insert(found.name().clone(), found).is_none())
            }
            BrowseEvent::Updated(found) => {
                let before = known.insert(found.name().clone(), found.clone());
                assert!(before.is_some_and(|before| before != found));
            }
            BrowseEvent::Removed(name) => assert!(known.remove(&name).is_some()),
        }
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Few names, so that records meet.
    fn host(&mut self) -> NameBuf {
        format!("h{}.local", self.octet().unwrap_or_default() % 8)
            .parse()
            .unwrap()
    }

    fn record(&mut self) -> RecordBuf {
        let octet = self.octet().unwrap_or_default();
        let kind = [
            "_a._tcp.local",
            "_b._udp.local",
            "_c._tcp.local",
            "_d._tcp.local",
        ][usize::from(octet / 8 % 4)];
        let service: NameBuf = format!("{}.{kind}", octet / 32).parse().unwrap();
        let (owner, rdata) = match octet % 8 {
            0 => (kind.parse().unwrap(), RdataBuf::ptr(service.as_name())),
            1 => (
                format!("s._sub.{kind}").parse().unwrap(),
                RdataBuf::ptr(service.as_name()),
            ),
            2 => {
                let listed: NameBuf = kind.parse().unwrap();
                (
                    "_services._dns-sd._udp.local".parse().unwrap(),
                    RdataBuf::ptr(listed.as_name()),
                )
            }
            3 => {
                let detail = self.octet().unwrap_or_default();
                let host = if detail == 255 {
                    NameBuf::root()
                } else {
                    self.host()
                };
                (
                    service,
                    RdataBuf::srv(
                        u16::from(detail % 2),
                        0,
                        u16::from(detail / 2 % 4),
                        host.as_name(),
                    ),
                )
            }
            4 => (
                service,
                RdataBuf::txt([[b'k', b'=', self.octet().unwrap_or_default()]]).unwrap(),
            ),
            5 => (self.host(), RdataBuf::a([192, 0, 2, octet / 8 % 8].into())),
            6 => (
                self.host(),
                RdataBuf::aaaa([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(octet / 8 % 8)].into()),
            ),
            _ => (self.host(), RdataBuf::cname(self.host().as_name())),
        };
        RecordBuf::new(owner, 120, rdata)
    }
}
