//! What leaves a driver with a real engine, and when.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use cooee_wire::{Class, Message, NameBuf, QuestionBuf, RdataBuf, RecordBuf, RecordType};
use tokio::time::{Instant as TokioInstant, sleep};

use super::testbed::{Host, Recorder};
use crate::net::handle::Handle;
use crate::net::interface::Address;
use crate::net::links::Links;
use crate::net::role::tests::ethernet;
use crate::net::{LinkStatus, PORT, group};
use crate::{Family, LinkSet, Node, QueryOptions, RecordSet};

// 6762-20-2, ruling 24
#[tokio::test(start_paused = true)]
async fn every_multicast_leaves_in_each_family_with_the_same_octets() {
    let host = dual_stack();
    let (handle, told, _) = host.start(Links::default());
    publish(&handle, 1);
    sleep(Duration::from_secs(3)).await;
    assert!(told.take().contains(&"ready".into()));

    let sent = host.sent();
    let in_family = |family| -> Vec<Vec<u8>> {
        let to = SocketAddr::new(group(family), PORT);
        let of_family = sent.iter().filter(|(_, destination, _)| *destination == to);
        of_family.map(|(_, _, octets)| octets.clone()).collect()
    };
    assert!(in_family(Family::V4).len() >= 4, "probes and announcements");
    assert_eq!(in_family(Family::V4), in_family(Family::V6));
    assert!(sent.iter().all(|(index, _, _)| *index == 2));
}

#[tokio::test(start_paused = true)]
async fn the_node_hears_at_once_what_comes_of_sending() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, told, _) = host.start(Links::default());
    publish(&handle, 1);
    // Until the first announcement has left, which makes the group ready.
    let is_announcement = |octets: &Vec<u8>| Message::parse(octets).unwrap().answers().count() > 0;
    while !host
        .sent()
        .iter()
        .any(|(_, _, octets)| is_announcement(octets))
    {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(told.take().contains(&"ready".into()));
    drop(handle);
}

// ruling 9; 6762-10.1-1
#[tokio::test(start_paused = true)]
async fn a_shutdown_sends_the_goodbyes_before_it_returns() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, _) = host.start(Links::default());
    publish(&handle, 1);
    sleep(Duration::from_secs(3)).await;
    host.sent();
    let before = TokioInstant::now();
    handle.shutdown().await;
    assert!(before.elapsed() < Duration::from_secs(1));
    assert_eq!(goodbyes(&host), 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_says_goodbye_too() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, task) = host.start(Links::default());
    publish(&handle, 1);
    sleep(Duration::from_secs(3)).await;
    host.sent();
    drop(handle);
    task.await.unwrap();
    assert_eq!(goodbyes(&host), 1);
}

// 6762-10.1-1
#[tokio::test(start_paused = true)]
async fn a_link_that_is_not_wanted_any_more_is_left_with_a_goodbye() {
    let host = Host::with([ethernet(2, "eth0"), ethernet(3, "eth1")]);
    let (handle, _told, _) = host.start(Links::default());
    publish(&handle, 1);
    sleep(Duration::from_secs(3)).await;
    host.sent();
    handle.set_links("eth1").unwrap();
    sleep(Duration::from_secs(3)).await;
    let sent = host.sent();
    let of = |index: u32| sent.iter().filter(move |(at, ..)| *at == index);
    assert_eq!(of(2).count(), 1, "one goodbye where it was");
    let (_, _, octets) = of(2).next().unwrap();
    let answers = Message::parse(octets).unwrap().answers();
    assert!(answers.map(Result::unwrap).all(|record| record.ttl == 0));
    assert_eq!(of(3).count(), 0, "nothing where it stays");
    // And back again, from the start.
    handle.set_links(Links::default()).unwrap();
    sleep(Duration::from_secs(3)).await;
    assert!(host.sent().iter().filter(|(at, ..)| *at == 2).count() >= 4);
}

#[test]
fn a_runtime_that_goes_away_lets_the_driver_say_goodbye() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, _told, _task) = {
        let _inside = runtime.enter();
        host.start(Links::default())
    };
    publish(&handle, 1);
    runtime.block_on(async { sleep(Duration::from_secs(3)).await });
    host.sent();
    let _inside = runtime.enter();
    drop(runtime);
    assert_eq!(goodbyes(&host), 1);
}

// rulings 1, 2; 6762-15.1-3
#[tokio::test(start_paused = true)]
async fn unicast_answers_are_asked_for_only_if_the_port_is_ours_alone() {
    for is_shared in [false, true] {
        let host = Host::with([]);
        host.lock().is_port_shared = is_shared;
        let (handle, _told, _) = host.start(Links::default());
        publish(&handle, 1);
        ask(&handle, "printer.local");
        sleep(Duration::from_secs(1)).await;
        // Standing questions and probes as a link comes up: the case for unicast, if ever.
        host.change(|interfaces| interfaces.push(ethernet(2, "eth0")));
        sleep(Duration::from_millis(400)).await;

        let sent = host.sent();
        let questions: Vec<bool> = sent
            .iter()
            .flat_map(|(_, _, octets)| Message::parse(octets).unwrap().questions())
            .map(|question| question.unwrap().unicast_response)
            .collect();
        assert!(
            questions.len() >= 2,
            "a probe and a question: {questions:?}"
        );
        assert_eq!(questions.contains(&true), !is_shared, "{questions:?}");
    }
}

