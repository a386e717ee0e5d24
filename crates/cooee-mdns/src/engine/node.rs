//! What a driver drives.

use super::{Engine, Instant};

/// An engine with what stands on it: the thing that a driver, or a simulator, keeps running.
///
/// Links, datagrams and transmissions go straight to the engine; what the application makes of the events is its own business,
/// done in [`process`](Self::process). A bare [`Engine`] is a node too: one whose events somebody else takes.
pub trait Node {
    /// The engine.
    fn engine(&mut self) -> &mut Engine;

    /// Called after everything that may have changed the engine, and when [`poll_timeout`](Self::poll_timeout) has come,
    /// before transmissions are polled: takes the events, acts on them and on its own deadlines.
    fn process(&mut self, now: Instant);

    /// When to call again at the latest: the earliest of the engine's and its own deadlines.
    fn poll_timeout(&self) -> Option<Instant>;
}

impl Node for Engine {
    fn engine(&mut self) -> &mut Engine {
        self
    }

    fn process(&mut self, _: Instant) {}

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }
}
