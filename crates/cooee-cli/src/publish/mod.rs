//! `cooee publish`: services, until told to stop.

mod child;
mod files;
mod offer;
mod running;
mod state;

use std::ffi::OsString;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use cooee::HostPolicy;

use self::child::{Child, Told};
use self::offer::Offer;
use self::running::Running;
use self::state::State;
use crate::failure::{Failure, Outcome};
use crate::session::Session;
use crate::type_arg::{self, TypeArg};
use crate::{escape, name_arg, output, value_arg, words};

/// Publish services until told to stop.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// What people will see: "Keith’s web server" (\\ and \DDD are escapes)
    #[arg(index = 1, value_name = "NAME", required_unless_present = "file")]
    name: Option<OsString>,
    /// Service type: _http._tcp, '_http._tcp,_printer' with a subtype, or just http
    #[arg(index = 2, value_name = "TYPE", required_unless_present = "file", value_parser = type_arg::parse)]
    kind: Option<TypeArg>,
    /// The port it listens on, 1 to 65535
    #[arg(index = 3, value_name = "PORT", required_unless_present = "file", value_parser = value_arg::port)]
    port: Option<u16>,
    /// Attributes for the TXT record
    #[arg(index = 4, value_name = "KEY[=VALUE]")]
    txt: Vec<OsString>,
    /// Services from a file (TOML, Avahi's .service, systemd's .dnssd), or all files of a folder (repeatable)
    #[arg(
        short,
        long,
        value_name = "FILE|DIR",
        conflicts_with_all = ["name", "txt_file", "subtype", "address", "no_rename", "priority", "weight", "ttl"]
    )]
    file: Vec<PathBuf>,
    /// An attribute whose value is the content of a file (repeatable)
    #[arg(long, value_name = "KEY=PATH")]
    txt_file: Vec<OsString>,
    /// Also be found under this subtype, such as _printer (repeatable)
    #[arg(long, value_name = "SUBTYPE")]
    subtype: Vec<String>,
    /// The name of this host, such as tabasco
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Publish for another machine: its address, beside its name in --host (repeatable)
    #[arg(long, value_name = "IP", requires = "host", value_parser = value_arg::address)]
    address: Vec<IpAddr>,
    /// Fail if the name is taken, rather than become "NAME (2)"
    #[arg(long)]
    no_rename: bool,
    /// Keep the name that was chosen after a conflict in this file, for the next time
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Lower is preferred by clients
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = value_arg::preference)]
    priority: u16,
    /// The share among services of one priority
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = value_arg::preference)]
    weight: u16,
    /// For how long others may keep its SRV and TXT records (2m and 75m)
    #[arg(long, value_name = "TIME", value_parser = value_arg::lifetime)]
    ttl: Option<u32>,
    /// A command to live as long as; it sees COOEE_NAME, COOEE_HOST and COOEE_PORT
    #[arg(index = 5, last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Examples for `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  cooee publish \"Keith’s web server\" http 8080 path=/
  cooee publish \"Lobby\" ipp 631 --subtype _universal txtvers=1 Color
  cooee publish \"Old LaserJet\" ipp 631 --host laserjet --address 192.0.2.50
  cooee publish \"My files\" http 8000 -- python3 -m http.server 8000
  cooee publish -f /etc/avahi/services

KEY alone, KEY= and KEY=VALUE are three different things. With --file, SIGHUP reads the files again.
Exit code: 0 ended as told, 1 name taken (--no-rename), 2 wrong words or files, 3 trouble with the
network; with a command, its own.";

/// Runs the command.
///
/// # Errors
///
/// Wrong words or files, a name that is taken, or trouble with the network or the output.
pub(crate) async fn run(args: &Args, session: Session) -> Result<Outcome, Failure> {
    let Plan { offers, host } = plan(args, &session)?;
    let store = match &args.state {
        Some(file) => Some(State::open(file, session.talk)?),
        None => None,
    };
    let is_for_others_only = offers.iter().all(|offer| offer.host.is_some());
    let policy = match &host {
        Some(name) if !is_for_others_only => HostPolicy::Named(name.clone()),
        _ => HostPolicy::Derived,
    };
    if !args.file.is_empty() {
        session.signals.hang_up_is_news();
    }
    let zeroconf = session.open_with(policy, store).await?;
    // It is there before anybody can find it.
    let child = match offers.first() {
        Some(offer) => start_child(args, offer, host.as_deref()),
        None => Ok(None),
    };
    let child = match child {
        Ok(child) => child,
        Err(failure) => {
            session.close(&zeroconf).await;
            return Err(failure);
        }
    };
    if child.is_some() {
        session.signals.be_patient();
    }
    let mut running = Running::new(session, zeroconf, child);
    running.publish(offers);
    let end = running.watch(|session| plan(args, session)).await;
    running.finish(end).await
}

