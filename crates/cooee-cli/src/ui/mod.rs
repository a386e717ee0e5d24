//! The page of `cooee ui`: its files, who may see them, and the stream of events that keeps it up to date.

pub(crate) mod browser;
mod connections;
mod guard;
mod json;
pub(crate) mod server;
mod stream;
