//! cooee behind the line protocol of the conformance tester: what a program on the facade would do, no more.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::net::IpAddr;

use cooee::wire::{Data, RecordType};
use cooee::{
    Browse, Browser, FoundService, HostPolicy, InstanceName, Links, RecordEvent, Registration,
    RegistrationEvent, RegistrationEvents, Service, ServiceEvent, ServiceName, ServiceType,
    TxtAttributes, Zeroconf,
};
use subject_protocol::{Kind, Reply, event, host, interface, resolved, serve};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let runtime = Runtime::new()?;
    let zeroconf = runtime.block_on(
        Zeroconf::builder()
            .links(interface())
            .host_name(HostPolicy::Named(host()))
            .start(),
    )?;
    let mut stack = Stack {
        runtime,
        zeroconf,
        offers: HashMap::new(),
        lookups: HashMap::new(),
    };
    let version = concat!("cooee ", env!("CARGO_PKG_VERSION"));
    serve(version, |command, words| {
        stack
            .obey(command, words)
            .unwrap_or_else(|why| Reply::Error(why.to_string()))
    });
    Ok(())
}

struct Stack {
    runtime: Runtime,
    zeroconf: Zeroconf,
    /// By name and type.
    offers: HashMap<String, Registration>,
    /// By command and words.
    lookups: HashMap<String, JoinHandle<()>>,
}

impl Stack {
    fn obey(&mut self, command: &str, words: &[&str]) -> Outcome<Reply> {
        match (command, words) {
            ("publish", [name, kind, port, txt @ ..]) => self.publish(name, kind, port, txt)?,
            ("update-txt", [name, kind, txt @ ..]) => {
                self.offer(name, kind)?.update_txt(attributes(txt)?)?;
            }
            ("rename", [name, kind, new]) => {
                self.offer(name, kind)?.rename(instance(new)?)?;
                if let Some(offer) = self.offers.remove(&key(name, kind)) {
                    self.offers.insert(key(new, kind), offer);
                }
            }
            ("withdraw", [name, kind]) => {
                self.offer(name, kind)?;
                // Dropping a registration withdraws it.
                self.offers.remove(&key(name, kind));
            }
            ("host", []) => {
                let name = self.zeroconf.host_name().ok_or("no host name")?;
                return Ok(Reply::Said(
                    name.to_string().trim_end_matches('.').to_owned(),
                ));
            }
            ("browse", [kind]) => {
                let browser = self.zeroconf.browse(Browse::new(*kind)?)?;
                self.look(words, tell_services(browser));
            }
            ("resolve", [name, kind]) => {
                let name = ServiceName::local(instance(name)?, ServiceType::try_from(*kind)?);
                let browser = self.zeroconf.browse(Browse::instance(name)?)?;
                self.look(words, tell_services(browser));
            }
            ("resolve-host", [name]) => {
                let a = self
                    .zeroconf
                    .query(*name, RecordType::A, Links::default())?;
                let aaaa = self
                    .zeroconf
                    .query(*name, RecordType::AAAA, Links::default())?;
                self.look(words, tell_addresses((*name).to_owned(), a, aaaa));
            }
            ("stop-browse" | "stop-resolve", _) => {
                if let Some(task) = self.lookups.remove(&words.join(" ")) {
                    task.abort();
                }
            }
            ("quit", []) => self.runtime.block_on(self.zeroconf.shutdown()),
            _ => return Ok(Reply::Unsupported),
        }
        Ok(Reply::Ok)
    }

    fn publish(&mut self, name: &str, text: &str, port: &str, txt: &[&str]) -> Outcome {
        let Kind { kind, subtypes } = Kind::read(text);
        let service = Service::new(instance(name)?, kind.as_str(), port.parse()?)?;
        let service = subtypes
            .iter()
            .fold(service, |service, subtype| service.subtype(subtype))
            .attributes(attributes(txt)?);
        let offer = self.zeroconf.start_publish(service)?;
        self.runtime
            .spawn(tell_of(name.to_owned(), kind.clone(), offer.events()));
        self.offers.insert(key(name, &kind), offer);
        Ok(())
    }

    fn offer(&self, name: &str, kind: &str) -> Outcome<&Registration> {
        let offer = self.offers.get(&key(name, kind));
        offer.ok_or_else(|| format!("{name} is not published").into())
    }

    fn look(&mut self, words: &[&str], task: impl Future<Output = ()> + Send + 'static) {
        let task = self.runtime.spawn(task);
        self.lookups.insert(words.join(" "), task);
    }
}

async fn tell_of(name: String, kind: String, mut events: RegistrationEvents) {
    while let Some(news) = events.next().await {
        match news {
            RegistrationEvent::Ready(actual) => {
                event(&["published", &name, &kind, &label(&actual)]);
            }
            RegistrationEvent::Renamed { to, .. } => {
                event(&["renamed", &name, &kind, &label(&to)]);
            }
            RegistrationEvent::Failed(_) => event(&["failed", &name, &kind, "conflict"]),
            _ => {}
        }
    }
}

async fn tell_services(mut browser: Browser) {
    while let Some(news) = browser.next().await {
        match news {
            ServiceEvent::Added(service) => {
                event(&["found", &label(service.name()), &kind(service.name())]);
                tell_resolved(&service);
            }
            ServiceEvent::Updated(service) => tell_resolved(&service),
            ServiceEvent::Removed(name) => event(&["removed", &label(&name), &kind(&name)]),
        }
    }
}

fn tell_resolved(service: &FoundService) {
    let txt = service.txt().strings().filter(|string| !string.is_empty());
    let txt: Vec<String> = txt
        .map(|string| String::from_utf8_lossy(string).into_owned())
        .collect();
    resolved(
        &label(service.name()),
        &kind(service.name()),
        &service.host().to_string(),
        service.port(),
        service.addresses().iter().map(cooee::ScopedAddr::ip),
        &txt,
    );
}

async fn tell_addresses(name: String, mut a: cooee::Query, mut aaaa: cooee::Query) {
    let mut known: Vec<IpAddr> = Vec::new();
    loop {
        let news = tokio::select! {
            news = a.next() => news,
            news = aaaa.next() => news,
        };
        match news {
            Some(RecordEvent::Added(record)) => known.extend(address(&record)),
            Some(RecordEvent::Removed(record)) => {
                let gone = address(&record);
                known.retain(|known| Some(*known) != gone);
            }
            _ => return,
        }
        let list: Vec<String> = known.iter().map(ToString::to_string).collect();
        event(&["address", &name, &list.join(",")]);
    }
}

fn address(record: &cooee::FoundRecord) -> Option<IpAddr> {
    match record.data() {
        Ok(Data::A(address)) => Some(address.into()),
        Ok(Data::Aaaa(address)) => Some(address.into()),
        _ => None,
    }
}

fn attributes(strings: &[&str]) -> Outcome<TxtAttributes> {
    Ok(TxtAttributes::from_strings(strings)?)
}

/// Not from text: there `\` would begin an escape.
fn instance(name: &str) -> Outcome<InstanceName> {
    Ok(InstanceName::from_bytes(name.as_bytes())?)
}

fn key(name: &str, kind: &str) -> String {
    format!("{name} {kind}")
}

fn label(name: &ServiceName) -> String {
    name.instance().to_string_lossy().into_owned()
}

fn kind(name: &ServiceName) -> String {
    name.service_type().to_string()
}
