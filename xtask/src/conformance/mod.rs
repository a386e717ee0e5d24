//! The conformance suite against every stack that can be had here, and every stack against every other.
//!
//! What each run found is kept as JSON in `target/conformance/results`; `docs/conformance.md` is written from what is there.

mod scoreboard;
mod subjects;

use std::path::Path;
use std::process::Command;

use crate::interop;
use crate::workspace::{self, Outcome};
use subjects::Workshop;

const REPORT: &str = "docs/conformance.md";

/// So many links at a time if nothing is said: nearly all of the time is waiting.
const LANES: &str = "12";

/// The same for cooee alone, which is light.
const QUICK_LANES: &str = "24";

/// What the command line asked for.
#[derive(Default)]
struct Options {
    only: Vec<String>,
    /// Tests, as the tester's `--only` names them.
    tests: Vec<String>,
    quick: bool,
    no_tests: bool,
    no_matrix: bool,
    require_all: bool,
    lanes: Option<String>,
}

/// A subject that can be run here.
struct Ready {
    name: &'static str,
    command: String,
}

/// The programs that systemd-resolved's adapter needs.
pub(crate) const NEEDS_RESOLVED: &[&str] = &["apt-get", "dpkg", "dbus-daemon", "python3"];

/// Prepares the adapter of a subject, and gives its command line.
pub(crate) fn adapter(name: &str) -> Outcome<String> {
    let subject = subjects::ALL.iter().find(|subject| subject.name == name);
    let subject = subject.ok_or_else(|| format!("there is no subject {name}"))?;
    subject.prepare(&Workshop::new()?)
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let options = Options::parse(arguments)?;
    if let Some(why) = interop::cannot_run_here() {
        return if options.require_all {
            Err(why)
        } else {
            println!("conformance: skipped: {why}");
            Ok(())
        };
    }
    let workshop = Workshop::new()?;
    let tester = workspace::build_release(&[
        "--package",
        "cooee-conformance",
        "--bin",
        "cooee-conformance",
    ])?;
    if options.quick {
        return quick(&workshop, &tester, &options);
    }
    let chosen = |name: &str| options.only.is_empty() || options.only.iter().any(|one| one == name);
    if !options.tests.is_empty() {
        return again(&workshop, &tester, &chosen, &options);
    }
    let (ready, skipped) = prepared(&workshop);
    for (name, why) in &skipped {
        println!("{name}: skipped: {why}");
    }
    if options.require_all && !skipped.is_empty() {
        return Err(format!("{} subjects cannot be prepared", skipped.len()));
    }
    let results = workspace::root().join("target/conformance/results");
    std::fs::create_dir_all(&results).map_err(|error| format!("{}: {error}", results.display()))?;
    for subject in ready
        .iter()
        .filter(|subject| chosen(subject.name) && !options.no_tests)
    {
        println!("\n== {}", subject.name);
        judge(&tester, subject, &results, &options)?;
    }
    if !options.no_matrix {
        println!("\n== matrix");
        meet(&tester, &ready, &results, &options)?;
    }
    scoreboard::write(&tester, &results, &skipped, &workspace::root().join(REPORT))?;
    println!(
        "conformance: {REPORT} is written; captures are in {}",
        results.display()
    );
    Ok(())
}

/// Some tests once more, for whoever wants to see why: what they find and their captures, and no page.
fn again(
    workshop: &Workshop,
    tester: &Path,
    chosen: &dyn Fn(&str) -> bool,
    options: &Options,
) -> Outcome {
    let folder = workspace::root().join("target/conformance/again");
    for subject in subjects::ALL.iter().filter(|subject| chosen(subject.name)) {
        println!("\n== {}", subject.name);
        let command = subject.prepare(workshop)?;
        let lanes = options.lanes.as_deref().unwrap_or(LANES);
        let evidence = folder.join(subject.name);
        let mut lab = lab(tester, subject.name, &command, &evidence, lanes);
        for word in &options.tests {
            lab.args(["--only", word]);
        }
        run_tester(&mut lab)?;
    }
    println!("captures are in {}", folder.display());
    Ok(())
}

