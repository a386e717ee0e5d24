//! The examples of the library, each as somebody would run it.

use std::path::PathBuf;
use std::time::Duration;

use super::cooee::Cooee;
use super::network::Lab;
use super::process::Process;
use super::{Outcome, Scenario};
use crate::workspace;

const HOSTS: &[&str] = &["ash", "elm"];

const PATIENCE: Duration = Duration::from_secs(15);

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "example: three peers chat, two on one host",
        needs: &["sh"],
        hosts: HOSTS,
        run: peer_chat,
    },
    Scenario {
        name: "example: a file is dropped",
        needs: &["sh"],
        hosts: HOSTS,
        run: file_drop,
    },
    Scenario {
        name: "example: printers are listed",
        needs: &[],
        hosts: HOSTS,
        run: printer_list,
    },
    Scenario {
        name: "example: browsing without async",
        needs: &[],
        hosts: HOSTS,
        run: blocking_browse,
    },
    Scenario {
        name: "example: the engine without tokio",
        needs: &[],
        hosts: HOSTS,
        run: sans_io,
    },
];

/// Builds the examples: before the first scenario, so that no time is lost in one.
pub(super) fn build() -> Outcome {
    let build = ["build", "--quiet", "--package", "cooee", "--examples"];
    workspace::run(workspace::cargo().args(build))
}

/// Where an example is.
fn example(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| workspace::root().join("target"), PathBuf::from);
    target.join("debug/examples").join(name)
}

fn start(lab: &Lab, host: &str, name: &str, arguments: &[&str]) -> Outcome<Process> {
    let host = lab.host(host)?;
    let mut command = host.command(&example(name));
    host.start(name, command.args(arguments))
}

/// The same in a shell, where `$0` is the example.
fn start_in_shell(lab: &Lab, host: &str, name: &str, script: &str) -> Outcome<Process> {
    let host = lab.host(host)?;
    let mut command = host.command(std::path::Path::new("sh"));
    command.args(["-c", script]).arg(example(name));
    host.start(name, &mut command)
}

/// Waits for a text, unless it has come already: what happens at once is told in any order.
fn wait_for(process: &mut Process, text: &str) -> Outcome {
    if process.has_said(text) {
        return Ok(());
    }
    process.wait_for(text, PATIENCE, |line| {
        line.text.contains(text).then_some(())
    })
}

fn peer_chat(lab: &Lab) -> Outcome<String> {
    // Typed after all have seen each other, and nothing more until the scenario ends.
    let types = "(sleep 6; echo hello to all; sleep 60) | exec \"$0\" keith";
    let waits = "sleep 60 | exec \"$0\" keith";
    let mut first = start_in_shell(lab, "ash", "peer_chat", types)?;
    wait_for(&mut first, "* you are keith")?;
    let mut second = start_in_shell(lab, "ash", "peer_chat", waits)?;
    wait_for(&mut second, "* you are keith (2)")?;
    let mut third = start_in_shell(lab, "elm", "peer_chat", waits)?;
    wait_for(&mut third, "* you are keith (3)")?;
    wait_for(&mut first, "* keith (2) is here")?;
    wait_for(&mut first, "* keith (3) is here")?;
    wait_for(&mut second, "keith: hello to all")?;
    wait_for(&mut third, "keith: hello to all")?;
    let own = "* keith is here";
    match first.has_said(own) {
        true => Err("the first peer sees itself".into()),
        false => Ok("all three hear what one says".into()),
    }
}

fn file_drop(lab: &Lab) -> Outcome<String> {
    let receive =
        "d=$(mktemp -d) && cd \"$d\" && \"$0\" receive && cat received.bin && rm -r \"$d\"";
    let mut receiver = start_in_shell(lab, "ash", "file_drop", receive)?;
    wait_for(&mut receiver, "waiting as")?;
    let send =
        "f=$(mktemp) && echo what was in the file >\"$f\" && \"$0\" send \"$f\" && rm \"$f\"";
    let mut sender = start_in_shell(lab, "elm", "file_drop", send)?;
    wait_for(&mut sender, "sent 21 octets")?;
    wait_for(&mut receiver, "what was in the file")?;
    Ok("21 octets arrive".into())
}

fn printer_list(lab: &Lab) -> Outcome<String> {
    let printer = ["Lobby", "_ipp._tcp", "631", "ty=LaserJet 4", "rp=lobby"];
    let mut publisher = Cooee::on(lab, "ash")?.start("publish", &printer)?;
    wait_for(&mut publisher, "registered")?;
    let mut list = start(lab, "elm", "printer_list", &[])?;
    wait_for(&mut list, "Lobby (_ipp._tcp")?;
    wait_for(&mut list, "LaserJet 4")?;
    wait_for(&mut list, ":631")?;
    match list.wait_for_end(PATIENCE)?.success() {
        true => Ok("with model, queue and addresses".into()),
        false => Err("printer_list has failed".into()),
    }
}

fn blocking_browse(lab: &Lab) -> Outcome<String> {
    let mut browse = start(lab, "elm", "blocking_browse", &[])?;
    let mut publisher = Cooee::on(lab, "ash")?.start("publish", &["Web", "_http._tcp", "80"])?;
    wait_for(&mut publisher, "registered")?;
    wait_for(&mut browse, "+ Web")?;
    publisher.signal("TERM")?;
    wait_for(&mut browse, "- Web")?;
    Ok("added and removed".into())
}

fn sans_io(lab: &Lab) -> Outcome<String> {
    let mut publisher = Cooee::on(lab, "ash")?.start("publish", &["Web", "_http._tcp", "80"])?;
    wait_for(&mut publisher, "registered")?;
    let address = lab.host("elm")?.ipv4().to_string();
    let mut engine = start(lab, "elm", "sans_io", &[&address])?;
    // It asks at once, and has to probe for the name.
    wait_for(&mut engine, "Web._http._tcp.local")?;
    wait_for(&mut engine, "sans-io.local is ours")?;
    let arguments = ["sans-io.local", "TXT"];
    let mut query = Cooee::on(lab, "ash")?.start("query", &arguments)?;
    wait_for(&mut query, "no runtime here")?;
    Ok("publishes and finds".into())
}
