//! Packets of a capture, in the classic format or pcapng.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{Block, InterfaceDescriptionBlock, PcapBlockOwned, PcapError, create_reader};

use super::frame::{Content, Frames, Link};
use super::packet::Packet;
use crate::clock::Moment;
use crate::escape;
use crate::failure::Failure;
use crate::output::plain;
use crate::picture::Interface;

/// A capture that is being read.
pub(crate) struct PcapReader {
    blocks: Box<dyn PcapReaderIterator + Send>,
    /// For messages.
    name: String,
    reading: Reading,
}

/// What is known of a capture so far.
struct Reading {
    frames: Frames,
    /// Of the classic format.
    header: Option<Header>,
    /// Of the present section of a pcapng file.
    interfaces: Vec<Described>,
    first: Option<SystemTime>,
    skipped: Skipped,
}

/// What a capture holds that could not be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Datagrams that the capture has cut short.
    pub(crate) cut: u64,
    /// Frames of links that are not known here.
    pub(crate) unknown: u64,
}

#[derive(Clone, Copy)]
struct Header {
    link: Option<Link>,
    is_nanoseconds: bool,
}

struct Described {
    link: Option<Link>,
    name: Option<String>,
    /// Units of time in a second.
    resolution: u64,
    /// Seconds to add.
    offset: i64,
}

/// Room for a block; one that is larger is none.
const CAPACITY: usize = 1 << 20;
/// Interfaces in a section: a capture is a stranger's too.
const MOST_INTERFACES: usize = 4_096;

impl PcapReader {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    ///
    /// One line: the file is not there, or is no capture.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let name = escape::octets(path.as_os_str().as_encoded_bytes());
        if name == "-" {
            return Self::new(std::io::stdin(), "standard input".into());
        }
        let file = File::open(path)
            .map_err(|error| Failure::usage(format!("cannot read '{name}': {}", plain(&error))))?;
        Self::new(file, format!("'{name}'"))
    }

    fn new(octets: impl Read + Send + 'static, name: String) -> Result<Self, Failure> {
        let blocks = create_reader(CAPACITY, octets).map_err(|error| {
            Failure::usage(match error {
                PcapError::ReadError => format!("cannot read {name}"),
                PcapError::Eof => format!("{name} is empty: it must be a pcap or pcapng capture"),
                _ => format!("{name} is not a capture: it must be pcap or pcapng"),
            })
        })?;
        Ok(Self {
            blocks,
            name,
            reading: Reading {
                frames: Frames::new(),
                header: None,
                interfaces: Vec::new(),
                first: None,
                skipped: Skipped::default(),
            },
        })
    }

    /// What could not be shown so far.
    pub(crate) fn skipped(&self) -> Skipped {
        self.reading.skipped
    }

    /// The next packet of multicast DNS, if there is one more.
    ///
    /// # Errors
    ///
    /// One line: the file is broken from here on.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, Failure> {
        loop {
            let how = match self.blocks.next() {
                Ok((length, block)) => {
                    let packet = self.reading.take(block);
                    self.blocks.consume(length);
                    match packet {
                        Some(packet) => return Ok(Some(packet)),
                        None => continue,
                    }
                }
                Err(PcapError::Eof) => return Ok(None),
                Err(PcapError::Incomplete(_)) => match self.blocks.refill() {
                    Ok(()) => continue,
                    Err(_) => "cannot be read on",
                },
                Err(PcapError::UnexpectedEof) => "ends in the middle of a packet",
                Err(PcapError::ReadError) => "cannot be read on",
                Err(_) => "is broken",
            };
            return Err(Failure::usage(format!("{} {how}", self.name)));
        }
    }
}

impl Reading {
    fn take(&mut self, block: PcapBlockOwned<'_>) -> Option<Packet> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.header = Some(Header {
                    link: Link::of(header.network.0),
                    is_nanoseconds: header.is_nanosecond_precision(),
                });
                None
            }
            PcapBlockOwned::Legacy(block) => {
                let header = self.header?;
                let fraction = u64::from(block.ts_usec);
                let nanos = match header.is_nanoseconds {
                    true => fraction,
                    false => fraction * 1_000,
                };
                let at = UNIX_EPOCH + Duration::from_secs(block.ts_sec.into());
                let at = at + Duration::from_nanos(nanos);
                self.packet(header.link, at, None, block.data)
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(block)) => {
                if self.interfaces.len() < MOST_INTERFACES {
                    self.interfaces.push(Described::of(&block));
                }
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                let number = usize::try_from(block.if_id).ok()?;
                let described = self.interfaces.get(number)?;
                let units = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
                let (link, at) = (described.link, described.time(units));
                let interface = described.name.clone().map(|name| Interface {
                    name,
                    index: block.if_id.saturating_add(1),
                });
                let captured = usize::try_from(block.caplen).unwrap_or(usize::MAX);
                let data = block.data.get(..captured).unwrap_or(block.data);
                self.packet(link, at, interface, data)
            }
            PcapBlockOwned::NG(Block::SimplePacket(block)) => {
                let described = self.interfaces.first()?;
                let at = self.first.unwrap_or(UNIX_EPOCH);
                let length = usize::try_from(block.origlen).unwrap_or(usize::MAX);
                let data = block.data.get(..length).unwrap_or(block.data);
                self.packet(described.link, at, None, data)
            }
            PcapBlockOwned::NG(_) => None,
        }
    }

    fn packet(
        &mut self,
        link: Option<Link>,
        at: SystemTime,
        interface: Option<Interface>,
        frame: &[u8],
    ) -> Option<Packet> {
        let Some(link) = link else {
            self.skipped.unknown += 1;
            return None;
        };
        let datagram = match self.frames.read(link, frame) {
            Content::Datagram(datagram) => datagram,
            Content::Cut => {
                self.skipped.cut += 1;
                return None;
            }
            Content::Other => return None,
        };
        let first = *self.first.get_or_insert(at);
        Some(Packet {
            moment: Moment {
                wall: at,
                since_start: at.duration_since(first).unwrap_or_default(),
            },
            interface,
            source: datagram.source,
            destination: datagram.destination,
            hop_limit: Some(datagram.hop_limit),
            fragmented: Some(datagram.fragmented),
            payload: datagram.payload,
        })
    }
}

