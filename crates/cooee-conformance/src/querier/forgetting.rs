//! How long a querier believes what it has heard.

use std::time::Duration;

use cooee_wire::RecordType;

use super::{
    Bait, LONG, SHORT, Search, browse, find, first_query, kind, last_addresses, millis,
    must_be_found, querier, queries, question_for, seek, tells, times_told,
};
use crate::packet::Packet;
use crate::query::{Outgoing, flushed};
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    querier(
        "6762-5.2-10/refreshes-before-expiry",
        &["6762-5.2-8", "6762-5.2-10", "6762-5.2-14"],
        "a record that somebody looks for is asked for again at 80, 85, 90 and 95 % of its lifetime",
        "of 4 windows, 2.5 % of the lifetime wide, less than 4 with a question: warn",
        refreshes_before_expiry,
    ),
    querier(
        "6762-5.2-16/refreshes-unique-answer",
        &["6762-5.2-9", "6762-5.2-16"],
        "a unique answer is asked for again at 80 % of its lifetime, and not before",
        "not before 97 %, or before 78 % where that is no part of the first series: warn",
        refreshes_unique_answer,
    ),
    querier(
        "6762-5.2-12/expires",
        &["6762-5.2-7", "6762-5.2-12"],
        "a record that nobody confirms is gone at the end of its lifetime, and not before",
        "before 95 % of 10 s: fail; not by 130 %: warn",
        expires,
    ),
    querier(
        "6762-5.2-11/refreshed-record-stays",
        &["6762-5.2-11"],
        "a record that is confirmed when it is asked for stays",
        "removed, or removed and found again, within 1.7 lifetimes: fail",
        refreshed_record_stays,
    ),
    querier(
        "6762-10.1-2/goodbye",
        &["6762-10.1-2"],
        "what is said goodbye to is gone a second later",
        "sooner than 0.7 s or later than 3 s: warn; not within 12 s: fail",
        goodbye,
    ),
    querier(
        "6762-10.1-3/goodbye-taken-back",
        &["6762-10.1-3"],
        "a record that is announced again within the second after its goodbye stays",
        "removed: warn",
        goodbye_taken_back,
    ),
    querier(
        "6762-10.1-2/goodbye-of-another",
        &["6762-10.1-2"],
        "a goodbye for one instance does not touch another",
        "removed within 4 s: fail",
        goodbye_of_another,
    ),
    querier(
        "6762-10.2-4/cache-flush",
        &["6762-10.2-4", "6762-10.2-6"],
        "a new unique record puts the one that it replaces out of use",
        "the old address still told 4 s later: fail",
        cache_flush,
    ),
    querier(
        "6762-10.2-5/cache-flush-in-a-burst",
        &["6762-10.2-5"],
        "two packets within a second that each bring a part of a unique RRset are one RRset",
        "one of the two addresses not told: warn",
        cache_flush_in_a_burst,
    ),
    querier(
        "6762-10.5-2/observes-failures",
        &["6762-10.5-2"],
        "a record for which two questions of others stay unanswered for ten seconds is gone",
        "not within 18 s: warn",
        observes_failures,
    ),
    querier(
        "6762-10.5-2/observes-what-is-known",
        &["6762-10.5-2"],
        "questions that list the record as known need no answer, and prove nothing",
        "removed within 14 s: fail",
        observes_what_is_known,
    ),
];

/// A lifetime that is short enough to wait for, and long enough for windows of a quarter of a second.
const WATCHED: u32 = 40;

fn refreshes_before_expiry(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Fading");
    let answer = bait.answer_with(bait.ptr(WATCHED), LONG);
    let (search, answered) = find(stage, &answer)?;
    search.must_go_on()?;
    let ages: Vec<u64> = queries(stage, answered, 40_500)
        .iter()
        .map(|packet| millis(packet.at - answered))
        .collect();
    stage.saw(format!(
        "asked at these ages in ms, of {WATCHED} s: {ages:?}"
    ));
    let missed: Vec<u64> = [80, 85, 90, 95]
        .into_iter()
        .filter(|percent| {
            // Half a percent for the road.
            let (from, to) = (percent * 400 - 100, percent * 400 + 900);
            !ages.iter().any(|age| (from..=to).contains(age))
        })
        .collect();
    stage.should(missed.is_empty(), || {
        format!("not asked at {missed:?} % of the lifetime, but at {ages:?} ms of {WATCHED} s")
    });
    Ok(())
}

