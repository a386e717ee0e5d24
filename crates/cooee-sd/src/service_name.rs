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
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn parse(text: &str) -> ServiceName {
        text.parse().unwrap()
    }

    fn parts(text: &str) -> (String, String, String) {
        let name = parse(text);
        (
            name.instance().to_string(),
            name.service_type().to_string(),
            name.domain().to_string(),
        )
    }

    #[test]
    fn names_are_read_from_the_right() {
        // 6763-B.1-1, 6763-4.3-1
        for text in [
            "Test Svc.One._http._tcp",
            "Test Svc\\.One._http._tcp.local",
            "Test Svc.One._http._tcp.local.",
        ] {
            assert_eq!(
                parts(text),
                ("Test Svc.One".into(), "_http._tcp".into(), "local".into()),
                "{text}"
            );
        }
        assert_eq!(parts("_a._tcp._b._udp.local").0, "_a._tcp");
        assert_eq!(parts("a..b._http._tcp").0, "a..b");
        assert_eq!(parts("x._http._tcp.example.org").2, "example.org");
    }

    #[test]
    fn names_print_with_exact_escapes() {
        // 6763-4.3-2, 6763-4.3-3, 6763-13.1-1
        let http = ServiceType::tcp("http").unwrap();
        for (instance, text) in [
            (&b"Dr. Pepper"[..], "Dr\\. Pepper._http._tcp.local"),
            (b"a\\b", "a\\\\b._http._tcp.local"),
            (b"a\n\xff", "a\\010\\255._http._tcp.local"),
            (
                "Keith’s web server".as_bytes(),
                "Keith’s web server._http._tcp.local",
            ),
        ] {
            let name = ServiceName::local(InstanceName::from_bytes(instance).unwrap(), http);
            assert_eq!(name.to_string(), text);
            assert_eq!(parse(text).instance().as_bytes(), instance);
        }
        assert_eq!(
            parse("Multicast\\032DNS._http._tcp.dns-sd.org")
                .instance()
                .to_string(),
            "Multicast DNS"
        );
        assert_eq!(
            alloc::format!("{:#}", parse("x._http._tcp")),
            "x._http._tcp.local."
        );
    }

    #[test]
    fn what_is_no_service_name_says_what_to_do() {
        for (text, part) in [
            ("x", "needs a type"),
            ("", "needs a type"),
            ("_http._tcp", "has no instance"),
            ("_printer._sub._http._tcp.local", "has no instance"),
            ("._http._tcp", "must not be empty"),
            ("x.http._tcp", "did you mean \"_http._tcp\"?"),
            ("x._http._tcp..", "is no domain"),
            ("x\\1._http._tcp", "backslash"),
        ] {
            let error = text.parse::<ServiceName>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_pointer_gives_instance_type_and_domain() {
        // 6763-4.1-2, 6763-4.2-2, 6763-4.1.1-8
        let name = |text: &str| text.parse::<NameBuf>().unwrap();
        let found = ServiceName::from_name(name("a\\.b._ipp._tcp.example.test").as_name()).unwrap();
        assert_eq!(
            (found.instance().to_string(), found.domain().to_string()),
            ("a.b".into(), "example.test".into())
        );
        for text in [
            "local",
            "_http._tcp.local",
            "x._http._tcp",
            "x._http._sctp.local",
            "x._a._tcp._b._tcp.local",
        ] {
            assert!(
                ServiceName::from_name(name(text).as_name()).is_none(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_has_255_bytes_and_the_zero() {
        // 6763-7.2-1, 6763-7.2-5, 6762-C-5
        let instance = InstanceName::truncated(&"x".repeat(63));
        let service_type = ServiceType::tcp("a23456789012345").unwrap();
        let domain = |last: usize| {
            let labels = ["d".repeat(63), "d".repeat(63), "d".repeat(last)];
            NameBuf::from_labels(labels.iter().map(String::as_bytes)).unwrap()
        };
        // 64 + 17 + 5 of 255 leave 169: two labels of 63 and one of 40, each with its length octet.
        assert!(ServiceName::new(instance, service_type, domain(40).as_name()).is_ok());
        let error = ServiceName::new(instance, service_type, domain(41).as_name()).unwrap_err();
        assert!(matches!(error, ServiceNameError::TooLong { .. }));
    }

    #[test]
    fn names_sort_as_a_person_reads_them() {
        let mut names = ["b._http._tcp", "A._ssh._tcp", "a._http._tcp"].map(parse);
        names.sort();
        assert_eq!(
            names.map(|name| name.to_string().replace(".local", "")),
            ["a._http._tcp", "A._ssh._tcp", "b._http._tcp"]
        );
    }
}
