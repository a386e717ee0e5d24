//! Listening without speaking: every datagram of multicast DNS on the links, as it came.

use std::collections::BTreeSet;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use super::joining::join;
use super::link::Link;
use super::links::Links;
use super::reopening::Reopening;
use super::select::select;
use super::socket::Received;
use super::world::World;
use super::{PORT, group};
use crate::Family;

/// The largest datagram there is: what is wrong with one that is too long is for the listener to say.
const INBOX: usize = 65_535;

/// Errors of the socket in a row, after which it is given up.
const MOST_ERRORS: u32 = 1_000;

/// Hears what is said on the links. It sends nothing, asks nothing and takes no unicast that another program of this host waits for.
///
/// Unicasts between other hosts do not come to it, nor do fragments and frames: that needs the rights of a packet capture.
///
/// ```no_run
/// use cooee_mdns::net::Builder;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut tap = Builder::new().links("eth*").tap()?;
/// loop {
///     let heard = tap.next().await?;
///     println!("{} octets from {} on {}", heard.payload.len(), heard.source, heard.link.name());
/// }
/// # }
/// ```
#[must_use = "it hears only while it is polled"]
pub struct Tap {
    world: Box<dyn World>,
    wanted: Links,
    /// Every link of the machine, as last seen.
    links: Vec<Link>,
    joined: BTreeSet<(u32, Family)>,
    /// A family whose port is held.
    reopening: Option<Reopening>,
    inbox: Vec<u8>,
    errors: u32,
    /// The kernel's count at the last datagram of each family.
    lost: [u32; 2],
}

/// A datagram that was heard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Heard {
    /// The link it came in on, as it was then.
    pub link: Link,
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom: a group, or an address of this host; always to port 5353.
    pub destination: SocketAddr,
    /// Its TTL or hop limit, where the system tells.
    pub hop_limit: Option<u8>,
    /// The UDP payload.
    pub payload: Vec<u8>,
    /// How many datagrams before this one were thrown away by the system because they came too fast, where it tells.
    pub lost: u32,
}

impl Tap {
    /// Listens in a world, on the links that are wanted.
    pub(super) fn new(mut world: impl World, wanted: Links) -> Self {
        let now = world.now();
        let missing = world.missing();
        let mut tap = Self {
            reopening: missing.and_then(|(family, error)| Reopening::after(now, family, &error)),
            world: Box::new(world),
            wanted,
            links: Vec::new(),
            joined: BTreeSet::new(),
            inbox: vec![0; INBOX],
            errors: 0,
            lost: [0; 2],
        };
        tap.look_at_interfaces();
        tap
    }

