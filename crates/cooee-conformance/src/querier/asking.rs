//! When a querier asks, how often, and in which form.

use std::time::Duration;

use cooee_wire::RecordType;

use super::{
    Bait, LONG, SHORT, browse, find, first_query, kind, millis, next_query, querier, queries,
    question, question_for, seek,
};
use crate::packet::Packet;
use crate::query::{Outgoing, flushed};
use crate::service::name;
use crate::stage::{Stage, Stop, is_doubled, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    querier(
        "6763-4.1-1/asks-for-instances",
        &["6763-4.1-1", "6762-5.2-17", "6762-5.1-3"],
        "a browse asks for the PTR records of the type, from port 5353 to the group",
        "no query within 3 s: fail; another port: fail, but for a stack that asks for a moment and does not go on",
        asks_for_instances,
    ),
    querier(
        "6762-5.2-6/first-question-is-delayed",
        &["6762-5.2-6"],
        "the first question is delayed by 20 to 120 ms at random, so that those of many hosts do not collide",
        "median of 5 below 15 or above 200 ms, or all within 5 ms of each other: warn",
        first_question_is_delayed,
    ),
    querier(
        "6762-5.2-2/second-question-after-a-second",
        &["6762-5.2-2"],
        "while nobody answers, the second question comes a second after the first, not sooner",
        "sooner than 0.95 s: fail; none within 5 s: warn",
        second_question_after_a_second,
    ),
    querier(
        "6762-5.2-3/intervals-grow",
        &["6762-5.2-3"],
        "each interval between questions is at least twice the one before",
        "within 16 s, less than 1.7 times: fail",
        intervals_grow,
    ),
    querier(
        "6762-18.2-1/header-of-queries",
        &[
            "6762-18.1-4",
            "6762-18.2-1",
            "6762-18.3-1",
            "6762-18.4-1",
            "6762-18.6-1",
            "6762-18.7-1",
            "6762-18.8-1",
            "6762-18.9-1",
            "6762-18.10-1",
            "6762-18.11-1",
        ],
        "queries have id 0 and no bit of the header set but TC",
        "id or RD: warn; another bit: fail",
        header_of_queries,
    ),
    querier(
        "6762-5.4-7/later-question-is-multicast",
        &["6762-5.4-7"],
        "a question that comes up while the link is up wants a multicast response",
        "QU: warn",
        later_question_is_multicast,
    ),
    querier(
        "6762-5.4-4/repeated-question-is-multicast",
        &["6762-5.4-4", "6762-5.4-5"],
        "a question that is asked again wants a multicast response",
        "QU: warn",
        repeated_question_is_multicast,
    ),
    querier(
        "6762-20-2/asks-by-both-families",
        &["6762-20-2"],
        "a host with IPv4 and IPv6 asks by both",
        "not by IPv6 within 3 s: warn",
        asks_by_both_families,
    ),
    querier(
        "6762-5.2-1/stops-asking",
        &["6762-5.2-1"],
        "once nobody wants to know any more, it does not ask",
        "asked within a second after it was stopped: warn; later, within 9 s: fail",
        stops_asking,
    ),
    querier(
        "6762-5.2-13/does-not-ask-unbidden",
        &["6762-5.2-13"],
        "what nobody looks for is not asked for, however it is announced, and not refreshed",
        "asked within the 8 s that the record lives: fail",
        does_not_ask_unbidden,
    ),
    querier(
        "6762-5.2-15/unique-answer-ends-the-series",
        &["6762-5.2-15"],
        "a question with a unique answer that is complete is not asked on",
        "asked again within 8 s: warn",
        unique_answer_ends_the_series,
    ),
    querier(
        "6762-6.1-5/negative-answer-ends-the-series",
        &["6762-6.1-5", "6762-6.1-6", "6762-5.2-15"],
        "a question whose answer is that there is no such record is not asked on",
        "asked again within 8 s: warn",
        negative_answer_ends_the_series,
    ),
    querier(
        "6762-7.3-1/question-of-another-host",
        &["6762-7.3-1"],
        "a question that another host has just asked counts as asked",
        "asked all the same within 500 ms, in both of 2 attempts: warn",
        question_of_another_host,
    ),
    querier(
        "6762-7.3-1/question-that-knows-more",
        &["6762-7.3-1"],
        "a question of another host that lists answers which the subject lacks does not count as asked",
        "not asked within 3.5 s, by one that asks at intervals of a second and more: warn",
        question_that_knows_more,
    ),
];

/// Until a question is certainly one of those that come up later.
const SETTLED: Duration = ms(3000);

fn asks_for_instances(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    let query = first_query(stage, search.told)?;
    // RFC 6762 §5.1: a simple resolver has no business on port 5353.
    stage.must(query.source.port() == 5353 || !search.goes_on, || {
        format!(
            "from port {}, though it asks on and on",
            query.source.port()
        )
    });
    stage.must(query.is_multicast(), || format!("to {}", query.destination));
    Ok(())
}

