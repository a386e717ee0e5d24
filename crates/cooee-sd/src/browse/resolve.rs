//! SRV, TXT and addresses: what makes an instance a service.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::{NameBuf, QuestionBuf, RecordType};

use super::hosts::{HostId, Seen, User};
use super::instances::{Attributes, InstanceId, Service, Sighting, push_one};
use super::machine::Browser;
use super::timers::Why;
use super::{Link, Presence};
use crate::service_name::ServiceName;

/// How long a lost SRV record may take to come back while the PTR record is asked for again.
// RFC 6762 §10.4 (6762-10.4-3, 6762-10.4-6), ruling 5
const LOST_PATIENCE: Duration = Duration::from_secs(10);

/// How long an instance is announced without SRV record before its PTR record is doubted.
// RFC 6762 §10.4 (6762-10.4-3)
const NO_SRV_PATIENCE: Duration = Duration::from_secs(10);

/// How many unresolved instances may make room for one host.
const MAX_EVICTIONS: usize = 8;

impl Browser {
    /// An instance was found on a link: what is not known of it is asked for there.
    pub(super) fn found(&mut self, id: InstanceId, link: Link) {
        self.instances.set_found(id);
        let resolves = self.resolves();
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let name = instance.name.as_name_buf().clone();
        let sighting = instance.sighting(link);
        if !sighting.is_found {
            sighting.is_found = true;
            if resolves && !sighting.pointers.is_empty() {
                // RFC 6763 §12 (6763-12-4), §5 (6763-5-1): asked together, on the link where it was seen.
                let mut ask = |kind| {
                    self.asks
                        .start(QuestionBuf::new(name.clone(), kind), Some(link))
                };
                sighting.asks = Some([ask(RecordType::SRV), ask(RecordType::TXT)]);
                if sighting.services.is_empty() {
                    self.timers.set(
                        self.now.saturating_add(NO_SRV_PATIENCE),
                        Why::NoSrv(id, link),
                    );
                }
            }
            self.engage(id, link);
        }
        self.mark(id);
    }

    pub(super) fn handle_service(
        &mut self,
        name: &NameBuf,
        link: Link,
        service: Service,
        presence: Presence,
        own: bool,
    ) {
        match presence {
            Presence::Present => self.service_came(name, link, service, own),
            Presence::Gone => self.service_went(name, link, &service),
        }
    }

    pub(super) fn handle_attributes(
        &mut self,
        name: &NameBuf,
        link: Link,
        attributes: Attributes,
        presence: Presence,
    ) {
        let id = match presence {
            Presence::Present => self.known_or_early(name),
            Presence::Gone => self.instances.find(name),
        };
        let Some(id) = id else { return };
        let follows_one = self.follows_one();
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if presence == Presence::Gone && instance.known_sighting(link).is_none() {
            return;
        }
        let sighting = instance.sighting(link);
        let same = |known: &Attributes| known.txt == attributes.txt;
        match presence {
            Presence::Present => {
                if let Some(known) = sighting.txts.iter_mut().find(|known| same(known)) {
                    (known.ttl, known.epoch) = (attributes.ttl, attributes.epoch);
                } else {
                    if sighting.txts.len() >= self.spec.limits.variants {
                        // The latest is the truth most likely.
                        self.refused.variants += 1;
                        sighting.txts.remove(0);
                    }
                    push_one(&mut sighting.txts, attributes);
                    sighting.plan(id, self.now, &mut self.timers);
                    self.mark(id);
                }
            }
            Presence::Gone => {
                let before = sighting.txts.len();
                sighting
                    .txts
                    .retain(|known| !same(known) || known.epoch != attributes.epoch);
                if sighting.txts.len() != before {
                    sighting.plan(id, self.now, &mut self.timers);
                    if follows_one && sighting.is_void() {
                        self.lose_sighting(id, link);
                    }
                    self.mark(id);
                    self.forget_if_void(id);
                }
            }
        }
    }

    pub(super) fn handle_address(&mut self, name: &NameBuf, address: IpAddr, seen: Seen) {
        if self.resolves() {
            let (hosts, mut context) = self.hosts();
            hosts.handle_address(name, address, seen, &mut context);
        }
    }

