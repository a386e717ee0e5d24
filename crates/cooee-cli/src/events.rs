//! The events of `--json`, as docs/json.md describes them.

use crate::clock::Moment;
use crate::doctor::Finding;
use crate::json::Object;
use crate::picture::{Address, DOMAIN, Identity, Interface, Picture, Scope, Ttl, View};
use crate::txt::{self, Attribute};

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A service was found and resolved.
    Added(Picture),
    /// A service is not what it was.
    Updated {
        /// As it is now.
        picture: Picture,
        /// The fields that differ.
        changed: Vec<&'static str>,
    },
    /// A service is gone.
    Removed(Identity),
    /// A service was found, but where it is was not.
    Unresolved {
        /// Which.
        identity: Identity,
        /// What is missing, as far as that is known.
        missing: Vec<&'static str>,
        /// Where it was seen.
        links: Vec<Interface>,
    },
    /// A service, with nothing asked but its name.
    Named {
        /// Which.
        identity: Identity,
        /// Where it was seen.
        links: Vec<Interface>,
    },
    /// A service is ours and announced.
    Registered {
        /// Under its present name.
        identity: Identity,
        /// On which host.
        host: Option<String>,
        /// At which port.
        port: u16,
        /// The name that was asked for.
        requested: Vec<u8>,
        /// Where it is announced.
        links: Vec<Interface>,
    },
    /// The name was taken.
    Renamed {
        /// The name until now.
        from: Vec<u8>,
        /// The name from now on.
        identity: Identity,
    },
    /// A service is ours no more; the goodbye has gone out.
    Withdrawn(Identity),
    /// The addresses of a host, or the host of an address.
    Host {
        /// As it was asked.
        query: String,
        /// Its name.
        host: String,
        /// Its addresses, or the one that was asked for.
        addresses: Vec<Address>,
        /// For how many seconds they may be kept, if that was told.
        ttl: Option<u32>,
    },
    /// A record is there.
    Record(Record),
    /// A record is there no more.
    Gone(Record),
    /// Services of a type are announced.
    Type {
        /// `_http._tcp`
        type_wire: String,
        /// In plain words.
        title: Option<&'static str>,
        /// Where.
        links: Vec<Interface>,
    },
    /// Services of a type are announced no more.
    TypeRemoved {
        /// `_http._tcp`
        type_wire: String,
        /// In plain words.
        title: Option<&'static str>,
    },
    /// A link is used, or is not.
    #[cfg_attr(
        not(feature = "ui"),
        allow(dead_code, reason = "only the page tells of links")
    )]
    Link {
        /// Which.
        interface: Interface,
        /// `up`, `down`, `unusable` or `left-out`.
        state: &'static str,
        /// Why it is not used.
        why: Option<String>,
    },
    /// What was looked for is not to be had.
    None {
        /// As it was asked.
        query: String,
        /// Which record is missing.
        rrtype: String,
        /// How that is known.
        proof: Proof,
    },
    /// The doctor saw something.
    Finding(Finding),
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Whose it is, with escapes.
    pub(crate) name: String,
    /// Its type.
    pub(crate) rrtype: String,
    /// Its lifetime in seconds, as received.
    pub(crate) ttl: u32,
    /// Its owner says that nobody else has such records.
    pub(crate) unique: bool,
    /// What it says, as in a master file.
    pub(crate) data: String,
    /// The same as octets, names uncompressed.
    pub(crate) raw: Vec<u8>,
    /// Where it was seen.
    pub(crate) interface: Option<Interface>,
    /// Who sent it.
    pub(crate) from: Option<String>,
}

/// How it is known that something is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Its owner says so.
    Nsec,
    /// Nobody answered in time.
    Timeout,
}

impl Event {
    /// The event as one line of JSON, without the line feed.
    pub(crate) fn json(&self, moment: &Moment) -> String {
        self.object(moment, None).finish()
    }

    /// The same, told by one of the nodes of the demo.
    pub(crate) fn json_of_node(&self, moment: &Moment, node: &str) -> String {
        self.object(moment, Some(node)).finish()
    }

