//! One table of where names stand in record data.
//!
//! Decoding, uncompressing, comparing, hashing, printing and compressing all derive from it.

use crate::parse::{Parsed, Stopped, character_string, name, stop, take, uncompressed_name};
use crate::{Malformed, Name, RecordType};

/// Where the names in the data of a type stand: some octets, some character-strings, some names, the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many octets stand before the strings and names.
    octets: u8,
    /// How many character-strings stand before the names.
    strings: u8,
    /// How many names there are: 0, 1 or 2.
    names: u8,
    /// What stands behind the names.
    tail: Tail,
    /// In which messages the names may be compressed.
    pub(crate) compressed: Compressed,
}

/// What stands behind the names of some data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing.
    Empty,
    /// This many octets.
    Octets(u8),
    /// Anything.
    Any,
}

/// In which messages the names of some data may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compressed {
    /// In all. RFC 1035 §3.3, RFC 3597 §4.
    Always,
    /// In multicast messages and replies to legacy queries. RFC 6762 §18.14.
    Mdns,
    /// In multicast messages: SRV. RFC 6762 §18.14.
    Multicast,
    /// In none. What is compressed nevertheless is read.
    Never,
    /// In none, and what is compressed nevertheless is refused: SVCB and HTTPS. RFC 9460 §2.2.
    Refused,
}

/// Data taken apart by its layout.
#[derive(Clone, Copy)]
pub(crate) struct Split<'m> {
    /// The octets before the names.
    pub(crate) head: &'m [u8],
    pub(crate) names: [Option<Name<'m>>; 2],
    /// The octets behind them.
    pub(crate) tail: &'m [u8],
}

impl Layout {
    /// No names: all octets are the tail.
    const OPAQUE: Self = Self {
        octets: 0,
        strings: 0,
        names: 0,
        tail: Tail::Any,
        compressed: Compressed::Never,
    };
    pub(crate) const NAME: Self = Self {
        octets: 0,
        strings: 0,
        names: 1,
        tail: Tail::Empty,
        compressed: Compressed::Always,
    };
    pub(crate) const SRV: Self = Self {
        octets: 6,
        compressed: Compressed::Multicast,
        ..Self::NAME
    };
    pub(crate) const MX: Self = Self {
        octets: 2,
        ..Self::NAME
    };
    pub(crate) const SOA: Self = Self {
        names: 2,
        tail: Tail::Octets(20),
        ..Self::NAME
    };
    pub(crate) const SVCB: Self = Self {
        octets: 2,
        tail: Tail::Any,
        compressed: Compressed::Refused,
        ..Self::NAME
    };
    pub(crate) const NSEC: Self = Self {
        tail: Tail::Any,
        compressed: Compressed::Mdns,
        ..Self::NAME
    };

    /// The layout of a type's data.
    ///
    /// Compression is that of RFC 6762 §18.14, and of RFC 3597 §4 in unicast DNS: types that RFC 1035 defines and
    /// RFC 6762 lists in all messages, the others of that list in multicast DNS only. Other types are read if
    /// compressed and never written so.
    // RFC 6762 §18.14 (6762-18.14-4, -5, -7, -8)
    #[inline(always)]
    pub(crate) const fn of(kind: RecordType) -> Self {
        match kind {
            RecordType::PTR | RecordType::NS | RecordType::CNAME => Self::NAME,
            RecordType::SRV => Self::SRV,
            RecordType::NSEC => Self::NSEC,
            RecordType::SOA => Self::SOA,
            RecordType::MX => Self::MX,
            RecordType::SVCB | RecordType::HTTPS => Self::SVCB,
            RecordType::DNAME => Self {
                compressed: Compressed::Mdns,
                ..Self::NAME
            },
            RecordType::AFSDB | RecordType::RT | RecordType::KX => Self {
                compressed: Compressed::Mdns,
                ..Self::MX
            },
            RecordType::RP => Self {
                names: 2,
                compressed: Compressed::Mdns,
                ..Self::NAME
            },
            RecordType::PX => Self {
                octets: 2,
                names: 2,
                compressed: Compressed::Mdns,
                ..Self::NAME
            },
            RecordType::NXT => Self {
                tail: Tail::Any,
                compressed: Compressed::Never,
                ..Self::NAME
            },
            RecordType::MD | RecordType::MF | RecordType::MB | RecordType::MG | RecordType::MR => {
                Self {
                    compressed: Compressed::Never,
                    ..Self::NAME
                }
            }
            RecordType::MINFO => Self {
                names: 2,
                compressed: Compressed::Never,
                ..Self::NAME
            },
            RecordType::NAPTR => Self {
                octets: 4,
                strings: 3,
                compressed: Compressed::Never,
                ..Self::NAME
            },
            RecordType::RRSIG | RecordType::SIG => Self {
                octets: 18,
                tail: Tail::Any,
                compressed: Compressed::Never,
                ..Self::NAME
            },
            _ => Self::OPAQUE,
        }
    }

    /// Takes apart data that ends at offset `end` of the message.
    #[inline(always)]
    pub(crate) fn split<'m>(
        self,
        message: &'m [u8],
        end: usize,
        data: &'m [u8],
    ) -> Result<Split<'m>, Stopped> {
        let (rest, ()) = self.head(data)?;
        let head = data.get(..data.len() - rest.len()).unwrap_or_default();
        if matches!(self.compressed, Compressed::Refused) {
            uncompressed_name(rest)?;
        }
        let (rest, names) = match self.names {
            0 => (rest, [None, None]),
            1 => {
                let (rest, first) = name(message, end)(rest)?;
                (rest, [Some(first), None])
            }
            _ => {
                let (rest, first) = name(message, end)(rest)?;
                let (rest, second) = name(message, end)(rest)?;
                (rest, [Some(first), Some(second)])
            }
        };
        self.tail(rest)?;
        Ok(Split {
            head,
            names,
            tail: rest,
        })
    }

    /// Checks that data has this layout, and no pointers.
    pub(crate) fn check_uncompressed(self, data: &[u8]) -> Result<(), Stopped> {
        let (mut rest, ()) = self.head(data)?;
        for _ in 0..self.names {
            (rest, ()) = uncompressed_name(rest)?;
        }
        self.tail(rest)
    }

    /// Steps over what stands before the names.
    #[inline(always)]
    fn head(self, data: &[u8]) -> Parsed<'_, ()> {
        let (mut rest, _) = take(usize::from(self.octets), Malformed::RdataTooShort)(data)?;
        for _ in 0..self.strings {
            (rest, _) = character_string(rest)?;
        }
        Ok((rest, ()))
    }

    /// Checks what stands behind the names.
    #[inline(always)]
    fn tail(self, rest: &[u8]) -> Result<(), Stopped> {
        let len = match self.tail {
            Tail::Any => return Ok(()),
            Tail::Empty => 0,
            Tail::Octets(len) => usize::from(len),
        };
        match rest.split_at_checked(len) {
            Some((_, [])) => Ok(()),
            Some((_, more)) => stop(more, Malformed::RdataTrailing),
            None => stop(rest, Malformed::RdataTooShort),
        }
    }
}
