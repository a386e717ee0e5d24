//! Services while they are published.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cooee::{
    Host, HostRegistration, Registration, RegistrationEvent, Service, ServiceName, Zeroconf,
};
use tokio::sync::mpsc;

use super::Plan;
use super::child::Child;
use super::offer::Offer;
use crate::events::Event;
use crate::failure::{Failure, Outcome};
use crate::output::Stop;
use crate::picture::Identity;
use crate::session::{self, Session};
use crate::{escape, found, interfaces};

/// What is published, and what is told of it.
pub(super) struct Running {
    session: Session,
    zeroconf: Zeroconf,
    child: Option<Child>,
    services: BTreeMap<u64, Published>,
    /// The number of the next one.
    next: u64,
    /// Other machines that are published for services on them.
    hosts: Vec<(Proxy, HostRegistration)>,
    news: mpsc::Receiver<(u64, RegistrationEvent)>,
    tell: mpsc::Sender<(u64, RegistrationEvent)>,
    /// Something could not be had.
    failure: Option<Failure>,
    /// Somebody still reads the output. A publication does not end because nobody does.
    is_heard: bool,
    /// The service manager knows that we are ready.
    is_announced: bool,
    /// It was told that there is no link to publish on.
    is_waiting: bool,
}

/// Name and addresses of another machine.
type Proxy = (String, Vec<IpAddr>);

struct Published {
    offer: Offer,
    registration: Registration,
    requested: ServiceName,
    /// It was told that the name is ours.
    is_registered: bool,
}

/// Why it ended.
pub(super) enum End {
    /// It was told to, or nothing is left to publish.
    Told,
    /// The command has ended, with this.
    Child(Outcome),
}

/// Events of services wait here; each of them waits for its turn.
const NEWS: usize = 64;

impl Running {
    pub(super) fn new(session: Session, zeroconf: Zeroconf, child: Option<Child>) -> Self {
        let (tell, news) = mpsc::channel(NEWS);
        Self {
            session,
            zeroconf,
            child,
            services: BTreeMap::new(),
            next: 0,
            hosts: Vec::new(),
            news,
            tell,
            failure: None,
            is_heard: true,
            is_announced: false,
            is_waiting: false,
        }
    }

    /// Begins to publish; what cannot be is told, and the others are.
    pub(super) fn publish(&mut self, offers: Vec<Offer>) {
        for offer in offers {
            if let Err(failure) = self.publish_one(offer) {
                self.give_up(failure);
            }
        }
    }

