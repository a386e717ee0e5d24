//! RFC 6762 §9: when two want the same, and when it only looks so.

mod lan;

use cooee_mdns::{Event, Instant, RecordSet};
use cooee_sim::Conditions;
use cooee_wire::RecordType;
use lan::{Lan, a, flush, ms, name, response, service, srv, txt};

#[test]
fn a_conflict_after_the_claim_leads_to_new_probes_and_the_name_is_kept_if_nobody_defends_it() {
    // 6762-9-1, 6762-9-3, 6762-6.6-2, 6762-8.3-9
    let mut lan = Lan::new(1);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject(
        "192.0.2.9:5353",
        &response(&[flush(txt("box.local", "theirs"))]),
    );
    lan.run_ms(5000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len(),
        3,
        "{}",
        lan.network.transcript()
    );
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::TXT).len(),
        2
    );
    assert_eq!(lan.network.node(host).conflict_at(group), None);
}

#[test]
fn two_that_meet_with_the_same_name_settle_it() {
    // 6762-9-3, 6762-9-4, 6762-9-5: two networks become one
    for seed in 0..20 {
        let mut lan = Lan::with(
            seed,
            Conditions {
                loss: 1.0,
                ..Conditions::default()
            },
        );
        let (one, two) = (lan.host("one", 1), lan.host("two", 2));
        let first = lan.publish(one, RecordSet::new().unique(txt("box.local", "one")));
        let second = lan.publish(two, RecordSet::new().unique(txt("box.local", "two")));
        lan.run_ms(5000);
        assert!(
            lan.network.node(one).ready_at(first).is_some()
                && lan.network.node(two).ready_at(second).is_some()
        );
        let link = lan.link;
        lan.network.set_conditions(link, Conditions::default());
        let asker = lan.host("asker", 3);
        lan.ask(asker, "box.local", RecordType::TXT);
        lan.run_ms(20_000);
        let lost = [
            lan.network.node(one).conflict_at(first),
            lan.network.node(two).conflict_at(second),
        ];
        assert_eq!(
            lost.iter().flatten().count(),
            1,
            "{}",
            lan.network.transcript()
        );
        assert_eq!(lan.answers(asker).len(), 1);
    }
}

