//! How soon answers come, how often, and what goes together.

use std::time::Duration;

use cooee_wire::RecordType;

use super::standing;
use crate::query::Outgoing;
use crate::service::name;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-6-17/unique-answer-at-once",
        &["6762-6-16", "6762-6-17", "6762-6-20"],
        "a question for one unique record is answered at once",
        "median of 6 above 10 ms, or one of them not answered within 1.5 s: warn; two not answered, or any above 750 ms: fail",
        unique_answer_at_once,
    ),
    standing(
        "6762-6-21/shared-answer-delayed",
        &["6762-6-15", "6762-6-21", "6762-6-22", "6762-6-20"],
        "a question for a shared record is answered after 20 to 120 ms, each time another",
        "two of 12 below 18 ms or above 140 ms, or all within 15 ms of each other: warn; any above 750 ms: fail",
        shared_answer_delayed,
    ),
    standing(
        "6762-6-23/truncated-query-delayed",
        &["6762-6-23", "6762-7.2-5", "6762-18.5-1", "6762-18.5-2"],
        "a query with TC is answered after 400 to 500 ms",
        "two of 3 below 395 ms or above 550 ms: warn; one above 1.5 s: fail",
        truncated_query_delayed,
    ),
    standing(
        "6762-6.3-2/several-questions-delayed",
        &["6762-6.3-2"],
        "a query with several questions for unique records is answered after 20 to 120 ms",
        "two of 3 below 18 ms or above 140 ms: warn; one above 750 ms: fail",
        several_questions_delayed,
    ),
    standing(
        "6762-6.4-1/answers-together",
        &["6762-6.4-1", "6762-6-22"],
        "answers to two queries in quick succession go out in one message",
        "in none of 3 attempts: warn",
        answers_together,
    ),
    standing(
        "6762-6-30/once-a-second",
        &["6762-6-30"],
        "a record is not multicast again within a second",
        "again within 0.95 s: fail",
        once_a_second,
    ),
    standing(
        "6762-6-30/asked-in-a-burst",
        &["6762-6-30", "6762-6.4-1"],
        "ten queries within 100 ms do not make ten answers",
        "a record twice within 0.95 s: fail",
        asked_in_a_burst,
    ),
];

fn millis(delay: Duration) -> f64 {
    delay.as_secs_f64() * 1000.0
}

fn listed(delays: &[f64]) -> String {
    let texts: Vec<String> = delays.iter().map(|delay| format!("{delay:.1}")).collect();
    format!("{} ms", texts.join(", "))
}

fn unique_answer_at_once(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let (mut delays, mut missed) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        stage.rest();
        for kind in [RecordType::SRV, RecordType::TXT] {
            let asked = stage.send(&Outgoing::question(&service.instance, kind))?;
            let answer = stage.first(asked, 1500, |packet| {
                packet.contents.answer(&service.instance, kind).is_some()
            });
            match answer {
                Some(answer) => delays.push(millis(answer.at - asked)),
                None => missed.push(kind.to_string()),
            }
        }
    }
    let text = format!("not answered within 1.5 s: {}", missed.join(", "));
    match missed.len() {
        0 => {}
        1 => stage.warn(text),
        _ => return Err(Stop::Fail(text)),
    }
    delays.sort_by(f64::total_cmp);
    let median = delays.get(delays.len() / 2).copied().unwrap_or_default();
    stage.saw(listed(&delays));
    stage.should(median <= 10.0, || format!("median {median:.1} ms"));
    for slow in delays.iter().filter(|delay| **delay > 750.0) {
        stage.fail(format!("{slow:.0} ms"));
    }
    Ok(())
}

/// Delays of the answers to the same query, sent so many times.
fn delays(
    stage: &Stage<'_>,
    times: usize,
    query: &Outgoing,
    name: &cooee_wire::NameBuf,
    kind: RecordType,
) -> Result<Vec<f64>, Stop> {
    let mut delays = Vec::new();
    for _ in 0..times {
        let (asked, answer) = stage.answer_to(query, name, kind)?;
        delays.push(millis(answer.at - asked));
    }
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}

