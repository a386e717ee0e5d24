//! RFC 6762 §8.3 and §8.4, and links that come and go.

mod lan;

use cooee_mdns::{Event, LinkId, LinkSet, PublishError, RecordSet};
use cooee_sim::Conditions;
use cooee_wire::RecordType;
use lan::{Lan, is_response, name, ptr, records, service, srv, txt};

#[test]
fn new_data_of_a_unique_record_is_announced_without_probes_and_without_goodbye() {
    // 6762-8.4-1, 6762-8.4-3, 6762-8.4-5
    let mut lan = Lan::new(1);
    let (host, asker) = (lan.host("a", 1), lan.host("b", 2));
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "old")));
    lan.ask(asker, "box.local", RecordType::TXT);
    lan.run_ms(5000);
    let start = lan.now();
    let update = RecordSet::new().unique(txt("box.local", "new"));
    lan.network
        .command(host, |station, now| {
            station.engine.update(now, group, update)
        })
        .expect("an update");
    lan.run_ms(5000);
    assert!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .is_empty()
    );
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::TXT),
        [0, 1000]
    );
    let first = records(lan.sent(host, start)[0]);
    assert!(
        first
            .iter()
            .all(|(_, record)| record.ttl > 0 && record.cache_flush)
    );
    assert_eq!(lan.answers(asker), [txt("box.local", "new").rdata]);
    lan.assert_clean();
}

#[test]
fn a_shared_record_that_changes_says_goodbye_first() {
    // 6762-8.4-4
    let mut lan = Lan::new(2);
    let (host, asker) = (lan.host("a", 1), lan.host("b", 2));
    let group = lan.publish(
        host,
        RecordSet::new().shared(ptr("_x._tcp.local", "one._x._tcp.local")),
    );
    lan.ask(asker, "_x._tcp.local", RecordType::PTR);
    lan.run_ms(5000);
    let start = lan.now();
    let update = RecordSet::new().shared(ptr("_x._tcp.local", "two._x._tcp.local"));
    lan.network
        .command(host, |station, now| {
            station.engine.update(now, group, update)
        })
        .expect("an update");
    lan.run_ms(5000);
    let first = records(lan.sent(host, start)[0]);
    assert_eq!(
        (first[0].1.ttl, first[0].1.rdata.clone()),
        (0, ptr("_x._tcp.local", "one._x._tcp.local").rdata)
    );
    assert_eq!(
        lan.answers(asker),
        [ptr("_x._tcp.local", "two._x._tcp.local").rdata]
    );
    lan.assert_clean();
}

#[test]
fn a_new_name_in_a_group_is_probed() {
    // 6762-8.1-1
    let mut lan = Lan::new(3);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_ms(5000);
    let start = lan.now();
    let update = RecordSet::new()
        .unique(txt("box.local", "x"))
        .unique(txt("other.local", "y"));
    lan.network
        .command(host, |station, now| {
            station.engine.update(now, group, update)
        })
        .expect("an update");
    lan.run_ms(5000);
    assert_eq!(
        lan.asked_at(host, start, "other.local", RecordType::ANY)
            .len(),
        3
    );
    lan.assert_clean();
}

#[test]
fn a_host_that_moves_is_followed_by_its_services() {
    // 6762-8.4-2, ruling 17: a host rename is an update of the SRV
    let mut lan = Lan::new(4);
    let (host, asker) = (lan.host("a", 1), lan.host("b", 2));
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    let shop = lan.publish(host, service("Shop", "box.local", 80));
    lan.ask(asker, "Shop._http._tcp.local", RecordType::SRV);
    lan.run_ms(5000);
    let start = lan.now();
    let moved = service("Shop", "box-2.local", 80);
    lan.update(host, shop, moved);
    lan.run_ms(3000);
    assert!(
        lan.asked_at(host, start, "Shop._http._tcp.local", RecordType::ANY)
            .is_empty()
    );
    assert_eq!(
        lan.answers(asker),
        [srv("x.local", "box-2.local", 80).rdata]
    );
}

