//! Sockets on real interfaces, each test in a network namespace of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use nix::net::if_::if_nametoindex;

use super::{LinkSocket, Received};
use crate::Family;
use crate::net::lab::{ip, is_in_namespace, run_in_namespace, sysctl};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const PORT: u16 = 5353;

#[test]
fn thirty_links_are_heard_and_each_is_told_by_its_index() {
    run_in_namespace("net::socket::live_tests::in_namespace_thirty_links");
}

#[test]
#[ignore = "runs in a namespace of its own"]
fn in_namespace_thirty_links() {
    if !is_in_namespace() {
        return;
    }
    let pairs = wire(30);
    let mut socket = LinkSocket::open(Family::V4, PORT).unwrap();
    for &(a, _) in &pairs {
        socket.join(GROUP.into(), a).unwrap();
    }
    for &(a, b) in &pairs {
        let received = hear_from(b, &mut socket, b"hello");
        assert_eq!(received.index, a);
        assert_eq!(received.hop_limit, Some(255));
    }
}

#[test]
fn an_interface_that_is_down_or_gone_refuses_and_the_socket_lives_on() {
    run_in_namespace("net::socket::live_tests::in_namespace_refusals");
}

#[test]
#[ignore = "runs in a namespace of its own"]
fn in_namespace_refusals() {
    if !is_in_namespace() {
        return;
    }
    let (a, b) = wire(1)[0];
    let mut socket = LinkSocket::open(Family::V4, PORT).unwrap();
    let refuses = |socket: &LinkSocket, index| {
        let to = SocketAddr::from((GROUP, PORT));
        socket.send(index, None, to, b"x").is_err()
    };
    // Joined while down, it works when it comes up.
    ip("link set a0 down");
    socket.join(GROUP.into(), a).unwrap();
    assert!(refuses(&socket, a));
    ip("link set a0 up");
    assert_eq!(hear_from(b, &mut socket, b"x").index, a);
    // Larger than the MTU: the kernel makes fragments. RFC 6762 §17
    assert_eq!(hear_from(b, &mut socket, &[1; 8900]).len, 8900);

    ip("link del a0");
    assert!(refuses(&socket, a));
    socket.leave(GROUP.into(), a);
    // Made again it is another interface, to be joined anew.
    let (again, peer) = wire(1)[0];
    assert_ne!(again, a);
    socket.join(GROUP.into(), again).unwrap();
    assert_eq!(hear_from(peer, &mut socket, b"y").index, again);
}

#[test]
fn interfaces_that_came_and_went_leave_their_places_to_others() {
    run_in_namespace("net::socket::live_tests::in_namespace_come_and_go");
}

#[test]
#[ignore = "runs in a namespace of its own"]
fn in_namespace_come_and_go() {
    if !is_in_namespace() {
        return;
    }
    let mut socket = LinkSocket::open(Family::V4, PORT).unwrap();
    // More often than one socket may join.
    for _ in 0..25 {
        let (a, _) = wire(1)[0];
        socket.join(GROUP.into(), a).unwrap();
        ip("link del a0");
        socket.leave(GROUP.into(), a);
    }
    assert_eq!(socket.memberships.spares(), 0);
}

/// Makes pairs of interfaces `a0` and `b0`, `a1` and `b1` …, with addresses, that may hear their own other end.
fn wire(pairs: u8) -> Vec<(u32, u32)> {
    sysctl("net.ipv4.conf.all.accept_local", "1");
    let mut commands = String::new();
    for n in 0..pairs {
        commands += &format!(
            "link add a{n} type veth peer name b{n}\n\
             addr add 10.0.{n}.1/24 dev a{n}\naddr add 10.0.{n}.2/24 dev b{n}\n\
             link set a{n} up\nlink set b{n} up\n"
        );
    }
    ip(&commands);
    let index = |name: String| if_nametoindex(name.as_str()).unwrap();
    (0..pairs)
        .map(|n| (index(format!("a{n}")), index(format!("b{n}"))))
        .collect()
}

/// Sends to the group on `near` until it is heard at another interface: one that has just come up loses what is sent at once.
fn hear_from(near: u32, socket: &mut LinkSocket, octets: &[u8]) -> Received {
    let mut buffer = [0; 9216];
    for _ in 0..200 {
        // A repetition of before may still be on its way.
        while socket.receive(&mut buffer).is_ok() {}
        socket
            .send(near, None, (GROUP, PORT).into(), octets)
            .unwrap();
        std::thread::sleep(Duration::from_millis(5));
        loop {
            match socket.receive(&mut buffer) {
                // The near end was not joined; whether its copy is heard all the same does not matter.
                Ok(received) if received.index == near => {}
                Ok(received) => return received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
    panic!("nothing heard");
}
