//! For scripts of others, and for eyes on the wire: `browse --parsable` and `monitor`.

use std::time::Duration;

use super::avahi::{self, Avahi};
use super::cooee::Cooee;
use super::network::{Host, INTERFACE, Lab};
use super::process::Process;
use super::scenarios::{FOUND, HTTP, OFFERS};
use super::stack::Stack;
use super::{Outcome, Scenario};

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "browse -p says what avahi-browse -p says",
        needs: avahi::PROGRAMS,
        hosts: &["ash", "elm"],
        run: same_lines,
    },
    Scenario {
        name: "cooee monitor finds nothing wrong with cooee",
        needs: &[],
        hosts: &["ash", "elm", "oak"],
        run: clean,
    },
];

const PATIENCE: Duration = Duration::from_secs(15);

/// The same publications seen on one host by both, once all is found.
fn same_lines(lab: &Lab) -> Outcome<String> {
    let ash = Cooee::on(lab, "ash")?;
    let elm = lab.host("elm")?;
    let avahi = Avahi::start(elm)?;
    let publications: Vec<_> = OFFERS
        .iter()
        .map(|offer| ash.publish(offer))
        .collect::<Outcome<_>>()?;
    // Once Avahi has all in its cache, its list ends with all of it.
    let names: Vec<&str> = OFFERS.iter().map(|offer| offer.name).collect();
    avahi.browse(HTTP)?.found(&names, FOUND)?;
    let theirs = lines(avahi.list(HTTP)?)?;
    let ours = lines(cooee(lab, elm, &["browse", "-prt", HTTP])?)?;
    drop(publications);
    if theirs == ours && !ours.is_empty() {
        return Ok(format!("{} lines", ours.len()));
    }
    Err(format!(
        "avahi-browse:\n{}\ncooee browse:\n{}",
        theirs.join("\n"),
        ours.join("\n")
    ))
}

/// All lines of a list that ends by itself, in order.
fn lines(mut list: Process) -> Outcome<Vec<String>> {
    list.wait_for_end(PATIENCE)?;
    let mut lines: Vec<String> = list.lines().iter().map(|line| compared(line)).collect();
    lines.retain(|line| line.starts_with(['+', '=']));
    lines.sort();
    Ok(lines)
}

/// A line without what differs by intention: Avahi 0.8 prints the strings of TXT in reverse, and in lines of IPv6 any address.
fn compared(line: &str) -> String {
    let fields: Vec<&str> = line.splitn(10, ';').collect();
    let [before @ .., address, port, txt] = fields.as_slice() else {
        return line.to_owned();
    };
    if before.len() != 7 {
        return line.to_owned();
    }
    let address = if before.contains(&"IPv4") {
        address
    } else {
        "any"
    };
    let mut strings = avahi::quoted_strings(txt);
    strings.sort();
    format!(
        "{};{address};{port};{}",
        before.join(";"),
        strings.join(" ")
    )
}

fn cooee(lab: &Lab, host: &Host, words: &[&str]) -> Outcome<Process> {
    let mut command = host.command(lab.binary());
    host.start("cooee", command.args(["-i", INTERFACE]).args(words))
}

/// From the first probe to the goodbye, with somebody who looks.
fn clean(lab: &Lab) -> Outcome<String> {
    let oak = lab.host("oak")?;
    let mut monitor = cooee(lab, oak, &["monitor", "-v", "--fail-on", "warning"])?;
    let elm = Cooee::on(lab, "elm")?;
    let mut browse = elm.browse(HTTP)?;
    monitor.wait_for("question", PATIENCE, |line| {
        line.text.contains("\tQ QM").then_some(())
    })?;
    let ash = Cooee::on(lab, "ash")?;
    // Several would share the host name, and each announces it in its own time.
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let mut publication = ash.publish(offer)?;
    browse.found(&[offer.name], FOUND)?;
    publication.process.signal("TERM")?;
    publication.process.wait_for_end(PATIENCE)?;
    browse.removed(offer.name, PATIENCE)?;
    for tag in ["probe", "goodbye"] {
        if !monitor.has_said(&format!(" {tag}")) {
            return Err(format!("the monitor has seen no {tag}"));
        }
    }
    monitor.signal("TERM")?;
    let end = monitor.wait_for_end(PATIENCE)?;
    match end.success() {
        true => Ok(String::new()),
        false => Err(format!(
            "cooee monitor ended with {end}: see its lines with !!"
        )),
    }
}
