//! `cooee browse`: services as they come, change and go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cooee::{Browse, Browser, HostPolicy, Snapshot, Unresolved, Zeroconf};
use tokio::time::Instant;

use crate::args;
use crate::failure::{Failure, Outcome};
use crate::found::{self, Camera};
use crate::interfaces;
use crate::output::Stop;
use crate::parsable::Parsable;
use crate::reader::Reader;
use crate::session::{self, Session};
use crate::signals::{self, Signal};
use crate::type_arg::TypeArg;
use crate::viewer::{Manner, Viewer};

/// Runs the command.
///
/// # Errors
///
/// Wrong words, or trouble with the network or the output.
pub(crate) async fn run(args: &args::Browse, mut session: Session) -> Result<Outcome, Failure> {
    if args.avahi.cache {
        let text = "-c asks a daemon for its cache, and there is none: -t lists what is there now";
        return Err(Failure::usage(text));
    }
    if args.avahi.dump_db || args.avahi.browse_domains {
        let types = args::Types {
            known: args.avahi.dump_db,
            domains: args.avahi.browse_domains,
            ..args::Types::default()
        };
        return super::types::run(&types, session).await;
    }
    // In these lines nothing is looked up that nobody asked for.
    let names_only = args.no_resolve || (args.avahi.parsable && !args.resolve && !args.no_local);
    let (search, subtypes) = search(args, names_only)?;
    let zeroconf = session.open(HostPolicy::None).await?;
    if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
        if args.once {
            session.close(&zeroconf).await;
            return Err(session::no_link(&trouble));
        }
        session.talk.hint(&format!("{trouble}; waiting for one"));
    }
    let browser = zeroconf
        .browse(search)
        .map_err(|error| session::failure(&error))?;
    let mut browsing = Browsing {
        viewer: Viewer::new(Manner {
            with_type: args.types.len() != 1,
            with_link: session::in_use(&zeroconf).len() > 1,
            names_only,
            at_the_end: args.once,
            parsable: args
                .avahi
                .parsable
                .then(|| Parsable::new(args.resolve, session.only())),
        }),
        camera: Camera {
            only: session.only(),
            subtypes,
        },
        zeroconf: zeroconf.clone(),
        browser,
        names_only,
        no_local: args.no_local,
        unresolved: BTreeMap::new(),
        last_new: Instant::now(),
    };
    let end = browsing.watch(args, &mut session).await;
    let end = match end {
        // A list that was cut short is no list.
        Ok(End::Signal(signal)) if args.once => {
            session.close(&zeroconf).await;
            session.output.erase_progress();
            signals::leave(signal);
        }
        Ok(end) => browsing.finish(args, end, &mut session).map(|()| end),
        Err(stop) => Err(stop),
    };
    session.close(&zeroconf).await;
    match end {
        Ok(end) => Ok(browsing.outcome(args, end, &mut session)),
        Err(stop) => stop.into_result().map(|()| Outcome::Done),
    }
}

/// What to search for, and the subtypes in it.
fn search(args: &args::Browse, names_only: bool) -> Result<(Browse, Vec<String>), Failure> {
    let mut subtypes: Vec<String> = args
        .types
        .iter()
        .flat_map(|kind| kind.subtypes.clone())
        .collect();
    subtypes.extend(args.subtype.clone());
    let invalid = |error| session::failure(&error);
    let search = match args.types.as_slice() {
        [] => Browse::all_types(),
        [one] => Browse::new(one.wire.as_str()).map_err(invalid)?,
        several => Browse::types(several.iter().map(|kind: &TypeArg| kind.wire.as_str()))
            .map_err(invalid)?,
    };
    let search = match (subtypes.as_slice(), args.types.as_slice()) {
        ([], _) => search,
        ([one], [_]) => search.subtype(one).map_err(invalid)?,
        ([_], []) => {
            return Err(Failure::usage(
                "a subtype needs the type it belongs to: cooee browse http -s _printer",
            ));
        }
        ([_], _) => {
            return Err(Failure::usage(
                "a subtype can be looked for in one type only: name one",
            ));
        }
        _ => {
            return Err(Failure::usage(
                "one subtype can be looked for at a time: name one",
            ));
        }
    };
    Ok((
        if names_only {
            search.names_only()
        } else {
            search
        },
        subtypes,
    ))
}

