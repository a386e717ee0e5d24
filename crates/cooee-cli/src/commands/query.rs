//! `cooee query`: the records of one name and type, as dig shows them.

use std::time::Duration;

use cooee::wire::{NameBuf, RecordType};
use cooee::{FoundRecord, HostPolicy, RecordEvent, Zeroconf};
use tokio::time::Instant;

use crate::args;
use crate::events::{Event, Proof, Record};
use crate::failure::{Failure, Outcome};
use crate::nearest::nearest;
use crate::output::Stop;
use crate::picture::Interface;
use crate::reader::Reader;
use crate::session::{self, Session};
use crate::{escape, interfaces, signals};

/// Runs the command.
///
/// # Errors
///
/// Wrong words, or trouble with the network or the output.
pub(crate) async fn run(args: &args::Query, mut session: Session) -> Result<Outcome, Failure> {
    let name = super::host::local_name(&args.name)?;
    let zeroconf = session.open(HostPolicy::None).await?;
    let trouble = interfaces::trouble(&session::present(&zeroconf));
    if let Some(trouble) = trouble {
        if !args.watch {
            session.close(&zeroconf).await;
            return Err(Failure::trouble(trouble));
        }
        session.talk.hint(&format!("{trouble}; waiting for one"));
    }
    let told = if args.watch {
        watch(args, name, &zeroconf, &mut session).await
    } else {
        once(args, name, &zeroconf, &mut session).await
    };
    session.close(&zeroconf).await;
    told?.or_else(|stop| stop.into_result().map(|()| Outcome::Done))
}

/// How long to ask if nothing else was said.
const USUAL: Duration = Duration::from_secs(3);

async fn once(
    args: &args::Query,
    name: NameBuf,
    zeroconf: &Zeroconf,
    session: &mut Session,
) -> Result<Result<Outcome, Stop>, Failure> {
    let timeout = args.timeout.unwrap_or(USUAL);
    let mut signals = session.signals.clone();
    // The stream tells each record at once, the lookup when no more is to come.
    let mut query = zeroconf
        .query(name.clone(), args.kind)
        .map_err(|error| session::failure(&error))?;
    let lookup = zeroconf.lookup(name.clone(), args.kind).timeout(timeout);
    let mut lookup = std::pin::pin!(lookup.into_future());
    let begun = Instant::now();
    let mut still = None;
    let ended = loop {
        let event = tokio::select! {
            biased;
            signal = signals.asked() => {
                session.close(zeroconf).await;
                signals::leave(signal);
            }
            event = query.next() => event,
            ended = &mut lookup => break ended.map(|_| ()),
            () = super::at(still) => break Ok(()),
        };
        if let Some(RecordEvent::Added(record)) = event {
            if let Err(stop) = tell(session, &record, true) {
                return Ok(Err(stop));
            }
            // Who shares a name with others may not be the last to answer: as a list of services (ruling 34).
            still = Some((Instant::now() + super::STILL).max(begun + super::LEAST));
        }
    };
    let proof = match ended {
        _ if still.is_some() => return Ok(Ok(Outcome::Done)),
        Ok(()) => Proof::Timeout,
        Err(error) if error.is_timeout() => Proof::Timeout,
        Err(error) if error.is_not_found() => Proof::Nsec,
        Err(error) => return Err(session::failure(&error)),
    };
    let shown = escape::escaped_text(&name.to_string());
    session.talk.hint(&match proof {
        Proof::Timeout => format!(
            "no {} record of '{shown}' within {:.1} s",
            args.kind,
            timeout.as_secs_f64()
        ),
        Proof::Nsec => format!(
            "no {} record of '{shown}': the owner of the name says so",
            args.kind
        ),
    });
    if session.common.json {
        let event = Event::None {
            query: args.name.clone(),
            rrtype: args.kind.to_string(),
            proof,
        };
        if let Err(stop) = session.json(&event) {
            return Ok(Err(stop));
        }
    }
    Ok(Ok(Outcome::NotFound))
}

async fn watch(
    args: &args::Query,
    name: NameBuf,
    zeroconf: &Zeroconf,
    session: &mut Session,
) -> Result<Result<Outcome, Stop>, Failure> {
    let mut query = zeroconf
        .query(name, args.kind)
        .map_err(|error| session::failure(&error))?;
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let mut signals = session.signals.clone();
    let mut reader = Reader::watch();
    let mut outcome = Outcome::NotFound;
    loop {
        let event = tokio::select! {
            biased;
            _ = signals.asked() => return Ok(Ok(outcome)),
            () = reader.gone() => return Ok(Err(Stop::Closed)),
            () = super::at(deadline) => return Ok(Ok(outcome)),
            event = query.next() => event,
        };
        let told = match &event {
            Some(RecordEvent::Added(record)) => tell(session, record, true),
            Some(RecordEvent::Removed(record)) => tell(session, record, false),
            None => return Ok(Ok(outcome)),
        };
        if let Err(stop) = told {
            return Ok(Err(stop));
        }
        outcome = Outcome::Done;
    }
}

fn tell(session: &mut Session, found: &FoundRecord, is_there: bool) -> Result<(), Stop> {
    let record = Record {
        name: found.name().to_string(),
        rrtype: found.kind().to_string(),
        ttl: found.ttl(),
        unique: found.is_unique(),
        data: found.record().rdata.to_string(),
        raw: found.record().rdata.octets().to_vec(),
        interface: found.link().map(|link| Interface {
            name: link.name().into(),
            index: link.index(),
        }),
    };
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
    let on = record
        .interface
        .as_ref()
        .map(|interface| escape::text(&interface.name))
        .unwrap_or_default();
    format!(
        "{}.  {}  IN  {}  {}  ; {on}, {}",
        escape::escaped_text(&record.name),
        record.ttl,
        record.rrtype,
        escape::escaped_text(&record.data),
        if record.unique { "unique" } else { "shared" }
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
        };
        assert_eq!(
            line(&record),
            "tabasco.local.  120  IN  A  192.0.2.17  ; eth0, unique"
        );
    }
}
