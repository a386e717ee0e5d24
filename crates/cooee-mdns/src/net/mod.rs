//! The driver: an engine on real sockets, with tokio.
