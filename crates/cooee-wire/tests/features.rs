//! What the optional features add: run with `--all-features`.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[cfg(feature = "serde")]
#[test]
fn names_types_and_classes_are_text_in_other_formats() {
    use cooee_wire::{Class, NameBuf, RecordType};

    let wanted: (NameBuf, RecordType, Class) = (
        r"a\.b.local".parse().unwrap(),
        RecordType::new(65280),
        Class::IN,
    );
    let text = serde_json::to_string(&wanted).unwrap();
    assert_eq!(text, r#"["a\\.b.local","TYPE65280","IN"]"#);
    assert_eq!(
        serde_json::from_str::<(NameBuf, RecordType, Class)>(&text).unwrap(),
        wanted
    );
    assert!(serde_json::from_str::<NameBuf>(r#""a..b""#).is_err());
    // A faulty name in a packet has no text that could be read again.
    let octets = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\xc0\xff\0\x01\0\x01";
    let message = cooee_wire::Message::parse(octets).unwrap();
    let faulty = message.questions().next().unwrap().unwrap().name;
    assert!(serde_json::to_string(&faulty).is_err());
}

#[cfg(feature = "bytes")]
#[test]
fn messages_are_appended_to_bytes_and_failures_leave_them_alone() {
    use bytes::BytesMut;
    use cooee_wire::{BuildError, Compression, Flags, MessageBuilder, QuestionBuf, RecordType};

    let mut bytes = BytesMut::from(&b"before"[..]);
    let question = QuestionBuf::new("_http._tcp.local".parse().unwrap(), RecordType::PTR);
    let build = |message: &mut MessageBuilder<'_>| message.question(question.as_question());
    for limit in [0, 11, 12, 33] {
        let built = MessageBuilder::append_to(
            &mut bytes,
            limit,
            0,
            Flags::QUERY,
            Compression::Multicast,
            build,
        );
        assert_eq!(built, Err(BuildError::Full));
        assert_eq!(bytes, &b"before"[..]);
    }
    MessageBuilder::append_to(
        &mut bytes,
        34,
        0,
        Flags::QUERY,
        Compression::Multicast,
        build,
    )
    .unwrap();
    assert_eq!(bytes.len(), 6 + 34);
    // What was reserved once serves again: nothing allocates.
    let mut bytes = BytesMut::with_capacity(1500);
    let seen = allocation_counter::measure(|| {
        MessageBuilder::append_to(
            &mut bytes,
            1452,
            0,
            Flags::QUERY,
            Compression::Multicast,
            build,
        )
        .unwrap();
    });
    assert_eq!(seen.count_total, 0);
}
