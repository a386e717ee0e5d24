//! What is found, and told to readers.

use std::future::IntoFuture as _;
use std::time::Duration;

use cooee_sim::Conditions;
use cooee_wire::{RdataBuf, RecordBuf};

use super::lan::{Lan, name, pointer, record, target};
use super::{events, names, web};
use crate::{Browse, Service, ServiceEvent};

#[test]
fn a_list_of_names_alone_is_refused_at_once() {
    let mut lan = Lan::new(41);
    let alice = lan.host("alice", 1);
    let names = Browse::new("_http._tcp").unwrap().names_only();
    let list = alice.zeroconf.list(names);
    let error = lan.wait_up_to(Duration::ZERO, list);
    let error = error.expect("no waiting").unwrap_err();
    assert!(error.is_invalid_input(), "{error}");
    assert!(error.to_string().contains("names_only"), "{error}");
}

#[test]
fn a_quiet_service_is_found_within_240_ms_of_asking() {
    // 6762-5.2-6, 6762-6-21: both random delays at most, plus twice the way
    for seed in 0..50 {
        let mut lan = Lan::new(seed);
        let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
        let registration = lan
            .wait(alice.zeroconf.publish(web("Alice’s web server")))
            .unwrap();
        lan.run_ms(3000);

        let asked = lan.now();
        let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
        let service = lan.wait(browser.first()).unwrap();
        let took = lan.now().since(asked);
        assert!(took <= Duration::from_millis(242), "seed {seed}: {took:?}");

        assert_eq!(*service.name(), registration.name());
        assert_eq!(service.host().to_string(), "alice.local");
        assert_eq!(service.port(), 8080);
        assert_eq!(service.txt().get_str("path"), Some("/"));
        let addresses: Vec<_> = service
            .socket_addrs()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(addresses, ["192.0.2.1:8080", "[fe80::1%1]:8080"]);
        assert!(!service.is_own());
        lan.assert_clean();
    }
}

#[test]
fn a_crashed_host_is_forgotten_in_the_ttl_of_its_srv_and_12_s() {
    // 6762-10.4-3, ruling 5
    let mut lan = Lan::new(3);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    lan.wait(browser.first()).unwrap();
    lan.run_ms(10_000);

    lan.crash(&alice);
    lan.run(Duration::from_secs(132));
    assert!(
        names(&mut browser).is_empty(),
        "{}",
        lan.simulation.transcript()
    );
    lan.assert_clean();
}

