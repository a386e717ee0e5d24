//! What a driver stands on, on a simulated host.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cooee_mdns::net::Families;
use cooee_mdns::net::seam::{Interface, Received, World};
use cooee_mdns::{Family, Instant, LinkId};
use cooee_sim::{HostId, Packet};
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

    /// A datagram as it leaves by an interface. `None`: a dead or sleeping machine says nothing, and there is nobody to be told.
    fn address(
        &self,
        state: &State,
        index: u32,
        source: Option<IpAddr>,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<Option<Packet>> {
        let machine = state.machines.get(self.host);
        let machine = machine.ok_or(io::ErrorKind::NotFound)?;
        if !machine.is_awake() {
            return Ok(None);
        }
        let (wire, interface) = machine
            .interface(index)
            .ok_or(io::ErrorKind::NetworkUnreachable)?;
        let family = Family::of(destination.ip());
        let mut addresses = interface.addresses.iter().map(|a| a.address);
        let source = source
            .or_else(|| addresses.find(|address| Family::of(*address) == family))
            .ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Some(Packet {
            at: now(state),
            link: LinkId(u32::try_from(wire).unwrap_or(u32::MAX)),
            host: Some(HostId(self.program)),
            sender: machine.name().to_owned(),
            source: SocketAddr::new(source, PORT),
            // Without the scope, which is a matter of the host and not of the packet.
            destination: SocketAddr::new(destination.ip(), destination.port()),
            payload: octets.to_vec(),
        }))
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

    fn open(&mut self, _: Family) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
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
        let Some(packet) = self.address(&state, index, source, destination, octets)? else {
            return Ok(());
        };
        let wakers = carry(&mut state, self.host, &packet);
        drop(state);
        wake_all(wakers);
        Ok(())
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

/// Puts a packet onto its link: to all on it, the sender's own host too, which hears it at once. Returns who is to be woken.
fn carry(state: &mut State, from: usize, packet: &Packet) -> Vec<Waker> {
    state.monitor.watch(packet);
    state.transcript.push(line(packet, state.elapsed()));
    state.sent += 1;
    let mut wakers = Vec::new();
    let wire = usize::try_from(packet.link.0).unwrap_or(usize::MAX);
    let (loss, delay) = match state.wires.get(wire) {
        Some(wire) => (wire.loss, wire.delay),
        None => return wakers,
    };
    for to in 0..state.machines.len() {
        if to != from && state.happens(loss) {
            continue;
        }
        let arriving = Arriving {
            at: if to == from {
                packet.at
            } else {
                packet.at + delay
            },
            number: state.sent,
            index: 0,
            source: packet.source,
            destination: packet.destination.ip(),
            octets: packet.payload.clone(),
        };
        if let Some(machine) = state.machines.get_mut(to) {
            machine.hear(wire, arriving, &mut wakers);
        }
    }
    wakers
}

fn line(packet: &Packet, elapsed: Duration) -> String {
    let (at, name, wire) = (elapsed.as_secs_f64(), &packet.sender, packet.link.0);
    let mut line = format!("{at:>9.3} {name:<10} lan{wire}");
    match Message::parse(&packet.payload) {
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
            let _ = write!(line, " {} octets that are no message", packet.payload.len());
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    // 1035-4.1-2
    #[test]
    fn a_packet_that_breaks_a_rule_is_seen() {
        crate::testing::run(async {
            let network = Network::new(1);
            let alice = network.lan().host("alice");
            let _alice = alice.zeroconf().await.unwrap();
            let mut world = SimulatedWorld::new(network.clone(), 0, 0, 1, Families::Both);
            let group = SocketAddr::new(IpAddr::from([224, 0, 0, 251]), PORT);
            world.send(2, None, group, b"noise").unwrap();
            let transcript = network.transcript();
            assert_eq!(network.violations().len(), 1, "{transcript}");
            assert_eq!(network.violations()[0].clause, "1035-4.1-2");
            assert!(transcript.contains("!! "), "{transcript}");
        });
    }
}
