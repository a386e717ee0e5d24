//! The questions that stand on a link.

use alloc::vec::Vec;
use core::time::Duration;

use cooee_wire::{Class, Name, QuestionBuf, RecordType};
use hashbrown::HashTable;
use slab::Slab;

use super::Instant;
use super::cache::matches;
use super::config::{FIRST_QUERY_INTERVAL, LAST_QUERY_INTERVAL};
use super::deadlines::Timer;
use super::event::QueryId;

/// The questions that stand on one link, each once, however many clients ask it.
#[derive(Debug, Default)]
pub(super) struct AskedQuestions {
    questions: Slab<Asked>,
    by_name: HashTable<usize>,
}

/// A question and the state of its series of queries.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: QuestionBuf,
    hash: u64,
    /// Who wants to know.
    pub(super) clients: Vec<QueryId>,
    pub(super) series: Series,
    pub(super) timer: Timer,
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

    /// The question's place; it is made if it does not stand yet.
    pub(super) fn place(&mut self, hash: u64, question: &QuestionBuf) -> usize {
        if let Some(found) = self.find(hash, question.name.as_name(), question.kind, question.class)
        {
            return found;
        }
        let slot = self.questions.insert(Asked {
            question: question.clone(),
            hash,
            clients: Vec::new(),
            series: Series::default(),
            timer: Timer::default(),
            asked_for_unicast: None,
            ready: false,
            complete: false,
            differs_from: 0,
            heard: Heard::default(),
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
        }
    }

    /// All places, in order of their numbers.
    pub(super) fn slots(&self) -> Vec<usize> {
        self.questions.iter().map(|(slot, _)| slot).collect()
    }
}

impl Asked {
    /// A query with this question goes out now, or another host's stands for it: the next is due after twice the last interval.
    // RFC 6762 §5.2 (6762-5.2-2, 6762-5.2-3, 6762-5.2-5)
    pub(super) fn advance_series(&mut self, now: Instant) -> Instant {
        let interval = match self.series.interval {
            None => FIRST_QUERY_INTERVAL,
            Some(last) => (last * 2).min(LAST_QUERY_INTERVAL),
        };
        self.series = Series {
            first_of_link: false,
            last_sent: Some(now),
            interval: Some(interval),
            is_due: false,
        };
        self.heard = Heard::default();
        now + interval
    }

    /// Begins the series anew.
    pub(super) fn restart_series(&mut self) {
        self.series.interval = None;
        self.complete = false;
    }
}
