//! From the frames of a capture to the datagrams of port 5353 in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::fragments::{Fragment, Fragments};
use super::packet::PORT;

/// A UDP datagram and its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) hop_limit: u8,
    pub(super) fragmented: bool,
    pub(super) payload: Vec<u8>,
}

/// What a frame holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A datagram from or to port 5353.
    Datagram(Datagram),
    /// Such a one, but the capture has cut it short.
    Cut,
    /// Something else, or a part of something.
    Other,
}

/// How frames of a capture begin, by the numbers that both formats use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The family in the byte order of who captured.
    Null,
    Ethernet,
    /// At once with IP.
    Raw,
    /// Linux, all interfaces at once.
    Cooked,
    /// The same, second version.
    Cooked2,
}

impl Link {
    /// The kind of link of this number, if it is known.
    pub(super) fn of(number: i32) -> Option<Self> {
        match number {
            0 | 108 => Some(Self::Null),
            1 => Some(Self::Ethernet),
            12 | 14 | 101 | 228 | 229 => Some(Self::Raw),
            113 => Some(Self::Cooked),
            276 => Some(Self::Cooked2),
            _ => None,
        }
    }

    /// The IP packet in a frame.
    fn ip(self, frame: &[u8]) -> Option<&[u8]> {
        let (kind, packet) = match self {
            Self::Raw => return Some(frame),
            Self::Null => return frame.get(4..),
            Self::Ethernet => frame.get(12..)?.split_first_chunk::<2>()?,
            Self::Cooked => frame.get(14..)?.split_first_chunk::<2>()?,
            Self::Cooked2 => (frame.first_chunk::<2>()?, frame.get(20..)?),
        };
        let mut kind = u16::from_be_bytes(*kind);
        let mut packet = packet;
        // Virtual LANs, one in another.
        while matches!(kind, 0x8100 | 0x88A8) {
            let (inner, rest) = packet.get(2..)?.split_first_chunk::<2>()?;
            kind = u16::from_be_bytes(*inner);
            packet = rest;
        }
        matches!(kind, 0x0800 | 0x86DD).then_some(packet)
    }
}

/// Reads frames, and puts fragments together.
#[derive(Debug)]
pub(super) struct Frames {
    fragments: Fragments,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            fragments: Fragments::new(),
        }
    }

    /// Reads a frame.
    pub(super) fn read(&mut self, link: Link, frame: &[u8]) -> Content {
        let Some(packet) = link.ip(frame).and_then(ip) else {
            return Content::Other;
        };
        match packet.fragment {
            None => udp(&packet, packet.payload, false),
            Some(fragment) => {
                if packet.is_cut {
                    return Content::Other;
                }
                let key = (packet.source, packet.destination, fragment.id);
                match self.fragments.add(key, fragment.part, packet.payload) {
                    Some(whole) => udp(&packet, &whole, true),
                    None => Content::Other,
                }
            }
        }
    }
}

struct Ip<'p> {
    source: IpAddr,
    destination: IpAddr,
    hop_limit: u8,
    fragment: Option<Fragmented>,
    payload: &'p [u8],
    is_cut: bool,
}

#[derive(Clone, Copy)]
struct Fragmented {
    id: u32,
    part: Fragment,
}

const UDP: u8 = 17;

fn ip(packet: &[u8]) -> Option<Ip<'_>> {
    match packet.first()? >> 4 {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => None,
    }
}

fn ipv4(packet: &[u8]) -> Option<Ip<'_>> {
    let &[
        first,
        _,
        t0,
        t1,
        i0,
        i1,
        f0,
        f1,
        ttl,
        protocol,
        _,
        _,
        s0,
        s1,
        s2,
        s3,
        d0,
        d1,
        d2,
        d3,
    ] = packet.first_chunk::<20>()?;
    let header = usize::from(first & 0x0F) * 4;
    let total = usize::from(u16::from_be_bytes([t0, t1]));
    if protocol != UDP || header < 20 || total < header {
        return None;
    }
    let offset = u16::from_be_bytes([f0, f1]);
    let part = Fragment {
        offset: usize::from(offset & 0x1FFF) * 8,
        has_more: offset & 0x2000 != 0,
    };
    let is_fragment = part.offset > 0 || part.has_more;
    Some(Ip {
        source: Ipv4Addr::new(s0, s1, s2, s3).into(),
        destination: Ipv4Addr::new(d0, d1, d2, d3).into(),
        hop_limit: ttl,
        fragment: is_fragment.then_some(Fragmented {
            id: u16::from_be_bytes([i0, i1]).into(),
            part,
        }),
        payload: packet.get(header..total.min(packet.len()))?,
        is_cut: packet.len() < total,
    })
}

