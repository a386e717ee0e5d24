//! What happens while a name is being claimed: denials, others who want it too, and bystanders.

use std::time::Duration;

use cooee_wire::{Data, NameBuf, RdataBuf, RecordBuf, RecordType};

use super::fresh;
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::{Service, foreign_srv, name};
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    fresh(
        "6762-8.1-14/denied-at-first-probe",
        &["6762-8.1-14", "6762-8.1-15", "6762-3-2", "6762-3-3"],
        "a conflicting response to the first probe is obeyed",
        "announced all the same: fail; no other name within 6 s: warn",
        denied_at_first_probe,
    ),
    fresh(
        "6762-8.1-14/denied-after-last-probe",
        &["6762-8.1-14", "6762-8.1-10", "6762-8.1-15"],
        "a conflicting response up to 250 ms after the third probe is obeyed",
        "denied 150 ms after the third probe; announced all the same: fail; no other name within 6 s: warn",
        denied_after_last_probe,
    ),
    fresh(
        "6762-8.1-17/denied-by-another-type",
        &["6762-8.1-17"],
        "a response with a record of any type for the probed name is a conflict",
        "denied with an address record; announced all the same: fail",
        denied_by_another_type,
    ),
    fresh(
        "6762-8.1-16/hearsay-before-probing",
        &["6762-8.1-16", "6762-8.1-8", "6762-8.1-9"],
        "what was heard before the first probe is no conflict",
        "another name taken: fail",
        hearsay_before_probing,
    ),
    fresh(
        "6762-8.2-7/simultaneous-probe-lost",
        &["6762-8.2-4", "6762-8.2-5", "6762-8.2-7", "6762-8.2-9"],
        "who loses against a simultaneous probe waits a second and probes again",
        "next probe of the name below 0.9 s, or announced without: fail; renamed at once: warn",
        simultaneous_probe_lost,
    ),
    fresh(
        "6762-8.2-6/simultaneous-probe-won",
        &["6762-8.2-5", "6762-8.2-6", "6762-8.2-9", "6762-8.2-13"],
        "who wins against a simultaneous probe goes on",
        "not announced within 6 s: fail; later than 1.5 s after the first probe: warn",
        simultaneous_probe_won,
    ),
    fresh(
        "6762-8.2.1-4/identical-probe",
        &["6762-8.2.1-4", "6762-8.2-8"],
        "a probe with the same records is no conflict",
        "not announced within 6 s: fail; later than 1.5 s after the first probe: warn",
        identical_probe,
    ),
    fresh(
        "6762-8.2-4/query-while-probing",
        &["6762-8.2-4", "6762-2-7", "6762-6-19"],
        "an ordinary query neither disturbs probing nor is answered before it has ended",
        "answered before: fail; announced later than 1.5 s after the first probe: warn",
        query_while_probing,
    ),
    fresh(
        "6762-8.1-18/back-off",
        &["6762-8.1-18", "6762-8.1-19"],
        "after 15 conflicts within 10 s each attempt waits 5 s",
        "an attempt below 4.9 s: fail; fewer attempts than 16 within 22 s: nothing to judge, pass",
        back_off,
    ),
];

/// Waits for the first probe of this name.
fn first_probe(stage: &Stage<'_>, from: Duration, name: &NameBuf) -> Result<Packet, Stop> {
    let found = stage.first(from, 10_000, |packet| packet.contents.probes_for(name));
    found.ok_or_else(|| Stop::NotApplicable("it does not probe".into()))
}

/// Answers each probe that the tester objects to, until the time is up or `enough` says so. Returns name and time of the probes.
pub(super) fn deny(
    stage: &Stage<'_>,
    from: Duration,
    until: Duration,
    objects: impl Fn(&NameBuf) -> bool,
    mut enough: impl FnMut(&[(NameBuf, Duration)]) -> bool,
) -> Result<Vec<(NameBuf, Duration)>, Stop> {
    let mut denied: Vec<(NameBuf, Duration)> = Vec::new();
    let mut since = from;
    while !enough(&denied) && stage.link.now() < until {
        let soon = until.min(stage.link.now() + ms(200));
        let next = stage.link.wait_for(since, soon, |packet| {
            if !packet.is_v4() || !packet.contents.is_probe() {
                return None;
            }
            let names = packet
                .contents
                .questions
                .iter()
                .map(|question| &question.name);
            let names: Vec<NameBuf> = names.filter(|name| objects(name)).cloned().collect();
            (!names.is_empty()).then_some((packet.at, names))
        });
        let Some((at, names)) = next else { continue };
        let denial = names.iter().fold(Outgoing::response(), |message, name| {
            message.answer(foreign_srv(name))
        });
        stage.send(&denial)?;
        denied.extend(names.into_iter().map(|name| (name, at)));
        since = at + Duration::from_nanos(1);
    }
    Ok(denied)
}

