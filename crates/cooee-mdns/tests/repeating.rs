//! Responses that come again and again: what was found out about their records holds only as long as it is true.

mod lan;

use cooee_mdns::RecordSet;
use cooee_wire::RecordType;
use lan::{Lan, a, flush, response, with_ttl};

const OTHER: &str = "192.0.2.9:5353";

/// Two records of two names, often enough that each leads to the next.
fn hear_often(lan: &mut Lan) {
    for _ in 0..5 {
        lan.inject(OTHER, &response(&[a("one.local", 8), a("two.local", 9)]));
        lan.run_ms(10);
    }
}

#[test]
fn a_record_is_told_to_who_has_asked_since_its_rrset_was_last_heard() {
    // 6762-5.2-15: also after nobody has wanted it
    let mut lan = Lan::new(1);
    let host = lan.host("host", 1);
    hear_often(&mut lan);
    lan.ask(host, "two.local", RecordType::A);
    lan.run_ms(500);
    let more = [a("one.local", 8), a("two.local", 9), a("two.local", 10)];
    lan.inject(OTHER, &response(&more));
    lan.run_ms(10);
    assert_eq!(
        lan.answers(host),
        [more[1].rdata.clone(), more[2].rdata.clone()]
    );
    // What has been asked for is kept alive, the same as if it had been asked for before.
    let start = lan.now();
    lan.run_ms(110_000);
    assert!(
        !lan.asked_at(host, start, "two.local", RecordType::A)
            .is_empty()
    );
}

#[test]
fn who_repeats_records_is_compared_with_names_that_have_become_ours_meanwhile() {
    // 6762-8.1-9, 6762-9-1
    let mut lan = Lan::new(2);
    let host = lan.host("host", 1);
    hear_often(&mut lan);
    let group = lan.publish(host, RecordSet::new().unique(a("two.local", 77)));
    lan.run_ms(300);
    let theirs = [a("one.local", 8), flush(a("two.local", 9))];
    lan.inject(OTHER, &response(&theirs));
    lan.run_ms(2000);
    assert!(lan.network.node(host).conflict_at(group).is_some());
}

#[test]
fn records_are_found_in_whatever_order_they_come() {
    // 6762-10.1-2, 6762-10.2-4
    let mut lan = Lan::new(3);
    let host = lan.host("host", 1);
    let all: Vec<_> = (1..=20).map(|last| a("many.local", last)).collect();
    lan.ask(host, "many.local", RecordType::A);
    lan.inject(OTHER, &response(&all));
    lan.run_ms(10);
    for seed in 0..20 {
        let mut some = all.clone();
        some.rotate_left(seed);
        some.truncate(1 + seed);
        some.reverse();
        lan.inject(OTHER, &response(&some));
        lan.run_ms(10);
    }
    assert_eq!(lan.answers(host).len(), all.len(), "each is known once");
    // Every second one is said goodbye to.
    let gone = all.iter().step_by(2).rev().cloned();
    let gone: Vec<_> = gone.map(|record| with_ttl(record, 0)).collect();
    lan.inject(OTHER, &response(&gone));
    lan.run_ms(1500);
    let left = lan.answers(host);
    assert_eq!(left.len(), 10);
    assert!(gone.iter().all(|record| !left.contains(&record.rdata)));
}
