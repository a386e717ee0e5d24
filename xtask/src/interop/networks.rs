//! Networks of other shapes: several interfaces, bridges, one family, and interfaces that change under us.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::cooee::Cooee;
use super::network::{Host, INTERFACE, Lab};
use super::process::Process;
use super::scenarios::{FOUND, HTTP, OFFERS, packets};
use super::stack::Stack as _;
use super::{Outcome, Scenario};

const NONE: &[&str] = &[];
const TWO_HOSTS: &[&str] = &["ash", "elm"];
const THREE_HOSTS: &[&str] = &["ash", "elm", "oak"];

pub(super) const ALL: &[Scenario] = &[
    Scenario {
        name: "two interfaces to two networks",
        needs: NONE,
        hosts: THREE_HOSTS,
        run: two_networks,
    },
    Scenario {
        name: "two interfaces to the same network",
        needs: &["tcpdump"],
        hosts: TWO_HOSTS,
        run: same_network_twice,
    },
    Scenario {
        name: "a loop of bridges, for a moment",
        needs: NONE,
        hosts: TWO_HOSTS,
        run: bridge_loop,
    },
    Scenario {
        name: "addresses and cables change",
        needs: NONE,
        hosts: TWO_HOSTS,
        run: changes,
    },
    Scenario {
        name: "VPN and containers are left alone",
        needs: &["python3"],
        hosts: THREE_HOSTS,
        run: roles,
    },
    Scenario {
        name: "a bridge to the outside is used",
        needs: NONE,
        hosts: TWO_HOSTS,
        run: outer_bridge,
    },
    Scenario {
        name: "MTU 1280",
        needs: &["tcpdump"],
        hosts: TWO_HOSTS,
        run: small_mtu,
    },
    Scenario {
        name: "MTU 9000",
        needs: &["tcpdump"],
        hosts: TWO_HOSTS,
        run: large_mtu,
    },
];

/// ash has an interface to elm's network and one to oak's: each sees the address on its own, and the two do not see each other.
// RFC 6762 §14 (6762-14-4, 6762-14-6)
fn two_networks(lab: &Lab) -> Outcome<String> {
    let (ash, oak) = (lab.host("ash")?, lab.host("oak")?);
    lab.configure_bridges(
        "link add br1 type bridge forward_delay 0 mcast_snooping 0\nlink set br1 up\nlink set oak master br1\n",
    )?;
    lab.add_interface(ash, "lab1", Some("br1"))?;
    ash.configure(
        "addr add 198.51.100.10/24 brd + dev lab1\naddr add fe80::110/64 dev lab1 nodad\n",
    )?;
    oak.configure(&format!(
        "addr flush dev {INTERFACE}\naddr add 198.51.100.12/24 brd + dev {INTERFACE}\naddr add fe80::12/64 dev {INTERFACE} nodad\n"
    ))?;
    let [ours, of_elm, of_oak] = OFFERS else {
        return Err("wants three offers".into());
    };
    let _ours = Cooee::on(lab, "ash")?.by_default().publish(ours)?;
    let (elm, oak) = (Cooee::on(lab, "elm")?, Cooee::on(lab, "oak")?);
    let _of_elm = elm.publish(of_elm)?;
    let _of_oak = oak.publish(of_oak)?;
    for (who, theirs, other, address) in [
        (&elm, of_elm, of_oak, "192.0.2.10"),
        (&oak, of_oak, of_elm, "198.51.100.10"),
    ] {
        let seen = who.browse(HTTP)?.found(&[ours.name, theirs.name], FOUND)?;
        if seen.contains_key(other.name) {
            return Err(format!("{} came from the other network", other.name));
        }
        let seen: Vec<IpAddr> = seen[ours.name].addresses.iter().copied().collect();
        let v4: Vec<String> = seen
            .iter()
            .filter(|a| a.is_ipv4())
            .map(IpAddr::to_string)
            .collect();
        if v4 != [address] {
            return Err(format!("ash is at {v4:?} instead of {address}"));
        }
    }
    let all = [ours.name, of_elm.name, of_oak.name];
    Cooee::on(lab, "ash")?
        .by_default()
        .browse(HTTP)?
        .found(&all, FOUND)?;
    Ok(String::new())
}

