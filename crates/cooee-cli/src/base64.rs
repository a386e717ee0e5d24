//! Base64 (RFC 4648, section 4), for octets in JSON and in files.

/// Encodes octets.
pub(crate) fn encode(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                let six = bits >> (18 - 6 * place) & 0x3f;
                out.push(letter(six as u8));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// Decodes text; padding may be left out. Nothing if it is no base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        bits = bits << 6 | u32::from(six(letter)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    // What is left over of the last octet is nothing.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(out)
}

fn six(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn letter(six: u8) -> char {
    char::from(match six {
        0..=25 => b'A' + six,
        26..=51 => b'a' + (six - 26),
        52..=61 => b'0' + (six - 52),
        62 => b'+',
        _ => b'/',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        for (octets, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(octets.as_bytes()), text);
        }
        assert_eq!(encode(b"icon=\xff\x00"), "aWNvbj3/AA==");
        assert_eq!(encode(&[0xfb, 0xef, 0xbe]), "++++");
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        assert_eq!(decode("AP8="), Some(vec![0, 255]));
        assert_eq!(decode("AP8"), Some(vec![0, 255]));
        assert_eq!(decode(""), Some(vec![]));
        for text in ["A", "AP9", "AP8=x", "A P8", "AP-_"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_can_be_decoded(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)) {
            proptest::prop_assert_eq!(decode(&encode(&octets)), Some(octets));
        }
    }
}
