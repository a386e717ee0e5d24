//! `_http._tcp`: what a service is and which transport it speaks.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;
use core::str::FromStr;

use crate::label::{self, Label};
use crate::subtype::Subtype;

/// The longest service name, without its underscore.
// RFC 6335 §5.1 (6335-5.1-1), RFC 6763 §7 (6763-7-3)
const MAX_SERVICE_NAME: usize = 15;

/// The transport label of a service type.
///
/// There are only these two: whatever does not run over TCP is `_udp`, be it SCTP, QUIC or anything else.
// RFC 6763 §7 (6763-7-1, 6763-4.1.2-3)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6763 closes the set")]
pub enum Protocol {
    /// `_tcp`
    Tcp,
    /// `_udp`: everything that is not TCP
    Udp,
}

impl Protocol {
    /// The label with its underscore, `_tcp` or `_udp`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "_tcp",
            Self::Udp => "_udp",
        }
    }

    /// Reads the label, in any case of letters.
    pub(crate) fn from_label(octets: &[u8]) -> Option<Self> {
        [Self::Tcp, Self::Udp]
            .into_iter()
            .find(|protocol| octets.eq_ignore_ascii_case(protocol.as_str().as_bytes()))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What kind of service: the pair of labels `_http._tcp`.
///
/// Parsing asks only that the text *is* a type. Whether it may be published is a second question, answered by
/// [`check_conformant`](Self::check_conformant): devices in the field announce types that RFC 6335 forbids, and one must
/// be able to look for them.
///
/// ```
/// use cooee_sd::{Protocol, ServiceType};
///
/// let http: ServiceType = "_http._tcp.local.".parse()?;
/// assert_eq!(http.to_string(), "_http._tcp");
/// assert_eq!(http, "_HTTP._TCP".parse()?);
/// assert_eq!((&*http.name(), http.protocol()), ("http", Protocol::Tcp));
///
/// let error = "http".parse::<ServiceType>().unwrap_err();
/// assert_eq!(error.to_string(), r#""http" is not a service type: did you mean "_http._tcp"?"#);
/// # Ok::<(), cooee_sd::ServiceTypeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceType {
    /// With its underscore.
    name: Label,
    protocol: Protocol,
}

impl ServiceType {
    /// A type over TCP from its bare name: `tcp("http")` is `_http._tcp`.
    ///
    /// # Errors
    ///
    /// If the name breaks a rule of RFC 6335 §5.1: 1 to 15 letters, digits and single inner hyphens, at least one letter.
    pub fn tcp(name: &str) -> Result<Self, ServiceTypeError> {
        Self::conformant(name, Protocol::Tcp)
    }

    /// A type over anything but TCP, from its bare name: `udp("sleep-proxy")` is `_sleep-proxy._udp`.
    ///
    /// # Errors
    ///
    /// As [`tcp`](Self::tcp).
    pub fn udp(name: &str) -> Result<Self, ServiceTypeError> {
        Self::conformant(name, Protocol::Udp)
    }

    /// The type in two labels as they were received. Any first label will do that begins with an underscore.
    ///
    /// `None` if the second is neither `_tcp` nor `_udp`, or the first has no underscore or more than 63 octets.
    #[must_use]
    pub fn from_labels(name: &[u8], protocol: &[u8]) -> Option<Self> {
        let protocol = Protocol::from_label(protocol)?;
        // RFC 6763 §4.1.2 (6763-4.1.2-2)
        let name = Label::new(name).filter(|label| label.as_bytes().starts_with(b"_"))?;
        Some(Self { name, protocol })
    }

    /// Reads a type that may be narrowed to a subtype: `_printer._sub._ipp._tcp`, or `_ipp._tcp,_printer` as some tools
    /// write it. A plain type gives `None` beside it.
    ///
    /// # Errors
    ///
    /// As for parsing a type, and [`ServiceTypeError::BadSubtype`].
    pub fn parse_with_subtype(text: &str) -> Result<(Self, Option<Subtype>), ServiceTypeError> {
        let bad = |subtype: &str| ServiceTypeError::BadSubtype {
            text: text.to_owned(),
            subtype: subtype.to_owned(),
        };
        if let Some((service_type, subtype)) = text.split_once(',') {
            let parsed = subtype.parse().map_err(|_| bad(subtype))?;
            return Ok((service_type.parse()?, Some(parsed)));
        }
        match text.parse() {
            Ok(service_type) => Ok((service_type, None)),
            Err(ServiceTypeError::HasSubtype {
                subtype,
                service_type,
                ..
            }) => {
                let parsed = subtype.parse().map_err(|_| bad(&subtype))?;
                Ok((service_type, Some(parsed)))
            }
            Err(error) => Err(error),
        }
    }

