//! All that the monitor prints, of one short session.

use cooee::wire::{Flags, RecordType};

use super::testkit::*;
use super::{Finding, Inspected, Inspector, Packet, Shape, Summary};
use crate::paint::Paint;

const WEB: &str = r"Keith\226\128\153s\032web\032server._http._tcp.local";
const BOX: &str = "192.0.2.17";

fn session() -> Vec<Packet> {
    let service = [srv(WEB, 8080), txt(WEB, &["path=/", "u=keith"])];
    let flushed = unique(
        "_http._tcp.local",
        4_500,
        ptr("_http._tcp.local", WEB).rdata,
    );
    let announcement = response(&[
        ptr("_http._tcp.local", WEB),
        service[0].clone(),
        service[1].clone(),
        a("box.local", 17),
    ]);
    let asked = [ask("_http._tcp.local", RecordType::PTR)];
    let mut truncated = query(&asked, &[ptr("_http._tcp.local", WEB)]);
    truncated[2] |= 2;
    let probe = probe(&service);
    let legacy = [ask(WEB, RecordType::SRV)];
    let hostile = response(&[txt(
        r"\027[31mred.\226\128\174._ipp._tcp.local",
        &["note=\u{1b}]0;x\u{7}"],
    )]);
    vec![
        packet(0, BOX, probe.clone()),
        packet(1, "fe80::17", probe.clone()),
        packet(250, BOX, probe),
        packet(750, BOX, announcement),
        packet(1_000, "fe80::1", truncated),
        packet(1_100, BOX, response(&[flushed])),
        packet(2_000, "192.0.2.9", query(&legacy, &[])).sent_from(40_000),
        packet(
            2_030,
            BOX,
            message(
                Flags::RESPONSE,
                &legacy,
                &[(ANSWER, shared(living(service[0].clone(), 10)))],
            ),
        )
        .to("192.0.2.9:40000"),
        packet(3_000, "192.0.2.66", hostile),
        packet(
            4_000,
            "192.0.2.66",
            b"\0\0\x84\0\0\0\0\x01\0\0\0\0\xc0\x20".to_vec(),
        ),
        packet(
            9_000,
            BOX,
            response(&[living(ptr("_http._tcp.local", WEB), 0)]),
        ),
    ]
}

struct Seen {
    packets: Vec<Inspected>,
    late: Vec<Finding>,
    summary: Summary,
    counts: Vec<(&'static str, u64)>,
}

fn seen() -> Seen {
    let mut inspector = Inspector::new(true);
    inspector.know_own(["192.0.2.9".parse().unwrap()]);
    let mut summary = Summary::new();
    let packets: Vec<Inspected> = session()
        .into_iter()
        .map(|packet| inspector.inspect(packet))
        .inspect(|seen| summary.add(seen))
        .collect();
    let late = inspector.pass(&moment(20_000));
    Seen {
        packets,
        late,
        summary,
        counts: inspector.counts(),
    }
}

fn rows(shape: Shape, verbose: bool) -> String {
    let Seen { packets, late, .. } = seen();
    let mut lines = Vec::new();
    for seen in &packets {
        let time = seen.packet.moment.rfc3339();
        // The time of day, without regard to where the test runs.
        let time = time.get(11..23).unwrap_or_default();
        lines.push(shape.packet(seen, time));
        if verbose {
            lines.extend(shape.details(seen));
        }
        let findings = seen.findings.iter();
        lines.extend(findings.map(|finding| shape.finding(finding, Some(seen.number))));
    }
    lines.extend(late.iter().map(|finding| shape.finding(finding, None)));
    lines.join("\n")
}

/// One line of each event of the monitor, for the test of the schema.
pub(crate) fn events() -> Vec<String> {
    let Seen {
        packets,
        late,
        summary,
        counts,
    } = seen();
    let mut lines: Vec<String> = Vec::new();
    for seen in &packets {
        lines.push(seen.json());
        let findings = seen.findings.iter();
        lines.extend(findings.map(|finding| finding.json(&seen.packet.moment)));
    }
    let end = moment(20_000);
    lines.extend(late.iter().map(|finding| finding.json(&end)));
    lines.push(summary.json(&end, &counts));
    lines
}

fn shape(width: Option<usize>) -> Shape {
    Shape {
        width,
        paint: Paint::OFF,
    }
}

#[test]
fn a_session_on_a_terminal() {
    insta::assert_snapshot!(rows(shape(Some(120)), false));
}

#[test]
fn a_session_with_every_record() {
    insta::assert_snapshot!(rows(shape(Some(120)), true));
}

#[test]
fn a_session_in_a_pipe() {
    insta::assert_snapshot!(rows(shape(None), false));
}

#[test]
fn a_session_as_json() {
    insta::assert_snapshot!(events().join("\n"));
}

#[test]
fn the_summary_of_a_session() {
    let Seen {
        summary, counts, ..
    } = seen();
    insta::assert_snapshot!(summary.lines(&counts).join("\n"));
}

#[test]
fn nothing_that_a_stranger_says_reaches_the_terminal_as_it_is() {
    for shape in [shape(Some(80)), shape(None)] {
        let shown = rows(shape, true);
        let hostile = |c: char| crate::escape::is_hostile(c) && c != '\n' && c != '\t';
        assert!(!shown.chars().any(hostile), "{shown}");
    }
}
