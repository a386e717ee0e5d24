//! A datagram on the link, with the time it passed and what it says.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cooee_wire::{Flags, Message, NameBuf, QuestionBuf, RecordBuf, RecordType, Section};

/// A datagram that the tester sent or heard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Packet {
    /// When it passed, since the link was opened. The kernel's stamp for what was heard.
    pub at: Duration,
    /// Where it came from.
    pub source: SocketAddr,
    /// Where it went.
    pub destination: SocketAddr,
    /// TTL of IPv4 or hop limit of IPv6, where the kernel told.
    pub hop_limit: Option<u8>,
    /// Whether the tester sent it.
    pub ours: bool,
    /// The payload.
    pub octets: Vec<u8>,
    /// What the payload says.
    pub contents: Contents,
}

/// A DNS message, decoded as far as it can be.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Contents {
    /// The id.
    pub id: u16,
    /// The second half of the header's first line.
    pub flags: Flags,
    /// Its questions.
    pub questions: Vec<QuestionBuf>,
    /// Its records with their sections, in order.
    pub records: Vec<(Section, RecordBuf)>,
    /// Why decoding stopped, if it did, or which data was unreadable.
    pub fault: Option<String>,
}

impl Contents {
    /// Decodes a payload. What cannot be read is left out and told in [`fault`](Self::fault).
    pub fn decode(octets: &[u8]) -> Self {
        let message = match Message::parse(octets) {
            Ok(message) => message,
            Err(error) => {
                return Self {
                    fault: Some(error.to_string()),
                    ..Self::default()
                };
            }
        };
        let header = message.header();
        let mut contents = Self {
            id: header.id,
            flags: header.flags,
            ..Self::default()
        };
        for question in message.questions() {
            match question.and_then(|question| question.to_owned()) {
                Ok(question) => contents.questions.push(question),
                Err(error) => contents.fault = Some(error.to_string()),
            }
        }
        for item in message.records() {
            let owned = item.and_then(|(section, record)| {
                record.data()?;
                Ok((section, record.to_owned()?))
            });
            match owned {
                Ok(item) => contents.records.push(item),
                Err(error) => contents.fault = Some(error.to_string()),
            }
        }
        contents
    }

    /// Whether it is a response.
    pub fn is_response(&self) -> bool {
        self.flags.is_response()
    }

    /// Whether it is a probe: a query whose authority section holds a record that answers one of its questions.
    // RFC 6762 §6 (6762-6-19)
    pub fn is_probe(&self) -> bool {
        !self.is_response()
            && self
                .authorities()
                .any(|record| self.questions.iter().any(|q| q.name == record.name))
    }

    /// Whether it is a probe for this name.
    pub fn probes_for(&self, name: &NameBuf) -> bool {
        self.is_probe() && self.questions.iter().any(|question| question.name == *name)
    }

    /// The records of the answer section.
    pub fn answers(&self) -> impl Iterator<Item = &RecordBuf> {
        self.section(Section::Answer)
    }

    /// The records of the authority section.
    pub fn authorities(&self) -> impl Iterator<Item = &RecordBuf> {
        self.section(Section::Authority)
    }

    /// The records of the additional section.
    pub fn additionals(&self) -> impl Iterator<Item = &RecordBuf> {
        self.section(Section::Additional)
    }

    fn section(&self, wanted: Section) -> impl Iterator<Item = &RecordBuf> {
        let of_section = move |item: &&(Section, RecordBuf)| item.0 == wanted;
        self.records
            .iter()
            .filter(of_section)
            .map(|(_, record)| record)
    }

    /// The records of all sections.
    pub fn all(&self) -> impl Iterator<Item = &RecordBuf> {
        self.records.iter().map(|(_, record)| record)
    }

    /// A live record of this name and type in the answer section of a response.
    pub fn answer(&self, name: &NameBuf, kind: RecordType) -> Option<&RecordBuf> {
        let found = self
            .answers()
            .find(|record| record.name == *name && record.kind() == kind && record.ttl > 0);
        found.filter(|_| self.is_response())
    }

    /// A live record of this name and type in any section of a response.
    pub fn record(&self, name: &NameBuf, kind: RecordType) -> Option<&RecordBuf> {
        let found = self
            .all()
            .find(|record| record.name == *name && record.kind() == kind && record.ttl > 0);
        found.filter(|_| self.is_response())
    }

    /// A goodbye for a record of this name and type.
    // RFC 6762 §10.1 (6762-10.1-1)
    pub fn goodbye(&self, name: &NameBuf, kind: RecordType) -> Option<&RecordBuf> {
        let found = self
            .answers()
            .find(|record| record.name == *name && record.kind() == kind && record.ttl == 0);
        found.filter(|_| self.is_response())
    }
}

impl Packet {
    /// Whether it went to one of the multicast DNS groups.
    pub fn is_multicast(&self) -> bool {
        self.destination.ip().is_multicast()
    }

    /// Whether it travelled by IPv4.
    pub fn is_v4(&self) -> bool {
        matches!(self.source.ip(), IpAddr::V4(_))
    }
}

/// One line: time, way, and the message as the other tools of this workspace print it.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.ours { "tester " } else { "subject" };
        write!(
            f,
            "{:9.4} {who} {} > {}  {} octets  ",
            self.at.as_secs_f64(),
            self.source,
            self.destination,
            self.octets.len()
        )?;
        match Message::parse(&self.octets) {
            Ok(message) => {
                if message.header().id != 0 {
                    write!(f, "id {:#06x} ", message.header().id)?;
                }
                message.fmt(f)
            }
            Err(error) => write!(f, "! {error}"),
        }
    }
}
