//! `cooee host`: the addresses of a name, and the names of an address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{Data, NameBuf, RecordType};
use cooee::{FoundRecord, HostAddresses, HostPolicy, Links, Zeroconf};
use tokio::task::JoinHandle;

use crate::args::{self, HostPrint};
use crate::events::{Event, Proof};
use crate::failure::{Failure, Outcome};
use crate::found::{self, Only};
use crate::output::Stop;
use crate::picture::{Address, Interface};
use crate::session::{self, Session};
use crate::{escape, interfaces, signals};

/// Runs the command.
///
/// # Errors
///
/// Wrong words, or trouble with the network or the output.
pub(crate) async fn run(args: &args::Host, mut session: Session) -> Result<Outcome, Failure> {
    let asked = args
        .names
        .iter()
        .map(|word| parse(word))
        .collect::<Result<Vec<Asked>, Failure>>()?;
    let zeroconf = session.open(HostPolicy::None).await?;
    if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
        session.close(&zeroconf).await;
        return Err(session::no_link(&trouble));
    }
    let mut signals = session.signals.clone();
    let told = tokio::select! {
        biased;
        signal = signals.asked() => {
            session.close(&zeroconf).await;
            signals::leave(signal);
        }
        told = all(args, &asked, &zeroconf, &mut session) => told,
    };
    session.close(&zeroconf).await;
    told
}

/// One word: a name, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    typed: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Name(NameBuf),
    /// With the zone as it was typed.
    Address(IpAddr, Option<String>),
}

fn parse(typed: &str) -> Result<Asked, Failure> {
    let (ip, zone) = match typed.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone.to_owned())),
        None => (typed, None),
    };
    let what = match ip.parse::<IpAddr>() {
        Ok(ip) => What::Address(ip, zone),
        Err(_) => What::Name(local_name(typed)?),
    };
    Ok(Asked {
        typed: typed.to_owned(),
        what,
    })
}

/// A name in local: what has no dot gets it.
///
/// # Errors
///
/// One line if it is no name, or one of another domain.
pub(crate) fn local_name(typed: &str) -> Result<NameBuf, Failure> {
    let shown = escape::escaped_text(typed);
    let bare = typed.strip_suffix('.').unwrap_or(typed);
    let whole = if bare.contains('.') {
        bare.to_owned()
    } else {
        format!("{bare}.local")
    };
    let lower = whole.to_ascii_lowercase();
    if bare.is_empty() {
        return Err(Failure::usage(
            "the name is empty: write a host such as tabasco.local",
        ));
    }
    if bare.parse::<IpAddr>().is_ok() {
        return Err(Failure::usage(format!(
            "'{shown}' is an address, and a name is wanted; 'cooee host {shown}' looks it up"
        )));
    }
    if ![".local", ".in-addr.arpa", ".ip6.arpa"]
        .iter()
        .any(|domain| lower.ends_with(domain))
    {
        let is_type = lower.ends_with("._tcp") || lower.ends_with("._udp");
        let near = match is_type {
            true => format!("; did you mean '{shown}.local'?"),
            false => String::new(),
        };
        return Err(Failure::usage(format!(
            "'{shown}' is in another domain: multicast DNS has names in local only{near}"
        )));
    }
    whole
        .parse()
        .map_err(|error| Failure::usage(format!("'{shown}' is no host name: {error}")))
}

