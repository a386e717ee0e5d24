//! The tables of docs/scale.md.

use std::fmt::Write as _;
use std::fs;

use super::{Measured, Results};
use crate::workspace::{self, Outcome};

const PAGE: &str = "docs/scale.md";
const BEGIN: &str = "<!-- measured: cargo xtask scale -->\n";
const END: &str = "<!-- end of what was measured -->";

/// Puts the tables into the page.
pub(super) fn write(results: &Results) -> Outcome {
    let file = workspace::root().join(PAGE);
    let page = with_tables(&workspace::read(PAGE.as_ref())?, &tables(results))?;
    fs::write(&file, page).map_err(|error| format!("{PAGE}: {error}"))
}

/// The page with these tables in place of those that are there.
fn with_tables(page: &str, tables: &str) -> Outcome<String> {
    let between = page.split_once(BEGIN).and_then(|(head, rest)| {
        let (_, tail) = rest.split_once(END)?;
        Some((head, tail))
    });
    let (head, tail) = between.ok_or(format!(
        "{PAGE} does not have the lines `{}` and `{END}`",
        BEGIN.trim()
    ))?;
    Ok(format!("{head}{BEGIN}\n{tables}\n{END}{tail}"))
}

/// All tables.
pub(super) fn tables(results: &Results) -> String {
    let mut text = String::new();
    text.push_str("### All look for the same\n\n");
    series(&mut text, results, "popular", "later");
    text.push_str("\n### Each looks for another\n\n");
    series(&mut text, results, "anybody", "first");
    for ((scenario, hosts), measured) in results {
        match *scenario {
            "link" => {
                let _ = write!(text, "\n### {hosts} hosts at once\n\n");
                phases(
                    &mut text,
                    *hosts,
                    measured,
                    &[
                        ("they come up", "arrival"),
                        ("then", "first"),
                        ("then", "later"),
                    ],
                );
                found(&mut text, measured);
            }
            "joining" => {
                let _ = write!(text, "\n### {hosts} hosts join within a minute\n\n");
                phases(
                    &mut text,
                    *hosts,
                    measured,
                    &[("they join", "arrival"), ("then", "later")],
                );
                found(&mut text, measured);
            }
            "lossy" => lossy(&mut text, measured),
            _ => {}
        }
    }
    text
}

/// What one host more changes.
fn series(text: &mut String, results: &Results, wanted: &str, phase: &str) {
    text.push_str(
        "| hosts | packets/s | kB/s | packets per host and minute | answered | answer, 99 of 100 | CPU per host and minute | memory per host |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for ((_, hosts), measured) in results.iter().filter(|((name, _), _)| *name == wanted) {
        let rate = Rate::of(measured, phase, *hosts);
        let asked = get(measured, "asked");
        let answered = 100.0 * get(measured, "answered") / asked.max(1.0);
        let minutes = (get(measured, "first_seconds") + get(measured, "later_seconds")) / 60.0;
        let cpu = 1000.0 * get(measured, "cpu") / minutes / *hosts as f64;
        let _ = writeln!(
            text,
            "| {hosts} | {:.1} | {:.1} | {:.2} | {answered:.1} % | {:.0} ms | {cpu:.1} ms | {:.0} kB |",
            rate.packets,
            rate.bytes / 1000.0,
            rate.per_host,
            1000.0 * get(measured, "answer_99"),
            get(measured, "memory") / 1000.0 / *hosts as f64,
        );
    }
}

fn phases(text: &mut String, hosts: usize, measured: &Measured, phases: &[(&str, &str)]) {
    text.push_str(
        "| | seconds | packets | packets/s | kB/s | packets per host and minute |\n\
         |---|--:|--:|--:|--:|--:|\n",
    );
    for (title, phase) in phases {
        let rate = Rate::of(measured, phase, hosts);
        let _ = writeln!(
            text,
            "| {title} | {:.0} | {:.0} | {:.1} | {:.1} | {:.2} |",
            get(measured, &format!("{phase}_seconds")),
            get(measured, &format!("{phase}_packets")),
            rate.packets,
            rate.bytes / 1000.0,
            rate.per_host,
        );
    }
    let _ = writeln!(
        text,
        "\nCPU {:.0} ms and memory {:.0} kB per host, those that browse included.",
        1000.0 * get(measured, "cpu") / hosts as f64,
        get(measured, "memory") / 1000.0 / hosts as f64,
    );
}