/// What CI asks: cooee alone, without a failure or a warning. On a busy machine a timer is late now and then, so what is not a
/// pass is asked once more, with less beside it.
fn quick(workshop: &Workshop, tester: &Path, options: &Options) -> Outcome {
    let [cooee, ..] = subjects::ALL else {
        return Err("there is no subject".into());
    };
    let command = cooee.prepare(workshop)?;
    let folder = workspace::root().join("target/conformance/quick");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let results = folder.join("results.json");
    let lanes = options.lanes.as_deref().unwrap_or(QUICK_LANES);
    let mut first = lab(tester, cooee.name, &command, &folder, lanes);
    run_tester(first.arg("--json").arg(&results))?;
    let bad = scoreboard::not_passed(&results)?;
    if bad.is_empty() {
        return Ok(());
    }
    println!("\nonce more: {}", bad.join(", "));
    let mut again = lab(tester, cooee.name, &command, &folder, "2");
    for name in &bad {
        again.args(["--only", name]);
    }
    workspace::run(again.arg("--strict"))
        .map_err(|why| format!("{why}; captures are in {}", folder.display()))
}

/// Those that can be run here, and those that cannot with the reason.
fn prepared(workshop: &Workshop) -> (Vec<Ready>, Vec<(&'static str, String)>) {
    let (mut ready, mut skipped) = (Vec::new(), Vec::new());
    for subject in subjects::ALL {
        let name = subject.name;
        println!("preparing {name}");
        match subject.prepare(workshop) {
            Ok(command) => ready.push(Ready { name, command }),
            Err(why) => skipped.push((name, why)),
        }
    }
    (ready, skipped)
}

/// Runs the suite against one subject. That something fails is a result, not an error.
fn judge(tester: &Path, subject: &Ready, results: &Path, options: &Options) -> Outcome {
    let evidence = results.join(subject.name);
    // What an earlier run kept would be mistaken for what this one did.
    let _ = std::fs::remove_dir_all(&evidence);
    let lanes = options.lanes.as_deref().unwrap_or(LANES);
    let mut lab = lab(tester, subject.name, &subject.command, &evidence, lanes);
    lab.arg("--json")
        .arg(results.join(format!("{}.json", subject.name)));
    run_tester(&mut lab)
}

fn lab(tester: &Path, name: &str, command: &str, evidence: &Path, lanes: &str) -> Command {
    let mut lab = Command::new(tester);
    lab.args(["lab", "--subject-name", name, "--subject", command]);
    lab.args(["--lanes", lanes]);
    lab.arg("--evidence").arg(evidence);
    lab
}

fn meet(tester: &Path, ready: &[Ready], results: &Path, options: &Options) -> Outcome {
    let mut matrix = Command::new(tester);
    matrix.arg("matrix");
    for Ready { name, command } in ready {
        matrix.args(["--stack", &format!("{name}={command}")]);
    }
    // A matrix of some is a matrix of those with all others; what was found of the rest stays.
    for name in &options.only {
        matrix.args(["--with", name]);
    }
    if let Some(lanes) = &options.lanes {
        matrix.args(["--lanes", lanes]);
    }
    let part = results.join("matrix-part.json");
    let evidence = results.join("matrix");
    matrix
        .arg("--evidence")
        .arg(evidence)
        .arg("--json")
        .arg(&part);
    run_tester(&mut matrix)?;
    scoreboard::add_cells(&results.join("matrix.json"), &part)
}

/// Runs the tester, for which 1 is the code of "ran, and something failed".
fn run_tester(command: &mut Command) -> Outcome {
    let status = command
        .current_dir(workspace::root())
        .status()
        .map_err(|error| format!("the tester does not start: {error}"))?;
    match status.code() {
        Some(0 | 1) => Ok(()),
        _ => Err(format!("the tester ended with {status}")),
    }
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "--only" => options.only.push(value()?.clone()),
                "--test" => options.tests.push(value()?.clone()),
                "--lanes" => options.lanes = Some(value()?.clone()),
                "--quick" => options.quick = true,
                "--no-tests" => options.no_tests = true,
                "--no-matrix" => options.no_matrix = true,
                "--require-all" => options.require_all = true,
                _ => {
                    return Err(format!(
                        "no option '{argument}'; there are --only --test --quick --no-tests --no-matrix --lanes --require-all"
                    ));
                }
            }
        }
        let unknown = |name: &&String| !subjects::ALL.iter().any(|subject| subject.name == **name);
        match options.only.iter().find(unknown) {
            Some(name) => {
                let names: Vec<&str> = subjects::ALL.iter().map(|subject| subject.name).collect();
                Err(format!(
                    "no subject '{name}'; there are {}",
                    names.join(", ")
                ))
            }
            None => Ok(options),
        }
    }
}