    fn service_came(&mut self, name: &NameBuf, link: Link, service: Service, own: bool) {
        let Some(id) = self.known_or_early(name) else {
            return;
        };
        let follows_one = self.follows_one();
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let sighting = instance.sighting(link);
        sighting.doubted = false;
        self.doubts.remove(&(id, link));
        let is_own_now = own && follows_one && !sighting.own;
        sighting.own |= is_own_now;
        if let Some(known) = sighting
            .services
            .iter_mut()
            .find(|known| known.says_the_same(&service))
        {
            (known.ttl, known.seen, known.epoch) = (service.ttl, service.seen, service.epoch);
            if core::mem::take(&mut known.lost) {
                self.timers.cancel(Why::LostSrv(id, link));
                self.mark(id);
            }
            if is_own_now {
                self.mark(id);
            }
            return;
        }
        let oldest = (sighting.services.len() >= self.spec.limits.variants)
            .then(|| sighting.services.remove(0));
        push_one(&mut sighting.services, service);
        self.timers.cancel(Why::NoSrv(id, link));
        if let Some(oldest) = oldest {
            self.refused.variants += 1;
            self.release(id, link, oldest);
        }
        if follows_one {
            self.found(id, link);
        }
        self.engage(id, link);
        self.drop_lost(id, link);
        self.mark(id);
    }

