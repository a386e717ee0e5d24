//! Runs tests against a subject, on one link or on several at a time.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::link::Link;
use crate::packet::Packet;
use crate::service::Service;
use crate::stage::{Stage, Stop};
use crate::subject::{Launch, Reply, Subject};
use crate::test::{Finding, Outcome, Start, Test, Verdict};

/// Where the tests meet the subject.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever runs tests")]
pub struct Place {
    /// The tester's interface.
    pub interface: String,
    /// How to start the subject.
    pub launch: Launch,
    /// The subject's addresses on the link, if known.
    pub subject_addresses: Vec<IpAddr>,
}

/// Everything that a run found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Run {
    /// What the adapter calls the stack.
    pub version: String,
    /// One for each test, in the order of the tests.
    pub outcomes: Vec<Outcome>,
    /// How long all of it took.
    pub took: Duration,
}

/// After so many starts that failed one after the other no more are tried for the tests that share a subject.
const MOST_FAILURES: usize = 2;

/// Tests that share a subject, or one test with a subject of its own.
#[derive(Debug)]
struct Job {
    tests: Vec<Test>,
}

/// Runs tests in one place, one after the other.
///
/// `tell` hears of each outcome when it is there.
pub fn run(place: &Place, tests: &[Test], tell: &(dyn Fn(&Outcome) + Sync)) -> Run {
    let begun = Instant::now();
    let mut run = Run::default();
    for job in jobs(tests, 1) {
        work(place, &job, &mut run, tell);
    }
    finish(run, tests, begun)
}

