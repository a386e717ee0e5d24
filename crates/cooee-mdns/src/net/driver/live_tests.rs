//! Drivers on real interfaces, each test in a network namespace of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::net::IpAddr;
use std::time::Duration;

use cooee_wire::{Class, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use tokio::sync::mpsc;

use crate::net::lab::{ip, is_in_namespace, run_in_namespace};
use crate::net::{Builder, Driven, Handle, Links, NetworkEvent, StartError};
use crate::{Engine, Event, Family, Instant, LinkSet, Node, Presence, QueryOptions, RecordSet};

#[test]
fn two_interfaces_on_one_network_are_no_conflict_with_oneself() {
    run_in_namespace("net::driver::live_tests::in_namespace_one_network_twice");
}

// rulings 20, 21; 6762-14-7, 6762-14-8
#[tokio::test]
#[ignore = "runs in a namespace of its own"]
async fn in_namespace_one_network_twice() {
    if !is_in_namespace() {
        return;
    }
    // Both interfaces hear what the other sends; IPv4 from an own address is usually refused by the kernel, IPv6 is not.
    crate::net::lab::sysctl("net.ipv4.conf.all.accept_local", "1");
    ip("link add name br0 type bridge\n\
        link add eth1 type veth peer name port1\nlink add eth2 type veth peer name port2\n\
        link set port1 master br0\nlink set port2 master br0\n\
        addr add 192.0.2.1/24 dev eth1\naddr add 192.0.2.2/24 dev eth2\n\
        link set br0 up\nlink set port1 up\nlink set port2 up\nlink set eth1 up\nlink set eth2 up");
    let (handle, mut told) = start("eth*");
    has_addresses(&handle, 4).await;
    publish_host(&handle, "tabasco.local");
    let ready = |news: &News| matches!(news, News::Engine(Event::Ready { .. }));
    until(&mut told, ready).await;
    // Conflicts would come with the announcements, a second apart.
    has_settled(&handle).await;
    while let Ok(news) = told.try_recv() {
        assert!(
            !matches!(news, News::Engine(Event::Conflict { .. })),
            "{news:?}"
        );
    }
    let stats = handle.ask(|node, _| node.engine.stats()).await.unwrap();
    let network = handle.stats().await.unwrap();
    assert_eq!(stats.conflicts, 0, "{stats:?}");
    println!("{stats:?}\n{network:?}");
    assert!(network.sent_multicast < 60, "no storm: {network:?}");
    handle.shutdown().await;
}

#[test]
fn what_is_published_follows_the_interface_through_its_life() {
    run_in_namespace("net::driver::live_tests::in_namespace_flap_and_readdress");
}

// 6762-8-2, 6762-8.4-2, 6762-10.3-1
#[tokio::test]
#[ignore = "runs in a namespace of its own"]
async fn in_namespace_flap_and_readdress() {
    if !is_in_namespace() {
        return;
    }
    crate::net::lab::sysctl("net.ipv4.conf.all.accept_local", "1");
    ip("link add eth1 type veth peer name eth2\n\
        addr add 192.0.2.1/24 dev eth1\naddr add 192.0.2.2/24 dev eth2\n\
        link set eth1 up\nlink set eth2 up");
    let (publisher, _) = start("eth1");
    let (querier, mut told) = start("eth2");
    has_addresses(&publisher, 2).await;
    publish_host(&publisher, "tabasco.local");
    ask(&querier, "tabasco.local");
    let answer = |wanted: &'static str, presence: Presence| {
        let wanted: IpAddr = wanted.parse().unwrap();
        let wanted = match wanted {
            IpAddr::V4(v4) => RdataBuf::a(v4),
            IpAddr::V6(v6) => RdataBuf::aaaa(v6),
        };
        move |news: &News| {
            matches!(news, News::Engine(Event::Answer { record, presence: is, .. })
                if record.rdata == wanted && *is == presence)
        }
    };
    until(&mut told, answer("192.0.2.1", Presence::Present)).await;

    // Another address: the old one is flushed, the new one announced.
    ip("addr del 192.0.2.1/24 dev eth1\naddr add 192.0.2.7/24 dev eth1");
    until(&mut told, answer("192.0.2.7", Presence::Present)).await;

    // The cable out and in again, with a new address meanwhile.
    ip("link set eth1 down");
    until(&mut told, |news| matches!(news, News::Down)).await;
    ip("addr flush dev eth1\naddr add 192.0.2.8/24 dev eth1\nlink set eth1 up");
    until(&mut told, answer("192.0.2.8", Presence::Present)).await;

    // Gone and made again: another index, the same name.
    ip("link del eth1");
    until(&mut told, |news| matches!(news, News::Down)).await;
    ip("link add eth1 type veth peer name eth2\n\
        addr add 192.0.2.9/24 dev eth1\naddr add 192.0.2.2/24 dev eth2\n\
        link set eth1 up\nlink set eth2 up");
    until(&mut told, answer("192.0.2.9", Presence::Present)).await;

    publisher.shutdown().await;
    until(&mut told, answer("192.0.2.9", Presence::Gone)).await;
    querier.shutdown().await;
}

