//! The real world: the kernel's sockets, interfaces and clock, waited for with tokio.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

use super::clock::{self, Deadline, SleepWatch};
use super::error::StartError;
use super::interface::Interface;
use super::interface_source::{self, InterfaceSource};
use super::select::Families;
use super::socket::{LinkSocket, Received, is_port_taken};
use super::world::World;
use super::{PORT, group};
use crate::{Family, Instant};

/// At the start the port is asked for so often, at these intervals, before it counts as held by somebody who does not share it.
const BIND_ATTEMPTS: u32 = 5;
const BIND_PAUSE: Duration = Duration::from_millis(2);

pub(super) struct System {
    sleep_watch: SleepWatch,
    deadline: Deadline,
    interfaces: Box<dyn InterfaceSource>,
    open: fn(Family, u16) -> io::Result<LinkSocket>,
    sockets: Vec<Waited>,
    /// The socket that is asked first; they take turns.
    turn: usize,
    missing: Vec<(Family, io::Error)>,
    is_port_shared: bool,
}

/// A socket, and what tokio knows of its readiness.
struct Waited {
    family: Family,
    socket: LinkSocket,
    /// A second descriptor of the same socket.
    readiness: UdpSocket,
}

/// All interfaces of the machine, as they are at this moment.
pub(super) fn look() -> Result<Vec<Interface>, StartError> {
    Ok(in_runtime(interface_source::open)?.interfaces())
}

/// Opens what waits with the present tokio runtime.
pub(super) fn in_runtime<T>(open: impl FnOnce() -> io::Result<T>) -> Result<T, StartError> {
    if Handle::try_current().is_err() {
        return Err(StartError::NoRuntime);
    }
    // A runtime does not tell whether its I/O and time drivers are on; it panics if they are not.
    catch_unwind(AssertUnwindSafe(open))
        .map_err(|_| StartError::NoRuntime)?
        .map_err(StartError::System)
}

/// Opens a socket, if need be after a while: a program that starts with us may be just finding out whether the port is taken, as we do.
fn patiently<T>(mut open: impl FnMut() -> io::Result<T>, mut pause: impl FnMut()) -> io::Result<T> {
    for _ in 1..BIND_ATTEMPTS {
        match open() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => pause(),
            other => return other,
        }
    }
    open()
}

impl System {
    /// Opens what there is of the families.
    ///
    /// A family that cannot be had is told to the log and left out, as IPv6 is on machines that have it switched off.
    pub(super) fn open(families: Families) -> Result<Self, StartError> {
        Self::open_with(families, LinkSocket::open)
    }

    /// The same for somebody who only listens.
    pub(super) fn listen(families: Families) -> Result<Self, StartError> {
        Self::open_with(families, LinkSocket::listen)
    }

    fn open_with(
        families: Families,
        open: fn(Family, u16) -> io::Result<LinkSocket>,
    ) -> Result<Self, StartError> {
        let mut system = Self {
            sleep_watch: SleepWatch::new(),
            deadline: in_runtime(Deadline::new)?,
            interfaces: in_runtime(interface_source::open)?,
            open,
            sockets: Vec::new(),
            turn: 0,
            missing: Vec::new(),
            is_port_shared: false,
        };
        let all = [Family::V4, Family::V6];
        for family in all.into_iter().filter(|family| families.contains(*family)) {
            let pause = || std::thread::sleep(BIND_PAUSE);
            if let Err(error) = patiently(|| system.open(family), pause) {
                tracing::warn!(target: "cooee_mdns", ?family, %error, "no socket of this family");
                system.missing.push((family, error));
            }
        }
        if system.sockets.is_empty() {
            let error = system.missing.pop().map(|(_, error)| error);
            let error = error.unwrap_or_else(|| io::ErrorKind::Unsupported.into());
            return Err(StartError::NoSocket(error));
        }
        Ok(system)
    }

