//! `cooee publish`: a service, until told to stop.

use cooee::{
    Host, HostPolicy, HostRegistration, InstanceName, Registration, RegistrationEvent, Service,
    ServiceName, TxtAttributes, Zeroconf,
};

use crate::args;
use crate::escape;
use crate::events::Event;
use crate::failure::{Failure, Outcome};
use crate::output::Stop;
use crate::session::{self, Session};
use crate::{found, interfaces, name_arg, type_arg, words};

/// Runs the command.
///
/// # Errors
///
/// Wrong words, a name that is taken, or trouble with the network or the output.
pub(crate) async fn run(args: &args::Publish, session: Session) -> Result<Outcome, Failure> {
    let service = service(args)?;
    if !args.command.is_empty() {
        return Err(Failure::usage("a command after '--' cannot be started yet"));
    }
    let proxy = match (&args.host, args.address.as_slice()) {
        (_, []) | (None, _) => None,
        (Some(name), addresses) => {
            let host = Host::new(name, addresses.iter().copied())
                .map_err(|error| session::failure(&error))?;
            Some(host)
        }
    };
    let policy = match (&args.host, &proxy) {
        (_, Some(_)) => HostPolicy::None,
        (Some(name), None) => HostPolicy::Named(name.clone()),
        (None, None) => HostPolicy::Derived,
    };
    let zeroconf = session.open(policy).await?;
    let started = start(service, proxy, &zeroconf, &session).await;
    let (registration, proxy) = match started {
        Ok(Some(started)) => started,
        Ok(None) => {
            session.close(&zeroconf).await;
            return Ok(Outcome::Done);
        }
        Err(failure) => {
            session.close(&zeroconf).await;
            return Err(failure);
        }
    };
    let mut publishing = Publishing {
        port: args.port,
        proxy,
        requested: registration.name(),
        session,
        zeroconf,
        is_registered: false,
        is_heard: true,
    };
    let end = publishing.watch(&registration).await;
    publishing.session.close(&publishing.zeroconf).await;
    let name = registration.name();
    let end = match end {
        // What was never told to be there is not told to be gone.
        Ok(()) if publishing.is_registered => publishing.withdrawn(&name).map(|()| Outcome::Done),
        other => other.map(|()| Outcome::Done),
    };
    drop(registration);
    end
}

/// Publishes the other machine, if it is for one, and begins to publish the service. Nothing, if told to stop before.
async fn start(
    service: Service,
    proxy: Option<Host>,
    zeroconf: &Zeroconf,
    session: &Session,
) -> Result<Option<(Registration, Option<HostRegistration>)>, Failure> {
    let mut signals = session.signals.clone();
    let (service, proxy) = match proxy {
        None => (service, None),
        Some(host) => {
            if let Some(trouble) = interfaces::trouble(&session::present(zeroconf)) {
                session.talk.hint(&format!("{trouble}; waiting for one"));
            }
            let host = tokio::select! {
                biased;
                _ = signals.asked() => return Ok(None),
                host = zeroconf.publish_host(host) => host.map_err(|error| session::failure(&error))?,
            };
            (service.host(&host), Some(host))
        }
    };
    let registration = zeroconf
        .start_publish(service)
        .map_err(|error| session::failure(&error))?;
    Ok(Some((registration, proxy)))
}

/// A publication under way.
struct Publishing {
    port: u16,
    /// The other machine that it is published for.
    proxy: Option<HostRegistration>,
    requested: ServiceName,
    session: Session,
    zeroconf: Zeroconf,
    /// It was told that the name is ours.
    is_registered: bool,
    /// Somebody still reads the output. A publication does not end because nobody does.
    is_heard: bool,
}

