//! What must work between cooee and others.

use std::time::Duration;

use super::avahi::{self, Avahi};
use super::cooee::Cooee;
use super::network::Lab;
use super::stack::{Offer, Stack};
use super::{Outcome, Scenario};

const NONE: &[&str] = &[];
const TWO_HOSTS: &[&str] = &["ash", "elm"];
const THREE_HOSTS: &[&str] = &["ash", "elm", "oak"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "avahi publishes, avahi finds",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: avahi_to_avahi,
    },
    Scenario {
        name: "cooee publishes, cooee finds",
        needs: NONE,
        hosts: TWO_HOSTS,
        run: cooee_to_cooee,
    },
    Scenario {
        name: "cooee publishes, avahi finds",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: cooee_to_avahi,
    },
    Scenario {
        name: "avahi publishes, cooee finds",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: avahi_to_cooee,
    },
    Scenario {
        name: "cooee resolves cooee and avahi",
        needs: avahi::PROGRAMS,
        hosts: THREE_HOSTS,
        run: resolve,
    },
    Scenario {
        name: "cooee comes and goes, by SIGTERM",
        needs: avahi::PROGRAMS,
        hosts: THREE_HOSTS,
        run: goodbye_term,
    },
    Scenario {
        name: "cooee comes and goes, by SIGINT",
        needs: avahi::PROGRAMS,
        hosts: THREE_HOSTS,
        run: goodbye_int,
    },
    Scenario {
        name: "avahi comes and goes",
        needs: avahi::PROGRAMS,
        hosts: TWO_HOSTS,
        run: goodbye_of_avahi,
    },
    Scenario {
        name: "one host, first avahi, then cooee",
        needs: avahi::PROGRAMS,
        hosts: THREE_HOSTS,
        run: avahi_first,
    },
    Scenario {
        name: "one host, first cooee, then avahi",
        needs: avahi::PROGRAMS,
        hosts: THREE_HOSTS,
        run: cooee_first,
    },
    Scenario {
        name: "cooee without privileges",
        needs: &["setpriv"],
        hosts: TWO_HOSTS,
        run: unprivileged,
    },
    Scenario {
        name: "what cooee puts on the wire",
        needs: &["tcpdump"],
        hosts: TWO_HOSTS,
        run: on_the_wire,
    },
];

/// With nothing beside it that could cost time.
pub(super) const ALONE: &[Scenario] = &[Scenario {
    name: "time from browse to resolved",
    needs: NONE,
    hosts: TWO_HOSTS,
    run: time_to_find,
}];

pub(super) const HTTP: &str = "_http._tcp";

/// A quote that is no ASCII, a dot, and scripts beyond Latin; each with spaces. TXT in all its forms.
pub(super) const OFFERS: &[Offer] = &[
    Offer {
        name: "Keith’s web server",
        kind: HTTP,
        port: 8080,
        txt: &["path=/", "u=keith"],
    },
    Offer {
        name: "Test Svc.One",
        kind: HTTP,
        port: 4242,
        txt: &["flag", "empty=", "note=two words; three"],
    },
    Offer {
        name: "Größe 東京 ☕",
        kind: HTTP,
        port: 65535,
        txt: &["ort=Köln"],
    },
];

/// Long enough for a lost packet and its repetition, on a busy machine too.
pub(super) const FOUND: Duration = Duration::from_secs(5);

/// A goodbye counts after one second (RFC 6762 §10.1); the rest is for the machine.
const GONE: Duration = Duration::from_secs(3);

fn avahi_to_avahi(lab: &Lab) -> Outcome<String> {
    found(
        lab,
        &Avahi::start(lab.host("ash")?)?,
        &Avahi::start(lab.host("elm")?)?,
    )
}

fn cooee_to_cooee(lab: &Lab) -> Outcome<String> {
    found(lab, &Cooee::on(lab, "ash")?, &Cooee::on(lab, "elm")?)
}

fn cooee_to_avahi(lab: &Lab) -> Outcome<String> {
    found(
        lab,
        &Cooee::on(lab, "ash")?,
        &Avahi::start(lab.host("elm")?)?,
    )
}

fn avahi_to_cooee(lab: &Lab) -> Outcome<String> {
    found(
        lab,
        &Avahi::start(lab.host("ash")?)?,
        &Cooee::on(lab, "elm")?,
    )
}

