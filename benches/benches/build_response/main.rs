//! Building a response of ten records with compressed names: ours beside a floor written by hand and beside peers.
//!
//! All start from their own records, made before; all write into a buffer that is there. What they write must read
//! the same, whatever its size.

mod cooee;
mod domain;
mod floor;
mod hickory;
mod mdns_proto;
mod simple_dns;

use std::hint::black_box;

use benches::turns;
use cooee_wire::{Message, RecordBuf};
use criterion::{BenchmarkId, Criterion};

type Build = Box<dyn FnMut(&mut [u8]) -> Option<usize>>;

fn main() {
    let mut builders: Vec<(&str, Build)> = vec![
        ("floor", Box::new(floor::builder())),
        ("cooee-wire", Box::new(cooee::builder())),
        ("mdns-proto", Box::new(mdns_proto::builder())),
        ("domain", Box::new(domain::builder())),
        ("simple-dns", Box::new(simple_dns::builder())),
        ("hickory-proto", Box::new(hickory::builder())),
    ];
    let mut buffer = [0; 1500];
    let mut wanted: Option<Vec<RecordBuf>> = None;
    let mut sizes = Vec::new();
    for (name, build) in &mut builders {
        let len = build(&mut buffer).expect("there is room");
        let records = read(&buffer[..len]);
        assert_eq!(
            *wanted.get_or_insert(records.clone()),
            records,
            "{name} wrote something else"
        );
        sizes.push((*name, len));
    }

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("build");
    for (name, build) in &mut builders {
        group.bench_function(BenchmarkId::new(*name, "ten records"), |bencher| {
            bencher.iter(|| build(black_box(&mut buffer)));
        });
    }
    group.finish();
    criterion.final_summary();

    let names: Vec<_> = builders.iter().map(|(name, _)| *name).collect();
    let work = |build: Build| -> turns::Work<'_> {
        let (mut build, mut buffer) = (build, [0; 1500]);
        Box::new(move || _ = black_box(build(black_box(&mut buffer))))
    };
    let works = builders.into_iter().map(|(_, build)| work(build)).collect();
    turns::print(
        "Build a response of ten records",
        &names,
        vec![("ten records", works)],
    );
    println!();
    for (name, len) in sizes {
        println!("{name}: {len} octets");
    }
}

fn read(octets: &[u8]) -> Vec<RecordBuf> {
    let message = Message::parse(octets).expect("it has a header");
    message
        .answers()
        .map(|record| {
            record
                .and_then(|record| record.to_owned())
                .expect("it is sound")
        })
        .collect()
}
