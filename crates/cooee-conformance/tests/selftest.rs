//! Every test can pass, and every one can fail: a tiny responder, or querier, is right, or has the fault that the test is there to find.
//!
//! Needs root, for network namespaces; otherwise it says so and ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use cooee_conformance::{Lab, Outcome, Role, Test, Verdict, all, run};

/// A subject that is adapter and stack in one, and what its faults are found by.
struct Suite {
    role: Role,
    program: &'static str,
    faults: &'static [(&'static str, &'static str)],
}

const RESPONDER: Suite = Suite {
    role: Role::Responder,
    program: env!("CARGO_BIN_EXE_tiny-responder"),
    faults: FAULTS_OF_RESPONDERS,
};

const QUERIER: Suite = Suite {
    role: Role::Querier,
    program: env!("CARGO_BIN_EXE_tiny-querier"),
    faults: FAULTS_OF_QUERIERS,
};

/// So many links at a time: nearly all of the time is waiting.
const LANES: usize = 16;

/// A test that did not say what it should is asked again: on a busy machine a timer is late now and then.
const ATTEMPTS: usize = 3;

/// Which fault each test of a responder finds.
const FAULTS_OF_RESPONDERS: &[(&str, &str)] = &[
    ("6762-8.1-1/probes-first", "no-probe"),
    ("6762-8.1-5/three-probes", "two-probes"),
    ("6762-8.1-6/waits-after-probes", "hasty"),
    ("6762-8.1-2/probes-with-any", "probe-srv"),
    ("6762-8.1-13/probes-want-unicast", "probe-qm"),
    ("6762-8.2-1/probes-propose", "probe-empty"),
    ("6762-18.1-4/query-header", "query-aa"),
    ("6762-8.3-1/announces-everything", "announce-partly"),
    ("6762-8.3-5/announces-twice", "announce-once"),
    ("6762-8.3-6/announcements-end", "announce-forever"),
    ("6762-8.3-4/announces-with-flush", "no-flush"),
    ("6762-8.3-3/shared-without-flush", "flush-shared"),
    ("6762-10-1/ttl-of-host-records", "odd-ttl"),
    ("6762-10-2/ttl-of-other-records", "odd-ttl"),
    ("6763-6.1-3/txt-as-given", "txt-order"),
    ("6763-5-4/srv-numbers", "odd-port"),
    ("6762-18.4-2/response-header", "response-id"),
    ("6762-6-12/no-questions", "echo-question"),
    ("6762-6-24/from-port-5353", "other-port"),
    ("6762-11-1/hop-limit", "hop-limit"),
    ("6762-20-2/both-families", "v4-only"),
    ("1035-4.1-1/well-formed", "broken"),
    ("6762-18.14-1/compresses", "plain"),
    ("6762-8.1-14/denied-at-first-probe", "deaf-prober"),
    ("6762-8.1-14/denied-after-last-probe", "deaf-prober"),
    ("6762-8.1-17/denied-by-another-type", "deaf-prober"),
    ("6762-8.1-16/hearsay-before-probing", "believes-hearsay"),
    ("6762-8.2-7/simultaneous-probe-lost", "stubborn"),
    ("6762-8.2-6/simultaneous-probe-won", "coward"),
    ("6762-8.2.1-4/identical-probe", "coward"),
    ("6762-8.2-4/query-while-probing", "answers-early"),
    ("6762-8.1-18/back-off", "no-back-off"),
    ("6762-8.1-11/defends-instance", "no-defence"),
    ("6762-8.1-11/defends-host", "no-defence"),
    ("6762-5.4-10/defends-by-unicast-too", "no-defence"),
    ("6762-6-32/defends-within-the-second", "limit-defence"),
    ("6762-9-3/conflict-in-srv", "no-conflict"),
    ("6762-9-3/conflict-in-address", "no-conflict"),
    ("6762-9-4/conflict-lost", "no-conflict"),
    ("6762-9-2/identical-is-no-conflict", "jumpy"),
    ("6762-6.6-1/shared-is-no-conflict", "jumpy"),
    ("6762-6.6-4/corrects-a-low-ttl", "no-correction"),
    ("6762-6-25/response-from-another-port", "any-port"),
    ("6762-6-29/unasked-unicast-response", "any-unicast"),
    ("6762-7.1-7/known-answer-is-no-conflict", "known-conflict"),
    ("6762-18.11-2/error-response-ignored", "any-rcode"),
    ("6762-6-4/answers-by-type", "mute-txt"),
    ("6762-6.5-1/any-of-instance", "any-first"),
    ("6762-6.5-1/any-of-host", "any-first no-additionals"),
    ("6762-6-5/class-any", "class-strict"),
    ("6762-6-5/class-of-others", "class-blind"),
    ("6762-16-5/case", "case-sensitive"),
    ("6762-18.6-2/header-bits-ignored", "header-strict"),
    ("6762-18.3-2/opcode-ignored", "any-opcode"),
    ("6762-18.11-2/rcode-ignored", "any-rcode"),
    (
        "6762-6.3-1/several-questions",
        "first-question no-additionals",
    ),
    ("6762-6-2/only-own-records", "gossip"),
    ("6762-20-2/answers-by-ipv6", "v4-only"),
    ("6762-6.2-1/all-addresses", "few-addresses"),
    ("6762-6.2-2/no-address-of-other-links", "leak"),
    ("6762-6.2-4/other-family", "no-additionals"),
    ("6762-10.2-8/flush-on-unique", "no-flush"),
    ("6762-10.2-14/no-flush-on-shared", "flush-shared"),
    ("6762-18.4-2/answer-header", "echo-question"),
    ("6762-6-26/answers-by-multicast", "unicast-always"),
    ("6763-12.1-1/additionals-of-ptr", "no-additionals"),
    ("6763-12.2-1/additionals-of-srv", "no-additionals"),
    ("6762-10-1/ttl-in-answers", "odd-ttl"),
    ("6762-6.1-1/negative-for-host", "no-nsec"),
    ("6762-6.1-1/negative-for-instance", "no-nsec"),
    ("6762-6.1-7/form-of-nsec", "nsec-itself"),
    ("6762-6.1-19/ttl-of-nsec", "nsec-ttl"),
    ("6762-6.1-20/silent-for-others", "nxdomain"),
    ("6762-6-10/silent-for-shared", "nxdomain"),
    ("6762-6-17/unique-answer-at-once", "slow"),
    ("6762-6-21/shared-answer-delayed", "no-delay"),
    ("6762-6-23/truncated-query-delayed", "no-delay"),
    ("6762-6.3-2/several-questions-delayed", "no-delay"),
    ("6762-6.4-1/answers-together", "no-aggregation"),
    ("6762-6-30/once-a-second", "no-limit"),
    ("6762-6-30/asked-in-a-burst", "no-limit"),
    ("6762-7.1-3/known-answer", "no-suppression"),
    ("6762-7.1-3/known-answer-at-half", "no-suppression"),
    ("6762-7.1-4/known-answer-below-half", "suppress-any"),
    ("6762-7.1-3/other-known-answer", "suppress-blind"),
    ("6762-7.1-3/known-unique-answer", "no-suppression"),
    ("6762-7.2-6/known-answer-in-next-packet", "no-suppression"),
    (
        "6762-7.2-6/known-answer-of-another-host",
        "any-host-continues",
    ),
    ("6762-7.4-1/duplicate-answer", "no-duplicate-check"),
    (
        "6762-7.4-1/duplicate-answer-with-low-ttl",
        "duplicate-any-ttl",
    ),
    ("6762-5.4-8/unicast-question", "no-unicast"),
    (
        "6762-5.4-9/unicast-question-after-a-quarter",
        "always-unicast",
    ),
    ("6762-5.4-11/unicast-answer-like-multicast", "no-flush"),
    ("6762-5.5-1/direct-query", "no-direct"),
    (
        "6762-5.5-2/direct-query-from-elsewhere",
        "answers-elsewhere",
    ),
    (
        "6762-11-7/multicast-query-from-elsewhere",
        "unicast-elsewhere",
    ),
    ("6762-6.7-2/legacy-query", "no-legacy"),
    ("6762-6.7-4/legacy-id-and-question", "legacy-plain"),
    ("6762-6.7-5/legacy-without-flush", "legacy-flush"),
    ("6762-6.7-6/legacy-ttl", "legacy-ttl"),
    ("6762-18.14-10/legacy-srv-uncompressed", "legacy-compressed"),
    ("6891-6.1.1-3/legacy-edns", "legacy-opt"),
    ("6762-6.7-3/legacy-shared", "no-legacy"),
    ("6763-9-1/service-types", "no-types"),
    ("6763-7.1-1/subtype", "no-subtype"),
    ("6763-7.1-3/type-beside-subtype", "only-subtype"),
    ("6763-7.1-2/subtype-is-no-type", "types-subtype"),
    ("6763-4.1.1-1/name-beyond-ascii", "ascii-names"),
    ("6763-4.1.1-3/name-with-dots", "splits-dots"),
    ("6763-6.1-6/empty-txt", "padded-txt"),
    ("6763-6.4-8/attribute-without-value", "padded-txt"),
    ("6763-6.5-1/odd-values", "txt-order"),
    ("6762-17-7/many-instances", "jumbo"),
    ("6762-17-6/large-record", "jumbo"),
    ("6762-10.1-1/goodbye-at-withdrawal", "no-goodbye"),
    ("6762-10.1-1/goodbye-at-shutdown", "no-goodbye"),
    ("6762-8.4-1/announces-new-txt", "silent-update"),
    ("6762-8.4-1/answers-with-new-txt", "stale-update"),
    ("6762-8.4-4/renames", "rude-rename"),
    ("6762-8-2/hot-plug", "no-replug"),
    ("6762-8-2/link-down-and-up", "no-replug"),
    ("6762-8.4-2/new-address", "no-readdress"),
    ("1035-4.1-2/survives-short-messages", "fragile"),
    ("1035-4.1.4-4/survives-pointer-loops", "fragile"),
    ("1035-4.1.1-10/survives-false-counts", "fragile"),
    ("6762-21-1/survives-noise", "fragile"),
    ("6762-6.1-16/survives-broken-records", "fragile"),
    ("6891-6.1.1-1/query-with-opt", "opt-shy"),
    ("6762-6.3-1/odd-question-beside", "type-shy"),
];

