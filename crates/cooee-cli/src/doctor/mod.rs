//! `cooee doctor`: why nothing is found.
//!
//! Facts are collected (`system` reads the machine, `ear` listens on the links), and each group of checks makes findings of
//! plain facts: `links`, `port`, `traffic`, `firewall`, `responders`, `surroundings`. docs/doctor.md has the catalogue.

mod ear;
mod finding;
mod firewall;
mod links;
mod port;
mod responders;
mod surroundings;
mod system;
mod traffic;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;

use clap::Args as ClapArgs;
use cooee_mdns::net::{self, Families, Handle, Link, StartError};
use cooee_mdns::{Family, LinkId};
use tokio::time::Instant;

use self::ear::{Ear, Heard};
pub(crate) use self::finding::{Finding, Level};
use self::firewall::FirewallFacts;
use self::links::LinkFacts;
pub(crate) use self::port::PORT;
use self::port::PortFacts;
use self::responders::ResponderFacts;
use self::surroundings::{DefaultRoute, Surroundings};
use self::traffic::{FamilyTraffic, LinkTraffic};
use crate::args::{Common, Over};
use crate::events::Event;
use crate::failure::{Failure, Outcome};
use crate::interfaces::{self, Present};
use crate::output::Stop;
use crate::session::{self, Session};
use crate::{duration, escape, signals};

/// Find out why nothing is found.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Listen only: send nothing
    #[arg(long)]
    no_send: bool,
    /// Listen for so long (3s)
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// Examples for `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  cooee doctor                  what is wrong here?
  sudo cooee doctor             the same, with firewall rules and the names of programs
  cooee doctor --no-send        without a packet of ours
  cooee doctor -j | jq -r 'select(.level == \"fault\") | .text'

Exit code: 0 well, 1 nobody but this host answered, 2 wrong words, 3 something is broken.";

/// How long to listen if nothing else was said.
const USUAL: Duration = Duration::from_secs(3);

/// Runs the command.
///
/// # Errors
///
/// An interface that is not there, or trouble with the output. What is wrong with the network is no error here.
pub(crate) async fn run(args: &Args, session: Session) -> Result<Outcome, Failure> {
    let environment = std::env::var(interfaces::ENVIRONMENT).ok();
    let named = interfaces::named(&session.common, environment.as_deref());
    let holders = system::holders();
    let network = Network::open(&session.common, &named)?;
    let present: Vec<Present> = network.links().iter().map(Present::from).collect();
    interfaces::check(&named, &present)?;
    let mut visit = Visit {
        session,
        network,
        port: PortFacts {
            holders,
            ..PortFacts::default()
        },
        counts: BTreeMap::new(),
    };
    let told = visit.examine(args).await;
    visit.network.close().await;
    match told {
        Ok(outcome) => Ok(outcome),
        Err(stop) => stop.into_result().map(|()| Outcome::Done),
    }
}

/// What this computer is called in multicast DNS: `tabasco.local`.
pub(crate) fn host() -> String {
    system::host()
}

/// Who has sockets on the port, of one family or any, for a sentence: `mdnsd (pid 812)`. We do not count.
pub(crate) fn holders(family: Option<Family>) -> Option<String> {
    let holders = system::holders();
    let holders: Vec<&port::Holder> = holders
        .iter()
        .filter(|holder| !holder.is_this_program())
        .filter(|holder| family.is_none_or(|family| holder.has(family)))
        .collect();
    (!holders.is_empty()).then(|| port::names(&holders))
}

/// The links, with an ear on them if a socket could be had.
struct Network {
    builder: net::Builder,
    wanted: Vec<Family>,
    handle: Option<Handle<Ear>>,
    /// The links when there is no ear.
    seen: Vec<Link>,
    /// Families without a socket, if there is none at all.
    refused: Vec<(Family, std::io::ErrorKind)>,
}

impl Network {
    fn open(common: &Common, named: &[String]) -> Result<Self, Failure> {
        let links = interfaces::links(named, &common.exclude_interface);
        let builder = net::Builder::new().links(links);
        let (families, wanted) = match common.over {
            None => (Families::Both, vec![Family::V4, Family::V6]),
            Some(Over::V4) => (Families::V4, vec![Family::V4]),
            Some(Over::V6) => (Families::V6, vec![Family::V6]),
        };
        let builder = builder.families(families);
        let mut network = Self {
            builder: builder.clone(),
            wanted,
            handle: None,
            seen: Vec::new(),
            refused: Vec::new(),
        };
        match builder.start(Ear::new) {
            Ok(handle) => network.handle = Some(handle),
            Err(StartError::NoSocket(_)) => {
                network.seen = network.builder.look().map_err(|error| trouble(&error))?;
                network.refused = network.reasons();
            }
            Err(error) => return Err(trouble(&error)),
        }
        Ok(network)
    }

