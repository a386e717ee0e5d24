//! Service discovery: types, subtypes, odd names and attributes, many instances, large records.

use std::time::Duration;

use cooee_wire::{NameBuf, RdataBuf, RecordType};

use super::{fresh, standing};
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::{Service, name};
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6763-9-1/service-types",
        &["6763-9-1"],
        "the question for service types is answered with the type, without flush bit",
        "",
        service_types,
    ),
    fresh(
        "6763-7.1-1/subtype",
        &["6763-7.1-1", "6763-7.1-2", "6763-7.1-4"],
        "a subtype is answered with the instance under its base type",
        "in the additional section only: warn; not within 1.5 s: fail",
        subtype,
    ),
    fresh(
        "6763-7.1-3/type-beside-subtype",
        &["6763-7.1-3"],
        "an instance with a subtype is found by its type all the same",
        "not within 1.5 s: fail",
        type_beside_subtype,
    ),
    fresh(
        "6763-7.1-2/subtype-is-no-type",
        &["6763-7.1-2", "6763-9-2"],
        "a subtype is not among the service types",
        "",
        subtype_is_no_type,
    ),
    fresh(
        "6763-4.1.1-1/name-beyond-ascii",
        &["6763-4.1.1-1", "6763-4.1.1-3", "6763-4.1.1-8"],
        "an instance name with spaces and letters beyond ASCII goes out octet for octet",
        "one label with something else in it: warn; several labels, or nothing: fail",
        name_beyond_ascii,
    ),
    fresh(
        "6763-4.1.1-3/name-with-dots",
        &["6763-4.1.1-3", "6763-4.1.1-8", "6763-4.3-1"],
        "an instance name with dots is one label",
        "one label with something else for the dots: warn; several labels, or nothing: fail",
        name_with_dots,
    ),
    fresh(
        "6763-6.1-6/empty-txt",
        &["6763-6-1", "6763-6.1-5", "6763-6.1-6"],
        "a service without attributes has a TXT record of one zero octet",
        "asked for, if it is not announced within 10 s; none: fail",
        empty_txt,
    ),
    fresh(
        "6763-6.4-8/attribute-without-value",
        &["6763-6.4-8", "6763-6.4-11", "6763-6.4-12"],
        "an attribute without value goes out without equals sign",
        "asked for, if it is not announced within 10 s; none: fail",
        attribute_without_value,
    ),
    fresh(
        "6763-6.5-1/odd-values",
        &["6763-6.4-12", "6763-6.5-1", "6763-6.5-2", "6763-6.3-2"],
        "values that are empty, or have equals signs, quotes and letters beyond ASCII in them, go out as they are",
        "in another order: warn",
        odd_values,
    ),
    fresh(
        "6762-17-7/many-instances",
        &[
            "6762-17-2",
            "6762-17-6",
            "6762-17-7",
            "6762-18.5-3",
            "6762-6.5-2",
        ],
        "24 instances of a type are all answered for, in messages that fit the link, without TC",
        "one missing after 3 s, several records in a message that an MTU of 1500 fragments, or TC: fail",
        many_instances,
    ),
    fresh(
        "6762-17-6/large-record",
        &["6762-17-3", "6762-17-6", "6762-17-7"],
        "a record too large for a packet goes out alone",
        "not announced or not answered for: warn; with others in a message that an MTU of 1500 fragments: fail",
        large_record,
    ),
];

/// The largest payload that is not fragmented on Ethernet with IPv4.
const ONE_PACKET: usize = 1472;

fn service_types(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let types = name(&["_services", "_dns-sd", "_udp", "local"]);
    let query = Outgoing::question(&types, RecordType::PTR);
    let (_, packet) = stage.answer_to(&query, &types, RecordType::PTR)?;
    let wanted = RdataBuf::ptr(service.kind.as_name());
    let of_types: Vec<_> = packet
        .contents
        .answers()
        .filter(|record| record.name == types)
        .collect();
    stage.must(of_types.iter().any(|record| record.rdata == wanted), || {
        format!("{} is not among them", service.kind)
    });
    stage.must(of_types.iter().all(|record| !record.cache_flush), || {
        "with the cache-flush bit".into()
    });
    Ok(())
}

fn subtype_name() -> NameBuf {
    name(&[Service::SUBTYPE, "_sub", "_cooee-test", "_tcp", "local"])
}

/// A service with a subtype, announced and settled.
fn coloured(stage: &mut Stage<'_>) -> Result<Service, Stop> {
    let kinds = format!("{},{}", Service::TYPE, Service::SUBTYPE);
    let from = stage.publish("Coloured", &kinds, Service::TXT)?;
    let service = Service::announced(stage.link, "Coloured", from)?;
    stage.link.sleep_until(stage.link.now() + ms(1300));
    stage.rest();
    Ok(service)
}