fn found(text: &mut String, measured: &Measured) {
    let _ = writeln!(
        text,
        "\n{} of {} who browse have found and resolved all {} services. One service took {:.2} s in the median, {:.2} s for 99 of 100; \
         all of them {:.2} s in the median and {:.2} s at the longest, from when who browses came.",
        get(measured, "complete"),
        get(measured, "browsers"),
        get(measured, "expected"),
        get(measured, "resolved_median"),
        get(measured, "resolved_99"),
        get(measured, "all_median"),
        get(measured, "all_longest"),
    );
}

fn lossy(text: &mut String, measured: &Measured) {
    let runs = get(measured, "runs");
    let part = |name: &str| 100.0 * get(measured, name) / runs.max(1.0);
    let _ = writeln!(
        text,
        "\n### Two packets in five are lost\n\n\
         | seeds | all found by 8 s | by 35 s | at all | median | longest |\n|--:|--:|--:|--:|--:|--:|\n\
         | {runs} | {:.1} % | {:.1} % | {:.1} % | {:.1} s | {:.1} s |\n\
         | budget | 85 % | 98 % | 100 % | | |",
        part("by_8"),
        part("by_35"),
        part("complete"),
        get(measured, "all_median"),
        get(measured, "all_longest"),
    );
}

/// How much goes over the link in a second.
struct Rate {
    packets: f64,
    bytes: f64,
    /// Packets that a host sends in a minute.
    per_host: f64,
}

impl Rate {
    fn of(measured: &Measured, phase: &str, hosts: usize) -> Self {
        let of = |name: &str| get(measured, &format!("{phase}_{name}"));
        let seconds = of("seconds").max(1.0);
        let packets = of("packets") / seconds;
        Self {
            packets,
            bytes: of("bytes") / seconds,
            per_host: 60.0 * packets / hosts as f64,
        }
    }
}

/// What has this name; zero if it was not measured.
pub(super) fn get(measured: &Measured, name: &str) -> f64 {
    measured.get(name).copied().unwrap_or(0.0)
}

/// Packets that a host sends in a minute, by number of hosts.
pub(super) fn per_host(results: &Results, wanted: &str, phase: &str) -> Vec<(f64, f64)> {
    let of_series = results.iter().filter(|((name, _), _)| *name == wanted);
    of_series
        .map(|((_, hosts), measured)| {
            let rate = Rate::of(measured, phase, *hosts);
            (*hosts as f64, rate.per_host)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_tables_take_the_place_of_the_old_ones() {
        let page = format!("above\n{BEGIN}old\n{END}\nbelow\n");
        let once = with_tables(&page, "new").expect("the lines are there");
        assert_eq!(once, format!("above\n{BEGIN}\nnew\n{END}\nbelow\n"));
        assert_eq!(with_tables(&once, "new"), Ok(once.clone()));
        assert!(with_tables("no such lines", "new").is_err());
    }

    #[test]
    fn rates_are_per_second_and_per_host_and_minute() {
        let measured = [
            ("later_seconds", 120.0),
            ("later_packets", 240.0),
            ("later_bytes", 24_000.0),
            ("asked", 200.0),
            ("answered", 199.0),
        ];
        let measured = measured.map(|(name, value)| (name.to_owned(), value));
        let results = Results::from([(("popular", 60), Measured::from(measured))]);
        assert_eq!(per_host(&results, "popular", "later"), [(60.0, 2.0)]);
        let row = "| 60 | 2.0 | 0.2 | 2.00 | 99.5 % |";
        assert!(tables(&results).contains(row), "{}", tables(&results));
    }
}
