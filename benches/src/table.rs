//! The table at the end of a run, from what criterion measured.

use std::path::{Path, PathBuf};

/// Prints the fastest sample of a group's functions, in nanoseconds, and the ratio of each to the first one.
///
/// The fastest of a hundred samples is the one that other work on the machine disturbed least; a mean would compare
/// what else was going on. Functions are named as for criterion; one that was not run is left out.
pub fn print(title: &str, group: &str, functions: &[&str], loads: &[&str]) {
    println!("\n{title}\n");
    println!("| | {} |", loads.join(" | "));
    println!("|---|{}", "--:|".repeat(loads.len()));
    let first = functions.first().copied().unwrap_or_default();
    let floors: Vec<_> = loads
        .iter()
        .map(|load| fastest(group, first, load))
        .collect();
    // Ours stands first, the floor last.
    for function in functions.iter().skip(1).chain(functions.first()) {
        let cells = loads.iter().zip(&floors).map(|(load, floor)| {
            match (fastest(group, function, load), floor) {
                (Some(time), Some(floor)) => format!("{time:.0} ns, {:.2} ×", time / floor),
                _ => "-".to_owned(),
            }
        });
        println!("| {function} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

/// The least time per iteration among criterion's samples.
fn fastest(group: &str, function: &str, load: &str) -> Option<f64> {
    let text = std::fs::read_to_string(sample(group, function, load)).ok()?;
    let (iterations, times) = (
        numbers(&text, "\"iters\":[")?,
        numbers(&text, "\"times\":[")?,
    );
    times
        .iter()
        .zip(&iterations)
        .map(|(time, iterations)| time / iterations)
        .min_by(f64::total_cmp)
}

fn sample(group: &str, function: &str, load: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    target
        .join("criterion")
        .join(group)
        .join(function)
        .join(load)
        .join("new/sample.json")
}

fn numbers(text: &str, key: &str) -> Option<Vec<f64>> {
    let (_, rest) = text.split_once(key)?;
    let (list, _) = rest.split_once(']')?;
    list.split(',')
        .map(|number| number.trim().parse().ok())
        .collect()
}
