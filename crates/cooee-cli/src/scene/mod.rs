//! All that is there now: services, their types and hosts, the links. `ui` and `tui` both show it.
//!
//! It is told what was seen and when, and touches neither network nor clock.

pub(crate) mod feed;
pub(crate) mod overheard;
#[cfg(feature = "tui")]
mod reading;
#[cfg(feature = "ui")]
mod told;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
#[cfg(feature = "ui")]
use crate::picture::Address;
use crate::picture::{Identity, Interface, Picture};
use crate::types;

#[cfg(feature = "tui")]
pub(crate) use reading::words;
#[cfg(feature = "ui")]
pub(crate) use told::{Change, Told};

/// Services shown at most. Anybody on the link can invent more; they are counted instead.
pub(crate) const MOST_SERVICES: usize = 16_384;
/// Types shown at most.
const MOST_TYPES: usize = 1_024;
/// For so long a service that is gone stays in sight.
pub(crate) const FADING: Duration = Duration::from_secs(10);
/// Lifetimes that end so much later than thought were prolonged; less is the clock's grain.
const PROLONGED: Duration = Duration::from_secs(2);

/// All that is there now.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// By whole name in lower case, and so by instance name.
    services: BTreeMap<String, Entry>,
    /// By wire name in lower case.
    types: BTreeMap<String, Kind>,
    links: BTreeMap<u32, LinkState>,
    /// Found, but too many to be kept.
    beyond: usize,
}

/// A service, what is known of it, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What is known of it.
    pub(crate) state: State,
    /// When it was seen first.
    pub(crate) first_seen: Moment,
    /// When it was last different from before.
    pub(crate) changed: Moment,
    /// When the first of its records runs out, by the time since the command started; it is asked for anew before.
    pub(crate) expires: Duration,
    /// Since when it is gone.
    pub(crate) gone: Option<Duration>,
}

/// How much is known of a service.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// All.
    Whole(Arc<Picture>),
    /// That there is one of this name.
    Named(Arc<Named>),
}

/// A service that was found, but not where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Which.
    pub(crate) identity: Identity,
    /// What is missing, by the words of the JSON field.
    pub(crate) missing: Vec<&'static str>,
    /// Where it was seen.
    pub(crate) links: Vec<Interface>,
}

/// A type of services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// `_http._tcp`
    pub(crate) wire: String,
    /// Where it is announced, if it is.
    pub(crate) links: Vec<Interface>,
}

/// A link, and whether it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkState {
    /// Which.
    pub(crate) interface: Interface,
    /// `up`, `down`, `unusable` or `left-out`.
    pub(crate) state: &'static str,
    /// Why it is not used.
    pub(crate) why: Option<String>,
}

/// A host that has services.
#[cfg(feature = "ui")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Host {
    /// Its name, without final dot.
    pub(crate) name: String,
    /// Where it can be reached, best first.
    pub(crate) addresses: Vec<Address>,
}

impl Kind {
    /// What it is in plain words, if it is well known.
    pub(crate) fn title(&self) -> Option<&'static str> {
        types::title(&self.wire)
    }
}

impl Entry {
    /// Which service it is.
    pub(crate) fn identity(&self) -> &Identity {
        match &self.state {
            State::Whole(picture) => &picture.identity,
            State::Named(named) => &named.identity,
        }
    }

    /// All that is known of it, if that is enough to use it.
    pub(crate) fn picture(&self) -> Option<&Picture> {
        match &self.state {
            State::Whole(picture) => Some(picture),
            State::Named(_) => None,
        }
    }

    /// How much of it has faded: 0 while it is there, 1 when it is out of sight.
    pub(crate) fn faded(&self, now: Duration) -> f64 {
        self.gone.map_or(0.0, |gone| {
            (now.saturating_sub(gone).as_secs_f64() / FADING.as_secs_f64()).min(1.0)
        })
    }
}

impl Scene {
    /// A service is as the picture has it; `good_for` is how long its records last if nothing more is heard. Gives whether that is news.
    pub(crate) fn see(&mut self, picture: Picture, good_for: Duration, now: Moment) -> bool {
        let key = picture.identity.service.to_ascii_lowercase();
        let expires = now.since_start + good_for;
        match self.services.get_mut(&key) {
            Some(entry) => {
                let was_gone = entry.gone.take().is_some();
                let prolonged = expires > entry.expires + PROLONGED;
                entry.expires = expires;
                let differs = match &entry.state {
                    State::Whole(before) => {
                        !picture.changed_since(before).is_empty() || picture.views != before.views
                    }
                    State::Named(_) => true,
                };
                if differs || was_gone {
                    entry.state = State::Whole(Arc::new(picture));
                    entry.changed = now;
                }
                differs || was_gone || prolonged
            }
            None => self.insert(key, State::Whole(Arc::new(picture)), expires, now),
        }
    }