    /// The event as an object, to which its teller may add.
    pub(crate) fn object(&self, moment: &Moment, node: Option<&str>) -> Object {
        let head = |event: &str| {
            let object = Object::new()
                .text("event", event)
                .text("time", &moment.rfc3339())
                .number("ms", moment.millis());
            match node {
                Some(node) => object.text("node", node),
                None => object,
            }
        };
        match self {
            Self::Added(picture) => whole(head("added"), picture),
            Self::Updated { picture, changed } => {
                whole(head("updated"), picture).texts("changed", changed)
            }
            Self::Removed(gone) => identity(head("removed"), gone).objects("links", []),
            Self::Unresolved {
                identity: which,
                missing,
                links,
            } => identity(head("unresolved"), which)
                .texts("missing", missing)
                .objects("links", links.iter().map(link)),
            Self::Named {
                identity: which,
                links,
            } => identity(head("added"), which).objects("links", links.iter().map(link)),
            Self::Registered {
                identity: which,
                host,
                port,
                requested,
                links,
            } => identity(head("registered"), which)
                .text_or_null("host", host.as_deref())
                .number("port", *port)
                .octets("requested", requested)
                .objects("links", links.iter().map(link)),
            Self::Renamed {
                from,
                identity: which,
            } => identity(
                head("renamed").text("kind", "service").octets("from", from),
                which,
            ),
            Self::Withdrawn(which) => identity(head("withdrawn"), which),
            Self::Host {
                query,
                host,
                addresses,
                ttl,
            } => {
                let object = head("host")
                    .text("query", query)
                    .text("host", host)
                    .objects("addresses", addresses.iter().map(address));
                match ttl {
                    Some(ttl) => object.number("ttl", *ttl),
                    None => object,
                }
            }
            Self::Record(one) => record(head("record"), one),
            Self::Gone(one) => record(head("gone"), one),
            Self::Type {
                type_wire,
                title,
                links,
            } => head("type")
                .text("type", type_wire)
                .text_or_null("title", *title)
                .objects("links", links.iter().map(link)),
            Self::TypeRemoved { type_wire, title } => head("type-removed")
                .text("type", type_wire)
                .text_or_null("title", *title)
                .objects("links", []),
            Self::Link {
                interface,
                state,
                why,
            } => head("link")
                .text("interface", &interface.name)
                .number("index", interface.index)
                .text("state", state)
                .text_or_null("why", why.as_deref()),
            Self::None {
                query,
                rrtype,
                proof,
            } => head("none")
                .text("query", query)
                .text("rrtype", rrtype)
                .text(
                    "proof",
                    match proof {
                        Proof::Nsec => "nsec",
                        Proof::Timeout => "timeout",
                    },
                ),
            Self::Finding(finding) => finding.fields(head("finding")),
        }
    }
}

fn record(object: Object, record: &Record) -> Object {
    let object = object
        .text("name", &record.name)
        .text("rrtype", &record.rrtype)
        .text("class", "IN")
        .number("ttl", record.ttl)
        .flag("unique", record.unique)
        .text("data", &record.data)
        .text("raw", &crate::base64::encode(&record.raw));
    let object = match &record.interface {
        Some(interface) => object.text("interface", &interface.name),
        None => object,
    };
    match &record.from {
        Some(from) => object.text("from", from),
        None => object,
    }
}

fn identity(object: Object, identity: &Identity) -> Object {
    object
        .octets("name", &identity.instance)
        .text("type", &identity.type_wire)
        .text("domain", DOMAIN)
        .text("service", &identity.service)
}

fn whole(object: Object, picture: &Picture) -> Object {
    let object = identity(object, &picture.identity)
        .text("host", &picture.host)
        .number("port", picture.port)
        .number("priority", picture.priority)
        .number("weight", picture.weight)
        .objects("addresses", picture.addresses.iter().map(address))
        .objects("txt", txt::attributes(&picture.txt).iter().map(attribute))
        .object("ttl", ttl(picture.ttl))
        .objects("links", picture.links.iter().map(link))
        .flag("local", picture.local)
        .texts("subtypes", &picture.subtypes);
    match picture.views.as_slice() {
        [] => object,
        views => object.objects("views", views.iter().map(view)),
    }
}

fn view(view: &View) -> Object {
    Object::new()
        .text("host", &view.host)
        .number("port", view.port)
        .number("priority", view.priority)
        .number("weight", view.weight)
        .objects("addresses", view.addresses.iter().map(address))
        .objects("txt", txt::attributes(&view.txt).iter().map(attribute))
        .object("ttl", ttl(view.ttl))
        .objects("links", view.links.iter().map(link))
}

/// A record that was not seen has no lifetime: null.
fn ttl(ttl: Ttl) -> Object {
    Object::new()
        .number_or_null("ptr", ttl.ptr)
        .number_or_null("srv", ttl.srv)
        .number_or_null("txt", ttl.txt)
        .number_or_null("address", ttl.address)
}

