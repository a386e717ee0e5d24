//! The service that a subject publishes for the tests.

use std::time::Duration;

use cooee_wire::{Data, NameBuf, RdataBuf, RecordBuf, RecordType};

use crate::link::Link;
use crate::packet::Packet;
use crate::query::{Outgoing, flushed};
use crate::stage::{Stop, ms};
use crate::subject::{Reply, Subject};

/// A published service as it was seen on the wire.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Service {
    /// `_cooee-test._tcp.local`.
    pub kind: NameBuf,
    /// The instance.
    pub instance: NameBuf,
    /// Its SRV record as announced.
    pub srv: RecordBuf,
    /// The host that the SRV record names.
    pub host: NameBuf,
    /// When the tester said `publish`.
    pub asked: Duration,
    /// What the subject sent from then until its announcements were over.
    pub birth: Vec<Packet>,
}

impl Service {
    /// The type that the tests publish, without domain.
    pub const TYPE: &str = "_cooee-test._tcp";
    /// The subtype of the tests about it.
    pub const SUBTYPE: &str = "_blue";
    /// The port.
    pub const PORT: u16 = 4711;
    /// The TXT attributes.
    pub const TXT: &[&str] = &["txtvers=1", "paper=A4", "note=second floor"];
    /// The label of the shared instance.
    pub const LABEL: &str = "Conformance";

    /// How long a birth is watched after the first announcement.
    const WATCHED: Duration = ms(7500);
    /// A service is announced within this time.
    const PATIENCE: Duration = ms(15_000);

    /// Has the shared service published, and watches its birth.
    ///
    /// # Errors
    /// If the adapter refuses, or nothing is announced.
    pub fn raise(link: &Link, subject: &mut Subject) -> Result<Self, Stop> {
        let port = Self::PORT.to_string();
        let mut words = vec!["publish", Self::LABEL, Self::TYPE, &port];
        words.extend_from_slice(Self::TXT);
        let asked = link.now();
        if let Reply::Unsupported(text) | Reply::Error(text) = subject.command(&words)? {
            return Err(Stop::NotApplicable(format!("publish: {text}")));
        }
        let mut service = Self::announced(link, Self::LABEL, asked)?;
        link.sleep_until(link.now() + Self::WATCHED);
        service.birth = link.since(asked);
        service
            .birth
            .retain(|packet| !packet.ours && packet.is_v4());
        Ok(service)
    }

    /// Waits for the first announcement of an instance of the tests' type.
    ///
    /// # Errors
    /// [`Stop::Fail`] if none comes; a stack that never announces is asked once.
    pub fn announced(link: &Link, label: &str, asked: Duration) -> Result<Self, Stop> {
        let kind = name(&["_cooee-test", "_tcp", "local"]);
        let instance = Self::instance(label);
        let srv = |packet: &Packet| {
            let record = packet.contents.record(&instance, RecordType::SRV);
            record.filter(|_| packet.is_v4()).cloned()
        };
        let mut found = link.wait_for(asked, asked + Self::PATIENCE, srv);
        if found.is_none() {
            let again = link.multicast(&Outgoing::question(&instance, RecordType::SRV).build())?;
            found = link.wait_for(again, again + ms(2000), srv);
        }
        let Some(srv) = found else {
            return Err(Stop::Fail(format!(
                "{instance} was neither announced nor answered for by IPv4 within {} s",
                Self::PATIENCE.as_secs()
            )));
        };
        let target = match srv.rdata.decode() {
            Ok(Data::Srv(data)) => data.target.to_owned().ok(),
            _ => None,
        };
        let host =
            target.ok_or_else(|| Stop::Fail(format!("the SRV record is unreadable: {srv}")))?;
        Ok(Self {
            kind,
            instance,
            srv,
            host,
            asked,
            birth: Vec::new(),
        })
    }

    /// Whether the subject answers with its SRV record as it was announced, asked three times at most.
    pub fn is_answered_for(&self, link: &Link) -> bool {
        let query = Outgoing::question(&self.instance, RecordType::SRV).build();
        (0..3).any(|_| {
            link.sleep_until(link.now() + ms(1100));
            let Ok(asked) = link.multicast(&query) else {
                return false;
            };
            let answer = link.wait_for(asked, asked + ms(1000), |packet| {
                let answer = packet.contents.answer(&self.instance, RecordType::SRV)?;
                (packet.is_v4() && answer.rdata == self.srv.rdata).then_some(())
            });
            answer.is_some()
        })
    }

    /// Whether the last SRV record of the type that the subject sent is another one than it announced: it has taken another name
    /// for the instance or for its host.
    pub fn has_changed(&self, link: &Link) -> bool {
        let packets = link.since(self.asked);
        let mut sent = packets
            .iter()
            .rev()
            .filter(|packet| !packet.ours && packet.is_v4() && packet.contents.is_response())
            .flat_map(|packet| packet.contents.all())
            .filter(|record| record.kind() == RecordType::SRV && record.ttl > 0);
        let last = sent.find(|record| {
            let kind = record.name.parent();
            kind.is_some_and(|kind| kind == self.kind.as_name())
        });
        last.is_some_and(|last| last.name != self.instance || last.rdata != self.srv.rdata)
    }

    /// The name of an instance of the tests' type.
    pub fn instance(label: &str) -> NameBuf {
        name(&[label, "_cooee-test", "_tcp", "local"])
    }

    /// An SRV record for this instance with a port that is not the subject's.
    pub fn foreign_srv(&self) -> RecordBuf {
        foreign_srv(&self.instance)
    }

    /// The PTR record of this instance, as it should be.
    pub fn ptr(&self, ttl: u32) -> RecordBuf {
        let rdata = RdataBuf::ptr(self.instance.as_name());
        RecordBuf::new(self.kind.clone(), ttl, rdata)
    }
}

/// An SRV record of a host of the tester, with the cache-flush bit.
pub fn foreign_srv(instance: &NameBuf) -> RecordBuf {
    let host = name(&["cooee-tester", "local"]);
    let rdata = RdataBuf::srv(0, 0, 9, host.as_name());
    flushed(RecordBuf::new(instance.clone(), 120, rdata))
}

/// A name from labels that are known to fit; the root if they do not.
pub fn name(labels: &[&str]) -> NameBuf {
    NameBuf::from_labels(labels).unwrap_or_else(|_| NameBuf::root())
}
