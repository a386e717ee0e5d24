//! Rows: one per instance, in columns on a terminal, between tabs in a pipe.

use crate::cell::Cell;
use crate::escape::{Piece, escaped_text, octets};
use crate::paint::{Paint, Role};
use crate::picture::{Address, DOMAIN, Identity, Picture};
use crate::types;

/// What a row says of its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// New.
    Added,
    /// Not what it was.
    Updated,
    /// Gone.
    Removed,
    /// Found, but not where it is.
    Unresolved,
}

impl Sign {
    fn letter(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Updated => "~",
            Self::Removed => "-",
            Self::Unresolved => "?",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Added => Role::Added,
            Self::Updated | Self::Unresolved => Role::Updated,
            Self::Removed => Role::Removed,
        }
    }
}

/// One row to be: a sign, who it is, and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// What the row says.
    pub(crate) sign: Sign,
    /// Of whom.
    pub(crate) identity: &'a Identity,
    /// The last that was known, if anything.
    pub(crate) picture: Option<&'a Picture>,
    /// The fields that differ, by their JSON names.
    pub(crate) changed: &'a [&'static str],
}

/// Which columns a terminal gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Columns of the terminal.
    pub(crate) width: usize,
    /// Several types are looked for, so each row says its own.
    pub(crate) with_type: bool,
    /// Several links are in use, so each row says which.
    pub(crate) with_link: bool,
    /// Each row begins with its sign.
    pub(crate) with_sign: bool,
    /// Nothing is asked but names.
    pub(crate) names_only: bool,
}

/// The columns of a terminal and their widths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    columns: Vec<(Column, usize)>,
    with_sign: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Type,
    HostPort,
    Address,
    Link,
    Txt,
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Type => "TYPE",
            Self::HostPort => "HOST:PORT",
            Self::Address => "ADDRESS",
            Self::Link => "LINK",
            Self::Txt => "TXT",
        }
    }

    /// The least and the most columns it takes.
    fn range(self) -> (usize, usize) {
        match self {
            Self::Name => (20, 40),
            Self::Type => (14, 24),
            Self::HostPort => (20, 32),
            Self::Address => (15, 42),
            Self::Link => (6, 12),
            Self::Txt => (20, usize::MAX),
        }
    }
}

impl Table {
    /// Columns for rows that are not known yet.
    pub(crate) fn for_width(shape: Shape) -> Self {
        Self::fit(shape, |column| column.range().1)
    }

