//! A name with its records: probing, tie-breaks, announcements, conflicts.

use std::net::IpAddr;
use std::time::Duration;

use cooee_conformance::{Link, Outgoing, Packet, flushed, ms, name};
use cooee_wire::{Data, NameBuf, RdataBuf, RecordBuf, RecordType};

use crate::faults::Faults;
use crate::outbox::Outbox;

/// A name that is claimed, and all records that come and go with it.
pub(crate) struct Claim {
    /// What the tester calls it.
    pub(crate) handle: String,
    pub(crate) name: NameBuf,
    pub(crate) records: Vec<Own>,
    phase: Phase,
    conflicts: Vec<Duration>,
    number: u32,
}

#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) record: RecordBuf,
    pub(crate) is_shared: bool,
}

enum Phase {
    Probing { sent: u32, next: Duration },
    Announcing { sent: u32, next: Duration },
    Established,
}

impl Own {
    pub(crate) fn unique(record: RecordBuf) -> Self {
        Self {
            record,
            is_shared: false,
        }
    }

    pub(crate) fn shared(record: RecordBuf) -> Self {
        Self {
            record,
            is_shared: true,
        }
    }

    /// As it goes out.
    pub(crate) fn sent(&self, faults: &Faults) -> RecordBuf {
        let mut record = self.record.clone();
        record.cache_flush = if self.is_shared {
            faults.has("flush-shared")
        } else {
            !faults.has("no-flush")
        };
        record
    }
}

impl Claim {
    pub(crate) fn new(
        handle: &str,
        name: NameBuf,
        records: Vec<Own>,
        now: Duration,
        faults: &Faults,
    ) -> Self {
        let phase = if faults.has("no-probe") {
            Phase::Announcing { sent: 0, next: now }
        } else {
            Phase::Probing {
                sent: 0,
                next: now + ms(20),
            }
        };
        Self {
            handle: handle.to_owned(),
            name,
            records,
            phase,
            conflicts: Vec::new(),
            number: 1,
        }
    }

    pub(crate) fn host(link: &Link, faults: &Faults) -> Self {
        let host = name(&["subject", "local"]);
        let addresses: Vec<IpAddr> = link.addresses().collect();
        let records = Self::address_records(&host, &addresses, faults);
        Self::new("", host, records, link.now(), faults)
    }

    fn address_records(host: &NameBuf, addresses: &[IpAddr], faults: &Faults) -> Vec<Own> {
        let mut addresses = addresses.to_vec();
        if faults.has("few-addresses") {
            addresses.pop();
        }
        if faults.has("leak") {
            addresses.push([198, 51, 100, 10].into());
        }
        let ttl = if faults.has("odd-ttl") { 60 } else { 120 };
        let records = addresses.into_iter().map(|address| {
            let rdata = match address {
                IpAddr::V4(address) => RdataBuf::a(address),
                IpAddr::V6(address) => RdataBuf::aaaa(address),
            };
            Own::unique(RecordBuf::new(host.clone(), ttl, rdata))
        });
        records.collect()
    }

    /// Its host has these addresses now.
    pub(crate) fn readdress(&mut self, addresses: &[IpAddr], now: Duration, faults: &Faults) {
        let records = Self::address_records(&self.name, addresses, faults);
        let mut rdata: Vec<_> = records
            .iter()
            .map(|own| own.record.rdata.octets().to_vec())
            .collect();
        let mut known: Vec<_> = self
            .unique()
            .map(|own| own.rdata.octets().to_vec())
            .collect();
        rdata.sort();
        known.sort();
        if rdata != known {
            self.records = records;
            if matches!(self.phase, Phase::Established) {
                self.announce_now(now);
            }
        }
    }

    /// Whether it may be answered for.
    pub(crate) fn is_own(&self, faults: &Faults) -> bool {
        !matches!(self.phase, Phase::Probing { .. }) || faults.has("answers-early")
    }

