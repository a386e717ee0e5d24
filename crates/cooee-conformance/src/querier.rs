//! Tests of a querier: when it asks, what it lists as known, what it believes, and when it forgets.

mod asking;
mod believing;
mod forgetting;
mod knowing;

use std::net::IpAddr;
use std::time::Duration;

use cooee_wire::{NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section};

use crate::packet::Packet;
use crate::query::{Outgoing, flushed};
use crate::service::name;
use crate::stage::{Stage, Stop, ms};
use crate::subject::Reply;
use crate::test::{Role, Start, Test};

/// All of them.
pub(crate) fn tests() -> impl Iterator<Item = Test> {
    let tables = [
        asking::TESTS,
        knowing::TESTS,
        believing::TESTS,
        forgetting::TESTS,
    ];
    tables.into_iter().flatten().copied()
}

const fn querier(
    name: &'static str,
    clauses: &'static [&'static str],
    title: &'static str,
    limits: &'static str,
    run: fn(&mut Stage<'_>) -> Result<(), Stop>,
) -> Test {
    Test {
        name,
        clauses,
        title,
        limits,
        role: Role::Querier,
        start: Start::Fresh,
        run,
    }
}

/// The type that the subject is told to look for.
const TYPE: &str = "_cooee-seek._tcp";
/// A querier asks within this time, however it delays its first question.
const FIRST: u64 = 3000;
/// The usual lifetime of a shared record.
const LONG: u32 = 4500;
/// The usual lifetime of a unique record.
const SHORT: u32 = 120;

fn kind() -> NameBuf {
    name(&["_cooee-seek", "_tcp", "local"])
}

/// A service of the tester, to be found.
#[derive(Clone, Debug)]
struct Bait {
    label: &'static str,
    instance: NameBuf,
    host: NameBuf,
}

impl Bait {
    fn new(label: &'static str) -> Self {
        Self {
            label,
            instance: name(&[label, "_cooee-seek", "_tcp", "local"]),
            host: name(&[label, "local"]),
        }
    }

    fn ptr(&self, ttl: u32) -> RecordBuf {
        RecordBuf::new(kind(), ttl, RdataBuf::ptr(self.instance.as_name()))
    }

    /// SRV, TXT and A, each its whole RRset.
    fn details(&self, ttl: u32) -> Vec<RecordBuf> {
        let srv = RdataBuf::srv(0, 0, 4712, self.host.as_name());
        let mut records = vec![RecordBuf::new(self.instance.clone(), ttl, srv)];
        let txt = RdataBuf::txt([b"seek=1"]).ok();
        records.extend(txt.map(|txt| RecordBuf::new(self.instance.clone(), ttl, txt)));
        records.push(self.address([192, 0, 2, 1], ttl));
        records.into_iter().map(flushed).collect()
    }

    fn address(&self, address: [u8; 4], ttl: u32) -> RecordBuf {
        RecordBuf::new(self.host.clone(), ttl, RdataBuf::a(address.into()))
    }

    /// A complete answer to the browse, everything with this lifetime.
    fn answer(&self, ttl: u32) -> Outgoing {
        self.answer_with(self.ptr(ttl), ttl.max(SHORT))
    }

    /// The same with this PTR record; the others live for `details` seconds.
    fn answer_with(&self, ptr: RecordBuf, details: u32) -> Outgoing {
        let message = Outgoing::response().answer(ptr);
        self.details(details)
            .into_iter()
            .fold(message, |message, record| {
                message.record(Section::Additional, record)
            })
    }

    /// A goodbye for all that was answered.
    fn goodbye(&self) -> Outgoing {
        let message = Outgoing::response().answer(self.ptr(0));
        self.details(0).into_iter().fold(message, Outgoing::answer)
    }

    /// Whether the subject asks for more about the instance, which it does only if it believes in it.
    fn is_asked_for_details(&self, packet: &Packet) -> bool {
        let mut questions = packet.contents.questions.iter();
        !packet.ours
            && !packet.contents.is_response()
            && questions.any(|question| [&self.instance, &self.host].contains(&&question.name))
    }

    /// Whether a message lists the instance in its answer section.
    fn is_listed(&self, packet: &Packet) -> bool {
        let rdata = RdataBuf::ptr(self.instance.as_name());
        let mut answers = packet.contents.answers();
        answers.any(|record| record.rdata == rdata && record.name == kind())
    }
}

/// A browse that has begun.
#[derive(Clone, Copy, Debug)]
struct Search {
    /// When the subject was told.
    told: Duration,
    /// Whether it goes on until it is stopped.
    goes_on: bool,
    /// Whether it tells when an instance has gone.
    tells_removals: bool,
}

impl Search {
    /// Ends a test that means nothing for a stack that asks for a moment only.
    fn must_go_on(self) -> Result<Self, Stop> {
        if self.goes_on {
            Ok(self)
        } else {
            let text = "the stack asks for a moment and does not go on";
            Err(Stop::NotApplicable(text.into()))
        }
    }
}

/// Tells the subject to browse.
fn browse(stage: &mut Stage<'_>) -> Result<Search, Stop> {
    seek(stage, &["browse", TYPE])
}

