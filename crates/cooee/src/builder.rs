//! Starting.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cooee_mdns::net::{self, Families, Handle, Links, StartError, Stats, Tap};
use cooee_mdns::{Config, Engine, Instant};

use crate::core::{Call, Core, Network, Runner};
use crate::discovery::{Discovery, Host};
use crate::error::Result;
use crate::links::Link;
use crate::names::{NameStore, Names};
use crate::offer::{computer_name, host_label};
use crate::watched::Watched;
use crate::zeroconf::Zeroconf;

/// How long a lookup waits for an answer, if nothing else is said (ruling 3).
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);

/// How [`Zeroconf`] is to be started; [`Zeroconf::builder`] makes one.
///
/// ```no_run
/// # async fn example() -> cooee::Result<()> {
/// use cooee::{HostPolicy, Links, Zeroconf};
///
/// let zeroconf = Zeroconf::builder()
///     .links(Links::default().except("docker*"))
///     .host_name(HostPolicy::Named("hub".into()))
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    net: net::Builder,
    families: Families,
    host: HostPolicy,
    timeout: Duration,
    names: Names,
}

/// Under which name this host publishes its addresses. A name that is taken gets a number: `hub-2.local`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostPolicy {
    /// A name of our own, made from the computer's: `<name>-cooee.local`. It is claimed when the first service needs it.
    // Ruling 36.
    #[default]
    Derived,
    /// The computer's own name, `<name>.local`. If the system has a responder of its own (Avahi, systemd-resolved, macOS), that one owns the name
    /// and we only use it; if not, or when it goes, the name is claimed.
    // Ruling 22.
    System,
    /// This name, with or without `.local`. It is claimed at once; if it is the computer's own, it is shared as with [`System`](Self::System).
    Named(String),
    /// None. Services can then be published on other hosts only.
    None,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            net: net::Builder::new(),
            families: Families::default(),
            host: HostPolicy::Derived,
            timeout: LOOKUP_TIMEOUT,
            names: Names::default(),
        }
    }
}

impl Builder {
    /// The links to use. By default those that look like a network to other machines.
    pub fn links(mut self, links: impl Into<Links>) -> Self {
        self.net = self.net.links(links);
        self
    }

    /// The families in which packets are sent and heard; both by default.
    pub fn families(mut self, families: Families) -> Self {
        self.net = self.net.families(families);
        self.families = families;
        self
    }

