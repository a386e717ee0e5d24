//! A world of its own for a driver: interfaces and datagrams as the test says, time as tokio's paused clock says.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant as TokioInstant, Sleep, sleep};

use super::Driver;
use crate::net::driven::{Driven, NetworkEvent};
use crate::net::handle::Handle;
use crate::net::interface::Interface;
use crate::net::links::Links;
use crate::net::socket::Received;
use crate::net::world::World;
use crate::{Config, Datagram, Engine, Event, Family, Instant, Node};

/// Lets the driver do what it can do without time passing (much).
pub(in crate::net) async fn settle() {
    sleep(Duration::from_micros(1)).await;
}

/// A machine: what its driver sees, and what came out of it.
#[derive(Clone, Default)]
pub(in crate::net) struct Host {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(in crate::net) struct State {
    pub(in crate::net) interfaces: Vec<Interface>,
    pub(in crate::net) have_changed: bool,
    pub(in crate::net) arriving: VecDeque<(Received, Vec<u8>)>,
    pub(in crate::net) receive_error: Option<io::Error>,
    pub(in crate::net) joined: Vec<(u32, Family)>,
    pub(in crate::net) refuses_join: Option<u32>,
    /// Somebody holds the port of these families, and does not share it.
    pub(in crate::net) holds_port: Vec<Family>,
    /// How often such a port was asked for.
    pub(in crate::net) refused_ports: u32,
    pub(in crate::net) is_port_shared: bool,
    pub(in crate::net) slept: Option<Duration>,
    /// Where to, out of which interface, and what.
    pub(in crate::net) sent: Vec<(u32, SocketAddr, Vec<u8>)>,
    /// Sending out of these interfaces in these families fails.
    pub(in crate::net) refuses_send: Vec<(u32, Family)>,
    /// Nothing can be sent at the moment.
    pub(in crate::net) is_full: bool,
    pub(in crate::net) overheard: Vec<String>,
    pub(in crate::net) waker: Option<Waker>,
}

impl Host {
    pub(in crate::net) fn with(interfaces: impl IntoIterator<Item = Interface>) -> Self {
        let host = Self::default();
        host.lock().interfaces = interfaces.into_iter().collect();
        host
    }

    pub(in crate::net) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(in crate::net) fn world(&self) -> FakeWorld {
        let missing = self.lock().holds_port.clone();
        FakeWorld {
            host: self.clone(),
            start: TokioInstant::now(),
            deadline: None,
            untold: missing.clone(),
            missing,
        }
    }

    pub(in crate::net) fn start(&self, links: Links) -> (Handle<Recorder>, Told, JoinHandle<()>) {
        let told = Told::default();
        let world = self.world();
        let node = Recorder {
            engine: Engine::new(Config::default(), 1, world.now()),
            told: told.clone(),
            host: self.clone(),
        };
        let (driver, handle) = Driver::new(node, world, links, None);
        (handle, told, tokio::spawn(driver.run()))
    }

    pub(in crate::net) fn change(&self, change: impl FnOnce(&mut Vec<Interface>)) {
        let mut state = self.lock();
        change(&mut state.interfaces);
        state.have_changed = true;
        drop(state);
        self.wake();
    }

    /// What the node heard before the engine, since it was last asked.
    pub(in crate::net) fn overheard(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().overheard)
    }

    pub(in crate::net) fn hear(
        &self,
        index: u32,
        source: SocketAddr,
        destination: IpAddr,
        octets: &[u8],
    ) {
        let received = Received {
            len: octets.len(),
            truncated: false,
            source,
            destination,
            index,
            hop_limit: Some(1),
            lost: None,
        };
        self.lock().arriving.push_back((received, octets.to_vec()));
        self.wake();
    }

    /// What has left since it was last asked.
    pub(in crate::net) fn sent(&self) -> Vec<(u32, SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.lock().sent)
    }

    pub(in crate::net) fn joined(&self) -> Vec<(u32, Family)> {
        let mut joined = self.lock().joined.clone();
        joined.sort();
        joined.dedup();
        joined
    }

    pub(in crate::net) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

pub(in crate::net) struct FakeWorld {
    host: Host,
    start: TokioInstant,
    deadline: Option<(Instant, Pin<Box<Sleep>>)>,
    missing: Vec<Family>,
    untold: Vec<Family>,
}

impl World for FakeWorld {
    fn now(&self) -> Instant {
        let passed = TokioInstant::now() - self.start;
        Instant::from_micros(1_000_000) + passed
    }

