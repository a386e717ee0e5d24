//! Which packets are shown, counted and written. All of them are looked at: what is left out explains the rest.

use std::net::IpAddr;

use cooee::wire::NameBuf;

use super::inspector::Inspected;
use super::lint::Finding;
use super::tags::Tag;
use crate::name_arg::NameArg;

/// Several of one kind: any of them; of different kinds: all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// About services of these types: `_http._tcp`.
    pub(crate) types: Vec<String>,
    /// About these instances.
    pub(crate) names: Vec<NameArg>,
    /// About these hosts.
    pub(crate) hosts: Vec<NameBuf>,
    /// Sent from these addresses.
    pub(crate) from: Vec<IpAddr>,
    /// Only these.
    pub(crate) only: Vec<Only>,
    /// IPv4 packets alone, or IPv6.
    pub(crate) ipv4: Option<bool>,
}

/// A kind of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Only {
    /// Queries, probes too
    Query,
    /// Responses
    Response,
    /// Queries whether names are free
    Probe,
    /// Responses that say that something is gone
    Goodbye,
    /// What breaks a rule
    Lint,
}

impl Filter {
    /// Whether a packet is wanted.
    pub(crate) fn passes(&self, seen: &Inspected) -> bool {
        let source = seen.packet.source.ip();
        let is_only = |only: &Only| match only {
            Only::Query => seen.tags.contains(&Tag::Query),
            Only::Response => seen.tags.contains(&Tag::Response),
            Only::Probe => seen.tags.contains(&Tag::Probe),
            Only::Goodbye => seen.tags.contains(&Tag::Goodbye),
            Only::Lint => !seen.findings.is_empty(),
        };
        self.is_from(source)
            && (self.only.is_empty() || self.only.iter().any(is_only))
            && self.is_about(&seen.decoded.all_names())
    }

    /// Whether a finding is wanted that came to light without a packet, or with one that is not.
    pub(crate) fn passes_finding(&self, finding: &Finding) -> bool {
        let names: Vec<NameBuf> = finding.name.iter().cloned().collect();
        self.is_from(finding.from)
            && (self.only.is_empty() || self.only.contains(&Only::Lint))
            && self.is_about(&names)
    }

    fn is_from(&self, source: IpAddr) -> bool {
        self.ipv4.is_none_or(|ipv4| source.is_ipv4() == ipv4)
            && (self.from.is_empty() || self.from.contains(&source))
    }

    fn is_about(&self, names: &[NameBuf]) -> bool {
        let any = |is_it: &dyn Fn(&NameBuf) -> bool| names.iter().any(is_it);
        (self.types.is_empty() || any(&|name| self.types.iter().any(|kind| is_of(name, kind))))
            && (self.names.is_empty()
                || any(&|name| self.names.iter().any(|wanted| is_instance(name, wanted))))
            && (self.hosts.is_empty() || any(&|name| self.hosts.contains(name)))
    }
}

/// Whether a name is a service type, or something of it.
fn is_of(name: &NameBuf, kind: &str) -> bool {
    let wanted: Vec<&str> = kind.split('.').collect();
    let labels: Vec<&[u8]> = name.labels().collect();
    labels.windows(wanted.len().max(1)).any(|labels| {
        let mut pairs = labels.iter().zip(&wanted);
        pairs.all(|(label, wanted)| label.eq_ignore_ascii_case(wanted.as_bytes()))
    })
}

fn is_instance(name: &NameBuf, wanted: &NameArg) -> bool {
    let first = name.labels().next().unwrap_or_default();
    let kind = wanted.type_wire.as_deref();
    first.eq_ignore_ascii_case(&wanted.instance) && kind.is_none_or(|kind| is_of(name, kind))
}
