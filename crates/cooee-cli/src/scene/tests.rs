use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::picture::examples;

fn at(seconds: u64) -> Moment {
    Moment {
        wall: UNIX_EPOCH + Duration::from_secs(1_795_375_941 + seconds),
        since_start: Duration::from_secs(seconds),
    }
}

const TWO_MINUTES: Duration = Duration::from_secs(120);

fn named(instance: &str, missing: &[&'static str]) -> Named {
    Named {
        identity: examples::identity(instance.as_bytes(), "_ipp._tcp"),
        missing: missing.to_vec(),
        links: vec![examples::interface("eth0", 2)],
    }
}

fn service(instance: &str, kind: &str) -> Picture {
    Picture {
        identity: examples::identity(instance.as_bytes(), kind),
        ..examples::web_server()
    }
}

fn key(picture: &Picture) -> String {
    picture.identity.service.to_ascii_lowercase()
}

#[test]
fn a_service_is_seen_first_once_and_changes_later() {
    let mut scene = Scene::default();
    let web = examples::web_server();
    assert!(scene.see(web.clone(), TWO_MINUTES, at(1)));
    assert!(!scene.see(web.clone(), TWO_MINUTES, at(2)), "nothing new");
    let moved = Picture {
        port: 81,
        ..web.clone()
    };
    assert!(scene.see(moved, TWO_MINUTES, at(3)));
    let entry = scene.entry(&key(&web)).unwrap();
    assert_eq!((entry.first_seen, entry.changed), (at(1), at(3)));
    assert_eq!(entry.picture().unwrap().port, 81);
}

// ruling 30
#[test]
fn a_longer_lifetime_is_news_but_no_change() {
    let mut scene = Scene::default();
    let web = examples::web_server();
    scene.see(web.clone(), TWO_MINUTES, at(0));
    let left = TWO_MINUTES - Duration::from_secs(50);
    assert!(!scene.see(web.clone(), left, at(50)), "as expected");
    assert!(scene.see(web.clone(), TWO_MINUTES, at(96)), "refreshed");
    let entry = scene.entry(&key(&web)).unwrap();
    assert_eq!(entry.changed, at(0));
    assert_eq!(entry.expires, Duration::from_secs(216));
}

#[test]
fn what_is_gone_fades_for_ten_seconds() {
    let mut scene = Scene::default();
    let web = examples::web_server();
    scene.see(web.clone(), TWO_MINUTES, at(0));
    assert!(!scene.fade(at(1).since_start));
    assert!(scene.lose(&web.identity.service, at(5)));
    assert!(!scene.lose(&web.identity.service, at(6)), "it is gone");
    assert!(scene.fade(at(10).since_start));
    let faded = scene.entry(&key(&web)).unwrap().faded(at(10).since_start);
    assert!((faded - 0.5).abs() < 1e-9, "{faded}");
    assert!(scene.fade(at(15).since_start), "the last step");
    assert_eq!(scene.entries().count(), 0);
    assert!(!scene.fade(at(16).since_start));
}

#[test]
fn what_comes_back_while_it_fades_is_the_same_service() {
    let mut scene = Scene::default();
    let web = examples::web_server();
    scene.see(web.clone(), TWO_MINUTES, at(0));
    scene.lose(&web.identity.service, at(5));
    assert!(scene.see(web.clone(), TWO_MINUTES, at(8)));
    let entry = scene.entry(&key(&web)).unwrap();
    assert_eq!((entry.first_seen, entry.gone), (at(0), None));
}

#[test]
fn what_is_not_among_those_that_are_there_fades() {
    let mut scene = Scene::default();
    let (web, other) = (examples::web_server(), service("Other", "_ssh._tcp"));
    scene.see(web.clone(), TWO_MINUTES, at(0));
    scene.see(other.clone(), TWO_MINUTES, at(0));
    let there = HashSet::from([key(&web)]);
    assert!(scene.keep(&there, at(1)));
    assert!(!scene.keep(&there, at(2)));
    assert!(scene.entry(&key(&other)).unwrap().gone.is_some());
    assert_eq!(scene.beyond(), 0);
}

// ruling 29
#[test]
fn a_name_without_a_place_is_there_until_it_is_resolved() {
    let mut scene = Scene::default();
    assert!(scene.miss(named("Lobby", &["srv", "address"]), at(0)));
    assert!(!scene.miss(named("Lobby", &["srv", "address"]), at(1)));
    assert!(scene.miss(named("Lobby", &["address"]), at(2)));
    let lobby = service("Lobby", "_ipp._tcp");
    assert!(scene.entry(&key(&lobby)).unwrap().picture().is_none());
    assert!(scene.see(lobby.clone(), TWO_MINUTES, at(3)));
    let entry = scene.entry(&key(&lobby)).unwrap();
    assert!(entry.picture().is_some());
    assert_eq!(entry.first_seen, at(0));
}

#[test]
fn names_are_the_same_in_any_case() {
    let mut scene = Scene::default();
    scene.see(service("Lobby", "_ipp._tcp"), TWO_MINUTES, at(0));
    scene.see(service("LOBBY", "_ipp._tcp"), TWO_MINUTES, at(1));
    assert_eq!(scene.entries().count(), 1);
    assert!(scene.lose("lobby._IPP._tcp.local", at(2)));
}

#[test]
fn nobody_can_fill_the_scene() {
    let mut scene = Scene::default();
    let mut there = HashSet::new();
    for number in 0..MOST_SERVICES + 7 {
        let one = named(&number.to_string(), &["srv"]);
        there.insert(one.identity.service.to_ascii_lowercase());
        scene.miss(one, at(0));
    }
    assert_eq!(scene.entries().count(), MOST_SERVICES);
    scene.keep(&there, at(1));
    assert_eq!(scene.beyond(), 7);

    for number in 0..MOST_TYPES + 7 {
        scene.announce(&format!("_{number}._tcp"), Some(Vec::new()));
    }
    assert_eq!(scene.types.len(), MOST_TYPES);
    scene.announce("_0._TCP", None);
    assert_eq!(scene.types.len(), MOST_TYPES - 1);
}

#[cfg(feature = "ui")]
#[test]
fn a_host_has_the_addresses_of_all_its_services() {
    let mut scene = Scene::default();
    let web = examples::web_server();
    let second = Address {
        ip: "192.0.2.18".parse().unwrap(),
        interface: Some(examples::interface("eth0", 2)),
    };
    let shell = Picture {
        host: "TABASCO.local".into(),
        addresses: vec![web.addresses[2].clone(), second.clone()],
        ..service("tabasco", "_ssh._tcp")
    };
    scene.see(web.clone(), TWO_MINUTES, at(0));
    scene.see(shell, TWO_MINUTES, at(0));
    let hosts = scene.hosts();
    let host = &hosts["tabasco.local"];
    assert_eq!(hosts.len(), 1);
    let expected = [
        web.addresses[0].clone(),
        second,
        web.addresses[1].clone(),
        web.addresses[2].clone(),
    ];
    assert_eq!(host.addresses, expected);
}

#[cfg(feature = "tui")]
mod reading {
    use super::*;
    use crate::scene::words;

    #[test]
    fn types_are_counted_and_sorted_by_what_people_read() {
        let mut scene = Scene::default();
        scene.announce("_zzz._udp", Some(Vec::new()));
        scene.announce("_http._tcp", Some(Vec::new()));
        scene.see(examples::web_server(), TWO_MINUTES, at(0));
        scene.see(service("Attic", "_ipp._tcp"), TWO_MINUTES, at(0));
        scene.see(service("Gone", "_ipp._tcp"), TWO_MINUTES, at(0));
        scene.lose("Gone._ipp._tcp.local", at(1));
        let kinds: Vec<(String, usize)> = scene
            .kinds()
            .into_iter()
            .map(|(kind, count)| (kind.called(), count))
            .collect();
        let expected = [("Internet Printing", 1), ("Web Site", 1), ("_zzz._udp", 0)];
        let expected = expected.map(|(called, count)| (called.to_owned(), count));
        assert_eq!(kinds, expected);
        assert_eq!(scene.count(), 2);
    }

    #[test]
    fn a_search_finds_all_that_is_shown_of_a_service() {
        let mut scene = Scene::default();
        let web = examples::web_server();
        scene.see(web.clone(), TWO_MINUTES, at(0));
        let entry = scene.entry(&key(&web)).unwrap();
        for search in [
            "",
            "  ",
            "KEITH",
            "server web",
            "_http",
            "web site",
            "tabasco",
            ":8080",
            "192.0.2.17",
            "%eth0",
            "u=keith",
            "flag",
        ] {
            assert!(entry.matches(&words(search)), "{search}");
        }
        for search in ["printer", "keith printer", "192.0.2.18"] {
            assert!(!entry.matches(&words(search)), "{search}");
        }
        let lobby = named("Lobby", &["srv"]);
        scene.miss(lobby, at(0));
        let lobby = scene.entry("lobby._ipp._tcp.local").unwrap();
        assert!(lobby.matches(&words("lobby printing eth0")));
    }
}

#[cfg(feature = "ui")]
mod told {
    use super::*;

    fn words(changes: &[Change]) -> Vec<String> {
        let one = |change: &Change| match change {
            Change::Added(entry, _) => format!("added {}", entry.identity().service),
            Change::Updated(entry, _, changed) => {
                format!("updated {} {}", entry.identity().service, changed.join())
            }
            Change::Refreshed(entry) => format!("refreshed {}", entry.identity().service),
            Change::Unresolved(entry, named) => {
                format!(
                    "unresolved {} {}",
                    entry.identity().service,
                    named.missing.join()
                )
            }
            Change::Removed(identity) => format!("removed {}", identity.service),
            Change::Type(kind) => format!("type {}", kind.wire),
            Change::TypeRemoved(kind) => format!("type-removed {}", kind.wire),
            Change::Host(host) => format!("host {} {}", host.name, host.addresses.len()),
            Change::Link(link) => format!("link {} {}", link.interface.name, link.state),
            Change::LinkGone(link) => format!("link-gone {}", link.interface.name),
        };
        changes.iter().map(one).collect()
    }

    trait Join {
        fn join(&self) -> String;
    }

    impl Join for Vec<&'static str> {
        fn join(&self) -> String {
            self.as_slice().join(",")
        }
    }

    const WEB: &str = "Keith’s web server._http._tcp.local";

    #[test]
    fn a_reader_is_told_all_and_then_the_differences() {
        let mut scene = Scene::default();
        let mut told = Told::default();
        let web = examples::web_server();
        scene.connect([LinkState {
            interface: examples::interface("eth0", 2),
            state: "up",
            why: None,
        }]);
        scene.announce("_http._tcp", Some(Vec::new()));
        scene.see(web.clone(), TWO_MINUTES, at(0));
        scene.miss(named("Lobby", &["srv"]), at(0));
        assert_eq!(
            words(&told.catch_up(&scene)),
            [
                "link eth0 up".to_owned(),
                "type _http._tcp".into(),
                "host tabasco.local 3".into(),
                format!("added {WEB}"),
                "unresolved Lobby._ipp._tcp.local srv".into(),
            ]
        );
        assert!(told.catch_up(&scene).is_empty());

        let moved = Picture {
            port: 81,
            addresses: web.addresses[..1].to_vec(),
            ..web.clone()
        };
        scene.see(moved.clone(), TWO_MINUTES, at(1));
        assert_eq!(
            words(&told.catch_up(&scene)),
            [
                "host tabasco.local 1".to_owned(),
                format!("updated {WEB} port,addresses")
            ]
        );
        scene.see(moved, TWO_MINUTES, at(96));
        assert_eq!(words(&told.catch_up(&scene)), [format!("refreshed {WEB}")]);

        scene.lose(WEB, at(100));
        scene.announce("_http._tcp", None);
        scene.connect([]);
        assert_eq!(
            words(&told.catch_up(&scene)),
            [
                "link-gone eth0".to_owned(),
                "type-removed _http._tcp".into(),
                "host tabasco.local 0".into(),
                format!("removed {WEB}")
            ]
        );
        assert!(told.catch_up(&scene).is_empty());
    }

    // ruling 32
    #[test]
    fn a_slow_reader_is_told_the_outcome_and_not_the_way() {
        let mut scene = Scene::default();
        let mut told = Told::default();
        let web = examples::web_server();
        scene.see(web.clone(), TWO_MINUTES, at(0));
        told.catch_up(&scene);
        for round in 0..10_000_u64 {
            let picture = Picture {
                port: u16::try_from(round % 60_000 + 1).unwrap(),
                ..web.clone()
            };
            scene.see(picture, TWO_MINUTES, at(round));
            scene.lose(WEB, at(round));
            let guest = service(&format!("Guest {round}"), "_ipp._tcp");
            scene.see(guest.clone(), TWO_MINUTES, at(round));
            scene.lose(&guest.identity.service, at(round));
            scene.fade(at(round).since_start);
        }
        scene.see(web.clone(), TWO_MINUTES, at(10_000));
        let changes = words(&told.catch_up(&scene));
        assert_eq!(changes, [format!("refreshed {WEB}")], "it is as it was");
        scene.lose(WEB, at(10_001));
        scene.fade(at(20_000).since_start);
        assert_eq!(words(&told.catch_up(&scene)).len(), 2, "the host and it");
        assert!(told.is_empty());
    }

    // ruling 31
    #[test]
    fn links_that_begin_to_differ_are_an_update() {
        let mut scene = Scene::default();
        let mut told = Told::default();
        let two = examples::two_views();
        let one = Picture {
            views: Vec::new(),
            ..two.clone()
        };
        scene.see(one, TWO_MINUTES, at(0));
        told.catch_up(&scene);
        assert!(scene.see(two, TWO_MINUTES, at(0)));
        assert_eq!(words(&told.catch_up(&scene)), [format!("updated {WEB} ")]);
    }
}
