//! The machine itself: each record to the instance or host it speaks of.

use alloc::collections::BTreeMap;
use core::time::Duration;

use cooee_wire::{Class, Data, Name, QuestionBuf, Record, RecordBuf, RecordType};

use super::ask::{Ask, Asks};
use super::found::{BrowseEvent, Found, Snapshot};
use super::hosts::{Context, Hosts, Seen};
use super::instances::{Attributes, InstanceId, Instances, Service};
use super::pointers::Roots;
use super::spec::{BrowseSpec, Refused, Target as Wanted};
use super::timers::{Timers, Why};
use super::{LINK_PATIENCE, Link, Presence};
use crate::txt::TxtAttributes;

/// Finds and resolves services. Sans-IO: whoever owns it brings records and time, and carries its questions.
///
/// After every call of a `handle_` method: take all [`poll_ask`](Self::poll_ask) has, read events when it suits, and call
/// [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout). Times are durations since any epoch,
/// the same one in all calls; a time before the last one counts as the last one.
///
/// A service is `Added` when PTR, SRV, TXT and an address are there on one link, and the host's other address family is
/// there too, denied, or 250 ms late.
///
/// ```
/// use core::time::Duration;
/// use cooee_sd::{Ask, BrowseEvent, BrowseSpec, Browser, Link, Presence, ServiceType};
/// use cooee_wire::{RdataBuf, RecordBuf};
///
/// let mut browser = Browser::new(BrowseSpec::types([ServiceType::tcp("http")?]));
/// let Some(Ask::Start { question, .. }) = browser.poll_ask() else { unreachable!() };
/// assert_eq!(question.to_string(), "_http._tcp.local PTR");
///
/// let (name, host) = ("Lobby._http._tcp.local".parse()?, "tabasco.local".parse()?);
/// let name: cooee_wire::NameBuf = name;
/// let host: cooee_wire::NameBuf = host;
/// let records = [
///     RecordBuf::new(question.name, 4500, RdataBuf::ptr(name.as_name())),
///     RecordBuf::new(name.clone(), 120, RdataBuf::srv(0, 0, 8080, host.as_name())),
///     RecordBuf::new(name, 4500, RdataBuf::txt([b"path=/"])?),
///     RecordBuf::new(host.clone(), 120, RdataBuf::a([192, 0, 2, 17].into())),
///     RecordBuf::new(host, 120, RdataBuf::aaaa("2001:db8::17".parse()?)),
/// ];
/// let now = Duration::from_secs(1);
/// for record in &records {
///     browser.handle_record(now, Link(2), record.as_record(), Presence::Present, false);
/// }
/// let Some(BrowseEvent::Added(found)) = browser.poll_event() else { unreachable!() };
/// assert_eq!(found.name().instance().to_string(), "Lobby");
/// assert_eq!((found.view().port, found.view().addresses.len()), (8080, 2));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Browser {
    pub(super) spec: BrowseSpec,
    pub(super) now: Duration,
    pub(super) asks: Asks,
    pub(super) timers: Timers,
    pub(super) refused: Refused,
    pub(super) roots: Roots,
    pub(super) instances: Instances,
    pub(super) hosts: Hosts,
    /// How often each link went down; what was seen before is doubtful.
    pub(super) epochs: BTreeMap<Link, u32>,
    /// PTR records that are doubted.
    pub(super) doubts: BTreeMap<(InstanceId, Link), RecordBuf>,
    /// Something was left out for want of room, so what is known of elsewhere has to be told again.
    pub(super) overflowed: bool,
    /// How many views were resolved so far.
    pub(super) order: u64,
    /// The part of the picture that events do not tell changed since the last snapshot.
    pub(super) unresolved_changed: bool,
    /// It changed since somebody was woken for it.
    pub(super) unresolved_stirred: bool,
}

impl Browser {
    /// A browser that knows nothing yet. Its first questions are ready.
    #[must_use]
    pub fn new(spec: BrowseSpec) -> Self {
        let mut browser = Self {
            spec,
            now: Duration::ZERO,
            asks: Asks::default(),
            timers: Timers::default(),
            refused: Refused::default(),
            roots: Roots::default(),
            instances: Instances::default(),
            hosts: Hosts::default(),
            epochs: BTreeMap::new(),
            doubts: BTreeMap::new(),
            overflowed: false,
            order: 0,
            unresolved_changed: false,
            unresolved_stirred: false,
        };
        match browser.spec.target.clone() {
            Wanted::Types(types, subtype) => {
                for service_type in &types {
                    browser.add_root(*service_type, subtype.as_ref());
                }
            }
            Wanted::AllTypes => browser.add_listing(),
            Wanted::Instance(name) => {
                // RFC 6763 §5 (6763-5-1)
                for kind in [RecordType::SRV, RecordType::TXT] {
                    browser
                        .asks
                        .start(QuestionBuf::new(name.as_name_buf().clone(), kind), None);
                }
            }
        }
        browser
    }