#[test]
fn other_addresses_are_announced_and_the_old_ones_go() {
    // 6762-8.4-2, 6762-8-2
    let mut lan = Lan::new(5);
    let (host, asker) = (lan.host("a", 1), lan.host("b", 2));
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.ask(asker, "box.local", RecordType::A);
    lan.run_ms(5000);
    assert_eq!(lan.answers(asker), [lan::a("x.local", 1).rdata]);
    let link = lan.link;
    lan.network.readdress(host, link, &lan::addresses(17));
    lan.run_ms(1500);
    assert_eq!(
        lan.answers(asker),
        [lan::a("x.local", 17).rdata],
        "{}",
        lan.network.transcript()
    );
    lan.assert_clean();
}

#[test]
fn a_family_that_comes_later_is_probed_announced_and_asked_anew() {
    // 6762-8-2, 6762-5.4-6: IPv6 is there only after the check for duplicate addresses, and who hears nothing but IPv6 has heard nothing of us
    let mut lan = Lan::new(70);
    let host = lan.network.add_station("a");
    let (link, [v4, v6]) = (lan.link, lan::addresses(1));
    lan.network.join(host, link, &[v4]);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.ask(host, "_x._tcp.local", RecordType::PTR);
    lan.run_ms(5000);
    let start = lan.now();
    lan.network.readdress(host, link, &[v4, v6]);
    lan.run_ms(2500);
    let over_v6 = |packets: &[cooee_sim::Packet]| -> Vec<cooee_sim::Packet> {
        let late = packets.iter().filter(|packet| packet.at >= start);
        late.filter(|packet| packet.source.is_ipv6())
            .cloned()
            .collect()
    };
    let heard = over_v6(lan.network.packets());
    let probes = heard.iter().flat_map(lan::questions);
    assert_eq!(probes.filter(|q| q.kind == RecordType::ANY).count(), 3);
    let asked: Vec<_> = heard
        .iter()
        .flat_map(lan::questions)
        .filter(|q| q.kind == RecordType::PTR)
        .collect();
    assert!(asked[0].unicast_response && asked.len() == 2, "{asked:?}");
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::AAAA)
            .len(),
        2
    );
    lan.assert_clean();
}

#[test]
fn another_address_or_a_family_less_probes_and_asks_nothing_anew() {
    // 6762-8.4-2
    let mut lan = Lan::new(71);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.ask(host, "_x._tcp.local", RecordType::PTR);
    lan.run_ms(12_000);
    let (start, link) = (lan.now(), lan.link);
    lan.network.readdress(host, link, &lan::addresses(17));
    lan.run_ms(1500);
    lan.network.readdress(host, link, &lan::addresses(17)[..1]);
    lan.run_ms(1500);
    let sent = lan.sent(host, start);
    assert!(!sent.is_empty());
    assert!(sent.into_iter().all(is_response));
    lan.assert_clean();
}

#[test]
fn a_group_without_link_waits_and_is_probed_when_one_comes_up() {
    // 6762-8-2, ruling 17
    let mut lan = Lan::new(6);
    let host = lan.network.add_station("a");
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    assert!(
        matches!(lan.network.node(host).events[..], [(_, Event::Waiting { group: waiting })] if waiting == group)
    );
    lan.run_ms(5000);
    assert_eq!(lan.network.node(host).ready_at(group), None);
    let link = lan.link;
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(2000);
    lan.assert_ready(host, group);
}

#[test]
fn a_link_that_comes_back_is_probed_and_announced_anew() {
    // 6762-8-2, 6762-10.2-1, 6762-10.2-2
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_ms(5000);
    let link = lan.link;
    lan.network.leave(host, link);
    lan.run_ms(1000);
    let start = lan.now();
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(5000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len(),
        3
    );
    assert_eq!(
        lan.sent_at(host, start, "box.local", RecordType::TXT).len(),
        2
    );
}

#[test]
fn nothing_is_announced_without_need() {
    // 6762-8.3-7, 6762-8.3-8
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let start = lan.now();
    lan.run_ms(24 * 3600 * 1000);
    lan.assert_silent(host, start);
    assert_eq!(lan.network.node(host).engine.poll_timeout(), None);
}

