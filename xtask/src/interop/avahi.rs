//! Avahi on a host of the lab: its daemon with a D-Bus of its own, and its command line tools.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::network::{Host, INTERFACE};
use super::process::{Line, Process};
use super::stack::{Browser, Offer, Publication, Seen, Stack};
use crate::workspace::{self, Outcome};

/// The programs without which there is no Avahi here.
pub(super) const PROGRAMS: &[&str] = &[
    "avahi-browse",
    "avahi-daemon",
    "avahi-publish",
    "avahi-resolve",
    "dbus-daemon",
    "stdbuf",
];

/// Start of the daemon, or a name that becomes its own: far above what it takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A daemon that runs.
pub(super) struct Avahi<'lab> {
    host: &'lab Host,
    bus_address: String,
    daemon: std::cell::RefCell<Process>,
    _bus: Process,
}

impl<'lab> Avahi<'lab> {
    /// Starts a bus and a daemon, and returns when the host name is established.
    pub(super) fn start(host: &'lab Host) -> Outcome<Self> {
        let socket = host.folder.join("bus");
        // One that was here before has left it behind.
        let _ = std::fs::remove_file(&socket);
        let bus_address = format!("unix:path={}", socket.display());
        let settings = written(host, "bus.conf", &bus_settings(&bus_address))?;
        let mut command = host.command(Path::new("dbus-daemon"));
        command
            .arg("--config-file")
            .arg(settings)
            .args(["--nofork", "--print-address"]);
        let mut bus = host.start("dbus-daemon", &mut command)?;
        bus.wait_for("address", PATIENCE, |line| {
            line.text.starts_with("unix:").then_some(())
        })?;

        let settings = written(host, "avahi.conf", &daemon_settings(&host.name))?;
        let daemon =
            workspace::find_program("avahi-daemon").ok_or("avahi-daemon is not installed")?;
        let mut command = host.command(Path::new("sh"));
        // Its socket and process number have fixed places below /run, which all hosts share: this process gets its own.
        command
            .args(["-c", "mount -t tmpfs tmpfs /run && exec \"$0\" \"$@\""])
            .arg(daemon)
            .args(["--no-drop-root", "--no-chroot", "--no-rlimits", "--file"])
            .arg(settings)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &bus_address);
        let mut daemon = host.start("avahi-daemon", &mut command)?;
        daemon.wait_for("start-up", PATIENCE, |line| {
            line.text.contains("Server startup complete").then_some(())
        })?;
        Ok(Self {
            host,
            bus_address,
            daemon: daemon.into(),
            _bus: bus,
        })
    }

    /// Ends the daemon as the system does, with goodbyes.
    pub(super) fn stop(self) -> Outcome {
        let mut daemon = self.daemon.into_inner();
        daemon.signal("TERM")?;
        daemon.wait_for_end(PATIENCE).map(drop)
    }

    /// That it never had to change a name.
    pub(super) fn check_no_conflict(&self) -> Outcome {
        if self.daemon.borrow_mut().has_said("onflict") {
            return Err(format!("Avahi on {} met a conflict", self.host.name));
        }
        Ok(())
    }

    /// What is there now, in lines for scripts; it ends by itself.
    pub(super) fn list(&self, kind: &str) -> Outcome<Process> {
        let mut command = self.tool("avahi-browse");
        command.args(["-prtk", kind]);
        self.host.start("avahi-browse", &mut command)
    }

    fn tool(&self, name: &str) -> Command {
        // In a pipe the tools would keep what they found in a buffer of 4096 bytes.
        let mut command = self.host.command(Path::new("stdbuf"));
        command
            .args(["--output=L", name])
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus_address);
        command
    }

    /// The addresses of a host name, asked for one family after the other.
    fn addresses(&self, name: &str) -> Outcome<Vec<IpAddr>> {
        ["-4", "-6"]
            .map(|family| self.address(name, family))
            .into_iter()
            .collect()
    }

    fn address(&self, name: &str, family: &str) -> Outcome<IpAddr> {
        let mut command = self.tool("avahi-resolve");
        let mut process = self
            .host
            .start("avahi-resolve", command.args([family, "--name", name]))?;
        process.wait_for(&format!("{family} address of {name}"), PATIENCE, |line| {
            line.text.split_once('\t')?.1.trim().parse().ok()
        })
    }
}

impl Stack for Avahi<'_> {
    fn publish(&self, offer: &Offer) -> Outcome<Publication> {
        let mut command = self.tool("avahi-publish");
        command
            .args(["--service", offer.name, offer.kind, &offer.port.to_string()])
            .args(offer.txt);
        let mut process = self.host.start("avahi-publish", &mut command)?;
        process.wait_for("establishment", PATIENCE, |line| {
            line.text.starts_with("Established under").then_some(())
        })?;
        Ok(Publication {
            process,
            host: format!("{}.local", self.host.name),
        })
    }

    fn browse(&self, kind: &str) -> Outcome<Box<dyn Browser + '_>> {
        let mut command = self.tool("avahi-browse");
        command.args(["--resolve", "--parsable", "--no-db-lookup", kind]);
        let process = self.host.start("avahi-browse", &mut command)?;
        Ok(Box::new(Browse {
            avahi: self,
            process,
            rows: BTreeMap::new(),
        }))
    }
}

struct Browse<'lab> {
    avahi: &'lab Avahi<'lab>,
    process: Process,
    /// What was resolved, by instance and protocol ("IPv4", "IPv6").
    rows: BTreeMap<(String, String), Seen>,
}

