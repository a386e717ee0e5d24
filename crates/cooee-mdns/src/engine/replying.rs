//! Answers that go to one host alone: to simple resolvers, to who asked for unicast, and to who asked just us.
//!
//! RFC 6762 §5.4, §5.5 and §6.7. They are composed when they are due, from records as they are then.

use alloc::vec::Vec;
use core::net::SocketAddr;

use cooee_wire::{
    Compression, Flags, Message, MessageBuilder, QuestionBuf, Record, RecordBuf, RecordType,
};

use super::Instant;
use super::answering::{Query, Timing};
use super::config::{LARGEST_MESSAGE, LEGACY_SIZE, LEGACY_TTL};
use super::context::Context;
use super::datagram::Destination;
use super::link::{Link, Why};
use super::own::{Own, OwnRecords};
use super::pack::Written;

/// An answer by unicast.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) to: SocketAddr,
    pub(super) due: Instant,
    /// The last moment to which further truncated queries can put it off (ruling 12).
    pub(super) limit: Instant,
    pub(super) answers: Vec<Answer>,
    defence: bool,
    pub(super) legacy: Option<Legacy>,
    /// The questions that a simple resolver gets back.
    // RFC 6762 §6.7 (6762-6.7-4)
    pub(super) questions: Vec<QuestionBuf>,
}

/// A record of ours to answer with. It may have gone when the time comes, and another have its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    pub(super) slot: usize,
    hash: u64,
}

impl Reply {
    /// Adds an answer. A defence makes the whole reply go at once, otherwise the last answer that is ready decides.
    // RFC 6762 §6.3 (6762-6.3-2, 6762-6.3-3)
    pub(super) fn add(&mut self, own: &OwnRecords, slot: usize, timing: Timing) {
        let Some(hash) = own.get(slot).map(|own| own.hash) else {
            return;
        };
        self.answers.push(Answer { slot, hash });
        self.due = match self.defence || timing.defence {
            true => self.due.min(timing.due),
            false => self.due.max(timing.due),
        };
        self.limit = self.limit.max(timing.limit);
        self.defence |= timing.defence;
    }
}

/// What a conventional resolver expects to get back.
// RFC 6762 §6.7 (6762-6.7-4)
#[derive(Debug)]
pub(super) struct Legacy {
    pub(super) id: u16,
    pub(super) size: usize,
    /// The query had an OPT record (6891-6.1.1-3).
    pub(super) edns: bool,
}

impl Legacy {
    /// What the reply to a simple resolver has to go by.
    fn of(message: &Message<'_>) -> Self {
        let opt = message
            .additionals()
            .filter_map(Result::ok)
            .find(|record| record.kind() == RecordType::OPT);
        Self {
            id: message.header().id,
            // RFC 6891 §6.2.3 (6891-6.2.3-1): less than 512 means 512.
            size: opt.map_or(LEGACY_SIZE, |opt| {
                usize::from(opt.class.get()).clamp(512, LEGACY_SIZE)
            }),
            edns: opt.is_some(),
        }
    }
}

/// A simple resolver asks one question; what it asks is repeated to it, so there is a bound.
const ECHOED_QUESTIONS: u16 = 16;
/// Replies kept for their room.
const SPARE_REPLIES: usize = 16;

impl Link {
    /// An empty reply to somebody.
    pub(super) fn new_reply(&mut self, now: Instant, to: SocketAddr) -> Reply {
        match self.spare_replies.pop() {
            Some(spare) => Reply {
                to,
                due: now,
                limit: now,
                defence: false,
                ..spare
            },
            None => Reply {
                to,
                due: now,
                limit: now,
                defence: false,
                answers: Vec::new(),
                legacy: None,
                questions: Vec::new(),
            },
        }
    }

    /// The reply has been sent, or there was nothing to say.
    fn recycle(&mut self, mut reply: Reply) {
        if self.spare_replies.len() < SPARE_REPLIES {
            reply.answers.clear();
            reply.questions.clear();
            reply.legacy = None;
            self.spare_replies.push(reply);
        }
    }

    pub(super) fn queue_reply(
        &mut self,
        now: Instant,
        query: &Query<'_>,
        mut reply: Reply,
        cx: &mut Context,
    ) {
        if reply.answers.is_empty() {
            return self.recycle(reply);
        }
        if self.replies.len() >= cx.config.pending_replies {
            cx.stats.over_limit += 1;
            return self.recycle(reply);
        }
        if query.legacy && query.questions > ECHOED_QUESTIONS {
            cx.stats.over_limit += 1;
            return self.recycle(reply);
        }
        if query.questions > 1 {
            // A stranger could ask for the same large set as often as fits into a packet.
            reply.answers.sort_unstable();
            reply.answers.dedup();
        }
        if query.legacy {
            reply.legacy = Some(Legacy::of(&query.message));
            let questions = query.message.questions().filter_map(Result::ok);
            reply
                .questions
                .extend(questions.filter_map(|question| question.to_owned().ok()));
        }
        reply.due = reply.due.max(now);
        self.reply
            .advance(reply.due, Why::Reply, &mut self.deadlines);
        self.replies.push(reply);
    }

    /// Plans the next unicast answer.
    pub(super) fn plan_replies(&mut self) {
        if let Some(due) = self.replies.iter().map(|reply| reply.due).min() {
            self.reply.set(due, Why::Reply, &mut self.deadlines);
        }
    }

