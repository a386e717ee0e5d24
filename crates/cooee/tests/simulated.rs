//! The library on a simulated network: the driver and all, in simulated time.
#![cfg(feature = "testing")]

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cooee::testing::{self, Network};
use cooee::wire::RecordType;
use cooee::{
    Browse, Browser, Families, Host, Links, RecordEvent, RegistrationEvent, ScopedAddr, Service,
    ServiceEvent, ServiceName, Zeroconf,
};

fn chat(name: &str) -> cooee::Result<Service> {
    Service::new(name, "_cs6452._tcp", 4000)
}

/// No packet of the test was against the rules.
#[track_caller]
fn assert_clean(network: &Network) {
    let violations = network.violations();
    assert!(violations.is_empty(), "{}", network.transcript());
}

/// Waits until a service is gone; its addresses may go first.
async fn removed(peers: &mut Browser) -> ServiceName {
    loop {
        match peers.next().await {
            Some(ServiceEvent::Removed(name)) => return name,
            Some(_) => {}
            None => panic!("the stream has ended"),
        }
    }
}

#[test]
fn a_peer_whose_cable_is_pulled_is_removed_within_its_ttl() {
    testing::run(async {
        let network = Network::new(1);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let registration = publisher.publish(chat("Alice").unwrap()).await.unwrap();
        let finder = bob.zeroconf().await.unwrap();
        let mut peers = finder.browse("_cs6452._tcp").unwrap();
        let found = peers.first().await.unwrap();
        assert_eq!(found.name(), &registration.name());
        // Ruling 36: not the name of the computer.
        assert_eq!(found.host().to_string(), "alice-cooee.local");
        assert_eq!(found.addresses().len(), 2, "{}", network.transcript());

        let pulled = tokio::time::Instant::now();
        alice.leave(&lan);
        assert_eq!(removed(&mut peers).await, registration.name());
        assert!(pulled.elapsed() <= Duration::from_secs(135));
        alice.join(&lan);
        assert!(matches!(peers.next().await, Some(ServiceEvent::Added(_))));
        assert_clean(&network);
    });
}

#[test]
fn on_a_link_that_loses_a_third_of_all_packets_every_service_is_found_and_none_flaps() {
    testing::run(async {
        let network = Network::new(2);
        let lan = network.lan();
        lan.set_loss(0.33);
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let mut held = Vec::new();
        for number in 0..20 {
            held.push(
                publisher
                    .start_publish(chat(&format!("Peer {number}")).unwrap())
                    .unwrap(),
            );
        }
        let finder = bob.zeroconf().await.unwrap();
        let mut peers = finder.browse("_cs6452._tcp").unwrap();
        for _ in 0..20 {
            assert!(matches!(peers.next().await, Some(ServiceEvent::Added(_))));
        }
        let ten_minutes = Duration::from_secs(600);
        let more = tokio::time::timeout(ten_minutes, async {
            loop {
                let event = peers.next().await;
                assert!(
                    !matches!(event, Some(ServiceEvent::Removed(_))),
                    "{event:?}"
                );
            }
        });
        assert!(more.await.is_err());
        assert_clean(&network);
    });
}

#[test]
fn the_same_seed_makes_the_same_packets() {
    let transcript = |seed| {
        testing::run(async {
            let network = Network::new(seed);
            let lan = network.lan();
            lan.set_loss(0.1);
            let (alice, bob) = (lan.host("alice"), lan.host("bob"));
            let publisher = alice.zeroconf().await.unwrap();
            let _registration = publisher.publish(chat("Alice").unwrap()).await.unwrap();
            let finder = bob.zeroconf().await.unwrap();
            finder.list("_cs6452._tcp").await.unwrap();
            network.transcript()
        })
    };
    assert_eq!(transcript(3), transcript(3));
    assert_ne!(transcript(3), transcript(4));
}

#[test]
fn of_two_programs_that_want_one_name_the_later_takes_the_next_name() {
    testing::run(async {
        let network = Network::new(4);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let one = alice.zeroconf().await.unwrap();
        let first = one.publish(chat("Chat").unwrap()).await.unwrap();
        let two = bob.zeroconf().await.unwrap();
        let second = two.start_publish(chat("Chat").unwrap()).unwrap();
        let mut events = second.events();
        let renamed = loop {
            match events.next().await {
                Some(RegistrationEvent::Renamed { from, to }) => break (from, to),
                Some(_) => {}
                None => panic!("it has ended"),
            }
        };
        assert_eq!(renamed.0, first.name());
        assert_eq!(second.ready().await.unwrap(), renamed.1);
        assert_eq!(renamed.1.instance().to_string(), "Chat (2)");
        assert_clean(&network);
    });
}

