//! The interfaces, and why each is used or not.

use cooee_mdns::net::{Link, LinkStatus};
use cooee_mdns::{Family, LinkAddress};

use super::finding::{Finding, Level};
use crate::escape;

/// What is known of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkFacts {
    /// `eth0`
    pub(crate) name: String,
    /// Its index.
    pub(crate) index: u32,
    /// `bridge`, `veth` …; hardware has none.
    pub(crate) kind: Option<String>,
    /// It is a radio.
    pub(crate) is_wireless: bool,
    /// Its addresses.
    pub(crate) addresses: Vec<LinkAddress>,
    /// Bytes of a packet.
    pub(crate) mtu: u32,
    /// It is switched on.
    pub(crate) is_up: bool,
    /// The cable is in.
    pub(crate) has_carrier: bool,
    /// It says that it carries multicasts.
    pub(crate) is_multicast: bool,
    /// The machine talks to itself on it.
    pub(crate) is_loopback: bool,
    /// What the library makes of it.
    pub(crate) status: LinkStatus,
    /// The families in which it is used.
    pub(crate) families: Vec<Family>,
    /// Why its groups cannot be joined.
    pub(crate) join_error: Option<String>,
    /// Multicast groups that this machine has joined on it, where the system tells.
    pub(crate) memberships: Option<u64>,
    /// IPv6 is switched off on it.
    pub(crate) is_ipv6_off: bool,
}

impl From<&Link> for LinkFacts {
    fn from(link: &Link) -> Self {
        Self {
            name: link.name().to_owned(),
            index: link.index(),
            kind: link.kind().map(str::to_owned),
            is_wireless: false,
            addresses: link.addresses().to_vec(),
            mtu: link.mtu(),
            is_up: link.is_up(),
            has_carrier: link.has_carrier(),
            is_multicast: link.is_multicast(),
            is_loopback: link.is_loopback(),
            status: link.status().clone(),
            families: link.families().to_vec(),
            join_error: None,
            memberships: None,
            is_ipv6_off: false,
        }
    }
}

impl LinkFacts {
    /// Whether multicast DNS is spoken on it.
    pub(crate) fn is_used(&self) -> bool {
        self.status == LinkStatus::InUse
    }

    fn shown(&self) -> String {
        escape::text(&self.name)
    }

    fn what(&self) -> &str {
        match &self.kind {
            Some(kind) => kind,
            None if self.is_loopback => "loopback",
            None if self.is_wireless => "Wi-Fi",
            None => "Ethernet",
        }
    }

    fn has(&self, family: Family) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|one| Family::of(one.address) == family)
    }

    fn can_send(&self, family: Family) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|one| Family::of(one.address) == family && !one.tentative)
    }
}

/// Tells of each interface, and whether there is one at all. `max_memberships`: of one IPv4 socket; `sockets`: the families that there
/// are sockets of.
pub(crate) fn check(
    links: &[LinkFacts],
    sockets: &[Family],
    max_memberships: Option<u64>,
) -> Vec<Finding> {
    let is_any_used = links.iter().any(LinkFacts::is_used);
    let mut findings: Vec<Finding> = links
        .iter()
        .filter(|link| !link.is_loopback || link.is_used())
        .flat_map(|link| {
            let status = match &link.status {
                LinkStatus::InUse => used(link),
                LinkStatus::LeftOut(why) => left_out(link, why),
                LinkStatus::Unusable(why) => unusable(link, why, is_any_used, max_memberships),
                _ => left_out(link, "nobody says why"),
            };
            std::iter::once(status).chain(partly(link, sockets, max_memberships))
        })
        .collect();
    if !is_any_used {
        let (text, advice) = match links.iter().any(|link| !link.is_loopback) {
            true => (
                "every one is down, without address or left out",
                "the lines above say which is which",
            ),
            false => (
                "this machine has none but loopback",
                "connect it to a network, or give the container one",
            ),
        };
        // It needs loopback alone.
        let demo = match links.iter().any(|link| link.is_loopback && link.is_up) {
            true => "; 'cooee demo' works without any",
            false => "",
        };
        let text = format!("no usable link: {text}");
        findings
            .push(Finding::new("no-link", Level::Fault, text).advise(format!("{advice}{demo}")));
    }
    findings
}

fn used(link: &LinkFacts) -> Finding {
    let addresses: Vec<String> = link
        .addresses
        .iter()
        .filter(|one| !one.tentative)
        .map(|one| match one.address.is_ipv4() {
            true => format!("{}/{}", one.address, one.prefix_len),
            false => one.address.to_string(),
        })
        .collect();
    let text = format!(
        "{} is used: {}, {}, MTU {}",
        link.shown(),
        escape::text(link.what()),
        addresses.join(", "),
        link.mtu
    );
    let finding = Finding::new("link-used", Level::Ok, text)
        .on(&link.name)
        .fact("index", u64::from(link.index))
        .fact("kind", link.what())
        .fact("addresses", addresses)
        .fact("mtu", u64::from(link.mtu));
    match link.memberships {
        Some(memberships) => finding.fact("memberships", memberships),
        None => finding,
    }
}

