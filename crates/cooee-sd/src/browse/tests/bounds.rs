//! What strangers can grow is bounded, counted, and harms nobody else.

use super::*;

fn limited(change: impl FnOnce(&mut Limits)) -> Bench {
    let mut limits = Limits::default();
    change(&mut limits);
    Bench::new(BrowseSpec::types([ServiceType::tcp("http").unwrap()]).limits(limits))
}

fn instance(number: usize) -> String {
    format!("Service {number}._http._tcp")
}

#[test]
fn the_oldest_unresolved_instance_makes_room() {
    let mut bench = limited(|limits| limits.instances = 10);
    bench.say_all(ETH, &lobby());
    bench.events();
    for number in 0..100 {
        bench.say(ETH, &ptr(&instance(number)));
    }
    assert_eq!(
        (
            bench.browser.instances.len(),
            bench.browser.refused().evicted
        ),
        (10, 91)
    );
    let snapshot = bench.browser.snapshot();
    assert_eq!(snapshot.services.len(), 1, "what is resolved stays");
    assert_eq!(
        snapshot.unresolved.last().map(|one| one.name.clone()),
        instance(99).parse().ok()
    );
    bench.asks();
    assert_eq!(
        bench.asked.len(),
        1 + 2 * 10 + 2,
        "only what is kept is asked for"
    );
}

#[test]
fn instances_without_room_are_refused_and_asked_for_again_when_there_is_some() {
    let mut bench = limited(|limits| limits.instances = 4);
    bench.say_all(ETH, &lobby()[3..]);
    for number in 0..4 {
        bench.say_all(
            ETH,
            &[
                ptr(&instance(number)),
                srv(&instance(number), "tabasco.local", 80),
                txt(&instance(number), &[]),
            ],
        );
        bench.say_all(ETH, &lobby()[3..]);
    }
    assert_eq!(bench.events().len(), 4);
    bench.say_all(ETH, &lobby());
    assert_eq!(
        (bench.browser.refused().instances, bench.events().len()),
        (1, 0)
    );
    bench.asks();
    bench
        .gone(ETH, &ptr(&instance(0)))
        .gone(ETH, &ptr(&instance(1)));
    assert_eq!(bench.events().len(), 2);
    let asks = bench.asks();
    assert!(
        asks.contains(&String::from("- _http._tcp.local PTR"))
            && asks.contains(&String::from("+ _http._tcp.local PTR"))
    );
}

#[test]
fn hosts_are_bounded() {
    let mut bench = limited(|limits| limits.hosts = 3);
    for number in 0..3 {
        let (name, host) = (instance(number), format!("host-{number}.local"));
        bench.say_all(
            ETH,
            &[
                ptr(&name),
                srv(&name, &host, 80),
                txt(&name, &[]),
                address(&host, "192.0.2.1"),
            ],
        );
    }
    assert_eq!(bench.at(250).events().len(), 3);
    bench.say_all(ETH, &lobby());
    assert_eq!(
        (
            bench.browser.refused().hosts,
            bench.browser.hosts.used(),
            bench.events().len()
        ),
        (1, 3, 0)
    );
    assert_eq!(
        bench.browser.snapshot().services.len(),
        3,
        "what is resolved stays"
    );
    // When there is room, all is asked for anew, and what is told again finds its place.
    bench.asks();
    bench
        .gone(ETH, &ptr(&instance(0)))
        .gone(ETH, &ptr(&instance(1)))
        .gone(ETH, &ptr(&instance(2)));
    bench.events();
    assert!(
        bench
            .asks()
            .contains(&String::from("+ _http._tcp.local PTR"))
    );
    bench.say_all(ETH, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED]);
}

#[test]
fn unresolved_instances_make_room_for_hosts() {
    let mut bench = limited(|limits| limits.hosts = 8);
    for number in 0..100 {
        let name = instance(number);
        bench.say_all(
            ETH,
            &[
                ptr(&name),
                srv(&name, &format!("nowhere-{number}.local"), 80),
            ],
        );
    }
    bench.say_all(ETH, &lobby());
    assert_eq!((bench.events().len(), bench.browser.hosts.used()), (1, 8));
}

#[test]
fn a_flood_does_not_evict_what_a_slow_reader_has_not_read_yet() {
    let mut bench = limited(|limits| limits.instances = 10);
    bench.say_all(ETH, &lobby());
    for number in 0..100 {
        bench.say(ETH, &ptr(&instance(number)));
    }
    assert_eq!(bench.events(), [LOBBY_ADDED]);
}

#[test]
fn addresses_of_a_host_are_bounded() {
    let mut bench = limited(|limits| limits.addresses = 5);
    bench.say_all(ETH, &lobby()[..3]);
    for number in 0..200 {
        bench.say(ETH, &address("tabasco.local", &format!("192.0.2.{number}")));
    }
    bench.at(1000);
    assert_eq!(
        (
            bench.browser.refused().addresses,
            bench.found().view().addresses.len()
        ),
        (195, 5)
    );
}

#[test]
fn variants_of_srv_and_txt_are_bounded() {
    let mut bench = Bench::http();
    bench.say(ETH, &ptr(LOBBY));
    for number in 1..=20 {
        bench
            .say(ETH, &srv(LOBBY, "tabasco.local", number))
            .say(ETH, &txt(LOBBY, &[&format!("n={number}")]));
    }
    assert_eq!(bench.browser.refused().variants, 24);
}

