//! The engine: what a refresh, an answer and a flood cost, that it does not depend on how much there is, and what the same work costs a peer.
//!
//! *refresh*: a response whose records are all known, beside the bare parse of the same packet: every question and record, every label of
//! every name, typed data. *answer*: a legacy query for one SRV record, from the datagram in to the datagram out. *flood*: records that
//! nobody has asked for, all different, up to a million.

#[path = "../parse_packet/cooee.rs"]
#[expect(dead_code, reason = "packets are visited here, not stepped over")]
mod bare;
mod node;
mod peer;

use std::hint::black_box;
use std::time::Instant;

use benches::turns::{self, Work};
use criterion::{BenchmarkId, Criterion, Throughput};

use node::{Node, RECORDS, flood, refresh, services, srv_query};
use peer::MdnsProto;

const CACHED: [(&str, usize); 4] = [
    ("20", 20),
    ("1000", 1000),
    ("10,000", 10_000),
    ("60,000", 60_000),
];
const PUBLISHED: [(&str, usize); 4] =
    [("10", 10), ("100", 100), ("1000", 1000), ("10,000", 10_000)];
/// Services in one response, of four records each.
const SERVICES: [(&str, usize); 3] = [("1", 1), ("5", 5), ("20", 20)];
const FLOODS: [usize; 3] = [250_000, 500_000, 1_000_000];
/// How many records of a flood are timed together.
const PART: usize = 1000;
const ROWS: &[&str] = &["bare parse", "cooee-mdns", "mdns-proto"];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    singly(&mut criterion);
    criterion.final_summary();
    // `cargo test --benches` only looks whether it runs.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let packet = refresh(0);
    turns::print(
        &format!("refresh of {RECORDS} PTR records, by records known"),
        ROWS,
        CACHED
            .map(|(head, size)| (head, refreshes(&packet, size)))
            .into(),
    );
    let packets = SERVICES.map(|(_, count)| services(count));
    let columns = SERVICES.iter().zip(&packets);
    turns::print(
        "refresh of PTR, SRV, TXT and A records, by services in the packet",
        ROWS,
        columns
            .map(|((head, _), packet)| (*head, refreshes(packet, 100)))
            .collect(),
    );
    let queries = PUBLISHED.map(|(_, size)| srv_query(size / 2));
    let columns = PUBLISHED.iter().zip(&queries);
    turns::print(
        "answer of a legacy query, by services published",
        ROWS,
        columns
            .map(|((head, size), query)| (*head, answers(query, *size)))
            .collect(),
    );
    floods();
}

/// The usual sizes by criterion, which tells of changes from run to run.
fn singly(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("refresh");
    group.throughput(Throughput::Elements(RECORDS as u64));
    let (packet, mut node) = (refresh(0), Node::knowing(1000));
    group.bench_function(BenchmarkId::new("engine", 1000), |bencher| {
        bencher.iter(|| node.receive(&packet, true));
    });
    group.finish();
    let mut group = criterion.benchmark_group("answer");
    let (packet, mut node) = (srv_query(50), Node::publishing(100));
    group.bench_function(BenchmarkId::new("engine", 100), |bencher| {
        bencher.iter(|| node.receive(&packet, false));
    });
    group.finish();
}

fn refreshes(packet: &[u8], known: usize) -> Vec<Work<'_>> {
    let (mut node, mut peer) = (Node::knowing(known), MdnsProto::knowing(known));
    node.receive(packet, true);
    peer.receive(packet, true);
    vec![
        Box::new(|| {
            black_box(bare::visit(black_box(packet)));
        }),
        Box::new(move || {
            black_box(node.receive(packet, true));
        }),
        Box::new(move || {
            black_box(peer.receive(packet, true));
        }),
    ]
}

fn answers(query: &[u8], published: usize) -> Vec<Work<'_>> {
    let (mut node, mut peer) = (
        Node::publishing(published),
        MdnsProto::publishing(published),
    );
    for sent in [node.receive(query, false), peer.receive(query, false)] {
        assert_eq!(sent, 1, "one reply to one query");
    }
    vec![
        Box::new(|| {
            black_box(bare::visit(black_box(query)));
        }),
        Box::new(move || {
            black_box(node.receive(query, false));
        }),
        Box::new(move || {
            black_box(peer.receive(query, false));
        }),
    ]
}

/// Each once, since a million records take their time; of parts of a thousand records the fastest counts, in the second half, where the cache is full.
fn floods() {
    println!("\nflood of records that nobody asked for\n");
    println!("| records | per record | kept |\n|---:|---:|---:|");
    for count in FLOODS {
        let packets = flood(count);
        let mut node = Node::knowing(0);
        let parts = packets.chunks(PART / RECORDS).map(|part| {
            let start = Instant::now();
            for packet in part {
                black_box(node.receive(packet, true));
            }
            start.elapsed().as_nanos() / (part.len() * RECORDS) as u128
        });
        let nanos = parts.skip(count / PART / 2).min().unwrap_or_default();
        println!("| {count} | {nanos} ns | {} |", node.kept(count));
    }
}
