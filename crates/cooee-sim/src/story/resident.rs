//! Somebody who lives on a network: publishes under names of its own, takes another when one is lost, and looks for what others have.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cooee_mdns::{
    Config, Engine, Event, GroupId, Instant, LinkSet, Node, Presence, QueryId, QueryOptions,
    RecordSet,
};
use cooee_wire::{Data, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType};

/// How long anything that a resident publishes is believed, in seconds: what gets lost is missed soon.
const TTL: u32 = 120;

/// A service as everybody should see it: its instance name, where it is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) instance: String,
    pub(crate) srv: String,
    pub(crate) txt: String,
    pub(crate) addresses: BTreeSet<String>,
}

/// A node that behaves as an application with a user before it.
#[derive(Debug)]
pub(crate) struct Resident {
    engine: Engine,
    host: Claim,
    services: BTreeMap<u8, Claim>,
    browsing: BTreeMap<u8, QueryId>,
    followed: BTreeMap<(NameBuf, RecordType), QueryId>,
    /// What is there for each query: the link, whether it is its own, and the data.
    answers: BTreeMap<QueryId, Vec<(u32, bool, RdataBuf)>>,
    /// The last events, for the transcript.
    told: VecDeque<(Instant, Event)>,
}

/// How many events a resident remembers.
const TOLD: usize = 100;

/// A name that is wanted, and the one that is had.
#[derive(Debug)]
struct Claim {
    group: Option<GroupId>,
    base: String,
    attempt: u32,
    revision: u32,
    ready: bool,
}

impl Claim {
    fn new(base: String) -> Self {
        Self {
            group: None,
            base,
            attempt: 1,
            revision: 0,
            ready: false,
        }
    }

    fn label(&self) -> String {
        match self.attempt {
            1 => self.base.clone(),
            attempt => format!("{}-{attempt}", self.base),
        }
    }
}

impl Resident {
    pub(crate) fn new(host: &str, seed: u64, now: Instant) -> Self {
        let mut resident = Self {
            engine: Engine::new(Config::default(), seed, now),
            host: Claim::new(host.to_owned()),
            services: BTreeMap::new(),
            browsing: BTreeMap::new(),
            followed: BTreeMap::new(),
            answers: BTreeMap::new(),
            told: VecDeque::new(),
        };
        let records = resident.host_records();
        resident.host.group = resident.engine.publish(now, records, LinkSet::All).ok();
        resident
    }

    /// Publishes a service. The higher half of the number is its type, the lower one its name: others may want the same.
    pub(crate) fn publish(&mut self, now: Instant, service: u8) {
        if self.services.contains_key(&service) {
            return;
        }
        let mut claim = Claim::new(format!("Shop {}", service & 3));
        let records = self.records(service, &claim);
        claim.group = self.engine.publish(now, records, LinkSet::All).ok();
        self.services.insert(service, claim);
    }

    pub(crate) fn withdraw(&mut self, now: Instant, service: u8) {
        if let Some(group) = self.services.remove(&service).and_then(|claim| claim.group) {
            self.engine.withdraw(now, group);
        }
    }

    /// Says something else in the TXT record.
    pub(crate) fn update(&mut self, now: Instant, service: u8) {
        if let Some(claim) = self.services.get_mut(&service) {
            claim.revision += 1;
            self.renew(now, service);
        }
    }

    /// Takes another name, because its user likes it better.
    pub(crate) fn rename(&mut self, now: Instant, service: u8) {
        if let Some(claim) = self.services.get_mut(&service) {
            claim.attempt += 1;
            self.rename_group(now, service);
        }
    }

    pub(crate) fn browse(&mut self, now: Instant, kind: u8) {
        if !self.browsing.contains_key(&kind) {
            let query = self.ask(now, type_name(kind), RecordType::PTR);
            self.browsing.insert(kind, query);
        }
    }

    pub(crate) fn stop_browsing(&mut self, now: Instant, kind: u8) {
        if let Some(query) = self.browsing.remove(&kind) {
            self.engine.cancel(now, query);
            self.answers.remove(&query);
        }
    }

    pub(crate) fn shutdown(&mut self, now: Instant) {
        self.engine.shutdown(now);
    }

    /// What it was told last.
    pub(crate) fn told(&self) -> &VecDeque<(Instant, Event)> {
        &self.told
    }

