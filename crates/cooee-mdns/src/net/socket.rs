//! One UDP socket of one family, on all interfaces: who sent what to whom, and where it came in.
//!
//! It knows interfaces by their index and nothing of DNS. Everything that arrives is told with the index of the interface it
//! arrived on, everything that leaves is pinned to one: routes and default interfaces play no part. Group membership does *not*
//! filter: Linux hands a datagram for any joined interface to every socket bound to the port, so the reader has to look at
//! [`Received::index`].

#[cfg(all(test, target_os = "linux"))]
mod live_tests;

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage,
    recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::group;
use super::membership::Memberships;
use crate::Family;

/// What is asked of the kernel for datagrams that wait for us: a thousand services announced at once.
const RECEIVE_BUFFER: usize = 1 << 20;

/// The TTL or hop limit of all that leaves.
// RFC 6762 §11 (6762-11-1)
const HOP_LIMIT: u32 = 255;

/// A bound, non-blocking socket.
#[derive(Debug)]
pub(super) struct LinkSocket {
    family: Family,
    socket: Socket,
    memberships: Memberships,
    control: Vec<u8>,
}

/// A datagram that was received, without its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "behind the seam, for worlds that make one"
)]
pub struct Received {
    /// Octets in the caller's buffer.
    pub len: usize,
    /// The datagram was larger than the buffer.
    pub truncated: bool,
    /// Who sent it.
    pub source: SocketAddr,
    /// A group, or an address of this host.
    pub destination: IpAddr,
    /// The interface it arrived on; never 0. For a datagram of this host to its own address: the interface that owns the address.
    pub index: u32,
    /// TTL or hop limit, where the system tells.
    pub hop_limit: Option<u8>,
    /// Datagrams that the kernel has thrown away since the socket was opened because nobody fetched them, where it tells.
    pub lost: Option<u32>,
}

/// Whether somebody has a socket on this port: binding without the reuse options tells (6762-15.1-4).
///
/// Ask before the own socket is open, or it is that one that is found.
pub(super) fn is_port_taken(family: Family, port: u16) -> io::Result<bool> {
    let socket = unbound(family)?;
    match socket.bind(&wildcard(family, port)) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(true),
        Err(error) => Err(error),
    }
}

impl LinkSocket {
    /// Binds to the wildcard address of the family and `port`, shared with whoever else wants it.
    pub(super) fn open(family: Family, port: u16) -> io::Result<Self> {
        Self::bound_to(family, &wildcard(family, port))
    }

    /// The same for somebody who only listens: unicasts that another program of this host waits for are left to that one.
    ///
    /// IPv4 is bound to the group, so that no unicast comes in at all. IPv6 cannot be bound so on more than one interface, and has the wildcard:
    /// there the program that was first on the port gets the unicasts.
    pub(super) fn listen(family: Family, port: u16) -> io::Result<Self> {
        let address = match family {
            Family::V4 => SocketAddr::from((group(family), port)).into(),
            Family::V6 => wildcard(family, port),
        };
        Self::bound_to(family, &address)
    }