    /// There is a service of this name, but where it is was not found. Gives whether that is news.
    pub(crate) fn miss(&mut self, named: Named, now: Moment) -> bool {
        let key = named.identity.service.to_ascii_lowercase();
        match self.services.get_mut(&key) {
            Some(entry) => {
                let same = entry.gone.is_none()
                    && matches!(&entry.state, State::Named(before) if **before == named);
                if !same {
                    entry.gone = None;
                    entry.state = State::Named(Arc::new(named));
                    entry.changed = now;
                }
                !same
            }
            None => self.insert(key, State::Named(Arc::new(named)), now.since_start, now),
        }
    }

    fn insert(&mut self, key: String, state: State, expires: Duration, now: Moment) -> bool {
        if self.services.len() >= MOST_SERVICES {
            return false;
        }
        let entry = Entry {
            state,
            first_seen: now,
            changed: now,
            expires,
            gone: None,
        };
        self.services.insert(key, entry);
        true
    }

    /// A service is gone: it fades. Gives whether that is news.
    pub(crate) fn lose(&mut self, service: &str, now: Moment) -> bool {
        match self.services.get_mut(&service.to_ascii_lowercase()) {
            Some(entry) if entry.gone.is_none() => {
                entry.gone = Some(now.since_start);
                entry.changed = now;
                true
            }
            Some(_) | None => false,
        }
    }

    /// These services, by whole name in lower case, are all there are. The others fade. Gives whether that is news.
    pub(crate) fn keep(&mut self, there: &HashSet<String>, now: Moment) -> bool {
        let mut news = false;
        let mut present = 0;
        for (key, entry) in &mut self.services {
            if there.contains(key) {
                present += 1;
            } else if entry.gone.is_none() {
                entry.gone = Some(now.since_start);
                entry.changed = now;
                news = true;
            }
        }
        self.beyond = there.len().saturating_sub(present);
        news
    }

    /// Puts what has faded out of sight. Gives whether anything faded.
    pub(crate) fn fade(&mut self, now: Duration) -> bool {
        let fades = self.services.values().any(|entry| entry.gone.is_some());
        self.services.retain(|_, entry| entry.faded(now) < 1.0);
        fades
    }

    /// A type is announced, or is no more.
    pub(crate) fn announce(&mut self, wire: &str, links: Option<Vec<Interface>>) {
        let key = wire.to_ascii_lowercase();
        match links {
            None => {
                self.types.remove(&key);
            }
            Some(links) if self.types.len() < MOST_TYPES || self.types.contains_key(&key) => {
                let wire = wire.to_owned();
                self.types.insert(key, Kind { wire, links });
            }
            Some(_) => {}
        }
    }

    /// These are all links.
    pub(crate) fn connect(&mut self, links: impl IntoIterator<Item = LinkState>) {
        self.links = links
            .into_iter()
            .map(|link| (link.interface.index, link))
            .collect();
    }

    /// All services, those that fade among them, by name.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.services
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// One service, by whole name in lower case.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.services.get(key)
    }

    /// Found, but too many to be shown.
    pub(crate) fn beyond(&self) -> usize {
        self.beyond
    }

    /// The hosts of all services, by name in lower case.
    #[cfg(feature = "ui")]
    pub(crate) fn hosts(&self) -> BTreeMap<String, Host> {
        let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
        let present = self.services.values().filter(|entry| entry.gone.is_none());
        for picture in present.filter_map(Entry::picture) {
            let host = hosts.entry(picture.host.to_ascii_lowercase()).or_default();
            if host.name.is_empty() {
                host.name.clone_from(&picture.host);
            }
            for address in &picture.addresses {
                if !host.addresses.contains(address) {
                    host.addresses.push(address.clone());
                }
            }
        }
        for host in hosts.values_mut() {
            host.addresses.sort_by_key(Address::rank);
        }
        hosts
    }

    /// All links, by index.
    pub(crate) fn links(&self) -> impl Iterator<Item = &LinkState> {
        self.links.values()
    }
}

#[cfg(test)]
mod tests;
