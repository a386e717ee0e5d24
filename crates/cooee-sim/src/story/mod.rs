//! What may happen on a network, told step by step: somebody joins, publishes, browses, falls asleep, is cut off, is attacked.
//!
//! A [`Story`] is a list of steps. [`Story::run`] lets them happen, then gives the network peace and expects that everybody who
//! looks for something finds what is there, and nothing else, in bounded time.

mod attack;
mod ending;
mod invent;
mod resident;
mod step;

use std::fmt;
use std::time::Duration;

use cooee_mdns::LinkId;

use crate::address::Address;
use crate::host::HostId;
use crate::network::Network;
use crate::wire::Conditions;

use resident::Resident;

pub use attack::Attack;
pub use step::Step;

/// How many hosts a story has at most.
const HOSTS: u8 = 6;
/// Packets that are kept for the transcript of a failure.
const TAIL: usize = 300;

/// What happens on a network, from a seed.
///
/// ```
/// use std::time::Duration;
/// use cooee_sim::{Step, Story};
///
/// Story::new(7)
///     .step(Step::Join(0))
///     .step(Step::Join(1))
///     .step(Step::Publish(0, 0))
///     .step(Step::Browse(1, 0))
///     .step(Step::Wait(Duration::from_secs(3)))
///     .step(Step::Crash(0))
///     .run()
///     .unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Story {
    /// Where all chance comes from.
    pub seed: u64,
    /// Three links in a ring of bridges, instead of one link.
    pub bridged: bool,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// What a story came to that ended well.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// How much time passed in it.
    pub simulated: Duration,
    /// How long it took after the last step until all agreed on what is there.
    pub agreed_after: Duration,
    /// Packets sent.
    pub packets: u64,
}

/// A story that did not end well.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The seed of the story.
    pub seed: u64,
    /// What was wrong.
    pub what: String,
    /// The steps, and the last packets.
    pub transcript: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            what,
            transcript,
        } = self;
        write!(f, "{transcript}\nseed {seed}: {what}")
    }
}

impl std::error::Error for Failure {}

/// A story while it happens.
#[derive(Debug)]
struct Telling {
    network: Network<Resident>,
    links: Vec<LinkId>,
    /// Who is there now; a host that has crashed is followed by another at its place.
    hosts: Vec<Option<Guest>>,
}

#[derive(Debug)]
struct Guest {
    id: HostId,
    link: Option<LinkId>,
    addresses: Vec<Address>,
    asleep: bool,
}

impl Story {
    /// A story in which nothing happens yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            bridged: false,
            steps: Vec::new(),
        }
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Lets it happen.
    ///
    /// # Errors
    ///
    /// A rule was broken on the wire, or the hosts do not agree in time on what is there.
    pub fn run(&self) -> Result<Summary, Failure> {
        let mut telling = Telling::new(self.seed, self.bridged);
        let start = telling.network.now();
        let told = self.steps.iter().try_for_each(|step| {
            telling.happen(step);
            telling.check_rules()
        });
        let agreed_after = told.and_then(|()| telling.end(self));
        match agreed_after {
            Ok(agreed_after) => Ok(Summary {
                simulated: telling.network.now().since(start),
                agreed_after,
                packets: telling.network.traffic().packets,
            }),
            Err(what) => Err(Failure {
                seed: self.seed,
                what,
                transcript: format!("{self}{}", telling.transcript()),
            }),
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bridged {
            writeln!(f, "on three links in a ring of bridges")?;
        }
        self.steps
            .iter()
            .try_for_each(|step| writeln!(f, "  {step:?}"))
    }
}

impl Telling {
    fn new(seed: u64, bridged: bool) -> Self {
        let mut network = Network::new(seed);
        network.keep_last(TAIL);
        let links: Vec<LinkId> = (0..if bridged { 3 } else { 1 })
            .map(|_| network.add_link(Conditions::default()))
            .collect();
        if let [one, two, three] = links[..] {
            network.bridge(one, two);
            network.bridge(two, three);
            network.bridge(three, one);
        }
        Self {
            network,
            links,
            hosts: (0..HOSTS).map(|_| None).collect(),
        }
    }

