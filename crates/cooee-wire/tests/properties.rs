//! What holds of all names and messages.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::hash::{DefaultHasher, Hash, Hasher};

use cooee_wire::{
    Class, Compression, Flags, LabelBudget, Message, MessageBuilder, NameBuf, OptOption,
    QuestionBuf, RdataBuf, RecordBuf, RecordType, Section, Soa,
};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_labels_survive_octets_and_text(labels in vec(vec(any::<u8>(), 1..=63), 0..8)) {
        // 2181-11-1, 1035-3.1-4
        let Ok(name) = NameBuf::from_labels(&labels) else { return Ok(()) };
        prop_assert!(name.labels().eq(labels.iter().map(Vec::as_slice)));
        let read: NameBuf = name.to_string().parse().unwrap();
        prop_assert_eq!(read.as_octets(), name.as_octets());
        prop_assert_eq!(name.as_name().count_labels(), Ok(labels.len()));
    }

    #[test]
    fn names_that_differ_in_ascii_case_are_one(name in names()) {
        let upper = NameBuf::from_labels(name.labels().map(<[u8]>::to_ascii_uppercase)).unwrap();
        prop_assert_eq!(&name, &upper);
        prop_assert_eq!(hash(&name), hash(&upper));
        prop_assert_eq!(name.cmp(&upper), core::cmp::Ordering::Equal);
        prop_assert_eq!(hash(&name), hash(&name.as_name()));
    }

    #[test]
    fn the_order_of_names_is_one(a in names(), b in names(), c in names()) {
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn any_text_is_a_name_or_refused(text in any::<String>()) {
        if let Ok(name) = text.parse::<NameBuf>() {
            prop_assert_eq!(name.to_string().parse::<NameBuf>().unwrap(), name);
        }
    }

    #[test]
    fn any_message_is_built_and_read_the_same(message in messages(), compression in compressions()) {
        let octets = build(&message, compression);
        let read = Message::parse(&octets).unwrap();
        prop_assert_eq!(read.header().id, message.id);
        prop_assert_eq!(read.header().flags, message.flags);
        prop_assert_eq!(read.check(LabelBudget::new(usize::MAX)), Ok(&[][..]));
        let questions: Vec<_> = read.questions().map(|question| question.unwrap().to_owned().unwrap()).collect();
        prop_assert_eq!(&questions, &message.questions);
        let records: Vec<_> = read
            .records()
            .map(|item| item.map(|(section, record)| (section, record.to_owned().unwrap())).unwrap())
            .collect();
        prop_assert_eq!(records.len(), message.records.len());
        for ((section, record), (wanted_section, wanted)) in records.iter().zip(&message.records) {
            prop_assert_eq!(section, wanted_section);
            prop_assert_eq!(record, wanted);
            // The spelling too.
            prop_assert_eq!(record.name.as_octets(), wanted.name.as_octets());
            prop_assert_eq!(record.rdata.octets(), wanted.rdata.octets());
        }
        // Views equal their owned twins, and hash alike.
        for (item, (_, wanted)) in read.records().zip(&message.records) {
            let (_, record) = item.unwrap();
            prop_assert_eq!(record, wanted.as_record());
            prop_assert_eq!(hash(&record.rdata), hash(&wanted.rdata));
            prop_assert!(record.rdata.canonical_cmp(wanted.rdata.as_rdata()).is_eq());
            prop_assert_eq!(record.to_string(), wanted.to_string());
        }
        // From views into the first message the same comes out.
        let again = rebuild(&read, compression);
        prop_assert_eq!(again, octets);
    }

    #[test]
    fn compression_never_makes_a_message_longer(message in messages()) {
        let plain = build(&message, Compression::None).len();
        let unicast = build(&message, Compression::Unicast).len();
        let legacy = build(&message, Compression::Legacy).len();
        let multicast = build(&message, Compression::Multicast).len();
        prop_assert!(multicast <= legacy && legacy <= unicast && unicast <= plain);
    }

    #[test]
    fn every_prefix_of_a_message_is_refused_or_shorter(message in messages(), cut in any::<prop::sample::Index>()) {
        let octets = build(&message, Compression::Multicast);
        let cut = cut.index(octets.len());
        if let Ok(part) = Message::parse(&octets[..cut]) {
            let read = part.questions().filter(Result::is_ok).count() + part.records().filter(Result::is_ok).count();
            prop_assert!(read < message.questions.len() + message.records.len() || cut == octets.len());
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(octets in vec(any::<u8>(), 0..300)) {
        if let Ok(message) = Message::parse(&octets) {
            let _ = (message.check(LabelBudget::default()), message.to_string());
        }
    }

    #[test]
    fn the_tie_break_compares_raw_octets(a in rdatas(), b in rdatas()) {
        // 4034-6.3-1, 6762-8.2-12, 6762-8.2-13: of uncompressed data, its case not folded.
        let order = a.as_rdata().canonical_cmp(b.as_rdata());
        prop_assert_eq!(order, a.octets().cmp(b.octets()));
    }
}

#[derive(Clone, Debug)]
struct Wanted {
    id: u16,
    flags: Flags,
    questions: Vec<QuestionBuf>,
    records: Vec<(Section, RecordBuf)>,
}

fn messages() -> impl Strategy<Value = Wanted> {
    const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];
    let records = vec((prop::sample::select(&SECTIONS[..]), records()), 0..12).prop_map(
        |mut records: Vec<(Section, RecordBuf)>| {
            // One OPT record, among the additional ones.
            let mut opt = None;
            records.retain(|(_, record)| {
                let is_opt = record.kind() == RecordType::OPT;
                if is_opt {
                    opt = Some((Section::Additional, record.clone()));
                }
                !is_opt
            });
            records.extend(opt);
            records.sort_by_key(|(section, _)| *section);
            records
        },
    );
    (any::<u16>(), any::<u16>(), vec(questions(), 0..4), records).prop_map(
        |(id, flags, questions, records)| Wanted {
            id,
            flags: Flags::from_bits(flags),
            questions,
            records,
        },
    )
}

fn questions() -> impl Strategy<Value = QuestionBuf> {
    (names(), any::<u16>(), 0..0x8000u16, any::<bool>()).prop_map(
        |(name, kind, class, unicast_response)| QuestionBuf {
            name,
            kind: RecordType::new(kind),
            class: Class::new(class),
            unicast_response,
        },
    )
}

fn records() -> impl Strategy<Value = RecordBuf> {
    (
        names(),
        0..0x8000u16,
        any::<bool>(),
        0..=0x7FFF_FFFFu32,
        rdatas(),
    )
        .prop_map(|(name, class, cache_flush, ttl, rdata)| RecordBuf {
            name,
            class: Class::new(class),
            cache_flush,
            ttl,
            rdata,
        })
        .prop_map(|record| match record.kind() {
            RecordType::OPT => RecordBuf {
                name: NameBuf::root(),
                cache_flush: false,
                ..record
            },
            _ => record,
        })
}

/// Names that share suffixes, as those of one message do, and some that do not.
fn names() -> impl Strategy<Value = NameBuf> {
    let word = prop::sample::select(
        &[
            "local", "Local", "_tcp", "_udp", "_http", "box", "Box", "a", "b",
        ][..],
    );
    prop_oneof![
        8 => vec(word, 0..6).prop_map(|labels| NameBuf::from_labels(labels).unwrap()),
        1 => vec(vec(any::<u8>(), 1..=63), 0..3).prop_map(|labels| NameBuf::from_labels(labels).unwrap()),
    ]
}

fn rdatas() -> impl Strategy<Value = RdataBuf> {
    let string = || vec(any::<u8>(), 0..=255);
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| RdataBuf::a(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| RdataBuf::aaaa(octets.into())),
        names().prop_map(|name| RdataBuf::ptr(name.as_name())),
        names().prop_map(|name| RdataBuf::cname(name.as_name())),
        names().prop_map(|name| RdataBuf::ns(name.as_name())),
        names().prop_map(|name| RdataBuf::dname(name.as_name())),
        (any::<u16>(), names())
            .prop_map(|(preference, name)| RdataBuf::mx(preference, name.as_name())),
        (any::<[u16; 3]>(), names()).prop_map(|([a, b, c], name)| RdataBuf::srv(
            a,
            b,
            c,
            name.as_name()
        )),
        (names(), names(), any::<[u32; 5]>()).prop_map(
            |(mname, rname, [serial, refresh, retry, expire, minimum])| {
                let (mname, rname) = (mname.as_name(), rname.as_name());
                RdataBuf::soa(&Soa {
                    mname,
                    rname,
                    serial,
                    refresh,
                    retry,
                    expire,
                    minimum,
                })
            }
        ),
        vec(string(), 0..4).prop_map(|strings| RdataBuf::txt(strings).unwrap()),
        (string(), string()).prop_map(|(cpu, os)| RdataBuf::hinfo(cpu, os).unwrap()),
        (names(), vec(any::<u16>(), 0..5)).prop_map(|(next, types)| RdataBuf::nsec(
            next.as_name(),
            types.into_iter().map(RecordType::new)
        )),
        named_rdatas(),
        vec((any::<u16>(), vec(any::<u8>(), 0..40)), 0..4).prop_map(|options| RdataBuf::opt(
            options
                .iter()
                .map(|(code, data)| OptOption::Other { code: *code, data })
        )
        .unwrap()),
        (
            any::<bool>(),
            any::<u16>(),
            names(),
            vec((1u16.., string()), 0..4)
        )
            .prop_map(|(https, priority, target, params)| if https {
                RdataBuf::https(priority, target.as_name(), params).unwrap()
            } else {
                RdataBuf::svcb(priority, target.as_name(), params).unwrap()
            }),
        (256u16.., vec(any::<u8>(), 0..40)).prop_map(|(kind, octets)| RdataBuf::opaque(
            RecordType::new(kind),
            &octets
        )
        .unwrap()),
    ]
}

