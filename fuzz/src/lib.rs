//! What the targets share: a decoder that has nothing in common with the one under test.

/// A record as the plain decoder reads it.
#[derive(Debug, PartialEq, Eq)]
pub struct PlainRecord {
    /// The labels of the owner.
    pub name: Vec<Vec<u8>>,
    /// Type, class (all 16 bits) and TTL.
    pub fixed: (u16, u16, u32),
    /// Where the data stands.
    pub data: core::ops::Range<usize>,
}

/// A question or record section, read the slow and obvious way. `None` if anything is wrong.
#[derive(Debug, Default)]
pub struct Plain {
    /// The labels of each question's name, with type and class.
    pub questions: Vec<(Vec<Vec<u8>>, u16, u16)>,
    /// All records.
    pub records: Vec<PlainRecord>,
}

/// Reads a whole message.
pub fn decode(message: &[u8]) -> Option<Plain> {
    let count = |index: usize| number(message, 4 + 2 * index);
    let mut plain = Plain::default();
    let mut at = 12;
    for _ in 0..count(0)? {
        let name = name(message, &mut at)?;
        plain
            .questions
            .push((name, number(message, at)?, number(message, at + 2)?));
        at += 4;
    }
    for _ in 0..u32::from(count(1)?) + u32::from(count(2)?) + u32::from(count(3)?) {
        let name = name(message, &mut at)?;
        let ttl = u32::from(number(message, at + 4)?) << 16 | u32::from(number(message, at + 6)?);
        let fixed = (number(message, at)?, number(message, at + 2)?, ttl);
        let start = at + 10;
        at = start + usize::from(number(message, at + 8)?);
        message.get(start..at)?;
        plain.records.push(PlainRecord {
            name,
            fixed,
            data: start..at,
        });
    }
    Some(plain)
}

/// Reads a name, leaving `at` behind what stands inline.
pub fn name(message: &[u8], at: &mut usize) -> Option<Vec<Vec<u8>>> {
    let mut labels = Vec::new();
    let mut here = *at;
    let mut end = None;
    let mut jumps = 0;
    loop {
        match *message.get(here)? {
            0 => {
                *at = end.unwrap_or(here + 1);
                return Some(labels);
            }
            len @ 1..=63 => {
                let next = here + 1 + usize::from(len);
                labels.push(message.get(here + 1..next)?.to_vec());
                here = next;
            }
            192.. => {
                let target = usize::from(number(message, here)? & 0x3FFF);
                end = end.or(Some(here + 2));
                jumps += 1;
                if target >= here || jumps > 1000 {
                    return None;
                }
                here = target;
            }
            _ => return None,
        }
    }
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([
        *message.get(at)?,
        *message.get(at + 1)?,
    ]))
}
