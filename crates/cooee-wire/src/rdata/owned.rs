use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Data, OptOption, Rdata, nsec, svcb};
use crate::storage::Storage;
use crate::{Field, Malformed, Name, ParseError, RecordType, Soa};

/// The data of a record and its type, owned: checked, and with its names uncompressed.
///
/// Addresses and other data of up to 22 octets take no allocation. Equality and hash are those of [`Rdata`].
///
/// The constructors that take a [`Name`] follow its pointers. A faulty one loses its labels from the fault on, as
/// in [`Name::labels`]; names of `NameBuf`s never are.
#[derive(Clone)]
pub struct RdataBuf {
    kind: RecordType,
    octets: Storage<22>,
}

impl RdataBuf {
    /// A host's IPv4 address.
    pub fn a(address: Ipv4Addr) -> Self {
        Self::checked(RecordType::A, &address.octets())
    }

    /// A host's IPv6 address.
    pub fn aaaa(address: Ipv6Addr) -> Self {
        Self::checked(RecordType::AAAA, &address.octets())
    }

    /// A pointer to another name.
    pub fn ptr(name: Name<'_>) -> Self {
        Self::build(RecordType::PTR, &[], &[name], &[])
    }

    /// The name that an alias stands for.
    pub fn cname(name: Name<'_>) -> Self {
        Self::build(RecordType::CNAME, &[], &[name], &[])
    }

    /// An authoritative server.
    pub fn ns(name: Name<'_>) -> Self {
        Self::build(RecordType::NS, &[], &[name], &[])
    }

    /// The name that a whole subtree is renamed to.
    pub fn dname(name: Name<'_>) -> Self {
        Self::build(RecordType::DNAME, &[], &[name], &[])
    }

    /// Where a service is to be found.
    pub fn srv(priority: u16, weight: u16, port: u16, target: Name<'_>) -> Self {
        let ([a, b], [c, d], [e, f]) = (
            priority.to_be_bytes(),
            weight.to_be_bytes(),
            port.to_be_bytes(),
        );
        Self::build(RecordType::SRV, &[a, b, c, d, e, f], &[target], &[])
    }

    /// A mail exchange.
    pub fn mx(preference: u16, exchange: Name<'_>) -> Self {
        Self::build(RecordType::MX, &preference.to_be_bytes(), &[exchange], &[])
    }

    /// The start of a zone of authority.
    pub fn soa(soa: &Soa<'_>) -> Self {
        let numbers =
            [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].map(u32::to_be_bytes);
        Self::build(
            RecordType::SOA,
            &[],
            &[soa.mname, soa.rname],
            numbers.as_flattened(),
        )
    }

