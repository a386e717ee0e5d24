//! How the shared subject announces what it has claimed.

use std::time::Duration;

use cooee_wire::RecordType;

use super::super::services::judge_txt;
use super::{announcements, birth, millis, responses, seconds};
use crate::service::Service;
use crate::stage::{Stage, Stop, is_doubled, ms};
use crate::test::Test;

pub(super) const TESTS: &[Test] = &[
    birth(
        "6762-8.3-1/announces-everything",
        &["6762-8.3-1"],
        "PTR, SRV, TXT and an address are announced in answer sections",
        "no address (it may have been announced before): warn",
        announces_everything,
    ),
    birth(
        "6762-8.3-5/announces-twice",
        &["6762-8.3-5", "6762-6-30"],
        "there are two announcements or more, one second apart",
        "one only: fail; gap below 0.95 s: fail; first gap above 2 s: warn",
        announces_twice,
    ),
    birth(
        "6762-8.3-6/announcements-end",
        &["6762-8.3-6", "6762-8.3-7", "6762-8.3-8"],
        "announcements grow rarer by half at least, and end",
        "a gap below 1.7 times the one before: fail; more than 8: fail",
        announcements_end,
    ),
    birth(
        "6762-8.3-4/announces-with-flush",
        &["6762-8.3-4", "6762-10.2-3", "6762-10.2-8"],
        "announced unique records have the cache-flush bit",
        "",
        announces_with_flush,
    ),
    birth(
        "6762-8.3-3/shared-without-flush",
        &["6762-8.3-3", "6762-10.2-14"],
        "announced shared records do not have the cache-flush bit",
        "",
        shared_without_flush,
    ),
    birth(
        "6762-10-1/ttl-of-host-records",
        &["6762-10-1"],
        "records with a host name in them live 120 seconds",
        "another TTL: warn",
        ttl_of_host_records,
    ),
    birth(
        "6762-10-2/ttl-of-other-records",
        &["6762-10-2"],
        "other records live 75 minutes",
        "another TTL: warn",
        ttl_of_other_records,
    ),
    birth(
        "6763-6.1-3/txt-as-given",
        &["6763-6.1-3", "6763-6.3-1", "6763-6.4-8", "6763-6-1"],
        "the TXT record holds the attributes as they were given, in their order",
        "in another order: warn",
        txt_as_given,
    ),
    birth(
        "6763-5-4/srv-numbers",
        &["6763-5-2", "6763-5-4"],
        "the SRV record holds the port, priority 0 and weight 0",
        "another priority or weight: warn",
        srv_numbers,
    ),
];

fn announces_everything(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let responses = responses(service);
    let announced = |name: &cooee_wire::NameBuf, kind| {
        responses
            .iter()
            .any(|packet| packet.contents.answer(name, kind).is_some())
    };
    for (name, kind) in [
        (&service.kind, RecordType::PTR),
        (&service.instance, RecordType::SRV),
        (&service.instance, RecordType::TXT),
    ] {
        stage.must(announced(name, kind), || {
            format!("{name} {kind} was not announced")
        });
    }
    // The host may have been announced when the stack started.
    let since_start = stage.link.since(Duration::ZERO);
    let address = since_start
        .iter()
        .filter(|packet| !packet.ours)
        .any(|packet| {
            [RecordType::A, RecordType::AAAA]
                .iter()
                .any(|kind| packet.contents.record(&service.host, *kind).is_some())
        });
    stage.should(address, || {
        format!("no address of {} was announced", service.host)
    });
    Ok(())
}

fn announces_twice(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let times = bursts(service);
    stage.must(times.len() >= 2, || {
        format!("{} announcement, not 2", times.len())
    });
    let (Some(first), Some(second)) = (times.first(), times.get(1)) else {
        return Ok(());
    };
    let gap = *second - *first;
    let text = format!("the second came {} after the first", millis(gap));
    match gap {
        _ if gap < ms(950) => stage.fail(text),
        _ if gap > ms(2000) => stage.warn(text),
        _ => stage.saw(text),
    }
    Ok(())
}

fn bursts(service: &Service) -> Vec<Duration> {
    let mut times: Vec<Duration> = Vec::new();
    for packet in announcements(service) {
        if times.last().is_none_or(|last| packet.at > *last + ms(100)) {
            times.push(packet.at);
        }
    }
    times
}

