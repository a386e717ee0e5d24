//! What the groups of one engine may publish beside each other, and when their updates are made.

mod lan;

use cooee_mdns::{Config, Engine, Instant, LinkSet, PublishError, RecordSet};
use cooee_wire::{Class, RdataBuf, RecordBuf, RecordType, Section};
use lan::{Lan, a, name, ptr, query, records, service, txt, with_ttl};

fn command(
    lan: &mut Lan,
    host: cooee_sim::HostId,
    command: impl FnOnce(&mut Engine, Instant) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    lan.network
        .command(host, |station, now| command(&mut station.engine, now))
}

#[test]
fn two_groups_cannot_want_one_unique_rrset_with_other_data_even_without_a_link() {
    // 6762-2-6, 6762-2-8: no engine contradicts itself
    let mut lan = Lan::new(80);
    let host = lan.network.add_station("a");
    let mut publish = |set: RecordSet| {
        lan.network.command(host, |station, now| {
            station.engine.publish(now, set, LinkSet::All)
        })
    };
    let unique = |text| RecordSet::new().unique(txt("box.local", text));
    let ours = RecordSet::new().host_addresses(name("host.local"));
    let group = publish(unique("x")).expect("a free name");
    publish(ours.clone()).expect("a free name");
    assert!(
        matches!(publish(unique("y")), Err(PublishError::AlreadyPublished(taken)) if taken == name("box.local"))
    );
    let shared = RecordSet::new().shared(txt("box.local", "x"));
    assert!(matches!(
        publish(shared),
        Err(PublishError::AlreadyPublished(_))
    ));
    let address = RecordSet::new().unique(a("host.local", 1));
    assert!(matches!(
        publish(address),
        Err(PublishError::AlreadyPublished(_))
    ));
    // The same data are no contradiction, nor is another type.
    publish(unique("x")).expect("the same");
    publish(ours).expect("the same");
    publish(RecordSet::new().unique(txt("host.local", "z"))).expect("another type");
    // Of two that say the same none can say anything else.
    let update = command(&mut lan, host, |engine, now| {
        engine.update(now, group, unique("y"))
    });
    assert!(matches!(update, Err(PublishError::AlreadyPublished(_))));
}

#[test]
fn a_set_cannot_have_an_rrset_that_is_shared_and_unique() {
    // 6762-10.2-8, 6762-10.2-14
    let set = RecordSet::new()
        .shared(txt("box.local", "x"))
        .unique(txt("BOX.local", "y"));
    assert!(matches!(set.check(), Err(PublishError::Mixed(mixed)) if mixed == name("box.local")));
}

#[test]
fn the_records_of_an_rrset_have_one_ttl() {
    // 2181-5.2-1
    let timed = |text, ttl| with_ttl(txt("box.local", text), ttl);
    let set = |ttl| {
        RecordSet::new()
            .unique(timed("x", 120))
            .unique(timed("y", ttl))
    };
    assert_eq!(set(120).check(), Ok(()));
    let error = set(121).check().expect_err("two TTLs");
    assert_eq!(error, PublishError::MixedTtl(name("box.local")));
    let other_type = with_ttl(a("box.local", 1), 7);
    assert_eq!(set(120).unique(other_type).check(), Ok(()));
    let beside_the_link_s = RecordSet::new()
        .host_addresses(name("box.local"))
        .unique(with_ttl(a("box.local", 7), 4500));
    let error = beside_the_link_s.check().expect_err("two TTLs");
    assert_eq!(error, PublishError::MixedTtl(name("box.local")));
    // What a service and a host have by themselves: everything a link hears within one packet.
    let mut lan = Lan::new(82);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    lan.publish(host, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &query("box.local", RecordType::ANY, &[]));
    lan.run_ms(500);
    let sent = records(lan.sent(host, start)[0]);
    for (_, record) in &sent {
        let same = |other: &&(Section, RecordBuf)| {
            other.1.name == record.name && other.1.kind() == record.kind()
        };
        assert!(
            sent.iter()
                .filter(same)
                .all(|(_, other)| other.ttl == record.ttl)
        );
    }
}

#[test]
fn an_update_that_waits_holds_its_names_and_gives_way_to_a_later_one() {
    // 6762-8.4-6
    let mut lan = Lan::new(81);
    let host = lan.host("a", 1);
    let unique = |owner: &str, text| RecordSet::new().unique(txt(owner, text));
    let group = lan.publish(host, unique("one.local", "1"));
    let other = lan.publish(host, unique("other.local", "o"));
    lan.run_ms(3000);
    for owner in ["two.local", "three.local"] {
        command(&mut lan, host, |engine, now| {
            engine.update(now, group, unique(owner, "1"))
        })
        .expect("an update");
    }
    // The second one waits; both what is published and what will be is taken.
    for owner in ["two.local", "three.local"] {
        let taken = command(&mut lan, host, |engine, now| {
            engine.update(now, other, unique(owner, "2"))
        });
        assert!(
            matches!(taken, Err(PublishError::AlreadyPublished(_))),
            "{owner}"
        );
    }
    command(&mut lan, host, |engine, now| {
        engine.update(now, group, unique("four.local", "1"))
    })
    .expect("an update");
    command(&mut lan, host, |engine, now| {
        engine.update(now, other, unique("three.local", "2"))
    })
    .expect("it is free again");
    lan.run_ms(10_000);
    assert!(
        lan.sent_at(host, Instant::ZERO, "four.local", RecordType::TXT)
            .len()
            >= 2
    );
    lan.assert_clean();
}

