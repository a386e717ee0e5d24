use super::*;
use alloc::string::ToString as _;
use alloc::vec;

fn txt(strings: &[&[u8]]) -> TxtAttributes {
    TxtAttributes::from_strings(strings).unwrap()
}

#[test]
fn the_worked_example_reads_and_writes_byte_for_byte() {
    // 6763-6.6-1, 6763-6.1-3, 6763-6.3-1
    let octets = b"\x09key=value\x08paper=A4\x07passreq";
    let read = TxtAttributes::from_rdata(octets).unwrap();
    let wanted = [
        ("key", TxtValue::Bytes(b"value")),
        ("paper", TxtValue::Bytes(b"A4")),
        ("passreq", TxtValue::None),
    ];
    assert_eq!(read.iter().collect::<Vec<_>>(), wanted);
    let mut written = TxtAttributes::new();
    written.set("key", "value").unwrap();
    written.set("paper", "A4").unwrap();
    written.set_flag("passreq").unwrap();
    assert_eq!(written.rdata(), octets);
    assert_eq!((written.clone(), written.wire_len()), (read, 27));
}

#[test]
fn a_key_has_four_outcomes() {
    // 6763-6.4-8, 6763-6.4-11, 6763-6.4-12
    let read = txt(&[b"flag", b"empty=", b"full=x"]);
    assert_eq!(read.get("absent"), None);
    assert_eq!(read.get("flag"), Some(TxtValue::None));
    assert_eq!(read.get("empty"), Some(TxtValue::Bytes(b"")));
    assert_eq!(read.get("full"), Some(TxtValue::Bytes(b"x")));
    assert_eq!(
        (read.get_str("flag"), read.get_str("empty")),
        (None, Some(""))
    );
}

#[test]
fn the_first_equals_sign_ends_the_key() {
    // 6763-6.3-2, 6763-6.3-3
    assert_eq!(txt(&[b"a=b=c"]).get_str("a"), Some("b=c"));
}

#[test]
fn keys_fold_case_and_the_first_wins() {
    // 6763-6.4-7, 6763-6.4-10
    let read = txt(&[b"PaperSize=A4", b"papersize=A5", b"x"]);
    assert_eq!(read.get_str("papersize"), Some("A4"));
    assert_eq!(
        read.iter().map(|(key, _)| key).collect::<Vec<_>>(),
        ["PaperSize", "x"]
    );
}

#[test]
fn spaces_in_keys_are_significant() {
    // 6763-6.4-6
    let read = txt(&[b"a =1", b"a=2"]);
    assert_eq!(
        (read.get_str("a "), read.get_str("a")),
        (Some("1"), Some("2"))
    );
}

#[test]
fn ignored_strings_are_kept_and_visible() {
    // 6763-6.4-2, 6763-6.4-5, 6763-6.3-5
    let strings: [&[u8]; 7] = [b"=x", b"=", b"", b"\x1f=1", b"\xff=1", b"k=v", b"K=w"];
    let read = txt(&strings);
    assert_eq!(
        read.iter().collect::<Vec<_>>(),
        [("k", TxtValue::Bytes(b"v"))]
    );
    assert_eq!(read.strings().collect::<Vec<_>>(), strings);
    let ignored: Vec<_> = read.entries().map(|entry| entry.ignored).collect();
    assert_eq!(ignored, [true, true, true, true, true, false, true]);
}

#[test]
fn nothing_is_one_zero_byte_in_all_its_forms() {
    // 6763-6.1-5, 6763-6.1-6, 6763-6.1-7, 6763-6-1
    let nothing = TxtAttributes::new();
    assert_eq!(TxtAttributes::from_rdata(b"").unwrap(), nothing);
    assert_eq!(TxtAttributes::from_rdata(b"\0").unwrap(), nothing);
    assert_eq!(
        (
            nothing.rdata(),
            nothing.wire_len(),
            nothing.strings().count()
        ),
        (&b"\0"[..], 1, 0)
    );
    let mut emptied = txt(&[b"a=1", b"A=2"]);
    assert!(emptied.remove("a") && !emptied.remove("a"));
    assert_eq!(emptied, nothing);
}

