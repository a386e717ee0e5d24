//! From the clause tables and the citations in the code: which clause is obeyed where, and by which test it is proved.
//!
//! A citation is a clause id in a Rust file, as in `// RFC 6762 §8.1 (6762-8.1-3, -5)`. An id that no table has is an
//! error. `(6762-7.4-1): not done, because ...` is a citation that says why a clause is left out; a clause that no line of
//! code could say it of has its reason in docs/clauses/left-out.tsv.
//!
//! A row that can be tested without a network and that somebody has to obey must have a test or a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::workspace::{self, Outcome, read, root};

const TABLES: &[&str] = &[
    "docs/clauses/rfc6762.tsv",
    "docs/clauses/rfc6763.tsv",
    "docs/clauses/wire.tsv",
];
/// A clause and why it is left out, on a line.
const LEFT_OUT: &str = "docs/clauses/left-out.tsv";
const REPORT: &str = "docs/compliance.md";

/// What judges others by the clauses: it obeys none of them, and its tests prove that it finds faults.
const JUDGES: &[&str] = &[
    "crates/cooee-conformance",
    "crates/cooee-cli/src/monitor/lint",
    "crates/cooee-sim/src/monitor.rs",
    "crates/cooee-sim/src/monitor",
];

/// A row of a table.
struct Clause {
    id: String,
    level: String,
    role: String,
    requirement: String,
    /// The first word of the proposal for a test: Sim, Bytes, Live or Review.
    kind: String,
    table: &'static str,
}

/// Where a clause is cited.
#[derive(Default)]
struct Cited {
    code: BTreeSet<String>,
    tests: BTreeSet<String>,
    left_out: Option<String>,
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let clauses = clauses()?;
    let known: BTreeSet<&str> = clauses.iter().map(|clause| clause.id.as_str()).collect();
    let mut cited = citations(&known)?;
    add_reasons(&known, &mut cited)?;
    print!("{}", numbers(&clauses, &cited));
    let report = report(&clauses, &cited)?;
    let open = unproved(&clauses, &cited);
    if !open.is_empty() {
        return Err(format!(
            "no test names these clauses and {LEFT_OUT} has no reason: {}",
            open.join(", ")
        ));
    }
    if arguments.iter().any(|argument| argument == "--check") {
        return if read(Path::new(REPORT)).is_ok_and(|present| present == report) {
            Ok(())
        } else {
            Err(format!(
                "{REPORT} is not up to date: `cargo xtask compliance` writes it"
            ))
        };
    }
    std::fs::write(root().join(REPORT), report).map_err(|error| format!("{REPORT}: {error}"))
}

fn clauses() -> Outcome<Vec<Clause>> {
    let mut clauses = Vec::new();
    for table in TABLES {
        for (number, line) in (1..).zip(read(Path::new(table))?.lines()).skip(1) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [id, level, role, requirement, test] = fields[..] else {
                return Err(format!(
                    "{table}:{number}: {} fields instead of 5",
                    fields.len()
                ));
            };
            clauses.push(Clause {
                id: id.into(),
                level: level.into(),
                role: role.into(),
                requirement: requirement.into(),
                kind: test.split(':').next().unwrap_or_default().into(),
                table,
            });
        }
    }
    Ok(clauses)
}

