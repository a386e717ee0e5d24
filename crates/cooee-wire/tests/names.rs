//! Names: text, equality, order, limits.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::hash::{DefaultHasher, Hash, Hasher};

use cooee_wire::{Malformed, Message, Name, NameBuf, NameError};
use hashbrown::HashTable;

#[test]
fn text_goes_to_labels_and_back() {
    // 1035-5.1-1, 1035-3.1-1
    let name = name(r"Keith\.s \\ web.local");
    assert_eq!(name.as_octets(), b"\x0dKeith.s \\ web\x05local\0");
    assert_eq!(name.to_string(), r"Keith\.s\032\\\032web.local");
    assert_eq!(format!("{name:#}"), r"Keith\.s\032\\\032web.local.");
    assert_eq!(NameBuf::root().to_string(), ".");
    assert_eq!(format!("{:#}", NameBuf::root()), ".");
    assert_eq!(
        "Büro.local".parse(),
        NameBuf::from_labels([b"B\xc3\xbcro".as_slice(), b"local"])
    );
}

#[test]
fn every_octet_survives_text() {
    // 4343-2.1-1, 1035-2.3.3-3, 1035-3.1-4, 2181-11-2
    for octet in 0..=255u8 {
        let name = NameBuf::from_labels([[octet].as_slice(), b"local"]).unwrap();
        let text = name.to_string();
        assert_eq!(
            text.parse::<NameBuf>().unwrap().as_octets(),
            name.as_octets(),
            "{text}"
        );
        assert!(
            text.bytes().all(|octet| (0x21..=0x7E).contains(&octet)),
            "{text}"
        );
    }
}

#[test]
fn bad_text_is_refused() {
    // 4343-2.1-2, 6762-C-2
    for (text, error) in [
        ("", NameError::EmptyText),
        ("bad..name.", NameError::EmptyLabel),
        (".local", NameError::EmptyLabel),
        ("..", NameError::EmptyLabel),
        (r"\1", NameError::BadEscape),
        (r"\12", NameError::BadEscape),
        (r"\12a", NameError::BadEscape),
        (r"\256", NameError::BadEscape),
        ("\\", NameError::BadEscape),
    ] {
        assert_eq!(text.parse::<NameBuf>(), Err(error), "{text}");
    }
    assert_eq!(name(r"\1234").as_octets(), b"\x02\x7b4\0");
    assert_eq!(
        "x".repeat(64).parse::<NameBuf>(),
        Err(NameError::LabelTooLong)
    );
}

#[test]
fn limits_are_63_and_255() {
    // 1035-2.3.4-1, 1035-2.3.4-2, 6762-C-1, 6762-C-5, 6762-3-11
    assert!(NameBuf::from_labels(["x".repeat(63)]).is_ok());
    assert_eq!(
        NameBuf::from_labels(["x".repeat(64)]),
        Err(NameError::LabelTooLong)
    );
    assert_eq!(NameBuf::from_labels([""]), Err(NameError::EmptyLabel));
    let longest = NameBuf::from_labels([
        "x".repeat(63),
        "x".repeat(63),
        "x".repeat(63),
        "x".repeat(62),
    ])
    .unwrap();
    assert_eq!(longest.wire_len(), 256);
    assert_eq!(longest.as_name().length(), 255);
    assert!(longest.as_name().length() > Name::MAX_UNICAST_LENGTH); // 6762-C-4
    assert!(Name::from_octets(longest.as_octets()).is_ok());
    let beyond = NameBuf::from_labels([
        "x".repeat(63),
        "x".repeat(63),
        "x".repeat(63),
        "x".repeat(63),
    ]);
    assert_eq!(beyond, Err(NameError::NameTooLong));
    assert_eq!(longest.prepend(b"y"), Err(NameError::NameTooLong));
}

#[test]
fn length_counts_no_final_zero() {
    // 6762-C-3
    for (text, length) in [(".", 0), ("org.", 4), ("ietf.org.", 9)] {
        assert_eq!(name(text).as_name().length(), length);
    }
}

