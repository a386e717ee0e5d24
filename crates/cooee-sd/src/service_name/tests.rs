use super::*;
use alloc::string::ToString as _;

fn parse(text: &str) -> ServiceName {
    text.parse().unwrap()
}

fn parts(text: &str) -> (String, String, String) {
    let name = parse(text);
    (
        name.instance().to_string(),
        name.service_type().to_string(),
        name.domain().to_string(),
    )
}

#[test]
fn names_are_read_from_the_right() {
    // 6763-B.1-1, 6763-4.3-1
    for text in [
        "Test Svc.One._http._tcp",
        "Test Svc\\.One._http._tcp.local",
        "Test Svc.One._http._tcp.local.",
    ] {
        assert_eq!(
            parts(text),
            ("Test Svc.One".into(), "_http._tcp".into(), "local".into()),
            "{text}"
        );
    }
    assert_eq!(parts("_a._tcp._b._udp.local").0, "_a._tcp");
    assert_eq!(parts("a..b._http._tcp").0, "a..b");
    assert_eq!(parts("x._http._tcp.example.org").2, "example.org");
}

#[test]
fn names_print_with_exact_escapes() {
    // 6763-4.3-2, 6763-4.3-3, 6763-4.3-4, 6763-13.1-1
    let http = ServiceType::tcp("http").unwrap();
    for (instance, text) in [
        (&b"Dr. Pepper"[..], "Dr\\. Pepper._http._tcp.local"),
        (b"a\\b", "a\\\\b._http._tcp.local"),
        (b"a\n\xff", "a\\010\\255._http._tcp.local"),
        (
            "Keith’s web server".as_bytes(),
            "Keith’s web server._http._tcp.local",
        ),
    ] {
        let name = ServiceName::local(InstanceName::from_bytes(instance).unwrap(), http);
        assert_eq!(name.to_string(), text);
        assert_eq!(parse(text).instance().as_bytes(), instance);
        // As any name of DNS is parsed, too.
        let plain: NameBuf = text.parse().unwrap();
        assert!(plain.labels().eq(name.as_name().labels()));
    }
    assert_eq!(
        parse("Multicast\\032DNS._http._tcp.dns-sd.org")
            .instance()
            .to_string(),
        "Multicast DNS"
    );
    assert_eq!(
        alloc::format!("{:#}", parse("x._http._tcp")),
        "x._http._tcp.local."
    );
}

#[test]
fn what_is_no_service_name_says_what_to_do() {
    for (text, part) in [
        ("x", "needs a type"),
        ("", "needs a type"),
        ("_http._tcp", "has no instance"),
        ("_printer._sub._http._tcp.local", "has no instance"),
        ("._http._tcp", "must not be empty"),
        ("x.http._tcp", "did you mean \"_http._tcp\"?"),
        ("x._http._tcp..", "is no domain"),
        ("x\\1._http._tcp", "backslash"),
    ] {
        let error = text.parse::<ServiceName>().unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn a_pointer_gives_instance_type_and_domain() {
    // 6763-4.1-2, 6763-4.2-2, 6763-4.1.1-8
    let name = |text: &str| text.parse::<NameBuf>().unwrap();
    let found = ServiceName::from_name(name("a\\.b._ipp._tcp.example.test").as_name()).unwrap();
    assert_eq!(
        (found.instance().to_string(), found.domain().to_string()),
        ("a.b".into(), "example.test".into())
    );
    for text in [
        "local",
        "_http._tcp.local",
        "x._http._tcp",
        "x._http._sctp.local",
        "x._a._tcp._b._tcp.local",
    ] {
        assert!(
            ServiceName::from_name(name(text).as_name()).is_none(),
            "{text}"
        );
    }
}

#[test]
fn a_name_has_255_bytes_and_the_zero() {
    // 6763-7.2-1, 6763-7.2-5, 6762-C-5
    let instance = InstanceName::truncated(&"x".repeat(63));
    let service_type = ServiceType::tcp("a23456789012345").unwrap();
    let domain = |last: usize| {
        let labels = ["d".repeat(63), "d".repeat(63), "d".repeat(last)];
        NameBuf::from_labels(labels.iter().map(String::as_bytes)).unwrap()
    };
    // 64 + 17 + 5 of 255 leave 169: two labels of 63 and one of 40, each with its length octet.
    assert!(ServiceName::new(instance, service_type, domain(40).as_name()).is_ok());
    let error = ServiceName::new(instance, service_type, domain(41).as_name()).unwrap_err();
    assert!(matches!(error, ServiceNameError::TooLong { .. }));
}

#[test]
fn names_sort_as_a_person_reads_them() {
    let mut names = ["b._http._tcp", "A._ssh._tcp", "a._http._tcp"].map(parse);
    names.sort();
    assert_eq!(
        names.map(|name| name.to_string().replace(".local", "")),
        ["a._http._tcp", "A._ssh._tcp", "b._http._tcp"]
    );
}
