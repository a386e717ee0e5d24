//! What a query makes us say, to whom, and when.
//!
//! RFC 6762 §6 and §7. Answers are not composed here: each of our records remembers that it is to be multicast and when
//! ([`Pending`]), so that answers to several questions and queriers become one, and those that others give first vanish.

use alloc::vec::Vec;
use core::cell::Cell;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use cooee_wire::{Class, Message, Question, RecordType};

use super::Instant;
use super::asked::Heard;
use super::cache::matches;
use super::config::{
    AGGREGATION, DEFENCE_SPACING, FIRST_QUERY_DELAY, MULTICAST_SPACING, PORT, PROBE_INTERVAL,
    SHARED_RESPONSE_DELAY, TRUNCATED_RESPONSE_DELAY, TRUNCATED_RESPONSE_LIMIT, TWIN_WINDOW,
};
use super::context::Context;
use super::datagram::Datagram;
use super::learning::is_pseudo;
use super::link::{Link, Why};
use super::link_info::Family;
use super::own::{Own, Pending};
use super::probing::is_probe;
use super::replying::Reply;

/// A query, and what all its questions have in common.
pub(super) struct Query<'a> {
    serial: u64,
    source: SocketAddr,
    /// It has asked just us.
    direct: bool,
    /// It is a simple resolver.
    pub(super) legacy: bool,
    on_link: bool,
    /// Where its twin came from, which has been answered over the other family. It is the same host's, or another's that asks the same.
    twin: Option<IpAddr>,
    truncated: bool,
    pub(super) questions: u16,
    family: Family,
    /// By how much later than at once we ask again what it asks for us: drawn when it is needed, and the same for all its questions, so that they
    /// stay together.
    spread: Cell<Option<Duration>>,
    pub(super) message: Message<'a>,
}

impl Query<'_> {
    /// The answers go to the querier alone, or to it in any case.
    const fn is_private(&self) -> bool {
        self.direct || self.legacy
    }
}

/// How a record is to be answered with.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    not_before: Instant,
    pub(super) due: Instant,
    /// The last moment to which further truncated queries can put it off.
    pub(super) limit: Instant,
    /// It may wait for others that are due a little later.
    patient: bool,
    pub(super) defence: bool,
}

impl Timing {
    /// Just then.
    const fn at(due: Instant) -> Self {
        Self {
            not_before: due,
            due,
            limit: due,
            patient: false,
            defence: false,
        }
    }

    /// After a while that differs from host to host.
    // RFC 6762 §6 (6762-6-21)
    fn delayed(now: Instant, cx: &mut Context) -> Self {
        Self {
            not_before: now + SHARED_RESPONSE_DELAY.0,
            patient: true,
            ..Self::at(now + cx.rng.between(SHARED_RESPONSE_DELAY))
        }
    }
}

/// How many questions of a query are counted as asked in vain, and how many records are looked at for that: a stranger could ask for the
/// same large set as often as fits into a packet.
const WATCHED: usize = 4096;

impl Link {
    /// Handles a query of another host.
    pub(super) fn handle_query(
        &mut self,
        now: Instant,
        datagram: &Datagram<'_>,
        message: Message<'_>,
        hash: u64,
        cx: &mut Context,
    ) {
        let header = message.header();
        let family = Family::of(datagram.source.ip());
        // RFC 6762 §6.7 (6762-6.7-1)
        let legacy = datagram.source.port() != PORT;
        let direct = !datagram.is_multicast();
        let on_link =
            self.info.is_on_link(datagram.source.ip()) || self.info.is_own(datagram.source.ip());
        // RFC 6762 §5.5 (6762-5.5-2)
        if direct && !on_link {
            cx.stats.off_link += 1;
            return;
        }
        let query = Query {
            serial: cx.next_serial(),
            source: datagram.source,
            direct,
            legacy,
            on_link,
            twin: match legacy || direct {
                true => None,
                false => self.twin_of(now, hash, datagram.source.ip()),
            },
            truncated: header.flags.is_truncated(),
            questions: header.question_count,
            family,
            spread: Cell::new(None),
            message,
        };
        self.note_known_answers(now, &query, cx);
        let mut reply = self.new_reply(now, datagram.source);
        let mut watched = 0;
        for question in message.questions() {
            let Ok(question) = question else {
                cx.stats.malformed += 1;
                break;
            };
            if watched < WATCHED {
                watched += 1 + self.watch_for_failure(now, &query, &question, cx);
            }
            self.handle_question(now, &query, &question, &mut reply, cx);
        }
        self.queue_reply(now, &query, reply, cx);
    }

