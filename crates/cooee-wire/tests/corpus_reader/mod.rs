//! The packets under `tests/corpus`, and those of third parties where they are.
//!
//! Our own captures are in the repository. What other projects published stays in a folder of its own, with its
//! licences: `../shared/corpus` beside the workspace, or where `COOEE_CORPUS` says.

use std::path::{Path, PathBuf};

/// One message of the corpus.
pub(crate) struct Packet {
    /// File and line.
    pub(crate) place: String,
    pub(crate) octets: Vec<u8>,
}

/// The folders there are. With `COOEE_REQUIRE_CORPUS` set, a missing one is a failure.
pub(crate) fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("COOEE_CORPUS")
        .map_or_else(|| here.join("../../../shared/corpus"), PathBuf::from);
    let mut folders = vec![here.join("tests/corpus")];
    if shared.is_dir() {
        folders.push(shared);
    } else {
        assert!(
            std::env::var_os("COOEE_REQUIRE_CORPUS").is_none(),
            "the packets of third parties are required, and not at {}",
            shared.display()
        );
        eprintln!(
            "the packets of third parties are MISSING at {}: only our own captures are used",
            shared.display()
        );
    }
    folders
}

/// The `*.hex` files of a folder, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "hex"))
        .collect();
    files.sort();
    files
}

/// The messages of a file.
pub(crate) fn packets(file: &Path) -> Vec<Packet> {
    let name = file.file_name().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let packet = |(number, line): (usize, &str)| Packet {
        place: format!("{name}:{number}"),
        octets: from_hex(line),
    };
    (1..).zip(text.lines()).map(packet).collect()
}

/// All messages there are.
#[allow(dead_code, reason = "not every test wants all")]
pub(crate) fn all() -> Vec<Packet> {
    let mut seen = std::collections::HashSet::new();
    let files = folders().into_iter().flat_map(|folder| files(&folder));
    // The shared folder has our own captures too.
    let files = files.filter(|file| seen.insert(file.file_name().unwrap().to_owned()));
    files.flat_map(|file| packets(&file)).collect()
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).unwrap() as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(&pair[0]) << 4 | digit(&pair[1]))
        .collect()
}

#[allow(dead_code, reason = "not every test wants it")]
pub(crate) fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
