//! RFC 6762 §8.1 and §8.2: how a name becomes ours.

mod lan;

use cooee_mdns::RecordSet;
use cooee_sim::HostId;
use cooee_wire::{RecordType, Section};
use lan::{
    Lan, a, aaaa, flush, is_response, ms, name, probe, questions, records, response, service, srv,
    txt,
};

#[test]
fn a_unique_record_is_probed_three_times_a_quarter_second_apart_and_then_announced() {
    // 6762-8.1-1, 6762-8.1-2, 6762-8.1-4, 6762-8.1-5, 6762-8.1-6, 6762-2-7, 6762-5-2
    for seed in 0..50 {
        let mut lan = Lan::new(seed);
        let host = lan.host("a", 1);
        let start = lan.now();
        let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "hello")));
        lan.run_ms(3000);
        let probes = lan.asked_at(host, start, "box.local", RecordType::ANY);
        assert_eq!(probes.len(), 3, "{}", lan.network.transcript());
        assert!(probes[0] <= 250);
        assert_eq!([probes[1] - probes[0], probes[2] - probes[1]], [250, 250]);
        let announced = lan.sent_at(host, start, "box.local", RecordType::TXT);
        assert_eq!(announced, [probes[2] + 250, probes[2] + 1250]);
        let ready = lan.network.node(host).ready_at(group).expect("ready");
        assert_eq!(lan::millis(ready, start), announced[0]);
        lan.assert_clean();
    }
}

#[test]
fn a_probe_asks_for_any_with_qu_and_proposes_all_records_of_the_name() {
    // 6762-8.1-2, 6762-8.1-13, 6762-8.2-1, 6762-8.2-2, 6762-8.2-3
    let mut lan = Lan::new(1);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(300);
    let packet = lan.sent(host, start)[0];
    let asked = questions(packet);
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].kind, asked[0].unicast_response),
        (RecordType::ANY, true)
    );
    let proposed = records(packet);
    assert!(
        proposed
            .iter()
            .all(|(section, record)| *section == Section::Authority && !record.cache_flush)
    );
    let kinds: Vec<_> = proposed.iter().map(|(_, record)| record.kind()).collect();
    assert_eq!(kinds, [RecordType::SRV, RecordType::TXT]);
}

#[test]
fn groups_published_together_are_probed_in_the_same_packets() {
    // 6762-8.1-3, ruling 17
    let mut lan = Lan::new(2);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    for number in 0..5 {
        lan.publish(host, service(&format!("Shop {number}"), "box.local", 80));
    }
    lan.run_ms(900);
    let probes: Vec<_> = lan
        .sent(host, start)
        .into_iter()
        .filter(|packet| !is_response(packet))
        .collect();
    assert_eq!(probes.len(), 3, "{}", lan.network.transcript());
    assert_eq!(questions(probes[0]).len(), 6);
}

#[test]
fn the_owner_of_a_name_defends_it_at_once_and_the_prober_yields() {
    // 6762-8.1-11, 6762-8.1-12, 6762-8.1-14, 6762-2-9, 6762-3-2
    let mut lan = Lan::new(3);
    let owner = lan.host("owner", 1);
    lan.publish(owner, RecordSet::new().unique(txt("box.local", "mine")));
    lan.run_ms(5000);
    let late = lan.host("late", 2);
    let start = lan.now();
    let group = lan.publish(late, RecordSet::new().unique(txt("box.local", "no, mine")));
    lan.run_ms(3000);
    let lost = lan
        .network
        .node(late)
        .conflict_at(group)
        .expect("a conflict");
    let first_probe = lan.asked_at(late, start, "box.local", RecordType::ANY)[0];
    assert!(
        lan::millis(lost, start) <= first_probe + 3,
        "{}",
        lan.network.transcript()
    );
    assert_eq!(
        lan.sent_at(late, start, "box.local", RecordType::TXT),
        [] as [u64; 0]
    );
    assert_eq!(lan.network.node(late).ready_at(group), None);
    lan.assert_clean();
}

