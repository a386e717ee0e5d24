//! What consecutive records of a response have in common.
//!
//! A response mostly has its records in runs of one name, or one name, type and class. What hangs on these is looked up once for each
//! run: the hash of the name, whether it is ours, who asks for the records, and where they are in the cache. And whoever refreshes records
//! sends them in the same order, so that each mostly leads to the next without a hash.

use cooee_wire::{Class, Name, Record, RecordType};

use super::cache::Place;
use super::context::Context;
use super::link::Link;

/// How far the reading of a response has come.
#[derive(Debug, Default)]
pub(super) struct Reading<'m> {
    owner: Option<Owner<'m>>,
    run: Option<Run>,
    /// The known record that was read last before the present run.
    last: Option<usize>,
}

/// The name of a run of records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'m> {
    name: Name<'m>,
    pub(super) hash: u64,
    /// The place of the name among ours.
    pub(super) own: Option<usize>,
}

/// The type and class of a run of records, and what they share.
#[derive(Debug)]
pub(super) struct Run {
    kind: RecordType,
    class: Class,
    /// Somebody here wants them.
    pub(super) asked: bool,
    pub(super) place: Place,
}

/// What records of one name, type and class are to us.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// It holds until a question or a name of ours comes or goes.
    changes: u64,
    asked: bool,
    own: Option<usize>,
}

impl<'m> Reading<'m> {
    /// Begins with a response; `last` is the known record with which the last one of its host has ended.
    pub(super) fn after(last: Option<usize>) -> Self {
        Self {
            last,
            ..Self::default()
        }
    }

    /// The known record that was read last.
    pub(super) fn last(&self) -> Option<usize> {
        self.run.as_ref().map_or(self.last, |run| run.place.last)
    }

    /// Goes on with a record. A name that cannot be read to its end is found nowhere.
    pub(super) fn turn_to(
        &mut self,
        record: &Record<'m>,
        link: &mut Link,
        cx: &Context,
    ) -> (Owner<'m>, &mut Run) {
        let (name, kind, class) = (record.name, record.kind(), record.class);
        let is_same = |owner: &Owner<'_>| owner.name == name;
        // The name of this record and that of the next one are likely to be written alike.
        let renamed = |owner: Owner<'m>| Owner { name, ..owner };
        self.last = self.last();
        let same = self
            .run
            .take()
            .filter(|run| run.kind == kind && run.class == class);
        if let Some(run) = same
            && let Some(owner) = self.owner.filter(is_same)
        {
            self.owner = Some(renamed(owner));
            return (renamed(owner), self.run.insert(run));
        }
        let expected = (self.last).and_then(|last| link.cache.place_after(last, name, kind, class));
        let (hash, place, noted) = match expected {
            Some(expected) => expected,
            None => {
                let known = self.owner.filter(is_same);
                let hash = known.map_or_else(|| cx.keys.name(name), |owner| owner.hash);
                let rrset = cx.keys.rrset(hash, kind, class);
                let place = link.cache.place(rrset, name, kind, class, self.last);
                (hash, place, None)
            }
        };
        let standing = match noted.filter(|noted| noted.changes == link.changes()) {
            Some(standing) => standing,
            None => {
                let standing = Standing {
                    changes: link.changes(),
                    asked: link.is_asked(hash, record),
                    own: link.own.find_name(hash, name),
                };
                link.cache.note_standing(&place, standing);
                standing
            }
        };
        let Standing { asked, own, .. } = standing;
        let owner = Owner { name, hash, own };
        self.owner = Some(owner);
        let run = Run {
            kind,
            class,
            asked,
            place,
        };
        (owner, self.run.insert(run))
    }

    /// Who asks may be different now.
    pub(super) fn forget_run(&mut self) {
        self.last = self.last();
        self.run = None;
    }
}
