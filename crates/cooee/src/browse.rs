//! What is to be looked for.

use cooee_mdns::net::Links;
use cooee_sd::{BrowseSpec, ServiceName, ServiceType, ServiceTypeError};
use cooee_wire::Name;

use crate::error::{Error, Result};

/// A search for services: plain data, to be given to [`Zeroconf::browse`](crate::Zeroconf::browse).
///
/// A text is a search too: `"_http._tcp"`, or `"_color._sub._ipp._tcp"` for a subtype.
///
/// ```
/// use cooee::Browse;
///
/// let web = Browse::new("_http._tcp")?;
/// let printers = Browse::types(["_ipp._tcp", "_ipps._tcp", "_printer._tcp"])?;
/// let colour = Browse::try_from("_color._sub._ipp._tcp")?;
/// let others = Browse::new("_cs6452._tcp")?.without_own();
/// # Ok::<(), cooee::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Browse {
    pub(crate) spec: BrowseSpec,
    pub(crate) links: Links,
    /// The search in the words of the one who asked, for errors.
    pub(crate) text: String,
    by_type: bool,
    pub(crate) names_only: bool,
}

impl Browse {
    /// All instances of a type.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no service type.
    pub fn new(kind: impl TryInto<ServiceType, Error: Into<Error>>) -> Result<Self> {
        let kind = kind.try_into().map_err(Into::into)?;
        Ok(Self::by_types(vec![kind]))
    }

    /// All instances of several types.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if one is no service type, or there is none.
    pub fn types<T>(kinds: impl IntoIterator<Item = T>) -> Result<Self>
    where
        T: TryInto<ServiceType, Error: Into<Error>>,
    {
        let kinds: Vec<ServiceType> = kinds
            .into_iter()
            .map(|kind| kind.try_into().map_err(Into::into))
            .collect::<Result<_>>()?;
        if kinds.is_empty() {
            return Err(Error::invalid(
                "no service type to look for: Browse::all_types() looks for all",
            ));
        }
        Ok(Self::by_types(kinds))
    }

    /// All instances of all types that anybody announces.
    #[must_use]
    pub fn all_types() -> Self {
        Self::with_spec(BrowseSpec::all_types(), "all service types".into())
    }

    /// One instance whose name is known, followed as it comes, changes and goes.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no service name, or one of another domain than `local`.
    pub fn instance(name: impl TryInto<ServiceName, Error: Into<Error>>) -> Result<Self> {
        let name = name.try_into().map_err(Into::into)?;
        if !is_local(name.as_name()) {
            return Err(Error::not_local(&name));
        }
        let text = name.to_string();
        Ok(Self::with_spec(BrowseSpec::instance(name), text))
    }

    /// Only those instances that have this subtype, `_printer` or any other label.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no subtype, or the search is not one by type.
    pub fn subtype(mut self, subtype: &str) -> Result<Self> {
        if !self.by_type {
            return Err(Error::invalid(format!(
                "the subtype \"{subtype}\" goes with a service type, not with {}",
                self.text
            )));
        }
        self.spec = self.spec.subtype(subtype.parse()?);
        self.text = format!("{subtype}._sub.{}", self.text);
        Ok(self)
    }

    /// Looks on these links only, of those that the [`Zeroconf`](crate::Zeroconf) uses.
    #[must_use]
    pub fn links(mut self, links: impl Into<Links>) -> Self {
        self.links = links.into();
        self
    }

    /// Leaves out what is published through the same [`Zeroconf`](crate::Zeroconf) or a clone of it.
    #[must_use]
    pub fn without_own(mut self) -> Self {
        self.spec = self.spec.without_own();
        self
    }

    /// Asks for names alone, not for hosts, ports and addresses. All is in [`Snapshot::unresolved`](crate::Snapshot::unresolved) then, there
    /// are no events, and [`Zeroconf::list`](crate::Zeroconf::list) refuses it. Means nothing for an [`instance`](Self::instance), whose name is known.
    #[must_use]
    pub fn names_only(mut self) -> Self {
        self.spec = self.spec.names_only();
        self.names_only = true;
        self
    }

    fn by_types(kinds: Vec<ServiceType>) -> Self {
        let names: Vec<_> = kinds.iter().map(ToString::to_string).collect();
        Self {
            by_type: true,
            ..Self::with_spec(BrowseSpec::types(kinds), names.join(", "))
        }
    }

    fn with_spec(spec: BrowseSpec, text: String) -> Self {
        Self {
            spec,
            links: Links::default(),
            text,
            by_type: false,
            names_only: false,
        }
    }
}

/// Whether it is a name below `local`, which means something on this link. For all others there are other servers.
// RFC 6762 §13 (6762-13-1, 6762-13-2)
pub(crate) fn is_local(name: Name<'_>) -> bool {
    let last = name.labels().skip(1).last();
    last.is_some_and(|label| label.eq_ignore_ascii_case(b"local"))
}

impl TryFrom<&str> for Browse {
    type Error = ServiceTypeError;

    fn try_from(text: &str) -> Result<Self, ServiceTypeError> {
        let (kind, subtype) = ServiceType::parse_with_subtype(text)?;
        let mut browse = Self::by_types(vec![kind]);
        if let Some(subtype) = subtype {
            browse.text = format!("{subtype}._sub.{kind}");
            browse.spec = browse.spec.subtype(subtype);
        }
        Ok(browse)
    }
}

impl TryFrom<String> for Browse {
    type Error = ServiceTypeError;

    fn try_from(text: String) -> Result<Self, ServiceTypeError> {
        Self::try_from(text.as_str())
    }
}

impl From<ServiceType> for Browse {
    fn from(kind: ServiceType) -> Self {
        Self::by_types(vec![kind])
    }
}

impl From<&ServiceType> for Browse {
    fn from(kind: &ServiceType) -> Self {
        Self::by_types(vec![*kind])
    }
}

impl From<&Self> for Browse {
    fn from(browse: &Self) -> Self {
        browse.clone()
    }
}
