//! The bare engine in a plain loop, without tokio and without threads: `cargo run --example sans_io -- 192.0.2.1`, with an IPv4 address of this machine.
//!
//! It publishes one TXT record and prints the names of all `_http._tcp` services on that link. Time, packets and links go in as arguments;
//! packets, events and the next deadline come out.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant as Clock};

use cooee::wire::{QuestionBuf, RdataBuf, RecordBuf, RecordType};
use cooee_mdns::{
    Config, Datagram, Destination, Engine, Event, Family, Instant, LinkAddress, LinkId, LinkInfo,
    LinkSet, QueryOptions, RecordSet,
};
use socket2::{Domain, Protocol, Socket, Type};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;
const LINK: LinkId = LinkId(1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("usage: sans_io ADDRESS")?;
    let address: Ipv4Addr = address.parse()?;
    let socket = open(address)?;

    let start = Clock::now();
    let now = || Instant::from_micros(0) + start.elapsed();
    // Nobody can guess the keys that the standard library draws.
    let seed = RandomState::new().hash_one(0);

    let mut engine = Engine::new(Config::default(), seed, now());
    engine.link_up(
        now(),
        LINK,
        LinkInfo::new(vec![LinkAddress::new(address, 24)]),
    );
    let text = RdataBuf::txt([b"no runtime here"])?;
    let record = RecordBuf::new("sans-io.local".parse()?, 120, text);
    engine.publish(now(), RecordSet::new().unique(record), LinkSet::All)?;
    let question = QuestionBuf::new("_http._tcp.local".parse()?, RecordType::PTR);
    engine.query(now(), question, QueryOptions::standing(), LinkSet::All);

    let (mut inbox, mut outbox) = (vec![0; 9216], Vec::new());
    loop {
        while let Some(event) = engine.poll_event() {
            match event {
                Event::Ready { .. } => println!("sans-io.local is ours"),
                Event::Answer {
                    record, presence, ..
                } => println!("{presence:?} {record}"),
                _ => {}
            }
        }
        while let Some(transmit) = engine.poll_transmit(now(), &mut outbox) {
            let to = match transmit.destination {
                Destination::Unicast(to) => to,
                _ => SocketAddr::new(GROUP.into(), PORT),
            };
            // The engine counts only what has left.
            for family in transmit.destination.families() {
                let sent = family == Family::V4 && socket.send_to(&outbox, to).is_ok();
                engine.transmitted(now(), transmit.id, family, sent);
            }
        }
        let wait = engine.poll_timeout().map(|due| due.since(now()));
        // Zero would be for ever.
        socket.set_read_timeout(wait.map(|wait| wait.max(Duration::from_millis(1))))?;
        match socket.recv_from(&mut inbox) {
            Ok((len, source)) => engine.handle_datagram(
                now(),
                &Datagram {
                    link: LINK,
                    source,
                    // A driver asks the system for it (IP_PKTINFO); here all is taken for multicast.
                    destination: IpAddr::V4(GROUP),
                    payload: inbox.get(..len).unwrap_or_default(),
                },
            ),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                engine.handle_timeout(now());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A socket that shares the port with other responders, on the link that has this address.
fn open(address: Ipv4Addr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT).into())?;
    socket.join_multicast_v4(&GROUP, &address)?;
    socket.set_multicast_if_v4(&address)?;
    socket.set_multicast_ttl_v4(255)?;
    Ok(socket.into())
}
