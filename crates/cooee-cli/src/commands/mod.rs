//! The commands.

pub(crate) mod browse;
pub(crate) mod demo;
pub(crate) mod host;
pub(crate) mod publish;
pub(crate) mod query;
pub(crate) mod resolve;
pub(crate) mod types;

use tokio::time::{Instant, sleep_until};

/// Waits until then, or for ever.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
