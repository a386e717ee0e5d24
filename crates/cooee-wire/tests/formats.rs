//! Each thing of the wire, octet by octet.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::time::Duration;

use cooee_wire::{
    Class, Compression, Data, Flags, Message, MessageBuilder, Name, NameBuf, Opcode, OptOption,
    Rcode, Rdata, RdataBuf, Record, RecordBuf, RecordType, Soa,
};

#[test]
fn types_and_classes_have_their_numbers_and_names() {
    // 1035-3.2.2-1, 1035-3.2.3-1, 1035-3.2.4-1, 1035-3.2.5-1, 3596-2.1-1, 4034-4-1, 6891-6.1.1-2, 2782-format-1
    let types = [
        (1, "A"),
        (2, "NS"),
        (5, "CNAME"),
        (6, "SOA"),
        (10, "NULL"),
        (12, "PTR"),
        (13, "HINFO"),
        (15, "MX"),
        (16, "TXT"),
        (28, "AAAA"),
        (33, "SRV"),
        (39, "DNAME"),
        (41, "OPT"),
        (47, "NSEC"),
        (64, "SVCB"),
        (65, "HTTPS"),
        (252, "AXFR"),
        (253, "MAILB"),
        (254, "MAILA"),
        (255, "ANY"),
        (65280, "TYPE65280"),
    ];
    for (number, name) in types {
        assert_eq!(RecordType::new(number).to_string(), name);
        assert_eq!(name.to_lowercase().parse(), Ok(RecordType::new(number)));
        assert_eq!(format!("TYPE{number}").parse(), Ok(RecordType::new(number)));
    }
    for (number, name) in [
        (1, "IN"),
        (2, "CS"),
        (3, "CH"),
        (4, "HS"),
        (254, "NONE"),
        (255, "ANY"),
        (77, "CLASS77"),
    ] {
        assert_eq!(Class::new(number).to_string(), name);
        assert_eq!(name.parse(), Ok(Class::new(number)));
    }
    for text in ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "B", "CLASS1"] {
        assert!(text.parse::<RecordType>().is_err(), "{text}");
    }
}

#[test]
fn every_flag_has_its_bit() {
    // 1035-4.1.1-2, -3, -4, -5, -6, -7, -8, -9, 1035-2.3.2-1
    let flags = Flags::from_bits;
    assert!(flags(0x8000).is_response() && !flags(!0x8000).is_response());
    assert!(flags(0x0400).is_authoritative() && !flags(!0x0400).is_authoritative());
    assert!(flags(0x0200).is_truncated() && !flags(!0x0200).is_truncated());
    assert!(flags(0x0100).recursion_desired() && !flags(!0x0100).recursion_desired());
    assert!(flags(0x0080).recursion_available() && !flags(!0x0080).recursion_available());
    assert!(flags(0x0020).is_authentic() && !flags(!0x0020).is_authentic());
    assert!(flags(0x0010).checking_disabled() && !flags(!0x0010).checking_disabled());
    assert_eq!(
        (flags(0x7800).opcode().get(), flags(!0x7800).opcode()),
        (15, Opcode::QUERY)
    );
    assert_eq!(
        (flags(0x000F).rcode().get(), flags(!0x000F).rcode()),
        (15, Rcode::NO_ERROR)
    );
    let rcodes = [
        Rcode::NO_ERROR,
        Rcode::FORMAT_ERROR,
        Rcode::SERVER_FAILURE,
        Rcode::NAME_ERROR,
        Rcode::NOT_IMPLEMENTED,
        Rcode::REFUSED,
    ];
    assert!(rcodes.map(Rcode::get).into_iter().eq(0..=5));
    assert_eq!((Flags::QUERY.bits(), Flags::RESPONSE.bits()), (0, 0x8400));
    let built = Flags::QUERY
        .with_opcode(Opcode::UPDATE)
        .with_recursion_desired(true)
        .with_rcode(Rcode::REFUSED);
    assert_eq!(built.bits(), 0x2905);
    assert_eq!(
        Flags::RESPONSE
            .with_authoritative(false)
            .with_truncated(true)
            .bits(),
        0x8200
    );
}

