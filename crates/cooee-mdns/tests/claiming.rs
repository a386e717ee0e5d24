//! RFC 6762 §8: what counts while a name is probed for, and what does not.

mod lan;

use cooee_mdns::RecordSet;
use cooee_sim::HostId;
use cooee_wire::{RecordType, Section};
use lan::{Lan, flush, is_response, name, query, records, response, txt};

fn announced(lan: &Lan, host: HostId) -> bool {
    let sent = lan.network.packets().iter();
    sent.filter(|packet| packet.host == Some(host) && is_response(packet))
        .flat_map(records)
        .any(|(_, record)| record.kind() == RecordType::TXT)
}

#[test]
fn what_is_remembered_from_before_decides_nothing() {
    // 6762-8.1-8, 6762-8.1-9: only what is heard while probing
    let theirs = response(&[flush(txt("box.local", "theirs"))]);
    let mut lan = Lan::new(1);
    let host = lan.host("a", 1);
    lan.ask(host, "box.local", RecordType::TXT);
    lan.inject("192.0.2.9:5353", &theirs);
    lan.run_ms(1000);
    assert!(
        lan.answers(host)
            .contains(&txt("box.local", "theirs").rdata)
    );
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "ours")));
    lan.run_ms(3000);
    lan.assert_ready(host, group);
    // The same, live.
    let mut lan = Lan::new(1);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "ours")));
    lan.run_ms(400);
    lan.inject("192.0.2.9:5353", &theirs);
    lan.run_ms(3000);
    assert!(lan.network.node(host).conflict_at(group).is_some());
    assert!(!announced(&lan, host));
}

#[test]
fn an_owner_has_750_ms_to_defend_a_name() {
    // 6762-8.1-10, 6762-9-3, ruling 23: it need not have probed, nor answer our probe itself
    for (wait, given_up) in [(748, true), (752, false)] {
        let mut lan = Lan::new(2);
        let host = lan.host("a", 1);
        let start = lan.now();
        let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "ours")));
        lan.run_ms(300);
        let first = lan.asked_at(host, start, "box.local", RecordType::ANY)[0];
        // A millisecond on the way.
        lan.run_ms(first + wait - 300 - 1);
        lan.inject(
            "192.0.2.9:5353",
            &response(&[flush(txt("box.local", "theirs"))]),
        );
        lan.run_ms(300);
        let lost = lan.network.node(host).conflict_at(group).is_some();
        assert_eq!(
            (lost, announced(&lan, host)),
            (given_up, !given_up),
            "{wait}"
        );
        if !given_up {
            // Back to probing, as for any conflict later on, and nobody defends the name now.
            lan.run_ms(5000);
            let probes = lan.asked_at(host, start, "box.local", RecordType::ANY);
            assert_eq!(probes.len(), 6, "{}", lan.network.transcript());
            assert!(lan.network.node(host).conflict_at(group).is_none());
        }
        lan.assert_clean();
    }
}

#[test]
fn who_merely_asks_is_no_rival() {
    // 6762-8.2-4: only records that are proposed can be
    let mut lan = Lan::new(3);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, RecordSet::new().unique(txt("box.local", "ours")));
    for _ in 0..9 {
        lan.inject("192.0.2.9:5353", &query("box.local", RecordType::ANY, &[]));
        lan.run_ms(100);
    }
    lan.run_ms(3000);
    let probes = lan.asked_at(host, start, "box.local", RecordType::ANY);
    assert_eq!(probes.len(), 3);
    assert_eq!([probes[1] - probes[0], probes[2] - probes[1]], [250, 250]);
    lan.assert_clean();
}

#[test]
fn a_question_keeps_its_own_pace_beside_the_probes_for_the_name() {
    // 6762-8.1-7
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.ask(host, "box.local", RecordType::A);
    lan.publish(host, RecordSet::new().unique(txt("box.local", "ours")));
    lan.run_ms(800);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len(),
        3
    );
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::A).len(),
        1
    );
}

#[test]
fn what_is_known_to_be_unique_is_announced_without_probes() {
    // 6762-8.1-20, 6762-8.1-22, 6762-8.3-5: by a proxy, say
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    let start = lan.now();
    let record = cooee_wire::RecordBuf::new(
        cooee_wire::NameBuf::reverse([192, 0, 2, 77].into()),
        120,
        cooee_wire::RdataBuf::ptr(name("box.local").as_name()),
    );
    lan.publish(host, RecordSet::new().known_unique(record.clone()));
    lan.run_ms(5000);
    let owner = record.name.to_string();
    assert_eq!(lan.sent_at(host, start, &owner, RecordType::PTR), [0, 1000]);
    let sent = lan.sent(host, start);
    assert!(sent.iter().all(|packet| is_response(packet)));
    let (section, first) = records(sent[0]).remove(0);
    assert!(section == Section::Answer && first.cache_flush);
    lan.assert_clean();
}

#[test]
fn twenty_browsers_ask_hardly_more_than_one() {
    // 6762-D-1, 6762-7.3-1
    let queries = |browsers: u8| {
        let mut lan = Lan::new(6);
        let owner = lan.host("owner", 200);
        lan.publish(owner, lan::service("Shop", "box.local", 80));
        lan.run_ms(5000);
        for number in 1..=browsers {
            let host = lan.host(&format!("browser {number}"), number);
            lan.ask(host, "_http._tcp.local", RecordType::PTR);
        }
        lan.run_ms(3_600_000);
        let all = lan.network.packets().iter();
        all.filter(|packet| packet.source.is_ipv4() && !is_response(packet))
            .count()
    };
    let (one, twenty) = (queries(1), queries(20));
    assert!(twenty < 5 * one, "{one} queries of one, {twenty} of twenty");
}

#[test]
fn records_of_any_ttl_and_any_name_can_be_published() {
    // 6763-6-2, 6763-7-2: the engine does not know what a service is
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    let owner = "Gate._sip._sctp.local";
    let set = RecordSet::new()
        .shared(lan::ptr("_sip._sctp.local", owner))
        .unique(lan::srv(owner, "box.local", 5060))
        .unique(lan::with_ttl(txt(owner, ""), 77));
    lan.publish(host, set);
    lan.run_ms(3000);
    let sent = lan.network.packets().iter().filter(|p| is_response(p));
    let ttls: std::collections::BTreeSet<(RecordType, u32)> = sent
        .flat_map(records)
        .filter(|(_, record)| record.name == name(owner))
        .map(|(_, record)| (record.kind(), record.ttl))
        .collect();
    assert!(ttls.contains(&(RecordType::TXT, 77)), "{ttls:?}");
    assert!(ttls.contains(&(RecordType::SRV, 120)), "{ttls:?}");
}

#[test]
fn a_group_that_loses_one_of_its_names_is_silent_about_all() {
    // 6763-8-4, 6762-9-4: one device, several services under one name, one of which is a placeholder
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    let set = || {
        RecordSet::new()
            .unique(lan::srv("Press._printer._tcp.local", "box.local", 0))
            .unique(lan::srv("Press._ipp._tcp.local", "box.local", 631))
            .shared(lan::ptr("_ipp._tcp.local", "Press._ipp._tcp.local"))
    };
    let group = lan.publish(host, set());
    lan.run_ms(400);
    let theirs = flush(lan::srv("Press._printer._tcp.local", "other.local", 515));
    lan.hear(&[theirs]);
    lan.run_ms(10_000);
    assert!(lan.network.node(host).conflict_at(group).is_some());
    let all = lan.network.packets().iter();
    assert_eq!(
        all.filter(|packet| packet.host == Some(host) && is_response(packet))
            .count(),
        0
    );
}
