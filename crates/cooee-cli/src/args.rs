//! The words of the command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};

#[cfg(feature = "tui")]
use crate::commands::tui;
#[cfg(feature = "ui")]
use crate::commands::ui;
use crate::commands::{man, monitor};
use crate::paint::ColorChoice;
use crate::parsable::Letters;
use crate::type_arg::{self, TypeArg};
use crate::{doctor, duration, publish, value_arg};

/// Find, look at and publish services on the local link, with multicast DNS and no configuration.
#[derive(Debug, Parser)]
#[command(
    name = "cooee",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What holds for every command.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Common {
    /// Use this interface: name, index or pattern such as 'eth*' (repeatable; against the usual choice)
    #[arg(
        short,
        long = "interface",
        global = true,
        value_name = "NAME|INDEX|GLOB",
        value_delimiter = ','
    )]
    pub(crate) interfaces: Vec<String>,
    /// Leave this interface out (repeatable)
    #[arg(
        short = 'I',
        long,
        global = true,
        value_name = "GLOB",
        value_delimiter = ','
    )]
    pub(crate) exclude_interface: Vec<String>,
    /// Ask for, show and publish IPv4 addresses only
    #[arg(short = '4', long = "ipv4", global = true, conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// Ask for, show and publish IPv6 addresses only
    #[arg(short = '6', long = "ipv6", global = true)]
    pub(crate) ipv6: bool,
    /// Carry packets over this family only
    #[arg(long, global = true, value_name = "FAMILY")]
    pub(crate) over: Option<Over>,
    /// One JSON object per event and line
    #[arg(short, long, global = true)]
    pub(crate) json: bool,
    /// Colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// More of it; twice: what goes over the wire
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// Which packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Over {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show services as they come, change and go
    #[command(after_long_help = BROWSE_EXAMPLES)]
    Browse(Browse),
    /// Look up one service: host, port, addresses, attributes
    #[command(after_long_help = RESOLVE_EXAMPLES)]
    Resolve(Resolve),
    /// Publish services until told to stop
    #[command(after_long_help = publish::EXAMPLES)]
    Publish(publish::Args),
    /// Look up the addresses of hosts, or the names of addresses
    #[command(after_long_help = HOST_EXAMPLES)]
    Host(Host),
    /// Look up records by name and type
    #[command(after_long_help = QUERY_EXAMPLES)]
    Query(Query),
    /// List the types of services that are announced
    Types(Types),
    /// Show every packet of multicast DNS, and what is wrong with it
    #[command(after_long_help = monitor::EXAMPLES)]
    Monitor(monitor::Args),
    /// Find out why nothing is found
    #[command(after_long_help = doctor::EXAMPLES)]
    Doctor(doctor::Args),
    /// Show everything on the link here in the terminal
    #[cfg(feature = "tui")]
    #[command(after_long_help = tui::EXAMPLES)]
    Tui(tui::Args),
    /// Show everything on the link as a page in the browser
    #[cfg(feature = "ui")]
    #[command(after_long_help = ui::EXAMPLES)]
    Ui(ui::Args),
    /// Publish and find a service on this machine alone: does it work here?
    Demo(Demo),
    /// Print a script that completes words in a shell
    #[command(after_long_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print a page of the manual
    #[command(hide = true)]
    Man(man::Args),
}

const BROWSE_EXAMPLES: &str = "\
Examples:
  cooee browse http                     web sites, as they come and go
  cooee browse -t                       all that is there now
  cooee browse -j ipp ipps | jq .host   printers, for a script
  cooee browse -n 1 -w 5 _ssh._tcp      the first one within 5 s

Exit code: 0 found, 1 nothing found, 2 wrong words, 3 trouble with the network.";

const RESOLVE_EXAMPLES: &str = "\
Examples:
  cooee resolve \"Keith’s web server\" http
  cooee resolve \"Keith’s web server._http._tcp.local\"
  curl \"$(cooee resolve --print url \"Keith’s web server\" http)\"

Exit code: 0 found, 1 not found, 2 wrong words, 3 trouble with the network.";

/// Show services as they come, change and go.
#[derive(Debug, ClapArgs)]
pub(crate) struct Browse {
    /// Service types: _http._tcp, '_http._tcp,_printer' for a subtype, or just http (none: all types)
    #[arg(value_name = "TYPE", value_parser = type_arg::parse)]
    pub(crate) types: Vec<TypeArg>,
    /// Every type there is (the same as naming none)
    #[arg(short, long, conflicts_with = "types")]
    pub(crate) all: bool,
    /// Look up host, port, addresses and attributes (the default)
    #[arg(short, long, conflicts_with = "no_resolve")]
    pub(crate) resolve: bool,
    /// Names only
    #[arg(long)]
    pub(crate) no_resolve: bool,
    /// End when all is found: after 1 to 5 seconds
    #[arg(short = 't', long, visible_alias = "terminate")]
    pub(crate) once: bool,
    /// End after N services
    #[arg(short = 'n', long, value_name = "N", value_parser = value_arg::count)]
    pub(crate) count: Option<u64>,
    /// End after this time: 5, 5s, 500ms, 2m
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Only services of this subtype, such as _printer
    #[arg(short, long, value_name = "SUBTYPE")]
    pub(crate) subtype: Option<String>,
    /// The domain to look in: local is the only one yet
    #[arg(short, long, value_name = "DOMAIN", value_parser = value_arg::domain)]
    pub(crate) domain: Option<String>,
    /// Leave out what this host publishes
    #[arg(
        short = 'l',
        long,
        alias = "ignore-local",
        conflicts_with = "no_resolve"
    )]
    pub(crate) no_local: bool,
    /// The rest of avahi-browse's letters.
    #[command(flatten)]
    pub(crate) avahi: Letters,
}

