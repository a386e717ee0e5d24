//! What is published: the host's name, services, single records; and what happens when a name is taken.

use std::time::Duration;

use cooee_mdns::net::Links;
use cooee_mdns::{GroupId, Instant, LinkId, LinkSet, PublishError, RecordSet};
use cooee_sd::{InstanceName, next_host_label};
use cooee_wire::NameBuf;

use super::{Discovery, Owner};
use crate::core::Id;
use crate::error::Error;
use crate::offer::{Offer, host_name};
use crate::registration::{Phase, Published};
use crate::watched::Watched;

/// How long conflicts may go on before publishing fails (ruling 11).
const CONTEST_LIMIT: Duration = Duration::from_secs(60);

/// The name that this host is to be known by.
#[derive(Clone, Debug)]
pub(crate) struct HostName {
    /// The first label; what follows is `local`.
    pub(crate) label: String,
    /// Claimed at once, not only when a service needs it.
    pub(crate) at_once: bool,
}

/// The name of this host, with a claim to it.
#[derive(Debug)]
pub(super) struct Host {
    label: String,
    name: NameBuf,
    at_once: bool,
    group: Option<GroupId>,
    is_ready: bool,
}

/// A published service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) state: Watched<Published>,
    /// Where it runs, if not on this host.
    elsewhere: Option<NameBuf>,
    choice: Links,
    links: LinkSet,
    may_rename: bool,
    group: Option<GroupId>,
    /// Whether the engine has said that the name is ours.
    is_ready: bool,
    contested_since: Option<Instant>,
}

/// Something withdrawn, whose goodbye may not have left.
#[derive(Debug)]
pub(super) struct Leaving {
    state: Watched<Published>,
    /// Whether the driver has had a chance to send since.
    sent: bool,
}

/// What a service is published with, beside what its registration shows.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) elsewhere: Option<NameBuf>,
    pub(crate) choice: Links,
    pub(crate) may_rename: bool,
}

impl Host {
    pub(super) fn new(wanted: HostName) -> Self {
        Self {
            name: host_name(&wanted.label),
            label: wanted.label,
            at_once: wanted.at_once,
            group: None,
            is_ready: false,
        }
    }