/// Everything that ash publishes is found by elm, and all of it is right.
// RFC 6762 §5.2 (6762-5.2-18), RFC 6763 §1 (6763-1-6), §4.1.1 (6763-4.1.1-3), §6.4 (6763-6.4-12)
fn found(lab: &Lab, publisher: &dyn Stack, browser: &dyn Stack) -> Outcome<String> {
    let publications: Vec<_> = OFFERS
        .iter()
        .map(|offer| publisher.publish(offer))
        .collect::<Outcome<_>>()?;
    let names: Vec<&str> = OFFERS.iter().map(|offer| offer.name).collect();
    let mut browse = browser.browse(HTTP)?;
    let seen = browse.found(&names, FOUND)?;
    for (offer, publication) in OFFERS.iter().zip(&publications) {
        let seen = seen
            .get(offer.name)
            .ok_or_else(|| format!("{} was not found", offer.name))?;
        seen.check(offer, &publication.host, lab.host("ash")?)?;
    }
    let strangers: Vec<&String> = seen
        .keys()
        .filter(|name| !names.contains(&name.as_str()))
        .collect();
    if strangers.is_empty() {
        Ok(String::new())
    } else {
        Err(format!("found what nobody published: {strangers:?}"))
    }
}

fn resolve(lab: &Lab) -> Outcome<String> {
    let [first, second, third] = OFFERS else {
        return Err("wants three offers".into());
    };
    let (ash, oak) = (Cooee::on(lab, "ash")?, Avahi::start(lab.host("oak")?)?);
    let elm = Cooee::on(lab, "elm")?;
    let (one, two, three) = (
        ash.publish(first)?,
        ash.publish(second)?,
        oak.publish(third)?,
    );
    elm.resolve(first.name, HTTP)?
        .check(first, &one.host, lab.host("ash")?)?;
    elm.resolve(second.name, HTTP)?
        .check(second, &two.host, lab.host("ash")?)?;
    elm.resolve(third.name, HTTP)?
        .check(third, &three.host, lab.host("oak")?)?;
    Ok(String::new())
}

fn goodbye_term(lab: &Lab) -> Outcome<String> {
    goodbye_of_cooee(lab, "TERM")
}

fn goodbye_int(lab: &Lab) -> Outcome<String> {
    goodbye_of_cooee(lab, "INT")
}

/// Who already browses hears of a service when it comes, and when it says goodbye: cooee and Avahi.
// RFC 6762 §10.1 (6762-10.1-1)
fn goodbye_of_cooee(lab: &Lab, signal: &str) -> Outcome<String> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let (elm, oak) = (Cooee::on(lab, "elm")?, Avahi::start(lab.host("oak")?)?);
    let (mut cooee, mut avahi) = (elm.browse(HTTP)?, oak.browse(HTTP)?);
    let mut publication = Cooee::on(lab, "ash")?.publish(offer)?;
    cooee.found(&[offer.name], FOUND)?;
    avahi.found(&[offer.name], FOUND)?;
    publication.end_cooee(signal)?;
    cooee.removed(offer.name, GONE)?;
    avahi.removed(offer.name, GONE)?;
    Ok(String::new())
}

fn goodbye_of_avahi(lab: &Lab) -> Outcome<String> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let ash = Avahi::start(lab.host("ash")?)?;
    let elm = Cooee::on(lab, "elm")?;
    let mut browse = elm.browse(HTTP)?;
    let publication = ash.publish(offer)?;
    browse.found(&[offer.name], FOUND)?;
    publication.process.signal("TERM")?;
    browse.removed(offer.name, GONE)?;
    Ok(String::new())
}

fn avahi_first(lab: &Lab) -> Outcome<String> {
    let avahi = Avahi::start(lab.host("ash")?)?;
    let theirs = avahi.publish(&OFFERS[0])?;
    let ours = Cooee::on(lab, "ash")?.publish(&OFFERS[1])?;
    side_by_side(lab, &avahi, &[&theirs.host, &ours.host])
}

fn cooee_first(lab: &Lab) -> Outcome<String> {
    let ours = Cooee::on(lab, "ash")?.publish(&OFFERS[1])?;
    let avahi = Avahi::start(lab.host("ash")?)?;
    let theirs = avahi.publish(&OFFERS[0])?;
    side_by_side(lab, &avahi, &[&theirs.host, &ours.host])
}

