//! What a packet is, in a few words.

use std::fmt;
use std::time::Duration;

use cooee::wire::{RecordType, Section};

use super::history::{Answered, History};
use super::packet::PORT;
use super::seen::Seen;

/// A word for what a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// A query.
    Query,
    /// A response.
    Response,
    /// Asks for a multicast answer.
    Multicast,
    /// Asks for a unicast answer.
    Unicast,
    /// Asked by a program that is no multicast DNS querier: from another port.
    LegacyQuery,
    /// Asked of one host directly.
    Direct,
    /// Asks whether names are free.
    Probe,
    /// Lists so many answers that the asker knows.
    Known(u16),
    /// More known answers follow.
    Truncated,
    /// Asks for what is about to expire.
    Refresh,
    /// Tells what nobody asked for.
    Announce,
    /// Answers a question.
    Answer,
    /// Answers a probe: the name is taken.
    Defend,
    /// Says that records are no more.
    Goodbye,
    /// Tells what is different from before.
    Update,
    /// A response to one host alone.
    UnicastResponse,
    /// A response to a program that is no multicast DNS querier.
    LegacyResponse,
    /// Says what does not exist.
    Nsec,
    /// Sent by this host.
    Own,
    /// The copy, in the other family, of a packet before.
    Twin,
    /// Asks what another host has just asked.
    Duplicate,
    /// Unreadable from this octet on.
    Bad(usize),
}

impl Tag {
    /// The word without its number.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Query => "Q",
            Self::Response => "R",
            Self::Multicast => "QM",
            Self::Unicast => "QU",
            Self::LegacyQuery => "LQ",
            Self::Direct => "DU",
            Self::Probe => "probe",
            Self::Known(_) => "KA",
            Self::Truncated => "TC",
            Self::Refresh => "refresh",
            Self::Announce => "announce",
            Self::Answer => "answer",
            Self::Defend => "defend",
            Self::Goodbye => "goodbye",
            Self::Update => "update",
            Self::UnicastResponse => "uni",
            Self::LegacyResponse => "legacy",
            Self::Nsec => "nsec",
            Self::Own => "own",
            Self::Twin => "twin",
            Self::Duplicate => "dup",
            Self::Bad(_) => "bad",
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(count) => write!(f, "KA:{count}"),
            Self::Bad(at) => write!(f, "bad@{at}"),
            _ => f.write_str(self.kind()),
        }
    }
}

/// For so long after a question a response may be meant for it: delays, and half a second for known answers to come.
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_millis(1_500);
/// A probe is answered within its interval; a little for the way.
const DEFENDED_WITHIN: Duration = Duration::from_millis(1_000);
/// Two hosts that ask the same within so long could have spared one of the questions.
const DUPLICATE_WITHIN: Duration = Duration::from_millis(1_000);

/// Says what a packet is, after those before it.
pub(crate) fn tags(seen: &Seen<'_>, history: &History) -> Vec<Tag> {
    let mut tags = Vec::new();
    if let Some(header) = seen.decoded.header {
        if header.flags.is_response() {
            response(seen, history, &mut tags);
        } else {
            query(seen, history, &mut tags);
        }
        if header.flags.is_truncated() {
            tags.push(Tag::Truncated);
        }
    }
    if history.is_own(seen.packet.source.ip()) {
        tags.push(Tag::Own);
    }
    if seen.is_twin {
        tags.push(Tag::Twin);
    }
    if let Some(fault) = seen.decoded.fault {
        tags.push(Tag::Bad(fault.offset()));
    }
    tags
}

fn query(seen: &Seen<'_>, history: &History, tags: &mut Vec<Tag>) {
    let Seen {
        packet, decoded, ..
    } = seen;
    tags.push(Tag::Query);
    if packet.source.port() != PORT {
        // RFC 6762 §6.7 (6762-6.7-1)
        tags.push(Tag::LegacyQuery);
    } else {
        let wants = |unicast| {
            let mut questions = decoded.questions.iter();
            questions.any(|question| question.unicast_response == unicast)
        };
        if wants(false) {
            tags.push(Tag::Multicast);
        }
        if wants(true) {
            tags.push(Tag::Unicast);
        }
    }
    if !packet.is_multicast() {
        tags.push(Tag::Direct);
    }
    if decoded.is_probe() {
        tags.push(Tag::Probe);
    }
    if let Some(header) = decoded.header
        && header.answer_count > 0
    {
        tags.push(Tag::Known(header.answer_count));
    }
    if decoded.questions.is_empty() || decoded.is_probe() {
        return;
    }
    let mut questions = decoded.questions.iter();
    if questions.any(|question| history.is_expiring(seen, question)) {
        tags.push(Tag::Refresh);
    }
    let mut questions = decoded.questions.iter();
    if questions.all(|question| history.was_asked_by_another(seen, question, DUPLICATE_WITHIN)) {
        tags.push(Tag::Duplicate);
    }
}

fn response(seen: &Seen<'_>, history: &History, tags: &mut Vec<Tag>) {
    let Seen {
        packet, decoded, ..
    } = seen;
    tags.push(Tag::Response);
    let is_goodbye = decoded.data().any(|(_, record)| record.ttl == 0);
    if !packet.is_multicast() {
        tags.push(match packet.destination.port() {
            PORT => Tag::UnicastResponse,
            _ => Tag::LegacyResponse,
        });
    } else if decoded.data().any(|(_, record)| record.ttl > 0) {
        let defends = decoded.data().any(|(_, record)| {
            history.answers(seen, record, DEFENDED_WITHIN) == Some(Answered::Probe)
        });
        let answers = decoded.section(Section::Answer).any(|record| {
            history.answers(seen, record, ANSWERED_WITHIN) == Some(Answered::Question)
        });
        let mut unique = decoded.data().filter(|(_, record)| record.cache_flush);
        let tag = if defends {
            Some(Tag::Defend)
        } else if answers {
            Some(Tag::Answer)
        } else if unique.any(|(_, record)| history.differs(seen, record)) {
            Some(Tag::Update)
        } else {
            // What comes with a goodbye is not announced.
            (!is_goodbye).then_some(Tag::Announce)
        };
        tags.extend(tag);
    }
    // RFC 6762 §10.1 (6762-10.1-2)
    if is_goodbye {
        tags.push(Tag::Goodbye);
    }
    let mut answers = decoded.section(Section::Answer);
    if answers.any(|record| record.kind() == RecordType::NSEC) {
        tags.push(Tag::Nsec);
    }
}
