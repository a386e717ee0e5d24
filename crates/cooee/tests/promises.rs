//! What the types promise, and what can be had without a network.

use cooee::{
    Browse, Browser, Builder, Error, Event, Events, FoundRecord, FoundService, HostAddresses, Link,
    Links, Lookup, Query, Registration, RegistrationEvent, RegistrationEvents, ScopedAddr, Service,
    ServiceEvent, Snapshot, TypeBrowser, Zeroconf,
};

const fn is_carefree<T: Send + Sync + Unpin + 'static>() {}

#[test]
fn every_type_can_be_sent_shared_and_kept() {
    is_carefree::<Browse>();
    is_carefree::<Browser>();
    is_carefree::<Builder>();
    is_carefree::<Error>();
    is_carefree::<Event>();
    is_carefree::<Events>();
    is_carefree::<FoundRecord>();
    is_carefree::<FoundService>();
    is_carefree::<HostAddresses>();
    is_carefree::<Link>();
    is_carefree::<Links>();
    is_carefree::<Lookup<FoundService>>();
    is_carefree::<cooee::LookupFuture<FoundService>>();
    is_carefree::<Query>();
    is_carefree::<Registration>();
    is_carefree::<RegistrationEvent>();
    is_carefree::<RegistrationEvents>();
    is_carefree::<ScopedAddr>();
    is_carefree::<Service>();
    is_carefree::<ServiceEvent>();
    is_carefree::<Snapshot>();
    is_carefree::<TypeBrowser>();
    is_carefree::<Zeroconf>();
}

#[test]
fn an_error_is_one_pointer() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<FoundService>(), size_of::<usize>());
}

#[test]
fn outside_of_a_runtime_starting_is_an_error_and_no_panic() {
    let mut start = std::pin::pin!(Zeroconf::start());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = start.as_mut().poll(&mut cx) else {
        panic!("it waits, or has started");
    };
    assert!(error.is_no_runtime(), "{error}");
    assert!(error.to_string().contains("tokio"), "{error}");
}

#[test]
fn port_0_is_refused_with_advice() {
    let error = Service::new("Lobby", "_http._tcp", 0).unwrap_err();
    assert!(error.is_invalid_input());
    assert!(error.to_string().contains("bind first"), "{error}");
}

#[test]
fn a_fault_in_the_chain_is_kept_and_told() {
    let service = Service::new("Lobby", "_http._tcp", 80)
        .unwrap()
        .txt("a=b", "c")
        .txt("fine", "");
    let error = service.check().unwrap_err();
    assert!(error.is_invalid_input());
    assert!(error.to_string().contains("a=b"), "{error}");
}

#[test]
fn a_type_that_may_be_looked_for_but_not_published_is_refused_when_published() {
    // 6335-5.1-1
    let long = "_a-name-of-more-than-15-characters._tcp";
    assert!(Browse::new(long).is_ok());
    let error = Service::new("Lobby", long, 80)
        .unwrap()
        .check()
        .unwrap_err();
    assert!(error.is_invalid_input(), "{error}");
}

#[test]
fn a_subtype_is_for_types_only() {
    let error = Browse::all_types().subtype("_color").unwrap_err();
    assert!(error.to_string().contains("_color"), "{error}");
    let none: [&str; 0] = [];
    assert!(Browse::types(none).unwrap_err().is_invalid_input());
}

#[test]
fn addresses_are_ordered_best_first() {
    let mut addresses: Vec<ScopedAddr> = [
        "fe80::1",
        "127.0.0.1",
        "169.254.1.1",
        "2001:db8::1",
        "192.0.2.1",
    ]
    .iter()
    .map(|text| text.parse::<std::net::IpAddr>().unwrap().into())
    .collect();
    addresses.sort();
    let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "192.0.2.1",
            "2001:db8::1",
            "169.254.1.1",
            "fe80::1",
            "127.0.0.1"
        ]
    );
}
