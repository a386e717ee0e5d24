//! Services that are published, and what happens when a name is taken.

use std::time::Duration;

use cooee_mdns::net::Links;
use cooee_mdns::{GroupId, Instant, LinkId, LinkSet, PublishError};
use cooee_sd::{InstanceName, ServiceName};
use cooee_wire::NameBuf;

use super::hosts::HostKey;
use super::{Discovery, Owner, among};
use crate::claim::Claim;
use crate::core::Id;
use crate::error::Error;
use crate::registration::{Phase, Published};
use crate::watched::Watched;

/// How long conflicts may go on before publishing fails (ruling 11).
pub(super) const CONTEST_LIMIT: Duration = Duration::from_secs(60);

/// A published service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) state: Watched<Published>,
    place: Place,
    choice: Links,
    links: LinkSet,
    may_rename: bool,
    /// What it was to be called.
    wanted: ServiceName,
    /// The name that it was tried under first, or that was stored since.
    stored: ServiceName,
    group: Option<GroupId>,
    /// Whether the engine has said that the name is ours.
    is_ready: bool,
    contested_since: Option<Instant>,
}

/// Something withdrawn, whose goodbye may not have left.
#[derive(Debug)]
pub(super) struct Leaving {
    state: Left,
    /// Whether the driver has had a chance to send since.
    sent: bool,
}

#[derive(Debug)]
enum Left {
    Service(Watched<Published>),
    Claim(Watched<Claim>),
}

impl Leaving {
    fn service(state: Watched<Published>) -> Self {
        Self {
            state: Left::Service(state),
            sent: false,
        }
    }

    pub(super) fn claim(state: Watched<Claim>) -> Self {
        Self {
            state: Left::Claim(state),
            sent: false,
        }
    }

    fn close(&self) {
        match &self.state {
            Left::Service(state) => state.close(),
            Left::Claim(state) => state.close(),
        }
    }

    fn tell(&self) {
        match &self.state {
            Left::Service(state) => state.with(|state| state.phase = Phase::Withdrawn),
            Left::Claim(state) => state.with(|claim| claim.phase = Phase::Withdrawn),
        }
        self.close();
    }
}

/// Where a service runs.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// On a host that this node publishes.
    Host(HostKey),
    /// On one that somebody else publishes.
    Elsewhere(NameBuf),
}

/// What a service is published with, beside what its registration shows.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) place: Place,
    pub(crate) choice: Links,
    pub(crate) may_rename: bool,
    /// What it was to be called; the name to try first may be another, from the last time.
    pub(crate) wanted: ServiceName,
}

impl Discovery {
    /// Publishes a service; what becomes of it is seen in `state`.
    pub(crate) fn publish(
        &mut self,
        now: Instant,
        id: Id,
        state: Watched<Published>,
        terms: Terms,
    ) {
        if let Place::Host(key) = terms.place {
            self.claim_host(now, key);
        }
        let links = among(&self.network, &terms.choice);
        let service = Service {
            place: terms.place,
            choice: terms.choice,
            links,
            may_rename: terms.may_rename,
            wanted: terms.wanted,
            stored: state.with(|state| state.name.clone()),
            state,
            group: None,
            is_ready: false,
            contested_since: None,
        };
        self.services.insert(id, service);
        self.put_up(now, id);
    }

    /// Tells the engine what a service offers now.
    pub(crate) fn update(&mut self, now: Instant, id: Id) {
        self.tell_engine(now, id, Change::Update);
        if let Some(service) = self.services.get(&id) {
            service.state.change(|state| {
                state.unsaid = state.unsaid.saturating_sub(1);
                true
            });
        }
    }

    /// Gives a service another name.
    pub(crate) fn rename(&mut self, now: Instant, id: Id, instance: InstanceName) {
        let Some(service) = self.services.get_mut(&id) else {
            return;
        };
        // Names are equal in either case of letters; people see the difference.
        let shown = service.state.with(|state| state.name.instance());
        let is_present = service.group.is_some() && shown.as_bytes() == instance.as_bytes();
        if !is_present {
            service.is_ready = false;
            service.contested_since = None;
        }
        let mut renamed = Ok(());
        service.state.change(|state| {
            state.unsaid = state.unsaid.saturating_sub(1);
            if !is_present {
                // The new name is not ours yet.
                state.phase = Phase::Probing;
            }
            renamed = state
                .name
                .with_instance(instance)
                .map(|name| state.name = name);
            service.wanted.clone_from(&state.name);
            service.stored.clone_from(&state.name);
            true
        });
        match renamed {
            Ok(()) if is_present => {}
            Ok(()) => self.put_up(now, id),
            Err(error) => self.fail(now, id, error.into()),
        }
    }

