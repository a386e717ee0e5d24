//! Host names, this computer's and others, and single records.

use std::net::IpAddr;

use cooee_mdns::net::Links;
use cooee_mdns::{GroupId, Instant, PublishError, RecordSet};
use cooee_sd::next_host_label;
use cooee_wire::NameBuf;

use super::publishing::{CONTEST_LIMIT, Leaving};
use super::{Discovery, Owner, among};
use crate::claim::Claim;
use crate::core::Id;
use crate::error::Error;
use crate::offer::host_name;
use crate::registration::Phase;
use crate::watched::Watched;

/// Which of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostKey {
    /// This computer, under the name that all its services have by default.
    Own,
    /// A name that a program has published beside it.
    Other(Id),
}

/// A host's name, with a claim to it.
#[derive(Debug)]
pub(crate) struct Host {
    label: String,
    pub(super) name: NameBuf,
    /// What it was to be called.
    wanted: NameBuf,
    /// The name that it was tried under first, or that was stored since.
    stored: NameBuf,
    /// `None`: those of this computer.
    addresses: Option<Vec<IpAddr>>,
    /// The name is the system's, to be shared with its own responder.
    is_system: bool,
    choice: Links,
    group: Option<GroupId>,
    pub(super) is_ready: bool,
    /// Why it was given up, so that no service can stand on it.
    pub(super) failure: Option<Error>,
    contested_since: Option<Instant>,
    /// What its guard sees; this computer's own name has no guard.
    state: Option<Watched<Claim>>,
}

/// Records that a program has made itself.
#[derive(Debug)]
pub(super) struct Records {
    choice: Links,
    group: Option<GroupId>,
    state: Watched<Claim>,
}

impl Host {
    /// This computer, wanted under one name and to be tried under another first.
    pub(crate) fn own(wanted: &str, first: String) -> Self {
        Self::new(wanted, first, None, Links::default(), None)
    }

    /// This computer under the name that the system goes by.
    pub(crate) fn system(wanted: &str, first: String) -> Self {
        Self {
            is_system: true,
            ..Self::own(wanted, first)
        }
    }

    fn new(
        wanted: &str,
        label: String,
        addresses: Option<Vec<IpAddr>>,
        choice: Links,
        state: Option<Watched<Claim>>,
    ) -> Self {
        let name = host_name(&label);
        Self {
            wanted: host_name(wanted),
            stored: name.clone(),
            name,
            label,
            addresses,
            is_system: false,
            choice,
            group: None,
            is_ready: false,
            failure: None,
            contested_since: None,
            state,
        }
    }

    fn records(&self) -> RecordSet {
        match &self.addresses {
            None if self.is_system => RecordSet::new().system_host(self.name.clone()),
            None => RecordSet::new().host_addresses(self.name.clone()),
            Some(addresses) => RecordSet::new().addresses_of(&self.name, addresses.iter().copied()),
        }
    }

    fn tell(&self, phase: Phase, error: Option<Error>) {
        if let Some(state) = &self.state {
            state.change(|claim| {
                claim.name = Some(self.name.clone());
                claim.phase = phase;
                claim.error = error;
                true
            });
        }
    }
}

impl Discovery {
    /// Claims the host's name, if that is to be done without a service.
    pub(crate) fn claim_own_host(&mut self, now: Instant) {
        self.claim_host(now, HostKey::Own);
    }

    /// Publishes a host name beside this computer's.
    pub(crate) fn publish_host(
        &mut self,
        now: Instant,
        id: Id,
        host: crate::Host,
        state: Watched<Claim>,
    ) {
        let crate::Host {
            wanted,
            first,
            addresses,
            links,
        } = host;
        let host = Host::new(&wanted, first, addresses, links, Some(state));
        self.hosts.insert(HostKey::Other(id), host);
        self.claim_host(now, HostKey::Other(id));
    }

    /// Publishes single records.
    pub(crate) fn publish_records(
        &mut self,
        now: Instant,
        id: Id,
        records: RecordSet,
        choice: Links,
        state: Watched<Claim>,
    ) {
        let links = among(&self.network, &choice);
        let group = match self.engine.publish(now, records, links) {
            Ok(group) => {
                self.groups.insert(group, Owner::Records(id));
                Some(group)
            }
            Err(error) => {
                state.change(|claim| {
                    claim.phase = Phase::Failed;
                    claim.error = Some(error.into());
                    true
                });
                None
            }
        };
        let records = Records {
            choice,
            group,
            state,
        };
        self.records.insert(id, records);
    }

    /// The choice of links is made again when they change.
    pub(super) fn choose_links_of_claims(&mut self, now: Instant) {
        let hosts = self.hosts.values().map(|host| (host.group, &host.choice));
        let records = self
            .records
            .values()
            .map(|records| (records.group, &records.choice));
        for (group, choice) in hosts.chain(records) {
            let links = among(&self.network, choice);
            if let Some(group) = group
                && let Err(error) = self.engine.move_to(now, group, links)
            {
                tracing::debug!(target: "cooee", %error, "a host stays where it is");
            }
        }
    }

