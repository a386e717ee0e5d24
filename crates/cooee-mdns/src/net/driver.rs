//! The one loop: commands, interfaces, datagrams and deadlines in, datagrams out.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::handle::{Command, Handle};
use super::interface::Interface;
use super::link::{Link, LinkStatus};
use super::links::Links;
use super::own_copies::{Origin, OwnCopies};
use super::pacing::Pacing;
use super::select::{explicit_source, select};
use super::socket::Received;
use super::stats::Stats;
use super::world::World;
use super::{PORT, group};
use crate::{Datagram, Destination, Engine, Family, Instant, LinkId, LinkInfo, Node, Transmit};

/// A node that is told about the network it is on.
pub trait Driven: Node + Send + 'static {
    /// Something about links or the port is different. The engine has been told already, and [`Node::process`] is called afterwards.
    fn handle_network(&mut self, now: Instant, event: &NetworkEvent) {
        let _ = (now, event);
    }
}

impl Driven for Engine {}

/// News of the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// All links of the machine, by index, used or not; told at the start and after every change of any of them, before the events of the
    /// single links.
    Links(Vec<Link>),
    /// A link is in use from now on.
    LinkUp(Link),
    /// A link is in use no longer: it went, lost its addresses or its carrier, or is not chosen any more.
    LinkDown(Link),
    /// A link was chosen, but the system does not let us use it.
    LinkFailed {
        /// The link; its status has the reason in words.
        link: Link,
        /// What the system said.
        error: io::Error,
    },
    /// No link is in use. Everything waits for one.
    NoLink,
    /// Another program on this machine uses port 5353, so that unicast answers may go astray and are not asked for (ruling 2).
    PortShared,
}

/// Datagrams taken before anything is sent.
const DATAGRAMS_AT_ONCE: usize = 64;

/// Commands taken before anything is sent.
const COMMANDS_AT_ONCE: usize = 1024;

/// Multicasts in a row that the system refuses before a link is called unusable.
// ruling 26
const FAILURES_BEFORE_UNUSABLE: u32 = 3;

/// A node that wants to be called at once, again and again, is called this often at most.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// How long goodbyes may take.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(900);

/// Goodbyes for which there is no time to wait, when the runtime goes away under us.
const HURRIED_GOODBYES: usize = 64;

/// The largest message that may come, without IP and UDP headers, and something over.
// RFC 6762 §17 (6762-17-8)
const INBOX: usize = 9216;

pub(super) struct Driver<N: Driven, W: World> {
    node: N,
    world: W,
    commands: mpsc::UnboundedReceiver<Command<N>>,
    wanted: Links,
    /// Every link of the machine, as last told.
    links: Vec<Link>,
    links_told: watch::Sender<Vec<Link>>,
    /// What is used, by interface index.
    in_use: BTreeMap<u32, LinkState>,
    /// Of all interfaces, sorted.
    own_addresses: Vec<IpAddr>,
    own_copies: OwnCopies,
    is_port_shared: bool,
    pacing: Pacing,
    /// Composed, but not to leave before.
    held: Option<(Transmit, Instant)>,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// The node is not to be called before, though it says it wants to be.
    not_before: Instant,
    stats: Stats,
    /// What the kernel says each socket has lost so far.
    lost: BTreeMap<Family, u32>,
    has_said_goodbye: bool,
}

struct LinkState {
    info: LinkInfo,
    families: Vec<Family>,
    /// The source for IPv4, where the kernel does not find it.
    source: Option<IpAddr>,
    /// Multicasts refused since the last that left.
    failures: u32,
    /// Why it cannot be used although it should be.
    failure: Option<String>,
}

/// How the loop goes on.
enum Turn {
    Next,
    End(Option<oneshot::Sender<()>>),
}

