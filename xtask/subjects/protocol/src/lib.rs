//! The line protocol of crates/cooee-conformance/PROTOCOL.md, for stacks in Rust.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::io::{BufRead as _, Write as _};
use std::net::IpAddr;

/// What a command came to.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has no others")]
pub enum Reply {
    /// It is accepted.
    Ok,
    /// It is accepted, and answered with a word.
    Said(String),
    /// The stack cannot do that.
    Unsupported,
    /// It was refused, or failed.
    Error(String),
}

impl<E: std::fmt::Display> From<Result<(), E>> for Reply {
    fn from(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Ok,
            Err(why) => Self::Error(why.to_string()),
        }
    }
}

/// A type and its subtypes: `_http._tcp,_a,_b`.
#[derive(Debug)]
pub struct Kind {
    /// `_http._tcp`
    pub kind: String,
    /// `_a` and `_b`
    pub subtypes: Vec<String>,
}

impl Kind {
    /// Splits the word of a `publish`.
    pub fn read(text: &str) -> Self {
        let mut parts = text.split(',').map(str::to_owned);
        Self {
            kind: parts.next().unwrap_or_default(),
            subtypes: parts.collect(),
        }
    }
}

/// The label that the subject's host is to have.
pub fn host() -> String {
    std::env::var("COOEE_HOST").unwrap_or_else(|_| "subject".into())
}

/// The name of the subject's interface.
pub fn interface() -> String {
    std::env::var("COOEE_INTERFACE").unwrap_or_default()
}

/// The addresses of the subject's interface, as `ip` shows them.
pub fn addresses() -> Vec<IpAddr> {
    let shown = std::process::Command::new("ip")
        .args(["-oneline", "address", "show", "dev", &interface()])
        .output()
        .map(|done| String::from_utf8_lossy(&done.stdout).into_owned())
        .unwrap_or_default();
    // `2: lab0    inet 192.0.2.10/24 brd …`
    let words = shown
        .lines()
        .filter_map(|line| line.split_whitespace().nth(3));
    words
        .filter_map(|word| word.split('/').next()?.parse().ok())
        .collect()
}

/// Writes `event` and these words.
pub fn event(words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
    line(&format!("event {}", words.join(" ")));
}

/// Tells that an instance is resolved.
pub fn resolved(
    name: &str,
    kind: &str,
    host: &str,
    port: u16,
    addresses: impl Iterator<Item = IpAddr>,
    txt: &[String],
) {
    let mut addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
    addresses.sort();
    let addresses = if addresses.is_empty() {
        "-".into()
    } else {
        addresses.join(",")
    };
    let (host, port) = (host.trim_end_matches('.'), port.to_string());
    let mut words = vec!["resolved", name, kind, host, &port, &addresses];
    words.extend(txt.iter().map(String::as_str));
    event(&words);
}

/// Says `ready`, then obeys until the input ends or `quit` is done.
pub fn serve(version: &str, mut obey: impl FnMut(&str, &[&str]) -> Reply) {
    line(&format!("ready {version}"));
    for text in std::io::stdin().lock().lines() {
        let Ok(text) = text else { return };
        let words: Vec<String> = text.split_whitespace().map(unescape).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((&command, arguments)) = words.split_first() else {
            continue;
        };
        line(&match obey(command, arguments) {
            Reply::Ok => "ok".into(),
            Reply::Said(word) => format!("ok {}", escape(&word)),
            Reply::Unsupported => format!("unsupported {command}"),
            Reply::Error(why) => format!("error {}", escape(&why)),
        });
        if command == "quit" {
            return;
        }
    }
}

fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to be told when this fails.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn escape(word: &str) -> String {
    word.bytes()
        .map(|octet| match octet {
            b'%' => "%25".into(),
            b'!'..=b'~' => char::from(octet).to_string(),
            _ => format!("%{octet:02X}"),
        })
        .collect()
}

fn unescape(word: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(octet) if first == b'%' => {
                octets.push(octet);
                rest = &after[2..];
            }
            _ => {
                octets.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
