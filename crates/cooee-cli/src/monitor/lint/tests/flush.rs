use cooee::wire::{Flags, RecordType};

use super::{Case, case, rule};
use crate::monitor::packet::Packet;
use crate::monitor::testkit::*;

const BOX: &str = "192.0.2.1";

fn told(at: u64, lasts: &[u8]) -> Packet {
    let set: Vec<_> = lasts.iter().map(|last| a("box.local", *last)).collect();
    packet(at, BOX, response(&set))
}

pub(super) fn cases() -> Vec<Case> {
    let flushed = unique(
        "_http._tcp.local",
        4_500,
        ptr("_http._tcp.local", "Web._http._tcp.local").rdata,
    );
    let reverse = unique(
        "1.2.0.192.in-addr.arpa",
        120,
        ptr("x.local", "box.local").rdata,
    );
    let known = |record| {
        let question = [ask("box.local", RecordType::A)];
        [packet(
            0,
            BOX,
            message(Flags::QUERY, &question, &[(ANSWER, record)]),
        )]
    };
    vec![
        // 6762-10.2-14
        case(
            rule::FLUSH_SHARED,
            [packet(0, BOX, response(&[flushed]))],
            [packet(0, BOX, response(&[reverse]))],
        ),
        // 6762-10.2-8
        case(
            rule::FLUSH_MISSING,
            [packet(0, BOX, response(&[shared(a("box.local", 1))]))],
            // A legacy querier would not understand it.
            [packet(0, BOX, response(&[shared(a("box.local", 1))])).to("192.0.2.9:4000")],
        ),
        // 6762-10.2-7
        case(
            rule::FLUSH_PARTIAL,
            [told(0, &[1, 2]), told(5_000, &[1]), told(9_000, &[2])],
            // It has another address now.
            [told(0, &[1]), told(5_000, &[2]), told(9_000, &[2])],
        ),
        // 6762-10.2-13
        case(
            rule::FLUSH_KNOWN_ANSWER,
            known(a("box.local", 1)),
            known(shared(a("box.local", 1))),
        ),
    ]
}
