//! Names and records that are published beside services.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use cooee_mdns::net::Links;
use cooee_wire::NameBuf;

use crate::address::ScopedAddr;
use crate::core::{Core, Id};
use crate::error::{Error, Result};
use crate::offer::host_label;
use crate::registration::Phase;
use crate::watched::Watched;

/// A host name to be published beside that of this computer: a further name of its own, or the name of a machine that cannot speak for itself.
///
/// ```
/// use cooee::Host;
///
/// let printer = Host::new("old-laserjet", ["192.168.1.50".parse()?])?;
/// let alias = Host::alias("intranet")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Host {
    /// The label of the name.
    pub(crate) wanted: String,
    /// The label that is tried first: from the last time, if that was another.
    pub(crate) first: String,
    /// `None`: those of this computer, on each link its own.
    pub(crate) addresses: Option<Vec<IpAddr>>,
    pub(crate) links: Links,
}

impl Host {
    /// Another machine, with or without `.local` in its name.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no host name, or there is no address, or one that nobody can connect to.
    pub fn new(name: &str, addresses: impl IntoIterator<Item = IpAddr>) -> Result<Self> {
        let addresses: Vec<IpAddr> = addresses.into_iter().collect();
        if addresses.is_empty() {
            return Err(Error::invalid(format!(
                "the host \"{name}\" needs an address; Host::alias is for further names of this computer"
            )));
        }
        if let Some(bad) = addresses
            .iter()
            .find(|&&ip| !ScopedAddr::from(ip).is_usable())
        {
            return Err(Error::invalid(format!(
                "the host \"{name}\" cannot have the address {bad}: nobody can connect to it"
            )));
        }
        Self::named(name, Some(addresses))
    }

    /// A further name of this computer.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no host name.
    pub fn alias(name: &str) -> Result<Self> {
        Self::named(name, None)
    }

    /// Publishes on these links only, of those that the [`Zeroconf`](crate::Zeroconf) uses.
    #[must_use]
    pub fn links(mut self, links: impl Into<Links>) -> Self {
        self.links = links.into();
        self
    }

    fn named(name: &str, addresses: Option<Vec<IpAddr>>) -> Result<Self> {
        let label = host_label(name)?;
        Ok(Self {
            first: label.clone(),
            wanted: label,
            addresses,
            links: Links::default(),
        })
    }
}

/// What is known of a published name or of published records: shared by the guard and the driver's task.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// The present name; records of several names have none.
    pub(crate) name: Option<NameBuf>,
    pub(crate) phase: Phase,
    /// Why the phase is `Failed`.
    pub(crate) error: Option<Error>,
}

impl Claim {
    pub(crate) fn new(name: Option<NameBuf>) -> Self {
        Self {
            name,
            phase: Phase::Probing,
            error: None,
        }
    }
}

/// What the two guards have in common.
struct Guard {
    core: Arc<Core>,
    id: Id,
    state: Watched<Claim>,
    withdraws: bool,
}

impl Guard {
    async fn ready(&self) -> Result<()> {
        let reader = self.state.reader();
        reader
            .wait(|claim, closed| match claim.phase {
                Phase::Ready if !closed => Some(Ok(())),
                Phase::Failed => Some(Err(claim.error.clone().unwrap_or_else(Error::withdrawn))),
                Phase::Withdrawn => Some(Err(Error::withdrawn())),
                Phase::Waiting | Phase::Probing | Phase::Ready => {
                    closed.then(|| Err(Error::shut_down()))
                }
            })
            .await
    }

    async fn withdraw(self) {
        let reader = self.state.reader();
        // At once, so that a dropped future has done it too.
        drop(self);
        reader
            .wait(|claim, closed| (closed || claim.phase == Phase::Withdrawn).then_some(()))
            .await;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.withdraws {
            let id = self.id;
            self.core
                .call(move |discovery, now| discovery.withdraw_claim(now, id));
        }
    }
}

/// A published host name, for as long as this is held: dropping it withdraws the name.
#[must_use = "dropping a registration withdraws the host"]
pub struct HostRegistration(Guard);

impl HostRegistration {
    pub(crate) fn new(core: Arc<Core>, id: Id, state: Watched<Claim>) -> Self {
        Self(Guard {
            core,
            id,
            state,
            withdraws: true,
        })
    }

    pub(crate) fn id(&self) -> Id {
        self.0.id
    }

    /// The name at this moment. If somebody else has it, the next one is tried: `old-laserjet-2.local`.
    #[must_use]
    pub fn name(&self) -> NameBuf {
        self.0
            .state
            .with(|claim| claim.name.clone())
            .unwrap_or_else(NameBuf::root)
    }

    /// Waits until the name is ours and announced; gives the name.
    ///
    /// # Errors
    ///
    /// [`is_name_taken`](Error::is_name_taken) after one minute of conflicts; [`is_shut_down`](Error::is_shut_down) after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future changes nothing.
    pub async fn ready(&self) -> Result<NameBuf> {
        self.0.ready().await?;
        Ok(self.name())
    }

    /// Leaves the name published until shutdown, without a handle.
    pub fn detach(mut self) {
        self.0.withdraws = false;
    }

    /// Withdraws the name, and returns when the first goodbye has left.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped, the name is withdrawn in the background.
    pub async fn withdraw(self) {
        self.0.withdraw().await;
    }
}

impl fmt::Debug for HostRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostRegistration")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Published records, for as long as this is held: dropping it withdraws them.
#[must_use = "dropping a registration withdraws the records"]
pub struct RecordRegistration(Guard);

impl RecordRegistration {
    pub(crate) fn new(core: Arc<Core>, id: Id, state: Watched<Claim>) -> Self {
        Self(Guard {
            core,
            id,
            state,
            withdraws: true,
        })
    }

    /// Waits until the records are announced.
    ///
    /// # Errors
    ///
    /// [`is_name_taken`](Error::is_name_taken) if somebody else has unique records of one of the names; [`is_shut_down`](Error::is_shut_down) after
    /// shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future changes nothing.
    pub async fn ready(&self) -> Result<()> {
        self.0.ready().await
    }

    /// Leaves the records published until shutdown, without a handle.
    pub fn detach(mut self) {
        self.0.withdraws = false;
    }

    /// Withdraws the records, and returns when the first goodbye has left.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped, the records are withdrawn in the background.
    pub async fn withdraw(self) {
        self.0.withdraw().await;
    }
}

impl fmt::Debug for RecordRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordRegistration").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_needs_addresses_that_one_can_connect_to() {
        assert!(Host::new("printer", ["192.0.2.1".parse().unwrap()]).is_ok());
        for address in ["0.0.0.0", "::", "224.0.0.251", "ff02::fb"] {
            let error = Host::new("printer", [address.parse().unwrap()]).unwrap_err();
            assert!(error.is_invalid_input() && error.to_string().contains(address));
        }
    }
}
