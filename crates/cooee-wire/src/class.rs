use core::fmt;
use core::str::FromStr;

use crate::UnknownMnemonic;
use crate::kind::numbered;

/// The class of a question or record: [`Class::IN`] practically always.
///
/// Multicast DNS uses the top bit of the 16 for something else: for "answer me by unicast" in questions and
/// "flush your caches" in records (RFC 6762 §18.12, §18.13). In views of messages that bit is apart, as
/// [`Question::unicast_response`](crate::Question::unicast_response) and
/// [`Record::cache_flush`](crate::Record::cache_flush).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(u16);

impl Class {
    /// The Internet. RFC 1035 §3.2.4.
    pub const IN: Self = Self(1);
    /// CSNET, obsolete. RFC 1035 §3.2.4.
    pub const CS: Self = Self(2);
    /// Chaosnet; in practice questions about the server itself. RFC 1035 §3.2.4.
    pub const CH: Self = Self(3);
    /// Hesiod. RFC 1035 §3.2.4.
    pub const HS: Self = Self(4);
    /// No class, in updates. RFC 2136 §2.4.
    pub const NONE: Self = Self(254);
    /// In questions: any class. RFC 1035 §3.2.5.
    pub const ANY: Self = Self(255);

    /// The class with this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number of the class. In an OPT record, the sender's UDP payload size.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl From<u16> for Class {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<Class> for u16 {
    fn from(class: Class) -> Self {
        class.0
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::IN => f.pad("IN"),
            Self::CS => f.pad("CS"),
            Self::CH => f.pad("CH"),
            Self::HS => f.pad("HS"),
            Self::NONE => f.pad("NONE"),
            Self::ANY => f.pad("ANY"),
            Self(number) => write!(f, "CLASS{number}"),
        }
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Class {
    type Err = UnknownMnemonic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [
            Self::IN,
            Self::CS,
            Self::CH,
            Self::HS,
            Self::NONE,
            Self::ANY,
        ]
        .into_iter()
        .zip(["IN", "CS", "CH", "HS", "NONE", "ANY"])
        .find(|(_, mnemonic)| mnemonic.eq_ignore_ascii_case(text))
        .map_or_else(|| numbered(text, "CLASS").map(Self), |(class, _)| Ok(class))
    }
}
