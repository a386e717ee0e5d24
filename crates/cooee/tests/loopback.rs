//! Whole programs on the loopback interface, with real sockets on port 5353.
//!
//! No other interface is touched, and no privilege is needed. Where the sockets cannot be had the test says so and is skipped.
#![cfg(target_os = "linux")]

use std::time::Duration;

use cooee::{Builder, Error, Links, Service, ServiceEvent, Zeroconf};

const LIMIT: Duration = Duration::from_secs(20);

fn on_loopback() -> Builder {
    Zeroconf::builder().links(Links::loopback())
}

fn skip<T>(started: Result<T, Error>) -> Option<T> {
    match started {
        Ok(started) => Some(started),
        Err(error) if error.is_network() => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A service that no other run of the tests has.
fn service(purpose: &str) -> Service {
    let name = format!("cooee test, {purpose}, {}", std::process::id());
    Service::new(name.as_str(), "_cooee-test._tcp", 4000)
        .expect("a service")
        .txt("path", "/")
}

#[tokio::test]
async fn a_service_is_found_changed_and_taken_back() {
    let Some(publisher) = skip(on_loopback().start().await) else {
        return;
    };
    let Some(finder) = skip(on_loopback().start().await) else {
        return;
    };
    let work = async {
        let registration = publisher.publish(service("async")).await.unwrap();
        let name = registration.name();
        let mut browser = finder.browse("_cooee-test._tcp").unwrap();
        let found = loop {
            let found = browser.first().await.unwrap();
            if *found.name() == name {
                break found;
            }
        };
        assert_eq!(
            (found.port(), found.txt().get_str("path")),
            (4000, Some("/"))
        );
        assert!(!found.addresses().is_empty() && !found.is_own());

        registration.set_port(4001).unwrap();
        let resolved = finder.resolve(&name).await.unwrap();
        assert_eq!(resolved.host(), found.host());
        wait_for(
            &mut browser,
            |event| matches!(event, ServiceEvent::Updated(service) if service.port() == 4001),
        )
        .await;

        registration.withdraw().await;
        wait_for(
            &mut browser,
            |event| matches!(event, ServiceEvent::Removed(removed) if *removed == name),
        )
        .await;

        finder.shutdown().await;
        finder.shutdown().await;
        assert_eq!(browser.next().await, None);
        assert!(finder.browse("_http._tcp").unwrap_err().is_shut_down());
    };
    tokio::time::timeout(LIMIT, work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_of_links_may_look_at_the_links() {
    let Some(zeroconf) = skip(on_loopback().start().await) else {
        return;
    };
    let seen = zeroconf.clone();
    let links = Links::matching(move |link| {
        let known = seen.links();
        known.iter().any(|known| known.index() == link.index())
    });
    let registration = zeroconf
        .start_publish(service("choice").links(links))
        .unwrap();
    let ready = tokio::time::timeout(LIMIT, registration.ready());
    ready.await.unwrap().unwrap();
    zeroconf.shutdown().await;
}

async fn wait_for(browser: &mut cooee::Browser, wanted: impl Fn(&ServiceEvent) -> bool) {
    while let Some(event) = browser.next().await {
        if wanted(&event) {
            return;
        }
    }
    panic!("the stream has ended");
}

#[cfg(feature = "blocking")]
#[test]
fn callbacks_run_until_their_guard_is_dropped() {
    use cooee::blocking::Listener;
    use cooee::wire::RecordType;
    use cooee::{Event, RecordEvent, TypeEvent};
    use std::sync::mpsc;

    let Some(publisher) = skip(on_loopback().start_blocking()) else {
        return;
    };
    let Some(finder) = skip(on_loopback().start_blocking()) else {
        return;
    };
    let (added, news) = mpsc::channel();
    let gone = added.clone();
    let listener = Listener::new()
        .on_added(move |service| added.send(service.name().clone()).unwrap())
        .on_removed(move |name| gone.send(name.clone()).unwrap());
    let listening = finder.listen("_cooee-test._tcp", listener).unwrap();
    let next = |name: &cooee::ServiceName| {
        while news.recv_timeout(LIMIT).unwrap() != *name {}
    };

    let registration = publisher.publish(service("blocking")).unwrap();
    let name = registration.name();
    next(&name);
    assert!(finder.resolve(&name, LIMIT).unwrap().port() == 4000);
    let listed = finder.list("_cooee-test._tcp", LIMIT).unwrap();
    assert!(listed.iter().any(|service| *service.name() == name));
    let types = finder.service_types().unwrap();
    let wanted: cooee::ServiceType = "_cooee-test._tcp".parse().unwrap();
    let mut seen = types.map(|event| matches!(event, TypeEvent::Added(kind) if kind == wanted));
    assert!(seen.any(|wanted| wanted));
    let mut query = finder
        .query(
            name.as_name_buf().clone(),
            RecordType::SRV,
            Links::default(),
        )
        .unwrap();
    assert!(matches!(
        query.next_timeout(LIMIT),
        Ok(RecordEvent::Added(_))
    ));
    let event = finder.events().next_timeout(LIMIT);
    assert!(matches!(event, Ok(Event::LinkUp(_))), "{event:?}");
    assert!(finder.stats().unwrap().sockets.received > 0);

    registration.withdraw();
    next(&name);

    drop(listening);
    // The callbacks are gone, and their ends of the channel with them.
    while news.try_recv().is_ok() {}
    assert_eq!(news.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    finder.shutdown();
    publisher.shutdown();
}