fn subtype(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = coloured(stage)?;
    let subtype = subtype_name();
    let asked = stage.send(&Outgoing::question(&subtype, RecordType::PTR))?;
    let answer = stage.first(asked, 1500, |packet| {
        packet.contents.record(&subtype, RecordType::PTR).is_some()
    });
    let Some(packet) = answer else {
        return Err(Stop::Fail("not answered within 1.5 s".into()));
    };
    let proper = packet.contents.answer(&subtype, RecordType::PTR).is_some();
    stage.should(proper, || "in the additional section only".into());
    let wanted = RdataBuf::ptr(service.instance.as_name());
    let of_name = packet.contents.all();
    for record in of_name.filter(|record| record.name == subtype) {
        stage.must(record.rdata == wanted, || {
            format!("not the instance: {record}")
        });
    }
    Ok(())
}

fn type_beside_subtype(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = coloured(stage)?;
    let wanted = RdataBuf::ptr(service.instance.as_name());
    let asked = stage.send(&Outgoing::question(&service.kind, RecordType::PTR))?;
    let answer = stage.first(asked, 1500, |packet| {
        let mut records = packet.contents.all();
        records.any(|record| record.name == service.kind && record.rdata == wanted)
    });
    stage.must(answer.is_some(), || "not answered within 1.5 s".into());
    Ok(())
}

fn subtype_is_no_type(stage: &mut Stage<'_>) -> Result<(), Stop> {
    coloured(stage)?;
    let types = name(&["_services", "_dns-sd", "_udp", "local"]);
    let query = Outgoing::question(&types, RecordType::PTR);
    let (asked, _) = stage.given_answer_to(&query, &types, RecordType::PTR)?;
    let rdata = RdataBuf::ptr(subtype_name().as_name());
    for packet in stage.heard(asked, 600) {
        let mut answers = packet.contents.answers();
        stage.must(!answers.any(|record| record.rdata == rdata), || {
            "it is among them".into()
        });
    }
    Ok(())
}

fn name_beyond_ascii(stage: &mut Stage<'_>) -> Result<(), Stop> {
    is_announced_as(stage, "Höss & Söhne: 3½ ★")
}

fn name_with_dots(stage: &mut Stage<'_>) -> Result<(), Stop> {
    is_announced_as(stage, "Dr. No 2.0")
}

fn is_announced_as(stage: &mut Stage<'_>, label: &str) -> Result<(), Stop> {
    let from = stage.publish(label, Service::TYPE, Service::TXT)?;
    if Service::announced(stage.link, label, from).is_ok() {
        return Ok(());
    }
    let packets = stage.link.since(from);
    let srv = packets
        .iter()
        .filter(|packet| !packet.ours)
        .find_map(|packet| {
            let mut answers = packet.contents.answers();
            answers.find(|record| record.kind() == RecordType::SRV)
        });
    let Some(record) = srv else {
        return Err(Stop::Fail("not announced".into()));
    };
    let text = format!("announced {}", record.name);
    // Not the name that was given, but one that is found and resolved like any other.
    let kind = name(&["_cooee-test", "_tcp", "local"]);
    let is_one_label = record.name.parent() == Some(kind.as_name());
    if is_one_label {
        stage.warn(text);
    } else {
        stage.fail(text);
    }
    Ok(())
}

/// The TXT record of a service that is published with these attributes.
fn txt(stage: &mut Stage<'_>, label: &str, attributes: &[&str]) -> Result<Vec<u8>, Stop> {
    let from = stage.publish(label, Service::TYPE, attributes)?;
    let instance = Service::instance(label);
    let txt = |packet: &Packet| {
        let record = packet.contents.record(&instance, RecordType::TXT);
        record.map(|record| record.rdata.octets().to_vec())
    };
    let mut found = stage.link.wait_for(from, from + ms(10_000), txt);
    if found.is_none() {
        // An announcement that is missing says nothing about what would have been in it.
        let asked = stage.send(&Outgoing::question(&instance, RecordType::TXT))?;
        found = stage.link.wait_for(asked, asked + ms(2000), txt);
    }
    found.ok_or_else(|| Stop::Fail("a TXT record was neither announced nor answered for".into()))
}

fn empty_txt(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let octets = txt(stage, "Nothing to Say", &[])?;
    stage.must(octets == [0], || format!("TXT data {octets:02x?}"));
    Ok(())
}

fn attribute_without_value(stage: &mut Stage<'_>) -> Result<(), Stop> {
    are_announced(stage, "Flagged", &["flag"])
}

fn odd_values(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let attributes = ["empty=", "sum=1+1=2", "quoted=\"x\"", "umlaut=ä"];
    are_announced(stage, "Odd Attributes", &attributes)
}

