//! Without the standard library and without an allocator: read a query for a host's address, and answer it.
//!
//! `cargo build -p cooee-wire --no-default-features --example no_std`

#![no_std]

use cooee_wire::{
    Class, Compression, Flags, Message, MessageBuilder, Name, Rdata, Record, RecordType,
};

/// Writes the answer to a multicast query into `buffer`, if it asks for this host's IPv4 address.
///
/// `host` is the name as it stands on the wire, for example `b"\x03box\x05local\0"`.
pub fn answer<'b>(
    query: &[u8],
    host: &[u8],
    address: &[u8; 4],
    buffer: &'b mut [u8],
) -> Option<&'b [u8]> {
    let query = Message::parse(query).ok()?;
    let host = Name::from_octets(host).ok()?;
    if query.header().flags.is_response() {
        return None;
    }
    let wanted = query.questions().flatten().any(|question| {
        question.name == host
            && matches!(question.kind, RecordType::A | RecordType::ANY)
            && question.class == Class::IN
    });
    if !wanted {
        return None;
    }
    let record = Record {
        name: host,
        class: Class::IN,
        cache_flush: true,
        ttl: 120,
        rdata: Rdata::from_octets(RecordType::A, address).ok()?,
    };
    let mut builder =
        MessageBuilder::new(buffer, 0, Flags::RESPONSE, Compression::Multicast).ok()?;
    builder.answer(record).ok()?;
    let len = builder.finish();
    buffer.get(..len)
}
