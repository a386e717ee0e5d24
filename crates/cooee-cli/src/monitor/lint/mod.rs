//! The rules of RFC 6762 and 6763 that can be judged by what goes over the wire.
//!
//! A family of rules is a file. Each looks at a packet before the [`History`] takes it in; what should have come and did
//! not is found when time has passed.

mod answers;
mod claims;
mod content;
mod flush;
mod frame;
mod pace;
mod report;
mod rule;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use report::Finding;
pub(crate) use rule::{Level, Rule};

use self::answers::Answers;
use self::claims::Claims;
use self::flush::Flush;
use self::pace::Pace;
use self::report::Report;
use super::history::History;
use super::seen::Seen;
use super::tags::Tag;

/// Judges packets.
#[derive(Debug)]
pub(crate) struct Lint {
    flush: Flush,
    pace: Pace,
    answers: Answers,
    claims: Claims,
    report: Report,
    /// When it was last looked what did not come.
    passed: Duration,
}

/// How often that is done, at most.
const PASS: Duration = Duration::from_millis(100);

impl Lint {
    pub(super) fn new() -> Self {
        Self {
            flush: Flush::new(),
            pace: Pace::new(),
            answers: Answers::new(),
            claims: Claims::new(),
            report: Report::new(),
            passed: Duration::ZERO,
        }
    }

    /// Judges the next packet.
    pub(super) fn look(
        &mut self,
        seen: &Seen<'_>,
        tags: &[Tag],
        history: &History,
    ) -> Vec<Finding> {
        if seen.since(self.passed) >= PASS {
            self.judge_silence(seen.now);
        }
        let report = &mut self.report;
        frame::look(seen, report);
        self.pace.look(seen, tags, history, report);
        // The copy in the other family says nothing new.
        if !seen.is_twin {
            content::look(seen, report);
            self.flush.look(seen, report);
            self.answers.look(seen, tags, history, report);
            self.claims.look(seen, tags, history, report);
        }
        self.report.take()
    }

    /// Judges what did not come in time.
    pub(super) fn pass(&mut self, now: Duration) -> Vec<Finding> {
        self.judge_silence(now);
        self.report.take()
    }

    fn judge_silence(&mut self, now: Duration) {
        self.passed = now;
        self.pace.pass(now, &mut self.report);
        self.answers.pass(now, &mut self.report);
        self.claims.pass(now, &mut self.report);
    }

    /// How often each rule was broken.
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        self.report.counts()
    }
}
