//! A capture in the classic format, of IP packets without frames. What is in the file is valid at any moment.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::packet::Packet;
use super::rebuild::ip_packet;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct PcapWriter {
    path: PathBuf,
    file: File,
    /// Where the last whole packet ends.
    end: u64,
}

/// Microseconds, in the byte order of this very number.
const MAGIC: u32 = 0xA1B2_C3D4;
/// Larger than any UDP datagram.
const SNAP_LENGTH: u32 = 262_144;
/// Packets begin with IP.
const LINKTYPE_RAW: u32 = 101;

impl PcapWriter {
    /// Makes the file, or empties it, and writes its header.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut writer = Self {
            path: path.to_owned(),
            file: File::create(path)?,
            end: 0,
        };
        let mut header = Vec::with_capacity(24);
        header.extend(MAGIC.to_le_bytes());
        // Version 2.4; local time is UTC, and how exact that is nobody says.
        header.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        header.extend(SNAP_LENGTH.to_le_bytes());
        header.extend(LINKTYPE_RAW.to_le_bytes());
        writer.append(&header)?;
        Ok(writer)
    }

    /// What it was made under.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a packet.
    ///
    /// # Errors
    ///
    /// What the system says, such as that the disk is full; the file then ends behind the packet before.
    pub(crate) fn write(&mut self, packet: &Packet) -> io::Result<()> {
        let octets = ip_packet(packet);
        let since = packet
            .moment
            .wall
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
        let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        let mut record = Vec::with_capacity(16 + octets.len());
        record.extend(seconds.to_le_bytes());
        record.extend(since.subsec_micros().to_le_bytes());
        record.extend(length.to_le_bytes());
        record.extend(length.to_le_bytes());
        record.extend(octets);
        self.append(&record)
    }

    fn append(&mut self, octets: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(octets);
        match written {
            Ok(()) => self.end += octets.len() as u64,
            Err(_) => {
                // What went in of it is taken back; if that fails too, readers stop at the part.
                let _ = self.file.set_len(self.end);
                let _ = self.file.seek(SeekFrom::Start(self.end));
            }
        }
        written
    }
}