#[test]
fn the_example_of_the_rfc_reads_as_there() {
    // 1035-4.1.4-1, -5, -9: F.ISI.ARPA at 20, FOO.F.ISI.ARPA, ARPA at 64, the root at 92.
    let mut octets = b"\0\0\0\0\0\x05\0\0\0\0\0\0".to_vec();
    let mut texts = Vec::new();
    for (at, name) in [
        (20, &b"\x01F\x03ISI\x04ARPA\0"[..]),
        (44, b"\x03FOO\xc0\x14"),
        (64, b"\xc0\x1a"),
        (92, b"\0"),
    ] {
        // A question for a name as long as it takes to reach the offset.
        let gap = at - octets.len() - 4 - 2;
        octets.push(gap as u8);
        octets.extend(vec![b'x'; gap]);
        octets.extend([0, 0, 1, 0, 1]);
        assert_eq!(octets.len(), at);
        octets.extend(name);
        octets.extend([0, 1, 0, 1]);
    }
    octets[5] = 8;
    for question in Message::parse(&octets).unwrap().questions() {
        texts.push(question.unwrap().name.to_string());
    }
    let read: Vec<_> = texts
        .iter()
        .skip(1)
        .step_by(2)
        .map(String::as_str)
        .collect();
    assert_eq!(read, ["F.ISI.ARPA", "FOO.F.ISI.ARPA", "ARPA", "."]);
}

#[test]
fn questions_have_no_padding() {
    // 1035-4.1.2-1, 6762-18.12-1
    let octets = b"\0\0\0\0\0\x02\0\0\0\0\0\0\x03box\x05local\0\0\x1c\x80\x01\xc0\x10\0\xff\0\xff";
    let questions: Vec<_> = Message::parse(octets)
        .unwrap()
        .questions()
        .map(Result::unwrap)
        .collect();
    assert_eq!(questions[0].to_string(), "box.local AAAA QU");
    assert_eq!(questions[1].to_string(), "local ANY ANY");
    assert_eq!(
        (questions[0].class, questions[0].unicast_response),
        (Class::IN, true)
    );
}

#[test]
fn records_have_all_their_fields() {
    // 1035-3.2.1-1, 1035-4.1.3-2, 6762-18.13-1, 1035-4.1-1
    let octets = b"\0\0\x84\0\0\0\0\x01\0\x01\0\x01\x03box\x05local\0\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x11\
        \xc0\x0c\0\x01\0\x01\0\0\x11\x94\0\x04\xc0\0\x02\x12\xc0\x0c\xff\x00\0\x03\x7f\xff\xff\xff\0\0";
    let message = Message::parse(octets).unwrap();
    let texts: Vec<_> = message
        .records()
        .map(|item| {
            item.map(|(section, record)| format!("{section}: {record}"))
                .unwrap()
        })
        .collect();
    let wanted = [
        "answer: box.local 120 flush A 192.0.2.17",
        "authority: box.local 4500 A 192.0.2.18",
        r"additional: box.local 2147483647 CH TYPE65280 \# 0",
    ];
    assert_eq!(texts, wanted);
    assert_eq!(
        message.authorities().next().unwrap().unwrap().to_string(),
        wanted[1].replace("authority: ", "")
    );
    assert_eq!(message.additionals().count(), 1);
    let line = message.to_string();
    assert_eq!(
        line,
        format!(
            "response  = {}  auth {}  more {}",
            &wanted[0][8..],
            &wanted[1][11..],
            &wanted[2][12..]
        )
    );
}

