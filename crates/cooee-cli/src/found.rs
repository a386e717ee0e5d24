//! From the library's types to plain pictures: the only place that knows both.

use std::collections::HashSet;
use std::net::IpAddr;

use cooee::{FoundService, Link, Missing, ScopedAddr, ServiceName, ServiceType, Unresolved};

use crate::picture::{Address, Identity, Interface, Picture, Ttl, View};

/// How pictures are taken: which addresses count, and which are this host's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Camera {
    /// Only IPv4 addresses, or only IPv6 ones.
    pub(crate) only: Option<Only>,
    /// The subtypes that were searched by.
    pub(crate) subtypes: Vec<String>,
}

/// One family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    /// `-4`
    V4,
    /// `-6`
    V6,
}

impl Only {
    /// Whether an address is of this family.
    pub(crate) fn keeps(self, ip: IpAddr) -> bool {
        match self {
            Self::V4 => ip.is_ipv4(),
            Self::V6 => ip.is_ipv6(),
        }
    }
}

/// The addresses of this host.
pub(crate) fn own_addresses(links: &[Link]) -> HashSet<IpAddr> {
    links
        .iter()
        .flat_map(|link| link.addresses().iter().map(|address| address.address))
        .collect()
}

/// Which service a name means.
pub(crate) fn identity(name: &ServiceName) -> Identity {
    Identity {
        instance: name.instance().as_bytes().to_vec(),
        type_wire: type_wire(&name.service_type()),
        service: name.to_string(),
    }
}

/// A type as it is written: `_http._tcp`.
pub(crate) fn type_wire(kind: &ServiceType) -> String {
    kind.to_string()
}

impl Camera {
    /// Takes a picture.
    pub(crate) fn picture(&self, found: &FoundService, own: &HashSet<IpAddr>) -> Picture {
        let views = found.views();
        Picture {
            identity: identity(found.name()),
            host: found.host().to_string(),
            port: found.port(),
            priority: found.priority(),
            weight: found.weight(),
            addresses: self.addresses(found.addresses()),
            txt: found.txt().strings().map(<[u8]>::to_vec).collect(),
            ttl: ttl(found.ttl()),
            links: links(found.links()),
            // Another program here has our addresses but is not own.
            local: found.is_own()
                || found
                    .addresses()
                    .iter()
                    .any(|address| own.contains(&address.ip())),
            subtypes: self.subtypes.clone(),
            views: match views {
                [] | [_] => Vec::new(),
                several => several.iter().map(|view| self.view(view)).collect(),
            },
        }
    }

    fn view(&self, view: &cooee::View) -> View {
        View {
            host: view.host().to_string(),
            port: view.port(),
            priority: view.priority(),
            weight: view.weight(),
            addresses: self.addresses(view.addresses()),
            txt: view.txt().strings().map(<[u8]>::to_vec).collect(),
            ttl: ttl(view.ttl()),
            links: links(view.links()),
        }
    }

    fn addresses(&self, addresses: &[ScopedAddr]) -> Vec<Address> {
        let kept = addresses
            .iter()
            .filter(|address| self.only.is_none_or(|only| only.keeps(address.ip())));
        kept.map(plain).collect()
    }
}

/// All of the addresses.
pub(crate) fn every_address(addresses: &[ScopedAddr]) -> Vec<Address> {
    addresses.iter().map(plain).collect()
}

fn plain(address: &ScopedAddr) -> Address {
    let interface = match (address.interface(), address.interface_index()) {
        (Some(name), Some(index)) => Some(Interface {
            name: name.into(),
            index,
        }),
        _ => None,
    };
    Address {
        ip: address.ip(),
        interface,
    }
}

/// What an instance lacks, by the words of the JSON field.
pub(crate) fn missing(unresolved: &Unresolved) -> Vec<&'static str> {
    words(unresolved.missing())
}

fn words(missing: Missing) -> Vec<&'static str> {
    [
        ("srv", missing.srv),
        ("txt", missing.txt),
        ("address", missing.address),
        ("port", missing.port),
    ]
    .into_iter()
    .filter_map(|(word, is_missing)| is_missing.then_some(word))
    .collect()
}

/// Links by name and index.
pub(crate) fn links(links: &[Link]) -> Vec<Interface> {
    links.iter().map(interface).collect()
}

pub(crate) fn interface(link: &Link) -> Interface {
    Interface {
        name: link.name().into(),
        index: link.index(),
    }
}

fn ttl(ttl: cooee::Ttl) -> Ttl {
    Ttl {
        ptr: ttl.ptr,
        srv: ttl.srv,
        txt: ttl.txt,
        address: ttl.address,
    }
}
