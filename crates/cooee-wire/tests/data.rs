//! The data of records in both directions, and what a message refuses to hold.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use cooee_wire::{
    BuildError, Class, Compression, Data, Field, Flags, LabelBudget, Malformed, Message,
    MessageBuilder, Name, NameBuf, OptOption, Owner, QuestionBuf, Rdata, RdataBuf, Record,
    RecordBuf, RecordType,
};

#[test]
fn options_read_as_they_were_written() {
    // 6891-6.1.2-2, 6891-6.1.2-3
    let mut owner = Owner::new(7, [1, 2, 3, 4, 5, 6]);
    let plain = OptOption::Owner(owner);
    owner.wakeup_mac = Some([6, 5, 4, 3, 2, 1]);
    let woken = OptOption::Owner(owner);
    owner.password = b"secret";
    let guarded = OptOption::Owner(owner);
    let options = [
        OptOption::UpdateLease {
            lease: Duration::from_secs(3600),
            key_lease: None,
        },
        OptOption::UpdateLease {
            lease: Duration::from_secs(1),
            key_lease: Some(Duration::from_secs(u32::MAX.into())),
        },
        OptOption::Nsid(b""),
        OptOption::Nsid(b"ns1"),
        plain,
        woken,
        guarded,
        OptOption::Cookie {
            client: *b"abcdefgh",
            server: b"",
        },
        OptOption::Cookie {
            client: *b"abcdefgh",
            server: &[9; 32],
        },
        OptOption::Padding(0),
        OptOption::Padding(40),
        OptOption::Other {
            code: 65001,
            data: b"x",
        },
    ];
    let rdata = RdataBuf::opt(options).unwrap();
    let Ok(Data::Opt(opt)) = rdata.decode() else {
        panic!()
    };
    assert!(opt.options().eq(options));
    let rdata = RdataBuf::opt(options.into_iter().rev()).unwrap();
    let Ok(Data::Opt(opt)) = rdata.decode() else {
        panic!()
    };
    assert!(opt.options().eq(options.into_iter().rev()));
}

#[test]
fn options_that_have_no_form_are_refused() {
    let mut owner = Owner::new(0, [0; 6]);
    owner.password = b"five5";
    let refused = [
        OptOption::UpdateLease {
            lease: Duration::from_millis(1500),
            key_lease: None,
        },
        OptOption::UpdateLease {
            lease: Duration::from_secs(1 << 32),
            key_lease: None,
        },
        OptOption::Cookie {
            client: [0; 8],
            server: &[0; 7],
        },
        OptOption::Cookie {
            client: [0; 8],
            server: &[0; 33],
        },
        OptOption::Owner(owner),
        OptOption::Padding(65_536),
    ];
    for option in refused {
        let error = RdataBuf::opt([OptOption::Nsid(b""), option]).unwrap_err();
        assert_eq!(error.kind(), Malformed::OptionValue, "{option:?}");
        assert_eq!(
            (error.field(), error.offset()),
            (Field::Data(RecordType::OPT), 4)
        );
    }
    let large = [OptOption::Padding(40_000); 2];
    assert_eq!(
        RdataBuf::opt(large).unwrap_err().kind(),
        Malformed::RdataTooLong
    );
}

#[test]
fn service_bindings_are_written_in_the_order_of_their_keys() {
    let target = name("Box.local");
    let params = [
        (3, b"\x01\xbb".to_vec()),
        (0, b"\0\x01\0\x03".to_vec()),
        (1, b"\x02h2".to_vec()),
    ];
    for (rdata, kind) in [
        (
            RdataBuf::svcb(1, target.as_name(), params.clone()),
            RecordType::SVCB,
        ),
        (
            RdataBuf::https(1, target.as_name(), params.clone()),
            RecordType::HTTPS,
        ),
    ] {
        let rdata = rdata.unwrap();
        assert_eq!(rdata.kind(), kind);
        let (Ok(Data::Svcb(svcb)) | Ok(Data::Https(svcb))) = rdata.decode() else {
            panic!()
        };
        assert_eq!(
            (svcb.priority, svcb.target.to_string()),
            (1, "Box.local".into())
        );
        let keys: Vec<_> = svcb.params.collect();
        assert_eq!(
            keys,
            [(0, &b"\0\x01\0\x03"[..]), (1, b"\x02h2"), (3, b"\x01\xbb")]
        );
    }
    let alias = RdataBuf::https(0, Name::ROOT, [] as [(u16, &[u8]); 0]).unwrap();
    assert_eq!(alias.octets(), [0, 0, 0]);
}

