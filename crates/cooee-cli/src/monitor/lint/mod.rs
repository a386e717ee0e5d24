//! The rules of RFC 6762 and 6763 that can be judged by what goes over the wire.
//!
//! A family of rules is a file. Each looks at a packet before the [`History`] takes it in.

mod report;
mod rule;

use std::time::Duration;

pub(crate) use report::Finding;
pub(crate) use rule::{Level, Rule};

use self::report::Report;
use super::history::History;
use super::seen::Seen;
use super::tags::Tag;

/// Judges packets.
#[derive(Debug)]
pub(crate) struct Lint {
    report: Report,
}

impl Lint {
    pub(super) fn new() -> Self {
        Self {
            report: Report::new(),
        }
    }

    /// Judges the next packet.
    pub(super) fn look(
        &mut self,
        seen: &Seen<'_>,
        tags: &[Tag],
        history: &History,
    ) -> Vec<Finding> {
        let _ = (seen, tags, history);
        self.report.take()
    }

    /// Judges what did not come in time.
    pub(super) fn pass(&mut self, now: Duration) -> Vec<Finding> {
        let _ = now;
        self.report.take()
    }

    /// How often each rule was broken.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.report.counts()
    }
}
