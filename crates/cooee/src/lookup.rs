//! One-shot questions: built, given options, and awaited.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cooee_mdns::net::{Families, Links};

use crate::error::{Error, Result};

/// A question that is asked when it is awaited, and has one answer.
///
/// ```no_run
/// # async fn example(zeroconf: cooee::Zeroconf) -> cooee::Result<()> {
/// use std::time::Duration;
///
/// let service = zeroconf
///     .resolve("Keith’s web server._http._tcp.local")
///     .timeout(Duration::from_secs(10))
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// Cancel safe: dropping the future ends the question.
#[must_use = "nothing is asked before it is awaited"]
pub struct Lookup<T> {
    options: Options,
    ask: Result<Ask<T>>,
}

type Ask<T> = Box<dyn FnOnce(Options) -> Answer<T> + Send + Sync>;
type Answer<T> = Pin<Box<dyn Future<Output = Result<T>> + Send + Sync>>;

/// What was chosen for a lookup.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `None`: what is usual for the question.
    pub(crate) timeout: Option<Duration>,
    /// `None`: as the question says, or all.
    pub(crate) links: Option<Links>,
    pub(crate) families: Families,
}

impl<T> Lookup<T> {
    /// A lookup that runs `ask`, or fails with what was wrong with its arguments.
    pub(crate) fn new<A, F>(ask: Result<A>) -> Self
    where
        A: FnOnce(Options) -> F + Send + Sync + 'static,
        F: Future<Output = Result<T>> + Send + Sync + 'static,
    {
        Self {
            options: Options {
                timeout: None,
                links: None,
                families: Families::Both,
            },
            ask: ask.map(|ask| Box::new(|options| Box::pin(ask(options)) as Answer<T>) as Ask<T>),
        }
    }

    /// How long to wait at most. By default 3 s, or what was given to [`Builder::timeout`](crate::Builder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Asks on these links only.
    pub fn links(mut self, links: impl Into<Links>) -> Self {
        self.options.links = Some(links.into());
        self
    }

    /// Asks for addresses of these families only. Means nothing where no addresses are asked for.
    pub fn families(mut self, families: Families) -> Self {
        self.options.families = families;
        self
    }
}

impl<T> IntoFuture for Lookup<T>
where
    T: Send + 'static,
{
    type Output = Result<T>;
    type IntoFuture = LookupFuture<T>;

    fn into_future(self) -> LookupFuture<T> {
        LookupFuture(match self.ask {
            Ok(ask) => State::Asking(ask(self.options)),
            Err(error) => State::Failed(error),
        })
    }
}

impl<T> fmt::Debug for Lookup<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A [`Lookup`] that is being awaited.
#[must_use = "nothing happens unless it is polled"]
pub struct LookupFuture<T>(State<T>);

enum State<T> {
    Asking(Answer<T>),
    Failed(Error),
}

impl<T> Future for LookupFuture<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match &mut self.0 {
            State::Asking(answer) => answer.as_mut().poll(cx),
            State::Failed(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

impl<T> fmt::Debug for LookupFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupFuture").finish_non_exhaustive()
    }
}
