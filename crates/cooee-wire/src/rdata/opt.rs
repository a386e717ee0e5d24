use core::time::Duration;

use crate::Malformed;
use crate::parse::{Stopped, stop};

/// The options of a message. RFC 6891 §6.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Opt<'m> {
    octets: &'m [u8],
}

impl<'m> Opt<'m> {
    pub(super) fn parse(octets: &'m [u8]) -> Result<Self, Stopped> {
        let mut options = OptOptions { rest: octets };
        while !options.rest.is_empty() {
            // RFC 6891 §6.1.2 (6891-6.1.2-2)
            if options.next().is_none() {
                return stop(options.rest, Malformed::OptOption);
            }
        }
        Ok(Self { octets })
    }

    /// The options, in their order, which means nothing.
    pub fn options(&self) -> OptOptions<'m> {
        OptOptions { rest: self.octets }
    }
}

/// The options of an OPT record.
#[derive(Clone, Copy, Debug, Default)]
pub struct OptOptions<'m> {
    rest: &'m [u8],
}

impl<'m> Iterator for OptOptions<'m> {
    type Item = OptOption<'m>;

    fn next(&mut self) -> Option<OptOption<'m>> {
        let (&[c0, c1, n0, n1], rest) = self.rest.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([n0, n1])))?;
        self.rest = rest;
        Some(OptOption::parse(u16::from_be_bytes([c0, c1]), data))
    }
}

impl core::iter::FusedIterator for OptOptions<'_> {}

/// One option.
///
/// An option whose data is not what its code asks for comes as [`OptOption::Other`], as an unknown one: options
/// are hints, and one bad hint must not cost the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptOption<'m> {
    /// Update lease (code 2): how long an update shall hold, and how long the key in it. RFC 9664 §4.
    UpdateLease {
        /// How long, in whole seconds.
        lease: Duration,
        /// How long the name's key shall keep the name, if told apart.
        key_lease: Option<Duration>,
    },
    /// The name server's identity (code 3), empty in a query. RFC 5001.
    Nsid(&'m [u8]),
    /// Owner (code 4): which machine a sleep proxy speaks for. draft-cheshire-edns0-owner-option.
    Owner(Owner<'m>),
    /// Cookies (code 10): eight octets of the client, then none or 8 to 32 of the server. RFC 7873 §4.
    Cookie {
        /// What the client chose.
        client: [u8; 8],
        /// What the server answered, or nothing.
        server: &'m [u8],
    },
    /// Padding (code 12): so many octets, of any value. RFC 7830.
    Padding(usize),
    /// Any other option, or one of those above with unreadable data.
    // RFC 6891 §6.1.2 (6891-6.1.2-4)
    Other {
        /// The option's code.
        code: u16,
        /// Its data.
        data: &'m [u8],
    },
}

impl<'m> OptOption<'m> {
    /// The code of the update lease option.
    pub const UPDATE_LEASE: u16 = 2;
    /// The code of the name server identity option.
    pub const NSID: u16 = 3;
    /// The code of the owner option.
    pub const OWNER: u16 = 4;
    /// The code of the cookie option.
    pub const COOKIE: u16 = 10;
    /// The code of the padding option.
    pub const PADDING: u16 = 12;

    fn parse(code: u16, data: &'m [u8]) -> Self {
        let known = match (code, data) {
            (Self::UPDATE_LEASE, &[a, b, c, d]) => Some(Self::UpdateLease {
                lease: seconds([a, b, c, d]),
                key_lease: None,
            }),
            (Self::UPDATE_LEASE, &[a, b, c, d, e, f, g, h]) => Some(Self::UpdateLease {
                lease: seconds([a, b, c, d]),
                key_lease: Some(seconds([e, f, g, h])),
            }),
            (Self::NSID, data) => Some(Self::Nsid(data)),
            (Self::OWNER, data) => Owner::parse(data).map(Self::Owner),
            (Self::COOKIE, data) => cookie(data),
            (Self::PADDING, data) => Some(Self::Padding(data.len())),
            _ => None,
        };
        known.unwrap_or(Self::Other { code, data })
    }

    /// Appends the option.
    #[cfg(feature = "alloc")]
    pub(super) fn write(&self, octets: &mut alloc::vec::Vec<u8>) -> Result<(), Malformed> {
        octets.extend(self.code().to_be_bytes());
        let start = octets.len() + 2;
        octets.extend([0, 0]);
        match *self {
            Self::UpdateLease { lease, key_lease } => {
                for time in core::iter::once(lease).chain(key_lease) {
                    let seconds = u32::try_from(time.as_secs())
                        .ok()
                        .filter(|_| time.subsec_nanos() == 0)
                        .ok_or(Malformed::OptionValue)?;
                    octets.extend(seconds.to_be_bytes());
                }
            }
            Self::Nsid(data) | Self::Other { data, .. } => octets.extend_from_slice(data),
            Self::Owner(owner) => {
                octets.extend([0, owner.sequence]);
                octets.extend(owner.primary_mac);
                // A password stands behind the address that wakes the machine, even if that is the first again.
                let wakeup = owner.wakeup_mac;
                let wakeup = wakeup.or((!owner.password.is_empty()).then_some(owner.primary_mac));
                octets.extend(wakeup.into_iter().flatten());
                if !matches!(owner.password.len(), 0 | 4 | 6) {
                    return Err(Malformed::OptionValue);
                }
                octets.extend_from_slice(owner.password);
            }
            Self::Cookie { client, server } => {
                if !matches!(server.len(), 0 | 8..=32) {
                    return Err(Malformed::OptionValue);
                }
                octets.extend(client);
                octets.extend_from_slice(server);
            }
            Self::Padding(len) => {
                let len = u16::try_from(len).map_err(|_| Malformed::OptionValue)?;
                octets.resize(start + usize::from(len), 0);
            }
        }
        let len = u16::try_from(octets.len() - start).map_err(|_| Malformed::OptionValue)?;
        if let Some(place) = octets.get_mut(start - 2..start) {
            place.copy_from_slice(&len.to_be_bytes());
        }
        Ok(())
    }

    /// The code of the option.
    pub fn code(&self) -> u16 {
        match self {
            Self::UpdateLease { .. } => Self::UPDATE_LEASE,
            Self::Nsid(_) => Self::NSID,
            Self::Owner(_) => Self::OWNER,
            Self::Cookie { .. } => Self::COOKIE,
            Self::Padding(_) => Self::PADDING,
            Self::Other { code, .. } => *code,
        }
    }
}

fn seconds(octets: [u8; 4]) -> Duration {
    Duration::from_secs(u32::from_be_bytes(octets).into())
}

fn cookie(data: &[u8]) -> Option<OptOption<'_>> {
    let (client, server) = data.split_first_chunk()?;
    // RFC 7873 §4: a cookie has 8 octets, or 16 to 40.
    matches!(server.len(), 0 | 8..=32).then_some(OptOption::Cookie {
        client: *client,
        server,
    })
}

