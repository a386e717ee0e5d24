//! The names that lead from addresses back to hosts.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::NameBuf;

impl NameBuf {
    /// The name under which the host of an address is found: `1.2.0.192.in-addr.arpa` for 192.0.2.1, and 32 nibbles under `ip6.arpa`
    /// for an IPv6 address.
    ///
    /// ```
    /// use cooee_wire::NameBuf;
    ///
    /// let name = NameBuf::reverse([10, 2, 0, 52].into());
    /// assert_eq!(name.to_string(), "52.0.2.10.in-addr.arpa");
    /// ```
    // RFC 1035 §3.5 (1035-3.5-1), RFC 3596 §2.5 (3596-2.5-1)
    pub fn reverse(address: IpAddr) -> Self {
        let mut labels: Vec<Vec<u8>> = match address {
            IpAddr::V4(v4) => v4
                .octets()
                .iter()
                .rev()
                .map(|octet| octet.to_string().into_bytes())
                .collect(),
            IpAddr::V6(v6) => v6
                .octets()
                .iter()
                .rev()
                .flat_map(|octet| [octet & 15, octet >> 4])
                .map(nibble)
                .collect(),
        };
        labels.push(if address.is_ipv4() {
            b"in-addr".to_vec()
        } else {
            b"ip6".to_vec()
        });
        labels.push(b"arpa".to_vec());
        Self::from_labels(labels).expect("34 short labels are a name")
    }
}

fn nibble(value: u8) -> Vec<u8> {
    let digit = char::from_digit(value.into(), 16).unwrap_or('0');
    [digit as u8].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_written_as_its_numbers_backwards() {
        // 1035-3.5-1
        let name = NameBuf::reverse([10, 2, 0, 52].into());
        assert_eq!(name.to_string(), "52.0.2.10.in-addr.arpa");
    }

    #[test]
    fn an_ipv6_address_is_written_as_its_nibbles_backwards() {
        // 3596-2.5-1
        let address: IpAddr = "4321:0:1:2:3:4:567:89ab".parse().expect("an address");
        let name = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa";
        assert_eq!(NameBuf::reverse(address).to_string(), name);
    }
}
