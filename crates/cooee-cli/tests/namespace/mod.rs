//! A test in a network namespace of its own in which there is nothing but loopback, and the command in it.
//!
//! Each test is run again, alone, under `unshare`; where namespaces are not allowed it is skipped and says so.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// Told to the inner run.
const MARK: &str = "COOEE_TEST_NAMESPACE";

/// Runs the test of this name in a namespace; gives whether the caller is there already and has to do the work.
pub(crate) fn in_namespace(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--net"]);
        unshare
    };
    let may = unshare().args(["ip", "link", "set", "lo", "up"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        println!("skipped: no network namespaces here");
        return false;
    }
    let this = std::env::current_exe().expect("a test knows its own file");
    let output = unshare()
        .args(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
        .arg(this)
        .args(["--exact", "--nocapture", test])
        .env(MARK, "1")
        .output()
        .expect("unshare ran a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cooee"));
    command
        .args(words)
        .env_remove("COOEE_INTERFACE")
        .env_remove("COOEE_LOG")
        .stdin(Stdio::null());
    command
}

pub(crate) fn cooee(words: &[&str]) -> Output {
    command(words).output().expect("the command starts")
}

/// A command that stays, and what it says line by line.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) lines: Option<std::io::Lines<BufReader<ChildStdout>>>,
}

impl Running {
    pub(crate) fn start(words: &[&str]) -> Self {
        let child = command(words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        Self::of(child)
    }

    /// One that was started with its output piped.
    pub(crate) fn of(mut child: Child) -> Self {
        let stdout = child.stdout.take().expect("its output was asked for");
        Self {
            child,
            lines: Some(BufReader::new(stdout).lines()),
        }
    }

    /// The next event.
    pub(crate) fn event(&mut self) -> serde_json::Value {
        let lines = self.lines.as_mut().expect("somebody reads");
        let line = lines.next().expect("another line").expect("UTF-8");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Goes away as a reader: the next line cannot be written.
    pub(crate) fn stop_reading(&mut self) {
        self.lines = None;
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &id])
            .status()
            .expect("kill is there");
        assert!(sent.success());
    }

    /// All that it still says, if nobody read before, and its exit code.
    pub(crate) fn rest(mut self) -> (String, Option<i32>) {
        let mut said = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut said).expect("UTF-8");
        }
        (said, self.code())
    }

    pub(crate) fn code(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
