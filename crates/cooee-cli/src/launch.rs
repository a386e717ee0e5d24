//! Starts the user's browser, or what else opens a thing on this system.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// What opens files and addresses here.
#[cfg(target_os = "macos")]
const USUAL: &[&str] = &["open"];
#[cfg(windows)]
const USUAL: &[&str] = &["explorer"];
#[cfg(not(any(target_os = "macos", windows)))]
const USUAL: &[&str] = &["xdg-open", "sensible-browser"];

/// Has a file or an address opened: by `BROWSER`, or as usual here. What is opened can be read by every user of this machine.
///
/// # Errors
///
/// One sentence, if no program can be started.
pub(crate) fn launch(what: &OsStr) -> Result<(), String> {
    let by_environment = std::env::var("BROWSER").unwrap_or_default();
    let wished = by_environment
        .split(':')
        .filter(|name| !name.trim().is_empty());
    for name in wished.chain(USUAL.iter().copied()) {
        let Some(mut command) = command(name, what) else {
            continue;
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Ok(mut child) = command.spawn() {
            // It may stay as long as the browser does; somebody has to take note of its end.
            std::thread::spawn(move || child.wait());
            return Ok(());
        }
    }
    Err("no browser could be started; open the address yourself".into())
}

/// The words of `BROWSER` may say where the argument goes, as `%s`; else it comes last.
fn command(name: &str, what: &OsStr) -> Option<Command> {
    let mut words = name.split_whitespace();
    let mut command = Command::new(words.next()?);
    let mut is_placed = false;
    for word in words {
        is_placed |= word == "%s";
        match word {
            "%s" => command.arg(what),
            word => command.arg(word),
        };
    }
    if !is_placed {
        command.arg(what);
    }
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_stands_where_it_is_wanted() {
        let words = |name: &str| {
            let command = command(name, OsStr::new("a b.html")).unwrap();
            let words = command
                .get_args()
                .map(|word| word.to_str().unwrap().to_owned());
            words.collect::<Vec<_>>()
        };
        assert_eq!(words("firefox"), ["a b.html"]);
        assert_eq!(words("chromium --new-window"), ["--new-window", "a b.html"]);
        assert_eq!(words("run %s now"), ["a b.html", "now"]);
        assert!(command("  ", OsStr::new("a")).is_none());
    }
}
