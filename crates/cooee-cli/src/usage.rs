//! Wrong words: one line each, without clap's banner.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::args::Args;
use crate::escape;
use crate::failure::Failure;
use crate::nearest::nearest;

/// What the words of the command line come to.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// Something to do.
    Args(Box<Args>),
    /// Help or version was asked for: this text, on stdout.
    Told(clap::Error),
}

/// Reads the words.
///
/// # Errors
///
/// One line: what is wrong, what is allowed, the nearest right word.
pub(crate) fn parse(
    words: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<Parsed, Failure> {
    use clap::Parser;
    match Args::try_parse_from(words) {
        Ok(args) => Ok(Parsed::Args(Box::new(args))),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            Ok(Parsed::Told(error))
        }
        Err(error) => Err(Failure::usage(one_line(&error))),
    }
}

fn one_line(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    let argument = bare(&argument);
    match error.kind() {
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(source) => source.to_string(),
            None => format!(
                "'{}' is no value for {argument}",
                escape::text(&text(ContextKind::InvalidValue))
            ),
        },
        ErrorKind::InvalidSubcommand => {
            let word = text(ContextKind::InvalidSubcommand);
            let names: Vec<String> = Args::command()
                .get_subcommands()
                .filter(|one| !one.is_hide_set())
                .map(|one| one.get_name().to_owned())
                .collect();
            format!(
                "'{}' is not a command: there are {}{}",
                escape::text(&word),
                names.join(", "),
                did_you_mean(nearest(&word, names.iter().map(String::as_str)))
            )
        }
        ErrorKind::UnknownArgument => unknown(error, &argument),
        ErrorKind::InvalidValue => {
            let value = text(ContextKind::InvalidValue);
            let valid: Vec<String> = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(valid)) => valid.clone(),
                _ => Vec::new(),
            };
            if value.is_empty() {
                let allowed = if valid.is_empty() {
                    String::new()
                } else {
                    format!(": {}", list(&valid, "or"))
                };
                format!("{argument} needs a value{allowed}")
            } else {
                format!(
                    "'{}' is no value for {argument}: it may be {}{}",
                    escape::text(&value),
                    list(&valid, "or"),
                    did_you_mean(nearest(&value, valid.iter().map(String::as_str)))
                )
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => {
                    missing.iter().map(|one| bare(one)).collect::<Vec<_>>()
                }
                _ => Vec::new(),
            };
            format!(
                "{} {} missing{}",
                list(&missing, "and"),
                if missing.len() == 1 { "is" } else { "are" },
                usage(error, &missing)
            )
        }
        ErrorKind::ArgumentConflict => {
            let prior = text(ContextKind::PriorArg);
            let prior = bare(prior.split(" <").next().unwrap_or_default());
            if prior.is_empty() || prior == bare(&argument) {
                format!("{} may be given only once", bare(&argument))
            } else {
                format!("{} and {prior} exclude each other", bare(&argument))
            }
        }
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            format!(
                "{} has a wrong number of values{}",
                bare(&argument),
                usage(error, &[])
            )
        }
        ErrorKind::InvalidUtf8 => {
            "an argument is not UTF-8; write other bytes of a name as \\DDD".into()
        }
        ErrorKind::NoEquals => format!("{argument} needs '=' before its value"),
        _ => {
            // Clap's own words, but only the first line.
            let rendered = error.to_string();
            let first = rendered.lines().next().unwrap_or_default();
            escape::escaped_text(first.strip_prefix("error: ").unwrap_or(first))
        }
    }
}

fn unknown(error: &clap::Error, argument: &str) -> String {
    let command = Args::command();
    let used = used_command(&command, error);
    if !argument.starts_with('-') {
        return match used {
            Some(used) => format!(
                "'{}' is one word too many{}",
                escape::text(argument),
                usage_of(used, &[])
            ),
            None => format!("'{}' is one word too many", escape::text(argument)),
        };
    }
    let options: Vec<String> = [Some(&command), used]
        .into_iter()
        .flatten()
        .flat_map(Command::get_arguments)
        .filter(|option| !option.is_hide_set())
        .filter_map(|option| option.get_long().map(|long| format!("--{long}")))
        .chain(["--help".to_owned()])
        .collect();
    let typed = argument.split('=').next().unwrap_or_default();
    if used.is_none()
        && let Some(owner) = command.get_subcommands().find(|one| has_option(one, typed))
    {
        return format!(
            "'{}' belongs behind its command: cooee {} {typed}",
            escape::text(argument),
            owner.get_name()
        );
    }
    let near = typed
        .starts_with("--")
        .then(|| nearest(typed, options.iter().map(String::as_str)))
        .flatten();
    let whose = used
        .map(|used| format!(" of '{}'", used.get_name()))
        .unwrap_or_default();
    let help = used.map_or_else(
        || "cooee -h".to_owned(),
        |used| format!("cooee {} -h", used.get_name()),
    );
    let near = match near {
        Some(near) => did_you_mean(Some(near)),
        None => format!("; '{help}' lists them"),
    };
    format!("'{}' is not an option{whose}{near}", escape::text(argument))
}