/// Delays within bounds pass, beyond the last of them fail. Outside the first two they warn, if it is more than one: on a busy machine
/// a timer is late now and then.
fn judge(stage: &mut Stage<'_>, delays: &[f64], least: f64, most: f64, too_much: f64) {
    stage.saw(listed(delays));
    let odd: Vec<f64> = delays
        .iter()
        .copied()
        .filter(|delay| *delay < least || *delay > most)
        .collect();
    stage.should(odd.len() <= 1, || listed(&odd));
    for delay in delays.iter().filter(|delay| **delay > too_much) {
        stage.fail(format!("{delay:.0} ms"));
    }
}

fn shared_answer_delayed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.kind, RecordType::PTR);
    let delays = delays(stage, 12, &query, &service.kind, RecordType::PTR)?;
    judge(stage, &delays, 18.0, 140.0, 750.0);
    let spread =
        delays.last().copied().unwrap_or_default() - delays.first().copied().unwrap_or_default();
    stage.should(spread >= 15.0, || {
        format!("all within {spread:.1} ms: not random")
    });
    Ok(())
}

fn truncated_query_delayed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.kind, RecordType::PTR).truncated();
    let delays = delays(stage, 3, &query, &service.kind, RecordType::PTR)?;
    judge(stage, &delays, 395.0, 550.0, 1500.0);
    Ok(())
}

fn several_questions_delayed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV)
        .ask(&service.instance, RecordType::TXT);
    let delays = delays(stage, 3, &query, &service.instance, RecordType::SRV)?;
    judge(stage, &delays, 18.0, 140.0, 750.0);
    Ok(())
}

fn answers_together(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let types = name(&["_services", "_dns-sd", "_udp", "local"]);
    for apart in 0..3 {
        stage.rest();
        let asked = stage.send(&Outgoing::question(&service.kind, RecordType::PTR))?;
        std::thread::sleep(ms(3));
        stage.send(&Outgoing::question(&types, RecordType::PTR))?;
        let with = |name| {
            stage.first(asked, 1500, |packet| {
                packet.contents.answer(name, RecordType::PTR).is_some()
            })
        };
        let (Some(first), Some(second)) = (with(&service.kind), with(&types)) else {
            return Err(Stop::NotApplicable(
                "one of the two questions was not answered".into(),
            ));
        };
        if first.at == second.at {
            stage.saw(format!("one message after {apart} attempts with two"));
            return Ok(());
        }
    }
    stage.warn("two messages in each of 3 attempts");
    Ok(())
}

/// When the SRV record was multicast since a time.
fn multicasts(stage: &Stage<'_>, from: Duration, during: u64) -> Result<Vec<Duration>, Stop> {
    let service = stage.service()?;
    let packets = stage.heard(from, during);
    let with_srv = packets.iter().filter(|packet| {
        packet.is_multicast()
            && packet
                .contents
                .record(&service.instance, RecordType::SRV)
                .is_some()
    });
    Ok(with_srv.map(|packet| packet.at).collect())
}

fn judge_gaps(stage: &mut Stage<'_>, times: &[Duration]) {
    for pair in times.windows(2) {
        let &[before, after] = pair else { continue };
        let gap = millis(after - before);
        stage.must(gap >= 950.0, || format!("again after {gap:.0} ms"));
    }
}

fn once_a_second(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    let (asked, answer) = stage.answer_to(&query, &service.instance, RecordType::SRV)?;
    stage.link.sleep_until(answer.at + ms(300));
    stage.send(&query)?;
    let times = multicasts(stage, asked, 1800)?;
    judge_gaps(stage, &times);
    Ok(())
}

fn asked_in_a_burst(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    let from = stage.link.now();
    for _ in 0..10 {
        stage.send(&query)?;
        std::thread::sleep(ms(10));
    }
    let times = multicasts(stage, from, 1800)?;
    stage.must(!times.is_empty(), || {
        "none of ten queries was answered".into()
    });
    judge_gaps(stage, &times);
    Ok(())
}
