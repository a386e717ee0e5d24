//! When a service is found, and what is said of it.

use super::*;

#[test]
fn a_service_is_added_once_it_is_complete() {
    // 6763-1-2, 6763-1-3, 6763-3-2, 6763-5-2
    let mut bench = Bench::http();
    let [pointer, service, attributes, ipv4, ipv6] = lobby();
    for record in [pointer, service, attributes, ipv4] {
        bench.say(ETH, &record);
        assert!(bench.events().is_empty() && bench.browser.snapshot().services.is_empty());
    }
    bench.say(ETH, &ipv6);
    assert_eq!(bench.events(), [LOBBY_ADDED]);
    assert!(!bench.browser.has_news());
}

#[test]
fn records_may_come_in_any_order() {
    // 6763-12-3, 6763-12-4
    let records = lobby();
    for permutation in permutations(records.len()) {
        let mut bench = Bench::http();
        for at in permutation {
            bench.say(ETH, &records[at]);
        }
        assert_eq!(bench.events(), [LOBBY_ADDED]);
    }
}

#[test]
fn the_second_family_has_250_ms_after_the_first_address() {
    // ruling 29, 6763-14-1
    for first in [3, 4] {
        let mut bench = Bench::http();
        let records = lobby();
        bench
            .at(1000)
            .say_all(ETH, &records[..3])
            .say(ETH, &records[first])
            .at(1249);
        assert!(bench.events().is_empty());
        bench.at(1250);
        assert_eq!(bench.events().len(), 1);
        bench.at(2000).say_all(ETH, &records[3..]);
        assert_eq!(bench.events(), [LOBBY_ADDED.replace('+', "~")]);
    }
}

#[test]
fn a_denied_family_is_not_waited_for() {
    // ruling 29, 6762-6.1-1
    let mut bench = Bench::http();
    bench
        .say_all(ETH, &lobby()[..4])
        .deny(ETH, "tabasco.local", RecordType::AAAA);
    assert_eq!(
        bench.events(),
        ["+ Lobby tabasco.local:80 192.0.2.1@1 [path=/]"]
    );

    let mut early = Bench::http();
    early
        .deny(ETH, "tabasco.local", RecordType::AAAA)
        .say_all(ETH, &lobby()[..4]);
    assert_eq!(
        early.events().len(),
        1,
        "NSEC may come before what it speaks of"
    );
}

#[test]
fn the_250_ms_are_those_of_the_host_not_of_the_instance() {
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby()[..4]).at(5000);
    assert_eq!(bench.events().len(), 1);
    let other = "Hall._http._tcp";
    bench.say_all(
        ETH,
        &[ptr(other), srv(other, "tabasco.local", 81), txt(other, &[])],
    );
    assert_eq!(bench.events(), ["+ Hall tabasco.local:81 192.0.2.1@1 []"]);
}

#[test]
fn no_txt_record_is_in_the_end_the_same_as_an_empty_one() {
    // 6763-6.1-7, 6763-6-3
    let [pointer, service, _, ipv4, ipv6] = lobby();
    let mut bench = Bench::http();
    bench.say_all(ETH, &[pointer, service, ipv4, ipv6]).at(1999);
    assert!(bench.events().is_empty());
    bench.at(2000);
    let added = bench.events();
    assert_eq!(
        added,
        ["+ Lobby tabasco.local:80 192.0.2.1@1,2001:db8::1@1 []"]
    );
    for empty in [&[][..], &[""]] {
        bench.say(ETH, &txt(LOBBY, empty));
        assert!(bench.events().is_empty());
    }
    bench.say(ETH, &txt(LOBBY, &["late=1"]));
    assert_eq!(bench.events().len(), 1);
}

#[test]
fn nsec_alone_denies_neither_srv_nor_txt() {
    let mut bench = Bench::http();
    bench
        .deny(ETH, "Lobby._http._tcp.local", RecordType::TXT)
        .deny(ETH, "Lobby._http._tcp.local", RecordType::SRV);
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED]);
}

