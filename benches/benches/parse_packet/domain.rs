//! domain (NLnet Labs), by its iterators.

use domain::base::{Message, ParsedName};
use domain::rdata::AllRecordData;

pub(crate) fn visit(octets: &[u8]) -> Option<u64> {
    let message = Message::from_octets(octets).ok()?;
    let mut sum = 0;
    let mut questions = message.question();
    for question in &mut questions {
        let question = question.ok()?;
        sum += labels(question.qname()) + u64::from(question.qtype().to_int());
    }
    let mut section = Some(questions.answer().ok()?);
    while let Some(mut records) = section {
        for record in &mut records {
            let record = record.ok()?;
            let record = record
                .to_any_record::<AllRecordData<_, ParsedName<_>>>()
                .ok()?;
            sum += labels(record.owner())
                + u64::from(record.rtype().to_int())
                + u64::from(record.ttl().as_secs());
            sum += match record.data() {
                AllRecordData::A(a) => u64::from(a.addr().to_bits()),
                AllRecordData::Aaaa(aaaa) => aaaa.addr().to_bits() as u64 & 0xFFFF_FFFF,
                AllRecordData::Ptr(ptr) => labels(ptr.ptrdname()),
                AllRecordData::Cname(cname) => labels(cname.cname()),
                AllRecordData::Nsec(nsec) => labels(nsec.next_name()),
                AllRecordData::Srv(srv) => u64::from(srv.port()) + labels(srv.target()),
                AllRecordData::Txt(txt) => {
                    let string = |string: &[u8]| {
                        string.len() as u64 + u64::from(string.last().copied().unwrap_or(0))
                    };
                    txt.iter().map(string).sum()
                }
                _ => 0,
            };
        }
        section = records.next_section().ok()?;
    }
    Some(sum)
}

pub(crate) fn step(octets: &[u8]) -> Option<u64> {
    let message = Message::from_octets(octets).ok()?;
    let mut sum = 0;
    let mut questions = message.question();
    for question in &mut questions {
        sum += u64::from(question.ok()?.qtype().to_int());
    }
    let mut section = Some(questions.answer().ok()?);
    while let Some(mut records) = section {
        for record in &mut records {
            let record = record.ok()?;
            sum += u64::from(record.rtype().to_int()) + u64::from(record.ttl().as_secs());
        }
        section = records.next_section().ok()?;
    }
    Some(sum)
}

fn labels(name: &ParsedName<&[u8]>) -> u64 {
    let labels = name.iter().filter(|label| !label.is_root());
    labels
        .map(|label| label.len() as u64 + u64::from(label.as_slice().last().copied().unwrap_or(0)))
        .sum()
}
