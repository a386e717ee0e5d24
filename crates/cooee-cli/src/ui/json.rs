//! What the page is told: the objects of `--json`, and beside them what only a picture that stays can show.

use std::time::Duration;

use crate::clock::Moment;
use crate::events::Event;
use crate::json::Object;
use crate::scene::{Change, Entry, Host, Kind, LinkState, Scene, Told};
use crate::{types, url};

/// The name of the event and its object.
pub(crate) fn change(change: &Change, now: &Moment) -> (&'static str, Object) {
    match change {
        Change::Added(entry, picture) => {
            let event = Event::Added(picture.as_ref().clone());
            ("added", seen(event.object(now, None), entry, now))
        }
        Change::Updated(entry, picture, changed) => {
            let event = Event::Updated {
                picture: picture.as_ref().clone(),
                changed: changed.clone(),
            };
            ("updated", seen(event.object(now, None), entry, now))
        }
        Change::Refreshed(entry) => {
            let object = Object::new()
                .text("event", "refreshed")
                .text("service", &entry.identity().service)
                .number("expires_in", left(entry, now.since_start));
            ("refreshed", object)
        }
        Change::Unresolved(entry, named) => {
            let event = Event::Unresolved {
                identity: named.identity.clone(),
                missing: named.missing.clone(),
                links: named.links.clone(),
            };
            ("unresolved", seen(event.object(now, None), entry, now))
        }
        Change::Removed(identity) => (
            "removed",
            Event::Removed(identity.clone()).object(now, None),
        ),
        Change::Type(kind) => ("type", announced(kind).object(now, None)),
        Change::TypeRemoved(kind) => {
            let event = Event::TypeRemoved {
                type_wire: kind.wire.clone(),
                title: kind.title(),
            };
            ("type-removed", event.object(now, None))
        }
        Change::Host(host) => ("host", addressed(host).object(now, None)),
        Change::Link(state) => ("link", link(state).object(now, None)),
        Change::LinkGone(state) => {
            let gone = LinkState {
                state: "down",
                why: Some("it is not there any more".into()),
                ..state.clone()
            };
            ("link", link(&gone).object(now, None))
        }
    }
}

/// All that is true now. It counts as told.
pub(crate) fn snapshot(told: &mut Told, scene: &Scene, now: &Moment) -> Object {
    let (mut services, mut types, mut hosts, mut links) = (vec![], vec![], vec![], vec![]);
    for one in told.catch_up(scene) {
        let list = match one {
            Change::Added(..) | Change::Updated(..) | Change::Unresolved(..) => &mut services,
            Change::Type(_) => &mut types,
            Change::Host(_) => &mut hosts,
            Change::Link(_) => &mut links,
            // Who was told nothing can lose nothing.
            Change::Refreshed(_)
            | Change::Removed(_)
            | Change::TypeRemoved(_)
            | Change::LinkGone(_) => continue,
        };
        list.push(change(&one, now).1);
    }
    Object::new()
        .text("event", "snapshot")
        .text("time", &now.rfc3339())
        .number("ms", now.millis())
        .objects("services", services)
        .objects("types", types)
        .objects("hosts", hosts)
        .objects("links", links)
        .number("beyond", u64::try_from(scene.beyond()).unwrap_or(u64::MAX))
}

/// So many packets came faster than the page could read them.
pub(crate) fn missed(packets: u64) -> Object {
    Object::new()
        .text("event", "missed")
        .number("packets", packets)
}

/// Why there are no packets.
pub(crate) fn trouble(why: &str) -> Object {
    Object::new().text("event", "trouble").text("text", why)
}

/// The last that is told.
pub(crate) fn end(now: &Moment) -> Object {
    Object::new()
        .text("event", "end")
        .text("time", &now.rfc3339())
        .number("ms", now.millis())
}

/// What a picture that stays can show beside it: since when, for how long, and what to call and how to open it.
fn seen(object: Object, entry: &Entry, now: &Moment) -> Object {
    let url = entry.picture().map(url::url).unwrap_or_default();
    let object = match url.as_str() {
        "" => object,
        url => object.text("url", url),
    };
    object
        .text_or_null("title", types::title(&entry.identity().type_wire))
        .text("first_seen", &entry.first_seen.rfc3339())
        .text("last_change", &entry.changed.rfc3339())
        .number("expires_in", left(entry, now.since_start))
}

/// Whole seconds until the first record runs out.
fn left(entry: &Entry, now: Duration) -> u64 {
    entry.expires.saturating_sub(now).as_secs()
}

fn announced(kind: &Kind) -> Event {
    Event::Type {
        type_wire: kind.wire.clone(),
        title: kind.title(),
        links: kind.links.clone(),
    }
}

fn addressed(host: &Host) -> Event {
    Event::Host {
        query: host.name.clone(),
        host: host.name.clone(),
        addresses: host.addresses.clone(),
        ttl: None,
    }
}

fn link(state: &LinkState) -> Event {
    Event::Link {
        interface: state.interface.clone(),
        state: state.state,
        why: state.why.clone(),
    }
}