fn citations(known: &BTreeSet<&str>) -> Outcome<BTreeMap<String, Cited>> {
    let rfcs: BTreeSet<&str> = known.iter().filter_map(|id| id.split('-').next()).collect();
    let mut cited: BTreeMap<String, Cited> = BTreeMap::new();
    let mut faults = Vec::new();
    // The examples below are no citations.
    let files = workspace::files()?
        .into_iter()
        .filter(|file| !file.ends_with("xtask/src/compliance.rs"));
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let text = read(&file)?;
        let lines: Vec<&str> = text.lines().collect();
        let mut place = Place::start(&file);
        for (index, line) in lines.iter().enumerate() {
            place.step_to(line);
            for id in ids(line, &rfcs, known) {
                if !known.contains(id.as_str()) {
                    faults.push(format!(
                        "{}:{}: no table has {id}",
                        file.display(),
                        index + 1
                    ));
                    continue;
                }
                if JUDGES.iter().any(|judge| file.starts_with(judge)) {
                    continue;
                }
                let entry = cited.entry(id).or_default();
                if let Some(reason) = reason_to_leave_out(&lines[index..]) {
                    entry.left_out = Some(reason);
                } else if place.is_test {
                    entry.tests.insert(place.test(&lines[index..]));
                } else {
                    entry.code.insert(place.file.clone());
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(cited)
    } else {
        Err(faults.join("\n"))
    }
}

/// The reasons of the table, for clauses that neither a test nor a line of code speaks of.
fn add_reasons(known: &BTreeSet<&str>, cited: &mut BTreeMap<String, Cited>) -> Outcome {
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(read(Path::new(LEFT_OUT))?.lines()).skip(1) {
        let fault = match line.split_once('\t') {
            Some((id, reason)) if known.contains(id) && reason.ends_with('.') => {
                let entry = cited.entry(id.into()).or_default();
                if entry.left_out.is_some() {
                    format!("{id} has a reason already")
                } else {
                    if entry.tests.is_empty() {
                        entry.left_out = Some(reason.into());
                    } else {
                        // Whoever has written the test need not know of the reason.
                        eprintln!(
                            "{LEFT_OUT}:{number}: {id} has a test by now, so its reason can go"
                        );
                    }
                    continue;
                }
            }
            Some((id, _)) if known.contains(id) => format!("the reason of {id} is no sentence"),
            Some((id, _)) => format!("no table has {id}"),
            None => "not an id, a tab and a reason".to_owned(),
        };
        faults.push(format!("{LEFT_OUT}:{number}: {fault}"));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n"))
    }
}

/// The clauses that must have a test, or a reason why there is none, and have neither.
fn unproved<'c>(clauses: &'c [Clause], cited: &BTreeMap<String, Cited>) -> Vec<&'c str> {
    let is_open = |clause: &&Clause| {
        clause.must_be_proved()
            && cited
                .get(&clause.id)
                .is_none_or(|cited| cited.tests.is_empty() && cited.left_out.is_none())
    };
    let open = clauses.iter().filter(is_open);
    open.map(|clause| clause.id.as_str()).collect()
}

impl Clause {
    /// What somebody on the network has to obey, and what can be tested without one: a fact is often as binding as a MUST.
    fn must_be_proved(&self) -> bool {
        ["MUST", "MUST NOT", "FACT"].contains(&&*self.level)
            && ["Sim", "Bytes"].contains(&&*self.kind)
            && self.role != "api"
    }
}

/// Where in a file the reading stands.
struct Place {
    file: String,
    is_test: bool,
    function: Option<String>,
    /// The line before was `#[cfg(test)]`.
    gate: bool,
}

impl Place {
    fn start(file: &Path) -> Self {
        let stem = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let is_test = file.components().any(|part| part.as_os_str() == "tests")
            || stem == "tests"
            || stem.ends_with("_tests")
            || ["benches", "fuzz", "xtask/src/interop"]
                .iter()
                .any(|folder| file.starts_with(folder));
        let file = file
            .strip_prefix("crates")
            .unwrap_or(file)
            .display()
            .to_string()
            .replace("/src/", "/");
        Self {
            file,
            is_test,
            function: None,
            gate: false,
        }
    }

    /// By our order in files, what follows a test module's head is test.
    fn step_to(&mut self, line: &str) {
        let line = line.trim();
        self.is_test |= self.gate && line.starts_with("mod ") && line.ends_with('{');
        self.gate = line == "#[cfg(test)]";
        if let Some(name) = function_name(line) {
            self.function = Some(name);
        }
    }

    /// The file and the test that a citation belongs to: above a function it speaks of that one.
    fn test(&self, from_here: &[&str]) -> String {
        let above = |line: &&&str| {
            let line = line.trim();
            line.is_empty() || line.starts_with("//") || line.starts_with("#[")
        };
        let is_comment = from_here
            .first()
            .is_some_and(|line| line.trim().starts_with("//"));
        let next = from_here
            .iter()
            .find(|line| !above(line))
            .and_then(|line| function_name(line));
        let of_file = from_here
            .first()
            .is_some_and(|line| line.trim().starts_with("//!"));
        let name = if of_file {
            None
        } else if is_comment && next.is_some() {
            next
        } else {
            self.function.clone()
        };
        name.map_or_else(
            || self.file.clone(),
            |name| format!("{}: {name}", self.file),
        )
    }
}

/// The name in `fn name(`, if the line begins a function.
fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let before = ["pub", "pub(crate)", "pub(super)", "const", "async"];
    let word = words.by_ref().find(|word| !before.contains(word))?;
    let name = words.next().filter(|_| word == "fn")?;
    Some(name.split(['(', '<']).next().unwrap_or(name).to_owned())
}

/// What stands behind `not done, because`, in this line and the comment lines below it.
fn reason_to_leave_out(lines: &[&str]) -> Option<String> {
    let (first, rest) = lines.split_first()?;
    let (_, reason) = first.split_once("): not done, because ")?;
    let mut reason = reason.trim().to_owned();
    for line in rest.iter().map_while(|line| line.trim().strip_prefix("//")) {
        if reason.ends_with('.') {
            break;
        }
        reason.push(' ');
        reason.push_str(line.trim());
    }
    Some(reason)
}

