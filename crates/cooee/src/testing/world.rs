//! What a driver stands on, on a simulated host.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cooee_mdns::net::Families;
use cooee_mdns::net::seam::{Interface, Received, World};
use cooee_mdns::{Family, Instant};
use cooee_wire::Message;
use tokio::time::{Sleep, sleep};

use super::machine::{Arriving, Program, wake_all};
use super::network::{Network, State};

/// The clock of every host, when the network is made: not zero, so that a forgotten time shows.
const EPOCH: Instant = Instant::from_micros(1_000_000);

const PORT: u16 = 5353;

pub(super) struct SimulatedWorld {
    network: Network,
    host: usize,
    program: usize,
    seed: u64,
    families: Families,
    deadline: Alarm,
    arrival: Alarm,
}

/// A timer that is set anew only when its time is another.
#[derive(Default)]
struct Alarm(Option<(Instant, Pin<Box<Sleep>>)>);

impl Alarm {
    fn poll(&mut self, cx: &mut Context<'_>, now: Instant, at: Option<Instant>) -> Poll<()> {
        let Some(at) = at else {
            self.0 = None;
            return Poll::Pending;
        };
        if self.0.as_ref().is_none_or(|(set, _)| *set != at) {
            self.0 = Some((at, Box::pin(sleep(at.since(now)))));
        }
        let due = match &mut self.0 {
            Some((_, timer)) => timer.as_mut().poll(cx),
            None => Poll::Pending,
        };
        if due.is_ready() {
            self.0 = None;
        }
        due
    }
}

fn now(state: &State) -> Instant {
    EPOCH + state.elapsed()
}

impl SimulatedWorld {
    pub(super) fn new(
        network: Network,
        host: usize,
        program: usize,
        seed: u64,
        families: Families,
    ) -> Self {
        Self {
            network,
            host,
            program,
            seed,
            families,
            deadline: Alarm::default(),
            arrival: Alarm::default(),
        }
    }

    /// Does something with the program's sockets, if its host is awake.
    fn with<T>(&self, look: impl FnOnce(&mut Program, bool) -> T) -> Option<T> {
        let mut state = self.network.lock();
        let machine = state.machines.get_mut(self.host)?;
        let is_awake = machine.is_awake();
        let program = machine.programs.get_mut(&self.program)?;
        Some(look(program, is_awake))
    }

    /// Whether the host is awake; if not, the waker is kept for when it is.
    fn is_awake(&self, cx: &Context<'_>) -> bool {
        self.with(|program, is_awake| {
            program.waker = Some(cx.waker().clone());
            is_awake
        })
        .unwrap_or(false)
    }
}

impl World for SimulatedWorld {
    fn now(&self) -> Instant {
        now(&self.network.lock())
    }

    fn seed(&mut self) -> u64 {
        self.seed
    }

    fn slept(&mut self) -> Option<Duration> {
        self.with(|program, _| program.slept.take()).flatten()
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Option<Instant>) -> Poll<()> {
        if !self.is_awake(cx) {
            return Poll::Pending;
        }
        let now = self.now();
        self.deadline.poll(cx, now, at)
    }

    fn interfaces(&mut self) -> Vec<Interface> {
        let state = self.network.lock();
        let machine = state.machines.get(self.host);
        machine.map(|m| m.interfaces()).unwrap_or_default()
    }

