//! The way in.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cooee_mdns::RecordSet;
use cooee_mdns::net::{Families, Links};
use cooee_sd::ServiceName;
use cooee_wire::{Data, NameBuf, QuestionBuf, RecordBuf, RecordType};

use crate::address::ScopedAddr;
use crate::browse::{Browse, is_local};
use crate::browser::{Browser, Browsing, End};
use crate::builder::Builder;
use crate::claim::{Claim, Host, HostRegistration, RecordRegistration};
use crate::core::{Core, Id};
use crate::discovery::{HostKey, Place, Terms, Wanted};
use crate::error::{Error, Result};
use crate::events::Events;
use crate::found::{FoundService, HostAddresses};
use crate::links::Link;
use crate::lookup::{Lookup, Options};
use crate::offer::host_name;
use crate::records::{Answers, FoundRecord, Query};
use crate::registration::{Phase, Published, Registration};
use crate::service::Service;
use crate::types::TypeBrowser;
use crate::watched::Watched;

/// How long a listing takes at most (ruling 34).
const LIST_LIMIT: Duration = Duration::from_secs(5);

/// Zeroconf on this computer: publish services on the local links, and find those of others.
///
/// A clone is the same thing and costs one reference count. It runs as long as a clone, a [`Registration`], a stream or a lookup is held. When the
/// last one is dropped it says goodbye in the background, as far as the runtime lives; only [`shutdown`](Self::shutdown) waits for that.
///
/// ```no_run
/// use cooee::{Service, Zeroconf};
///
/// # async fn example() -> cooee::Result<()> {
/// let zeroconf = Zeroconf::start().await?;
/// let registration = zeroconf
///     .publish(Service::new("Keith’s web server", "_http._tcp", 8080)?.txt("path", "/"))
///     .await?;
/// println!("visible as {}", registration.name().instance());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Zeroconf {
    core: Arc<Core>,
}

