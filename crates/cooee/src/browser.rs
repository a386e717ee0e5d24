//! A running search for services.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use cooee_sd::{BrowseEvent, ServiceName};
use futures_core::Stream;

use crate::core::{Core, Id};
use crate::error::{Error, Result};
use crate::found::{FoundService, Snapshot};
use crate::watched::{Reader, Watched};

/// What is found, and what becomes of it: a stream of differences between what this reader was told and what is true.
///
/// Who reads slowly gets fewer events and misses nothing that is still true; memory does not grow with what happens meanwhile. The search
/// ends when this is dropped.
///
/// ```no_run
/// # async fn example(zeroconf: cooee::Zeroconf) -> cooee::Result<()> {
/// use cooee::ServiceEvent;
///
/// let mut browser = zeroconf.browse("_http._tcp")?;
/// while let Some(event) = browser.next().await {
///     match event {
///         ServiceEvent::Added(service) | ServiceEvent::Updated(service) => {
///             println!("+ {} {:?}", service.name(), service.socket_addrs());
///         }
///         ServiceEvent::Removed(name) => println!("- {name}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Browser {
    core: Arc<Core>,
    id: Id,
    reader: Reader<Browsing>,
}

/// What a search has found, between the driver's task and the reader.
#[derive(Debug)]
pub(crate) struct Browsing {
    pub(crate) machine: cooee_sd::Browser,
    /// Set when it is a lookup, and nothing more is to be waited for.
    pub(crate) ended: Option<End>,
}

/// How a lookup ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// There is an answer.
    Complete,
    /// The owner of the name says that there is nothing.
    Denied,
    /// Nobody answered.
    TimedOut,
}

/// What happened to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no fourth thing a state can do"
)]
pub enum ServiceEvent {
    /// It was found, with host, port and at least one address.
    Added(FoundService),
    /// Something about it is different now.
    Updated(FoundService),
    /// It is gone from all links.
    Removed(ServiceName),
}

impl Browser {
    pub(crate) fn new(core: Arc<Core>, id: Id, state: &Watched<Browsing>) -> Self {
        Self {
            core,
            id,
            reader: state.reader(),
        }
    }

    /// The next difference. `None` comes after shutdown only: trouble on a link never ends a search.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<ServiceEvent> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Waits for the next service that is added; other events on the way are dropped.
    ///
    /// # Errors
    ///
    /// [`is_shut_down`](Error::is_shut_down) after shutdown. There is no time-out: put one around it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no added service is lost.
    pub async fn first(&mut self) -> Result<FoundService> {
        loop {
            match self.next().await {
                Some(ServiceEvent::Added(service)) => return Ok(service),
                Some(ServiceEvent::Updated(_) | ServiceEvent::Removed(_)) => {}
                None => return Err(Error::shut_down()),
            }
        }
    }

    /// Waits until something differs from what was told.
    ///
    /// # Errors
    ///
    /// [`is_shut_down`](Error::is_shut_down) after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it tells nothing, so there is nothing to lose.
    pub async fn changed(&mut self) -> Result<()> {
        self.reader
            .wait(|state, closed| {
                if state.machine.has_changes() {
                    Some(Ok(()))
                } else {
                    closed.then(|| Err(Error::shut_down()))
                }
            })
            .await
    }

    /// All that is true now, by name. It counts as told: the next event is a difference from it, so there is no gap and nothing comes twice.
    pub fn snapshot(&mut self) -> Snapshot {
        let snapshot = self.reader.watched().with(|state| state.machine.snapshot());
        let (links, now) = self.core.moment();
        Snapshot::new(snapshot, &links, now)
    }

    /// Waits for the end of a lookup.
    pub(crate) async fn ended(&mut self) -> Option<End> {
        self.reader
            .wait(|state, closed| match state.ended {
                None => closed.then_some(None),
                ended => Some(ended),
            })
            .await
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<ServiceEvent>> {
        let event = self.reader.poll(cx, |state, closed| {
            match state.machine.poll_event() {
                // The lookup's end counts as the end of the stream.
                None => (closed || state.ended.is_some()).then_some(None),
                event => Some(event),
            }
        });
        event.map(|event| event.map(|event| self.tell(event)))
    }

    fn tell(&self, event: BrowseEvent) -> ServiceEvent {
        let (links, now) = self.core.moment();
        let found = |found| FoundService::new(&found, &links, now);
        match event {
            BrowseEvent::Added(service) => ServiceEvent::Added(found(service)),
            BrowseEvent::Updated(service) => ServiceEvent::Updated(found(service)),
            BrowseEvent::Removed(name) => ServiceEvent::Removed(name),
        }
    }
}

impl Stream for Browser {
    type Item = ServiceEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ServiceEvent>> {
        self.poll(cx)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let id = self.id;
        self.core
            .call(move |discovery, now| discovery.stop(now, id));
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