    fn records(&self) -> RecordSet {
        RecordSet::new().host_addresses(self.name.clone())
    }
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
        if terms.elsewhere.is_none() {
            self.claim_host(now);
        }
        let links = self.among(&terms.choice);
        let service = Service {
            state,
            elsewhere: terms.elsewhere,
            choice: terms.choice,
            links,
            may_rename: terms.may_rename,
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
        service.is_ready = false;
        service.contested_since = None;
        let mut renamed = Ok(());
        service.state.change(|state| {
            state.unsaid = state.unsaid.saturating_sub(1);
            renamed = state
                .name
                .with_instance(instance)
                .map(|name| state.name = name);
            true
        });
        match renamed {
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
        self.leaving.push(Leaving {
            state: service.state,
            sent: false,
        });
    }

    /// Claims the host's name, if that is to be done without a service.
    pub(crate) fn begin_host(&mut self, now: Instant) {
        if self.host.as_ref().is_some_and(|host| host.at_once) {
            self.claim_host(now);
        }
    }

    /// Tells those who withdrew something that its goodbye has left: a node is called before and after its packets are sent.
    pub(super) fn let_go(&mut self) {
        self.leaving.retain_mut(|leaving| {
            if !leaving.sent {
                leaving.sent = true;
                return true;
            }
            leaving.state.change(|state| {
                state.phase = Phase::Withdrawn;
                true
            });
            leaving.state.close();
            false
        });
    }

    pub(super) fn close_publications(&self) {
        let leaving = self.leaving.iter().map(|leaving| &leaving.state);
        for state in self
            .services
            .values()
            .map(|service| &service.state)
            .chain(leaving)
        {
            state.close();
        }
    }

    pub(super) fn group_waits(&mut self, group: GroupId) {
        if let Some(&Owner::Service(id)) = self.groups.get(&group)
            && let Some(service) = self.services.get(&id)
        {
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

    pub(super) fn group_ready(&mut self, group: GroupId) {
        match self.groups.get(&group) {
            Some(Owner::Host) => {
                let Some(host) = &mut self.host else { return };
                host.is_ready = true;
                tracing::debug!(target: "cooee", host = %host.name, "host name is ours");
                self.tell_host_name();
                let ids: Vec<_> = self.services.keys().copied().collect();
                for id in ids {
                    self.tell_ready(id);
                }
            }
            Some(&Owner::Service(id)) => {
                if let Some(service) = self.services.get_mut(&id) {
                    service.is_ready = true;
                    service.contested_since = None;
                }
                self.tell_ready(id);
            }
            None => {}
        }
    }

    pub(super) fn group_conflict(&mut self, now: Instant, group: GroupId, lost: &NameBuf) {
        match self.groups.get(&group) {
            Some(Owner::Host) => self.rename_host(now),
            Some(&Owner::Service(id)) => {
                let current = self
                    .services
                    .get(&id)
                    .is_some_and(|service| service.state.with(|s| s.name.as_name_buf() == lost));
                // The name may have been given up meanwhile.
                if current {
                    self.take_next_name(now, id);
                }
            }
            None => {}
        }
    }

    /// The choice of links is made again when they change.
    pub(super) fn choose_links_of_services(&mut self, now: Instant) {
        let ids: Vec<_> = self.services.keys().copied().collect();
        for id in ids {
            let Some(choice) = self.services.get(&id).map(|service| service.choice.clone()) else {
                continue;
            };
            let links = self.among(&choice);
            let Some(service) = self.services.get_mut(&id) else {
                continue;
            };
            if service.links == links {
                continue;
            }
            service.links = links;
            // A group stays on the links it was published on: on others it is another group.
            if let Some(group) = service.group.take() {
                service.is_ready = false;
                self.groups.remove(&group);
                self.engine.withdraw(now, group);
                self.put_up(now, id);
            }
        }
    }

    fn claim_host(&mut self, now: Instant) {
        let Some(host) = &mut self.host else { return };
        if host.group.is_some() {
            return;
        }
        match self.engine.publish(now, host.records(), LinkSet::All) {
            Ok(group) => {
                host.group = Some(group);
                self.groups.insert(group, Owner::Host);
            }
            Err(error) => {
                tracing::warn!(target: "cooee", host = %host.name, %error, "host name cannot be published");
            }
        }
    }

    fn rename_host(&mut self, now: Instant) {
        let Some(host) = &mut self.host else { return };
        let Some(group) = host.group else { return };
        let lost = std::mem::take(&mut host.label);
        host.label = next_host_label(&lost);
        host.name = host_name(&host.label);
        host.is_ready = false;
        tracing::info!(target: "cooee", "host name is taken, trying the next");
        tracing::debug!(target: "cooee", host = %host.name, "next host name");
        if let Err(error) = self.engine.rename(now, group, host.records()) {
            tracing::warn!(target: "cooee", %error, "host cannot be renamed");
        }
        self.tell_host_name();
        // Ruling 17: those who depend on it follow without probing again.
        let dependants: Vec<_> = self
            .services
            .iter()
            .filter(|(_, service)| service.elsewhere.is_none())
            .map(|(&id, _)| id)
            .collect();
        for id in dependants {
            self.tell_engine(now, id, Change::Update);
        }
    }

    fn tell_host_name(&self) {
        let name = self
            .host
            .as_ref()
            .filter(|host| host.is_ready)
            .map(|host| host.name.clone());
        self.network.change(|network| {
            let news = network.host_name != name;
            network.host_name = name;
            news
        });
    }

    /// A service is ready when its own name is ours, and its host's, if that is this one.
    fn tell_ready(&self, id: Id) {
        let Some(service) = self.services.get(&id) else {
            return;
        };
        let has_host =
            service.elsewhere.is_some() || self.host.as_ref().is_some_and(|host| host.is_ready);
        if service.is_ready && has_host {
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
                service.state.with(|state| state.name = next);
                self.put_up(now, id);
            }
            Err(error) => self.fail(now, id, error.into()),
        }
    }

    fn tell_engine(&mut self, now: Instant, id: Id, change: Change) {
        let Some(service) = self.services.get(&id) else {
            return;
        };
        let host = match (&service.elsewhere, &self.host) {
            (Some(elsewhere), _) => elsewhere.clone(),
            (None, Some(host)) => host.name.clone(),
            (None, None) => return self.fail(now, id, Error::no_host()),
        };
        let (name, offer) = service
            .state
            .with(|state| (state.name.clone(), state.offer.clone()));
        let records = match record_set(&offer, name, host) {
            Ok(records) => records,
            Err(error) => return self.fail(now, id, error),
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
            (None, Change::Update) => Ok(()),
        };
        match outcome {
            Ok(()) => {}
            // Another service of ours has the name: no other than if a neighbour had it.
            Err(PublishError::AlreadyPublished(_)) => {
                self.clashing.insert(id);
            }
            Err(PublishError::ShutDown) => {}
            Err(error) => self.fail(now, id, error.into()),
        }
    }

    fn fail(&mut self, now: Instant, id: Id, error: Error) {
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

fn record_set(
    offer: &Offer,
    name: cooee_sd::ServiceName,
    host: NameBuf,
) -> Result<RecordSet, Error> {
    let records = offer.records(name, host).build()?;
    let mut set = RecordSet::new();
    for record in records.unique {
        set = set.unique(record);
    }
    let mut shared = records.shared;
    let enumeration = if offer.is_placeholder {
        None
    } else {
        shared.pop()
    };
    for record in shared {
        set = set.shared(record);
    }
    Ok(match enumeration {
        Some(record) => set.shared_without_goodbye(record),
        None => set,
    })
}
