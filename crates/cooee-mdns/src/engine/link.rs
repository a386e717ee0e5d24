//! All state of one link, and what happens when its deadlines come.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;

use cooee_wire::{NameBuf, RdataBuf, RecordBuf};

use super::Instant;
use super::asked::{AskedQuestions, Series};
use super::cache::Cache;
use super::config::{
    GOODBYES, MULTICAST_SPACING, OWN_COPY_WINDOW, PROBE_INTERVAL, SEND_FAILURES, TWIN_WINDOW,
};
use super::context::{Context, Notice};
use super::datagram::Destination;
use super::deadlines::{Deadlines, Timer};
use super::event::Event;
use super::link_info::{Family, LinkId, LinkInfo};
use super::own::{Own, OwnRecords};
use super::probing::{GroupOnLink, ProbeUnit};
use super::record_set::GroupId;
use super::replying::Reply;
use super::stats::Sizes;

/// A link: its cache, the questions asked on it, the records published on it, and what waits to be sent.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) info: LinkInfo,
    /// Since when it is down; what was learned on it stays for a while (ruling 33).
    pub(super) down_since: Option<Instant>,
    /// Nothing could be sent lately (ruling 26).
    pub(super) unusable: bool,
    failures: u8,

    pub(super) cache: Cache,
    pub(super) asked: AskedQuestions,
    pub(super) own: OwnRecords,
    pub(super) groups: BTreeMap<GroupId, GroupOnLink>,
    /// Data of ours that may still come back (ruling 20).
    pub(super) previous: VecDeque<(Instant, RecordBuf)>,
    /// Records that have gone within the last second: when each was multicast, and its hash.
    pub(super) departed: Vec<(Instant, u64)>,
    /// The same for goodbyes that were said.
    pub(super) goodbyes: Vec<(Instant, u64)>,

    pub(super) deadlines: Deadlines<Why>,
    pub(super) respond: Timer,
    pub(super) farewell: Timer,
    pub(super) reply: Timer,

    /// When the questions that came up last are asked: those that follow soon join them.
    pub(super) ask_batch: Instant,
    /// The same for groups and their first probe.
    pub(super) probe_batch: Option<Instant>,
    /// The present draw of the refresh jitter, and when it was made.
    pub(super) refresh_draw: Option<(Instant, u64)>,
    pub(super) last_unicast_ask: Option<Instant>,

    /// Our records that wait to be multicast.
    pub(super) pending: Vec<usize>,
    /// Those whose time has come.
    pub(super) ready_answers: VecDeque<usize>,
    pub(super) farewells: Vec<Farewell>,
    pub(super) replies: Vec<Reply>,
    /// Replies that were sent: their room is used again.
    pub(super) spare_replies: Vec<Reply>,
    pub(super) ready_probes: VecDeque<ProbeUnit>,
    pub(super) ready_questions: VecDeque<usize>,
    /// Known answers that did not fit beside their questions.
    pub(super) known_answers: VecDeque<Known>,
    /// For composing: what a message has to hold beside its answers.
    pub(super) scratch: Vec<usize>,

    pub(super) in_flight: InFlight,
    credits: VecDeque<Credit>,
    /// Credits that were spent of late: over a bridge another copy may come in elsewhere.
    spent: VecDeque<Credit>,
    recent_queries: VecDeque<(Instant, IpAddr, u64)>,
}

/// Why a link has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// A probe or an announcement of a group.
    Group(GroupId),
    /// Multicast answers.
    Respond,
    /// Unicast answers.
    Reply,
    /// Goodbyes.
    Farewell,
    /// The next query of a series.
    Ask(usize),
    /// A cached record is to be refreshed, or ends.
    Cached(usize),
}

/// A record to be listed beside a question.
// RFC 6762 §7.1
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// In the cache, at this place.
    Cached(usize),
    /// Our own. We do not answer ourselves, so without it nobody would hear an answer, and others might believe that there is none.
    Own(usize),
}

/// A record of ours that has gone and is to be said goodbye to.
// RFC 6762 §10.1
#[derive(Debug)]
pub(super) struct Farewell {
    pub(super) record: RecordBuf,
    pub(super) hash: u64,
    pub(super) due: Instant,
    pub(super) left: u8,
    /// The last message it was put into.
    pub(super) stamp: u64,
}

