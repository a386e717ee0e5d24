//! The way in, for programs without async.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cooee_mdns::net::Links;
use cooee_sd::ServiceName;
use cooee_wire::{NameBuf, RecordBuf, RecordType};

use super::browser::Browser;
use super::listen::{Listener, Listening};
use super::registration::Registration;
use super::streams::{Events, Query, TypeBrowser};
use super::wait::wait;
use crate::address::ScopedAddr;
use crate::browse::Browse;
use crate::builder::Builder;
use crate::claim::{Host, HostRegistration, RecordRegistration};
use crate::error::{Error, Result};
use crate::found::{FoundService, HostAddresses};
use crate::links::Link;
use crate::records::FoundRecord;
use crate::service::Service;
use crate::zeroconf::Stats;

/// Zeroconf on this computer, for programs without async. See [`cooee::Zeroconf`](crate::Zeroconf).
///
/// A clone is the same thing and costs one reference count.
#[derive(Clone, Debug)]
pub struct Zeroconf(crate::Zeroconf);

impl Zeroconf {
    /// Starts with every default.
    ///
    /// # Errors
    ///
    /// As [`Builder::start_blocking`].
    pub fn start() -> Result<Self> {
        crate::Zeroconf::builder().start_blocking()
    }

    /// Starts with choices: `builder().start_blocking()`.
    pub fn builder() -> Builder {
        crate::Zeroconf::builder()
    }

    /// Publishes a service and waits until the name is ours and announced; with no network it waits for one.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::publish`].
    pub fn publish(&self, service: Service) -> Result<Registration> {
        wait(self.0.publish(service)).map(Registration::new)
    }

    /// Publishes a service without waiting.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::start_publish`].
    pub fn start_publish(&self, service: Service) -> Result<Registration> {
        self.0.start_publish(service).map(Registration::new)
    }

    /// Publishes a host name beside that of this computer, and waits until it is announced.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::publish_host`].
    pub fn publish_host(&self, host: Host) -> Result<HostRegistration> {
        wait(self.0.publish_host(host))
    }

    /// Publishes a host name without waiting.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::start_publish_host`].
    pub fn start_publish_host(&self, host: Host) -> Result<HostRegistration> {
        self.0.start_publish_host(host)
    }

    /// Publishes records on these links, and waits until they are announced.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::publish_records`].
    pub fn publish_records(
        &self,
        records: impl IntoIterator<Item = RecordBuf>,
        links: impl Into<Links>,
    ) -> Result<RecordRegistration> {
        wait(self.0.publish_records(records, links))
    }

    /// Looks for services; the [`Browser`] is an iterator.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::browse`].
    pub fn browse(&self, what: impl TryInto<Browse, Error: Into<Error>>) -> Result<Browser> {
        self.0.browse(what).map(Browser::new)
    }

    /// Looks for services and calls the listener with what is found, until the guard is dropped.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::browse`], and [`is_network`](Error::is_network) if the system gives no thread.
    pub fn listen(
        &self,
        what: impl TryInto<Browse, Error: Into<Error>>,
        listener: Listener,
    ) -> Result<Listening> {
        Listening::start(self.0.browse(what)?, listener)
    }

    /// Looks for services until all seem to be found, at most for this time.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::list`].
    pub fn list(
        &self,
        what: impl TryInto<Browse, Error: Into<Error>>,
        timeout: Duration,
    ) -> Result<Vec<FoundService>> {
        wait(self.0.list(what).timeout(timeout).into_future())
    }

    /// Finds a service whose name is known.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::resolve`].
    pub fn resolve(
        &self,
        name: impl TryInto<ServiceName, Error: Into<Error>>,
        timeout: Duration,
    ) -> Result<FoundService> {
        wait(self.0.resolve(name).timeout(timeout).into_future())
    }

    /// Finds the addresses of a host.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::resolve_host`].
    pub fn resolve_host(
        &self,
        name: impl TryInto<NameBuf, Error: Into<Error>>,
        timeout: Duration,
    ) -> Result<HostAddresses> {
        wait(self.0.resolve_host(name).timeout(timeout).into_future())
    }

    /// Finds the names of the host that has an address.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::reverse`].
    pub fn reverse(
        &self,
        address: impl Into<ScopedAddr>,
        timeout: Duration,
    ) -> Result<Vec<NameBuf>> {
        wait(self.0.reverse(address).timeout(timeout).into_future())
    }

    /// The service types that anybody announces; the [`TypeBrowser`] is an iterator.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::service_types`].
    pub fn service_types(&self) -> Result<TypeBrowser> {
        self.0.service_types().map(TypeBrowser::new)
    }

    /// Asks for the records of one name and type on these links, until the [`Query`] is dropped.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::query`].
    pub fn query(
        &self,
        name: impl TryInto<NameBuf, Error: Into<Error>>,
        kind: RecordType,
        links: impl Into<Links>,
    ) -> Result<Query> {
        self.0.query(name, kind, links).map(Query::new)
    }

    /// Asks once for the records of one name and type.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::lookup`].
    pub fn lookup(
        &self,
        name: impl TryInto<NameBuf, Error: Into<Error>>,
        kind: RecordType,
        timeout: Duration,
    ) -> Result<Vec<FoundRecord>> {
        wait(self.0.lookup(name, kind).timeout(timeout).into_future())
    }

    /// See [`crate::Zeroconf::reconfirm`].
    pub fn reconfirm(&self, service: &FoundService) {
        self.0.reconfirm(service);
    }

    /// See [`crate::Zeroconf::host_name`].
    #[must_use]
    pub fn host_name(&self) -> Option<NameBuf> {
        self.0.host_name()
    }

    /// See [`crate::Zeroconf::links`].
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.0.links()
    }

    /// See [`crate::Zeroconf::set_links`].
    pub fn set_links(&self, links: impl Into<Links>) {
        self.0.set_links(links);
    }

    /// What happens to links, host name and port, beginning with the present state.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.0.events())
    }

    /// What came, went, and was dropped so far.
    ///
    /// # Errors
    ///
    /// As [`crate::Zeroconf::stats`].
    pub fn stats(&self) -> Result<Stats> {
        wait(self.0.stats())
    }

    /// Says goodbye for all that is published and closes the sockets; at most a second. Call it before `main` returns.
    pub fn shutdown(&self) {
        wait(self.0.shutdown());
    }
}

impl Builder {
    /// Starts, on a thread of its own instead of the present runtime.
    ///
    /// # Errors
    ///
    /// [`is_network`](Error::is_network) if no socket of any family can be had, or no thread;
    /// [`is_invalid_input`](Error::is_invalid_input) if the host name is none.
    pub fn start_blocking(self) -> Result<Zeroconf> {
        let (sender, started) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("cooee".into())
            .spawn(move || run(self, &sender))?;
        // The thread answers, or has ended without a word.
        started.recv().unwrap_or_else(|_| Err(Error::shut_down()))
    }
}

/// Runs the driver until it ends.
fn run(builder: Builder, started: &mpsc::SyncSender<Result<Zeroconf>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = started.send(Err(error.into()));
            return;
        }
    };
    runtime.block_on(async {
        match builder.start_now() {
            Ok(zeroconf) => {
                let ended = zeroconf.ended();
                // If nobody waits any more, dropping it ends the driver.
                let _ = started.send(Ok(Zeroconf(zeroconf)));
                ended.await;
            }
            Err(error) => {
                let _ = started.send(Err(error));
            }
        }
    });
}