#[test]
fn service_bindings_without_their_mandatory_keys_are_refused() {
    for (mandatory, kind) in [
        (&b""[..], Malformed::MandatoryParam),
        (b"\0", Malformed::MandatoryParam),
        (b"\0\0", Malformed::MandatoryParam),
        (b"\0\x03", Malformed::MandatoryParam),
        (b"\0\x01\0\x01", Malformed::MandatoryParam),
        (b"\0\x02\0\x01", Malformed::MandatoryParam),
    ] {
        let params = [(0, mandatory), (1, b"\x02h2"), (2, b"")];
        let error = RdataBuf::svcb(1, Name::ROOT, params).unwrap_err();
        assert_eq!(error.kind(), kind, "{mandatory:?}");
    }
    let large = [(7, vec![0; 40_000]), (8, vec![0; 40_000])];
    assert_eq!(
        RdataBuf::svcb(1, Name::ROOT, large).unwrap_err().kind(),
        Malformed::RdataTooLong
    );
}

#[test]
fn the_target_of_a_service_binding_is_a_name_of_the_message() {
    let octets = answer(
        RecordType::HTTPS,
        b"\0\x01\x03BOX\x05local\0\0\x01\0\x03\x02h2",
    );
    let record = first(&octets);
    let Ok(Data::Https(https)) = record.data() else {
        panic!()
    };
    assert_eq!(https.target.offset(), record.rdata.offset() + 2);
    let params = [(1, *b"\x02h2")];
    let owned = RdataBuf::https(1, name("box.local").as_name(), params).unwrap();
    assert_eq!(owned, record.rdata);
    assert_eq!(hash(&owned), hash(&record.rdata));
    assert_eq!(
        owned.as_rdata().canonical_cmp(record.rdata),
        owned.octets().cmp(record.rdata.octets()),
        "the tie-break folds no case"
    );
    let other = RdataBuf::https(1, name("bix.local").as_name(), params).unwrap();
    assert_ne!(other, record.rdata);
}

#[test]
fn text_of_no_octets_is_one_empty_string() {
    // 6763-6.1-5, 6763-6.1-6, 6763-6.1-7, ruling 29
    let octets = answer(RecordType::TXT, b"");
    let empty = first(&octets).rdata;
    let zero = RdataBuf::txt([""]).unwrap();
    assert_eq!(empty, zero);
    assert_eq!(hash(&empty), hash(&zero));
    assert_eq!(empty.to_owned().unwrap(), zero);
    assert_eq!(empty.to_string(), zero.to_string());
    let (Ok(Data::Txt(ours)), Ok(Data::Txt(theirs))) = (empty.decode(), zero.decode()) else {
        panic!()
    };
    assert_eq!((ours, hash(&ours)), (theirs, hash(&theirs)));
    assert!(ours.strings().eq(theirs.strings()));
    assert_ne!(empty, RdataBuf::txt(["a"]).unwrap());
    // Two octets that say the same are not equal: those are two strings.
    assert_ne!(empty, RdataBuf::txt(["", ""]).unwrap());
    // The tie-break sees octets.
    assert!(empty.canonical_cmp(zero.as_rdata()).is_lt());
    // Written, it has its octet.
    let built = build(Compression::Multicast, first(&octets)).unwrap();
    assert_eq!(first(&built).rdata.octets(), [0]);
}