/// The datagram last given out.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    pub(super) id: u64,
    pub(super) hash: u64,
    pub(super) multicast: bool,
    pub(super) probes: Vec<GroupId>,
    /// The records in it, with the times of their multicasts before.
    pub(super) records: Vec<(usize, Option<Instant>)>,
    /// The questions in it, as they stood before.
    pub(super) questions: Vec<(usize, Series)>,
    /// The number that its records bear; zero: it has none.
    pub(super) stamp: u64,
    /// In how many families it has still to be told what became of it.
    pub(super) untold: u8,
    pub(super) sent: bool,
}

/// A datagram of ours that may come back once (ruling 20).
#[derive(Debug)]
struct Credit {
    hash: u64,
    family: Family,
    since: Instant,
}

/// More than can be sent in [`OWN_COPY_WINDOW`] by the pacing of ruling 15, both families.
const CREDITS: usize = 8192;

/// How many spent credits are remembered.
const SPENT: usize = 256;
/// Queries remembered to recognise their twins.
const RECENT_QUERIES: usize = 64;

impl Link {
    pub(super) fn new(now: Instant, id: LinkId, info: LinkInfo) -> Self {
        Self {
            id,
            info,
            down_since: None,
            unusable: false,
            failures: 0,
            cache: Cache::default(),
            asked: AskedQuestions::default(),
            own: OwnRecords::default(),
            groups: BTreeMap::new(),
            previous: VecDeque::new(),
            departed: Vec::new(),
            goodbyes: Vec::new(),
            deadlines: Deadlines::new(),
            respond: Timer::default(),
            farewell: Timer::default(),
            reply: Timer::default(),
            ask_batch: now,
            probe_batch: None,
            refresh_draw: None,
            last_unicast_ask: None,
            pending: Vec::new(),
            ready_answers: VecDeque::new(),
            farewells: Vec::new(),
            replies: Vec::new(),
            spare_replies: Vec::new(),
            ready_probes: VecDeque::new(),
            ready_questions: VecDeque::new(),
            known_answers: VecDeque::new(),
            scratch: Vec::new(),
            in_flight: InFlight::default(),
            credits: VecDeque::new(),
            spent: VecDeque::new(),
            recent_queries: VecDeque::new(),
        }
    }

    /// Whether anything can be sent.
    pub(super) fn is_usable(&self) -> bool {
        self.down_since.is_none() && !self.unusable && (self.info.ipv4 || self.info.ipv6)
    }

    /// Adds what is kept here.
    pub(super) fn add_to(&self, sizes: &mut Sizes) {
        let unasked = self.cache.unasked();
        sizes.asked_records += self.cache.len() - unasked;
        sizes.unasked_records += unasked;
        sizes.questions += self.asked.len();
        sizes.own_records += self.own.len();
        sizes.pending_answers += self.pending.len() + self.ready_answers.len();
        sizes.pending_replies += self.replies.len();
        sizes.goodbyes += self.farewells.len();
        sizes.deadlines += self.deadlines.len();
    }

