//! What does not exist: NSEC for names of its own, silence for all others.

use std::time::Duration;

use cooee_wire::{Data, NameBuf, RecordBuf, RecordType};

use super::standing;
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::name;
use crate::stage::{Stage, Stop};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "6762-6.1-1/negative-for-host",
        &["6762-6.1-1", "6762-6.1-22", "6762-6-8", "6762-6-9"],
        "a question for a type that its host name does not have is answered with NSEC",
        "never probed for with type ANY, so not its own for all types: n/a; no NSEC within 1.5 s, or a false one: fail",
        negative_for_host,
    ),
    standing(
        "6762-6.1-1/negative-for-instance",
        &["6762-6.1-1", "6762-6.1-22", "6762-6-8"],
        "a question for a type that its instance does not have is answered with NSEC",
        "never probed for with type ANY, so not its own for all types: n/a; no NSEC within 1.5 s, or a false one: fail",
        negative_for_instance,
    ),
    standing(
        "6762-6.1-7/form-of-nsec",
        &[
            "6762-6.1-2",
            "6762-6.1-6",
            "6762-6.1-7",
            "6762-6.1-8",
            "6762-6.1-9",
            "6762-6.1-17",
        ],
        "NSEC names its owner, lists what exists in block 0, and not itself",
        "",
        form_of_nsec,
    ),
    standing(
        "6762-6.1-19/ttl-of-nsec",
        &["6762-6.1-18", "6762-6.1-19"],
        "NSEC for a missing address lives as long as the address would: 120 seconds",
        "another TTL: warn",
        ttl_of_nsec,
    ),
    standing(
        "6762-6.1-20/silent-for-others",
        &["6762-6.1-20", "6762-6-7", "6762-6-11"],
        "questions for names of others get no answer",
        "any response within 1 s, two times of two: fail",
        silent_for_others,
    ),
    standing(
        "6762-6-10/silent-for-shared",
        &["6762-6-10", "6762-6-11", "6762-6.1-22"],
        "questions for what a shared name does not have get no answer",
        "any response within 1 s, two times of two: fail",
        silent_for_shared,
    ),
];

/// A type that neither a host nor an instance has.
const ABSENT: RecordType = RecordType::LOC;

fn nsec(stage: &Stage<'_>, name: &NameBuf, absent: RecordType) -> Result<RecordBuf, Stop> {
    stage.rest();
    let asked = stage.send(&Outgoing::question(name, absent))?;
    let found = stage
        .link
        .wait_for(asked, asked + crate::stage::ms(1500), |packet| {
            let record = packet.contents.record(name, RecordType::NSEC);
            record.filter(|_| packet.is_v4()).cloned()
        });
    found.ok_or_else(|| Stop::Fail(format!("no NSEC for {name} {absent} within 1.5 s")))
}

fn types(record: &RecordBuf) -> Result<Vec<RecordType>, Stop> {
    match record.rdata.decode() {
        Ok(Data::Nsec(nsec)) => Ok(nsec.types().collect()),
        _ => Err(Stop::Fail(format!("unreadable: {record}"))),
    }
}

/// Ends a test for a name that the subject has not probed for with type ANY, by either family, since it was started.
// RFC 6762 §6.1 (6762-6.1-1, 6762-6.1-22)
fn must_own(stage: &Stage<'_>, name: &NameBuf) -> Result<(), Stop> {
    let asks = |packet: &Packet| {
        let mut questions = packet.contents.questions.iter();
        questions.any(|question| question.name == *name && question.kind == RecordType::ANY)
    };
    let sent = stage.link.since(Duration::ZERO);
    let probed = sent
        .iter()
        .any(|packet| !packet.ours && !packet.contents.is_response() && asks(packet));
    if probed {
        return Ok(());
    }
    Err(Stop::NotApplicable(format!(
        "it never probed for {name} with type ANY, and may not deny other types of it"
    )))
}

