//! Packets for tests, in few words.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, UNIX_EPOCH};

use cooee::wire::{
    Compression, Flags, MessageBuilder, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType,
    Section,
};

use super::packet::{PORT, Packet};
use crate::clock::Moment;
use crate::picture::examples::interface;

/// A record in the answer section.
pub(super) const ANSWER: Section = Section::Answer;

/// The moment so many milliseconds after the start.
pub(super) fn moment(millis: u64) -> Moment {
    let since_start = Duration::from_millis(millis);
    Moment {
        wall: UNIX_EPOCH + Duration::from_millis(1_795_375_941_616) + since_start,
        since_start,
    }
}

/// A packet from port 5353 of this address to the group of its family, so many milliseconds after the start.
pub(super) fn packet(millis: u64, from: &str, payload: Vec<u8>) -> Packet {
    let source: IpAddr = from.parse().unwrap();
    let group = match source {
        IpAddr::V4(_) => "224.0.0.251",
        IpAddr::V6(_) => "ff02::fb",
    };
    Packet {
        moment: moment(millis),
        interface: Some(interface("eth0", 2)),
        source: SocketAddr::new(source, PORT),
        destination: SocketAddr::new(group.parse().unwrap(), PORT),
        hop_limit: Some(255),
        fragmented: Some(false),
        payload,
    }
}

impl Packet {
    /// The same to one host.
    pub(super) fn to(self, destination: &str) -> Self {
        Self {
            destination: destination.parse().unwrap(),
            ..self
        }
    }

    /// The same from another port.
    pub(super) fn sent_from(mut self, port: u16) -> Self {
        self.source.set_port(port);
        self
    }
}

pub(super) fn name(text: &str) -> NameBuf {
    text.parse().unwrap()
}

pub(super) fn a(owner: &str, last: u8) -> RecordBuf {
    unique(owner, 120, RdataBuf::a([192, 0, 2, last].into()))
}

pub(super) fn srv(owner: &str, port: u16) -> RecordBuf {
    unique(
        owner,
        120,
        RdataBuf::srv(0, 0, port, name("box.local").as_name()),
    )
}

pub(super) fn txt(owner: &str, strings: &[&str]) -> RecordBuf {
    unique(owner, 4_500, RdataBuf::txt(strings).unwrap())
}

pub(super) fn ptr(owner: &str, target: &str) -> RecordBuf {
    RecordBuf::new(name(owner), 4_500, RdataBuf::ptr(name(target).as_name()))
}

pub(super) fn nsec(owner: &str, kinds: &[RecordType]) -> RecordBuf {
    let kinds = kinds.iter().copied();
    unique(owner, 120, RdataBuf::nsec(name(owner).as_name(), kinds))
}

pub(super) fn unique(owner: &str, ttl: u32, rdata: RdataBuf) -> RecordBuf {
    RecordBuf {
        cache_flush: true,
        ..RecordBuf::new(name(owner), ttl, rdata)
    }
}

/// The same record with another lifetime.
pub(super) fn living(record: RecordBuf, ttl: u32) -> RecordBuf {
    RecordBuf { ttl, ..record }
}

/// The same record without cache-flush bit.
pub(super) fn shared(record: RecordBuf) -> RecordBuf {
    RecordBuf {
        cache_flush: false,
        ..record
    }
}

pub(super) fn ask(owner: &str, kind: RecordType) -> QuestionBuf {
    QuestionBuf::new(name(owner), kind)
}

pub(super) fn ask_unicast(owner: &str, kind: RecordType) -> QuestionBuf {
    QuestionBuf {
        unicast_response: true,
        ..ask(owner, kind)
    }
}

pub(super) fn response(answers: &[RecordBuf]) -> Vec<u8> {
    let records: Vec<_> = answers
        .iter()
        .map(|record| (ANSWER, record.clone()))
        .collect();
    message(Flags::RESPONSE, &[], &records)
}

pub(super) fn query(questions: &[QuestionBuf], known: &[RecordBuf]) -> Vec<u8> {
    let known: Vec<_> = known
        .iter()
        .map(|record| (ANSWER, shared(record.clone())))
        .collect();
    message(Flags::QUERY, questions, &known)
}

/// A probe for the names of these records.
pub(super) fn probe(records: &[RecordBuf]) -> Vec<u8> {
    let mut questions: Vec<QuestionBuf> = Vec::new();
    for record in records {
        let question = QuestionBuf {
            unicast_response: true,
            ..QuestionBuf::new(record.name.clone(), RecordType::ANY)
        };
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    let proposed: Vec<_> = records
        .iter()
        .map(|record| (Section::Authority, shared(record.clone())))
        .collect();
    message(Flags::QUERY, &questions, &proposed)
}

pub(super) fn message(
    flags: Flags,
    questions: &[QuestionBuf],
    records: &[(Section, RecordBuf)],
) -> Vec<u8> {
    build(flags, questions, records, Compression::Multicast)
}

pub(super) fn build(
    flags: Flags,
    questions: &[QuestionBuf],
    records: &[(Section, RecordBuf)],
    compression: Compression,
) -> Vec<u8> {
    let mut buffer = vec![0; 60_000];
    let mut builder = MessageBuilder::new(&mut buffer, 0, flags, compression).unwrap();
    for question in questions {
        builder.question(question.as_question()).unwrap();
    }
    for (section, record) in records {
        builder.record(*section, record.as_record()).unwrap();
    }
    let length = builder.finish();
    buffer.truncate(length);
    buffer
}
