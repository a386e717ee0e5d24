//! `cooee monitor`: every packet of multicast DNS, and what is wrong with it.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use cooee::Families;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::args::Over;
use crate::clock::Moment;
use crate::failure::{Failure, Outcome};
use crate::monitor::filter::{Filter, Only};
use crate::monitor::{
    Finding, Inspected, Inspector, Level, Live, Packet, PcapReader, PcapWriter, Shape, Skipped,
    Summary,
};
use crate::output::{Stop, plain};
use crate::reader::Reader;
use crate::session::{self, Session};
use crate::type_arg::{self, TypeArg};
use crate::{duration, escape, interfaces, name_arg, value_arg};

pub(crate) const EXAMPLES: &str = "\
Examples:
  cooee monitor                          all that is said on the links
  cooee monitor --type ipp -v            about printers, with every record
  cooee monitor --only lint -w 10m       what breaks a rule, for ten minutes
  cooee monitor -r trouble.pcap --fail-on error

It only listens.
Exit code: 0 heard, 1 nothing heard, or found by --fail-on, 2 wrong words, 3 trouble.";

/// Show every packet of multicast DNS, and what is wrong with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only about services of this type: _ipp._tcp, or just ipp (repeatable)
    #[arg(long = "type", value_name = "TYPE", value_parser = type_arg::parse)]
    types: Vec<TypeArg>,
    /// Only about this service: "Keith’s web server" (repeatable; \\ and \DDD are escapes)
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<std::ffi::OsString>,
    /// Only about this host: tabasco, tabasco.local (repeatable)
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Only sent from this address (repeatable)
    #[arg(long, value_name = "IP", value_parser = value_arg::sender)]
    from: Vec<IpAddr>,
    /// Only packets of this kind (repeatable)
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<Only>,
    /// Read a capture instead: pcap or pcapng, - is standard input
    #[arg(short, long, value_name = "FILE")]
    read: Option<PathBuf>,
    /// Write the packets shown to a capture: pcap, with IP and UDP headers made anew
    #[arg(short = 'W', long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Do not look for what is wrong
    #[arg(long, conflicts_with = "fail_on")]
    no_lint: bool,
    /// End with code 1 if something as bad as this was found
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
    /// End after N packets
    #[arg(short = 'n', long, value_name = "N", value_parser = value_arg::count)]
    count: Option<u64>,
    /// End after this time: 5, 5s, 500ms, 2m
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// How bad a finding has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Against a MUST
    Error,
    /// Against a SHOULD, or worse
    Warning,
}

