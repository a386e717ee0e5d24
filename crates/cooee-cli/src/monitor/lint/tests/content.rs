use cooee::wire::{NameBuf, RecordBuf};

use super::{Case, case, rule};
use crate::monitor::packet::Packet;
use crate::monitor::testkit::*;

const WEB: &str = "Web._http._tcp.local";

fn told(record: RecordBuf) -> [Packet; 1] {
    [packet(0, "192.0.2.1", response(&[record]))]
}

fn called(label: &[u8]) -> RecordBuf {
    let owner = NameBuf::from_labels([label, b"_http", b"_tcp", b"local"]).unwrap();
    RecordBuf {
        name: owner,
        ..srv(WEB, 80)
    }
}

fn typed(kind: &str) -> RecordBuf {
    ptr(
        &format!("{kind}._tcp.local"),
        &format!("Web.{kind}._tcp.local"),
    )
}

/// No builder writes such a record: the data of one with an empty string is cut off.
fn empty_txt() -> Vec<u8> {
    let mut payload = response(&[txt(WEB, &[""])]);
    payload.pop();
    if let Some(length) = payload.last_mut() {
        *length = 0;
    }
    payload
}

pub(super) fn cases() -> Vec<Case> {
    let large: Vec<String> = (0..7)
        .map(|n| format!("key{n}={}", "x".repeat(200)))
        .collect();
    let large: Vec<&str> = large.iter().map(String::as_str).collect();
    vec![
        // 6762-10-1, 6762-10-2
        case(
            rule::TTL_HOST,
            told(living(a("box.local", 1), 4_500)),
            // A goodbye has TTL 0.
            told(living(a("box.local", 1), 0)),
        ),
        case(
            rule::TTL_OTHER,
            told(living(ptr("_http._tcp.local", WEB), 120)),
            told(ptr("_http._tcp.local", WEB)),
        ),
        // 6763-6.1-6
        case(
            rule::TXT_EMPTY,
            [packet(0, "192.0.2.1", empty_txt())],
            told(txt(WEB, &[""])),
        ),
        // 6763-6.4-1, -5, -9, 6763-6.2-4
        case(
            rule::TXT_NO_KEY,
            told(txt(WEB, &["=x"])),
            told(txt(WEB, &["x="])),
        ),
        case(
            rule::TXT_BAD_KEY,
            told(txt(WEB, &["f\u{fc}=x"])),
            told(txt(WEB, &["f=\u{fc}"])),
        ),
        case(
            rule::TXT_KEY_TWICE,
            told(txt(WEB, &["a=1", "A=2"])),
            told(txt(WEB, &["a=1", "aa"])),
        ),
        case(
            rule::TXT_SIZE,
            told(txt(WEB, &large)),
            told(txt(WEB, &large[..5])),
        ),
        // 6763-4.1.1-2
        case(
            rule::NAME_CONTROL,
            told(called(b"We\nb")),
            told(called("W\u{eb}b".as_bytes())),
        ),
        // 6762-16-1, 6762-16-2
        case(
            rule::NAME_NFC,
            told(called("e\u{301}".as_bytes())),
            told(called("\u{e9}".as_bytes())),
        ),
        case(
            rule::NAME_NFC,
            told(called(b"caf\xe9")),
            told(called(b"cafe")),
        ),
        case(
            rule::NAME_BOM,
            told(called("\u{feff}Web".as_bytes())),
            told(called(b"Web")),
        ),
        // 6763-7-3, 6763-7-4
        case(
            rule::TYPE_LONG,
            told(typed("_abcdefghijklmnop")),
            told(typed("_abcdefghijklmno")),
        ),
        case(
            rule::TYPE_LETTERS,
            told(typed("_a--b")),
            told(typed("_a-b")),
        ),
    ]
}