fn first_question_is_delayed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    stage.link.sleep_until(SETTLED);
    let mut delays = Vec::new();
    for number in 0..5 {
        let label = format!("_cooee-seek{number}");
        let wanted = name(&[&label, "_tcp", "local"]);
        let search = seek(stage, &["browse", &format!("{label}._tcp")])?;
        let asks = |packet: &Packet| question_for(packet, &wanted, RecordType::PTR).is_some();
        let Some(query) = stage.first(search.told, 3000, asks) else {
            return Err(Stop::Fail(format!("{wanted} was not asked for within 3 s")));
        };
        delays.push(millis(query.at.saturating_sub(search.told)));
    }
    stage.saw(format!("delays in ms: {delays:?}"));
    delays.sort_unstable();
    let (least, middle, most) = (delays[0], delays[2], delays[4]);
    stage.should((15..=200).contains(&middle), || {
        format!("the median delay is {middle} ms")
    });
    stage.should(most - least > 5, || {
        format!("all delays are between {least} and {most} ms")
    });
    Ok(())
}

fn second_question_after_a_second(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    let Some(second) = next_query(stage, first.at, 5000) else {
        stage.warn("asked once within 5 s");
        return Ok(());
    };
    let gap = millis(second.at - first.at);
    stage.saw(format!("the second question came after {gap} ms"));
    stage.must(gap >= 950, || format!("again after {gap} ms"));
    Ok(())
}

fn intervals_grow(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    let asked: Vec<Duration> = queries(stage, first.at, 16_500)
        .iter()
        .map(|packet| packet.at)
        .collect();
    let gaps: Vec<u64> = asked
        .windows(2)
        .map(|pair| millis(pair[1] - pair[0]))
        .collect();
    stage.saw(format!("intervals in ms: {gaps:?}"));
    if gaps.len() < 2 {
        let text = format!("asked {} times in 16 s", asked.len());
        return Err(Stop::NotApplicable(text));
    }
    for pair in gaps.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        stage.must(is_doubled(ms(before), ms(after)), || {
            format!("{after} ms after an interval of {before} ms")
        });
    }
    Ok(())
}

fn header_of_queries(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    for query in queries(stage, first.at, 3500) {
        let (id, flags) = (query.contents.id, query.contents.flags.bits());
        stage.should(id == 0, || format!("id {id:#06x}"));
        stage.should(flags & 0x0100 == 0, || "RD is set".into());
        stage.must(flags & !0x0300 == 0, || format!("flags {flags:#06x}"));
    }
    Ok(())
}

fn later_question_is_multicast(stage: &mut Stage<'_>) -> Result<(), Stop> {
    stage.link.sleep_until(SETTLED);
    let search = browse(stage)?;
    let query = first_query(stage, search.told)?;
    let is_unicast = question(&query).is_some_and(|question| question.unicast_response);
    stage.should(!is_unicast, || "the first question is QU".into());
    Ok(())
}

fn repeated_question_is_multicast(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    let Some(_) = next_query(stage, first.at, 5000) else {
        return Err(Stop::NotApplicable("asked once within 5 s".into()));
    };
    for (number, query) in (1..).zip(queries(stage, first.at, 5000)).skip(1) {
        let is_unicast = question(&query).is_some_and(|question| question.unicast_response);
        stage.should(!is_unicast, || format!("question {number} is QU"));
    }
    Ok(())
}

fn asks_by_both_families(stage: &mut Stage<'_>) -> Result<(), Stop> {
    if !stage.link.has_v6() {
        return Err(Stop::NotApplicable("the tester has no IPv6 here".into()));
    }
    let search = browse(stage)?;
    let deadline = search.told + ms(3000);
    let by_v6 = stage.link.wait_for(search.told, deadline, |packet| {
        (!packet.is_v4() && question(packet).is_some()).then_some(())
    });
    stage.should(by_v6.is_some(), || "not by IPv6 within 3 s".into());
    Ok(())
}

fn stops_asking(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?.must_go_on()?;
    first_query(stage, search.told)?;
    stage.command(&["stop-browse", super::TYPE])?;
    // One may be on its way.
    let from = stage.link.now() + ms(150);
    let asked = queries(stage, from, 9000);
    // A series that ends by itself a moment later is not what the rule is there for.
    let late = asked.iter().filter(|query| query.at > from + ms(1000));
    let late = late.count();
    stage.must(late == 0, || {
        format!("asked {late} times from 1 to 9 s after it was stopped")
    });
    stage.should(late == asked.len(), || {
        let soon = asked.len() - late;
        format!("asked {soon} times in the second after it was stopped")
    });
    Ok(())
}

