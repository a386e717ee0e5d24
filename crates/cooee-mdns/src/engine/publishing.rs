//! Groups of records on all links: publish, update, rename, withdraw.
//!
//! RFC 6762 §8.4 for updates, §10.1 for goodbyes, and rulings 8–10, 17 and 19.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use cooee_wire::NameBuf;

use super::config::{GOODBYES, MULTICAST_SPACING, STALE_ECHO, UPDATE_INTERVAL};
use super::context::{Context, Notice};
use super::link::Link;
use super::own::Own;
use super::probing::GroupOnLink;
use super::record_set::{Entry, Ownership};
use super::{Engine, Event, GroupId, Instant, Item, LinkId, LinkSet, PublishError, RecordSet};

/// A published group.
#[derive(Debug)]
pub(super) struct Group {
    set: RecordSet,
    links: LinkSet,
    /// The links that have to be through with probing before the group is ready (ruling 17); `None`: it has been told.
    awaited: Option<BTreeSet<LinkId>>,
    lost: bool,
    /// An update that came too soon, and when it may be made. Its names are held as if it had been.
    held: Option<(Instant, RecordSet)>,
    /// When it was last updated.
    updated: Option<Instant>,
    /// Its name is left to another responder of this host (ruling 22): nothing of it is on any link.
    pub(super) is_borrowed: bool,
}

impl Group {
    fn new(set: RecordSet, links: LinkSet) -> Self {
        Self {
            set,
            links,
            awaited: None,
            lost: false,
            held: None,
            updated: None,
            is_borrowed: false,
        }
    }

    /// The names that it makes this host's.
    pub(super) fn hosts(&self) -> &[NameBuf] {
        &self.set.hosts
    }

    /// Its names are left to another from now on; gives them, and where they are used.
    pub(super) fn lend(&mut self) -> (Vec<NameBuf>, LinkSet) {
        self.is_borrowed = true;
        self.awaited = None;
        (self.set.hosts.clone(), self.links.clone())
    }

    /// Whether nothing of it may be on any link.
    fn is_silent(&self) -> bool {
        self.lost || self.is_borrowed
    }

    /// When the next update may be made, if that is not now.
    // RFC 6762 §8.4 (6762-8.4-6): ten a minute
    fn next_update(&self, now: Instant) -> Option<Instant> {
        let next = self.updated.map(|last| last + UPDATE_INTERVAL);
        next.filter(|next| *next > now)
    }

    /// What it publishes, and what it will.
    fn sets(&self) -> impl Iterator<Item = &RecordSet> {
        core::iter::once(&self.set).chain(self.held.as_ref().map(|(_, set)| set))
    }
}

impl Engine {
    /// Publishes a group of records on the links told, now and whenever they come up. Unique records are probed first.
    ///
    /// # Errors
    ///
    /// [`PublishError`] if the group is empty, a record is too large, another group has the same name and type with other data or another TTL, or
    /// after a [`shutdown`](Self::shutdown).
    // RFC 6762 §8
    pub fn publish(
        &mut self,
        now: Instant,
        records: RecordSet,
        links: LinkSet,
    ) -> Result<GroupId, PublishError> {
        let now = self.clock(now);
        let id = GroupId(self.new_id());
        self.check(&records, id)?;
        self.note_sharer(id, &records);
        self.claims.insert(&self.context.keys, id, &records);
        self.groups.insert(id, Group::new(records, links));
        self.begin_group(now, id);
        self.settle(now);
        Ok(id)
    }

