//! Answers that need not be given: known ones, and those that somebody else has just given.

use cooee_wire::{RdataBuf, RecordBuf, RecordType};

use super::standing;
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::Service;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-7.1-3/known-answer",
        &["6762-7.1-1", "6762-7.1-3"],
        "an answer that the query lists with its whole TTL is not given",
        "given within 700 ms, two times of two: fail",
        known_answer,
    ),
    standing(
        "6762-7.1-3/known-answer-at-half",
        &["6762-7.1-3"],
        "an answer that the query lists with a little more than half its TTL is not given",
        "given within 700 ms, two times of two: fail",
        known_answer_at_half,
    ),
    standing(
        "6762-7.1-4/known-answer-below-half",
        &["6762-7.1-4"],
        "an answer that the query lists with a quarter of its TTL is given",
        "not within 1.5 s: fail",
        known_answer_below_half,
    ),
    standing(
        "6762-7.1-3/other-known-answer",
        &["6762-7.1-1", "6762-7.1-3"],
        "an answer that the query does not list is given, whatever else it lists",
        "not within 1.5 s: fail",
        other_known_answer,
    ),
    standing(
        "6762-7.1-3/known-unique-answer",
        &["6762-7.1-3"],
        "a unique record that the query lists is not given",
        "given within 700 ms, two times of two: fail",
        known_unique_answer,
    ),
    standing(
        "6762-7.2-6/known-answer-in-next-packet",
        &["6762-7.2-2", "6762-7.2-3", "6762-7.2-5", "6762-7.2-6"],
        "an answer that follows in a second packet of the same host is not given",
        "given before the second packet, 100 ms later: warn; after it: fail",
        known_answer_in_next_packet,
    ),
    standing(
        "6762-7.2-6/known-answer-of-another-host",
        &["6762-7.2-6"],
        "a known-answer list of one host does not silence the answer to another",
        "not within 1.5 s, and without the list it is given: fail",
        known_answer_of_another_host,
    ),
    standing(
        "6762-7.4-1/duplicate-answer",
        &["6762-7.4-1", "6762-7.4-2"],
        "an answer that somebody else gives first is not given again",
        "given in each of 3 attempts: warn",
        duplicate_answer,
    ),
    standing(
        "6762-7.4-1/duplicate-answer-with-low-ttl",
        &["6762-7.4-1"],
        "an answer that somebody else gives with a lower TTL is given all the same",
        "not within 1.5 s: warn",
        duplicate_answer_with_low_ttl,
    ),
];

fn has_ptr(packet: &Packet, service: &Service) -> bool {
    let rdata = RdataBuf::ptr(service.instance.as_name());
    let mut answers = packet.contents.answers();
    packet.contents.is_response()
        && answers
            .any(|record| record.name == service.kind && record.rdata == rdata && record.ttl > 0)
}

/// The PTR record with its announced TTL.
fn own_ptr(service: &Service) -> RecordBuf {
    let announced = service
        .birth
        .iter()
        .find_map(|packet| packet.contents.answer(&service.kind, RecordType::PTR));
    service.ptr(announced.map_or(4500, |record| record.ttl))
}

/// The query is not answered, but the question alone is.
fn must_be_suppressed(stage: &mut Stage<'_>, query: &Outgoing) -> Result<(), Stop> {
    let service = stage.service()?;
    let gives = |packet: &Packet| has_ptr(packet, service);
    if let Some((delay, _)) = stage.reply_to(|stage| stage.send(query), 700, gives)? {
        let millis = delay.as_secs_f64() * 1000.0;
        stage.fail(format!(
            "given though listed, after {millis:.0} ms, and so once before"
        ));
    }
    would_be_given(stage)
}

/// The question without what suppressed the answer is answered: otherwise silence says nothing.
fn would_be_given(stage: &Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.kind, RecordType::PTR);
    stage.given_answer_to(&query, &service.kind, RecordType::PTR)?;
    Ok(())
}

fn must_be_given(stage: &mut Stage<'_>, query: &Outgoing) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let asked = stage.send(query)?;
    let given = stage.first(asked, 1500, |packet| has_ptr(packet, service));
    stage.must(given.is_some(), || "not given within 1.5 s".into());
    Ok(())
}

fn listing(service: &Service, ttl: u32) -> Outgoing {
    Outgoing::question(&service.kind, RecordType::PTR).answer(service.ptr(ttl))
}

