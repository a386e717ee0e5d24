use alloc::boxed::Box;

/// Octets that stay where they are as long as there are at most `N`.
#[derive(Clone)]
pub(crate) enum Storage<const N: usize> {
    /// The first so many of the octets.
    Inline(u8, [u8; N]),
    Heap(Box<[u8]>),
}

impl<const N: usize> Storage<N> {
    pub(crate) fn new(octets: &[u8]) -> Self {
        const { assert!(N <= u8::MAX as usize) };
        let mut inline = [0; N];
        match inline.get_mut(..octets.len()) {
            Some(room) => {
                room.copy_from_slice(octets);
                Self::Inline(octets.len() as u8, inline)
            }
            None => Self::Heap(octets.into()),
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline(len, octets) => octets.get(..usize::from(*len)).unwrap_or_default(),
            Self::Heap(octets) => octets,
        }
    }
}
