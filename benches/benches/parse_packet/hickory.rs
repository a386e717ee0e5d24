//! hickory-proto: reads the whole message into vectors first.

use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData};

pub(crate) fn visit(octets: &[u8]) -> Option<u64> {
    let message = Message::from_vec(octets).ok()?;
    let mut sum = 0;
    for question in &message.queries {
        sum += labels(&question.name) + u64::from(u16::from(question.query_type));
    }
    for record in message
        .answers
        .iter()
        .chain(&message.authorities)
        .chain(&message.additionals)
    {
        sum += labels(&record.name)
            + u64::from(u16::from(record.record_type()))
            + u64::from(record.ttl);
        sum += match &record.data {
            RData::A(a) => u64::from(a.0.to_bits()),
            RData::AAAA(aaaa) => aaaa.0.to_bits() as u64 & 0xFFFF_FFFF,
            RData::PTR(ptr) => labels(&ptr.0),
            RData::CNAME(cname) => labels(&cname.0),
            RData::SRV(srv) => u64::from(srv.port) + labels(&srv.target),
            RData::TXT(txt) => txt.txt_data.iter().map(|string| text(string)).sum(),
            _ => 0,
        };
    }
    Some(sum)
}

pub(crate) fn step(octets: &[u8]) -> Option<u64> {
    let message = Message::from_vec(octets).ok()?;
    let questions: u64 = message
        .queries
        .iter()
        .map(|question| u64::from(u16::from(question.query_type)))
        .sum();
    let records = message
        .answers
        .iter()
        .chain(&message.authorities)
        .chain(&message.additionals);
    let records: u64 = records
        .map(|record| u64::from(u16::from(record.record_type())) + u64::from(record.ttl))
        .sum();
    Some(questions + records)
}

fn text(string: &[u8]) -> u64 {
    string.len() as u64 + u64::from(string.last().copied().unwrap_or(0))
}

fn labels(name: &Name) -> u64 {
    name.iter().map(text).sum()
}
