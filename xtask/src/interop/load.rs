//! How much a responder answers, and what an answer costs: ours and others, in the same run, on a network of the lab.
//!
//! Each responder publishes the same services on one host, and another host asks for their SRV records: by legacy unicast
//! questions at rising rates, and by multicast ones. The two halves of `examples/load.rs` in `cooee-mdns` do it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::network::{Host, INTERFACE, Lab};
use super::process::Process;
use super::{Janitor, Run, cannot_run_here};
use crate::workspace::{self, Outcome};

/// Legacy unicast questions a second.
const RATES: &[u64] = &[1000, 5000, 20_000, 80_000];
const SECONDS: u64 = 3;

/// A responder that has not said "ready" by then is given up.
const PATIENCE: Duration = Duration::from_secs(90);

/// A responder to be measured.
struct Peer {
    name: String,
    program: Program,
    /// How many services it can publish in a reasonable time.
    most: usize,
}

enum Program {
    Cooee(PathBuf),
    Avahi,
    /// `PROGRAM N` publishes that many services and then says "ready".
    Other(PathBuf),
    /// A Python with the package `zeroconf`.
    Zeroconf(PathBuf),
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut peers = Vec::new();
    let mut services = vec![10, 1000, 10_000];
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let value = rest.next().ok_or(format!("{argument} wants a value"))?;
        match argument.as_str() {
            "--services" => {
                let number = value.parse().map_err(|error| format!("{value}: {error}"))?;
                services = vec![number];
            }
            "--python" => peers.push(Peer {
                name: "python-zeroconf".into(),
                program: Program::Zeroconf(value.into()),
                most: 10_000,
            }),
            "--peer" => {
                let (name, program) = value.split_once('=').ok_or("--peer wants NAME=PROGRAM")?;
                peers.push(Peer {
                    name: name.into(),
                    program: Program::Other(program.into()),
                    most: 1000,
                });
            }
            _ => {
                return Err(format!(
                    "no option '{argument}'; there are --services --python --peer"
                ));
            }
        }
    }
    if let Some(why) = cannot_run_here() {
        return Err(why);
    }
    let load = workspace::build_release(&["--package", "cooee-mdns", "--example", "load"])?;
    if workspace::find_program("avahi-daemon").is_some() {
        peers.insert(
            0,
            Peer {
                name: "Avahi".into(),
                program: Program::Avahi,
                most: 1000,
            },
        );
    }
    peers.insert(
        0,
        Peer {
            name: "cooee".into(),
            program: Program::Cooee(load.clone()),
            most: usize::MAX,
        },
    );
    let run = Run::new(load.clone(), false)?;
    let _janitor = Janitor::start(&run)?;
    println!(
        "| responder | services | questions | asked/s | answered | p50 | p99 | CPU per answer | memory |"
    );
    println!("|---|--:|---|--:|--:|--:|--:|--:|--:|");
    let mut number = 0;
    for services in services {
        for peer in peers.iter().filter(|peer| services <= peer.most) {
            number += 1;
            let lab = Lab::new(&run, number, &["ash", "elm"])?;
            if let Err(why) = measure(&lab, peer, services, &load) {
                println!("| {} | {services} | {why} | | | | | | |", peer.name);
            }
        }
    }
    Ok(())
}

fn measure(lab: &Lab, peer: &Peer, services: usize, load: &Path) -> Outcome {
    let (ash, elm) = (lab.host("ash")?, lab.host("elm")?);
    elm.configure(&format!("route add 224.0.0.0/4 dev {INTERFACE}\n"))?;
    ash.configure(&format!("route add 224.0.0.0/4 dev {INTERFACE}\n"))?;
    let responder = start(peer, ash, services)?;
    if matches!(peer.program, Program::Avahi) {
        wait_for_all(elm, services, load)?;
    }
    let ours = "192.0.2.11";
    let legacy = RATES.iter().map(|&rate| ("legacy", rate));
    // A record is multicast once a second at most.
    let multicast = [100, 500].iter().map(|&rate| ("multicast", rate));
    let multicast = multicast.filter(|&(_, rate)| services as u64 >= 2 * rate);
    for (kind, rate) in legacy.chain(multicast) {
        let before = responder.processor_time()?;
        let numbers = [rate.to_string(), services.to_string(), SECONDS.to_string()];
        let mut command = elm.command(load);
        match kind {
            "legacy" => command.arg("ask").args(&numbers).arg("192.0.2.10"),
            _ => command.arg("ask-all").args(&numbers).arg(ours),
        };
        let mut asker = elm.start("ask", &mut command)?;
        let [asked, answered, p50, p99] = result(&mut asker)?;
        let cpu = responder.processor_time()?.saturating_sub(before);
        let micros = cpu.as_secs_f64() * 1e6 / answered.max(1) as f64;
        println!(
            "| {} | {services} | {kind} | {} | {:.1} % | {p50} µs | {p99} µs | {micros:.1} µs | {:.1} MB |",
            peer.name,
            asked / SECONDS,
            100.0 * answered as f64 / asked.max(1) as f64,
            responder.memory("VmRSS:")? as f64 / 1024.0,
        );
    }
    Ok(())
}