    /// Why there is no socket, family by family.
    fn reasons(&self) -> Vec<(Family, std::io::ErrorKind)> {
        let wanted = self.wanted.iter();
        wanted
            .filter_map(|family| {
                let families = match family {
                    Family::V4 => Families::V4,
                    Family::V6 => Families::V6,
                };
                match self.builder.clone().families(families).start(Ear::new) {
                    Err(StartError::NoSocket(error)) => Some((*family, error.kind())),
                    // Whoever held it is gone; the handle is dropped, and with it the socket.
                    _ => None,
                }
            })
            .collect()
    }

    fn links(&self) -> Vec<Link> {
        match &self.handle {
            Some(handle) => handle.links(),
            None => self.seen.clone(),
        }
    }

    async fn heard(&self) -> Heard {
        match &self.handle {
            Some(handle) => handle.ask(|ear, _| ear.heard()).await.unwrap_or_default(),
            None => Heard {
                no_socket: self.refused.clone(),
                ..Heard::default()
            },
        }
    }

    async fn close(&self) {
        if let Some(handle) = &self.handle {
            handle.shutdown().await;
        }
    }
}

fn trouble(error: &StartError) -> Failure {
    Failure::trouble(error.to_string())
}

/// An examination under way.
struct Visit {
    session: Session,
    network: Network,
    port: PortFacts,
    /// Findings told so far.
    counts: BTreeMap<Level, u64>,
}

impl Visit {
    async fn examine(&mut self, args: &Args) -> Result<Outcome, Stop> {
        let waited = args.timeout.unwrap_or(USUAL);
        let begun = self.session.now();
        let heard = self.network.heard().await;
        let facts = self.link_facts(&heard);
        let sockets: Vec<Family> = self
            .network
            .wanted
            .iter()
            .filter(|family| {
                heard
                    .no_socket
                    .iter()
                    .all(|(missing, _)| missing != *family)
            })
            .copied()
            .collect();
        self.tell(links::check(&facts, &sockets, system::max_memberships()))?;
        self.port.families = self.sockets(&heard);
        self.tell(port::check(&self.port))?;

        let before = system::ruleset().await;
        let sent = if args.no_send {
            0
        } else {
            self.send(&facts, &heard, waited)
        };
        if facts.iter().any(LinkFacts::is_used) && !sockets.is_empty() {
            self.listen(waited).await;
        }
        let heard = self.network.heard().await;
        let after = system::ruleset().await;

        self.tell(port::steals(sent, heard.pieces.len() as u64))?;
        let traffic = if sockets.is_empty() {
            Vec::new()
        } else {
            traffic_of(&facts, &heard, !args.no_send)
        };
        self.tell(traffic::check(&traffic, waited))?;
        let families = traffic.iter().flat_map(|link| &link.families);
        let back: Vec<bool> = families.filter_map(|family| family.came_back).collect();
        self.tell(firewall::check(&FirewallFacts {
            rulesets: before.zip(after),
            is_something_lost: (!back.is_empty()).then(|| back.contains(&false)),
        }))?;
        self.tell(responders::check(&self.responders(&facts, &heard)))?;
        let surroundings = self.surroundings(args, &facts, &heard, &begun).await;
        self.tell(surroundings::check(&surroundings))?;

        let is_there =
            |family: &FamilyTraffic| family.answering > 0 || (args.no_send && family.asking > 0);
        let is_anybody_there = traffic.iter().flat_map(|link| &link.families).any(is_there);
        Ok(self.sum_up(is_anybody_there))
    }

    fn link_facts(&self, heard: &Heard) -> Vec<LinkFacts> {
        let memberships = system::memberships();
        let wireless = system::wireless();
        let links = self.network.links();
        links
            .iter()
            .map(|link| LinkFacts {
                is_wireless: wireless.contains(link.name()),
                join_error: heard.failures.get(&link.index()).cloned(),
                memberships: memberships.get(link.name()).copied(),
                is_ipv6_off: system::is_ipv6_off(link.name()),
                ..LinkFacts::from(link)
            })
            .collect()
    }

