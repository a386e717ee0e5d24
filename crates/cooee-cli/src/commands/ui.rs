//! `cooee ui`: everything on the link, as a page in the browser.

use cooee::HostPolicy;
use tokio::sync::watch;

use crate::failure::{Failure, Outcome};
use crate::interfaces;
use crate::output;
use crate::scene::feed::Feed;
use crate::scene::overheard::Ear;
use crate::session::{self, Session};
use crate::ui::browser::Door;
use crate::ui::server::Server;
use crate::value_arg;

/// For so long open pages are given to read that this is the end.
const GOODBYE: std::time::Duration = std::time::Duration::from_millis(500);

/// What `cooee ui --help` shows at the end.
pub(crate) const EXAMPLES: &str = "\
Examples:
  cooee ui --open
  cooee ui --port 8053 -i eth0

The page is for this machine alone, and for who has the address that is printed.
Exit code: 0 ended as told, 2 wrong words, 3 trouble with the network or the port.";

/// Show everything on the link as a page in the browser.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Serve the page at this port of 127.0.0.1 (any that is free)
    #[arg(long, value_name = "PORT", value_parser = value_arg::port)]
    pub(crate) port: Option<u16>,
    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Trouble with the network, the port or the output.
pub(crate) async fn run(args: &Args, mut session: Session) -> Result<Outcome, Failure> {
    let port = args.port.unwrap_or(0);
    let server = Server::bind(port).await.map_err(|error| {
        let place = match args.port {
            Some(port) => format!("port {port} of 127.0.0.1"),
            None => "a port of 127.0.0.1".into(),
        };
        Failure::trouble(format!(
            "cannot serve at {place}: {}",
            output::plain(&error)
        ))
    })?;
    let zeroconf = session.open(HostPolicy::None).await?;
    if let Some(trouble) = interfaces::trouble(&session::present(&zeroconf)) {
        session.talk.hint(&format!("{trouble}; waiting for one"));
    }
    let (feed, shared) = Feed::start(&session, &zeroconf)?;
    let url = server.url();
    if let Err(stop) = session.output.line(&url) {
        session.close(&zeroconf).await;
        return stop.into_result().map(|()| Outcome::Done);
    }
    let door = match args.open {
        true => open(&url, &session),
        false => None,
    };
    let (end, ends) = watch::channel(false);
    let feeding = tokio::spawn(feed.run());
    let ear = Ear::new();
    let mut serving = tokio::spawn(server.run(shared, ear.clone(), ends));
    let mut signals = session.signals.clone();
    let outcome = tokio::select! {
        _ = signals.asked() => {
            // Nobody may be left to tell.
            let _ = end.send(true);
            // Who does not read in time finds out by himself.
            let _ = tokio::time::timeout(GOODBYE, &mut serving).await;
            Ok(Outcome::Done)
        }
        () = ear.run(&session) => Ok(Outcome::Done),
        served = &mut serving => match served {
            Ok(Err(error)) => Err(Failure::trouble(format!("cannot serve: {}", output::plain(&error)))),
            Ok(Ok(())) | Err(_) => Ok(Outcome::Done),
        },
    };
    drop(door);
    serving.abort();
    feeding.abort();
    session.close(&zeroconf).await;
    outcome
}

/// Opens the page; who cannot still has its address.
fn open(url: &str, session: &Session) -> Option<Door> {
    let door = match Door::new(url) {
        Ok(door) => door,
        Err(error) => {
            session
                .talk
                .hint(&format!("cannot open the page: {}", output::plain(&error)));
            return None;
        }
    };
    if let Err(why) = door.open() {
        session.talk.hint(&why);
    }
    Some(door)
}
