//! Octets made to hurt: each mistake of RFC 9267, and work that must stay linear.

#![allow(clippy::unwrap_used, reason = "a test may")]

use cooee_wire::{
    Class, Data, Field, LabelBudget, Malformed, Message, Name, ParseError, RecordType,
};

// RFC 9267 §2: compression pointers.

#[test]
fn a_pointer_to_itself_is_refused() {
    // 1035-4.1.4-4
    let octets = query(b"\xc0\x0c");
    assert_eq!(name_fault(&octets), (Malformed::ForwardPointer, 12));
}

#[test]
fn a_pointer_forward_is_refused() {
    // 1035-4.1.4-4
    let octets = query(b"\x01a\xc0\x12\x01b\0");
    assert_eq!(name_fault(&octets), (Malformed::ForwardPointer, 14));
}

#[test]
fn a_pointer_into_its_own_labels_is_refused() {
    // A loop: a, a, a …
    let octets = query(b"\x01a\xc0\x0c");
    assert_eq!(name_fault(&octets), (Malformed::ForwardPointer, 14));
}

#[test]
fn two_pointers_at_each_other_are_refused() {
    let octets = message(
        [1, 1, 0, 0],
        b"\xc0\x12\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04abcd",
    );
    let message = Message::parse(&octets).unwrap();
    let question = message.questions().next().unwrap().unwrap();
    assert_eq!(
        question.name.check().unwrap_err().kind(),
        Malformed::ForwardPointer
    );
    let record = message.answers().next().unwrap().unwrap();
    assert_eq!(
        record.name.check().unwrap_err().kind(),
        Malformed::ForwardPointer
    );
    assert!(record.data().is_ok(), "one bad name does not cost the data");
}

#[test]
fn a_pointer_past_the_end_is_refused() {
    let octets = query(b"\xff\xff");
    assert_eq!(name_fault(&octets), (Malformed::ForwardPointer, 12));
}

#[test]
fn a_pointer_cut_in_half_is_refused() {
    let octets = message([1, 0, 0, 0], b"\xc0");
    let error = Message::parse(&octets)
        .unwrap()
        .questions()
        .next()
        .unwrap()
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (Malformed::NameTruncated, 12)
    );
    assert_eq!(error.to_string(), "question: name is cut short at octet 12");
}

#[test]
fn a_pointer_into_the_header_reads_what_stands_there() {
    // The id 0x0141 and the flags 0x0000 make the name "A". Senders do not; it harms nobody.
    let mut octets = query(b"\xc0\0");
    octets[..2].copy_from_slice(b"\x01A");
    let question = Message::parse(&octets)
        .unwrap()
        .questions()
        .next()
        .unwrap()
        .unwrap();
    assert!(question.name.labels().eq([b"A"]));
}

#[test]
fn a_chain_of_pointers_ends() {
    // Each points to the one before it: strictly backwards, and still a walk through the whole message. They stand
    // in the data of an unknown type; the owner of a second record is one more.
    let mut chain = vec![0];
    let first = 12 + 11;
    for target in std::iter::once(first)
        .chain((first + 1..).step_by(2))
        .take(4000)
    {
        chain.extend(u16::to_be_bytes(0xC000 | target));
    }
    let last = first + chain.len() as u16 - 2;
    let mut body = record(RecordType::NULL, &chain);
    body.extend(record_named(
        &u16::to_be_bytes(0xC000 | last),
        RecordType::NULL,
        b"",
    ));
    let whole = message([0, 1, 0, 1], &body);
    let message = Message::parse(&whole).unwrap();
    let record = message.additionals().next().unwrap().unwrap();
    assert_eq!(
        record.name.check().unwrap_err().kind(),
        Malformed::PointerChain
    );
}

