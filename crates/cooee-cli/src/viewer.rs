//! Shows services as they come, change and go: rows for people, columns for pipes, JSON for programs.

use std::collections::{BTreeMap, HashSet};

use crate::details;
use crate::events::Event;
use crate::output::Stop;
use crate::parsable::Parsable;
use crate::picture::{Identity, Interface, Picture};
use crate::rows::{Row, Shape, Sign, Table};
use crate::session::Session;

/// How to show.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Several types are looked for.
    pub(crate) with_type: bool,
    /// Several links are in use.
    pub(crate) with_link: bool,
    /// Nothing is asked but names.
    pub(crate) names_only: bool,
    /// What is found is listed at the end, by name, rather than told as it comes. Programs are told at once anyway.
    pub(crate) at_the_end: bool,
    /// In lines as `avahi-browse --parsable` has them.
    pub(crate) parsable: Option<Parsable>,
}

/// What has been shown so far.
#[derive(Debug)]
pub(crate) struct Viewer {
    manner: Manner,
    known: BTreeMap<String, Shown>,
    /// Those of which it was told that they are found but not resolved; never more than there are.
    unresolved: HashSet<String>,
    added: u64,
    has_header: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    /// And where it was heard.
    Named(Identity, Vec<Interface>),
    Whole(Box<Picture>),
}

impl Shown {
    fn identity(&self) -> &Identity {
        match self {
            Self::Named(identity, _) => identity,
            Self::Whole(picture) => &picture.identity,
        }
    }

    fn links(&self) -> &[Interface] {
        match self {
            Self::Named(_, links) => links,
            Self::Whole(picture) => &picture.links,
        }
    }

    fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Named(..) => None,
            Self::Whole(picture) => Some(picture),
        }
    }
}

impl Viewer {
    /// Nothing shown yet.
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            known: BTreeMap::new(),
            unresolved: HashSet::new(),
            added: 0,
            has_header: false,
        }
    }

    /// How many were found so far; one that came back counts again.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// Learns which links there are.
    pub(crate) fn know_links(&mut self, links: &[cooee::Link]) {
        if let Some(parsable) = &mut self.manner.parsable {
            parsable.know(links);
        }
    }

    /// The names of what is there now.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.known.keys().cloned()
    }

    /// Tells that a service is as the picture has it: new, changed, or as before.
    ///
    /// # Errors
    ///
    /// As for [`Output::line`](crate::output::Output::line).
    pub(crate) fn see(&mut self, session: &mut Session, picture: Picture) -> Result<(), Stop> {
        let key = key(&picture.identity);
        let earlier = self.known.get(&key).and_then(Shown::picture);
        let changed = earlier
            .map(|earlier| picture.changed_since(earlier))
            .unwrap_or_default();
        let is_new = earlier.is_none();
        if is_new {
            self.added += 1;
            self.unresolved.remove(&key);
        } else if changed.is_empty() {
            return Ok(());
        }
        if session.common.json {
            let event = match is_new {
                true => Event::Added(picture.clone()),
                false => Event::Updated {
                    picture: picture.clone(),
                    changed,
                },
            };
            session.json(&event)?;
        } else if let Some(parsable) = &self.manner.parsable {
            let before = earlier.map(|earlier| earlier.links.as_slice());
            let before = before.unwrap_or_default();
            let differ = |some: &[Interface], other: &[Interface]| {
                let links = some.iter().filter(|link| !other.contains(link));
                links.cloned().collect::<Vec<_>>()
            };
            let went = differ(before, &picture.links);
            let came = differ(&picture.links, before);
            let mut lines = parsable.came_or_went('-', &picture.identity, &went);
            lines.extend(parsable.came_or_went('+', &picture.identity, &came));
            if parsable.resolve {
                lines.extend(parsable.resolved(&picture));
            }
            put(session, &lines)?;
        } else if !self.manner.at_the_end {
            let sign = if is_new { Sign::Added } else { Sign::Updated };
            self.row(
                session,
                &Row {
                    sign,
                    identity: &picture.identity,
                    picture: Some(&picture),
                    changed: &changed,
                },
            )?;
        }
        self.known.insert(key, Shown::Whole(Box::new(picture)));
        Ok(())
    }

    /// Tells that there is a service of this name, of which no more was asked.
    ///
    /// # Errors
    ///
    /// As for [`see`](Self::see).
    pub(crate) fn hear(
        &mut self,
        session: &mut Session,
        identity: Identity,
        links: &[Interface],
    ) -> Result<(), Stop> {
        let key = key(&identity);
        if self.known.contains_key(&key) {
            return Ok(());
        }
        self.added += 1;
        if session.common.json {
            session.json(&Event::Named {
                identity: identity.clone(),
                links: links.to_vec(),
            })?;
        } else if let Some(parsable) = &self.manner.parsable {
            put(session, &parsable.came_or_went('+', &identity, links))?;
        } else if !self.manner.at_the_end {
            self.row(
                session,
                &Row {
                    sign: Sign::Added,
                    identity: &identity,
                    picture: None,
                    changed: &[],
                },
            )?;
        }
        self.known
            .insert(key, Shown::Named(identity, links.to_vec()));
        Ok(())
    }

    /// Tells that a service is gone. Of one that was never shown, nothing is said.
    ///
    /// # Errors
    ///
    /// As for [`see`](Self::see).
    pub(crate) fn lose(&mut self, session: &mut Session, service: &str) -> Result<(), Stop> {
        let key = service.to_ascii_lowercase();
        self.unresolved.remove(&key);
        let Some(shown) = self.known.remove(&key) else {
            return Ok(());
        };
        if session.common.json {
            session.json(&Event::Removed(shown.identity().clone()))
        } else if let Some(parsable) = &self.manner.parsable {
            let lines = parsable.came_or_went('-', shown.identity(), shown.links());
            put(session, &lines)
        } else if self.manner.at_the_end {
            Ok(())
        } else {
            let row = Row {
                sign: Sign::Removed,
                identity: shown.identity(),
                picture: shown.picture(),
                changed: &[],
            };
            self.row(session, &row)
        }
    }

    /// Tells that a service was found but not where it is: once, until it is resolved or gone.
    ///
    /// # Errors
    ///
    /// As for [`see`](Self::see).
    pub(crate) fn miss(
        &mut self,
        session: &mut Session,
        identity: &Identity,
        missing: Vec<&'static str>,
        links: Vec<Interface>,
    ) -> Result<(), Stop> {
        if !self.begins_to_miss(identity) {
            return Ok(());
        }
        if session.common.json {
            session.json(&Event::Unresolved {
                identity: identity.clone(),
                missing,
                links,
            })
        } else if let Some(parsable) = &self.manner.parsable {
            put(session, &parsable.came_or_went('+', identity, &links))
        } else {
            self.row(
                session,
                &Row {
                    sign: Sign::Unresolved,
                    identity,
                    picture: None,
                    changed: &[],
                },
            )
        }
    }

    /// Keeps in mind that it was told what a service lacks; whether that is news.
    fn begins_to_miss(&mut self, identity: &Identity) -> bool {
        let key = key(identity);
        !self.known.contains_key(&key) && self.unresolved.insert(key)
    }

    /// Forgets those found but not resolved that are not among them any more, by name in lower case. Who comes back is told again.
    pub(crate) fn missing_are(&mut self, still: impl Fn(&str) -> bool) {
        self.unresolved.retain(|name| still(name));
    }

    /// Lists what was kept for the end, by name.
    ///
    /// # Errors
    ///
    /// As for [`see`](Self::see).
    pub(crate) fn list(&mut self, session: &mut Session) -> Result<(), Stop> {
        let is_told = session.common.json || self.manner.parsable.is_some();
        if is_told || !self.manner.at_the_end || self.known.is_empty() {
            return Ok(());
        }
        let known = std::mem::take(&mut self.known);
        let rows: Vec<Row<'_>> = known
            .values()
            .map(|shown| Row {
                sign: Sign::Added,
                identity: shown.identity(),
                picture: shown.picture(),
                changed: &[],
            })
            .collect();
        if session.output.is_terminal() {
            let table = Table::for_rows(self.shape(session, false), &rows);
            session.output.line(&table.header(session.output.paint))?;
            for row in &rows {
                session.output.line(&table.row(row, session.output.paint))?;
                detail(session, row)?;
            }
        } else {
            for row in &rows {
                put_piped(session, row)?;
            }
        }
        self.known = known;
        Ok(())
    }

    fn row(&mut self, session: &mut Session, row: &Row<'_>) -> Result<(), Stop> {
        if !session.output.is_terminal() {
            return put_piped(session, row);
        }
        let paint = session.output.paint;
        // The terminal may have another width by now.
        let table = Table::for_width(self.shape(session, true));
        if !self.has_header {
            session.output.line(&table.header(paint))?;
            self.has_header = true;
        }
        session.output.line(&table.row(row, paint))?;
        detail(session, row)
    }

    fn shape(&self, session: &Session, with_sign: bool) -> Shape {
        Shape {
            width: session.output.width(),
            with_type: self.manner.with_type,
            with_link: self.manner.with_link && !self.manner.names_only,
            with_sign,
            names_only: self.manner.names_only,
        }
    }
}

