//! What a querier believes, and what not.

use std::net::SocketAddr;
use std::time::Duration;

use cooee_wire::RecordType;

use super::{
    Bait, LONG, browse, first_query, must_be_found, next_query, querier, queries, question, tells,
    times_told,
};
use crate::link::{self, From as Port};
use crate::service::name;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    querier(
        "6762-5.2-18/answer-by-multicast",
        &[
            "6762-5.2-18",
            "6762-18.14-6",
            "6762-18.14-7",
            "6762-18.14-9",
        ],
        "a multicast answer with compressed names is found",
        "not within 5 s: fail",
        answer_by_multicast,
    ),
    querier(
        "6762-18.1-1/announcement",
        &["6762-18.1-1", "6762-6-14"],
        "what is announced between two questions is found",
        "not within 5 s: fail",
        announcement,
    ),
    querier(
        "6762-18.1-3/announced-before",
        &["6762-18.1-3"],
        "what was announced before somebody looked for it is found once it is looked for, and asked for",
        "not within 5 s of the answer: fail",
        announced_before,
    ),
    querier(
        "6762-16-5/answer-in-other-case",
        &["6762-16-5"],
        "an answer whose name is written with other capital letters is found",
        "not within 5 s: fail",
        answer_in_other_case,
    ),
    querier(
        "6762-6-13/answer-with-question",
        &["6762-6-13", "6762-18.1-2"],
        "an answer beside which a question stands is found",
        "not within 5 s: fail",
        answer_with_question,
    ),
    querier(
        "6762-18.1-5/answer-with-id",
        &["6762-18.1-5", "6762-18.1-2"],
        "an answer with an id is found",
        "not within 5 s: fail",
        answer_with_id,
    ),
    querier(
        "6762-18.4-3/answer-with-odd-bits",
        &[
            "6762-18.5-3",
            "6762-18.4-3",
            "6762-18.6-2",
            "6762-18.7-1",
            "6762-18.8-1",
            "6762-18.9-1",
            "6762-18.10-1",
        ],
        "an answer with TC, RD, RA, Z, AD and CD set, and AA clear, is found",
        "not within 5 s: fail",
        answer_with_odd_bits,
    ),
    querier(
        "6762-18.11-2/answer-with-error",
        &["6762-18.11-2"],
        "an answer in a message with an error code is not believed",
        "found, or listed, within 4 s: fail",
        answer_with_error,
    ),
    querier(
        "6762-18.3-2/answer-with-opcode",
        &["6762-18.3-2"],
        "an answer in a message with an opcode is not believed",
        "found, or listed, within 4 s: fail",
        answer_with_opcode,
    ),
    querier(
        "6762-6-25/answer-from-another-port",
        &["6762-6-25"],
        "an answer from another port than 5353 is not believed",
        "found, or listed, within 4 s: fail",
        answer_from_another_port,
    ),
    querier(
        "6762-6-29/unasked-unicast-answer",
        &["6762-6-29"],
        "a unicast answer that was not asked for is not believed",
        "found, or listed, within 4 s: fail",
        unasked_unicast_answer,
    ),
    querier(
        "6762-5.4-2/unicast-answer-to-unicast-question",
        &["6762-5.4-2", "6762-6-28"],
        "a question that wants a unicast response is content with one",
        "not found within 5 s: fail",
        unicast_answer_to_unicast_question,
    ),
    querier(
        "6762-11-3/unicast-answer-from-elsewhere",
        &["6762-11-3", "6762-11-5"],
        "a unicast answer from another network is not believed",
        "found, or listed, within 4 s: fail",
        unicast_answer_from_elsewhere,
    ),
    querier(
        "6762-11-4/multicast-answer-from-elsewhere",
        &["6762-11-4"],
        "a multicast answer is of this link, whatever its source address",
        "not within 5 s: fail",
        multicast_answer_from_elsewhere,
    ),
];

