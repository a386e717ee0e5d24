//! What is heard on the links: an engine that asks and publishes nothing, with an ear on every datagram.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cooee::wire::{Data, Message, NameBuf, NameError, QuestionBuf, RecordType};
use cooee_mdns::net::{Driven, NetworkEvent};
use cooee_mdns::{Config, Datagram, Engine, Family, Instant, LinkId, LinkSet, Node, QueryOptions};

/// Hosts and names on one link are remembered up to these numbers: a stranger could make up any number of them.
const MOST_HOSTS: usize = 4_096;
const MOST_NAMES: usize = 1_024;
const MOST_ADDRESSES: usize = 16;

/// The question that all who publish a service answer. RFC 6763 §9.
const ALL_TYPES: &str = "_services._dns-sd._udp.local";

/// The node.
#[derive(Debug)]
pub(super) struct Ear {
    engine: Engine,
    token: u64,
    own: BTreeSet<IpAddr>,
    heard: Heard,
}

/// What it has heard so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Families for which there is no socket.
    pub(super) no_socket: Vec<(Family, io::ErrorKind)>,
    /// Links that the system does not let us use, by index, and why.
    pub(super) failures: BTreeMap<u32, String>,
    /// Another program was on the port before.
    pub(super) is_shared: bool,
    /// Test questions: sent on the first link, came in on the second, in a family, from an address.
    pub(super) tests: BTreeSet<(u32, u32, bool, IpAddr)>,
    /// Others, by link and address: how many of their packets were responses, and how many not.
    pub(super) hosts: BTreeMap<(u32, IpAddr), (u64, u64)>,
    /// Who says, on which link, that a name has which addresses. Also of own addresses: other programs here.
    pub(super) claims: BTreeMap<(u32, String), BTreeMap<IpAddr, BTreeSet<IpAddr>>>,
    /// Datagrams of the steal test that came, by the number in them.
    pub(super) pieces: BTreeSet<u16>,
}

impl Ear {
    pub(super) fn new(now: Instant, seed: u64) -> Self {
        Self {
            engine: Engine::new(Config::default(), seed, now),
            token: seed,
            own: BTreeSet::new(),
            heard: Heard::default(),
        }
    }

    /// Asks on one link who is there, who has `host`, and something that nobody can answer, to hear it come back.
    pub(super) fn ask(&mut self, now: Instant, link: LinkId, host: &NameBuf, wait: Duration) {
        let test = test_name(self.token, link);
        let questions = [
            (ALL_TYPES.parse(), RecordType::PTR),
            (Ok(host.clone()), RecordType::A),
            (test, RecordType::A),
        ];
        for (name, kind) in questions {
            if let Ok(name) = name {
                let question = QuestionBuf::new(name, kind);
                let options = QueryOptions::one_shot(wait);
                // It ends by itself; what it brings is overheard.
                let _ = self
                    .engine
                    .query(now, question, options, LinkSet::one(link));
            }
        }
    }

    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
    }

    fn take_note(&mut self, datagram: &Datagram<'_>) {
        let Ok(message) = Message::parse(datagram.payload) else {
            return;
        };
        let (LinkId(link), source) = (datagram.link, datagram.source);
        let is_own = self.own.contains(&source.ip());
        let is_response = message.header().flags.is_response();
        if is_own && let Some(number) = piece(&message, source) {
            self.heard.pieces.insert(number);
            return;
        }
        if let Some(sent_on) = self.test_question(&message) {
            self.heard
                .tests
                .insert((sent_on, link, datagram.destination.is_ipv4(), source.ip()));
            return;
        }
        if !is_own && (self.heard.hosts.len() < MOST_HOSTS || self.knows(link, source)) {
            let counts = self.heard.hosts.entry((link, source.ip())).or_default();
            match is_response {
                true => counts.0 += 1,
                false => counts.1 += 1,
            }
        }
        if is_response {
            self.note_claims(link, source.ip(), &message);
        }
    }

    fn knows(&self, link: u32, source: SocketAddr) -> bool {
        self.heard.hosts.contains_key(&(link, source.ip()))
    }

    /// The link on which a test question of ours was sent, if this is one.
    fn test_question(&self, message: &Message<'_>) -> Option<u32> {
        let mut questions = message.questions().filter_map(Result::ok);
        questions.find_map(|question| {
            let name = question.name.to_string();
            let (token, link) = name.strip_prefix(TEST)?.split_once('-')?;
            let link = link.strip_suffix(".local")?.parse().ok()?;
            (u64::from_str_radix(token, 16) == Ok(self.token)).then_some(link)
        })
    }

    fn note_claims(&mut self, link: u32, source: IpAddr, message: &Message<'_>) {
        for (_, record) in message.records().filter_map(Result::ok) {
            let address: IpAddr = match record.data() {
                Ok(Data::A(ip)) => ip.into(),
                Ok(Data::Aaaa(ip)) => ip.into(),
                _ => continue,
            };
            if record.ttl == 0 || !record.cache_flush {
                continue;
            }
            let key = (link, record.name.to_string().to_ascii_lowercase());
            if self.heard.claims.len() >= MOST_NAMES && !self.heard.claims.contains_key(&key) {
                continue;
            }
            let by_source = self.heard.claims.entry(key).or_default();
            if by_source.len() < MOST_ADDRESSES || by_source.contains_key(&source) {
                let addresses = by_source.entry(source).or_default();
                if addresses.len() < MOST_ADDRESSES {
                    addresses.insert(address);
                }
            }
        }
    }
}

const TEST: &str = "cooee-test-";

fn test_name(token: u64, LinkId(link): LinkId) -> Result<NameBuf, NameError> {
    format!("{TEST}{token:016x}-{link}.local").parse()
}

