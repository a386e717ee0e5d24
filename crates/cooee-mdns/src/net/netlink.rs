//! Linux's route netlink, as far as interfaces and their addresses go: octets to messages and back.
//!
//! Pure functions on octets; the socket is in `netlink_source`. Numbers are in the order of the machine. A message with the parts of
//! another system's future, or cut in the middle, is skipped: the kernel is no stranger, but a parser that trusts lengths is none.

use std::net::IpAddr;

use super::interface::Address;

/// The multicast groups that tell of links and addresses: RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR.
pub(super) const GROUPS: u32 = 0x1 | 0x10 | 0x100;

/// One thing that the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// An interface is there, or is different from before.
    Link(Link),
    /// An interface is gone.
    LinkGone(u32),
    /// The interface with this index has an address, or the address is different from before.
    Address(u32, Entry),
    AddressGone(u32, Entry),
    /// All that was asked for has been told. `interrupted`: it changed meanwhile and may be inconsistent.
    Done {
        interrupted: bool,
    },
    /// A request failed with this error number.
    Failed(i32),
}

/// An interface without its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    /// IFF_*, of which those of `flags` are looked at.
    pub(super) flags: u32,
    pub(super) name: String,
    pub(super) mtu: Option<u32>,
    pub(super) master: Option<u32>,
    pub(super) kind: Option<String>,
}

/// An entry of the kernel's list of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) address: Address,
    /// The other end of a point-to-point link; elsewhere the address itself.
    pub(super) peer: IpAddr,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Links,
    Addresses,
}

pub(super) mod flags {
    pub(in crate::net) const UP: u32 = 0x1;
    pub(in crate::net) const LOOPBACK: u32 = 0x8;
    pub(in crate::net) const POINT_TO_POINT: u32 = 0x10;
    pub(in crate::net) const RUNNING: u32 = 0x40;
    pub(in crate::net) const MULTICAST: u32 = 0x1000;
}

/// The request for a dump of all links or addresses.
pub(super) fn request(question: Question, sequence: u32) -> [u8; 32] {
    let kind: u16 = match question {
        Question::Links => message::GET_LINK,
        Question::Addresses => message::GET_ADDRESS,
    };
    let mut octets = [0; 32];
    // Header of 16 octets, then an `ifinfomsg` of 16 with the family left open.
    let fields = [
        (0, &32_u32.to_ne_bytes()[..]),
        (4, &kind.to_ne_bytes()[..]),
        (6, &(REQUEST | DUMP).to_ne_bytes()[..]),
        (8, &sequence.to_ne_bytes()[..]),
    ];
    for (at, field) in fields {
        for (to, from) in octets.iter_mut().skip(at).zip(field) {
            *to = *from;
        }
    }
    octets
}

/// What a datagram of the kernel says, in order.
pub(super) fn parse(datagram: &[u8]) -> impl Iterator<Item = Told> + '_ {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        while let Some((header, body, after)) = next_message(rest) {
            rest = after;
            if let Some(told) = told(header, body) {
                return Some(told);
            }
        }
        rest = &[];
        None
    })
}

struct Header {
    kind: u16,
    flags: u16,
}

fn next_message(octets: &[u8]) -> Option<(Header, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(octets, 0)?).ok()?;
    // A length below that of the header, 0 above all, would never end.
    let body = octets.get(16..length)?;
    let header = Header {
        kind: u16_at(octets, 4)?,
        flags: u16_at(octets, 6)?,
    };
    let after = octets.get(aligned(length)..).unwrap_or_default();
    Some((header, body, after))
}

fn told(header: Header, body: &[u8]) -> Option<Told> {
    match header.kind {
        message::ERROR => error(body).map(Told::Failed),
        // The last message of a list tells too if the list broke off.
        message::DONE => Some(match error(body) {
            Some(error) => Told::Failed(error),
            None => Told::Done {
                interrupted: header.flags & DUMP_INTERRUPTED != 0,
            },
        }),
        message::NEW_LINK => link(body).map(Told::Link),
        message::DELETED_LINK => link(body).map(|link| Told::LinkGone(link.index)),
        message::NEW_ADDRESS => address(body).map(|(index, address)| Told::Address(index, address)),
        message::DELETED_ADDRESS => {
            address(body).map(|(index, address)| Told::AddressGone(index, address))
        }
        _ => None,
    }
}

