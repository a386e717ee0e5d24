//! Findings: each is told once for a host and a name, then counted.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{NameBuf, RecordType};

use super::rule::{Level, Rule};
use crate::monitor::bounded::Bounded;
use crate::monitor::hosts::Host;
use crate::monitor::seen::Seen;

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Which rule.
    pub(crate) rule: Rule,
    /// What was seen.
    pub(crate) text: String,
    /// By whom.
    pub(crate) from: IpAddr,
    /// Of which name, if it is about one.
    pub(crate) name: Option<NameBuf>,
    /// Of which type of record.
    pub(crate) kind: Option<RecordType>,
    /// The packet it is about, counted from 1.
    pub(crate) packet: u64,
}

impl Finding {
    /// How bad it is.
    pub(crate) fn level(&self) -> Level {
        self.rule.level()
    }
}

/// Who is spoken of, and where it was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// The machine.
    pub(crate) host: Host,
    /// The address it used.
    pub(crate) from: IpAddr,
    /// The packet.
    pub(crate) packet: u64,
}

impl From<&Seen<'_>> for About {
    fn from(seen: &Seen<'_>) -> Self {
        Self {
            host: seen.host,
            from: seen.packet.source.ip(),
            packet: seen.number,
        }
    }
}

/// Something that should be followed by another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// When it was.
    pub(super) since: Duration,
    /// Of whom the other is expected.
    pub(super) about: About,
}

/// Takes out what has been waited for in vain for longer than this.
pub(super) fn overdue<K: Clone + Eq + Hash>(
    all: &mut Bounded<K, Waiting>,
    now: Duration,
    limit: Duration,
) -> Vec<(K, About)> {
    let mut overdue = Vec::new();
    all.retain(|key, waiting| {
        let is_over = now.saturating_sub(waiting.since) > limit;
        if is_over {
            overdue.push((key.clone(), waiting.about));
        }
        !is_over
    });
    overdue
}

/// Collects findings.
#[derive(Debug)]
pub(crate) struct Report {
    told: Bounded<(Rule, Host, Option<NameBuf>), ()>,
    counts: BTreeMap<&'static str, u64>,
    new: Vec<Finding>,
}

/// Findings that are kept in mind.
const MOST: usize = 8_192;

impl Report {
    pub(super) fn new() -> Self {
        Self {
            told: Bounded::new(MOST),
            counts: BTreeMap::new(),
            new: Vec::new(),
        }
    }

    /// Notes that a rule was broken by a packet as a whole.
    pub(super) fn add(&mut self, about: impl Into<About>, rule: Rule, text: impl Into<String>) {
        self.push(about.into(), rule, text.into(), None, None);
    }

    /// Notes that a rule was broken with a name.
    pub(super) fn add_named(
        &mut self,
        about: impl Into<About>,
        rule: Rule,
        (name, kind): (&NameBuf, RecordType),
        text: impl Into<String>,
    ) {
        self.push(
            about.into(),
            rule,
            text.into(),
            Some(name.clone()),
            Some(kind),
        );
    }

    fn push(
        &mut self,
        about: About,
        rule: Rule,
        text: String,
        name: Option<NameBuf>,
        kind: Option<RecordType>,
    ) {
        *self.counts.entry(rule.id).or_default() += 1;
        let key = (rule, about.host, name.clone());
        if self.told.insert(key, ()).is_none() {
            self.new.push(Finding {
                rule,
                text,
                from: about.from,
                name,
                kind,
                packet: about.packet,
            });
        }
    }

    /// What is new since the last time.
    pub(super) fn take(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.new)
    }

    /// How often each rule was broken.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.counts
            .iter()
            .map(|(id, count)| (*id, *count))
            .collect()
    }
}
