//! What every handle holds: the way to the driver's task, and what can be known without asking it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cooee_mdns::net::{Links, Stats};
use cooee_mdns::{Family, Instant};
use cooee_wire::NameBuf;

use crate::discovery::Discovery;
use crate::error::{Error, Result};
use crate::links::LinkTable;
use crate::names::{Names, Stored};
use crate::watched::Watched;

/// Names one thing that a handle stands for. No two are equal in a program: a host of one node is nothing to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u64);

impl Id {
    /// One that nothing else has.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Something to be done with the node, where it is.
pub(crate) type Call = Box<dyn FnOnce(&mut Discovery, Instant) + Send>;

/// What keeps a node running: the driver, or a simulated network.
pub(crate) trait Runner: Send + Sync {
    /// Has `call` done soon, in the order of the calls. If the node has ended, `call` is dropped.
    fn call(&self, call: Call);

    /// Uses other links.
    fn set_links(&self, links: Links);

    /// The counters of the sockets; `None` if there are none any more.
    fn stats(&self) -> Pin<Box<dyn Future<Output = Option<Stats>> + Send + Sync + '_>>;

    /// Ends the node, with goodbyes, and waits for it. Dropping the runner does it too, without waiting.
    fn shutdown(&self) -> Pin<Box<dyn Future<Output = ()> + Send + Sync + '_>>;
}

/// One for each node, shared by all its handles: when the last one goes, the node ends.
pub(crate) struct Core {
    runner: Box<dyn Runner>,
    pub(crate) network: Watched<Network>,
    /// How long a lookup takes if nobody answers.
    pub(crate) timeout: Duration,
    /// The names of the last time.
    pub(crate) names: Names,
    /// Whether those of this time are kept.
    pub(crate) stored: Stored,
    /// Whether this host is to have a name.
    pub(crate) has_host: bool,
}

/// The present state of links and host.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) links: LinkTable,
    /// Links that the system does not let us use, by interface index.
    pub(crate) failures: BTreeMap<u32, Error>,
    /// A family for which there is no socket, and why; without the other as well there would be no node.
    pub(crate) no_socket: Option<(Family, Error)>,
    pub(crate) host_name: Option<NameBuf>,
    pub(crate) port_shared: bool,
    /// The node's time when it last worked, and when that was by the clock of the readers.
    clock: Option<(Instant, tokio::time::Instant)>,
}

impl Core {
    pub(crate) fn new(
        runner: Box<dyn Runner>,
        network: Watched<Network>,
        timeout: Duration,
        names: Names,
        stored: Stored,
        has_host: bool,
    ) -> Self {
        Self {
            runner,
            network,
            timeout,
            names,
            stored,
            has_host,
        }
    }

    pub(crate) fn call(&self, call: impl FnOnce(&mut Discovery, Instant) + Send + 'static) {
        self.runner.call(Box::new(call));
    }

    /// Has `call` done for something that waits on `state`: if that is not to be, `state` is closed.
    pub(crate) fn call_for<T: Send + 'static>(
        &self,
        state: &Watched<T>,
        call: impl FnOnce(&mut Discovery, Instant) + Send + 'static,
    ) {
        let guard = CloseUnlessDone(Some(state.clone()));
        self.call(move |discovery, now| {
            let mut guard = guard;
            guard.0 = None;
            call(discovery, now);
        });
    }

    pub(crate) fn check_alive(&self) -> Result<()> {
        match self.network.is_closed() {
            true => Err(Error::shut_down()),
            false => Ok(()),
        }
    }

    pub(crate) fn links(&self) -> LinkTable {
        self.network.with(|network| network.links.clone())
    }

    /// The links and the node's time, for what is told of this moment.
    pub(crate) fn moment(&self) -> (LinkTable, Duration) {
        self.network
            .with(|network| (network.links.clone(), network.now()))
    }

    pub(crate) fn runner(&self) -> &dyn Runner {
        &*self.runner
    }
}

impl Network {
    /// Notes the node's time.
    pub(crate) fn set_now(&mut self, now: Instant) {
        self.clock = Some((now, tokio::time::Instant::now()));
    }

    /// The node's time, since its epoch. The node may have slept for long, so what went by since is added.
    pub(crate) fn now(&self) -> Duration {
        self.clock.map_or(Duration::ZERO, |(then, noted)| {
            Duration::from_micros(then.as_micros()) + noted.elapsed()
        })
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

/// Closes the value when a call is dropped without having been done.
struct CloseUnlessDone<T>(Option<Watched<T>>);

impl<T> Drop for CloseUnlessDone<T> {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.close();
        }
    }
}