    fn service_went(&mut self, name: &NameBuf, link: Link, service: &Service) {
        let Some(id) = self.instances.find(name) else {
            return;
        };
        let (now, follows_one) = (self.now, self.follows_one());
        let Some(sighting) = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link))
        else {
            return;
        };
        let is_it = |known: &Service| known.says_the_same(service) && known.epoch == service.epoch;
        let Some(at) = sighting.services.iter().position(is_it) else {
            return;
        };
        let alone = sighting.services.iter().filter(|known| !known.lost).count() <= 1;
        let announced = sighting.is_found && !follows_one;
        let Some(known) = sighting.services.get_mut(at) else {
            return;
        };
        if alone && announced {
            // Nobody answers for it, but it is still announced: one of the two is wrong, and soon known to be.
            if !known.lost {
                known.lost = true;
                self.timers
                    .set(now.saturating_add(LOST_PATIENCE), Why::LostSrv(id, link));
                self.doubt(id, link);
            }
            return;
        }
        let gone = sighting.services.remove(at);
        self.release(id, link, gone);
        self.without_services(id, link);
        self.mark(id);
        self.forget_if_void(id);
    }

    /// Takes away SRV records that were lost: they did not come back, or others came.
    pub(super) fn drop_lost(&mut self, id: InstanceId, link: Link) {
        while let Some(sighting) = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link))
        {
            let Some(at) = sighting.services.iter().position(|service| service.lost) else {
                break;
            };
            let lost = sighting.services.remove(at);
            self.release(id, link, lost);
            self.mark(id);
        }
        self.without_services(id, link);
    }

    /// What follows when a sighting has no SRV record.
    fn without_services(&mut self, id: InstanceId, link: Link) {
        let follows_one = self.follows_one();
        let Some(sighting) = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link))
        else {
            return;
        };
        if !sighting.services.is_empty() {
            return;
        }
        sighting.since = None;
        sighting.service_at = None;
        self.timers.cancel(Why::NoTxt(id, link));
        if follows_one {
            sighting.is_found = false;
            if sighting.is_void() {
                self.lose_sighting(id, link);
            }
        }
    }

    /// Asks for the hosts of an instance that is found.
    pub(super) fn engage(&mut self, id: InstanceId, link: Link) {
        let resolves = self.resolves();
        let Some(sighting) = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link))
        else {
            return;
        };
        if !sighting.is_found || !resolves {
            return;
        }
        if !sighting.services.is_empty() {
            sighting.service_at.get_or_insert(self.now);
            sighting.plan(id, self.now, &mut self.timers);
        }
        let lacks_host = |service: &&Service| service.host.is_none() && service.is_usable();
        let targets: Vec<_> = sighting
            .services
            .iter()
            .filter(lacks_host)
            .map(|service| service.target.clone())
            .collect();
        for target in targets {
            let host = self.enlist(&target, link, id);
            let sighting = self
                .instances
                .get_mut(id)
                .and_then(|instance| instance.known_sighting(link));
            let mut services = sighting
                .into_iter()
                .flat_map(|sighting| &mut sighting.services);
            if let Some(service) =
                services.find(|service| lacks_host(&&**service) && service.target == target)
            {
                service.host = host;
                self.mark(id);
            }
        }
    }

    /// Makes room for a host if it has to.
    fn enlist(&mut self, target: &NameBuf, link: Link, id: InstanceId) -> Option<HostId> {
        for _ in 0..MAX_EVICTIONS {
            let (hosts, mut context) = self.hosts();
            let host = hosts.enlist(target, link, User::Instance(id), &mut context);
            if host.is_some() {
                return host;
            }
            self.overflowed = true;
            if !self.evict_unresolved(Some(id)) {
                break;
            }
        }
        self.refused.hosts += 1;
        None
    }

    /// Undoes what an SRV record that is taken away brought along.
    fn release(&mut self, id: InstanceId, link: Link, service: Service) {
        if service.lost {
            self.timers.cancel(Why::LostSrv(id, link));
        }
        let Some(host) = service.host else { return };
        let sighting = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link));
        if !sighting.is_some_and(|sighting| {
            sighting
                .services
                .iter()
                .any(|other| other.host == Some(host))
        }) {
            let (hosts, mut context) = self.hosts();
            hosts.delist(host, link, User::Instance(id), &mut context);
        }
    }

    /// An instance is no longer announced on a link: all that was known of it there goes, and its questions end.
    pub(super) fn lose_sighting(&mut self, id: InstanceId, link: Link) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let Some(at) = instance
            .sightings
            .iter()
            .position(|sighting| sighting.link == link)
        else {
            return;
        };
        let sighting = instance.sightings.swap_remove(at);
        self.dissolve(id, sighting);
        self.mark(id);
        self.forget_if_void(id);
    }

    fn dissolve(&mut self, id: InstanceId, sighting: Sighting) {
        let link = sighting.link;
        for ask in sighting.asks.into_iter().flatten() {
            self.asks.stop(ask);
        }
        self.doubts.remove(&(id, link));
        self.timers.cancel(Why::NoSrv(id, link));
        self.timers.cancel(Why::NoTxt(id, link));
        for pointer in sighting.pointers {
            self.count_pointer(pointer.root, false);
        }
        for service in sighting.services {
            self.release(id, link, service);
        }
    }

    /// Forgets an instance of which nothing is known and nothing was told.
    pub(super) fn forget_if_void(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if instance.told.is_some() {
            return;
        }
        if instance.sightings.iter().all(Sighting::is_void) {
            self.evict(id);
            self.refill();
        }
    }

    /// Forgets an instance, whatever is known of it.
    pub(super) fn evict(&mut self, id: InstanceId) {
        let sightings = self
            .instances
            .get_mut(id)
            .map(|instance| core::mem::take(&mut instance.sightings));
        for sighting in sightings.into_iter().flatten() {
            self.dissolve(id, sighting);
        }
        self.instances.remove(id);
    }

    /// The instance with this name. One that was not found yet is kept for a while if it could be: records come in any order.
    fn known_or_early(&mut self, name: &NameBuf) -> Option<InstanceId> {
        if let Some(id) = self.instances.find(name) {
            return Some(id);
        }
        let service = ServiceName::from_name(name.as_name())?;
        if let super::spec::Target::Instance(wanted) = &self.spec.target {
            if *wanted != service {
                return None;
            }
            let id = self.instances.insert(service);
            self.instances.set_found(id);
            return Some(id);
        }
        if !self.resolves() || !self.roots.wants(service.service_type()) {
            return None;
        }
        let id = self.instances.insert(service);
        while let Some(oldest) = self.instances.early_beyond(self.spec.limits.early) {
            self.refused.early += 1;
            self.evict(oldest);
        }
        Some(id)
    }

    /// The time is up for what was seen on a link before it went down.
    pub(super) fn purge(&mut self, link: Link) {
        let epoch = self.epoch(link);
        self.purge_types(link, epoch);
        for id in self.instances.all() {
            self.purge_instance(id, link, epoch);
        }
        let (hosts, mut context) = self.hosts();
        hosts.purge(link, epoch, &mut context);
    }

    fn purge_instance(&mut self, id: InstanceId, link: Link, epoch: u32) {
        let follows_one = self.follows_one();
        let Some(sighting) = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link))
        else {
            return;
        };
        let mut gone = Vec::new();
        sighting.pointers.retain(|pointer| {
            let stays = pointer.epoch == epoch;
            if !stays {
                gone.push(pointer.root);
            }
            stays
        });
        let unannounced = sighting.pointers.is_empty() && sighting.is_found && !follows_one;
        sighting.txts.retain(|known| known.epoch == epoch);
        let mut released = Vec::new();
        while let Some(at) = sighting
            .services
            .iter()
            .position(|known| known.epoch != epoch)
        {
            released.push(sighting.services.remove(at));
        }
        for root in gone {
            self.count_pointer(root, false);
        }
        for service in released {
            self.release(id, link, service);
        }
        if unannounced {
            self.lose_sighting(id, link);
            return;
        }
        self.without_services(id, link);
        self.mark(id);
        self.forget_if_void(id);
    }
}

impl Service {
    fn says_the_same(&self, other: &Self) -> bool {
        (self.priority, self.weight, self.port) == (other.priority, other.weight, other.port)
            && self.target == other.target
    }
}
