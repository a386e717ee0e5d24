//! Lint over what seven other stacks have sent in our lab: the captures of the corpus.
//!
//! They hold messages without times, and no message twice, so that rules about time and about what was said before cannot be
//! judged. What a message breaks by itself can.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::testkit::packet;
use super::{Inspector, Packet};

/// The senders, each with an address of its own.
const SENDERS: &[&str] = &[
    "avahi",
    "bonjour-service",
    "ciao",
    "dig",
    "jmdns",
    "mdns-sd",
    "multicast-dns",
    "zeroconf",
];

/// Rules that need to know when something was said, or what before.
const NEED_TIME: &[&str] = &[
    "announce-once",
    "announce-periodic",
    "conflict",
    "flush-partial",
    "known-ignored",
    "known-stale",
    "no-answer-nsec",
    "no-backoff",
    "no-probe",
    "probe-timing",
    "qu-repeated",
    "repeat-question",
    "repeat-record",
    "txt-missing",
    "unicast-unasked",
];

fn captured(sender: &str, number: usize) -> Vec<Packet> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cooee-wire/tests/corpus");
    let text = std::fs::read_to_string(corpus.join(format!("lab-{sender}.hex"))).unwrap();
    let from = format!("192.0.2.{}", number + 10);
    (0..)
        .zip(text.lines())
        .map(|(place, line)| {
            let octets = (0..line.len() / 2)
                .map(|at| u8::from_str_radix(&line[at * 2..at * 2 + 2], 16).unwrap());
            let packet = packet(place * 2_000, &from, octets.collect());
            // A reply with a number and a question is for a legacy querier.
            let is_legacy = !packet.payload.starts_with(&[0, 0]);
            match sender {
                "dig" => packet.sent_from(40_000),
                _ if is_legacy => packet.to("192.0.2.9:40000"),
                _ => packet,
            }
        })
        .collect()
}

#[test]
fn what_other_stacks_send_is_judged_as_before() {
    let mut told = String::new();
    for (number, sender) in SENDERS.iter().enumerate() {
        let mut inspector = Inspector::new(true);
        let mut kinds: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        let packets = captured(sender, number);
        let count = packets.len();
        for packet in packets {
            for finding in inspector.inspect(packet).findings {
                let rule = finding.rule;
                if !NEED_TIME.contains(&rule.id) {
                    let key = (rule.id, rule.clause, finding.level().word());
                    *kinds.entry(key).or_default() += 1;
                }
            }
        }
        writeln!(told, "{sender}, {count} messages").unwrap();
        for ((id, clause, level), count) in kinds {
            writeln!(told, "  {id:<22}{clause:<14}{level:<8}{count:>4} names").unwrap();
        }
    }
    insta::assert_snapshot!(told);
}
