//! The questions that stand on a link.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::{Class, Name, QuestionBuf, RecordType};
use hashbrown::HashTable;
use slab::Slab;

use super::Instant;
use super::cache::matches;
use super::config::{FIRST_QUERY_INTERVAL, LAST_QUERY_INTERVAL, TRUNCATED_RESPONSE_LIMIT};
use super::deadlines::Timer;
use super::event::QueryId;
use super::link_info::{Family, LinkInfo};

/// The questions that stand on one link, each once, however many clients ask it.
#[derive(Debug, Default)]
pub(super) struct AskedQuestions {
    questions: Slab<Asked>,
    by_name: HashTable<usize>,
    /// How often one has come or gone.
    changes: u64,
    /// Those that were dropped lately, and when they were last sent: whoever asks again waits its second too.
    dropped: BTreeMap<(u64, u16, u16), Instant>,
}

/// How many dropped questions are remembered. Only our own application can fill this.
const DROPPED: usize = 1024;

/// A question and the state of its series of queries.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: QuestionBuf,
    hash: u64,
    /// Who wants to know.
    pub(super) clients: Vec<QueryId>,
    pub(super) series: Series,
    pub(super) timer: Timer,
    /// It has been asked to confirm a record that somebody here doubts, whether or not there are clients.
    // RFC 6762 §10.4 (6762-10.4-5)
    pub(super) reconfirms: bool,
    /// When a query for it last asked for unicast.
    // RFC 6762 §6 (6762-6-28)
    pub(super) asked_for_unicast: Option<Instant>,
    /// It is among those to be sent now.
    pub(super) ready: bool,
    /// A complete answer is known: the series rests until it runs out.
    // RFC 6762 §5.2 (6762-5.2-15)
    pub(super) complete: bool,
    /// The query with this number lists a known answer that we do not have, so it cannot stand for ours.
    // RFC 6762 §7.3 (6762-7.3-1)
    pub(super) differs_from: u64,
    /// Families on which another host's same question was heard since the series' last query (ruling 24).
    pub(super) heard: Heard,
    /// The query of another host that stood for ours, while known answers of it may follow.
    pub(super) stand_in: Option<StandIn>,
}

/// A truncated query of another host that stands for ours, unless one of the known answers that follow it is none that we have.
// RFC 6762 §7.3 (6762-7.3-1), §7.2 (6762-7.2-4)
#[derive(Clone, Copy, Debug)]
pub(super) struct StandIn {
    by: IpAddr,
    until: Instant,
    /// The series as it stood, and when its next query was due.
    before: Series,
    due: Instant,
}

/// How far the queries for a question have come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Series {
    /// The question stood when the link came up: its first query may ask for unicast (ruling 1).
    pub(super) first_of_link: bool,
    pub(super) last_sent: Option<Instant>,
    interval: Option<Duration>,
    /// It has come to its next query; what is asked otherwise is to refresh a record.
    pub(super) is_due: bool,
}

/// On which families something was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
}

impl AskedQuestions {
    pub(super) fn get(&self, slot: usize) -> Option<&Asked> {
        self.questions.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Asked> {
        self.questions.get_mut(slot)
    }

    pub(super) fn len(&self) -> usize {
        self.questions.len()
    }

    /// How often a question has come or gone.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// The question's place; it is made if it does not stand yet.
    pub(super) fn place(&mut self, hash: u64, question: &QuestionBuf) -> usize {
        if let Some(found) = self.find(hash, question.name.as_name(), question.kind, question.class)
        {
            return found;
        }
        self.changes += 1;
        let dropped = self.dropped.remove(&key(hash, question));
        let slot = self.questions.insert(Asked {
            question: question.clone(),
            hash,
            clients: Vec::new(),
            series: Series {
                last_sent: dropped,
                ..Series::default()
            },
            timer: Timer::default(),
            reconfirms: false,
            asked_for_unicast: None,
            ready: false,
            complete: false,
            differs_from: 0,
            heard: Heard::default(),
            stand_in: None,
        });
        let questions = &self.questions;
        self.by_name.insert_unique(hash, slot, |&slot| {
            questions.get(slot).map_or(0, |asked| asked.hash)
        });
        slot
    }

    /// The place of just this question.
    pub(super) fn find(
        &self,
        hash: u64,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
    ) -> Option<usize> {
        self.of_name(hash, name).find(|&slot| {
            self.questions
                .get(slot)
                .is_some_and(|asked| asked.question.kind == kind && asked.question.class == class)
        })
    }

    /// The questions that a record answers.
    pub(super) fn answered_by<'a>(
        &'a self,
        hash: u64,
        name: Name<'a>,
        kind: RecordType,
        class: Class,
    ) -> impl Iterator<Item = usize> + 'a {
        self.of_name(hash, name).filter(move |&slot| {
            self.questions.get(slot).is_some_and(|asked| {
                matches(asked.question.kind, asked.question.class, kind, class)
            })
        })
    }

    /// The questions about a name.
    pub(super) fn of_name<'a>(
        &'a self,
        hash: u64,
        name: Name<'a>,
    ) -> impl Iterator<Item = usize> + 'a {
        self.by_name.iter_hash(hash).copied().filter(move |&slot| {
            self.questions
                .get(slot)
                .is_some_and(|asked| asked.question.name == name)
        })
    }

    pub(super) fn remove(&mut self, slot: usize) {
        if let Some(asked) = self.questions.try_remove(slot)
            && let Ok(entry) = self.by_name.find_entry(asked.hash, |&other| other == slot)
        {
            entry.remove();
            self.changes += 1;
            if let Some(last) = asked.series.last_sent {
                self.remember(key(asked.hash, &asked.question), last);
            }
        }
    }

    fn remember(&mut self, key: (u64, u16, u16), last: Instant) {
        if self.dropped.len() >= DROPPED {
            self.dropped
                .retain(|_, sent| last.since(*sent) < FIRST_QUERY_INTERVAL);
        }
        if self.dropped.len() < DROPPED {
            self.dropped.insert(key, last);
        }
    }

    /// All places, in order of their numbers.
    pub(super) fn slots(&self) -> Vec<usize> {
        self.questions.iter().map(|(slot, _)| slot).collect()
    }
}