/// A datagram of the steal test: a response without records that all ignore, from another port than 5353 (6762-6-25).
pub(super) fn steal_test(number: u16) -> [u8; 12] {
    let [high, low] = number.to_be_bytes();
    [high, low, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

fn piece(message: &Message<'_>, source: SocketAddr) -> Option<u16> {
    let header = message.header();
    let is_one =
        source.port() != super::port::PORT && message.octets() == steal_test(header.id).as_slice();
    is_one.then_some(header.id)
}

impl Node for Ear {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        // What it says was overheard.
        while self.engine.poll_event().is_some() {}
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Driven for Ear {
    fn handle_network(&mut self, _: Instant, event: &NetworkEvent) {
        match event {
            NetworkEvent::Links(links) => {
                let addresses = links.iter().flat_map(|link| link.addresses());
                self.own = addresses.map(|one| one.address).collect();
            }
            NetworkEvent::LinkFailed { link, error } => {
                let error = crate::output::plain(error);
                self.heard.failures.insert(link.index(), error);
            }
            NetworkEvent::NoSocket { family, error } => {
                self.heard.no_socket.push((*family, error.kind()));
            }
            NetworkEvent::SocketOpened(opened) => {
                self.heard.no_socket.retain(|(family, _)| family != opened);
            }
            NetworkEvent::PortShared => self.heard.is_shared = true,
            _ => {}
        }
    }

    fn overhear(&mut self, _: Instant, datagram: &Datagram<'_>, _: Option<u8>) {
        self.take_note(datagram);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));

    fn ear() -> Ear {
        let mut ear = Ear::new(Instant::from_micros(0), 7);
        ear.own = BTreeSet::from([IpAddr::from([192, 0, 2, 9])]);
        ear
    }

    fn hear(ear: &mut Ear, link: u32, from: [u8; 4], port: u16, payload: &[u8]) {
        ear.take_note(&Datagram {
            link: LinkId(link),
            source: (from, port).into(),
            destination: GROUP,
            payload,
        });
    }

    /// A query for an A record, or a response with one.
    fn packet(name: &str, answer: Option<[u8; 4]>) -> Vec<u8> {
        let mut octets = match answer {
            None => vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            Some(_) => vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        };
        octets.extend(name.parse::<NameBuf>().unwrap().as_octets());
        octets.extend([0, 1, if answer.is_some() { 0x80 } else { 0 }, 1]);
        if let Some(ip) = answer {
            octets.extend([0, 0, 0, 120, 0, 4]);
            octets.extend(ip);
        }
        octets
    }

    #[test]
    fn the_test_question_is_known_again_on_every_link_and_from_everybody() {
        let mut ear = ear();
        let test = packet("cooee-test-0000000000000007-2.local", None);
        hear(&mut ear, 2, [192, 0, 2, 9], 5353, &test);
        hear(&mut ear, 3, [192, 0, 2, 1], 5353, &test);
        let of_another_run = packet("cooee-test-0000000000000008-2.local", None);
        hear(&mut ear, 2, [192, 0, 2, 8], 5353, &of_another_run);
        assert_eq!(
            ear.heard.tests,
            BTreeSet::from([
                (2, 2, true, IpAddr::from([192, 0, 2, 9])),
                (2, 3, true, IpAddr::from([192, 0, 2, 1]))
            ])
        );
        assert_eq!(ear.heard.hosts.len(), 1);
    }

    #[test]
    fn questions_answers_and_claims_are_counted_by_who_sent_them() {
        let mut ear = ear();
        let other = [192, 0, 2, 17];
        hear(&mut ear, 2, other, 5353, &packet("tabasco.local", None));
        hear(
            &mut ear,
            2,
            other,
            5353,
            &packet("Tabasco.local", Some(other)),
        );
        hear(&mut ear, 2, other, 5353, b"nonsense");
        assert_eq!(ear.heard.hosts[&(2, other.into())], (1, 1));
        let claims = &ear.heard.claims[&(2, "tabasco.local".into())];
        assert!(claims[&other.into()].contains(&other.into()));
    }

    #[test]
    fn the_pieces_of_the_steal_test_are_known_by_their_numbers() {
        let mut ear = ear();
        for number in [1, 3] {
            hear(
                &mut ear,
                2,
                [192, 0, 2, 9],
                40_000 + number,
                &steal_test(number),
            );
        }
        // From another machine it is anything.
        hear(&mut ear, 2, [192, 0, 2, 17], 40_000, &steal_test(5));
        assert_eq!(ear.heard.pieces, BTreeSet::from([1, 3]));
    }

    #[test]
    fn what_strangers_make_up_has_a_bound() {
        let mut ear = ear();
        for number in 0..20_000_u32 {
            let [_, a, b, c] = number.to_be_bytes();
            let name = format!("host-{number}.local");
            hear(
                &mut ear,
                2,
                [10, a, b, c],
                5353,
                &packet(&name, Some([10, a, b, c])),
            );
        }
        for number in 0..100 {
            let packet = packet("host-1.local", Some([10, 1, 1, number]));
            hear(&mut ear, 2, [10, 0, 0, number], 5353, &packet);
            hear(&mut ear, 2, [10, 0, 0, 1], 5353, &packet);
        }
        assert_eq!(ear.heard.hosts.len(), MOST_HOSTS);
        assert_eq!(ear.heard.claims.len(), MOST_NAMES);
        let of_one = &ear.heard.claims[&(2, "host-1.local".into())];
        assert_eq!(of_one.len(), MOST_ADDRESSES);
        assert!(of_one.values().all(|all| all.len() <= MOST_ADDRESSES));
    }
}
