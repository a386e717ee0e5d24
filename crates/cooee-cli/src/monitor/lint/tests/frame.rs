use cooee::wire::{Compression, Flags, RecordType, Section};

use super::{Case, case, rule};
use crate::monitor::packet::Packet;
use crate::monitor::testkit::*;

const BOX: &str = "192.0.2.1";

/// A packet of a good response, and one in which an octet is another.
fn changed(place: usize, octet: u8, payload: Vec<u8>) -> Vec<Packet> {
    let mut payload = payload;
    payload[place] = octet;
    vec![packet(0, BOX, payload)]
}

fn told() -> Vec<u8> {
    response(&[a("box.local", 1)])
}

fn asked() -> Vec<u8> {
    query(&[ask("box.local", RecordType::A)], &[])
}

fn one(payload: Vec<u8>) -> Vec<Packet> {
    vec![packet(0, BOX, payload)]
}

/// So many octets in TXT records of 200.
fn long(records: usize) -> Vec<u8> {
    let string = "x".repeat(199);
    let many: Vec<_> = (0..records)
        .map(|number| txt(&format!("box{number}.local"), &[&string]))
        .collect();
    response(&many)
}

fn fragmented(fragmented: Option<bool>, payload: Vec<u8>) -> Vec<Packet> {
    vec![Packet {
        fragmented,
        ..packet(0, BOX, payload)
    }]
}

pub(super) fn cases() -> Vec<Case> {
    let truncated = |length: usize, payload: Vec<u8>| one(payload[..length].to_vec());
    let end = told().len();
    vec![
        // 1035-4.1-2, 1035-3.1-2, 1035-4.1.4-4, 1035-3.2.1-1
        case(rule::MALFORMED_HEADER, truncated(7, told()), one(told())),
        case(rule::MALFORMED_NAME, changed(12, 0x80, told()), one(told())),
        case(
            rule::MALFORMED_POINTER,
            changed(12, 0xC0, told()),
            one(told()),
        ),
        case(
            rule::MALFORMED_RECORD,
            truncated(end - 2, told()),
            one(told()),
        ),
        // 6762-18.1-4, -5, 18.3-1, 18.4-1, -2, 18.5-3, 18.11-1, 6-12
        case(
            rule::HEADER_QUERY_ID,
            changed(1, 7, asked()),
            // A query of unicast DNS has an ID.
            changed(1, 7, asked())
                .into_iter()
                .map(|packet| packet.sent_from(4_000)),
        ),
        case(rule::HEADER_RESPONSE_ID, changed(0, 1, told()), one(told())),
        case(rule::HEADER_OPCODE, changed(2, 0x28, asked()), one(asked())),
        case(
            rule::HEADER_QUERY_AA,
            changed(2, 0x04, asked()),
            one(asked()),
        ),
        case(
            rule::HEADER_RESPONSE_AA,
            changed(2, 0x80, told()),
            one(told()),
        ),
        case(
            rule::HEADER_RESPONSE_TC,
            changed(2, 0x86, told()),
            changed(2, 0x02, asked()),
        ),
        case(rule::HEADER_RCODE, changed(3, 0x03, told()), one(told())),
        case(
            rule::QUESTION_IN_RESPONSE,
            one(message(
                Flags::RESPONSE,
                &[ask("box.local", RecordType::A)],
                &[(ANSWER, a("box.local", 1))],
            )),
            one(told()),
        ),
        // 6762-6-24
        case(
            rule::SOURCE_PORT,
            one(told())
                .into_iter()
                .map(|packet| packet.sent_from(5_354)),
            one(asked())
                .into_iter()
                .map(|packet| packet.sent_from(5_354)),
        ),
        // 6762-11-1
        case(
            rule::IP_TTL,
            one(told()).into_iter().map(|packet| Packet {
                hop_limit: Some(1),
                ..packet
            }),
            one(told()).into_iter().map(|packet| Packet {
                hop_limit: None,
                ..packet
            }),
        ),
        // 6762-17-7, 6762-17-6
        case(rule::SIZE_LIMIT, one(long(45)), one(long(35))),
        case(
            rule::SIZE_FRAGMENTS,
            fragmented(Some(true), long(8)),
            fragmented(Some(true), long(1)),
        ),
        case(
            rule::SIZE_FRAGMENTS.perhaps(),
            fragmented(None, long(8)),
            fragmented(Some(false), long(8)),
        ),
        // 6762-18.14-4
        case(
            rule::UNCOMPRESSED,
            one(build(
                Flags::RESPONSE,
                &[],
                &[
                    (ANSWER, ptr("_http._tcp.local", "Web._http._tcp.local")),
                    (Section::Additional, srv("Web._http._tcp.local", 80)),
                ],
                Compression::None,
            )),
            one(response(&[
                ptr("_http._tcp.local", "Web._http._tcp.local"),
                srv("Web._http._tcp.local", 80),
            ])),
        ),
    ]
}