/// Each interface hears what the other says: that is no conflict with oneself, and no storm.
// RFC 6762 §14 (6762-14-7, 6762-14-8), ruling 20
fn same_network_twice(lab: &Lab) -> Outcome<String> {
    let ash = lab.host("ash")?;
    lab.add_interface(ash, "lab1", Some("br0"))?;
    ash.sysctl("net.ipv4.conf.all.accept_local", "1")?;
    ash.configure(
        "addr add 192.0.2.110/24 brd + dev lab1\naddr add fe80::110/64 dev lab1 nodad\n",
    )?;
    let mut watch = lab.watch()?;
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let mut ours = Cooee::on(lab, "ash")?.by_default().publish(offer)?;
    Cooee::on(lab, "elm")?
        .browse(HTTP)?
        .found(&[offer.name], FOUND)?;
    std::thread::sleep(Duration::from_secs(3));
    if ours.process.has_said("renamed") {
        return Err("it has been renamed by itself".into());
    }
    let count = end_watch(&mut watch)?.len();
    match count {
        0..80 => Ok(format!("{count} packets")),
        _ => Err(format!("{count} packets: a storm")),
    }
}

/// For a moment every packet circles without end. Afterwards the names are as before, and life goes on.
fn bridge_loop(lab: &Lab) -> Outcome<String> {
    const LOOP: Duration = Duration::from_millis(1000);
    let (ash, elm) = (Cooee::on(lab, "ash")?, Cooee::on(lab, "elm")?);
    let [first, second, ..] = OFFERS else {
        return Err("wants two offers".into());
    };
    let mut ours = ash.publish(first)?;
    let mut browse = elm.browse(HTTP)?;
    browse.found(&[first.name], FOUND)?;
    // Two cables to a second bridge, without a spanning tree.
    lab.configure_bridges(
        "link add br1 type bridge forward_delay 0 mcast_snooping 0\nlink set br1 up\n\
         link add l0 type veth peer name l1\nlink add m0 type veth peer name m1\n\
         link set l0 master br0 up\nlink set l1 master br1 up\nlink set m0 master br0 up\nlink set m1 master br1\n",
    )?;
    lab.configure_bridges("link set m1 up\n")?;
    let circling = Cooee::on(lab, "elm")?.start("browse", &["_ipp._tcp"])?;
    std::thread::sleep(LOOP);
    lab.configure_bridges("link del m0\nlink del l0\n")?;
    drop(circling);
    let later = ash.publish(second)?;
    browse.found(&[second.name], Duration::from_secs(10))?;
    if ours.process.has_said("renamed") {
        return Err("the name was lost to its own echo".into());
    }
    drop(later);
    Ok(format!("a loop of {} ms", LOOP.as_millis()))
}

/// Published and browsed meanwhile: another address, the cable out and in, thrice.
// RFC 6762 §8 (6762-8-2), §8.4 (6762-8.4-2), §10.3 (6762-10.3-1)
fn changes(lab: &Lab) -> Outcome<String> {
    let ash = lab.host("ash")?;
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _ours = Cooee::on(lab, "ash")?.publish(offer)?;
    let mut browse = Cooee::on(lab, "elm")?.start("browse", &[HTTP])?;
    see(&mut browse, "192.0.2.10")?;
    ash.configure(&format!(
        "addr del 192.0.2.10/24 dev {INTERFACE}\naddr add 192.0.2.77/24 brd + dev {INTERFACE}\n"
    ))?;
    see(&mut browse, "192.0.2.77")?;
    for last in [78, 79, 80] {
        lab.configure_bridges("link set ash down\n")?;
        ash.configure(&format!(
            "addr del 192.0.2.{}/24 dev {INTERFACE}\naddr add 192.0.2.{last}/24 brd + dev {INTERFACE}\n",
            last - 1
        ))?;
        lab.configure_bridges("link set ash up\n")?;
        see(&mut browse, &format!("192.0.2.{last}"))?;
    }
    // The other side's cable, too.
    lab.configure_bridges("link set elm down\nlink set elm up\n")?;
    let [_, second, ..] = OFFERS else {
        return Err("wants two offers".into());
    };
    let _later = Cooee::on(lab, "ash")?.publish(second)?;
    browse.wait_for("the second service", Duration::from_secs(10), |line| {
        line.text.contains(second.name).then_some(())
    })?;
    Ok(String::new())
}

