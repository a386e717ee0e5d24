//! A host of a large network: it offers three services, asks now and then, and may browse.

use std::collections::HashMap;
use std::time::Duration;

use cooee_mdns::{
    Config, Engine, Event, Instant, LinkSet, Node, Presence, QueryId, QueryOptions, RecordSet,
};
use cooee_wire::{Data, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType};

/// How many services a host offers.
pub(crate) const SERVICES: usize = 3;
/// The hosts that offer what everybody looks for; the others offer something else.
pub(crate) const POPULAR: usize = 10;
/// How many records a host that does not browse keeps.
const CACHE: usize = 256;
/// How often a host asks something.
const EVERY: Duration = Duration::from_secs(60);
/// How long it waits for the answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What hosts look for, once a minute each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Curiosity {
    /// Nothing.
    None,
    /// Half of them the services of a popular type, half of them where such a service is.
    Popular,
    /// The address of some host of this many.
    Anybody(usize),
}

/// A node of a large network.
#[derive(Debug)]
pub(crate) struct Attendee {
    pub(crate) engine: Engine,
    chance: u64,
    curiosity: Curiosity,
    asks_at: Option<Instant>,
    asked: HashMap<QueryId, Instant>,
    /// After what time a query got its first answer; `None`: it got none.
    pub(crate) waited: Vec<Option<Duration>>,
    pub(crate) browser: Option<Browser>,
}

/// Follows all instances of some types to their addresses.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    since: Option<Instant>,
    instances: HashMap<NameBuf, Instance>,
    hosts: HashMap<NameBuf, Host>,
    /// When each was resolved, and how long after the start.
    pub(crate) found: Vec<(Instant, Duration)>,
}

/// What is known of an instance.
#[derive(Debug, Default)]
struct Instance {
    host: Option<NameBuf>,
    txt: bool,
    resolved: bool,
}

/// What is known of a host.
#[derive(Debug, Default)]
struct Host {
    has_address: bool,
    guests: Vec<NameBuf>,
}

impl Attendee {
    /// The host with this number, which has its services at once.
    pub(crate) fn new(number: usize, browses: bool, seed: u64, now: Instant) -> Self {
        let mut config = Config::default();
        if !browses {
            config.unasked_records = CACHE;
            config.asked_records = CACHE;
        }
        let mut engine = Engine::new(config, seed, now);
        let host = host_name(number);
        publish(
            &mut engine,
            now,
            RecordSet::new().host_addresses(host.clone()),
        );
        for service in 0..SERVICES {
            let kind = type_of(number, service);
            publish(&mut engine, now, records(number, &kind, &host));
        }
        Self::with(engine, browses, seed)
    }

    /// A host with so many services of one type.
    pub(crate) fn shop(services: usize, seed: u64, now: Instant) -> Self {
        let mut engine = Engine::new(Config::default(), seed, now);
        let host = name("shop.local");
        publish(
            &mut engine,
            now,
            RecordSet::new().host_addresses(host.clone()),
        );
        for number in 0..services {
            // Not the numbers of hosts, which have services of their own.
            let records = records(number + 100_000, &popular_type(0), &host);
            publish(&mut engine, now, records);
        }
        Self::with(engine, false, seed)
    }

    fn with(engine: Engine, browses: bool, seed: u64) -> Self {
        Self {
            engine,
            chance: seed | 1,
            curiosity: Curiosity::None,
            asks_at: None,
            asked: HashMap::new(),
            waited: Vec::new(),
            browser: browses.then(Browser::default),
        }
    }

    /// From now on it asks once a minute, at a moment of its own.
    pub(crate) fn be_curious(&mut self, now: Instant, curiosity: Curiosity) {
        self.curiosity = curiosity;
        let micros = self.draw(60_000_000);
        self.asks_at = Some(now + Duration::from_micros(micros as u64));
    }

    /// Looks for all services of these types, if it is one that browses.
    pub(crate) fn browse(&mut self, now: Instant, types: &[NameBuf]) {
        if let Some(browser) = &mut self.browser {
            browser.since = Some(now);
            for kind in types {
                ask(&mut self.engine, now, kind.clone(), RecordType::PTR);
            }
        }
    }

    fn draw(&mut self, below: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance % below as u64) as usize
    }

    fn ask_something(&mut self, now: Instant) {
        let question = match self.curiosity {
            Curiosity::None => return,
            Curiosity::Popular => {
                let kind = popular_type(self.draw(SERVICES));
                if self.draw(2) == 0 {
                    QuestionBuf::new(kind, RecordType::PTR)
                } else {
                    QuestionBuf::new(instance(self.draw(POPULAR), &kind), RecordType::SRV)
                }
            }
            Curiosity::Anybody(hosts) => {
                QuestionBuf::new(host_name(self.draw(hosts)), RecordType::A)
            }
        };
        let options = QueryOptions::one_shot(PATIENCE);
        let query = self.engine.query(now, question, options, LinkSet::All);
        self.asked.insert(query, now);
    }

    fn note(&mut self, now: Instant, event: Event) {
        match event {
            Event::Answer {
                query,
                record,
                presence: Presence::Present,
                ..
            } => {
                if let Some(asked) = self.asked.remove(&query) {
                    self.waited.push(Some(now.since(asked)));
                } else if let Some(browser) = &mut self.browser {
                    browser.learn(now, &mut self.engine, &record);
                }
            }
            Event::Finished { query } if self.asked.remove(&query).is_some() => {
                self.waited.push(None);
            }
            _ => {}
        }
    }
}

