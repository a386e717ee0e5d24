//! `cooee tui`: everything on the link, in three panes of the terminal.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::time::Duration;

use cooee::HostPolicy;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::failure::{Failure, Outcome};
use crate::launch;
use crate::monitor::Shape;
use crate::output;
use crate::paint::Paint;
use crate::scene::feed::{Feed, Shared};
use crate::scene::overheard::{Ear, Overheard};
use crate::session::Session;
use crate::tui::{Effect, Input, Screen, State, action, draw};

/// What `cooee tui --help` shows at the end.
pub(crate) const EXAMPLES: &str = "\
Keys:
  arrows or h j k l   move            /   search            p   packets
  Tab, Enter          pane, details   c   copy the address  q   end
  ?                   all of them

Exit code: 0 ended as told, 2 not on a terminal, 3 trouble with the network.";

/// Changes that come so close together are drawn together.
const GATHER: Duration = Duration::from_millis(40);
/// Lifetimes run down and what is gone fades, even if nothing comes.
const TICK: Duration = Duration::from_secs(1);

/// Show everything on the link here in the terminal.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
///
/// # Errors
///
/// No terminal, or trouble with it or the network.
pub(crate) async fn run(_: &Args, session: Session) -> Result<Outcome, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::usage("tui needs a terminal; use browse"));
    }
    let zeroconf = session.open(HostPolicy::None).await?;
    let (feed, shared) = Feed::start(&session, &zeroconf)?;
    let feeding = tokio::spawn(feed.run());
    let ear = Ear::new();
    let shown = tokio::select! {
        shown = show(&session, shared, &ear) => shown,
        () = ear.run(&session) => Ok(()),
    };
    feeding.abort();
    session.close(&zeroconf).await;
    shown.map(|()| Outcome::Done).map_err(|error| {
        Failure::trouble(format!(
            "cannot use the terminal: {}",
            output::plain(&error)
        ))
    })
}

/// Shows until told to end; the terminal is as before when this returns.
async fn show(session: &Session, mut shared: Shared, ear: &Ear) -> io::Result<()> {
    let mut screen = Screen::take()?;
    let mut inputs = Input::read();
    let mut signals = session.signals.clone();
    let mut state = State::default();
    let mut heard: Option<broadcast::Receiver<Overheard>> = None;
    let coloured = session.output.paint.is_on();
    loop {
        {
            let now = session.now().since_start;
            let scene = shared.scene();
            screen
                .terminal
                .draw(|frame| draw(frame, &mut state, &scene, coloured, now))?;
        }
        tokio::select! {
            biased;
            _ = signals.asked() => return Ok(()),
            input = inputs.recv() => match input {
                Some(Input::Key(key)) => {
                    let Some(action) = action(&key, state.is_typing()) else {
                        continue;
                    };
                    let effect = state.act(action, &shared.scene(), session.now().since_start);
                    match effect {
                        Effect::Quit => return Ok(()),
                        Effect::Redraw => screen.terminal.clear()?,
                        Effect::Copy(text) => screen.copy(&text)?,
                        Effect::Open(url) => {
                            if let Err(why) = launch::launch(OsStr::new(&url)) {
                                state.say(why, session.now().since_start);
                            }
                        }
                        Effect::Listen(true) => heard = Some(ear.listen()),
                        Effect::Listen(false) => heard = None,
                        Effect::None => {}
                    }
                }
                Some(Input::Resized) => {}
                // The terminal is gone.
                None => return Ok(()),
            },
            one = next(&mut heard) => hear(&mut state, one, &mut heard, screen.terminal.size()?.width),
            is_open = shared.changed() => {
                if !is_open {
                    return Ok(());
                }
                tokio::time::sleep(GATHER).await;
            }
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Takes what was heard, and all that waits behind it.
fn hear(
    state: &mut State,
    first: Result<Overheard, RecvError>,
    heard: &mut Option<broadcast::Receiver<Overheard>>,
    width: u16,
) {
    let shape = Shape {
        // The border takes two.
        width: Some(usize::from(width).saturating_sub(2)),
        paint: Paint::OFF,
    };
    match first {
        Ok(one) => state.hear(&one, shape),
        Err(RecvError::Lagged(missed)) => state.miss(missed),
        Err(RecvError::Closed) => *heard = None,
    }
    if let Some(heard) = heard {
        while let Ok(one) = heard.try_recv() {
            state.hear(&one, shape);
        }
    }
}

/// The next that is heard, if it is listened.
async fn next(heard: &mut Option<broadcast::Receiver<Overheard>>) -> Result<Overheard, RecvError> {
    match heard {
        Some(heard) => heard.recv().await,
        None => std::future::pending().await,
    }
}
