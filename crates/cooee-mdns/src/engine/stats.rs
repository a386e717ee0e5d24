//! Counts, and sizes.

/// What an engine has received and what it made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Datagrams received, own copies not counted.
    pub received: u64,
    /// Queries among them.
    pub queries: u64,
    /// Responses among them.
    pub responses: u64,
    /// Datagrams of our own that came back.
    pub own_copies: u64,
    /// Dropped: not a DNS message, or broken from some place on.
    pub malformed: u64,
    /// Dropped: operation or response code not zero.
    // RFC 6762 §18.3 (6762-18.3-2), §18.11 (6762-18.11-2)
    pub not_a_query: u64,
    /// Dropped: a response from a port other than 5353.
    // RFC 6762 §6 (6762-6-25)
    pub wrong_port: u64,
    /// Dropped: unicast from somewhere that is not on the link.
    // RFC 6762 §11 (6762-11-3), §5.5 (6762-5.5-2)
    pub off_link: u64,
    /// Dropped: a unicast response that nobody asked for.
    // RFC 6762 §6 (6762-6-29)
    pub unsolicited: u64,
    /// Dropped: sent to another multicast group, or to everybody.
    pub not_for_us: u64,
    /// Dropped: on a link that is not in use.
    pub no_link: u64,
    /// Records, questions and queries dropped because a bound was reached.
    pub over_limit: u64,
    /// Cached records that had to make room for others.
    pub evicted: u64,
    /// Datagrams given out for sending.
    pub sent: u64,
    /// Sends that the system refused.
    pub send_failures: u64,
    /// Conflicts about our names.
    pub conflicts: u64,
}

/// How much an engine keeps, on all its links together. What strangers can add to has a bound: see [`Config`](super::Config).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sizes {
    /// Records of others that somebody here asks for.
    pub asked_records: usize,
    /// Records of others that nobody here asks for.
    pub unasked_records: usize,
    /// Questions that stand, each as often as there are links on which it is asked.
    pub questions: usize,
    /// Records of ours, each as often as there are links on which it is published; those that deny the rest of a name are counted too.
    pub own_records: usize,
    /// Answers that wait to be multicast.
    pub pending_answers: usize,
    /// Answers to one host alone that wait to be sent.
    pub pending_replies: usize,
    /// Goodbyes that have still to be said, or to be heard of.
    pub goodbyes: usize,
    /// Events that have not been polled.
    pub events: usize,
    /// Entries in the queues of deadlines; some of them are void.
    pub deadlines: usize,
}
