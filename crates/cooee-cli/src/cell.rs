//! One field of a row: text with its roles, cut to a width that a terminal will show.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::escape::{self, Piece};
use crate::paint::{Paint, Role};

/// A field before it has a width.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    parts: Vec<(Role, Piece)>,
    /// What is never cut: a port, or how many more there are.
    tail: Option<(Role, String)>,
}

impl Cell {
    /// A field of a stranger's octets.
    pub(crate) fn octets(role: Role, octets: &[u8]) -> Self {
        Self::of(role, escape::pieces(octets))
    }

    /// A field of text that has its escapes already.
    pub(crate) fn escaped(role: Role, text: &str) -> Self {
        Self::of(role, escape::escaped_pieces(text))
    }

    /// A field of pieces.
    pub(crate) fn of(role: Role, pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self {
            parts: pieces.into_iter().map(|piece| (role, piece)).collect(),
            tail: None,
        }
    }

    /// The same with an end that is never cut.
    pub(crate) fn with_tail(mut self, role: Role, tail: String) -> Self {
        self.tail = Some((role, tail));
        self
    }

    /// Everything in one role: for rows of what is gone.
    pub(crate) fn all(mut self, role: Role) -> Self {
        for part in &mut self.parts {
            part.0 = role;
        }
        if let Some(tail) = &mut self.tail {
            tail.0 = role;
        }
        self
    }

    /// The columns it takes uncut.
    pub(crate) fn width(&self) -> usize {
        let mut text = String::new();
        for (_, piece) in &self.parts {
            piece.push_to(&mut text);
        }
        text.width() + self.tail_width()
    }

    /// Writes it, cut to `width` columns and filled up to them.
    pub(crate) fn write(&self, width: usize, paint: Paint, out: &mut String) {
        let natural = self.width();
        self.write_cut(width, natural, paint, out);
        out.extend(std::iter::repeat_n(' ', width.saturating_sub(natural)));
    }

    /// Writes it, cut to `width` columns; the last of a row is not filled up.
    pub(crate) fn write_last(&self, width: usize, paint: Paint, out: &mut String) {
        self.write_cut(width, self.width(), paint, out);
    }

    fn write_cut(&self, width: usize, natural: usize, paint: Paint, out: &mut String) {
        // Columns left for what may be cut, and for the sign that it was.
        let room = width.saturating_sub(self.tail_width());
        let cut = natural > width;
        let limit = if cut {
            room.saturating_sub(1)
        } else {
            usize::MAX
        };
        let mut role = None;
        let mut used = 0;
        for &(next, piece) in &self.parts {
            let columns = piece_width(piece);
            if used + columns > limit {
                break;
            }
            if role != Some(next) {
                if let Some(role) = role {
                    paint.end(role, out);
                }
                paint.begin(next, out);
                role = Some(next);
            }
            paint.piece(next, piece, out);
            used += columns;
        }
        if let Some(role) = role {
            paint.end(role, out);
        }
        if cut && room > 0 {
            out.push('…');
            // Wide characters may leave a column free.
            out.extend(std::iter::repeat_n(' ', limit.saturating_sub(used)));
        }
        if let Some((role, tail)) = &self.tail {
            paint.put(*role, tail, out);
        }
    }

    fn tail_width(&self) -> usize {
        self.tail.as_ref().map_or(0, |(_, tail)| tail.width())
    }
}

fn piece_width(piece: Piece) -> usize {
    match piece {
        Piece::Plain(c) => c.width().unwrap_or(0),
        Piece::Octet(_) => 4,
        Piece::Backslash => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, width: usize) -> String {
        let mut out = String::new();
        Cell::octets(Role::Plain, text.as_bytes()).write(width, Paint::OFF, &mut out);
        out
    }

    #[test]
    fn what_fits_is_filled_up_and_what_does_not_is_cut() {
        assert_eq!(cut("abc", 5), "abc  ");
        assert_eq!(cut("abcde", 5), "abcde");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn wide_characters_and_escapes_are_not_cut_in_two() {
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語x", 6), "日本… ");
        assert_eq!(cut("ab\u{1b}c", 6), "ab… ".to_owned() + "  ");
        assert_eq!(cut("ab\u{1b}c", 7), "ab\\027c");
        assert_eq!(cut("a\u{301}bcd", 3), "a\u{301}b…");
    }

    #[test]
    fn the_tail_is_never_cut() {
        let mut out = String::new();
        Cell::escaped(Role::Host, "a-very-long-host.local")
            .with_tail(Role::Host, ":8080".into())
            .write(12, Paint::OFF, &mut out);
        assert_eq!(out, "a-very…:8080");
    }

    proptest::proptest! {
        #[test]
        fn no_field_is_wider_than_its_column(
            octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
            text in proptest::prelude::any::<String>(),
            width in 6_usize..60,
        ) {
            for octets in [octets.as_slice(), text.as_bytes()] {
                let mut out = String::new();
                Cell::octets(Role::Name, octets).with_tail(Role::Host, ":65535".into()).write(width, Paint::OFF, &mut out);
                proptest::prop_assert_eq!(out.width(), width, "{}", out);
                proptest::prop_assert!(out.trim_end().ends_with(":65535"));
            }
        }
    }
}
