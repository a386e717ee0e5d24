//! The command `cooee-conformance`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cooee_conformance::subject::Launch;
use cooee_conformance::{
    self as conformance, Cell, Contender, Mark, Outcome, Place, Run, Tally, Test,
};

/// Judges a multicast DNS stack by what it sends.
///
/// Exit status: 0 if nothing failed, 1 if a test failed (with --strict also if one warned), 2 if tests could not be run.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,

    /// List the tests, and run none
    #[arg(long)]
    list: bool,

    /// With --list: as Markdown, with clauses and limits
    #[arg(long, requires = "list")]
    markdown: bool,

    /// Only tests with this in their name, or with this clause or section, such as 6762-8.1; can be repeated
    #[arg(long, global = true, value_name = "WORD")]
    only: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run on an interface of this network namespace, behind which the subject and nobody else lives
    Run {
        /// The tester's interface
        #[arg(long)]
        interface: String,
        /// The subject's interface, for its adapter [default: that of the tester]
        #[arg(long, value_name = "INTERFACE")]
        subject_interface: Option<String>,
        /// An address of the subject on the link; all of them, or none
        #[arg(long, value_name = "ADDRESS")]
        subject_address: Vec<std::net::IpAddr>,
        #[command(flatten)]
        what: What,
    },
    /// Run in network namespaces made for it (root only)
    Lab {
        /// How many links with one subject each are tested at a time
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
        lanes: u8,
        #[command(flatten)]
        what: What,
    },
    /// Let every stack find what every other publishes, each pair on a link of its own (root only)
    Matrix {
        /// A stack, its adapter's command line after the sign; repeated
        #[arg(long, value_name = "NAME=COMMAND", required = true, value_parser = contender)]
        stack: Vec<Contender>,
        /// Only pairs with this stack on one side or the other; can be repeated
        #[arg(long, value_name = "NAME")]
        with: Vec<String>,
        /// How many pairs meet at a time
        #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
        lanes: u8,
        /// Write the cells as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Write packets and dialogue of each pair in which something failed into this folder
        #[arg(long, value_name = "FOLDER")]
        evidence: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
struct What {
    /// What to call the subject in reports
    #[arg(long, value_name = "NAME", default_value = "subject")]
    subject_name: String,
    /// The command line of the subject's adapter
    #[arg(long, value_name = "COMMAND")]
    subject: String,
    /// Write a report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report as Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write packets (pcap and text) and findings of each test into this folder
    #[arg(long, value_name = "FOLDER")]
    evidence: Option<PathBuf>,
    /// A warning counts as a failure
    #[arg(long)]
    strict: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(&arguments) {
        Ok(code) => code,
        Err(text) => {
            eprintln!("cooee-conformance: {text}");
            ExitCode::from(2)
        }
    }
}

fn act(arguments: &Arguments) -> Result<ExitCode, String> {
    let tests = chosen(&arguments.only)?;
    if arguments.list {
        let list = if arguments.markdown {
            conformance::list_markdown(&tests)
        } else {
            conformance::list(&tests)
        };
        print(&list);
        return Ok(ExitCode::SUCCESS);
    }
    let (what, run) = match &arguments.action {
        None => return Err("say 'run', 'lab' or 'matrix', or --list".into()),
        Some(Action::Matrix {
            stack,
            with,
            lanes,
            json,
            evidence,
        }) => {
            return meet_all(stack, with, *lanes, json.as_deref(), evidence.as_deref());
        }
        Some(Action::Run {
            interface,
            subject_interface,
            subject_address,
            what,
        }) => {
            let place = Place {
                interface: interface.clone(),
                launch: Launch {
                    command: what.subject.clone(),
                    interface: subject_interface.as_ref().unwrap_or(interface).clone(),
                    namespace: None,
                },
                subject_addresses: subject_address.clone(),
            };
            let run = conformance::run(&place, &tests, &|outcome| tell(what, outcome));
            (what, run)
        }
        Some(Action::Lab { lanes, what }) => {
            let tell = |outcome: &Outcome| tell(what, outcome);
            let run = conformance::run_in_lab(&what.subject, usize::from(*lanes), &tests, &tell)
                .map_err(|error| format!("no lab: {error}"))?;
            (what, run)
        }
    };
    report(what, &run)
}

fn contender(text: &str) -> Result<Contender, String> {
    let (name, command) = text.split_once('=').ok_or("no '='")?;
    Ok(Contender {
        name: name.to_owned(),
        command: command.to_owned(),
    })
}

fn meet_all(
    stacks: &[Contender],
    with: &[String],
    lanes: u8,
    json: Option<&Path>,
    evidence: Option<&Path>,
) -> Result<ExitCode, String> {
    if let Some(folder) = evidence {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let wanted = |publisher: &str, browser: &str| {
        with.is_empty() || with.iter().any(|name| publisher == name || browser == name)
    };
    let tell = |cell: &Cell| print(&format!("{cell}\n"));
    let cells = conformance::matrix(stacks, usize::from(lanes), evidence, &wanted, &tell)
        .map_err(|error| format!("no lab: {error}"))?;
    if let Some(file) = json {
        let cells: Vec<_> = cells.iter().map(Cell::json).collect();
        write(file, &format!("{:#}\n", serde_json::Value::from(cells)))?;
    }
    let failed = |cell: &Cell| {
        cell.steps()
            .iter()
            .any(|(_, mark)| matches!(mark, Mark::Failed(_)))
    };
    Ok(ExitCode::from(u8::from(cells.iter().any(failed))))
}

/// The tests that `--only` means; it is an error if a word means none.
fn chosen(only: &[String]) -> Result<Vec<Test>, String> {
    let mut tests = conformance::all();
    for word in only {
        if !tests.iter().any(|test| test.is_meant_by(word)) {
            return Err(format!("--only {word}: no such test; see --list"));
        }
    }
    if !only.is_empty() {
        tests.retain(|test| only.iter().any(|word| test.is_meant_by(word)));
    }
    Ok(tests)
}

fn tell(what: &What, outcome: &Outcome) {
    print(&format!("{}\n", conformance::line(outcome)));
    if let Some(folder) = &what.evidence
        && let Err(error) = conformance::keep(folder, outcome)
    {
        eprintln!("cooee-conformance: {}: {error}", folder.display());
    }
}

fn report(what: &What, run: &Run) -> Result<ExitCode, String> {
    let tally = Tally::of(&run.outcomes);
    let (name, seconds) = (&what.subject_name, run.took.as_secs_f64());
    print(&format!(
        "{name} {}: {tally}, in {seconds:.0} s\n",
        run.version
    ));
    if let Some(file) = &what.json {
        write(file, &format!("{:#}\n", conformance::json(name, run)))?;
    }
    if let Some(file) = &what.report {
        write(file, &conformance::markdown(name, run))?;
    }
    if tally.pass + tally.warn + tally.fail == 0 {
        let why = run.outcomes.first().map(Outcome::reason);
        return Err(format!("no test could be run: {}", why.unwrap_or_default()));
    }
    let bad = tally.fail + if what.strict { tally.warn } else { 0 };
    Ok(ExitCode::from(u8::from(bad > 0)))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// A reader that has gone away is no reason to stop: the files are still wanted.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
