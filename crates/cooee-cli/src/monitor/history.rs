//! What was heard so far, as far as it is needed to understand what comes next. Everything in it is bounded.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{NameBuf, QuestionBuf, RecordBuf, RecordType, Section};

use super::bounded::Bounded;
use super::decoded::Decoded;
use super::hosts::{Host, Hosts};
use super::packet::Packet;
use super::seen::{Digest, Key, Seen};

/// The past.
#[derive(Debug)]
pub(crate) struct History {
    own: BTreeSet<IpAddr>,
    hosts: Hosts,
    /// Questions, the newest last.
    asked: Bounded<Key, VecDeque<Asked>>,
    /// When a record of a set was last heard, and its TTL.
    sets: Bounded<Key, (Duration, u32)>,
    /// Single records.
    told: Bounded<Digest, Told>,
    /// Who says what about names that one alone may have.
    claims: Bounded<Key, Vec<Claim>>,
    /// Answers that askers have said they know.
    known: Bounded<(Host, Digest), (Duration, u32)>,
    recent: VecDeque<Recent>,
}

/// A question that was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// When.
    pub(crate) at: Duration,
    /// By whom.
    pub(crate) host: Host,
    /// A unicast answer will do.
    pub(crate) unicast: bool,
    /// From another port than that of multicast DNS.
    pub(crate) legacy: bool,
    /// To the group.
    pub(crate) multicast: bool,
    /// To find out whether the name is free.
    pub(crate) probe: bool,
}

/// A record that was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// When first, or first again after it had expired.
    pub(crate) first: Duration,
    /// When last.
    pub(crate) last: Duration,
    /// The lowest TTL that was told, goodbyes not counted.
    pub(crate) lowest_ttl: u32,
    /// The last TTL.
    pub(crate) ttl: u32,
}

/// A record that one host alone may have.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Who says so.
    pub(crate) host: Host,
    /// With which address.
    pub(crate) from: IpAddr,
    /// What: stands for the data.
    pub(crate) rdata: Digest,
    /// When last.
    pub(crate) at: Duration,
    /// For how long.
    pub(crate) ttl: u32,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    at: Duration,
    link: u32,
    source: IpAddr,
    payload: Digest,
}

/// What a response is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Somebody asked.
    Question,
    /// Somebody wanted the name.
    Probe,
}

/// Names and types that are kept in mind.
const MOST_KEYS: usize = 8_192;
/// Single records.
const MOST_RECORDS: usize = 32_768;
/// Questions for one name and type.
const MOST_ASKED: usize = 16;
/// Records of one name and type.
const MOST_CLAIMS: usize = 16;
const MOST_RECENT: usize = 256;
/// Both copies of a packet leave at once (ruling 24).
const TWIN_WITHIN: Duration = Duration::from_millis(100);

impl History {
    pub(crate) fn new() -> Self {
        Self {
            own: BTreeSet::new(),
            hosts: Hosts::new(),
            asked: Bounded::new(MOST_KEYS),
            sets: Bounded::new(MOST_KEYS),
            told: Bounded::new(MOST_RECORDS),
            claims: Bounded::new(MOST_KEYS),
            known: Bounded::new(MOST_RECORDS),
            recent: VecDeque::new(),
        }
    }

    /// These are the addresses of this machine.
    pub(crate) fn know_own(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        self.own = addresses.into_iter().collect();
    }

    /// Whether this machine has the address.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }

    /// Says who sent a packet, and whether it is the copy of one before.
    pub(crate) fn meet(
        &mut self,
        now: Duration,
        packet: &Packet,
        decoded: &Decoded,
        payload: Digest,
    ) -> (Host, bool) {
        self.hosts.learn(packet, decoded);
        let source = packet.source.ip();
        let host = self.hosts.at(packet.link(), source);
        let mut twin = None;
        for recent in &self.recent {
            let is_copy = recent.link == packet.link()
                && recent.payload == payload
                && recent.source != source
                && now.saturating_sub(recent.at) < TWIN_WITHIN;
            // Or a machine with two interfaces on one network.
            if is_copy
                && (recent.source.is_ipv4() != source.is_ipv4()
                    || self.hosts.at(packet.link(), recent.source) == host)
            {
                twin = Some(*recent);
            }
        }
        if let Some(twin) = twin {
            self.hosts
                .unite(packet.link(), [twin.source, source].into_iter());
        }
        if self.recent.len() >= MOST_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(Recent {
            at: now,
            link: packet.link(),
            source,
            payload,
        });
        (self.hosts.at(packet.link(), source), twin.is_some())
    }

    /// The machine at an address, if anything was heard of it.
    pub(crate) fn host_at(&self, seen: &Seen<'_>, address: IpAddr) -> Option<Host> {
        self.hosts.known_at(seen.packet.link(), address)
    }

