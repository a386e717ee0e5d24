//! cooee-wire: names in packets against owned ones.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use cooee_wire::{Message, Name, NameBuf};

pub(crate) fn owners(packets: &'static [Vec<u8>]) -> Vec<Name<'static>> {
    let messages = packets
        .iter()
        .filter_map(|packet| Message::parse(packet).ok());
    messages
        .flat_map(|message| message.records().flatten())
        .map(|(_, record)| record.name)
        .collect()
}

pub(crate) fn compare(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let borrowed = owners(packets);
    let owned: Vec<NameBuf> = borrowed
        .iter()
        .map(|name| name.to_owned().expect("it is sound"))
        .collect();
    move || {
        borrowed
            .iter()
            .skip(1)
            .zip(&owned)
            .filter(|(name, owned)| **name == **owned)
            .count() as u64
    }
}

pub(crate) fn hash(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let borrowed = owners(packets);
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    move || {
        borrowed
            .iter()
            .map(|name| hasher.hash_one(name))
            .fold(0, u64::wrapping_add)
    }
}
