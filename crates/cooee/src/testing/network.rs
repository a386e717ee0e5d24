//! The parts that a test handles: the network, its links, and the hosts on them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cooee_sim::{HostId, Monitor, Violation};
use tokio::time::Instant as Clock;

use super::machine::{Cable, Machine, Wire, wake_all};
use super::world::SimulatedWorld;
use crate::builder::Builder;
use crate::error::Result;
use crate::zeroconf::Zeroconf;

/// A simulated network. A clone is the same one.
#[derive(Clone)]
pub struct Network {
    state: Arc<Mutex<State>>,
}

/// A link of a [`Network`]: all hosts on it hear each other. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Lan {
    pub(super) network: Network,
    pub(super) number: usize,
}

/// A computer on a [`Network`]. A clone is the same one.
#[derive(Clone, Debug)]
pub struct Host {
    network: Network,
    number: usize,
}

/// What is common to all parts of a network.
pub(super) struct State {
    pub(super) start: Clock,
    /// The state of a splitmix64 generator.
    chance: u64,
    pub(super) wires: Vec<Wire>,
    pub(super) machines: Vec<Machine>,
    /// Datagrams sent, and who sent each.
    pub(super) sent: u64,
    pub(super) transcript: Vec<String>,
    /// Programs started.
    programs: usize,
    pub(super) monitor: Monitor,
}

impl State {
    pub(super) fn random(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        // 32 bits are all that an `f64` is wanted for here.
        let drawn = f64::from(u32::try_from(self.random() >> 32).unwrap_or(u32::MAX));
        drawn < probability * 4_294_967_296.0
    }

    /// Programs of a host have to probe again for what they own.
    fn forget_claims(&mut self, host: usize) {
        for &program in self
            .machines
            .get(host)
            .into_iter()
            .flat_map(Machine::running)
        {
            self.monitor.forget_claims(HostId(program));
        }
    }

    /// Time since the network was made.
    pub(super) fn elapsed(&self) -> Duration {
        Clock::now().saturating_duration_since(self.start)
    }
}

impl Network {
    /// An empty network, in which all chance comes from `seed`. Make it where the clock is that the test runs by: within the runtime.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = State {
            start: Clock::now(),
            chance: seed,
            wires: Vec::new(),
            machines: Vec::new(),
            sent: 0,
            transcript: Vec::new(),
            programs: 0,
            monitor: Monitor::default(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A new link: 1 ms of delay, and nothing is lost.
    #[must_use]
    pub fn lan(&self) -> Lan {
        let mut state = self.lock();
        state.wires.push(Wire::default());
        Lan {
            network: self.clone(),
            number: state.wires.len() - 1,
        }
    }

    /// Datagrams sent so far; one that goes out in two families counts twice.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.lock().sent
    }

