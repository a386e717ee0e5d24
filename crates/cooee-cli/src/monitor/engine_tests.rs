//! Lint over the packets of our own engine: it breaks no rule, and no rule is wrong about it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cooee::wire::{QuestionBuf, RdataBuf, RecordBuf, RecordType};
use cooee_mdns::{LinkSet, QueryOptions, RecordSet};
use cooee_sim::{Address, Conditions, HostId, Network, Station};

use super::lint::{Finding, Level};
use super::testkit::{ask, ask_unicast, moment, name, packet, ptr, query, srv, txt};
use super::{Inspector, Packet};

const HTTP: &str = "_http._tcp.local";

/// A network with two families, and what was done on it.
struct Lan {
    network: Network<Station>,
    link: cooee::LinkId,
}

impl Lan {
    fn new(seed: u64) -> Self {
        Self::with(seed, Conditions::default())
    }

    fn with(seed: u64, conditions: Conditions) -> Self {
        let mut network = Network::new(seed);
        let link = network.add_link(conditions);
        Self { network, link }
    }

    fn host(&mut self, number: u8) -> HostId {
        let host = self.network.add_station(&format!("host {number}"));
        let addresses = [format!("192.0.2.{number}/24"), format!("fe80::{number}/64")];
        let addresses: Vec<Address> = addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        self.network.join(host, self.link, &addresses);
        host
    }

    fn publish(&mut self, host: HostId, records: RecordSet) -> cooee_mdns::GroupId {
        self.network.command(host, |station, now| {
            station.engine.publish(now, records, LinkSet::All).unwrap()
        })
    }

    fn ask(&mut self, host: HostId, owner: &str, kind: RecordType) -> cooee_mdns::QueryId {
        let question = QuestionBuf::new(name(owner), kind);
        self.network.command(host, |station, now| {
            let options = QueryOptions::standing();
            station.engine.query(now, question, options, LinkSet::All)
        })
    }

    fn wait(&mut self, seconds: u64) {
        self.network.run_for(Duration::from_secs(seconds));
    }

    /// What lint says that is as bad as this.
    fn faults(&self, level: Level) -> Vec<String> {
        let mut inspector = Inspector::new(true);
        let mut findings: Vec<Finding> = Vec::new();
        let mut last = 0;
        for sent in self.network.packets() {
            last = sent.at.as_micros() / 1_000;
            let heard = Packet {
                source: sent.source,
                destination: sent.destination,
                ..packet(last, "192.0.2.1", sent.payload.clone())
            };
            findings.extend(inspector.inspect(heard).findings);
        }
        findings.extend(inspector.pass(&moment(last + 10_000)));
        let bad = findings
            .into_iter()
            .filter(|finding| finding.level() >= level);
        bad.map(|finding| format!("{finding:?}")).collect()
    }

    fn assert_clean(&self) {
        self.assert_none(Level::Warning);
    }

    fn assert_none(&self, level: Level) {
        let faults = self.faults(level);
        assert!(
            faults.is_empty(),
            "{}\n{}",
            faults.join("\n"),
            self.network.transcript()
        );
    }
}

fn host(owner: &str) -> RecordSet {
    RecordSet::new().host_addresses(name(owner))
}

fn service(instance: &str, host: &str, text: &str) -> RecordSet {
    let owner = format!("{instance}.{HTTP}");
    let target = name(host);
    let srv = RecordBuf {
        rdata: RdataBuf::srv(0, 0, 80, target.as_name()),
        ..srv(&owner, 80)
    };
    RecordSet::new()
        .shared(ptr(HTTP, &owner))
        .shared(ptr(&format!("_printer._sub.{HTTP}"), &owner))
        .shared_without_goodbye(ptr("_services._dns-sd._udp.local", HTTP))
        .unique(srv)
        .unique(txt(&owner, &[text]))
}

const SEEDS: std::ops::Range<u64> = 0..5;

#[test]
fn a_life_from_the_first_probe_to_the_goodbye_breaks_no_rule() {
    for seed in SEEDS {
        let mut lan = Lan::new(seed);
        let (shop, browser) = (lan.host(1), lan.host(2));
        let asked = lan.ask(browser, HTTP, RecordType::PTR);
        lan.wait(2);
        lan.publish(shop, host("box.local"));
        let group = lan.publish(shop, service("Shop", "box.local", "a=1"));
        lan.wait(5);
        let shop_name = format!("Shop.{HTTP}");
        for kind in [RecordType::SRV, RecordType::TXT, RecordType::HINFO] {
            lan.ask(browser, &shop_name, kind);
        }
        for kind in [RecordType::A, RecordType::AAAA, RecordType::HINFO] {
            lan.ask(browser, "box.local", kind);
        }
        lan.wait(10);
        lan.network.command(shop, |station, now| {
            let records = service("Shop", "box.local", "a=2");
            station.engine.update(now, group, records).unwrap();
        });
        // Long enough for what is known to be asked for again before it expires.
        lan.wait(3 * 3_600);
        lan.network
            .command(browser, |station, now| station.engine.cancel(now, asked));
        lan.network
            .command(shop, |station, now| station.engine.withdraw(now, group));
        lan.wait(5);
        lan.network
            .command(shop, |station, now| station.engine.shutdown(now));
        lan.wait(5);
        lan.assert_clean();
    }
}

