//! How a command ends.

use std::process::ExitCode;

/// The codes with a meaning, as `cooee --help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Found, or done.
    Done,
    /// Not to be had.
    NotFound,
    /// Wrong words; nothing was sent.
    Usage,
    /// No usable link, the port, permission, a full disk.
    Trouble,
    /// What the command behind `publish … --` ended with.
    Code(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::NotFound => 1,
            Outcome::Usage => 2,
            Outcome::Trouble => 3,
            Outcome::Code(code) => code,
        })
    }
}

/// Why a command ends before it was done: one line, and a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The code to end with.
    pub(crate) outcome: Outcome,
    /// What is wrong, what is allowed, the nearest right word; without the `cooee: ` before it.
    pub(crate) text: String,
}

impl Failure {
    /// Wrong words.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Usage,
            text: text.into(),
        }
    }

    /// Trouble that no other words would cure.
    pub(crate) fn trouble(text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Trouble,
            text: text.into(),
        }
    }

    /// What was looked for is not to be had.
    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::NotFound,
            text: text.into(),
        }
    }
}
