//! mdns-proto, from names and values.

use benches::response::{Content, RECORDS};
use mdns_proto::Name;
use mdns_proto::wire::{Flags, Header, MessageBuilder};

pub(crate) fn builder() -> impl FnMut(&mut [u8]) -> Option<usize> {
    let name = |text: &str| Name::try_from_str(text).expect("it is a name");
    let records = RECORDS.map(|(owner, ttl, content)| {
        let target = match content {
            Content::Ptr(target) | Content::Srv(_, target) => target,
            _ => owner,
        };
        (name(owner), ttl, content, name(target))
    });
    move |buffer| {
        let header = Header::new().with_flags(Flags::from_u16(0x8400));
        let mut builder: MessageBuilder<'_> = MessageBuilder::try_new(buffer, header).ok()?;
        for (name, ttl, content, target) in &records {
            match content {
                Content::A(address) => builder.push_a_answer(name, *ttl, *address, true),
                Content::Aaaa(address) => builder.push_aaaa_answer(name, *ttl, *address, true),
                Content::Ptr(_) => builder.push_ptr_answer(name, *ttl, target),
                Content::Srv(port, _) => {
                    builder.push_srv_answer(name, *ttl, 0, 0, *port, target, true)
                }
                Content::Txt(strings) => builder.push_txt_answer(name, *ttl, *strings, true),
            }
            .ok()?;
        }
        builder.finish().ok()
    }
}
