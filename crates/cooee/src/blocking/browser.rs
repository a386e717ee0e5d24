//! Searches as iterators.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use super::wait::{wait, wait_for};
use crate::error::Result;
use crate::found::{FoundService, Snapshot};
use crate::{Error, ServiceEvent};

/// What is found, and what becomes of it: an iterator that waits. See [`cooee::Browser`](crate::Browser).
#[derive(Debug)]
pub struct Browser(crate::Browser);

impl Browser {
    pub(super) fn new(browser: crate::Browser) -> Self {
        Self(browser)
    }

    /// The next difference, if it comes within this time.
    ///
    /// # Errors
    ///
    /// [`NextError::Timeout`] if it does not, [`NextError::ShutDown`] after shutdown.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<ServiceEvent, NextError> {
        next_within(self.0.next(), timeout)
    }

    /// Waits for the next service that is added; other events on the way are dropped.
    ///
    /// # Errors
    ///
    /// [`is_timeout`](Error::is_timeout) if none is within this time, [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn first(&mut self, timeout: Duration) -> Result<FoundService> {
        wait_for(self.0.first(), timeout)
            .unwrap_or_else(|| Err(Error::timeout(&"a service that was looked for")))
    }

    /// All that is true now, by name. It counts as told: the next event is a difference from it.
    pub fn snapshot(&mut self) -> Snapshot {
        self.0.snapshot()
    }
}

impl Iterator for Browser {
    type Item = ServiceEvent;

    /// Waits for the next difference; `None` comes after shutdown only.
    fn next(&mut self) -> Option<ServiceEvent> {
        wait(self.0.next())
    }
}

pub(super) fn next_within<T>(
    next: impl Future<Output = Option<T>>,
    timeout: Duration,
) -> Result<T, NextError> {
    match wait_for(next, timeout) {
        Some(Some(event)) => Ok(event),
        Some(None) => Err(NextError::ShutDown),
        None => Err(NextError::Timeout),
    }
}

/// Why there is no next event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextError {
    /// Nothing happened in time.
    Timeout,
    /// Nothing will happen any more.
    ShutDown,
}

impl fmt::Display for NextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "nothing happened in time",
            Self::ShutDown => "zeroconf is shut down",
        })
    }
}

impl StdError for NextError {}