#[test]
fn a_thousand_services_are_packed_and_ready_in_time() {
    // Design §11: ready within 1.2 s, at most 300 packets per family
    let mut lan = Lan::new(9);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    let groups: Vec<_> = (0..1000)
        .map(|n| lan.publish(host, service(&format!("Service {n}"), "box.local", 80)))
        .collect();
    lan.run_ms(5000);
    let last = groups
        .iter()
        .map(|group| lan.network.node(host).ready_at(*group).expect("ready"))
        .max();
    assert!(lan::millis(last.expect("some"), start) <= 1200);
    let packets = lan.sent(host, start).len();
    assert!(packets <= 300, "{packets} packets");
    assert!(
        lan.sent(host, start)
            .iter()
            .all(|packet| packet.payload.len() <= 1452)
    );
    lan.assert_clean();
}

#[test]
fn what_cannot_be_published_is_refused_and_changes_nothing() {
    let mut lan = Lan::new(10);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    let mut publish = |set: RecordSet| {
        lan.network.command(host, |station, now| {
            station.engine.publish(now, set, LinkSet::All)
        })
    };
    assert_eq!(publish(RecordSet::new()), Err(PublishError::Empty));
    let other = publish(RecordSet::new().unique(txt("BOX.local", "y")));
    assert!(
        matches!(other, Err(PublishError::AlreadyPublished(taken)) if taken == name("box.local"))
    );
    let strings: Vec<Vec<u8>> = (0..40).map(|_| vec![b'x'; 255]).collect();
    let huge = cooee_wire::RdataBuf::txt(&strings).expect("strings");
    let huge = cooee_wire::RecordBuf::new(name("huge.local"), 120, huge);
    let huge = RecordSet::new().unique(huge);
    assert!(matches!(huge.check(), Err(PublishError::TooLarge(_))));
    assert!(matches!(publish(huge), Err(PublishError::TooLarge(_))));
    lan.withdraw(host, group);
    let set = RecordSet::new().unique(txt("box.local", "x"));
    let gone = lan
        .network
        .command(host, |station, now| station.engine.update(now, group, set));
    assert_eq!(gone, Err(PublishError::UnknownGroup));
}

#[test]
fn a_record_larger_than_a_packet_goes_alone() {
    // 6762-17-3, 6762-17-6
    let mut lan = Lan::new(11);
    let host = lan.host("a", 1);
    let strings: Vec<Vec<u8>> = (0..12).map(|_| vec![b'x'; 250]).collect();
    let large = cooee_wire::RdataBuf::txt(&strings).expect("strings");
    let large = |owner: &str| cooee_wire::RecordBuf::new(name(owner), 120, large.clone());
    lan.publish(
        host,
        RecordSet::new()
            .unique(large("one.local"))
            .unique(large("two.local")),
    );
    let start = lan.now();
    lan.run_ms(5000);
    assert!(
        !lan.sent_at(host, start, "two.local", RecordType::TXT)
            .is_empty()
    );
    for packet in lan
        .sent(host, start)
        .into_iter()
        .filter(|packet| is_response(packet))
    {
        assert!(
            packet.payload.len() <= 1452 || records(packet).len() == 1,
            "{packet}"
        );
    }
}

#[test]
fn updates_in_a_hurry_are_put_together() {
    // 6762-8.4-6, ruling 11: at most ten a minute, and the last one within six seconds
    let mut lan = Lan::new(12);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "0")));
    lan.run_ms(5000);
    let start = lan.now();
    for number in 1..=600 {
        let update = RecordSet::new().unique(txt("box.local", &number.to_string()));
        lan.network
            .command(host, |station, now| {
                station.engine.update(now, group, update)
            })
            .expect("an update");
        lan.run_ms(100);
    }
    lan.run_ms(5900);
    let mut sent: Vec<_> = lan
        .sent(host, start)
        .into_iter()
        .filter(|packet| lan::millis(packet.at, start) < 60_000)
        .flat_map(records)
        .filter(|(_, record)| record.kind() == RecordType::TXT)
        .map(|(_, record)| record.rdata)
        .collect();
    sent.dedup();
    assert_eq!(sent.len(), 10);
    assert_eq!(sent[0], txt("box.local", "1").rdata);
    let last = lan
        .sent(host, start)
        .into_iter()
        .flat_map(records)
        .last()
        .expect("a record");
    assert_eq!(last.1.rdata, txt("box.local", "600").rdata);
    lan.assert_clean();
}

