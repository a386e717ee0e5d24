//! Every stack against every stack: one publishes, the other browses, on a link of their own.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cooee_wire::RecordType;
use serde_json::{Value, json};

use crate::link::ip;
use crate::packet::Contents;
use crate::service::name;
use crate::subject::{Launch, Reply, Subject, SubjectError};

/// Why a service that was withdrawn is still there, if nobody was told.
const SILENT: &str = "the publisher says no goodbye";

/// What is published. Plain letters: hick 0.2.0 finds no others, and that shall not hide how two stacks get on.
const NAME: &str = "Web server 5";
const TYPE: &str = "_http._tcp";
const PORT: u16 = 8080;
const TXT: [&str; 2] = ["path=/", "u=web"];

/// A stack has published, probing included, within this time; some probe for four seconds.
const PUBLISHED: Duration = Duration::from_secs(20);
/// After probing a stack has announced twice within this time; one that does not tell when it has probed is given twice as much.
const SETTLED: Duration = Duration::from_millis(2500);
/// What is published is found, and resolved, within this time.
const FOUND: Duration = Duration::from_secs(12);
/// Who has told of an instance and not of its host is asked for it after this time.
const BY_ITSELF: Duration = Duration::from_secs(1);
/// What was withdrawn is removed within this time: a goodbye leaves it one second.
// RFC 6762 §10.1 (6762-10.1-2)
const REMOVED: Duration = Duration::from_secs(15);

const INTERFACE: &str = "lab0";

/// A stack that takes part.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever runs a matrix")]
pub struct Contender {
    /// What to call it.
    pub name: String,
    /// The command line of its adapter.
    pub command: String,
}

/// How one stack found what another published.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cell {
    /// Who published.
    pub publisher: String,
    /// Who browsed.
    pub browser: String,
    /// From `browse` until the instance was found.
    pub found: Mark,
    /// From `browse` until its port, TXT strings and an address were known as published.
    pub resolved: Mark,
    /// From `withdraw` until the instance was removed.
    pub removed: Mark,
}

/// How one step of a cell went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a step has these ends")]
pub enum Mark {
    /// It took so long.
    After(Duration),
    /// It did not happen in time, or not as it should, and this is what was seen.
    Failed(String),
    /// One of the two cannot do that.
    NotApplicable(String),
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(time) => write!(f, "{:.2}", time.as_secs_f64()),
            Self::Failed(_) => f.write_str("failed"),
            Self::NotApplicable(_) => f.write_str("–"),
        }
    }
}