    fn sockets(&self, heard: &Heard) -> Vec<(Family, Result<(), std::io::ErrorKind>)> {
        let wanted = self.network.wanted.iter();
        wanted
            .map(|family| {
                let missing = heard.no_socket.iter().find(|(one, _)| one == family);
                (*family, missing.map_or(Ok(()), |(_, kind)| Err(*kind)))
            })
            .collect()
    }

    /// Asks on every link, and sends the pieces of the steal test to ourselves, if the port is shared; gives how many.
    fn send(&self, facts: &[LinkFacts], heard: &Heard, wait: Duration) -> u64 {
        let Some(handle) = &self.network.handle else {
            return 0;
        };
        let Ok(host) = system::host().parse() else {
            return 0;
        };
        let used: Vec<_> = facts.iter().filter(|link| link.is_used()).collect();
        let ids: Vec<_> = used.iter().map(|link| LinkId(link.index)).collect();
        // It ends later than this call.
        let _ = handle.call(move |ear, now| {
            for link in ids {
                ear.ask(now, link, &host, wait);
            }
        });
        if !heard.is_shared {
            return 0;
        }
        let mut sent = 0;
        for link in used {
            let address = link.addresses.iter().find_map(|one| match one.address {
                IpAddr::V4(ip) => Some(ip),
                IpAddr::V6(_) => None,
            });
            if let Some(address) = address {
                for _ in 0..PIECES {
                    // Each with a number of its own; what the system refuses was not sent.
                    let number = u16::try_from(sent).unwrap_or(u16::MAX);
                    sent += u64::from(sent_piece(address, number).is_ok());
                }
            }
        }
        sent
    }

    async fn listen(&mut self, waited: Duration) {
        let begun = Instant::now();
        let mut signals = self.session.signals.clone();
        let what = format!("listening{}", self.on_links());
        let mut next_tick = self.session.output.has_progress().then_some(begun);
        loop {
            tokio::select! {
                biased;
                signal = signals.asked() => {
                    self.network.close().await;
                    self.session.output.erase_progress();
                    signals::leave(signal);
                }
                () = tokio::time::sleep_until(begun + waited) => break,
                () = crate::commands::at(next_tick) => {
                    let found = self.network.heard().await.hosts.len() as u64;
                    self.session.spin(&what, found, begun);
                    next_tick = Some(Instant::now() + session::TICK);
                }
            }
        }
        self.session.output.erase_progress();
    }

    fn on_links(&self) -> String {
        let links = self.network.links();
        let names = links.iter().filter(|link| link.is_in_use());
        let names: Vec<String> = names.map(|link| escape::text(link.name())).collect();
        format!(" on {}", names.join(", "))
    }

    fn responders(&self, facts: &[LinkFacts], heard: &Heard) -> ResponderFacts {
        let host = system::host();
        let is_own = |ip: &IpAddr| is_own(facts, ip);
        let claims = heard
            .claims
            .iter()
            .filter_map(|((index, name), by_source)| {
                let link = facts.iter().find(|link| link.index == *index)?;
                Some(((link.name.clone(), name.clone()), by_source.clone()))
            });
        ResponderFacts {
            holders: self.port.holders.clone(),
            is_host_claimed_here: heard.claims.iter().any(|((_, name), by_source)| {
                name.eq_ignore_ascii_case(&host) && by_source.keys().any(is_own)
            }),
            host,
            claims: claims.collect(),
        }
    }

    async fn surroundings(
        &self,
        args: &Args,
        facts: &[LinkFacts],
        heard: &Heard,
        begun: &crate::clock::Moment,
    ) -> Surroundings {
        let links = self.network.links();
        let default_route = system::default_route().map(|interface| {
            let link = links.iter().find(|link| link.name() == interface);
            DefaultRoute {
                is_used: link.is_some_and(Link::is_in_use),
                is_point_to_point: link.is_some_and(Link::is_point_to_point),
                interface,
            }
        });
        let others = heard
            .claims
            .iter()
            .filter(|(_, by_source)| by_source.keys().all(|source| !is_own(facts, source)));
        let known = others
            .map(|((_, name), _)| name)
            .find(|name| name.ends_with(".local"));
        let nss = match known {
            Some(host) if !args.no_send => {
                let found = system::getent(host).await;
                found.map(|found| (host.clone(), found))
            }
            _ => None,
        };
        let now = self.session.now();
        Surroundings {
            default_route,
            container: system::container(),
            is_clock_early: now
                .wall
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(true, |since| since < YEAR_2020),
            clock_jump: jump(begun, &now),
            nss,
        }
    }

