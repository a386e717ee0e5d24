//! The commands.

pub(crate) mod browse;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod host;
pub(crate) mod man;
pub(crate) mod monitor;
pub(crate) mod query;
pub(crate) mod resolve;
#[cfg(feature = "tui")]
pub(crate) mod tui;
pub(crate) mod types;
#[cfg(feature = "ui")]
pub(crate) mod ui;

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A list is not complete before the second question, which goes out after a second, could be answered (ruling 34).
const LEAST: Duration = Duration::from_millis(1_500);
/// For so long nothing new may have come.
const STILL: Duration = Duration::from_millis(500);
/// However many keep coming.
const MOST: Duration = Duration::from_secs(5);

/// Waits until then, or for ever.
pub(crate) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
