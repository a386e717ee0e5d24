//! What is published together.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use cooee_wire::{Class, Data, NameBuf, RdataBuf, RecordBuf, RecordType};

use super::claims::mixed;
use super::config::{HOST_TTL, LARGEST_MESSAGE};
use super::learning::is_pseudo;
use super::link_info::LinkInfo;

/// The number of a group of published records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub(super) u64);

/// The records of a group: they are probed, announced, renamed and withdrawn together.
///
/// ```
/// use cooee_mdns::RecordSet;
/// use cooee_wire::{NameBuf, RdataBuf, RecordBuf};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let instance: NameBuf = r"Keith’s web server._http._tcp.local".parse()?;
/// let kind: NameBuf = "_http._tcp.local".parse()?;
/// let host: NameBuf = "tabasco.local".parse()?;
/// let set = RecordSet::new()
///     .shared(RecordBuf::new(kind, 4500, RdataBuf::ptr(instance.as_name())))
///     .unique(RecordBuf::new(instance, 120, RdataBuf::srv(0, 0, 8080, host.as_name())));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct RecordSet {
    pub(super) records: Vec<Entry>,
    pub(super) hosts: Vec<NameBuf>,
    /// The names of this host are left to another responder of it that has them.
    pub(super) is_shared_host: bool,
}

/// A record and what its publisher says about it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) record: RecordBuf,
    pub(super) ownership: Ownership,
    pub(super) goodbye: bool,
}

/// Who may have records of the same name, type and class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// Anybody: RFC 6762 §2, "shared".
    Shared,
    /// We alone, once probing has shown that nobody else has it.
    Probed,
    /// We alone, and no probing is needed to know it.
    Known,
}

