//! What the keys have moved: which pane, which rows, what is searched.

use std::collections::VecDeque;
use std::time::Duration;

use super::keys::Action;
use crate::events::Event;
use crate::monitor::Shape;
use crate::picture::Picture;
use crate::scene::overheard::Overheard;
use crate::scene::{Entry, Kind, Scene, words};
use crate::{escape, url};

/// Packets that are kept to look at; anybody can send more.
pub(super) const MOST_PACKETS: usize = 1_000;
/// For so long a message stands.
const MESSAGE: Duration = Duration::from_secs(3);
/// Letters of a search.
const MOST_LETTERS: usize = 64;

/// The panes, from the left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Types of services.
    Types,
    /// Services of the type.
    #[default]
    Services,
    /// All about the service.
    Details,
}

/// What is to be done that touches more than this state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// End.
    Quit,
    /// Draw everything anew.
    Redraw,
    /// Put this on the clipboard.
    Copy(String),
    /// Open this address.
    Open(String),
    /// Listen to packets, or do not any more.
    Listen(bool),
}

/// What the keys have moved.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) pane: Pane,
    /// The type that is picked, by wire name in lower case; none: all.
    pub(super) kind: Option<String>,
    /// The service that is picked, by whole name in lower case.
    pub(super) service: Option<String>,
    /// Where it stood, for when it is gone.
    place: usize,
    pub(super) search: String,
    pub(super) typing: bool,
    /// The details have the whole screen.
    pub(super) wide: bool,
    pub(super) help: bool,
    /// Lines of the details that are above what is seen.
    pub(super) scrolled: usize,
    /// Rows of a pane, as of the last drawing.
    pub(super) rows: usize,
    message: Option<(String, Duration)>,
    pub(super) packets: Option<Packets>,
}

/// The view of packets.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    pub(super) lines: VecDeque<String>,
    /// Nothing is added while somebody reads.
    pub(super) paused: bool,
    /// Lines below what is seen.
    pub(super) back: usize,
}

/// What the state makes of a scene.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    /// All types, the number of services of each; the first row, for all, is not among them.
    pub(super) kinds: Vec<(Kind, usize)>,
    /// All services found, of any type.
    pub(super) total: usize,
    pub(super) services: Vec<(&'a str, &'a Entry)>,
}

impl Shown<'_> {
    /// The rows of types before the one that is picked.
    pub(super) fn kind_place(&self, state: &State) -> usize {
        let Some(picked) = &state.kind else {
            return 0;
        };
        let mut kinds = self.kinds.iter();
        kinds
            .position(|(kind, _)| kind.wire.eq_ignore_ascii_case(picked))
            .map_or(0, |place| place + 1)
    }

    /// The row of the service that is picked.
    pub(super) fn service_place(&self, state: &State) -> Option<usize> {
        let picked = state.service.as_deref()?;
        self.services.iter().position(|(key, _)| *key == picked)
    }
}

