//! RFC 6762 as a state machine: no socket, no clock, no dice.
//!
//! Each [`Link`] keeps its own records, questions, cache and deadlines. The engine keeps what is wanted on all of them (the published
//! groups and the standing queries) and drains its links inside every call.

mod answering;
mod asked;
mod asking;
mod borrowing;
mod cache;
mod claims;
mod config;
mod context;
mod datagram;
mod deadlines;
mod event;
mod events;
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
mod querying;
mod reading;
mod record_set;
mod replying;
mod rng;
mod sources;
mod stats;

pub use config::Config;
pub use datagram::{Datagram, Destination, Transmit, TransmitId};
pub use event::{Event, Presence, QueryId, QueryOptions};
pub use instant::Instant;
pub use link_info::{Family, LinkAddress, LinkId, LinkInfo, LinkSet, Prefix};
pub use node::Node;
pub use record_set::{GroupId, PublishError, RecordSet};
pub use stats::{Sizes, Stats};

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use cooee_wire::Message;

use borrowing::Loan;
use claims::Claims;
use config::PORT;
use context::Context;
use link::Link;
use publishing::Group;
use querying::Query;

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
    claims: Claims,
    queries: BTreeMap<QueryId, Query>,
    /// Groups whose host names are left to another responder of this host that has them (ruling 22).
    sharers: BTreeSet<GroupId>,
    /// Those that are left to it now.
    loans: BTreeMap<GroupId, Loan>,
    /// Our own queries for these.
    watches: BTreeMap<QueryId, GroupId>,
    /// What is due on no link in particular.
    agenda: BTreeSet<(Instant, Item)>,
    now: Instant,
    next_id: u64,
    /// The link that gave the last datagram: links take turns.
    turn: LinkId,
    /// Another program on this host has been heard on port 5353 (ruling 2).
    port_shared: bool,
    shut_down: bool,
}

/// Something that the engine itself has to do at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    /// A one-shot query ends.
    OneShot(QueryId),
    /// An update that came too soon after others is made.
    Update(GroupId),
    /// A link that is down is forgotten.
    Forget(LinkId),
    /// A borrowed name whose lender is not heard is claimed.
    Claim(GroupId),
}

