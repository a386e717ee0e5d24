//! Hard times: many at once, a publisher that dies, a link that loses packets, a flood.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use super::cooee::Cooee;
use super::network::{Host, INTERFACE, Lab};
use super::process::Process;
use super::scenarios::{FOUND, HTTP, OFFERS};
use super::stack::Stack as _;
use super::{FLOOD, Outcome, Scenario};

const THREE_HOSTS: &[&str] = &["ash", "elm", "oak"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "ten hosts at once, all with one name",
        needs: &[],
        hosts: &[
            "ash", "elm", "oak", "fir", "yew", "bay", "box", "fig", "sal", "tea",
        ],
        run: ten_hosts,
    },
    Scenario {
        name: "a publisher is killed",
        needs: &[],
        hosts: THREE_HOSTS,
        run: killed,
    },
    Scenario {
        name: "200 services, 20 % of all packets lost",
        needs: &["python3"],
        hosts: &["ash", "elm"],
        run: some_loss,
    },
    Scenario {
        name: "200 services, 40 % of all packets lost",
        needs: &["python3"],
        hosts: &["ash", "elm"],
        run: much_loss,
    },
];

/// With nothing beside it whose time it could cost.
pub(super) const ALONE: &[Scenario] = &[Scenario {
    name: "a flood while a browse goes on",
    needs: &[],
    hosts: THREE_HOSTS,
    run: flood,
}];

/// All publish the same name at once, and in the end each has one of its own that everybody sees.
// RFC 6762 §8.2, §9 (6762-9-4)
fn ten_hosts(lab: &Lab) -> Outcome<String> {
    const HOSTS: u16 = 10;
    let mut starting = Vec::new();
    for host in lab.hosts() {
        let port = (8000 + starting.len()).to_string();
        let cooee = Cooee::on(lab, &host.name)?;
        starting.push(cooee.start("publish", &["Twin", HTTP, &port])?);
    }
    let mut browse = Cooee::on(lab, "elm")?.start("browse", &[HTTP])?;
    let started = Instant::now();
    let mut ports = BTreeSet::new();
    let mut names = BTreeSet::new();
    browse.wait_for("ten of one name", Duration::from_secs(40), |line| {
        let event: serde_json::Value = serde_json::from_str(&line.text).ok()?;
        if event["event"] == "added" || event["event"] == "updated" {
            names.insert(event["name"].to_string());
            ports.insert(event["port"].as_u64());
        }
        (ports.len() == usize::from(HOSTS) && names.len() >= usize::from(HOSTS)).then_some(())
    })?;
    Ok(format!(
        "all have a name {:.1} s after",
        started.elapsed().as_secs_f64()
    ))
}

/// Nobody says goodbye. Who asks in vain shows the others that it is gone, long before its records run out.
// RFC 6762 §10.5 (6762-10.5-2), ruling 6
fn killed(lab: &Lab) -> Outcome<String> {
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let publication = Cooee::on(lab, "ash")?.publish(offer)?;
    let elm = Cooee::on(lab, "elm")?;
    let mut browse = elm.browse(HTTP)?;
    browse.found(&[offer.name], FOUND)?;
    publication.process.signal("KILL")?;
    let died = Instant::now();
    // oak has come later and knows nothing.
    let _asker = Cooee::on(lab, "oak")?.start("browse", &[HTTP])?;
    browse.removed(offer.name, Duration::from_secs(40))?;
    Ok(format!("gone after {:.1} s", died.elapsed().as_secs_f64()))
}

fn some_loss(lab: &Lab) -> Outcome<String> {
    with_loss(lab, 20)
}

fn much_loss(lab: &Lab) -> Outcome<String> {
    with_loss(lab, 40)
}

/// ash and elm are on two bridges, and what carries packets between them loses some, whether the kernel has `netem` or not.
// RFC 6762 §5.2 (6762-5.2-3)
fn with_loss(lab: &Lab, percent: u8) -> Outcome<String> {
    const SERVICES: usize = 200;
    let carrier = format!(
        "import fcntl,struct,select,random,os\n\
         r=random.Random({percent})\n\
         def tap(n):\n\
         \x20 f=os.open('/dev/net/tun',os.O_RDWR)\n\
         \x20 fcntl.ioctl(f,0x400454ca,struct.pack('16sH',n,0x1002))\n\
         \x20 return f\n\
         a,b=tap(b'tap0'),tap(b'tap1')\n\
         print('open',flush=True)\n\
         while True:\n\
         \x20 for f in select.select([a,b],[],[])[0]:\n\
         \x20   p=os.read(f,20000)\n\
         \x20   if r.random()>={}: os.write(b if f==a else a,p)\n",
        f64::from(percent) / 100.0
    );
    let mut carrier = lab.start_at_bridges("carrier", &["python3", "-c", &carrier])?;
    carrier.wait_for("start", FOUND, |line| (line.text == "open").then_some(()))?;
    lab.configure_bridges(
        "link add br1 type bridge forward_delay 0 mcast_snooping 0\nlink set br1 up\nlink set elm master br1\n\
         link set tap0 master br0 up\nlink set tap1 master br1 up\n",
    )?;
    let names: Vec<String> = (1..=SERVICES).map(|n| format!("Service {n}")).collect();
    let mut file = String::new();
    for name in &names {
        let _ = writeln!(
            file,
            "[[service]]\nname = \"{name}\"\ntype = \"{HTTP}\"\nport = 80"
        );
    }
    let path = lab.host("ash")?.folder.join("services.toml");
    std::fs::write(&path, file).map_err(|error| format!("{}: {error}", path.display()))?;
    let path = path.display().to_string();
    let mut publisher = Cooee::on(lab, "ash")?.start("publish", &["-f", &path])?;
    let mut registered = 0;
    publisher.wait_for("200 registrations", Duration::from_secs(40), |line| {
        registered += usize::from(line.text.contains("\"registered\""));
        (registered == SERVICES).then_some(())
    })?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let started = Instant::now();
    let elm = Cooee::on(lab, "elm")?;
    let mut browse = elm.browse(HTTP)?;
    browse.found(&names, Duration::from_secs(60))?;
    Ok(format!(
        "all found after {:.1} s",
        started.elapsed().as_secs_f64()
    ))
}

