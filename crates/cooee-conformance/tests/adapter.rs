//! An adapter that does not keep to the protocol is told what is wrong, in one line.

use std::time::Duration;

use cooee_conformance::subject::{Launch, Reply, Subject};

/// A subject whose adapter is this shell script.
fn start(script: &str) -> Result<Subject, String> {
    let launch = Launch {
        command: script.to_owned(),
        interface: "lo".to_owned(),
        namespace: None,
    };
    Subject::start(&launch).map_err(|error| error.to_string())
}

#[test]
fn an_adapter_that_says_something_else_first_is_quoted() {
    let why = start("echo hello; cat").expect_err("no 'ready'");
    assert_eq!(why, r#"the adapter says "hello" in place of 'ready'"#);
}

#[test]
fn an_adapter_that_ends_shows_its_last_words() {
    let why = start("echo no daemon here >&2; exit 3").expect_err("no 'ready'");
    assert!(why.contains("no daemon here"), "{why}");
}

#[test]
fn a_reply_that_is_none_is_quoted() {
    let mut subject = start("echo ready; read line; echo fine; cat").expect("a subject");
    let why = subject
        .command(&["host"])
        .expect_err("no reply")
        .to_string();
    assert!(why.contains(r#""fine""#), "{why}");
}

#[test]
fn words_are_written_and_read_in_ascii() {
    let script = r#"
        echo "ready stack 1.2 of $COOEE_INTERFACE"
        read -r line
        echo "event found $line"
        echo 'ok B%C3%BCro'
        cat"#;
    let mut subject = start(script).expect("a subject");
    assert_eq!(subject.version(), "stack 1.2 of lo");
    let reply = subject.command(&["My printer"]).expect("a reply");
    assert_eq!(reply, Reply::Ok(vec!["Büro".into()]));
    let found = subject.wait_for_event(Duration::from_secs(5), |event| event.get(1).cloned());
    assert_eq!(found.as_deref(), Some("My printer"));
    assert!(subject.is_alive());
}
