//! Interfaces by Linux's route netlink: the kernel tells of every change, unprivileged.

use std::convert::Infallible;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixDatagram as StdUnixDatagram;
use std::task::{Context, Poll, ready};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, sendto,
    socket,
};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use super::interface::Interface;
use super::interface_source::InterfaceSource;
use super::interface_table::InterfaceTable;
use super::netlink::{self, Question, Told};

/// The kernel fills at most half of it in one go.
const BUFFER: usize = 1 << 16;

/// A list that is interrupted by changes each time is given up after so many attempts.
const DUMPS_IN_A_ROW: usize = 4;

/// The kernel's own address.
const KERNEL: u32 = 0;

pub(super) struct NetlinkSource {
    /// A netlink socket: tokio has no type of that name, but waits for any datagram socket of the machine alike.
    socket: UnixDatagram,
    reader: Reader,
    reported: Vec<Interface>,
}

/// Asks for dumps and follows what is told.
struct Reader {
    netlink: RawFd,
    dump: Dump,
    /// The list went out of step and has to be read anew when the present dump is through.
    is_stale: bool,
    sequence: u32,
    /// What is true, as far as is known.
    table: InterfaceTable,
    /// What is being built by a dump, and takes the place of `table` at its end.
    fresh: InterfaceTable,
    buffer: Vec<u8>,
}

/// The kernel does one dump at a time on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dump {
    None,
    Links,
    Addresses,
}

impl NetlinkSource {
    /// Subscribes, then reads what there is now.
    pub(super) fn open() -> io::Result<Self> {
        // Subscribed before the first dump: what changes meanwhile is told, not lost.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let netlink: OwnedFd = socket(
            AddressFamily::Netlink,
            SockType::Datagram,
            flags,
            SockProtocol::NetlinkRoute,
        )?;
        bind(netlink.as_raw_fd(), &NetlinkAddr::new(0, netlink::GROUPS))?;
        let mut reader = Reader {
            netlink: netlink.as_raw_fd(),
            dump: Dump::None,
            is_stale: true,
            sequence: 0,
            table: InterfaceTable::default(),
            fresh: InterfaceTable::default(),
            buffer: vec![0; BUFFER],
        };
        let socket = UnixDatagram::from_std(StdUnixDatagram::from(netlink))?;
        // The kernel composes a dump while it is read, so all of it is there at once.
        reader.read_all()?;
        if reader.dump != Dump::None || reader.is_stale {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self {
            socket,
            reported: reader.table.interfaces(),
            reader,
        })
    }
}

impl InterfaceSource for NetlinkSource {
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // An error of the descriptor itself leaves us with what we know.
            if ready!(self.socket.poll_recv_ready(cx)).is_err() {
                return Poll::Pending;
            }
            let reader = &mut self.reader;
            let end = self
                .socket
                .try_io(Interest::READABLE, || match reader.read_all() {
                    // All was read: readiness is to be forgotten.
                    Ok(()) => Err::<Infallible, _>(io::ErrorKind::WouldBlock.into()),
                    Err(error) => Err(error),
                });
            if let Err(error) = end
                && error.kind() != io::ErrorKind::WouldBlock
            {
                tracing::warn!(target: "cooee_mdns", %error, "cannot read interface changes");
            }
            if self.reader.dump == Dump::None {
                let interfaces = self.reader.table.interfaces();
                if interfaces != self.reported {
                    self.reported = interfaces;
                    return Poll::Ready(());
                }
            }
        }
    }

    fn look_again(&mut self) {
        self.reader.is_stale = true;
        if let Err(error) = self.reader.read_all() {
            tracing::warn!(target: "cooee_mdns", %error, "cannot read the interfaces");
        }
        // Who asks us to look reads the list afterwards.
        self.reported = self.reader.table.interfaces();
    }

    fn interfaces(&self) -> Vec<Interface> {
        self.reader.table.interfaces()
    }
}