fn see(browse: &mut Process, address: &str) -> Outcome {
    let wanted = format!("\"{address}\"");
    browse.wait_for(address, Duration::from_secs(10), |line| {
        line.text.contains(&wanted).then_some(())
    })
}

/// Left to itself it joins the group on the network, and not on the VPN, the bridge of the containers and its ports.
// ruling 25
fn roles(lab: &Lab) -> Outcome<String> {
    let (ash, oak) = (lab.host("ash")?, lab.host("oak")?);
    // What keeps a VPN's tunnel open is what gives it a carrier.
    let tunnel = "import fcntl,struct,time\n\
        f=open('/dev/net/tun','r+b',buffering=0)\n\
        fcntl.ioctl(f,0x400454ca,struct.pack('16sH',b'vpn0',0x1001))\n\
        print('open',flush=True)\ntime.sleep(600)\n";
    let mut vpn = ash.command(Path::new("python3"));
    let mut vpn = ash.start("vpn", vpn.args(["-c", tunnel]))?;
    vpn.wait_for("tunnel", Duration::from_secs(5), |line| {
        (line.text == "open").then_some(())
    })?;
    ash.configure("link set vpn0 up\naddr add 10.8.0.1/24 dev vpn0\nlink add docker0 type bridge forward_delay 0\n")?;
    // oak is a container of ash.
    lab.configure_bridges(
        "link add br1 type bridge forward_delay 0 mcast_snooping 0\nlink set br1 up\nlink set oak master br1\n",
    )?;
    lab.add_interface(ash, "veth0", Some("br1"))?;
    ash.configure("link set veth0 master docker0\nlink set docker0 up\naddr add 172.17.0.1/16 brd + dev docker0\n")?;
    oak.configure(&format!(
        "addr flush dev {INTERFACE}\naddr add 172.17.0.2/16 brd + dev {INTERFACE}\n"
    ))?;
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _ours = Cooee::on(lab, "ash")?.by_default().publish(offer)?;
    check_joined(ash, &[INTERFACE])?;
    let seen = Cooee::on(lab, "elm")?
        .browse(HTTP)?
        .found(&[offer.name], FOUND)?;
    let stray = seen[offer.name].addresses.iter().find(|a| !ash.has(**a));
    if let Some(stray) = stray {
        return Err(format!("{stray} was told to the network"));
    }
    // Who names the bridge gets it.
    let _by_name = Cooee::on(lab, "ash")?
        .on_interfaces(&["docker0"])
        .publish(&OFFERS[1])?;
    check_joined(ash, &[INTERFACE, "docker0"])?;
    Ok("joined on the network alone".into())
}

/// A bridge with a port that is no cable to a guest speaks for its ports.
// ruling 25
fn outer_bridge(lab: &Lab) -> Outcome<String> {
    let ash = lab.host("ash")?;
    ash.configure(&format!(
        "addr flush dev {INTERFACE}\n\
         link add lan type bridge forward_delay 0 mcast_snooping 0\nlink add outer type ifb\n\
         link set outer up\nlink set outer master lan\nlink set {INTERFACE} master lan\nlink set lan addrgenmode none up\n\
         addr add 192.0.2.10/24 brd + dev lan\naddr add fe80::10/64 dev lan nodad\n"
    ))?;
    let [offer, ..] = OFFERS else {
        return Err("wants an offer".into());
    };
    let _ours = Cooee::on(lab, "ash")?.by_default().publish(offer)?;
    check_joined(ash, &["lan"])?;
    Cooee::on(lab, "elm")?
        .browse(HTTP)?
        .found(&[offer.name], FOUND)?;
    Ok(String::new())
}

