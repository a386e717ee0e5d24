//! A published service, for programs without async.

use std::time::Duration;

use cooee_sd::{InstanceName, ServiceName, TxtAttributes};

use super::wait::{wait, wait_for};
use crate::RegistrationEvent;
use crate::error::{Error, Result};

/// A published service, for as long as this is held. See [`cooee::Registration`](crate::Registration).
#[derive(Debug)]
#[must_use = "dropping a registration withdraws the service"]
pub struct Registration(crate::Registration);

impl Registration {
    pub(super) fn new(registration: crate::Registration) -> Self {
        Self(registration)
    }

    /// The name at this moment. If somebody else has it, the next one is tried.
    #[must_use]
    pub fn name(&self) -> ServiceName {
        self.0.name()
    }

    /// Waits until the name is ours and all that was asked for so far is announced; gives the name.
    ///
    /// # Errors
    ///
    /// As [`crate::Registration::ready`], and [`is_timeout`](Error::is_timeout) if it takes longer than this.
    pub fn ready(&self, timeout: Duration) -> Result<ServiceName> {
        wait_for(self.0.ready(), timeout).unwrap_or_else(|| Err(Error::timeout(&self.name())))
    }

    /// Calls `call` with the former and the new name whenever the name has changed, until the service is withdrawn. It runs on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`is_network`](Error::is_network) if the system gives no thread.
    pub fn on_renamed(
        &self,
        mut call: impl FnMut(&ServiceName, &ServiceName) + Send + 'static,
    ) -> Result<()> {
        let mut events = self.0.events();
        std::thread::Builder::new()
            .name("cooee-renamed".into())
            .spawn(move || {
                while let Some(event) = wait(events.next()) {
                    if let RegistrationEvent::Renamed { from, to } = event {
                        call(&from, &to);
                    }
                }
            })?;
        Ok(())
    }

    /// The TXT attributes as they were last asked for.
    #[must_use]
    pub fn txt(&self) -> TxtAttributes {
        self.0.txt()
    }

    /// See [`crate::Registration::update_txt`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn update_txt(&self, txt: TxtAttributes) -> Result<()> {
        self.0.update_txt(txt)
    }

    /// See [`crate::Registration::set_port`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_port(&self, port: u16) -> Result<()> {
        self.0.set_port(port)
    }

    /// See [`crate::Registration::add_subtype`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn add_subtype(&self, subtype: &str) -> Result<()> {
        self.0.add_subtype(subtype)
    }

    /// See [`crate::Registration::remove_subtype`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn remove_subtype(&self, subtype: &str) -> Result<()> {
        self.0.remove_subtype(subtype)
    }

    /// See [`crate::Registration::rename`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn rename(&self, instance: impl TryInto<InstanceName, Error: Into<Error>>) -> Result<()> {
        self.0.rename(instance)
    }

    /// Leaves the service up until shutdown, without a handle.
    pub fn detach(self) {
        self.0.detach();
    }

    /// Withdraws the service, and returns when the first goodbye has left.
    pub fn withdraw(self) {
        wait(self.0.withdraw());
    }
}