#[test]
fn one_fixture_for_each_type_with_names() {
    // 1035-3.3-1, 1035-3.3.1-1, 1035-3.3.12-1, 1035-3.3.13-1, 6762-18.14-4, -5, -7, -8, 1035-4.1.4-7
    let cases: &[(RecordType, &[u8], &str, usize)] = &[
        (RecordType::NS, b"\xc0\x0c", "box.local", 2),
        (RecordType::CNAME, b"\xc0\x0c", "box.local", 2),
        (RecordType::PTR, b"\x01x\xc0\x10", "x.local", 4),
        (RecordType::DNAME, b"\xc0\x10", "local", 2),
        (RecordType::MX, b"\0\x0a\xc0\x0c", "10 box.local", 4),
        (
            RecordType::SRV,
            b"\0\0\0\0\x1f\x90\xc0\x0c",
            "0 0 8080 box.local",
            8,
        ),
        (
            RecordType::SOA,
            b"\xc0\x0c\x01r\xc0\x10\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05",
            "box.local r.local 1 2 3 4 5",
            26,
        ),
        (
            RecordType::NSEC,
            b"\xc0\x0c\0\x04\x40\0\0\x08",
            "box.local A AAAA",
            8,
        ),
        (
            RecordType::AFSDB,
            b"\0\x01\xc0\x0c",
            r"\# 13 000103626f78056c6f63616c00",
            4,
        ),
        (
            RecordType::RT,
            b"\0\x01\xc0\x0c",
            r"\# 13 000103626f78056c6f63616c00",
            4,
        ),
        (
            RecordType::KX,
            b"\0\x01\xc0\x0c",
            r"\# 13 000103626f78056c6f63616c00",
            4,
        ),
        (
            RecordType::RP,
            b"\xc0\x0c\xc0\x10",
            r"\# 18 03626f78056c6f63616c00056c6f63616c00",
            4,
        ),
        (
            RecordType::PX,
            b"\0\x01\xc0\x0c\xc0\x10",
            r"\# 20 000103626f78056c6f63616c00056c6f63616c00",
            6,
        ),
        // Read if compressed, never written so.
        (
            RecordType::NAPTR,
            b"\0\x01\0\x02\x01u\0\0\xc0\x0c",
            r"\# 19 000100020175000003626f78056c6f63616c00",
            8 + 11,
        ),
        (
            RecordType::MB,
            b"\xc0\x0c",
            r"\# 11 03626f78056c6f63616c00",
            11,
        ),
        (
            RecordType::MINFO,
            b"\xc0\x0c\xc0\x10",
            r"\# 18 03626f78056c6f63616c00056c6f63616c00",
            11 + 7,
        ),
    ];
    for (kind, data, text, written) in cases {
        let octets = answer(*kind, data);
        let record = first(&octets);
        let shown = record.rdata.to_string();
        assert!(shown.starts_with(text), "{kind}: {shown}");
        let owned = record.to_owned().unwrap();
        assert_eq!(owned.rdata, record.rdata, "{kind}");
        assert!(
            !owned.rdata.octets().contains(&0xC0),
            "{kind}: {:?}",
            owned.rdata.octets()
        );
        // Written anew beside the same owner, the names are compressed again if the type allows.
        let mut buffer = [0; 512];
        let mut builder =
            MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
        builder.answer(owned.as_record()).unwrap();
        let again = Message::parse(builder.octets())
            .unwrap()
            .answers()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(again.rdata.octets().len(), *written, "{kind}");
        assert_eq!(again.rdata, record.rdata, "{kind}");
    }
}

#[test]
fn names_are_never_written_compressed_in_types_that_do_not_list_them() {
    // 6762-18.14-5
    let target: NameBuf = "box.local".parse().unwrap();
    let data = [b"\0\x01", target.as_octets(), b"\0\x03\0\x02\x1f\x90"].concat();
    let octets = answer(RecordType::HTTPS, &data);
    let mut buffer = [0; 512];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
    builder.answer(first(&octets)).unwrap();
    assert_eq!(first(builder.octets()).rdata.octets(), data);
}

