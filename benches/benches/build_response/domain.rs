//! domain (NLnet Labs), with the quickest of its three compressors.

use benches::response::{Content, RECORDS};
use domain::base::iana::Class;
use domain::base::{MessageBuilder, Name, Record, StaticCompressor, Ttl};
use domain::rdata::{A, Aaaa, AllRecordData, Ptr, Srv, Txt};

pub(crate) fn builder() -> impl FnMut(&mut [u8]) -> Option<usize> {
    let name = |text: &str| Name::vec_from_str(text).expect("it is a name");
    let records = RECORDS.map(|(owner, ttl, content)| {
        let data: AllRecordData<Vec<u8>, Name<Vec<u8>>> = match content {
            Content::A(address) => A::new(address).into(),
            Content::Aaaa(address) => Aaaa::new(address).into(),
            Content::Ptr(target) => Ptr::new(name(target)).into(),
            Content::Srv(port, target) => Srv::new(0, 0, port, name(target)).into(),
            Content::Txt(strings) => {
                let octets = strings
                    .iter()
                    .flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat())
                    .collect();
                Txt::from_octets(octets)
                    .expect("the strings are short")
                    .into()
            }
        };
        let class = if matches!(content, Content::Ptr(_)) {
            Class::IN
        } else {
            Class::from_int(0x8001)
        };
        Record::new(name(owner), class, Ttl::from_secs(ttl), data)
    });
    let mut target = Vec::with_capacity(1500);
    move |buffer| {
        target.clear();
        let compressor = StaticCompressor::new(std::mem::take(&mut target));
        let mut builder = MessageBuilder::from_target(compressor).ok()?;
        let header = builder.header_mut();
        header.set_qr(true);
        header.set_aa(true);
        let mut answers = builder.answer();
        for record in &records {
            answers.push(record).ok()?;
        }
        target = answers.finish().into_target();
        buffer.get_mut(..target.len())?.copy_from_slice(&target);
        Some(target.len())
    }
}