/// A search under way.
#[derive(Debug)]
struct Browsing {
    viewer: Viewer,
    camera: Camera,
    zeroconf: Zeroconf,
    browser: Browser,
    names_only: bool,
    no_local: bool,
    /// What was found without where it is, by name, at the last look.
    unresolved: BTreeMap<String, Unresolved>,
    /// When the last new instance was heard of.
    last_new: Instant,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All is found that answers.
    Complete,
    /// As many as were asked for.
    Count,
    /// The time is over.
    Timeout,
    /// Somebody said so.
    Signal(Signal),
    /// Nobody reads any more.
    Unread,
    /// The network was shut down.
    Closed,
}

/// How often those are looked at that are found but not resolved.
const LOOK: Duration = Duration::from_secs(1);

impl Browsing {
    async fn watch(&mut self, args: &args::Browse, session: &mut Session) -> Result<End, Stop> {
        let started = Instant::now();
        let deadline = args.timeout.map(|timeout| started + timeout);
        let mut signals = session.signals.clone();
        let mut reader = Reader::watch();
        let mut next_look = args.once.then(|| started + super::LEAST);
        if session.common.verbose > 0 && !args.once {
            next_look = Some(started + LOOK);
        }
        let what = format!("{}{}", wanted(args), session::on_links(&self.zeroconf));
        let mut next_tick = session.output.has_progress().then_some(started);
        loop {
            if args.count.is_some_and(|count| self.viewer.added() >= count) {
                return Ok(End::Count);
            }
            tokio::select! {
                biased;
                signal = signals.asked() => return Ok(End::Signal(signal)),
                () = reader.gone() => return Ok(End::Unread),
                () = super::at(deadline) => return Ok(End::Timeout),
                () = super::at(next_tick) => {
                    // Where rows come at once, they say enough.
                    let found = self.viewer.added();
                    let goes_on = found == 0 || (args.once && !session.common.json);
                    next_tick = goes_on.then(|| Instant::now() + session::TICK);
                    if goes_on {
                        session.progress(&what, found, started);
                    }
                }
                () = super::at(next_look) => {
                    let now = Instant::now();
                    self.look(session)?;
                    if args.once {
                        let end = started + super::MOST;
                        let still = (self.last_new + super::STILL).max(started + super::LEAST);
                        if now >= end || (now >= still && self.unresolved.is_empty()) {
                            return Ok(End::Complete);
                        }
                        next_look = Some(if still > now { still.min(end) } else { (now + super::STILL / 5).min(end) });
                    } else {
                        self.tell_unresolved(session)?;
                        next_look = Some(now + LOOK);
                    }
                }
                is_open = next(&mut self.browser, self.names_only) => match is_open {
                    Some(Some(event)) => self.tell(session, event)?,
                    Some(None) => self.look(session)?,
                    None => return Ok(End::Closed),
                },
            }
        }
    }

    fn tell(&mut self, session: &mut Session, event: cooee::ServiceEvent) -> Result<(), Stop> {
        match event {
            cooee::ServiceEvent::Added(found) | cooee::ServiceEvent::Updated(found) => {
                self.see(session, &found)
            }
            cooee::ServiceEvent::Removed(name) => self.viewer.lose(session, &name.to_string()),
        }
    }

    fn see(&mut self, session: &mut Session, found: &cooee::FoundService) -> Result<(), Stop> {
        let links = self.zeroconf.links();
        self.viewer.know_links(&links);
        let own = found::own_addresses(&links);
        let picture = self.camera.picture(found, &own);
        if picture.addresses.is_empty() || (self.no_local && picture.local) {
            // Nothing is left of it: it was not there, or is there no more.
            return self.viewer.lose(session, &picture.identity.service);
        }
        let before = self.viewer.added();
        self.viewer.see(session, picture)?;
        if self.viewer.added() > before {
            self.last_new = Instant::now();
        }
        Ok(())
    }

