//! What of a service stands in its records.

use cooee_sd::{ServiceName, ServiceRecords, Subtype, TxtAttributes};
use cooee_wire::NameBuf;

/// What of a service can be changed while it is up.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// 0 for a placeholder only.
    pub(crate) port: u16,
    pub(crate) is_placeholder: bool,
    pub(crate) priority: u16,
    pub(crate) weight: u16,
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
        records
            .txt(self.txt.clone())
            .priority(self.priority)
            .weight(self.weight)
    }
}

/// The name `label.local`. A label that is none is cut to one.
pub(crate) fn host_name(label: &str) -> NameBuf {
    let mut octets = label.as_bytes();
    octets = octets.get(..63).unwrap_or(octets);
    let octets = if octets.is_empty() { b"cooee" } else { octets };
    NameBuf::from_labels([octets, b"local"]).expect("two labels of at most 63 octets are a name")
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