/// Which fault each test of a querier finds.
const FAULTS_OF_QUERIERS: &[(&str, &str)] = &[
    ("6763-4-1/asks-for-instances", "mute"),
    ("6762-5.2-6/first-question-is-delayed", "no-delay"),
    ("6762-5.2-2/second-question-after-a-second", "hasty"),
    ("6762-5.2-3/intervals-grow", "even-intervals"),
    ("6762-18.2-1/header-of-queries", "odd-header"),
    ("6762-5.4-7/later-question-is-multicast", "unicast-first"),
    (
        "6762-5.4-4/repeated-question-is-multicast",
        "unicast-always",
    ),
    ("6762-20-2/asks-by-both-families", "v4-only"),
    ("6762-5.2-1/stops-asking", "never-stops"),
    ("6762-5.2-13/does-not-ask-unbidden", "curious"),
    ("6762-5.2-15/unique-answer-ends-the-series", "restless"),
    ("6762-6.1-5/negative-answer-ends-the-series", "nsec-blind"),
    ("6762-7.3-1/question-of-another-host", "lonely"),
    ("6762-7.3-1/question-that-knows-more", "gullible"),
    ("6762-7.1-1/lists-known-answers", "no-known"),
    ("6762-10.2-13/known-answers-without-flush", "known-flush"),
    ("6762-7.1-5/omits-old-answers", "known-old"),
    ("6762-7.2-2/many-known-answers", "no-tc"),
    ("6762-7.1-2/unique-answers-are-not-listed", "known-unique"),
    ("6762-7.1-6/known-answers-of-others", "believes-questions"),
    ("6762-5.2-18/answer-by-multicast", "deaf"),
    ("6762-18.1-1/announcement", "asked-only"),
    ("6762-18.1-3/announced-before", "deaf"),
    ("6762-16-5/answer-in-other-case", "case-sensitive"),
    ("6762-6-13/answer-with-question", "question-shy"),
    ("6762-18.1-5/answer-with-id", "id-strict"),
    ("6762-18.4-3/answer-with-odd-bits", "header-strict"),
    ("6762-18.11-2/answer-with-error", "any-rcode"),
    ("6762-18.3-2/answer-with-opcode", "any-opcode"),
    ("6762-6-25/answer-from-another-port", "any-port"),
    ("6762-6-29/unasked-unicast-answer", "any-unicast"),
    (
        "6762-5.4-2/unicast-answer-to-unicast-question",
        "no-unicast",
    ),
    (
        "6762-11-3/unicast-answer-from-elsewhere",
        "any-unicast any-network",
    ),
    ("6762-11-4/multicast-answer-from-elsewhere", "net-strict"),
    ("6762-5.2-10/refreshes-before-expiry", "no-refresh"),
    ("6762-5.2-16/refreshes-unique-answer", "early-refresh"),
    ("6762-5.2-12/expires", "immortal"),
    ("6762-5.2-11/refreshed-record-stays", "no-renewal"),
    ("6762-10.1-2/goodbye", "no-goodbye"),
    ("6762-10.1-3/goodbye-taken-back", "goodbye-final"),
    ("6762-10.1-2/goodbye-of-another", "goodbye-wide"),
    ("6762-10.2-4/cache-flush", "no-flush"),
    ("6762-10.2-5/cache-flush-in-a-burst", "flush-at-once"),
    ("6762-10.5-2/observes-failures", "no-observation"),
    ("6762-10.5-2/observes-what-is-known", "observes-blindly"),
];

