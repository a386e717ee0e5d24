//! Puts the state on the screen.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use super::details::{self, Styles};
use super::state::{Pane, Shown, State};
use crate::cell::Cell;
use crate::paint::{Paint, Role};
use crate::scene::Scene;
use crate::{escape, types};

/// The least that the panes need.
const LEAST: (u16, u16) = (60, 15);

/// Columns of a service that have room for its type too.
const WITH_TYPE: usize = 30;

const HELP: &[(&str, &str)] = &[
    ("↑ ↓  j k", "move"),
    ("← →  h l  Tab", "to the next pane"),
    ("Enter", "details on the whole screen"),
    ("/", "search everything, Esc clears"),
    ("c  y", "copy the address"),
    ("C", "copy as JSON"),
    ("o", "open the service"),
    ("p", "packets, Space holds them"),
    ("Ctrl-L", "draw anew"),
    ("q  Ctrl-C", "end"),
];

/// Draws everything; `now` is the time since the command started.
pub(crate) fn draw(
    frame: &mut Frame<'_>,
    state: &mut State,
    scene: &Scene,
    coloured: bool,
    now: Duration,
) {
    let styles = Styles { coloured };
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let (width, height) = LEAST;
        let text = format!(
            "{}×{} is too small: make it {width}×{height}",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    state.rows = usize::from(middle.height.saturating_sub(2));
    {
        let shown = state.shown(scene);
        state.settle(&shown);
        frame.render_widget(Paragraph::new(title(state, &shown, scene, styles)), top);
        if state.packets.is_some() {
            packets(frame, middle, state, styles);
        } else if state.wide {
            service(frame, middle, state, scene, styles, now);
        } else {
            let [left, centre, right] = Layout::horizontal([
                Constraint::Percentage(27),
                Constraint::Percentage(36),
                Constraint::Percentage(37),
            ])
            .areas(middle);
            kinds(frame, left, state, &shown, styles);
            services(frame, centre, state, &shown, styles, now);
            service(frame, right, state, scene, styles, now);
        }
    }
    frame.render_widget(Paragraph::new(hints(state, styles, now)), bottom);
    if state.help {
        help(frame, middle, styles);
    }
}

/// Who we are, how much there is and where; what is searched.
fn title(state: &State, shown: &Shown<'_>, scene: &Scene, styles: Styles) -> Line<'static> {
    let mut spans = vec![Span::styled(
        " cooee ",
        styles.strong().patch(styles.host()),
    )];
    let up = scene.links().filter(|link| link.state == "up");
    let up: Vec<String> = up.map(|link| escape::text(&link.interface.name)).collect();
    let all = scene.count();
    let count = match state.search.is_empty() {
        true => format!(" {all} {}", if all == 1 { "service" } else { "services" }),
        false => format!(" {} of {all} services", shown.total),
    };
    spans.push(Span::raw(count));
    if scene.beyond() > 0 {
        spans.push(Span::raw(format!(", {} more not shown", scene.beyond())));
    }
    spans.push(match up.as_slice() {
        [] => Span::styled(
            "  no usable link; 'cooee doctor' tells more",
            styles.warning(),
        ),
        names => Span::styled(format!("  on {}", names.join(", ")), styles.dim()),
    });
    if state.typing || !state.search.is_empty() {
        spans.push(Span::raw("   /"));
        spans.push(Span::styled(escape::text(&state.search), styles.strong()));
        if state.typing {
            spans.push(Span::styled("▏", styles.host()));
        }
    }
    Line::from(spans)
}

/// What can be done, or what was.
fn hints(state: &State, styles: Styles, now: Duration) -> Line<'static> {
    if let Some(message) = state.message(now) {
        return Line::styled(format!(" {message}"), styles.good());
    }
    let text = match (&state.packets, state.typing) {
        (Some(packets), _) if packets.paused => {
            " held · Space go on · ↑↓ move · p services · q end"
        }
        (Some(_), _) => " Space hold · ↑↓ move · p services · q end",
        (None, true) => " Enter keep · Esc clear",
        (None, false) => {
            " ↑↓←→ move · Enter details · / search · c copy · o open · p packets · ? keys · q end"
        }
    };
    Line::styled(text, styles.dim())
}

fn block(title: String, focused: bool, styles: Styles) -> Block<'static> {
    let style = if focused { styles.host() } else { styles.dim() };
    let weight = if focused {
        styles.strong()
    } else {
        styles.dim()
    };
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style)
        .title(Span::styled(format!(" {title} "), weight))
}

