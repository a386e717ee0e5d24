//! The machine by its public face: records in, questions and events out. Below are the words in which the tests speak.

mod bounds;
mod changes;
mod links;
mod questions;
mod random;
mod resolving;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use cooee_wire::{NameBuf, RdataBuf, RecordBuf, RecordType};

use super::*;
use crate::service_name::ServiceName;
use crate::service_type::ServiceType;

const ETH: Link = Link(1);
const WLAN: Link = Link(2);

/// A browser with somebody who carries its questions.
struct Bench {
    browser: Browser,
    now: Duration,
    asked: BTreeMap<AskId, String>,
}

impl Bench {
    fn new(spec: BrowseSpec) -> Self {
        let mut bench = Self {
            browser: Browser::new(spec),
            now: Duration::ZERO,
            asked: BTreeMap::new(),
        };
        bench.asks();
        bench
    }

    fn http() -> Self {
        Self::new(BrowseSpec::types([ServiceType::tcp("http").unwrap()]))
    }

    /// Goes on to a time in milliseconds, and does on the way what is due.
    fn at(&mut self, millis: u64) -> &mut Self {
        let target = Duration::from_millis(millis);
        while let Some(due) = self.browser.poll_timeout().filter(|due| *due <= target) {
            self.browser.handle_timeout(due);
        }
        self.now = target;
        self
    }

    fn say(&mut self, link: Link, record: &RecordBuf) -> &mut Self {
        self.browser
            .handle_record(self.now, link, record.as_record(), Presence::Present, false);
        self
    }

    fn say_all(&mut self, link: Link, records: &[RecordBuf]) -> &mut Self {
        for record in records {
            self.say(link, record);
        }
        self
    }

    fn say_own(&mut self, link: Link, records: &[RecordBuf]) -> &mut Self {
        for record in records {
            self.browser
                .handle_record(self.now, link, record.as_record(), Presence::Present, true);
        }
        self
    }

    fn gone(&mut self, link: Link, record: &RecordBuf) -> &mut Self {
        self.browser
            .handle_record(self.now, link, record.as_record(), Presence::Gone, false);
        self
    }

    fn deny(&mut self, link: Link, host: &str, kind: RecordType) -> &mut Self {
        self.browser
            .handle_denial(self.now, link, name(host).as_name(), kind);
        self
    }

    /// What is asked anew, and what is no longer: `+ Lobby._http._tcp.local SRV @1`.
    fn asks(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(ask) = self.browser.poll_ask() {
            lines.push(match ask {
                Ask::Start { id, question, link } => {
                    let place = link.map_or_else(String::new, |link| format!(" @{}", link.0));
                    let line = format!("{} {}{place}", question.name, question.kind);
                    self.asked.insert(id, line.clone());
                    format!("+ {line}")
                }
                Ask::Stop { id } => format!(
                    "- {}",
                    self.asked
                        .remove(&id)
                        .expect("only what was started is stopped")
                ),
                Ask::Reconfirm { record, link } => {
                    format!("? {} {} @{}", record.name, record.kind(), link.0)
                }
            });
        }
        lines
    }

    /// All events, one line each: `+ Lobby tabasco.local:8080 192.0.2.1@1 [path=/]`.
    fn events(&mut self) -> Vec<String> {
        core::iter::from_fn(|| self.browser.poll_event())
            .map(|event| line(&event))
            .collect()
    }

    fn found(&mut self) -> Found {
        match self.browser.poll_event() {
            Some(BrowseEvent::Added(found) | BrowseEvent::Updated(found)) => found,
            other => panic!("nothing found: {other:?}"),
        }
    }
}

fn line(event: &BrowseEvent) -> String {
    match event {
        BrowseEvent::Added(found) => format!("+ {}", picture(found)),
        BrowseEvent::Updated(found) => format!("~ {}", picture(found)),
        BrowseEvent::Removed(name) => format!("- {}", name.instance()),
    }
}

fn picture(found: &Found) -> String {
    let views: Vec<_> = found.views().iter().map(view_line).collect();
    format!("{} {}", found.name().instance(), views.join(" | "))
}

fn view_line(view: &View) -> String {
    let addresses: Vec<_> = view
        .addresses
        .iter()
        .map(|found| format!("{}@{}", found.address, found.link.0))
        .collect();
    let txt: Vec<_> = view
        .txt
        .strings()
        .map(|string| string.escape_ascii().to_string())
        .collect();
    format!(
        "{}:{} {} [{}]",
        view.host,
        view.port,
        addresses.join(","),
        txt.join(" ")
    )
}

fn name(text: &str) -> NameBuf {
    text.parse().unwrap()
}

fn ptr(instance: &str) -> RecordBuf {
    let service: ServiceName = instance.parse().unwrap();
    let owner = NameBuf::from_labels(service.as_name().labels().skip(1)).unwrap();
    RecordBuf::new(owner, 4500, RdataBuf::ptr(service.as_name()))
}

fn srv(instance: &str, host: &str, port: u16) -> RecordBuf {
    srv_with(instance, 0, 0, host, port)
}

fn srv_with(instance: &str, priority: u16, weight: u16, host: &str, port: u16) -> RecordBuf {
    let service: ServiceName = instance.parse().unwrap();
    let rdata = RdataBuf::srv(priority, weight, port, name(host).as_name());
    RecordBuf::new(service.as_name_buf().clone(), 120, rdata)
}

fn txt(instance: &str, strings: &[&str]) -> RecordBuf {
    let service: ServiceName = instance.parse().unwrap();
    RecordBuf::new(
        service.as_name_buf().clone(),
        4500,
        RdataBuf::txt(strings.iter().map(|string| string.as_bytes())).unwrap(),
    )
}

fn address(host: &str, address: &str) -> RecordBuf {
    let rdata = match address.parse().unwrap() {
        core::net::IpAddr::V4(address) => RdataBuf::a(address),
        core::net::IpAddr::V6(address) => RdataBuf::aaaa(address),
    };
    RecordBuf::new(name(host), 120, rdata)
}

const LOBBY: &str = "Lobby._http._tcp";

/// All records of `Lobby` on `tabasco.local`, port 80, with both address families.
fn lobby() -> [RecordBuf; 5] {
    [
        ptr(LOBBY),
        srv(LOBBY, "tabasco.local", 80),
        txt(LOBBY, &["path=/"]),
        address("tabasco.local", "192.0.2.1"),
        address("tabasco.local", "2001:db8::1"),
    ]
}

const LOBBY_ADDED: &str = "+ Lobby tabasco.local:80 192.0.2.1@1,2001:db8::1@1 [path=/]";
