//! The engine: what a refresh, an answer and a flood cost, and that it does not depend on how much there is.
//!
//! *refresh*: a response of 20 records that are all known, beside the bare parse of the same packet. *answer*: a legacy query for one SRV
//! record, from the datagram in to the datagram out. *flood*: a hundred thousand records that nobody has asked for, all different.

mod node;
mod peer;

use std::hint::black_box;

use benches::table;
use cooee_wire::Message;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};

use node::{Node, RECORDS, flood, refresh, srv_query};

const CACHED: [usize; 4] = [100, 1000, 10_000, 60_000];
const PUBLISHED: [usize; 4] = [10, 100, 1000, 10_000];
const FLOOD: usize = 100_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    refreshes(&mut criterion);
    answers(&mut criterion);
    floods(&mut criterion);
    criterion.final_summary();
    let names = |sizes: [usize; 4]| sizes.map(|size| size.to_string());
    let (cached, published) = (names(CACHED), names(PUBLISHED));
    table::print(
        &format!("refresh of {RECORDS} records, by records known"),
        "refresh",
        &["parse", "engine"],
        &cached.each_ref().map(String::as_str),
    );
    table::print(
        "answer of a legacy query, by services published",
        "answer",
        &["parse", "engine"],
        &published.each_ref().map(String::as_str),
    );
}

fn refreshes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("refresh");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for size in CACHED {
        let packet = refresh(0);
        group.bench_function(BenchmarkId::new("parse", size), |bencher| {
            bencher.iter(|| black_box(walk(&packet)));
        });
        let mut node = Node::knowing(size);
        group.bench_function(BenchmarkId::new("engine", size), |bencher| {
            bencher.iter(|| node.receive(&packet, true));
        });
    }
    group.finish();
}

fn answers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Elements(1));
    for size in PUBLISHED {
        let packet = srv_query(size / 2);
        group.bench_function(BenchmarkId::new("parse", size), |bencher| {
            bencher.iter(|| black_box(walk(&packet)));
        });
        let mut node = Node::publishing(size);
        assert_eq!(node.receive(&packet, false), 1, "one reply to one query");
        group.bench_function(BenchmarkId::new("engine", size), |bencher| {
            bencher.iter(|| node.receive(&packet, false));
        });
    }
    group.finish();
}

fn floods(criterion: &mut Criterion) {
    let packets = flood(FLOOD);
    let mut group = criterion.benchmark_group("flood");
    group.sample_size(10);
    group.throughput(Throughput::Elements(FLOOD as u64));
    group.bench_function(BenchmarkId::new("engine", FLOOD), |bencher| {
        bencher.iter_batched_ref(
            || Node::knowing(0),
            |node| {
                packets
                    .iter()
                    .map(|packet| node.receive(packet, true))
                    .sum::<usize>()
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// Visits every record and the start of its data.
fn walk(packet: &[u8]) -> u64 {
    let Ok(message) = Message::parse(packet) else {
        return 0;
    };
    let questions: u64 = message
        .questions()
        .flatten()
        .map(|question| u64::from(question.kind.get()))
        .sum();
    let records = message.records().flatten();
    questions
        + records
            .map(|(_, record)| u64::from(record.ttl) + record.rdata.octets().len() as u64)
            .sum::<u64>()
}
