//! The instances a browser knows, and the order in which their news are told.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::time::Duration;

use cooee_wire::{NameBuf, RecordBuf};

use super::Link;
use super::ask::AskId;
use super::found::{Found, Missing, Target, Ttl, Unresolved, View};
use super::hosts::{HostId, Hosts, Reach};
use super::index::NameIndex;
use super::timers::{Timers, Why};
use crate::service_name::ServiceName;
use crate::txt::TxtAttributes;

/// How long a resolved service may be without a TXT record before that counts as one without attributes.
// RFC 6763 §6.1 (6763-6.1-7): no record at all means the same as an empty one; the patience is ours.
pub(crate) const TXT_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceId(u64);

/// The PTR question by which an instance was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RootId(pub(crate) u32);

#[derive(Debug, Default)]
pub(crate) struct Instances {
    next: u64,
    ids: NameIndex<InstanceId>,
    instances: BTreeMap<InstanceId, Instance>,
    /// Never told, oldest first: these make room for others, unless they turn out to be resolved.
    fresh: BTreeSet<InstanceId>,
    /// Not found yet: only records about them came, oldest first.
    early: BTreeSet<InstanceId>,
    /// What may have changed, in order; each instance once.
    news: BTreeMap<u64, InstanceId>,
    next_news: u64,
}

#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) name: ServiceName,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) told: Option<Found>,
    queued: Option<u64>,
}

/// An instance on one link.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) link: Link,
    pub(crate) own: bool,
    /// It is announced here; before that, only records about it came.
    pub(crate) is_found: bool,
    pub(crate) pointers: Vec<Pointer>,
    pub(crate) asks: Option<[AskId; 2]>,
    pub(crate) services: Vec<Service>,
    /// Since when there is an SRV record of something that was found.
    pub(crate) service_at: Option<Duration>,
    pub(crate) txts: Vec<Attributes>,
    /// Place in the order in which views were resolved.
    pub(crate) since: Option<u64>,
    /// The PTR record was doubted because there is no SRV record; not again before one comes.
    pub(crate) doubted: bool,
}

#[derive(Debug)]
pub(crate) struct Pointer {
    pub(crate) root: RootId,
    pub(crate) ttl: u32,
    pub(crate) seen: Duration,
    pub(crate) epoch: u32,
}

/// What an SRV record says.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    pub(crate) target: NameBuf,
    /// Once the instance is found, unless it is a placeholder or there was no room.
    pub(crate) host: Option<HostId>,
    pub(crate) ttl: u32,
    pub(crate) seen: Duration,
    pub(crate) epoch: u32,
    /// The record is gone, but was the last one.
    pub(crate) lost: bool,
}

/// What a TXT record says.
#[derive(Debug)]
pub(crate) struct Attributes {
    pub(crate) txt: TxtAttributes,
    pub(crate) ttl: u32,
    pub(crate) epoch: u32,
}

impl Service {
    /// Port 0 keeps a name and is no service; a target that is the root says that there is none.
    // RFC 6763 §8 (6763-8-7), RFC 2782 (usage of ".")
    pub(crate) fn is_usable(&self) -> bool {
        self.port != 0 && !self.target.as_name().is_root()
    }
}

impl Sighting {
    fn new(link: Link) -> Self {
        Self {
            link,
            own: false,
            is_found: false,
            pointers: Vec::new(),
            asks: None,
            services: Vec::new(),
            service_at: None,
            txts: Vec::new(),
            since: None,
            doubted: false,
        }
    }

    /// Nothing is known any more.
    pub(crate) fn is_void(&self) -> bool {
        !self.is_found && self.services.is_empty() && self.txts.is_empty()
    }

    /// When the TXT record had its time; there is nothing to wait for if it came, or was there before.
    pub(crate) fn plan(&self, id: InstanceId, now: Duration, timers: &mut Timers) {
        let why = Why::NoTxt(id, self.link);
        let until = self.service_at.map(|at| at.saturating_add(TXT_PATIENCE));
        match until.filter(|until| *until > now && self.txts.is_empty() && self.since.is_none()) {
            Some(until) => timers.set(until, why),
            None => timers.cancel(why),
        }
    }

    /// The SRV record to show, and what is known of its host. One whose host has addresses goes before others, so that a
    /// move to another host shows when it is complete; then the lowest priority, then the latest.
    fn choose(&self, hosts: &Hosts, now: Duration) -> Option<(&Service, Reach)> {
        let usable = self
            .services
            .iter()
            .rev()
            .filter(|service| service.is_usable());
        let reached = usable.map(|service| {
            let reach = service
                .host
                .map(|host| hosts.reach(host, self.link, now))
                .unwrap_or_default();
            (service, reach)
        });
        reached.min_by_key(|(service, reach)| {
            (reach.addresses.is_empty(), service.lost, service.priority)
        })
    }

