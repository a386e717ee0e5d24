//! DNS-Based Service Discovery (RFC 6763): names, types, TXT, browse and resolve, over any transport.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod instance;
mod label;
mod service_type;
mod subtype;
mod txt;

pub use instance::{InstanceName, InstanceNameError, next_host_label};
pub use service_type::{Protocol, ServiceType, ServiceTypeError};
pub use subtype::{Subtype, SubtypeError};
pub use txt::{TxtAdvice, TxtAttributes, TxtEntry, TxtError, TxtSize, TxtValue};