fn left_out(link: &LinkFacts, why: &str) -> Finding {
    let name = link.shown();
    Finding::new(
        "link-left-out",
        Level::Note,
        format!("{name} is left out: {why}"),
    )
    .on(&link.name)
    .advise(format!("'-i {name}' insists on it"))
    .fact("why", why)
}

fn unusable(
    link: &LinkFacts,
    why: &str,
    is_any_used: bool,
    max_memberships: Option<u64>,
) -> Finding {
    let name = link.shown();
    let without_it = if is_any_used {
        Level::Warn
    } else {
        Level::Fault
    };
    let finding = |check, text: String| Finding::new(check, Level::Warn, text).on(&link.name);
    if !link.is_up {
        finding("link-down", format!("{name} is down (switched off)"))
            .advise(format!("'ip link set {name} up', or let the system do it"))
    } else if !link.has_carrier {
        finding("link-down", format!("{name} is down (no carrier)")).advise(if link.is_wireless {
            "connect to a Wi-Fi network"
        } else {
            "put the cable in, or connect to a network"
        })
    } else if !link.is_multicast && !link.is_loopback {
        let text = format!("{name} has no MULTICAST flag");
        Finding::new("no-multicast", without_it, text)
            .on(&link.name)
            .advise(format!("'ip link set {name} multicast on'"))
    } else if let Some(error) = &link.join_error {
        join_failed(
            link,
            without_it,
            "the multicast groups",
            error,
            max_memberships,
        )
    } else if link.addresses.is_empty() {
        finding("no-address", format!("{name} has no address"))
            .advise("ask DHCP for one, or set one by hand")
    } else if link.addresses.iter().all(|one| one.tentative) {
        tentative(link)
    } else {
        finding("link-down", format!("{name} cannot be used: {why}"))
            .advise("'ip address' tells what it has")
    }
}

/// What is wrong with one family only.
fn partly(link: &LinkFacts, sockets: &[Family], max_memberships: Option<u64>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if link.is_used() && !link.is_loopback {
        if !link.has(Family::V4) {
            let text = format!("{} has no IPv4 address", link.shown());
            findings.push(
                Finding::new("no-address", Level::Warn, text)
                    .on(&link.name)
                    .advise("ask DHCP for one; fine where all speak IPv6"),
            );
        }
        if link.addresses.iter().any(|one| one.tentative) {
            findings.push(tentative(link));
        }
        for (family, group) in [(Family::V4, "224.0.0.251"), (Family::V6, "ff02::fb")] {
            let should = sockets.contains(&family) && link.can_send(family);
            if should && !link.families.contains(&family) {
                findings.push(join_failed(
                    link,
                    Level::Warn,
                    group,
                    link.join_error.as_deref().unwrap_or("refused"),
                    max_memberships,
                ));
            }
        }
    }
    let is_candidate = !link.is_loopback && !matches!(link.status, LinkStatus::LeftOut(_));
    if is_candidate && link.is_ipv6_off {
        let text = format!("IPv6 is switched off on {}", link.shown());
        findings.push(
            Finding::new("ipv6-off", Level::Note, text)
                .on(&link.name)
                .advise(format!(
                    "fine on IPv4-only networks; 'sysctl net.ipv6.conf.{}.disable_ipv6=0' switches it on",
                    link.shown()
                )),
        );
    }
    findings
}

fn tentative(link: &LinkFacts) -> Finding {
    let addresses = link.addresses.iter().filter(|one| one.tentative);
    let addresses: Vec<String> = addresses.map(|one| one.address.to_string()).collect();
    let text = format!(
        "{}: {} is tentative or a duplicate, and not used",
        link.shown(),
        addresses.join(", ")
    );
    Finding::new("tentative", Level::Warn, text)
        .on(&link.name)
        .advise("try again in two seconds; if it stays, find the other machine with this address")
        .fact("addresses", addresses)
}

