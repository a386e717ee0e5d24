//! A small querier for the tests of the tester: right as far as they look, or with the faults named on the command line.
//!
//! It speaks the adapter protocol on its standard input and output.

mod memory;
mod series;

use std::io::{BufRead as _, Write as _};
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use cooee_conformance::subject::{decode, encode};
use cooee_conformance::{From, GROUP_V4, GROUP_V6, Link, Outgoing, PORT, Packet, ms, name};
use cooee_wire::{Data, NameBuf, RecordBuf, RecordType};

use memory::Memory;
use series::Series;

/// The faults that it can have; a misspelt one shall not make a test pass.
const KNOWN: &[&str] = &[
    "aa-strict",
    "any-network",
    "any-opcode",
    "any-port",
    "any-rcode",
    "any-unicast",
    "asked-only",
    "believes-questions",
    "case-sensitive",
    "curious",
    "deaf",
    "early-refresh",
    "even-intervals",
    "flush-at-once",
    "goodbye-final",
    "goodbye-wide",
    "gullible",
    "hasty",
    "header-strict",
    "id-strict",
    "immortal",
    "known-flush",
    "known-old",
    "known-unique",
    "legacy-port",
    "lonely",
    "mute",
    "net-strict",
    "never-stops",
    "no-delay",
    "no-flush",
    "no-goodbye",
    "no-known",
    "no-observation",
    "no-refresh",
    "no-renewal",
    "no-tc",
    "no-unicast",
    "nsec-blind",
    "observes-blindly",
    "odd-header",
    "one-shot",
    "question-shy",
    "restless",
    "unicast-always",
    "unicast-first",
    "v4-only",
];

