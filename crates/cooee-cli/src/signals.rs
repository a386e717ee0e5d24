//! Ctrl-C and its like: the first asks for an end with goodbyes, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// What asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`, or a system that shuts down.
    Terminate,
    /// The terminal went away.
    HangUp,
}

/// Knows whether the end was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    asked: watch::Receiver<Option<Signal>>,
    /// How often the terminal went away, where that is no end.
    hung_up: watch::Receiver<u64>,
    manner: Arc<Manner>,
}

/// What differs from command to command.
#[derive(Debug, Default)]
struct Manner {
    /// The hang-up of a terminal is a wish to read files again.
    hang_up_is_news: AtomicBool,
    /// An end may take as long as it takes.
    is_patient: AtomicBool,
}

impl Signals {
    /// Begins to listen, on a task of its own: a command that is stuck in writing ends too.
    ///
    /// # Errors
    ///
    /// If the system lets us not listen.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let mut source = source::Source::new()?;
        let (tell, asked) = watch::channel(None);
        let (tell_news, hung_up) = watch::channel(0);
        let manner = Arc::new(Manner::default());
        let theirs = Arc::clone(&manner);
        tokio::spawn(async move {
            let signal = loop {
                let signal = source.next().await;
                if signal == Signal::HangUp && theirs.hang_up_is_news.load(Ordering::Relaxed) {
                    tell_news.send_modify(|count| *count += 1);
                } else {
                    break signal;
                }
            };
            // The receiver may be gone: then the end is near anyway.
            let _ = tell.send(Some(signal));
            let stuck = async {
                tokio::time::sleep(GRACE).await;
                if theirs.is_patient.load(Ordering::Relaxed) {
                    std::future::pending().await
                }
            };
            tokio::select! {
                again = source.next() => leave(again),
                // Goodbyes take a second at most; whoever takes longer is stuck.
                () = stuck => leave(signal),
            }
        });
        Ok(Self {
            asked,
            hung_up,
            manner,
        })
    }

    /// From now on the hang-up of a terminal is no end, but told by [`hung_up`](Self::hung_up).
    pub(crate) fn hang_up_is_news(&self) {
        self.manner.hang_up_is_news.store(true, Ordering::Relaxed);
    }

    /// From now on an end may take as long as it takes: a second signal ends at once all the same.
    pub(crate) fn be_patient(&self) {
        self.manner.is_patient.store(true, Ordering::Relaxed);
    }

    /// Waits for the next hang-up, where that is no end. Cancel safe.
    pub(crate) async fn hung_up(&mut self) {
        if self.hung_up.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Waits until the end is asked for. Cancel safe.
    pub(crate) async fn asked(&mut self) -> Signal {
        match self
            .asked
            .wait_for(Option::is_some)
            .await
            .map(|signal| *signal)
        {
            Ok(Some(signal)) => signal,
            // The task lives as long as the runtime: nothing will come any more.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

/// How long an orderly end may take.
const GRACE: Duration = Duration::from_secs(2);

/// Ends by the signal itself, so that a shell's loop stops too.
pub(crate) fn leave(signal: Signal) -> ! {
    source::raise(signal);
    // Where a signal does not end a process, its usual code does.
    std::process::exit(match signal {
        Signal::Interrupt => 130,
        Signal::Terminate => 143,
        Signal::HangUp => 129,
    })
}

#[cfg(unix)]
mod source {
    use tokio::signal::unix::{self, SignalKind};

    use super::Signal;

    #[derive(Debug)]
    pub(super) struct Source {
        interrupt: unix::Signal,
        terminate: unix::Signal,
        hang_up: Option<unix::Signal>,
    }

    impl Source {
        pub(super) fn new() -> std::io::Result<Self> {
            // `nohup` has it ignored, and means it.
            let hang_up = SignalKind::hangup();
            let hang_up = (!is_ignored(hang_up)).then(|| unix::signal(hang_up));
            Ok(Self {
                interrupt: unix::signal(SignalKind::interrupt())?,
                terminate: unix::signal(SignalKind::terminate())?,
                hang_up: hang_up.transpose()?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                () = heard(Some(&mut self.interrupt)) => Signal::Interrupt,
                () = heard(Some(&mut self.terminate)) => Signal::Terminate,
                () = heard(self.hang_up.as_mut()) => Signal::HangUp,
            }
        }
    }

    async fn heard(signal: Option<&mut unix::Signal>) {
        let heard = match signal {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if heard.is_none() {
            std::future::pending().await
        }
    }

    /// Whether this process was born to ignore a signal; unknown, so not, where the kernel does not tell.
    fn is_ignored(kind: SignalKind) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0);
        // The mask begins with signal 1.
        let place = u32::try_from(kind.as_raw_value() - 1).unwrap_or(u32::MAX);
        mask.checked_shr(place).is_some_and(|rest| rest & 1 == 1)
    }

    pub(super) fn raise(signal: Signal) {
        let number = match signal {
            Signal::Interrupt => SignalKind::interrupt(),
            Signal::Terminate => SignalKind::terminate(),
            Signal::HangUp => SignalKind::hangup(),
        };
        // If this fails, the caller exits with the code.
        let _ = signal_hook::low_level::emulate_default_handler(number.as_raw_value());
    }
}

#[cfg(not(unix))]
mod source {
    use super::Signal;

    #[derive(Debug)]
    pub(super) struct Source;

    impl Source {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            }
        }
    }

    pub(super) fn raise(_: Signal) {}
}
