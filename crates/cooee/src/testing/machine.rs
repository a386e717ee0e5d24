//! What a host is made of: cables, and programs that listen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::task::Waker;
use std::time::Duration;

use cooee_mdns::net::seam::{Address, Interface};
use cooee_mdns::{Family, Instant};

/// What a link does to packets.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) loss: f64,
    pub(super) delay: Duration,
    pub(super) is_cut: bool,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            loss: 0.0,
            delay: Duration::from_millis(1),
            is_cut: false,
        }
    }
}

/// One end of a link at a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cable {
    host: usize,
    wire: usize,
}

impl Cable {
    pub(super) fn new(host: usize, wire: usize) -> Self {
        Self { host, wire }
    }

    /// 1 would be loopback.
    fn index(self) -> u32 {
        u32::try_from(self.wire)
            .unwrap_or(u32::MAX)
            .saturating_add(2)
    }

    fn interface(self, is_running: bool) -> Interface {
        let host = u16::try_from(self.host + 1).unwrap_or(u16::MAX);
        let [high, low] = host.to_be_bytes();
        let wire = u8::try_from(self.wire).unwrap_or(u8::MAX);
        let address = |address: IpAddr, prefix_len| Address {
            address,
            prefix_len,
            is_tentative: false,
            is_deprecated: false,
        };
        Interface {
            index: self.index(),
            name: format!("eth{}", self.wire),
            is_up: true,
            is_running,
            is_loopback: false,
            is_point_to_point: false,
            is_multicast: true,
            mtu: 1500,
            kind: None,
            master: None,
            addresses: vec![
                address(Ipv4Addr::new(10, wire, high, low).into(), 16),
                address(
                    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, wire.into(), host).into(),
                    64,
                ),
            ],
        }
    }
}

/// A datagram on its way to one program, or waiting there.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arriving {
    pub(super) at: Instant,
    /// Those that arrive together do so in the order of sending.
    pub(super) number: u64,
    pub(super) index: u32,
    pub(super) source: std::net::SocketAddr,
    pub(super) destination: IpAddr,
    pub(super) octets: Vec<u8>,
}

/// A program's sockets.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) arriving: BinaryHeap<Reverse<Arriving>>,
    pub(super) have_changed: bool,
    pub(super) slept: Option<Duration>,
    pub(super) joined: Vec<(u32, Family)>,
    pub(super) waker: Option<Waker>,
}

impl Program {
    fn stir(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.waker.take());
    }
}

/// A host.
#[derive(Debug)]
pub(super) struct Machine {
    name: String,
    /// By link.
    interfaces: BTreeMap<usize, Interface>,
    /// By number, which no other program of the network has; those that have ended are gone.
    pub(super) programs: BTreeMap<usize, Program>,
    pub(super) is_dead: bool,
    pub(super) is_asleep: bool,
}

impl Machine {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            interfaces: BTreeMap::new(),
            programs: BTreeMap::new(),
            is_dead: false,
            is_asleep: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_awake(&self) -> bool {
        !self.is_dead && !self.is_asleep
    }

    pub(super) fn start_program(&mut self, number: usize) {
        self.programs.insert(number, Program::default());
    }

    /// The numbers of its programs.
    pub(super) fn running(&self) -> impl Iterator<Item = &usize> {
        self.programs.keys()
    }

    pub(super) fn interfaces(&self) -> Vec<Interface> {
        self.interfaces.values().cloned().collect()
    }

    pub(super) fn interface_on(&self, wire: usize) -> Option<&Interface> {
        self.interfaces
            .get(&wire)
            .filter(|interface| interface.is_running)
    }

    /// The interface of this index, and the link it is on.
    pub(super) fn interface(&self, index: u32) -> Option<(usize, &Interface)> {
        self.interfaces
            .iter()
            .find(|(_, interface)| interface.index == index && interface.is_running)
            .map(|(&wire, interface)| (wire, interface))
    }

    pub(super) fn plug_in(&mut self, cable: Cable, is_running: bool, wakers: &mut Vec<Waker>) {
        self.interfaces
            .insert(cable.wire, cable.interface(is_running));
        self.tell_change(wakers);
    }

    pub(super) fn unplug(&mut self, wire: usize, wakers: &mut Vec<Waker>) {
        if self.interfaces.remove(&wire).is_some() {
            self.tell_change(wakers);
        }
    }

    pub(super) fn set_carrier(&mut self, wire: usize, is_running: bool, wakers: &mut Vec<Waker>) {
        if let Some(interface) = self.interfaces.get_mut(&wire) {
            interface.is_running = is_running;
            self.tell_change(wakers);
        }
    }

    pub(super) fn wake_up(&mut self, slept: Duration, wakers: &mut Vec<Waker>) {
        self.is_asleep = false;
        for program in self.programs.values_mut() {
            program.slept = Some(slept);
            program.stir(wakers);
        }
    }

    fn tell_change(&mut self, wakers: &mut Vec<Waker>) {
        for program in self.programs.values_mut() {
            program.have_changed = true;
            program.stir(wakers);
        }
    }

    /// A datagram comes in on a link. A group is heard by every program that has joined it; one socket gets what is sent to an address, the last (ruling 2).
    pub(super) fn hear(&mut self, wire: usize, mut datagram: Arriving, wakers: &mut Vec<Waker>) {
        let Some(interface) = self.interface_on(wire) else {
            return;
        };
        let family = Family::of(datagram.destination);
        datagram.index = interface.index;
        let is_group = datagram.destination.is_multicast();
        let is_ours = |a: &Address| a.address == datagram.destination;
        if !self.is_awake() || (!is_group && !interface.addresses.iter().any(is_ours)) {
            return;
        }
        if let std::net::SocketAddr::V6(source) = &mut datagram.source {
            source.set_scope_id(interface.index);
        }
        let listening = self
            .programs
            .values_mut()
            .rev()
            .filter(|program| program.joined.contains(&(datagram.index, family)));
        for program in listening.take(if is_group { usize::MAX } else { 1 }) {
            program.arriving.push(Reverse(Arriving {
                octets: datagram.octets.clone(),
                ..datagram
            }));
            program.stir(wakers);
        }
    }
}

/// Not under the lock: who is woken may want it.
pub(super) fn wake_all(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
