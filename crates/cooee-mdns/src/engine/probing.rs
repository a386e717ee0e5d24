//! How names become ours: probing, announcing, and what happens when somebody else has them.
//!
//! RFC 6762 §8 and §9. A group is probed as a whole; its records are answered with once it has passed.

use alloc::vec::Vec;
use core::cmp::Ordering;

use cooee_wire::{Data, Message, NameBuf, Question, Record, RecordType};

use super::Instant;
use super::cache::matches;
use super::config::{
    ANNOUNCEMENT_INTERVAL, ANNOUNCEMENTS, MULTICAST_SPACING, PROBE_DELAY, PROBE_INTERVAL, PROBES,
    TIEBREAK_DEFERRAL,
};
use super::context::{Context, Notice};
use super::deadlines::Timer;
use super::event::Presence;
use super::learning::is_pseudo;
use super::link::{Link, Why};
use super::own::Own;
use super::record_set::{GroupId, Ownership};

/// How far a group is on one link.
#[derive(Debug)]
pub(super) struct GroupOnLink {
    pub(super) phase: Phase,
    pub(super) timer: Timer,
    pub(super) records: Vec<usize>,
    /// What is to be announced: all of it at first, what is new after an update.
    pub(super) news: Vec<usize>,
    /// Another host has shown a record that contradicts ours, and it is not decided yet whose the name is.
    pub(super) contested: bool,
}

/// A name that is to be probed for now. The records of one name stay together (6762-8.2-3); the names of a group need not.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeUnit {
    pub(super) group: GroupId,
    pub(super) name: usize,
    /// With it all names of the group have been probed for.
    pub(super) last: bool,
}

/// The way of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// So many probes have been sent.
    Probing(u8),
    /// The names are ours; so many announcements have been sent.
    Announcing(u8),
    /// All is said.
    Established,
    /// Somebody else has a name of the group: it is silent until it is renamed.
    Lost,
}

impl GroupOnLink {
    pub(super) fn new(records: Vec<usize>) -> Self {
        Self {
            phase: Phase::Probing(0),
            timer: Timer::default(),
            records,
            news: Vec::new(),
            contested: false,
        }
    }

    /// Whether its records are answered with.
    pub(super) fn is_claimed(&self) -> bool {
        matches!(self.phase, Phase::Announcing(_) | Phase::Established)
    }
}

/// How many records of a probe are compared with ours. A host with more for one name would be odd.
const TIEBREAK_RECORDS: usize = 64;

impl Link {
    /// Begins to probe a group, or claims it at once if there is nothing to probe.
    ///
    /// The first probe waits a little, so that hosts switched on together do not speak together; groups that come up meanwhile join it.
    // RFC 6762 §8.1 (6762-8.1-4, 6762-8.1-18)
    pub(super) fn start_group(&mut self, now: Instant, group: GroupId, cx: &mut Context) {
        if self.names_to_probe(group).is_empty() {
            self.claim(now, group, cx);
            return;
        }
        let earliest = now + cx.conflicts.delay(now);
        let due = match self.probe_batch {
            Some(batch) if batch >= earliest => batch,
            _ => earliest + cx.rng.between(PROBE_DELAY),
        };
        self.probe_batch = Some(due);
        self.probe_from(group, due);
    }

    /// The first of a group's probes is due at `due`.
    fn probe_from(&mut self, group: GroupId, due: Instant) {
        self.ready_probes.retain(|unit| unit.group != group);
        if let Some(state) = self.groups.get_mut(&group) {
            state.phase = Phase::Probing(0);
            state.timer.set(due, Why::Group(group), &mut self.deadlines);
        }
    }

    /// Things have changed: what was ours may be somebody else's by now, so the group is probed and announced anew.
    // RFC 6762 §8 (6762-8-2), §10.2 (6762-10.2-1)
    pub(super) fn reprobe(&mut self, now: Instant, group: GroupId, cx: &mut Context) {
        if self
            .groups
            .get(&group)
            .is_some_and(|state| state.phase != Phase::Lost)
        {
            self.unclaim(group, cx);
            self.start_group(now, group, cx);
        }
    }

