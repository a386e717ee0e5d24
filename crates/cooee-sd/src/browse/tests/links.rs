//! The same instance on several links, and links that go down.

use super::*;

#[test]
fn links_that_say_the_same_are_one_view() {
    // ruling 31
    let mut bench = Bench::http();
    bench.say_all(WLAN, &lobby());
    bench.events();
    bench.say_all(ETH, &lobby());
    let found = bench.found();
    assert_eq!(
        picture(&found),
        "Lobby tabasco.local:80 192.0.2.1@1,192.0.2.1@2,2001:db8::1@1,2001:db8::1@2 [path=/]"
    );
    assert_eq!(
        (found.views().len(), found.links(), &found.view().links[..]),
        (1, &[ETH, WLAN][..], &[WLAN, ETH][..])
    );
}

#[test]
fn the_longest_known_view_is_shown_while_it_lives() {
    // ruling 31
    let mut bench = Bench::http();
    let [pointer, _, attributes, ..] = lobby();
    // Seen first on the one link, resolved first on the other.
    bench.say(ETH, &pointer).say_all(WLAN, &lobby());
    assert_eq!(bench.events(), [LOBBY_ADDED.replace("@1", "@2")]);
    let other = [
        srv(LOBBY, "chipotle.local", 81),
        attributes,
        address("chipotle.local", "192.0.2.9"),
    ];
    bench.say_all(ETH, &other).at(1000);
    let found = bench.found();
    assert_eq!(found.views().len(), 2);
    assert_eq!(
        (&found.view().host, &found.views()[1].host),
        (&name("tabasco.local"), &name("chipotle.local"))
    );
    bench.gone(WLAN, &pointer);
    assert_eq!(
        bench.events(),
        ["~ Lobby chipotle.local:81 192.0.2.9@1 [path=/]"]
    );
    bench.say_all(WLAN, &lobby());
    assert_eq!(
        bench.found().view().host,
        name("chipotle.local"),
        "who comes back is the youngest"
    );
    bench.gone(ETH, &pointer).gone(WLAN, &pointer);
    assert_eq!(bench.events(), ["- Lobby"]);
}

#[test]
fn addresses_count_on_the_link_where_they_were_told() {
    let mut bench = Bench::http();
    bench
        .say_all(ETH, &lobby()[..3])
        .say_all(WLAN, &lobby()[3..])
        .at(10_000);
    assert!(bench.events().is_empty());
}

#[test]
fn views_of_a_link_that_went_down_stay_5_seconds() {
    // 6762-10.3-1, 6763-F-4, ruling 33 (e)
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby()).say_all(WLAN, &lobby());
    bench.events();
    bench
        .at(1000)
        .browser
        .handle_link_down(Duration::from_secs(1), ETH);
    for record in lobby() {
        bench.gone(ETH, &record);
    }
    bench.at(5999);
    assert!(bench.events().is_empty());
    bench.at(6000);
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.1@2,2001:db8::1@2 [path=/]"]
    );
    bench
        .at(7000)
        .browser
        .handle_link_down(Duration::from_secs(7), WLAN);
    bench.at(12_000);
    assert_eq!(bench.events(), ["- Lobby"]);
    assert_eq!(
        (bench.browser.hosts.len(), bench.browser.timers.len()),
        (0, 0)
    );
}

#[test]
fn a_link_that_comes_back_in_time_is_no_event() {
    // ruling 33 (e), 6763-F-5
    let mut bench = Bench::http();
    bench.say_all(ETH, &lobby());
    bench.events();
    bench.browser.handle_link_down(Duration::from_secs(1), ETH);
    bench.at(3000).say_all(ETH, &lobby()).at(60_000);
    assert!(bench.events().is_empty());
    // What did not come back is gone.
    bench.browser.handle_link_down(Duration::from_secs(61), ETH);
    bench.at(62_000).say_all(ETH, &lobby()[..4]).at(70_000);
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.1@1 [path=/]"]
    );
}

#[test]
fn a_followed_instance_survives_the_loss_of_one_of_its_links() {
    let mut bench = Bench::new(BrowseSpec::instance(LOBBY.parse().unwrap()));
    bench
        .say_all(ETH, &lobby()[1..])
        .say_all(WLAN, &lobby()[1..]);
    bench.events();
    bench.browser.handle_link_down(Duration::from_secs(1), ETH);
    bench.at(10_000);
    assert_eq!(
        bench.events(),
        ["~ Lobby tabasco.local:80 192.0.2.1@2,2001:db8::1@2 [path=/]"]
    );
    bench
        .browser
        .handle_link_down(Duration::from_secs(11), WLAN);
    bench.at(20_000);
    assert_eq!(bench.events(), ["- Lobby"]);
}
