//! What an answer brings with it, and how its records are marked.

use std::net::IpAddr;

use cooee_wire::{Data, Flags, RecordType};

use super::standing;
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::Service;
use crate::stage::{Stage, Stop};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-6.2-1/all-addresses",
        &["6762-6.2-1", "6762-6.2-3"],
        "an answer with an address holds all addresses of that family on the link",
        "one of several IPv6 addresses missing: warn; an IPv4 address missing: fail",
        all_addresses,
    ),
    standing(
        "6762-6.2-2/no-address-of-other-links",
        &["6762-6.2-2", "6762-14-4"],
        "no address of another interface is sent",
        "",
        no_address_of_other_links,
    ),
    standing(
        "6762-6.2-4/other-family",
        &["6762-6.2-4", "6762-6.2-5", "6762-E-2"],
        "an answer with IPv4 addresses brings the IPv6 addresses, or an NSEC record that says there are none",
        "neither: warn",
        other_family,
    ),
    standing(
        "6762-10.2-8/flush-on-unique",
        &["6762-10.2-6", "6762-10.2-8", "6762-10.2-10"],
        "unique records in answers have the cache-flush bit",
        "",
        flush_on_unique,
    ),
    standing(
        "6762-10.2-14/no-flush-on-shared",
        &["6762-10.2-14"],
        "shared records in answers do not have the cache-flush bit",
        "",
        no_flush_on_shared,
    ),
    standing(
        "6762-18.4-2/answer-header",
        &[
            "6762-18.1-5",
            "6762-18.4-2",
            "6762-18.6-1",
            "6762-6-12",
            "6762-6-24",
            "6762-11-1",
        ],
        "an answer has id 0, flags 0x8400, no question, source port 5353 and IP TTL 255",
        "RD, another IP TTL: warn; anything else: fail",
        answer_header,
    ),
    standing(
        "6762-6-26/answers-by-multicast",
        &["6762-6-26", "6762-6-27"],
        "an ordinary question is answered to the group",
        "by unicast only: fail",
        answers_by_multicast,
    ),
    standing(
        "6763-12.1-1/additionals-of-ptr",
        &["6763-12.1-1", "6763-12.1-2", "6763-12.1-3", "6763-12-1"],
        "an answer with the PTR record brings SRV, TXT and addresses",
        "one missing: warn",
        additionals_of_ptr,
    ),
    standing(
        "6763-12.2-1/additionals-of-srv",
        &["6763-12.2-1", "6763-12-1"],
        "an answer with the SRV record brings the addresses of its host",
        "missing: warn",
        additionals_of_srv,
    ),
    standing(
        "6762-10-1/ttl-in-answers",
        &["6762-10-1", "6762-10-2"],
        "answers have the TTL of the announcements",
        "another: warn; zero: fail",
        ttl_in_answers,
    ),
];

/// The answer to a question for the service's record of this type.
fn answer(stage: &Stage<'_>, kind: RecordType) -> Result<Packet, Stop> {
    let service = stage.service()?;
    let name = match kind {
        RecordType::PTR => &service.kind,
        RecordType::A | RecordType::AAAA => &service.host,
        _ => &service.instance,
    };
    let (_, packet) = stage.given_answer_to(&Outgoing::question(name, kind), name, kind)?;
    Ok(packet)
}

fn addresses(packet: &Packet, service: &Service) -> Vec<IpAddr> {
    let of_host = packet
        .contents
        .all()
        .filter(|record| record.name == service.host);
    of_host
        .filter_map(|record| match record.rdata.decode() {
            Ok(Data::A(address)) => Some(IpAddr::V4(address)),
            Ok(Data::Aaaa(address)) => Some(IpAddr::V6(address)),
            _ => None,
        })
        .collect()
}

fn all_addresses(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    if stage.place.subject_addresses.is_empty() {
        return Err(Stop::NotApplicable(
            "the tester was not told the subject's addresses".into(),
        ));
    }
    let packet = answer(stage, RecordType::A)?;
    let told = addresses(&packet, service);
    for own in stage
        .place
        .subject_addresses
        .iter()
        .filter(|own| own.is_ipv4())
    {
        stage.must(told.contains(own), || format!("{own} is missing"));
    }
    let (asked, name) = (
        Outgoing::question(&service.host, RecordType::AAAA),
        &service.host,
    );
    let Ok((_, packet)) = stage.answer_to(&asked, name, RecordType::AAAA) else {
        stage.saw("it has no IPv6 address to tell");
        return Ok(());
    };
    let told = addresses(&packet, service);
    for own in stage
        .place
        .subject_addresses
        .iter()
        .filter(|own| own.is_ipv6())
    {
        stage.should(told.contains(own), || format!("{own} is missing"));
    }
    Ok(())
}

