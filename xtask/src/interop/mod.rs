//! The interop lab: real programs on a network made of namespaces.
//!
//! Each scenario gets a bridge and hosts of its own (`network`), starts programs on them (`process`, `avahi`, `cooee`), and
//! says in `scenarios` what they must see of each other. Nothing touches a network that the lab did not make.
//!
//! Cleaning up is the duty of a second process, the janitor: it waits until this one is gone, however it went (done,
//! panic, Ctrl-C, killed), and then ends what still runs in the namespaces of this run and removes them.

mod addresses;
mod avahi;
mod cooee;
mod doctor;
mod examples;
pub(crate) mod found;
mod hardship;
pub(crate) mod load;
mod mishaps;
mod neighbours;
mod network;
mod networks;
mod process;
mod resolved;
mod scenarios;
mod scripts;
mod stack;

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::workspace::{self, Outcome};
use network::Lab;

/// The task name under which this program starts itself as janitor.
pub(crate) const JANITOR: &str = "interop-janitor";

/// The task name under which this program starts itself to flood a link of the lab.
pub(crate) const FLOOD: &str = "interop-flood";

/// Floods the link that it is started on.
pub(crate) fn flood(arguments: &[String]) -> Outcome {
    hardship::send_flood(arguments)
}

/// So many scenarios at a time if nothing is said: most of the time is waiting, but each starts programs.
const LANES: usize = 4;

/// What the command line asked for.
struct Options {
    only: Vec<String>,
    list: bool,
    require_all: bool,
    lanes: usize,
    cooee: Option<PathBuf>,
    /// The long form of scenarios that have one.
    thorough: bool,
}

/// One row of the table: a name, the programs it needs, and what must be true.
struct Scenario {
    name: &'static str,
    needs: &'static [&'static str],
    hosts: &'static [&'static str],
    run: fn(&Lab) -> Outcome<String>,
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let options = Options::parse(arguments)?;
    let groups = [
        scenarios::ALL,
        neighbours::ALL,
        resolved::ALL,
        networks::ALL,
        addresses::ALL,
        hardship::ALL,
        mishaps::ALL,
        doctor::ALL,
        scripts::ALL,
        examples::ALL,
    ];
    let alone = [scenarios::ALONE, hardship::ALONE];
    let chosen = |groups: &[&'static [Scenario]]| -> Vec<&'static Scenario> {
        let all = groups.iter().copied().flatten();
        all.filter(|scenario| options.wants(scenario.name))
            .collect()
    };
    let (beside, alone) = (chosen(&groups), chosen(&alone));
    if options.list {
        for scenario in beside.iter().chain(&alone) {
            println!("{}", scenario.name);
        }
        return Ok(());
    }
    if beside.is_empty() && alone.is_empty() {
        return Err("no scenario has such a name; `cargo xtask interop --list` names them".into());
    }
    if let Some(why) = cannot_run_here() {
        return if options.require_all {
            Err(why)
        } else {
            println!("interop: skipped: {why}");
            Ok(())
        };
    }
    let binary = match &options.cooee {
        Some(path) => path
            .canonicalize()
            .map_err(|error| format!("{}: {error}", path.display()))?,
        None => workspace::build_release(&["--package", "cooee-cli"])?,
    };
    if examples::ALL
        .iter()
        .any(|scenario| options.wants(scenario.name))
    {
        examples::build()?;
    }
    let run = Run::new(binary, options.thorough)?;
    let _janitor = Janitor::start(&run)?;
    println!("{:<44} {:<8} {:>7}", "scenario", "result", "time");
    let mut tally = Tally::default();
    run_all(&run, &beside, 0, options.lanes, &mut tally);
    run_all(&run, &alone, beside.len(), 1, &mut tally);
    let Tally { failed, skipped } = tally;
    println!(
        "interop: {} passed, {failed} failed, {skipped} skipped",
        beside.len() + alone.len() - failed - skipped
    );
    if failed > 0 || (options.require_all && skipped > 0) {
        return Err(format!(
            "{failed} failed, {skipped} skipped; logs and captures are in {}",
            run.kept.display()
        ));
    }
    Ok(())
}

/// What all labs of one run share.
struct Run {
    /// `cooee-PID`: every namespace of this run begins so.
    prefix: String,
    /// Short-lived files; short, because socket addresses have at most 107 bytes.
    folder: PathBuf,
    /// Where the log and capture of a failed scenario are kept.
    kept: PathBuf,
    binary: PathBuf,
    thorough: bool,
}

impl Run {
    fn new(binary: PathBuf, thorough: bool) -> Outcome<Self> {
        let prefix = format!("cooee-{}", std::process::id());
        let folder = std::env::temp_dir().join(&prefix);
        let kept = workspace::root().join("target/interop");
        // In the folder of temporary files everybody may read it, also the user without privileges.
        let place = folder.join("cooee");
        // What an earlier run kept would be mistaken for what this one did.
        let _ = std::fs::remove_dir_all(&kept);
        std::fs::create_dir_all(&kept).map_err(|error| format!("{}: {error}", kept.display()))?;
        // Not one that is there already: this runs as root, and the name can be guessed.
        std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        std::fs::copy(binary, &place).map_err(|error| format!("{}: {error}", place.display()))?;
        Ok(Self {
            prefix,
            folder,
            kept,
            binary: place,
            thorough,
        })
    }
}