#[test]
fn a_placeholder_is_never_added() {
    // 6763-8-7, ruling 29
    let mut bench = Bench::http();
    bench.say_all(
        ETH,
        &[ptr(LOBBY), srv(LOBBY, "tabasco.local", 0), txt(LOBBY, &[])],
    );
    bench.say_all(ETH, &lobby()[3..]).at(60_000);
    assert!(bench.events().is_empty());
    let unresolved = bench.browser.snapshot().unresolved;
    assert!(matches!(unresolved.as_slice(), [one] if one.missing.port && !one.missing.srv));
    assert!(!bench.asked.values().any(|line| line.contains("tabasco")));
    bench
        .gone(ETH, &srv(LOBBY, "tabasco.local", 0))
        .say(ETH, &srv(LOBBY, "tabasco.local", 80))
        .say_all(ETH, &lobby()[3..]);
    assert_eq!(bench.events().len(), 1);
}

#[test]
fn an_srv_to_the_root_is_no_service() {
    let mut bench = Bench::http();
    bench
        .say_all(ETH, &[ptr(LOBBY), srv(LOBBY, ".", 80), txt(LOBBY, &[])])
        .at(60_000);
    assert!(bench.events().is_empty());
}

#[test]
fn what_is_missing_is_told_for_the_unresolved() {
    // ruling 29
    let mut bench = Bench::http();
    let missing = |bench: &mut Bench| {
        let snapshot = bench.browser.snapshot();
        snapshot
            .unresolved
            .first()
            .map(|one| (one.missing.srv, one.missing.txt, one.missing.address))
    };
    let [pointer, service, attributes, ipv4, ipv6] = lobby();
    bench.say(ETH, &pointer);
    assert_eq!(missing(&mut bench), Some((true, true, true)));
    bench.say(ETH, &service);
    assert_eq!(missing(&mut bench), Some((false, true, true)));
    bench.say(ETH, &attributes);
    assert_eq!(missing(&mut bench), Some((false, false, true)));
    bench.say_all(ETH, &[ipv4, ipv6]);
    assert_eq!(missing(&mut bench), None);
}

#[test]
fn a_pointer_into_another_domain_is_reported_with_it() {
    // 6763-4.2-2
    let mut bench = Bench::http();
    let far: ServiceName = "Far._http._tcp.example.test".parse().unwrap();
    bench.say(
        ETH,
        &RecordBuf::new(name("_http._tcp.local"), 4500, RdataBuf::ptr(far.as_name())),
    );
    assert_eq!(
        bench.asks(),
        [
            "+ Far._http._tcp.example.test SRV @1",
            "+ Far._http._tcp.example.test TXT @1"
        ]
    );
}

#[test]
fn a_subtype_finds_instances_of_the_type() {
    // 6763-4.2-3, 6763-7.1-3, 6763-13.2-1, 6763-16-1
    let spec =
        BrowseSpec::types([ServiceType::tcp("http").unwrap()]).subtype("_printer".parse().unwrap());
    let mut bench = Bench::new(spec);
    let records = lobby();
    bench.say_all(ETH, &records).at(10_000);
    assert!(bench.events().is_empty(), "it has not that subtype");
    let lobby: ServiceName = LOBBY.parse().unwrap();
    bench.say(
        ETH,
        &RecordBuf::new(
            name("_printer._sub._http._tcp.local"),
            4500,
            RdataBuf::ptr(lobby.as_name()),
        ),
    );
    bench.say_all(ETH, &records);
    let found = bench.found();
    assert_eq!(
        found.name().service_type(),
        ServiceType::tcp("http").unwrap()
    );
}

#[test]
fn letters_of_either_case_name_one_instance_and_one_host() {
    // 6763-7-5, 1035-2.3.3-1
    let mut bench = Bench::http();
    bench.say(
        ETH,
        &RecordBuf::new(
            name("_HTTP._TCP.LOCAL"),
            4500,
            RdataBuf::ptr(name("LOBBY._http._tcp.local").as_name()),
        ),
    );
    bench
        .say_all(ETH, &lobby()[..3])
        .say(ETH, &address("TABASCO.local", "192.0.2.1"))
        .say(ETH, &lobby()[4]);
    assert_eq!(
        bench.events(),
        ["+ LOBBY tabasco.local:80 192.0.2.1@1,2001:db8::1@1 [path=/]"]
    );
}

#[test]
fn one_name_under_two_types_is_two_services() {
    // 6763-8-2
    let types = ["http", "ipp"].map(|name| ServiceType::tcp(name).unwrap());
    let mut bench = Bench::new(BrowseSpec::types(types));
    let ipp = "Lobby._ipp._tcp";
    bench.say_all(ETH, &lobby()).say_all(
        ETH,
        &[ptr(ipp), srv(ipp, "tabasco.local", 631), txt(ipp, &[])],
    );
    assert_eq!(bench.events().len(), 2);
}