#[test]
fn a_record_may_have_65535_bytes_and_its_length_ends_it() {
    // 6763-6.1-1
    let octets = [&[255][..], &[0; 255]].concat().repeat(255);
    let full = [&octets[..], &[254], &[b'x'; 254]].concat();
    let read = TxtAttributes::from_rdata(&full).unwrap();
    assert_eq!(
        (full.len(), read.wire_len(), read.strings().count()),
        (65_535, 65_535, 256)
    );
    assert_eq!(
        TxtAttributes::from_rdata(&[&full[..], &[0]].concat()),
        Err(TxtError::TooLarge { len: 65_536 })
    );
}

#[test]
fn a_value_may_be_any_bytes() {
    // 6763-6.5-1, 6763-6.5-3, 6763-6.5-4, 6763-6.5-2, 6763-6.5-6, 6763-6.3-4
    let all: Vec<u8> = (0..=255).collect();
    let mut written = TxtAttributes::new();
    written.set("low", &all[..128]).unwrap();
    written.set("high", &all[128..]).unwrap();
    written.set("quoted", " \"x\" ").unwrap();
    let read = TxtAttributes::from_rdata(written.rdata()).unwrap();
    assert_eq!(
        (read.get_bytes("low"), read.get_bytes("high")),
        (Some(&all[..128]), Some(&all[128..]))
    );
    assert_eq!(
        (read.get_str("high"), read.get_str("quoted")),
        (None, Some(" \"x\" "))
    );
}

#[test]
fn a_string_has_255_bytes_at_most() {
    // 6763-6.1-4
    let mut written = TxtAttributes::new();
    written.set("k", vec![b'x'; 253]).unwrap();
    let error = written.set("k", vec![b'x'; 254]).unwrap_err();
    assert!(matches!(error, TxtError::TooLong { len: 256, .. }));
    assert_eq!(
        written.get_bytes("k").unwrap().len(),
        253,
        "a refused value changes nothing"
    );
    assert_eq!(
        TxtAttributes::from_rdata(b"\x02ab\x05abc"),
        Err(TxtError::Malformed { at: 3 })
    );
}

#[test]
fn keys_are_printable_ascii_without_an_equals_sign() {
    // 6763-6.4-1, 6763-6.4-5
    let mut written = TxtAttributes::new();
    assert_eq!(written.set("", "x"), Err(TxtError::EmptyKey));
    for key in ["a=b", "a\u{1f}", "a\u{7f}", "\u{80}", "ü"] {
        assert!(
            matches!(written.set_flag(key), Err(TxtError::BadKey { .. })),
            "{key:?}"
        );
    }
    assert!(written.set(" ~", "x").is_ok());
}

#[test]
fn setting_a_key_again_keeps_its_place() {
    // 6763-6.4-9, 6763-6.7-1, 6763-6.7-2
    let mut written = txt(&[b"txtvers=1", b"path=/", b"TXTVERS=9"]);
    written.set("TxtVers", "2").unwrap();
    assert_eq!(
        written.strings().collect::<Vec<_>>(),
        [&b"TxtVers=2"[..], b"path=/"]
    );
    assert_eq!(written.txtvers(), Some(2));
}

#[test]
fn advice_is_given_on_size_and_long_keys() {
    // 6763-6.2-1 .. 6763-6.2-4, 6763-6.4-3
    let mut written = TxtAttributes::new();
    assert!(written.advice().is_empty());
    written.set("ten-letter", "x").unwrap();
    assert_eq!(
        written.advice(),
        [TxtAdvice::LongKey {
            key: "ten-letter".to_string()
        }]
    );
    for (count, class) in [
        (0, TxtSize::Typical),
        (1, TxtSize::SmallMessage),
        (4, TxtSize::OnePacket),
        (6, TxtSize::Large),
        (40, TxtSize::TooLargeForMulticast),
    ] {
        let large = TxtAttributes::from_strings((0..count).map(|_| [b'x'; 250])).unwrap();
        assert_eq!(large.size_class(), class);
    }
    assert!(matches!(
        TxtAttributes::from_strings((0..300).map(|_| [b'x'; 250])),
        Err(TxtError::TooLarge { .. })
    ));
}

#[test]
fn attributes_can_be_read_in_a_log() {
    let mut txt = TxtAttributes::default();
    txt.set("path", "/").unwrap();
    txt.set("key", [0, 255]).unwrap();
    assert_eq!(alloc::format!("{txt:?}"), r#"["path=/", "key=\x00\xff"]"#);
}
