//! What every command has in hand: the network, the output, the clock, and ears for Ctrl-C.

use std::time::Duration;

use cooee::{Builder, Families, Family, HostPolicy, NameStore, Zeroconf};
use cooee_mdns::net::{self, Driven, Handle};

use crate::args::{Common, Over};
use crate::clock::{Clock, Moment};
use crate::doctor;
use crate::events::Event;
use crate::failure::Failure;
use crate::found::Only;
use crate::interfaces::{self, Present};
use crate::output::{Output, Stop, Talk};
use crate::signals::Signals;

/// What a command works with before the network is up.
#[derive(Debug)]
pub(crate) struct Session {
    /// What holds for every command.
    pub(crate) common: Common,
    /// Where data goes.
    pub(crate) output: Output,
    /// Where talk goes.
    pub(crate) talk: Talk,
    /// Ctrl-C and its like.
    pub(crate) signals: Signals,
    clock: Clock,
    /// The doctor has been named.
    has_advised: bool,
}

/// How often the progress is written anew.
pub(crate) const TICK: Duration = Duration::from_millis(100);
const WHEEL: &[char] = &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// After so long of nothing, something may be wrong.
const LONG: Duration = Duration::from_secs(5);

/// What to try when nothing was found.
pub(crate) const ADVICE: &str = "; 'cooee doctor' finds out why";

/// How long goodbyes may take, and a little.
const SHUTDOWN: Duration = Duration::from_millis(1_200);

impl Session {
    /// Gets ready, without touching the network.
    ///
    /// # Errors
    ///
    /// If the system lets us not listen to signals.
    pub(crate) fn new(common: Common, clock: Clock) -> Result<Self, Failure> {
        let signals = Signals::listen().map_err(|error| {
            Failure::trouble(format!(
                "cannot listen to signals: {}",
                crate::output::plain(&error)
            ))
        })?;
        Ok(Self {
            output: Output::new(common.color, common.quiet),
            talk: Talk::new(common.quiet, common.color),
            signals,
            clock,
            has_advised: false,
            common,
        })
    }

    /// Opens the network on the links that were chosen; nothing is sent yet. `host` is what to publish as this host.
    ///
    /// # Errors
    ///
    /// An interface that is not there, or sockets that cannot be had.
    pub(crate) async fn open(&self, host: HostPolicy) -> Result<Zeroconf, Failure> {
        self.start(self.builder(host)).await
    }