impl Browser {
    fn learn(&mut self, now: Instant, engine: &mut Engine, record: &RecordBuf) {
        match record.rdata.decode() {
            Ok(Data::Ptr(target)) => {
                let Ok(target) = target.to_owned() else {
                    return;
                };
                if !self.instances.contains_key(&target) {
                    self.instances.insert(target.clone(), Instance::default());
                    ask(engine, now, target.clone(), RecordType::SRV);
                    ask(engine, now, target, RecordType::TXT);
                }
            }
            Ok(Data::Srv(srv)) => {
                let Ok(host) = srv.target.to_owned() else {
                    return;
                };
                if !self.hosts.contains_key(&host) {
                    ask(engine, now, host.clone(), RecordType::A);
                }
                if let Some(instance) = self.instances.get_mut(&record.name)
                    && instance.host.is_none()
                {
                    instance.host = Some(host.clone());
                    let guests = &mut self.hosts.entry(host).or_default().guests;
                    guests.push(record.name.clone());
                    self.look_at(now, &record.name);
                }
            }
            Ok(Data::Txt(_)) => {
                if let Some(instance) = self.instances.get_mut(&record.name) {
                    instance.txt = true;
                    self.look_at(now, &record.name);
                }
            }
            Ok(Data::A(_)) => {
                let host = self.hosts.entry(record.name.clone()).or_default();
                host.has_address = true;
                for guest in host.guests.clone() {
                    self.look_at(now, &guest);
                }
            }
            _ => {}
        }
    }

    /// Something is known of this instance: perhaps it was the last that was wanting.
    fn look_at(&mut self, now: Instant, name: &NameBuf) {
        if let Some(instance) = self.instances.get_mut(name)
            && !instance.resolved
            && instance.txt
            && let Some(host) = &instance.host
            && self.hosts.get(host).is_some_and(|host| host.has_address)
        {
            instance.resolved = true;
            let since = self.since.unwrap_or(now);
            self.found.push((now, now.since(since)));
        }
    }
}

impl Node for Attendee {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, now: Instant) {
        while let Some(event) = self.engine.poll_event() {
            self.note(now, event);
        }
        if self.asks_at.is_some_and(|at| at <= now) {
            self.asks_at = self.asks_at.map(|at| at + EVERY);
            self.ask_something(now);
            while let Some(event) = self.engine.poll_event() {
                self.note(now, event);
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine
            .poll_timeout()
            .into_iter()
            .chain(self.asks_at)
            .min()
    }
}

fn publish(engine: &mut Engine, now: Instant, records: RecordSet) {
    engine
        .publish(now, records, LinkSet::All)
        .expect("the names of a host are different");
}

fn ask(engine: &mut Engine, now: Instant, name: NameBuf, kind: RecordType) {
    let question = QuestionBuf::new(name, kind);
    engine.query(now, question, QueryOptions::standing(), LinkSet::All);
}

fn records(number: usize, kind: &NameBuf, host: &NameBuf) -> RecordSet {
    let instance = instance(number, kind);
    let types = name("_services._dns-sd._udp.local");
    let pointer =
        |owner: NameBuf, to: &NameBuf| RecordBuf::new(owner, 4500, RdataBuf::ptr(to.as_name()));
    let text = RdataBuf::txt([b"path=/".as_slice()]).expect("short enough");
    RecordSet::new()
        .shared(pointer(kind.clone(), &instance))
        .shared_without_goodbye(pointer(types, kind))
        .unique(RecordBuf::new(
            instance.clone(),
            120,
            RdataBuf::srv(0, 0, 8080, host.as_name()),
        ))
        .unique(RecordBuf::new(instance, 4500, text))
}

/// The types that everybody looks for.
pub(crate) fn popular_type(service: usize) -> NameBuf {
    name(["_http._tcp.local", "_ipp._tcp.local", "_airplay._tcp.local"][service % SERVICES])
}

/// The types of all hosts but the first [`POPULAR`].
pub(crate) fn ordinary_type(service: usize) -> NameBuf {
    name(
        [
            "_ssh._tcp.local",
            "_smb._tcp.local",
            "_companion-link._tcp.local",
        ][service % SERVICES],
    )
}

fn type_of(number: usize, service: usize) -> NameBuf {
    match number < POPULAR {
        true => popular_type(service),
        false => ordinary_type(service),
    }
}

fn host_name(number: usize) -> NameBuf {
    name(&format!("host-{number}.local"))
}

fn instance(number: usize, kind: &NameBuf) -> NameBuf {
    name(&format!("Something of {number}.{kind}"))
}

/// A name made here, not by a stranger.
fn name(text: &str) -> NameBuf {
    text.parse().expect("a name")
}
