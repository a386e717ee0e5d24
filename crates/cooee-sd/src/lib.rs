//! DNS-Based Service Discovery (RFC 6763): names, types, TXT, browse and resolve, over any transport.
//!
//! This crate knows what services are called, what their records say, and which questions find them. It has no socket, no
//! clock and no idea of multicast: records and times come in, questions and services go out. `cooee` joins it to the
//! multicast DNS engine of `cooee-mdns`; a client of ordinary DNS servers can drive it just as well.
//!
//! | to | take |
//! |---|---|
//! | name things | [`ServiceType`], [`Subtype`], [`InstanceName`], [`ServiceName`] |
//! | read and write attributes | [`TxtAttributes`] |
//! | publish | [`ServiceRecords`], and [`InstanceName::next`] when the name is taken |
//! | find and resolve services | [`Browser`] with a [`BrowseSpec`] |
//! | list the types there are | [`TypeBrowser`] |
//! | list recommended domains | [`DomainBrowser`], [`network_domain`] |
//!
//! # Names
//!
//! A name has labels, and labels are octets: dots and spaces in an instance are characters like others. Text is read
//! leniently and printed so that it reads back as the same octets. Errors quote what they got and say what to write.
//!
//! ```
//! use cooee_sd::{ServiceName, ServiceType};
//!
//! let name: ServiceName = "Dr. Pepper._http._tcp".parse()?;
//! assert_eq!(name.to_string(), r"Dr\. Pepper._http._tcp.local");
//!
//! let error = "_http".parse::<ServiceType>().unwrap_err();
//! assert!(error.to_string().ends_with(r#"did you mean "_http._tcp"?"#));
//! # Ok::<(), cooee_sd::ServiceNameError>(())
//! ```
//!
//! # Driving a machine
//!
//! ```
//! use core::time::Duration;
//! use cooee_sd::{Ask, BrowseEvent, BrowseSpec, Browser, ServiceType};
//!
//! # fn ask(_: cooee_sd::AskId, _: cooee_wire::QuestionBuf, _: Option<cooee_sd::Link>) {}
//! # fn stop(_: cooee_sd::AskId) {}
//! # fn reconfirm(_: cooee_wire::RecordBuf, _: cooee_sd::Link) {}
//! # let now = Duration::ZERO;
//! let mut browser = Browser::new(BrowseSpec::types([ServiceType::tcp("http")?]));
//! // After each record (handle_record), denial (handle_denial) and time that is due (handle_timeout):
//! while let Some(what) = browser.poll_ask() {
//!     match what {
//!         Ask::Start { id, question, link } => ask(id, question, link),
//!         Ask::Stop { id } => stop(id),
//!         Ask::Reconfirm { record, link } => reconfirm(record, link),
//!     }
//! }
//! // Whenever the reader likes; what it has not read yet is kept as a difference, not as a queue:
//! while let Some(event) = browser.poll_event() {
//!     match event {
//!         BrowseEvent::Added(found) | BrowseEvent::Updated(found) => {
//!             let view = found.view();
//!             println!("{} is at {}:{}", found.name(), view.host, view.port);
//!         }
//!         BrowseEvent::Removed(name) => println!("{name} is gone"),
//!     }
//! }
//! let wake_at: Option<Duration> = browser.poll_timeout();
//! # Ok::<(), cooee_sd::ServiceTypeError>(())
//! ```
//!
//! # Features
//!
//! - `serde`: names and attributes are read and written as the texts that they print as.
//!
//! # What strangers may send
//!
//! Anything: nothing here panics on it. What they can make a machine keep is bounded by [`Limits`] and what is left out
//! counted in [`Refused`]. A record costs the same however many instances are known.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod browse;
mod enumerate;
mod instance;
mod label;
mod names;
mod records;
#[cfg(feature = "serde")]
mod serde;
mod service_name;
mod service_type;
mod srv;
mod subtype;
mod txt;

pub use browse::{
    Ask, AskId, BrowseEvent, BrowseSpec, Browser, Found, FoundAddress, Limits, Link, Missing,
    Presence, Refused, Snapshot, Target, Ttl, Unresolved, View,
};
pub use enumerate::{DomainBrowser, DomainEvent, TypeBrowser, TypeEvent};
pub use instance::{InstanceName, InstanceNameError, next_host_label};
pub use names::{DomainKind, domain_enumeration_name, network_domain, type_enumeration_name};
pub use records::{RecordsError, RecordsOfService, ServiceRecords};
pub use service_name::{ServiceName, ServiceNameError};
pub use service_type::{Protocol, ServiceType, ServiceTypeError};
pub use subtype::{Subtype, SubtypeError};
pub use txt::{TxtAdvice, TxtAttributes, TxtEntry, TxtError, TxtSize, TxtValue};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
