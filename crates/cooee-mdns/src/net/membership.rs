//! Group memberships of a socket, on more interfaces than one socket may join.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use nix::errno::Errno;
use socket2::{InterfaceIndexOrAddress, Socket};

use super::socket::unbound;
use crate::Family;

/// Who holds which membership.
///
/// Linux lets one IPv4 socket join 20 groups (`igmp_max_memberships`) and then says ENOBUFS. But whatever *any* socket of the host has joined
/// is heard by every socket bound to the port, so unbound spare sockets can hold the rest.
#[derive(Debug)]
pub(super) struct Memberships {
    family: Family,
    /// Sockets that hold the memberships that the bound one cannot.
    spare: Vec<Socket>,
    /// Group and interface, and who joined.
    joined: BTreeMap<(IpAddr, u32), Holder>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Bound,
    Spare(usize),
}

impl Memberships {
    pub(super) fn new(family: Family) -> Self {
        Self {
            family,
            spare: Vec::new(),
            joined: BTreeMap::new(),
        }
    }

    pub(super) fn join(&mut self, bound: &Socket, group: IpAddr, index: u32) -> io::Result<()> {
        if self.joined.contains_key(&(group, index)) {
            return Ok(());
        }
        let holder = self.find_room(bound, group, index)?;
        self.joined.insert((group, index), holder);
        Ok(())
    }

    pub(super) fn leave(&mut self, bound: &Socket, group: IpAddr, index: u32) {
        let socket = match self.joined.remove(&(group, index)) {
            Some(Holder::Bound) => bound,
            Some(Holder::Spare(number)) => match self.spare.get(number) {
                Some(socket) => socket,
                None => return,
            },
            None => return,
        };
        // The interface may be gone; the kernel then frees the place and complains, or complains alone.
        let _ = change(socket, group, index, Change::Leave);
    }

    /// Sockets that are open only to hold memberships.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn spares(&self) -> usize {
        self.spare.len()
    }

    fn find_room(&mut self, bound: &Socket, group: IpAddr, index: u32) -> io::Result<Holder> {
        if join_unless_full(bound, group, index)? {
            return Ok(Holder::Bound);
        }
        for (number, socket) in self.spare.iter().enumerate() {
            if join_unless_full(socket, group, index)? {
                return Ok(Holder::Spare(number));
            }
        }
        let socket = unbound(self.family)?;
        change(&socket, group, index, Change::Join)?;
        self.spare.push(socket);
        Ok(Holder::Spare(self.spare.len() - 1))
    }
}

#[derive(Clone, Copy)]
enum Change {
    Join,
    Leave,
}

/// Joins; false if the socket has as many memberships as it may have.
fn join_unless_full(socket: &Socket, group: IpAddr, index: u32) -> io::Result<bool> {
    match change(socket, group, index, Change::Join) {
        Ok(()) => Ok(true),
        // Joined by another way already.
        Err(error) if is(&error, Errno::EADDRINUSE) => Ok(true),
        Err(error) if is(&error, Errno::ENOBUFS) => Ok(false),
        Err(error) => Err(error),
    }
}

fn change(socket: &Socket, group: IpAddr, index: u32, change: Change) -> io::Result<()> {
    let interface = InterfaceIndexOrAddress::Index(index);
    match (group, change) {
        (IpAddr::V4(group), Change::Join) => socket.join_multicast_v4_n(&group, &interface),
        (IpAddr::V4(group), Change::Leave) => socket.leave_multicast_v4_n(&group, &interface),
        (IpAddr::V6(group), Change::Join) => socket.join_multicast_v6(&group, index),
        (IpAddr::V6(group), Change::Leave) => socket.leave_multicast_v6(&group, index),
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_full_socket_hands_further_memberships_to_a_spare_one() {
        let Ok(lo) = nix::net::if_::if_nametoindex("lo") else {
            println!("skipped: no interface is called lo");
            return;
        };
        let bound = unbound(Family::V4).unwrap();
        let mut memberships = Memberships::new(Family::V4);
        // The limit counts groups and interfaces alike; one interface is enough to reach it.
        let group = |n| IpAddr::V4(Ipv4Addr::new(239, 255, 77, n));
        for n in 0..50 {
            memberships.join(&bound, group(n), lo).unwrap();
        }
        assert_eq!(memberships.joined.len(), 50);
        assert!(!memberships.spare.is_empty());

        let spare = memberships.spare.len();
        for n in 0..50 {
            memberships.leave(&bound, group(n), lo);
        }
        for n in 50..100 {
            memberships.join(&bound, group(n), lo).unwrap();
        }
        assert_eq!(memberships.spare.len(), spare, "places are used again");
    }
}