#[test]
fn of_two_that_probe_at_once_one_gets_the_name() {
    // 6762-8.2-5, 6762-8.2-6, 6762-8.2-7, 6762-3-1
    for seed in 0..100 {
        let mut lan = Lan::new(seed);
        let (low, high) = (lan.host("low", 1), lan.host("high", 2));
        let losing = lan.publish(low, RecordSet::new().unique(txt("box.local", "aaa")));
        let winning = lan.publish(high, RecordSet::new().unique(txt("box.local", "bbb")));
        lan.run_ms(6000);
        lan.assert_ready(high, winning);
        assert!(
            lan.network.node(low).ready_at(losing).is_none(),
            "{}",
            lan.network.transcript()
        );
        assert!(
            lan.network.node(low).conflict_at(losing).is_some(),
            "{}",
            lan.network.transcript()
        );
        lan.assert_clean();
    }
}

#[test]
fn the_loser_of_a_tie_break_waits_a_second_and_probes_again() {
    // 6762-8.2-7, 6762-8.2-8: a stale probe must not cost the name
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    let start = lan.now();
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "aaa")));
    lan.run_to_first_packet();
    lan.inject(
        "192.0.2.77:5353",
        &probe("box.local", &[txt("box.local", "zzz")]),
    );
    let lost = lan::millis(lan.now(), start) + 1;
    lan.run_ms(4000);
    let probes = lan.asked_at(host, start, "box.local", RecordType::ANY);
    assert_eq!(probes.len(), 4, "{}", lan.network.transcript());
    assert_eq!(probes[1], lost + 1000);
    lan.assert_ready(host, group);
}

#[test]
fn the_winner_of_a_tie_break_goes_on() {
    // 6762-8.2-6, 6762-8.2-14: 169.254.200.50 beats 169.254.99.200
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(host, RecordSet::new().unique(a("box.local", 200)));
    lan.run_to_first_packet();
    lan.inject(
        "192.0.2.77:5353",
        &probe("box.local", &[a("box.local", 99)]),
    );
    lan.run_ms(1000);
    let probes = lan.asked_at(host, start, "box.local", RecordType::ANY);
    assert_eq!(probes[2] - probes[0], 500, "{}", lan.network.transcript());
}

#[test]
fn the_tie_break_compares_whole_sorted_sets() {
    // 6762-8.2.1-1, 6762-8.2.1-2, 6762-8.2.1-3, 6762-8.2-9, 6762-8.2-11: TXT comes before SRV, and more records win
    let ours = || {
        RecordSet::new()
            .unique(srv("x.local", "box.local", 80))
            .unique(txt("x.local", "m"))
    };
    let deferred = |theirs: &[cooee_wire::RecordBuf]| {
        let mut lan = Lan::new(6);
        let host = lan.host("a", 1);
        let start = lan.now();
        lan.publish(host, ours());
        lan.run_to_first_packet();
        lan.inject("192.0.2.77:5353", &probe("x.local", theirs));
        lan.run_ms(3000);
        let probes = lan.asked_at(host, start, "x.local", RecordType::ANY);
        probes[1] - probes[0] > 900
    };
    assert!(
        deferred(&[srv("x.local", "aaa.local", 1), txt("x.local", "n")]),
        "the TXT decides first"
    );
    assert!(
        !deferred(&[srv("x.local", "zzz.local", 1), txt("x.local", "l")]),
        "the TXT decides first"
    );
    assert!(!deferred(&[txt("x.local", "m")]), "ours has records left");
    let more = [
        txt("x.local", "m"),
        srv("x.local", "box.local", 80),
        srv("x.local", "box.local", 81),
    ];
    assert!(deferred(&more), "theirs has records left");
    assert!(
        !deferred(&[txt("x.local", "m"), srv("x.local", "box.local", 80)]),
        "the same is no conflict"
    );
}