#[test]
fn names_that_clash_are_settled_without_breaking_a_rule() {
    for seed in SEEDS {
        let mut lan = Lan::new(seed);
        let (one, other) = (lan.host(1), lan.host(2));
        lan.publish(one, host("one.local"));
        lan.publish(one, service("Shop", "one.local", "a=1"));
        lan.wait(seed % 3);
        lan.publish(other, host("other.local"));
        let group = lan.publish(other, service("Shop", "other.local", "a=2"));
        lan.wait(2);
        if lan.network.node(other).conflict_at(group).is_some() {
            lan.network.command(other, |station, now| {
                let records = service("Shop (2)", "other.local", "a=2");
                station.engine.rename(now, group, records).unwrap();
            });
        }
        lan.wait(10);
        lan.assert_clean();
    }
}

#[test]
fn hosts_that_leave_come_back_and_change_addresses_break_no_rule() {
    for seed in SEEDS {
        let mut lan = Lan::new(seed);
        let (shop, browser) = (lan.host(1), lan.host(2));
        lan.publish(shop, host("box.local"));
        lan.publish(shop, service("Shop", "box.local", "a=1"));
        lan.ask(browser, HTTP, RecordType::PTR);
        lan.ask(browser, "box.local", RecordType::A);
        lan.wait(10);
        let addresses = ["192.0.2.7/24", "fe80::1/64"].map(|text| text.parse().unwrap());
        let link = lan.link;
        lan.network.readdress(shop, link, &addresses);
        lan.wait(10);
        lan.network.leave(shop, link);
        lan.wait(20);
        lan.network.join(shop, link, &addresses);
        lan.wait(20);
        lan.network.crash(shop);
        lan.wait(3_600);
        lan.assert_clean();
    }
}

#[test]
fn answers_to_one_alone_break_no_rule() {
    for seed in SEEDS {
        let mut lan = Lan::new(seed);
        let shop = lan.host(1);
        lan.publish(shop, host("box.local"));
        lan.publish(shop, service("Shop", "box.local", "a=1"));
        lan.wait(10);
        let link = lan.link;
        let mut inject = |port: u16, payload: Vec<u8>| {
            let source = SocketAddr::new(IpAddr::from([192, 0, 2, 9]), port);
            lan.network.inject(link, source, &payload);
            lan.network.run_for(Duration::from_secs(3));
        };
        let shop_name = format!("Shop.{HTTP}");
        inject(5353, query(&[ask_unicast(HTTP, RecordType::PTR)], &[]));
        inject(
            5353,
            query(&[ask_unicast("box.local", RecordType::ANY)], &[]),
        );
        inject(40_000, query(&[ask(&shop_name, RecordType::SRV)], &[]));
        inject(40_001, query(&[ask("box.local", RecordType::AAAA)], &[]));
        lan.assert_clean();
    }
}

/// What a lost packet, or two in the wrong order, would explain is never told as sure.
#[test]
fn on_a_bad_link_no_error_is_told() {
    let conditions = Conditions {
        loss: 0.2,
        jitter: Duration::from_millis(30),
        ..Conditions::default()
    };
    for seed in SEEDS {
        let mut lan = Lan::with(seed, conditions);
        let (shop, browser) = (lan.host(1), lan.host(2));
        lan.ask(browser, HTTP, RecordType::PTR);
        lan.publish(shop, host("box.local"));
        for number in 0..60 {
            lan.publish(shop, service(&format!("Shop {number}"), "box.local", "a=1"));
        }
        for kind in [RecordType::A, RecordType::HINFO] {
            lan.ask(browser, "box.local", kind);
        }
        lan.wait(3_600);
        lan.network
            .command(shop, |station, now| station.engine.shutdown(now));
        lan.wait(5);
        lan.assert_none(Level::Error);
    }
}

#[test]
fn a_hundred_services_at_once_break_no_rule() {
    let mut lan = Lan::new(1);
    let (shop, browser) = (lan.host(1), lan.host(2));
    lan.publish(shop, host("box.local"));
    for number in 0..100 {
        lan.publish(shop, service(&format!("Shop {number}"), "box.local", "a=1"));
    }
    lan.wait(5);
    lan.ask(browser, HTTP, RecordType::PTR);
    lan.wait(20);
    lan.network
        .command(shop, |station, now| station.engine.shutdown(now));
    lan.wait(2);
    lan.assert_clean();
}
