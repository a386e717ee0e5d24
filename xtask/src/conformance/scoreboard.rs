//! What was found, as a page: who passes what, why not, and who finds whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::subjects;
use crate::workspace::{self, Outcome};

const HEAD: &str = "\
# Conformance

What a multicast DNS stack does, judged by nothing but the packets: [`cooee-conformance`](../crates/cooee-conformance) sits on a link
with one stack at a time, asks, answers, contradicts and watches. It shares no code with the engine of this workspace beyond the packet
format, and it can be run against any stack for which somebody writes an [adapter](../crates/cooee-conformance/PROTOCOL.md).

*pass* is as the RFC wants it; *warn* is against a SHOULD or slow; *fail* is against a MUST or a rule without which others suffer;
*n/a* could not be asked of this stack, because its interface has no such thing, or because it does not do what the rule is about. Where
the RFC leaves room every reading passes. Where a stack seemed to fail, its captures were [read one by one](captures.md), and the tester
or the adapter was mended where it was at fault; then the tests ran again. If one is wrong nevertheless: tell us. Two stacks are tested as
less than they are: hick by IPv4 alone, because version 0.2.0 takes its own probes for a rival's when it has both families;
systemd-resolved without browsing that goes on, which version 252 has not.

This page is written by `cargo xtask conformance` (Linux, root), which makes network namespaces, prepares the stacks in pinned versions,
and keeps the packets of each test in `target/conformance/results`. To see one verdict again, with its packets:
`cargo xtask conformance --only avahi --test 6762-7.1-4`. On a busy machine timing limits can be missed by a subject that is innocent.
";

/// What the tester says of a publisher that lets nobody know of its withdrawal.
const SILENT: &str = "the publisher says no goodbye";

/// Adds the cells of a run to those that are kept; a pair that met again has its new cell.
pub(super) fn add_cells(all: &Path, new: &Path) -> Outcome {
    let mut cells = if all.exists() {
        list(&load(all)?)
    } else {
        Vec::new()
    };
    let pair = |cell: &Value| (cell["publisher"].clone(), cell["browser"].clone());
    for cell in list(&load(new)?) {
        cells.retain(|old| pair(old) != pair(&cell));
        cells.push(cell);
    }
    let text = format!("{:#}\n", Value::from(cells));
    std::fs::write(all, text).map_err(|error| format!("{}: {error}", all.display()))
}

/// The names of the tests that warned or failed.
pub(super) fn not_passed(results: &Path) -> Outcome<Vec<String>> {
    let run = load(results)?;
    let bad = tests(&run).filter(|test| matches!(test["verdict"].as_str(), Some("warn" | "fail")));
    Ok(bad.map(|test| word(&test["name"])).collect())
}

/// Writes the page from all results that are there.
pub(super) fn write(
    tester: &Path,
    results: &Path,
    skipped: &[(&str, String)],
    page: &Path,
) -> Outcome {
    let mut found = Vec::new();
    for subject in subjects::ALL {
        let file = results.join(format!("{}.json", subject.name));
        if file.exists() {
            found.push((load(&file)?, date(&file)?));
        }
    }
    let mut text = HEAD.to_owned();
    scoreboard(&mut text, &found);
    for (name, why) in skipped {
        let _ = writeln!(text, "\n{name} could not be prepared: {why}.");
    }
    reasons(&mut text, &found);
    let cells = results.join("matrix.json");
    if cells.exists() {
        matrix(&mut text, &list(&load(&cells)?), &date(&cells)?);
    }
    let tests = workspace::output(Command::new(tester).args(["--list", "--markdown"]))?;
    let _ = write!(text, "\n## The tests\n\n{tests}");
    std::fs::write(page, text).map_err(|error| format!("{}: {error}", page.display()))
}

fn scoreboard(text: &mut String, found: &[(Value, String)]) {
    text.push_str("\n## Scoreboard\n\n| stack | version | date | pass | warn | fail | n/a |\n|---|---|---|--:|--:|--:|--:|\n");
    for (run, date) in found {
        let _ = write!(
            text,
            "| {} | {} | {date} |",
            word(&run["subject"]),
            word(&run["version"])
        );
        for verdict in ["pass", "warn", "fail", "n/a"] {
            let _ = write!(text, " {} |", run["tally"][verdict]);
        }
        text.push('\n');
    }
    text.push_str("\nEach test: ✓ pass, ! warn, ✗ fail, – not applicable.\n\n| test |");
    for (run, _) in found {
        let _ = write!(text, " {} |", word(&run["subject"]));
    }
    text.push_str("\n|---|");
    text.push_str(&":-:|".repeat(found.len()));
    text.push('\n');
    let mut verdicts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut order = Vec::new();
    for (column, (run, _)) in found.iter().enumerate() {
        for test in tests(run) {
            let name = word(&test["name"]);
            let row = verdicts.entry(name.clone()).or_insert_with(|| {
                order.push(name);
                vec![" "; found.len()]
            });
            row[column] = match test["verdict"].as_str() {
                Some("pass") => "✓",
                Some("warn") => "!",
                Some("fail") => "**✗**",
                _ => "–",
            };
        }
    }
    for name in order {
        let row = verdicts.get(&name).map(|row| row.join(" | "));
        let _ = writeln!(text, "| `{name}` | {} |", row.unwrap_or_default());
    }
}