/// Gives a command that begins to ask.
fn seek(stage: &mut Stage<'_>, words: &[&str]) -> Result<Search, Stop> {
    let told = stage.link.now();
    let what = words.first().copied().unwrap_or_default();
    match stage.subject.command(words)? {
        Reply::Ok(words) => {
            let is = |what: &str| words.first().is_some_and(|word| word == what);
            Ok(Search {
                told,
                goes_on: !is("once"),
                tells_removals: !is("additions"),
            })
        }
        Reply::Unsupported(_) => Err(Stop::NotApplicable(format!("the adapter has no '{what}'"))),
        Reply::Error(text) => {
            let text = format!("the stack refuses '{what}': {text}");
            Err(Stop::NotApplicable(text))
        }
    }
}

/// The browse's question in a query.
fn question(packet: &Packet) -> Option<&QuestionBuf> {
    question_for(packet, &kind(), RecordType::PTR)
}

fn question_for<'p>(
    packet: &'p Packet,
    name: &NameBuf,
    kind: RecordType,
) -> Option<&'p QuestionBuf> {
    if packet.contents.is_response() || packet.contents.is_probe() {
        return None;
    }
    let mut questions = packet.contents.questions.iter();
    questions.find(|question| question.name == *name && question.kind == kind)
}

/// Waits for the first query of the browse.
fn first_query(stage: &Stage<'_>, from: Duration) -> Result<Packet, Stop> {
    let asks = |packet: &Packet| question(packet).is_some();
    stage.first(from, FIRST, asks).ok_or_else(|| {
        let text = format!("{} was not asked for by IPv4 within {FIRST} ms", kind());
        Stop::Fail(text)
    })
}

/// Waits for the next query of the browse after a packet.
fn next_query(stage: &Stage<'_>, after: Duration, within: u64) -> Option<Packet> {
    stage.first(after + ms(1), within, |packet| question(packet).is_some())
}

/// Listens on: the queries of the browse until so many milliseconds after `from`.
fn queries(stage: &Stage<'_>, from: Duration, during: u64) -> Vec<Packet> {
    let mut packets = stage.heard(from, during);
    packets.retain(|packet| question(packet).is_some());
    packets
}

/// Browses and answers the first query at once with this bait; gives the search and the time of the answer.
fn find(stage: &mut Stage<'_>, answer: &Outgoing) -> Result<(Search, Duration), Stop> {
    let search = browse(stage)?;
    first_query(stage, search.told)?;
    let answered = stage.send(answer)?;
    Ok((search, answered))
}

/// Waits until the subject tells of this event about the bait. Meanwhile it has answers to what else it wants to know of it:
/// additional records are an offer, and it may ask instead.
fn tells(stage: &mut Stage<'_>, what: &str, bait: &Bait, within: u64) -> bool {
    let begun = stage.link.now();
    let mut heard = begun;
    while stage.link.now() < begun + ms(within) {
        let told = stage.subject.wait_for_event(ms(40), |event| {
            let [event, label, ..] = event else {
                return None;
            };
            (event == what && label.eq_ignore_ascii_case(bait.label)).then_some(())
        });
        if told.is_some() {
            return true;
        }
        let now = stage.link.now();
        let asked = stage.link.since(heard);
        if what == "found" && asked.iter().any(|packet| bait.is_asked_for_details(packet)) {
            let details = bait.details(SHORT).into_iter();
            let _ = stage.send(&details.fold(Outgoing::response(), Outgoing::answer));
        }
        heard = now;
    }
    false
}

/// How often the subject has told of this event about the bait so far.
fn times_told(stage: &mut Stage<'_>, what: &str, bait: &Bait) -> usize {
    let is_it = |event: &&Vec<String>| {
        let label = event.get(1).map(String::as_str).unwrap_or_default();
        event.first().is_some_and(|word| word == what) && label.eq_ignore_ascii_case(bait.label)
    };
    stage.subject.events().iter().filter(is_it).count()
}

/// The subject has to have told of the bait; otherwise what follows means nothing.
fn must_be_found(stage: &mut Stage<'_>, bait: &Bait) -> Result<(), Stop> {
    if tells(stage, "found", bait, 5000) {
        Ok(())
    } else {
        let text = format!("{} was answered and not found within 5 s", bait.label);
        Err(Stop::Fail(text))
    }
}

/// The addresses in the last of the events of this kind that name a host or a label.
fn last_addresses(stage: &mut Stage<'_>, what: &str, of: &str) -> Option<Vec<IpAddr>> {
    let column = if what == "resolved" { 5 } else { 2 };
    let events = stage.subject.events();
    let of_it = events.iter().rev().find(|event| {
        event.first().is_some_and(|word| word == what)
            && event
                .get(1)
                .is_some_and(|word| word.eq_ignore_ascii_case(of))
    });
    let listed = of_it?.get(column)?.split(',');
    Some(
        listed
            .filter_map(|address| address.split('%').next()?.parse().ok())
            .collect(),
    )
}

fn millis(gap: Duration) -> u64 {
    u64::try_from(gap.as_millis()).unwrap_or(u64::MAX)
}
