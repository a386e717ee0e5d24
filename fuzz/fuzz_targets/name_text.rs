//! Names as text: what is read prints, what is printed reads the same.

#![no_main]

use cooee_wire::{Name, NameBuf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(text) = core::str::from_utf8(octets)
        && let Ok(name) = text.parse::<NameBuf>()
    {
        check(&name);
        if let Ok(dotted) = format!("{text}.").parse::<NameBuf>() {
            // A dot at the end changes nothing, unless it was escaped or is one too many.
            assert!(dotted == name || text.ends_with('\\'));
        }
    }
    if let Ok(name) = Name::from_octets(octets) {
        check(&name.to_owned().expect("it was checked"));
    }
    if let Ok(name) = NameBuf::from_labels(octets.split(|octet| *octet == b'/')) {
        check(&name);
    }
});

fn check(name: &NameBuf) {
    for text in [name.to_string(), format!("{name:#}")] {
        assert!(text.is_ascii());
        let again: NameBuf = text.parse().expect("what we print can be read");
        assert_eq!(again.as_octets(), name.as_octets());
    }
    assert!(name.wire_len() <= Name::MAX_LENGTH + 1);
    assert_eq!(
        Name::from_octets(name.as_octets()).expect("it is plain"),
        *name
    );
}
