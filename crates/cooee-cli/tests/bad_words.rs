//! Wrong words on the command line: one line on stderr, nothing on stdout, exit 2, and the network untouched.

use std::process::{Command, Output, Stdio};

fn cooee(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cooee"))
        .args(words)
        .env_remove("COOEE_INTERFACE")
        .env_remove("COOEE_LOG")
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

/// The one line it says, without its `cooee: `.
fn refused(words: &[&str]) -> String {
    let output = cooee(words);
    let said = String::from_utf8(output.stderr).expect("it speaks UTF-8");
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    assert!(output.stdout.is_empty(), "{words:?}");
    let line = said.strip_suffix('\n').expect("a whole line");
    assert!(
        !line.contains('\n'),
        "{words:?} is told in more than one line: {said}"
    );
    assert!(!line.chars().any(char::is_control), "{words:?}: {line:?}");
    line.strip_prefix("cooee: ")
        .expect("it says who speaks")
        .to_owned()
}

#[track_caller]
fn refuses(words: &[&str], parts: &[&str]) {
    let line = refused(words);
    for part in parts {
        assert!(
            line.contains(part),
            "{words:?} is told {line:?}, without {part:?}"
        );
    }
}

#[test]
fn a_wrong_type_is_told_with_the_rule_and_the_nearest() {
    let parts = ["'_htp._tpc'", "_tcp or _udp", "did you mean '_http._tcp'?"];
    refuses(&["browse", "_htp._tpc"], &parts);
    refuses(&["resolve", "Name", "_htp._tpc"], &parts);
    refuses(&["publish", "Name", "_htp._tpc", "80"], &parts);
    refuses(
        &["publish", "Name", "_a-much-too-long-name._tcp", "80"],
        &["15 characters"],
    );
    refuses(
        &["publish", "Name", "_under_score._tcp", "80"],
        &["letters, digits and hyphens"],
    );
    refuses(&["browse", "_http._tcp.example.org"], &["local"]);
}

#[test]
fn a_wrong_name_is_told_with_what_is_allowed() {
    refuses(&["publish", "", "http", "80"], &["empty", "1 to 63 bytes"]);
    let long = "x".repeat(64);
    refuses(&["publish", &long, "http", "80"], &["64 bytes", "63"]);
    refuses(
        &["publish", "line\nfeed", "http", "80"],
        &["control character"],
    );
    refuses(
        &["publish", "bell\\007", "http", "80"],
        &["control character"],
    );
    refuses(
        &["publish", "\u{feff}mark", "http", "80"],
        &["byte order mark"],
    );
    refuses(
        &["publish", "lone \\ backslash", "http", "80"],
        &["\\\\", "\\DDD"],
    );
    refuses(&["publish", "caf\\233", "http", "80"], &["UTF-8"]);
    refuses(&["resolve", "Name"], &["type", "_http._tcp"]);
    refuses(&["resolve", "a\\999._http._tcp"], &["\\000 to \\255"]);
}

#[test]
fn a_wrong_port_is_told_with_the_range() {
    for port in ["65536", "http", "", "8o8o", "+80", "1.5"] {
        refuses(
            &["publish", "Name", "http", port],
            &["not a port", "1 to 65535"],
        );
    }
    refuses(&["publish", "Name", "http", "0"], &["port 0", "1 to 65535"]);
}

#[test]
fn a_wrong_txt_key_is_told_with_what_is_allowed() {
    // 6763-6.4-1, 6763-6.4-5, 6763-6.4-9
    refuses(
        &["publish", "Name", "http", "80", "=value"],
        &["'=value'", "empty"],
    );
    refuses(
        &["publish", "Name", "http", "80", "ke\u{e9}=value"],
        &["ASCII"],
    );
    refuses(
        &["publish", "Name", "http", "80", "a=1", "A=2"],
        &["'A'", "twice"],
    );
    let long = format!("key={}", "x".repeat(252));
    refuses(&["publish", "Name", "http", "80", &long], &["255"]);
}

#[test]
fn a_wrong_subtype_is_told() {
    refuses(&["publish", "Name", "http,", "80"], &["empty subtype"]);
    refuses(&["browse", "-s", "_printer"], &["type it belongs to"]);
    refuses(&["browse", "http,_a", "ipp"], &["one type only"]);
}

#[test]
fn wrong_options_and_commands_are_told_with_the_nearest() {
    refuses(
        &["brwose"],
        &[
            "'brwose'",
            "browse, resolve, publish",
            "did you mean 'browse'?",
        ],
    );
    refuses(
        &["browse", "--jsno"],
        &["'--jsno'", "did you mean '--json'?"],
    );
    refuses(&["browse", "-n", "0"], &["whole number from 1"]);
    refuses(&["browse", "-w", "soon"], &["500ms"]);
    refuses(&["browse", "--color", "blue"], &["auto, always or never"]);
    refuses(&["publish", "Name"], &["TYPE and PORT are missing"]);
    refuses(&["demo", "-6"], &["IPv4"]);
}

#[test]
fn a_wrong_question_is_told_with_the_nearest() {
    refuses(&["query", "pepper", "AAA"], &["did you mean 'AAAA'?"]);
    refuses(&["query", "pepper"], &["RRTYPE is missing", "@ADDRESS"]);
    refuses(&["query", "@192.0.2.1", "pepper"], &["RRTYPE is missing"]);
    refuses(&["query", "a", "A", "B"], &["'B' is one word too many"]);
    refuses(
        &["query", "a", "A", "@b"],
        &["'@b' is not an address", "@192.0.2.17"],
    );
    refuses(&["query", "a", "A", "@fe80::1"], &["@fe80::1%eth0"]);
    refuses(
        &["query", "a", "A", "@fe80::1%eth77"],
        &["no interface 'eth77'"],
    );
    refuses(
        &["man", "brwose"],
        &["'brwose' is not a command", "did you mean 'browse'?"],
    );
    refuses(&["doctor", "-w", "soon"], &["500ms"]);
}

#[test]
fn names_of_strangers_do_not_reach_the_terminal_in_errors() {
    refuses(&["browse", "\u{1b}[2J"], &["\\027[2J"]);
    refuses(&["\u{1b}]0;x\u{7}"], &["\\027]0;x\\007"]);
    refuses(&["resolve", "\u{202e}gpj"], &["\\226\\128\\174gpj"]);
}

#[test]
fn no_words_give_ten_lines_of_help_with_four_examples() {
    let output = cooee(&[]);
    let said = String::from_utf8(output.stderr).expect("it speaks UTF-8");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert_eq!(said.lines().count(), 10);
    assert_eq!(
        said.lines()
            .filter(|line| line.starts_with("  cooee "))
            .count(),
        4
    );
}

#[test]
fn help_and_version_are_data() {
    for words in [&["--help"][..], &["-h"], &["browse", "--help"], &["-V"]] {
        let output = cooee(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{words:?}"
        );
    }
}

#[test]
fn a_name_that_is_an_address_or_lacks_its_domain_is_told_with_the_way() {
    for address in ["192.0.2.1", "fe80::1"] {
        let way = format!("'cooee host {address}' looks it up");
        refuses(&["query", address, "PTR"], &["is an address", &way]);
    }
    let part = "did you mean '_services._dns-sd._udp.local'?";
    refuses(&["query", "_services._dns-sd._udp", "PTR"], &[part]);
}

#[cfg(target_os = "linux")]
#[test]
fn help_on_a_full_disk_is_trouble() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    let output = Command::new(env!("CARGO_BIN_EXE_cooee"))
        .arg("--help")
        .stdout(full)
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "cooee: cannot write the output: no space left on device\n"
    );
}

#[test]
fn an_attribute_that_is_too_long_is_told_without_repeating_it() {
    let long = format!("a={}", "x".repeat(254));
    let publish = ["publish", "Name", "http", "80"];
    let line = refused(&[&publish[..], &[&long]].concat());
    assert!(line.contains("256 bytes") && line.len() < 160, "{line}");
    // This very program is long, and nothing of it is text.
    let file = format!("icon={}", env!("CARGO_BIN_EXE_cooee"));
    let line = refused(&[&publish[..], &["--txt-file", &file]].concat());
    assert!(line.contains("250 bytes"), "{line}");
    assert!(!line.contains("\\000"), "{line}");
}

#[test]
fn a_filter_for_the_log_that_is_none_is_told() {
    let output = Command::new(env!("CARGO_BIN_EXE_cooee"))
        .args(["browse", "-t"])
        .env("COOEE_LOG", "cooee=loud")
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("COOEE_LOG"));
}
