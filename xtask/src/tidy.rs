//! Rules about files that neither the compiler nor clippy knows.

use std::path::{Component, Path, PathBuf};

use crate::workspace::{self, Outcome, read, root};

/// A file holds one idea that can be named; above so many lines it rarely does.
const MOST_LINES: usize = 700;

/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[];

/// Words that have no place in the tree, with the reason. Put together here, or this file would contain them.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (
        concat!("/tm", "p/"),
        "a path of one machine; ask for the folder of temporary files",
    ),
    (concat!("todo", "!("), "an unfinished mark"),
    (concat!("unimplemented", "!("), "an unfinished mark"),
    (concat!("FIX", "ME"), "an unfinished mark"),
    (concat!("#[ign", "ore"), "a test that does not run"),
    (concat!("dbg", "!("), "left from a search"),
];

/// The one reason to leave a test out: another test starts it where it belongs.
const IGNORED_BY_RIGHT: &str = "= \"runs in a namespace of its own\"";

/// Names of files and folders that say nothing of what is in them.
const EMPTY_NAMES: &[&str] = &[
    "common", "handler", "helper", "helpers", "manager", "misc", "util", "utils",
];

/// Where the numbered decisions stand that the code cites as `ruling 7`.
const RULINGS: &str = "docs/rulings.md";

pub(crate) fn run() -> Outcome {
    let mut faults = Vec::new();
    let rulings = read(Path::new(RULINGS))?;
    for file in workspace::files()? {
        // Packets and other data have their own rules.
        let Ok(text) = read(&file) else { continue };
        let extension = file
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        forbidden_words(&file, &text, &mut faults);
        match extension {
            "rs" => {
                source(&file, &text, &mut faults);
                cited_rulings(&file, &text, &rulings, &mut faults);
            }
            "md" => links(&file, &text, &mut faults),
            _ => {}
        }
    }
    for (file, _) in LONGER
        .iter()
        .filter(|(file, _)| !root().join(file).exists())
    {
        faults.push(format!(
            "{file} may be longer than {MOST_LINES} lines, but there is no such file"
        ));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n"))
    }
}

fn forbidden_words(file: &Path, text: &str, faults: &mut Vec<String>) {
    // The clause tables quote what an RFC says about paths and marks; nothing there is ours.
    if file.starts_with("docs/clauses") || file.ends_with("Cargo.lock") {
        return;
    }
    for (number, line) in (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.contains(IGNORED_BY_RIGHT))
    {
        for (word, why) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
            faults.push(format!("{}:{number}: {word:?} is {why}", file.display()));
        }
    }
}

fn source(file: &Path, text: &str, faults: &mut Vec<String>) {
    let lines = text.lines().count();
    let excused = LONGER.iter().any(|(longer, _)| file == Path::new(longer));
    if lines > MOST_LINES && !excused {
        faults.push(format!(
            "{} has {lines} lines, more than {MOST_LINES}; split it by duty",
            file.display()
        ));
    }
    if excused && lines <= MOST_LINES {
        faults.push(format!(
            "{} has {lines} lines and needs no exception any more",
            file.display()
        ));
    }
    for part in file.components() {
        let stem = Path::new(part.as_os_str())
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if EMPTY_NAMES.contains(&stem) && !file.starts_with("crates/cooee-sim/tests") {
            faults.push(format!(
                "{}: '{stem}' does not say what is inside",
                file.display()
            ));
        }
    }
    let is_library = file.starts_with("crates") && file.ends_with("src/lib.rs");
    for lint in ["#![forbid(unsafe_code)]", "#![deny(missing_docs)]"] {
        if is_library && !text.contains(lint) {
            faults.push(format!("{}: no {lint}", file.display()));
        }
    }
}

/// A cited ruling exists.
fn cited_rulings(file: &Path, text: &str, rulings: &str, faults: &mut Vec<String>) {
    for (number, line) in (1..).zip(text.lines()) {
        for after in line.split("ruling ").skip(1) {
            let cited: String = after.chars().take_while(char::is_ascii_digit).collect();
            let exists = || {
                rulings
                    .lines()
                    .any(|ruling| ruling.starts_with(&format!("{cited}. ")))
            };
            if !cited.is_empty() && !exists() {
                faults.push(format!(
                    "{}:{number}: {RULINGS} has no ruling {cited}",
                    file.display()
                ));
            }
        }
    }
}

/// Relative links of a Markdown file point to files that exist, and to headings that they have. Paths of Rust are left to rustdoc.
fn links(file: &Path, text: &str, faults: &mut Vec<String>) {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let elsewhere = ["://", "mailto:", "crate::"];
        for target in
            targets(line).filter(|target| elsewhere.iter().all(|sign| !target.contains(sign)))
        {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let wanted = if path.is_empty() {
                file.to_path_buf()
            } else {
                flat(&folder.join(path))
            };
            if !root().join(&wanted).exists() {
                faults.push(format!(
                    "{}:{number}: the link {target} leads nowhere",
                    file.display()
                ));
            } else if !heading.is_empty()
                && !read(&wanted).is_ok_and(|text| has_heading(&text, heading))
            {
                faults.push(format!(
                    "{}:{number}: {} has no heading #{heading}",
                    file.display(),
                    wanted.display()
                ));
            }
        }
    }
}

/// What stands in `](...)` of a line, or behind `[name]: `.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let inline = line
        .split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0));
    let definition = line
        .strip_prefix('[')
        .and_then(|rest| Some(rest.split_once("]: ")?.1.trim()));
    inline.chain(definition)
}

/// Whether a heading gets this anchor: lower case, spaces to hyphens, other punctuation gone.
fn has_heading(text: &str, anchor: &str) -> bool {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let made: String = title
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect();
            made == anchor
        })
}

/// `a/b/../c` as `a/c`.
fn flat(path: &Path) -> PathBuf {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                flat.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => flat.push(part),
        }
    }
    flat
}
