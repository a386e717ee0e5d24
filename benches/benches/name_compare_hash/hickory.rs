//! hickory-proto: all its names are owned.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use hickory_proto::op::Message;
use hickory_proto::rr::Name;

fn owners(packets: &'static [Vec<u8>]) -> Vec<Name> {
    let messages = packets
        .iter()
        .filter_map(|packet| Message::from_vec(packet).ok());
    let records =
        messages.flat_map(|message| [message.answers, message.authorities, message.additionals]);
    records.flatten().map(|record| record.name).collect()
}

pub(crate) fn compare(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let names = owners(packets);
    let owned = names.clone();
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