/// How a row looks that is picked: reversed where the keys are, else bold.
fn picked(is_picked: bool, focused: bool, styles: Styles) -> Style {
    match (is_picked, focused) {
        (true, true) => styles.strong().add_modifier(Modifier::REVERSED),
        (true, false) => styles.strong(),
        (false, _) => Style::new(),
    }
}

/// Text of at most so many columns, filled up to them.
fn fit(text: &str, width: usize) -> String {
    let mut out = String::new();
    Cell::octets(Role::Plain, text.as_bytes()).write(width, Paint::OFF, &mut out);
    out
}

/// Text with its escapes done, fitted.
fn fit_octets(octets: &[u8], width: usize) -> String {
    let mut out = String::new();
    Cell::octets(Role::Plain, octets).write(width, Paint::OFF, &mut out);
    out
}

/// The first row to show, so that the picked one is in sight and stays near the middle.
fn first(picked: usize, rows: usize, all: usize) -> usize {
    picked
        .saturating_sub(rows / 2)
        .min(all.saturating_sub(rows))
}

fn kinds(frame: &mut Frame<'_>, area: Rect, state: &State, shown: &Shown<'_>, styles: Styles) {
    let focused = state.pane == Pane::Types;
    let block = block("Types".into(), focused, styles);
    let inner = block.inner(area);
    let width = usize::from(inner.width);
    let rows = usize::from(inner.height);
    let place = shown.kind_place(state);
    let mut lines = Vec::new();
    let all = std::iter::once(("All".to_owned(), shown.total));
    let kinds = shown
        .kinds
        .iter()
        .map(|(kind, count)| (kind.called(), *count));
    let begin = first(place, rows, shown.kinds.len() + 1);
    for (row, (called, count)) in all.chain(kinds).enumerate().skip(begin).take(rows) {
        let count = format!(" {count}");
        let name = fit(&called, width.saturating_sub(count.len()));
        let style = picked(row == place, focused, styles);
        let style = match count == " 0" {
            true => style.patch(styles.dim()),
            false => style,
        };
        lines.push(Line::styled(format!("{name}{count}"), style));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn services(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &State,
    shown: &Shown<'_>,
    styles: Styles,
    now: Duration,
) {
    let focused = state.pane == Pane::Services;
    let block = block(
        format!("Services {}", shown.services.len()),
        focused,
        styles,
    );
    let inner = block.inner(area);
    let width = usize::from(inner.width);
    let rows = usize::from(inner.height);
    if shown.services.is_empty() {
        let text = match state.search.is_empty() {
            true => "nothing yet",
            false => "nothing matches",
        };
        let text = Paragraph::new(Line::styled(text, styles.dim())).block(block);
        frame.render_widget(text, area);
        return;
    }
    let place = shown.service_place(state).unwrap_or(0);
    let begin = first(place, rows, shown.services.len());
    let mut lines = Vec::new();
    for (row, (_, entry)) in shown.services.iter().enumerate().skip(begin).take(rows) {
        let sign = match (entry.gone, entry.picture()) {
            (Some(_), _) => Span::styled("- ", styles.bad()),
            (None, None) => Span::styled("? ", styles.warning()),
            (None, Some(_)) if is_new(entry.first_seen.since_start, now) => {
                Span::styled("+ ", styles.good())
            }
            (None, Some(_)) if is_new(entry.changed.since_start, now) => {
                Span::styled("~ ", styles.warning())
            }
            (None, Some(_)) => Span::raw("  "),
        };
        // Among all types, names alone may be the same.
        let room = width.saturating_sub(2);
        let beside = match state.kind {
            None if room >= WITH_TYPE => room / 3,
            None | Some(_) => 0,
        };
        let name = fit_octets(&entry.identity().instance, room - beside);
        let wire = &entry.identity().type_wire;
        let kind = types::title(wire).unwrap_or(wire);
        let kind = match beside {
            0 => String::new(),
            beside => format!(" {}", fit(kind, beside - 1)),
        };
        let style = picked(row == place, focused, styles);
        let style = match entry.gone {
            Some(_) => style
                .patch(styles.dim())
                .add_modifier(Modifier::CROSSED_OUT),
            None => style,
        };
        let beside = match row == place {
            true => style,
            false => style.patch(styles.dim()),
        };
        lines.push(Line::from(vec![
            sign,
            Span::styled(name, style),
            Span::styled(kind, beside),
        ]));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// A sign stands for so long.
fn is_new(since: Duration, now: Duration) -> bool {
    now.saturating_sub(since) < crate::scene::FADING
}

fn service(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &mut State,
    scene: &Scene,
    styles: Styles,
    now: Duration,
) {
    let focused = state.wide || state.pane == Pane::Details;
    let block = block("Details".into(), focused, styles);
    let entry = state.service.as_deref().and_then(|key| scene.entry(key));
    let lines = match entry {
        Some(entry) => details::lines(entry, now, styles),
        None => vec![Line::styled("choose a service", styles.dim())],
    };
    let rows = usize::from(block.inner(area).height);
    let width = usize::from(block.inner(area).width).max(1);
    let wrapped: usize = lines
        .iter()
        .map(|line| line.width().div_ceil(width).max(1))
        .sum();
    // Lines break between words, so there may be a few more than their widths make.
    let most = match wrapped.saturating_sub(rows) {
        0 => 0,
        above => above + 2,
    };
    state.scrolled = state.scrolled.min(most);
    let scrolled = u16::try_from(state.scrolled).unwrap_or(u16::MAX);
    let text = Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .scroll((scrolled, 0))
        .block(block);
    frame.render_widget(text, area);
}

fn packets(frame: &mut Frame<'_>, area: Rect, state: &State, styles: Styles) {
    let block = block("Packets".into(), true, styles);
    let rows = usize::from(block.inner(area).height);
    let Some(packets) = &state.packets else {
        return;
    };
    let end = packets.lines.len().saturating_sub(packets.back).max(rows);
    let lines: Vec<Line<'static>> = packets
        .lines
        .iter()
        .skip(end.saturating_sub(rows))
        .take(rows)
        .map(|line| match line.trim_start().starts_with("!!") {
            true => Line::styled(line.clone(), styles.warning()),
            false => Line::raw(line.clone()),
        })
        .collect();
    let text = match lines.is_empty() {
        true => Paragraph::new(Line::styled("nothing heard yet", styles.dim())),
        false => Paragraph::new(lines),
    };
    frame.render_widget(text.block(block), area);
}

fn help(frame: &mut Frame<'_>, area: Rect, styles: Styles) {
    let height = u16::try_from(HELP.len() + 2)
        .unwrap_or(u16::MAX)
        .min(area.height);
    let width = 50.min(area.width);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    let lines: Vec<Line<'static>> = HELP
        .iter()
        .map(|(keys, what)| {
            Line::from(vec![
                Span::styled(format!(" {keys:<15}"), styles.strong()),
                Span::raw(*what),
            ])
        })
        .collect();
    frame.render_widget(Clear, place);
    frame.render_widget(
        Paragraph::new(lines).block(block("Keys".into(), true, styles)),
        place,
    );
}