/// An error number, negative, or 0 for none.
fn error(body: &[u8]) -> Option<i32> {
    let number = i32::from_ne_bytes(*body.first_chunk()?);
    (number < 0).then(|| number.saturating_neg())
}

/// An `ifinfomsg`: family u8, pad u8, type u16, index i32, flags u32, change u32.
fn link(body: &[u8]) -> Option<Link> {
    // Bridges speak in their own family, of ports; "deleted" then means that the port has left the bridge.
    if *body.first()? != FAMILY_UNSPECIFIED {
        return None;
    }
    let mut link = Link {
        index: u32_at(body, 4).filter(|&index| index != 0)?,
        flags: u32_at(body, 8)?,
        ..Link::default()
    };
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            attribute::IFNAME => link.name = text(value),
            attribute::MTU => link.mtu = u32_at(value, 0),
            attribute::MASTER => link.master = u32_at(value, 0).filter(|&index| index != 0),
            attribute::LINK_INFO => {
                link.kind = attributes(value)
                    .find(|&(kind, _)| kind == attribute::INFO_KIND)
                    .map(|(_, value)| text(value));
            }
            _ => {}
        }
    }
    Some(link)
}

/// An `ifaddrmsg`: family u8, prefix length u8, flags u8, scope u8, index u32.
fn address(body: &[u8]) -> Option<(u32, Entry)> {
    let &[family, prefix_len, short_flags, _scope] = body.first_chunk()?;
    let index = u32_at(body, 4).filter(|&index| index != 0)?;
    let (mut peer, mut local, mut address_flags) = (None, None, u32::from(short_flags));
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            attribute::ADDRESS => peer = ip(family, value),
            attribute::LOCAL => local = ip(family, value),
            attribute::ADDRESS_FLAGS => address_flags = u32_at(value, 0).unwrap_or(address_flags),
            _ => {}
        }
    }
    // On a point-to-point link ADDRESS is the peer's and LOCAL ours; elsewhere they are the same, and IPv6 tells only ADDRESS.
    let address = local.or(peer)?;
    let is_optimistic = address_flags & OPTIMISTIC != 0;
    let is_tentative =
        address_flags & DUPLICATE != 0 || (address_flags & TENTATIVE != 0 && !is_optimistic);
    let entry = Entry {
        address: Address {
            address,
            prefix_len,
            is_tentative,
            is_deprecated: address_flags & DEPRECATED != 0,
        },
        peer: peer.unwrap_or(address),
    };
    Some((index, entry))
}

/// A run of attributes: length u16 with these four octets, type u16, value, padding to four.
fn attributes(octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)? & ATTRIBUTE_TYPE;
        let value = rest.get(4..length)?;
        rest = rest.get(aligned(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn ip(family: u8, octets: &[u8]) -> Option<IpAddr> {
    match family {
        FAMILY_IPV4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        FAMILY_IPV6 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}

fn text(octets: &[u8]) -> String {
    let octets = octets.split(|&octet| octet == 0).next().unwrap_or_default();
    String::from_utf8_lossy(octets).into_owned()
}

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    let field = octets.get(at..)?.first_chunk()?;
    Some(u16::from_ne_bytes(*field))
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    let field = octets.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*field))
}

const fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;
const DUMP_INTERRUPTED: u16 = 0x10;
/// The rest of the attribute type are flags.
const ATTRIBUTE_TYPE: u16 = 0x3fff;

const FAMILY_UNSPECIFIED: u8 = 0;
const FAMILY_IPV4: u8 = 2;
const FAMILY_IPV6: u8 = 10;

/// Checked for duplicates, but to be used meanwhile (RFC 4429).
const OPTIMISTIC: u32 = 0x4;
const DUPLICATE: u32 = 0x8;
const DEPRECATED: u32 = 0x20;
const TENTATIVE: u32 = 0x40;

