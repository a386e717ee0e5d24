//! `cooee man`: the pages of the manual, in roff.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Command, CommandFactory};
use clap_mangen::Man;

use crate::args;
use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::nearest::nearest;
use crate::output::{self, Output, Stop};
use crate::paint::ColorChoice;

/// Print a page of the manual.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The command that it is about; none: cooee itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write all pages into this folder instead: cooee.1, cooee-browse.1 …
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    write: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
///
/// A command that there is not, or trouble with the output.
pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let pages = pages();
    if let Some(folder) = &args.write {
        for (name, page) in &pages {
            let file = folder.join(format!("{name}.1"));
            std::fs::write(&file, page).map_err(|error| {
                let file = escape::octets(file.as_os_str().as_encoded_bytes());
                Failure::trouble(format!("{file}: {}", output::plain(&error)))
            })?;
        }
        return Ok(Outcome::Done);
    }
    let wanted = match &args.command {
        None => "cooee".to_owned(),
        Some(command) => format!("cooee-{command}"),
    };
    let page = pages.iter().find(|(name, _)| *name == wanted);
    let Some((_, page)) = page else {
        let word = args.command.as_deref().unwrap_or_default();
        let names = pages
            .iter()
            .filter_map(|(name, _)| name.strip_prefix("cooee-"));
        let near = nearest(word, names)
            .map(|near| format!("; did you mean '{near}'?"))
            .unwrap_or_else(|| "; 'cooee -h' lists them".into());
        let word = escape::text(word);
        return Err(Failure::usage(format!("'{word}' is not a command{near}")));
    };
    let told = Output::new(ColorChoice::Never, true).line(page.trim_end());
    told.or_else(Stop::into_result).map(|()| Outcome::Done)
}

/// All pages, by name.
fn pages() -> Vec<(String, String)> {
    let mut cooee = args::Args::command();
    cooee.build();
    let one = |command: &Command| {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let mut page = Vec::new();
        let man = Man::new(command.clone())
            .title(name.to_uppercase())
            .source(concat!("cooee ", env!("CARGO_PKG_VERSION")))
            .manual("cooee");
        // Writing to memory cannot fail.
        let _ = man.render(&mut page);
        (name.to_owned(), String::from_utf8_lossy(&page).into_owned())
    };
    let commands = cooee.get_subcommands().filter(|one| !one.is_hide_set());
    std::iter::once(&cooee).chain(commands).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_options_and_examples() {
        let pages = pages();
        let page = |name: &str| {
            let found = pages.iter().find(|(known, _)| known == name);
            found.unwrap_or_else(|| panic!("no page {name}")).1.as_str()
        };
        for name in [
            "browse", "resolve", "publish", "host", "query", "types", "doctor", "demo",
        ] {
            let page = page(&format!("cooee-{name}"));
            assert!(page.contains(".SH SYNOPSIS"), "{page}");
            assert!(
                page.contains(&format!("cooee {name}"))
                    || page.contains(&format!("cooee\\-{name}")),
                "{page}"
            );
        }
        assert!(
            page("cooee").contains("cooee\\-browse(1)"),
            "{}",
            page("cooee")
        );
        assert!(page("cooee-browse").contains("printers, for a script"));
        assert!(pages.iter().all(|(name, _)| name != "cooee-man"));
    }
}
