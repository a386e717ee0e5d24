//! What is to be published.

use cooee_mdns::net::Links;
use cooee_sd::{InstanceName, ServiceName, ServiceType, Subtype, TxtAttributes};
use cooee_wire::NameBuf;

use crate::claim::HostRegistration;
use crate::discovery::{HostKey, Place};
use crate::error::{Error, Result};
use crate::offer::{Offer, computer_name, longest_host_name};

/// A service that a program offers: plain data, to be given to [`Zeroconf::publish`](crate::Zeroconf::publish).
///
/// The methods can be chained; a wrong TXT key or subtype in the chain is kept and told by [`check`](Self::check) and `publish`.
///
/// ```
/// use cooee::Service;
///
/// let printer = Service::new("Lobby", "_ipp._tcp", 631)?
///     .subtype("_universal")
///     .txt("txtvers", "1")
///     .txt_flag("Color")
///     .txt("note", "");
/// printer.check()?;
/// # Ok::<(), cooee::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Service {
    instance: Instance,
    kind: ServiceType,
    pub(crate) offer: Offer,
    pub(crate) links: Links,
    pub(crate) host: Option<ServiceHost>,
    pub(crate) may_rename: bool,
    /// The first thing that was wrong in the chain.
    fault: Option<Error>,
}

/// The first label of the service's name.
#[derive(Clone, Debug)]
enum Instance {
    Named(InstanceName),
    /// As the computer is called.
    AfterHost,
}

impl Service {
    /// The service `instance` of the type `kind`, at `port` of this host.
    ///
    /// The instance is what people read, `Keith’s web server`: up to 63 bytes of UTF-8, dots and spaces welcome.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if the instance or the type is no legal one, or the port is 0.
    pub fn new(
        instance: impl TryInto<InstanceName, Error: Into<Error>>,
        kind: impl TryInto<ServiceType, Error: Into<Error>>,
        port: u16,
    ) -> Result<Self> {
        let instance = Instance::Named(instance.try_into().map_err(Into::into)?);
        let kind = kind.try_into().map_err(Into::into)?;
        Self::at_port(instance, kind, port)
    }

    /// The service of the type `kind` under the computer's own name.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn named_after_host(
        kind: impl TryInto<ServiceType, Error: Into<Error>>,
        port: u16,
    ) -> Result<Self> {
        let kind = kind.try_into().map_err(Into::into)?;
        Self::at_port(Instance::AfterHost, kind, port)
    }

    /// Holds the name `instance` without offering the service: "the name is taken, there is no such service here".
    ///
    /// A program that speaks several protocols keeps its name the same in all of them so.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn placeholder(
        instance: impl TryInto<InstanceName, Error: Into<Error>>,
        kind: impl TryInto<ServiceType, Error: Into<Error>>,
    ) -> Result<Self> {
        let instance = Instance::Named(instance.try_into().map_err(Into::into)?);
        Ok(Self::plain(
            instance,
            kind.try_into().map_err(Into::into)?,
            0,
        ))
    }

    /// Adds a TXT attribute `key=value`, or replaces it. The value may be any bytes; `""` is an empty value.
    pub fn txt(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        let outcome = self.offer.txt.set(key, value);
        self.keep_fault(outcome)
    }

    /// Adds a TXT attribute that is there or not, without a value.
    pub fn txt_flag(mut self, key: &str) -> Self {
        let outcome = self.offer.txt.set_flag(key);
        self.keep_fault(outcome)
    }

    /// Takes these TXT attributes instead of those given so far.
    pub fn attributes(mut self, txt: TxtAttributes) -> Self {
        self.offer.txt = txt;
        self
    }

    /// Makes the service findable by a subtype too, `_printer` of `_http._tcp`.
    pub fn subtype(mut self, subtype: &str) -> Self {
        match subtype.parse::<Subtype>() {
            Ok(subtype) => {
                if !self.offer.subtypes.contains(&subtype) {
                    self.offer.subtypes.push(subtype);
                }
                self
            }
            Err(error) => self.keep_fault(Err(error)),
        }
    }

    /// Publishes on these links only, of those that the [`Zeroconf`](crate::Zeroconf) uses.
    pub fn links(mut self, links: impl Into<Links>) -> Self {
        self.links = links.into();
        self
    }

    /// Says that the service runs on another host than this one.
    pub fn host(mut self, host: impl Into<ServiceHost>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Which of several services of one purpose should be used first: the lowest, 0 by default.
    pub fn priority(mut self, priority: u16) -> Self {
        self.offer.priority = priority;
        self
    }

    /// How often this one should be chosen among those of the same priority; 0 by default.
    pub fn weight(mut self, weight: u16) -> Self {
        self.offer.weight = weight;
        self
    }

    /// How many seconds others may keep what they know of it (its SRV and TXT records) without asking again: at least 1; if not set, 120 for where it is
    /// and 4500 for its attributes. Less makes the network busier and a crash noticed sooner; a service that ends says so in any case.
    pub fn ttl(mut self, seconds: u32) -> Self {
        self.offer.ttl = Some(seconds.max(1));
        self
    }

    /// If the name is taken, do not take another: publishing fails then, and [`is_name_taken`](Error::is_name_taken).
    pub fn never_rename(mut self) -> Self {
        self.may_rename = false;
        self
    }

    /// Says whether this can be published.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) with the first thing that was wrong.
    pub fn check(&self) -> Result<()> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        self.offer.check(self.name(), self.longest_host())
    }

    /// The longest name that its host can have.
    pub(crate) fn longest_host(&self) -> NameBuf {
        match &self.host {
            Some(ServiceHost {
                place: Place::Elsewhere(name),
            }) => name.clone(),
            _ => longest_host_name(),
        }
    }

    /// The name that is tried first.
    pub(crate) fn name(&self) -> ServiceName {
        let instance = match &self.instance {
            Instance::Named(name) => *name,
            Instance::AfterHost => InstanceName::truncated(&computer_name()),
        };
        ServiceName::local(instance, self.kind)
    }

    fn at_port(instance: Instance, kind: ServiceType, port: u16) -> Result<Self> {
        if port == 0 {
            return Err(Error::invalid(
                "port 0 cannot be published: bind first, then publish local_addr()?.port(), or use Service::placeholder",
            ));
        }
        Ok(Self::plain(instance, kind, port))
    }

    fn plain(instance: Instance, kind: ServiceType, port: u16) -> Self {
        Self {
            instance,
            kind,
            offer: Offer {
                port,
                is_placeholder: port == 0,
                priority: 0,
                weight: 0,
                ttl: None,
                txt: TxtAttributes::default(),
                subtypes: Vec::new(),
            },
            links: Links::default(),
            host: None,
            may_rename: true,
            fault: None,
        }
    }

    fn keep_fault<E: Into<Error>>(mut self, outcome: Result<(), E>) -> Self {
        if let Err(error) = outcome {
            self.fault.get_or_insert_with(|| error.into());
        }
        self
    }
}

/// Where a service runs, if not on this host under its own name: on the host of a [`HostRegistration`], whose renames it follows, or on one that
/// somebody else publishes.
#[derive(Clone, Debug)]
pub struct ServiceHost {
    pub(crate) place: Place,
}

impl From<&HostRegistration> for ServiceHost {
    fn from(host: &HostRegistration) -> Self {
        Self {
            place: Place::Host(HostKey::Other(host.id())),
        }
    }
}

impl From<NameBuf> for ServiceHost {
    fn from(name: NameBuf) -> Self {
        Self {
            place: Place::Elsewhere(name),
        }
    }
}
