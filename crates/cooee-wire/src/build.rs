//! Messages written into a caller's buffer.

#[cfg(feature = "bytes")]
mod bytes;
mod compress;

use core::fmt;

use crate::rdata::{Compressed, Layout};
use crate::{Field, Flags, Header, Name, ParseError, Question, Rdata, Record, RecordType, Section};
use compress::{Mark, Suffixes};

/// Writes a message, with compressed names, into a buffer whose end is the size limit.
///
/// Whatever has been written at any time is a valid message: what does not fit, comes in the wrong order, or has
/// data that is none of its type, is refused and leaves no trace. So a sender adds records until one is [refused](BuildError::Full), and goes on in
/// the next message with that one.
///
/// ```
/// use cooee_wire::{BuildError, Class, Compression, Flags, MessageBuilder, Name, Rdata, Record, RecordType};
///
/// let record = Record {
///     name: Name::from_octets(b"\x03box\x05local\0")?,
///     class: Class::IN,
///     cache_flush: true,
///     ttl: 120,
///     rdata: Rdata::from_octets(RecordType::A, &[192, 0, 2, 17])?,
/// };
/// let mut buffer = [0; 60];
/// let mut builder = MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Multicast)?;
/// builder.answer(record)?; // 12 octets of header, 11 of name, 10 and 4 of the record
/// builder.answer(record)?; // the name is a pointer now: 16 octets
/// assert_eq!(builder.answer(record), Err(BuildError::Full));
/// assert_eq!(builder.finish(), 12 + 25 + 16);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Nothing allocates. Names are compressed against what this message holds already, octet for octet: a suffix
/// that differs in case is written again, so that every reader sees the spelling of every name.
// RFC 4343 §4.1 (4343-4.1-1)
pub struct MessageBuilder<'b> {
    buffer: &'b mut [u8],
    len: usize,
    counts: [u16; 4],
    /// Whether an OPT record was written: there may be one.
    has_opt: bool,
    compression: Compression,
    suffixes: Suffixes,
    /// How often something was taken back, and the least length to which it was: a checkpoint of before is good only up to there.
    rewinds: u32,
    rewound_to: usize,
}

/// Which names a message may compress.
///
/// Names of questions and owners always are, names in data by the type. RFC 6762 §18.14, RFC 3597 §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Multicast DNS, by multicast or by unicast to port 5353: all types that RFC 6762 lists.
    Multicast,
    /// Multicast DNS to a legacy querier, which may be an ordinary resolver: not SRV.
    // RFC 6762 §18.14 (6762-18.14-10)
    Legacy,
    /// Unicast DNS: the types of RFC 1035 only, so neither SRV nor NSEC.
    Unicast,
    /// No name at all.
    None,
}

impl Compression {
    /// Whether names in data of this layout are compressed.
    fn applies(self, to: Compressed) -> bool {
        match self {
            Self::Multicast => !matches!(to, Compressed::Never | Compressed::Refused),
            Self::Legacy => matches!(to, Compressed::Always | Compressed::Mdns),
            Self::Unicast => to == Compressed::Always,
            Self::None => false,
        }
    }
}

/// A state of a message to which [`MessageBuilder::rewind`] goes back.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint {
    len: usize,
    counts: [u16; 4],
    has_opt: bool,
    suffixes: Mark,
    rewinds: u32,
}

/// Why something was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no room for it.
    Full,
    /// Its section lies before the one written last.
    Order,
    /// It is a second OPT record, or one outside the additional section, or its owner is not the root.
    /// RFC 6891 §6.1.1, §6.1.2.
    MisplacedOpt,
    /// Its type can stand in questions only. RFC 1035 §3.2.3.
    QuestionType,
    /// A name is faulty, the data is not what its type asks for, or a name is too long for unicast DNS.
    Malformed(ParseError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("message is full"),
            Self::Order => f.write_str("section lies before the one written last"),
            Self::MisplacedOpt => f.write_str(
                "opt record is not the only one, or not of the root in the additional section",
            ),
            Self::QuestionType => f.write_str("type can stand in questions only"),
            Self::Malformed(error) => error.fmt(f),
        }
    }
}