#[test]
fn names_in_data_without_a_view_are_followed() {
    // 1035-3.3-1, 1035-4.1.4-9, 6762-18.14-8
    let cases: [(RecordType, &[u8], &[u8]); 15] = [
        (RecordType::MD, b"\xc0\x0c", b"\x03BOX\x05LOCAL\0"),
        (RecordType::MF, b"\xc0\x0c", b"\x03BOX\x05LOCAL\0"),
        (RecordType::MB, b"\xc0\x0c", b"\x03BOX\x05LOCAL\0"),
        (RecordType::MG, b"\xc0\x0c", b"\x03BOX\x05LOCAL\0"),
        (RecordType::MR, b"\xc0\x0c", b"\x03BOX\x05LOCAL\0"),
        (
            RecordType::MINFO,
            b"\xc0\x0c\xc0\x10",
            b"\x03BOX\x05LOCAL\0\x05LOCAL\0",
        ),
        (
            RecordType::RP,
            b"\xc0\x0c\xc0\x10",
            b"\x03BOX\x05LOCAL\0\x05LOCAL\0",
        ),
        (RecordType::AFSDB, b"AB\xc0\x0c", b"AB\x03BOX\x05LOCAL\0"),
        (RecordType::RT, b"AB\xc0\x0c", b"AB\x03BOX\x05LOCAL\0"),
        (RecordType::KX, b"AB\xc0\x0c", b"AB\x03BOX\x05LOCAL\0"),
        (
            RecordType::PX,
            b"AB\xc0\x0c\xc0\x10",
            b"AB\x03BOX\x05LOCAL\0\x05LOCAL\0",
        ),
        (
            RecordType::NAPTR,
            b"ABCD\x01u\0\0\xc0\x0c",
            b"ABCD\x01u\0\0\x03BOX\x05LOCAL\0",
        ),
        (
            RecordType::RRSIG,
            b"ABCDEFGHIJKLMNOPQR\xc0\x10sig",
            b"ABCDEFGHIJKLMNOPQR\x05LOCAL\0sig",
        ),
        (
            RecordType::SIG,
            b"ABCDEFGHIJKLMNOPQR\xc0\x10sig",
            b"ABCDEFGHIJKLMNOPQR\x05LOCAL\0sig",
        ),
        (RecordType::NXT, b"\xc0\x10\x40", b"\x05LOCAL\0\x40"),
    ];
    for (kind, compressed, plain) in cases {
        let octets = answer(kind, compressed);
        let record = first(&octets);
        let plain = RdataBuf::opaque(kind, plain).unwrap();
        assert_eq!(record.rdata, plain, "{kind}");
        assert_eq!(hash(&record.rdata), hash(&plain), "{kind}");
        let owned = record.rdata.to_owned().unwrap();
        assert_eq!(owned.octets().len(), plain.octets().len());
        assert_eq!(record.rdata.to_string(), owned.to_string(), "{kind}");
        let (Ok(Data::Unknown(ours)), Ok(Data::Unknown(theirs))) = (record.data(), plain.decode())
        else {
            panic!()
        };
        assert_eq!((ours, hash(&ours)), (theirs, hash(&theirs)), "{kind}");
        assert!(ours.uncompressed().eq(owned.octets().iter().copied()));
        assert_eq!(ours.octets(), compressed);
    }
}

#[test]
fn owned_data_has_up_to_65535_octets_with_its_names_at_full_length() {
    // A signature whose signer is "box.local" by a pointer: two octets here, eleven when it is owned.
    let of = |len: usize| {
        let mut data = b"ABCDEFGHIJKLMNOPQR\xc0\x0c".to_vec();
        data.resize(len, 0);
        answer(RecordType::RRSIG, &data)
    };
    let longest = of(65_535 - 33);
    let owned = first(&longest).to_owned().unwrap();
    assert_eq!(owned.rdata.octets().len(), 65_535 - 33 + 9);
    assert_eq!(owned.rdata, first(&longest).rdata);
    // The longest message there is, its signer a name of 255 octets that begins in the header and ends in the signature.
    let mut octets = b"\x3f\0\x84\0\0\0\0\x01\0\0\0\0\0\0\x2e\0\x01\0\0\0\x78\xff\xe8".to_vec();
    octets.extend(b"ABCDEFGHIJKLMNOPQR\xc0\0");
    octets.resize(65_535, 0);
    for (at, label) in [(64, 63), (128, 63), (192, 62)] {
        octets[at] = label;
    }
    let error = first(&octets).to_owned().unwrap_err();
    assert_eq!(
        (error.kind(), error.field()),
        (Malformed::RdataTooLong, Field::Data(RecordType::RRSIG))
    );
}

#[test]
fn a_record_that_says_nothing_but_its_type_is_no_fault_in_an_update() {
    // RFC 2136 §2.5: deletions, of class ANY or NONE.
    for class in [Class::ANY, Class::NONE] {
        for kind in [RecordType::A, RecordType::SRV, RecordType::ANY] {
            let wanted = RecordBuf {
                class,
                ..RecordBuf::new(name("box.local"), 0, RdataBuf::bare(kind))
            };
            let octets = build(Compression::Unicast, wanted.as_record()).unwrap();
            let read = first(&octets);
            assert!(read.is_bare());
            assert!(matches!(read.data(), Ok(Data::Unknown(data)) if data.octets().is_empty()));
            assert_eq!(read.to_owned().unwrap(), wanted);
            let message = Message::parse(&octets).unwrap();
            assert_eq!(message.check(LabelBudget::default()), Ok(&[][..]));
        }
    }
    let of_class_in = RecordBuf::new(name("box.local"), 0, RdataBuf::bare(RecordType::A));
    assert!(!of_class_in.as_record().is_bare());
    assert!(of_class_in.as_record().data().is_err());
    let refused = build(Compression::Unicast, of_class_in.as_record()).unwrap_err();
    assert!(
        matches!(refused, BuildError::Malformed(error) if error.kind() == Malformed::RdataTooShort)
    );
}