    pub(crate) fn due(&self) -> Option<Duration> {
        match self.phase {
            Phase::Probing { next, .. } | Phase::Announcing { next, .. } => Some(next),
            Phase::Established => None,
        }
    }

    pub(crate) fn probe_anew(&mut self, next: Duration) {
        self.phase = Phase::Probing { sent: 0, next };
    }

    pub(crate) fn announce_now(&mut self, now: Duration) {
        self.phase = Phase::Announcing { sent: 0, next: now };
    }

    pub(crate) fn act(&mut self, now: Duration, link: &Link, faults: &Faults, outbox: &mut Outbox) {
        let probes = if faults.has("two-probes") { 2 } else { 3 };
        match self.phase {
            Phase::Probing { sent, next } if now >= next => {
                if sent < probes {
                    outbox.send(link, &self.probe(faults));
                    let last = sent + 1 == probes && faults.has("hasty");
                    let gap = if last { ms(10) } else { ms(250) };
                    self.phase = Phase::Probing {
                        sent: sent + 1,
                        next: now + gap,
                    };
                } else if self.number > 1 && faults.has("endless-prober") {
                    self.probe_anew(now + ms(250));
                } else {
                    self.announce(link, faults, outbox);
                    self.after_announcement(1, now, faults);
                }
            }
            Phase::Announcing { sent, next } if now >= next => {
                self.announce(link, faults, outbox);
                self.after_announcement(sent + 1, now, faults);
            }
            _ => {}
        }
    }

    fn after_announcement(&mut self, sent: u32, now: Duration, faults: &Faults) {
        let last = if faults.has("announce-once") { 1 } else { 2 };
        self.phase = if sent >= last && !faults.has("announce-forever") {
            Phase::Established
        } else {
            Phase::Announcing {
                sent,
                next: now + ms(1003),
            }
        };
    }

    fn probe(&self, faults: &Faults) -> Outgoing {
        let kind = if faults.has("probe-srv") {
            RecordType::SRV
        } else {
            RecordType::ANY
        };
        let mut message = Outgoing::question(&self.name, kind);
        if !faults.has("probe-qm") {
            message = message.unicast();
        }
        if faults.has("query-aa") {
            message = message.bits(0x0400);
        }
        let unique = self
            .unique()
            .filter(|record| record.kind() != RecordType::TXT || !faults.has("probe-empty"));
        unique.fold(message, |message, record| message.authority(record.clone()))
    }

    fn unique(&self) -> impl Iterator<Item = &RecordBuf> {
        self.records
            .iter()
            .filter(|own| !own.is_shared)
            .map(|own| &own.record)
    }

    fn announce(&self, link: &Link, faults: &Faults, outbox: &mut Outbox) {
        let records: Vec<RecordBuf> = self
            .records
            .iter()
            .filter(|own| !own.is_shared || !faults.has("announce-partly"))
            .map(|own| own.sent(faults))
            .collect();
        outbox.multicast(link, &records, &[]);
    }

    pub(crate) fn say_goodbye(&self, link: &Link, outbox: &mut Outbox) {
        let types = name(&["_services", "_dns-sd", "_udp", "local"]);
        let records = self.records.iter().filter(|own| own.record.name != types);
        let dying: Vec<RecordBuf> = records
            .map(|own| {
                let mut record = own.record.clone();
                record.ttl = 0;
                record
            })
            .collect();
        outbox.multicast(link, &dying, &[]);
    }

    pub(crate) fn update(
        &mut self,
        now: Duration,
        new: &RdataBuf,
        link: &Link,
        faults: &Faults,
        outbox: &mut Outbox,
    ) {
        if faults.has("stale-update") {
            return;
        }
        for own in &mut self.records {
            if own.record.kind() == RecordType::TXT {
                own.record.rdata = new.clone();
            }
        }
        if !faults.has("silent-update") {
            let txt: Vec<RecordBuf> = self
                .unique()
                .filter(|record| record.kind() == RecordType::TXT)
                .map(|record| flushed(record.clone()))
                .collect();
            outbox.multicast(link, &txt, &[]);
            self.phase = Phase::Announcing {
                sent: 1,
                next: now + ms(1003),
            };
        }
    }

