//! Which key does what.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// So many rows down, or up.
    Move(i32),
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// A screen down, or up.
    Page(i32),
    /// To the pane on the right, or on the left.
    Pane(i32),
    /// To the next pane, round and round.
    NextPane(i32),
    /// Begin to type a search.
    Search,
    /// A letter of the search.
    Type(char),
    /// One letter less.
    Rub,
    /// The search is typed.
    Typed,
    /// Out of what is open; or clear the search.
    Back,
    /// The details on the whole screen, and back.
    Widen,
    /// Copy the address.
    Copy,
    /// Copy everything as JSON.
    CopyJson,
    /// Open the service.
    Open,
    /// The packets, and back.
    Packets,
    /// Hold the packets, and let them go on.
    Pause,
    /// The keys.
    Help,
    /// Draw everything anew.
    Redraw,
    /// The end.
    Quit,
}

/// What a key means; while a search is typed, letters are letters.
pub(crate) fn action(key: &KeyEvent, typing: bool) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('l') => Some(Action::Redraw),
            KeyCode::Char('u') if typing => Some(Action::Back),
            _ => None,
        };
    }
    if typing {
        return match key.code {
            KeyCode::Char(letter) => Some(Action::Type(letter)),
            KeyCode::Backspace => Some(Action::Rub),
            KeyCode::Enter => Some(Action::Typed),
            KeyCode::Esc => Some(Action::Back),
            KeyCode::Down => Some(Action::Move(1)),
            KeyCode::Up => Some(Action::Move(-1)),
            _ => None,
        };
    }
    match key.code {
        KeyCode::Up | KeyCode::Char('k') => Some(Action::Move(-1)),
        KeyCode::Down | KeyCode::Char('j') => Some(Action::Move(1)),
        KeyCode::Left | KeyCode::Char('h') => Some(Action::Pane(-1)),
        KeyCode::Right | KeyCode::Char('l') => Some(Action::Pane(1)),
        KeyCode::Tab => Some(Action::NextPane(1)),
        KeyCode::BackTab => Some(Action::NextPane(-1)),
        KeyCode::Home | KeyCode::Char('g') => Some(Action::First),
        KeyCode::End | KeyCode::Char('G') => Some(Action::Last),
        KeyCode::PageUp => Some(Action::Page(-1)),
        KeyCode::PageDown => Some(Action::Page(1)),
        KeyCode::Enter => Some(Action::Widen),
        KeyCode::Esc => Some(Action::Back),
        KeyCode::Char('/') => Some(Action::Search),
        KeyCode::Char('c' | 'y') => Some(Action::Copy),
        KeyCode::Char('C') => Some(Action::CopyJson),
        KeyCode::Char('o') => Some(Action::Open),
        KeyCode::Char('p') => Some(Action::Packets),
        KeyCode::Char(' ') => Some(Action::Pause),
        KeyCode::Char('?') => Some(Action::Help),
        KeyCode::Char('q') => Some(Action::Quit),
        _ => None,
    }
}