    fn seed(&mut self) -> u64 {
        1
    }

    fn slept(&mut self) -> Option<Duration> {
        self.host.lock().slept.take()
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        let Some(at) = at else {
            self.deadline = None;
            return Poll::Pending;
        };
        if self.deadline.as_ref().is_none_or(|(set, _)| *set != at) {
            let wait = at.since(self.now());
            self.deadline = Some((at, Box::pin(sleep(wait))));
        }
        let Some((_, timer)) = &mut self.deadline else {
            return Poll::Pending;
        };
        let due = timer.as_mut().poll(cx);
        if due.is_ready() {
            self.deadline = None;
        }
        due
    }

    fn interfaces(&mut self) -> Vec<Interface> {
        self.host.lock().interfaces.clone()
    }

    fn poll_interfaces(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.host.lock();
        state.waker = Some(cx.waker().clone());
        if std::mem::take(&mut state.have_changed) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn has(&self, family: Family) -> bool {
        !self.missing.contains(&family)
    }

    fn missing(&mut self) -> Option<(Family, io::Error)> {
        let family = self.untold.pop()?;
        Some((family, io::ErrorKind::AddrInUse.into()))
    }

    fn open(&mut self, family: Family) -> io::Result<()> {
        let mut state = self.host.lock();
        if state.holds_port.contains(&family) {
            state.refused_ports += 1;
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.missing.retain(|missing| *missing != family);
        Ok(())
    }

    fn is_port_shared(&self) -> bool {
        self.host.lock().is_port_shared
    }

    fn join(&mut self, index: u32, family: Family) -> io::Result<()> {
        let mut state = self.host.lock();
        if state.refuses_join == Some(index) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        state.joined.push((index, family));
        Ok(())
    }

    fn leave(&mut self, index: u32, family: Family) {
        self.host.lock().joined.retain(|&j| j != (index, family));
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let mut state = self.host.lock();
        state.waker = Some(cx.waker().clone());
        if let Some(error) = state.receive_error.take() {
            return Poll::Ready(Err(error));
        }
        let Some((mut received, octets)) = state.arriving.pop_front() else {
            return Poll::Pending;
        };
        received.len = octets.len().min(buffer.len());
        received.truncated = received.len < octets.len();
        buffer[..received.len].copy_from_slice(&octets[..received.len]);
        Poll::Ready(Ok(received))
    }

    fn send(
        &mut self,
        index: u32,
        _: Option<IpAddr>,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        let mut state = self.host.lock();
        if state.is_full {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let family = Family::of(destination.ip());
        if state.refuses_send.contains(&(index, family)) {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        }
        state.sent.push((index, destination, octets.to_vec()));
        Ok(())
    }
}

/// A node that writes down what it is told of the network.
pub(in crate::net) struct Recorder {
    engine: Engine,
    told: Told,
    host: Host,
}

#[derive(Clone, Default)]
pub(in crate::net) struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub(in crate::net) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Node for Recorder {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        while let Some(event) = self.engine.poll_event() {
            if let Event::Ready { .. } = event {
                self.told.0.lock().unwrap().push("ready".into());
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Driven for Recorder {
    fn handle_network(&mut self, _: Instant, event: &NetworkEvent) {
        let told = match event {
            NetworkEvent::Links(links) => {
                let names = links.iter().map(|link| format!(" {}", link.name()));
                format!("links{}", names.collect::<String>())
            }
            NetworkEvent::LinkUp(link) => format!("up {}", link.name()),
            NetworkEvent::LinkDown(link) => format!("down {}", link.name()),
            NetworkEvent::LinkFailed { link, .. } => format!("failed {}", link.name()),
            NetworkEvent::NoSocket { family, .. } => format!("no socket {family:?}"),
            NetworkEvent::SocketOpened(family) => format!("socket {family:?}"),
            NetworkEvent::NoLink => "no link".into(),
            NetworkEvent::PortShared => "port shared".into(),
        };
        self.told.0.lock().unwrap().push(told);
    }

    fn overhear(&mut self, _: Instant, datagram: &Datagram<'_>, hop_limit: Option<u8>) {
        let told = format!(
            "{} octets on {} from {}, {hop_limit:?} hops",
            datagram.payload.len(),
            datagram.link,
            datagram.source
        );
        self.host.lock().overheard.push(told);
    }
}
