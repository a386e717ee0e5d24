//! The records that we publish on a link.

use alloc::vec::Vec;
use core::net::IpAddr;

use cooee_wire::{Class, Name, NameBuf, RdataBuf, Record, RecordBuf, RecordType};
use hashbrown::HashTable;
use slab::Slab;

use super::Instant;
use super::asked::Heard;
use super::cache::{FEW, Hashes, matches};
use super::config::{HOST_TTL, PROBE_INTERVAL};
use super::hash::Keys;
use super::record_set::{Entry, GroupId, Ownership};

/// Our records on one link: found by name to answer, and by name and data to compare.
#[derive(Debug, Default)]
pub(super) struct OwnRecords {
    records: Slab<Own>,
    by_data: HashTable<usize>,
    names: Slab<OwnName>,
    by_name: HashTable<usize>,
    /// How often a name has come or gone.
    name_changes: u64,
    /// Names that have gone since they were probed for: when that was, and their hashes.
    departed: Vec<(Instant, u64)>,
}

/// A name under which we publish, and its records.
#[derive(Debug)]
pub(super) struct OwnName {
    pub(super) name: NameBuf,
    pub(super) hash: u64,
    pub(super) records: Vec<usize>,
    /// How many of them had to be probed for.
    probed: usize,
    /// When it was last probed for, by whichever group.
    pub(super) last_probe: Option<Instant>,
    /// How many questions of the last query were about it.
    asked: (u64, u8),
    /// The record that says which types exist, if the name is ours alone.
    // RFC 6762 §6.1
    pub(super) nsec: Option<usize>,
}

/// A record of ours.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) record: RecordBuf,
    pub(super) ownership: Ownership,
    pub(super) goodbye: bool,
    pub(super) hash: u64,
    pub(super) name: usize,
    /// The groups that publish it; several may, if it is the same (ruling 10).
    pub(super) groups: Vec<GroupId>,
    /// How many of these groups have passed their probes: the record is answered with if any has.
    pub(super) claims: usize,
    pub(super) last_multicast: Option<Instant>,
    pub(super) pending: Option<Pending>,
    /// It is among those that wait, or was and has been taken back.
    pub(super) is_listed: bool,
    /// Our own clients have been told that it is there.
    pub(super) told: bool,
    /// The last query that lists it as known.
    pub(super) known_by: u64,
    /// Synthesised: an NSEC record.
    pub(super) is_nsec: bool,
    /// The last message it was put into.
    pub(super) stamp: u64,
}

/// An answer that waits to be multicast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Not to be sent before, even if a packet goes out.
    pub(super) not_before: Instant,
    pub(super) due: Instant,
    /// The last moment to which further truncated queries can put it off.
    pub(super) limit: Instant,
    /// How long it waits, once due, for others that go out a little later.
    pub(super) patience: Instant,
    /// The one host that asks for it; `None`: several do, or it goes out unasked.
    // RFC 6762 §7.2 (6762-7.2-6)
    pub(super) asked_by: Option<IpAddr>,
    /// Families on which another host has just sent the same.
    // RFC 6762 §7.4 (6762-7.4-1), ruling 24
    pub(super) heard: Heard,
}

/// How many questions of one query about one name are looked at. There are not so many types that anybody asks for.
const QUESTIONS_OF_A_NAME: u8 = 16;

impl Own {
    pub(super) fn kind(&self) -> RecordType {
        self.record.kind()
    }

    pub(super) fn is_active(&self) -> bool {
        self.claims > 0
    }

    /// Whether the RRset is ours alone, so that it carries the cache-flush bit.
    // RFC 6762 §10.2 (6762-10.2-8, 6762-10.2-14)
    pub(super) fn is_unique(&self) -> bool {
        self.ownership != Ownership::Shared
    }

