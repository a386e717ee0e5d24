//! What happens to a name that has been claimed: probes of others, conflicts, and what only looks like one.

use std::time::Duration;

use cooee_wire::{NameBuf, RdataBuf, RecordBuf, RecordType};

use super::claiming::{chosen_instance, deny, other_instance};
use super::{fresh, standing};
use crate::link::From as Port;
use crate::packet::Packet;
use crate::query::{Outgoing, flushed, with_ttl};
use crate::service::{Service, foreign_srv, name};
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-8.1-11/defends-instance",
        &["6762-8.1-11", "6762-8.1-12", "6762-6-18", "6762-6-31"],
        "a probe for its service instance is answered at once",
        "later than 250 ms: warn; not within 750 ms: fail",
        defends_instance,
    ),
    standing(
        "6762-8.1-11/defends-host",
        &["6762-8.1-11", "6762-8.1-12", "6762-14-1"],
        "a probe for its host name is answered at once",
        "later than 250 ms: warn; not within 750 ms: fail",
        defends_host,
    ),
    standing(
        "6762-5.4-10/defends-by-unicast-too",
        &["6762-5.4-10", "6762-8.1-11"],
        "a probe with the unicast-response bit is answered at once, either way",
        "later than 250 ms: warn; not within 750 ms: fail",
        defends_against_unicast_probe,
    ),
    standing(
        "6762-6-32/defends-within-the-second",
        &["6762-6-32", "6762-6-31"],
        "a probe is answered also within a second of the last multicast",
        "not within 750 ms: fail",
        defends_within_the_second,
    ),
    fresh(
        "6762-9-3/conflict-in-srv",
        &["6762-9-3", "6762-9-1", "6762-8.3-9", "6762-6.6-2"],
        "a response with another SRV record for its instance makes it probe again",
        "another name probed, or the name given up, at once: warn; neither that nor a probe within 3 s: fail",
        conflict_in_srv,
    ),
    fresh(
        "6762-9-3/conflict-in-address",
        &["6762-9-3", "6762-9-1", "6762-9-5"],
        "a response with another address for its host name makes it probe again",
        "another name probed, or the name given up, at once: warn; neither that nor a probe within 3 s: fail",
        conflict_in_address,
    ),
    fresh(
        "6762-9-4/conflict-lost",
        &["6762-9-4", "6762-9-6", "6762-9-7", "6762-3-2"],
        "who loses a name after a conflict stops using it",
        "still answered for: fail; no other name within 8 s: warn",
        conflict_lost,
    ),
    standing(
        "6762-9-2/identical-is-no-conflict",
        &["6762-9-2", "6762-2-8", "6762-6.6-3"],
        "the same record from another host is no conflict",
        "probed within 1.5 s: fail",
        identical_is_no_conflict,
    ),
    standing(
        "6762-6.6-1/shared-is-no-conflict",
        &["6762-6.6-1", "6762-2-5"],
        "another instance of the same type is no conflict",
        "probed within 1.5 s: fail",
        shared_is_no_conflict,
    ),
    standing(
        "6762-6.6-4/corrects-a-low-ttl",
        &["6762-6.6-4"],
        "its own record, sent by others with less than half its TTL, is announced",
        "not within 2.5 s, once of two times: fail",
        corrects_a_low_ttl,
    ),
    standing(
        "6762-6-25/response-from-another-port",
        &["6762-6-25"],
        "a conflicting response that is not from port 5353 is ignored",
        "probed within 1.5 s: fail",
        response_from_another_port,
    ),
    standing(
        "6762-6-29/unasked-unicast-response",
        &["6762-6-28", "6762-6-29"],
        "a conflicting unicast response that nobody asked for is ignored",
        "probed within 1.5 s: warn, since the rule is made for queriers",
        unasked_unicast_response,
    ),
    standing(
        "6762-7.1-7/known-answer-is-no-conflict",
        &["6762-7.1-7", "6762-7.1-6"],
        "what others believe to know is no conflict",
        "probed within 1.5 s: fail",
        known_answer_is_no_conflict,
    ),
    standing(
        "6762-18.11-2/error-response-ignored",
        &["6762-18.11-2", "6762-18.3-2"],
        "responses with an opcode or an error code are no conflict",
        "probed within 1.5 s: fail",
        error_response_ignored,
    ),
];

/// A rival's probe for a name with data that is not the subject's.
fn probe(name: &NameBuf, record: RecordBuf) -> Outgoing {
    Outgoing::question(name, RecordType::ANY).authority(record)
}

fn plain_srv(instance: &NameBuf) -> RecordBuf {
    with_ttl(&foreign_srv(instance), 120)
}