impl RecordSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record whose RRset belongs to this group alone: its name is probed before it is used.
    // RFC 6762 §8.1 (6762-8.1-1)
    pub fn unique(self, record: RecordBuf) -> Self {
        self.with(record, Ownership::Probed, true)
    }

    /// Adds a unique record that needs no probing, because nobody else can have it.
    // RFC 6762 §8.1 (6762-8.1-20)
    pub fn known_unique(self, record: RecordBuf) -> Self {
        self.with(record, Ownership::Known, true)
    }

    /// Adds a record that others may have beside us, with other data.
    pub fn shared(self, record: RecordBuf) -> Self {
        self.with(record, Ownership::Shared, true)
    }

    /// Adds a shared record that others publish with the same data, so that it gets no goodbye (ruling 10).
    pub fn shared_without_goodbye(self, record: RecordBuf) -> Self {
        self.with(record, Ownership::Shared, false)
    }

    /// Makes `host` the name of this host: on each link, the A and AAAA records of our addresses there, unique, and the PTR records
    /// that lead from the addresses back to the name.
    // RFC 6762 §14 (6762-14-4), §6.2 (6762-6.2-1)
    pub fn host_addresses(mut self, host: NameBuf) -> Self {
        self.hosts.push(host);
        self
    }

    /// The same for the name that the system itself goes by: if another responder of this host has it or comes to want it, as Avahi does, the
    /// group falls silent and the name is borrowed ([`Event::Borrowed`](crate::Event::Borrowed)).
    // Ruling 22
    pub fn system_host(self, host: NameBuf) -> Self {
        Self {
            is_shared_host: true,
            ..self.host_addresses(host)
        }
    }

    /// Gives the name `host` to another machine, which cannot speak for itself: its A and AAAA records, unique.
    // RFC 6762 §10 (6762-10-1)
    pub fn addresses_of(
        mut self,
        host: &NameBuf,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        for address in addresses {
            let rdata = match address {
                IpAddr::V4(v4) => RdataBuf::a(v4),
                IpAddr::V6(v6) => RdataBuf::aaaa(v6),
            };
            self = self.unique(RecordBuf::new(host.clone(), HOST_TTL, rdata));
        }
        self
    }

    /// Whether some message can carry these records. To publish them can still fail, for what else is published.
    ///
    /// # Errors
    ///
    /// [`PublishError::Empty`], [`PublishError::Impossible`], [`PublishError::Mixed`], [`PublishError::MixedTtl`], [`PublishError::Alias`] and [`PublishError::TooLarge`].
    pub fn check(&self) -> Result<(), PublishError> {
        if self.is_empty() {
            return Err(PublishError::Empty);
        }
        if let Some(name) = self.impossible() {
            return Err(PublishError::Impossible(name.clone()));
        }
        if let Some(name) = mixed(self) {
            return Err(PublishError::Mixed(name.clone()));
        }
        if let Some(name) = self.mixed_ttl() {
            return Err(PublishError::MixedTtl(name.clone()));
        }
        let mut targets = self.service_targets();
        if let Some(alias) = targets.find(|target| self.aliases().any(|alias| alias == target)) {
            return Err(PublishError::Alias(alias));
        }
        match self.too_large() {
            Some(name) => Err(PublishError::TooLarge(name.clone())),
            None => Ok(()),
        }
    }

    /// A name of which a record has a type or a class that is for messages and questions only, or a class that no room is left for.
    // RFC 6762 §22 (6762-22-3), §10.2 (6762-10.2-17)
    fn impossible(&self) -> Option<&NameBuf> {
        let records = self.records.iter().map(|entry| &entry.record);
        records
            .filter(|record| {
                let class = record.class;
                is_pseudo(record.kind()) || class == Class::ANY || class.get() > LAST_CLASS
            })
            .map(|record| &record.name)
            .next()
    }

    /// The name of an RRset whose records have different TTLs, those of a link's addresses among them.
    // RFC 2181 §5.2 (2181-5.2-1)
    fn mixed_ttl(&self) -> Option<&NameBuf> {
        let of_host = |host| [RecordType::A, RecordType::AAAA].map(|kind| (host, kind, Class::IN));
        let addresses = self.hosts.iter().flat_map(of_host);
        let mut ttls: BTreeMap<_, _> = addresses.map(|rrset| (rrset, HOST_TTL)).collect();
        self.records.iter().find_map(|Entry { record, .. }| {
            let rrset = (&record.name, record.kind(), record.class);
            (*ttls.entry(rrset).or_insert(record.ttl) != record.ttl).then_some(&record.name)
        })
    }

    /// The hosts that the services are on.
    pub(super) fn service_targets(&self) -> impl Iterator<Item = NameBuf> {
        self.records
            .iter()
            .filter_map(|entry| match entry.record.as_record().data() {
                Ok(Data::Srv(srv)) => srv.target.to_owned().ok(),
                _ => None,
            })
    }

    /// The names that stand for others.
    pub(super) fn aliases(&self) -> impl Iterator<Item = &NameBuf> {
        let records = self.records.iter().map(|entry| &entry.record);
        records
            .filter(|record| record.kind() == RecordType::CNAME)
            .map(|record| &record.name)
    }

    /// A name of which a record alone, or all records in a probe together, fit into no message.
    // RFC 6762 §17 (6762-17-7), §8.2 (6762-8.2-3)
    fn too_large(&self) -> Option<&NameBuf> {
        // Header, question, and of each record the name, the ten octets of the fixed fields and the data.
        let size =
            |record: &RecordBuf| record.name.as_octets().len() + 10 + record.rdata.octets().len();
        let mut probed: BTreeMap<&NameBuf, usize> = BTreeMap::new();
        self.records.iter().find_map(
            |Entry {
                 record, ownership, ..
             }| {
                let first = 12 + record.name.as_octets().len() + 4;
                let total = match ownership {
                    Ownership::Probed => probed.entry(&record.name).or_insert(first),
                    Ownership::Shared | Ownership::Known => &mut first.clone(),
                };
                *total += size(record);
                (*total > LARGEST_MESSAGE).then_some(&record.name)
            },
        )
    }

    /// The records on a link: those of a host are made from the link's addresses.
    ///
    /// The way back from an address leads to one name only. Where another responder of this host may have claimed it for its own host name,
    /// as Avahi does, we leave it alone: to contradict it makes that one rename the machine, again and again.
    // RFC 6762 §14 (6762-14-4), §6.2 (6762-6.2-1, 6762-6.2-2), §8.1 (6762-8.1-21)
    pub(super) fn on_link(&self, info: &LinkInfo) -> Vec<Entry> {
        let mut entries = self.records.clone();
        let v4 = info.ipv4_addresses().map(IpAddr::from);
        let v6 = info.ipv6_addresses().map(IpAddr::from);
        let addresses: Vec<IpAddr> = v4.chain(v6).collect();
        for host in &self.hosts {
            for &address in &addresses {
                let rdata = match address {
                    IpAddr::V4(address) => RdataBuf::a(address),
                    IpAddr::V6(address) => RdataBuf::aaaa(address),
                };
                entries.push(address_entry(host, rdata));
                if !info.is_port_shared() {
                    entries.push(reverse_entry(address, host));
                }
            }
        }
        entries
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.hosts.is_empty()
    }

    fn with(mut self, mut record: RecordBuf, ownership: Ownership, goodbye: bool) -> Self {
        record.cache_flush = false;
        self.records.push(Entry {
            record,
            ownership,
            goodbye,
        });
        self
    }
}