    fn tell(&mut self, findings: impl IntoIterator<Item = Finding>) -> Result<(), Stop> {
        for finding in findings {
            *self.counts.entry(finding.level).or_default() += 1;
            if self.session.common.json {
                self.session.json(&Event::Finding(finding))?;
            } else {
                let output = &mut self.session.output;
                let shown = finding.shown(self.session.common.verbose > 0, output.paint);
                output.line(&shown)?;
            }
        }
        Ok(())
    }

    fn sum_up(&self, is_anybody_there: bool) -> Outcome {
        let count = |level| self.counts.get(&level).copied().unwrap_or_default();
        let (faults, warnings) = (count(Level::Fault), count(Level::Warn));
        let several = |count: u64, what: &str| match count {
            1 => format!("1 {what}"),
            more => format!("{more} {what}s"),
        };
        let (said, outcome) = match (faults, is_anybody_there) {
            (1.., _) => (several(faults, "fault"), Outcome::Trouble),
            (0, false) => ("nobody but this host answered".into(), Outcome::NotFound),
            (0, true) => ("all well".into(), Outcome::Done),
        };
        let warned = match warnings {
            0 => String::new(),
            more => format!(", {}", several(more, "warning")),
        };
        self.session.talk.hint(&(said + &warned));
        outcome
    }
}

/// So many datagrams show whether another socket takes some.
const PIECES: u16 = 8;

/// 2020-01-01, in seconds since 1970.
const YEAR_2020: Duration = Duration::from_secs(1_577_836_800);

fn is_own(facts: &[LinkFacts], ip: &IpAddr) -> bool {
    let mut addresses = facts.iter().flat_map(|link| &link.addresses);
    addresses.any(|own| own.address == *ip)
}

/// Sends a piece of the steal test out of the interface with this address, but not beyond this machine: with a TTL of 0.
fn sent_piece(from: Ipv4Addr, number: u16) -> std::io::Result<()> {
    let socket = UdpSocket::bind((from, 0))?;
    socket.set_multicast_ttl_v4(0)?;
    let group = (Ipv4Addr::new(224, 0, 0, 251), PORT);
    socket.send_to(&ear::steal_test(number), group).map(drop)
}

/// How far the wall clock has moved otherwise than the one that nobody sets.
fn jump(before: &crate::clock::Moment, now: &crate::clock::Moment) -> Duration {
    let passed = now.since_start.saturating_sub(before.since_start);
    let expected = before.wall + passed;
    match now.wall.duration_since(expected) {
        Ok(ahead) => ahead,
        Err(behind) => behind.duration(),
    }
}

fn traffic_of(facts: &[LinkFacts], heard: &Heard, is_sent: bool) -> Vec<LinkTraffic> {
    let used = facts.iter().filter(|link| link.is_used());
    used.map(|link| {
        let families = link.families.iter().map(|&family| {
            let is_v4 = family == Family::V4;
            let came_back = heard.tests.iter().any(|(sent_on, on, v4, from)| {
                *sent_on == link.index && *on == link.index && *v4 == is_v4 && is_own(facts, from)
            });
            let hosts = heard
                .hosts
                .iter()
                .filter(|((on, ip), _)| *on == link.index && ip.is_ipv4() == is_v4);
            let (answering, rest): (Vec<_>, Vec<_>) =
                hosts.partition(|(_, (responses, _))| *responses > 0);
            FamilyTraffic {
                family,
                came_back: is_sent.then_some(came_back),
                answering: answering.len() as u64,
                asking: rest.len() as u64,
            }
        });
        let elsewhere = heard.tests.iter().filter(|(sent_on, on, _, from)| {
            *sent_on == link.index && *on != link.index && is_own(facts, from)
        });
        let mut also_heard_on: Vec<String> = elsewhere
            .filter_map(|(_, on, ..)| facts.iter().find(|other| other.index == *on))
            // Each pair is told once.
            .filter(|other| other.is_used() && other.index > link.index)
            .map(|other| other.name.clone())
            .collect();
        also_heard_on.dedup();
        let reflected = heard
            .tests
            .iter()
            .filter(|(sent_on, _, _, from)| *sent_on == link.index && !is_own(facts, from));
        let mut reflected_by: Vec<IpAddr> = reflected.map(|(.., from)| *from).collect();
        reflected_by.sort_unstable();
        reflected_by.dedup();
        LinkTraffic {
            name: link.name.clone(),
            families: families.collect(),
            also_heard_on,
            reflected_by,
        }
    })
    .collect()
}