/// Look up one service.
#[derive(Debug, ClapArgs)]
pub(crate) struct Resolve {
    /// The service: "Test Svc.One", or whole "Test Svc.One._http._tcp" (\\ and \DDD are escapes)
    #[arg(value_name = "NAME")]
    pub(crate) name: OsString,
    /// Its type, if NAME does not end in it
    #[arg(value_name = "TYPE", value_parser = type_arg::parse)]
    pub(crate) kind: Option<TypeArg>,
    /// Give up after this time (3s, unless --watch)
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Stay, and show each change
    #[arg(long, conflicts_with = "print")]
    pub(crate) watch: bool,
    /// Just this, on one line
    #[arg(long, value_name = "WHAT", conflicts_with = "json")]
    pub(crate) print: Option<Print>,
}

/// What a script wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Print {
    /// The host name: tabasco.local
    Host,
    /// The port: 8080
    Port,
    /// The best address: 192.0.2.17, or fe80::1%eth0
    Address,
    /// All in one, for types that have one: http, https, ssh, ipp, smb …
    Url,
}

const HOST_EXAMPLES: &str = "\
Examples:
  cooee host tabasco
  cooee host 192.0.2.17
  ssh \"$(cooee host -4 --print address tabasco)\"

Exit code: 0 all found, 1 one or more not found, 2 wrong words, 3 trouble with the network.";

const QUERY_EXAMPLES: &str = "\
Examples:
  cooee query tabasco.local AAAA
  cooee query _http._tcp.local PTR --watch
  cooee query @192.0.2.17 tabasco.local ANY

Exit code: 0 found, 1 not found, 2 wrong words, 3 trouble with the network.";

/// Look up the addresses of hosts, or the names of addresses.
#[derive(Debug, ClapArgs)]
pub(crate) struct Host {
    /// Hosts (tabasco, tabasco.local) or addresses (192.0.2.17, fe80::1%eth0)
    #[arg(value_name = "NAME|ADDRESS", required = true)]
    pub(crate) names: Vec<String>,
    /// Give up after this time (3s)
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Just this, one per line
    #[arg(long, value_name = "WHAT", conflicts_with = "json")]
    pub(crate) print: Option<HostPrint>,
}

/// What a script wants to know of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostPrint {
    /// The addresses
    Address,
    /// The name
    Name,
}

/// Look up records by name and type.
#[derive(Debug, ClapArgs)]
pub(crate) struct Query {
    /// The name: tabasco.local, _http._tcp.local
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The type of record: A, AAAA, PTR, SRV, TXT, ANY … or TYPE65
    #[arg(value_name = "RRTYPE")]
    pub(crate) kind: String,
    /// Ask this host alone, by unicast: @192.0.2.17
    #[arg(value_name = "@ADDRESS", conflicts_with_all = ["watch", "unicast"])]
    pub(crate) server: Option<String>,
    /// Ask for answers by unicast (QU)
    #[arg(long)]
    pub(crate) unicast: bool,
    /// Give up after this time (3s, unless --watch)
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Stay, and show each change
    #[arg(long)]
    pub(crate) watch: bool,
    /// End with the answer (it always does)
    #[arg(long, hide = true, conflicts_with = "watch")]
    pub(crate) once: bool,
}

/// List the types of services that are announced.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct Types {
    /// End after this time
    #[arg(short = 'w', long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Stay, and show each change
    #[arg(long)]
    pub(crate) watch: bool,
    /// The types that cooee has words for, without asking anybody
    #[arg(long, conflicts_with_all = ["watch", "timeout"])]
    pub(crate) known: bool,
    /// The domains to look in, rather than types
    #[arg(long, conflicts_with_all = ["watch", "known", "json"])]
    pub(crate) domains: bool,
}

/// Publish and find a service on this machine alone.
#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  cooee completions bash > ~/.local/share/bash-completion/completions/cooee
  cooee completions fish > ~/.config/fish/completions/cooee.fish";

/// Print a script that completes words in a shell.
#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// What `cooee` alone says: ten lines, on stderr.
pub(crate) const BRIEF_HELP: &str = "\
cooee finds and publishes services on the local link, with no configuration.

  cooee browse http                                web sites near you, as they come and go
  cooee resolve \"Keith’s web server\" http          where is it?
  cooee publish \"Keith’s web server\" http 8080     be found
  cooee demo                                       does it work here?

Commands: browse, resolve, publish, host, query, types, monitor, tui, ui, doctor, demo, completions
Options everywhere: -i INTERFACE, -4, -6, --json, -v, -q
'cooee COMMAND --help' tells more.
";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_words_do_not_clash() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_brief_help_is_ten_lines_with_four_examples() {
        assert_eq!(BRIEF_HELP.lines().count(), 10);
        assert_eq!(
            BRIEF_HELP
                .lines()
                .filter(|line| line.starts_with("  cooee "))
                .count(),
            4
        );
    }

    #[test]
    fn help_reads_well() {
        for (name, args) in [
            ("cooee", &["cooee", "-h"][..]),
            ("browse", &["cooee", "browse", "--help"]),
            ("resolve", &["cooee", "resolve", "--help"]),
            ("publish", &["cooee", "publish", "--help"]),
            ("monitor", &["cooee", "monitor", "--help"]),
        ] {
            let help = Args::command()
                .term_width(100)
                .try_get_matches_from(args)
                .unwrap_err();
            insta::assert_snapshot!(format!("help_{name}"), help.to_string());
        }
    }
}
