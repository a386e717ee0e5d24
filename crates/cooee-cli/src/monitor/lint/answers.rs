//! What is answered, and what is not.

use std::time::Duration;

use cooee::wire::{Class, Data, NameBuf, RecordBuf, RecordType, Section};

use super::report::{About, Report, Waiting, overdue};
use super::rule;
use crate::monitor::bounded::Bounded;
use crate::monitor::history::History;
use crate::monitor::packet::PORT;
use crate::monitor::seen::{Key, Seen};
use crate::monitor::tags::{ANSWERED_WITHIN, Tag};

/// Questions that wait for an answer.
#[derive(Debug)]
pub(super) struct Answers {
    /// Questions for a type that the owner of the name does not have, by name.
    denials: Bounded<Key, Waiting>,
    /// The IDs of queries that are not of multicast DNS, by who asked.
    legacy: Bounded<std::net::SocketAddr, u16>,
}

const MOST: usize = 2_048;
/// Delays and half a second for more known answers; then nothing will come any more.
const DENIED_WITHIN: Duration = Duration::from_millis(2_000);
/// What a host has begun to tell so recently it may be announcing.
const ANNOUNCING: Duration = Duration::from_secs(5);
/// Types above are not in the short form of NSEC.
// RFC 6762 §6.1 (6762-6.1-9)
const LAST_IN_BLOCK: u16 = 255;
/// The longest life of a record in a reply to a legacy querier.
// RFC 6762 §6.7 (6762-6.7-6)
const LEGACY_TTL: u32 = 10;

impl Answers {
    pub(super) fn new() -> Self {
        Self {
            denials: Bounded::new(MOST),
            legacy: Bounded::new(MOST),
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
            self.query(seen, history, report);
            return;
        }
        for (_, record) in seen.decoded.data() {
            nsec(seen, report, record);
            self.denials.remove(&seen.key(&record.name, record.kind()));
            if record.kind() == RecordType::NSEC {
                let name = &record.name;
                let link = seen.packet.link();
                self.denials
                    .retain(|(on, of, _), _| *on != link || of != name);
            }
        }
        if seen.packet.is_multicast() {
            if tags.contains(&Tag::Answer) {
                for record in seen.decoded.section(Section::Answer) {
                    known_ignored(seen, history, report, record);
                }
            }
        } else if seen.packet.destination.port() == PORT {
            unicast(seen, history, report);
        } else {
            self.legacy(seen, report);
        }
    }

    /// What should have been denied by now.
    pub(super) fn pass(&mut self, now: Duration, report: &mut Report) {
        let text = "no answer and no NSEC from the owner of the name";
        for ((_, name, kind), about) in overdue(&mut self.denials, now, DENIED_WITHIN) {
            report.add_named(about, rule::NO_ANSWER_NSEC, (&name, kind), text);
        }
    }

    fn query(&mut self, seen: &Seen<'_>, history: &History, report: &mut Report) {
        if seen.packet.source.port() != PORT {
            if let Some(header) = seen.decoded.header {
                self.legacy.insert(seen.packet.source, header.id);
            }
            return;
        }
        for record in seen.decoded.section(Section::Answer) {
            known_stale(seen, history, report, record);
        }
        if seen.decoded.is_probe() || !seen.packet.is_multicast() {
            return;
        }
        let mut questions = seen.decoded.questions.iter();
        // An answer to one of several may wait for the others; a unicast one is not heard.
        let Some(question) = questions.next().filter(|_| questions.next().is_none()) else {
            return;
        };
        let is_plain = question.class == Class::IN
            && !question.unicast_response
            && question.kind != RecordType::ANY
            && question.kind != RecordType::NSEC
            && question.kind.get() <= LAST_IN_BLOCK;
        let is_known = seen
            .decoded
            .section(Section::Answer)
            .any(|record| record.name == question.name);
        let is_there = history.has_heard(seen, &question.name, question.kind);
        // Its NSEC may be due again only a second after the last, and who knows it does not need another.
        let is_denied = history.has_heard(seen, &question.name, RecordType::NSEC);
        if !is_plain || is_known || is_there || is_denied {
            return;
        }
        let owner = [RecordType::SRV, RecordType::A, RecordType::AAAA]
            .into_iter()
            .flat_map(|kind| history.claims_of(&seen.key(&question.name, kind)))
            .find(|claim| {
                let life = Duration::from_secs(claim.ttl.into());
                history.is_other(seen, claim.host) && seen.since(claim.at) < life
            });
        if let Some(owner) = owner {
            let key = seen.key(&question.name, question.kind);
            let waiting = Waiting {
                since: seen.now,
                about: About {
                    host: owner.host,
                    from: owner.from,
                    packet: seen.number,
                },
            };
            self.denials.insert(key, waiting);
        }
    }