    fn socket(&mut self, family: Family) -> io::Result<&mut LinkSocket> {
        self.sockets
            .iter_mut()
            .find(|waited| waited.family == family)
            .map(|waited| &mut waited.socket)
            .ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

impl World for System {
    fn now(&self) -> Instant {
        clock::now()
    }

    fn seed(&mut self) -> u64 {
        // The keys of the standard library's hasher come from the system's random source.
        RandomState::new().hash_one(clock::now().as_micros())
    }

    fn slept(&mut self) -> Option<Duration> {
        let slept = self.sleep_watch.slept();
        if slept.is_some() {
            // Much may have changed, and the kernel's news of it may have been too many to keep.
            self.interfaces.look_again();
        }
        slept
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        self.deadline.poll(cx, at)
    }

    fn interfaces(&mut self) -> Vec<Interface> {
        self.interfaces.interfaces()
    }

    fn poll_interfaces(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.interfaces.poll_changed(cx)
    }

    fn has(&self, family: Family) -> bool {
        self.sockets.iter().any(|waited| waited.family == family)
    }

    fn missing(&mut self) -> Option<(Family, io::Error)> {
        self.missing.pop()
    }

    fn open(&mut self, family: Family) -> io::Result<()> {
        // Before our own socket is there. A probe that fails for another reason says nothing; opening will.
        let is_taken = is_port_taken(family, PORT).unwrap_or(false);
        let socket = (self.open)(family, PORT)?;
        self.sockets.push(Waited::new(family, socket)?);
        self.is_port_shared |= is_taken;
        Ok(())
    }

    fn is_port_shared(&self) -> bool {
        self.is_port_shared
    }

    fn join(&mut self, index: u32, family: Family) -> io::Result<()> {
        self.socket(family)?.join(group(family), index)
    }

    fn leave(&mut self, index: u32, family: Family) {
        if let Ok(socket) = self.socket(family) {
            socket.leave(group(family), index);
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let count = self.sockets.len();
        self.turn = (self.turn + 1) % count.max(1);
        let (late, early) = self.sockets.split_at_mut(self.turn);
        for waited in early.iter_mut().chain(late) {
            if let Poll::Ready(received) = waited.poll_receive(cx, buffer) {
                return Poll::Ready(received);
            }
        }
        Poll::Pending
    }

    fn send(
        &mut self,
        index: u32,
        source: Option<IpAddr>,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        let family = Family::of(destination.ip());
        self.socket(family)?
            .send(index, source, destination, octets)
    }
}

impl Waited {
    fn new(family: Family, socket: LinkSocket) -> io::Result<Self> {
        let readiness = UdpSocket::from_std(StdUdpSocket::from(socket.descriptor()?))?;
        Ok(Self {
            family,
            socket,
            readiness,
        })
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        loop {
            match self.readiness.poll_recv_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
            let socket = &mut self.socket;
            // Readiness stays set until an attempt finds nothing.
            match self
                .readiness
                .try_io(Interest::READABLE, || socket.receive(buffer))
            {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return Poll::Ready(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    // 6762-15.1-4
    #[test]
    fn a_moments_probe_by_another_program_does_not_keep_us_from_the_port() {
        let attempts = |held_for: u32, why: io::ErrorKind| {
            let pauses = Cell::new(0);
            let open = || match pauses.get() < held_for {
                true => Err(io::Error::from(why)),
                false => Ok(()),
            };
            let opened = patiently(open, || pauses.set(pauses.get() + 1));
            (opened.is_ok(), pauses.get())
        };
        assert_eq!(attempts(0, io::ErrorKind::AddrInUse), (true, 0));
        assert_eq!(attempts(2, io::ErrorKind::AddrInUse), (true, 2));
        assert_eq!(attempts(9, io::ErrorKind::AddrInUse), (false, 4));
        assert_eq!(attempts(9, io::ErrorKind::PermissionDenied), (false, 0));
    }
}
