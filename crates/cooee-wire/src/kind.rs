use core::fmt;
use core::str::FromStr;

/// The type of a record, or what a question asks for.
///
/// Any 16 bits; those with a mnemonic have a constant. The others print as in RFC 3597 §5:
///
/// ```
/// use cooee_wire::RecordType;
///
/// assert_eq!(RecordType::SRV.to_string(), "SRV");
/// assert_eq!(RecordType::new(65280).to_string(), "TYPE65280");
/// assert_eq!("TYPE33".parse(), Ok(RecordType::SRV));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(u16);

impl RecordType {
    /// The type with this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number of the type.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether no record can have this type in a zone: OPT, and the types 128 to 255, which are for questions
    /// and for records about the message itself. RFC 6895 §3.1.
    pub const fn is_pseudo(self) -> bool {
        self.0 == Self::OPT.0 || (self.0 >= 128 && self.0 <= 255)
    }

    /// Whether this stands in questions only: AXFR, MAILB, MAILA and ANY. RFC 1035 §3.2.3.
    pub const fn is_question_only(self) -> bool {
        // RFC 1035 §3.2.3 (1035-3.2.3-1); IXFR (RFC 1995) is the 251st.
        self.0 >= 251 && self.0 <= 255
    }
}

macro_rules! record_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)*) => {
        impl RecordType {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The mnemonic, if the type has one here.
            const fn mnemonic(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }

            const MNEMONICS: &'static [(&'static str, Self)] = &[$(($text, Self::$name)),*];
        }
    };
}

// RFC 1035 §3.2.2 (1035-3.2.2-1), §3.2.3 (1035-3.2.3-1), and the registry of record types.
record_types! {
    /// A host's IPv4 address. RFC 1035 §3.4.1.
    A = 1 "A";
    /// The name of an authoritative server. RFC 1035 §3.3.11.
    NS = 2 "NS";
    /// A mail destination, obsolete. RFC 1035 §3.3.4.
    MD = 3 "MD";
    /// A mail forwarder, obsolete. RFC 1035 §3.3.5.
    MF = 4 "MF";
    /// The name an alias stands for. RFC 1035 §3.3.1.
    CNAME = 5 "CNAME";
    /// The start of a zone of authority. RFC 1035 §3.3.13.
    SOA = 6 "SOA";
    /// A mailbox, obsolete. RFC 1035 §3.3.3.
    MB = 7 "MB";
    /// A mail group member, obsolete. RFC 1035 §3.3.6.
    MG = 8 "MG";
    /// A renamed mailbox, obsolete. RFC 1035 §3.3.8.
    MR = 9 "MR";
    /// Anything at all. RFC 1035 §3.3.10.
    NULL = 10 "NULL";
    /// A pointer to another name. RFC 1035 §3.3.12.
    PTR = 12 "PTR";
    /// Processor and operating system of a host. RFC 1035 §3.3.2.
    HINFO = 13 "HINFO";
    /// Mailbox information, obsolete. RFC 1035 §3.3.7.
    MINFO = 14 "MINFO";
    /// A mail exchange. RFC 1035 §3.3.9.
    MX = 15 "MX";
    /// Character-strings; attributes of a service in RFC 6763. RFC 1035 §3.3.14.
    TXT = 16 "TXT";
    /// A responsible person. RFC 1183 §2.2.
    RP = 17 "RP";
    /// An AFS server. RFC 1183 §1.
    AFSDB = 18 "AFSDB";
    /// A route-through host. RFC 1183 §3.3.
    RT = 21 "RT";
    /// A signature for a transaction, SIG(0). RFC 2931.
    SIG = 24 "SIG";
    /// A public key, as service registration uses it. RFC 2535 §3.
    KEY = 25 "KEY";
    /// X.400 mapping. RFC 2163.
    PX = 26 "PX";
    /// A host's IPv6 address. RFC 3596 §2.1.
    AAAA = 28 "AAAA";
    /// A geographical place. RFC 1876.
    LOC = 29 "LOC";
    /// The next name of a zone, obsolete: NSEC took its place. RFC 2535 §5.
    NXT = 30 "NXT";
    /// Where a service is to be found. RFC 2782.
    SRV = 33 "SRV";
    /// A rule for rewriting. RFC 3403 §4.
    NAPTR = 35 "NAPTR";
    /// A key exchanger. RFC 2230.
    KX = 36 "KX";
    /// The name a whole subtree is renamed to. RFC 6672.
    DNAME = 39 "DNAME";
    /// Options of the message itself. RFC 6891.
    OPT = 41 "OPT";
    /// A digest of a child zone's key. RFC 4034 §5.
    DS = 43 "DS";
    /// Fingerprints of SSH keys. RFC 4255.
    SSHFP = 44 "SSHFP";
    /// A signature over an RRset. RFC 4034 §3.
    RRSIG = 46 "RRSIG";
    /// What exists at a name, and so what does not. RFC 4034 §4, RFC 6762 §6.1.
    NSEC = 47 "NSEC";
    /// A zone's key. RFC 4034 §2.
    DNSKEY = 48 "DNSKEY";
    /// Certificate association. RFC 6698.
    TLSA = 52 "TLSA";
    /// How to reach a service, in general. RFC 9460.
    SVCB = 64 "SVCB";
    /// How to reach an HTTP origin. RFC 9460.
    HTTPS = 65 "HTTPS";
    /// A shared-key signature of the message. RFC 8945.
    TSIG = 250 "TSIG";
    /// An incremental zone transfer. RFC 1995.
    IXFR = 251 "IXFR";
    /// A zone transfer. RFC 1035 §3.2.3.
    AXFR = 252 "AXFR";
    /// Mailbox records, obsolete. RFC 1035 §3.2.3.
    MAILB = 253 "MAILB";
    /// Mail agent records, obsolete. RFC 1035 §3.2.3.
    MAILA = 254 "MAILA";
    /// In questions: all types there are. RFC 1035 §3.2.3.
    ANY = 255 "ANY";
    /// Certification authorities allowed to issue. RFC 8659.
    CAA = 257 "CAA";
}

impl From<u16> for RecordType {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<RecordType> for u16 {
    fn from(kind: RecordType) -> Self {
        kind.0
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(mnemonic) => f.pad(mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordType {
    type Err = UnknownMnemonic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::MNEMONICS
            .iter()
            .find(|(mnemonic, _)| mnemonic.eq_ignore_ascii_case(text));
        match known {
            Some((_, kind)) => Ok(*kind),
            None => numbered(text, "TYPE").map(Self),
        }
    }
}

/// A text is no mnemonic of a type or class, nor `TYPE` or `CLASS` and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownMnemonic;

impl fmt::Display for UnknownMnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such mnemonic")
    }
}

impl core::error::Error for UnknownMnemonic {}

/// Reads `TYPE65280` and `CLASS65280`. RFC 3597 §5.
pub(crate) fn numbered(text: &str, prefix: &str) -> Result<u16, UnknownMnemonic> {
    let (head, digits) = text.split_at_checked(prefix.len()).ok_or(UnknownMnemonic)?;
    if !head.eq_ignore_ascii_case(prefix) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(UnknownMnemonic);
    }
    digits.parse().map_err(|_| UnknownMnemonic)
}