/// Starts a responder and waits until it has published everything.
fn start(peer: &Peer, host: &Host, services: usize) -> Outcome<Process> {
    let number = services.to_string();
    let mut command = match &peer.program {
        Program::Cooee(load) => {
            let mut command = host.command(load);
            command.args(["serve", &number, INTERFACE]);
            command
        }
        Program::Other(program) => {
            let mut command = host.command(program);
            command.arg(&number);
            command
        }
        Program::Zeroconf(python) => {
            let mut command = host.command(python);
            command.args(["-c", ZEROCONF, &number]);
            command
        }
        Program::Avahi => avahi(host, services)?,
    };
    // The example ends when its input does.
    let mut process = host.start_with_input(&peer.name, &mut command)?;
    process.wait_for("readiness", PATIENCE, |line| {
        let is_ready = line.text == "ready" || line.text.contains("Server startup complete");
        is_ready.then_some(())
    })?;
    Ok(process)
}

/// Asks for everything until nearly everything is answered: Avahi goes on to probe for long after it says that it is up.
fn wait_for_all(elm: &Host, services: usize, load: &Path) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    let numbers = [
        (services / 2).max(5).to_string(),
        services.to_string(),
        "2".into(),
    ];
    while Instant::now() < deadline {
        let mut command = elm.command(load);
        command.arg("ask").args(&numbers).arg("192.0.2.10");
        let mut asker = elm.start("ask", &mut command)?;
        let [asked, answered, ..] = result(&mut asker)?;
        if answered * 100 >= asked * 95 {
            return Ok(());
        }
    }
    Err(format!("not all published within {} s", PATIENCE.as_secs()))
}

/// "60000 asked, 37769 answered, p50 141997 µs, p99 277940 µs"
fn result(asker: &mut Process) -> Outcome<[u64; 4]> {
    let said = asker.wait_for("result", Duration::from_secs(SECONDS + 20), |line| {
        line.text.contains("asked").then(|| line.text.clone())
    })?;
    let words: Vec<u64> = said
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    words
        .try_into()
        .map_err(|_| format!("not understood: {said}"))
}

/// A daemon with a file for each service, in a place of its own.
fn avahi(host: &Host, services: usize) -> Outcome<Command> {
    let fault = |error: std::io::Error| format!("services for Avahi: {error}");
    let folder = host.folder.join("services");
    std::fs::create_dir_all(&folder).map_err(fault)?;
    for number in 0..services {
        let text = format!(
            "<?xml version=\"1.0\" standalone='no'?><!DOCTYPE service-group SYSTEM \"avahi-service.dtd\">\
             <service-group><name>service-{number}</name><service><type>_load._tcp</type><port>8080</port></service></service-group>"
        );
        std::fs::write(folder.join(format!("{number}.service")), text).map_err(fault)?;
    }
    let settings = host.folder.join("avahi.conf");
    let text = format!(
        "[server]\nhost-name=tabasco\nuse-ipv4=yes\nuse-ipv6=yes\nallow-interfaces={INTERFACE}\nenable-dbus=no\n\
         ratelimit-interval-usec=1000000\nratelimit-burst=1000000\n[wide-area]\nenable-wide-area=no\n\
         [publish]\npublish-hinfo=no\npublish-workstation=no\n"
    );
    std::fs::write(&settings, text).map_err(fault)?;
    let daemon = workspace::find_program("avahi-daemon").ok_or("avahi-daemon is not installed")?;
    let mut command = host.command(Path::new("sh"));
    command
        .args([
            "-c",
            "mount -t tmpfs tmpfs /run && mount --bind \"$0\" /etc/avahi/services && exec \"$@\"",
        ])
        .arg(folder)
        .arg(daemon)
        .args(["--no-drop-root", "--no-chroot", "--no-rlimits", "--file"])
        .arg(settings);
    Ok(command)
}

/// The services without their probes, which take it a minute for a thousand.
const ZEROCONF: &str = "\
import sys,socket,time\n\
from zeroconf import Zeroconf,ServiceInfo\n\
z=Zeroconf(interfaces=['192.0.2.10'])\n\
for i in range(int(sys.argv[1])):\n\
\x20 z.registry.async_add(ServiceInfo('_load._tcp.local.',f'service-{i}._load._tcp.local.',8080,addresses=[socket.inet_aton('192.0.2.10')],server='tabasco.local.'))\n\
time.sleep(1)\n\
print('ready',flush=True)\n\
time.sleep(3600)\n";