impl State {
    /// Sorts out what is to be shown.
    pub(super) fn shown<'a>(&self, scene: &'a Scene) -> Shown<'a> {
        let words = words(&self.search);
        let found: Vec<(&str, &Entry)> = scene
            .entries()
            .filter(|(_, entry)| entry.matches(&words))
            .collect();
        let mut kinds = scene.kinds();
        if !words.is_empty() {
            for (kind, count) in &mut kinds {
                let of_kind = found.iter().filter(|(_, entry)| is_of(entry, &kind.wire));
                *count = of_kind.filter(|(_, entry)| entry.gone.is_none()).count();
            }
            kinds.retain(|(kind, count)| {
                *count > 0
                    || self
                        .kind
                        .as_ref()
                        .is_some_and(|picked| kind.wire.eq_ignore_ascii_case(picked))
            });
        }
        let present = |(_, entry): &&(&str, &Entry)| entry.gone.is_none();
        let total = found.iter().filter(present).count();
        let services = match &self.kind {
            None => found,
            Some(wire) => found
                .into_iter()
                .filter(|(_, entry)| is_of(entry, wire))
                .collect(),
        };
        Shown {
            kinds,
            total,
            services,
        }
    }

    /// Makes sure that something is picked, if there is anything: what was, or what stands there now.
    pub(super) fn settle(&mut self, shown: &Shown<'_>) {
        match shown.service_place(self) {
            Some(place) => self.place = place,
            None => {
                let last = shown.services.len().saturating_sub(1);
                self.place = self.place.min(last);
                self.service = shown
                    .services
                    .get(self.place)
                    .map(|(key, _)| (*key).to_owned());
                self.scrolled = 0;
            }
        }
    }

    /// Does what a key asks for.
    pub(crate) fn act(&mut self, action: Action, scene: &Scene, now: Duration) -> Effect {
        match action {
            Action::Quit => return Effect::Quit,
            Action::Redraw => return Effect::Redraw,
            _ if self.help => {
                self.help = false;
                return Effect::None;
            }
            Action::Packets => {
                self.packets = match self.packets {
                    Some(_) => None,
                    None => Some(Packets::default()),
                };
                return Effect::Listen(self.packets.is_some());
            }
            Action::Help => self.help = true,
            Action::Back if self.packets.is_some() => {
                self.packets = None;
                return Effect::Listen(false);
            }
            Action::Back => self.back(),
            Action::Search => {
                self.typing = true;
                self.wide = false;
            }
            Action::Type(letter) if self.search.chars().count() < MOST_LETTERS => {
                self.search.push(letter);
            }
            Action::Type(_) => {}
            Action::Rub => {
                self.search.pop();
            }
            Action::Typed => self.typing = false,
            Action::Copy => return self.copy(scene, now),
            Action::CopyJson => return self.copy_json(scene, now),
            Action::Open => return self.open(scene, now),
            Action::Pause => {
                if let Some(packets) = &mut self.packets {
                    packets.paused = !packets.paused;
                }
            }
            Action::Widen => self.wide = !self.wide,
            Action::Pane(by) => self.pane = self.pane.beside(by),
            Action::NextPane(by) => {
                let next = self.pane.beside(by);
                self.pane = match (next == self.pane, by > 0) {
                    (true, true) => Pane::Types,
                    (true, false) => Pane::Details,
                    (false, _) => next,
                };
            }
            Action::Move(by) => self.go(scene, i64::from(by)),
            Action::Page(by) => {
                let rows = i64::try_from(self.rows.max(2) - 1).unwrap_or(1);
                self.go(scene, i64::from(by) * rows);
            }
            Action::First => self.go(scene, -FAR),
            Action::Last => self.go(scene, FAR),
        }
        Effect::None
    }

    fn back(&mut self) {
        if self.typing {
            self.typing = false;
            self.search.clear();
        } else if self.wide {
            self.wide = false;
        } else {
            self.search.clear();
        }
    }

    fn go(&mut self, scene: &Scene, by: i64) {
        if let Some(packets) = &mut self.packets {
            packets.back = moved(packets.back, -by, packets.lines.len());
            packets.paused = packets.back > 0;
            return;
        }
        let shown = self.shown(scene);
        let pane = if self.wide { Pane::Details } else { self.pane };
        match pane {
            Pane::Types => {
                let place = moved(shown.kind_place(self), by, shown.kinds.len() + 1);
                let kind = place
                    .checked_sub(1)
                    .and_then(|place| shown.kinds.get(place));
                self.kind = kind.map(|(kind, _)| kind.wire.to_ascii_lowercase());
                self.service = None;
                self.place = 0;
            }
            Pane::Services => {
                let place = shown
                    .service_place(self)
                    .map_or(0, |place| moved(place, by, shown.services.len()));
                self.service = shown.services.get(place).map(|(key, _)| (*key).to_owned());
                self.place = place;
                self.scrolled = 0;
            }
            // Drawing knows how many lines there are, and takes back what is too much.
            Pane::Details => self.scrolled = moved(self.scrolled, by, usize::MAX),
        }
    }

    fn picked<'a>(&self, scene: &'a Scene) -> Option<&'a Entry> {
        scene.entry(self.service.as_deref()?)
    }

    fn copy(&mut self, scene: &Scene, now: Duration) -> Effect {
        let picture = self.picked(scene).and_then(Entry::picture);
        match picture.and_then(Picture::best_address) {
            Some(address) => {
                let text = address.text();
                self.say(format!("copied {}", escape::text(&text)), now);
                Effect::Copy(text)
            }
            None => self.refuse("no address is known", now),
        }
    }

    fn copy_json(&mut self, scene: &Scene, now: Duration) -> Effect {
        let Some(entry) = self.picked(scene) else {
            return self.refuse("no service is picked", now);
        };
        let Some(picture) = entry.picture() else {
            return self.refuse("it is not resolved", now);
        };
        let json = Event::Added(picture.clone()).json(&entry.changed);
        self.say("copied as JSON".into(), now);
        Effect::Copy(json)
    }

    fn open(&mut self, scene: &Scene, now: Duration) -> Effect {
        let picture = self.picked(scene).and_then(Entry::picture);
        match picture.map(url::url) {
            Some(url) if !url.is_empty() => {
                self.say(format!("opening {url}"), now);
                Effect::Open(url)
            }
            _ => self.refuse("this kind of service cannot be opened from here", now),
        }
    }

    fn refuse(&mut self, why: &str, now: Duration) -> Effect {
        self.say(why.into(), now);
        Effect::None
    }

    /// Says something for a moment.
    pub(crate) fn say(&mut self, text: String, now: Duration) {
        self.message = Some((text, now));
    }

    /// What is being said.
    pub(super) fn message(&self, now: Duration) -> Option<&str> {
        let (text, since) = self.message.as_ref()?;
        (now.saturating_sub(*since) < MESSAGE).then_some(text.as_str())
    }

    /// Whether letters are typed into a search.
    pub(crate) fn is_typing(&self) -> bool {
        self.typing
    }

    /// A packet or a finding was heard.
    pub(crate) fn hear(&mut self, heard: &Overheard, shape: Shape) {
        let Some(packets) = &mut self.packets else {
            return;
        };
        match heard {
            Overheard::Packet(seen) => {
                packets.push(shape.packet(seen, &seen.packet.moment.local()));
                for finding in &seen.findings {
                    packets.push(shape.finding(finding, Some(seen.number)));
                }
            }
            Overheard::Finding(finding, _) => packets.push(shape.finding(finding, None)),
            Overheard::Failed(why) => packets.push(escape::text(why)),
        }
    }

    /// So many packets came faster than they could be read.
    pub(crate) fn miss(&mut self, number: u64) {
        if let Some(packets) = &mut self.packets {
            packets.push(format!("… {number} more, too many to show"));
        }
    }
}

impl Packets {
    fn push(&mut self, line: String) {
        if self.paused {
            return;
        }
        if self.lines.len() >= MOST_PACKETS {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

impl Pane {
    /// The one on the right or on the left; at the edge the same.
    fn beside(self, by: i32) -> Self {
        match (self, by > 0) {
            (Self::Types, true) | (Self::Details, false) => Self::Services,
            (Self::Services, true) | (Self::Details, true) => Self::Details,
            (Self::Services, false) | (Self::Types, false) => Self::Types,
        }
    }
}

/// Further than any list is long.
const FAR: i64 = 1 << 40;

fn moved(place: usize, by: i64, rows: usize) -> usize {
    let place = i64::try_from(place).unwrap_or(FAR);
    let last = i64::try_from(rows.saturating_sub(1)).unwrap_or(FAR);
    usize::try_from((place + by).clamp(0, last)).unwrap_or(0)
}

fn is_of(entry: &Entry, wire: &str) -> bool {
    entry.identity().type_wire.eq_ignore_ascii_case(wire)
}