    /// Takes a service back, with goodbyes.
    pub(crate) fn withdraw(&mut self, now: Instant, id: Id) {
        let Some(service) = self.services.remove(&id) else {
            return;
        };
        if let Some(group) = service.group {
            self.groups.remove(&group);
            self.engine.withdraw(now, group);
        }
        self.leaving.push(Leaving::service(service.state));
    }

    /// Tells those who withdrew something that its goodbye has left: a node is called before and after its packets are sent.
    pub(super) fn let_go(&mut self, now: Instant) {
        // Goodbyes may be held back so that no receiver is flooded.
        let is_held = self.engine.owes_goodbyes(now);
        self.leaving.retain_mut(|leaving| {
            if !leaving.sent || is_held {
                leaving.sent = true;
                return true;
            }
            leaving.tell();
            false
        });
    }

    pub(super) fn close_services(&self) {
        for service in self.services.values() {
            service.state.close();
        }
        self.leaving.iter().for_each(Leaving::close);
    }

    /// The group of a service waits for a link.
    pub(super) fn service_waits(&self, id: Id) {
        if let Some(service) = self.services.get(&id) {
            service.state.change(|state| {
                state.phase = Phase::Waiting;
                true
            });
        }
    }

    /// A link has come, so that nothing waits for one any more.
    pub(super) fn stop_waiting(&mut self, link: LinkId) {
        for service in self.services.values() {
            if service.links.contains(link) {
                service.state.change(|state| {
                    let waited = state.phase == Phase::Waiting;
                    if waited {
                        state.phase = Phase::Probing;
                    }
                    waited
                });
            }
        }
    }

    pub(super) fn service_ready(&mut self, now: Instant, id: Id) {
        if let Some(service) = self.services.get_mut(&id) {
            service.is_ready = true;
            service.contested_since = None;
        }
        self.tell_ready(now, id);
    }

    pub(super) fn service_conflict(&mut self, now: Instant, id: Id, lost: &NameBuf) {
        let current = self
            .services
            .get(&id)
            .is_some_and(|service| service.state.with(|s| s.name.as_name_buf() == lost));
        // The name may have been given up meanwhile.
        if current {
            self.take_next_name(now, id);
        }
    }

    /// The services that run on one of our hosts.
    pub(super) fn services_on(&self, key: HostKey) -> Vec<Id> {
        self.services
            .iter()
            .filter(|(_, service)| matches!(service.place, Place::Host(host) if host == key))
            .map(|(&id, _)| id)
            .collect()
    }

    /// The host of a service has another name: the service follows without being probed again (ruling 17).
    pub(super) fn follow_host(&mut self, now: Instant, id: Id) {
        self.tell_engine(now, id, Change::Update);
    }

    /// The choice of links is made again when they change.
    pub(super) fn choose_links_of_services(&mut self, now: Instant) {
        for service in self.services.values_mut() {
            let links = among(&self.network, &service.choice);
            if service.links == links {
                continue;
            }
            service.links = links.clone();
            if let Some(group) = service.group
                && let Err(error) = self.engine.move_to(now, group, links)
            {
                tracing::debug!(target: "cooee", %error, "a service stays where it is");
            }
        }
    }

    /// A service is ready when its own name is ours, and its host's, if that is one of ours. Without that host it cannot become ready.
    pub(super) fn tell_ready(&mut self, now: Instant, id: Id) {
        let Some(service) = self.services.get_mut(&id) else {
            return;
        };
        if !service.is_ready {
            return;
        }
        let has_host = match &service.place {
            Place::Host(key) => match self.hosts.get(key) {
                Some(host) => host.is_ready,
                None if service.state.with(|state| state.phase == Phase::Ready) => return,
                None => return self.fail(now, id, Error::host_gone()),
            },
            Place::Elsewhere(_) => true,
        };
        if has_host {
            let name = service.state.with(|state| state.name.clone());
            if name != service.stored {
                self.keeper.keep(&service.wanted, &name);
                service.stored = name;
            }
            service.state.change(|state| {
                let news = state.phase != Phase::Ready;
                state.phase = Phase::Ready;
                news
            });
        }
    }

