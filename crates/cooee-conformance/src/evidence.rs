//! What a verdict rests on: the packets as pcap and as text, and the talk with the adapter.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use crate::packet::Packet;
use crate::test::Outcome;

/// Link type of a capture whose packets begin with the IP header.
const RAW: u32 = 101;
const UDP: u8 = 17;

/// Writes `NAME.pcap` and `NAME.txt` for a test into a folder.
///
/// # Errors
/// What the file system says.
pub fn keep(folder: &Path, outcome: &Outcome) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let stem = outcome.test.name.replace('/', ".");
    std::fs::write(folder.join(format!("{stem}.pcap")), pcap(&outcome.packets))?;
    std::fs::write(folder.join(format!("{stem}.txt")), text(outcome))
}

/// The evidence as text: claim, findings, packets, dialogue.
pub fn text(outcome: &Outcome) -> String {
    let test = outcome.test;
    let mut text = format!("{}: {}\n{}\n", test.name, outcome.verdict, test.title);
    let _ = writeln!(text, "clauses: {}", test.clauses.join(", "));
    if !test.limits.is_empty() {
        let _ = writeln!(text, "limits: {}", test.limits);
    }
    text.push('\n');
    for finding in &outcome.findings {
        let _ = writeln!(text, "{:5} {}", finding.verdict.to_string(), finding.text);
    }
    text.push('\n');
    for packet in &outcome.packets {
        let _ = writeln!(text, "{packet}");
    }
    text.push('\n');
    for line in &outcome.dialogue {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// A capture in the classic format, times since the link was opened. IP and UDP headers are made up from what the
/// sockets told; fragments were put together by the kernel.
pub fn pcap(packets: &[Packet]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend_from_slice(&0xa1b2_c3d4_u32.to_ne_bytes());
    for half in [2_u16, 4] {
        file.extend_from_slice(&half.to_ne_bytes());
    }
    for number in [0, 0, 0x0004_0000, RAW] {
        file.extend_from_slice(&u32::to_ne_bytes(number));
    }
    for packet in packets {
        let frame = frame(packet);
        let Ok(len) = u32::try_from(frame.len()) else {
            continue;
        };
        let (seconds, micros) = stamp(packet.at);
        for number in [seconds, micros, len, len] {
            file.extend_from_slice(&number.to_ne_bytes());
        }
        file.extend_from_slice(&frame);
    }
    file
}

fn stamp(at: Duration) -> (u32, u32) {
    (
        u32::try_from(at.as_secs()).unwrap_or(u32::MAX),
        at.subsec_micros(),
    )
}

/// An IP packet around the payload.
fn frame(packet: &Packet) -> Vec<u8> {
    let udp = datagram(packet.source, packet.destination, &packet.octets);
    let limit = packet.hop_limit.unwrap_or(0);
    let mut frame = Vec::with_capacity(40 + udp.len());
    match (packet.source.ip(), packet.destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let len = u16::try_from(20 + udp.len()).unwrap_or(u16::MAX);
            let [l0, l1] = len.to_be_bytes();
            frame.extend_from_slice(&[0x45, 0, l0, l1, 0, 0, 0, 0, limit, UDP, 0, 0]);
            frame.extend_from_slice(&from.octets());
            frame.extend_from_slice(&to.octets());
            let sum = checksum(&[&frame]).to_be_bytes();
            frame.splice(10..12, sum);
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let [l0, l1] = u16::try_from(udp.len()).unwrap_or(u16::MAX).to_be_bytes();
            frame.extend_from_slice(&[0x60, 0, 0, 0, l0, l1, UDP, limit]);
            frame.extend_from_slice(&from.octets());
            frame.extend_from_slice(&to.octets());
        }
        _ => {}
    }
    frame.extend_from_slice(&udp);
    frame
}

fn datagram(from: SocketAddr, to: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let len = u16::try_from(8 + octets.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut udp = Vec::with_capacity(8 + octets.len());
    for field in [
        from.port().to_be_bytes(),
        to.port().to_be_bytes(),
        len,
        [0, 0],
    ] {
        udp.extend_from_slice(&field);
    }
    udp.extend_from_slice(octets);
    let pseudo = [[0, UDP], len];
    let sum = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            checksum(&[&from.octets(), &to.octets(), pseudo.as_flattened(), &udp])
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            checksum(&[&from.octets(), &to.octets(), pseudo.as_flattened(), &udp])
        }
        _ => 0,
    };
    // Zero would say that there is none.
    let sum = if sum == 0 { 0xffff } else { sum };
    udp.splice(6..8, sum.to_be_bytes());
    udp
}

/// The checksum of RFC 1071; only the last part may have an odd length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Contents;

    #[test]
    fn a_capture_has_the_frame_that_was_sent() {
        let packet = Packet {
            at: Duration::from_millis(1500),
            source: ([192, 0, 2, 1], 5353).into(),
            destination: ([224, 0, 0, 251], 5353).into(),
            hop_limit: Some(255),
            ours: true,
            octets: vec![0; 12],
            contents: Contents::default(),
        };
        let file = pcap(&[packet]);
        assert_eq!(file.len(), 24 + 16 + 20 + 8 + 12);
        assert_eq!(file[24..28], 1_u32.to_ne_bytes());
        assert_eq!(file[28..32], 500_000_u32.to_ne_bytes());
        let ip = &file[40..60];
        assert_eq!(
            checksum(&[ip]),
            0,
            "a header with its checksum sums to nothing"
        );
        assert_eq!(ip[12..16], [192, 0, 2, 1]);
    }
}
