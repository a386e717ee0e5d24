//! The `cooee` command.

// Modules that a command of this release does not reach yet are wired by the next commits.
#![allow(dead_code)]

mod args;
mod base64;
mod cell;
mod clock;
mod details;
mod duration;
mod escape;
mod events;
mod failure;
mod json;
mod name_arg;
mod nearest;
mod output;
mod paint;
mod picture;
mod rows;
mod signals;
mod txt;
mod type_arg;
mod types;
mod usage;
mod value_arg;

use std::io::Write;
use std::process::ExitCode;

use crate::failure::{Failure, Outcome};
use crate::output::Talk;
use crate::paint::ColorChoice;
use crate::usage::Parsed;

fn main() -> ExitCode {
    match usage::parse(std::env::args_os()) {
        Ok(Parsed::Args(args)) if args.command.is_none() => {
            // If nobody hears it, there is nobody to tell.
            let _ = std::io::stderr().write_all(args::BRIEF_HELP.as_bytes());
            Outcome::Usage.into()
        }
        Ok(Parsed::Args(_)) => end(&Failure::trouble("not there yet")),
        Ok(Parsed::Told(help)) => {
            // A closed pipe is a clean end here too.
            let _ = help.print();
            Outcome::Done.into()
        }
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    Talk::new(false, ColorChoice::Auto).error(&failure.text);
    failure.outcome.into()
}