    /// What it browses for.
    pub(crate) fn browsed(&self) -> impl Iterator<Item = u8> + '_ {
        self.browsing.keys().copied()
    }

    /// What it publishes and owns: (type, what others should see), and whether all of it is ready.
    pub(crate) fn owned(&self, addresses: &BTreeSet<String>) -> (Vec<(u8, Seen)>, bool) {
        let ready = self.host.ready && self.services.values().all(|claim| claim.ready);
        let owned = self.services.iter().map(|(&service, claim)| {
            let seen = Seen {
                instance: self.instance(service, claim).to_string(),
                srv: self.srv(service).to_string(),
                txt: txt(claim.revision).to_string(),
                addresses: addresses.clone(),
            };
            (service >> 4, seen)
        });
        (owned.collect(), ready)
    }

    /// The resolved services of a type.
    pub(crate) fn found(&self, kind: u8) -> BTreeSet<Seen> {
        let Some(query) = self.browsing.get(&kind) else {
            return BTreeSet::new();
        };
        let instances: BTreeSet<NameBuf> = self
            .rdata(*query)
            .filter_map(|data| target(&data))
            .collect();
        let mut found = BTreeSet::new();
        for instance in instances {
            let srvs: Vec<RdataBuf> = self.known(&instance, RecordType::SRV).collect();
            let txts: Vec<RdataBuf> = self.known(&instance, RecordType::TXT).collect();
            for srv in &srvs {
                let host = target(srv);
                let addresses: BTreeSet<String> = host
                    .into_iter()
                    .flat_map(|host| {
                        let v4 = self.known(&host, RecordType::A);
                        let both = v4.chain(self.known(&host, RecordType::AAAA));
                        both.map(|data| data.to_string()).collect::<Vec<_>>()
                    })
                    .collect();
                found.extend(txts.iter().map(|txt| Seen {
                    instance: instance.to_string(),
                    srv: srv.to_string(),
                    txt: txt.to_string(),
                    addresses: addresses.clone(),
                }));
            }
        }
        found
    }

    fn known(&self, name: &NameBuf, kind: RecordType) -> impl Iterator<Item = RdataBuf> + '_ {
        let query = self.followed.get(&(name.clone(), kind)).copied();
        query.into_iter().flat_map(|query| self.rdata(query))
    }

    fn rdata(&self, query: QueryId) -> impl Iterator<Item = RdataBuf> + '_ {
        let answers = self.answers.get(&query).into_iter().flatten();
        answers.map(|(_, _, rdata)| rdata.clone())
    }

    fn ask(&mut self, now: Instant, name: NameBuf, kind: RecordType) -> QueryId {
        let question = QuestionBuf::new(name, kind);
        self.engine
            .query(now, question, QueryOptions::standing(), LinkSet::All)
    }

    /// Whatever a record leads to is asked for too.
    fn follow(&mut self, now: Instant, rdata: &RdataBuf) {
        let kinds = match rdata.kind() {
            RecordType::PTR => [RecordType::SRV, RecordType::TXT],
            RecordType::SRV => [RecordType::A, RecordType::AAAA],
            _ => return,
        };
        let Some(name) = target(rdata) else { return };
        for kind in kinds {
            if !self.followed.contains_key(&(name.clone(), kind)) {
                let query = self.ask(now, name.clone(), kind);
                self.followed.insert((name.clone(), kind), query);
            }
        }
    }

    fn note(&mut self, now: Instant, event: Event) {
        match event {
            Event::Ready { group } => self.claims(|claim| {
                claim.ready |= claim.group == Some(group);
            }),
            Event::Conflict { group, .. } => self.take_another_name(now, group),
            Event::Answer {
                query,
                link,
                record,
                presence: Presence::Present,
                own,
            } => {
                let answers = self.answers.entry(query).or_default();
                let answer = (link.0, own, record.rdata.clone());
                if !answers.contains(&answer) {
                    answers.push(answer);
                }
                self.follow(now, &record.rdata);
            }
            Event::Answer {
                query,
                link,
                record,
                own,
                ..
            } => {
                if let Some(answers) = self.answers.get_mut(&query) {
                    let gone = (link.0, own, record.rdata.clone());
                    answers.retain(|answer| *answer != gone);
                }
                if record.kind() == RecordType::SRV {
                    self.doubt(now, &record.name);
                }
            }
            _ => {}
        }
    }

    /// An instance without SRV record: does anybody still say that it exists?
    // RFC 6762 §10.4, ruling 5
    fn doubt(&mut self, now: Instant, instance: &NameBuf) {
        if self.known(instance, RecordType::SRV).next().is_some() {
            return;
        }
        for kind in self.browsing.keys().copied().collect::<Vec<_>>() {
            let pointer = pointer(kind, instance);
            self.engine
                .reconfirm(now, &pointer.as_record(), &LinkSet::All);
        }
    }

    // RFC 6762 §9 (6762-9-7)
    fn take_another_name(&mut self, now: Instant, group: GroupId) {
        self.claims(|claim| {
            if claim.group == Some(group) {
                claim.attempt += 1;
                claim.ready = false;
            }
        });
        if self.host.group == Some(group) {
            let records = self.host_records();
            let _ = self.engine.rename(now, group, records);
            for service in self.services.keys().copied().collect::<Vec<_>>() {
                self.renew(now, service);
            }
        }
        let services = self.services.iter();
        let lost = services
            .filter(|(_, claim)| claim.group == Some(group))
            .map(|(&service, _)| service);
        for service in lost.collect::<Vec<_>>() {
            self.rename_group(now, service);
        }
    }

    fn claims(&mut self, mut change: impl FnMut(&mut Claim)) {
        change(&mut self.host);
        self.services.values_mut().for_each(change);
    }

    fn renew(&mut self, now: Instant, service: u8) {
        if let Some(claim) = self.services.get(&service)
            && let Some(group) = claim.group
        {
            let records = self.records(service, claim);
            let _ = self.engine.update(now, group, records);
        }
    }

    fn rename_group(&mut self, now: Instant, service: u8) {
        if let Some(claim) = self.services.get_mut(&service)
            && let Some(group) = claim.group
        {
            claim.ready = false;
            let claim = &self.services[&service];
            let records = self.records(service, claim);
            let _ = self.engine.rename(now, group, records);
        }
    }

    fn host_name(&self) -> NameBuf {
        name(&format!("{}.local", self.host.label()))
    }

    fn host_records(&self) -> RecordSet {
        RecordSet::new().host_addresses(self.host_name())
    }

    fn instance(&self, service: u8, claim: &Claim) -> NameBuf {
        name(&format!("{}.{}", claim.label(), type_name(service >> 4)))
    }

    fn srv(&self, service: u8) -> RdataBuf {
        RdataBuf::srv(0, 0, 8000 + u16::from(service), self.host_name().as_name())
    }

    fn records(&self, service: u8, claim: &Claim) -> RecordSet {
        let instance = self.instance(service, claim);
        let kind = service >> 4;
        let types = RdataBuf::ptr(type_name(kind).as_name());
        RecordSet::new()
            .shared(pointer(kind, &instance))
            .shared_without_goodbye(RecordBuf::new(
                name("_services._dns-sd._udp.local"),
                TTL,
                types,
            ))
            .unique(RecordBuf::new(instance.clone(), TTL, self.srv(service)))
            .unique(RecordBuf::new(instance, TTL, txt(claim.revision)))
    }
}

