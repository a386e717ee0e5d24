//! Two or more whole stacks on a simulated link.

mod lan;

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cooee_sim::Conditions;

use crate::names::Names;
use crate::{Browse, Browser, RegistrationEvent, Service, ServiceEvent};
use lan::{Host, Lan, poll_once};

fn web(instance: &str) -> Service {
    Service::new(instance, "_http._tcp", 8080)
        .unwrap()
        .txt("path", "/")
}

/// The events that are there now.
fn events(browser: &mut Browser) -> Vec<ServiceEvent> {
    let mut events = Vec::new();
    while let Poll::Ready(Some(event)) = poll_once(pin!(browser.next())) {
        events.push(event);
    }
    events
}

#[track_caller]
fn names(browser: &mut Browser) -> Vec<String> {
    let services = browser.snapshot().services;
    services
        .iter()
        .map(|service| service.instance().to_string())
        .collect()
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
fn a_service_is_ready_within_850_ms_on_a_quiet_link() {
    for seed in 0..20 {
        let mut lan = Lan::new(seed);
        let alice = lan.host("alice", 1);
        let begun = lan.now();
        let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
        let took = lan.now().since(begun);
        assert!(took <= Duration::from_millis(1001), "seed {seed}: {took:?}");
        assert_eq!(
            alice.zeroconf.host_name().unwrap().to_string(),
            "alice.local"
        );
        drop(registration);
        lan.run_ms(3000);
        lan.assert_clean();
    }
}

#[test]
fn a_dropped_registration_says_goodbye() {
    // 6762-10.1-1
    let mut lan = Lan::new(1);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    let service = lan.wait(browser.first()).unwrap();

    let left = lan.now();
    drop(registration);
    let removed = lan.wait_up_to(Duration::from_secs(3), browser.next());
    // It may come back within a second (ruling 33).
    let took = lan.now().since(left);
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert_eq!(
        removed,
        Some(Some(ServiceEvent::Removed(service.name().clone())))
    );
    lan.assert_clean();
}

#[test]
fn withdrawing_waits_for_the_goodbye() {
    let mut lan = Lan::new(2);
    let alice = lan.host("alice", 1);
    let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    lan.run_ms(3000);
    let before = lan.simulation.packets().len();
    let mut events = registration.events();
    lan.wait(registration.withdraw());
    assert!(lan.simulation.packets().len() > before);
    assert!(matches!(
        lan.wait(events.next()),
        Some(RegistrationEvent::Ready(_)) | Some(RegistrationEvent::Withdrawn)
    ));
    lan.assert_clean();
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
fn the_second_of_two_equal_names_takes_another() {
    // 6762-9-4, 6763-D-1
    let mut lan = Lan::new(4);
    let (alice, bob, carol) = (
        lan.host("alice", 1),
        lan.host("bob", 2),
        lan.host("carol", 3),
    );
    let _first = lan.wait(alice.zeroconf.publish(web("Web"))).unwrap();
    let begun = lan.now();
    let second = lan.wait(bob.zeroconf.publish(web("Web"))).unwrap();
    assert!(lan.now().since(begun) <= Duration::from_secs(3));
    assert_eq!(second.name().instance().to_string(), "Web (2)");

    let mut browser = carol.zeroconf.browse("_http._tcp").unwrap();
    lan.run_ms(2000);
    assert_eq!(names(&mut browser), ["Web", "Web (2)"]);
    lan.assert_clean();
}

#[test]
fn a_renamed_registration_tells_from_what_to_what() {
    let mut lan = Lan::new(5);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _first = lan.wait(alice.zeroconf.publish(web("Web"))).unwrap();
    let second = bob.zeroconf.start_publish(web("Web")).unwrap();
    let mut events = second.events();
    assert!(matches!(
        lan.wait(events.next()),
        Some(RegistrationEvent::Probing(_))
    ));
    let Some(RegistrationEvent::Renamed { from, to }) = lan.wait(events.next()) else {
        panic!("not renamed");
    };
    assert_eq!(
        (from.instance().to_string(), to.instance().to_string()),
        ("Web".into(), "Web (2)".into())
    );
}

#[test]
fn a_service_that_never_renames_fails() {
    let mut lan = Lan::new(6);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _first = lan.wait(alice.zeroconf.publish(web("Web"))).unwrap();
    let error = lan
        .wait(bob.zeroconf.publish(web("Web").never_rename()))
        .unwrap_err();
    assert!(error.is_name_taken(), "{error}");
    assert!(error.to_string().contains("Web"), "{error}");
}

#[test]
fn two_services_of_one_program_with_one_name_get_two() {
    let mut lan = Lan::new(7);
    let alice = lan.host("alice", 1);
    let at_port = |port| Service::new("Web", "_http._tcp", port).unwrap();
    let first = alice.zeroconf.start_publish(at_port(8080)).unwrap();
    let second = alice.zeroconf.start_publish(at_port(8081)).unwrap();
    let third = alice.zeroconf.start_publish(at_port(8082)).unwrap();
    let name = |name: crate::Result<crate::ServiceName>| name.unwrap().instance().to_string();
    assert_eq!(name(lan.wait(first.ready())), "Web");
    assert_eq!(name(lan.wait(second.ready())), "Web (2)");
    assert_eq!(name(lan.wait(third.ready())), "Web (3)");
}

#[test]
fn a_host_that_lost_its_name_takes_its_services_along() {
    // 6762-9-4, ruling 17
    let mut lan = Lan::new(8);
    let (alice, bob, carol) = (lan.host("box", 1), lan.host("box", 2), lan.host("carol", 3));
    let _first = lan.wait(alice.zeroconf.publish(web("First"))).unwrap();
    let _second = lan.wait(bob.zeroconf.publish(web("Second"))).unwrap();
    assert_eq!(bob.zeroconf.host_name().unwrap().to_string(), "box-2.local");

    let service = lan
        .wait(carol.zeroconf.resolve("Second._http._tcp.local"))
        .unwrap();
    assert_eq!(service.host().to_string(), "box-2.local");
    assert_eq!(service.addresses()[0].to_string(), "192.0.2.2");
    lan.assert_clean();
}

#[test]
fn without_a_link_publishing_waits_and_goes_on_when_there_is_one() {
    // ruling 17
    let mut lan = Lan::new(9);
    let alice = lan.host_without_link("alice");
    let registration = alice.zeroconf.start_publish(web("Alice")).unwrap();
    let mut events = registration.events();
    lan.run_ms(5000);
    assert!(matches!(
        lan.wait(events.next()),
        Some(RegistrationEvent::Waiting)
    ));

    lan.join(&alice, 1);
    let name = lan.wait(registration.ready()).unwrap();
    assert_eq!(name.instance().to_string(), "Alice");
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
fn new_txt_and_port_make_one_update() {
    let mut lan = Lan::new(11);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    lan.wait(browser.first()).unwrap();
    lan.run_ms(5000);

    let mut txt = registration.txt();
    txt.set("players", "3").unwrap();
    registration.update_txt(txt).unwrap();
    registration.set_port(8081).unwrap();
    lan.wait(registration.ready()).unwrap();
    let Some(ServiceEvent::Updated(service)) = lan.wait(browser.next()) else {
        panic!("not updated");
    };
    assert_eq!(
        (service.port(), service.txt().get_str("players")),
        (8081, Some("3"))
    );
    lan.assert_clean();
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
fn after_shutdown_streams_end_and_calls_fail() {
    let mut lan = Lan::new(19);
    let Host { zeroconf, .. } = lan.host("alice", 1);
    let mut browser = zeroconf.browse("_http._tcp").unwrap();
    let registration = lan.wait(zeroconf.publish(web("Alice"))).unwrap();
    drop(lan);
    assert_eq!(events(&mut browser).len(), 1);
    assert!(matches!(poll_once(pin!(browser.next())), Poll::Ready(None)));
    assert!(zeroconf.browse("_http._tcp").unwrap_err().is_shut_down());
    assert!(registration.set_port(1).unwrap_err().is_shut_down());
    assert!(poll_once(pin!(registration.withdraw())).is_ready());
}

#[test]
fn a_name_that_one_lost_stays_found_as_the_winners() {
    // ruling 19
    let mut lan = Lan::new(20);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    let _winner = lan.wait(alice.zeroconf.publish(web("Web"))).unwrap();
    lan.wait(browser.first()).unwrap();
    let _loser = lan.wait(bob.zeroconf.publish(web("Web"))).unwrap();
    lan.run_ms(20_000);
    let events = events(&mut browser);
    let [ServiceEvent::Added(service)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(service.instance().to_string(), "Web (2)");
    assert!(service.is_own());
    assert_eq!(names(&mut browser), ["Web", "Web (2)"]);
}

#[test]
fn two_programs_of_one_host_do_not_disturb_each_other() {
    // rulings 20 and 21
    let mut lan = Lan::new(21);
    let (first, second) = (lan.host("box", 1), lan.host("box", 1));
    let mut browser = second.zeroconf.browse("_http._tcp").unwrap();
    let at_port = |port| Service::new("Web", "_http._tcp", port).unwrap();
    let winner = lan.wait(first.zeroconf.publish(at_port(8080))).unwrap();
    lan.wait(browser.first()).unwrap();
    let _loser = lan.wait(second.zeroconf.publish(at_port(8081))).unwrap();
    lan.run_ms(1);
    let events = events(&mut browser);
    let [ServiceEvent::Added(service)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(service.instance().to_string(), "Web (2)");
    assert_eq!(service.host().to_string(), "box.local");
    let left = lan.now();
    lan.wait(winner.withdraw());
    lan.wait(browser.next());
    let took = lan.now().since(left);
    assert!(took >= Duration::from_secs(1), "{took:?}");
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
fn a_host_that_cannot_speak_for_itself_is_published_with_its_services() {
    let mut lan = Lan::new(23);
    let (alice, bob, carol) = (
        lan.host("alice", 1),
        lan.host("bob", 2),
        lan.host("printer", 3),
    );
    let _busy = lan.wait(carol.zeroconf.publish(web("Carol"))).unwrap();
    let address: std::net::IpAddr = "192.0.2.50".parse().unwrap();
    // The name is taken, so that it gets a number.
    let host = crate::Host::new("printer.local", [address]).unwrap();
    let host = lan.wait(alice.zeroconf.publish_host(host)).unwrap();
    assert_eq!(host.name().to_string(), "printer-2.local");
    let queue = Service::new("LaserJet 4", "_ipp._tcp", 631)
        .unwrap()
        .host(&host);
    let queue = lan.wait(alice.zeroconf.publish(queue)).unwrap();

    let service = lan.wait(bob.zeroconf.resolve(queue.name())).unwrap();
    assert_eq!(service.host().to_string(), "printer-2.local");
    assert_eq!(service.socket_addrs(), ["192.0.2.50:631".parse().unwrap()]);
    lan.wait(host.withdraw());
    lan.run_ms(3000);
    let error = lan
        .wait(bob.zeroconf.resolve_host("printer-2.local"))
        .unwrap_err();
    assert!(error.is_timeout() || error.is_not_found(), "{error}");
    lan.assert_clean();
}

#[test]
fn an_alias_leads_to_the_same_addresses() {
    let mut lan = Lan::new(24);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _web = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let _alias = lan
        .wait(
            alice
                .zeroconf
                .publish_host(crate::Host::alias("intranet").unwrap()),
        )
        .unwrap();
    let host = lan
        .wait(bob.zeroconf.resolve_host("intranet.local"))
        .unwrap();
    assert_eq!(host.addresses()[0].to_string(), "192.0.2.1");
}

#[test]
fn records_are_published_found_and_taken_back() {
    use crate::wire::{Data, RdataBuf, RecordBuf, RecordType};

    let mut lan = Lan::new(25);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let mut note = RecordBuf::new(
        "note.local".parse().unwrap(),
        120,
        RdataBuf::txt([b"hello"]).unwrap(),
    );
    note.cache_flush = true;
    let published = alice
        .zeroconf
        .publish_records([note.clone()], crate::Links::default());
    let published = lan.wait(published).unwrap();

    let mut query = bob.zeroconf.query("note.local", RecordType::TXT).unwrap();
    let Some(crate::RecordEvent::Added(found)) = lan.wait(query.next()) else {
        panic!("not found");
    };
    assert!(found.is_unique() && matches!(found.data(), Ok(Data::Txt(_))));
    assert_eq!(
        lan.wait(bob.zeroconf.lookup("note.local", RecordType::TXT))
            .unwrap()
            .len(),
        1
    );

    // Somebody else cannot have the name.
    note.rdata = RdataBuf::txt([b"mine"]).unwrap();
    let taken = lan.wait(
        bob.zeroconf
            .publish_records([note], crate::Links::default()),
    );
    assert!(taken.unwrap_err().is_name_taken());

    lan.wait(published.withdraw());
    assert!(matches!(
        lan.wait(query.next()),
        Some(crate::RecordEvent::Removed(_))
    ));
    let none = lan.wait(alice.zeroconf.publish_records([], crate::Links::default()));
    assert!(none.unwrap_err().is_invalid_input());
}

#[test]
fn the_second_of_two_clones_takes_other_names_for_all() {
    // 6762-9-2, 6762-9-4: the same host name, and a service with the very same data
    for seed in 0..20 {
        let mut lan = Lan::new(seed);
        let (first, second) = (lan.host("box", 1), lan.host("box", 2));
        let original = lan.wait(first.zeroconf.publish(web("Web"))).unwrap();
        let clone = lan.wait(second.zeroconf.publish(web("Web"))).unwrap();
        lan.run_ms(20_000);
        let names = [&original, &clone].map(|service| service.name().instance().to_string());
        assert_eq!(names, ["Web", "Web (2)"], "seed {seed}");
        let hosts = [&first, &second].map(|host| host.zeroconf.host_name().unwrap().to_string());
        assert_eq!(hosts, ["box.local", "box-2.local"], "seed {seed}");
    }
}

#[test]
fn a_chosen_name_survives_a_restart() {
    // 6762-9-6
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex, mpsc};

    struct Store(
        Arc<Mutex<BTreeMap<String, String>>>,
        Mutex<mpsc::Sender<()>>,
    );

    impl crate::NameStore for Store {
        fn load(&self, wanted: &str) -> Option<String> {
            self.0.lock().unwrap().get(wanted).cloned()
        }

        fn store(&self, wanted: &str, chosen: &str) {
            self.0.lock().unwrap().insert(wanted.into(), chosen.into());
            self.1.lock().unwrap().send(()).unwrap();
        }
    }

    let kept = Arc::new(Mutex::new(BTreeMap::new()));
    let (sender, stored) = mpsc::channel();
    let names = || Names::new(Store(Arc::clone(&kept), Mutex::new(sender.clone())));

    let mut lan = Lan::new(26);
    let first = lan.host("box", 1);
    let _first = lan.wait(first.zeroconf.publish(web("Web"))).unwrap();
    let second = lan.host_with_names("box", names());
    lan.join(&second, 2);
    let _second = lan.wait(second.zeroconf.publish(web("Web"))).unwrap();
    // The service and the host, on a thread of their own.
    stored.recv_timeout(Duration::from_secs(10)).unwrap();
    stored.recv_timeout(Duration::from_secs(10)).unwrap();
    let expected = [
        ("Web._http._tcp.local", "Web (2)._http._tcp.local"),
        ("box.local", "box-2.local"),
    ];
    let expected = expected.map(|(wanted, chosen)| (wanted.to_owned(), chosen.to_owned()));
    assert_eq!(*kept.lock().unwrap(), BTreeMap::from(expected));

    // On another link, where both names are free.
    let mut lan = Lan::new(27);
    let again = lan.host_with_names("box", names());
    lan.join(&again, 2);
    let again = lan.wait(again.zeroconf.publish(web("Web"))).unwrap();
    assert_eq!(again.name().instance().to_string(), "Web (2)");
}