/// How a scenario ended.
enum Ended {
    Passed(String),
    Failed(String),
    /// A program is missing.
    Skipped(String),
}

/// How many did not pass.
#[derive(Default)]
struct Tally {
    failed: usize,
    skipped: usize,
}

impl Tally {
    /// Prints a row of the table and counts it.
    fn add(&mut self, scenario: &Scenario, ended: &Ended, took: Duration) {
        let (result, text) = match ended {
            Ended::Passed(text) => ("ok", text),
            Ended::Failed(text) => {
                self.failed += 1;
                ("FAILED", text)
            }
            Ended::Skipped(text) => {
                self.skipped += 1;
                ("skipped", text)
            }
        };
        let seconds = took.as_secs_f64();
        println!("{:<44} {result:<8} {seconds:>5.1} s  {text}", scenario.name);
    }
}

/// Runs scenarios, so many at a time, and prints their rows in order. The first has the number `first`.
fn run_all(run: &Run, chosen: &[&Scenario], first: usize, lanes: usize, tally: &mut Tally) {
    let queue = Mutex::new(chosen.iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (sender, results) = channel();
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            let sender = sender.clone();
            scope.spawn(move || {
                while let Some((place, scenario)) = next() {
                    let started = Instant::now();
                    let ended = try_one(run, first + place, scenario);
                    // Whoever listens listens until the last has ended.
                    let _ = sender.send((place, ended, started.elapsed()));
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        for (number, scenario) in chosen.iter().enumerate() {
            while !waiting.contains_key(&number) {
                let Ok((place, ended, took)) = results.recv() else {
                    return;
                };
                waiting.insert(place, (ended, took));
            }
            if let Some((ended, took)) = waiting.remove(&number) {
                tally.add(scenario, &ended, took);
            }
        }
    });
}

fn try_one(run: &Run, number: usize, scenario: &Scenario) -> Ended {
    let is_missing = |program: &&&str| workspace::find_program(program).is_none();
    if let Some(program) = scenario.needs.iter().find(is_missing) {
        return Ended::Skipped(format!("{program} is not installed"));
    }
    let begun = Lab::new(run, number, scenario.hosts).and_then(|mut lab| {
        lab.capture()?;
        Ok(lab)
    });
    let mut lab = match begun {
        Ok(lab) => lab,
        Err(why) => return Ended::Failed(why),
    };
    match (scenario.run)(&lab) {
        Ok(text) => Ended::Passed(text),
        Err(why) => {
            let log = lab.keep(&run.kept, scenario.name);
            eprintln!("{log}\n{}: {why}", scenario.name);
            Ended::Failed(why)
        }
    }
}

/// Removes every namespace of a run once the process that made them is gone: `PREFIX FOLDER`, end of input is the sign.
pub(crate) fn clean_up(arguments: &[String]) -> Outcome {
    let [prefix, folder] = arguments else {
        return Err("wants a prefix and a folder".into());
    };
    // An error ends the wait just as well: either way nobody is at the other end any more.
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    network::remove_all(&format!("{prefix}-"));
    let folder = Path::new(folder);
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(())
}

/// The process that cleans up, and the pipe whose end tells it to.
struct Janitor(Child);

impl Janitor {
    fn start(run: &Run) -> Outcome<Self> {
        let program = std::env::current_exe()
            .map_err(|error| format!("this program has no path: {error}"))?;
        Command::new(program)
            .args([JANITOR, &run.prefix])
            .arg(&run.folder)
            .stdin(Stdio::piped())
            // Ctrl-C goes to the whole group; the janitor must outlive it.
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(|error| format!("the janitor does not start: {error}"))
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            only: Vec::new(),
            list: false,
            require_all: false,
            lanes: LANES,
            cooee: None,
            thorough: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{argument} wants a value"));
            match argument.as_str() {
                "--only" => options.only.push(value()?.clone()),
                "--cooee" => options.cooee = Some(PathBuf::from(value()?)),
                "--lanes" => {
                    options.lanes = value()?
                        .parse()
                        .ok()
                        .filter(|lanes| (1..=16).contains(lanes))
                        .ok_or("--lanes wants a number from 1 to 16")?;
                }
                "--list" => options.list = true,
                "--thorough" => options.thorough = true,
                "--require-all" => options.require_all = true,
                _ => {
                    return Err(format!(
                        "no option '{argument}'; there are --only --list --lanes --require-all --thorough --cooee"
                    ));
                }
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text))
    }
}

/// Why there can be no lab at all on this machine.
pub(crate) fn cannot_run_here() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("network namespaces need Linux".into());
    }
    if let Some(program) = ["ip", "unshare", "sh"]
        .iter()
        .find(|program| workspace::find_program(program).is_none())
    {
        return Some(format!(
            "{program} is not installed (Debian: iproute2, util-linux)"
        ));
    }
    match workspace::output(Command::new("id").arg("-u")) {
        Ok(user) if user.trim() == "0" => network::cannot_be_made(),
        _ => Some(
            "network namespaces need root: `sudo -E env PATH=\"$PATH\" cargo xtask interop`".into(),
        ),
    }
}
