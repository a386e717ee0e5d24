//! `cooee query`: the records of one name and type, as dig shows them.

mod asker;
mod direct;

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use cooee::wire::{NameBuf, RecordBuf, RecordType};
use cooee_mdns::LinkId;
use cooee_mdns::net::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::asker::{Asked, Asker, News};
use crate::args;
use crate::doctor::PORT;
use crate::events::{Event, Proof, Record};
use crate::failure::{Failure, Outcome};
use crate::interfaces::Present;
use crate::nearest::nearest;
use crate::output::Stop;
use crate::picture::Interface;
use crate::reader::Reader;
use crate::session::{self, Session};
use crate::{escape, found, interfaces, signals};

/// Runs the command.
///
/// # Errors
///
/// Wrong words, or trouble with the network or the output.
pub(crate) async fn run(args: &args::Query, mut session: Session) -> Result<Outcome, Failure> {
    let wanted = Wanted::read(args)?;
    let told = match &wanted.server {
        Some(server) => ask_directly(args, &wanted, server, &mut session).await?,
        None => ask(args, &wanted, &mut session).await?,
    };
    told.or_else(|stop| stop.into_result().map(|()| Outcome::Done))
}

/// How long to ask if nothing else was said.
const USUAL: Duration = Duration::from_secs(3);

/// What the words mean.
struct Wanted {
    typed: String,
    name: NameBuf,
    kind: RecordType,
    server: Option<SocketAddr>,
}

impl Wanted {
    /// `@ADDRESS` may stand anywhere among the words.
    fn read(args: &args::Query) -> Result<Self, Failure> {
        let words = [Some(&args.name), Some(&args.kind), args.server.as_ref()];
        let (servers, words): (Vec<&String>, Vec<&String>) = words
            .into_iter()
            .flatten()
            .partition(|word| word.starts_with('@'));
        let usage = "cooee query NAME RRTYPE [@ADDRESS]";
        let (name, kind) = match words.as_slice() {
            [name, kind] => (*name, *kind),
            [_, _, more, ..] => {
                let more = escape::text(more);
                return Err(Failure::usage(format!(
                    "'{more}' is one word too many: {usage}"
                )));
            }
            _ => return Err(Failure::usage(format!("RRTYPE is missing: {usage}"))),
        };
        let server = servers.first().map(|server| self::server(server));
        Ok(Self {
            typed: name.clone(),
            name: super::host::local_name(name)?,
            kind: record_type(kind).map_err(Failure::usage)?,
            server: server.transpose()?,
        })
    }
}

/// `@192.0.2.17`, `@fe80::1%eth0`.
fn server(word: &str) -> Result<SocketAddr, Failure> {
    let address = word.strip_prefix('@').unwrap_or(word);
    let (ip, zone) = match address.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (address, None),
    };
    let shown = escape::text(word);
    match (ip.parse(), zone) {
        (Ok(IpAddr::V4(ip)), None) => Ok((ip, PORT).into()),
        (Ok(IpAddr::V6(ip)), None) if ip.is_unicast_link_local() => Err(Failure::usage(format!(
            "'{shown}' is on every link: write on which, as @fe80::1%eth0"
        ))),
        (Ok(IpAddr::V6(ip)), None) => Ok((ip, PORT).into()),
        (Ok(IpAddr::V6(ip)), Some(zone)) => {
            let index = interfaces::index(zone)
                .ok_or_else(|| Failure::usage(format!("no interface '{}'", escape::text(zone))))?;
            Ok(SocketAddrV6::new(ip, PORT, 0, index).into())
        }
        _ => Err(Failure::usage(format!(
            "'{shown}' is not an address: write @192.0.2.17 or @fe80::1%eth0"
        ))),
    }
}

/// Asks one host alone.
async fn ask_directly(
    args: &args::Query,
    wanted: &Wanted,
    server: &SocketAddr,
    session: &mut Session,
) -> Result<Result<Outcome, Stop>, Failure> {
    let timeout = args.timeout.unwrap_or(USUAL);
    let mut signals = session.signals.clone();
    let answer = tokio::select! {
        biased;
        signal = signals.asked() => signals::leave(signal),
        answer = direct::ask(server, &wanted.name, wanted.kind, timeout) => answer,
    };
    let answer = answer.map_err(|error| {
        let error = crate::output::plain(&error);
        Failure::trouble(format!("{} cannot be asked: {error}", server.ip()))
    })?;
    let is_asked_for = |record: &&RecordBuf| {
        let kinds = [wanted.kind, RecordType::CNAME];
        wanted.kind == RecordType::ANY || kinds.contains(&record.kind())
    };
    let records: Option<Vec<&RecordBuf>> = answer
        .as_ref()
        .map(|records| records.iter().filter(is_asked_for).collect());
    match records.as_deref() {
        None => Ok(miss(wanted, Proof::Timeout, timeout, session)),
        // The rest says what there is instead: RFC 6762 §6.1.
        Some([]) => Ok(miss(wanted, Proof::Nsec, timeout, session)),
        Some(records) => {
            for record in records {
                let record = picture(record, None, Some(server.ip().to_string()));
                if let Err(stop) = tell(session, record, true) {
                    return Ok(Err(stop));
                }
            }
            Ok(Ok(Outcome::Done))
        }
    }
}