    /// What was against the rules of RFC 6762 that can be seen on the wire: a name that was not probed for, a record that was repeated too soon, a message that is
    /// too large, and more. If there is any, the fault is in this library.
    ///
    /// The list is exact on a paused clock. In real time a packet may be noted late, and the next one look as if it came too soon.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.lock().monitor.violations().to_vec()
    }

    /// All packets sent so far, one a line, to be printed when a test fails: time since the start in seconds, host, link, `?` for a query and `=` for a response, and what it holds.
    /// [Violations](Self::violations) follow, with `!!`.
    #[must_use]
    pub fn transcript(&self) -> String {
        let state = self.lock();
        let violations = state.monitor.violations().iter();
        let violations = violations.map(|violation| format!("!! {violation}"));
        let lines: Vec<String> = state.transcript.iter().cloned().chain(violations).collect();
        lines.join("\n")
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that has panicked with the lock in hand has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lan {
    /// A new host on this link.
    #[must_use]
    pub fn host(&self, name: &str) -> Host {
        let host = {
            let mut state = self.network.lock();
            state.machines.push(Machine::new(name));
            Host {
                network: self.network.clone(),
                number: state.machines.len() - 1,
            }
        };
        host.join(self);
        host
    }

    /// Loses packets with this probability, 0 to 1, for each receiver apart. Nobody notices but by what does not come.
    pub fn set_loss(&self, probability: f64) {
        self.change(|wire| wire.loss = probability);
    }

    /// How long a packet takes. Less than a millisecond is none: that is as fine as the clock is.
    pub fn set_delay(&self, delay: Duration) {
        self.change(|wire| wire.delay = delay);
    }

    /// Switches the link off: each host sees its cable go dead.
    pub fn cut(&self) {
        self.set_cut(true);
    }

    /// Switches it on again.
    pub fn mend(&self) {
        self.set_cut(false);
    }

    fn change(&self, change: impl FnOnce(&mut Wire)) {
        if let Some(wire) = self.network.lock().wires.get_mut(self.number) {
            change(wire);
        }
    }

    fn set_cut(&self, is_cut: bool) {
        self.change(|wire| wire.is_cut = is_cut);
        let mut state = self.network.lock();
        let mut wakers = Vec::new();
        for host in 0..state.machines.len() {
            state.forget_claims(host);
            if let Some(machine) = state.machines.get_mut(host) {
                machine.set_carrier(self.number, !is_cut, &mut wakers);
            }
        }
        drop(state);
        wake_all(wakers);
    }
}

impl Host {
    /// Zeroconf on this host, with every default. Each call is another program on it.
    ///
    /// # Errors
    ///
    /// As [`zeroconf_with`](Self::zeroconf_with).
    pub async fn zeroconf(&self) -> Result<Zeroconf> {
        self.zeroconf_with(Builder::default()).await
    }

    /// Zeroconf on this host, with choices. The defaults of the host name are made from this host's name.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`], but that there always are sockets.
    pub async fn zeroconf_with(&self, builder: Builder) -> Result<Zeroconf> {
        let families = builder.chosen_families();
        let (world, name) = {
            let mut state = self.network.lock();
            let seed = state.random();
            let program = state.programs;
            state.programs += 1;
            let Some(machine) = state.machines.get_mut(self.number) else {
                return Err(crate::Error::shut_down());
            };
            machine.start_program(program);
            let name = machine.name().to_owned();
            let world =
                SimulatedWorld::new(self.network.clone(), self.number, program, seed, families);
            (world, name)
        };
        builder.start_simulated(&name, world)
    }

    /// Plugs a cable in: the host is on this link too, or again.
    pub fn join(&self, lan: &Lan) {
        let mut state = self.network.lock();
        let is_up = state.wires.get(lan.number).is_some_and(|wire| !wire.is_cut);
        state.forget_claims(self.number);
        let mut wakers = Vec::new();
        if let Some(machine) = state.machines.get_mut(self.number) {
            machine.plug_in(Cable::new(self.number, lan.number), is_up, &mut wakers);
        }
        drop(state);
        wake_all(wakers);
    }

    /// Pulls the cable out. The host notices; the others hear it no more.
    pub fn leave(&self, lan: &Lan) {
        self.with(|machine, wakers| machine.unplug(lan.number, wakers));
    }

    /// The host is gone at once, without a word, and stays so. Its programs go on and notice nothing, but that nobody answers.
    pub fn crash(&self) {
        self.with(|machine, _| machine.is_dead = true);
    }

    /// The lid is closed for a while: the host hears nothing and does nothing, but its clock goes on. Returns when it has woken up.
    pub async fn sleep(&self, duration: Duration) {
        self.with(|machine, _| machine.is_asleep = true);
        tokio::time::sleep(duration).await;
        self.network.lock().forget_claims(self.number);
        self.with(|machine, wakers| machine.wake_up(duration, wakers));
    }

    fn with(&self, change: impl FnOnce(&mut Machine, &mut Vec<std::task::Waker>)) {
        let mut state = self.network.lock();
        let mut wakers = Vec::new();
        if let Some(machine) = state.machines.get_mut(self.number) {
            change(machine, &mut wakers);
        }
        drop(state);
        wake_all(wakers);
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("packets", &self.packets())
            .finish_non_exhaustive()
    }
}
