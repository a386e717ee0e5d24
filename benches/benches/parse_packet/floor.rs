//! The floor: written by hand for this one work, keeps nothing, knows no types beyond it.

/// Visits everything and adds up what it sees. `None` for a faulty message.
pub(crate) fn visit(message: &[u8]) -> Option<u64> {
    let mut sum = 0;
    let mut at = 12;
    for _ in 0..u16_at(message, 4)? {
        labels(message, &mut at, &mut sum)?;
        sum += u64::from(u16_at(message, at)?);
        at += 4;
    }
    let records = u32::from(u16_at(message, 6)?)
        + u32::from(u16_at(message, 8)?)
        + u32::from(u16_at(message, 10)?);
    for _ in 0..records {
        labels(message, &mut at, &mut sum)?;
        let &[k0, k1, _, _, t0, t1, t2, t3, n0, n1] = message.get(at..)?.first_chunk()?;
        let kind = u16::from_be_bytes([k0, k1]);
        sum += u64::from(kind) + u64::from(u32::from_be_bytes([t0, t1, t2, t3]));
        at += 10;
        let data = message.get(at..at + usize::from(u16::from_be_bytes([n0, n1])))?;
        let mut here = at;
        at += data.len();
        match kind {
            1 => sum += u64::from(u32::from_be_bytes(data.try_into().ok()?)),
            28 => sum += u128::from_be_bytes(data.try_into().ok()?) as u64 & 0xFFFF_FFFF,
            5 | 12 | 47 => labels(message, &mut here, &mut sum)?,
            33 => {
                sum += u64::from(u16_at(message, here + 4)?);
                here += 6;
                labels(message, &mut here, &mut sum)?;
            }
            16 => {
                let mut rest = data;
                while let [len, tail @ ..] = rest {
                    let string = tail.get(..usize::from(*len))?;
                    sum += u64::from(*len) + u64::from(string.last().copied().unwrap_or(0));
                    rest = &tail[string.len()..];
                }
            }
            _ => {}
        }
    }
    Some(sum)
}

/// Steps over everything and adds up types and TTLs. `None` for a faulty message.
pub(crate) fn step(message: &[u8]) -> Option<u64> {
    let mut sum = 0;
    let mut at = 12;
    for _ in 0..u16_at(message, 4)? {
        skip(message, &mut at)?;
        sum += u64::from(u16_at(message, at)?);
        at += 4;
    }
    let records = u32::from(u16_at(message, 6)?)
        + u32::from(u16_at(message, 8)?)
        + u32::from(u16_at(message, 10)?);
    for _ in 0..records {
        skip(message, &mut at)?;
        let &[k0, k1, _, _, t0, t1, t2, t3, n0, n1] = message.get(at..)?.first_chunk()?;
        sum += u64::from(u16::from_be_bytes([k0, k1]))
            + u64::from(u32::from_be_bytes([t0, t1, t2, t3]));
        at += 10 + usize::from(u16::from_be_bytes([n0, n1]));
        message.get(..at)?;
    }
    Some(sum)
}

/// Visits a name's labels.
fn labels(message: &[u8], at: &mut usize, sum: &mut u64) -> Option<()> {
    let mut here = *at;
    let mut end = None;
    let mut limit = here;
    let mut length = 0;
    loop {
        match *message.get(here)? {
            0 => {
                *at = end.unwrap_or(here + 1);
                return Some(());
            }
            len @ 1..=63 => {
                let label = message.get(here + 1..here + 1 + usize::from(len))?;
                length += 1 + label.len();
                if length > 255 {
                    return None;
                }
                *sum += u64::from(len) + u64::from(*label.last()?);
                here += 1 + label.len();
            }
            high @ 0xC0.. => {
                let target =
                    usize::from(u16::from_be_bytes([high & 0x3F, *message.get(here + 1)?]));
                if target >= limit {
                    return None;
                }
                end = end.or(Some(here + 2));
                (here, limit) = (target, target);
            }
            _ => return None,
        }
    }
}

/// Steps over a name.
fn skip(message: &[u8], at: &mut usize) -> Option<()> {
    loop {
        match *message.get(*at)? {
            0 => {
                *at += 1;
                return Some(());
            }
            len @ 1..=63 => *at += 1 + usize::from(len),
            0xC0.. => {
                *at += 2;
                return Some(());
            }
            _ => return None,
        }
    }
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    message
        .get(at..)?
        .first_chunk()
        .map(|octets| u16::from_be_bytes(*octets))
}
