//! The subject, behind its adapter.
#![doc = include_str!("../PROTOCOL.md")]

mod words;

use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

pub use words::{decode, encode};

/// An adapter says `ready` within this time.
const START: Duration = Duration::from_secs(30);
/// An adapter replies to a command within this time.
const REPLY: Duration = Duration::from_secs(10);
/// An adapter ends within this time after it was told to.
const END: Duration = Duration::from_secs(5);

/// How to start the subject.
#[derive(Clone, Debug)]
pub struct Launch {
    /// A command line for the shell.
    pub command: String,
    /// The subject's interface, handed on in `COOEE_INTERFACE`.
    pub interface: String,
    /// The network namespace to start it in; none for that of the tester.
    pub namespace: Option<String>,
}

/// A running adapter with its stack. Dropping it ends it, by force if need be.
#[derive(Debug)]
pub struct Subject {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Line>,
    /// What it calls itself.
    version: String,
    /// What was said, by both sides and on standard error.
    dialogue: Vec<String>,
    events: Vec<Vec<String>>,
}

#[derive(Debug)]
enum Line {
    Output(String),
    Error(String),
}

/// What an adapter answers to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has three")]
pub enum Reply {
    /// Accepted, with these words.
    Ok(Vec<String>),
    /// It cannot do that.
    Unsupported(String),
    /// It can, but did not this time.
    Error(String),
}

/// The adapter broke the protocol, or ended.
#[derive(Clone, Debug)]
pub struct SubjectError(String);

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SubjectError {}

impl Subject {
    /// Starts the adapter and waits for its `ready`.
    ///
    /// # Errors
    /// If it does not start, ends, or is not ready in time.
    pub fn start(launch: &Launch) -> Result<Self, SubjectError> {
        let mut command = match &launch.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, "/bin/sh", "-c"]);
                command
            }
            None => {
                let mut command = Command::new("/bin/sh");
                command.arg("-c");
                command
            }
        };
        let mut child = command
            .arg(&launch.command)
            .env("COOEE_INTERFACE", &launch.interface)
            .env("COOEE_HOST", "subject")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // To end it with all that it started.
            .process_group(0)
            .spawn()
            .map_err(|error| SubjectError(format!("the adapter does not start: {error}")))?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            listen(output, sender.clone(), Line::Output);
        }
        if let Some(error) = child.stderr.take() {
            listen(error, sender, Line::Error);
        }
        let input = child.stdin.take();
        let mut subject = Self {
            child,
            input,
            lines,
            version: String::new(),
            dialogue: Vec::new(),
            events: Vec::new(),
        };
        let ready = subject.line(START, "ready")?;
        match ready.strip_prefix("ready") {
            Some(version) => {
                version.trim().clone_into(&mut subject.version);
                Ok(subject)
            }
            None => Err(SubjectError(format!(
                "the adapter says {ready:?} in place of 'ready'"
            ))),
        }
    }

    /// Name and version of the stack, as the adapter tells them; empty if it does not.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Gives a command, words still as they are, and waits for the reply.
    ///
    /// # Errors
    /// If the adapter has ended, says nothing in time, or something that is no reply.
    pub fn command(&mut self, words: &[&str]) -> Result<Reply, SubjectError> {
        let line = words
            .iter()
            .map(|word| encode(word.as_bytes()))
            .collect::<Vec<_>>()
            .join(" ");
        self.dialogue.push(format!("> {line}"));
        let input = self.input.as_mut();
        let sent = input.map(|input| writeln!(input, "{line}").and_then(|()| input.flush()));
        if !matches!(sent, Some(Ok(()))) {
            return Err(self.ended());
        }
        let reply = self.line(REPLY, "a reply")?;
        let (word, rest) = reply.split_once(' ').unwrap_or((&reply, ""));
        match word {
            "ok" => Ok(Reply::Ok(rest.split_whitespace().map(decode).collect())),
            "unsupported" => Ok(Reply::Unsupported(rest.to_owned())),
            "error" => Ok(Reply::Error(rest.to_owned())),
            _ => Err(SubjectError(format!(
                "the adapter replies {reply:?}, which is none of 'ok', 'unsupported', 'error'"
            ))),
        }
    }

    /// The events so far, in words, the first of which says what happened.
    pub fn events(&mut self) -> &[Vec<String>] {
        while let Ok(line) = self.lines.try_recv() {
            // A reply without a command is kept with the dialogue, and not more.
            self.note(line);
        }
        &self.events
    }

    /// Waits until `pick` finds in an event what it looks for.
    pub fn wait_for_event<T>(
        &mut self,
        limit: Duration,
        mut pick: impl FnMut(&[String]) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + limit;
        let mut seen = 0;
        loop {
            for event in self.events().iter().skip(seen) {
                if let Some(found) = pick(event) {
                    return Some(found);
                }
            }
            seen = self.events.len();
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => drop(self.note(line)),
                Err(_) => return None,
            }
        }
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What was said since the last call.
    pub fn take_dialogue(&mut self) -> Vec<String> {
        self.events();
        std::mem::take(&mut self.dialogue)
    }

    /// The next line that is no event.
    fn line(&mut self, limit: Duration, what: &str) -> Result<String, SubjectError> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(line) = self.note(line) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(SubjectError(format!(
                        "the adapter did not say {what} within {} s",
                        limit.as_secs()
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            }
        }
    }

    /// Keeps a line; gives it back if it is a reply.
    fn note(&mut self, line: Line) -> Option<String> {
        match line {
            Line::Error(text) => {
                self.dialogue.push(format!("! {text}"));
                None
            }
            Line::Output(text) => {
                self.dialogue.push(format!("< {text}"));
                let Some(event) = text.strip_prefix("event ") else {
                    return Some(text);
                };
                self.events
                    .push(event.split_whitespace().map(decode).collect());
                None
            }
        }
    }

    fn ended(&mut self) -> SubjectError {
        let said = self
            .dialogue
            .iter()
            .rev()
            .find(|line| line.starts_with('!'));
        let said = said.map_or(String::new(), |line| format!(": {}", &line[2..]));
        SubjectError(format!("the adapter has ended{said}"))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // It has not been waited for, so the number of its group cannot have gone to others.
        self.input = None;
        let deadline = Instant::now() + END;
        while self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

fn listen(from: impl Read + Send + 'static, to: Sender<Line>, wrap: fn(String) -> Line) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if to.send(wrap(line)).is_err() {
                return;
            }
        }
    });
}
