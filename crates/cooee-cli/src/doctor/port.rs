//! Port 5353: is it ours to use, and who else has it?

use std::io;

use cooee_mdns::Family;

use super::finding::{Finding, Level};
use crate::escape;

/// What is known of the port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PortFacts {
    /// For each family that was wanted: our socket, or why there is none.
    pub(crate) families: Vec<(Family, Result<(), io::ErrorKind>)>,
    /// Sockets of others on the port, before ours was opened.
    pub(crate) holders: Vec<Holder>,
}

/// Somebody with sockets on the port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    /// The user.
    pub(crate) uid: u32,
    /// Name and number of the process, if we may know.
    pub(crate) process: Option<(String, u32)>,
    /// It has a socket of this family.
    pub(crate) has_v4: bool,
    /// It has a socket of this family.
    pub(crate) has_v6: bool,
}

impl Holder {
    pub(super) fn has(&self, family: Family) -> bool {
        match family {
            // A socket of IPv6 that is not for IPv6 alone holds both.
            Family::V4 => self.has_v4 || self.has_v6,
            Family::V6 => self.has_v6,
        }
    }

    pub(super) fn is_this_program(&self) -> bool {
        let this = std::process::id();
        self.process.as_ref().is_some_and(|(_, pid)| *pid == this)
    }

    /// `mdnsd (pid 812)`, or `a program of uid 107`.
    pub(crate) fn shown(&self) -> String {
        match &self.process {
            Some((name, pid)) => format!("{} (pid {pid})", escape::text(name)),
            None => format!("a program of uid {}", self.uid),
        }
    }
}

/// The names of several, for a sentence.
pub(crate) fn names(holders: &[&Holder]) -> String {
    let names: Vec<String> = holders.iter().map(|holder| holder.shown()).collect();
    match names.as_slice() {
        [] => "another program".into(),
        [front @ .., last] if !front.is_empty() => format!("{} and {last}", front.join(", ")),
        _ => names.concat(),
    }
}

/// Tells of datagrams that others took: of so many that were sent to ourselves while the port was shared, so many came.
pub(crate) fn steals(sent: u64, heard: u64) -> Option<Finding> {
    // None at all is the business of the firewall.
    let is_so = heard > 0 && heard < sent;
    let text =
        format!("another program takes datagrams meant for us: of {sent} sent we heard {heard}");
    is_so.then(|| {
        Finding::new("port-steals", Level::Warn, text)
            .advise("stop it: its socket has other options (SO_REUSEPORT, IP_MULTICAST_ALL off)")
            .fact("sent", sent)
            .fact("heard", heard)
    })
}

/// Tells of the port.
pub(crate) fn check(facts: &PortFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let refused = |kind: io::ErrorKind| -> Vec<Family> {
        let families = facts.families.iter();
        families
            .filter(|(_, socket)| *socket == Err(kind))
            .map(|(family, _)| *family)
            .collect()
    };
    let held = refused(io::ErrorKind::AddrInUse);
    if !held.is_empty() {
        let holders: Vec<&Holder> = facts
            .holders
            .iter()
            .filter(|holder| held.iter().any(|family| holder.has(*family)))
            .collect();
        let text = format!(
            "UDP port 5353 is held by {}, which does not share it{}",
            names(&holders),
            only(&held)
        );
        findings.push(
            Finding::new("port-held", Level::Fault, text)
                .advise("stop it, or make it share: SO_REUSEADDR on its socket")
                .fact("holders", shown(&holders)),
        );
    }
    let forbidden = refused(io::ErrorKind::PermissionDenied);
    if !forbidden.is_empty() {
        let text = format!(
            "sockets on UDP port 5353 are refused: permission denied{}",
            only(&forbidden)
        );
        findings.push(Finding::new("permission", Level::Fault, text).advise(
            "look at the sandbox, the seccomp profile or the security policy of this program",
        ));
    }
    let has_socket = facts.families.iter().any(|(_, socket)| socket.is_ok());
    if has_socket && held.is_empty() {
        findings.push(match facts.holders.as_slice() {
            [] => Finding::new("port-free", Level::Ok, "UDP port 5353 is free"),
            holders => {
                let holders: Vec<&Holder> = holders.iter().collect();
                let text = format!(
                    "UDP port 5353 is shared with {}: questions go by multicast only",
                    names(&holders)
                );
                Finding::new("port-shared", Level::Note, text).fact("holders", shown(&holders))
            }
        });
    }
    findings
}