    /// The group's next step is due.
    pub(super) fn advance_group(&mut self, now: Instant, group: GroupId, cx: &mut Context) {
        match self.groups.get(&group).map(|state| state.phase) {
            Some(Phase::Probing(sent)) => {
                let names = self.names_to_probe(group);
                if sent >= PROBES || names.is_empty() {
                    self.claim(now, group, cx);
                    return;
                }
                // Another group may have asked for one of the names just now: then both ask together the next time.
                let next = names.iter().map(|&name| self.own.next_probe(name)).max();
                if let Some(next) = next.filter(|next| *next > now) {
                    if let Some(state) = self.groups.get_mut(&group) {
                        state
                            .timer
                            .set(next, Why::Group(group), &mut self.deadlines);
                    }
                    return;
                }
                let last = names.len() - 1;
                let units = names.into_iter().enumerate();
                self.ready_probes
                    .extend(units.map(|(place, name)| ProbeUnit {
                        group,
                        name,
                        last: place == last,
                    }));
            }
            Some(Phase::Announcing(_)) => self.announce(now, group),
            Some(Phase::Established | Phase::Lost) | None => {}
        }
    }

    /// A probe of the group has been put into a datagram.
    // RFC 6762 §8.1 (6762-8.1-5)
    pub(super) fn probe_sent(&mut self, now: Instant, group: GroupId) {
        if let Some(state) = self.groups.get_mut(&group)
            && let Phase::Probing(sent) = &mut state.phase
        {
            *sent += 1;
            state
                .timer
                .set(now + PROBE_INTERVAL, Why::Group(group), &mut self.deadlines);
        }
    }

    /// The probe did not leave: it does not count and is repeated (ruling 26).
    pub(super) fn probe_failed(&mut self, now: Instant, group: GroupId) {
        if let Some(state) = self.groups.get_mut(&group)
            && let Phase::Probing(sent) = &mut state.phase
        {
            *sent = sent.saturating_sub(1);
            state
                .timer
                .set(now + PROBE_INTERVAL, Why::Group(group), &mut self.deadlines);
        }
    }

    /// The names are ours: the records are answered with from now on, and announced.
    // RFC 6762 §8.1 (6762-8.1-6), §8.3 (6762-8.3-1)
    fn claim(&mut self, now: Instant, group: GroupId, cx: &mut Context) {
        let records = self.records_of(group);
        if let Some(state) = self.groups.get_mut(&group) {
            state.news.clone_from(&records);
            state.phase = Phase::Announcing(0);
            state.contested = false;
        }
        for &slot in &records {
            self.activate(slot, cx);
        }
        self.announce(now, group);
        cx.notices.push_back(Notice::Settled(group));
    }

    /// One more group answers with this record.
    pub(super) fn activate(&mut self, slot: usize, cx: &mut Context) {
        let Some(own) = self.own.get_mut(slot) else {
            return;
        };
        own.claims += 1;
        let (first, name, unique) = (own.claims == 1, own.name, own.is_unique());
        let told = core::mem::replace(&mut own.told, true);
        if first && unique {
            self.own.renew_nsec(&cx.keys, name);
            self.rest_answered_questions(name, cx);
        }
        if !told {
            self.tell_own(slot, Presence::Present, cx);
        }
    }

    /// One group less answers with this record. Our own clients are not told: it may be ours again in a moment.
    fn deactivate(&mut self, slot: usize, cx: &mut Context) {
        let Some(own) = self.own.get_mut(slot) else {
            return;
        };
        own.claims = own.claims.saturating_sub(1);
        let (last, name, unique) = (own.claims == 0, own.name, own.is_unique());
        if last {
            own.pending = None;
            if unique {
                self.own.renew_nsec(&cx.keys, name);
            }
        }
    }

    /// Tells our own clients that a record is not there any more, if it is not; they ask others for it from now on.
    fn tell_if_gone(&mut self, now: Instant, slot: usize, cx: &mut Context) {
        let Some(own) = self
            .own
            .get_mut(slot)
            .filter(|own| own.told && !own.is_active())
        else {
            return;
        };
        own.told = false;
        let name = own.name;
        self.tell_own(slot, Presence::Gone, cx);
        self.reopen_questions(now, name, cx);
    }

    /// Announces what is new in a group.
    // RFC 6762 §8.3 (6762-8.3-5)
    pub(super) fn announce(&mut self, now: Instant, group: GroupId) {
        let Some(state) = self.groups.get_mut(&group) else {
            return;
        };
        let sent = match state.phase {
            Phase::Announcing(sent) => sent + 1,
            Phase::Established | Phase::Probing(_) | Phase::Lost => return,
        };
        let news = core::mem::take(&mut state.news);
        for &slot in &news {
            self.announce_record(now, slot);
        }
        let Some(state) = self.groups.get_mut(&group) else {
            return;
        };
        if sent < ANNOUNCEMENTS {
            state.phase = Phase::Announcing(sent);
            state.news = news;
            state.timer.set(
                now + ANNOUNCEMENT_INTERVAL,
                Why::Group(group),
                &mut self.deadlines,
            );
        } else {
            state.phase = Phase::Established;
        }
    }