/// Asks all on the links.
async fn ask(
    args: &args::Query,
    wanted: &Wanted,
    session: &mut Session,
) -> Result<Result<Outcome, Stop>, Failure> {
    let timeout = args.timeout.unwrap_or(USUAL);
    let asked = Asked {
        name: wanted.name.clone(),
        kind: wanted.kind,
        timeout: (!args.watch).then_some(timeout),
    };
    let (tell, news) = mpsc::channel(NEWS);
    let (name, early) = (wanted.name.clone(), args.unicast.then(|| asked.clone()));
    let handle = session.drive(move |now, seed| {
        let mut asker = Asker::new(now, seed, name, tell);
        if let Some(asked) = early {
            asker.ask(now, asked);
        }
        asker
    })?;
    let present: Vec<Present> = handle.links().iter().map(Present::from).collect();
    if let Some(trouble) = interfaces::trouble(&present) {
        if !args.watch {
            handle.shutdown().await;
            return Err(session::no_link(&trouble));
        }
        session.talk.hint(&format!("{trouble}; waiting for one"));
    }
    if !args.unicast {
        // It ends later than this call.
        let _ = handle.call(move |asker, now| asker.ask(now, asked));
    }
    let told = if args.watch {
        watch(args, &handle, news, session).await
    } else {
        once(args, wanted, &handle, news, session).await
    };
    handle.shutdown().await;
    Ok(told)
}

/// Records that wait to be shown.
const NEWS: usize = 4_096;

async fn once(
    args: &args::Query,
    wanted: &Wanted,
    handle: &Handle<Asker>,
    mut news: mpsc::Receiver<News>,
    session: &mut Session,
) -> Result<Outcome, Stop> {
    let timeout = args.timeout.unwrap_or(USUAL);
    let mut signals = session.signals.clone();
    let begun = Instant::now();
    let mut still = None;
    let mut is_denied = false;
    loop {
        let event = tokio::select! {
            biased;
            signal = signals.asked() => {
                handle.shutdown().await;
                signals::leave(signal);
            }
            event = news.recv() => event,
            () = super::at(still) => break,
        };
        match event {
            Some(News::Record {
                record,
                link,
                from,
                is_there: true,
            }) => {
                let from = from.map(|ip| ip.to_string());
                tell(
                    session,
                    picture(&record, interface(handle, link), from),
                    true,
                )?;
                // Who shares a name with others may not be the last to answer: as a list of services (ruling 34).
                still = Some((Instant::now() + super::STILL).max(begun + super::LEAST));
            }
            Some(News::Record { .. }) => {}
            Some(News::PortHeld(family)) => session.tell_of_held_port(family),
            Some(News::Denied) => is_denied = true,
            Some(News::PortShared) => say_shared(args, session),
            Some(News::Finished) | None => break,
        }
    }
    match (still, is_denied) {
        (Some(_), _) => Ok(Outcome::Done),
        (None, true) => miss(wanted, Proof::Nsec, timeout, session),
        (None, false) => miss(wanted, Proof::Timeout, timeout, session),
    }
}

fn say_shared(args: &args::Query, session: &Session) {
    if args.unicast {
        session.talk.hint(
            "another program shares UDP port 5353: the answer is asked for by multicast (QM)",
        );
    }
}

fn miss(
    wanted: &Wanted,
    proof: Proof,
    timeout: Duration,
    session: &mut Session,
) -> Result<Outcome, Stop> {
    let shown = escape::escaped_text(&wanted.name.to_string());
    let kind = wanted.kind;
    session.talk.hint(&match proof {
        Proof::Timeout => format!(
            "no {kind} record of '{shown}' within {:.1} s{}",
            timeout.as_secs_f64(),
            session::ADVICE
        ),
        Proof::Nsec => {
            format!("no {kind} record of '{shown}': the owner of the name says so")
        }
    });
    if session.common.json {
        session.json(&Event::None {
            query: wanted.typed.clone(),
            rrtype: kind.to_string(),
            proof,
        })?;
    }
    Ok(Outcome::NotFound)
}