impl FailOn {
    fn is_reached(self, level: Level) -> bool {
        match self {
            Self::Error => level >= Level::Error,
            Self::Warning => level >= Level::Warning,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// Wrong words, or trouble with the network, a file or the output.
pub(crate) async fn run(args: &Args, session: Session) -> Result<Outcome, Failure> {
    let families = match (&session.common.over, session.only()) {
        (Some(Over::V4), _) | (None, Some(crate::found::Only::V4)) => Families::V4,
        (Some(Over::V6), _) | (None, Some(crate::found::Only::V6)) => Families::V6,
        (None, None) => Families::Both,
    };
    let filter = filter(args, families)?;
    let capture = args.read.as_deref();
    let capture = capture
        .map(|path| capture_to_read(path, args, &session))
        .transpose()?;
    let mut watching = Watching {
        filter,
        inspector: Inspector::new(!args.no_lint),
        // The last that can be refused: it empties the file.
        writer: args.write.as_deref().map(writer).transpose()?,
        summary: Summary::new(),
        fail_on: args.fail_on,
        has_failed: false,
        last: None,
        broken: None,
        session,
    };
    let end = match capture {
        Some(capture) => watching.read(args, capture).await?,
        None => {
            let mut live = Live::open(&watching.session, families)?;
            if let Some(trouble) = interfaces::trouble(&live.present()) {
                let text = format!("{trouble}; waiting for one");
                watching.session.talk.hint(&text);
            }
            watching.listen(args, &mut live).await?
        }
    };
    watching.finish(args, end)
}

fn capture_to_read(path: &Path, args: &Args, session: &Session) -> Result<PcapReader, Failure> {
    let common = &session.common;
    if !common.interfaces.is_empty() || !common.exclude_interface.is_empty() {
        let text = "-i and -I choose links to listen on: a capture has none";
        return Err(Failure::usage(text));
    }
    let capture = PcapReader::open(path)?;
    // With symbolic links followed; what is not there yet is no other file.
    let whole = |path: &Path| path.canonicalize().ok();
    let written = args.write.as_deref().and_then(whole);
    if written.is_some() && written == whole(path) {
        let name = escape::octets(path.as_os_str().as_encoded_bytes());
        return Err(Failure::usage(format!(
            "--read and --write are the same file, '{name}': write to another"
        )));
    }
    Ok(capture)
}

fn writer(path: &Path) -> Result<PcapWriter, Failure> {
    PcapWriter::create(path).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let name = escape::octets(path.as_os_str().as_encoded_bytes());
    let text = format!("cannot write '{name}': {}", plain(error));
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::IsADirectory | ErrorKind::PermissionDenied => {
            Failure::usage(text)
        }
        _ => Failure::trouble(text),
    }
}

fn filter(args: &Args, families: Families) -> Result<Filter, Failure> {
    let names = args
        .names
        .iter()
        .map(|name| name_arg::parse(name.as_encoded_bytes()).map_err(Failure::usage));
    let hosts = args.hosts.iter().map(|host| super::host::local_name(host));
    Ok(Filter {
        types: args.types.iter().map(|kind| kind.wire.clone()).collect(),
        names: names.collect::<Result<_, _>>()?,
        hosts: hosts.collect::<Result<_, _>>()?,
        from: args.from.clone(),
        only: args.only.clone(),
        ipv4: match families {
            Families::Both => None,
            Families::V4 => Some(true),
            Families::V6 => Some(false),
        },
    })
}

/// How often it is looked whether something did not come.
const PASS: Duration = Duration::from_secs(1);

/// Packets of a capture that are read before the one that is shown.
const READ_AHEAD: usize = 256;

/// A session of listening.
#[derive(Debug)]
struct Watching {
    session: Session,
    inspector: Inspector,
    writer: Option<PcapWriter>,
    filter: Filter,
    summary: Summary,
    fail_on: Option<FailOn>,
    has_failed: bool,
    /// The time of the capture, if one is read.
    last: Option<Moment>,
    /// Why the capture could not be read to its end.
    broken: Option<Failure>,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The number, the time, the file, a signal.
    Ordinary,
    /// Nobody reads any more.
    Unread,
}

impl Watching {
    async fn listen(&mut self, args: &Args, live: &mut Live) -> Result<End, Failure> {
        let started = Instant::now();
        let deadline = args.timeout.map(|timeout| started + timeout);
        let mut signals = self.session.signals.clone();
        let mut reader = Reader::watch();
        let mut next_pass = started + PASS;
        let mut next_tick = self.session.output.has_progress().then_some(started);
        let what = format!("packets{}", session::on(&live.present()));
        loop {
            if args
                .count
                .is_some_and(|count| self.summary.packets() >= count)
            {
                return Ok(End::Ordinary);
            }
            self.inspector.know_own(live.own_addresses());
            let told = tokio::select! {
                biased;
                _ = signals.asked() => return Ok(End::Ordinary),
                () = reader.gone() => return Ok(End::Unread),
                () = super::at(deadline) => return Ok(End::Ordinary),
                () = super::at(next_tick) => {
                    let goes_on = self.summary.packets() == 0;
                    next_tick = goes_on.then(|| Instant::now() + session::TICK);
                    if goes_on {
                        self.session.progress(&what, 0, started);
                    }
                    Ok(())
                }
                () = super::at(Some(next_pass)) => {
                    next_pass = Instant::now() + PASS;
                    self.pass()
                }
                heard = live.next(&self.session) => {
                    let (packet, lost) = heard?;
                    self.summary.add_lost(lost);
                    self.tell(packet)
                }
            };
            if let Err(stop) = told {
                return stop.into_result().map(|()| End::Unread);
            }
        }
    }

    /// Reads a capture to its end.
    async fn read(&mut self, args: &Args, mut capture: PcapReader) -> Result<End, Failure> {
        let (send, mut packets) = mpsc::channel(READ_AHEAD);
        // Reading blocks, above all from a pipe: it has a thread of its own, which ends with the process.
        let thread = std::thread::Builder::new().name("capture".into());
        let reading = thread.spawn(move || {
            loop {
                let next = capture.next().transpose();
                let is_end = !matches!(next, Some(Ok(_)));
                if send.blocking_send((next, capture.skipped())).is_err() || is_end {
                    return;
                }
            }
        });
        reading.map_err(|error| Failure::trouble(format!("cannot start: {}", plain(&error))))?;

        let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
        let mut signals = self.session.signals.clone();
        let mut reader = Reader::watch();
        let mut skipped = Skipped::default();
        let end = loop {
            if args
                .count
                .is_some_and(|count| self.summary.packets() >= count)
            {
                break End::Ordinary;
            }
            let next = tokio::select! {
                biased;
                _ = signals.asked() => break End::Ordinary,
                () = reader.gone() => break End::Unread,
                () = super::at(deadline) => break End::Ordinary,
                next = packets.recv() => next,
            };
            let Some((packet, so_far)) = next else {
                break End::Ordinary;
            };
            skipped = so_far;
            let told = match packet {
                Some(Ok(packet)) => {
                    self.last = Some(packet.moment);
                    self.tell(packet)
                }
                Some(Err(failure)) => {
                    // What was read before it is summed up first.
                    self.broken = Some(failure);
                    break End::Ordinary;
                }
                None => break End::Ordinary,
            };
            if let Err(stop) = told {
                return stop.into_result().map(|()| End::Unread);
            }
        };
        self.tell_skipped(skipped);
        Ok(end)
    }

    fn tell_skipped(&self, skipped: Skipped) {
        let Skipped { cut, unknown } = skipped;
        if cut > 0 {
            let text = format!("{cut} packets left out: the capture has cut them short");
            self.session.talk.hint(&text);
        }
        if unknown > 0 {
            let text =
                format!("{unknown} frames left out: of a kind of link that is not known here");
            self.session.talk.hint(&text);
        }
    }

    /// Looks at a packet, and shows it if it is wanted.
    fn tell(&mut self, packet: Packet) -> Result<(), Stop> {
        let seen = self.inspector.inspect(packet);
        if self.filter.passes(&seen) {
            self.summary.add(&seen);
            self.write(&seen.packet)?;
            self.show(&seen)?;
            return self.show_findings(&seen.findings, Some(&seen));
        }
        let findings = seen.findings.iter();
        let wanted: Vec<Finding> = findings
            .filter(|finding| self.filter.passes_finding(finding))
            .cloned()
            .collect();
        self.show_findings(&wanted, None)
    }

    /// Tells what should have come by now.
    fn pass(&mut self) -> Result<(), Stop> {
        let findings = self.inspector.pass(&self.now());
        let findings: Vec<Finding> = findings
            .into_iter()
            .filter(|finding| self.filter.passes_finding(finding))
            .collect();
        self.show_findings(&findings, None)
    }

    fn show(&mut self, seen: &Inspected) -> Result<(), Stop> {
        if self.session.common.json {
            return self.session.output.line(&seen.json());
        }
        let shape = self.shape();
        let row = shape.packet(seen, &seen.packet.moment.local());
        self.session.output.line(&row)?;
        if self.session.common.verbose > 0 {
            for line in shape.details(seen) {
                self.session.output.line(&line)?;
            }
        }
        Ok(())
    }

    fn show_findings(
        &mut self,
        findings: &[Finding],
        seen: Option<&Inspected>,
    ) -> Result<(), Stop> {
        for finding in findings {
            let is_reached = |level: FailOn| level.is_reached(finding.level());
            self.has_failed |= self.fail_on.is_some_and(is_reached);
            let line = if self.session.common.json {
                let now = self.now();
                finding.json(seen.map_or(&now, |seen| &seen.packet.moment))
            } else {
                self.shape().finding(finding, seen.map(|seen| seen.number))
            };
            self.session.output.line(&line)?;
        }
        Ok(())
    }

    /// What was heard goes into the capture that is written, too.
    fn write(&mut self, packet: &Packet) -> Result<(), Stop> {
        match &mut self.writer {
            Some(writer) => {
                let written = writer.write(packet);
                written.map_err(|error| Stop::Failed(unwritten(writer.path(), &error)))
            }
            None => Ok(()),
        }
    }

    fn now(&self) -> Moment {
        self.last.unwrap_or_else(|| self.session.now())
    }

    fn shape(&self) -> Shape {
        let output = &self.session.output;
        Shape {
            width: output.is_terminal().then(|| output.width()),
            paint: output.paint,
        }
    }

    fn finish(mut self, args: &Args, end: End) -> Result<Outcome, Failure> {
        self.session.output.erase_progress();
        if end == End::Unread {
            return Ok(Outcome::Done);
        }
        let counts = self.inspector.counts();
        if self.session.common.json {
            let line = self.summary.json(&self.now(), &counts);
            if let Err(stop) = self.session.output.line(&line) {
                return stop.into_result().map(|()| Outcome::Done);
            }
        } else {
            for line in self.summary.lines(&counts) {
                self.session.talk.hint(&line);
            }
        }
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let heard = self.summary.packets();
        let is_short = args.count.is_some_and(|count| heard < count);
        match heard == 0 || is_short || self.has_failed {
            true => Ok(Outcome::NotFound),
            false => Ok(Outcome::Done),
        }
    }
}
