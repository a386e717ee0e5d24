//! Names that two want.

use std::time::Duration;

use cooee_wire::RdataBuf;

use super::lan::{Lan, record};
use super::{events, names, web};
use crate::{Service, ServiceEvent};

#[test]
fn the_second_of_two_equal_names_takes_another() {
    // 6762-3-3, 6762-9-4, 6763-D-1, 6763-4.1.1-7
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
fn a_minute_of_conflicts_over_a_host_name_fails_the_services_on_it() {
    // 6762-9-4, rulings 11 and 17
    let mut lan = Lan::new(32);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let address: std::net::IpAddr = "192.0.2.50".parse().unwrap();
    let host = crate::Host::new("printer", [address]).unwrap();
    let host = lan.wait(alice.zeroconf.publish_host(host)).unwrap();
    let on_host = |name: &str| web(name).host(&host);
    let ready = lan.wait(alice.zeroconf.publish(on_host("Old"))).unwrap();
    let mut waiting = None;
    // Often enough to be heard before any new name has been probed.
    for _ in 0..400 {
        let theirs = RdataBuf::a([192, 0, 2, 66].into());
        lan.say(&[record(&host.name().to_string(), theirs)]);
        waiting.get_or_insert_with(|| alice.zeroconf.start_publish(on_host("New")).unwrap());
        lan.run_ms(190);
    }
    let waiting = waiting.unwrap();
    assert!(lan.wait(host.ready()).unwrap_err().is_name_taken());
    for service in [&ready, &waiting] {
        let error = lan.wait(service.ready()).unwrap_err();
        assert!(error.is_name_taken(), "{error}");
        assert!(error.to_string().contains("printer"), "{error}");
        let left = bob.zeroconf.lookup(
            service.name().as_name_buf().clone(),
            crate::wire::RecordType::SRV,
        );
        assert!(lan.wait(left).is_err());
    }

    // Another name of its own does not help, as long as the host has none.
    ready.rename("Newest").unwrap();
    assert!(lan.wait(ready.ready()).unwrap_err().is_name_taken());
}
