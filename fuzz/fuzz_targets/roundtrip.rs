//! What can be read can be written: in every profile, whole or cut, from views and from owned twins, with things taken
//! back in between; and an independent decoder reads the same back.

#![no_main]

use cooee_wire::{
    BuildError, Compression, LabelBudget, Message, MessageBuilder, Question, Record, Section,
};
use libfuzzer_sys::fuzz_target;

const PROFILES: [Compression; 4] = [
    Compression::Multicast,
    Compression::Legacy,
    Compression::Unicast,
    Compression::None,
];

fuzz_target!(|octets: &[u8]| {
    let Ok(message) = Message::parse(octets) else {
        return;
    };
    // A packet of pointers to one long name costs what it costs; here that would only be slow.
    if octets.len() > 9000 {
        return;
    }
    let questions: Vec<Question<'_>> = message.questions().flatten().collect();
    let records: Vec<(Section, Record<'_>)> = message.records().flatten().collect();
    let shape = message.header().id;
    // Sometimes there is less room than it takes. A real packet is a seed as it stands: what to do is in its id.
    let limit = if shape & 4 == 0 {
        65_535
    } else {
        12 + 16 * usize::from((shape >> 3) & 0x1F)
    };
    for compression in PROFILES {
        round_trip(&message, &questions, &records, compression, limit);
    }
});

fn round_trip(
    message: &Message<'_>,
    questions: &[Question<'_>],
    records: &[(Section, Record<'_>)],
    compression: Compression,
    limit: usize,
) {
    let header = message.header();
    let new = |buffer| {
        MessageBuilder::new(buffer, header.id, header.flags, compression).expect("a header fits")
    };
    let (mut buffer, mut twin) = (vec![0xA5; limit], vec![0xA5; limit]);
    let (mut builder, mut owned) = (new(&mut buffer), new(&mut twin));
    let mut written_questions: Vec<&Question<'_>> = Vec::new();
    for question in questions {
        let outcome = step(&mut builder, |builder| builder.question(*question));
        if let Ok(twin) = question.to_owned() {
            let twin = owned.question(twin.as_question());
            assert_eq!(twin.is_ok(), outcome.is_ok());
        } else {
            assert!(matches!(
                outcome,
                Err(BuildError::Malformed(_) | BuildError::Full)
            ));
        }
        written_questions.extend(outcome.is_ok().then_some(question));
    }
    let mut written: Vec<(Section, &Record<'_>)> = Vec::new();
    for (index, (section, record)) in records.iter().enumerate() {
        // Some are written, taken back, and written again: the second time is as the first.
        let before = builder.checkpoint();
        let mut outcome = step(&mut builder, |builder| builder.record(*section, *record));
        if (usize::from(header.id) >> 8 ^ index) & 3 == 0 {
            let first = builder.octets().to_vec();
            builder.rewind(before);
            outcome = step(&mut builder, |builder| builder.record(*section, *record));
            assert!(builder.octets() == first);
        }
        match record.to_owned() {
            Ok(twin) => assert_eq!(
                owned.record(*section, twin.as_record()).is_ok(),
                outcome.is_ok()
            ),
            Err(_) => assert!(outcome.is_err(), "what is faulty is not written"),
        }
        written.extend(outcome.is_ok().then_some((*section, record)));
    }
    let (len, twin_len) = (builder.finish(), owned.finish());
    // From views and from owned twins the same comes out.
    assert!(buffer[..len] == twin[..twin_len]);

    let buffer = &buffer[..len];
    let again = Message::parse(buffer).expect("it has a header");
    assert_eq!(again.check(LabelBudget::new(usize::MAX)), Ok(&[][..]));
    assert_eq!(
        (again.header().id, again.header().flags),
        (header.id, header.flags)
    );
    let mut read = again
        .questions()
        .map(|question| question.expect("we wrote it"));
    assert!(
        written_questions
            .iter()
            .all(|wanted| read.next() == Some(**wanted))
    );
    assert!(read.next().is_none());
    let mut read = again.records().map(|record| record.expect("we wrote it"));
    for (section, record) in &written {
        let (place, again) = read.next().expect("it is as many");
        assert_eq!(place, *section);
        assert!(again == **record);
    }
    assert!(read.next().is_none());
    // The builder compresses by exact octets: a decoder that has nothing in common with ours sees the same spelling.
    let plain = cooee_fuzz::decode(buffer).expect("the plain decoder reads what we write");
    assert_eq!(plain.questions.len(), written_questions.len());
    for ((name, kind, _), question) in plain.questions.iter().zip(&written_questions) {
        assert!(question.name.labels().eq(name) && question.kind.get() == *kind);
    }
    assert_eq!(plain.records.len(), written.len());
    for (plain, (_, record)) in plain.records.iter().zip(&written) {
        assert!(record.name.labels().eq(&plain.name) && record.kind().get() == plain.fixed.0);
    }
}

/// Writes one item; if that fails, nothing has changed.
fn step(
    builder: &mut MessageBuilder<'_>,
    write: impl FnOnce(&mut MessageBuilder<'_>) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let before = builder.octets().to_vec();
    let outcome = write(builder);
    if outcome.is_err() {
        assert!(builder.octets() == before);
    }
    outcome
}
