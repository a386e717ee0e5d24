//! The floor: written by hand for these types, its table of suffixes searched from end to end.

use benches::response::{Content, RECORDS};

struct Record {
    name: Vec<u8>,
    kind: u16,
    ttl: u32,
    head: Vec<u8>,
    target: Vec<u8>,
    tail: Vec<u8>,
}

pub(crate) fn builder() -> impl FnMut(&mut [u8]) -> Option<usize> {
    let records = RECORDS.map(|(name, ttl, content)| {
        let (kind, head, target, tail) = match content {
            Content::A(address) => (1, vec![], vec![], address.octets().to_vec()),
            Content::Aaaa(address) => (28, vec![], vec![], address.octets().to_vec()),
            Content::Ptr(name) => (12, vec![], wire(name), vec![]),
            Content::Srv(port, target) => (
                33,
                [0, 0, 0, 0].into_iter().chain(port.to_be_bytes()).collect(),
                wire(target),
                vec![],
            ),
            Content::Txt(strings) => (
                16,
                vec![],
                vec![],
                strings
                    .iter()
                    .flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat())
                    .collect(),
            ),
        };
        Record {
            name: wire(name),
            kind,
            ttl,
            head,
            target,
            tail,
        }
    });
    move |buffer| build(&records, buffer)
}

fn build(records: &[Record], buffer: &mut [u8]) -> Option<usize> {
    buffer.get_mut(..12)?.copy_from_slice(&[
        0,
        0,
        0x84,
        0,
        0,
        0,
        0,
        records.len() as u8,
        0,
        0,
        0,
        0,
    ]);
    let mut suffixes = Suffixes {
        offsets: [0; 64],
        len: 0,
    };
    let mut at = 12;
    for record in records {
        at = name(buffer, at, &record.name, &mut suffixes)?;
        let ([k0, k1], [t0, t1, t2, t3]) = (record.kind.to_be_bytes(), record.ttl.to_be_bytes());
        let class = if record.kind == 12 { 0 } else { 0x80 };
        put(buffer, at, &[k0, k1, class, 1, t0, t1, t2, t3, 0, 0])?;
        let start = at + 10;
        put(buffer, start, &record.head)?;
        at = start + record.head.len();
        if !record.target.is_empty() {
            at = name(buffer, at, &record.target, &mut suffixes)?;
        }
        put(buffer, at, &record.tail)?;
        at += record.tail.len();
        put(buffer, start - 2, &((at - start) as u16).to_be_bytes())?;
    }
    Some(at)
}

struct Suffixes {
    offsets: [u16; 64],
    len: usize,
}

fn name(
    buffer: &mut [u8],
    mut at: usize,
    mut name: &[u8],
    suffixes: &mut Suffixes,
) -> Option<usize> {
    while let [len @ 1..=63, rest @ ..] = name {
        for offset in suffixes.offsets.get(..suffixes.len)? {
            if same(buffer, usize::from(*offset), name) {
                put(buffer, at, &(0xC000 | offset).to_be_bytes())?;
                return Some(at + 2);
            }
        }
        *suffixes.offsets.get_mut(suffixes.len)? = at as u16;
        suffixes.len += 1;
        let label = name.get(..1 + usize::from(*len))?;
        put(buffer, at, label)?;
        at += label.len();
        name = rest.get(usize::from(*len)..)?;
    }
    put(buffer, at, &[0])?;
    Some(at + 1)
}

/// Whether this name was written here.
fn same(buffer: &[u8], mut at: usize, mut name: &[u8]) -> bool {
    loop {
        match buffer.get(at) {
            Some(0) => return name == [0],
            Some(high @ 0xC0..) => {
                at = usize::from(u16::from_be_bytes([
                    high & 0x3F,
                    buffer.get(at + 1).copied().unwrap_or(0),
                ]));
            }
            Some(len) => {
                let end = 1 + usize::from(*len);
                if buffer.get(at..at + end) != name.get(..end) {
                    return false;
                }
                at += end;
                name = name.get(end..).unwrap_or_default();
            }
            None => return false,
        }
    }
}

fn put(buffer: &mut [u8], at: usize, octets: &[u8]) -> Option<()> {
    buffer
        .get_mut(at..at + octets.len())?
        .copy_from_slice(octets);
    Some(())
}

fn wire(name: &str) -> Vec<u8> {
    let mut octets: Vec<u8> = name
        .split('.')
        .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
        .collect();
    octets.push(0);
    octets
}
