use core::fmt;

use crate::{Malformed, Name, ParseError, parse};

/// How many pointers may be followed in one name: it has at most 127 labels, each of which may stand behind one.
// RFC 9267 §2: without this, pointers to pointers make one name cost as much as the whole message.
const MAX_POINTERS: u8 = 128;

/// The labels of a name, first to last.
///
/// Visits at most 127 labels and 128 pointers, whatever the octets are.
#[derive(Clone)]
pub struct Labels<'m> {
    message: &'m [u8],
    /// The message from the next label on.
    rest: &'m [u8],
    /// Where the present run of labels starts: pointers in it must point before this.
    run: usize,
    /// How many octets the labels to come may take, length octets counted.
    room: usize,
    /// How many pointers may still be followed.
    pointers: u8,
}

impl<'m> Labels<'m> {
    #[inline(always)]
    pub(crate) fn new(message: &'m [u8], at: usize) -> Self {
        Self {
            message,
            rest: message.get(at..).unwrap_or_default(),
            run: at,
            room: Name::MAX_LENGTH,
            pointers: MAX_POINTERS,
        }
    }

    /// The name that is made of the labels to come.
    pub(super) fn as_name(&self) -> Name<'m> {
        Name::at(self.message, self.offset())
    }

    /// The next label, `None` at the end, or what is wrong there. The same again if asked again.
    #[inline(always)]
    pub(crate) fn step(&mut self) -> Result<Option<&'m [u8]>, ParseError> {
        loop {
            match *self.rest {
                [0, ..] => return Ok(None),
                [len @ 1..=63, ref tail @ ..] => {
                    let len = usize::from(len);
                    let Some((label, rest)) = tail.split_at_checked(len) else {
                        return Err(self.fault(Malformed::NameTruncated));
                    };
                    // RFC 6762 Appendix C (6762-C-1, 6762-C-5)
                    let Some(room) = self.room.checked_sub(1 + len) else {
                        return Err(self.fault(Malformed::NameTooLong));
                    };
                    self.room = room;
                    self.rest = rest;
                    return Ok(Some(label));
                }
                [high @ 0xC0..=0xFF, low, ..] => self.follow(parse::pointer(high, low))?,
                [] | [0xC0..=0xFF] => return Err(self.fault(Malformed::NameTruncated)),
                // RFC 1035 §4.1.4 (1035-4.1.4-2)
                [0x40..=0xBF, ..] => return Err(self.fault(Malformed::LabelType)),
            }
        }
    }

    /// Whether the octets of the labels to come stand here in one piece, as they do in a valid name of these octets.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(super) fn is_followed_by(&mut self, octets: &[u8]) -> bool {
        while let [high @ 0xC0..=0xFF, low, ..] = *self.rest {
            if self.follow(parse::pointer(high, low)).is_err() {
                return false;
            }
        }
        self.rest.get(..octets.len()) == Some(octets)
    }

    /// Goes on at an earlier place of the message.
    // RFC 1035 §4.1.4 (1035-4.1.4-4): a pointer is to a prior occurrence, so each run starts before the last.
    #[inline(always)]
    fn follow(&mut self, target: usize) -> Result<(), ParseError> {
        if target >= self.run {
            return Err(self.fault(Malformed::ForwardPointer));
        }
        let Some(pointers) = self.pointers.checked_sub(1) else {
            return Err(self.fault(Malformed::PointerChain));
        };
        self.pointers = pointers;
        self.run = target;
        self.rest = self.message.get(target..).unwrap_or_default();
        Ok(())
    }

    /// Whether both, of one message, have the same way to go: then all labels to come are the same, and their fault too.
    #[inline]
    pub(super) fn joins(&self, other: &Labels<'_>) -> bool {
        core::ptr::eq(self.rest, other.rest)
            && self.run == other.run
            && self.pointers == other.pointers
            && self.room == other.room
    }

    pub(super) fn pointers_followed(&self) -> usize {
        usize::from(MAX_POINTERS - self.pointers)
    }

    fn offset(&self) -> usize {
        self.message.len() - self.rest.len()
    }

    #[cold]
    fn fault(&self, kind: Malformed) -> ParseError {
        ParseError::new(self.offset(), kind)
    }
}

impl<'m> Iterator for Labels<'m> {
    type Item = &'m [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'m [u8]> {
        self.step().unwrap_or(None)
    }
}

impl core::iter::FusedIterator for Labels<'_> {}

impl fmt::Debug for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.clone().map(<[u8]>::escape_ascii))
            .finish()
    }
}
