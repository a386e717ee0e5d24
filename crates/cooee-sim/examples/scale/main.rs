//! Large networks in simulated time: `cargo xtask scale`. Prints what was measured, a line `name value` for each.

mod attendee;
mod process;

use std::process::ExitCode;
use std::time::Duration;

use attendee::{Attendee, Curiosity, POPULAR, SERVICES, ordinary_type, popular_type};
use cooee_mdns::{Instant, LinkId};
use cooee_sim::{Address, Conditions, HostId, Network, Traffic};

const USAGE: &str = "scale link|joining|popular|anybody HOSTS SEED, scale lossy RUNS SEED";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).and_then(|text| text.parse().ok());
    let (Some(scenario), Some(hosts), Some(seed)) = (arguments.first(), number(1), number(2))
    else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let hosts = usize::try_from(hosts).unwrap_or(usize::MAX);
    match scenario.as_str() {
        "link" => link(hosts, seed),
        "joining" => joining(hosts, seed),
        "popular" => conference(hosts, seed, Curiosity::Popular),
        "lossy" => lossy(hosts, seed),
        "anybody" => conference(hosts, seed, Curiosity::Anybody(hosts)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// A network of many hosts, and what is measured in it.
struct Town {
    network: Network<Attendee>,
    link: LinkId,
    hosts: Vec<HostId>,
    browsers: Vec<HostId>,
    /// CPU time spent before anything was measured.
    spent: Duration,
}

/// Everything comes up within ten seconds, as after a power cut, and some look for all there is.
fn link(hosts: usize, seed: u64) {
    let mut town = Town::new(seed);
    let types: Vec<_> = (0..SERVICES)
        .flat_map(|kind| [popular_type(kind), ordinary_type(kind)])
        .collect();
    town.settle_in(
        hosts,
        hosts.min(200),
        Duration::from_secs(10),
        |node, now| {
            node.browse(now, &types);
        },
    );
    town.phase("first", Duration::from_secs(50));
    town.phase("later", Duration::from_secs(240));
    town.tell_found(hosts * SERVICES);
    town.tell_cost();
}

/// Everybody comes within a minute; some of the first look for one type.
fn joining(hosts: usize, seed: u64) {
    let mut town = Town::new(seed);
    let types = [ordinary_type(0)];
    town.settle_in(
        hosts,
        hosts.min(20),
        Duration::from_secs(60),
        |node, now| {
            node.browse(now, &types);
        },
    );
    town.phase("later", Duration::from_secs(60));
    town.tell_found(hosts - POPULAR);
    town.tell_cost();
}

/// All hosts are there, but have not heard of each other yet. Each asks once a minute.
fn conference(hosts: usize, seed: u64, curiosity: Curiosity) {
    let mut town = Town::new(seed);
    let scattered = town.link;
    town.network.scatter(scattered);
    town.settle_in(hosts, hosts.min(200), Duration::from_secs(5), |_, _| {});
    town.network.run_for(Duration::from_secs(10));
    town.network.heal(scattered);
    town.spent = process::cpu();
    let types: Vec<_> = (0..SERVICES).map(popular_type).collect();
    for &host in &town.hosts {
        town.network
            .command(host, |node, now| node.be_curious(now, curiosity));
    }
    for &host in &town.browsers {
        town.network
            .command(host, |node, now| node.browse(now, &types));
    }
    // With more hosts less time says as much: each minute has a query of each.
    let (first, later) = match hosts {
        0..=100 => (60, 600),
        101..=1000 => (60, 120),
        _ => (20, 40),
    };
    town.phase("first", Duration::from_secs(first));
    if matches!(curiosity, Curiosity::Popular) {
        town.phase("later", Duration::from_secs(later));
    }
    town.tell_found(POPULAR.min(hosts) * SERVICES);
    town.tell_asked();
    town.tell_cost();
}

/// One host has a hundred services, and another looks for them; of five packets two get lost. Again and again.
// Design: a budget for finding on a bad link
fn lossy(runs: usize, seed: u64) {
    const SERVICES: usize = 100;
    let conditions = Conditions {
        loss: 0.4,
        ..Conditions::default()
    };
    let mut times = Vec::new();
    for run in 0..runs as u64 {
        let mut network = Network::new(seed + run);
        network.keep_last(0);
        let link = network.add_link(conditions);
        for number in 0..2 {
            let id = network.add_host("", |seed, now| match number {
                0 => Attendee::shop(SERVICES, seed, now),
                _ => Attendee::new(number, true, seed, now),
            });
            let v6 = format!("fe80::{}/64", number + 1);
            let addresses = [address(number), v6.parse().expect("an address")];
            network.join(id, link, &addresses);
            if number == 0 {
                network.run_for(Duration::from_secs(5));
                continue;
            }
            network.command(id, |node, now| node.browse(now, &[popular_type(0)]));
            let end = network.now() + Duration::from_secs(3600);
            // Its own service is one more.
            network.run_until(end, |network| {
                let browser = network.node(id).browser.as_ref();
                browser.is_some_and(|browser| browser.found.len() > SERVICES)
            });
            let found = network
                .node(id)
                .browser
                .as_ref()
                .map(|browser| &browser.found);
            let last = found
                .filter(|found| found.len() > SERVICES)
                .and_then(|found| found.last());
            times.extend(last.map(|(_, after)| *after));
        }
        assert!(network.violations().is_empty(), "{}", network.transcript());
    }
    let by = |seconds| {
        times
            .iter()
            .filter(|time| time.as_secs_f64() <= seconds)
            .count()
    };
    println!("runs {runs}");
    println!("complete {}", times.len());
    println!("by_8 {}", by(8.0));
    println!("by_35 {}", by(35.0));
    tell_spread("all", &mut times);
}

impl Town {
    fn new(seed: u64) -> Self {
        let mut network = Network::new(seed);
        network.keep_last(0);
        network.stop_watching();
        let link = network.add_link(Conditions::default());
        Self {
            network,
            link,
            hosts: Vec::new(),
            browsers: Vec::new(),
            spent: Duration::ZERO,
        }
    }

    /// Lets so many hosts come, one after another within `time`. The first of them browse, each from when it comes.
    fn settle_in(
        &mut self,
        hosts: usize,
        browsers: usize,
        time: Duration,
        mut arrived: impl FnMut(&mut Attendee, Instant),
    ) {
        let (start, before) = (self.network.now(), self.network.traffic());
        let pause = time / u32::try_from(hosts).unwrap_or(u32::MAX);
        // The popular ones stand anywhere among them; who browses is drawn from the seed by the engines' own chance.
        for number in 0..hosts {
            let browses = number * browsers / hosts != (number + 1) * browsers / hosts;
            let id = self
                .network
                .add_host("", |seed, now| Attendee::new(number, browses, seed, now));
            self.network.join(id, self.link, &[address(number)]);
            self.network.command(id, &mut arrived);
            self.hosts.push(id);
            if browses {
                self.browsers.push(id);
            }
            self.network.run_for(pause);
        }
        self.tell_traffic("arrival", start, before);
    }

    /// Lets time pass and tells what went over the link.
    fn phase(&mut self, name: &str, time: Duration) {
        let (start, before) = (self.network.now(), self.network.traffic());
        self.network.run_for(time);
        self.tell_traffic(name, start, before);
    }

    fn tell_traffic(&self, phase: &str, start: Instant, before: Traffic) {
        let now = self.network.traffic();
        let seconds = self.network.now().since(start).as_secs_f64();
        println!("{phase}_seconds {seconds}");
        println!("{phase}_packets {}", now.packets - before.packets);
        println!("{phase}_queries {}", now.queries - before.queries);
        println!("{phase}_bytes {}", now.bytes - before.bytes);
        println!("{phase}_deliveries {}", now.deliveries - before.deliveries);
        println!("{phase}_cpu {}", process::cpu().as_secs_f64());
    }

    /// How long those who browse took to find everything.
    fn tell_found(&self, expected: usize) {
        let browsers = self.browsers.iter().map(|&host| self.network.node(host));
        let browsers = browsers.filter_map(|node| node.browser.as_ref());
        let (mut complete, mut last, mut each) = (0, Vec::new(), Vec::new());
        for browser in browsers {
            // What is its own it has found as well.
            complete += usize::from(browser.found.len() >= expected);
            last.extend(browser.found.last().map(|(_, after)| *after));
            each.extend(browser.found.iter().map(|(_, after)| *after));
        }
        println!("expected {expected}");
        println!("browsers {}", self.browsers.len());
        println!("complete {complete}");
        tell_spread("resolved", &mut each);
        tell_spread("all", &mut last);
    }

    /// How those fared who asked once a minute.
    fn tell_asked(&self) {
        let waited = self
            .hosts
            .iter()
            .flat_map(|&host| &self.network.node(host).waited);
        let all: Vec<Option<Duration>> = waited.copied().collect();
        let mut answered: Vec<Duration> = all.iter().flatten().copied().collect();
        println!("asked {}", all.len());
        println!("answered {}", answered.len());
        tell_spread("answer", &mut answered);
    }

    fn tell_cost(&self) {
        println!("hosts {}", self.hosts.len());
        let spent = process::cpu().saturating_sub(self.spent);
        println!("cpu {}", spent.as_secs_f64());
        println!("memory {}", process::peak_memory());
        println!("deliveries {}", self.network.traffic().deliveries);
    }
}

/// Prints the median, the 99th of a hundred and the longest, in seconds.
fn tell_spread(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: usize| {
        let place = times.len().saturating_sub(1) * part / 100;
        times.get(place).copied().unwrap_or_default().as_secs_f64()
    };
    println!("{name}_median {}", at(50));
    println!("{name}_99 {}", at(99));
    println!("{name}_longest {}", at(100));
}

fn address(number: usize) -> Address {
    let (high, low) = (number / 250, number % 250 + 1);
    let text = format!("10.20.{high}.{low}/18");
    text.parse().expect("an address")
}
