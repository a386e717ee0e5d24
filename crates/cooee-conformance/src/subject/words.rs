//! Words of the adapter protocol: any octets, written in printable ASCII.

use std::fmt::Write as _;

/// Writes octets as one word.
///
/// ```
/// assert_eq!(cooee_conformance::subject::encode(b"100% Caf\xc3\xa9"), "100%25%20Caf%C3%A9");
/// ```
pub fn encode(octets: &[u8]) -> String {
    let mut word = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'!'..=b'~' if *octet != b'%' => word.push(char::from(*octet)),
            _ => {
                let _ = write!(word, "%{octet:02X}");
            }
        }
    }
    word
}

/// Reads a word; octets that are no UTF-8 become replacement characters, a `%` without two digits stays.
///
/// ```
/// assert_eq!(cooee_conformance::subject::decode("My%20printer"), "My printer");
/// ```
pub fn decode(word: &str) -> String {
    let mut octets = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, octet) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                octets.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_back() {
        for text in [
            "",
            "plain",
            "a b",
            "%",
            "%4",
            "100%",
            "Straße 7 🦜",
            "\u{7f}\n",
        ] {
            assert_eq!(decode(&encode(text.as_bytes())), text);
            assert!(
                encode(text.as_bytes())
                    .bytes()
                    .all(|octet| octet.is_ascii_graphic())
            );
        }
        assert_eq!(decode("50%"), "50%");
    }
}
