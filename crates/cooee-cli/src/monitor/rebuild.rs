//! IP and UDP headers made anew: a socket gives the payload alone, a capture wants whole packets.

use std::net::IpAddr;

use super::packet::Packet;

const UDP: u8 = 17;

/// The packet with an IP and a UDP header as they may have been: what a socket does not tell (identification,
/// fragments, traffic class) is zero.
pub(super) fn ip_packet(packet: &Packet) -> Vec<u8> {
    let ttl = packet.hop_limit.unwrap_or(255);
    let udp_length = u16::try_from(packet.payload.len() + 8).unwrap_or(u16::MAX);
    let mut udp = Vec::with_capacity(packet.payload.len() + 8);
    udp.extend(packet.source.port().to_be_bytes());
    udp.extend(packet.destination.port().to_be_bytes());
    udp.extend(udp_length.to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(&packet.payload);

    let addresses = match (packet.source.ip(), packet.destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => [from.octets(), to.octets()].concat(),
        (from, to) => [octets6(from), octets6(to)].concat(),
    };
    // RFC 768, RFC 8200 §8.1: over a header of addresses, length and protocol; zero is written as all ones.
    let mut checked = addresses.clone();
    checked.extend(u32::from(udp_length).to_be_bytes());
    checked.extend([0, 0, 0, UDP]);
    checked.extend(&udp);
    let sum = match checksum(&checked) {
        0 => u16::MAX,
        sum => sum,
    };
    if let Some(place) = udp.get_mut(6..8) {
        place.copy_from_slice(&sum.to_be_bytes());
    }

    let mut whole = Vec::with_capacity(udp.len() + 40);
    if packet.source.is_ipv4() && packet.destination.is_ipv4() {
        whole.extend([0x45, 0]);
        whole.extend(udp_length.saturating_add(20).to_be_bytes());
        whole.extend([0, 0, 0, 0, ttl, UDP, 0, 0]);
        whole.extend(&addresses);
        let sum = checksum(&whole);
        if let Some(place) = whole.get_mut(10..12) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
    } else {
        whole.extend([0x60, 0, 0, 0]);
        whole.extend(udp_length.to_be_bytes());
        whole.extend([UDP, ttl]);
        whole.extend(&addresses);
    }
    whole.extend(udp);
    whole
}

fn octets6(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// The ones' complement sum of RFC 1071.
fn checksum(octets: &[u8]) -> u16 {
    let (pairs, rest) = octets.as_chunks::<2>();
    let mut sum: u64 = pairs
        .iter()
        .map(|pair| u64::from(u16::from_be_bytes(*pair)))
        .sum();
    if let [last] = rest {
        sum += u64::from(*last) << 8;
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_right() {
        // The example of RFC 1071, section 3.
        assert_eq!(
            checksum(&[0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]),
            !0xDDF2
        );
        // A sum over what holds its own sum is zero.
        let packet = ip_packet(&super::super::testkit::packet(
            0,
            "192.0.2.1",
            b"hello".to_vec(),
        ));
        assert_eq!(checksum(packet.get(..20).unwrap()), 0);
    }
}