impl From<SubjectError> for Mark {
    fn from(error: SubjectError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Mark {
    fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    fn json(&self) -> Value {
        match self {
            Self::After(time) => {
                json!({ "seconds": (time.as_secs_f64() * 1000.0).round() / 1000.0 })
            }
            Self::Failed(why) => json!({ "failed": why }),
            Self::NotApplicable(why) => json!({ "n/a": why }),
        }
    }
}

impl Cell {
    /// Its steps with their names.
    pub fn steps(&self) -> [(&'static str, &Mark); 3] {
        [
            ("found", &self.found),
            ("resolved", &self.resolved),
            ("removed", &self.removed),
        ]
    }

    /// As an object: `publisher`, `browser`, and for each step `seconds`, `failed` or `n/a`.
    pub fn json(&self) -> Value {
        let mut cell = json!({ "publisher": self.publisher, "browser": self.browser });
        for (step, mark) in self.steps() {
            cell[step] = mark.json();
        }
        cell
    }

    fn all(publisher: &Contender, browser: &Contender, mark: &Mark) -> Self {
        Self {
            publisher: publisher.name.clone(),
            browser: browser.name.clone(),
            found: mark.clone(),
            resolved: mark.clone(),
            removed: mark.clone(),
        }
    }
}

/// One line for a cell, and under it what went wrong.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:18} {:18}", self.publisher, self.browser)?;
        for (step, mark) in self.steps() {
            write!(f, "  {step} {mark}")?;
        }
        for (step, mark) in self.steps() {
            if let Mark::Failed(why) = mark {
                write!(f, "\n              {step}: {why}")?;
            }
        }
        Ok(())
    }
}

/// Runs every pair that `wanted` (publisher, browser) lets through, on so many links at a time.
///
/// `tell` hears of each cell when it is there. The packets and the talk of a cell in which something failed are kept in
/// `evidence`.
///
/// # Errors
/// If no link can be made: not root, `ip` missing.
pub fn matrix(
    contenders: &[Contender],
    lanes: usize,
    evidence: Option<&Path>,
    wanted: &(dyn Fn(&str, &str) -> bool + Sync),
    tell: &(dyn Fn(&Cell) + Sync),
) -> io::Result<Vec<Cell>> {
    let mut pairs = Vec::new();
    for publisher in contenders {
        for browser in contenders {
            if wanted(&publisher.name, &browser.name) {
                pairs.push((pairs.len(), publisher, browser));
            }
        }
    }
    let queue = Mutex::new(pairs.into_iter());
    let cells = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..lanes.max(1))
            .map(|_| {
                scope.spawn(|| -> io::Result<()> {
                    loop {
                        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((number, publisher, browser)) = next else {
                            return Ok(());
                        };
                        let cell = meet(number, publisher, browser, evidence)?;
                        tell(&cell);
                        let mut cells = cells.lock().unwrap_or_else(PoisonError::into_inner);
                        cells.push((number, cell));
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a pair panicked")))
        })
    })?;
    let mut cells = cells.into_inner().unwrap_or_else(PoisonError::into_inner);
    cells.sort_by_key(|(number, _)| *number);
    Ok(cells.into_iter().map(|(_, cell)| cell).collect())
}

fn meet(
    number: usize,
    publisher: &Contender,
    browser: &Contender,
    evidence: Option<&Path>,
) -> io::Result<Cell> {
    let stem = format!("{}-{}", publisher.name, browser.name);
    let wire = Wire::new(number)?;
    let capture = match evidence {
        Some(folder) => wire.capture(&folder.join(format!("{stem}.pcap")))?,
        None => None,
    };
    let mut dialogue = Vec::new();
    let mut cell = match Meeting::begin(&wire, publisher, browser) {
        Ok(mut meeting) => {
            let [found, resolved, removed] = meeting.hold();
            dialogue = meeting.end();
            Cell {
                publisher: publisher.name.clone(),
                browser: browser.name.clone(),
                found,
                resolved,
                removed,
            }
        }
        Err(mark) => Cell::all(publisher, browser, &mark),
    };
    let failed = cell.steps().iter().any(|(_, mark)| mark.is_failure());
    if let Some(capture) = capture {
        let octets = capture.end(failed)?;
        if matches!(&cell.removed, Mark::Failed(why) if why.starts_with("not within"))
            && !has_goodbye(&octets)
        {
            cell.removed = Mark::Failed(SILENT.to_owned());
        }
    }
    if let Some(folder) = evidence.filter(|_| failed) {
        let text = format!("{cell}\n\n{}\n", dialogue.join("\n"));
        std::fs::write(folder.join(format!("{stem}.txt")), text)?;
    }
    Ok(cell)
}

/// One that has published, and one that is to browse.
struct Meeting {
    publisher: Subject,
    browser: Subject,
}

impl Meeting {
    /// The browser starts when the announcements are over, so that it has to ask.
    fn begin(wire: &Wire, publisher: &Contender, browser: &Contender) -> Result<Self, Mark> {
        let mut publisher = Subject::start(&wire.launch(0, publisher))?;
        publish(&mut publisher)?;
        let browser = Subject::start(&wire.launch(1, browser))?;
        Ok(Self { publisher, browser })
    }