async fn watch(
    args: &args::Query,
    handle: &Handle<Asker>,
    mut news: mpsc::Receiver<News>,
    session: &mut Session,
) -> Result<Outcome, Stop> {
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let mut signals = session.signals.clone();
    let mut reader = Reader::watch();
    let mut outcome = Outcome::NotFound;
    loop {
        let event = tokio::select! {
            biased;
            _ = signals.asked() => return Ok(outcome),
            () = reader.gone() => return Err(Stop::Closed),
            () = super::at(deadline) => return Ok(outcome),
            event = news.recv() => event,
        };
        match event {
            Some(News::Record {
                record,
                link,
                from,
                is_there,
            }) => {
                let from = from.map(|ip| ip.to_string());
                tell(
                    session,
                    picture(&record, interface(handle, link), from),
                    is_there,
                )?;
                outcome = Outcome::Done;
            }
            Some(News::PortHeld(family)) => session.tell_of_held_port(family),
            Some(News::PortShared) => say_shared(args, session),
            Some(News::Denied | News::Finished) => {}
            None => return Ok(outcome),
        }
    }
}

fn interface(handle: &Handle<Asker>, link: LinkId) -> Option<Interface> {
    let links = handle.links();
    links
        .iter()
        .find(|one| one.id() == link)
        .map(found::interface)
}

fn picture(record: &RecordBuf, interface: Option<Interface>, from: Option<String>) -> Record {
    Record {
        name: record.name.to_string(),
        rrtype: record.kind().to_string(),
        ttl: record.ttl,
        unique: record.cache_flush,
        data: record.rdata.to_string(),
        raw: record.rdata.octets().to_vec(),
        interface,
        from,
    }
}

fn tell(session: &mut Session, record: Record, is_there: bool) -> Result<(), Stop> {
    if session.common.json {
        return session.json(&if is_there {
            Event::Record(record)
        } else {
            Event::Gone(record)
        });
    }
    let line = line(&record);
    session.output.line(&if is_there {
        line
    } else {
        format!("; gone: {line}")
    })
}

/// A line of a master file, with a remark.
fn line(record: &Record) -> String {
    let mut remarks = Vec::new();
    if let Some(interface) = &record.interface {
        remarks.push(escape::text(&interface.name));
    }
    if let Some(from) = &record.from {
        remarks.push(format!("from {}", escape::text(from)));
    }
    // In an answer by ordinary unicast the bit that says so means nothing (6762-6.7-5).
    if record.interface.is_some() {
        remarks.push(if record.unique { "unique" } else { "shared" }.to_owned());
    }
    format!(
        "{}.  {}  IN  {}  {}  ; {}",
        escape::escaped_text(&record.name),
        record.ttl,
        record.rrtype,
        escape::escaped_text(&record.data),
        remarks.join(", ")
    )
}

/// A record type by name or number.
///
/// # Errors
///
/// One line with the nearest.
pub(crate) fn record_type(text: &str) -> Result<RecordType, String> {
    text.parse().map_err(|_| {
        let usual = [
            "A", "AAAA", "PTR", "SRV", "TXT", "ANY", "CNAME", "HINFO", "NSEC", "HTTPS", "SVCB",
        ];
        let near = nearest(text, usual)
            .map(|near| format!("; did you mean '{near}'?"))
            .unwrap_or_default();
        format!(
            "'{}' is not a record type: write A, AAAA, PTR, SRV, TXT, ANY … or TYPE65{near}",
            escape::text(text)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_types_go_by_name_and_number() {
        assert_eq!(record_type("srv"), Ok(RecordType::SRV));
        assert_eq!(record_type("TYPE65").map(u16::from), Ok(65));
        assert!(
            record_type("AAA")
                .unwrap_err()
                .contains("did you mean 'AAAA'?")
        );
        assert!(
            record_type("TYPE99999")
                .unwrap_err()
                .contains("not a record type")
        );
    }

    #[test]
    fn a_record_is_shown_as_in_a_master_file() {
        let record = Record {
            name: "tabasco.local".into(),
            rrtype: "A".into(),
            ttl: 120,
            unique: true,
            data: "192.0.2.17".into(),
            raw: vec![192, 0, 2, 17],
            interface: Some(Interface {
                name: "eth0".into(),
                index: 2,
            }),
            from: Some("192.0.2.17".into()),
        };
        assert_eq!(
            line(&record),
            "tabasco.local.  120  IN  A  192.0.2.17  ; eth0, from 192.0.2.17, unique"
        );
    }
}
