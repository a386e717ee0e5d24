//! What is asked, where, and until when.

use super::*;

#[test]
fn a_browse_asks_for_the_pointers_of_each_type_everywhere() {
    // 6763-4.1-1, 6763-1-4
    let types = ["http", "ipp"].map(|name| ServiceType::tcp(name).unwrap());
    let mut browser = Browser::new(BrowseSpec::types(types.into_iter().chain(types)));
    let mut questions = Vec::new();
    while let Some(Ask::Start { question, link, .. }) = browser.poll_ask() {
        assert_eq!((question.unicast_response, link), (false, None));
        questions.push(question.to_string());
    }
    assert_eq!(questions, ["_http._tcp.local PTR", "_ipp._tcp.local PTR"]);
}

#[test]
fn a_subtype_is_asked_for_in_front_of_each_type() {
    // 6763-7.1-1
    let spec =
        BrowseSpec::types([ServiceType::tcp("http").unwrap()]).subtype("_printer".parse().unwrap());
    let bench = Bench::new(spec);
    assert_eq!(
        bench.asked.into_values().collect::<Vec<_>>(),
        ["_printer._sub._http._tcp.local PTR"]
    );
}

#[test]
fn srv_and_txt_are_asked_together_on_the_link_where_the_instance_was_seen() {
    // 6763-5-1, 6763-12-4
    let mut bench = Bench::http();
    bench.say(WLAN, &ptr(LOBBY));
    assert_eq!(
        bench.asks(),
        [
            "+ Lobby._http._tcp.local SRV @2",
            "+ Lobby._http._tcp.local TXT @2"
        ]
    );
    bench.say(WLAN, &ptr(LOBBY));
    assert!(bench.asks().is_empty(), "the same again is nothing new");
}

#[test]
fn both_families_of_a_host_are_asked_on_that_link() {
    // 6763-12-4
    let mut bench = Bench::http();
    bench.say(WLAN, &ptr(LOBBY)).asks();
    bench.say(WLAN, &srv(LOBBY, "tabasco.local", 80));
    assert_eq!(
        bench.asks(),
        ["+ tabasco.local A @2", "+ tabasco.local AAAA @2"]
    );
}

#[test]
fn a_host_of_many_instances_is_asked_for_once() {
    let mut bench = Bench::http();
    let names: Vec<_> = (0..18)
        .map(|number| format!("Service {number}._http._tcp"))
        .collect();
    for name in &names {
        bench
            .say(ETH, &ptr(name))
            .say(ETH, &srv(name, "tabasco.local", 80));
    }
    let hosts = |lines: &[String]| lines.iter().filter(|line| line.contains("tabasco")).count();
    assert_eq!(hosts(&bench.asks()), 2);
    for name in &names[1..] {
        bench.gone(ETH, &ptr(name));
    }
    assert_eq!(hosts(&bench.asks()), 0, "one still runs there");
    bench.gone(ETH, &ptr(&names[0]));
    assert_eq!(hosts(&bench.asks()), 2);
    assert_eq!(
        bench.asked.into_values().collect::<Vec<_>>(),
        ["_http._tcp.local PTR"]
    );
}

#[test]
fn a_question_that_nobody_heard_of_ends_without_a_word() {
    let mut bench = Bench::http();
    for _ in 0..10_000 {
        bench.say_all(ETH, &lobby()).gone(ETH, &ptr(LOBBY));
    }
    assert!(bench.asks().is_empty());
}

#[test]
fn one_instance_is_followed_without_pointers() {
    // 6763-5-1, 6763-4.2-4, 6763-3-3
    let mut bench = Bench::new(BrowseSpec::instance(LOBBY.parse().unwrap()));
    let asked: Vec<_> = bench.asked.values().cloned().collect();
    assert_eq!(
        asked,
        ["Lobby._http._tcp.local SRV", "Lobby._http._tcp.local TXT"]
    );
    bench.say_all(ETH, &lobby()[1..]);
    assert_eq!(
        bench.asks(),
        ["+ tabasco.local A @1", "+ tabasco.local AAAA @1"]
    );
    assert_eq!(bench.events(), [LOBBY_ADDED]);

    // It moves to another host and port.
    bench
        .say(ETH, &srv(LOBBY, "chipotle.local", 81))
        .say(ETH, &address("chipotle.local", "192.0.2.9"));
    bench.gone(ETH, &srv(LOBBY, "tabasco.local", 80)).at(1000);
    assert_eq!(
        bench.events(),
        ["~ Lobby chipotle.local:81 192.0.2.9@1 [path=/]"]
    );
    bench.gone(ETH, &srv(LOBBY, "chipotle.local", 81));
    assert_eq!(bench.events(), ["- Lobby"]);
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED]);
    bench.say(ETH, &srv("Other._http._tcp", "tabasco.local", 80));
    assert_eq!(bench.browser.snapshot().services.len(), 1);
}

