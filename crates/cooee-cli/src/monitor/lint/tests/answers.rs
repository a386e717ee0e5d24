use cooee::wire::{Flags, RdataBuf, RecordBuf, RecordType};

use super::{Case, case, rule};
use crate::monitor::packet::Packet;
use crate::monitor::testkit::*;

const BOX: &str = "192.0.2.1";
const OTHER: &str = "192.0.2.2";
const THIRD: &str = "192.0.2.3";

fn web() -> RecordBuf {
    ptr("_http._tcp.local", "Web._http._tcp.local")
}

fn listed(at: u64) -> Packet {
    packet(at, BOX, response(&[web()]))
}

fn asked(at: u64, from: &str, known: &[RecordBuf]) -> Packet {
    packet(
        at,
        from,
        query(&[ask("_http._tcp.local", RecordType::PTR)], known),
    )
}

fn asked_for(at: u64, kind: RecordType) -> Packet {
    packet(at, OTHER, query(&[ask("box.local", kind)], &[]))
}

fn told(at: u64, record: RecordBuf) -> Packet {
    packet(at, BOX, response(&[record]))
}

fn legacy(id: u8, questions: bool, record: RecordBuf) -> Vec<Packet> {
    let question = [ask("box.local", RecordType::A)];
    let mut query = query(&question, &[]);
    query[1] = 7;
    let asked = if questions { &question[..] } else { &[] };
    let mut reply = message(Flags::RESPONSE, asked, &[(ANSWER, record)]);
    reply[1] = id;
    vec![
        packet(0, OTHER, query).sent_from(4_000),
        packet(30, BOX, reply).to("192.0.2.2:4000"),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let reply = || living(shared(a("box.local", 1)), 10);
    let unicast = |at, record| packet(at, BOX, response(&[record])).to("192.0.2.2:5353");
    let listing = |kinds: &[RecordType]| [told(0, nsec("box.local", kinds))];
    let late = |ttl| living(web(), ttl);
    let blocks = RdataBuf::opaque(RecordType::NSEC, b"\x03box\x05local\0\x01\x01\x40").unwrap();
    vec![
        // 6762-7.1-3
        case(
            rule::KNOWN_IGNORED,
            [
                listed(0),
                asked(20_000, OTHER, &[late(4_480)]),
                listed(20_100),
            ],
            // Somebody else has asked who does not know it.
            [
                listed(0),
                asked(20_000, OTHER, &[late(4_480)]),
                asked(20_050, THIRD, &[]),
                listed(20_100),
            ],
        ),
        // 6762-7.1-5
        case(
            rule::KNOWN_STALE,
            [listed(0), asked(3_000_000, OTHER, &[late(1_500)])],
            [listed(0), asked(2_000_000, OTHER, &[late(2_500)])],
        ),
        // 6762-6.1-1
        case(
            rule::NO_ANSWER_NSEC,
            [
                told(0, a("box.local", 1)),
                asked_for(9_000, RecordType::AAAA),
            ],
            [
                told(0, a("box.local", 1)),
                asked_for(9_000, RecordType::AAAA),
                told(9_100, nsec("box.local", &[RecordType::A])),
            ],
        ),
        // What the name has is answered, or was a moment ago.
        case(
            rule::NO_ANSWER_NSEC,
            [
                told(0, a("box.local", 1)),
                asked_for(9_000, RecordType::HINFO),
            ],
            [told(0, a("box.local", 1)), asked_for(500, RecordType::A)],
        ),
        // 6762-6.1-17, 6762-6.1-8
        case(
            rule::NSEC_SELF,
            listing(&[RecordType::A, RecordType::NSEC]),
            listing(&[RecordType::A]),
        ),
        case(
            rule::NSEC_BLOCK,
            [told(0, unique("box.local", 120, blocks))],
            listing(&[RecordType::A, RecordType::AAAA]),
        ),
        // 6762-6-27
        case(
            rule::UNICAST_UNASKED,
            [asked_for(0, RecordType::A), unicast(50, a("box.local", 1))],
            [
                packet(
                    0,
                    OTHER,
                    query(&[ask_unicast("box.local", RecordType::A)], &[]),
                ),
                unicast(50, a("box.local", 1)),
            ],
        ),
        // 6762-6.7-4, -5, -6
        case(
            rule::LEGACY_ECHO,
            legacy(7, false, reply()),
            legacy(7, true, reply()),
        ),
        case(
            rule::LEGACY_ECHO,
            legacy(8, true, reply()),
            legacy(7, true, reply()),
        ),
        case(
            rule::LEGACY_FLUSH,
            legacy(7, true, living(a("box.local", 1), 10)),
            legacy(7, true, reply()),
        ),
        case(
            rule::LEGACY_TTL,
            legacy(7, true, shared(a("box.local", 1))),
            legacy(7, true, reply()),
        ),
    ]
}