/// The machine that a sleep proxy speaks for, or that just woke up: the proxy knows by it which records to hand
/// back.
///
/// ```text
/// version        8 bits, 0
/// sequence       8 bits: how often the machine has slept
/// primary MAC    6 octets: who it is
/// wakeup MAC     none or 6 octets, if another address wakes it
/// password       none, 4 or 6 octets, for the magic packet; only behind a wakeup MAC
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Owner<'m> {
    /// How often the machine has slept, modulo 256.
    pub sequence: u8,
    /// The address by which it is known.
    pub primary_mac: [u8; 6],
    /// The address that wakes it, if another.
    pub wakeup_mac: Option<[u8; 6]>,
    /// What the magic packet must hold, if anything.
    pub password: &'m [u8],
}

impl<'m> Owner<'m> {
    /// A machine known by this address, which also wakes it, without a password.
    pub const fn new(sequence: u8, primary_mac: [u8; 6]) -> Self {
        Self {
            sequence,
            primary_mac,
            wakeup_mac: None,
            password: &[],
        }
    }

    fn parse(data: &'m [u8]) -> Option<Self> {
        let (&[0, sequence, ref primary_mac @ ..], rest) = data.split_first_chunk::<8>()? else {
            return None;
        };
        let (wakeup_mac, password) = match rest.split_first_chunk() {
            Some((mac, password)) => (Some(*mac), password),
            None if rest.is_empty() => (None, rest),
            None => return None,
        };
        matches!(password.len(), 0 | 4 | 6).then_some(Self {
            sequence,
            primary_mac: *primary_mac,
            wakeup_mac,
            password,
        })
    }
}
