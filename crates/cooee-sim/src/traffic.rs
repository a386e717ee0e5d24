//! How much has gone over the links.

/// What has gone over the links so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Packets sent; a multicast counts once for each family.
    pub packets: u64,
    /// Queries among them.
    pub queries: u64,
    /// Bytes of UDP payload in them.
    pub bytes: u64,
    /// Packets that have reached a host; a multicast counts once for each receiver.
    pub deliveries: u64,
}
