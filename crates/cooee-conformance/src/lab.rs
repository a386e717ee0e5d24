//! Two network namespaces and a cable between them: one for the tester, one for the subject.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::sched::{CloneFlags, setns};

use crate::link::ip;
use crate::run::Place;
use crate::subject::Launch;

/// The tester's interface, in its namespace.
const TESTER: &str = "tester0";
/// The subject's interface, in its namespace.
const SUBJECT: &str = "subject0";
/// Another one that the subject has, on another link.
const ELSEWHERE: &str = "other0";

/// A link of its own. Dropping it removes it.
#[derive(Debug)]
pub struct Lab {
    tester: String,
    subject: String,
}

impl Lab {
    /// The IPv4 addresses of the tester: several hosts, as far as the subject can tell.
    pub const HOSTS: [Ipv4Addr; 4] = [
        Ipv4Addr::new(192, 0, 2, 1),
        Ipv4Addr::new(192, 0, 2, 2),
        Ipv4Addr::new(192, 0, 2, 3),
        Ipv4Addr::new(192, 0, 2, 4),
    ];
    /// An address of the tester that is of no network of the link. The subject has a route to it.
    pub const STRANGER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
    /// The addresses of the subject on the link.
    pub const SUBJECT: [IpAddr; 3] = [
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0x5353, 0, 0, 0, 10)),
        IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 10)),
    ];
    /// The address of the subject on a link that the tester is not on.
    pub const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);

    /// Makes the lab with this number; numbers are apart from those of other processes.
    ///
    /// # Errors
    /// If the process is not root, or `ip` is missing.
    pub fn new(number: usize) -> io::Result<Self> {
        let stem = format!("cooee-{}-{number}", std::process::id());
        let lab = Self {
            tester: format!("{stem}-tester"),
            subject: format!("{stem}-subject"),
        };
        ip(&["netns", "add", &lab.tester])?;
        ip(&["netns", "add", &lab.subject])?;
        lab.at_tester(&[
            "link",
            "add",
            TESTER,
            "type",
            "veth",
            "peer",
            "name",
            SUBJECT,
            "netns",
            &lab.subject,
        ])?;
        // Addresses are given, not derived, and not checked for duplicates: they can be used at once.
        for (end, own) in [(&lab.tester, TESTER), (&lab.subject, SUBJECT)] {
            ip(&["-n", end, "link", "set", "lo", "up"])?;
            ip(&["-n", end, "link", "set", own, "addrgenmode", "none", "up"])?;
        }
        for host in Self::HOSTS {
            lab.at_tester(&["addr", "add", &format!("{host}/24"), "dev", TESTER])?;
        }
        let stranger = format!("{}/32", Self::STRANGER);
        lab.at_tester(&["addr", "add", &stranger, "dev", TESTER])?;
        for host in ["2001:db8:0:5353::1/64", "fe80::1/64"] {
            lab.at_tester(&["addr", "add", host, "dev", TESTER, "nodad"])?;
        }
        let v4 = format!("{}/24", Self::SUBJECT[0]);
        lab.at_subject(&["addr", "add", &v4, "dev", SUBJECT])?;
        SubjectSide(&lab.subject).complete()?;
        let far = "far0";
        lab.at_subject(&[
            "link", "add", ELSEWHERE, "type", "veth", "peer", "name", far,
        ])?;
        for end in [ELSEWHERE, far] {
            lab.at_subject(&["link", "set", end, "addrgenmode", "none", "up"])?;
        }
        let elsewhere = format!("{}/24", Self::ELSEWHERE);
        lab.at_subject(&["addr", "add", &elsewhere, "dev", ELSEWHERE])?;
        Ok(lab)
    }

    /// Takes the calling thread into the tester's namespace, for good.
    ///
    /// # Errors
    /// What the system says.
    pub fn enter(&self) -> io::Result<()> {
        let namespace = File::open(format!("/var/run/netns/{}", self.tester))?;
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        Ok(())
    }

    /// Where the tests meet a subject that is started by this command line.
    pub fn place(&self, command: &str) -> Place {
        Place {
            interface: TESTER.to_owned(),
            launch: Launch {
                command: command.to_owned(),
                interface: SUBJECT.to_owned(),
                namespace: Some(self.subject.clone()),
            },
            subject_addresses: Self::SUBJECT.to_vec(),
        }
    }

    fn at_tester(&self, words: &[&str]) -> io::Result<()> {
        ip(&[&["-n", &self.tester], words].concat())
    }

    fn at_subject(&self, words: &[&str]) -> io::Result<()> {
        ip(&[&["-n", &self.subject], words].concat())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for namespace in [&self.subject, &self.tester] {
            // One that was not made cannot be removed.
            let _ = ip(&["netns", "delete", namespace]);
        }
    }
}

/// The subject's machine, as its operator sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubjectSide<'a>(pub(crate) &'a str);

impl SubjectSide<'_> {
    /// Takes its interface down.
    pub(crate) fn down(self) -> io::Result<()> {
        self.ip(&["link", "set", SUBJECT, "down"])
    }

    /// Brings its interface up, with all addresses and routes that it had.
    pub(crate) fn up(self) -> io::Result<()> {
        self.ip(&["link", "set", SUBJECT, "up"])?;
        self.complete()
    }

    /// Gives its interface an address more, or takes it away.
    pub(crate) fn address(self, what: &str, address: Ipv4Addr) -> io::Result<()> {
        self.ip(&["addr", what, &format!("{address}/24"), "dev", SUBJECT])
    }

    /// What an interface loses when it goes down.
    fn complete(self) -> io::Result<()> {
        for address in Lab::SUBJECT.iter().filter(|address| address.is_ipv6()) {
            let address = format!("{address}/64");
            self.ip(&["addr", "add", &address, "dev", SUBJECT, "nodad"])?;
        }
        // An answer to the stranger would find its way: whether one is sent is up to the subject.
        let gateway = Lab::HOSTS[0].to_string();
        self.ip(&["route", "add", "default", "via", &gateway])
    }

    fn ip(self, words: &[&str]) -> io::Result<()> {
        ip(&[&["-n", self.0], words].concat())
    }
}