    /// The same, with a store for the names that are chosen.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub(crate) async fn open_with(
        &self,
        host: HostPolicy,
        names: Option<impl NameStore>,
    ) -> Result<Zeroconf, Failure> {
        let builder = self.builder(host);
        self.start(match names {
            Some(names) => builder.name_store(names),
            None => builder,
        })
        .await
    }

    async fn start(&self, builder: Builder) -> Result<Zeroconf, Failure> {
        let environment = std::env::var(interfaces::ENVIRONMENT).ok();
        let named = interfaces::named(&self.common, environment.as_deref());
        let links = interfaces::links(&named, &self.common.exclude_interface);
        let builder = builder.links(links);
        let zeroconf = builder.start().await.map_err(|error| not_started(&error))?;
        know_links(&zeroconf).await;
        if let Err(failure) = interfaces::check(&named, &present(&zeroconf)) {
            self.close(&zeroconf).await;
            return Err(failure);
        }
        self.look_for_held_port(&zeroconf).await;
        Ok(zeroconf)
    }

    /// Says which family is left out, if one is because somebody has its port.
    async fn look_for_held_port(&self, zeroconf: &Zeroconf) {
        let mut events = zeroconf.events();
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                // What is not told at once has not happened yet.
                () = std::future::ready(()) => return,
            };
            match event {
                Some(cooee::Event::NoSocket { family, error }) if is_port_held(&error) => {
                    self.tell_of_held_port(family);
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Says who has the port for a family: what is there alone will not be found.
    pub(crate) fn tell_of_held_port(&self, family: Family) {
        let holders = doctor::holders(Some(family));
        let holders = holders.as_deref().unwrap_or("another program");
        let (held, other) = match family {
            Family::V4 => ("IPv4", "IPv6"),
            Family::V6 => ("IPv6", "IPv4"),
        };
        self.talk.hint(&format!(
            "UDP port 5353 is held by {holders} for {held} and not shared; only {other} is used until it is free"
        ));
    }

    /// Starts a node of our own on the links that were chosen, for who wants to see more than the library shows.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub(crate) fn drive<N: Driven>(
        &self,
        make: impl FnOnce(cooee_mdns::Instant, u64) -> N,
    ) -> Result<Handle<N>, Failure> {
        let environment = std::env::var(interfaces::ENVIRONMENT).ok();
        let named = interfaces::named(&self.common, environment.as_deref());
        let links = interfaces::links(&named, &self.common.exclude_interface);
        let builder = net::Builder::new().links(links).families(self.families());
        let handle = builder
            .start(make)
            .map_err(|error| not_started(&error.into()))?;
        let present: Vec<Present> = handle.links().iter().map(Present::from).collect();
        interfaces::check(&named, &present)?;
        Ok(handle)
    }

    /// The families that carry packets.
    fn families(&self) -> Families {
        match self.common.over {
            None => Families::Both,
            Some(Over::V4) => Families::V4,
            Some(Over::V6) => Families::V6,
        }
    }

    fn builder(&self, host: HostPolicy) -> Builder {
        let builder = match self.only() {
            Some(only) => Zeroconf::builder().published_addresses(move |_, ip| only.keeps(ip)),
            None => Zeroconf::builder(),
        };
        builder.host_name(host).families(self.families())
    }

    /// The addresses that are asked for and shown.
    pub(crate) fn only(&self) -> Option<Only> {
        match (self.common.ipv4, self.common.ipv6) {
            (true, _) => Some(Only::V4),
            (_, true) => Some(Only::V6),
            _ => None,
        }
    }

    /// The same, as a look-up wants it.
    pub(crate) fn address_families(&self) -> Families {
        match self.only() {
            None => Families::Both,
            Some(Only::V4) => Families::V4,
            Some(Only::V6) => Families::V6,
        }
    }

    /// Says goodbye to the network: a second at most.
    pub(crate) async fn close(&self, zeroconf: &Zeroconf) {
        // Who cannot say goodbye in time leaves without.
        let _ = tokio::time::timeout(SHUTDOWN, zeroconf.shutdown()).await;
    }

    /// Says again and again, to a person at a terminal, how far it is. It goes when something is shown. After a while of nothing it says, once,
    /// what may help.
    pub(crate) fn progress(&mut self, what: &str, found: u64, begun: tokio::time::Instant) {
        if found == 0 && begun.elapsed() >= LONG && !std::mem::replace(&mut self.has_advised, true)
        {
            self.output.erase_progress();
            self.talk.hint("Nothing yet. 'cooee doctor' finds out why.");
        }
        self.spin(what, found, begun);
    }

    /// The same without the advice.
    pub(crate) fn spin(&mut self, what: &str, found: u64, begun: tokio::time::Instant) {
        let elapsed = begun.elapsed();
        let turn = usize::try_from(elapsed.as_millis() / TICK.as_millis()).unwrap_or(0);
        let wheel = WHEEL.get(turn % WHEEL.len()).copied().unwrap_or(' ');
        self.output.progress(&format!(
            "{wheel} {what}: {found} found, {} s",
            elapsed.as_secs()
        ));
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The clock itself, for those who outlive this.
    #[cfg(any(feature = "tui", feature = "ui"))]
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Tells an event as JSON.
    ///
    /// # Errors
    ///
    /// As for [`Output::line`].
    pub(crate) fn json(&mut self, event: &Event) -> Result<(), Stop> {
        let line = event.json(&self.clock.now());
        self.output.line(&line)
    }
}

/// Waits until the library has had a first look at the interfaces; every machine has at least one.
pub(crate) async fn know_links(zeroconf: &Zeroconf) {
    let known = async {
        while zeroconf.links().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    // A machine without any is told of as such.
    let _ = tokio::time::timeout(Duration::from_secs(1), known).await;
}

/// The interfaces of this machine, for messages.
pub(crate) fn present(zeroconf: &Zeroconf) -> Vec<Present> {
    zeroconf.links().iter().map(Present::from).collect()
}

/// The names of the links in use, for messages: `eth0, wlan0`.
pub(crate) fn in_use(zeroconf: &Zeroconf) -> Vec<String> {
    names_in_use(&present(zeroconf))
}

fn names_in_use(links: &[Present]) -> Vec<String> {
    links
        .iter()
        .filter(|link| link.unused.is_none())
        .map(|link| crate::escape::text(&link.name))
        .collect()
}

/// ` on eth0, wlan0`, or nothing if there is no link.
pub(crate) fn on_links(zeroconf: &Zeroconf) -> String {
    on(&present(zeroconf))
}

/// The same of interfaces that are known already.
pub(crate) fn on(links: &[Present]) -> String {
    match names_in_use(links).as_slice() {
        [] => String::new(),
        names => format!(" on {}", names.join(", ")),
    }
}

/// There is nothing to send on, for these reasons.
pub(crate) fn no_link(trouble: &str) -> Failure {
    Failure::trouble(format!("{trouble}; 'cooee doctor' tells more"))
}

/// Why the network cannot be opened; of a port that is held, by whom.
pub(crate) fn not_started(error: &cooee::Error) -> Failure {
    match doctor::holders(None) {
        Some(holders) if is_port_held(error) => Failure::trouble(format!(
            "UDP port 5353 is held by {holders}, which does not share it; stop it, or set its socket to share"
        )),
        _ => failure(error),
    }
}

/// Whether somebody has the port, who does not share it.
fn is_port_held(error: &cooee::Error) -> bool {
    let mut sources =
        std::iter::successors(std::error::Error::source(error), |error| error.source());
    sources.any(|source| {
        let error = source.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
    })
}

/// What an error of the library means for the command.
pub(crate) fn failure(error: &cooee::Error) -> Failure {
    let text = error.to_string();
    if error.is_invalid_input() {
        Failure::usage(text)
    } else if error.is_timeout() || error.is_not_found() || error.is_name_taken() {
        Failure::not_found(text)
    } else {
        Failure::trouble(text)
    }
}
