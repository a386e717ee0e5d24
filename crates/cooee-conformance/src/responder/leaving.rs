//! Changes: withdrawal, shutdown, new attributes, a new name, a cable pulled and plugged in.

use std::net::Ipv4Addr;
use std::time::Duration;

use cooee_wire::{RdataBuf, RecordType};

use super::fresh;
use crate::packet::Packet;
use crate::query::Outgoing;
use crate::service::Service;
use crate::stage::{Stage, Stop, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    fresh(
        "6762-10.1-1/goodbye-at-withdrawal",
        &["6762-10.1-1"],
        "a withdrawn service says goodbye with its PTR record",
        "no goodbye within 2.5 s: warn; still answered for after 3.5 s: fail",
        goodbye_at_withdrawal,
    ),
    fresh(
        "6762-10.1-1/goodbye-at-shutdown",
        &["6762-10.1-1"],
        "a stack that is shut down says goodbye for its services",
        "no goodbye within 2.5 s: warn",
        goodbye_at_shutdown,
    ),
    fresh(
        "6762-8.4-1/announces-new-txt",
        &["6762-8.4-1", "6762-8.4-3", "6762-8.4-5", "6762-10.2-8"],
        "new attributes are announced, with the cache-flush bit and without a goodbye",
        "not within 3 s or without the bit: fail; a goodbye for the old ones: warn",
        announces_new_txt,
    ),
    fresh(
        "6762-8.4-1/answers-with-new-txt",
        &["6762-8.4-1", "6762-10.2-6"],
        "after a change only the new attributes are sent",
        "",
        answers_with_new_txt,
    ),
    fresh(
        "6762-8.4-4/renames",
        &["6762-8.4-4", "6762-8.1-1", "6762-10.1-1"],
        "a renamed service is probed for and announced, and the old name says goodbye",
        "no goodbye: warn; not probed for or not announced within 6 s: fail",
        renames,
    ),
    fresh(
        "6762-8-2/hot-plug",
        &["6762-8-2", "6762-10.2-1", "6762-10.2-2"],
        "when the cable is plugged in again, its names are probed for and announced",
        "announced without probe, or not within 20 s: warn",
        hot_plug,
    ),
    fresh(
        "6762-8-2/link-down-and-up",
        &["6762-8-2", "6762-10.2-1", "6762-10.2-2"],
        "when its interface goes down and up, its names are probed for and announced again",
        "announced without probe, or not within 20 s: warn",
        link_down_and_up,
    ),
    fresh(
        "6762-8.4-2/new-address",
        &["6762-8.4-1", "6762-8.4-2", "6762-6.2-1"],
        "a new address of its interface is announced",
        "later than 6 s: warn; not within 20 s: fail",
        announces_new_address,
    ),
];

fn says_goodbye(packet: &Packet, service: &Service) -> bool {
    let rdata = RdataBuf::ptr(service.instance.as_name());
    let mut answers = packet.contents.answers();
    packet.contents.is_response()
        && answers
            .any(|record| record.name == service.kind && record.rdata == rdata && record.ttl == 0)
}

fn judge_goodbye(stage: &mut Stage<'_>, from: Duration, service: &Service) {
    let goodbye = stage.first(from, 2500, |packet| says_goodbye(packet, service));
    match goodbye {
        Some(packet) => stage.saw(format!("{:.3} s later", (packet.at - from).as_secs_f64())),
        None => stage.warn("no goodbye for its PTR record within 2.5 s"),
    }
}

fn goodbye_at_withdrawal(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Leaving")?;
    let from = stage.command(&["withdraw", "Leaving", Service::TYPE])?;
    judge_goodbye(stage, from, &service);
    stage.link.sleep_until(from + ms(3500));
    let asked = stage.send(&Outgoing::question(&service.instance, RecordType::SRV))?;
    let answer = stage.first(asked, 1000, |packet| {
        packet
            .contents
            .record(&service.instance, RecordType::SRV)
            .is_some()
    });
    stage.must(answer.is_none(), || "still answered for".into());
    Ok(())
}

fn goodbye_at_shutdown(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Closing")?;
    let from = stage.command(&["quit"])?;
    judge_goodbye(stage, from, &service);
    Ok(())
}

const NEW: &[&str] = &["txtvers=1", "paper=Letter"];

fn new_txt() -> Vec<u8> {
    NEW.iter()
        .flat_map(|text| std::iter::once(text.len() as u8).chain(text.bytes()))
        .collect()
}

fn update(stage: &mut Stage<'_>, label: &str) -> Result<(Service, Duration), Stop> {
    let service = stage.establish(label)?;
    let mut words = vec!["update-txt", label, Service::TYPE];
    words.extend_from_slice(NEW);
    let from = stage.command(&words)?;
    Ok((service, from))
}