    pub(crate) fn hear(&mut self, packet: &Packet, now: Duration, faults: &Faults) {
        let contents = &packet.contents;
        let is_probing = matches!(self.phase, Phase::Probing { sent: 1.., .. });
        let is_quiet = matches!(self.phase, Phase::Probing { sent: 0, .. });
        if contents.probes_for(&self.name) && is_probing {
            self.break_tie(packet, now, faults);
        }
        if contents.is_response() || faults.has("known-conflict") {
            let upset = contents
                .all()
                .any(|record| self.is_upset_by(record, is_probing, faults));
            if !upset || is_quiet {
            } else if is_probing {
                if !faults.has("deaf-prober") {
                    self.lose(now, faults);
                }
            } else if !faults.has("no-conflict") {
                self.probe_anew(now + ms(10));
            }
        }
    }

    fn is_upset_by(&self, record: &RecordBuf, is_probing: bool, faults: &Faults) -> bool {
        if faults.has("jumpy") && crate::is_test_type(&record.name) && self.records.len() > 2 {
            return true;
        }
        if record.name != self.name || record.ttl == 0 {
            return false;
        }
        if faults.has("jumpy") {
            return true;
        }
        let identical = self.unique().any(|own| own.rdata == record.rdata);
        let same_type = self.unique().any(|own| own.kind() == record.kind());
        !identical && (same_type || is_probing)
    }

    /// Compares what two probes propose; the later wins.
    // RFC 6762 §8.2 (6762-8.2-5, 6762-8.2-7)
    fn break_tie(&mut self, packet: &Packet, now: Duration, faults: &Faults) {
        if faults.has("stubborn") {
            return;
        }
        let mut ours: Vec<RecordBuf> = self.unique().cloned().collect();
        let theirs = packet
            .contents
            .authorities()
            .filter(|record| record.name == self.name);
        let mut theirs: Vec<RecordBuf> = theirs.cloned().collect();
        for list in [&mut ours, &mut theirs] {
            list.sort_by(|one, other| one.as_record().canonical_cmp(&other.as_record()));
        }
        let pairs = ours.iter().zip(&theirs);
        let order = pairs
            .map(|(own, other)| own.as_record().canonical_cmp(&other.as_record()))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| ours.len().cmp(&theirs.len()));
        if order.is_lt() || faults.has("coward") {
            self.probe_anew(now + ms(1000));
        }
    }

    fn lose(&mut self, now: Duration, faults: &Faults) {
        self.conflicts.push(now);
        self.conflicts.retain(|at| now - *at <= ms(10_000));
        let many = self.conflicts.len() >= 15 && !faults.has("no-back-off");
        if faults.has("gives-up") {
            self.records.clear();
            self.phase = Phase::Established;
            return;
        }
        self.rename();
        self.probe_anew(now + if many { ms(5000) } else { ms(60) });
    }

    /// Takes the next name of its row.
    pub(crate) fn rename(&mut self) {
        self.number += 1;
        let label = if self.handle.is_empty() {
            format!("subject-{}", self.number)
        } else {
            format!("{} ({})", self.handle, self.number)
        };
        self.take(&label);
    }

    /// Takes another first label, in all records.
    pub(crate) fn take(&mut self, label: &str) {
        let old = self.name.clone();
        let rest = old.labels().skip(1);
        let new = NameBuf::from_labels(std::iter::once(label.as_bytes()).chain(rest));
        self.name = new.unwrap_or_else(|_| NameBuf::root());
        for own in &mut self.records {
            if own.record.name == old {
                own.record.name = self.name.clone();
            }
            if matches!(own.record.rdata.decode(), Ok(Data::Ptr(target)) if target == old.as_name())
            {
                own.record.rdata = RdataBuf::ptr(self.name.as_name());
            }
        }
    }
}