    /// The service name without its underscore, as text (`http`). Escaped as in a whole name if it is no plain text.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        let bare = self.bare();
        match core::str::from_utf8(bare) {
            Ok(text) if !text.contains(['.', '\\']) && !text.contains(char::is_control) => {
                Cow::Borrowed(text)
            }
            _ => Cow::Owned(label::escaped(bare)),
        }
    }

    /// The transport.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The two labels as they stand in a name: `_http` and `_tcp`.
    #[must_use]
    pub fn labels(&self) -> [&[u8]; 2] {
        [self.name.as_bytes(), self.protocol.as_str().as_bytes()]
    }

    /// Whether the service name keeps all rules of RFC 6335 §5.1.
    #[must_use]
    pub fn is_conformant(&self) -> bool {
        self.check_conformant().is_ok()
    }

    /// Says which rule of RFC 6335 §5.1 the service name breaks. What is published has to pass.
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check_conformant(&self) -> Result<(), ServiceTypeError> {
        check_service_name(self.bare(), || self.to_string())
    }

    fn conformant(name: &str, protocol: Protocol) -> Result<Self, ServiceTypeError> {
        check_service_name(name.as_bytes(), || name.to_owned())?;
        let name = Label::new(format!("_{name}").as_bytes())
            .expect("a checked name has at most 15 characters");
        Ok(Self { name, protocol })
    }

    fn bare(&self) -> &[u8] {
        let label = self.name.as_bytes();
        label.strip_prefix(b"_").unwrap_or(label)
    }
}

/// The rules of RFC 6335 §5.1.
fn check_service_name(name: &[u8], text: impl Fn() -> String) -> Result<(), ServiceTypeError> {
    use ServiceTypeError as Error;
    // (6335-5.1-1)
    if name.is_empty() {
        return Err(Error::EmptyName { text: text() });
    }
    // (6335-5.1-2)
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '-';
    if let Some(character) = String::from_utf8_lossy(name)
        .chars()
        .find(|character| !allowed(*character))
    {
        return Err(Error::BadCharacter {
            text: text(),
            character,
        });
    }
    if name.len() > MAX_SERVICE_NAME {
        return Err(Error::TooLong {
            text: text(),
            len: name.len(),
        });
    }
    // (6335-5.1-4)
    if name.starts_with(b"-") || name.ends_with(b"-") {
        return Err(Error::HyphenAtEdge { text: text() });
    }
    // (6335-5.1-5)
    if name.windows(2).any(|pair| pair == b"--") {
        return Err(Error::DoubleHyphen { text: text() });
    }
    // (6335-5.1-3)
    if !name.iter().any(u8::is_ascii_alphabetic) {
        return Err(Error::NoLetter { text: text() });
    }
    Ok(())
}

impl FromStr for ServiceType {
    type Err = ServiceTypeError;

    fn from_str(text: &str) -> Result<Self, ServiceTypeError> {
        let segments = label::segments(text);
        let not_a_type = || ServiceTypeError::NotAType {
            text: text.to_owned(),
            suggestion: suggestion(&segments),
        };
        // RFC 6763 §4.3 reads names from the right (6763-B.1-1): the transport is the last label of that kind.
        let transport = segments
            .iter()
            .rposition(|label| Protocol::from_label(label.as_bytes()).is_some());
        let (before, name, protocol, domain) =
            match transport.and_then(|at| segments.split_at_checked(at)) {
                Some(([before @ .., name], [protocol, domain @ ..])) => {
                    (before, *name, *protocol, domain)
                }
                _ => return Err(not_a_type()),
            };
        let octets = label::unescape(name).map_err(|_| not_a_type())?;
        if octets.len() > label::MAX_LABEL {
            return Err(ServiceTypeError::TooLong {
                text: text.to_owned(),
                len: octets.len().saturating_sub(1),
            });
        }
        let service_type =
            Self::from_labels(&octets, protocol.as_bytes()).ok_or_else(not_a_type)?;
        match domain {
            [] => {}
            [local] if local.eq_ignore_ascii_case("local") => {}
            _ => {
                let domain = domain.join(".");
                return Err(ServiceTypeError::HasDomain {
                    text: text.to_owned(),
                    domain,
                    service_type,
                });
            }
        }
        match before {
            [] => Ok(service_type),
            [subtype @ .., sub] if sub.eq_ignore_ascii_case("_sub") && !subtype.is_empty() => {
                let subtype = subtype.join(".");
                Err(ServiceTypeError::HasSubtype {
                    text: text.to_owned(),
                    subtype,
                    service_type,
                })
            }
            _ => Err(not_a_type()),
        }
    }
}

/// What was probably meant by a text that is no type.
fn suggestion(segments: &[&str]) -> Option<String> {
    let segments = match segments {
        [rest @ .., local] if local.eq_ignore_ascii_case("local") => rest,
        all => all,
    };
    let bare = |label: &str| label.trim_start_matches('_').to_ascii_lowercase();
    let tcp_or_udp = |label: &str| matches!(bare(label).as_str(), "tcp" | "udp");
    let (name, protocol) = match segments {
        [name] => (bare(name), Protocol::Tcp),
        [.., name, protocol] if tcp_or_udp(protocol) => (
            bare(name),
            if bare(protocol) == "tcp" {
                Protocol::Tcp
            } else {
                Protocol::Udp
            },
        ),
        // `_foo._sctp`: all but TCP is `_udp` (6763-7-1).
        [name, other] if other.starts_with('_') => (bare(name), Protocol::Udp),
        _ => return None,
    };
    if matches!(name.as_str(), "tcp" | "udp") {
        return None;
    }
    ServiceType::conformant(&name, protocol)
        .ok()
        .map(|service_type| service_type.to_string())
}

