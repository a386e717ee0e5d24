//! simple-dns: reads the whole message into vectors first.

use simple_dns::rdata::RData;
use simple_dns::{Name, Packet, QTYPE};

pub(crate) fn visit(octets: &[u8]) -> Option<u64> {
    let packet = Packet::parse(octets).ok()?;
    let mut sum = 0;
    for question in &packet.questions {
        sum += labels(&question.qname) + question_type(question.qtype);
    }
    for record in packet
        .answers
        .iter()
        .chain(&packet.name_servers)
        .chain(&packet.additional_records)
    {
        sum += labels(&record.name)
            + u64::from(u16::from(record.rdata.type_code()))
            + u64::from(record.ttl);
        sum += match &record.rdata {
            RData::A(a) => u64::from(a.address),
            RData::AAAA(aaaa) => aaaa.address as u64 & 0xFFFF_FFFF,
            RData::PTR(ptr) => labels(&ptr.0),
            RData::CNAME(cname) => labels(&cname.0),
            RData::NSEC(nsec) => labels(&nsec.next_name),
            RData::SRV(srv) => u64::from(srv.port) + labels(&srv.target),
            // It shows the strings only as keys and values.
            RData::TXT(txt) => txt
                .iter_raw()
                .map(|(key, value)| attribute(key, value))
                .sum(),
            _ => 0,
        };
    }
    Some(sum)
}

pub(crate) fn step(octets: &[u8]) -> Option<u64> {
    let packet = Packet::parse(octets).ok()?;
    let questions: u64 = packet
        .questions
        .iter()
        .map(|question| question_type(question.qtype))
        .sum();
    let records = packet
        .answers
        .iter()
        .chain(&packet.name_servers)
        .chain(&packet.additional_records);
    let records: u64 = records
        .map(|record| u64::from(u16::from(record.rdata.type_code())) + u64::from(record.ttl))
        .sum();
    Some(questions + records)
}

fn question_type(kind: QTYPE) -> u64 {
    match kind {
        QTYPE::TYPE(kind) => u64::from(u16::from(kind)),
        other => u64::from(u16::from(other)),
    }
}

fn attribute(key: &[u8], value: Option<&[u8]>) -> u64 {
    let len = key.len() + value.map_or(0, |value| 1 + value.len());
    let last = match value {
        Some(value) => value.last().copied().unwrap_or(b'='),
        None => key.last().copied().unwrap_or(0),
    };
    len as u64 + u64::from(last)
}

fn labels(name: &Name<'_>) -> u64 {
    name.as_bytes()
        .map(|label| label.len() as u64 + u64::from(label.last().copied().unwrap_or(0)))
        .sum()
}