    /// Marks the records that the querier knows already, and takes back what we had in mind to tell it.
    // RFC 6762 §7.1 (6762-7.1-3, 6762-7.1-4), §7.2 (6762-7.2-6, 6762-7.2-7)
    fn note_known_answers(&mut self, now: Instant, query: &Query<'_>, cx: &mut Context) {
        if query.message.header().answer_count == 0 {
            return;
        }
        let source = query.source.ip();
        let mut is_unique_listed = false;
        // What others know says something about what we know only beside their questions.
        let all_matter = query.questions > 0 && !query.truncated;
        // The hash of the last name: most have the same.
        let mut last = None;
        for record in query.message.answers() {
            let Ok(record) = record else { break };
            let name = match last.filter(|(name, _)| *name == record.name) {
                Some((_, hash)) => hash,
                None => cx.keys.name(record.name),
            };
            last = Some((record.name, name));
            if !all_matter
                && self.own.find_name(name, record.name).is_none()
                && self.asked.of_name(name, record.name).next().is_none()
            {
                continue;
            }
            let rrset = cx.keys.rrset(name, record.kind(), record.class);
            let hash = cx.keys.record(rrset, record.rdata);
            let ours = self.own.find(hash, &record);
            if let Some(slot) = ours
                && let Some(own) = self.own.get_mut(slot)
                && record.ttl >= own.record.ttl / 2
            {
                own.known_by = query.serial;
                is_unique_listed |= own.is_unique();
                if !own.is_unique() {
                    own.pending = own
                        .pending
                        .filter(|pending| pending.asked_by != Some(source));
                }
            }
            // RFC 6762 §7.3: a question with a known answer that we do not have is not ours.
            let cached = self
                .cache
                .find(hash, &record)
                .and_then(|slot| self.cache.get_mut(slot));
            let fresh = cached.is_some_and(|cached| {
                cached.known_by = query.serial;
                cached.is_fresh(now)
            });
            if !fresh && ours.is_none() {
                let differing =
                    self.asked
                        .answered_by(name, record.name, record.kind(), record.class);
                for slot in differing.collect::<Vec<usize>>() {
                    let Some(asked) = self.asked.get_mut(slot) else {
                        continue;
                    };
                    asked.differs_from = query.serial;
                    if query.questions == 0
                        && let Some(due) = asked.is_stood_in_for_no_more(now, source)
                    {
                        asked.timer.set(due, Why::Ask(slot), &mut self.deadlines);
                    }
                }
            }
        }
        if is_unique_listed {
            self.take_back_known_sets(query);
        }
        self.take_back_replies(query);
        if query.questions == 0 && query.truncated {
            self.put_off(now, query.source, cx);
        }
    }

    /// Unique RRsets that the querier knows whole are not sent; those that it knows in part are, and whole.
    // RFC 6762 §10.2 (6762-10.2-7)
    fn take_back_known_sets(&mut self, query: &Query<'_>) {
        let source = query.source.ip();
        for place in 0..self.pending.len() {
            let Some(&slot) = self.pending.get(place) else {
                break;
            };
            let waits = self.own.get(slot).is_some_and(|own| {
                own.is_unique()
                    && own
                        .pending
                        .is_some_and(|pending| pending.asked_by == Some(source))
            });
            if waits
                && self.is_known(slot, query.serial)
                && let Some(own) = self.own.get_mut(slot)
            {
                own.pending = None;
            }
        }
    }

