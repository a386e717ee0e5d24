//! What can be chosen, and every number of RFC 6762 beside its clause.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

/// Choices of an engine; [`Config::default`] is what RFC 6762 recommends.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// How many records nobody has asked for are kept per link. Any host on the link can fill this.
    pub unasked_records: usize,
    /// How many records that somebody has asked for are kept per link. Any host that answers can fill this.
    pub asked_records: usize,
    /// How many unicast replies may wait to be sent per link. Any host that asks can fill this.
    pub pending_replies: usize,
    /// Longest time in seconds that a received record is believed without being refreshed.
    pub max_ttl: u32,
}

impl Default for Config {
    fn default() -> Self {
        // Ruling 37.
        Self {
            unasked_records: 4096,
            asked_records: 65_536,
            pending_replies: 256,
            max_ttl: 7 * 24 * 3600,
        }
    }
}

/// The port of multicast DNS.
// RFC 6762 §22 (6762-22-1)
pub(super) const PORT: u16 = 5353;

/// The groups of multicast DNS.
// RFC 6762 §22 (6762-22-1), §12 (6762-12-2)
pub(super) const GROUPS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
    IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)),
];

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Delay of the first query of a series.
// RFC 6762 §5.2 (6762-5.2-6)
pub(super) const FIRST_QUERY_DELAY: (Duration, Duration) = (ms(20), ms(120));
/// The first interval of a series of queries; each further one is twice as long.
// RFC 6762 §5.2 (6762-5.2-2, 6762-5.2-3)
pub(super) const FIRST_QUERY_INTERVAL: Duration = ms(1000);
/// The longest interval of a series of queries.
// RFC 6762 §5.2 (6762-5.2-5)
pub(super) const LAST_QUERY_INTERVAL: Duration = Duration::from_secs(3600);
/// How much of its lifetime, in percent, a record has behind it when it is asked for again.
// RFC 6762 §5.2 (6762-5.2-10)
pub(super) const REFRESH_POINTS: [u64; 4] = [80, 85, 90, 95];
/// Spread of the refresh points, in hundredths of a percent of the lifetime.
// RFC 6762 §5.2 (6762-5.2-14)
pub(super) const REFRESH_JITTER: u64 = 200;
/// How long one draw of the refresh jitter holds for a link, so that refreshes are packed together (ruling 5).
pub(super) const REFRESH_DRAW: Duration = Duration::from_secs(10);
/// How long after a question that asked for unicast a unicast response is accepted.
// RFC 6762 §6 (6762-6-28)
pub(super) const UNICAST_WINDOW: Duration = Duration::from_secs(2);

/// Delay of a response that others may give too.
// RFC 6762 §6 (6762-6-21)
pub(super) const SHARED_RESPONSE_DELAY: (Duration, Duration) = (ms(20), ms(120));
/// Delay of a response to a query of which more is to come.
// RFC 6762 §6 (6762-6-23), §7.2 (6762-7.2-5)
pub(super) const TRUNCATED_RESPONSE_DELAY: (Duration, Duration) = (ms(400), ms(500));
/// How long a stream of truncated queries can put off a response in all (ruling 12).
pub(super) const TRUNCATED_RESPONSE_LIMIT: Duration = ms(3000);
/// How much longer a response that is delayed anyway waits for others that are due a little later.
// RFC 6762 §6.4 (6762-6.4-2), ruling 11
pub(super) const AGGREGATION: Duration = ms(500);
/// A record is multicast at most once in this time.
// RFC 6762 §6 (6762-6-30)
pub(super) const MULTICAST_SPACING: Duration = ms(1000);
/// The same when it defends a name against a probe.
// RFC 6762 §6 (6762-6-32)
pub(super) const DEFENCE_SPACING: Duration = ms(250);
/// Longest TTL in a legacy unicast reply, in seconds.
// RFC 6762 §6.7 (6762-6.7-6)
pub(super) const LEGACY_TTL: u32 = 10;
/// The same query over the other family within this time is a twin (ruling 24).
pub(super) const TWIN_WINDOW: Duration = ms(100);

