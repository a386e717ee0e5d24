//! What strangers may send: the subject goes on to answer.

use cooee_wire::{RdataBuf, RecordBuf, RecordType, Section};

use super::standing;
use crate::query::Outgoing;
use crate::service::{Service, foreign_srv};
use crate::stage::{Stage, Stop};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    standing(
        "1035-4.1-2/survives-short-messages",
        &["1035-4.1-1", "1035-4.1-2"],
        "it survives messages cut off at every length",
        "lives under another name: warn; does not answer: fail",
        survives_short_messages,
    ),
    standing(
        "1035-4.1.4-4/survives-pointer-loops",
        &["1035-4.1.4-2", "1035-4.1.4-4"],
        "it survives compression pointers to themselves, forwards, in circles and beyond the end, and reserved labels",
        "",
        survives_pointer_loops,
    ),
    standing(
        "1035-4.1.1-10/survives-false-counts",
        &["1035-4.1.1-10"],
        "it survives headers that promise more than there is",
        "",
        survives_false_counts,
    ),
    standing(
        "6762-21-1/survives-noise",
        &["6762-21-1"],
        "it survives 400 messages of noise",
        "",
        survives_noise,
    ),
    standing(
        "6762-6.1-16/survives-broken-records",
        &["6762-6.1-15", "6762-6.1-16", "6763-6.1-7"],
        "it survives responses with records whose data is none, too short or too long",
        "",
        survives_broken_records,
    ),
    standing(
        "6891-6.1.1-1/query-with-opt",
        &["6891-6.1.1-1", "6891-6.1.2-4", "6762-10.2-17"],
        "a query with an OPT record is answered",
        "",
        query_with_opt,
    ),
    standing(
        "6762-6.3-1/odd-question-beside",
        &["6762-6.3-1", "1035-4.1.2-1"],
        "a question is answered also beside one of an unknown type",
        "",
        odd_question_beside,
    ),
];

/// The subject still runs and answers.
fn judge_alive(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    if !stage.subject.is_alive() {
        return Err(Stop::Fail("it has ended".into()));
    }
    if service.is_answered_for(stage.link) {
        return Ok(());
    }
    if service.has_changed(stage.link) {
        stage.warn("it lives, and has taken another name");
    } else {
        stage.fail("it does not answer any more");
    }
    Ok(())
}

/// Sends octets as they are, by multicast.
fn throw(stage: &Stage<'_>, octets: &[u8]) -> Result<(), Stop> {
    // Not so fast that the kernel has to drop any.
    std::thread::sleep(crate::stage::ms(1));
    stage.link.multicast(octets)?;
    Ok(())
}

fn survives_short_messages(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let response = of_somebody_else(service);
    let query = Outgoing::question(&service.kind, RecordType::PTR)
        .answer(service.ptr(4500))
        .build();
    for message in [response, query] {
        for len in 0..message.len() {
            throw(stage, message.get(..len).unwrap_or_default())?;
        }
    }
    judge_alive(stage)
}

/// A response about another instance of the type: spoilt, it cannot be taken for a conflict.
fn of_somebody_else(service: &Service) -> Vec<u8> {
    let other = Service::instance("Somebody Else");
    let rdata = RdataBuf::ptr(other.as_name());
    Outgoing::response()
        .answer(RecordBuf::new(service.kind.clone(), 4500, rdata))
        .record(Section::Additional, foreign_srv(&other))
        .build()
}

/// A message with one question or one record whose name is these octets.
fn with_name(response: bool, name: &[u8]) -> Vec<u8> {
    let mut octets = vec![0; 12];
    let (flags, count) = if response { (0x84, 7) } else { (0, 5) };
    for (at, octet) in [(2, flags), (count, 1)] {
        if let Some(place) = octets.get_mut(at) {
            *place = octet;
        }
    }
    octets.extend_from_slice(name);
    octets.extend_from_slice(&[0, 12, 0, 1]);
    if response {
        octets.extend_from_slice(&[0, 0, 0, 120, 0, 2, 0xc0, 12]);
    }
    octets
}

fn survives_pointer_loops(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let long = [&[63][..], &[b'a'; 63]].concat().repeat(5);
    let names: [&[u8]; 9] = [
        &[0xc0, 12],
        &[0xc0, 14, 0xc0, 12],
        &[1, b'a', 0xc0, 12],
        &[0xc0, 14, 1, b'a', 0],
        &[0xff, 0xff],
        &[0xc0, 0],
        &[0x40, b'a', 0],
        &[0x80, b'a', 0],
        &long,
    ];
    for name in names {
        for response in [false, true] {
            throw(stage, &with_name(response, name))?;
        }
    }
    judge_alive(stage)
}

fn survives_false_counts(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let good = Outgoing::question(&service.kind, RecordType::PTR)
        .answer(service.ptr(4500))
        .build();
    for section in 0..4 {
        for flags in [0, 0x84] {
            let mut octets = good.clone();
            let places = [(2, flags), (4 + 2 * section, 0xff), (5 + 2 * section, 0xff)];
            for (at, octet) in places {
                if let Some(place) = octets.get_mut(at) {
                    *place = octet;
                }
            }
            throw(stage, &octets)?;
        }
    }
    judge_alive(stage)
}

/// A generator of noise that is the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn survives_noise(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let mut noise = Noise(0x6762_6763);
    let good = of_somebody_else(service);
    for round in 0..400 {
        let mut octets = if round % 2 == 0 {
            let len = usize::try_from(noise.next() % 600).unwrap_or(0);
            (0..len).map(|_| noise.next() as u8).collect()
        } else {
            good.clone()
        };
        // A handful of octets changed; the owner names are left, or it could be a real conflict.
        for _ in 0..3 {
            let len = octets.len().max(1) as u64;
            let at = usize::try_from(noise.next() % len).unwrap_or(0);
            if let Some(place) = octets.get_mut(at) {
                *place = noise.next() as u8;
            }
        }
        // What could still be read as a record of the subject's own would be a conflict by right.
        let conflict = crate::packet::Contents::decode(&octets)
            .all()
            .any(|record| record.name == service.instance || record.name == service.host);
        if !conflict {
            throw(stage, &octets)?;
        }
    }
    judge_alive(stage)
}

fn survives_broken_records(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let owner = b"\x06broken\x05local\0";
    let kinds = [1, 12, 16, 28, 33, 41, 47, 64, 255, 65_535_u16];
    for kind in kinds {
        for data in [&[][..], &[0], &[0xff; 3], &[0xc0, 0x0c, 0, 0xff], &[7; 40]] {
            let mut octets = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            octets.extend_from_slice(owner);
            octets.extend_from_slice(&kind.to_be_bytes());
            octets.extend_from_slice(&[0x80, 1, 0, 0, 0, 120, 0, data.len() as u8]);
            octets.extend_from_slice(data);
            throw(stage, &octets)?;
        }
    }
    judge_alive(stage)
}

fn query_with_opt(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::SRV).opt(1440);
    stage.answer_to(&query, &service.instance, RecordType::SRV)?;
    Ok(())
}

fn odd_question_beside(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let query = Outgoing::question(&service.instance, RecordType::new(65_280))
        .ask(&service.instance, RecordType::SRV);
    stage.answer_to(&query, &service.instance, RecordType::SRV)?;
    Ok(())
}
