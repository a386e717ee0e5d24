//! What one reader of the scene was told: it gets the differences from what is true, however late it asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Entry, Host, Kind, LinkState, Named, Scene, State};
use crate::picture::{Identity, Picture};

/// What a reader was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    services: BTreeMap<String, Service>,
    types: BTreeMap<String, Kind>,
    hosts: BTreeMap<String, Host>,
    links: BTreeMap<u32, LinkState>,
}

#[derive(Debug)]
struct Service {
    state: State,
    expires: Duration,
}

/// A difference between what was told and what is true.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A service is there.
    Added(Entry, Arc<Picture>),
    /// A service is not as it was.
    Updated(Entry, Arc<Picture>, Vec<&'static str>),
    /// A service was heard of again: nothing changed, but it holds for longer.
    Refreshed(Entry),
    /// A service is there, but where it is was not found.
    Unresolved(Entry, Arc<Named>),
    /// A service is gone.
    Removed(Identity),
    /// A type is announced.
    Type(Kind),
    /// A type is announced no more.
    TypeRemoved(Kind),
    /// A host has these addresses; none: it has no services any more.
    Host(Host),
    /// A link is so.
    Link(LinkState),
    /// A link is not there any more.
    LinkGone(LinkState),
}

impl Told {
    /// All differences, in the order links, types, hosts, services; they count as told.
    pub(crate) fn catch_up(&mut self, scene: &Scene) -> Vec<Change> {
        let mut changes = Vec::new();
        self.links(scene, &mut changes);
        self.types(scene, &mut changes);
        self.hosts(scene, &mut changes);
        self.services(scene, &mut changes);
        changes
    }

    /// Tells whether nothing is kept in mind.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.services.is_empty() && self.hosts.is_empty()
    }

    fn links(&mut self, scene: &Scene, changes: &mut Vec<Change>) {
        self.links.retain(|index, told| {
            let stays = scene.links.contains_key(index);
            if !stays {
                changes.push(Change::LinkGone(told.clone()));
            }
            stays
        });
        for (index, link) in &scene.links {
            if self.links.get(index) != Some(link) {
                self.links.insert(*index, link.clone());
                changes.push(Change::Link(link.clone()));
            }
        }
    }

    fn types(&mut self, scene: &Scene, changes: &mut Vec<Change>) {
        self.types.retain(|key, told| {
            let stays = scene.types.contains_key(key);
            if !stays {
                changes.push(Change::TypeRemoved(told.clone()));
            }
            stays
        });
        for (key, kind) in &scene.types {
            if self.types.get(key) != Some(kind) {
                self.types.insert(key.clone(), kind.clone());
                changes.push(Change::Type(kind.clone()));
            }
        }
    }

    fn hosts(&mut self, scene: &Scene, changes: &mut Vec<Change>) {
        let hosts = scene.hosts();
        for (key, told) in &self.hosts {
            if !hosts.contains_key(key) {
                changes.push(Change::Host(Host {
                    name: told.name.clone(),
                    addresses: Vec::new(),
                }));
            }
        }
        for (key, host) in &hosts {
            if self.hosts.get(key) != Some(host) {
                changes.push(Change::Host(host.clone()));
            }
        }
        self.hosts = hosts;
    }

    fn services(&mut self, scene: &Scene, changes: &mut Vec<Change>) {
        self.services.retain(|key, told| {
            let stays = scene.entry(key).is_some_and(|entry| entry.gone.is_none());
            if !stays {
                let identity = match &told.state {
                    State::Whole(picture) => &picture.identity,
                    State::Named(named) => &named.identity,
                };
                changes.push(Change::Removed(identity.clone()));
            }
            stays
        });
        for (key, entry) in scene.entries().filter(|(_, entry)| entry.gone.is_none()) {
            let before = self.services.get(key);
            let change = match (&entry.state, before.map(|before| &before.state)) {
                (State::Whole(now), Some(State::Whole(before))) => {
                    if is_same(now, before) {
                        refreshed(entry, self.services.get(key))
                    } else {
                        let changed = now.changed_since(before);
                        Some(Change::Updated(entry.clone(), Arc::clone(now), changed))
                    }
                }
                (State::Whole(now), None | Some(State::Named(_))) => {
                    Some(Change::Added(entry.clone(), Arc::clone(now)))
                }
                (State::Named(now), Some(State::Named(before))) if now == before => None,
                (State::Named(now), _) => Some(Change::Unresolved(entry.clone(), Arc::clone(now))),
            };
            let Some(change) = change else { continue };
            changes.push(change);
            let told = Service {
                state: entry.state.clone(),
                expires: entry.expires,
            };
            self.services.insert(key.to_owned(), told);
        }
    }
}

fn is_same(now: &Arc<Picture>, before: &Arc<Picture>) -> bool {
    Arc::ptr_eq(now, before) || (now.changed_since(before).is_empty() && now.views == before.views)
}

fn refreshed(entry: &Entry, before: Option<&Service>) -> Option<Change> {
    let longer = before.is_some_and(|before| entry.expires > before.expires + super::PROLONGED);
    longer.then(|| Change::Refreshed(entry.clone()))
}
