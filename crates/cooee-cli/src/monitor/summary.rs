//! Totals and top talkers, at the end.

use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{NameBuf, RecordType};

use super::bounded::Bounded;
use super::inspector::Inspected;
use super::json;
use super::names::Service;
use super::text::full;
use crate::clock::Moment;
use crate::json::Object;

/// Counts packets.
#[derive(Debug)]
pub(crate) struct Summary {
    packets: u64,
    octets: u64,
    lost: u64,
    kinds: Vec<(String, u64)>,
    hosts: Bounded<IpAddr, (u64, u64)>,
    types: Bounded<String, u64>,
    questions: Bounded<(NameBuf, RecordType), u64>,
    first: Option<Duration>,
    last: Duration,
}

/// Hosts, types and questions that are counted.
const MOST: usize = 4_096;
/// Those that are told.
const TOP: usize = 10;

impl Summary {
    pub(crate) fn new() -> Self {
        Self {
            packets: 0,
            octets: 0,
            lost: 0,
            kinds: Vec::new(),
            hosts: Bounded::new(MOST),
            types: Bounded::new(MOST),
            questions: Bounded::new(MOST),
            first: None,
            last: Duration::ZERO,
        }
    }

    /// How many packets were counted.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// The system has thrown away so many.
    pub(crate) fn add_lost(&mut self, lost: u32) {
        self.lost += u64::from(lost);
    }

    /// Counts a packet.
    pub(crate) fn add(&mut self, seen: &Inspected) {
        let size = seen.packet.payload.len() as u64;
        self.packets += 1;
        self.octets += size;
        let now = seen.packet.moment.since_start;
        self.first.get_or_insert(now);
        self.last = self.last.max(now);
        for tag in &seen.tags {
            let word = tag.kind();
            match self.kinds.iter_mut().find(|(known, _)| known == word) {
                Some((_, count)) => *count += 1,
                None => self.kinds.push((word.to_owned(), 1)),
            }
        }
        let host = self.hosts.entry(seen.packet.source.ip(), || (0, 0));
        host.0 += 1;
        host.1 += size;
        for question in &seen.decoded.questions {
            let key = (question.name.clone(), question.kind);
            *self.questions.entry(key, || 0) += 1;
        }
        let mut types: Vec<String> = seen
            .decoded
            .names()
            .filter_map(|name| Service::of(name).map(|service| service.text()))
            .collect();
        types.sort_unstable();
        types.dedup();
        for kind in types {
            *self.types.entry(kind, || 0) += 1;
        }
    }

    fn per_minute(&self) -> u64 {
        let span = self.last.saturating_sub(self.first.unwrap_or_default());
        // Less than a second says nothing of a minute.
        let millis = u64::try_from(span.as_millis())
            .unwrap_or(u64::MAX)
            .max(1_000);
        self.packets.saturating_mul(60_000) / millis
    }

    /// Lines for people; `findings` are how often each rule was broken.
    pub(crate) fn lines(&self, findings: &[(&'static str, u64)]) -> Vec<String> {
        let lost = match self.lost {
            0 => String::new(),
            lost => format!(", {lost} lost by the system"),
        };
        let mut lines = vec![format!(
            "{} packets, {} bytes, {} per minute{lost}",
            self.packets,
            self.octets,
            self.per_minute()
        )];
        let mut list = |title: &str, entries: Vec<String>| {
            if !entries.is_empty() {
                lines.push(format!("{title:<10}{}", entries.join(", ")));
            }
        };
        let plain = |(what, count): &(String, u64)| format!("{what} {count}");
        list("kinds", self.kinds.iter().map(plain).collect());
        let hosts = self.top_hosts().into_iter();
        list(
            "hosts",
            hosts
                .map(|(ip, (packets, octets))| format!("{ip} {packets} ({octets} bytes)"))
                .collect(),
        );
        list("types", self.top_types().iter().map(plain).collect());
        let questions = self.top_questions().into_iter();
        list(
            "questions",
            questions
                .map(|((name, kind), count)| format!("{} {kind} {count}", full(&name)))
                .collect(),
        );
        let findings = findings.iter();
        list(
            "findings",
            findings
                .map(|(id, count)| format!("{id} {count}"))
                .collect(),
        );
        lines
    }

    /// The event `summary` as one line of JSON.
    pub(crate) fn json(&self, moment: &Moment, findings: &[(&'static str, u64)]) -> String {
        let counted =
            |what: &str, count: u64| Object::new().text("what", what).number("count", count);
        json::head("summary", moment)
            .number("packets", self.packets)
            .number("bytes", self.octets)
            .number("per_minute", self.per_minute())
            .number("lost", self.lost)
            .objects(
                "kinds",
                self.kinds.iter().map(|(what, count)| counted(what, *count)),
            )
            .objects(
                "hosts",
                self.top_hosts().iter().map(|(ip, (packets, octets))| {
                    counted(&ip.to_string(), *packets).number("bytes", *octets)
                }),
            )
            .objects(
                "types",
                self.top_types()
                    .iter()
                    .map(|(what, count)| counted(what, *count)),
            )
            .objects(
                "questions",
                self.top_questions().iter().map(|((name, kind), count)| {
                    counted(&name.to_string(), *count).text("rrtype", &kind.to_string())
                }),
            )
            .objects(
                "findings",
                findings.iter().map(|(id, count)| counted(id, *count)),
            )
            .finish()
    }

    fn top_hosts(&self) -> Vec<(IpAddr, (u64, u64))> {
        let mut hosts: Vec<_> = self
            .hosts
            .iter()
            .map(|(ip, counts)| (*ip, *counts))
            .collect();
        hosts.sort_unstable_by_key(|(ip, (packets, _))| (u64::MAX - packets, *ip));
        hosts.truncate(TOP);
        hosts
    }

    fn top_types(&self) -> Vec<(String, u64)> {
        let mut types: Vec<_> = self
            .types
            .iter()
            .map(|(kind, count)| (kind.clone(), *count))
            .collect();
        types.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        types.truncate(TOP);
        types
    }

    fn top_questions(&self) -> Vec<((NameBuf, RecordType), u64)> {
        let questions = self.questions.iter();
        let mut questions: Vec<_> = questions
            .map(|(key, count)| (key.clone(), *count))
            .collect();
        questions
            .sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        questions.truncate(TOP);
        questions
    }
}