/// An id in its three parts: RFC, section, number.
type Id = (String, String, u32);

/// Every clause id in a line: `6762-8.1-3`, and after one `, -4`, `to -6`, `.. 6762-8.1-6` and `, 8.2-1` of the same RFC.
fn ids(line: &str, rfcs: &BTreeSet<&str>, known: &BTreeSet<&str>) -> Vec<String> {
    let mut found: Vec<Id> = Vec::new();
    // The id that a short form or a range continues, while only separators came after it.
    let mut base: Option<Id> = None;
    let mut range = false;
    let separators = [' ', ',', ';', '(', ')', '`', '/', '"', ':'];
    for word in line.split(separators).filter(|word| !word.is_empty()) {
        match word {
            "and" | "or" => continue,
            "to" | ".." => {
                range = true;
                continue;
            }
            _ => {}
        }
        let word = word.trim_matches(['.', '[', ']', '|', '*']);
        let next = whole_id(word, rfcs).or_else(|| short_id(word, base.as_ref()?, known));
        if let Some((rfc, section, number)) = &next {
            let first = match &base {
                Some((of, part, last)) if range && of == rfc && part == section => last + 1,
                _ => *number,
            };
            found.extend((first..=*number).map(|n| (rfc.clone(), section.clone(), n)));
        }
        base = next;
        range = false;
    }
    found
        .iter()
        .map(|(rfc, section, number)| format!("{rfc}-{section}-{number}"))
        .collect()
}

/// `-4` or `8.2-1`, read after an id. Two numbers with a hyphen can mean anything, so only a known clause counts.
fn short_id(word: &str, (rfc, section, _): &Id, known: &BTreeSet<&str>) -> Option<Id> {
    if let Some(number) = word.strip_prefix('-') {
        return Some((rfc.clone(), section.clone(), number.parse().ok()?));
    }
    let (section, number) = word.rsplit_once('-')?;
    let id = (rfc.clone(), section.to_owned(), number.parse().ok()?);
    known
        .contains(format!("{}-{}-{}", id.0, id.1, id.2).as_str())
        .then_some(id)
}

/// The three parts of `6762-8.1-3`.
fn whole_id(word: &str, rfcs: &BTreeSet<&str>) -> Option<Id> {
    let (rfc, rest) = word.split_once('-')?;
    let (section, number) = rest.rsplit_once('-')?;
    let plain = !section.is_empty()
        && section
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.');
    if !rfcs.contains(rfc) || !plain {
        return None;
    }
    Some((rfc.into(), section.into(), number.parse().ok()?))
}

/// A table of how far it is.
fn numbers(clauses: &[Clause], cited: &BTreeMap<String, Cited>) -> String {
    let mut text = String::from(
        "| table | level | clauses | cited in code | proved by a test | left out | neither tested nor left out |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for table in TABLES {
        for level in ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "FACT"] {
            let rows: Vec<_> = clauses
                .iter()
                .filter(|clause| clause.table == *table && clause.level == level)
                .map(|clause| cited.get(&clause.id))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let count = |what: fn(&Cited) -> bool| {
                rows.iter().flatten().filter(|cited| what(cited)).count()
            };
            let tested = count(|cited| !cited.tests.is_empty());
            let left_out = count(|cited| cited.tests.is_empty() && cited.left_out.is_some());
            let name = Path::new(table)
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or(table);
            let code = count(|cited| !cited.code.is_empty());
            let open = rows.len() - tested - left_out;
            let _ = writeln!(
                text,
                "| {name} | {level} | {} | {code} | {tested} | {left_out} | {open} |",
                rows.len()
            );
        }
    }
    text
}

