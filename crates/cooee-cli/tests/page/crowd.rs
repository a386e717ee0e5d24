//! A crowd of services for tests of what shows them: `crowd INTERFACE [NUMBER]` publishes a small office, and so many numbered
//! services beside it. It says `ready` when all are announced, and leaves with goodbyes when its standard input ends.

use std::error::Error;
use std::io::Read;
use std::net::IpAddr;

use cooee::{Host, HostPolicy, HostRegistration, Links, Registration, Service, Zeroconf};

/// A host: its name, and its addresses.
type Machine = (&'static str, &'static [&'static str]);
/// A service: its host's place in the list, name, type, port, attributes.
type Offer = (
    usize,
    &'static str,
    &'static str,
    u16,
    &'static [(&'static str, &'static str)],
);

const MACHINES: &[Machine] = &[
    (
        "tabasco",
        &["192.0.2.17", "2001:db8::17", "fe80::5054:ff:fe12:3456"],
    ),
    ("laserjet", &["192.0.2.40", "fe80::9ab1:2fff:fe00:40"]),
    ("attic", &["192.0.2.51", "2001:db8::51"]),
    ("living-room", &["192.0.2.60", "fe80::aede:48ff:fe00:60"]),
    ("hub", &["192.0.2.70", "fd12:3456:789a::70"]),
];

const OFFERS: &[Offer] = &[
    (
        0,
        "Keith’s web server",
        "_http._tcp",
        8080,
        &[("path", "/"), ("u", "keith"), ("empty", "")],
    ),
    (0, "Wiki", "_https._tcp", 443, &[("path", "/wiki/")]),
    (0, "tabasco", "_ssh._tcp", 22, &[]),
    (0, "tabasco", "_sftp-ssh._tcp", 22, &[]),
    (
        0,
        "Build logs",
        "_http._tcp",
        8000,
        &[("path", "/logs/latest")],
    ),
    (
        1,
        "HP LaserJet 4250",
        "_ipp._tcp",
        631,
        &[
            ("txtvers", "1"),
            ("rp", "printers/lobby"),
            ("ty", "HP LaserJet 4250"),
            ("note", "Ground floor, by the stairs"),
            ("pdl", "application/postscript,application/pdf,image/urf"),
            ("Color", "F"),
            ("Duplex", "T"),
        ],
    ),
    (
        1,
        "HP LaserJet 4250",
        "_pdl-datastream._tcp",
        9100,
        &[("ty", "HP LaserJet 4250")],
    ),
    (1, "HP LaserJet 4250", "_http._tcp", 80, &[]),
    (1, "HP LaserJet 4250", "_uscan._tcp", 80, &[("rs", "eSCL")]),
    (2, "Attic", "_smb._tcp", 445, &[]),
    (2, "Attic", "_afpovertcp._tcp", 548, &[]),
    (
        2,
        "Attic",
        "_adisk._tcp",
        9,
        &[
            ("sys", "waMa=0,adVF=0x100"),
            ("dk0", "adVN=Backups,adVF=0x82"),
        ],
    ),
    (2, "Photos", "_http._tcp", 5000, &[("path", "/photos")]),
    (
        3,
        "Living Room",
        "_airplay._tcp",
        7000,
        &[("model", "AppleTV14,1"), ("srcvers", "760.20.1")],
    ),
    (
        3,
        "48A2B8C0FFEE@Living Room",
        "_raop._tcp",
        7000,
        &[("am", "AppleTV14,1")],
    ),
    (
        3,
        "Kitchen speaker",
        "_spotify-connect._tcp",
        4070,
        &[("CPath", "/spotify")],
    ),
    (
        3,
        "居間のテレビ",
        "_googlecast._tcp",
        8009,
        &[("fn", "居間のテレビ"), ("md", "Chromecast")],
    ),
    (
        4,
        "Hall lights",
        "_hap._tcp",
        51_827,
        &[("c#", "2"), ("md", "Bridge"), ("sf", "0")],
    ),
    (
        4,
        "Home",
        "_home-assistant._tcp",
        8123,
        &[("version", "2026.11.2")],
    ),
    (
        4,
        "Border router",
        "_meshcop._udp",
        49_154,
        &[("nn", "OpenThread"), ("vn", "cooee")],
    ),
    (4, "Measurements", "_mqtt._tcp", 1883, &[]),
    (4, "Clock", "_ntp._udp", 123, &[]),
    (0, "Inventory", "_postgresql._tcp", 5432, &[]),
    (0, "نقطة القياس", "_coap._udp", 5683, &[]),
    (
        2,
        "Seismograph",
        "_quake-feed._udp",
        18_000,
        &[("station", "AT-07")],
    ),
];

const MORE: &[&str] = &[
    "_http._tcp",
    "_ipp._tcp",
    "_ssh._tcp",
    "_hap._tcp",
    "_smb._tcp",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let interface = words.next().ok_or("crowd INTERFACE [NUMBER]")?;
    let number: u16 = words.next().unwrap_or_else(|| "0".into()).parse()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(crowd(&interface, number))
}

async fn crowd(interface: &str, number: u16) -> Result<(), Box<dyn Error>> {
    let links = Links::from(interface);
    let builder = Zeroconf::builder().links(links).host_name(HostPolicy::None);
    let zeroconf = builder.start().await?;
    let mut hosts: Vec<HostRegistration> = Vec::new();
    for (name, addresses) in MACHINES {
        let addresses: Result<Vec<IpAddr>, _> = addresses.iter().map(|one| one.parse()).collect();
        hosts.push(zeroconf.publish_host(Host::new(name, addresses?)?).await?);
    }
    let mut services: Vec<Registration> = Vec::new();
    for &(host, name, kind, port, attributes) in OFFERS {
        let mut service = Service::new(name, kind, port)?;
        for (key, value) in attributes {
            service = service.txt(key, value);
        }
        if port == 8080 {
            service = service
                .txt_flag("flag")
                .txt("icon", [0x89, b'P', b'N', b'G', 0, 0xff]);
        }
        let host = hosts.get(host).ok_or("no such machine")?;
        services.push(zeroconf.start_publish(service.host(host))?);
    }
    for place in 0..number {
        let kind = MORE
            .iter()
            .cycle()
            .nth(usize::from(place))
            .ok_or("no type")?;
        let service = Service::new(format!("Service {}", place + 1), *kind, 1024 + place)?;
        let host = hosts.first().ok_or("no machine")?;
        services.push(zeroconf.start_publish(service.host(host))?);
    }
    for service in &services {
        service.ready().await?;
    }
    println!("ready");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    zeroconf.shutdown().await;
    Ok(())
}
