//! Real packets as seeds for the fuzz targets that read packets.
//!
//! A corpus is a folder of `NAME.hex` files: one message a line, in hexadecimal digits.

use std::path::{Path, PathBuf};

use crate::workspace::{Outcome, root};

/// Where the corpus lies unless the command line says otherwise: beside the workspace.
const FOLDER: &str = "../shared/corpus";

/// The targets whose input is a packet as it came from the wire.
const TARGETS: &[&str] = &["parse_packet", "roundtrip"];

/// The targets with seeds in `fuzz/seeds`: a packet of each of our captures, and some names.
const SEEDED: &[&str] = &["parse_packet", "roundtrip", "name_text"];

/// `[FOLDER]`: writes each message into the seeds of each target.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let folder = match arguments {
        [] => root().join(FOLDER),
        [folder] => PathBuf::from(folder),
        _ => return Err("wants at most one folder".into()),
    };
    let count = write_seeds(&folder)?;
    println!("{count} seeds for each of {}", TARGETS.join(", "));
    Ok(())
}

/// Writes the seeds: the committed ones, and those of the corpus if that is there; says whether it was.
pub(crate) fn write_if_there() -> Outcome<bool> {
    copy_committed()?;
    let folder = root().join(FOLDER);
    if !folder.is_dir() {
        return Ok(false);
    }
    write_seeds(&folder).map(|_| true)
}

fn write_seeds(folder: &Path) -> Outcome<usize> {
    let mut seeds = Vec::new();
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for file in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if file.extension().is_none_or(|extension| extension != "hex") {
            continue;
        }
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        for (number, line) in (1..).zip(text.lines()) {
            let octets = octets(line)
                .ok_or_else(|| format!("{}:{number}: not hexadecimal", file.display()))?;
            seeds.push((format!("{stem}-{number}"), octets));
        }
    }
    copy_committed()?;
    for target in TARGETS {
        let place = root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
        for (name, octets) in &seeds {
            std::fs::write(place.join(name), octets).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    Ok(seeds.len())
}

/// Copies the small seeds that are committed, one folder for each target, beside the others.
fn copy_committed() -> Outcome {
    let fault = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for target in SEEDED {
        let from = root().join("fuzz/seeds").join(target);
        let to = root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&to).map_err(|error| fault(&to, error))?;
        for seed in std::fs::read_dir(&from).map_err(|error| fault(&from, error))? {
            let seed = seed.map_err(|error| fault(&from, error))?;
            std::fs::copy(seed.path(), to.join(seed.file_name()))
                .map_err(|error| fault(&from, error))?;
        }
    }
    Ok(())
}

fn octets(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = line
        .chars()
        .map(|c| c.to_digit(16)?.try_into().ok())
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks() else {
        return None;
    };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::octets;

    #[test]
    fn hexadecimal_lines_are_pairs_of_digits() {
        assert_eq!(octets("00fF84"), Some(vec![0, 255, 0x84]));
        assert_eq!(octets(""), Some(vec![]));
        assert_eq!(octets("0"), None);
        assert_eq!(octets("0g"), None);
    }
}
