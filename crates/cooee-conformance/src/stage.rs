//! Where a test stands: the link, the subject, and a place for what it finds.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use cooee_wire::{NameBuf, RecordType};

use crate::lab::SubjectSide;
use crate::link::{self, From as Port, Link};
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::run::Place;
use crate::service::Service;
use crate::subject::{Reply, Subject, SubjectError};
use crate::test::{Finding, Verdict};

/// Everything that a test can reach.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The tester's end of the link.
    pub link: &'a Link,
    /// The stack under test.
    pub subject: &'a mut Subject,
    /// Where they meet.
    pub place: &'a Place,
    service: Option<&'a Service>,
    findings: Vec<Finding>,
    /// What followed the last `ok`.
    told: Vec<String>,
}

/// Why a test ended early.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the runner has a way for each")]
pub enum Stop {
    /// It cannot be run against this subject.
    NotApplicable(String),
    /// Nothing that comes after would mean anything.
    Fail(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::NotApplicable(format!("the tester: {error}"))
    }
}

impl From<SubjectError> for Stop {
    fn from(error: SubjectError) -> Self {
        Self::Fail(error.to_string())
    }
}

impl<'a> Stage<'a> {
    /// A stage for one test.
    pub fn new(
        link: &'a Link,
        subject: &'a mut Subject,
        place: &'a Place,
        service: Option<&'a Service>,
    ) -> Self {
        Self {
            link,
            subject,
            place,
            service,
            findings: Vec::new(),
            told: Vec::new(),
        }
    }