fn foreign_address(host: &NameBuf) -> RecordBuf {
    RecordBuf::new(host.clone(), 120, RdataBuf::a([192, 0, 2, 99].into()))
}

fn judge_defence(
    stage: &mut Stage<'_>,
    message: &Outgoing,
    defended: &NameBuf,
    kinds: &[RecordType],
) -> Result<(), Stop> {
    let asked = stage.link.now();
    let mut defence = None;
    // As a host does that wants the name: three probes, and a decision after 750 milliseconds.
    for round in 0..3 {
        stage.link.sleep_until(asked + ms(250 * round));
        stage.send(message)?;
        defence = stage.first(asked, 250 * (round + 1), |packet| {
            let mut answers = kinds.iter();
            answers.any(|kind| packet.contents.record(defended, *kind).is_some())
        });
        if defence.is_some() {
            break;
        }
    }
    let Some(defence) = defence else {
        return Err(Stop::Fail(format!(
            "{defended} was not defended within 750 ms"
        )));
    };
    let delay = defence.at - asked;
    let way = if defence.is_multicast() {
        "multicast"
    } else {
        "unicast"
    };
    stage.saw(format!(
        "defended by {way} after {:.1} ms",
        delay.as_secs_f64() * 1000.0
    ));
    stage.should(delay <= ms(250), || "later than 250 ms".into());
    Ok(())
}

fn defends_instance(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let message = probe(&service.instance, plain_srv(&service.instance));
    judge_defence(
        stage,
        &message,
        &service.instance,
        &[RecordType::SRV, RecordType::TXT],
    )
}

fn defends_host(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let message = probe(&service.host, foreign_address(&service.host));
    judge_defence(
        stage,
        &message,
        &service.host,
        &[RecordType::A, RecordType::AAAA],
    )
}

fn defends_against_unicast_probe(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let message = probe(&service.instance, plain_srv(&service.instance)).unicast();
    judge_defence(
        stage,
        &message,
        &service.instance,
        &[RecordType::SRV, RecordType::TXT],
    )
}

fn defends_within_the_second(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    // All of the name, so that no record is left that may be sent freely.
    let query = Outgoing::question(&service.instance, RecordType::ANY);
    let (_, answer) = stage.answer_to(&query, &service.instance, RecordType::SRV)?;
    stage.link.sleep_until(answer.at + ms(300));
    let message = probe(&service.instance, plain_srv(&service.instance));
    judge_defence(
        stage,
        &message,
        &service.instance,
        &[RecordType::SRV, RecordType::TXT],
    )
}

/// After a conflict: the first probe, for this name or for another one of its kind.
fn judge_conflict(stage: &mut Stage<'_>, from: Duration, lost: &NameBuf) {
    let parent = lost.parent().and_then(|parent| parent.to_owned().ok());
    let kind = parent.unwrap_or_else(NameBuf::root);
    let probed = stage.link.wait_for(from, from + ms(3000), |packet| {
        let questions = packet
            .contents
            .is_probe()
            .then_some(&packet.contents.questions);
        let mut names = questions
            .into_iter()
            .flatten()
            .map(|question| &question.name);
        names
            .find(|name| name.parent().is_some_and(|parent| parent == kind.as_name()))
            .map(|name| (name.clone(), packet.at))
    });
    match probed {
        Some((name, at)) if name == *lost => {
            stage.saw(format!(
                "probes again {:.3} s later",
                (at - from).as_secs_f64()
            ));
        }
        Some((name, _)) => stage.warn(format!("probes for {name} at once")),
        None if gives_up(stage, from, lost) => {
            stage.warn("gives the name up at once, without probing for it again");
        }
        None => stage.fail("no probe within 3 s"),
    }
}

/// Whether the subject took back what it had under this name, and claimed nothing of it again. RFC 6762 §9 wants it to probe first; but
/// nobody is harmed, and who leaves the choice of another name to the application has no more to do.
fn gives_up(stage: &Stage<'_>, from: Duration, name: &NameBuf) -> bool {
    let packets = stage.link.since(from);
    let of_subject = packets.iter().filter(|packet| !packet.ours);
    let mut records = of_subject
        .filter(|packet| packet.contents.is_response())
        .flat_map(|packet| packet.contents.all())
        .filter(|record| record.name == *name)
        .peekable();
    records.peek().is_some() && records.all(|record| record.ttl == 0)
}

fn conflict_in_srv(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Disputed")?;
    let from = stage.send(&Outgoing::response().answer(service.foreign_srv()))?;
    judge_conflict(stage, from, &service.instance);
    Ok(())
}