#[test]
fn a_lost_name_gets_no_goodbye_and_the_new_one_is_probed() {
    // Ruling 19, 6762-9-4, 6762-9-7, 6762-8.1-15
    let mut lan = Lan::new(2);
    let owner = lan.host("owner", 1);
    lan.publish(owner, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let late = lan.host("late", 2);
    let group = lan.publish(late, service("Shop", "other.local", 81));
    let start = lan.now();
    lan.network.run_until(start + ms(5000), |network| {
        network.node(late).conflict_at(group).is_some()
    });
    let renamed = service("Shop (2)", "other.local", 81);
    lan.network
        .command(late, |station, now| {
            station.engine.rename(now, group, renamed)
        })
        .expect("a rename");
    lan.run_ms(5000);
    lan.assert_ready(late, group);
    assert_eq!(
        lan.asked_at(late, start, "Shop (2)._http._tcp.local", RecordType::ANY)
            .len(),
        3
    );
    for packet in lan
        .sent(late, start)
        .into_iter()
        .filter(|packet| lan::is_response(packet))
    {
        assert!(
            lan::records(packet)
                .iter()
                .all(|(_, record)| record.ttl > 0),
            "{packet}"
        );
    }
    lan.assert_clean();
}

#[test]
fn the_shared_records_of_a_group_are_silent_while_it_probes() {
    // Ruling 19
    let mut lan = Lan::new(3);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(300);
    lan.inject(
        "192.0.2.9:5353",
        &lan::query("_http._tcp.local", RecordType::PTR, &[]),
    );
    lan.run_ms(150);
    assert!(
        lan.sent_at(host, start, "_http._tcp.local", RecordType::PTR)
            .is_empty(),
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn our_own_packets_are_no_conflict() {
    // 6762-14-7, ruling 20: the simulated system hands every multicast back to its sender
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let stats = lan.network.node(host).engine.stats();
    assert_eq!(stats.received, 0);
    assert_eq!(stats.own_copies, lan.network.packets().len() as u64);
    assert!(
        !lan.network
            .node(host)
            .events
            .iter()
            .any(|(_, event)| matches!(event, Event::PortShared { .. }))
    );
}

#[test]
fn a_foreign_packet_from_our_own_address_shows_that_the_port_is_shared() {
    // Rulings 2 and 20
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    lan.run_ms(1000);
    lan.inject(
        "192.0.2.1:5353",
        &lan::query("_http._tcp.local", RecordType::PTR, &[]),
    );
    lan.run_ms(10);
    let link = lan.link;
    assert!(
        matches!(lan.network.node(host).events[..], [(_, Event::PortShared { link: at })] if at == link)
    );
}

#[test]
fn the_way_back_from_an_address_is_left_to_another_responder_of_this_host() {
    // 6762-8.1-21 holds for one responder only; 6762-15.1-1. Avahi claims these PTR records with its own host name.
    let way_back = "1.2.0.192.in-addr.arpa";
    let mut lan = Lan::new(9);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box-2.local")));
    let told = |lan: &Lan, start| {
        let sent = lan.sent(host, start).into_iter().flat_map(lan::records);
        sent.filter(|(_, record)| record.name == name(way_back) && record.ttl > 0)
            .count()
    };
    lan.run_ms(5000);
    assert!(told(&lan, Instant::ZERO) > 0);
    let start = lan.now();
    lan.inject(
        "192.0.2.1:5353",
        &lan::probe(way_back, &[lan::ptr(way_back, "box.local")]),
    );
    lan.run_ms(3000);
    lan.inject(
        "192.0.2.9:5353",
        &lan::query(way_back, RecordType::PTR, &[]),
    );
    lan.inject(
        "192.0.2.9:5353",
        &lan::query("box-2.local", RecordType::A, &[]),
    );
    lan.run_ms(3000);
    assert_eq!(told(&lan, start), 0, "{}", lan.network.transcript());
    let addresses = lan.sent_at(host, start, "box-2.local", RecordType::A);
    assert!(!addresses.is_empty(), "{}", lan.network.transcript());
}

#[test]
fn an_address_of_this_host_is_no_conflict_about_its_name() {
    // Ruling 21: another program here, or our other link, says it
    let mut lan = Lan::new(6);
    let host = lan.host("a", 1);
    let other = lan.network.add_link(Conditions::default());
    lan.network.join(
        host,
        other,
        &["198.51.100.1/24".parse().expect("an address")],
    );
    let group = lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    let start = lan.now();
    let elsewhere = cooee_wire::RdataBuf::a([198, 51, 100, 1].into());
    let record = cooee_wire::RecordBuf::new(name("box.local"), 120, elsewhere);
    lan.hear(&[flush(record)]);
    lan.run_ms(3000);
    assert!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .is_empty(),
        "{}",
        lan.network.transcript()
    );
    lan.hear(&[flush(a("box.local", 99))]);
    lan.run_ms(3000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len(),
        3
    );
    assert_eq!(lan.network.node(host).conflict_at(group), None);
}

#[test]
fn two_links_that_are_one_network_do_not_fight() {
    // 6762-14-7, ruling 21
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    let shop = lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(300);
    let start = lan.now();
    // What a bridge would do: all that leaves here comes back as if from elsewhere.
    for _ in 0..100 {
        let before = lan.network.packets().len();
        lan.run_ms(50);
        let mirrored: Vec<Vec<u8>> = lan.network.packets()[before..]
            .iter()
            .filter(|packet| packet.host == Some(host) && packet.source.is_ipv4())
            .map(|packet| packet.payload.clone())
            .collect();
        for payload in mirrored {
            lan.inject("192.0.2.1:5353", &payload);
        }
    }
    for group in [group, shop] {
        lan.assert_ready(host, group);
        assert_eq!(lan.network.node(host).conflict_at(group), None);
    }
    assert!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len()
            <= 3
    );
}

#[test]
fn our_former_data_coming_back_is_no_conflict() {
    // Ruling 20
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "old")));
    lan.run_ms(5000);
    let update = RecordSet::new().unique(txt("box.local", "new"));
    lan.network
        .command(host, |station, now| {
            station.engine.update(now, group, update)
        })
        .expect("an update");
    let start = lan.now();
    lan.run_ms(2000);
    lan.inject(
        "192.0.2.9:5353",
        &response(&[flush(txt("box.local", "old"))]),
    );
    lan.run_ms(1000);
    assert!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .is_empty(),
        "{}",
        lan.network.transcript()
    );
    lan.run_ms(10_000);
    lan.inject(
        "192.0.2.9:5353",
        &response(&[flush(txt("box.local", "old"))]),
    );
    lan.run_ms(1000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len(),
        3
    );
}