/// Browses, waits for the first question, lets `send` do something, and has to find the bait.
fn must_be_believed(
    stage: &mut Stage<'_>,
    send: impl FnOnce(&Stage<'_>, &Bait) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let bait = Bait::new("Bait");
    let search = browse(stage)?;
    first_query(stage, search.told)?;
    send(stage, &bait)?;
    must_be_found(stage, &bait)
}

/// The same, and must not find it; afterwards an ordinary answer is, so that it was not deaf.
fn must_not_be_believed(
    stage: &mut Stage<'_>,
    send: impl FnOnce(&Stage<'_>, &Bait) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let bait = Bait::new("Bait");
    let search = browse(stage)?;
    first_query(stage, search.told)?;
    let from = stage.link.now();
    send(stage, &bait)?;
    must_be_unknown(stage, &bait, from)
}

/// Listens for 4 s for signs that the bait was believed; if there are none, an ordinary answer is, so that it was not deaf.
fn must_be_unknown(stage: &mut Stage<'_>, bait: &Bait, from: Duration) -> Result<(), Stop> {
    let queries = stage.heard(from, 4000);
    let listed = queries.iter().any(|query| bait.is_listed(query));
    let asked = queries.iter().any(|query| bait.is_asked_for_details(query));
    let found = times_told(stage, "found", bait) > 0;
    stage.must(!found, || "it was found".into());
    stage.must(!listed, || "it was listed as a known answer".into());
    stage.must(!asked, || "it was believed, and asked on for".into());
    if found || listed || asked {
        return Ok(());
    }
    stage.send(&bait.answer(LONG))?;
    must_be_found(stage, bait)
}

fn answer_by_multicast(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_be_believed(stage, |stage, bait| {
        stage.send(&bait.answer(LONG)).map(drop)
    })
}

fn announcement(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Announced");
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    stage.link.sleep_until(first.at + ms(500));
    stage.send(&bait.answer(LONG))?;
    must_be_found(stage, &bait)
}

fn announced_before(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Announced");
    stage.send(&bait.answer(LONG))?;
    stage.link.sleep_until(stage.link.now() + ms(1500));
    let search = browse(stage)?;
    // It may be content with what it has heard, or ask.
    if tells(stage, "found", &bait, 2000) {
        return Ok(());
    }
    first_query(stage, search.told)?;
    stage.send(&bait.answer(LONG))?;
    must_be_found(stage, &bait)
}

fn answer_in_other_case(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_be_believed(stage, |stage, bait| {
        let mut ptr = bait.ptr(LONG);
        ptr.name = name(&["_COOEE-Seek", "_TCP", "Local"]);
        stage.send(&bait.answer_with(ptr, LONG)).map(drop)
    })
}

fn answer_with_question(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_be_believed(stage, |stage, bait| {
        let other = name(&["something-else", "local"]);
        let message = bait.answer(LONG).ask(&other, RecordType::A);
        stage.send(&message).map(drop)
    })
}

fn answer_with_id(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_be_believed(stage, |stage, bait| {
        stage.send(&bait.answer(LONG).id(0xabcd)).map(drop)
    })
}

fn answer_with_odd_bits(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_be_believed(stage, |stage, bait| {
        stage
            .send(&bait.answer(LONG).bits(0x03f0).without(0x0400))
            .map(drop)
    })
}

fn answer_with_error(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_not_be_believed(stage, |stage, bait| {
        stage.send(&bait.answer(LONG).bits(3)).map(drop)
    })
}

fn answer_with_opcode(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_not_be_believed(stage, |stage, bait| {
        stage.send(&bait.answer(LONG).bits(0x2800)).map(drop)
    })
}

fn answer_from_another_port(stage: &mut Stage<'_>) -> Result<(), Stop> {
    must_not_be_believed(stage, |stage, bait| {
        stage.send_legacy(&bait.answer(LONG)).map(drop)
    })
}

fn unasked_unicast_answer(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Bait");
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    // The third question comes three seconds after the first, and none of the later ones is QU; two seconds after the
    // last that was, nothing is asked for by unicast any more.
    let mut last_unicast = first.at;
    for query in queries(stage, first.at, 4500) {
        if question(&query).is_some_and(|question| question.unicast_response) {
            last_unicast = query.at;
        }
    }
    stage.link.sleep_until(last_unicast + ms(3000));
    let from = stage.link.now();
    stage.send_unicast(stage.link.host(0)?, &bait.answer(LONG))?;
    must_be_unknown(stage, &bait, from)
}

fn unicast_answer_to_unicast_question(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Bait");
    let search = browse(stage)?;
    let first = first_query(stage, search.told)?;
    let mut query = first;
    // It is the first one, if any.
    if !question(&query).is_some_and(|question| question.unicast_response) {
        let second = next_query(stage, query.at, 2500);
        let wants = second
            .filter(|second| question(second).is_some_and(|question| question.unicast_response));
        query = wants
            .ok_or_else(|| Stop::NotApplicable("it never asks for a unicast response".into()))?;
    }
    let to: SocketAddr = query.source;
    let octets = bait.answer(LONG).build();
    stage
        .link
        .send(Port::Mdns, stage.link.host(0)?, to, &octets)?;
    must_be_found(stage, &bait)
}

fn unicast_answer_from_elsewhere(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let Some(stranger) = stage.link.stranger() else {
        return Err(Stop::NotApplicable(
            "the tester has no address of another network".into(),
        ));
    };
    must_not_be_believed(stage, |stage, bait| {
        stage
            .send_unicast(stranger.into(), &bait.answer(LONG))
            .map(drop)
    })
}

fn multicast_answer_from_elsewhere(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let Some(stranger) = stage.link.stranger() else {
        return Err(Stop::NotApplicable(
            "the tester has no address of another network".into(),
        ));
    };
    must_be_believed(stage, |stage, bait| {
        let to = (link::GROUP_V4, link::PORT).into();
        let octets = bait.answer(LONG).build();
        stage.link.send(Port::Mdns, stranger.into(), to, &octets)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::kind;
    use super::*;

    #[test]
    fn the_answer_has_all_that_is_needed_to_resolve() {
        let bait = Bait::new("Bait");
        let contents = crate::packet::Contents::decode(&bait.answer(LONG).build());
        assert!(contents.fault.is_none());
        assert!(contents.answer(&kind(), RecordType::PTR).is_some());
        for kind in [RecordType::SRV, RecordType::TXT] {
            assert!(contents.record(&bait.instance, kind).is_some());
        }
        assert!(contents.record(&bait.host, RecordType::A).is_some());
    }
}