#[test]
fn label_types_01_and_10_are_refused() {
    // 1035-3.1-2, 1035-4.1.4-2
    for first in 0x40..=0xBFu8 {
        let octets = message([1, 0, 0, 0], &[&[first][..], &[0; 200]].concat());
        let error = Message::parse(&octets)
            .unwrap()
            .questions()
            .next()
            .unwrap()
            .unwrap_err();
        assert_eq!((error.kind(), error.offset()), (Malformed::LabelType, 12));
    }
}

// RFC 9267 §3: lengths of labels and names.

#[test]
fn a_name_of_255_octets_passes_and_one_of_256_does_not() {
    // 6762-C-1, 6762-C-5, 1035-3.1-3
    for (last, fits) in [(62, true), (63, false)] {
        let mut name = Vec::new();
        for len in [63, 63, 63, last] {
            name.push(len);
            name.extend(vec![b'x'; usize::from(len)]);
        }
        name.push(0);
        let octets = query(&name);
        let question = Message::parse(&octets).unwrap().questions().next().unwrap();
        assert_eq!(
            question.map(|question| question.name.length()).ok(),
            fits.then_some(255)
        );
    }
}

#[test]
fn a_name_too_long_through_pointers_is_refused() {
    // 1035-3.1-3
    let mut name = Vec::new();
    for _ in 0..3 {
        name.push(63);
        name.extend([b'x'; 63]);
    }
    name.push(0);
    let mut body = name.clone();
    body.extend(b"\0\x01\0\x01");
    body.push(63);
    body.extend([b'y'; 63]);
    body.extend(b"\xc0\x0c\0\x01\0\x01");
    let octets = message([2, 0, 0, 0], &body);
    let second = Message::parse(&octets)
        .unwrap()
        .questions()
        .nth(1)
        .unwrap()
        .unwrap();
    assert_eq!(
        second.name.check().unwrap_err().kind(),
        Malformed::NameTooLong
    );
    assert_eq!(
        second.name.labels().count(),
        3,
        "the labels before the fault"
    );
}

#[test]
fn a_name_of_127_labels_passes_and_of_128_does_not() {
    for (count, fits) in [(127, true), (128, false)] {
        let mut name = b"\x01a".repeat(count);
        name.push(0);
        assert_eq!(Name::from_octets(&name).is_ok(), fits);
        let octets = query(&name);
        assert_eq!(
            Message::parse(&octets)
                .unwrap()
                .questions()
                .next()
                .unwrap()
                .is_ok(),
            fits
        );
    }
}

// RFC 9267 §4: the final zero.

#[test]
fn a_name_without_its_zero_is_refused() {
    for body in [&b"\x03box"[..], b"\x03box\x05loc", b"\x3f", b""] {
        let octets = message([1, 0, 0, 0], body);
        let error = Message::parse(&octets)
            .unwrap()
            .questions()
            .next()
            .unwrap()
            .unwrap_err();
        assert_eq!(error.kind(), Malformed::NameTruncated);
    }
}

#[test]
fn a_zero_octet_inside_a_label_is_an_octet_like_others() {
    let octets = query(b"\x03a\0b\x05local\0");
    let question = Message::parse(&octets)
        .unwrap()
        .questions()
        .next()
        .unwrap()
        .unwrap();
    assert!(question.name.labels().eq([&b"a\0b"[..], b"local"]));
    assert_eq!(question.name.to_string(), r"a\000b.local");
}

// RFC 9267 §5: the length of data.

#[test]
fn data_past_the_end_of_the_message_is_refused() {
    // 1035-3.2.1-3
    let octets = message([0, 1, 0, 0], b"\0\0\x01\0\x01\0\0\0\0\xff\xffabcd");
    let mut records = Message::parse(&octets).unwrap().records();
    let error = records.next().unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (Malformed::RdataTruncated, 23)
    );
    assert!(records.next().is_none(), "fused");
}

