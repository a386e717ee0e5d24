//! The names that DNS-SD questions ask for.

use alloc::vec::Vec;
use core::net::IpAddr;

use cooee_wire::{Name, NameBuf};

use crate::service_type::ServiceType;
use crate::subtype::Subtype;

/// Which list of domains to ask for.
// RFC 6763 §11 (6763-11-1 to 6763-11-6)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6763 §11 names five")]
pub enum DomainKind {
    /// `b`: recommended for browsing.
    Browse,
    /// `db`: the one to browse unless told otherwise.
    DefaultBrowse,
    /// `r`: recommended for registering services.
    Register,
    /// `dr`: the one to register in unless told otherwise.
    DefaultRegister,
    /// `lb`: browsed by itself when a program names no domain.
    LegacyBrowse,
}

impl DomainKind {
    /// The label that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browse => "b",
            Self::DefaultBrowse => "db",
            Self::Register => "r",
            Self::DefaultRegister => "dr",
            Self::LegacyBrowse => "lb",
        }
    }
}

/// `_services._dns-sd._udp` in a domain: where the types of services are listed. `None` if the domain is too long.
// RFC 6763 §9 (6763-9-1)
#[must_use]
pub fn type_enumeration_name(domain: Name<'_>) -> Option<NameBuf> {
    under(&[b"_services", b"_dns-sd", b"_udp"], domain)
}

/// Where a list of domains is found: `lb._dns-sd._udp` in a domain. `None` if the domain is too long.
///
/// ```
/// use cooee_sd::{DomainKind, domain_enumeration_name};
///
/// let domain: cooee_wire::NameBuf = "example.org".parse()?;
/// let name = domain_enumeration_name(DomainKind::LegacyBrowse, domain.as_name()).unwrap();
/// assert_eq!(name.to_string(), "lb._dns-sd._udp.example.org");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
// RFC 6763 §11 (6763-11-1)
#[must_use]
pub fn domain_enumeration_name(kind: DomainKind, domain: Name<'_>) -> Option<NameBuf> {
    under(&[kind.as_str().as_bytes(), b"_dns-sd", b"_udp"], domain)
}

/// The domain that stands for a network in [`domain_enumeration_name`]: the reverse-mapping name of its base address.
///
/// `None` for link-local addresses, for which it should not be asked, and for a prefix longer than the address.
///
/// ```
/// let domain = cooee_sd::network_domain("192.168.12.34".parse()?, 16).unwrap();
/// assert_eq!(domain.to_string(), "0.0.168.192.in-addr.arpa");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
// RFC 6763 §11 (6763-11-9, 6763-11-10, 6763-11-11)
#[must_use]
pub fn network_domain(address: IpAddr, prefix_len: u8) -> Option<NameBuf> {
    let labels: Vec<alloc::string::String> = match address {
        IpAddr::V4(address) if !address.is_link_local() && prefix_len <= 32 => {
            let mask = u32::MAX
                .checked_shl(32 - u32::from(prefix_len))
                .unwrap_or(0);
            let octets = (u32::from(address) & mask).to_be_bytes();
            octets
                .iter()
                .rev()
                .map(|octet| alloc::format!("{octet}"))
                .chain(["in-addr".into(), "arpa".into()])
                .collect()
        }
        IpAddr::V6(address) if !address.is_unicast_link_local() && prefix_len <= 128 => {
            let mask = u128::MAX
                .checked_shl(128 - u32::from(prefix_len))
                .unwrap_or(0);
            let octets = (u128::from(address) & mask).to_be_bytes();
            let nibbles = octets
                .iter()
                .rev()
                .flat_map(|octet| [octet & 0xf, octet >> 4]);
            nibbles
                .map(|nibble| alloc::format!("{nibble:x}"))
                .chain(["ip6".into(), "arpa".into()])
                .collect()
        }
        _ => return None,
    };
    NameBuf::from_labels(labels.iter().map(|label| label.as_bytes())).ok()
}