    /// Whether it was another machine than the one that speaks now.
    pub(crate) fn is_other(&self, seen: &Seen<'_>, host: Host) -> bool {
        self.hosts.now_known_as(host) != seen.host
    }

    /// Whether records of a name and type were heard.
    pub(crate) fn has_heard(&self, seen: &Seen<'_>, name: &NameBuf, kind: RecordType) -> bool {
        self.sets.get(&seen.key(name, kind)).is_some()
    }

    /// What is said of a name and type, if one host alone may have it.
    pub(crate) fn claims_of<'a>(&'a self, key: &Key) -> impl Iterator<Item = &'a Claim> + use<'a> {
        self.claims.get(key).into_iter().flatten()
    }

    /// The questions for a record or for all of its name, oldest first.
    pub(crate) fn questions<'a>(
        &'a self,
        seen: &Seen<'_>,
        name: &NameBuf,
        kind: RecordType,
    ) -> impl Iterator<Item = &'a Asked> + use<'a> {
        let exact = self.asked.get(&seen.key(name, kind));
        let any = match kind {
            RecordType::ANY => None,
            _ => self.asked.get(&seen.key(name, RecordType::ANY)),
        };
        any.into_iter().chain(exact).flatten()
    }

    /// What a record of a response answers, if another host has asked for it within so long.
    pub(crate) fn answers(
        &self,
        seen: &Seen<'_>,
        record: &RecordBuf,
        within: Duration,
    ) -> Option<Answered> {
        let others =
            |asked: &&Asked| self.is_other(seen, asked.host) && seen.since(asked.at) <= within;
        let questions = self.questions(seen, &record.name, record.kind());
        let probes: Vec<bool> = questions.filter(others).map(|asked| asked.probe).collect();
        if probes.contains(&false) {
            Some(Answered::Question)
        } else {
            probes.first().map(|_| Answered::Probe)
        }
    }

    /// Whether another host has asked the same of all within so long.
    // RFC 6762 §7.3 (6762-7.3-1)
    pub(crate) fn was_asked_by_another(
        &self,
        seen: &Seen<'_>,
        question: &QuestionBuf,
        within: Duration,
    ) -> bool {
        let asked = self.asked.get(&seen.key(&question.name, question.kind));
        asked.into_iter().flatten().any(|asked| {
            self.is_other(seen, asked.host)
                && asked.multicast
                && !(asked.unicast || asked.probe || asked.legacy)
                && seen.since(asked.at) <= within
        })
    }

    /// Whether a question is for records of which four fifths of the life are over.
    // RFC 6762 §5.2 (6762-5.2-9)
    pub(crate) fn is_expiring(&self, seen: &Seen<'_>, question: &QuestionBuf) -> bool {
        let set = self.sets.get(&seen.key(&question.name, question.kind));
        set.is_some_and(|(at, ttl)| {
            let age = seen.since(*at).as_millis();
            let life = u128::from(*ttl) * 1000;
            ttl > &0 && age >= life * 4 / 5 && age <= life
        })
    }

    /// Whether the same host has told something else of this name and type.
    pub(crate) fn differs(&self, seen: &Seen<'_>, record: &RecordBuf) -> bool {
        let mut own = self
            .claims(seen, record)
            .filter(|claim| !self.is_other(seen, claim.host));
        let rdata = seen.digest(&record.rdata);
        let mut is_known = false;
        let is_same = own.any(|claim| {
            is_known = true;
            claim.rdata == rdata
        });
        is_known && !is_same
    }

    /// What is said of the name and type of a record, if one host alone may have it.
    pub(crate) fn claims<'a>(
        &'a self,
        seen: &Seen<'_>,
        record: &RecordBuf,
    ) -> impl Iterator<Item = &'a Claim> + use<'a> {
        self.claims_of(&seen.key(&record.name, record.kind()))
    }

    /// What is known of a record.
    pub(crate) fn told(&self, seen: &Seen<'_>, record: &RecordBuf) -> Option<&Told> {
        self.told.get(&seen.record(record))
    }

    /// With which TTL a host has listed a record as known, in or after a question.
    pub(crate) fn known(&self, seen: &Seen<'_>, asked: &Asked, record: &RecordBuf) -> Option<u32> {
        let key = (asked.host, seen.record(record));
        let (at, ttl) = self.known.get(&key)?;
        (*at >= asked.at).then_some(*ttl)
    }

    /// Takes a packet in.
    pub(crate) fn learn(&mut self, seen: &Seen<'_>) {
        if seen.decoded.is_response() {
            if seen.packet.is_multicast() {
                self.learn_response(seen, seen.decoded);
            }
        } else {
            self.learn_query(seen, seen.decoded);
        }
    }

    fn learn_query(&mut self, seen: &Seen<'_>, decoded: &Decoded) {
        for question in &decoded.questions {
            let asked = Asked {
                at: seen.now,
                host: seen.host,
                unicast: question.unicast_response,
                legacy: seen.packet.source.port() != super::packet::PORT,
                multicast: seen.packet.is_multicast(),
                probe: decoded.is_probe(),
            };
            self.learn_question(seen.key(&question.name, question.kind), asked);
            if question.kind != RecordType::NSEC {
                // Which may be answered by saying that there is no such record.
                self.learn_question(seen.key(&question.name, RecordType::NSEC), asked);
            }
        }
        for record in decoded.section(Section::Answer) {
            let key = (seen.host, seen.record(record));
            self.known.insert(key, (seen.now, record.ttl));
        }
    }

    fn learn_question(&mut self, key: Key, asked: Asked) {
        let known = self.asked.entry(key, VecDeque::new);
        if known.len() >= MOST_ASKED {
            known.pop_front();
        }
        known.push_back(asked);
    }

    fn learn_response(&mut self, seen: &Seen<'_>, decoded: &Decoded) {
        for (_, record) in decoded.data() {
            let key = seen.key(&record.name, record.kind());
            self.sets.insert(key.clone(), (seen.now, record.ttl));
            self.learn_record(seen, record);
            if record.cache_flush {
                self.learn_claim(seen, key, record);
            }
        }
    }

    fn learn_record(&mut self, seen: &Seen<'_>, record: &RecordBuf) {
        let told = self.told.entry(seen.record(record), || Told {
            first: seen.now,
            last: seen.now,
            lowest_ttl: record.ttl,
            ttl: record.ttl,
        });
        let life = Duration::from_secs(told.ttl.into());
        if seen.since(told.last) > life && told.last != seen.now {
            told.first = seen.now;
            told.lowest_ttl = record.ttl;
        }
        told.last = seen.now;
        told.ttl = record.ttl;
        if record.ttl > 0 {
            told.lowest_ttl = match told.lowest_ttl {
                0 => record.ttl,
                lowest => lowest.min(record.ttl),
            };
        }
    }

    fn learn_claim(&mut self, seen: &Seen<'_>, key: Key, record: &RecordBuf) {
        let rdata = seen.digest(&record.rdata);
        let Self { claims, hosts, .. } = self;
        let claims = claims.entry(key, Vec::new);
        // What this host said before and does not say now, it has flushed; the rest of this very packet stands.
        claims.retain(|claim| {
            let is_own = hosts.now_known_as(claim.host) == seen.host;
            let is_same = is_own && claim.rdata == rdata;
            let is_flushed = is_own && seen.since(claim.at) > FLUSHED_AFTER;
            let is_over = seen.since(claim.at) > Duration::from_secs(claim.ttl.into());
            !(is_same || is_flushed || is_over)
        });
        if record.ttl == 0 {
            return;
        }
        if claims.len() >= MOST_CLAIMS {
            claims.remove(0);
        }
        claims.push(Claim {
            host: seen.host,
            from: seen.packet.source.ip(),
            rdata,
            at: seen.now,
            ttl: record.ttl,
        });
    }
}

