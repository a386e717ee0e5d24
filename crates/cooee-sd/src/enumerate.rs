//! Lists that one PTR question gives: the types of services, and domains.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt::Debug;
use core::time::Duration;

use cooee_wire::{Data, Name, NameBuf, QuestionBuf, Record, RecordType};

use crate::browse::{Ask, AskId, Asks, LINK_PATIENCE, Link, Presence};
use crate::names::{self, DomainKind};
use crate::service_type::ServiceType;

/// How long a type may be listed nowhere before it is gone: its goodbye speaks for one publisher only.
// ruling 33, RFC 6762 §10.4 (6762-10.4-6)
const TYPE_PATIENCE: Duration = Duration::from_secs(10);

/// How many entries a list keeps of what strangers send.
const MAX_ENTRIES: usize = 1024;

/// Finds the types of services that are announced. Sans-IO, driven like a [`Browser`](crate::Browser).
///
/// A type that is no longer listed is asked for again and gone after 10 s: the record that took it back came from one
/// publisher, and others may have the same type.
///
/// ```
/// use core::time::Duration;
/// use cooee_sd::{Ask, Link, Presence, TypeBrowser, TypeEvent};
/// use cooee_wire::{NameBuf, RdataBuf, RecordBuf};
///
/// let local: NameBuf = "local".parse()?;
/// let mut types = TypeBrowser::new(local.as_name());
/// let Some(Ask::Start { question, .. }) = types.poll_ask() else { unreachable!() };
/// assert_eq!(question.to_string(), "_services._dns-sd._udp.local PTR");
///
/// let listed: NameBuf = "_http._tcp.local".parse()?;
/// let record = RecordBuf::new(question.name, 4500, RdataBuf::ptr(listed.as_name()));
/// types.handle_record(Duration::ZERO, Link(2), record.as_record(), Presence::Present);
/// assert_eq!(types.poll_event(), Some(TypeEvent::Added("_http._tcp".parse()?)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
// RFC 6763 §9 (6763-9-1)
#[derive(Debug)]
pub struct TypeBrowser {
    list: List<ServiceType>,
}

/// A difference in the list of types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a type is listed or it is not")]
pub enum TypeEvent {
    /// It is listed.
    Added(ServiceType),
    /// It is listed no longer.
    Removed(ServiceType),
}

impl TypeBrowser {
    /// A list of the types in a domain. A domain too long for the question gives none.
    #[must_use]
    pub fn new(domain: Name<'_>) -> Self {
        Self {
            list: List::new(names::type_enumeration_name(domain), TYPE_PATIENCE),
        }
    }

    /// A record came, is there already, or is gone.
    pub fn handle_record(
        &mut self,
        now: Duration,
        link: Link,
        record: Record<'_>,
        presence: Presence,
    ) {
        self.list
            .handle_record(now, link, record, presence, names::listed_type);
    }

    /// A link went down: see [`Browser::handle_link_down`](crate::Browser::handle_link_down).
    pub fn handle_link_down(&mut self, now: Duration, link: Link) {
        self.list.handle_link_down(now, link);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.list.handle_timeout(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.list.poll_timeout()
    }

    /// The next change in what has to be asked.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        self.list.asks.poll()
    }

    /// The next difference between what was told and what is true.
    pub fn poll_event(&mut self) -> Option<TypeEvent> {
        let (service_type, listed) = self.list.poll()?;
        Some(if listed {
            TypeEvent::Added(service_type)
        } else {
            TypeEvent::Removed(service_type)
        })
    }

    /// Whether [`poll_event`](Self::poll_event) has something.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.list.news.is_empty()
    }

    /// All types listed now, with the links that list them, sorted. They count as told.
    pub fn snapshot(&mut self) -> Vec<(ServiceType, Vec<Link>)> {
        self.list.snapshot()
    }

    /// Where a type is listed. Nowhere, while it is only about to be forgotten.
    #[must_use]
    pub fn links(&self, service_type: &ServiceType) -> Vec<Link> {
        self.list.links(service_type)
    }

    /// How many records were left out because they make no sense here, or for want of room.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.list.refused
    }
}

