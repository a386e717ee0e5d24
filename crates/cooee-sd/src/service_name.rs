//! The whole name of one instance: `Keith’s web server._http._tcp.local`.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use cooee_wire::{Name, NameBuf};

use crate::instance::{InstanceName, InstanceNameError};
use crate::label;
use crate::service_type::{Protocol, ServiceType, ServiceTypeError};

/// The name of one service instance: instance, type and domain.
///
/// Text is read from the right, where type and domain stand, so a dot in the instance needs no escape. It is printed with
/// one, so that any DNS tool finds the same name; backslashes, control characters and bytes that are no UTF-8 are escaped
/// too, nothing else is. What is printed reads back as the same name, byte for byte. Without a domain, `local` is meant.
///
/// Comparison folds ASCII case only.
///
/// ```
/// use cooee_sd::ServiceName;
///
/// let name: ServiceName = "Test Svc.One._http._tcp".parse()?;
/// assert_eq!(name.instance().to_string(), "Test Svc.One");
/// assert_eq!(name.service_type().to_string(), "_http._tcp");
/// assert_eq!(name.domain().to_string(), "local");
/// assert_eq!(name.to_string(), "Test Svc\\.One._http._tcp.local");
/// assert_eq!(name.to_string().parse(), Ok(name));
/// # Ok::<(), cooee_sd::ServiceNameError>(())
/// ```
// RFC 6763 §4.1, §4.3 (6763-4.3-1, 6763-B.1-1)
#[derive(Clone)]
pub struct ServiceName {
    /// At least four labels; the third is `_tcp` or `_udp` and no later one is.
    name: NameBuf,
}

impl ServiceName {
    /// An instance of a type in the domain `local`.
    #[must_use]
    pub fn local(instance: InstanceName, service_type: ServiceType) -> Self {
        let name = whole(&instance, &service_type, [&b"local"[..]].into_iter());
        Self {
            name: name.expect("two labels of 63 octets, _tcp and local are far below 255"),
        }
    }

    /// An instance of a type in any domain.
    ///
    /// # Errors
    ///
    /// [`ServiceNameError::TooLong`] if all has more than 255 bytes, [`ServiceNameError::BadDomain`] if the domain is the
    /// root, or has a label `_tcp` or `_udp` by which the type would be mistaken.
    pub fn new(
        instance: InstanceName,
        service_type: ServiceType,
        domain: Name<'_>,
    ) -> Result<Self, ServiceNameError> {
        let labels: Vec<_> = domain.labels().collect();
        if domain.check().is_err() || !is_domain(&labels) {
            return Err(ServiceNameError::BadDomain {
                domain: text_of(&labels),
            });
        }
        let name = whole(&instance, &service_type, labels.iter().copied()).ok_or_else(|| {
            ServiceNameError::TooLong {
                text: text_of(
                    &[&[instance.as_bytes()], &service_type.labels()[..], &labels].concat(),
                ),
            }
        })?;
        Ok(Self { name })
    }

    /// The service a DNS name stands for, as a PTR record gives it: one label for the instance, two for the type, the rest
    /// is the domain. `None` if it is no such name.
    #[must_use]
    pub fn from_name(name: Name<'_>) -> Option<Self> {
        let mut labels = name.labels();
        let (instance, service, protocol) = (labels.next()?, labels.next()?, labels.next()?);
        InstanceName::from_bytes(instance).ok()?;
        ServiceType::from_labels(service, protocol)?;
        let domain: Vec<_> = labels.collect();
        is_domain(&domain).then_some(Self {
            name: name.to_owned().ok()?,
        })
    }

    /// The part a person reads.
    #[must_use]
    pub fn instance(&self) -> InstanceName {
        let label = self.name.as_name().labels().next().unwrap_or_default();
        InstanceName::from_bytes(label).expect("a service name begins with a label")
    }

