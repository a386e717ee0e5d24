//! How often a host may say a thing.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use cooee_mdns::{Instant, LinkId};
use cooee_wire::{NameBuf, RdataBuf};

use super::SECOND;
use crate::host::HostId;
use crate::packet::Packet;

/// The time in which the packets of a storm are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// So many packets in that time may say nothing new, however little a host has to say ...
const LEAST: usize = 100;
/// ... and so many more for each thing that it has ever said.
const FOR_EACH: usize = 2;

/// A thing that is said: a question, or a record with its data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Question(NameBuf, u16, u16),
    Record(NameBuf, RdataBuf),
}

/// Where and by whom: a host, on a link, in a family.
type Voice = (HostId, LinkId, bool);

/// What each host has said, and when.
#[derive(Debug, Default)]
pub(super) struct Pace {
    asked: HashMap<(Voice, Thing), Instant>,
    talks: HashMap<Voice, Talk>,
}

#[derive(Debug, Default)]
struct Talk {
    things: HashMap<Thing, Instant>,
    /// The packets of late that said nothing new.
    repeats: VecDeque<Instant>,
}

impl Pace {
    /// The host's clock has leapt.
    pub(super) fn forget(&mut self, host: HostId) {
        self.asked.retain(|(voice, _), _| voice.0 != host);
        self.talks.retain(|voice, _| voice.0 != host);
    }

    /// A host asks: how long after the last time, if that was too soon.
    // RFC 6762 §5.2 (6762-5.2-2)
    pub(super) fn asks(&mut self, packet: &Packet, host: HostId, thing: Thing) -> Option<Duration> {
        let last = self.asked.insert((voice(packet, host), thing), packet.at)?;
        let after = packet.at.since(last);
        (after < SECOND).then_some(after)
    }

    /// A host says these things in one multicast. Tells how many packets there have been that said nothing new, if they are too many.
    pub(super) fn says(
        &mut self,
        packet: &Packet,
        host: HostId,
        things: Vec<Thing>,
    ) -> Option<usize> {
        let talk = self.talks.entry(voice(packet, host)).or_default();
        if things.is_empty() {
            return None;
        }
        let mut is_new = false;
        for thing in things {
            let last = talk.things.insert(thing, packet.at);
            is_new |= last.is_none_or(|last| packet.at.since(last) > WINDOW);
        }
        if is_new {
            return None;
        }
        talk.repeats.push_back(packet.at);
        while let Some(first) = talk.repeats.front()
            && packet.at.since(*first) > WINDOW
        {
            talk.repeats.pop_front();
        }
        let most = LEAST + FOR_EACH * talk.things.len();
        (talk.repeats.len() > most).then_some(talk.repeats.len())
    }
}

fn voice(packet: &Packet, host: HostId) -> Voice {
    (host, packet.link, packet.source.is_ipv4())
}