async fn all(
    args: &args::Host,
    asked: &[Asked],
    zeroconf: &Zeroconf,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let timeout = args.timeout.unwrap_or(Duration::from_secs(3));
    // All are asked at once, and told in the order in which they were asked.
    let mut answers = Vec::new();
    for one in asked {
        let answer: JoinHandle<cooee::Result<Vec<Found>>> = match &one.what {
            What::Name(name) => {
                let lookup = zeroconf
                    .resolve_host(name.clone())
                    .timeout(timeout)
                    .families(session.address_families());
                let says_more = session.common.verbose > 0;
                let (zeroconf, only) = (zeroconf.clone(), session.only());
                tokio::spawn(async move {
                    let mut found = Found::by_name(&lookup.await?);
                    if says_more {
                        found.denied = denied(&zeroconf, &found, only).await;
                    }
                    Ok(vec![found])
                })
            }
            What::Address(ip, zone) => {
                let ip = *ip;
                let lookup = zeroconf
                    .lookup(NameBuf::reverse(ip), RecordType::PTR)
                    .timeout(timeout)
                    .links(links(zeroconf, zone.as_deref())?);
                tokio::spawn(async move {
                    let records = lookup.await?;
                    Ok(Found::by_address(ip, records.iter().filter_map(pointer)))
                })
            }
        };
        answers.push((one, answer));
    }
    let mut outcome = Outcome::Done;
    for (one, answer) in answers {
        let told = match answer.await {
            Ok(Ok(found)) => tell(args, one, found, session),
            Ok(Err(error)) if error.is_timeout() || error.is_not_found() => {
                outcome = Outcome::NotFound;
                let proof = if error.is_timeout() {
                    Proof::Timeout
                } else {
                    Proof::Nsec
                };
                miss(one, proof, timeout, session)
            }
            Ok(Err(error)) => return Err(session::failure(&error)),
            Err(_) => return Err(Failure::trouble("a look-up broke off")),
        };
        if let Err(stop) = told {
            return stop.into_result().map(|()| Outcome::Done);
        }
    }
    Ok(outcome)
}

/// A host that was found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    host: String,
    addresses: Vec<Address>,
    ttl: u32,
    /// What it says that it does not have: `IPv6`.
    denied: Option<&'static str>,
}

impl Found {
    fn by_name(host: &HostAddresses) -> Self {
        Self {
            host: host.name().to_string(),
            addresses: found::every_address(host.addresses()),
            ttl: host.ttl(),
            denied: None,
        }
    }

    /// Those that have an address; what several links say of one is put together.
    fn by_address(ip: IpAddr, pointers: impl IntoIterator<Item = Pointer>) -> Vec<Self> {
        let mut hosts: BTreeMap<NameBuf, Self> = BTreeMap::new();
        for (name, ttl, interface) in pointers {
            let host = hosts.entry(name).or_insert_with_key(|name| Self {
                host: name.to_string(),
                addresses: Vec::new(),
                ttl,
                denied: None,
            });
            host.ttl = host.ttl.min(ttl);
            host.addresses.push(Address { ip, interface });
        }
        hosts.into_values().collect()
    }
}

/// How long the owner of a name may take to say what it does not have; mostly it has said so with what it has.
const DENIED_WITHIN: Duration = Duration::from_millis(500);

/// The family of which a host says that it has no address, if it was asked for.
// RFC 6762 §6.1 (6762-6.1-1)
async fn denied(zeroconf: &Zeroconf, host: &Found, only: Option<Only>) -> Option<&'static str> {
    let has = |wanted: fn(&IpAddr) -> bool| host.addresses.iter().any(|one| wanted(&one.ip));
    let (family, kind) = match (has(IpAddr::is_ipv4), has(IpAddr::is_ipv6), only) {
        (true, false, None) => ("IPv6", RecordType::AAAA),
        (false, true, None) => ("IPv4", RecordType::A),
        _ => return None,
    };
    let answer = zeroconf.lookup(host.host.as_str(), kind);
    let answer = answer.timeout(DENIED_WITHIN).await;
    let is_denied = answer.is_err_and(|error| error.is_not_found());
    is_denied.then_some(family)
}

/// The host of an address, its TTL, and where that is said.
type Pointer = (NameBuf, u32, Option<Interface>);

fn pointer(record: &FoundRecord) -> Option<Pointer> {
    let Ok(Data::Ptr(name)) = record.data() else {
        return None;
    };
    let interface = record.link().map(found::interface);
    Some((name.to_owned().ok()?, record.ttl(), interface))
}

fn tell(
    args: &args::Host,
    asked: &Asked,
    found: Vec<Found>,
    session: &mut Session,
) -> Result<(), Stop> {
    for Found {
        host,
        addresses,
        ttl,
        denied,
    } in found
    {
        if session.common.json {
            session.json(&Event::Host {
                query: asked.typed.clone(),
                host,
                addresses,
                ttl: Some(ttl),
            })?;
            continue;
        }
        let host = escape::escaped_text(&host);
        match (args.print, &asked.what) {
            (Some(HostPrint::Name), _) => session.output.line(&host)?,
            (Some(HostPrint::Address), _) => {
                // An address that several links know of is one.
                let mut texts: Vec<String> = addresses.iter().map(Address::text).collect();
                texts.dedup();
                for text in texts {
                    session.output.line(&escape::text(&text))?;
                }
            }
            (None, What::Name(_)) => {
                for address in addresses {
                    let on = address
                        .interface
                        .as_ref()
                        .map(|interface| format!("  {}", escape::text(&interface.name)));
                    let text = escape::text(&address.text());
                    session
                        .output
                        .line(&format!("{host}  {text}{}", on.unwrap_or_default()))?;
                }
                if let Some(family) = denied {
                    session
                        .output
                        .line(&format!("{host} has no {family} address (it says so)"))?;
                }
            }
            (None, What::Address(..)) => session
                .output
                .line(&format!("{}  {host}", escape::text(&asked.typed)))?,
        }
    }
    Ok(())
}