#[test]
fn a_group_without_unique_records_outlives_a_flap_and_a_sleep() {
    // 6762-8-2, 6762-8.3-1, ruling 27
    let mut lan = Lan::new(15);
    let host = lan.host("a", 1);
    lan.publish(
        host,
        RecordSet::new().shared(ptr("_x._tcp.local", "one._x._tcp.local")),
    );
    lan.run_ms(5000);
    let link = lan.link;
    lan.network.leave(host, link);
    lan.run_ms(1000);
    let start = lan.now();
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(5000);
    assert_eq!(
        lan.sent_at(host, start, "_x._tcp.local", RecordType::PTR)
            .len(),
        2,
        "{}",
        lan.network.transcript()
    );
    lan.network.suspend(host);
    lan.run_ms(100_000);
    lan.network.resume(host);
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject(
        "192.0.2.9:5353",
        &lan::query("_x._tcp.local", RecordType::PTR, &[]),
    );
    lan.run_ms(500);
    assert_eq!(
        lan.sent_at(host, start, "_x._tcp.local", RecordType::PTR)
            .len(),
        1
    );
}

#[test]
fn a_record_of_two_groups_stays_when_one_is_withdrawn_while_the_other_probes() {
    // 6762-6-32: put off, never lost
    let mut lan = Lan::new(16);
    let host = lan.host("a", 1);
    let shared = || ptr("_x._tcp.local", "one._x._tcp.local");
    let first = lan.publish(host, RecordSet::new().shared(shared()));
    lan.run_ms(5000);
    lan.publish(
        host,
        RecordSet::new()
            .shared(shared())
            .unique(txt("box.local", "x")),
    );
    lan.run_ms(10);
    lan.inject(
        "192.0.2.9:5353",
        &lan::query("_x._tcp.local", RecordType::PTR, &[]),
    );
    lan.run_ms(5);
    lan.withdraw(host, first);
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject(
        "192.0.2.9:5353",
        &lan::query("_x._tcp.local", RecordType::PTR, &[]),
    );
    lan.run_ms(500);
    assert_eq!(
        lan.sent_at(host, start, "_x._tcp.local", RecordType::PTR)
            .len(),
        1,
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn a_group_with_more_names_than_a_packet_holds_is_probed_in_several() {
    // 6762-8.2-3, 6762-17-6
    let mut lan = Lan::new(17);
    let host = lan.host("a", 1);
    let names = (0..200).map(|n| format!("a host with number {n}.local"));
    let set = names
        .clone()
        .fold(RecordSet::new(), |set, owner| set.unique(txt(&owner, "x")));
    let start = lan.now();
    let group = lan.publish(host, set);
    lan.run_ms(3000);
    lan.assert_ready(host, group);
    for owner in names {
        assert_eq!(lan.asked_at(host, start, &owner, RecordType::ANY).len(), 3);
    }
    lan.assert_clean();
}

#[test]
fn a_record_that_is_withdrawn_and_published_again_still_waits_its_second() {
    // 6762-6-30
    let mut lan = Lan::new(18);
    let host = lan.host("a", 1);
    let set = || RecordSet::new().shared(ptr("_x._tcp.local", "one._x._tcp.local"));
    let group = lan.publish(host, set());
    lan.run_ms(200);
    lan.withdraw(host, group);
    lan.publish(host, set());
    lan.run_ms(5000);
    lan.assert_clean();
}

#[test]
fn a_new_ttl_is_an_update() {
    // 6762-8.4-1
    let mut lan = Lan::new(19);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_ms(5000);
    let start = lan.now();
    let set = RecordSet::new().unique(lan::with_ttl(txt("box.local", "x"), 60));
    lan.update(host, group, set);
    lan.run_ms(3000);
    let sent: Vec<_> = lan
        .sent(host, start)
        .into_iter()
        .flat_map(records)
        .map(|(_, record)| record.ttl)
        .collect();
    assert_eq!(sent, [60, 60], "{}", lan.network.transcript());
}

#[test]
fn readiness_does_not_wait_for_a_link_that_has_lost_its_addresses() {
    // Rulings 17 and 26
    let mut lan = Lan::new(20);
    let host = lan.host("a", 1);
    let other = lan.network.add_link(Conditions::default());
    lan.network.join(
        host,
        other,
        &["198.51.100.1/24".parse().expect("an address")],
    );
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_ms(300);
    lan.network.readdress(host, other, &[]);
    lan.run_ms(2000);
    lan.assert_ready(host, group);
}

#[test]
fn our_own_records_do_not_flap_when_the_link_does() {
    // Ruling 33
    let mut lan = Lan::new(13);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::TXT);
    lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_ms(5000);
    let link = lan.link;
    lan.network.leave(host, link);
    lan.run_ms(2000);
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(10_000);
    let gone = |event: &Event| {
        matches!(
            event,
            Event::Answer {
                presence: cooee_mdns::Presence::Gone,
                ..
            }
        )
    };
    assert!(
        !lan.network
            .node(host)
            .events
            .iter()
            .any(|(_, event)| gone(event))
    );
    assert_eq!(lan.network.node(host).answers().len(), 1);
}

#[test]
fn a_question_asked_while_the_link_was_down_is_asked_when_it_returns() {
    let mut lan = Lan::new(14);
    let host = lan.host("a", 1);
    let link = lan.link;
    lan.network.leave(host, link);
    lan.run_ms(1000);
    lan.ask(host, "box.local", RecordType::TXT);
    let start = lan.now();
    lan.network.join(host, link, &lan::addresses(1));
    lan.run_ms(500);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::TXT)
            .len(),
        1
    );
}

