//! simple-dns, with compression.

use std::io::Cursor;

use benches::response::{Content, RECORDS};
use simple_dns::rdata::{AAAA, PTR, RData, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, ResourceRecord};

pub(crate) fn builder() -> impl FnMut(&mut [u8]) -> Option<usize> {
    let name = |text: &'static str| Name::new(text).expect("it is a name");
    let mut packet = Packet::new_reply(0);
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    for (owner, ttl, content) in RECORDS {
        let data = match content {
            Content::A(address) => RData::A(address.into()),
            Content::Aaaa(address) => RData::AAAA(AAAA::from(address)),
            Content::Ptr(target) => RData::PTR(PTR(name(target))),
            Content::Srv(port, target) => RData::SRV(SRV {
                priority: 0,
                weight: 0,
                port,
                target: name(target),
            }),
            Content::Txt(strings) => {
                let mut txt = TXT::new();
                for text in strings {
                    txt.add_string(text).expect("the strings are short");
                }
                RData::TXT(txt)
            }
        };
        let record = ResourceRecord::new(name(owner), CLASS::IN, ttl, data);
        packet
            .answers
            .push(record.with_cache_flush(!matches!(content, Content::Ptr(_))));
    }
    move |buffer| {
        let mut cursor = Cursor::new(buffer);
        packet.write_compressed_to(&mut cursor).ok()?;
        usize::try_from(cursor.position()).ok()
    }
}
