//! Packets from the links, as they come.

use std::net::IpAddr;

use cooee::{Families, Tap, Zeroconf};

use super::packet::Packet;
use crate::failure::Failure;
use crate::interfaces::{self, Present};
use crate::output::plain;
use crate::session::{self, Session};

/// Listens on links. It sends nothing.
#[derive(Debug)]
pub(crate) struct Live {
    tap: Tap,
}

impl Live {
    /// Opens the sockets on the links that were chosen.
    ///
    /// # Errors
    ///
    /// An interface that is not there, or sockets that cannot be had.
    pub(crate) fn open(session: &Session, families: Families) -> Result<Self, Failure> {
        let environment = std::env::var(interfaces::ENVIRONMENT).ok();
        let named = interfaces::named(&session.common, environment.as_deref());
        let links = interfaces::links(&named, &session.common.exclude_interface);
        let tap = Zeroconf::builder().links(links).families(families).tap();
        let live = Self {
            tap: tap.map_err(|error| session::failure(&error))?,
        };
        interfaces::check(&named, &live.present())?;
        Ok(live)
    }

    /// The interfaces of this machine, for messages.
    pub(crate) fn present(&self) -> Vec<Present> {
        self.tap.links().iter().map(Present::from).collect()
    }

    /// The addresses of this machine.
    pub(crate) fn own_addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let links = self.tap.links().iter();
        links.flat_map(|link| link.addresses().iter().map(|address| address.address))
    }

    /// Waits for the next packet, and how many the system has lost before it. Cancel safe.
    ///
    /// # Errors
    ///
    /// If nothing can be received any more.
    pub(crate) async fn next(&mut self, session: &Session) -> Result<(Packet, u32), Failure> {
        match self.tap.next().await {
            Ok(heard) => {
                let lost = heard.lost;
                Ok((Packet::heard(heard, session.now()), lost))
            }
            Err(error) => Err(Failure::trouble(format!(
                "cannot receive any more: {}",
                plain(&error)
            ))),
        }
    }
}
