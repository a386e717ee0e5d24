//! simple-dns: its names are vectors of labels.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use simple_dns::{Name, Packet};

fn owners(packets: &'static [Vec<u8>]) -> Vec<Name<'static>> {
    let packets = packets
        .iter()
        .filter_map(|packet| Packet::parse(packet).ok());
    let records = packets.flat_map(|packet| {
        [
            packet.answers,
            packet.name_servers,
            packet.additional_records,
        ]
    });
    records.flatten().map(|record| record.name).collect()
}

pub(crate) fn compare(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let names = owners(packets);
    let owned: Vec<Name<'static>> = names.iter().cloned().map(Name::into_owned).collect();
    move || {
        names
            .iter()
            .skip(1)
            .zip(&owned)
            .filter(|(name, owned)| name == owned)
            .count() as u64
    }
}

pub(crate) fn hash(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let names = owners(packets);
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    move || {
        names
            .iter()
            .map(|name| hasher.hash_one(name))
            .fold(0, u64::wrapping_add)
    }
}
