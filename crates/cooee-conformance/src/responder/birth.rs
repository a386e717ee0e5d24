//! How a service comes onto the link: probes and announcements of the shared subject, which nobody disturbs.

mod announcements;
mod framing;
mod probes;

use std::time::Duration;

use cooee_wire::RecordType;

use crate::packet::Packet;
use crate::service::Service;
use crate::stage::{Stage, Stop, ms};
use crate::test::{Role, Start, Test};

/// Those that look at a birth.
pub(super) fn tests() -> impl Iterator<Item = Test> {
    let tables = [probes::TESTS, announcements::TESTS, framing::TESTS];
    tables.into_iter().flatten().copied()
}

const fn birth(
    name: &'static str,
    clauses: &'static [&'static str],
    title: &'static str,
    limits: &'static str,
    run: fn(&mut Stage<'_>) -> Result<(), Stop>,
) -> Test {
    Test {
        name,
        clauses,
        title,
        limits,
        role: Role::Responder,
        start: Start::Birth,
        run,
    }
}

const SHORTEST_GAP: Duration = ms(225);

/// Below this a holder of the name may not be heard any more.
const MUCH_TOO_SHORT: Duration = ms(150);

/// Probes for the instance. A question for ANY is meant as one also where it proposes nothing: that is judged by itself.
fn probes(service: &Service) -> Vec<&Packet> {
    let asks = |packet: &Packet| {
        let mut questions = packet.contents.questions.iter();
        questions
            .any(|question| question.name == service.instance && question.kind == RecordType::ANY)
    };
    let of_name = |packet: &&Packet| {
        let contents = &packet.contents;
        contents.probes_for(&service.instance) || !contents.is_response() && asks(packet)
    };
    service.birth.iter().filter(of_name).collect()
}

fn responses(service: &Service) -> Vec<&Packet> {
    let is_response = |packet: &&Packet| packet.contents.is_response() && packet.is_multicast();
    service.birth.iter().filter(is_response).collect()
}

fn announcements(service: &Service) -> Vec<&Packet> {
    let of_name = |packet: &&Packet| {
        packet
            .contents
            .answer(&service.instance, RecordType::SRV)
            .is_some()
    };
    responses(service).into_iter().filter(of_name).collect()
}

fn millis(gap: Duration) -> String {
    format!("{:.1} ms", gap.as_secs_f64() * 1000.0)
}

fn seconds(at: Duration) -> String {
    format!("{:.3} s", at.as_secs_f64())
}