#[test]
fn several_txt_records_are_not_merged() {
    // 6763-6.8-2
    let mut bench = Bench::http();
    bench
        .say_all(ETH, &lobby())
        .say(ETH, &txt(LOBBY, &["queue=2"]));
    let found = bench.found();
    assert_eq!(found.view().txt.get_str("queue"), Some("2"));
    assert_eq!(
        found
            .view()
            .more_txt
            .iter()
            .map(|txt| txt.get_str("path"))
            .collect::<Vec<_>>(),
        [Some("/")]
    );
}

#[test]
fn of_several_hosts_the_lowest_priority_is_shown_and_the_others_listed() {
    // 6763-5-3
    let mut bench = Bench::http();
    bench
        .say_all(ETH, &lobby())
        .say(ETH, &srv_with(LOBBY, 10, 5, "backup.local", 81));
    bench
        .say(ETH, &address("backup.local", "192.0.2.2"))
        .at(1000);
    let found = bench.found();
    assert_eq!(found.view().host, name("tabasco.local"));
    let others: Vec<_> = found
        .view()
        .others
        .iter()
        .map(|other| (other.priority, other.weight, other.port))
        .collect();
    assert_eq!(others, [(10, 5, 81)]);
}

#[test]
fn lifetimes_are_told_but_make_no_difference() {
    // ruling 30
    let mut bench = Bench::http();
    bench.at(1000).say_all(ETH, &lobby());
    let found = bench.found();
    assert_eq!(
        (
            found.view().ttl.ptr,
            found.view().ttl.srv,
            found.view().ttl.txt
        ),
        (Some(4500), Some(120), Some(4500))
    );
    assert_eq!(
        (found.view().ttl.address, found.view().expires_at),
        (Some(120), Duration::from_secs(121))
    );
    let mut renewed = lobby();
    renewed.iter_mut().for_each(|record| record.ttl = 60);
    bench.at(50_000).say_all(ETH, &renewed);
    assert!(bench.events().is_empty());
    let snapshot = bench.browser.snapshot();
    assert_eq!(
        (
            snapshot.services[0].view().expires_at,
            &snapshot.services[0]
        ),
        (Duration::from_secs(110), &found)
    );
}

#[test]
fn addresses_come_best_first() {
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby()[..3]);
    for one in [
        "127.0.0.1",
        "::1",
        "fe80::1",
        "169.254.0.1",
        "2001:db8::1",
        "192.0.2.1",
    ] {
        bench.say(ETH, &address("tabasco.local", one));
    }
    let found = bench.found();
    let addresses: Vec<_> = found
        .view()
        .addresses
        .iter()
        .map(|found| found.address.to_string())
        .collect();
    assert_eq!(
        addresses,
        [
            "192.0.2.1",
            "2001:db8::1",
            "169.254.0.1",
            "fe80::1",
            "127.0.0.1",
            "::1"
        ]
    );
}

#[test]
fn two_instances_of_a_type_lead_to_different_hosts_by_name() {
    // 6763-3-1, 6763-4-1, 6763-5-2, 6763-13.3-1, 6763-4.2-1
    let mut bench = Bench::http();
    for (instance, host, port) in [
        ("One.1", "tabasco.local", 80),
        ("Two", "chipotle.local", 81),
    ] {
        let service = format!("{instance}._http._tcp");
        bench.say_all(
            ETH,
            &[
                ptr(&service),
                srv(&service, host, port),
                txt(&service, &["txtvers=1", "path=/"]),
            ],
        );
        bench.say(ETH, &address(host, "192.0.2.1"));
    }
    bench.at(250);
    let lines = ["One.1 tabasco.local:80", "Two chipotle.local:81"];
    assert_eq!(
        bench.events(),
        lines.map(|line| format!("+ {line} 192.0.2.1@1 [txtvers=1 path=/]"))
    );
}

