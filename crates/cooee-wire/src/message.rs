use core::fmt;

use crate::parse::{array, located};
use crate::question::question;
use crate::record::record;
use crate::{Field, Flags, Malformed, Name, ParseError, Question, Record, Section};

/// A DNS message, as a view into its octets.
///
/// ```text
/// header       12 octets
/// questions    QDCOUNT of them
/// answers      ANCOUNT records
/// authorities  NSCOUNT records
/// additionals  ARCOUNT records
/// ```
///
/// RFC 1035 §4.1. The counts are what the sender claims; the octets decide.
#[derive(Clone, Copy)]
pub struct Message<'m> {
    octets: &'m [u8],
    header: Header,
}

/// The twelve octets before the questions. RFC 1035 §4.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Copied from query to response in unicast DNS; 0 in multicast. RFC 6762 §18.1.
    pub id: u16,
    /// Query or response, and how it went.
    pub flags: Flags,
    /// How many questions the sender claims to have written: an upper bound, never to be reserved for.
    pub question_count: u16,
    /// How many answers, likewise.
    pub answer_count: u16,
    /// How many records in the authority section, likewise.
    pub authority_count: u16,
    /// How many additional records, likewise.
    pub additional_count: u16,
}

impl<'m> Message<'m> {
    /// The message in these octets. Reads the header; the rest is read by the iterators.
    ///
    /// # Errors
    /// If there are fewer than 12 octets or more than 65,535.
    // RFC 1035 §4.2.2 (1035-4.2.2-1): not done, because the two octets of length before a message in a TCP stream are no
    // part of it: who reads streams takes them off first.
    #[inline]
    pub fn parse(octets: &'m [u8]) -> Result<Self, ParseError> {
        if octets.len() > usize::from(u16::MAX) {
            return Err(
                ParseError::new(octets.len(), Malformed::MessageTooLong).within(Field::Message)
            );
        }
        // RFC 1035 §4.1 (1035-4.1-2)
        let (_, &[i0, i1, f0, f1, q0, q1, a0, a1, n0, n1, r0, r1]) =
            array(Malformed::HeaderTruncated)(octets)
                .map_err(|error| located(octets.len(), error).within(Field::Message))?;
        let header = Header {
            id: u16::from_be_bytes([i0, i1]),
            flags: Flags::from_bits(u16::from_be_bytes([f0, f1])),
            question_count: u16::from_be_bytes([q0, q1]),
            answer_count: u16::from_be_bytes([a0, a1]),
            authority_count: u16::from_be_bytes([n0, n1]),
            additional_count: u16::from_be_bytes([r0, r1]),
        };
        Ok(Self { octets, header })
    }

    /// All octets, those behind the last record too.
    #[inline]
    pub fn octets(&self) -> &'m [u8] {
        self.octets
    }

    /// The header.
    #[inline]
    pub fn header(&self) -> Header {
        self.header
    }

    /// The questions.
    #[inline(always)]
    pub fn questions(&self) -> Questions<'m> {
        let rest = self.octets.get(Header::LEN..).unwrap_or_default();
        Questions {
            message: *self,
            rest,
            left: self.header.question_count,
            failed: false,
        }
    }

    /// The records of all three sections, in the order of the message.
    ///
    /// Steps over the questions; [`Questions::into_records`] saves that for who has read them.
    #[inline(always)]
    pub fn records(&self) -> Records<'m> {
        self.questions().into_records()
    }

    /// The answers.
    pub fn answers(&self) -> SectionRecords<'m> {
        SectionRecords::new(self, Section::Answer)
    }

    /// The records of the authority section. Steps over the answers.
    pub fn authorities(&self) -> SectionRecords<'m> {
        SectionRecords::new(self, Section::Authority)
    }

    /// The additional records. Steps over the answers and authorities.
    pub fn additionals(&self) -> SectionRecords<'m> {
        SectionRecords::new(self, Section::Additional)
    }

    /// Reads everything there is, names and data too, and gives the octets behind the last record.
    ///
    /// The iterators need no such check first. It is for who wants all or nothing, or is about to walk every
    /// name more than once: a small message can be made of many pointers to one long name, and the budget
    /// bounds how many labels and pointers are visited. [`LabelBudget::default`] lets through all that a sane sender makes.
    ///
    /// # Errors
    /// The first fault in frame, names or data; [`Malformed::LabelBudget`] for the name that exceeds the
    /// budget, at the start of its question, record or data.
    pub fn check(&self, budget: LabelBudget) -> Result<&'m [u8], ParseError> {
        let mut left = budget.0;
        let mut visit = |name: Name<'_>, at: usize| {
            let spent = left.checked_sub(name.count_steps()?);
            left = spent.ok_or(ParseError::new(at, Malformed::LabelBudget))?;
            Ok(())
        };
        let end_of = |rest: &[u8]| self.octets.len() - rest.len();
        let mut questions = self.questions();
        let mut at = end_of(questions.rest);
        while let Some(question) = questions.next() {
            visit(question?.name, at).map_err(|error: ParseError| error.within(Field::Question))?;
            at = end_of(questions.rest);
        }
        let mut records = questions.into_records();
        while let Some(record) = records.next() {
            let (_, record) = record?;
            visit(record.name, at).map_err(|error| error.within(Field::Record))?;
            at = end_of(records.rest);
            record.data()?;
            if record.is_bare() {
                continue;
            }
            for name in record.rdata.names()? {
                visit(name, record.rdata.offset())
                    .map_err(|error| error.within(Field::Data(record.kind())))?;
            }
        }
        Ok(records.trailing())
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("len", &self.octets.len())
            .field("header", &self.header)
            .finish()
    }
}