#[test]
fn a_switch_that_is_off_makes_services_wait_and_one_that_is_on_again_lets_them_appear() {
    testing::run(async {
        let network = Network::new(5);
        let lan = network.lan();
        lan.cut();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let registration = publisher.start_publish(chat("Alice").unwrap()).unwrap();
        let mut events = registration.events();
        while !matches!(events.next().await, Some(RegistrationEvent::Waiting)) {}
        lan.mend();
        registration.ready().await.unwrap();
        let mut peers = bob
            .zeroconf()
            .await
            .unwrap()
            .browse("_cs6452._tcp")
            .unwrap();
        peers.first().await.unwrap();
        assert_clean(&network);
    });
}

#[test]
fn a_host_that_slept_for_an_hour_learns_who_went_meanwhile() {
    testing::run(async {
        let network = Network::new(6);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let _registration = publisher.publish(chat("Alice").unwrap()).await.unwrap();
        let mut peers = bob
            .zeroconf()
            .await
            .unwrap()
            .browse("_cs6452._tcp")
            .unwrap();
        peers.first().await.unwrap();
        let hour = Duration::from_secs(3600);
        tokio::join!(bob.sleep(hour), async {
            tokio::time::sleep(hour / 2).await;
            alice.crash();
        });
        removed(&mut peers).await;
        assert_clean(&network);
    });
}

#[test]
fn only_the_addresses_that_are_to_be_kept_are_published() {
    testing::run(async {
        let network = Network::new(9);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let without_v6 = Zeroconf::builder().published_addresses(|link, ip| {
            assert_eq!(link.name(), "eth0");
            ip.is_ipv4()
        });
        let publisher = alice.zeroconf_with(without_v6).await.unwrap();
        let _alice = publisher.publish(chat("Alice").unwrap()).await.unwrap();
        let finder = bob.zeroconf().await.unwrap();
        let mut peers = finder.browse("_cs6452._tcp").unwrap();
        let found = peers.first().await.unwrap();
        let addresses: Vec<_> = found.addresses().iter().map(|a| a.ip()).collect();
        assert!(matches!(addresses[..], [IpAddr::V4(_)]), "{addresses:?}");
        let name = finder.resolve_host("alice-cooee.local");
        let denied = name.families(Families::V6).await.unwrap_err();
        assert!(denied.is_not_found(), "{denied}");
        assert_clean(&network);
    });
}

#[test]
fn addresses_of_another_subnet_are_told_as_they_are() {
    testing::run(async {
        let network = Network::new(11);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let far: [IpAddr; 2] = [
            "203.0.113.9".parse().unwrap(),
            "2001:db8:9::1".parse().unwrap(),
        ];
        let far = publisher.publish_host(Host::new("far", far).unwrap()).await;
        let far = far.unwrap();
        let queue = chat("Far away").unwrap().host(&far);
        let _queue = publisher.publish(queue).await.unwrap();
        let finder = bob.zeroconf().await.unwrap();
        let mut peers = finder.browse("_cs6452._tcp").unwrap();
        let found = peers.first().await.unwrap();
        let addresses: Vec<_> = found.socket_addrs().iter().map(|a| a.to_string()).collect();
        assert_eq!(addresses, ["203.0.113.9:4000", "[2001:db8:9::1]:4000"]);
        assert_clean(&network);
    });
}

#[test]
fn a_host_with_forty_links_is_quiet_when_nothing_happens() {
    testing::run(async {
        let network = Network::new(12);
        let lans: Vec<_> = (0..40).map(|_| network.lan()).collect();
        let router = lans[0].host("router");
        for lan in &lans[1..] {
            router.join(lan);
        }
        let zeroconf = router.zeroconf().await.unwrap();
        let _peer = zeroconf.publish(chat("Router").unwrap()).await.unwrap();
        let _peers = zeroconf.browse("_cs6452._tcp").unwrap();
        let hour = Duration::from_secs(3600);
        tokio::time::sleep(hour).await;
        let before = network.packets();
        tokio::time::sleep(hour).await;
        // One question an hour, on each link in each family.
        assert!(
            network.packets() - before <= 2 * 40,
            "{}",
            network.packets() - before
        );
        assert_clean(&network);
    });
}

// 6762-10.1-1, ruling 9
#[test]
fn a_shutdown_takes_a_second_at_most() {
    testing::run(async {
        let network = Network::new(13);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let mut registrations = Vec::new();
        for number in 0..100 {
            let service = chat(&format!("Peer {number}")).unwrap();
            registrations.push(publisher.start_publish(service).unwrap());
        }
        for registration in &registrations {
            registration.ready().await.unwrap();
        }
        let finder = bob.zeroconf().await.unwrap();
        let mut peers = finder.browse("_cs6452._tcp").unwrap();
        while peers.snapshot().services.len() < 100 {
            peers.changed().await.unwrap();
        }
        let begun = tokio::time::Instant::now();
        publisher.shutdown().await;
        assert!(begun.elapsed() <= Duration::from_secs(1));
        while !peers.snapshot().services.is_empty() {
            peers.changed().await.unwrap();
        }
        assert!(
            begun.elapsed() <= Duration::from_secs(3),
            "all heard the goodbye"
        );
        assert_clean(&network);
    });
}