impl Node for Resident {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, now: Instant) {
        while let Some(event) = self.engine.poll_event() {
            self.told.push_back((now, event.clone()));
            if self.told.len() > TOLD {
                self.told.pop_front();
            }
            self.note(now, event);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

/// The name that the data of a PTR or SRV record leads to.
fn target(rdata: &RdataBuf) -> Option<NameBuf> {
    match rdata.decode() {
        Ok(Data::Ptr(name)) => name.to_owned().ok(),
        Ok(Data::Srv(srv)) => srv.target.to_owned().ok(),
        _ => None,
    }
}

fn pointer(kind: u8, instance: &NameBuf) -> RecordBuf {
    RecordBuf::new(type_name(kind), TTL, RdataBuf::ptr(instance.as_name()))
}

fn txt(revision: u32) -> RdataBuf {
    let text = format!("revision={revision}");
    RdataBuf::txt([text.as_bytes()]).unwrap_or_else(|_| RdataBuf::a([0, 0, 0, 0].into()))
}

pub(crate) fn type_name(kind: u8) -> NameBuf {
    name(["_http._tcp.local", "_ipp._tcp.local"][usize::from(kind & 1)])
}

/// A name made here, not by a stranger.
fn name(text: &str) -> NameBuf {
    text.parse().unwrap_or_else(|_| NameBuf::root())
}
