//! The tester's end of the link: everything that passes, with the time it passed.

mod socket;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;

use crate::packet::{Contents, Packet};
use socket::Socket;

/// The port of multicast DNS.
pub const PORT: u16 = 5353;
/// The IPv4 group.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// The IPv6 group.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// The most datagrams that are kept: a subject that sends more in one run is broken, and the tester shall not be.
const MOST_PACKETS: usize = 200_000;

/// An interface of the tester with all that is heard and sent there.
#[derive(Debug)]
pub struct Link {
    interface: String,
    addresses: Vec<Address>,
    mdns_v4: Arc<Socket>,
    mdns_v6: Option<Arc<Socket>>,
    legacy: Arc<Socket>,
    log: Arc<Log>,
    stop: Arc<AtomicBool>,
    readers: Vec<JoinHandle<()>>,
}

/// One address of the tester with its prefix.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// How many bits of it are the network's.
    pub prefix: u32,
}

/// Which socket, and with it which source port, a datagram leaves from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum From {
    /// Port 5353.
    Mdns,
    /// Another port, as that of a conventional resolver.
    Legacy,
}

#[derive(Debug)]
struct Log {
    begun: SystemTime,
    packets: Mutex<Vec<Packet>>,
    grown: Condvar,
}

impl Link {
    /// Opens an interface of this network namespace.
    ///
    /// # Errors
    /// What the system says: no such interface, no IPv4 address on it, no permission for port 5353.
    pub fn open(interface: &str) -> io::Result<Self> {
        let index = if_nametoindex(interface)
            .map_err(|error| io::Error::other(format!("{interface}: {}", error.desc())))?;
        let addresses = addresses(interface)?;
        let Some(Address {
            ip: IpAddr::V4(_), ..
        }) = addresses.first()
        else {
            return Err(io::Error::other(format!(
                "{interface} has no IPv4 address; give it one"
            )));
        };
        let mdns_v4 = Arc::new(Socket::multicast_v4(index)?);
        let has_v6 = addresses.iter().any(|address| address.ip.is_ipv6());
        let mdns_v6 = if has_v6 {
            Some(Arc::new(Socket::multicast_v6(index)?))
        } else {
            None
        };
        let legacy = Arc::new(Socket::legacy(index)?);
        let log = Arc::new(Log {
            begun: SystemTime::now(),
            packets: Mutex::default(),
            grown: Condvar::new(),
        });
        let stop = Arc::new(AtomicBool::new(false));
        let own: Vec<IpAddr> = addresses.iter().map(|address| address.ip).collect();
        let sockets = [Some(&mdns_v4), mdns_v6.as_ref(), Some(&legacy)];
        let readers = sockets
            .into_iter()
            .flatten()
            .map(|socket| read(socket, &log, &stop, own.clone()))
            .collect();
        Ok(Self {
            interface: interface.to_owned(),
            addresses,
            mdns_v4,
            mdns_v6,
            legacy,
            log,
            stop,
            readers,
        })
    }

    /// The interface's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The tester's IPv4 addresses in the subject's network: each is a host of its own for the tests.
    pub fn hosts(&self) -> Vec<Ipv4Addr> {
        let prefix = self.addresses.first();
        self.v4()
            .filter(|host| prefix.is_some_and(|prefix| prefix.covers(IpAddr::V4(*host))))
            .collect()
    }

    /// An IPv4 address of the tester that lies in no network of the link.
    pub fn stranger(&self) -> Option<Ipv4Addr> {
        let first = self.addresses.first()?;
        self.v4().find(|host| !first.covers(IpAddr::V4(*host)))
    }

    fn v4(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.addresses
            .iter()
            .filter_map(|address| match address.ip {
                IpAddr::V4(host) => Some(host),
                IpAddr::V6(_) => None,
            })
    }

