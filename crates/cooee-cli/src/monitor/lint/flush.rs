//! The cache-flush bit. RFC 6762 §10.2.

use std::time::Duration;

use cooee::wire::{RdataBuf, RecordType, Section};

use super::report::Report;
use super::rule;
use crate::monitor::bounded::Bounded;
use crate::monitor::hosts::Host;
use crate::monitor::names::is_shared;
use crate::monitor::packet::PORT;
use crate::monitor::seen::{Key, Seen};

/// What is kept in mind of address records: who is said to have which, and which of them a flush has taken away.
#[derive(Debug)]
pub(super) struct Flush {
    sets: Bounded<(Host, Key), Vec<Member>>,
}

#[derive(Debug)]
struct Member {
    rdata: RdataBuf,
    last: Duration,
    is_dropped: bool,
}

const MOST_SETS: usize = 4_096;
const MOST_MEMBERS: usize = 32;
/// A set may come in a burst of packets: what came within a second is not flushed.
// RFC 6762 §10.2 (6762-10.2-4)
const BURST: Duration = Duration::from_secs(1);
/// What comes back after so long was away meanwhile.
const FORGOTTEN: Duration = Duration::from_secs(120);

impl Flush {
    pub(super) fn new() -> Self {
        Self {
            sets: Bounded::new(MOST_SETS),
        }
    }

    pub(super) fn look(&mut self, seen: &Seen<'_>, report: &mut Report) {
        if !seen.decoded.is_response() {
            for record in seen.decoded.section(Section::Answer) {
                if record.cache_flush {
                    let about = (&record.name, record.kind());
                    let text = "cache-flush bit in a known answer";
                    report.add_named(seen, rule::FLUSH_KNOWN_ANSWER, about, text);
                }
            }
            return;
        }
        // RFC 6762 §6.7 (6762-6.7-5): a reply to a legacy querier has no such bit.
        if seen.packet.destination.port() != PORT {
            return;
        }
        for (_, record) in seen.decoded.data().filter(|(_, record)| record.ttl > 0) {
            let kind = record.kind();
            let about = (&record.name, kind);
            let is_unique = matches!(
                kind,
                RecordType::A | RecordType::AAAA | RecordType::SRV | RecordType::TXT
            );
            if record.cache_flush && is_shared(&record.name, kind) {
                let text = "cache-flush bit on a shared record";
                report.add_named(seen, rule::FLUSH_SHARED, about, text);
            } else if !record.cache_flush && is_unique {
                let text = "unique record without cache-flush bit";
                report.add_named(seen, rule::FLUSH_MISSING, about, text);
            }
        }
        if seen.packet.is_multicast() {
            self.partial(seen, report);
        }
    }

    /// An address that a flush has taken away and that comes back soon was left out, not gone.
    fn partial(&mut self, seen: &Seen<'_>, report: &mut Report) {
        let mut sets: Vec<(Key, Vec<&RdataBuf>)> = Vec::new();
        for (_, record) in seen.decoded.data() {
            let is_address = matches!(record.kind(), RecordType::A | RecordType::AAAA);
            if !is_address || !record.cache_flush {
                continue;
            }
            let key = seen.key(&record.name, record.kind());
            if record.ttl == 0 {
                // Who says goodbye to an address may have it again.
                if let Some(members) = self.sets.get_mut(&(seen.host, key)) {
                    members.retain(|member| member.rdata != record.rdata);
                }
                continue;
            }
            match sets.iter_mut().find(|(known, _)| *known == key) {
                Some((_, set)) => set.push(&record.rdata),
                None => sets.push((key, vec![&record.rdata])),
            }
        }
        for (key, sent) in sets {
            let (_, name, kind) = &key;
            let members = self.sets.entry((seen.host, key.clone()), Vec::new);
            let mut came_back = false;
            members.retain(|member| seen.since(member.last) <= FORGOTTEN);
            for member in members.iter_mut() {
                if sent.contains(&&member.rdata) {
                    came_back |= member.is_dropped;
                    member.is_dropped = false;
                    member.last = seen.now;
                } else if seen.since(member.last) > BURST {
                    member.is_dropped = true;
                }
            }
            for rdata in sent {
                if members.iter().all(|member| member.rdata != *rdata) {
                    if members.len() >= MOST_MEMBERS {
                        members.remove(0);
                    }
                    members.push(Member {
                        rdata: rdata.clone(),
                        last: seen.now,
                        is_dropped: false,
                    });
                }
            }
            if came_back {
                let text =
                    "part of a record set: other members that come and go with it were not sent";
                report.add_named(seen, rule::FLUSH_PARTIAL, (name, *kind), text);
            }
        }
    }
}
