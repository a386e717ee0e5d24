//! The events `packet` and `lint`, as docs/json.md describes them.

use cooee::wire::{QuestionBuf, RecordBuf, Section};

use super::inspector::Inspected;
use super::lint::Finding;
use crate::base64;
use crate::clock::Moment;
use crate::json::Object;

impl Inspected {
    /// The packet as one line of JSON, without the line feed.
    pub(crate) fn json(&self) -> String {
        let packet = &self.packet;
        let object = head("packet", &packet.moment).number("packet", self.number);
        let object = match &packet.interface {
            Some(interface) => object
                .text("interface", &interface.name)
                .number("index", interface.index),
            None => object,
        };
        let object = object
            .text("from", &packet.source.ip().to_string())
            .number("port", packet.source.port())
            .text("to", &packet.destination.ip().to_string())
            .number("to_port", packet.destination.port())
            .number("size", packet.payload.len() as u64)
            .number_or_null("ip_ttl", packet.hop_limit)
            .texts("tags", self.tags.iter().map(ToString::to_string));
        let object = match self.header() {
            Some(header) => object.object("header", header),
            None => object,
        };
        let object = match self.decoded.fault {
            Some(fault) => object.text("malformed", &fault.to_string()),
            None => object,
        };
        object
            .objects("questions", self.decoded.questions.iter().map(question))
            .objects(
                "records",
                self.decoded
                    .records
                    .iter()
                    .map(|(section, one)| record(*section, one)),
            )
            .finish()
    }

    fn header(&self) -> Option<Object> {
        let header = self.decoded.header?;
        let flags = header.flags;
        Some(
            Object::new()
                .number("id", header.id)
                .flag("response", flags.is_response())
                .number("opcode", flags.opcode().get())
                .flag("aa", flags.is_authoritative())
                .flag("tc", flags.is_truncated())
                .flag("rd", flags.recursion_desired())
                .flag("ra", flags.recursion_available())
                .number("rcode", flags.rcode().get())
                .number("questions", header.question_count)
                .number("answers", header.answer_count)
                .number("authorities", header.authority_count)
                .number("additionals", header.additional_count),
        )
    }
}

impl Finding {
    /// The finding as one line of JSON, without the line feed; it came to light at this moment.
    pub(crate) fn json(&self, moment: &Moment) -> String {
        let object = head("lint", moment)
            .text("id", self.rule.id)
            .text("clause", self.rule.clause)
            .text("level", self.level().word())
            .flag("sure", self.rule.is_sure())
            .text("text", &self.text)
            .text("from", &self.from.to_string());
        let object = match &self.name {
            Some(name) => object.text("name", &name.to_string()),
            None => object,
        };
        let object = match self.kind {
            Some(kind) => object.text("rrtype", &kind.to_string()),
            None => object,
        };
        object.number("packet", self.packet).finish()
    }
}

/// What every event begins with; packets are told apart by more than a millisecond.
pub(super) fn head(event: &str, moment: &Moment) -> Object {
    Object::new()
        .text("event", event)
        .text("time", &moment.rfc3339())
        .milliseconds("ms", moment.since_start)
}

fn question(question: &QuestionBuf) -> Object {
    Object::new()
        .text("name", &question.name.to_string())
        .text("rrtype", &question.kind.to_string())
        .text("class", &question.class.to_string())
        .flag("unicast", question.unicast_response)
}

fn record(section: Section, record: &RecordBuf) -> Object {
    Object::new()
        .text("section", &section.to_string())
        .text("name", &record.name.to_string())
        .text("rrtype", &record.kind().to_string())
        .text("class", &record.class.to_string())
        .number("ttl", record.ttl)
        .flag("unique", record.cache_flush)
        .text("data", &record.rdata.to_string())
        .text("raw", &base64::encode(record.rdata.octets()))
}
