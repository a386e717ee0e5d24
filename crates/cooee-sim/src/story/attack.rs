//! What somebody may send who means no good, or knows no better.

use std::net::SocketAddr;

use cooee_mdns::{LinkId, Node};
use cooee_wire::{Compression, Flags, Message, MessageBuilder, RdataBuf, RecordBuf, Section};

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
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Garbage,
        Self::Goodbyes,
        Self::Flushes,
        Self::Names,
        Self::Conflicts,
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
    use cooee_wire::RecordType;
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
    let mut buffer = vec![0; 9000];
    let built = MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast).map(
        |mut b| {
            for record in records {
                if b.record(Section::Answer, record.as_record()).is_err() {
                    break;
                }
            }
            b.finish()
        },
    );
    buffer.truncate(built.unwrap_or(0));
    buffer
}
