//! What it has heard, and for how long that counts.

use std::time::Duration;

use cooee_conformance::ms;
use cooee_wire::{NameBuf, RecordBuf, RecordType};

use crate::Faults;

pub(crate) struct Memory {
    faults: Faults,
    entries: Vec<Entry>,
}

struct Entry {
    record: RecordBuf,
    heard: Duration,
    expires: Duration,
    /// How many of its refresh points have passed.
    refreshed: usize,
    /// When others asked and nobody answered.
    observed: Vec<Duration>,
}

impl Entry {
    fn is_of(&self, name: &NameBuf, kind: RecordType) -> bool {
        self.record.name == *name && self.record.kind() == kind
    }

    fn lifetime(&self) -> Duration {
        Duration::from_secs(self.record.ttl.into())
    }

    fn is_leaving(&self, now: Duration) -> bool {
        self.expires <= now + ms(1000) && self.expires < self.heard + self.lifetime()
    }
}

impl Memory {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            entries: Vec::new(),
        }
    }

    /// Takes in a record; whether it is new.
    pub(crate) fn learn(&mut self, record: &RecordBuf, now: Duration) -> bool {
        if record.ttl == 0 {
            self.take_leave(record, now);
            return false;
        }
        if record.cache_flush && !self.faults.has("no-flush") {
            // RFC 6762 §10.2 (6762-10.2-4)
            let grace = if self.faults.has("flush-at-once") {
                ms(0)
            } else {
                ms(1000)
            };
            for old in &mut self.entries {
                let other =
                    old.is_of(&record.name, record.kind()) && old.record.rdata != record.rdata;
                if other && now - old.heard >= grace {
                    old.expires = old.expires.min(now + grace);
                }
            }
        }
        let case = self.faults.has("case-sensitive");
        let same = |entry: &&mut Entry| {
            entry.record.rdata == record.rdata && entry.is_of(&record.name, record.kind())
        };
        if case && record.name.as_octets().iter().any(u8::is_ascii_uppercase) {
            return false;
        }
        let lifetime = Duration::from_secs(record.ttl.into());
        if let Some(entry) = self.entries.iter_mut().find(same) {
            let leaving = entry.is_leaving(now) && self.faults.has("goodbye-final");
            if !leaving && !self.faults.has("no-renewal") {
                entry.expires = now + lifetime;
                entry.heard = now;
                entry.refreshed = 0;
                entry.record = record.clone();
            }
            entry.observed.clear();
            return false;
        }
        self.entries.push(Entry {
            record: record.clone(),
            heard: now,
            expires: now + lifetime,
            refreshed: 0,
            observed: Vec::new(),
        });
        true
    }

    // RFC 6762 §10.1 (6762-10.1-2)
    fn take_leave(&mut self, record: &RecordBuf, now: Duration) {
        if self.faults.has("no-goodbye") {
            return;
        }
        let wide = self.faults.has("goodbye-wide");
        for entry in &mut self.entries {
            let same = wide || entry.record.rdata == record.rdata;
            if same && entry.is_of(&record.name, record.kind()) {
                entry.expires = entry.expires.min(now + ms(1000));
            }
        }
    }

    /// Drops what has had its time, and gives it.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<RecordBuf> {
        let immortal = self.faults.has("immortal");
        let is_over = |entry: &Entry| {
            let unanswered = entry.observed.len() >= 2
                && entry
                    .observed
                    .last()
                    .is_some_and(|at| now - *at > ms(10_000));
            !immortal && entry.expires <= now || unanswered
        };
        let (over, staying) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(is_over);
        self.entries = staying;
        let over: Vec<Entry> = over;
        over.into_iter().map(|entry| entry.record).collect()
    }

    /// Others ask for it; what they know needs no answer.
    pub(crate) fn observe(
        &mut self,
        name: &NameBuf,
        kind: RecordType,
        known: &[RecordBuf],
        now: Duration,
    ) {
        let blind = self.faults.has("observes-blindly");
        for entry in &mut self.entries {
            let is_known = known
                .iter()
                .any(|record| record.rdata == entry.record.rdata);
            if entry.is_of(name, kind) && (!is_known || blind) {
                entry.observed.push(now);
            }
        }
    }

    /// Whether a record of this name and type is at one of its refresh points.
    // RFC 6762 §5.2 (6762-5.2-10)
    pub(crate) fn is_fading(&mut self, name: &NameBuf, kind: RecordType, now: Duration) -> bool {
        if self.faults.has("no-refresh") {
            return false;
        }
        let points: &[u32] = if self.faults.has("early-refresh") {
            &[30]
        } else {
            &[81, 86, 91, 96]
        };
        let mut fading = false;
        for entry in &mut self.entries {
            let point = points.get(entry.refreshed).copied();
            let passed =
                point.is_some_and(|point| now - entry.heard >= entry.lifetime() * point / 100);
            if entry.is_of(name, kind) && passed {
                entry.refreshed += 1;
                fading = true;
            }
        }
        fading
    }

    pub(crate) fn live(&self, name: &NameBuf, kind: RecordType) -> Vec<RecordBuf> {
        let of_it = self.entries.iter().filter(|entry| entry.is_of(name, kind));
        of_it.map(|entry| entry.record.clone()).collect()
    }

    pub(crate) fn has(&self, name: &NameBuf, kind: RecordType) -> bool {
        self.entries.iter().any(|entry| entry.is_of(name, kind))
    }

    pub(crate) fn knows(&self, record: &RecordBuf) -> bool {
        self.live(&record.name, record.kind())
            .iter()
            .any(|known| known.rdata == record.rdata)
    }

    // RFC 6762 §7.1
    pub(crate) fn known_answers(
        &self,
        name: &NameBuf,
        kind: RecordType,
        now: Duration,
    ) -> Vec<RecordBuf> {
        if self.faults.has("no-known") {
            return Vec::new();
        }
        let unique = self.faults.has("known-unique");
        let of_it = self.entries.iter().filter(|entry| {
            let asked = entry.is_of(name, kind) && (!entry.record.cache_flush || unique);
            let fresh = (now - entry.heard) * 2 < entry.lifetime() || self.faults.has("known-old");
            (asked || unique && kind == RecordType::PTR) && fresh
        });
        of_it
            .map(|entry| {
                let mut record = entry.record.clone();
                let left = entry.expires.saturating_sub(now).as_secs();
                record.ttl = u32::try_from(left).unwrap_or(0);
                record.cache_flush = self.faults.has("known-flush");
                record
            })
            .collect()
    }
}
