//! docs/complaints.md names tests: that they exist.

use std::collections::BTreeSet;

use crate::workspace;

#[test]
fn every_test_that_the_answers_to_complaints_name_exists() {
    let root = workspace::root();
    let mut functions = BTreeSet::new();
    let mut folders = vec![root.join("crates"), root.join("xtask/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let defined = text.split("fn ").skip(1);
                functions.extend(
                    defined.filter_map(|rest| rest.split(['(', '<']).next().map(str::to_owned)),
                );
            }
        }
    }
    let page = std::fs::read_to_string(root.join("docs/complaints.md")).unwrap();
    // Code stands between backticks; only tests have names of so many words.
    let named = page.split('`').skip(1).step_by(2);
    let tests: Vec<&str> = named.filter(|n| n.matches('_').count() > 2).collect();
    assert!(tests.len() > 80, "{}", tests.len());
    let missing: Vec<_> = tests.iter().filter(|t| !functions.contains(**t)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