fn ipv6(packet: &[u8]) -> Option<Ip<'_>> {
    let (header, rest) = packet.split_first_chunk::<40>()?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let is_cut = rest.len() < length;
    let mut payload = rest.get(..length.min(rest.len()))?;
    let address = |at: usize| -> Option<Ipv6Addr> {
        let octets: &[u8; 16] = header.get(at..)?.first_chunk()?;
        Some(Ipv6Addr::from(*octets))
    };
    let mut next = header[6];
    let mut fragment = None;
    loop {
        match next {
            UDP => break,
            // Hop-by-hop, routing, destination options: a length in units of 8 octets, the first not counted.
            0 | 43 | 60 => {
                let &[after, length] = payload.first_chunk::<2>()?;
                payload = payload.get(8 + usize::from(length) * 8..)?;
                next = after;
            }
            44 => {
                let (&[after, _, o0, o1, i0, i1, i2, i3], rest) =
                    payload.split_first_chunk::<8>()?;
                let offset = u16::from_be_bytes([o0, o1]);
                fragment = Some(Fragmented {
                    id: u32::from_be_bytes([i0, i1, i2, i3]),
                    part: Fragment {
                        offset: usize::from(offset & 0xFFF8),
                        has_more: offset & 1 != 0,
                    },
                });
                payload = rest;
                next = after;
            }
            _ => return None,
        }
    }
    Some(Ip {
        source: address(8)?.into(),
        destination: address(24)?.into(),
        hop_limit: header[7],
        fragment,
        payload,
        is_cut,
    })
}

fn udp(packet: &Ip<'_>, datagram: &[u8], fragmented: bool) -> Content {
    let Some((&[s0, s1, d0, d1, l0, l1, _, _], payload)) = datagram.split_first_chunk::<8>() else {
        return Content::Other;
    };
    let (from, to) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    if from != PORT && to != PORT {
        return Content::Other;
    }
    let length = usize::from(u16::from_be_bytes([l0, l1])).saturating_sub(8);
    match payload.get(..length) {
        Some(payload) => Content::Datagram(Datagram {
            source: SocketAddr::new(packet.source, from),
            destination: SocketAddr::new(packet.destination, to),
            hop_limit: packet.hop_limit,
            fragmented,
            payload: payload.to_vec(),
        }),
        None => Content::Cut,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rebuild::ip_packet;
    use super::super::testkit;
    use super::*;

    fn sample(from: &str) -> Vec<u8> {
        ip_packet(&testkit::packet(0, from, b"hello".to_vec()))
    }

    fn payload(content: &Content) -> Option<&[u8]> {
        match content {
            Content::Datagram(datagram) => Some(&datagram.payload),
            Content::Cut | Content::Other => None,
        }
    }

    #[test]
    fn frames_of_all_links_are_read() {
        for from in ["192.0.2.1", "fe80::1"] {
            let packet = sample(from);
            let kind: &[u8] = if from.contains(':') {
                &[0x86, 0xDD]
            } else {
                &[8, 0]
            };
            let framed = |head: &[u8]| [head, kind, &packet].concat();
            let frames = [
                (0, [&[2, 0, 0, 0], &packet[..]].concat()),
                (1, framed(&[0; 12])),
                (1, framed(&[&[0; 12][..], &[0x81, 0, 0, 7]].concat())),
                (101, packet.clone()),
                (113, framed(&[0; 14])),
                (276, [kind, &[0; 18], &packet].concat()),
            ];
            for (link, frame) in frames {
                let content = Frames::new().read(Link::of(link).unwrap(), &frame);
                assert_eq!(payload(&content), Some(&b"hello"[..]), "{link} {from}");
            }
        }
        assert_eq!(Link::of(105), None);
    }

    #[test]
    fn a_datagram_that_was_cut_short_is_told_as_such() {
        let packet = sample("192.0.2.1");
        let cut = packet.get(..packet.len() - 1).unwrap();
        assert_eq!(Frames::new().read(Link::Raw, cut), Content::Cut);
    }

    #[test]
    fn fragments_are_put_together_in_any_order() {
        let whole = testkit::packet(0, "192.0.2.1", vec![7; 100]);
        let packet = ip_packet(&whole);
        let (header, datagram) = packet.split_at(20);
        let fragment = |from: usize, to: usize, more: u8| {
            let part = &datagram[from..to];
            let mut header = header.to_vec();
            header[2..4].copy_from_slice(&u16::try_from(20 + part.len()).unwrap().to_be_bytes());
            header[6] = more;
            header[7] = u8::try_from(from / 8).unwrap();
            [&header[..], part].concat()
        };
        let mut frames = Frames::new();
        assert_eq!(
            frames.read(Link::Raw, &fragment(64, 108, 0)),
            Content::Other
        );
        let content = frames.read(Link::Raw, &fragment(0, 64, 0x20));
        assert_eq!(payload(&content), Some(&[7; 100][..]));
        assert!(matches!(
            content,
            Content::Datagram(Datagram {
                fragmented: true,
                ..
            })
        ));
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_frame_holds_is_read_without_harm(
            link in 0..5_usize,
            frame in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)
        ) {
            let links = [Link::Null, Link::Ethernet, Link::Raw, Link::Cooked, Link::Cooked2];
            let _ = Frames::new().read(links[link], &frame);
        }
    }
}
