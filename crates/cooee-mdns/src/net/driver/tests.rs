//! The driver in a world of its own: interfaces and datagrams as the test says, time as tokio's paused clock says.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant as TokioInstant, Sleep, sleep};

use super::Driver;
use crate::net::driven::{Driven, NetworkEvent};
use crate::net::handle::Handle;
use crate::net::interface::{Address, Interface};
use crate::net::links::Links;
use crate::net::role::tests::{ethernet, loopback};
use crate::net::socket::Received;
use crate::net::world::World;
use crate::net::{DriverEnded, LinkStatus, PORT, group};
use crate::{Config, Engine, Family, Instant, Node};

#[tokio::test(start_paused = true)]
async fn links_are_told_as_they_come_and_go() {
    let host = Host::with([loopback()]);
    let (handle, told, _) = host.start(Links::default());
    assert_eq!(told.take(), ["links lo", "no link"]);

    host.change(|interfaces| interfaces.push(ethernet(2, "eth0")));
    settle().await;
    assert_eq!(told.take(), ["links lo eth0", "up eth0"]);
    assert_eq!(host.joined(), [(2, Family::V4)]);

    host.change(|interfaces| interfaces[1].is_running = false);
    settle().await;
    assert_eq!(told.take(), ["links lo eth0", "down eth0", "no link"]);
    assert_eq!(host.joined(), []);
    let status = handle.links()[1].status().clone();
    assert!(matches!(status, LinkStatus::Unusable(why) if why.contains("no carrier")));

    host.change(|interfaces| interfaces.truncate(1));
    settle().await;
    assert_eq!(told.take(), ["links lo"]);
}

#[tokio::test(start_paused = true)]
async fn a_family_joins_when_its_address_has_been_checked() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (_handle, told, _) = host.start(Links::default());
    let ipv6 = |is_tentative| Address {
        address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2).into(),
        prefix_len: 64,
        is_tentative,
    };
    host.change(|interfaces| interfaces[0].addresses.push(ipv6(true)));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V4)]);
    host.change(|interfaces| interfaces[0].addresses[1] = ipv6(false));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V4), (2, Family::V6)]);
    host.change(|interfaces| _ = interfaces[0].addresses.remove(0));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V6)]);
    let downs = told.take().into_iter().filter(|t| t.starts_with("down"));
    assert_eq!(downs.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn other_links_can_be_chosen_while_it_runs() {
    let host = Host::with([loopback(), ethernet(2, "eth0"), ethernet(3, "eth1")]);
    let (handle, told, _) = host.start(Links::from("eth0"));
    assert_eq!(told.take(), ["links lo eth0 eth1", "up eth0"]);
    handle.set_links(Links::all().except("eth0")).unwrap();
    settle().await;
    assert_eq!(told.take(), ["links lo eth0 eth1", "down eth0", "up eth1"]);
    assert_eq!(host.joined(), [(3, Family::V4)]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_cannot_be_joined_is_told_and_the_others_go_on() {
    let host = Host::with([ethernet(2, "eth0"), ethernet(3, "eth1")]);
    host.lock().refuses_join = Some(2);
    let (handle, told, _) = host.start(Links::default());
    assert_eq!(told.take(), ["links eth0 eth1", "up eth1", "failed eth0"]);
    let status = handle.links()[0].status().to_string();
    assert!(status.starts_with("unusable: cannot join"), "{status}");
}

// ruling 2; 6762-15.1-4
#[tokio::test(start_paused = true)]
async fn a_port_found_shared_at_the_start_is_told() {
    let host = Host::with([ethernet(2, "eth0")]);
    host.lock().is_port_shared = true;
    let (_handle, told, _) = host.start(Links::default());
    assert_eq!(told.take(), ["port shared", "links eth0", "up eth0"]);
}

// 6762-11-2: the hop limit is not looked at.
#[tokio::test(start_paused = true)]
async fn what_is_not_for_us_is_counted_and_dropped() {
    let host = Host::with([ethernet(2, "eth0"), ethernet(3, "eth1")]);
    let (handle, _told, _) = host.start(Links::from("eth0"));
    let them = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 99), PORT));
    let ours = IpAddr::from(Ipv4Addr::new(192, 0, 2, 2));
    host.hear(2, them, group(Family::V4), b"to the group");
    host.hear(2, them, ours, b"to us");
    host.hear(3, them, group(Family::V4), b"on the other link");
    host.hear(
        2,
        them,
        Ipv4Addr::new(224, 0, 0, 252).into(),
        b"another group",
    );
    host.hear(2, them, Ipv4Addr::BROADCAST.into(), b"everybody");
    host.hear(2, them, group(Family::V4), &[0; 9300]);
    settle().await;
    let stats = handle.stats().await.unwrap();
    assert_eq!(stats.received, 2);
    assert_eq!(stats.received_octets, 17);
    assert_eq!(stats.dropped_other_link, 1);
    assert_eq!(stats.dropped_other_destination, 2);
    assert_eq!(stats.dropped_too_long, 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_socket_ends_nothing() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, _) = host.start(Links::default());
    host.lock().receive_error = Some(io::ErrorKind::ConnectionRefused.into());
    host.wake();
    settle().await;
    assert_eq!(handle.stats().await.unwrap().receive_errors, 1);
    assert_eq!(handle.ask(|_, _| 42).await, Ok(42));
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_to_go_ends_the_driver() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = host.start(Links::default());
    let other = handle.clone();
    drop(handle);
    settle().await;
    assert!(!task.is_finished());
    drop(other);
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_every_call_is_refused_and_another_shutdown_is_fine() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = host.start(Links::default());
    let other = handle.clone();
    handle.shutdown().await;
    assert!(other.has_ended());
    assert_eq!(other.call(|_, _| ()), Err(DriverEnded));
    assert_eq!(other.ask(|_, _| ()).await, Err(DriverEnded));
    assert_eq!(other.stats().await, Err(DriverEnded));
    other.shutdown().await;
    task.await.unwrap();
}

