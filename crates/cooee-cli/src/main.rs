//! The `cooee` command: find, look at and publish services on the local link.
//!
//! It uses the library as any program could, and decides nothing that the library could decide.

mod args;
mod base64;
mod cell;
mod clock;
mod commands;
mod details;
mod doctor;
mod duration;
mod escape;
mod events;
mod failure;
mod found;
mod interfaces;
mod json;
#[cfg(any(feature = "tui", feature = "ui"))]
mod launch;
mod log;
mod monitor;
mod name_arg;
mod nearest;
mod output;
mod paint;
mod parsable;
mod picture;
mod publish;
mod reader;
mod rows;
#[cfg(any(feature = "tui", feature = "ui"))]
mod scene;
#[cfg(test)]
mod schema;
mod session;
mod signals;
#[cfg(feature = "tui")]
mod tui;
mod txt;
mod type_arg;
mod types;
#[cfg(feature = "ui")]
mod ui;
mod url;
mod usage;
mod value_arg;
mod viewer;
mod words;

use std::io::Write;
use std::process::ExitCode;

use crate::args::{Args, Command};
use crate::clock::Clock;
use crate::failure::{Failure, Outcome};
use crate::output::{Stop, Talk};
use crate::paint::ColorChoice;
use crate::session::Session;
use crate::usage::Parsed;

fn main() -> ExitCode {
    let clock = Clock::start();
    match usage::parse(std::env::args_os()) {
        Ok(Parsed::Args(args)) => run(*args, clock),
        Ok(Parsed::Told(help)) => {
            let told = help.print().and_then(|()| std::io::stdout().flush());
            match told.map_err(Stop::from).map_or_else(Stop::into_result, Ok) {
                Ok(()) => Outcome::Done.into(),
                Err(failure) => end(Talk::new(false, ColorChoice::Auto), &failure),
            }
        }
        Err(failure) => end(Talk::new(false, ColorChoice::Auto), &failure),
    }
}

fn run(args: Args, clock: Clock) -> ExitCode {
    let Some(command) = args.command else {
        // If nobody hears it, there is nobody to tell.
        let _ = std::io::stderr().write_all(args::BRIEF_HELP.as_bytes());
        return Outcome::Usage.into();
    };
    let talk = Talk::new(args.common.quiet, args.common.color);
    if let Err(failure) = log::start(
        args.common.verbose,
        std::env::var(log::ENVIRONMENT).ok().as_deref(),
    ) {
        return end(talk, &failure);
    }
    let without_network = match &command {
        Command::Completions(args) => Some(commands::completions::run(args)),
        Command::Man(args) => Some(commands::man::run(args)),
        _ => None,
    };
    if let Some(outcome) = without_network {
        return match outcome {
            Ok(outcome) => outcome.into(),
            Err(failure) => end(talk, &failure),
        };
    }
    // The library's task has a thread of its own: a reader that is slow to take our output makes nobody deaf.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            return end(
                talk,
                &Failure::trouble(format!("cannot start: {}", output::plain(&error))),
            );
        }
    };
    let outcome = runtime.block_on(async {
        let session = Session::new(args.common, clock)?;
        match &command {
            Command::Browse(args) => commands::browse::run(args, session).await,
            Command::Resolve(args) => commands::resolve::run(args, session).await,
            Command::Publish(args) => publish::run(args, session).await,
            Command::Host(args) => commands::host::run(args, session).await,
            Command::Query(args) => commands::query::run(args, session).await,
            Command::Types(args) => commands::types::run(args, session).await,
            Command::Monitor(args) => commands::monitor::run(args, session).await,
            Command::Doctor(args) => doctor::run(args, session).await,
            #[cfg(feature = "tui")]
            Command::Tui(args) => commands::tui::run(args, session).await,
            #[cfg(feature = "ui")]
            Command::Ui(args) => commands::ui::run(args, session).await,
            Command::Demo(_) => commands::demo::run(session).await,
            Command::Completions(args) => commands::completions::run(args),
            Command::Man(args) => commands::man::run(args),
        }
    });
    // What still runs has nothing more to say.
    runtime.shutdown_background();
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(failure) => end(talk, &failure),
    }
}

fn end(talk: Talk, failure: &Failure) -> ExitCode {
    match failure.outcome {
        Outcome::NotFound => talk.hint(&failure.text),
        Outcome::Done | Outcome::Usage | Outcome::Trouble | Outcome::Code(_) => {
            talk.error(&failure.text)
        }
    }
    failure.outcome.into()
}
