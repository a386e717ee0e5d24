//! Packets and findings as lines for people: columns on a terminal, tabs in a pipe.

use cooee::wire::{Data, NameBuf, RecordBuf, Section};

use super::decoded::Decoded;
use super::inspector::Inspected;
use super::lint::{Finding, Level, Rule};
use crate::cell::Cell;
use crate::escape;
use crate::paint::{Paint, Role};

/// How wide lines may be, and how they are painted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The columns of the terminal; `None`: it is a pipe.
    pub(crate) width: Option<usize>,
    /// Colours.
    pub(crate) paint: Paint,
}

/// Lines that belong to the one above begin here: behind the time.
const INDENT: &str = "             ";
/// Names in one row on a terminal.
const MOST_NAMES: usize = 3;

impl Shape {
    /// The row of a packet that came at this time of day.
    pub(crate) fn packet(self, seen: &Inspected, time: &str) -> String {
        let packet = &seen.packet;
        let interface = packet.interface.as_ref();
        let interface = interface.map_or("-", |interface| interface.name.as_str());
        let from = packet.source.ip().to_string();
        let tags: Vec<String> = seen.tags.iter().map(ToString::to_string).collect();
        let (tags, size) = (tags.join(" "), packet.payload.len());
        let counts = counts(&seen.decoded);
        let Some(width) = self.width else {
            return [
                time,
                &escape::text(interface),
                &from,
                &tags,
                &size.to_string(),
                &counts,
                &content(&seen.decoded, usize::MAX),
            ]
            .join("\t");
        };
        let mut line = String::new();
        self.paint.put(Role::Dim, time, &mut line);
        line.push(' ');
        let interface = Cell::octets(Role::Dim, interface.as_bytes());
        let interface_width = interface.width().max(4);
        interface.write(interface_width, self.paint, &mut line);
        let from_width = from.len().max(21);
        line.push(' ');
        Cell::octets(Role::Host, from.as_bytes()).write(from_width, self.paint, &mut line);
        let head = format!(" {tags:<14}{size:>6} B  {counts:<10} ");
        line.push_str(&head);
        let used = time.len() + interface_width + from_width + head.len() + 2;
        let room = width.saturating_sub(used).max(12);
        let content = content(&seen.decoded, MOST_NAMES);
        Cell::escaped(Role::Name, &content).write_last(room, self.paint, &mut line);
        line.truncate(line.trim_end_matches(' ').len());
        line
    }

    /// A line for each question and record.
    pub(crate) fn details(self, seen: &Inspected) -> Vec<String> {
        let questions = seen.decoded.questions.iter().map(|question| {
            let unicast = if question.unicast_response {
                "QU"
            } else {
                "QM"
            };
            format!("qd {} {} {unicast}", full(&question.name), question.kind)
        });
        let records = seen.decoded.records.iter().map(|(section, record)| {
            let section = match section {
                Section::Answer => "an",
                Section::Authority => "ns",
                Section::Additional => "ad",
            };
            let flush = if record.cache_flush { " flush" } else { "" };
            format!(
                "{section} {} {}{flush} {} {}",
                full(&record.name),
                record.ttl,
                record.kind(),
                data(record)
            )
        });
        let fault = seen.decoded.fault.map(|fault| format!("!  {fault}"));
        questions
            .chain(records)
            .chain(fault)
            .map(|line| match self.width {
                Some(_) => format!("{INDENT}{line}"),
                None => format!("\t{line}"),
            })
            .collect()
    }

    /// The line of a finding; `packet` is the one it stands below, if it does.
    pub(crate) fn finding(self, finding: &Finding, packet: Option<u64>) -> String {
        let level = finding.level();
        let perhaps = match finding.rule.is_sure() {
            true => "",
            false => " (perhaps)",
        };
        let about = match (&finding.name, finding.kind) {
            (Some(name), Some(kind)) => format!(": {} {kind}", full(name)),
            (Some(name), None) => format!(": {}", full(name)),
            (None, _) => String::new(),
        };
        let other = match packet == Some(finding.packet) {
            true => String::new(),
            false => format!(" [{}, packet {}]", finding.from, finding.packet),
        };
        let text = format!("{}{perhaps}{about}{other}", finding.text);
        if self.width.is_none() {
            let Rule { id, clause, .. } = finding.rule;
            return ["!!", clause, level.word(), id, &text].join("\t");
        }
        let mut line = String::from(INDENT);
        let role = match level {
            Level::Error => Role::Error,
            Level::Warning => Role::Updated,
            Level::Note => Role::Dim,
        };
        let head = format!("!! {:<12} {:<10}", finding.rule.clause, level.word());
        self.paint.put(role, &head, &mut line);
        line.push(' ');
        Cell::escaped(Role::Plain, &text).write_last(usize::MAX, self.paint, &mut line);
        line
    }
}

