//! The seam between the driver and what it stands on: a clock, interfaces, and sockets that carry datagrams.
//!
//! The driver runs on [`System`](super::system::System); a simulated network can take its place.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use super::interface::Interface;
use super::socket::Received;
use crate::{Family, Instant};

/// All that a driver needs of the world. Interfaces are told by index. The `poll_*` functions follow the rules of [`Future::poll`].
pub trait World: Send + 'static {
    /// The time, by a clock that goes on while the machine sleeps.
    fn now(&self) -> Instant;

    /// A number that nobody can guess, for the randomness of the engine; in a simulated world, one that can be had again.
    fn seed(&mut self) -> u64;

    /// How long the machine has slept since the last call, if it has.
    fn slept(&mut self) -> Option<Duration>;

    /// Ready once it is `at`; `None` is never. Only the last time told counts.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()>;

    /// All interfaces as they are now.
    fn interfaces(&mut self) -> Vec<Interface>;

    /// Ready each time the interfaces are different from before.
    fn poll_interfaces(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Whether there is a socket of this family.
    fn has(&self, family: Family) -> bool;

    /// A family that was wanted and for which there is no socket, and why; each is told once.
    fn missing(&mut self) -> Option<(Family, io::Error)>;

    /// Opens the socket of a family that is missing, now or not at all.
    fn open(&mut self, family: Family) -> io::Result<()>;

    /// Whether somebody else was on our port when it was opened.
    fn is_port_shared(&self) -> bool;

    /// Listens to the group of `family` on an interface.
    fn join(&mut self, index: u32, family: Family) -> io::Result<()>;

    /// Ends it; the interface may be gone already.
    fn leave(&mut self, index: u32, family: Family);

    /// The next datagram, or what went wrong with it.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>>;

    /// Sends a datagram out of an interface, at once or not at all. It also works outside a runtime.
    fn send(
        &mut self,
        index: u32,
        source: Option<IpAddr>,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<()>;
}
