//! What can be read can be written: in every profile, whole or cut, and both decoders read the same back.

#![no_main]

use cooee_wire::{
    BuildError, Compression, Message, MessageBuilder, QuestionBuf, RecordBuf, Section,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(message) = Message::parse(octets) else {
        return;
    };
    let questions: Vec<QuestionBuf> = message
        .questions()
        .flatten()
        .filter_map(|question| question.to_owned().ok())
        .collect();
    let records: Vec<(Section, RecordBuf)> = message
        .records()
        .flatten()
        .filter_map(|(section, record)| Some((section, record.to_owned().ok()?)))
        .collect();
    // A real packet is a seed as it stands: what to do with it is in its id.
    let shape = message.header().id;
    let compression = match shape & 3 {
        0 => Compression::Multicast,
        1 => Compression::Legacy,
        2 => Compression::Unicast,
        _ => Compression::None,
    };
    // Sometimes there is less room than it takes.
    let limit = if shape & 4 == 0 {
        65_535
    } else {
        12 + 16 * usize::from((shape >> 3) & 0x1F)
    };
    let mut buffer = vec![0xA5; limit];
    let header = message.header();
    let mut builder = MessageBuilder::new(&mut buffer, header.id, header.flags, compression)
        .expect("there is room for a header");
    let mut written_questions = Vec::new();
    for question in &questions {
        if step(&mut builder, |builder| {
            builder.question(question.as_question())
        }) {
            written_questions.push(question);
        }
    }
    let mut written = Vec::new();
    for (section, record) in &records {
        if step(&mut builder, |builder| {
            builder.record(*section, record.as_record())
        }) {
            written.push((*section, record));
        }
    }
    // From the views into the first message, not from the owned twins, the same comes out.
    let len = builder.finish();
    buffer.truncate(len);

    let again = Message::parse(&buffer).expect("it has a header");
    assert_eq!(again.header().id, header.id);
    assert_eq!(again.header().flags, header.flags);
    let read: Vec<QuestionBuf> = again
        .questions()
        .map(|question| question.unwrap().to_owned().unwrap())
        .collect();
    assert!(read.iter().eq(written_questions.iter().copied()));
    let read: Vec<(Section, RecordBuf)> = again
        .records()
        .map(|record| {
            record
                .map(|(section, record)| (section, record.to_owned().unwrap()))
                .unwrap()
        })
        .collect();
    assert!(
        read.iter()
            .map(|(section, record)| (*section, record))
            .eq(written.iter().copied())
    );
    // The builder compresses by exact octets: the spelling is kept too.
    let plain = cooee_fuzz::decode(&buffer).expect("the plain decoder reads what we write");
    for (plain, (_, record)) in plain.records.iter().zip(&written) {
        assert!(record.name.labels().eq(&plain.name));
    }
    assert_eq!(plain.records.len(), written.len());
});

/// Whether one item was written; if not, nothing has changed.
fn step(
    builder: &mut MessageBuilder<'_>,
    write: impl FnOnce(&mut MessageBuilder<'_>) -> Result<(), BuildError>,
) -> bool {
    let (len, counts) = (builder.len(), builder.counts());
    match write(builder) {
        Ok(()) => true,
        Err(error) => {
            assert!(
                !matches!(error, BuildError::Malformed(_)),
                "owned things are sound: {error}"
            );
            assert_eq!((builder.len(), builder.counts()), (len, counts));
            false
        }
    }
}
