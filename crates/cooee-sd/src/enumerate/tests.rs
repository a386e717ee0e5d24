use super::*;
use alloc::format;
use cooee_wire::{RdataBuf, RecordBuf};

const HERE: Link = Link(1);
const THERE: Link = Link(2);

fn listed(service_type: &str) -> RecordBuf {
    let target: NameBuf = format!("{service_type}.local").parse().unwrap();
    RecordBuf::new(
        "_services._dns-sd._udp.local".parse().unwrap(),
        4500,
        RdataBuf::ptr(target.as_name()),
    )
}

fn types() -> TypeBrowser {
    let local: NameBuf = "local".parse().unwrap();
    let mut types = TypeBrowser::new(local.as_name());
    assert!(matches!(types.poll_ask(), Some(Ask::Start { .. })));
    types
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_type_on_two_links_is_one_type() {
    let mut types = types();
    types.handle_record(
        secs(0),
        HERE,
        listed("_http._tcp").as_record(),
        Presence::Present,
    );
    types.handle_record(
        secs(0),
        THERE,
        listed("_HTTP._tcp").as_record(),
        Presence::Present,
    );
    let http = ServiceType::tcp("http").unwrap();
    assert_eq!(types.poll_event(), Some(TypeEvent::Added(http)));
    assert_eq!(
        (types.poll_event(), types.links(&http)),
        (None, Vec::from([HERE, THERE]))
    );
    types.handle_record(
        secs(1),
        HERE,
        listed("_http._tcp").as_record(),
        Presence::Gone,
    );
    assert_eq!((types.poll_event(), types.poll_timeout()), (None, None));
}

#[test]
fn a_goodbye_for_a_type_is_asked_about_before_it_is_believed() {
    // ruling 33 (f)
    let mut types = types();
    let record = listed("_http._tcp");
    types.handle_record(secs(0), HERE, record.as_record(), Presence::Present);
    assert!(types.poll_event().is_some());
    types.handle_record(secs(1), HERE, record.as_record(), Presence::Gone);
    assert!(matches!(
        (types.poll_ask(), types.poll_ask()),
        (Some(Ask::Stop { .. }), Some(Ask::Start { .. }))
    ));
    types.handle_record(secs(2), HERE, record.as_record(), Presence::Present);
    types.handle_timeout(secs(60));
    assert_eq!(types.poll_event(), None, "another publisher answered");

    types.handle_record(secs(61), HERE, record.as_record(), Presence::Gone);
    types.handle_timeout(secs(70));
    assert_eq!(
        (types.poll_event(), types.poll_timeout()),
        (None, Some(secs(71)))
    );
    types.handle_timeout(secs(71));
    assert_eq!(
        types.poll_event(),
        Some(TypeEvent::Removed(ServiceType::tcp("http").unwrap()))
    );
    assert!(types.list.entries.is_empty());
}

#[test]
fn a_link_that_went_down_lists_for_5_seconds_more() {
    // 6762-10.3-1, ruling 33 (e)
    let mut types = types();
    for service_type in ["_http._tcp", "_ipp._tcp"] {
        types.handle_record(
            secs(0),
            HERE,
            listed(service_type).as_record(),
            Presence::Present,
        );
    }
    types.snapshot();
    types.handle_link_down(secs(1), HERE);
    types.handle_record(
        secs(1),
        HERE,
        listed("_ipp._tcp").as_record(),
        Presence::Gone,
    );
    types.handle_record(
        secs(2),
        HERE,
        listed("_http._tcp").as_record(),
        Presence::Present,
    );
    while let Some(at) = types.poll_timeout() {
        types.handle_timeout(at);
    }
    assert_eq!(
        types.poll_event(),
        Some(TypeEvent::Removed(ServiceType::tcp("ipp").unwrap()))
    );
    assert_eq!(types.poll_event(), None);
}

#[test]
fn a_flood_of_types_is_bounded_and_counted() {
    let mut types = types();
    for number in 0..MAX_ENTRIES + 10 {
        types.handle_record(
            secs(0),
            HERE,
            listed(&format!("_t{number}._tcp")).as_record(),
            Presence::Present,
        );
    }
    types.handle_record(
        secs(0),
        HERE,
        listed("nonsense").as_record(),
        Presence::Present,
    );
    assert_eq!((types.snapshot().len(), types.refused()), (MAX_ENTRIES, 11));
}

#[test]
fn unseen_changes_of_a_list_are_nothing() {
    // ruling 32
    let mut types = types();
    let record = listed("_http._tcp");
    for second in 0..10_000 {
        let presence = if second % 2 == 0 {
            Presence::Present
        } else {
            Presence::Gone
        };
        types.handle_record(secs(second), HERE, record.as_record(), presence);
    }
    types.handle_timeout(secs(20_000));
    assert!(!types.has_news() && types.list.entries.is_empty() && types.list.lost.is_empty());
}

#[test]
fn domains_come_and_go_with_their_records() {
    // 6763-11-2, 6763-11-7
    let domain: NameBuf = "example.org".parse().unwrap();
    let mut domains = DomainBrowser::new(DomainKind::Browse, domain.as_name());
    let Some(Ask::Start { question, link, .. }) = domains.poll_ask() else {
        panic!()
    };
    assert_eq!(
        (format!("{question}").as_str(), link),
        ("b._dns-sd._udp.example.org PTR", None)
    );
    let found: NameBuf = "building.example.org".parse().unwrap();
    let record = RecordBuf::new(question.name, 60, RdataBuf::ptr(found.as_name()));
    domains.handle_record(secs(0), HERE, record.as_record(), Presence::Present);
    assert_eq!(
        domains.poll_event(),
        Some(DomainEvent::Added(found.clone()))
    );
    domains.handle_record(secs(9), HERE, record.as_record(), Presence::Gone);
    assert_eq!(domains.poll_event(), Some(DomainEvent::Removed(found)));
}

#[test]
fn lists_of_several_domains_are_joined_by_who_asks() {
    // 6763-11-8, 6763-11-12
    let searched = ["local", "example.org", "0.2.0.192.in-addr.arpa"]
        .map(|text| text.parse::<NameBuf>().unwrap());
    let found: NameBuf = "services.example.org".parse().unwrap();
    let mut all = BTreeSet::new();
    for domain in searched {
        let mut domains = DomainBrowser::new(DomainKind::LegacyBrowse, domain.as_name());
        let Some(Ask::Start { question, .. }) = domains.poll_ask() else {
            panic!("each is asked for")
        };
        assert!(question.name.ends_with(domain.as_name()));
        let record = RecordBuf::new(question.name, 60, RdataBuf::ptr(found.as_name()));
        domains.handle_record(secs(0), HERE, record.as_record(), Presence::Present);
        all.extend(domains.snapshot().into_iter().map(|(domain, _)| domain));
    }
    assert_eq!(all.into_iter().collect::<Vec<_>>(), [found]);
}
