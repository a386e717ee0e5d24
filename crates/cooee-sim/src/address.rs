//! Addresses as people write them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use cooee_mdns::LinkAddress;

/// An address with the length of its prefix: `192.0.2.1/24`, `fe80::1/64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub(crate) address: IpAddr,
    pub(crate) prefix_len: u8,
}

impl From<Address> for LinkAddress {
    fn from(address: Address) -> Self {
        Self::new(address.address, address.prefix_len)
    }
}

/// The text is not an address with a prefix length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not an address with a prefix length such as 192.0.2.1/24",
            self.0
        )
    }
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let parsed = text.split_once('/').and_then(|(address, length)| {
            let address: IpAddr = address.parse().ok()?;
            let prefix_len: u8 = length.parse().ok()?;
            (prefix_len <= if address.is_ipv4() { 32 } else { 128 }).then_some(Self {
                address,
                prefix_len,
            })
        });
        parsed.ok_or_else(|| AddressError(text.to_owned()))
    }
}
