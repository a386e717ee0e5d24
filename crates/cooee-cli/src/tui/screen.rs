//! The terminal: taken, and given back as it was, however the command ends.

use std::io::{self, Stdout, Write};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyEvent};
use tokio::sync::mpsc;

/// The whole screen, until this is dropped. A panic gives it back before it speaks.
#[derive(Debug)]
pub(crate) struct Screen {
    /// Where to draw.
    pub(crate) terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the screen.
    ///
    /// # Errors
    ///
    /// If the terminal does not do what is asked.
    pub(crate) fn take() -> io::Result<Self> {
        let taken = ratatui::try_init();
        if taken.is_err() {
            // It may have been half way.
            ratatui::restore();
        }
        let mut terminal = taken?;
        terminal.clear()?;
        Ok(Self { terminal })
    }

    /// Asks the terminal to put text on the clipboard (OSC 52); not all do, and none says so.
    ///
    /// # Errors
    ///
    /// If the terminal is gone.
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<()> {
        let text = crate::base64::encode(text.as_bytes());
        let mut out = io::stdout();
        write!(out, "\x1b]52;c;{text}\x07")?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The cursor may be hidden. If the terminal is gone there is nothing to give back.
        let _ = self.terminal.show_cursor();
        ratatui::restore();
    }
}

/// What comes from the terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    /// A key.
    Key(KeyEvent),
    /// Its size is another one.
    Resized,
}

impl Input {
    /// Begins to read, on a thread of its own that ends with the process: reading a terminal blocks.
    pub(crate) fn read() -> mpsc::Receiver<Self> {
        let (tell, inputs) = mpsc::channel(32);
        // Without the thread there are signals to end it.
        let _ = std::thread::Builder::new()
            .name("keys".into())
            .spawn(move || {
                // An error means that the terminal is gone.
                while let Ok(event) = event::read() {
                    let input = match event {
                        Event::Key(key) => Self::Key(key),
                        Event::Resize(..) => Self::Resized,
                        Event::FocusGained
                        | Event::FocusLost
                        | Event::Mouse(_)
                        | Event::Paste(_) => continue,
                    };
                    if tell.blocking_send(input).is_err() {
                        return;
                    }
                }
            });
        inputs
    }
}
