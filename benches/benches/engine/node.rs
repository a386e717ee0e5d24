//! An engine to measure, and the packets it gets.

use std::time::Duration;

use cooee_mdns::{
    Config, Datagram, Engine, Instant, LinkAddress, LinkId, LinkInfo, LinkSet, QueryOptions,
    RecordSet,
};
use cooee_wire::{
    Compression, Flags, MessageBuilder, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType,
};

/// Records in a packet that refreshes.
pub(crate) const RECORDS: usize = 20;

const LINK: LinkId = LinkId(1);
pub(crate) const TYPE: &str = "_http._tcp.local";

pub(crate) struct Node {
    engine: Engine,
    now: Instant,
    buffer: Vec<u8>,
}

impl Node {
    fn new() -> Self {
        let now = Instant::from_micros(1);
        let mut engine = Engine::new(Config::default(), 7, now);
        engine.link_up(
            now,
            LINK,
            LinkInfo::new([LinkAddress::new([192, 0, 2, 1], 24)]),
        );
        Self {
            engine,
            now,
            buffer: Vec::with_capacity(9000),
        }
    }

    /// An engine that browses a type of which it knows so many instances.
    pub(crate) fn knowing(size: usize) -> Self {
        let mut node = Self::new();
        let question = QuestionBuf::new(name(TYPE), RecordType::PTR);
        node.engine
            .query(node.now, question, QueryOptions::standing(), LinkSet::All);
        for first in (0..size).step_by(RECORDS) {
            node.receive(&refresh(first), true);
        }
        node
    }

    /// An engine that publishes so many services, and has announced them.
    pub(crate) fn publishing(size: usize) -> Self {
        let mut node = Self::new();
        for number in 0..size {
            let instance = name(&instance(number));
            let set = RecordSet::new()
                .shared(RecordBuf::new(
                    name(TYPE),
                    4500,
                    RdataBuf::ptr(instance.as_name()),
                ))
                .unique(RecordBuf::new(
                    instance,
                    120,
                    RdataBuf::srv(0, 0, 8080, name("host.local").as_name()),
                ));
            node.engine
                .publish(node.now, set, LinkSet::All)
                .expect("a new name");
        }
        let end = node.now + Duration::from_secs(60);
        while let Some(due) = node.engine.poll_timeout().filter(|due| *due < end) {
            node.now = node.now.max(due);
            node.engine.handle_timeout(node.now);
            node.drain();
        }
        node
    }

    /// Hands in a datagram and takes out what comes of it: how many datagrams that was.
    pub(crate) fn receive(&mut self, payload: &[u8], from_responder: bool) -> usize {
        self.now = self.now + Duration::from_micros(1);
        let port = if from_responder { 5353 } else { 40_000 };
        let datagram = Datagram {
            link: LINK,
            source: ([192, 0, 2, 9], port).into(),
            destination: [224, 0, 0, 251].into(),
            payload,
        };
        self.engine.handle_datagram(self.now, &datagram);
        self.drain()
    }

    /// How many of so many flooded records have not been evicted.
    pub(crate) fn kept(&self, flooded: usize) -> usize {
        let stats = self.engine.stats();
        flooded - (stats.evicted + stats.over_limit) as usize
    }

    fn drain(&mut self) -> usize {
        while self.engine.poll_event().is_some() {}
        let mut sent = 0;
        while let Some(transmit) = self.engine.poll_transmit(self.now, &mut self.buffer) {
            sent += 1;
            for family in transmit.destination.families() {
                self.engine.transmitted(self.now, transmit.id, family, true);
            }
        }
        sent
    }
}

/// A response with the PTR records of the instances from `first` on.
pub(crate) fn refresh(first: usize) -> Vec<u8> {
    let owner = name(TYPE);
    let records = (first..first + RECORDS).map(|number| {
        RecordBuf::new(
            owner.clone(),
            4500,
            RdataBuf::ptr(name(&instance(number)).as_name()),
        )
    });
    message(Flags::RESPONSE, None, records)
}

/// A response with the PTR, SRV, TXT and A records of so many services.
pub(crate) fn services(count: usize) -> Vec<u8> {
    let unique = |record: RecordBuf| RecordBuf {
        cache_flush: true,
        ..record
    };
    let mut records = Vec::new();
    for number in 0..count {
        let (instance, host) = (
            name(&instance(number)),
            name(&format!("host-{number}.local")),
        );
        let pointer = RdataBuf::ptr(instance.as_name());
        let location = RdataBuf::srv(0, 0, 8080, host.as_name());
        let text = RdataBuf::txt(["path=/", "version=1"]).expect("short strings");
        let address = RdataBuf::a([192, 0, 2, number as u8].into());
        records.extend([
            RecordBuf::new(name(TYPE), 4500, pointer),
            unique(RecordBuf::new(instance.clone(), 120, location)),
            unique(RecordBuf::new(instance, 4500, text)),
            unique(RecordBuf::new(host, 120, address)),
        ]);
    }
    message(Flags::RESPONSE, None, records)
}

/// Responses with so many address records, each of another name.
pub(crate) fn flood(size: usize) -> Vec<Vec<u8>> {
    let record = |number: usize| {
        let owner = name(&format!("flood-{number}.local"));
        RecordBuf::new(owner, 120, RdataBuf::a([192, 0, 2, 99].into()))
    };
    (0..size)
        .step_by(RECORDS)
        .map(|first| message(Flags::RESPONSE, None, (first..first + RECORDS).map(record)))
        .collect()
}

pub(crate) fn srv_query(number: usize) -> Vec<u8> {
    let question = QuestionBuf::new(name(&instance(number)), RecordType::SRV);
    message(Flags::QUERY, Some(question), [])
}

fn message(
    flags: Flags,
    question: Option<QuestionBuf>,
    answers: impl IntoIterator<Item = RecordBuf>,
) -> Vec<u8> {
    let mut buffer = vec![0; 9000];
    let mut builder = MessageBuilder::new(&mut buffer, 0, flags, Compression::Multicast)
        .expect("room for a header");
    if let Some(question) = question {
        builder
            .question(question.as_question())
            .expect("room for a question");
    }
    for answer in answers {
        builder
            .answer(answer.as_record())
            .expect("room for an answer");
    }
    let length = builder.finish();
    buffer.truncate(length);
    buffer
}

pub(crate) fn instance(number: usize) -> String {
    format!("Service {number}.{TYPE}").replace(' ', "\\032")
}

fn name(text: &str) -> NameBuf {
    text.parse().expect("a name")
}
