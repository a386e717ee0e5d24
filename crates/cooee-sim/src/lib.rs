//! A network in memory, in simulated time.
//!
//! [`Network`] connects any number of [`Node`](cooee_mdns::Node)s by links with delay, jitter, loss and duplication. Nothing sleeps: an hour passes in
//! the time that its packets take to compute. Everything that is left to chance comes from one seed, so a failing run can be had
//! again by its number.
//!
//! Every packet is kept and can be printed ([`Network::transcript`]; with what stations were told, [`Network::chronicle`]), and every packet is judged: what breaks a rule of RFC 6762 that can be
//! seen on the wire is in [`Network::violations`].
//!
//! ```
//! use core::time::Duration;
//! use cooee_mdns::{LinkSet, QueryOptions, RecordSet};
//! use cooee_sim::{Conditions, Network, Station};
//! use cooee_wire::{QuestionBuf, RdataBuf, RecordBuf, RecordType};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut network = Network::new(7);
//! let lan = network.add_link(Conditions::default());
//! let alice = network.add_station("alice");
//! let bob = network.add_station("bob");
//! network.join(alice, lan, &["192.0.2.1/24".parse()?]);
//! network.join(bob, lan, &["192.0.2.2/24".parse()?]);
//!
//! let text = RecordBuf::new("note.local".parse()?, 120, RdataBuf::txt([b"hello"])?);
//! network.command(alice, |node, now| node.engine.publish(now, RecordSet::new().unique(text), LinkSet::All))?;
//! let question = QuestionBuf::new("note.local".parse()?, RecordType::TXT);
//! network.command(bob, |node, now| node.engine.query(now, question, QueryOptions::standing(), LinkSet::All));
//!
//! network.run_for(Duration::from_secs(2));
//! assert_eq!(network.node(bob).answers().len(), 1);
//! assert!(network.violations().is_empty(), "{}", network.transcript());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod address;
mod chance;
mod chronicle;
mod host;
mod monitor;
mod network;
mod packet;
mod station;
mod story;
mod traffic;
mod wire;

pub use address::{Address, AddressError};
pub use host::HostId;
pub use monitor::{Monitor, Violation};
pub use network::Network;
pub use packet::Packet;
pub use station::{Answer, Station};
pub use story::{Attack, Failure, Step, Story, Summary};
pub use traffic::Traffic;
pub use wire::Conditions;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