    /// Found, resolved, removed.
    fn hold(&mut self) -> [Mark; 3] {
        let begun = Instant::now();
        let removal = match accepted(&mut self.browser, &["browse", TYPE]) {
            Ok(words) => match words.first().map(String::as_str) {
                Some("once") => Some(cannot("go on browsing")),
                Some("additions") => Some(cannot("tell of removals")),
                _ => None,
            },
            Err(mark) => return [(); 3].map(|()| mark.clone()),
        };
        let found = self.found(begun);
        if found.is_failure() {
            let never = || Mark::Failed("not found before".into());
            return [found, never(), never()];
        }
        let resolved = self.resolved(begun);
        [found, resolved, removal.unwrap_or_else(|| self.removed())]
    }

    fn found(&mut self, begun: Instant) -> Mark {
        let found = self.browser.wait_for_event(FOUND, |event| {
            let [what, name, kind, ..] = event else {
                return None;
            };
            (what == "found" && is_ours(name, kind)).then(Instant::now)
        });
        match found {
            Some(at) => Mark::After(at - begun),
            None => Mark::Failed(format!("not within {} s", FOUND.as_secs())),
        }
    }

    fn resolved(&mut self, begun: Instant) -> Mark {
        let mut last = None;
        let mut pick = |event: &[String]| {
            let [what, name, kind, _host, port, addresses, txt @ ..] = event else {
                return None;
            };
            if what != "resolved" || !is_ours(name, kind) {
                return None;
            }
            let difference = difference(port, addresses, txt);
            let complete = difference.is_none();
            last = difference;
            complete.then(Instant::now)
        };
        let mut resolved = self.browser.wait_for_event(BY_ITSELF, &mut pick);
        let mut reply = None;
        if resolved.is_none() {
            reply = match self.browser.command(&["resolve", NAME, TYPE]) {
                Ok(reply) => Some(reply),
                Err(error) => return Mark::Failed(error.to_string()),
            };
            // One that resolves by itself, and cannot do it otherwise, may just be slow.
            resolved = self.browser.wait_for_event(FOUND, &mut pick);
        }
        if resolved.is_none() && last.is_none() && matches!(reply, Some(Reply::Unsupported(_))) {
            return cannot("resolve");
        }
        match resolved {
            Some(at) => Mark::After(at - begun),
            None => {
                Mark::Failed(last.unwrap_or_else(|| format!("not within {} s", FOUND.as_secs())))
            }
        }
    }

    fn removed(&mut self) -> Mark {
        let begun = Instant::now();
        if let Err(mark) = accepted(&mut self.publisher, &["withdraw", NAME, TYPE]) {
            return mark;
        }
        let removed = self.browser.wait_for_event(REMOVED, |event| {
            let [what, name, kind, ..] = event else {
                return None;
            };
            (what == "removed" && is_ours(name, kind)).then(Instant::now)
        });
        match removed {
            Some(at) => Mark::After(at.saturating_duration_since(begun)),
            None => Mark::Failed(format!("not within {} s", REMOVED.as_secs())),
        }
    }

