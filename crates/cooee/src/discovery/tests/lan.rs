//! Whole stacks on a simulated link: every handle is the real one, only the driver is not.

use std::collections::VecDeque;
use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cooee_mdns::net::{Links, Stats};
use cooee_mdns::{Config, Engine, Instant, LinkId, Node as _};
use cooee_sim::{Address, Conditions, HostId, Network as Simulation};
use cooee_wire::{Compression, Flags, MessageBuilder, NameBuf, RdataBuf, RecordBuf};

use crate::core::{Call, Core, Network, Runner};
use crate::discovery::Discovery;
use crate::names::{Names, Stored};
use crate::watched::Watched;
use crate::zeroconf::Zeroconf;

/// A link and the hosts on it.
pub(super) struct Lan {
    pub(super) simulation: Simulation<Discovery>,
    pub(super) link: LinkId,
    calls: Vec<(HostId, Calls)>,
}

/// A host, and the face that programs on it see.
pub(super) struct Host {
    pub(super) id: HostId,
    pub(super) zeroconf: Zeroconf,
}

/// What the handles of one host want done.
type Calls = Arc<Mutex<VecDeque<Call>>>;

struct Queue(Calls);

impl Lan {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, Conditions::default())
    }

    pub(super) fn with(seed: u64, conditions: Conditions) -> Self {
        let mut simulation = Simulation::new(seed);
        let link = simulation.add_link(conditions);
        Self {
            simulation,
            link,
            calls: Vec::new(),
        }
    }

    /// A host called `name.local`, on the link, with addresses that end in `number`.
    pub(super) fn host(&mut self, name: &str, number: u8) -> Host {
        let host = self.host_without_link(name);
        self.join(&host, number);
        host
    }

    pub(super) fn host_without_link(&mut self, name: &str) -> Host {
        self.host_with_names(name, Names::default())
    }

    pub(super) fn host_with_names(&mut self, name: &str, names: Names) -> Host {
        let own = crate::discovery::Host::own(name, names.first_host(name));
        self.add(name, own, names)
    }

    /// A host that uses the system's name.
    pub(super) fn system_host(&mut self, name: &str, number: u8) -> Host {
        let own = crate::discovery::Host::system(name, name.into());
        let host = self.add(name, own, Names::default());
        self.join(&host, number);
        host
    }

    fn add(&mut self, name: &str, own: crate::discovery::Host, names: Names) -> Host {
        let network = Watched::new(Network::default());
        let (keeper, _) = names.keeper().expect("a thread");
        let node_network = network.clone();
        let id = self.simulation.add_host(name, |seed, now| {
            let engine = Engine::new(Config::default(), seed, now);
            Discovery::new(engine, Some(own), node_network, keeper)
        });
        let calls = Calls::default();
        self.calls.push((id, Arc::clone(&calls)));
        let timeout = Duration::from_secs(3);
        let core = Core::new(
            Box::new(Queue(calls)),
            network,
            timeout,
            names,
            Stored::default(),
            true,
        );
        let zeroconf = Zeroconf::new(Arc::new(core));
        Host { id, zeroconf }
    }

    pub(super) fn join(&mut self, host: &Host, number: u8) {
        let addresses: Vec<Address> =
            [format!("192.0.2.{number}/24"), format!("fe80::{number}/64")]
                .iter()
                .map(|text| text.parse().expect("an address"))
                .collect();
        self.simulation.join(host.id, self.link, &addresses);
        self.simulation
            .command(host.id, |node, _| node.stop_waiting(LinkId(1)));
    }

    /// Somebody who is not a host of this test says all of this, in packets of the usual size.
    pub(super) fn say(&mut self, records: &[RecordBuf]) {
        self.say_as(SocketAddr::from(([192, 0, 2, 66], 5353)), records);
    }

    pub(super) fn say_as(&mut self, who: SocketAddr, records: &[RecordBuf]) {
        for some in records.chunks(20) {
            let mut buffer = [0; 1452];
            let compression = Compression::Multicast;
            let message = MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, compression);
            let mut message = message.unwrap();
            for record in some {
                message.answer(record.as_record()).unwrap();
            }
            let length = message.finish();
            let payload = buffer.get(..length).unwrap();
            self.simulation.inject(self.link, who, payload);
        }
        self.run_ms(10);
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, duration: Duration) {
        self.obey();
        self.simulation.run_for(duration);
    }

    pub(super) fn run_ms(&mut self, millis: u64) {
        self.run(Duration::from_millis(millis));
    }

    /// Lets time pass until the future is done, at most 100 s.
    #[track_caller]
    pub(super) fn wait<F: IntoFuture>(&mut self, future: F) -> F::Output {
        match self.wait_up_to(Duration::from_secs(100), future) {
            Some(output) => output,
            None => panic!("not within 100 s\n{}", self.simulation.transcript()),
        }
    }

    /// Lets time pass until the future is done, or not.
    pub(super) fn wait_up_to<F: IntoFuture>(
        &mut self,
        limit: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = pin!(future.into_future());
        let end = self.simulation.now() + limit;
        loop {
            let polled = poll_once(future.as_mut());
            self.obey();
            if let Poll::Ready(output) = polled {
                return Some(output);
            }
            if self.simulation.now() >= end {
                return None;
            }
            self.simulation.run_for(Duration::from_millis(1));
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.simulation.now()
    }

    pub(super) fn crash(&mut self, host: &Host) {
        self.simulation.crash(host.id);
    }

    #[track_caller]
    pub(super) fn assert_clean(&self) {
        assert!(
            self.simulation.violations().is_empty(),
            "{}",
            self.simulation.transcript()
        );
    }

    /// Does the first thing that the handles of a host want done, and lets time pass without doing the others.
    pub(super) fn run_after_one_call(&mut self, host: &Host, duration: Duration) {
        for (_, calls) in self.calls.iter().filter(|(id, _)| *id == host.id) {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(call) = calls.pop_front() {
                self.simulation
                    .command(host.id, |node, now| call(node, now));
            }
        }
        self.simulation.run_for(duration);
    }

    /// Does what the handles want done.
    fn obey(&mut self) {
        for (host, calls) in &self.calls {
            let calls = std::mem::take(&mut *calls.lock().unwrap_or_else(PoisonError::into_inner));
            if !calls.is_empty() {
                self.simulation.command(*host, |node, now| {
                    for call in calls {
                        call(node, now);
                    }
                });
            }
        }
    }
}

pub(super) fn record(name: &str, rdata: RdataBuf) -> RecordBuf {
    RecordBuf::new(name.parse().unwrap(), 120, rdata)
}

pub(super) fn name(text: &str) -> NameBuf {
    text.parse().unwrap()
}

pub(super) fn pointer(instance: &str) -> RecordBuf {
    record("_http._tcp.local", RdataBuf::ptr(name(instance).as_name()))
}

pub(super) fn target(instance: &str, host: &str) -> RecordBuf {
    let rdata = RdataBuf::srv(0, 0, 80, name(host).as_name());
    record(instance, rdata)
}

/// Polls a future that nobody wakes.
pub(super) fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

impl Runner for Queue {
    fn call(&self, call: Call) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(call);
    }

    fn set_links(&self, _: Links) {}

    fn stats(&self) -> Pin<Box<dyn Future<Output = Option<Stats>> + Send + Sync + '_>> {
        Box::pin(async { None })
    }

    fn shutdown(&self) -> Pin<Box<dyn Future<Output = ()> + Send + Sync + '_>> {
        self.call(Box::new(|node, now| node.engine().shutdown(now)));
        Box::pin(async {})
    }
}