#[test]
fn what_comes_before_the_first_probe_is_no_conflict() {
    // 6762-8.1-16
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    assert!(lan.network.packets().is_empty());
    lan.inject(
        "192.0.2.77:5353",
        &response(&[flush(txt("box.local", "theirs"))]),
    );
    let start = lan.now();
    lan.network.run_until(start + ms(2), |_| false);
    lan.run_ms(3000);
    lan.assert_ready(host, group);
}

#[test]
fn any_record_of_the_name_is_a_conflict_while_probing() {
    // 6762-8.1-17
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    lan.run_to_first_packet();
    lan.inject("192.0.2.77:5353", &response(&[flush(aaaa("box.local", 7))]));
    lan.run_ms(100);
    assert!(
        lan.network.node(host).conflict_at(group).is_some(),
        "{}",
        lan.network.transcript()
    );
}

#[test]
fn identical_records_are_never_a_conflict() {
    // 6762-2-8, 6762-9-2, 6762-8.2.1-4
    let mut lan = Lan::new(9);
    let (one, two) = (lan.host("one", 1), lan.host("two", 2));
    let first = lan.publish(one, RecordSet::new().unique(txt("box.local", "same")));
    let second = lan.publish(two, RecordSet::new().unique(txt("box.local", "same")));
    lan.run_ms(5000);
    lan.assert_ready(one, first);
    lan.assert_ready(two, second);
    assert_eq!(lan.network.node(one).conflict_at(first), None);
    lan.assert_clean();
}

#[test]
fn a_shared_record_needs_no_probe() {
    // 6762-3-12, 6762-3-13, 6762-2-5
    let mut lan = Lan::new(10);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.publish(
        host,
        RecordSet::new().shared(lan::ptr("_x._tcp.local", "one._x._tcp.local")),
    );
    lan.run_ms(2000);
    assert!(
        lan.sent(host, start)
            .iter()
            .all(|packet| is_response(packet))
    );
    assert_eq!(
        lan.sent_at(host, start, "_x._tcp.local", RecordType::PTR),
        [0, 1000]
    );
    lan.assert_clean();
}

/// The name that is tried after so many others.
fn nth_name(attempt: usize) -> String {
    format!("box-{attempt}.local")
}

/// A host whose first name is denied as soon as it probes for it, and that takes the next one `pause` milliseconds later, and so on. Tells how
/// long the first probe for each name has waited.
fn denied(seed: u64, names: usize, pause: u64) -> (Lan, HostId, Vec<u64>) {
    let mut lan = Lan::new(seed);
    let host = lan.host("a", 1);
    let mine = |attempt| RecordSet::new().unique(txt(&nth_name(attempt), "mine"));
    let group = lan.publish(host, mine(0));
    let mut waits = Vec::new();
    for attempt in 0..names {
        let start = lan.now();
        let before = lan.network.packets().len();
        lan.network.run_until(start + ms(20_000), |network| {
            network.packets().len() > before
        });
        waits.push(lan::millis(lan.now(), start));
        lan.hear(&[flush(txt(&nth_name(attempt), "theirs"))]);
        lan.run_ms(pause);
        lan.rename(host, group, mine(attempt + 1));
    }
    (lan, host, waits)
}

#[test]
fn after_fifteen_conflicts_in_ten_seconds_each_attempt_waits_five_seconds() {
    // 6762-8.1-18, ruling 18
    let (_, _, waits) = denied(11, 18, 400);
    assert!(waits[..15].iter().all(|wait| *wait <= 250), "{waits:?}");
    assert!(waits[15..].iter().all(|wait| *wait >= 5000), "{waits:?}");
}

#[test]
fn conflicts_count_however_fast_they_come() {
    // 6762-8.1-18, ruling 18: each name is denied within a millisecond of its first probe, and the next one tried at once.
    let (_, _, waits) = denied(13, 18, 2);
    assert!(waits[..15].iter().all(|wait| *wait <= 250), "{waits:?}");
    assert!(waits[15..].iter().all(|wait| *wait >= 4990), "{waits:?}");
}

