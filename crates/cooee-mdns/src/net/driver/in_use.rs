//! The links in use: brought up, kept true, taken down.

use std::io;
use std::net::IpAddr;

use super::super::driven::{Driven, NetworkEvent};
use super::super::interface::Interface;
use super::super::joining::join;
use super::super::link::{Link, LinkStatus};
use super::super::role::usable;
use super::super::select::{explicit_source, select};
use super::super::world::World;
use super::Driver;
use crate::{Family, Instant, LinkId, LinkInfo};

/// What is known of a link in use.
pub(super) struct LinkState {
    pub(super) info: LinkInfo,
    pub(super) families: Vec<Family>,
    /// The source for IPv4, where the kernel does not find it.
    pub(super) source: Option<IpAddr>,
    /// Multicasts refused since the last that left.
    pub(super) failures: u32,
    /// Why it cannot be used although it should be.
    pub(super) failure: Option<String>,
    /// When it is tried again though nothing has happened to it.
    pub(super) retry_at: Option<Instant>,
}

impl<N: Driven, W: World> Driver<N, W> {
    /// Looks at all interfaces anew, and tells the engine and the node what is different.
    pub(super) fn look_at_interfaces(&mut self, now: Instant) {
        let interfaces = self.world.interfaces();
        self.own_addresses = interfaces
            .iter()
            .flat_map(|interface| interface.addresses.iter().map(|a| a.address))
            .collect();
        self.own_addresses.sort_unstable();

        let mut links = select(&interfaces, &self.wanted, |family| self.world.has(family));
        let mut failed = Vec::new();
        for link in &mut links {
            let old = self.in_use.get(&link.index());
            // Whatever happened to the interface may have mended it.
            let is_same = self
                .links
                .iter()
                .any(|known| known.interface() == link.interface());
            if let Some(state) = old
                && let Some(why) = &state.failure
                && state.failures > 0
                && is_same
                && link.is_in_use()
            {
                let families = link.families().to_vec();
                *link = link.with_status(LinkStatus::Unusable(why.clone()), families);
            } else if let Err(error) = join(&mut self.world, link) {
                failed.push((link.clone(), error));
            }
        }

        let before: Vec<Link> = std::mem::replace(&mut self.links, links.clone());
        if before != links {
            for link in &links {
                if !before.contains(link) {
                    tracing::debug!(target: "cooee_mdns", link = link.name(), index = link.index(), status = %link.status(), "link");
                }
            }
            let _ = self.links_told.send_replace(links.clone());
            let told = NetworkEvent::Links(links.clone());
            self.node.handle_network(now, &told);
        }
        let had_links = !self.in_use.is_empty();
        self.take_down_all_but(now, &links, &before);
        for link in &links {
            self.bring_up_to_date(now, link);
        }
        // Joining is tried at every look, and told once.
        failed.retain(|(link, _)| !before.contains(link));
        for (link, error) in failed {
            let told = NetworkEvent::LinkFailed { link, error };
            self.node.handle_network(now, &told);
        }
        if had_links && self.in_use.is_empty() {
            self.tell_no_link(now);
        }
    }

    /// Gives links that refused to send another chance: not all that mends them, such as a new rule of a packet filter, is told by the kernel.
    pub(super) fn retry_links(&mut self, now: Instant) {
        let mut is_due = false;
        for state in self.in_use.values_mut() {
            if state.retry_at.is_some_and(|at| at <= now) {
                state.retry_at = None;
                state.failures = 0;
                is_due = true;
            }
        }
        if is_due {
            self.look_at_interfaces(now);
        }
    }

