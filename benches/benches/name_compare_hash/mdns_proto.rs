//! mdns-proto: names in packets against names in packets; it hashes none.

use mdns_proto::wire::{MessageReader, NameRef};

fn owners(packets: &'static [Vec<u8>]) -> Vec<NameRef<'static>> {
    let messages = packets
        .iter()
        .filter_map(|packet| MessageReader::try_parse(packet).ok());
    let records = messages.flat_map(|message| {
        message
            .answers()
            .chain(message.authority())
            .chain(message.additional())
    });
    records.flatten().map(|record| *record.name()).collect()
}

pub(crate) fn compare(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let names = owners(packets);
    let others = owners(packets);
    move || {
        names
            .iter()
            .skip(1)
            .zip(&others)
            .filter(|(name, other)| name.equals_ignoring_case(other))
            .count() as u64
    }
}
