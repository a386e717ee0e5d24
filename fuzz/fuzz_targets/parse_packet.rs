//! Any octets: nothing panics, views stay inside the message, the work is bounded, and what is read agrees with
//! a plain decoder and with itself when owned.

#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};

use cooee_wire::{Data, LabelBudget, Message, Name, RdataBuf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(message) = Message::parse(octets) else {
        return;
    };
    let mut questions = Vec::new();
    for question in message.questions().flatten() {
        visit(question.name);
        questions.push(question);
    }
    let mut records = Vec::new();
    let mut iterator = message.records();
    for item in &mut iterator {
        let Ok((section, record)) = item else { break };
        visit(record.name);
        let _ = record.opt();
        let (octets, start) = (record.rdata.octets(), record.rdata.offset());
        assert_eq!(
            message.octets().get(start..start + octets.len()),
            Some(octets)
        );
        if let Ok(data) = record.data() {
            visit_data(data);
        }
        if let Ok(owned) = record.to_owned() {
            assert_eq!(owned.as_record(), record);
            assert_eq!(hash(&owned.rdata), hash(&record.rdata));
            assert_eq!(
                owned.rdata.as_rdata().canonical_cmp(record.rdata),
                core::cmp::Ordering::Equal
            );
        }
        records.push((section, record));
    }
    for pair in records.windows(2) {
        if let [(_, first), (_, second)] = pair {
            assert_eq!(first.name == second.name, second.name == first.name);
            assert_eq!(
                first.name == second.name,
                first.name.cmp(&second.name).is_eq()
            );
            assert_eq!(first.rdata == second.rdata, second.rdata == first.rdata);
        }
    }
    let by_section = message.answers().flatten().count()
        + message.authorities().flatten().count()
        + message.additionals().flatten().count();
    assert!(by_section <= records.len());
    let checked = message.check(LabelBudget::new(usize::MAX));
    if checked.is_ok() {
        let plain = cooee_fuzz::decode(octets).expect("the plain decoder is more lenient");
        assert_eq!(plain.questions.len(), questions.len());
        for (question, (name, kind, class)) in questions.iter().zip(&plain.questions) {
            assert!(question.name.labels().eq(name));
            assert_eq!(question.kind.get(), *kind);
            assert_eq!(question.class.get(), class & 0x7FFF);
        }
        assert_eq!(plain.records.len(), records.len());
        for ((_, record), plain) in records.iter().zip(&plain.records) {
            assert!(record.name.labels().eq(&plain.name));
            assert_eq!(record.kind().get(), plain.fixed.0);
            assert_eq!(
                record.rdata.offset()..record.rdata.offset() + record.rdata.octets().len(),
                plain.data
            );
        }
        assert_eq!(iterator.trailing(), checked.unwrap_or_default());
    }
    if octets.len() < 1500 {
        assert!(!message.to_string().is_empty());
    }
});

fn visit(name: Name<'_>) {
    let labels = name.labels().count();
    assert!(labels <= 127 && name.length() <= Name::MAX_LENGTH);
    assert_eq!(name, name);
    match name.to_owned() {
        Ok(owned) => {
            assert_eq!(owned, name);
            assert_eq!(hash(&owned), hash(&name));
            assert_eq!(owned.as_name().cmp(&name), core::cmp::Ordering::Equal);
            assert_eq!(name.count_labels(), Ok(labels));
            assert_eq!(
                Name::from_octets(owned.as_octets()).expect("it is plain"),
                name
            );
        }
        Err(error) => assert_eq!(name.check(), Err(error)),
    }
}

fn visit_data(data: Data<'_>) {
    match data {
        Data::Ptr(name) | Data::Cname(name) | Data::Ns(name) | Data::Dname(name) => visit(name),
        Data::Srv(srv) => visit(srv.target),
        Data::Mx(mx) => visit(mx.exchange),
        Data::Soa(soa) => {
            visit(soa.mname);
            visit(soa.rname);
        }
        Data::Nsec(nsec) => {
            visit(nsec.next);
            for kind in nsec.types() {
                assert!(nsec.contains(kind));
            }
        }
        Data::Txt(txt) => {
            let len: usize = txt.strings().map(|string| 1 + string.len()).sum();
            assert_eq!(len, txt.octets().len().max(1));
        }
        Data::Opt(opt) => {
            let written = RdataBuf::opt(opt.options()).expect("what was read can be written");
            assert!(matches!(
                written.decode(),
                Ok(Data::Opt(again)) if again.options().map(|option| option.code()).eq(opt.options().map(|option| option.code()))
            ));
        }
        Data::Svcb(svcb) | Data::Https(svcb) => {
            visit(svcb.target);
            assert!(svcb.params.is_sorted_by_key(|(key, _)| key));
        }
        _ => {}
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
