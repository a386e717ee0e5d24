//! Messages for the subject, put together word by word.

use cooee_wire::{
    Class, Compression, Flags, MessageBuilder, NameBuf, QuestionBuf, RdataBuf, RecordBuf,
    RecordType, Section,
};

/// The largest message that the tester sends.
const ROOM: usize = 8952;

/// A message on its way to the subject: a query, a probe or a response.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    id: u16,
    flags: Flags,
    questions: Vec<QuestionBuf>,
    records: Vec<(Section, RecordBuf)>,
    compression: Option<Compression>,
}

impl Outgoing {
    /// A query without questions: the continuation of a known-answer list, until [`ask`](Self::ask) is called.
    pub fn query() -> Self {
        Self::default()
    }

    /// A response without answers.
    pub fn response() -> Self {
        Self {
            flags: Flags::RESPONSE,
            ..Self::default()
        }
    }

    /// A query with one question.
    pub fn question(name: &NameBuf, kind: RecordType) -> Self {
        Self::query().ask(name, kind)
    }

    /// One more question.
    #[must_use]
    pub fn ask(mut self, name: &NameBuf, kind: RecordType) -> Self {
        self.questions.push(QuestionBuf::new(name.clone(), kind));
        self
    }

    /// All questions so far want a unicast response.
    #[must_use]
    pub fn unicast(mut self) -> Self {
        for question in &mut self.questions {
            question.unicast_response = true;
        }
        self
    }

    /// All questions so far are of this class.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        for question in &mut self.questions {
            question.class = class;
        }
        self
    }

    /// A record in the answer section: an answer, or in a query one that is known.
    #[must_use]
    pub fn answer(self, record: RecordBuf) -> Self {
        self.record(Section::Answer, record)
    }

    /// A record in the authority section: what a probe proposes.
    #[must_use]
    pub fn authority(self, record: RecordBuf) -> Self {
        self.record(Section::Authority, record)
    }

    /// A record in a section.
    #[must_use]
    pub fn record(mut self, section: Section, record: RecordBuf) -> Self {
        self.records.push((section, record));
        self
    }

    /// Sets TC.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.flags = self.flags.with_truncated(true);
        self
    }

    /// Sets the id.
    #[must_use]
    pub fn id(mut self, id: u16) -> Self {
        self.id = id;
        self
    }

    /// Sets these bits of the header besides those that are set.
    #[must_use]
    pub fn bits(mut self, bits: u16) -> Self {
        self.flags = Flags::from_bits(self.flags.bits() | bits);
        self
    }

    /// Clears these bits of the header.
    #[must_use]
    pub fn without(mut self, bits: u16) -> Self {
        self.flags = Flags::from_bits(self.flags.bits() & !bits);
        self
    }

    /// An OPT record that offers this payload size.
    // RFC 6891 §6.1.2 (6891-6.1.2-1)
    #[must_use]
    pub fn opt(mut self, payload: u16) -> Self {
        if let Ok(rdata) = RdataBuf::opt([]) {
            let mut opt = RecordBuf::new(NameBuf::root(), 0, rdata);
            opt.class = Class::new(payload);
            self.records.push((Section::Additional, opt));
        }
        self
    }

    /// Compresses names another way than multicast DNS does.
    #[must_use]
    pub fn compressed(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// The octets. What does not fit is left out; nothing that a test sends comes near.
    pub fn build(&self) -> Vec<u8> {
        let mut buffer = vec![0; ROOM];
        let mut len = 0;
        let compression = self.compression.unwrap_or(Compression::Multicast);
        if let Ok(mut builder) = MessageBuilder::new(&mut buffer, self.id, self.flags, compression)
        {
            for question in &self.questions {
                let _ = builder.question(question.as_question());
            }
            for section in [Section::Answer, Section::Authority, Section::Additional] {
                for (_, record) in self.records.iter().filter(|(of, _)| *of == section) {
                    let _ = builder.record(section, record.as_record());
                }
            }
            len = builder.finish();
        }
        buffer.truncate(len);
        buffer
    }
}

/// A copy with the cache-flush bit set.
pub fn flushed(mut record: RecordBuf) -> RecordBuf {
    record.cache_flush = true;
    record
}

/// A copy with this TTL, and no cache-flush bit: for a known-answer list.
pub fn with_ttl(record: &RecordBuf, ttl: u32) -> RecordBuf {
    let mut record = record.clone();
    record.ttl = ttl;
    record.cache_flush = false;
    record
}