impl Reader {
    /// Reads until nothing is left, and then once more from the start if something was lost.
    fn read_all(&mut self) -> io::Result<()> {
        for _ in 0..=DUMPS_IN_A_ROW {
            while self.read_one()? {}
            if !self.is_stale || self.dump != Dump::None {
                return Ok(());
            }
            self.is_stale = false;
            self.ask(Question::Links)?;
        }
        // Too much is going on. The next change, which will not be long, starts again.
        self.is_stale = true;
        Ok(())
    }

    fn ask(&mut self, question: Question) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = netlink::request(question, self.sequence);
        let kernel = NetlinkAddr::new(KERNEL, 0);
        sendto(self.netlink, &request, &kernel, MsgFlags::empty())?;
        self.dump = match question {
            Question::Links => {
                self.fresh = InterfaceTable::default();
                Dump::Links
            }
            Question::Addresses => Dump::Addresses,
        };
        Ok(())
    }

    /// Reads and applies one datagram; false if there is none.
    fn read_one(&mut self) -> io::Result<bool> {
        let (length, sender) = match recvfrom::<NetlinkAddr>(self.netlink, &mut self.buffer) {
            Ok(received) => received,
            Err(Errno::EAGAIN) => return Ok(false),
            Err(Errno::EINTR) => return Ok(true),
            // More happened than the socket could hold: what was lost is unknown.
            Err(Errno::ENOBUFS) => {
                self.is_stale = true;
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        };
        if sender.is_some_and(|sender| sender.pid() != KERNEL) {
            return Ok(true);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let applied = netlink::parse(buffer.get(..length).unwrap_or_default())
            .try_for_each(|told| self.apply(told));
        self.buffer = buffer;
        applied.map(|()| true)
    }

    fn apply(&mut self, told: Told) -> io::Result<()> {
        match told {
            Told::Done { interrupted } => {
                self.is_stale |= interrupted;
                match self.dump {
                    Dump::Links => self.ask(Question::Addresses)?,
                    Dump::Addresses => {
                        self.table = std::mem::take(&mut self.fresh);
                        self.dump = Dump::None;
                    }
                    Dump::None => {}
                }
            }
            Told::Failed(error) => {
                tracing::warn!(target: "cooee_mdns", error = %Errno::from_raw(error), "the kernel did not list the interfaces");
                self.dump = Dump::None;
                self.is_stale = true;
            }
            // News that come during a dump stand between its parts in the order in which things happened.
            news if self.dump == Dump::None => self.table.apply(news),
            news => {
                self.table.apply(news.clone());
                self.fresh.apply(news);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::future::poll_fn;
    use std::time::Duration;

    use super::super::lab::{ip, is_in_namespace, run_in_namespace};
    use super::*;

    /// Waits until the list fulfils `wanted`.
    async fn until(source: &mut NetlinkSource, wanted: impl Fn(&[Interface]) -> bool) {
        let fulfilled = async {
            while !wanted(&source.interfaces()) {
                poll_fn(|cx| source.poll_changed(cx)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(5), fulfilled).await;
        assert!(in_time.is_ok(), "{:#?}", source.interfaces());
    }

    fn named<'a>(interfaces: &'a [Interface], name: &str) -> Option<&'a Interface> {
        interfaces.iter().find(|i| i.name == name)
    }

    #[test]
    fn the_life_of_an_interface_is_told_as_it_happens() {
        run_in_namespace("net::netlink_source::tests::in_namespace_life_of_an_interface");
    }

    #[tokio::test]
    #[ignore = "runs in a namespace of its own"]
    async fn in_namespace_life_of_an_interface() {
        if !is_in_namespace() {
            return;
        }
        let mut source = NetlinkSource::open().unwrap();
        assert_eq!(source.interfaces().len(), 1, "loopback alone");

        ip("link add eth7 type veth peer name far");
        until(&mut source, |all| named(all, "eth7").is_some()).await;
        let index = named(&source.interfaces(), "eth7").unwrap().index;
        assert_eq!(
            named(&source.interfaces(), "eth7").unwrap().kind.as_deref(),
            Some("veth")
        );

        ip("addr add 192.0.2.7/24 dev eth7\nlink set eth7 up\nlink set far up");
        until(&mut source, |all| {
            let a = named(all, "eth7").unwrap();
            a.is_up && a.is_running && a.addresses.iter().any(|a| a.address.is_ipv4())
        })
        .await;
        // A link-local address is checked for duplicates, and then is usable.
        until(&mut source, |all| {
            named(all, "eth7")
                .unwrap()
                .has_usable(|address| address.is_ipv6())
        })
        .await;

        // Another mask, without a moment in which there is no address.
        ip("addr add 192.0.2.7/16 dev eth7\naddr del 192.0.2.7/24 dev eth7");
        until(&mut source, |all| {
            let addresses = &named(all, "eth7").unwrap().addresses;
            let v4: Vec<u8> = addresses
                .iter()
                .filter(|a| a.address.is_ipv4())
                .map(|a| a.prefix_len)
                .collect();
            v4 == [16]
        })
        .await;

        ip("addr change 192.0.2.7/16 dev eth7 preferred_lft 0 valid_lft 600");
        until(&mut source, |all| {
            let addresses = &named(all, "eth7").unwrap().addresses;
            addresses.iter().any(|a| a.is_deprecated)
        })
        .await;

        ip("link set far down");
        until(&mut source, |all| !named(all, "eth7").unwrap().is_running).await;
        ip("link set eth7 down\nlink set eth7 name lan");
        until(&mut source, |all| {
            named(all, "lan").is_some_and(|lan| lan.index == index)
        })
        .await;

        ip("link add name br0 type bridge\nlink set lan master br0");
        until(&mut source, |all| {
            named(all, "lan").unwrap().master.is_some()
        })
        .await;
        ip("link set lan nomaster\nlink set lan mtu 1280");
        until(&mut source, |all| {
            named(all, "lan").is_some_and(|lan| lan.master.is_none() && lan.mtu == 1280)
        })
        .await;
        ip("link del lan");
        until(&mut source, |all| named(all, "lan").is_none()).await;
    }

    #[tokio::test]
    async fn a_list_that_is_refused_is_asked_for_again() {
        let Ok(mut source) = NetlinkSource::open() else {
            println!("skipped: netlink is not allowed here");
            return;
        };
        let reader = &mut source.reader;
        reader.ask(Question::Links).unwrap();
        let refused = reader.sequence;
        reader.apply(Told::Failed(Errno::EBUSY as i32)).unwrap();
        reader.read_all().unwrap();
        assert!(reader.sequence > refused, "nobody asked again");
        assert_eq!((reader.dump, reader.is_stale), (Dump::None, false));
    }

    #[test]
    fn more_changes_than_the_socket_holds_are_made_good_by_reading_all_again() {
        run_in_namespace("net::netlink_source::tests::in_namespace_too_many_changes");
    }

    #[tokio::test]
    #[ignore = "runs in a namespace of its own"]
    async fn in_namespace_too_many_changes() {
        if !is_in_namespace() {
            return;
        }
        let mut source = NetlinkSource::open().unwrap();
        let mut commands = String::new();
        for n in 0..150 {
            writeln!(commands, "link add a{n} type veth peer name b{n}").unwrap();
        }
        for n in 0..150 {
            writeln!(commands, "addr add 10.0.{n}.1/24 dev a{n}").unwrap();
            writeln!(commands, "link set a{n} up").unwrap();
        }
        for n in 0..50 {
            writeln!(commands, "link del a{n}").unwrap();
        }
        ip(&commands);
        poll_fn(|cx| source.poll_changed(cx)).await;
        assert!(
            source.reader.sequence > 2,
            "nothing was lost: the test is too small"
        );
        until(&mut source, |all| {
            all.len() == 201
                && (50..150).all(|n| {
                    let a = named(all, &format!("a{n}"));
                    a.is_some_and(|a| a.is_up && a.has_usable(|address| address.is_ipv4()))
                })
        })
        .await;
    }
}