fn only(families: &[Family]) -> &'static str {
    match families {
        [Family::V4] => " (IPv4 only)",
        [Family::V6] => " (IPv6 only)",
        _ => "",
    }
}

fn shown(holders: &[&Holder]) -> Vec<String> {
    holders.iter().map(|holder| holder.shown()).collect()
}

/// Reads `/proc/net/udp` or `udp6`: owner and inode of each socket on the port. Other lines, and lines that cannot be read, are skipped.
pub(crate) fn sockets(table: &str) -> Vec<(u32, u64)> {
    let lines = table.lines().skip(1);
    lines
        .filter_map(|line| {
            let mut columns = line.split_ascii_whitespace();
            let local = columns.nth(1)?;
            let (_, port) = local.rsplit_once(':')?;
            if u16::from_str_radix(port, 16) != Ok(PORT) {
                return None;
            }
            let uid = columns.nth(5)?.parse().ok()?;
            let inode = columns.nth(1)?.parse().ok()?;
            Some((uid, inode))
        })
        .collect()
}

/// The port of multicast DNS.
pub(crate) const PORT: u16 = 5353;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::transcript;

    fn avahi() -> Holder {
        Holder {
            uid: 107,
            process: Some(("avahi-daemon".into(), 812)),
            has_v4: true,
            has_v6: true,
        }
    }

    fn facts(v4: Result<(), io::ErrorKind>, v6: Result<(), io::ErrorKind>) -> PortFacts {
        PortFacts {
            families: vec![(Family::V4, v4), (Family::V6, v6)],
            ..PortFacts::default()
        }
    }

    #[test]
    fn the_port_is_free_shared_held_or_forbidden() {
        let in_use = Err(io::ErrorKind::AddrInUse);
        let denied = Err(io::ErrorKind::PermissionDenied);
        let stranger = Holder {
            process: None,
            has_v6: false,
            ..avahi()
        };
        let cases = [
            facts(Ok(()), Ok(())),
            PortFacts {
                holders: vec![avahi()],
                ..facts(Ok(()), Ok(()))
            },
            PortFacts {
                holders: vec![avahi(), stranger.clone()],
                ..facts(Ok(()), Ok(()))
            },
            PortFacts {
                holders: vec![avahi()],
                ..facts(in_use, in_use)
            },
            PortFacts {
                holders: vec![stranger],
                ..facts(in_use, Ok(()))
            },
            facts(in_use, Ok(())),
            facts(denied, denied),
            facts(Ok(()), Err(io::ErrorKind::Unsupported)),
        ];
        let told: Vec<String> = cases.iter().map(|one| transcript(&check(one))).collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn datagrams_that_others_take_are_told() {
        assert_eq!(steals(8, 8), None);
        assert_eq!(steals(8, 0), None);
        assert_eq!(steals(0, 0), None);
        let some: Vec<_> = steals(8, 5).into_iter().collect();
        assert!(transcript(&some).starts_with("warn   another program takes"));
    }

    #[test]
    fn sockets_on_the_port_are_read_from_the_table_of_the_kernel() {
        let table = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  204: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   107        0 21001 2 0000000000000000 0
  900: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 21002 2 0000000000000000 0
  204: 00000000000000000000000000000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 21003 2 0 0
  205: nonsense
";
        assert_eq!(sockets(table), [(107, 21_001), (0, 21_003)]);
        assert_eq!(sockets(""), []);
    }

    #[test]
    fn a_name_of_a_program_cannot_steer_the_terminal() {
        let hostile = Holder {
            process: Some(("\u{1b}[2J".into(), 7)),
            ..avahi()
        };
        assert_eq!(hostile.shown(), "\\027[2J (pid 7)");
    }
}