    /// The record as it is multicast.
    pub(super) fn as_sent(&self) -> Record<'_> {
        Record {
            cache_flush: self.is_unique(),
            ..self.record.as_record()
        }
    }

    /// Whether it has been multicast within the last quarter of its TTL.
    // RFC 6762 §5.4 (6762-5.4-9)
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        self.last_multicast
            .is_some_and(|last| now.since(last).as_secs() < u64::from(self.record.ttl) / 4)
    }
}

impl OwnRecords {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Own> {
        self.records.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Own> {
        self.records.get_mut(slot)
    }

    /// How often a name has come or gone.
    pub(super) fn name_changes(&self) -> u64 {
        self.name_changes
    }

    pub(super) fn name(&self, slot: usize) -> Option<&OwnName> {
        self.names.get(slot)
    }

    pub(super) fn slots(&self) -> Vec<usize> {
        self.records.iter().map(|(slot, _)| slot).collect()
    }

    /// The name's place.
    pub(super) fn find_name(&self, hash: u64, name: Name<'_>) -> Option<usize> {
        self.by_name
            .find(hash, |&slot| {
                self.names.get(slot).is_some_and(|own| own.name == name)
            })
            .copied()
    }

    /// Counts a question of a query about a name; tells whether there have not been too many.
    ///
    /// A stranger could ask for the same large set as often as fits into a packet.
    pub(super) fn admits_question(&mut self, name: usize, serial: u64) -> bool {
        let Some(entry) = self.names.get_mut(name) else {
            return false;
        };
        let (last, count) = entry.asked;
        let count = if last == serial {
            count.saturating_add(1)
        } else {
            1
        };
        entry.asked = (serial, count);
        count <= QUESTIONS_OF_A_NAME
    }

    /// The place of a record with this name, class and data.
    pub(super) fn find(&self, hash: u64, record: &Record<'_>) -> Option<usize> {
        self.by_data
            .find(hash, |&slot| {
                self.records.get(slot).is_some_and(|own| {
                    own.record.as_record().rdata == record.rdata
                        && own.record.name == record.name
                        && own.record.class == record.class
                })
            })
            .copied()
    }

    /// The same for a record whose name is ours and whose RRset has this hash: mostly without hashing its data.
    pub(super) fn find_under(
        &self,
        name: usize,
        keys: &Keys,
        rrset: u64,
        record: &Record<'_>,
    ) -> Option<usize> {
        let OwnName { records, nsec, .. } = self.names.get(name)?;
        if records.len() > FEW {
            return self.find(keys.record(rrset, record.rdata), record);
        }
        records.iter().chain(nsec).copied().find(|&slot| {
            self.records.get(slot).is_some_and(|own| {
                own.record.class == record.class && own.record.rdata == record.rdata
            })
        })
    }

    /// The records that answer a question.
    pub(super) fn answers(
        &self,
        keys: &Keys,
        name: Name<'_>,
        kind: RecordType,
        class: Class,
    ) -> impl Iterator<Item = usize> + '_ {
        let name = self.find_name(keys.name(name), name);
        let entry = name.and_then(|name| self.names.get(name));
        let records = entry.map_or(&[][..], |entry| &entry.records);
        records.iter().copied().filter(move |&slot| {
            self.records.get(slot).is_some_and(|own| {
                own.is_active() && matches(kind, class, own.kind(), own.record.class)
            })
        })
    }

    /// The members of the RRset that `slot` belongs to, itself too, as far as they are answered with.
    pub(super) fn rrset_of(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let wanted = self
            .records
            .get(slot)
            .map(|own| (own.name, own.kind(), own.record.class));
        let records = wanted
            .and_then(|(name, ..)| self.names.get(name))
            .map_or(&[][..], |name| &name.records);
        records.iter().copied().filter(move |&other| {
            self.records.get(other).is_some_and(|own| {
                own.is_active()
                    && wanted.is_some_and(|(_, kind, class)| {
                        own.kind() == kind && own.record.class == class
                    })
            })
        })
    }

