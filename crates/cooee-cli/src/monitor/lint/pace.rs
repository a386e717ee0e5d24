//! How often something is said: records, questions, announcements.

use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{RecordBuf, RecordType, Section};

use super::report::{Report, Waiting, overdue};
use super::rule;
use crate::monitor::bounded::Bounded;
use crate::monitor::history::{Answered, History};
use crate::monitor::hosts::Host;
use crate::monitor::names::{Service, is_shared};
use crate::monitor::packet::PORT;
use crate::monitor::seen::{Digest, Key, Seen};
use crate::monitor::tags::Tag;

/// What was said when.
#[derive(Debug)]
pub(super) struct Pace {
    /// By address: each family and each interface of a host has its own pace.
    records: Bounded<(IpAddr, Digest, bool), Duration>,
    questions: Bounded<(IpAddr, Key), Asked>,
    /// Whole messages that nobody has asked for.
    announced: Bounded<(IpAddr, Digest), Times>,
    /// Announced once so far.
    once: Bounded<(Host, Key), Waiting>,
}

#[derive(Debug)]
struct Asked {
    times: Times,
    was_unicast: bool,
}

/// The last few times of something.
#[derive(Debug, Default)]
struct Times(Vec<Duration>);

const MOST: usize = 16_384;
/// A second, less what packets may be early or late.
const SECOND: Duration = Duration::from_millis(950);
/// The same for a quarter of one.
const DEFENCE: Duration = Duration::from_millis(220);
/// The second announcement follows the first after a second.
const ANNOUNCED_AGAIN: Duration = Duration::from_millis(2_500);
/// A question that is asked again so soon belongs to the same series.
const SAME_SERIES: Duration = Duration::from_secs(10);
/// Longer intervals may come from a program that somebody starts now and then.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

impl Times {
    const MOST: usize = 4;

    fn push(&mut self, now: Duration) {
        if self.0.len() >= Self::MOST {
            self.0.remove(0);
        }
        self.0.push(now);
    }

    fn last(&self) -> Option<Duration> {
        self.0.last().copied()
    }