// ruling 15
#[tokio::test(start_paused = true)]
async fn many_services_leave_at_a_pace_that_receivers_can_follow() {
    let host = Host::with([ethernet(2, "eth0")]);
    let (handle, told, _) = host.start(Links::default());
    publish(&handle, 2000);
    let mut most = 0;
    let mut total = 0;
    for _ in 0..4000 {
        sleep(Duration::from_millis(1)).await;
        let sent = host.sent().len();
        most = most.max(sent);
        total += sent;
    }
    let ready = told.take().iter().filter(|told| *told == "ready").count();
    assert_eq!(ready, 2000);
    assert!(total > 64, "{total}: too few to show anything");
    assert!(most <= 32, "{most} datagrams within a millisecond");
    assert!(handle.stats().await.unwrap().paced > 0);

    // The goodbyes keep the pace as well, and all of them leave.
    handle.shutdown().await;
    assert_eq!(goodbyes(&host), 2000);
}

// ruling 26
#[tokio::test(start_paused = true)]
async fn a_link_that_refuses_three_multicasts_is_unusable_until_something_happens_to_it() {
    let host = Host::with([ethernet(2, "eth0"), ethernet(3, "eth1")]);
    host.lock().refuses_send = vec![(2, Family::V4)];
    let (handle, told, _) = host.start(Links::default());
    publish(&handle, 1);
    sleep(Duration::from_secs(3)).await;
    let news = told.take();
    assert!(news.contains(&"failed eth0".into()), "{news:?}");
    assert!(
        news.contains(&"ready".into()),
        "the other link is enough: {news:?}"
    );
    let status = |at: usize| handle.links()[at].status().clone();
    assert!(matches!(status(0), LinkStatus::Unusable(why) if why.starts_with("sending fails")));
    assert_eq!(status(1), LinkStatus::InUse);
    assert!(handle.stats().await.unwrap().send_failures >= 3);

    host.sent();
    host.lock().refuses_send.clear();
    host.change(|interfaces| interfaces[0].mtu = 1400);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(status(0), LinkStatus::InUse);
    assert!(host.sent().iter().any(|(index, _, _)| *index == 2));
}

// ruling 26
#[tokio::test(start_paused = true)]
async fn a_link_that_refused_is_tried_again_after_a_minute() {
    let host = Host::with([ethernet(2, "eth0")]);
    host.lock().refuses_send = vec![(2, Family::V4)];
    let (handle, told, _) = host.start(Links::default());
    publish(&handle, 1);
    sleep(Duration::from_secs(30)).await;
    let failed = |told: Vec<String>| told.iter().filter(|t| *t == "failed eth0").count();
    assert_eq!(failed(told.take()), 1);
    let failures = handle.stats().await.unwrap().send_failures;
    assert!(failures < 10, "{failures}");
    host.lock().refuses_send.clear();
    sleep(Duration::from_secs(40)).await;
    assert!(told.take().contains(&"ready".into()));
    assert!(handle.links()[0].is_in_use());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_delays_and_is_no_fault_of_the_link() {
    let host = dual_stack();
    let (handle, told, _) = host.start(Links::default());
    publish(&handle, 1);
    host.lock().is_full = true;
    // No probe waits longer than the engine would wait before it repeats one.
    sleep(Duration::from_millis(300)).await;
    assert_eq!(host.sent().len(), 0);
    host.lock().is_full = false;
    sleep(Duration::from_secs(3)).await;
    assert!(told.take().contains(&"ready".into()));
    assert!(handle.links()[0].is_in_use());
    assert_eq!(handle.stats().await.unwrap().send_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_family_that_fails_alone_does_not_make_the_link_unusable() {
    let host = dual_stack();
    let (handle, told, _) = host.start(Links::default());
    host.lock().refuses_send = vec![(2, Family::V6)];
    publish(&handle, 1);
    sleep(Duration::from_secs(3)).await;
    assert!(told.take().contains(&"ready".into()));
    assert!(handle.links()[0].is_in_use());
}

/// One Ethernet interface with both families.
fn dual_stack() -> Host {
    let mut eth0 = ethernet(2, "eth0");
    eth0.addresses.push(Address {
        address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2).into(),
        prefix_len: 64,
        is_tentative: false,
        is_deprecated: false,
    });
    Host::with([eth0])
}

/// Publishes as many records with names of their own.
fn publish(handle: &Handle<Recorder>, count: u32) {
    let published = handle.call(move |node, now| {
        for n in 0..count {
            let name: NameBuf = format!("box-{n}.local").parse().unwrap();
            let address = RdataBuf::a(Ipv4Addr::from(0x0a00_0000 + n));
            let records = RecordSet::new().unique(RecordBuf::new(name, 120, address));
            node.engine().publish(now, records, LinkSet::All).unwrap();
        }
    });
    published.unwrap();
}

fn ask(handle: &Handle<Recorder>, name: &str) {
    let question = QuestionBuf {
        name: name.parse().unwrap(),
        kind: RecordType::A,
        class: Class::IN,
        unicast_response: false,
    };
    let asked = handle.call(move |node, now| {
        node.engine()
            .query(now, question, QueryOptions::standing(), LinkSet::All);
    });
    asked.unwrap();
}

/// How many records of IPv4 multicasts sent had a TTL of zero.
fn goodbyes(host: &Host) -> usize {
    let sent = host.sent();
    let answers = sent.iter().flat_map(|(_, _, octets)| {
        let message = Message::parse(octets).unwrap();
        message.answers().map(|answer| answer.unwrap())
    });
    answers.filter(|answer| answer.ttl == 0).count()
}