    /// The tester's link-local IPv6 address.
    pub fn v6_host(&self) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().map(|address| address.ip);
        addresses.find(|ip| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()))
    }

    /// Whether the tester speaks IPv6 here.
    pub fn has_v6(&self) -> bool {
        self.mdns_v6.is_some()
    }

    /// Whether an address lies in one of the tester's networks.
    pub fn is_on_link(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|own| own.covers(address))
    }

    /// The time on this link.
    pub fn now(&self) -> Duration {
        self.log.begun.elapsed().unwrap_or_default()
    }

    /// Sends to the IPv4 group from the first host; returns when.
    ///
    /// # Errors
    /// What the system says.
    pub fn multicast(&self, octets: &[u8]) -> io::Result<Duration> {
        let host = self.host(0)?;
        self.send(From::Mdns, host, (GROUP_V4, PORT).into(), octets)
    }

    /// The tester's host with this number.
    ///
    /// # Errors
    /// If the interface has too few addresses.
    pub fn host(&self, number: usize) -> io::Result<IpAddr> {
        let host = self.hosts().get(number).copied();
        host.map(IpAddr::V4).ok_or_else(|| {
            let text = format!("{} has too few IPv4 addresses", self.interface);
            io::Error::other(text)
        })
    }

    /// Sends a datagram; returns when.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(
        &self,
        from: From,
        source: IpAddr,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<Duration> {
        let socket = match (from, destination) {
            (From::Mdns, SocketAddr::V4(_)) => &self.mdns_v4,
            (From::Legacy, SocketAddr::V4(_)) => &self.legacy,
            (_, SocketAddr::V6(_)) => self
                .mdns_v6
                .as_ref()
                .ok_or_else(|| io::Error::other("no IPv6 here"))?,
        };
        let at = self.now();
        socket.send(source, destination, octets)?;
        self.log.add(Packet {
            at,
            source: (source, socket.port()).into(),
            destination,
            hop_limit: Some(255),
            ours: true,
            octets: octets.to_vec(),
            contents: Contents::decode(octets),
        });
        Ok(at)
    }

    /// The tester's port for legacy queries.
    pub fn legacy_port(&self) -> u16 {
        self.legacy.port()
    }

    /// A copy of everything since a time, in the order of times.
    pub fn since(&self, from: Duration) -> Vec<Packet> {
        let packets = self.log.lock();
        let mut packets: Vec<Packet> = packets
            .iter()
            .filter(|packet| packet.at >= from)
            .cloned()
            .collect();
        packets.sort_by_key(|packet| packet.at);
        packets
    }

    /// Waits until a datagram of the subject since `from` is what `pick` looks for, at most until `deadline`.
    pub fn wait_for<T>(
        &self,
        from: Duration,
        deadline: Duration,
        mut pick: impl FnMut(&Packet) -> Option<T>,
    ) -> Option<T> {
        let mut packets = self.log.lock();
        let mut seen = 0;
        loop {
            for packet in packets.iter().skip(seen) {
                if packet.at >= from
                    && !packet.ours
                    && let Some(found) = pick(packet)
                {
                    return Some(found);
                }
            }
            seen = packets.len();
            let left = deadline.saturating_sub(self.now());
            if left.is_zero() {
                return None;
            }
            packets = self
                .log
                .grown
                .wait_timeout(packets, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// What was heard since the last call with this bookmark; waits for something, at most until `deadline`.
    pub fn unread(&self, bookmark: &mut usize, deadline: Duration) -> Vec<Packet> {
        let mut packets = self.log.lock();
        loop {
            let new = packets.get(*bookmark..).unwrap_or_default();
            let heard: Vec<Packet> = new.iter().filter(|packet| !packet.ours).cloned().collect();
            *bookmark = packets.len();
            let left = deadline.saturating_sub(self.now());
            if !heard.is_empty() || left.is_zero() {
                return heard;
            }
            packets = self
                .log
                .grown
                .wait_timeout(packets, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The interface's addresses at present.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses_now(&self) -> io::Result<Vec<Address>> {
        addresses(&self.interface)
    }

    /// The tester's addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().map(|address| address.ip)
    }

    /// Waits until this time.
    pub fn sleep_until(&self, at: Duration) {
        std::thread::sleep(at.saturating_sub(self.now()));
    }

    /// Takes the link away, or brings it back, as if the cable were pulled.
    ///
    /// # Errors
    /// If `ip` is missing or refuses.
    pub fn plug(&self, plugged: bool) -> io::Result<()> {
        let state = if plugged { "up" } else { "down" };
        ip(&["link", "set", &self.interface, state])?;
        if plugged {
            for address in self.addresses.iter().filter(|own| own.ip.is_ipv6()) {
                let text = format!("{}/{}", address.ip, address.prefix);
                // It may be there still, or the system has given itself one meanwhile.
                let _ = ip(&["addr", "add", &text, "dev", &self.interface, "nodad"]);
            }
        }
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

impl Address {
    /// Whether another address is of the same network.
    pub fn covers(&self, other: IpAddr) -> bool {
        let cut = |bits: u128, width: u32| bits.checked_shr(width - self.prefix).unwrap_or(0);
        match (self.ip, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                cut(own.to_bits().into(), 32) == cut(other.to_bits().into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                cut(own.to_bits(), 128) == cut(other.to_bits(), 128)
            }
            _ => false,
        }
    }
}

impl Log {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Packet>> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, packet: Packet) {
        let mut packets = self.lock();
        if packets.len() < MOST_PACKETS {
            packets.push(packet);
        }
        self.grown.notify_all();
    }
}

/// Fills the log from one socket until told to stop. What the tester sent itself comes back and is left out.
fn read(
    socket: &Arc<Socket>,
    log: &Arc<Log>,
    stop: &Arc<AtomicBool>,
    own: Vec<IpAddr>,
) -> JoinHandle<()> {
    let (socket, log, stop) = (Arc::clone(socket), Arc::clone(log), Arc::clone(stop));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while !stop.load(Ordering::Relaxed) {
            let Ok(Some(heard)) = socket.receive(&mut buffer) else {
                continue;
            };
            if own.contains(&heard.source.ip()) {
                continue;
            }
            let octets = buffer.get(..heard.len).unwrap_or_default().to_vec();
            log.add(Packet {
                at: heard.stamp.duration_since(log.begun).unwrap_or_default(),
                source: heard.source,
                destination: heard.destination,
                hop_limit: heard.hop_limit,
                ours: false,
                contents: Contents::decode(&octets),
                octets,
            });
        }
    })
}

/// The addresses of an interface, IPv4 first, in the order in which they were given.
fn addresses(interface: &str) -> io::Result<Vec<Address>> {
    let mut found = Vec::new();
    for entry in getifaddrs()?.filter(|entry| entry.interface_name == interface) {
        let (Some(address), Some(mask)) = (entry.address, entry.netmask) else {
            continue;
        };
        if let (Some(ip), Some(mask)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
            let (ip, prefix) = (IpAddr::V4(ip.ip()), mask.ip().to_bits().count_ones());
            found.push(Address { ip, prefix });
        } else if let (Some(ip), Some(mask)) = (address.as_sockaddr_in6(), mask.as_sockaddr_in6()) {
            let (ip, prefix) = (IpAddr::V6(ip.ip()), mask.ip().to_bits().count_ones());
            found.push(Address { ip, prefix });
        }
    }
    found.sort_by_key(|address| address.ip.is_ipv6());
    Ok(found)
}

/// Runs `ip` with these words.
pub(crate) fn ip(words: &[&str]) -> io::Result<()> {
    let output = std::process::Command::new("ip").args(words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let text = format!("ip {}: {}", words.join(" "), said.trim());
    Err(io::Error::other(text))
}
