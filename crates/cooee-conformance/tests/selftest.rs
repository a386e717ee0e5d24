//! Every test can pass, and every one can warn or fail: a tiny responder, or querier, is right, or has the fault that the test is there to
//! find.
//!
//! Needs root, for network namespaces; otherwise it says so and ends.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use Verdict::{Fail, NotApplicable, Pass, Warn};
use cooee_conformance::{Lab, Outcome, Role, Start, Test, Verdict, all, run};

/// A subject that is adapter and stack in one, and what its faults are found by.
struct Suite {
    role: Role,
    program: &'static str,
    /// The links that it has, as many at a time: nearly all of the time is waiting. Both suites run at once, each on its own.
    lanes: Range<usize>,
    faults: &'static [Finds],
    further: &'static [Finds],
}

/// A test, the fault that it finds, and what it says of it.
type Finds = (&'static str, &'static str, Verdict);

const RESPONDER: Suite = Suite {
    role: Role::Responder,
    program: env!("CARGO_BIN_EXE_tiny-responder"),
    lanes: 0..44,
    faults: FAULTS_OF_RESPONDERS,
    further: FURTHER_OF_RESPONDERS,
};

const QUERIER: Suite = Suite {
    role: Role::Querier,
    program: env!("CARGO_BIN_EXE_tiny-querier"),
    lanes: 44..64,
    faults: FAULTS_OF_QUERIERS,
    further: FURTHER_OF_QUERIERS,
};

/// A test that did not say what it should is asked again: on a busy machine a timer is late now and then.
const ATTEMPTS: usize = 3;

