use super::*;
use cooee_wire::{Data, RecordType};

fn lobby() -> ServiceRecords {
    ServiceRecords::new(
        "Lobby._ipp._tcp".parse().unwrap(),
        "tabasco.local".parse().unwrap(),
        631,
    )
}

fn owners(records: &[RecordBuf]) -> Vec<String> {
    records
        .iter()
        .map(|record| record.name.to_string())
        .collect()
}

#[test]
fn a_service_is_srv_txt_and_pointers() {
    // 6763-1-2, 6763-1-3, 6763-1-4, 6763-4.1.1-4, 6763-6.8-1, 6763-7.1-2, 6763-7.1-3, 6763-7.1-4, 6763-9-1, 6762-10-1, 6762-10-2
    let records = lobby()
        .subtype("_color".parse().unwrap())
        .subtype("duplex".parse().unwrap())
        .build()
        .unwrap();
    assert_eq!(owners(&records.unique), ["Lobby._ipp._tcp.local"; 2]);
    let kinds: Vec<_> = records
        .unique
        .iter()
        .map(|record| (record.kind(), record.ttl))
        .collect();
    assert_eq!(kinds, [(RecordType::SRV, 120), (RecordType::TXT, 4500)]);
    assert_eq!(
        owners(&records.shared),
        [
            "_ipp._tcp.local",
            "_color._sub._ipp._tcp.local",
            "duplex._sub._ipp._tcp.local",
            "_services._dns-sd._udp.local"
        ]
    );
    for (at, record) in records.shared.iter().enumerate() {
        let Ok(Data::Ptr(target)) = record.as_record().data() else {
            panic!("{record:?}")
        };
        let wanted = if at == 3 {
            "_ipp._tcp.local"
        } else {
            "Lobby._ipp._tcp.local"
        };
        assert_eq!((target.to_string().as_str(), record.ttl), (wanted, 4500));
    }
}

#[test]
fn priority_and_weight_are_zero_unless_set() {
    // 6763-5-4, 2782-format-7
    let srv = |records: ServiceRecords| {
        let records = records.build().unwrap();
        records.unique[0].rdata.octets()[..6].to_vec()
    };
    assert_eq!(srv(lobby()), [0, 0, 0, 0, 2, 119]);
    assert_eq!(srv(lobby().priority(1).weight(2)), [0, 1, 0, 2, 2, 119]);
}

#[test]
fn a_service_without_attributes_has_a_txt_record_of_one_zero_byte() {
    // 6763-6-1, 6763-6.1-5, 6763-6.1-6, 6763-6.3-6: neither host nor port is repeated in it.
    let records = lobby().build().unwrap();
    assert_eq!(records.unique[1].rdata.octets(), [0]);
}

#[test]
fn a_lifetime_is_that_of_what_is_unique() {
    // 6762-10-1, 6762-10-2
    let records = lobby().ttl(30).build().unwrap();
    assert!(records.unique.iter().all(|record| record.ttl == 30));
    assert!(records.shared.iter().all(|record| record.ttl == 4500));
}

#[test]
fn a_placeholder_has_port_0_and_cannot_be_browsed() {
    // 6763-8-3, 6763-8-6, 6763-16-2
    let name = "Lobby._printer._tcp".parse().unwrap();
    let records = ServiceRecords::placeholder(name, "tabasco.local".parse().unwrap())
        .build()
        .unwrap();
    assert!(records.shared.is_empty());
    let Ok(Data::Srv(srv)) = records.unique[0].as_record().data() else {
        panic!()
    };
    assert_eq!((srv.priority, srv.weight, srv.port), (0, 0, 0));
    assert_eq!(srv.target.to_string(), "tabasco.local");
}

#[test]
fn what_cannot_be_published_says_which_record_and_why() {
    // 6763-8-5, 6763-6.1-2, 6763-7.2-1
    let named = |instance: &[u8], service_type: &[u8]| {
        let instance = InstanceName::from_bytes(instance).unwrap();
        let service_type = crate::ServiceType::from_labels(service_type, b"_tcp").unwrap();
        let name = ServiceName::local(instance, service_type);
        ServiceRecords::new(name, "tabasco.local".parse().unwrap(), 1)
    };
    let large = TxtAttributes::from_strings((0..40).map(|_| [b'x'; 250])).unwrap();
    let deep = NameBuf::from_labels(["d".repeat(63), "d".repeat(63), "d".repeat(48)]).unwrap();
    let name = ServiceName::new(
        InstanceName::truncated("x"),
        crate::ServiceType::tcp("ipp").unwrap(),
        deep.as_name(),
    );
    let long = ServiceRecords::new(name.unwrap(), "tabasco.local".parse().unwrap(), 1);
    for (records, part) in [
        (named(b"a\nb", b"_ipp"), "control character U+000A"),
        (named(b"\xff", b"_ipp"), "not UTF-8"),
        (named(b"x", b"_a_b"), "only letters, digits and hyphens"),
        (
            lobby().txt(large),
            "the TXT record of \"Lobby._ipp._tcp.local\"",
        ),
        (ServiceRecords { port: 0, ..lobby() }, "port 0"),
        (lobby().on_host(NameBuf::root()), "names no host"),
        (
            long.subtype(Subtype::from_bytes(&[b's'; 63]).unwrap())
                .subtype("x".parse().unwrap()),
            "more than 255 bytes",
        ),
    ] {
        let error = records.build().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_longest_names_compress_to_78_bytes_a_pointer() {
    // 6763-7.2-2, 6763-7.2-6, 6763-B.2-1, 6763-1-1
    use cooee_wire::{Compression, Flags, MessageBuilder};
    let service_type = crate::ServiceType::tcp("a23456789012345").unwrap();
    let [service, protocol] = service_type.labels();
    assert_eq!(
        (1 + service.len(), 1 + service.len() + 1 + protocol.len()),
        (17, 22)
    );
    let mut buffer = [0; 4096];
    let mut message =
        MessageBuilder::new(&mut buffer, 0, Flags::RESPONSE, Compression::Unicast).unwrap();
    let mut lengths = Vec::new();
    for number in 0..10 {
        let instance = InstanceName::truncated(&format!("{number:063}"));
        let name = ServiceName::local(instance, service_type);
        let records = ServiceRecords::new(name, "tabasco.local".parse().unwrap(), 1)
            .build()
            .unwrap();
        assert!(
            records
                .unique
                .iter()
                .chain(&records.shared)
                .all(|record| record.class == cooee_wire::Class::IN)
        );
        let before = message.len();
        message.answer(records.shared[0].as_record()).unwrap();
        lengths.push(message.len() - before);
    }
    assert_eq!(lengths[1..], [78; 9]);
}