    /// Columns for rows that are all known: no wider than they need.
    pub(crate) fn for_rows(shape: Shape, rows: &[Row<'_>]) -> Self {
        Self::fit(shape, |column| {
            let widest = rows
                .iter()
                .map(|row| row.cell(column).width())
                .max()
                .unwrap_or(0);
            // One column more keeps names with spaces apart from what follows.
            widest.max(column.title().len()) + 1
        })
    }

    /// Shares the width out: each column gets its least, then by what it lacks to `most`; TXT takes the rest, and
    /// goes first when that is too little, then LINK.
    fn fit(shape: Shape, most: impl Fn(Column) -> usize) -> Self {
        let sign = if shape.with_sign { SIGN_WIDTH } else { 0 };
        let mut columns = vec![Column::Name];
        columns.extend(shape.with_type.then_some(Column::Type));
        if !shape.names_only {
            columns.extend([Column::HostPort, Column::Address]);
        }
        columns.extend(shape.with_link.then_some(Column::Link));
        let least = |column: &Column| column.range().0.min(most(*column));
        let needed = |columns: &[Column]| {
            sign + columns.iter().map(least).sum::<usize>() + columns.len().saturating_sub(1)
        };
        if needed(&columns) > shape.width {
            columns.retain(|column| *column != Column::Link);
        }
        let mut widths: Vec<usize> = columns.iter().map(least).collect();
        let lacks: Vec<usize> = columns
            .iter()
            .zip(&widths)
            .map(|(column, width)| most(*column).saturating_sub(*width))
            .collect();
        let lacking: usize = lacks.iter().sum();
        let spare = shape.width.saturating_sub(needed(&columns));
        if spare >= lacking {
            widths
                .iter_mut()
                .zip(&lacks)
                .for_each(|(width, lack)| *width += lack);
        } else {
            let mut given = 0;
            for (width, lack) in widths.iter_mut().zip(&lacks) {
                let share = spare * lack / lacking;
                *width += share;
                given += share;
            }
            // What rounding left goes to the last, where addresses stand.
            if let Some(last) = widths.last_mut() {
                *last += spare - given;
            }
        }
        let mut columns: Vec<(Column, usize)> = columns.into_iter().zip(widths).collect();
        let rest = spare.saturating_sub(lacking + 1);
        if rest >= Column::Txt.range().0 && !shape.names_only {
            columns.push((Column::Txt, rest));
        }
        Self {
            columns,
            with_sign: shape.with_sign,
        }
    }

    /// The line with the titles.
    pub(crate) fn header(&self, paint: Paint) -> String {
        let mut out = String::new();
        if self.with_sign {
            out.push_str("  ");
        }
        let last = self.columns.len().saturating_sub(1);
        for (place, (column, width)) in self.columns.iter().enumerate() {
            paint.put(Role::Title, column.title(), &mut out);
            if place < last {
                out.extend(std::iter::repeat_n(
                    ' ',
                    width.saturating_sub(column.title().len()) + 1,
                ));
            }
        }
        out
    }

    /// One row.
    pub(crate) fn row(&self, row: &Row<'_>, paint: Paint) -> String {
        let mut out = String::new();
        if self.with_sign {
            paint.put(row.sign.role(), row.sign.letter(), &mut out);
            out.push(' ');
        }
        let last = self.columns.len().saturating_sub(1);
        for (place, (column, width)) in self.columns.iter().enumerate() {
            let cell = row.cell(*column);
            let cell = if row.sign == Sign::Removed {
                cell.all(Role::Dim)
            } else {
                cell
            };
            if place < last {
                cell.write(*width, paint, &mut out);
                out.push(' ');
            } else {
                cell.write_last(*width, paint, &mut out);
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out
    }
}

const SIGN_WIDTH: usize = 2;

impl Row<'_> {
    fn cell(&self, column: Column) -> Cell {
        let changed = |field: &str, role: Role| {
            if self.changed.contains(&field) {
                Role::Changed
            } else {
                role
            }
        };
        let identity = self.identity;
        match (column, self.picture) {
            (Column::Name, _) => Cell::octets(Role::Name, &identity.instance),
            (Column::Type, _) => {
                let words = types::title(&identity.type_wire).unwrap_or(&identity.type_wire);
                Cell::octets(Role::Plain, words.as_bytes())
            }
            (_, None) => Cell::default(),
            (Column::HostPort, Some(picture)) => {
                Cell::escaped(changed("host", Role::Host), &picture.host)
                    .with_tail(changed("port", Role::Host), format!(":{}", picture.port))
            }
            (Column::Address, Some(picture)) => {
                let role = changed("addresses", Role::Plain);
                let best = picture
                    .best_address()
                    .map(Address::text)
                    .unwrap_or_default();
                let cell = Cell::octets(role, best.as_bytes());
                match picture.addresses.len() {
                    0 | 1 => cell,
                    several => cell.with_tail(role, format!(" +{}", several - 1)),
                }
            }
            (Column::Link, Some(picture)) => {
                let names: Vec<&str> = picture
                    .links
                    .iter()
                    .map(|link| link.name.as_str())
                    .collect();
                Cell::octets(changed("links", Role::Dim), names.join(",").as_bytes())
            }
            (Column::Txt, Some(picture)) => {
                let attributes = crate::txt::attributes(&picture.txt);
                let counted = attributes.iter().filter(|attribute| !attribute.ignored);
                let pieces: Vec<Vec<Piece>> =
                    counted.map(|attribute| attribute.pieces(false)).collect();
                Cell::of(changed("txt", Role::Plain), pieces.join(&Piece::Plain(' ')))
            }
        }
    }

    /// The row for a pipe: everything, uncut, between tabs; in colours only if they are insisted on. `hex`: binary
    /// values are written out.
    pub(crate) fn piped(&self, paint: Paint, hex: bool) -> String {
        let identity = self.identity;
        let painted = |role, text: &str| {
            let mut out = String::new();
            paint.put(role, text, &mut out);
            out
        };
        let name = match self.sign {
            Sign::Removed => Role::Dim,
            Sign::Added | Sign::Updated | Sign::Unresolved => Role::Name,
        };
        let mut fields = vec![
            painted(self.sign.role(), self.sign.letter()),
            painted(name, &octets(&identity.instance)),
            octets(identity.type_wire.as_bytes()),
            DOMAIN.to_owned(),
        ];
        match self.picture {
            Some(picture) => {
                let addresses: Vec<String> = picture
                    .addresses
                    .iter()
                    .map(|address| octets(address.text().as_bytes()))
                    .collect();
                let links: Vec<String> = picture
                    .links
                    .iter()
                    .map(|link| octets(link.name.as_bytes()))
                    .collect();
                let txt: Vec<String> = picture
                    .attributes()
                    .iter()
                    .map(|attribute| format!("\"{}\"", attribute.shown(hex).replace('"', "\\\"")))
                    .collect();
                fields.extend([
                    escaped_text(&picture.host),
                    picture.port.to_string(),
                    addresses.join(","),
                    links.join(","),
                    txt.join(" "),
                ]);
            }
            None => fields.extend(std::iter::repeat_n(String::new(), 5)),
        }
        fields.join("\t")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::examples;

    fn rows(pictures: &[Picture]) -> Vec<Row<'_>> {
        let changed: &[&'static str] = &["port"];
        let signs = [
            (Sign::Added, &[][..]),
            (Sign::Updated, changed),
            (Sign::Removed, &[]),
            (Sign::Unresolved, &[]),
        ];
        pictures
            .iter()
            .flat_map(|picture| {
                signs.map(|(sign, changed)| Row {
                    sign,
                    identity: &picture.identity,
                    picture: (sign != Sign::Unresolved).then_some(picture),
                    changed,
                })
            })
            .collect()
    }

    fn shape(width: usize) -> Shape {
        Shape {
            width,
            with_type: false,
            with_link: false,
            with_sign: true,
            names_only: false,
        }
    }

    fn shown(table: &Table, rows: &[Row<'_>], paint: Paint) -> String {
        let mut lines = vec![table.header(paint)];
        lines.extend(rows.iter().map(|row| table.row(row, paint)));
        lines.join("\n")
    }

    #[test]
    fn columns_follow_the_width_of_the_terminal() {
        let pictures = [examples::web_server(), examples::hostile()];
        let rows = rows(&pictures);
        let mut all = String::new();
        for (width, with_type, with_link) in [
            (40, false, false),
            (60, true, true),
            (80, false, false),
            (100, true, true),
            (200, true, true),
        ] {
            let table = Table::for_width(Shape {
                with_type,
                with_link,
                ..shape(width)
            });
            all += &format!("{width}\n{}\n\n", shown(&table, &rows, Paint::OFF));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        use unicode_width::UnicodeWidthStr;
        let pictures = [examples::web_server(), examples::hostile()];
        let rows = rows(&pictures);
        for width in 40..260 {
            for (with_type, with_link) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let table = Table::for_width(Shape {
                    with_type,
                    with_link,
                    ..shape(width)
                });
                let least: usize = table
                    .columns
                    .iter()
                    .map(|(_, width)| width + 1)
                    .sum::<usize>()
                    + 1;
                for row in &rows {
                    let line = table.row(row, Paint::OFF);
                    assert!(line.width() <= width.max(least), "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_list_takes_no_more_than_it_needs() {
        let web = examples::web_server();
        let rows = [Row {
            sign: Sign::Added,
            identity: &web.identity,
            picture: Some(&web),
            changed: &[],
        }];
        let shape = Shape {
            with_sign: false,
            ..shape(120)
        };
        insta::assert_snapshot!(shown(&Table::for_rows(shape, &rows), &rows, Paint::OFF));
    }

    #[test]
    fn colours_stand_beside_signs_and_never_alone() {
        let pictures = [examples::web_server(), examples::hostile()];
        let paint = crate::paint::ColorChoice::Always.decide(true, |_| None);
        insta::assert_debug_snapshot!(
            shown(&Table::for_width(shape(80)), &rows(&pictures), paint)
                .lines()
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_pipe_gets_everything_between_tabs() {
        let pictures = [examples::web_server(), examples::hostile()];
        let lines: Vec<String> = rows(&pictures)
            .iter()
            .map(|row| row.piped(Paint::OFF, false))
            .collect();
        for line in &lines {
            assert_eq!(line.matches('\t').count(), 8, "{line:?}");
            assert!(
                !line
                    .chars()
                    .any(|c| c != '\t' && crate::escape::is_hostile(c)),
                "{line:?}"
            );
        }
        insta::assert_snapshot!(lines.join("\n").replace('\t', "→"));
        // 6763-6.5-5: bytes with the text beside them, for who asks for more.
        let web = rows(&pictures).first().unwrap().piped(Paint::OFF, true);
        assert!(web.ends_with("\"icon=<ff 00 |..|>\""), "{web}");
    }

    #[test]
    fn a_row_for_a_pipe_has_colours_only_where_they_are_insisted_on() {
        let picture = examples::web_server();
        let pictures = [picture];
        let all = rows(&pictures);
        let row = all.first().unwrap();
        assert!(!row.piped(Paint::OFF, false).contains('\u{1b}'));
        let insisted = crate::paint::ColorChoice::Always.decide(false, |_| None);
        assert!(
            row.piped(insisted, false)
                .starts_with("\u{1b}[32m+\u{1b}[0m\t\u{1b}[1mKeith")
        );
    }
}
