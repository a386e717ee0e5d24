use cooee::wire::RecordType;

use super::{Case, case, rule};
use crate::monitor::packet::Packet;
use crate::monitor::testkit::*;

const BOX: &str = "192.0.2.1";
const WEB: &str = "Web._http._tcp.local";
const OTHER: &str = "192.0.2.2";

fn told(at: u64, ttl: u32) -> Packet {
    packet(at, BOX, response(&[living(srv(WEB, 80), ttl)]))
}

fn asked(at: u64) -> Packet {
    packet(
        at,
        BOX,
        query(&[ask("_http._tcp.local", RecordType::PTR)], &[]),
    )
}

fn asked_unicast(at: u64) -> Packet {
    let question = [ask_unicast("_http._tcp.local", RecordType::PTR)];
    packet(at, BOX, query(&question, &[]))
}

pub(super) fn cases() -> Vec<Case> {
    let web = ptr("_http._tcp.local", WEB);
    let host = |at| packet(at, BOX, response(&[a("box.local", 1)]));
    let listed = |at| packet(at, BOX, response(std::slice::from_ref(&web)));
    vec![
        // 6762-6-30
        case(
            rule::REPEAT_RECORD,
            [told(0, 120), told(400, 120)],
            [told(0, 120), told(1_000, 120)],
        ),
        // Ruling 8: the first goodbye counts apart; a defence may come after 250 ms.
        case(
            rule::REPEAT_RECORD,
            [told(0, 0), told(400, 0)],
            [told(0, 120), told(400, 0)],
        ),
        case(
            rule::REPEAT_RECORD,
            [
                told(0, 120),
                packet(200, OTHER, probe(&[srv(WEB, 81)])),
                told(210, 120),
            ],
            [
                told(0, 120),
                packet(200, OTHER, probe(&[srv(WEB, 81)])),
                told(250, 120),
            ],
        ),
        case(
            rule::REPEAT_RECORD.perhaps(),
            [listed(0), listed(400)],
            [listed(0), listed(1_000)],
        ),
        // The host's addresses: another program there may tell them too.
        case(
            rule::REPEAT_RECORD.perhaps(),
            [host(0), host(400)],
            [host(0), host(1_000)],
        ),
        // 6762-5.2-2
        case(
            rule::REPEAT_QUESTION,
            [asked(0), asked(500)],
            // A legacy querier and a prober have other rules.
            [
                asked(0),
                asked(1_000),
                asked(1_100).sent_from(4_000),
                packet(1_200, BOX, probe(&[a("box.local", 1)])),
                packet(1_450, BOX, probe(&[a("box.local", 1)])),
            ],
        ),
        // 6762-5.2-3
        case(
            rule::NO_BACKOFF,
            [asked(0), asked(5_000), asked(10_000), asked(15_000)],
            [
                asked(0),
                asked(1_000),
                asked(3_000),
                asked(7_000),
                asked(15_000),
            ],
        ),
        // 6762-5.4-4
        case(
            rule::QU_REPEATED,
            [asked_unicast(0), asked_unicast(1_000)],
            [asked_unicast(0), asked(1_000)],
        ),
        // 6762-8.3-5
        case(
            rule::ANNOUNCE_ONCE,
            [told(0, 120), asked(5_000)],
            [told(0, 120), told(1_000, 120), asked(5_000)],
        ),
        // Nobody announces what is gone.
        case(
            rule::ANNOUNCE_ONCE,
            [told(0, 120)],
            [told(0, 120), told(500, 0)],
        ),
        // 6762-8.3-7
        case(
            rule::ANNOUNCE_PERIODIC,
            (0..5).map(|n| told(n * 20_000, 120)),
            // Announcements, each pause twice the one before.
            [0, 1_000, 3_000, 7_000, 15_000].map(|at| told(at, 120)),
        ),
    ]
}