/// Which fault each test of a responder finds.
const FAULTS_OF_RESPONDERS: &[Finds] = &[
    ("6762-8.1-1/probes-first", "no-probe", Fail),
    ("6762-8.1-5/three-probes", "two-probes", Fail),
    ("6762-8.1-6/waits-after-probes", "hasty", Fail),
    ("6762-8.1-2/probes-with-any", "probe-srv", Warn),
    ("6762-8.1-13/probes-want-unicast", "probe-qm", Warn),
    ("6762-8.2-1/probes-propose", "probe-empty", Fail),
    ("6762-18.1-4/query-header", "query-aa", Fail),
    ("6762-8.3-1/announces-everything", "announce-partly", Fail),
    ("6762-8.3-5/announces-twice", "announce-once", Fail),
    ("6762-8.3-6/announcements-end", "announce-forever", Fail),
    ("6762-8.3-4/announces-with-flush", "no-flush", Fail),
    ("6762-8.3-3/shared-without-flush", "flush-shared", Fail),
    ("6762-10-1/ttl-of-host-records", "odd-ttl", Warn),
    ("6762-10-2/ttl-of-other-records", "odd-ttl", Warn),
    ("6763-6.1-3/txt-as-given", "txt-order", Warn),
    ("6763-5-4/srv-numbers", "odd-port", Fail),
    ("6762-18.4-2/response-header", "response-id", Fail),
    ("6762-6-12/no-questions", "echo-question", Fail),
    ("6762-6-24/from-port-5353", "other-port", Fail),
    ("6762-11-1/hop-limit", "hop-limit", Warn),
    ("6762-20-2/both-families", "v4-only", Warn),
    ("1035-4.1-1/well-formed", "broken", Fail),
    ("6762-18.14-1/compresses", "plain", Warn),
    ("6762-8.1-14/denied-at-first-probe", "deaf-prober", Fail),
    ("6762-8.1-14/denied-after-last-probe", "deaf-prober", Fail),
    ("6762-8.1-17/denied-by-another-type", "deaf-prober", Fail),
    (
        "6762-8.1-16/hearsay-before-probing",
        "believes-hearsay",
        Fail,
    ),
    ("6762-8.2-7/simultaneous-probe-lost", "stubborn", Fail),
    ("6762-8.2-6/simultaneous-probe-won", "coward", Warn),
    ("6762-8.2.1-4/identical-probe", "coward", Warn),
    ("6762-8.2-4/query-while-probing", "answers-early", Fail),
    ("6762-8.1-18/back-off", "no-back-off", Fail),
    ("6762-8.1-11/defends-instance", "no-defence", Fail),
    ("6762-8.1-11/defends-host", "no-defence", Fail),
    ("6762-5.4-10/defends-by-unicast-too", "no-defence", Fail),
    ("6762-6-32/defends-within-the-second", "limit-defence", Fail),
    ("6762-9-3/conflict-in-srv", "no-conflict", Fail),
    ("6762-9-3/conflict-in-address", "no-conflict", Fail),
    ("6762-9-4/conflict-lost", "no-conflict", Fail),
    ("6762-9-2/identical-is-no-conflict", "jumpy", Fail),
    ("6762-6.6-1/shared-is-no-conflict", "jumpy", Fail),
    ("6762-6.6-4/corrects-a-low-ttl", "no-correction", Fail),
    ("6762-6-25/response-from-another-port", "any-port", Fail),
    ("6762-6-29/unasked-unicast-response", "any-unicast", Warn),
    (
        "6762-7.1-7/known-answer-is-no-conflict",
        "known-conflict",
        Fail,
    ),
    ("6762-18.11-2/error-response-ignored", "any-rcode", Fail),
    ("6762-6-4/answers-by-type", "mute-txt", Fail),
    ("6762-6.5-1/any-of-instance", "any-first", Fail),
    ("6762-6.5-1/any-of-host", "any-first no-additionals", Fail),
    ("6762-6-5/class-any", "class-strict", Fail),
    ("6762-6-5/class-of-others", "class-blind", Fail),
    ("6762-16-5/case", "case-sensitive", Fail),
    ("6762-18.6-2/header-bits-ignored", "header-strict", Fail),
    ("6762-18.3-2/opcode-ignored", "any-opcode", Fail),
    ("6762-18.11-2/rcode-ignored", "any-rcode", Fail),
    (
        "6762-6.3-1/several-questions",
        "first-question no-additionals",
        Fail,
    ),
    ("6762-6-2/only-own-records", "gossip", Fail),
    ("6762-20-2/answers-by-ipv6", "v4-only", Warn),
    ("6762-6.2-1/all-addresses", "few-addresses", Warn),
    ("6762-6.2-2/no-address-of-other-links", "leak", Fail),
    ("6762-6.2-4/other-family", "no-additionals", Warn),
    ("6762-10.2-8/flush-on-unique", "no-flush", Fail),
    ("6762-10.2-14/no-flush-on-shared", "flush-shared", Fail),
    ("6762-18.4-2/answer-header", "echo-question", Fail),
    ("6762-6-26/answers-by-multicast", "unicast-always", Fail),
    ("6763-12.1-1/additionals-of-ptr", "no-additionals", Warn),
    ("6763-12.2-1/additionals-of-srv", "no-additionals", Warn),
    ("6762-10-1/ttl-in-answers", "odd-ttl", Warn),
    ("6762-6.1-1/negative-for-host", "no-nsec", Fail),
    ("6762-6.1-1/negative-for-instance", "no-nsec", Fail),
    ("6762-6.1-7/form-of-nsec", "nsec-itself", Fail),
    ("6762-6.1-19/ttl-of-nsec", "nsec-ttl", Warn),
    ("6762-6.1-20/silent-for-others", "nxdomain", Fail),
    ("6762-6-10/silent-for-shared", "nxdomain", Fail),
    ("6762-6-17/unique-answer-at-once", "slow", Warn),
    ("6762-6-21/shared-answer-delayed", "no-delay", Warn),
    ("6762-6-23/truncated-query-delayed", "no-delay", Warn),
    ("6762-6.3-2/several-questions-delayed", "no-delay", Warn),
    ("6762-6.4-1/answers-together", "no-aggregation", Warn),
    ("6762-6-30/once-a-second", "no-limit", Fail),
    ("6762-6-30/asked-in-a-burst", "no-limit", Fail),
    ("6762-7.1-3/known-answer", "no-suppression", Fail),
    ("6762-7.1-3/known-answer-at-half", "no-suppression", Fail),
    ("6762-7.1-4/known-answer-below-half", "suppress-any", Fail),
    ("6762-7.1-3/other-known-answer", "suppress-blind", Fail),
    ("6762-7.1-3/known-unique-answer", "no-suppression", Fail),
    (
        "6762-7.2-6/known-answer-in-next-packet",
        "no-suppression",
        Fail,
    ),
    (
        "6762-7.2-6/known-answer-of-another-host",
        "any-host-continues",
        Fail,
    ),
    ("6762-7.4-1/duplicate-answer", "no-duplicate-check", Warn),
    (
        "6762-7.4-1/duplicate-answer-with-low-ttl",
        "duplicate-any-ttl",
        Warn,
    ),
    ("6762-5.4-8/unicast-question", "no-unicast", Warn),
    (
        "6762-5.4-9/unicast-question-after-a-quarter",
        "always-unicast",
        Warn,
    ),
    (
        "6762-5.4-11/unicast-answer-like-multicast",
        "no-flush",
        Fail,
    ),
    ("6762-5.5-1/direct-query", "no-direct", Warn),
    (
        "6762-5.5-2/direct-query-from-elsewhere",
        "answers-elsewhere",
        Warn,
    ),
    (
        "6762-11-7/multicast-query-from-elsewhere",
        "unicast-elsewhere",
        Warn,
    ),
    ("6762-6.7-2/legacy-query", "no-legacy", Fail),
    ("6762-6.7-4/legacy-id-and-question", "legacy-plain", Fail),
    ("6762-6.7-5/legacy-without-flush", "legacy-flush", Fail),
    ("6762-6.7-6/legacy-ttl", "legacy-ttl", Warn),
    (
        "6762-18.14-10/legacy-srv-uncompressed",
        "legacy-compressed",
        Fail,
    ),
    ("6891-6.1.1-3/legacy-edns", "legacy-opt", Fail),
    ("6762-6.7-3/legacy-shared", "no-legacy", Fail),
    ("6763-9-1/service-types", "no-types", Fail),
    ("6763-7.1-1/subtype", "no-subtype", Fail),
    ("6763-7.1-3/type-beside-subtype", "only-subtype", Fail),
    ("6763-7.1-2/subtype-is-no-type", "types-subtype", Fail),
    ("6763-4.1.1-1/name-beyond-ascii", "ascii-names", Warn),
    ("6763-4.1.1-3/name-with-dots", "splits-dots", Fail),
    ("6763-6.1-6/empty-txt", "padded-txt", Fail),
    ("6763-6.4-8/attribute-without-value", "padded-txt", Fail),
    ("6763-6.5-1/odd-values", "txt-order", Warn),
    ("6762-17-7/many-instances", "jumbo", Fail),
    ("6762-17-6/large-record", "jumbo", Fail),
    ("6762-10.1-1/goodbye-at-withdrawal", "no-goodbye", Warn),
    ("6762-10.1-1/goodbye-at-shutdown", "no-goodbye", Warn),
    ("6762-8.4-1/announces-new-txt", "silent-update", Fail),
    ("6762-8.4-1/answers-with-new-txt", "stale-update", Fail),
    ("6762-8.4-4/renames", "rude-rename", Fail),
    ("6762-8-2/hot-plug", "no-replug", Warn),
    ("6762-8-2/link-down-and-up", "no-replug", Warn),
    ("6762-8.4-2/new-address", "no-readdress", Fail),
    ("1035-4.1-2/survives-short-messages", "fragile", Fail),
    ("1035-4.1.4-4/survives-pointer-loops", "fragile", Fail),
    ("1035-4.1.1-10/survives-false-counts", "fragile", Fail),
    ("6762-21-1/survives-noise", "fragile", Fail),
    ("6762-6.1-16/survives-broken-records", "fragile", Fail),
    ("6891-6.1.1-1/query-with-opt", "opt-shy", Fail),
    ("6762-6.3-1/odd-question-beside", "type-shy", Fail),
];