/// Runs tests in a lab, on so many links at a time.
///
/// # Errors
/// If no lab can be made: not root, `ip` missing.
pub fn run_in_lab(
    command: &str,
    lanes: usize,
    tests: &[Test],
    tell: &(dyn Fn(&Outcome) + Sync),
) -> io::Result<Run> {
    let begun = Instant::now();
    let lanes = lanes.max(1);
    let queue = Mutex::new(VecDeque::from(jobs(tests, lanes)));
    let all = Mutex::new(Run::default());
    let labs = (0..lanes).map(Lab::new).collect::<io::Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        let workers: Vec<_> = labs
            .iter()
            .map(|lab| {
                scope.spawn(|| -> io::Result<()> {
                    lab.enter()?;
                    let place = lab.place(command);
                    loop {
                        let job = queue
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .pop_front();
                        let Some(job) = job else { return Ok(()) };
                        let mut done = Run::default();
                        work(&place, &job, &mut done, tell);
                        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                        all.outcomes.extend(done.outcomes);
                        if all.version.is_empty() {
                            all.version = done.version;
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a test panicked")))
        })
    })?;
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(finish(all, tests, begun))
}

/// The longest first. A third of the lanes is for the tests that share a subject: each part of them has one of its own.
fn jobs(tests: &[Test], lanes: usize) -> Vec<Job> {
    let (fresh, shared): (Vec<Test>, Vec<Test>) =
        tests.iter().partition(|test| test.start == Start::Fresh);
    let parts = lanes.div_ceil(3).min(shared.len());
    let of_part = |part| shared.iter().skip(part).step_by(parts).copied().collect();
    let mut jobs: Vec<Job> = (0..parts)
        .map(of_part)
        .chain(fresh.into_iter().map(|test| vec![test]))
        .map(|tests| Job { tests })
        .collect();
    jobs.sort_by_key(|job| Reverse(job.tests.iter().map(Test::takes).sum::<Duration>()));
    jobs
}

fn finish(mut run: Run, tests: &[Test], begun: Instant) -> Run {
    let place = |outcome: &Outcome| tests.iter().position(|test| test.name == outcome.test.name);
    run.outcomes.sort_by_key(place);
    run.took = begun.elapsed();
    run
}

/// A started subject on an open link, with its service if it is a shared one.
struct Session {
    // Dropped before the link, so that its end is still seen.
    subject: Subject,
    link: Link,
    service: Option<Service>,
    /// Whether the last test failed.
    doubted: bool,
}

/// Why there is no session, and what was seen of it. Nothing that a subject could be blamed for: its adapter may be wrong.
#[derive(Clone)]
struct Unstarted {
    why: String,
    packets: Vec<Packet>,
    dialogue: Vec<String>,
}

impl Session {
    fn start(place: &Place, shared: bool) -> Result<Self, Unstarted> {
        let without = |why: String| Unstarted {
            why,
            packets: Vec::new(),
            dialogue: Vec::new(),
        };
        let link = Link::open(&place.interface).map_err(|error| without(error.to_string()))?;
        let mut subject = Subject::start(&place.launch).map_err(|error| Unstarted {
            packets: link.since(Duration::ZERO),
            ..without(error.to_string())
        })?;
        let service = if shared {
            match Service::raise(&link, &mut subject) {
                Ok(service) => Some(service),
                Err(Stop::NotApplicable(why) | Stop::Fail(why)) => {
                    return Err(Unstarted {
                        why,
                        packets: link.since(Duration::ZERO),
                        dialogue: subject.take_dialogue(),
                    });
                }
            }
        } else {
            None
        };
        Ok(Self {
            subject,
            link,
            service,
            doubted: false,
        })
    }

    /// Whether the next test finds what it expects: a running subject that answers for its service, under the names it had.
    fn is_sound(&mut self) -> bool {
        let is_alive = self.subject.is_alive();
        match &self.service {
            Some(service) if is_alive => {
                !service.has_changed(&self.link)
                    && (!self.doubted || service.is_answered_for(&self.link))
            }
            _ => is_alive,
        }
    }
}

fn work(place: &Place, job: &Job, run: &mut Run, tell: &(dyn Fn(&Outcome) + Sync)) {
    let mut session: Option<Session> = None;
    let mut failures: Vec<Unstarted> = Vec::new();
    for test in &job.tests {
        let begun = Instant::now();
        let shared = test.start != Start::Fresh;
        // A subject that the last test has upset does not answer for the next one.
        if session.as_mut().is_some_and(|session| !session.is_sound()) {
            session = None;
        }
        let next = match (session.take(), failures.last()) {
            (Some(session), _) => Ok(session),
            (None, Some(failure)) if failures.len() >= MOST_FAILURES => Err(failure.clone()),
            (None, _) => Session::start(place, shared),
        };
        let mut outcome = match next {
            Ok(mut started) => {
                failures.clear();
                let outcome = perform(place, *test, &mut started);
                started.doubted = verdict(&outcome.findings) == Verdict::Fail;
                if run.version.is_empty() {
                    started.subject.version().clone_into(&mut run.version);
                }
                session = Some(started);
                outcome
            }
            Err(failure) => {
                failures.push(failure.clone());
                Outcome {
                    test: *test,
                    verdict: Verdict::NotApplicable,
                    findings: vec![finding(Stop::NotApplicable(failure.why))],
                    packets: failure.packets,
                    dialogue: failure.dialogue,
                    took: Duration::ZERO,
                }
            }
        };
        outcome.verdict = verdict(&outcome.findings);
        outcome.took = begun.elapsed();
        tell(&outcome);
        run.outcomes.push(outcome);
    }
    if let Some(Session { mut subject, .. }) = session {
        // Whatever it answers: it is ended by force if it does not end.
        let _: Result<Reply, _> = subject.command(&["quit"]);
    }
}

fn perform(place: &Place, test: Test, session: &mut Session) -> Outcome {
    let from = match (test.start, &session.service) {
        (Start::Birth, Some(service)) => service.asked,
        (Start::Fresh, _) => Duration::ZERO,
        _ => session.link.now(),
    };
    let (link, service) = (&session.link, session.service.as_ref());
    let mut stage = Stage::new(link, &mut session.subject, place, service);
    let stopped = (test.run)(&mut stage).err();
    let mut findings = stage.into_findings();
    findings.extend(stopped.map(finding));
    Outcome {
        test,
        verdict: Verdict::Pass,
        findings,
        packets: link.since(from),
        dialogue: session.subject.take_dialogue(),
        took: Duration::ZERO,
    }
}

/// The worst that was found; what could not be run to its end and found nothing bad until then is not applicable.
fn verdict(findings: &[Finding]) -> Verdict {
    let found = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
    [Verdict::Fail, Verdict::Warn, Verdict::NotApplicable]
        .into_iter()
        .find(|verdict| found(*verdict))
        .unwrap_or(Verdict::Pass)
}

fn finding(stop: Stop) -> Finding {
    let (verdict, text) = match stop {
        Stop::NotApplicable(text) => (Verdict::NotApplicable, text),
        Stop::Fail(text) => (Verdict::Fail, text),
    };
    Finding { verdict, text }
}
