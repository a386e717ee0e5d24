//! Where the driver learns which interfaces there are, and when that changes.

use std::io;
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};
use tokio::time::{Instant, Sleep};

use super::interface::{Address, Interface};

/// A list of interfaces that keeps itself true. One for each kind of system.
pub(super) trait InterfaceSource: Send {
    /// Ready each time the list is different from before; waits otherwise.
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Looks again without being told to, as after the machine has slept.
    fn look_again(&mut self);

    /// The list as it stands, by index.
    fn interfaces(&self) -> Vec<Interface>;
}

/// The best source that this system has.
///
/// # Errors
///
/// If the system does not tell at all.
pub(super) fn open() -> io::Result<Box<dyn InterfaceSource>> {
    #[cfg(target_os = "linux")]
    match super::netlink_source::NetlinkSource::open() {
        Ok(source) => return Ok(Box::new(source)),
        Err(error) => {
            tracing::warn!(target: "cooee_mdns", %error, "no notification of interface changes, looking every few seconds");
        }
    }
    Ok(Box::new(PolledSource::open()?))
}

/// How often a system is asked that does not tell by itself.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// The interfaces by `getifaddrs`, for systems whose notifications we do not read. It knows no MTU, kind or master, and learns of changes
/// late.
///
/// Run on Linux only, in tests and where netlink is forbidden; on other systems it is compiled at most.
struct PolledSource {
    interfaces: Vec<Interface>,
    next_look: Pin<Box<Sleep>>,
}

impl PolledSource {
    fn open() -> io::Result<Self> {
        Ok(Self {
            interfaces: snapshot()?,
            next_look: Box::pin(tokio::time::sleep(LOOK_INTERVAL)),
        })
    }
}

impl InterfaceSource for PolledSource {
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.next_look.as_mut().poll(cx).is_ready() {
            self.next_look
                .as_mut()
                .reset(Instant::now() + LOOK_INTERVAL);
            // A look that fails leaves what was seen.
            if let Ok(interfaces) = snapshot()
                && interfaces != self.interfaces
            {
                self.interfaces = interfaces;
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    fn look_again(&mut self) {
        self.next_look.as_mut().reset(Instant::now());
    }

    fn interfaces(&self) -> Vec<Interface> {
        self.interfaces.clone()
    }
}

/// All interfaces with their addresses, by index.
fn snapshot() -> io::Result<Vec<Interface>> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for entry in getifaddrs()? {
        // One that goes while we look has no index any more.
        let Ok(index) = if_nametoindex(entry.interface_name.as_str()) else {
            continue;
        };
        let has = |flag| entry.flags.contains(flag);
        let at = match interfaces.iter().position(|i| i.index == index) {
            Some(at) => at,
            None => {
                interfaces.push(Interface {
                    index,
                    name: entry.interface_name.clone(),
                    is_up: has(InterfaceFlags::IFF_UP),
                    is_running: has(InterfaceFlags::IFF_RUNNING),
                    is_loopback: has(InterfaceFlags::IFF_LOOPBACK),
                    is_point_to_point: has(InterfaceFlags::IFF_POINTOPOINT),
                    is_multicast: has(InterfaceFlags::IFF_MULTICAST),
                    mtu: UNKNOWN_MTU,
                    kind: None,
                    master: None,
                    addresses: Vec::new(),
                });
                interfaces.len() - 1
            }
        };
        let address = entry.address.as_ref().and_then(|address| {
            let v4 = address.as_sockaddr_in();
            let v6 = address.as_sockaddr_in6();
            v4.map(|a| IpAddr::from(*SocketAddrV4::from(*a).ip()))
                .or_else(|| v6.map(|a| IpAddr::from(*SocketAddrV6::from(*a).ip())))
        });
        let prefix_len = entry.netmask.as_ref().and_then(|mask| {
            let v4 = mask.as_sockaddr_in();
            let v6 = mask.as_sockaddr_in6();
            v4.map(|m| SocketAddrV4::from(*m).ip().to_bits().leading_ones())
                .or_else(|| v6.map(|m| SocketAddrV6::from(*m).ip().to_bits().leading_ones()))
        });
        if let Some(address) = address
            && let Some(interface) = interfaces.get_mut(at)
        {
            let whole = if address.is_ipv4() { 32 } else { 128 };
            interface.addresses.push(Address {
                address,
                prefix_len: prefix_len.and_then(|n| n.try_into().ok()).unwrap_or(whole),
                is_tentative: false,
                is_deprecated: false,
            });
        }
    }
    interfaces.sort_by_key(|interface| interface.index);
    Ok(interfaces)
}

/// What Ethernet has; the engine takes no more than this in any case (ruling 13).
const UNKNOWN_MTU: u32 = 1500;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::net::StartError;

    #[test]
    fn a_runtime_without_timers_is_told_and_nothing_panics() {
        let bare = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let _inside = bare.enter();
        let opened = super::super::system::in_runtime(PolledSource::open);
        assert!(matches!(opened, Err(StartError::NoRuntime)));
    }

    #[tokio::test]
    async fn both_sources_of_interfaces_agree() {
        let Ok(netlink) = super::super::netlink_source::NetlinkSource::open() else {
            println!("skipped: netlink is not allowed here");
            return;
        };
        // What getifaddrs does not tell is left out of the comparison.
        let comparable = |interfaces: Vec<Interface>| -> Vec<Interface> {
            let reduce = |i: Interface| {
                let mut addresses = i.addresses;
                addresses.sort_by_key(|a| a.address);
                for address in &mut addresses {
                    address.is_tentative = false;
                    address.is_deprecated = false;
                }
                Interface {
                    kind: None,
                    master: None,
                    mtu: 0,
                    addresses,
                    ..i
                }
            };
            interfaces.into_iter().map(reduce).collect()
        };
        assert_eq!(
            comparable(netlink.interfaces()),
            comparable(snapshot().unwrap())
        );
    }
}
