//! `cooee doctor` on hosts where something is broken: it must name the fault, and call a healthy network healthy.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::cooee::Cooee;
use super::network::{Host, INTERFACE, Lab};
use super::process::Process;
use super::scenarios::OFFERS;
use super::stack::Stack as _;
use super::{Outcome, Scenario};
use crate::workspace;

const TWO_HOSTS: &[&str] = &["ash", "elm"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "doctor: a healthy network",
        needs: &[],
        hosts: TWO_HOSTS,
        run: healthy,
    },
    Scenario {
        name: "doctor: no link up",
        needs: &[],
        hosts: TWO_HOSTS,
        run: no_link,
    },
    Scenario {
        name: "doctor: no MULTICAST flag",
        needs: &[],
        hosts: TWO_HOSTS,
        run: no_multicast,
    },
    Scenario {
        name: "doctor: port 5353 held",
        needs: &["python3"],
        hosts: TWO_HOSTS,
        run: port_held,
    },
    Scenario {
        name: "doctor: a rule of nft drops 5353",
        needs: &["nft"],
        hosts: TWO_HOSTS,
        run: dropped_by_nft,
    },
    Scenario {
        name: "doctor: iptables lets nothing in",
        needs: &["iptables", "iptables-save"],
        hosts: TWO_HOSTS,
        run: dropped_by_iptables,
    },
    Scenario {
        name: "doctor: IPv6 switched off",
        needs: &[],
        hosts: TWO_HOSTS,
        run: ipv6_off,
    },
    Scenario {
        name: "doctor: too many memberships",
        needs: &[],
        hosts: TWO_HOSTS,
        run: too_many_memberships,
    },
    Scenario {
        name: "doctor: default route into a VPN",
        needs: &[],
        hosts: TWO_HOSTS,
        run: vpn,
    },
    Scenario {
        name: "doctor: nobody there",
        needs: &[],
        hosts: &["ash"],
        run: nobody,
    },
    Scenario {
        name: "doctor: two interfaces on one network",
        needs: &[],
        hosts: TWO_HOSTS,
        run: same_link,
    },
    Scenario {
        name: "doctor: a port that is shared",
        needs: &["python3"],
        hosts: TWO_HOSTS,
        run: port_shared,
    },
];

/// It listens for three seconds, and reads the rules of the packet filter twice.
const LIMIT: Duration = Duration::from_secs(20);

/// What the doctor said.
struct Report {
    code: Option<i32>,
    findings: Vec<Value>,
}

fn examine(lab: &Lab, options: &[&str]) -> Outcome<Report> {
    let doctor = Cooee::on(lab, "ash")?.by_default();
    let mut process = doctor.start("doctor", options)?;
    let code = process.wait_for_end(LIMIT)?.code();
    let lines = process.lines().iter();
    let findings = lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["event"] == "finding")
        .collect();
    Ok(Report { code, findings })
}

impl Report {
    /// It found this, at this level, with these words in it; gives the sentence.
    fn has(&self, check: &str, level: &str, words: &str) -> Outcome<&str> {
        self.findings
            .iter()
            .filter(|finding| finding["check"] == check && finding["level"] == level)
            .filter_map(|finding| finding["text"].as_str())
            .find(|text| text.contains(words))
            .ok_or_else(|| format!("no {level} {check:?} with {words:?} in:\n{}", self.shown()))
    }

    /// The names of those at this level.
    fn at(&self, level: &str) -> Vec<&str> {
        self.findings
            .iter()
            .filter(|finding| finding["level"] == level)
            .filter_map(|finding| finding["check"].as_str())
            .collect()
    }

    fn ends_with(&self, code: i32) -> Outcome {
        if self.code == Some(code) {
            Ok(())
        } else {
            Err(format!(
                "ended with {:?}, not {code}:\n{}",
                self.code,
                self.shown()
            ))
        }
    }

    /// Faults, each of them among these.
    fn only_faults(&self, expected: &[&str]) -> Outcome {
        let faults = self.at("fault");
        if !faults.is_empty() && faults.iter().all(|fault| expected.contains(fault)) {
            Ok(())
        } else {
            Err(format!(
                "faults {faults:?}, not {expected:?}:\n{}",
                self.shown()
            ))
        }
    }

    fn shown(&self) -> String {
        let lines: Vec<String> = self
            .findings
            .iter()
            .map(|one| format!("{} {} {}", one["level"], one["check"], one["text"]))
            .collect();
        lines.join("\n")
    }
}

/// Somebody on the other host who answers.
fn neighbour(lab: &Lab) -> Outcome<super::stack::Publication> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    Cooee::on(lab, "elm")?.publish(offer)
}

fn healthy(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    let report = examine(lab, &[])?;
    report.ends_with(0)?;
    report.has("link-used", "ok", INTERFACE)?;
    report.has("port-free", "ok", "free")?;
    report.has("loopback-test", "ok", "IPv4 and IPv6")?;
    let answers = report.has("answers", "ok", "1 other machine")?;
    match report.at("warn").as_slice() {
        [] => Ok(answers.to_owned()),
        _ => Err(report.shown()),
    }
}

fn no_link(lab: &Lab) -> Outcome<String> {
    lab.configure_bridges("link set ash down\n")?;
    let report = examine(lab, &[])?;
    report.ends_with(3)?;
    report.only_faults(&["no-link"])?;
    let down = report.has("link-down", "warn", "no carrier")?;
    Ok(down.to_owned())
}

fn no_multicast(lab: &Lab) -> Outcome<String> {
    lab.host("ash")?
        .configure(&format!("link set {INTERFACE} multicast off\n"))?;
    let report = examine(lab, &[])?;
    report.ends_with(3)?;
    report.only_faults(&["no-link", "no-multicast"])?;
    report
        .has("no-multicast", "fault", INTERFACE)
        .map(str::to_owned)
}

