//! RFC 6762 as a state machine: no socket, no clock, no dice.
//!
//! Each [`Link`] keeps its own records, questions, cache and deadlines. The engine keeps what is wanted on all of them (the published
//! groups and the standing queries) and drains its links inside every call.

mod answering;
mod asked;
mod asking;
mod cache;
mod config;
mod context;
mod datagram;
mod deadlines;
mod event;
mod hash;
mod instant;
mod learning;
mod link;
mod link_info;
mod node;
mod own;
mod pack;
mod probing;
mod publishing;
mod record_set;
mod rng;
mod stats;

pub use config::Config;
pub use datagram::{Datagram, Destination, Transmit, TransmitId};
pub use event::{Event, Presence, QueryId, QueryOptions};
pub use instant::Instant;
pub use link_info::{Family, LinkAddress, LinkId, LinkInfo, LinkSet, Prefix};
pub use node::Node;
pub use record_set::{GroupId, PublishError, RecordSet};
pub use stats::Stats;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use cooee_wire::{Message, QuestionBuf, RecordBuf};

use config::PORT;
use context::Context;
use link::Link;
use publishing::Group;

/// The multicast DNS engine.
///
/// After every call that changes something, drain [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event) until they
/// are empty, then sleep until [`poll_timeout`](Self::poll_timeout).
///
/// ```
/// use cooee_mdns::{Config, Engine, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, QueryOptions};
/// use cooee_wire::{Class, QuestionBuf, RecordType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let start = Instant::ZERO;
/// let mut engine = Engine::new(Config::default(), 42, start);
/// let address = LinkAddress::new([192, 0, 2, 9], 24);
/// engine.link_up(start, LinkId(2), LinkInfo::new([address]));
/// let question = QuestionBuf::new("_http._tcp.local".parse()?, RecordType::PTR);
/// engine.query(start, question, QueryOptions::standing(), LinkSet::All);
///
/// // The first query goes out after 20 to 120 ms.
/// let due = engine.poll_timeout().ok_or("a deadline")?;
/// engine.handle_timeout(due);
/// let mut buffer = Vec::new();
/// let transmit = engine.poll_transmit(due, &mut buffer).ok_or("a query")?;
/// assert_eq!(transmit.link, LinkId(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Engine {
    context: Context,
    links: BTreeMap<LinkId, Link>,
    groups: BTreeMap<GroupId, Group>,
    queries: BTreeMap<QueryId, Query>,
    now: Instant,
    next_id: u64,
    /// The link that was asked last for a datagram: links take turns.
    turn: Option<LinkId>,
    shut_down: bool,
}

/// A query of the application.
#[derive(Debug)]
struct Query {
    question: QuestionBuf,
    links: LinkSet,
    /// When a one-shot query ends.
    ends: Option<Instant>,
}

