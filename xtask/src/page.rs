//! The page of `cooee ui` in a real browser, in a network namespace in which nothing else is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::workspace::{self, Outcome, find_program, root};

/// Where the test lies.
const SOURCE: &str = "crates/cooee-cli/tests/page";
/// What it needs beside it; packages are put where nothing is committed.
const FILES: &[&str] = &["package.json", "package-lock.json", "page.test.mjs"];
/// What is called Chromium.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
/// The first Node.js that the driver of the browser runs on.
const LEAST_NODE: u32 = 20;

/// A link that leads nowhere, but has addresses and multicast; its other end has none and is not used.
const NAMESPACE: &str = "set -e
ip link set lo up
ip link add eth0 type veth peer name peer0
echo 1 > /proc/sys/net/ipv6/conf/peer0/disable_ipv6
ip link set peer0 up
ip addr add 192.0.2.9/24 dev eth0
ip addr add 2001:db8::9/64 dev eth0 nodad
ip link set eth0 up
exec \"$@\"";

/// Why the page cannot be tried on this machine, if so.
pub(crate) fn cannot_run_here() -> Option<String> {
    if browser().is_none() {
        return Some("there is no chromium".into());
    }
    for program in ["npm", "ip", "unshare"] {
        if find_program(program).is_none() {
            return Some(format!("there is no {program}"));
        }
    }
    match node_version() {
        None => return Some("there is no node".into()),
        Some(version) if version < LEAST_NODE => {
            return Some(format!(
                "node is version {version}, and {LEAST_NODE} is needed"
            ));
        }
        Some(_) => {}
    }
    if namespace().is_none() {
        return Some("network namespaces are not allowed".into());
    }
    None
}

/// Runs the test; with `--screenshots` the pictures in docs/images are made anew.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let with_screenshots = match arguments {
        [] => false,
        [only] if only == "--screenshots" => true,
        _ => return Err("the only option is --screenshots".into()),
    };
    let (Some(browser), Some(mut command)) = (browser(), namespace()) else {
        return Err(cannot_run_here().unwrap_or_else(|| "it cannot run here".into()));
    };
    let (cooee, crowd) = build()?;
    let folder = root().join("target/page");
    prepare(&folder)?;
    command
        .args(["sh", "-c", NAMESPACE, "sh", "node", "--test-reporter=spec"])
        .arg(folder.join("page.test.mjs"))
        .env("COOEE", cooee)
        .env("CROWD", crowd)
        .env("CHROMIUM", browser)
        .env("LINK", "eth0")
        .env_remove("SCREENSHOTS");
    if with_screenshots {
        command.env("SCREENSHOTS", root().join("docs/images"));
    }
    workspace::run(&mut command)
}

/// Builds the command and the crowd as `cargo test` does, so that nothing is compiled twice.
fn build() -> Outcome<(PathBuf, PathBuf)> {
    let what = [
        "--package",
        "cooee-cli",
        "--bin",
        "cooee",
        "--example",
        "crowd",
    ];
    let form = ["--message-format", "json-render-diagnostics"];
    let told = workspace::output(
        workspace::cargo()
            .arg("build")
            .args(what)
            .args(form)
            .stderr(Stdio::inherit()),
    )?;
    let built = |name: &str| {
        told.lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == name)
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .ok_or_else(|| format!("cargo built no {name}"))
    };
    Ok((built("cooee")?, built("crowd")?))
}

/// Lays out the test with the packages that its lock file names.
fn prepare(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for file in FILES {
        std::fs::copy(root().join(SOURCE).join(file), folder.join(file))
            .map_err(|error| format!("{file}: {error}"))?;
    }
    let options = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    workspace::run(
        Command::new("npm")
            .args(options)
            .arg("--prefix")
            .arg(folder),
    )
}

fn browser() -> Option<PathBuf> {
    BROWSERS.iter().find_map(|name| find_program(name))
}

fn node_version() -> Option<u32> {
    let told = workspace::output(Command::new("node").arg("--version")).ok()?;
    told.trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// What runs a command in a namespace of its own: as root, or as what is root there only.
fn namespace() -> Option<Command> {
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    ways.into_iter().find_map(|way| {
        let unshare = || {
            let mut unshare = Command::new("unshare");
            unshare.args(way);
            unshare
        };
        let tried = workspace::output(unshare().args(["ip", "link", "set", "lo", "up"]));
        tried.is_ok().then(unshare)
    })
}
