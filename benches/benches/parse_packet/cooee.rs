//! cooee-wire, by its ordinary iterators.

use cooee_wire::{Data, Message, Name};

pub(crate) fn visit(octets: &[u8]) -> Option<u64> {
    let mut sum = 0;
    let mut questions = Message::parse(octets).ok()?.questions();
    for question in &mut questions {
        let question = question.ok()?;
        sum += labels(question.name) + u64::from(question.kind.get());
    }
    for record in questions.into_records() {
        let (_, record) = record.ok()?;
        sum += labels(record.name) + u64::from(record.kind().get()) + u64::from(record.ttl);
        sum += match record.data().ok()? {
            Data::A(address) => u64::from(address.to_bits()),
            Data::Aaaa(address) => address.to_bits() as u64 & 0xFFFF_FFFF,
            Data::Ptr(name) | Data::Cname(name) => labels(name),
            Data::Nsec(nsec) => labels(nsec.next),
            Data::Srv(srv) => u64::from(srv.port) + labels(srv.target),
            Data::Txt(txt) => {
                let mut sum = 0;
                for string in txt.strings() {
                    sum += string.len() as u64 + u64::from(string.last().copied().unwrap_or(0));
                }
                sum
            }
            _ => 0,
        };
    }
    Some(sum)
}

pub(crate) fn step(octets: &[u8]) -> Option<u64> {
    let mut sum = 0;
    let mut questions = Message::parse(octets).ok()?.questions();
    for question in &mut questions {
        sum += u64::from(question.ok()?.kind.get());
    }
    for record in questions.into_records() {
        let (_, record) = record.ok()?;
        sum += u64::from(record.kind().get()) + u64::from(record.ttl);
    }
    Some(sum)
}

fn labels(name: Name<'_>) -> u64 {
    let mut sum = 0;
    for label in name.labels() {
        sum += label.len() as u64 + u64::from(label.last().copied().unwrap_or(0));
    }
    sum
}
