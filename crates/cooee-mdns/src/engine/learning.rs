//! What a response teaches us.
//!
//! RFC 6762 §6.6, §7.4, §9 and §10: records of others are cached, and records under our own names are looked at for conflicts.

use alloc::vec::Vec;

use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::{
    Class, Message, Name, NameBuf, Question, QuestionBuf, Record, RecordBuf, RecordType,
};

use super::Instant;
use super::cache::{Hashes, Learned};
use super::config::{
    DOUBT, FIRST_QUERY_INTERVAL, PORT, REFRESH_DRAW, REFRESH_JITTER, SUSPECT, UNANSWERED,
    UNICAST_WINDOW,
};
use super::context::Context;
use super::datagram::Datagram;
use super::event::{Event, Presence, QueryId};
use super::link::{Link, Why};
use super::link_info::Family;
use super::reading::{Reading, Run};

/// When a question is asked whose answer has gone.
#[derive(Clone, Copy)]
enum Again {
    /// As soon as any new question.
    Now,
    /// When the next query would have been due without an answer.
    Later,
}

impl Link {
    /// Handles a response of another host.
    // RFC 2181 §9 (2181-9-2): not done, because a multicast response is never cut, and there is nobody to ask by TCP.
    pub(super) fn handle_response(
        &mut self,
        now: Instant,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        cx: &mut Context,
    ) {
        // RFC 6762 §6 (6762-6-25)
        if datagram.source.port() != PORT {
            cx.stats.wrong_port += 1;
            return;
        }
        let multicast = datagram.is_multicast();
        if !multicast {
            // RFC 6762 §11 (6762-11-3, 6762-11-5)
            if !self.info.is_on_link(datagram.source.ip()) {
                cx.stats.off_link += 1;
                return;
            }
            // RFC 6762 §6 (6762-6-28, 6762-6-29)
            if !self.has_asked_for(now, &message, cx) {
                cx.stats.unsolicited += 1;
                return;
            }
        }
        let source = datagram.source.ip();
        let family = Family::of(source);
        let sources = &self.cache.sources;
        let giver = sources.find(&cx.keys, source);
        let last = giver.and_then(|giver| sources.get(giver)?.last);
        let mut reading = Reading::after(last);
        for record in message.records() {
            // What stands before a broken place is still good.
            let Ok((_, record)) = record else {
                cx.stats.malformed += 1;
                break;
            };
            if is_pseudo(record.kind()) || record.class == Class::ANY {
                continue;
            }
            let (owner, run) = reading.turn_to(&record, self, cx);
            if let Some(name) = owner.own {
                self.compare_with_own(now, &record, (name, run.place.hash), family, multicast, cx);
            }
            if !self.learn(now, &record, owner.hash, run, source, cx) {
                reading.forget_run();
            }
        }
        if let Some(giver) = giver {
            self.cache.sources.note_last(giver, reading.last());
        }
    }

