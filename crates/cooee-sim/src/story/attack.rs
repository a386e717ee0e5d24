//! What somebody may send who means no good, or knows no better.

use std::net::SocketAddr;

use cooee_mdns::{LinkId, Node};
use cooee_wire::{
    Compression, Flags, Message, MessageBuilder, QuestionBuf, RdataBuf, RecordBuf, RecordType,
    Section,
};

use super::resident::type_name;
use crate::network::Network;

/// How many names a flood has.
const FLOOD: u64 = 20;
/// How long the inventions of an attacker are believed, in seconds.
const TTL: u32 = 120;

/// Something hostile that is sent to a link, from an address that no host of the network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attack {
    /// Octets that are no message.
    Garbage,
    /// Goodbyes for everything in the last response.
    Goodbyes,
    /// What is in the last response, with other data and the cache-flush bit.
    Flushes,
    /// Many instances that do not exist.
    Names,
    /// Other data for the names in the last response, beside what there is.
    Conflicts,
    /// The last response once more, from somebody whose it is not.
    Echo,
    /// Probes for the names in the last response.
    Probes,
    /// A query that lists all of the last response as known, with the word that more is to come, which does not come.
    Truncated,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Garbage,
        Self::Goodbyes,
        Self::Flushes,
        Self::Names,
        Self::Conflicts,
        Self::Echo,
        Self::Probes,
        Self::Truncated,
    ];

    pub(super) fn strike<N: Node>(self, network: &mut Network<N>, link: LinkId) {
        let heard = network.last_response(link).unwrap_or_default();
        let chosen = network.draw();
        let payload = match self {
            Self::Garbage => garbage(heard, chosen),
            Self::Goodbyes => {
                response(records(&heard).map(|record| RecordBuf { ttl: 0, ..record }))
            }
            Self::Flushes => {
                response(records(&heard).filter_map(|record| false_data(record, true)))
            }
            Self::Echo => response(records(&heard)),
            Self::Probes => {
                let wanted = records(&heard).filter_map(|record| false_data(record, false));
                query(Flags::QUERY, RecordType::ANY, Section::Authority, wanted)
            }
            Self::Truncated => {
                let flags = Flags::QUERY.with_truncated(true);
                query(flags, RecordType::PTR, Section::Answer, records(&heard))
            }
            Self::Names => response((0..FLOOD).map(|number| invented(chosen, number))),
            Self::Conflicts => {
                response(records(&heard).filter_map(|record| false_data(record, false)))
            }
        };
        let source = SocketAddr::from(([192, 0, 2, 66], 5353));
        network.inject(link, source, &payload);
    }
}

/// A message with an octet changed and an end cut off.
fn garbage(mut payload: Vec<u8>, chosen: u64) -> Vec<u8> {
    let place = usize::try_from(chosen % 997).unwrap_or(0);
    payload.truncate(12 + place);
    if let Some(octet) = payload.get_mut(place) {
        *octet ^= 0x55;
    }
    payload
}

fn records(message: &[u8]) -> impl Iterator<Item = RecordBuf> {
    let owned = |message: Message<'_>| {
        message
            .records()
            .filter_map(|record| record.ok()?.1.to_owned().ok())
            .collect::<Vec<_>>()
    };
    Message::parse(message)
        .map(owned)
        .unwrap_or_default()
        .into_iter()
}

/// The same record with data that it has never had.
fn false_data(record: RecordBuf, flush: bool) -> Option<RecordBuf> {
    let rdata = match record.kind() {
        RecordType::A => RdataBuf::a([192, 0, 2, 66].into()),
        RecordType::TXT => RdataBuf::txt([b"false".as_slice()]).ok()?,
        RecordType::SRV => RdataBuf::srv(0, 0, 666, type_name(0).as_name()),
        _ => return None,
    };
    Some(RecordBuf {
        ttl: TTL,
        cache_flush: flush,
        rdata,
        ..record
    })
}

fn invented(chosen: u64, number: u64) -> RecordBuf {
    let owner = type_name(0);
    let instance = format!("Nobody {chosen}-{number}.{owner}").parse();
    let target = instance.unwrap_or_else(|_| owner.clone());
    RecordBuf::new(owner, TTL, RdataBuf::ptr(target.as_name()))
}

fn response(records: impl Iterator<Item = RecordBuf>) -> Vec<u8> {
    message(Flags::RESPONSE, &[], Section::Answer, records)
}

/// A query for the names of these records, or for those of the first type if that is what it asks for.
fn query(
    flags: Flags,
    kind: RecordType,
    section: Section,
    records: impl Iterator<Item = RecordBuf>,
) -> Vec<u8> {
    let records: Vec<RecordBuf> = records
        .map(|record| RecordBuf {
            cache_flush: false,
            ..record
        })
        .collect();
    let mut names: Vec<_> = match kind {
        RecordType::PTR => vec![type_name(0)],
        _ => records.iter().map(|record| record.name.clone()).collect(),
    };
    names.dedup();
    let questions: Vec<_> = names
        .into_iter()
        .map(|name| QuestionBuf::new(name, kind))
        .collect();
    message(flags, &questions, section, records.into_iter())
}

fn message(
    flags: Flags,
    questions: &[QuestionBuf],
    section: Section,
    records: impl Iterator<Item = RecordBuf>,
) -> Vec<u8> {
    let mut buffer = vec![0; 9000];
    let built =
        MessageBuilder::new(&mut buffer, 0, flags, Compression::Multicast).map(|mut builder| {
            for question in questions {
                let _ = builder.question(question.as_question());
            }
            for record in records {
                if builder.record(section, record.as_record()).is_err() {
                    break;
                }
            }
            builder.finish()
        });
    buffer.truncate(built.unwrap_or(0));
    buffer
}
