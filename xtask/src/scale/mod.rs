//! Large networks in simulated time: what is sent, how long finding takes, and what it costs. Writes docs/scale.md and its plot.
//!
//! Each network is a process of its own, a program of `cooee-sim`, so that its memory can be told; two run at a time.

mod page;
mod plot;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::workspace::{self, Outcome};

/// How many networks are simulated at a time.
const AT_A_TIME: usize = 2;
/// How many runs the loss of packets is tried with.
const RUNS: usize = 200;

/// What is simulated, and with how many hosts (or runs). The longest come first.
const NETWORKS: [(&str, &[usize]); 5] = [
    ("joining", &[5000, 2000]),
    ("popular", &[10_000, 3000, 1000, 300, 100, 30, 10]),
    ("link", &[1000]),
    ("anybody", &[1000, 300, 100, 30, 10]),
    ("lossy", &[RUNS]),
];

/// What was measured in one network, by name.
type Measured = BTreeMap<String, f64>;

/// All of it, by scenario and number of hosts.
type Results = BTreeMap<(&'static str, usize), Measured>;

struct Options {
    seed: u64,
    largest: usize,
    resume: bool,
    /// Nothing is simulated: the page is made from what is there.
    page: bool,
}

/// Simulates all networks.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let options = Options::read(arguments)?;
    let program = match options.page {
        true => PathBuf::new(),
        false => build()?,
    };
    let folder = workspace::root().join("target/scale");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut wanted: Vec<(&'static str, usize)> = NETWORKS
        .iter()
        .flat_map(|(name, sizes)| sizes.iter().map(|size| (*name, *size)))
        .filter(|(_, size)| *size <= options.largest)
        .collect();
    wanted.reverse();
    let wanted = Mutex::new(wanted);
    let results = Mutex::new(Ok(Results::new()));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((name, size)) = take(&wanted) {
                    let file = folder.join(format!("{name}-{size}-{}.txt", options.seed));
                    if options.page && !file.exists() {
                        println!("{name} {size}: not measured");
                        continue;
                    }
                    let measured = measure(&program, name, size, &options, &file);
                    note(&results, (name, size), measured);
                }
            });
        }
    });
    let results = results.into_inner().map_err(|error| error.to_string())??;
    println!("all of it took {} s", start.elapsed().as_secs());
    if options.largest < usize::MAX {
        println!("{}", page::tables(&results));
        return Ok(());
    }
    page::write(&results)?;
    plot::draw(&results)
}

impl Options {
    fn read(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self {
            seed: 1,
            largest: usize::MAX,
            resume: false,
            page: false,
        };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let mut number = || -> Outcome<u64> {
                let value = rest.next().ok_or(format!("{option} wants a number"))?;
                value
                    .parse()
                    .map_err(|_| format!("{option} wants a number, not {value}"))
            };
            match option.as_str() {
                "--seed" => options.seed = number()?,
                "--largest" => options.largest = usize::try_from(number()?).unwrap_or(usize::MAX),
                "--resume" => options.resume = true,
                "--page" => options.page = true,
                _ => return Err(format!("scale has no option {option}")),
            }
        }
        Ok(options)
    }
}

fn take<T>(wanted: &Mutex<Vec<T>>) -> Option<T> {
    wanted.lock().ok()?.pop()
}

fn note(
    results: &Mutex<Outcome<Results>>,
    key: (&'static str, usize),
    measured: Outcome<Measured>,
) {
    if let Ok(mut results) = results.lock() {
        match (results.as_mut(), measured) {
            (Ok(results), Ok(measured)) => {
                results.insert(key, measured);
            }
            (Ok(_), Err(why)) => *results = Err(why),
            (Err(_), _) => {}
        }
    }
}

/// Builds the program that simulates, optimised.
fn build() -> Outcome<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--release", "--package", "cooee-sim"]);
    workspace::run(command.args(["--example", "scale"]))?;
    let metadata = workspace::output(Command::new("cargo").args([
        "metadata",
        "--format-version=1",
        "--no-deps",
    ]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let target = metadata["target_directory"].as_str().unwrap_or("target");
    Ok(PathBuf::from(target).join("release/examples/scale"))
}

fn measure(
    program: &PathBuf,
    name: &str,
    size: usize,
    options: &Options,
    file: &PathBuf,
) -> Outcome<Measured> {
    let known = fs::read_to_string(file)
        .ok()
        .filter(|_| options.resume || options.page);
    let text = match known {
        Some(text) => text,
        None => {
            let start = Instant::now();
            let (size, seed) = (size.to_string(), options.seed.to_string());
            let mut command = Command::new(program);
            // Thousands of engines take turns on gigabytes: with small pages most of the time goes into finding them. Other allocators ignore it.
            command.env("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");
            let text = workspace::output(command.args([name, &size, &seed]))?;
            println!("{name} {size}: {} s", start.elapsed().as_secs());
            fs::write(file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
            text
        }
    };
    let lines = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Ok(lines.collect())
}
