//! Sending: on both families, in messages that fit, not twice within a second.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cooee_conformance::{From, GROUP_V4, GROUP_V6, Link, Outgoing, PORT, ms};
use cooee_wire::{Compression, RecordBuf};

use crate::faults::Faults;

/// The largest payload of one packet.
const ROOM: usize = 1440;

pub(crate) struct Outbox {
    faults: Faults,
    /// When each record was multicast last.
    sent: BTreeMap<String, Duration>,
}

impl Outbox {
    pub(crate) fn new(faults: Faults) -> Self {
        Self {
            faults,
            sent: BTreeMap::new(),
        }
    }

    /// How long ago a record was multicast.
    pub(crate) fn age(&self, record: &RecordBuf, now: Duration) -> Option<Duration> {
        let at = self.sent.get(&record.to_string())?;
        Some(now.saturating_sub(*at))
    }

    /// A response to the group.
    pub(crate) fn multicast(
        &mut self,
        link: &Link,
        answers: &[RecordBuf],
        additionals: &[RecordBuf],
    ) {
        let now = link.now();
        for record in answers.iter().chain(additionals) {
            self.sent.insert(record.to_string(), now);
        }
        let mut message = self.response();
        let mut is_empty = true;
        for record in answers {
            let longer = message.clone().answer(record.clone());
            if !is_empty && longer.build().len() > ROOM && !self.faults.has("jumbo") {
                self.send(link, &message);
                message = self.response().answer(record.clone());
            } else {
                message = longer;
            }
            is_empty = false;
        }
        for record in additionals {
            let longer = message
                .clone()
                .record(cooee_wire::Section::Additional, record.clone());
            if longer.build().len() <= ROOM || self.faults.has("jumbo") {
                message = longer;
            }
        }
        self.send(link, &message);
    }

    pub(crate) fn response(&self) -> Outgoing {
        let mut message = Outgoing::response();
        if self.faults.has("response-id") {
            message = message.id(7);
        }
        if self.faults.has("recursion") {
            message = message.bits(0x0100);
        }
        if self.faults.has("echo-question") {
            let name = cooee_conformance::name(&["why", "local"]);
            message = message.ask(&name, cooee_wire::RecordType::A);
        }
        message
    }

    /// A message to the group, by both families.
    pub(crate) fn send(&self, link: &Link, message: &Outgoing) {
        let mut octets = if self.faults.has("plain") {
            message.clone().compressed(Compression::None).build()
        } else {
            message.build()
        };
        if self.faults.has("broken") {
            // One record more than there is.
            octets[7] = octets[7].wrapping_add(1);
        }
        if self.faults.has("hop-limit") {
            return send_with_small_ttl(&octets);
        }
        let from = if self.faults.has("other-port") {
            From::Legacy
        } else {
            From::Mdns
        };
        if let Ok(host) = link.host(0) {
            let _ = link.send(from, host, (GROUP_V4, PORT).into(), &octets);
        }
        if let Some(host) = link.v6_host().filter(|_| !self.faults.has("v4-only")) {
            let _ = link.send(from, host, (GROUP_V6, PORT).into(), &octets);
        }
    }

    pub(crate) fn unicast(&self, link: &Link, to: SocketAddr, message: &Outgoing) {
        let host = if to.is_ipv4() {
            link.host(0).ok()
        } else {
            link.v6_host()
        };
        if let Some(host) = host {
            let _ = link.send(From::Mdns, host, to, &message.build());
        }
    }

    /// Whether the rule of once a second forbids to multicast a record now.
    pub(crate) fn is_too_soon(&self, record: &RecordBuf, now: Duration) -> bool {
        !self.faults.has("no-limit") && self.age(record, now).is_some_and(|age| age < ms(1000))
    }
}

fn send_with_small_ttl(octets: &[u8]) {
    let send = || -> std::io::Result<()> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from(([192, 0, 2, 10], PORT)).into())?;
        socket.set_multicast_if_v4(&[192, 0, 2, 10].into())?;
        socket.set_multicast_ttl_v4(1)?;
        socket.send_to(octets, &SocketAddr::from((GROUP_V4, PORT)).into())?;
        Ok(())
    };
    let _ = send();
}
