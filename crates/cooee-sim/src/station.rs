//! A host with an engine and nothing on it.

use cooee_mdns::{Config, Engine, Event, GroupId, Instant, LinkId, Node, Presence};
use cooee_wire::RecordBuf;

/// A node for tests of the engine: it keeps what the engine tells, with the time.
#[derive(Debug)]
pub struct Station {
    /// The engine.
    pub engine: Engine,
    /// What it has told.
    pub events: Vec<(Instant, Event)>,
    answers: Vec<Answer>,
}

/// An answer that is present.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// When it came.
    pub at: Instant,
    /// On which link.
    pub link: LinkId,
    /// The record.
    pub record: RecordBuf,
    /// Published by this station itself.
    pub own: bool,
}

impl Station {
    /// A station whose engine has this seed.
    pub fn new(seed: u64, now: Instant) -> Self {
        Self {
            engine: Engine::new(Config::default(), seed, now),
            events: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// The answers to any of the queries that are present now, oldest first.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// When the group became ready, if it has.
    pub fn ready_at(&self, group: GroupId) -> Option<Instant> {
        self.find(|event| matches!(event, Event::Ready { group: ready } if *ready == group))
    }

    /// When the group lost its name, if it has.
    pub fn conflict_at(&self, group: GroupId) -> Option<Instant> {
        self.find(|event| matches!(event, Event::Conflict { group: lost, .. } if *lost == group))
    }

    /// Keeps the list of answers in accord with what the engine tells. Several queries may be told of one record.
    fn note_answer(&mut self, at: Instant, event: &Event) {
        let Event::Answer {
            link,
            record,
            presence,
            own,
            ..
        } = event
        else {
            return;
        };
        let place = self.answers.iter().position(|answer| {
            answer.link == *link
                && answer.own == *own
                && answer.record.rdata == record.rdata
                && answer.record.name == record.name
        });
        match (presence, place) {
            (Presence::Present, None) => {
                self.answers.push(Answer {
                    at,
                    link: *link,
                    record: record.clone(),
                    own: *own,
                });
            }
            (Presence::Gone, Some(place)) => {
                self.answers.remove(place);
            }
            (Presence::Present, Some(_)) | (Presence::Gone, None) => {}
        }
    }

    fn find(&self, wanted: impl Fn(&Event) -> bool) -> Option<Instant> {
        self.events
            .iter()
            .find(|(_, event)| wanted(event))
            .map(|(at, _)| *at)
    }
}

impl Node for Station {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, now: Instant) {
        while let Some(event) = self.engine.poll_event() {
            self.note_answer(now, &event);
            self.events.push((now, event));
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}