/// Which fault each test of a querier finds.
const FAULTS_OF_QUERIERS: &[Finds] = &[
    ("6763-4.1-1/asks-for-instances", "mute", Fail),
    ("6762-5.2-6/first-question-is-delayed", "no-delay", Warn),
    ("6762-5.2-2/second-question-after-a-second", "hasty", Fail),
    ("6762-5.2-3/intervals-grow", "even-intervals", Fail),
    ("6762-18.2-1/header-of-queries", "odd-header", Fail),
    (
        "6762-5.4-7/later-question-is-multicast",
        "unicast-first",
        Warn,
    ),
    (
        "6762-5.4-4/repeated-question-is-multicast",
        "unicast-always",
        Warn,
    ),
    ("6762-20-2/asks-by-both-families", "v4-only", Warn),
    ("6762-5.2-1/stops-asking", "never-stops", Fail),
    ("6762-5.2-13/does-not-ask-unbidden", "curious", Fail),
    (
        "6762-5.2-15/unique-answer-ends-the-series",
        "restless",
        Warn,
    ),
    (
        "6762-6.1-5/negative-answer-ends-the-series",
        "nsec-blind",
        Warn,
    ),
    ("6762-7.3-1/question-of-another-host", "lonely", Warn),
    ("6762-7.3-1/question-that-knows-more", "gullible", Warn),
    ("6762-7.1-1/lists-known-answers", "no-known", Fail),
    (
        "6762-10.2-13/known-answers-without-flush",
        "known-flush",
        Fail,
    ),
    ("6762-7.1-5/omits-old-answers", "known-old", Warn),
    ("6762-7.2-2/many-known-answers", "no-tc", Fail),
    (
        "6762-7.1-2/unique-answers-are-not-listed",
        "known-unique",
        Warn,
    ),
    (
        "6762-7.1-6/known-answers-of-others",
        "believes-questions",
        Fail,
    ),
    ("6762-5.2-18/answer-by-multicast", "deaf", Fail),
    ("6762-18.1-1/announcement", "asked-only", Fail),
    ("6762-18.1-3/announced-before", "deaf", Fail),
    ("6762-16-5/answer-in-other-case", "case-sensitive", Fail),
    ("6762-6-13/answer-with-question", "question-shy", Fail),
    ("6762-18.1-5/answer-with-id", "id-strict", Fail),
    ("6762-18.4-3/answer-with-odd-bits", "header-strict", Fail),
    ("6762-18.11-2/answer-with-error", "any-rcode", Fail),
    ("6762-18.3-2/answer-with-opcode", "any-opcode", Fail),
    ("6762-6-25/answer-from-another-port", "any-port", Fail),
    ("6762-6-29/unasked-unicast-answer", "any-unicast", Fail),
    (
        "6762-5.4-2/unicast-answer-to-unicast-question",
        "no-unicast",
        Fail,
    ),
    (
        "6762-11-3/unicast-answer-from-elsewhere",
        "any-unicast any-network",
        Fail,
    ),
    (
        "6762-11-4/multicast-answer-from-elsewhere",
        "net-strict",
        Fail,
    ),
    ("6762-5.2-10/refreshes-before-expiry", "no-refresh", Warn),
    ("6762-5.2-16/refreshes-unique-answer", "early-refresh", Warn),
    ("6762-5.2-12/expires", "immortal", Warn),
    ("6762-5.2-11/refreshed-record-stays", "no-renewal", Fail),
    ("6762-10.1-2/goodbye", "no-goodbye", Fail),
    ("6762-10.1-3/goodbye-taken-back", "goodbye-final", Warn),
    ("6762-10.1-2/goodbye-of-another", "goodbye-wide", Fail),
    ("6762-10.2-4/cache-flush", "no-flush", Fail),
    ("6762-10.2-5/cache-flush-in-a-burst", "flush-at-once", Warn),
    ("6762-10.5-2/observes-failures", "no-observation", Warn),
    (
        "6762-10.5-2/observes-what-is-known",
        "observes-blindly",
        Fail,
    ),
];

