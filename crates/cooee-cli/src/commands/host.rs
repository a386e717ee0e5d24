//! `cooee host`: the addresses of a name, and the names of an address.

use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::NameBuf;
use cooee::{Families, HostPolicy, ScopedAddr, Zeroconf};

use crate::args::{self, HostPrint};
use crate::events::{Event, Proof};
use crate::failure::{Failure, Outcome};
use crate::found::{self, Only};
use crate::output::Stop;
use crate::picture::Address;
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
    let families = match session.only() {
        None => Families::Both,
        Some(Only::V4) => Families::V4,
        Some(Only::V6) => Families::V6,
    };
    // All are asked at once, and told in the order in which they were asked.
    let mut answers = Vec::new();
    for one in asked {
        let answer = match &one.what {
            What::Name(name) => {
                let lookup = zeroconf
                    .resolve_host(name.clone())
                    .timeout(timeout)
                    .families(families);
                tokio::spawn(async move {
                    lookup.await.map(|host| {
                        (
                            vec![host.name().to_string()],
                            found::every_address(host.addresses()),
                            Some(host.ttl()),
                        )
                    })
                })
            }
            What::Address(ip, zone) => {
                let address = scoped(zeroconf, *ip, zone.as_deref())?;
                let lookup = zeroconf.reverse(address).timeout(timeout);
                tokio::spawn(async move {
                    let names = lookup.await?;
                    Ok((
                        names.iter().map(ToString::to_string).collect(),
                        found::every_address(&[address]),
                        None,
                    ))
                })
            }
        };
        answers.push((one, answer));
    }
    let mut outcome = Outcome::Done;
    for (one, answer) in answers {
        let told = match answer.await {
            Ok(Ok((hosts, addresses, ttl))) => tell(args, one, &hosts, (&addresses, ttl), session),
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

fn tell(
    args: &args::Host,
    asked: &Asked,
    hosts: &[String],
    (addresses, ttl): (&[Address], Option<u32>),
    session: &mut Session,
) -> Result<(), Stop> {
    for host in hosts {
        if session.common.json {
            session.json(&Event::Host {
                query: asked.typed.clone(),
                host: host.clone(),
                addresses: addresses.to_vec(),
                ttl,
            })?;
            continue;
        }
        let host = escape::escaped_text(host);
        match (args.print, &asked.what) {
            (Some(HostPrint::Name), _) => session.output.line(&host)?,
            (Some(HostPrint::Address), _) => {
                for address in addresses {
                    session.output.line(&escape::text(&address.text()))?;
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

/// The address with its link, if the zone names one.
fn scoped(zeroconf: &Zeroconf, ip: IpAddr, zone: Option<&str>) -> Result<ScopedAddr, Failure> {
    let Some(zone) = zone else {
        return Ok(ip.into());
    };
    let links = zeroconf.links();
    let link = links
        .iter()
        .find(|link| link.name() == zone || link.index().to_string() == zone);
    match link {
        Some(link) => Ok(ScopedAddr::new(ip, link.index())),
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
