use core::fmt;

/// The 16 bits of flags, kind of query and response code in a message's header.
///
/// ```text
///   0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// |QR|   OPCODE  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// ```
///
/// RFC 1035 §4.1.1, and RFC 4035 §3 for AD and CD.
// RFC 1035 §4.1.1 (1035-4.1.1-2 to 1035-4.1.1-9)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u16);

impl Flags {
    /// A standard query: no bit set.
    pub const QUERY: Self = Self(0);
    /// A standard response with authority, the only kind that multicast DNS knows. RFC 6762 §18.2, §18.4.
    pub const RESPONSE: Self = Self(Self::QR | Self::AA);

    const QR: u16 = 0x8000;
    const OPCODE: u16 = 0x7800;
    const AA: u16 = 0x0400;
    const TC: u16 = 0x0200;
    const RD: u16 = 0x0100;
    const RA: u16 = 0x0080;
    const AD: u16 = 0x0020;
    const CD: u16 = 0x0010;
    const RCODE: u16 = 0x000F;

    /// The flags with these bits.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// All 16 bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// QR: whether this is a response and not a query.
    pub const fn is_response(self) -> bool {
        self.0 & Self::QR != 0
    }

    /// What kind of query this is, or answers.
    pub const fn opcode(self) -> Opcode {
        Opcode(((self.0 & Self::OPCODE) >> 11) as u8)
    }

    /// AA: whether the responder has authority for the name.
    pub const fn is_authoritative(self) -> bool {
        self.0 & Self::AA != 0
    }

    /// TC: in a response, that it did not all fit; in a multicast query, that more known answers follow in
    /// another message. RFC 6762 §18.5.
    pub const fn is_truncated(self) -> bool {
        self.0 & Self::TC != 0
    }

    /// RD: whether the server is asked to find the answer elsewhere.
    pub const fn recursion_desired(self) -> bool {
        self.0 & Self::RD != 0
    }

    /// RA: whether the server would have done so.
    pub const fn recursion_available(self) -> bool {
        self.0 & Self::RA != 0
    }

    /// AD: whether the data was found authentic. RFC 4035 §3.2.3.
    pub const fn is_authentic(self) -> bool {
        self.0 & Self::AD != 0
    }

    /// CD: whether the asker checks signatures itself. RFC 4035 §3.2.2.
    pub const fn checking_disabled(self) -> bool {
        self.0 & Self::CD != 0
    }

    /// The response code, without the bits that an OPT record may add.
    pub const fn rcode(self) -> Rcode {
        Rcode(self.0 & Self::RCODE)
    }

    /// These flags, with TC as given.
    #[must_use]
    pub const fn with_truncated(self, truncated: bool) -> Self {
        self.with(Self::TC, truncated)
    }

    /// These flags, with RD as given.
    #[must_use]
    pub const fn with_recursion_desired(self, desired: bool) -> Self {
        self.with(Self::RD, desired)
    }

    /// These flags, with AA as given.
    #[must_use]
    pub const fn with_authoritative(self, authoritative: bool) -> Self {
        self.with(Self::AA, authoritative)
    }

    /// These flags, with the low four bits of the given response code.
    #[must_use]
    pub const fn with_rcode(self, rcode: Rcode) -> Self {
        Self((self.0 & !Self::RCODE) | (rcode.0 & Self::RCODE))
    }

    /// These flags, with the given opcode.
    #[must_use]
    pub const fn with_opcode(self, opcode: Opcode) -> Self {
        Self((self.0 & !Self::OPCODE) | ((opcode.0 as u16) << 11) & Self::OPCODE)
    }

    const fn with(self, bit: u16, set: bool) -> Self {
        Self(if set { self.0 | bit } else { self.0 & !bit })
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#06x})", self.0)
    }
}

/// The kind of a query, four bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Opcode(u8);

impl Opcode {
    /// A standard query; the only one in multicast DNS. RFC 6762 §18.3.
    pub const QUERY: Self = Self(0);
    /// A change of a zone. RFC 1996.
    pub const NOTIFY: Self = Self(4);
    /// An update of a zone. RFC 2136.
    pub const UPDATE: Self = Self(5);

    /// The opcode with the low four bits of this number.
    pub const fn new(number: u8) -> Self {
        Self(number & 0x0F)
    }

    /// The number, 0 to 15.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// How it went: the four bits of the header, or the twelve with those of an OPT record. RFC 6891 §6.1.3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rcode(u16);

impl Rcode {
    /// No error.
    pub const NO_ERROR: Self = Self(0);
    /// The query could not be read.
    pub const FORMAT_ERROR: Self = Self(1);
    /// The server failed.
    pub const SERVER_FAILURE: Self = Self(2);
    /// The name does not exist.
    pub const NAME_ERROR: Self = Self(3);
    /// The server does not do this.
    pub const NOT_IMPLEMENTED: Self = Self(4);
    /// The server does not want to.
    pub const REFUSED: Self = Self(5);
    /// The version of EDNS is not known. RFC 6891 §6.1.3.
    pub const BAD_VERSION: Self = Self(16);

    /// The code with the low twelve bits of this number.
    pub const fn new(number: u16) -> Self {
        Self(number & 0x0FFF)
    }

    /// The number, 0 to 4095.
    pub const fn get(self) -> u16 {
        self.0
    }
}
