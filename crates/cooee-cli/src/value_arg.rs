//! Numbers and fixed words of the command line.

use std::net::IpAddr;
use std::time::Duration;

use crate::escape;

/// A port to publish.
///
/// # Errors
///
/// One sentence with the range; port 0 would say that there is no such service (RFC 6763, section 8).
pub(crate) fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) => Err("port 0 would say that there is no such service: give the port that your program listens on, \
                      1 to 65535"
            .into()),
        Ok(port) if text.bytes().all(|octet| octet.is_ascii_digit()) => Ok(port),
        _ => Err(format!("'{}' is not a port: it must be a number from 1 to 65535", escape::text(text))),
    }
}

/// A priority or weight.
///
/// # Errors
///
/// One sentence with the range.
pub(crate) fn preference(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("'{}' must be a number from 0 to 65535", escape::text(text)))
}

/// A lifetime of records, in whole seconds.
///
/// # Errors
///
/// One sentence with the range.
pub(crate) fn seconds(time: Duration) -> Result<u32, String> {
    // RFC 2181 §8: 31 bits are enough for anybody, but a year is more than anybody should want.
    match u32::try_from(time.as_secs()) {
        Ok(seconds) if seconds > 0 && time.subsec_nanos() == 0 => Ok(seconds),
        _ => Err("a lifetime must be whole seconds, 1 or more".into()),
    }
}

/// The same as typed.
///
/// # Errors
///
/// One sentence with the forms or the range.
pub(crate) fn lifetime(text: &str) -> Result<u32, String> {
    crate::duration::parse(text).and_then(seconds)
}

/// How many.
///
/// # Errors
///
/// One sentence with the range.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(format!(
            "'{}' is not a count: it must be a whole number from 1",
            escape::text(text)
        )),
    }
}

/// The address of a sender.
///
/// # Errors
///
/// One sentence with the forms.
pub(crate) fn sender(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "'{}' is not an address: write it as 192.0.2.17 or fe80::1",
            escape::text(text)
        )
    })
}

/// An address to publish.
///
/// # Errors
///
/// One sentence with the forms.
pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    match text.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() || ip.is_multicast() => Err(format!(
            "'{ip}' is nobody's address: it cannot be published"
        )),
        Ok(ip) => Ok(ip),
        Err(_) => Err(format!(
            "'{}' is not an address: write it as 192.0.2.50 or 2001:db8::50",
            escape::text(text)
        )),
    }
}

/// The domain to look in.
///
/// # Errors
///
/// One sentence if it is not `local`.
pub(crate) fn domain(text: &str) -> Result<String, String> {
    if text
        .strip_suffix('.')
        .unwrap_or(text)
        .eq_ignore_ascii_case("local")
    {
        Ok("local".into())
    } else {
        Err(format!(
            "'{}' cannot be looked in yet: local is the only domain",
            escape::text(text)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_1_to_65535() {
        assert_eq!(port("1"), Ok(1));
        assert_eq!(port("65535"), Ok(65_535));
        assert!(port("0").unwrap_err().contains("no such service"));
        for text in ["65536", "-1", "+80", "http", "", "8o8o", " 80"] {
            assert!(port(text).unwrap_err().contains("1 to 65535"), "{text}");
        }
    }

    #[test]
    fn an_address_is_one_of_a_machine() {
        assert!(address("192.0.2.50").is_ok() && address("fe80::1").is_ok());
        assert!(address("0.0.0.0").unwrap_err().contains("nobody"));
        assert!(address("224.0.0.251").unwrap_err().contains("nobody"));
        assert!(address("tabasco").unwrap_err().contains("not an address"));
    }

    #[test]
    fn a_lifetime_is_whole_seconds() {
        assert_eq!(lifetime("2m"), Ok(120));
        assert_eq!(lifetime("1"), Ok(1));
        assert!(lifetime("1500ms").unwrap_err().contains("whole seconds"));
        assert!(lifetime("0").is_err());
    }

    #[test]
    fn a_count_begins_at_1() {
        assert_eq!(count("1"), Ok(1));
        assert!(count("0").is_err());
        assert!(count("many").is_err());
    }

    #[test]
    fn local_is_the_only_domain() {
        assert!(domain("local").is_ok());
        assert!(domain("LOCAL.").is_ok());
        assert!(
            domain("example.org")
                .unwrap_err()
                .contains("local is the only")
        );
    }
}