#[test]
fn names_only_asks_for_nothing_but_pointers() {
    let spec = BrowseSpec::types([ServiceType::tcp("http").unwrap()]).names_only();
    let mut bench = Bench::new(spec);
    bench.say_all(ETH, &lobby()).say(WLAN, &ptr(LOBBY));
    assert!(bench.asks().is_empty() && bench.browser.poll_timeout().is_none());
    assert!(bench.events().is_empty() && bench.browser.has_changes());
    let unresolved = bench.browser.snapshot().unresolved;
    assert_eq!(
        unresolved
            .iter()
            .map(|one| one.links.as_slice())
            .collect::<Vec<_>>(),
        [[ETH, WLAN]]
    );
    assert!(!bench.browser.has_changes());
    bench.gone(ETH, &ptr(LOBBY)).gone(WLAN, &ptr(LOBBY));
    assert!(bench.browser.has_changes() && bench.browser.snapshot().unresolved.is_empty());
}

#[test]
fn all_types_are_listed_and_then_browsed() {
    // 6763-9-1, 6763-9-3
    let mut bench = Bench::new(BrowseSpec::all_types());
    assert_eq!(
        bench.asked.values().collect::<Vec<_>>(),
        ["_services._dns-sd._udp.local PTR"]
    );
    let listed = |text: &str| {
        RecordBuf::new(
            name("_services._dns-sd._udp.local"),
            4500,
            RdataBuf::ptr(name(text).as_name()),
        )
    };
    bench
        .say(ETH, &listed("_http._tcp.local"))
        .say(WLAN, &listed("_http._tcp.local"));
    assert_eq!(bench.asks(), ["+ _http._tcp.local PTR"]);
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED]);
    bench.asks();

    // The goodbye of one publisher is not the end of the type: it is asked for again, and its instances are witnesses.
    bench
        .gone(ETH, &listed("_http._tcp.local"))
        .gone(WLAN, &listed("_http._tcp.local"));
    assert_eq!(
        bench.asks(),
        [
            "- _services._dns-sd._udp.local PTR",
            "+ _services._dns-sd._udp.local PTR"
        ]
    );
    bench.at(60_000);
    assert!(bench.asks().is_empty() && bench.events().is_empty());
    bench.gone(ETH, &ptr(LOBBY));
    assert_eq!(bench.events(), ["- Lobby"]);
    assert!(
        bench
            .asks()
            .contains(&String::from("- _http._tcp.local PTR"))
    );
}

#[test]
fn a_type_that_is_listed_again_in_time_is_kept() {
    // ruling 33 (f)
    let mut bench = Bench::new(BrowseSpec::all_types());
    let listed = RecordBuf::new(
        name("_services._dns-sd._udp.local"),
        4500,
        RdataBuf::ptr(name("_http._tcp.local").as_name()),
    );
    bench.say(ETH, &listed).asks();
    bench
        .at(1000)
        .gone(ETH, &listed)
        .at(9000)
        .say(ETH, &listed)
        .at(60_000)
        .asks();
    assert!(
        bench
            .asked
            .values()
            .any(|line| line == "_http._tcp.local PTR")
    );
    bench.gone(ETH, &listed).at(69_999).asks();
    assert!(
        bench
            .asked
            .values()
            .any(|line| line == "_http._tcp.local PTR")
    );
    bench.at(70_000).asks();
    assert!(
        !bench
            .asked
            .values()
            .any(|line| line == "_http._tcp.local PTR")
    );
}

#[test]
fn a_pointer_without_srv_is_doubted_once() {
    // 6762-10.4-3
    let mut bench = Bench::http();
    bench.say(ETH, &ptr(LOBBY)).at(9_999).asks();
    assert!(bench.asks().is_empty());
    bench.at(10_000);
    assert_eq!(bench.asks(), ["? _http._tcp.local PTR @1"]);
    bench.at(100_000);
    assert!(bench.asks().is_empty());
}

#[test]
fn a_settled_browser_has_nothing_to_wake_up_for() {
    // A wake-up is planned only while something is missing.
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.browser.poll_timeout(), None);
    let [pointer, service, ..] = lobby();
    let mut waiting = Bench::http();
    waiting.say(ETH, &pointer);
    assert_eq!(
        waiting.browser.poll_timeout(),
        Some(Duration::from_secs(10))
    );
    waiting.at(100).say(ETH, &service);
    assert_eq!(
        waiting.browser.poll_timeout(),
        Some(Duration::from_millis(2100))
    );
    waiting.at(2100).say_all(ETH, &lobby()[3..]);
    assert_eq!(
        (waiting.events().len(), waiting.browser.poll_timeout()),
        (1, None)
    );
}

#[test]
fn a_reader_of_events_is_woken_once_for_what_is_unresolved() {
    let mut bench = Bench::http();
    bench.say(ETH, &ptr(LOBBY));
    assert!(
        bench.browser.should_wake() && !bench.browser.should_wake() && bench.browser.has_changes()
    );
    bench.say_all(ETH, &lobby());
    assert!(
        bench.browser.should_wake() && bench.browser.should_wake(),
        "news wake until they are read"
    );
    bench.events();
    assert!(!bench.browser.should_wake());
}
