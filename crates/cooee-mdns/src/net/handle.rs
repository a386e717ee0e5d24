//! What an application holds of a running driver.

use std::fmt;

use tokio::sync::{mpsc, oneshot, watch};

use super::error::DriverEnded;
use super::link::Link;
use super::links::Links;
use super::stats::Stats;
use crate::Instant;

/// A running driver. Clones are the same driver; when the last one is dropped the node says goodbye and the driver ends.
///
/// Its methods may be called from anywhere, also outside the runtime and after its end.
pub struct Handle<N> {
    commands: mpsc::UnboundedSender<Command<N>>,
    links: watch::Receiver<Vec<Link>>,
}

pub(super) enum Command<N> {
    Call(Call<N>),
    SetLinks(Links),
    Stats(oneshot::Sender<Stats>),
    Shutdown(oneshot::Sender<()>),
}

/// Something to do with the node, at a time.
type Call<N> = Box<dyn FnOnce(&mut N, Instant) + Send>;

impl<N: 'static> Handle<N> {
    pub(super) fn new(
        commands: mpsc::UnboundedSender<Command<N>>,
        links: watch::Receiver<Vec<Link>>,
    ) -> Self {
        Self { commands, links }
    }

    /// Runs `call` on the driver's task, soon; what it wants sent is sent after it. Calls are run in the order in which they were made;
    /// several that wait are run before anything is sent, so that their packets can be one.
    ///
    /// # Errors
    ///
    /// If the driver has ended; `call` is dropped then, as it is if the driver ends before its turn.
    pub fn call(
        &self,
        call: impl FnOnce(&mut N, Instant) + Send + 'static,
    ) -> Result<(), DriverEnded> {
        self.command(Command::Call(Box::new(call)))
    }

    /// Runs `call` on the driver's task and brings back what it returns.
    ///
    /// # Errors
    ///
    /// If the driver has ended, or ends before the turn of `call`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, `call` is run all the same and its result is lost.
    pub async fn ask<R: Send + 'static>(
        &self,
        call: impl FnOnce(&mut N, Instant) -> R + Send + 'static,
    ) -> Result<R, DriverEnded> {
        let (answer, answered) = oneshot::channel();
        self.call(move |node, now| {
            // Nobody may be waiting any more.
            let _ = answer.send(call(node, now));
        })?;
        answered.await.map_err(|_| DriverEnded)
    }

    /// All links of the machine as they are now, by index, used or not.
    pub fn links(&self) -> Vec<Link> {
        self.links.borrow().clone()
    }

    /// Chooses other links, while running. On links that are used no more, what is published says goodbye.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub fn set_links(&self, links: impl Into<Links>) -> Result<(), DriverEnded> {
        self.command(Command::SetLinks(links.into()))
    }

    /// The counters.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost by dropping it.
    pub async fn stats(&self) -> Result<Stats, DriverEnded> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Stats(answer))?;
        answered.await.map_err(|_| DriverEnded)
    }

    /// Says goodbye for all that is published, closes the sockets and ends the driver for all handles; within a second. Fine when it has
    /// ended already.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, the driver ends all the same.
    pub async fn shutdown(&self) {
        let (answer, answered) = oneshot::channel();
        if self.command(Command::Shutdown(answer)).is_ok() {
            // An error says that it ended for another reason: ended it has.
            let _ = answered.await;
        }
    }

    /// Whether the driver has ended.
    pub fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    fn command(&self, command: Command<N>) -> Result<(), DriverEnded> {
        self.commands.send(command).map_err(|_| DriverEnded)
    }
}

impl<N> Clone for Handle<N> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            links: self.links.clone(),
        }
    }
}

impl<N> fmt::Debug for Handle<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("has_ended", &self.commands.is_closed())
            .finish_non_exhaustive()
    }
}
