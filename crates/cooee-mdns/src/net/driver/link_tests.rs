//! What a driver makes of interfaces, commands and its own end.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cooee_wire::{Data, Message};
use tokio::time::sleep;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

use super::Driver;
use super::testbed::{Host, settle};
use crate::net::driven::Driven;
use crate::net::interface::Address;
use crate::net::links::Links;
use crate::net::role::tests::{ethernet, loopback};
use crate::net::world::World;
use crate::net::{DriverEnded, LinkStatus, PORT, group};
use crate::{Config, Engine, Family, Instant, LinkSet, Node, RecordSet};

#[tokio::test(start_paused = true)]
async fn links_are_told_as_they_come_and_go() {
    let host = Host::with([loopback()]);
    let (handle, told, _) = host.start(Links::default());
    assert_eq!(told.take(), ["links lo", "no link"]);

    host.change(|interfaces| interfaces.push(ethernet(2, "eth0")));
    settle().await;
    assert_eq!(told.take(), ["links lo eth0", "up eth0"]);
    assert_eq!(host.joined(), [(2, Family::V4)]);

    host.change(|interfaces| interfaces[1].is_running = false);
    settle().await;
    assert_eq!(told.take(), ["links lo eth0", "down eth0", "no link"]);
    assert_eq!(host.joined(), []);
    let status = handle.links()[1].status().clone();
    assert!(matches!(status, LinkStatus::Unusable(why) if why.contains("no carrier")));

    host.change(|interfaces| interfaces.truncate(1));
    settle().await;
    assert_eq!(told.take(), ["links lo"]);
}

#[tokio::test(start_paused = true)]
async fn a_family_joins_when_its_address_has_been_checked() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (_handle, told, _) = host.start(Links::default());
    let ipv6 = |is_tentative| Address {
        address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2).into(),
        prefix_len: 64,
        is_tentative,
        is_deprecated: false,
    };
    host.change(|interfaces| interfaces[0].addresses.push(ipv6(true)));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V4)]);
    host.change(|interfaces| interfaces[0].addresses[1] = ipv6(false));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V4), (2, Family::V6)]);
    host.change(|interfaces| _ = interfaces[0].addresses.remove(0));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V6)]);
    let downs = told.take().into_iter().filter(|t| t.starts_with("down"));
    assert_eq!(downs.count(), 0);
}

// 6762-14-4; RFC 4862 §5.5.4
#[tokio::test(start_paused = true)]
async fn a_deprecated_address_is_told_only_while_there_is_no_other() {
    let v6 = |last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
    let global = |last, is_deprecated| Address {
        address: v6(last).into(),
        prefix_len: 64,
        is_tentative: false,
        is_deprecated,
    };
    let host = Host::with([ethernet(2, "eth0")]);
    host.lock().interfaces[0]
        .addresses
        .extend([global(1, true), global(2, false)]);
    let (handle, _told, _) = host.start(Links::default());
    let published = handle.call(|node, now| {
        let records = RecordSet::new().host_addresses("box.local".parse().unwrap());
        node.engine().publish(now, records, LinkSet::All).unwrap();
    });
    published.unwrap();
    // The IPv6 addresses of the host in what was announced last.
    let announced = || {
        let sent = host.sent();
        let last = sent.iter().rev().find_map(|(_, _, octets)| {
            let answers = Message::parse(octets).unwrap().answers();
            let addresses: Vec<_> = answers
                .filter_map(|answer| match answer.unwrap() {
                    gone if gone.ttl == 0 => None,
                    answer => match answer.data() {
                        Ok(Data::Aaaa(address)) => Some(address),
                        _ => None,
                    },
                })
                .collect();
            (!addresses.is_empty()).then_some(addresses)
        });
        last.unwrap_or_default()
    };
    sleep(Duration::from_secs(4)).await;
    assert_eq!(announced(), [v6(2)]);
    host.change(|interfaces| _ = interfaces[0].addresses.pop());
    sleep(Duration::from_secs(4)).await;
    assert_eq!(announced(), [v6(1)]);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_come_and_go_join_nothing_anew_and_fill_no_log() {
    let log = Log::default();
    let _subscribed = tracing::subscriber::set_default(log.clone());
    let host = Host::with([ethernet(2, "eth0")]);
    let (_handle, told, _) = host.start(Links::default());
    settle().await;
    assert_eq!(told.take(), ["links eth0", "up eth0"]);
    assert!(log.0.swap(0, Ordering::Relaxed) > 0, "the link is up");
    // A second of IPv4, which is none for the group, and the temporary ones of IPv6.
    let temporary = |n| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n).into();
    let second = IpAddr::from(Ipv4Addr::new(192, 0, 2, 3));
    let addresses = (1..20).map(temporary).chain([second]);
    for address in addresses {
        host.change(|interfaces| {
            interfaces[0].addresses.push(Address {
                address,
                prefix_len: 64,
                is_tentative: false,
                is_deprecated: false,
            });
        });
        settle().await;
    }
    assert_eq!(host.joined(), [(2, Family::V4), (2, Family::V6)]);
    host.change(|interfaces| interfaces[0].addresses.truncate(2));
    settle().await;
    assert_eq!(host.joined(), [(2, Family::V4), (2, Family::V6)]);
    assert!(told.take().iter().all(|told| told == "links eth0"));
    assert_eq!(log.0.load(Ordering::Relaxed), 0);
}

