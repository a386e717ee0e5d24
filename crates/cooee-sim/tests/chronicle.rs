//! What a failing test prints.

use std::time::Duration;

use cooee_mdns::{LinkSet, QueryOptions, RecordSet};
use cooee_sim::{Conditions, Network};
use cooee_wire::{QuestionBuf, RdataBuf, RecordBuf, RecordType};

#[test]
fn a_chronicle_reads_like_a_capture_with_what_was_told_in_between() {
    let mut network = Network::new(7);
    let lan = network.add_link(Conditions::default());
    let [alice, bob] = ["alice", "bob"].map(|name| network.add_station(name));
    for (host, address) in [(alice, "192.0.2.1/24"), (bob, "192.0.2.2/24")] {
        network.join(host, lan, &[address.parse().expect("an address")]);
    }
    let owner = || "note.local".parse().expect("a name");
    let text = RecordBuf::new(owner(), 120, RdataBuf::txt([b"hello"]).expect("short"));
    network
        .command(alice, |node, now| {
            let records = RecordSet::new().unique(text);
            node.engine.publish(now, records, LinkSet::All)
        })
        .expect("it can be published");
    let question = QuestionBuf::new(owner(), RecordType::TXT);
    network.command(bob, |node, now| {
        node.engine
            .query(now, question, QueryOptions::standing(), LinkSet::All)
    });
    network.run_for(Duration::from_secs(2));

    let chronicle = network.chronicle();
    let mut lines = chronicle.lines();
    assert_eq!(lines.next(), Some("seed 7"));
    let times: Vec<f64> = lines
        .clone()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    assert!(times.len() > 6 && times.is_sorted(), "{chronicle}");
    let mut wanted = [
        "alice    > all   ? note.local ANY QU ns [note.local TXT \"hello\" ttl 120]",
        "alice    > all   = an [note.local TXT \"hello\" ttl 120 flush]",
        "alice    ready",
        "bob      + note.local TXT \"hello\" on link 1",
    ]
    .into_iter()
    .peekable();
    for line in lines {
        wanted.next_if(|wanted| line.contains(wanted));
    }
    assert_eq!(wanted.next(), None, "{chronicle}");
}
