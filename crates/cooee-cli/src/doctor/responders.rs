//! Who else answers here and on the links, and whether two claim one name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::finding::{Finding, Level};
use super::port::{self, Holder};
use crate::escape;

/// What is known of responders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResponderFacts {
    /// Other programs of this host on the port.
    pub(crate) holders: Vec<Holder>,
    /// The system's own host name: `tabasco.local`.
    pub(crate) host: String,
    /// Somebody with an address of ours said that this host has that name.
    pub(crate) is_host_claimed_here: bool,
    /// Who says, on which link, that a name has which addresses.
    pub(crate) claims: BTreeMap<(String, String), BTreeMap<IpAddr, BTreeSet<IpAddr>>>,
}

/// Tells of them.
pub(crate) fn check(facts: &ResponderFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let holders: Vec<&Holder> = facts.holders.iter().collect();
    if facts.is_host_claimed_here {
        let text = format!(
            "{}{} answers for {} on this host, and cooee leaves it that name",
            if holders.len() > 1 { "one of " } else { "" },
            port::names(&holders),
            escape::escaped_text(&facts.host)
        );
        findings.push(
            Finding::new("responder-local", Level::Ok, text).fact("host", facts.host.as_str()),
        );
    }
    if holders.len() > 1 {
        let text = format!(
            "{} programs here have UDP port 5353: {}",
            holders.len(),
            port::names(&holders)
        );
        findings.push(
            Finding::new("responder-many", Level::Note, text)
                .advise("one would do, and would answer once"),
        );
    }
    for ((link, name), by_source) in &facts.claims {
        if let Some((one, other)) = conflict(by_source) {
            let text = format!(
                "{one} and {other} both claim {} on {}",
                escape::escaped_text(name),
                escape::text(link)
            );
            findings.push(
                Finding::new("name-conflict", Level::Warn, text)
                    .on(link)
                    .advise("rename one of the two machines")
                    .fact("name", name.as_str())
                    .fact("claimants", vec![one.to_string(), other.to_string()]),
            );
        }
    }
    findings
}

/// Two that give one name addresses of one family of which they have none in common. One machine says the same over IPv4 and
/// IPv6, on one link.
fn conflict(by_source: &BTreeMap<IpAddr, BTreeSet<IpAddr>>) -> Option<(IpAddr, IpAddr)> {
    let differ = |a: &BTreeSet<IpAddr>, b: &BTreeSet<IpAddr>, v4: bool| {
        let of = |all: &BTreeSet<IpAddr>| -> BTreeSet<IpAddr> {
            all.iter()
                .copied()
                .filter(|ip| ip.is_ipv4() == v4)
                .collect()
        };
        let (a, b) = (of(a), of(b));
        !a.is_empty() && !b.is_empty() && a.is_disjoint(&b)
    };
    let mut sources = by_source.iter();
    while let Some((one, theirs)) = sources.next() {
        for (other, addresses) in sources.clone() {
            if differ(theirs, addresses, true) || differ(theirs, addresses, false) {
                return Some((*one, *other));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::transcript;

    fn claims(of: &[(&str, &[&str])]) -> BTreeMap<IpAddr, BTreeSet<IpAddr>> {
        of.iter()
            .map(|(source, addresses)| {
                let addresses = addresses.iter().map(|ip| ip.parse().unwrap());
                (source.parse().unwrap(), addresses.collect())
            })
            .collect()
    }

    #[test]
    fn two_machines_with_one_name_are_a_conflict() {
        let one_machine = claims(&[
            ("192.0.2.17", &["192.0.2.17", "fe80::17"]),
            ("fe80::17", &["192.0.2.17", "fe80::17"]),
        ]);
        assert_eq!(conflict(&one_machine), None);
        let halves = claims(&[("192.0.2.17", &["192.0.2.17"]), ("fe80::17", &["fe80::17"])]);
        assert_eq!(conflict(&halves), None);
        let two = claims(&[
            ("192.0.2.17", &["192.0.2.17"]),
            ("192.0.2.44", &["192.0.2.44"]),
        ]);
        assert!(conflict(&two).is_some());
    }

    #[test]
    fn responders_here_and_conflicts_are_told() {
        let avahi = Holder {
            uid: 107,
            process: Some(("avahi-daemon".into(), 812)),
            has_v4: true,
            has_v6: true,
        };
        let chromium = Holder {
            process: Some(("chromium".into(), 990)),
            ..avahi.clone()
        };
        let facts = ResponderFacts {
            holders: vec![avahi, chromium],
            host: "tabasco.local".into(),
            is_host_claimed_here: true,
            claims: BTreeMap::from([(
                ("eth0".into(), "lobby.local".into()),
                claims(&[
                    ("192.0.2.17", &["192.0.2.17"]),
                    ("192.0.2.44", &["192.0.2.44"]),
                ]),
            )]),
        };
        insta::assert_snapshot!(transcript(&check(&facts)));
        assert_eq!(check(&ResponderFacts::default()), []);
    }
}
