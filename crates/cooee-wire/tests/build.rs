//! Messages built: sizes, limits, compression, order.

#![allow(clippy::unwrap_used, reason = "a test may")]

use cooee_wire::{
    BuildError, Class, Compression, Data, Flags, Message, MessageBuilder, Name, NameBuf, Question,
    QuestionBuf, RdataBuf, RecordBuf, RecordType, Section,
};

#[test]
fn what_was_built_reads_the_same() {
    // 1035-4.1.4-8, 1035-4.1.1-1
    let records = service();
    for compression in [
        Compression::Multicast,
        Compression::Legacy,
        Compression::Unicast,
        Compression::None,
    ] {
        let octets = response(&records, compression);
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.header().answer_count, records.len() as u16);
        assert_eq!(message.header().id, 0x0102);
        let read: Vec<_> = message
            .answers()
            .map(|record| record.unwrap().to_owned().unwrap())
            .collect();
        assert_eq!(read, records);
        assert_eq!(message.check(Default::default()), Ok(&[][..]));
    }
}

#[test]
fn profiles_differ_in_srv_and_nsec() {
    // 6762-18.14-4, 6762-18.14-10, 2782-format-11, 4034-4.1.1-1, ruling 14
    let srv = |octets: &[u8]| rdata_len(octets, RecordType::SRV);
    let nsec = |octets: &[u8]| rdata_len(octets, RecordType::NSEC);
    let built = |compression| response(&service(), compression);
    assert_eq!(
        (
            srv(&built(Compression::Multicast)),
            nsec(&built(Compression::Multicast))
        ),
        (6 + 10, 2 + 7)
    );
    assert_eq!(
        (
            srv(&built(Compression::Legacy)),
            nsec(&built(Compression::Legacy))
        ),
        (6 + 15, 2 + 7)
    );
    assert_eq!(
        (
            srv(&built(Compression::Unicast)),
            nsec(&built(Compression::Unicast))
        ),
        (6 + 15, 35 + 7)
    );
}

#[test]
fn later_questions_and_authorities_point_back() {
    // 6762-18.14-2, 6762-18.14-3
    let name: NameBuf = "box.local".parse().unwrap();
    let mut buffer = [0; 512];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Multicast).unwrap();
    let question = QuestionBuf {
        unicast_response: true,
        ..QuestionBuf::new(name.clone(), RecordType::ANY)
    };
    builder.question(question.as_question()).unwrap();
    assert_eq!(builder.len(), 12 + 11 + 4);
    builder.question(question.as_question()).unwrap();
    assert_eq!(builder.len(), 27 + 6);
    builder
        .authority(RecordBuf::new(name, 120, RdataBuf::a([1, 2, 3, 4].into())).as_record())
        .unwrap();
    assert_eq!(builder.len(), 33 + 2 + 10 + 4);
    let message = Message::parse(builder.octets()).unwrap();
    assert_eq!(
        message.questions().collect::<Result<Vec<_>, _>>().unwrap(),
        [question.as_question(); 2]
    );
    assert_eq!(message.authorities().count(), 1);
    assert_eq!(message.answers().count() + message.additionals().count(), 0);
}

#[test]
fn a_suffix_that_differs_in_case_is_written_again() {
    // 4343-4.1-1
    let [upper, lower] =
        ["a.Box.local", "b.box.local"].map(|text| text.parse::<NameBuf>().unwrap());
    let octets = response(
        &[
            RecordBuf::new(upper, 1, RdataBuf::a([0; 4].into())),
            RecordBuf::new(lower, 1, RdataBuf::a([0; 4].into())),
        ],
        Compression::Multicast,
    );
    let names: Vec<_> = Message::parse(&octets)
        .unwrap()
        .answers()
        .map(|record| record.unwrap().name.to_string())
        .collect();
    assert_eq!(names, ["a.Box.local", "b.box.local"]);
    assert_eq!(octets.len(), 12 + 13 + 14 + (2 + 4 + 2) + 14);
}

#[test]
fn what_does_not_fit_leaves_no_trace() {
    let records = service();
    let whole = response(&records, Compression::Multicast);
    for limit in 12..=whole.len() {
        let mut buffer = vec![0xFF; limit];
        let mut builder =
            MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
        let mut written = 0;
        for record in &records {
            let before = builder.octets().to_vec();
            match builder.answer(record.as_record()) {
                Ok(()) => written += 1,
                Err(error) => {
                    assert_eq!(error, BuildError::Full);
                    assert_eq!(builder.octets(), before);
                    break;
                }
            }
        }
        let len = builder.finish();
        let message = Message::parse(&buffer[..len]).unwrap();
        assert_eq!(
            message.answers().filter(|record| record.is_ok()).count(),
            written
        );
        assert_eq!(message.check(Default::default()), Ok(&[][..]));
        assert_eq!(written == records.len(), limit == whole.len());
    }
    assert_eq!(
        MessageBuilder::new(&mut [0; 11], 0, Flags::QUERY, Compression::None).unwrap_err(),
        BuildError::Full
    );
}

