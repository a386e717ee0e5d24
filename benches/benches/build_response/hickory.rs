//! hickory-proto.

use benches::response::{Content, RECORDS};
use hickory_proto::op::{Message, MessageType, OpCode};
use hickory_proto::rr::rdata::{PTR, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};

pub(crate) fn builder() -> impl FnMut(&mut [u8]) -> Option<usize> {
    let name = |text: &str| Name::from_ascii(format!("{text}.")).expect("it is a name");
    let mut message = Message::new(0, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = true;
    for (owner, ttl, content) in RECORDS {
        let data = match content {
            Content::A(address) => RData::A(address.into()),
            Content::Aaaa(address) => RData::AAAA(address.into()),
            Content::Ptr(target) => RData::PTR(PTR(name(target))),
            Content::Srv(port, target) => RData::SRV(SRV::new(0, 0, port, name(target))),
            Content::Txt(strings) => RData::TXT(TXT::new(
                strings.iter().map(|text| (*text).to_owned()).collect(),
            )),
        };
        let mut record = Record::from_rdata(name(owner), ttl, data);
        record.mdns_cache_flush = !matches!(content, Content::Ptr(_));
        message.add_answer(record);
    }
    let mut target = Vec::with_capacity(1500);
    move |buffer| {
        target.clear();
        message.emit(&mut BinEncoder::new(&mut target)).ok()?;
        buffer.get_mut(..target.len())?.copy_from_slice(&target);
        Some(target.len())
    }
}