fn address_entry(host: &NameBuf, rdata: RdataBuf) -> Entry {
    Entry {
        record: RecordBuf::new(host.clone(), HOST_TTL, rdata),
        ownership: Ownership::Probed,
        goodbye: true,
    }
}

fn reverse_entry(address: IpAddr, host: &NameBuf) -> Entry {
    let record = RecordBuf::new(
        NameBuf::reverse(address),
        HOST_TTL,
        RdataBuf::ptr(host.as_name()),
    );
    Entry {
        record,
        ownership: Ownership::Known,
        goodbye: true,
    }
}

/// The top bit of a class is the cache-flush bit.
const LAST_CLASS: u16 = 0x7FFF;

/// Why a set of records cannot be published. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The set is empty.
    Empty,
    /// A record has a type or a class that only messages and questions have, or a class above 32767.
    // RFC 6762 §22 (6762-22-3)
    Impossible(NameBuf),
    /// There is no such group; it was withdrawn, perhaps.
    UnknownGroup,
    /// Another group has records of the same name and type with other data, and those or these are unique.
    AlreadyPublished(NameBuf),
    /// Records of the same name and type are unique and shared at once.
    // RFC 6762 §10.2 (6762-10.2-8, 6762-10.2-14)
    Mixed(NameBuf),
    /// Records of the same name and type have different TTLs, or another group's have another: who receives them could not keep them as one set.
    /// RFC 2181 §5.2.
    MixedTtl(NameBuf),
    /// A service is said to be on a host whose name is an alias.
    // RFC 2782 (2782-format-10)
    Alias(NameBuf),
    /// A record is too large for any message.
    TooLarge(NameBuf),
    /// The engine has been shut down.
    ShutDown,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no record to publish"),
            Self::Impossible(name) => {
                write!(f, "no record can have the type or class of one of {name}")
            }
            Self::UnknownGroup => f.write_str("these records are not published any more"),
            Self::AlreadyPublished(name) => {
                write!(f, "other unique records of {name} are published already")
            }
            Self::Mixed(name) => write!(
                f,
                "records of {name} of one type cannot be unique and shared at once"
            ),
            Self::MixedTtl(name) => {
                write!(
                    f,
                    "records of {name} of one type must have one TTL, those that are published already too"
                )
            }
            Self::Alias(name) => write!(
                f,
                "{name} is an alias, and a service has to name the host itself"
            ),
            Self::TooLarge(name) => write!(
                f,
                "a record of {name} is too large for a message of 8952 octets"
            ),
            Self::ShutDown => f.write_str("the engine has been shut down"),
        }
    }
}

impl core::error::Error for PublishError {}
