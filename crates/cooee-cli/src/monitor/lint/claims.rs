//! Unique names: probed for, then one's own alone.

use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{NameBuf, RecordBuf, RecordType, Section};

use super::report::{Report, Waiting, overdue};
use super::rule;
use crate::monitor::bounded::Bounded;
use crate::monitor::history::History;
use crate::monitor::hosts::Host;
use crate::monitor::names::{Service, is_reverse};
use crate::monitor::packet::PORT;
use crate::monitor::seen::Seen;
use crate::monitor::tags::Tag;

/// Who has asked whether a name is free.
#[derive(Debug)]
pub(super) struct Claims {
    probes: Bounded<(Host, u32, NameBuf), ()>,
    /// When last, by address: each family of a host has its own pace.
    probed: Bounded<(IpAddr, u32, NameBuf), Duration>,
    /// Questions for all records of a name, without a proposal.
    bare: Bounded<(Host, u32, NameBuf), Duration>,
    /// Names that were told as one's own.
    claimed: Bounded<(Host, u32, NameBuf), ()>,
    /// Services announced without TXT record so far.
    no_txt: Bounded<(u32, NameBuf), Waiting>,
}

const MOST: usize = 8_192;
/// Three probes take so long, and the announcement follows.
const PROBING: Duration = Duration::from_secs(2);
/// Announcements may come in several packets.
const WHOLE: Duration = Duration::from_secs(3);
/// Probes that are so far apart, more or less, keep the interval.
const INTERVAL: std::ops::RangeInclusive<u128> = 200..=320;
/// A longer pause is the begin of another round: a second after a lost tie-break.
const ROUND: u128 = 900;

impl Claims {
    pub(super) fn new() -> Self {
        Self {
            probes: Bounded::new(MOST),
            probed: Bounded::new(MOST),
            bare: Bounded::new(MOST),
            claimed: Bounded::new(MOST),
            no_txt: Bounded::new(MOST),
        }
    }

    pub(super) fn look(
        &mut self,
        seen: &Seen<'_>,
        tags: &[Tag],
        history: &History,
        report: &mut Report,
    ) {
        if !seen.decoded.is_response() {
            if seen.decoded.is_probe() {
                self.probe(seen, report);
            } else if seen.packet.source.port() == PORT {
                self.bare(seen);
            }
            return;
        }
        if !seen.packet.is_multicast() {
            return;
        }
        let is_announced = tags.contains(&Tag::Announce);
        for (_, record) in seen.decoded.data() {
            if record.kind() == RecordType::TXT {
                let key = (seen.packet.link(), record.name.clone());
                self.no_txt.remove(&key);
            }
            let is_claim = record.cache_flush
                && record.ttl > 0
                && record.kind() != RecordType::NSEC
                && record.kind() != RecordType::PTR;
            if is_claim {
                self.claim(seen, is_announced, report, record);
                conflict(seen, history, report, record);
            }
        }
        if is_announced {
            self.txt(seen, history);
        }
    }

    /// Services that should have a TXT record by now.
    pub(super) fn pass(&mut self, now: Duration, report: &mut Report) {
        let text = "SRV record announced without a TXT record";
        for ((_, name), about) in overdue(&mut self.no_txt, now, WHOLE) {
            report.add_named(about, rule::TXT_MISSING, (&name, RecordType::SRV), text);
        }
    }

    fn probe(&mut self, seen: &Seen<'_>, report: &mut Report) {
        for question in &seen.decoded.questions {
            let about = (&question.name, question.kind);
            let mut proposed = seen.decoded.section(Section::Authority);
            if !proposed.any(|record| record.name == question.name) {
                let text = "probe without a record for the name";
                report.add_named(seen, rule::PROBE_PROPOSAL, about, text);
            }
            if question.kind != RecordType::ANY {
                let text = format!("probe asks for {}, not ANY", question.kind);
                report.add_named(seen, rule::PROBE_ANY, about, text);
            }
            // RFC 6762 §15.1 (6762-15.1-3): nor should who shares the port, which is not seen from here.
            if !question.unicast_response {
                let text = "probe does not ask for unicast (QU)";
                report.add_named(seen, rule::PROBE_UNICAST, about, text);
            }
            let link = seen.packet.link();
            let key = (seen.host, link, question.name.clone());
            self.probes.insert(key, ());
            let key = (seen.packet.source.ip(), link, question.name.clone());
            if let Some(last) = self.probed.insert(key, seen.now) {
                let since = seen.since(last).as_millis();
                if since < ROUND && !INTERVAL.contains(&since) {
                    let text = format!("probes {since} ms apart, not 250");
                    report.add_named(seen, rule::PROBE_TIMING, about, text);
                }
            }
        }
    }

    fn bare(&mut self, seen: &Seen<'_>) {
        for question in &seen.decoded.questions {
            if question.kind == RecordType::ANY {
                let key = (seen.host, seen.packet.link(), question.name.clone());
                self.bare.insert(key, seen.now);
            }
        }
    }

    fn claim(
        &mut self,
        seen: &Seen<'_>,
        is_announced: bool,
        report: &mut Report,
        record: &RecordBuf,
    ) {
        let key = (seen.host, seen.packet.link(), record.name.clone());
        let is_first = self.claimed.insert(key.clone(), ()).is_none();
        // Names of addresses are unique by nature.
        if !is_first || !is_announced || is_reverse(&record.name) {
            return;
        }
        let about = (&record.name, record.kind());
        if self.probes.get(&key).is_some() {
            return;
        }
        let has_asked = self
            .bare
            .get(&key)
            .is_some_and(|at| seen.since(*at) <= PROBING);
        if has_asked {
            let text = "probe without authority records";
            report.add_named(seen, rule::PROBE_PROPOSAL, about, text);
        } else {
            let text = "unique name announced without probes";
            report.add_named(seen, rule::NO_PROBE, about, text);
        }
    }

    fn txt(&mut self, seen: &Seen<'_>, history: &History) {
        for (_, record) in seen.decoded.data() {
            let is_instance = Service::of(&record.name).is_some_and(|of| of.instance.is_some());
            if record.kind() != RecordType::SRV || record.ttl == 0 || !is_instance {
                continue;
            }
            let mut records = seen.decoded.data();
            let is_here = records
                .any(|(_, other)| other.kind() == RecordType::TXT && other.name == record.name);
            if !is_here && !history.has_heard(seen, &record.name, RecordType::TXT) {
                let key = (seen.packet.link(), record.name.clone());
                self.no_txt.entry(key, || Waiting {
                    since: seen.now,
                    about: seen.into(),
                });
            }
        }
    }
}

/// RFC 6762 §9 (6762-9-3): the same name and type, other data, another machine.
fn conflict(seen: &Seen<'_>, history: &History, report: &mut Report, record: &RecordBuf) {
    let rdata = seen.digest(&record.rdata);
    let others: Vec<_> = history
        .claims(seen, record)
        .filter(|claim| {
            let life = Duration::from_secs(claim.ttl.into());
            history.is_other(seen, claim.host) && seen.since(claim.at) <= life
        })
        .collect();
    if let Some(other) = others.first()
        && others.iter().all(|claim| claim.rdata != rdata)
    {
        let text = format!("{} claims the same name with other data", other.from);
        report.add_named(seen, rule::CONFLICT, (&record.name, record.kind()), text);
    }
}
