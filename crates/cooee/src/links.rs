//! What is known of the machine's links.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) use cooee_mdns::net::Link;

use crate::address::ScopedAddr;

/// How many links that are gone are remembered, so that what was seen on them can still be told by name.
const GONE_LINKS: usize = 64;

/// The links by interface index. A clone costs one reference count.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkTable {
    links: Arc<BTreeMap<u32, Link>>,
    /// The present ones, as the system lists them.
    present: Arc<[Link]>,
}

impl LinkTable {
    /// The table after the links have changed.
    pub(crate) fn updated(&self, present: Vec<Link>) -> Self {
        let mut links: BTreeMap<_, _> = present
            .iter()
            .map(|link| (link.index(), link.clone()))
            .collect();
        let gone = self
            .links
            .iter()
            .rev()
            .filter(|(index, _)| present.iter().all(|link| link.index() != **index))
            .take(GONE_LINKS);
        links.extend(gone.map(|(&index, link)| (index, link.clone())));
        Self {
            links: links.into(),
            present: present.into(),
        }
    }

    pub(crate) fn present(&self) -> &[Link] {
        &self.present
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Link> {
        self.links.get(&index)
    }

    /// Whether a link was there not long ago, and is used no more.
    pub(crate) fn is_gone(&self, index: u32) -> bool {
        let is_it = |link: &Link| link.index() == index && link.is_in_use();
        self.links.contains_key(&index) && !self.present.iter().any(is_it)
    }

    /// Those of the links with these indices that are known.
    pub(crate) fn select(&self, indices: impl IntoIterator<Item = u32>) -> Box<[Link]> {
        indices
            .into_iter()
            .filter_map(|index| self.get(index).cloned())
            .collect()
    }

    pub(crate) fn scoped(&self, ip: IpAddr, index: u32) -> ScopedAddr {
        let address = ScopedAddr::new(ip, index);
        match self.get(index) {
            Some(link) => address.on_interface(link.name()),
            None => address,
        }
    }
}
