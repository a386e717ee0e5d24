//! What goes to one host alone: only when it has asked for that, and a simple resolver gets what it understands.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use cooee_mdns::Instant;
use cooee_wire::{Message, Record, Section};

use crate::network::PORT;
use crate::packet::Packet;

/// How long an answer may take: a query with TC is waited for up to three seconds (ruling 12).
const PATIENCE: Duration = Duration::from_secs(4);
/// How many queries of one address are remembered.
const REMEMBERED: usize = 64;
/// The longest TTL for a simple resolver, in seconds.
// RFC 6762 §6.7 (6762-6.7-6)
const SIMPLE_TTL: u32 = 10;

/// Who has asked for an answer by unicast.
#[derive(Debug, Default)]
pub(super) struct Askers {
    /// When, and with which ID.
    recent: HashMap<SocketAddr, VecDeque<(Instant, u16)>>,
}

/// A rule that was broken, and what was seen.
type Fault = (&'static str, String);

impl Askers {
    /// Remembers a query that may be answered by unicast.
    // RFC 6762 §5.4 (6762-5.4-8), §5.5, §6.7 (6762-6.7-2)
    pub(super) fn note(&mut self, packet: &Packet, message: &Message<'_>) {
        let mut questions = message.questions().filter_map(Result::ok);
        let is_for_unicast = packet.source.port() != PORT
            || !packet.destination.ip().is_multicast()
            || questions.any(|question| question.unicast_response);
        if message.header().flags.is_response() || !is_for_unicast {
            return;
        }
        let recent = self.recent.entry(packet.source).or_default();
        recent.push_back((packet.at, message.header().id));
        while recent.len() > REMEMBERED {
            recent.pop_front();
        }
    }

    /// What is wrong with a response that goes to one host alone.
    pub(super) fn judge(
        &self,
        packet: &Packet,
        message: &Message<'_>,
        records: &[(Section, Record<'_>)],
    ) -> Vec<Fault> {
        let to = packet.destination;
        let mut faults = Vec::new();
        let asked = self.recent.get(&to).into_iter().flatten();
        let asked = asked.filter(|(at, _)| packet.at.since(*at) <= PATIENCE);
        let ids: Vec<u16> = asked.map(|(_, id)| *id).collect();
        if ids.is_empty() {
            // RFC 6762 §6 (6762-6-27)
            faults.push(("6762-6-27", format!("{to} did not ask")));
        }
        if to.port() == PORT {
            return faults;
        }
        let header = message.header();
        if !ids.is_empty() && !ids.contains(&header.id) {
            faults.push(("6762-18.1-6", format!("ID {} to {to}", header.id)));
        }
        if header.question_count == 0 {
            faults.push(("6762-6.7-4", format!("no question to {to}")));
        }
        for (_, record) in records {
            if record.ttl > SIMPLE_TTL {
                let text = format!("{} with TTL {} to {to}", record.name, record.ttl);
                faults.push(("6762-6.7-6", text));
            }
            if record.cache_flush {
                let text = format!("{} with cache-flush bit to {to}", record.name);
                faults.push(("6762-10.2-12", text));
            }
        }
        faults
    }
}
