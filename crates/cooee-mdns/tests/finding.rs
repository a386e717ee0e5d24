//! How long it takes to find what is there, on a good link and on a bad one.

mod lan;

use std::collections::BTreeSet;

use cooee_mdns::{LinkSet, QueryOptions, RecordSet};
use cooee_sim::{Conditions, HostId};
use cooee_wire::{QuestionBuf, RecordType};
use lan::{Lan, millis, ms, name, service};

const HTTP: &str = "_http._tcp.local";
const SHOP: &str = "Shop._http._tcp.local";

#[test]
fn a_quiet_service_is_found_with_all_its_records_240_ms_and_the_delay_of_the_link_after_asking() {
    // Design §11, 6763-12.1-1 .. 6763-12.1-3, 6763-F-1
    for seed in 0..50 {
        let mut lan = Lan::new(seed);
        let shop = lan.host("shop", 1);
        lan.publish(shop, RecordSet::new().host_addresses(name("box.local")));
        lan.publish(shop, service("Shop", "box.local", 80));
        lan.run_ms(4000);
        let browser = lan.host("browser", 2);
        let start = lan.now();
        lan.ask(browser, HTTP, RecordType::PTR);
        let found = lan.network.run_until(start + ms(1000), |network| {
            !network.node(browser).answers().is_empty()
        });
        assert!(found, "{}", lan.network.transcript());
        assert!(
            millis(lan.now(), start) <= 240 + 2,
            "seed {seed}: {}",
            lan.network.transcript()
        );
        // All the rest came with it: nothing more has to be asked.
        let asked = lan.network.packets().len();
        for (owner, kind) in [
            (SHOP, RecordType::SRV),
            (SHOP, RecordType::TXT),
            ("box.local", RecordType::A),
            ("box.local", RecordType::AAAA),
        ] {
            lan.ask(browser, owner, kind);
        }
        assert_eq!(
            lan.network.node(browser).answers().len(),
            5,
            "{}",
            lan.network.transcript()
        );
        assert_eq!(lan.network.packets().len(), asked);
        lan.assert_clean();
    }
}

#[test]
fn a_service_is_ready_a_second_after_it_is_published_on_a_quiet_link() {
    // 6762-8.1-4 .. 6762-8.1-6: up to 250 ms of delay, and three times 250 ms
    for seed in 0..100 {
        let mut lan = Lan::new(seed);
        let shop = lan.host("shop", 1);
        let start = lan.now();
        let group = lan.publish(shop, service("Shop", "box.local", 80));
        lan.run_ms(2000);
        let ready = millis(
            lan.network.node(shop).ready_at(group).expect("ready"),
            start,
        );
        assert!((750..=1000).contains(&ready), "{ready}");
    }
}

#[test]
fn a_hundred_services_are_found_though_two_packets_in_five_are_lost() {
    // Design §11: all by 8 s in 85 of 100 runs, by 35 s in 98, never a stop short of all
    let runs: u32 = 20;
    let (mut soon, mut late) = (0, 0);
    for seed in 0..runs {
        let conditions = Conditions {
            loss: 0.4,
            ..Conditions::default()
        };
        let mut lan = Lan::with(seed.into(), conditions);
        let shop = lan.host("shop", 1);
        lan.publish(shop, RecordSet::new().host_addresses(name("box.local")));
        for number in 0..100 {
            lan.publish(shop, service(&format!("Service {number}"), "box.local", 80));
        }
        lan.run_ms(5000);
        let browser = lan.host("browser", 2);
        let start = lan.now();
        lan.ask(browser, HTTP, RecordType::PTR);
        let mut asked = BTreeSet::new();
        let mut done = None;
        while done.is_none() && millis(lan.now(), start) < 120_000 {
            lan.run_ms(250);
            ask_for_instances(&mut lan, browser, &mut asked);
            let found = lan
                .answers(browser)
                .iter()
                .filter(|rdata| rdata.kind() == RecordType::SRV)
                .count();
            if found == 100 {
                done = Some(millis(lan.now(), start));
            }
        }
        let done = done.unwrap_or_else(|| panic!("seed {seed}: not all are found"));
        soon += u32::from(done <= 8000);
        late += u32::from(done <= 35_000);
        lan.assert_clean();
    }
    assert!(soon * 100 >= 85 * runs, "{soon} of {runs} by 8 s");
    assert!(late * 100 >= 98 * runs, "{late} of {runs} by 35 s");
}

/// Asks for the SRV record of every instance that has come up.
fn ask_for_instances(lan: &mut Lan, browser: HostId, asked: &mut BTreeSet<String>) {
    for rdata in lan.answers(browser) {
        if let Ok(cooee_wire::Data::Ptr(target)) = rdata.decode()
            && asked.insert(target.to_string())
        {
            let question = QuestionBuf::new(target.to_owned().expect("a name"), RecordType::SRV);
            let options = QueryOptions::standing();
            lan.network.command(browser, |station, now| {
                station.engine.query(now, question, options, LinkSet::All);
            });
        }
    }
}

#[test]
fn five_hundred_instances_of_one_type_are_found_and_known_answers_stay_few() {
    // 6763-7.2-7, 6762-7.2-1
    let mut lan = Lan::new(5);
    for publisher in 0..10_u8 {
        let host = lan.host(&format!("publisher {publisher}"), 100 + publisher);
        for number in 0..50 {
            let owner = format!("Shop {publisher}-{number}").replace(' ', "\\032");
            lan.publish(host, service(&owner, "box.local", 80));
        }
    }
    lan.run_ms(10_000);
    let browser = lan.host("browser", 1);
    let start = lan.now();
    lan.ask(browser, HTTP, RecordType::PTR);
    lan.run_ms(10_000);
    assert_eq!(lan.answers(browser).len(), 500);
    let queries = lan.sent(browser, start);
    // Four queries, of which three list what is known: 500 records of some 30 octets, packed to the MTU.
    assert!((4..=4 * 14).contains(&queries.len()), "{}", queries.len());
    assert!(queries.iter().all(|packet| packet.payload.len() <= 1452));
    lan.assert_clean();
}
