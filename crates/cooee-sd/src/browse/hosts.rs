//! The hosts that instances run on, each known once for every link.
//!
//! However many instances name a host, its addresses are asked for once. What changes at a host is noted at the host; its
//! instances hear of it when somebody reads (see [`Hosts::take_stale`]), so a change costs the same with one instance and
//! with five thousand.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::{NameBuf, QuestionBuf, RecordType};

use super::ask::{AskId, Asks};
use super::found::FoundAddress;
use super::index::NameIndex;
use super::instances::InstanceId;
use super::spec::{Limits, Refused};
use super::timers::{Timers, Why};
use super::{Link, Presence};

/// How long the second address family may take once the first address is there.
// ruling 29
const FAMILY_PATIENCE: Duration = Duration::from_millis(250);

/// How many aliases are followed from one host to the next.
const MAX_ALIASES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(u64);

/// Who needs the addresses of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    Instance(InstanceId),
    /// A host whose alias this one is.
    Host(HostId),
}

#[derive(Debug, Default)]
pub(crate) struct Hosts {
    next: u64,
    ids: NameIndex<HostId>,
    hosts: BTreeMap<HostId, Host>,
    /// Hosts with users that changed since these were last told.
    stale: BTreeSet<HostId>,
    /// Places that nobody uses, oldest host first.
    early: BTreeSet<(HostId, Link)>,
    /// Places that somebody uses.
    used: usize,
}

#[derive(Debug)]
struct Host {
    name: NameBuf,
    places: Vec<Place>,
}

/// A host on one link.
#[derive(Debug)]
struct Place {
    link: Link,
    users: BTreeSet<User>,
    asks: Option<[AskId; 2]>,
    addresses: Vec<Address>,
    /// No address of this family exists: IPv4, IPv6.
    denied: [bool; 2],
    first_address: Option<Duration>,
    /// Another name of it, with the link's epoch. A way along aliases has at most [`MAX_ALIASES`] steps.
    alias: Option<(HostId, u32)>,
    /// At most so many steps lead here.
    depth: usize,
}

#[derive(Debug)]
struct Address {
    address: IpAddr,
    ttl: u32,
    epoch: u32,
}

/// What a change needs beside the hosts.
pub(crate) struct Context<'c> {
    pub(crate) now: Duration,
    pub(crate) limits: &'c Limits,
    pub(crate) asks: &'c mut Asks,
    pub(crate) timers: &'c mut Timers,
    pub(crate) refused: &'c mut Refused,
}

/// How a record of a host came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) link: Link,
    pub(crate) ttl: u32,
    /// The link's epoch.
    pub(crate) epoch: u32,
    pub(crate) presence: Presence,
}

/// What is known about the addresses of a host on a link.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Best first.
    pub(crate) addresses: Vec<FoundAddress>,
    /// Both families are answered or denied, or had their time; and there is an address.
    pub(crate) settled: bool,
    /// The shortest lifetime.
    pub(crate) ttl: Option<u32>,
}

impl Hosts {
    /// Notes that somebody needs the addresses of a host on a link, and asks for them if nobody did before. `None` if there
    /// is no room for one more.
    pub(crate) fn enlist(
        &mut self,
        name: &NameBuf,
        link: Link,
        user: User,
        context: &mut Context<'_>,
    ) -> Option<HostId> {
        let known = self.ids.get(name);
        let used = known
            .and_then(|id| self.place(id, link))
            .is_some_and(|place| !place.users.is_empty());
        if !used {
            if self.used >= context.limits.hosts {
                return None;
            }
            self.used += 1;
        }
        let id = self.host(name);
        self.early.remove(&(id, link));
        let place = self.hosts.get_mut(&id)?.place(link);
        place.users.insert(user);
        if place.asks.is_none() {
            // RFC 6763 §12 (6763-12-4): what additional records did not bring is asked for.
            let mut ask = |kind| {
                context
                    .asks
                    .start(QuestionBuf::new(name.clone(), kind), Some(link))
            };
            place.asks = Some([ask(RecordType::A), ask(RecordType::AAAA)]);
        }
        Some(id)
    }

