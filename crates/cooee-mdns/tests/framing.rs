//! RFC 6762 §18, and what every packet has in common: header, destination, size, and where the cache-flush bit is.

mod lan;

use cooee_mdns::{LinkAddress, LinkInfo, LinkSet, QueryOptions, RecordSet};
use cooee_sim::HostId;
use cooee_wire::{Flags, Message, QuestionBuf, RecordType, Section};
use lan::{Lan, a, is_response, message, name, ptr, query, questions, records, service};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";
const LEGACY: &str = "192.0.2.9:40000";

/// Two hosts that publish, browse and ask, a simple resolver, and a querier that wants unicast.
fn busy(seed: u64) -> (Lan, HostId) {
    let mut lan = Lan::new(seed);
    let host = lan.host("shop", 1);
    let other = lan.host("other", 2);
    lan.ask(other, HTTP, RecordType::PTR);
    lan.publish(host, RecordSet::new().host_addresses(name("box.local")));
    let group = lan.publish(host, service("Shop", "box.local", 80));
    lan.publish(other, service("Second", "other.local", 80));
    lan.run_ms(5000);
    for (source, unicast_response) in [(LEGACY, false), ("192.0.2.9:5353", true)] {
        let question = QuestionBuf {
            unicast_response,
            ..QuestionBuf::new(name(SHOP), RecordType::SRV)
        };
        lan.inject(source, &message(Flags::QUERY, &[question], &[]));
        lan.run_ms(2000);
    }
    lan.withdraw(host, group);
    lan.run_ms(5000);
    (lan, host)
}

#[test]
fn every_packet_has_a_plain_header() {
    // 6762-1-1, 6762-18.1-4, 6762-18.2-1, 6762-18.2-2, 6762-18.3-1, 6762-18.4-1, 6762-18.4-2, 6762-18.6-1, 6762-18.7-1, 6762-18.8-1,
    // 6762-18.9-1, 6762-18.10-1, 6762-18.11-1
    let (lan, _) = busy(1);
    let (mut queries, mut responses) = (0, 0);
    let ours = lan.network.packets().iter();
    for packet in ours.filter(|packet| packet.host.is_some()) {
        let flags = u16::from_be_bytes([packet.payload[2], packet.payload[3]]);
        if packet.destination.to_string() != LEGACY {
            assert_eq!(packet.payload[..2], [0, 0], "{packet}");
        }
        if is_response(packet) {
            responses += 1;
            assert_eq!(flags, 0x8400, "{packet}");
        } else {
            queries += 1;
            assert_eq!(flags & !0x0200, 0, "{packet}");
        }
    }
    assert!(queries > 5 && responses > 5, "{}", lan.network.transcript());
    lan.assert_clean();
}

#[test]
fn multicast_goes_to_the_group_and_unicast_to_who_may_have_it() {
    // 6762-2-1, 6762-3-5, 6762-6-26, 6762-6-27, 6762-22-1, 6762-12-2
    let (lan, _) = busy(2);
    let ours = lan.network.packets().iter();
    for packet in ours.filter(|packet| packet.host.is_some()) {
        let to = packet.destination.to_string();
        let group = match packet.source.is_ipv4() {
            true => "224.0.0.251:5353",
            false => "[ff02::fb]:5353",
        };
        if to == group {
            continue;
        }
        assert!(is_response(packet), "a query by unicast: {packet}");
        // The simple resolver, the one that wants unicast, and the two that probe.
        let allowed = [LEGACY, "192.0.2.9:5353"];
        let to_prober = to.starts_with("192.0.2.") || to.starts_with("[fe80::");
        assert!(allowed.contains(&&*to) || to_prober, "{packet}");
    }
    // A question that is QM and comes to all from port 5353 is never answered by unicast.
    let (mut lan, host) = busy(3);
    let start = lan.now();
    for kind in [RecordType::A, RecordType::AAAA, RecordType::ANY] {
        lan.inject("192.0.2.9:5353", &query("box.local", kind, &[]));
        lan.run_ms(2000);
    }
    let sent = lan.sent(host, start);
    assert_eq!(sent.len(), 3);
    assert!(
        sent.iter()
            .all(|packet| packet.destination.ip().is_multicast())
    );
}

#[test]
fn whatever_is_asked_is_asked_of_all() {
    // 6762-3-5, 6762-4-1, 6762-4-2: names of the link, and addresses that mean something on one link only
    let mut lan = Lan::new(4);
    let host = lan.host("a", 1);
    let owners = [
        "x.local",
        "X.LOCAL",
        "2.1.254.169.in-addr.arpa",
        &format!("1.{}8.e.f.ip6.arpa", "0.".repeat(28)),
        &format!("1.{}9.e.f.ip6.arpa", "0.".repeat(28)),
        &format!("1.{}a.e.f.ip6.arpa", "0.".repeat(28)),
        &format!("1.{}b.e.f.ip6.arpa", "0.".repeat(28)),
    ];
    for owner in owners {
        lan.ask(host, owner, RecordType::PTR);
    }
    lan.run_ms(10_000);
    for owner in owners {
        let asked = lan.asked_at(host, cooee_mdns::Instant::ZERO, owner, RecordType::PTR);
        assert_eq!(asked.len(), 4, "{owner}");
    }
    let all = lan.network.packets().iter();
    for packet in all {
        let group = match packet.source.is_ipv4() {
            true => "224.0.0.251:5353",
            false => "[ff02::fb]:5353",
        };
        assert_eq!(packet.destination.to_string(), group);
    }
}

