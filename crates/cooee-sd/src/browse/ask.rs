//! The questions a machine needs answered, told as differences.

use alloc::collections::{BTreeMap, BTreeSet};

use cooee_wire::{QuestionBuf, RecordBuf};

use super::Link;

/// Names one question of one machine, from [`Ask::Start`] to [`Ask::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(u64);

/// What a machine needs from its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a transport that overlooks one of them does not work"
)]
pub enum Ask {
    /// Ask this, and go on until it is stopped: give the machine what is known at once, then every change.
    Start {
        /// To name the question by when it is stopped.
        id: AskId,
        /// The question.
        question: QuestionBuf,
        /// On this link only; `None` is everywhere.
        link: Option<Link>,
    },
    /// Nobody needs this any longer.
    Stop {
        /// As it was started.
        id: AskId,
    },
    /// This record is doubtful: ask for it again, and if nobody confirms it, say that it is gone (RFC 6762 §10.4).
    Reconfirm {
        /// The record.
        record: RecordBuf,
        /// Where it was seen.
        link: Link,
    },
}

/// Questions wanted against questions told. A question that nobody heard of ends without a word.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    next: u64,
    starts: BTreeMap<AskId, (QuestionBuf, Option<Link>)>,
    stops: BTreeSet<AskId>,
}

impl Asks {
    pub(crate) fn start(&mut self, question: QuestionBuf, link: Option<Link>) -> AskId {
        let id = AskId(self.next);
        self.next += 1;
        self.starts.insert(id, (question, link));
        id
    }

    pub(crate) fn stop(&mut self, id: AskId) {
        if self.starts.remove(&id).is_none() {
            self.stops.insert(id);
        }
    }

    /// Stops come first, so that one question stopped and started begins anew.
    pub(crate) fn poll(&mut self) -> Option<Ask> {
        if let Some(id) = self.stops.pop_first() {
            return Some(Ask::Stop { id });
        }
        let (id, (question, link)) = self.starts.pop_first()?;
        Some(Ask::Start { id, question, link })
    }
}
