//! Time that goes on while the machine sleeps, and the one timer of the driver.

use std::task::{Context, Poll};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::Instant;

/// A clock that counts suspended time too: CLOCK_BOOTTIME on Linux. (Apple's CLOCK_MONOTONIC does so by itself; not run.)
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

/// Suspends shorter than this are of no interest: no record can have expired unnoticed.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// The present time: microseconds since the machine was started.
pub(super) fn now() -> Instant {
    // The clock exists on every kernel that can run this, so the time cannot fail to be told.
    let micros = read(CLOCK).unwrap_or_default().as_micros();
    Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

fn read(clock: ClockId) -> Option<Duration> {
    clock_gettime(clock).ok().map(Duration::from)
}

/// Notices that the machine has slept: the clock that goes on has gained on the one that stands still.
#[derive(Debug)]
pub(super) struct SleepWatch {
    ahead: Duration,
}

impl SleepWatch {
    pub(super) fn new() -> Self {
        Self { ahead: ahead() }
    }

    /// How long the machine has slept since the last call, if it has.
    pub(super) fn slept(&mut self) -> Option<Duration> {
        self.compare(ahead())
    }

    fn compare(&mut self, ahead: Duration) -> Option<Duration> {
        let gained = ahead.saturating_sub(self.ahead);
        (gained >= SHORTEST_SLEEP).then(|| {
            self.ahead = ahead;
            gained
        })
    }
}

/// What CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC: all the time slept since the start.
fn ahead() -> Duration {
    let awake = read(ClockId::CLOCK_MONOTONIC).unwrap_or_default();
    read(CLOCK).unwrap_or_default().saturating_sub(awake)
}

pub(super) use deadline::Deadline;

/// One timer in the same time as [`now`]: due at once after a suspend that has gone past it, and exact to a fraction of a millisecond.
#[cfg(target_os = "linux")]
mod deadline {
    use std::io;
    use std::os::fd::AsFd;
    use std::pin::Pin;

    use nix::sys::timerfd::{
        ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags as SetFlags,
    };
    use tokio::io::{AsyncRead, ReadBuf};
    use tokio::net::unix::pipe;

    use super::{Context, Duration, Instant, Poll};

    #[derive(Debug)]
    pub(in crate::net) struct Deadline {
        timer: TimerFd,
        /// The same timer to be waited for: like a pipe it is read, eight octets at a time, when it is due.
        due: pipe::Receiver,
        set: Option<Instant>,
    }

    impl Deadline {
        pub(in crate::net) fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)?;
            let due = timer.as_fd().try_clone_to_owned()?;
            Ok(Self {
                timer,
                due: pipe::Receiver::from_owned_fd_unchecked(due)?,
                set: None,
            })
        }

        /// Ready once it is `at`; `None` is never.
        pub(in crate::net) fn poll(
            &mut self,
            cx: &mut Context<'_>,
            at: Option<Instant>,
        ) -> Poll<()> {
            if at != self.set && self.arm(at).is_err() {
                // An absolute time that the kernel does not take is none that will be lived to see.
                return Poll::Pending;
            }
            loop {
                // A whole read: tokio takes a part of it for a sign that nothing is left.
                let mut count = [0; 8];
                let mut count = ReadBuf::new(&mut count);
                match Pin::new(&mut self.due).poll_read(cx, &mut count) {
                    // An expiry of before the timer was set anew counts for nothing.
                    Poll::Ready(Ok(())) if self.set.is_none_or(|set| super::now() < set) => {}
                    Poll::Ready(_) => {
                        self.set = None;
                        return Poll::Ready(());
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        }

        fn arm(&mut self, at: Option<Instant>) -> nix::Result<()> {
            self.set = at;
            match at {
                None => self.timer.unset(),
                Some(at) => {
                    // Zero would switch it off.
                    let since_start = Duration::from_micros(at.as_micros().max(1));
                    self.timer.set(
                        Expiration::OneShot(since_start.into()),
                        SetFlags::TFD_TIMER_ABSTIME,
                    )
                }
            }
        }
    }
}

/// One timer by tokio. It stands still during suspend, so what was due meanwhile is done late. Compiled at most, not run.
#[cfg(not(target_os = "linux"))]
mod deadline {
    use std::io;
    use std::pin::Pin;

    use tokio::time::{Instant as TokioInstant, Sleep, sleep};

    use super::{Context, Duration, Instant, Poll};

    #[derive(Debug)]
    pub(in crate::net) struct Deadline {
        sleep: Pin<Box<Sleep>>,
        set: Option<Instant>,
    }

    impl Deadline {
        pub(in crate::net) fn new() -> io::Result<Self> {
            Ok(Self {
                sleep: Box::pin(sleep(Duration::ZERO)),
                set: None,
            })
        }

        /// Ready once it is `at`; `None` is never.
        pub(in crate::net) fn poll(
            &mut self,
            cx: &mut Context<'_>,
            at: Option<Instant>,
        ) -> Poll<()> {
            let Some(at) = at else {
                return Poll::Pending;
            };
            if self.set != Some(at) {
                self.set = Some(at);
                let wait = at.since(super::now());
                self.sleep.as_mut().reset(TokioInstant::now() + wait);
            }
            let due = self.sleep.as_mut().poll(cx);
            if due.is_ready() {
                self.set = None;
            }
            due
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    // ruling 27
    #[test]
    fn a_gap_between_the_clocks_is_a_suspend() {
        let mut watch = SleepWatch {
            ahead: Duration::from_secs(100),
        };
        assert_eq!(watch.compare(Duration::from_millis(100_400)), None);
        let slept = watch.compare(Duration::from_secs(3700));
        assert_eq!(slept, Some(Duration::from_secs(3600)));
        assert_eq!(watch.compare(Duration::from_secs(3700)), None);
    }

    #[tokio::test]
    async fn the_deadline_is_neither_early_nor_forgotten() {
        let mut deadline = Deadline::new().unwrap();
        let past = now();
        poll_fn(|cx| deadline.poll(cx, Some(past))).await;

        let soon = now() + Duration::from_millis(5);
        let later = soon + Duration::from_secs(3600);
        // Set, put off, and set again before it is due.
        for at in [Some(soon), Some(later), None] {
            let state = poll_fn(|cx| Poll::Ready(deadline.poll(cx, at))).await;
            assert_eq!(state, Poll::Pending);
        }
        poll_fn(|cx| deadline.poll(cx, Some(soon))).await;
        assert!(now() >= soon);
    }

    #[tokio::test]
    async fn an_expiry_of_before_does_not_count_for_a_later_deadline() {
        let mut deadline = Deadline::new().unwrap();
        let soon = now() + Duration::from_millis(1);
        let _ = poll_fn(|cx| Poll::Ready(deadline.poll(cx, Some(soon)))).await;
        while now() < soon + Duration::from_millis(1) {
            std::hint::spin_loop();
        }
        let at = now() + Duration::from_millis(5);
        poll_fn(|cx| deadline.poll(cx, Some(at))).await;
        assert!(now() >= at);
    }
}
