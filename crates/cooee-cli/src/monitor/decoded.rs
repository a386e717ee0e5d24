//! A message taken apart, as far as it can be.

use cooee::wire::{
    Data, Header, LabelBudget, Message, NameBuf, ParseError, QuestionBuf, RecordBuf, RecordType,
    Section,
};

/// What a packet says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decoded {
    /// The first twelve octets, if there are as many.
    pub(crate) header: Option<Header>,
    /// The questions, up to the first fault.
    pub(crate) questions: Vec<QuestionBuf>,
    /// The records that can be read, with their sections, up to the first fault of the frame.
    pub(crate) records: Vec<(Section, RecordBuf)>,
    /// What is wrong first, and where.
    pub(crate) fault: Option<ParseError>,
    /// Octets behind the last record.
    pub(crate) trailing: usize,
}

impl Decoded {
    /// Reads a payload.
    pub(crate) fn read(payload: &[u8]) -> Self {
        let message = match Message::parse(payload) {
            Ok(message) => message,
            Err(fault) => {
                return Self {
                    fault: Some(fault),
                    ..Self::default()
                };
            }
        };
        let mut decoded = Self {
            header: Some(message.header()),
            ..Self::default()
        };
        // A small message can be made of many pointers to one long name: such a one is not read further.
        match message.check(LabelBudget::default()) {
            Ok(rest) => decoded.trailing = rest.len(),
            Err(fault) => decoded.fault = Some(fault),
        }
        let is_bomb = decoded
            .fault
            .is_some_and(|fault| fault.kind() == cooee::wire::Malformed::LabelBudget);
        if is_bomb {
            return decoded;
        }
        for question in message.questions() {
            match question.and_then(|question| question.to_owned()) {
                Ok(question) => decoded.questions.push(question),
                Err(fault) => {
                    decoded.fault.get_or_insert(fault);
                    break;
                }
            }
        }
        for read in message.records() {
            match read.and_then(|(section, record)| Ok((section, record.to_owned()?))) {
                Ok(record) => decoded.records.push(record),
                Err(fault) => {
                    decoded.fault.get_or_insert(fault);
                }
            }
        }
        decoded
    }

    /// Is a response; what has no header is none.
    pub(crate) fn is_response(&self) -> bool {
        self.header.is_some_and(|header| header.flags.is_response())
    }

    /// Is a query that proposes records.
    // RFC 6762 §8.2 (6762-8.2-1)
    pub(crate) fn is_probe(&self) -> bool {
        !self.is_response()
            && !self.questions.is_empty()
            && self.header.is_some_and(|header| header.authority_count > 0)
    }

    /// The records of one section.
    pub(crate) fn section(&self, wanted: Section) -> impl Iterator<Item = &RecordBuf> {
        let records = self.records.iter();
        records
            .filter(move |(section, _)| *section == wanted)
            .map(|(_, record)| record)
    }

    /// The records without those that speak of the message itself.
    pub(crate) fn data(&self) -> impl Iterator<Item = (Section, &RecordBuf)> {
        let records = self.records.iter();
        records
            .filter(|(_, record)| record.kind() != RecordType::OPT)
            .map(|(section, record)| (*section, record))
    }

    /// The same and the names that the data points at.
    pub(crate) fn all_names(&self) -> Vec<NameBuf> {
        let pointed_at = self.data().filter_map(|(_, record)| {
            let name = match record.rdata.decode().ok()? {
                Data::Ptr(name) | Data::Cname(name) => name,
                Data::Srv(srv) => srv.target,
                _ => return None,
            };
            NameBuf::try_from(name).ok()
        });
        self.names().cloned().chain(pointed_at).collect()
    }

    /// The names of its questions and records.
    pub(crate) fn names(&self) -> impl Iterator<Item = &NameBuf> {
        let asked = self.questions.iter().map(|question| &question.name);
        asked.chain(self.data().map(|(_, record)| &record.name))
    }
}