/// What the RFC leaves open, and the graver verdict of tests that have two.
const FURTHER_OF_RESPONDERS: &[Finds] = &[
    // RFC 6762 §18.6: RD should be zero, no more.
    ("6762-18.4-2/response-header", "recursion", Warn),
    ("6762-18.4-2/answer-header", "recursion", Warn),
    (
        "6762-5.4-11/unicast-answer-like-multicast",
        "recursion",
        Warn,
    ),
    // RFC 6762 §6.1: who has probed for one type has no right to deny the others.
    (
        "6762-6.1-1/negative-for-host",
        "probe-srv no-nsec",
        NotApplicable,
    ),
    (
        "6762-6.1-1/negative-for-instance",
        "probe-srv no-nsec",
        NotApplicable,
    ),
    // RFC 6762 §8.1: another name is chosen once it is probed for.
    ("6762-8.1-14/denied-at-first-probe", "endless-prober", Pass),
    ("6762-8.1-14/denied-at-first-probe", "gives-up", Warn),
    // RFC 6762 §8.3: eight announcements may be sent, the last two minutes after the first.
    ("6762-18.3-2/opcode-ignored", "late-announcement", Pass),
    ("6762-6.1-20/silent-for-others", "late-announcement", Pass),
    (
        "6762-6.6-4/corrects-a-low-ttl",
        "no-correction late-announcement",
        Fail,
    ),
    ("6762-7.1-3/known-answer", "late-announcement", Pass),
    ("6762-7.1-3/known-unique-answer", "late-announcement", Pass),
    (
        "6762-5.5-2/direct-query-from-elsewhere",
        "late-announcement",
        Pass,
    ),
    ("6762-10.1-1/goodbye-at-withdrawal", "zombie", Fail),
];

const FURTHER_OF_QUERIERS: &[Finds] = &[
    // RFC 6762 §5.1: a one-shot query comes from any port but 5353.
    ("6763-4.1-1/asks-for-instances", "one-shot", Pass),
    ("6763-4.1-1/asks-for-instances", "legacy-port", Fail),
    ("6762-18.4-3/answer-with-odd-bits", "aa-strict", Fail),
];