impl Described {
    fn of(block: &InterfaceDescriptionBlock<'_>) -> Self {
        Self {
            link: Link::of(block.linktype.0),
            name: match block.if_name() {
                Some(Ok(name)) => Some(name.trim_end_matches('\0').to_owned()),
                Some(Err(_)) | None => None,
            },
            resolution: block.ts_resolution().unwrap_or(1_000_000).max(1),
            offset: block.ts_offset(),
        }
    }

    fn time(&self, units: u64) -> SystemTime {
        let seconds = (units / self.resolution).saturating_add_signed(self.offset);
        let rest = u128::from(units % self.resolution) * 1_000_000_000;
        let nanos = u64::try_from(rest / u128::from(self.resolution)).unwrap_or(0);
        // What lies beyond all time is as good as its begin.
        UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .and_then(|at| at.checked_add(Duration::from_nanos(nanos)))
            .unwrap_or(UNIX_EPOCH)
    }
}

impl fmt::Debug for PcapReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapReader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::pcap_write::PcapWriter;
    use super::super::testkit::{a, packet, response};
    use super::*;

    fn reader(octets: Vec<u8>) -> Result<PcapReader, Failure> {
        PcapReader::new(Cursor::new(octets), "'x'".into())
    }

    fn all(reader: &mut PcapReader) -> (Vec<Packet>, Option<String>) {
        let mut packets = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => return (packets, None),
                Err(failure) => return (packets, Some(failure.text)),
            }
        }
    }

    fn some() -> Vec<Packet> {
        let payload = || response(&[a("box.local", 1)]);
        vec![
            packet(0, "192.0.2.1", payload()),
            packet(1_250, "fe80::1", payload()),
        ]
    }

    fn written(packets: &[Packet]) -> Vec<u8> {
        let folder = std::env::temp_dir().join(format!("cooee-pcap-{}", std::process::id()));
        let mut writer = PcapWriter::create(&folder).unwrap();
        for packet in packets {
            writer.write(packet).unwrap();
        }
        let octets = std::fs::read(&folder).unwrap();
        std::fs::remove_file(&folder).unwrap();
        octets
    }

    #[test]
    fn what_is_written_is_read_again_and_a_part_of_it_too() {
        let octets = written(&some());
        let (packets, end) = all(&mut reader(octets.clone()).unwrap());
        let without_link = some().into_iter().map(|packet| Packet {
            interface: None,
            ..packet
        });
        assert_eq!((packets, end), (without_link.collect(), None));

        let part = octets.get(..octets.len() - 3).unwrap().to_vec();
        let (packets, end) = all(&mut reader(part).unwrap());
        assert_eq!(packets.len(), 1);
        assert_eq!(end.as_deref(), Some("'x' ends in the middle of a packet"));
    }

    #[test]
    fn pcapng_tells_the_interface() {
        let frame = super::super::rebuild::ip_packet(&some().remove(0));
        let block = |kind: u32, body: &[u8]| {
            let length = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
            [&kind.to_le_bytes(), &length[..], body, &length].concat()
        };
        let section = [
            &0x1A2B_3C4D_u32.to_le_bytes()[..],
            &[1, 0, 0, 0],
            &[0xFF; 8],
        ]
        .concat();
        // Raw IP; the option with the name, and the end of options.
        let interface = [
            &[101, 0, 0, 0, 0, 0, 4, 0][..],
            &[2, 0, 4, 0],
            b"eth7",
            &[0, 0, 0, 0],
        ]
        .concat();
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        let mut enhanced = [
            &[0; 4][..],
            &[0; 4],
            &1_500_u32.to_le_bytes(),
            &length,
            &length,
        ]
        .concat();
        enhanced.extend(&frame);
        enhanced.resize(enhanced.len().next_multiple_of(4), 0);
        let octets = [
            block(0x0A0D_0D0A, &section),
            block(1, &interface),
            block(6, &enhanced),
        ]
        .concat();
        let (packets, end) = all(&mut reader(octets).unwrap());
        assert_eq!(end, None);
        let name = packets[0]
            .interface
            .as_ref()
            .map(|interface| interface.name.as_str());
        assert_eq!(name, Some("eth7"));
        assert_eq!(
            packets[0].moment.wall,
            UNIX_EPOCH + Duration::from_micros(1_500)
        );
    }

    #[test]
    fn what_is_no_capture_is_refused_in_a_line() {
        let refused = |octets: &[u8]| reader(octets.to_vec()).unwrap_err().text;
        assert_eq!(
            refused(b""),
            "'x' is empty: it must be a pcap or pcapng capture"
        );
        assert_eq!(
            refused(&[b'#'; 100]),
            "'x' is not a capture: it must be pcap or pcapng"
        );
        let failure = PcapReader::open(Path::new("no such\nfile")).unwrap_err();
        assert_eq!(
            failure.text,
            "cannot read 'no such\\010file': no such file or directory"
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_file_holds_is_read_without_harm(
            at in 24..200_usize,
            octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)
        ) {
            let mut file = written(&some());
            for (place, octet) in (at..).zip(octets) {
                if let Some(known) = file.get_mut(place) {
                    *known = octet;
                }
            }
            let _ = all(&mut reader(file).unwrap());
        }
    }
}
