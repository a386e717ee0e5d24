//! What the application asks, on all links.

use alloc::vec::Vec;

use cooee_wire::{QuestionBuf, Record, RecordBuf};

use super::context::Notice;
use super::link::Link;
use super::{Engine, Event, Instant, Item, LinkId, LinkSet, QueryId, QueryOptions};

/// A query of the application.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) question: QuestionBuf,
    pub(super) links: LinkSet,
    /// When it ends, if it does not stand until it is cancelled.
    ends: Option<Instant>,
}

impl Engine {
    /// Asks a question. What is known already, and what we publish ourselves, comes at once as events; one-shot queries end with
    /// [`Event::Finished`]. After a [`shutdown`](Self::shutdown) every query ends with it at once, and nothing is asked.
    // RFC 6762 §5.2, ruling 3
    pub fn query(
        &mut self,
        now: Instant,
        question: QuestionBuf,
        options: QueryOptions,
        links: LinkSet,
    ) -> QueryId {
        let now = self.clock(now);
        let id = QueryId(self.new_id());
        if self.shut_down {
            self.context.events.push(Event::Finished { query: id });
            return id;
        }
        let ends = options.one_shot.map(|timeout| now + timeout);
        self.agenda
            .extend(ends.map(|ends| (ends, Item::OneShot(id))));
        for link in self
            .links
            .values_mut()
            .filter(|link| link.down_since.is_none() && links.contains(link.id))
        {
            link.ask(now, id, &question, false, &mut self.context);
        }
        self.queries.insert(
            id,
            Query {
                question,
                links,
                ends,
            },
        );
        self.settle(now);
        id
    }

    /// Ends a query. Nothing more is told of it.
    // RFC 6762 §5.2 (6762-5.2-1)
    pub fn cancel(&mut self, now: Instant, query: QueryId) {
        let now = self.clock(now);
        self.drop_query(query);
        self.context.events.retain(|event| !is_about(event, query));
        self.settle(now);
    }

    /// Somebody could not use what this record says: on these links it is asked for at least twice, and flushed if nobody confirms it
    /// within ten seconds. That goes on when the queries for it are cancelled meanwhile. After a [`shutdown`](Self::shutdown) it does nothing.
    // RFC 6762 §10.4 (6762-10.4-4, 6762-10.4-5, 6762-10.4-6)
    pub fn reconfirm(&mut self, now: Instant, record: &Record<'_>, links: &LinkSet) {
        let now = self.clock(now);
        if self.shut_down {
            return;
        }
        for link in self
            .links
            .values_mut()
            .filter(|link| link.down_since.is_none() && links.contains(link.id))
        {
            link.reconfirm(now, record, &mut self.context);
        }
        self.settle(now);
    }

    /// What is known from others of the answers to a question: the link, the record as received, and the seconds that it has left.
    pub fn cache(&self, now: Instant, question: &QuestionBuf) -> Vec<(LinkId, RecordBuf, u32)> {
        let QuestionBuf {
            name, kind, class, ..
        } = question;
        let known = |link: &Link| {
            link.cache
                .matching(&self.context.keys, name.as_name(), *kind, *class)
                .filter_map(|slot| link.cache.get(slot))
                .filter(|cached| !cached.leaving)
                .map(|cached| (link.id, cached.record.clone(), cached.remaining_ttl(now)))
                .collect::<Vec<_>>()
        };
        self.links.values().flat_map(known).collect()
    }

    /// A complete answer has come: one-shot queries end with it.
    // RFC 6762 §5.1 (6762-5.1-4), ruling 3
    pub(super) fn complete(&mut self, clients: &[QueryId]) {
        for &client in clients {
            if self
                .queries
                .get(&client)
                .is_some_and(|query| query.ends.is_some())
            {
                self.finish(client);
            }
        }
    }

    pub(super) fn finish(&mut self, query: QueryId) {
        if self.queries.contains_key(&query) {
            self.drop_query(query);
            self.context.events.push(Event::Finished { query });
        }
    }

    pub(super) fn drop_query(&mut self, id: QueryId) {
        let Some(query) = self.queries.remove(&id) else {
            return;
        };
        if let Some(ends) = query.ends {
            self.agenda.remove(&(ends, Item::OneShot(id)));
        }
        for link in self.links.values_mut() {
            link.cancel(id, &query.question, &self.context);
        }
    }
}

impl Link {
    /// The question has its complete answer: the series rests, and one-shot clients are done.
    // RFC 6762 §5.2 (6762-5.2-15), ruling 4
    pub(super) fn completed(&mut self, slot: usize, cx: &mut super::context::Context) {
        let Some(asked) = self.asked.get_mut(slot) else {
            return;
        };
        asked.complete = true;
        asked.ready = false;
        asked.stand_in = None;
        asked.timer.clear();
        if !asked.clients.is_empty() {
            cx.notices
                .push_back(Notice::Complete(asked.clients.clone()));
        }
    }
}

fn is_about(event: &Event, wanted: QueryId) -> bool {
    match event {
        Event::Answer { query, .. } | Event::Denied { query, .. } | Event::Finished { query } => {
            *query == wanted
        }
        _ => false,
    }
}
