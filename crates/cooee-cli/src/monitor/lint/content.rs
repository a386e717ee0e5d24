//! What records say, each for itself: lifetimes, TXT, names.

use cooee::ServiceType;
use cooee::wire::{Data, NameBuf, RecordBuf, RecordType};
use unicode_normalization::is_nfc;

use super::report::Report;
use super::rule;
use crate::monitor::names::{Service, is_reverse};
use crate::monitor::packet::PORT;
use crate::monitor::seen::Seen;

/// More than this does not fit into one packet with the rest.
// RFC 6763 §6.2 (6763-6.2-4)
const LARGE_TXT: usize = 1_300;
/// The longest service name.
// RFC 6763 §7 (6763-7-3)
const LONGEST_TYPE: usize = 15;

pub(super) fn look(seen: &Seen<'_>, report: &mut Report) {
    for question in &seen.decoded.questions {
        service_type(seen, report, (&question.name, question.kind));
    }
    for (_, record) in seen.decoded.data() {
        let about = (&record.name, record.kind());
        service_type(seen, report, about);
        // What is listed as known is for its owner to answer for.
        if !seen.decoded.is_response() && !seen.decoded.is_probe() {
            continue;
        }
        text(seen, report, about, &record.name);
        if let Ok(Data::Ptr(target)) = record.rdata.decode()
            && let Ok(target) = NameBuf::try_from(target)
        {
            text(seen, report, about, &target);
        }
        if record.kind() == RecordType::TXT {
            txt(seen, report, record);
        }
        if seen.decoded.is_response() && seen.packet.destination.port() == PORT {
            lifetime(seen, report, record);
        }
    }
}

fn lifetime(seen: &Seen<'_>, report: &mut Report, record: &RecordBuf) {
    let kind = record.kind();
    let (advised, rule) = match kind {
        RecordType::A | RecordType::AAAA | RecordType::HINFO | RecordType::SRV => {
            (120, rule::TTL_HOST)
        }
        RecordType::PTR if is_reverse(&record.name) => (120, rule::TTL_HOST),
        RecordType::PTR | RecordType::TXT => (4_500, rule::TTL_OTHER),
        _ => return,
    };
    if record.ttl != 0 && record.ttl != advised {
        let text = format!("TTL {} where {advised} is advised", record.ttl);
        report.add_named(seen, rule, (&record.name, kind), text);
    }
}

fn txt(seen: &Seen<'_>, report: &mut Report, record: &RecordBuf) {
    let about = (&record.name, RecordType::TXT);
    let size = record.rdata.octets().len();
    if size == 0 {
        report.add_named(seen, rule::TXT_EMPTY, about, "TXT record of length 0");
    }
    // Other names may have TXT records of another form.
    if Service::of(&record.name).is_none() {
        return;
    }
    if size > LARGE_TXT {
        let text = format!("TXT record of {size} bytes; {LARGE_TXT} are too many to be sure");
        report.add_named(seen, rule::TXT_SIZE, about, text);
    }
    let Ok(Data::Txt(txt)) = record.rdata.decode() else {
        return;
    };
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for string in txt.strings().filter(|string| !string.is_empty()) {
        let key = string
            .split(|octet| *octet == b'=')
            .next()
            .unwrap_or_default();
        if key.is_empty() {
            report.add_named(seen, rule::TXT_NO_KEY, about, "TXT string without a key");
        } else if key.iter().any(|octet| !(0x20..=0x7E).contains(octet)) {
            let text = format!(
                "TXT key '{}' has a character it may not have",
                crate::escape::octets(key)
            );
            report.add_named(seen, rule::TXT_BAD_KEY, about, text);
        } else {
            keys.push(key.to_ascii_lowercase());
        }
    }
    keys.sort_unstable();
    let twice = keys.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(one),
        _ => None,
    });
    if let Some(key) = twice {
        let text = format!("TXT key '{}' stands twice", crate::escape::octets(key));
        report.add_named(seen, rule::TXT_KEY_TWICE, about, text);
    }
}

fn text(seen: &Seen<'_>, report: &mut Report, about: (&NameBuf, RecordType), name: &NameBuf) {
    let instance = Service::of(name).and_then(|service| service.instance);
    if instance.is_some_and(|instance| instance.iter().any(u8::is_ascii_control)) {
        report.add_named(
            seen,
            rule::NAME_CONTROL,
            about,
            "control character in an instance name",
        );
    }
    for label in name.labels() {
        match str::from_utf8(label) {
            Err(_) => {
                report.add_named(seen, rule::NAME_NFC, about, "name that is not UTF-8");
            }
            Ok(text) if text.contains('\u{FEFF}') => {
                report.add_named(seen, rule::NAME_BOM, about, "byte order mark in a name");
            }
            Ok(text) if !is_nfc(text) => {
                report.add_named(
                    seen,
                    rule::NAME_NFC,
                    about,
                    "name that is not precomposed (NFC)",
                );
            }
            Ok(_) => {}
        }
    }
}

fn service_type(seen: &Seen<'_>, report: &mut Report, about: (&NameBuf, RecordType)) {
    let Some(service) = Service::of(about.0) else {
        return;
    };
    let length = service.name.len().saturating_sub(1);
    if length > LONGEST_TYPE {
        let text = format!("service name of {length} characters; {LONGEST_TYPE} are the most");
        report.add_named(seen, rule::TYPE_LONG, about, text);
        return;
    }
    let kind = ServiceType::from_labels(&service.name, &service.protocol);
    if !kind.is_some_and(|kind| kind.is_conformant()) {
        let text = "service name that is not of letters, digits and single hyphens";
        report.add_named(seen, rule::TYPE_LETTERS, about, text);
    }
}
