//! mdns-proto: its `Endpoint`, and the services that a caller of it drives.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use mdns_proto::slab::Slab;
use mdns_proto::{
    CacheEntry, CollectedAnswer, Endpoint, EndpointConfig, EndpointEventEntry, Name, Query,
    QuerySpec, QueryUpdate, RouteEvent, Service, ServiceHandle, ServiceRecords, ServiceRoute,
    ServiceSpec, ServiceUpdate, Transmit,
};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::node::{RECORDS, TYPE, instance, refresh};

type Peer = Endpoint<
    Instant,
    StdRng,
    Slab<CacheEntry<Instant>>,
    Slab<ServiceRoute>,
    Slab<Query<Instant, Slab<CollectedAnswer>, Slab<QueryUpdate>>>,
    Slab<EndpointEventEntry>,
    Slab<CollectedAnswer>,
    Slab<QueryUpdate>,
>;

pub(crate) struct MdnsProto {
    endpoint: Peer,
    services: HashMap<ServiceHandle, Service<Instant, Slab<Transmit>, Slab<ServiceUpdate>>>,
    touched: Vec<ServiceHandle>,
    now: Instant,
    buffer: Vec<u8>,
}

impl MdnsProto {
    fn new() -> Self {
        Self {
            endpoint: Peer::try_new(EndpointConfig::new(), StdRng::from_seed([7; 32])),
            services: HashMap::new(),
            touched: Vec::new(),
            now: Instant::now(),
            buffer: vec![0; 9000],
        }
    }

    /// An endpoint that browses a type of which it knows so many instances. Its cache holds 1024 records.
    pub(crate) fn knowing(size: usize) -> Self {
        let mut peer = Self::new();
        let question = QuerySpec::new(name(TYPE), mdns_proto::wire::ResourceType::Ptr);
        peer.endpoint
            .try_start_query(question, peer.now)
            .expect("room for a query");
        for first in (0..size).step_by(RECORDS) {
            peer.receive(&refresh(first), true);
        }
        peer
    }

    /// An endpoint that publishes so many services, and has announced them.
    pub(crate) fn publishing(size: usize) -> Self {
        let mut peer = Self::new();
        for number in 0..size {
            let mut records = ServiceRecords::new(
                name(TYPE),
                name(&instance(number).replace("\\032", " ")),
                name("host.local"),
                8080,
                120,
            );
            records.add_a([192, 0, 2, 1].into());
            let (handle, service) = peer
                .endpoint
                .try_register_service(ServiceSpec::new(records), peer.now)
                .expect("a new name");
            peer.services.insert(handle, service);
        }
        let end = peer.now + Duration::from_secs(60);
        while peer.now < end {
            peer.now += Duration::from_millis(50);
            for service in peer.services.values_mut() {
                service.handle_timeout(peer.now).expect("a time that comes");
                send(service, peer.now, &mut peer.buffer);
            }
        }
        peer
    }

    /// Hands in a datagram and takes out what comes of it: how many datagrams that was.
    pub(crate) fn receive(&mut self, payload: &[u8], from_responder: bool) -> usize {
        self.now += Duration::from_micros(1);
        let port = if from_responder { 5353 } else { 40_000 };
        let (source, ours) = (([192, 0, 2, 9], port).into(), [192, 0, 2, 1].into());
        let events = self
            .endpoint
            .handle(self.now, source, ours, 1, payload, false)
            .expect("a message");
        for event in events {
            if let Ok(RouteEvent::ToService(routed)) = event
                && let Some(service) = self.services.get_mut(&routed.handle())
            {
                service.handle_event(*routed.event(), self.now);
                self.touched.push(routed.handle());
            }
        }
        let mut sent = 0;
        for handle in self.touched.drain(..) {
            if let Some(service) = self.services.get_mut(&handle) {
                service.handle_timeout(self.now).expect("a time that comes");
                sent += send(service, self.now, &mut self.buffer);
            }
        }
        sent
    }
}

fn send(
    service: &mut Service<Instant, Slab<Transmit>, Slab<ServiceUpdate>>,
    now: Instant,
    buffer: &mut [u8],
) -> usize {
    let mut sent = 0;
    while let Ok(Some(_)) = service.poll_transmit(now, buffer) {
        service.note_transmit_result(now, true);
        sent += 1;
    }
    while service.poll().is_some() {}
    sent
}

fn name(text: &str) -> Name {
    Name::try_from_str(&format!("{text}.")).expect("a name")
}
