//! One UDP socket, pinned to one interface, that tells when and to whom a datagram came.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, SystemTime};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, SockaddrStorage,
    recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, Type};

use super::{GROUP_V4, GROUP_V6, PORT};

/// A reader looks up so often whether it shall end.
const PATIENCE: Duration = Duration::from_millis(100);

/// What waits in the kernel while the tester is busy.
const RECEIVE_BUFFER: usize = 4 << 20;

#[derive(Debug)]
pub(super) struct Socket {
    socket: socket2::Socket,
    index: u32,
    port: u16,
}

/// A datagram that came, without its octets.
pub(super) struct Heard {
    pub(super) len: usize,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) hop_limit: Option<u8>,
    pub(super) stamp: SystemTime,
}

impl Socket {
    pub(super) fn multicast_v4(index: u32) -> io::Result<Self> {
        let socket = Self::v4(index, PORT)?;
        let by_index = socket2::InterfaceIndexOrAddress::Index(index);
        socket.socket.join_multicast_v4_n(&GROUP_V4, &by_index)?;
        Ok(socket)
    }

    pub(super) fn multicast_v6(index: u32) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_only_v6(true)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
        socket.set_multicast_hops_v6(255)?;
        socket.set_unicast_hops_v6(255)?;
        socket.join_multicast_v6(&GROUP_V6, index)?;
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
        Self::ready(socket, index)
    }

    pub(super) fn legacy(index: u32) -> io::Result<Self> {
        Self::v4(index, 0)
    }

    fn v4(index: u32, port: u16) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
        socket.set_multicast_ttl_v4(255)?;
        socket.set_ttl_v4(255)?;
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        setsockopt(&socket, sockopt::Ipv4RecvTtl, &true)?;
        Self::ready(socket, index)
    }

    fn ready(socket: socket2::Socket, index: u32) -> io::Result<Self> {
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        // A larger one than the system allows is cut.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        let bound = socket.local_addr()?.as_socket();
        let port = bound.map_or(0, |address| address.port());
        Ok(Self {
            socket,
            index,
            port,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn send(
        &self,
        source: IpAddr,
        destination: SocketAddr,
        octets: &[u8],
    ) -> io::Result<()> {
        let octets = [IoSlice::new(octets)];
        let (fd, none) = (self.socket.as_raw_fd(), MsgFlags::empty());
        match (source, destination) {
            (IpAddr::V4(from), SocketAddr::V4(to)) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: i32::try_from(self.index).map_err(|_| Errno::ENODEV)?,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(from.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                let info = [ControlMessage::Ipv4PacketInfo(&info)];
                sendmsg(fd, &octets, &info, none, Some(&SockaddrIn::from(to)))?;
            }
            (IpAddr::V6(from), SocketAddr::V6(to)) => {
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr {
                        s6_addr: from.octets(),
                    },
                    ipi6_ifindex: self.index,
                };
                let info = [ControlMessage::Ipv6PacketInfo(&info)];
                let to = SocketAddrV6::new(*to.ip(), to.port(), 0, self.index);
                sendmsg(fd, &octets, &info, none, Some(&SockaddrIn6::from(to)))?;
            }
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
        Ok(())
    }

    /// The next datagram of this interface; none if none came for a while, or one of another interface.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<Heard>> {
        let mut octets = [IoSliceMut::new(buffer)];
        let mut control = cmsg_space!(
            libc::in6_pktinfo,
            libc::in_pktinfo,
            libc::c_int,
            libc::timespec
        );
        let message = recvmsg::<SockaddrStorage>(
            self.socket.as_raw_fd(),
            &mut octets,
            Some(&mut control),
            MsgFlags::empty(),
        )?;
        let (mut arrived, mut hop_limit, mut stamp) = (None, None, SystemTime::now());
        for told in message.cmsgs()? {
            match told {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    let to = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
                    let index = u32::try_from(info.ipi_ifindex).unwrap_or(0);
                    arrived = Some((IpAddr::V4(to), index));
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let to = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    arrived = Some((IpAddr::V6(to), info.ipi6_ifindex));
                }
                ControlMessageOwned::Ipv4Ttl(limit) | ControlMessageOwned::Ipv6HopLimit(limit) => {
                    hop_limit = u8::try_from(limit).ok();
                }
                ControlMessageOwned::ScmTimestampns(time) => {
                    stamp = SystemTime::UNIX_EPOCH + Duration::from(time);
                }
                _ => {}
            }
        }
        let source = message.address.as_ref().and_then(socket_address);
        let (Some(source), Some((destination, index))) = (source, arrived) else {
            return Ok(None);
        };
        if index != self.index {
            return Ok(None);
        }
        Ok(Some(Heard {
            len: message.bytes,
            source,
            destination: (destination, self.port).into(),
            hop_limit,
            stamp,
        }))
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddrV6::from(*v6).into())
}