fn are_announced(stage: &mut Stage<'_>, label: &str, attributes: &[&str]) -> Result<(), Stop> {
    let octets = txt(stage, label, attributes)?;
    let wanted: Vec<u8> = attributes
        .iter()
        .flat_map(|text| std::iter::once(text.len() as u8).chain(text.bytes()))
        .collect();
    judge_txt(stage, &octets, &wanted, || {
        format!("TXT data \"{}\"", octets.escape_ascii())
    });
    Ok(())
}

/// Other strings than wanted are a failure. The same in another order are not: RFC 6763 §6.7 recommends one place alone, the first.
pub(super) fn judge_txt(
    stage: &mut Stage<'_>,
    octets: &[u8],
    wanted: &[u8],
    otherwise: impl FnOnce() -> String,
) {
    if octets == wanted {
        return;
    }
    if sorted_strings(octets) == sorted_strings(wanted) {
        stage.warn(otherwise());
    } else {
        stage.fail(otherwise());
    }
}

fn sorted_strings(mut octets: &[u8]) -> Vec<&[u8]> {
    let mut strings = Vec::new();
    while let Some((&len, rest)) = octets.split_first() {
        let len = usize::from(len).min(rest.len());
        let (string, rest) = rest.split_at(len);
        strings.push(string);
        octets = rest;
    }
    strings.sort_unstable();
    strings
}

/// No message is fragmented but with a single record, none has TC, none is larger than allowed.
fn judge_sizes(stage: &mut Stage<'_>, packets: &[Packet]) {
    let mut largest = 0;
    for packet in packets
        .iter()
        .filter(|packet| packet.contents.is_response())
    {
        let (size, records) = (packet.octets.len(), packet.contents.records.len());
        largest = largest.max(size);
        stage.must(size <= ONE_PACKET || records <= 1, || {
            format!("{size} octets with {records} records")
        });
        stage.must(size <= 8972, || format!("{size} octets"));
        stage.must(!packet.contents.flags.is_truncated(), || {
            format!("TC in a response of {size} octets")
        });
    }
    stage.saw(format!(
        "{} messages, the largest of {largest} octets",
        packets.len()
    ));
}

fn many_instances(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let labels: Vec<String> = (1..=24)
        .map(|number| format!("Member {number} of a large family"))
        .collect();
    let note = format!("note={}", "x".repeat(120));
    let from = stage.link.now();
    for label in &labels {
        stage.publish(label, Service::TYPE, &[&note])?;
    }
    let last = labels
        .last()
        .map(|label| Service::instance(label))
        .unwrap_or_else(NameBuf::root);
    let announced = stage.first(from, 60_000, |packet| {
        packet.contents.record(&last, RecordType::SRV).is_some()
    });
    if announced.is_none() {
        let text = format!("{last} was not announced within 60 s");
        return Err(Stop::NotApplicable(text));
    }
    stage.link.sleep_until(stage.link.now() + ms(3000));
    stage.rest();
    let kind = name(&["_cooee-test", "_tcp", "local"]);
    let asked = stage.send(&Outgoing::question(&kind, RecordType::PTR))?;
    let packets = stage.heard(asked, 3000);
    let missing = labels.iter().filter(|label| {
        let rdata = RdataBuf::ptr(Service::instance(label).as_name());
        !packets.iter().any(|packet| {
            packet
                .contents
                .answers()
                .any(|record| record.rdata == rdata)
        })
    });
    let missing = missing.count();
    stage.must(missing == 0, || {
        format!("{missing} of 24 instances were not answered for")
    });
    let all: Vec<Packet> = stage
        .link
        .since(from)
        .into_iter()
        .filter(|packet| !packet.ours && packet.is_v4())
        .collect();
    judge_sizes(stage, &all);
    Ok(())
}

fn large_record(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let attributes: Vec<String> = (0..8)
        .map(|number| format!("key{number}={}", "y".repeat(240)))
        .collect();
    let attributes: Vec<&str> = attributes.iter().map(String::as_str).collect();
    let from = stage.link.now();
    let Ok(octets) = txt(stage, "Large", &attributes) else {
        stage.warn("the TXT record was not announced within 10 s");
        return Ok(());
    };
    stage.saw(format!("TXT data of {} octets", octets.len()));
    stage
        .link
        .sleep_until(stage.link.now() + Duration::from_secs(2));
    let instance = Service::instance("Large");
    stage.rest();
    let asked = stage.send(&Outgoing::question(&instance, RecordType::TXT))?;
    let answer = stage.first(asked, 1500, |packet| {
        packet.contents.answer(&instance, RecordType::TXT).is_some()
    });
    stage.should(answer.is_some(), || {
        "the TXT record was not answered for within 1.5 s".into()
    });
    let all: Vec<Packet> = stage
        .link
        .since(from)
        .into_iter()
        .filter(|packet| !packet.ours && packet.is_v4())
        .collect();
    judge_sizes(stage, &all);
    Ok(())
}