    /// Records of an established group are new: they are announced, without new probes.
    // RFC 6762 §8.4 (6762-8.4-1, 6762-8.4-3)
    pub(super) fn announce_news(&mut self, now: Instant, group: GroupId, news: Vec<usize>) {
        if let Some(state) = self.groups.get_mut(&group)
            && state.is_claimed()
        {
            state.phase = Phase::Announcing(0);
            for slot in news {
                if !state.news.contains(&slot) {
                    state.news.push(slot);
                }
            }
            self.announce(now, group);
        }
    }

    /// Takes a group's records off this link; those that nobody else publishes are returned to the caller's care.
    pub(super) fn stop_group(
        &mut self,
        now: Instant,
        group: GroupId,
        cx: &mut Context,
    ) -> Vec<Own> {
        let claimed = self.groups.get(&group).is_some_and(GroupOnLink::is_claimed);
        let Some(state) = self.groups.remove(&group) else {
            return Vec::new();
        };
        self.ready_probes.retain(|unit| unit.group != group);
        let mut gone = Vec::new();
        for slot in state.records {
            gone.extend(self.release_record(now, slot, group, claimed, cx));
        }
        gone
    }

    /// The group does not publish this record any more; gives it back if nobody does.
    pub(super) fn release_record(
        &mut self,
        now: Instant,
        slot: usize,
        group: GroupId,
        claimed: bool,
        cx: &mut Context,
    ) -> Option<Own> {
        if claimed {
            self.deactivate(slot, cx);
        }
        if self
            .own
            .get(slot)
            .is_some_and(|own| own.groups.iter().all(|&other| other == group))
        {
            self.tell_if_gone(now, slot, cx);
        }
        let own = self.own.release(&cx.keys, slot, group)?;
        if own.is_listed {
            self.pending.retain(|&other| other != slot);
        }
        self.remember_departed(now, &own);
        Some(own)
    }

    /// Somebody says that a name of the group is theirs.
    // RFC 6762 §9 (6762-9-3), §8.1 (6762-8.1-14, 6762-8.1-16)
    fn conflict(&mut self, now: Instant, group: GroupId, name: &NameBuf, cx: &mut Context) {
        let Some(state) = self.groups.get(&group) else {
            return;
        };
        match state.phase {
            // Before the first probe nothing counts.
            Phase::Probing(0) | Phase::Lost => {}
            Phase::Probing(_) => {
                cx.stats.conflicts += 1;
                cx.conflicts.count(now, self.id, group);
                cx.notices.push_back(Notice::Lost {
                    group,
                    link: self.id,
                    name: name.clone(),
                });
            }
            Phase::Announcing(_) | Phase::Established => {
                // Back to the start; if the other defends the name, it is lost there.
                cx.stats.conflicts += 1;
                cx.conflicts.count(now, self.id, group);
                self.unclaim(group, cx);
                if let Some(state) = self.groups.get_mut(&group) {
                    state.contested = true;
                }
                let due = now + cx.conflicts.delay(now) + cx.rng.between(PROBE_DELAY);
                self.probe_from(group, due);
            }
        }
    }

    /// The group falls silent until it is renamed (ruling 17: on every link, wherever the name was lost).
    pub(super) fn lose(&mut self, now: Instant, group: GroupId, cx: &mut Context) {
        self.unclaim(group, cx);
        self.ready_probes.retain(|unit| unit.group != group);
        if let Some(state) = self.groups.get_mut(&group) {
            state.phase = Phase::Lost;
            state.timer.clear();
        }
        for slot in self.records_of(group) {
            self.tell_if_gone(now, slot, cx);
        }
    }

    /// No group's records are answered with any more, until they have been probed again.
    pub(super) fn unclaim_all(&mut self, cx: &mut Context) {
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        for group in groups {
            if self.groups.get(&group).is_some_and(GroupOnLink::is_claimed) {
                self.unclaim(group, cx);
            }
        }
    }

    /// The group's records are not answered with any more, until it has been probed again.
    fn unclaim(&mut self, group: GroupId, cx: &mut Context) {
        if self.groups.get(&group).is_some_and(GroupOnLink::is_claimed) {
            for slot in self.records_of(group) {
                self.deactivate(slot, cx);
            }
        }
        if let Some(state) = self.groups.get_mut(&group) {
            state.news.clear();
            state.phase = Phase::Probing(0);
            state.timer.clear();
        }
    }