#[test]
fn fields_past_the_end_of_the_data_are_refused_and_the_next_record_is_not() {
    // 1035-3.4.1-1, 3596-2.2-1, 1035-3.3.2-1
    let cases: &[(RecordType, &[u8], Malformed)] = &[
        (RecordType::A, b"abc", Malformed::RdataTooShort),
        (RecordType::A, b"abcde", Malformed::RdataTrailing),
        (RecordType::A, b"", Malformed::RdataTooShort),
        (
            RecordType::AAAA,
            b"0123456789abcde",
            Malformed::RdataTooShort,
        ),
        (
            RecordType::AAAA,
            b"0123456789abcdefg",
            Malformed::RdataTrailing,
        ),
        (RecordType::PTR, b"\x03box", Malformed::NameTruncated),
        (RecordType::PTR, b"\x03bo", Malformed::NameTruncated),
        (RecordType::PTR, b"\x03box\0\0", Malformed::RdataTrailing),
        (RecordType::PTR, b"", Malformed::NameTruncated),
        (RecordType::SRV, b"\0\0\0\0\0", Malformed::RdataTooShort),
        (RecordType::SRV, b"\0\0\0\0\0\0", Malformed::NameTruncated),
        (
            RecordType::SRV,
            b"\0\0\0\0\0\0\0x",
            Malformed::RdataTrailing,
        ),
        (RecordType::MX, b"\0", Malformed::RdataTooShort),
        (
            RecordType::SOA,
            b"\0\x000123456789abcdefghi",
            Malformed::RdataTooShort,
        ),
        (
            RecordType::SOA,
            b"\0\x000123456789abcdefghijk",
            Malformed::RdataTrailing,
        ),
        (RecordType::TXT, b"\x04abc", Malformed::StringTruncated),
        (RecordType::HINFO, b"\x03abc", Malformed::RdataTooShort),
        (RecordType::HINFO, b"\0\0\0", Malformed::RdataTrailing),
        (RecordType::NSEC, b"\0\0\0", Malformed::TypeBitmap),
        (RecordType::NSEC, b"\0\0\x21", Malformed::TypeBitmap),
        (RecordType::NSEC, b"\0\0\x02\x40", Malformed::TypeBitmap),
        (RecordType::NSEC, b"\0\0", Malformed::TypeBitmap),
        (RecordType::OPT, b"\0\x0a\0\x08abc", Malformed::OptOption),
        (RecordType::OPT, b"\0", Malformed::OptOption),
        (
            RecordType::HTTPS,
            b"\0\x01\0\0\x01\0\x02a",
            Malformed::SvcParam,
        ),
        (
            RecordType::HTTPS,
            b"\0\x01\0\0\x02\0\0\0\x01\0\0",
            Malformed::SvcParam,
        ),
        (
            RecordType::HTTPS,
            b"\0\x01\xc0\x0c",
            Malformed::PointerForbidden,
        ),
        (
            RecordType::NAPTR,
            b"\0\0\0\0\0\0\x02a",
            Malformed::StringTruncated,
        ),
    ];
    for (kind, data, malformed) in cases {
        let mut body = record(*kind, data);
        body.extend(record(RecordType::A, &[192, 0, 2, 1]));
        let octets = message([0, 2, 0, 0], &body);
        let records: Vec<_> = Message::parse(&octets)
            .unwrap()
            .answers()
            .map(Result::unwrap)
            .collect();
        let error = records[0].data().unwrap_err();
        assert_eq!(error.kind(), *malformed, "{kind} {data:?}");
        assert!(
            (23..=23 + data.len()).contains(&error.offset()),
            "{kind} {data:?}: {error}"
        );
        assert!(records[0].to_owned().is_err());
        assert!(
            matches!(records[1].data(), Ok(Data::A(address)) if address.octets() == [192, 0, 2, 1])
        );
    }
}

#[test]
fn a_name_in_data_ends_with_the_data() {
    // The name would go on in the next record.
    let mut body = record(RecordType::PTR, b"\x03box\x05loc");
    body.extend(b"al\0\0");
    let octets = message([0, 1, 0, 0], &body);
    let answer = Message::parse(&octets)
        .unwrap()
        .answers()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(answer.data().unwrap_err().kind(), Malformed::NameTruncated);
}

