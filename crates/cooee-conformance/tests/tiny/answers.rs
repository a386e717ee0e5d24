//! Answers: which, when, to whom, and which not after all.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cooee_conformance::{Link, Outgoing, Packet, ms};
use cooee_wire::{
    Class, Compression, Data, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType, Section,
};

use crate::claim::Claim;
use crate::faults::Faults;
use crate::outbox::Outbox;

pub(crate) struct Answers {
    faults: Faults,
    pending: Vec<Pending>,
    chance: u64,
    /// PTR records that others announced.
    gossip: Vec<RecordBuf>,
}

/// What will be multicast.
struct Pending {
    due: Duration,
    answers: Vec<RecordBuf>,
    additionals: Vec<RecordBuf>,
    /// The host whose known answers are still to come.
    awaits: Option<IpAddr>,
    defends: bool,
}

impl Answers {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            pending: Vec::new(),
            chance: 0x9e37_79b9_7f4a_7c15,
            gossip: Vec::new(),
        }
    }

    pub(crate) fn due(&self) -> Option<Duration> {
        self.pending.iter().map(|pending| pending.due).min()
    }

    /// A number of milliseconds of this range.
    fn chance(&mut self, least: u64, most: u64) -> Duration {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        ms(least + self.chance % (most - least))
    }

    /// Sends what is due, and with it what may wait no longer alone.
    pub(crate) fn act(&mut self, now: Duration, link: &Link, outbox: &mut Outbox) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        let together = !self.faults.has("no-aggregation");
        let (mut leaving, staying): (Vec<Pending>, Vec<Pending>) =
            std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|pending| pending.due <= now || together && pending.awaits.is_none());
        self.pending = staying;
        if !together {
            for pending in leaving {
                Self::leave(vec![pending], now, link, outbox, &self.faults);
            }
            return;
        }
        leaving.sort_by_key(|pending| pending.due);
        Self::leave(leaving, now, link, outbox, &self.faults);
    }

    fn leave(
        leaving: Vec<Pending>,
        now: Duration,
        link: &Link,
        outbox: &mut Outbox,
        faults: &Faults,
    ) {
        let (mut answers, mut additionals): (Vec<RecordBuf>, Vec<RecordBuf>) =
            (Vec::new(), Vec::new());
        for pending in leaving {
            let may = |record: &&RecordBuf| {
                pending.defends && !faults.has("limit-defence") || !outbox.is_too_soon(record, now)
            };
            answers.extend(pending.answers.iter().filter(may).cloned());
            additionals.extend(pending.additionals.iter().filter(may).cloned());
        }
        dedup(&mut answers);
        additionals.retain(|record| !answers.contains(record));
        dedup(&mut additionals);
        if !answers.is_empty() {
            outbox.multicast(link, &answers, &additionals);
        }
    }

    pub(crate) fn hear_response(&mut self, packet: &Packet, claims: &[Claim], now: Duration) {
        for record in packet.contents.answers() {
            self.gossip
                .extend((record.kind() == RecordType::PTR).then(|| record.clone()));
            let own = claims.iter().flat_map(|claim| &claim.records);
            let own = own
                .map(|own| own.sent(&self.faults))
                .find(|own| same(own, record));
            let Some(own) = own else { continue };
            // RFC 6762 §6.6 (6762-6.6-4)
            if record.ttl * 2 < own.ttl && record.ttl > 0 && !self.faults.has("no-correction") {
                self.plan(now + ms(30), vec![own], Vec::new());
                continue;
            }
            // RFC 6762 §7.4 (6762-7.4-1)
            let counts = record.ttl >= own.ttl || self.faults.has("duplicate-any-ttl");
            if counts && !self.faults.has("no-duplicate-check") {
                for pending in &mut self.pending {
                    pending.answers.retain(|answer| !same(answer, record));
                }
            }
        }
        self.pending.retain(|pending| !pending.answers.is_empty());
    }

    fn plan(&mut self, due: Duration, answers: Vec<RecordBuf>, additionals: Vec<RecordBuf>) {
        self.pending.push(Pending {
            due,
            answers,
            additionals,
            awaits: None,
            defends: false,
        });
    }

    pub(crate) fn hear_query(
        &mut self,
        packet: &Packet,
        claims: &[Claim],
        link: &Link,
        outbox: &mut Outbox,
    ) {
        let contents = &packet.contents;
        if !self.is_welcome(packet, link) {
            return;
        }
        let now = link.now();
        let source = packet.source.ip();
        // More known answers of the host whose list was cut.
        if contents.questions.is_empty() {
            for pending in &mut self.pending {
                let awaited = pending.awaits == Some(source)
                    || pending.awaits.is_some() && self.faults.has("any-host-continues");
                if awaited && !self.faults.has("no-suppression") {
                    pending
                        .answers
                        .retain(|answer| !contents.answers().any(|known| same(answer, known)));
                }
            }
            self.pending.retain(|pending| !pending.answers.is_empty());
            return;
        }
        let is_probe = contents.is_probe();
        if is_probe && self.faults.has("no-defence") {
            return;
        }
        let few = if self.faults.has("first-question") {
            1
        } else {
            usize::MAX
        };
        let mut answers: Vec<RecordBuf> = Vec::new();
        for question in contents.questions.iter().take(few) {
            answers.extend(self.matching(question, claims));
        }
        dedup(&mut answers);
        answers.retain(|answer| !self.is_known(answer, packet));
        if answers.is_empty() {
            if self.faults.has("nxdomain") && !is_probe {
                outbox.send(link, &outbox.response().bits(3));
            }
            return;
        }
        let additionals = self.additionals(&answers, claims);
        if packet.source.port() != 5353 {
            self.answer_legacy(packet, &answers, &additionals, link, outbox);
            return;
        }
        let unicast = contents
            .questions
            .iter()
            .any(|question| question.unicast_response)
            || !packet.is_multicast();
        let recent = |record: &RecordBuf| {
            outbox
                .age(record, now)
                .is_some_and(|age| age < Duration::from_secs(u64::from(record.ttl)) / 4)
        };
        let foreign = !link.is_on_link(source) && !self.faults.has("unicast-elsewhere");
        let by_unicast = unicast
            && !self.faults.has("no-unicast")
            && !foreign
            && (answers.iter().all(recent) || self.faults.has("always-unicast") || is_probe);
        if by_unicast || self.faults.has("unicast-always") {
            self.send_to(packet.source, &answers, &additionals, link, outbox);
            return;
        }
        let due = now + self.delay(packet, &answers, claims);
        self.pending.push(Pending {
            due,
            answers,
            additionals,
            awaits: contents.flags.is_truncated().then_some(source),
            defends: is_probe,
        });
    }

    /// Whether a query is heard at all.
    fn is_welcome(&self, packet: &Packet, link: &Link) -> bool {
        let contents = &packet.contents;
        let has_opt = contents
            .all()
            .any(|record| record.kind() == RecordType::OPT);
        let odd_type = contents
            .questions
            .iter()
            .any(|question| question.kind.get() > 65_000);
        let strict = contents.id != 0 || contents.flags.bits() & !0x0200 != 0;
        let is_legacy = packet.source.port() != 5353;
        let direct = !packet.is_multicast();
        let elsewhere = direct && !link.is_on_link(packet.source.ip());
        !(has_opt && self.faults.has("opt-shy")
            || odd_type && self.faults.has("type-shy")
            || strict && !is_legacy && self.faults.has("header-strict")
            || is_legacy && self.faults.has("no-legacy")
            || direct && self.faults.has("no-direct")
            || elsewhere && !self.faults.has("answers-elsewhere"))
    }

    fn delay(&mut self, packet: &Packet, answers: &[RecordBuf], claims: &[Claim]) -> Duration {
        let shared = claims
            .iter()
            .flat_map(|claim| &claim.records)
            .filter(|own| own.is_shared);
        let shared: Vec<&RecordBuf> = shared.map(|own| &own.record).collect();
        let is_shared = answers
            .iter()
            .any(|answer| shared.iter().any(|own| same(own, answer)));
        if self.faults.has("slow") {
            return ms(60);
        }
        if packet.contents.is_probe() || self.faults.has("no-delay") {
            return Duration::ZERO;
        }
        if packet.contents.flags.is_truncated() {
            return self.chance(400, 500);
        }
        if is_shared || packet.contents.questions.len() > 1 {
            return self.chance(20, 120);
        }
        Duration::ZERO
    }

    fn matching(&self, question: &QuestionBuf, claims: &[Claim]) -> Vec<RecordBuf> {
        let class = question.class == Class::IN
            || question.class == Class::ANY && !self.faults.has("class-strict")
            || self.faults.has("class-blind");
        let mut found = Vec::new();
        let mut owner = false;
        for claim in claims.iter().filter(|claim| claim.is_own(&self.faults)) {
            for own in &claim.records {
                let equal = own.record.name == question.name
                    && (!self.faults.has("case-sensitive")
                        || own.record.name.as_octets() == question.name.as_octets());
                let kind = own.record.kind();
                let muted = kind == RecordType::TXT && self.faults.has("mute-txt");
                if !class || !equal || muted {
                    continue;
                }
                owner |= !own.is_shared;
                let asked = question.kind == RecordType::ANY || question.kind == kind;
                if asked
                    && !(self.faults.has("any-first")
                        && !found.is_empty()
                        && question.kind == RecordType::ANY)
                {
                    found.push(own.sent(&self.faults));
                }
            }
        }
        if found.is_empty() && owner && !self.faults.has("no-nsec") {
            found.push(self.nsec(&question.name, claims));
        }
        if self.faults.has("gossip") && class {
            found.extend(
                self.gossip
                    .iter()
                    .filter(|record| record.name == question.name)
                    .cloned(),
            );
        }
        found
    }

    fn nsec(&self, name: &NameBuf, claims: &[Claim]) -> RecordBuf {
        let own = claims.iter().flat_map(|claim| &claim.records);
        let mut types: Vec<RecordType> = own
            .filter(|own| own.record.name == *name)
            .map(|own| own.record.kind())
            .collect();
        if self.faults.has("nsec-itself") {
            types.push(RecordType::NSEC);
        }
        let ttl = if self.faults.has("nsec-ttl") {
            4500
        } else {
            120
        };
        let mut record = RecordBuf::new(name.clone(), ttl, RdataBuf::nsec(name.as_name(), types));
        record.cache_flush = true;
        record
    }

    fn is_known(&self, answer: &RecordBuf, packet: &Packet) -> bool {
        if self.faults.has("no-suppression") {
            return false;
        }
        packet.contents.answers().any(|known| {
            let blind = self.faults.has("suppress-blind") && known.name == answer.name;
            let enough =
                known.ttl.saturating_mul(2) >= answer.ttl || self.faults.has("suppress-any");
            (same(known, answer) || blind) && enough
        })
    }

    fn additionals(&self, answers: &[RecordBuf], claims: &[Claim]) -> Vec<RecordBuf> {
        if self.faults.has("no-additionals") {
            return Vec::new();
        }
        let mut wanted: Vec<NameBuf> = Vec::new();
        for answer in answers {
            match answer.rdata.decode() {
                Ok(Data::Ptr(target)) => wanted.extend(target.to_owned()),
                Ok(Data::Srv(srv)) => wanted.extend(srv.target.to_owned()),
                Ok(Data::A(_) | Data::Aaaa(_)) => wanted.push(answer.name.clone()),
                _ => {}
            }
        }
        let own = || {
            claims
                .iter()
                .flat_map(|claim| &claim.records)
                .filter(|own| !own.is_shared)
        };
        for target in wanted.clone() {
            for own in own().filter(|own| own.record.name == target) {
                if let Ok(Data::Srv(srv)) = own.record.rdata.decode() {
                    wanted.extend(srv.target.to_owned());
                }
            }
        }
        let mut found: Vec<RecordBuf> = own()
            .filter(|own| wanted.contains(&own.record.name))
            .map(|own| own.sent(&self.faults))
            .collect();
        dedup(&mut found);
        found.retain(|record| !answers.contains(record));
        found
    }

    fn send_to(
        &self,
        to: SocketAddr,
        answers: &[RecordBuf],
        more: &[RecordBuf],
        link: &Link,
        outbox: &Outbox,
    ) {
        let message = answers.iter().fold(outbox.response(), |message, record| {
            message.answer(record.clone())
        });
        let message = more.iter().fold(message, |message, record| {
            message.record(Section::Additional, record.clone())
        });
        outbox.unicast(link, to, &message);
    }

    // RFC 6762 §6.7
    fn answer_legacy(
        &self,
        query: &Packet,
        answers: &[RecordBuf],
        more: &[RecordBuf],
        link: &Link,
        outbox: &Outbox,
    ) {
        let mut message = Outgoing::response();
        if !self.faults.has("legacy-plain") {
            message = message.id(query.contents.id);
            for question in &query.contents.questions {
                message = message.ask(&question.name, question.kind);
            }
        }
        if !self.faults.has("legacy-compressed") {
            message = message.compressed(Compression::Legacy);
        }
        let cut = |record: &RecordBuf| {
            let mut record = record.clone();
            record.cache_flush = self.faults.has("legacy-flush");
            if !self.faults.has("legacy-ttl") {
                record.ttl = record.ttl.min(10);
            }
            record
        };
        message = answers
            .iter()
            .fold(message, |message, record| message.answer(cut(record)));
        message = more.iter().fold(message, |message, record| {
            message.record(Section::Additional, cut(record))
        });
        let has_opt = query
            .contents
            .all()
            .any(|record| record.kind() == RecordType::OPT);
        if has_opt || self.faults.has("legacy-opt") {
            message = message.opt(1440);
        }
        outbox.unicast(link, query.source, &message);
    }
}

fn same(one: &RecordBuf, other: &RecordBuf) -> bool {
    one.name == other.name && one.class == other.class && one.rdata == other.rdata
}

fn dedup(records: &mut Vec<RecordBuf>) {
    let mut seen: Vec<RecordBuf> = Vec::new();
    records.retain(|record| {
        let new = !seen.iter().any(|other| same(other, record));
        if new {
            seen.push(record.clone());
        }
        new
    });
}
