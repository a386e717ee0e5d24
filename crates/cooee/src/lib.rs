//! Zeroconf: publish a service on the local link, and find the others. No server, no configuration, no Internet.
//!
//! ```no_run
//! use cooee::{Service, ServiceEvent, Zeroconf};
//!
//! # async fn example() -> cooee::Result<()> {
//! let zeroconf = Zeroconf::start().await?;
//! let registration = zeroconf
//!     .publish(Service::new("Keith’s web server", "_http._tcp", 8080)?.txt("path", "/"))
//!     .await?;
//!
//! let mut browser = zeroconf.browse("_http._tcp")?;
//! while let Some(event) = browser.next().await {
//!     match event {
//!         ServiceEvent::Added(service) | ServiceEvent::Updated(service) => {
//!             println!("+ {} {:?}", service.name(), service.socket_addrs());
//!         }
//!         ServiceEvent::Removed(name) => println!("- {name}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The [`guide`] has a chapter for each thing that programs do.
//!
//! # How it behaves
//!
//! - [`Zeroconf::start`] opens sockets and starts one task on the present tokio runtime. All else works from any executor.
//! - **Publishing needs no network**: [`start_publish`](Zeroconf::start_publish) gives the [`Registration`] at once, the rest happens when there is a link. A
//!   name that is taken is exchanged for `Name (2)`.
//! - **A registration is a guard**: dropping it withdraws the service. So do the search and the question end when a [`Browser`] or a [`Lookup`] is dropped.
//! - **Streams yield states, not news**: [`Browser::next`] gives differences between what this reader was told and what is true; a slow reader gets fewer
//!   of them and misses nothing that still holds.
//! - **Addresses are ready to use**: [`FoundService::socket_addrs`] has the scope of link-local ones, and the best come first.
//! - Every `async fn` is cancel safe, and every handle is `Send`, `Sync` and `'static`.
//! - Without async there is the module `blocking`; with the feature `serde`, names and what was found can be stored.
//! - Logging is `tracing`, target `cooee`; names of other people's machines at `debug` and below.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod address;
#[cfg(feature = "blocking")]
pub mod blocking;
mod browse;
mod browser;
mod builder;
mod claim;
mod core;
mod discovery;
mod error;
mod events;
mod found;
#[cfg(any(doc, doctest))]
pub mod guide;
mod links;
mod lookup;
mod names;
mod offer;
mod records;
mod registration;
#[cfg(feature = "serde")]
mod serial;
mod service;
#[cfg(feature = "testing")]
pub mod testing;
mod types;
mod watched;
mod zeroconf;

pub use cooee_mdns::net::Stats as SocketStats;
pub use cooee_mdns::net::{Families, Heard, Link, LinkStatus, Links, Tap};
pub use cooee_mdns::{Family, LinkAddress, LinkId, Stats as ProtocolStats};
pub use cooee_sd::{
    InstanceName, InstanceNameError, Missing, Protocol, RecordsError, ServiceName,
    ServiceNameError, ServiceType, ServiceTypeError, Subtype, SubtypeError, Ttl, TxtAdvice,
    TxtAttributes, TxtEntry, TxtError, TxtSize, TxtValue, TypeEvent,
};
/// Names and records as they are on the wire, for [`Zeroconf::query`] and [`Zeroconf::lookup`].
pub use cooee_wire as wire;

pub use address::ScopedAddr;
pub use browse::Browse;
pub use browser::{Browser, ServiceEvent};
pub use builder::{Builder, HostPolicy};
pub use claim::{Host, HostRegistration, RecordRegistration};
pub use error::{Error, Result};
pub use events::{Event, Events};
pub use found::{FoundService, HostAddresses, Snapshot, Target, Unresolved, View};
pub use lookup::{Lookup, LookupFuture};
pub use names::NameStore;
pub use records::{FoundRecord, Query, RecordEvent};
pub use registration::{Registration, RegistrationEvent, RegistrationEvents};
pub use service::{Service, ServiceHost};
pub use types::TypeBrowser;
pub use zeroconf::{Stats, Zeroconf};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the workspace's README are tested too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct WorkspaceReadme;
