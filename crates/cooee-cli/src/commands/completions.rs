//! `cooee completions`: what a shell may put in for half a word.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::{self, Args};
use crate::failure::{Failure, Outcome};
use crate::output::{Output, Stop};
use crate::paint::ColorChoice;
use crate::types;

/// Runs the command. Nothing is asked of the network, now or when the script runs.
///
/// # Errors
///
/// Trouble with the output.
pub(crate) fn run(args: &args::Completions) -> Result<Outcome, Failure> {
    let script = script(args.shell);
    let told = Output::new(ColorChoice::Never, true).line(script.trim_end());
    told.or_else(Stop::into_result).map(|()| Outcome::Done)
}

fn script(shell: Shell) -> String {
    let mut command = Args::command();
    for (name, argument) in TYPES {
        command = command.mut_subcommand(name, |one: Command| {
            one.mut_arg(argument, |argument| {
                argument.value_parser(PossibleValuesParser::new(known()))
            })
        });
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "cooee", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Fish {
        // The generator knows options and commands there, but no other words.
        for known in known() {
            let title = known
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            script += &format!(
                "complete -c cooee -n '__fish_seen_subcommand_from browse resolve publish' -f -a '{}' -d '{title}'\n",
                known.get_name()
            );
        }
    }
    script
}

/// The arguments that are service types.
const TYPES: [(&str, &str); 3] = [
    ("browse", "types"),
    ("resolve", "kind"),
    ("publish", "kind"),
];

/// Bare words where they mean one type only; the title says which.
fn known() -> Vec<PossibleValue> {
    let known = types::all().iter();
    known
        .map(|known| {
            let is_one = types::by_word(known.word()).count() == 1;
            PossibleValue::new(if is_one { known.word() } else { known.wire }).help(known.title)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_gets_commands_options_and_types() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for word in ["browse", "no-resolve", "json"] {
                assert!(script.contains(word), "{shell} lacks {word}");
            }
        }
        assert!(script(Shell::Bash).contains(" http "));
        assert!(script(Shell::Zsh).contains("Web Site"));
        assert!(script(Shell::Fish).contains("Web Site"));
    }
}
