//! The records that publish a service.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use cooee_wire::{NameBuf, RdataBuf, RecordBuf};

use crate::instance::{InstanceName, InstanceNameError};
use crate::names;
use crate::service_name::{ServiceName, ServiceNameError};
use crate::service_type::ServiceTypeError;
use crate::subtype::Subtype;
use crate::txt::{MAX_MULTICAST, TxtAttributes, TxtError};

/// How long records live that name a host, in seconds.
// RFC 6762 §10 (6762-10-1)
const HOST_TTL: u32 = 120;

/// How long other records live, in seconds: 75 minutes.
// RFC 6762 §10 (6762-10-2)
const OTHER_TTL: u32 = 4500;

/// What one service is to be published with; gives the records of it.
///
/// ```
/// use cooee_sd::{ServiceRecords, TxtAttributes};
///
/// let mut txt = TxtAttributes::new();
/// txt.set("path", "/")?;
/// let records = ServiceRecords::new("Lobby._ipp._tcp".parse()?, "tabasco.local".parse()?, 631)
///     .txt(txt)
///     .subtype("_universal".parse()?)
///     .build()?;
/// // SRV and TXT belong to us alone; the PTR records stand beside those of others.
/// assert_eq!((records.unique.len(), records.shared.len()), (2, 3));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ServiceRecords {
    name: ServiceName,
    host: NameBuf,
    port: u16,
    priority: u16,
    weight: u16,
    txt: TxtAttributes,
    subtypes: Vec<Subtype>,
    placeholder: bool,
    ttl: Option<u32>,
}

/// The records of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordsOfService {
    /// SRV and TXT of the instance: RRsets that nobody else may have.
    pub unique: Vec<RecordBuf>,
    /// PTR records of the type, of each subtype and of the type enumeration: others have more of the same name. The last
    /// one is that of the type enumeration, for which no goodbye is said (ruling 10).
    pub shared: Vec<RecordBuf>,
}

impl ServiceRecords {
    /// A service on a host. The host's addresses are not its business: they may be another machine's.
    ///
    /// Priority and weight are 0, as they should be for a service on one host.
    // RFC 6763 §5 (6763-5-4)
    #[must_use]
    pub const fn new(name: ServiceName, host: NameBuf, port: u16) -> Self {
        let txt = TxtAttributes::new();
        Self {
            name,
            host,
            port,
            priority: 0,
            weight: 0,
            txt,
            subtypes: Vec::new(),
            placeholder: false,
            ttl: None,
        }
    }

    /// The name is taken, but there is no such service: port 0 and no PTR record.
    ///
    /// A device that offers one protocol of a family (say `_ipp._tcp`) keeps its name in the family's first one
    /// (`_printer._tcp`) that way.
    // RFC 6763 §8 (6763-8-3, 6763-8-6)
    #[must_use]
    pub const fn placeholder(name: ServiceName, host: NameBuf) -> Self {
        let mut records = Self::new(name, host, 0);
        records.placeholder = true;
        records
    }

    /// Sets the attributes.
    #[must_use]
    pub fn txt(mut self, txt: TxtAttributes) -> Self {
        self.txt = txt;
        self
    }

    /// Adds a subtype; one that is there already is not added again.
    #[must_use]
    pub fn subtype(mut self, subtype: Subtype) -> Self {
        if !self.subtypes.contains(&subtype) {
            self.subtypes.push(subtype);
        }
        self
    }

    /// Sets the SRV priority: hosts with the lowest are tried first.
    #[must_use]
    pub const fn priority(mut self, priority: u16) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the SRV weight: the share of clients among hosts of the same priority.
    #[must_use]
    pub const fn weight(mut self, weight: u16) -> Self {
        self.weight = weight;
        self
    }

    /// Sets how many seconds others may keep the SRV and TXT records without asking again; 120 and 4500 if not set. The PTR records, of which
    /// others have more, keep theirs.
    // RFC 6762 §10 (6762-10-1, 6762-10-2)
    #[must_use]
    pub const fn ttl(mut self, seconds: u32) -> Self {
        self.ttl = Some(seconds);
        self
    }

    /// The records.
    ///
    /// # Errors
    ///
    /// If the service cannot be published: the error says which record is wrong, and why.
    pub fn build(&self) -> Result<RecordsOfService, RecordsError> {
        self.check()?;
        let (name, domain) = (self.name.as_name_buf(), self.name.domain());
        let service_type = self.name.service_type();
        let unique = Vec::from([
            // RFC 6763 §4 (6763-1-2)
            RecordBuf::new(
                name.clone(),
                self.ttl.unwrap_or(HOST_TTL),
                RdataBuf::srv(self.priority, self.weight, self.port, self.host.as_name()),
            ),
            // RFC 6763 §6 (6763-6-1, 6763-1-3): always, even if it says nothing.
            RecordBuf::new(
                name.clone(),
                self.ttl.unwrap_or(OTHER_TTL),
                self.txt_rdata()?,
            ),
        ]);
        let mut shared = Vec::new();
        // RFC 6763 §8 (6763-8-6)
        if !self.placeholder {
            // RFC 6763 §7.1 (6763-7.1-2, 6763-7.1-3, 6763-7.1-4): the type itself, then each subtype; all name the instance.
            for subtype in core::iter::once(None).chain(self.subtypes.iter().map(Some)) {
                let owner = names::instance_enumeration_name(&service_type, subtype, domain)
                    .ok_or_else(|| self.too_long(subtype))?;
                shared.push(RecordBuf::new(
                    owner,
                    OTHER_TTL,
                    RdataBuf::ptr(name.as_name()),
                ));
            }
            // RFC 6763 §9 (6763-9-1)
            let owner = names::type_enumeration_name(domain).ok_or_else(|| self.too_long(None))?;
            let listed = names::instance_enumeration_name(&service_type, None, domain)
                .ok_or_else(|| self.too_long(None))?;
            shared.push(RecordBuf::new(
                owner,
                OTHER_TTL,
                RdataBuf::ptr(listed.as_name()),
            ));
        }
        Ok(RecordsOfService { unique, shared })
    }

