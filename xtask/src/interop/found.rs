//! From publish to found: how long many services take, with what packets, on a network of the lab.
//!
//! One host publishes and another, which comes when all is quiet, browses; `examples/many.rs` of the library is both of them.

use std::path::Path;
use std::time::Duration;

use super::network::{Host, Lab};
use super::process::Process;
use super::{Janitor, Run, cannot_run_here};
use crate::workspace::{self, Outcome};

const SERVICES: &[usize] = &[1, 100, 1000];

const PATIENCE: Duration = Duration::from_secs(60);
/// After this nothing more is announced or asked: the second announcement and the second question come after a second.
const QUIET: Duration = Duration::from_secs(3);

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut services = SERVICES.to_vec();
    match arguments {
        [] => {}
        [option, number] if option == "--services" => {
            let number = number
                .parse()
                .map_err(|error| format!("{number}: {error}"))?;
            services = vec![number];
        }
        _ => return Err("there is --services NUMBER".into()),
    }
    if let Some(why) = cannot_run_here() {
        return Err(why);
    }
    let many = workspace::build_release(&["--package", "cooee", "--example", "many"])?;
    let run = Run::new(many.clone(), false)?;
    let _janitor = Janitor::start(&run)?;
    println!("| services | side | time | packets IPv4 | packets IPv6 | CPU | memory |");
    println!("|--:|---|--:|--:|--:|--:|--:|");
    for (number, services) in services.into_iter().enumerate() {
        let lab = Lab::new(&run, number + 1, &["ash", "elm"])?;
        let (ash, elm) = (lab.host("ash")?, lab.host("elm")?);
        let (publisher, took) = start(ash, &many, "publish", services)?;
        report(services, "publish to ready", took, ash, &publisher)?;
        let before = sent(ash)?;
        let (finder, took) = start(elm, &many, "find", services)?;
        report(services, "browse to found", took, elm, &finder)?;
        let after = sent(ash)?;
        println!(
            "| {services} | answers to it | | {} | {} | | |",
            after.v4.saturating_sub(before.v4),
            after.v6.saturating_sub(before.v6)
        );
        drop(publisher);
    }
    Ok(())
}

/// Starts one side, waits until it is done, and until it is quiet.
fn start(host: &Host, many: &Path, what: &str, services: usize) -> Outcome<(Process, u64)> {
    let mut command = host.command(many);
    command.args([what, &services.to_string()]);
    let mut process = host.start_with_input(what, &mut command)?;
    let took = process.wait_for("result", PATIENCE, |line| {
        let millis = line.text.strip_suffix(" ms")?.rsplit(' ').next()?;
        millis.parse().ok()
    })?;
    std::thread::sleep(QUIET);
    Ok((process, took))
}

fn report(services: usize, side: &str, took: u64, host: &Host, process: &Process) -> Outcome {
    let packets = sent(host)?;
    println!(
        "| {services} | {side} | {took} ms | {} | {} | {} ms | {:.1} MB |",
        packets.v4,
        packets.v6,
        process.processor_time()?.as_millis(),
        process.peak_memory()? as f64 / 1024.0,
    );
    Ok(())
}

/// Datagrams of the two families.
struct Datagrams {
    v4: u64,
    v6: u64,
}

/// The UDP datagrams that a host has sent, by the kernel's count; nothing but the program sends any there.
fn sent(host: &Host) -> Outcome<Datagrams> {
    let v4 = host.read("/proc/net/snmp")?;
    let mut udp = v4.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (udp.next(), udp.next());
    let names = names.into_iter().flat_map(str::split_whitespace);
    let values = values.into_iter().flat_map(str::split_whitespace);
    let v4 = names
        .zip(values)
        .find_map(|(name, value)| (name == "OutDatagrams").then(|| value.parse().ok())?);
    let v6 = host.read("/proc/net/snmp6")?;
    let v6 = v6.lines().find_map(|line| {
        let value = line.strip_prefix("Udp6OutDatagrams")?;
        value.trim().parse().ok()
    });
    match (v4, v6) {
        (Some(v4), Some(v6)) => Ok(Datagrams { v4, v6 }),
        _ => Err("the kernel does not count datagrams".into()),
    }
}