    /// Ends both, and gives what was said.
    fn end(mut self) -> Vec<String> {
        let mut all = Vec::new();
        for (who, subject) in [
            ("publisher", &mut self.publisher),
            ("browser", &mut self.browser),
        ] {
            // Whatever it answers: it is ended by force if it does not end.
            let _ = subject.command(&["quit"]);
            all.extend(
                subject
                    .take_dialogue()
                    .iter()
                    .map(|line| format!("{who} {line}")),
            );
        }
        all
    }
}

/// Publishes, and returns when the announcements are over.
fn publish(publisher: &mut Subject) -> Result<(), Mark> {
    let port = PORT.to_string();
    let words = [&["publish", NAME, TYPE, &port], TXT.as_slice()].concat();
    let reply = accepted(publisher, &words)?;
    if reply.first().is_some_and(|word| word == "untold") {
        std::thread::sleep(SETTLED);
    } else {
        // What happens to one that never says so is seen by the browser.
        publisher.wait_for_event(PUBLISHED, |event| {
            (event.first()? == "published").then_some(())
        });
    }
    std::thread::sleep(SETTLED);
    Ok(())
}

/// Gives a command that has to be accepted, and hands back what follows `ok`.
fn accepted(subject: &mut Subject, words: &[&str]) -> Result<Vec<String>, Mark> {
    let what = words.first().copied().unwrap_or_default();
    match subject.command(words)? {
        Reply::Ok(words) => Ok(words),
        Reply::Unsupported(_) => Err(cannot(what)),
        Reply::Error(text) => Err(Mark::Failed(format!("{what}: {text}"))),
    }
}

fn cannot(what: &str) -> Mark {
    Mark::NotApplicable(format!("cannot {what}"))
}

/// Names are compared without regard to case, as everywhere in DNS.
fn is_ours(name: &str, kind: &str) -> bool {
    name.eq_ignore_ascii_case(NAME) && kind == TYPE
}

/// What differs from what was published. The order of TXT strings is no difference: some interfaces have a table of them.
fn difference(port: &str, addresses: &str, txt: &[String]) -> Option<String> {
    let wanted: BTreeSet<&str> = TXT.into_iter().collect();
    let got: BTreeSet<&str> = txt.iter().map(String::as_str).collect();
    let own = |address: &str| {
        let address = address.split('%').next().unwrap_or_default();
        let address = address.parse::<IpAddr>().ok();
        address.is_some_and(|address| Wire::addresses(0).contains(&address))
    };
    if port != PORT.to_string() {
        Some(format!("port {port}"))
    } else if got != wanted {
        Some(format!("TXT {txt:?}"))
    } else if !addresses.split(',').any(own) {
        Some(format!("addresses {addresses}"))
    } else {
        None
    }
}

/// A cable between two hosts. Dropping it removes it.
struct Wire {
    ends: [String; 2],
}

impl Wire {
    fn new(number: usize) -> io::Result<Self> {
        let stem = format!("cooee-{}-pair{number}", std::process::id());
        let wire = Self {
            ends: ["a", "b"].map(|end| format!("{stem}{end}")),
        };
        let [first, second] = &wire.ends;
        for end in &wire.ends {
            ip(&["netns", "add", end])?;
        }
        let cable = [
            "link", "add", INTERFACE, "type", "veth", "peer", "name", INTERFACE,
        ];
        ip(&[&["-n", first], cable.as_slice(), &["netns", second]].concat())?;
        for (number, end) in wire.ends.iter().enumerate() {
            ip(&["-n", end, "link", "set", "lo", "up"])?;
            // Addresses are given, not derived, and not checked for duplicates: they can be used at once.
            ip(&[
                "-n",
                end,
                "link",
                "set",
                INTERFACE,
                "addrgenmode",
                "none",
                "up",
            ])?;
            for (address, bits) in Self::addresses(number).iter().zip([24, 64, 64]) {
                let address = format!("{address}/{bits}");
                ip(&[
                    "-n", end, "addr", "add", &address, "dev", INTERFACE, "nodad",
                ])?;
            }
        }
        Ok(wire)
    }

    /// One IPv4, one routable and one link-local IPv6 address.
    fn addresses(end: usize) -> [IpAddr; 3] {
        let number = if end == 0 { 10 } else { 11 };
        [
            IpAddr::from([192, 0, 2, number]),
            IpAddr::from([0x2001, 0xdb8, 0, 0x5353, 0, 0, 0, number.into()]),
            IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, number.into()]),
        ]
    }

    fn launch(&self, end: usize, contender: &Contender) -> Launch {
        let host = if end == 0 { "publisher" } else { "browser" };
        Launch {
            command: format!("export COOEE_HOST={host}; {}", contender.command),
            interface: INTERFACE.to_owned(),
            namespace: self.ends.get(end).cloned(),
        }
    }

    /// Begins to record what passes, if tcpdump is there.
    fn capture(&self, file: &Path) -> io::Result<Option<Capture>> {
        let [end, _] = &self.ends;
        let mut command = Command::new("ip");
        command.args([
            "netns", "exec", end, "tcpdump", "-i", INTERFACE, "-Z", "root", "-U", "-w",
        ]);
        command.arg(file).args(["udp", "port", "5353"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Some(Capture {
            file: file.to_owned(),
            tcpdump: command.spawn()?,
        }))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for end in &self.ends {
            // One that was not made cannot be removed.
            let _ = ip(&["netns", "delete", end]);
        }
    }
}

