//! What is known of a service, as plain data: made from the library's types in one place, shown in several.

use std::net::IpAddr;

use crate::txt;

/// Which service it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The instance label, any octets.
    pub(crate) instance: Vec<u8>,
    /// `_http._tcp`.
    pub(crate) type_wire: String,
    /// The whole name with its escapes: `Test Svc\.One._http._tcp.local`.
    pub(crate) service: String,
}

/// The one domain there is so far.
pub(crate) const DOMAIN: &str = "local";

/// A link something was seen on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interface {
    /// Its name, such as `eth0`.
    pub(crate) name: String,
    /// Its index.
    pub(crate) index: u32,
}

/// An address with the link it holds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The address itself.
    pub(crate) ip: IpAddr,
    /// Where it was learned, if that is known.
    pub(crate) interface: Option<Interface>,
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Anywhere.
    Global,
    /// Within one site: RFC 1918, RFC 6598, RFC 4193.
    Private,
    /// On one link: RFC 3927, RFC 4291.
    Link,
    /// This host only.
    Loopback,
}

impl Scope {
    /// The scope of an address.
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip {
            _ if ip.is_loopback() => Self::Loopback,
            IpAddr::V4(ip) if ip.is_link_local() => Self::Link,
            IpAddr::V4(ip) if ip.is_private() || matches!(ip.octets(), [100, 64..=127, ..]) => {
                Self::Private
            }
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Self::Link,
            IpAddr::V6(ip) if ip.is_unique_local() => Self::Private,
            _ => Self::Global,
        }
    }

    /// The word for it in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Private => "private",
            Self::Link => "link",
            Self::Loopback => "loopback",
        }
    }
}

impl Address {
    /// The address as text; an IPv6 address of one link only with its zone.
    pub(crate) fn text(&self) -> String {
        match (&self.interface, self.ip) {
            (Some(interface), IpAddr::V6(ip)) if ip.is_unicast_link_local() => {
                format!("{ip}%{}", interface.name)
            }
            _ => self.ip.to_string(),
        }
    }

    /// Which address a person would want first: IPv4, then IPv6, then those of one link, then those of this host.
    pub(crate) fn rank(&self) -> u8 {
        match (self.ip, Scope::of(self.ip)) {
            (_, Scope::Loopback) => 4,
            (IpAddr::V4(_), Scope::Link) => 2,
            (IpAddr::V4(_), _) => 0,
            (IpAddr::V6(_), Scope::Link) => 3,
            (IpAddr::V6(_), _) => 1,
        }
    }
}

/// A service and where it is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Which service.
    pub(crate) identity: Identity,
    /// Its host as text with escapes, without final dot.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// From SRV: lower is preferred.
    pub(crate) priority: u16,
    /// From SRV: the share among equals.
    pub(crate) weight: u16,
    /// Best first.
    pub(crate) addresses: Vec<Address>,
    /// The strings of the TXT record in their order.
    pub(crate) txt: Vec<Vec<u8>>,
    /// How long its records hold, as received.
    pub(crate) ttl: Ttl,
    /// Where it was seen.
    pub(crate) links: Vec<Interface>,
    /// A responder of this very host says it.
    pub(crate) local: bool,
    /// The subtypes that are known of it: those it was searched by.
    pub(crate) subtypes: Vec<String>,
    /// What is said on each link, if that differs between links.
    pub(crate) views: Vec<View>,
}

/// What is said of a service on some of the links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// As in [`Picture`].
    pub(crate) host: String,
    /// As in [`Picture`].
    pub(crate) port: u16,
    /// As in [`Picture`].
    pub(crate) priority: u16,
    /// As in [`Picture`].
    pub(crate) weight: u16,
    /// As in [`Picture`].
    pub(crate) addresses: Vec<Address>,
    /// As in [`Picture`].
    pub(crate) txt: Vec<Vec<u8>>,
    /// As in [`Picture`].
    pub(crate) ttl: Ttl,
    /// The links that say so.
    pub(crate) links: Vec<Interface>,
}

/// Lifetimes of records in seconds, as received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ttl {
    /// Of the record that named the instance.
    pub(crate) ptr: Option<u32>,
    /// Of the record with host and port.
    pub(crate) srv: Option<u32>,
    /// Of the record with the attributes.
    pub(crate) txt: Option<u32>,
    /// The shortest of the addresses'.
    pub(crate) address: Option<u32>,
}

impl Picture {
    /// The address to show if there is room for one.
    pub(crate) fn best_address(&self) -> Option<&Address> {
        self.addresses.iter().min_by_key(|address| address.rank())
    }

    /// What differs from an earlier picture of the same service, by the names of the JSON fields. Lifetimes do not
    /// count (ruling 30).
    pub(crate) fn changed_since(&self, earlier: &Self) -> Vec<&'static str> {
        [
            ("host", self.host != earlier.host),
            ("port", self.port != earlier.port),
            ("priority", self.priority != earlier.priority),
            ("weight", self.weight != earlier.weight),
            ("addresses", self.addresses != earlier.addresses),
            ("txt", self.txt != earlier.txt),
            ("links", self.links != earlier.links),
            ("local", self.local != earlier.local),
        ]
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
    }

    /// The attributes of its TXT record.
    pub(crate) fn attributes(&self) -> Vec<txt::Attribute<'_>> {
        txt::attributes(&self.txt)
    }
}