/// Whether a packet claims the name with data that is not the tester's.
fn claims(packet: &Packet, instance: &NameBuf) -> bool {
    let record = packet.contents.record(instance, RecordType::SRV);
    record.is_some_and(|record| record.rdata != foreign_srv(instance).rdata)
}

/// After a denial: the name is given up, another one is taken. The tester goes on to hold the name.
fn judge_denied(stage: &mut Stage<'_>, instance: &NameBuf, from: Duration) -> Result<(), Stop> {
    let until = from + ms(6000);
    deny(
        stage,
        from,
        until,
        |name| name == instance,
        |_| {
            // An instance with another name, announced, is all there is to see.
            let packets = stage.link.since(from);
            packets
                .iter()
                .any(|packet| other_instance(packet, instance).is_some())
        },
    )?;
    let packets = stage.heard(from, millis_between(from, stage.link.now()));
    stage.must(
        !packets.iter().any(|packet| claims(packet, instance)),
        || format!("{instance} was announced though somebody else has it"),
    );
    match chosen_instance(&stage.link.since(from), instance) {
        Some(other) => stage.saw(format!("chose {other}")),
        None => stage.warn("neither probed for another name nor announced one within 6 s"),
    }
    Ok(())
}

/// The first name, other than this instance's, that the subject probes for or announces, by either family.
// RFC 6762 §8.1 (6762-8.1-15)
pub(super) fn chosen_instance(packets: &[Packet], instance: &NameBuf) -> Option<NameBuf> {
    let kind = name(&["_cooee-test", "_tcp", "local"]);
    let is_other = |name: &&NameBuf| {
        let parent = name.parent();
        *name != instance && parent.is_some_and(|parent| parent == kind.as_name())
    };
    packets
        .iter()
        .filter(|packet| !packet.ours)
        .find_map(|packet| {
            let questions = packet
                .contents
                .questions
                .iter()
                .map(|question| &question.name);
            let mut probed = questions.filter(|name| packet.contents.probes_for(name));
            probed
                .find(is_other)
                .cloned()
                .or_else(|| other_instance(packet, instance))
        })
}

fn millis_between(from: Duration, to: Duration) -> u64 {
    u64::try_from(to.saturating_sub(from).as_millis()).unwrap_or(u64::MAX)
}

/// The name of another instance that the subject announces.
pub(super) fn other_instance(packet: &Packet, instance: &NameBuf) -> Option<NameBuf> {
    let kind = name(&["_cooee-test", "_tcp", "local"]);
    let mut announced = packet.contents.answers().filter(|record| {
        record.kind() == RecordType::SRV && record.ttl > 0 && record.name != *instance
    });
    if packet.ours || !packet.contents.is_response() {
        return None;
    }
    announced
        .find(|record| {
            record
                .name
                .parent()
                .is_some_and(|parent| parent == kind.as_name())
        })
        .map(|record| record.name.clone())
}

fn denied_at_first_probe(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let instance = Service::instance("Denied");
    let from = stage.publish("Denied", Service::TYPE, Service::TXT)?;
    let probe = first_probe(stage, from, &instance)?;
    judge_denied(stage, &instance, probe.at)
}

fn denied_after_last_probe(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let instance = Service::instance("Denied Late");
    let from = stage.publish("Denied Late", Service::TYPE, Service::TXT)?;
    let mut last = first_probe(stage, from, &instance)?.at;
    for _ in 0..2 {
        let next = stage.first(last + ms(1), 1500, |packet| {
            packet.contents.probes_for(&instance)
        });
        let Some(next) = next else {
            return Err(Stop::NotApplicable("there were fewer than 3 probes".into()));
        };
        last = next.at;
    }
    stage.link.sleep_until(last + ms(150));
    let denied = stage.send(&Outgoing::response().answer(foreign_srv(&instance)))?;
    if stage
        .link
        .since(last)
        .iter()
        .any(|packet| claims(packet, &instance))
    {
        return Err(Stop::NotApplicable(
            "it was announced before it could be denied".into(),
        ));
    }
    in_time(last, denied, 220)?;
    judge_denied(stage, &instance, denied)
}

