//! Every packet of the corpus, record by record as an independent decoder reads it.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod corpus_reader;

use std::collections::{BTreeMap, HashSet};

use cooee_wire::{
    BuildError, Compression, LabelBudget, Malformed, Message, MessageBuilder, Name, Record,
    RecordType, Section,
};
use corpus_reader::{all, files, folders, from_hex, packets, to_hex};
use serde_json::Value;

/// Where we and the independent decoder differ, and why that is right.
///
/// File and line, and what stands there.
const EXPLAINED: &[(&str, &str)] = &[
    // The other decoder looks into data of class IN only, or of no special class; we go by the type.
    ("c-ares-fuzz.hex:60", "A of class 0 without data"),
    ("c-ares-fuzz.hex:63", "A of class 42 without data"),
    ("zeek-dns.hex:22", "MG of class 0 without data"),
    // RFC 6891 §6.1.2 (6891-6.1.2-2): options cut short. The other decoder keeps the octets unread.
    ("c-ares-fuzz.hex:66", "OPT with an option cut short"),
    ("zeek-dns.hex:27", "OPT with an option cut short"),
    ("zeek-dns.hex:124", "OPT of one octet"),
];

#[test]
fn every_packet_reads_as_the_independent_decoder_reads_it() {
    // 1035-4.1-1, 6762-18.14-6, -7, -8, -9, 1035-4.1.4-9
    let explained: BTreeMap<_, _> = EXPLAINED.iter().copied().collect();
    let mut differences = Vec::new();
    let mut explained_and_seen = 0;
    let mut compared = 0;
    let mut seen = HashSet::new();
    for folder in folders() {
        // The shared folder has our own captures too.
        let files = files(&folder).into_iter();
        for file in files.filter(|file| seen.insert(file.file_name().unwrap().to_owned())) {
            let expected = folder
                .join("expected")
                .join(file.with_extension("jsonl").file_name().unwrap());
            let expected = std::fs::read_to_string(expected).unwrap();
            let packets = packets(&file);
            assert_eq!(packets.len(), expected.lines().count());
            for (packet, expected) in packets.iter().zip(expected.lines()) {
                compared += 1;
                let expected: Value = serde_json::from_str(expected).unwrap();
                let Err(difference) = compare(&packet.octets, &expected) else {
                    continue;
                };
                match explained.get(packet.place.as_str()) {
                    Some(_) => explained_and_seen += 1,
                    None => differences.push(format!("{}: {difference}", packet.place)),
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
    assert!(
        explained_and_seen == 0 || explained_and_seen == EXPLAINED.len(),
        "an explanation explains nothing"
    );
    println!("{compared} packets compared, {explained_and_seen} explained differences");
}

/// Why a question or record of the third-party packets is not built anew, and how often, all four profiles together.
/// Whatever else its packet holds is built. Of our own captures everything is.
const SKIPPED: &[(&str, usize)] = &[
    ("character-string runs past the end", 12),
    ("ends inside a field", 60),
    ("has octets behind its last field", 12),
    ("name has a label of unknown type", 8),
    ("name is cut short", 68),
    ("name points forward", 32),
    (
        "opt record is not the only one, or not of the root in the additional section",
        8,
    ),
    ("option runs past the end", 8),
    ("the message ends", 628),
    ("type bitmap has a bad block", 4),
];

#[test]
fn every_packet_is_rebuilt_and_reads_the_same() {
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let mut rebuilt = 0;
    let mut lab_only = true;
    for packet in all() {
        let Ok(message) = Message::parse(&packet.octets) else {
            continue;
        };
        let is_ours = packet.place.starts_with("lab-");
        // What sane senders make is within the usual budget.
        assert!(!is_ours || message.check(LabelBudget::default()).is_ok());
        lab_only &= is_ours;
        for compression in [
            Compression::Multicast,
            Compression::Legacy,
            Compression::Unicast,
            Compression::None,
        ] {
            let mut buffer = vec![0; 65_535];
            let header = message.header();
            let mut builder =
                MessageBuilder::new(&mut buffer, header.id, header.flags, compression).unwrap();
            let mut skip = |reason: String| {
                assert!(!is_ours, "{}: {reason}", packet.place);
                *skipped.entry(reason).or_default() += 1;
            };
            let mut questions = Vec::new();
            for question in message.questions() {
                match question.map_err(|error| reason(error.into())) {
                    Ok(question) => match builder.question(question) {
                        Ok(()) => questions.push(question),
                        Err(error) => skip(reason(error)),
                    },
                    Err(_) => skip("the message ends".into()),
                }
            }
            let mut records = Vec::new();
            for item in message.records() {
                match item {
                    Ok((section, record)) => match builder.record(section, record) {
                        Ok(()) => records.push((section, record)),
                        Err(error) => {
                            if let BuildError::Malformed(fault) = error {
                                // What cannot be written cannot be owned either, and no other way round.
                                let too_long = fault.kind() == Malformed::NameTooLongForUnicast;
                                assert_eq!(record.to_owned().is_ok(), too_long, "{}", packet.place);
                            }
                            skip(reason(error));
                        }
                    },
                    Err(_) => skip("the message ends".into()),
                }
            }
            let len = builder.finish();
            let again = Message::parse(&buffer[..len]).unwrap();
            assert_eq!(
                again.check(LabelBudget::new(usize::MAX)),
                Ok(&[][..]),
                "{}",
                packet.place
            );
            assert_eq!(
                (again.header().id, again.header().flags),
                (header.id, header.flags)
            );
            let read: Vec<_> = again.questions().map(Result::unwrap).collect();
            assert_eq!(read, questions, "{}", packet.place);
            let read: Vec<_> = again.records().map(Result::unwrap).collect();
            assert_eq!(read, records, "{}", packet.place);
            for ((_, read), (_, wanted)) in read.iter().zip(&records) {
                assert!(
                    read.name.labels().eq(wanted.name.labels()),
                    "the spelling too"
                );
            }
            rebuilt += read.len() + questions.len();
            if compression == Compression::Multicast {
                assert!(
                    len <= packet.octets.len() + 64,
                    "{}: {len} of {}",
                    packet.place,
                    packet.octets.len()
                );
            }
        }
    }
    let wanted: BTreeMap<String, usize> = SKIPPED
        .iter()
        .filter(|_| !lab_only)
        .map(|(reason, count)| ((*reason).to_owned(), *count))
        .collect();
    assert_eq!(skipped, wanted, "skipped of {rebuilt}");
    assert!(rebuilt > 4 * 10_000);
    println!("{rebuilt} questions and records built anew");
}

/// Why something was not built, without the place.
fn reason(error: BuildError) -> String {
    match error {
        BuildError::Malformed(error) => error.kind().to_string(),
        other => other.to_string(),
    }
}

#[test]
fn every_prefix_of_every_packet_reads_as_its_part() {
    // 1035-7.3-1
    for packet in all() {
        // What is longer is no message, and its prefixes are.
        let octets = &packet.octets[..packet.octets.len().min(65_535)];
        let whole: Vec<_> = outline(octets).collect();
        for len in 0..octets.len() {
            let mut known = whole.iter();
            assert!(
                outline(&octets[..len]).all(|item| known.next() == Some(&item)),
                "{} cut to {len}",
                packet.place
            );
        }
    }
}

/// Where the names and data of the records stand.
fn outline(octets: &[u8]) -> impl Iterator<Item = (usize, usize, RecordType)> {
    let records = Message::parse(octets).map(|message| message.records());
    let records = records.into_iter().flatten().map_while(Result::ok);
    records.map(|(_, record)| {
        // Neither may panic.
        let _ = (record.data().is_ok(), record.name.labels().count());
        (record.name.offset(), record.rdata.offset(), record.kind())
    })
}

/// What differs, if anything.
fn compare(octets: &[u8], expected: &Value) -> Result<(), String> {
    let malformed = expected["status"] == "malformed";
    let message = match Message::parse(octets) {
        Ok(message) => message,
        Err(_) if malformed => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let header = message.header();
    same("id", header.id, &expected["id"])?;
    same("flags", header.flags.bits(), &expected["flags"])?;
    let counts = [
        header.question_count,
        header.answer_count,
        header.authority_count,
        header.additional_count,
    ];
    for (count, expected) in counts
        .into_iter()
        .zip(expected["counts"].as_array().unwrap())
    {
        same("counts", count, expected)?;
    }
    let outcome = items(&message, expected);
    match (outcome, malformed) {
        // It must be refused there or before; what was read before is the same.
        (Ok(_), true) => Err(format!(
            "not refused, but {} at {}",
            expected["error"], expected["at"]
        )),
        (Err(Stop::Refused(_)), true) => Ok(()),
        (Err(Stop::Refused(error)), false) => Err(format!("refused: {error}")),
        (Err(Stop::Differs(what)), _) => Err(what),
        (Ok(trailing), false) => same("trailing", trailing, &expected["trailing"]),
    }
}

enum Stop {
    Refused(String),
    Differs(String),
}

fn items(message: &Message<'_>, expected: &Value) -> Result<usize, Stop> {
    let mut wanted = expected["questions"].as_array().unwrap().iter();
    let mut questions = message.questions();
    for question in &mut questions {
        let question = question.map_err(|error| Stop::Refused(error.to_string()))?;
        let name = hex_name(question.name)?;
        let class = question.class.get() | if question.unicast_response { 0x8000 } else { 0 };
        let wanted = wanted
            .next()
            .ok_or(Stop::Refused("more questions than wanted".into()))?;
        same(
            "question",
            Value::from(vec![
                name.into(),
                question.kind.get().into(),
                Value::from(class),
            ]),
            wanted,
        )
        .map_err(Stop::Differs)?;
    }
    let mut wanted = expected["records"].as_array().unwrap().iter();
    let mut records = questions.into_records();
    for item in &mut records {
        let (section, record) = item.map_err(|error| Stop::Refused(error.to_string()))?;
        let name = hex_name(record.name)?;
        let Some(wanted) = wanted.next() else {
            // The other decoder stopped at the data of this one.
            record
                .to_owned()
                .map_err(|error| Stop::Refused(error.to_string()))?;
            return Err(Stop::Differs(format!("one more record: {record}")));
        };
        compare_record(section, name, &record, wanted).map_err(Stop::Differs)?;
    }
    match wanted.next() {
        None => Ok(records.trailing().len()),
        Some(_) => Err(Stop::Differs("fewer records".into())),
    }
}

fn compare_record(
    section: Section,
    name: String,
    record: &Record<'_>,
    wanted: &Value,
) -> Result<(), String> {
    let section = match section {
        Section::Answer => "an",
        Section::Authority => "ns",
        Section::Additional => "ar",
    };
    let class = record.class.get() | if record.cache_flush { 0x8000 } else { 0 };
    same("section", section, &wanted[0])?;
    same("name", name, &wanted[1])?;
    same("type", record.kind().get(), &wanted[2])?;
    same("class", class, &wanted[3])?;
    // 2181-8-2: we read a TTL with the top bit as 0.
    let ttl = wanted[4].as_u64().unwrap();
    let ttl = if ttl > 0x7FFF_FFFF && record.kind() != RecordType::OPT {
        0
    } else {
        ttl
    };
    same("ttl", record.ttl, &ttl.into())?;
    same("offset", record.rdata.offset(), &wanted[6])?;
    same("length", record.rdata.octets().len(), &wanted[7])?;
    match (record.to_owned(), wanted[5].as_str()) {
        (Ok(owned), Some(wanted)) => same("data", to_hex(owned.rdata.octets()), &wanted.into()),
        (Err(error), Some(_)) => Err(format!("{} data refused: {error}", record.kind())),
        // What the other decoder refuses we may take, as empty TXT data, or refuse too.
        (_, None) => Ok(()),
    }
}

fn hex_name(name: Name<'_>) -> Result<String, Stop> {
    name.to_owned()
        .map(|name| to_hex(name.as_octets()))
        .map_err(|error| Stop::Refused(error.to_string()))
}

fn same(what: &str, ours: impl Into<Value>, theirs: &Value) -> Result<(), String> {
    let ours = ours.into();
    if ours == *theirs {
        Ok(())
    } else {
        Err(format!("{what}: {ours}, not {theirs}"))
    }
}

#[test]
fn the_reader_reads_hexadecimal_digits() {
    assert_eq!(from_hex("00ff1A"), [0, 255, 26]);
}
