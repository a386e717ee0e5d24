//! What is known from others, per link.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;
use core::time::Duration;

use cooee_wire::{Class, Data, Name, NameBuf, Record, RecordBuf, RecordType};
use hashbrown::HashTable;
use slab::Slab;

use super::Instant;
use super::config::{Config, GRACE, REFRESH_POINTS};
use super::context::Context;
use super::deadlines::Timer;
use super::event::QueryId;
use super::hash::Keys;
use super::reading::{Run, Standing};
use super::sources::Sources;

/// The records of one link.
///
/// Two tables: RRsets by name, type and class, and records by these and their data. So a record is found in the same time however many
/// others there are, of its name too.
#[derive(Debug, Default)]
pub(super) struct Cache {
    records: Slab<Cached>,
    by_data: HashTable<usize>,
    rrsets: Slab<RrSet>,
    by_name: HashTable<usize>,
    /// So many have been there at one time: no record's place is beyond.
    most: usize,
    unasked: usize,
    pub(super) sources: Sources,
}

/// A record from somebody else.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) record: RecordBuf,
    rrset: usize,
    /// Where it stands among the members of its RRset.
    position: usize,
    hash: u64,
    /// The place of the host that has given it to us first.
    source: usize,
    pub(super) received: Instant,
    pub(super) expires: Instant,
    /// How many refresh points are behind it.
    pub(super) refreshes: u8,
    /// It was said goodbye to, or flushed: it has the grace left, and nobody is told of it any more (ruling 33).
    pub(super) leaving: bool,
    pub(super) asked: bool,
    /// Who has asked while it was leaving, and has not been told of it.
    pub(super) untold: Vec<QueryId>,
    /// When it goes if nobody confirms it.
    // RFC 6762 §10.4, §10.5
    pub(super) doubted_until: Option<Instant>,
    /// How many queries of others for it have been heard since it was.
    pub(super) unanswered: u8,
    /// The last query that lists it as known.
    pub(super) known_by: u64,
    pub(super) timer: Timer,
    /// The record that came after it in a response.
    follower: Option<usize>,
}

#[derive(Debug)]
struct RrSet {
    hash: u64,
    name: NameBuf,
    kind: RecordType,
    class: Class,
    members: Vec<usize>,
    /// The hash of the name alone.
    name_hash: u64,
    /// When it was last looked through for older members; twice at one moment would be in vain.
    flushed: Option<Instant>,
    standing: Option<Standing>,
}

/// Where records of one name, type and class are, or would be.
#[derive(Debug)]
pub(super) struct Place {
    /// The hash of the three.
    pub(super) hash: u64,
    rrset: Option<usize>,
    /// The known record that was read last: those who repeat records repeat their order too.
    pub(super) last: Option<usize>,
}

/// So few records are looked through without hashing anything.
pub(super) const FEW: usize = 4;

/// What became of a received record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// It is new, at this place.
    New(usize),
    /// It was known, at this place.
    Known(usize),
    /// It was about to go and has come back: who asked meanwhile has not been told of it.
    Rescued(usize),
    /// It was doubted and is confirmed.
    Confirmed(usize),
    /// It is a goodbye for something unknown.
    Nothing,
    /// There is no room for it.
    Full,
}

impl Cache {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// How many of them nobody asks for.
    pub(super) fn unasked(&self) -> usize {
        self.unasked
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Cached> {
        self.records.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Cached> {
        self.records.get_mut(slot)
    }

    /// The records that answer a question, the leaving ones too.
    pub(super) fn matching<'c>(
        &'c self,
        keys: &'c Keys,
        name: Name<'c>,
        kind: RecordType,
        class: Class,
    ) -> impl Iterator<Item = usize> + 'c {
        let exact = (kind != RecordType::ANY && class != Class::ANY).then(|| {
            let name_hash = keys.name(name);
            [kind, RecordType::CNAME]
                .into_iter()
                .take(if kind == RecordType::CNAME { 1 } else { 2 })
                .filter_map(move |kind| {
                    self.find_rrset(keys.rrset(name_hash, kind, class), name, kind, class)
                })
        });
        // ANY is asked rarely and by local clients only: it may look at everything.
        let any = exact.is_none().then(|| {
            self.rrsets.iter().filter(move |(_, set)| {
                set.name == name && matches(kind, class, set.kind, set.class)
            })
        });
        exact
            .into_iter()
            .flatten()
            .chain(any.into_iter().flatten().map(|(slot, _)| slot))
            .filter_map(|slot| self.rrsets.get(slot))
            .flat_map(|set| set.members.iter().copied())
    }

