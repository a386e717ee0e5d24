//! The command behind `--`: the service lives as long as it does.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;

use tokio::process::Command;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::signals::Signal;

/// A running command.
#[derive(Debug)]
pub(super) struct Child {
    child: tokio::process::Child,
}

/// What it is told in its environment.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) name: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
}

impl Child {
    /// Starts it, with our streams.
    ///
    /// # Errors
    ///
    /// One line, and the code that shells use: 127 if there is no such command, 126 if it cannot be run.
    pub(super) fn start(words: &[OsString], told: &Told<'_>) -> Result<Option<Self>, Failure> {
        let [program, arguments @ ..] = words else {
            return Ok(None);
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("COOEE_NAME", told.name)
            .env("COOEE_HOST", told.host)
            .env("COOEE_PORT", told.port.to_string())
            // That is ours to answer.
            .env_remove("NOTIFY_SOCKET");
        let child = command.spawn().map_err(|error| {
            let program = crate::escape::octets(program.as_encoded_bytes());
            let code = match error.kind() {
                io::ErrorKind::NotFound => 127,
                _ => 126,
            };
            Failure {
                outcome: Outcome::Code(code),
                text: format!("'{program}' cannot be started: {}", output::plain(&error)),
            }
        })?;
        Ok(Some(Self { child }))
    }

    /// Waits for its end. Cancel safe.
    pub(super) async fn ended(&mut self) -> Outcome {
        match self.child.wait().await {
            Ok(status) => Outcome::Code(code(status)),
            // It is no child of ours any more: nobody can know.
            Err(_) => Outcome::Trouble,
        }
    }

    /// Hands a signal on.
    #[cfg(unix)]
    pub(super) fn hand_on(&self, signal: Signal) {
        use nix::sys::signal::{Signal as Number, kill};
        use nix::unistd::Pid;

        let number = match signal {
            Signal::Interrupt => Number::SIGINT,
            Signal::Terminate => Number::SIGTERM,
            Signal::HangUp => Number::SIGHUP,
        };
        // None: it has ended already.
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            let _ = kill(Pid::from_raw(id), number);
        }
    }

    /// Where there are no signals, it ends by itself.
    #[cfg(not(unix))]
    pub(super) fn hand_on(&self, _: Signal) {}
}

/// As shells have it: 128 and the number of the signal.
#[cfg(unix)]
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;

    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> u8 {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1)
}
