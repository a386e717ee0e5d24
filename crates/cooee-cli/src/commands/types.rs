//! `cooee types`: the kinds of services that anybody announces.

use cooee::wire::{NameBuf, RecordType};
use cooee::{HostPolicy, Links, RecordEvent, TypeBrowser, TypeEvent, Zeroconf};
use tokio::time::Instant;

use crate::args;
use crate::events::Event;
use crate::failure::{Failure, Outcome};
use crate::output::Stop;
use crate::reader::Reader;
use crate::session::{self, Session};
use crate::{escape, found, interfaces, signals, types};

/// Runs the command.
///
/// # Errors
///
/// Trouble with the network or the output.
pub(crate) async fn run(args: &args::Types, mut session: Session) -> Result<Outcome, Failure> {
    if args.known {
        let told = types::all()
            .iter()
            .try_for_each(|known| tell(&mut session, known.wire, Vec::new()));
        return told
            .map(|()| Outcome::Done)
            .or_else(|stop| stop.into_result().map(|()| Outcome::Done));
    }
    let zeroconf = session.open(HostPolicy::None).await?;
    if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
        if !args.watch {
            session.close(&zeroconf).await;
            return Err(session::no_link(&trouble));
        }
        session.talk.hint(&format!("{trouble}; waiting for one"));
    }
    if args.domains {
        let told = domains(args, &zeroconf, &mut session).await?;
        session.close(&zeroconf).await;
        return told
            .map(|()| Outcome::Done)
            .or_else(|stop| stop.into_result().map(|()| Outcome::Done));
    }
    let mut browser = zeroconf
        .service_types()
        .map_err(|error| session::failure(&error))?;
    let told = watch(args, &mut browser, &zeroconf, &mut session).await;
    session.close(&zeroconf).await;
    match told {
        Ok(0) => {
            session.talk.hint(&format!(
                "no services{}{}",
                session::on_links(&zeroconf),
                session::ADVICE
            ));
            Ok(Outcome::NotFound)
        }
        Ok(_) => Ok(Outcome::Done),
        Err(stop) => stop.into_result().map(|()| Outcome::Done),
    }
}

/// Where clients are advised to look.
// RFC 6763 §11 (6763-11-1)
const DOMAINS: &str = "b._dns-sd._udp.local";

/// Tells the domains that somebody advises to look in. The local one is always there.
async fn domains(
    args: &args::Types,
    zeroconf: &Zeroconf,
    session: &mut Session,
) -> Result<Result<(), Stop>, Failure> {
    let name = DOMAINS
        .parse::<NameBuf>()
        .map_err(|error| Failure::trouble(error.to_string()))?;
    let mut query = zeroconf
        .query(name, RecordType::PTR, Links::default())
        .map_err(|error| session::failure(&error))?;
    if let Err(stop) = session.output.line("local") {
        return Ok(Err(stop));
    }
    let end = Instant::now() + args.timeout.unwrap_or(super::LEAST);
    let mut signals = session.signals.clone();
    loop {
        let event = tokio::select! {
            biased;
            signal = signals.asked() => {
                session.close(zeroconf).await;
                signals::leave(signal);
            }
            () = super::at(Some(end)) => return Ok(Ok(())),
            event = query.next() => event,
        };
        match event {
            Some(RecordEvent::Added(found)) => {
                let domain = found.record().rdata.to_string();
                if domain != "local"
                    && let Err(stop) = session.output.line(&escape::escaped_text(&domain))
                {
                    return Ok(Err(stop));
                }
            }
            Some(RecordEvent::Removed(_)) => {}
            None => return Ok(Ok(())),
        }
    }
}

/// Tells each type when it is heard of, and gives their number.
async fn watch(
    args: &args::Types,
    browser: &mut TypeBrowser,
    zeroconf: &Zeroconf,
    session: &mut Session,
) -> Result<usize, Stop> {
    let begun = Instant::now();
    let mut heard = 0;
    let mut last_new = begun;
    let mut signals = session.signals.clone();
    let mut reader = Reader::watch();
    loop {
        let end = match (args.timeout, args.watch) {
            (Some(timeout), _) => Some(begun + timeout),
            (None, true) => None,
            (None, false) => Some(
                (last_new + super::STILL)
                    .max(begun + super::LEAST)
                    .min(begun + super::MOST),
            ),
        };
        let event = tokio::select! {
            biased;
            signal = signals.asked() => {
                if !args.watch {
                    session.close(zeroconf).await;
                    signals::leave(signal);
                }
                return Ok(heard);
            }
            () = reader.gone() => return Err(Stop::Closed),
            () = super::at(end) => return Ok(heard),
            event = browser.next() => event,
        };
        match event {
            Some(TypeEvent::Added(kind)) => {
                heard += 1;
                last_new = Instant::now();
                let links = found::links(&browser.links(&kind));
                tell(session, &found::type_wire(&kind), links)?;
            }
            Some(TypeEvent::Removed(kind)) if args.watch => {
                gone(session, &found::type_wire(&kind))?
            }
            Some(TypeEvent::Removed(_)) => {}
            None => return Ok(heard),
        }
    }
}

fn tell(
    session: &mut Session,
    wire: &str,
    links: Vec<crate::picture::Interface>,
) -> Result<(), Stop> {
    let title = types::title(wire);
    if session.common.json {
        return session.json(&Event::Type {
            type_wire: wire.to_owned(),
            title,
            links,
        });
    }
    let title = title.map(|title| format!("  {title}")).unwrap_or_default();
    session
        .output
        .line(&format!("{}{title}", escape::text(wire)))
}

fn gone(session: &mut Session, wire: &str) -> Result<(), Stop> {
    if session.common.json {
        session.json(&Event::TypeRemoved {
            type_wire: wire.to_owned(),
            title: types::title(wire),
        })
    } else {
        session.output.line(&format!("- {}", escape::text(wire)))
    }
}
