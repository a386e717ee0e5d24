//! The command tells what is wrong in one line, and ends with 2 if it could not test anything.

use std::process::{Command, Output};

use cooee_conformance::all;

fn run(words: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_cooee-conformance");
    Command::new(program)
        .args(words)
        .output()
        .expect("it starts")
}

fn must_refuse(words: &[&str], because: &str) {
    let output = run(words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(because), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn all_tests_are_listed() {
    let output = run(&["--list"]);
    let list = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    assert_eq!(list.lines().count(), all().len());
    let some = run(&["--list", "--only", "6762-8.1"]);
    let some = String::from_utf8_lossy(&some.stdout);
    assert!(some.contains("6762-8.1-5/three-probes"));
    assert!(!some.contains("6762-8.3-5/announces-twice"));
}

#[test]
fn what_is_meant_by_nothing_is_an_error() {
    let words = ["--list", "--only", "no-such-test"];
    must_refuse(&words, "--only no-such-test: no such test; see --list");
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    let words = ["run", "--interface", "nowhere0", "--subject", "true"];
    must_refuse(&words, "nowhere0");
}
