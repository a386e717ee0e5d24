//! A program that runs on a host of the lab, heard line by line.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::workspace::Outcome;

/// Everything that the programs of one lab said, in the order in which it was heard.
#[derive(Clone)]
pub(super) struct Journal {
    begun: Instant,
    entries: Arc<Mutex<Vec<String>>>,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            entries: Arc::default(),
        }
    }

    pub(super) fn note(&self, who: &str, text: &str) {
        let entry = format!("{:8.3} {who}: {text}", self.begun.elapsed().as_secs_f64());
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
    }

    pub(super) fn text(&self) -> String {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n")
    }
}

/// One line of output, of either stream, without its end.
pub(super) struct Line {
    pub(super) heard: Instant,
    pub(super) text: String,
}

/// A running program. Dropping it kills and reaps it.
pub(super) struct Process {
    name: String,
    started: Instant,
    child: Child,
    lines: Receiver<Line>,
    all: Vec<String>,
}

impl Process {
    pub(super) fn start(name: String, command: &mut Command, journal: &Journal) -> Outcome<Self> {
        Self::start_with(name, command.stdin(Stdio::null()), journal)
    }

    /// The same with the input that the command says.
    pub(super) fn start_with(
        name: String,
        command: &mut Command,
        journal: &Journal,
    ) -> Outcome<Self> {
        let started = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, sender.clone(), name.clone(), journal.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, sender, name.clone(), journal.clone());
        }
        Ok(Self {
            name,
            started,
            child,
            lines,
            all: Vec::new(),
        })
    }

    /// When it was started.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Writes a line to its input, if it was started with one.
    pub(super) fn say(&mut self, line: &str) -> Outcome {
        let fault = |error: std::io::Error| format!("{}: {error}", self.name);
        let input = self.child.stdin.as_mut().ok_or("it has no input")?;
        writeln!(input, "{line}").map_err(fault)
    }

    /// Reads on until `pick` finds in a line what it looks for, at most for `limit`.
    pub(super) fn wait_for<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut pick: impl FnMut(&Line) -> Option<T>,
    ) -> Outcome<T> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let found = pick(&line);
                    self.all.push(line.text);
                    if let Some(found) = found {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "{}: no {what} within {} s",
                        self.name,
                        limit.as_secs_f64()
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let words = self.last_words();
                    return Err(format!("{} ended without {what}: {words}", self.name));
                }
            }
        }
    }

    /// All that was read so far.
    pub(super) fn lines(&self) -> &[String] {
        &self.all
    }

    /// Whether any line so far contains `text`; what is still in the pipe counts too.
    pub(super) fn has_said(&mut self, text: &str) -> bool {
        while let Ok(line) = self.lines.try_recv() {
            self.all.push(line.text);
        }
        self.all.iter().any(|line| line.contains(text))
    }

    /// Sends a signal, by its name without `SIG`.
    pub(super) fn signal(&self, signal: &str) -> Outcome {
        // The child has not been waited for, so its number cannot have gone to another process.
        let number = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &number])
            .status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            _ => Err(format!("{}: cannot send SIG{signal}", self.name)),
        }
    }

    /// The processor time that it has used, all its threads together; the kernel counts in hundredths of a second.
    pub(super) fn processor_time(&self) -> Outcome<Duration> {
        let file = format!("/proc/{}/stat", self.child.id());
        let stat =
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", self.name))?;
        // After the name, which stands in parentheses, user and system time are the 12th and 13th field.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks = ticks.filter_map(|field| field.parse::<u64>().ok());
        Ok(Duration::from_millis(10 * ticks.sum::<u64>()))
    }

    /// The most memory that it has had at once, in kilobytes.
    pub(super) fn peak_memory(&self) -> Outcome<u64> {
        self.memory("VmHWM:")
    }

    /// One of the kernel's counts of its memory, in kilobytes.
    pub(super) fn memory(&self, which: &str) -> Outcome<u64> {
        let file = format!("/proc/{}/status", self.child.id());
        let status =
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", self.name))?;
        let line = status.lines().find_map(|line| line.strip_prefix(which));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| format!("{}: no memory told", self.name))
    }

    /// Waits until it ends by itself, at most for `limit`: its streams close when it does.
    pub(super) fn wait_for_end(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.all.push(line.text),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "{} still runs after {} s",
                        self.name,
                        limit.as_secs_f64()
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return self
                        .child
                        .wait()
                        .map_err(|error| format!("{}: {error}", self.name));
                }
            }
        }
    }

    fn last_words(&mut self) -> String {
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        match self.all.last() {
            Some(line) => format!("{status}, last words: {line}"),
            None => format!("{status}, without a word"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(
    stream: impl Read + Send + 'static,
    sender: Sender<Line>,
    name: String,
    journal: Journal,
) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut octets = Vec::new();
        while matches!(reader.read_until(b'\n', &mut octets), Ok(length) if length > 0) {
            let heard = Instant::now();
            let text = String::from_utf8_lossy(&octets).trim_end().to_owned();
            octets.clear();
            journal.note(&name, &text);
            if sender.send(Line { heard, text }).is_err() {
                return;
            }
        }
    });
}
