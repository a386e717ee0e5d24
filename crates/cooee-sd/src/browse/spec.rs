//! What to look for, and how much of it to keep.

use alloc::vec::Vec;

use cooee_wire::NameBuf;

use crate::service_name::ServiceName;
use crate::service_type::ServiceType;
use crate::subtype::Subtype;

/// What a [`Browser`](super::Browser) looks for.
///
/// ```
/// use cooee_sd::{BrowseSpec, Browser, ServiceType};
///
/// let printers = BrowseSpec::types([ServiceType::tcp("ipp")?, ServiceType::tcp("printer")?]);
/// let colour = BrowseSpec::types([ServiceType::tcp("ipp")?]).subtype("_color".parse()?);
/// let browser = Browser::new(colour.without_own());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BrowseSpec {
    pub(crate) target: Target,
    pub(crate) domain: NameBuf,
    pub(crate) names_only: bool,
    pub(crate) without_own: bool,
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Types(Vec<ServiceType>, Option<Subtype>),
    AllTypes,
    Instance(ServiceName),
}

impl BrowseSpec {
    /// All instances of some types.
    #[must_use]
    pub fn types(types: impl IntoIterator<Item = ServiceType>) -> Self {
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_unstable();
        types.dedup();
        Self::new(Target::Types(types, None))
    }

    /// All instances of all types that anyone announces.
    // RFC 6763 §9 (6763-9-1, 6763-9-3)
    #[must_use]
    pub fn all_types() -> Self {
        Self::new(Target::AllTypes)
    }

    /// One instance whose name is known. No PTR record is asked for.
    // RFC 6763 §5 (6763-5-1), §4.2 (6763-4.2-4)
    #[must_use]
    pub fn instance(name: ServiceName) -> Self {
        Self::new(Target::Instance(name))
    }

    /// Only those instances of the types that have this subtype. Means nothing for all types and for one instance.
    // RFC 6763 §7.1 (6763-7.1-1)
    #[must_use]
    pub fn subtype(mut self, wanted: Subtype) -> Self {
        if let Target::Types(_, subtype) = &mut self.target {
            *subtype = Some(wanted);
        }
        self
    }

    /// Looks in this domain instead of `local`. Means nothing for one instance, whose name has a domain. A domain that
    /// leaves no room for the type gives no question.
    #[must_use]
    pub fn domain(mut self, domain: NameBuf) -> Self {
        self.domain = domain;
        self
    }

    /// Asks for PTR records alone: nothing is resolved, all names are in
    /// [`Snapshot::unresolved`](super::Snapshot::unresolved), and there are no events. Means nothing for one instance.
    #[must_use]
    pub fn names_only(mut self) -> Self {
        self.names_only = true;
        self
    }

    /// Leaves out what is published through the same node, as the transport tells by `own`.
    #[must_use]
    pub fn without_own(mut self) -> Self {
        self.without_own = true;
        self
    }

    /// Other bounds than the usual.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn new(target: Target) -> Self {
        let domain = NameBuf::from_labels([b"local"]).expect("one short label is a name");
        Self {
            target,
            domain,
            names_only: false,
            without_own: false,
            limits: Limits::default(),
        }
    }
}

/// How much one machine keeps of what strangers send. What goes beyond is counted in [`Refused`] and left out, never a
/// reason to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Instances; whoever announces many names could fill it. When it is full, the oldest that was never resolved makes
    /// room. 16,384.
    pub instances: usize,
    /// Hosts, by link; each instance could name another one. 16,384.
    pub hosts: usize,
    /// Addresses of one host on one link. 64.
    pub addresses: usize,
    /// SRV records of one instance on one link, and as many TXT records. The oldest makes room. 8.
    pub variants: usize,
    /// Service types, when all are looked for. 1024.
    pub types: usize,
    /// Hosts and instances of which a record came before anything named them, each. The oldest makes room. 256.
    pub early: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instances: 16_384,
            hosts: 16_384,
            addresses: 64,
            variants: 8,
            types: 1024,
            early: 256,
        }
    }
}

/// What a machine left out, counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Records that are unreadable or make no sense where they are, such as a PTR to something that is no service.
    pub malformed: u64,
    /// Instances that found no room.
    pub instances: u64,
    /// Instances that were never resolved and made room for others.
    pub evicted: u64,
    /// Hosts that found no room.
    pub hosts: u64,
    /// Addresses beyond [`Limits::addresses`].
    pub addresses: u64,
    /// SRV and TXT records that made room for later ones.
    pub variants: u64,
    /// Types beyond [`Limits::types`].
    pub types: u64,
    /// Early records that made room for others.
    pub early: u64,
}
