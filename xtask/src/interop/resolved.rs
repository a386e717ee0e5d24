//! systemd-resolved as the responder of a host, beside us: it owns the system's name and publishes services (rulings 20 to 22).

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use super::cooee::Cooee;
use super::neighbours::{SYSTEM, SYSTEM_NAME, check_host, count};
use super::network::{INTERFACE, Lab};
use super::process::Process;
use super::scenarios::{FOUND, HTTP, OFFERS};
use super::stack::Stack as _;
use super::{Outcome, Scenario};
use crate::conformance;

/// What the daemon publishes.
const THEIRS: &str = "Lobby";

/// Preparing and starting takes a while, publishing a second.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "the system's name, first systemd-resolved",
        needs: conformance::NEEDS_RESOLVED,
        hosts: &["ash", "elm"],
        run: first_resolved,
    },
    Scenario {
        name: "the system's name, then systemd-resolved",
        needs: conformance::NEEDS_RESOLVED,
        hosts: &["ash", "elm"],
        run: then_resolved,
    },
];

fn first_resolved(lab: &Lab) -> Outcome<String> {
    let mut daemon = start(lab)?;
    let mut watch = lab.watch()?;
    let ours = Cooee::on(lab, SYSTEM)?.named(SYSTEM).publish(&OFFERS[1])?;
    check_host(&ours.host)?;
    settled(lab, &mut daemon, &mut watch)
}

fn then_resolved(lab: &Lab) -> Outcome<String> {
    let ours = Cooee::on(lab, SYSTEM)?.named(SYSTEM).publish(&OFFERS[1])?;
    check_host(&ours.host)?;
    let mut watch = lab.watch()?;
    let mut daemon = start(lab)?;
    settled(lab, &mut daemon, &mut watch)
}

/// Starts the daemon on the host, under the host's name, and lets it publish.
fn start(lab: &Lab) -> Outcome<Process> {
    let host = lab.host(SYSTEM)?;
    let adapter = prepared()?;
    let mut command = host.command(Path::new("sh"));
    command.args(["-c", &adapter]);
    command.env("COOEE_INTERFACE", INTERFACE);
    command.env("COOEE_HOST", SYSTEM);
    let mut daemon = host.start_with_input("resolved", &mut command)?;
    daemon.wait_for("start", PATIENCE, |line| {
        line.text.starts_with("ready").then_some(())
    })?;
    daemon.say(&format!("publish {THEIRS} {HTTP} 8001"))?;
    daemon.wait_for("publication", PATIENCE, |line| {
        line.text.starts_with("ok").then_some(())
    })?;
    Ok(daemon)
}

/// The command line of the daemon's adapter, which is prepared once.
fn prepared() -> Outcome<String> {
    static ADAPTER: OnceLock<Outcome<String>> = OnceLock::new();
    ADAPTER
        .get_or_init(|| conformance::adapter("systemd-resolved"))
        .clone()
}

/// Both services are found at the system's name and the host's addresses, and it is quiet.
fn settled(lab: &Lab, daemon: &mut Process, watch: &mut Process) -> Outcome<String> {
    let ours = &OFFERS[1];
    let seen = Cooee::on(lab, "elm")?
        .browse(HTTP)?
        .found(&[THEIRS, ours.name], FOUND)?;
    for name in [THEIRS, ours.name] {
        let seen = seen.get(name).ok_or_else(|| format!("no {name}"))?;
        if seen.host != SYSTEM_NAME {
            return Err(format!("{name} is at {}", seen.host));
        }
        if !seen.addresses.contains(&lab.host(SYSTEM)?.ipv4()) {
            return Err(format!("{name} is at {:?}", seen.addresses));
        }
    }
    let text = count(watch)?;
    // "Detected conflict on ash IN A 192.0.2.10", "Hostname conflict, changing published hostname from 'ash' to 'ash2'."
    if daemon.has_said("onflict") {
        return Err("the daemon saw a conflict".into());
    }
    Ok(text)
}
