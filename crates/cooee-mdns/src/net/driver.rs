//! The one loop: commands, interfaces, datagrams and deadlines in, datagrams out.

mod in_use;
#[cfg(test)]
mod link_tests;
#[cfg(all(test, target_os = "linux"))]
mod live_tests;
mod receiving;
mod sending;
#[cfg(test)]
pub(in crate::net) mod testbed;
#[cfg(test)]
mod traffic_tests;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use self::in_use::LinkState;
use super::driven::{Driven, NetworkEvent};
use super::handle::{Command, Handle};
use super::link::Link;
use super::links::Links;
use super::pacing::Pacing;
use super::reopening::Reopening;
use super::stats::Stats;
use super::world::World;
use crate::{Family, Instant, Transmit};

/// Datagrams taken before anything is sent.
const DATAGRAMS_AT_ONCE: usize = 64;

/// Commands taken before anything is sent.
const COMMANDS_AT_ONCE: usize = 1024;

/// A node that has something due at once again and again is called so often in a row, and then after this time.
const ROUNDS: usize = 8;
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// How long goodbyes may take.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(900);

/// Goodbyes for which there is no time to wait: the runtime goes away under us, or a link is not wanted any more.
const HURRIED_GOODBYES: usize = 64;

/// The largest message that may come, without IP and UDP headers, and something over.
// RFC 6762 §17 (6762-17-8)
const INBOX: usize = 9216;

/// Which of our addresses on a link others are told.
pub(super) type PublishedAddresses = Arc<dyn Fn(&Link, IpAddr) -> bool + Send + Sync>;

pub(super) struct Driver<N: Driven, W: World> {
    node: N,
    world: W,
    commands: mpsc::UnboundedReceiver<Command<N>>,
    wanted: Links,
    published: Option<PublishedAddresses>,
    /// Every link of the machine, as last told.
    links: Vec<Link>,
    links_told: watch::Sender<Vec<Link>>,
    /// A family whose port is held. Without the other as well there would be no driver.
    reopening: Option<Reopening>,
    /// What is used, by interface index.
    in_use: BTreeMap<u32, LinkState>,
    /// Of all interfaces, sorted.
    own_addresses: Vec<IpAddr>,
    is_port_shared: bool,
    pacing: Pacing,
    /// Composed, but not to leave before.
    held: Option<(Transmit, Instant)>,
    /// How often it has been held because all queues were full.
    full_for: u32,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The node is not to be called before, though it says it wants to be.
    not_before: Instant,
    stats: Stats,
    /// What the kernel says each socket has lost so far.
    lost: BTreeMap<Family, u32>,
    has_said_goodbye: bool,
}

/// How the loop goes on.
enum Turn {
    Next,
    End(Option<oneshot::Sender<()>>),
}

impl<N: Driven, W: World> Driver<N, W> {
    /// A driver whose node knows the links already.
    pub(super) fn new(
        node: N,
        world: W,
        wanted: Links,
        published: Option<PublishedAddresses>,
    ) -> (Self, Handle<N>) {
        let (command_sender, commands) = mpsc::unbounded_channel();
        let (links_told, links) = watch::channel(Vec::new());
        let handle = Handle::new(command_sender, links);
        let now = world.now();
        let mut driver = Self {
            node,
            world,
            commands,
            wanted,
            published,
            links: Vec::new(),
            links_told,
            in_use: BTreeMap::new(),
            reopening: None,
            own_addresses: Vec::new(),
            is_port_shared: false,
            pacing: Pacing::default(),
            held: None,
            full_for: 0,
            inbox: vec![0; INBOX],
            outbox: Vec::new(),
            not_before: now,
            stats: Stats::default(),
            lost: BTreeMap::new(),
            has_said_goodbye: false,
        };
        while let Some((family, error)) = driver.world.missing() {
            driver.reopening = Reopening::after(now, family, &error);
            let told = NetworkEvent::NoSocket { family, error };
            driver.node.handle_network(now, &told);
        }
        driver.look_at_port(now);
        driver.look_at_interfaces(now);
        if driver.in_use.is_empty() {
            driver.tell_no_link(now);
        }
        (driver, handle)
    }

    /// Runs until it is told to end or all handles are gone.
    pub(super) async fn run(mut self) {
        let asked_for = loop {
            self.settle();
            match poll_fn(|cx| self.poll_turn(cx)).await {
                Turn::Next => {}
                Turn::End(asked_for) => break asked_for,
            }
        };
        self.say_goodbye().await;
        // The sockets are closed before anybody is told.
        drop(self);
        if let Some(asked_for) = asked_for {
            let _ = asked_for.send(());
        }
    }