    /// A record came, is there already, or is gone. Records may come in any order; what does not belong here is ignored.
    ///
    /// `own` tells that it is published through the same node.
    pub fn handle_record(
        &mut self,
        now: Duration,
        link: Link,
        record: Record<'_>,
        presence: Presence,
        own: bool,
    ) {
        self.advance(now);
        if record.class != Class::IN {
            return;
        }
        let (Ok(name), Ok(data)) = (record.name.to_owned(), record.data()) else {
            self.refused.malformed += 1;
            return;
        };
        let seen = Seen {
            link,
            ttl: record.ttl,
            epoch: self.epoch(link),
            presence,
        };
        match data {
            Data::Ptr(target) => {
                self.handle_pointer(&name, link, target, record.ttl, presence, own)
            }
            Data::Srv(srv) => {
                let Ok(target) = srv.target.to_owned() else {
                    self.refused.malformed += 1;
                    return;
                };
                let service = Service {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target,
                    host: None,
                    ttl: record.ttl,
                    seen: self.now,
                    epoch: seen.epoch,
                    lost: false,
                };
                self.handle_service(&name, link, service, presence, own);
            }
            Data::Txt(_) => match TxtAttributes::from_rdata(record.rdata.octets()) {
                Ok(txt) => {
                    let attributes = Attributes {
                        txt,
                        ttl: record.ttl,
                        epoch: seen.epoch,
                    };
                    self.handle_attributes(&name, link, attributes, presence);
                }
                Err(_) => self.refused.malformed += 1,
            },
            Data::A(address) => self.handle_address(&name, address.into(), seen),
            Data::Aaaa(address) => self.handle_address(&name, address.into(), seen),
            Data::Cname(target) => {
                let Ok(target) = target.to_owned() else {
                    self.refused.malformed += 1;
                    return;
                };
                let (hosts, mut context) = self.hosts();
                hosts.handle_alias(&name, &target, seen, &mut context);
            }
            _ => {}
        }
    }

    /// A name is said to have no record of this type (NSEC). Only addresses are denied that way: without SRV or TXT an
    /// instance is only unresolved.
    pub fn handle_denial(&mut self, now: Duration, link: Link, name: Name<'_>, kind: RecordType) {
        self.advance(now);
        let ipv6 = match kind {
            RecordType::A => false,
            RecordType::AAAA => true,
            _ => return,
        };
        let Ok(name) = name.to_owned() else {
            self.refused.malformed += 1;
            return;
        };
        if self.resolves() {
            let (hosts, mut context) = self.hosts();
            hosts.handle_denial(&name, link, ipv6, &mut context);
        }
    }

    /// A link went down. What was seen on it stays for 5 s, then all is gone that did not come again.
    ///
    /// For a transport that forgets what it knew of a link when the link goes down, and tells anew what it learns later;
    /// what it says to be gone meanwhile is no news. A transport that keeps records for a while by itself and then says
    /// which are gone needs no such call.
    pub fn handle_link_down(&mut self, now: Duration, link: Link) {
        self.advance(now);
        *self.epochs.entry(link).or_default() += 1;
        let until = self.now.saturating_add(LINK_PATIENCE);
        self.timers.set(until, Why::LinkDown(link));
    }

    /// Does what is due. Too early, too late or twice does no harm.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.advance(now);
        while let Some(why) = self.timers.pop_due(self.now) {
            match why {
                Why::Family(host, _) => self.hosts.handle_patience(host),
                Why::NoTxt(id, _) => self.mark(id),
                Why::NoSrv(id, link) => self.doubt(id, link),
                Why::LostSrv(id, link) => self.drop_lost(id, link),
                Why::LinkDown(link) => self.purge(link),
                Why::LostType(service_type) => self.drop_type_if_lost(service_type),
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// The next change in what has to be asked; call until it has none.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        if let Some(ask) = self.asks.poll() {
            return Some(ask);
        }
        let ((_, link), record) = self.doubts.pop_first()?;
        Some(Ask::Reconfirm { record, link })
    }