fn put(session: &mut Session, lines: &[String]) -> Result<(), Stop> {
    lines.iter().try_for_each(|line| session.output.line(line))
}

fn put_piped(session: &mut Session, row: &Row<'_>) -> Result<(), Stop> {
    let line = row.piped(session.output.paint, session.common.verbose > 0);
    session.output.line(&line)
}

/// The block below a row, for those who want more of it.
fn detail(session: &mut Session, row: &Row<'_>) -> Result<(), Stop> {
    match row.picture {
        Some(picture) if session.common.verbose > 0 && row.sign != Sign::Removed => {
            let lines = details::lines(picture, true, session.output.paint);
            session.output.line(&lines.join("\n"))
        }
        _ => Ok(()),
    }
}

/// Names are the same in any ASCII case.
fn key(identity: &Identity) -> String {
    identity.service.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(service: &str) -> Identity {
        Identity {
            instance: Vec::new(),
            type_wire: String::new(),
            service: service.to_owned(),
        }
    }

    // ruling 29
    #[test]
    fn what_is_never_resolved_is_told_once_and_forgotten_when_it_goes() {
        let mut viewer = Viewer::new(Manner {
            with_type: false,
            with_link: false,
            names_only: false,
            at_the_end: false,
            parsable: None,
        });
        let lobby = named("Lobby._ipp._tcp.local");
        let attic = named("Attic._ipp._tcp.local");
        assert!(viewer.begins_to_miss(&lobby) && viewer.begins_to_miss(&attic));

        viewer.missing_are(|name| name == "lobby._ipp._tcp.local");
        assert_eq!(viewer.unresolved.len(), 1);
        assert!(!viewer.begins_to_miss(&named("LOBBY._ipp._tcp.local")));
        assert!(viewer.begins_to_miss(&attic), "it came back");

        // However many names come and go, none is left of them.
        for number in 0..1_000 {
            viewer.missing_are(|_| false);
            assert!(viewer.begins_to_miss(&named(&number.to_string())));
        }
        assert_eq!(viewer.unresolved.len(), 1);
    }
}