    fn publish_one(&mut self, offer: Offer) -> Result<(), Failure> {
        let service = offer.service().map_err(Failure::usage)?;
        let service = self.placed(&offer, service)?;
        let registration = self
            .zeroconf
            .start_publish(service)
            .map_err(|error| session::failure(&error))?;
        let (id, mut events) = (self.next, registration.events());
        self.next += 1;
        let tell = self.tell.clone();
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if tell.send((id, event)).await.is_err() {
                    return;
                }
            }
        });
        let requested = named(&offer).unwrap_or_else(|| registration.name());
        self.services.insert(
            id,
            Published {
                offer,
                registration,
                requested,
                is_registered: false,
            },
        );
        Ok(())
    }

    /// The service on its host. Another machine is published too; the service waits for it.
    fn placed(&mut self, offer: &Offer, service: Service) -> Result<Service, Failure> {
        let Some(host) = &offer.host else {
            return Ok(service);
        };
        if offer.addresses.is_empty() {
            return Ok(service.host(crate::commands::host::local_name(host)?));
        }
        let proxy = (host.clone(), offer.addresses.clone());
        if let Some((_, host)) = self.hosts.iter().find(|(known, _)| *known == proxy) {
            return Ok(service.host(host));
        }
        let host = Host::new(host, offer.addresses.iter().copied())
            .and_then(|host| self.zeroconf.start_publish_host(host))
            .map_err(|error| session::failure(&error))?;
        let service = service.host(&host);
        self.hosts.push((proxy, host));
        Ok(service)
    }

    /// Waits and tells. `again` reads the files anew.
    pub(super) async fn watch(
        &mut self,
        again: impl Fn(&Session) -> Result<Plan, Failure>,
    ) -> Result<End, Failure> {
        let mut signals = self.session.signals.clone();
        let mut hang_ups = signals.clone();
        loop {
            if self.services.is_empty() && self.failure.is_some() && self.child.is_none() {
                return Ok(End::Told);
            }
            let (id, event) = tokio::select! {
                biased;
                signal = signals.asked() => {
                    if let Some(child) = &self.child {
                        child.hand_on(signal);
                    }
                    return Ok(End::Told);
                }
                () = hang_ups.hung_up() => {
                    self.read_again(&again).await?;
                    continue;
                }
                outcome = ended(self.child.as_mut()) => return Ok(End::Child(outcome)),
                news = self.news.recv() => match news {
                    Some(news) => news,
                    // It lives as long as we do.
                    None => return Ok(End::Told),
                },
            };
            self.take_note(id, event)?;
        }
    }

    fn take_note(&mut self, id: u64, event: RegistrationEvent) -> Result<(), Failure> {
        match event {
            // All wait for the same, so it is said once.
            RegistrationEvent::Waiting if self.is_waiting => {}
            RegistrationEvent::Waiting => {
                self.is_waiting = true;
                let why = interfaces::trouble(&session::present(&self.zeroconf));
                let why = why.unwrap_or_else(|| "no usable link".into());
                self.session.talk.hint(&format!("{why}; waiting for one"));
            }
            RegistrationEvent::Ready(name) => self.ready(id, &name)?,
            RegistrationEvent::Renamed { from, to } => self.renamed(&from, &to)?,
            RegistrationEvent::Refused(error) => self.session.talk.error(&error.to_string()),
            RegistrationEvent::Failed(error) => {
                let failed = self.services.remove(&id);
                // One that is not wanted any more may fail as it likes.
                if failed.is_some() {
                    self.give_up(session::failure(&error));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// One of several could not be had: it is told at once. The last word is said by the end.
    fn give_up(&mut self, failure: Failure) {
        if let Some(earlier) = self.failure.replace(failure) {
            self.session.talk.error(&earlier.text);
        }
    }

    fn ready(&mut self, id: u64, name: &ServiceName) -> Result<(), Failure> {
        let Some(ready) = self.services.get_mut(&id) else {
            return Ok(());
        };
        ready.is_registered = true;
        self.is_waiting = false;
        let (port, requested) = (ready.offer.port, ready.requested.clone());
        let proxy = (ready.offer.host.clone(), ready.offer.addresses.clone());
        self.announce();

        let identity = found::identity(name);
        let host = self.host_of(proxy);
        let links = self.zeroconf.links();
        let links: Vec<_> = links.into_iter().filter(cooee::Link::is_in_use).collect();
        if self.session.common.json {
            let event = Event::Registered {
                identity,
                host,
                port,
                requested: requested.instance().as_bytes().to_vec(),
                links: found::links(&links),
            };
            let told = self.session.json(&event);
            return self.heed(told);
        }
        let taken = if *name == requested {
            String::new()
        } else {
            format!(
                " ('{}' is taken)",
                escape::octets(requested.instance().as_bytes())
            )
        };
        let host = host.map_or_else(|| "?".to_owned(), |host| escape::escaped_text(&host));
        self.line(
            &identity,
            &format!("{host}:{port}  {}  ready{taken}", on(&links)),
        )
    }

    fn host_of(&self, (host, addresses): (Option<String>, Vec<IpAddr>)) -> Option<String> {
        let Some(host) = host else {
            return self.zeroconf.host_name().map(|host| host.to_string());
        };
        let proxy = (host, addresses);
        match self.hosts.iter().find(|(known, _)| *known == proxy) {
            Some((_, registration)) => Some(registration.name().to_string()),
            None => Some(proxy.0),
        }
    }

    fn renamed(&mut self, from: &ServiceName, to: &ServiceName) -> Result<(), Failure> {
        let from = from.instance().as_bytes().to_vec();
        let identity = found::identity(to);
        if self.session.common.json {
            let told = self.session.json(&Event::Renamed { from, identity });
            return self.heed(told);
        }
        self.session.talk.hint(&format!(
            "'{}' is taken; trying '{}'",
            escape::octets(&from),
            escape::octets(&identity.instance)
        ));
        Ok(())
    }

    /// The files may say something else by now: what is as before stays, the rest goes or comes.
    async fn read_again(
        &mut self,
        again: &impl Fn(&Session) -> Result<Plan, Failure>,
    ) -> Result<(), Failure> {
        let mut offers = match again(&self.session) {
            Ok(plan) => plan.offers,
            Err(failure) => {
                self.session.talk.error(&failure.text);
                self.session
                    .talk
                    .hint("the files have faults: what was published stays");
                return Ok(());
            }
        };
        let mut gone = Vec::new();
        for (id, published) in &self.services {
            match offers.iter().position(|offer| *offer == published.offer) {
                Some(at) => drop(offers.swap_remove(at)),
                None => gone.push(*id),
            }
        }
        for id in gone {
            if let Some(gone) = self.services.remove(&id) {
                let name = gone.registration.name();
                gone.registration.withdraw().await;
                if gone.is_registered {
                    self.withdrawn(&name)?;
                }
            }
        }
        let services = &self.services;
        self.hosts.retain(|(proxy, _)| {
            let mut offers = services.values().map(|one| &one.offer).chain(&offers);
            offers.any(|offer| offer.host.as_ref() == Some(&proxy.0) && offer.addresses == proxy.1)
        });
        self.publish(offers);
        self.announce();
        Ok(())
    }

    /// Says goodbye, waits for the command, and tells how it all ended.
    pub(super) async fn finish(mut self, end: Result<End, Failure>) -> Result<Outcome, Failure> {
        // Without a service manager nobody hears it.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.session.close(&self.zeroconf).await;
        let services = std::mem::take(&mut self.services);
        let mut told = Ok(());
        for service in services.values().filter(|one| one.is_registered) {
            // What was never told to be there is not told to be gone.
            told = told.and_then(|()| self.withdrawn(&service.registration.name()));
        }
        let outcome = match (end?, self.child.as_mut()) {
            (End::Child(outcome), _) => outcome,
            (End::Told, Some(child)) => child.ended().await,
            (End::Told, None) => Outcome::Done,
        };
        told?;
        match (self.failure, outcome) {
            (Some(failure), Outcome::Done) => Err(failure),
            (_, outcome) => Ok(outcome),
        }
    }

    fn withdrawn(&mut self, name: &ServiceName) -> Result<(), Failure> {
        let identity = found::identity(name);
        if self.session.common.json {
            let told = self.session.json(&Event::Withdrawn(identity));
            return self.heed(told);
        }
        self.line(&identity, "withdrawn")
    }

    /// Tells the service manager how far it is.
    fn announce(&mut self) {
        let all = self.services.len();
        let ready = self
            .services
            .values()
            .filter(|one| one.is_registered)
            .count();
        let status = format!("{ready} of {all} services ready");
        let mut states = vec![sd_notify::NotifyState::Status(&status)];
        if ready == all && !self.is_announced {
            self.is_announced = true;
            states.push(sd_notify::NotifyState::Ready);
        }
        let _ = sd_notify::notify(&states);
    }

    fn line(&mut self, identity: &Identity, text: &str) -> Result<(), Failure> {
        let line = format!(
            "{}  {}  {}  {text}",
            self.session.now().local(),
            escape::octets(&identity.instance),
            escape::text(&identity.type_wire)
        );
        let told = if self.is_heard {
            self.session.output.line(&line)
        } else {
            Ok(())
        };
        self.heed(told)
    }

    /// A reader that went away ends nothing, a full disk does.
    fn heed(&mut self, told: Result<(), Stop>) -> Result<(), Failure> {
        match told {
            Ok(()) => Ok(()),
            Err(Stop::Closed) => {
                self.is_heard = false;
                Ok(())
            }
            Err(stop) => stop.into_result(),
        }
    }
}

async fn ended(child: Option<&mut Child>) -> Outcome {
    match child {
        Some(child) => child.ended().await,
        None => std::future::pending().await,
    }
}

/// The name as it was wished for, which may not be the one that is tried first.
fn named(offer: &Offer) -> Option<ServiceName> {
    let instance = cooee::InstanceName::from_bytes(&offer.name).ok()?;
    let kind: cooee::ServiceType = offer.kind.parse().ok()?;
    Some(ServiceName::local(instance, kind))
}

fn on(links: &[cooee::Link]) -> String {
    let names: Vec<String> = links.iter().map(|link| escape::text(link.name())).collect();
    if names.is_empty() {
        "on no link".into()
    } else {
        format!("on {}", names.join(", "))
    }
}