impl TryFrom<&str> for ServiceType {
    type Error = ServiceTypeError;

    fn try_from(text: &str) -> Result<Self, ServiceTypeError> {
        text.parse()
    }
}

impl TryFrom<String> for ServiceType {
    type Error = ServiceTypeError;

    fn try_from(text: String) -> Result<Self, ServiceTypeError> {
        text.parse()
    }
}

impl From<&Self> for ServiceType {
    fn from(service_type: &Self) -> Self {
        *service_type
    }
}

/// `_http._tcp`; the alternate form `{:#}` ends with a dot.
impl fmt::Display for ServiceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.protocol)?;
        if f.alternate() {
            f.write_str(".")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for ServiceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceType(\"{self}\")")
    }
}

/// Why a text is no service type, or why a type may not be published. `text` is always the input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceTypeError {
    /// The text has not the form `_name._tcp` or `_name._udp`.
    NotAType {
        /// The input.
        text: String,
        /// A type that may have been meant.
        suggestion: Option<String>,
    },
    /// The text goes on after the type with a domain other than `local`.
    HasDomain {
        /// The input.
        text: String,
        /// What stands after the type.
        domain: String,
        /// The type before it.
        service_type: ServiceType,
    },
    /// The text is a subtype of a type.
    HasSubtype {
        /// The input.
        text: String,
        /// What stands before `_sub`.
        subtype: String,
        /// The type after it.
        service_type: ServiceType,
    },
    /// The subtype in the text is none: empty, too long, or wrongly escaped.
    BadSubtype {
        /// The input.
        text: String,
        /// The part that is wrong.
        subtype: String,
    },
    /// The name has more than 15 characters, or cannot be a label at all.
    TooLong {
        /// The input.
        text: String,
        /// Its length without the underscore.
        len: usize,
    },
    /// Nothing stands after the underscore.
    EmptyName {
        /// The input.
        text: String,
    },
    /// The name holds something else than letters, digits and hyphens.
    BadCharacter {
        /// The input.
        text: String,
        /// The first such character.
        character: char,
    },
    /// The name begins or ends with a hyphen.
    HyphenAtEdge {
        /// The input.
        text: String,
    },
    /// The name has two hyphens in a row.
    DoubleHyphen {
        /// The input.
        text: String,
    },
    /// The name has no letter.
    NoLetter {
        /// The input.
        text: String,
    },
}

impl fmt::Display for ServiceTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAType {
                text,
                suggestion: Some(suggestion),
            } => {
                write!(
                    f,
                    "{text:?} is not a service type: did you mean {suggestion:?}?"
                )
            }
            Self::NotAType {
                text,
                suggestion: None,
            } => {
                write!(
                    f,
                    "{text:?} is not a service type: write it as \"_name._tcp\" or \"_name._udp\""
                )
            }
            Self::HasDomain {
                text,
                domain,
                service_type,
            } => write!(
                f,
                "{text:?} names the domain {domain:?}, but only \"local\" can be browsed yet: write \"{service_type}\""
            ),
            Self::HasSubtype {
                text,
                subtype,
                service_type,
            } => write!(
                f,
                "{text:?} is a subtype, not a type: use the type \"{service_type}\" with .subtype({subtype:?})"
            ),
            Self::BadSubtype { text, subtype } => {
                write!(
                    f,
                    "the subtype {subtype:?} in {text:?} is not one label of 1 to 63 bytes"
                )
            }
            Self::TooLong { text, len } => write!(
                f,
                "the service name in {text:?} has {len} characters, at most {MAX_SERVICE_NAME} are allowed (RFC 6335)"
            ),
            Self::EmptyName { text } => write!(f, "the service name in {text:?} is empty"),
            Self::BadCharacter { text, character } => write!(
                f,
                "the service name in {text:?} holds {character:?}, but only letters, digits and hyphens are allowed"
            ),
            Self::HyphenAtEdge { text } => {
                write!(
                    f,
                    "the service name in {text:?} begins or ends with a hyphen, which RFC 6335 forbids"
                )
            }
            Self::DoubleHyphen { text } => {
                write!(
                    f,
                    "the service name in {text:?} has two hyphens in a row, which RFC 6335 forbids"
                )
            }
            Self::NoLetter { text } => {
                write!(f, "the service name in {text:?} needs at least one letter")
            }
        }
    }
}

impl core::error::Error for ServiceTypeError {}

#[cfg(test)]
mod tests;