    /// The place of a record, found without copying anything.
    pub(super) fn find(&self, hash: u64, record: &Record<'_>) -> Option<usize> {
        self.by_data
            .find(hash, |&slot| {
                self.records.get(slot).is_some_and(|cached| {
                    cached.record.as_record().rdata == record.rdata
                        && cached.record.name == record.name
                        && cached.record.class == record.class
                })
            })
            .copied()
    }

    /// Where the records of a name, type and class are; `last` was read before them.
    pub(super) fn place(
        &self,
        hash: u64,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
        last: Option<usize>,
    ) -> Place {
        let rrset = self.find_rrset(hash, name, kind, class);
        Place { hash, rrset, last }
    }

    /// The place of the record that came after `last` before, if it is of the wanted name, type and class: the hash of its name with it, and
    /// what it was to us then.
    pub(super) fn place_after(
        &self,
        last: usize,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
    ) -> Option<(u64, Place, Option<Standing>)> {
        let rrset = self.records.get(self.follower(last)?)?.rrset;
        let set = self.rrsets.get(rrset)?;
        let place = Place {
            hash: set.hash,
            rrset: Some(rrset),
            last: Some(last),
        };
        (set.kind == kind && set.class == class && set.name == name).then_some((
            set.name_hash,
            place,
            set.standing,
        ))
    }

    fn follower(&self, slot: usize) -> Option<usize> {
        self.records.get(slot)?.follower
    }

    /// A known record has been read.
    fn note_read(&mut self, place: &mut Place, slot: usize) {
        if let Some(last) = place.last.and_then(|last| self.records.get_mut(last)) {
            last.follower = Some(slot);
        }
        place.last = Some(slot);
    }

    /// Notes what the records of a name, type and class are to us.
    pub(super) fn note_standing(&mut self, place: &Place, standing: Standing) {
        if let Some(set) = place.rrset.and_then(|rrset| self.rrsets.get_mut(rrset)) {
            set.standing = Some(standing);
        }
    }

    /// The same as [`find`](Self::find) for a record whose name, type and class have been found: mostly without hashing its data.
    fn find_at(&self, place: &Place, keys: &Keys, record: &Record<'_>) -> Option<usize> {
        let rrset = place.rrset?;
        let is_here = |slot: &usize| {
            let cached = self.records.get(*slot);
            cached
                .is_some_and(|cached| cached.rrset == rrset && cached.record.rdata == record.rdata)
        };
        let expected = place.last.and_then(|last| self.follower(last));
        if let Some(expected) = expected.filter(is_here) {
            return Some(expected);
        }
        let members = &self.rrsets.get(rrset)?.members;
        if members.len() <= FEW {
            return members.iter().copied().find(is_here);
        }
        let hash = keys.record(place.hash, record.rdata);
        self.by_data.find(hash, is_here).copied()
    }

