//! Whatever arrives, whenever, and whatever the application and the links do meanwhile: no panic, no deadline that lies in the past, and no
//! packet that breaks a rule which the monitors hold.

#![no_main]

use std::net::SocketAddr;
use std::time::Duration;

use cooee_mdns::{GroupId, LinkSet, QueryId, QueryOptions, RecordSet};
use cooee_sim::{Address, Conditions, Network};
use cooee_wire::{NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use libfuzzer_sys::fuzz_target;

/// A run longer than this finds nothing that a shorter one does not.
const STEPS: usize = 200;

fuzz_target!(|octets: &[u8]| {
    let mut input = Input(octets);
    let mut network = Network::new(input.number());
    let link = network.add_link(Conditions::default());
    let host = network.add_station("host");
    let addresses: [Address; 2] = [
        "192.0.2.1/24".parse().unwrap(),
        "fe80::1/64".parse().unwrap(),
    ];
    network.join(host, link, &addresses);
    let mut groups: Vec<GroupId> = Vec::new();
    let mut queries: Vec<QueryId> = Vec::new();
    let mut asleep = false;
    for _ in 0..STEPS {
        let Some(step) = input.octet() else { break };
        match step % 16 {
            0..=6 => {
                let source: SocketAddr = match step / 16 % 4 {
                    0 => "192.0.2.9:5353",
                    1 => "[fe80::9]:5353",
                    2 => "192.0.2.1:5353",
                    _ => "192.0.2.9:4000",
                }
                .parse()
                .unwrap();
                let payload = input.datagram();
                network.inject(link, source, &payload);
                network.run_for(Duration::from_millis(1));
            }
            7 => network.run_for(Duration::from_millis(input.number() % 1000)),
            8 => network.run_for(Duration::from_secs(input.number() % 5000)),
            9 => {
                let set = records(step, &mut input);
                groups.extend(network.command(host, |node, now| {
                    node.engine.publish(now, set, LinkSet::All).ok()
                }));
            }
            10 => {
                let set = records(step, &mut input);
                let group = groups.get(usize::from(step / 16)).copied();
                if let Some(group) = group {
                    let _ = network.command(host, |node, now| match step & 128 {
                        0 => node.engine.update(now, group, set),
                        _ => node.engine.rename(now, group, set),
                    });
                }
            }
            11 => {
                if let Some(group) = groups.pop() {
                    network.command(host, |node, now| node.engine.withdraw(now, group));
                }
            }
            12 => {
                let question = QuestionBuf::new(name(step), kind(step));
                let options = match step & 128 {
                    0 => QueryOptions::standing(),
                    _ => QueryOptions::one_shot(Duration::from_secs(3)),
                };
                queries.push(network.command(host, |node, now| {
                    node.engine.query(now, question, options, LinkSet::All)
                }));
            }
            13 => {
                if let Some(query) = queries.pop() {
                    network.command(host, |node, now| node.engine.cancel(now, query));
                }
            }
            14 if step & 128 == 0 => network.leave(host, link),
            14 => network.join(host, link, &addresses[..1 + usize::from(step >> 4 & 1)]),
            _ => {
                asleep = step & 128 == 0;
                if asleep {
                    network.suspend(host)
                } else {
                    network.resume(host)
                }
            }
        }
        // After a sleep much is due at once.
        network.run_for(Duration::ZERO);
        let due = network.node(host).engine.poll_timeout();
        assert!(
            asleep || due.is_none_or(|due| due >= network.now()),
            "a deadline in the past: {due:?} at {}",
            network.now()
        );
    }
    assert!(network.violations().is_empty(), "{}", network.transcript());
});

/// What is left of the input.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> u64 {
        let high = u64::from(self.octet().unwrap_or(0));
        high << 8 | u64::from(self.octet().unwrap_or(0))
    }

    fn datagram(&mut self) -> Vec<u8> {
        let length = usize::try_from(self.number() % 600)
            .unwrap_or(0)
            .min(self.0.len());
        let (datagram, rest) = self.0.split_at(length);
        self.0 = rest;
        datagram.to_vec()
    }
}

fn name(step: u8) -> NameBuf {
    let text = ["_a._tcp.local", "x._a._tcp.local", "h.local", "local"][usize::from(step >> 4 & 3)];
    text.parse().unwrap()
}

fn kind(step: u8) -> RecordType {
    [
        RecordType::PTR,
        RecordType::SRV,
        RecordType::A,
        RecordType::ANY,
    ][usize::from(step >> 6)]
}

fn records(step: u8, input: &mut Input<'_>) -> RecordSet {
    let owner = name(step);
    let value = [input.octet().unwrap_or(0)];
    let text = RecordBuf::new(owner.clone(), 120, RdataBuf::txt([value]).unwrap());
    // What others may have too stays so: the monitors take a name that is now shared and now unique for a fault.
    let is_shared = owner == name(0) || owner == name(0x30);
    match value[0] % 4 {
        0 | 1 if is_shared => RecordSet::new().shared(text),
        0 | 1 => RecordSet::new().unique(text),
        2 => RecordSet::new().host_addresses(owner),
        _ => RecordSet::new(),
    }
}