    /// Takes a user away. A place that nobody uses any longer is forgotten.
    pub(crate) fn delist(&mut self, id: HostId, link: Link, user: User, context: &mut Context<'_>) {
        let Some(place) = self.place_mut(id, link) else {
            return;
        };
        if place.users.remove(&user) && place.users.is_empty() {
            self.used -= 1;
            self.forget(id, link, context);
        }
    }

    /// An address record of a host came or went.
    pub(crate) fn handle_address(
        &mut self,
        name: &NameBuf,
        address: IpAddr,
        seen: Seen,
        context: &mut Context<'_>,
    ) {
        let Seen {
            link,
            ttl,
            epoch,
            presence,
        } = seen;
        match presence {
            Presence::Present => {
                let id = self.known_or_early(name, link, context);
                let Some(place) = self.place_mut(id, link) else {
                    return;
                };
                if let Some(known) = place
                    .addresses
                    .iter_mut()
                    .find(|known| known.address == address)
                {
                    (known.ttl, known.epoch) = (ttl, epoch);
                    return;
                }
                if place.addresses.len() >= context.limits.addresses {
                    context.refused.addresses += 1;
                    return;
                }
                place.addresses.push(Address {
                    address,
                    ttl,
                    epoch,
                });
                if let Some(denied) = place.denied.get_mut(usize::from(address.is_ipv6())) {
                    *denied = false;
                }
                place.first_address.get_or_insert(context.now);
                place.plan(id, context);
                self.stale.insert(id);
            }
            Presence::Gone => {
                let Some(id) = self.ids.get(name) else {
                    return;
                };
                let Some(place) = self.place_mut(id, link) else {
                    return;
                };
                let before = place.addresses.len();
                place
                    .addresses
                    .retain(|known| known.address != address || known.epoch != epoch);
                if place.addresses.len() == before {
                    return;
                }
                self.addresses_went(id, link, context);
            }
        }
    }

    /// A host has no address of this family.
    pub(crate) fn handle_denial(
        &mut self,
        name: &NameBuf,
        link: Link,
        ipv6: bool,
        context: &mut Context<'_>,
    ) {
        let id = self.known_or_early(name, link, context);
        let Some(place) = self.place_mut(id, link) else {
            return;
        };
        // What is there is not denied: NSEC never goes before a record.
        let present = place
            .addresses
            .iter()
            .any(|known| known.address.is_ipv6() == ipv6);
        if let Some(denied) = place.denied.get_mut(usize::from(ipv6)).filter(|_| !present) {
            *denied = true;
            place.plan(id, context);
            self.stale.insert(id);
        }
    }

    /// A host is said to be another name of a host.
    pub(crate) fn handle_alias(
        &mut self,
        name: &NameBuf,
        target: &NameBuf,
        seen: Seen,
        context: &mut Context<'_>,
    ) {
        let Seen {
            link,
            epoch,
            presence,
            ..
        } = seen;
        let Some(id) = self.ids.get(name) else {
            return;
        };
        let Some(place) = self.place(id, link).filter(|place| !place.users.is_empty()) else {
            return;
        };
        let old = place.alias;
        let named = |hosts: &Self, alias: HostId| {
            hosts
                .hosts
                .get(&alias)
                .is_some_and(|host| host.name == *target)
        };
        match (presence, old) {
            (Presence::Present, Some((alias, _))) if named(self, alias) => {
                if let Some(place) = self.place_mut(id, link) {
                    place.alias = Some((alias, epoch));
                }
            }
            (Presence::Present, _) => {
                let depth = place.depth + 1;
                let mut way = self.way_from(target, link);
                // An alias that leads back here would keep itself alive, and a long way would be a deep recursion when its
                // beginning goes.
                if way.contains(&id) || depth + way.len().saturating_sub(1) > MAX_ALIASES {
                    context.refused.malformed += 1;
                    return;
                }
                let alias = self.enlist(target, link, User::Host(id), context);
                context.refused.hosts += u64::from(alias.is_none());
                if way.is_empty() {
                    way.extend(alias);
                }
                for (step, host) in way.into_iter().enumerate() {
                    if let Some(place) = self.place_mut(host, link) {
                        place.depth = place.depth.max(depth + step);
                    }
                }
                if let Some(place) = self.place_mut(id, link) {
                    place.alias = alias.map(|alias| (alias, epoch));
                }
                if let Some((old, _)) = old {
                    self.delist(old, link, User::Host(id), context);
                }
            }
            (Presence::Gone, Some((alias, known))) if known == epoch && named(self, alias) => {
                if let Some(place) = self.place_mut(id, link) {
                    place.alias = None;
                }
                self.delist(alias, link, User::Host(id), context);
            }
            (Presence::Gone, _) => return,
        }
        self.stale.insert(id);
    }