    /// The type.
    #[must_use]
    pub fn service_type(&self) -> ServiceType {
        let name = self.name.as_name();
        let mut labels = name.labels().skip(1);
        let (service, protocol) = (
            labels.next().unwrap_or_default(),
            labels.next().unwrap_or_default(),
        );
        ServiceType::from_labels(service, protocol)
            .expect("the type was checked when the name was made")
    }

    /// The domain, `local` on a link.
    #[must_use]
    pub fn domain(&self) -> Name<'_> {
        let parents = || self.name.as_name().parent()?.parent()?.parent();
        parents().expect("a service name has at least four labels")
    }

    /// The whole as a DNS name.
    #[must_use]
    pub fn as_name(&self) -> Name<'_> {
        self.name.as_name()
    }

    /// The whole as an owned DNS name.
    #[must_use]
    pub const fn as_name_buf(&self) -> &NameBuf {
        &self.name
    }

    /// The same type and domain under another instance name.
    ///
    /// # Errors
    ///
    /// [`ServiceNameError::TooLong`] if that has more than 255 bytes.
    pub fn with_instance(&self, instance: InstanceName) -> Result<Self, ServiceNameError> {
        Self::new(instance, self.service_type(), self.domain())
    }
}

fn whole<'l>(
    instance: &'l InstanceName,
    service_type: &'l ServiceType,
    domain: impl Iterator<Item = &'l [u8]>,
) -> Option<NameBuf> {
    let [service, protocol] = service_type.labels();
    let labels = [instance.as_bytes(), service, protocol];
    NameBuf::from_labels(labels.into_iter().chain(domain)).ok()
}

/// Not the root, and without a second transport label, or the text form could be read in two ways.
fn is_domain(labels: &[&[u8]]) -> bool {
    !labels.is_empty()
        && labels
            .iter()
            .all(|label| Protocol::from_label(label).is_none())
}

fn text_of(labels: &[&[u8]]) -> String {
    labels
        .iter()
        .map(|label| label::escaped(label))
        .collect::<Vec<_>>()
        .join(".")
}

impl FromStr for ServiceName {
    type Err = ServiceNameError;

    fn from_str(text: &str) -> Result<Self, ServiceNameError> {
        use ServiceNameError as Error;
        let bad_escape = |_| Error::BadEscape {
            text: text.to_owned(),
        };
        let segments = label::segments(text);
        let transport = segments
            .iter()
            .rposition(|label| Protocol::from_label(label.as_bytes()).is_some());
        let split = transport.and_then(|at| segments.split_at_checked(at));
        let Some(([before @ .., service], [protocol, domain @ ..])) = split else {
            return Err(Error::NoType {
                text: text.to_owned(),
            });
        };
        let octets = label::unescape(service).map_err(bad_escape)?;
        let service_type =
            ServiceType::from_labels(&octets, protocol.as_bytes()).ok_or_else(|| {
                match alloc::format!("{service}.{protocol}").parse::<ServiceType>() {
                    Err(error) => Error::BadType {
                        text: text.to_owned(),
                        error: error.into(),
                    },
                    Ok(_) => Error::NoType {
                        text: text.to_owned(),
                    },
                }
            })?;
        let instance = match before {
            [] => {
                return Err(Error::NoInstance {
                    text: text.to_owned(),
                });
            }
            [_, .., sub] if sub.eq_ignore_ascii_case("_sub") => {
                return Err(Error::NoInstance {
                    text: text.to_owned(),
                });
            }
            // The segments stand side by side in the text: up to the dot before the type it is all instance.
            before => before.join("."),
        };
        let instance = InstanceName::from_bytes(&label::unescape(&instance).map_err(bad_escape)?)
            .map_err(|error| Error::BadInstance {
            text: text.to_owned(),
            error,
        })?;
        if domain.is_empty() {
            return Ok(Self::local(instance, service_type));
        }
        let labels = domain
            .iter()
            .map(|label| label::unescape(label))
            .collect::<Result<Vec<_>, _>>()
            .map_err(bad_escape)?;
        if labels
            .iter()
            .any(|label| label.is_empty() || label.len() > label::MAX_LABEL)
        {
            return Err(Error::BadDomain {
                domain: domain.join("."),
            });
        }
        let name = whole(&instance, &service_type, labels.iter().map(Vec::as_slice));
        Ok(Self {
            name: name.ok_or_else(|| Error::TooLong {
                text: text.to_owned(),
            })?,
        })
    }
}

