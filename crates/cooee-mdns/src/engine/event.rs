//! What the application is told.

use cooee_wire::{NameBuf, RecordBuf, RecordType};

use super::link_info::LinkId;
use super::record_set::GroupId;

/// The number of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub(super) u64);

/// Something that the application should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The group's records wait: no link of the group is up.
    Waiting {
        /// The group.
        group: GroupId,
    },
    /// The group's names are ours on every link that was up, and the first announcement goes out now.
    Ready {
        /// The group.
        group: GroupId,
    },
    /// Somebody else owns a name of the group. The group is silent until it is renamed or withdrawn.
    // RFC 6762 §9 (6762-9-4)
    Conflict {
        /// The group.
        group: GroupId,
        /// The link on which the name was lost.
        link: LinkId,
        /// The name that was lost.
        name: NameBuf,
    },
    /// Another program of this host has the group's host name, so it is used and not claimed. When that program goes the name is probed for,
    /// and [`Ready`](Self::Ready) tells that it is ours.
    // Ruling 22
    Borrowed {
        /// The group.
        group: GroupId,
    },
    /// A record that answers a query has come or gone.
    Answer {
        /// The query.
        query: QueryId,
        /// Where the record was seen.
        link: LinkId,
        /// The record, with the TTL as received.
        record: RecordBuf,
        /// Whether it is there.
        presence: Presence,
        /// Published by this engine.
        own: bool,
    },
    /// The owner of the name says that it has no record of this type.
    // RFC 6762 §6.1
    Denied {
        /// The query.
        query: QueryId,
        /// Where it was said.
        link: LinkId,
        /// The name.
        name: NameBuf,
        /// The type that does not exist.
        kind: RecordType,
    },
    /// A one-shot query has ended: it has got a complete answer, or its time is up. Any query that was made after a
    /// [`shutdown`](super::Engine::shutdown) ends so too.
    Finished {
        /// The query.
        query: QueryId,
    },
    /// Another program on this host uses port 5353, so unicast may not reach us (ruling 2).
    PortShared {
        /// Where it was noticed.
        link: LinkId,
    },
    /// Nothing can be sent on the link (ruling 26). It is left out until something happens to it.
    LinkUnusable {
        /// The link.
        link: LinkId,
    },
}

impl Event {
    /// Whether it tells of this group.
    pub(super) fn is_about(&self, wanted: GroupId) -> bool {
        match self {
            Self::Waiting { group }
            | Self::Ready { group }
            | Self::Conflict { group, .. }
            | Self::Borrowed { group } => *group == wanted,
            Self::Answer { .. }
            | Self::Denied { .. }
            | Self::Finished { .. }
            | Self::PortShared { .. }
            | Self::LinkUnusable { .. } => false,
        }
    }
}

/// Whether a record is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third state")]
pub enum Presence {
    /// It is there.
    Present,
    /// It has gone: its owner said goodbye, or it ran out.
    Gone,
}

/// How a question is to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryOptions {
    /// End with the first complete answer, or after this time; otherwise the query stands until it is cancelled.
    pub one_shot: Option<core::time::Duration>,
}

impl QueryOptions {
    /// A query that stands until it is cancelled.
    // RFC 6762 §5.2
    pub fn standing() -> Self {
        Self::default()
    }

    /// A query that ends with the first complete answer, or after `timeout` (ruling 3).
    pub fn one_shot(timeout: core::time::Duration) -> Self {
        Self {
            one_shot: Some(timeout),
        }
    }
}
