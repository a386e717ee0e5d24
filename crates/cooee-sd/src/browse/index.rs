//! Things by name.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use cooee_wire::NameBuf;

/// The longest name in wire form, with its zero.
// RFC 6762 Appendix C (6762-C-5), ruling 35
const MAX_NAME: usize = 256;

/// A map from names to small things, without regard to ASCII case.
///
/// Keys are names in wire form, folded: one comparison of octets is all a step needs, where names themselves compare label
/// by label. It is a tree and no hash table because strangers choose the names and nobody gives us a secret seed.
#[derive(Debug)]
pub(crate) struct NameIndex<V> {
    map: BTreeMap<Box<[u8]>, V>,
}

impl<V> Default for NameIndex<V> {
    fn default() -> Self {
        Self {
            map: BTreeMap::new(),
        }
    }
}

impl<V: Copy> NameIndex<V> {
    pub(crate) fn get(&self, name: &NameBuf) -> Option<V> {
        self.map.get(fold(name, &mut [0; MAX_NAME])).copied()
    }

    pub(crate) fn insert(&mut self, name: &NameBuf, value: V) {
        self.map
            .insert(Box::from(fold(name, &mut [0; MAX_NAME])), value);
    }

    pub(crate) fn remove(&mut self, name: &NameBuf) {
        self.map.remove(fold(name, &mut [0; MAX_NAME]));
    }
}

/// The folded wire form. The octets that give a length are at most 63, below the letters, so all octets can be folded alike.
fn fold<'b>(name: &NameBuf, buffer: &'b mut [u8; MAX_NAME]) -> &'b [u8] {
    let octets = name.as_octets();
    let folded = buffer
        .get_mut(..octets.len())
        .expect("no name has more than 255 octets and the zero");
    folded.copy_from_slice(octets);
    folded.make_ascii_lowercase();
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_length_are_found_in_any_case() {
        // 1035-2.3.3-1, 6762-C-5
        let mut index = NameIndex::default();
        let long = |letter: &str| {
            let labels = [63, 63, 63, 62].map(|len| letter.repeat(len));
            NameBuf::from_labels(labels.iter().map(|label| label.as_bytes())).unwrap()
        };
        let short = |text: &str| text.parse::<NameBuf>().unwrap();
        index.insert(&long("X"), 1);
        index.insert(&short("Ä.b"), 2);
        index.insert(&NameBuf::root(), 3);
        assert_eq!(
            (
                index.get(&long("x")),
                index.get(&short("Ä.B")),
                index.get(&NameBuf::root())
            ),
            (Some(1), Some(2), Some(3))
        );
        assert_eq!(index.get(&short("ä.b")), None);
        index.remove(&long("x"));
        assert_eq!(index.get(&long("X")), None);
    }
}
