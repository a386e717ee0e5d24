//! What CI asks beyond `cargo test`: each step has a name, all are run, and the sum stands at the end.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::workspace::{self, Outcome, find_program, output, root};
use crate::{compliance, conformance, corpus, interop, page, tidy};

/// Design §8: at most so many crates in the default facade on Linux, ours included.
const FACADE_CRATES: usize = 40;

/// How long each fuzz target runs, in seconds; what it is built from takes longer.
const FUZZ_SECONDS: u32 = 10;

/// What is linted beside the default features: without them, and with all.
const FEATURES: &[&[&str]] = &[
    &[
        "--package",
        "cooee-wire",
        "--no-default-features",
        "--lib",
        "--example",
        "no_std",
    ],
    &[
        "--package",
        "cooee-wire",
        "--no-default-features",
        "--features",
        "alloc",
    ],
    &["--package", "cooee-mdns", "--no-default-features"],
    &["--package", "cooee-sd", "--no-default-features"],
    &["--package", "cooee", "--no-default-features"],
    &["--package", "cooee-cli", "--no-default-features"],
    &[
        "--package",
        "cooee-cli",
        "--no-default-features",
        "--features",
        "tui",
    ],
    &[
        "--package",
        "cooee-cli",
        "--no-default-features",
        "--features",
        "ui",
    ],
    &["--workspace", "--all-targets", "--all-features"],
];

/// The crates with features that are off by default and have tests of their own.
const TESTED_WITH_ALL_FEATURES: &[&str] = &[
    "--package",
    "cooee",
    "--package",
    "cooee-sd",
    "--package",
    "cooee-wire",
];

