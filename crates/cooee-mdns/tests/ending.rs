//! The end of an engine: goodbyes, and silence after them.

mod lan;

use cooee_mdns::{Event, LinkSet, PublishError, QueryOptions, RecordSet};
use cooee_wire::{QuestionBuf, RecordType};
use lan::{Lan, name, ptr, response, service};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

#[test]
fn a_shut_down_says_goodbye_once_for_everything() {
    // 6762-10.1-1, ruling 9
    let mut lan = Lan::new(10);
    let shop = lan.host("shop", 1);
    lan.publish(shop, RecordSet::new().host_addresses(name("box.local")));
    lan.publish(shop, service("Shop", "box.local", 80));
    lan.run_ms(5000);
    let start = lan.now();
    lan.network
        .command(shop, |station, now| station.engine.shutdown(now));
    lan.run_ms(10);
    let sent = lan.sent(shop, start);
    assert_eq!(sent.len(), 1, "{}", lan.network.transcript());
    let goodbyes = lan::records(sent[0]);
    assert!(goodbyes.iter().all(|(_, record)| record.ttl == 0));
    for kind in [
        RecordType::PTR,
        RecordType::SRV,
        RecordType::TXT,
        RecordType::A,
        RecordType::AAAA,
    ] {
        assert!(goodbyes.iter().any(|(_, record)| record.kind() == kind));
    }
}

#[test]
fn nothing_is_asked_or_published_after_a_shut_down() {
    // 6762-10.1-1, ruling 9: the goodbyes are the last that is heard of it
    let mut lan = Lan::new(11);
    let host = lan.host("shop", 1);
    let group = lan.publish(host, service("Shop", "box.local", 80));
    lan.ask(host, "_ipp._tcp.local", RecordType::PTR);
    lan.run_ms(5000);
    let other = ptr(HTTP, "Other._http._tcp.local");
    lan.inject("192.0.2.9:5353", &response(std::slice::from_ref(&other)));
    lan.run_ms(10);
    lan.network.command(host, |station, now| {
        let engine = &mut station.engine;
        engine.reconfirm(now, &other.as_record(), &LinkSet::All);
        engine.shutdown(now);
    });
    lan.run_ms(10);
    let start = lan.now();
    let standing = lan.ask(host, HTTP, RecordType::PTR);
    let one_shot = lan.network.command(host, |station, now| {
        let engine = &mut station.engine;
        engine.reconfirm(now, &other.as_record(), &LinkSet::All);
        let refused = Err(PublishError::ShutDown);
        let late = || service("Late", "box.local", 80);
        assert_eq!(
            engine.publish(now, late(), LinkSet::All).map(|_| ()),
            refused
        );
        assert_eq!(engine.update(now, group, late()), refused);
        assert_eq!(engine.rename(now, group, late()), refused);
        let moved = engine.move_to(now, group, LinkSet::All);
        assert_eq!(moved, Err(PublishError::UnknownGroup));
        let question = QuestionBuf::new(name(SHOP), RecordType::SRV);
        engine.query(
            now,
            question,
            QueryOptions::one_shot(lan::ms(3000)),
            LinkSet::All,
        )
    });
    // Everything would begin anew.
    lan.network.suspend(host);
    lan.run_ms(1000);
    lan.network.resume(host);
    lan.run_ms(20_000);
    lan.assert_silent(host, start);
    let events = &lan.network.node(host).events;
    let told: Vec<_> = events.iter().filter(|(at, _)| *at >= start).collect();
    let finished = |query| (start, Event::Finished { query });
    assert_eq!(told, [&finished(standing), &finished(one_shot)]);
}