impl<N: Driven, W: World> Driver<N, W> {
    /// A driver whose node knows the links already.
    pub(super) fn new(node: N, world: W, wanted: Links) -> (Self, Handle<N>) {
        let (command_sender, commands) = mpsc::unbounded_channel();
        let (links_told, links) = watch::channel(Vec::new());
        let handle = Handle::new(command_sender, links);
        let now = world.now();
        let mut driver = Self {
            is_port_shared: world.is_port_shared(),
            node,
            world,
            commands,
            wanted,
            links: Vec::new(),
            links_told,
            in_use: BTreeMap::new(),
            own_addresses: Vec::new(),
            own_copies: OwnCopies::default(),
            pacing: Pacing::default(),
            held: None,
            inbox: vec![0; INBOX],
            outbox: Vec::new(),
            not_before: now,
            stats: Stats::default(),
            lost: BTreeMap::new(),
            has_said_goodbye: false,
        };
        if driver.is_port_shared {
            tracing::info!(target: "cooee_mdns", "port 5353 is shared with another program");
            driver.node.handle_network(now, &NetworkEvent::PortShared);
        }
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
        let deadline = self.deadline();
        if self.world.poll_deadline(cx, deadline).is_ready() {
            let now = self.world.now();
            self.not_before = now + SHORTEST_WAIT;
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
            None => self
                .node
                .poll_timeout()
                .map(|wanted| wanted.max(self.not_before)),
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

    /// Lets the node act on what has happened, and sends what it has to say.
    fn settle(&mut self) {
        let now = self.world.now();
        self.node.process(now);
        if let Some((transmit, until)) = self.held.take() {
            if now < until {
                self.held = Some((transmit, until));
                return;
            }
            self.send_or_hold(now, transmit);
        }
        while self.held.is_none() {
            let now = self.world.now();
            let Some(transmit) = self.node.engine().poll_transmit(now, &mut self.outbox) else {
                // Sending may have given the node something to say.
                self.node.process(now);
                return;
            };
            self.send_or_hold(now, transmit);
        }
    }

    fn send_or_hold(&mut self, now: Instant, transmit: Transmit) {
        if matches!(transmit.destination, Destination::Multicast { .. })
            && let Err(until) = self.pacing.admit(now, transmit.link)
        {
            self.stats.paced += 1;
            self.held = Some((transmit, until));
            return;
        }
        self.send(now, transmit);
    }

    fn send(&mut self, now: Instant, transmit: Transmit) {
        let LinkId(index) = transmit.link;
        for family in transmit.destination.families() {
            let result = match self.in_use.get(&index) {
                Some(state) => {
                    let source = state.source.filter(|source| Family::of(*source) == family);
                    let destination = match transmit.destination {
                        Destination::Multicast { .. } => SocketAddr::new(group(family), PORT),
                        Destination::Unicast(to) => to,
                    };
                    self.world.send(index, source, destination, &self.outbox)
                }
                None => Err(io::ErrorKind::NetworkDown.into()),
            };
            let is_sent = result.is_ok();
            tracing::trace!(target: "cooee_mdns", link = index, ?family, destination = ?transmit.destination, octets = self.outbox.len(), is_sent, "out");
            match result {
                Ok(()) => self.note_sent(now, transmit, family),
                Err(error) => self.note_refused(now, transmit, family, error),
            }
            self.node
                .engine()
                .transmitted(now, transmit.id, family, is_sent);
        }
    }

    fn note_sent(&mut self, now: Instant, transmit: Transmit, family: Family) {
        self.stats.sent_octets += self.outbox.len() as u64;
        match transmit.destination {
            Destination::Multicast { .. } => {
                self.stats.sent_multicast += 1;
                self.own_copies
                    .sent(now, transmit.link, family, &self.outbox);
                let LinkId(index) = transmit.link;
                if let Some(state) = self.in_use.get_mut(&index) {
                    state.failures = 0;
                    if state.failure.take().is_some() {
                        self.look_at_interfaces(now);
                    }
                }
            }
            Destination::Unicast(to) => {
                self.stats.sent_unicast += 1;
                // It may come back to us if the port is shared with the one that asked.
                if to.port() == PORT && self.is_own_address(to.ip()) {
                    self.own_copies
                        .sent(now, transmit.link, family, &self.outbox);
                }
            }
        }
    }

    fn note_refused(&mut self, now: Instant, transmit: Transmit, family: Family, error: io::Error) {
        self.stats.send_failures += 1;
        let LinkId(index) = transmit.link;
        tracing::debug!(target: "cooee_mdns", link = index, ?family, %error, "cannot send");
        // What becomes of a reply says nothing of the link: the address may be a bad one.
        if matches!(transmit.destination, Destination::Unicast(_)) {
            return;
        }
        let Some(state) = self.in_use.get_mut(&index) else {
            return;
        };
        state.failures = state.failures.saturating_add(1);
        if state.failures == FAILURES_BEFORE_UNUSABLE && state.failure.is_none() {
            state.failure = Some(format!("sending fails: {error}"));
            self.look_at_interfaces(now);
            self.tell_failed(now, index, error);
        }
    }

    fn receive(&mut self, received: io::Result<Received>) {
        let now = self.world.now();
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(target: "cooee_mdns", %error, "cannot receive");
                self.stats.receive_errors += 1;
                return;
            }
        };
        if let Some(lost) = received.lost {
            self.lost.insert(Family::of(received.destination), lost);
            self.stats.lost_by_system = self.lost.values().copied().map(u64::from).sum();
        }
        if received.truncated {
            self.stats.dropped_too_long += 1;
            return;
        }
        // Membership does not filter: what was joined on one link, by anybody, is heard of all.
        if !self.in_use.contains_key(&received.index) {
            self.stats.dropped_other_link += 1;
            return;
        }
        let family = Family::of(received.destination);
        // RFC 6762 §11 (6762-11-4, -5): a unicast destination is looked at by the engine, with the link's prefixes.
        if received.destination != group(family) && !self.is_own_address(received.destination) {
            self.stats.dropped_other_destination += 1;
            return;
        }
        let link = LinkId(received.index);
        let Some(payload) = self.inbox.get(..received.len) else {
            return;
        };
        if received.source.port() == PORT && self.is_own_address(received.source.ip()) {
            match self.own_copies.arrived(now, link, family, payload) {
                Origin::OwnCopy => {
                    self.stats.own_copies += 1;
                    return;
                }
                Origin::OwnByAnotherLink => {}
                Origin::OtherProgram => self.note_other_program(now),
            }
        }
        tracing::trace!(target: "cooee_mdns", link = received.index, source = %received.source, destination = %received.destination, hop_limit = received.hop_limit, octets = received.len, "in");
        self.stats.received += 1;
        self.stats.received_octets += received.len as u64;
        let payload = self.inbox.get(..received.len).unwrap_or_default();
        self.node.engine().handle_datagram(
            now,
            &Datagram {
                link,
                source: received.source,
                destination: received.destination,
                payload,
            },
        );
    }