    fn missing(&self, hosts: &Hosts, now: Duration) -> Missing {
        let chosen = self.choose(hosts, now);
        Missing {
            srv: self.services.is_empty(),
            txt: self.txts.is_empty(),
            address: !chosen.as_ref().is_some_and(|(_, reach)| reach.settled),
            port: chosen.is_none() && !self.services.is_empty(),
        }
    }

    fn view(&self, service: &Service, reach: Reach, hosts: &Hosts, now: Duration) -> View {
        let pointer = self.pointers.first();
        let ends = |seen: Duration, ttl: u32| seen.saturating_add(Duration::from_secs(ttl.into()));
        let srv_ends = ends(service.seen, service.ttl);
        let mut txts = self.txts.iter().rev().map(|known| known.txt.clone());
        let target = |other: &Service| Target {
            host: other.target.clone(),
            port: other.port,
            priority: other.priority,
            weight: other.weight,
            addresses: other
                .host
                .map(|host| hosts.reach(host, self.link, now).addresses)
                .unwrap_or_default(),
        };
        let is_other =
            |other: &&Service| other.is_usable() && !other.lost && !core::ptr::eq(*other, service);
        let mut others: Vec<_> = self.services.iter().filter(is_other).map(target).collect();
        others.sort_by_key(|other| other.priority);
        View {
            links: Vec::from([self.link]),
            host: service.target.clone(),
            port: service.port,
            priority: service.priority,
            weight: service.weight,
            txt: txts.next().unwrap_or_default(),
            more_txt: txts.collect(),
            others,
            addresses: reach.addresses,
            ttl: Ttl {
                ptr: pointer.map(|pointer| pointer.ttl),
                srv: Some(service.ttl),
                txt: self.txts.last().map(|known| known.ttl),
                address: reach.ttl,
            },
            expires_at: pointer.map_or(srv_ends, |pointer| {
                srv_ends.min(ends(pointer.seen, pointer.ttl))
            }),
        }
    }
}

impl Instance {
    /// The link's part, made if there is none.
    pub(crate) fn sighting(&mut self, link: Link) -> &mut Sighting {
        let at = self
            .sightings
            .iter()
            .position(|sighting| sighting.link == link)
            .unwrap_or_else(|| {
                push_one(&mut self.sightings, Sighting::new(link));
                self.sightings.len() - 1
            });
        &mut self.sightings[at]
    }

    pub(crate) fn known_sighting(&mut self, link: Link) -> Option<&mut Sighting> {
        self.sightings
            .iter_mut()
            .find(|sighting| sighting.link == link)
    }

    /// What is true now. Views become resolved here, and stay so while they live: a service whose TXT or addresses went
    /// is still one (ruling 5).
    pub(crate) fn found(
        &mut self,
        hosts: &Hosts,
        now: Duration,
        without_own: bool,
        order: &mut u64,
    ) -> Option<Found> {
        let mut own = false;
        let mut views: Vec<(u64, View)> = Vec::new();
        for sighting in self
            .sightings
            .iter_mut()
            .filter(|sighting| sighting.is_found)
        {
            if sighting.own && without_own {
                continue;
            }
            let Some((service, reach)) = sighting.choose(hosts, now) else {
                sighting.since = None;
                continue;
            };
            let since = match sighting.since {
                Some(since) => since,
                None => {
                    let waited = sighting
                        .service_at
                        .is_some_and(|at| now >= at.saturating_add(TXT_PATIENCE));
                    // ruling 29
                    if !reach.settled || (sighting.txts.is_empty() && !waited) {
                        continue;
                    }
                    *order += 1;
                    *order
                }
            };
            let view = sighting.view(service, reach, hosts, now);
            sighting.since = Some(since);
            own |= sighting.own;
            views.push((since, view));
        }
        views.sort_by_key(|(since, _)| *since);
        // ruling 31
        let mut merged: Vec<View> = Vec::with_capacity(views.len());
        for (_, view) in views {
            match merged
                .iter_mut()
                .find(|known| known.port == view.port && known.host == view.host)
            {
                Some(known) => {
                    known.links.extend(view.links);
                    known.addresses.extend(view.addresses);
                    known
                        .addresses
                        .sort_unstable_by_key(super::found::FoundAddress::rank);
                }
                None => merged.push(view),
            }
        }
        Found::new(self.name.clone(), own, merged)
    }