impl Zeroconf {
    /// Starts with every default: `Zeroconf::builder().start()`.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a start that is given up leaves nothing running.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Starts with choices.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Waits for the end of the node, without keeping it running.
    #[cfg(feature = "blocking")]
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let reader = self.core.network.reader();
        async move { reader.wait(|_, closed| closed.then_some(())).await }
    }

    /// Publishes a service and waits until the name is ours and announced; that takes about a second. If the name is taken, another is: the
    /// registration has it.
    ///
    /// With no network it waits for one; [`start_publish`](Self::start_publish) does not.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if the service cannot be published; [`is_name_taken`](Error::is_name_taken) if it was not to be
    /// renamed, or after one minute of conflicts; [`is_shut_down`](Error::is_shut_down) after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a service whose publication is given up is withdrawn.
    pub async fn publish(&self, service: Service) -> Result<Registration> {
        let registration = self.start_publish(service)?;
        registration.ready().await?;
        Ok(registration)
    }

    /// Publishes a service without waiting: the registration tells what becomes of it.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if the service cannot be published, [`is_shut_down`](Error::is_shut_down) after shutdown. What can go
    /// wrong later is told by [`Registration::ready`].
    pub fn start_publish(&self, service: Service) -> Result<Registration> {
        service.check()?;
        self.core.check_alive()?;
        if service.host.is_none() && !self.core.has_host {
            return Err(Error::no_host());
        }
        let id = Id::next();
        let wanted = service.name();
        let state = Watched::new(Published {
            longest_host: service.longest_host(),
            name: self.core.names.first_service(&wanted),
            offer: service.offer,
            phase: Phase::Probing,
            error: None,
            refusals: 0,
            unsaid: 0,
        });
        let terms = Terms {
            place: service
                .host
                .map_or(Place::Host(HostKey::Own), |host| host.place),
            choice: service.links,
            may_rename: service.may_rename,
            wanted,
        };
        let published = state.clone();
        self.core.call_for(&state, move |discovery, now| {
            discovery.publish(now, id, published, terms);
        });
        Ok(Registration::new(Arc::clone(&self.core), id, state))
    }

    /// Publishes a host name beside that of this computer, and waits until it is ours and announced.
    ///
    /// ```no_run
    /// # async fn example(zeroconf: cooee::Zeroconf) -> Result<(), Box<dyn std::error::Error>> {
    /// use cooee::{Host, Service};
    ///
    /// // A printer that cannot speak for itself.
    /// let host = zeroconf
    ///     .publish_host(Host::new("old-laserjet", ["192.168.1.50".parse()?])?)
    ///     .await?;
    /// let queue = zeroconf
    ///     .publish(Service::new("LaserJet 4", "_ipp._tcp", 631)?.host(&host))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a host whose publication is given up is withdrawn.
    pub async fn publish_host(&self, host: Host) -> Result<HostRegistration> {
        let registration = self.start_publish_host(host)?;
        registration.ready().await?;
        Ok(registration)
    }

    /// Publishes a host name without waiting. Services can be published on it at once; they are ready when it is, and fail if it does.
    ///
    /// # Errors
    ///
    /// [`is_shut_down`](Error::is_shut_down) after shutdown. What can go wrong later is told by [`HostRegistration::ready`].
    pub fn start_publish_host(&self, mut host: Host) -> Result<HostRegistration> {
        self.core.check_alive()?;
        let id = Id::next();
        host.first = self.core.names.first_host(&host.wanted);
        let state = Watched::new(Claim::new(Some(host_name(&host.first))));
        let registration = HostRegistration::new(Arc::clone(&self.core), id, state.clone());
        let claimed = state.clone();
        self.core.call_for(&state, move |discovery, now| {
            discovery.publish_host(now, id, host, claimed);
        });
        Ok(registration)
    }

    /// Publishes records on these links, and waits until they are announced. Those with the cache-flush bit are unique, so that their names are probed first; the others
    /// are shared.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if there is no record, one is too large, or one has another TTL than what else is published of its
    /// name and type; [`is_name_taken`](Error::is_name_taken) if somebody else has unique records of one of the names;
    /// [`is_shut_down`](Error::is_shut_down) after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: records whose publication is given up are withdrawn.
    pub async fn publish_records(
        &self,
        records: impl IntoIterator<Item = RecordBuf>,
        links: impl Into<Links>,
    ) -> Result<RecordRegistration> {
        let mut set = RecordSet::new();
        for record in records {
            set = match record.cache_flush {
                true => set.unique(record),
                false => set.shared(record),
            };
        }
        let registration = self.start_records(set, links.into())?;
        registration.ready().await?;
        Ok(registration)
    }

    fn start_records(&self, set: RecordSet, links: Links) -> Result<RecordRegistration> {
        self.core.check_alive()?;
        let id = Id::next();
        let state = Watched::new(Claim::new(None));
        let claimed = state.clone();
        self.core.call_for(&state, move |discovery, now| {
            discovery.publish_records(now, id, set, links, claimed);
        });
        Ok(RecordRegistration::new(Arc::clone(&self.core), id, state))
    }

    /// Looks for services: of a type, of several, of all, or for one by its name.
    ///
    /// ```no_run
    /// # async fn example(zeroconf: cooee::Zeroconf) -> cooee::Result<()> {
    /// let mut web = zeroconf.browse("_http._tcp")?;
    /// let service = web.first().await?;
    /// println!("{} is at {:?}", service.name(), service.socket_addrs());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if there can be no such service, [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn browse(&self, what: impl TryInto<Browse, Error: Into<Error>>) -> Result<Browser> {
        let browse = what.try_into().map_err(Into::into)?;
        start_browse(&self.core, browse, Wanted::Everything)
    }

    /// Looks for services until all seem to be found: after 1.5 s at the earliest, after the time-out (5 s by default) at the latest. Gives those
    /// that were found by then, sorted by name.
    ///
    /// # Errors
    ///
    /// When awaited: [`is_invalid_input`](Error::is_invalid_input), for [`Browse::names_only`] too, and [`is_shut_down`](Error::is_shut_down). To
    /// find nothing is no error.
    pub fn list(
        &self,
        what: impl TryInto<Browse, Error: Into<Error>>,
    ) -> Lookup<Vec<FoundService>> {
        let core = Arc::clone(&self.core);
        let what = what.try_into().map_err(Into::into).and_then(listable);
        Lookup::new(what.map(|mut browse: Browse| {
            move |options: Options| async move {
                if let Some(links) = options.links {
                    browse = browse.links(links);
                }
                let limit = options.timeout.unwrap_or(LIST_LIMIT);
                let mut browser = start_browse(&core, browse, Wanted::List(limit))?;
                browser.ended().await.ok_or_else(Error::shut_down)?;
                let services = browser.snapshot().services.into_iter();
                Ok(services
                    .map(|service| service.only(options.families))
                    .filter(|service| !service.addresses().is_empty())
                    .collect())
            }
        }))
    }

    /// The service types that anybody announces.
    ///
    /// # Errors
    ///
    /// [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn service_types(&self) -> Result<TypeBrowser> {
        self.core.check_alive()?;
        let id = Id::next();
        let domain = NameBuf::from_labels([b"local"]).map_err(Error::from)?;
        let state = Watched::new(cooee_sd::TypeBrowser::new(domain.as_name()));
        let browser = TypeBrowser::new(Arc::clone(&self.core), id, &state);
        let searched = state.clone();
        self.core.call_for(&state, move |discovery, _| {
            discovery.browse_types(id, searched);
        });
        Ok(browser)
    }

    /// Finds the host, port, TXT attributes and addresses of a service whose name is known.
    ///
    /// # Errors
    ///
    /// When awaited: [`is_timeout`](Error::is_timeout) if nobody answers, [`is_not_found`](Error::is_not_found) if the owner of the name says that there is
    /// no such service, [`is_invalid_input`](Error::is_invalid_input) and [`is_shut_down`](Error::is_shut_down).
    pub fn resolve(
        &self,
        name: impl TryInto<ServiceName, Error: Into<Error>>,
    ) -> Lookup<FoundService> {
        let core = Arc::clone(&self.core);
        let name = name.try_into().map_err(Into::into);
        Lookup::new(name.map(|name: ServiceName| {
            move |options: Options| async move {
                let mut browse = Browse::instance(&name)?;
                if let Some(links) = options.links {
                    browse = browse.links(links);
                }
                let limit = options.timeout.unwrap_or(core.timeout);
                let mut browser = start_browse(&core, browse, Wanted::First(limit))?;
                loop {
                    match browser.next().await {
                        Some(
                            crate::ServiceEvent::Added(service)
                            | crate::ServiceEvent::Updated(service),
                        ) => {
                            let service = service.only(options.families);
                            if !service.addresses().is_empty() {
                                return Ok(service);
                            }
                        }
                        Some(crate::ServiceEvent::Removed(_)) => {}
                        None => {
                            return Err(match browser.ended().await {
                                Some(End::Denied) => Error::not_found(&name),
                                Some(End::TimedOut | End::Complete) => Error::timeout(&name),
                                None => Error::shut_down(),
                            });
                        }
                    }
                }
            }
        }))
    }

    /// Finds the addresses of a host, by its whole name: `tabasco.local`. Names of other domains are refused; nobody asks for them here.
    ///
    /// ```no_run
    /// # async fn example(zeroconf: cooee::Zeroconf) -> Result<(), Box<dyn std::error::Error>> {
    /// let tabasco = zeroconf.resolve_host("tabasco.local").await?;
    /// let ssh = std::net::TcpStream::connect(tabasco.socket_addrs(22).as_slice())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn resolve_host(
        &self,
        name: impl TryInto<NameBuf, Error: Into<Error>>,
    ) -> Lookup<HostAddresses> {
        let core = Arc::clone(&self.core);
        let name = name.try_into().map_err(Into::into);
        let name = name.and_then(|name: NameBuf| match is_local(name.as_name()) {
            true => Ok(name),
            false => Err(Error::not_local(&name)),
        });
        Lookup::new(name.map(|name| {
            move |options: Options| async move {
                let mut questions = Vec::new();
                if options.families != Families::V6 {
                    questions.push(QuestionBuf::new(name.clone(), RecordType::A));
                }
                if options.families != Families::V4 {
                    questions.push(QuestionBuf::new(name.clone(), RecordType::AAAA));
                }
                let records = look_up(&core, questions, options, &name).await?;
                let links = core.links();
                let address = |record: &FoundRecord| -> Option<ScopedAddr> {
                    let ip: IpAddr = match record.data() {
                        Ok(Data::A(ip)) => ip.into(),
                        Ok(Data::Aaaa(ip)) => ip.into(),
                        _ => return None,
                    };
                    Some(links.scoped(ip, record.link_index()))
                };
                let addresses: BTreeSet<_> = records
                    .iter()
                    .filter_map(address)
                    .filter(ScopedAddr::is_usable)
                    .collect();
                if addresses.is_empty() {
                    return Err(Error::timeout(&name));
                }
                let ttl = records.iter().map(FoundRecord::ttl).min();
                Ok(HostAddresses::new(name, addresses, ttl.unwrap_or(0)))
            }
        }))
    }

    /// Finds the names of the host that has an address.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn reverse(&self, address: impl Into<ScopedAddr>) -> Lookup<Vec<NameBuf>> {
        let core = Arc::clone(&self.core);
        let address = address.into();
        Lookup::new(Ok(move |mut options: Options| async move {
            if address.scope_id() != 0 && options.links.is_none() {
                options.links = Some(Links::index(address.scope_id()));
            }
            let question = QuestionBuf::new(NameBuf::reverse(address.ip()), RecordType::PTR);
            let records = look_up(&core, vec![question], options, &address).await?;
            let names: BTreeSet<NameBuf> = records
                .iter()
                .filter_map(|record| match record.data() {
                    Ok(Data::Ptr(name)) => name.to_owned().ok(),
                    _ => None,
                })
                .collect();
            Ok(names.into_iter().collect())
        }))
    }

    /// Asks for the records of one name and type on these links, until the [`Query`] is dropped. The name may be any: outside of `local` whoever answers
    /// is not to be trusted with it.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no name, [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn query(
        &self,
        name: impl TryInto<NameBuf, Error: Into<Error>>,
        kind: RecordType,
        links: impl Into<Links>,
    ) -> Result<Query> {
        let name = name.try_into().map_err(Into::into)?;
        let questions = vec![QuestionBuf::new(name, kind)];
        start_query(&self.core, questions, links.into(), None)
    }

    /// Asks once for the records of one name and type.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn lookup(
        &self,
        name: impl TryInto<NameBuf, Error: Into<Error>>,
        kind: RecordType,
    ) -> Lookup<Vec<FoundRecord>> {
        let core = Arc::clone(&self.core);
        let name = name.try_into().map_err(Into::into);
        Lookup::new(name.map(|name: NameBuf| {
            move |options: Options| async move {
                let questions = vec![QuestionBuf::new(name.clone(), kind)];
                look_up(&core, questions, options, &name).await
            }
        }))
    }

    /// Says that a service could not be reached: what is known of it is asked for again, and forgotten if nobody confirms it within ten seconds.
    ///
    /// ```no_run
    /// # async fn example(zeroconf: cooee::Zeroconf, service: cooee::FoundService) -> std::io::Result<()> {
    /// let stream = std::net::TcpStream::connect(service.socket_addrs())
    ///     .inspect_err(|_| zeroconf.reconfirm(&service))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reconfirm(&self, service: &FoundService) {
        let records = service.records();
        self.core
            .call(move |discovery, now| discovery.reconfirm(now, &records));
    }

    /// The name under which this host is published; `None` while it has none, which is before the first service needs it, and while it is being
    /// found out whether the name is free.
    #[must_use]
    pub fn host_name(&self) -> Option<NameBuf> {
        self.core.network.with(|network| network.host_name.clone())
    }

    /// All links of this computer, by index, each with its status and the reason for it.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.core.links().present().to_vec()
    }

    /// Uses other links from now on. Links that are used no more are left without a goodbye.
    pub fn set_links(&self, links: impl Into<Links>) {
        self.core.runner().set_links(links.into());
    }

    /// What happens to links, host name and port, beginning with the present state.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(Arc::clone(&self.core))
    }

    /// What came, went, and was dropped so far.
    ///
    /// # Errors
    ///
    /// [`is_shut_down`](Error::is_shut_down) after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost.
    pub async fn stats(&self) -> Result<Stats> {
        self.core.check_alive()?;
        let state = Watched::new(None);
        let answer = state.clone();
        self.core.call_for(&state, move |discovery, _| {
            let stats = discovery.stats();
            answer.change(|answer| {
                *answer = Some(stats);
                true
            });
        });
        let sockets = self.core.runner().stats().await;
        let protocol = state
            .reader()
            .wait(|answer, closed| match answer {
                Some(stats) => Some(Ok(*stats)),
                None => closed.then(|| Err(Error::shut_down())),
            })
            .await?;
        let sockets = sockets.ok_or_else(Error::shut_down)?;
        Ok(Stats { protocol, sockets })
    }

    /// Says goodbye for all that is published, closes the sockets, and ends it for all clones, registrations and streams. It takes at most a second,
    /// or as long as a [`NameStore`](crate::NameStore) needs for what it was given last, and twice is fine. Call it before `main` returns.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped after its first poll, it goes on in the background.
    pub async fn shutdown(&self) {
        self.core.runner().shutdown().await;
        self.core.stored.all().await;
    }
}