fn join_failed(
    link: &LinkFacts,
    level: Level,
    group: &str,
    error: &str,
    max_memberships: Option<u64>,
) -> Finding {
    let limit = max_memberships.map(|max| format!("; a socket may hold {max} memberships"));
    let text = format!(
        "{group} cannot be joined on {}: {}{}",
        link.shown(),
        escape::text(error),
        limit.unwrap_or_default()
    );
    let finding = Finding::new("join-failed", level, text)
        .on(&link.name)
        .advise("'sysctl net.ipv4.igmp_max_memberships=20' or more");
    match link.memberships {
        Some(memberships) => finding.fact("memberships", memberships),
        None => finding,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::doctor::finding::transcript;

    fn v4(last: u8) -> LinkAddress {
        LinkAddress::new(Ipv4Addr::new(192, 0, 2, last), 24)
    }

    fn v6() -> LinkAddress {
        LinkAddress::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9), 64)
    }

    /// An Ethernet interface in use.
    pub(crate) fn eth(index: u32, name: &str) -> LinkFacts {
        LinkFacts {
            name: name.into(),
            index,
            kind: None,
            is_wireless: false,
            addresses: vec![v4(9), v6()],
            mtu: 1500,
            is_up: true,
            has_carrier: true,
            is_multicast: true,
            is_loopback: false,
            status: LinkStatus::InUse,
            families: vec![Family::V4, Family::V6],
            join_error: None,
            memberships: Some(3),
            is_ipv6_off: false,
        }
    }

    fn unusable(link: LinkFacts) -> LinkFacts {
        LinkFacts {
            status: LinkStatus::Unusable("something".into()),
            families: vec![],
            ..link
        }
    }

    fn loopback() -> LinkFacts {
        LinkFacts {
            is_loopback: true,
            is_multicast: false,
            status: LinkStatus::LeftOut("loopback is used only when asked for".into()),
            families: vec![],
            ..eth(1, "lo")
        }
    }

    const BOTH: &[Family] = &[Family::V4, Family::V6];

    #[test]
    fn each_interface_is_told_of_with_why_it_is_used_or_not() {
        let tentative = |mut link: LinkFacts| {
            link.addresses[1].tentative = true;
            link.families = vec![Family::V4];
            link
        };
        let links = [
            loopback(),
            eth(2, "eth0"),
            LinkFacts {
                is_wireless: true,
                is_ipv6_off: true,
                addresses: vec![v4(10)],
                families: vec![Family::V4],
                ..eth(3, "wlan0")
            },
            tentative(eth(4, "eth1")),
            LinkFacts {
                addresses: vec![v6()],
                families: vec![Family::V6],
                ..eth(5, "eth2")
            },
            LinkFacts {
                kind: Some("bridge".into()),
                status: LinkStatus::LeftOut("it is a bridge to containers".into()),
                families: vec![],
                ..eth(6, "docker0")
            },
            LinkFacts {
                families: vec![Family::V6],
                memberships: Some(20),
                ..eth(7, "eth3")
            },
        ];
        insta::assert_snapshot!(transcript(&check(&links, BOTH, Some(20))));
    }

    #[test]
    fn a_machine_with_loopback_alone_is_told_of_no_other_lines() {
        let down = LinkFacts {
            is_up: false,
            ..loopback()
        };
        let told = |lo: LinkFacts| transcript(&check(&[lo], BOTH, None));
        let (up, down) = (told(loopback()), told(down));
        for told in [&up, &down] {
            assert!(
                told.contains("this machine has none but loopback"),
                "{told}"
            );
            assert!(!told.contains("the lines above"), "{told}");
        }
        assert!(up.contains("'cooee demo' works") && !down.contains("demo"));
    }

    #[test]
    fn a_machine_without_a_usable_link_is_told_the_reason_of_each() {
        let links = [
            loopback(),
            unusable(LinkFacts {
                is_up: false,
                ..eth(2, "eth0")
            }),
            unusable(LinkFacts {
                has_carrier: false,
                is_wireless: true,
                ..eth(3, "wlan0")
            }),
            unusable(LinkFacts {
                is_multicast: false,
                ..eth(4, "eth1")
            }),
            unusable(LinkFacts {
                addresses: vec![],
                ..eth(5, "eth2")
            }),
            unusable(LinkFacts {
                addresses: vec![LinkAddress {
                    tentative: true,
                    ..v6()
                }],
                ..eth(6, "eth3")
            }),
            unusable(LinkFacts {
                join_error: Some("No buffer space available".into()),
                memberships: Some(20),
                ..eth(7, "eth\u{1b}4")
            }),
        ];
        insta::assert_snapshot!(transcript(&check(&links, BOTH, Some(0))));
    }

    #[test]
    fn a_machine_with_loopback_alone_is_told_so() {
        let findings = check(&[loopback()], BOTH, None);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].check, findings[0].level),
            ("no-link", Level::Fault)
        );
    }

    #[test]
    fn a_missing_flag_is_a_fault_only_where_no_other_link_works() {
        let without = unusable(LinkFacts {
            is_multicast: false,
            ..eth(3, "eth1")
        });
        let level = |links: &[LinkFacts]| {
            let findings = check(links, BOTH, None);
            let flag = findings.iter().find(|one| one.check == "no-multicast");
            flag.map(|one| one.level)
        };
        assert_eq!(level(std::slice::from_ref(&without)), Some(Level::Fault));
        assert_eq!(level(&[without, eth(2, "eth0")]), Some(Level::Warn));
    }
}
