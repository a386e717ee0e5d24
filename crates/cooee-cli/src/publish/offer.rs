//! One service to publish, whoever described it: the command line or a file.

use std::net::IpAddr;

use cooee::{InstanceName, Service, TxtAttributes, TxtError};

use crate::{escape, interfaces, type_arg};

/// What is to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The instance name.
    pub(crate) name: Vec<u8>,
    /// `_http._tcp`
    pub(crate) kind: String,
    /// `_printer`
    pub(crate) subtypes: Vec<String>,
    /// Where it listens; 0 for a name that is only kept.
    pub(crate) port: u16,
    /// Lower is preferred.
    pub(crate) priority: u16,
    /// The share among those of one priority.
    pub(crate) weight: u16,
    /// Seconds.
    pub(crate) ttl: Option<u32>,
    /// The strings of the TXT record, in their order.
    pub(crate) txt: Vec<Vec<u8>>,
    /// Only on these.
    pub(crate) interfaces: Vec<String>,
    /// Another host than this one.
    pub(crate) host: Option<String>,
    /// The addresses of that host, if it is published too.
    pub(crate) addresses: Vec<IpAddr>,
    /// Fail if the name is taken.
    pub(crate) no_rename: bool,
}

impl Offer {
    /// The same for the library, without its host.
    ///
    /// # Errors
    ///
    /// One sentence: what is wrong, and what is allowed.
    pub(crate) fn service(&self) -> Result<Service, String> {
        type_arg::check_publishable(&self.kind)?;
        let instance = InstanceName::from_bytes(&self.name).map_err(|error| error.to_string())?;
        let kind = self.kind.as_str();
        let service = match self.port {
            0 => Service::placeholder(instance, kind),
            port => Service::new(instance, kind, port),
        };
        let mut service = service
            .map_err(|error| error.to_string())?
            .attributes(attributes(&self.txt)?)
            .priority(self.priority)
            .weight(self.weight);
        if let Some(ttl) = self.ttl {
            service = service.ttl(ttl);
        }
        for subtype in &self.subtypes {
            service = service.subtype(subtype);
        }
        if self.no_rename {
            service = service.never_rename();
        }
        if !self.interfaces.is_empty() {
            service = service.links(interfaces::links(&self.interfaces, &[]));
        }
        service.check().map_err(|error| error.to_string())?;
        Ok(service)
    }

    /// `Keith’s web server._http._tcp`, folded: two of them cannot both be had.
    pub(crate) fn identity(&self) -> (Vec<u8>, String) {
        (
            self.name.to_ascii_lowercase(),
            self.kind.to_ascii_lowercase(),
        )
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        format!(
            "{} {}",
            escape::octets(&self.name),
            escape::text(&self.kind)
        )
    }
}

fn attributes(strings: &[Vec<u8>]) -> Result<TxtAttributes, String> {
    let mut attributes = TxtAttributes::new();
    for string in strings {
        let equals = string.iter().position(|octet| *octet == b'=');
        let (key, value) = match equals {
            Some(at) => (string.get(..at).unwrap_or_default(), string.get(at + 1..)),
            None => (string.as_slice(), None),
        };
        let shown = escape::octets(string);
        let key = str::from_utf8(key).map_err(|_| {
            format!("'{shown}' has a key that is not text: printable ASCII but '=' is allowed")
        })?;
        if attributes.contains(key) {
            return Err(format!(
                "the key '{}' is given twice: only the first would count (case makes no difference)",
                escape::text(key)
            ));
        }
        let set = match value {
            Some(value) => attributes.set(key, value),
            None => attributes.set_flag(key),
        };
        set.map_err(|error| match error {
            // Nobody wants to read all of it again.
            TxtError::TooLong { len, .. } => format!(
                "the attribute '{}' has {len} bytes with its key: at most 255 fit",
                escape::text(key)
            ),
            error => format!("'{shown}' is no attribute: {error}"),
        })?;
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_refused_for_what_no_record_can_say() {
        let web = Offer {
            name: b"Web".to_vec(),
            kind: "_http._tcp".into(),
            port: 80,
            txt: vec![b"path=/".to_vec(), b"flag".to_vec()],
            ..Offer::default()
        };
        web.service().unwrap();
        let refused = |offer: Offer| offer.service().unwrap_err();
        let twice = Offer {
            txt: vec![b"a=1".to_vec(), b"A".to_vec()],
            ..web.clone()
        };
        assert!(refused(twice).contains("given twice"));
        let control = Offer {
            name: b"a\nb".to_vec(),
            ..web.clone()
        };
        assert!(refused(control).contains("control"));
        let kind = Offer {
            kind: "_under_score._tcp".into(),
            ..web.clone()
        };
        assert!(refused(kind).contains("letters, digits"));
        Offer { port: 0, ..web }.service().unwrap();
    }
}
