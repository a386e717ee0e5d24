//! DNS messages as octets: parsed without copies, built with compression.
