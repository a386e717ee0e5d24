//! Multicast DNS ([RFC 6762]) in two halves.
//!
//! - The **engine** ([`Engine`]) is the protocol as a state machine: it probes, announces, answers, asks, caches and
//!   says goodbye. It never touches a socket, a clock or a random source. Datagrams, link changes, commands and the time come in as
//!   arguments; datagrams to send, events and the next deadline come out. It is `no_std` with `alloc`.
//! - The **driver** (module [`net`], feature `net`, on by default) connects an engine to the machine's interfaces with tokio.
//!
//! The contract with an engine is one sentence: *after every call that changes something, drain
//! [`Engine::poll_transmit`] and [`Engine::poll_event`] until they are empty, then sleep until [`Engine::poll_timeout`].*
//!
//! [RFC 6762]: https://www.rfc-editor.org/rfc/rfc6762
#![cfg_attr(not(feature = "net"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod engine;
#[cfg(feature = "net")]
pub mod net;

pub use engine::{
    Config, Datagram, Destination, Engine, Event, Family, GroupId, Instant, LinkAddress, LinkId,
    LinkInfo, LinkSet, Node, Prefix, Presence, PublishError, QueryId, QueryOptions, RecordSet,
    Sizes, Stats, Transmit, TransmitId,
};

#[cfg(all(doctest, feature = "net"))]
#[doc = include_str!("../README.md")]
struct Readme;
