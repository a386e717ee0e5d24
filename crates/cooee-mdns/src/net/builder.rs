//! Starting a driver.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::runtime;

use super::driven::Driven;
use super::driver::{Driver, PublishedAddresses};
use super::error::StartError;
use super::handle::Handle;
use super::link::Link;
use super::links::Links;
use super::select::{Families, select};
use super::system::{self, System};
use super::tap::Tap;
use super::world::World;
use crate::Instant;

/// How a driver is to be started.
///
/// ```
/// use cooee_mdns::{Config, Engine};
/// use cooee_mdns::net::{Builder, Links, StartError};
///
/// # async fn example() -> Result<(), StartError> {
/// let handle = Builder::new()
///     .links(Links::default().except("docker*"))
///     .start(|now, seed| Engine::new(Config::default(), seed, now))?;
/// for link in handle.links() {
///     println!("{}: {}", link.name(), link.status());
/// }
/// handle.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    links: Links,
    families: Families,
    published: Option<PublishedAddresses>,
}

impl Builder {
    /// All defaults: links by role, both families.
    pub fn new() -> Self {
        Self::default()
    }

    /// The links to use.
    pub fn links(mut self, links: impl Into<Links>) -> Self {
        self.links = links.into();
        self
    }

    /// The families to use.
    pub fn families(mut self, families: Families) -> Self {
        self.families = families;
        self
    }

    /// Of our addresses on each link, those that are told to others as the host's; by default all. The rest are still known to be ours. `keep` runs
    /// on the driver's task and must not block.
    pub fn published_addresses(
        mut self,
        keep: impl Fn(&Link, IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.published = Some(Arc::new(keep));
        self
    }

    /// Opens the sockets and starts a task on the present tokio runtime, which needs its I/O and time drivers (`enable_all`).
    ///
    /// `make` makes the node from the time by the driver's clock and a random seed for its engine. It is run at once; the links that
    /// are there are told to the engine before this returns.
    ///
    /// # Errors
    ///
    /// If there is no such runtime, or no socket of any family can be had. Having no link is no error: one may come.
    pub fn start<N: Driven>(
        self,
        make: impl FnOnce(Instant, u64) -> N,
    ) -> Result<Handle<N>, StartError> {
        let world = System::open(self.families)?;
        self.start_in(world, make)
    }

    /// All links of the machine as they are now, judged as [`start`](Self::start) would, but without a socket on port 5353: also for when none can
    /// be had. Whether their groups can be joined is not known from it. Needs a tokio runtime, as `start` does.
    ///
    /// # Errors
    ///
    /// If there is no such runtime, or the system does not tell which interfaces there are.
    pub fn look(&self) -> Result<Vec<Link>, StartError> {
        let interfaces = system::look()?;
        Ok(select(&interfaces, &self.links, |family| {
            self.families.contains(family)
        }))
    }

    /// Opens the sockets to listen only: nothing is sent, and no task is started. The links and families are as for [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn tap(self) -> Result<Tap, StartError> {
        let world = System::listen(self.families)?;
        Ok(Tap::new(world, self.links))
    }

    /// As [`start`](Self::start), in a world that the caller brings.
    #[doc(hidden)]
    pub fn start_in<N: Driven, W: World>(
        self,
        mut world: W,
        make: impl FnOnce(Instant, u64) -> N,
    ) -> Result<Handle<N>, StartError> {
        let runtime = runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        let seed = world.seed();
        let node = make(world.now(), seed);
        let (driver, handle) = Driver::new(node, world, self.links, self.published);
        // The task ends by itself; nobody waits for it.
        drop(runtime.spawn(driver.run()));
        Ok(handle)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("links", &self.links)
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Engine};

    fn start() -> Result<Handle<Engine>, StartError> {
        Builder::new()
            .links(Links::none())
            .start(|now, seed| Engine::new(Config::default(), seed, now))
    }

    #[test]
    fn without_a_runtime_or_its_io_driver_it_says_so_and_does_not_panic() {
        assert!(matches!(start(), Err(StartError::NoRuntime)));
        let bare = runtime::Builder::new_current_thread().build().unwrap();
        let _inside = bare.enter();
        assert!(matches!(start(), Err(StartError::NoRuntime)));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_look_at_the_links_says_what_each_is() {
        let links = Builder::new().links(Links::loopback()).look().unwrap();
        let lo = links.iter().find(|link| link.is_loopback());
        let Some(lo) = lo.filter(|lo| lo.is_up() && lo.has_carrier()) else {
            println!("skipped: there is no loopback interface, or it is down");
            return;
        };
        assert!(lo.is_in_use() && !lo.is_multicast(), "{lo:?}");
    }

    // ruling 28: loopback alone, unprivileged, two nodes on the same port.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn two_drivers_share_the_port_on_loopback() {
        let on_loopback = || {
            Builder::new()
                .links(Links::loopback())
                .start(|now, seed| Engine::new(Config::default(), seed, now))
        };
        let (one, two) = match (on_loopback(), on_loopback()) {
            (Ok(one), Ok(two)) => (one, two),
            (Err(error), _) | (_, Err(error)) => {
                println!("skipped: {error}");
                return;
            }
        };
        for handle in [one, two] {
            for link in handle.links() {
                if link.is_loopback() && !link.is_in_use() {
                    println!("skipped for loopback: {}", link.status());
                    continue;
                }
                assert_eq!(link.is_in_use(), link.is_loopback(), "{link:?}");
            }
            handle.shutdown().await;
        }
    }
}