    /// The second family had its time.
    pub(crate) fn handle_patience(&mut self, id: HostId) {
        if self.hosts.contains_key(&id) {
            self.stale.insert(id);
        }
    }

    /// Forgets what was seen on a link before the given epoch.
    pub(crate) fn purge(&mut self, link: Link, epoch: u32, context: &mut Context<'_>) {
        let ids: Vec<_> = self.hosts.keys().copied().collect();
        for id in ids {
            let Some(place) = self.place_mut(id, link) else {
                continue;
            };
            let before = place.addresses.len();
            place.addresses.retain(|known| known.epoch == epoch);
            let gone = place.addresses.len() != before;
            place.denied = [false; 2];
            if let Some((alias, _)) = place.alias.filter(|(_, known)| *known != epoch) {
                place.alias = None;
                self.delist(alias, link, User::Host(id), context);
            }
            if gone {
                self.addresses_went(id, link, context);
            }
            if self
                .place(id, link)
                .is_some_and(|place| place.users.is_empty() && place.addresses.is_empty())
            {
                self.forget(id, link, context);
            }
        }
    }

    /// The instances of one host that changed, also of those hosts whose alias it is; `None` if no host changed.
    pub(crate) fn take_stale(&mut self) -> Option<Vec<InstanceId>> {
        let id = self.stale.pop_first()?;
        let mut instances = Vec::new();
        // On one link aliases make no ring, but A may stand for B on one and B for A on another.
        let mut reached = BTreeSet::from([id]);
        let mut next = Vec::from([id]);
        while let Some(id) = next.pop() {
            let places = self
                .hosts
                .get(&id)
                .into_iter()
                .flat_map(|host| &host.places);
            for user in places.flat_map(|place| &place.users) {
                match user {
                    User::Instance(instance) => instances.push(*instance),
                    User::Host(host) if reached.insert(*host) => next.push(*host),
                    User::Host(_) => {}
                }
            }
        }
        Some(instances)
    }

    /// The addresses of a host on a link, aliases followed.
    pub(crate) fn reach(&self, id: HostId, link: Link, now: Duration) -> Reach {
        let mut id = id;
        for _ in 0..=MAX_ALIASES {
            let Some(place) = self.place(id, link) else {
                break;
            };
            match place.alias {
                Some((alias, _)) if place.addresses.is_empty() => id = alias,
                _ => return place.reach(now),
            }
        }
        Reach::default()
    }

