//! The same for programs without async: calls that wait, iterators, and callbacks.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use cooee::blocking::{Listener, Zeroconf};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let zeroconf = Zeroconf::start()?;
//! let listening = zeroconf.listen(
//!     "_http._tcp",
//!     Listener::new()
//!         .on_added(|service| println!("+ {}", service.name()))
//!         .on_removed(|name| println!("- {name}")),
//! )?;
//! for service in zeroconf.list("_ipp._tcp", Duration::from_secs(3))? {
//!     let stream = std::net::TcpStream::connect(service.socket_addrs())?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Zeroconf`] has a thread of its own for the network, so that it can be used inside an async program too, as far as waiting is allowed there.

mod browser;
mod listen;
mod registration;
mod streams;
mod wait;
mod zeroconf;

pub use browser::{Browser, NextError};
pub use listen::{Listener, Listening};
pub use registration::Registration;
pub use streams::{Events, Query, TypeBrowser};
pub use zeroconf::Zeroconf;