#[test]
fn a_message_holds_no_data_that_is_not_of_its_type() {
    let cases: &[(RecordType, &[u8], Malformed)] = &[
        (RecordType::A, b"abc", Malformed::RdataTooShort),
        (RecordType::AAAA, b"abcd", Malformed::RdataTooShort),
        (RecordType::TXT, b"\x05a", Malformed::StringTruncated),
        (RecordType::HINFO, b"\x01a", Malformed::RdataTooShort),
        (RecordType::NSEC, b"\0\0\0", Malformed::TypeBitmap),
        (RecordType::SRV, b"\0\0\0\0\0\0", Malformed::NameTruncated),
        (RecordType::PTR, b"\xc0\xff", Malformed::ForwardPointer),
        (RecordType::SOA, b"\0\0", Malformed::RdataTooShort),
        (
            RecordType::HTTPS,
            b"\0\x01\xc0\x0c",
            Malformed::PointerForbidden,
        ),
        (RecordType::SVCB, b"\0\x01\0\0\x01", Malformed::SvcParam),
        (RecordType::RRSIG, b"\0", Malformed::RdataTooShort),
    ];
    for (kind, data, malformed) in cases {
        let octets = answer(*kind, data);
        for compression in [
            Compression::Multicast,
            Compression::Legacy,
            Compression::Unicast,
            Compression::None,
        ] {
            let Err(BuildError::Malformed(error)) = build(compression, first(&octets)) else {
                panic!("{kind} {data:?} was written")
            };
            assert_eq!(
                (error.kind(), error.field()),
                (*malformed, Field::Data(*kind))
            );
        }
    }
}

#[test]
fn an_opt_record_stands_once_in_the_additional_section_and_belongs_to_the_root() {
    // 6891-6.1.1-5, 6891-6.1.2-1
    let opt = |owner| RecordBuf::new(owner, 0, RdataBuf::opt([]).unwrap());
    let mut buffer = [0; 64];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Multicast).unwrap();
    let misplaced = Err(BuildError::MisplacedOpt);
    assert_eq!(
        builder.additional(opt(name("local")).as_record()),
        misplaced
    );
    assert_eq!(builder.answer(opt(NameBuf::root()).as_record()), misplaced);
    builder
        .additional(opt(NameBuf::root()).as_record())
        .unwrap();
    assert_eq!(
        builder.additional(opt(NameBuf::root()).as_record()),
        misplaced
    );
    assert_eq!(builder.len(), 12 + 11);
}

