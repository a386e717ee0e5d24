//! The hosts that have given us records.

use core::net::IpAddr;

use hashbrown::HashTable;
use slab::Slab;

use super::hash::Keys;

/// The hosts whose records are in a cache.
#[derive(Debug, Default)]
pub(super) struct Sources {
    sources: Slab<Source>,
    by_address: HashTable<usize>,
}

/// A host that has given us records.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) address: IpAddr,
    hash: u64,
    /// How many of those that it was the first to give are still here.
    pub(super) given: usize,
    /// The place of the known record that its last response ended with.
    pub(super) last: Option<usize>,
}

impl Sources {
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&Source> {
        self.sources.get(place)
    }

    /// The place of a host.
    pub(super) fn find(&self, keys: &Keys, address: IpAddr) -> Option<usize> {
        let is_here = |place: &usize| {
            let source = self.sources.get(*place);
            source.is_some_and(|source| source.address == address)
        };
        self.by_address.find(keys.of(&address), is_here).copied()
    }

    /// A host gives one more record. Tells its place.
    pub(super) fn give(&mut self, keys: &Keys, address: IpAddr) -> usize {
        let place = match self.find(keys, address) {
            Some(place) => place,
            None => self.add(keys, address),
        };
        if let Some(source) = self.sources.get_mut(place) {
            source.given += 1;
        }
        place
    }

    /// A record of a host has gone.
    pub(super) fn take_back(&mut self, place: usize) {
        let Some(source) = self.sources.get_mut(place) else {
            return;
        };
        source.given -= 1;
        if source.given == 0 {
            let hash = source.hash;
            if let Ok(entry) = self.by_address.find_entry(hash, |&other| other == place) {
                entry.remove();
            }
            self.sources.remove(place);
        }
    }

    /// A response of a host has ended with a known record.
    pub(super) fn note_last(&mut self, place: usize, last: Option<usize>) {
        if let Some(source) = self.sources.get_mut(place) {
            source.last = last;
        }
    }

    fn add(&mut self, keys: &Keys, address: IpAddr) -> usize {
        let hash = keys.of(&address);
        let place = self.sources.insert(Source {
            address,
            hash,
            given: 0,
            last: None,
        });
        let sources = &self.sources;
        self.by_address.insert_unique(hash, place, |&place| {
            sources.get(place).map_or(0, |source| source.hash)
        });
        place
    }
}
