//! Reading packets: ours beside a floor written by hand and beside peers, the same octets, the same work.
//!
//! *visit*: every question and record, every label of every name, typed data. *step*: every question and record,
//! names and data unread. Each adds up what it saw, and the sums must agree.

mod cooee;
mod domain;
mod floor;
mod hickory;
mod mdns_proto;
mod simple_dns;

use std::hint::black_box;

use benches::packets::{self, Load, loads};
use benches::turns;
use criterion::{BenchmarkId, Criterion, Throughput};

type Decoder = (&'static str, fn(&[u8]) -> Option<u64>);

/// The first is the floor, the second ours.
const VISIT: &[Decoder] = &[
    ("floor", floor::visit),
    ("cooee-wire", cooee::visit),
    ("mdns-proto", mdns_proto::visit),
    ("domain", domain::visit),
    ("simple-dns", simple_dns::visit),
    ("hickory-proto", hickory::visit),
];

const STEP: &[Decoder] = &[
    ("floor", floor::step),
    ("cooee-wire", cooee::step),
    ("mdns-proto", mdns_proto::step),
    ("domain", domain::step),
    ("simple-dns", simple_dns::step),
    ("hickory-proto", hickory::step),
];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let everything = loads(|_| true);
    for (name, decoder) in VISIT {
        let packets = || everything.iter().flat_map(|load| &load.packets);
        let agrees = packets()
            .filter(|packet| decoder(packet) == floor::visit(packet))
            .count();
        let count = packets().count();
        println!("{name}: {agrees} of {count} packets read as the floor reads them");
        assert!(
            agrees == count || *name != "cooee-wire",
            "we read all there is"
        );
    }
    // What every decoder reads alike.
    let loads = loads(|packet| {
        VISIT
            .iter()
            .all(|(_, decoder)| decoder(packet) == floor::visit(packet))
    });
    run(&mut criterion, "visit", VISIT, &loads);
    run(&mut criterion, "step", STEP, &loads);
    criterion.final_summary();

    for load in &loads {
        println!(
            "{}: {} packets, {} octets, {} questions and records",
            load.name,
            load.packets.len(),
            load.octets(),
            load.items()
        );
    }
    table(
        "Visit everything, all packets of a load once",
        VISIT,
        &loads,
    );
    table("Step over everything", STEP, &loads);
    table(
        "Step over a message of 9000 octets made to take long",
        &STEP[..2],
        &packets::hostile(),
    );
}

fn table(title: &str, decoders: &[Decoder], loads: &[Load]) {
    let names: Vec<_> = decoders.iter().map(|(name, _)| *name).collect();
    let work = |decode: fn(&[u8]) -> Option<u64>, load| -> turns::Work<'_> {
        Box::new(move || _ = black_box(all(decode, load)))
    };
    let column = |load| {
        decoders
            .iter()
            .map(|(_, decode)| work(*decode, load))
            .collect()
    };
    turns::print(
        title,
        &names,
        loads.iter().map(|load| (load.name, column(load))).collect(),
    );
}

/// The sum over all packets of a load.
fn all(decode: fn(&[u8]) -> Option<u64>, load: &Load) -> u64 {
    load.packets
        .iter()
        .filter_map(|packet| decode(black_box(packet)))
        .fold(0, u64::wrapping_add)
}

fn run(criterion: &mut Criterion, name: &str, decoders: &[Decoder], loads: &[Load]) {
    let mut group = criterion.benchmark_group(name);
    for load in loads {
        group.throughput(Throughput::ElementsAndBytes {
            elements: load.items() as u64,
            bytes: load.octets() as u64,
        });
        for (decoder, decode) in decoders {
            group.bench_function(BenchmarkId::new(*decoder, load.name), |bencher| {
                bencher.iter(|| all(*decode, load));
            });
        }
    }
    group.finish();
}
