//! The response that every builder builds: ten records of a speaker and a printer, without their types.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a record holds.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// An address.
    A(Ipv4Addr),
    /// An address.
    Aaaa(Ipv6Addr),
    /// Another name.
    Ptr(&'static str),
    /// A port and a host.
    Srv(u16, &'static str),
    /// Strings.
    Txt(&'static [&'static str]),
}

/// Owner, TTL and content of each record.
pub const RECORDS: [(&str, u32, Content); 10] = [
    ("_http._tcp.local", 4500, Content::Ptr(SPEAKER)),
    ("_http._tcp.local", 4500, Content::Ptr(PRINTER)),
    (
        "_printer._sub._http._tcp.local",
        4500,
        Content::Ptr(PRINTER),
    ),
    (SPEAKER, 120, Content::Srv(8080, HOST)),
    (
        SPEAKER,
        4500,
        Content::Txt(&["path=/speaker", "version=2", "id=b827eb-speaker"]),
    ),
    (PRINTER, 120, Content::Srv(8081, HOST)),
    (
        PRINTER,
        4500,
        Content::Txt(&["path=/printer", "version=1", "id=b827eb-printer", "color"]),
    ),
    (HOST, 120, Content::A(Ipv4Addr::new(192, 0, 2, 17))),
    (
        HOST,
        120,
        Content::Aaaa(Ipv6Addr::new(
            0xfe80, 0, 0, 0, 0xba27, 0xebff, 0xfe12, 0x3456,
        )),
    ),
    (
        HOST,
        120,
        Content::Aaaa(Ipv6Addr::new(
            0x2001, 0xdb8, 0, 0, 0xba27, 0xebff, 0xfe12, 0x3456,
        )),
    ),
];

const SPEAKER: &str = "living-room-speaker._http._tcp.local";
const PRINTER: &str = "upstairs-office-printer._http._tcp.local";
const HOST: &str = "raspberry-12-34-56.local";