#[test]
fn each_network_is_told_its_own_addresses_alone() {
    run_in_namespace("net::driver::live_tests::in_namespace_two_networks");
}

// 6762-14-4, 6762-14-6
#[tokio::test]
#[ignore = "runs in a namespace of its own"]
async fn in_namespace_two_networks() {
    if !is_in_namespace() {
        return;
    }
    crate::net::lab::sysctl("net.ipv4.conf.all.accept_local", "1");
    ip(
        "link add eth1 type veth peer name far1\nlink add eth2 type veth peer name far2\n\
        addr add 192.0.2.1/24 dev eth1\naddr add 192.0.2.9/24 dev far1\n\
        addr add 198.51.100.1/24 dev eth2\naddr add 198.51.100.9/24 dev far2\n\
        link set eth1 up\nlink set far1 up\nlink set eth2 up\nlink set far2 up",
    );
    let (publisher, _) = start("eth*");
    has_addresses(&publisher, 4).await;
    let mut seen = Vec::new();
    for far in ["far1", "far2"] {
        let (querier, mut told) = start(far);
        has_addresses(&querier, 2).await;
        ask(&querier, "tabasco.local");
        if far == "far1" {
            publish_host(&publisher, "tabasco.local");
        }
        let is_a = |news: &News| matches!(news, News::Engine(Event::Answer { record, .. }) if record.rdata.kind() == RecordType::A);
        until(&mut told, is_a).await;
        // Whatever else belongs to the answer comes with it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let cached = querier.ask(|node, now| {
            let question = QuestionBuf {
                name: "tabasco.local".parse().unwrap(),
                kind: RecordType::A,
                class: Class::IN,
                unicast_response: false,
            };
            node.engine.cache(now, &question)
        });
        let cached = cached.await.unwrap();
        seen.push(
            cached
                .into_iter()
                .map(|(_, record, _)| record.rdata)
                .collect::<Vec<_>>(),
        );
        querier.shutdown().await;
    }
    assert_eq!(
        seen,
        [
            vec![RdataBuf::a([192, 0, 2, 1].into())],
            vec![RdataBuf::a([198, 51, 100, 1].into())]
        ]
    );
    publisher.shutdown().await;
}

#[test]
fn a_link_with_ipv6_alone_is_enough() {
    run_in_namespace("net::driver::live_tests::in_namespace_ipv6_alone");
}

// 6762-20-1
#[tokio::test]
#[ignore = "runs in a namespace of its own"]
async fn in_namespace_ipv6_alone() {
    if !is_in_namespace() {
        return;
    }
    ip("link add eth1 type veth peer name eth2\nlink set eth1 up\nlink set eth2 up");
    let (publisher, _) = start("eth1");
    let (querier, mut told) = start("eth2");
    has_addresses(&publisher, 1).await;
    publish_host(&publisher, "tabasco.local");
    ask(&querier, "tabasco.local");
    until(&mut told, |news| {
        matches!(news, News::Engine(Event::Answer { record, .. })
            if record.rdata.kind() == RecordType::AAAA)
    })
    .await;
    publisher.shutdown().await;
    querier.shutdown().await;
}

#[test]
fn a_port_that_is_not_shared_is_told_and_the_other_family_goes_on() {
    run_in_namespace("net::driver::live_tests::in_namespace_port_held");
}

