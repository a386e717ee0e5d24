//! The things that can happen.

use std::time::Duration;

use super::attack::Attack;
use crate::wire::Conditions;

/// Something that happens. Hosts have numbers below 6. A service is a number: its lowest two bits are its name, which others may
/// want too, and bit 4 is its type. What cannot happen (to a host that is not there, or sleeps) does not.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Time passes.
    Wait(Duration),
    /// A host comes to the link, a new one if there was none with this number.
    Join(u8),
    /// A host is taken off the link.
    Leave(u8),
    /// A host is gone without a word.
    Crash(u8),
    /// A host says goodbye and goes.
    Shutdown(u8),
    /// A host falls asleep.
    Suspend(u8),
    /// A host wakes up.
    Resume(u8),
    /// A host gets its other addresses.
    Readdress(u8),
    /// A host's clock leaps ahead.
    Jump(u8, Duration),
    /// A host publishes a service.
    Publish(u8, u8),
    /// A host takes a service back.
    Withdraw(u8, u8),
    /// A host changes what a service says.
    Update(u8, u8),
    /// A host gives a service another name.
    Rename(u8, u8),
    /// A host looks for services of a type, 0 or 1.
    Browse(u8, u8),
    /// A host looks for them no more.
    StopBrowsing(u8, u8),
    /// The links become better or worse.
    Weather(Conditions),
    /// The hosts of this mask hear the others no more.
    Partition(u8),
    /// All hear each other again.
    Heal,
    /// Somebody sends what he should not.
    Attack(Attack),
}

impl Step {
    /// Something may be lost by this: that it is found again can take as long as the longest interval between two queries.
    pub(super) fn is_disturbing(&self) -> bool {
        match self {
            Self::Weather(conditions) => conditions.loss > 0.0,
            Self::Partition(_) | Self::Jump(..) | Self::Attack(_) | Self::Suspend(_) => true,
            _ => false,
        }
    }
}
