//! Hosts with other addresses than one of each family: one family alone, link-local ones alone, many.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use super::cooee::Cooee;
use super::network::{INTERFACE, Lab};
use super::scenarios::{HTTP, OFFERS};
use super::stack::Stack as _;
use super::{Outcome, Scenario};

const TWO_HOSTS: &[&str] = &["ash", "elm"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "IPv6 alone",
        needs: &[],
        hosts: TWO_HOSTS,
        run: ipv6_alone,
    },
    Scenario {
        name: "IPv4 alone",
        needs: &[],
        hosts: TWO_HOSTS,
        run: ipv4_alone,
    },
    Scenario {
        name: "link-local addresses alone",
        needs: &[],
        hosts: TWO_HOSTS,
        run: link_local_alone,
    },
    Scenario {
        name: "many addresses on one interface",
        needs: &[],
        hosts: TWO_HOSTS,
        run: many_addresses,
    },
];

// RFC 6762 §20 (6762-20-1)
fn ipv6_alone(lab: &Lab) -> Outcome<String> {
    give(lab, |number| vec![format!("fe80::{number:x}/64")])?;
    check(lab, &["fe80::a"])
}

fn ipv4_alone(lab: &Lab) -> Outcome<String> {
    give(lab, |number| vec![format!("192.0.2.{number}/24")])?;
    check(lab, &["192.0.2.10"])
}

/// As with two machines and a cable: RFC 3927 and IPv6's own.
// RFC 6762 §3 (6762-3-1)
fn link_local_alone(lab: &Lab) -> Outcome<String> {
    give(lab, |number| {
        vec![
            format!("169.254.7.{number}/16"),
            format!("fe80::{number:x}/64"),
        ]
    })?;
    check(lab, &["169.254.7.10", "fe80::a"])
}

/// All of them are found; they fit into one packet still, and the queries come from one address as before.
fn many_addresses(lab: &Lab) -> Outcome<String> {
    let of = |number: usize| {
        let v4 = (0..12).map(move |n| format!("192.0.2.{}/24", number + 20 * n));
        let v6 = (1..12).map(move |n| format!("2001:db8::{n:x}:{number:x}/64"));
        let local = std::iter::once(format!("fe80::{number:x}/64"));
        v4.chain(v6).chain(local).collect::<Vec<String>>()
    };
    give(lab, of)?;
    let bare: Vec<String> = of(10)
        .iter()
        .map(|a| a.replace("/24", "").replace("/64", ""))
        .collect();
    let wanted: Vec<&str> = bare.iter().map(String::as_str).collect();
    check(lab, &wanted)
}

/// Takes all addresses from both hosts, and gives them these instead; ash has number 10, elm 11.
fn give(lab: &Lab, addresses: impl Fn(usize) -> Vec<String>) -> Outcome {
    for (host, number) in [("ash", 10), ("elm", 11)] {
        let mut words = format!("addr flush dev {INTERFACE}\n");
        for address in addresses(number) {
            let option = if address.contains(':') {
                "nodad"
            } else {
                "brd +"
            };
            let _ = writeln!(words, "addr add {address} dev {INTERFACE} {option}");
        }
        lab.host(host)?.configure(&words)?;
    }
    Ok(())
}

/// elm finds what ash publishes, by the default choice of interfaces on both, with exactly these addresses in the end.
fn check(lab: &Lab, wanted: &[&str]) -> Outcome<String> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let wanted = wanted
        .iter()
        .map(|text| {
            text.parse::<IpAddr>()
                .map_err(|error| format!("{text}: {error}"))
        })
        .collect::<Outcome<BTreeSet<_>>>()?;
    let _ours = Cooee::on(lab, "ash")?.by_default().publish(offer)?;
    let elm = Cooee::on(lab, "elm")?.by_default();
    let mut browse = elm.start("browse", &[HTTP])?;
    let mut seen = BTreeSet::new();
    browse
        .wait_for("the addresses", Duration::from_secs(10), |line| {
            let event: serde_json::Value = serde_json::from_str(&line.text).ok()?;
            let addresses = event["addresses"].as_array()?.iter();
            seen = addresses
                .filter_map(|address| address["ip"].as_str()?.parse::<IpAddr>().ok())
                .collect();
            (seen == wanted).then_some(())
        })
        .map_err(|why| format!("{why}; seen last: {seen:?}"))?;
    Ok(format!("{} addresses", wanted.len()))
}
