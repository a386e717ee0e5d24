//! hick, the drivers of mdns-proto, behind the line protocol.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use hick::tokio::{Endpoint, QueryParam, ServerOptions, Service, server};
use hick::{Name, ServiceRecords, ServiceSpec, ServiceUpdate};
use subject_protocol::{Kind, Reply, addresses, event, host, interface, resolved, serve};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A browse has an end here; this one is later than that of any test.
const LONG: Duration = Duration::from_secs(600);

/// TTL of all records, as its own example has it.
const TTL: u32 = 120;

struct Stack {
    runtime: Runtime,
    endpoint: Endpoint,
    /// Dropping the sender withdraws the service.
    offers: HashMap<(String, String), oneshot::Sender<()>>,
    browses: HashMap<String, tokio::task::JoinHandle<()>>,
}

fn main() -> Outcome {
    let runtime = Runtime::new()?;
    let index = std::fs::read_to_string(format!("/sys/class/net/{}/ifindex", interface()));
    let index = match index {
        Ok(text) => Some(text.trim().parse()?),
        // /sys may show another network namespace than this one.
        Err(_) => None,
    };
    // By IPv4 alone: with both families version 0.2.0 takes its own probes for those of a rival, on a link where it is alone.
    let options = ServerOptions::default()
        .with_interface_index(index)
        .with_ipv6(false);
    let endpoint = runtime.block_on(server(options))?;
    let mut stack = Stack {
        runtime,
        endpoint,
        offers: HashMap::new(),
        browses: HashMap::new(),
    };
    serve("hick 0.2.0", |command, words| stack.obey(command, words));
    Ok(())
}

impl Stack {
    fn obey(&mut self, command: &str, words: &[&str]) -> Reply {
        match (command, words) {
            // It announces the addresses that it is given, and has no way to change them.
            ("publish", [name, kind, port, txt @ ..]) => {
                match self.publish(name, kind, port, txt) {
                    Ok(()) => Reply::Said("fixed".into()),
                    Err(why) => Reply::Error(why.to_string()),
                }
            }
            ("withdraw", [name, kind]) => {
                self.offers
                    .remove(&((*name).to_owned(), (*kind).to_owned()));
                Reply::Ok
            }
            ("host", []) => Reply::Said(format!("{}.local", host())),
            ("browse", [kind]) => match self.browse(kind) {
                Ok(()) => Reply::Said("additions".into()),
                Err(why) => Reply::Error(why.to_string()),
            },
            ("stop-browse", [kind]) => {
                if let Some(task) = self.browses.remove(*kind) {
                    task.abort();
                }
                Reply::Ok
            }
            ("resolve-host", [name]) => match self.resolve_host(name) {
                Ok(()) => Reply::Said("once".into()),
                Err(why) => Reply::Error(why.to_string()),
            },
            ("quit", []) => {
                self.offers.clear();
                // The goodbyes are sent by the driver, which has no sign of having done so.
                std::thread::sleep(Duration::from_millis(500));
                Reply::Ok
            }
            _ => Reply::Unsupported,
        }
    }

    fn publish(&mut self, name: &str, text: &str, port: &str, txt: &[&str]) -> Outcome {
        let Kind { kind, subtypes } = Kind::read(text);
        let full = format!("{name}.{kind}.local.");
        let mut records = ServiceRecords::new(
            Name::try_from_str(&format!("{kind}.local."))?,
            Name::try_from_str(&full)?,
            Name::try_from_str(&format!("{}.local.", host()))?,
            port.parse()?,
            TTL,
        );
        for address in addresses() {
            match address {
                IpAddr::V4(address) => records.add_a(address),
                IpAddr::V6(address) => records.add_aaaa(address),
            };
        }
        for string in txt {
            records.add_txt_segment(string.as_bytes().to_vec());
        }
        for subtype in &subtypes {
            records.add_subtype(subtype)?;
        }
        let service = self
            .runtime
            .block_on(self.endpoint.register_service(ServiceSpec::new(records)))?;
        let (keep, withdrawn) = oneshot::channel();
        let name = name.to_owned();
        self.offers.insert((name.clone(), kind.clone()), keep);
        self.runtime.spawn(watch(service, name, kind, withdrawn));
        Ok(())
    }

    fn browse(&mut self, kind: &str) -> Outcome {
        let param =
            QueryParam::new(Name::try_from_str(&format!("{kind}.local."))?).with_timeout(LONG);
        let mut lookup = self.runtime.block_on(self.endpoint.browse(param))?;
        let kind = kind.to_owned();
        let task = self.runtime.spawn({
            let kind = kind.clone();
            async move {
                while let Some(entry) = lookup.next().await {
                    let name = instance(entry.instance_name(), &kind);
                    event(&["found", &name, &kind]);
                    let txt: Vec<String> = entry
                        .txt()
                        .iter()
                        .map(|string| String::from_utf8_lossy(string).into_owned())
                        .filter(|string| !string.is_empty())
                        .collect();
                    resolved(
                        &name,
                        &kind,
                        entry.host().as_str(),
                        entry.port(),
                        entry.addresses(),
                        &txt,
                    );
                }
            }
        });
        self.browses.insert(kind, task);
        Ok(())
    }

    fn resolve_host(&self, name: &str) -> Outcome {
        let asked = Name::try_from_str(&format!("{name}."))?;
        let (endpoint, name) = (self.endpoint.clone(), name.to_owned());
        self.runtime.spawn(async move {
            if let Ok(found) = endpoint.resolve_host(asked, Duration::from_secs(3)).await {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                event(&["address", &name, &found.join(",")]);
            }
        });
        Ok(())
    }
}

/// Tells what becomes of a service until it is withdrawn.
async fn watch(service: Service, name: String, kind: String, mut withdrawn: oneshot::Receiver<()>) {
    let mut actual = name.clone();
    loop {
        tokio::select! {
            _ = &mut withdrawn => return,
            update = service.next() => match update {
                Some(ServiceUpdate::Established) => event(&["published", &name, &kind, &actual]),
                Some(ServiceUpdate::Renamed(renamed)) => {
                    actual = instance(renamed.new_name(), &kind);
                    event(&["renamed", &name, &kind, &actual]);
                }
                Some(ServiceUpdate::Conflict) => event(&["failed", &name, &kind, "name conflict"]),
                Some(ServiceUpdate::HostConflict) => event(&["failed", &name, &kind, "host name conflict"]),
                Some(_) => {}
                None => return,
            },
        }
    }
}

/// The first label, without the type.
fn instance(name: &Name, kind: &str) -> String {
    let name = name.as_str();
    name.split(&format!(".{kind}"))
        .next()
        .unwrap_or(name)
        .to_owned()
}
