//! Which questions are answered, and with how much.

use cooee_wire::{Class, NameBuf, RecordType};

use super::standing;
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::name;
use crate::stage::{Stage, Stop};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-6-4/answers-by-type",
        &["6762-6-4", "6762-6-7"],
        "a question for each record of the service is answered with that record",
        "",
        answers_by_type,
    ),
    standing(
        "6762-6.5-1/any-of-instance",
        &["6762-6.5-1", "6762-6.5-2"],
        "type ANY for the instance is answered with SRV and TXT",
        "",
        any_of_instance,
    ),
    standing(
        "6762-6.5-1/any-of-host",
        &["6762-6.5-1", "6762-6.5-2"],
        "type ANY for the host is answered with its addresses of both families",
        "no IPv6 address, of which it tells by IPv6 alone: warn",
        any_of_host,
    ),
    standing(
        "6762-6-5/class-any",
        &["6762-6-5", "6762-6.5-1"],
        "class ANY is answered",
        "",
        class_any,
    ),
    standing(
        "6762-6-5/class-of-others",
        &["6762-6-5", "6762-6-6"],
        "a class in which it has nothing is not answered with records of class IN",
        "an IN record within 1 s, two times of two: fail",
        class_of_others,
    ),
    standing(
        "6762-16-5/case",
        &["6762-16-5", "4343-3-1"],
        "names are compared without regard to case",
        "",
        case,
    ),
    standing(
        "6762-18.6-2/header-bits-ignored",
        &[
            "6762-18.1-5",
            "6762-18.4-1",
            "6762-18.6-2",
            "6762-18.7-1",
            "6762-18.8-1",
            "6762-18.9-1",
            "6762-18.10-1",
        ],
        "a query with an id and with AA, RD, RA, Z, AD and CD set is answered",
        "",
        header_bits_ignored,
    ),
    standing(
        "6762-18.3-2/opcode-ignored",
        &["6762-18.3-2"],
        "a query with an opcode is not answered",
        "answered within 1 s, two times of two: fail",
        opcode_ignored,
    ),
    standing(
        "6762-18.11-2/rcode-ignored",
        &["6762-18.11-2"],
        "a query with an error code is not answered",
        "answered within 1 s, two times of two: fail",
        rcode_ignored,
    ),
    standing(
        "6762-6.3-1/several-questions",
        &["6762-6.3-1"],
        "all questions of a query are answered",
        "within 1.5 s; otherwise: fail",
        several_questions,
    ),
    standing(
        "6762-6-2/only-own-records",
        &["6762-6-1", "6762-6-2", "6762-6-3"],
        "what others announced is never in its answers",
        "",
        only_own_records,
    ),
    standing(
        "6762-20-2/answers-by-ipv6",
        &["6762-20-2", "6762-6-26"],
        "a query by IPv6 is answered by IPv6",
        "only by IPv4, or not at all: warn",
        answers_by_ipv6,
    ),
];

fn answers_by_type(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for (name, kind) in [
        (&service.kind, RecordType::PTR),
        (&service.instance, RecordType::SRV),
        (&service.instance, RecordType::TXT),
        (&service.host, RecordType::A),
    ] {
        let answer = stage.answer_to(&Outgoing::question(name, kind), name, kind);
        if let Err(Stop::Fail(text)) = answer {
            stage.fail(text);
        }
    }
    Ok(())
}

/// Which of these are not answered within a time, in one packet or in several.
fn unanswered<'n>(
    stage: &Stage<'_>,
    query: &Outgoing,
    wanted: &[(&'n NameBuf, RecordType)],
) -> Result<Vec<(&'n NameBuf, RecordType)>, Stop> {
    stage.rest();
    let asked = stage.send(query)?;
    let mut missing = wanted.to_vec();
    missing.retain(|(name, kind)| {
        let found = stage.first(asked, 1500, |packet| {
            packet.contents.record(name, *kind).is_some()
        });
        found.is_none()
    });
    Ok(missing)
}

fn must_all_be_answered(
    stage: &mut Stage<'_>,
    query: &Outgoing,
    wanted: &[(&NameBuf, RecordType)],
) -> Result<(), Stop> {
    for (name, kind) in unanswered(stage, query, wanted)? {
        stage.fail(format!("no {name} {kind} within 1.5 s"));
    }
    Ok(())
}

fn any_of_instance(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::ANY);
    let wanted = [RecordType::SRV, RecordType::TXT].map(|kind| (&service.instance, kind));
    must_all_be_answered(stage, &query, &wanted)
}

fn any_of_host(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.host, RecordType::ANY);
    let mut wanted = vec![(&service.host, RecordType::A)];
    // A host without IPv6 shows that by never having announced any.
    let mut heard = stage.link.since(service.asked);
    heard.retain(|packet| {
        let record = packet.contents.record(&service.host, RecordType::AAAA);
        !packet.ours && record.is_some()
    });
    if !heard.is_empty() {
        wanted.push((&service.host, RecordType::AAAA));
    }
    // RFC 6762 §20: each family can be a zone of its own, with its own addresses.
    let apart = !heard.iter().any(Packet::is_v4);
    for (name, kind) in unanswered(stage, &query, &wanted)? {
        let text = format!("no {name} {kind} within 1.5 s");
        if apart && kind == RecordType::AAAA {
            stage.warn(text);
        } else {
            stage.fail(text);
        }
    }
    Ok(())
}