fn no_address_of_other_links(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let mut told = addresses(&answer(stage, RecordType::A)?, service);
    let heard = stage.link.since(service.asked);
    let heard = heard
        .iter()
        .filter(|packet| !packet.ours && packet.contents.is_response());
    told.extend(heard.flat_map(|packet| addresses(packet, service)));
    told.sort_unstable();
    told.dedup();
    for address in told {
        let known = if stage.place.subject_addresses.is_empty() {
            stage.link.is_on_link(address)
        } else {
            stage.place.subject_addresses.contains(&address)
        };
        stage.must(known, || {
            format!("{address} is not an address of this link")
        });
    }
    Ok(())
}

fn other_family(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let packet = answer(stage, RecordType::A)?;
    let v6 = packet
        .contents
        .record(&service.host, RecordType::AAAA)
        .is_some();
    let nsec = packet
        .contents
        .record(&service.host, RecordType::NSEC)
        .is_some();
    stage.should(v6 || nsec, || "the answer has neither AAAA nor NSEC".into());
    Ok(())
}

fn flush_on_unique(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for kind in [
        RecordType::SRV,
        RecordType::A,
        RecordType::TXT,
        RecordType::PTR,
    ] {
        let packet = answer(stage, kind)?;
        for record in packet.contents.all() {
            let is_unique = record.name == service.instance || record.name == service.host;
            if is_unique {
                stage.must(record.cache_flush, || format!("without the bit: {record}"));
            }
        }
    }
    Ok(())
}

fn no_flush_on_shared(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let packet = answer(stage, RecordType::PTR)?;
    for record in packet
        .contents
        .all()
        .filter(|record| record.name == service.kind)
    {
        stage.must(!record.cache_flush, || format!("with the bit: {record}"));
    }
    Ok(())
}

fn answer_header(stage: &mut Stage<'_>) -> Result<(), Stop> {
    for kind in [RecordType::SRV, RecordType::PTR] {
        let packet = answer(stage, kind)?;
        let (id, flags) = (packet.contents.id, packet.contents.flags);
        stage.must(id == 0 || !packet.is_multicast(), || {
            format!("id {id:#06x}")
        });
        judge_flags(stage, flags);
        stage.must(packet.contents.questions.is_empty(), || {
            "it has a question".into()
        });
        stage.must(packet.source.port() == crate::PORT, || {
            format!("sent from {}", packet.source)
        });
        stage.should(packet.hop_limit == Some(255), || {
            format!("IP TTL {:?}", packet.hop_limit)
        });
    }
    Ok(())
}

/// A response has QR and AA, and nothing else; against RD there is no more than a SHOULD.
// RFC 6762 §18.6 (6762-18.6-1)
pub(super) fn judge_flags(stage: &mut Stage<'_>, flags: Flags) {
    let bits = flags.bits();
    stage.should(!flags.recursion_desired(), || {
        format!("RD is set: flags {bits:#06x}")
    });
    stage.must(bits & !0x0100 == 0x8400, || {
        format!("flags {bits:#06x}, not 0x8400")
    });
}

fn answers_by_multicast(stage: &mut Stage<'_>) -> Result<(), Stop> {
    for kind in [RecordType::SRV, RecordType::PTR] {
        let packet = answer(stage, kind)?;
        stage.must(packet.is_multicast(), || {
            format!("{kind} was answered to {}", packet.destination)
        });
    }
    Ok(())
}

fn additionals_of_ptr(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let packet = answer(stage, RecordType::PTR)?;
    for kind in [RecordType::SRV, RecordType::TXT] {
        stage.should(
            packet.contents.record(&service.instance, kind).is_some(),
            || format!("no {kind}"),
        );
    }
    stage.should(!addresses(&packet, service).is_empty(), || {
        "no address".into()
    });
    Ok(())
}

fn additionals_of_srv(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let packet = answer(stage, RecordType::SRV)?;
    stage.should(!addresses(&packet, service).is_empty(), || {
        "no address".into()
    });
    Ok(())
}

fn ttl_in_answers(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for kind in [RecordType::SRV, RecordType::PTR] {
        let packet = answer(stage, kind)?;
        for record in packet.contents.all() {
            let wanted = match record.kind() {
                RecordType::SRV | RecordType::A | RecordType::AAAA => 120,
                RecordType::PTR | RecordType::TXT => 4500,
                _ => continue,
            };
            let own = [&service.kind, &service.instance, &service.host];
            if own.contains(&&record.name) {
                stage.must(record.ttl > 0, || {
                    format!("a goodbye in an answer: {record}")
                });
                stage.should(record.ttl == wanted, || {
                    format!("{} has TTL {}", record.kind(), record.ttl)
                });
            }
        }
    }
    Ok(())
}
