//! PTR records: which types there are, and which instances of them.

use alloc::collections::BTreeMap;
use core::time::Duration;

use cooee_wire::{Name, NameBuf, QuestionBuf, RecordType};

use super::ask::AskId;
use super::index::NameIndex;
use super::instances::{InstanceId, Pointer, RootId, push_one};
use super::machine::Browser;
use super::timers::Why;
use super::{Link, Presence};
use crate::names;
use crate::service_name::ServiceName;
use crate::service_type::ServiceType;
use crate::subtype::Subtype;

/// How long nobody may list a type again that was said to be gone.
// RFC 6762 §10.4 (6762-10.4-6), ruling 33
const TYPE_PATIENCE: Duration = Duration::from_secs(10);

/// The PTR questions of a browser.
#[derive(Debug, Default)]
pub(super) struct Roots {
    by_name: NameIndex<RootId>,
    roots: BTreeMap<RootId, Root>,
    /// What the type enumeration lists, if all types are wanted.
    listed: BTreeMap<ServiceType, ListedType>,
    /// The question of the type enumeration.
    listing: Option<(NameBuf, AskId)>,
    next: u32,
}

#[derive(Debug)]
struct Root {
    name: NameBuf,
    service_type: ServiceType,
    ask: AskId,
    /// How many PTR records of it are there.
    pointers: usize,
}

#[derive(Debug, Default)]
struct ListedType {
    root: Option<RootId>,
    /// Where it is listed, with the link's epoch.
    links: BTreeMap<Link, u32>,
    /// Since when it is listed nowhere.
    lost_at: Option<Duration>,
}

impl Roots {
    /// Whether instances of a type are looked for, under whatever subtype.
    pub(super) fn wants(&self, service_type: ServiceType) -> bool {
        // A type by itself is a root, or one of a handful with the same subtype.
        self.listing.is_some()
            || self
                .roots
                .values()
                .take(64)
                .any(|root| root.service_type == service_type)
    }

    pub(super) fn name(&self, id: RootId) -> Option<&NameBuf> {
        self.roots.get(&id).map(|root| &root.name)
    }
}

impl Browser {
    pub(super) fn add_listing(&mut self) {
        if let Some(name) = names::type_enumeration_name(self.spec.domain.as_name()) {
            let ask = self
                .asks
                .start(QuestionBuf::new(name.clone(), RecordType::PTR), None);
            self.roots.listing = Some((name, ask));
        }
    }

    pub(super) fn add_root(
        &mut self,
        service_type: ServiceType,
        subtype: Option<&Subtype>,
    ) -> Option<RootId> {
        let name =
            names::instance_enumeration_name(&service_type, subtype, self.spec.domain.as_name())?;
        if let Some(id) = self.roots.by_name.get(&name) {
            return Some(id);
        }
        let ask = self
            .asks
            .start(QuestionBuf::new(name.clone(), RecordType::PTR), None);
        let id = RootId(self.roots.next);
        self.roots.next += 1;
        self.roots.by_name.insert(&name, id);
        self.roots.roots.insert(
            id,
            Root {
                name,
                service_type,
                ask,
                pointers: 0,
            },
        );
        Some(id)
    }

    /// Asks all PTR questions anew, so that what the transport knows is told once more.
    pub(super) fn restart_roots(&mut self) {
        for root in self.roots.roots.values_mut() {
            self.asks.stop(root.ask);
            root.ask = self
                .asks
                .start(QuestionBuf::new(root.name.clone(), RecordType::PTR), None);
        }
    }

    pub(super) fn handle_pointer(
        &mut self,
        name: &NameBuf,
        link: Link,
        target: Name<'_>,
        ttl: u32,
        presence: Presence,
        own: bool,
    ) {
        if self
            .roots
            .listing
            .as_ref()
            .is_some_and(|(listing, _)| listing == name)
        {
            match names::listed_type(target) {
                Some(service_type) => self.handle_listed(service_type, link, presence),
                None => self.refused.malformed += 1,
            }
            return;
        }
        let Some(root) = self.roots.by_name.get(name) else {
            return;
        };
        let Some(instance) = ServiceName::from_name(target) else {
            self.refused.malformed += 1;
            return;
        };
        let pointer = Pointer {
            root,
            ttl,
            seen: self.now,
            epoch: self.epoch(link),
        };
        match presence {
            Presence::Present => self.pointer_came(link, instance, pointer, own),
            Presence::Gone => self.pointer_went(link, &instance, &pointer),
        }
    }

    /// One more, or one less, PTR record of a root.
    pub(super) fn count_pointer(&mut self, root: RootId, more: bool) {
        let Some(root) = self.roots.roots.get_mut(&root) else {
            return;
        };
        root.pointers = if more {
            root.pointers + 1
        } else {
            root.pointers.saturating_sub(1)
        };
        let service_type = root.service_type;
        if root.pointers == 0 {
            self.drop_type_if_lost(service_type);
        }
    }

    pub(super) fn purge_types(&mut self, link: Link, epoch: u32) {
        let mut lost = alloc::vec::Vec::new();
        for (service_type, listed) in &mut self.roots.listed {
            if listed.links.get(&link).is_some_and(|seen| *seen != epoch) {
                listed.links.remove(&link);
                lost.push(*service_type);
            }
        }
        lost.into_iter()
            .for_each(|service_type| self.doubt_type(service_type));
    }

