//! What a responder does not say: what is others', what does not exist, and what belongs to unicast DNS.

mod lan;

use cooee_mdns::RecordSet;
use cooee_sim::HostId;
use cooee_wire::{Class, Flags, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use lan::{
    Lan, a, aaaa, flush, message, name, ptr, query, records, response, service, shop, srv, txt,
};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

/// How many packets a host sends within ten seconds of this payload.
fn sent_after(lan: &mut Lan, host: HostId, payload: &[u8]) -> usize {
    let start = lan.now();
    lan.inject("192.0.2.9:5353", payload);
    lan.run_ms(10_000);
    lan.sent(host, start).len()
}

#[test]
fn what_was_learned_from_others_is_never_said() {
    // 6762-6-1, 6762-6-2, 6762-6-3
    let mut lan = Lan::new(1);
    let host = lan.host("a", 1);
    // The target of our service is another machine.
    lan.publish(host, service("Shop", "other.local", 80));
    lan.run_ms(5000);
    lan.ask(host, "other.local", RecordType::AAAA);
    lan.ask(host, HTTP, RecordType::PTR);
    let others = [
        flush(aaaa("other.local", 9)),
        flush(a("other.local", 9)),
        ptr(HTTP, "Other._http._tcp.local"),
        flush(srv("Other._http._tcp.local", "other.local", 1)),
        flush(txt("Other._http._tcp.local", "x")),
    ];
    lan.inject("192.0.2.9:5353", &response(&others));
    lan.run_ms(5000);
    assert!(lan.answers(host).contains(&others[0].rdata), "it is known");
    let start = lan.now();
    for (owner, kind) in [
        (SHOP, RecordType::SRV),
        (HTTP, RecordType::PTR),
        ("other.local", RecordType::AAAA),
        ("Other._http._tcp.local", RecordType::ANY),
    ] {
        lan.inject("192.0.2.8:5353", &query(owner, kind, &[]));
        lan.inject("192.0.2.8:40000", &query(owner, kind, &[]));
        lan.run_ms(3000);
    }
    let sent = lan.sent(host, start);
    let responses = sent.iter().filter(|packet| lan::is_response(packet));
    let said: Vec<RecordBuf> = responses
        .flat_map(|packet| records(packet))
        .map(|(_, record)| record)
        .collect();
    assert!(said.iter().any(|record| record.name == name(SHOP)));
    for other in &others {
        assert!(
            said.iter().all(|record| record.rdata != other.rdata),
            "{other:?}"
        );
    }
    lan.assert_clean();
}

#[test]
fn for_what_is_not_ours_there_is_no_answer_of_any_kind() {
    // 6762-6-7, 6762-6-11, 6762-12-3, 6762-12-4, 6762-12-5, 6762-12-6
    let (mut lan, host) = shop(2);
    let mut set = RecordSet::new().unique(txt("example.local", "x"));
    set = set.unique(a("example.local", 7));
    lan.publish(host, set);
    lan.run_ms(5000);
    let [axfr, ixfr, maila] = [252, 251, 254].map(RecordType::new);
    for (owner, kind) in [
        ("nobody.local", RecordType::A),
        ("_ipp._tcp.local", RecordType::PTR),
        ("child.example.local", RecordType::TXT),
        ("local", RecordType::NS),
        ("local", RecordType::SOA),
        ("local", axfr),
        ("example.local", axfr),
        ("example.local", ixfr),
        ("example.local", maila),
        ("example.local", RecordType::OPT),
    ] {
        let payload = query(owner, kind, &[]);
        assert_eq!(sent_after(&mut lan, host, &payload), 0, "{owner} {kind}");
        let start = lan.now();
        lan.inject("192.0.2.9:40000", &payload);
        lan.run_ms(1000);
        assert!(lan.sent(host, start).is_empty(), "{owner} {kind}, legacy");
    }
}

#[test]
fn the_class_has_to_match() {
    // 6762-6-5, 6762-6-6
    let (mut lan, host) = shop(3);
    let chaos = RecordBuf {
        class: Class::new(3),
        ..txt("version.local", "1")
    };
    lan.publish(host, RecordSet::new().unique(chaos));
    lan.run_ms(5000);
    let in_class = |owner: &str, kind, class| {
        let question = QuestionBuf {
            class: Class::new(class),
            ..QuestionBuf::new(name(owner), kind)
        };
        message(Flags::QUERY, &[question], &[])
    };
    for (owner, kind, class, answers) in [
        ("box.local", RecordType::A, 1, 1),
        ("box.local", RecordType::A, 255, 1),
        ("box.local", RecordType::A, 3, 0),
        ("version.local", RecordType::TXT, 3, 1),
        ("version.local", RecordType::TXT, 255, 1),
        ("version.local", RecordType::TXT, 1, 0),
        ("version.local", RecordType::TXT, 4, 0),
    ] {
        let count = sent_after(&mut lan, host, &in_class(owner, kind, class));
        assert_eq!(count, answers, "{owner}, class {class}");
    }
}

#[test]
fn what_others_may_have_too_is_never_denied() {
    // 6762-6.1-20, 6762-2-5: only of a name that is all ours do we know what it does not have
    let (mut lan, host) = shop(4);
    for kind in [RecordType::TXT, RecordType::SRV, RecordType::A] {
        assert_eq!(sent_after(&mut lan, host, &query(HTTP, kind, &[])), 0);
    }
}

#[test]
fn a_name_with_a_type_above_255_denies_nothing() {
    // 6762-6.1-11, 6762-6.1-12
    let mut lan = Lan::new(5);
    let host = lan.host("a", 1);
    let caa = RdataBuf::opaque(RecordType::new(257), b"\x00\x05issueca").expect("short");
    let set = RecordSet::new()
        .unique(RecordBuf::new(name("box.local"), 120, caa))
        .unique(txt("box.local", "x"));
    lan.publish(host, set);
    lan.run_ms(5000);
    assert_eq!(
        sent_after(&mut lan, host, &query("box.local", RecordType::A, &[])),
        0
    );
    for packet in lan.network.packets() {
        assert!(
            records(packet)
                .iter()
                .all(|(_, record)| record.kind() != RecordType::NSEC)
        );
    }
}

#[test]
fn what_is_said_beside_our_shared_records_needs_no_answer() {
    // 6762-6.6-1, 6762-6.6-3
    let (mut lan, host) = shop(6);
    let more = ptr(HTTP, "Other._http._tcp.local");
    assert_eq!(sent_after(&mut lan, host, &response(&[more])), 0);
    for same in [
        lan::with_ttl(ptr(HTTP, SHOP), 2250),
        flush(lan::with_ttl(a("box.local", 1), 60)),
    ] {
        assert_eq!(sent_after(&mut lan, host, &response(&[same])), 0);
    }
    assert_eq!(lan.network.node(host).engine.stats().conflicts, 0);
    lan.assert_clean();
}

#[test]
fn two_opt_records_are_no_reason_to_complain() {
    // 6891-6.1.1-6: in multicast DNS there is no FORMERR
    let (mut lan, host) = shop(7);
    let mut payload = query("box.local", RecordType::A, &[]);
    for _ in 0..2 {
        payload.extend([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    }
    payload[11] = 2;
    let start = lan.now();
    lan.inject("192.0.2.9:5353", &payload);
    lan.inject("192.0.2.9:40000", &payload);
    lan.run_ms(1000);
    for packet in lan.sent(host, start) {
        let message = cooee_wire::Message::parse(&packet.payload).expect("a message");
        assert_eq!(message.header().flags.rcode().get(), 0);
    }
    lan.assert_clean();
}