    /// Changes the records of a group. New names are probed; new data under known names is announced.
    ///
    /// Updates of one group are six seconds apart at least: of those that come faster the last one is made as soon as it may (ruling 11).
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish), or if there is no such group. Then nothing has changed.
    // RFC 6762 §8.4 (6762-8.4-1, 6762-8.4-3 .. 6762-8.4-6)
    pub fn update(
        &mut self,
        now: Instant,
        group: GroupId,
        records: RecordSet,
    ) -> Result<(), PublishError> {
        let now = self.clock(now);
        self.check(&records, group)?;
        let Some(known) = self.groups.get(&group) else {
            return Err(PublishError::UnknownGroup);
        };
        if known.lost {
            return self.rename(now, group, records);
        }
        match known.next_update(now) {
            None => {
                self.replace(group, records);
                self.updated(now, group);
            }
            Some(later) => {
                self.hold_back(group, None);
                self.hold_back(group, Some((later, records)));
            }
        }
        self.settle(now);
        Ok(())
    }

    /// Gives a group other names: after a conflict, or because somebody wishes so. The records are probed and announced anew.
    ///
    /// If the old names were ours they get a goodbye; if they were lost, none does (ruling 19).
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    // RFC 6762 §9 (6762-9-6, 6762-9-7)
    pub fn rename(
        &mut self,
        now: Instant,
        group: GroupId,
        records: RecordSet,
    ) -> Result<(), PublishError> {
        let now = self.clock(now);
        self.check(&records, group)?;
        let Some(known) = self.groups.get_mut(&group) else {
            return Err(PublishError::UnknownGroup);
        };
        let lost = core::mem::replace(&mut known.lost, false);
        self.note_sharer(group, &records);
        self.replace(group, records);
        let goodbyes = if lost { 0 } else { GOODBYES };
        let Self { links, context, .. } = self;
        for link in links.values_mut() {
            link.withdraw(now, group, goodbyes, context);
        }
        self.end_loan(group);
        self.begin_group(now, group);
        self.settle(now);
        Ok(())
    }

    /// Publishes a group on other links from now on: it says goodbye where it was, and is probed where it comes to. Where it stays nothing happens, and
    /// [`Event::Ready`] is not taken back.
    ///
    /// # Errors
    ///
    /// [`PublishError::UnknownGroup`] if there is no such group.
    // RFC 6762 §8 (6762-8-2), §10.1 (6762-10.1-1), ruling 17
    pub fn move_to(
        &mut self,
        now: Instant,
        group: GroupId,
        links: LinkSet,
    ) -> Result<(), PublishError> {
        let now = self.clock(now);
        let Some(known) = self.groups.get_mut(&group) else {
            return Err(PublishError::UnknownGroup);
        };
        known.links = links;
        if !known.is_silent() {
            for link in self.links.values_mut() {
                let is_there = link.groups.contains_key(&group);
                match known.links.contains(link.id) {
                    false if is_there => {
                        link.withdraw(now, group, GOODBYES, &mut self.context);
                        if let Some(awaited) = &mut known.awaited {
                            awaited.remove(&link.id);
                        }
                    }
                    true if !is_there && link.is_usable() => {
                        link.publish(now, group, &known.set, &mut self.context);
                        if let Some(awaited) = &mut known.awaited {
                            awaited.insert(link.id);
                        }
                    }
                    _ => {}
                }
            }
            self.context.notices.push_back(Notice::Settled(group));
        }
        self.settle(now);
        Ok(())
    }

    /// Takes a group back: a goodbye now and one a second later. Nothing more is told of it.
    // RFC 6762 §10.1 (6762-10.1-1), ruling 9
    pub fn withdraw(&mut self, now: Instant, group: GroupId) {
        let now = self.clock(now);
        self.withdraw_with(now, group, GOODBYES);
        self.settle(now);
    }

    /// Says goodbye once on a link for all that is published there: the link works, but is not to be used any more. [`link_down`](Self::link_down)
    /// is to follow when the goodbyes have left.
    // RFC 6762 §10.1 (6762-10.1-1), ruling 9
    pub fn leave_link(&mut self, now: Instant, link: LinkId) {
        let now = self.clock(now);
        if let Some(known) = self.links.get_mut(&link) {
            for &group in self.groups.keys() {
                known.withdraw(now, group, 1, &mut self.context);
            }
        }
        self.settle(now);
    }

    /// Whether a goodbye should be on its way by now and is not: it has not been polled, or the system has not been heard of.
    pub fn owes_goodbyes(&self, now: Instant) -> bool {
        self.links.values().any(|link| link.owes_goodbyes(now))
    }

    pub(super) fn withdraw_with(&mut self, now: Instant, group: GroupId, goodbyes: u8) {
        self.end_loan(group);
        self.sharers.remove(&group);
        self.hold_back(group, None);
        let Some(known) = self.groups.remove(&group) else {
            return;
        };
        self.claims.remove(&self.context.keys, group, &known.set);
        self.context.events.retain(|event| !event.is_about(group));
        let goodbyes = if known.lost { 0 } else { goodbyes };
        for link in self.links.values_mut() {
            link.withdraw(now, group, goodbyes, &mut self.context);
        }
    }

    /// All groups of a link that has come up: what was there is probed anew, what is missing is put there.
    pub(super) fn restart_groups_on(&mut self, now: Instant, link: LinkId) {
        let Some(known) = self.links.get_mut(&link) else {
            return;
        };
        let mut asking = Vec::new();
        // All at once: what two groups share is nobody's until one of them has probed for it.
        known.unclaim_all(&mut self.context);
        for (&id, group) in self
            .groups
            .iter_mut()
            .filter(|(_, group)| !group.is_silent() && group.links.contains(link))
        {
            let is_ours_elsewhere = group.awaited.is_none();
            if known.groups.contains_key(&id) {
                known.renew(now, id, &group.set, &mut self.context);
                known.reprobe(now, id, &mut self.context);
            } else if group.set.is_shared_host && known.info.is_port_shared() && !is_ours_elsewhere
            {
                asking.push(id);
                continue;
            } else {
                known.publish(now, id, &group.set, &mut self.context);
            }
            // A group that waited for a link waits for this one (ruling 17: later ones do not take ready back).
            if let Some(awaited) = &mut group.awaited
                && known.is_usable()
            {
                awaited.insert(link);
            }
        }
        for id in asking {
            self.ask_before_claim(now, id);
        }
    }

    /// No group waits for this link any more.
    pub(super) fn stop_awaiting(&mut self, link: LinkId) {
        for (&id, group) in &mut self.groups {
            if let Some(awaited) = &mut group.awaited
                && awaited.remove(&link)
            {
                self.context.notices.push_back(Notice::Settled(id));
            }
        }
    }

    /// Our addresses on a link have changed, and the host records with them.
    pub(super) fn readdress_groups_on(&mut self, now: Instant, link: LinkId) {
        let with_hosts: Vec<GroupId> = self
            .groups
            .iter()
            .filter(|(_, group)| !group.set.hosts.is_empty())
            .map(|(&id, _)| id)
            .collect();
        for group in with_hosts {
            self.renew_records(now, group, link);
        }
    }

    /// The update that came too soon is due.
    pub(super) fn make_held_update(&mut self, now: Instant, id: GroupId) {
        let held = self.groups.get_mut(&id).and_then(|group| group.held.take());
        let Some((_, set)) = held else { return };
        self.claims.remove(&self.context.keys, id, &set);
        self.replace(id, set);
        self.updated(now, id);
    }

    /// Gives a group other records, which [`check`](Self::check) has let pass; what was held back for it is of no account any more.
    fn replace(&mut self, id: GroupId, set: RecordSet) {
        self.hold_back(id, None);
        let (keys, claims) = (&self.context.keys, &mut self.claims);
        if let Some(group) = self.groups.get_mut(&id) {
            claims.remove(keys, id, &group.set);
            claims.insert(keys, id, &set);
            group.set = set;
        }
    }

    /// Keeps an update until it may be made, instead of the one that was kept.
    fn hold_back(&mut self, id: GroupId, update: Option<(Instant, RecordSet)>) {
        let (keys, claims) = (&self.context.keys, &mut self.claims);
        let Some(group) = self.groups.get_mut(&id) else {
            return;
        };
        if let Some((due, superseded)) = group.held.take() {
            claims.remove(keys, id, &superseded);
            self.agenda.remove(&(due, Item::Update(id)));
            // What both sets have was let go with the one.
            claims.insert(keys, id, &group.set);
        }
        if let Some((due, set)) = update {
            claims.insert(keys, id, &set);
            self.agenda.insert((due, Item::Update(id)));
            group.held = Some((due, set));
        }
    }

    fn updated(&mut self, now: Instant, id: GroupId) {
        if let Some(group) = self.groups.get_mut(&id) {
            group.updated = Some(now);
        }
        for link in self.links_of(id) {
            self.renew_records(now, id, link);
        }
    }

    /// What the links have to tell.
    pub(super) fn heed_notices(&mut self, now: Instant) {
        while let Some(notice) = self.context.notices.pop_front() {
            match notice {
                Notice::Settled(id) => self.check_ready(id),
                Notice::Complete(clients) => self.complete(&clients),
                Notice::Lost {
                    group: id,
                    link,
                    name,
                } => {
                    let Some(group) = self.groups.get_mut(&id).filter(|group| !group.lost) else {
                        continue;
                    };
                    tracing::debug!(%name, %link, "name lost to another host");
                    group.lost = true;
                    for link in self.links.values_mut() {
                        link.lose(now, id, &mut self.context);
                    }
                    self.context.events.push(Event::Conflict {
                        group: id,
                        link,
                        name,
                    });
                }
            }
        }
    }

    /// Begins with a group: by probing, or by asking whether its name is to be had from another responder of this host.
    fn begin_group(&mut self, now: Instant, id: GroupId) {
        let is_shared = |link| {
            let link: Option<&Link> = self.links.get(link);
            link.is_some_and(|link| link.info.is_port_shared())
        };
        if self.sharers.contains(&id) && self.links_of(id).iter().any(is_shared) {
            self.ask_before_claim(now, id);
        } else {
            self.start_group(now, id);
        }
    }

    pub(super) fn start_group(&mut self, now: Instant, id: GroupId) {
        let up = self.links_of(id);
        let Some(group) = self.groups.get_mut(&id) else {
            return;
        };
        group.awaited = Some(up.iter().copied().collect());
        if up.is_empty() {
            self.context.events.push(Event::Waiting { group: id });
        }
        for link in up {
            if let Some(link) = self.links.get_mut(&link) {
                link.publish(now, id, &group.set, &mut self.context);
            }
        }
        self.check_ready(id);
    }

    /// Tells that a group is ready when every link that it waits for is through.
    fn check_ready(&mut self, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id).filter(|group| !group.lost) else {
            return;
        };
        let Some(awaited) = &mut group.awaited else {
            return;
        };
        let links = &self.links;
        let through = |link: &LinkId| {
            links.get(link).is_none_or(|link| {
                !link.is_usable() || link.groups.get(&id).is_none_or(GroupOnLink::is_claimed)
            })
        };
        let somewhere = links.values().any(|link| {
            link.is_usable() && link.groups.get(&id).is_some_and(GroupOnLink::is_claimed)
        });
        if awaited.iter().all(through) && somewhere {
            group.awaited = None;
            self.context.events.push(Event::Ready { group: id });
        }
    }

    /// Brings a group's records on a link into accord with its set.
    fn renew_records(&mut self, now: Instant, id: GroupId, link: LinkId) {
        let (Some(group), Some(link)) = (self.groups.get(&id), self.links.get_mut(&link)) else {
            return;
        };
        if !group.is_silent() {
            link.renew(now, id, &group.set, &mut self.context);
        }
    }

    /// Keeps the list of groups that share their names with other responders of this host.
    fn note_sharer(&mut self, group: GroupId, set: &RecordSet) {
        if set.is_shared_host {
            self.sharers.insert(group);
        } else {
            self.sharers.remove(&group);
        }
    }

    pub(super) fn has_usable_link(&self, group: GroupId) -> bool {
        !self.links_of(group).is_empty()
    }

    fn links_of(&self, group: GroupId) -> Vec<LinkId> {
        let Some(group) = self.groups.get(&group) else {
            return Vec::new();
        };
        let usable = self
            .links
            .values()
            .filter(|link| link.is_usable() && group.links.contains(link.id));
        usable.map(|link| link.id).collect()
    }

    fn check(&self, set: &RecordSet, group: GroupId) -> Result<(), PublishError> {
        if self.shut_down {
            return Err(PublishError::ShutDown);
        }
        set.check()?;
        let others = || self.groups.iter().filter(|(id, _)| **id != group);
        let sets = || others().flat_map(|(_, group)| group.sets());
        let alias = self.claims.alias(&self.context.keys, set, sets);
        if let Some(alias) = alias {
            return Err(PublishError::Alias(alias));
        }
        let sets_of = |other| self.groups.get(&other).into_iter().flat_map(Group::sets);
        self.claims.check(&self.context.keys, group, set, sets_of)
    }
}