fn known_answer(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    must_be_suppressed(stage, &listing(service, own_ptr(service).ttl))
}

fn known_answer_at_half(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    must_be_suppressed(stage, &listing(service, own_ptr(service).ttl / 2 + 1))
}

fn known_answer_below_half(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    // Far from the border: whoever rounds is not meant.
    must_be_given(stage, &listing(service, own_ptr(service).ttl / 4))
}

fn other_known_answer(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let other = RdataBuf::ptr(Service::instance("Somebody Else").as_name());
    let other = RecordBuf::new(service.kind.clone(), 4500, other);
    let query = Outgoing::question(&service.kind, RecordType::PTR).answer(other);
    must_be_given(stage, &query)
}

fn known_unique_answer(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let known = crate::query::with_ttl(&service.srv, service.srv.ttl);
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    let listing = query.clone().answer(known);
    let gives = |packet: &Packet| {
        let answer = packet.contents.answer(&service.instance, RecordType::SRV);
        answer.is_some()
    };
    let given = stage.reply_to(|stage| stage.send(&listing), 700, gives)?;
    stage.must(given.is_none(), || {
        format!("given though listed, twice: {}", service.srv)
    });
    stage.given_answer_to(&query, &service.instance, RecordType::SRV)?;
    Ok(())
}

fn known_answer_in_next_packet(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let query = Outgoing::question(&service.kind, RecordType::PTR).truncated();
    let asked = stage.send(&query)?;
    if let Some(early) = stage.first(asked, 100, |packet| has_ptr(packet, service)) {
        let delay = (early.at - asked).as_secs_f64() * 1000.0;
        stage.warn(format!(
            "did not wait for the second packet: given after {delay:.0} ms"
        ));
        return Ok(());
    }
    let more = stage.send(&Outgoing::query().answer(own_ptr(service)))?;
    let given = stage.first(more, 1000, |packet| has_ptr(packet, service));
    stage.must(given.is_none(), || "given after the second packet".into());
    would_be_given(stage)
}

fn known_answer_of_another_host(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let query = Outgoing::question(&service.kind, RecordType::PTR).truncated();
    let asked = stage.send(&query)?;
    // Before one that does not wait for more can have answered.
    std::thread::sleep(ms(5));
    stage.send_as(1, &Outgoing::query().answer(own_ptr(service)))?;
    let given = stage.first(asked, 1500, |packet| has_ptr(packet, service));
    if given.is_some() {
        return Ok(());
    }
    stage.rest();
    let alone = stage.send(&query)?;
    let given = stage.first(alone, 1500, |packet| has_ptr(packet, service));
    if given.is_none() {
        let text = "it does not answer a query with TC, whatever follows";
        return Err(Stop::NotApplicable(text.into()));
    }
    stage.fail("not given within 1.5 s");
    Ok(())
}

fn duplicate_answer(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let mut given = 0;
    for _ in 0..3 {
        stage.rest();
        let asked = stage.send(&Outgoing::question(&service.kind, RecordType::PTR))?;
        std::thread::sleep(ms(1));
        let other = stage.send_both_as(1, &Outgoing::response().answer(own_ptr(service)))?;
        match stage.first(asked, 700, |packet| has_ptr(packet, service)) {
            None => {
                stage.saw(format!("kept back after {given} attempts"));
                return must_be_given(stage, &Outgoing::question(&service.kind, RecordType::PTR));
            }
            // It had left before it could hear.
            Some(packet) if packet.at < other + ms(5) => {}
            Some(_) => given += 1,
        }
    }
    if given < 3 {
        let text = format!(
            "in {} attempts of 3 it answers before anybody else can",
            3 - given
        );
        return Err(Stop::NotApplicable(text));
    }
    stage.warn("given in each of 3 attempts");
    Ok(())
}

fn duplicate_answer_with_low_ttl(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let asked = stage.send(&Outgoing::question(&service.kind, RecordType::PTR))?;
    std::thread::sleep(ms(1));
    // More than half, so that it need not be corrected either.
    let lower = service.ptr(own_ptr(service).ttl / 4 * 3);
    stage.send_both_as(1, &Outgoing::response().answer(lower))?;
    let given = stage.first(asked, 1500, |packet| has_ptr(packet, service));
    stage.should(given.is_some(), || "not given within 1.5 s".into());
    Ok(())
}
