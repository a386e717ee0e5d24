use core::cmp::Ordering;
use core::fmt;

use nom::Parser;

use crate::parse::{Parsed, array, name, take};
use crate::{
    Class, Data, Malformed, Name, OptOptions, ParseError, Rcode, Rdata, RecordType, Unknown,
};

/// A record, as a view into a message.
///
/// ```text
/// NAME      labels and a zero, or a pointer
/// TYPE      16 bits
/// CLASS     the top bit flushes caches, 15 bits are the class
/// TTL       32 bits, seconds
/// RDLENGTH  16 bits
/// RDATA     as many octets
/// ```
///
/// RFC 1035 §3.2.1, RFC 6762 §18.13. Equality compares all fields; names fold case.
// RFC 1035 §3.2.1 (1035-3.2.1-1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record<'m> {
    /// The name that owns the record.
    pub name: Name<'m>,
    /// The class, without the top bit; on an OPT record all 16 bits, which are the sender's payload size.
    pub class: Class,
    /// The top bit of the class: whether this belongs to a unique RRset that replaces what caches hold.
    /// RFC 6762 §10.2. Never on an OPT record.
    pub cache_flush: bool,
    /// How many seconds the record may be kept, 0 to 2,147,483,647; 0 is a goodbye. A received TTL with its top
    /// bit set reads as 0. On an OPT record all 32 bits as they stand: they are no time, see [`Record::opt`].
    pub ttl: u32,
    /// The data, undecoded, and the type with it.
    pub rdata: Rdata<'m>,
}

impl<'m> Record<'m> {
    /// The type of the record.
    #[inline]
    pub fn kind(&self) -> RecordType {
        self.rdata.kind()
    }

    /// The data, decoded by its type.
    ///
    /// # Errors
    /// If the data is not what its type asks for. The records behind this one can still be read.
    ///
    /// A [bare](Self::is_bare) record has [`Data::Unknown`] of no octets.
    #[inline(always)]
    pub fn data(&self) -> Result<Data<'m>, ParseError> {
        if self.is_bare() {
            return Ok(Data::Unknown(Unknown::new(self.rdata)));
        }
        self.rdata.decode()
    }

    /// Whether this is a record of class ANY or NONE without data, whatever its type: in updates these say that
    /// something is or is not there, or is to be deleted. RFC 2136 §2.4, §2.5.
    #[inline]
    pub fn is_bare(&self) -> bool {
        self.rdata.is_empty() && matches!(self.class, Class::ANY | Class::NONE)
    }

    /// The order of the tie-break between simultaneous probes: by class, then type, then data as in
    /// [`Rdata::canonical_cmp`]. Name, TTL and cache-flush bit do not count.
    // RFC 6762 §8.2 (6762-8.2-9, 6762-8.2-10, 6762-8.2-11)
    pub fn canonical_cmp(&self, other: &Record<'_>) -> Ordering {
        let (ours, theirs) = ((self.class, self.kind()), (other.class, other.kind()));
        ours.cmp(&theirs)
            .then_with(|| self.rdata.canonical_cmp(other.rdata))
    }

    /// All of an OPT record, whose class and TTL are no class and no TTL; `None` for any other type.
    ///
    /// # Errors
    /// If an option runs past the end of the data.
    pub fn opt(&self) -> Option<Result<OptRecord<'m>, ParseError>> {
        if self.kind() != RecordType::OPT {
            return None;
        }
        let [extended_rcode, version, flags, _] = self.ttl.to_be_bytes();
        Some(self.data().map(|data| OptRecord {
            // RFC 6891 §6.2.3 (6891-6.2.3-1)
            payload_size: self.class.get().max(512),
            extended_rcode,
            version,
            // RFC 6891 §6.1.4 (6891-6.1.4-1): the other bits are ignored.
            dnssec_ok: flags & 0x80 != 0,
            options: match data {
                Data::Opt(opt) => opt.options(),
                _ => OptOptions::default(),
            },
        }))
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.ttl)?;
        if self.class != Class::IN {
            write!(f, " {}", self.class)?;
        }
        if self.cache_flush {
            f.write_str(" flush")?;
        }
        write!(f, " {} {}", self.kind(), self.rdata)
    }
}

/// What an OPT record says about its message and the message's sender. RFC 6891 §6.1.
// RFC 6891 §6.1.2 (6891-6.1.2-1), §6.1.3 (6891-6.1.3-1)
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptRecord<'m> {
    /// The largest UDP payload that the sender can take, at least 512 octets.
    pub payload_size: u16,
    /// The upper eight bits of the response code.
    pub extended_rcode: u8,
    /// The version of EDNS; 0 is the only one.
    pub version: u8,
    /// DO: whether the sender wants signatures. RFC 3225.
    pub dnssec_ok: bool,
    /// The options, in the order of the message, which means nothing.
    pub options: OptOptions<'m>,
}

impl OptRecord<'_> {
    /// The whole response code, with the four bits in the header's flags.
    pub fn rcode(&self, flags: crate::Flags) -> Rcode {
        Rcode::new(u16::from(self.extended_rcode) << 4 | flags.rcode().get())
    }
}

