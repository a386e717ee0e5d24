//! Waiting for a future on the thread that asks.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Waits until the future is done.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    match wait_until(future, None) {
        Some(output) => output,
        None => unreachable!("without an end, waiting ends with the future"),
    }
}

/// Waits until the future is done, but no longer than this.
pub(super) fn wait_for<F: Future>(future: F, limit: Duration) -> Option<F::Output> {
    // A limit that no clock can show is none.
    wait_until(future, Instant::now().checked_add(limit))
}

fn wait_until<F: Future>(future: F, end: Option<Instant>) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        match end {
            None => thread::park(),
            Some(end) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                thread::park_timeout(left);
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
