//! Where lines go: data to stdout, each at once; talk to stderr.

use std::io::{self, IsTerminal, Write};

use crate::cell::Cell;
use crate::escape::is_hostile;
use crate::failure::Failure;
use crate::paint::{ColorChoice, Paint, Role};

/// Why no more lines can be written.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody reads any more: a clean end.
    Closed,
    /// The disk is full, or worse.
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(Failure::trouble(format!(
                "cannot write the output: {}",
                plain(&error)
            ))),
        }
    }
}

impl Stop {
    /// What this means for a command that only shows things: nothing, or trouble.
    ///
    /// # Errors
    ///
    /// The one line for a full disk.
    pub(crate) fn into_result(self) -> Result<(), Failure> {
        match self {
            Self::Closed => Ok(()),
            Self::Failed(failure) => Err(failure),
        }
    }
}

/// An error of the system in its own words, without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Standard output, line by line.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: io::Stdout,
    is_terminal: bool,
    /// A line that says "nothing yet" may be shown; is it?
    progress: Option<bool>,
    /// Colours on stdout.
    pub(crate) paint: Paint,
}

impl Output {
    /// Looks where the output goes. `quiet`: no progress is shown.
    pub(crate) fn new(color: ColorChoice, quiet: bool) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self {
            stdout,
            is_terminal,
            progress: (!quiet && io::stderr().is_terminal()).then_some(false),
            paint: color.decide(is_terminal, environment),
        }
    }

    /// Tells whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The columns there are: by `COLUMNS`, or as the terminal says.
    pub(crate) fn width(&self) -> usize {
        let by_environment = environment("COLUMNS").and_then(|columns| columns.parse().ok());
        by_environment
            .or_else(|| {
                terminal_size::terminal_size_of(&self.stdout).map(|(width, _)| usize::from(width.0))
            })
            .unwrap_or(80)
            .clamp(20, 1_000)
    }

    /// Writes one line, or a block of them, and flushes it.
    ///
    /// # Errors
    ///
    /// [`Stop`]: nobody reads any more, or it cannot be written.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Stop> {
        self.erase_progress();
        let mut stdout = self.stdout.lock();
        stdout.write_all(text.as_bytes())?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }
}

impl Output {
    /// Tells whether somebody would see the progress: only a person at a terminal.
    pub(crate) fn has_progress(&self) -> bool {
        self.progress.is_some()
    }

    /// Says, on a line that is written again and again, that there is nothing yet.
    pub(crate) fn progress(&mut self, text: &str) {
        let width = terminal_size::terminal_size_of(io::stderr())
            .map_or(80, |(width, _)| usize::from(width.0));
        if let Some(shown) = &mut self.progress {
            *shown = true;
            let mut line = String::from(ERASE);
            // A line that wraps could not be erased.
            Cell::octets(Role::Plain, text.as_bytes()).write_last(
                width.saturating_sub(1),
                Paint::OFF,
                &mut line,
            );
            // If nobody sees it, there is nobody to tell.
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }

    /// Takes that line away.
    pub(crate) fn erase_progress(&mut self) {
        if let Some(shown @ true) = &mut self.progress {
            *shown = false;
            let _ = io::stderr().lock().write_all(ERASE.as_bytes());
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.erase_progress();
    }
}

/// To the start of the line, and clear it.
const ERASE: &str = "\r\x1b[K";

/// Talk: hints, warnings, errors, each line beginning with `cooee: `.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    quiet: bool,
    paint: Paint,
}

impl Talk {
    /// `quiet` leaves errors only.
    pub(crate) fn new(quiet: bool, color: ColorChoice) -> Self {
        Self {
            quiet,
            paint: color.decide(io::stderr().is_terminal(), environment),
        }
    }

    /// Says something that may be left unsaid.
    pub(crate) fn hint(self, text: &str) {
        if !self.quiet {
            self.say(Role::Plain, text);
        }
    }

    /// Says why the command ends.
    pub(crate) fn error(self, text: &str) {
        self.say(Role::Error, text);
    }

    fn say(self, role: Role, text: &str) {
        let mut line = String::new();
        self.paint.put(role, "cooee:", &mut line);
        line.push(' ');
        // One line, whatever a stranger's words or a system's message hold.
        line.extend(text.chars().map(|c| if is_hostile(c) { ' ' } else { c }));
        line.push('\n');
        // If nobody hears it, there is nobody to tell.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_is_said_without_its_number() {
        assert_eq!(
            plain(&io::Error::from_raw_os_error(28)),
            "no space left on device"
        );
        assert_eq!(plain(&io::Error::other("Odd")), "odd");
        assert_eq!(plain(&io::Error::other("")), "");
    }
}