/// Data with names inside that has no view of its own: type, octets before the names, how many names, octets behind.
fn named_rdatas() -> impl Strategy<Value = RdataBuf> {
    const LAYOUTS: [(RecordType, usize, usize, usize); 15] = [
        (RecordType::MD, 0, 1, 0),
        (RecordType::MF, 0, 1, 0),
        (RecordType::MB, 0, 1, 0),
        (RecordType::MG, 0, 1, 0),
        (RecordType::MR, 0, 1, 0),
        (RecordType::MINFO, 0, 2, 0),
        (RecordType::RP, 0, 2, 0),
        (RecordType::AFSDB, 2, 1, 0),
        (RecordType::RT, 2, 1, 0),
        (RecordType::KX, 2, 1, 0),
        (RecordType::PX, 2, 2, 0),
        // Three empty strings, or what comes out as such.
        (RecordType::NAPTR, 7, 1, 0),
        (RecordType::NXT, 0, 1, 16),
        (RecordType::RRSIG, 18, 1, 40),
        (RecordType::SIG, 18, 1, 40),
    ];
    let layout = prop::sample::select(&LAYOUTS[..]);
    let octets = (vec(any::<u8>(), 18), vec(any::<u8>(), 40));
    (layout, [names(), names()], octets).prop_map(
        |((kind, before, count, behind), names, (head, tail))| {
            let mut octets = head[..before].to_vec();
            if kind == RecordType::NAPTR {
                octets[4..].fill(0);
            }
            for name in &names[..count] {
                octets.extend(name.as_octets());
            }
            octets.extend(&tail[..behind]);
            RdataBuf::opaque(kind, &octets).unwrap()
        },
    )
}

fn compressions() -> impl Strategy<Value = Compression> {
    prop::sample::select(
        &[
            Compression::Multicast,
            Compression::Legacy,
            Compression::Unicast,
            Compression::None,
        ][..],
    )
}

fn build(message: &Wanted, compression: Compression) -> Vec<u8> {
    let mut buffer = vec![0; 65_535];
    let mut builder =
        MessageBuilder::new(&mut buffer, message.id, message.flags, compression).unwrap();
    for question in &message.questions {
        builder.question(question.as_question()).unwrap();
    }
    for (section, record) in &message.records {
        builder.record(*section, record.as_record()).unwrap();
    }
    let len = builder.finish();
    buffer.truncate(len);
    buffer
}

fn rebuild(message: &Message<'_>, compression: Compression) -> Vec<u8> {
    let mut buffer = vec![0; 65_535];
    let header = message.header();
    let mut builder =
        MessageBuilder::new(&mut buffer, header.id, header.flags, compression).unwrap();
    for question in message.questions() {
        builder.question(question.unwrap()).unwrap();
    }
    for record in message.records() {
        let (section, record) = record.unwrap();
        builder.record(section, record).unwrap();
    }
    let len = builder.finish();
    buffer.truncate(len);
    buffer
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
