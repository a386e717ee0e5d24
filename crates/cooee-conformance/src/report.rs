//! Reports of a run, and the list of tests: for the terminal, as Markdown, as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::run::Run;
use crate::test::{Outcome, Test, Verdict};

/// How many tests ended with each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Passed.
    pub pass: usize,
    /// Passed with a warning.
    pub warn: usize,
    /// Failed.
    pub fail: usize,
    /// Could not be run.
    pub not_applicable: usize,
}

impl Tally {
    /// Counts.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let count = |verdict| {
            let of_it = outcomes.iter().filter(|outcome| outcome.verdict == verdict);
            of_it.count()
        };
        Self {
            pass: count(Verdict::Pass),
            warn: count(Verdict::Warn),
            fail: count(Verdict::Fail),
            not_applicable: count(Verdict::NotApplicable),
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} pass, {} warn, {} fail, {} not applicable",
            self.pass, self.warn, self.fail, self.not_applicable
        )
    }
}

/// One line for an outcome, and under it what speaks for the verdict.
pub fn line(outcome: &Outcome) -> String {
    let took = outcome.took.as_secs_f64();
    let mut text = format!(
        "{:4} {:5.1} s  {:42} {}",
        outcome.verdict, took, outcome.test.name, outcome.test.title
    );
    let reason = outcome.reason();
    if !reason.is_empty() {
        let _ = write!(text, "\n              {reason}");
    }
    text
}

/// A run as a Markdown table.
pub fn markdown(name: &str, run: &Run) -> String {
    let mut text = format!(
        "## {name}\n\n{}, {}, {:.0} s\n\n| test | verdict | observed |\n|---|---|---|\n",
        if run.version.is_empty() {
            "version unknown"
        } else {
            &run.version
        },
        Tally::of(&run.outcomes),
        run.took.as_secs_f64()
    );
    for outcome in &run.outcomes {
        let _ = writeln!(
            text,
            "| `{}` {} | {} | {} |",
            outcome.test.name,
            cell(outcome.test.title),
            outcome.verdict,
            cell(&outcome.reason())
        );
    }
    text
}

/// A run as JSON: `subject`, `version`, `seconds`, `tally`, and `tests` with `name`, `clauses`, `title`, `role`, `verdict`,
/// `seconds` and `findings`.
pub fn json(name: &str, run: &Run) -> Value {
    let tally = Tally::of(&run.outcomes);
    let tests: Vec<Value> = run.outcomes.iter().map(outcome_json).collect();
    json!({
        "subject": name,
        "version": run.version,
        "seconds": seconds(run.took.as_secs_f64()),
        "tally": {
            "pass": tally.pass,
            "warn": tally.warn,
            "fail": tally.fail,
            "n/a": tally.not_applicable,
        },
        "tests": tests,
    })
}

fn outcome_json(outcome: &Outcome) -> Value {
    let findings = outcome
        .findings
        .iter()
        .map(|finding| json!({ "verdict": finding.verdict.to_string(), "text": finding.text }));
    json!({
        "name": outcome.test.name,
        "clauses": outcome.test.clauses,
        "title": outcome.test.title,
        "role": outcome.test.role.to_string(),
        "verdict": outcome.verdict.to_string(),
        "seconds": seconds(outcome.took.as_secs_f64()),
        "findings": findings.collect::<Vec<_>>(),
    })
}

fn seconds(exactly: f64) -> f64 {
    (exactly * 10.0).round() / 10.0
}

/// The list of tests as a Markdown table.
pub fn list_markdown(tests: &[Test]) -> String {
    let mut text =
        String::from("| test | role | claim | limits | clauses |\n|---|---|---|---|---|\n");
    for test in tests {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            test.name,
            test.role,
            cell(test.title),
            cell(test.limits),
            test.clauses.join(", ")
        );
    }
    text
}

/// The list of tests for the terminal.
pub fn list(tests: &[Test]) -> String {
    let mut text = String::new();
    for test in tests {
        let _ = writeln!(text, "{:44} {:9} {}", test.name, test.role, test.title);
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
