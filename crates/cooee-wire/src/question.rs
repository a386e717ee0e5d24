use core::fmt;

use nom::Parser;

use crate::parse::{Parsed, array, name};
use crate::{Class, Malformed, Name, RecordType};

/// A question, as a view into a message.
///
/// ```text
/// QNAME   labels and a zero, or a pointer
/// QTYPE   16 bits
/// QCLASS  the top bit asks for a unicast response, 15 bits are the class
/// ```
///
/// RFC 1035 §4.1.2, RFC 6762 §18.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question<'m> {
    /// The name asked about.
    pub name: Name<'m>,
    /// The type asked for.
    pub kind: RecordType,
    /// The class, without the top bit.
    pub class: Class,
    /// The top bit of the class: whether the asker would like a unicast response ("QU"). RFC 6762 §5.4.
    pub unicast_response: bool,
}

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)?;
        if self.class != Class::IN {
            write!(f, " {}", self.class)?;
        }
        if self.unicast_response {
            f.write_str(" QU")?;
        }
        Ok(())
    }
}

/// One question. RFC 1035 §4.1.2 (1035-4.1.2-1)
#[inline(always)]
pub(crate) fn question<'m>(message: &'m [u8]) -> impl Fn(&'m [u8]) -> Parsed<'m, Question<'m>> {
    move |input| {
        let fixed = array(Malformed::QuestionTruncated);
        let (rest, (name, &[t0, t1, c0, c1])) =
            (name(message, message.len()), fixed).parse(input)?;
        let question = Question {
            name,
            kind: RecordType::new(u16::from_be_bytes([t0, t1])),
            // RFC 6762 §18.12 (6762-18.12-1)
            class: Class::new(u16::from_be_bytes([c0 & 0x7F, c1])),
            unicast_response: c0 & 0x80 != 0,
        };
        Ok((rest, question))
    }
}

#[cfg(feature = "alloc")]
pub use owned::QuestionBuf;

#[cfg(feature = "alloc")]
mod owned {
    use super::Question;
    use crate::{Class, Field, NameBuf, ParseError, RecordType};

    /// A question that owns its name.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct QuestionBuf {
        /// The name asked about.
        pub name: NameBuf,
        /// The type asked for.
        pub kind: RecordType,
        /// The class, without the top bit.
        pub class: Class,
        /// Whether the asker would like a unicast response ("QU").
        pub unicast_response: bool,
    }

    impl QuestionBuf {
        /// A question of class IN that asks for a multicast response.
        pub fn new(name: NameBuf, kind: RecordType) -> Self {
            Self {
                name,
                kind,
                class: Class::IN,
                unicast_response: false,
            }
        }

        /// This question as a view.
        pub fn as_question(&self) -> Question<'_> {
            Question {
                name: self.name.as_name(),
                kind: self.kind,
                class: self.class,
                unicast_response: self.unicast_response,
            }
        }
    }

    impl Question<'_> {
        /// A copy that owns its name.
        ///
        /// # Errors
        /// If the name is faulty.
        pub fn to_owned(&self) -> Result<QuestionBuf, ParseError> {
            Ok(QuestionBuf {
                name: self
                    .name
                    .to_owned()
                    .map_err(|error| error.within(Field::Question))?,
                kind: self.kind,
                class: self.class,
                unicast_response: self.unicast_response,
            })
        }
    }

    impl core::fmt::Display for QuestionBuf {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            self.as_question().fmt(f)
        }
    }
}