    /// Takes in a record of a response.
    ///
    /// A known record is only refreshed, which allocates nothing. What is to be done about timers, and who is to be told, is the caller's.
    pub(super) fn learn(
        &mut self,
        now: Instant,
        record: &Record<'_>,
        name_hash: u64,
        run: &mut Run,
        source: IpAddr,
        cx: &Context,
    ) -> Learned {
        let (asked, config) = (run.asked, &cx.config);
        let lifetime = lifetime(record.ttl.min(config.max_ttl));
        let total = self.records.len();
        if let Some(slot) = self.find_at(&run.place, &cx.keys, record) {
            self.note_read(&mut run.place, slot);
            let Some(cached) = self.records.get_mut(slot) else {
                return Learned::Nothing;
            };
            let has_room = total - self.unasked < config.asked_records;
            if asked && !cached.asked && has_room {
                cached.asked = true;
                self.unasked = self.unasked.saturating_sub(1);
            }
            if record.ttl == 0 {
                // RFC 6762 §10.1 (6762-10.1-2): one second is left, in which the record can be rescued.
                if !cached.leaving {
                    cached.leave(now);
                }
                return Learned::Known(slot);
            }
            let was_leaving = core::mem::replace(&mut cached.leaving, false);
            let was_doubted = cached.doubted_until.take().is_some();
            // The received value stays whole for the half-TTL test (ruling 7).
            cached.record.ttl = record.ttl;
            cached.record.cache_flush = record.cache_flush;
            cached.received = now;
            cached.expires = now + lifetime;
            cached.refreshes = 0;
            cached.unanswered = 0;
            return match (was_leaving, was_doubted) {
                (true, _) => Learned::Rescued(slot),
                (false, true) => Learned::Confirmed(slot),
                (false, false) => Learned::Known(slot),
            };
        }
        if record.ttl == 0 || record.name.check().is_err() {
            return Learned::Nothing;
        }
        let is_full = match asked {
            true => total - self.unasked >= config.asked_records,
            false => self.unasked >= config.unasked_records,
        };
        if is_full {
            return Learned::Full;
        }
        let Ok(owned) = record.to_owned() else {
            return Learned::Nothing;
        };
        let hashes = Hashes {
            name: name_hash,
            rrset: run.place.hash,
            record: cx.keys.record(run.place.hash, record.rdata),
        };
        let source = self.sources.give(&cx.keys, source);
        let slot = self.insert(now, owned, lifetime, hashes, asked, source);
        run.place.rrset = self.records.get(slot).map(|cached| cached.rrset);
        self.note_read(&mut run.place, slot);
        Learned::New(slot)
    }

    /// Lets the older members of an RRset go, because a record with the cache-flush bit has come.
    ///
    /// Calls `leaving` for each of them.
    // RFC 6762 §10.2 (6762-10.2-4, 6762-10.2-5)
    pub(super) fn flush(
        &mut self,
        now: Instant,
        slot: usize,
        mut leaving: impl FnMut(usize, &mut Cached),
    ) {
        let Some(rrset) = self.records.get(slot).map(|cached| cached.rrset) else {
            return;
        };
        let Some(set) = self.rrsets.get_mut(rrset) else {
            return;
        };
        if set.members.len() < 2 || set.flushed == Some(now) {
            return;
        }
        set.flushed = Some(now);
        for &member in &set.members {
            if let Some(cached) = self.records.get_mut(member)
                && member != slot
                && now.since(cached.received) > GRACE
                && !cached.leaving
            {
                cached.leave(now);
                leaving(member, cached);
            }
        }
    }

    /// Somebody wants this record now. It counts among those that are asked for, if there is room.
    // Ruling 37
    pub(super) fn mark_asked(&mut self, slot: usize, config: &Config) {
        let has_room = self.records.len() - self.unasked < config.asked_records;
        if let Some(cached) = self.records.get_mut(slot)
            && !cached.asked
            && has_room
        {
            cached.asked = true;
            self.unasked -= 1;
        }
    }

    /// Nobody wants this record any more: it has to make room like others, and goes if there is none among those.
    // Ruling 37
    pub(super) fn unmark_asked(&mut self, slot: usize, config: &Config) {
        let has_room = self.unasked < config.unasked_records;
        if let Some(cached) = self.records.get_mut(slot)
            && cached.asked
        {
            cached.asked = false;
            self.unasked += 1;
            if !has_room {
                self.remove(slot);
            }
        }
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, slot: usize) -> Option<Cached> {
        let cached = self.records.try_remove(slot)?;
        if let Ok(entry) = self.by_data.find_entry(cached.hash, |&other| other == slot) {
            entry.remove();
        }
        if !cached.asked {
            self.unasked = self.unasked.saturating_sub(1);
        }
        self.sources.take_back(cached.source);
        if let Some(set) = self.rrsets.get_mut(cached.rrset) {
            set.members.swap_remove(cached.position);
            if let Some(moved) = set
                .members
                .get(cached.position)
                .and_then(|&slot| self.records.get_mut(slot))
            {
                moved.position = cached.position;
            }
            if set.members.is_empty() {
                let hash = set.hash;
                self.rrsets.remove(cached.rrset);
                if let Ok(entry) = self
                    .by_name
                    .find_entry(hash, |&other| other == cached.rrset)
                {
                    entry.remove();
                }
            }
        }
        Some(cached)
    }