    /// A unicast answer that is due.
    pub(super) fn compose_reply(
        &mut self,
        now: Instant,
        buffer: &mut Vec<u8>,
        cx: &mut Context,
    ) -> Option<Destination> {
        while let Some(place) = self.replies.iter().position(|reply| reply.due <= now) {
            let mut reply = self.replies.swap_remove(place);
            let limit = reply
                .legacy
                .as_ref()
                .map_or(self.limit(), |legacy| legacy.size);
            let mut written = self.write_reply(&mut reply, buffer, limit, cx);
            if written == Written::TooLarge {
                // A single record that is larger than that goes alone (6762-17-3).
                written = self.write_reply(&mut reply, buffer, LARGEST_MESSAGE, cx);
            }
            let to = reply.to;
            // A simple resolver is told that something is missing; others get the rest in further packets.
            if written == Written::Message && reply.legacy.is_none() && !reply.answers.is_empty() {
                self.replies.push(reply);
            } else {
                self.recycle(reply);
            }
            self.plan_replies();
            if written == Written::Message {
                return Some(Destination::Unicast(to));
            }
        }
        None
    }

    /// Takes the answers that fit out of the reply.
    fn write_reply(
        &mut self,
        reply: &mut Reply,
        buffer: &mut Vec<u8>,
        limit: usize,
        cx: &mut Context,
    ) -> Written {
        let serial = cx.next_serial();
        let alone = limit > self.limit();
        let (id, compression) = match &reply.legacy {
            // RFC 6762 §18.1 (6762-18.1-6), §18.14 (6762-18.14-10)
            Some(legacy) => (legacy.id, Compression::Legacy),
            None => (0, Compression::Multicast),
        };
        buffer.clear();
        buffer.resize(limit, 0);
        let Ok(mut message) = MessageBuilder::new(buffer, id, Flags::RESPONSE, compression) else {
            return Written::Nothing;
        };
        let legacy = reply.legacy.is_some();
        // RFC 6891 §6.1.1 (6891-6.1.1-3): its place is kept free.
        let edns = reply.legacy.as_ref().is_some_and(|legacy| legacy.edns);
        let reserved = if edns { OPT_LENGTH } else { 0 };
        for question in &reply.questions {
            // RFC 6762 §6.7 (6762-6.7-4)
            if message.question(question.as_question()).is_err() {
                return Written::Nothing;
            }
        }
        let (mut count, mut taken) = (0_usize, 0);
        let mut truncated = false;
        for answer in &reply.answers {
            if let Some(own) = self
                .own
                .get_mut(answer.slot)
                .filter(|own| own.hash == answer.hash && own.is_active() && own.stamp != serial)
            {
                let before = message.checkpoint();
                if (alone && !legacy && count > 0)
                    || message.answer(as_sent(own, legacy)).is_err()
                    || message.room() < reserved
                {
                    message.rewind(before);
                    truncated = true;
                    break;
                }
                own.stamp = serial;
                count += 1;
            }
            taken += 1;
        }
        if count == 0 && !(legacy && truncated) {
            return if truncated && !alone {
                Written::TooLarge
            } else {
                Written::Nothing
            };
        }
        // RFC 6762 §18.5 (6762-18.5-3, 6762-18.5-4): only a simple resolver is told that something is missing.
        if truncated && legacy {
            message.set_flags(Flags::RESPONSE.with_truncated(true));
        }
        // RFC 6891 §6.1.2 (6891-6.1.2-1), §6.2.3 (6891-6.2.3-2)
        if edns && let Ok(opt) = RecordBuf::opt(OPT_SIZE, []) {
            let _ = message.additional(opt.as_record());
        }
        if !truncated && (legacy || !alone) {
            let mut additional = core::mem::take(&mut self.scratch);
            let answers = reply.answers.iter().map(|answer| answer.slot);
            self.collect_additional(answers, &mut additional, cx);
            for &slot in &additional {
                if self.rrset_with(slot).any(|own| own.stamp == serial) {
                    continue;
                }
                // RFC 2181 §9 (2181-9-1): what is only additional may be left out without a word, but not in part.
                let before = message.checkpoint();
                let fits = |own: &Own| message.additional(as_sent(own, legacy)).is_ok();
                if self.rrset_with(slot).all(fits) {
                    self.for_rrset_with(slot, |_, own| own.stamp = serial);
                } else {
                    message.rewind(before);
                }
            }
            self.scratch = additional;
        }
        let length = message.finish();
        buffer.truncate(length);
        reply.answers.drain(..taken);
        Written::Message
    }
}

/// A record as it goes to one who asked.
// RFC 6762 §6.7 (6762-6.7-5, 6762-6.7-6)
fn as_sent(own: &Own, legacy: bool) -> Record<'_> {
    let record = own.as_sent();
    if legacy {
        Record {
            cache_flush: false,
            ttl: record.ttl.min(LEGACY_TTL),
            ..record
        }
    } else {
        record
    }
}

/// How many octets an OPT record without options takes. RFC 6891 §6.1.2.
const OPT_LENGTH: usize = 11;

/// What we say to be able to take, in bytes: what Ethernet holds, and a little less.
const OPT_SIZE: u16 = 1440;
