//! `cooee resolve`: one service, and where it is.

use std::time::Duration;

use cooee::{Browse, FoundService, HostPolicy, InstanceName, ServiceName, ServiceType};
use tokio::time::Instant;

use crate::args::{self, Print};
use crate::events::{Event, Proof};
use crate::failure::{Failure, Outcome};
use crate::found::{self, Camera};
use crate::output::Stop;
use crate::picture::Picture;
use crate::reader::Reader;
use crate::session::{self, Session};
use crate::viewer::{Manner, Viewer};
use crate::{details, escape, interfaces, name_arg, signals, url, words};

/// Runs the command.
///
/// # Errors
///
/// Wrong words, a service that is not to be had, or trouble with the network or the output.
pub(crate) async fn run(args: &args::Resolve, session: Session) -> Result<Outcome, Failure> {
    let name = service_name(args)?;
    if args.print == Some(Print::Url) {
        url::scheme(&found::type_wire(&name.service_type()))?;
    }
    if args.watch {
        watch(args, name, session).await
    } else {
        once(args, name, session).await
    }
}

/// How long to look if nothing else was said.
const USUAL: Duration = Duration::from_secs(3);

async fn once(
    args: &args::Resolve,
    name: ServiceName,
    mut session: Session,
) -> Result<Outcome, Failure> {
    let zeroconf = session.open(HostPolicy::None).await?;
    if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
        session.close(&zeroconf).await;
        return Err(session::no_link(&trouble));
    }
    let timeout = args.timeout.unwrap_or(USUAL);
    let mut signals = session.signals.clone();
    let begun = Instant::now();
    let what = format!(
        "{}{}",
        escape::escaped_text(&name.to_string()),
        session::on_links(&zeroconf)
    );
    let mut next_tick = session.output.has_progress().then_some(begun);
    let lookup = zeroconf
        .resolve(name.clone())
        .timeout(timeout)
        .families(session.address_families());
    let mut lookup = std::pin::pin!(lookup.into_future());
    let answer = loop {
        tokio::select! {
            biased;
            signal = signals.asked() => {
                session.close(&zeroconf).await;
                session.output.erase_progress();
                signals::leave(signal);
            }
            answer = &mut lookup => break answer,
            () = super::at(next_tick) => {
                session.progress(&what, 0, begun);
                next_tick = Some(Instant::now() + session::TICK);
            }
        }
    };
    session.output.erase_progress();
    let told = match answer {
        Ok(found) => {
            let picture = picture(&session, &zeroconf, &found);
            if picture.addresses.is_empty() {
                none(&mut session, &zeroconf, &name, Proof::Nsec, timeout)
            } else {
                show(args, &mut session, picture)
            }
        }
        Err(error) if error.is_timeout() => {
            none(&mut session, &zeroconf, &name, Proof::Timeout, timeout)
        }
        Err(error) if error.is_not_found() => {
            none(&mut session, &zeroconf, &name, Proof::Nsec, timeout)
        }
        Err(error) => {
            session.close(&zeroconf).await;
            return Err(session::failure(&error));
        }
    };
    session.close(&zeroconf).await;
    match told {
        Ok(outcome) => Ok(outcome),
        Err(stop) => stop.into_result().map(|()| Outcome::Done),
    }
}

