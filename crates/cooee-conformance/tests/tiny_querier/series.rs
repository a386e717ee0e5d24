//! A question that is asked again and again.

use std::time::Duration;

use cooee_conformance::{Outgoing, ms};
use cooee_wire::{NameBuf, RecordBuf, RecordType};

use crate::Faults;

/// The largest payload of one packet.
const ROOM: usize = 1440;

pub(crate) struct Series {
    name: NameBuf,
    kind: RecordType,
    /// None: it has its answer, until that fades.
    due: Option<Duration>,
    interval: Duration,
    count: usize,
    last: Option<Duration>,
}

impl Series {
    pub(crate) fn new(name: NameBuf, kind: RecordType, first: Duration) -> Self {
        Self {
            name,
            kind,
            due: Some(first),
            interval: ms(1000),
            count: 0,
            last: None,
        }
    }

    pub(crate) fn name(&self) -> &NameBuf {
        &self.name
    }

    pub(crate) fn kind(&self) -> RecordType {
        self.kind
    }

    pub(crate) fn is_for(&self, name: &NameBuf, kind: RecordType) -> bool {
        self.name == *name && self.kind == kind
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    pub(crate) fn asked_within(&self, now: Duration, limit: Duration) -> bool {
        self.last.is_some_and(|last| now - last < limit)
    }

    /// Plans the next; gives how often it was asked.
    pub(crate) fn asked(&mut self, now: Duration, faults: &Faults) -> usize {
        if self.is_due(now) {
            if faults.has("hasty") && self.count == 0 {
                self.interval = ms(500);
            }
            self.due = Some(now + self.interval);
            if !faults.has("even-intervals") {
                self.interval *= 2;
            }
        }
        self.count += 1;
        self.last = Some(now);
        self.count
    }

    /// Somebody else has asked: counts if it was to be asked soon.
    pub(crate) fn skip(&mut self, now: Duration) {
        if self.due.is_some_and(|due| due < now + ms(500)) {
            self.due = Some(now + self.interval);
            self.interval *= 2;
        }
    }

    /// It has its answer.
    pub(crate) fn rest(&mut self) {
        self.due = None;
    }
}

/// The packets of a question with its known answers.
pub(crate) fn train(question: Outgoing, known: Vec<RecordBuf>, faults: &Faults) -> Vec<Outgoing> {
    let mut train = Vec::new();
    let (mut message, mut is_empty) = (question, true);
    for record in known {
        let longer = message.clone().answer(record.clone());
        if !is_empty && longer.build().len() > ROOM {
            train.push(if faults.has("no-tc") {
                message
            } else {
                message.truncated()
            });
            message = Outgoing::query().answer(record);
        } else {
            message = longer;
        }
        is_empty = false;
    }
    train.push(message);
    train
}
