//! What was sent and what was told, in the order in which it happened.

use std::fmt::Write as _;

use cooee_mdns::{Event, Instant, Presence};

use crate::network::Network;
use crate::station::Station;

impl Network<Station> {
    /// The [`transcript`](Self::transcript), and between the packets what each station was told.
    pub fn chronicle(&self) -> String {
        self.transcript_with(|station| &station.events)
    }
}

impl<N: cooee_mdns::Node> Network<N> {
    /// The seed, all packets that are kept and what was told since the first of them, then all violations.
    pub(crate) fn transcript_with<'n, I>(&'n self, told: impl Fn(&'n N) -> I) -> String
    where
        I: IntoIterator<Item = &'n (Instant, Event)>,
    {
        let mut lines: Vec<(Instant, String)> = self
            .kept()
            .map(|packet| (packet.at, packet.to_string()))
            .collect();
        let since = lines.first().map_or(Instant::ZERO, |(at, _)| *at);
        for (name, node) in self.nodes() {
            for (at, event) in told(node).into_iter().filter(|(at, _)| *at >= since) {
                lines.push((*at, format!("{at:>9} {name:<8} {}", line(event))));
            }
        }
        // Stable: of one moment, packets come first.
        lines.sort_by_key(|(at, _)| *at);
        let mut text = format!("seed {}\n", self.seed());
        for (_, line) in lines {
            let _ = writeln!(text, "{line}");
        }
        for violation in self.violations() {
            let _ = writeln!(text, "!! {violation}");
        }
        text
    }
}

/// An event in one line.
fn line(event: &Event) -> String {
    match event {
        Event::Answer {
            link,
            record,
            presence,
            own,
            ..
        } => {
            let sign = match presence {
                Presence::Present => '+',
                Presence::Gone => '-',
            };
            let own = if *own { " own" } else { "" };
            let (name, kind, rdata) = (&record.name, record.kind(), &record.rdata);
            format!("{sign} {name} {kind} {rdata} on {link}{own}")
        }
        Event::Ready { group } => format!("ready: {group:?}"),
        Event::Conflict { link, name, .. } => format!("conflict about {name} on {link}"),
        Event::Denied {
            link, name, kind, ..
        } => format!("no {kind} of {name} on {link}"),
        other => format!("{other:?}"),
    }
}