impl Suite {
    fn tests(&self) -> Vec<Test> {
        let mut tests = all();
        tests.retain(|test| test.role == self.role);
        tests
    }
}

/// Tests to run against the tiny subject with one fault, or none.
#[derive(Clone)]
struct Job {
    fault: &'static str,
    tests: Vec<Test>,
    attempt: usize,
}

impl Job {
    fn is_as_it_should_be(&self, outcome: &Outcome) -> bool {
        match outcome.verdict {
            Verdict::Pass => self.fault.is_empty(),
            Verdict::Warn | Verdict::Fail => !self.fault.is_empty(),
            Verdict::NotApplicable => false,
        }
    }
}

#[test]
fn every_test_has_a_fault_to_find() {
    for suite in [RESPONDER, QUERIER] {
        for test in suite.tests() {
            let of_it = suite.faults.iter().filter(|(name, _)| *name == test.name);
            assert_eq!(of_it.count(), 1, "{}", test.name);
        }
        assert_eq!(suite.faults.len(), suite.tests().len());
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
    // Both suites run at a time: each has numbers of its own.
    let first = match suite.role {
        Role::Responder => 0,
        Role::Querier => LANES + 1,
    };
    if let Err(error) = Lab::new(first + LANES) {
        println!("not run: no network namespaces here ({error})");
        return;
    }
    let queue = Mutex::new(jobs(suite));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in first..first + LANES {
            let (queue, wrong) = (&queue, &wrong);
            scope.spawn(move || work(suite.program, lane, queue, wrong));
        }
    });
    let wrong = wrong.into_inner().expect("no lane panics");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without a fault each third of the tests by itself, with a fault all that shall find it; the longest first.