#[test]
fn an_address_that_is_good_on_one_link_alone_is_looked_up_there() {
    testing::run(async {
        let network = Network::new(10);
        let (left, right) = (network.lan(), network.lan());
        let (alice, bob, carol) = (left.host("alice"), right.host("bob"), left.host("carol"));
        carol.join(&right);
        let (one, two) = (
            alice.zeroconf().await.unwrap(),
            bob.zeroconf().await.unwrap(),
        );
        let _alice = one.publish(chat("Alice").unwrap()).await.unwrap();
        let _bob = two.publish(chat("Bob").unwrap()).await.unwrap();
        let finder = carol.zeroconf().await.unwrap();
        let host = finder.resolve_host("alice-cooee.local").await.unwrap();
        let scoped = host.addresses().iter().find(|a| a.scope_id() != 0).unwrap();
        assert_eq!(scoped.interface(), Some("eth0"));
        let names = finder.reverse(*scoped).await.unwrap();
        assert_eq!(names[0].to_string(), "alice-cooee.local");
        // The same address on the other link is another one, which nobody has.
        let elsewhere = ScopedAddr::new(scoped.ip(), scoped.scope_id() + 1);
        let nobody = finder.reverse(elsewhere).await.unwrap_err();
        assert!(nobody.is_timeout(), "{nobody}");
        assert_clean(&network);
    });
}

// RFC 6763 §8, ruling 34
#[test]
fn a_list_does_not_wait_for_a_placeholder() {
    testing::run(async {
        let network = Network::new(8);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let publisher = alice.zeroconf().await.unwrap();
        let placeholder = Service::placeholder("Taken", "_cs6452._tcp").unwrap();
        let _taken = publisher.publish(placeholder).await.unwrap();
        let _alice = publisher.publish(chat("Alice").unwrap()).await.unwrap();
        let finder = bob.zeroconf().await.unwrap();
        let begun = tokio::time::Instant::now();
        let listed = finder.list("_cs6452._tcp").await.unwrap();
        assert_eq!(listed.len(), 1);
        assert!(begun.elapsed() < Duration::from_millis(2500));
        assert_clean(&network);
    });
}

// RFC 6762 §10.3 (6762-10.3-1), ruling 33
#[test]
fn what_was_seen_on_a_link_that_is_gone_is_removed_whatever_links_were_chosen() {
    testing::run(async {
        let network = Network::new(11);
        let (left, right) = (network.lan(), network.lan());
        let (alice, bob) = (left.host("alice"), right.host("bob"));
        bob.join(&left);
        let publisher = alice.zeroconf().await.unwrap();
        let registration = publisher.publish(chat("Alice").unwrap()).await.unwrap();
        let finder = bob.zeroconf().await.unwrap();
        // What an interface that vanishes does to a choice by name.
        let in_use = Links::matching(cooee::Link::is_in_use);
        let chosen = Browse::new("_cs6452._tcp").unwrap().links(in_use);
        let mut all = finder.browse("_cs6452._tcp").unwrap();
        let mut chosen = finder.browse(chosen).unwrap();
        all.first().await.unwrap();
        chosen.first().await.unwrap();

        bob.leave(&left);
        let patience = Duration::from_secs(6);
        let gone = tokio::time::timeout(patience, async {
            assert_eq!(removed(&mut all).await, registration.name());
            assert_eq!(removed(&mut chosen).await, registration.name());
        });
        assert!(gone.await.is_ok(), "it takes five seconds");
        assert!(chosen.snapshot().unresolved.is_empty());
        bob.join(&left);
        for peers in [&mut all, &mut chosen] {
            peers.first().await.unwrap();
        }
        assert_clean(&network);
    });
}