/// A flush bit leaves alone what came within the last second.
// RFC 6762 §10.2 (6762-10.2-4)
const FLUSHED_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::super::Inspector;
    use super::super::testkit::{a, ask, name, packet, query, response, txt};
    use super::*;

    #[test]
    fn however_much_strangers_say_only_so_much_is_kept() {
        let mut inspector = Inspector::new(true);
        for number in 0..3_u64 * 16_384 {
            let from = format!("10.{}.{}.1", number / 256 % 256, number % 256);
            let owner = format!("host{number}.local");
            let said = match number % 3 {
                0 => query(&[ask(&owner, RecordType::A)], &[a(&owner, 1)]),
                1 => response(&[a(&owner, 1)]),
                // The same name, with data of their own.
                _ => response(&[
                    txt("box.local", &[&owner]),
                    a("box.local", (number % 251) as u8),
                ]),
            };
            inspector.inspect(packet(number, &from, said));
        }
        let history = inspector.history();
        assert!(history.asked.len() <= MOST_KEYS && history.sets.len() <= MOST_KEYS);
        assert!(history.told.len() <= MOST_RECORDS && history.known.len() <= MOST_RECORDS);
        assert!(history.claims.len() <= MOST_KEYS && history.recent.len() <= MOST_RECENT);
        let key = (2, name("box.local"), RecordType::TXT);
        assert_eq!(history.claims_of(&key).count(), MOST_CLAIMS);
    }

    #[test]
    fn of_one_question_the_last_few_are_kept() {
        let mut inspector = Inspector::new(true);
        for number in 0..1_000 {
            let asked = query(&[ask("box.local", RecordType::A)], &[]);
            inspector.inspect(packet(number, "192.0.2.1", asked));
        }
        let key = (2, name("box.local"), RecordType::A);
        let kept = inspector.history().asked.get(&key).map(VecDeque::len);
        assert_eq!(kept, Some(MOST_ASKED));
    }
}
