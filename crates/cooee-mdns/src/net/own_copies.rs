//! Telling our own multicasts, which the system hands back to us, from those of another program on this host.
//!
//! The source address does not tell: a daemon on this host has the same, and the same port. The payload alone neither: two programs ask the
//! same octets. So each datagram sent leaves a credit, and an arrival that fits spends it (ruling 20).

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::{Family, Instant, LinkId};

/// How long after sending a copy can come back.
const VALID: Duration = Duration::from_secs(1);

/// Credits kept at most; the oldest is given up first. What one second of pacing lets out is 3200 on each link and family.
const CAPACITY: usize = 16_384;

/// Where a datagram with an address of ours and our port came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// We sent it on this very link.
    OwnCopy,
    /// We sent it, but on another link: two of our interfaces are on one network.
    OwnByAnotherLink,
    /// Another program on this host sent it.
    OtherProgram,
}

/// What we have sent within the last second.
#[derive(Debug, Default)]
pub(super) struct OwnCopies {
    hasher: RandomState,
    sent: VecDeque<Credit>,
}

#[derive(Debug)]
struct Credit {
    at: Instant,
    link: LinkId,
    family: Family,
    hash: u64,
    is_spent: bool,
}

impl OwnCopies {
    /// A datagram has left.
    pub(super) fn sent(&mut self, now: Instant, link: LinkId, family: Family, payload: &[u8]) {
        self.forget_old(now);
        if self.sent.len() >= CAPACITY {
            self.sent.pop_front();
        }
        self.sent.push_back(Credit {
            at: now,
            link,
            family,
            hash: self.hasher.hash_one(payload),
            is_spent: false,
        });
    }

    /// A datagram has arrived whose source is an address of ours with our port.
    pub(super) fn arrived(
        &mut self,
        now: Instant,
        link: LinkId,
        family: Family,
        payload: &[u8],
    ) -> Origin {
        self.forget_old(now);
        let hash = self.hasher.hash_one(payload);
        let mut by_another_link = false;
        for credit in &mut self.sent {
            if credit.hash != hash || credit.family != family {
                continue;
            }
            if credit.link != link {
                by_another_link = true;
            } else if !credit.is_spent {
                credit.is_spent = true;
                return Origin::OwnCopy;
            }
        }
        if by_another_link {
            Origin::OwnByAnotherLink
        } else {
            Origin::OtherProgram
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.sent.front()
            && now.since(oldest.at) > VALID
        {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETH0: LinkId = LinkId(2);
    const WLAN0: LinkId = LinkId(3);

    fn ms(millis: u64) -> Instant {
        Instant::from_micros(5_000_000 + millis * 1000)
    }

    // ruling 20
    #[test]
    fn each_datagram_sent_pays_for_one_arrival() {
        let mut own = OwnCopies::default();
        own.sent(ms(0), ETH0, Family::V4, b"who is there?");
        own.sent(ms(0), ETH0, Family::V4, b"who is there?");
        let mut arrived = |at| own.arrived(ms(at), ETH0, Family::V4, b"who is there?");
        assert_eq!(arrived(1), Origin::OwnCopy);
        assert_eq!(arrived(2), Origin::OwnCopy);
        assert_eq!(arrived(3), Origin::OtherProgram);
    }

    // ruling 20
    #[test]
    fn the_same_octets_of_another_program_are_not_ours() {
        let mut own = OwnCopies::default();
        assert_eq!(
            own.arrived(ms(0), ETH0, Family::V4, b"who is there?"),
            Origin::OtherProgram
        );
        own.sent(ms(0), ETH0, Family::V4, b"who is there?");
        assert_eq!(
            own.arrived(ms(1), ETH0, Family::V6, b"who is there?"),
            Origin::OtherProgram
        );
        assert_eq!(
            own.arrived(ms(1), ETH0, Family::V4, b"who is here?"),
            Origin::OtherProgram
        );
    }

    // ruling 20
    #[test]
    fn a_credit_is_good_for_a_second() {
        let mut own = OwnCopies::default();
        own.sent(ms(0), ETH0, Family::V4, b"a");
        own.sent(ms(500), ETH0, Family::V4, b"b");
        assert_eq!(
            own.arrived(ms(1001), ETH0, Family::V4, b"a"),
            Origin::OtherProgram
        );
        assert_eq!(
            own.arrived(ms(1001), ETH0, Family::V4, b"b"),
            Origin::OwnCopy
        );
    }

    // rulings 2, 20: two interfaces on one network are no second program.
    #[test]
    fn our_datagram_through_a_second_interface_is_known_as_ours() {
        let mut own = OwnCopies::default();
        own.sent(ms(0), ETH0, Family::V4, b"a");
        assert_eq!(
            own.arrived(ms(1), WLAN0, Family::V4, b"a"),
            Origin::OwnByAnotherLink
        );
        assert_eq!(own.arrived(ms(1), ETH0, Family::V4, b"a"), Origin::OwnCopy);
    }

    #[test]
    fn the_number_of_credits_is_bounded() {
        let mut own = OwnCopies::default();
        for n in 0..2 * CAPACITY {
            own.sent(ms(0), ETH0, Family::V4, &n.to_ne_bytes());
        }
        assert_eq!(own.sent.len(), CAPACITY);
    }
}