/// Delay of the first probe.
// RFC 6762 §8.1 (6762-8.1-4)
pub(super) const PROBE_DELAY: (Duration, Duration) = (ms(0), ms(250));
/// Time between probes, and from the last one to the claim.
// RFC 6762 §8.1 (6762-8.1-5, 6762-8.1-6)
pub(super) const PROBE_INTERVAL: Duration = ms(250);
/// How many probes are sent.
// RFC 6762 §8.1 (6762-8.1-5)
pub(super) const PROBES: u8 = 3;
/// How long the loser of a tie-break waits before it probes again.
// RFC 6762 §8.2 (6762-8.2-7)
pub(super) const TIEBREAK_DEFERRAL: Duration = ms(1000);
/// This many conflicts in [`CONFLICT_WINDOW`] make every further attempt wait for [`CONFLICT_DELAY`].
// RFC 6762 §8.1 (6762-8.1-18)
pub(super) const CONFLICT_LIMIT: usize = 15;
/// See [`CONFLICT_LIMIT`].
pub(super) const CONFLICT_WINDOW: Duration = ms(10_000);
/// See [`CONFLICT_LIMIT`].
pub(super) const CONFLICT_DELAY: Duration = ms(5000);
/// How many announcements are sent, a second apart.
// RFC 6762 §8.3 (6762-8.3-5)
pub(super) const ANNOUNCEMENTS: u8 = 2;
/// Time between announcements; the limit of one multicast a second puts them off further if need be.
// RFC 6762 §8.3 (6762-8.3-5)
pub(super) const ANNOUNCEMENT_INTERVAL: Duration = ms(1000);
/// How many goodbyes a withdrawal sends, a second apart (ruling 9).
pub(super) const GOODBYES: u8 = 2;
/// Updates of one group are this far apart: at most ten a minute.
// RFC 6762 §8.4 (6762-8.4-6), ruling 11
pub(super) const UPDATE_INTERVAL: Duration = Duration::from_secs(6);
/// How long our previous data may come back without being a conflict (ruling 20).
pub(super) const STALE_ECHO: Duration = Duration::from_secs(10);
/// How many failed sends in a row make a link unusable (ruling 26).
pub(super) const SEND_FAILURES: u8 = 3;

/// What is left of a record after its goodbye, or after its RRset was flushed.
// RFC 6762 §10.1 (6762-10.1-2), §10.2 (6762-10.2-4)
pub(super) const GRACE: Duration = ms(1000);
/// How long a record that is doubted may stay without being confirmed.
// RFC 6762 §10.4 (6762-10.4-6), §10.5 (6762-10.5-2)
pub(super) const DOUBT: Duration = Duration::from_secs(10);
/// So many queries of others without an answer throw doubt on a record.
// RFC 6762 §10.5 (6762-10.5-2)
pub(super) const UNANSWERED: u8 = 2;
/// How long a record that ran out while the machine slept may stay without being confirmed (ruling 27).
pub(super) const SUSPECT: Duration = Duration::from_secs(5);
/// How long what was learned on a link is kept after the link has gone (ruling 33).
pub(super) const LINK_GRACE: Duration = Duration::from_secs(5);
/// How long an address that we had is still known as ours (ruling 21).
pub(super) const OWN_ADDRESS_MEMORY: Duration = Duration::from_secs(120);
/// How long a responder of this host is asked whether it has our name, before we claim it (ruling 22).
pub(super) const BORROW_ASKING: Duration = ms(500);
/// A borrowed name whose lender says nothing for so long is claimed (ruling 22).
pub(super) const BORROWED_UNHEARD: Duration = ms(3000);
/// The time that a lender has to come back after its records have gone (ruling 22).
pub(super) const LENDER_RESTART: Duration = ms(1000);
/// By how much two programs of one host differ in these.
pub(super) const BORROW_JITTER: (Duration, Duration) = (ms(0), ms(500));
/// How long a datagram of ours may take to come back (ruling 20).
pub(super) const OWN_COPY_WINDOW: Duration = ms(1000);

/// TTL in seconds of records that have a host's name as their name or in their data.
// RFC 6762 §10 (6762-10-1)
pub(super) const HOST_TTL: u32 = 120;

/// IPv6 and UDP headers: what is left of the MTU for a message (ruling 13).
pub(super) const HEADERS: u32 = 48;
/// The MTU that is made use of, even where more is offered (ruling 13).
// RFC 6762 §17 (6762-17-8)
pub(super) const USUAL_MTU: u32 = 1500;
/// A message with a single record may be this large, in bytes (ruling 13).
// RFC 6762 §17 (6762-17-7)
pub(super) const LARGEST_MESSAGE: usize = 8952;
/// A legacy reply may be this large, in bytes, if the query does not say (ruling 13).
pub(super) const LEGACY_SIZE: usize = 1452;
