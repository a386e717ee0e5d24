//! How long many services take, and how little is sent when all is found.

mod lan;

use std::collections::BTreeSet;

use cooee_mdns::{
    Config, Engine, Event, Instant, LinkSet, Node, Presence, QueryOptions, RecordSet,
};
use cooee_sim::{Conditions, HostId, Network};
use cooee_wire::{Data, NameBuf, QuestionBuf, RecordType};
use lan::{addresses, millis, ms, name, service};

const HTTP: &str = "_http._tcp.local";
const BOX: &str = "box.local";

#[test]
fn a_thousand_services_of_one_publisher_are_resolved_within_650_ms_and_five_thousand_within_2500() {
    // Design §11
    for (services, budget, watched) in [(1000, 650, true), (5000, 2500, false)] {
        let (mut network, _, browser) = shop_and_browser(services, watched);
        let start = network.now();
        browse(&mut network, browser);
        let found = network.run_until(start + ms(10_000), |network| {
            network.node(browser).resolved() == services
        });
        let took = millis(network.now(), start);
        assert!(found, "{} of {services}", network.node(browser).resolved());
        assert!(took <= budget, "{services} services took {took} ms");
        assert!(network.violations().is_empty(), "{}", network.transcript());
    }
}

#[test]
fn a_thousand_services_are_announced_a_second_time_within_2500_ms() {
    // Design §11, 6762-8.3-5
    let mut network = Network::new(2);
    let link = network.add_link(Conditions::default());
    let shop = network.add_host("shop", Follower::new);
    network.join(shop, link, &addresses(1));
    let start = network.now();
    publish(&mut network, shop, 1000);
    network.run_for(ms(2500));
    let mut announced = vec![0; 1000];
    for packet in network
        .packets()
        .iter()
        .filter(|packet| packet.source.is_ipv4())
    {
        if !lan::is_response(packet) {
            continue;
        }
        for (_, record) in lan::records(packet) {
            if let Ok(Data::Ptr(target)) = record.rdata.decode()
                && let Some(number) = number_of(&target.to_string())
            {
                announced[number] += 1;
            }
        }
    }
    assert!(announced.iter().all(|times| *times == 2), "{announced:?}");
    assert!(
        network.packets().len() <= 2 * 300,
        "{}",
        network.packets().len()
    );
    network.run_for(ms(60_000));
    let last = network.packets().iter().map(|packet| packet.at).max();
    assert!(millis(last.expect("some"), start) <= 2500);
}

#[test]
fn two_hundred_settled_services_cost_twelve_packets_a_minute_and_no_wake_up_in_vain() {
    // Design §11, ruling 5, 6762-5.2-8
    let (mut network, shop, browser) = shop_and_browser(200, true);
    browse(&mut network, browser);
    network.run_for(ms(600_000));
    assert_eq!(network.node(browser).resolved(), 200);
    let (start, minutes) = (network.now(), 60);
    network.run_for(ms(minutes * 60_000));
    let packets: Vec<_> = network
        .packets()
        .iter()
        .filter(|packet| packet.at > start && packet.source.is_ipv4())
        .collect();
    let (sent, most) = (packets.len() as u64, 12 * minutes);
    assert!(sent <= most, "{sent} packets in {minutes} minutes");
    // Whoever is called sends something, or hears something, which takes a millisecond.
    let moments: BTreeSet<Instant> = packets
        .iter()
        .flat_map(|packet| [packet.at, packet.at + ms(1)])
        .collect();
    for host in [shop, browser] {
        let called = network.node(host).called.iter();
        let vain = called.filter(|at| **at > start && !moments.contains(at));
        let (vain, batches) = (vain.count(), moments.len() / 2);
        assert!(
            10 * vain <= batches,
            "{vain} calls beside {batches} batches"
        );
    }
    assert!(network.violations().is_empty(), "{}", network.transcript());
}

/// A node that follows each instance to its addresses.
#[derive(Debug)]
struct Follower {
    engine: Engine,
    asked: BTreeSet<(String, u16)>,
    srv: BTreeSet<NameBuf>,
    txt: BTreeSet<NameBuf>,
    addresses: BTreeSet<String>,
    called: BTreeSet<Instant>,
}

impl Follower {
    fn new(seed: u64, now: Instant) -> Self {
        Self {
            engine: Engine::new(Config::default(), seed, now),
            asked: BTreeSet::new(),
            srv: BTreeSet::new(),
            txt: BTreeSet::new(),
            addresses: BTreeSet::new(),
            called: BTreeSet::new(),
        }
    }

    fn ask(&mut self, now: Instant, owner: NameBuf, kind: RecordType) {
        if self.asked.insert((owner.to_string(), kind.get())) {
            let question = QuestionBuf::new(owner, kind);
            self.engine
                .query(now, question, QueryOptions::standing(), LinkSet::All);
        }
    }

    /// How many services are known with everything that belongs to them.
    fn resolved(&self) -> usize {
        match self.addresses.len() {
            2 => self.srv.intersection(&self.txt).count(),
            _ => 0,
        }
    }
}

impl Node for Follower {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, now: Instant) {
        self.called.insert(now);
        while let Some(event) = self.engine.poll_event() {
            let Event::Answer {
                record, presence, ..
            } = event
            else {
                continue;
            };
            if presence == Presence::Gone {
                self.srv.remove(&record.name);
                self.txt.remove(&record.name);
                continue;
            }
            match record.rdata.decode() {
                Ok(Data::Ptr(target)) => {
                    let target = target.to_owned().expect("a name");
                    self.ask(now, target.clone(), RecordType::SRV);
                    self.ask(now, target, RecordType::TXT);
                }
                Ok(Data::Srv(srv)) => {
                    let host = srv.target.to_owned().expect("a name");
                    self.ask(now, host.clone(), RecordType::A);
                    self.ask(now, host, RecordType::AAAA);
                    self.srv.insert(record.name);
                }
                Ok(Data::Txt(_)) => {
                    self.txt.insert(record.name);
                }
                _ => {
                    self.addresses.insert(record.rdata.to_string());
                }
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

/// A host with so many services, and one that has just come.
fn shop_and_browser(services: usize, watched: bool) -> (Network<Follower>, HostId, HostId) {
    let mut network = Network::new(1);
    if !watched {
        network.stop_watching();
        network.keep_last(0);
    }
    let link = network.add_link(Conditions::default());
    let shop = network.add_host("shop", Follower::new);
    network.join(shop, link, &addresses(1));
    publish(&mut network, shop, services);
    network.run_for(ms(10_000));
    let browser = network.add_host("browser", Follower::new);
    network.join(browser, link, &addresses(2));
    (network, shop, browser)
}

fn publish(network: &mut Network<Follower>, shop: HostId, services: usize) {
    network.command(shop, |node, now| {
        let host = RecordSet::new().host_addresses(name(BOX));
        let engine = &mut node.engine;
        engine.publish(now, host, LinkSet::All).expect("a host");
        for number in 0..services {
            let records = service(&format!("Service {number}"), BOX, 80);
            engine
                .publish(now, records, LinkSet::All)
                .expect("another name");
        }
    });
}

fn browse(network: &mut Network<Follower>, browser: HostId) {
    network.command(browser, |node, now| {
        node.ask(now, name(HTTP), RecordType::PTR);
    });
}

/// The number of a service, from its name as it is printed.
fn number_of(instance: &str) -> Option<usize> {
    let (_, rest) = instance.split_once("Service\\032")?;
    rest.split_once('.')?.0.parse().ok()
}
