//! When a question is asked.
//!
//! RFC 6762 §5.2: a standing question is asked after 20–120 ms, again after a second, and then at doubling intervals up to an hour.

use alloc::vec::Vec;

use cooee_wire::{Class, QuestionBuf, RecordType};

use super::Instant;
use super::asked::Series;
use super::config::{FIRST_QUERY_DELAY, FIRST_QUERY_INTERVAL, PROBE_INTERVAL};
use super::context::Context;
use super::event::QueryId;
use super::link::{Link, Why};

impl Link {
    /// A client asks on this link. Clients with the same question share one series of queries.
    // Ruling 3
    pub(super) fn ask(
        &mut self,
        now: Instant,
        query: QueryId,
        question: &QuestionBuf,
        with_link: bool,
        cx: &mut Context,
    ) {
        let hash = cx.keys.name(question.name.as_name());
        let slot = self.asked.place(hash, question);
        self.tell_new_client(now, query, question, cx);
        let Some(asked) = self.asked.get_mut(slot) else {
            return;
        };
        asked.clients.push(query);
        asked.series.first_of_link |= with_link;
        // A complete answer that we have needs no query; nor does one that we give ourselves.
        if self.is_answered(question, cx) {
            self.completed(slot, cx);
        } else {
            self.start_series(now, slot, cx);
        }
    }

    /// Whether a complete answer is known: a unique RRset that nobody doubts, or the word that there is none.
    // RFC 6762 §5.2 (6762-5.2-15), §10.4 (6762-10.4-5), ruling 4
    pub(super) fn is_answered(&self, question: &QuestionBuf, cx: &Context) -> bool {
        let QuestionBuf {
            ref name,
            kind,
            class,
            ..
        } = *question;
        if kind == RecordType::ANY || class == Class::ANY {
            return false;
        }
        let unique_in_cache = self
            .cache
            .matching(&cx.keys, name.as_name(), kind, class)
            .filter_map(|slot| self.cache.get(slot))
            .any(|cached| {
                let is_sure = !cached.leaving && cached.doubted_until.is_none();
                is_sure && cached.record.cache_flush && cached.record.kind() == kind
            });
        let hash = cx.keys.name(name.as_name());
        let own = self
            .own
            .find_name(hash, name.as_name())
            .and_then(|slot| self.own.name(slot));
        // An NSEC of ours stands for a name that is all ours.
        let own_name = own.is_some_and(|entry| entry.nsec.is_some());
        unique_in_cache || own_name || self.cache.denies(&cx.keys, name.as_name(), kind, class)
    }

    /// Begins a series of queries; questions that come up together go out together.
    // RFC 6762 §5.2 (6762-5.2-6), §5.3
    pub(super) fn start_series(&mut self, now: Instant, slot: usize, cx: &mut Context) {
        let (shortest, _) = FIRST_QUERY_DELAY;
        if self.ask_batch < now + shortest {
            self.ask_batch = now + cx.rng.between(FIRST_QUERY_DELAY);
        }
        let batch = self.ask_batch;
        let Some(asked) = self.asked.get_mut(slot) else {
            return;
        };
        asked.restart_series();
        let earliest = asked
            .series
            .last_sent
            .map_or(Instant::ZERO, |last| last + FIRST_QUERY_INTERVAL);
        asked
            .timer
            .set(batch.max(earliest), Why::Ask(slot), &mut self.deadlines);
    }

    /// The complete answer has been lost, and the next query is due as if it had not been there.
    // RFC 6762 §5.2 (6762-5.2-3)
    pub(super) fn resume_series(&mut self, now: Instant, slot: usize) {
        if let Some(asked) = self.asked.get_mut(slot) {
            asked.complete = false;
            let due = now + asked.next_interval();
            asked.timer.set(due, Why::Ask(slot), &mut self.deadlines);
        }
    }

    /// Whether a query is among the clients of its question here.
    pub(super) fn is_client(&self, query: QueryId, question: &QuestionBuf, cx: &Context) -> bool {
        let hash = cx.keys.name(question.name.as_name());
        let place = self
            .asked
            .find(hash, question.name.as_name(), question.kind, question.class);
        place
            .and_then(|slot| self.asked.get(slot))
            .is_some_and(|asked| asked.clients.contains(&query))
    }