/// What speaks for each verdict that is not a pass.
fn reasons(text: &mut String, found: &[(Value, String)]) {
    text.push_str("\n## What was observed\n");
    for (run, _) in found {
        let bad: Vec<&Value> = tests(run)
            .filter(|test| matches!(test["verdict"].as_str(), Some("warn" | "fail")))
            .collect();
        if bad.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "\n### {}\n\n| test | verdict | observed |\n|---|---|---|",
            word(&run["subject"])
        );
        for test in bad {
            let speaking = test["findings"].as_array().into_iter().flatten();
            let speaking = speaking.filter(|finding| finding["verdict"] == test["verdict"]);
            let texts: Vec<String> = speaking.map(|finding| word(&finding["text"])).collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} |",
                word(&test["name"]),
                word(&test["verdict"]),
                texts.join("; ").replace('|', "\\|").replace('\n', " ")
            );
        }
    }
}

fn matrix(text: &mut String, cells: &[Value], date: &str) {
    let names = |side: &str| -> Vec<String> {
        let present: BTreeSet<String> = cells.iter().map(|cell| word(&cell[side])).collect();
        let known = subjects::ALL.iter().map(|subject| subject.name.to_owned());
        known.filter(|name| present.contains(name)).collect()
    };
    // A row or column in which nothing was ever done says nothing.
    let is_idle = |side: &str, name: &str| {
        let of_it = cells.iter().filter(|cell| word(&cell[side]) == name);
        of_it.clone().all(|cell| cell["found"].get("n/a").is_some())
    };
    let (publishers, browsers) = (names("publisher"), names("browser"));
    let browsers: Vec<String> = browsers
        .into_iter()
        .filter(|name| !is_idle("browser", name))
        .collect();
    let publishers: Vec<String> = publishers
        .into_iter()
        .filter(|name| !is_idle("publisher", name))
        .collect();
    let _ = write!(
        text,
        "\n## Who finds whom\n\nOne stack publishes, another browses, on a link of their own ({date}). Seconds from the beginning of the browse until the \
         instance was found and until it was resolved (port, TXT, an address), and from the withdrawal until it was removed (a goodbye leaves \
         one second). – cannot be asked of the two; ✗ did not happen; ∅ could not happen, because the publisher says no goodbye.\n\n| publisher ↓ browser → |"
    );
    for browser in &browsers {
        let _ = write!(text, " {browser} |");
    }
    text.push_str("\n|---|");
    text.push_str(&":-:|".repeat(browsers.len()));
    text.push('\n');
    for publisher in &publishers {
        let _ = write!(text, "| {publisher} |");
        for browser in &browsers {
            let cell = cells.iter().find(|cell| {
                word(&cell["publisher"]) == *publisher && word(&cell["browser"]) == *browser
            });
            let steps =
                cell.map(|cell| ["found", "resolved", "removed"].map(|step| mark(&cell[step])));
            let _ = write!(
                text,
                " {} |",
                steps.map(|steps| steps.join(" · ")).unwrap_or_default()
            );
        }
        text.push('\n');
    }
    let failures: Vec<String> = cells.iter().flat_map(failures).collect();
    if !failures.is_empty() {
        let _ = writeln!(text, "\n{}", failures.join("\n"));
    }
}

/// The steps of a cell that failed, as items of a list.
fn failures(cell: &Value) -> Vec<String> {
    let failed =
        ["found", "resolved", "removed"].map(|step| Some((step, cell[step].get("failed")?)));
    let mut said = BTreeSet::new();
    failed
        .into_iter()
        .flatten()
        .filter(|(_, why)| {
            said.insert(word(why)) && !["not found before", SILENT].contains(&word(why).as_str())
        })
        .map(|(step, why)| {
            format!(
                "- {} by {}, {step}: {}",
                word(&cell["publisher"]),
                word(&cell["browser"]),
                word(why)
            )
        })
        .collect()
}

fn mark(step: &Value) -> String {
    match (step["seconds"].as_f64(), step.get("failed")) {
        (Some(seconds), _) => format!("{seconds:.2}"),
        (None, Some(why)) if word(why) == SILENT => "∅".to_owned(),
        (None, Some(_)) => "✗".to_owned(),
        (None, None) => "–".to_owned(),
    }
}

fn tests(run: &Value) -> impl Iterator<Item = &Value> {
    run["tests"].as_array().into_iter().flatten()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn load(file: &Path) -> Outcome<Value> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The day on which a file was written.
fn date(file: &Path) -> Outcome<String> {
    let said = workspace::output(
        Command::new("date")
            .args(["--utc", "+%Y-%m-%d", "--reference"])
            .arg(file),
    )?;
    Ok(said.trim().to_owned())
}
