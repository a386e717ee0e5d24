//! The join: an engine, the services published through it, and the searches that it answers. Without I/O.
//!
//! Nothing of the protocols is decided here. Engine events go to the publication or the search they belong to, what a search wants to ask becomes a query
//! of the engine, and a name that was lost is exchanged for the next one.

mod asking;
mod hosts;
mod publishing;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use cooee_mdns::net::{Driven, Link, LinkStatus, Links, NetworkEvent, StartError};
use cooee_mdns::{Engine, Event, GroupId, Instant, LinkSet, Node, QueryId};
use cooee_wire::NameBuf;

use crate::core::{Id, Network};
use crate::error::Error;
use crate::names::Keeper;
use crate::registration::Phase;
use crate::watched::Watched;
use asking::Search;
pub(crate) use asking::Wanted;
use hosts::Records;
pub(crate) use hosts::{Host, HostKey};
use publishing::{Leaving, Service};
pub(crate) use publishing::{Place, Terms};

/// An engine with the application's wishes on top: what a driver, or a simulator, drives.
#[derive(Debug)]
pub(crate) struct Discovery {
    engine: Engine,
    network: Watched<Network>,
    hosts: BTreeMap<HostKey, Host>,
    services: BTreeMap<Id, Service>,
    records: BTreeMap<Id, Records>,
    groups: BTreeMap<GroupId, Owner>,
    /// Services whose name another one of ours has.
    clashing: BTreeSet<Id>,
    /// Hosts of which the same is true.
    clashing_hosts: BTreeSet<HostKey>,
    /// What was withdrawn, until its goodbye has left.
    leaving: Vec<Leaving>,
    searches: BTreeMap<Id, Search>,
    queries: BTreeMap<QueryId, Id>,
    /// Searches whose wishes have not been read since something happened to them.
    stirred: BTreeSet<Id>,
    keeper: Keeper,
    /// When a search has to be looked at.
    deadlines: BTreeSet<(Instant, Id)>,
}

/// Whose a group is.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Host(HostKey),
    Service(Id),
    Records(Id),
}

impl Discovery {
    /// `host` is the name that this computer is to have, if any.
    pub(crate) fn new(
        engine: Engine,
        host: Option<Host>,
        network: Watched<Network>,
        keeper: Keeper,
    ) -> Self {
        Self {
            engine,
            network,
            hosts: host.map(|host| (HostKey::Own, host)).into_iter().collect(),
            services: BTreeMap::new(),
            records: BTreeMap::new(),
            groups: BTreeMap::new(),
            clashing: BTreeSet::new(),
            clashing_hosts: BTreeSet::new(),
            leaving: Vec::new(),
            searches: BTreeMap::new(),
            queries: BTreeMap::new(),
            stirred: BTreeSet::new(),
            keeper,
            deadlines: BTreeSet::new(),
        }
    }

