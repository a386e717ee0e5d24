//! What is due when. Every entry is taken out again when its reason ends, so there are never more than reasons.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use super::Link;
use super::hosts::HostId;
use super::instances::InstanceId;
use crate::service_type::ServiceType;

/// Why a machine wants to wake up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// The second address family of a host had its time.
    Family(HostId, Link),
    /// No TXT record came: there is none.
    NoTxt(InstanceId, Link),
    /// No SRV record came since the instance was found.
    NoSrv(InstanceId, Link),
    /// The SRV record was lost and did not come back.
    LostSrv(InstanceId, Link),
    /// What was seen on a link that went down has not been seen again.
    LinkDown(Link),
    /// Nobody announced a type again that was said to be gone.
    LostType(ServiceType),
}

/// One time for each reason at most.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Duration, Why)>,
    times: BTreeMap<Why, Duration>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Duration, why: Why) {
        self.cancel(why);
        self.times.insert(why, at);
        self.due.insert((at, why));
    }

    pub(crate) fn cancel(&mut self, why: Why) {
        if let Some(at) = self.times.remove(&why) {
            self.due.remove(&(at, why));
        }
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }

    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<Why> {
        let (_, why) = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.cancel(why);
        Some(why)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }
}
