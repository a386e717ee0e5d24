//! When, and why.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use super::Instant;

/// The deadlines of one link, nearest first.
///
/// Moving a deadline to a later time costs nothing: its entry stays where it is and is put right when it comes up. That is what
/// happens each time a known record is refreshed.
#[derive(Debug)]
pub(super) struct Deadlines<K> {
    heap: BinaryHeap<Reverse<(Instant, K)>>,
}

/// The deadline of one thing, kept inside that thing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timer {
    due: Option<Instant>,
    /// Where the entry that counts stands in the queue; others of this timer are stale.
    queued: Option<Instant>,
}

impl<K: Copy + Ord> Deadlines<K> {
    pub(super) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
        }
    }

    /// The nearest entry. It may be stale.
    pub(super) fn first(&self) -> Option<(Instant, K)> {
        self.heap.peek().map(|Reverse(entry)| *entry)
    }

    /// Takes the nearest entry.
    pub(super) fn pop(&mut self) -> Option<(Instant, K)> {
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Drops the entries that are stale. Whoever makes and drops things in masses has to call it now and then.
    pub(super) fn retain(&mut self, mut counts: impl FnMut(Instant, K) -> bool) {
        self.heap.retain(|Reverse((at, key))| counts(*at, *key));
    }

    fn push(&mut self, at: Instant, key: K) {
        self.heap.push(Reverse((at, key)));
    }
}

impl Timer {
    /// When it is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Makes it due at `due`, whatever it was before.
    pub(super) fn set<K: Copy + Ord>(
        &mut self,
        due: Instant,
        key: K,
        deadlines: &mut Deadlines<K>,
    ) {
        self.due = Some(due);
        if self.queued.is_none_or(|queued| due < queued) {
            self.queued = Some(due);
            deadlines.push(due, key);
        }
    }

    /// Makes it due at `due` if it was not due earlier.
    pub(super) fn advance<K: Copy + Ord>(
        &mut self,
        due: Instant,
        key: K,
        deadlines: &mut Deadlines<K>,
    ) {
        if self.due.is_none_or(|present| due < present) {
            self.set(due, key, deadlines);
        }
    }

    pub(super) fn clear(&mut self) {
        self.due = None;
    }

    /// Whether the queue's entry at `at` is the one that counts.
    pub(super) fn is_queued_at(&self, at: Instant) -> bool {
        self.queued == Some(at)
    }

    /// Whether the entry at `at`, which counts, tells the truth: the timer is due just then.
    pub(super) fn is_due_at(&self, at: Instant) -> bool {
        self.is_queued_at(at) && self.due == Some(at)
    }

    /// The entry at `at` has been taken from the queue: whether the timer is due by `now`. One that is due later gets a new entry.
    pub(super) fn fire<K: Copy + Ord>(
        &mut self,
        at: Instant,
        now: Instant,
        key: K,
        deadlines: &mut Deadlines<K>,
    ) -> bool {
        if !self.is_queued_at(at) {
            return false;
        }
        self.queued = None;
        match self.due {
            Some(due) if due <= now => {
                self.due = None;
                true
            }
            Some(due) => {
                self.set(due, key, deadlines);
                false
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn a_deadline_that_moves_later_fires_once_and_then() {
        let mut deadlines = Deadlines::new();
        let mut timer = Timer::default();
        timer.set(at(10), 'a', &mut deadlines);
        timer.set(at(30), 'a', &mut deadlines);
        assert_eq!(deadlines.len(), 1);
        assert_eq!(deadlines.pop(), Some((at(10), 'a')));
        assert!(!timer.fire(at(10), at(10), 'a', &mut deadlines));
        assert_eq!(deadlines.pop(), Some((at(30), 'a')));
        assert!(timer.fire(at(30), at(30), 'a', &mut deadlines));
        assert_eq!(deadlines.pop(), None);
    }

    #[test]
    fn a_deadline_that_moves_earlier_fires_then_and_not_again() {
        let mut deadlines = Deadlines::new();
        let mut timer = Timer::default();
        timer.set(at(30), 'a', &mut deadlines);
        timer.set(at(10), 'a', &mut deadlines);
        assert_eq!(deadlines.pop(), Some((at(10), 'a')));
        assert!(timer.fire(at(10), at(12), 'a', &mut deadlines));
        assert_eq!(deadlines.pop(), Some((at(30), 'a')));
        assert!(!timer.fire(at(30), at(30), 'a', &mut deadlines));
    }

    #[test]
    fn a_cleared_deadline_does_not_fire() {
        let mut deadlines = Deadlines::new();
        let mut timer = Timer::default();
        timer.set(at(10), 'a', &mut deadlines);
        timer.clear();
        deadlines.pop();
        assert!(!timer.fire(at(10), at(10), 'a', &mut deadlines));
    }
}
