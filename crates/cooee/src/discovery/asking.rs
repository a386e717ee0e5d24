//! Searches: their wishes to the engine, its answers to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cooee_mdns::net::Links;
use cooee_mdns::{Instant, LinkId, LinkSet, Presence, QueryId, QueryOptions};
use cooee_sd::{Ask, AskId, TypeBrowser};
use cooee_wire::{NameBuf, QuestionBuf, RecordBuf, RecordType};

use super::{Discovery, among};
use crate::browser::{Browsing, End};
use crate::core::Id;
use crate::records::Answers;
use crate::watched::Watched;

/// A listing lasts at least this long: the question has been asked twice by then (ruling 34).
const LIST_AT_LEAST: Duration = Duration::from_millis(1500);
/// A listing ends when nothing new was heard for this long (ruling 34).
const LIST_QUIET: Duration = Duration::from_millis(500);
/// How long a host's other address family may take after the first address (ruling 29).
const OTHER_FAMILY: Duration = Duration::from_millis(250);

/// Something that asks the engine.
#[derive(Debug)]
pub(super) struct Search {
    what: What,
    choice: Links,
    /// The choice, of the links there are.
    links: LinkSet,
    /// When a lookup gives up.
    give_up: Option<Instant>,
    /// The entry in the node's deadlines.
    due: Option<Instant>,
}

#[derive(Debug)]
enum What {
    Services(Services),
    Types(Types),
    Records(Records),
}

/// A search by a machine that knows which questions to ask.
#[derive(Debug)]
struct Services {
    state: Watched<Browsing>,
    asked: BTreeMap<AskId, Asked>,
    /// When it is over; `None`: when it is stopped.
    until: Option<Until>,
    /// Where the service that is looked up was said not to exist.
    denied: BTreeSet<LinkId>,
}

/// A search for the types of services.
#[derive(Debug)]
struct Types {
    state: Watched<TypeBrowser>,
    asked: BTreeMap<AskId, Asked>,
}

#[derive(Debug)]
struct Asked {
    query: QueryId,
    question: QuestionBuf,
    /// The link on which alone it is asked.
    only_on: Option<LinkId>,
}

/// When a lookup of services is over.
#[derive(Clone, Copy, Debug)]
enum Until {
    First,
    /// When nothing new was heard for a while.
    All {
        earliest: Instant,
        quiet_since: Instant,
    },
}

/// A search for the records of one name.
#[derive(Debug)]
struct Records {
    state: Watched<Answers>,
    questions: Vec<QuestionBuf>,
    queries: BTreeSet<QueryId>,
    /// Those that have no end yet.
    open: BTreeSet<QueryId>,
    denied: bool,
    /// Whether it ends with the answer.
    is_lookup: bool,
    /// When there is enough, although a question is open.
    enough_at: Option<Instant>,
    has_begun: bool,
}

/// When a search for services ends by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// Never.
    Everything,
    /// With the first service, or after this time.
    First(Duration),
    /// When all seem to be found (ruling 34), at most after this time.
    List(Duration),
}

impl Search {
    pub(super) fn close(&self) {
        match &self.what {
            What::Services(services) => services.state.close(),
            What::Types(types) => types.state.close(),
            What::Records(records) => records.state.close(),
        }
    }

    fn new(what: What, choice: Links, give_up: Option<Instant>) -> Self {
        Self {
            what,
            choice,
            links: LinkSet::All,
            give_up,
            due: None,
        }
    }
}

impl Discovery {
    /// Starts a search for services.
    pub(crate) fn browse(
        &mut self,
        now: Instant,
        id: Id,
        state: Watched<Browsing>,
        choice: Links,
        wanted: Wanted,
    ) {
        let (until, limit) = match wanted {
            Wanted::Everything => (None, None),
            Wanted::First(limit) => (Some(Until::First), Some(limit)),
            Wanted::List(limit) => {
                let until = Until::All {
                    earliest: now + LIST_AT_LEAST,
                    quiet_since: now,
                };
                (Some(until), Some(limit))
            }
        };
        let services = Services {
            state,
            asked: BTreeMap::new(),
            until,
            denied: BTreeSet::new(),
        };
        let give_up = limit.map(|limit| now + limit);
        self.begin(id, Search::new(What::Services(services), choice, give_up));
    }

    /// Starts a search for types.
    pub(crate) fn browse_types(&mut self, id: Id, state: Watched<TypeBrowser>) {
        let types = Types {
            state,
            asked: BTreeMap::new(),
        };
        self.begin(id, Search::new(What::Types(types), Links::default(), None));
    }