/// Finds the domains that are recommended in a domain. Sans-IO, driven like a [`Browser`](crate::Browser).
///
/// The lists are advice: any domain may be used that is not in them. To ask for several kinds, or in several domains (those
/// of DHCP, or a [`network_domain`](crate::network_domain)), take several and join what they say.
///
/// ```
/// use cooee_sd::{Ask, DomainBrowser, DomainKind};
///
/// let domain: cooee_wire::NameBuf = "example.org".parse()?;
/// let mut domains = DomainBrowser::new(DomainKind::Browse, domain.as_name());
/// let Some(Ask::Start { question, .. }) = domains.poll_ask() else { unreachable!() };
/// assert_eq!(question.to_string(), "b._dns-sd._udp.example.org PTR");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
// RFC 6763 §11 (6763-11-1, 6763-11-7, 6763-11-8, 6763-11-12)
#[derive(Debug)]
pub struct DomainBrowser {
    list: List<NameBuf>,
}

/// A difference in a list of domains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a domain is listed or it is not")]
pub enum DomainEvent {
    /// It is listed.
    Added(NameBuf),
    /// It is listed no longer.
    Removed(NameBuf),
}

impl DomainBrowser {
    /// A list of one kind, as a domain gives it. A domain too long for the question gives none.
    #[must_use]
    pub fn new(kind: DomainKind, domain: Name<'_>) -> Self {
        Self {
            list: List::new(names::domain_enumeration_name(kind, domain), Duration::ZERO),
        }
    }

    /// A record came, is there already, or is gone.
    pub fn handle_record(
        &mut self,
        now: Duration,
        link: Link,
        record: Record<'_>,
        presence: Presence,
    ) {
        self.list
            .handle_record(now, link, record, presence, |name| {
                name.to_owned().ok().filter(|name| !name.is_root())
            });
    }

    /// A link went down: see [`Browser::handle_link_down`](crate::Browser::handle_link_down).
    pub fn handle_link_down(&mut self, now: Duration, link: Link) {
        self.list.handle_link_down(now, link);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.list.handle_timeout(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.list.poll_timeout()
    }

    /// The next change in what has to be asked.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        self.list.asks.poll()
    }

    /// The next difference between what was told and what is true.
    pub fn poll_event(&mut self) -> Option<DomainEvent> {
        let (domain, listed) = self.list.poll()?;
        Some(if listed {
            DomainEvent::Added(domain)
        } else {
            DomainEvent::Removed(domain)
        })
    }

    /// Whether [`poll_event`](Self::poll_event) has something.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.list.news.is_empty()
    }

    /// All domains listed now, with the links that list them, sorted. They count as told.
    pub fn snapshot(&mut self) -> Vec<(NameBuf, Vec<Link>)> {
        self.list.snapshot()
    }

    /// How many records were left out because they make no sense here, or for want of room.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.list.refused
    }
}

/// What the PTR records of one name point at.
#[derive(Debug)]
struct List<K> {
    name: Option<NameBuf>,
    ask: Option<AskId>,
    asks: Asks,
    now: Duration,
    /// How long an entry may be listed nowhere.
    patience: Duration,
    entries: BTreeMap<K, Entry>,
    /// Entries whose state is not what was told.
    news: BTreeSet<K>,
    lost: BTreeSet<(Duration, K)>,
    links: BTreeMap<Link, LinkState>,
    refused: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// Where it is listed, with the link's epoch.
    links: BTreeMap<Link, u32>,
    lost_at: Option<Duration>,
    told: bool,
}

#[derive(Debug, Default)]
struct LinkState {
    epoch: u32,
    down_until: Option<Duration>,
}

impl<K: Ord + Clone + Debug> List<K> {
    fn new(name: Option<NameBuf>, patience: Duration) -> Self {
        let mut list = Self {
            name,
            ask: None,
            asks: Asks::default(),
            now: Duration::ZERO,
            patience,
            entries: BTreeMap::new(),
            news: BTreeSet::new(),
            lost: BTreeSet::new(),
            links: BTreeMap::new(),
            refused: 0,
        };
        list.ask_anew();
        list
    }