    /// Of our addresses on each link, those that are published as the host's; by default all. `keep` must not block.
    pub fn published_addresses(
        mut self,
        keep: impl Fn(&Link, IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.net = self.net.published_addresses(keep);
        self
    }

    /// Under which name this host publishes its addresses.
    pub fn host_name(mut self, policy: HostPolicy) -> Self {
        self.host = policy;
        self
    }

    /// Where names that were chosen after a conflict are kept, so that they survive a restart.
    pub fn name_store(mut self, store: impl NameStore) -> Self {
        self.names = Names::new(store);
        self
    }

    /// How long lookups wait for an answer, if nothing else is said with the lookup; 3 s by default.
    pub fn timeout(mut self, default_of_lookups: Duration) -> Self {
        self.timeout = default_of_lookups;
        self
    }

    /// Starts: opens the sockets and a task on the present tokio runtime. Nothing is sent before something is published or looked for.
    ///
    /// # Errors
    ///
    /// [`is_no_runtime`](crate::Error::is_no_runtime) outside of a tokio runtime; [`is_network`](crate::Error::is_network) if no socket of any family can be
    /// had; [`is_invalid_input`](crate::Error::is_invalid_input) if the host name is none. Having no link is no error: one may come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a start that is given up leaves nothing running.
    pub async fn start(self) -> Result<Zeroconf> {
        self.start_now()
    }

    /// Opens the sockets to listen only, for programs that watch the traffic itself: nothing is sent, and no task is started. Links and families are as
    /// for [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// [`is_no_runtime`](crate::Error::is_no_runtime) outside of a tokio runtime; [`is_network`](crate::Error::is_network) if no socket of any family can be
    /// had.
    pub fn tap(self) -> Result<Tap> {
        Ok(self.net.tap()?)
    }

    pub(crate) fn start_now(self) -> Result<Zeroconf> {
        self.start_as(&computer_name(), |net, make| net.start(make))
    }

    #[cfg(feature = "testing")]
    pub(crate) const fn chosen_families(&self) -> Families {
        self.families
    }

    /// Starts on a computer that a test kit makes up.
    #[cfg(feature = "testing")]
    pub(crate) fn start_simulated(
        self,
        computer: &str,
        world: impl net::seam::World,
    ) -> Result<Zeroconf> {
        self.start_as(computer, |net, make| net.start_in(world, make))
    }

    fn start_as(
        self,
        computer: &str,
        start: impl FnOnce(net::Builder, Make) -> std::result::Result<Handle<Discovery>, StartError>,
    ) -> Result<Zeroconf> {
        let host = host(&self.host, computer)?;
        let has_host = host.is_some();
        let host = host.map(|wanted| {
            let first = self.names.first_host(&wanted);
            match is_system_name(&wanted, computer) {
                true => Host::system(&wanted, first),
                false => Host::own(&wanted, first),
            }
        });
        let (keeper, stored) = self.names.keeper()?;
        let at_once = matches!(self.host, HostPolicy::Named(_));
        let network = Watched::new(Network::default());
        let node_network = network.clone();
        let make: Make = Box::new(move |now, seed| {
            let engine = Engine::new(Config::default(), seed, now);
            Discovery::new(engine, host, node_network, keeper)
        });
        let handle = start(self.net, make)?;
        let core = Core::new(
            Box::new(Driver(handle)),
            network,
            self.timeout,
            self.names,
            stored,
            has_host,
        );
        if at_once {
            core.call(|discovery, now| discovery.claim_own_host(now));
        }
        Ok(Zeroconf::new(Arc::new(core)))
    }
}

/// The first label of the host's name, if it is to have one.
fn host(policy: &HostPolicy, computer: &str) -> Result<Option<String>> {
    match policy {
        HostPolicy::None => Ok(None),
        HostPolicy::Named(name) => Ok(Some(host_label(name)?)),
        HostPolicy::Derived => Ok(Some(derived(computer))),
        HostPolicy::System => Ok(Some(host_label(computer)?)),
    }
}

/// Whether another responder of this computer may have the name by rights, however it came to be asked for.
fn is_system_name(label: &str, computer: &str) -> bool {
    label.eq_ignore_ascii_case(computer)
}

/// `tabasco-cooee`, cut on a character boundary to the 63 bytes of a label.
fn derived(computer: &str) -> String {
    const SUFFIX: &str = "-cooee";
    let mut end = computer.len().min(63 - SUFFIX.len());
    while !computer.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{SUFFIX}", computer.get(..end).unwrap_or_default())
}

/// Makes the node, from the time and a seed.
type Make = Box<dyn FnOnce(Instant, u64) -> Discovery>;

/// A node with a driver.
struct Driver(Handle<Discovery>);

impl Runner for Driver {
    fn call(&self, call: Call) {
        // A call that comes too late is dropped, and tells those who wait for it by that.
        let _ = self.0.call(call);
    }

    fn set_links(&self, links: Links) {
        // Nothing is left to be told when it has ended.
        let _ = self.0.set_links(links);
    }

    fn stats(&self) -> Pin<Box<dyn Future<Output = Option<Stats>> + Send + Sync + '_>> {
        Box::pin(async { self.0.stats().await.ok() })
    }

    fn shutdown(&self) -> Pin<Box<dyn Future<Output = ()> + Send + Sync + '_>> {
        Box::pin(self.0.shutdown())
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ruling 22
    #[test]
    fn the_name_of_the_computer_is_the_systems_whoever_asks_for_it() {
        let is_systems = |policy: HostPolicy| {
            let label = host(&policy, "tabasco").unwrap().unwrap();
            is_system_name(&label, "tabasco")
        };
        assert!(is_systems(HostPolicy::System));
        assert!(is_systems(HostPolicy::Named("TABASCO.local".into())));
        assert!(!is_systems(HostPolicy::Derived));
    }

    #[test]
    fn a_derived_host_name_fits_into_a_label() {
        assert_eq!(derived("tabasco"), "tabasco-cooee");
        let long = derived(&"ü".repeat(40));
        assert!(long.len() <= 63 && long.ends_with("ü-cooee"), "{long}");
    }
}