impl Publishing {
    async fn watch(&mut self, registration: &Registration) -> Result<(), Failure> {
        let mut events = registration.events();
        let mut signals = self.session.signals.clone();
        loop {
            let event = tokio::select! {
                biased;
                _ = signals.asked() => return Ok(()),
                event = events.next() => event,
            };
            match event {
                Some(RegistrationEvent::Waiting) => {
                    let why = interfaces::trouble(&session::present(&self.zeroconf));
                    let why = why.unwrap_or_else(|| "no usable link".into());
                    self.session.talk.hint(&format!("{why}; waiting for one"));
                }
                Some(RegistrationEvent::Ready(name)) => self.ready(&name)?,
                Some(RegistrationEvent::Renamed { from, to }) => self.renamed(&from, &to)?,
                Some(RegistrationEvent::Failed) => {
                    return match registration.ready().await {
                        Err(error) => Err(session::failure(&error)),
                        // It came right in the meantime.
                        Ok(_) => continue,
                    };
                }
                Some(RegistrationEvent::Withdrawn) | None => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn ready(&mut self, name: &ServiceName) -> Result<(), Failure> {
        self.is_registered = true;
        let identity = found::identity(name);
        let host = match &self.proxy {
            Some(proxy) => Some(proxy.name()),
            None => self.zeroconf.host_name(),
        };
        let host = host.map(|host| host.to_string());
        let links = self
            .zeroconf
            .links()
            .into_iter()
            .filter(cooee::Link::is_in_use)
            .collect::<Vec<_>>();
        if self.session.common.json {
            let event = Event::Registered {
                identity,
                host,
                port: self.port,
                requested: self.requested.instance().as_bytes().to_vec(),
                links: found::links(&links),
            };
            let told = self.session.json(&event);
            return self.heed(told);
        }
        let taken = if *name == self.requested {
            String::new()
        } else {
            format!(
                " ('{}' is taken)",
                escape::octets(self.requested.instance().as_bytes())
            )
        };
        let host = host.map_or_else(|| "?".to_owned(), |host| escape::escaped_text(&host));
        self.line(
            &identity,
            &format!("{host}:{}  {}  ready{taken}", self.port, on(&links)),
        )
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

    fn withdrawn(&mut self, name: &ServiceName) -> Result<(), Failure> {
        let identity = found::identity(name);
        if self.session.common.json {
            let told = self.session.json(&Event::Withdrawn(identity));
            return self.heed(told);
        }
        self.line(&identity, "withdrawn")
    }

    fn line(&mut self, identity: &crate::picture::Identity, text: &str) -> Result<(), Failure> {
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

fn on(links: &[cooee::Link]) -> String {
    let names: Vec<String> = links.iter().map(|link| escape::text(link.name())).collect();
    if names.is_empty() {
        "on no link".into()
    } else {
        format!("on {}", names.join(", "))
    }
}

/// What to publish, checked before anything is opened.
fn service(args: &args::Publish) -> Result<Service, Failure> {
    let invalid = |error: cooee::Error| Failure::usage(error.to_string());
    type_arg::check_publishable(&args.kind.wire).map_err(Failure::usage)?;
    let typed = words::octets(&args.name).map_err(Failure::usage)?;
    let instance = name_arg::instance_label(&typed).map_err(Failure::usage)?;
    let instance =
        InstanceName::from_bytes(&instance).map_err(|error| Failure::usage(error.to_string()))?;
    let mut service = Service::new(instance, args.kind.wire.as_str(), args.port)
        .map_err(invalid)?
        .attributes(attributes(args)?)
        .priority(args.priority)
        .weight(args.weight);
    for subtype in args.kind.subtypes.iter().chain(&args.subtype) {
        service = service.subtype(subtype);
    }
    if args.no_rename {
        service = service.never_rename();
    }
    service.check().map_err(invalid)?;
    Ok(service)
}

fn attributes(args: &args::Publish) -> Result<TxtAttributes, Failure> {
    let mut attributes = TxtAttributes::new();
    for word in &args.txt {
        let octets = words::octets(word).map_err(Failure::usage)?;
        let equals = octets.iter().position(|octet| *octet == b'=');
        let (key, value) = match equals {
            Some(at) => (octets.get(..at).unwrap_or_default(), octets.get(at + 1..)),
            None => (octets.as_slice(), None),
        };
        let shown = escape::octets(&octets);
        let key = str::from_utf8(key).map_err(|_| {
            Failure::usage(format!(
                "'{shown}' has a key that is not text: printable ASCII but '=' is allowed"
            ))
        })?;
        if attributes.contains(key) {
            return Err(Failure::usage(format!(
                "the key '{}' is given twice: only the first would count (case makes no difference)",
                escape::text(key)
            )));
        }
        let set = match value {
            Some(value) => attributes.set(key, value),
            None => attributes.set_flag(key),
        };
        set.map_err(|error| Failure::usage(format!("'{shown}' is no attribute: {error}")))?;
    }
    Ok(attributes)
}
