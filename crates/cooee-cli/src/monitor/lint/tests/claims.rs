use cooee::wire::{Flags, QuestionBuf, RecordBuf, RecordType, Section};

use super::{Case, case, rule};
use crate::monitor::packet::Packet;
use crate::monitor::testkit::*;

const BOX: &str = "192.0.2.1";
const OTHER: &str = "192.0.2.2";
const WEB: &str = "Web._http._tcp.local";

fn told(at: u64, from: &str, records: &[RecordBuf]) -> Packet {
    packet(at, from, response(records))
}

fn probed(at: u64) -> Packet {
    packet(at, BOX, probe(&[a("box.local", 1)]))
}

fn probed_with(question: QuestionBuf, proposed: RecordBuf) -> [Packet; 1] {
    let proposed = [(Section::Authority, shared(proposed))];
    [packet(
        0,
        BOX,
        message(Flags::QUERY, &[question], &proposed),
    )]
}

pub(super) fn cases() -> Vec<Case> {
    let announced = || told(750, BOX, &[a("box.local", 1)]);
    let any = ask_unicast("box.local", RecordType::ANY);
    let bare = packet(250, BOX, query(std::slice::from_ref(&any), &[]));
    vec![
        // 6762-8.1-1
        case(
            rule::NO_PROBE,
            [announced()],
            [probed(0), probed(250), probed(500), announced()],
        ),
        // What the monitor did not see begin is told as an answer first.
        case(
            rule::NO_PROBE,
            [announced()],
            [
                packet(700, OTHER, query(&[ask("box.local", RecordType::A)], &[])),
                announced(),
                told(2_000, BOX, &[a("box.local", 1)]),
            ],
        ),
        // 6762-8.2-1, 6762-8.1-2, 6762-8.1-13
        case(
            rule::PROBE_PROPOSAL,
            [bare, announced()],
            [probed(0), probed(250), probed(500), announced()],
        ),
        case(
            rule::PROBE_PROPOSAL,
            probed_with(any.clone(), a("another.local", 1)),
            probed_with(any.clone(), a("box.local", 1)),
        ),
        case(
            rule::PROBE_ANY,
            probed_with(ask_unicast("box.local", RecordType::A), a("box.local", 1)),
            probed_with(any.clone(), a("box.local", 1)),
        ),
        case(
            rule::PROBE_UNICAST,
            probed_with(ask("box.local", RecordType::ANY), a("box.local", 1)),
            probed_with(any, a("box.local", 1)),
        ),
        // 6762-8.1-5; a second after a lost tie-break another round begins.
        case(
            rule::PROBE_TIMING,
            [probed(0), probed(500)],
            [probed(0), probed(255), probed(1_260), probed(1_500)],
        ),
        // 6762-9-3
        case(
            rule::CONFLICT,
            [
                told(0, BOX, &[a("box.local", 1)]),
                told(5_000, OTHER, &[a("box.local", 2)]),
            ],
            // The name is free again after a goodbye, and one machine may have two addresses.
            [
                told(0, BOX, &[living(a("box.local", 1), 0)]),
                told(1_000, OTHER, &[a("box.local", 2), a("box.local", 3)]),
                told(9_000, "192.0.2.3", &[a("box.local", 2), a("box.local", 3)]),
            ],
        ),
        // 6763-6-1
        case(
            rule::TXT_MISSING,
            [told(0, BOX, &[srv(WEB, 80)])],
            // It may come in the next packet.
            [
                told(0, BOX, &[srv(WEB, 80)]),
                told(100, BOX, &[txt(WEB, &["path=/"])]),
            ],
        ),
    ]
}