#[test]
fn data_of_unknown_types_is_never_looked_into() {
    // 1035-4.1.4-6: no pointer is one there.
    let octets = message([0, 1, 0, 0], &record(RecordType::new(65280), b"\xc0\xff"));
    let answer = Message::parse(&octets)
        .unwrap()
        .answers()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(answer.to_owned().unwrap().rdata.octets(), b"\xc0\xff");
}

// RFC 9267 §6: counts.

#[test]
fn counts_of_65535_are_upper_bounds() {
    // 1035-4.1.1-10
    let octets = message([0xFFFF; 4], b"");
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.questions().count(), 1, "one error");
    assert_eq!(message.records().count(), 1);
    assert_eq!(message.answers().count(), 1);
    assert_eq!(message.authorities().count(), 1);
    assert_eq!(message.additionals().count(), 1);
    assert!(message.additionals().all(|record| record.is_err()));
}

#[test]
fn what_stands_before_a_fault_is_read() {
    let mut body = record(RecordType::A, &[192, 0, 2, 1]);
    body.extend(b"\x03bo");
    let octets = message([0, 1, 1, 0], &body);
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.answers().filter(Result::is_ok).count(), 1);
    assert_eq!(message.authorities().filter_map(Result::err).count(), 1);
    let kinds: Vec<_> = message.records().map(|record| record.is_ok()).collect();
    assert_eq!(kinds, [true, false]);
}

#[test]
fn octets_behind_the_last_record_are_told() {
    // 1035-4.1.3-1
    let octets = message([1, 0, 0, 0], b"\0\0\x01\0\x01trailing");
    let message = Message::parse(&octets).unwrap();
    assert_eq!(message.check(LabelBudget::default()), Ok(&b"trailing"[..]));
    let mut records = message.records();
    assert!(records.next().is_none());
    assert_eq!(records.trailing(), b"trailing");
}

#[test]
fn messages_have_12_to_65535_octets() {
    // 1035-4.1-2
    for len in 0..12 {
        let error = Message::parse(&vec![0; len]).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (Malformed::HeaderTruncated, 0)
        );
    }
    assert!(Message::parse(&[0; 12]).is_ok());
    assert!(Message::parse(&vec![0; 65_535]).is_ok());
    assert_eq!(
        Message::parse(&vec![0; 65_536]).unwrap_err().kind(),
        Malformed::MessageTooLong
    );
}

#[test]
fn a_ttl_with_its_top_bit_set_reads_as_0_except_on_opt() {
    // 2181-8-2, 6891-6.1.3-1, 1035-2.3.4-3
    let mut body = b"\0\0\x01\0\x01\x80\0\0\x01\0\x04abcd".to_vec();
    body.extend(b"\0\0\x01\0\x01\x7f\xff\xff\xff\0\x04abcd");
    body.extend(b"\0\0\x29\x85\xa0\x80\0\x80\0\0\0");
    let octets = message([0, 3, 0, 0], &body);
    let records: Vec<_> = Message::parse(&octets)
        .unwrap()
        .answers()
        .map(Result::unwrap)
        .collect();
    assert_eq!((records[0].ttl, records[1].ttl), (0, 0x7FFF_FFFF));
    assert_eq!(
        (records[2].class, records[2].cache_flush, records[2].ttl),
        (Class::new(0x85A0), false, 0x8000_8000)
    );
    let opt = records[2].opt().unwrap().unwrap();
    assert_eq!(
        (
            opt.payload_size,
            opt.extended_rcode,
            opt.version,
            opt.dnssec_ok
        ),
        (0x85A0, 0x80, 0, true)
    );
}

// The work.

