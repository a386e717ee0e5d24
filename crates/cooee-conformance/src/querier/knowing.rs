//! What a querier lists as known.

use std::collections::BTreeSet;

use cooee_wire::{RdataBuf, RecordBuf};

use super::{
    Bait, LONG, Search, browse, find, first_query, kind, millis, next_query, querier, queries,
    question,
};
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::name;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    querier(
        "6762-7.1-1/lists-known-answers",
        &["6762-7.1-1", "6762-5.2-4"],
        "a question that is asked again lists the answer that came meanwhile",
        "",
        lists_known_answers,
    ),
    querier(
        "6762-10.2-13/known-answers-without-flush",
        &["6762-10.2-13"],
        "known answers never have the cache-flush bit",
        "",
        known_answers_without_flush,
    ),
    querier(
        "6762-7.1-5/omits-old-answers",
        &["6762-7.1-5"],
        "an answer with less than half of its lifetime left is not listed",
        "listed at 55 % or more of its age: warn",
        omits_old_answers,
    ),
    querier(
        "6762-7.2-2/many-known-answers",
        &["6762-7.2-1", "6762-7.2-2", "6762-7.2-3", "6762-7.2-4"],
        "known answers that one packet does not hold follow at once in others without a question, and all but the last have TC set",
        "of 150: not all listed: warn; more follow without TC, or none in spite of it within 500 ms: fail",
        many_known_answers,
    ),
    querier(
        "6762-7.1-2/unique-answers-are-not-listed",
        &["6762-7.1-2"],
        "only shared records are listed, since a unique one needs no further answer",
        "another type than PTR listed: warn",
        unique_answers_are_not_listed,
    ),
    querier(
        "6762-7.1-6/known-answers-of-others",
        &["6762-7.1-6", "6762-7.1-7"],
        "what another host lists as known is not believed",
        "found, or listed, within 5 s: fail",
        known_answers_of_others,
    ),
];

/// The next question after an answer; a stack that does not ask again cannot be judged by it.
fn asked_again(stage: &Stage<'_>, answered: std::time::Duration) -> Result<Packet, Stop> {
    // One that was on its way could not know the answer.
    next_query(stage, answered + ms(100), 8000).ok_or_else(|| {
        let text = "not asked again within 8 s of the answer";
        Stop::NotApplicable(text.into())
    })
}

fn lists_known_answers(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Known");
    let (_, answered) = find(stage, &bait.answer(LONG))?;
    let query = asked_again(stage, answered)?;
    stage.must(bait.is_listed(&query), || {
        "asked again without its known answer".into()
    });
    let listed = query
        .contents
        .answers()
        .find(|record| record.name == kind());
    if let Some(record) = listed {
        let age = u32::try_from((query.at - answered).as_secs()).unwrap_or(0);
        let (least, most) = (LONG - age - 2, LONG);
        stage.should((least..=most).contains(&record.ttl), || {
            format!("listed with TTL {} at an age of {age} s", record.ttl)
        });
    }
    Ok(())
}

fn known_answers_without_flush(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Known");
    let (_, answered) = find(stage, &bait.answer(LONG))?;
    let query = asked_again(stage, answered)?;
    if query.contents.answers().next().is_none() {
        return Err(Stop::NotApplicable("it lists no known answers".into()));
    }
    let flush = query.contents.answers().find(|record| record.cache_flush);
    stage.must(flush.is_none(), || "listed with the cache-flush bit".into());
    Ok(())
}

fn omits_old_answers(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Old");
    let ttl = 10;
    let (_, answered) = find(stage, &bait.answer_with(bait.ptr(ttl), LONG))?;
    let mut judged = 0;
    for query in queries(stage, answered, 10_500) {
        let age = millis(query.at - answered);
        if (5500..9500).contains(&age) {
            judged += 1;
            stage.should(!bait.is_listed(&query), || {
                format!("listed at an age of {age} ms, of 10 s that it lives")
            });
        }
    }
    if judged == 0 {
        let text = "not asked in the second half of the record's life";
        return Err(Stop::NotApplicable(text.into()));
    }
    Ok(())
}

/// So many instances, whose PTR records take about 9000 octets.
const MANY: usize = 150;

fn many(number: usize) -> RecordBuf {
    let label = format!("Instance {number:03} of a type of which there are very many");
    let instance = name(&[&label, "_cooee-seek", "_tcp", "local"]);
    RecordBuf::new(kind(), LONG, RdataBuf::ptr(instance.as_name()))
}

fn many_known_answers(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let search = browse(stage)?;
    first_query(stage, search.told)?;
    for first in (0..MANY).step_by(15) {
        let message = (first..MANY.min(first + 15))
            .fold(Outgoing::response(), |message, number| {
                message.answer(many(number))
            });
        stage.send(&message)?;
    }
    let answered = stage.link.now();
    let query = asked_again(stage, answered)?;
    let mut train = vec![query.clone()];
    let after = stage.heard(query.at, 500);
    train.extend(after.into_iter().filter(|packet| {
        packet.at > query.at
            && !packet.contents.is_response()
            && packet.contents.questions.is_empty()
            && packet.contents.answers().next().is_some()
    }));
    let listed: BTreeSet<Vec<u8>> = train
        .iter()
        .flat_map(|packet| packet.contents.answers())
        .filter(|record| record.name == kind())
        .map(|record| record.rdata.octets().to_vec())
        .collect();
    stage.saw(format!(
        "{} known answers in {} packets, largest {} octets",
        listed.len(),
        train.len(),
        train
            .iter()
            .map(|packet| packet.octets.len())
            .max()
            .unwrap_or(0)
    ));
    stage.should(listed.len() == MANY, || {
        format!("{} of {MANY} known answers are listed", listed.len())
    });
    let last = train.len() - 1;
    for (number, packet) in train.iter().enumerate() {
        let truncated = packet.contents.flags.is_truncated();
        stage.must(truncated || number == last, || {
            format!("packet {} has no TC, and more follow", number + 1)
        });
        stage.must(!truncated || number < last, || {
            "the last packet has TC, and none follows within 500 ms".into()
        });
    }
    Ok(())
}

fn unique_answers_are_not_listed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Whole");
    let (_, answered) = find(stage, &bait.answer(LONG))?;
    let query = asked_again(stage, answered)?;
    if query.contents.answers().next().is_none() {
        return Err(Stop::NotApplicable("it lists no known answers".into()));
    }
    let instance = bait.instance.clone();
    let unique = query
        .contents
        .answers()
        .find(|record| record.name == instance || record.name == bait.host);
    stage.should(unique.is_none(), || {
        unique
            .map(|record| format!("lists {record}"))
            .unwrap_or_default()
    });
    Ok(())
}

fn known_answers_of_others(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Hearsay");
    let Search { told, .. } = browse(stage)?;
    first_query(stage, told)?;
    let sent = stage.send_both_as(
        1,
        &Outgoing::question(&kind(), cooee_wire::RecordType::PTR).answer(bait.ptr(LONG)),
    )?;
    let listed = queries(stage, sent, 5000)
        .iter()
        .any(|query| question(query).is_some() && bait.is_listed(query));
    let asked = stage
        .link
        .since(sent)
        .iter()
        .any(|query| bait.is_asked_for_details(query));
    let found = super::times_told(stage, "found", &bait) > 0;
    stage.must(!found && !listed && !asked, || {
        "a known answer of another host was believed".into()
    });
    // That the same answer in a response is found shows that it was looked for.
    stage.send(&bait.answer(LONG))?;
    super::must_be_found(stage, &bait)
}