impl BuildError {
    /// This error, met in this field.
    #[cold]
    fn within(self, field: Field) -> Self {
        match self {
            Self::Malformed(error) => Self::Malformed(error.within(field)),
            other => other,
        }
    }
}

impl core::error::Error for BuildError {}

impl From<ParseError> for BuildError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Debug for MessageBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageBuilder")
            .field("len", &self.len)
            .field("limit", &self.buffer.len())
            .field("counts", &self.counts)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

impl<'b> MessageBuilder<'b> {
    /// A message without questions and records, in this buffer.
    ///
    /// The message may grow to the buffer's length; pass a part of it for a smaller limit.
    ///
    /// # Errors
    /// [`BuildError::Full`] if the buffer has fewer than 12 octets.
    pub fn new(
        buffer: &'b mut [u8],
        id: u16,
        flags: Flags,
        compression: Compression,
    ) -> Result<Self, BuildError> {
        // No message is longer: RFC 1035 §4.2.2.
        let limit = buffer.len().min(usize::from(u16::MAX));
        let buffer = buffer.get_mut(..limit).unwrap_or_default();
        let header = buffer
            .first_chunk_mut::<{ Header::LEN }>()
            .ok_or(BuildError::Full)?;
        let ([i0, i1], [f0, f1]) = (id.to_be_bytes(), flags.bits().to_be_bytes());
        *header = [i0, i1, f0, f1, 0, 0, 0, 0, 0, 0, 0, 0];
        let suffixes = Suffixes::new();
        Ok(Self {
            buffer,
            len: Header::LEN,
            counts: [0; 4],
            has_opt: false,
            compression,
            suffixes,
            rewinds: 0,
            rewound_to: usize::MAX,
        })
    }

    /// Appends a question.
    ///
    /// # Errors
    /// [`BuildError::Full`] if there is no room, [`BuildError::Order`] if there are records already,
    /// [`BuildError::Malformed`] if its name is faulty. The message is as before then.
    pub fn question(&mut self, question: Question<'_>) -> Result<(), BuildError> {
        let top = if question.unicast_response { 0x8000 } else { 0 };
        let [k0, k1] = question.kind.get().to_be_bytes();
        let [c0, c1] = (question.class.get() & 0x7FFF | top).to_be_bytes();
        self.append(0, |message| {
            message
                .name(question.name, true)
                .map_err(|error| error.within(Field::Question))?;
            message.put(&[k0, k1, c0, c1])
        })
    }

    /// Appends a record to the answers.
    ///
    /// # Errors
    /// Those of [`record`](Self::record).
    pub fn answer(&mut self, record: Record<'_>) -> Result<(), BuildError> {
        self.record(Section::Answer, record)
    }

    /// Appends a record to the authority section.
    ///
    /// # Errors
    /// Those of [`record`](Self::record).
    pub fn authority(&mut self, record: Record<'_>) -> Result<(), BuildError> {
        self.record(Section::Authority, record)
    }

    /// Appends a record to the additional section.
    ///
    /// # Errors
    /// Those of [`record`](Self::record).
    pub fn additional(&mut self, record: Record<'_>) -> Result<(), BuildError> {
        self.record(Section::Additional, record)
    }

