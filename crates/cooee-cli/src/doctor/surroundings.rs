//! What is around: VPNs, containers, the wall clock, and how the system itself looks up `.local`.

use std::time::Duration;

use super::finding::{Finding, Level};
use crate::escape;

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The interface of a default route.
    pub(crate) default_route: Option<DefaultRoute>,
    /// We are in a container: what says so.
    pub(crate) container: Option<String>,
    /// The wall clock lies before 2020.
    pub(crate) is_clock_early: bool,
    /// How far the wall clock went otherwise than the monotonic one while we listened.
    pub(crate) clock_jump: Duration,
    /// A host that we found, and whether `getent hosts` finds it too.
    pub(crate) nss: Option<(String, bool)>,
}

/// Where packets for everywhere go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DefaultRoute {
    /// `tun0`
    pub(crate) interface: String,
    /// Multicast DNS is spoken on it.
    pub(crate) is_used: bool,
    /// It has one other end.
    pub(crate) is_point_to_point: bool,
}

/// Tells of what may explain a silence.
pub(crate) fn check(facts: &Surroundings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |check, text: String, advice: &str| {
        findings.push(Finding::new(check, Level::Note, text).advise(advice));
    };
    if let Some(route) = &facts.default_route
        && route.is_point_to_point
    {
        let name = escape::text(&route.interface);
        let carries = match route.is_used {
            true => "which has only one other end",
            false => "which carries no multicast",
        };
        note(
            "vpn",
            format!("the default route is {name}, {carries}"),
            "machines behind it are not on this link, and are not found",
        );
    }
    if let Some(sign) = &facts.container {
        note(
            "container",
            format!(
                "this is a container ({}): only its own bridge is heard",
                escape::text(sign)
            ),
            "'--network host', or macvlan, to hear the network of the machine",
        );
    }
    if facts.is_clock_early {
        note(
            "clock",
            "the wall clock lies before 2020 (harmless here)".into(),
            "start a time service; certificates will not hold",
        );
    } else if facts.clock_jump > JUMP {
        note(
            "clock",
            format!(
                "the wall clock jumped by {:.1} s while we listened (harmless here)",
                facts.clock_jump.as_secs_f64()
            ),
            "look at the time service",
        );
    }
    if let Some((host, false)) = &facts.nss {
        let host = escape::escaped_text(host);
        note(
            "nss",
            format!("'getent hosts {host}' fails where we succeed"),
            "other programs do not find it: nss-mdns or systemd-resolved in the line 'hosts:' of /etc/nsswitch.conf",
        );
    }
    findings
}

/// Time services move the clock by less.
const JUMP: Duration = Duration::from_secs(1);

/// The interface of the default route in `/proc/net/route`.
pub(crate) fn default_v4(table: &str) -> Option<&str> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let (interface, destination) = (columns.next()?, columns.next()?);
        let mask = columns.nth(5)?;
        (destination == "00000000" && mask == "00000000").then_some(interface)
    })
}

/// The interface of the default route in `/proc/net/ipv6_route`; the kernel's own reject routes do not count.
pub(crate) fn default_v6(table: &str) -> Option<&str> {
    table.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let (destination, length) = (columns.next()?, columns.next()?);
        let interface = columns.nth(7)?;
        let is_default = length == "00" && destination.bytes().all(|digit| digit == b'0');
        (is_default && interface != "lo").then_some(interface)
    })
}

/// What says that this is a container: the environment of the first process, or a mark in the file system.
pub(crate) fn container(environment: &[u8], has: impl Fn(&str) -> bool) -> Option<String> {
    let by_environment = environment
        .split(|octet| *octet == 0)
        .find_map(|variable| variable.strip_prefix(b"container="))
        .map(|kind| String::from_utf8_lossy(kind).into_owned());
    let marks = [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")];
    let by_mark = || {
        let found = marks.into_iter().find(|(mark, _)| has(mark));
        found.map(|(_, kind)| kind.to_owned())
    };
    by_environment
        .filter(|kind| !kind.is_empty())
        .or_else(by_mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::transcript;

    #[test]
    fn what_may_explain_a_silence_is_told() {
        let facts = Surroundings {
            default_route: Some(DefaultRoute {
                interface: "tun0".into(),
                is_used: false,
                is_point_to_point: true,
            }),
            container: Some("docker".into()),
            is_clock_early: true,
            clock_jump: Duration::ZERO,
            nss: Some(("tabasco.local".into(), false)),
        };
        let jumped = Surroundings {
            clock_jump: Duration::from_secs(3_600),
            ..Surroundings::default()
        };
        insta::assert_snapshot!(transcript(&[check(&facts), check(&jumped)].concat()));
        let well = Surroundings {
            nss: Some(("tabasco.local".into(), true)),
            clock_jump: Duration::from_millis(20),
            ..Surroundings::default()
        };
        assert_eq!(check(&well), []);
    }

    #[test]
    fn the_default_route_is_read_from_the_tables_of_the_kernel() {
        let v4 = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
";
        assert_eq!(default_v4(v4), Some("tun0"));
        assert_eq!(default_v4("Iface\n"), None);
        let zeros = "0".repeat(32);
        let route = |destination: &str, length, interface| {
            format!(
                "{destination} {length} {zeros} 00 {zeros} 00000400 00000001 00000000 00000003 {interface}\n"
            )
        };
        let local = format!("fe80{}", "0".repeat(28));
        let v6 = [
            route(&local, "40", "eth0"),
            route(&zeros, "00", "lo"),
            route(&zeros, "00", "wg0"),
        ]
        .concat();
        assert_eq!(default_v6(&v6), Some("wg0"));
        assert_eq!(default_v6(&route(&zeros, "00", "lo")), None);
        assert_eq!(default_v6("nonsense"), None);
    }

    #[test]
    fn a_container_is_known_by_its_marks() {
        assert_eq!(
            container(b"PATH=/bin\0container=lxc\0", |_| false).as_deref(),
            Some("lxc")
        );
        assert_eq!(
            container(b"", |file| file == "/.dockerenv").as_deref(),
            Some("docker")
        );
        assert_eq!(container(b"HOME=/\0", |_| false), None);
    }
}