/// 50,000 packets a second, half of them garbage and half answers with names that nobody has asked for.
// ruling 37
fn flood(lab: &Lab) -> Outcome<String> {
    let [first, second, ..] = OFFERS else {
        return Err("wants two offers".into());
    };
    let (ash, elm, oak) = (
        Cooee::on(lab, "ash")?,
        Cooee::on(lab, "elm")?,
        lab.host("oak")?,
    );
    let _first = ash.publish(first)?;
    let mut browse = elm.start("browse", &[HTTP])?;
    see(&mut browse, first.name)?;
    oak.configure(&format!("route add 224.0.0.0/4 dev {INTERFACE}\n"))?;
    let mut flood = start_flood(lab, oak)?;
    flood.wait_for("start", FOUND, |line| {
        line.text.starts_with("flood").then_some(())
    })?;
    let second_is_up = ash.publish(second)?;
    see(&mut browse, second.name)?;
    second_is_up.process.signal("TERM")?;
    browse.wait_for("removal", Duration::from_secs(20), |line| {
        (line.text.contains("\"removed\"") && line.text.contains(second.name)).then_some(())
    })?;
    let sent = flood.wait_for("end", lab.flood_time() + Duration::from_secs(20), |line| {
        line.text.strip_prefix("sent ").map(str::to_owned)
    })?;
    let megabytes = browse.peak_memory()? / 1024;
    if megabytes > 64 {
        return Err(format!("{megabytes} MB for a browse"));
    }
    Ok(format!(
        "{sent} packets; peak {megabytes} MB; found and lost a service meanwhile"
    ))
}

fn see(browse: &mut Process, name: &str) -> Outcome {
    browse.wait_for(name, Duration::from_secs(20), |line| {
        (line.text.contains("\"added\"") && line.text.contains(name)).then_some(())
    })
}

fn start_flood(lab: &Lab, from: &Host) -> Outcome<Process> {
    let this =
        std::env::current_exe().map_err(|error| format!("this program has no path: {error}"))?;
    let seconds = lab.flood_time().as_secs().to_string();
    let mut command = from.command(Path::new(&this));
    from.start("flood", command.args([FLOOD, "50000", &seconds]))
}

/// Sends so many packets a second for so many seconds: `RATE SECONDS`. Only for the namespaces of the lab.
pub(super) fn send_flood(arguments: &[String]) -> Outcome {
    let fault = |error: std::io::Error| format!("flood: {error}");
    let [rate, seconds] = arguments else {
        return Err("wants a rate and seconds".into());
    };
    let number = |text: &String| {
        text.parse::<u64>()
            .map_err(|error| format!("{text}: {error}"))
    };
    let (rate, seconds) = (number(rate)?, number(seconds)?);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(fault)?;
    socket.set_multicast_ttl_v4(255).map_err(fault)?;
    let to = (Ipv4Addr::new(224, 0, 0, 251), 5353);
    println!("flood of {rate} packets a second");
    let begun = Instant::now();
    let mut sent = 0_u64;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let due = begun.elapsed().as_micros() as u64 * rate / 1_000_000;
        while sent < due {
            // A full queue is no reason to stop.
            let _ = socket.send_to(&flood_packet(sent), to);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("sent {sent}");
    Ok(())
}

/// Every second one is a response with a PTR record under a name of its own; the others are octets without sense.
fn flood_packet(number: u64) -> Vec<u8> {
    if number.is_multiple_of(2) {
        let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        return noise.repeat(1 + (number % 40) as usize);
    }
    let mut packet = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let label = format!("f{number}");
    for label in [label.as_str(), "_http", "_tcp", "local"] {
        packet.push(label.len() as u8);
        packet.extend(label.bytes());
    }
    // PTR, IN, 4500 s, to itself.
    packet.extend([0, 0, 12, 0, 1, 0, 0, 0x11, 0x94, 0, 2, 0xc0, 12]);
    packet
}