/// A program on ash with sockets of both families on the port, shared or not.
fn holder(ash: &Host, option: &str) -> Outcome<Process> {
    let program = format!(
        "import socket,time\n\
         held=[]\n\
         for family,address in (socket.AF_INET,'0.0.0.0'),(socket.AF_INET6,'::'):\n \
         s=socket.socket(family,socket.SOCK_DGRAM)\n \
         if family==socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,1)\n \
         {option}\n \
         s.bind((address,5353))\n \
         held.append(s)\n\
         print('held',flush=True)\ntime.sleep(600)\n"
    );
    let mut command = ash.command("python3".as_ref());
    let mut holder = ash.start("holder", command.args(["-c", &program]))?;
    let limit = Duration::from_secs(10);
    holder.wait_for("hold", limit, |line| (line.text == "held").then_some(()))?;
    Ok(holder)
}

fn port_held(lab: &Lab) -> Outcome<String> {
    let _holder = holder(lab.host("ash")?, "pass")?;
    let report = examine(lab, &[])?;
    report.ends_with(3)?;
    report.only_faults(&["port-held"])?;
    report
        .has("port-held", "fault", "held by python3")
        .map(str::to_owned)
}

fn port_shared(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    let share = "s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)";
    let _holder = holder(lab.host("ash")?, share)?;
    let report = examine(lab, &[])?;
    report.ends_with(0)?;
    if !report.at("warn").is_empty() {
        return Err(report.shown());
    }
    report
        .has("port-shared", "note", "shared with python3")
        .map(str::to_owned)
}

fn in_host(lab: &Lab, words: &[&str]) -> Outcome {
    let ash = lab.host("ash")?;
    let [program, arguments @ ..] = words else {
        return Err("wants a program".into());
    };
    workspace::run(Command::args(&mut ash.command(program.as_ref()), arguments))
}

fn dropped_by_nft(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    in_host(lab, &["nft", "add table inet filter"])?;
    in_host(
        lab,
        &[
            "nft",
            "add chain inet filter input { type filter hook input priority 0; policy accept; }",
        ],
    )?;
    in_host(
        lab,
        &[
            "nft",
            "add rule inet filter input udp dport 5353 counter drop",
        ],
    )?;
    let report = examine(lab, &[])?;
    report.ends_with(3)?;
    report.only_faults(&["firewall", "loopback-test"])?;
    report.has("loopback-test", "fault", "did not come back")?;
    report
        .has(
            "firewall",
            "fault",
            "`udp dport 5353 drop` in inet/filter/input drops multicast DNS, counter rose by",
        )
        .map(str::to_owned)
}

fn dropped_by_iptables(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    in_host(
        lab,
        &["iptables", "-A", "INPUT", "-i", "lo", "-j", "ACCEPT"],
    )?;
    in_host(lab, &["iptables", "-P", "INPUT", "DROP"])?;
    let report = examine(lab, &[])?;
    report.ends_with(3)?;
    report.only_faults(&["firewall", "loopback-test"])?;
    report.has("loopback-test", "fault", "over IPv4 did not come back")?;
    report
        .has("firewall", "fault", "policy drop")
        .map(str::to_owned)
}

fn ipv6_off(lab: &Lab) -> Outcome<String> {
    for host in TWO_HOSTS {
        let host = lab.host(host)?;
        host.sysctl("net.ipv6.conf.all.disable_ipv6", "1")?;
    }
    let _theirs = neighbour(lab)?;
    let report = examine(lab, &[])?;
    report.ends_with(0)?;
    report.has("loopback-test", "ok", "over IPv4")?;
    report.has("ipv6-off", "note", INTERFACE).map(str::to_owned)
}

fn too_many_memberships(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    // One socket after the other may hold as many as the limit says: only at zero is there no way.
    lab.host("ash")?
        .sysctl("net.ipv4.igmp_max_memberships", "0")?;
    let report = examine(lab, &[])?;
    report.ends_with(0)?;
    report
        .has("join-failed", "warn", "224.0.0.251 cannot be joined")
        .map(str::to_owned)
}

fn vpn(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    lab.host("ash")?.configure(
        "tuntap add dev tun7 mode tun\n\
         link set tun7 up\n\
         addr add 198.51.100.1 peer 198.51.100.2 dev tun7\n\
         route add default dev tun7\n",
    )?;
    let report = examine(lab, &[])?;
    report.ends_with(0)?;
    report
        .has("vpn", "note", "the default route is tun7")
        .map(str::to_owned)
}

fn nobody(lab: &Lab) -> Outcome<String> {
    let report = examine(lab, &["-w", "1500ms"])?;
    report.ends_with(1)?;
    let silent = report.has("silent-link", "note", "no packet heard")?;
    let listening = examine(lab, &["--no-send", "-w", "500ms"])?;
    listening.ends_with(1)?;
    match listening.has("loopback-test", "ok", "") {
        Ok(text) => Err(format!("sent something: {text}")),
        Err(_) => Ok(silent.to_owned()),
    }
}

fn same_link(lab: &Lab) -> Outcome<String> {
    let _theirs = neighbour(lab)?;
    let ash = lab.host("ash")?;
    lab.add_interface(ash, "lab1", Some("br0"))?;
    ash.configure(
        "addr add 192.0.2.99/24 dev lab1\n\
         addr add fe80::99/64 dev lab1 nodad\n",
    )?;
    let report = examine(lab, &[])?;
    report.ends_with(0)?;
    report
        .has("same-link", "note", "are one network")
        .map(str::to_owned)
}