/// On which interfaces of a host somebody has joined 224.0.0.251.
fn check_joined(host: &Host, wanted: &[&str]) -> Outcome {
    // "2\tlab0 : 1 V3", and a line for each group below it, in the order of octets of the machine.
    let text = host.read("/proc/net/igmp")?;
    let (mut joined, mut interface) = (BTreeSet::new(), "");
    for line in text.lines() {
        let word = |n| line.split_whitespace().nth(n).unwrap_or_default();
        if !line.starts_with(char::is_whitespace) {
            interface = word(1);
        } else if word(0) == "FB0000E0" || word(0) == "E00000FB" {
            joined.insert(interface);
        }
    }
    let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
    if joined == wanted {
        Ok(())
    } else {
        Err(format!("joined on {joined:?} instead of {wanted:?}"))
    }
}

fn small_mtu(lab: &Lab) -> Outcome<String> {
    with_mtu(lab, 1280)
}

fn large_mtu(lab: &Lab) -> Outcome<String> {
    with_mtu(lab, 9000)
}

/// Everything is found, and no packet is longer than the link carries whole.
// RFC 6762 §17 (6762-17-1), ruling 13
fn with_mtu(lab: &Lab, mtu: usize) -> Outcome<String> {
    for host in ["ash", "elm"] {
        lab.host(host)?
            .configure(&format!("link set {INTERFACE} mtu {mtu}\n"))?;
        lab.configure_bridges(&format!("link set {host} mtu {mtu}\n"))?;
    }
    let mut watch = lab.watch()?;
    let long: String = "x".repeat(200);
    let ash = Cooee::on(lab, "ash")?;
    let txt: Vec<String> = (0..6).map(|n| format!("k{n}={long}")).collect();
    let mut words = vec!["Long", HTTP, "80"];
    words.extend(txt.iter().map(String::as_str));
    let mut publication = ash.start("publish", &words)?;
    publication.wait_for("registration", FOUND, |line| {
        line.text.contains("registered").then_some(())
    })?;
    let _more = OFFERS
        .iter()
        .map(|offer| ash.publish(offer))
        .collect::<Outcome<Vec<_>>>()?;
    let mut names: Vec<&str> = OFFERS.iter().map(|offer| offer.name).collect();
    names.push("Long");
    Cooee::on(lab, "elm")?.browse(HTTP)?.found(&names, FOUND)?;
    let lengths = end_watch(&mut watch)?
        .iter()
        .filter_map(|packet| length(packet))
        .max();
    let longest = lengths.ok_or("no packet was seen")?;
    // One large record alone may be longer (ruling 13), in fragments.
    let limit = mtu.min(1500);
    if longest > limit {
        return Err(format!("a packet of {longest} octets where {limit} go"));
    }
    Ok(format!("longest packet {longest} octets"))
}

/// The length of an IP packet in what tcpdump says: `length 123)`, or of the payload in IPv6.
fn length(packet: &str) -> Option<usize> {
    let after = packet
        .split_once("length: ")
        .or_else(|| packet.split_once("length "));
    let digits: String = after?.1.chars().take_while(char::is_ascii_digit).collect();
    let length: usize = digits.parse().ok()?;
    Some(if packet.starts_with("IP6") {
        length + 40
    } else {
        length
    })
}

fn end_watch(watch: &mut Process) -> Outcome<Vec<String>> {
    watch.signal("INT")?;
    watch.wait_for_end(Duration::from_secs(2))?;
    Ok(packets(watch.lines()))
}