fn address(address: &Address) -> Object {
    let object = Object::new()
        .text("ip", &address.ip.to_string())
        .text("family", if address.ip.is_ipv4() { "ipv4" } else { "ipv6" })
        .text("scope", Scope::of(address.ip).word());
    match &address.interface {
        Some(interface) => object
            .text("interface", &interface.name)
            .number("index", interface.index),
        None => object,
    }
    .text("text", &address.text())
}

fn attribute(attribute: &Attribute<'_>) -> Object {
    let value = attribute.value.map(str::from_utf8);
    let object = match attribute.key {
        Some(key) => Object::new().text("key", key),
        None => Object::new(),
    };
    let object = match (attribute.key, value) {
        (Some(_), None) => object,
        (Some(_), Some(Ok(value))) => object.text("value", value),
        (None, _) | (Some(_), Some(Err(_))) => {
            object.text("raw", &crate::base64::encode(attribute.string))
        }
    };
    if attribute.ignored {
        object.flag("ignored", true)
    } else {
        object
    }
}

fn link(interface: &Interface) -> Object {
    Object::new()
        .text("interface", &interface.name)
        .number("index", interface.index)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::doctor::Level;
    use crate::picture::examples;

    fn moment() -> Moment {
        Moment {
            wall: UNIX_EPOCH + Duration::from_millis(1_795_375_941_616),
            since_start: Duration::from_millis(231),
        }
    }

    fn all() -> Vec<Event> {
        let web = examples::web_server();
        let identity = web.identity.clone();
        let record = Record {
            name: "tabasco.local".into(),
            rrtype: "A".into(),
            ttl: 120,
            unique: true,
            data: "192.0.2.17".into(),
            raw: vec![192, 0, 2, 17],
            interface: web.links.first().cloned(),
            from: Some("192.0.2.17".into()),
        };
        let renamed = examples::identity("Keith’s web server (2)".as_bytes(), "_http._tcp");
        vec![
            Event::Added(web.clone()),
            Event::Added(examples::hostile()),
            Event::Added(examples::two_views()),
            Event::Named {
                identity: identity.clone(),
                links: web.links.clone(),
            },
            Event::Updated {
                picture: Picture {
                    port: 81,
                    txt: Vec::new(),
                    ..web.clone()
                },
                changed: vec!["port", "txt"],
            },
            Event::Removed(identity.clone()),
            Event::Unresolved {
                identity: identity.clone(),
                missing: vec!["address"],
                links: web.links.clone(),
            },
            Event::Registered {
                identity: renamed.clone(),
                host: Some("tabasco.local".into()),
                port: 8080,
                requested: identity.instance.clone(),
                links: web.links.clone(),
            },
            Event::Renamed {
                from: identity.instance.clone(),
                identity: renamed.clone(),
            },
            Event::Withdrawn(renamed),
            Event::Host {
                query: "tabasco".into(),
                host: "tabasco.local".into(),
                addresses: web.addresses.clone(),
                ttl: Some(120),
            },
            Event::Record(record.clone()),
            Event::Gone(record),
            Event::Type {
                type_wire: "_ipp._tcp".into(),
                title: Some("Internet Printing"),
                links: web.links.clone(),
            },
            Event::TypeRemoved {
                type_wire: "_foo._udp".into(),
                title: None,
            },
            Event::Link {
                interface: examples::interface("wlan0", 3),
                state: "unusable",
                why: Some("it is down".into()),
            },
            Event::None {
                query: identity.service,
                rrtype: "SRV".into(),
                proof: Proof::Timeout,
            },
            Event::Finding(
                Finding::new("link-used", Level::Ok, "eth0 is used")
                    .on("eth0")
                    .advise("nothing to do")
                    .fact("mtu", 1_500),
            ),
        ]
    }

    #[test]
    fn every_event_has_its_fields_in_their_order() {
        let lines: Vec<String> = all().iter().map(|event| event.json(&moment())).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn every_event_is_as_the_document_says() {
        let schema = crate::schema::Schema::read();
        let mut told: Vec<String> = Vec::new();
        for event in all() {
            let line = event.json_of_node(&moment(), "a");
            assert!(!line.contains('\n'));
            told.push(schema.check(&line));
        }
        for line in crate::monitor::output_tests::events() {
            told.push(schema.check(&line));
        }
        told.sort();
        told.dedup();
        assert_eq!(told, schema.events());
    }
}
