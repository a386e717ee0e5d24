//! `cooee monitor` on captures, as a script would use it: what it prints, and how it ends. No network is needed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A packet of a capture: seconds, the last octet of who sent it, the message.
type Packet<'a> = (u32, u8, &'a [u8]);

/// `_http._tcp.local PTR`, asked by multicast.
const QUESTION: &[u8] = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x05_http\x04_tcp\x05local\0\0\x0c\0\x01";
/// `_http._tcp.local PTR Web._http._tcp.local`, without and with cache-flush bit.
const GOOD: &[u8] =
    b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x05_http\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x06\x03Web\xc0\x0c";
const BAD: &[u8] =
    b"\0\0\x84\0\0\0\0\x01\0\0\0\0\x05_http\x04_tcp\x05local\0\0\x0c\x80\x01\0\0\x11\x94\0\x06\x03Web\xc0\x0c";

/// A capture in the classic format, of IP packets.
fn capture(packets: &[Packet<'_>]) -> Vec<u8> {
    let mut octets = Vec::new();
    octets.extend(0xA1B2_C3D4_u32.to_le_bytes());
    octets.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    octets.extend(65_535_u32.to_le_bytes());
    octets.extend(101_u32.to_le_bytes());
    for (second, from, message) in packets {
        let udp = u16::try_from(message.len() + 8).expect("a short message");
        let mut packet = vec![0x45, 0];
        packet.extend((udp + 20).to_be_bytes());
        packet.extend([0, 0, 0, 0, 255, 17, 0, 0, 192, 0, 2, *from, 224, 0, 0, 251]);
        packet.extend(5353_u16.to_be_bytes());
        packet.extend(5353_u16.to_be_bytes());
        packet.extend(udp.to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(*message);
        let length = u32::try_from(packet.len())
            .expect("a short packet")
            .to_le_bytes();
        octets.extend(second.to_le_bytes());
        octets.extend([0; 4]);
        octets.extend(length);
        octets.extend(length);
        octets.extend(packet);
    }
    octets
}

fn all() -> Vec<u8> {
    capture(&[(1, 1, QUESTION), (2, 2, GOOD), (9, 3, BAD)])
}

fn monitor(words: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cooee"))
        .args(["monitor", "-r", "-"])
        .args(words)
        .env_remove("COOEE_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    // One that ends early does not read all.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn rows(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).expect("it speaks UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// The messages that are shown with these words, by the addresses they came from.
fn shown(words: &[&str]) -> Vec<String> {
    let rows = rows(&monitor(words, &all()));
    let packets = rows.iter().filter(|row| !row.starts_with("!!"));
    packets
        .map(|row| row.split('\t').nth(2).unwrap_or_default().to_owned())
        .collect()
}

/// A file of the test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("cooee-monitor-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn filters_choose_by_what_a_packet_is_says_and_whence_it_comes() {
    let [one, two, three] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    assert_eq!(shown(&[]), [one, two, three]);
    assert_eq!(shown(&["--only", "query"]), [one]);
    assert_eq!(shown(&["--only", "response"]), [two, three]);
    assert_eq!(shown(&["--only", "query,lint"]), [one, three]);
    assert_eq!(shown(&["--only", "goodbye"]), [""; 0]);
    assert_eq!(shown(&["--from", two, "--from", three]), [two, three]);
    assert_eq!(shown(&["--type", "http"]), [one, two, three]);
    assert_eq!(shown(&["--type", "ipp"]), [""; 0]);
    assert_eq!(shown(&["--name", "web"]), [two, three]);
    assert_eq!(shown(&["--host", "box"]), [""; 0]);
    assert_eq!(shown(&["--name", "Web", "--from", two]), [two]);
    assert_eq!(shown(&["-n", "2"]), [one, two]);
    assert_eq!(shown(&["-6"]), [""; 0]);
}

#[test]
fn the_code_says_whether_something_was_heard_and_how_bad_it_was() {
    let code = |words: &[&str], input: &[u8]| monitor(words, input).status.code();
    assert_eq!(code(&[], &all()), Some(0));
    assert_eq!(code(&["--fail-on", "error"], &all()), Some(1));
    let good = capture(&[(1, 1, QUESTION), (2, 2, GOOD)]);
    assert_eq!(code(&["--fail-on", "warning"], &good), Some(0));
    assert_eq!(code(&[], &capture(&[])), Some(1), "no packet");
    assert_eq!(code(&["-n", "9"], &all()), Some(1), "fewer than asked for");
    assert_eq!(code(&["--from", "192.0.2.9"], &all()), Some(1));
    assert_eq!(code(&["--no-lint"], &all()), Some(0));
}

#[test]
fn a_file_that_is_none_or_broken_is_refused_in_a_line() {
    let output = monitor(&[], b"#!/bin/sh, and no capture at all");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.ends_with("is not a capture: it must be pcap or pcapng\n"),
        "{said}"
    );

    let whole = all();
    let output = monitor(&[], whole.get(..whole.len() - 5).unwrap_or_default());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(rows(&output).len(), 2, "what is whole is shown");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.ends_with("ends in the middle of a packet\n"), "{said}");

    let output = monitor(&["-i", "eth0"], &whole);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_written_can_be_read_again() {
    let file = Scratch::new("again.pcap");
    let output = monitor(&["-W", file.path()], &all());
    assert_eq!(output.status.code(), Some(0));
    let written = std::fs::read(&file.0).expect("a capture");
    let again = monitor(&[], &written);
    // The first column is the time of day where the test runs; both run there.
    assert_eq!(rows(&again), rows(&output));
    assert_eq!(rows(&again).len(), 4, "three packets and a finding");
}

#[test]
fn no_capture_is_emptied_by_words_that_are_refused() {
    let file = Scratch::new("kept.pcap");
    std::fs::write(&file.0, all()).expect("a capture");
    let refused = |words: &[&str], why: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_cooee"))
            .arg("monitor")
            .args(words)
            .output()
            .expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(why), "{words:?}: {said}");
        assert_eq!(std::fs::read(&file.0).expect("it is there"), all());
    };
    refused(&["-r", file.path(), "-W", file.path()], "the same file");
    #[cfg(unix)]
    {
        let link = Scratch::new("kept-too.pcap");
        std::os::unix::fs::symlink(&file.0, &link.0).expect("another name of it");
        refused(&["-r", file.path(), "-W", link.path()], "the same file");
    }
    refused(&["-r", "/no/such/file", "-W", file.path()], "cannot read");
    refused(
        &["-r", file.path(), "-i", "lo", "-W", file.path()],
        "a capture has none",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_trouble_and_told_in_a_line() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let output = monitor(&["-W", "/dev/full"], &all());
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        said,
        "cooee: cannot write '/dev/full': no space left on device\n"
    );
    let output = monitor(&["-W", "/no/such/folder/x.pcap"], &all());
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_is_told_with_the_file_and_what_is_whole_stays() {
    let (from, to) = (Scratch::new("much.pcap"), Scratch::new("part.pcap"));
    let packets: Vec<Packet<'_>> = (0..20).map(|second| (second, 1, QUESTION)).collect();
    std::fs::write(&from.0, capture(&packets)).expect("a capture");
    // No file may be larger than a block, which is 512 or 1024 bytes; whoever ignores the signal gets an error.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_cooee")])
        .args(["monitor", "-r", from.path(), "-W", to.path()])
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    let name = to.path();
    assert_eq!(
        said,
        format!("cooee: cannot write '{name}': file too large\n")
    );
    let written = std::fs::read(&to.0).expect("a capture");
    let again = rows(&monitor(&[], &written));
    assert!((3..20).contains(&again.len()), "{again:?}");
}

#[test]
fn every_line_of_json_is_an_object_and_the_last_is_the_summary() {
    let rows = rows(&monitor(&["-j"], &all()));
    let events: Vec<String> = rows
        .iter()
        .map(|row| {
            let value: serde_json::Value = serde_json::from_str(row).expect("an object");
            value["event"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(events, ["packet", "packet", "packet", "lint", "summary"]);
}
