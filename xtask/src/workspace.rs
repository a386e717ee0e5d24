//! The tree that the tasks work on, and the commands they run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a task hands back: nothing more, or one sentence that says what is wrong.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// Every file that is or could be committed, relative to the root, sorted.
pub(crate) fn files() -> Outcome<Vec<PathBuf>> {
    let listed = output(Command::new("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files: Vec<PathBuf> = listed
        .lines()
        .map(PathBuf::from)
        .filter(|file| root().join(file).is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// The text of a file below the root.
pub(crate) fn read(file: &Path) -> Outcome<String> {
    std::fs::read_to_string(root().join(file))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// Runs a command in the root, with its output passed through.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{} does not start: {error}", say(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {status}", say(command)))
    }
}

/// Runs a command in the root and returns what it wrote.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let done = command
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} does not start: {error}", say(command)))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        let why = String::from_utf8_lossy(&done.stderr);
        Err(format!(
            "`{}` ended with {}: {}",
            say(command),
            done.status,
            why.trim()
        ))
    }
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds what these words of `cargo build` mean with optimisation, and gives the path of the program.
pub(crate) fn build_release(what: &[&str]) -> Outcome<PathBuf> {
    let options = [
        "build",
        "--release",
        "--message-format",
        "json-render-diagnostics",
    ];
    let told = output(cargo().args(options).args(what).stderr(Stdio::inherit()))?;
    told.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .ok_or_else(|| format!("cargo built no program: {}", what.join(" ")))
}

/// Whether `PATH`, or one of the places where daemons live, has this program.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn say(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