fn has_option(command: &Command, typed: &str) -> bool {
    command.get_arguments().any(|option| {
        let long = option
            .get_long()
            .is_some_and(|long| typed.strip_prefix("--") == Some(long));
        let short = option.get_short().is_some_and(|short| {
            typed
                .strip_prefix('-')
                .is_some_and(|letters| letters.chars().eq([short]))
        });
        long || short
    })
}

/// The subcommand that the words named, which clap tells only in its usage line.
fn used_command<'a>(command: &'a Command, error: &clap::Error) -> Option<&'a Command> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return None;
    };
    let usage = usage.to_string();
    usage
        .split_whitespace()
        .find_map(|word| command.find_subcommand(word))
}

fn usage(error: &clap::Error, missing: &[String]) -> String {
    let command = Args::command();
    used_command(&command, error)
        .map(|used| usage_of(used, missing))
        .unwrap_or_default()
}

/// The words of a command in their order; up to the last one that is missing, none can be left out.
fn usage_of(command: &Command, missing: &[String]) -> String {
    let words: Vec<(String, &clap::Arg)> = command
        .get_positionals()
        .filter(|word| !word.is_hide_set())
        .map(|word| {
            let names = word.get_value_names().and_then(<[_]>::first);
            let name = names.map(ToString::to_string).unwrap_or_default();
            (name, word)
        })
        .collect();
    let needed = words.iter().rposition(|(name, _)| missing.contains(name));
    let words: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(place, (name, word))| {
            let repeated = matches!(word.get_action(), clap::ArgAction::Append);
            let is_needed = needed.is_some_and(|needed| place <= needed);
            match (is_needed || word.is_required_set(), repeated) {
                (true, _) => name.clone(),
                (false, true) if word.is_last_set() => format!("[-- {name}…]"),
                (false, true) => format!("[{name}…]"),
                (false, false) => format!("[{name}]"),
            }
        })
        .collect();
    format!(": cooee {} {}", command.get_name(), words.join(" "))
        .trim_end()
        .to_owned()
}

fn bare(argument: &str) -> String {
    let argument = if argument.starts_with('-') {
        argument.split(" <").next().unwrap_or_default()
    } else {
        argument
    };
    argument
        .trim_start_matches(['<', '['])
        .trim_end_matches(['>', ']', '.'])
        .to_owned()
}

fn list(words: &[String], last_by: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} {last_by} {last}", front.join(", ")),
    }
}

fn did_you_mean(word: Option<&str>) -> String {
    word.map(|word| format!("; did you mean '{word}'?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_word_gets_one_line() {
        let lines: Vec<String> = [
            "brwose",
            "frobnicate",
            "browse --jsno",
            "browse --frob",
            "browse -x",
            "--frob",
            "--no-resolve browse",
            "-t",
            "browse --color=blue",
            "browse --color",
            "browse -w",
            "browse -w soon",
            "browse -n 0",
            "browse -4 -6",
            "browse -a http",
            "browse _htp._tpc",
            "browse -d example.org",
            "browse --over v5",
            "resolve",
            "resolve a http b",
            "resolve a http --print uri",
            "resolve a http --print url --watch",
            "publish",
            "publish Name",
            "publish Name http",
            "publish Name http 99999",
            "publish Name http 0",
            "publish Name http eighty",
            "publish Name _http._tcp 80 --priority x",
            "publish Name http 80 --host",
            "publish Name http 80 --address 192.0.2.50",
            "publish Name http 80 --host x --address y",
            "demo now",
            "browse -t -t",
            "browse \u{1b}[31m",
            "\u{1b}[31m",
            "browse --\u{1b}[31m",
        ]
        .into_iter()
        .map(|line| {
            let words = ["cooee"]
                .into_iter()
                .chain(line.split(' '))
                .map(std::ffi::OsString::from);
            match parse(words) {
                Err(failure) => {
                    assert_eq!(failure.outcome, crate::failure::Outcome::Usage);
                    assert!(
                        !failure.text.chars().any(escape::is_hostile),
                        "{}",
                        failure.text
                    );
                    format!("{}\n    cooee: {}", escape::text(line), failure.text)
                }
                Ok(_) => panic!("{line} was understood"),
            }
        })
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_words_are_typed_a_refusal_is_one_harmless_line(
            command in "(browse|resolve|publish|host|query|types|demo|)",
            words in proptest::collection::vec(".{0,12}|-{1,2}[a-z]{1,8}(=.{0,4})?|_[a-z]{1,6}._(tcp|udp|tpc)", 0..5),
        ) {
            let words = ["cooee".to_owned(), command].into_iter().chain(words).map(std::ffi::OsString::from);
            if let Err(failure) = parse(words) {
                proptest::prop_assert!(!failure.text.is_empty());
                proptest::prop_assert!(!failure.text.chars().any(escape::is_hostile), "{:?}", failure.text);
            }
        }
    }
}