    fn poll_interfaces(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let changed = self.with(|program, is_awake| {
            program.waker = Some(cx.waker().clone());
            is_awake && std::mem::take(&mut program.have_changed)
        });
        match changed {
            Some(true) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    fn has(&self, family: Family) -> bool {
        self.families.contains(family)
    }

    fn missing(&mut self) -> Option<(Family, io::Error)> {
        None
    }

    fn is_port_shared(&self) -> bool {
        let state = self.network.lock();
        let machine = state.machines.get(self.host);
        machine.is_some_and(|machine| machine.programs.len() > 1)
    }

    fn join(&mut self, index: u32, family: Family) -> io::Result<()> {
        self.with(|program, _| program.joined.push((index, family)));
        Ok(())
    }

    fn leave(&mut self, index: u32, family: Family) {
        self.with(|program, _| program.joined.retain(|joined| *joined != (index, family)));
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        if !self.is_awake(cx) {
            return Poll::Pending;
        }
        loop {
            let now = self.now();
            let next = self.with(|program, _| {
                let at = program.arriving.peek().map(|Reverse(next)| next.at)?;
                Some(match at <= now {
                    true => Ok(program.arriving.pop()?),
                    false => Err(at),
                })
            });
            match next.flatten() {
                Some(Ok(Reverse(datagram))) => {
                    return Poll::Ready(Ok(hand_over(&datagram, buffer)));
                }
                waiting => {
                    let at = waiting.and_then(Result::err);
                    if self.arrival.poll(cx, now, at).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn send(
        &mut self,
        index: u32,
        source: Option<IpAddr>,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        let mut state = self.network.lock();
        let mut wakers = Vec::new();
        let sent = transmit(
            &mut state,
            self.host,
            index,
            source,
            destination,
            octets,
            &mut wakers,
        );
        drop(state);
        wake_all(wakers);
        sent
    }
}

impl Drop for SimulatedWorld {
    fn drop(&mut self) {
        if let Some(machine) = self.network.lock().machines.get_mut(self.host) {
            machine.programs.remove(&self.program);
        }
    }
}

fn hand_over(datagram: &Arriving, buffer: &mut [u8]) -> Received {
    let len = datagram.octets.len().min(buffer.len());
    for (to, from) in buffer.iter_mut().zip(&datagram.octets) {
        *to = *from;
    }
    Received {
        len,
        truncated: len < datagram.octets.len(),
        source: datagram.source,
        destination: datagram.destination,
        index: datagram.index,
        hop_limit: Some(255),
        lost: None,
    }
}

/// Puts a datagram onto the link of an interface: to all on it, the sender's own host too, which hears it at once.
fn transmit(
    state: &mut State,
    from: usize,
    index: u32,
    source: Option<IpAddr>,
    destination: SocketAddr,
    octets: &[u8],
    wakers: &mut Vec<std::task::Waker>,
) -> io::Result<()> {
    let family = Family::of(destination.ip());
    let machine = state.machines.get(from).ok_or(io::ErrorKind::NotFound)?;
    // A dead or sleeping machine says nothing, and there is nobody to be told.
    if !machine.is_awake() {
        return Ok(());
    }
    let (wire, interface) = machine
        .interface(index)
        .ok_or(io::ErrorKind::NetworkUnreachable)?;
    let mut addresses = interface.addresses.iter().map(|a| a.address);
    let source = source
        .or_else(|| addresses.find(|address| Family::of(*address) == family))
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let (loss, delay) = match state.wires.get(wire) {
        Some(wire) => (wire.loss, wire.delay),
        None => return Err(io::ErrorKind::NetworkUnreachable.into()),
    };
    let line = line(state, from, wire, octets);
    state.transcript.push(line);
    state.sent += 1;
    let (number, now) = (state.sent, now(state));
    for to in 0..state.machines.len() {
        if to != from && state.happens(loss) {
            continue;
        }
        let arriving = Arriving {
            at: if to == from { now } else { now + delay },
            number,
            index: 0,
            source: SocketAddr::new(source, PORT),
            destination: destination.ip(),
            octets: octets.to_vec(),
        };
        if let Some(machine) = state.machines.get_mut(to) {
            machine.hear(wire, arriving, wakers);
        }
    }
    Ok(())
}

fn line(state: &State, from: usize, wire: usize, octets: &[u8]) -> String {
    let at = state.elapsed().as_secs_f64();
    let name = state.machines.get(from).map_or("", |m| m.name());
    let mut line = format!("{at:>9.3} {name:<10} lan{wire}");
    match Message::parse(octets) {
        Ok(message) => {
            let sign = match message.header().flags.is_response() {
                true => '=',
                false => '?',
            };
            let _ = write!(line, " {sign}");
            for question in message.questions().filter_map(Result::ok) {
                let _ = write!(line, " {} {}", question.name, question.kind);
            }
            for (_, record) in message.records().filter_map(Result::ok) {
                let _ = write!(line, " [{record}]");
            }
        }
        Err(_) => {
            let _ = write!(line, " {} octets that are no message", octets.len());
        }
    }
    line
}
