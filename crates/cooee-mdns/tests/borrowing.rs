//! The system's host name: borrowed from another responder of this host, or claimed where there is none.

mod lan;

use cooee_mdns::{Event, GroupId, Instant, LinkInfo, LinkSet, RecordSet};
use cooee_sim::HostId;
use cooee_wire::{RdataBuf, RecordType};
use lan::{Lan, a, aaaa, is_response, ms, name, records, with_ttl};

const HOST: &str = "box.local";

fn shared() -> RecordSet {
    RecordSet::new().system_host(name(HOST))
}

/// A daemon's record set, which knows of no sharing: it defends its name and says goodbye.
fn daemons() -> RecordSet {
    RecordSet::new()
        .unique(a(HOST, 1))
        .unique(aaaa(HOST, 1))
        .known_unique(cooee_wire::RecordBuf::new(
            name("1.2.0.192.in-addr.arpa"),
            120,
            RdataBuf::ptr(name(HOST).as_name()),
        ))
}

/// The events of a group, without those of queries.
fn told(lan: &Lan, host: HostId, group: GroupId) -> Vec<&'static str> {
    let events = lan.network.node(host).events.iter();
    events
        .filter_map(|(_, event)| match event {
            Event::Ready { group: of } if *of == group => Some("ready"),
            Event::Borrowed { group: of } if *of == group => Some("borrowed"),
            Event::Conflict { group: of, .. } if *of == group => Some("conflict"),
            _ => None,
        })
        .collect()
}

/// How many packets of a host speak of the name or lead to it, in any section.
fn mentions(lan: &Lan, host: HostId, since: Instant) -> usize {
    let target = RdataBuf::ptr(name(HOST).as_name());
    let about = |packet: &&cooee_sim::Packet| {
        records(packet)
            .iter()
            .any(|(_, record)| record.name == name(HOST) || record.rdata == target)
    };
    lan.sent(host, since).into_iter().filter(about).count()
}

/// Another program has the port, as the driver finds out.
fn share_port(lan: &mut Lan, host: HostId) {
    let link = lan.link;
    let addresses = lan::addresses(1).map(Into::into);
    lan.network.command(host, |station, now| {
        let mut info = LinkInfo::new(addresses);
        info.unicast_reliable = false;
        station.engine.link_changed(now, link, info);
    });
}

fn shut_down(lan: &mut Lan, host: HostId) {
    lan.network
        .command(host, |station, now| station.engine.shutdown(now));
}

#[test]
fn the_name_of_a_daemon_that_is_there_is_borrowed_without_a_word() {
    // Ruling 22: the daemon started before us
    for seed in 0..20 {
        let mut lan = Lan::new(seed);
        let daemon = lan.host("daemon", 1);
        let theirs = lan.publish(daemon, daemons());
        lan.run_ms(5000);
        let us = lan.host("us", 1);
        share_port(&mut lan, us);
        let start = lan.now();
        let ours = lan.publish(us, shared());
        lan.run_ms(600_000);
        assert_eq!(told(&lan, us, ours), ["borrowed"], "seed {seed}");
        assert_eq!(told(&lan, daemon, theirs), ["ready"]);
        assert_eq!(mentions(&lan, us, start), 0, "{}", lan.network.transcript());
        // Two questions are kept fresh: no storm.
        assert!(
            lan.sent(us, start).len() < 40,
            "{}",
            lan.sent(us, start).len()
        );
        lan.assert_clean();
    }
}

#[test]
fn a_name_that_is_ours_is_left_to_a_daemon_that_comes_and_no_goodbye_flushes_it() {
    // Ruling 22: the daemon starts after us
    for seed in 0..20 {
        let mut lan = Lan::new(seed);
        let us = lan.host("us", 1);
        let ours = lan.publish(us, shared());
        lan.run_ms(5000);
        assert_eq!(told(&lan, us, ours), ["ready"]);
        let asker = lan.host("asker", 9);
        lan.ask(asker, HOST, RecordType::A);
        let daemon = lan.host("daemon", 1);
        let theirs = lan.publish(daemon, daemons());
        lan.run_ms(2);
        let start = lan.now();
        lan.run_ms(20_000);
        assert_eq!(told(&lan, us, ours), ["ready", "borrowed"], "seed {seed}");
        assert_eq!(told(&lan, daemon, theirs), ["ready"]);
        // The daemon's first probe may be up to 250 ms away.
        let spoken = lan
            .sent(us, start)
            .into_iter()
            .filter(|packet| is_response(packet) && packet.at > start + ms(300));
        assert_eq!(spoken.count(), 0, "{}", lan.network.transcript());
        assert_eq!(lan.answers(asker), [a(HOST, 1).rdata]);
        lan.assert_clean();
    }
}