#[test]
fn rewinding_forgets_names_too() {
    let records = service();
    let mut buffer = [0; 1024];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
    let start = builder.checkpoint();
    for record in &records {
        builder.answer(record.as_record()).unwrap();
    }
    let once = builder.octets().to_vec();
    builder.rewind(start);
    assert_eq!(builder.counts(), [0; 4]);
    assert_eq!(
        builder.octets(),
        Message::parse(&[0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .unwrap()
            .octets()
    );
    for record in &records {
        builder.answer(record.as_record()).unwrap();
    }
    assert_eq!(builder.octets(), once);
}

#[test]
fn sections_come_in_order() {
    let record = &service()[0];
    let mut buffer = [0; 512];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
    builder.additional(record.as_record()).unwrap();
    assert_eq!(builder.answer(record.as_record()), Err(BuildError::Order));
    assert_eq!(
        builder.question(QuestionBuf::new(NameBuf::root(), RecordType::A).as_question()),
        Err(BuildError::Order)
    );
    assert_eq!(builder.counts(), [0, 0, 0, 1]);
}

#[test]
fn a_record_is_the_same_in_every_section() {
    // 6762-2-3
    let record = service().remove(0);
    let sections = [Section::Answer, Section::Authority, Section::Additional];
    let read = sections.map(|section| {
        let mut buffer = [0; 512];
        let mut builder =
            MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
        builder.record(section, record.as_record()).unwrap();
        let length = builder.finish();
        let message = Message::parse(&buffer[..length]).unwrap();
        let (found, read) = message.records().next().unwrap().unwrap();
        assert_eq!(found, section);
        (read.to_owned().unwrap(), buffer[12..length].to_vec())
    });
    assert!(read.iter().all(|same| *same == read[0] && same.0 == record));
}

#[test]
fn impossible_records_are_refused() {
    // 1035-3.2.3-1, 6891-6.1.1-5
    let opt = RecordBuf {
        class: Class::new(1440),
        ..RecordBuf::new(
            NameBuf::root(),
            0,
            RdataBuf::opaque(RecordType::OPT, &[]).unwrap(),
        )
    };
    let mut buffer = [0; 512];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
    assert_eq!(
        builder.answer(opt.as_record()),
        Err(BuildError::MisplacedOpt)
    );
    builder.additional(opt.as_record()).unwrap();
    assert_eq!(
        &builder.octets()[12..],
        [0, 0, 41, 0x05, 0xA0, 0, 0, 0, 0, 0, 0]
    ); // 6891-6.1.2-1
    assert_eq!(
        builder.additional(opt.as_record()),
        Err(BuildError::MisplacedOpt)
    );
    for kind in 251..=255 {
        let record = RecordBuf::new(
            NameBuf::root(),
            0,
            RdataBuf::opaque(kind.into(), &[]).unwrap(),
        );
        assert_eq!(
            builder.additional(record.as_record()),
            Err(BuildError::QuestionType)
        );
    }
}

#[test]
fn ttls_are_cut_to_31_bits() {
    // 2181-8-1
    let record = RecordBuf::new(NameBuf::root(), u32::MAX, RdataBuf::a([0; 4].into()));
    let octets = response(&[record], Compression::Multicast);
    assert_eq!(
        Message::parse(&octets)
            .unwrap()
            .answers()
            .next()
            .unwrap()
            .unwrap()
            .ttl,
        0x7FFF_FFFF
    );
}

#[test]
fn no_pointer_goes_beyond_14_bits() {
    // 1035-4.1.4-3
    let filler = RecordBuf::new(
        NameBuf::root(),
        0,
        RdataBuf::opaque(65280.into(), &[0; 0x4000]).unwrap(),
    );
    let record = RecordBuf::new("box.local".parse().unwrap(), 0, RdataBuf::a([0; 4].into()));
    let octets = response(
        &[filler, record.clone(), record.clone()],
        Compression::Multicast,
    );
    let read: Vec<_> = Message::parse(&octets)
        .unwrap()
        .answers()
        .skip(1)
        .map(|record| record.unwrap().to_owned().unwrap())
        .collect();
    assert_eq!(read, [record.clone(), record]);
    assert_eq!(octets.len(), 12 + 11 + 0x4000 + 2 * (11 + 14));
}

#[test]
fn flags_and_counts_stand_in_the_header() {
    // 1035-4.1.1-2, 1035-4.1.1-5, 1035-4.1.1-10
    let mut buffer = [0; 64];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0x1234, Flags::QUERY, Compression::Multicast).unwrap();
    let question = Question {
        name: Name::ROOT,
        kind: RecordType::ANY,
        class: Class::ANY,
        unicast_response: true,
    };
    builder.question(question).unwrap();
    builder.set_flags(Flags::QUERY.with_truncated(true));
    // 1035-3.2.5-1
    assert_eq!(
        builder.octets(),
        b"\x12\x34\x02\x00\0\x01\0\0\0\0\0\0\0\0\xff\x80\xff"
    );
}

#[test]
fn nsec_bitmaps_are_written_as_the_rfc_shows() {
    // 4034-4.3-1, 4034-4.1.2-3, -4, -6, -7
    let types = [1234, 47, 46, 15, 1, 41, 255].map(RecordType::new);
    let rdata = RdataBuf::nsec(Name::ROOT, types);
    let mut wanted = vec![0, 0, 6, 0x40, 1, 0, 0, 0, 3, 4, 0x1B];
    wanted.extend([0; 26]);
    wanted.push(0x20);
    assert_eq!(rdata.octets(), wanted);
    let Ok(Data::Nsec(nsec)) = rdata.decode() else {
        panic!()
    };
    assert_eq!(
        nsec.types().map(RecordType::get).collect::<Vec<_>>(),
        [1, 15, 46, 47, 1234]
    );
    assert!(
        nsec.contains(RecordType::MX)
            && !nsec.contains(RecordType::OPT)
            && !nsec.contains(RecordType::new(200))
    );
    assert_eq!(
        RdataBuf::nsec(Name::ROOT, [RecordType::A]).octets(),
        [0, 0, 1, 0x40]
    );
    assert_eq!(
        RdataBuf::nsec(Name::ROOT, [RecordType::AAAA, RecordType::A]).octets(),
        [0, 0, 4, 0x40, 0, 0, 8]
    );
}

/// PTR, SRV, TXT, A, AAAA and NSEC of one service.
fn service() -> Vec<RecordBuf> {
    let [kind, instance, host] = [
        "_http._tcp.local",
        "Keith's server 2._http._tcp.local",
        "tabasco.local",
    ]
    .map(|text| text.parse::<NameBuf>().unwrap());
    let unique = |name: &NameBuf, ttl, rdata| RecordBuf {
        cache_flush: true,
        ..RecordBuf::new(name.clone(), ttl, rdata)
    };
    vec![
        RecordBuf::new(kind, 4500, RdataBuf::ptr(instance.as_name())),
        unique(&instance, 120, RdataBuf::srv(0, 0, 8080, host.as_name())),
        unique(&instance, 4500, RdataBuf::txt(["path=/", "flag"]).unwrap()),
        unique(&host, 120, RdataBuf::a([192, 0, 2, 17].into())),
        unique(
            &host,
            120,
            RdataBuf::aaaa([0xfe80, 0, 0, 0, 0, 0, 0, 1].into()),
        ),
        unique(
            &instance,
            4500,
            RdataBuf::nsec(instance.as_name(), [RecordType::SRV, RecordType::TXT]),
        ),
    ]
}

#[test]
fn a_checkpoint_in_a_part_that_was_taken_back_changes_nothing() {
    let name: NameBuf = "tabasco.local".parse().unwrap();
    let short = RecordBuf::new(name.clone(), 120, RdataBuf::txt([b"x"]).unwrap());
    let long = RecordBuf::new(name, 120, RdataBuf::txt([[b'y'; 200]]).unwrap());
    let mut buffer = [0; 1000];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).unwrap();
    let first = builder.checkpoint();
    builder.answer(short.as_record()).unwrap();
    let stale = builder.checkpoint();
    builder.rewind(first);
    builder.answer(long.as_record()).unwrap();
    builder.rewind(stale);
    let len = builder.finish();
    let message = Message::parse(&buffer[..len]).unwrap();
    let read: Vec<_> = message
        .answers()
        .map(|record| record.unwrap().to_owned().unwrap())
        .collect();
    assert_eq!(read, [long]);
}

fn response(records: &[RecordBuf], compression: Compression) -> Vec<u8> {
    let mut buffer = vec![0; 65535];
    let mut builder =
        MessageBuilder::new(&mut buffer, 0x0102, Flags::RESPONSE, compression).unwrap();
    for record in records {
        builder.record(Section::Answer, record.as_record()).unwrap();
    }
    let len = builder.finish();
    buffer.truncate(len);
    buffer
}

fn rdata_len(octets: &[u8], kind: RecordType) -> usize {
    let records = Message::parse(octets).unwrap().answers();
    records
        .map(Result::unwrap)
        .find(|record| record.kind() == kind)
        .unwrap()
        .rdata
        .octets()
        .len()
}