#[cfg(test)]
pub(crate) mod examples {
    //! Services for the tests of what is shown.

    use super::*;

    /// An interface.
    pub(crate) fn interface(name: &str, index: u32) -> Interface {
        Interface {
            name: name.into(),
            index,
        }
    }

    /// Who it is.
    pub(crate) fn identity(instance: &[u8], type_wire: &str) -> Identity {
        let shown = crate::escape::octets(instance).replace('.', "\\.");
        Identity {
            instance: instance.to_vec(),
            type_wire: type_wire.into(),
            service: format!("{shown}.{type_wire}.local"),
        }
    }

    /// The web server of all examples.
    pub(crate) fn web_server() -> Picture {
        let eth0 = interface("eth0", 2);
        Picture {
            identity: identity("Keith’s web server".as_bytes(), "_http._tcp"),
            host: "tabasco.local".into(),
            port: 8080,
            priority: 0,
            weight: 0,
            addresses: vec![
                Address {
                    ip: "192.0.2.17".parse().unwrap(),
                    interface: Some(eth0.clone()),
                },
                Address {
                    ip: "2001:db8::17".parse().unwrap(),
                    interface: Some(eth0.clone()),
                },
                Address {
                    ip: "fe80::5054:ff:fe12:3456".parse().unwrap(),
                    interface: Some(eth0.clone()),
                },
            ],
            txt: [
                &b"path=/"[..],
                b"u=keith",
                b"flag",
                b"empty=",
                b"icon=\xff\x00",
            ]
            .map(<[u8]>::to_vec)
            .to_vec(),
            ttl: Ttl {
                ptr: Some(4500),
                srv: Some(120),
                txt: Some(4500),
                address: Some(120),
            },
            links: vec![eth0],
            local: false,
            subtypes: Vec::new(),
            views: Vec::new(),
        }
    }

    /// A service that is not the same on two links.
    pub(crate) fn two_views() -> Picture {
        let web = web_server();
        let wlan0 = interface("wlan0", 3);
        let here = View {
            host: web.host.clone(),
            port: web.port,
            priority: web.priority,
            weight: web.weight,
            addresses: web.addresses.clone(),
            txt: web.txt.clone(),
            ttl: web.ttl,
            links: web.links.clone(),
        };
        let there = View {
            port: 81,
            ttl: Ttl::default(),
            links: vec![wlan0.clone()],
            ..here.clone()
        };
        Picture {
            links: vec![interface("eth0", 2), wlan0],
            views: vec![here, there],
            ..web
        }
    }

    /// A service with everything a stranger may put into names.
    pub(crate) fn hostile() -> Picture {
        Picture {
            identity: identity(b"\x1b[31mred\n\xff \\ \xe2\x80\xae.", "_ipp._tcp"),
            host: "a-host-name-that-is-longer-than-any-column-for-it-may-be.local".into(),
            port: 63100,
            txt: [
                &b"=no key"[..],
                b"a\tb=\"quoted\"",
                b"A=1",
                b"a=2",
                b"note=\x1b]0;x\x07",
            ]
            .map(<[u8]>::to_vec)
            .to_vec(),
            addresses: vec![Address {
                ip: "fe80::1".parse().unwrap(),
                interface: Some(interface("wl\u{1b}0", 3)),
            }],
            links: vec![interface("wl\u{1b}0", 3)],
            ..web_server()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_told_apart() {
        for (ip, word) in [
            ("192.0.2.17", "global"),
            ("10.1.2.3", "private"),
            ("100.64.0.1", "private"),
            ("169.254.1.1", "link"),
            ("127.0.0.1", "loopback"),
            ("2001:db8::1", "global"),
            ("fd00::1", "private"),
            ("fe80::1", "link"),
            ("::1", "loopback"),
        ] {
            assert_eq!(Scope::of(ip.parse().unwrap()).word(), word, "{ip}");
        }
    }

    #[test]
    fn the_best_address_is_ipv4_then_wide_then_of_the_link() {
        let mut picture = examples::web_server();
        picture.addresses.reverse();
        assert_eq!(
            picture.best_address().map(Address::text).as_deref(),
            Some("192.0.2.17")
        );
        picture.addresses.retain(|address| address.ip.is_ipv6());
        assert_eq!(
            picture.best_address().map(Address::text).as_deref(),
            Some("2001:db8::17")
        );
        picture.addresses.truncate(1);
        assert_eq!(
            picture.best_address().map(Address::text).as_deref(),
            Some("fe80::5054:ff:fe12:3456%eth0")
        );
    }

    #[test]
    fn a_change_is_named_by_its_fields() {
        let before = examples::web_server();
        let after = Picture {
            port: 81,
            txt: Vec::new(),
            ..before.clone()
        };
        assert_eq!(after.changed_since(&before), ["port", "txt"]);
        assert!(before.changed_since(&before).is_empty());
    }
}
