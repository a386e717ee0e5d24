//! Rules that every packet must keep, whoever sent it and whatever the test is about.

mod pace;
mod unicast;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use cooee_mdns::{Instant, LinkId};
use cooee_wire::{Flags, Message, NameBuf, RdataBuf, Record, RecordType, Section};

use crate::host::HostId;
use crate::packet::Packet;

use pace::{Pace, Thing};
use unicast::Askers;

#[cfg(test)]
mod tests;

/// A rule was broken.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// When.
    pub at: Instant,
    /// By whom.
    pub sender: String,
    /// The clause, as in the tables of docs/clauses.
    pub clause: &'static str,
    /// What was seen.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} broke {}: {}",
            self.at, self.sender, self.clause, self.text
        )
    }
}

/// Watches packets, of a [`Network`](crate::Network) or of any other simulation, and tells what was against the rules.
///
/// Packets are timed when they are sent. What is seen late, by the clock of a machine that does other work too, may look as if it came too soon.
#[derive(Debug, Default)]
pub struct Monitor {
    violations: Vec<Violation>,
    /// When a host last multicast a record, in a family.
    multicast: HashMap<Sent, Instant>,
    /// When somebody last probed for a name, on any link: a bridge may carry it to another.
    probed: HashMap<NameBuf, Instant>,
    /// The lowest TTL with which somebody has sent a record, goodbyes not counted.
    lowest_ttl: HashMap<(NameBuf, RdataBuf), u32>,
    /// Once all is settled: who has claimed a unique name.
    owners: Option<HashMap<(LinkId, NameBuf), HostId>>,
    /// How many probes a host has sent for a name, in a family, and the last one.
    probes: HashMap<(HostId, LinkId, bool, NameBuf), (u32, Instant)>,
    /// Whether a host gives an RRset with the cache-flush bit.
    flushes: HashMap<(HostId, LinkId, NameBuf, RecordType), bool>,
    pace: Pace,
    askers: Askers,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    host: HostId,
    link: LinkId,
    ipv4: bool,
    name: NameBuf,
    rdata: RdataBuf,
    goodbye: bool,
}

/// Packets are timed when they are sent, and several leave at one moment.
const SECOND: Duration = Duration::from_millis(1000);
const DEFENCE: Duration = Duration::from_millis(250);
const LARGEST: usize = 1452;
/// The same for a single record, which may go in fragments.
const LARGEST_RECORD: usize = 8952;

impl Monitor {
    /// What was against the rules so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// A host has been away: what it owned it has to probe for again.
    // RFC 6762 §8 (6762-8-2)
    pub fn forget_claims(&mut self, host: HostId) {
        self.probes.retain(|(of, ..), _| *of != host);
    }

    /// A host has come to a link: the same for what it owned there.
    // RFC 6762 §8 (6762-8-2)
    pub(crate) fn forget_claims_on(&mut self, link: LinkId, host: HostId) {
        self.probes
            .retain(|(of, on, ..), _| *of != host || *on != link);
    }

    /// The host's clock has leapt: what it sends may come sooner than it thinks.
    pub(crate) fn forget_pace(&mut self, host: HostId) {
        self.multicast.retain(|sent, _| sent.host != host);
        self.pace.forget(host);
        self.probes.retain(|(of, ..), (_, last)| {
            if *of == host {
                *last = Instant::ZERO;
            }
            true
        });
    }

    /// From now on two owners of one unique name are a fault.
    pub(crate) fn settle(&mut self) {
        self.owners = Some(HashMap::new());
    }

    pub(crate) fn unsettle(&mut self) {
        self.owners = None;
    }