impl Link {
    /// Puts a group onto this link.
    fn publish(&mut self, now: Instant, id: GroupId, set: &RecordSet, cx: &mut Context) {
        if !self.is_usable() || self.groups.contains_key(&id) {
            return;
        }
        let entries = set.on_link(&self.info);
        let (slots, _) = self.add_records(now, &entries, id, cx);
        self.groups.insert(id, GroupOnLink::new(slots));
        self.start_group(now, id, cx);
    }

    /// Takes a group off this link and says nothing: another responder of this host has these names.
    // Ruling 22
    pub(super) fn withdraw_in_silence(
        &mut self,
        now: Instant,
        id: GroupId,
        names: &[NameBuf],
        cx: &mut Context,
    ) {
        self.withdraw(now, id, 0, cx);
        self.cancel_goodbyes_of(names);
    }

    /// Takes a group off this link, with so many goodbyes.
    fn withdraw(&mut self, now: Instant, id: GroupId, goodbyes: u8, cx: &mut Context) {
        // Whose the name is has not been decided: the goodbye could be for the other's records (ruling 19).
        let contested = self.groups.get(&id).is_some_and(|state| state.contested);
        let goodbyes = if contested { 0 } else { goodbyes };
        for own in self.stop_group(now, id, cx) {
            self.remember_previous(now, &own);
            if goodbyes > 0 && own.goodbye {
                self.say_goodbye(now, own, goodbyes);
            }
        }
    }

