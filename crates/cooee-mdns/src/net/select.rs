//! From the interfaces of the machine to the links that are used.

use std::net::IpAddr;

use super::interface::Interface;
use super::link::{Link, LinkStatus};
use super::links::Links;
use super::role::{by_role, usable};
use crate::Family;

/// Over which families multicast DNS is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "multicast DNS has these two groups and no third"
)]
pub enum Families {
    /// IPv4 and IPv6, as far as each link has them (RFC 6762 §20).
    #[default]
    Both,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl Families {
    /// Whether `family` is among them.
    pub const fn contains(self, family: Family) -> bool {
        matches!(
            (self, family),
            (Self::Both, _) | (Self::V4, Family::V4) | (Self::V6, Family::V6)
        )
    }
}

/// Judges every interface: is it wanted, can it be used, and in which families.
///
/// If no interface that the default policy takes can be used, it takes all that can be (ruling 25).
pub(super) fn select(
    interfaces: &[Interface],
    wanted: &Links,
    families: impl Fn(Family) -> bool,
) -> Vec<Link> {
    let can_send = |interface: &Interface| {
        [Family::V4, Family::V6]
            .into_iter()
            .filter(|&family| families(family) && speaks(interface, family))
            .collect::<Vec<_>>()
    };
    let works =
        |interface: &Interface| usable(interface).is_ok() && !can_send(interface).is_empty();
    let is_ordinary = |interface: &&Interface| by_role(interface, interfaces).is_ok();
    let policy_is_empty = !interfaces.iter().filter(is_ordinary).any(works);

    interfaces
        .iter()
        .map(|interface| {
            let role = match by_role(interface, interfaces) {
                Err(_) if policy_is_empty && !interface.is_loopback && works(interface) => Ok(()),
                role => role,
            };
            let link = Link::new(interface.clone(), role);
            if !wanted.contains(&link) {
                let why = wanted.why_not(&link);
                return link.with_status(LinkStatus::LeftOut(why), Vec::new());
            }
            let families = can_send(interface);
            match usable(interface) {
                Err(why) => link.with_status(LinkStatus::Unusable(why.into()), Vec::new()),
                Ok(()) if families.is_empty() => {
                    let why = "it has no address of a family that is used".into();
                    link.with_status(LinkStatus::Unusable(why), Vec::new())
                }
                Ok(()) => link.with_status(LinkStatus::InUse, families),
            }
        })
        .collect()
}

/// Whether multicasts of a family can leave: it needs an address to come from. (Without one the kernel would take that of another
/// interface.)
fn speaks(interface: &Interface, family: Family) -> bool {
    match family {
        Family::V4 => interface.has_usable(|a| a.is_ipv4()),
        // ff02::fb cannot be reached on Linux's loopback (ruling 28).
        Family::V6 => !interface.is_loopback && interface.has_usable(|a| a.is_ipv6()),
    }
}

/// The address that multicasts have to be given as their source, if the kernel would choose a wrong one: on loopback it takes 0.0.0.0.
pub(super) fn explicit_source(interface: &Interface, family: Family) -> Option<IpAddr> {
    match family {
        Family::V4 if interface.is_loopback => interface.first_ipv4().map(IpAddr::V4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::super::interface::Address;
    use super::super::role::tests::{ethernet, loopback, of_kind, port_of};
    use super::*;

    fn ipv6(is_tentative: bool) -> Address {
        Address {
            address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into(),
            prefix_len: 64,
            is_tentative,
            is_deprecated: false,
        }
    }

    fn select_all(interfaces: &[Interface], wanted: impl Into<Links>) -> Vec<Link> {
        select(interfaces, &wanted.into(), |_| true)
    }

    fn in_use(links: &[Link]) -> Vec<&str> {
        let in_use = links.iter().filter(|link| link.is_in_use());
        in_use.map(Link::name).collect()
    }

    // ruling 25
    #[test]
    fn where_the_policy_leaves_nothing_every_multicast_link_is_used() {
        let tunnel = Interface {
            is_point_to_point: true,
            ..ethernet(3, "tun0")
        };
        let docker = of_kind("bridge", ethernet(4, "docker0"));
        let offline = Interface {
            is_running: false,
            ..ethernet(2, "eth0")
        };
        let machine = [loopback(), offline, tunnel.clone(), docker.clone()];
        assert_eq!(
            in_use(&select_all(&machine, Links::default())),
            ["tun0", "docker0"]
        );
        let without = Links::default().except("docker*");
        assert_eq!(in_use(&select_all(&machine, without)), ["tun0"]);

        let online = [loopback(), ethernet(2, "eth0"), tunnel, docker];
        assert_eq!(in_use(&select_all(&online, Links::default())), ["eth0"]);
    }

    #[test]
    fn every_link_says_why_it_is_used_or_not() {
        let machine = [
            loopback(),
            ethernet(2, "eth0"),
            of_kind("bridge", ethernet(3, "docker0")),
            port_of(3, of_kind("veth", ethernet(4, "veth1"))),
            Interface {
                is_running: false,
                ..ethernet(5, "eth1")
            },
        ];
        let why = |wanted: Links| -> Vec<String> {
            let links = select_all(&machine, wanted);
            links.iter().map(|link| link.status().to_string()).collect()
        };
        assert_eq!(
            why(Links::default()),
            [
                "left out: loopback is used only when asked for",
                "in use",
                "left out: it is a bridge to containers or virtual machines of this host",
                "left out: it is a port of a bridge or bond; that one counts",
                "unusable: no carrier: the cable is out or the radio not connected",
            ]
        );
        assert_eq!(
            why(Links::default().except("eth0"))[1],
            "left out: excluded by choice"
        );
        assert_eq!(
            why("docker0".into())[1..3],
            ["left out: not chosen", "in use"]
        );
    }

    // 6762-20-2, ruling 24
    #[test]
    fn a_link_speaks_the_families_it_has_a_checked_address_of() {
        let families = |addresses: Vec<Address>, allowed: Families| {
            let mut eth0 = ethernet(2, "eth0");
            eth0.addresses.extend(addresses);
            let links = select(&[eth0], &Links::default(), |f| allowed.contains(f));
            links[0].families().to_vec()
        };
        assert_eq!(families(vec![], Families::Both), [Family::V4]);
        assert_eq!(families(vec![ipv6(true)], Families::Both), [Family::V4]);
        assert_eq!(
            families(vec![ipv6(false)], Families::Both),
            [Family::V4, Family::V6]
        );
        assert_eq!(families(vec![ipv6(false)], Families::V6), [Family::V6]);
        assert_eq!(families(vec![], Families::V6), []);
    }

    // ruling 28
    #[test]
    fn loopback_speaks_ipv4_only_and_from_its_own_address() {
        let mut lo = loopback();
        lo.addresses.push(Address {
            address: Ipv6Addr::LOCALHOST.into(),
            prefix_len: 128,
            is_tentative: false,
            is_deprecated: false,
        });
        let links = select_all(&[lo.clone(), ethernet(2, "eth0")], Links::loopback());
        assert_eq!(in_use(&links), ["lo"]);
        assert_eq!(links[0].families(), [Family::V4]);
        assert_eq!(
            explicit_source(&lo, Family::V4),
            Some(lo.addresses[0].address)
        );
        assert_eq!(explicit_source(&ethernet(2, "eth0"), Family::V4), None);
    }
}