    /// What there is to say if nothing is resolved; `None` if it is not found either.
    pub(crate) fn unresolved(
        &self,
        hosts: &Hosts,
        now: Duration,
        without_own: bool,
    ) -> Option<Unresolved> {
        let seen = |sighting: &&Sighting| sighting.is_found && !(sighting.own && without_own);
        let mut links: Vec<_> = self
            .sightings
            .iter()
            .filter(seen)
            .map(|sighting| sighting.link)
            .collect();
        links.sort_unstable();
        let missing = self
            .sightings
            .iter()
            .filter(seen)
            .map(|sighting| sighting.missing(hosts, now))
            .min()?;
        let own = self.sightings.iter().any(|sighting| sighting.own);
        Some(Unresolved {
            name: self.name.clone(),
            links,
            missing,
            own,
        })
    }
}

impl Instances {
    pub(crate) fn find(&self, name: &NameBuf) -> Option<InstanceId> {
        self.ids.get(name)
    }

    pub(crate) fn get(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: InstanceId) -> Option<&mut Instance> {
        self.instances.get_mut(&id)
    }

    /// All ids, by age.
    pub(crate) fn all(&self) -> Vec<InstanceId> {
        self.instances.keys().copied().collect()
    }

    /// How many are found, or were told and not taken back yet.
    pub(crate) fn len(&self) -> usize {
        self.instances.len() - self.early.len()
    }

    /// A new instance, not found yet.
    pub(crate) fn insert(&mut self, name: ServiceName) -> InstanceId {
        let id = InstanceId(self.next);
        self.next += 1;
        self.ids.insert(name.as_name_buf(), id);
        self.instances.insert(
            id,
            Instance {
                name,
                sightings: Vec::new(),
                told: None,
                queued: None,
            },
        );
        self.early.insert(id);
        id
    }

    /// From now on it is more than some early records.
    pub(crate) fn set_found(&mut self, id: InstanceId) {
        if self.early.remove(&id) {
            self.fresh.insert(id);
        }
    }

    /// The early one to give up, if there are more than that.
    pub(crate) fn early_beyond(&self, limit: usize) -> Option<InstanceId> {
        (self.early.len() > limit)
            .then(|| self.early.first().copied())
            .flatten()
    }

    pub(crate) fn is_early(&self, id: InstanceId) -> bool {
        self.early.contains(&id)
    }

    /// The oldest that nobody was told of, but for one.
    pub(crate) fn oldest_untold(&self, spared: Option<InstanceId>) -> Option<InstanceId> {
        self.fresh.iter().copied().find(|id| Some(*id) != spared)
    }

    /// From now on it does not make room for others.
    pub(crate) fn keep(&mut self, id: InstanceId) {
        self.fresh.remove(&id);
    }

    pub(crate) fn remove(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.remove(&id) else {
            return;
        };
        self.ids.remove(instance.name.as_name_buf());
        self.fresh.remove(&id);
        self.early.remove(&id);
        if let Some(place) = instance.queued {
            self.news.remove(&place);
        }
    }

    /// Something about it may have changed.
    pub(crate) fn mark(&mut self, id: InstanceId) {
        if let Some(instance) = self
            .instances
            .get_mut(&id)
            .filter(|instance| instance.queued.is_none())
        {
            instance.queued = Some(self.next_news);
            self.news.insert(self.next_news, id);
            self.next_news += 1;
        }
    }

    pub(crate) fn first_news(&self) -> Option<InstanceId> {
        self.news.first_key_value().map(|(_, id)| *id)
    }

    /// Its news were told, or there were none.
    pub(crate) fn unmark(&mut self, id: InstanceId) {
        if let Some(place) = self
            .instances
            .get_mut(&id)
            .and_then(|instance| instance.queued.take())
        {
            self.news.remove(&place);
        }
    }

    pub(crate) fn set_told(&mut self, id: InstanceId, told: Option<Found>) {
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if told.is_some() {
            self.fresh.remove(&id);
        } else if !self.early.contains(&id) {
            self.fresh.insert(id);
        }
        instance.told = told;
    }

    #[cfg(test)]
    pub(crate) fn news_len(&self) -> usize {
        self.news.len()
    }
}

/// Adds to a list that has one element nearly always. `Vec` makes room for four by itself, which is most of the memory of
/// a browser that knows thousands.
pub(crate) fn push_one<T>(list: &mut Vec<T>, item: T) {
    list.reserve_exact(1);
    list.push(item);
}

/// The PTR record that names an instance.
pub(crate) fn pointer_record(root: &NameBuf, instance: &Instance, ttl: u32) -> RecordBuf {
    RecordBuf::new(
        root.clone(),
        ttl,
        cooee_wire::RdataBuf::ptr(instance.name.as_name()),
    )
}
