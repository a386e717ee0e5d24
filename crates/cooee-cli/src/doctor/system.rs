//! What the system says: files of the kernel, other processes, rules of the packet filter. Whatever cannot be read is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use tokio::process::Command;

use super::firewall::{self, Ruleset};
use super::port::{self, Holder};
use super::surroundings;

/// Another program may hang.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who has sockets on port 5353; ask before opening one.
pub(super) fn holders() -> Vec<Holder> {
    let of = |table| port::sockets(&read(table));
    let (v4, v6) = (of("/proc/net/udp"), of("/proc/net/udp6"));
    let inodes: BTreeSet<u64> = v4.iter().chain(&v6).map(|(_, inode)| *inode).collect();
    let owners = if inodes.is_empty() {
        BTreeMap::new()
    } else {
        owners(&inodes)
    };
    let mut holders: Vec<Holder> = Vec::new();
    for (is_v4, sockets) in [(true, v4), (false, v6)] {
        for (uid, inode) in sockets {
            let process = owners.get(&inode).cloned();
            let known = holders
                .iter_mut()
                .find(|one| one.process == process && one.uid == uid);
            match known {
                Some(holder) => {
                    holder.has_v4 |= is_v4;
                    holder.has_v6 |= !is_v4;
                }
                None => holders.push(Holder {
                    uid,
                    process,
                    has_v4: is_v4,
                    has_v6: !is_v4,
                }),
            }
        }
    }
    holders.sort();
    holders
}

/// The processes with these sockets, as far as we may look.
fn owners(inodes: &BTreeSet<u64>) -> BTreeMap<u64, (String, u32)> {
    let mut owners = BTreeMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let files = fs::read_dir(process.path().join("fd"));
        for file in files.into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(file.path()) else {
                continue;
            };
            let inode = target.to_str().and_then(|target| {
                let inode = target.strip_prefix("socket:[")?.strip_suffix(']')?;
                inode.parse().ok()
            });
            if let Some(inode) = inode.filter(|inode| inodes.contains(inode)) {
                let name = read(process.path().join("comm")).trim_end().to_owned();
                owners.insert(inode, (name, pid));
            }
        }
    }
    owners
}

/// How many IPv4 groups one socket may join.
pub(super) fn max_memberships() -> Option<u64> {
    let limit = read("/proc/sys/net/ipv4/igmp_max_memberships");
    limit.trim().parse().ok()
}

/// The groups that are joined on each interface.
pub(super) fn memberships() -> BTreeMap<String, u64> {
    count_memberships(&read("/proc/net/igmp"))
}

/// Lines such as `2 eth0 : 3 V3`; those of the groups below each begin with white space.
fn count_memberships(table: &str) -> BTreeMap<String, u64> {
    let lines = table.lines().skip(1);
    let interfaces = lines.filter(|line| !line.starts_with(char::is_whitespace));
    interfaces
        .filter_map(|line| {
            let (front, back) = line.split_once(':')?;
            let name = front.split_ascii_whitespace().nth(1)?;
            let count = back.split_ascii_whitespace().next()?;
            Some((name.to_owned(), count.parse().ok()?))
        })
        .collect()
}

/// The interfaces that are radios.
pub(super) fn wireless() -> BTreeSet<String> {
    let table = read("/proc/net/wireless");
    let names = table
        .lines()
        .skip(2)
        .filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

/// Whether IPv6 is switched off on an interface, or everywhere.
#[cfg(target_os = "linux")]
pub(super) fn is_ipv6_off(interface: &str) -> bool {
    let file = format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6");
    fs::read_to_string(file).map_or(true, |text| text.trim() == "1")
}

/// It is not known.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_ipv6_off(_: &str) -> bool {
    false
}

/// The interface of the default route, of IPv4 before IPv6.
pub(super) fn default_route() -> Option<String> {
    let v4 = read("/proc/net/route");
    let v6 = read("/proc/net/ipv6_route");
    let interface = surroundings::default_v4(&v4).or_else(|| surroundings::default_v6(&v6));
    interface.map(str::to_owned)
}

/// What says that this is a container.
pub(super) fn container() -> Option<String> {
    let environment = fs::read("/proc/1/environ").unwrap_or_default();
    surroundings::container(&environment, |mark| fs::exists(mark).unwrap_or(false))
}

/// The computer's name in multicast DNS.
pub(super) fn host() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    let label = name.as_deref().and_then(|name| name.split('.').next());
    match label {
        Some(label) if !label.is_empty() => format!("{label}.local"),
        _ => "computer.local".into(),
    }
}

/// The rules of the packet filter, if we may read them.
pub(super) async fn ruleset() -> Option<Ruleset> {
    let nft = output("nft", &["-j", "list", "ruleset"]).await;
    // Rules that iptables has made are known best by itself.
    let nft = nft.filter(|json| !json.contains("\"xt\""));
    let mut rulesets = Vec::new();
    rulesets.extend(nft.as_deref().and_then(firewall::parse_nft));
    if rulesets.is_empty() {
        for (save, program) in [
            ("iptables-save", "iptables"),
            ("ip6tables-save", "ip6tables"),
        ] {
            let saved = output(save, &["-c"]).await;
            rulesets.extend(saved.map(|saved| firewall::parse_iptables(&saved, program)));
        }
    }
    rulesets.into_iter().reduce(Ruleset::joined)
}

/// Whether the system itself finds the addresses of a host; nothing if it cannot be asked.
pub(super) async fn getent(host: &str) -> Option<bool> {
    let mut command = Command::new("getent");
    let asked = run(command.args(["hosts", "--", host])).await;
    asked.map(|output| output.status.success())
}

async fn output(program: &str, arguments: &[&str]) -> Option<String> {
    // A shell without root has no /sbin in its path.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let mut command = Command::new(program);
    let output = run(command.args(arguments).env("PATH", path)).await?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn run(command: &mut Command) -> Option<std::process::Output> {
    let command = command
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    output.ok()?.ok()
}

fn read(file: impl AsRef<std::path::Path>) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_are_counted_by_interface() {
        let table = "\
Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
1\tlo        :     1      V3
\t\t\t\t010000E0     1 0:00000000\t\t0
2\teth0      :     2      V3
\t\t\t\tFB0000E0     1 0:00000000\t\t0
\t\t\t\t010000E0     1 0:00000000\t\t0
";
        assert_eq!(
            count_memberships(table),
            BTreeMap::from([("eth0".into(), 2), ("lo".into(), 1)])
        );
        assert!(count_memberships("").is_empty());
    }
}
