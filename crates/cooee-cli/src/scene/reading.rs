//! What a person reads in a scene: names in order, counts, what a search finds.

use std::collections::BTreeMap;

use super::{Entry, Kind, Scene, State};
use crate::picture::{Address, Interface};
use crate::{escape, txt, types};

impl Kind {
    /// What it is called: plain words if there are some, else as on the wire.
    pub(crate) fn called(&self) -> String {
        self.title()
            .map_or_else(|| escape::text(&self.wire), str::to_owned)
    }
}

impl Entry {
    /// The links it was seen on.
    pub(crate) fn links(&self) -> &[Interface] {
        match &self.state {
            State::Whole(picture) => &picture.links,
            State::Named(named) => &named.links,
        }
    }

    /// Whether all words of a search stand somewhere in it, in any case.
    pub(crate) fn matches(&self, words: &[String]) -> bool {
        if words.is_empty() {
            return true;
        }
        let text = self.searched();
        words.iter().all(|word| text.contains(word.as_str()))
    }

    /// What is searched: names, type in both forms, host, port, addresses, attributes, links.
    fn searched(&self) -> String {
        let identity = self.identity();
        let mut parts = vec![
            String::from_utf8_lossy(&identity.instance).into_owned(),
            identity.type_wire.clone(),
            types::title(&identity.type_wire)
                .unwrap_or_default()
                .to_owned(),
        ];
        parts.extend(self.links().iter().map(|link| link.name.clone()));
        if let Some(picture) = self.picture() {
            parts.push(format!("{}:{}", picture.host, picture.port));
            parts.extend(picture.addresses.iter().map(Address::text));
            let attributes = txt::attributes(&picture.txt);
            parts.extend(
                attributes
                    .iter()
                    .map(|one| String::from_utf8_lossy(one.string).into_owned()),
            );
        }
        parts.join("\n").to_lowercase()
    }
}

/// The words of a search.
pub(crate) fn words(search: &str) -> Vec<String> {
    search
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

impl Scene {
    /// All types, those announced and those of services, with the number of services that are there; sorted by what people read.
    pub(crate) fn kinds(&self) -> Vec<(Kind, usize)> {
        let mut kinds: BTreeMap<String, (Kind, usize)> = self
            .types
            .iter()
            .map(|(key, kind)| (key.clone(), (kind.clone(), 0)))
            .collect();
        for entry in self.services.values() {
            let wire = &entry.identity().type_wire;
            let kind = || Kind {
                wire: wire.clone(),
                links: Vec::new(),
            };
            let (_, count) = kinds
                .entry(wire.to_ascii_lowercase())
                .or_insert_with(|| (kind(), 0));
            *count += usize::from(entry.gone.is_none());
        }
        let mut kinds: Vec<(Kind, usize)> = kinds.into_values().collect();
        kinds.sort_by_cached_key(|(kind, _)| {
            let shown = kind.title().map_or_else(
                || kind.wire.trim_start_matches('_').to_lowercase(),
                str::to_lowercase,
            );
            (shown, kind.wire.clone())
        });
        kinds
    }

    /// How many services are there; those that fade are not.
    pub(crate) fn count(&self) -> usize {
        self.services
            .values()
            .filter(|entry| entry.gone.is_none())
            .count()
    }
}