    /// Changes the records of a group to those of `set`.
    // RFC 6762 §8.4
    fn renew(&mut self, now: Instant, id: GroupId, set: &RecordSet, cx: &mut Context) {
        let Some(state) = self.groups.get(&id) else {
            return self.publish(now, id, set, cx);
        };
        let claimed = state.is_claimed();
        let before = state.records.clone();
        let names_before = self.probed_names(id);
        let entries = set.on_link(&self.info);
        let (after, mut news) = self.add_records(now, &entries, id, cx);
        if let Some(state) = self.groups.get_mut(&id) {
            state.records.clone_from(&after);
            state.news.retain(|slot| after.contains(slot));
        }
        if claimed {
            for &slot in news.iter().filter(|slot| !before.contains(slot)) {
                self.activate(slot, cx);
            }
        }
        let replaced: Vec<(NameBuf, cooee_wire::RecordType)> = news
            .iter()
            .filter_map(|&slot| self.own.get(slot))
            .map(|own| (own.record.name.clone(), own.kind()))
            .collect();
        for slot in before.into_iter().filter(|slot| !after.contains(slot)) {
            let Some(own) = self.release_record(now, slot, id, claimed, cx) else {
                continue;
            };
            self.remember_previous(now, &own);
            // New unique data flushes the old (6762-8.4-5); shared data, and what has no successor, gets a goodbye (6762-8.4-4).
            let flushed = own.is_unique()
                && replaced
                    .iter()
                    .any(|(name, kind)| *name == own.record.name && *kind == own.kind());
            if !flushed && own.goodbye {
                self.say_goodbye(now, own, GOODBYES);
            }
        }
        let new_name = self
            .probed_names(id)
            .iter()
            .any(|name| !names_before.contains(name));
        if new_name {
            self.reprobe(now, id, cx);
        } else if claimed {
            // A unique RRset is announced whole (6762-10.2-7).
            for place in 0..news.len() {
                let Some(&slot) = news.get(place) else { break };
                if self.own.get(slot).is_some_and(Own::is_unique) {
                    let members: Vec<usize> = self
                        .own
                        .rrset_of(slot)
                        .filter(|member| !news.contains(member))
                        .collect();
                    news.extend(members);
                }
            }
            self.announce_news(now, id, news);
        }
    }

