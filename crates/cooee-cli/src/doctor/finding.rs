//! What was found out: how bad it is, what was seen, what to do.

use crate::json::Object;
use crate::paint::{Paint, Role};

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Something will not be found.
    Warn,
    /// Nothing will be found.
    Fault,
}

impl Level {
    /// Its word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Fault => "fault",
        }
    }

    fn shown(self) -> (&'static str, Role) {
        match self {
            Self::Ok => ("ok   ", Role::Added),
            Self::Note => ("note ", Role::Plain),
            Self::Warn => ("warn ", Role::Updated),
            Self::Fault => ("FAULT", Role::Error),
        }
    }
}

/// Something that a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Which check, by the names of docs/doctor.md.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) level: Level,
    text: String,
    advice: Option<String>,
    interface: Option<String>,
    facts: Vec<(&'static str, Fact)>,
}

/// A detail for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Any text, as it is.
    Text(String),
    /// A number.
    Number(u64),
    /// Several texts.
    Texts(Vec<String>),
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Fact {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<String>> for Fact {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl Finding {
    /// What was seen, in one sentence without full stop; strangers' words in it are escaped already.
    pub(crate) fn new(check: &'static str, level: Level, text: impl Into<String>) -> Self {
        Self {
            check,
            level,
            text: text.into(),
            advice: None,
            interface: None,
            facts: Vec::new(),
        }
    }

    /// It is about this interface.
    pub(crate) fn on(mut self, interface: &str) -> Self {
        self.interface = Some(interface.to_owned());
        self
    }

    /// What to do about it.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// One more detail.
    pub(crate) fn fact(mut self, key: &'static str, fact: impl Into<Fact>) -> Self {
        self.facts.push((key, fact.into()));
        self
    }

    /// A line for people, and one below it with what to do.
    pub(crate) fn shown(&self, with_check: bool, paint: Paint) -> String {
        let mut shown = String::new();
        let (word, role) = self.level.shown();
        paint.put(role, word, &mut shown);
        shown.push_str("  ");
        shown.push_str(&self.text);
        if with_check {
            paint.put(Role::Dim, &format!("  [{}]", self.check), &mut shown);
        }
        if let Some(advice) = &self.advice {
            shown.push_str("\n       → ");
            shown.push_str(advice);
        }
        shown
    }

    /// The fields of the event.
    pub(crate) fn fields(&self, object: Object) -> Object {
        let facts = self.facts.iter();
        let facts = facts.fold(Object::new(), |object, (key, fact)| match fact {
            Fact::Text(text) => object.text(key, text),
            Fact::Number(number) => object.number(key, *number),
            Fact::Texts(texts) => object.texts(key, texts),
        });
        object
            .text("check", self.check)
            .text("level", self.level.word())
            .text("text", &self.text)
            .text_or_null("advice", self.advice.as_deref())
            .text_or_null("interface", self.interface.as_deref())
            .object("facts", facts)
    }
}

/// All that was found, as people and programs see it: for snapshots.
#[cfg(test)]
pub(crate) fn transcript(findings: &[Finding]) -> String {
    let shown: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!(
                "{}\n{}",
                finding.shown(true, Paint::OFF),
                finding.fields(Object::new()).finish()
            )
        })
        .collect();
    shown.join("\n")
}
