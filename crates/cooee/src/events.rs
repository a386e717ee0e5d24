//! What happens to the network underneath.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use cooee_mdns::Family;
use cooee_wire::NameBuf;
use futures_core::Stream;

use crate::core::{Core, Network};
use crate::error::Error;
use crate::links::Link;
use crate::watched::Reader;

/// Something that happened to the links, the host's name or the port.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The link is used from now on.
    LinkUp(Link),
    /// The link is used no more.
    LinkDown(Link),
    /// The link was chosen, but the system does not let us use it.
    LinkFailed {
        /// The link.
        link: Link,
        /// Why.
        error: Error,
    },
    /// No socket can be had for one of the families, as when a program holds port 5353 and does not share it, or IPv6 is switched off. The other
    /// goes on. A port that is held is asked for again, down to once a minute.
    NoSocket {
        /// The family.
        family: Family,
        /// Why; [`source`](std::error::Error::source) leads to what the system said.
        error: Error,
    },
    /// There is a socket for this family after all.
    SocketOpened(Family),
    /// No link is used. Everything waits for one.
    NoLink,
    /// The name under which this host is published; `None`: it has none, or it is being found out whether it is free.
    HostName(Option<NameBuf>),
    /// Whether another program on this computer uses port 5353 too. Then answers are asked for by multicast only.
    PortShared(bool),
}

/// A stream of [`Event`]s, beginning with the present state; it ends at shutdown. States, not news: who reads slowly is told how it stands, not
/// all that happened.
#[derive(Debug)]
pub struct Events {
    // Whoever listens wants it to run.
    _core: Arc<Core>,
    reader: Reader<Network>,
    shown: Shown,
    waiting: VecDeque<Event>,
}

/// What was told last.
#[derive(Debug, Default)]
struct Shown {
    /// Those in use, by interface index.
    links: BTreeMap<u32, Link>,
    /// Those that the system does not let us use.
    failures: BTreeSet<u32>,
    no_socket: Option<Family>,
    /// `None`: nothing was told yet.
    has_link: Option<bool>,
    host_name: Option<NameBuf>,
    port_shared: bool,
}

impl Events {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            reader: core.network.reader(),
            _core: core,
            shown: Shown::default(),
            waiting: VecDeque::new(),
        }
    }

    /// The next event; `None` after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let (shown, waiting) = (&mut self.shown, &mut self.waiting);
        self.reader.poll(cx, |network, closed| {
            if waiting.is_empty() && !closed {
                shown.compare(network, waiting);
            }
            match waiting.pop_front() {
                None => closed.then_some(None),
                event => Some(event),
            }
        })
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll(cx)
    }
}

impl Shown {
    fn compare(&mut self, network: &Network, news: &mut VecDeque<Event>) {
        let now: BTreeMap<u32, Link> = network
            .links
            .present()
            .iter()
            .filter(|link| link.is_in_use())
            .map(|link| (link.index(), link.clone()))
            .collect();
        for (index, link) in &self.links {
            if !now.contains_key(index) {
                let present = network.links.get(*index).unwrap_or(link);
                news.push_back(Event::LinkDown(present.clone()));
            }
        }
        for (index, link) in &now {
            if !self.links.contains_key(index) {
                news.push_back(Event::LinkUp(link.clone()));
            }
        }
        for (index, error) in &network.failures {
            if !self.failures.contains(index)
                && let Some(link) = network.links.get(*index)
            {
                news.push_back(Event::LinkFailed {
                    link: link.clone(),
                    error: error.clone(),
                });
            }
        }
        self.failures = network.failures.keys().copied().collect();
        let no_socket = network.no_socket.as_ref().map(|(family, _)| *family);
        if self.no_socket != no_socket {
            news.extend(self.no_socket.map(Event::SocketOpened));
            if let Some((family, error)) = network.no_socket.clone() {
                news.push_back(Event::NoSocket { family, error });
            }
            self.no_socket = no_socket;
        }
        let has_link = !now.is_empty();
        if !has_link && self.has_link != Some(false) {
            news.push_back(Event::NoLink);
        }
        self.has_link = Some(has_link);
        self.links = now;
        if self.host_name != network.host_name {
            self.host_name.clone_from(&network.host_name);
            news.push_back(Event::HostName(network.host_name.clone()));
        }
        if self.port_shared != network.port_shared {
            self.port_shared = network.port_shared;
            news.push_back(Event::PortShared(network.port_shared));
        }
    }
}
