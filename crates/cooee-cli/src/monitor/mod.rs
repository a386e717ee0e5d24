//! What `cooee monitor` knows of packets, for other commands too.
//!
//! ```text
//! Live ┐
//!      ├ Packet → Inspector → Inspected (tags, findings) → rows, JSON, a summary
//! file ┘
//! ```
//!
//! The [`Inspector`] is plain: packets with their time, interface, addresses and TTL in, tagged packets and findings
//! out, no I/O and no clock. [`Live`] brings the packets of the links. Both [`Inspected::json`] and [`Finding::json`]
//! are lines as docs/json.md has them.

mod bounded;
mod decoded;
#[cfg(test)]
mod engine_tests;
pub(crate) mod filter;
mod fragments;
mod frame;
mod history;
mod hosts;
mod inspector;
mod json;
#[cfg(test)]
mod lab_tests;
mod lint;
mod live;
mod names;
#[cfg(test)]
pub(crate) mod output_tests;
mod packet;
mod pcap_read;
mod pcap_write;
mod rebuild;
mod seen;
mod summary;
mod tags;
#[cfg(test)]
mod testkit;
mod text;

pub(crate) use inspector::{Inspected, Inspector};
pub(crate) use lint::{Finding, Level};
pub(crate) use live::Live;
pub(crate) use packet::Packet;
pub(crate) use pcap_read::{PcapReader, Skipped};
pub(crate) use pcap_write::PcapWriter;
pub(crate) use summary::Summary;
pub(crate) use text::Shape;
