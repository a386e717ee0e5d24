use core::fmt;

use crate::RecordType;

/// What was wrong with the octets, in which field, and where.
///
/// Eight octets, `Copy`: to refuse a packet costs less than to read it.
///
/// ```
/// use cooee_wire::{Field, Malformed, Message, RecordType};
///
/// let octets = b"\0\0\x84\0\0\0\0\x01\0\0\0\0\0\0\x21\0\x01\0\0\0\x78\0\x07\0\0\0\0\0\x50\x40";
/// let record = Message::parse(octets)?.answers().next().unwrap()?;
/// let error = record.data().unwrap_err();
/// assert_eq!(error.to_string(), "SRV data: name has a label of unknown type at octet 29");
/// assert_eq!((error.field(), error.kind()), (Field::Data(RecordType::SRV), Malformed::LabelType));
/// # Ok::<(), cooee_wire::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParseError {
    at: u16,
    kind: Malformed,
    field: Field,
}

/// The field of a message that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The message as a whole, or its header.
    Message,
    /// A name that somebody walked: the offset tells which.
    Name,
    /// A question: its name, type or class.
    Question,
    /// What stands before a record's data: its owner, type, class, TTL or length.
    Record,
    /// The data of a record of this type.
    Data(RecordType),
}

impl ParseError {
    pub(crate) const fn new(at: usize, kind: Malformed) -> Self {
        // No message is longer than 65,535 octets; what is says so at its end.
        let at = if at > u16::MAX as usize {
            u16::MAX
        } else {
            at as u16
        };
        Self {
            at,
            kind,
            field: Field::Name,
        }
    }

    /// This error, met in this field.
    #[cold]
    pub(crate) const fn within(self, field: Field) -> Self {
        Self { field, ..self }
    }

    /// The offset of the octet where reading stopped, from the first octet of the message.
    ///
    /// In what was not read from a message (an owned name, owned data), from its own first octet.
    pub const fn offset(&self) -> usize {
        self.at as usize
    }

    /// Where in the message it is wrong.
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The rule that was broken.
    pub const fn kind(&self) -> Malformed {
        self.kind
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Field::Message | Field::Name => {}
            Field::Question => f.write_str("question: ")?,
            Field::Record => f.write_str("record: ")?,
            Field::Data(kind) => write!(f, "{kind} data: ")?,
        }
        write!(f, "{} at octet {}", self.kind.as_str(), self.at)
    }
}

impl core::error::Error for ParseError {}

/// The rule of the wire format that some octets break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// The message is shorter than its header of twelve octets. RFC 1035 §4.1.
    HeaderTruncated,
    /// The message has more than 65,535 octets. RFC 1035 §4.2.2.
    MessageTooLong,
    /// A name ends with neither a zero nor a pointer where its place ends: the message, or the record's data.
    NameTruncated,
    /// The two top bits of a label's length are `01` or `10`. RFC 1035 §4.1.4.
    LabelType,
    /// A name has more than 255 octets before its final zero. RFC 6762 Appendix C.
    NameTooLong,
    /// A name has more than the 254 octets before its final zero that unicast DNS allows. RFC 6762 Appendix C.
    NameTooLongForUnicast,
    /// A compression pointer does not point before the run of labels it stands in. RFC 1035 §4.1.4.
    ForwardPointer,
    /// A name is reached through more pointers than a name can have labels.
    PointerChain,
    /// A compression pointer stands where only an uncompressed name may.
    PointerForbidden,
    /// There are octets behind the end of a name that should fill its place.
    NameTrailing,
    /// The message ends between a question's name and its end.
    QuestionTruncated,
    /// The message ends between a record's name and its data.
    RecordTruncated,
    /// A record's data is longer than what is left of the message.
    RdataTruncated,
    /// A record's data ends inside one of its fields.
    RdataTooShort,
    /// A record's data goes on behind its last field.
    RdataTrailing,
    /// A record's data has more than 65,535 octets.
    RdataTooLong,
    /// A character-string runs past the end of the data. RFC 1035 §3.3.
    StringTruncated,
    /// A character-string to be written has more than 255 octets. RFC 1035 §3.3.
    StringTooLong,
    /// A block of a type bitmap is empty, longer than 32 octets, or cut short. RFC 4034 §4.1.2.
    TypeBitmap,
    /// An option of an OPT record runs past the end of the data. RFC 6891 §6.1.2.
    OptOption,
    /// An option to be written has a value that does not fit into its form.
    OptionValue,
    /// The parameters of an SVCB or HTTPS record are cut short or out of order. RFC 9460 §2.2.
    SvcParam,
    /// Parameters to be written name a mandatory key that is not there, or themselves, or no key. RFC 9460 §8.
    MandatoryParam,
    /// The names of the message have more labels than the reader was willing to visit.
    LabelBudget,
}

impl Malformed {
    const fn as_str(self) -> &'static str {
        match self {
            Self::HeaderTruncated => "message ends inside the header",
            Self::MessageTooLong => "message is longer than 65535 octets",
            Self::NameTruncated => "name is cut short",
            Self::LabelType => "name has a label of unknown type",
            Self::NameTooLong => "name is longer than 255 octets",
            Self::NameTooLongForUnicast => "name is longer than the 254 octets of unicast DNS",
            Self::ForwardPointer => "name points forward",
            Self::PointerChain => "name has too many pointers",
            Self::PointerForbidden => "name has a pointer where none may be",
            Self::NameTrailing => "name has octets behind its end",
            Self::QuestionTruncated => "message ends inside type and class",
            Self::RecordTruncated => "message ends inside type, class, TTL and length",
            Self::RdataTruncated => "data runs past the end of the message",
            Self::RdataTooShort => "ends inside a field",
            Self::RdataTrailing => "has octets behind its last field",
            Self::RdataTooLong => "is longer than 65535 octets",
            Self::StringTruncated => "character-string runs past the end",
            Self::StringTooLong => "character-string is longer than 255 octets",
            Self::TypeBitmap => "type bitmap has a bad block",
            Self::OptOption => "option runs past the end",
            Self::OptionValue => "option has a value that does not fit into it",
            Self::SvcParam => "parameters are cut short or out of order",
            Self::MandatoryParam => "a mandatory parameter is not there",
            Self::LabelBudget => "names have more labels than allowed",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
