//! The command live, in a network namespace of its own in which there is nothing but loopback.
//!
//! Each test is run again, alone, under `unshare`; where namespaces are not allowed it is skipped and says so.

mod namespace;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use namespace::{Running, command, cooee, in_namespace, text};

#[test]
fn the_demo_works_and_says_what_it_does() {
    if !in_namespace("the_demo_works_and_says_what_it_does") {
        return;
    }
    let begun = Instant::now();
    let output = cooee(&["demo"]);
    let said = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{said}{}",
        text(&output.stderr)
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(
        said.contains(
            "b  + Keith’s web server on tabasco  tabasco-demo.local:8080  127.0.0.1  path=/\n"
        ),
        "{said}"
    );
    assert!(
        said.contains("b  - Keith’s web server on tabasco\n"),
        "{said}"
    );

    let output = cooee(&["demo", "--json"]);
    let said = text(&output.stdout);
    let events: Vec<String> = said
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|event| format!("{} {}", event["node"], event["event"]).replace('"', ""))
        .collect();
    assert_eq!(
        events,
        ["a registered", "b added", "a withdrawn", "b removed"]
    );
}

#[test]
fn the_demo_leaves_other_interfaces_alone() {
    if !in_namespace("the_demo_leaves_other_interfaces_alone") {
        return;
    }
    // Ruling 28.
    for line in [
        "link add cooee-a type veth peer name cooee-b",
        "addr add 192.0.2.1/24 dev cooee-a",
        "link set cooee-a up",
        "link set cooee-b up",
    ] {
        let done = Command::new("ip").args(line.split(' ')).status();
        if !done.is_ok_and(|status| status.success()) {
            println!("skipped: there can be no second interface here: ip {line}");
            return;
        }
    }
    let mut demo = Running::start(&["demo", "-j"]);
    assert_eq!(demo.event()["event"], "registered");
    let joined = std::fs::read_to_string("/proc/net/igmp").expect("Linux tells");
    let mut interface = "";
    let mut on = Vec::new();
    for line in joined.lines().skip(1) {
        match line.strip_prefix("\t\t\t\t") {
            // 224.0.0.251, in the kernel's order.
            Some(group) if group.starts_with("FB0000E0") => on.push(interface),
            Some(_) => {}
            None => interface = line.split_whitespace().nth(1).unwrap_or_default(),
        }
    }
    assert_eq!(on, ["lo"], "{joined}");
    while demo.event()["event"] != "removed" {}
    assert_eq!(demo.code(), Some(0));
}

#[test]
fn the_monitor_sees_what_is_published_and_finds_nothing_wrong() {
    if !in_namespace("the_monitor_sees_what_is_published_and_finds_nothing_wrong") {
        return;
    }
    let mut monitor = Running::start(&["-i", "lo", "-j", "monitor", "--fail-on", "error"]);
    // It says nothing before it hears something: the second announcement comes a second after this.
    let mut publisher = Running::start(&["-i", "lo", "-j", "publish", "Web", "http", "8080"]);
    assert_eq!(publisher.event()["event"], "registered");
    let has = |event: &serde_json::Value, tag: &str| {
        let tags = event["tags"].as_array();
        tags.is_some_and(|tags| tags.iter().any(|known| known == tag))
    };
    let packet = loop {
        let event = monitor.event();
        if has(&event, "R") {
            break event;
        }
    };
    assert_eq!(packet["interface"], "lo");
    assert_eq!(packet["ip_ttl"], 255);
    assert!(has(&packet, "own"), "{packet}");
    publisher.signal("-TERM");
    while !has(&monitor.event(), "goodbye") {}
    monitor.signal("-INT");
    while monitor.event()["event"] != "summary" {}
    assert_eq!(monitor.code(), Some(0));
}