fn announces_new_txt(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let (service, from) = update(stage, "Changing")?;
    let new = new_txt();
    let announced = stage.link.wait_for(from, from + ms(3000), |packet| {
        let record = packet.contents.record(&service.instance, RecordType::TXT);
        let record = record.filter(|record| packet.is_multicast() && record.rdata.octets() == new);
        record.map(|record| (packet.at, record.cache_flush))
    });
    let Some((at, flush)) = announced else {
        return Err(Stop::Fail(
            "the new attributes were not announced within 3 s".into(),
        ));
    };
    stage.saw(format!(
        "announced {:.3} s later",
        (at - from).as_secs_f64()
    ));
    stage.must(flush, || "without the cache-flush bit".into());
    let packets = stage.heard(from, 3000);
    let goodbye = packets.iter().any(|packet| {
        packet
            .contents
            .goodbye(&service.instance, RecordType::TXT)
            .is_some()
    });
    stage.should(!goodbye, || "with a goodbye for the old attributes".into());
    Ok(())
}

fn answers_with_new_txt(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let (service, from) = update(stage, "Changed")?;
    stage.link.sleep_until(from + ms(3000));
    let query = Outgoing::question(&service.instance, RecordType::TXT);
    let (asked, _) = stage.answer_to(&query, &service.instance, RecordType::TXT)?;
    let new = new_txt();
    for packet in stage.heard(asked, 300) {
        let of_name = packet.contents.all().filter(|record| {
            record.kind() == RecordType::TXT && record.name == service.instance && record.ttl > 0
        });
        for record in of_name {
            stage.must(record.rdata.octets() == new, || {
                format!("the old attributes: {record}")
            });
        }
    }
    Ok(())
}

fn renames(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Old Name")?;
    let from = stage.command(&["rename", "Old Name", Service::TYPE, "New Name"])?;
    let new = Service::instance("New Name");
    let announced = stage.first(from, 6000, |packet| {
        packet.contents.record(&new, RecordType::SRV).is_some()
    });
    let Some(announced) = announced else {
        return Err(Stop::Fail(
            "the new name was not announced within 6 s".into(),
        ));
    };
    let packets = stage.link.since(from);
    let probed = packets
        .iter()
        .any(|packet| !packet.ours && packet.at < announced.at && packet.contents.probes_for(&new));
    stage.must(probed, || {
        "the new name was announced without a probe".into()
    });
    // RFC 6762 §8.4 has a MUST for a record that changes. To withdraw one and to register another is as good a rename, and for that
    // §10.1 has a SHOULD.
    judge_goodbye(stage, from, &service);
    Ok(())
}

/// What the subject says of its service after its link has come back.
fn judge_return(stage: &mut Stage<'_>, from: Duration, service: &Service) {
    let announced = stage.first(from, 20_000, |packet| {
        let answer = packet.contents.answer(&service.instance, RecordType::SRV);
        answer.is_some() && packet.is_multicast()
    });
    let Some(announced) = announced else {
        // A stack that does not look at its interfaces has had no indication: RFC 6762 §8 leaves that open.
        stage.warn("not announced within 20 s after the link came back");
        return;
    };
    stage.saw(format!(
        "announced {:.3} s later",
        (announced.at - from).as_secs_f64()
    ));
    let packets = stage.link.since(from);
    let probed = packets.iter().any(|packet| {
        !packet.ours && packet.at < announced.at && packet.contents.probes_for(&service.instance)
    });
    stage.should(probed, || "announced without a probe".into());
}

fn hot_plug(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.establish("Plugged")?;
    stage.link.plug(false)?;
    std::thread::sleep(ms(1500));
    stage.link.plug(true)?;
    let from = stage.link.now();
    judge_return(stage, from, &service);
    Ok(())
}

fn link_down_and_up(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let side = stage.subject_side()?;
    let service = stage.establish("Restarted")?;
    side.down()?;
    std::thread::sleep(ms(1500));
    let from = stage.link.now();
    side.up()?;
    judge_return(stage, from, &service);
    Ok(())
}

/// An address of the subject that it does not have from the start.
const NEW_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);

fn announces_new_address(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let side = stage.subject_side()?;
    let service = stage.establish("Moving")?;
    if stage.was_told("fixed") {
        let text =
            "the application gives the addresses, and the stack does not follow the interface";
        return Err(Stop::NotApplicable(text.into()));
    }
    let from = stage.link.now();
    side.address("add", NEW_ADDRESS)?;
    let rdata = RdataBuf::a(NEW_ADDRESS);
    let announced = stage.first(from, 20_000, |packet| {
        let mut records = packet.contents.all();
        packet.is_multicast()
            && records.any(|record| record.name == service.host && record.rdata == rdata)
    });
    side.address("del", NEW_ADDRESS)?;
    match announced {
        Some(packet) => {
            let delay = packet.at - from;
            stage.saw(format!("announced {:.3} s later", delay.as_secs_f64()));
            stage.should(delay <= ms(6000), || "later than 6 s".into());
        }
        None => stage.fail("the new address was not announced within 20 s"),
    }
    Ok(())
}