    /// Gives the places of the records, each once, and of those that are new or different.
    fn add_records(
        &mut self,
        now: Instant,
        entries: &[Entry],
        id: GroupId,
        cx: &Context,
    ) -> (Vec<usize>, Vec<usize>) {
        let (mut slots, mut news) = (Vec::new(), Vec::new());
        for entry in entries {
            self.cancel_goodbye(&entry.record);
            let (slot, is_new) = self.own.add(&cx.keys, entry, id);
            if slots.contains(&slot) {
                continue;
            }
            slots.push(slot);
            if is_new {
                news.push(slot);
                self.recall_departed(now, slot);
            }
        }
        (slots, news)
    }

    /// A record has gone; if it comes back at once, the time of its last multicast still counts.
    // RFC 6762 §6 (6762-6-30)
    pub(super) fn remember_departed(&mut self, now: Instant, own: &Own) {
        self.departed
            .retain(|(sent, _)| now.since(*sent) < MULTICAST_SPACING);
        if let Some(sent) = own
            .last_multicast
            .filter(|sent| now.since(*sent) < MULTICAST_SPACING)
        {
            self.departed.push((sent, own.hash));
        }
    }

    fn recall_departed(&mut self, now: Instant, slot: usize) {
        if let Some(own) = self.own.get_mut(slot)
            && own.last_multicast.is_none()
            && let Some(place) = self.departed.iter().position(|(_, hash)| *hash == own.hash)
        {
            let (sent, _) = self.departed.swap_remove(place);
            own.last_multicast = Some(sent).filter(|sent| now.since(*sent) < MULTICAST_SPACING);
        }
    }

    /// Our former data may still come back to us from a bridge or a proxy (ruling 20). What was not sent cannot: somebody who has it has it of their own.
    fn remember_previous(&mut self, now: Instant, own: &Own) {
        self.forget_previous(now);
        if own.last_multicast.is_some()
            && own.ownership == Ownership::Probed
            && self.previous.len() < PREVIOUS
        {
            self.previous
                .push_back((now + STALE_ECHO, own.record.clone()));
        }
    }
}

/// How many former records are remembered.
const PREVIOUS: usize = 1024;
