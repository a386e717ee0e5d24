//! What can go wrong, in one type.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use cooee_mdns::net::StartError;

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong: a text for people, questions for programs, and the typed cause in [`source`](StdError::source).
///
/// The text quotes what was given and says what to do. Cloning costs one reference count.
///
/// ```
/// use std::error::Error as _;
///
/// let error = cooee::Service::new("Lobby", "http", 80).unwrap_err();
/// assert!(error.is_invalid_input());
/// assert!(error.to_string().contains(r#"did you mean "_http._tcp"?"#));
/// assert!(error.source().is_some_and(|source| source.is::<cooee::ServiceTypeError>()));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: Kind,
    /// Empty: the source speaks for itself.
    text: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InvalidInput,
    Timeout,
    NotFound,
    NameTaken,
    ShutDown,
    Network,
    NoRuntime,
}

impl Error {
    /// Whether an argument was wrong. Nothing was sent; asking again with the same argument fails again.
    #[must_use]
    pub fn is_invalid_input(&self) -> bool {
        self.0.kind == Kind::InvalidInput
    }

    /// Whether nobody answered in time. It may be there and not have heard.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// Whether the owner of the name said that what was asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == Kind::NotFound
    }

    /// Whether somebody else has the name and it was not to be changed, or conflicts went on for too long.
    #[must_use]
    pub fn is_name_taken(&self) -> bool {
        self.0.kind == Kind::NameTaken
    }

    /// Whether the [`Zeroconf`](crate::Zeroconf) is shut down, or the runtime that it ran on is gone.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.0.kind == Kind::ShutDown
    }

    /// Whether the system refused something about the network.
    #[must_use]
    pub fn is_network(&self) -> bool {
        self.0.kind == Kind::Network
    }

    /// Whether `start` was called outside of a tokio runtime.
    #[must_use]
    pub fn is_no_runtime(&self) -> bool {
        self.0.kind == Kind::NoRuntime
    }

    pub(crate) fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::InvalidInput, text)
    }

    pub(crate) fn timeout(what: &dyn fmt::Display) -> Self {
        Self::new(Kind::Timeout, format!("no answer for {what} in time"))
    }

    pub(crate) fn not_found(what: &dyn fmt::Display) -> Self {
        Self::new(
            Kind::NotFound,
            format!("{what} does not exist: the owner of the name says so"),
        )
    }

    pub(crate) fn name_taken(name: &dyn fmt::Display) -> Self {
        Self::new(
            Kind::NameTaken,
            format!("the name \"{name}\" is taken on this link"),
        )
    }

    pub(crate) fn shut_down() -> Self {
        Self::new(Kind::ShutDown, "zeroconf is shut down")
    }

    pub(crate) fn withdrawn() -> Self {
        Self::new(Kind::ShutDown, "the registration was withdrawn")
    }

    pub(crate) fn no_host() -> Self {
        Self::invalid(
            "this host has no name (HostPolicy::None): say with Service::host where the service runs",
        )
    }

    pub(crate) fn not_local(name: &dyn fmt::Display) -> Self {
        Self::invalid(format!(
            "\"{name}\" does not end in \".local\", and only such names are looked up on the link: anybody there could answer for others"
        ))
    }

    pub(crate) fn host_gone() -> Self {
        Self::invalid(
            "the host that was given with Service::host is not published here: its registration is gone, or is that of another Zeroconf",
        )
    }

    pub(crate) fn network(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Network, text)
    }

    fn new(kind: Kind, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            text: text.into(),
            source: None,
        }))
    }

    fn from_source(kind: Kind, source: impl StdError + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            kind,
            text: Cow::Borrowed(""),
            source: Some(Box::new(source)),
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.source, &*self.0.text) {
            (Some(source), "") => source.fmt(f),
            (Some(source), text) => write!(f, "{text}: {source}"),
            (None, text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &format_args!("{self}"))
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoRuntime => Self::from_source(Kind::NoRuntime, error),
            error => Self::from_source(Kind::Network, error),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::from_source(Kind::Network, error)
    }
}

macro_rules! input_errors {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::from_source(Kind::InvalidInput, error)
            }
        }
    )+};
}

input_errors!(
    cooee_mdns::PublishError,
    cooee_sd::InstanceNameError,
    cooee_sd::RecordsError,
    cooee_sd::ServiceNameError,
    cooee_sd::ServiceTypeError,
    cooee_sd::SubtypeError,
    cooee_sd::TxtError,
    cooee_wire::NameError,
);
