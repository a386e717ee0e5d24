//! A small responder for the tests of the tester: right as far as they look, or with the faults named on the command line.
//!
//! It speaks the adapter protocol on its standard input and output.

mod answers;
mod claim;
mod faults;
mod outbox;

use std::io::{BufRead as _, Write as _};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use cooee_conformance::subject::decode;
use cooee_conformance::{Link, Packet, Service, ms, name};
use cooee_wire::{NameBuf, RdataBuf, RecordBuf, RecordType};

use answers::Answers;
use claim::{Claim, Own};
use faults::Faults;
use outbox::Outbox;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let faults = Faults::new(std::env::args().skip(1))?;
    let interface = std::env::var("COOEE_INTERFACE")?;
    let mut responder = Responder::new(Link::open(&interface)?, faults, &interface);
    let commands = commands();
    say("ready tiny-responder 1");
    while responder.turn(&commands) {}
    Ok(())
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

fn commands() -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

struct Responder {
    link: Link,
    faults: Faults,
    carrier: String,
    plugged: bool,
    next_look: Duration,
    bookmark: usize,
    /// The host first, then services.
    claims: Vec<Claim>,
    outbox: Outbox,
    answers: Answers,
    /// Names that were seen in responses of others.
    hearsay: Vec<NameBuf>,
    /// When it may announce once more, with that fault.
    next_announcement: Duration,
}

impl Responder {
    fn new(link: Link, faults: Faults, interface: &str) -> Self {
        let host = Claim::host(&link, &faults);
        Self {
            carrier: format!("/sys/class/net/{interface}/carrier"),
            plugged: true,
            next_look: ms(500),
            bookmark: 0,
            claims: vec![host],
            outbox: Outbox::new(faults.clone()),
            answers: Answers::new(faults.clone()),
            hearsay: Vec::new(),
            next_announcement: Duration::ZERO,
            link,
            faults,
        }
    }

