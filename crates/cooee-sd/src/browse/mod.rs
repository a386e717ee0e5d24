//! The browser: records in, questions and services out.
//!
//! The machine holds, for every instance and link, what the records of that link say. Nothing is an event until somebody
//! reads: [`Browser::poll_event`] compares what is true with what was told, so a slow reader gets fewer events and misses
//! nothing that is still true (ruling 32).
//!
//! ```text
//! PTR ──► instance ──► SRV and TXT asked on that link ──► host ──► A and AAAA asked on that link, once for each host
//! ```

mod ask;
mod found;
mod hosts;
mod index;
mod instances;
mod machine;
mod pointers;
mod resolve;
mod spec;
mod timers;

use core::time::Duration;

pub use ask::{Ask, AskId};
pub use found::{
    BrowseEvent, Found, FoundAddress, Missing, Snapshot, Target, Ttl, Unresolved, View,
};
pub use machine::Browser;
pub use spec::{BrowseSpec, Limits, Refused};

pub(crate) use ask::Asks;

/// Where something was seen. The number is the transport's; the machine only compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a number that others give")]
pub struct Link(pub u32);

/// Whether a record is there, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a record is there or it is not")]
pub enum Presence {
    /// It was received, or was there already.
    Present,
    /// It was taken back, or its lifetime ended.
    Gone,
}

/// How long what was seen on a link that went down is kept.
// RFC 6762 §10.3 (6762-10.3-1), ruling 33
pub(crate) const LINK_PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
