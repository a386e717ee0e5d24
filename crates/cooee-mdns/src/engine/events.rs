//! What waits to be told to the application.
//!
//! Events are differences of states (ruling 32). Who polls late gets fewer of them: as soon as the queue is long, what a later event makes void
//! is dropped. So it never holds more than one event for each answer that is known or was, however often strangers change their minds.

use alloc::collections::VecDeque;
use core::hash::{Hash, Hasher};

use hashbrown::HashTable;

use super::event::{Event, Presence};
use super::hash::Keys;

/// The events that nobody has polled yet.
#[derive(Debug)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    /// At this length what is void is dropped.
    limit: usize,
    keys: Keys,
}

/// A queue shorter than this is left alone.
const SHORT: usize = 1024;

/// The events about one thing: where the first and the last of them stand.
struct Span {
    first: usize,
    last: usize,
}

impl Events {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            queue: VecDeque::new(),
            limit: SHORT,
            keys,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.queue.len() >= self.limit {
            self.coalesce();
        }
        self.queue.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front();
        if self.queue.is_empty() {
            self.limit = SHORT;
            self.queue.shrink_to(SHORT);
        }
        event
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Event) -> bool) {
        self.queue.retain(keep);
    }

    /// Keeps the last event about each thing; and none if the reader knows nothing of what has come and gone again.
    fn coalesce(&mut self) {
        let hash = |event: &Event| self.keys.of(&Thing(event));
        let queue = &self.queue;
        let is_about = |place: usize, event: &Event| {
            queue
                .get(place)
                .is_some_and(|other| same_thing(other, event))
        };
        let mut spans: HashTable<Span> = HashTable::new();
        for (place, event) in queue.iter().enumerate() {
            match spans.find_mut(hash(event), |span| is_about(span.last, event)) {
                Some(span) => span.last = place,
                None => {
                    let (first, last) = (place, place);
                    spans.insert_unique(hash(event), Span { first, last }, |span| {
                        queue.get(span.last).map_or(0, hash)
                    });
                }
            }
        }
        let mut kept = VecDeque::with_capacity(spans.len() + 1);
        for (place, event) in queue.iter().enumerate() {
            let span = spans.find(hash(event), |span| is_about(span.last, event));
            let unseen = |span: &Span| {
                queue.get(span.first).and_then(presence) == Some(Presence::Present)
                    && presence(event) == Some(Presence::Gone)
            };
            if span.is_some_and(|span| span.last == place && !unseen(span)) {
                kept.push_back(event.clone());
            }
        }
        self.queue = kept;
        self.limit = (2 * self.queue.len()).max(SHORT);
    }
}

fn presence(event: &Event) -> Option<Presence> {
    match event {
        Event::Answer { presence, .. } => Some(*presence),
        _ => None,
    }
}

/// Whether two events speak of the same thing, so that the later one makes the earlier void.
fn same_thing(a: &Event, b: &Event) -> bool {
    match (a, b) {
        (
            Event::Answer {
                query: a,
                link: a_link,
                record: a_record,
                own: a_own,
                ..
            },
            Event::Answer {
                query: b,
                link: b_link,
                record: b_record,
                own: b_own,
                ..
            },
        ) => {
            (a, a_link, a_own) == (b, b_link, b_own)
                && a_record.rdata == b_record.rdata
                && a_record.name == b_record.name
                && a_record.class == b_record.class
        }
        // The others differ in nothing but what they speak of.
        _ => a == b,
    }
}

/// What an event speaks of.
struct Thing<'e>(&'e Event);

impl Hash for Thing<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        core::mem::discriminant(self.0).hash(hasher);
        match self.0 {
            Event::Answer {
                query,
                link,
                record,
                ..
            } => {
                (query, link).hash(hasher);
                record.name.hash(hasher);
                record.rdata.hash(hasher);
            }
            Event::Denied {
                query, link, name, ..
            } => {
                (query, link).hash(hasher);
                name.hash(hasher);
            }
            Event::Finished { query } => query.hash(hasher),
            Event::Waiting { group }
            | Event::Ready { group }
            | Event::Borrowed { group }
            | Event::Conflict { group, .. } => group.hash(hasher),
            Event::PortShared { link } | Event::LinkUnusable { link } => link.hash(hasher),
        }
    }
}