fn refreshes_unique_answer(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("seek-host");
    let host = format!("{}.local", bait.label);
    let search = seek(stage, &["resolve-host", &host])?.must_go_on()?;
    let asks = |packet: &Packet| question_for(packet, &bait.host, RecordType::A).is_some();
    if stage.first(search.told, 3000, asks).is_none() {
        return Err(Stop::Fail(format!("{host} was not asked for within 3 s")));
    }
    // It has no other address, and says so.
    let nsec = cooee_wire::RdataBuf::nsec(bait.host.as_name(), [RecordType::A]);
    let nsec = cooee_wire::RecordBuf::new(bait.host.clone(), SHORT, nsec);
    let answer = Outgoing::response()
        .answer(flushed(bait.address([192, 0, 2, 1], WATCHED)))
        .answer(flushed(nsec));
    let answered = stage.send(&answer)?;
    let mut asked = stage.heard(answered + ms(300), 40_000);
    asked.retain(|packet| asks(packet));
    let ages: Vec<u64> = asked
        .iter()
        .map(|packet| millis(packet.at - answered) / u64::from(WATCHED * 10))
        .collect();
    stage.saw(format!("asked at these percents of the lifetime: {ages:?}"));
    // One that goes on asking in spite of the answer is judged by 6762-5.2-15: its series comes at 1, 3, 7, 15 and 31 s.
    let in_series = |age: &&u64| ![2, 3, 7, 8, 17, 18, 37, 38, 39, 77, 78].contains(*age);
    match ages.iter().find(in_series) {
        Some(first) => stage.should((78..=97).contains(first), || {
            format!("asked again at {first} % first")
        }),
        None => stage.warn("not asked again before it expired"),
    }
    Ok(())
}

fn expires(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Mortal");
    let answer = bait.answer_with(bait.ptr(10), LONG);
    let (search, answered) = find(stage, &answer)?;
    must_tell_removals(stage, search, &bait)?;
    let left = (answered + ms(25_000)).saturating_sub(stage.link.now());
    if !tells(stage, "removed", &bait, millis(left)) {
        // RFC 6762 §5.2 has a SHOULD for it (6762-5.2-7).
        stage.warn("still there at 2.5 times its lifetime");
        return Ok(());
    }
    let age = millis(stage.link.now() - answered);
    stage.saw(format!("removed at an age of {age} ms"));
    stage.must(age >= 9500, || format!("removed after {age} ms of 10 s"));
    stage.should(age <= 13_000, || {
        format!("removed after {age} ms, not 10 s")
    });
    Ok(())
}

/// Ends a test that needs to be told of removals, if they are not told; waits until the bait is found.
fn must_tell_removals(stage: &mut Stage<'_>, search: Search, bait: &Bait) -> Result<(), Stop> {
    search.must_go_on()?;
    if !search.tells_removals {
        let text = "the stack never tells that an instance has gone";
        return Err(Stop::NotApplicable(text.into()));
    }
    must_be_found(stage, bait)
}

fn refreshed_record_stays(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Confirmed");
    let answer = bait.answer_with(bait.ptr(10), LONG);
    let (search, answered) = find(stage, &answer)?;
    must_tell_removals(stage, search, &bait)?;
    let (mut seen, deadline) = (answered, answered + ms(17_000));
    while let Some(query) = super::next_query(stage, seen, millis(deadline.saturating_sub(seen))) {
        // As a responder would: not if the record is listed as fresh, nor twice a second.
        if !bait.is_listed(&query) {
            stage.send(&answer)?;
        }
        seen = query.at.max(stage.link.now());
        if seen >= deadline {
            break;
        }
    }
    stage.link.sleep_until(deadline);
    let removed = times_told(stage, "removed", &bait);
    stage.must(removed == 0, || format!("removed {removed} times"));
    Ok(())
}

fn goodbye(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Leaving");
    let (search, answered) = find(stage, &bait.answer(LONG))?;
    must_tell_removals(stage, search, &bait)?;
    stage.link.sleep_until(answered + ms(2500));
    let said = stage.send(&bait.goodbye())?;
    if !tells(stage, "removed", &bait, 12_000) {
        return Err(Stop::Fail("still there 12 s after the goodbye".into()));
    }
    let after = millis(stage.link.now() - said);
    stage.saw(format!("removed {after} ms after the goodbye"));
    stage.should((700..=3000).contains(&after), || {
        format!("removed {after} ms after the goodbye, not 1000")
    });
    Ok(())
}

fn goodbye_taken_back(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Returning");
    let (search, answered) = find(stage, &bait.answer(LONG))?;
    must_tell_removals(stage, search, &bait)?;
    stage.link.sleep_until(answered + ms(2500));
    let said = stage.send(&bait.goodbye())?;
    stage.link.sleep_until(said + ms(400));
    stage.send(&bait.answer(LONG))?;
    stage.link.sleep_until(said + ms(4000));
    let removed = times_told(stage, "removed", &bait);
    stage.should(removed == 0, || "removed all the same".into());
    Ok(())
}

