//! Types, records and events as iterators.

use std::time::Duration;

use cooee_sd::{ServiceType, TypeEvent};

use super::browser::{NextError, next_within};
use super::wait::wait;
use crate::records::{FoundRecord, RecordEvent};
use crate::{Event, Link};

/// The service types that anybody announces: an iterator that waits. See [`cooee::TypeBrowser`](crate::TypeBrowser).
#[derive(Debug)]
pub struct TypeBrowser(crate::TypeBrowser);

impl TypeBrowser {
    pub(super) fn new(browser: crate::TypeBrowser) -> Self {
        Self(browser)
    }

    /// The next type that came or went, if that happens within this time.
    ///
    /// # Errors
    ///
    /// As [`Browser::next_timeout`](super::Browser::next_timeout).
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<TypeEvent, NextError> {
        next_within(self.0.next(), timeout)
    }

    /// All types that are announced now. They count as told: the next event is a difference from them.
    pub fn snapshot(&mut self) -> Vec<ServiceType> {
        self.0.snapshot()
    }

    /// The links on which a type is announced.
    #[must_use]
    pub fn links(&self, kind: &ServiceType) -> Vec<Link> {
        self.0.links(kind)
    }
}

impl Iterator for TypeBrowser {
    type Item = TypeEvent;

    /// Waits for the next type that comes or goes; `None` comes after shutdown only.
    fn next(&mut self) -> Option<TypeEvent> {
        wait(self.0.next())
    }
}

/// The records of one name and type: an iterator that waits. See [`cooee::Query`](crate::Query).
#[derive(Debug)]
pub struct Query(crate::Query);

impl Query {
    pub(super) fn new(query: crate::Query) -> Self {
        Self(query)
    }

    /// The next record that came or went, if that happens within this time.
    ///
    /// # Errors
    ///
    /// As [`Browser::next_timeout`](super::Browser::next_timeout).
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<RecordEvent, NextError> {
        next_within(self.0.next(), timeout)
    }

    /// All records that are known now. They count as told.
    pub fn snapshot(&mut self) -> Vec<FoundRecord> {
        self.0.snapshot()
    }
}

impl Iterator for Query {
    type Item = RecordEvent;

    /// Waits for the next record that comes or goes; `None` comes after shutdown only.
    fn next(&mut self) -> Option<RecordEvent> {
        wait(self.0.next())
    }
}

/// What happens to links, host name and port: an iterator that waits. See [`cooee::Events`](crate::Events).
#[derive(Debug)]
pub struct Events(crate::Events);

impl Events {
    pub(super) fn new(events: crate::Events) -> Self {
        Self(events)
    }

    /// The next event, if it comes within this time.
    ///
    /// # Errors
    ///
    /// As [`Browser::next_timeout`](super::Browser::next_timeout).
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Event, NextError> {
        next_within(self.0.next(), timeout)
    }
}

impl Iterator for Events {
    type Item = Event;

    /// Waits for the next event; `None` comes after shutdown only.
    fn next(&mut self) -> Option<Event> {
        wait(self.0.next())
    }
}