    /// RFC 6762 §6.7.
    fn legacy(&mut self, seen: &Seen<'_>, report: &mut Report) {
        let Some(header) = seen.decoded.header else {
            return;
        };
        let asked = self.legacy.remove(&seen.packet.destination);
        if header.question_count == 0 {
            let text = "reply to a legacy querier without the question";
            report.add(seen, rule::LEGACY_ECHO, text);
        }
        if let Some(id) = asked.filter(|id| *id != header.id) {
            let text = format!("reply to a legacy querier with ID {}, not {id}", header.id);
            report.add(seen, rule::LEGACY_ECHO, text);
        }
        for (_, record) in seen.decoded.data() {
            let about = (&record.name, record.kind());
            if record.cache_flush {
                let text = "cache-flush bit in a reply to a legacy querier";
                report.add_named(seen, rule::LEGACY_FLUSH, about, text);
            }
            if record.ttl > LEGACY_TTL {
                let text = format!("TTL {} in a reply to a legacy querier", record.ttl);
                report.add_named(seen, rule::LEGACY_TTL, about, text);
            }
        }
    }
}

/// Everybody who has asked for it lately has said that he knows it.
fn known_ignored(seen: &Seen<'_>, history: &History, report: &mut Report, record: &RecordBuf) {
    let is_new = history
        .told(seen, record)
        .is_none_or(|told| seen.since(told.first) < ANNOUNCING);
    if is_new || record.ttl == 0 {
        return;
    }
    let mut is_asked = false;
    let mut questions = history
        .questions(seen, &record.name, record.kind())
        .filter(|asked| {
            history.is_other(seen, asked.host) && seen.since(asked.at) <= ANSWERED_WITHIN
        });
    let all_know = questions.all(|asked| {
        is_asked = true;
        // RFC 6762 §7.1 (6762-7.1-3): at least half of the true lifetime.
        let known = history.known(seen, asked, record);
        known.is_some_and(|ttl| u64::from(ttl) * 2 >= u64::from(record.ttl))
    });
    if is_asked && all_know {
        let about = (&record.name, record.kind());
        let text = "answer that the question listed as known";
        report.add_named(seen, rule::KNOWN_IGNORED, about, text);
    }
}

fn known_stale(seen: &Seen<'_>, history: &History, report: &mut Report, record: &RecordBuf) {
    let Some(full) = history.told(seen, record).map(|told| told.lowest_ttl) else {
        return;
    };
    if record.ttl.saturating_add(1) < full / 2 {
        let text = format!("known answer with {} s left of {full}", record.ttl);
        let about = (&record.name, record.kind());
        report.add_named(seen, rule::KNOWN_STALE, about, text);
    }
}

fn nsec(seen: &Seen<'_>, report: &mut Report, record: &RecordBuf) {
    let Ok(Data::Nsec(nsec)) = record.rdata.decode() else {
        return;
    };
    let about = (&record.name, RecordType::NSEC);
    if nsec.contains(RecordType::NSEC) {
        let text = "NSEC lists itself";
        report.add_named(seen, rule::NSEC_SELF, about, text);
    }
    let is_short = match nsec.types.octets() {
        [] => true,
        [window, length, rest @ ..] => *window == 0 && usize::from(*length) == rest.len(),
        _ => false,
    };
    if !is_short {
        let text = "NSEC with a block other than 0";
        report.add_named(seen, rule::NSEC_BLOCK, about, text);
    }
}

/// RFC 6762 §6 (6762-6-27): to one host alone only if it has asked for that.
fn unicast(seen: &Seen<'_>, history: &History, report: &mut Report) {
    let asker = history.host_at(seen, seen.packet.destination.ip());
    let is_asked_for = |name: &NameBuf, kind: RecordType| {
        let mut questions = history.questions(seen, name, kind);
        questions.any(|asked| {
            let may = asked.unicast || asked.legacy || !asked.multicast || asked.probe;
            may && Some(asked.host) == asker && seen.since(asked.at) <= ANSWERED_WITHIN
        })
    };
    let mut answers = seen.decoded.section(Section::Answer);
    let mut is_empty = true;
    let is_meant = answers.any(|record| {
        is_empty = false;
        is_asked_for(&record.name, record.kind())
    });
    if !is_empty && !is_meant {
        let text = format!(
            "unicast response to {} that did not ask for it",
            seen.packet.destination.ip()
        );
        report.add(seen, rule::UNICAST_UNASKED, text);
    }
}