impl TryFrom<&str> for ServiceName {
    type Error = ServiceNameError;

    fn try_from(text: &str) -> Result<Self, ServiceNameError> {
        text.parse()
    }
}

impl TryFrom<String> for ServiceName {
    type Error = ServiceNameError;

    fn try_from(text: String) -> Result<Self, ServiceNameError> {
        text.parse()
    }
}

impl TryFrom<&String> for ServiceName {
    type Error = ServiceNameError;

    fn try_from(text: &String) -> Result<Self, ServiceNameError> {
        text.parse()
    }
}

impl From<&Self> for ServiceName {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

impl PartialEq for ServiceName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ServiceName {}

impl Hash for ServiceName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl PartialOrd for ServiceName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By instance as a person reads it, then by type and domain; ASCII case is folded.
impl Ord for ServiceName {
    fn cmp(&self, other: &Self) -> Ordering {
        let instances = self.instance().cmp(&other.instance());
        instances
            .then_with(|| self.service_type().cmp(&other.service_type()))
            .then_with(|| self.name.cmp(&other.name))
    }
}

/// With escapes, without a final dot; the alternate form `{:#}` has one.
impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, label) in self.name.as_name().labels().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            label::write_escaped(f, label)?;
        }
        if f.alternate() {
            f.write_str(".")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceName(\"{self}\")")
    }
}

/// Why a text, or some parts, are no service name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceNameError {
    /// No `_tcp` or `_udp` is in it.
    NoType {
        /// The input.
        text: String,
    },
    /// What stands before `_tcp` or `_udp` is no service.
    BadType {
        /// The input.
        text: String,
        /// What is wrong with it.
        error: Box<ServiceTypeError>,
    },
    /// It is a type, or a subtype, without an instance.
    NoInstance {
        /// The input.
        text: String,
    },
    /// The instance is empty or has more than 63 bytes.
    BadInstance {
        /// The input.
        text: String,
        /// What is wrong with it.
        error: InstanceNameError,
    },
    /// The domain has an empty or too long label, or a label `_tcp` or `_udp`, or is the root.
    BadDomain {
        /// The domain.
        domain: String,
    },
    /// A backslash is followed by nothing, or by digits that are no byte.
    BadEscape {
        /// The input.
        text: String,
    },
    /// The whole has more than 255 bytes.
    TooLong {
        /// The input.
        text: String,
    },
}

impl fmt::Display for ServiceNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoType { text } => {
                write!(
                    f,
                    "{text:?} is no service name: it needs a type after the instance, as in \"Name._http._tcp\""
                )
            }
            Self::BadType { text, error } => write!(f, "{text:?} is no service name: {error}"),
            Self::NoInstance { text } => {
                write!(
                    f,
                    "{text:?} has no instance: write \"Name.{text}\", or browse the type"
                )
            }
            Self::BadInstance { text, error } => write!(f, "{text:?} is no service name: {error}"),
            Self::BadDomain { domain } => write!(
                f,
                "{domain:?} is no domain of services: its labels need 1 to 63 bytes and must not be \"_tcp\" or \"_udp\""
            ),
            Self::BadEscape { text } => write!(
                f,
                "{text:?} has a backslash that escapes nothing: write \"\\\\\" for a backslash, \\DDD for a byte"
            ),
            Self::TooLong { text } => write!(
                f,
                "{text:?} is longer than the 255 bytes a DNS name may have"
            ),
        }
    }
}

impl core::error::Error for ServiceNameError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::BadType { error, .. } => Some(&**error),
            Self::BadInstance { error, .. } => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