#[test]
fn addresses_and_texts() {
    // 1035-3.4.1-1, 3596-2.2-1, 1035-3.3.14-1, 1035-3.3-2, 1035-3.3.2-1
    assert_eq!(
        first(&answer(RecordType::A, &[192, 0, 2, 17]))
            .rdata
            .to_string(),
        "192.0.2.17"
    );
    assert_eq!(
        RdataBuf::aaaa("2001:db8::1".parse().unwrap()).to_string(),
        "2001:db8::1"
    );
    for (data, strings) in [
        (&b"\0"[..], vec![&b""[..]]),
        (b"\x01a\0\x03b=\xff", vec![b"a", b"", b"b=\xff"]),
        (b"", vec![b""]), // 6763-6.1-7
    ] {
        let octets = answer(RecordType::TXT, data);
        let Ok(Data::Txt(txt)) = first(&octets).data() else {
            panic!()
        };
        assert!(txt.strings().eq(strings));
    }
    assert_eq!(RdataBuf::txt([""; 0]).unwrap().octets(), [0]);
    assert_eq!(
        RdataBuf::txt(["a \"b\"", "\\\x7f"]).unwrap().to_string(),
        r#""a \"b\"" "\\\127""#
    );
    assert!(RdataBuf::txt(["x".repeat(255)]).is_ok());
    assert!(RdataBuf::txt(["x".repeat(256)]).is_err());
    assert_eq!(
        RdataBuf::hinfo("VAX", "UNIX").unwrap().to_string(),
        r#""VAX" "UNIX""#
    );
}

#[test]
fn srv_holds_priority_weight_port_and_target() {
    // 2782-format-1, -9, -12
    let srv = RdataBuf::srv(1, 2, 65535, Name::ROOT);
    assert_eq!(srv.octets(), [0, 1, 0, 2, 0xFF, 0xFF, 0]);
    let Ok(Data::Srv(srv)) = srv.decode() else {
        panic!()
    };
    assert_eq!(
        (srv.priority, srv.weight, srv.port, srv.target.is_root()),
        (1, 2, 65535, true)
    );
}

#[test]
fn the_last_of_fifty_records_is_read() {
    // 2782-usage-1
    let mut buffer = vec![0; 4096];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
    let name: NameBuf = "_http._tcp.local".parse().unwrap();
    for port in 0..50 {
        builder
            .answer(
                RecordBuf::new(name.clone(), 120, RdataBuf::srv(0, 0, port, name.as_name()))
                    .as_record(),
            )
            .unwrap();
    }
    let last = Message::parse(builder.octets())
        .unwrap()
        .answers()
        .last()
        .unwrap()
        .unwrap();
    assert!(matches!(last.data(), Ok(Data::Srv(srv)) if srv.port == 49));
}

#[test]
fn soa_reads_as_it_was_written() {
    // 1035-3.3.13-1
    let (mname, rname): (NameBuf, NameBuf) =
        ("ns.local".parse().unwrap(), "mail.local".parse().unwrap());
    let wanted = Soa {
        mname: mname.as_name(),
        rname: rname.as_name(),
        serial: 1,
        refresh: 0x0203_0405,
        retry: 3,
        expire: u32::MAX,
        minimum: 5,
    };
    let rdata = RdataBuf::soa(&wanted);
    assert!(matches!(rdata.decode(), Ok(Data::Soa(soa)) if soa == wanted));
}

#[test]
fn nsec_bitmaps_are_read_block_by_block() {
    // 4034-4.1-1, 4034-4.1.2-1, -2, -3, -5, -8
    let types = |bitmap: &[u8]| {
        let octets = answer(RecordType::NSEC, &[b"\0", bitmap].concat());
        let Ok(Data::Nsec(nsec)) = first(&octets).data() else {
            panic!()
        };
        nsec.types().map(RecordType::get).collect::<Vec<_>>()
    };
    assert_eq!(types(b"\0\x01\x40"), [1]);
    assert_eq!(types(b"\0\x01\x40\x01\x01\x40"), [1, 257]);
    assert_eq!(
        types(b"\x01\x01\x40\0\x01\x40"),
        [257, 1],
        "blocks out of order are taken"
    );
    assert_eq!(types(b""), []);
    // OPT is the 41st bit, ANY the 255th: ignored when read.
    let mut bitmap = vec![0, 32];
    bitmap.extend([0xFF; 32]);
    let read = types(&bitmap);
    assert!(
        !read.contains(&41) && !read.contains(&128) && !read.contains(&255) && read.contains(&127)
    );
    let nsec = RdataBuf::opaque(RecordType::NSEC, b"\0\0\x01\x40").unwrap();
    assert!(matches!(nsec.decode(), Ok(Data::Nsec(nsec)) if !nsec.contains(RecordType::new(200))));
}