fn does_not_ask_unbidden(stage: &mut Stage<'_>) -> Result<(), Stop> {
    // That it can ask is shown first, for something else.
    let search = seek(stage, &["browse", "_cooee-other._tcp"])?;
    let other = name(&["_cooee-other", "_tcp", "local"]);
    let asks = |packet: &Packet| question_for(packet, &other, RecordType::PTR).is_some();
    if stage.first(search.told, 3000, asks).is_none() {
        return Err(Stop::Fail(format!("{other} was not asked for within 3 s")));
    }
    let bait = Bait::new("Unwanted");
    let announced = stage.send(&bait.answer_with(bait.ptr(8), 8))?;
    for packet in stage.heard(announced, 9000) {
        let unbidden = packet
            .contents
            .questions
            .iter()
            .find(|question| [&kind(), &bait.instance, &bait.host].contains(&&question.name));
        if let Some(question) = unbidden.filter(|_| !packet.contents.is_response()) {
            let after = millis(packet.at - announced);
            stage.fail(format!("{question} after {after} ms"));
        }
    }
    Ok(())
}

/// Has a host resolved, both of whose address types are answered by `answer`; none may be asked for again.
fn must_be_satisfied(stage: &mut Stage<'_>, bait: &Bait, answer: &Outgoing) -> Result<(), Stop> {
    let host = format!("{}.local", bait.label);
    let search = seek(stage, &["resolve-host", &host])?;
    let asks = |packet: &Packet| {
        let of = |kind| question_for(packet, &bait.host, kind).is_some();
        of(RecordType::A) || of(RecordType::AAAA)
    };
    if stage.first(search.told, 3000, asks).is_none() {
        return Err(Stop::Fail(format!("{host} was not asked for within 3 s")));
    }
    let answered = stage.send(answer)?;
    // What was on its way, or the other of the two questions, is no repetition; it has its answer too.
    stage.link.sleep_until(answered + ms(300));
    stage.send(answer)?;
    let from = answered + ms(400);
    let mut again = stage.heard(from, 8000);
    again.retain(|packet| asks(packet));
    stage.should(again.is_empty(), || {
        let after = again.first().map(|packet| millis(packet.at - answered));
        format!(
            "asked {} times more, first after {} ms",
            again.len(),
            after.unwrap_or(0)
        )
    });
    Ok(())
}

fn unique_answer_ends_the_series(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("seek-host");
    let v6 = cooee_wire::RdataBuf::aaaa([0x2001, 0xdb8, 0, 0x5353, 0, 0, 0, 1].into());
    let v6 = cooee_wire::RecordBuf::new(bait.host.clone(), SHORT, v6);
    let answer = Outgoing::response()
        .answer(flushed(bait.address([192, 0, 2, 1], SHORT)))
        .answer(flushed(v6));
    must_be_satisfied(stage, &bait, &answer)
}

fn negative_answer_ends_the_series(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("seek-host");
    let nsec = cooee_wire::RdataBuf::nsec(bait.host.as_name(), [RecordType::A]);
    let nsec = cooee_wire::RecordBuf::new(bait.host.clone(), SHORT, nsec);
    let answer = Outgoing::response()
        .answer(flushed(bait.address([192, 0, 2, 1], SHORT)))
        .answer(flushed(nsec));
    must_be_satisfied(stage, &bait, &answer)
}

fn question_of_another_host(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    let Some(second) = next_query(stage, first.at, 5000) else {
        return Err(Stop::NotApplicable("asked once within 5 s".into()));
    };
    // The series goes on at twice the interval each time; the other host is a little faster.
    let (mut last, mut gap) = (second.at, (second.at - first.at) * 2);
    for _ in 0..2 {
        let due = last + gap;
        stage.link.sleep_until(due.saturating_sub(ms(120)));
        let foreign = stage.send_both_as(1, &Outgoing::question(&kind(), RecordType::PTR))?;
        let asked = queries(stage, foreign, 620);
        let Some(query) = asked.first() else {
            return Ok(());
        };
        (last, gap) = (query.at, gap * 2);
    }
    stage.warn("asked all the same, both times");
    Ok(())
}

fn question_that_knows_more(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Known elsewhere");
    let (_, answered) = find(stage, &Bait::new("Known here").answer(LONG))?;
    let Some(second) = next_query(stage, answered, 5000) else {
        return Err(Stop::NotApplicable("asked once within 5 s".into()));
    };
    let gap = millis(second.at - answered);
    if gap < 500 {
        let text = format!("it asked again after {gap} ms: when it will ask next is not known");
        return Err(Stop::NotApplicable(text));
    }
    // Its third question is due two seconds after the second.
    stage.link.sleep_until(second.at + ms(1800));
    let foreign = Outgoing::question(&kind(), RecordType::PTR).answer(bait.ptr(LONG));
    let sent = stage.send_both_as(1, &foreign)?;
    // Whatever comes after it, however soon: a question that is due in the same moment has not been kept back.
    let asked = stage.first(sent, 3500, |packet| question(packet).is_some());
    // To ask more rarely than one may breaks no rule.
    stage.should(asked.is_some(), || {
        "not asked within 3.5 s, as if it had been".into()
    });
    Ok(())
}
