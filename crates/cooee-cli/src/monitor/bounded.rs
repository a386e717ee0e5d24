//! A map that strangers can fill, but not beyond its bound.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Keeps what was put in last: when it is full, the quarter goes that has not been put in or changed for longest.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    most: usize,
    turn: u64,
    map: HashMap<K, (u64, V)>,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    /// Holds so many at most.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            turn: 0,
            map: HashMap::new(),
        }
    }

    /// What is kept under a key.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.map.get(key).map(|(_, value)| value)
    }

    /// The same to be changed, which does not count as put in.
    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.map.get_mut(key).map(|(_, value)| value)
    }

    /// Puts a value in, and gives the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.make_room(&key);
        self.turn += 1;
        self.map
            .insert(key, (self.turn, value))
            .map(|(_, value)| value)
    }

    /// The value of a key to be changed, made if it is not there.
    pub(crate) fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.make_room(&key);
        self.turn += 1;
        let turn = self.turn;
        let (last, value) = self.map.entry(key).or_insert_with(|| (turn, make()));
        *last = turn;
        value
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.map.remove(key).map(|(_, value)| value)
    }

    /// Keeps those for which this is true.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.map.retain(|key, (_, value)| keep(key, value));
    }

    /// All there is, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.map.iter().map(|(key, (_, value))| (key, value))
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    fn make_room(&mut self, key: &K) {
        if self.map.len() < self.most || self.map.contains_key(key) {
            return;
        }
        let mut turns: Vec<u64> = self.map.values().map(|(turn, _)| *turn).collect();
        let quarter = turns.len() / 4;
        let (_, &mut oldest_kept, _) = turns.select_nth_unstable(quarter);
        self.map.retain(|_, (turn, _)| *turn > oldest_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_it_is_full_the_oldest_go() {
        let mut map = Bounded::new(8);
        for number in 0..100 {
            map.insert(number, ());
            // What is used stays.
            map.entry(0, || ());
            assert!(map.len() <= 8);
        }
        assert!(map.get(&0).is_some() && map.get(&99).is_some());
        assert!(map.get(&1).is_none());
    }

    #[test]
    fn a_map_of_one_works_too() {
        let mut map = Bounded::new(0);
        map.insert(1, 'a');
        assert_eq!(map.insert(1, 'b'), Some('a'));
        map.insert(2, 'c');
        assert_eq!((map.len(), map.get(&2)), (1, Some(&'c')));
    }
}