    /// The same for what was to go to this querier alone, not to another program of its host.
    fn take_back_replies(&mut self, query: &Query<'_>) {
        let mut replies = core::mem::take(&mut self.replies);
        for reply in replies.iter_mut().filter(|reply| reply.to == query.source) {
            reply
                .answers
                .retain(|answer| !self.is_known(answer.slot, query.serial));
        }
        self.replies = replies;
    }

    /// More known answers of this host are to come: what it waits for is put off, whether it goes to all or to it alone (ruling 12).
    // RFC 6762 §7.2 (6762-7.2-7, 6762-7.2-8)
    fn put_off(&mut self, now: Instant, source: SocketAddr, cx: &mut Context) {
        let mut drawn = None;
        let mut later =
            || *drawn.get_or_insert_with(|| now + cx.rng.between(TRUNCATED_RESPONSE_DELAY));
        for &slot in &self.pending {
            if let Some(pending) = self.own.get_mut(slot).and_then(|own| own.pending.as_mut())
                && pending.asked_by == Some(source.ip())
            {
                pending.due = later().min(pending.limit).max(pending.due);
                pending.not_before = pending.due;
            }
        }
        for reply in self.replies.iter_mut().filter(|reply| reply.to == source) {
            reply.due = later().min(reply.limit).max(reply.due);
        }
        self.plan_replies();
    }

    fn handle_question(
        &mut self,
        now: Instant,
        query: &Query<'_>,
        question: &Question<'_>,
        reply: &mut Reply,
        cx: &mut Context,
    ) {
        let hash = cx.keys.name(question.name);
        if !query.legacy {
            self.suppress_own_question(now, query, question, hash, cx);
        }
        // What was answered by multicast has been heard; a reply to one host alone has not, if the twin came from another host.
        if query.twin.is_some() && !question.unicast_response {
            return;
        }
        let Some(name) = self.own.find_name(hash, question.name) else {
            return;
        };
        if !self.own.admits_question(name, query.serial) {
            cx.stats.over_limit += 1;
            return;
        }
        let is_probe =
            query.message.header().authority_count > 0 && is_probe(&query.message, question);
        if is_probe && query.twin.is_none() {
            self.break_tie(now, name, &query.message, cx);
        }
        let mut matching = core::mem::take(&mut self.scratch);
        self.matching(name, question.kind, question.class, &mut matching);
        if !matching.is_empty() {
            let timing = self.timing(now, query, &matching, is_probe, cx);
            for &slot in &matching {
                self.answer(now, query, question, slot, timing, is_probe, reply);
            }
        }
        self.scratch = matching;
    }

    /// Counts a question of another host against the records that should answer it, once it is heard on every family that we use (ruling 24). Tells how
    /// many these are.
    fn watch_for_failure(
        &mut self,
        now: Instant,
        query: &Query<'_>,
        question: &Question<'_>,
        cx: &mut Context,
    ) -> usize {
        let heard_everywhere = query.twin.is_some() || self.info.ipv4 != self.info.ipv6;
        // ANY is how one probes; it asks for no record in particular.
        let in_particular = question.kind != RecordType::ANY && question.class != Class::ANY;
        let for_all = !query.is_private() && !query.truncated && !question.unicast_response;
        if !heard_everywhere || !in_particular || !for_all {
            return 0;
        }
        let by = [Some(query.source.ip()), query.twin];
        self.observe_question(now, question, query.serial, by, cx)
    }