    /// How many hosts are needed, by link.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.hosts.len()
    }

    /// A host and those that its alias leads to.
    fn way_from(&self, name: &NameBuf, link: Link) -> Vec<HostId> {
        let alias = |id: &HostId| self.place(*id, link)?.alias.map(|(alias, _)| alias);
        core::iter::successors(self.ids.get(name), alias)
            .take(MAX_ALIASES + 1)
            .collect()
    }

    fn addresses_went(&mut self, id: HostId, link: Link, context: &mut Context<'_>) {
        let Some(place) = self.place_mut(id, link) else {
            return;
        };
        if place.addresses.is_empty() {
            place.first_address = None;
            if place.users.is_empty() {
                self.forget(id, link, context);
                return;
            }
        }
        place.plan(id, context);
        self.stale.insert(id);
    }

    /// The host with this name; if nobody named it yet, among the early ones, where the oldest makes room.
    fn known_or_early(&mut self, name: &NameBuf, link: Link, context: &mut Context<'_>) -> HostId {
        let id = self.host(name);
        let place = self.hosts.get_mut(&id).map(|host| host.place(link));
        if place.is_some_and(|place| place.users.is_empty()) && self.early.insert((id, link)) {
            while self.early.len() > context.limits.early {
                let Some((oldest, on)) = self.early.first().copied() else {
                    break;
                };
                context.refused.early += 1;
                self.forget(oldest, on, context);
            }
        }
        id
    }

    fn host(&mut self, name: &NameBuf) -> HostId {
        if let Some(id) = self.ids.get(name) {
            return id;
        }
        let id = HostId(self.next);
        self.next += 1;
        self.ids.insert(name, id);
        self.hosts.insert(
            id,
            Host {
                name: name.clone(),
                places: Vec::new(),
            },
        );
        id
    }

    fn forget(&mut self, id: HostId, link: Link, context: &mut Context<'_>) {
        self.early.remove(&(id, link));
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        let Some(at) = host.places.iter().position(|place| place.link == link) else {
            return;
        };
        let place = host.places.swap_remove(at);
        if host.places.is_empty() {
            self.ids.remove(&host.name);
            self.hosts.remove(&id);
            self.stale.remove(&id);
        }
        for ask in place.asks.into_iter().flatten() {
            context.asks.stop(ask);
        }
        context.timers.cancel(Why::Family(id, link));
        if let Some((alias, _)) = place.alias {
            self.delist(alias, link, User::Host(id), context);
        }
    }

    fn place(&self, id: HostId, link: Link) -> Option<&Place> {
        self.hosts
            .get(&id)?
            .places
            .iter()
            .find(|place| place.link == link)
    }

    fn place_mut(&mut self, id: HostId, link: Link) -> Option<&mut Place> {
        self.hosts
            .get_mut(&id)?
            .places
            .iter_mut()
            .find(|place| place.link == link)
    }
}

impl Host {
    fn place(&mut self, link: Link) -> &mut Place {
        let at = self
            .places
            .iter()
            .position(|place| place.link == link)
            .unwrap_or_else(|| {
                self.places.push(Place {
                    link,
                    users: BTreeSet::new(),
                    asks: None,
                    addresses: Vec::new(),
                    denied: [false; 2],
                    first_address: None,
                    alias: None,
                    depth: 0,
                });
                self.places.len() - 1
            });
        &mut self.places[at]
    }
}

impl Place {
    /// Both families are answered or denied.
    // ruling 29
    fn is_complete(&self) -> bool {
        let [ipv4_denied, ipv6_denied] = self.denied;
        let answered = |ipv6| {
            self.addresses
                .iter()
                .any(|known| known.address.is_ipv6() == ipv6)
        };
        (answered(false) || ipv4_denied) && (answered(true) || ipv6_denied)
    }

    /// When the second family had its time; there is nothing to wait for if it came.
    fn plan(&self, id: HostId, context: &mut Context<'_>) {
        let why = Why::Family(id, self.link);
        let until = self
            .first_address
            .map(|first| first.saturating_add(FAMILY_PATIENCE));
        match until.filter(|until| *until > context.now && !self.is_complete()) {
            Some(until) => context.timers.set(until, why),
            None => context.timers.cancel(why),
        }
    }

    fn reach(&self, now: Duration) -> Reach {
        let mut addresses: Vec<_> = self
            .addresses
            .iter()
            .map(|known| FoundAddress {
                address: known.address,
                link: self.link,
            })
            .collect();
        addresses.sort_unstable_by_key(FoundAddress::rank);
        let waited = |first: Duration| now >= first.saturating_add(FAMILY_PATIENCE);
        let settled = self
            .first_address
            .is_some_and(|first| self.is_complete() || waited(first));
        Reach {
            addresses,
            settled,
            ttl: self.addresses.iter().map(|known| known.ttl).min(),
        }
    }
}
