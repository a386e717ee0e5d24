//! What is told of the network underneath.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use cooee_mdns::net::{Driven as _, NetworkEvent};
use cooee_wire::{RdataBuf, RecordBuf};

use super::lan::{Lan, poll_once, record};
use super::web;
use crate::{Event, Events, Family};

/// What is told now, but of links and host names.
fn told(events: &mut Events) -> Vec<Event> {
    let mut told = Vec::new();
    while let Poll::Ready(Some(event)) = poll_once(pin!(events.next())) {
        if !matches!(event, Event::NoLink | Event::HostName(_)) {
            told.push(event);
        }
    }
    told
}

#[test]
fn a_family_without_a_socket_is_told_until_there_is_one() {
    let mut lan = Lan::new(61);
    let alice = lan.host("alice", 1);
    let family = Family::V6;
    let mut tell = |event: NetworkEvent| {
        lan.simulation
            .command(alice.id, |node, now| node.handle_network(now, &event));
    };
    let mut events = alice.zeroconf.events();
    let error = io::ErrorKind::AddrInUse.into();
    tell(NetworkEvent::NoSocket { family, error });
    // Who asks later is told as well.
    for events in [&mut events, &mut alice.zeroconf.events()] {
        let told = told(events);
        let [Event::NoSocket { family, error }] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(*family, Family::V6);
        assert!(error.is_network() && error.to_string().contains("does not share it"));
    }
    tell(NetworkEvent::SocketOpened(family));
    let opened = told(&mut events);
    assert!(matches!(opened[..], [Event::SocketOpened(Family::V6)]));
    assert!(told(&mut alice.zeroconf.events()).is_empty());
}

// Ruling 2
#[test]
fn a_program_that_comes_to_share_the_port_later_is_told_too() {
    let mut lan = Lan::new(62);
    let alice = lan.host("alice", 1);
    let _web = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let mut events = alice.zeroconf.events();
    assert!(told(&mut events).is_empty());
    let other: RecordBuf = record("other.local", RdataBuf::a([192, 0, 2, 1].into()));
    lan.say_as(SocketAddr::from(([192, 0, 2, 1], 5353)), &[other]);
    let shared = told(&mut events);
    assert!(
        matches!(shared[..], [Event::PortShared(true)]),
        "{shared:?}"
    );
}