    /// The next difference between what was told and what is true.
    pub fn poll_event(&mut self) -> Option<BrowseEvent> {
        let (id, current) = self.next_news()?;
        self.instances.unmark(id);
        let instance = self.instances.get(id)?;
        let name = instance.name.clone();
        let event = match (&instance.told, &current) {
            (None, Some(found)) => BrowseEvent::Added(found.clone()),
            (Some(_), Some(found)) => BrowseEvent::Updated(found.clone()),
            (_, None) => BrowseEvent::Removed(name),
        };
        self.tell(id, current);
        Some(event)
    }

    /// Whether [`poll_event`](Self::poll_event) has something.
    pub fn has_news(&mut self) -> bool {
        self.next_news().is_some()
    }

    /// Whether a [`snapshot`](Self::snapshot) could differ from the last one and the events since: there are news, or the
    /// unresolved ones changed.
    pub fn has_changes(&mut self) -> bool {
        self.unresolved_changed || self.has_news()
    }

    /// Whether a reader that waits for changes should be woken: like [`has_changes`](Self::has_changes), but what changed
    /// among the unresolved wakes once, even if nobody takes a snapshot.
    pub fn should_wake(&mut self) -> bool {
        core::mem::take(&mut self.unresolved_stirred) || self.has_news()
    }

    /// All that is true now, sorted by name. It counts as told: the next event is a difference from it.
    pub fn snapshot(&mut self) -> Snapshot {
        self.spread();
        let mut snapshot = Snapshot::default();
        for id in self.instances.all() {
            let current = self.current(id);
            self.instances.unmark(id);
            if let Some(found) = &current {
                snapshot.services.push(found.clone());
            } else if let Some(instance) = self.instances.get(id) {
                snapshot.unresolved.extend(instance.unresolved(
                    &self.hosts,
                    self.now,
                    self.spec.without_own,
                ));
            }
            self.tell(id, current);
        }
        self.unresolved_changed = false;
        snapshot.services.sort_by(|a, b| a.name().cmp(b.name()));
        snapshot.unresolved.sort_by(|a, b| a.name.cmp(&b.name));
        snapshot
    }

    /// What was left out since the start.
    #[must_use]
    pub const fn refused(&self) -> Refused {
        self.refused
    }

    pub(super) fn advance(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    pub(super) const fn resolves(&self) -> bool {
        !self.spec.names_only || matches!(self.spec.target, Wanted::Instance(_))
    }

    pub(super) const fn follows_one(&self) -> bool {
        matches!(self.spec.target, Wanted::Instance(_))
    }

    pub(super) fn epoch(&self, link: Link) -> u32 {
        self.epochs.get(&link).copied().unwrap_or(0)
    }

    /// The hosts, and what a change of them needs.
    pub(super) fn hosts(&mut self) -> (&mut Hosts, Context<'_>) {
        let context = Context {
            now: self.now,
            limits: &self.spec.limits,
            asks: &mut self.asks,
            timers: &mut self.timers,
            refused: &mut self.refused,
        };
        (&mut self.hosts, context)
    }

    pub(super) fn mark(&mut self, id: InstanceId) {
        self.instances.mark(id);
        if self
            .instances
            .get(id)
            .is_some_and(|instance| instance.told.is_none())
        {
            self.unresolved_changed = true;
            self.unresolved_stirred = true;
        }
    }

    /// The next instance whose truth differs from what was told, and that truth.
    fn next_news(&mut self) -> Option<(InstanceId, Option<Found>)> {
        loop {
            let Some(id) = self.instances.first_news() else {
                // What changed at a host is brought to its instances only when there is nothing else to tell.
                let instances = self.hosts.take_stale()?;
                instances.into_iter().for_each(|id| self.mark(id));
                continue;
            };
            let current = self.current(id);
            if self
                .instances
                .get(id)
                .is_some_and(|instance| instance.told != current)
            {
                return Some((id, current));
            }
            self.instances.unmark(id);
            self.forget_if_void(id);
        }
    }

    fn spread(&mut self) {
        while let Some(instances) = self.hosts.take_stale() {
            instances.into_iter().for_each(|id| self.mark(id));
        }
    }

    pub(super) fn current(&mut self, id: InstanceId) -> Option<Found> {
        if !self.resolves() {
            return None;
        }
        let instance = self.instances.get_mut(id)?;
        instance.found(
            &self.hosts,
            self.now,
            self.spec.without_own,
            &mut self.order,
        )
    }

    fn tell(&mut self, id: InstanceId, current: Option<Found>) {
        self.instances.set_told(id, current);
        self.forget_if_void(id);
    }
}