    /// A response holds a record under a name of ours that is not one of ours: whether that is a conflict, and what then.
    // RFC 6762 §9 (6762-9-1, 6762-9-2), §8.1 (6762-8.1-17)
    pub(super) fn check_conflict(
        &mut self,
        now: Instant,
        name: usize,
        record: &Record<'_>,
        cx: &mut Context,
    ) {
        // A goodbye claims nothing. What an NSEC says of a name the owner's other records decide: that of a host with the same records as
        // ours, or of our other link, is no rival.
        if record.ttl == 0 || record.kind() == RecordType::NSEC || !self.own.is_probed_name(name) {
            return;
        }
        if self.is_excused(now, record, cx) {
            self.restore_flushed(now, name, record);
            return;
        }
        let Some(entry) = self.own.name(name) else {
            return;
        };
        let owner = entry.name.clone();
        let mut losers: Vec<GroupId> = Vec::new();
        for own in entry.records.iter().filter_map(|&slot| self.own.get(slot)) {
            if own.ownership != Ownership::Probed || own.record.class != record.class {
                continue;
            }
            for group in &own.groups {
                let probing = self
                    .groups
                    .get(group)
                    .is_some_and(|state| matches!(state.phase, Phase::Probing(_)));
                // While we probe with ANY, a record of any type says that the name is taken.
                let same_kind = own.kind() == record.kind();
                if (probing || same_kind) && !losers.contains(group) {
                    losers.push(*group);
                }
            }
        }
        for group in losers {
            self.conflict(now, group, &owner, cx);
        }
    }

    /// The addresses of another link of ours have come over a bridge and flushed those of this link: they are announced again, unless they
    /// have just been.
    // RFC 6762 §14 (6762-14-7, 6762-14-8)
    fn restore_flushed(&mut self, now: Instant, name: usize, record: &Record<'_>) {
        if !record.cache_flush {
            return;
        }
        let of_kind = |slot: &usize| {
            self.own.get(*slot).is_some_and(|own| {
                own.is_active()
                    && own.kind() == record.kind()
                    && own
                        .last_multicast
                        .is_none_or(|last| now.since(last) >= MULTICAST_SPACING)
            })
        };
        let flushed: Vec<usize> = self
            .own
            .name(name)
            .map(|entry| entry.records.iter().copied().filter(of_kind).collect())
            .unwrap_or_default();
        for slot in flushed {
            self.announce_record(now, slot);
        }
    }

    /// Whether a foreign record under our name is no conflict after all (rulings 20, 21).
    fn is_excused(&mut self, now: Instant, record: &Record<'_>, cx: &Context) -> bool {
        let own_address = match record.data() {
            Ok(Data::A(address)) => cx.own_addresses.contains(now, address.into()),
            Ok(Data::Aaaa(address)) => cx.own_addresses.contains(now, address.into()),
            _ => false,
        };
        self.forget_previous(now);
        own_address
            || self
                .previous
                .iter()
                .any(|(_, old)| old.as_record().rdata == record.rdata && old.name == record.name)
    }

