//! The `cooee` command on a host of the lab, driven as a script would: its arguments and its JSON lines.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::network::{Host, INTERFACE, Lab};
use super::process::Process;
use super::stack::{Browser, Offer, Publication, Seen, Stack};
use crate::workspace::Outcome;

/// Publishing takes under a second on a quiet link.
const PATIENCE: Duration = Duration::from_secs(10);

/// The command, to be run on one host.
pub(super) struct Cooee<'lab> {
    lab: &'lab Lab,
    host: &'lab Host,
    /// As a user who may do nothing that others may not.
    as_nobody: bool,
    /// The interfaces that are named on the command line; none: those that cooee takes by itself.
    interfaces: &'static [&'static str],
    /// The host name that is given to `publish`.
    host_name: Option<&'static str>,
}

impl<'lab> Cooee<'lab> {
    pub(super) fn on(lab: &'lab Lab, host: &str) -> Outcome<Self> {
        Ok(Self {
            lab,
            host: lab.host(host)?,
            as_nobody: false,
            interfaces: &[INTERFACE],
            host_name: None,
        })
    }

    /// The same on the interfaces that it chooses itself.
    pub(super) fn by_default(self) -> Self {
        self.on_interfaces(&[])
    }

    /// The same on these interfaces.
    pub(super) fn on_interfaces(self, interfaces: &'static [&'static str]) -> Self {
        Self { interfaces, ..self }
    }

    /// The same, publishing under this host name.
    pub(super) fn named(self, name: &'static str) -> Self {
        Self {
            host_name: Some(name),
            ..self
        }
    }

    /// The same command, run by an unprivileged user.
    pub(super) fn unprivileged(self) -> Self {
        Self {
            as_nobody: true,
            ..self
        }
    }

    /// `cooee resolve`: it must end by itself, with code 0 and one line.
    pub(super) fn resolve(&self, name: &str, kind: &str) -> Outcome<Seen> {
        let mut process = self.start("resolve", &[name, kind])?;
        let seen = process.wait_for("answer", PATIENCE, |line| {
            let event = Event::read(&line.text)?;
            (event.is("added") && event.text("name") == name).then(|| event.seen())
        })?;
        let status = process.wait_for_end(PATIENCE)?;
        if status.success() {
            Ok(seen)
        } else {
            Err(format!("cooee resolve ended with {status}"))
        }
    }

    /// The time from the start of `cooee browse` to the line that tells of this instance, resolved.
    pub(super) fn time_to_find(&self, name: &str, kind: &str) -> Outcome<Duration> {
        let mut process = self.start("browse", &[kind])?;
        let heard: Instant = process.wait_for("answer", PATIENCE, |line| {
            let event = Event::read(&line.text)?;
            (event.is("added") && event.text("name") == name).then_some(line.heard)
        })?;
        Ok(heard.duration_since(process.started()))
    }

    /// The addresses of a host.
    pub(super) fn addresses_of(&self, host: &str) -> Outcome<BTreeSet<IpAddr>> {
        let mut process = self.start("host", &[host])?;
        let mut all = BTreeSet::new();
        // It ends by itself, in failure if there is no address.
        process.wait_for_end(PATIENCE)?;
        for line in process.lines() {
            let Some(event) = Event::read(line) else {
                continue;
            };
            all.extend(event.seen().addresses);
            all.extend(event.text("ip").parse::<IpAddr>());
        }
        Ok(all)
    }

    /// A subcommand with these arguments.
    pub(super) fn start(&self, subcommand: &str, arguments: &[&str]) -> Outcome<Process> {
        let mut command: Command = if self.as_nobody {
            let mut command = self.host.command(Path::new("setpriv"));
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.args(["--inh-caps=-all", "--no-new-privs"]);
            command.arg(self.lab.binary());
            command
        } else {
            self.host.command(self.lab.binary())
        };
        command.arg(subcommand).args(arguments).arg("--json");
        for interface in self.interfaces {
            command.args(["--interface", interface]);
        }
        self.host
            .start(&format!("cooee-{subcommand}"), &mut command)
    }
}

impl Stack for Cooee<'_> {
    fn publish(&self, offer: &Offer) -> Outcome<Publication> {
        let port = offer.port.to_string();
        let mut arguments = vec![offer.name, offer.kind, &port];
        arguments.extend(offer.txt);
        if let Some(host) = self.host_name {
            arguments.extend(["--host", host]);
        }
        let mut process = self.start("publish", &arguments)?;
        let (name, host) = process.wait_for("registration", PATIENCE, |line| {
            let event = Event::read(&line.text)?;
            event
                .is("registered")
                .then(|| (event.text("name").to_owned(), event.text("host").to_owned()))
        })?;
        if name == offer.name {
            Ok(Publication { process, host })
        } else {
            Err(format!("registered as {name}"))
        }
    }

    fn browse(&self, kind: &str) -> Outcome<Box<dyn Browser + '_>> {
        Ok(Box::new(Browse {
            process: self.start("browse", &[kind])?,
            known: BTreeMap::new(),
        }))
    }
}

impl Publication {
    /// Ends `cooee publish` by a signal and checks that this was an ordinary end.
    pub(super) fn end_cooee(&mut self, signal: &str) -> Outcome {
        self.process.signal(signal)?;
        let status = self.process.wait_for_end(Duration::from_secs(3))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("cooee publish after SIG{signal}: {status}"))
        }
    }
}

struct Browse {
    process: Process,
    known: BTreeMap<String, Seen>,
}

impl Browser for Browse {
    fn found(&mut self, names: &[&str], limit: Duration) -> Outcome<BTreeMap<String, Seen>> {
        let known = &mut self.known;
        self.process
            .wait_for(&format!("{names:?} in both families"), limit, |line| {
                let event = Event::read(&line.text)?;
                if event.is("added") || event.is("updated") {
                    known.insert(event.text("name").to_owned(), event.seen());
                }
                let complete = |name: &&str| known.get(*name).is_some_and(Seen::has_both_families);
                names.iter().all(complete).then_some(())
            })?;
        Ok(std::mem::take(known))
    }

    fn removed(&mut self, name: &str, limit: Duration) -> Outcome {
        self.process
            .wait_for(&format!("removal of {name}"), limit, |line| {
                let event = Event::read(&line.text)?;
                (event.is("removed") && event.text("name") == name).then_some(())
            })
    }
}

/// One JSON line.
struct Event(Value);

impl Event {
    fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok().map(Self)
    }

    fn is(&self, kind: &str) -> bool {
        self.text("event") == kind
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    fn seen(&self) -> Seen {
        let list = |key: &str| self.0[key].as_array().cloned().unwrap_or_default();
        Seen {
            kind: self.text("type").to_owned(),
            host: self.text("host").to_owned(),
            port: self.0["port"]
                .as_u64()
                .and_then(|port| port.try_into().ok())
                .unwrap_or_default(),
            txt: list("txt").iter().map(attribute).collect(),
            addresses: list("addresses")
                .iter()
                .filter_map(|address| address["ip"].as_str()?.parse().ok())
                .collect(),
        }
    }
}

/// A TXT string from its JSON form.
fn attribute(attribute: &Value) -> String {
    let key = attribute["key"].as_str().unwrap_or_default();
    match (&attribute["value"], &attribute["raw"]) {
        (Value::String(value), _) => format!("{key}={value}"),
        (_, Value::String(raw)) => format!("raw {raw}"),
        _ => key.to_owned(),
    }
}
