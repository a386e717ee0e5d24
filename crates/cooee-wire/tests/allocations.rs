//! Reading, comparing, hashing and building allocate nothing.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod corpus_reader;

use std::hash::{DefaultHasher, Hash, Hasher};

use allocation_counter::measure;
use cooee_wire::{Compression, Data, LabelBudget, Message, MessageBuilder, NameBuf, RdataBuf};
use corpus_reader::all;

#[test]
fn reading_all_of_every_packet_allocates_nothing() {
    for packet in all() {
        let seen = measure(|| {
            std::hint::black_box(visit(&packet.octets));
        });
        assert_eq!(seen.count_total, 0, "{}", packet.place);
    }
}

#[test]
fn a_header_that_promises_much_reserves_nothing() {
    // Design: cap by the octets left, never reserve by the counts.
    let octets = [
        0, 0, 0x84, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    ];
    assert_eq!(measure(|| assert_eq!(visit(&octets), 0)).count_total, 0);
}

#[test]
fn building_allocates_nothing() {
    let mut buffer = vec![0; 65_535];
    for packet in all() {
        let Ok(message) = Message::parse(&packet.octets) else {
            continue;
        };
        let seen = measure(|| {
            let header = message.header();
            let mut builder =
                MessageBuilder::new(&mut buffer, header.id, header.flags, Compression::Multicast)
                    .unwrap();
            for question in message.questions().flatten() {
                let _ = builder.question(question);
            }
            for (section, record) in message.records().flatten() {
                let _ = builder.record(section, record);
            }
            std::hint::black_box(builder.finish());
        });
        assert_eq!(seen.count_total, 0, "{}", packet.place);
    }
}

#[test]
fn a_map_of_owned_names_is_searched_without_allocating() {
    let owned: NameBuf = "Keith's very long printer name._ipp._tcp.local"
        .parse()
        .unwrap();
    let octets = b"\x1ekeith's very long printer NAME\x04_ipp\x04_tcp\x05local\0";
    let name = cooee_wire::Name::from_octets(octets).unwrap();
    let seen = measure(|| {
        assert_eq!(hash(&owned), hash(&name));
        assert_eq!(owned, name);
    });
    assert_eq!(seen.count_total, 0);
}

#[test]
fn usual_names_and_addresses_are_owned_without_allocating() {
    let seen = measure(|| {
        let name: NameBuf = "living-room-speaker._airplay._tcp.local".parse().unwrap();
        std::hint::black_box((
            name.clone(),
            RdataBuf::a([192, 0, 2, 1].into()),
            RdataBuf::aaaa([0; 16].into()),
        ));
    });
    assert_eq!(seen.count_total, 0);
}

/// Visits everything, and counts the labels.
fn visit(octets: &[u8]) -> usize {
    let Ok(message) = Message::parse(octets) else {
        return 0;
    };
    let mut count = 0;
    let mut last = None;
    for question in message.questions().flatten() {
        count += question.name.labels().count();
    }
    for (_, record) in message.records().flatten() {
        count += record.name.labels().count();
        count += usize::from(last == Some(record.name));
        std::hint::black_box((hash(&record.name), hash(&record.rdata)));
        last = Some(record.name);
        match record.data() {
            Ok(Data::Srv(srv)) => count += srv.target.labels().count(),
            Ok(Data::Ptr(name)) => count += name.labels().count(),
            Ok(Data::Txt(txt)) => count += txt.strings().count(),
            Ok(Data::Nsec(nsec)) => count += nsec.types().count(),
            Ok(Data::Opt(opt)) => count += opt.options().count(),
            _ => {}
        }
    }
    std::hint::black_box(message.check(LabelBudget::default()).is_ok());
    count
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