    fn happen(&mut self, step: &Step) {
        match *step {
            Step::Wait(time) => self.network.run_for(time),
            Step::Join(host) => self.join(host % HOSTS),
            Step::Leave(host) => self.leave(host),
            Step::Crash(host) => self.gone(host),
            Step::Shutdown(host) => {
                self.tell(host, |node, now| node.shutdown(now));
                self.gone(host);
            }
            Step::Suspend(host) => self.sleep(host, true),
            Step::Resume(host) => self.sleep(host, false),
            Step::Readdress(host) => self.readdress(host),
            Step::Jump(host, time) => {
                if let Some(id) = self.awake(host) {
                    self.network.jump_clock(id, time);
                }
            }
            Step::Publish(host, service) => {
                self.tell(host, |node, now| node.publish(now, service));
            }
            Step::Withdraw(host, service) => {
                self.tell(host, |node, now| node.withdraw(now, service));
            }
            Step::Update(host, service) => {
                self.tell(host, |node, now| node.update(now, service));
            }
            Step::Rename(host, service) => {
                self.tell(host, |node, now| node.rename(now, service));
            }
            Step::Browse(host, kind) => {
                self.tell(host, |node, now| node.browse(now, kind & 1));
            }
            Step::StopBrowsing(host, kind) => {
                self.tell(host, |node, now| node.stop_browsing(now, kind & 1));
            }
            Step::Weather(conditions) => self.set_conditions(conditions),
            Step::Partition(mask) => {
                let guests = (0_u8..).zip(&self.hosts);
                let apart: Vec<HostId> = guests
                    .filter(|(number, _)| mask >> number & 1 == 1)
                    .filter_map(|(_, guest)| Some(guest.as_ref()?.id))
                    .collect();
                for &link in &self.links {
                    self.network.partition(link, &apart);
                }
            }
            Step::Heal => {
                for &link in &self.links {
                    self.network.heal(link);
                }
            }
            Step::Attack(attack) => {
                let link = self.links[0];
                attack.strike(&mut self.network, link);
            }
        }
    }

    fn set_conditions(&mut self, conditions: Conditions) {
        for &link in &self.links {
            self.network.set_conditions(link, conditions);
        }
    }

    fn guest(&mut self, host: u8) -> Option<&mut Guest> {
        self.hosts.get_mut(usize::from(host % HOSTS))?.as_mut()
    }

    fn awake(&mut self, host: u8) -> Option<HostId> {
        self.guest(host)
            .filter(|guest| !guest.asleep)
            .map(|guest| guest.id)
    }

    fn tell(&mut self, host: u8, what: impl FnOnce(&mut Resident, cooee_mdns::Instant)) {
        if let Some(id) = self.awake(host) {
            self.network.command(id, what);
        }
    }

    fn join(&mut self, host: u8) {
        let link = self.links[usize::from(host) % self.links.len()];
        let place = usize::from(host);
        if self.hosts[place].is_none() {
            // Two hosts each want one name.
            let name = format!("host-{}", host / 2);
            let id = self
                .network
                .add_host(&format!("{name}#{host}"), |seed, now| {
                    Resident::new(&name, seed, now)
                });
            self.hosts[place] = Some(Guest {
                id,
                link: None,
                addresses: addresses(host, 1),
                asleep: false,
            });
        }
        let Some(guest) = &mut self.hosts[place] else {
            return;
        };
        if guest.link.is_none() && !guest.asleep {
            guest.link = Some(link);
            let (id, addresses) = (guest.id, guest.addresses.clone());
            self.network.join(id, link, &addresses);
        }
    }

    fn leave(&mut self, host: u8) {
        if self.awake(host).is_some()
            && let Some(guest) = self.guest(host)
            && let Some(link) = guest.link.take()
        {
            let id = guest.id;
            self.network.leave(id, link);
        }
    }

    fn gone(&mut self, host: u8) {
        if let Some(guest) = self.hosts[usize::from(host % HOSTS)].take() {
            self.network.crash(guest.id);
        }
    }

    fn sleep(&mut self, host: u8, asleep: bool) {
        if let Some(guest) = self.guest(host)
            && guest.asleep != asleep
        {
            guest.asleep = asleep;
            let id = guest.id;
            match asleep {
                true => self.network.suspend(id),
                false => self.network.resume(id),
            }
        }
    }

    fn readdress(&mut self, host: u8) {
        let place = host % HOSTS;
        if self.awake(host).is_some()
            && let Some(guest) = self.guest(host)
            && let Some(link) = guest.link
        {
            let first = addresses(place, 1);
            guest.addresses = if guest.addresses == first {
                addresses(place, 2)
            } else {
                first
            };
            let (id, addresses) = (guest.id, guest.addresses.clone());
            self.network.readdress(id, link, &addresses);
        }
    }

    /// The last packets, and what the hosts were told meanwhile.
    fn transcript(&self) -> String {
        self.network.transcript_with(Resident::told)
    }

    fn check_rules(&self) -> Result<(), String> {
        match self.network.violations().first() {
            Some(violation) => Err(violation.to_string()),
            None => Ok(()),
        }
    }
}

/// One of the two pairs of addresses of a host, one for each family.
fn addresses(host: u8, pair: u8) -> Vec<Address> {
    let v4 = format!("192.0.2.{}/24", u16::from(host) + 100 * u16::from(pair));
    let v6 = format!("fe80::{pair}:{}/64", host + 1);
    [v4, v6]
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect()
}
