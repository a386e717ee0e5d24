//! What changes and goes: events are differences of states.

use super::*;

fn settled() -> Bench {
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED]);
    bench.asks();
    bench
}

#[test]
fn a_goodbye_removes_and_a_return_adds() {
    // 6763-F-2, 6763-F-3
    let mut bench = settled();
    bench.gone(ETH, &ptr(LOBBY));
    assert_eq!(bench.events(), ["- Lobby"]);
    assert_eq!(bench.asks().len(), 4, "its questions end");
    bench.at(3 * 3_600_000).say_all(ETH, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED]);
}

#[test]
fn a_goodbye_hits_identical_data_only() {
    // ruling 33 (c)
    let mut bench = settled();
    bench
        .gone(ETH, &srv(LOBBY, "tabasco.local", 81))
        .gone(ETH, &address("tabasco.local", "192.0.2.2"));
    bench
        .gone(ETH, &txt(LOBBY, &["path=/x"]))
        .gone(ETH, &ptr("Lobby 2._http._tcp"))
        .gone(WLAN, &ptr(LOBBY));
    assert!(bench.events().is_empty());
}

#[test]
fn gone_and_back_before_anyone_looked_is_nothing() {
    // ruling 32, ruling 33 (d)
    let mut bench = settled();
    bench.gone(ETH, &ptr(LOBBY)).say_all(ETH, &lobby());
    assert!(!bench.browser.has_news() && bench.events().is_empty());
    bench
        .gone(ETH, &ptr(LOBBY))
        .say_all(ETH, &lobby())
        .say(ETH, &txt(LOBBY, &["path=/new"]));
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.1@1,2001:db8::1@1 [path=/new]"]
    );
    let hall = "Hall._http._tcp";
    bench
        .say_all(
            ETH,
            &[ptr(hall), srv(hall, "tabasco.local", 81), txt(hall, &[])],
        )
        .gone(ETH, &ptr(hall));
    assert!(bench.events().is_empty());
}

#[test]
fn a_reader_that_polls_once_per_10_000_changes_gets_the_difference() {
    // ruling 32
    let mut bench = settled();
    let [pointer, service, ..] = lobby();
    for round in 0..10_000_u32 {
        match round % 4 {
            0 => bench.say(ETH, &txt(LOBBY, &[&format!("round={round}")])),
            1 => bench.gone(ETH, &txt(LOBBY, &[&format!("round={}", round - 1)])),
            2 => bench.gone(ETH, &pointer),
            _ => bench
                .say(ETH, &pointer)
                .say(ETH, &service)
                .say(ETH, &lobby()[2])
                .say_all(ETH, &lobby()[3..]),
        };
    }
    assert_eq!(bench.events(), Vec::<String>::new());
    assert_eq!(bench.browser.instances.news_len(), 0);
    bench.gone(ETH, &pointer);
    for _ in 0..10_000 {
        bench.say_all(ETH, &lobby()).gone(ETH, &pointer);
    }
    assert_eq!(bench.events(), ["- Lobby"]);
    assert_eq!(
        (
            bench.browser.instances.len(),
            bench.browser.hosts.len(),
            bench.browser.timers.len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn a_snapshot_counts_as_told() {
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.browser.snapshot().services.len(), 1);
    assert!(bench.events().is_empty());
    bench.gone(ETH, &ptr(LOBBY));
    assert!(bench.browser.snapshot().services.is_empty() && bench.events().is_empty());
    assert_eq!(bench.browser.instances.len(), 0);
}

#[test]
fn a_snapshot_is_sorted_by_name() {
    let mut bench = Bench::http();
    for instance in ["b", "A", "c", "a2"] {
        let service = format!("{instance}._http._tcp");
        bench.say_all(
            ETH,
            &[
                ptr(&service),
                srv(&service, "tabasco.local", 80),
                txt(&service, &[]),
            ],
        );
    }
    let unresolved: Vec<_> = bench
        .browser
        .snapshot()
        .unresolved
        .iter()
        .map(|one| one.name.instance().to_string())
        .collect();
    assert_eq!(unresolved, ["A", "a2", "b", "c"]);
    bench.say_all(ETH, &lobby()[3..]);
    let found: Vec<_> = bench
        .browser
        .snapshot()
        .services
        .iter()
        .map(|one| one.name().instance().to_string())
        .collect();
    assert_eq!(found, ["A", "a2", "b", "c"]);
}

#[test]
fn a_new_address_shows_at_once_and_an_old_one_goes_once() {
    // ruling 33 (b)
    let mut bench = settled();
    bench.say(ETH, &address("tabasco.local", "192.0.2.2"));
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.1@1,192.0.2.2@1,2001:db8::1@1 [path=/]"]
    );
    bench.at(1000).gone(ETH, &lobby()[3]).gone(ETH, &lobby()[4]);
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.2@1 [path=/]"]
    );
}