    fn bound_to(family: Family, address: &SockAddr) -> io::Result<Self> {
        let socket = bind_shared(family, address)?;
        // More than the limit of the system is cut to the limit; a smaller buffer loses bursts, no more.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        match family {
            Family::V4 => {
                socket.set_multicast_ttl_v4(HOP_LIMIT)?;
                socket.set_ttl_v4(HOP_LIMIT)?;
                // Another program on this host is a neighbour too.
                socket.set_multicast_loop_v4(true)?;
                setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            }
            Family::V6 => {
                socket.set_multicast_hops_v6(HOP_LIMIT)?;
                socket.set_unicast_hops_v6(HOP_LIMIT)?;
                socket.set_multicast_loop_v6(true)?;
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            }
        }
        tell_more(family, &socket);
        Ok(Self {
            family,
            memberships: Memberships::new(family),
            socket,
            control: cmsg_space!(
                libc::in6_pktinfo,
                libc::in_pktinfo,
                libc::c_int,
                libc::c_int,
                u32
            ),
        })
    }

    /// Joins `group` on an interface; joining twice is fine.
    ///
    /// It works on interfaces that are down or have no address. A deleted and re-created interface has a new index and has to be joined
    /// again.
    pub(super) fn join(&mut self, group: IpAddr, index: u32) -> io::Result<()> {
        self.memberships.join(&self.socket, group, index)
    }

    /// Leaves `group` on an interface, which may be gone already.
    pub(super) fn leave(&mut self, group: IpAddr, index: u32) {
        self.memberships.leave(&self.socket, group, index);
    }

    /// Takes the next datagram, if one is there.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none. `InvalidData` if the kernel did not tell where it came from or in: the datagram is lost, the
    /// socket is fine.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        let mut octets = [IoSliceMut::new(buffer)];
        let message = loop {
            match recvmsg::<SockaddrStorage>(
                self.socket.as_raw_fd(),
                &mut octets,
                Some(&mut self.control),
                MsgFlags::empty(),
            ) {
                Err(Errno::EINTR) => {}
                other => break other?,
            }
        };

        let mut arrived = None;
        #[cfg_attr(not(target_os = "linux"), allow(unused_mut))]
        let (mut hop_limit, mut lost) = (None, None);
        for told in message.cmsgs()? {
            match told {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    let to = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
                    #[allow(
                        clippy::useless_conversion,
                        reason = "signed on Linux, unsigned on Apple's systems"
                    )]
                    let index = u32::try_from(info.ipi_ifindex).unwrap_or(0);
                    arrived = Some((IpAddr::V4(to), index));
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let to = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    arrived = Some((IpAddr::V6(to), info.ipi6_ifindex));
                }
                #[cfg(target_os = "linux")]
                ControlMessageOwned::Ipv4Ttl(limit) | ControlMessageOwned::Ipv6HopLimit(limit) => {
                    hop_limit = u8::try_from(limit).ok();
                }
                #[cfg(target_os = "linux")]
                ControlMessageOwned::RxqOvfl(count) => lost = Some(count),
                _ => {}
            }
        }
        let source = message.address.as_ref().and_then(socket_address);
        let (Some(source), Some((destination, index @ 1..))) = (source, arrived) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        Ok(Received {
            len: message.bytes,
            truncated: message.flags.contains(MsgFlags::MSG_TRUNC),
            source,
            destination,
            index,
            hop_limit,
            lost,
        })
    }

    /// Sends a datagram out of the interface with this index.
    ///
    /// Without a `source` the kernel chooses one of the interface's addresses. It does *not* fail on an interface that has no IPv4
    /// address, but takes that of another: the caller must not send IPv4 there.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for index 0 (the kernel would choose an interface), or an address of the other family. `WouldBlock`
    /// if the send buffer is full. What the system says otherwise; common are ENETUNREACH for an interface that is down, EADDRNOTAVAIL while its
    /// addresses are tentative, ENODEV once it is gone, EPERM from a packet filter, ENOBUFS.
    pub(super) fn send(
        &self,
        index: u32,
        source: Option<IpAddr>,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        if index == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let octets = [IoSlice::new(octets)];
        let sent = match (self.family, destination, source) {
            (Family::V4, SocketAddr::V4(to), None | Some(IpAddr::V4(_))) => {
                let from = match source {
                    Some(IpAddr::V4(from)) => from,
                    _ => Ipv4Addr::UNSPECIFIED,
                };
                #[allow(
                    clippy::useless_conversion,
                    reason = "signed on Linux, unsigned on Apple's systems"
                )]
                let ipi_ifindex = index.try_into().map_err(|_| Errno::ENODEV)?;
                let info = libc::in_pktinfo {
                    ipi_ifindex,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(from.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                self.send_with(
                    &octets,
                    ControlMessage::Ipv4PacketInfo(&info),
                    &SockaddrIn::from(to),
                )
            }
            (Family::V6, SocketAddr::V6(to), None | Some(IpAddr::V6(_))) => {
                let from = match source {
                    Some(IpAddr::V6(from)) => from,
                    _ => Ipv6Addr::UNSPECIFIED,
                };
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr {
                        s6_addr: from.octets(),
                    },
                    ipi6_ifindex: index,
                };
                // A scope that is not the interface's would be refused.
                let to = SocketAddrV6::new(*to.ip(), to.port(), 0, index);
                self.send_with(
                    &octets,
                    ControlMessage::Ipv6PacketInfo(&info),
                    &SockaddrIn6::from(to),
                )
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        Ok(sent?)
    }

    fn send_with<A: nix::sys::socket::SockaddrLike>(
        &self,
        octets: &[IoSlice<'_>],
        info: ControlMessage<'_>,
        to: &A,
    ) -> Result<(), Errno> {
        loop {
            match sendmsg(
                self.socket.as_raw_fd(),
                octets,
                &[info],
                MsgFlags::empty(),
                Some(to),
            ) {
                Err(Errno::EINTR) => {}
                // A datagram leaves whole or not at all.
                other => return other.map(drop),
            }
        }
    }

    /// A second descriptor of the same socket, to wait for readiness with.
    pub(super) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.socket.as_fd().try_clone_to_owned()
    }
}