impl Engine {
    /// An engine without links. All its randomness comes from `seed`: the same seed and the same calls give the same packets.
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        Self {
            context: Context::new(config, seed),
            links: BTreeMap::new(),
            groups: BTreeMap::new(),
            claims: Claims::default(),
            queries: BTreeMap::new(),
            sharers: BTreeSet::new(),
            loans: BTreeMap::new(),
            watches: BTreeMap::new(),
            agenda: BTreeSet::new(),
            now,
            next_id: 0,
            turn: LinkId(0),
            port_shared: false,
            shut_down: false,
        }
    }

    /// A link is there. What is published on it is probed and announced, and what is asked on it is asked.
    // RFC 6762 §8 (6762-8-2)
    pub fn link_up(&mut self, now: Instant, link: LinkId, info: LinkInfo) {
        let now = self.clock(now);
        let info = self.with_shared_port(info);
        match self.links.get_mut(&link) {
            Some(known) if known.down_since.is_none() => return self.link_changed(now, link, info),
            // Back within a few seconds: what was learned still counts until it is asked again (ruling 33).
            Some(known) => {
                known.down_since = None;
                known.info = info;
                self.agenda.retain(|(_, item)| *item != Item::Forget(link));
                self.restart_link(now, link);
            }
            None => {
                self.links.insert(link, Link::new(now, link, info));
                self.restart_link(now, link);
            }
        }
        self.settle(now);
    }

    /// The addresses or properties of a link are different now.
    ///
    /// Other addresses are an update of the records that hold them. A family that comes later, as IPv6 does after its check for duplicate
    /// addresses, is a network that has heard nothing of us: what is published is probed and announced anew, what is asked is asked anew.
    // RFC 6762 §8.4 (6762-8.4-2), §8 (6762-8-2)
    pub fn link_changed(&mut self, now: Instant, link: LinkId, info: LinkInfo) {
        let now = self.clock(now);
        let info = self.with_shared_port(info);
        let Some(known) = self
            .links
            .get_mut(&link)
            .filter(|known| known.down_since.is_none())
        else {
            return self.link_up(now, link, info);
        };
        let was_usable = known.is_usable();
        let has_grown = info
            .families()
            .any(|family| !known.info.families().any(|known| known == family));
        let readdressed = known.info.addresses != info.addresses
            || known.info.is_port_shared() != info.is_port_shared();
        known.info = info;
        known.revive();
        let is_usable = known.is_usable();
        if is_usable && (has_grown || !was_usable) {
            self.restart_link(now, link);
        } else if readdressed {
            self.renew_own_addresses(now);
            self.readdress_groups_on(now, link);
        }
        if !is_usable {
            self.stop_awaiting(link);
        }
        self.settle(now);
    }

    /// A link is gone. What was learned on it stays for five seconds, in case that it comes back.
    // RFC 6762 §10.3 (6762-10.3-1), ruling 33
    pub fn link_down(&mut self, now: Instant, link: LinkId) {
        let now = self.clock(now);
        if let Some(known) = self.links.get_mut(&link)
            && known.down_since.is_none()
        {
            known.down_since = Some(now);
            self.agenda
                .insert((now + config::LINK_GRACE, Item::Forget(link)));
            self.stop_awaiting(link);
        }
        self.renew_own_addresses(now);
        self.settle(now);
    }

    /// The machine was asleep for `slept`, and no call came in that time: everything is asked, probed and announced anew.
    ///
    /// What ran out meanwhile and is still asked for gets five seconds to answer before it is gone.
    // RFC 6762 §8 (6762-8-2), §10.3 (6762-10.3-2), ruling 27
    pub fn resumed(&mut self, now: Instant, slept: Duration) {
        let now = self.clock(now);
        tracing::debug!(
            slept_s = slept.as_secs(),
            "resumed: probing and asking anew"
        );
        let up = self.links.values().filter(|link| link.down_since.is_none());
        for link in up.map(|link| link.id).collect::<Vec<_>>() {
            if let Some(known) = self.links.get_mut(&link) {
                known.suspect_expired(now);
            }
            self.restart_link(now, link);
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
        while let Some((_, item)) = self.agenda.first().copied().filter(|(due, _)| *due <= now) {
            self.agenda.pop_first();
            match item {
                Item::OneShot(query) => self.finish(query),
                Item::Update(group) => self.make_held_update(now, group),
                Item::Forget(link) => self.forget_link(link),
                Item::Claim(group) => self.claim_borrowed(now, group),
            }
        }
        self.settle(now);
    }

    /// The next datagram to send, composed at this moment into `buffer`, which is cleared first.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let now = self.clock(now);
        let turn = self.turn;
        let composed = compose(now, buffer, self.links.range_mut(turn..), &mut self.context)
            .or_else(|| compose(now, buffer, self.links.range_mut(..turn), &mut self.context));
        let Some((link, destination)) = composed else {
            buffer.clear();
            self.settle(now);
            return None;
        };
        let id = self.new_id();
        if let Some(link) = self.links.get_mut(&link) {
            link.launch(id, destination);
        }
        // The next link is asked first the next time.
        self.turn = LinkId(link.0.wrapping_add(1));
        self.context.stats.sent += 1;
        self.settle(now);
        Some(Transmit {
            id: TransmitId(id),
            link,
            destination,
        })
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
    ///
    /// Events are differences of states. Of those that wait, a later one makes void what it contradicts, so whoever polls late gets fewer, and misses no
    /// state (ruling 32).
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.context.events.pop()?;
            if !self.heed_watch(&event) {
                return Some(event);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called next; `None`: not before something else happens.
    ///
    /// It says nothing about datagrams and events that wait to be polled.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let up = self.links.values().filter(|link| link.down_since.is_none());
        let item = self.agenda.first().map(|(due, _)| *due);
        up.filter_map(Link::next_deadline).chain(item).min()
    }

    /// Counts of what has happened so far.
    pub fn stats(&self) -> Stats {
        self.context.stats
    }

    /// How much is kept at the moment.
    pub fn sizes(&self) -> Sizes {
        let mut sizes = Sizes {
            events: self.context.events.len(),
            deadlines: self.agenda.len(),
            ..Sizes::default()
        };
        for link in self.links.values() {
            link.add_to(&mut sizes);
        }
        sizes
    }

    /// Says goodbye for everything published, once, and ends all queries; what [`poll_transmit`](Self::poll_transmit) gives afterwards is
    /// the last. There is no way back: a later [`query`](Self::query) ends at once, [`publish`](Self::publish), [`update`](Self::update)
    /// and [`rename`](Self::rename) are refused with [`PublishError::ShutDown`], and [`reconfirm`](Self::reconfirm) does nothing.
    // RFC 6762 §10.1 (6762-10.1-1), ruling 9
    pub fn shutdown(&mut self, now: Instant) {
        let now = self.clock(now);
        self.shut_down = true;
        for query in self.queries.keys().copied().collect::<Vec<_>>() {
            self.drop_query(query);
        }
        // Those too that are asked to confirm a record.
        for link in self.links.values_mut() {
            link.drop_all_questions();
        }
        self.context.events.clear();
        for group in self.groups.keys().copied().collect::<Vec<_>>() {
            self.withdraw_with(now, group, 1);
        }
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
            self.context.stats.no_link += 1;
            return;
        };
        let cx = &mut self.context;
        if !datagram.is_for_us() {
            cx.stats.not_for_us += 1;
            return;
        }
        // Ruling 20.
        if from_us && datagram.source.port() == PORT {
            let hash = cx.keys.payload(datagram.payload);
            if link.is_own_copy(now, hash, Family::of(source)) {
                cx.stats.own_copies += 1;
                return;
            }
            if let Ok(message) = Message::parse(datagram.payload) {
                self.heed_local_responder(now, datagram, hash, &message);
            }
            self.notice_shared_port(now, datagram, hash);
        }
        let Some(link) = self.links.get_mut(&datagram.link) else {
            return;
        };
        let cx = &mut self.context;
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
            let hash = cx.keys.payload(datagram.payload);
            link.handle_query(now, datagram, message, hash, cx);
        }
    }

    /// A datagram comes from an address of ours and is no copy of ours: another program of this host uses the port (ruling 2).
    ///
    /// Or a stranger on the link has forged our address, which cannot be told from that: then questions are QM for good, and a shared host
    /// name (ruling 22) is silent, for seconds after a probe and after a response for as long as its records live.
    fn notice_shared_port(&mut self, now: Instant, datagram: &Datagram<'_>, hash: u64) {
        let family = Family::of(datagram.source.ip());
        // Over a bridge it may have come from another link of ours; that shows no other program.
        if self
            .links
            .values()
            .any(|link| link.has_sent(now, hash, family))
        {
            return;
        }
        if !self.port_shared {
            self.port_shared = true;
            self.context.events.push(Event::PortShared {
                link: datagram.link,
            });
        }
        if let Some(link) = self.links.get_mut(&datagram.link)
            && !link.info.is_port_shared()
        {
            link.info.unicast_reliable = false;
            self.readdress_groups_on(now, datagram.link);
        }
    }

    /// A link has come up, or something has happened to it that makes everything begin anew.
    // RFC 6762 §8 (6762-8-2), §5.4 (6762-5.4-3)
    fn restart_link(&mut self, now: Instant, link: LinkId) {
        self.renew_own_addresses(now);
        let Some(known) = self.links.get_mut(&link) else {
            return;
        };
        known.revive();
        known.restart_all_series(now, &mut self.context);
        for (&id, query) in self
            .queries
            .iter()
            .filter(|(_, query)| query.links.contains(link))
        {
            if !known.is_client(id, &query.question, &self.context) {
                known.ask(now, id, &query.question, true, &mut self.context);
            }
        }
        self.restart_groups_on(now, link);
        self.doubt_loans(now);
    }

    fn with_shared_port(&self, mut info: LinkInfo) -> LinkInfo {
        info.unicast_reliable &= !self.port_shared;
        info
    }

    /// A link that has been down for long is forgotten, with all that was known from it.
    fn forget_link(&mut self, link: LinkId) {
        if let Some(mut link) = self.links.remove(&link) {
            link.tell_all_gone(&mut self.context);
        }
    }

    fn renew_own_addresses(&mut self, now: Instant) {
        let up = self.links.values().filter(|link| link.down_since.is_none());
        let present = up.flat_map(|link| link.info.addresses.iter().map(|address| address.address));
        self.context.own_addresses.replace(now, present);
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
    }
}

/// The next datagram of the first of these links that has one.
fn compose<'l>(
    now: Instant,
    buffer: &mut Vec<u8>,
    mut links: impl Iterator<Item = (&'l LinkId, &'l mut Link)>,
    context: &mut Context,
) -> Option<(LinkId, Destination)> {
    links.find_map(|(&id, link)| {
        link.compose(now, buffer, context)
            .map(|destination| (id, destination))
    })
}