#[test]
fn what_was_seen_on_a_link_that_a_search_has_left_is_removed() {
    testing::run(async {
        let network = Network::new(15);
        let (left, right) = (network.lan(), network.lan());
        let (alice, bob) = (left.host("alice"), right.host("bob"));
        bob.join(&left);
        let publisher = alice.zeroconf().await.unwrap();
        let registration = publisher.publish(chat("Alice").unwrap()).await.unwrap();
        let finder = bob.zeroconf().await.unwrap();
        let may_use_left = Arc::new(AtomicBool::new(true));
        let choice = {
            let may_use_left = Arc::clone(&may_use_left);
            Links::matching(move |link| {
                link.name() != "eth0" || may_use_left.load(Ordering::Relaxed)
            })
        };
        let name = registration.name().as_name_buf().clone();
        let peers = Browse::new("_cs6452._tcp").unwrap().links(choice.clone());
        let mut peers = finder.browse(peers).unwrap();
        let follow = Browse::instance(registration.name())
            .unwrap()
            .links(choice.clone());
        let mut follow = finder.browse(follow).unwrap();
        let mut query = finder.query(name, RecordType::SRV, choice).unwrap();
        for browser in [&mut peers, &mut follow] {
            browser.first().await.unwrap();
        }
        assert!(matches!(query.next().await, Some(RecordEvent::Added(_))));

        // The choice is made again when a link changes, here a third one.
        let third = network.lan();
        may_use_left.store(false, Ordering::Relaxed);
        bob.join(&third);
        let patience = Duration::from_secs(6);
        let gone = tokio::time::timeout(patience, async {
            assert_eq!(removed(&mut peers).await, registration.name());
            assert_eq!(removed(&mut follow).await, registration.name());
            assert!(matches!(query.next().await, Some(RecordEvent::Removed(_))));
        });
        assert!(gone.await.is_ok(), "it takes five seconds");
        assert!(peers.snapshot().unresolved.is_empty());

        may_use_left.store(true, Ordering::Relaxed);
        bob.leave(&third);
        for browser in [&mut peers, &mut follow] {
            browser.first().await.unwrap();
        }
        assert!(matches!(query.next().await, Some(RecordEvent::Added(_))));

        // Left and chosen again before anybody was told.
        for (may, is_there) in [(false, true), (true, false)] {
            may_use_left.store(may, Ordering::Relaxed);
            match is_there {
                true => bob.join(&third),
                false => bob.leave(&third),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let quiet = tokio::time::timeout(Duration::from_secs(20), peers.next()).await;
        assert!(quiet.is_err(), "{quiet:?}");
        assert_eq!(peers.snapshot().services.len(), 1);
        assert_eq!(follow.snapshot().services.len(), 1);
        assert_eq!(query.snapshot().len(), 1);
        assert_clean(&network);
    });
}

#[test]
fn who_waits_for_a_registration_after_shutdown_is_told_so() {
    testing::run(async {
        let network = Network::new(12);
        let zeroconf = network.lan().host("alice").zeroconf().await.unwrap();
        let service = zeroconf.publish(chat("Alice").unwrap()).await.unwrap();
        let host = Host::alias("intranet").unwrap();
        let host = zeroconf.publish_host(host).await.unwrap();
        zeroconf.shutdown().await;
        assert!(service.ready().await.unwrap_err().is_shut_down());
        assert!(host.ready().await.unwrap_err().is_shut_down());
    });
}

#[test]
fn a_service_on_a_host_of_somebody_else_is_refused_and_the_error_says_why() {
    testing::run(async {
        let network = Network::new(13);
        let lan = network.lan();
        let (alice, bob) = (lan.host("alice"), lan.host("bob"));
        let (one, two) = (
            alice.zeroconf().await.unwrap(),
            bob.zeroconf().await.unwrap(),
        );
        let alias = |name| Host::alias(name).unwrap();
        let theirs = one.publish_host(alias("intranet")).await.unwrap();
        let ours = two.publish_host(alias("extranet")).await.unwrap();
        let service = chat("Bob").unwrap().host(&theirs);
        let error = two.publish(service).await.unwrap_err();
        assert!(error.is_invalid_input(), "{error}");
        assert!(error.to_string().contains("registration"), "{error}");
        // Nor on one that was withdrawn.
        let service = chat("Bob").unwrap().host(&ours);
        ours.withdraw().await;
        let error = two.publish(service).await.unwrap_err();
        assert!(error.is_invalid_input(), "{error}");
    });
}

// RFC 6762 §13 (6762-13-2)
#[test]
fn names_of_other_domains_are_not_asked_for_on_the_link() {
    testing::run(async {
        let network = Network::new(14);
        let zeroconf = network.lan().host("alice").zeroconf().await.unwrap();
        for name in ["example.org", "tabasco", "local", "."] {
            let error = zeroconf.resolve_host(name).await.unwrap_err();
            assert!(error.is_invalid_input(), "{error}");
            assert!(error.to_string().contains(name), "{error}");
        }
        let elsewhere = "Alice._cs6452._tcp.example.org";
        let error = zeroconf.resolve(elsewhere).await.unwrap_err();
        assert!(error.is_invalid_input(), "{error}");
        assert!(Browse::instance(elsewhere).is_err());
        assert_eq!(network.packets(), 0, "{}", network.transcript());
    });
}