/// What came, went, and was dropped since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// What became of it as multicast DNS.
    pub protocol: cooee_mdns::Stats,
    /// What became of it at the sockets.
    pub sockets: cooee_mdns::net::Stats,
}

impl fmt::Debug for Zeroconf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zeroconf")
            .field("host_name", &self.host_name())
            .finish_non_exhaustive()
    }
}

/// A list is of services that can be connected to: names alone make none.
fn listable(browse: Browse) -> Result<Browse> {
    if browse.names_only {
        return Err(Error::invalid(format!(
            "a list of {} needs more than names: leave out names_only, or browse and take Snapshot::unresolved",
            browse.text
        )));
    }
    Ok(browse)
}

fn start_browse(core: &Arc<Core>, browse: Browse, wanted: Wanted) -> Result<Browser> {
    core.check_alive()?;
    let id = Id::next();
    let state = Watched::new(Browsing {
        machine: cooee_sd::Browser::new(browse.spec),
        ended: None,
    });
    let browser = Browser::new(Arc::clone(core), id, &state);
    let searched = state.clone();
    core.call_for(&state, move |discovery, now| {
        discovery.browse(now, id, searched, browse.links, wanted);
    });
    Ok(browser)
}

fn start_query(
    core: &Arc<Core>,
    questions: Vec<QuestionBuf>,
    links: Links,
    limit: Option<Duration>,
) -> Result<Query> {
    core.check_alive()?;
    let id = Id::next();
    let state = Watched::new(Answers::default());
    let query = Query::new(Arc::clone(core), id, &state);
    let answered = state.clone();
    core.call_for(&state, move |discovery, now| {
        discovery.ask(now, id, answered, questions, links, limit);
    });
    Ok(query)
}

async fn look_up(
    core: &Arc<Core>,
    questions: Vec<QuestionBuf>,
    options: Options,
    what: &(dyn fmt::Display + Sync),
) -> Result<Vec<FoundRecord>> {
    let limit = options.timeout.unwrap_or(core.timeout);
    let links = options.links.unwrap_or_default();
    let mut query = start_query(core, questions, links, Some(limit))?;
    match query.ended().await {
        Some((End::Complete, records)) => Ok(records),
        Some((End::Denied, _)) => Err(Error::not_found(what)),
        Some((End::TimedOut, _)) => Err(Error::timeout(what)),
        None => Err(Error::shut_down()),
    }
}