    /// What was found so far.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Whether something was found that is worse than an observation.
    pub fn is_clean(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.verdict == Verdict::Pass)
    }

    /// The service that the shared subject has published.
    ///
    /// # Errors
    /// In a test with a subject of its own.
    pub fn service(&self) -> Result<&'a Service, Stop> {
        self.service
            .ok_or_else(|| Stop::NotApplicable("there is no shared subject".into()))
    }

    /// Notes what was observed.
    pub fn saw(&mut self, text: impl Into<String>) {
        self.find(Verdict::Pass, text.into());
    }

    /// Notes something that a SHOULD speaks against.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.find(Verdict::Warn, text.into());
    }

    /// Notes something that a MUST speaks against.
    pub fn fail(&mut self, text: impl Into<String>) {
        self.find(Verdict::Fail, text.into());
    }

    /// Fails unless it is as it must be.
    pub fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.fail(otherwise());
        }
    }

    /// Warns unless it is as it should be.
    pub fn should(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.warn(otherwise());
        }
    }

    fn find(&mut self, verdict: Verdict, text: String) {
        self.findings.push(Finding { verdict, text });
    }

    // What the tester sends.

    /// Multicasts a message from the first host; returns when.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send(&self, message: &Outgoing) -> Result<Duration, Stop> {
        Ok(self.link.multicast(&message.build())?)
    }

    /// Multicasts a message from another host.
    ///
    /// # Errors
    /// If the system refuses, or the tester has too few addresses.
    pub fn send_as(&self, host: usize, message: &Outgoing) -> Result<Duration, Stop> {
        let (source, group) = (self.link.host(host)?, (link::GROUP_V4, link::PORT).into());
        Ok(self
            .link
            .send(Port::Mdns, source, group, &message.build())?)
    }

    /// Multicasts a message from another host, by both families as a host with both does; returns when.
    ///
    /// # Errors
    /// If the system refuses, or the tester has too few addresses.
    pub fn send_both_as(&self, host: usize, message: &Outgoing) -> Result<Duration, Stop> {
        if let Some(source) = self.link.v6_host() {
            let group = (link::GROUP_V6, link::PORT).into();
            self.link
                .send(Port::Mdns, source, group, &message.build())?;
        }
        self.send_as(host, message)
    }

    /// Sends a query from a port that is not 5353, to the group.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn send_legacy(&self, message: &Outgoing) -> Result<Duration, Stop> {
        let (source, group) = (self.link.host(0)?, (link::GROUP_V4, link::PORT).into());
        Ok(self
            .link
            .send(Port::Legacy, source, group, &message.build())?)
    }

    /// Sends a message to the subject alone, from this address of the tester.
    ///
    /// # Errors
    /// If the system refuses, or the subject was not heard yet.
    pub fn send_unicast(&self, source: IpAddr, message: &Outgoing) -> Result<Duration, Stop> {
        let to = (self.subject_v4()?, link::PORT).into();
        Ok(self.link.send(Port::Mdns, source, to, &message.build())?)
    }

    /// The IPv4 address that the subject sends from.
    ///
    /// # Errors
    /// If it has not sent anything.
    pub fn subject_v4(&self) -> Result<IpAddr, Stop> {
        let now = self.link.now();
        let heard = self.link.wait_for(Duration::ZERO, now, |packet| {
            packet.is_v4().then_some(packet.source.ip())
        });
        heard.ok_or_else(|| Stop::Fail("the subject has sent nothing by IPv4".into()))
    }

    // What it hears.

    /// Waits for a datagram of the subject by IPv4 since `from`, for so many milliseconds.
    pub fn first(
        &self,
        from: Duration,
        within: u64,
        mut pick: impl FnMut(&Packet) -> bool,
    ) -> Option<Packet> {
        self.link.wait_for(from, from + ms(within), |packet| {
            (packet.is_v4() && pick(packet)).then(|| packet.clone())
        })
    }

    /// Listens until so many milliseconds after `from`: all that the subject sent by IPv4 since.
    pub fn heard(&self, from: Duration, during: u64) -> Vec<Packet> {
        let until = from + ms(during);
        self.link.sleep_until(until);
        // A reader may still have one in its hands.
        std::thread::sleep(ms(5));
        let mut packets = self.link.since(from);
        packets.retain(|packet| !packet.ours && packet.is_v4() && packet.at <= until);
        packets
    }

    /// Waits until the subject has been silent for 1.1 seconds, at most for 6: so no record is held back by the rule of
    /// once a second.
    // RFC 6762 §6 (6762-6-30)
    pub fn rest(&self) {
        let deadline = self.link.now() + ms(6000);
        loop {
            let now = self.link.now();
            let from = now.saturating_sub(ms(1100));
            let packets = self.link.since(from);
            let last = packets.iter().rev().find(|packet| !packet.ours);
            let Some(last) = last else { return };
            let until = (last.at + ms(1101)).min(deadline);
            if now >= deadline {
                return;
            }
            self.link.sleep_until(until);
        }
    }

    /// Multicasts a query after a rest, and waits for the answer to its question.
    ///
    /// # Errors
    /// [`Stop::Fail`] if none comes within 1.5 seconds.
    pub fn answer_to(
        &self,
        query: &Outgoing,
        name: &NameBuf,
        kind: RecordType,
    ) -> Result<(Duration, Packet), Stop> {
        self.rest();
        let asked = self.send(query)?;
        let found = self.first(asked, 1500, |packet| {
            packet.contents.answer(name, kind).is_some()
        });
        let packet =
            found.ok_or_else(|| Stop::Fail(format!("no answer for {name} {kind} within 1.5 s")))?;
        Ok((asked, packet))
    }

    /// What comes within so many milliseconds of a message, and how soon, if it comes each of two times, after a rest. Once it may be an
    /// announcement, which has nothing to do with the message: eight are allowed, the last two minutes after the first.
    ///
    /// # Errors
    /// If the message cannot be sent.
    // RFC 6762 §8.3 (6762-8.3-6)
    pub fn reply_to(
        &self,
        send: impl Fn(&Self) -> Result<Duration, Stop>,
        within: u64,
        mut pick: impl FnMut(&Packet) -> bool,
    ) -> Result<Option<(Duration, Packet)>, Stop> {
        let mut reply = None;
        for _ in 0..2 {
            self.rest();
            let asked = send(self)?;
            let Some(packet) = self.first(asked, within, &mut pick) else {
                return Ok(None);
            };
            reply = Some((packet.at - asked, packet));
        }
        Ok(reply)
    }

    /// The answer to a question that is only the way to what is judged.
    ///
    /// # Errors
    /// [`Stop::NotApplicable`] if none comes: another test is there to say so.
    pub fn given_answer_to(
        &self,
        query: &Outgoing,
        name: &NameBuf,
        kind: RecordType,
    ) -> Result<(Duration, Packet), Stop> {
        self.answer_to(query, name, kind)
            .map_err(|stop| match stop {
                Stop::Fail(text) => Stop::NotApplicable(text),
                other => other,
            })
    }

    /// The subject's machine, where the tester has made it.
    ///
    /// # Errors
    /// Outside of a lab.
    pub(crate) fn subject_side(&self) -> Result<SubjectSide<'a>, Stop> {
        let namespace = self.place.launch.namespace.as_deref();
        namespace
            .map(SubjectSide)
            .ok_or_else(|| Stop::NotApplicable("only in a lab".into()))
    }

    // What it tells the adapter.

    /// Gives a command that has to be accepted.
    ///
    /// # Errors
    /// [`Stop::NotApplicable`] if the adapter cannot or the stack will not.
    pub fn command(&mut self, words: &[&str]) -> Result<Duration, Stop> {
        let at = self.link.now();
        let what = words.first().copied().unwrap_or_default();
        match self.subject.command(words)? {
            Reply::Ok(words) => {
                self.told = words;
                Ok(at)
            }
            Reply::Unsupported(_) => {
                Err(Stop::NotApplicable(format!("the adapter has no '{what}'")))
            }
            Reply::Error(text) => Err(Stop::NotApplicable(format!(
                "the stack refuses '{what}': {text}"
            ))),
        }
    }

    /// Whether this word followed the `ok` to the last command.
    pub fn was_told(&self, word: &str) -> bool {
        self.told.iter().any(|told| told == word)
    }

    /// Publishes a service and returns when.
    ///
    /// # Errors
    /// Those of [`command`](Self::command).
    pub fn publish(&mut self, label: &str, kind: &str, txt: &[&str]) -> Result<Duration, Stop> {
        let port = Service::PORT.to_string();
        let mut words = vec!["publish", label, kind, &port];
        words.extend_from_slice(txt);
        self.command(&words)
    }

    /// Publishes a service and waits until it is announced and its announcements are over.
    ///
    /// # Errors
    /// [`Stop::Fail`] if it is not announced within 10 seconds; those of [`command`](Self::command).
    pub fn establish(&mut self, label: &str) -> Result<Service, Stop> {
        let at = self.publish(label, Service::TYPE, Service::TXT)?;
        let service = Service::announced(self.link, label, at)?;
        self.link.sleep_until(self.link.now() + ms(1300));
        self.rest();
        Ok(service)
    }
}

/// Whether an interval is twice the one before, as far as timers go: a packet that went out late makes its own interval longer, and
/// the next one shorter.
pub(crate) fn is_doubled(before: Duration, after: Duration) -> bool {
    after * 10 >= before * 17
}

/// So many milliseconds.
pub const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_packet_does_not_make_intervals_grow_too_little() {
        assert!(is_doubled(ms(1000), ms(2000)));
        assert!(is_doubled(ms(1100), ms(1900)));
        assert!(!is_doubled(ms(1000), ms(1500)));
        assert!(!is_doubled(ms(243), ms(226)));
    }
}