#[test]
fn walking_names_is_bounded_by_the_budget() {
    let octets = pointers_to_a_long_name(9000);
    let message = Message::parse(&octets).unwrap();
    let records = message.records().count();
    assert!(records > 700);
    // All names together have as many labels as the budget says.
    let labels: usize = message
        .answers()
        .map(|record| record.unwrap().name.labels().count())
        .sum();
    assert_eq!(message.check(LabelBudget::new(labels + 127)), Ok(&[][..]));
    let error: ParseError = message.check(LabelBudget::new(labels - 1)).unwrap_err();
    assert_eq!(error.kind(), Malformed::LabelBudget);
    assert!(message.check(LabelBudget::default()).is_err());
}

#[test]
fn the_budget_ends_at_the_record_that_breaks_it() {
    // Labels and pointers: 127 of the first owner, then 127 of each pointer, which stands for what it points to.
    for len in [9000, 65_535] {
        let octets = pointers_to_a_long_name(len);
        let message = Message::parse(&octets).unwrap();
        let records = message.records().count();
        let enough = 127 * records;
        assert_eq!(message.check(LabelBudget::new(enough)), Ok(&[][..]));
        let first = 12 + 127 * 2 + 1 + 10;
        for (budget, offset) in [
            (0, 12),
            (126, 12),
            (127, first),
            (2 * 127 - 1, first),
            (2 * 127, first + 12),
            (enough - 1, first + 12 * (records - 2)),
        ] {
            let error = message.check(LabelBudget::new(budget)).unwrap_err();
            assert_eq!(
                (error.kind(), error.field(), error.offset()),
                (Malformed::LabelBudget, Field::Record, offset),
                "{budget} of {enough}"
            );
        }
    }
}

/// A name of 127 labels, and as many records as fit whose owners point to it.
fn pointers_to_a_long_name(len: usize) -> Vec<u8> {
    let mut name = b"\x01a".repeat(127);
    name.push(0);
    let mut body = record_named(&name, RecordType::NULL, b"");
    while body.len() + 12 + 12 <= len {
        body.extend(record_named(b"\xc0\x0c", RecordType::NULL, b""));
    }
    answers(&body)
}

/// A message of these answers.
fn answers(body: &[u8]) -> Vec<u8> {
    let mut octets = message([0, 0xFFFF, 0, 0], body);
    let count = Message::parse(&octets)
        .unwrap()
        .records()
        .filter(Result::is_ok)
        .count() as u16;
    octets[6..8].copy_from_slice(&count.to_be_bytes());
    octets
}

fn message(counts: [u16; 4], body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 4];
    octets.extend(counts.into_iter().flat_map(u16::to_be_bytes));
    octets.extend(body);
    octets
}

/// A question for the address of a name.
fn query(name: &[u8]) -> Vec<u8> {
    message([1, 0, 0, 0], &[name, b"\0\x01\0\x01"].concat())
}

#[test]
fn a_faulty_name_has_no_parents() {
    // 1035-4.1.4-4: its labels lead back into itself
    let octets = query(b"\x01a\xc0\x0c");
    let question = Message::parse(&octets)
        .unwrap()
        .questions()
        .next()
        .unwrap()
        .unwrap();
    assert!(question.name.check().is_err());
    assert!(question.name.parent().is_none());
}

/// A record of the root, class IN, TTL 0.
fn record(kind: RecordType, data: &[u8]) -> Vec<u8> {
    record_named(&[0], kind, data)
}

fn record_named(name: &[u8], kind: RecordType, data: &[u8]) -> Vec<u8> {
    let mut octets = name.to_vec();
    octets.extend(kind.get().to_be_bytes());
    octets.extend(b"\0\x01\0\0\0\0");
    octets.extend((data.len() as u16).to_be_bytes());
    octets.extend(data);
    octets
}

/// What is wrong with the name of the first question.
fn name_fault(octets: &[u8]) -> (Malformed, usize) {
    let question = Message::parse(octets)
        .unwrap()
        .questions()
        .next()
        .unwrap()
        .unwrap();
    let error = question.name.check().unwrap_err();
    assert!(question.to_owned().is_err());
    (error.kind(), error.offset())
}
