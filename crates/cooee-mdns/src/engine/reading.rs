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

impl<'m> Reading<'m> {
    /// Goes on with a record. A name that cannot be read to its end is found nowhere.
    pub(super) fn turn_to(
        &mut self,
        record: &Record<'m>,
        link: &mut Link,
        cx: &Context,
    ) -> (Owner<'m>, &mut Run) {
        let (name, kind, class) = (record.name, record.kind(), record.class);
        let known = self.owner.filter(|owner| owner.name == name);
        let run = self.run.take();
        let before = run.as_ref().and_then(|run| run.place.last);
        let same = |run: &Run| known.is_some() && run.kind == kind && run.class == class;
        if let (Some(run), Some(owner)) = (run.filter(same), known) {
            // The name of this record and that of the next one are likely to be written alike.
            let owner = Owner { name, ..owner };
            self.owner = Some(owner);
            return (owner, self.run.insert(run));
        }
        let expected = before.and_then(|before| link.cache.follower(before, name, kind, class));
        let owner = known.unwrap_or_else(|| {
            let hash = match &expected {
                Some((hash, _)) => *hash,
                None => cx.keys.name(name),
            };
            let own = link.own.find_name(hash, name);
            Owner { name, hash, own }
        });
        let owner = Owner { name, ..owner };
        self.owner = Some(owner);
        let place = match expected {
            Some((_, place)) => place,
            None => {
                let hash = cx.keys.rrset(owner.hash, kind, class);
                let place = link.cache.place(hash, name, kind, class);
                link.cache.note_follower(before, &place);
                place
            }
        };
        let run = Run {
            kind,
            class,
            asked: link.is_asked(owner.hash, record),
            place,
        };
        (owner, self.run.insert(run))
    }

    /// Who asks may be different now.
    pub(super) fn forget_run(&mut self) {
        self.run = None;
    }
}