/// A running tcpdump.
struct Capture {
    file: PathBuf,
    tcpdump: Child,
}

impl Capture {
    /// Ends it, and gives what the file has.
    fn end(mut self, keep: bool) -> io::Result<Vec<u8>> {
        // Every packet is in the file as soon as it is heard; an unfinished last one does no harm.
        let _ = self.tcpdump.kill();
        self.tcpdump.wait()?;
        let octets = std::fs::read(&self.file).unwrap_or_default();
        if !keep && self.file.exists() {
            std::fs::remove_file(&self.file)?;
        }
        Ok(octets)
    }
}

/// Whether a goodbye for the instance is in this capture: a classic pcap file of Ethernet frames, in our byte order.
fn has_goodbye(capture: &[u8]) -> bool {
    let kind = name(&["_http", "_tcp", "local"]);
    let mut rest = capture.get(24..).unwrap_or_default();
    while let Some((head, after)) = rest.split_first_chunk::<16>() {
        let [.., l0, l1, l2, l3, _, _, _, _] = *head;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        let Some((frame, next)) = after.split_at_checked(len) else {
            return false;
        };
        rest = next;
        // Ethernet has 14 octets, IPv4 without options 20, IPv6 40, UDP 8.
        let payload = match frame.get(12..14) {
            Some([0x08, 0x00]) => frame.get(42..),
            Some([0x86, 0xdd]) => frame.get(62..),
            _ => None,
        };
        let contents = Contents::decode(payload.unwrap_or_default());
        if contents.goodbye(&kind, RecordType::PTR).is_some() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use cooee_wire::{RdataBuf, RecordBuf};

    use super::*;
    use crate::query::Outgoing;

    #[test]
    fn a_goodbye_is_found_in_a_capture() {
        let owner = name(&["_http", "_tcp", "local"]);
        let target = RdataBuf::ptr(name(&["a", "_http", "_tcp", "local"]).as_name());
        let capture = |ttl| {
            let record = RecordBuf::new(owner.clone(), ttl, target.clone());
            let mut frame = vec![0; 42];
            frame.splice(12..14, [0x08, 0x00]);
            frame.extend(Outgoing::response().answer(record).build());
            let mut file = vec![0; 24 + 8];
            for _ in 0..2 {
                file.extend(u32::try_from(frame.len()).unwrap_or_default().to_ne_bytes());
            }
            file.extend(frame);
            file
        };
        assert!(has_goodbye(&capture(0)));
        assert!(!has_goodbye(&capture(120)));
        assert!(!has_goodbye(&[]));
    }

    #[test]
    fn only_what_was_published_counts_as_resolved() {
        let txt = ["u=web".to_owned(), "path=/".to_owned()];
        assert_eq!(difference("8080", "192.0.2.10", &txt), None);
        assert_eq!(difference("8080", "fe80::10%lab0,192.0.2.10", &txt), None);
        for (port, addresses, txt) in [
            ("80", "192.0.2.10", txt.as_slice()),
            ("8080", "192.0.2.11", &txt),
            ("8080", "-", &txt),
            ("8080", "192.0.2.10", &txt[..1]),
        ] {
            assert!(
                difference(port, addresses, txt).is_some(),
                "{port} {addresses}"
            );
        }
    }
}
