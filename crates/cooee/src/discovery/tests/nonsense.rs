//! What a neighbour may say: it harms nobody else, and costs a bounded amount.

use cooee_wire::RdataBuf;

use super::lan::{Lan, name, pointer, record, target};
use super::{names, web};
use crate::{Browser, FoundService};

fn found(browser: &mut Browser, wanted: &str) -> Option<FoundService> {
    let mut services = browser.snapshot().services.into_iter();
    services.find(|service| service.instance().to_string() == wanted)
}

#[test]
fn octets_in_a_txt_record_that_are_no_attributes_are_no_harm() {
    // 6763-6.4-2, 6763-6.4-7, 6763-6.4-8
    let mut lan = Lan::new(61);
    let bob = lan.host("bob", 2);
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    let odd = "Odd._http._tcp.local";
    let strings: [&[u8]; 8] = [
        b"=no key",
        b"",
        b"\xff\xfe=\xff\0",
        b"path=/first",
        b"PATH=/second",
        b"\x1b[2J=escape",
        b"flag",
        b"binary=\0\xff",
    ];
    lan.say(&[
        pointer(odd),
        target(odd, "odd.local"),
        record(odd, RdataBuf::txt(strings).unwrap()),
        record("odd.local", RdataBuf::a([192, 0, 2, 66].into())),
    ]);
    lan.run_ms(2000);
    let service = found(&mut browser, "Odd").unwrap();
    let txt = service.txt();
    assert_eq!(txt.get_str("path"), Some("/first"));
    assert_eq!(txt.get_bytes("binary"), Some(&b"\0\xff"[..]));
    assert!(txt.contains("flag") && !txt.contains(""));
    assert_eq!(txt.strings().count(), strings.len());
    lan.assert_clean();
}

#[test]
fn services_that_lead_nowhere_are_never_added_and_stop_nobody() {
    let mut lan = Lan::new(62);
    let bob = lan.host("bob", 2);
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    let (root, ring, own) = (
        "Root._http._tcp.local",
        "Ring._http._tcp.local",
        "Own._http._tcp.local",
    );
    let alias = |from: &str, to: &str| record(from, RdataBuf::cname(name(to).as_name()));
    let txt = |of: &str| record(of, RdataBuf::txt([b"path=/"]).unwrap());
    lan.say(&[
        pointer(root),
        target(root, "."),
        txt(root),
        pointer(ring),
        target(ring, "a.local"),
        txt(ring),
        alias("a.local", "b.local"),
        alias("b.local", "c.local"),
        alias("c.local", "a.local"),
        // The target is the service itself, and a pointer leads to its own name.
        pointer(own),
        target(own, own),
        txt(own),
        pointer("_http._tcp.local"),
        pointer("."),
    ]);
    let alice = lan.host("alice", 1);
    let _alice = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    lan.run_ms(60_000);
    assert_eq!(names(&mut browser), ["Alice"]);
    let before = lan.simulation.packets().len();
    lan.run_ms(60_000);
    let more = lan.simulation.packets().len() - before;
    assert!(more <= 40, "{more} packets in a minute");
    lan.assert_clean();
}

#[test]
fn ten_thousand_instances_of_a_neighbour_leave_room_for_others() {
    let mut lan = Lan::new(63);
    let bob = lan.host("bob", 2);
    let mut browser = bob.zeroconf.browse("_http._tcp").unwrap();
    for thousand in 0..10 {
        let pointers: Vec<_> = (0..1000)
            .map(|n| pointer(&format!("Nobody {thousand}{n:03}._http._tcp.local")))
            .collect();
        lan.say(&pointers);
    }
    let alice = lan.host("alice", 1);
    let _alice = lan.wait(alice.zeroconf.publish(web("Alice"))).unwrap();
    lan.run_ms(1000);
    assert_eq!(names(&mut browser), ["Alice"]);
    assert_eq!(browser.snapshot().unresolved.len(), 10_000);
    // Their SRV and TXT are asked for, packed and ever more seldom.
    let before = lan.simulation.packets().len();
    lan.run_ms(10_000);
    let packets = lan.simulation.packets().len() - before;
    assert!(packets <= 3000, "{packets}");
    lan.assert_clean();
}