fn miss(asked: &Asked, proof: Proof, timeout: Duration, session: &mut Session) -> Result<(), Stop> {
    let shown = escape::escaped_text(&asked.typed);
    session.talk.hint(&match proof {
        Proof::Timeout => format!(
            "no '{shown}' within {:.1} s{}",
            timeout.as_secs_f64(),
            session::ADVICE
        ),
        Proof::Nsec => format!("no '{shown}': the owner of the name says so"),
    });
    if !session.common.json {
        return Ok(());
    }
    let rrtype = match (&asked.what, session.only()) {
        (What::Address(..), _) => "PTR",
        (What::Name(_), Some(Only::V4)) => "A",
        (What::Name(_), Some(Only::V6)) => "AAAA",
        (What::Name(_), None) => "A AAAA",
    };
    session.json(&Event::None {
        query: asked.typed.clone(),
        rrtype: rrtype.into(),
        proof,
    })
}

/// The link that the zone of an address names, or all.
fn links(zeroconf: &Zeroconf, zone: Option<&str>) -> Result<Links, Failure> {
    let Some(zone) = zone else {
        return Ok(Links::default());
    };
    let links = zeroconf.links();
    let link = links
        .iter()
        .find(|link| link.name() == zone || link.index().to_string() == zone);
    match link {
        Some(link) => Ok(link.into()),
        None => {
            interfaces::check(&[zone.to_owned()], &session::present(zeroconf))?;
            Err(Failure::usage(format!(
                "no interface '{}'",
                escape::text(zone)
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_dot_is_one_of_local() {
        // 6762-21-3, 6762-21-4, 6762-13-2, 6762-13-4
        assert_eq!(local_name("tabasco").unwrap().to_string(), "tabasco.local");
        assert_eq!(
            local_name("Tabasco.local.").unwrap().to_string(),
            "Tabasco.local"
        );
        assert!(
            local_name("example.org")
                .unwrap_err()
                .text
                .contains("another domain")
        );
        assert!(
            local_name("www.example.com").is_err(),
            "nothing is appended"
        );
        assert!(local_name("").unwrap_err().text.contains("empty"));
        assert!(
            local_name(&"x".repeat(64))
                .unwrap_err()
                .text
                .contains("no host name")
        );
    }

    #[test]
    fn what_several_links_say_of_one_host_is_put_together() {
        let on = |name: &str, ttl, index| {
            let interface = Interface {
                name: format!("eth{index}"),
                index,
            };
            (name.parse::<NameBuf>().unwrap(), ttl, Some(interface))
        };
        let ip = "fe80::1".parse().unwrap();
        let said = [
            on("tabasco.local", 120, 2),
            on("pepper.local", 60, 2),
            on("Tabasco.local", 100, 3),
        ];
        let found: Vec<_> = Found::by_address(ip, said)
            .into_iter()
            .map(|host| {
                let addresses: Vec<_> = host.addresses.iter().map(Address::text).collect();
                (host.host, addresses.join(" "), host.ttl)
            })
            .collect();
        let one = |name: &str, addresses: &str, ttl| (name.to_owned(), addresses.to_owned(), ttl);
        assert_eq!(
            found,
            [
                one("pepper.local", "fe80::1%eth2", 60),
                one("tabasco.local", "fe80::1%eth2 fe80::1%eth3", 100),
            ]
        );
    }

    #[test]
    fn an_address_may_have_a_zone() {
        let asked = parse("fe80::1%eth0").unwrap();
        assert_eq!(
            asked.what,
            What::Address("fe80::1".parse().unwrap(), Some("eth0".into()))
        );
        assert_eq!(
            parse("192.0.2.17").unwrap().what,
            What::Address("192.0.2.17".parse().unwrap(), None)
        );
    }
}
