//! What the groups of one engine may publish beside each other.
//!
//! A unique RRset belongs to one group, or to several that say the same; whether any of them is on a link does not matter. Sets that wait for
//! their time hold their names too.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use cooee_wire::{Class, NameBuf, RdataBuf, RecordType};

use super::config::HOST_TTL;
use super::hash::Keys;
use super::record_set::{Entry, Ownership, RecordSet};
use super::{GroupId, PublishError};

/// The RRsets of all groups, found by their hashes.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Hash of name, type and class; whether the group has it as shared; the group.
    held: BTreeSet<(u64, bool, GroupId)>,
}

/// Name, type and class.
#[derive(Clone, Copy)]
pub(super) struct RrsetKey<'s> {
    pub(super) name: &'s NameBuf,
    kind: RecordType,
    class: Class,
}

impl Claims {
    pub(super) fn insert(&mut self, keys: &Keys, group: GroupId, set: &RecordSet) {
        self.held
            .extend(rrsets(set).map(|(key, shared)| (key.hash(keys), shared, group)));
    }

    pub(super) fn remove(&mut self, keys: &Keys, group: GroupId, set: &RecordSet) {
        for (key, shared) in rrsets(set) {
            self.held.remove(&(key.hash(keys), shared, group));
        }
    }

    /// A name that would be an alias and the host of a service, of which one is in `set` and the other in another group's.
    // RFC 2782 (2782-format-10)
    pub(super) fn alias<'g, S: Iterator<Item = &'g RecordSet>>(
        &self,
        keys: &Keys,
        set: &RecordSet,
        others: impl Fn() -> S,
    ) -> Option<NameBuf> {
        let is_alias = |host: &NameBuf| {
            self.may_be_alias(keys, host)
                && others().any(|other| other.aliases().any(|alias| alias == host))
        };
        let is_host = |alias: &NameBuf| {
            let mut hosts = others().flat_map(RecordSet::service_targets);
            hosts.any(|host| host == *alias)
        };
        let alias = set.service_targets().find(is_alias);
        alias.or_else(|| set.aliases().find(|alias| is_host(alias)).cloned())
    }

    /// Whether some group may say that a name is an alias; no means no.
    fn may_be_alias(&self, keys: &Keys, name: &NameBuf) -> bool {
        let (kind, class) = (RecordType::CNAME, Class::IN);
        let hash = RrsetKey { name, kind, class }.hash(keys);
        let (first, last) = ((hash, false, GroupId(0)), (hash, true, GroupId(u64::MAX)));
        self.held.range(first..=last).next().is_some()
    }

    /// The other groups that may have an RRset with this hash, as shared or as unique.
    fn others(
        &self,
        hash: u64,
        shared: bool,
        group: GroupId,
    ) -> impl Iterator<Item = GroupId> + '_ {
        let (first, last) = (GroupId(0), GroupId(u64::MAX));
        self.held
            .range((hash, shared, first)..=(hash, shared, last))
            .map(|(.., other)| *other)
            .filter(move |other| *other != group)
    }

    /// Whether all RRsets of `set` go with those of the other groups. `sets_of` gives all sets of a group.
    pub(super) fn check<'g, S: Iterator<Item = &'g RecordSet>>(
        &self,
        keys: &Keys,
        group: GroupId,
        set: &RecordSet,
        sets_of: impl Fn(GroupId) -> S,
    ) -> Result<(), PublishError> {
        let mut looked_at = BTreeSet::new();
        for (key, shared) in rrsets(set) {
            let hash = key.hash(keys);
            if !looked_at.insert((hash, shared)) {
                continue;
            }
            // All that have a unique RRset say the same, and all that share one have one TTL: it is enough to ask one of them.
            let unique = self.others(hash, false, group).next();
            let differs = |other: &RecordSet| {
                key.is_in(other, false) && (shared || !key.is_same_in(set, other))
            };
            let is_taken = unique.is_some_and(|other| sets_of(other).any(differs))
                || (!shared
                    && self
                        .others(hash, true, group)
                        .any(|other| sets_of(other).any(|other| key.is_in(other, true))));
            if is_taken {
                return Err(PublishError::AlreadyPublished(key.name.clone()));
            }
            // RFC 2181 §5.2 (2181-5.2-1)
            let ttl = key.ttl_in(set);
            let is_timed_otherwise =
                |other: &RecordSet| key.ttl_in(other).is_some_and(|other| Some(other) != ttl);
            let beside = self.others(hash, shared, group).next();
            if beside.is_some_and(|other| sets_of(other).any(is_timed_otherwise)) {
                return Err(PublishError::MixedTtl(key.name.clone()));
            }
        }
        Ok(())
    }
}

