//! The groups of a link are joined.

use std::io;

use super::link::{Link, LinkStatus};
use super::world::World;

/// Joins the groups of a link in its families. A family that cannot be joined is left out; if that is all of them, the link is unusable, and this is why.
pub(super) fn join(world: &mut (impl World + ?Sized), link: &mut Link) -> io::Result<()> {
    let mut joined = Vec::new();
    let mut refused = None;
    for &family in link.families() {
        match world.join(link.index(), family) {
            Ok(()) => joined.push(family),
            Err(error) => {
                tracing::debug!(target: "cooee_mdns", link = link.name(), ?family, %error, "cannot join");
                refused = Some(error);
            }
        }
    }
    let Some(error) = refused else {
        return Ok(());
    };
    if joined.is_empty() {
        let why = format!("cannot join the multicast group: {error}");
        *link = link.with_status(LinkStatus::Unusable(why), joined);
        return Err(error);
    }
    *link = link.with_status(LinkStatus::InUse, joined);
    Ok(())
}
