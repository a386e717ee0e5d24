//! What the benchmarks share: real packets by size, and the table at the end.

#![forbid(unsafe_code)]

pub mod packets;
pub mod response;
pub mod turns;