#[test]
fn a_runtime_that_goes_away_takes_the_driver_with_it_and_nothing_hangs() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = {
        let _inside = runtime.enter();
        host.start(Links::default())
    };
    runtime.block_on(settle());
    drop(task);
    drop(runtime);
    assert_eq!(handle.call(|_, _| ()), Err(DriverEnded));
    drop(handle);
}

// ruling 27
#[tokio::test(start_paused = true)]
async fn a_suspend_is_noticed_before_anything_else_is_done() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, _) = host.start(Links::default());
    settle().await;
    host.lock().slept = Some(Duration::from_secs(3600));
    assert_eq!(handle.stats().await.unwrap().suspends, 1);
}

/// A node that wants to be called all the time must not keep the machine busy.
#[tokio::test(start_paused = true)]
async fn an_impatient_node_is_called_a_thousand_times_a_second_at_most() {
    struct Impatient(Engine);
    impl Node for Impatient {
        fn engine(&mut self) -> &mut Engine {
            &mut self.0
        }
        fn process(&mut self, _: Instant) {}
        fn poll_timeout(&self) -> Option<Instant> {
            Some(Instant::ZERO)
        }
    }
    impl Driven for Impatient {}

    let host = Host::with([ethernet(2, "eth0")]);
    let world = host.world();
    let engine = Engine::new(Config::default(), 1, world.now());
    let (driver, handle) = Driver::new(Impatient(engine), world, Links::default(), None);
    tokio::spawn(driver.run());
    sleep(Duration::from_secs(1)).await;
    assert!(handle.stats().await.unwrap().wakeups <= 1005);
}

/// Lets the driver do what it can do without time passing (much).
async fn settle() {
    sleep(Duration::from_micros(1)).await;
}

/// A machine: what its driver sees, and what came out of it.
#[derive(Clone, Default)]
struct Host {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    interfaces: Vec<Interface>,
    have_changed: bool,
    arriving: VecDeque<(Received, Vec<u8>)>,
    receive_error: Option<io::Error>,
    joined: Vec<(u32, Family)>,
    refuses_join: Option<u32>,
    is_port_shared: bool,
    slept: Option<Duration>,
    waker: Option<Waker>,
}

impl Host {
    fn with(interfaces: impl IntoIterator<Item = Interface>) -> Self {
        let host = Self::default();
        host.lock().interfaces = interfaces.into_iter().collect();
        host
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn world(&self) -> FakeWorld {
        FakeWorld {
            host: self.clone(),
            start: TokioInstant::now(),
            deadline: None,
        }
    }

    fn start(&self, links: Links) -> (Handle<Recorder>, Told, JoinHandle<()>) {
        let told = Told::default();
        let world = self.world();
        let node = Recorder {
            engine: Engine::new(Config::default(), 1, world.now()),
            told: told.clone(),
        };
        let (driver, handle) = Driver::new(node, world, links, None);
        (handle, told, tokio::spawn(driver.run()))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Interface>)) {
        let mut state = self.lock();
        change(&mut state.interfaces);
        state.have_changed = true;
        drop(state);
        self.wake();
    }

    fn hear(&self, index: u32, source: SocketAddr, destination: IpAddr, octets: &[u8]) {
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

    fn joined(&self) -> Vec<(u32, Family)> {
        let mut joined = self.lock().joined.clone();
        joined.sort();
        joined.dedup();
        joined
    }

    fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct FakeWorld {
    host: Host,
    start: TokioInstant,
    deadline: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl World for FakeWorld {
    fn now(&self) -> Instant {
        let passed = TokioInstant::now() - self.start;
        Instant::from_micros(1_000_000) + passed
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

    fn has(&self, _: Family) -> bool {
        true
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

    fn send(&mut self, _: u32, _: Option<IpAddr>, _: SocketAddr, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// A node that writes down what it is told of the network.
struct Recorder {
    engine: Engine,
    told: Told,
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Node for Recorder {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {}

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
            NetworkEvent::NoLink => "no link".into(),
            NetworkEvent::PortShared => "port shared".into(),
        };
        self.told.0.lock().unwrap().push(told);
    }
}