    /// Character-strings. Of none is made one empty string: the data of a TXT record has at least one.
    ///
    /// # Errors
    /// If a string has more than 255 octets, or all together more than 65,535.
    // RFC 1035 §3.3.14 (1035-3.3.14-1), RFC 6763 §6.1
    pub fn txt<I>(strings: I) -> Result<Self, ParseError>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut octets = Vec::new();
        for string in strings {
            push_string(RecordType::TXT, &mut octets, string.as_ref())?;
        }
        if octets.is_empty() {
            octets.push(0);
        }
        Self::opaque(RecordType::TXT, &octets)
    }

    /// Processor and operating system of a host.
    ///
    /// # Errors
    /// If either has more than 255 octets.
    pub fn hinfo(cpu: impl AsRef<[u8]>, os: impl AsRef<[u8]>) -> Result<Self, ParseError> {
        let mut octets = Vec::new();
        push_string(RecordType::HINFO, &mut octets, cpu.as_ref())?;
        push_string(RecordType::HINFO, &mut octets, os.as_ref())?;
        Self::opaque(RecordType::HINFO, &octets)
    }

    /// What exists at a name. Pseudo-types, which cannot exist, are left out.
    pub fn nsec(next: Name<'_>, types: impl IntoIterator<Item = RecordType>) -> Self {
        let mut bitmap = Vec::new();
        nsec::write_bitmap(&types.into_iter().collect::<BTreeSet<_>>(), &mut bitmap);
        Self::build(RecordType::NSEC, &[], &[next], &bitmap)
    }

    /// The options of a message.
    ///
    /// # Errors
    /// If a lease is no whole number of seconds up to 4,294,967,295, a cookie of the server has neither none nor 8 to
    /// 32 octets, a password none, 4 or 6, or all together take more than 65,535.
    // RFC 6891 §6.1.2 (6891-6.1.2-2)
    pub fn opt<'o>(options: impl IntoIterator<Item = OptOption<'o>>) -> Result<Self, ParseError> {
        let mut octets = Vec::new();
        for option in options {
            let at = octets.len();
            option
                .write(&mut octets)
                .map_err(|kind| ParseError::new(at, kind).within(Field::Data(RecordType::OPT)))?;
        }
        Self::opaque(RecordType::OPT, &octets)
    }

    /// How to reach a service. The parameters come in any order; of one key the last counts.
    ///
    /// # Errors
    /// If the mandatory parameter names keys that are not there, or not in ascending order, or none; if all together
    /// take more than 65,535 octets.
    pub fn svcb<V: Into<Vec<u8>>>(
        priority: u16,
        target: Name<'_>,
        params: impl IntoIterator<Item = (u16, V)>,
    ) -> Result<Self, ParseError> {
        Self::service(RecordType::SVCB, priority, target, params)
    }

    /// How to reach an HTTP origin: as [`svcb`](Self::svcb).
    ///
    /// # Errors
    /// Those of [`svcb`](Self::svcb).
    pub fn https<V: Into<Vec<u8>>>(
        priority: u16,
        target: Name<'_>,
        params: impl IntoIterator<Item = (u16, V)>,
    ) -> Result<Self, ParseError> {
        Self::service(RecordType::HTTPS, priority, target, params)
    }

    fn service<V: Into<Vec<u8>>>(
        kind: RecordType,
        priority: u16,
        target: Name<'_>,
        params: impl IntoIterator<Item = (u16, V)>,
    ) -> Result<Self, ParseError> {
        let params: BTreeMap<u16, Vec<u8>> = params
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect();
        let mut octets = Vec::new();
        let head = priority.to_be_bytes();
        let error = |kind_of| {
            ParseError::new(head.len() + target.wire_len(), kind_of).within(Field::Data(kind))
        };
        svcb::write_params(&params, &mut octets).map_err(error)?;
        if octets.len() > usize::from(u16::MAX) - head.len() - target.wire_len() {
            return Err(error(Malformed::RdataTooLong));
        }
        Ok(Self::build(kind, &head, &[target], &octets))
    }

    /// No data, for a record of class ANY or NONE in an update: see [`Record::is_bare`](crate::Record::is_bare).
    pub fn bare(kind: RecordType) -> Self {
        Self::checked(kind, &[])
    }

    /// Data of any type, its names uncompressed.
    ///
    /// # Errors
    /// Those of [`Rdata::from_octets`].
    pub fn opaque(kind: RecordType, octets: &[u8]) -> Result<Self, ParseError> {
        Rdata::from_octets(kind, octets)?;
        Ok(Self::checked(kind, octets))
    }

    /// This data as a view.
    #[inline]
    pub fn as_rdata(&self) -> Rdata<'_> {
        let octets = self.octets();
        Rdata {
            message: octets,
            at: 0,
            len: octets.len() as u16,
            kind: self.kind,
        }
    }

    /// The type of the record.
    pub fn kind(&self) -> RecordType {
        self.kind
    }

    /// The octets, names uncompressed.
    #[inline]
    pub fn octets(&self) -> &[u8] {
        self.octets.as_slice()
    }

    /// The data, decoded by its type.
    ///
    /// # Errors
    /// If it is [`bare`](Self::bare) and its type asks for more; all other was checked when it was made.
    pub fn decode(&self) -> Result<Data<'_>, ParseError> {
        self.as_rdata().decode()
    }

    fn build(kind: RecordType, head: &[u8], names: &[Name<'_>], tail: &[u8]) -> Self {
        let mut octets = Vec::with_capacity(head.len() + 2 * Name::MAX_LENGTH + tail.len());
        octets.extend_from_slice(head);
        for name in names {
            for label in name.labels() {
                octets.push(label.len() as u8);
                octets.extend_from_slice(label);
            }
            octets.push(0);
        }
        octets.extend_from_slice(tail);
        Self::checked(kind, &octets)
    }

    /// Of octets that are what the type asks for.
    fn checked(kind: RecordType, octets: &[u8]) -> Self {
        Self {
            kind,
            octets: Storage::new(octets),
        }
    }
}

impl Rdata<'_> {
    /// A copy that owns its octets, names in it uncompressed.
    ///
    /// # Errors
    /// If the data is not what the type asks for, or a name in it is faulty.
    pub fn to_owned(&self) -> Result<RdataBuf, ParseError> {
        self.decode()?;
        let split = self.split()?;
        if let [None, None] = split.names {
            return Ok(RdataBuf::checked(self.kind(), self.octets()));
        }
        let mut len = split.head.len() + split.tail.len();
        for name in split.names.iter().flatten() {
            name.check()
                .map_err(|error| error.within(Field::Data(self.kind())))?;
            len += name.wire_len();
        }
        let names = split.names.map(|name| name.unwrap_or(Name::ROOT));
        let names = names
            .get(..split.names.iter().flatten().count())
            .unwrap_or_default();
        if len > usize::from(u16::MAX) {
            let error = ParseError::new(self.end(), Malformed::RdataTooLong);
            return Err(error.within(Field::Data(self.kind())));
        }
        Ok(RdataBuf::build(self.kind(), split.head, names, split.tail))
    }
}

impl fmt::Display for RdataBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_rdata().fmt(f)
    }
}

impl fmt::Debug for RdataBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_rdata(), f)
    }
}

/// Appends a character-string to the data of a record of this type.
// RFC 1035 §3.3 (1035-3.3-2)
fn push_string(kind: RecordType, octets: &mut Vec<u8>, string: &[u8]) -> Result<(), ParseError> {
    let Ok(len) = u8::try_from(string.len()) else {
        let error = ParseError::new(octets.len(), Malformed::StringTooLong);
        return Err(error.within(Field::Data(kind)));
    };
    octets.push(len);
    octets.extend_from_slice(string);
    Ok(())
}