    /// Whether the service can be published.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), of which it is a part.
    pub fn check(&self) -> Result<(), RecordsError> {
        let name = || self.name.to_string();
        let instance = self.name.instance();
        instance
            .check_publishable()
            .map_err(|error| RecordsError::Instance {
                name: name(),
                error,
            })?;
        let service_type = self.name.service_type();
        service_type
            .check_conformant()
            .map_err(|error| RecordsError::Type {
                name: name(),
                error: error.into(),
            })?;
        if self.port == 0 && !self.placeholder {
            return Err(RecordsError::PortZero { name: name() });
        }
        // RFC 6763 §8 (6763-8-5)
        if self.host.is_root() {
            return Err(RecordsError::RootHost { name: name() });
        }
        // RFC 6763 §6.1 (6763-6.1-2)
        if self.txt.wire_len() > MAX_MULTICAST {
            let error = TxtError::TooLarge {
                len: self.txt.wire_len(),
            };
            return Err(RecordsError::Txt {
                name: name(),
                error,
            });
        }
        // RFC 6763 §7.2 (6763-7.2-1): the longest name is that of a subtype.
        for subtype in &self.subtypes {
            names::instance_enumeration_name(&service_type, Some(subtype), self.name.domain())
                .ok_or_else(|| self.too_long(Some(subtype)))?;
        }
        Ok(())
    }

    /// The name of the service.
    #[must_use]
    pub const fn name(&self) -> &ServiceName {
        &self.name
    }

    /// The same service under another instance name, as after a conflict: see [`InstanceName::next`].
    ///
    /// # Errors
    ///
    /// If the whole name gets too long, which cannot happen in `local`.
    pub fn renamed(&self, instance: InstanceName) -> Result<Self, ServiceNameError> {
        Ok(Self {
            name: self.name.with_instance(instance)?,
            ..self.clone()
        })
    }

    /// The same service on a host of another name.
    #[must_use]
    pub fn on_host(mut self, host: NameBuf) -> Self {
        self.host = host;
        self
    }

    fn txt_rdata(&self) -> Result<RdataBuf, RecordsError> {
        let strings: Vec<&[u8]> = if self.txt.is_empty() {
            Vec::from([&b""[..]])
        } else {
            self.txt.strings().collect()
        };
        RdataBuf::txt(strings).map_err(|_| RecordsError::Txt {
            name: self.name.to_string(),
            error: TxtError::TooLarge {
                len: self.txt.wire_len(),
            },
        })
    }

    fn too_long(&self, subtype: Option<&Subtype>) -> RecordsError {
        let record = match subtype {
            Some(subtype) => format!("PTR of subtype {subtype}"),
            None => "PTR".to_owned(),
        };
        RecordsError::NameTooLong {
            name: self.name.to_string(),
            record,
        }
    }
}

/// Why a service cannot be published. `name` is always that of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordsError {
    /// The instance name holds what must not be published.
    Instance {
        /// The service.
        name: String,
        /// What is wrong with the instance.
        error: InstanceNameError,
    },
    /// The type breaks RFC 6335.
    Type {
        /// The service.
        name: String,
        /// What is wrong with the type.
        error: Box<ServiceTypeError>,
    },
    /// Port 0 is no port to connect to.
    PortZero {
        /// The service.
        name: String,
    },
    /// The SRV record would name the root as its host.
    RootHost {
        /// The service.
        name: String,
    },
    /// The TXT record cannot be sent.
    Txt {
        /// The service.
        name: String,
        /// What is wrong with the attributes.
        error: TxtError,
    },
    /// The owner of a record would have more than 255 bytes.
    NameTooLong {
        /// The service.
        name: String,
        /// The record.
        record: String,
    },
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance { name, error } => write!(f, "{name:?} cannot be published: {error}"),
            Self::Type { name, error } => write!(f, "{name:?} cannot be published: {error}"),
            Self::PortZero { name } => write!(
                f,
                "the SRV record of {name:?} has port 0: bind a socket first and publish its port, or make it a placeholder"
            ),
            Self::RootHost { name } => write!(f, "the SRV record of {name:?} names no host"),
            Self::Txt { name, error } => {
                write!(f, "the TXT record of {name:?} cannot be sent: {error}")
            }
            Self::NameTooLong { name, record } => {
                write!(
                    f,
                    "the {record} record of {name:?} would have a name of more than 255 bytes"
                )
            }
        }
    }
}

impl core::error::Error for RecordsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Instance { error, .. } => Some(error),
            Self::Type { error, .. } => Some(&**error),
            Self::Txt { error, .. } => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