impl Suite {
    fn tests(&self) -> Vec<Test> {
        let mut tests = all();
        tests.retain(|test| test.role == self.role);
        tests
    }
}

/// Tests to run against the tiny subject with one fault, or none, and what each shall say.
#[derive(Clone)]
struct Job {
    fault: &'static str,
    tests: Vec<(Test, Verdict)>,
    attempt: usize,
}

#[test]
fn every_test_has_a_fault_to_find() {
    for suite in [RESPONDER, QUERIER] {
        let names: Vec<&str> = suite.tests().iter().map(|test| test.name).collect();
        for name in &names {
            let of_it = suite.faults.iter().filter(|(of, ..)| of == name);
            assert_eq!(of_it.count(), 1, "{name}");
        }
        for (name, ..) in suite.faults.iter().chain(suite.further) {
            assert!(names.contains(name), "{name}");
        }
    }
}

#[test]
fn each_test_of_a_responder_passes_and_fails_by_right() {
    check(&RESPONDER);
}

#[test]
fn each_test_of_a_querier_passes_and_fails_by_right() {
    check(&QUERIER);
}

fn check(suite: &Suite) {
    if let Err(error) = Lab::new(suite.lanes.start) {
        println!("not run: no network namespaces here ({error})");
        return;
    }
    let queue = Mutex::new(jobs(suite));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in suite.lanes.clone() {
            let (queue, wrong) = (&queue, &wrong);
            scope.spawn(move || work(suite.program, lane, queue, wrong));
        }
    });
    let wrong = wrong.into_inner().expect("no lane panics");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The longest first. A fault may leave the next test nothing to stand on, so only a few share a subject that has one.
fn jobs(suite: &Suite) -> VecDeque<Job> {
    let mut of_fault: BTreeMap<&'static str, Vec<(Test, Verdict)>> = BTreeMap::new();
    for test in suite.tests() {
        of_fault.entry("").or_default().push((test, Pass));
        let cases = suite.faults.iter().chain(suite.further);
        for (_, fault, verdict) in cases.filter(|(name, ..)| *name == test.name) {
            of_fault.entry(fault).or_default().push((test, *verdict));
        }
    }
    let mut jobs = Vec::new();
    for (fault, tests) in of_fault {
        let (fresh, shared): (Vec<_>, Vec<_>) = tests
            .into_iter()
            .partition(|(test, _)| test.start == Start::Fresh);
        let together = if fault.is_empty() { 12 } else { 2 };
        let parts = shared.len().div_ceil(together);
        let of_part = |part| shared.iter().skip(part).step_by(parts).copied().collect();
        let alone = fresh.into_iter().map(|test| vec![test]);
        jobs.extend((0..parts).map(of_part).chain(alone).map(|tests| Job {
            fault,
            tests,
            attempt: 1,
        }));
    }
    jobs.sort_by_key(|job| {
        Reverse(
            job.tests
                .iter()
                .map(|(test, _)| test.takes())
                .sum::<Duration>(),
        )
    });
    jobs.into()
}

fn work(program: &str, lane: usize, queue: &Mutex<VecDeque<Job>>, wrong: &Mutex<Vec<String>>) {
    let lab = Lab::new(lane).expect("a lab");
    lab.enter().expect("a namespace");
    loop {
        let next = queue.lock().expect("no lane panics").pop_front();
        let Some(job) = next else { return };
        let place = lab.place(&format!("exec {program} {}", job.fault));
        let tests: Vec<Test> = job.tests.iter().map(|(test, _)| *test).collect();
        let done = run(&place, &tests, &|_| {});
        let wanted = |outcome: &Outcome| {
            let mut tests = job.tests.iter();
            tests
                .find(|(test, _)| test.name == outcome.test.name)
                .map_or(NotApplicable, |(_, verdict)| *verdict)
        };
        let odd: Vec<&Outcome> = done
            .outcomes
            .iter()
            .filter(|outcome| outcome.verdict != wanted(outcome))
            .collect();
        if odd.is_empty() {
            continue;
        }
        if job.attempt < ATTEMPTS {
            queue.lock().expect("no lane panics").push_back(Job {
                tests: odd
                    .iter()
                    .map(|outcome| (outcome.test, wanted(outcome)))
                    .collect(),
                attempt: job.attempt + 1,
                ..job
            });
            continue;
        }
        let mut wrong = wrong.lock().expect("no lane panics");
        for outcome in odd {
            wrong.push(format!(
                "with fault '{}' not {}: {}",
                job.fault,
                wanted(outcome),
                cooee_conformance::text(outcome)
            ));
        }
    }
}
