//! Answers by unicast: to questions that ask for it, to queries sent straight to the subject, to conventional resolvers.

use std::net::IpAddr;
use std::time::Duration;

use cooee_wire::{Data, RecordType};

use super::contents::judge_flags;
use super::{fresh, standing};
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-5.4-8/unicast-question",
        &["6762-5.4-1", "6762-5.4-8", "6762-18.12-1"],
        "a question with the unicast-response bit, for what was multicast just now, is answered by unicast",
        "by multicast only: warn; not at all: fail",
        unicast_question,
    ),
    fresh(
        "6762-5.4-9/unicast-question-after-a-quarter",
        &["6762-5.4-9"],
        "a question with that bit, for what was not multicast within a quarter of its TTL, is answered by multicast",
        "by unicast only: warn; not at all: fail",
        unicast_question_after_a_quarter,
    ),
    standing(
        "6762-5.4-11/unicast-answer-like-multicast",
        &[
            "6762-5.4-11",
            "6762-10.2-11",
            "6762-18.4-2",
            "6762-18.6-1",
            "6762-6-24",
        ],
        "a unicast answer to port 5353 has the cache-flush bit, flags 0x8400 and source port 5353",
        "RD: warn; anything else: fail",
        unicast_answer_like_multicast,
    ),
    standing(
        "6762-5.5-1/direct-query",
        &["6762-5.5-1", "6762-5.5-2"],
        "a query sent straight to the subject is answered",
        "not within 1.5 s: warn",
        direct_query,
    ),
    standing(
        "6762-5.5-2/direct-query-from-elsewhere",
        &["6762-5.5-2", "6762-11-3", "6762-11-6"],
        "a query sent straight to the subject from another network is not answered",
        "answered within 1.5 s, two times of two: warn",
        direct_query_from_elsewhere,
    ),
    standing(
        "6762-11-7/multicast-query-from-elsewhere",
        &["6762-11-6", "6762-11-7"],
        "a multicast query with the unicast-response bit from another network is answered by multicast",
        "not by multicast: warn",
        multicast_query_from_elsewhere,
    ),
    standing(
        "6762-6.7-2/legacy-query",
        &["6762-6.7-1", "6762-6.7-2", "6762-6.7-3", "6762-6-24"],
        "a query from another port is answered to that port, from port 5353",
        "not within 1.5 s: fail",
        legacy_query,
    ),
    standing(
        "6762-6.7-4/legacy-id-and-question",
        &["6762-6.7-4", "6762-18.1-6"],
        "that answer has the id and the question of the query",
        "",
        legacy_id_and_question,
    ),
    standing(
        "6762-6.7-5/legacy-without-flush",
        &["6762-6.7-5", "6762-10.2-12"],
        "that answer has no cache-flush bit",
        "",
        legacy_without_flush,
    ),
    standing(
        "6762-6.7-6/legacy-ttl",
        &["6762-6.7-6"],
        "that answer has TTLs of 10 seconds at most",
        "higher: warn",
        legacy_ttl,
    ),
    standing(
        "6762-18.14-10/legacy-srv-uncompressed",
        &["6762-18.14-10"],
        "that answer has no compressed name in SRV data",
        "",
        legacy_srv_uncompressed,
    ),
    standing(
        "6891-6.1.1-3/legacy-edns",
        &["6891-6.1.1-3", "6891-7-1"],
        "that answer has an OPT record if and only if the query has one",
        "OPT without one in the query: fail; none with one: warn",
        legacy_edns,
    ),
    standing(
        "6762-6.7-3/legacy-shared",
        &["6762-6.7-2", "6762-6.7-3"],
        "a query for PTR from another port is answered too",
        "not within 1.5 s: fail",
        legacy_shared,
    ),
];

/// Whether answers came by unicast and by multicast within 1.5 seconds.
fn ways(
    stage: &Stage<'_>,
    asked: Duration,
    name: &cooee_wire::NameBuf,
    kind: RecordType,
) -> (bool, bool) {
    let by = |multicast: bool| {
        stage.first(asked, 1500, |packet| {
            packet.is_multicast() == multicast && packet.contents.answer(name, kind).is_some()
        })
    };
    // One way is enough to go on; the other gets a moment more.
    let unicast = by(false).is_some();
    (unicast, by(true).is_some())
}