    /// Takes in a record for a group; the same record of several groups is kept once. Tells its place, and whether it is new or different.
    pub(super) fn add(&mut self, keys: &Keys, entry: &Entry, group: GroupId) -> (usize, bool) {
        let Entry {
            record,
            ownership,
            goodbye,
        } = entry;
        let hashes = Hashes::of(keys, &record.as_record());
        if let Some(slot) = self.find(hashes.record, &record.as_record()) {
            let changed = self.join(slot, entry, group);
            return (slot, changed);
        }
        let name = self.place_name(hashes.name, &record.name);
        let slot = self.insert(record.clone(), *ownership, *goodbye, hashes.record, name);
        if let Some(own) = self.records.get_mut(slot) {
            own.groups.push(group);
        }
        if let Some(entry) = self.names.get_mut(name) {
            entry.records.push(slot);
            entry.probed += usize::from(*ownership == Ownership::Probed);
        }
        (slot, true)
    }

    /// A group publishes a record that is there. If nobody else does, its TTL, its spelling and its ownership are the group's to change; tells
    /// whether they have.
    fn join(&mut self, slot: usize, entry: &Entry, group: GroupId) -> bool {
        let Entry {
            record,
            ownership,
            goodbye,
        } = entry;
        let Some(own) = self.records.get_mut(slot) else {
            return false;
        };
        if let Err(place) = own.groups.binary_search(&group) {
            own.groups.insert(place, group);
            return true;
        }
        let same = own.record.ttl == record.ttl
            && own.ownership == *ownership
            && own.record.name.as_octets() == record.name.as_octets()
            && own.record.rdata.octets() == record.rdata.octets();
        if own.groups.len() > 1 || same {
            return false;
        }
        if let Some(entry) = self.names.get_mut(own.name) {
            entry.probed -= usize::from(own.ownership == Ownership::Probed);
            entry.probed += usize::from(*ownership == Ownership::Probed);
        }
        own.record = record.clone();
        own.ownership = *ownership;
        own.goodbye = *goodbye;
        true
    }

    /// The group does not publish the record any more. Gives it back if nobody else does.
    pub(super) fn release(&mut self, keys: &Keys, slot: usize, group: GroupId) -> Option<Own> {
        let own = self.records.get_mut(slot)?;
        if let Ok(place) = own.groups.binary_search(&group) {
            own.groups.remove(place);
        }
        if !own.groups.is_empty() {
            return None;
        }
        let own = self.take(slot)?;
        let name = self.names.get_mut(own.name)?;
        name.records.retain(|&other| other != slot);
        name.probed -= usize::from(own.ownership == Ownership::Probed);
        if name.records.is_empty() {
            let (hash, nsec, last_probe) = (name.hash, name.nsec, name.last_probe);
            if let Some(probed) = last_probe {
                self.departed
                    .retain(|(earlier, _)| probed.since(*earlier) < PROBE_INTERVAL);
                self.departed.push((probed, hash));
            }
            self.names.remove(own.name);
            self.name_changes += 1;
            if let Ok(entry) = self.by_name.find_entry(hash, |&other| other == own.name) {
                entry.remove();
            }
            if let Some(nsec) = nsec {
                self.take(nsec);
            }
        } else if own.is_unique() {
            self.renew_nsec(keys, own.name);
        }
        Some(own)
    }

    /// A name has been probed for.
    pub(super) fn note_probe(&mut self, now: Instant, name: usize) {
        if let Some(entry) = self.names.get_mut(name) {
            entry.last_probe = Some(now);
        }
    }

    /// When a name may be probed for again: other groups may have records of it too.
    // RFC 6762 §8.1 (6762-8.1-5)
    pub(super) fn next_probe(&self, name: usize) -> Instant {
        let last = self.names.get(name).and_then(|entry| entry.last_probe);
        last.map_or(Instant::ZERO, |last| last + PROBE_INTERVAL)
    }

