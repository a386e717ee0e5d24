//! Zeroconf: publish a service on the local link, find the others.