#[test]
fn unicast_messages_hold_names_of_254_octets_and_the_zero() {
    // 6762-C-4, 1035-2.3.4-2
    for (last, fits) in [(61, true), (62, false)] {
        let long = NameBuf::from_labels([63, 63, 63, last].map(|len| "x".repeat(len))).unwrap();
        assert_eq!(long.as_name().check_unicast().is_ok(), fits);
        let question = QuestionBuf::new(long.clone(), RecordType::A);
        let owner = RecordBuf::new(long.clone(), 0, RdataBuf::a([0; 4].into()));
        let target = RecordBuf::new(NameBuf::root(), 0, RdataBuf::srv(0, 0, 1, long.as_name()));
        for (compression, fits) in [(Compression::Unicast, fits), (Compression::Multicast, true)] {
            let mut buffer = [0; 1000];
            let mut builder =
                MessageBuilder::new(&mut buffer, 0, Flags::QUERY, compression).unwrap();
            let outcomes = [
                builder.question(question.as_question()),
                builder.answer(owner.as_record()),
                builder.answer(target.as_record()),
            ];
            let fields = [Field::Question, Field::Record, Field::Data(RecordType::SRV)];
            for (outcome, field) in outcomes.into_iter().zip(fields) {
                match outcome {
                    Ok(()) => assert!(fits),
                    Err(BuildError::Malformed(error)) => {
                        assert!(!fits);
                        assert_eq!(
                            (error.kind(), error.field()),
                            (Malformed::NameTooLongForUnicast, field)
                        );
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
    let faulty = answer(RecordType::PTR, b"\x01a\xc0\xff");
    let Ok(Data::Ptr(faulty)) = first(&faulty).data() else {
        panic!()
    };
    assert_eq!(
        faulty.check_unicast().unwrap_err().kind(),
        Malformed::ForwardPointer
    );
}

#[test]
fn errors_name_the_field_the_rule_and_the_octet() {
    assert!(size_of::<cooee_wire::ParseError>() <= 8);
    let cases: [(&[u8], Field, &str); 5] = [
        (
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x03bo",
            Field::Record,
            "record: name is cut short at octet 12",
        ),
        (
            b"\0\0\x84\0\0\x01\0\0\0\0\0\0\x03box\0\0",
            Field::Question,
            "question: message ends inside type and class at octet 17",
        ),
        (
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\x05abcd",
            Field::Record,
            "record: data runs past the end of the message at octet 23",
        ),
        (
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\x03abc",
            Field::Data(RecordType::A),
            "A data: ends inside a field at octet 26",
        ),
        (
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\0\0\x0c\0\x01\0\0\0\0\0\x04\x01a\xc0\x29",
            Field::Data(RecordType::PTR),
            "PTR data: name points forward at octet 25",
        ),
    ];
    for (octets, field, text) in cases {
        let message = Message::parse(octets).unwrap();
        let error = message.check(LabelBudget::default()).unwrap_err();
        assert_eq!((error.field(), error.to_string()), (field, text.into()));
    }
    let error = Message::parse(&[0; 11]).unwrap_err();
    assert_eq!(error.field(), Field::Message);
    assert_eq!(
        error.to_string(),
        "message ends inside the header at octet 0"
    );
    let faulty = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\xc0\x29\0\x01\0\x01";
    let question = Message::parse(faulty).unwrap().questions().next().unwrap();
    let error = question.unwrap().to_owned().unwrap_err();
    assert_eq!(
        error.to_string(),
        "question: name points forward at octet 14"
    );
    let long = "x".repeat(256);
    for (refused, text) in [
        (
            RdataBuf::txt(["a", &long]),
            "TXT data: character-string is longer than 255 octets at octet 2",
        ),
        (
            RdataBuf::hinfo(&long, ""),
            "HINFO data: character-string is longer than 255 octets at octet 0",
        ),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), text);
    }
    let error = Rdata::from_octets(RecordType::AAAA, &[0; 17]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "AAAA data: has octets behind its last field at octet 16"
    );
}

#[test]
fn what_is_printed_for_programmers_is_no_dump_of_the_message() {
    let octets = [answer(RecordType::A, &[1, 2, 3, 4]), vec![0xEE; 1000]].concat();
    let message = Message::parse(&octets).unwrap();
    let mut buffer = [0xEE; 1000];
    let builder = MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::None).unwrap();
    for text in [
        format!("{message:?}"),
        format!("{:?}", message.questions()),
        format!("{:?}", message.records()),
        format!("{:?}", message.additionals()),
        format!("{:?}", first(&octets)),
        format!("{:?}", first(&octets).name.labels()),
        format!("{builder:?}"),
    ] {
        assert!(text.len() < 200 && !text.contains("238"), "{text}");
    }
}

fn name(text: &str) -> NameBuf {
    text.parse().unwrap()
}

/// A response whose only answer, of `box.local` at offset 12, has this data.
fn answer(kind: RecordType, data: &[u8]) -> Vec<u8> {
    let mut octets = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x03box\x05local\0".to_vec();
    octets.extend(kind.get().to_be_bytes());
    octets.extend(b"\0\x01\0\0\0\x78");
    octets.extend((data.len() as u16).to_be_bytes());
    octets.extend(data);
    octets
}

fn first(octets: &[u8]) -> Record<'_> {
    Message::parse(octets)
        .unwrap()
        .answers()
        .next()
        .unwrap()
        .unwrap()
}

/// A message of this answer.
fn build(compression: Compression, record: Record<'_>) -> Result<Vec<u8>, BuildError> {
    let mut buffer = vec![0; 1000];
    let mut builder = MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, compression)?;
    let outcome = builder.answer(record);
    let len = builder.finish();
    assert_eq!(len == 12, outcome.is_err(), "refused without a trace");
    buffer.truncate(len);
    outcome.map(|()| buffer)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
