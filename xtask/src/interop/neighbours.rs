//! Good neighbours: other responders on the same host, and the name that the system goes by (rulings 20 to 22).

use std::time::{Duration, Instant};

use super::avahi::{self, Avahi};
use super::cooee::Cooee;
use super::network::Lab;
use super::process::Process;
use super::scenarios::{FOUND, HTTP, OFFERS, packets};
use super::stack::{Offer, Stack};
use super::{Outcome, Scenario};

const TWO_HOSTS: &[&str] = &["ash", "elm"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "the system's name, first avahi, then cooee",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: borrowed_from_the_start,
    },
    Scenario {
        name: "the system's name, first cooee, then avahi",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: given_back,
    },
    Scenario {
        name: "the system's name, avahi stops and restarts",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: taken_over_and_given_back,
    },
    Scenario {
        name: "the system's name, two cooees",
        needs: &["tcpdump"],
        hosts: TWO_HOSTS,
        run: two_cooees,
    },
    Scenario {
        name: "two cooees on one host hear each other",
        needs: &[],
        hosts: &["ash"],
        run: on_one_host,
    },
];

/// The name of the first host, as its system has it.
pub(super) const SYSTEM: &str = "ash";
pub(super) const SYSTEM_NAME: &str = "ash.local";

/// How long a settled network is watched, and what is a storm by then: a probe, an answer and a question are 1 packet each and family.
const WATCHED: Duration = Duration::from_secs(5);
const STORM: usize = 60;

fn borrowed_from_the_start(lab: &Lab) -> Outcome<String> {
    let avahi = Avahi::start(lab.host(SYSTEM)?)?;
    let theirs = avahi.publish(&OFFERS[0])?;
    let mut watch = lab.watch()?;
    let ours = Cooee::on(lab, SYSTEM)?.named(SYSTEM).publish(&OFFERS[1])?;
    let text = settled(lab, &avahi, &mut watch)?;
    check_host(&theirs.host)?;
    check_host(&ours.host)?;
    Ok(text)
}

fn given_back(lab: &Lab) -> Outcome<String> {
    let ours = Cooee::on(lab, SYSTEM)?.named(SYSTEM).publish(&OFFERS[1])?;
    check_addresses(lab)?;
    let mut watch = lab.watch()?;
    let avahi = Avahi::start(lab.host(SYSTEM)?)?;
    let theirs = avahi.publish(&OFFERS[0])?;
    let text = settled(lab, &avahi, &mut watch)?;
    check_host(&theirs.host)?;
    check_host(&ours.host)?;
    Ok(text)
}

/// With the daemon gone the name still leads to the host, by us; when it is back, it has its name again.
fn taken_over_and_given_back(lab: &Lab) -> Outcome<String> {
    let avahi = Avahi::start(lab.host(SYSTEM)?)?;
    let _ours = Cooee::on(lab, SYSTEM)?.named(SYSTEM).publish(&OFFERS[1])?;
    avahi.stop()?;
    let stopped = Instant::now();
    check_addresses(lab)?;
    let taken_over = stopped.elapsed();
    let avahi = Avahi::start(lab.host(SYSTEM)?)?;
    avahi.check_no_conflict()?;
    // At once again: the goodbye is hardly out.
    avahi.stop()?;
    let mut watch = lab.watch()?;
    let avahi = Avahi::start(lab.host(SYSTEM)?)?;
    let _theirs = avahi.publish(&OFFERS[0])?;
    let text = settled(lab, &avahi, &mut watch)?;
    Ok(format!(
        "{text}; name answered {:.1} s after the daemon's end",
        taken_over.as_secs_f64()
    ))
}

fn two_cooees(lab: &Lab) -> Outcome<String> {
    let ash = || Ok::<_, String>(Cooee::on(lab, SYSTEM)?.named(SYSTEM));
    let mut first = ash()?.publish(&OFFERS[0])?;
    let mut watch = lab.watch()?;
    let second = ash()?.publish(&OFFERS[1])?;
    check_host(&first.host)?;
    check_host(&second.host)?;
    find(lab, &OFFERS[..2])?;
    first.end_cooee("TERM")?;
    // The name goes over to the one that is left.
    check_addresses(lab)?;
    count(&mut watch)
}

fn on_one_host(lab: &Lab) -> Outcome<String> {
    let ash = Cooee::on(lab, SYSTEM)?;
    let _one = ash.publish(&OFFERS[0])?;
    let _two = ash.publish(&OFFERS[1])?;
    let names = [OFFERS[0].name, OFFERS[1].name];
    ash.browse(HTTP)?.found(&names, FOUND)?;
    Ok(String::new())
}

/// Both services are found, the daemon was never contradicted, and it is quiet.
fn settled(lab: &Lab, avahi: &Avahi<'_>, watch: &mut Process) -> Outcome<String> {
    find(lab, &OFFERS[..2])?;
    let text = count(watch)?;
    avahi.check_no_conflict()?;
    Ok(text)
}

fn find(lab: &Lab, offers: &[Offer]) -> Outcome {
    let names: Vec<&str> = offers.iter().map(|offer| offer.name).collect();
    let seen = Cooee::on(lab, "elm")?.browse(HTTP)?.found(&names, FOUND)?;
    for offer in offers {
        let seen = seen
            .get(offer.name)
            .ok_or_else(|| format!("{} was not found", offer.name))?;
        seen.check(offer, SYSTEM_NAME, lab.host(SYSTEM)?)?;
    }
    Ok(())
}

/// Watches on for a while, and counts the packets since the watch began.
pub(super) fn count(watch: &mut Process) -> Outcome<String> {
    std::thread::sleep(WATCHED);
    watch.signal("INT")?;
    watch.wait_for_end(Duration::from_secs(2))?;
    let packets = packets(watch.lines()).len();
    if packets > STORM {
        return Err(format!("{packets} packets: a storm"));
    }
    Ok(format!("{packets} packets"))
}

pub(super) fn check_host(host: &str) -> Outcome {
    if host == SYSTEM_NAME {
        Ok(())
    } else {
        Err(format!("the host is called {host}"))
    }
}

/// Somebody on another host finds all addresses of the system's name.
fn check_addresses(lab: &Lab) -> Outcome {
    let ash = lab.host(SYSTEM)?;
    let elm = Cooee::on(lab, "elm")?;
    let deadline = Instant::now() + Duration::from_secs(8);
    loop {
        let addresses = elm.addresses_of(SYSTEM)?;
        if addresses.contains(&ash.ipv4()) && addresses.iter().all(|address| ash.has(*address)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{SYSTEM_NAME} leads to {addresses:?}"));
        }
    }
}
