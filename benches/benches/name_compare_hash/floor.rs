//! The floor: written by hand, a place in a packet against the octets of a name.

use std::hash::{DefaultHasher, Hasher};

/// The owner of each record: a packet and an offset.
fn owners(packets: &'static [Vec<u8>]) -> Vec<(&'static [u8], usize)> {
    let mut owners = Vec::new();
    for packet in packets {
        let count = |at: usize| usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
        let mut at = 12;
        for _ in 0..count(4) {
            skip(packet, &mut at);
            at += 4;
        }
        for _ in 0..count(6) + count(8) + count(10) {
            owners.push((packet.as_slice(), at));
            skip(packet, &mut at);
            at += 10 + count(at + 8);
        }
    }
    owners
}

pub(crate) fn compare(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let borrowed = owners(packets);
    let owned: Vec<Vec<u8>> = borrowed
        .iter()
        .map(|(packet, at)| wire(packet, *at))
        .collect();
    move || {
        borrowed
            .iter()
            .skip(1)
            .zip(&owned)
            .filter(|((packet, at), owned)| equal(packet, *at, owned))
            .count() as u64
    }
}

pub(crate) fn hash(packets: &'static [Vec<u8>]) -> impl Fn() -> u64 {
    let borrowed = owners(packets);
    move || {
        borrowed
            .iter()
            .map(|(packet, at)| hashed(packet, *at))
            .fold(0, u64::wrapping_add)
    }
}

fn equal(packet: &[u8], mut at: usize, mut owned: &[u8]) -> bool {
    loop {
        match packet[at] {
            0 => return owned == [0],
            high @ 0xC0.. => at = usize::from(u16::from_be_bytes([high & 0x3F, packet[at + 1]])),
            len => {
                let end = 1 + usize::from(len);
                if owned.len() < end || !packet[at..at + end].eq_ignore_ascii_case(&owned[..end]) {
                    return false;
                }
                at += end;
                owned = &owned[end..];
            }
        }
    }
}

fn hashed(packet: &[u8], mut at: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut folded = [0; 64];
    loop {
        match packet[at] {
            0 => {
                hasher.write_u8(0);
                return hasher.finish();
            }
            high @ 0xC0.. => at = usize::from(u16::from_be_bytes([high & 0x3F, packet[at + 1]])),
            len => {
                let label = &packet[at..=at + usize::from(len)];
                let folded = &mut folded[..label.len()];
                folded.copy_from_slice(label);
                folded.make_ascii_lowercase();
                hasher.write(folded);
                at += label.len();
            }
        }
    }
}

fn wire(packet: &[u8], mut at: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        match packet[at] {
            0 => {
                octets.push(0);
                return octets;
            }
            high @ 0xC0.. => at = usize::from(u16::from_be_bytes([high & 0x3F, packet[at + 1]])),
            len => {
                octets.extend_from_slice(&packet[at..=at + usize::from(len)]);
                at += 1 + usize::from(len);
            }
        }
    }
}

fn skip(packet: &[u8], at: &mut usize) {
    loop {
        match packet[*at] {
            0 => return *at += 1,
            0xC0.. => return *at += 2,
            len => *at += 1 + usize::from(len),
        }
    }
}