fn judge_negative(
    stage: &mut Stage<'_>,
    name: &NameBuf,
    absent: RecordType,
    there: &[RecordType],
) -> Result<(), Stop> {
    must_own(stage, name)?;
    let record = nsec(stage, name, absent)?;
    let types = types(&record)?;
    stage.saw(record.to_string());
    stage.must(!types.contains(&absent), || {
        format!("it says that {absent} exists: {record}")
    });
    for kind in there {
        stage.must(types.contains(kind), || {
            format!("it denies {kind}, which exists: {record}")
        });
    }
    Ok(())
}

fn negative_for_host(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    judge_negative(stage, &service.host, ABSENT, &[RecordType::A])
}

fn negative_for_instance(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let there = [RecordType::SRV, RecordType::TXT];
    judge_negative(stage, &service.instance, RecordType::A, &there)
}

fn form_of_nsec(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let (mut last, mut seen) = (None, false);
    for (name, absent) in [(&service.host, ABSENT), (&service.instance, RecordType::A)] {
        match nsec(stage, name, absent) {
            Ok(record) => {
                seen = true;
                judge_form(stage, &record)?;
            }
            Err(stop) => last = Some(stop),
        }
    }
    match last {
        Some(_) if !seen => Err(Stop::NotApplicable("it sends no NSEC".into())),
        _ => Ok(()),
    }
}

fn judge_form(stage: &mut Stage<'_>, record: &RecordBuf) -> Result<(), Stop> {
    let Ok(Data::Nsec(data)) = record.rdata.decode() else {
        return Err(Stop::Fail(format!("unreadable: {record}")));
    };
    stage.must(data.next == record.name.as_name(), || {
        format!("the next name is another one: {record}")
    });
    stage.must(!data.contains(RecordType::NSEC), || {
        format!("it lists NSEC: {record}")
    });
    // The restricted form has one block, number 0, of 1 to 32 octets.
    let bitmap = data.types.octets();
    let is_restricted =
        matches!(bitmap, [0, len @ 1..=32, rest @ ..] if rest.len() == usize::from(*len));
    let beyond = data.types().any(|kind| kind.get() > 255);
    stage.must(is_restricted || beyond, || {
        format!("not the restricted form: {bitmap:02x?}")
    });
    Ok(())
}

fn ttl_of_nsec(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let record = nsec(stage, &service.instance, RecordType::A)
        .map_err(|_| Stop::NotApplicable("it sends no NSEC".into()))?;
    stage.should(record.ttl == 120, || format!("TTL {}", record.ttl));
    Ok(())
}

fn judge_silence(stage: &mut Stage<'_>, queries: &[(NameBuf, RecordType)]) -> Result<(), Stop> {
    let ask = |stage: &Stage<'_>| {
        let from = stage.link.now();
        for (name, kind) in queries {
            stage.send(&Outgoing::question(name, *kind))?;
        }
        Ok(from)
    };
    let is_response = |packet: &Packet| packet.contents.is_response();
    if let Some((_, packet)) = stage.reply_to(ask, 1000, is_response)? {
        let records = packet.contents.all().map(ToString::to_string);
        stage.fail(format!(
            "twice a response, the second with flags {:#06x}: {}",
            packet.contents.flags.bits(),
            records.collect::<Vec<_>>().join("; ")
        ));
    }
    Ok(())
}

fn silent_for_others(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let queries = [
        (name(&["cooee-nobody", "local"]), RecordType::A),
        (
            name(&["Nobody", "_cooee-test", "_tcp", "local"]),
            RecordType::SRV,
        ),
        (name(&["_cooee-none", "_tcp", "local"]), RecordType::PTR),
        (
            name(&["99", "2", "0", "192", "in-addr", "arpa"]),
            RecordType::PTR,
        ),
        (name(&["www", "example", "com"]), RecordType::A),
    ];
    judge_silence(stage, &queries)?;
    // It still answers: silence was no sign of death.
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    stage.given_answer_to(&query, &service.instance, RecordType::SRV)?;
    Ok(())
}

fn silent_for_shared(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    judge_silence(
        stage,
        &[
            (service.kind.clone(), RecordType::TXT),
            (service.kind.clone(), RecordType::A),
        ],
    )?;
    let query = Outgoing::question(&service.instance, RecordType::SRV);
    stage.given_answer_to(&query, &service.instance, RecordType::SRV)?;
    Ok(())
}
