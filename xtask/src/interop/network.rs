//! A link of one scenario: a bridge in a namespace of its own, and hosts on it.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Run;
use super::process::{Journal, Process};
use crate::workspace::{self, Outcome};

/// The interface that each host of the lab has.
pub(super) const INTERFACE: &str = "lab0";

/// A bridge with hosts. Dropping it ends its programs and removes its namespaces.
pub(super) struct Lab {
    hosts: Vec<Host>,
    bridge: String,
    folder: PathBuf,
    binary: PathBuf,
    thorough: bool,
    journal: Journal,
    capture: Option<(Process, PathBuf)>,
}

/// A machine on the link: network and host name of its own, file system shared with everybody.
pub(super) struct Host {
    /// Its own name, as `hostname` says it.
    pub(super) name: String,
    namespace: String,
    /// One IPv4, one routable and one link-local IPv6 address.
    addresses: [IpAddr; 3],
    /// A place for its sockets and settings.
    pub(super) folder: PathBuf,
    journal: Journal,
}

impl Lab {
    pub(super) fn new(run: &Run, number: usize, names: &[&str]) -> Outcome<Self> {
        let prefix = format!("{}-{number}", run.prefix);
        let mut lab = Self {
            hosts: Vec::new(),
            bridge: format!("{prefix}-bridge"),
            folder: run.folder.join(number.to_string()),
            binary: run.binary.clone(),
            thorough: run.thorough,
            journal: Journal::new(),
            capture: None,
        };
        namespace(&lab.bridge)?;
        // Without snooping a bridge floods multicast, as an unmanaged switch does.
        configure(
            &lab.bridge,
            "link add br0 type bridge forward_delay 0 mcast_snooping 0\nlink set br0 up\n",
        )?;
        for (index, name) in names.iter().enumerate() {
            let host = lab.add_host(&prefix, name, index)?;
            lab.hosts.push(host);
        }
        Ok(lab)
    }

    fn add_host(&self, prefix: &str, name: &str, index: usize) -> Outcome<Host> {
        let number = u8::try_from(10 + index).map_err(|_| "too many hosts for one link")?;
        let v4 = Ipv4Addr::new(192, 0, 2, number);
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x5353, 0, 0, 0, number.into());
        let local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number.into());
        let namespace_name = format!("{prefix}-{name}");
        namespace(&namespace_name)?;
        // The bridge's end comes up first, so that the host's end has a carrier from the start. Addresses are given, not
        // derived, and not checked for duplicates: they are usable at once and nothing has to be waited for.
        configure(
            &self.bridge,
            &format!(
                "link add {name} type veth peer name {INTERFACE} netns {namespace_name}\n\
                 link set {name} master br0 addrgenmode none up\n"
            ),
        )?;
        configure(
            &namespace_name,
            &format!(
                "link set lo up\n\
                 link set {INTERFACE} addrgenmode none up\n\
                 addr add {v4}/24 brd + dev {INTERFACE}\n\
                 addr add {v6}/64 dev {INTERFACE} nodad\n\
                 addr add {local}/64 dev {INTERFACE} nodad\n"
            ),
        )?;
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Host {
            name: name.to_owned(),
            namespace: namespace_name,
            addresses: [v4.into(), v6.into(), local.into()],
            folder,
            journal: self.journal.clone(),
        })
    }

    /// The host of that name.
    pub(super) fn host(&self, name: &str) -> Outcome<&Host> {
        self.hosts
            .iter()
            .find(|host| host.name == name)
            .ok_or_else(|| format!("this lab has no host {name}"))
    }

    /// All of them, in the order of the scenario.
    pub(super) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// How long a flood lasts in this run.
    pub(super) fn flood_time(&self) -> Duration {
        Duration::from_secs(if self.thorough { 20 } else { 5 })
    }

    /// Starts a program where the bridges are.
    pub(super) fn start_at_bridges(&self, what: &str, words: &[&str]) -> Outcome<Process> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.bridge]).args(words);
        Process::start(what.into(), &mut command, &self.journal)
    }

    /// The command under test.
    pub(super) fn binary(&self) -> &Path {
        &self.binary
    }

    /// Begins to record what crosses the bridge, if tcpdump is installed.
    pub(super) fn capture(&mut self) -> Outcome {
        if workspace::find_program("tcpdump").is_none() {
            return Ok(());
        }
        let file = self.folder.join("bridge.pcap");
        let process = self.tcpdump(&["-U", "-w", &file.display().to_string()])?;
        self.capture = Some((process, file));
        Ok(())
    }

    /// Listens on the bridge: a line or two for each mDNS packet.
    pub(super) fn watch(&self) -> Outcome<Process> {
        self.tcpdump(&["-l", "-nn", "-v"])
    }

    fn tcpdump(&self, options: &[&str]) -> Outcome<Process> {
        let program = workspace::find_program("tcpdump").ok_or("tcpdump is not installed")?;
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.bridge]).arg(program);
        command
            .args(["-i", "br0", "-Z", "root", "--immediate-mode"])
            .args(options);
        command.args(["udp", "port", "5353"]);
        let mut process = Process::start("tcpdump".into(), &mut command, &self.journal)?;
        process.wait_for("start of the capture", Duration::from_secs(5), |line| {
            line.text.contains("listening on").then_some(())
        })?;
        Ok(process)
    }

    /// Gives a host one more interface, on this bridge of the lab (`br0` is the one that all are on) or on none.
    pub(super) fn add_interface(&self, host: &Host, name: &str, bridge: Option<&str>) -> Outcome {
        let far = format!("{}-{name}", host.name);
        let master = bridge.map(|bridge| format!("master {bridge} "));
        self.configure_bridges(&format!(
            "link add {far} type veth peer name {name} netns {}\n\
             link set {far} {}addrgenmode none up\n",
            host.namespace,
            master.unwrap_or_default()
        ))?;
        host.configure(&format!("link set {name} addrgenmode none up\n"))
    }

    /// Commands for `ip` where the bridges are.
    pub(super) fn configure_bridges(&self, commands: &str) -> Outcome {
        configure(&self.bridge, commands)
    }

    /// Saves log and capture under the scenario's name; returns the last lines of the log.
    pub(super) fn keep(&mut self, folder: &Path, scenario: &str) -> String {
        let stem: String = scenario
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        if let Some((mut process, file)) = self.capture.take() {
            // tcpdump writes the rest of its buffer when it is asked to end.
            if process.signal("INT").is_ok() {
                let _ = process.wait_for_end(Duration::from_secs(2));
            }
            let _ = std::fs::copy(file, folder.join(format!("{stem}.pcap")));
        }
        let log = self.journal.text();
        let _ = std::fs::write(folder.join(format!("{stem}.log")), &log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.capture = None;
        for namespace in self
            .hosts
            .iter()
            .map(|host| &host.namespace)
            .chain([&self.bridge])
        {
            remove(namespace);
        }
    }
}

