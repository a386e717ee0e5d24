//! Long runs in the simulated network. They are programs of `cooee-sim`, so that building the tasks does not mean building the engine.

use std::process::Command;

use crate::workspace::{self, Outcome};

/// Stories one after another, until the time is up or a rule is broken.
pub(crate) fn soak(arguments: &[String]) -> Outcome {
    let (mut minutes, mut seed) = ("1".to_owned(), "0".to_owned());
    let mut rest = arguments.iter();
    while let Some(option) = rest.next() {
        let value = rest.next().ok_or(format!("{option} wants a number"))?;
        value
            .parse::<f64>()
            .map_err(|_| format!("{option} wants a number, not {value}"))?;
        match option.as_str() {
            "--minutes" => minutes.clone_from(value),
            "--seed" => seed.clone_from(value),
            _ => return Err(format!("soak has no option {option}")),
        }
    }
    example("soak", &[minutes, seed])
}

/// Builds and runs an example of the simulator, optimised.
fn example(name: &str, arguments: &[String]) -> Outcome {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--package", "cooee-sim"]);
    command.args(["--example", name, "--"]).args(arguments);
    workspace::run(&mut command)
}
