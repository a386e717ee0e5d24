//! The catalogue: each rule with the clause it is from. docs/monitor.md has the same table, and a test compares them.

/// How bad it is: what an RFC says with MUST is an error, with SHOULD a warning, as a fact or by habit a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// Unusual.
    Note,
    /// Against a SHOULD; or an error, perhaps.
    Warning,
    /// Against a MUST.
    Error,
}

impl Level {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    fn lower(self) -> Self {
        match self {
            Self::Note | Self::Warning => Self::Note,
            Self::Error => Self::Warning,
        }
    }
}

/// A rule that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rule {
    /// Its name: stable.
    pub(crate) id: &'static str,
    /// The clause, as in docs/clauses.
    pub(crate) clause: &'static str,
    level: Level,
    perhaps: bool,
}

impl Rule {
    /// Something else would explain it too: two programs on a host, a monitor that came late, a lost packet.
    pub(crate) const fn perhaps(self) -> Self {
        Self {
            perhaps: true,
            ..self
        }
    }

    /// It is so, whatever the monitor did not see.
    pub(crate) const fn is_sure(self) -> bool {
        !self.perhaps
    }

    /// How the catalogue puts it: as the RFC has it, and whether that is sure.
    #[cfg(test)]
    pub(crate) fn advertised(self) -> String {
        let perhaps = if self.perhaps { ", perhaps" } else { "" };
        format!("{}{perhaps}", self.level.word())
    }

    /// How bad it is, one step less if it is not sure.
    pub(crate) fn level(self) -> Level {
        match self.perhaps {
            true => self.level.lower(),
            false => self.level,
        }
    }
}

const fn must(id: &'static str, clause: &'static str) -> Rule {
    Rule {
        id,
        clause,
        level: Level::Error,
        perhaps: false,
    }
}

const fn should(id: &'static str, clause: &'static str) -> Rule {
    Rule {
        level: Level::Warning,
        ..must(id, clause)
    }
}

const fn fact(id: &'static str, clause: &'static str) -> Rule {
    Rule {
        level: Level::Note,
        ..must(id, clause)
    }
}

macro_rules! rules {
    ($($name:ident = $rule:expr;)+) => {
        $(pub(crate) const $name: Rule = $rule;)+

        /// All of them, in the order of the catalogue.
        #[cfg(test)]
        pub(crate) const ALL: &[Rule] = &[$($name),+];
    };
}

rules! {
    MALFORMED_HEADER = must("malformed", "1035-4.1-2");
    MALFORMED_NAME = must("malformed", "1035-3.1-2");
    MALFORMED_POINTER = must("malformed", "1035-4.1.4-4");
    MALFORMED_RECORD = must("malformed", "1035-3.2.1-1");
    FLUSH_SHARED = must("flush-shared", "6762-10.2-14");
    FLUSH_MISSING = must("flush-missing", "6762-10.2-8").perhaps();
    FLUSH_PARTIAL = must("flush-partial", "6762-10.2-7").perhaps();
    FLUSH_KNOWN_ANSWER = must("flush-known-answer", "6762-10.2-13");
    LEGACY_ECHO = must("legacy-form", "6762-6.7-4");
    LEGACY_FLUSH = must("legacy-form", "6762-6.7-5");
    LEGACY_TTL = should("legacy-form", "6762-6.7-6");
    QUESTION_IN_RESPONSE = must("question-in-response", "6762-6-12");
    REPEAT_RECORD = must("repeat-record", "6762-6-30");
    REPEAT_QUESTION = must("repeat-question", "6762-5.2-2").perhaps();
    NO_BACKOFF = must("no-backoff", "6762-5.2-3").perhaps();
    KNOWN_IGNORED = must("known-ignored", "6762-7.1-3").perhaps();
    KNOWN_STALE = should("known-stale", "6762-7.1-5");
    NO_ANSWER_NSEC = must("no-answer-nsec", "6762-6.1-1").perhaps();
    NSEC_SELF = must("nsec-form", "6762-6.1-17");
    NSEC_BLOCK = fact("nsec-form", "6762-6.1-8");
    NO_PROBE = must("no-probe", "6762-8.1-1").perhaps();
    PROBE_PROPOSAL = should("probe-form", "6762-8.2-1");
    PROBE_ANY = should("probe-form", "6762-8.1-2");
    PROBE_UNICAST = should("probe-form", "6762-8.1-13").perhaps();
    PROBE_TIMING = fact("probe-timing", "6762-8.1-5");
    ANNOUNCE_ONCE = must("announce-once", "6762-8.3-5").perhaps();
    ANNOUNCE_PERIODIC = must("announce-periodic", "6762-8.3-7").perhaps();
    CONFLICT = must("conflict", "6762-9-3");
    TTL_HOST = fact("ttl-unusual", "6762-10-1");
    TTL_OTHER = fact("ttl-unusual", "6762-10-2");
    SOURCE_PORT = must("source-port", "6762-6-24");
    UNICAST_UNASKED = must("unicast-unasked", "6762-6-27").perhaps();
    QU_REPEATED = should("qu-repeated", "6762-5.4-4");
    IP_TTL = should("ip-ttl", "6762-11-1");
    HEADER_QUERY_ID = should("header", "6762-18.1-4");
    HEADER_RESPONSE_ID = must("header", "6762-18.1-5");
    HEADER_OPCODE = must("header", "6762-18.3-1");
    HEADER_QUERY_AA = must("header", "6762-18.4-1");
    HEADER_RESPONSE_AA = must("header", "6762-18.4-2");
    HEADER_RESPONSE_TC = must("header", "6762-18.5-3");
    HEADER_RCODE = must("header", "6762-18.11-1");
    SIZE_LIMIT = must("size", "6762-17-7");
    SIZE_FRAGMENTS = must("size", "6762-17-6");
    UNCOMPRESSED = should("uncompressed", "6762-18.14-4");
    TXT_EMPTY = must("txt-empty", "6763-6.1-6");
    TXT_MISSING = must("txt-missing", "6763-6-1").perhaps();
    TXT_NO_KEY = must("txt-keys", "6763-6.4-1");
    TXT_BAD_KEY = must("txt-keys", "6763-6.4-5");
    TXT_KEY_TWICE = should("txt-keys", "6763-6.4-9");
    TXT_SIZE = should("txt-keys", "6763-6.2-4");
    NAME_CONTROL = must("name-text", "6763-4.1.1-2");
    NAME_NFC = must("name-text", "6762-16-1");
    NAME_BOM = must("name-text", "6762-16-2");
    TYPE_LONG = fact("type-form", "6763-7-3");
    TYPE_LETTERS = fact("type-form", "6763-7-4");
}
