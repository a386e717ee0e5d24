//! Multicast DNS (RFC 6762): a sans-IO engine, and its driver for tokio.
