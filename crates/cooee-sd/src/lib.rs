//! DNS-Based Service Discovery (RFC 6763): names, types, TXT, browse and resolve, over any transport.

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
mod service_name;
mod service_type;
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
