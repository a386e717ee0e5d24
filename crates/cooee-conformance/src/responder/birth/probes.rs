//! How the shared subject claims its names.

use std::time::Duration;

use cooee_wire::{Class, RecordType};

use super::{MUCH_TOO_SHORT, SHORTEST_GAP, announcements, birth, millis, probes, seconds};
use crate::packet::Packet;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    birth(
        "6762-8.1-1/probes-first",
        &["6762-8.1-1", "6762-2-7"],
        "a unique name is probed for before it is announced",
        "",
        probes_first,
    ),
    birth(
        "6762-8.1-5/three-probes",
        &["6762-8.1-5", "6762-8.1-7"],
        "three probes are sent, 250 ms apart",
        "fewer than 3: fail; a gap below 150 ms: fail; below 225 ms or above 300 ms: warn",
        three_probes,
    ),
    birth(
        "6762-8.1-6/waits-after-probes",
        &["6762-8.1-6", "6762-8.1-10"],
        "the announcement comes 250 ms after the last probe",
        "below 150 ms: fail; below 225 ms or above 1 s: warn",
        waits_after_probes,
    ),
    birth(
        "6762-8.1-2/probes-with-any",
        &["6762-8.1-2"],
        "probes ask for type ANY",
        "",
        probes_with_any,
    ),
    birth(
        "6762-8.1-13/probes-want-unicast",
        &["6762-8.1-13", "6762-15.1-3"],
        "probes have the unicast-response bit set",
        "not set: warn (right where the port is shared with other stacks)",
        probes_want_unicast,
    ),
    birth(
        "6762-8.2-1/probes-propose",
        &["6762-8.2-1", "6762-8.2-3"],
        "the authority section of a probe holds all unique records of the name",
        "",
        probes_propose,
    ),
    birth(
        "6762-18.1-4/query-header",
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
        "queries have an empty header but for TC",
        "id or RD not 0: warn; any other bit: fail",
        query_header,
    ),
];

fn probes_first(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let probes = probes(service);
    let announced = announcements(service);
    let before = |probe: &&&Packet| announced.first().is_none_or(|first| probe.at < first.at);
    let count = probes.iter().filter(before).count();
    stage.must(count > 0, || {
        format!("{} was announced without a probe for it", service.instance)
    });
    stage.saw(format!("{count} probes before the first announcement"));
    Ok(())
}

fn three_probes(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let times: Vec<Duration> = probes(service).iter().map(|probe| probe.at).collect();
    stage.must(times.len() >= 3, || {
        format!("{} probes, not 3", times.len())
    });
    stage.should(times.len() <= 3, || {
        format!("{} probes, not 3", times.len())
    });
    for pair in times.windows(2) {
        let &[first, second] = pair else { continue };
        let gap = second - first;
        let text = format!("a gap of {} between probes", millis(gap));
        match gap {
            _ if gap < MUCH_TOO_SHORT => stage.fail(text),
            _ if gap < SHORTEST_GAP || gap > ms(300) => stage.warn(text),
            _ => stage.saw(text),
        }
    }
    Ok(())
}

fn waits_after_probes(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let (probes, announced) = (probes(service), announcements(service));
    let (Some(last), Some(first)) = (probes.last(), announced.first()) else {
        return Err(Stop::NotApplicable(
            "there were no probes, or no announcement".into(),
        ));
    };
    let gap = first.at.saturating_sub(last.at);
    let text = format!("announced {} after the last probe", millis(gap));
    match gap {
        _ if gap < MUCH_TOO_SHORT => stage.fail(text),
        _ if gap < SHORTEST_GAP || gap > ms(1000) => stage.warn(text),
        _ => stage.saw(text),
    }
    Ok(())
}

fn probes_with_any(stage: &mut Stage<'_>) -> Result<(), Stop> {
    for_questions(stage, |stage, question| {
        stage.should(question.kind == RecordType::ANY, || {
            format!("a probe asks '{question}'")
        });
        stage.must(
            question.class == Class::IN || question.class == Class::ANY,
            || format!("a probe asks for class {}", question.class),
        );
    })
}

fn probes_want_unicast(stage: &mut Stage<'_>) -> Result<(), Stop> {
    for_questions(stage, |stage, question| {
        stage.should(question.unicast_response, || {
            format!("a probe asks '{question}', without the bit")
        });
    })
}

fn for_questions(
    stage: &mut Stage<'_>,
    judge: impl Fn(&mut Stage<'_>, &cooee_wire::QuestionBuf),
) -> Result<(), Stop> {
    let service = stage.service()?;
    let probes = probes(service);
    let questions = probes.iter().flat_map(|probe| &probe.contents.questions);
    let questions: Vec<_> = questions
        .filter(|question| question.name == service.instance)
        .collect();
    if questions.is_empty() {
        return Err(Stop::NotApplicable("there were no probes".into()));
    }
    for question in questions {
        judge(stage, question);
    }
    Ok(())
}

fn probes_propose(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let probes = probes(service);
    if probes.is_empty() {
        return Err(Stop::NotApplicable("there were no probes".into()));
    }
    for kind in [RecordType::SRV, RecordType::TXT] {
        for probe in &probes {
            let proposed = probe
                .contents
                .authorities()
                .any(|record| record.name == service.instance && record.kind() == kind);
            stage.must(proposed, || {
                format!("the probe at {} proposes no {kind}", seconds(probe.at))
            });
        }
    }
    Ok(())
}

fn query_header(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let is_query = |packet: &&Packet| !packet.contents.is_response();
    let queries: Vec<&Packet> = service.birth.iter().filter(is_query).collect();
    if queries.is_empty() {
        return Err(Stop::NotApplicable("it sent no query".into()));
    }
    for query in queries {
        let (id, flags) = (query.contents.id, query.contents.flags);
        stage.should(id == 0 && !flags.recursion_desired(), || {
            format!("id {id:#06x}, flags {:#06x}", flags.bits())
        });
        // TC and RD may be set.
        stage.must(flags.bits() & !0x0300 == 0, || {
            format!("flags {:#06x}", flags.bits())
        });
    }
    Ok(())
}