    /// Another host probes for names that we are probing for: the later data wins, and the loser waits a second.
    // RFC 6762 §8.2 (6762-8.2-4 .. 6762-8.2-8)
    pub(super) fn break_tie(
        &mut self,
        now: Instant,
        name: usize,
        message: &Message<'_>,
        cx: &Context,
    ) {
        let Some(entry) = self.own.name(name) else {
            return;
        };
        let mut groups: Vec<GroupId> = Vec::new();
        for own in entry.records.iter().filter_map(|&slot| self.own.get(slot)) {
            for group in &own.groups {
                let probing = self
                    .groups
                    .get(group)
                    .is_some_and(|state| matches!(state.phase, Phase::Probing(_)));
                if own.ownership == Ownership::Probed && probing && !groups.contains(group) {
                    groups.push(*group);
                }
            }
        }
        if groups.is_empty() {
            return;
        }
        let mut theirs: Vec<Record<'_>> = message
            .authorities()
            .filter_map(Result::ok)
            .filter(|record| record.name == entry.name)
            .take(TIEBREAK_RECORDS)
            .collect();
        let mut ours: Vec<Record<'_>> = entry
            .records
            .iter()
            .filter_map(|&slot| self.own.get(slot))
            .filter(|own| own.ownership == Ownership::Probed)
            .map(|own| own.record.as_record())
            .collect();
        // Addresses of ours that another program of this host probes with are no rival (ruling 21).
        let is_ours = |record: &Record<'_>| match record.data() {
            Ok(Data::A(address)) => cx.own_addresses.contains(now, address.into()),
            Ok(Data::Aaaa(address)) => cx.own_addresses.contains(now, address.into()),
            _ => false,
        };
        if theirs.is_empty() || theirs.iter().all(is_ours) {
            return;
        }
        if compare(&mut ours, &mut theirs) == Ordering::Less {
            for group in groups {
                if let Some(state) = self.groups.get_mut(&group) {
                    state.phase = Phase::Probing(0);
                    // After many conflicts it may have to wait longer (6762-8.1-18).
                    let due = (now + TIEBREAK_DEFERRAL).max(state.timer.due().unwrap_or(now));
                    state.timer.set(due, Why::Group(group), &mut self.deadlines);
                }
                self.ready_probes.retain(|unit| unit.group != group);
            }
        }
    }

    pub(super) fn records_of(&self, group: GroupId) -> Vec<usize> {
        self.groups
            .get(&group)
            .map(|state| state.records.clone())
            .unwrap_or_default()
    }

    /// The names that have still to be probed for: not those that are ours by way of another group with the same records.
    // RFC 6762 §8.1 (6762-8.1-20)
    fn names_to_probe(&self, group: GroupId) -> Vec<usize> {
        let mut names = self.probed_names(group);
        let records = self.records_of(group);
        names.retain(|&name| {
            let own = records.iter().filter_map(|&slot| self.own.get(slot));
            own.filter(|own| own.name == name && own.ownership == Ownership::Probed)
                .any(|own| !own.is_active())
        });
        names
    }

    /// The names that a probe of the group asks for, each once.
    pub(super) fn probed_names(&self, group: GroupId) -> Vec<usize> {
        let mut names = Vec::new();
        for &slot in self
            .groups
            .get(&group)
            .map_or(&[][..], |state| &state.records)
        {
            if let Some(own) = self.own.get(slot)
                && own.ownership == Ownership::Probed
                && !names.contains(&own.name)
            {
                names.push(own.name);
            }
        }
        names
    }
}

/// Compares two sets of records as RFC 6762 §8.2.1 has it: sorted, pair by pair, and the longer one wins at the end.
// RFC 6762 §8.2 (6762-8.2-9 .. 6762-8.2-13), §8.2.1 (6762-8.2.1-1 .. 6762-8.2.1-4)
fn compare(ours: &mut [Record<'_>], theirs: &mut [Record<'_>]) -> Ordering {
    ours.sort_by(order);
    theirs.sort_by(order);
    ours.iter()
        .zip(theirs.iter())
        .map(|(a, b)| order(a, b))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| ours.len().cmp(&theirs.len()))
}

/// Class, then type, then the raw octets of the data with names written out.
fn order(a: &Record<'_>, b: &Record<'_>) -> Ordering {
    (a.class, a.kind())
        .cmp(&(b.class, b.kind()))
        .then_with(|| a.rdata.canonical_cmp(b.rdata))
}

/// Whether a message probes with this question: a record that it proposes would answer it.
// RFC 6762 §6 (6762-6-19), §8.2 (6762-8.2-1)
pub(super) fn is_probe(message: &Message<'_>, question: &Question<'_>) -> bool {
    message.authorities().filter_map(Result::ok).any(|record| {
        matches(question.kind, question.class, record.kind(), record.class)
            && !is_pseudo(record.kind())
            && record.name == question.name
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use cooee_wire::{Compression, Flags, MessageBuilder, QuestionBuf, RdataBuf, RecordBuf};

    use super::*;

    #[test]
    fn a_probe_proposes_an_answer_to_its_own_question() {
        // 6762-6-19, 6762-8.2-1
        let name = |text: &str| -> NameBuf { text.parse().expect("a name") };
        let record =
            |owner: &str| RecordBuf::new(name(owner), 120, RdataBuf::a([192, 0, 2, 1].into()));
        let is_probe = |kind, proposed: Option<RecordBuf>| {
            let mut buffer = vec![0; 512];
            let mut message =
                MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Multicast)
                    .expect("room");
            let question = QuestionBuf::new(name("box.local"), kind);
            message.question(question.as_question()).expect("room");
            if let Some(record) = proposed {
                message.authority(record.as_record()).expect("room");
            }
            let length = message.finish();
            buffer.truncate(length);
            let message = Message::parse(&buffer).expect("a message");
            is_probe(&message, &question.as_question())
        };
        assert!(is_probe(RecordType::ANY, Some(record("BOX.local"))));
        assert!(is_probe(RecordType::A, Some(record("box.local"))));
        assert!(!is_probe(RecordType::ANY, None));
        assert!(!is_probe(RecordType::ANY, Some(record("other.local"))));
        assert!(!is_probe(RecordType::TXT, Some(record("box.local"))));
    }
}
