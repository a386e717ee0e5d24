//! What `cooee tui` shows: the scene in three panes, drawn anew after every change.
//!
//! [`State`] is what the keys move, [`draw()`] puts it on the screen; neither knows the terminal.

mod details;
mod draw;
mod keys;
mod screen;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use draw::draw;
pub(crate) use keys::action;
pub(crate) use screen::{Input, Screen};
pub(crate) use state::{Effect, State};