mod message {
    pub(super) const ERROR: u16 = 2;
    pub(super) const DONE: u16 = 3;
    pub(super) const NEW_LINK: u16 = 16;
    pub(super) const DELETED_LINK: u16 = 17;
    pub(super) const GET_LINK: u16 = 18;
    pub(super) const NEW_ADDRESS: u16 = 20;
    pub(super) const DELETED_ADDRESS: u16 = 21;
    pub(super) const GET_ADDRESS: u16 = 22;
}

mod attribute {
    pub(super) const IFNAME: u16 = 3;
    pub(super) const MTU: u16 = 4;
    pub(super) const MASTER: u16 = 10;
    pub(super) const LINK_INFO: u16 = 18;
    pub(super) const INFO_KIND: u16 = 1;

    pub(super) const ADDRESS: u16 = 1;
    pub(super) const LOCAL: u16 = 2;
    pub(super) const ADDRESS_FLAGS: u16 = 8;
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(16 + body.len()).unwrap();
        let mut octets = length.to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.extend(flags.to_ne_bytes());
        octets.extend([0; 8]);
        octets.extend(body);
        octets.resize(aligned(octets.len()), 0);
        octets
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut octets = length.to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.extend(value);
        octets.resize(aligned(octets.len()), 0);
        octets
    }

    fn link_body(family: u8, index: u32, flags: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![family, 0, 0, 0];
        body.extend(index.to_ne_bytes());
        body.extend(flags.to_ne_bytes());
        body.extend([0; 4]);
        body.extend(attributes.concat());
        body
    }

    fn address_body(family: u8, prefix: u8, flags: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![family, prefix, flags, 0];
        body.extend(7_u32.to_ne_bytes());
        body.extend(attributes.concat());
        body
    }

    fn all(datagram: &[u8]) -> Vec<Told> {
        parse(datagram).collect()
    }

    #[test]
    fn a_link_is_read_with_name_kind_master_and_mtu() {
        let body = link_body(
            0,
            7,
            flags::UP | flags::MULTICAST,
            &[
                attribute(attribute::IFNAME, b"eth0\0"),
                attribute(attribute::MTU, &1500_u32.to_ne_bytes()),
                attribute(attribute::MASTER, &3_u32.to_ne_bytes()),
                attribute(
                    // NLA_F_NESTED
                    attribute::LINK_INFO | 0x8000,
                    &attribute(attribute::INFO_KIND, b"veth\0"),
                ),
            ],
        );
        let expected = Link {
            index: 7,
            flags: flags::UP | flags::MULTICAST,
            name: "eth0".into(),
            mtu: Some(1500),
            master: Some(3),
            kind: Some("veth".into()),
        };
        assert_eq!(
            all(&message(message::NEW_LINK, 0, &body)),
            [Told::Link(expected)]
        );
        assert_eq!(
            all(&message(message::DELETED_LINK, 0, &body)),
            [Told::LinkGone(7)]
        );
    }

    #[test]
    fn a_port_leaving_its_bridge_is_not_an_interface_that_goes() {
        const BRIDGE: u8 = 7;
        let body = link_body(BRIDGE, 7, 0, &[]);
        assert_eq!(all(&message(message::DELETED_LINK, 0, &body)), []);
    }

    #[test]
    fn of_a_point_to_point_address_the_local_end_is_ours() {
        let body = address_body(
            FAMILY_IPV4,
            32,
            0,
            &[
                attribute(attribute::ADDRESS, &[10, 0, 0, 2]),
                attribute(attribute::LOCAL, &[10, 0, 0, 1]),
            ],
        );
        let ours = Entry {
            address: Address {
                address: Ipv4Addr::new(10, 0, 0, 1).into(),
                prefix_len: 32,
                is_tentative: false,
                is_deprecated: false,
            },
            peer: Ipv4Addr::new(10, 0, 0, 2).into(),
        };
        assert_eq!(
            all(&message(message::NEW_ADDRESS, 0, &body)),
            [Told::Address(7, ours)]
        );
    }

    #[test]
    fn the_long_flags_replace_the_short_ones() {
        let address = Ipv6Addr::LOCALHOST.octets();
        let tentative = |short: u8, long: Option<u32>| {
            let mut attributes = vec![attribute(attribute::ADDRESS, &address)];
            attributes.extend(long.map(|l| attribute(attribute::ADDRESS_FLAGS, &l.to_ne_bytes())));
            let body = address_body(FAMILY_IPV6, 64, short, &attributes);
            match all(&message(message::NEW_ADDRESS, 0, &body))[..] {
                [Told::Address(7, entry)] => entry.address.is_tentative,
                ref other => panic!("{other:?}"),
            }
        };
        assert!(tentative(0x40, None));
        assert!(!tentative(0x40, Some(0x80)));
        assert!(tentative(0, Some(DUPLICATE)));
        assert!(!tentative(0, Some(TENTATIVE | OPTIMISTIC)));
    }

    #[test]
    fn an_address_past_its_preferred_time_is_told_as_such() {
        let address = attribute(attribute::ADDRESS, &Ipv6Addr::LOCALHOST.octets());
        let is_deprecated = |flags: u32| {
            let long = attribute(attribute::ADDRESS_FLAGS, &flags.to_ne_bytes());
            let body = address_body(FAMILY_IPV6, 64, 0, &[address.clone(), long]);
            match all(&message(message::NEW_ADDRESS, 0, &body))[..] {
                [Told::Address(7, entry)] => entry.address.is_deprecated,
                ref other => panic!("{other:?}"),
            }
        };
        assert!(is_deprecated(DEPRECATED) && !is_deprecated(TENTATIVE));
    }

    #[test]
    fn several_messages_stand_in_one_datagram() {
        let mut datagram = message(message::DELETED_LINK, 0, &link_body(0, 7, 0, &[]));
        datagram.extend(message(
            999,
            0,
            b"a kind of another day, with an odd length",
        ));
        datagram.extend(message(message::DONE, DUMP_INTERRUPTED, &[0; 4]));
        assert_eq!(
            all(&datagram),
            [Told::LinkGone(7), Told::Done { interrupted: true }]
        );
    }

    #[test]
    fn an_error_is_told_and_a_mere_acknowledgement_is_not() {
        let error = |number: i32| message(message::ERROR, 0, &number.to_ne_bytes());
        assert_eq!(all(&error(-1)), [Told::Failed(1)]);
        assert_eq!(all(&error(0)), []);
        assert_eq!(all(&error(i32::MIN)), [Told::Failed(i32::MAX)]);
    }

    #[test]
    fn a_list_that_breaks_off_with_an_error_is_not_a_whole_one() {
        let done = |number: i32| message(message::DONE, 0, &number.to_ne_bytes());
        assert_eq!(all(&done(0)), [Told::Done { interrupted: false }]);
        assert_eq!(all(&done(-12)), [Told::Failed(12)]);
    }

    #[test]
    fn a_length_of_zero_ends_the_loop_and_no_prefix_of_a_datagram_panics() {
        assert_eq!(all(&[0; 64]), []);
        let body = link_body(
            0,
            7,
            0,
            &[attribute(attribute::IFNAME, b"eth0\0"), vec![0; 8]],
        );
        let mut datagram = message(message::NEW_LINK, 0, &body);
        datagram.extend(message(
            message::NEW_ADDRESS,
            0,
            &address_body(
                FAMILY_IPV4,
                24,
                0,
                &[attribute(attribute::LOCAL, &[10, 0, 0, 1])],
            ),
        ));
        for end in 0..datagram.len() {
            parse(&datagram[..end]).count();
        }
        for at in 0..datagram.len() {
            for value in [0, 1, 3, 4, 15, 16, 0x7f, 0xff] {
                let mut spoilt = datagram.clone();
                spoilt[at] = value;
                parse(&spoilt).count();
            }
        }
    }

    #[test]
    fn a_request_says_its_length_and_asks_for_a_dump() {
        let octets = request(Question::Addresses, 5);
        let (header, body, after) = next_message(&octets).unwrap();
        assert_eq!(header.kind, message::GET_ADDRESS);
        assert_eq!(header.flags, REQUEST | DUMP);
        assert_eq!(u32_at(&octets, 8), Some(5));
        assert_eq!((body.len(), after.len()), (16, 0));
    }
}