    /// Publishes a service under its present name, or renames its group to that.
    fn put_up(&mut self, now: Instant, id: Id) {
        let Some(service) = self.services.get(&id) else {
            return;
        };
        service.state.change(|state| {
            state.phase = Phase::Probing;
            true
        });
        self.tell_engine(now, id, Change::Name);
    }

    /// The name is taken: tries the next one, unless the service wants none but this, or it has gone on for too long.
    pub(super) fn take_next_name(&mut self, now: Instant, id: Id) {
        let Some(service) = self.services.get_mut(&id) else {
            return;
        };
        service.is_ready = false;
        let name = service.state.with(|state| state.name.clone());
        let contested_since = *service.contested_since.get_or_insert(now);
        if !service.may_rename || now.since(contested_since) >= CONTEST_LIMIT {
            return self.fail(now, id, Error::name_taken(&name));
        }
        match name.with_instance(name.instance().next()) {
            Ok(next) => {
                tracing::debug!(target: "cooee", %name, %next, "name is taken, trying the next");
                service.state.change(|state| {
                    // In one step: nobody may take a name for ready that was not probed.
                    state.name = next;
                    state.phase = Phase::Probing;
                    true
                });
                self.put_up(now, id);
            }
            Err(error) => self.fail(now, id, error.into()),
        }
    }

    fn tell_engine(&mut self, now: Instant, id: Id, change: Change) {
        let Some(service) = self.services.get(&id) else {
            return;
        };
        let host = match &service.place {
            Place::Elsewhere(name) => name.clone(),
            Place::Host(key) => match self.hosts.get(key) {
                Some(host) => match &host.failure {
                    None => host.name.clone(),
                    Some(error) => return self.refuse(now, id, change, error.clone()),
                },
                None => return self.refuse(now, id, change, Error::host_gone()),
            },
        };
        let (name, offer) = service
            .state
            .with(|state| (state.name.clone(), state.offer.clone()));
        let records = match offer.record_set(name, host) {
            Ok(records) => records,
            Err(error) => return self.refuse(now, id, change, error),
        };
        let links = service.links.clone();
        let outcome = match (service.group, change) {
            (None, Change::Name) => self.engine.publish(now, records, links).map(|group| {
                self.groups.insert(group, Owner::Service(id));
                if let Some(service) = self.services.get_mut(&id) {
                    service.group = Some(group);
                }
            }),
            (Some(group), Change::Name) => self.engine.rename(now, group, records),
            (Some(group), Change::Update) => self.engine.update(now, group, records),
            // It failed before.
            (None, Change::Update) => return,
        };
        match outcome {
            Ok(()) => {
                if let Some(service) = self.services.get(&id) {
                    service.state.with(|state| state.error = None);
                }
            }
            // Another service of ours has the name: no other than if a neighbour had it.
            Err(PublishError::AlreadyPublished(_)) => {
                self.clashing.insert(id);
            }
            Err(PublishError::ShutDown) => {}
            Err(error) => self.refuse(now, id, change, error.into()),
        }
    }

    /// What is to be published cannot be. A service that stands goes on with the records that it has.
    fn refuse(&mut self, now: Instant, id: Id, change: Change, error: Error) {
        match change {
            Change::Name => self.fail(now, id, error),
            Change::Update => {
                tracing::warn!(target: "cooee", %error, "a service keeps its old records");
                if let Some(service) = self.services.get(&id) {
                    service.state.change(|state| {
                        state.error = Some(error);
                        state.refusals += 1;
                        true
                    });
                }
            }
        }
    }

    pub(super) fn fail(&mut self, now: Instant, id: Id, error: Error) {
        let Some(service) = self.services.get_mut(&id) else {
            return;
        };
        tracing::debug!(target: "cooee", %error, "cannot publish");
        let group = service.group.take();
        service.state.change(|state| {
            state.phase = Phase::Failed;
            state.error = Some(error);
            true
        });
        if let Some(group) = group {
            self.groups.remove(&group);
            self.engine.withdraw(now, group);
        }
    }
}

/// What is to be told to the engine about a service.
#[derive(Clone, Copy)]
enum Change {
    /// It has another name, or is new.
    Name,
    /// Something else about it is different.
    Update,
}
