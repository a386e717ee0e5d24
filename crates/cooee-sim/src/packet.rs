//! A packet as it went over the wire, and as it is printed.

use std::fmt;
use std::net::SocketAddr;

use cooee_mdns::{Instant, LinkId};
use cooee_wire::{Message, Record, Section};

use crate::host::HostId;

/// A packet that a host has sent.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When it was sent.
    pub at: Instant,
    /// On which link.
    pub link: LinkId,
    /// By whom; `None`: it was injected.
    pub host: Option<HostId>,
    /// The name of that host.
    pub sender: String,
    /// From where.
    pub source: SocketAddr,
    /// To where.
    pub destination: SocketAddr,
    /// The message.
    pub payload: Vec<u8>,
}

impl fmt::Display for Packet {
    /// One line, as a capture would show it: `?` a query, `=` a response, `-` a goodbye; records with their data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.destination.ip().is_multicast() {
            "all".to_owned()
        } else {
            self.destination.to_string()
        };
        let family = if self.source.is_ipv4() { 4 } else { 6 };
        write!(
            f,
            "{:>9} {} v{family} {:<8} > {to:<5}",
            self.at, self.link, self.sender
        )?;
        let Ok(message) = Message::parse(&self.payload) else {
            return write!(f, " {} octets that are no message", self.payload.len());
        };
        let flags = message.header().flags;
        f.write_str(if flags.is_response() { " =" } else { " ?" })?;
        if flags.is_truncated() {
            f.write_str(" TC")?;
        }
        for question in message.questions().filter_map(Result::ok) {
            let mode = if question.unicast_response { " QU" } else { "" };
            write!(f, " {} {}{mode}", question.name, question.kind)?;
        }
        let mut last = None;
        for (section, record) in message.records().filter_map(Result::ok) {
            if last.replace(section) != Some(section) {
                f.write_str(match section {
                    Section::Answer => " an",
                    Section::Authority => " ns",
                    Section::Additional => " ar",
                })?;
            }
            write_record(f, &record)?;
        }
        Ok(())
    }
}

fn write_record(f: &mut fmt::Formatter<'_>, record: &Record<'_>) -> fmt::Result {
    let sign = if record.ttl == 0 { "-" } else { "" };
    let flush = if record.cache_flush { " flush" } else { "" };
    write!(
        f,
        " {sign}[{} {} {} ttl {}{flush}]",
        record.name,
        record.kind(),
        record.rdata,
        record.ttl
    )
}
