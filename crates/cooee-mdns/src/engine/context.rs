//! What the links of an engine have in common.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::NameBuf;

use super::Instant;
use super::config::{
    CONFLICT_DELAY, CONFLICT_LIMIT, CONFLICT_WINDOW, Config, OWN_ADDRESS_MEMORY, PROBE_INTERVAL,
};
use super::event::QueryId;
use super::events::Events;
use super::hash::Keys;
use super::link_info::LinkId;
use super::record_set::GroupId;
use super::rng::Rng;
use super::stats::Stats;

/// What is handed to a link with every call.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) rng: Rng,
    pub(super) keys: Keys,
    pub(super) events: Events,
    pub(super) notices: VecDeque<Notice>,
    pub(super) stats: Stats,
    pub(super) own_addresses: OwnAddresses,
    pub(super) conflicts: Conflicts,
    /// Number of the last query, response or datagram; each gets its own.
    serial: u64,
}

/// What a link has to tell the engine.
#[derive(Debug)]
pub(super) enum Notice {
    /// The group has passed its probes, or the link has become unusable.
    Settled(GroupId),
    /// These queries have got a complete answer.
    Complete(Vec<QueryId>),
    /// The group has lost a name.
    Lost {
        /// The group.
        group: GroupId,
        /// Where.
        link: LinkId,
        /// The name.
        name: NameBuf,
    },
}

impl Context {
    pub(super) fn new(config: Config, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let keys = Keys::new(&mut rng);
        Self {
            config,
            rng,
            keys,
            events: Events::new(keys),
            notices: VecDeque::new(),
            stats: Stats::default(),
            own_addresses: OwnAddresses::default(),
            conflicts: Conflicts::default(),
            serial: 0,
        }
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// The addresses of this host on any link, now or not long ago (ruling 21).
#[derive(Debug, Default)]
pub(super) struct OwnAddresses {
    /// With the time it was lost.
    known: BTreeMap<IpAddr, Option<Instant>>,
}

impl OwnAddresses {
    pub(super) fn contains(&self, now: Instant, address: IpAddr) -> bool {
        match self.known.get(&address) {
            Some(None) => true,
            Some(Some(lost)) => now.since(*lost) < OWN_ADDRESS_MEMORY,
            None => false,
        }
    }

    /// These are all there are now.
    pub(super) fn replace(&mut self, now: Instant, present: impl Iterator<Item = IpAddr>) {
        for lost in self.known.values_mut() {
            lost.get_or_insert(now);
        }
        self.known.extend(present.map(|address| (address, None)));
        self.known
            .retain(|_, lost| lost.is_none_or(|at| now.since(at) < OWN_ADDRESS_MEMORY));
    }
}

/// The conflicts of late.
// RFC 6762 §8.1 (6762-8.1-18)
#[derive(Debug, Default)]
pub(super) struct Conflicts {
    recent: VecDeque<Instant>,
    /// Who has had a conflict in the round that was counted last: no more than there are groups on links.
    in_round: BTreeSet<(LinkId, GroupId)>,
    throttled: bool,
}

impl Conflicts {
    /// Counts a conflict; those of one probe round count as one (ruling 18). Who has one again has begun a new round.
    pub(super) fn count(&mut self, now: Instant, link: LinkId, group: GroupId) {
        let is_round_over = self
            .recent
            .back()
            .is_none_or(|last| now.since(*last) >= PROBE_INTERVAL);
        let is_new = self.in_round.insert((link, group));
        // Several names of one group can be denied in one message.
        let is_again = !is_new && self.recent.back() != Some(&now);
        if is_round_over || is_again {
            self.in_round = BTreeSet::from([(link, group)]);
            self.recent.push_back(now);
        }
        while self.recent.len() > CONFLICT_LIMIT {
            self.recent.pop_front();
        }
        let in_window = self
            .recent
            .front()
            .is_some_and(|first| now.since(*first) < CONFLICT_WINDOW);
        self.throttled |= self.recent.len() == CONFLICT_LIMIT && in_window;
    }

    /// How long the next attempt has to wait. Each further one waits too, until there has been peace for a while.
    pub(super) fn delay(&mut self, now: Instant) -> Duration {
        if self
            .recent
            .back()
            .is_some_and(|last| now.since(*last) >= CONFLICT_WINDOW)
        {
            *self = Self::default();
        }
        if self.throttled {
            CONFLICT_DELAY
        } else {
            Duration::ZERO
        }
    }
}
