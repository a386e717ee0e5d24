//! Tests with real sockets and interfaces, in a network namespace of their own.
//!
//! Such a test is two functions: one that is ignored and does the work, and one that runs it, alone, under `unshare`. Where namespaces are
//! not allowed, or `ip` is missing, the test is skipped and says so.

use std::process::Command;

/// Told to the inner test, so that it does nothing when somebody runs ignored tests on a real network.
const MARK: &str = "COOEE_TEST_NAMESPACE";

/// Runs the ignored test with this path (`net::socket::tests::…`) in a fresh network namespace in which only loopback exists.
pub(super) fn run_in_namespace(test: &str) {
    let may_unshare = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .args([
            "ip", "link", "add", "cooee-a", "type", "veth", "peer", "cooee-b",
        ])
        .output();
    match may_unshare {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            println!("skipped: no network namespaces here: {}", why.trim());
            return;
        }
        Err(error) => {
            println!("skipped: cannot run unshare: {error}");
            return;
        }
    }
    let this = std::env::current_exe().expect("a test knows its own file");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(this)
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(MARK, "1")
        .output()
        .expect("unshare ran a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether the caller runs in such a namespace; if not, it has to do nothing.
pub(super) fn is_in_namespace() -> bool {
    let is_in = std::env::var_os(MARK).is_some();
    if !is_in {
        println!("skipped: not in a namespace of its own");
    }
    is_in
}

/// Runs `ip` with these commands, one on each line.
pub(super) fn ip(commands: &str) {
    use std::io::Write;
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("ip ran a moment ago");
    let mut stdin = ip.stdin.take().expect("its input is a pipe");
    stdin
        .write_all(commands.as_bytes())
        .expect("ip reads its commands");
    drop(stdin);
    let end = ip.wait().expect("ip is our child");
    assert!(end.success(), "ip: {commands}");
}

/// Sets a `sysctl` of the namespace.
pub(super) fn sysctl(name: &str, value: &str) {
    let file = format!("/proc/sys/{}", name.replace('.', "/"));
    std::fs::write(file, value).expect("the namespace is ours");
}
