//! What the labels of a name say: which service type, which part of it.

use cooee::wire::{NameBuf, RecordType};

/// A name with a service type in it, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// The instance, if the name is one; any octets.
    pub(super) instance: Option<Vec<u8>>,
    /// `_http`, as it stands.
    pub(super) name: Vec<u8>,
    /// `_tcp` or `_udp`, as it stands.
    pub(super) protocol: Vec<u8>,
}

impl Service {
    /// Finds the service type in a name; the list of all types is none.
    // RFC 6763 §4.1 (6763-4.1-1)
    pub(super) fn of(name: &NameBuf) -> Option<Self> {
        let labels: Vec<&[u8]> = name.labels().collect();
        let is_protocol = |label: &[u8]| {
            label.eq_ignore_ascii_case(b"_tcp") || label.eq_ignore_ascii_case(b"_udp")
        };
        // An instance may have any name, `_tcp` too: the type is found from the right.
        let place = labels
            .windows(2)
            .rposition(|pair| matches!(pair, [name, protocol] if name.starts_with(b"_") && is_protocol(protocol)))?;
        let kind = *labels.get(place)?;
        if kind.eq_ignore_ascii_case(b"_dns-sd") {
            return None;
        }
        Some(Self {
            instance: match (place, labels.first()) {
                (1, Some(instance)) => Some(instance.to_vec()),
                _ => None,
            },
            name: kind.to_vec(),
            protocol: labels.get(place + 1)?.to_vec(),
        })
    }

    /// `_http._tcp`, in lower case, with its escapes.
    pub(super) fn text(&self) -> String {
        let [name, protocol] =
            [&self.name, &self.protocol].map(|label| crate::escape::octets(label));
        format!("{name}.{protocol}").to_ascii_lowercase()
    }
}

/// Whether a name stands for an address.
pub(super) fn is_reverse(name: &NameBuf) -> bool {
    let last = name.labels().last().unwrap_or_default();
    last.eq_ignore_ascii_case(b"arpa")
}

/// Whether many hosts may have records of this name and type: the lists of instances, subtypes and types.
pub(super) fn is_shared(name: &NameBuf, kind: RecordType) -> bool {
    kind == RecordType::PTR && !is_reverse(name)
}