impl Browser for Browse<'_> {
    fn found(&mut self, names: &[&str], limit: Duration) -> Outcome<BTreeMap<String, Seen>> {
        let rows = &mut self.rows;
        self.process
            .wait_for(&format!("{names:?} on both protocols"), limit, |line| {
                let row = Row::read(line)?;
                if row.sign == "=" {
                    rows.insert((row.name, row.protocol), row.seen);
                }
                let complete = |name: &&str| {
                    ["IPv4", "IPv6"].iter().all(|protocol| {
                        rows.contains_key(&((*name).to_owned(), (*protocol).to_owned()))
                    })
                };
                names.iter().all(complete).then_some(())
            })?;
        let mut all: BTreeMap<String, Seen> = BTreeMap::new();
        for ((name, _), seen) in std::mem::take(&mut self.rows) {
            let whole = all.entry(name).or_default();
            let addresses = std::mem::take(&mut whole.addresses);
            *whole = seen;
            whole.addresses.extend(addresses);
        }
        // A row has one address only, of whichever family was there first.
        for seen in all.values_mut() {
            seen.addresses.extend(self.avahi.addresses(&seen.host)?);
        }
        Ok(all)
    }

    fn removed(&mut self, name: &str, limit: Duration) -> Outcome {
        let mut still = vec!["IPv4", "IPv6"];
        self.process.wait_for(
            &format!("removal of {name} on both protocols"),
            limit,
            |line| {
                let row = Row::read(line)?;
                if row.sign == "-" && row.name == name {
                    still.retain(|protocol| *protocol != row.protocol);
                }
                still.is_empty().then_some(())
            },
        )
    }
}

/// A line of `avahi-browse --parsable`: `sign;interface;protocol;name;type;domain`, and when resolved
/// `;host;address;port;txt`.
struct Row {
    sign: String,
    protocol: String,
    name: String,
    seen: Seen,
}

impl Row {
    fn read(line: &Line) -> Option<Self> {
        let mut fields = line.text.splitn(10, ';');
        let sign = fields.next()?.to_owned();
        if fields.next()? != INTERFACE {
            return None;
        }
        let protocol = fields.next()?.to_owned();
        let name = unescape(fields.next()?);
        let mut seen = Seen {
            kind: fields.next()?.to_owned(),
            ..Seen::default()
        };
        let _domain = fields.next()?;
        if sign == "=" {
            seen.host = fields.next()?.to_owned();
            seen.addresses.insert(fields.next()?.parse().ok()?);
            seen.port = fields.next()?.parse().ok()?;
            seen.txt = quoted_strings(fields.next()?);
        }
        Some(Self {
            sign,
            protocol,
            name,
            seen,
        })
    }
}

/// Undoes `\DDD` and `\x`.
fn unescape(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            octets.push(first);
            continue;
        }
        let number = after
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        match (number, after.split_first()) {
            (Some(octet), _) => {
                octets.push(octet);
                rest = &after[3..];
            }
            (None, Some((&plain, after))) => {
                octets.push(plain);
                rest = after;
            }
            (None, None) => {}
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// Splits `"a=b" "c"` into its strings.
pub(super) fn quoted_strings(text: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut present: Option<String> = None;
    let mut escaped = false;
    for c in text.chars() {
        match (&mut present, c) {
            (None, '"') => present = Some(String::new()),
            (None, _) => {}
            (Some(_), '"') if !escaped => {
                strings.extend(present.take().map(|string| unescape(&string)))
            }
            (Some(string), c) => {
                string.push(c);
                escaped = c == '\\' && !escaped;
            }
        }
    }
    strings
}

fn written(host: &Host, name: &str, text: &str) -> Outcome<PathBuf> {
    let file = host.folder.join(name);
    std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

fn bus_settings(address: &str) -> String {
    format!(
        "<busconfig>\
         <listen>{address}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\">\
         <allow user=\"*\"/><allow own=\"*\"/><allow send_type=\"method_call\"/><allow send_type=\"signal\"/>\
         <allow send_requested_reply=\"true\"/><allow receive_requested_reply=\"true\"/>\
         <allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
         </policy></busconfig>\n"
    )
}

/// As Debian ships it, but for the host name and what would reach beyond this host.
fn daemon_settings(host: &str) -> String {
    format!(
        "[server]\n\
         host-name={host}\n\
         use-ipv4=yes\n\
         use-ipv6=yes\n\
         allow-interfaces={INTERFACE}\n\
         ratelimit-interval-usec=1000000\n\
         ratelimit-burst=1000\n\
         [wide-area]\n\
         enable-wide-area=no\n\
         [publish]\n\
         publish-hinfo=no\n\
         publish-workstation=no\n\
         [reflector]\n\
         enable-reflector=no\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolved_row_gives_name_and_txt_as_published() {
        let text = "=;lab0;IPv4;Gr\\195\\182\\195\\159e\\.1\\032;_http._tcp;local;ash.local;192.0.2.10;80;\"a=\\\"b\" \"c\"";
        let row = Row::read(&Line {
            heard: std::time::Instant::now(),
            text: text.into(),
        })
        .expect("a whole row");
        assert_eq!(row.name, "Größe.1 ");
        assert_eq!(row.seen.port, 80);
        assert_eq!(row.seen.txt, ["a=\"b", "c"]);
    }

    #[test]
    fn rows_of_other_interfaces_and_other_lines_are_none() {
        for text in ["=;lo;IPv4;a;_http._tcp;local", "Failed", ""] {
            let line = Line {
                heard: std::time::Instant::now(),
                text: text.into(),
            };
            assert!(Row::read(&line).is_none(), "{text}");
        }
    }
}