impl Engine {
    /// An engine without links. All its randomness comes from `seed`: the same seed and the same calls give the same packets.
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        Self {
            context: Context::new(config, seed),
            links: BTreeMap::new(),
            groups: BTreeMap::new(),
            queries: BTreeMap::new(),
            now,
            next_id: 0,
            turn: None,
            shut_down: false,
        }
    }

    /// A link is there. What is published on it is probed and announced, and what is asked on it is asked.
    // RFC 6762 §8 (6762-8-2)
    pub fn link_up(&mut self, now: Instant, link: LinkId, info: LinkInfo) {
        let now = self.clock(now);
        if self
            .links
            .get(&link)
            .is_some_and(|known| known.down_since.is_none())
        {
            return self.link_changed(now, link, info);
        }
        match self.links.get_mut(&link) {
            // Back within a few seconds: what was learned still counts until it is asked again (ruling 33).
            Some(known) => {
                known.down_since = None;
                known.info = info;
                known.revive();
                known.restart_all_series(now, &mut self.context);
            }
            None => {
                let mut new = Link::new(now, link, info);
                for (&id, query) in self
                    .queries
                    .iter()
                    .filter(|(_, query)| query.links.contains(link))
                {
                    new.ask(now, id, &query.question, true, &mut self.context);
                }
                self.links.insert(link, new);
            }
        }
        self.renew_own_addresses(now);
        self.publish_groups_on(now, link);
        self.settle(now);
    }

    /// The addresses or properties of a link are different now.
    // RFC 6762 §8.4 (6762-8.4-2)
    pub fn link_changed(&mut self, now: Instant, link: LinkId, info: LinkInfo) {
        let now = self.clock(now);
        let Some(known) = self
            .links
            .get_mut(&link)
            .filter(|known| known.down_since.is_none())
        else {
            return self.link_up(now, link, info);
        };
        let was_usable = known.is_usable();
        let readdressed = known.info.addresses != info.addresses;
        known.info = info;
        known.revive();
        let restart = !was_usable && known.is_usable();
        if restart {
            known.restart_all_series(now, &mut self.context);
        }
        self.renew_own_addresses(now);
        if restart {
            self.withdraw_groups_from(link);
            self.publish_groups_on(now, link);
        } else if readdressed {
            self.readdress_groups_on(now, link);
        }
        self.settle(now);
    }

    /// A link is gone. What was learned on it stays for five seconds, in case that it comes back.
    // RFC 6762 §10.3 (6762-10.3-1), ruling 33
    pub fn link_down(&mut self, now: Instant, link: LinkId) {
        let now = self.clock(now);
        self.withdraw_groups_from(link);
        if let Some(known) = self.links.get_mut(&link) {
            known.down_since.get_or_insert(now);
        }
        self.renew_own_addresses(now);
        self.settle(now);
    }

    /// The machine was asleep for `slept`, and no call came in that time: everything is asked, probed and announced anew.
    // RFC 6762 §8 (6762-8-2), ruling 27
    pub fn resumed(&mut self, now: Instant, slept: Duration) {
        let now = self.clock(now);
        tracing::debug!(
            slept_s = slept.as_secs(),
            "resumed: probing and asking anew"
        );
        let up: Vec<LinkId> = self
            .links
            .values()
            .filter(|link| link.down_since.is_none())
            .map(|link| link.id)
            .collect();
        for link in up {
            self.withdraw_groups_from(link);
            if let Some(known) = self.links.get_mut(&link) {
                known.revive();
                known.restart_all_series(now, &mut self.context);
            }
            self.publish_groups_on(now, link);
        }
        self.settle(now);
    }

    /// A datagram has arrived.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &Datagram<'_>) {
        let now = self.clock(now);
        self.receive(now, datagram);
        self.settle(now);
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come; early or late calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock(now);
        for link in self
            .links
            .values_mut()
            .filter(|link| link.down_since.is_none())
        {
            link.handle_timeout(now, &mut self.context);
        }
        self.forget_links(now);
        self.end_one_shots(now);
        self.settle(now);
    }

    /// Asks a question. What is known already, and what we publish ourselves, comes at once as events; one-shot queries end with
    /// [`Event::Finished`].
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
                ends: options.one_shot.map(|timeout| now + timeout),
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

    /// What is known of the answers to a question: the link, the record as received, the seconds that it has left, and whether it is our own.
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

    /// The next datagram to send, composed at this moment into `buffer`, which is cleared first.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let now = self.clock(now);
        let first = self
            .turn
            .and_then(|turn| self.links.range(turn..).next())
            .map(|(&id, _)| id);
        let order: Vec<LinkId> = match first {
            Some(first) => self
                .links
                .range(first..)
                .chain(self.links.range(..first))
                .map(|(&id, _)| id)
                .collect(),
            None => self.links.keys().copied().collect(),
        };
        for id in order {
            let Some(link) = self.links.get_mut(&id) else {
                continue;
            };
            if let Some(destination) = link.compose(now, buffer, &mut self.context) {
                let number = self.new_id();
                let link = self.links.get_mut(&id)?;
                link.in_flight.id = number;
                link.in_flight.multicast = matches!(destination, Destination::Multicast { .. });
                link.in_flight.untold =
                    u8::try_from(destination.families().count()).unwrap_or(u8::MAX);
                link.in_flight.sent = false;
                self.turn = Some(id);
                self.context.stats.sent += 1;
                self.settle(now);
                return Some(Transmit {
                    id: TransmitId(number),
                    link: id,
                    destination,
                });
            }
        }
        buffer.clear();
        self.settle(now);
        None
    }

    /// What became of a datagram in one family: `sent`, or the system refused it. It is said before the next datagram of that link is polled.
    ///
    /// A multicast that was sent in no family did not happen: probes do not count, and answers are given again (ruling 26).
    pub fn transmitted(&mut self, now: Instant, id: TransmitId, family: Family, sent: bool) {
        let now = self.clock(now);
        for link in self.links.values_mut() {
            link.transmitted(now, id.0, family, sent, &mut self.context);
        }
        self.settle(now);
    }

    /// The next thing that the application should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.context.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next; `None`: not before something else happens.
    ///
    /// It says nothing about datagrams and events that wait to be polled.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let links = self
            .links
            .values()
            .filter_map(|link| match link.down_since {
                None => link.next_deadline(),
                Some(since) => Some(since + config::LINK_GRACE),
            });
        links
            .chain(self.queries.values().filter_map(|query| query.ends))
            .min()
    }

    /// Counts of what has happened so far.
    pub fn stats(&self) -> Stats {
        self.context.stats
    }

    /// Says goodbye for everything published, once, and ends all queries; what [`poll_transmit`](Self::poll_transmit) gives afterwards is
    /// the last.
    // RFC 6762 §10.1 (6762-10.1-1), ruling 9
    pub fn shutdown(&mut self, now: Instant) {
        let now = self.clock(now);
        self.shut_down = true;
        for query in self.queries.keys().copied().collect::<Vec<_>>() {
            self.drop_query(query);
        }
        for group in self.groups.keys().copied().collect::<Vec<_>>() {
            self.withdraw_with(now, group, 1);
        }
        self.context.events.clear();
        self.settle(now);
    }

    fn receive(&mut self, now: Instant, datagram: &Datagram<'_>) {
        let source = datagram.source.ip();
        let from_us =
            self.links.values().any(|link| link.info.is_own(source)) || source.is_loopback();
        let Some(link) = self
            .links
            .get_mut(&datagram.link)
            .filter(|link| link.down_since.is_none())
        else {
            return;
        };
        let cx = &mut self.context;
        let hash = cx.keys.payload(datagram.payload);
        // Ruling 20.
        if from_us && datagram.source.port() == PORT {
            if link.is_own_copy(now, hash, Family::of(source)) {
                cx.stats.own_copies += 1;
                return;
            }
            if link.info.unicast_reliable {
                link.info.unicast_reliable = false;
                cx.events.push_back(Event::PortShared { link: link.id });
            }
        }
        cx.stats.received += 1;
        let Ok(message) = Message::parse(datagram.payload) else {
            cx.stats.malformed += 1;
            return;
        };
        let flags = message.header().flags;
        // RFC 6762 §18.3 (6762-18.3-2), §18.11 (6762-18.11-2)
        if flags.opcode().get() != 0 || flags.rcode().get() != 0 {
            cx.stats.not_a_query += 1;
            return;
        }
        if flags.is_response() {
            cx.stats.responses += 1;
            link.handle_response(now, datagram, message, cx);
        } else {
            cx.stats.queries += 1;
            link.handle_query(now, datagram, message, hash, cx);
        }
    }

    /// Time never runs backwards.
    fn clock(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Drains the links into the engine after a call.
    fn settle(&mut self, now: Instant) {
        self.heed_notices(now);
        for link in self.links.values_mut() {
            link.settle();
        }
        let answered = |query: &Query| {
            let hash = self.context.keys.name(query.question.name.as_name());
            let QuestionBuf {
                name, kind, class, ..
            } = &query.question;
            self.links.values().any(|link| {
                let asked = link
                    .asked
                    .find(hash, name.as_name(), *kind, *class)
                    .and_then(|slot| link.asked.get(slot));
                asked.is_some_and(|asked| asked.complete)
            })
        };
        let finished: Vec<QueryId> = self
            .queries
            .iter()
            .filter(|(_, query)| query.ends.is_some() && answered(query))
            .map(|(&id, _)| id)
            .collect();
        for query in finished {
            self.finish(query);
        }
    }

    fn end_one_shots(&mut self, now: Instant) {
        let ended = |query: &Query| query.ends.is_some_and(|ends| ends <= now);
        let over: Vec<QueryId> = self
            .queries
            .iter()
            .filter(|(_, query)| ended(query))
            .map(|(&id, _)| id)
            .collect();
        for query in over {
            self.finish(query);
        }
    }

    fn finish(&mut self, query: QueryId) {
        self.drop_query(query);
        self.context.events.push_back(Event::Finished { query });
    }

    fn drop_query(&mut self, id: QueryId) {
        if let Some(query) = self.queries.remove(&id) {
            for link in self.links.values_mut() {
                link.cancel(id, &query.question, &self.context);
            }
        }
    }

    /// Links that have been down for long are forgotten, with all that was known from them.
    fn forget_links(&mut self, now: Instant) {
        let context = &mut self.context;
        self.links.retain(|_, link| {
            let forgotten = link.is_forgotten(now);
            if forgotten {
                link.tell_all_gone(context);
            }
            !forgotten
        });
    }

    fn renew_own_addresses(&mut self, now: Instant) {
        let up = self.links.values().filter(|link| link.down_since.is_none());
        let present = up.flat_map(|link| link.info.addresses.iter().map(|address| address.address));
        self.context.own_addresses.replace(now, present);
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