    /// The next query of a series is due. If the question has just been asked to refresh an answer, it waits its second.
    // RFC 6762 §5.2 (6762-5.2-2)
    pub(super) fn series_is_due(&mut self, now: Instant, slot: usize) {
        let Some(asked) = self.asked.get_mut(slot) else {
            return;
        };
        asked.series.is_due = true;
        let last = asked.series.last_sent;
        match last.map(|last| last + FIRST_QUERY_INTERVAL) {
            Some(earliest) if earliest > now => {
                asked
                    .timer
                    .set(earliest, Why::Ask(slot), &mut self.deadlines);
            }
            _ => self.ask_now(slot),
        }
    }

    /// The question is to go out with the next datagram.
    pub(super) fn ask_now(&mut self, slot: usize) {
        if let Some(asked) = self.asked.get_mut(slot)
            && !asked.ready
        {
            asked.ready = true;
            self.ready_questions.push_back(slot);
        }
    }

    /// The query did not leave: the series is where it was before, and the question is asked again (ruling 26).
    pub(super) fn query_failed(&mut self, now: Instant, slot: usize, before: Series) {
        if let Some(asked) = self.asked.get_mut(slot) {
            asked.series = before;
            let later = now + PROBE_INTERVAL;
            asked
                .timer
                .advance(later, Why::Ask(slot), &mut self.deadlines);
        }
    }

    /// A client does not ask any more; a question that nobody asks is forgotten, unless it is still needed.
    // RFC 6762 §5.2 (6762-5.2-1)
    pub(super) fn cancel(&mut self, query: QueryId, question: &QuestionBuf, cx: &Context) {
        let hash = cx.keys.name(question.name.as_name());
        let Some(slot) =
            self.asked
                .find(hash, question.name.as_name(), question.kind, question.class)
        else {
            return;
        };
        let Some(asked) = self.asked.get_mut(slot) else {
            return;
        };
        asked.clients.retain(|&client| client != query);
        self.drop_if_unneeded(slot, cx);
    }

    /// Drops a question without clients, if no record is left that it is to confirm.
    // RFC 6762 §5.2 (6762-5.2-13), §10.4 (6762-10.4-5)
    pub(super) fn drop_if_unneeded(&mut self, slot: usize, cx: &Context) {
        let Some(asked) = self
            .asked
            .get(slot)
            .filter(|asked| asked.clients.is_empty())
        else {
            return;
        };
        let QuestionBuf {
            ref name,
            kind,
            class,
            ..
        } = asked.question;
        let is_needed = asked.reconfirms
            && self
                .cache
                .matching(&cx.keys, name.as_name(), kind, class)
                .filter_map(|slot| self.cache.get(slot))
                .any(|cached| cached.record.kind() == kind && cached.doubted_until.is_some());
        if !is_needed {
            let question = asked.question.clone();
            self.asked.remove(slot);
            self.give_up_records(&question, cx);
        }
    }

    /// A question is not asked any more: what nobody else asks for of that which it has brought has to make room like others.
    // RFC 6762 §5.2 (6762-5.2-13), ruling 37
    fn give_up_records(&mut self, question: &QuestionBuf, cx: &Context) {
        let (name, class) = (question.name.as_name(), question.class);
        let hash = cx.keys.name(name);
        let matching = |kind| self.cache.matching(&cx.keys, name, kind, class);
        let brought = matching(question.kind).chain(matching(RecordType::NSEC));
        let unwanted = brought.filter(|&slot| {
            let cached = self.cache.get(slot);
            cached.is_some_and(|cached| !self.is_asked(hash, &cached.record.as_record()))
        });
        for slot in unwanted.collect::<Vec<usize>>() {
            self.cache.unmark_asked(slot, &cx.config);
        }
    }

    /// Nothing is asked any more, whoever wanted to know.
    pub(super) fn drop_all_questions(&mut self) {
        for slot in self.asked.slots() {
            self.asked.remove(slot);
        }
    }

    /// The link has just come up: all questions begin anew.
    // RFC 6762 §5.4 (6762-5.4-3), ruling 1
    pub(super) fn restart_all_series(&mut self, now: Instant, cx: &mut Context) {
        for slot in self.asked.slots() {
            if let Some(asked) = self.asked.get_mut(slot) {
                asked.series.first_of_link = true;
            }
            self.start_series(now, slot, cx);
        }
    }
}
