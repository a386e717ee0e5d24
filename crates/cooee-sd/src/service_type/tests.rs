use super::*;
use alloc::vec::Vec;

#[test]
fn local_is_the_default_domain_and_the_final_dot_means_nothing() {
    // 6763-4.1.2-1, 6763-7-5, 2782-format-2, 2782-format-3
    let http = ServiceType::tcp("http").unwrap();
    for text in [
        "_http._tcp",
        "_http._tcp.",
        "_http._tcp.local",
        "_http._tcp.local.",
        "_HTTP._TCP.LOCAL",
    ] {
        assert_eq!(text.parse(), Ok(http), "{text}");
    }
    assert_eq!(http.to_string(), "_http._tcp");
    assert_eq!(format!("{http:#}"), "_http._tcp.");
}

#[test]
fn another_domain_is_named_in_the_error() {
    let error = "_http._tcp.example.org".parse::<ServiceType>().unwrap_err();
    assert!(
        matches!(&error, ServiceTypeError::HasDomain { domain, .. } if domain == "example.org")
    );
    assert!(
        error.to_string().contains("write \"_http._tcp\""),
        "{error}"
    );
}

#[test]
fn a_subtype_is_no_type_but_can_be_browsed() {
    let text = "_printer._sub._http._tcp";
    let error = text.parse::<ServiceType>().unwrap_err();
    assert!(
        error.to_string().contains(".subtype(\"_printer\")"),
        "{error}"
    );
    for text in [
        text,
        "_printer._sub._http._tcp.local.",
        "_http._tcp,_printer",
    ] {
        let (service_type, subtype) = ServiceType::parse_with_subtype(text).unwrap();
        assert_eq!(service_type, ServiceType::tcp("http").unwrap());
        assert_eq!(subtype.unwrap().as_bytes(), b"_printer");
    }
    assert_eq!(
        ServiceType::parse_with_subtype("_http._tcp"),
        Ok((ServiceType::tcp("http").unwrap(), None))
    );
    assert!(ServiceType::parse_with_subtype("_http._tcp,").is_err());
}

#[test]
fn what_is_no_type_suggests_one() {
    // 6763-4.1.2-1, 6763-4.1.2-2, 6763-4.1.2-3, 6763-7-1, 6763-7-6
    for (text, wanted) in [
        ("http", Some("_http._tcp")),
        ("_http", Some("_http._tcp")),
        ("http._tcp", Some("_http._tcp")),
        ("http.tcp.local", Some("_http._tcp")),
        ("_foo._sctp", Some("_foo._udp")),
        ("_foo._quic", Some("_foo._udp")),
        ("_daap._http._tcp", Some("_http._tcp")),
        ("", None),
        (".", None),
        ("_tcp", None),
        ("_tcp.local", None),
        ("some thing", None),
        ("www.example.org", None),
    ] {
        match text.parse::<ServiceType>() {
            Err(ServiceTypeError::NotAType { suggestion, .. }) => {
                assert_eq!(suggestion.as_deref(), wanted, "{text}")
            }
            other => panic!("{text:?} gave {other:?}"),
        }
    }
}

#[test]
fn service_names_keep_rfc_6335() {
    // 6335-5.1-1 .. 6335-5.1-6, 6763-7-3, 6763-7-4
    for good in ["a", "a-b", "1a", "http", "a23456789012345"] {
        assert!(ServiceType::tcp(good).is_ok(), "{good}");
    }
    for bad in [
        "-a",
        "a-",
        "a--b",
        "80",
        "6000-6063",
        "a_b",
        "",
        "a b",
        "a.b",
        "bücher",
        "a234567890123456",
    ] {
        assert!(ServiceType::udp(bad).is_err(), "{bad}");
    }
    assert!(matches!(
        ServiceType::tcp("a234567890123456"),
        Err(ServiceTypeError::TooLong { len: 16, .. })
    ));
}

#[test]
fn a_received_type_may_be_any_label_and_says_so() {
    // 6763-7-3
    for octets in [
        &b"_androidtvremote2"[..],
        b"_a.b",
        b"_\xff",
        b"_",
        b"__x",
        b"_a\\b",
    ] {
        let received = ServiceType::from_labels(octets, b"_TCP").unwrap();
        assert!(!received.is_conformant());
        assert_eq!(received.to_string().parse(), Ok(received), "{received}");
    }
    assert!(ServiceType::from_labels(b"_http", b"_sctp").is_none());
    assert!(ServiceType::from_labels(b"http", b"_tcp").is_none());
}

#[test]
fn errors_quote_the_input() {
    let texts = ["http", "_x._tcp.example.org", "_p._sub._x._tcp"];
    let errors: Vec<_> = texts
        .iter()
        .map(|text| text.parse::<ServiceType>().unwrap_err().to_string())
        .collect();
    for (text, error) in texts.iter().zip(errors) {
        assert!(error.starts_with(&format!("{text:?}")), "{error}");
    }
}