#[test]
fn txt_or_addresses_alone_gone_is_an_update() {
    // ruling 5
    let mut bench = settled();
    bench.gone(ETH, &lobby()[2]);
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.1@1,2001:db8::1@1 []"]
    );
    bench.gone(ETH, &lobby()[3]).gone(ETH, &lobby()[4]);
    assert_eq!(bench.events(), ["~ Lobby tabasco.local:80  []"]);
}

#[test]
fn a_lost_srv_doubts_the_pointer_and_goes_after_10_s() {
    // ruling 5, 6762-10.4-3, 6762-10.4-6
    let mut bench = settled();
    bench.at(1000).gone(ETH, &lobby()[1]);
    assert_eq!(bench.asks(), ["? _http._tcp.local PTR @1"]);
    bench.at(10_999);
    assert!(bench.events().is_empty());
    bench.at(11_000);
    assert_eq!(bench.events(), ["- Lobby"]);
    let snapshot = bench.browser.snapshot();
    assert!(
        matches!(snapshot.unresolved.as_slice(), [one] if one.missing.srv),
        "it is still announced"
    );
    bench.say_all(ETH, &lobby()[1..]);
    assert_eq!(bench.events(), [LOBBY_ADDED]);
}

#[test]
fn a_lost_srv_that_returns_in_time_is_no_event() {
    // ruling 5
    let mut bench = settled();
    bench
        .at(1000)
        .gone(ETH, &lobby()[1])
        .at(5000)
        .say(ETH, &lobby()[1])
        .at(60_000);
    assert!(bench.events().is_empty());
    bench
        .gone(ETH, &lobby()[1])
        .at(65_000)
        .say(ETH, &srv(LOBBY, "tabasco.local", 81))
        .at(100_000);
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:81 192.0.2.1@1,2001:db8::1@1 [path=/]"]
    );
}

#[test]
fn a_move_to_another_host_shows_when_its_address_is_known() {
    // 6763-C-1, 6763-3-3: the name is the identity, so this is an update.
    let mut bench = settled();
    bench.say(ETH, &srv(LOBBY, "chipotle.local", 80));
    assert!(bench.events().is_empty());
    bench.say(ETH, &address("chipotle.local", "192.0.2.9"));
    assert_eq!(
        bench.events(),
        ["~ Lobby chipotle.local:80 192.0.2.9@1 [path=/]"]
    );
    bench.at(1000).gone(ETH, &lobby()[1]);
    assert!(
        bench.events().is_empty(),
        "the old record was not shown any more"
    );
    assert!(bench.asks().contains(&String::from("- tabasco.local A @1")));
}

#[test]
fn one_change_of_a_host_updates_all_its_instances() {
    let mut bench = settled();
    let hall = "Hall._http._tcp";
    bench.say_all(
        ETH,
        &[ptr(hall), srv(hall, "tabasco.local", 81), txt(hall, &[])],
    );
    bench.events();
    bench.say(ETH, &address("tabasco.local", "192.0.2.2"));
    assert_eq!(bench.events().len(), 2);
}

#[test]
fn an_instance_found_by_two_pointers_goes_with_the_last() {
    let mut bench = Bench::http();
    let other = RecordBuf::new(name("_http._tcp.local"), 4500, ptr(LOBBY).rdata);
    bench.say_all(ETH, &lobby()).say(ETH, &other);
    bench.events();
    bench.gone(ETH, &other);
    assert_eq!(
        bench.events(),
        ["- Lobby"],
        "the same record twice is one record"
    );
}
