//! What every mDNS stack of the lab can do, and what one has seen of another.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::network::Host;
use super::process::Process;
use crate::workspace::Outcome;

/// A program, or a daemon with its tools, on one host.
pub(super) trait Stack {
    /// Publishes a service; returns when the stack says that the name is its own.
    fn publish(&self, offer: &Offer) -> Outcome<Publication>;

    /// Begins to browse, with resolving.
    fn browse(&self, kind: &str) -> Outcome<Box<dyn Browser + '_>>;
}

/// A running browse.
pub(super) trait Browser {
    /// Waits until all these instances are found and resolved in both families.
    fn found(&mut self, names: &[&str], limit: Duration) -> Outcome<BTreeMap<String, Seen>>;

    /// Waits until this instance, which was found, is told to be gone.
    fn removed(&mut self, name: &str, limit: Duration) -> Outcome;
}

/// A service to publish.
pub(super) struct Offer {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) port: u16,
    /// The strings of the TXT record, as they stand in it.
    pub(super) txt: &'static [&'static str],
}

/// A published service. Dropping it kills the publisher, without a goodbye of its own.
pub(super) struct Publication {
    pub(super) process: Process,
    /// Where its SRV record points, without the final dot.
    pub(super) host: String,
}

/// A service as somebody else found it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) kind: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) txt: Vec<String>,
    pub(super) addresses: BTreeSet<IpAddr>,
}

impl Seen {
    pub(super) fn has_both_families(&self) -> bool {
        self.addresses.iter().any(IpAddr::is_ipv4) && self.addresses.iter().any(IpAddr::is_ipv6)
    }

    /// Compares with what was published on `machine` under the host name `host`.
    pub(super) fn check(&self, offer: &Offer, host: &str, machine: &Host) -> Outcome {
        let wanted: BTreeSet<&str> = offer.txt.iter().copied().collect();
        let got: BTreeSet<&str> = self.txt.iter().map(String::as_str).collect();
        let differences: Vec<String> = [
            (self.kind != offer.kind)
                .then(|| format!("type {} instead of {}", self.kind, offer.kind)),
            (self.host != host).then(|| format!("host {} instead of {host}", self.host)),
            (self.port != offer.port)
                .then(|| format!("port {} instead of {}", self.port, offer.port)),
            // Avahi's tools print the strings in reverse, so the order is no difference.
            (got != wanted || self.txt.len() != offer.txt.len())
                .then(|| format!("TXT {:?} instead of {:?}", self.txt, offer.txt)),
            (!self.addresses.contains(&machine.ipv4()))
                .then(|| format!("no address {}", machine.ipv4())),
            (!self.has_both_families()).then(|| format!("only one family: {:?}", self.addresses)),
            (!self.addresses.iter().all(|address| machine.has(*address))).then(|| {
                format!(
                    "addresses that {} does not have: {:?}",
                    machine.name, self.addresses
                )
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        if differences.is_empty() {
            Ok(())
        } else {
            Err(format!("{}: {}", offer.name, differences.join("; ")))
        }
    }
}