/// Counts what is logged above `debug`.
#[derive(Clone, Default)]
struct Log(Arc<AtomicUsize>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn other_links_can_be_chosen_while_it_runs() {
    let host = Host::with([loopback(), ethernet(2, "eth0"), ethernet(3, "eth1")]);
    let (handle, told, _) = host.start(Links::from("eth0"));
    assert_eq!(told.take(), ["links lo eth0 eth1", "up eth0"]);
    handle.set_links(Links::all().except("eth0")).unwrap();
    settle().await;
    assert_eq!(told.take(), ["links lo eth0 eth1", "down eth0", "up eth1"]);
    assert_eq!(host.joined(), [(3, Family::V4)]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_cannot_be_joined_is_told_and_the_others_go_on() {
    let host = Host::with([ethernet(2, "eth0"), ethernet(3, "eth1")]);
    host.lock().refuses_join = Some(2);
    let (handle, told, _) = host.start(Links::default());
    assert_eq!(told.take(), ["links eth0 eth1", "up eth1", "failed eth0"]);
    let status = handle.links()[0].status().to_string();
    assert!(status.starts_with("unusable: cannot join"), "{status}");
}

// ruling 2; 6762-15.1-4
#[tokio::test(start_paused = true)]
async fn a_port_found_shared_at_the_start_is_told() {
    let host = Host::with([ethernet(2, "eth0")]);
    host.lock().is_port_shared = true;
    let (_handle, told, _) = host.start(Links::default());
    assert_eq!(told.take(), ["port shared", "links eth0", "up eth0"]);
}

#[tokio::test(start_paused = true)]
async fn a_family_whose_port_is_held_is_used_as_soon_as_it_is_free() {
    let mut eth0 = ethernet(2, "eth0");
    eth0.addresses.push(Address {
        address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2).into(),
        prefix_len: 64,
        is_tentative: false,
        is_deprecated: false,
    });
    let host = Host::with([eth0]);
    host.lock().holds_port = vec![Family::V6];
    let (handle, told, _) = host.start(Links::default());
    settle().await;
    assert_eq!(told.take(), ["no socket V6", "links eth0", "up eth0"]);
    assert_eq!(host.joined(), [(2, Family::V4)]);

    // After 1, 2, 4 … 32 s, and then every minute.
    sleep(Duration::from_millis(63_500)).await;
    assert_eq!(host.lock().refused_ports, 6);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(host.lock().refused_ports, 16);
    assert!(told.take().is_empty());

    host.lock().holds_port.clear();
    host.lock().is_port_shared = true;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(told.take(), ["socket V6", "port shared", "links eth0"]);
    assert_eq!(host.joined(), [(2, Family::V4), (2, Family::V6)]);
    assert_eq!(handle.links()[0].families(), [Family::V4, Family::V6]);
}

// 6762-11-2: the hop limit is not looked at.
#[tokio::test(start_paused = true)]
async fn what_is_not_for_us_is_counted_and_dropped() {
    let host = Host::with([ethernet(2, "eth0"), ethernet(3, "eth1")]);
    let (handle, _told, _) = host.start(Links::from("eth0"));
    let them = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 99), PORT));
    let ours = IpAddr::from(Ipv4Addr::new(192, 0, 2, 2));
    host.hear(2, them, group(Family::V4), b"to the group");
    host.hear(2, them, ours, b"to us");
    host.hear(3, them, group(Family::V4), b"on the other link");
    host.hear(
        2,
        them,
        Ipv4Addr::new(224, 0, 0, 252).into(),
        b"another group",
    );
    host.hear(2, them, Ipv4Addr::BROADCAST.into(), b"everybody");
    host.hear(2, them, group(Family::V4), &[0; 9300]);
    settle().await;
    let stats = handle.stats().await.unwrap();
    assert_eq!(stats.received, 2);
    assert_eq!(stats.received_octets, 17);
    assert_eq!(stats.dropped_other_link, 1);
    assert_eq!(stats.dropped_other_destination, 2);
    assert_eq!(stats.dropped_too_long, 1);
    // The node is told of what is for us, no less and no more.
    let from = "on link 2 from 192.0.2.99:5353, Some(1) hops";
    assert_eq!(
        host.overheard(),
        [format!("12 octets {from}"), format!("5 octets {from}")]
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_socket_ends_nothing() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, _) = host.start(Links::default());
    host.lock().receive_error = Some(io::ErrorKind::ConnectionRefused.into());
    host.wake();
    settle().await;
    assert_eq!(handle.stats().await.unwrap().receive_errors, 1);
    assert_eq!(handle.ask(|_, _| 42).await, Ok(42));
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_to_go_ends_the_driver() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = host.start(Links::default());
    let other = handle.clone();
    drop(handle);
    settle().await;
    assert!(!task.is_finished());
    drop(other);
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_a_shutdown_every_call_is_refused_and_another_shutdown_is_fine() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = host.start(Links::default());
    let other = handle.clone();
    handle.shutdown().await;
    assert!(other.has_ended());
    assert_eq!(other.call(|_, _| ()), Err(DriverEnded));
    assert_eq!(other.ask(|_, _| ()).await, Err(DriverEnded));
    assert_eq!(other.stats().await, Err(DriverEnded));
    other.shutdown().await;
    task.await.unwrap();
}

