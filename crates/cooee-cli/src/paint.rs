//! Colours: the 16 that every terminal has, never the only carrier of a meaning.

use anstyle::{AnsiColor, Color, Effects, Style};

use crate::escape::Piece;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}

impl ColorChoice {
    /// Decides for one stream. `env` reads the environment.
    pub(crate) fn decide(self, is_terminal: bool, env: impl Fn(&str) -> Option<String>) -> Paint {
        let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        let on = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto
                if env("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") =>
            {
                true
            }
            Self::Auto => is_terminal && env("TERM").as_deref() != Some("dumb"),
        };
        Paint { on }
    }
}

/// Puts colour on text, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

/// What a text is; each has a style of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// No style.
    Plain,
    /// The sign of something new.
    Added,
    /// The sign of a change.
    Updated,
    /// The sign of something gone.
    Removed,
    /// The name of a service.
    Name,
    /// A host and port.
    Host,
    /// A link, or something gone.
    Dim,
    /// A title.
    Title,
    /// What changed.
    Changed,
    /// The word before an error.
    Error,
}

impl Paint {
    /// No colours.
    pub(crate) const OFF: Self = Self { on: false };

    /// Tells whether there are colours.
    #[cfg(feature = "tui")]
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    /// Begins a text with its role.
    pub(crate) fn begin(self, role: Role, out: &mut String) {
        if self.on && role != Role::Plain {
            out.push_str(&style(role).render().to_string());
        }
    }

    /// Ends it.
    pub(crate) fn end(self, role: Role, out: &mut String) {
        if self.on && role != Role::Plain {
            out.push_str(&style(role).render_reset().to_string());
        }
    }

    /// A whole text of our own words.
    pub(crate) fn put(self, role: Role, text: &str, out: &mut String) {
        self.begin(role, out);
        out.push_str(text);
        self.end(role, out);
    }

    /// One piece of a stranger's text; escapes stand out.
    pub(crate) fn piece(self, role: Role, piece: Piece, out: &mut String) {
        if self.on && piece.is_escape() {
            self.end(role, out);
            out.push_str(&ESCAPE.render().to_string());
            piece.push_to(out);
            out.push_str(&ESCAPE.render_reset().to_string());
            self.begin(role, out);
        } else {
            piece.push_to(out);
        }
    }
}

const ESCAPE: Style = colour(AnsiColor::Magenta);

fn style(role: Role) -> Style {
    match role {
        Role::Plain => Style::new(),
        Role::Added => colour(AnsiColor::Green),
        Role::Updated => colour(AnsiColor::Yellow),
        Role::Removed | Role::Error => colour(AnsiColor::Red),
        Role::Name | Role::Changed => Style::new().effects(Effects::BOLD),
        Role::Host => colour(AnsiColor::Cyan),
        Role::Dim => Style::new().effects(Effects::DIMMED),
        Role::Title => Style::new().effects(Effects::UNDERLINE),
    }
}

const fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decides(choice: ColorChoice, is_terminal: bool, env: &[(&str, &str)]) -> bool {
        let read = |name: &str| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        choice.decide(is_terminal, read).on
    }

    #[test]
    fn the_option_wins_over_the_environment_and_that_over_the_terminal() {
        assert!(decides(ColorChoice::Auto, true, &[("TERM", "xterm")]));
        assert!(!decides(ColorChoice::Auto, false, &[]));
        assert!(!decides(ColorChoice::Auto, true, &[("TERM", "dumb")]));
        assert!(!decides(ColorChoice::Auto, true, &[("NO_COLOR", "1")]));
        assert!(decides(ColorChoice::Auto, true, &[("NO_COLOR", "")]));
        assert!(decides(
            ColorChoice::Auto,
            false,
            &[("CLICOLOR_FORCE", "1")]
        ));
        assert!(!decides(
            ColorChoice::Auto,
            false,
            &[("CLICOLOR_FORCE", "0")]
        ));
        assert!(!decides(
            ColorChoice::Auto,
            true,
            &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
        ));
        assert!(decides(ColorChoice::Always, false, &[("NO_COLOR", "1")]));
        assert!(!decides(
            ColorChoice::Never,
            true,
            &[("CLICOLOR_FORCE", "1")]
        ));
    }
}