/// What tells a question from others, by the hash of its name.
fn key(hash: u64, question: &QuestionBuf) -> (u64, u16, u16) {
    (hash, question.kind.get(), question.class.get())
}

impl Asked {
    /// How long the query after the last one has to wait.
    pub(super) fn next_interval(&self) -> Duration {
        let doubled = |last: Duration| (last * 2).min(LAST_QUERY_INTERVAL);
        self.series.interval.map_or(FIRST_QUERY_INTERVAL, doubled)
    }

    /// A query with this question goes out now, or another host's stands for it: the next is due after twice the last interval.
    // RFC 6762 §5.2 (6762-5.2-2, 6762-5.2-3, 6762-5.2-5)
    pub(super) fn advance_series(&mut self, now: Instant) -> Instant {
        let interval = self.next_interval();
        self.series = Series {
            first_of_link: false,
            last_sent: Some(now),
            interval: Some(interval),
            is_due: false,
        };
        self.heard = Heard::default();
        self.stand_in = None;
        now + interval
    }

    /// Whether the next query is near enough that another host's can stand for it: at most half an interval. With less, of many who ask the
    /// same nearly everybody would go on asking; with more, two who ask at once would each stand for the other's next query.
    // RFC 6762 §7.3 (6762-7.3-1)
    fn is_due_soon(&self, now: Instant) -> bool {
        let soon = self
            .series
            .interval
            .map_or(FIRST_QUERY_INTERVAL, |interval| interval / 2);
        let due = self.timer.due();
        self.ready || due.is_some_and(|due| due.since(now) <= soon)
    }

    /// Another host asks the same. Tells when the next query is due if that stands for ours; the back-off goes on as if it had been ours.
    /// `truncated`: who has asked, if more of its known answers are to follow. `spread`: by how much later, or all who hear this would ask
    /// at one moment the next time.
    // RFC 6762 §7.3 (6762-7.3-1), ruling 24
    pub(super) fn hear(
        &mut self,
        now: Instant,
        family: Family,
        info: &LinkInfo,
        truncated: Option<IpAddr>,
        spread: impl FnOnce() -> Duration,
    ) -> Option<Instant> {
        if self.complete || !self.is_due_soon(now) {
            return None;
        }
        match family {
            Family::V4 => self.heard.ipv4 = true,
            Family::V6 => self.heard.ipv6 = true,
        }
        let everywhere = self.heard.ipv4 >= info.ipv4 && self.heard.ipv6 >= info.ipv6;
        if !everywhere {
            return None;
        }
        self.ready = false;
        let (before, due) = (self.series, self.timer.due().unwrap_or(now));
        let next = self.advance_series(now) + spread();
        self.stand_in = truncated.map(|by| StandIn {
            by,
            until: now + TRUNCATED_RESPONSE_LIMIT,
            before,
            due,
        });
        Some(next)
    }

    /// A known answer that we do not have follows the query of this host. Tells when our own is due, if that had stood for it.
    pub(super) fn is_stood_in_for_no_more(&mut self, now: Instant, by: IpAddr) -> Option<Instant> {
        let stand_in = self
            .stand_in
            .filter(|stand_in| stand_in.by == by && now < stand_in.until)?;
        self.stand_in = None;
        self.series = stand_in.before;
        Some(stand_in.due.max(now))
    }

    /// Begins the series anew.
    pub(super) fn restart_series(&mut self) {
        self.series.interval = None;
        self.stand_in = None;
        self.complete = false;
    }
}
