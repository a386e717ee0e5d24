//! Every rule can be broken and is seen; what comes close to breaking it is not.

mod answers;
mod claims;
mod content;
mod flush;
mod frame;
mod pace;

use super::rule::{self, Rule};
use crate::monitor::Inspector;
use crate::monitor::packet::Packet;
use crate::monitor::testkit::moment;

/// A rule, packets that break it, and packets that do not.
struct Case {
    rule: Rule,
    breaks: Vec<Packet>,
    keeps: Vec<Packet>,
}

fn case(
    rule: Rule,
    breaks: impl IntoIterator<Item = Packet>,
    keeps: impl IntoIterator<Item = Packet>,
) -> Case {
    Case {
        rule,
        breaks: breaks.into_iter().collect(),
        keeps: keeps.into_iter().collect(),
    }
}

fn all() -> Vec<Case> {
    [
        frame::cases(),
        content::cases(),
        flush::cases(),
        pace::cases(),
        answers::cases(),
        claims::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The rules that packets break, and what is said of each, ten seconds after the last one.
fn broken(packets: &[Packet]) -> Vec<(Rule, String)> {
    let mut inspector = Inspector::new(true);
    let mut findings = Vec::new();
    let mut last = 0;
    for packet in packets {
        last = packet.moment.millis();
        findings.extend(inspector.inspect(packet.clone()).findings);
    }
    findings.extend(inspector.pass(&moment(last + 10_000)));
    let told = findings.into_iter();
    told.map(|finding| (finding.rule, finding.text)).collect()
}

#[test]
fn what_breaks_a_rule_is_seen_and_what_does_not_is_not() {
    for case in all() {
        let named = |told: &[(Rule, String)]| told.iter().any(|(rule, _)| *rule == case.rule);
        let told = broken(&case.breaks);
        assert!(named(&told), "{:?} is not seen, but {told:?}", case.rule);
        let told = broken(&case.keeps);
        assert!(
            !named(&told),
            "{:?} is seen without reason: {told:?}",
            case.rule
        );
    }
}

#[test]
fn every_rule_of_the_catalogue_has_a_case() {
    let cases = all();
    for rule in rule::ALL {
        // What is less sure in some cases has the same name and clause.
        let is_it = |case: &Case| (case.rule.id, case.rule.clause) == (rule.id, rule.clause);
        assert!(cases.iter().any(is_it), "{rule:?}");
    }
}

#[test]
fn the_catalogue_of_the_document_is_that_of_the_code() {
    let document = include_str!("../../../../../../docs/monitor.md");
    let written: Vec<(&str, &str, &str)> = document
        .lines()
        .filter_map(|line| {
            let mut columns = line.strip_prefix("| `")?.split(" | ");
            let id = columns.next()?.strip_suffix('`')?;
            Some((id, columns.next()?, columns.next()?))
        })
        .filter(|(_, clause, _)| clause.contains('-'))
        .collect();
    let levels: Vec<String> = rule::ALL.iter().map(|rule| rule.advertised()).collect();
    let coded: Vec<(&str, &str, &str)> = rule::ALL
        .iter()
        .zip(&levels)
        .map(|(rule, level)| (rule.id, rule.clause, level.as_str()))
        .collect();
    assert_eq!(written, coded);
}

#[test]
fn a_finding_is_told_once_for_a_host_and_name_and_then_counted() {
    use crate::monitor::testkit::{packet, ptr, response};
    let shared = crate::monitor::testkit::unique(
        "_http._tcp.local",
        4_500,
        ptr("_http._tcp.local", "Web._http._tcp.local").rdata,
    );
    let payload = response(&[shared]);
    let mut inspector = Inspector::new(true);
    let told: Vec<usize> = [(0, "192.0.2.1"), (2_000, "192.0.2.1"), (4_000, "192.0.2.2")]
        .map(|(at, from)| {
            let seen = inspector.inspect(packet(at, from, payload.clone()));
            let findings = seen.findings.iter();
            findings
                .filter(|finding| finding.rule == rule::FLUSH_SHARED)
                .count()
        })
        .to_vec();
    assert_eq!(told, [1, 0, 1]);
    assert!(inspector.counts().contains(&("flush-shared", 3)));
}
