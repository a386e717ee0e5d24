//! Names compared and hashed: those of the records of real packets, case folded.
//!
//! *compare*: each with an owned copy of the one before it, which is the same name for about every third; how many
//! were equal must agree. *hash*: each by SipHash, the default of the standard library.

mod cooee;
mod domain;
mod floor;
mod hickory;
mod mdns_proto;
mod simple_dns;

use std::hint::black_box;

use benches::{packets, turns};
use criterion::{BenchmarkId, Criterion, Throughput};

type Work = Box<dyn Fn() -> u64>;

fn main() {
    let [_, typical, _] = packets::loads(reads_alike);
    let packets: &'static [Vec<u8>] = typical.packets.leak();
    let names = cooee::owners(packets).len() as u64;
    let compare: Vec<(&str, Work)> = vec![
        ("floor", Box::new(floor::compare(packets))),
        ("cooee-wire", Box::new(cooee::compare(packets))),
        ("mdns-proto", Box::new(mdns_proto::compare(packets))),
        ("domain", Box::new(domain::compare(packets))),
        ("simple-dns", Box::new(simple_dns::compare(packets))),
        ("hickory-proto", Box::new(hickory::compare(packets))),
    ];
    let hash: Vec<(&str, Work)> = vec![
        ("floor", Box::new(floor::hash(packets))),
        ("cooee-wire", Box::new(cooee::hash(packets))),
        ("domain", Box::new(domain::hash(packets))),
        ("simple-dns", Box::new(simple_dns::hash(packets))),
        ("hickory-proto", Box::new(hickory::hash(packets))),
    ];
    let equal: Vec<_> = compare.iter().map(|(name, work)| (*name, work())).collect();
    println!("equal: {equal:?}");

    let mut criterion = Criterion::default().configure_from_args();
    for (group, works) in [("compare", &compare), ("hash", &hash)] {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(names));
        for (name, work) in works {
            group.bench_function(BenchmarkId::new(*name, "names"), |bencher| {
                bencher.iter(|| black_box(work()))
            });
        }
        group.finish();
    }
    criterion.final_summary();
    for (title, works) in [("Compare", &compare), ("Hash", &hash)] {
        let functions: Vec<_> = works.iter().map(|(name, _)| *name).collect();
        let column = works.iter().map(|(_, work)| turn(work)).collect();
        turns::print(
            &format!("{title} {names} names"),
            &functions,
            vec![("names", column)],
        );
    }
}

/// One turn of some work.
fn turn(work: &Work) -> turns::Work<'_> {
    Box::new(move || _ = black_box(work()))
}

/// Whether all peers read this packet: some refuse what others take.
fn reads_alike(packet: &[u8]) -> bool {
    ::simple_dns::Packet::parse(packet).is_ok()
        && hickory_proto::op::Message::from_vec(packet).is_ok()
}
