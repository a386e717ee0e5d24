//! The driver: a node on real sockets, with tokio.
//!
//! A [`Builder`] opens one socket for each family on port 5353, starts one task and gives a [`Handle`]. The task tells the engine which links
//! there are and what arrives on them, sends what the engine composes, and wakes it when something is due. It runs whatever is
//! [`Driven`]: an engine alone, or an engine with an application on top.
//!
//! # How it hangs together
//!
//! - The kernel tells of every interface and address as it comes and goes. Which of them are links to use is a matter of
//!   [`Links`]; each [`Link`] says whether it is in use and why.
//! - Every datagram is sent out of one interface by its index, and judged by the index it arrived on; routes play no part.
//! - Others are told all checked addresses of a link; one past its preferred lifetime (RFC 4862 §5.5.4) only while no other can take its place.
//! - What counts as on the link are the prefixes of the interface's own addresses. A prefix that a router only advertises, without an address of
//!   ours from it, is not read from the kernel: a unicast from there is dropped as one from elsewhere, a multicast is heard.
//! - What the engine sends as one multicast leaves in each family of the link, paced so that receivers can follow.
//! - The system hands our own multicasts back to us. The engine recognises them by what it has sent; a datagram from our own address that is
//!   none of them shows that another program here shares the port.
//! - The clock goes on while the machine sleeps, and the engine is told after it did.
//! - Nothing that happens on one link ends anything: trouble is a [`NetworkEvent`], a [`LinkStatus`], a counter in [`Stats`].
//!
//! # Systems
//!
//! Linux is where all of this is run and tested. For macOS it is compiled (`cargo check --target x86_64-apple-darwin`) and nobody has run it
//! there: it learns of interface changes by looking every few seconds, and knows no kind, master or MTU of an interface. For Windows and other
//! systems there is no driver, only the engine: drive it yourself through [`Engine`](crate::Engine).

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
compile_error!(
    "cooee-mdns has a driver for Linux and macOS only; use it with `default-features = false` and drive the engine yourself"
);

mod builder;
mod clock;
mod driven;
mod driver;
mod error;
mod handle;
mod interface;
mod interface_source;
#[cfg(target_os = "linux")]
mod interface_table;
mod joining;
#[cfg(all(test, target_os = "linux"))]
mod lab;
mod link;
mod links;
mod membership;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod netlink_source;
mod pacing;
mod reopening;
mod role;
mod select;
mod socket;
mod stats;
mod system;
mod tap;
mod world;

/// The seam under the driver, for a test kit that puts simulated clocks and networks there. Not part of the public API: it changes without
/// notice.
#[doc(hidden)]
pub mod seam {
    pub use super::interface::{Address, Interface};
    pub use super::socket::Received;
    pub use super::world::World;
}

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use builder::Builder;
pub use driven::{Driven, NetworkEvent};
pub use error::{DriverEnded, StartError};
pub use handle::Handle;
pub use link::{Link, LinkStatus};
pub use links::Links;
pub use select::Families;
pub use stats::Stats;
pub use tap::{Heard, Tap};

use crate::Family;

/// The port of multicast DNS.
// RFC 6762 §2 (6762-2-1)
const PORT: u16 = 5353;

/// The group of each family.
const fn group(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb)),
    }
}
