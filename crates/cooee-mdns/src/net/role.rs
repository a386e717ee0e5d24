//! Which interfaces multicast DNS is spoken on when nobody says otherwise: by role, never by name or kind (ruling 25).

use super::interface::Interface;

/// Whether the default policy takes an interface, given all there are, or why not.
pub(super) fn by_role(interface: &Interface, all: &[Interface]) -> Result<(), &'static str> {
    if interface.is_loopback {
        return Err("loopback is used only when asked for");
    }
    if is_port(interface, all) {
        return Err("it is a port of a bridge or bond; that one counts");
    }
    if interface.is_point_to_point {
        return Err("it is point-to-point, such as a VPN");
    }
    if is_bridge(interface) && ports(interface, all).all(leads_to_a_guest) {
        return Err("it is a bridge to containers or virtual machines of this host");
    }
    Ok(())
}

/// Why nothing can be sent on an interface now, whatever it is for.
pub(super) fn usable(interface: &Interface) -> Result<(), &'static str> {
    if !interface.is_up {
        return Err("the interface is down");
    }
    if !interface.is_running {
        return Err("no carrier: the cable is out or the radio not connected");
    }
    // Loopback has no such flag on Linux, and carries multicasts all the same (ruling 28).
    if !interface.is_multicast && !interface.is_loopback {
        return Err("the interface carries no multicast");
    }
    if interface.addresses.is_empty() {
        return Err("the interface has no address");
    }
    if !interface.has_usable(|_| true) {
        return Err("its addresses are still being checked for duplicates, or are duplicates");
    }
    Ok(())
}

/// Belongs to a bridge, bond or team, which speaks for it. (A routing domain, `vrf`, has members too, but they speak for themselves.)
fn is_port(interface: &Interface, all: &[Interface]) -> bool {
    interface.master.is_some_and(|master| {
        let master = all.iter().find(|other| other.index == master);
        master.and_then(|master| master.kind.as_deref()) != Some("vrf")
    })
}

fn is_bridge(interface: &Interface) -> bool {
    interface.kind.as_deref() == Some("bridge")
}

fn ports<'a>(
    bridge: &Interface,
    all: &'a [Interface],
) -> impl Iterator<Item = &'a Interface> + use<'a> {
    let bridge = bridge.index;
    all.iter().filter(move |other| other.master == Some(bridge))
}

/// The host's end of a cable to a container (`veth`) or a virtual machine (`tap`, whose kind Linux calls `tun`).
fn leads_to_a_guest(port: &Interface) -> bool {
    matches!(port.kind.as_deref(), Some("veth" | "tun" | "tap"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::Ipv4Addr;

    use super::super::interface::Address;
    use super::*;

    /// An Ethernet interface that is up and has an address.
    pub(in crate::net) fn ethernet(index: u32, name: &str) -> Interface {
        let last = u8::try_from(index).unwrap();
        Interface {
            index,
            name: name.into(),
            is_up: true,
            is_running: true,
            is_loopback: false,
            is_point_to_point: false,
            is_multicast: true,
            mtu: 1500,
            kind: None,
            master: None,
            addresses: vec![Address {
                address: Ipv4Addr::new(192, 0, 2, last).into(),
                prefix_len: 24,
                is_tentative: false,
                is_deprecated: false,
            }],
        }
    }

    pub(in crate::net) fn of_kind(kind: &str, interface: Interface) -> Interface {
        Interface {
            kind: Some(kind.into()),
            ..interface
        }
    }

    pub(in crate::net) fn port_of(master: u32, interface: Interface) -> Interface {
        Interface {
            master: Some(master),
            ..interface
        }
    }

    pub(in crate::net) fn loopback() -> Interface {
        Interface {
            is_loopback: true,
            is_multicast: false,
            mtu: 65_536,
            ..ethernet(1, "lo")
        }
    }

    fn taken(all: &[Interface]) -> Vec<&str> {
        let taken = all.iter().filter(|i| by_role(i, all).is_ok());
        taken.map(|i| i.name.as_str()).collect()
    }

    // ruling 25
    #[test]
    fn ports_container_bridges_vpns_and_loopback_are_left_out() {
        // Ruling 25
        let all = [
            loopback(),
            ethernet(2, "eth0"),
            of_kind("bridge", ethernet(3, "docker0")),
            port_of(3, of_kind("veth", ethernet(4, "veth12ab"))),
            of_kind("bridge", ethernet(5, "virbr0")),
            port_of(5, of_kind("tun", ethernet(6, "vnet0"))),
            Interface {
                is_point_to_point: true,
                ..of_kind("wireguard", ethernet(7, "wg0"))
            },
            of_kind("bridge", ethernet(8, "docker1")),
            ethernet(9, "wlan0"),
        ];
        assert_eq!(taken(&all), ["eth0", "wlan0"]);
    }

    // ruling 25
    #[test]
    fn a_bridge_with_a_physical_port_counts_and_the_port_does_not() {
        let all = [
            of_kind("bridge", ethernet(3, "br0")),
            port_of(3, ethernet(2, "eth0")),
            port_of(3, of_kind("tun", ethernet(6, "vnet0"))),
        ];
        assert_eq!(taken(&all), ["br0"]);
    }

    // ruling 25
    #[test]
    fn inside_a_container_a_veth_is_ethernet() {
        let all = [loopback(), of_kind("veth", ethernet(2, "eth0"))];
        assert_eq!(taken(&all), ["eth0"]);
    }

    #[test]
    fn a_member_of_a_routing_domain_speaks_for_itself() {
        let all = [
            of_kind("vrf", ethernet(3, "blue")),
            port_of(3, ethernet(2, "eth0")),
        ];
        assert!(taken(&all).contains(&"eth0"));
    }

    #[test]
    fn an_interface_is_usable_when_it_is_up_connected_and_has_a_checked_address() {
        let eth0 = || ethernet(2, "eth0");
        let tentative = |mut i: Interface| {
            i.addresses[0].is_tentative = true;
            i
        };
        assert_eq!(usable(&eth0()), Ok(()));
        assert_eq!(usable(&loopback()), Ok(()));
        let unusable = [
            Interface {
                is_up: false,
                ..eth0()
            },
            Interface {
                is_running: false,
                ..eth0()
            },
            Interface {
                is_multicast: false,
                ..eth0()
            },
            Interface {
                addresses: vec![],
                ..eth0()
            },
            tentative(eth0()),
        ];
        for interface in unusable {
            assert!(usable(&interface).is_err(), "{interface:?}");
        }
    }
}