impl fmt::Display for Message<'_> {
    /// One line a message, as packet tracers print it: `? box.local A QU` for questions, `= box.local 120 A
    /// 192.0.2.1` for answers, then `auth` and `more` for the other sections.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.header.flags;
        f.write_str(if flags.is_response() {
            "response"
        } else {
            "query"
        })?;
        if flags.is_truncated() {
            f.write_str(" TC")?;
        }
        let mut questions = self.questions();
        for question in &mut questions {
            match question {
                Ok(question) => write!(f, "  ? {question}")?,
                Err(error) => write!(f, "  ! {error}")?,
            }
        }
        for record in questions.into_records() {
            match record {
                Ok((Section::Answer, record)) => write!(f, "  = {record}")?,
                Ok((Section::Authority, record)) => write!(f, "  auth {record}")?,
                Ok((Section::Additional, record)) => write!(f, "  more {record}")?,
                Err(error) => write!(f, "  ! {error}")?,
            }
        }
        Ok(())
    }
}

impl Header {
    /// How many octets a header takes.
    pub const LEN: usize = 12;
}

/// How many labels and pointers [`Message::check`] may visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelBudget(usize);

impl LabelBudget {
    /// This many labels and pointers.
    pub const fn new(labels: usize) -> Self {
        Self(labels)
    }
}

impl Default for LabelBudget {
    /// 16,384 labels. A full datagram of 9000 octets with 750 names of five labels has 3750.
    fn default() -> Self {
        Self(16_384)
    }
}

/// The questions of a message.
///
/// Ends after the first fault: what stands behind it has no known place.
#[derive(Clone)]
pub struct Questions<'m> {
    message: Message<'m>,
    rest: &'m [u8],
    left: u16,
    failed: bool,
}

impl<'m> Questions<'m> {
    /// Goes on with the records, stepping over the questions not yet read.
    ///
    /// A fault in those is the first and only item then.
    #[inline(always)]
    pub fn into_records(mut self) -> Records<'m> {
        let mut fault = None;
        for question in &mut self {
            fault = question.err();
        }
        let header = self.message.header;
        let ends = [
            u32::from(header.answer_count),
            u32::from(header.answer_count) + u32::from(header.authority_count),
            u32::from(header.answer_count)
                + u32::from(header.authority_count)
                + u32::from(header.additional_count),
        ];
        let [_, _, end] = ends;
        let index = if self.failed { end } else { 0 };
        Records {
            message: self.message.octets,
            rest: self.rest,
            index,
            ends,
            fault,
        }
    }
}

impl<'m> Iterator for Questions<'m> {
    type Item = Result<Question<'m>, ParseError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match question(self.message.octets)(self.rest) {
            Ok((rest, question)) => {
                self.rest = rest;
                Some(Ok(question))
            }
            Err(error) => {
                self.left = 0;
                self.failed = true;
                let error = located(self.message.octets.len(), error);
                Some(Err(error.within(Field::Question)))
            }
        }
    }
}

impl core::iter::FusedIterator for Questions<'_> {}

impl fmt::Debug for Questions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions")
            .field("offset", &(self.message.octets.len() - self.rest.len()))
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// The records of a message, each with the section it stands in.
///
/// Ends after the first fault in the frame: what stands behind it has no known place. A fault in a record's data
/// is none of the frame, and shows only when that data is decoded.
#[derive(Clone)]
pub struct Records<'m> {
    message: &'m [u8],
    rest: &'m [u8],
    /// How many records were read.
    index: u32,
    /// How many there are up to the end of each section, by the counts of the header.
    ends: [u32; 3],
    /// A fault among the questions, not yet told.
    fault: Option<ParseError>,
}

impl<'m> Records<'m> {
    /// The octets behind the last record read: after the last one, what the sender appended.
    pub fn trailing(&self) -> &'m [u8] {
        self.rest
    }
}

impl<'m> Iterator for Records<'m> {
    type Item = Result<(Section, Record<'m>), ParseError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let [answers, authorities, end] = self.ends;
        if self.index >= end {
            return self.fault.take().map(Err);
        }
        match record(self.message)(self.rest) {
            Ok((rest, record)) => {
                let section = if self.index < answers {
                    Section::Answer
                } else if self.index < authorities {
                    Section::Authority
                } else {
                    Section::Additional
                };
                self.rest = rest;
                self.index += 1;
                Some(Ok((section, record)))
            }
            Err(error) => {
                self.index = end;
                Some(Err(located(self.message.len(), error).within(Field::Record)))
            }
        }
    }
}

impl core::iter::FusedIterator for Records<'_> {}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("offset", &(self.message.len() - self.rest.len()))
            .field("index", &self.index)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// The records of one section of a message.
///
/// Ends after the first fault in the frame. A fault before the section is the first and only item.
#[derive(Clone, Debug)]
pub struct SectionRecords<'m> {
    records: Records<'m>,
}

impl<'m> SectionRecords<'m> {
    fn new(message: &Message<'m>, section: Section) -> Self {
        let mut records = message.records();
        let [answers, authorities, end] = records.ends;
        let (skipped, end) = match section {
            Section::Answer => (0, answers),
            Section::Authority => (answers, authorities),
            Section::Additional => (authorities, end),
        };
        while records.index < skipped && records.fault.is_none() {
            records.fault = records.next().and_then(Result::err);
        }
        if records.fault.is_some() {
            records.index = end;
        }
        records.ends = [end; 3];
        Self { records }
    }
}

impl<'m> Iterator for SectionRecords<'m> {
    type Item = Result<Record<'m>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.records
            .next()
            .map(|item| item.map(|(_, record)| record))
    }
}

impl core::iter::FusedIterator for SectionRecords<'_> {}