#[test]
fn an_update_at_the_moment_at_which_one_is_due_replaces_it() {
    // 6762-8.4-6, ruling 11: the last state wins
    let mut lan = Lan::new(82);
    let host = lan.host("a", 1);
    let unique = |text| RecordSet::new().unique(txt("box.local", text));
    let group = lan.publish(host, unique("0"));
    lan.run_ms(3000);
    let start = lan.now();
    for text in ["1", "2"] {
        command(&mut lan, host, |engine, now| {
            engine.update(now, group, unique(text))
        })
        .expect("an update");
    }
    command(&mut lan, host, |engine, now| {
        engine.update(now + lan::ms(6000), group, unique("3"))
    })
    .expect("an update");
    lan.run_ms(20_000);
    let said: Vec<_> = lan
        .sent(host, start)
        .into_iter()
        .flat_map(records)
        .collect();
    let last = said
        .iter()
        .rev()
        .find(|(_, record)| record.kind() == RecordType::TXT);
    assert_eq!(
        last.expect("an announcement").1.rdata,
        txt("box.local", "3").rdata
    );
}

#[test]
fn groups_that_share_an_rrset_give_it_one_ttl() {
    // 2181-5.2-1: whether others may have records of it or not, and whatever waits to be published
    let now = Instant::ZERO;
    let shared = |target: &str, ttl| {
        let target = format!("{target}._http._tcp.local");
        RecordSet::new().shared(with_ttl(ptr("_http._tcp.local", &target), ttl))
    };
    let mut engine = Engine::new(Config::default(), 1, now);
    let publish = |engine: &mut Engine, set| engine.publish(now, set, LinkSet::All);
    let first = publish(&mut engine, shared("one", 4500)).expect("alone");
    let second = publish(&mut engine, shared("two", 4500)).expect("as the first");
    let refused = PublishError::MixedTtl(name("_http._tcp.local"));
    assert_eq!(
        publish(&mut engine, shared("three", 120)),
        Err(refused.clone())
    );
    assert_eq!(
        engine.update(now, first, shared("one", 120)),
        Err(refused.clone())
    );
    engine.withdraw(now, second);
    engine
        .update(now, first, shared("one", 120))
        .expect("alone");
    // Another one so soon waits, and counts.
    engine.update(now, first, shared("one", 60)).expect("alone");
    assert_eq!(publish(&mut engine, shared("two", 4500)), Err(refused));
    let unique = |ttl| RecordSet::new().unique(with_ttl(txt("box.local", "x"), ttl));
    publish(&mut engine, unique(4500)).expect("alone");
    publish(&mut engine, unique(4500)).expect("the same");
    assert_eq!(
        publish(&mut engine, unique(120)),
        Err(PublishError::MixedTtl(name("box.local")))
    );
    publish(
        &mut engine,
        RecordSet::new().host_addresses(name("h.local")),
    )
    .expect("alone");
    let beside = RecordSet::new().unique(with_ttl(a("h.local", 1), 4500));
    assert!(publish(&mut engine, beside).is_err());
}

#[test]
fn a_record_has_a_type_and_a_class_that_records_can_have() {
    // 6762-22-3, 6762-10.2-17
    let classes = [0x8001, 0xFFFF, 255].map(|class| RecordBuf {
        class: Class::new(class),
        ..txt("box.local", "x")
    });
    let types = [41, 251, 255].map(|kind| {
        let data = RdataBuf::opaque(RecordType::new(kind), &[]).expect("short");
        RecordBuf::new(name("box.local"), 120, data)
    });
    for record in classes.into_iter().chain(types) {
        let set = RecordSet::new().unique(record);
        assert_eq!(
            set.check(),
            Err(PublishError::Impossible(name("box.local")))
        );
    }
    let highest = RecordBuf {
        class: Class::new(0x7FFF),
        ..txt("box.local", "x")
    };
    assert_eq!(RecordSet::new().unique(highest).check(), Ok(()));
}

#[test]
fn a_service_is_not_on_an_alias() {
    // 2782-format-10: whichever comes first, and in one set
    let alias = || {
        let rdata = RdataBuf::cname(name("box.local").as_name());
        let record = RecordBuf::new(name("www.local"), 120, rdata);
        RecordSet::new().unique(record)
    };
    let service = || RecordSet::new().unique(lan::srv("Shop._http._tcp.local", "WWW.local", 80));
    let refused = Err(PublishError::Alias(name("www.local")));
    for (first, second) in [(alias(), service()), (service(), alias())] {
        let now = Instant::ZERO;
        let mut engine = Engine::new(Config::default(), 1, now);
        let group = engine.publish(now, first, LinkSet::All).expect("no other");
        assert_eq!(engine.publish(now, second.clone(), LinkSet::All), refused);
        engine.withdraw(now, group);
        engine.publish(now, second, LinkSet::All).expect("no other");
    }
    let rdata = RdataBuf::cname(name("box.local").as_name());
    let both = service().unique(RecordBuf::new(name("www.local"), 120, rdata));
    assert_eq!(both.check(), Err(PublishError::Alias(name("www.local"))));
}
