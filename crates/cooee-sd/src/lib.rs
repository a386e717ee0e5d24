//! DNS-Based Service Discovery (RFC 6763): names, types, TXT, browse and resolve, over any transport.