#[test]
fn a_group_that_moves_says_goodbye_where_it_was_and_is_probed_where_it_comes_to() {
    // 6762-8-2, 6762-10.1-1, ruling 17
    let mut lan = Lan::new(31);
    let second = lan.network.add_link(Conditions::default());
    let (host, here, there) = (
        lan.host("a", 1),
        lan.host("b", 2),
        lan.network.add_station("c"),
    );
    lan.network.join(host, second, &lan::addresses(11));
    lan.network.join(there, second, &lan::addresses(12));
    let set = RecordSet::new().unique(txt("box.local", "x"));
    let group = lan.network.command(host, |station, now| {
        let only = LinkSet::one(LinkId(1));
        station.engine.publish(now, set, only).expect("a group")
    });
    lan.ask(here, "box.local", RecordType::TXT);
    lan.ask(there, "box.local", RecordType::TXT);
    lan.run_ms(5000);
    assert_eq!((lan.answers(here).len(), lan.answers(there).len()), (1, 0));

    lan.network
        .command(host, |station, now| {
            station.engine.move_to(now, group, LinkSet::one(second))
        })
        .expect("a move");
    lan.run_ms(5000);
    assert_eq!((lan.answers(here).len(), lan.answers(there).len()), (0, 1));

    // Where it stays, nothing happens.
    let start = lan.now();
    lan.network
        .command(host, |station, now| {
            station.engine.move_to(now, group, LinkSet::All)
        })
        .expect("a move");
    lan.run_ms(5000);
    assert_eq!((lan.answers(here).len(), lan.answers(there).len()), (1, 1));
    let on_second = lan
        .sent(host, start)
        .into_iter()
        .filter(|packet| packet.link == second);
    assert_eq!(on_second.count(), 0);
    lan.assert_clean();
}

#[test]
fn groups_that_share_a_name_probe_for_it_again_after_a_sleep() {
    // 6762-8-2, 6762-8.1-1
    let mut lan = Lan::new(21);
    let host = lan.host("a", 1);
    for _ in 0..2 {
        lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    }
    lan.run_ms(5000);
    lan.network.suspend(host);
    lan.run_ms(100_000);
    lan.network.resume(host);
    lan.run_ms(5000);
    lan.assert_clean();
}

#[test]
fn a_goodbye_is_owed_until_it_has_left() {
    // 6762-10.1-1: who withdraws something may wait for that, also while a driver holds packets back
    let mut lan = Lan::new(41);
    let host = lan.host("a", 1);
    let group = lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let owed = lan.network.command(host, |station, now| {
        let engine = &mut station.engine;
        let before = engine.owes_goodbyes(now);
        engine.withdraw(now, group);
        let withdrawn = engine.owes_goodbyes(now);
        let transmit = engine
            .poll_transmit(now, &mut Vec::new())
            .expect("goodbyes");
        let composed = engine.owes_goodbyes(now);
        for family in transmit.destination.families() {
            engine.transmitted(now, transmit.id, family, true);
        }
        [before, withdrawn, composed, engine.owes_goodbyes(now)]
    });
    assert_eq!(owed, [false, true, true, false]);
}