    /// All places, in no order that should reach the wire.
    pub(super) fn slots(&self) -> Vec<usize> {
        self.records.iter().map(|(slot, _)| slot).collect()
    }

    /// Whether an NSEC record for `name` is known that says that `kind` does not exist, and nothing known says that it does.
    // RFC 6762 §6.1
    pub(super) fn denies(
        &self,
        keys: &Keys,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
    ) -> bool {
        if matches!(kind, RecordType::NSEC | RecordType::ANY) || self.alive(keys, name, kind, class)
        {
            return false;
        }
        self.matching(keys, name, RecordType::NSEC, class).filter_map(|slot| self.records.get(slot)).any(|cached| {
            cached.record.kind() == RecordType::NSEC
                && !cached.leaving
                && matches!(cached.record.as_record().data(), Ok(Data::Nsec(nsec)) if !nsec.contains(kind))
        })
    }

    /// Whether a record that answers is known and not leaving.
    pub(super) fn alive(
        &self,
        keys: &Keys,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
    ) -> bool {
        self.matching(keys, name, kind, class)
            .any(|slot| self.records.get(slot).is_some_and(|cached| !cached.leaving))
    }

    fn insert(
        &mut self,
        now: Instant,
        record: RecordBuf,
        lifetime: Duration,
        hashes: Hashes,
        asked: bool,
        source: usize,
    ) -> usize {
        let rrset = self.rrset(&record, hashes.rrset, hashes.name);
        let position = self.rrsets.get(rrset).map_or(0, |set| set.members.len());
        let slot = self.records.insert(Cached {
            record,
            rrset,
            position,
            hash: hashes.record,
            source,
            received: now,
            expires: now + lifetime,
            refreshes: 0,
            leaving: false,
            asked,
            untold: Vec::new(),
            doubted_until: None,
            unanswered: 0,
            known_by: 0,
            timer: Timer::default(),
            follower: None,
        });
        if let Some(set) = self.rrsets.get_mut(rrset) {
            set.members.push(slot);
        }
        let records = &self.records;
        self.by_data.insert_unique(hashes.record, slot, |&slot| {
            records.get(slot).map_or(0, |cached| cached.hash)
        });
        if !asked {
            self.unasked += 1;
        }
        self.most = self.most.max(self.records.len());
        slot
    }

    /// The host that has given us a record first.
    pub(super) fn source_of(&self, cached: &Cached) -> Option<IpAddr> {
        self.sources.get(cached.source).map(|source| source.address)
    }

    /// The RRset of a record, made if need be.
    fn rrset(&mut self, record: &RecordBuf, hash: u64, name_hash: u64) -> usize {
        if let Some(found) =
            self.find_rrset(hash, record.name.as_name(), record.kind(), record.class)
        {
            return found;
        }
        let slot = self.rrsets.insert(RrSet {
            hash,
            name: record.name.clone(),
            kind: record.kind(),
            class: record.class,
            members: Vec::new(),
            name_hash,
            flushed: None,
            standing: None,
        });
        let rrsets = &self.rrsets;
        self.by_name.insert_unique(hash, slot, |&slot| {
            rrsets.get(slot).map_or(0, |set| set.hash)
        });
        slot
    }

    fn find_rrset(
        &self,
        hash: u64,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
    ) -> Option<usize> {
        self.by_name
            .find(hash, |&slot| {
                self.rrsets
                    .get(slot)
                    .is_some_and(|set| set.kind == kind && set.class == class && set.name == name)
            })
            .copied()
    }