    /// Which of our records answer; the one that says which types there are, if none does and the name is ours.
    // RFC 6762 §6 (6762-6-4, 6762-6-8), §6.5 (6762-6.5-1)
    fn matching(&self, name: usize, kind: RecordType, class: Class, found: &mut Vec<usize>) {
        found.clear();
        let Some(entry) = self.own.name(name) else {
            return;
        };
        found.extend(entry.records.iter().copied().filter(|&slot| {
            self.own.get(slot).is_some_and(|own| {
                own.is_active() && matches(kind, class, own.kind(), own.record.class)
            })
        }));
        let nsec = entry
            .nsec
            .filter(|_| class == Class::IN || class == Class::ANY);
        // Types that are about messages or transfers do not exist as records, so nothing is denied (6762-12-6).
        if found.is_empty() && !is_pseudo(kind) {
            found.extend(nsec);
        }
    }

    /// When the answers to a question are given.
    // RFC 6762 §6 (6762-6-16, 6762-6-21, 6762-6-23), §6.3 (6762-6.3-2, 6762-6.3-3)
    fn timing(
        &self,
        now: Instant,
        query: &Query<'_>,
        slots: &[usize],
        is_probe: bool,
        cx: &mut Context,
    ) -> Timing {
        let alone = slots
            .iter()
            .all(|&slot| self.own.get(slot).is_some_and(Own::is_unique));
        if query.truncated && !is_probe {
            let due = now + cx.rng.between(TRUNCATED_RESPONSE_DELAY);
            return Timing {
                not_before: due,
                due,
                limit: now + TRUNCATED_RESPONSE_LIMIT,
                patient: false,
                defence: false,
            };
        }
        if is_probe || query.legacy || (alone && query.questions == 1) {
            return Timing {
                not_before: now,
                due: now,
                limit: now,
                patient: false,
                defence: is_probe,
            };
        }
        Timing::delayed(now, cx)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one question of one query, and one record of ours"
    )]
    fn answer(
        &mut self,
        now: Instant,
        query: &Query<'_>,
        question: &Question<'_>,
        slot: usize,
        timing: Timing,
        is_probe: bool,
        reply: &mut Reply,
    ) {
        // A unique RRset is known only if all of it is.
        if !is_probe && self.is_known(slot, query.serial) {
            return;
        }
        if query.legacy {
            reply.add(&self.own, slot, timing);
            return;
        }
        // RFC 6762 §5.4 (6762-5.4-8 .. 6762-5.4-10), §5.5 (6762-5.5-1), §11 (6762-11-7)
        // A program on this very host shares the port with us, so unicast may not reach it (ruling 2).
        let by_unicast = query.direct
            || (question.unicast_response && query.on_link && !self.info.is_own(query.source.ip()));
        let recent = self.is_recent(now, slot);
        // The first of the twins has got its answer by multicast, which the other has heard, or will.
        let is_multicast = |own: &Own| {
            let last = own.last_multicast;
            own.pending.is_some() || last.is_some_and(|last| now.since(last) < TWIN_WINDOW)
        };
        if query.twin.is_some() && !is_probe && self.own.get(slot).is_some_and(is_multicast) {
            return;
        }
        if by_unicast && (recent || is_probe || query.direct) {
            reply.add(&self.own, slot, timing);
        }
        if query.twin.is_none() && (!by_unicast || !recent) {
            self.schedule(slot, timing, Some(query.source.ip()));
        }
    }

    /// Whether the query lists the record's whole RRset, or the record itself if it is shared.
    // RFC 6762 §7.1, and 10.2 (6762-10.2-7): the set is sent whole or not at all
    fn is_known(&self, slot: usize, serial: u64) -> bool {
        let Some(own) = self.own.get(slot) else {
            return true;
        };
        if !own.is_unique() || own.is_nsec {
            return own.known_by == serial;
        }
        own.known_by == serial
            && self.own.rrset_of(slot).all(|other| {
                self.own
                    .get(other)
                    .is_some_and(|own| own.known_by == serial)
            })
    }

    /// Whether a record, or all of a unique RRset, has been multicast within the last quarter of its TTL.
    fn is_recent(&self, now: Instant, slot: usize) -> bool {
        match self.own.get(slot) {
            Some(own) if own.is_unique() && !own.is_nsec => self
                .own
                .rrset_of(slot)
                .all(|member| self.own.get(member).is_some_and(|own| own.is_recent(now))),
            Some(own) => own.is_recent(now),
            None => false,
        }
    }

    /// Makes a record of ours go out by multicast.
    fn schedule(&mut self, slot: usize, timing: Timing, asked_by: Option<IpAddr>) {
        let Some(own) = self.own.get_mut(slot).filter(|own| own.is_active()) else {
            return;
        };
        // RFC 6762 §6 (6762-6-30, 6762-6-32): too early is put off, never dropped.
        let spacing = if timing.defence {
            DEFENCE_SPACING
        } else {
            MULTICAST_SPACING
        };
        let earliest = Self::after(own.last_multicast, spacing);
        let not_before = timing.not_before.max(earliest);
        let due = timing.due.max(earliest);
        let patience = if timing.patient {
            due + AGGREGATION
        } else {
            due
        };
        let pending = match own.pending {
            Some(known) => Pending {
                not_before: known.not_before.min(not_before),
                due: known.due.min(due),
                limit: known.limit.min(timing.limit.max(due)),
                patience: known.patience.min(patience),
                asked_by: known.asked_by.filter(|known| Some(*known) == asked_by),
                heard: Heard::default(),
            },
            None => Pending {
                not_before,
                due,
                limit: timing.limit.max(due),
                patience,
                asked_by,
                heard: Heard::default(),
            },
        };
        own.pending = Some(pending);
        if !core::mem::replace(&mut own.is_listed, true) {
            self.pending.push(slot);
        }
        self.respond
            .advance(pending.due, Why::Respond, &mut self.deadlines);
    }

    /// Makes a record go out as soon as it may.
    pub(super) fn announce_record(&mut self, now: Instant, slot: usize) {
        if self.own.get(slot).is_some_and(Own::is_active) {
            self.schedule(slot, Timing::at(now), None);
        }
    }

    /// Makes a record go out soon, because somebody has told others that it is gone or nearly so.
    // RFC 6762 §6.6 (6762-6.6-4), ruling 10
    pub(super) fn correct(&mut self, now: Instant, slot: usize, cx: &mut Context) {
        self.schedule(slot, Timing::delayed(now, cx), None);
    }

    /// The datagram with this record did not leave: it was last multicast when it was before, and goes out again.
    pub(super) fn answer_failed(
        &mut self,
        now: Instant,
        slot: usize,
        before: Option<Instant>,
        stamp: u64,
    ) {
        let Some(own) = self.own.get_mut(slot).filter(|own| own.stamp == stamp) else {
            return;
        };
        own.last_multicast = before;
        let later = now + PROBE_INTERVAL;
        self.schedule(slot, Timing::at(later), None);
    }

    /// The time has come for some answers: all that may go out now do, unless all of these can wait for one that is due a little later.
    // RFC 6762 §6.4 (6762-6.4-1, 6762-6.4-2)
    pub(super) fn release_answers(&mut self, now: Instant) {
        if let Some(later) = self.worth_waiting_for(now) {
            self.respond.set(later, Why::Respond, &mut self.deadlines);
            return;
        }
        let mut next: Option<Instant> = None;
        let (own, ready) = (&mut self.own, &mut self.ready_answers);
        self.pending.retain(|&slot| {
            let Some(own) = own.get_mut(slot) else {
                return false;
            };
            let waiting = own.pending.filter(|pending| pending.not_before > now);
            let Some(pending) = waiting else {
                own.is_listed = false;
                if own.pending.is_some() {
                    ready.push_back(slot);
                }
                return false;
            };
            next = Some(next.map_or(pending.due, |next| next.min(pending.due)));
            true
        });
        if let Some(next) = next {
            self.respond.set(next, Why::Respond, &mut self.deadlines);
        }
    }

    /// When the last answer is due that cannot go out yet, and that all which are due now can wait for.
    fn worth_waiting_for(&self, now: Instant) -> Option<Instant> {
        let pending = || {
            let slots = self.pending.iter();
            slots.filter_map(|&slot| self.own.get(slot).and_then(|own| own.pending))
        };
        let due = pending().filter(|pending| pending.due <= now);
        let patience = due.map(|pending| pending.patience).min()?;
        let later = pending().filter(|pending| pending.not_before > now);
        later
            .map(|pending| pending.due)
            .filter(|due| *due <= patience)
            .max()
    }

    /// Another host asks what we are about to ask, and wants all that we want: its query stands for ours.
    // RFC 6762 §7.3 (6762-7.3-1), ruling 24
    fn suppress_own_question(
        &mut self,
        now: Instant,
        query: &Query<'_>,
        question: &Question<'_>,
        hash: u64,
        cx: &mut Context,
    ) {
        if question.unicast_response || query.is_private() {
            return;
        }
        let slot = self
            .asked
            .find(hash, question.name, question.kind, question.class);
        let truncated = query.truncated.then(|| query.source.ip());
        let spread = || {
            let drawn = query.spread.get();
            let drawn = drawn.unwrap_or_else(|| cx.rng.between(FIRST_QUERY_DELAY));
            query.spread.set(Some(drawn));
            drawn
        };
        if let Some(slot) = slot
            && let Some(asked) = self.asked.get_mut(slot)
            && asked.differs_from != query.serial
            && let Some(next) = asked.hear(now, query.family, &self.info, truncated, spread)
        {
            asked.timer.set(next, Why::Ask(slot), &mut self.deadlines);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use cooee_wire::{
        Compression, Flags, MessageBuilder, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType,
    };

    use crate::{
        Config, Datagram, Engine, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, RecordSet,
    };

    #[test]
    fn who_asks_and_knows_by_turns_lets_nothing_grow() {
        // 6762-7.1-3: what is taken back and asked for again waits once
        let (now, link) = (Instant::ZERO, LinkId(1));
        let mut engine = Engine::new(Config::default(), 1, now);
        let address = LinkAddress::new([192, 0, 2, 1], 24);
        engine.link_up(now, link, LinkInfo::new([address]));
        let name = |text: &str| -> NameBuf { text.parse().expect("a name") };
        let kind = name("_http._tcp.local");
        let ours = RecordBuf::new(
            kind.clone(),
            4500,
            RdataBuf::ptr(name("Shop._http._tcp.local").as_name()),
        );
        engine
            .publish(now, RecordSet::new().shared(ours.clone()), LinkSet::All)
            .expect("a name");
        let mut sent = Vec::new();
        for second in 0..5 {
            let now = Instant::from_micros(second * 1_000_000);
            engine.handle_timeout(now);
            while engine.poll_transmit(now, &mut sent).is_some() {}
        }
        let query = |asked, known: Option<&RecordBuf>| {
            let mut buffer = vec![0; 512];
            let mut message =
                MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Multicast)
                    .expect("room");
            let question = QuestionBuf::new(kind.clone(), asked);
            message.question(question.as_question()).expect("room");
            if let Some(known) = known {
                message.answer(known.as_record()).expect("room");
            }
            let length = message.finish();
            buffer.truncate(length);
            buffer
        };
        let asks = query(RecordType::PTR, None);
        let knows = query(RecordType::TXT, Some(&ours));
        for _ in 0..100 {
            for payload in [&asks, &knows] {
                let datagram = Datagram {
                    link,
                    source: ([192, 0, 2, 9], 5353).into(),
                    destination: [224, 0, 0, 251].into(),
                    payload,
                };
                engine.handle_datagram(Instant::from_micros(5_000_000), &datagram);
            }
        }
        let waiting = engine.links.get(&link).map(|link| link.pending.len());
        assert_eq!(waiting, Some(1));
    }
}
