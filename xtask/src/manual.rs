//! The pages of the manual, as packages have them.

use std::path::PathBuf;
use std::process::Command;

use crate::workspace::{self, Outcome};

/// Lets the command write its own pages.
pub(crate) fn write(arguments: &[String]) -> Outcome {
    let folder = match arguments {
        [] => workspace::root().join("target/man"),
        [folder] => PathBuf::from(folder),
        _ => return Err("wants one folder, or none".into()),
    };
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "run",
        "--quiet",
        "--package",
        "cooee-cli",
        "--",
        "man",
        "--write",
    ]);
    workspace::run(command.arg(&folder))?;
    println!("man: the pages are in {}", folder.display());
    Ok(())
}