#[tokio::test]
#[ignore = "runs in a namespace of its own"]
async fn in_namespace_port_held() {
    if !is_in_namespace() {
        return;
    }
    let start =
        || Builder::new().start(|now, seed| Engine::new(crate::Config::default(), seed, now));
    let ipv4 = std::net::UdpSocket::bind("0.0.0.0:5353").unwrap();
    ip(
        "link add eth1 type veth peer name eth2\naddr add 192.0.2.1/24 dev eth1\n\
        link set eth1 up\nlink set eth2 up",
    );
    let handle = start().unwrap();
    has_families(&handle, &[Family::V6]).await;
    drop(ipv4);
    // It is asked for again after a second.
    has_families(&handle, &[Family::V4, Family::V6]).await;
    handle.shutdown().await;

    // Takes both families.
    let _both = std::net::UdpSocket::bind("[::]:5353").unwrap();
    let refused = start().unwrap_err();
    assert!(matches!(&refused, StartError::NoSocket(error)
        if error.kind() == std::io::ErrorKind::AddrInUse));
    assert!(
        refused.to_string().contains("does not share it"),
        "{refused}"
    );
}

async fn has_families(handle: &Handle<Engine>, wanted: &[Family]) {
    for _ in 0..100 {
        let links = handle.links();
        let eth1 = links.iter().find(|link| link.name() == "eth1").unwrap();
        if eth1.families() == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:#?}", handle.links());
}

/// Waits until the links in use have as many usable addresses together.
async fn has_addresses(handle: &Handle<Teller>, wanted: usize) {
    let has = || {
        let links = handle.links();
        let in_use = links.iter().filter(|link| link.is_in_use());
        let addresses = in_use.flat_map(|link| link.addresses());
        addresses.filter(|address| !address.tentative).count()
    };
    for _ in 0..100 {
        if has() >= wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:#?}", handle.links());
}

/// Waits for as long as the engine has something due within a few seconds, by its own deadlines.
async fn has_settled(handle: &Handle<Teller>) {
    let due = || handle.ask(|node, now| node.engine.poll_timeout().map(|at| at.since(now)));
    while let Some(wait) = due().await.unwrap()
        && wait < Duration::from_secs(5)
    {
        tokio::time::sleep(wait + Duration::from_millis(1)).await;
    }
}

fn publish_host(handle: &Handle<Teller>, name: &str) {
    let name: NameBuf = name.parse().unwrap();
    let service: NameBuf = "Web._http._tcp.local".parse().unwrap();
    let published = handle.call(move |node, now| {
        let srv = RdataBuf::srv(0, 0, 80, name.as_name());
        let records = RecordSet::new()
            .unique(RecordBuf::new(service, 120, srv))
            .host_addresses(name);
        node.engine.publish(now, records, LinkSet::All).unwrap();
    });
    published.unwrap();
}

fn ask(handle: &Handle<Teller>, name: &str) {
    let name: NameBuf = name.parse().unwrap();
    let asked = handle.call(move |node, now| {
        for kind in [RecordType::A, RecordType::AAAA] {
            let question = QuestionBuf {
                name: name.clone(),
                kind,
                class: Class::IN,
                unicast_response: false,
            };
            node.engine
                .query(now, question, QueryOptions::standing(), LinkSet::All);
        }
    });
    asked.unwrap();
}

async fn until(told: &mut mpsc::UnboundedReceiver<News>, wanted: impl Fn(&News) -> bool) {
    let mut seen = Vec::new();
    let search = async {
        while let Some(news) = told.recv().await {
            if wanted(&news) {
                return;
            }
            seen.push(news);
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(15), search).await;
    assert!(found.is_ok(), "only: {seen:#?}");
}

fn start(links: &str) -> (Handle<Teller>, mpsc::UnboundedReceiver<News>) {
    let (news, told) = mpsc::unbounded_channel();
    let handle = Builder::new()
        .links(Links::from(links))
        .start(|now, seed| Teller {
            engine: Engine::new(crate::Config::default(), seed, now),
            news,
        });
    (handle.unwrap(), told)
}

#[derive(Debug)]
enum News {
    Engine(Event),
    Down,
}

struct Teller {
    engine: Engine,
    news: mpsc::UnboundedSender<News>,
}

impl Node for Teller {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    fn process(&mut self, _: Instant) {
        while let Some(event) = self.engine.poll_event() {
            let _ = self.news.send(News::Engine(event));
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }
}

impl Driven for Teller {
    fn handle_network(&mut self, _: Instant, event: &NetworkEvent) {
        if let NetworkEvent::LinkDown(_) = event {
            let _ = self.news.send(News::Down);
        }
    }
}
