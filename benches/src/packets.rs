//! Packets from our own captures of eight mDNS stacks.

use std::path::Path;

/// A load for a benchmark: packets of one kind.
#[derive(Debug)]
pub struct Load {
    /// What kind.
    pub name: &'static str,
    /// The datagrams.
    pub packets: Vec<Vec<u8>>,
}

impl Load {
    /// How many octets all packets have.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.packets.iter().map(Vec::len).sum()
    }

    /// How many questions and records their headers count.
    #[must_use]
    pub fn items(&self) -> usize {
        let counts = self.packets.iter().filter_map(|packet| packet.get(4..12));
        counts
            .flat_map(|counts| {
                counts
                    .as_chunks()
                    .0
                    .iter()
                    .map(|pair| usize::from(u16::from_be_bytes(*pair)))
            })
            .sum()
    }
}

/// Small, typical and large packets of all stacks, those for which `keep` holds.
///
/// # Panics
/// If the captures are not where the repository has them.
#[must_use]
pub fn loads(keep: impl Fn(&[u8]) -> bool) -> [Load; 3] {
    let all: Vec<Vec<u8>> = captures()
        .into_iter()
        .filter(|packet| keep(packet))
        .collect();
    let of = |name, sizes: std::ops::Range<usize>| Load {
        name,
        packets: all
            .iter()
            .filter(|packet| sizes.contains(&packet.len()))
            .cloned()
            .collect(),
    };
    [
        of("small", 0..128),
        of("typical", 128..800),
        of("large", 800..9000),
    ]
}

/// Messages of 9000 octets made to take long: one each.
#[must_use]
pub fn hostile() -> [Load; 3] {
    let long = [&b"\x01a".repeat(127)[..], b"\0"].concat();
    let of = |name, owner: &[u8]| Load {
        name,
        packets: vec![response(&long, owner)],
    };
    [
        of("pointers to a name of 127 labels", b"\xC0\x0C"),
        of("names of 127 labels", &long),
        of("names without labels", b"\0"),
    ]
}

/// Records without data until 9000 octets are full, the first with an owner of its own.
fn response(first: &[u8], owner: &[u8]) -> Vec<u8> {
    let rest = b"\0\x0A\0\x01\0\0\0\0\0\0";
    let mut octets = b"\0\0\x84\0\0\0\0\0\0\0\0\0".to_vec();
    let mut count = 0_u16;
    let mut name = first;
    while octets.len() + name.len() + rest.len() <= 9000 {
        octets.extend_from_slice(name);
        octets.extend_from_slice(rest);
        (count, name) = (count + 1, owner);
    }
    octets[6..8].copy_from_slice(&count.to_be_bytes());
    octets
}

fn captures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cooee-wire/tests/corpus");
    let entries = std::fs::read_dir(&folder).expect("the captures are in the repository");
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "hex"));
    files.sort();
    let texts = files
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("a capture is a text"));
    texts
        .flat_map(|text| text.lines().map(octets).collect::<Vec<_>>())
        .collect()
}

fn octets(line: &str) -> Vec<u8> {
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .expect("a capture has hexadecimal digits") as u8
    };
    line.as_bytes()
        .as_chunks()
        .0
        .iter()
        .map(|[high, low]| digit(*high) << 4 | digit(*low))
        .collect()
}
