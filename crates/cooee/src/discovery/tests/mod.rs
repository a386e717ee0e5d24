//! Two or more whole stacks on a simulated link.

mod conflicts;
mod figures;
mod finding;
mod lan;
mod network;
mod nonsense;
mod publishing;

use std::pin::pin;
use std::task::Poll;

use crate::{Browser, Service, ServiceEvent};
use lan::poll_once;

fn web(instance: &str) -> Service {
    Service::new(instance, "_http._tcp", 8080)
        .unwrap()
        .txt("path", "/")
}

/// The events that are there now.
fn events(browser: &mut Browser) -> Vec<ServiceEvent> {
    let mut events = Vec::new();
    while let Poll::Ready(Some(event)) = poll_once(pin!(browser.next())) {
        events.push(event);
    }
    events
}

#[track_caller]
fn names(browser: &mut Browser) -> Vec<String> {
    let services = browser.snapshot().services;
    services
        .iter()
        .map(|service| service.instance().to_string())
        .collect()
}