fn goodbye_of_another(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let (staying, leaving) = (Bait::new("Staying"), Bait::new("Leaving"));
    let search = browse(stage)?;
    first_query(stage, search.told)?;
    stage.send(&staying.answer(LONG))?;
    stage.send(&leaving.answer(LONG))?;
    must_tell_removals(stage, search, &staying)?;
    must_be_found(stage, &leaving)?;
    stage.link.sleep_until(stage.link.now() + ms(1500));
    stage.send(&leaving.goodbye())?;
    if !tells(stage, "removed", &leaving, 12_000) {
        return Err(Stop::NotApplicable(
            "the goodbye has no effect at all".into(),
        ));
    }
    stage.link.sleep_until(stage.link.now() + ms(3000));
    let removed = times_told(stage, "removed", &staying);
    stage.must(removed == 0, || "the other was removed too".into());
    Ok(())
}

/// Looks for a host and answers with this address; gives the time of the answer.
fn look_for_host(stage: &mut Stage<'_>, bait: &Bait, address: [u8; 4]) -> Result<Duration, Stop> {
    let host = format!("{}.local", bait.label);
    let search = seek(stage, &["resolve-host", &host])?.must_go_on()?;
    let asks = |packet: &Packet| question_for(packet, &bait.host, RecordType::A).is_some();
    if stage.first(search.told, 3000, asks).is_none() {
        return Err(Stop::Fail(format!("{host} was not asked for within 3 s")));
    }
    let answer = Outgoing::response().answer(flushed(bait.address(address, LONG)));
    let answered = stage.send(&answer)?;
    let told = stage.subject.wait_for_event(ms(5000), |event| {
        (event.first()? == "address").then_some(())
    });
    told.map(|()| answered)
        .ok_or_else(|| Stop::Fail(format!("no address of {host} told within 5 s")))
}

const OLD: [u8; 4] = [192, 0, 2, 1];
const NEW: [u8; 4] = [192, 0, 2, 2];

fn cache_flush(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("seek-host");
    let answered = look_for_host(stage, &bait, OLD)?;
    stage.link.sleep_until(answered + ms(3000));
    let renewed = stage.send(&Outgoing::response().answer(flushed(bait.address(NEW, LONG))))?;
    stage.link.sleep_until(renewed + ms(4000));
    let host = format!("{}.local", bait.label);
    let told = last_addresses(stage, "address", &host).unwrap_or_default();
    if !told.contains(&NEW.into()) {
        // One that tells each host once is not at fault.
        return Err(Stop::NotApplicable(format!("only {told:?} was told")));
    }
    stage.must(!told.contains(&OLD.into()), || {
        format!("4 s after the new address it tells {told:?}")
    });
    Ok(())
}

fn cache_flush_in_a_burst(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("seek-host");
    look_for_host(stage, &bait, OLD)?;
    let sent = stage.send(&Outgoing::response().answer(flushed(bait.address(NEW, LONG))))?;
    stage.link.sleep_until(sent + ms(4000));
    let host = format!("{}.local", bait.label);
    let told = last_addresses(stage, "address", &host).unwrap_or_default();
    let both = told.contains(&OLD.into()) && told.contains(&NEW.into());
    stage.should(both, || format!("of two addresses it tells {told:?}"));
    Ok(())
}

/// Others ask for the bait twice, with these known answers, and nobody answers; gives the time of the second question.
fn others_ask(stage: &mut Stage<'_>, foreign: &Outgoing) -> Result<Duration, Stop> {
    let first = stage.send_both_as(1, foreign)?;
    stage.link.sleep_until(first + ms(1200));
    stage.send_both_as(2, foreign)
}

fn observes_failures(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Silent");
    let (search, answered) = find(stage, &bait.answer(LONG))?;
    must_tell_removals(stage, search, &bait)?;
    stage.link.sleep_until(answered + ms(2000));
    let asked = others_ask(stage, &Outgoing::question(&kind(), RecordType::PTR))?;
    let removed = tells(stage, "removed", &bait, 18_000);
    let after = millis(stage.link.now() - asked);
    stage.saw(format!("removed after {after} ms: {removed}"));
    stage.should(removed, || {
        "still there 18 s after the second question".into()
    });
    Ok(())
}

fn observes_what_is_known(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let bait = Bait::new("Known");
    let (search, answered) = find(stage, &bait.answer(LONG))?;
    must_tell_removals(stage, search, &bait)?;
    stage.link.sleep_until(answered + ms(2000));
    let foreign = Outgoing::question(&kind(), RecordType::PTR).answer(bait.ptr(LONG));
    let asked = others_ask(stage, &foreign)?;
    stage.link.sleep_until(asked + ms(14_000));
    let removed = times_told(stage, "removed", &bait);
    stage.must(removed == 0, || {
        "removed, though all who asked know it".into()
    });
    Ok(())
}