fn conflict_in_address(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Homeless")?;
    let record = flushed(foreign_address(&service.host));
    let from = stage.send(&Outgoing::response().answer(record))?;
    judge_conflict(stage, from, &service.host);
    Ok(())
}

fn conflict_lost(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Beaten")?;
    let instance = &service.instance;
    let from = stage.send(&Outgoing::response().answer(service.foreign_srv()))?;
    deny(
        stage,
        from,
        from + ms(8000),
        |name| name == instance,
        |_| {
            let packets = stage.link.since(from);
            packets
                .iter()
                .any(|packet| other_instance(packet, instance).is_some())
        },
    )?;
    let packets = stage.link.since(from);
    match chosen_instance(&packets, instance) {
        Some(other) => stage.saw(format!("chose {other}")),
        None => stage.warn("neither probed for another name nor announced one within 8 s"),
    }
    let asked = stage.send(&Outgoing::question(instance, RecordType::SRV))?;
    let own = stage.first(asked, 1500, |packet| {
        let record = packet.contents.record(instance, RecordType::SRV);
        record.is_some_and(|record| record.rdata == service.srv.rdata)
    });
    stage.must(own.is_none(), || format!("still answers for {instance}"));
    Ok(())
}

/// Nothing of the service is probed for in the 1.5 seconds after `from`.
fn judge_calm(stage: &mut Stage<'_>, from: Duration, service: &Service) {
    if let Some(text) = conflict(stage, from, service) {
        stage.fail(text);
    }
}

/// How the subject shows that it takes something for a conflict.
fn conflict(stage: &Stage<'_>, from: Duration, service: &Service) -> Option<String> {
    let upset = stage.first(from, 1500, |packet| {
        let probes = packet.contents.is_probe();
        probes || other_instance(packet, &service.instance).is_some()
    })?;
    let questions = upset.contents.questions.iter();
    let names: Vec<String> = questions
        .map(|question| question.name.to_string())
        .collect();
    let after = (upset.at.saturating_sub(from)).as_millis();
    Some(match other_instance(&upset, &service.instance) {
        Some(other) => format!("took it for a conflict: announced {other} {after} ms later"),
        None => format!(
            "took it for a conflict: probed for {} {after} ms later",
            names.join(", ")
        ),
    })
}

fn identical_is_no_conflict(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let from = stage.send(&Outgoing::response().answer(service.srv.clone()))?;
    judge_calm(stage, from, service);
    Ok(())
}

fn shared_is_no_conflict(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let other = RdataBuf::ptr(Service::instance("Somebody Else").as_name());
    let record = RecordBuf::new(service.kind.clone(), 4500, other);
    let from = stage.send(&Outgoing::response().answer(record))?;
    judge_calm(stage, from, service);
    Ok(())
}

fn corrects_a_low_ttl(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let low = with_ttl(&service.srv, service.srv.ttl / 4);
    let message = Outgoing::response().answer(flushed(low));
    let announces = |packet: &Packet| {
        let record = packet.contents.record(&service.instance, RecordType::SRV);
        packet.is_multicast() && record.is_some()
    };
    match stage.reply_to(|stage| stage.send(&message), 2500, announces)? {
        Some((delay, _)) => stage.saw(format!("announced {:.3} s later", delay.as_secs_f64())),
        None => stage.fail(format!(
            "not announced within 2.5 s after its SRV was sent with TTL {}",
            service.srv.ttl / 4
        )),
    }
    Ok(())
}

fn response_from_another_port(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let from = stage.send_legacy(&Outgoing::response().answer(service.foreign_srv()))?;
    judge_calm(stage, from, service);
    Ok(())
}

fn unasked_unicast_response(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let message = Outgoing::response().answer(service.foreign_srv()).build();
    let (source, to) = (
        stage.link.host(0)?,
        (stage.subject_v4()?, crate::PORT).into(),
    );
    let from = stage.link.send(Port::Mdns, source, to, &message)?;
    // The rule is made for queriers; that for responders, in §9, has "any Multicast DNS response (solicited or otherwise)".
    if let Some(text) = conflict(stage, from, service) {
        stage.warn(text);
    }
    Ok(())
}

fn known_answer_is_no_conflict(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let other = name(&["_other-type", "_tcp", "local"]);
    let query = Outgoing::question(&other, RecordType::PTR).answer(plain_srv(&service.instance));
    let from = stage.send(&query)?;
    judge_calm(stage, from, service);
    Ok(())
}

fn error_response_ignored(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    stage.rest();
    let response = Outgoing::response().answer(service.foreign_srv());
    let from = stage.send(&response.clone().bits(0x0003))?;
    stage.send(&response.bits(0x0800))?;
    judge_calm(stage, from, service);
    Ok(())
}
