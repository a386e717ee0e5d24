//! Callbacks, on a thread of ours.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;
use std::thread::{self, JoinHandle};

use cooee_sd::ServiceName;

use super::wait::wait;
use crate::ServiceEvent;
use crate::error::{Error, Result};
use crate::found::FoundService;
use crate::watched::Watched;

type OnService = Box<dyn FnMut(&FoundService) + Send>;
type OnName = Box<dyn FnMut(&ServiceName) + Send>;

/// What is to be called when something happens to a service.
#[derive(Default)]
#[must_use = "nothing is called before it is given to `listen`"]
pub struct Listener {
    added: Option<OnService>,
    updated: Option<OnService>,
    removed: Option<OnName>,
}

impl Listener {
    /// Calls nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Is called with each service that was found.
    pub fn on_added(mut self, call: impl FnMut(&FoundService) + Send + 'static) -> Self {
        self.added = Some(Box::new(call));
        self
    }

    /// Is called when something about a service is different.
    pub fn on_updated(mut self, call: impl FnMut(&FoundService) + Send + 'static) -> Self {
        self.updated = Some(Box::new(call));
        self
    }

    /// Is called when a service is gone.
    pub fn on_removed(mut self, call: impl FnMut(&ServiceName) + Send + 'static) -> Self {
        self.removed = Some(Box::new(call));
        self
    }

    fn tell(&mut self, event: &ServiceEvent) {
        match event {
            ServiceEvent::Added(service) => {
                if let Some(call) = &mut self.added {
                    call(service);
                }
            }
            ServiceEvent::Updated(service) => {
                if let Some(call) = &mut self.updated {
                    call(service);
                }
            }
            ServiceEvent::Removed(name) => {
                if let Some(call) = &mut self.removed {
                    call(name);
                }
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// A listener at work, until this is dropped: then none of its callbacks runs any more, and the one that runs has been waited for.
///
/// The callbacks run one after the other, on a thread of their own; they may take their time.
#[must_use = "dropping it ends the listening"]
pub struct Listening {
    stop: Watched<()>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    pub(super) fn start(mut browser: crate::Browser, mut listener: Listener) -> Result<Self> {
        let stop = Watched::new(());
        let stopped = stop.reader();
        let run = move || {
            // A stop goes before an event.
            while let Some(event) = wait(poll_fn(|cx| {
                match stopped.poll(cx, |(), closed| closed.then_some(())) {
                    Poll::Ready(()) => Poll::Ready(None),
                    Poll::Pending => browser.poll(cx),
                }
            })) {
                listener.tell(&event);
            }
        };
        let thread = thread::Builder::new()
            .name("cooee-listener".into())
            .spawn(run)
            .map_err(Error::from)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take() {
            // A callback may drop its own guard: it is the last one then.
            if thread.thread().id() != thread::current().id() {
                // A callback that panicked has been reported by its own thread.
                let _ = thread.join();
            }
        }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}