#[test]
fn a_runtime_that_goes_away_takes_the_driver_with_it_and_nothing_hangs() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = {
        let _inside = runtime.enter();
        host.start(Links::default())
    };
    runtime.block_on(settle());
    drop(task);
    drop(runtime);
    assert_eq!(handle.call(|_, _| ()), Err(DriverEnded));
    drop(handle);
}

// ruling 27
#[tokio::test(start_paused = true)]
async fn a_suspend_is_noticed_before_anything_else_is_done() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, _) = host.start(Links::default());
    settle().await;
    host.lock().slept = Some(Duration::from_secs(3600));
    assert_eq!(handle.stats().await.unwrap().suspends, 1);
}

#[tokio::test(start_paused = true)]
async fn an_impatient_node_does_not_keep_the_machine_busy() {
    struct Impatient(Engine);
    impl Node for Impatient {
        fn engine(&mut self) -> &mut Engine {
            &mut self.0
        }
        fn process(&mut self, _: Instant) {}
        fn poll_timeout(&self) -> Option<Instant> {
            Some(Instant::ZERO)
        }
    }
    impl Driven for Impatient {}

    let host = Host::with([ethernet(2, "eth0")]);
    let world = host.world();
    let engine = Engine::new(Config::default(), 1, world.now());
    let (driver, handle) = Driver::new(Impatient(engine), world, Links::default(), None);
    tokio::spawn(driver.run());
    sleep(Duration::from_secs(1)).await;
    assert!(handle.stats().await.unwrap().wakeups <= 1005);
}