    /// Whether a name has a record that had to be probed for.
    pub(super) fn is_probed_name(&self, name: usize) -> bool {
        self.names.get(name).is_some_and(|entry| entry.probed > 0)
    }

    /// Puts the NSEC record of a name in accord with the records there are: one if we own the name, listing the types that exist.
    // RFC 6762 §6.1 (6762-6.1-1, 6762-6.1-11, 6762-6.1-17, 6762-6.1-21)
    pub(super) fn renew_nsec(&mut self, keys: &Keys, name: usize) {
        let Some(entry) = self.names.get_mut(name) else {
            return;
        };
        let old = entry.nsec.take().and_then(|old| self.take(old));
        let Some(entry) = self.names.get(name) else {
            return;
        };
        let records = || {
            entry
                .records
                .iter()
                .filter_map(|&slot| self.records.get(slot))
                .filter(|own| own.is_active())
        };
        let is_ours = records().any(Own::is_unique) && records().all(Own::is_unique);
        // A name with a type above 255 would need the full form, so it gets none (6762-6.1-12).
        if !is_ours || records().any(|own| own.kind().get() > 255 || own.record.class != Class::IN)
        {
            return;
        }
        // RFC 6762 §6.1 (6762-6.1-19): the TTL that the missing record would have.
        let ttl = records()
            .map(|own| own.record.ttl)
            .min()
            .unwrap_or(HOST_TTL);
        let rdata = RdataBuf::nsec(entry.name.as_name(), records().map(Own::kind));
        let claims = records().map(|own| own.claims).max().unwrap_or(0);
        let record = RecordBuf::new(entry.name.clone(), ttl, rdata);
        let hash = Hashes::of(keys, &record.as_record()).record;
        let slot = self.insert(record, Ownership::Known, false, hash, name);
        if let Some(own) = self.records.get_mut(slot) {
            own.is_nsec = true;
            own.claims = claims;
            // The same as before: then it was sent when it was sent.
            own.last_multicast = old
                .filter(|old| old.hash == hash)
                .and_then(|old| old.last_multicast);
        }
        if let Some(entry) = self.names.get_mut(name) {
            entry.nsec = Some(slot);
        }
    }

    fn place_name(&mut self, hash: u64, name: &NameBuf) -> usize {
        if let Some(found) = self.find_name(hash, name.as_name()) {
            return found;
        }
        // It may be probed for again, but not sooner than if it had stayed (6762-8.1-5).
        let departed = self.departed.iter();
        let last_probe = departed
            .filter(|(_, gone)| *gone == hash)
            .map(|(at, _)| *at)
            .max();
        self.name_changes += 1;
        let slot = self.names.insert(OwnName {
            name: name.clone(),
            hash,
            records: Vec::new(),
            probed: 0,
            last_probe,
            asked: (0, 0),
            nsec: None,
        });
        let names = &self.names;
        self.by_name.insert_unique(hash, slot, |&slot| {
            names.get(slot).map_or(0, |own| own.hash)
        });
        slot
    }

    fn insert(
        &mut self,
        record: RecordBuf,
        ownership: Ownership,
        goodbye: bool,
        hash: u64,
        name: usize,
    ) -> usize {
        let slot = self.records.insert(Own {
            record,
            ownership,
            goodbye,
            hash,
            name,
            groups: Vec::new(),
            claims: 0,
            last_multicast: None,
            pending: None,
            is_listed: false,
            told: false,
            known_by: 0,
            is_nsec: false,
            stamp: 0,
        });
        let records = &self.records;
        self.by_data.insert_unique(hash, slot, |&slot| {
            records.get(slot).map_or(0, |own| own.hash)
        });
        slot
    }

    fn take(&mut self, slot: usize) -> Option<Own> {
        let own = self.records.try_remove(slot)?;
        if let Ok(entry) = self.by_data.find_entry(own.hash, |&other| other == slot) {
            entry.remove();
        }
        Some(own)
    }
}