#[test]
fn a_slow_reader_is_told_how_it_stands_not_what_happened() {
    // ruling 32
    let mut lan = Lan::new(10);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    let stays = lan.wait(alice.zeroconf.publish(web("Stays"))).unwrap();
    lan.run_ms(2000);
    for round in 0..20 {
        let mut txt = stays.txt();
        txt.set("round", round.to_string()).unwrap();
        stays.update_txt(txt).unwrap();
        let passing = lan.wait(alice.zeroconf.publish(web("Passes"))).unwrap();
        lan.run_ms(2000);
        lan.wait(passing.withdraw());
        lan.run_ms(8000);
    }
    let events = events(&mut browser);
    let [ServiceEvent::Added(service)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(service.txt().get_str("round"), Some("19"));
}

#[test]
fn a_subtype_finds_only_those_that_have_it() {
    // 6763-7.1-1
    let mut lan = Lan::new(12);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let printer = |name, port| Service::new(name, "_ipp._tcp", port).unwrap();
    let colour = printer("Colour", 631).subtype("_color");
    let _colour = lan.wait(alice.zeroconf.publish(colour)).unwrap();
    let grey = lan
        .wait(alice.zeroconf.publish(printer("Grey", 632)))
        .unwrap();

    let mut browser = bob.zeroconf.browse("_color._sub._ipp._tcp").unwrap();
    lan.run_ms(2000);
    assert_eq!(names(&mut browser), ["Colour"]);

    grey.add_subtype("_color").unwrap();
    lan.run_ms(3000);
    assert_eq!(names(&mut browser), ["Colour", "Grey"]);
}

#[test]
fn one_does_not_see_oneself_unless_one_wants_to() {
    let mut lan = Lan::new(13);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _a = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let _b = lan.wait(bob.zeroconf.publish(web("Bob"))).unwrap();
    let mut all = alice.zeroconf.browse("_http._tcp").unwrap();
    let mut others = alice
        .zeroconf
        .browse(Browse::new("_http._tcp").unwrap().without_own())
        .unwrap();
    lan.run_ms(2000);
    assert_eq!(names(&mut others), ["Bob"]);
    let own: Vec<_> = all
        .snapshot()
        .services
        .iter()
        .map(crate::FoundService::is_own)
        .collect();
    assert_eq!(own, [true, false]);
}

#[test]
fn all_types_are_found_without_being_named() {
    // 6763-9-1
    let mut lan = Lan::new(14);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _a = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let ssh = Service::new("Alice", "_ssh._tcp", 22).unwrap();
    let _s = lan.wait(alice.zeroconf.publish(ssh)).unwrap();
    let mut browser = bob.zeroconf.browse(Browse::all_types()).unwrap();
    let mut types = bob.zeroconf.service_types().unwrap();
    lan.run_ms(3000);
    assert_eq!(names(&mut browser).len(), 2);
    let types: Vec<_> = types.snapshot().iter().map(ToString::to_string).collect();
    assert_eq!(types, ["_http._tcp", "_ssh._tcp"]);
}

#[test]
fn a_listing_ends_when_nothing_new_comes() {
    // ruling 34
    let mut lan = Lan::new(15);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _a = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let _b = lan.wait(alice.zeroconf.publish(web("Bella"))).unwrap();
    lan.run_ms(3000);
    let begun = lan.now();
    let services = lan.wait(bob.zeroconf.list("_http._tcp")).unwrap();
    let took = lan.now().since(begun);
    assert_eq!(services.len(), 2);
    assert!((1500..=2200).contains(&took.as_millis()), "{took:?}");

    let nothing = lan.wait(bob.zeroconf.list("_ipp._tcp")).unwrap();
    assert!(nothing.is_empty());
}

#[test]
fn a_service_that_nobody_has_times_out() {
    let mut lan = Lan::new(16);
    let (_alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let begun = lan.now();
    let error = lan
        .wait(bob.zeroconf.resolve("Nobody._http._tcp.local"))
        .unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(error.to_string().contains("Nobody"), "{error}");
    let took = lan.now().since(begun).as_millis();
    assert!((2999..=3010).contains(&took), "{took}");
}

#[test]
fn a_host_is_found_by_name_and_by_address() {
    let mut lan = Lan::new(17);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _a = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    lan.run_ms(2000);
    let host = lan.wait(bob.zeroconf.resolve_host("alice.local")).unwrap();
    let addresses: Vec<_> = host.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.0.2.1", "fe80::1%1"]);

    let v6 = bob
        .zeroconf
        .resolve_host("ALICE.local")
        .families(crate::Families::V6);
    assert_eq!(lan.wait(v6).unwrap().addresses().len(), 1);

    let address: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    let names = lan.wait(bob.zeroconf.reverse(address)).unwrap();
    assert_eq!(names[0].to_string(), "alice.local");
}

#[test]
fn what_the_owner_denies_is_not_found() {
    // 6762-6.1-1
    let mut lan = Lan::new(18);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _a = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    lan.run_ms(2000);
    let begun = lan.now();
    let hinfo = bob
        .zeroconf
        .lookup("alice.local", crate::wire::RecordType::HINFO);
    let error = lan.wait(hinfo).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(lan.now().since(begun) < Duration::from_secs(1));
}

#[test]
fn everything_is_found_on_a_lossy_link() {
    let conditions = Conditions {
        loss: 0.2,
        jitter: Duration::from_millis(5),
        duplication: 0.1,
        ..Conditions::default()
    };
    for seed in 0..10 {
        let mut lan = Lan::with(seed, conditions);
        let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
        let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
        let registrations: Vec<_> = (0..30)
            .map(|n| {
                alice
                    .zeroconf
                    .start_publish(web(&format!("Web {n}")))
                    .unwrap()
            })
            .collect();
        lan.run(Duration::from_secs(35));
        assert_eq!(
            names(&mut browser).len(),
            registrations.len(),
            "seed {seed}"
        );
        lan.assert_clean();
    }
}

#[test]
fn a_service_that_could_not_be_reached_is_taken_back_soon() {
    // 6762-10.4-4
    let mut lan = Lan::new(22);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    let service = lan.wait(browser.first()).unwrap();
    lan.run_ms(5000);

    // Whoever is there confirms it.
    bob.zeroconf.reconfirm(&service);
    let news = lan.wait_up_to(Duration::from_secs(20), browser.next());
    assert_eq!(news, None, "{}", lan.simulation.transcript());

    lan.crash(&alice);
    bob.zeroconf.reconfirm(&service);
    let removed = lan.wait_up_to(Duration::from_secs(21), browser.changed());
    assert!(removed.is_some(), "{}", lan.simulation.transcript());
}

#[test]
fn of_several_hosts_the_lowest_priority_is_first_and_equals_by_their_weights() {
    // 6763-5-3, 2782-format-4, 2782-format-6
    let mut lan = Lan::new(51);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let target = |priority, weight, host: &str| {
        let rdata = RdataBuf::srv(priority, weight, 80, name(host).as_name());
        record("Lobby._http._tcp.local", rdata)
    };
    let records = [
        pointer("Lobby._http._tcp.local"),
        record(
            "Lobby._http._tcp.local",
            RdataBuf::txt([b"path=/"]).unwrap(),
        ),
        target(10, 0, "backup.local"),
        target(0, 30, "large.local"),
        target(0, 10, "small.local"),
        record("backup.local", RdataBuf::a([192, 0, 2, 51].into())),
        record("large.local", RdataBuf::a([192, 0, 2, 52].into())),
        record("small.local", RdataBuf::a([192, 0, 2, 53].into())),
    ];
    let records = alice
        .zeroconf
        .publish_records(records, crate::Links::default());
    let _records = lan.wait(records).unwrap();
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    lan.run_ms(3000);
    let services = browser.snapshot().services;
    let [service] = &services[..] else {
        panic!("{services:?}");
    };
    let mut large = 0;
    for _ in 0..1000 {
        let targets = service.targets();
        let [first, second, third] = &targets[..] else {
            panic!("{targets:?}");
        };
        assert_eq!(third.host(), &name("backup.local"));
        assert_eq!(third.priority(), 10);
        assert_eq!(second.socket_addrs().len(), 1);
        large += u32::from(first.host() == &name("large.local"));
    }
    // Three of four; as far off as this is as likely as a hundred heads in a row.
    assert!((550..950).contains(&large), "{large}");
}

// Ruling 34
#[test]
fn a_listing_waits_for_half_a_second_without_anything_new() {
    let mut lan = Lan::new(54);
    let bob = lan.host("bob", 2);
    let begun = lan.now();
    let mut list = bob.zeroconf.list("_http._tcp").into_future();
    for (at, who) in [(1400, "Late"), (1850, "Later")] {
        let until = Duration::from_millis(at) - lan.now().since(begun);
        assert!(lan.wait_up_to(until, &mut list).is_none());
        let instance = format!("{who}._http._tcp.local");
        lan.say(&[
            pointer(&instance),
            target(&instance, "late.local"),
            record(&instance, RdataBuf::txt([b"path=/"]).unwrap()),
            record("late.local", RdataBuf::a([192, 0, 2, 66].into())),
        ]);
    }
    let listed = lan.wait(list).unwrap();
    assert_eq!(listed.len(), 2);
    let took = lan.now().since(begun).as_millis();
    assert!((2350..=2450).contains(&took), "{took}");
}

// Ruling 34
#[test]
fn a_listing_of_what_is_never_resolved_ends_after_5_s() {
    let mut lan = Lan::new(52);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _alice = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    // One TTL for all that a host says of a type (2181-5.2-1).
    let pointer = [RecordBuf {
        ttl: 4500,
        ..pointer("Nowhere._http._tcp.local")
    }];
    let pointer = alice
        .zeroconf
        .publish_records(pointer, crate::Links::default());
    let _pointer = lan.wait(pointer).unwrap();
    let begun = lan.now();
    let listed = lan.wait(bob.zeroconf.list("_http._tcp")).unwrap();
    let took = lan.now().since(begun).as_millis();
    assert_eq!(listed.len(), 1);
    assert!((4999..=5010).contains(&took), "{took}");
}

#[test]
fn domains_to_browse_are_a_question_like_any_other() {
    // 6763-11-1
    use crate::wire::{Data, NameBuf, RdataBuf, RecordBuf, RecordType};

    let mut lan = Lan::new(53);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let domain: NameBuf = "example.test".parse().unwrap();
    let name: NameBuf = "b._dns-sd._udp.local".parse().unwrap();
    let record = RecordBuf::new(name.clone(), 4500, RdataBuf::ptr(domain.as_name()));
    let record = alice
        .zeroconf
        .publish_records([record], crate::Links::default());
    let _record = lan.wait(record).unwrap();
    let found = lan
        .wait(bob.zeroconf.lookup(name, RecordType::PTR))
        .unwrap();
    let [record] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(matches!(record.data(), Ok(Data::Ptr(target)) if target == domain.as_name()));
}

#[cfg(feature = "serde")]
#[test]
fn what_was_found_can_be_stored_and_found_again() {
    let mut lan = Lan::new(28);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _web = lan
        .wait(alice.zeroconf.publish(web("Alice’s web. server")))
        .unwrap();
    let found = lan.wait(bob.zeroconf.browse("_http._tcp").unwrap().first());
    let stored = serde_json::to_value(found.unwrap()).unwrap();
    assert_eq!(stored["addresses"][0], "192.0.2.1");
    assert_eq!(stored["host"], "alice.local");
    let name: crate::ServiceName = serde_json::from_value(stored["name"].clone()).unwrap();
    let again = lan.wait(bob.zeroconf.resolve(name)).unwrap();
    assert_eq!(again.instance().to_string(), "Alice’s web. server");
}
