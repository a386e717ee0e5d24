//! A conformance test for multicast DNS (RFC 6762) and DNS service discovery (RFC 6763) that any stack can be run through.
//!
//! The tester sits on a link with one *subject*, starts it through a small [adapter](subject), sends and watches, and judges what it
//! sees. It knows nothing of how the subject is made; the packets are the evidence.
//!
//! - [`tests`](all()) is the list of what is judged; each [`Test`] names the clauses that make its claim a duty.
//! - A breach of a MUST, or of a rule without which others suffer, is a *fail*; of a SHOULD, or slowness within reason, a *warn*. Where
//!   the RFC leaves room, every reading passes. What the adapter cannot do is *not applicable*.
//! - [`run_in_lab`] makes links of its own in network namespaces; [`run`] uses an interface that is there.
//!
//! ```
//! let probing = cooee_conformance::all().iter().filter(|test| test.is_meant_by("6762-8")).count();
//! assert!(probing > 5);
//! ```
//!
//! To add a test, write a function over [`Stage`] and put a [`Test`] into the table of its module.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod evidence;
mod lab;
mod link;
mod matrix;
mod packet;
mod querier;
mod query;
mod report;
mod responder;
mod run;
mod service;
mod stage;
pub mod subject;
mod test;

pub use evidence::{keep, pcap, text};
pub use lab::Lab;
pub use link::{Address, From, GROUP_V4, GROUP_V6, Link, PORT};
pub use matrix::{Cell, Contender, Mark, matrix};
pub use packet::{Contents, Packet};
pub use query::{Outgoing, flushed, with_ttl};
pub use report::{Tally, json, line, list, list_markdown, markdown};
pub use run::{Place, Run, run, run_in_lab};
pub use service::{Service, foreign_srv, name};
pub use stage::{Stage, Stop, ms};
pub use test::{Finding, Outcome, Role, Start, Test, Verdict};

/// All tests, in the order of reports.
pub fn all() -> Vec<Test> {
    responder::tests().chain(querier::tests()).collect()
}