    /// Takes a host name or records back, with goodbyes.
    pub(crate) fn withdraw_claim(&mut self, now: Instant, id: Id) {
        let host = self.hosts.remove(&HostKey::Other(id));
        let host = host.and_then(|host| Some((host.group, host.state?)));
        let records = self.records.remove(&id);
        let records = records.map(|records| (records.group, records.state));
        for (group, state) in host.into_iter().chain(records) {
            if let Some(group) = group {
                self.groups.remove(&group);
                self.engine.withdraw(now, group);
            }
            self.leaving.push(Leaving::claim(state));
        }
        for id in self.services_on(HostKey::Other(id)) {
            self.tell_ready(now, id);
        }
    }

    pub(super) fn claim_host(&mut self, now: Instant, key: HostKey) {
        let Some(host) = self.hosts.get_mut(&key) else {
            return;
        };
        if host.group.is_some() {
            return;
        }
        host.failure = None;
        let records = host.records();
        self.tell_engine_of_host(now, key, records);
    }

    /// The group of a host's name waits for a link.
    pub(super) fn host_waits(&self, key: HostKey) {
        if let Some(host) = self.hosts.get(&key) {
            host.tell(Phase::Waiting, None);
        }
    }

    /// The host's name is ours, or another program of this computer has it and shares it with us.
    pub(super) fn host_ready(&mut self, now: Instant, key: HostKey) {
        let Some(host) = self.hosts.get_mut(&key) else {
            return;
        };
        host.is_ready = true;
        host.contested_since = None;
        tracing::debug!(target: "cooee", host = %host.name, "host name can be used");
        host.tell(Phase::Ready, None);
        if host.name != host.stored {
            self.keeper.keep(&host.wanted, &host.name);
            host.stored.clone_from(&host.name);
        }
        if key == HostKey::Own {
            self.tell_host_name();
        }
        for id in self.services_on(key) {
            self.tell_ready(now, id);
        }
    }

    /// A host's name is taken: it takes the next one, and its services with it.
    pub(super) fn rename_host(&mut self, now: Instant, key: HostKey) {
        let Some(host) = self.hosts.get_mut(&key) else {
            return;
        };
        host.is_ready = false;
        let contested_since = *host.contested_since.get_or_insert(now);
        // This computer needs some name, however long it takes.
        if key != HostKey::Own && now.since(contested_since) >= CONTEST_LIMIT {
            let error = Error::name_taken(&host.name);
            return self.fail_host(now, key, error);
        }
        let next = next_host_label(&host.label);
        tracing::debug!(target: "cooee", host = %host.name, %next, "host name is taken, trying the next");
        host.name = host_name(&next);
        host.label = next;
        host.tell(Phase::Probing, None);
        let records = host.records();
        if key == HostKey::Own {
            self.tell_host_name();
        }
        self.tell_engine_of_host(now, key, records);
        for id in self.services_on(key) {
            self.follow_host(now, id);
        }
    }

    /// Somebody else has one of the names: nobody but the program can say what to do about that.
    pub(super) fn records_conflict(&mut self, now: Instant, id: Id, lost: &NameBuf) {
        let Some(records) = self.records.get_mut(&id) else {
            return;
        };
        records.state.change(|claim| {
            claim.phase = Phase::Failed;
            claim.error = Some(Error::name_taken(lost));
            true
        });
        if let Some(group) = records.group.take() {
            self.groups.remove(&group);
            self.engine.withdraw(now, group);
        }
    }

    pub(super) fn tell_records(&self, id: Id, phase: Phase) {
        if let Some(records) = self.records.get(&id) {
            records.state.change(|claim| {
                claim.phase = phase;
                true
            });
        }
    }

    pub(super) fn close_claims(&self) {
        let hosts = self.hosts.values().filter_map(|host| host.state.as_ref());
        let records = self.records.values().map(|records| &records.state);
        for state in hosts.chain(records) {
            state.close();
        }
    }

    /// Publishes the name of a host on these links, or gives its group the new one.
    fn tell_engine_of_host(&mut self, now: Instant, key: HostKey, records: RecordSet) {
        let Some(host) = self.hosts.get_mut(&key) else {
            return;
        };
        let outcome = match host.group {
            Some(group) => self.engine.rename(now, group, records),
            None => {
                let links = among(&self.network, &host.choice);
                self.engine.publish(now, records, links).map(|group| {
                    host.group = Some(group);
                    self.groups.insert(group, Owner::Host(key));
                })
            }
        };
        match outcome {
            Ok(()) | Err(PublishError::ShutDown) => {}
            // Another host of ours has the name: no other than if a neighbour had it.
            Err(PublishError::AlreadyPublished(_)) => {
                self.clashing_hosts.insert(key);
            }
            Err(error) => self.fail_host(now, key, error.into()),
        }
    }

    /// Gives up a host, and the services that would lead to it.
    fn fail_host(&mut self, now: Instant, key: HostKey, error: Error) {
        let Some(host) = self.hosts.get_mut(&key) else {
            return;
        };
        tracing::debug!(target: "cooee", %error, "cannot publish a host");
        let group = host.group.take();
        host.failure = Some(error.clone());
        host.tell(Phase::Failed, Some(error.clone()));
        if let Some(group) = group {
            self.groups.remove(&group);
            self.engine.withdraw(now, group);
        }
        for id in self.services_on(key) {
            self.fail(now, id, error.clone());
        }
    }

    fn tell_host_name(&self) {
        let name = self
            .hosts
            .get(&HostKey::Own)
            .filter(|host| host.is_ready)
            .map(|host| host.name.clone());
        self.network.change(|network| {
            let news = network.host_name != name;
            network.host_name = name;
            news
        });
    }
}
