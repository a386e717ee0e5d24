//! The byte primitives under all parsers, and the fault they stop with.
//!
//! nom gives the shape (`IResult`, tuples, `map`), and costs nothing once inlined. Its own byte primitives do
//! cost: they read numbers octet by octet. So the two at the bottom, [`array`] and [`take`], are ours: one
//! bounds check for all octets of a row of fixed fields.
//!
//! The input of a parser is the shrinking rest of a message. A fault keeps how many octets were left; the edge
//! of the crate turns that into an offset, once.

use nom::IResult;
use nom::error::ErrorKind;

use crate::{Malformed, Name, ParseError};

/// What a parser gives: the rest of the input and a value, or why it stopped.
pub(crate) type Parsed<'m, T> = IResult<&'m [u8], T, Fault>;

/// Why a parser stopped, and how many octets of its input were left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    left: usize,
    kind: Malformed,
}

impl nom::error::ParseError<&[u8]> for Fault {
    fn from_error_kind(input: &[u8], _: ErrorKind) -> Self {
        Self {
            left: input.len(),
            kind: Malformed::RdataTooShort,
        }
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// The error half of [`Parsed`].
pub(crate) type Stopped = nom::Err<Fault>;

/// To stop with `kind` at the head of `input`.
#[cold]
pub(crate) fn stop<T>(input: &[u8], kind: Malformed) -> Result<T, Stopped> {
    Err(nom::Err::Error(Fault {
        left: input.len(),
        kind,
    }))
}

/// The error at the edge, for a parser whose input ended at offset `end` of the message.
#[cold]
pub(crate) fn located(end: usize, error: Stopped) -> ParseError {
    match error {
        nom::Err::Error(fault) | nom::Err::Failure(fault) => {
            ParseError::new(end - fault.left.min(end), fault.kind)
        }
        // A datagram is complete: none of the parsers ever asks for more.
        nom::Err::Incomplete(_) => ParseError::new(end, Malformed::RdataTooShort),
    }
}

/// `N` octets, with one bounds check.
#[inline(always)]
pub(crate) fn array<const N: usize>(kind: Malformed) -> impl Fn(&[u8]) -> Parsed<'_, &[u8; N]> {
    move |input| match input.split_first_chunk() {
        Some((octets, rest)) => Ok((rest, octets)),
        None => stop(input, kind),
    }
}

/// `len` octets.
#[inline(always)]
pub(crate) fn take(len: usize, kind: Malformed) -> impl Fn(&[u8]) -> Parsed<'_, &[u8]> {
    move |input| match input.split_at_checked(len) {
        Some((octets, rest)) => Ok((rest, octets)),
        None => stop(input, kind),
    }
}

/// A character-string: a length octet and as many octets. RFC 1035 §3.3 (1035-3.3-2).
#[inline]
pub(crate) fn character_string(input: &[u8]) -> Parsed<'_, &[u8]> {
    match input {
        [len, rest @ ..] => take(usize::from(*len), Malformed::StringTruncated)(rest),
        [] => stop(input, Malformed::RdataTooShort),
    }
}

/// A name of `message`, in an input that ends at offset `end` of it.
///
/// Steps over what stands inline; pointers are followed when somebody walks the name. A bare pointer, which is
/// every second name in practice, becomes the name it points to, so that equal pointers make equal offsets.
#[inline(always)]
pub(crate) fn name<'m>(message: &'m [u8], end: usize) -> impl Fn(&'m [u8]) -> Parsed<'m, Name<'m>> {
    move |input| {
        let at = end - input.len();
        match input {
            [high @ 0xC0..=0xFF, low, rest @ ..] => {
                let target = pointer(*high, *low);
                let at = if target < at { target } else { at };
                Ok((rest, Name::at(message, at)))
            }
            _ => {
                let (rest, ()) = inline_labels::<true>(input)?;
                Ok((rest, Name::at(message, at)))
            }
        }
    }
}

/// The offset in a compression pointer. RFC 1035 §4.1.4 (1035-4.1.4-3).
#[inline(always)]
pub(crate) fn pointer(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high & 0x3F, low]))
}

/// A name without pointers, up to and with the final zero.
#[inline]
pub(crate) fn uncompressed_name(input: &[u8]) -> Parsed<'_, ()> {
    inline_labels::<false>(input)
}

/// Labels up to and with the final zero or the first pointer.
#[inline]
fn inline_labels<const POINTERS: bool>(input: &[u8]) -> Parsed<'_, ()> {
    let mut left = input;
    let rest = loop {
        #[cfg(test)]
        tests::count_step();
        left = match left {
            [0, rest @ ..] => break rest,
            [len @ 1..=63, tail @ ..] => match tail.get(usize::from(*len)..) {
                Some(tail) => tail,
                None => return stop(left, Malformed::NameTruncated),
            },
            [0xC0..=0xFF, ..] if !POINTERS => return stop(left, Malformed::PointerForbidden),
            [0xC0..=0xFF, _, rest @ ..] => break rest,
            [] | [0xC0..=0xFF] => return stop(left, Malformed::NameTruncated),
            // RFC 1035 §4.1.4 (1035-4.1.4-2): these label types are reserved.
            [0x40..=0xBF, ..] => return stop(left, Malformed::LabelType),
        };
    };
    // RFC 6762 Appendix C (6762-C-1). Asked once, at the end: a name that is too long ends the message anyway.
    if input.len() - left.len() > Name::MAX_LENGTH {
        return stop(left, Malformed::NameTooLong);
    }
    Ok((rest, ()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::vec::Vec;

    use crate::Message;

    std::thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count_step() {
        STEPS.set(STEPS.get() + 1);
    }

    /// How many labels are looked at to step over a message, and how many records it has.
    fn steps_over(message: &[u8]) -> (usize, usize) {
        STEPS.set(0);
        let records =
            Message::parse(message).map_or(0, |message| message.records().flatten().count());
        (STEPS.get(), records)
    }

    /// A response whose records all have this owner and no data, up to a length.
    fn of_records(first: &[u8], owner: &[u8], len: usize) -> Vec<u8> {
        let mut octets = b"\0\0\x84\0\0\0\xFF\xFF\0\0\0\0".to_vec();
        let rest = b"\0\x0A\0\x01\0\0\0\0\0\0";
        octets.extend_from_slice(first);
        octets.extend_from_slice(rest);
        while octets.len() + owner.len() + rest.len() <= len {
            octets.extend_from_slice(owner);
            octets.extend_from_slice(rest);
        }
        octets
    }

    #[test]
    fn stepping_over_a_message_looks_at_each_octet_once_however_it_is_made() {
        let long: Vec<u8> = b"\x01a".repeat(127).into_iter().chain([0]).collect();
        for len in [9000, 65_535] {
            // Each owner points to a name of 127 labels: a walker would look at all of them each time.
            let (steps, records) = steps_over(&of_records(&long, b"\xC0\x0C", len));
            assert!(records > len / 13 && steps < 256, "{steps} steps");
            // Each owner is such a name itself.
            let octets = of_records(&long, &long, len);
            let (steps, records) = steps_over(&octets);
            assert!(records > 1 && steps <= octets.len() / 2, "{steps} steps");
        }
        // One name without an end.
        let octets = of_records(&b"\x01a".repeat(32_000), b"", 12);
        let (steps, records) = steps_over(&octets);
        assert!(records == 0 && steps <= octets.len() / 2);
    }
}
