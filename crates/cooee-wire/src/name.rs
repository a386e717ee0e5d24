//! Names: a view that follows compression, and a buffer that owns its octets.

mod compare;
mod labels;
#[cfg(feature = "alloc")]
mod owned;
#[cfg(feature = "alloc")]
mod reverse;
mod text;

pub use labels::Labels;
#[cfg(feature = "alloc")]
pub use owned::NameBuf;
pub use text::NameError;

use crate::parse::located;
use crate::{Malformed, ParseError, parse};

/// A name, as a view into a message: where it starts, and the message for the pointers.
///
/// A name is a row of labels, each 1 to 63 octets of any value. On the wire a label's length stands before it and
/// a zero behind the last, and the tail of a name may be a pointer to an earlier place:
///
/// ```text
/// offset 12  03 62 6f 78  05 6c 6f 63 61 6c  00     box.local
/// offset 40  05 70 72 69 6e 74  c0 10               print, then as at offset 16: print.local
/// ```
///
/// When a record is read, its names are only stepped over. The pointers are followed when somebody asks for
/// [`labels`](Self::labels); if the name turns out faulty, they end there, and [`check`](Self::check) says why.
///
/// `Eq`, `Ord` and `Hash` fold the case of ASCII letters and of nothing else, and agree with those of
/// `NameBuf`, so that a map of owned names is searched with a name in a packet. A faulty name equals no owned
/// name. The order is the canonical one of RFC 4034 §6.1: from the last label to the first.
// RFC 1035 §2.3.3 (1035-2.3.3-1, 1035-3.1-5), RFC 4343 §3 (4343-3-1)
#[derive(Clone, Copy)]
pub struct Name<'m> {
    message: &'m [u8],
    at: u16,
}

impl<'m> Name<'m> {
    /// The root, a name without labels.
    pub const ROOT: Self = Self {
        message: &[0],
        at: 0,
    };

    /// How many octets a name may have, length octets counted, the final zero not. RFC 6762 Appendix C.
    pub const MAX_LENGTH: usize = 255;

    /// How many octets unicast DNS allows: one less than [`MAX_LENGTH`](Self::MAX_LENGTH).
    // RFC 6762 Appendix C (6762-C-4)
    pub const MAX_UNICAST_LENGTH: usize = 254;

    /// The name that starts at this offset of the message.
    #[inline(always)]
    pub(crate) fn at(message: &'m [u8], at: usize) -> Self {
        debug_assert!(at <= usize::from(u16::MAX), "no message is longer");
        Self {
            message,
            at: at as u16,
        }
    }

    /// The name in these octets, which are its uncompressed form with the final zero, and nothing more.
    ///
    /// # Errors
    /// If there is a pointer, a bad label, no zero at the end, or something behind it.
    pub fn from_octets(octets: &'m [u8]) -> Result<Self, ParseError> {
        match parse::uncompressed_name(octets) {
            Ok(([], ())) => Ok(Self {
                message: octets,
                at: 0,
            }),
            Ok((rest, ())) => Err(ParseError::new(
                octets.len() - rest.len(),
                Malformed::NameTrailing,
            )),
            Err(error) => Err(located(octets.len(), error)),
        }
    }

    /// The labels, first to last, without the empty one of the root.
    ///
    /// Stops at a fault. There are at most 127.
    #[inline(always)]
    pub fn labels(&self) -> Labels<'m> {
        Labels::new(self.message, usize::from(self.at))
    }

    /// Whether the name can be read to its end.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(&self) -> Result<(), ParseError> {
        self.count_labels().map(|_| ())
    }

    /// How many labels the name has.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    pub fn count_labels(&self) -> Result<usize, ParseError> {
        let mut labels = self.labels();
        let mut count = 0;
        while labels.step()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// What it costs to walk the name: its labels, and the pointers between them.
    pub(crate) fn count_steps(&self) -> Result<usize, ParseError> {
        let mut labels = self.labels();
        let mut count = 0;
        while labels.step()?.is_some() {
            count += 1;
        }
        Ok(count + labels.pointers_followed())
    }

    /// Whether the name can be read to its end, and is no longer than unicast DNS allows.
    ///
    /// # Errors
    /// What is wrong with it, and where; [`Malformed::NameTooLongForUnicast`] for a name of 255 octets and the zero.
    // RFC 6762 Appendix C (6762-C-4), RFC 1035 §2.3.4 (1035-2.3.4-2)
    pub fn check_unicast(&self) -> Result<(), ParseError> {
        self.check()?;
        if self.length() > Self::MAX_UNICAST_LENGTH {
            return Err(ParseError::new(
                self.offset(),
                Malformed::NameTooLongForUnicast,
            ));
        }
        Ok(())
    }

    /// Whether this is the root, the name without labels.
    pub fn is_root(&self) -> bool {
        matches!(self.labels().step(), Ok(None))
    }

    /// How many octets the name has uncompressed, length octets counted, the final zero not: 0 for the root,
    /// 4 for `org`, 9 for `ietf.org`. Of a faulty name, the part before the fault.
    // RFC 6762 Appendix C (6762-C-3)
    pub fn length(&self) -> usize {
        self.labels().map(|label| 1 + label.len()).sum()
    }

    /// How many octets the name takes uncompressed: its [`length`](Self::length) and the final zero.
    pub fn wire_len(&self) -> usize {
        self.length() + 1
    }

    /// The offset in the message where reading this name starts. A bare pointer counts as what it points to.
    pub fn offset(&self) -> usize {
        usize::from(self.at)
    }

    /// The name without its first label; `None` for the root, and for a faulty name: one that points to itself would have parents without end.
    pub fn parent(&self) -> Option<Self> {
        self.check().ok()?;
        let mut labels = self.labels();
        labels.next()?;
        Some(labels.as_name())
    }

    /// Whether the last labels of this name are those of `suffix`. Each name ends with itself and the root.
    pub fn ends_with(&self, suffix: Name<'_>) -> bool {
        let (Ok(count), Ok(other)) = (self.count_labels(), suffix.count_labels()) else {
            return false;
        };
        let mut labels = self.labels();
        for _ in other..count {
            labels.next();
        }
        count >= other && labels.as_name() == suffix
    }
}