impl AsFd for LinkSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A non-blocking socket, closed on exec, without a port.
pub(super) fn unbound(family: Family) -> io::Result<Socket> {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if family == Family::V6 {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// Binds with SO_REUSEADDR; SO_REUSEPORT is added where the first alone is not enough.
///
/// On Linux sockets with SO_REUSEPORT of one user are a group, and a datagram that is matched early (`udp_early_demux`) goes to one of them,
/// chosen by hash: of each IPv4 multicast only one program heard. With SO_REUSEADDR alone all hear all. Only where a program is already there that has
/// set SO_REUSEPORT alone do we have to follow it. RFC 6762 §15.1 (6762-15.1-1).
fn bind_shared(family: Family, address: &SockAddr) -> io::Result<Socket> {
    let socket = unbound(family)?;
    socket.set_reuse_address(true)?;
    if cfg!(target_os = "linux") {
        match socket.bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            other => return other.map(|()| socket),
        }
    }
    socket.set_reuse_port(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Asks for what is good to know but not needed.
fn tell_more(family: Family, socket: &Socket) {
    #[cfg(target_os = "linux")]
    {
        let _ = match family {
            Family::V4 => setsockopt(socket, sockopt::Ipv4RecvTtl, &true),
            Family::V6 => setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true),
        };
        let _ = setsockopt(socket, sockopt::RxqOvfl, &1);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (family, socket);
}

fn wildcard(family: Family, port: u16) -> SockAddr {
    match family {
        Family::V4 => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into(),
        Family::V6 => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into(),
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    address
        .as_sockaddr_in6()
        .map(|v6| SocketAddrV6::from(*v6).into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use nix::net::if_::{InterfaceFlags, if_nametoindex};

    use super::*;

    const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

    /// Below what systems give to those who ask for any port.
    const PORTS: std::ops::Range<u32> = 12_000..32_000;

    /// A port that no other test of this run gets, and that is free now. Another program may take it at any time.
    fn free_port() -> u16 {
        static GIVEN: AtomicU32 = AtomicU32::new(0);
        // Two runs at once begin at different places.
        let start = std::process::id().wrapping_mul(97);
        for _ in PORTS {
            let next = start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
            let port = u16::try_from(PORTS.start + next % PORTS.len() as u32).unwrap();
            if !is_port_taken(Family::V4, port).unwrap() {
                return port;
            }
        }
        panic!("no port is free");
    }

    /// Whether something holds of a free port; tried with several, since another program may take one in the meantime.
    fn holds_of_a_free_port(what: impl Fn(u16) -> bool) -> bool {
        (0..10).any(|_| what(free_port()))
    }

    /// The index of the loopback interface, if it can be used.
    fn loopback() -> Option<u32> {
        let all = nix::ifaddrs::getifaddrs().unwrap();
        let up = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_UP;
        let mut up = all.filter(|interface| interface.flags.contains(up));
        let Some(found) = up.find(|i| i.address.is_some_and(|a| a.as_sockaddr_in().is_some()))
        else {
            println!("skipped: there is no loopback interface, or it is down");
            return None;
        };
        if_nametoindex(found.interface_name.as_str()).ok()
    }

    fn next(socket: &mut LinkSocket, buffer: &mut [u8]) -> Option<Received> {
        match socket.receive(buffer) {
            Ok(received) => Some(received),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    // ruling 28; 6762-15.1-1
    #[test]
    fn two_sockets_on_one_port_both_hear_a_multicast_on_loopback() {
        let Some(lo) = loopback() else { return };
        let port = free_port();
        let mut ours = LinkSocket::open(Family::V4, port).unwrap();
        let mut other = LinkSocket::open(Family::V4, port).unwrap();
        for socket in [&mut ours, &mut other] {
            if let Err(error) = socket.join(GROUP.into(), lo) {
                println!("skipped: cannot join on lo: {error}");
                return;
            }
        }
        let from = Ipv4Addr::LOCALHOST;
        ours.send(lo, Some(from.into()), (GROUP, port).into(), b"hello")
            .unwrap();

        for socket in [&mut ours, &mut other] {
            let mut buffer = [0; 16];
            let received = next(socket, &mut buffer).expect("loopback delivers at once");
            assert_eq!(&buffer[..received.len], b"hello");
            assert_eq!(received.source, (from, port).into());
            assert_eq!(received.destination, IpAddr::from(GROUP));
            assert_eq!(received.index, lo);
            assert!(!received.truncated);
            assert_eq!(next(socket, &mut buffer), None);
        }
    }

    // 6762-15.1-3: who only listens takes no unicast from those who wait for one.
    #[test]
    fn one_that_only_listens_hears_the_group_and_leaves_unicasts_to_others() {
        let Some(lo) = loopback() else { return };
        let port = free_port();
        let mut daemon = LinkSocket::open(Family::V4, port).unwrap();
        let mut listening = LinkSocket::listen(Family::V4, port).unwrap();
        if let Err(error) = listening.join(GROUP.into(), lo) {
            println!("skipped: cannot join on lo: {error}");
            return;
        }
        let from = Some(Ipv4Addr::LOCALHOST.into());
        let to_host = (Ipv4Addr::LOCALHOST, port).into();
        daemon.send(lo, from, to_host, b"unicast").unwrap();
        daemon
            .send(lo, from, (GROUP, port).into(), b"multicast")
            .unwrap();

        let mut buffer = [0; 16];
        let heard = next(&mut listening, &mut buffer).expect("loopback delivers at once");
        assert_eq!(&buffer[..heard.len], b"multicast");
        assert_eq!(next(&mut listening, &mut buffer), None);
        let heard = next(&mut daemon, &mut buffer).expect("loopback delivers at once");
        assert_eq!(&buffer[..heard.len], b"unicast");
    }

    // 6762-11-1
    #[cfg(target_os = "linux")]
    #[test]
    fn what_leaves_has_a_hop_limit_of_255() {
        let Some(lo) = loopback() else { return };
        for (family, localhost) in [
            (Family::V4, IpAddr::V4(Ipv4Addr::LOCALHOST)),
            (Family::V6, IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ] {
            let port = free_port();
            let Ok(mut socket) = LinkSocket::open(family, port) else {
                println!("skipped for {family:?}: no such sockets here");
                continue;
            };
            if let Err(error) = socket.send(lo, None, (localhost, port).into(), b"x") {
                println!("skipped for {family:?}: {error}");
                continue;
            }
            let mut buffer = [0; 16];
            let received = next(&mut socket, &mut buffer).expect("loopback delivers at once");
            assert_eq!(received.hop_limit, Some(255), "{family:?}");
            assert_eq!(received.destination, localhost);
        }
    }

    // 6762-15.1-4
    #[test]
    fn a_plain_bind_tells_whether_the_port_is_shared() {
        assert!(holds_of_a_free_port(|port| {
            let taken = || is_port_taken(Family::V4, port).unwrap();
            let before = taken();
            let Ok(socket) = LinkSocket::open(Family::V4, port) else {
                return false;
            };
            let meanwhile = taken();
            drop(socket);
            (before, meanwhile, taken()) == (false, true, false)
        }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_port_is_shared_with_a_program_that_sets_reuse_port_alone() {
        assert!(holds_of_a_free_port(|port| {
            let theirs = unbound(Family::V4).unwrap();
            theirs.set_reuse_port(true).unwrap();
            let theirs_is_bound = theirs.bind(&wildcard(Family::V4, port)).is_ok();
            theirs_is_bound && LinkSocket::open(Family::V4, port).is_ok()
        }));
    }

    #[test]
    fn a_datagram_larger_than_the_buffer_is_told_as_truncated() {
        let Some(lo) = loopback() else { return };
        let port = free_port();
        let mut socket = LinkSocket::open(Family::V4, port).unwrap();
        let to = (Ipv4Addr::LOCALHOST, port).into();
        socket.send(lo, None, to, &[7; 40]).unwrap();
        let mut buffer = [0; 16];
        let received = next(&mut socket, &mut buffer).expect("loopback delivers at once");
        assert!(received.truncated);
        assert_eq!(received.len, 16);
    }

    #[test]
    fn nothing_is_sent_without_an_interface_or_to_the_other_family() {
        let socket = LinkSocket::open(Family::V4, free_port()).unwrap();
        let to_v4 = (Ipv4Addr::LOCALHOST, 9).into();
        let to_v6 = (Ipv6Addr::LOCALHOST, 9).into();
        for (index, to) in [(0, to_v4), (1, to_v6)] {
            let error = socket.send(index, None, to, b"x").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