#[test]
fn early_records_make_room_for_later_ones() {
    let mut bench = limited(|limits| limits.early = 10);
    for number in 0..100 {
        bench.say(ETH, &srv(&instance(number), "tabasco.local", 80));
        bench.say(ETH, &address(&format!("host-{number}.local"), "192.0.2.1"));
        bench.say(
            ETH,
            &srv(&format!("Else {number}._ipp._tcp"), "tabasco.local", 80),
        );
    }
    assert_eq!(bench.browser.refused().early, 180);
    assert_eq!(
        (bench.browser.instances.len(), bench.browser.hosts.len()),
        (0, 10)
    );
    bench
        .say(ETH, &ptr(&instance(99)))
        .say(ETH, &txt(&instance(99), &[]))
        .say_all(ETH, &lobby()[3..]);
    assert_eq!(bench.events().len(), 1, "the latest is still there");
}

#[test]
fn types_are_bounded() {
    let limits = Limits {
        types: 5,
        ..Limits::default()
    };
    let mut bench = Bench::new(BrowseSpec::all_types().limits(limits));
    for number in 0..20 {
        let target = name(&format!("_t{number}._tcp.local"));
        bench.say(
            ETH,
            &RecordBuf::new(
                name("_services._dns-sd._udp.local"),
                4500,
                RdataBuf::ptr(target.as_name()),
            ),
        );
    }
    assert_eq!((bench.browser.refused().types, bench.asks().len()), (15, 5));
}

#[test]
fn nonsense_is_counted_and_harms_nobody() {
    let mut bench = Bench::http();
    let to = |target: &str| {
        RecordBuf::new(
            name("_http._tcp.local"),
            4500,
            RdataBuf::ptr(name(target).as_name()),
        )
    };
    bench.say_all(
        ETH,
        &[
            to("."),
            to("_http._tcp.local"),
            to("x.local"),
            to("a.b._http._tcp.local"),
        ],
    );
    bench.say_all(ETH, &lobby());
    assert_eq!(
        (bench.browser.refused().malformed, bench.events().len()),
        (4, 1)
    );
}

#[test]
fn ten_thousand_instances_of_one_host_cost_the_same_each() {
    // No clock here: a scan of all would make this test take minutes.
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby()[3..]);
    for number in 0..10_000 {
        let name = instance(number);
        bench.say_all(
            ETH,
            &[ptr(&name), srv(&name, "tabasco.local", 80), txt(&name, &[])],
        );
        bench.say(
            ETH,
            &address("tabasco.local", &format!("192.0.2.{}", number % 4)),
        );
    }
    assert_eq!(bench.events().len(), 10_000);
    for number in 0..10_000 {
        bench.gone(ETH, &ptr(&instance(number)));
    }
    assert_eq!(bench.events().len(), 10_000);
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
fn the_end_of_time_is_no_reason_to_panic() {
    let mut bench = Bench::http();
    bench.now = Duration::MAX;
    bench.say_all(ETH, &lobby()).gone(ETH, &lobby()[1]);
    bench.browser.handle_link_down(Duration::MAX, ETH);
    bench.browser.handle_timeout(Duration::MAX);
    bench.browser.handle_timeout(Duration::ZERO);
    assert_eq!(bench.browser.snapshot().services.len(), 0);
}

#[test]
fn aliases_are_followed_only_so_far() {
    // A way of any length would be as deep a recursion when its beginning goes.
    let mut bench = Bench::http();
    let alias =
        |from: &str, to: &str| RecordBuf::new(name(from), 120, RdataBuf::cname(name(to).as_name()));
    bench.say_all(ETH, &lobby()[..3]);
    bench.say(ETH, &alias("tabasco.local", "ahead-1.local"));
    for number in 1..100 {
        bench.say(
            ETH,
            &alias(
                &format!("ahead-{number}.local"),
                &format!("ahead-{}.local", number + 1),
            ),
        );
    }
    // From the far end too, where each host has a user and is the beginning of a way.
    for number in (0..100).rev() {
        let (service, host) = (instance(number), format!("back-{number}.local"));
        bench.say_all(ETH, &[ptr(&service), srv(&service, &host, 80)]);
        bench.say(ETH, &alias(&host, &format!("back-{}.local", number + 1)));
    }
    bench.asks();
    let ahead = bench
        .asked
        .values()
        .filter(|line| line.contains("ahead-") && line.ends_with(" A @1"));
    assert_eq!(ahead.count(), 8);
    assert_eq!(
        bench.browser.refused().malformed,
        1 + 100 / 9,
        "the rest of the way ahead is nobody's business"
    );

    bench
        .say(ETH, &address("ahead-9.local", "192.0.2.1"))
        .at(10_000);
    assert!(bench.events().is_empty(), "it leads too far");
    bench.gone(ETH, &ptr(LOBBY));
    for number in 0..100 {
        bench.gone(ETH, &ptr(&instance(number)));
    }
    bench.asks();
    assert_eq!(
        (bench.asked.len(), bench.browser.hosts.len()),
        (1, 1),
        "all but the early address"
    );
}