/// Ends a test that means nothing if the tester itself, on a busy machine, needed more milliseconds than these.
fn in_time(since: Duration, done: Duration, limit: u64) -> Result<(), Stop> {
    let took = millis_between(since, done);
    if took <= limit {
        return Ok(());
    }
    Err(Stop::NotApplicable(format!(
        "the tester was late: it needed {took} ms, of {limit} that it has"
    )))
}

fn denied_by_another_type(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let instance = Service::instance("Other Type");
    let from = stage.publish("Other Type", Service::TYPE, Service::TXT)?;
    let probe = first_probe(stage, from, &instance)?;
    let any = probe
        .contents
        .questions
        .iter()
        .any(|question| question.name == instance && question.kind == RecordType::ANY);
    if !any {
        return Err(Stop::NotApplicable(
            "it does not probe with type ANY".into(),
        ));
    }
    let rdata = RdataBuf::a([192, 0, 2, 99].into());
    let record = crate::query::flushed(RecordBuf::new(instance.clone(), 120, rdata));
    let denied = stage.send(&Outgoing::response().answer(record))?;
    judge_denied(stage, &instance, denied)
}

fn hearsay_before_probing(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let instance = Service::instance("Hearsay");
    stage.send(&Outgoing::response().answer(foreign_srv(&instance)))?;
    std::thread::sleep(ms(100));
    let from = stage.publish("Hearsay", Service::TYPE, Service::TXT)?;
    let kept = stage.link.wait_for(from, from + ms(10_000), |packet| {
        if claims(packet, &instance) {
            return Some(None);
        }
        other_instance(packet, &instance).map(Some)
    });
    match kept {
        Some(None) => {}
        Some(Some(other)) => stage.fail(format!("took {other}, though nobody answered its probes")),
        None => stage.fail("nothing was announced within 10 s, though nobody answered its probes"),
    }
    Ok(())
}

/// The tester's probe for the same name: the subject's own proposal with the port changed by `step`.
fn rival(probe: &Packet, instance: &NameBuf, step: i32) -> Result<Outgoing, Stop> {
    let mut rival = Outgoing::question(instance, RecordType::ANY);
    let mut changed = step == 0;
    for record in probe
        .contents
        .authorities()
        .filter(|record| record.name == *instance)
    {
        let mut record = record.clone();
        if let Ok(Data::Srv(srv)) = record.clone().rdata.decode()
            && let Ok(port) = u16::try_from(i32::from(srv.port) + step)
        {
            record.rdata = RdataBuf::srv(srv.priority, srv.weight, port, srv.target);
            changed = true;
        }
        rival = rival.authority(record);
    }
    if changed {
        Ok(rival)
    } else {
        Err(Stop::NotApplicable(
            "its probes propose no SRV record".into(),
        ))
    }
}

fn simultaneous_probe_lost(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let instance = Service::instance("Contest");
    let from = stage.publish("Contest", Service::TYPE, Service::TXT)?;
    let probe = first_probe(stage, from, &instance)?;
    let lost = stage.send(&rival(&probe, &instance, 1)?)?;
    // The next probe is due after 250 ms. One that was on its way already is no reaction.
    in_time(probe.at, lost, 150)?;
    let next = stage
        .link
        .wait_for(lost + ms(20), lost + ms(8000), |packet| {
            // By IPv6 there was no rival: RFC 6762 §20 lets the two be links apart.
            if !packet.is_v4() {
                return None;
            }
            if packet.contents.probes_for(&instance) {
                return Some(Next::Probe(packet.at));
            }
            if claims(packet, &instance) {
                return Some(Next::Announced(packet.at));
            }
            other_instance(packet, &instance).map(Next::Renamed)
        });
    match next {
        Some(Next::Probe(at)) => {
            let gap = at - lost;
            let text = format!("probed again {:.3} s after losing", gap.as_secs_f64());
            if gap < ms(900) {
                stage.fail(text);
            } else {
                stage.saw(text);
            }
            let announced = stage.first(at, 6000, |packet| claims(packet, &instance));
            stage.must(announced.is_some(), || {
                "the name was not announced in the end, though nobody took it".into()
            });
        }
        Some(Next::Announced(at)) => stage.fail(format!(
            "announced {:.3} s after losing, without probing again",
            (at - lost).as_secs_f64()
        )),
        Some(Next::Renamed(other)) => stage.warn(format!("took {other} at once")),
        None => stage.fail("neither probed again nor took another name within 8 s"),
    }
    Ok(())
}