#[test]
fn a_rival_that_probes_does_not_shorten_the_wait_after_many_conflicts() {
    // 6762-8.1-18, 6762-8.2-7: the five seconds, not the one of the tie-break
    let (mut lan, host, _) = denied(14, 15, 400);
    let start = lan.now();
    let last = nth_name(15);
    let theirs = txt(&last, "theirs, and later than ours");
    lan.inject("192.0.2.77:5353", &probe(&last, &[theirs]));
    lan.run_ms(10_000);
    let probes = lan.asked_at(host, start, &last, RecordType::ANY);
    assert!(
        probes.first().is_some_and(|first| *first >= 5000),
        "{probes:?}"
    );
}

#[test]
fn a_probe_that_could_not_be_sent_does_not_count() {
    // Ruling 26
    let mut lan = Lan::new(12);
    let host = lan.host("a", 1);
    let start = lan.now();
    lan.network.set_mute(host, true);
    let group = lan.publish(host, RecordSet::new().unique(txt("box.local", "mine")));
    lan.network.run_until(start + ms(260), |_| false);
    lan.network.set_mute(host, false);
    lan.run_ms(3000);
    assert_eq!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len(),
        3,
        "{}",
        lan.network.transcript()
    );
    lan.assert_ready(host, group);
    lan.assert_clean();
}

#[test]
fn a_name_that_two_groups_share_is_asked_for_once_in_a_probe() {
    // 6762-8.1-5: a second question in the same datagram is a probe too soon
    let mut lan = Lan::new(41);
    let host = lan.host("a", 1);
    let start = lan.now();
    for _ in 0..2 {
        lan.publish(host, RecordSet::new().unique(txt("box.local", "same")));
    }
    lan.run_ms(3000);
    let asked = lan.asked_at(host, start, "box.local", RecordType::ANY);
    assert_eq!(asked.len(), 3, "{}", lan.network.transcript());
    for packet in lan.sent(host, start) {
        let is_probe = !is_response(packet);
        let sizes = (questions(packet).len(), records(packet).len());
        assert!(!is_probe || sizes == (1, 1), "{}", lan.network.transcript());
    }
    lan.assert_clean();
}

#[test]
fn groups_that_share_a_name_do_not_probe_for_it_more_often_than_one() {
    // 6762-8.1-5, 6762-8.2-3, 6762-8.1-20
    let mut lan = Lan::new(13);
    let host = lan.host("a", 1);
    let start = lan.now();
    let first = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    lan.run_to_first_packet();
    lan.run_ms(100);
    let second = lan.publish(
        host,
        RecordSet::new()
            .unique(txt("box.local", "x"))
            .unique(srv("box.local", "box.local", 1)),
    );
    lan.run_ms(3000);
    let third = lan.publish(host, RecordSet::new().unique(txt("box.local", "x")));
    assert!(
        lan.network.node(host).ready_at(third).is_some(),
        "it is ours already"
    );
    lan.run_ms(3000);
    for group in [first, second] {
        lan.assert_ready(host, group);
    }
    assert!(
        lan.asked_at(host, start, "box.local", RecordType::ANY)
            .len()
            <= 5,
        "{}",
        lan.network.transcript()
    );
    lan.assert_clean();
}

#[test]
fn a_name_that_is_withdrawn_and_published_again_is_not_probed_for_sooner() {
    // 6762-8.1-5
    for seed in 0..8 {
        let mut lan = Lan::new(seed);
        let host = lan.host("a", 1);
        let set = || RecordSet::new().unique(txt("box.local", "x"));
        let group = lan.publish(host, set());
        lan.run_ms(400);
        lan.withdraw(host, group);
        lan.publish(host, set());
        lan.run_ms(3000);
        lan.assert_clean();
    }
}
