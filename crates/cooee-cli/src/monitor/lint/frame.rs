//! What can be said of a packet alone: its frame, header, size and port.

use cooee::wire::{Compression, Field, Malformed, MessageBuilder, Opcode, ParseError, Rcode};

use super::report::Report;
use super::rule::{self, Rule};
use crate::monitor::packet::PORT;
use crate::monitor::seen::Seen;

/// An IP packet of multicast DNS has at most so many octets with its headers.
// RFC 6762 §17 (6762-17-7)
const LARGEST: usize = 9_000;
/// What fits into a frame of Ethernet.
const USUAL_MTU: usize = 1_500;
/// Octets saved below which it is not worth a word.
const WORTH_COMPRESSING: usize = 8;
/// A message that is longer is not built again to see how long it could be.
const REBUILT: usize = 16_384;

pub(super) fn look(seen: &Seen<'_>, report: &mut Report) {
    if let Some(fault) = seen.decoded.fault {
        report.add(seen, malformed(fault), format!("unreadable: {fault}"));
    }
    header(seen, report);
    way(seen, report);
    size(seen, report);
    if seen.decoded.fault.is_none() {
        compression(seen, report);
    }
}

fn malformed(fault: ParseError) -> Rule {
    match (fault.field(), fault.kind()) {
        (Field::Message, _) => rule::MALFORMED_HEADER,
        (_, Malformed::ForwardPointer | Malformed::PointerChain | Malformed::PointerForbidden) => {
            rule::MALFORMED_POINTER
        }
        (_, Malformed::NameTruncated | Malformed::LabelType | Malformed::NameTooLong) => {
            rule::MALFORMED_NAME
        }
        _ => rule::MALFORMED_RECORD,
    }
}

/// RFC 6762 §18.
fn header(seen: &Seen<'_>, report: &mut Report) {
    let Some(header) = seen.decoded.header else {
        return;
    };
    let flags = header.flags;
    let is_multicast = seen.packet.is_multicast();
    // A query from another port is one of unicast DNS, whoever it is sent to.
    let is_legacy = !flags.is_response() && seen.packet.source.port() != PORT;
    let mut wrong = |is_so: bool, rule: Rule, text: String| {
        if is_so {
            report.add(seen, rule, text);
        }
    };
    if flags.is_response() {
        wrong(
            !flags.is_authoritative(),
            rule::HEADER_RESPONSE_AA,
            "response without the AA bit".into(),
        );
    }
    if !is_multicast || is_legacy {
        return;
    }
    let id = match flags.is_response() {
        true => rule::HEADER_RESPONSE_ID,
        false => rule::HEADER_QUERY_ID,
    };
    wrong(header.id != 0, id, format!("ID {} is not 0", header.id));
    let opcode = flags.opcode();
    wrong(
        opcode != Opcode::QUERY,
        rule::HEADER_OPCODE,
        format!("opcode {} is not 0", opcode.get()),
    );
    let rcode = flags.rcode();
    wrong(
        rcode != Rcode::NO_ERROR,
        rule::HEADER_RCODE,
        format!("response code {} is not 0", rcode.get()),
    );
    if flags.is_response() {
        wrong(
            flags.is_truncated(),
            rule::HEADER_RESPONSE_TC,
            "response with the TC bit".into(),
        );
        wrong(
            header.question_count > 0,
            rule::QUESTION_IN_RESPONSE,
            format!("response carries {} questions", header.question_count),
        );
    } else {
        wrong(
            flags.is_authoritative(),
            rule::HEADER_QUERY_AA,
            "query with the AA bit".into(),
        );
    }
}

fn way(seen: &Seen<'_>, report: &mut Report) {
    if !seen.decoded.is_response() {
        return;
    }
    let port = seen.packet.source.port();
    if port != PORT {
        let text = format!("response from port {port}, not {PORT}");
        report.add(seen, rule::SOURCE_PORT, text);
    }
    if let Some(ttl) = seen.packet.hop_limit.filter(|ttl| *ttl != 255) {
        let text = format!("response sent with IP TTL {ttl}, not 255");
        report.add(seen, rule::IP_TTL, text);
    }
}

fn size(seen: &Seen<'_>, report: &mut Report) {
    let headers = if seen.packet.source.is_ipv4() { 28 } else { 48 };
    let size = seen.packet.payload.len() + headers;
    if size > LARGEST {
        let text = format!("IP packet of {size} bytes; {LARGEST} is the most");
        report.add(seen, rule::SIZE_LIMIT, text);
    }
    if !seen.decoded.is_response() || seen.decoded.records.len() < 2 {
        return;
    }
    // A socket does not tell of fragments; there may be larger frames than the usual.
    let rule = match seen.packet.fragmented {
        Some(true) => rule::SIZE_FRAGMENTS,
        None if size > USUAL_MTU => rule::SIZE_FRAGMENTS.perhaps(),
        _ => return,
    };
    let count = seen.decoded.records.len();
    report.add(
        seen,
        rule,
        format!("{count} records in a fragmented packet of {size} bytes"),
    );
}

fn compression(seen: &Seen<'_>, report: &mut Report) {
    let Some(header) = seen.decoded.header else {
        return;
    };
    let payload = &seen.packet.payload;
    let compression = match seen.packet.destination.port() {
        PORT => Compression::Multicast,
        _ => Compression::Legacy,
    };
    if payload.len() > REBUILT {
        return;
    }
    let mut buffer = vec![0; payload.len()];
    let Ok(mut builder) = MessageBuilder::new(&mut buffer, header.id, header.flags, compression)
    else {
        return;
    };
    for question in &seen.decoded.questions {
        if builder.question(question.as_question()).is_err() {
            return;
        }
    }
    for (section, record) in &seen.decoded.records {
        if builder.record(*section, record.as_record()).is_err() {
            return;
        }
    }
    let sent = payload.len() - seen.decoded.trailing;
    let saved = sent.saturating_sub(builder.finish());
    if saved >= WORTH_COMPRESSING {
        let text = format!("{saved} bytes more than with names compressed");
        report.add(seen, rule::UNCOMPRESSED, text);
    }
}