impl RrsetKey<'_> {
    fn hash(self, keys: &Keys) -> u64 {
        keys.rrset(keys.name(self.name.as_name()), self.kind, self.class)
    }

    fn is(self, other: RrsetKey<'_>) -> bool {
        self.kind == other.kind && self.class == other.class && self.name == other.name
    }

    fn is_in(self, set: &RecordSet, shared: bool) -> bool {
        rrsets(set).any(|(key, is_shared)| is_shared == shared && self.is(key))
    }

    fn is_same_in(self, a: &RecordSet, b: &RecordSet) -> bool {
        let of =
            |set| -> (bool, Vec<&RdataBuf>) { (self.is_of_host(set), self.data(set).collect()) };
        let (a, b) = (of(a), of(b));
        a.0 == b.0
            && a.1.iter().all(|data| b.1.contains(data))
            && b.1.iter().all(|data| a.1.contains(data))
    }

    fn data(self, set: &RecordSet) -> impl Iterator<Item = &RdataBuf> {
        let of_key = set.records.iter().filter(move |entry| self.is(key(entry)));
        of_key.map(|entry| &entry.record.rdata)
    }

    fn ttl_in(self, set: &RecordSet) -> Option<u32> {
        let mut of_key = set.records.iter().filter(|entry| self.is(key(entry)));
        let of_host = (self.is_of_host(set) && self.is_address()).then_some(HOST_TTL);
        of_key.next().map(|entry| entry.record.ttl).or(of_host)
    }

    fn is_address(self) -> bool {
        matches!(self.kind, RecordType::A | RecordType::AAAA) && self.class == Class::IN
    }

    /// The data are the addresses of whatever link it is.
    fn is_of_host(self, set: &RecordSet) -> bool {
        set.hosts.contains(self.name)
    }
}

fn key(entry: &Entry) -> RrsetKey<'_> {
    RrsetKey {
        name: &entry.record.name,
        kind: entry.record.kind(),
        class: entry.record.class,
    }
}

/// The RRsets of a set, as often as they have records, and whether they are shared.
fn rrsets(set: &RecordSet) -> impl Iterator<Item = (RrsetKey<'_>, bool)> {
    let records = set
        .records
        .iter()
        .map(|entry| (key(entry), entry.ownership == Ownership::Shared));
    let addresses = set.hosts.iter().flat_map(|name| {
        [RecordType::A, RecordType::AAAA].map(|kind| {
            let class = Class::IN;
            (RrsetKey { name, kind, class }, false)
        })
    });
    records.chain(addresses)
}

/// The name of an RRset that is shared and unique at once, which nothing can be.
// RFC 6762 §10.2 (6762-10.2-8)
pub(super) fn mixed(set: &RecordSet) -> Option<&NameBuf> {
    let mut shared: Vec<RrsetKey<'_>> = Vec::new();
    shared.extend(
        rrsets(set)
            .filter(|(_, is_shared)| *is_shared)
            .map(|(key, _)| key),
    );
    let mut unique = rrsets(set).filter(|(_, is_shared)| !is_shared);
    unique
        .find(|(key, _)| shared.iter().any(|other| key.is(*other)))
        .map(|(key, _)| key.name)
}
