//! A simulated network for unit tests of programs that use [`Zeroconf`](crate::Zeroconf). Feature `testing`.
//!
//! The hosts of a [`Network`] run the real library, driver and all; only the interfaces, the cables and the clock are made up. The clock is
//! tokio's: on a paused one minutes pass in milliseconds, and nothing depends on the machine that the test runs on. All chance
//! comes from one number. No socket is opened, so no privilege is needed and tests can run side by side.
//!
//! ```
//! use cooee::{Service, ServiceEvent, testing};
//!
//! # fn main() -> cooee::Result<()> {
//! testing::run(async {
//!     let network = testing::Network::new(7);
//!     let lan = network.lan();
//!     let (alice, bob) = (lan.host("alice"), lan.host("bob"));
//!
//!     let chat = Service::new("Alice", "_cs6452._tcp", 4000)?;
//!     let _registration = alice.zeroconf().await?.publish(chat).await?;
//!     let mut peers = bob.zeroconf().await?.browse("_cs6452._tcp")?;
//!     assert_eq!(peers.first().await?.port(), 4000);
//!
//!     // Somebody stumbles over a cable. Bob asks again before the records expire, and again, and gives up: two minutes, in no time.
//!     alice.leave(&lan);
//!     while !matches!(peers.next().await, Some(ServiceEvent::Removed(_))) {}
//!     assert!(network.violations().is_empty(), "{}", network.transcript());
//!     # Ok(())
//! })
//! # }
//! ```
//!
//! With `#[tokio::test(start_paused = true)]` (tokio’s feature `test-util`) a test needs no [`run`]. Without a paused clock everything works too, in real time.
//!
//! What is not simulated: the program's own connections. The addresses that are found lead nowhere; a test that connects gives its program
//! another address or another dialler.

mod machine;
mod network;
mod world;

use std::future::Future;

pub use cooee_sim::Violation;
pub use network::{Host, Lan, Network};

/// Runs a test on a tokio runtime of its own whose clock is paused: it jumps to the next thing that is to happen whenever all wait.
///
/// # Panics
///
/// If the system gives no runtime, or within another one.
#[expect(
    clippy::expect_used,
    reason = "for tests, where a panic is how they fail"
)]
pub fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime without I/O").block_on(test)
}