    /// Which record should make room for one from `source`, among those that are asked for or among the others.
    ///
    /// Nothing does if that host has its share of what is here: nobody pushes out what others say, nothing goes round in circles, and a flood costs
    /// little. Else it is one of a few chosen by chance: of the host that has given us most, and the nearest to its end. That is the same effort
    /// however full it is.
    // Design: least useful first; ruling 37
    pub(super) fn victim(&self, asked: bool, source: IpAddr, cx: &mut Context) -> Option<usize> {
        let given = |source: usize| self.sources.get(source).map_or(0, |source| source.given);
        let by_newcomer = self.sources.find(&cx.keys, source).map_or(0, given);
        if by_newcomer * self.sources.len() >= self.records.len() {
            return None;
        }
        let mut victim: Option<(usize, Reverse<Instant>, usize)> = None;
        let mut seen = 0;
        for _ in 0..EVICTION_TRIES {
            let place = cx.rng.below(self.most as u64) as usize;
            if let Some(cached) = self
                .records
                .get(place)
                .filter(|cached| cached.asked == asked)
            {
                let candidate = (given(cached.source), Reverse(cached.expires), place);
                victim = Some(victim.map_or(candidate, |known| known.max(candidate)));
                seen += 1;
            }
            if seen == EVICTION_SAMPLE {
                break;
            }
        }
        victim
            .filter(|(count, ..)| *count > by_newcomer)
            .map(|(.., place)| place)
    }
}

/// How many records that can go are looked at to choose one ...
const EVICTION_SAMPLE: usize = 8;
/// ... and how often a place is tried, since there may be many that cannot.
const EVICTION_TRIES: usize = 128;

/// The hashes of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hashes {
    pub(super) name: u64,
    pub(super) rrset: u64,
    pub(super) record: u64,
}

impl Hashes {
    pub(super) fn of(keys: &Keys, record: &Record<'_>) -> Self {
        let name = keys.name(record.name);
        let rrset = keys.rrset(name, record.kind(), record.class);
        Self {
            name,
            rrset,
            record: keys.record(rrset, record.rdata),
        }
    }
}

impl Cached {
    /// What is left of it in whole seconds.
    pub(super) fn remaining_ttl(&self, now: Instant) -> u32 {
        u32::try_from(self.expires.since(now).as_secs()).unwrap_or(u32::MAX)
    }

    /// The record as a query lists it: with what is left of the TTL that its owner gave it, which may be more than we believe (ruling 7).
    pub(super) fn as_known_answer(&self, now: Instant) -> Record<'_> {
        let age = u32::try_from(now.since(self.received).as_secs()).unwrap_or(u32::MAX);
        Record {
            ttl: self.record.ttl.saturating_sub(age),
            ..self.record.as_record()
        }
    }

    /// Whether it may be listed as a known answer: more than half of it is left, and nobody doubts it, as listing it would keep its owner from
    /// confirming it.
    // RFC 6762 §7.1 (6762-7.1-5), §10.4 (6762-10.4-5)
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        !self.leaving
            && self.doubted_until.is_none()
            && now.since(self.received).as_secs() < u64::from(self.record.ttl) / 2
            && self.expires > now
    }

    /// When something is to be done about it next: a refresh if somebody asks, or its end.
    // RFC 6762 §5.2 (6762-5.2-10 .. 6762-5.2-14)
    pub(super) fn next_deadline(&self, asked: bool, jitter: u64) -> Instant {
        let refresh = REFRESH_POINTS
            .get(usize::from(self.refreshes))
            .filter(|_| asked && !self.leaving)
            .map(|percent| {
                let lifetime = self.expires.since(self.received).as_micros() as u64;
                self.received + Duration::from_micros(lifetime / 10_000 * (percent * 100 + jitter))
            });
        refresh.unwrap_or(self.expires).min(self.end())
    }

    /// Whether it is to be asked for again by then, because somebody here wants it.
    pub(super) fn is_refreshed_by(&self, then: Instant) -> bool {
        let due = self.timer.due();
        self.asked && due.is_some_and(|due| due <= then && due < self.end())
    }

    /// When it goes: at the end of its lifetime, or earlier if it is doubted.
    pub(super) fn end(&self) -> Instant {
        self.doubted_until
            .map_or(self.expires, |doubted| doubted.min(self.expires))
    }

    fn leave(&mut self, now: Instant) {
        self.leaving = true;
        self.expires = now + GRACE;
    }
}

fn lifetime(ttl: u32) -> Duration {
    Duration::from_secs(ttl.into())
}

/// Whether a record of this type and class answers a question of that.
// RFC 6762 §6 (6762-6-4, 6762-6-5)
pub(super) fn matches(
    asked_kind: RecordType,
    asked_class: Class,
    kind: RecordType,
    class: Class,
) -> bool {
    (asked_kind == kind || asked_kind == RecordType::ANY || kind == RecordType::CNAME)
        && (asked_class == class || asked_class == Class::ANY)
}