    fn take_down_all_but(&mut self, now: Instant, links: &[Link], before: &[Link]) {
        let speaks = |index| {
            links
                .iter()
                .any(|l| l.index() == index && !l.families().is_empty())
        };
        let gone: Vec<u32> = self
            .in_use
            .keys()
            .copied()
            .filter(|&i| !speaks(i))
            .collect();
        for index in gone {
            // It would work, but nobody wants it any more: those on it are told.
            let is_deselected = links.iter().any(|link| {
                link.index() == index
                    && matches!(link.status(), LinkStatus::LeftOut(_))
                    && usable(link.interface()).is_ok()
            });
            if is_deselected {
                self.node.engine().leave_link(now, LinkId(index));
                self.send_hurried(now);
            }
            let Some(state) = self.in_use.remove(&index) else {
                continue;
            };
            for family in state.families {
                self.world.leave(index, family);
            }
            self.pacing.forget(LinkId(index));
            self.node.engine().link_down(now, LinkId(index));
            let known = links.iter().chain(before).find(|l| l.index() == index);
            if let Some(link) = known {
                tracing::info!(target: "cooee_mdns", link = link.name(), index, status = %link.status(), "link down");
                let told = NetworkEvent::LinkDown(link.clone());
                self.node.handle_network(now, &told);
            }
        }
    }

    fn bring_up_to_date(&mut self, now: Instant, link: &Link) {
        if link.families().is_empty() {
            return;
        }
        let index = link.index();
        let info = self.info(link);
        let source = explicit_source(link.interface(), Family::V4);
        match self.in_use.get_mut(&index) {
            None => {
                tracing::info!(target: "cooee_mdns", link = link.name(), index, families = ?link.families(), "link up");
                self.in_use.insert(
                    index,
                    LinkState {
                        info: info.clone(),
                        families: link.families().to_vec(),
                        source,
                        failures: 0,
                        failure: None,
                        retry_at: None,
                    },
                );
                self.node.engine().link_up(now, link.id(), info);
                let told = NetworkEvent::LinkUp(link.clone());
                self.node.handle_network(now, &told);
            }
            Some(state) => {
                for &family in &state.families {
                    if !link.families().contains(&family) {
                        self.world.leave(index, family);
                    }
                }
                state.families = link.families().to_vec();
                state.source = source;
                // The engine has given the link up until something happens to it (ruling 26).
                let is_mended = link.is_in_use() && state.failure.take().is_some();
                if state.info != info || is_mended {
                    tracing::debug!(target: "cooee_mdns", link = link.name(), index, ?info, "link changed");
                    state.info = info.clone();
                    state.failures = 0;
                    state.retry_at = None;
                    self.node.engine().link_changed(now, link.id(), info);
                }
            }
        }
    }

    pub(super) fn tell_failed(&mut self, now: Instant, index: u32, error: io::Error) {
        let failed = self.links.iter().find(|link| link.index() == index);
        if let Some(link) = failed.cloned() {
            tracing::warn!(target: "cooee_mdns", link = link.name(), index, %error, "link cannot be used");
            let told = NetworkEvent::LinkFailed { link, error };
            self.node.handle_network(now, &told);
        }
    }

    pub(super) fn tell_no_link(&mut self, now: Instant) {
        tracing::info!(target: "cooee_mdns", "no link is in use");
        self.node.handle_network(now, &NetworkEvent::NoLink);
    }

    /// What the engine is told of a link.
    fn info(&self, link: &Link) -> LinkInfo {
        let Interface { mtu, .. } = *link.interface();
        let interface = link.interface();
        let known = interface.addresses.iter().zip(link.addresses());
        let addresses = known.map(|(told, &address)| {
            let is_hidden = self
                .published
                .as_ref()
                .is_some_and(|keep| !keep(link, address.address))
                || interface.is_superseded(told);
            // Not to be published, but known as ours: what the engine is used to of an address that is not checked yet.
            let mut address = address;
            address.tentative |= is_hidden;
            address
        });
        let mut info = LinkInfo::new(addresses);
        info.ipv4 = link.families().contains(&Family::V4);
        info.ipv6 = link.families().contains(&Family::V6);
        info.unicast_reliable = !self.is_port_shared;
        if mtu > 0 {
            info.mtu = mtu;
        }
        info
    }
}