#[test]
fn the_options_of_the_field_are_read_and_unknown_ones_kept() {
    // 6891-6.1.2-1, -2, -3, -4, 6762-18.13-1
    let options: [(&[u8], OptOption<'_>); 8] = [
        (
            b"\0\x02\0\x04\0\0\x0e\x10",
            OptOption::UpdateLease {
                lease: Duration::from_secs(3600),
                key_lease: None,
            },
        ),
        (
            b"\0\x02\0\x08\0\0\x0e\x10\0\x01\x51\x80",
            OptOption::UpdateLease {
                lease: Duration::from_secs(3600),
                key_lease: Some(Duration::from_secs(86_400)),
            },
        ),
        (b"\0\x03\0\x02ns", OptOption::Nsid(b"ns")),
        (
            b"\0\x0a\0\x08abcdefgh",
            OptOption::Cookie {
                client: *b"abcdefgh",
                server: b"",
            },
        ),
        (
            b"\0\x0a\0\x10abcdefghijklmnop",
            OptOption::Cookie {
                client: *b"abcdefgh",
                server: b"ijklmnop",
            },
        ),
        (b"\0\x0c\0\x03\0\0\0", OptOption::Padding(3)),
        (
            b"\xfd\xe9\0\x01x",
            OptOption::Other {
                code: 65001,
                data: b"x",
            },
        ),
        // Nine octets are no cookie.
        (
            b"\0\x0a\0\x09abcdefghi",
            OptOption::Other {
                code: 10,
                data: b"abcdefghi",
            },
        ),
    ];
    let forward: Vec<u8> = options
        .iter()
        .flat_map(|(octets, _)| octets.iter().copied())
        .collect();
    let octets = answer(RecordType::OPT, &forward);
    let opt = first(&octets).opt().unwrap().unwrap();
    assert!(opt.options.eq(options.iter().map(|(_, option)| *option)));
    for (octets, option) in options {
        assert_eq!(option.code(), u16::from_be_bytes([octets[0], octets[1]]));
    }
    // What a sleep proxy's client sends.
    let octets = answer(
        RecordType::OPT,
        b"\0\x04\0\x0e\0\x2a\x01\x02\x03\x04\x05\x06\x11\x12\x13\x14\x15\x16",
    );
    let opt = first(&octets).opt().unwrap().unwrap();
    let Some(OptOption::Owner(owner)) = opt.options.clone().next() else {
        panic!()
    };
    assert_eq!(
        (owner.sequence, owner.primary_mac),
        (42, [1, 2, 3, 4, 5, 6])
    );
    assert_eq!(
        (owner.wakeup_mac, owner.password),
        (Some([0x11, 0x12, 0x13, 0x14, 0x15, 0x16]), &b""[..])
    );
}

#[test]
fn opt_keeps_its_size_and_bits_in_class_and_ttl() {
    // 6891-6.1.3-1, 6891-6.1.4-1, 6891-6.2.3-1, 6891-6.2.5-1
    let mut octets = answer(RecordType::OPT, b"");
    let len = octets.len();
    // Class 100, extended code 1, version 0, DO, all bits of Z.
    octets[len - 8..len - 2].copy_from_slice(&[0, 100, 1, 0, 0xFF, 0xFF]);
    let opt = first(&octets).opt().unwrap().unwrap();
    assert_eq!(
        (
            opt.payload_size,
            opt.extended_rcode,
            opt.version,
            opt.dnssec_ok
        ),
        (512, 1, 0, true)
    );
    assert_eq!(opt.rcode(Flags::RESPONSE), Rcode::BAD_VERSION);
    assert!(first(&answer(RecordType::A, &[0; 4])).opt().is_none());
}

#[test]
fn service_bindings_are_read() {
    let octets = answer(
        RecordType::HTTPS,
        b"\0\x01\0\0\x01\0\x03\x02h2\0\x03\0\x02\x01\xbb",
    );
    let Ok(Data::Https(https)) = first(&octets).data() else {
        panic!()
    };
    assert_eq!((https.priority, https.target.is_root()), (1, true));
    assert!(https.params.eq([(1, &b"\x02h2"[..]), (3, &[1, 187])]));
    assert_eq!(
        first(&octets).rdata.to_string(),
        r#"1 . key1="\002h2" key3="\001\187""#
    );
}

#[test]
fn signatures_and_keys_are_opaque_but_bounded() {
    for kind in [
        RecordType::TSIG,
        RecordType::KEY,
        RecordType::DNSKEY,
        RecordType::LOC,
    ] {
        let octets = answer(kind, b"\xc0\xff\x00anything");
        assert!(
            matches!(first(&octets).data(), Ok(Data::Unknown(data)) if data.octets() == b"\xc0\xff\x00anything")
        );
        assert!(Rdata::from_octets(kind, &vec![0; 65_535]).is_ok());
        assert!(Rdata::from_octets(kind, &vec![0; 65_536]).is_err());
    }
}

#[test]
fn data_differs_by_what_it_says_not_by_how_it_is_written() {
    // 2181-5-1, 4034-6.3-1
    let compressed = answer(RecordType::SRV, b"\0\0\0\0\0\x50\xc0\x0c");
    let plain = RdataBuf::srv(0, 0, 80, "BOX.local".parse::<NameBuf>().unwrap().as_name());
    let compressed = first(&compressed).rdata;
    assert_eq!(compressed, plain);
    assert_ne!(
        compressed,
        RdataBuf::srv(0, 0, 81, "box.local".parse::<NameBuf>().unwrap().as_name())
    );
    // The tie-break knows no case: 'B' is less than 'b'.
    assert!(plain.as_rdata().canonical_cmp(compressed).is_lt());
    // Text is no name.
    assert_ne!(RdataBuf::txt(["a"]).unwrap(), RdataBuf::txt(["A"]).unwrap());
    assert_ne!(
        RdataBuf::a([1, 2, 3, 4].into()),
        RdataBuf::opaque(RecordType::new(65280), &[1, 2, 3, 4]).unwrap()
    );
    let shorter = RdataBuf::opaque(RecordType::NULL, &[1]).unwrap();
    assert!(
        shorter
            .as_rdata()
            .canonical_cmp(
                RdataBuf::opaque(RecordType::NULL, &[1, 0])
                    .unwrap()
                    .as_rdata()
            )
            .is_lt()
    );
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

#[test]
fn the_tie_break_looks_at_class_then_type_then_data() {
    // 6762-8.2-9, 6762-8.2-10, 6762-8.2-11, 6762-8.2-14
    let record = |class, kind, data: &[u8]| RecordBuf {
        class: Class::new(class),
        ..RecordBuf::new(
            NameBuf::root(),
            0,
            RdataBuf::opaque(RecordType::new(kind), data).unwrap(),
        )
    };
    let sorted = [
        record(1, 1, &[169, 254, 99, 200]),
        record(1, 1, &[169, 254, 200, 50]),
        record(1, 28, &[0; 16]),
        record(2, 1, &[0; 4]),
    ];
    for (less, more) in sorted.iter().zip(sorted.iter().skip(1)) {
        assert!(less.as_record().canonical_cmp(&more.as_record()).is_lt());
        assert!(more.as_record().canonical_cmp(&less.as_record()).is_gt());
    }
    let flushed = RecordBuf {
        cache_flush: true,
        ttl: 9,
        ..sorted[0].clone()
    };
    assert!(
        flushed
            .as_record()
            .canonical_cmp(&sorted[0].as_record())
            .is_eq()
    );
}