    /// Judges a packet, in the order of sending. One that no host has sent is not judged, but what comes after is judged by it.
    pub fn watch(&mut self, packet: &Packet) {
        // What a test injects may be as wrong as it likes.
        let Some(host) = packet.host else {
            self.note_asker(packet);
            self.note_ttls(packet);
            self.note_probes(packet);
            return;
        };
        let Ok(message) = Message::parse(&packet.payload) else {
            self.complain(packet, "1035-4.1-2", "not a message".to_owned());
            return;
        };
        let multicast = packet.destination.ip().is_multicast();
        if multicast {
            self.check_header(packet, &message);
        }
        let records: Vec<(Section, Record<'_>)> =
            message.records().filter_map(Result::ok).collect();
        if packet.payload.len() > LARGEST && records.len() > 1 {
            self.complain(
                packet,
                "6762-17-6",
                format!(
                    "{} records in {} octets",
                    records.len(),
                    packet.payload.len()
                ),
            );
        }
        if packet.payload.len() > LARGEST_RECORD {
            let text = format!("{} octets", packet.payload.len());
            self.complain(packet, "6762-17-7", text);
        }
        if message.header().flags.is_response() {
            self.check_ttls(packet, &records);
            if multicast {
                self.check_multicast_response(packet, host, &message, &records);
            } else {
                for (clause, text) in self.askers.judge(packet, &message, &records) {
                    self.complain(packet, clause, text);
                }
            }
        } else {
            self.check_query(packet, host, &message, &records);
        }
        if multicast {
            self.check_for_storm(packet, host, &message, &records);
        }
        self.note_asker(packet);
        self.note_ttls(packet);
        self.note_probes(packet);
    }

    /// RFC 6762 §18 (6762-18.1-4, 6762-18.1-5, 6762-18.3-1, 6762-18.4-1, 6762-18.4-2, 6762-18.11-1).
    fn check_header(&mut self, packet: &Packet, message: &Message<'_>) {
        let header = message.header();
        if header.id != 0 {
            self.complain(packet, "6762-18.1-5", format!("ID {}", header.id));
        }
        let plain = header.flags.with_truncated(false).bits();
        let wanted = if header.flags.is_response() {
            Flags::RESPONSE.bits()
        } else {
            Flags::QUERY.bits()
        };
        if plain != wanted {
            self.complain(packet, "6762-18.4-2", format!("flags {plain:#06x}"));
        }
    }

    fn check_multicast_response(
        &mut self,
        packet: &Packet,
        host: HostId,
        message: &Message<'_>,
        records: &[(Section, Record<'_>)],
    ) {
        if message.header().question_count != 0 {
            self.complain(packet, "6762-6-12", "a response with questions".to_owned());
        }
        if message.header().flags.is_truncated() {
            self.complain(packet, "6762-18.5-3", "a response with TC".to_owned());
        }
        for (_, record) in records {
            let (Ok(name), Ok(rdata)) = (record.name.to_owned(), record.rdata.to_owned()) else {
                continue;
            };
            self.check_claim(packet, host, record, &name);
            self.check_flush(packet, host, record, &name);
            let ipv4 = packet.source.is_ipv4();
            let goodbye = record.ttl == 0;
            let defence = self
                .probed
                .get(&name)
                .is_some_and(|at| packet.at.since(*at) < SECOND);
            let spacing = if defence { DEFENCE } else { SECOND };
            let sent = Sent {
                host,
                link: packet.link,
                ipv4,
                name,
                rdata,
                goodbye,
            };
            if let Some(last) = self.multicast.insert(sent, packet.at)
                && packet.at.since(last) < spacing
            {
                let text = format!(
                    "{} {} again after {} ms",
                    record.name,
                    record.kind(),
                    packet.at.since(last).as_millis()
                );
                self.complain(packet, "6762-6-30", text);
            }
        }
    }

    /// A record with the cache-flush bit needs three probes first, but for those that are known to be unique.
    // RFC 6762 §8.1 (6762-8.1-1)
    fn check_claim(&mut self, packet: &Packet, host: HostId, record: &Record<'_>, name: &NameBuf) {
        let is_reverse = name.to_string().ends_with(".arpa");
        if !record.cache_flush || is_reverse || record.kind() == RecordType::NSEC {
            return;
        }
        // RFC 6762 §8.1 (6762-8.1-1): afterwards it is ours alone
        if let Some(owners) = &mut self.owners
            && record.ttl > 0
            && *owners.entry((packet.link, name.clone())).or_insert(host) != host
        {
            self.complain(packet, "6762-8.1-1", format!("{name} has two owners"));
        }
        let key = (host, packet.link, packet.source.is_ipv4(), name.clone());
        let probes = self.probes.get(&key).map_or(0, |(count, _)| *count);
        if probes < 3 {
            self.complain(
                packet,
                "6762-8.1-1",
                format!("{name} claimed after {probes} probes"),
            );
        }
    }

    /// An RRset is unique or shared, not now this and now that. A goodbye is for one record and says nothing about the others.
    // RFC 6762 §10.2 (6762-10.2-8, 6762-10.2-14)
    fn check_flush(&mut self, packet: &Packet, host: HostId, record: &Record<'_>, name: &NameBuf) {
        if record.ttl == 0 {
            return;
        }
        let key = (host, packet.link, name.clone(), record.kind());
        let flushes = record.cache_flush;
        if self.flushes.insert(key, flushes) == Some(!flushes) {
            let text = format!("{name} {} is unique and shared", record.kind());
            self.complain(packet, "6762-10.2-14", text);
        }
    }

    /// The records of an RRset have one TTL. Goodbyes are for single records.
    // RFC 2181 §5.2 (2181-5.2-1)
    fn check_ttls(&mut self, packet: &Packet, records: &[(Section, Record<'_>)]) {
        let alive = records.iter().map(|(_, record)| record);
        let mut ttls: HashMap<(NameBuf, RecordType), u32> = HashMap::new();
        for record in alive.filter(|record| record.ttl > 0) {
            let Ok(name) = record.name.to_owned() else {
                continue;
            };
            let ttl = *ttls.entry((name, record.kind())).or_insert(record.ttl);
            if ttl != record.ttl {
                let text = format!("{} with TTLs {ttl} and {}", record.name, record.ttl);
                self.complain(packet, "2181-5.2-1", text);
            }
        }
    }

    /// A host that goes on saying what it has just said makes a storm.
    fn check_for_storm(
        &mut self,
        packet: &Packet,
        host: HostId,
        message: &Message<'_>,
        records: &[(Section, Record<'_>)],
    ) {
        let mut things = Vec::new();
        if message.header().flags.is_response() {
            for (_, record) in records {
                if let (Ok(name), Ok(rdata)) = (record.name.to_owned(), record.rdata.to_owned()) {
                    things.push(Thing::Record(name, rdata));
                }
            }
        } else {
            for question in message.questions().filter_map(Result::ok) {
                if let Ok(name) = question.name.to_owned() {
                    let (kind, class) = (question.kind.get(), question.class.get());
                    things.push(Thing::Question(name, kind, class));
                }
            }
        }
        if let Some(packets) = self.pace.says(packet, host, things) {
            let text = format!("a storm: {packets} packets with nothing new in ten seconds");
            self.complain(packet, "6762-6-30", text);
        }
    }

    fn check_query(
        &mut self,
        packet: &Packet,
        host: HostId,
        message: &Message<'_>,
        records: &[(Section, Record<'_>)],
    ) {
        for (_, record) in records
            .iter()
            .filter(|(section, _)| *section == Section::Answer)
        {
            self.check_known_answer(packet, record);
            if record.cache_flush {
                self.complain(
                    packet,
                    "6762-10.2-13",
                    format!("known answer {} with cache-flush bit", record.name),
                );
            }
        }
        let probe = message.header().authority_count > 0;
        for question in message.questions().filter_map(Result::ok) {
            let Ok(name) = question.name.to_owned() else {
                continue;
            };
            if probe {
                let key = (host, packet.link, packet.source.is_ipv4(), name);
                let (count, last) = self.probes.get(&key).copied().unwrap_or((0, Instant::ZERO));
                // RFC 6762 §8.1 (6762-8.1-5)
                if count > 0 && packet.at.since(last) < DEFENCE {
                    self.complain(
                        packet,
                        "6762-8.1-5",
                        format!("{} probed too soon", question.name),
                    );
                }
                self.probes.insert(key, (count + 1, packet.at));
            } else {
                let thing = Thing::Question(name, question.kind.get(), question.class.get());
                if let Some(after) = self.pace.asks(packet, host, thing) {
                    let text = format!(
                        "{} {} asked again after {} ms",
                        question.name,
                        question.kind,
                        after.as_millis()
                    );
                    self.complain(packet, "6762-5.2-2", text);
                }
            }
        }
    }

    /// What has less than half of its TTL left is asked for, not listed as known.
    // RFC 6762 §7.1 (6762-7.1-5)
    fn check_known_answer(&mut self, packet: &Packet, record: &Record<'_>) {
        let (Ok(name), Ok(rdata)) = (record.name.to_owned(), record.rdata.to_owned()) else {
            return;
        };
        let lowest = self.lowest_ttl.get(&(name, rdata));
        if let Some(&full) = lowest.filter(|full| record.ttl + 1 < **full / 2) {
            let text = format!("{} known with {} s left of {full}", record.name, record.ttl);
            self.complain(packet, "6762-7.1-5", text);
        }
    }

    fn note_asker(&mut self, packet: &Packet) {
        if let Ok(message) = Message::parse(&packet.payload) {
            self.askers.note(packet, &message);
        }
    }

    fn note_ttls(&mut self, packet: &Packet) {
        let Ok(message) = Message::parse(&packet.payload) else {
            return;
        };
        if !message.header().flags.is_response() {
            return;
        }
        for (_, record) in message.records().filter_map(Result::ok) {
            if let (Ok(name), Ok(rdata)) = (record.name.to_owned(), record.rdata.to_owned())
                && record.ttl > 0
            {
                let lowest = self.lowest_ttl.entry((name, rdata)).or_insert(record.ttl);
                *lowest = record.ttl.min(*lowest);
            }
        }
    }

    fn note_probes(&mut self, packet: &Packet) {
        let Ok(message) = Message::parse(&packet.payload) else {
            return;
        };
        if message.header().flags.is_response() || message.header().authority_count == 0 {
            return;
        }
        for name in message
            .questions()
            .filter_map(Result::ok)
            .filter_map(|question| question.name.to_owned().ok())
        {
            self.probed.insert(name, packet.at);
        }
    }

    fn complain(&mut self, packet: &Packet, clause: &'static str, text: String) {
        self.violations.push(Violation {
            at: packet.at,
            sender: packet.sender.clone(),
            clause,
            text,
        });
    }
}