/// Where the instances of a type, or of a subtype of it, are listed.
// RFC 6763 §4 (6763-1-4), §7.1 (6763-7.1-1)
pub(crate) fn instance_enumeration_name(
    service_type: &ServiceType,
    subtype: Option<&Subtype>,
    domain: Name<'_>,
) -> Option<NameBuf> {
    let [service, protocol] = service_type.labels();
    match subtype {
        Some(subtype) => under(&[subtype.as_bytes(), b"_sub", service, protocol], domain),
        None => under(&[service, protocol], domain),
    }
}

/// The type that a PTR record of the type enumeration lists: only its first two labels count.
// RFC 6763 §9 (6763-9-2)
pub(crate) fn listed_type(name: Name<'_>) -> Option<ServiceType> {
    let mut labels = name.labels();
    ServiceType::from_labels(labels.next()?, labels.next()?)
}

fn under(labels: &[&[u8]], domain: Name<'_>) -> Option<NameBuf> {
    domain.check().ok()?;
    NameBuf::from_labels(labels.iter().copied().chain(domain.labels())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString as _};

    fn local() -> NameBuf {
        "local".parse().unwrap()
    }

    #[test]
    fn five_names_list_domains() {
        // 6763-11-1 .. 6763-11-6
        use DomainKind::{Browse, DefaultBrowse, DefaultRegister, LegacyBrowse, Register};
        let names = [
            Browse,
            DefaultBrowse,
            Register,
            DefaultRegister,
            LegacyBrowse,
        ]
        .map(|kind| {
            domain_enumeration_name(kind, local().as_name())
                .unwrap()
                .to_string()
        });
        assert_eq!(
            names,
            ["b", "db", "r", "dr", "lb"].map(|kind| alloc::format!("{kind}._dns-sd._udp.local"))
        );
    }

    #[test]
    fn a_network_is_named_by_its_base_address() {
        // 6763-11-9, 6763-11-10, 6763-14-2
        let name = |address: &str, len| {
            network_domain(address.parse().unwrap(), len).map(|name| name.to_string())
        };
        assert_eq!(
            name("192.168.12.34", 16).as_deref(),
            Some("0.0.168.192.in-addr.arpa")
        );
        assert_eq!(
            name("192.168.12.34", 0).as_deref(),
            Some("0.0.0.0.in-addr.arpa")
        );
        let ipv6 = name("2001:db8:1::5", 64).unwrap();
        let nibbles: String = ["0."; 16].concat();
        assert_eq!(
            ipv6,
            alloc::format!("{nibbles}0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")
        );
    }

    #[test]
    fn link_local_networks_are_not_asked_for_domains() {
        // 6763-11-11
        for (address, len) in [
            ("169.254.1.2", 16),
            ("fe80::1", 64),
            ("192.0.2.1", 33),
            ("2001:db8::", 129),
        ] {
            assert_eq!(network_domain(address.parse().unwrap(), len), None);
        }
    }

    #[test]
    fn a_subtype_is_asked_for_in_front_of_its_type() {
        // 6763-7.1-1, 6763-1-4
        let http = ServiceType::tcp("http").unwrap();
        let name = |subtype: Option<&Subtype>| {
            instance_enumeration_name(&http, subtype, local().as_name())
                .unwrap()
                .to_string()
        };
        assert_eq!(name(None), "_http._tcp.local");
        assert_eq!(
            name(Some(&"_printer".parse().unwrap())),
            "_printer._sub._http._tcp.local"
        );
    }

    #[test]
    fn only_two_labels_of_a_listed_type_count() {
        // 6763-9-2
        let name: NameBuf = "_http._tcp.example.test".parse().unwrap();
        assert_eq!(listed_type(name.as_name()), ServiceType::tcp("http").ok());
        assert_eq!(listed_type(local().as_name()), None);
    }
}
