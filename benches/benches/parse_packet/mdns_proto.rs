//! mdns-proto, by its iterators.

use mdns_proto::wire::{MessageReader, NameRef, Rdata, Ref};

pub(crate) fn visit(octets: &[u8]) -> Option<u64> {
    let message = MessageReader::try_parse(octets).ok()?;
    let mut sum = 0;
    for question in message.questions() {
        let question = question.ok()?;
        sum += labels(question.qname())? + u64::from(question.qtype().to_u16());
    }
    for record in message
        .answers()
        .chain(message.authority())
        .chain(message.additional())
    {
        let record: Ref<'_> = record.ok()?;
        sum +=
            labels(record.name())? + u64::from(record.rtype().to_u16()) + u64::from(record.ttl());
        sum += match record.rdata_view().ok()? {
            Rdata::A(a) => u64::from(a.addr().to_bits()),
            Rdata::AAAA(aaaa) => aaaa.addr().to_bits() as u64 & 0xFFFF_FFFF,
            Rdata::Ptr(ptr) => labels(ptr.target())?,
            Rdata::Cname(cname) => labels(cname.target())?,
            Rdata::Nsec(nsec) => labels(nsec.next_name())?,
            Rdata::Srv(srv) => u64::from(srv.port()) + labels(srv.target())?,
            Rdata::Txt(txt) => {
                let mut sum = 0;
                for string in txt.segments() {
                    let string = string.ok()?;
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
    let message = MessageReader::try_parse(octets).ok()?;
    let mut sum = 0;
    for question in message.questions() {
        sum += u64::from(question.ok()?.qtype().to_u16());
    }
    for record in message
        .answers()
        .chain(message.authority())
        .chain(message.additional())
    {
        let record = record.ok()?;
        sum += u64::from(record.rtype().to_u16()) + u64::from(record.ttl());
    }
    Some(sum)
}

fn labels(name: &NameRef<'_>) -> Option<u64> {
    let mut sum = 0;
    for label in name.labels() {
        let label = label.ok()?;
        sum += label.len() as u64 + u64::from(label.last().copied().unwrap_or(0));
    }
    Some(sum)
}