    /// Appends a record to a section.
    ///
    /// A TTL above 2,147,483,647 is written as that, except on OPT records; TXT data of length 0 as one empty string.
    ///
    /// # Errors
    /// [`BuildError::Full`] if there is no room, [`BuildError::Order`] if a later section has records already,
    /// [`BuildError::Malformed`] if a name or the data is faulty, [`BuildError::MisplacedOpt`]
    /// and [`BuildError::QuestionType`] for what no message may hold. The message is as before then.
    pub fn record(&mut self, section: Section, record: Record<'_>) -> Result<(), BuildError> {
        let kind = record.kind();
        // RFC 1035 §3.2.3 (1035-3.2.3-1)
        if kind.is_question_only() && !(kind == RecordType::ANY && record.is_bare()) {
            return Err(BuildError::QuestionType);
        }
        let is_opt = kind == RecordType::OPT;
        // RFC 6891 §6.1.1 (6891-6.1.1-5), §6.1.2 (6891-6.1.2-1)
        if is_opt && (self.has_opt || section != Section::Additional || !record.name.is_root()) {
            return Err(BuildError::MisplacedOpt);
        }
        if !record.is_bare() {
            record.rdata.decode()?;
        }
        let (class, ttl) = if is_opt {
            (record.class.get(), record.ttl)
        } else {
            let top = if record.cache_flush { 0x8000 } else { 0 };
            // RFC 2181 §8 (2181-8-1)
            (
                record.class.get() & 0x7FFF | top,
                record.ttl.min(i32::MAX as u32),
            )
        };
        let ([k0, k1], [c0, c1]) = (kind.get().to_be_bytes(), class.to_be_bytes());
        let [t0, t1, t2, t3] = ttl.to_be_bytes();
        self.append(1 + section as usize, |message| {
            message
                .name(record.name, true)
                .map_err(|error| error.within(Field::Record))?;
            message.put(&[k0, k1, c0, c1, t0, t1, t2, t3, 0, 0])?;
            let start = message.len;
            if !record.is_bare() {
                message.rdata(record.rdata)?;
            }
            let len = u16::try_from(message.len - start).map_err(|_| BuildError::Full)?;
            message.patch(start - 2, len)
        })?;
        self.has_opt |= is_opt;
        Ok(())
    }