    /// A datagram came from our address and port that we have not sent: somebody here shares the port.
    // ruling 2; RFC 6762 §15.1 (6762-15.1-2)
    fn note_other_program(&mut self, now: Instant) {
        if self.is_port_shared {
            return;
        }
        tracing::info!(target: "cooee_mdns", "another program on this machine has come to port 5353");
        self.is_port_shared = true;
        self.look_at_interfaces(now);
        self.node.handle_network(now, &NetworkEvent::PortShared);
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        self.own_addresses.binary_search(&address).is_ok()
    }

    /// Looks at all interfaces anew, and tells the engine and the node what is different.
    fn look_at_interfaces(&mut self, now: Instant) {
        let interfaces = self.world.interfaces();
        self.own_addresses = interfaces
            .iter()
            .flat_map(|interface| interface.addresses.iter().map(|a| a.address))
            .collect();
        self.own_addresses.sort_unstable();

        let mut links = select(&interfaces, &self.wanted, |family| self.world.has(family));
        let mut failed = Vec::new();
        for link in &mut links {
            let old = self.in_use.get(&link.index());
            // Whatever happened to the interface may have mended it.
            let is_same = self
                .links
                .iter()
                .any(|known| known.interface() == link.interface());
            if let Some(why) = old.and_then(|state| state.failure.as_ref())
                && is_same
                && link.is_in_use()
            {
                let families = link.families().to_vec();
                *link = link.with_status(LinkStatus::Unusable(why.clone()), families);
            } else if let Err((unusable, error)) = self.join(link) {
                *link = unusable.clone();
                failed.push((unusable, error));
            }
        }

        let before: Vec<Link> = std::mem::replace(&mut self.links, links.clone());
        if before != links {
            for link in &links {
                if !before.contains(link) {
                    tracing::debug!(target: "cooee_mdns", link = link.name(), index = link.index(), status = %link.status(), "link");
                }
            }
            let _ = self.links_told.send_replace(links.clone());
            let told = NetworkEvent::Links(links.clone());
            self.node.handle_network(now, &told);
        }
        let had_links = !self.in_use.is_empty();
        self.take_down_all_but(now, &links, &before);
        for link in &links {
            self.bring_up_to_date(now, link);
        }
        for (link, error) in failed {
            let told = NetworkEvent::LinkFailed { link, error };
            self.node.handle_network(now, &told);
        }
        if had_links && self.in_use.is_empty() {
            self.tell_no_link(now);
        }
    }