    /// The nearest deadline. Exact, because [`settle`](Self::settle) has dropped what is stale.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// Does all that is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, cx: &mut Context) {
        while let Some((at, why)) = self.deadlines.first() {
            if at > now {
                break;
            }
            self.deadlines.pop();
            if self.fire(at, now, why) {
                self.act(now, why, cx);
            }
        }
    }

    /// Drops stale entries from the front of the queue, so that nobody wakes up for nothing.
    pub(super) fn settle(&mut self) {
        while let Some((at, why)) = self.deadlines.first() {
            if self.timer(why).is_some_and(|timer| timer.is_due_at(at)) {
                break;
            }
            self.deadlines.pop();
            // Never due by the zero instant: this only puts a later deadline into the queue.
            self.fire(at, Instant::ZERO, why);
        }
        let alive = self.cache.len() + self.asked.len() + self.groups.len();
        if self.deadlines.len() > 2 * alive + 1024 {
            let mut deadlines = core::mem::replace(&mut self.deadlines, Deadlines::new());
            deadlines.retain(|at, why| self.timer(why).is_some_and(|timer| timer.is_queued_at(at)));
            self.deadlines = deadlines;
        }
    }

    fn timer(&mut self, why: Why) -> Option<&mut Timer> {
        match why {
            Why::Group(group) => self.groups.get_mut(&group).map(|group| &mut group.timer),
            Why::Respond => Some(&mut self.respond),
            Why::Reply => Some(&mut self.reply),
            Why::Farewell => Some(&mut self.farewell),
            Why::Ask(slot) => self.asked.get_mut(slot).map(|asked| &mut asked.timer),
            Why::Cached(slot) => self.cache.get_mut(slot).map(|cached| &mut cached.timer),
        }
    }

    fn fire(&mut self, at: Instant, now: Instant, why: Why) -> bool {
        let Some(mut timer) = self.timer(why).copied() else {
            return false;
        };
        let due = timer.fire(at, now, why, &mut self.deadlines);
        if let Some(place) = self.timer(why) {
            *place = timer;
        }
        due
    }

    fn act(&mut self, now: Instant, why: Why, cx: &mut Context) {
        match why {
            Why::Group(group) => self.advance_group(now, group, cx),
            Why::Respond => self.release_answers(now),
            // These are looked through when the next datagram is composed.
            Why::Reply | Why::Farewell => {}
            Why::Ask(slot) => self.series_is_due(now, slot),
            Why::Cached(slot) => self.cached_record_is_due(now, slot, cx),
        }
    }

    /// Says goodbye for a record of ours, as often as told, a second apart.
    // Ruling 8: the first one at once, unless there was one for the same record just now
    pub(super) fn say_goodbye(&mut self, now: Instant, own: Own, times: u8) {
        // A record that nobody has heard of needs no goodbye.
        if own.last_multicast.is_none() || !self.is_usable() {
            return;
        }
        self.goodbyes
            .retain(|(said, _)| now.since(*said) < MULTICAST_SPACING);
        let last = self.goodbyes.iter().find(|(_, hash)| *hash == own.hash);
        let due = last.map_or(now, |(said, _)| *said + MULTICAST_SPACING);
        self.farewells.push(Farewell {
            record: own.record,
            hash: own.hash,
            due,
            left: times.min(GOODBYES),
            stamp: 0,
        });
        self.farewell
            .advance(due, Why::Farewell, &mut self.deadlines);
    }

    /// The record is published again: no goodbye must follow.
    pub(super) fn cancel_goodbye(&mut self, record: &RecordBuf) {
        self.farewells.retain(|farewell| {
            farewell.record.as_record().rdata != record.as_record().rdata
                || farewell.record.name != record.name
        });
    }

    /// No goodbye for an address of these hosts must follow: they are another's.
    pub(super) fn cancel_goodbyes_of(&mut self, hosts: &[NameBuf]) {
        let leads_back = |record: &RecordBuf| {
            let mut hosts = hosts.iter();
            hosts.any(|host| record.rdata == RdataBuf::ptr(host.as_name()))
        };
        self.farewells
            .retain(|Farewell { record, .. }| !hosts.contains(&record.name) && !leads_back(record));
        self.plan_farewells();
    }

    pub(super) fn owes_goodbyes(&self, now: Instant) -> bool {
        let is_due = |farewell: &Farewell| farewell.left > 0 && farewell.due <= now;
        let is_under_way = self.in_flight.multicast && self.in_flight.untold > 0;
        self.is_usable() && (is_under_way || self.farewells.iter().any(is_due))
    }

    /// Plans the next goodbyes after some have been sent. What has been said often enough stays until it is known to have left.
    pub(super) fn plan_farewells(&mut self) {
        let open = self.farewells.iter().filter(|farewell| farewell.left > 0);
        if let Some(due) = open.map(|farewell| farewell.due).min() {
            self.farewell.set(due, Why::Farewell, &mut self.deadlines);
        } else {
            self.farewell.clear();
        }
    }

    /// The goodbyes of the last datagram did not leave: they are said again.
    fn farewells_failed(&mut self, now: Instant, stamp: u64) {
        let failed = |farewell: &&mut Farewell| stamp > 0 && farewell.stamp == stamp;
        for farewell in self.farewells.iter_mut().filter(failed) {
            farewell.left += 1;
            farewell.due = now + PROBE_INTERVAL;
        }
        self.plan_farewells();
    }

    /// The datagram just composed is given out under this number.
    pub(super) fn launch(&mut self, id: u64, destination: Destination) {
        self.in_flight.id = id;
        self.in_flight.multicast = matches!(destination, Destination::Multicast { .. });
        self.in_flight.untold = u8::try_from(destination.families().count()).unwrap_or(u8::MAX);
        self.in_flight.sent = false;
    }

    /// A datagram has been sent in a family, or could not be.
    pub(super) fn transmitted(
        &mut self,
        now: Instant,
        id: u64,
        family: Family,
        sent: bool,
        cx: &mut Context,
    ) {
        if self.in_flight.id != id {
            return;
        }
        if sent {
            self.in_flight.sent = true;
            self.failures = 0;
            if self.in_flight.multicast {
                self.credit(now, family);
            }
        }
        self.in_flight.untold = self.in_flight.untold.saturating_sub(1);
        if self.in_flight.untold > 0 || self.in_flight.sent {
            return;
        }
        // What was not sent in any family did not happen (ruling 26).
        cx.stats.send_failures += 1;
        if !self.in_flight.multicast {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let mut probes = core::mem::take(&mut self.in_flight.probes);
        for group in probes.drain(..) {
            self.probe_failed(now, group);
        }
        self.in_flight.probes = probes;
        let (mut records, stamp) = (
            core::mem::take(&mut self.in_flight.records),
            self.in_flight.stamp,
        );
        for (slot, before) in records.drain(..) {
            self.answer_failed(now, slot, before, stamp);
        }
        self.in_flight.records = records;
        let mut questions = core::mem::take(&mut self.in_flight.questions);
        for (slot, before) in questions.drain(..) {
            self.query_failed(now, slot, before);
        }
        self.in_flight.questions = questions;
        self.farewells_failed(now, stamp);
        if self.failures >= SEND_FAILURES && !self.unusable {
            self.unusable = true;
            cx.events.push(Event::LinkUnusable { link: self.id });
            cx.notices
                .extend(self.groups.keys().map(|&group| Notice::Settled(group)));
        }
    }

    /// Things have changed: what could not be sent may be possible now.
    pub(super) fn revive(&mut self) {
        self.unusable = false;
        self.failures = 0;
    }

    fn credit(&mut self, now: Instant, family: Family) {
        while self
            .credits
            .front()
            .is_some_and(|credit| now.since(credit.since) > OWN_COPY_WINDOW)
            || self.credits.len() >= CREDITS
        {
            self.credits.pop_front();
        }
        self.credits.push_back(Credit {
            hash: self.in_flight.hash,
            family,
            since: now,
        });
    }

    /// Whether a datagram from an address of ours is a copy of one that we have sent; each copy counts once (ruling 20).
    pub(super) fn is_own_copy(&mut self, now: Instant, hash: u64, family: Family) -> bool {
        let found = self.credits.iter().position(|credit| {
            credit.hash == hash
                && credit.family == family
                && now.since(credit.since) <= OWN_COPY_WINDOW
        });
        let Some(spent) = found.and_then(|place| self.credits.remove(place)) else {
            return false;
        };
        if self.spent.len() >= SPENT {
            self.spent.pop_front();
        }
        self.spent.push_back(spent);
        true
    }

    /// Whether a datagram is one that we have sent on this link: a bridge may have brought it to another.
    pub(super) fn has_sent(&self, now: Instant, hash: u64, family: Family) -> bool {
        self.credits.iter().chain(&self.spent).any(|credit| {
            credit.hash == hash
                && credit.family == family
                && now.since(credit.since) <= OWN_COPY_WINDOW
        })
    }

    /// Where the same query has just come from over the other family, if it has (ruling 24).
    pub(super) fn twin_of(&mut self, now: Instant, hash: u64, source: IpAddr) -> Option<IpAddr> {
        while self
            .recent_queries
            .front()
            .is_some_and(|(at, ..)| now.since(*at) >= TWIN_WINDOW)
            || self.recent_queries.len() >= RECENT_QUERIES
        {
            self.recent_queries.pop_front();
        }
        let twin = self
            .recent_queries
            .iter()
            .position(|&(_, other, other_hash)| {
                other_hash == hash && Family::of(other) != Family::of(source)
            });
        let Some(place) = twin else {
            self.recent_queries.push_back((now, source, hash));
            return None;
        };
        let twin = self.recent_queries.remove(place);
        twin.map(|(_, source, _)| source)
    }

    /// When a record that was multicast at `last` may be multicast again.
    pub(super) fn after(last: Option<Instant>, spacing: core::time::Duration) -> Instant {
        last.map_or(Instant::ZERO, |last| last + spacing)
    }

    /// Forgets data of ours that cannot come back any more.
    pub(super) fn forget_previous(&mut self, now: Instant) {
        while self
            .previous
            .front()
            .is_some_and(|(until, _)| *until <= now)
        {
            self.previous.pop_front();
        }
    }
}