fn jobs(suite: &Suite) -> VecDeque<Job> {
    let tests = suite.tests();
    let job = |fault, tests| Job {
        fault,
        tests,
        attempt: 1,
    };
    let mut jobs: VecDeque<Job> = (0..6)
        .map(|part| job("", tests.iter().skip(part).step_by(6).copied().collect()))
        .collect();
    let mut of_fault: BTreeMap<&'static str, Vec<Test>> = BTreeMap::new();
    for (name, fault) in suite.faults {
        let test = tests.iter().find(|test| test.name == *name);
        of_fault.entry(fault).or_default().extend(test);
    }
    jobs.extend(of_fault.into_iter().map(|(fault, tests)| job(fault, tests)));
    jobs
}

fn work(program: &str, lane: usize, queue: &Mutex<VecDeque<Job>>, wrong: &Mutex<Vec<String>>) {
    let lab = Lab::new(lane).expect("a lab");
    lab.enter().expect("a namespace");
    loop {
        let next = queue.lock().expect("no lane panics").pop_front();
        let Some(job) = next else { return };
        let place = lab.place(&format!("exec {program} {}", job.fault));
        let done = run(&place, &job.tests, &|_| {});
        let odd: Vec<&Outcome> = done
            .outcomes
            .iter()
            .filter(|outcome| !job.is_as_it_should_be(outcome))
            .collect();
        if odd.is_empty() {
            continue;
        }
        if job.attempt < ATTEMPTS {
            queue.lock().expect("no lane panics").push_back(Job {
                tests: odd.iter().map(|outcome| outcome.test).collect(),
                attempt: job.attempt + 1,
                ..job.clone()
            });
            continue;
        }
        let mut wrong = wrong.lock().expect("no lane panics");
        for outcome in odd {
            let (fault, verdict) = (job.fault, outcome.verdict);
            wrong.push(format!(
                "with fault '{fault}' {}: {verdict}: {}",
                outcome.test.name,
                cooee_conformance::text(outcome)
            ));
        }
    }
}