fn unicast_question(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    // Now it has been multicast.
    stage.answer_to(&query, &service.instance, RecordType::SRV)?;
    stage.rest();
    let asked = stage.send(&query.unicast())?;
    match ways(stage, asked, &service.instance, RecordType::SRV) {
        (true, multicast) => stage.saw(if multicast { "both ways" } else { "by unicast" }),
        (false, true) => stage.warn("by multicast only"),
        (false, false) => stage.fail("not answered within 1.5 s"),
    }
    Ok(())
}

fn unicast_question_after_a_quarter(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Quarter")?;
    let ttl = service.srv.ttl;
    if ttl > 140 {
        return Err(Stop::NotApplicable(format!(
            "its SRV record lives {ttl} s; a quarter is too long to wait"
        )));
    }
    let last = stage
        .link
        .since(Duration::ZERO)
        .into_iter()
        .rev()
        .find(|packet| {
            !packet.ours
                && packet
                    .contents
                    .record(&service.instance, RecordType::SRV)
                    .is_some()
        });
    let last = last.map_or(stage.link.now(), |packet| packet.at);
    let wait = Duration::from_secs(u64::from(ttl)) / 4 + ms(1500);
    stage.link.sleep_until(last + wait);
    let query = Outgoing::question(&service.instance, RecordType::SRV).unicast();
    let asked = stage.send(&query)?;
    match ways(stage, asked, &service.instance, RecordType::SRV) {
        (unicast, true) => stage.saw(if unicast { "both ways" } else { "by multicast" }),
        (true, false) => stage.warn("by unicast only"),
        (false, false) => stage.fail("not answered within 1.5 s"),
    }
    Ok(())
}

fn unicast_answer_like_multicast(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    stage.answer_to(&query, &service.instance, RecordType::SRV)?;
    stage.rest();
    let asked = stage.send(&query.unicast())?;
    let answer = stage.first(asked, 1500, |packet| {
        !packet.is_multicast()
            && packet
                .contents
                .answer(&service.instance, RecordType::SRV)
                .is_some()
    });
    let Some(packet) = answer else {
        return Err(Stop::NotApplicable("it did not answer by unicast".into()));
    };
    for record in packet
        .contents
        .all()
        .filter(|record| record.name == service.instance)
    {
        stage.must(record.cache_flush, || format!("without the bit: {record}"));
    }
    judge_flags(stage, packet.contents.flags);
    stage.must(packet.source.port() == crate::PORT, || {
        format!("sent from {}", packet.source)
    });
    Ok(())
}

fn direct_query(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    let asked = stage.send_unicast(stage.link.host(0)?, &query)?;
    let answer = stage.first(asked, 1500, |packet| {
        packet
            .contents
            .answer(&service.instance, RecordType::SRV)
            .is_some()
    });
    match answer {
        Some(packet) => stage.saw(format!("answered to {}", packet.destination)),
        None => stage.warn("not answered within 1.5 s"),
    }
    Ok(())
}

fn stranger(stage: &Stage<'_>) -> Result<IpAddr, Stop> {
    let stranger = stage.link.stranger().map(IpAddr::V4);
    stranger
        .ok_or_else(|| Stop::NotApplicable("the tester has no address of another network".into()))
}

fn direct_query_from_elsewhere(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let source = stranger(stage)?;
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    let answers = |packet: &Packet| {
        let answer = packet.contents.answer(&service.instance, RecordType::SRV);
        answer.is_some()
    };
    let ask = |stage: &Stage<'_>| stage.send_unicast(source, &query);
    if let Some((_, packet)) = stage.reply_to(ask, 1500, answers)? {
        stage.warn(format!("twice answered to {}", packet.destination));
    }
    Ok(())
}