impl Host {
    /// A command that runs on this host; it keeps its process number while it is wrapped, so signals reach the program.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command
            .args([
                "netns",
                "exec",
                &self.namespace,
                "unshare",
                "--uts",
                "sh",
                "-c",
            ])
            .arg("echo \"$0\" >/proc/sys/kernel/hostname && exec \"$@\"")
            .arg(&self.name)
            .arg(program);
        command
    }

    /// Commands for `ip` on this host.
    pub(super) fn configure(&self, commands: &str) -> Outcome {
        configure(&self.namespace, commands)
    }

    /// What a file says on this host, such as one of `/proc/net`.
    pub(super) fn read(&self, file: &str) -> Outcome<String> {
        workspace::output(Command::new("ip").args(["netns", "exec", &self.namespace, "cat", file]))
    }

    /// Sets a `sysctl` of this host.
    pub(super) fn sysctl(&self, name: &str, value: &str) -> Outcome {
        let file = format!("/proc/sys/{}", name.replace('.', "/"));
        let words = [
            "netns",
            "exec",
            &self.namespace,
            "sh",
            "-c",
            "echo \"$0\" >\"$1\"",
            value,
            &file,
        ];
        workspace::run(Command::new("ip").args(words))
    }

    /// Starts a command of this host.
    pub(super) fn start(&self, what: &str, command: &mut Command) -> Outcome<Process> {
        Process::start(format!("{what}@{}", self.name), command, &self.journal)
    }

    /// Starts a command that ends with its input: when the process is dropped.
    pub(super) fn start_with_input(&self, what: &str, command: &mut Command) -> Outcome<Process> {
        let name = format!("{what}@{}", self.name);
        Process::start_with(name, command.stdin(Stdio::piped()), &self.journal)
    }

    /// Whether one of its interfaces has this address.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }

    /// Its IPv4 address.
    pub(super) fn ipv4(&self) -> IpAddr {
        self.addresses[0]
    }
}

/// Why this machine lets nobody make a namespace, not even root: a container without the capability.
pub(super) fn cannot_be_made() -> Option<String> {
    let name = format!("cooee-{}-trial", std::process::id());
    let made = workspace::output(Command::new("ip").args(["netns", "add", &name]));
    remove(&name);
    made.err()
        .map(|why| format!("no network namespace can be made: {why}"))
}

/// Ends the programs in every namespace whose name begins so, and removes them.
pub(super) fn remove_all(prefix: &str) {
    let Ok(listed) = workspace::output(Command::new("ip").args(["netns", "list"])) else {
        return;
    };
    // "NAME" or "NAME (id: 0)".
    for name in listed
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with(prefix))
    {
        remove(name);
    }
}

fn remove(namespace: &str) {
    if let Ok(running) = workspace::output(Command::new("ip").args(["netns", "pids", namespace])) {
        for number in running.lines() {
            let _ = Command::new("sh")
                .args(["-c", "kill -s KILL \"$0\"", number])
                .stderr(Stdio::null())
                .status();
        }
    }
    let _ = Command::new("ip")
        .args(["netns", "delete", namespace])
        .stderr(Stdio::null())
        .status();
}

fn namespace(name: &str) -> Outcome {
    workspace::run(Command::new("ip").args(["netns", "add", name]))
}

/// Hands a list of commands to `ip` inside a namespace.
fn configure(namespace: &str, commands: &str) -> Outcome {
    let fault = |error: std::io::Error| format!("ip: {error}");
    let mut child = Command::new("ip")
        .args(["-n", namespace, "-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(commands.as_bytes()).map_err(fault)?;
    }
    let done = child.wait_with_output().map_err(fault)?;
    if done.status.success() {
        Ok(())
    } else {
        Err(format!(
            "ip in {namespace}: {}",
            String::from_utf8_lossy(&done.stderr).trim()
        ))
    }
}
