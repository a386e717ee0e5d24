//! Hosts where something is missing or taken: each time one sentence says what, and what can go on goes on.

use std::time::Duration;

use super::cooee::Cooee;
use super::network::{INTERFACE, Lab};
use super::scenarios::{FOUND, HTTP, OFFERS};
use super::stack::Stack as _;
use super::{Outcome, Scenario};

const TWO_HOSTS: &[&str] = &["ash", "elm"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "an interface that is not there",
        needs: &[],
        hosts: TWO_HOSTS,
        run: wrong_interface,
    },
    Scenario {
        name: "no usable interface, and then one",
        needs: &[],
        hosts: TWO_HOSTS,
        run: no_interface,
    },
    Scenario {
        name: "IPv6 switched off",
        needs: &[],
        hosts: TWO_HOSTS,
        run: without_ipv6,
    },
    Scenario {
        name: "port 5353 held by who does not share it",
        needs: &["python3"],
        hosts: TWO_HOSTS,
        run: port_held,
    },
];

const LIMIT: Duration = Duration::from_secs(5);

/// cooee on ash, with this subcommand, ends by itself with this code and this sentence.
fn refused(lab: &Lab, on: &'static [&'static str], code: i32, sentence: &str) -> Outcome {
    let cooee = Cooee::on(lab, "ash")?.on_interfaces(on);
    let mut process = cooee.start("browse", &[HTTP])?;
    let status = process.wait_for_end(LIMIT)?;
    if status.code() != Some(code) {
        return Err(format!("ended with {status}"));
    }
    if !process.has_said(sentence) {
        return Err(format!("said {:?} and not {sentence:?}", process.lines()));
    }
    Ok(())
}

fn wrong_interface(lab: &Lab) -> Outcome<String> {
    refused(lab, &["lab7"], 2, "did you mean 'lab0'?").map(|()| String::new())
}

/// It says that it waits, waits, and finds when the cable is in.
fn no_interface(lab: &Lab) -> Outcome<String> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _theirs = Cooee::on(lab, "elm")?.publish(offer)?;
    lab.configure_bridges("link set ash down\n")?;
    let mut browse = Cooee::on(lab, "ash")?
        .by_default()
        .start("browse", &[HTTP])?;
    browse.wait_for("complaint", LIMIT, |line| {
        line.text.contains("no usable link").then_some(())
    })?;
    lab.configure_bridges("link set ash up\n")?;
    browse.wait_for("service", FOUND, |line| {
        line.text.contains(offer.name).then_some(())
    })?;
    Ok(String::new())
}

// RFC 6762 §20 (6762-20-1)
fn without_ipv6(lab: &Lab) -> Outcome<String> {
    for host in TWO_HOSTS {
        lab.host(host)?
            .sysctl("net.ipv6.conf.all.disable_ipv6", "1")?;
    }
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _ours = Cooee::on(lab, "ash")?.publish(offer)?;
    let mut browse = Cooee::on(lab, "elm")?.start("browse", &[HTTP])?;
    browse.wait_for("service", FOUND, |line| {
        line.text.contains("\"192.0.2.10\"").then_some(())
    })?;
    Ok(String::new())
}

/// One family taken: the other goes on. Both: a sentence, and the end.
fn port_held(lab: &Lab) -> Outcome<String> {
    let ash = lab.host("ash")?;
    let hold = |family: &str, address: &str| -> Outcome<_> {
        let program = format!(
            "import socket,time\n\
             s=socket.socket(socket.{family},socket.SOCK_DGRAM)\n\
             if s.family==socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,1)\n\
             s.bind(('{address}',5353))\nprint('held',flush=True)\ntime.sleep(600)\n"
        );
        let mut command = ash.command("python3".as_ref());
        let mut holder = ash.start("holder", command.args(["-c", &program]))?;
        holder.wait_for("hold", LIMIT, |line| (line.text == "held").then_some(()))?;
        Ok(holder)
    };
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _theirs = Cooee::on(lab, "elm")?.publish(offer)?;
    let _ipv4 = hold("AF_INET", "0.0.0.0")?;
    let mut browse = Cooee::on(lab, "ash")?.start("browse", &[HTTP])?;
    browse.wait_for("service over IPv6", FOUND, |line| {
        line.text.contains(offer.name).then_some(())
    })?;
    drop(browse);
    let _ipv6 = hold("AF_INET6", "::")?;
    refused(lab, &[INTERFACE], 3, "held by python3 (pid ").map(|()| String::new())
}
