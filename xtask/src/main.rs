//! Tasks of the workspace: what cargo alone cannot say.
//!
//! `cargo xtask` lists them. Each task is one module; a task fails with a sentence, not with a panic.

#![forbid(unsafe_code)]

mod ci;
#[cfg(test)]
mod complaints;
mod compliance;
mod conformance;
mod corpus;
mod interop;
mod manual;
mod page;
mod scale;
mod simulate;
mod tidy;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask TASK

  ci [--require-all]      everything CI asks beyond `cargo test`: format, lints, docs, no_std, tidy, compliance, fuzz,
                          demo, page, interop; with --require-all a step that cannot run here is a failure
  compliance [--check]    write docs/compliance.md from the clause tables and the citations in the code
  conformance [OPTIONS]   the conformance suite on us and on others, and each against each (Linux, root): docs/conformance.md
      --only SUBJECT      only this one, and the matrix with it; may be repeated. What was found of the others is kept
      --quick             cooee alone, without the matrix and the report; a warning is a failure
      --no-tests, --no-matrix
      --lanes N           so many links at a time
      --require-all       a subject that cannot be prepared is a failure, not a skip
  corpus [FOLDER]         write the packets of a corpus (../shared/corpus) as seeds of the fuzz targets
  found [--services N]    how long 1, 100 and 1000 services, or N, take from publish to found, as a table (Linux, root)
  interop [OPTIONS]       cooee and other people's software in network namespaces (Linux, root)
      --only TEXT         only scenarios whose name contains TEXT; may be repeated
      --list              name the scenarios and stop
      --require-all       what cannot run here is a failure, not a skip
      --thorough          the long form of scenarios that have one: a flood of 20 s instead of 5
      --cooee PATH        a ready binary instead of `cargo build --release -p cooee-cli`
  load [OPTIONS]          what an answer costs, ours and others', as a table (Linux, root)
      --services N        this many alone, instead of 10, 1000 and 10,000
      --python PATH       a Python that has the package `zeroconf`
      --peer NAME=PROGRAM another responder: `PROGRAM N` publishes service-0 … in _load._tcp and then says `ready`
  man [FOLDER]            the pages of the manual, into target/man if no folder is named
  no-std                  link wire, mdns and sd without the standard library
  page [--screenshots]    the page of `cooee ui` in Chromium, in a network namespace; or its pictures in docs/images anew
  scale [OPTIONS]         networks of up to 10,000 hosts in simulated time; writes docs/scale.md and its plot (20 minutes)
      --seed S            another seed than 1
      --largest N         only those with at most N hosts; prints the tables and writes nothing
      --resume            takes what an interrupted run has measured, from target/scale
      --page              simulates nothing; makes the page of what target/scale holds
  soak [OPTIONS]          invented stories in the simulated network, one after another, until a rule is broken
      --minutes N         for so long; 1 if not told
      --seed S            from this seed on; 0 if not told
  tidy                    file sizes, words, links and lints that cargo does not check
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((task, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match task.as_str() {
        "ci" => ci::run(rest),
        "compliance" => compliance::run(rest),
        "conformance" => conformance::run(rest),
        "corpus" => corpus::run(rest),
        "interop" => interop::run(rest),
        interop::FLOOD => interop::flood(rest),
        interop::JANITOR => interop::clean_up(rest),
        "found" => interop::found::run(rest),
        "load" => interop::load::run(rest),
        "man" => manual::write(rest),
        "page" => page::run(rest),
        "no-std" => ci::no_std(),
        "scale" => scale::run(rest),
        "soak" => simulate::soak(rest),
        "tidy" => tidy::run(),
        _ => {
            eprint!("xtask: no task '{task}'\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {task}: {why}");
            ExitCode::FAILURE
        }
    }
}
