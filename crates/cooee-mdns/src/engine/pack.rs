//! Answers and questions into datagrams, composed at the moment of sending.
//!
//! RFC 6762 §17 for the size, §18 for the form, §7.2 for known answers that need several datagrams.

use alloc::vec::Vec;

use cooee_wire::{
    Class, Compression, Data, Flags, MessageBuilder, Name, Question, Record, RecordType, Section,
};

use super::Instant;
use super::config::{
    ANNOUNCEMENT_INTERVAL, HEADERS, LARGEST_MESSAGE, MULTICAST_SPACING, USUAL_MTU,
};
use super::context::Context;
use super::datagram::Destination;
use super::link::{Known, Link, Why};
use super::own::Own;
use super::probing::{Phase, ProbeUnit};
use super::record_set::Ownership;

/// The least that a message may be limited to: a link that claims less is not believed.
const SMALLEST_LIMIT: usize = 512;
/// How much of a message questions may fill when known answers are to follow.
const QUESTION_SHARE: usize = 2;

impl Link {
    /// The next datagram, if anything is to be sent now.
    pub(super) fn compose(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        cx: &mut Context,
    ) -> Option<Destination> {
        if !self.is_usable() {
            self.drop_ready();
            return None;
        }
        self.in_flight.probes.clear();
        self.in_flight.records.clear();
        self.in_flight.questions.clear();
        self.in_flight.stamp = 0;
        self.farewells.retain(|farewell| farewell.left > 0);
        let composed = self
            .compose_reply(now, buffer, cx)
            .or_else(|| self.compose_response(now, buffer, cx))
            .or_else(|| self.compose_probe(now, buffer))
            .or_else(|| self.compose_query(now, buffer, cx));
        if composed.is_some() {
            self.in_flight.hash = cx.keys.payload(buffer);
        }
        composed
    }

