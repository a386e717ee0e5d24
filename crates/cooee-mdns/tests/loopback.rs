//! Two nodes on the loopback interface, with real sockets on port 5353: what `cooee demo` stands on (ruling 28).
//!
//! No other interface is touched, and no privilege is needed. Where the sockets cannot be had the test says so and is skipped.
#![cfg(target_os = "linux")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant as StdInstant};

use cooee_mdns::net::{Builder, Driven, Handle, Links, NetworkEvent};
use cooee_mdns::{
    Config, Engine, Event, Instant, LinkSet, Node, Presence, QueryOptions, RecordSet,
};
use cooee_wire::{Class, Data, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use tokio::sync::mpsc;

// rulings 2, 20, 28; 6762-15.1-1
#[tokio::test]
async fn one_program_finds_what_another_on_this_machine_publishes_and_sees_it_go() {
    let Some((publisher, mut told)) = start() else {
        return;
    };
    let Some((querier, mut found)) = start() else {
        return;
    };
    let name: NameBuf = format!("cooee-test-{}.local", std::process::id())
        .parse()
        .unwrap();

    let began = StdInstant::now();
    let record = RecordBuf::new(name.clone(), 120, RdataBuf::a(Ipv4Addr::new(127, 0, 0, 9)));
    let published = publisher.call(move |node, now| {
        let records = RecordSet::new().unique(record);
        node.engine.publish(now, records, LinkSet::All).unwrap();
    });
    published.unwrap();
    until(&mut told, |event| matches!(event, Event::Ready { .. })).await;
    let ready = began.elapsed();

    let asked = StdInstant::now();
    let wanted = name.clone();
    let queried = querier.call(move |node, now| {
        let question = QuestionBuf {
            name: wanted,
            kind: RecordType::A,
            class: Class::IN,
            unicast_response: false,
        };
        node.engine
            .query(now, question, QueryOptions::standing(), LinkSet::All);
    });
    queried.unwrap();
    let answer = until(&mut found, |event| is_answer(event, Presence::Present)).await;
    let Event::Answer { record, .. } = answer else {
        unreachable!("just matched")
    };
    assert_eq!(record.name, name);
    assert!(matches!(
        record.as_record().data(),
        Ok(Data::A(address)) if address == Ipv4Addr::new(127, 0, 0, 9)
    ));
    println!("ready after {ready:?}, found after {:?}", asked.elapsed());

    let stats = publisher.ask(|node, _| node.engine.stats()).await.unwrap();
    assert!(
        stats.own_copies >= 2,
        "our own multicasts come back: {stats:?}"
    );
    assert_eq!(stats.conflicts, 0, "and are no conflicts");

    publisher.shutdown().await;
    until(&mut found, |event| is_answer(event, Presence::Gone)).await;
    querier.shutdown().await;
}

fn is_answer(event: &Event, wanted: Presence) -> bool {
    matches!(event, Event::Answer { presence, .. } if *presence == wanted)
}

async fn until(
    events: &mut mpsc::UnboundedReceiver<Event>,
    wanted: impl Fn(&Event) -> bool,
) -> Event {
    let search = async {
        while let Some(event) = events.recv().await {
            if wanted(&event) {
                return event;
            }
        }
        panic!("the node has ended");
    };
    let found = tokio::time::timeout(Duration::from_secs(10), search).await;
    found.expect("within ten seconds")
}

fn start() -> Option<(Handle<Teller>, mpsc::UnboundedReceiver<Event>)> {
    let (teller, told) = mpsc::unbounded_channel();
    let handle = Builder::new()
        .links(Links::loopback())
        .start(|now, seed| Teller {
            engine: Engine::new(Config::default(), seed, now),
            events: teller,
        });
    match handle {
        Ok(handle) if handle.links().iter().any(cooee_mdns::net::Link::is_in_use) => {
            Some((handle, told))
        }
        Ok(handle) => {
            println!("skipped: loopback cannot be used: {:?}", handle.links());
            None
        }
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// A node that passes on what its engine says.
struct Teller {
    engine: Engine,
    events: mpsc::UnboundedSender<Event>,
}

impl Node for Teller {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        while let Some(event) = self.engine.poll_event() {
            // The test may have seen enough.
            let _ = self.events.send(event);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Driven for Teller {
    fn handle_network(&mut self, _: Instant, _: &NetworkEvent) {}
}