    fn handle_record(
        &mut self,
        now: Duration,
        link: Link,
        record: Record<'_>,
        presence: Presence,
        key: impl FnOnce(Name<'_>) -> Option<K>,
    ) {
        self.now = self.now.max(now);
        if record.kind() != RecordType::PTR
            || self
                .name
                .as_ref()
                .is_none_or(|name| record.name != name.as_name())
        {
            return;
        }
        let key = match record.data() {
            Ok(Data::Ptr(target)) => key(target),
            _ => None,
        };
        let Some(key) = key else {
            self.refused += 1;
            return;
        };
        let epoch = self.links.get(&link).map_or(0, |state| state.epoch);
        match presence {
            Presence::Present => {
                if !self.entries.contains_key(&key) && self.entries.len() >= MAX_ENTRIES {
                    self.refused += 1;
                    return;
                }
                let entry = self.entries.entry(key.clone()).or_default();
                entry.links.insert(link, epoch);
                if let Some(lost_at) = entry.lost_at.take() {
                    self.lost
                        .remove(&(lost_at.saturating_add(self.patience), key.clone()));
                }
                self.compare(&key);
            }
            Presence::Gone => {
                let Some(entry) = self.entries.get_mut(&key) else {
                    return;
                };
                if entry.links.get(&link) == Some(&epoch) {
                    entry.links.remove(&link);
                    self.lose(&key);
                }
            }
        }
    }

    fn handle_link_down(&mut self, now: Duration, link: Link) {
        self.now = self.now.max(now);
        let state = self.links.entry(link).or_default();
        state.epoch += 1;
        state.down_until = Some(self.now.saturating_add(LINK_PATIENCE));
    }

    fn handle_timeout(&mut self, now: Duration) {
        self.now = self.now.max(now);
        let mut purged = Vec::new();
        for (link, state) in &mut self.links {
            if state.down_until.is_some_and(|until| until <= self.now) {
                state.down_until = None;
                purged.push((*link, state.epoch));
            }
        }
        for (link, epoch) in purged {
            let seen_before =
                |entry: &Entry| entry.links.get(&link).is_some_and(|seen| *seen != epoch);
            let keys: Vec<_> = self
                .entries
                .iter()
                .filter(|(_, entry)| seen_before(entry))
                .map(|(key, _)| key.clone())
                .collect();
            for key in keys {
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.links.remove(&link);
                }
                self.lose(&key);
            }
        }
        while self.lost.first().is_some_and(|(at, _)| *at <= self.now) {
            if let Some((_, key)) = self.lost.pop_first() {
                self.compare(&key);
            }
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let links = self
            .links
            .values()
            .filter_map(|state| state.down_until)
            .min();
        self.lost
            .first()
            .map(|(at, _)| *at)
            .into_iter()
            .chain(links)
            .min()
    }

    fn poll(&mut self) -> Option<(K, bool)> {
        let key = self.news.pop_first()?;
        let entry = self.entries.get_mut(&key)?;
        entry.told = !entry.told;
        let told = entry.told;
        if !told {
            self.entries.remove(&key);
        }
        Some((key, told))
    }

    fn snapshot(&mut self) -> Vec<(K, Vec<Link>)> {
        while self.poll().is_some() {}
        self.entries
            .iter()
            .map(|(key, entry)| (key.clone(), entry.links.keys().copied().collect()))
            .collect()
    }

    fn links(&self, key: &K) -> Vec<Link> {
        self.entries
            .get(key)
            .into_iter()
            .flat_map(|entry| entry.links.keys().copied())
            .collect()
    }

    fn ask_anew(&mut self) {
        if let Some(ask) = self.ask.take() {
            self.asks.stop(ask);
        }
        if let Some(name) = &self.name {
            self.ask = Some(
                self.asks
                    .start(QuestionBuf::new(name.clone(), RecordType::PTR), None),
            );
        }
    }

    /// Listed on one link less. If it was the last, whoever still has it gets the chance to say so.
    fn lose(&mut self, key: &K) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        if !entry.links.is_empty() || entry.lost_at.is_some() {
            return;
        }
        entry.lost_at = Some(self.now);
        if self.patience.is_zero() {
            self.compare(key);
        } else {
            self.lost
                .insert((self.now.saturating_add(self.patience), key.clone()));
            self.ask_anew();
        }
    }

    /// Notes whether the truth about an entry differs from what was told.
    fn compare(&mut self, key: &K) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        let listed = entry
            .lost_at
            .is_none_or(|lost_at| self.now < lost_at.saturating_add(self.patience));
        if listed != entry.told {
            self.news.insert(key.clone());
            return;
        }
        self.news.remove(key);
        if !listed {
            self.entries.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