    /// Whether a unicast response answers a question or a probe of ours that has lately asked for one.
    // RFC 6762 §6 (6762-6-28)
    fn has_asked_for(&self, now: Instant, message: &Message<'_>, cx: &Context) -> bool {
        let lately =
            |asked: Option<Instant>| asked.is_some_and(|asked| now.since(asked) <= UNICAST_WINDOW);
        let answers = |record: &Record<'_>| {
            let hash = cx.keys.name(record.name);
            let mut asked = self.asked.of_name(hash, record.name);
            asked.any(|slot| {
                self.asked
                    .get(slot)
                    .is_some_and(|asked| lately(asked.asked_for_unicast))
            }) || self
                .own
                .find_name(hash, record.name)
                .and_then(|name| self.own.name(name))
                .is_some_and(|name| lately(name.last_probe))
        };
        // Without this a stranger could have every unicast response read to its end.
        lately(self.last_unicast_ask)
            && message
                .answers()
                .map_while(Result::ok)
                .any(|record| answers(&record))
    }

    /// Looks whether a record of another host is one of ours, or should be.
    fn compare_with_own(
        &mut self,
        now: Instant,
        record: &Record<'_>,
        (name, rrset): (usize, u64),
        family: Family,
        multicast: bool,
        cx: &mut Context,
    ) {
        let Some(slot) = self.own.find_under(name, &cx.keys, rrset, record) else {
            self.check_conflict(now, name, record, cx);
            return;
        };
        let (ipv4, ipv6) = (self.info.ipv4, self.info.ipv6);
        // A unique RRset is sent whole or not at all (6762-10.2-7).
        let is_part = self.own.get(slot).is_some_and(super::own::Own::is_unique)
            && self.own.rrset_of(slot).nth(1).is_some();
        let Some(own) = self.own.get_mut(slot).filter(|own| own.is_active()) else {
            return;
        };
        // RFC 6762 §6.6 (6762-6.6-3, 6762-6.6-4)
        if record.ttl < own.record.ttl / 2 {
            self.correct(now, slot, cx);
            return;
        }
        // RFC 6762 §7.4 (6762-7.4-1), ruling 24: heard on every family on which we would send.
        if let Some(pending) = own.pending.as_mut()
            && !is_part
            && multicast
            && record.ttl >= own.record.ttl
        {
            match family {
                Family::V4 => pending.heard.ipv4 = true,
                Family::V6 => pending.heard.ipv6 = true,
            }
            if pending.heard.ipv4 >= ipv4 && pending.heard.ipv6 >= ipv6 {
                own.pending = None;
            }
        }
    }

    /// How often a question or a name of ours has come or gone: while this is the same, so is what a record is to us.
    pub(super) fn changes(&self) -> u64 {
        self.asked.changes() + self.own.name_changes()
    }

    /// Whether somebody here wants such a record.
    pub(super) fn is_asked(&self, name_hash: u64, record: &Record<'_>) -> bool {
        let (name, kind) = (record.name, record.kind());
        let mut asked = self.asked.answered_by(name_hash, name, kind, record.class);
        asked.next().is_some()
            || (kind == RecordType::NSEC && self.asked.of_name(name_hash, name).next().is_some())
    }

    /// Takes a record into the cache and tells those who wait for it. Tells whether those are the same as before.
    fn learn(
        &mut self,
        now: Instant,
        record: &Record<'_>,
        name_hash: u64,
        run: &mut Run,
        source: IpAddr,
        cx: &mut Context,
    ) -> bool {
        let mut learned = self.cache.learn(now, record, name_hash, run, source, cx);
        if learned == Learned::Full
            && let Some(victim) = self.cache.victim(run.asked, source, cx)
        {
            self.make_room(now, victim, cx);
            run.place = self.cache.place(
                run.place.hash,
                record.name,
                record.kind(),
                record.class,
                run.place.last,
            );
            // The question may have stood for the victim alone.
            run.asked = self.is_asked(name_hash, record);
            learned = self.cache.learn(now, record, name_hash, run, source, cx);
        }
        let asked = run.asked;
        let slot = match learned {
            Learned::New(slot)
            | Learned::Known(slot)
            | Learned::Rescued(slot)
            | Learned::Confirmed(slot) => slot,
            Learned::Full => {
                cx.stats.over_limit += 1;
                return true;
            }
            Learned::Nothing => return true,
        };
        self.plan_cached(now, slot, asked, cx);
        if record.cache_flush && record.ttl > 0 {
            let deadlines = &mut self.deadlines;
            self.cache.flush(now, slot, |member, cached| {
                cached
                    .timer
                    .set(cached.expires, Why::Cached(member), deadlines);
            });
        }
        match learned {
            Learned::New(slot) if asked => self.tell_cached(slot, Presence::Present, cx),
            Learned::Rescued(slot) => self.tell_untold(slot, cx),
            _ => {}
        }
        let is_confirmed = matches!(learned, Learned::Confirmed(_) | Learned::Rescued(_));
        if is_confirmed {
            self.drop_question_of_nobody(record, name_hash, cx);
        }
        if record.ttl > 0 && asked {
            self.mark_complete(record, name_hash, cx);
        }
        !is_confirmed
    }

    /// A record goes, to make room for another. It may well be there still, and the answer would push out another, so who wants it asks on as
    /// if it had never been answered: less and less often.
    // Ruling 37
    fn make_room(&mut self, now: Instant, victim: usize, cx: &mut Context) {
        cx.stats.evicted += 1;
        self.tell_cached(victim, Presence::Gone, cx);
        if let Some(gone) = self.cache.remove(victim) {
            let name_hash = cx.keys.name(gone.record.name.as_name());
            self.reopen(now, name_hash, gone.record.name.as_name(), Again::Later, cx);
        }
    }

    /// A unique answer, or the word that there is none, ends the series of queries for it.
    // RFC 6762 §5.2 (6762-5.2-15), §6.1, ruling 4
    fn mark_complete(&mut self, record: &Record<'_>, name_hash: u64, cx: &mut Context) {
        if !record.cache_flush {
            return;
        }
        let open = self.asked.of_name(name_hash, record.name).filter(|&slot| {
            self.asked.get(slot).is_some_and(|asked| {
                let QuestionBuf { kind, class, .. } = asked.question;
                !asked.complete
                    && class == record.class
                    && (kind == record.kind() || record.kind() == RecordType::NSEC)
            })
        });
        for slot in open.collect::<Vec<usize>>() {
            let Some(QuestionBuf { kind, class, .. }) =
                self.asked.get(slot).map(|asked| asked.question.clone())
            else {
                continue;
            };
            if record.kind() == kind {
                self.completed(slot, cx);
            } else if self.cache.denies(&cx.keys, record.name, kind, class) {
                self.completed(slot, cx);
                self.tell_denied(slot, cx);
            }
        }
    }

    /// Plans when a cached record is looked at again.
    pub(super) fn plan_cached(&mut self, now: Instant, slot: usize, asked: bool, cx: &mut Context) {
        let jitter = self.refresh_jitter(now, cx);
        if let Some(cached) = self.cache.get_mut(slot) {
            let due = cached.next_deadline(asked, jitter);
            cached
                .timer
                .set(due, Why::Cached(slot), &mut self.deadlines);
        }
    }

    /// A cached record is due: it is asked for again, or it has come to its end.
    // RFC 6762 §5.2 (6762-5.2-8 .. 6762-5.2-13)
    pub(super) fn cached_record_is_due(&mut self, now: Instant, slot: usize, cx: &mut Context) {
        let Some(cached) = self.cache.get(slot) else {
            return;
        };
        if cached.end() <= now {
            self.forget(now, slot, cx);
            return;
        }
        let record = &cached.record;
        let name_hash = cx.keys.name(record.name.as_name());
        let asking: Vec<usize> = self
            .asked
            .answered_by(
                name_hash,
                record.name.as_name(),
                record.kind(),
                record.class,
            )
            .collect();
        // Nobody wants it any more: it may run out (6762-5.2-13).
        let asked = !asking.is_empty();
        for slot in asking {
            let lately = self
                .asked
                .get(slot)
                .and_then(|asked| asked.series.last_sent);
            if lately.is_none_or(|last| now.since(last) >= FIRST_QUERY_INTERVAL) {
                self.ask_now(slot);
            }
        }
        if let Some(cached) = self.cache.get_mut(slot)
            && asked
        {
            cached.refreshes += 1;
        }
        self.plan_cached(now, slot, asked, cx);
    }

    /// Somebody here doubts a record: it is asked for anew, and goes if nobody confirms it.
    // RFC 6762 §10.4 (6762-10.4-5, 6762-10.4-6): the series sends three queries in ten seconds
    pub(super) fn reconfirm(&mut self, now: Instant, record: &Record<'_>, cx: &mut Context) {
        let hashes = Hashes::of(&cx.keys, record);
        let Some(slot) = self.cache.find(hashes.record, record) else {
            return;
        };
        self.doubt(now, slot, DOUBT, cx);
        let question = QuestionBuf {
            class: record.class,
            ..QuestionBuf::new(self.name_of(slot), record.kind())
        };
        let asked = self.asked.place(hashes.name, &question);
        if let Some(asked) = self.asked.get_mut(asked) {
            asked.reconfirms = true;
        }
        self.start_series(now, asked, cx);
    }

    /// A record that may have been doubted has been confirmed: the question that was asked for it alone is not asked any more.
    // RFC 6762 §5.2 (6762-5.2-13)
    fn drop_question_of_nobody(&mut self, record: &Record<'_>, name_hash: u64, cx: &Context) {
        let asked = self
            .asked
            .find(name_hash, record.name, record.kind(), record.class);
        if let Some(slot) = asked {
            self.drop_if_unneeded(slot, cx);
        }
    }

    /// The machine has slept: what ran out meanwhile and is wanted may still be confirmed (ruling 27).
    pub(super) fn suspect_expired(&mut self, now: Instant) {
        for slot in self.cache.slots() {
            if let Some(cached) = self.cache.get_mut(slot)
                && cached.asked
                && cached.end() <= now
            {
                cached.expires = now + SUSPECT;
                cached.doubted_until = None;
                cached.leaving = true;
                cached
                    .timer
                    .set(cached.expires, Why::Cached(slot), &mut self.deadlines);
            }
        }
    }

    /// Others ask for what we know and do not list it as known: whether anybody answers them will be seen. If we were about to ask for the
    /// same to refresh it, they have done so for us. Who asks for what it has itself, from one of these addresses, gets no answer to be
    /// heard. Tells how many records were looked at.
    // RFC 6762 §10.5 (6762-10.5-1 .. 6762-10.5-3), §7.3 (6762-7.3-1), ruling 6
    pub(super) fn observe_question(
        &mut self,
        now: Instant,
        question: &Question<'_>,
        serial: u64,
        by: [Option<IpAddr>; 2],
        cx: &mut Context,
    ) -> usize {
        let mut seen = 0;
        let matching = self
            .cache
            .matching(&cx.keys, question.name, question.kind, question.class);
        let unlisted = matching.inspect(|_| seen += 1).filter(|&slot| {
            self.cache.get(slot).is_some_and(|cached| {
                cached.known_by != serial && !by.contains(&self.cache.source_of(cached))
            })
        });
        for slot in unlisted.collect::<Vec<usize>>() {
            let Some(cached) = self.cache.get_mut(slot) else {
                continue;
            };
            // Once for each query, however often it asks.
            cached.known_by = serial;
            cached.unanswered = cached.unanswered.saturating_add(1);
            if cached.is_refreshed_by(now + FIRST_QUERY_INTERVAL) {
                cached.refreshes += 1;
                self.plan_cached(now, slot, true, cx);
            }
            let Some(cached) = self.cache.get_mut(slot) else {
                continue;
            };
            if cached.unanswered >= UNANSWERED && cached.doubted_until.is_none() {
                self.doubt(now, slot, DOUBT, cx);
            }
        }
        seen
    }

    fn doubt(&mut self, now: Instant, slot: usize, patience: Duration, cx: &mut Context) {
        let asked = self.cache.get(slot).is_some_and(|cached| cached.asked);
        if let Some(cached) = self.cache.get_mut(slot) {
            cached.doubted_until = Some(now + patience);
        }
        self.plan_cached(now, slot, asked, cx);
    }

    fn name_of(&self, slot: usize) -> NameBuf {
        self.cache
            .get(slot)
            .map_or_else(NameBuf::root, |cached| cached.record.name.clone())
    }

    /// A cached record has come to its end.
    fn forget(&mut self, now: Instant, slot: usize, cx: &mut Context) {
        self.tell_cached(slot, Presence::Gone, cx);
        let Some(cached) = self.cache.remove(slot) else {
            return;
        };
        let name_hash = cx.keys.name(cached.record.name.as_name());
        self.reopen(now, name_hash, cached.record.name.as_name(), Again::Now, cx);
    }

    /// The same after a record of ours has gone.
    pub(super) fn reopen_questions(&mut self, now: Instant, name: usize, cx: &mut Context) {
        if let Some((hash, name)) = self
            .own
            .name(name)
            .map(|entry| (entry.hash, entry.name.clone()))
        {
            self.reopen(now, hash, name.as_name(), Again::Now, cx);
        }
    }

    /// A question whose complete answer has gone is open again.
    fn reopen(&mut self, now: Instant, hash: u64, name: Name<'_>, again: Again, cx: &mut Context) {
        for slot in self.asked.of_name(hash, name).collect::<Vec<usize>>() {
            let Some(asked) = self.asked.get(slot) else {
                continue;
            };
            if asked.clients.is_empty() {
                self.drop_if_unneeded(slot, cx);
            } else if asked.complete && !self.is_answered(&asked.question, cx) {
                match again {
                    Again::Now => self.start_series(now, slot, cx),
                    Again::Later => self.resume_series(now, slot),
                }
            }
        }
    }

    /// A name has become ours: nobody else needs to be asked about it.
    pub(super) fn rest_answered_questions(&mut self, name: usize, cx: &mut Context) {
        let Some((hash, name)) = self
            .own
            .name(name)
            .map(|entry| (entry.hash, entry.name.clone()))
        else {
            return;
        };
        for slot in self
            .asked
            .of_name(hash, name.as_name())
            .collect::<Vec<usize>>()
        {
            let open = self.asked.get(slot).filter(|asked| !asked.complete);
            if open.is_some_and(|asked| self.is_answered(&asked.question, cx)) {
                self.completed(slot, cx);
            }
        }
    }

    /// Tells everybody that everything known from this link has gone.
    pub(super) fn tell_all_gone(&mut self, cx: &mut Context) {
        for slot in self.cache.slots() {
            self.tell_cached(slot, Presence::Gone, cx);
        }
        for slot in self.own.slots() {
            if self.own.get(slot).is_some_and(|own| own.told) {
                self.tell_own(slot, Presence::Gone, cx);
            }
        }
    }

    fn tell_cached(&self, slot: usize, presence: Presence, cx: &mut Context) {
        if let Some(cached) = self.cache.get(slot) {
            self.tell(&cached.record, presence, false, cx);
        }
    }

    /// Tells those who asked while the record was leaving, and still do, that it stays.
    fn tell_untold(&mut self, slot: usize, cx: &mut Context) {
        let untold = self
            .cache
            .get_mut(slot)
            .map(|cached| core::mem::take(&mut cached.untold));
        if let Some(untold) = untold.filter(|untold| !untold.is_empty())
            && let Some(cached) = self.cache.get(slot)
        {
            let to = |query| untold.contains(&query);
            self.tell_some(&cached.record, Presence::Present, false, to, cx);
        }
    }

    /// Tells those who ask for it that a record of our own has come or gone.
    pub(super) fn tell_own(&self, slot: usize, presence: Presence, cx: &mut Context) {
        if let Some(own) = self.own.get(slot)
            && !own.is_nsec
        {
            self.tell(&own.record, presence, true, cx);
        }
    }

    fn tell(&self, record: &RecordBuf, presence: Presence, own: bool, cx: &mut Context) {
        self.tell_some(record, presence, own, |_| true, cx);
    }

    fn tell_some(
        &self,
        record: &RecordBuf,
        presence: Presence,
        own: bool,
        is_meant: impl Fn(QueryId) -> bool,
        cx: &mut Context,
    ) {
        let hash = cx.keys.name(record.name.as_name());
        for slot in self
            .asked
            .answered_by(hash, record.name.as_name(), record.kind(), record.class)
        {
            let clients = self.asked.get(slot).map_or(&[][..], |asked| &asked.clients);
            for &query in clients.iter().filter(|query| is_meant(**query)) {
                let record = record.clone();
                cx.events.push(Event::Answer {
                    query,
                    link: self.id,
                    record,
                    presence,
                    own,
                });
            }
        }
    }

    fn tell_denied(&self, slot: usize, cx: &mut Context) {
        let Some(asked) = self.asked.get(slot) else {
            return;
        };
        for &query in &asked.clients {
            cx.events.push(denied(self, query, &asked.question));
        }
    }

    /// Tells a new client what is known already: at once, and marked if it is our own.
    // Ruling 3; what is about to go is not given to new queries (ruling 33)
    pub(super) fn tell_new_client(
        &mut self,
        now: Instant,
        query: QueryId,
        question: &QuestionBuf,
        cx: &mut Context,
    ) {
        let QuestionBuf {
            name, kind, class, ..
        } = question;
        let known: Vec<usize> = self
            .cache
            .matching(&cx.keys, name.as_name(), *kind, *class)
            .collect();
        let denials = self
            .cache
            .matching(&cx.keys, name.as_name(), RecordType::NSEC, *class);
        for slot in denials.collect::<Vec<usize>>() {
            self.cache.mark_asked(slot, &cx.config);
        }
        for slot in known {
            self.cache.mark_asked(slot, &cx.config);
            self.plan_cached(now, slot, true, cx);
            let Some(cached) = self.cache.get_mut(slot) else {
                continue;
            };
            if cached.leaving {
                cached.untold.push(query);
            } else {
                let record = cached.record.clone();
                cx.events.push(Event::Answer {
                    query,
                    link: self.id,
                    record,
                    presence: Presence::Present,
                    own: false,
                });
            }
        }
        if self.cache.denies(&cx.keys, name.as_name(), *kind, *class) {
            cx.events.push(denied(self, query, question));
        }
        let hash = cx.keys.name(name.as_name());
        let Some(entry) = self
            .own
            .find_name(hash, name.as_name())
            .and_then(|slot| self.own.name(slot))
        else {
            return;
        };
        let mut found = false;
        for own in entry.records.iter().filter_map(|&slot| self.own.get(slot)) {
            if own.told && super::cache::matches(*kind, *class, own.kind(), own.record.class) {
                found = true;
                let record = own.record.clone();
                cx.events.push(Event::Answer {
                    query,
                    link: self.id,
                    record,
                    presence: Presence::Present,
                    own: true,
                });
            }
        }
        if !found && entry.nsec.is_some() && *kind != RecordType::ANY {
            cx.events.push(denied(self, query, question));
        }
    }

    /// The jitter of the refresh points, in hundredths of a percent; one draw holds for a while (ruling 5).
    // RFC 6762 §5.2 (6762-5.2-14)
    fn refresh_jitter(&mut self, now: Instant, cx: &mut Context) -> u64 {
        match self.refresh_draw {
            Some((drawn, jitter)) if now.since(drawn) < REFRESH_DRAW => jitter,
            _ => {
                let jitter = cx.rng.below(REFRESH_JITTER + 1);
                self.refresh_draw = Some((now, jitter));
                jitter
            }
        }
    }
}

fn denied(link: &Link, query: QueryId, question: &QuestionBuf) -> Event {
    Event::Denied {
        query,
        link: link.id,
        name: question.name.clone(),
        kind: question.kind,
    }
}

/// Types that are about the message or the asking: ANY among them. They are never cached, and no record has them.
// RFC 6762 §10.2 (6762-10.2-17, 6762-10.2-18)
pub(super) fn is_pseudo(kind: RecordType) -> bool {
    kind == RecordType::OPT || (249..=255).contains(&kind.get())
}