type Step = (&'static str, fn(&Options) -> Outcome<Done>);

/// In the order of their cost.
const STEPS: &[Step] = &[
    ("tidy", |_| tidy::run().map(done)),
    ("compliance", |_| {
        compliance::run(&["--check".into()]).map(done)
    }),
    ("format", |_| format().map(done)),
    ("dependencies", |_| dependencies().map(done)),
    ("deny", |_| deny()),
    ("lints", |_| lints().map(done)),
    ("features", |_| features().map(done)),
    ("no_std", |_| no_std().map(done)),
    ("docs", |_| docs().map(done)),
    ("tests of xtask", |_| {
        workspace::run(cargo().args(["test", "--quiet", "--package", "xtask"])).map(done)
    }),
    ("fuzz", |_| fuzz()),
    ("demo", |_| demo().map(done)),
    ("page", |_| in_the_browser()),
    ("interop", in_the_lab),
    ("conformance", conforming),
];

/// How a step that did not fail ended.
enum Done {
    Passed,
    /// Something is missing on this machine.
    Skipped(String),
}

fn done((): ()) -> Done {
    Done::Passed
}

struct Options {
    require_all: bool,
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let options = match arguments {
        [] => Options { require_all: false },
        [only] if only == "--require-all" => Options { require_all: true },
        _ => return Err("the only option is --require-all".into()),
    };
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = step(&options);
        let seconds = started.elapsed().as_secs_f64();
        let result = match outcome {
            Ok(Done::Passed) => "ok".to_owned(),
            Ok(Done::Skipped(why)) if !options.require_all => format!("skipped: {why}"),
            Ok(Done::Skipped(why)) | Err(why) => {
                failed.push(*name);
                format!("FAILED: {why}")
            }
        };
        println!("{result}");
        rows.push(format!("{name:<26} {seconds:>6.1} s  {result}"));
    }
    println!("\n{}", rows.join("\n"));
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

fn cargo() -> Command {
    Command::new("cargo")
}

fn format() -> Outcome {
    workspace::run(cargo().args(["fmt", "--all", "--check"]))?;
    for manifest in ["fuzz/Cargo.toml", "xtask/no_std/Cargo.toml"]
        .iter()
        .filter(|file| root().join(file).exists())
    {
        workspace::run(cargo().args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(())
}

fn lints() -> Outcome {
    workspace::run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn docs() -> Outcome {
    workspace::run(
        cargo()
            .args(["doc", "--workspace", "--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

fn features() -> Outcome {
    for arguments in FEATURES {
        let mut command = cargo();
        command.arg("clippy").args(*arguments);
        workspace::run(command.args(["--", "--deny", "warnings"]))?;
    }
    let mut command = cargo();
    command.args(["test", "--quiet", "--all-features"]);
    workspace::run(command.args(TESTED_WITH_ALL_FEATURES))
}

/// Links them where there is no standard library: `xtask/no_std` says why checking is not enough.
pub(crate) fn no_std() -> Outcome {
    let folder = root().join("xtask/no_std");
    // The same versions as the workspace has; cargo drops the entries that are not needed.
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let manifest = folder.join("Cargo.toml");
    for features in ["", "alloc"] {
        let mut command = cargo();
        command
            .args(["build", "--quiet", "--features", features])
            .arg("--manifest-path")
            .arg(&manifest);
        workspace::run(
            command
                .arg("--target-dir")
                .arg(root().join("target/no_std")),
        )?;
    }
    Ok(())
}

fn dependencies() -> Outcome {
    let arguments = [
        "tree",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--no-dedupe",
        "--package",
        "cooee",
    ];
    let listed = output(
        cargo()
            .args(arguments)
            .args(["--target", "x86_64-unknown-linux-gnu"]),
    )?;
    let mut crates: Vec<&str> = listed.lines().filter(|line| !line.is_empty()).collect();
    crates.sort_unstable();
    crates.dedup();
    println!(
        "cooee is {} crates, of {FACADE_CRATES} allowed",
        crates.len()
    );
    if crates.len() > FACADE_CRATES {
        return Err(format!("too many crates:\n{}", crates.join("\n")));
    }
    Ok(())
}

fn deny() -> Outcome<Done> {
    if !has_cargo_tool("cargo-deny") {
        return Ok(Done::Skipped(
            "cargo-deny is not installed (`cargo install cargo-deny --locked`)".into(),
        ));
    }
    // Advisories are left to the maintainers: their data base is fetched from a place that CI may not reach.
    workspace::run(cargo().args(["deny", "check", "bans", "licenses", "sources"])).map(done)
}

fn fuzz() -> Outcome<Done> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| {
            Some(
                Path::new(file.file_name()?)
                    .file_stem()?
                    .to_str()?
                    .to_owned(),
            )
        })
        .collect();
    targets.sort();
    if !has_cargo_tool("cargo-fuzz") {
        return Ok(Done::Skipped(
            "cargo-fuzz is not installed (`cargo install cargo-fuzz --locked`)".into(),
        ));
    }
    if !corpus::write_if_there()? {
        println!("no corpus beside the workspace: the targets start from what is committed");
    }
    let limit = format!("-max_total_time={FUZZ_SECONDS}");
    for target in &targets {
        workspace::run(cargo().args([
            "+nightly",
            "fuzz",
            "run",
            target,
            "--",
            &limit,
            "-verbosity=0",
            "-seed=1",
        ]))?;
    }
    println!("{} fuzz targets, {FUZZ_SECONDS} s each", targets.len());
    Ok(Done::Passed)
}

fn has_cargo_tool(name: &str) -> bool {
    let home = std::env::var_os("CARGO_HOME")
        .map(Into::into)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    find_program(name).is_some()
        || home.is_some_and(|home: std::path::PathBuf| home.join("bin").join(name).is_file())
}

fn in_the_lab(options: &Options) -> Outcome<Done> {
    if let Some(why) = interop::cannot_run_here() {
        return Ok(Done::Skipped(why));
    }
    let arguments: &[&str] = if options.require_all {
        &["--require-all"]
    } else {
        &[]
    };
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    interop::run(&arguments).map(done)
}

fn in_the_browser() -> Outcome<Done> {
    match page::cannot_run_here() {
        Some(why) => Ok(Done::Skipped(why)),
        None => page::run(&[]).map(done),
    }
}

/// Our own stack under the eyes of the conformance tester.
fn conforming(options: &Options) -> Outcome<Done> {
    match interop::cannot_run_here() {
        Some(why) if !options.require_all => Ok(Done::Skipped(why)),
        _ => conformance::run(&["--quick".into()]).map(done),
    }
}

/// The first thing that a newcomer does.
fn demo() -> Outcome {
    workspace::run(cargo().args(["run", "--quiet", "--release", "--", "demo"]))
}