fn multicast_query_from_elsewhere(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let source = stranger(stage)?;
    stage.rest();
    let query = Outgoing::question(&service.instance, RecordType::SRV).unicast();
    let group = (crate::GROUP_V4, crate::PORT).into();
    let asked = stage
        .link
        .send(crate::link::From::Mdns, source, group, &query.build())?;
    match ways(stage, asked, &service.instance, RecordType::SRV) {
        (_, true) => {}
        (true, false) => stage.warn("by unicast only"),
        (false, false) => stage.warn("not answered within 1.5 s"),
    }
    Ok(())
}

/// A legacy query for the SRV record, and the answer that came to its port.
fn legacy(stage: &Stage<'_>, query: &Outgoing, kind: RecordType) -> Result<Packet, Stop> {
    let service = stage.service()?;
    let name = if kind == RecordType::PTR {
        &service.kind
    } else {
        &service.instance
    };
    stage.rest();
    let asked = stage.send_legacy(query)?;
    let port = stage.link.legacy_port();
    let answer = stage.first(asked, 1500, |packet| {
        packet.destination.port() == port && packet.contents.answer(name, kind).is_some()
    });
    answer.ok_or_else(|| Stop::Fail("no answer to its port within 1.5 s".into()))
}

fn legacy_srv(stage: &Stage<'_>) -> Result<Packet, Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV).id(0x1234);
    legacy(stage, &query, RecordType::SRV)
}

/// For the tests of what is in it: without an answer there is nothing to judge.
fn legacy_answer(stage: &Stage<'_>) -> Result<Packet, Stop> {
    legacy_srv(stage).map_err(|_| Stop::NotApplicable("it does not answer legacy queries".into()))
}

fn legacy_query(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let packet = legacy_srv(stage)?;
    stage.must(packet.source.port() == crate::PORT, || {
        format!("sent from {}", packet.source)
    });
    Ok(())
}

fn legacy_id_and_question(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let packet = legacy_answer(stage)?;
    stage.must(packet.contents.id == 0x1234, || {
        format!("id {:#06x}, not 0x1234", packet.contents.id)
    });
    let echoed = packet
        .contents
        .questions
        .iter()
        .any(|question| question.name == service.instance && question.kind == RecordType::SRV);
    stage.must(echoed, || "the question is not repeated".into());
    Ok(())
}

fn legacy_without_flush(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let packet = legacy_answer(stage)?;
    for record in packet.contents.all() {
        stage.must(!record.cache_flush, || format!("with the bit: {record}"));
    }
    Ok(())
}

fn legacy_ttl(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let packet = legacy_answer(stage)?;
    for record in packet
        .contents
        .all()
        .filter(|record| record.kind() != RecordType::OPT)
    {
        stage.should(record.ttl <= 10, || {
            format!("{} has TTL {}", record.kind(), record.ttl)
        });
    }
    Ok(())
}

fn legacy_srv_uncompressed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let packet = legacy_answer(stage)?;
    let Ok(message) = cooee_wire::Message::parse(&packet.octets) else {
        return Err(Stop::Fail("unreadable".into()));
    };
    for item in message.records() {
        let Ok((_, record)) = item else { break };
        let Ok(Data::Srv(srv)) = record.data() else {
            continue;
        };
        // Three numbers of 16 bits, then the name as it is: nothing else fits if no pointer is in it.
        let plain = 6 + srv.target.wire_len();
        stage.must(record.rdata.octets().len() == plain, || {
            format!(
                "SRV data has {} octets, not {plain}",
                record.rdata.octets().len()
            )
        });
    }
    Ok(())
}

fn legacy_edns(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let has_opt = |packet: &Packet| {
        packet
            .contents
            .additionals()
            .any(|record| record.kind() == RecordType::OPT)
    };
    let plain = legacy_answer(stage)?;
    stage.must(!has_opt(&plain), || "OPT though the query had none".into());
    let query = Outgoing::question(&service.instance, RecordType::SRV)
        .id(7)
        .opt(1232);
    let with = legacy(stage, &query, RecordType::SRV)?;
    // To RFC 6762 a legacy answer is one of a conventional server; how far that goes it does not say.
    stage.should(has_opt(&with), || "no OPT though the query had one".into());
    Ok(())
}

fn legacy_shared(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.kind, RecordType::PTR).id(0x4321);
    legacy(stage, &query, RecordType::PTR)?;
    Ok(())
}
