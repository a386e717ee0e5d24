//! mdns-sd behind the line protocol.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use mdns_sd::{
    DaemonEvent, HostnameResolutionEvent, IfKind, ResolvedService, ServiceDaemon, ServiceEvent,
    ServiceInfo, TxtProperty,
};
use subject_protocol::{Kind, Reply, event, host, interface, resolved, serve};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Stops waiting for a goodbye that does not come.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is published under a name.
#[derive(Clone)]
struct Offer {
    kind: String,
    subtype: Option<String>,
    port: u16,
}

struct Stack {
    daemon: ServiceDaemon,
    offers: HashMap<(String, String), Offer>,
}

fn main() -> Outcome {
    let daemon = ServiceDaemon::new()?;
    daemon.disable_interface(IfKind::All)?;
    daemon.enable_interface(IfKind::Name(interface()))?;
    let monitor = daemon.monitor()?;
    std::thread::spawn(move || {
        while let Ok(news) = monitor.recv() {
            tell(&news);
        }
    });
    let mut stack = Stack {
        daemon,
        offers: HashMap::new(),
    };
    serve("mdns-sd 0.21.7", |command, words| {
        stack.obey(command, words)
    });
    Ok(())
}

impl Stack {
    fn obey(&mut self, command: &str, words: &[&str]) -> Reply {
        match (command, words) {
            ("publish", [name, kind, port, txt @ ..]) => {
                let Kind { kind, mut subtypes } = Kind::read(kind);
                if subtypes.len() > 1 {
                    return Reply::Unsupported;
                }
                let Ok(port) = port.parse() else {
                    return Reply::Error(format!("no port: {port}"));
                };
                let offer = Offer {
                    kind: kind.clone(),
                    subtype: subtypes.pop(),
                    port,
                };
                self.offers
                    .insert(((*name).to_owned(), kind), offer.clone());
                self.register(name, &offer, txt).into()
            }
            // Registering anew with other properties is how this library updates.
            ("update-txt", [name, kind, txt @ ..]) => {
                match self
                    .offers
                    .get(&((*name).to_owned(), (*kind).to_owned()))
                    .cloned()
                {
                    Some(offer) => self.register(name, &offer, txt).into(),
                    None => Reply::Error("not published".into()),
                }
            }
            ("withdraw", [name, kind]) => {
                self.offers
                    .remove(&((*name).to_owned(), (*kind).to_owned()));
                self.daemon
                    .unregister(&full_name(name, kind))
                    .map(drop)
                    .into()
            }
            ("host", []) => Reply::Said(format!("{}.local", host())),
            ("browse", [kind]) => self.browse(kind).into(),
            ("stop-browse", [kind]) => self.daemon.stop_browse(&format!("{kind}.local.")).into(),
            ("resolve-host", [name]) => self.resolve_host(name).into(),
            ("quit", []) => self.quit().into(),
            _ => Reply::Unsupported,
        }
    }

    fn register(&self, name: &str, offer: &Offer, txt: &[&str]) -> Outcome {
        let Offer {
            kind,
            subtype,
            port,
        } = offer;
        let kind = match subtype {
            Some(subtype) => format!("{subtype}._sub.{kind}.local."),
            None => format!("{kind}.local."),
        };
        let properties: Vec<TxtProperty> = txt
            .iter()
            .map(|string| match string.split_once('=') {
                Some(pair) => pair.into(),
                None => (*string).into(),
            })
            .collect();
        let host = format!("{}.local.", host());
        let info = ServiceInfo::new(&kind, name, &host, "", *port, properties)?;
        self.daemon.register(info.enable_addr_auto())?;
        Ok(())
    }

    fn browse(&self, kind: &str) -> Outcome {
        let events = self.daemon.browse(&format!("{kind}.local."))?;
        let kind = kind.to_owned();
        std::thread::spawn(move || {
            while let Ok(news) = events.recv() {
                match news {
                    ServiceEvent::ServiceFound(_, name) => {
                        event(&["found", &instance(&name), &kind])
                    }
                    ServiceEvent::ServiceRemoved(_, name) => {
                        event(&["removed", &instance(&name), &kind]);
                    }
                    ServiceEvent::ServiceResolved(service) => tell_resolved(&service, &kind),
                    _ => {}
                }
            }
        });
        Ok(())
    }

    fn resolve_host(&self, name: &str) -> Outcome {
        let events = self.daemon.resolve_hostname(&format!("{name}."), None)?;
        let name = name.to_owned();
        std::thread::spawn(move || {
            let mut known = BTreeSet::new();
            while let Ok(news) = events.recv() {
                match news {
                    HostnameResolutionEvent::AddressesFound(_, found) => {
                        known.extend(found.iter().map(|address| address.to_ip_addr()));
                    }
                    HostnameResolutionEvent::AddressesRemoved(_, gone) => {
                        known.retain(|known| !gone.iter().any(|gone| gone.to_ip_addr() == *known));
                    }
                    _ => continue,
                }
                let list: Vec<String> = known.iter().map(ToString::to_string).collect();
                event(&["address", &name, &list.join(",")]);
            }
        });
        Ok(())
    }

    fn quit(&mut self) -> Outcome {
        for (name, kind) in self.offers.keys() {
            let status = self.daemon.unregister(&full_name(name, kind))?;
            let _ = status.recv_timeout(PATIENCE);
        }
        let _ = self.daemon.shutdown()?.recv_timeout(PATIENCE);
        Ok(())
    }
}

fn tell(news: &DaemonEvent) {
    match news {
        DaemonEvent::Announce(full, _) => {
            if let Some((name, kind)) = split(full) {
                event(&["published", &name, &kind, &name]);
            }
        }
        DaemonEvent::NameChange(change) => {
            if let (Some((old, kind)), Some((new, _))) =
                (split(&change.original), split(&change.new_name))
            {
                event(&["renamed", &old, &kind, &new]);
            }
        }
        DaemonEvent::Error(why) => event(&["log", &why.to_string()]),
        _ => {}
    }
}

fn tell_resolved(service: &ResolvedService, kind: &str) {
    let txt: Vec<String> = service
        .txt_properties
        .iter()
        .map(|property| match property.val() {
            Some(value) => format!("{}={}", property.key(), String::from_utf8_lossy(value)),
            None => property.key().to_owned(),
        })
        .collect();
    resolved(
        &instance(&service.fullname),
        kind,
        &service.host,
        service.port,
        service.addresses.iter().map(|address| address.to_ip_addr()),
        &txt,
    );
}

/// As the library wants it for `unregister`: dots and backslashes of the instance are escaped.
fn full_name(name: &str, kind: &str) -> String {
    format!(
        "{}.{kind}.local.",
        name.replace('\\', "\\\\").replace('.', "\\.")
    )
}

fn instance(full: &str) -> String {
    split(full).map_or_else(|| full.to_owned(), |(name, _)| name)
}

/// Instance and type of a whole name.
fn split(full: &str) -> Option<(String, String)> {
    let rest = full.strip_suffix(".local.")?;
    let (rest, protocol) = rest.rsplit_once('.')?;
    let (name, kind) = rest.rsplit_once("._")?;
    let name = name.replace("\\.", ".").replace("\\\\", "\\");
    Some((name, format!("_{kind}.{protocol}")))
}
