//! An engine that asks one question, and keeps in mind who said what.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use cooee::wire::{Message, NameBuf, QuestionBuf, RecordBuf, RecordType};
use cooee_mdns::net::{Driven, NetworkEvent};
use cooee_mdns::{
    Config, Datagram, Engine, Event, Family, Instant, LinkId, LinkSet, Node, Presence, QueryOptions,
};
use tokio::sync::mpsc;

/// So many records are remembered by who sent them; a stranger could make up any number.
const MOST: usize = 4_096;

/// News of the question.
#[derive(Debug)]
pub(super) enum News {
    /// A record is there, or there no more.
    Record {
        /// The record, as received.
        record: RecordBuf,
        /// Where it was seen.
        link: LinkId,
        /// Who sent it first.
        from: Option<IpAddr>,
        /// It is there.
        is_there: bool,
    },
    /// The owner of the name has no such record.
    Denied,
    /// The answer is complete, or the time is up.
    Finished,
    /// Another program has the port for a family, and does not share it.
    PortHeld(Family),
    /// Another program shares the port: answers by unicast could go astray, and are not asked for.
    PortShared,
}

/// The node.
#[derive(Debug)]
pub(super) struct Asker {
    engine: Engine,
    name: NameBuf,
    tell: mpsc::Sender<News>,
    /// By link, type and data.
    senders: BTreeMap<(u32, u16, Vec<u8>), IpAddr>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: NameBuf,
    pub(super) kind: RecordType,
    /// For so long; or until told to stop.
    pub(super) timeout: Option<Duration>,
}

impl Asker {
    pub(super) fn new(now: Instant, seed: u64, name: NameBuf, tell: mpsc::Sender<News>) -> Self {
        Self {
            engine: Engine::new(Config::default(), seed, now),
            name,
            tell,
            senders: BTreeMap::new(),
        }
    }

    /// Begins to ask. What is asked before any link is up asks for answers by unicast (ruling 1).
    pub(super) fn ask(&mut self, now: Instant, asked: Asked) {
        let options = match asked.timeout {
            Some(timeout) => QueryOptions::one_shot(timeout),
            None => QueryOptions::standing(),
        };
        let question = QuestionBuf::new(asked.name, asked.kind);
        // There is but this one.
        let _ = self.engine.query(now, question, options, LinkSet::All);
    }

    fn tell(&self, news: News) {
        // A reader that is so slow gets no more, rather than all of the memory.
        let _ = self.tell.try_send(news);
    }

    fn take_note(&mut self, datagram: &Datagram<'_>) {
        let Ok(message) = Message::parse(datagram.payload) else {
            return;
        };
        let records = message.records().filter_map(Result::ok);
        for (_, record) in records.filter(|(_, record)| record.name == self.name.as_name()) {
            // With its names whole, as the engine tells it.
            let Ok(record) = record.to_owned() else {
                continue;
            };
            let key = key(datagram.link, &record);
            if self.senders.len() < MOST {
                // The copy over the other family comes a moment later, and is no news.
                self.senders.entry(key).or_insert(datagram.source.ip());
            }
        }
    }

    fn sender(&self, link: LinkId, record: &RecordBuf) -> Option<IpAddr> {
        self.senders.get(&key(link, record)).copied()
    }
}

fn key(LinkId(link): LinkId, record: &RecordBuf) -> (u32, u16, Vec<u8>) {
    let data = record.rdata.octets().to_vec();
    (link, u16::from(record.kind()), data)
}

impl Node for Asker {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Answer {
                    link,
                    record,
                    presence,
                    ..
                } => {
                    let from = self.sender(link, &record);
                    let is_there = presence == Presence::Present;
                    self.tell(News::Record {
                        record,
                        link,
                        from,
                        is_there,
                    });
                }
                Event::Denied { .. } => self.tell(News::Denied),
                Event::Finished { .. } => self.tell(News::Finished),
                _ => {}
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Driven for Asker {
    fn handle_network(&mut self, _: Instant, event: &NetworkEvent) {
        match event {
            NetworkEvent::NoSocket { family, error } if error.kind() == ErrorKind::AddrInUse => {
                self.tell(News::PortHeld(*family));
            }
            NetworkEvent::PortShared => self.tell(News::PortShared),
            _ => {}
        }
    }

    fn overhear(&mut self, _: Instant, datagram: &Datagram<'_>, _: Option<u8>) {
        self.take_note(datagram);
    }
}