    /// Does all that can be done now; pending if that is nothing.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        self.notice_sleep();
        let mut is_busy = false;
        for _ in 0..COMMANDS_AT_ONCE {
            match self.commands.poll_recv(cx) {
                Poll::Ready(Some(Command::Shutdown(asked_for))) => {
                    return Poll::Ready(Turn::End(Some(asked_for)));
                }
                Poll::Ready(Some(command)) => self.obey(command),
                Poll::Ready(None) => return Poll::Ready(Turn::End(None)),
                Poll::Pending => break,
            }
            is_busy = true;
        }
        if self.world.poll_interfaces(cx).is_ready() {
            self.look_at_interfaces(self.world.now());
            is_busy = true;
        }
        for _ in 0..DATAGRAMS_AT_ONCE {
            match self.world.poll_receive(cx, &mut self.inbox) {
                Poll::Ready(received) => self.receive(received),
                Poll::Pending => break,
            }
            is_busy = true;
        }
        // What happened may have made something due at once, or moved the deadline: that is looked at before the timer is set.
        let deadline = self.deadline();
        if !is_busy && self.world.poll_deadline(cx, deadline).is_ready() {
            let now = self.world.now();
            self.retry_socket(now);
            self.retry_links(now);
            self.node.engine().handle_timeout(now);
            is_busy = true;
        }
        if is_busy {
            self.stats.wakeups += 1;
            Poll::Ready(Turn::Next)
        } else {
            Poll::Pending
        }
    }

    /// When something is due though nothing happens.
    fn deadline(&self) -> Option<Instant> {
        match self.held {
            // Until it has left the node has nothing to do but wait for that.
            Some((_, until)) => Some(until),
            None => {
                let wanted = self.node.poll_timeout();
                let wanted = wanted.map(|wanted| wanted.max(self.not_before));
                let links = self.in_use.values().filter_map(|state| state.retry_at);
                let socket = self.reopening.as_ref().map(|reopening| reopening.at);
                links.chain(socket).chain(wanted).min()
            }
        }
    }

    fn obey(&mut self, command: Command<N>) {
        let now = self.world.now();
        match command {
            Command::Call(call) => call(&mut self.node, now),
            Command::SetLinks(links) => {
                tracing::debug!(target: "cooee_mdns", ?links, "other links are wanted");
                self.wanted = links;
                self.look_at_interfaces(now);
            }
            Command::Stats(answer) => {
                let _ = answer.send(self.stats);
            }
            // Ends the loop before it comes here.
            Command::Shutdown(_) => {}
        }
    }

    /// Asks again for a port that was held.
    fn retry_socket(&mut self, now: Instant) {
        let world = &mut self.world;
        let opened = self.reopening.take_if(|held| held.retry(now, world));
        if let Some(Reopening { family, .. }) = opened {
            tracing::info!(target: "cooee_mdns", ?family, "there is a socket of this family now");
            let told = NetworkEvent::SocketOpened(family);
            self.node.handle_network(now, &told);
            self.look_at_port(now);
            self.look_at_interfaces(now);
        }
    }

    fn look_at_port(&mut self, now: Instant) {
        if !self.is_port_shared && self.world.is_port_shared() {
            tracing::info!(target: "cooee_mdns", "port 5353 is shared with another program");
            self.is_port_shared = true;
            self.node.handle_network(now, &NetworkEvent::PortShared);
        }
    }

    /// Tells the engine if the machine has slept, before anything else that happened is told.
    fn notice_sleep(&mut self) {
        if let Some(slept) = self.world.slept() {
            let now = self.world.now();
            tracing::info!(target: "cooee_mdns", ?slept, "resumed");
            self.stats.suspends += 1;
            self.node.engine().resumed(now, slept);
            self.look_at_interfaces(now);
            self.settle();
        }
    }

    /// Lets the node act on what has happened, does what is due, and sends what comes of it.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let now = self.world.now();
            self.node.process(now);
            let has_sent = self.send_all();
            if self.held.is_some() {
                return;
            }
            if self.node.poll_timeout().is_some_and(|at| at <= now) {
                self.node.engine().handle_timeout(now);
            } else if !has_sent {
                return;
            }
            // What was sent may be news to the node, and it may have more to say.
        }
        // It asks to be called at once for ever: the others on this machine want to live as well.
        self.not_before = self.world.now() + SHORTEST_WAIT;
    }

    /// Sends what is held back, if its time has come, and all that the engine has; false if that was nothing.
    fn send_all(&mut self) -> bool {
        let mut has_sent = false;
        if let Some((transmit, until)) = self.held.take() {
            let now = self.world.now();
            if now < until {
                self.held = Some((transmit, until));
                return false;
            }
            self.send_or_hold(now, transmit);
            has_sent = true;
        }
        while self.held.is_none() {
            let now = self.world.now();
            let Some(transmit) = self.node.engine().poll_transmit(now, &mut self.outbox) else {
                break;
            };
            self.send_or_hold(now, transmit);
            has_sent = true;
        }
        has_sent
    }

    /// Sends what there is without regard to pace, since there will be no other time for it.
    fn send_hurried(&mut self, now: Instant) {
        if let Some((transmit, _)) = self.held.take() {
            self.send(now, transmit);
        }
        for _ in 0..HURRIED_GOODBYES {
            // What is held lies in the buffer.
            if self.held.is_some() {
                return;
            }
            let Some(transmit) = self.node.engine().poll_transmit(now, &mut self.outbox) else {
                return;
            };
            self.send(now, transmit);
        }
    }

    /// Sends the goodbyes at the usual pace, as far as they go in the time there is.
    async fn say_goodbye(&mut self) {
        self.has_said_goodbye = true;
        let end = self.world.now() + SHUTDOWN_LIMIT;
        self.node.engine().shutdown(self.world.now());
        loop {
            self.settle();
            let Some((_, until)) = self.held else {
                return;
            };
            if until > end {
                tracing::warn!(target: "cooee_mdns", "not all goodbyes could be sent in time");
                return;
            }
            poll_fn(|cx| self.world.poll_deadline(cx, Some(until))).await;
        }
    }
}

impl<N: Driven, W: World> Drop for Driver<N, W> {
    /// The runtime goes away with the task in it: what can be said at once is said.
    fn drop(&mut self) {
        if self.has_said_goodbye || std::thread::panicking() {
            return;
        }
        let now = self.world.now();
        self.node.engine().shutdown(now);
        self.send_hurried(now);
    }
}