    /// All links of the machine, used or not, as they are now.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Waits for the next datagram. Links that come, go or change meanwhile are followed.
    ///
    /// # Errors
    ///
    /// If nothing can be received any more.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn next(&mut self) -> io::Result<Heard> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next), for those who poll.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        loop {
            // After a sleep the news of the kernel may be incomplete.
            let has_slept: Option<Duration> = self.world.slept();
            if has_slept.is_some() || self.world.poll_interfaces(cx).is_ready() {
                self.look_at_interfaces();
                continue;
            }
            let retry = self.reopening.as_ref().map(|reopening| reopening.at);
            if self.world.poll_deadline(cx, retry).is_ready() {
                let (now, world) = (self.world.now(), &mut *self.world);
                if self
                    .reopening
                    .take_if(|held| held.retry(now, world))
                    .is_some()
                {
                    self.look_at_interfaces();
                }
                continue;
            }
            match self.world.poll_receive(cx, &mut self.inbox) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(received)) => {
                    self.errors = 0;
                    if let Some(heard) = self.receive(received) {
                        return Poll::Ready(Ok(heard));
                    }
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(target: "cooee_mdns", %error, "cannot receive");
                    self.errors += 1;
                    if self.errors >= MOST_ERRORS {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
    }

    fn receive(&mut self, received: Received) -> Option<Heard> {
        let destination = received.destination;
        let family = Family::of(destination);
        let lost = self.newly_lost(family, received.lost);
        // Membership does not filter: what was joined on one link, by anybody, is heard of all.
        let links = self.links.iter();
        let link = links
            .filter(|link| link.is_in_use())
            .find(|link| link.index() == received.index)?;
        // Another group that somebody on this host has joined.
        if destination.is_multicast() && destination != group(family) {
            return None;
        }
        let payload = self.inbox.get(..received.len).unwrap_or_default();
        Some(Heard {
            link: link.clone(),
            source: received.source,
            destination: SocketAddr::new(destination, PORT),
            hop_limit: received.hop_limit,
            payload: payload.to_vec(),
            lost,
        })
    }

    fn newly_lost(&mut self, family: Family, count: Option<u32>) -> u32 {
        let [v4, v6] = &mut self.lost;
        let before = match family {
            Family::V4 => v4,
            Family::V6 => v6,
        };
        let now = count.unwrap_or(*before);
        let lost = now.wrapping_sub(*before);
        *before = now;
        lost
    }

    fn look_at_interfaces(&mut self) {
        let interfaces = self.world.interfaces();
        let mut links = select(&interfaces, &self.wanted, |family| self.world.has(family));
        let mut wanted = BTreeSet::new();
        for link in &mut links {
            // Its status says what went wrong.
            let _ = join(&mut *self.world, link);
            wanted.extend(link.families().iter().map(|family| (link.index(), *family)));
        }
        for (index, family) in self.joined.difference(&wanted) {
            self.world.leave(*index, *family);
        }
        self.joined = wanted;
        self.links = links;
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("wanted", &self.wanted)
            .field("joined", &self.joined)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::driver::testbed::Host;
    use super::super::role::tests::{ethernet, loopback};
    use super::*;

    const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));
    const SENDER: &str = "192.0.2.77:5353";

    fn next(tap: &mut Tap) -> Option<(String, Vec<u8>)> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match tap.poll_next(&mut cx) {
            Poll::Ready(heard) => {
                let heard = heard.unwrap();
                Some((heard.link.name().to_owned(), heard.payload))
            }
            Poll::Pending => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_on_a_chosen_link_is_heard_and_nothing_is_sent() {
        let host = Host::with([loopback(), ethernet(2, "eth0"), ethernet(3, "eth1")]);
        let mut tap = Tap::new(host.world(), Links::from("eth0"));
        assert_eq!(host.joined(), [(2, Family::V4)]);
        let from = SENDER.parse().unwrap();
        host.hear(3, from, GROUP, b"another link");
        host.hear(
            2,
            from,
            Ipv4Addr::new(224, 0, 0, 1).into(),
            b"another group",
        );
        host.hear(2, from, GROUP, b"for us");
        assert_eq!(next(&mut tap), Some(("eth0".into(), b"for us".to_vec())));
        assert_eq!(next(&mut tap), None);
        assert!(host.sent().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn links_are_followed_as_they_come_and_go() {
        let host = Host::with([ethernet(2, "eth0")]);
        let mut tap = Tap::new(host.world(), Links::default());
        host.change(|interfaces| *interfaces = vec![ethernet(3, "eth1")]);
        assert_eq!(next(&mut tap), None);
        assert_eq!(host.joined(), [(3, Family::V4)]);
        let from = SENDER.parse().unwrap();
        host.hear(2, from, GROUP, b"gone");
        host.hear(3, from, GROUP, b"new");
        assert_eq!(next(&mut tap), Some(("eth1".into(), b"new".to_vec())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_family_whose_port_is_held_is_heard_as_soon_as_it_is_free() {
        let host = Host::with([ethernet(2, "eth0")]);
        host.lock().holds_port = vec![Family::V4];
        let mut tap = Tap::new(host.world(), Links::default());
        assert_eq!(next(&mut tap), None);
        assert!(!tap.links()[0].is_in_use());
        host.lock().holds_port.clear();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(next(&mut tap), None);
        assert_eq!(host.joined(), [(2, Family::V4)]);
        host.hear(2, SENDER.parse().unwrap(), GROUP, b"hello");
        assert_eq!(next(&mut tap), Some(("eth0".into(), b"hello".to_vec())));
    }

    #[tokio::test(start_paused = true)]
    async fn one_error_of_the_socket_ends_nothing() {
        let host = Host::with([ethernet(2, "eth0")]);
        let mut tap = Tap::new(host.world(), Links::default());
        host.lock().receive_error = Some(io::ErrorKind::InvalidData.into());
        host.hear(2, SENDER.parse().unwrap(), GROUP, b"after");
        assert_eq!(next(&mut tap), Some(("eth0".into(), b"after".to_vec())));
    }
}