    pub(crate) fn stats(&self) -> cooee_mdns::Stats {
        self.engine.stats()
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Waiting { group } => self.group_waits(group),
            Event::Ready { group } => self.group_ready(now, group),
            Event::Borrowed { group } => self.group_ready(now, group),
            Event::Conflict { group, name, .. } => self.group_conflict(now, group, &name),
            Event::Answer {
                query,
                link,
                record,
                presence,
                own,
            } => self.answer(now, query, link, record, presence, own),
            Event::Denied {
                query,
                link,
                name,
                kind,
            } => self.denied(now, query, link, &name, kind),
            Event::Finished { query } => self.finished(query),
            Event::PortShared { .. } => self.port_is_shared(),
            // Trouble with links is told by the driver.
            _ => {}
        }
    }

    fn group_waits(&self, group: GroupId) {
        match self.groups.get(&group) {
            Some(&Owner::Host(key)) => self.host_waits(key),
            Some(&Owner::Service(id)) => self.service_waits(id),
            Some(&Owner::Records(id)) => self.tell_records(id, Phase::Waiting),
            None => {}
        }
    }

    fn group_ready(&mut self, now: Instant, group: GroupId) {
        match self.groups.get(&group) {
            Some(&Owner::Host(key)) => self.host_ready(now, key),
            Some(&Owner::Service(id)) => self.service_ready(now, id),
            Some(&Owner::Records(id)) => self.tell_records(id, Phase::Ready),
            None => {}
        }
    }

    fn group_conflict(&mut self, now: Instant, group: GroupId, lost: &NameBuf) {
        match self.groups.get(&group) {
            Some(&Owner::Host(key)) => self.rename_host(now, key),
            Some(&Owner::Service(id)) => self.service_conflict(now, id, lost),
            Some(&Owner::Records(id)) => self.records_conflict(now, id, lost),
            None => {}
        }
    }

    fn port_is_shared(&self) {
        self.network
            .change(|network| !std::mem::replace(&mut network.port_shared, true));
    }

    fn set_links(&self, links: &[Link]) {
        self.network.change(|network| {
            network.links = network.links.updated(links.to_vec());
            // A link that has another status, or is gone, has failed no more.
            network.failures.retain(|index, _| {
                let link = links.iter().find(|link| link.index() == *index);
                link.is_some_and(|link| matches!(link.status(), LinkStatus::Unusable(_)))
            });
            true
        });
    }
}

impl Node for Discovery {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, now: Instant) {
        self.network.with(|network| network.set_now(now));
        self.let_go(now);
        loop {
            while let Some(event) = self.engine.poll_event() {
                self.handle_event(now, event);
            }
            while let Some(id) = self.clashing.pop_first() {
                self.take_next_name(now, id);
            }
            while let Some(key) = self.clashing_hosts.pop_first() {
                self.rename_host(now, key);
            }
            while let Some(&(due, id)) = self.deadlines.first()
                && due <= now
            {
                self.deadlines.pop_first();
                self.stirred.insert(id);
            }
            // A search that asks may have its answer at once: from what the engine knows.
            let Some(id) = self.stirred.pop_first() else {
                return;
            };
            self.attend(now, id);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        // Nothing may be sent for what was withdrawn, and nothing else happen: those who wait for its end are told all the same.
        if !self.leaving.is_empty() {
            return Some(Instant::ZERO);
        }
        let own = self.deadlines.first().map(|&(due, _)| due);
        match (self.engine.poll_timeout(), own) {
            (Some(engine), Some(own)) => Some(engine.min(own)),
            (engine, own) => engine.or(own),
        }
    }
}

impl Driven for Discovery {
    fn handle_network(&mut self, now: Instant, event: &NetworkEvent) {
        match event {
            NetworkEvent::Links(links) => {
                self.set_links(links);
                self.choose_links_of_services(now);
                self.choose_links_of_claims(now);
                self.choose_links_of_searches(now);
            }
            NetworkEvent::LinkUp(link) => self.stop_waiting(link.id()),
            NetworkEvent::LinkFailed { link, .. } => self.network.change(|network| {
                // The status has what the system said, in words.
                let text = format!("{} is {}", link.name(), link.status());
                network.failures.insert(link.index(), Error::network(text));
                true
            }),
            NetworkEvent::NoSocket { family, error } => self.network.change(|network| {
                let error = StartError::NoSocket(error.kind().into());
                network.no_socket = Some((*family, error.into()));
                true
            }),
            NetworkEvent::SocketOpened(_) => self.network.change(|network| {
                network.no_socket = None;
                true
            }),
            NetworkEvent::PortShared => self.port_is_shared(),
            // The list of links says it too.
            _ => {}
        }
    }
}

impl Drop for Discovery {
    /// Nothing will change any more: whoever waits learns that.
    fn drop(&mut self) {
        self.close_services();
        self.close_claims();
        for search in self.searches.values() {
            search.close();
        }
        self.network.close();
    }
}

/// A choice of links, of those there are.
fn among(network: &Watched<Network>, choice: &Links) -> LinkSet {
    // The choice may be a program's own code, which may ask for what the lock guards.
    let links = network.with(|network| network.links.clone());
    choice.among(links.present())
}