#[test]
fn browse_p_prints_lines_for_scripts() {
    if !in_namespace("browse_p_prints_lines_for_scripts") {
        return;
    }
    let words = ["-i", "lo", "-j", "publish", "A b;c", "http", "8080", "x=1"];
    let mut publisher = Running::start(&words);
    let registered = publisher.event();
    assert_eq!(registered["event"], "registered");
    let host = registered["host"].as_str().unwrap_or_default().to_owned();
    let output = cooee(&["-i", "lo", "browse", "-prt", "http"]);
    assert_eq!(
        text(&output.stdout),
        format!(
            "+;lo;IPv4;A\\032b\\059c;_http._tcp;local\n\
             =;lo;IPv4;A\\032b\\059c;_http._tcp;local;{host};127.0.0.1;8080;\"x=1\"\n"
        )
    );
    let output = cooee(&["-i", "lo", "browse", "-pt", "http"]);
    let plus = "+;lo;IPv4;A\\032b\\059c;_http._tcp;local\n";
    assert_eq!(text(&output.stdout), plus);
    let output = cooee(&["browse", "-c", "http"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("-t lists"));
    let output = cooee(&["browse", "-b"]);
    assert!(text(&output.stdout).contains("_ipp._tcp"));
    let output = cooee(&["-i", "lo", "browse", "-D"]);
    assert_eq!(text(&output.stdout), "local\n");
}

#[test]
fn what_one_publishes_another_finds_resolves_and_sees_go() {
    if !in_namespace("what_one_publishes_another_finds_resolves_and_sees_go") {
        return;
    }
    let mut publisher = Running::start(&[
        "-i",
        "lo",
        "-j",
        "publish",
        "Test Svc.One",
        "http,_printer",
        "8080",
        "path=/",
        "flag",
        "empty=",
    ]);
    let registered = publisher.event();
    assert_eq!(registered["event"], "registered");
    assert_eq!(registered["service"], "Test Svc\\.One._http._tcp.local");

    let mut browser = Running::start(&["-i", "lo", "-j", "browse", "http"]);
    let added = browser.event();
    assert_eq!(
        (&added["event"], &added["name"], &added["port"]),
        (&"added".into(), &"Test Svc.One".into(), &8080.into())
    );
    assert_eq!(added["host"], registered["host"]);
    assert_eq!(
        added["txt"],
        serde_json::json!([{"key":"path","value":"/"},{"key":"flag"},{"key":"empty","value":""}])
    );
    assert_eq!(added["addresses"][0]["interface"], "lo");

    let output = cooee(&["-i", "lo", "browse", "-t", "http"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    assert!(
        said.starts_with("+\tTest Svc.One\t_http._tcp\tlocal\t"),
        "{said}"
    );
    assert!(
        said.ends_with("\tlo\t\"path=/\" \"flag\" \"empty=\"\n"),
        "{said}"
    );

    for words in [
        &["resolve", "Test Svc.One", "http"][..],
        &["resolve", "Test Svc.One._http._tcp.local"],
    ] {
        let output = cooee(&[&["-i", "lo"], words, &["--print", "url"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(
            text(&output.stdout),
            format!("http://{}:8080/\n", added["host"].as_str().expect("text"))
        );
    }

    let by_subtype = cooee(&[
        "-i",
        "lo",
        "-j",
        "browse",
        "-n",
        "1",
        "-w",
        "5",
        "http,_printer",
    ]);
    assert_eq!(
        by_subtype.status.code(),
        Some(0),
        "{}",
        text(&by_subtype.stderr)
    );

    // SIGTERM is the ordinary end: a goodbye, and 0.
    publisher.signal("-TERM");
    assert_eq!(publisher.event()["event"], "withdrawn");
    assert_eq!(publisher.code(), Some(0));
    let removed = browser.event();
    assert_eq!(
        (&removed["event"], &removed["name"]),
        (&"removed".into(), &"Test Svc.One".into())
    );
    browser.signal("-INT");
    assert_eq!(browser.code(), Some(0));
}

#[test]
fn a_name_that_is_taken_is_changed_or_refused() {
    if !in_namespace("a_name_that_is_taken_is_changed_or_refused") {
        return;
    }
    let mut first = Running::start(&["-i", "lo", "-j", "publish", "Lobby", "ipp", "631"]);
    assert_eq!(first.event()["event"], "registered");
    let mut second = Running::start(&["-i", "lo", "-j", "publish", "Lobby", "ipp", "632"]);
    let renamed = second.event();
    assert_eq!(
        (&renamed["event"], &renamed["from"], &renamed["name"]),
        (&"renamed".into(), &"Lobby".into(), &"Lobby (2)".into())
    );
    let registered = second.event();
    assert_eq!(
        (&registered["event"], &registered["requested"]),
        (&"registered".into(), &"Lobby".into())
    );

    let third = cooee(&["-i", "lo", "publish", "Lobby", "ipp", "633", "--no-rename"]);
    assert_eq!(third.status.code(), Some(1));
    assert!(
        text(&third.stderr).contains("taken"),
        "{}",
        text(&third.stderr)
    );
}

#[test]
fn what_is_not_there_is_1_and_what_cannot_be_is_2_or_3() {
    if !in_namespace("what_is_not_there_is_1_and_what_cannot_be_is_2_or_3") {
        return;
    }
    let nobody = cooee(&["-i", "lo", "resolve", "nobody", "http", "-w", "300ms", "-j"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stdout).contains(r#""event":"none""#));
    let nothing = cooee(&["-i", "lo", "browse", "-t", "http"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(
        text(&nothing.stderr).contains("no _http._tcp within"),
        "{}",
        text(&nothing.stderr)
    );

    let wrong = cooee(&["-i", "l0", "browse", "http"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(
        text(&wrong.stderr),
        "cooee: no interface 'l0'; there is lo; did you mean 'lo'?\n"
    );
    let number = cooee(&["-i", "77", "publish", "Name", "http", "80"]);
    assert_eq!(number.status.code(), Some(2));
    // Loopback is used only when asked for, and there is nothing else.
    let trouble = cooee(&["browse", "-t"]);
    assert_eq!(trouble.status.code(), Some(3));
    assert!(
        text(&trouble.stderr).starts_with("cooee: no usable link"),
        "{}",
        text(&trouble.stderr)
    );
}

#[test]
fn ctrl_c_ends_a_lookup_by_the_signal_and_a_watch_in_order() {
    use std::os::unix::process::ExitStatusExt;
    if !in_namespace("ctrl_c_ends_a_lookup_by_the_signal_and_a_watch_in_order") {
        return;
    }
    let mut publisher = Running::start(&["-i", "lo", "-j", "publish", "Lobby", "ipp", "631"]);
    assert_eq!(publisher.event()["event"], "registered");
    let mut lookup = Running::start(&["-i", "lo", "-j", "browse", "-t", "-n", "2", "ipp"]);
    // It listens to signals before it looks for anything.
    assert_eq!(lookup.event()["event"], "added");
    lookup.signal("-INT");
    let status = lookup.child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(2));

    publisher.signal("-INT");
    assert_eq!(publisher.event()["event"], "withdrawn");
    assert_eq!(publisher.code(), Some(0));
}

#[test]
fn a_reader_that_goes_ends_a_watch_and_no_publication() {
    if !in_namespace("a_reader_that_goes_ends_a_watch_and_no_publication") {
        return;
    }
    let mut browser = Running::start(&["-i", "lo", "-j", "browse", "ipp"]);
    let mut publisher = Running::start(&["-i", "lo", "-j", "publish", "Lobby", "ipp", "631"]);
    assert_eq!(publisher.event()["event"], "registered");
    assert_eq!(browser.event()["event"], "added");
    browser.stop_reading();
    publisher.stop_reading();
    assert_eq!(
        browser.code(),
        Some(0),
        "a closed pipe is a clean end, at once"
    );
    publisher.signal("-TERM");
    assert_eq!(
        publisher.code(),
        Some(0),
        "a publication says goodbye though nobody reads"
    );
}

#[test]
fn what_was_never_registered_is_not_told_to_be_withdrawn() {
    if !in_namespace("what_was_never_registered_is_not_told_to_be_withdrawn") {
        return;
    }
    // Loopback is used only by name, so there is no link to publish on.
    for manner in [["publish"].as_slice(), &["-j", "publish"]] {
        let mut publisher = command(&[manner, &["Lobby", "ipp", "631"]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let stderr = publisher.stderr.take().expect("it was asked for");
        let hint = BufReader::new(stderr).lines().next();
        let publisher = Running {
            child: publisher,
            lines: None,
        };
        let hint = hint.expect("a hint").expect("UTF-8");
        assert!(hint.ends_with("; waiting for one"), "{hint}");
        publisher.signal("-TERM");
        let (said, code) = publisher.rest();
        assert_eq!((said.as_str(), code), ("", Some(0)));
    }
}

#[test]
fn another_machine_and_one_family_can_be_published() {
    if !in_namespace("another_machine_and_one_family_can_be_published") {
        return;
    }
    let words = [
        "-i",
        "lo",
        "-j",
        "publish",
        "Old LaserJet",
        "ipp",
        "631",
        "--host",
        "laserjet",
        "--address",
        "192.0.2.50",
    ];
    let mut proxy = Running::start(&words);
    assert_eq!(proxy.event()["host"], "laserjet.local");
    let found = cooee(&[
        "-i",
        "lo",
        "resolve",
        "Old LaserJet",
        "ipp",
        "--print",
        "address",
    ]);
    assert_eq!(
        text(&found.stdout),
        "192.0.2.50\n",
        "{}",
        text(&found.stderr)
    );
    let host = cooee(&["-i", "lo", "-v", "host", "laserjet"]);
    assert_eq!(
        text(&host.stdout),
        "laserjet.local  192.0.2.50  lo\nlaserjet.local has no IPv6 address (it says so)\n",
        "{}",
        text(&host.stderr)
    );

    let mut own = Running::start(&["-i", "lo", "-4", "-j", "publish", "Lobby", "http", "80"]);
    assert_eq!(own.event()["event"], "registered");
    let found = cooee(&["-i", "lo", "-j", "resolve", "Lobby", "http"]);
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(
        found["addresses"].as_array().map(Vec::len),
        Some(1),
        "{found}"
    );
    assert_eq!(found["addresses"][0]["ip"], "127.0.0.1");
}

#[test]
fn trouble_is_3_with_what_is_wrong() {
    if !in_namespace("trouble_is_3_with_what_is_wrong") {
        return;
    }
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let output = command(&["demo"])
        .stdout(full)
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        text(&output.stderr),
        "cooee: cannot write the output: no space left on device\n"
    );

    // Without SO_REUSEADDR, nobody else may have the port.
    let held = std::net::UdpSocket::bind("0.0.0.0:5353").expect("nobody has it here");
    let output = cooee(&["demo"]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    let holder = format!("(pid {}), which does not share it", std::process::id());
    assert!(
        said.starts_with("cooee: the demo failed: node b opens its sockets: UDP port 5353 is held")
            && said.contains(&holder),
        "{said}"
    );

    // The other family is enough to go on, but not to find all there is.
    let output = cooee(&["browse", "-t"]);
    let said = text(&output.stderr);
    let (first, rest) = said.split_once('\n').expect("a line");
    assert!(
        first.starts_with("cooee: UDP port 5353 is held by ")
            && first.ends_with(" for IPv4 and not shared; only IPv6 is used until it is free")
            && first.contains(&format!("(pid {})", std::process::id())),
        "{said}"
    );
    assert!(!rest.contains("5353"), "{said}");
    let output = cooee(&["browse", "-t", "-q"]);
    assert!(!text(&output.stderr).contains("5353"));
    drop(held);

    let down = Command::new("ip")
        .args(["link", "set", "lo", "down"])
        .status()
        .expect("ip is there");
    assert!(down.success());
    let output = cooee(&["demo"]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("lo: ") && said.contains("down"), "{said}");
}

#[test]
fn hosts_records_and_types_are_found() {
    if !in_namespace("hosts_records_and_types_are_found") {
        return;
    }
    let mut publisher = Running::start(&[
        "-i", "lo", "-j", "publish", "Lobby", "ipp", "631", "--host", "tabasco",
    ]);
    assert_eq!(publisher.event()["host"], "tabasco.local");
    let host = cooee(&["-i", "lo", "-4", "host", "tabasco"]);
    assert_eq!(
        text(&host.stdout),
        "tabasco.local  127.0.0.1  lo\n",
        "{}",
        text(&host.stderr)
    );
    let nobody = cooee(&["-i", "lo", "host", "192.0.2.1", "-w", "300ms"]);
    assert_eq!(nobody.status.code(), Some(1));
    let query = cooee(&["-i", "lo", "query", "Lobby._ipp._tcp.local", "SRV"]);
    assert_eq!(
        text(&query.stdout),
        "Lobby._ipp._tcp.local.  120  IN  SRV  0 0 631 tabasco.local  ; lo, from 127.0.0.1, unique\n",
        "{}",
        text(&query.stderr)
    );
    let denied = cooee(&["-i", "lo", "-j", "query", "tabasco.local", "HINFO"]);
    assert_eq!(denied.status.code(), Some(1));
    assert!(
        text(&denied.stdout).contains(r#""rrtype":"HINFO","proof":"nsec""#),
        "{}",
        text(&denied.stdout)
    );
    let types = cooee(&["-i", "lo", "types"]);
    assert_eq!(
        text(&types.stdout),
        "_ipp._tcp  Internet Printing\n",
        "{}",
        text(&types.stderr)
    );
}

#[test]
fn a_question_goes_to_all_by_unicast_reply_or_to_one_host_alone() {
    // 6762-5.5-1, 6762-6.7-1
    if !in_namespace("a_question_goes_to_all_by_unicast_reply_or_to_one_host_alone") {
        return;
    }
    let mut publish = Running::start(&[
        "publish", "-i", "lo", "-j", "Lobby", "ipp", "631", "--host", "pepper",
    ]);
    assert_eq!(publish.event()["event"], "registered");

    let asked = cooee(&["query", "-i", "lo", "-j", "pepper", "A"]);
    let found: serde_json::Value = serde_json::from_slice(&asked.stdout).expect("JSON");
    assert_eq!(
        (&found["data"], &found["from"]),
        (&"127.0.0.1".into(), &"127.0.0.1".into())
    );

    // The publisher has the port too, so the answer must not be one by unicast (ruling 2).
    let asked = cooee(&["query", "-i", "lo", "--unicast", "pepper", "A"]);
    assert_eq!(asked.status.code(), Some(0), "{}", text(&asked.stderr));
    assert!(text(&asked.stderr).contains("asked for by multicast (QM)"));

    for words in [["@127.0.0.1", "pepper", "A"], ["pepper", "A", "@127.0.0.1"]] {
        let asked = cooee(&[&["query"][..], &words].concat());
        assert_eq!(
            text(&asked.stdout),
            "pepper.local.  10  IN  A  127.0.0.1  ; from 127.0.0.1\n"
        );
    }
    let denied = cooee(&["query", "@127.0.0.1", "pepper", "TXT"]);
    assert_eq!(denied.status.code(), Some(1));
    assert!(text(&denied.stderr).contains("the owner of the name says so"));
    let silent = cooee(&["query", "@127.0.0.1", "nobody", "A", "-w", "300ms"]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(text(&silent.stderr).contains("within 0.3 s; 'cooee doctor' finds out why"));
    publish.signal("-INT");
    assert_eq!(publish.code(), Some(0));
}
