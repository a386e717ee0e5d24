//! Which types of services there are.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use cooee_sd::{ServiceType, TypeEvent};
use futures_core::Stream;

use crate::core::{Core, Id};
use crate::links::Link;
use crate::watched::{Reader, Watched};

/// The service types that anybody announces: a stream of those that come and go. The search ends when this is dropped.
pub struct TypeBrowser {
    core: Arc<Core>,
    id: Id,
    reader: Reader<cooee_sd::TypeBrowser>,
}

impl TypeBrowser {
    pub(crate) fn new(core: Arc<Core>, id: Id, state: &Watched<cooee_sd::TypeBrowser>) -> Self {
        Self {
            core,
            id,
            reader: state.reader(),
        }
    }

    /// The next type that came or went. `None` comes after shutdown only.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<TypeEvent> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// All types that are announced now. They count as told: the next event is a difference from them.
    pub fn snapshot(&mut self) -> Vec<ServiceType> {
        let types = self.reader.watched().with(cooee_sd::TypeBrowser::snapshot);
        types.into_iter().map(|(kind, _)| kind).collect()
    }

    /// The links on which a type is announced.
    #[must_use]
    pub fn links(&self, kind: &ServiceType) -> Vec<Link> {
        let links = self.core.links();
        let seen = self.reader.watched().with(|machine| machine.links(kind));
        links.select(seen.iter().map(|link| link.0)).into_vec()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<TypeEvent>> {
        self.reader
            .poll(cx, |machine, closed| match machine.poll_event() {
                None => closed.then_some(None),
                event => Some(event),
            })
    }
}

impl Stream for TypeBrowser {
    type Item = TypeEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<TypeEvent>> {
        self.poll(cx)
    }
}

impl Drop for TypeBrowser {
    fn drop(&mut self) {
        let id = self.id;
        self.core
            .call(move |discovery, now| discovery.stop(now, id));
    }
}

impl fmt::Debug for TypeBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypeBrowser")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