async fn watch(
    args: &args::Resolve,
    name: ServiceName,
    mut session: Session,
) -> Result<Outcome, Failure> {
    let zeroconf = session.open(HostPolicy::None).await?;
    if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
        session.talk.hint(&format!("{trouble}; waiting for one"));
    }
    let search = Browse::instance(name).map_err(|error| session::failure(&error))?;
    let mut browser = zeroconf
        .browse(search)
        .map_err(|error| session::failure(&error))?;
    let with_link = session::in_use(&zeroconf).len() > 1;
    let mut viewer = Viewer::new(Manner {
        with_type: false,
        with_link,
        names_only: false,
        at_the_end: false,
        parsable: None,
    });
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let mut signals = session.signals.clone();
    let mut reader = Reader::watch();
    let told = loop {
        let event = tokio::select! {
            biased;
            _ = signals.asked() => break Ok(()),
            () = reader.gone() => break Err(Stop::Closed),
            () = super::at(deadline) => break Ok(()),
            event = browser.next() => event,
        };
        let told = match event {
            Some(cooee::ServiceEvent::Added(found) | cooee::ServiceEvent::Updated(found)) => {
                let picture = picture(&session, &zeroconf, &found);
                match picture.addresses.is_empty() {
                    // Of the families that are wanted nothing is left.
                    true => viewer.lose(&mut session, &picture.identity.service),
                    false => viewer.see(&mut session, picture),
                }
            }
            Some(cooee::ServiceEvent::Removed(name)) => {
                viewer.lose(&mut session, &name.to_string())
            }
            None => break Ok(()),
        };
        if told.is_err() {
            break told;
        }
    };
    session.close(&zeroconf).await;
    match told {
        Ok(()) if viewer.added() == 0 => Ok(Outcome::NotFound),
        Ok(()) => Ok(Outcome::Done),
        Err(stop) => stop.into_result().map(|()| Outcome::Done),
    }
}

fn picture(session: &Session, zeroconf: &cooee::Zeroconf, found: &FoundService) -> Picture {
    let camera = Camera {
        only: session.only(),
        subtypes: Vec::new(),
    };
    camera.picture(found, &found::own_addresses(&zeroconf.links()))
}

fn show(args: &args::Resolve, session: &mut Session, picture: Picture) -> Result<Outcome, Stop> {
    match args.print {
        Some(print) => {
            let line = match print {
                Print::Host => escape::escaped_text(&picture.host),
                Print::Port => picture.port.to_string(),
                Print::Address => {
                    let best = picture
                        .best_address()
                        .map(crate::picture::Address::text)
                        .unwrap_or_default();
                    escape::text(&best)
                }
                Print::Url => url::url(&picture),
            };
            session.output.line(&line)?;
        }
        None if session.common.json => session.json(&Event::Added(picture))?,
        None => {
            let block = details::block(&picture, session.common.verbose > 0, session.output.paint);
            session.output.line(&block)?;
        }
    }
    Ok(Outcome::Done)
}

fn none(
    session: &mut Session,
    zeroconf: &cooee::Zeroconf,
    name: &ServiceName,
    proof: Proof,
    timeout: Duration,
) -> Result<Outcome, Stop> {
    let query = name.to_string();
    let shown = escape::escaped_text(&query);
    let on = session::on_links(zeroconf);
    session.talk.hint(&match proof {
        Proof::Timeout => format!(
            "no '{shown}' within {:.1} s{on}{}",
            timeout.as_secs_f64(),
            session::ADVICE
        ),
        Proof::Nsec => format!("no '{shown}'{on}: the owner of the name says so"),
    });
    if session.common.json {
        session.json(&Event::None {
            query,
            rrtype: "SRV".into(),
            proof,
        })?;
    }
    Ok(Outcome::NotFound)
}

/// The whole name that the words mean.
fn service_name(args: &args::Resolve) -> Result<ServiceName, Failure> {
    let octets = words::octets(&args.name).map_err(Failure::usage)?;
    let (instance, wire) = match &args.kind {
        // With a type beside it, a name that ends in that very type is whole.
        Some(kind) => {
            let whole = name_arg::parse(&octets).map_err(Failure::usage)?;
            match whole.type_wire {
                Some(wire) if wire.eq_ignore_ascii_case(&kind.wire) => (whole.instance, wire),
                _ => (
                    name_arg::instance_label(&octets).map_err(Failure::usage)?,
                    kind.wire.clone(),
                ),
            }
        }
        None => {
            let name = name_arg::parse(&octets).map_err(Failure::usage)?;
            let Some(wire) = name.type_wire else {
                let shown = escape::octets(&name.instance);
                return Err(Failure::usage(format!(
                    "the type of '{shown}' is missing: write it behind, as in cooee resolve '{shown}' _http._tcp"
                )));
            };
            (name.instance, wire)
        }
    };
    let instance =
        InstanceName::from_bytes(&instance).map_err(|error| Failure::usage(error.to_string()))?;
    let kind: ServiceType = wire
        .parse()
        .map_err(|error: cooee::ServiceTypeError| Failure::usage(error.to_string()))?;
    Ok(ServiceName::local(instance, kind))
}