fn announcements_end(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let times = bursts(service);
    let gaps: Vec<Duration> = times
        .windows(2)
        .map(|pair| {
            pair.last().copied().unwrap_or_default() - pair.first().copied().unwrap_or_default()
        })
        .collect();
    stage.saw(format!(
        "{} announcements within {:.1} s, gaps {}",
        times.len(),
        service
            .birth
            .last()
            .map_or(0.0, |last| (last.at - service.asked).as_secs_f64()),
        gaps.iter()
            .map(|gap| millis(*gap))
            .collect::<Vec<_>>()
            .join(", ")
    ));
    stage.must(times.len() <= 8, || {
        format!("{} announcements", times.len())
    });
    for pair in gaps.windows(2) {
        let &[before, after] = pair else { continue };
        stage.must(is_doubled(before, after), || {
            format!("a gap of {} after one of {}", millis(after), millis(before))
        });
    }
    Ok(())
}

fn announces_with_flush(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for packet in responses(service) {
        for record in packet.contents.all() {
            let is_own = record.name == service.instance || record.name == service.host;
            let is_unique = matches!(
                record.kind(),
                RecordType::SRV | RecordType::TXT | RecordType::A | RecordType::AAAA
            );
            if is_own && is_unique {
                stage.must(record.cache_flush, || {
                    format!("without the bit at {}: {record}", seconds(packet.at))
                });
            }
        }
    }
    Ok(())
}

fn shared_without_flush(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    for packet in responses(service) {
        for record in packet.contents.all() {
            let is_shared = record.kind() == RecordType::PTR && record.name == service.kind;
            if is_shared {
                stage.must(!record.cache_flush, || {
                    format!("with the bit at {}: {record}", seconds(packet.at))
                });
            }
        }
    }
    Ok(())
}

fn ttl_of_host_records(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    ttl(stage, 120, |record| {
        let of_host = matches!(record.kind(), RecordType::A | RecordType::AAAA);
        record.kind() == RecordType::SRV && record.name == service.instance
            || of_host && record.name == service.host
    })
}

fn ttl_of_other_records(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    ttl(stage, 4500, |record| {
        record.kind() == RecordType::TXT && record.name == service.instance
            || record.kind() == RecordType::PTR && record.name == service.kind
    })
}

fn ttl(
    stage: &mut Stage<'_>,
    wanted: u32,
    of: impl Fn(&cooee_wire::RecordBuf) -> bool,
) -> Result<(), Stop> {
    let service = stage.service()?;
    let mut told: Vec<String> = Vec::new();
    for packet in responses(service) {
        for record in packet.contents.all().filter(|record| of(record)) {
            let text = format!("{} has TTL {}", record.kind(), record.ttl);
            if told.contains(&text) {
                continue;
            }
            stage.must(record.ttl > 0, || {
                format!("a goodbye among the announcements: {record}")
            });
            stage.should(record.ttl == wanted, || text.clone());
            told.push(text);
        }
    }
    Ok(())
}

fn txt_as_given(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let wanted: Vec<u8> = Service::TXT
        .iter()
        .flat_map(|text| std::iter::once(text.len() as u8).chain(text.bytes()))
        .collect();
    let responses = responses(service);
    let txt = responses
        .iter()
        .find_map(|packet| packet.contents.record(&service.instance, RecordType::TXT));
    let Some(txt) = txt else {
        return Err(Stop::Fail("there was no TXT record".into()));
    };
    judge_txt(stage, txt.rdata.octets(), &wanted, || {
        format!("asked for {}, announced: {txt}", Service::TXT.join(" "))
    });
    Ok(())
}

fn srv_numbers(stage: &mut Stage<'_>) -> Result<(), Stop> {
    let service = stage.service()?;
    let Ok(cooee_wire::Data::Srv(srv)) = service.srv.rdata.decode() else {
        return Err(Stop::Fail(format!("unreadable: {}", service.srv)));
    };
    stage.must(srv.port == Service::PORT, || {
        format!("port {}, not {}", srv.port, Service::PORT)
    });
    stage.should(srv.priority == 0 && srv.weight == 0, || {
        format!("priority {}, weight {}", srv.priority, srv.weight)
    });
    Ok(())
}