    /// Starts a search for records: until it is stopped, or as a lookup with a limit.
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        id: Id,
        state: Watched<Answers>,
        questions: Vec<QuestionBuf>,
        choice: Links,
        limit: Option<Duration>,
    ) {
        let records = Records {
            state,
            questions,
            queries: BTreeSet::new(),
            open: BTreeSet::new(),
            denied: false,
            is_lookup: limit.is_some(),
            enough_at: None,
            has_begun: false,
        };
        let give_up = limit.map(|limit| now + limit);
        self.begin(id, Search::new(What::Records(records), choice, give_up));
    }

    /// Asks again for what somebody could not use.
    pub(crate) fn reconfirm(&mut self, now: Instant, records: &[(RecordBuf, LinkSet)]) {
        for (record, links) in records {
            self.engine.reconfirm(now, &record.as_record(), links);
        }
    }

    /// Ends a search.
    pub(crate) fn stop(&mut self, now: Instant, id: Id) {
        let Some(search) = self.searches.remove(&id) else {
            return;
        };
        if let Some(due) = search.due {
            self.deadlines.remove(&(due, id));
        }
        let queries: Vec<_> = match &search.what {
            What::Services(Services { asked, .. }) | What::Types(Types { asked, .. }) => {
                asked.values().map(|asked| asked.query).collect()
            }
            What::Records(records) => records.queries.iter().copied().collect(),
        };
        for query in queries {
            self.cancel(now, query);
        }
    }

    fn begin(&mut self, id: Id, mut search: Search) {
        search.links = among(&self.network, &search.choice);
        self.searches.insert(id, search);
        self.stirred.insert(id);
    }

    pub(super) fn answer(
        &mut self,
        now: Instant,
        query: QueryId,
        link: LinkId,
        record: RecordBuf,
        presence: Presence,
        own: bool,
    ) {
        let Some((id, search)) = self.search_of(query) else {
            return;
        };
        let (clock, seen_on) = (since_epoch(now), cooee_sd::Link(link.0));
        let seen = match presence {
            Presence::Present => cooee_sd::Presence::Present,
            Presence::Gone => cooee_sd::Presence::Gone,
        };
        match &search.what {
            What::Services(services) => services.state.with(|browsing| {
                let record = record.as_record();
                browsing
                    .machine
                    .handle_record(clock, seen_on, record, seen, own);
            }),
            What::Types(types) => types.state.with(|machine| {
                machine.handle_record(clock, seen_on, record.as_record(), seen);
            }),
            What::Records(records) => records.state.change(|answers| match presence {
                Presence::Present => answers.arrived(link, record, own),
                Presence::Gone => answers.left(link, &record),
            }),
        }
        self.stirred.insert(id);
    }

    pub(super) fn denied(
        &mut self,
        now: Instant,
        query: QueryId,
        link: LinkId,
        name: &NameBuf,
        kind: RecordType,
    ) {
        let Some((id, search)) = self.search_of(query) else {
            return;
        };
        match &mut search.what {
            What::Services(services) => {
                services.state.with(|browsing| {
                    browsing.machine.handle_denial(
                        since_epoch(now),
                        cooee_sd::Link(link.0),
                        name.as_name(),
                        kind,
                    );
                });
                if kind == RecordType::SRV {
                    services.denied.insert(link);
                }
            }
            // What is shared is denied by nobody.
            What::Types(_) => {}
            What::Records(records) => {
                records.denied = true;
                records.open.remove(&query);
            }
        }
        self.stirred.insert(id);
    }

    pub(super) fn finished(&mut self, query: QueryId) {
        let Some((id, search)) = self.search_of(query) else {
            return;
        };
        if let What::Records(records) = &mut search.what {
            records.open.remove(&query);
        }
        self.stirred.insert(id);
    }

    /// Reads what a search wants, after something happened to it.
    pub(super) fn attend(&mut self, now: Instant, id: Id) {
        // Taken out, so that the engine can be told meanwhile.
        let Some(mut search) = self.searches.remove(&id) else {
            return;
        };
        if let Some(due) = search.due.take() {
            self.deadlines.remove(&(due, id));
        }
        let give_up = search.give_up;
        let due = match &mut search.what {
            What::Services(services) => {
                self.attend_services(now, id, services, &search.links, give_up)
            }
            What::Types(types) => self.attend_types(now, id, types, &search.links),
            What::Records(records) => self.attend_records(now, id, records, &search.links, give_up),
        };
        if let Some(due) = due {
            self.deadlines.insert((due, id));
            search.due = Some(due);
        }
        self.searches.insert(id, search);
    }

    /// Gives the time of the next look.
    fn attend_services(
        &mut self,
        now: Instant,
        id: Id,
        services: &mut Services,
        links: &LinkSet,
        give_up: Option<Instant>,
    ) -> Option<Instant> {
        let mut asks = Vec::new();
        let mut machine_due = None;
        let mut is_all_resolved = false;
        let until = &mut services.until;
        services.state.change(|browsing| {
            let machine = &mut browsing.machine;
            let clock = since_epoch(now);
            if machine.poll_timeout().is_some_and(|due| due <= clock) {
                machine.handle_timeout(clock);
            }
            asks.extend(std::iter::from_fn(|| machine.poll_ask()));
            machine_due = machine.poll_timeout();
            if let Some(Until::All {
                earliest,
                quiet_since,
            }) = until
            {
                // Nobody else reads the events of a listing.
                while machine.poll_event().is_some() {
                    *quiet_since = now;
                }
                is_all_resolved = now >= settled(*earliest, *quiet_since)
                    && machine.snapshot().unresolved.is_empty();
                return false;
            }
            machine.should_wake()
        });
        for ask in asks {
            self.do_ask(now, id, &mut services.asked, links, ask);
        }

        let is_over = give_up.is_some_and(|give_up| give_up <= now);
        let mut look_again = None;
        let end = match services.until {
            None => None,
            Some(Until::First) if self.is_denied_everywhere(&services.denied, links) => {
                Some(End::Denied)
            }
            Some(Until::First) if is_over && !services.denied.is_empty() => Some(End::Denied),
            Some(Until::First) => is_over.then_some(End::TimedOut),
            Some(Until::All {
                earliest,
                quiet_since,
            }) => {
                let settled = settled(earliest, quiet_since);
                if is_over || is_all_resolved {
                    Some(End::Complete)
                } else {
                    look_again = (now < settled).then_some(settled);
                    None
                }
            }
        };
        if end.is_some() {
            services.state.change(|browsing| {
                browsing.ended = end;
                true
            });
            services.until = None;
        }
        let give_up = services.until.and(give_up);
        let machine_due = machine_due.map(from_epoch);
        [machine_due, give_up, look_again]
            .into_iter()
            .flatten()
            .min()
    }

    /// Gives the time of the next look.
    fn attend_types(
        &mut self,
        now: Instant,
        id: Id,
        types: &mut Types,
        links: &LinkSet,
    ) -> Option<Instant> {
        let mut asks = Vec::new();
        let mut due = None;
        types.state.change(|machine| {
            machine.handle_timeout(since_epoch(now));
            asks.extend(std::iter::from_fn(|| machine.poll_ask()));
            due = machine.poll_timeout();
            machine.has_news()
        });
        for ask in asks {
            self.do_ask(now, id, &mut types.asked, links, ask);
        }
        due.map(from_epoch)
    }

    fn do_ask(
        &mut self,
        now: Instant,
        id: Id,
        asked_so_far: &mut BTreeMap<AskId, Asked>,
        links: &LinkSet,
        ask: Ask,
    ) {
        match ask {
            Ask::Start {
                id: ask,
                question,
                link,
            } => {
                let only_on = link.map(|link| LinkId(link.0));
                let (options, on) = (QueryOptions::standing(), asked_on(only_on, links));
                let asked = Asked {
                    query: self.query(now, id, question.clone(), options, on),
                    question,
                    only_on,
                };
                asked_so_far.insert(ask, asked);
            }
            Ask::Stop { id: ask } => {
                if let Some(asked) = asked_so_far.remove(&ask) {
                    self.cancel(now, asked.query);
                }
            }
            Ask::Reconfirm { record, link } => {
                let links = LinkSet::one(LinkId(link.0));
                self.engine.reconfirm(now, &record.as_record(), &links);
            }
        }
    }

    /// Gives the time of the next look.
    fn attend_records(
        &mut self,
        now: Instant,
        id: Id,
        records: &mut Records,
        links: &LinkSet,
        give_up: Option<Instant>,
    ) -> Option<Instant> {
        if !records.has_begun {
            records.has_begun = true;
            let options = match give_up {
                Some(give_up) => QueryOptions::one_shot(give_up.since(now)),
                None => QueryOptions::standing(),
            };
            for question in &records.questions {
                let query = self.query(now, id, question.clone(), options, links.clone());
                records.queries.insert(query);
                records.open.insert(query);
            }
        }
        if !records.is_lookup {
            return None;
        }
        let has_answer = records.state.with(|answers| !answers.is_empty());
        if has_answer {
            records.enough_at.get_or_insert(now + OTHER_FAMILY);
        }
        // A second question is that for the other family; one alone ends by itself.
        let enough_at = records.enough_at.filter(|_| records.queries.len() > 1);
        let is_over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if records.open.is_empty() || is_over(give_up) || is_over(enough_at) {
            let end = match (has_answer, records.denied) {
                (true, _) => End::Complete,
                (false, true) => End::Denied,
                (false, false) => End::TimedOut,
            };
            records.is_lookup = false;
            records.state.change(|answers| {
                answers.ended = Some(end);
                true
            });
            return None;
        }
        [give_up, enough_at].into_iter().flatten().min()
    }

    /// The choice of links is made again when they change.
    pub(super) fn choose_links_of_searches(&mut self, now: Instant) {
        let ids: Vec<_> = self.searches.keys().copied().collect();
        for id in ids {
            let Some(mut search) = self.searches.remove(&id) else {
                continue;
            };
            let links = self.choose_again(&search);
            if links != search.links {
                let before = std::mem::replace(&mut search.links, links);
                self.move_search(now, id, &mut search, &before);
                self.stirred.insert(id);
            }
            self.searches.insert(id, search);
        }
    }

    /// Asks on the links that a search has now. What was seen on one that it has left will not be said to be gone by the engine, so it is said here.
    fn move_search(&mut self, now: Instant, id: Id, search: &mut Search, before: &LinkSet) {
        let left: Vec<LinkId> = match (before, &search.links) {
            (LinkSet::Only(before), LinkSet::Only(now)) => {
                before.difference(now).copied().collect()
            }
            _ => Vec::new(),
        };
        match &mut search.what {
            What::Services(Services { state, asked, .. }) => {
                state.with(|browsing| {
                    for LinkId(link) in left {
                        let link = cooee_sd::Link(link);
                        browsing.machine.handle_link_down(since_epoch(now), link);
                    }
                });
                self.ask_elsewhere(now, id, asked, before, &search.links);
            }
            // Types are looked for on all links, and stay so.
            What::Types(_) => {}
            What::Records(records) if records.has_begun && search.give_up.is_none() => {
                for query in std::mem::take(&mut records.queries) {
                    self.cancel(now, query);
                }
                records.has_begun = false;
                records.state.change(|answers| answers.leave(&left));
            }
            // A lookup is over before it matters.
            What::Records(_) => {}
        }
    }

    fn ask_elsewhere(
        &mut self,
        now: Instant,
        id: Id,
        asked: &mut BTreeMap<AskId, Asked>,
        before: &LinkSet,
        links: &LinkSet,
    ) {
        for asked in asked.values_mut() {
            let on = asked_on(asked.only_on, links);
            if on == asked_on(asked.only_on, before) {
                continue;
            }
            // The new one first, so that what is known is kept.
            let question = asked.question.clone();
            let query = self.query(now, id, question, QueryOptions::standing(), on);
            let old = std::mem::replace(&mut asked.query, query);
            self.cancel(now, old);
        }
    }

    /// The links of a search, now. One that is gone stays among them: the engine says five seconds later that what was seen there is gone too.
    // RFC 6762 §10.3 (6762-10.3-1), ruling 33
    fn choose_again(&self, search: &Search) -> LinkSet {
        let mut links = among(&self.network, &search.choice);
        if let (LinkSet::Only(chosen), LinkSet::Only(before)) = (&mut links, &search.links) {
            let known = self.network.with(|network| network.links.clone());
            chosen.extend(before.iter().filter(|link| known.is_gone(link.0)));
        }
        links
    }

    fn query(
        &mut self,
        now: Instant,
        id: Id,
        question: QuestionBuf,
        options: QueryOptions,
        links: LinkSet,
    ) -> QueryId {
        let query = self.engine.query(now, question, options, links);
        self.queries.insert(query, id);
        query
    }

    fn cancel(&mut self, now: Instant, query: QueryId) {
        self.queries.remove(&query);
        self.engine.cancel(now, query);
    }

    fn search_of(&mut self, query: QueryId) -> Option<(Id, &mut Search)> {
        let id = *self.queries.get(&query)?;
        Some((id, self.searches.get_mut(&id)?))
    }

    /// Whether a name was denied on every link on which it is looked for.
    fn is_denied_everywhere(&self, denied: &BTreeSet<LinkId>, links: &LinkSet) -> bool {
        if denied.is_empty() {
            return false;
        }
        self.network.with(|network| {
            let mut asked = network
                .links
                .present()
                .iter()
                .filter(|link| link.is_in_use() && links.contains(link.id()));
            asked.all(|link| denied.contains(&link.id()))
        })
    }
}

/// Where a question is asked that a search on these links has, on all of them or on one alone.
fn asked_on(only_on: Option<LinkId>, links: &LinkSet) -> LinkSet {
    match only_on {
        None => links.clone(),
        Some(link) if links.contains(link) => LinkSet::one(link),
        Some(_) => LinkSet::Only(BTreeSet::new()),
    }
}

/// When a listing can end at the earliest.
fn settled(earliest: Instant, quiet_since: Instant) -> Instant {
    earliest.max(quiet_since + LIST_QUIET)
}

/// The engine's time as the machines of `cooee-sd` have it.
fn since_epoch(now: Instant) -> Duration {
    Duration::from_micros(now.as_micros())
}

fn from_epoch(time: Duration) -> Instant {
    Instant::ZERO + time
}
