//! What is printed reads back as the same, and what is written as the same octets.

use cooee_sd::{
    InstanceName, ServiceName, ServiceType, Subtype, TxtAttributes, TxtValue, next_host_label,
};
use cooee_wire::NameBuf;
use proptest::collection::vec;
use proptest::prelude::*;

fn label() -> impl Strategy<Value = Vec<u8>> {
    // Octets that matter to the text form more often than others.
    let octet = prop_oneof![3 => any::<u8>(), 1 => proptest::sample::select(&b"._\\ 09ab\x00\x7f\xc3\xbc"[..])];
    vec(octet, 1..=63)
}

fn service_type() -> impl Strategy<Value = ServiceType> {
    let name = prop_oneof![
        vec(any::<u8>(), 0..=62),
        "[a-z0-9]{1,15}".prop_map(String::into_bytes),
        Just(b"sub".to_vec()),
        Just(b"tcp".to_vec()),
    ];
    let protocol = proptest::sample::select(&["_tcp", "_UDP"][..]);
    (name, protocol).prop_filter_map("a type", |(name, protocol)| {
        ServiceType::from_labels(&[b"_", &name[..]].concat(), protocol.as_bytes())
    })
}

fn domain() -> impl Strategy<Value = NameBuf> {
    vec(label(), 1..=3).prop_filter_map("a name", |labels| NameBuf::from_labels(labels).ok())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn service_names_survive_printing(instance in label(), service_type in service_type(), domain in domain()) {
        // 6763-4.3-1, 6763-4.1.1-3, 6763-4.2-4
        let instance = InstanceName::from_bytes(&instance).unwrap();
        let Ok(name) = ServiceName::new(instance, service_type, domain.as_name()) else { return Ok(()) };
        for text in [name.to_string(), format!("{name:#}")] {
            let read: ServiceName = text.parse().unwrap();
            prop_assert!(read.as_name().labels().eq(name.as_name().labels()), "{}", text);
        }
        prop_assert!(name.instance().as_bytes() == instance.as_bytes());
        prop_assert!(name.service_type().labels() == service_type.labels());
        prop_assert!(name.domain().labels().eq(domain.labels()));
        prop_assert_eq!(ServiceName::from_name(name.as_name()), Some(name));
    }

    #[test]
    fn types_and_subtypes_survive_printing(service_type in service_type(), subtype in label()) {
        // 6763-7.1-7
        let read: ServiceType = service_type.to_string().parse().unwrap();
        prop_assert!(read.labels() == service_type.labels());
        let subtype = Subtype::from_bytes(&subtype).unwrap();
        let printed = subtype.to_string();
        let read: Subtype = printed.parse().unwrap();
        prop_assert_eq!(read.as_bytes(), subtype.as_bytes());
    }

    #[test]
    fn dots_in_an_instance_need_no_escape(instance in "[a-zA-Z0-9.,’ _-]{1,20}") {
        // 6763-B.1-1
        let whole = format!("{instance}._http._tcp.local");
        prop_assume!(!instance.to_ascii_lowercase().ends_with("._sub"));
        let name: ServiceName = whole.parse().unwrap();
        prop_assert!(name.instance().as_str() == Some(instance.as_str()));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,80}|[._\\\\a-z0-9]{0,80}") {
        let _ = (text.parse::<ServiceName>(), text.parse::<ServiceType>(), text.parse::<Subtype>());
        let _ = (text.parse::<InstanceName>(), ServiceType::parse_with_subtype(&text));
        prop_assert!(InstanceName::truncated(&text).check_publishable().is_ok());
    }

    #[test]
    fn renaming_keeps_the_rules(text in "\\PC{1,80}", times in 1..30_usize) {
        // 6763-D-1, 6763-4.1.1-9
        let mut name = InstanceName::truncated(&text);
        for _ in 0..times {
            let next = name.next();
            prop_assert!(next != name && next.check_publishable().is_ok());
            name = next;
        }
        prop_assert!(next_host_label(&text).len() <= 63);
    }

    #[test]
    fn txt_strings_survive_byte_for_byte(strings in vec(vec(any::<u8>(), 0..=255), 0..20)) {
        // 6763-6.1-3, 6763-6.1-6, 6763-6.5-1
        let txt = TxtAttributes::from_strings(&strings).unwrap();
        prop_assert!(!txt.rdata().is_empty() && txt.rdata().len() == txt.wire_len());
        let read = TxtAttributes::from_rdata(txt.rdata()).unwrap();
        prop_assert_eq!(&read, &txt);
        if !txt.is_empty() {
            prop_assert!(txt.strings().eq(strings.iter().map(Vec::as_slice)));
        }
        for (key, value) in txt.iter() {
            prop_assert_eq!(txt.get(key), Some(value), "what is listed is what is looked up");
        }
    }

    #[test]
    fn any_octets_are_txt_data_or_refused(octets in vec(any::<u8>(), 0..300)) {
        // 6763-6.1-4
        if let Ok(txt) = TxtAttributes::from_rdata(&octets) {
            if octets.len() > 1 {
                prop_assert_eq!(txt.rdata(), &octets[..]);
            }
            let _ = (txt.advice(), txt.entries().count());
        }
    }

    #[test]
    fn a_value_that_was_set_is_found_and_no_other_changed(
        before in vec(("[a-c]{1,2}", proptest::option::of(vec(any::<u8>(), 0..9))), 0..8),
        key in "[a-cA-C]{1,2}",
        value in vec(any::<u8>(), 0..20),
    ) {
        // 6763-6.4-7, 6763-6.4-11, 6763-6.7-1
        let mut txt = TxtAttributes::new();
        for (key, value) in &before {
            match value {
                Some(value) => txt.set(key, value).unwrap(),
                None => txt.set_flag(key).unwrap(),
            }
        }
        let other = |txt: &TxtAttributes| -> Vec<(String, Option<Vec<u8>>)> {
            let mine = txt.iter().filter(|(other, _)| !other.eq_ignore_ascii_case(&key));
            mine.map(|(key, value)| (key.into(), (value != TxtValue::None).then(|| value.as_bytes().into()))).collect()
        };
        let others = other(&txt);
        txt.set(&key, &value).unwrap();
        prop_assert_eq!(txt.get_bytes(&key), Some(&value[..]));
        prop_assert_eq!(other(&txt), others.clone());
        prop_assert!(txt.remove(&key) && !txt.contains(&key));
        prop_assert_eq!(other(&txt), others);
    }
}
