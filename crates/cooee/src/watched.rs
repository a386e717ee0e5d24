//! A value that one side changes and any number of readers wait for.
//!
//! Every handle of this crate is a view of such a value: the driver's task changes it, readers look at it when they like.
//! So a slow reader costs nothing and misses no state; and a future here needs no particular executor.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The value and those who wait for it. Clones are the same value.
pub(crate) struct Watched<T>(Arc<Mutex<Inner<T>>>);

struct Inner<T> {
    value: T,
    /// Nobody will change the value any more.
    closed: bool,
    /// Who waits, by the number of the reader: at most one waker for each.
    waiting: BTreeMap<u64, Waker>,
    next_reader: u64,
}

impl<T> Watched<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            value,
            closed: false,
            waiting: BTreeMap::new(),
            next_reader: 0,
        })))
    }

    /// Looks at the value, or changes it in a way that readers need not hear of.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.lock().value)
    }

    /// Changes the value; wakes the readers if `change` says that it matters to them.
    pub(crate) fn change(&self, change: impl FnOnce(&mut T) -> bool) {
        let woken = {
            let mut inner = self.lock();
            if !change(&mut inner.value) {
                return;
            }
            std::mem::take(&mut inner.waiting)
        };
        wake(woken);
    }

    /// Tells the readers that this was the last change.
    pub(crate) fn close(&self) {
        let woken = {
            let mut inner = self.lock();
            inner.closed = true;
            std::mem::take(&mut inner.waiting)
        };
        wake(woken);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn reader(&self) -> Reader<T> {
        let mut inner = self.lock();
        let slot = inner.next_reader;
        inner.next_reader += 1;
        drop(inner);
        Reader {
            watched: self.clone(),
            slot,
        }
    }

    // A panic while the lock is held would be a bug of ours that has been reported by then; the state stays whole enough to go on.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waiting: BTreeMap<u64, Waker>) {
    for waker in waiting.into_values() {
        waker.wake();
    }
}

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// One who waits for a value.
pub(crate) struct Reader<T> {
    watched: Watched<T>,
    slot: u64,
}

impl<T> Reader<T> {
    /// Asks `ready` about the value, and is woken at its next change if the answer is `None`. The flag says that no change will come.
    pub(crate) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        ready: impl FnOnce(&mut T, bool) -> Option<R>,
    ) -> Poll<R> {
        let mut inner = self.watched.lock();
        let closed = inner.closed;
        let (old, polled) = match ready(&mut inner.value, closed) {
            Some(result) => (inner.waiting.remove(&self.slot), Poll::Ready(result)),
            None => {
                let waker = cx.waker().clone();
                (inner.waiting.insert(self.slot, waker), Poll::Pending)
            }
        };
        drop(inner);
        // With the last waker a task may go, and with the task another reader of this value: not while the lock is held.
        drop(old);
        polled
    }

    /// Waits until `ready` has an answer. Nothing is lost if the future is dropped before.
    pub(crate) async fn wait<R>(&self, mut ready: impl FnMut(&mut T, bool) -> Option<R>) -> R {
        poll_fn(|cx| self.poll(cx, &mut ready)).await
    }

    pub(crate) fn watched(&self) -> &Watched<T> {
        &self.watched
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        let mut inner = self.watched.lock();
        let old = inner.waiting.remove(&self.slot);
        drop(inner);
        drop(old);
    }
}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.watched.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Wake;
    use std::time::Duration;

    use super::*;

    /// A waker that looks at the value when it goes.
    struct Curious(Watched<u32>);

    impl Wake for Curious {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Curious {
        fn drop(&mut self) {
            self.0.with(|value| *value += 1);
        }
    }

    #[test]
    fn a_waker_that_goes_may_look_at_the_value() {
        let (done, end) = mpsc::channel();
        // On a thread of its own, so that a deadlock is a failure.
        std::thread::spawn(move || {
            let watched = Watched::new(0);
            let poll = |reader: &Reader<u32>, is_ready: bool| {
                let waker = Waker::from(Arc::new(Curious(watched.clone())));
                let mut cx = Context::from_waker(&waker);
                reader.poll(&mut cx, |_, _| is_ready.then_some(()))
            };
            let reader = watched.reader();
            // Kept; exchanged for the next one; taken away; kept, and dropped with the reader.
            for is_ready in [false, false, true, false] {
                assert_eq!(poll(&reader, is_ready).is_ready(), is_ready);
            }
            drop(reader);
            done.send(watched.with(|value| *value))
        });
        assert_eq!(end.recv_timeout(Duration::from_secs(10)), Ok(4));
    }
}