#[test]
fn the_name_is_claimed_when_the_daemon_is_gone_and_given_back_when_it_returns() {
    // Ruling 22: stopped, with a goodbye and without, and started again
    for seed in 0..20 {
        for crashes in [false, true] {
            let mut lan = Lan::new(seed);
            let daemon = lan.host("daemon", 1);
            lan.publish(daemon, daemons());
            lan.run_ms(5000);
            let us = lan.host("us", 1);
            share_port(&mut lan, us);
            let ours = lan.publish(us, shared());
            lan.run_ms(5000);
            if crashes {
                lan.network.crash(daemon);
            } else {
                shut_down(&mut lan, daemon);
            }
            lan.run_ms(130_000);
            assert_eq!(told(&lan, us, ours), ["borrowed", "ready"], "{crashes}");
            let daemon = lan.host("daemon again", 1);
            let theirs = lan.publish(daemon, daemons());
            lan.run_ms(5000);
            assert_eq!(told(&lan, us, ours), ["borrowed", "ready", "borrowed"]);
            assert_eq!(told(&lan, daemon, theirs), ["ready"]);
        }
    }
}

#[test]
fn a_daemon_that_restarts_gets_its_name_back_unprobed_by_us() {
    // Ruling 22: a probe of ours beside its own could be the later one, and then it would rename the machine
    for seed in 0..20 {
        let mut lan = Lan::new(seed);
        let daemon = lan.host("daemon", 1);
        lan.publish(daemon, daemons());
        lan.run_ms(5000);
        let us = lan.host("us", 1);
        share_port(&mut lan, us);
        let start = lan.now();
        let ours = lan.publish(us, shared());
        lan.run_ms(5000);
        shut_down(&mut lan, daemon);
        lan.run_ms(500);
        let daemon = lan.host("daemon again", 1);
        let theirs = lan.publish(daemon, daemons());
        lan.run_ms(20_000);
        assert_eq!(told(&lan, us, ours), ["borrowed"], "seed {seed}");
        assert_eq!(told(&lan, daemon, theirs), ["ready"]);
        assert_eq!(mentions(&lan, us, start), 0);
    }
}

#[test]
fn two_that_would_both_rather_borrow_end_with_one_owner() {
    // Ruling 22: two programs with this library on one host, one after the other and together
    for seed in 0..50 {
        for pause in [0, 100, 5000] {
            let mut lan = Lan::new(seed);
            let (one, two) = (lan.host("one", 1), lan.host("two", 1));
            share_port(&mut lan, two);
            let first = lan.publish(one, shared());
            lan.run_ms(pause);
            let second = lan.publish(two, shared());
            lan.run_ms(20_000);
            let told = [told(&lan, one, first), told(&lan, two, second)];
            let last = told.each_ref().map(|told| told.last().copied());
            assert!(
                last.contains(&Some("ready")) && !told.concat().contains(&"conflict"),
                "seed {seed}, {pause}: {told:?}\n{}",
                lan.network.transcript()
            );
            let start = lan.now();
            lan.run_ms(60_000);
            let sent = lan.sent(one, start).len() + lan.sent(two, start).len();
            assert!(sent < 12, "seed {seed}, {pause}: {sent} packets a minute");
        }
    }
}

#[test]
fn another_machine_with_the_name_is_a_conflict_and_not_a_lender() {
    // 6762-9-4, ruling 22
    let mut lan = Lan::new(3);
    let other = lan.host("other", 2);
    lan.publish(other, RecordSet::new().unique(a(HOST, 2)));
    lan.run_ms(5000);
    let us = lan.host("us", 1);
    share_port(&mut lan, us);
    let ours = lan.publish(us, shared());
    lan.run_ms(5000);
    assert_eq!(told(&lan, us, ours), ["conflict"]);
}

#[test]
fn what_a_borrowed_group_is_told_is_kept_for_when_it_is_ours() {
    // Ruling 22: update, other links, and withdrawal while borrowed
    let mut lan = Lan::new(4);
    let daemon = lan.host("daemon", 1);
    lan.publish(daemon, daemons());
    lan.run_ms(5000);
    let us = lan.host("us", 1);
    share_port(&mut lan, us);
    let start = lan.now();
    let ours = lan.publish(us, shared());
    lan.run_ms(5000);
    lan.network.command(us, |station, now| {
        let update = shared().unique(lan::txt(HOST, "more"));
        station.engine.update(now, ours, update).expect("an update");
        station
            .engine
            .move_to(now, ours, LinkSet::All)
            .expect("a move");
    });
    lan.run_ms(20_000);
    assert_eq!(mentions(&lan, us, start), 0, "{}", lan.network.transcript());
    lan.withdraw(us, ours);
    lan.run_ms(5000);
    shut_down(&mut lan, daemon);
    lan.run_ms(20_000);
    assert_eq!(mentions(&lan, us, start), 0);
    assert_eq!(told(&lan, us, ours), ["borrowed"]);
}

#[test]
fn a_goodbye_or_a_known_answer_from_this_host_is_no_claim() {
    // Ruling 22
    let mut lan = Lan::new(5);
    let us = lan.host("us", 1);
    let ours = lan.publish(us, shared());
    lan.run_ms(5000);
    lan.inject("192.0.2.1:5353", &lan::response(&[with_ttl(a(HOST, 1), 0)]));
    let known = [a(HOST, 1)];
    lan.inject("192.0.2.1:5353", &lan::query(HOST, RecordType::A, &known));
    lan.run_ms(5000);
    assert_eq!(told(&lan, us, ours), ["ready"]);
}