    /// One round: commands, packets, and what is due. False when it shall end.
    fn turn(&mut self, commands: &Receiver<String>) -> bool {
        loop {
            match commands.try_recv() {
                Ok(line) => {
                    let words: Vec<String> = line.split_whitespace().map(decode).collect();
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    say(self.command(&words));
                    if words.first() == Some(&"quit") {
                        return false;
                    }
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        let now = self.link.now();
        let next = [
            self.answers.due(),
            self.claims.iter().filter_map(Claim::due).min(),
        ];
        let soon = next.into_iter().flatten().min().unwrap_or(Duration::MAX);
        let until = soon.min(now + ms(15));
        for packet in self.link.unread(&mut self.bookmark, until) {
            self.hear(&packet);
        }
        self.look_at_cable();
        self.look_at_addresses();
        let now = self.link.now();
        for claim in &mut self.claims {
            claim.act(now, &self.link, &self.faults, &mut self.outbox);
        }
        self.answers.act(now, &self.link, &mut self.outbox);
        true
    }

    fn hear(&mut self, packet: &Packet) {
        if packet.contents.fault.is_some() && self.faults.has("fragile") {
            std::process::exit(1);
        }
        let contents = &packet.contents;
        let flags = contents.flags;
        self.announce_by_chance();
        if flags.opcode().get() != 0 && !self.faults.has("any-opcode") {
            return;
        }
        if flags.rcode().get() != 0 && !self.faults.has("any-rcode") {
            return;
        }
        let now = self.link.now();
        if contents.is_response() {
            let wrong_port = packet.source.port() != 5353 && !self.faults.has("any-port");
            let unasked = !packet.is_multicast() && !self.faults.has("any-unicast");
            if wrong_port || unasked {
                return;
            }
            self.hearsay
                .extend(contents.all().map(|record| record.name.clone()));
            self.answers.hear_response(packet, &self.claims, now);
        }
        for claim in &mut self.claims {
            claim.hear(packet, now, &self.faults);
        }
        if !contents.is_response() {
            self.answers
                .hear_query(packet, &self.claims, &self.link, &mut self.outbox);
        }
    }

    /// One of the eight announcements that are allowed may be due just when somebody says something.
    fn announce_by_chance(&mut self) {
        let now = self.link.now();
        if now >= self.next_announcement && self.faults.has("late-announcement") {
            self.next_announcement = now + ms(4500);
            if let Some(claim) = self.claims.last_mut() {
                claim.announce_now(now + ms(50));
            }
        }
    }

    /// Takes up new addresses of the interface, and forgets old ones.
    fn look_at_addresses(&mut self) {
        let now = self.link.now();
        let Ok(addresses) = self.link.addresses_now() else {
            return;
        };
        if now < self.next_look || addresses.is_empty() || self.faults.has("no-readdress") {
            return;
        }
        self.next_look = now + ms(300);
        let addresses: Vec<_> = addresses.iter().map(|address| address.ip).collect();
        if let Some(host) = self.claims.first_mut() {
            host.readdress(&addresses, now, &self.faults);
        }
    }

    fn look_at_cable(&mut self) {
        let carrier = std::fs::read_to_string(&self.carrier).unwrap_or_default();
        let plugged = carrier.trim() == "1";
        if plugged && !self.plugged && !self.faults.has("no-replug") {
            let now = self.link.now();
            for claim in &mut self.claims {
                claim.probe_anew(now + ms(100));
            }
        }
        self.plugged = plugged;
    }

    fn command(&mut self, words: &[&str]) -> &'static str {
        match words {
            ["publish", label, kinds, port, txt @ ..] => self.publish(label, kinds, port, txt),
            ["update-txt", label, _, txt @ ..] => {
                let (now, new) = (self.link.now(), txt_data(txt, &self.faults));
                let Some(claim) = self.claims.iter_mut().find(|claim| claim.handle == *label)
                else {
                    return "error no such service";
                };
                claim.update(now, &new, &self.link, &self.faults, &mut self.outbox);
            }
            ["withdraw", label, _] => self.withdraw(label),
            ["rename", label, _, new] => self.rename(label, new),
            ["host"] => return "ok subject.local",
            ["quit"] => {
                let labels: Vec<String> = self
                    .claims
                    .iter()
                    .map(|claim| claim.handle.clone())
                    .collect();
                for label in labels {
                    self.withdraw(&label);
                }
            }
            _ => return "unsupported",
        }
        "ok"
    }

    fn publish(&mut self, label: &str, kinds: &str, port: &str, txt: &[&str]) {
        let mut kinds = kinds.split(',');
        let kind = kinds.next().unwrap_or_default();
        let (service, transport) = kind.split_once('.').unwrap_or((kind, "_tcp"));
        let domain = name(&[service, transport, "local"]);
        let shown = if self.faults.has("ascii-names") {
            label.replace(|c: char| !c.is_ascii(), "?")
        } else {
            label.to_owned()
        };
        let labels: Vec<&str> = if self.faults.has("splits-dots") {
            shown.split('.').collect()
        } else {
            vec![&shown]
        };
        let instance = name(&[&labels, &[service, transport, "local"][..]].concat());
        let mut port: u16 = port.parse().unwrap_or(0);
        if self.faults.has("odd-port") {
            port += 1;
        }
        let host = self
            .claims
            .first()
            .map_or_else(NameBuf::root, |host| host.name.clone());
        let (host_ttl, ttl) = if self.faults.has("odd-ttl") {
            (60, 60)
        } else {
            (120, 4500)
        };
        let mut records = vec![
            Own::unique(RecordBuf::new(
                instance.clone(),
                host_ttl,
                RdataBuf::srv(0, 0, port, host.as_name()),
            )),
            Own::unique(RecordBuf::new(
                instance.clone(),
                ttl,
                txt_data(txt, &self.faults),
            )),
            Own::shared(RecordBuf::new(
                domain.clone(),
                ttl,
                RdataBuf::ptr(instance.as_name()),
            )),
        ];
        let types = name(&["_services", "_dns-sd", "_udp", "local"]);
        if !self.faults.has("no-types") {
            records.push(Own::shared(RecordBuf::new(
                types.clone(),
                ttl,
                RdataBuf::ptr(domain.as_name()),
            )));
        }
        for subtype in kinds.filter(|_| !self.faults.has("no-subtype")) {
            let subtype = name(&[subtype, "_sub", service, transport, "local"]);
            records.push(Own::shared(RecordBuf::new(
                subtype.clone(),
                ttl,
                RdataBuf::ptr(instance.as_name()),
            )));
            if self.faults.has("only-subtype") {
                records.retain(|own| own.record.name != domain);
            }
            if self.faults.has("types-subtype") {
                records.push(Own::shared(RecordBuf::new(
                    types.clone(),
                    ttl,
                    RdataBuf::ptr(subtype.as_name()),
                )));
            }
        }
        let mut claim = Claim::new(label, instance, records, self.link.now(), &self.faults);
        if self.faults.has("believes-hearsay") && self.hearsay.contains(&claim.name) {
            claim.rename();
        }
        self.claims.push(claim);
    }

    fn withdraw(&mut self, label: &str) {
        let Some(at) = self.claims.iter().position(|claim| claim.handle == label) else {
            return;
        };
        if !self.faults.has("no-goodbye") {
            self.claims[at].say_goodbye(&self.link, &mut self.outbox);
        }
        if !self.faults.has("zombie") {
            self.claims.remove(at);
        }
    }

    fn rename(&mut self, label: &str, new: &str) {
        let now = self.link.now();
        let Some(claim) = self.claims.iter_mut().find(|claim| claim.handle == label) else {
            return;
        };
        if !self.faults.has("no-goodbye") {
            claim.say_goodbye(&self.link, &mut self.outbox);
        }
        new.clone_into(&mut claim.handle);
        claim.take(new);
        claim.probe_anew(now + ms(50));
        if self.faults.has("rude-rename") {
            claim.announce_now(now);
        }
    }
}

/// TXT data of attributes as the tests give them.
fn txt_data(attributes: &[&str], faults: &Faults) -> RdataBuf {
    let mut attributes = attributes.to_vec();
    if faults.has("txt-order") {
        attributes.reverse();
    }
    if faults.has("padded-txt") {
        attributes.extend(["", ""]);
    }
    RdataBuf::txt(attributes).unwrap_or_else(|_| RdataBuf::bare(RecordType::TXT))
}

/// The type that all tests publish.
fn is_test_type(name: &NameBuf) -> bool {
    Service::instance("x")
        .parent()
        .is_some_and(|kind| kind == name.as_name())
}
