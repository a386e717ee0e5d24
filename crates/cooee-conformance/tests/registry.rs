//! The list of tests is what it promises to be.

use std::collections::BTreeSet;
use std::path::Path;

use cooee_conformance::all;

#[test]
fn names_are_unique_and_begin_with_a_clause() {
    let mut names = BTreeSet::new();
    for test in all() {
        assert!(names.insert(test.name), "{} stands twice", test.name);
        let (clause, word) = test.name.split_once('/').expect(test.name);
        assert!(
            test.clauses.contains(&clause),
            "{} is not among its clauses",
            test.name
        );
        assert!(
            word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            "{}",
            test.name
        );
        assert!(
            !test.title.is_empty() && !test.title.ends_with('.'),
            "{}",
            test.name
        );
    }
}

#[test]
fn every_clause_is_in_the_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clauses");
    let mut known = BTreeSet::new();
    for table in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(table.unwrap().path()).unwrap_or_default();
        known.extend(
            text.lines()
                .filter_map(|line| line.split('\t').next())
                .map(str::to_owned),
        );
    }
    for test in all() {
        for clause in test.clauses {
            assert!(known.contains(*clause), "{}: no clause {clause}", test.name);
        }
    }
}