/// The part of a message that a record stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "RFC 1035 has three and no version number"
)]
pub enum Section {
    /// Answers; in a query, those the asker knows already. RFC 6762 §7.1.
    Answer,
    /// Authority; in a probe, the records about to be claimed. RFC 6762 §8.2.
    Authority,
    /// What is likely to be asked for next.
    Additional,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Answer => "answer",
            Self::Authority => "authority",
            Self::Additional => "additional",
        })
    }
}

/// One record, its data taken but not read.
#[inline(always)]
pub(crate) fn record<'m>(message: &'m [u8]) -> impl Fn(&'m [u8]) -> Parsed<'m, Record<'m>> {
    move |input| {
        let fixed = array(Malformed::RecordTruncated);
        let (rest, (name, &[k0, k1, c0, c1, t0, t1, t2, t3, n0, n1])) =
            (name(message, message.len()), fixed).parse(input)?;
        let kind = RecordType::new(u16::from_be_bytes([k0, k1]));
        let class = u16::from_be_bytes([c0, c1]);
        let ttl = u32::from_be_bytes([t0, t1, t2, t3]);
        let len = usize::from(u16::from_be_bytes([n0, n1]));
        let at = message.len() - rest.len();
        // RFC 1035 §3.2.1 (1035-3.2.1-3)
        let (rest, _) = take(len, Malformed::RdataTruncated)(rest)?;
        let rdata = Rdata::within(message, kind, at, len);
        let record = if kind == RecordType::OPT {
            Record {
                name,
                class: Class::new(class),
                cache_flush: false,
                ttl,
                rdata,
            }
        } else {
            Record {
                name,
                // RFC 6762 §18.13 (6762-18.13-1)
                class: Class::new(class & 0x7FFF),
                cache_flush: class & 0x8000 != 0,
                // RFC 2181 §8 (2181-8-2)
                ttl: if ttl > i32::MAX as u32 { 0 } else { ttl },
                rdata,
            }
        };
        Ok((rest, record))
    }
}

#[cfg(feature = "alloc")]
pub use owned::RecordBuf;

#[cfg(feature = "alloc")]
mod owned {
    use super::Record;
    use crate::{Class, Field, NameBuf, OptOption, ParseError, RdataBuf, RecordType};

    /// A record that owns its name and data.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct RecordBuf {
        /// The name that owns the record.
        pub name: NameBuf,
        /// The class, without the top bit; on an OPT record the payload size.
        pub class: Class,
        /// Whether this belongs to a unique RRset that replaces what caches hold.
        pub cache_flush: bool,
        /// How many seconds the record may be kept. More than 2,147,483,647 is written as that.
        pub ttl: u32,
        /// The data, names in it uncompressed.
        pub rdata: RdataBuf,
    }

    impl RecordBuf {
        /// A record of class IN without the cache-flush bit.
        pub fn new(name: NameBuf, ttl: u32, rdata: RdataBuf) -> Self {
            Self {
                name,
                class: Class::IN,
                cache_flush: false,
                ttl,
                rdata,
            }
        }

        /// What a sender says about itself: that it takes UDP payloads of so many octets, and these options. Version 0
        /// of EDNS, no bits of a response code, no DO; those are in [`ttl`](Self::ttl). For the additional section.
        ///
        /// ```
        /// use cooee_wire::{OptOption, RecordBuf};
        ///
        /// let opt = RecordBuf::opt(1440, [OptOption::Padding(4)])?;
        /// let read = opt.as_record().opt().expect("it is one")?;
        /// assert_eq!((read.payload_size, read.version, read.dnssec_ok), (1440, 0, false));
        /// assert_eq!(read.options.count(), 1);
        /// # Ok::<(), cooee_wire::ParseError>(())
        /// ```
        ///
        /// # Errors
        /// Those of [`RdataBuf::opt`].
        // RFC 6891 §6.1.2 (6891-6.1.2-1), §6.1.4 (6891-6.1.4-1)
        pub fn opt<'o>(
            payload_size: u16,
            options: impl IntoIterator<Item = OptOption<'o>>,
        ) -> Result<Self, ParseError> {
            Ok(Self {
                class: Class::new(payload_size),
                ..Self::new(NameBuf::root(), 0, RdataBuf::opt(options)?)
            })
        }

        /// The type of the record.
        pub fn kind(&self) -> RecordType {
            self.rdata.kind()
        }

        /// This record as a view.
        pub fn as_record(&self) -> Record<'_> {
            Record {
                name: self.name.as_name(),
                class: self.class,
                cache_flush: self.cache_flush,
                ttl: self.ttl,
                rdata: self.rdata.as_rdata(),
            }
        }
    }

    impl Record<'_> {
        /// A copy that owns its name and its data, names in it uncompressed.
        ///
        /// # Errors
        /// If a name is faulty, or the data is not what its type asks for.
        pub fn to_owned(&self) -> Result<RecordBuf, ParseError> {
            let rdata = if self.is_bare() {
                RdataBuf::bare(self.kind())
            } else {
                self.rdata.to_owned()?
            };
            Ok(RecordBuf {
                name: self
                    .name
                    .to_owned()
                    .map_err(|error| error.within(Field::Record))?,
                class: self.class,
                cache_flush: self.cache_flush,
                ttl: self.ttl,
                rdata,
            })
        }
    }

    impl core::fmt::Display for RecordBuf {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            self.as_record().fmt(f)
        }
    }
}
