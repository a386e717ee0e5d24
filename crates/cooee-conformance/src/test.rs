//! What a test is, and what it can find.

use std::fmt;
use std::time::Duration;

use crate::packet::Packet;
use crate::stage::{Stage, Stop};

/// One test: a claim about a subject, with the clauses that make it a duty.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "tests are tables of these; a new field concerns each of them"
)]
pub struct Test {
    /// The first clause and a word or two: `6762-8.1-5/probe-spacing`.
    pub name: &'static str,
    /// The clauses it judges, ids of the tables in `docs/clauses`.
    pub clauses: &'static [&'static str],
    /// The claim, as one sentence without full stop.
    pub title: &'static str,
    /// What passes, what warns, what fails, where time or number matters; empty where a claim is simply true or not.
    pub limits: &'static str,
    /// Which part of a stack it is about.
    pub role: Role,
    /// In which state it needs the subject.
    pub start: Start,
    /// The test itself.
    pub run: fn(&mut Stage<'_>) -> Result<(), Stop>,
}

/// A part of a multicast DNS stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6762 knows these two")]
pub enum Role {
    /// It answers for names of its own.
    Responder,
    /// It asks for names of others.
    Querier,
}

/// In which state a test needs the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the runner has a way for each")]
pub enum Start {
    /// It only looks at what the shared subject sent while it published its service: nothing is sent.
    Birth,
    /// The shared subject, whose service has been published for a while; the test leaves it as it was.
    Standing,
    /// A subject of its own, just started, that has published nothing.
    Fresh,
}

/// What a test says in the end. The worst of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "reports have a column for each")]
pub enum Verdict {
    /// It could not be run against this subject.
    NotApplicable,
    /// As the RFC wants it.
    Pass,
    /// Against a SHOULD, or slower than it ought to be.
    Warn,
    /// Against a MUST, or against a rule without which others suffer.
    Fail,
}

/// Something that a test observed, and what it thinks of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// [`Verdict::Pass`] for a plain observation.
    pub verdict: Verdict,
    /// What was observed.
    pub text: String,
}

/// All that is known of one test after it ran.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Which one.
    pub test: Test,
    /// The worst of the findings.
    pub verdict: Verdict,
    /// What was observed, in order.
    pub findings: Vec<Finding>,
    /// What passed on the link meanwhile.
    pub packets: Vec<Packet>,
    /// What was said between the tester and the adapter.
    pub dialogue: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// The findings that speak for the verdict, or all of them if it passed, in one line.
    pub fn reason(&self) -> String {
        let speaking = self
            .findings
            .iter()
            .filter(|finding| finding.verdict == self.verdict);
        speaking
            .map(|finding| finding.text.as_str())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// Tests that wait for the better part of a record's lifetime.
const LONG: &[&str] = &[
    "6762-5.2-10/refreshes-before-expiry",
    "6762-5.2-16/refreshes-unique-answer",
    "6762-5.4-9/unicast-question-after-a-quarter",
];

impl Test {
    /// About how long it takes, with the start of a subject of its own if it needs one: who runs several at a time begins with the longest.
    pub fn takes(&self) -> Duration {
        Duration::from_secs(match self.start {
            Start::Birth => 0,
            Start::Standing => 3,
            Start::Fresh if LONG.contains(&self.name) => 40,
            Start::Fresh => 15,
        })
    }

    /// Whether a user's `--only` means it: a part of its name, or one of its clauses up to a boundary.
    pub fn is_meant_by(&self, word: &str) -> bool {
        self.name.contains(word)
            || self.clauses.iter().any(|clause| {
                clause
                    .strip_prefix(word)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
            })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotApplicable => "n/a",
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Responder => "responder",
            Self::Querier => "querier",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tests_exist() {
        let names: Vec<&str> = crate::all().iter().map(|test| test.name).collect();
        assert!(LONG.iter().all(|long| names.contains(long)));
    }
}