fn class_any(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV).class(Class::ANY);
    must_all_be_answered(stage, &query, &[(&service.instance, RecordType::SRV)])
}

/// The query is not answered, but the same question without what is wrong with it is.
fn must_be_ignored(stage: &mut Stage<'_>, query: &Outgoing) -> Result<(), Stop> {
    let service = stage.service()?;
    let answers = |packet: &Packet| {
        let answer = packet.contents.answer(&service.instance, RecordType::SRV);
        answer.is_some()
    };
    if let Some((delay, _)) = stage.reply_to(|stage| stage.send(query), 1000, answers)? {
        let millis = delay.as_secs_f64() * 1000.0;
        stage.fail(format!("answered after {millis:.1} ms, and so once before"));
    }
    let plain = Outgoing::question(&service.instance, RecordType::SRV);
    stage.given_answer_to(&plain, &service.instance, RecordType::SRV)?;
    Ok(())
}

fn class_of_others(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV).class(Class::CH);
    must_be_ignored(stage, &query)
}

fn case(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for (asked, owner, kind) in [
        (&service.kind, &service.kind, RecordType::PTR),
        (&service.instance, &service.instance, RecordType::SRV),
    ] {
        let labels = asked.labels().map(|label| {
            let turned = label.iter().map(|octet| match octet {
                b'a'..=b'z' => octet.to_ascii_uppercase(),
                _ => octet.to_ascii_lowercase(),
            });
            turned.collect::<Vec<u8>>()
        });
        let other_case = NameBuf::from_labels(labels).unwrap_or_else(|_| NameBuf::root());
        // Names are equal without regard to case here too.
        must_all_be_answered(
            stage,
            &Outgoing::question(&other_case, kind),
            &[(owner, kind)],
        )?;
    }
    Ok(())
}

fn header_bits_ignored(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV)
        .id(0x5353)
        .bits(0x05f0);
    must_all_be_answered(stage, &query, &[(&service.instance, RecordType::SRV)])
}

fn opcode_ignored(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    must_be_ignored(
        stage,
        &Outgoing::question(&service.instance, RecordType::SRV).bits(0x2000),
    )
}

fn rcode_ignored(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    must_be_ignored(
        stage,
        &Outgoing::question(&service.instance, RecordType::SRV).bits(0x0003),
    )
}

fn several_questions(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let wanted = [
        (&service.kind, RecordType::PTR),
        (&service.instance, RecordType::TXT),
        (&service.host, RecordType::A),
    ];
    let query = wanted
        .iter()
        .fold(Outgoing::query(), |query, (name, kind)| {
            query.ask(name, *kind)
        });
    must_all_be_answered(stage, &query, &wanted)
}

fn only_own_records(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let foreign = crate::service::Service::instance("Somebody Else");
    let rdata = cooee_wire::RdataBuf::ptr(foreign.as_name());
    let ptr = cooee_wire::RecordBuf::new(service.kind.clone(), 4500, rdata);
    let announcement = Outgoing::response()
        .answer(ptr.clone())
        .answer(crate::service::foreign_srv(&foreign));
    stage.send(&announcement)?;
    let query = Outgoing::question(&service.kind, RecordType::PTR);
    let (asked, _) = stage.given_answer_to(&query, &service.kind, RecordType::PTR)?;
    let host = name(&["cooee-tester", "local"]);
    for packet in stage.heard(asked, 700) {
        let foreign_record = packet.contents.all().find(|record| {
            record.rdata == ptr.rdata || record.name == foreign || record.name == host
        });
        if let (true, Some(record)) = (packet.contents.is_response(), foreign_record) {
            stage.fail(format!("it sent {record}"));
        }
    }
    Ok(())
}

fn answers_by_ipv6(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let source = stage
        .link
        .v6_host()
        .ok_or_else(|| Stop::NotApplicable("the tester has no link-local IPv6 address".into()))?;
    stage.rest();
    let query = Outgoing::question(&service.instance, RecordType::SRV).build();
    let group = (crate::GROUP_V6, crate::PORT).into();
    let asked = stage
        .link
        .send(crate::link::From::Mdns, source, group, &query)?;
    let answered = |v6: bool| {
        stage
            .link
            .wait_for(asked, asked + crate::stage::ms(1500), |packet| {
                let answer = packet.contents.answer(&service.instance, RecordType::SRV);
                (packet.is_v4() != v6 && answer.is_some()).then_some(packet.at - asked)
            })
    };
    match (answered(true), answered(false)) {
        (Some(delay), _) => stage.saw(format!("after {:.1} ms", delay.as_secs_f64() * 1000.0)),
        (None, Some(_)) => stage.warn("answered by IPv4 only"),
        (None, None) => stage.warn("not answered within 1.5 s"),
    }
    Ok(())
}
