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
    let mut script = with_interfaces(shell, &String::from_utf8_lossy(&script));
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

/// Puts the interfaces of the machine, as they are when the script runs, where the generator knows nothing.
fn with_interfaces(shell: Shell, script: &str) -> String {
    let is_option = |line: &str| {
        let options = ["-i)", "--interface)", "-I)", "--exclude-interface)"];
        options.contains(&line.trim())
    };
    let mut is_next = false;
    let mut out = String::with_capacity(script.len());
    for line in script.lines() {
        let is_here = std::mem::replace(&mut is_next, shell == Shell::Bash && is_option(line));
        let line = match shell {
            Shell::Bash if is_here => line.replace(
                "compgen -f \"${cur}\"",
                "compgen -W \"$(command ls /sys/class/net 2>/dev/null)\" -- \"${cur}\"",
            ),
            Shell::Zsh
                if line.contains("interface")
                    || line.starts_with("'*-I+")
                    || line.starts_with("'*-i+") =>
            {
                line.replace(
                    ":NAME|INDEX|GLOB:_default",
                    ":NAME|INDEX|GLOB:_net_interfaces",
                )
                .replace(":GLOB:_default", ":GLOB:_net_interfaces")
            }
            Shell::Fish
                if line.contains(" -l interface ") || line.contains(" -l exclude-interface ") =>
            {
                format!("{line} -f -a '(__fish_print_interfaces)'")
            }
            _ => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
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

    #[test]
    fn interfaces_are_those_of_the_moment() {
        let count = |shell, part: &str| script(shell).matches(part).count();
        let commands = Args::command().get_subcommands().count();
        // Each command has two such options in two spellings; the whole has them too.
        for (shell, part, least) in [
            (Shell::Bash, "/sys/class/net", 4 * commands),
            (Shell::Zsh, "_net_interfaces", 4 * commands),
            (Shell::Fish, "__fish_print_interfaces", 2 * commands),
        ] {
            let found = count(shell, part);
            assert!(found >= least, "{shell}: {found} of {least}");
        }
    }
}