/// Avahi and cooee on ash share port 5353: everybody finds both, they find each other, and no name is changed.
// RFC 6762 §15.1 (6762-15.1-1, -2), ruling 2
fn side_by_side(lab: &Lab, on_ash: &Avahi<'_>, hosts: &[&str]) -> Outcome<String> {
    let (elm, oak) = (Cooee::on(lab, "elm")?, Avahi::start(lab.host("oak")?)?);
    let ash = Cooee::on(lab, "ash")?;
    let offers = &OFFERS[..2];
    let names: Vec<&str> = offers.iter().map(|offer| offer.name).collect();
    let stacks: [(&str, &dyn Stack); 4] = [
        ("cooee on elm", &elm),
        ("avahi on oak", &oak),
        ("cooee on ash", &ash),
        ("avahi on ash", on_ash),
    ];
    for (who, stack) in stacks {
        let seen = stack
            .browse(HTTP)?
            .found(&names, FOUND)
            .map_err(|why| format!("{who}: {why}"))?;
        for (offer, host) in offers.iter().zip(hosts) {
            let seen = seen
                .get(offer.name)
                .ok_or_else(|| format!("{who} did not find {}", offer.name))?;
            seen.check(offer, host, lab.host("ash")?)
                .map_err(|why| format!("{who}: {why}"))?;
        }
    }
    on_ash.check_no_conflict()?;
    oak.check_no_conflict()?;
    Ok(String::new())
}

// RFC 6762 §21 (6762-21-5)
fn unprivileged(lab: &Lab) -> Outcome<String> {
    let (ash, elm) = (Cooee::on(lab, "ash")?, Cooee::on(lab, "elm")?);
    found(lab, &ash.unprivileged(), &elm.unprivileged())
}

/// From publication to goodbye, every packet leaves from port 5353 with the greatest TTL, in both families.
// RFC 6762 §5.2 (6762-5.2-17), §6 (6762-6-24), §11 (6762-11-1), §20 (6762-20-2)
fn on_the_wire(lab: &Lab) -> Outcome<String> {
    let mut watch = lab.watch()?;
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let mut publication = Cooee::on(lab, "ash")?.publish(offer)?;
    let elm = Cooee::on(lab, "elm")?;
    let mut browse = elm.browse(HTTP)?;
    browse.found(&[offer.name], FOUND)?;
    publication.end_cooee("TERM")?;
    browse.removed(offer.name, GONE)?;

    watch.signal("INT")?;
    watch.wait_for_end(Duration::from_secs(2))?;
    let packets = packets(watch.lines());
    let wrong = packets.iter().find(|packet| {
        let greatest = packet.contains("ttl 255,") || packet.contains("hlim 255,");
        let from_5353 = packet.contains(".5353 > ");
        !greatest || !from_5353
    });
    if let Some(packet) = wrong {
        return Err(format!("not from port 5353 with TTL 255: {packet}"));
    }
    // Every multicast goes out in both families; the capture may cut off the twin of the last one.
    let to = |group: &str| {
        packets
            .iter()
            .filter(|packet| packet.contains(group))
            .count()
    };
    let (v4, v6) = (to(" > 224.0.0.251.5353"), to(" > ff02::fb.5353"));
    if v4 == 0 || v4.abs_diff(v6) > 1 {
        return Err(format!("{v4} multicasts in IPv4, {v6} in IPv6"));
    }
    Ok(format!("{v4} multicasts in each family"))
}

/// The packets in what tcpdump said: the second line of an IPv4 packet is indented.
pub(super) fn packets(lines: &[String]) -> Vec<String> {
    let mut packets: Vec<String> = Vec::new();
    for line in lines {
        match packets.last_mut() {
            Some(packet) if line.starts_with(' ') => packet.push_str(line),
            _ if line.contains(" IP ") || line.contains(" IP6 ") => {
                let from = line.find("IP").unwrap_or(0);
                packets.push(line[from..].to_owned());
            }
            _ => {}
        }
    }
    packets
}

/// How often the time is taken.
const RUNS: usize = 20;
const MEDIAN: Duration = Duration::from_millis(250);
const WORST: Duration = Duration::from_millis(400);

/// The publisher has then been quiet for two seconds; the second announcement comes one second after the first.
const QUIET: Duration = Duration::from_secs(2);
const ANNOUNCING: Duration = Duration::from_millis(1500);

// RFC 6763, appendix F (6763-F-1)
fn time_to_find(lab: &Lab) -> Outcome<String> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _publication = Cooee::on(lab, "ash")?.publish(offer)?;
    let elm = Cooee::on(lab, "elm")?;
    std::thread::sleep(ANNOUNCING);
    let mut times = Vec::new();
    for _ in 0..RUNS {
        std::thread::sleep(QUIET);
        times.push(elm.time_to_find(offer.name, HTTP)?);
    }
    times.sort();
    let (median, worst) = (times[RUNS / 2], times[RUNS - 1]);
    let text = format!(
        "{RUNS} runs: median {} ms, worst {} ms",
        median.as_millis(),
        worst.as_millis()
    );
    if median < MEDIAN && worst < WORST {
        Ok(text)
    } else {
        Err(format!(
            "{text}; allowed are {} ms and {} ms",
            MEDIAN.as_millis(),
            WORST.as_millis()
        ))
    }
}