#[test]
fn a_domain_of_ordinary_dns_is_browsed_the_same_way() {
    // 6763-1-5, 6763-4.1.3-1, 6763-4.1.3-2, 6763-11-7, 6763-A-1
    let domain = NameBuf::from_labels(["Building 2, 1st Floor", "example", "com"]).unwrap();
    let spec = BrowseSpec::types([ServiceType::tcp("http").unwrap()]).domain(domain.clone());
    let mut bench = Bench::new(spec);
    let lobby = "Lobby._http._tcp.Building 2, 1st Floor.example.com";
    bench.say_all(
        ETH,
        &[
            ptr(lobby),
            srv(lobby, "www.example.com", 80),
            txt(lobby, &[]),
        ],
    );
    bench
        .say(ETH, &address("www.example.com", "192.0.2.1"))
        .deny(ETH, "www.example.com", RecordType::AAAA);
    let found = bench.found();
    assert!(found.name().domain().labels().eq(domain.labels()));
    assert_eq!(found.name().to_string(), lobby);
}

#[test]
fn own_services_are_told_apart_and_can_be_left_out() {
    let mut bench = Bench::http();
    bench.say_own(ETH, &lobby());
    assert!(bench.found().is_own());
    let mut others =
        Bench::new(BrowseSpec::types([ServiceType::tcp("http").unwrap()]).without_own());
    let hall = "Hall._http._tcp";
    others.say_own(ETH, &lobby());
    others.say_all(
        ETH,
        &[ptr(hall), srv(hall, "tabasco.local", 81), txt(hall, &[])],
    );
    let snapshot = others.browser.snapshot();
    assert_eq!(
        snapshot
            .services
            .iter()
            .map(picture)
            .collect::<Vec<_>>()
            .len(),
        1
    );
    assert!(snapshot.unresolved.is_empty());
}

#[test]
fn a_followed_instance_that_turns_out_to_be_own_is_an_update() {
    let mut bench = Bench::new(BrowseSpec::instance(LOBBY.parse().unwrap()));
    bench.say_all(ETH, &lobby()[1..]);
    assert!(!bench.found().is_own());
    bench.say_own(ETH, &lobby()[1..2]);
    assert!(bench.found().is_own());
}

#[test]
fn a_host_that_is_an_alias_has_the_addresses_of_the_other() {
    let mut bench = Bench::http();
    let alias =
        |from: &str, to: &str| RecordBuf::new(name(from), 120, RdataBuf::cname(name(to).as_name()));
    bench.say_all(ETH, &lobby()[..3]).asks();
    bench.say(ETH, &alias("tabasco.local", "chipotle.local"));
    assert_eq!(
        bench.asks(),
        ["+ chipotle.local A @1", "+ chipotle.local AAAA @1"]
    );
    bench
        .say(ETH, &address("chipotle.local", "192.0.2.9"))
        .at(250);
    assert_eq!(
        bench.events(),
        ["+ Lobby tabasco.local:80 192.0.2.9@1 [path=/]"]
    );
    // A loop is refused, however long.
    bench
        .say(ETH, &alias("chipotle.local", "habanero.local"))
        .say(ETH, &alias("habanero.local", "tabasco.local"));
    assert_eq!(bench.browser.refused().malformed, 1);
    bench.say(ETH, &address("chipotle.local", "192.0.2.10"));
    assert_eq!(bench.events().len(), 1);
    bench.gone(ETH, &ptr(LOBBY)).asks();
    assert_eq!(
        bench.asked.into_values().collect::<Vec<_>>(),
        ["_http._tcp.local PTR"]
    );
}

#[test]
fn aliases_that_contradict_each_other_on_two_links_make_no_ring() {
    let mut bench = Bench::http();
    let alias =
        |from: &str, to: &str| RecordBuf::new(name(from), 120, RdataBuf::cname(name(to).as_name()));
    bench
        .say_all(ETH, &lobby()[..3])
        .say_all(WLAN, &[ptr(LOBBY), srv(LOBBY, "chipotle.local", 80)]);
    bench
        .say(ETH, &alias("tabasco.local", "chipotle.local"))
        .say(WLAN, &alias("chipotle.local", "tabasco.local"));
    bench
        .say(ETH, &address("chipotle.local", "192.0.2.9"))
        .say(WLAN, &address("tabasco.local", "192.0.2.9"));
    assert!(bench.at(250).events().len() == 1 && !bench.browser.has_news());
}

fn permutations(len: usize) -> Vec<Vec<usize>> {
    if len == 0 {
        return Vec::from([Vec::new()]);
    }
    let mut all = Vec::new();
    for shorter in permutations(len - 1) {
        for at in 0..len {
            let mut longer = shorter.clone();
            longer.insert(at, len - 1);
            all.push(longer);
        }
    }
    all
}
