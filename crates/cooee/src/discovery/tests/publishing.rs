//! What is published, changed and taken back.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::lan::{Host, Lan, poll_once, record};
use super::{events, web};
use crate::names::Names;
use crate::{RegistrationEvent, Service, ServiceEvent};

#[test]
fn a_service_is_ready_within_a_second_on_a_quiet_link() {
    // 6762-8.1-4, 6762-8.1-5, 6762-8.1-6: a random delay of up to 250 ms, and three times 250 ms
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
fn withdrawing_ends_without_a_link_too() {
    let limit = Duration::from_millis(100);
    let mut lan = Lan::new(3);
    let alice = lan.host_without_link("alice");
    let service = alice.zeroconf.start_publish(web("Alice")).unwrap();
    lan.run_ms(5000);
    assert!(lan.wait_up_to(limit, service.withdraw()).is_some());
    assert_eq!(lan.simulation.packets().len(), 0);
}

#[test]
fn withdrawing_what_has_failed_ends() {
    let mut lan = Lan::new(4);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let _first = lan.wait(alice.zeroconf.publish(web("Web"))).unwrap();
    let second = web("Web").never_rename();
    let second = bob.zeroconf.start_publish(second).unwrap();
    assert!(lan.wait(second.ready()).unwrap_err().is_name_taken());
    lan.run_ms(5000);
    let limit = Duration::from_millis(100);
    assert!(lan.wait_up_to(limit, second.withdraw()).is_some());
}

#[test]
fn a_renamed_registration_tells_from_what_to_what() {
    // 6762-9-9, 6763-D-2: the user can be told, and the name kept
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
fn txt_that_no_message_can_carry_is_refused_and_the_service_stays() {
    // 6762-17-7, 6763-6.1-2
    let mut lan = Lan::new(13);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    let before = registration.txt();
    // Alone it would fit, but in a probe it stands beside the SRV record; and more than fits alone.
    for strings in [34, 35] {
        let string = format!("k={}", "x".repeat(252));
        let mut txt = crate::TxtAttributes::from_strings(vec![string; strings]).unwrap();
        txt.set("more", "x".repeat(160)).unwrap();
        let error = registration.update_txt(txt.clone()).unwrap_err();
        assert!(error.is_invalid_input(), "{strings}: {error}");
        assert_eq!(registration.txt(), before);
        let other = web("Other").attributes(txt);
        assert!(other.check().unwrap_err().is_invalid_input());
    }
    lan.run_ms(5000);
    lan.wait(registration.ready()).unwrap();
    let service = lan.wait(bob.zeroconf.resolve(registration.name())).unwrap();
    assert_eq!(service.txt(), &before);
    lan.assert_clean();
}

#[test]
fn a_change_that_cannot_be_published_is_told_and_leaves_the_service_as_it_was() {
    let mut lan = Lan::new(14);
    let (alice, bob) = (lan.host("alice", 1), lan.host("bob", 2));
    let address: std::net::IpAddr = "192.0.2.50".parse().unwrap();
    let host = crate::Host::new("printer", [address]).unwrap();
    let host = lan.wait(alice.zeroconf.publish_host(host)).unwrap();
    let service = lan
        .wait(alice.zeroconf.publish(web("Queue").host(&host)))
        .unwrap();
    lan.wait(host.withdraw());
    let mut events = service.events();
    let ready = lan.wait(events.next());
    assert!(matches!(ready, Some(RegistrationEvent::Ready(_))));
    // Each time anew, and who listens later is told how it stands.
    let mut later = service.events();
    for port in [8081, 8082] {
        service.set_port(port).unwrap();
        let error = lan.wait(service.ready()).unwrap_err();
        assert!(error.is_invalid_input(), "{error}");
        assert!(error.to_string().contains("host"), "{error}");
        let Some(RegistrationEvent::Refused(told)) = lan.wait(events.next()) else {
            panic!("not told");
        };
        assert_eq!(told.to_string(), error.to_string());
    }
    let ready = lan.wait(later.next());
    assert!(matches!(ready, Some(RegistrationEvent::Ready(_))));
    let refused = lan.wait(later.next());
    assert!(matches!(refused, Some(RegistrationEvent::Refused(_))));
    for events in [&mut events, &mut later] {
        assert!(poll_once(pin!(events.next())).is_pending());
    }
    lan.run_ms(5000);
    let found = lan
        .wait(bob.zeroconf.lookup(
            service.name().as_name_buf().clone(),
            crate::wire::RecordType::SRV,
        ))
        .unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_service_whose_host_is_withdrawn_before_it_is_ready_fails() {
    // Before its own name is probed, and after: then it waits for its host alone.
    for millis in [100, 1100] {
        let mut lan = Lan::new(34);
        let alice = lan.host("alice", 1);
        let address: std::net::IpAddr = "192.0.2.50".parse().unwrap();
        let host = crate::Host::new("printer", [address]).unwrap();
        let host = lan.wait(alice.zeroconf.publish_host(host)).unwrap();
        let service = web("Queue").host(&host);
        let service = alice.zeroconf.start_publish(service).unwrap();
        // Somebody wants the host's name, so that it is probed again for longer.
        for _ in 0..millis / 100 {
            let theirs = cooee_wire::RdataBuf::a([192, 0, 2, 66].into());
            lan.say(&[record(&host.name().to_string(), theirs)]);
            lan.run_ms(90);
        }
        drop(host);
        let error = lan.wait(service.ready()).unwrap_err();
        assert!(error.is_invalid_input(), "{millis}: {error}");
    }
}

#[test]
fn a_rename_to_the_present_name_changes_nothing() {
    let mut lan = Lan::new(33);
    let alice = lan.host("alice", 1);
    let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    lan.run_ms(5000);
    let before = lan.simulation.packets().len();
    registration.rename("Alice").unwrap();
    let at_once = lan.wait_up_to(Duration::from_millis(1), registration.ready());
    assert_eq!(at_once.unwrap().unwrap(), registration.name());
    lan.run_ms(5000);
    assert_eq!(lan.simulation.packets().len(), before);

    // Upper case looks different, so that it is another name to people.
    registration.rename("ALICE").unwrap();
    let name = lan.wait(registration.ready()).unwrap();
    assert_eq!(name.instance().to_string(), "ALICE");
    assert!(lan.simulation.packets().len() > before);
    lan.assert_clean();
}

#[test]
fn ready_waits_for_every_change_that_was_asked_for() {
    let mut lan = Lan::new(12);
    let alice = lan.host("alice", 1);
    let registration = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    registration.rename("Berta").unwrap();
    registration.rename("Carla").unwrap();
    lan.run_after_one_call(&alice, Duration::from_secs(5));
    assert_eq!(registration.name().instance().to_string(), "Berta");
    assert!(poll_once(pin!(registration.ready())).is_pending());

    let name = lan.wait(registration.ready()).unwrap();
    assert_eq!(name.instance().to_string(), "Carla");
    lan.assert_clean();
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
fn hosts_and_the_services_on_them_get_ready_together() {
    let mut lan = Lan::new(35);
    let alice = lan.host("alice", 1);
    let begun = lan.now();
    let start = |number: u8| {
        let address = std::net::IpAddr::from([192, 0, 2, number]);
        let host = crate::Host::new(&format!("printer{number}"), [address]).unwrap();
        let host = alice.zeroconf.start_publish_host(host).unwrap();
        let queue = web(&format!("Queue {number}")).host(&host);
        (alice.zeroconf.start_publish(queue).unwrap(), host)
    };
    let printers: Vec<_> = (50..70).map(start).collect();
    for (queue, host) in &printers {
        lan.wait(queue.ready()).unwrap();
        assert!(poll_once(pin!(host.ready())).is_ready());
    }
    let took = lan.now().since(begun);
    assert!(took <= Duration::from_millis(1100), "{took:?}");
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
    // It is no alias in the sense of DNS, which not every system follows.
    let cname = bob
        .zeroconf
        .lookup("intranet.local", crate::wire::RecordType::CNAME);
    assert!(lan.wait(cname).unwrap_err().is_not_found());
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

    let mut query = bob
        .zeroconf
        .query("note.local", RecordType::TXT, crate::Links::default())
        .unwrap();
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
fn a_chosen_name_survives_a_restart() {
    // 6762-9-6, 6762-9-8
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

#[test]
fn a_service_stands_on_the_host_name_that_another_program_of_this_computer_owns() {
    // Ruling 22: the daemon is there first
    let mut lan = Lan::new(31);
    let daemon = lan.host("tabasco", 1);
    let theirs = lan.wait(daemon.zeroconf.publish(web("Theirs"))).unwrap();
    lan.run_ms(2000);
    let us = lan.system_host("tabasco", 1);
    let ours = lan.wait(us.zeroconf.publish(web("Ours"))).unwrap();
    let other = lan.host("other", 2);
    let mut found = lan.wait(other.zeroconf.list("_http._tcp")).unwrap();
    found.sort_by_key(|service| service.name().to_string());
    let hosts: Vec<_> = found
        .iter()
        .map(|service| service.host().to_string())
        .collect();
    assert_eq!(hosts, ["tabasco.local", "tabasco.local"]);
    assert_eq!(
        us.zeroconf.host_name().unwrap().to_string(),
        "tabasco.local"
    );
    drop((ours, theirs));
}
