use core::net::{Ipv4Addr, Ipv6Addr};

use nom::Parser;

use super::{Layout, Nsec, Opt, Rdata, Split, Svcb, Txt};
use crate::parse::{Stopped, character_string, located, stop};
use crate::{Field, Malformed, Name, ParseError, RecordType};

/// The data of a record, decoded by its type into views.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Data<'m> {
    /// A: an IPv4 address.
    A(Ipv4Addr),
    /// AAAA: an IPv6 address.
    Aaaa(Ipv6Addr),
    /// CNAME: the name that the alias stands for.
    Cname(Name<'m>),
    /// DNAME: the name that the whole subtree is renamed to.
    Dname(Name<'m>),
    /// HINFO: processor and operating system.
    Hinfo(Hinfo<'m>),
    /// HTTPS: how to reach an HTTP origin.
    Https(Svcb<'m>),
    /// MX: a mail exchange.
    Mx(Mx<'m>),
    /// NS: an authoritative server.
    Ns(Name<'m>),
    /// NSEC: what exists at a name.
    Nsec(Nsec<'m>),
    /// OPT: options of the message. What OPT keeps in class and TTL is in [`Record::opt`](crate::Record::opt).
    Opt(Opt<'m>),
    /// PTR: another name, in DNS-SD an instance of the service type.
    Ptr(Name<'m>),
    /// SOA: the start of a zone of authority.
    Soa(Soa<'m>),
    /// SRV: where a service is to be found.
    Srv(Srv<'m>),
    /// SVCB: how to reach a service, in general.
    Svcb(Svcb<'m>),
    /// TXT: character-strings.
    Txt(Txt<'m>),
    /// Any other type, kept as it stands. RFC 3597.
    Unknown(Unknown<'m>),
}

/// A mail exchange. RFC 1035 §3.3.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mx<'m> {
    /// The lowest is asked first.
    pub preference: u16,
    /// The host that takes the mail.
    pub exchange: Name<'m>,
}

/// Where a service is to be found. RFC 2782.
// RFC 2782 (2782-format-1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Srv<'m> {
    /// The lowest that can be reached is used.
    pub priority: u16,
    /// How often to be chosen among those of one priority.
    pub weight: u16,
    /// The port, 0 to 65,535.
    pub port: u16,
    /// The host; the root means that the service is not available.
    pub target: Name<'m>,
}

/// The start of a zone of authority. RFC 1035 §3.3.13.
// RFC 1035 §3.3.13 (1035-3.3.13-1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Soa<'m> {
    /// The primary server.
    pub mname: Name<'m>,
    /// The mailbox of the person responsible, its `@` written as a dot.
    pub rname: Name<'m>,
    /// The version of the zone, counted in sequence-space arithmetic.
    pub serial: u32,
    /// Seconds until secondary servers ask again.
    pub refresh: u32,
    /// Seconds until they ask again after a failure.
    pub retry: u32,
    /// Seconds until they give up on the zone.
    pub expire: u32,
    /// Seconds that a denial may be kept. RFC 2308 §4.
    pub minimum: u32,
}

/// Processor and operating system of a host. RFC 1035 §3.3.2.
// RFC 1035 §3.3.2 (1035-3.3.2-1)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Hinfo<'m> {
    /// The processor.
    pub cpu: &'m [u8],
    /// The operating system.
    pub os: &'m [u8],
}

/// The data of a type that this crate does not decode. RFC 3597 §5.
///
/// Some of them are known to have names inside (MB, RP, NAPTR, RRSIG …). Those may be compressed, so what a value is
/// compared, hashed and printed by is not its octets but what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unknown<'m> {
    rdata: Rdata<'m>,
}

impl<'m> Unknown<'m> {
    #[inline(always)]
    pub(crate) fn new(rdata: Rdata<'m>) -> Self {
        Self { rdata }
    }

    /// The type.
    pub fn kind(&self) -> RecordType {
        self.rdata.kind()
    }

    /// The data as it stands, names in it perhaps compressed.
    pub fn octets(&self) -> &'m [u8] {
        self.rdata.octets()
    }

    /// The data as it would stand without compression: octet by octet, without an allocation.
    pub fn uncompressed(&self) -> impl Iterator<Item = u8> + Clone + use<'m> {
        self.rdata.uncompressed()
    }
}

impl<'m> Rdata<'m> {
    /// The data, decoded by its type.
    ///
    /// Names are stepped over, not walked. TXT data of length 0, which many senders use for "no strings", is
    /// fine. What is checked is checked here, once: the iterators of the views meet no more faults.
    ///
    /// # Errors
    /// If the data is not what the type asks for.
    #[inline(always)]
    pub fn decode(&self) -> Result<Data<'m>, ParseError> {
        let octets = self.octets();
        Ok(match self.kind() {
            RecordType::PTR => Data::Ptr(self.name()?),
            RecordType::SRV => {
                let (head, target) = self.prefixed(Layout::SRV)?;
                let &[p0, p1, w0, w1, n0, n1] = head;
                Data::Srv(Srv {
                    priority: u16::from_be_bytes([p0, p1]),
                    weight: u16::from_be_bytes([w0, w1]),
                    port: u16::from_be_bytes([n0, n1]),
                    target,
                })
            }
            RecordType::TXT => Data::Txt(Txt::parse(octets).map_err(|error| self.located(error))?),
            // RFC 1035 §3.4.1 (1035-3.4.1-1)
            RecordType::A => Data::A(Ipv4Addr::from(*self.exactly::<4>()?)),
            // RFC 3596 §2.2 (3596-2.2-1)
            RecordType::AAAA => Data::Aaaa(Ipv6Addr::from(*self.exactly::<16>()?)),
            RecordType::NSEC => {
                let Split {
                    names: [Some(next), _],
                    tail,
                    ..
                } = self.split_by(Layout::NSEC)?
                else {
                    return Err(self.too_short());
                };
                Data::Nsec(Nsec::new(next, tail).map_err(|error| self.located(error))?)
            }
            RecordType::NS => Data::Ns(self.name()?),
            RecordType::CNAME => Data::Cname(self.name()?),
            RecordType::DNAME => Data::Dname(self.name()?),
            RecordType::MX => {
                let (head, exchange) = self.prefixed(Layout::MX)?;
                Data::Mx(Mx {
                    preference: u16::from_be_bytes(*head),
                    exchange,
                })
            }
            RecordType::SOA => Data::Soa(self.soa()?),
            RecordType::HINFO => Data::Hinfo(hinfo(octets).map_err(|error| self.located(error))?),
            RecordType::OPT => Data::Opt(Opt::parse(octets).map_err(|error| self.located(error))?),
            RecordType::SVCB => Data::Svcb(self.service()?),
            RecordType::HTTPS => Data::Https(self.service()?),
            _ => {
                self.split()?;
                Data::Unknown(Unknown::new(*self))
            }
        })
    }

    /// The data of the types that are one name.
    #[inline(always)]
    fn name(&self) -> Result<Name<'m>, ParseError> {
        self.prefixed::<0>(Layout::NAME).map(|(_, name)| name)
    }

    /// The data of the types that are `N` octets and a name.
    #[inline(always)]
    fn prefixed<const N: usize>(
        &self,
        layout: Layout,
    ) -> Result<(&'m [u8; N], Name<'m>), ParseError> {
        let split = self.split_by(layout)?;
        match (split.head.first_chunk(), split.names) {
            (Some(head), [Some(name), _]) => Ok((head, name)),
            _ => Err(self.too_short()),
        }
    }

    /// All octets, which must be so many.
    #[inline(always)]
    fn exactly<const N: usize>(&self) -> Result<&'m [u8; N], ParseError> {
        match self.octets().split_first_chunk() {
            Some((octets, [])) => Ok(octets),
            Some((_, rest)) => Err(ParseError::new(
                self.end() - rest.len(),
                Malformed::RdataTrailing,
            )
            .within(Field::Data(self.kind))),
            None => Err(self.too_short()),
        }
    }

    fn service(&self) -> Result<Svcb<'m>, ParseError> {
        let Split {
            head: [high, low],
            names: [Some(target), _],
            tail,
        } = self.split_by(Layout::SVCB)?
        else {
            return Err(self.too_short());
        };
        let priority = u16::from_be_bytes([*high, *low]);
        Svcb::new(priority, target, tail).map_err(|error| self.located(error))
    }

    fn soa(&self) -> Result<Soa<'m>, ParseError> {
        let Split {
            names: [Some(mname), Some(rname)],
            tail,
            ..
        } = self.split_by(Layout::SOA)?
        else {
            return Err(self.too_short());
        };
        let mut numbers = [0; 5];
        for (number, octets) in numbers.iter_mut().zip(tail.as_chunks().0) {
            *number = u32::from_be_bytes(*octets);
        }
        let [serial, refresh, retry, expire, minimum] = numbers;
        Ok(Soa {
            mname,
            rname,
            serial,
            refresh,
            retry,
            expire,
            minimum,
        })
    }

    #[cold]
    fn too_short(&self) -> ParseError {
        ParseError::new(self.end(), Malformed::RdataTooShort).within(Field::Data(self.kind))
    }

    #[cold]
    fn located(&self, error: Stopped) -> ParseError {
        located(self.end(), error).within(Field::Data(self.kind))
    }
}

fn hinfo(octets: &[u8]) -> Result<Hinfo<'_>, Stopped> {
    let (rest, (cpu, os)) = (character_string, character_string).parse(octets)?;
    match rest {
        [] => Ok(Hinfo { cpu, os }),
        _ => stop(rest, Malformed::RdataTrailing),
    }
}