    fn handle_listed(&mut self, service_type: ServiceType, link: Link, presence: Presence) {
        let epoch = self.epoch(link);
        match presence {
            Presence::Present => {
                if !self.roots.listed.contains_key(&service_type)
                    && self.roots.listed.len() >= self.spec.limits.types
                {
                    self.refused.types += 1;
                    return;
                }
                let listed = self.roots.listed.entry(service_type).or_default();
                listed.links.insert(link, epoch);
                if listed.lost_at.take().is_some() {
                    self.timers.cancel(Why::LostType(service_type));
                }
                if listed.root.is_none() {
                    let root = self.add_root(service_type, None);
                    if let Some(listed) = self.roots.listed.get_mut(&service_type) {
                        listed.root = root;
                    }
                }
            }
            Presence::Gone => {
                let Some(listed) = self.roots.listed.get_mut(&service_type) else {
                    return;
                };
                if listed.links.get(&link) == Some(&epoch) {
                    listed.links.remove(&link);
                    self.doubt_type(service_type);
                }
            }
        }
    }

    /// A type that is listed nowhere any more. Others may still have it: it is asked for once more before it is given up.
    fn doubt_type(&mut self, service_type: ServiceType) {
        let Some(listed) = self.roots.listed.get_mut(&service_type) else {
            return;
        };
        if !listed.links.is_empty() || listed.lost_at.is_some() {
            return;
        }
        listed.lost_at = Some(self.now);
        self.timers.set(
            self.now.saturating_add(TYPE_PATIENCE),
            Why::LostType(service_type),
        );
        if let Some((name, ask)) = &mut self.roots.listing {
            self.asks.stop(*ask);
            *ask = self
                .asks
                .start(QuestionBuf::new(name.clone(), RecordType::PTR), None);
        }
    }

    /// Gives up a type that nobody listed again; but not while it has instances, who are better witnesses.
    pub(super) fn drop_type_if_lost(&mut self, service_type: ServiceType) {
        let Some(listed) = self.roots.listed.get(&service_type) else {
            return;
        };
        if listed
            .lost_at
            .is_none_or(|lost_at| self.now < lost_at.saturating_add(TYPE_PATIENCE))
        {
            return;
        }
        let pointers = |id: &RootId| self.roots.roots.get(id).map_or(0, |root| root.pointers);
        if listed.root.as_ref().map_or(0, pointers) > 0 {
            return;
        }
        let root = self
            .roots
            .listed
            .remove(&service_type)
            .and_then(|listed| listed.root);
        if let Some(root) = root.and_then(|id| self.roots.roots.remove(&id)) {
            self.roots.by_name.remove(&root.name);
            self.asks.stop(root.ask);
        }
    }

    fn pointer_came(&mut self, link: Link, name: ServiceName, pointer: Pointer, own: bool) {
        let known = self.instances.find(name.as_name_buf());
        if known.is_none_or(|id| self.instances.is_early(id)) && !self.make_room() {
            self.refused.instances += 1;
            return;
        }
        let id = known.unwrap_or_else(|| self.instances.insert(name));
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let sighting = instance.sighting(link);
        let root = pointer.root;
        let changed = sighting.own != own && own;
        sighting.own |= own;
        if let Some(known) = sighting
            .pointers
            .iter_mut()
            .find(|known| known.root == root)
        {
            *known = pointer;
            if changed {
                self.mark(id);
            }
            // Its host may have found no room before.
            self.engage(id, link);
            return;
        }
        push_one(&mut sighting.pointers, pointer);
        self.count_pointer(root, true);
        self.found(id, link);
    }

    fn pointer_went(&mut self, link: Link, name: &ServiceName, pointer: &Pointer) {
        let Some(id) = self.instances.find(name.as_name_buf()) else {
            return;
        };
        let Some(sighting) = self
            .instances
            .get_mut(id)
            .and_then(|instance| instance.known_sighting(link))
        else {
            return;
        };
        let is_it = |known: &Pointer| known.root == pointer.root && known.epoch == pointer.epoch;
        let Some(at) = sighting.pointers.iter().position(is_it) else {
            return;
        };
        sighting.pointers.remove(at);
        let last = sighting.pointers.is_empty();
        self.count_pointer(pointer.root, false);
        if last {
            self.lose_sighting(id, link);
        }
    }

    /// Whether one more instance may be kept. The oldest that was never told has to go for it.
    fn make_room(&mut self) -> bool {
        if self.instances.len() < self.spec.limits.instances {
            return true;
        }
        self.overflowed = true;
        self.evict_unresolved(None)
    }

    /// Gives up the oldest instance that was never told and is not resolved either. Whether there was one.
    pub(super) fn evict_unresolved(&mut self, spared: Option<InstanceId>) -> bool {
        while let Some(oldest) = self.instances.oldest_untold(spared) {
            if self.current(oldest).is_some() {
                // Only its reader is slow.
                self.instances.keep(oldest);
                continue;
            }
            self.refused.evicted += 1;
            self.evict(oldest);
            return true;
        }
        false
    }

    /// Room came back: what found none before may come now.
    pub(super) fn refill(&mut self) {
        let is_low = |used: usize, limit: usize| used < limit - limit.div_ceil(4);
        if self.overflowed
            && is_low(self.instances.len(), self.spec.limits.instances)
            && is_low(self.hosts.used(), self.spec.limits.hosts)
        {
            self.overflowed = false;
            self.restart_roots();
        }
    }

    pub(super) fn doubt(&mut self, id: InstanceId, link: Link) {
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        let Some(sighting) = instance.known_sighting(link) else {
            return;
        };
        let lacks = sighting.services.iter().all(|service| service.lost);
        let Some((root, ttl)) = sighting
            .pointers
            .first()
            .map(|pointer| (pointer.root, pointer.ttl))
        else {
            return;
        };
        if sighting.doubted || !lacks {
            return;
        }
        sighting.doubted = true;
        let Some(name) = self.roots.name(root) else {
            return;
        };
        let record = super::instances::pointer_record(name, instance, ttl);
        self.doubts.insert((id, link), record);
    }
}