    /// The present state, to go back to.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            len: self.len,
            counts: self.counts,
            has_opt: self.has_opt,
            suffixes: self.suffixes.mark(),
            rewinds: self.rewinds,
        }
    }

    /// Takes back everything written since a checkpoint of this message.
    ///
    /// A checkpoint of this message that lies ahead, or in a part that has been taken back meanwhile, changes nothing.
    pub fn rewind(&mut self, checkpoint: Checkpoint) {
        let is_stale = checkpoint.rewinds != self.rewinds && checkpoint.len > self.rewound_to;
        if is_stale || checkpoint.len > self.len || checkpoint.suffixes.len > self.suffixes.len() {
            return;
        }
        self.rewinds = self.rewinds.wrapping_add(1);
        self.rewound_to = self.rewound_to.min(checkpoint.len);
        self.len = checkpoint.len;
        self.has_opt = checkpoint.has_opt;
        self.suffixes.rewind(checkpoint.suffixes);
        for index in 0..4 {
            if let Some(count) = checkpoint.counts.get(index) {
                self.set_count(index, *count);
            }
        }
    }

    /// Replaces the flags, for example to set TC when a message had to be cut.
    pub fn set_flags(&mut self, flags: Flags) {
        // The header was there from the start.
        let _ = self.patch(2, flags.bits());
    }

    /// Replaces the id.
    pub fn set_id(&mut self, id: u16) {
        let _ = self.patch(0, id);
    }

    /// How many questions, answers, authorities and additionals there are.
    pub fn counts(&self) -> [u16; 4] {
        self.counts
    }

    /// Whether there are neither questions nor records.
    pub fn is_empty(&self) -> bool {
        self.counts == [0; 4]
    }

    /// How many octets the message has, at least 12.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many octets the message may still grow by.
    pub fn room(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// The message so far.
    pub fn octets(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Ends the message: how many octets of the buffer it takes.
    pub fn finish(self) -> usize {
        self.len
    }

    /// Writes one more item of a section (0 for questions), all of it or nothing.
    #[inline]
    fn append(
        &mut self,
        section: usize,
        write: impl FnOnce(&mut Self) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        if self.counts.iter().skip(section + 1).any(|count| *count > 0) {
            return Err(BuildError::Order);
        }
        let count = self
            .counts
            .get(section)
            .and_then(|count| count.checked_add(1))
            .ok_or(BuildError::Full)?;
        let (len, suffixes) = (self.len, self.suffixes.mark());
        let written = write(self);
        match written {
            Ok(()) => self.set_count(section, count),
            Err(_) => {
                self.len = len;
                self.suffixes.rewind(suffixes);
            }
        }
        written
    }

    fn set_count(&mut self, section: usize, count: u16) {
        if let Some(place) = self.counts.get_mut(section) {
            *place = count;
            let _ = self.patch(4 + 2 * section, count);
        }
    }

    /// Writes data, its names compressed if type and message allow.
    fn rdata(&mut self, rdata: Rdata<'_>) -> Result<(), BuildError> {
        let layout = Layout::of(rdata.kind());
        let split = rdata.split_by(layout)?;
        // RFC 6763 §6.1 (6763-6.1-5, 6763-6.1-6)
        if rdata.kind() == RecordType::TXT && rdata.is_empty() {
            return self.put(&[0]);
        }
        self.put(split.head)?;
        let compress = self.compression.applies(layout.compressed);
        for name in split.names.into_iter().flatten() {
            self.name(name, compress)
                .map_err(|error| error.within(Field::Data(rdata.kind())))?;
        }
        self.put(split.tail)
    }

    /// Writes a name, as a pointer from the first suffix on that the message has already.
    #[inline]
    fn name(&mut self, name: Name<'_>, compress: bool) -> Result<(), BuildError> {
        // RFC 6762 Appendix C (6762-C-4)
        if self.compression == Compression::Unicast {
            name.check_unicast()?;
        }
        let compress = compress && self.compression != Compression::None;
        let mut labels = name.labels();
        loop {
            if compress
                && let Some(offset) = self
                    .suffixes
                    .find(self.buffer.get(..self.len).unwrap_or_default(), &labels)
            {
                return self.put(&(0xC000 | offset).to_be_bytes());
            }
            let Some(label) = labels.step()? else {
                return self.put(&[0]);
            };
            if self.compression != Compression::None {
                self.suffixes.add(self.len, label);
            }
            self.put(&[label.len() as u8])?;
            self.put(label)?;
        }
    }

    #[inline]
    fn put(&mut self, octets: &[u8]) -> Result<(), BuildError> {
        let end = self.len + octets.len();
        self.buffer
            .get_mut(self.len..end)
            .ok_or(BuildError::Full)?
            .copy_from_slice(octets);
        self.len = end;
        Ok(())
    }

    #[inline]
    fn patch(&mut self, at: usize, number: u16) -> Result<(), BuildError> {
        self.buffer
            .get_mut(at..at + 2)
            .ok_or(BuildError::Full)?
            .copy_from_slice(&number.to_be_bytes());
        Ok(())
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::{Message, NameBuf, QuestionBuf};
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn names_that_are_alike_up_to_their_ends_take_no_long_search() {
        // All these suffixes agree with each other in every label but the last.
        let mut labels = vec![vec![b'a']; 127];
        let mut buffer = vec![0; 65_535];
        let mut builder = MessageBuilder::new(&mut buffer, 0, Flags::QUERY, Compression::Multicast)
            .expect("there is room for a header");
        let mut written = Vec::new();
        for last in 0..200_u8 {
            labels[126] = vec![last];
            let name = NameBuf::from_labels(&labels).expect("127 short labels are a name");
            let question = QuestionBuf::new(name, RecordType::A);
            let asked = builder.question(question.as_question());
            asked.expect("there is room for all");
            written.push(question);
        }
        assert_eq!(
            builder.suffixes.effort(),
            0,
            "without a bound it would be two thousand times as much"
        );
        let message = Message::parse(builder.octets()).expect("it was written as one");
        let read: Vec<_> = message
            .questions()
            .map(|question| question.and_then(|question| question.to_owned()))
            .collect::<Result<_, _>>()
            .expect("each was written");
        assert_eq!(read, written);
    }
}