#[test]
fn ascii_case_folds_and_nothing_else() {
    // 1035-2.3.3-1, 1035-3.1-5, 4343-3-1
    assert_eq!(name("A.local."), name("a.LOCAL."));
    assert_eq!(hash(&name("A.local.")), hash(&name("a.LOCAL.")));
    for (a, b) in [(0xC1, 0xE1), (b'[', b'{'), (b'@', b'`'), (0xDD, 0xFD)] {
        assert_ne!(NameBuf::from_labels([[a]]), NameBuf::from_labels([[b]]));
    }
    assert_ne!(name("É.local"), name("é.local")); // 6762-16-6
    assert_ne!(name("\u{feff}x.local"), name("x.local")); // 6762-16-3: a character like any other
    assert_eq!(name("\u{feff}x").as_octets(), b"\x04\xEF\xBB\xBFx\0");
    assert_ne!(name(r"a\.b"), name("a.b"));
    assert_ne!(name("a.b"), name("a.b.c"));
    assert_ne!(name("a.b.c"), name("a.b"));
}

#[test]
fn a_name_in_a_packet_equals_and_hashes_as_the_owned_one() {
    let octets = b"\x03BOX\x05local\0";
    let borrowed = Name::from_octets(octets).unwrap();
    let owned = name("box.LOCAL");
    assert_eq!(borrowed, owned);
    assert_eq!(owned, borrowed);
    assert_eq!(hash(&borrowed), hash(&owned));
    assert_eq!(borrowed.to_owned().unwrap().as_octets(), octets); // 1035-2.3.3-2: the spelling stays
}

#[test]
fn order_is_canonical() {
    // 4034-6.1-1
    let sorted = [
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        r"\001.z.example",
        "*.z.example",
        r"\200.z.example",
    ]
    .map(name);
    for (first, second) in sorted.iter().zip(sorted.iter().skip(1)) {
        assert!(first < second, "{first} {second}");
        assert!(first.as_name() < second.as_name());
    }
}

#[test]
fn parents_and_suffixes() {
    let name = name("Box._http._tcp.local");
    assert_eq!(
        name.parent().unwrap(),
        "_http._tcp.local".parse::<NameBuf>().unwrap()
    );
    assert!(NameBuf::root().parent().is_none());
    assert!(name.ends_with("_TCP.local".parse::<NameBuf>().unwrap().as_name()));
    assert!(name.ends_with(name.as_name()));
    assert!(name.ends_with(Name::ROOT));
    assert!(!name.ends_with("tcp.local".parse::<NameBuf>().unwrap().as_name()));
    assert!(!name.parent().unwrap().ends_with(name.as_name()));
    assert_eq!(NameBuf::root().append(name.as_name()).unwrap(), name);
    assert_eq!(
        name.parent()
            .unwrap()
            .to_owned()
            .unwrap()
            .prepend(b"Box")
            .unwrap(),
        name
    );
}

#[test]
fn octets_must_be_one_whole_plain_name() {
    for (octets, kind, at) in [
        (&b""[..], Malformed::NameTruncated, 0),
        (b"\x03ab", Malformed::NameTruncated, 0),
        (b"\x01a", Malformed::NameTruncated, 2),
        (b"\x01a\0x", Malformed::NameTrailing, 3),
        (b"\x01a\xc0\x00", Malformed::PointerForbidden, 2),
        (b"\x40", Malformed::LabelType, 0),
        (b"\x80", Malformed::LabelType, 0),
    ] {
        let error = Name::from_octets(octets).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, at), "{octets:?}");
    }
    assert!(Name::from_octets(&[0]).unwrap().is_root());
    assert!(Name::ROOT.is_root());
}

#[test]
fn a_table_of_owned_names_is_searched_with_a_name_of_a_packet() {
    // 1035-2.3.3-1: "local" is a pointer, and the case another.
    let octets = b"\0\0\x84\0\0\x02\0\0\0\0\0\0\x05LOCAL\0\0\x01\0\x01\x03Box\xc0\x0c\0\x01\0\x01";
    let mut table = HashTable::new();
    for text in ["local", "box.local", "box.box.local"] {
        let owned = name(text);
        table.insert_unique(hash(&owned), owned, hash);
    }
    let message = Message::parse(octets).unwrap();
    let found: Vec<_> = message
        .questions()
        .map(|question| {
            let borrowed = question.unwrap().name;
            table
                .find(hash(&borrowed), |owned| *owned == borrowed)
                .unwrap()
                .to_string()
        })
        .collect();
    assert_eq!(found, ["local", "box.local"]);
    let missing = Name::from_octets(b"\x03bix\x05local\0").unwrap();
    assert!(
        table
            .find(hash(&missing), |owned| *owned == missing)
            .is_none()
    );
}

fn name(text: &str) -> NameBuf {
    text.parse().unwrap()
}

fn hash(name: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
