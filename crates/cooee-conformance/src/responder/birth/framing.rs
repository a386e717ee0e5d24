//! What every message of the shared subject has to look like.

use cooee_wire::{RecordType, Section};

use super::super::contents::judge_flags;
use super::{birth, responses, seconds};
use crate::packet::Packet;
use crate::stage::{Stage, Stop};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    birth(
        "6762-18.4-2/response-header",
        &[
            "6762-18.1-5",
            "6762-18.2-2",
            "6762-18.3-1",
            "6762-18.4-2",
            "6762-18.5-3",
            "6762-18.6-1",
            "6762-18.7-1",
            "6762-18.8-1",
            "6762-18.9-1",
            "6762-18.10-1",
            "6762-18.11-1",
        ],
        "multicast responses have id 0, QR and AA set, and nothing else",
        "RD set: warn; anything else: fail",
        response_header,
    ),
    birth(
        "6762-6-12/no-questions",
        &["6762-6-12"],
        "multicast responses hold no questions",
        "",
        no_questions,
    ),
    birth(
        "6762-6-24/from-port-5353",
        &["6762-6-24", "6762-6-26", "6762-2-1"],
        "all is sent from port 5353, announcements to the group",
        "",
        from_port_5353,
    ),
    birth(
        "6762-11-1/hop-limit",
        &["6762-11-1"],
        "responses have IP TTL 255",
        "another: warn",
        hop_limit,
    ),
    birth(
        "6762-20-2/both-families",
        &["6762-20-2"],
        "a host with IPv4 and IPv6 announces on both",
        "one only: warn",
        both_families,
    ),
    birth(
        "1035-4.1-1/well-formed",
        &["1035-4.1-1", "1035-4.1.4-4", "6762-18.14-5"],
        "every message can be read to its end, and has no octets behind it",
        "octets behind the end: warn",
        well_formed,
    ),
    birth(
        "6762-18.14-1/compresses",
        &["6762-18.14-1", "6762-18.14-3", "6762-18.14-4"],
        "messages with several records use name compression",
        "not at all: warn",
        compresses,
    ),
];

fn response_header(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for packet in responses(service) {
        let (id, flags) = (packet.contents.id, packet.contents.flags);
        stage.must(id == 0, || format!("id {id:#06x}"));
        judge_flags(stage, flags);
    }
    Ok(())
}

fn no_questions(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for packet in responses(service) {
        stage.must(packet.contents.questions.is_empty(), || {
            format!("a response at {} has questions", seconds(packet.at))
        });
    }
    Ok(())
}

fn from_port_5353(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for packet in &service.birth {
        stage.must(packet.source.port() == crate::PORT, || {
            format!("sent from {}", packet.source)
        });
        stage.must(packet.is_multicast(), || {
            format!("sent to {}", packet.destination)
        });
    }
    Ok(())
}

fn hop_limit(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let mut limits: Vec<Option<u8>> = responses(service)
        .iter()
        .map(|packet| packet.hop_limit)
        .collect();
    limits.sort_unstable();
    limits.dedup();
    for limit in limits.into_iter().flatten() {
        stage.should(limit == 255, || format!("IP TTL {limit}"));
    }
    Ok(())
}

fn both_families(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    if !stage.link.has_v6() {
        return Err(Stop::NotApplicable("the tester has no IPv6 address".into()));
    }
    let heard = stage.link.since(service.asked);
    let by_v6 = heard.iter().find(|packet| {
        let answer = packet.contents.answer(&service.instance, RecordType::SRV);
        !packet.ours && !packet.is_v4() && answer.is_some()
    });
    stage.should(by_v6.is_some(), || {
        "announced by IPv4 and not by IPv6".into()
    });
    if let Some(limit) = by_v6.and_then(|packet| packet.hop_limit) {
        stage.should(limit == 255, || format!("hop limit {limit}"));
    }
    Ok(())
}

fn well_formed(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for packet in &service.birth {
        if let Some(fault) = &packet.contents.fault {
            stage.fail(format!("at {}: {fault}", seconds(packet.at)));
        }
        let checked = cooee_wire::Message::parse(&packet.octets)
            .and_then(|message| message.check(cooee_wire::LabelBudget::default()));
        if let Ok(trailing) = checked {
            stage.should(trailing.is_empty(), || {
                format!("{} octets behind the end", trailing.len())
            });
        }
    }
    stage.saw(format!("{} messages read", service.birth.len()));
    Ok(())
}

fn compresses(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let (mut sent, mut plain) = (0, 0);
    for packet in service
        .birth
        .iter()
        .filter(|packet| packet.contents.records.len() > 1)
    {
        sent += packet.octets.len();
        plain += uncompressed(packet);
    }
    if plain == 0 {
        return Err(Stop::NotApplicable("no message has several records".into()));
    }
    stage.should(sent < plain, || {
        format!("{sent} octets were sent, as many as without compression")
    });
    stage.saw(format!("{sent} octets for {plain}"));
    Ok(())
}

fn uncompressed(packet: &Packet) -> usize {
    let mut buffer = vec![0; 65_535];
    let (flags, none) = (packet.contents.flags, cooee_wire::Compression::None);
    let Ok(mut builder) = cooee_wire::MessageBuilder::new(&mut buffer, 0, flags, none) else {
        return 0;
    };
    for question in &packet.contents.questions {
        let _ = builder.question(question.as_question());
    }
    for section in [Section::Answer, Section::Authority, Section::Additional] {
        let of_section = packet
            .contents
            .records
            .iter()
            .filter(|(of, _)| *of == section);
        for (_, record) in of_section {
            let _ = builder.record(section, record.as_record());
        }
    }
    builder.finish()
}
