//! domain (NLnet Labs): names in packets against owned ones.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use domain::base::name::{Name, ToName};
use domain::base::{Message, ParsedName};

fn owners(packets: &'static [Vec<u8>]) -> Vec<ParsedName<&'static &'static [u8]>> {
    let messages = packets
        .iter()
        .map(|packet| Message::from_octets(packet.as_slice()).expect("it has a header"));
    // Its views borrow the message, not what that holds.
    let messages: &'static [Message<&'static [u8]>] = messages.collect::<Vec<_>>().leak();
    messages
        .iter()
        .flat_map(|message| message.iter().flatten())
        .map(|(record, _)| record.owner())
        .collect()
}

pub(crate) fn compare(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let borrowed = owners(packets);
    let owned: Vec<Name<Vec<u8>>> = borrowed.iter().map(|name| name.to_vec()).collect();
    move || {
        borrowed
            .iter()
            .skip(1)
            .zip(&owned)
            .filter(|(name, owned)| name.name_eq(*owned))
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
