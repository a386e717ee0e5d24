//! What came, went, and was dropped, and why.

/// Counters of a driver since it was started; datagrams unless something else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Handed to the engine, copies of what it has sent itself among them.
    pub received: u64,
    /// Octets of these.
    pub received_octets: u64,
    /// Arrived on a link that is not in use.
    pub dropped_other_link: u64,
    /// Were for another group on port 5353, or for no address of ours.
    pub dropped_other_destination: u64,
    /// Were longer than any multicast DNS message may be (9000 octets with headers).
    pub dropped_too_long: u64,
    /// Could not be received: the system gave an error, or did not tell where they came from.
    pub receive_errors: u64,
    /// Were thrown away by the system because they came faster than they were fetched.
    pub lost_by_system: u64,
    /// Left by multicast, each family counted apart.
    pub sent_multicast: u64,
    /// Left by unicast.
    pub sent_unicast: u64,
    /// Octets of all that left.
    pub sent_octets: u64,
    /// Refused by the system, each family counted apart.
    pub send_failures: u64,
    /// Held back for a few milliseconds so that no receiver is flooded.
    pub paced: u64,
    /// Times that the machine was found to have been asleep.
    pub suspends: u64,
    /// Times that the task had something to do; an idle one has nothing for minutes.
    pub wakeups: u64,
}