#[test]
fn the_cache_flush_bit_stands_in_responses_to_port_5353_and_nowhere_else() {
    // 6762-10.2-3, 6762-10.2-10, 6762-10.2-11
    let (lan, _) = busy(5);
    let (mut flushed, mut by_unicast) = (0, 0);
    let ours = lan.network.packets().iter();
    for packet in ours.filter(|packet| packet.host.is_some()) {
        let to_5353 = packet.destination.port() == 5353;
        for (_, record) in records(packet) {
            let is_shared =
                record.name == name(HTTP) || record.name == name("_services._dns-sd._udp.local");
            // A goodbye takes back one record and leaves the rest of its set alone.
            let wanted = is_response(packet) && to_5353 && !is_shared && record.ttl > 0;
            assert_eq!(record.cache_flush, wanted, "{packet}");
            flushed += usize::from(record.cache_flush);
            by_unicast += usize::from(wanted && !packet.destination.ip().is_multicast());
        }
    }
    assert!(flushed > 10 && by_unicast > 1, "{flushed}, {by_unicast}");
}

#[test]
fn a_link_that_carries_more_gets_no_larger_packets_and_one_that_carries_less_smaller_ones() {
    // 6762-17-2, 6762-17-8, 6762-8.3-2, ruling 13
    for (mtu, limit) in [(9000, 1452), (1500, 1452), (1280, 1232), (65_536, 1452)] {
        let mut engine =
            cooee_mdns::Engine::new(cooee_mdns::Config::default(), 1, cooee_mdns::Instant::ZERO);
        let mut now = cooee_mdns::Instant::ZERO;
        let mut info = LinkInfo::new([LinkAddress::new([192, 0, 2, 1], 24)]);
        info.mtu = mtu;
        engine.link_up(now, cooee_mdns::LinkId(1), info);
        for number in 0..200 {
            let set = service(&format!("Service {number}"), "box.local", 80);
            engine.publish(now, set, LinkSet::All).expect("a new name");
        }
        let question = QuestionBuf::new(name(HTTP), RecordType::PTR);
        engine.query(now, question, QueryOptions::standing(), LinkSet::All);
        let (mut buffer, mut largest) = (Vec::new(), 0);
        let mut announced = std::collections::BTreeSet::new();
        while let Some(due) = engine
            .poll_timeout()
            .filter(|due| due.as_micros() < 5_000_000)
        {
            now = now.max(due);
            engine.handle_timeout(now);
            while let Some(transmit) = engine.poll_transmit(now, &mut buffer) {
                largest = largest.max(buffer.len());
                let message = Message::parse(&buffer).expect("a message");
                if message.header().flags.is_response() {
                    let records = message.records().filter_map(Result::ok);
                    let kinds = records.filter(|(_, record)| record.kind() == RecordType::SRV);
                    announced.extend(kinds.map(|(_, record)| record.name.to_string()));
                }
                for family in transmit.destination.families() {
                    engine.transmitted(now, transmit.id, family, true);
                }
            }
        }
        assert!((limit - 150..=limit).contains(&largest), "{mtu}: {largest}");
        assert_eq!(announced.len(), 200, "all of them, in several packets");
    }
}

#[test]
fn queries_and_probes_say_each_suffix_once() {
    // 6762-18.14-1, 6762-18.14-2, 6762-18.14-3, 6762-5.3-1
    let mut lan = Lan::new(7);
    let host = lan.host("a", 1);
    for number in 0..3 {
        lan.publish(host, service(&format!("Shop{number}"), "box.local", 80));
    }
    lan.run_ms(300);
    let packet = &lan.network.packets()[0];
    assert_eq!(questions(packet).len(), 3);
    let proposed = records(packet);
    assert!(
        proposed
            .iter()
            .all(|(section, _)| *section == Section::Authority)
    );
    let occurrences = |text: &[u8]| {
        let windows = packet.payload.windows(text.len());
        windows.filter(|window| *window == text).count()
    };
    assert_eq!(occurrences(b"\x05_http\x04_tcp\x05local"), 1);
    assert_eq!(occurrences(b"\x05local"), 1, "in the targets of SRV too");
    // The same for ten answers: each costs its first label, two pointers and twelve octets of fields.
    let set = (0..10).fold(RecordSet::new(), |set, number| {
        set.shared(ptr("_x._tcp.local", &format!("n{number}._x._tcp.local")))
    });
    let host = lan.host("b", 2);
    let start = lan.now();
    lan.publish(host, set);
    lan.run_ms(50);
    let payload = &lan.sent(host, start)[0].payload;
    assert_eq!(payload.len(), 12 + (15 + 10 + 5) + 9 * (2 + 10 + 5));
}

#[test]
fn names_go_out_as_the_octets_they_are() {
    // 6762-16-2, 6762-16-4, 6762-F-1: UTF-8, no other form of it, and nothing in front
    let mut lan = Lan::new(8);
    let host = lan.host("a", 1);
    lan.publish(host, RecordSet::new().unique(a("bücher.local", 1)));
    lan.ask(host, "日本.local", RecordType::A);
    lan.run_ms(5000);
    let contains = |payload: &[u8], text: &[u8]| payload.windows(text.len()).any(|w| w == text);
    let all = lan.network.packets();
    assert!(
        all.iter()
            .any(|p| contains(&p.payload, "\u{7}bücher".as_bytes()))
    );
    assert!(
        all.iter()
            .any(|p| contains(&p.payload, "\u{6}日本".as_bytes()))
    );
    for packet in all {
        assert!(!contains(&packet.payload, b"xn--"));
        assert!(!contains(&packet.payload, "\u{feff}".as_bytes()));
    }
}
