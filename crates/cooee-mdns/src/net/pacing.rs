//! Not more at once than a receiver can hold.
//!
//! A default receive buffer on Linux holds about 92 datagrams of 1400 bytes; what comes faster than the receiver is scheduled is lost at every
//! receiver alike. So multicasts leave in small bursts (ruling 15). Unicast replies need no place in the pace: who gets them has asked at that one.
//!
//! While a multicast waits for its place nothing is composed, on any link and for anybody: the engine composes at the moment of sending, and what
//! it would give next may be for the same link. Others wait 10 ms for every 32 datagrams of a burst by that, or 70 ms when a thousand services
//! are announced, which is less than the delays of the protocol. A queue for each link would hold what was composed too early instead: an answer
//! that somebody else has given meanwhile could not be taken back any more.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::{Instant, LinkId};

/// Multicasts that leave on one link within any [`WINDOW`].
const BURST: usize = 32;

const WINDOW: Duration = Duration::from_millis(10);

/// When the last few multicasts left on each link.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    sent: BTreeMap<LinkId, VecDeque<Instant>>,
}

impl Pacing {
    /// Takes a place for one multicast on `link`, or tells when the next one is free.
    pub(super) fn admit(&mut self, now: Instant, link: LinkId) -> Result<(), Instant> {
        let sent = self.sent.entry(link).or_default();
        if sent.len() >= BURST {
            match sent.front() {
                Some(&oldest) if now.since(oldest) < WINDOW => return Err(oldest + WINDOW),
                _ => sent.pop_front(),
            };
        }
        sent.push_back(now);
        Ok(())
    }

    /// The link is not used any more.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.sent.remove(&link);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETH0: LinkId = LinkId(2);
    const ETH1: LinkId = LinkId(3);

    fn us(micros: u64) -> Instant {
        Instant::from_micros(7_000_000 + micros)
    }

    // ruling 15
    #[test]
    fn a_burst_is_spread_and_links_do_not_wait_for_each_other() {
        let mut pacing = Pacing::default();
        assert_eq!(pacing.admit(us(0), ETH0), Ok(()));
        for _ in 1..32 {
            assert_eq!(pacing.admit(us(9_000), ETH0), Ok(()));
        }
        assert_eq!(pacing.admit(us(9_001), ETH0), Err(us(10_000)));
        assert_eq!(pacing.admit(us(9_001), ETH1), Ok(()));
        assert_eq!(pacing.admit(us(10_000), ETH0), Ok(()));
        assert_eq!(pacing.admit(us(10_001), ETH0), Err(us(19_000)));
    }
}
