//! cooee-wire, from owned records.

use benches::response::{Content, RECORDS};
use cooee_wire::{Compression, Flags, MessageBuilder, NameBuf, RdataBuf, RecordBuf};

pub(crate) fn builder() -> impl FnMut(&mut [u8]) -> Option<usize> {
    let name = |text: &str| text.parse::<NameBuf>().expect("it is a name");
    let records = RECORDS.map(|(owner, ttl, content)| {
        let rdata = match content {
            Content::A(address) => RdataBuf::a(address),
            Content::Aaaa(address) => RdataBuf::aaaa(address),
            Content::Ptr(target) => RdataBuf::ptr(name(target).as_name()),
            Content::Srv(port, target) => RdataBuf::srv(0, 0, port, name(target).as_name()),
            Content::Txt(strings) => RdataBuf::txt(strings).expect("the strings are short"),
        };
        let cache_flush = !matches!(content, Content::Ptr(_));
        RecordBuf {
            cache_flush,
            ..RecordBuf::new(name(owner), ttl, rdata)
        }
    });
    move |buffer| {
        let mut builder =
            MessageBuilder::new(buffer, 0, Flags::RESPONSE, Compression::Multicast).ok()?;
        for record in &records {
            builder.answer(record.as_record()).ok()?;
        }
        Some(builder.finish())
    }
}
