//! A family whose port somebody holds, who does not share it: the port is asked for again, ever less often.

use std::io;
use std::time::Duration;

use super::world::World;
use crate::{Family, Instant};

/// The first pause before the port is asked for again; each is twice the one before, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A family that has no socket yet.
#[derive(Debug)]
pub(super) struct Reopening {
    pub(super) family: Family,
    /// When it is tried again.
    pub(super) at: Instant,
    pause: Duration,
}

impl Reopening {
    /// For a family that could not be had; `None` if that does not pass by itself.
    pub(super) fn after(now: Instant, family: Family, error: &io::Error) -> Option<Self> {
        (error.kind() == io::ErrorKind::AddrInUse).then(|| Self {
            family,
            at: now + FIRST_PAUSE,
            pause: FIRST_PAUSE,
        })
    }

    /// Tries again, if it is time to; true if there is a socket now.
    pub(super) fn retry(&mut self, now: Instant, world: &mut (impl World + ?Sized)) -> bool {
        if now < self.at {
            return false;
        }
        let opened = world.open(self.family);
        if let Err(error) = &opened {
            tracing::debug!(target: "cooee_mdns", family = ?self.family, %error, "still no socket of this family");
            self.pause = LONGEST_PAUSE.min(self.pause * 2);
            self.at = now + self.pause;
        }
        opened.is_ok()
    }
}