    /// Looks at all there is now. It counts as told, so all of it is told.
    fn look(&mut self, session: &mut Session) -> Result<(), Stop> {
        let Snapshot {
            services,
            unresolved,
            ..
        } = self.browser.snapshot();
        let mut gone: BTreeSet<String> = self.viewer.names().collect();
        for found in &services {
            gone.remove(&found.name().to_string().to_ascii_lowercase());
            self.see(session, found)?;
        }
        self.viewer.know_links(&self.zeroconf.links());
        let before = std::mem::take(&mut self.unresolved);
        for named in unresolved {
            let identity = found::identity(named.name());
            let service = identity.service.to_ascii_lowercase();
            gone.remove(&service);
            if self.names_only {
                let added = self.viewer.added();
                self.viewer
                    .hear(session, identity, &found::links(named.links()))?;
                if self.viewer.added() > added {
                    self.last_new = Instant::now();
                }
            } else {
                if !before.contains_key(&service) {
                    self.last_new = Instant::now();
                }
                self.unresolved.insert(service, named);
            }
        }
        for name in gone {
            self.viewer.lose(session, &name)?;
        }
        Ok(())
    }

    /// Tells what was found but not where it is, at the last look.
    fn tell_unresolved(&mut self, session: &mut Session) -> Result<(), Stop> {
        let still = &self.unresolved;
        self.viewer.missing_are(|name| still.contains_key(name));
        for named in self.unresolved.values() {
            let identity = found::identity(named.name());
            self.viewer.miss(
                session,
                &identity,
                found::missing(named),
                found::links(named.links()),
            )?;
        }
        Ok(())
    }

    fn finish(&mut self, args: &args::Browse, end: End, session: &mut Session) -> Result<(), Stop> {
        if matches!(end, End::Closed | End::Unread) {
            return Ok(());
        }
        if args.once {
            self.look(session)?;
            self.viewer.list(session)?;
            self.tell_unresolved(session)?;
        }
        Ok(())
    }

    fn outcome(&self, args: &args::Browse, end: End, session: &mut Session) -> Outcome {
        session.output.erase_progress();
        if end == End::Unread {
            return Outcome::Done;
        }
        let found = self.viewer.added();
        if let (Some(count), true) = (args.count, found > 0)
            && found < count
        {
            session.talk.hint(&format!(
                "{found} of {count} found{}",
                session::on_links(&self.zeroconf)
            ));
            return Outcome::NotFound;
        }
        if found > 0 {
            return Outcome::Done;
        }
        if !matches!(end, End::Signal(_)) {
            let what = wanted(args);
            let seconds = session.now().since_start.as_secs_f64();
            session.talk.hint(&format!(
                "no {what} within {seconds:.1} s{}{}",
                session::on_links(&self.zeroconf),
                session::ADVICE
            ));
        }
        Outcome::NotFound
    }
}

/// What is looked for, in words.
fn wanted(args: &args::Browse) -> String {
    match args.types.as_slice() {
        [] => "service".to_owned(),
        several => several
            .iter()
            .map(|kind| {
                let subtypes = kind.subtypes.iter().chain(&args.subtype);
                let parts: Vec<&str> = std::iter::once(&kind.wire)
                    .chain(subtypes)
                    .map(String::as_str)
                    .collect();
                crate::escape::text(&parts.join(","))
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Waits for news: an event, or with names only the mere fact; `None` after shutdown.
async fn next(browser: &mut Browser, names_only: bool) -> Option<Option<cooee::ServiceEvent>> {
    if names_only {
        browser.changed().await.ok().map(|()| None)
    } else {
        browser.next().await.map(Some)
    }
}
