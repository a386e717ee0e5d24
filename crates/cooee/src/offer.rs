//! What of a service stands in its records.

use cooee_mdns::RecordSet;
use cooee_sd::{ServiceName, ServiceRecords, Subtype, TxtAttributes};
use cooee_wire::NameBuf;

use crate::error::{Error, Result};

/// What of a service can be changed while it is up.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// 0 for a placeholder only.
    pub(crate) port: u16,
    pub(crate) is_placeholder: bool,
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    /// Of its SRV and TXT records, if it is not the usual one.
    pub(crate) ttl: Option<u32>,
    pub(crate) txt: TxtAttributes,
    pub(crate) subtypes: Vec<Subtype>,
}

impl Offer {
    /// What is published under this name.
    pub(crate) fn records(&self, name: ServiceName, host: NameBuf) -> ServiceRecords {
        let mut records = if self.is_placeholder {
            ServiceRecords::placeholder(name, host)
        } else {
            ServiceRecords::new(name, host, self.port)
        };
        for subtype in &self.subtypes {
            records = records.subtype(*subtype);
        }
        if let Some(ttl) = self.ttl {
            records = records.ttl(ttl);
        }
        records
            .txt(self.txt.clone())
            .priority(self.priority)
            .weight(self.weight)
    }

    /// The same for the engine.
    pub(crate) fn record_set(&self, name: ServiceName, host: NameBuf) -> Result<RecordSet> {
        let records = self.records(name, host).build()?;
        let mut set = RecordSet::new();
        for record in records.unique {
            set = set.unique(record);
        }
        let mut shared = records.shared;
        let enumeration = if self.is_placeholder {
            None
        } else {
            shared.pop()
        };
        for record in shared {
            set = set.shared(record);
        }
        Ok(match enumeration {
            Some(record) => set.shared_without_goodbye(record),
            None => set,
        })
    }

    /// Whether this can be published under this name, on a host whose name will not be longer than this.
    pub(crate) fn check(&self, name: ServiceName, host: NameBuf) -> Result<()> {
        Ok(self.record_set(name, host)?.check()?)
    }
}

/// The name `label.local`. A label that is none is cut to one.
pub(crate) fn host_name(label: &str) -> NameBuf {
    let mut octets = label.as_bytes();
    octets = octets.get(..63).unwrap_or(octets);
    let octets = if octets.is_empty() { b"cooee" } else { octets };
    NameBuf::from_labels([octets, b"local"]).expect("two labels of at most 63 octets are a name")
}

/// A name in `local` that is as long as that of a host can get, which takes another one when its own is taken.
pub(crate) fn longest_host_name() -> NameBuf {
    host_name(&"x".repeat(63))
}

/// The label of a host name that was given as `hub`, `hub.local` or `hub.local.`
pub(crate) fn host_label(name: &str) -> Result<String> {
    let label = name.strip_suffix('.').unwrap_or(name);
    let label = match label.rsplit_once('.') {
        Some((label, domain)) if domain.eq_ignore_ascii_case("local") => label,
        _ => label,
    };
    if label.is_empty()
        || label.len() > 63
        || label.contains('.')
        || label.contains(char::is_control)
    {
        return Err(Error::invalid(format!(
            "\"{name}\" is no host name: one label of 1 to 63 bytes is, with or without \".local\""
        )));
    }
    Ok(label.into())
}

/// What this computer is called, up to the first dot.
pub(crate) fn computer_name() -> String {
    let name = system_name().unwrap_or_default();
    match name.split('.').next() {
        Some(label) if !label.is_empty() => label.into(),
        _ => "computer".into(),
    }
}

#[cfg(unix)]
fn system_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok()
}

#[cfg(not(unix))]
fn system_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_may_be_given_with_and_without_its_domain() {
        for text in ["hub", "hub.local", "hub.LOCAL."] {
            assert_eq!(host_label(text).unwrap(), "hub");
        }
        for text in ["", ".local", "hub.example.org", "a\u{7}b", &"x".repeat(64)] {
            assert!(host_label(text).unwrap_err().is_invalid_input(), "{text}");
        }
    }
}