#[test]
fn a_conflict_on_one_link_silences_the_group_on_all() {
    // Ruling 17, 6762-14-2
    let mut lan = Lan::new(9);
    let host = lan.host("a", 1);
    let other = lan.network.add_link(Conditions::default());
    lan.network.join(
        host,
        other,
        &["198.51.100.1/24".parse().expect("an address")],
    );
    let group = lan.publish(
        host,
        RecordSet::new().unique(srv("x.local", "box.local", 1)),
    );
    let start = lan.now();
    let link = lan.link;
    lan.network.run_until(start + ms(1000), |network| {
        network.packets().iter().any(|packet| packet.link == link)
    });
    lan.inject(
        "192.0.2.9:5353",
        &response(&[flush(srv("x.local", "their.local", 1))]),
    );
    lan.run_ms(5000);
    let conflicts = lan
        .network
        .node(host)
        .events
        .iter()
        .filter(|(_, e)| matches!(e, Event::Conflict { .. }))
        .count();
    assert_eq!(conflicts, 1);
    assert!(lan.network.node(host).conflict_at(group).is_some());
    assert!(
        lan.network
            .packets()
            .iter()
            .all(|packet| packet.host.is_none() || !lan::is_response(packet))
    );
}

#[test]
fn the_addresses_of_our_other_link_coming_over_a_bridge_make_us_announce_those_of_this_one() {
    // 6762-14-7, 6762-14-8, 6762-10.2-9
    let mut lan = Lan::new(10);
    let host = lan.host("a", 1);
    let other = lan.network.add_link(Conditions::default());
    lan.network.join(
        host,
        other,
        &["198.51.100.1/24".parse().expect("an address")],
    );
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    let start = lan.now();
    let elsewhere = cooee_wire::RdataBuf::a([198, 51, 100, 1].into());
    let record = cooee_wire::RecordBuf::new(name("box.local"), 120, elsewhere);
    lan.inject("198.51.100.1:5353", &response(&[flush(record.clone())]));
    lan.run_ms(500);
    lan.inject("198.51.100.1:5353", &response(&[flush(record)]));
    lan.run_ms(3000);
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::A),
        [1],
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn two_responders_with_the_same_single_family_host_agree() {
    // 6762-9-2, ruling 21: the NSEC that says "no IPv6" is no rival
    let mut lan = Lan::new(11);
    let address = ["192.0.2.1/24".parse().expect("an address")];
    let (one, two) = (
        lan.network.add_station("one"),
        lan.network.add_station("two"),
    );
    let link = lan.link;
    lan.network.join(one, link, &address);
    let first = lan.publish(one, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    lan.network.join(two, link, &address);
    let second = lan.publish(two, RecordSet::new().host_addresses(name("box.local")));
    lan.run_ms(5000);
    for (host, group) in [(one, first), (two, second)] {
        assert_eq!(
            lan.network.node(host).conflict_at(group),
            None,
            "{}",
            lan.network.transcript()
        );
        lan.assert_ready(host, group);
    }
}

#[test]
fn our_own_clients_learn_of_a_name_that_is_lost_later() {
    // Ruling 32, 6762-9-4
    let mut lan = Lan::new(12);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::TXT);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    lan.run_ms(5000);
    assert_eq!(lan.answers(host).len(), 1);
    let theirs = response(&[flush(txt("box.local", "theirs"))]);
    lan.inject("192.0.2.9:5353", &theirs);
    let before = lan.network.packets().len();
    let now = lan.now();
    lan.network
        .run_until(now + ms(1000), |network| network.packets().len() > before);
    lan.inject("192.0.2.9:5353", &theirs);
    lan.run_ms(100);
    assert!(
        lan.network.node(host).conflict_at(group).is_some(),
        "{}",
        lan.network.transcript()
    );
    assert_eq!(lan.answers(host), [txt("box.local", "theirs").rdata]);
}
