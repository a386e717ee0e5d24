//! The table at the end of a run, from what criterion measured.

use std::path::Path;

/// Prints the mean times of a group's functions, in nanoseconds, and the ratio of each to the first one.
///
/// Functions are named as for criterion; one that was not run is left out.
pub fn print(title: &str, group: &str, functions: &[&str], loads: &[&str]) {
    println!("\n{title}\n");
    println!("| | {} |", loads.join(" | "));
    println!("|---|{}", "--:|".repeat(loads.len()));
    let floors: Vec<_> = loads
        .iter()
        .map(|load| mean(group, functions.first().copied().unwrap_or_default(), load))
        .collect();
    for function in functions {
        let cells = loads.iter().zip(&floors).map(|(load, floor)| {
            match (mean(group, function, load), floor) {
                (Some(mean), Some(floor)) => format!("{mean:.0} ns, {:.2} ×", mean / floor),
                _ => "-".to_owned(),
            }
        });
        println!("| {function} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}

/// The mean that criterion wrote.
fn mean(group: &str, function: &str, load: &str) -> Option<f64> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    let file = place
        .join(group)
        .join(function)
        .join(load)
        .join("new/estimates.json");
    let text = std::fs::read_to_string(file).ok()?;
    let (_, mean) = text.split_once("\"mean\"")?;
    let (_, estimate) = mean.split_once("\"point_estimate\":")?;
    estimate.split([',', '}']).next()?.trim().parse().ok()
}