    /// Joins the groups of a link in its families; a family that cannot be joined is left out.
    fn join(&mut self, link: &mut Link) -> Result<(), (Link, io::Error)> {
        let mut joined = Vec::new();
        let mut refused = None;
        for &family in link.families() {
            match self.world.join(link.index(), family) {
                Ok(()) => joined.push(family),
                Err(error) => {
                    tracing::debug!(target: "cooee_mdns", link = link.name(), ?family, %error, "cannot join");
                    refused = Some(error);
                }
            }
        }
        match refused {
            Some(error) if joined.is_empty() => {
                let why = LinkStatus::Unusable(format!("cannot join the multicast group: {error}"));
                Err((link.with_status(why, Vec::new()), error))
            }
            Some(_) => {
                *link = link.with_status(LinkStatus::InUse, joined);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn take_down_all_but(&mut self, now: Instant, links: &[Link], before: &[Link]) {
        let speaks = |index| {
            links
                .iter()
                .any(|l| l.index() == index && !l.families().is_empty())
        };
        let gone: Vec<u32> = self
            .in_use
            .keys()
            .copied()
            .filter(|&i| !speaks(i))
            .collect();
        for index in gone {
            let Some(state) = self.in_use.remove(&index) else {
                continue;
            };
            for family in state.families {
                self.world.leave(index, family);
            }
            self.pacing.forget(LinkId(index));
            self.node.engine().link_down(now, LinkId(index));
            let known = links.iter().chain(before).find(|l| l.index() == index);
            if let Some(link) = known {
                tracing::info!(target: "cooee_mdns", link = link.name(), index, status = %link.status(), "link down");
                let told = NetworkEvent::LinkDown(link.clone());
                self.node.handle_network(now, &told);
            }
        }
    }

    fn bring_up_to_date(&mut self, now: Instant, link: &Link) {
        if link.families().is_empty() {
            return;
        }
        let index = link.index();
        let info = link_info(link, !self.is_port_shared);
        let source = explicit_source(link.interface(), Family::V4);
        match self.in_use.get_mut(&index) {
            None => {
                tracing::info!(target: "cooee_mdns", link = link.name(), index, families = ?link.families(), "link up");
                self.in_use.insert(
                    index,
                    LinkState {
                        info: info.clone(),
                        families: link.families().to_vec(),
                        source,
                        failures: 0,
                        failure: None,
                    },
                );
                self.node.engine().link_up(now, link.id(), info);
                let told = NetworkEvent::LinkUp(link.clone());
                self.node.handle_network(now, &told);
            }
            Some(state) => {
                for &family in &state.families {
                    if !link.families().contains(&family) {
                        self.world.leave(index, family);
                    }
                }
                state.families = link.families().to_vec();
                state.source = source;
                if link.is_in_use() {
                    state.failure = None;
                }
                if state.info != info {
                    tracing::debug!(target: "cooee_mdns", link = link.name(), index, ?info, "link changed");
                    state.info = info.clone();
                    state.failures = 0;
                    self.node.engine().link_changed(now, link.id(), info);
                }
            }
        }
    }

    fn tell_failed(&mut self, now: Instant, index: u32, error: io::Error) {
        let failed = self.links.iter().find(|link| link.index() == index);
        if let Some(link) = failed.cloned() {
            tracing::warn!(target: "cooee_mdns", link = link.name(), index, %error, "link cannot be used");
            let told = NetworkEvent::LinkFailed { link, error };
            self.node.handle_network(now, &told);
        }
    }

    fn tell_no_link(&mut self, now: Instant) {
        tracing::info!(target: "cooee_mdns", "no link is in use");
        self.node.handle_network(now, &NetworkEvent::NoLink);
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
        if let Some((transmit, _)) = self.held.take() {
            self.send(now, transmit);
        }
        self.node.engine().shutdown(now);
        for _ in 0..HURRIED_GOODBYES {
            let Some(transmit) = self.node.engine().poll_transmit(now, &mut self.outbox) else {
                return;
            };
            self.send(now, transmit);
        }
    }
}

/// What the engine is told of a link.
fn link_info(link: &Link, unicast_reliable: bool) -> LinkInfo {
    let Interface { mtu, .. } = *link.interface();
    let mut info = LinkInfo::new(link.addresses().iter().copied());
    info.ipv4 = link.families().contains(&Family::V4);
    info.ipv6 = link.families().contains(&Family::V6);
    info.unicast_reliable = unicast_reliable;
    if mtu > 0 {
        info.mtu = mtu;
    }
    info
}