enum Next {
    Probe(Duration),
    Announced(Duration),
    Renamed(NameBuf),
}

fn simultaneous_probe_won(stage: &mut Stage<'_>) -> Result<(), Stop> {
    goes_on(stage, "Victory", |probe, instance| {
        rival(probe, instance, -1)
    })
}

fn identical_probe(stage: &mut Stage<'_>) -> Result<(), Stop> {
    goes_on(stage, "Twins", |probe, instance| rival(probe, instance, 0))
}

fn query_while_probing(stage: &mut Stage<'_>) -> Result<(), Stop> {
    goes_on(stage, "Curious", |_, instance| {
        Ok(Outgoing::question(instance, RecordType::SRV).ask(instance, RecordType::ANY))
    })
}

/// Disturbs the first probe with a message that shall not matter.
fn goes_on(
    stage: &mut Stage<'_>,
    label: &str,
    message: impl Fn(&Packet, &NameBuf) -> Result<Outgoing, Stop>,
) -> Result<(), Stop> {
    let instance = Service::instance(label);
    let from = stage.publish(label, Service::TYPE, Service::TXT)?;
    let probe = first_probe(stage, from, &instance)?;
    stage.send(&message(&probe, &instance)?)?;
    let announced = stage.first(probe.at, 6000, |packet| claims(packet, &instance));
    let Some(announced) = announced else {
        let packets = stage.link.since(probe.at);
        let other = packets
            .iter()
            .find_map(|packet| other_instance(packet, &instance));
        stage.fail(match other {
            Some(other) => format!("took {other}"),
            None => "not announced within 6 s".into(),
        });
        return Ok(());
    };
    let gap = announced.at - probe.at;
    stage.saw(format!(
        "announced {:.3} s after the first probe",
        gap.as_secs_f64()
    ));
    // RFC 6762 §8.1: 750 milliseconds after the first probe at the earliest.
    stage.must(gap >= ms(200), || {
        "the message was answered while the name was not yet its own".into()
    });
    stage.should(gap <= ms(1500), || "the message held it up".into());
    Ok(())
}

fn back_off(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let from = stage.publish("Hopeless", Service::TYPE, Service::TXT)?;
    let instance = Service::instance("Hopeless");
    first_probe(stage, from, &instance)?;
    let kind = name(&["_cooee-test", "_tcp", "local"]);
    let of_type = |name: &NameBuf| name.parent().is_some_and(|parent| parent == kind.as_name());
    let denied = deny(stage, from, from + ms(22_000), of_type, |denied| {
        attempts(denied).len() > 16
    })?;
    let times = attempts(&denied);
    stage.saw(format!(
        "{} attempts in {:.1} s",
        times.len(),
        times
            .last()
            .map_or(0.0, |last| (*last - from).as_secs_f64())
    ));
    // Attempt n has n conflicts before it.
    for conflicts in times.windows(16) {
        let &[first, .., last, next] = conflicts else {
            continue;
        };
        let wait = next - last;
        if last - first <= ms(10_000) {
            stage.must(wait >= ms(4900), || {
                format!(
                    "15 conflicts in {:.1} s, and the next attempt {:.2} s later",
                    (last - first).as_secs_f64(),
                    wait.as_secs_f64()
                )
            });
        }
    }
    Ok(())
}

/// When each new name was tried first; a repeated probe for the same name is no new attempt.
fn attempts(denied: &[(NameBuf, Duration)]) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut before: Option<&NameBuf> = None;
    for (name, at) in denied {
        if before != Some(name) {
            times.push(*at);
        }
        before = Some(name);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_tester_blames_nobody() {
        assert!(in_time(ms(100), ms(250), 150).is_ok());
        let late = in_time(ms(100), ms(251), 150);
        assert!(matches!(late, Err(Stop::NotApplicable(_))));
    }
}