fn report(clauses: &[Clause], cited: &BTreeMap<String, Cited>) -> Outcome<String> {
    let mut text = String::from(
        "# Compliance\n\n\
         Written by `cargo xtask compliance` from the [clause tables](clauses/README.md) and the citations in the code;\n\
         do not edit. A clause is *cited* where the code obeys it, and *proved* by the tests that name it. A citation is a\n\
         claim of its author: read the test.\n\n",
    );
    text.push_str(&numbers(clauses, cited));
    let nothing = Cited::default();
    let mut section = "";
    for clause in clauses {
        let (of, _) = clause
            .id
            .rsplit_once('-')
            .ok_or_else(|| format!("{} is no clause id", clause.id))?;
        if of != section {
            section = of;
            let (rfc, number) = of.split_once('-').unwrap_or((of, ""));
            let _ = write!(
                text,
                "\n## RFC {rfc}, {number}\n\n| id | level | requirement | code | test |\n|---|---|---|---|---|\n"
            );
        }
        let cited = cited.get(&clause.id).unwrap_or(&nothing);
        let list = |set: &BTreeSet<String>| {
            set.iter()
                .map(|entry| format!("`{entry}`"))
                .collect::<Vec<_>>()
                .join("<br>")
        };
        let mut tests = list(&cited.tests);
        if let Some(reason) = &cited.left_out {
            let _ = write!(tests, "left out: {reason}");
        } else if tests.is_empty() && clause.kind == "Review" {
            tests.push_str("(no program can decide it)");
        }
        let requirement = clause.requirement.replace('|', "\\|").replace('<', "&lt;");
        let code = list(&cited.code);
        let _ = writeln!(
            text,
            "| {} | {} | {requirement} | {code} | {tests} |",
            clause.id, clause.level
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<String> {
        let known = BTreeSet::from([
            "6762-8.1-3",
            "6762-8.1-4",
            "6762-8.1-5",
            "6762-8.2-1",
            "1035-4.1.4-4",
        ]);
        ids(line, &BTreeSet::from(["6762", "1035"]), &known)
    }

    #[test]
    fn short_forms_continue_the_id_before_them() {
        assert_eq!(
            found("// RFC 6762 §8.1 (6762-8.1-3, -4)"),
            ["6762-8.1-3", "6762-8.1-4"]
        );
        assert_eq!(
            found("// 6762-8.1-3, 8.2-1 and 1035-4.1.4-4."),
            ["6762-8.1-3", "6762-8.2-1", "1035-4.1.4-4"]
        );
    }

    #[test]
    fn ranges_are_all_between_their_ends() {
        let all = ["6762-8.1-3", "6762-8.1-4", "6762-8.1-5"];
        for line in [
            "(6762-8.1-3 to -5)",
            "(6762-8.1-3 .. 6762-8.1-5)",
            "6762-8.1-3 to 6762-8.1-5.",
        ] {
            assert_eq!(found(line), all, "{line}");
        }
    }

    #[test]
    fn numbers_that_only_look_like_ids_are_none() {
        assert!(found("// 20-120 ms, -4, 2026-11-22, RFC 6762-bis").is_empty());
        assert_eq!(found("// (6762-8.1-3), 20-120 ms"), ["6762-8.1-3"]);
    }

    #[test]
    fn a_wrong_id_is_found_too() {
        assert_eq!(found("// 6762-8.1-99"), ["6762-8.1-99"]);
    }

    #[test]
    fn a_citation_above_a_function_belongs_to_it() {
        let place = Place {
            file: "f.rs".into(),
            is_test: true,
            function: Some("before".into()),
            gate: false,
        };
        assert_eq!(
            place.test(&["// id", "#[test]", "fn after() {"]),
            "f.rs: after"
        );
        assert_eq!(place.test(&["// id", "let x = 1;"]), "f.rs: before");
        assert_eq!(place.test(&["//! id", "", "fn after() {"]), "f.rs");
    }

    #[test]
    fn a_clause_that_must_be_proved_needs_a_test_or_a_reason() {
        let clause = |id: &str, level: &str, role: &str, kind: &str| Clause {
            id: id.into(),
            level: level.into(),
            role: role.into(),
            requirement: String::new(),
            kind: kind.into(),
            table: TABLES[0],
        };
        let clauses = [
            clause("1", "MUST", "both", "Sim"),
            clause("2", "FACT", "parser", "Bytes"),
            clause("3", "MUST NOT", "querier", "Sim"),
            clause("4", "SHOULD", "both", "Sim"),
            clause("5", "MUST", "api", "Sim"),
            clause("6", "MUST", "both", "Live"),
        ];
        let mut cited = BTreeMap::new();
        assert_eq!(unproved(&clauses, &cited), ["1", "2", "3"]);
        let tests = BTreeSet::from(["a test".to_owned()]);
        cited.insert(
            "1".to_owned(),
            Cited {
                tests,
                ..Cited::default()
            },
        );
        let left_out = Some("because.".to_owned());
        cited.insert(
            "2".to_owned(),
            Cited {
                left_out,
                ..Cited::default()
            },
        );
        let code = BTreeSet::from(["a file".to_owned()]);
        cited.insert(
            "3".to_owned(),
            Cited {
                code,
                ..Cited::default()
            },
        );
        assert_eq!(
            unproved(&clauses, &cited),
            ["3"],
            "code alone proves nothing"
        );
    }

    #[test]
    fn a_reason_goes_on_until_its_full_stop() {
        let lines = [
            "// (6762-8.1-3): not done, because it",
            "// is late.",
            "// Another.",
        ];
        assert_eq!(reason_to_leave_out(&lines).as_deref(), Some("it is late."));
    }
}
