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