#[derive(Clone, Debug)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    fn new(names: impl Iterator<Item = String>) -> Result<Self, String> {
        let names: Vec<String> = names.collect();
        match names.iter().find(|name| !KNOWN.contains(&name.as_str())) {
            Some(name) => Err(format!("no such fault: {name}")),
            None => Ok(Self(names)),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        debug_assert!(KNOWN.contains(&name), "{name} is not in the list");
        self.0.iter().any(|fault| fault == name)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let faults = Faults::new(std::env::args().skip(1))?;
    let interface = std::env::var("COOEE_INTERFACE")?;
    let mut querier = Querier {
        link: Link::open(&interface)?,
        memory: Memory::new(faults.clone()),
        series: Vec::new(),
        hosts: Vec::new(),
        bookmark: 0,
        asked_for_unicast: None,
        chance: 0x9e37_79b9_7f4a_7c15,
        faults,
    };
    let commands = commands();
    say("ready tiny-querier 1");
    while querier.turn(&commands) {}
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

struct Querier {
    link: Link,
    faults: Faults,
    memory: Memory,
    series: Vec<Series>,
    /// Hosts that are resolved, with the addresses last told.
    hosts: Vec<(NameBuf, Vec<IpAddr>)>,
    bookmark: usize,
    /// When a question that wants a unicast response went out last.
    asked_for_unicast: Option<Duration>,
    chance: u64,
}

impl Querier {
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
        for packet in self.link.unread(&mut self.bookmark, now + ms(10)) {
            self.hear(&packet);
        }
        let now = self.link.now();
        for gone in self.memory.expire(now) {
            self.tell_of_record("removed", &gone);
        }
        self.tell_of_hosts();
        self.ask(now);
        true
    }

    fn command(&mut self, words: &[&str]) -> &'static str {
        match words {
            ["browse", kind] => {
                let (service, transport) = kind.split_once('.').unwrap_or((kind, "_tcp"));
                let wanted = name(&[service, transport, "local"]);
                self.look(&wanted, RecordType::PTR);
                let known = self.memory.live(&wanted, RecordType::PTR);
                for record in known {
                    self.tell_of_record("found", &record);
                }
                if self.faults.has("one-shot") {
                    return "ok once";
                }
            }
            ["stop-browse", _] => {
                if !self.faults.has("never-stops") {
                    self.series.clear();
                }
            }
            ["resolve-host", host] => {
                let label = host.strip_suffix(".local").unwrap_or(host);
                let wanted = name(&[label, "local"]);
                self.look(&wanted, RecordType::A);
                self.look(&wanted, RecordType::AAAA);
                self.hosts.push((wanted, Vec::new()));
            }
            ["quit"] => {}
            _ => return "unsupported",
        }
        "ok"
    }

    /// Begins a series of questions.
    fn look(&mut self, wanted: &NameBuf, kind: RecordType) {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        let delay = match self.faults.has("no-delay") {
            true => Duration::ZERO,
            false => ms(20 + self.chance % 100),
        };
        let first = self.link.now() + delay;
        self.series.push(Series::new(wanted.clone(), kind, first));
    }

    fn hear(&mut self, packet: &Packet) {
        let (contents, now) = (&packet.contents, self.link.now());
        if !contents.is_response() {
            return self.hear_query(packet);
        }
        if !self.is_believed(packet) {
            return;
        }
        let records: Vec<RecordBuf> = contents
            .all()
            .filter(|record| ![RecordType::OPT, RecordType::NSEC].contains(&record.kind()))
            .cloned()
            .collect();
        for record in &records {
            if self.faults.has("curious") && record.kind() == RecordType::PTR {
                self.series.push(Series::new(
                    record.name.clone(),
                    RecordType::PTR,
                    now + ms(30),
                ));
            }
            if self.memory.learn(record, now) && self.is_looked_for(record) {
                self.tell_of_record("found", record);
            }
        }
        let denied: Vec<&RecordBuf> = contents
            .all()
            .filter(|record| record.kind() == RecordType::NSEC && !self.faults.has("nsec-blind"))
            .collect();
        if self.faults.has("restless") {
            return;
        }
        // RFC 6762 §5.2 (6762-5.2-15)
        for series in &mut self.series {
            let answered = records
                .iter()
                .any(|record| record.cache_flush && series.is_for(&record.name, record.kind()));
            let denied = denied.iter().any(|nsec| nsec.name == *series.name());
            let has_some = self.memory.has(series.name(), series.kind());
            if answered || denied && !has_some {
                series.rest();
            }
        }
    }

    /// Whether a response counts.
    fn is_believed(&self, packet: &Packet) -> bool {
        let (contents, faults, now) = (&packet.contents, &self.faults, self.link.now());
        let flags = contents.flags;
        let source = packet.source.ip();
        let asked_lately = self
            .asked_for_unicast
            .is_some_and(|asked| now - asked < ms(2000));
        let unasked = !packet.is_multicast()
            && (!asked_lately && !faults.has("any-unicast") || faults.has("no-unicast"));
        let foreign = !self.link.is_on_link(source);
        let elsewhere = foreign && !packet.is_multicast() && !faults.has("any-network");
        let late = self
            .series
            .iter()
            .all(|series| !series.asked_within(now, ms(250)));
        !(faults.has("deaf")
            || flags.opcode().get() != 0 && !faults.has("any-opcode")
            || flags.rcode().get() != 0 && !faults.has("any-rcode")
            || packet.source.port() != PORT && !faults.has("any-port")
            || unasked
            || elsewhere
            || foreign && packet.is_multicast() && faults.has("net-strict")
            || !contents.questions.is_empty() && faults.has("question-shy")
            || contents.id != 0 && faults.has("id-strict")
            || flags.bits() & !0x800f != 0x0400
                && flags.opcode().get() == 0
                && faults.has("header-strict")
            || flags.bits() & 0x0400 == 0 && faults.has("aa-strict")
            || late && faults.has("asked-only"))
    }

    fn hear_query(&mut self, packet: &Packet) {
        let (contents, now) = (&packet.contents, self.link.now());
        if self.faults.has("believes-questions") {
            for record in contents.answers() {
                if self.memory.learn(record, now) && self.is_looked_for(record) {
                    self.tell_of_record("found", record);
                }
            }
        }
        let known: Vec<RecordBuf> = contents.answers().cloned().collect();
        for question in contents
            .questions
            .iter()
            .filter(|question| !question.unicast_response)
        {
            // RFC 6762 §7.3 (6762-7.3-1)
            let more = known
                .iter()
                .any(|record| !self.memory.knows(record) && !self.faults.has("gullible"));
            for series in &mut self.series {
                let same = series.is_for(&question.name, question.kind);
                if same && !more && !self.faults.has("lonely") {
                    series.skip(now);
                }
            }
            // RFC 6762 §10.5 (6762-10.5-2)
            if !self.faults.has("no-observation") && packet.is_v4() {
                self.memory
                    .observe(&question.name, question.kind, &known, now);
            }
        }
    }

    fn is_looked_for(&self, record: &RecordBuf) -> bool {
        self.series
            .iter()
            .any(|series| series.is_for(&record.name, record.kind()))
    }

    /// Sends the questions that are due, each with what is known.
    fn ask(&mut self, now: Duration) {
        if self.faults.has("mute") {
            return;
        }
        for number in 0..self.series.len() {
            let Some(series) = self.series.get_mut(number) else {
                return;
            };
            let refresh = self.memory.is_fading(series.name(), series.kind(), now);
            if !series.is_due(now) && !refresh {
                continue;
            }
            let count = series.asked(now, &self.faults);
            let (name, kind) = (series.name().clone(), series.kind());
            // RFC 6762 §5.4 (6762-5.4-3, 6762-5.4-6)
            let initial = now < ms(1500) || self.faults.has("unicast-first");
            let unicast = count == 1 && initial || count > 1 && self.faults.has("unicast-always");
            let mut question = Outgoing::question(&name, kind);
            if unicast {
                question = question.unicast();
                self.asked_for_unicast = Some(now);
            }
            if self.faults.has("odd-header") {
                question = question.bits(0x0500);
            }
            let known = self.memory.known_answers(&name, kind, now);
            for message in series::train(question, known, &self.faults) {
                self.send(&message);
            }
        }
    }

    fn send(&self, message: &Outgoing) {
        let octets = message.build();
        let simple = self.faults.has("one-shot") || self.faults.has("legacy-port");
        let from = if simple { From::Legacy } else { From::Mdns };
        for address in self.link.addresses() {
            let group = match address {
                IpAddr::V4(_) => IpAddr::from(GROUP_V4),
                IpAddr::V6(_) if simple || self.faults.has("v4-only") => continue,
                IpAddr::V6(_) => IpAddr::from(GROUP_V6),
            };
            // One of each family is enough, and what cannot be sent did not happen.
            let sent = self.link.send(from, address, (group, PORT).into(), &octets);
            if address.is_ipv6() && sent.is_ok() {
                return;
            }
        }
    }

    fn tell_of_record(&self, what: &str, record: &RecordBuf) {
        let Ok(Data::Ptr(instance)) = record.rdata.decode() else {
            return;
        };
        let mut labels = instance.labels();
        let label = labels.next().unwrap_or_default();
        let kind: Vec<String> = record
            .name
            .as_name()
            .labels()
            .take(2)
            .map(|label| String::from_utf8_lossy(label).into_owned())
            .collect();
        say(&format!(
            "event {what} {} {}",
            encode(label),
            kind.join(".")
        ));
    }

    fn tell_of_hosts(&mut self) {
        for (host, told) in &mut self.hosts {
            let mut present: Vec<IpAddr> = [RecordType::A, RecordType::AAAA]
                .into_iter()
                .flat_map(|kind| self.memory.live(host, kind))
                .filter_map(|record| match record.rdata.decode() {
                    Ok(Data::A(address)) => Some(IpAddr::V4(address)),
                    Ok(Data::Aaaa(address)) => Some(IpAddr::V6(address)),
                    _ => None,
                })
                .collect();
            present.sort();
            if present != *told {
                let list: Vec<String> = present.iter().map(ToString::to_string).collect();
                let text = host.to_string();
                say(&format!(
                    "event address {} {}",
                    text.trim_end_matches('.'),
                    list.join(",")
                ));
                *told = present;
            }
        }
    }
}