    /// The last three intervals in seconds, if they are all but equal.
    fn equal_intervals(&self) -> Option<[f64; 3]> {
        let [a, b, c, d] = self.0.as_slice() else {
            return None;
        };
        let intervals = [(a, b), (b, c), (c, d)].map(|(from, to)| (*to - *from).as_secs_f64());
        let mean = intervals.iter().sum::<f64>() / 3.0;
        let is_equal = intervals
            .iter()
            .all(|interval| (interval - mean).abs() <= mean / 5.0);
        is_equal.then_some(intervals)
    }
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            records: Bounded::new(MOST),
            questions: Bounded::new(MOST / 4),
            announced: Bounded::new(MOST / 64),
            once: Bounded::new(MOST / 16),
        }
    }

    pub(super) fn look(
        &mut self,
        seen: &Seen<'_>,
        tags: &[Tag],
        history: &History,
        report: &mut Report,
    ) {
        if !seen.packet.is_multicast() {
            return;
        }
        if !seen.decoded.is_response() {
            self.questions(seen, history, report);
            return;
        }
        for (_, record) in seen.decoded.data() {
            self.record(seen, history, report, record);
        }
        // The copy in the other family is no second announcement.
        if !seen.is_twin {
            let is_announced = tags.contains(&Tag::Announce) || tags.contains(&Tag::Update);
            self.announcement(seen, is_announced, history);
        }
        if tags.contains(&Tag::Announce) {
            self.period(seen, report);
        }
    }

    /// What was announced once and should have been announced again by now.
    pub(super) fn pass(&mut self, now: Duration, report: &mut Report) {
        let text = "announced once, not again after a second";
        for ((_, (_, name, kind)), about) in overdue(&mut self.once, now, ANNOUNCED_AGAIN) {
            report.add_named(about, rule::ANNOUNCE_ONCE, (&name, kind), text);
        }
    }

    fn record(
        &mut self,
        seen: &Seen<'_>,
        history: &History,
        report: &mut Report,
        record: &RecordBuf,
    ) {
        let kind = record.kind();
        let key = (
            seen.packet.source.ip(),
            seen.record(record),
            // Ruling 8: goodbyes count apart.
            record.ttl == 0,
        );
        let Some(last) = self.records.insert(key, seen.now) else {
            return;
        };
        let is_defended = history.answers(seen, record, Duration::from_secs(1));
        let spacing = match is_defended {
            Some(Answered::Probe) => DEFENCE,
            _ => SECOND,
        };
        let since = seen.since(last);
        if since < spacing && !since.is_zero() {
            let text = format!("same record again after {} ms", since.as_millis());
            // Two programs of one machine may both have what is shared, and what is the host's.
            let is_host = Service::of(&record.name).is_none();
            let rule = match is_shared(&record.name, kind) || !record.cache_flush || is_host {
                true => rule::REPEAT_RECORD.perhaps(),
                false => rule::REPEAT_RECORD,
            };
            report.add_named(seen, rule, (&record.name, kind), text);
        }
    }

    fn questions(&mut self, seen: &Seen<'_>, history: &History, report: &mut Report) {
        // A probe has a series of its own, a legacy querier none.
        if seen.decoded.is_probe() || seen.packet.source.port() != PORT {
            return;
        }
        for question in &seen.decoded.questions {
            let about = (&question.name, question.kind);
            let key = (
                seen.packet.source.ip(),
                seen.key(&question.name, question.kind),
            );
            let asked = self.questions.entry(key, || Asked {
                times: Times::default(),
                was_unicast: false,
            });
            let last = asked.times.last();
            // RFC 6762 §5.2 (6762-5.2-9): what is about to expire is asked for at a pace of its own.
            if history.is_expiring(seen, question) {
                asked.times.0.clear();
            }
            asked.times.push(seen.now);
            let was_unicast = std::mem::replace(&mut asked.was_unicast, question.unicast_response);
            let Some(since) = last.map(|last| seen.since(last)) else {
                continue;
            };
            if since < SECOND && !since.is_zero() {
                let text = format!("same question again after {} ms", since.as_millis());
                report.add_named(seen, rule::REPEAT_QUESTION, about, text);
            }
            if was_unicast && question.unicast_response && since < SAME_SERIES {
                let text = format!(
                    "asks for unicast (QU) again after {:.1} s",
                    since.as_secs_f64()
                );
                report.add_named(seen, rule::QU_REPEATED, about, text);
            }
            if since <= LONGEST_INTERVAL
                && let Some([a, b, c]) = asked.times.equal_intervals()
            {
                let text = format!("intervals {a:.1}, {b:.1}, {c:.1} s do not double");
                report.add_named(seen, rule::NO_BACKOFF, about, text);
            }
        }
    }

    fn announcement(&mut self, seen: &Seen<'_>, is_announced: bool, history: &History) {
        let mut is_first = true;
        for record in seen.decoded.section(Section::Answer) {
            let kind = record.kind();
            let key = (seen.host, seen.key(&record.name, kind));
            // Whatever tells it again is the second announcement; after a goodbye none is due.
            self.once.remove(&key);
            let is_unique = record.cache_flush && kind != RecordType::NSEC;
            let is_new = history.told(seen, record).is_none() && record.ttl > 0;
            // One record stands for all of a packet.
            if is_announced && is_unique && is_new && is_first {
                let once = Waiting {
                    since: seen.now,
                    about: seen.into(),
                };
                self.once.insert(key, once);
                is_first = false;
            }
        }
    }

    /// The very same message at equal intervals.
    fn period(&mut self, seen: &Seen<'_>, report: &mut Report) {
        let key = (
            seen.packet.source.ip(),
            seen.digest(&(seen.packet.link(), &seen.packet.payload)),
        );
        let times = self.announced.entry(key, Times::default);
        times.push(seen.now);
        let Some([_, _, last]) = times.equal_intervals() else {
            return;
        };
        if let Some(record) = seen.decoded.section(Section::Answer).next() {
            let text = format!("announces every {last:.1} s without a change");
            let about = (&record.name, record.kind());
            report.add_named(seen, rule::ANNOUNCE_PERIODIC, about, text);
        }
    }
}