    /// The largest message with more than one record (ruling 13).
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.info.mtu.min(USUAL_MTU).saturating_sub(HEADERS))
            .unwrap_or(0)
            .max(SMALLEST_LIMIT)
    }

    fn multicast(&self) -> Destination {
        Destination::Multicast {
            ipv4: self.info.ipv4,
            ipv6: self.info.ipv6,
        }
    }

    /// Nothing can be sent: what was ready is dropped. All begins anew when the link is usable again.
    fn drop_ready(&mut self) {
        for slot in self.ready_answers.drain(..) {
            if let Some(own) = self.own.get_mut(slot) {
                own.pending = None;
            }
        }
        for slot in self.ready_questions.drain(..) {
            if let Some(asked) = self.asked.get_mut(slot) {
                asked.ready = false;
            }
        }
        self.known_answers.clear();
        self.ready_probes.clear();
        self.replies.clear();
        self.farewells.clear();
    }

    /// A multicast response: goodbyes and answers, and what those who get them will ask next.
    fn compose_response(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        cx: &mut Context,
    ) -> Option<Destination> {
        if self.ready_answers.is_empty()
            && !self.farewells.iter().any(|farewell| farewell.due <= now)
        {
            return None;
        }
        let written = match self.write_response(now, buffer, self.limit(), cx) {
            // The first record alone is too large for one packet (6762-17-3, 6762-17-6).
            Written::TooLarge => self.write_response(now, buffer, LARGEST_MESSAGE, cx),
            written => written,
        };
        match written {
            Written::Message => Some(self.multicast()),
            Written::Nothing => None,
            Written::TooLarge => {
                // Not reachable while publishing refuses such records; whatever it is, it must not block the rest.
                self.ready_answers.pop_front();
                None
            }
        }
    }

    fn write_response(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        limit: usize,
        cx: &mut Context,
    ) -> Written {
        let serial = cx.next_serial();
        let alone = limit > self.limit();
        buffer.clear();
        buffer.resize(limit, 0);
        // RFC 6762 §18 (6762-18.1-5, 6762-18.2-2, 6762-18.4-2)
        let Ok(mut message) =
            MessageBuilder::new(buffer, 0, Flags::RESPONSE, Compression::Multicast)
        else {
            return Written::Nothing;
        };
        let mut count = 0_usize;
        let mut full = false;
        for farewell in self
            .farewells
            .iter_mut()
            .filter(|farewell| farewell.due <= now)
        {
            // RFC 6762 §10.1 (6762-10.1-1)
            let goodbye = Record {
                ttl: 0,
                ..farewell.record.as_record()
            };
            if (alone && count > 0) || message.answer(goodbye).is_err() {
                full = true;
                break;
            }
            count += 1;
            farewell.left -= 1;
            farewell.stamp = serial;
            self.goodbyes.push((now, farewell.hash));
            farewell.due = now + ANNOUNCEMENT_INTERVAL;
        }
        while let Some(&slot) = self.ready_answers.front().filter(|_| !full) {
            let Some(own) = self.own.get_mut(slot) else {
                self.ready_answers.pop_front();
                continue;
            };
            let is_due = own.pending.is_some_and(|pending| pending.not_before <= now);
            if !own.is_active() || !is_due {
                own.pending = own.pending.filter(|_| own.claims > 0);
                self.ready_answers.pop_front();
                continue;
            }
            if (alone && count > 0) || message.answer(own.as_sent()).is_err() {
                full = true;
                break;
            }
            count += 1;
            own.pending = None;
            own.stamp = serial;
            let before = own.last_multicast.replace(now);
            self.in_flight.records.push((slot, before));
            self.ready_answers.pop_front();
        }
        if count == 0 {
            return if full {
                Written::TooLarge
            } else {
                Written::Nothing
            };
        }
        if !full && !alone {
            let mut additional = core::mem::take(&mut self.scratch);
            let answers = self.in_flight.records.iter().map(|(slot, _)| *slot);
            self.collect_additional(answers, &mut additional, cx);
            for &slot in &additional {
                if !self.may_add(now, slot, serial) {
                    continue;
                }
                let before = message.checkpoint();
                if !self
                    .rrset_with(slot)
                    .all(|own| message.additional(own.as_sent()).is_ok())
                {
                    // Something smaller may fit.
                    message.rewind(before);
                    continue;
                }
                self.mark_added(now, slot, serial);
            }
            self.scratch = additional;
        }
        self.in_flight.stamp = serial;
        let length = message.finish();
        buffer.truncate(length);
        self.plan_farewells();
        Written::Message
    }

    /// Whether a record may go along with the answers: it, and the rest of its RRset if that is ours alone, is neither in the message yet
    /// nor was it multicast within the last second. What waits to be announced, or is awaited by several, goes as an answer.
    // RFC 6762 §6 (6762-6-30), §8.3 (6762-8.3-1), §10.2 (6762-10.2-7)
    fn may_add(&self, now: Instant, slot: usize, stamp: u64) -> bool {
        self.rrset_with(slot).all(|own| {
            own.stamp != stamp
                && own.pending.is_none_or(|pending| pending.asked_by.is_some())
                && now >= Self::after(own.last_multicast, MULTICAST_SPACING)
        })
    }

    /// A record has gone along, and the rest of its RRset with it.
    fn mark_added(&mut self, now: Instant, slot: usize, stamp: u64) {
        let mut records = core::mem::take(&mut self.in_flight.records);
        self.for_rrset_with(slot, |member, own| {
            own.stamp = stamp;
            // Whoever waits for it has got it.
            own.pending = None;
            records.push((member, own.last_multicast.replace(now)));
        });
        self.in_flight.records = records;
    }

    /// Does something to each of the records that have to be sent together with this one.
    pub(super) fn for_rrset_with(&mut self, slot: usize, mut act: impl FnMut(usize, &mut Own)) {
        let mut place = 0;
        loop {
            let member = self.members(slot).nth(place);
            let Some(member) = member else { return };
            place += 1;
            if let Some(own) = self.own.get_mut(member) {
                act(member, own);
            }
        }
    }

    /// The records that have to be sent together with this one: its RRset if it is unique, else itself alone.
    pub(super) fn rrset_with(&self, slot: usize) -> impl Iterator<Item = &Own> {
        self.members(slot).filter_map(|member| self.own.get(member))
    }

    fn members(&self, slot: usize) -> impl Iterator<Item = usize> {
        let whole = self
            .own
            .get(slot)
            .is_some_and(|own| own.is_unique() && !own.is_nsec && own.is_active());
        let rrset = whole.then(|| self.own.rrset_of(slot));
        rrset.into_iter().flatten().chain((!whole).then_some(slot))
    }

    /// What those who get these answers will ask next.
    // RFC 6763 §12 (6763-12.1-1 .. 6763-12.2-1), RFC 6762 §6.2 (6762-6.2-4, 6762-6.2-5)
    pub(super) fn collect_additional(
        &self,
        answers: impl Iterator<Item = usize>,
        found: &mut Vec<usize>,
        cx: &Context,
    ) {
        found.clear();
        for own in answers.filter_map(|slot| self.own.get(slot)) {
            match own.record.as_record().data() {
                Ok(Data::Ptr(target)) => self.collect_service(target, found, cx),
                Ok(Data::Srv(srv)) => self.collect_host(srv.target, found, cx),
                // RFC 6762 §16 (6762-16-7)
                Ok(Data::Cname(target)) => self.collect_host(target, found, cx),
                Ok(Data::A(_) | Data::Aaaa(_)) => {
                    self.collect_host(own.record.name.as_name(), found, cx)
                }
                _ => {}
            }
        }
    }

    fn collect_service(&self, instance: Name<'_>, found: &mut Vec<usize>, cx: &Context) {
        let Some(entry) = self
            .own
            .find_name(cx.keys.name(instance), instance)
            .and_then(|slot| self.own.name(slot))
        else {
            return;
        };
        for &slot in &entry.records {
            let Some(own) = self.own.get(slot).filter(|own| own.is_active()) else {
                continue;
            };
            if matches!(own.kind(), RecordType::SRV | RecordType::TXT) {
                found.push(slot);
            }
            if let Ok(Data::Srv(srv)) = own.record.as_record().data() {
                self.collect_host(srv.target, found, cx);
            }
        }
    }

    fn collect_host(&self, host: Name<'_>, found: &mut Vec<usize>, cx: &Context) {
        let Some(entry) = self
            .own
            .find_name(cx.keys.name(host), host)
            .and_then(|slot| self.own.name(slot))
        else {
            return;
        };
        let (mut ipv4, mut ipv6) = (false, false);
        for &slot in &entry.records {
            let Some(own) = self.own.get(slot).filter(|own| own.is_active()) else {
                continue;
            };
            ipv4 |= own.kind() == RecordType::A;
            ipv6 |= own.kind() == RecordType::AAAA;
            if matches!(own.kind(), RecordType::A | RecordType::AAAA) {
                found.push(slot);
            }
        }
        if ipv4 != ipv6 {
            found.extend(entry.nsec);
        }
    }

    /// A probe for as many names as fit.
    // RFC 6762 §8.1 (6762-8.1-2, 6762-8.1-3, 6762-8.1-13), §8.2 (6762-8.2-1, 6762-8.2-3)
    fn compose_probe(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Destination> {
        let (groups, own) = (&self.groups, &self.own);
        let mut asked_already = Vec::new();
        self.ready_probes.retain(|unit| {
            let probing = groups
                .get(&unit.group)
                .is_some_and(|state| matches!(state.phase, Phase::Probing(_)));
            // Another group's probe for the name has just left; it proposes the records of all.
            let asked = own.next_probe(unit.name) > now;
            if probing && asked && unit.last {
                asked_already.push(unit.group);
            }
            probing && !asked
        });
        for group in asked_already {
            self.probe_sent(now, group);
        }
        let limit = self.limit();
        let mut count = self.names_that_may_fit(limit);
        while count > 0
            && !self.write_probe(
                buffer,
                count,
                if count == 1 { LARGEST_MESSAGE } else { limit },
            )
        {
            count -= 1;
        }
        if count == 0 {
            // Publishing refuses names whose records fit into no message; whatever it is, it must not block the rest.
            self.ready_probes.pop_front();
            return None;
        }
        for _ in 0..count {
            let Some(unit) = self.ready_probes.pop_front() else {
                break;
            };
            self.own.note_probe(now, unit.name);
            if unit.last {
                self.probe_sent(now, unit.group);
                self.in_flight.probes.push(unit.group);
            }
        }
        self.probe_batch = self.probe_batch.filter(|batch| *batch > now);
        if self.info.unicast_reliable {
            self.last_unicast_ask = Some(now);
        }
        Some(self.multicast())
    }

    /// A guess at how many names fit into a probe, a little too high rather than too low: names are compressed.
    fn names_that_may_fit(&self, limit: usize) -> usize {
        let mut size = 12;
        let mut count = 0;
        for unit in &self.ready_probes {
            let name = self.own.name(unit.name);
            size += name
                .and_then(|own| own.name.labels().next())
                .map_or(0, <[u8]>::len)
                + 7;
            for own in self.proposed(*unit) {
                size += 12
                    + if own.kind() == RecordType::SRV {
                        8
                    } else {
                        own.record.rdata.octets().len()
                    };
            }
            if count > 0 && size > limit {
                break;
            }
            count += 1;
        }
        count
    }

    /// The records that a probe for a name proposes: all of it, of whichever group.
    // RFC 6762 §8.2 (6762-8.2-3)
    fn proposed(&self, unit: ProbeUnit) -> impl Iterator<Item = &Own> {
        let records = self
            .own
            .name(unit.name)
            .map_or(&[][..], |entry| &entry.records);
        let owned = records.iter().filter_map(|&slot| self.own.get(slot));
        owned.filter(|own| own.ownership == Ownership::Probed)
    }

    fn write_probe(&self, buffer: &mut Vec<u8>, count: usize, limit: usize) -> bool {
        buffer.clear();
        buffer.resize(limit, 0);
        let Ok(mut message) = MessageBuilder::new(buffer, 0, Flags::QUERY, Compression::Multicast)
        else {
            return false;
        };
        let units = || self.ready_probes.iter().take(count).copied();
        // Groups may share a name: it is asked for once, with the records of all.
        let names = || {
            let firsts = units()
                .enumerate()
                .filter(|&(index, unit)| units().take(index).all(|other| other.name != unit.name));
            firsts.map(|(_, unit)| unit)
        };
        for name in names().filter_map(|unit| self.own.name(unit.name)) {
            let question = Question {
                name: name.name.as_name(),
                kind: RecordType::ANY,
                class: Class::IN,
                // Ruling 2: where unicast may go astray, nothing asks for it.
                unicast_response: self.info.unicast_reliable,
            };
            if message.question(question).is_err() {
                return false;
            }
        }
        for own in names().flat_map(|unit| self.proposed(unit)) {
            // RFC 6762 §10.2: the cache-flush bit belongs to responses.
            if message.authority(own.record.as_record()).is_err() {
                return false;
            }
        }
        let length = message.finish();
        buffer.truncate(length);
        true
    }

    /// Questions that are due, with the answers known already; or the rest of those.
    // RFC 6762 §7.1, §7.2 (6762-7.2-1 .. 6762-7.2-4)
    fn compose_query(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        cx: &Context,
    ) -> Option<Destination> {
        if self.ready_questions.is_empty() && self.known_answers.is_empty() {
            return None;
        }
        let limit = self.limit();
        buffer.clear();
        buffer.resize(limit, 0);
        let mut message =
            MessageBuilder::new(buffer, 0, Flags::QUERY, Compression::Multicast).ok()?;
        let mut written = 0_usize;
        let mut unicast = false;
        while let Some(&slot) = self
            .ready_questions
            .front()
            .filter(|_| self.known_answers.is_empty() || written > 0)
        {
            let Some(asked) = self.asked.get_mut(slot).filter(|asked| asked.ready) else {
                self.ready_questions.pop_front();
                continue;
            };
            // Ruling 1: unicast only for what stood when the link came up; ruling 2: and only if it arrives.
            let unicast_response = asked.series.first_of_link && self.info.unicast_reliable;
            let question = Question {
                unicast_response,
                ..asked.question.as_question()
            };
            let crowded = written > 0
                && !self.known_answers.is_empty()
                && message.len() > limit / QUESTION_SHARE;
            if crowded || message.question(question).is_err() {
                break;
            }
            written += 1;
            unicast |= unicast_response;
            if unicast_response {
                asked.asked_for_unicast = Some(now);
            }
            asked.ready = false;
            self.ready_questions.pop_front();
            self.in_flight.questions.push((slot, asked.series));
            if asked.complete || !asked.series.is_due {
                // A refresh: the series itself rests.
                asked.series.last_sent = Some(now);
                asked.series.first_of_link = false;
            } else {
                let next = asked.advance_series(now);
                asked.timer.set(next, Why::Ask(slot), &mut self.deadlines);
            }
            let (name, kind, class) = (
                asked.question.name.as_name(),
                asked.question.kind,
                asked.question.class,
            );
            let cache = &self.cache;
            // A unique answer that is known is complete: who asks all the same wants to hear it again (6762-7.1-2).
            let any = kind == RecordType::ANY;
            let fresh = |slot: &usize| {
                cache.get(*slot).is_some_and(|cached| {
                    cached.is_fresh(now) && (any || !cached.record.cache_flush)
                })
            };
            let known = cache.matching(&cx.keys, name, kind, class).filter(fresh);
            self.known_answers.extend(known.map(Known::Cached));
            let ours = self.own.answers(&cx.keys, name, kind, class);
            self.known_answers.extend(ours.map(Known::Own));
        }
        let mut answers = 0_usize;
        while let Some(&known) = self.known_answers.front() {
            // RFC 6762 §7.1 (6762-7.1-5)
            let record = match known {
                Known::Cached(slot) => self
                    .cache
                    .get(slot)
                    .filter(|cached| cached.is_fresh(now))
                    .map(|cached| cached.as_known_answer(now)),
                Known::Own(slot) => self
                    .own
                    .get(slot)
                    .filter(|own| own.is_active())
                    .map(Own::as_sent),
            };
            if let Some(record) = record {
                // RFC 6762 §10.2 (6762-10.2-13): no flush bit in a query
                let record = Record {
                    cache_flush: false,
                    ..record
                };
                if message.record(Section::Answer, record).is_err() {
                    if written + answers > 0 {
                        message.set_flags(Flags::QUERY.with_truncated(true));
                        break;
                    }
                } else {
                    answers += 1;
                }
            }
            self.known_answers.pop_front();
        }
        if written + answers == 0 {
            return None;
        }
        if unicast {
            self.last_unicast_ask = Some(now);
        }
        let length = message.finish();
        buffer.truncate(length);
        Some(self.multicast())
    }
}

/// What became of an attempt to write a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Message,
    Nothing,
    TooLarge,
}