/// `qd 1 an 12`: the counts that are not zero.
fn counts(decoded: &Decoded) -> String {
    let Some(header) = decoded.header else {
        return String::new();
    };
    [
        ("qd", header.question_count),
        ("an", header.answer_count),
        ("ns", header.authority_count),
        ("ad", header.additional_count),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(section, count)| format!("{section} {count}"))
    .collect::<Vec<_>>()
    .join(" ")
}

/// What it is about: names with the types that are asked or told of them, and how many more there are.
fn content(decoded: &Decoded, most: usize) -> String {
    let mut names: Vec<(String, Vec<String>)> = Vec::new();
    let mut more = 0;
    let asked = decoded.questions.iter();
    let asked = asked.map(|question| (&question.name, question.kind.to_string()));
    // Of a query it matters what is asked, not what is known already.
    let told = decoded
        .data()
        .filter(|_| decoded.is_response() || decoded.questions.is_empty())
        .map(|(_, record)| (&record.name, named(record)));
    for (name, what) in asked.chain(told) {
        let name = short(name);
        let is_full = names.len() >= most;
        match names.last_mut() {
            Some((last, all)) if *last == name => all.push(what),
            _ if is_full => more += 1,
            _ => names.push((name, vec![what])),
        }
    }
    let listed: Vec<String> = names
        .into_iter()
        .map(|(name, what)| format!("{name} {}", what.join(" ")))
        .collect();
    match more {
        0 => listed.join(", "),
        more => format!("{} +{more}", listed.join(", ")),
    }
}

/// The type of a record, and with PTR whom it points at; with a `-` if it is no more.
fn named(record: &RecordBuf) -> String {
    let kind = record.kind();
    let gone = if record.ttl == 0 { "-" } else { "" };
    match record.rdata.decode() {
        Ok(Data::Ptr(target)) => {
            let target = NameBuf::try_from(target).unwrap_or_else(|_| NameBuf::root());
            format!("{gone}{kind} {}", pointed_at(&record.name, &target))
        }
        _ => format!("{gone}{kind}"),
    }
}

/// An instance of the type that points at it goes by its first label.
fn pointed_at(owner: &NameBuf, target: &NameBuf) -> String {
    let is_instance = target.parent().is_some_and(|parent| {
        parent.count_labels().is_ok_and(|labels| labels > 1) && owner.ends_with(parent)
    });
    match target.labels().next() {
        Some(instance) if is_instance => escape::octets(instance),
        _ => short(target),
    }
}

/// What a record says, readable.
fn data(record: &RecordBuf) -> String {
    let readable =
        |name| NameBuf::try_from(name).map_or_else(|_| "…".to_owned(), |name| full(&name));
    match record.rdata.decode() {
        Ok(Data::Ptr(target)) => readable(target),
        Ok(Data::Srv(srv)) => format!(
            "{} {} {} {}",
            srv.priority,
            srv.weight,
            srv.port,
            readable(srv.target)
        ),
        _ => escape::escaped_text(&record.rdata.to_string()),
    }
}

/// A name as people write it.
pub(super) fn full(name: &NameBuf) -> String {
    let labels: Vec<String> = name
        .labels()
        .map(|label| escape::octets(label).replace('.', "\\."))
        .collect();
    match labels.is_empty() {
        true => ".".into(),
        false => labels.join("."),
    }
}

/// The same without the domain where it is clear: behind a service type.
fn short(name: &NameBuf) -> String {
    let text = full(name);
    match text.strip_suffix(".local") {
        Some(service) if service.ends_with("._tcp") || service.ends_with("._udp") => service.into(),
        _ => text,
    }
}
