//! All that is known of a service, as lines.

use std::time::Duration;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::picture::{Address, Picture, Scope, View};
use crate::scene::{Entry, State as Known};
use crate::{escape, types, url};

/// Cells of the bar that shows what is left of a lifetime.
const BAR: usize = 10;

/// The styles there are; without colours a style says it by weight alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Styles {
    pub(super) coloured: bool,
}

impl Styles {
    fn colour(self, colour: Color) -> Style {
        match self.coloured {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    pub(super) fn host(self) -> Style {
        self.colour(Color::Cyan)
    }

    pub(super) fn good(self) -> Style {
        self.colour(Color::Green)
    }

    pub(super) fn warning(self) -> Style {
        self.colour(Color::Yellow)
    }

    pub(super) fn bad(self) -> Style {
        self.colour(Color::Red)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
}

/// The lines of a service as of now, by the time since the command started.
pub(super) fn lines(entry: &Entry, now: Duration, styles: Styles) -> Vec<Line<'static>> {
    let identity = entry.identity();
    let title = types::title(&identity.type_wire).unwrap_or("Other service");
    let mut lines = vec![
        Line::styled(escape::octets(&identity.instance), styles.strong()),
        Line::from(vec![
            Span::raw(title),
            Span::raw("  "),
            Span::styled(escape::text(&identity.type_wire), styles.dim()),
        ]),
    ];
    if entry.gone.is_some() {
        lines.push(Line::styled("gone", styles.bad()));
    }
    match &entry.state {
        Known::Whole(picture) => whole(picture, entry, now, styles, &mut lines),
        Known::Named(named) => {
            let missing = format!("not resolved: no {}", named.missing.join(", no "));
            lines.push(Line::styled(missing, styles.warning()));
        }
    }
    heading("Seen", styles, &mut lines);
    lines.push(field(
        "first",
        &ago(now, entry.first_seen.since_start),
        styles,
    ));
    lines.push(field(
        "change",
        &ago(now, entry.changed.since_start),
        styles,
    ));
    let links: Vec<String> = entry
        .links()
        .iter()
        .map(|link| escape::text(&link.name))
        .collect();
    lines.push(field("links", &links.join(", "), styles));
    lines
}

fn whole(
    picture: &Picture,
    entry: &Entry,
    now: Duration,
    styles: Styles,
    lines: &mut Vec<Line<'static>>,
) {
    lines.push(left(picture, entry, now, styles));
    heading("Where", styles, lines);
    let place = format!("{}:{}", escape::escaped_text(&picture.host), picture.port);
    lines.push(Line::styled(place, styles.host()));
    let url = url::url(picture);
    if !url.is_empty() {
        lines.push(Line::raw(url));
    }
    if picture.priority != 0 || picture.weight != 0 {
        let order = format!("priority {}, weight {}", picture.priority, picture.weight);
        lines.push(Line::raw(order));
    }
    if picture.local {
        lines.push(Line::styled("on this computer", styles.dim()));
    }
    heading("Addresses", styles, lines);
    lines.extend(picture.addresses.iter().map(|one| address(one, styles)));
    heading("Attributes", styles, lines);
    let attributes = picture.attributes();
    if attributes.is_empty() {
        lines.push(Line::styled("none", styles.dim()));
    }
    for one in &attributes {
        let style = match one.ignored {
            true => styles.dim().add_modifier(Modifier::CROSSED_OUT),
            false => Style::new(),
        };
        lines.push(Line::styled(one.shown(true), style));
    }
    if !picture.views.is_empty() {
        heading("Differs between links", styles, lines);
        lines.extend(picture.views.iter().map(|one| view(one, styles)));
    }
}

/// How much is left until the first record runs out.
fn left(picture: &Picture, entry: &Entry, now: Duration, styles: Styles) -> Line<'static> {
    let left = match entry.gone {
        Some(_) => 0,
        None => entry.expires.saturating_sub(now).as_secs(),
    };
    let ttl = picture.ttl;
    let all = [ttl.ptr, ttl.srv, ttl.txt, ttl.address];
    let lasting = all.into_iter().flatten().map(u64::from);
    // The record that runs out is the shortest that can have so much left.
    let full = lasting.filter(|ttl| *ttl >= left).min().unwrap_or(left);
    let filled = usize::try_from(left * BAR as u64 / full.max(1)).unwrap_or(BAR);
    Line::from(vec![
        Span::styled("█".repeat(filled), styles.good()),
        Span::styled("░".repeat(BAR - filled.min(BAR)), styles.dim()),
        Span::raw(format!(" {} of {}", lifetime(left), lifetime(full))),
    ])
}

fn address(address: &Address, styles: Styles) -> Line<'static> {
    let scope = match Scope::of(address.ip) {
        Scope::Global => "global",
        Scope::Private => "private",
        Scope::Link => "link-local",
        Scope::Loopback => "loopback",
    };
    let link = address.interface.as_ref();
    let link = link.map(|link| format!(", {}", escape::text(&link.name)));
    Line::from(vec![
        Span::raw(escape::text(&address.text())),
        Span::styled(
            format!("  {scope}{}", link.unwrap_or_default()),
            styles.dim(),
        ),
    ])
}

fn view(view: &View, styles: Styles) -> Line<'static> {
    let links: Vec<String> = view
        .links
        .iter()
        .map(|link| escape::text(&link.name))
        .collect();
    Line::from(vec![
        Span::styled(format!("{}: ", links.join(", ")), styles.warning()),
        Span::raw(format!(
            "{}:{}",
            escape::escaped_text(&view.host),
            view.port
        )),
    ])
}

fn heading(text: &'static str, styles: Styles, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::default());
    lines.push(Line::styled(
        text,
        styles.dim().add_modifier(Modifier::BOLD),
    ));
}

fn field(name: &'static str, value: &str, styles: Styles) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{name:<7}"), styles.dim()),
        Span::raw(value.to_owned()),
    ])
}

/// A lifetime in words: `96 s`, `75 min`.
fn lifetime(seconds: u64) -> String {
    match seconds {
        0..=599 => format!("{seconds} s"),
        600..=35_999 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn ago(now: Duration, then: Duration) -> String {
    match now.saturating_sub(then).as_secs() {
        0..=1 => "just now".into(),
        seconds => format!("{} ago", lifetime(seconds)),
    }
}