/// What is to be published, and as which host.
pub(crate) struct Plan {
    offers: Vec<Offer>,
    host: Option<String>,
}

/// Reads what is to be published from the command line and the files; all of it is checked, and nothing is sent yet.
fn plan(args: &Args, session: &Session) -> Result<Plan, Failure> {
    if args.file.is_empty() {
        let offer = offer(args)?;
        return Ok(Plan {
            host: args.host.clone().filter(|_| offer.host.is_none()),
            offers: vec![offer],
        });
    }
    let contents = files::read(&args.file, &computer());
    for warning in &contents.warnings {
        session.talk.hint(warning);
    }
    if let Some((last, front)) = contents.faults.split_last() {
        for fault in front {
            session.talk.error(&fault.text);
        }
        return Err(Failure::usage(&last.text));
    }
    Ok(Plan {
        offers: contents
            .offers
            .into_iter()
            .map(|(_, offer)| offer)
            .collect(),
        host: args.host.clone().or(contents.host),
    })
}

/// What this computer is called.
fn computer() -> String {
    let host = crate::doctor::host();
    host.trim_end_matches(".local").to_owned()
}

fn start_child(args: &Args, offer: &Offer, host: Option<&str>) -> Result<Option<Child>, Failure> {
    let host = match offer.host.as_deref().or(host) {
        Some(host) => format!(
            "{}.local",
            host.trim_end_matches('.').trim_end_matches(".local")
        ),
        None => format!("{}-cooee.local", computer()),
    };
    let told = Told {
        name: &String::from_utf8_lossy(&offer.name),
        host: &host,
        port: offer.port,
    };
    Child::start(&args.command, &told)
}

/// The service that the command line describes.
fn offer(args: &Args) -> Result<Offer, Failure> {
    let (Some(name), Some(kind), Some(port)) = (&args.name, &args.kind, args.port) else {
        return Err(Failure::usage("NAME, TYPE and PORT are missing"));
    };
    let typed = words::octets(name).map_err(Failure::usage)?;
    let mut txt = Vec::new();
    for word in &args.txt {
        txt.push(words::octets(word).map_err(Failure::usage)?);
    }
    for word in &args.txt_file {
        txt.push(txt_file(word)?);
    }
    // Without addresses it is this host that is meant.
    let is_proxy = !args.address.is_empty();
    let offer = Offer {
        name: name_arg::instance_label(&typed).map_err(Failure::usage)?,
        kind: kind.wire.clone(),
        subtypes: [kind.subtypes.as_slice(), &args.subtype].concat(),
        port,
        priority: args.priority,
        weight: args.weight,
        ttl: args.ttl,
        txt,
        interfaces: Vec::new(),
        host: args.host.clone().filter(|_| is_proxy),
        addresses: args.address.clone(),
        no_rename: args.no_rename,
    };
    offer.service().map_err(Failure::usage)?;
    Ok(offer)
}

/// A string of a TXT record has one octet for its length (RFC 6763 §6.1).
const MOST_OF_A_STRING: usize = 255;

/// `KEY=PATH`: the string with the content of the file.
fn txt_file(word: &OsString) -> Result<Vec<u8>, Failure> {
    let octets = words::octets(word).map_err(Failure::usage)?;
    let shown = escape::octets(&octets);
    let Some(at) = octets.iter().position(|octet| *octet == b'=') else {
        return Err(Failure::usage(format!(
            "'{shown}' has no '=': write KEY=PATH"
        )));
    };
    let (key, path) = octets.split_at(at);
    let path = path.get(1..).unwrap_or_default();
    let file = escape::octets(path);
    let room = MOST_OF_A_STRING.saturating_sub(at + 1);
    let mut content = Vec::new();
    let opened = std::fs::File::open(words::path(path));
    opened
        .and_then(|opened| opened.take(room as u64 + 1).read_to_end(&mut content))
        .map_err(|error| Failure::usage(format!("{file}: {}", output::plain(&error))))?;
    if content.len() > room {
        let key = escape::octets(key);
        return Err(Failure::usage(format!(
            "{file}: it is too long: behind the key '{key}' at most {room} bytes fit"
        )));
    }
    Ok([key, b"=", content.as_slice()].concat())
}
