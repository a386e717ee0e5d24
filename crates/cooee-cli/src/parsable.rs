//! The lines of `avahi-browse --parsable`, for scripts that were written for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use cooee::Link;

use crate::escape;
use crate::found::Only;
use crate::picture::{Address, DOMAIN, Identity, Interface, Picture};

/// The letters of `avahi-browse` that other words do not cover.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "As with avahi-browse")]
pub(crate) struct Letters {
    /// Lines for scripts that know avahi-browse -p; host, port, address and attributes only with -r
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) parsable: bool,
    /// Types by their wire name (they always are, with -p)
    #[arg(short = 'k', long, hide = true)]
    pub(crate) no_db_lookup: bool,
    /// Do not fail if there is no daemon (there is none to wait for)
    #[arg(short = 'f', long, hide = true)]
    pub(crate) no_fail: bool,
    /// End with the cache of the daemon (there is none)
    #[arg(short = 'c', long, hide = true)]
    pub(crate) cache: bool,
    /// List the types that have words: cooee types --known
    #[arg(short = 'b', long, hide = true, conflicts_with_all = ["types", "browse_domains"])]
    pub(crate) dump_db: bool,
    /// List the domains to look in: cooee types --domains
    #[arg(short = 'D', long, hide = true, conflicts_with = "types")]
    pub(crate) browse_domains: bool,
}

/// How such lines are written.
#[derive(Clone, Debug)]
pub(crate) struct Parsable {
    /// With host, port, address and attributes.
    pub(crate) resolve: bool,
    /// Only lines of this family.
    only: Option<Only>,
    /// The families of each link, by index, as last known.
    families: BTreeMap<u32, Vec<Only>>,
}

impl Parsable {
    /// Lines of the families that are wished.
    pub(crate) fn new(resolve: bool, only: Option<Only>) -> Self {
        Self {
            resolve,
            only,
            families: BTreeMap::new(),
        }
    }

    /// Learns which families the links speak; what it knows of others it keeps for what is gone with them.
    pub(crate) fn know(&mut self, links: &[Link]) {
        for link in links.iter().filter(|link| link.is_in_use()) {
            let has = |of: fn(&IpAddr) -> bool| {
                let addresses = link.addresses().iter();
                addresses.map(|address| address.address).any(|ip| of(&ip))
            };
            let mut families = Vec::new();
            if has(IpAddr::is_ipv4) {
                families.push(Only::V4);
            }
            if has(IpAddr::is_ipv6) && !link.is_loopback() {
                families.push(Only::V6);
            }
            self.families.insert(link.index(), families);
        }
    }

    /// A line for each link and family on which a service came (`+`) or went (`-`).
    pub(crate) fn came_or_went(
        &self,
        sign: char,
        identity: &Identity,
        links: &[Interface],
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for link in links {
            for family in self.families(link) {
                lines.push(head(sign, link, family, identity));
            }
        }
        lines
    }

    /// A line for each link and family in which a service has an address: the best one.
    pub(crate) fn resolved(&self, picture: &Picture) -> Vec<String> {
        let mut lines = Vec::new();
        for link in &picture.links {
            for family in self.families(link) {
                let addresses = picture.addresses.iter().filter(|address| {
                    let is_here = address.interface.as_ref();
                    family.keeps(address.ip) && is_here.is_none_or(|on| on.index == link.index)
                });
                let Some(best) = addresses.min_by_key(|address| address.rank()) else {
                    continue;
                };
                lines.push(whole(link, family, picture, best));
            }
        }
        lines
    }

    fn families(&self, link: &Interface) -> Vec<Only> {
        let both = [Only::V4, Only::V6];
        let known = self.families.get(&link.index);
        let families = known.map_or(&both[..], Vec::as_slice).iter().copied();
        families
            .filter(|family| self.only.is_none_or(|only| only == *family))
            .collect()
    }
}

fn head(sign: char, link: &Interface, family: Only, identity: &Identity) -> String {
    let family = match family {
        Only::V4 => "IPv4",
        Only::V6 => "IPv6",
    };
    format!(
        "{sign};{};{family};{};{};{DOMAIN}",
        escape::text(&link.name),
        name(&identity.instance),
        escape::text(&identity.type_wire)
    )
}

fn whole(link: &Interface, family: Only, picture: &Picture, address: &Address) -> String {
    let strings: Vec<String> = picture.txt.iter().map(|text| quoted(text)).collect();
    format!(
        "{};{};{};{};{}",
        head('=', link, family, &picture.identity),
        escape::escaped_text(&picture.host),
        address.ip,
        picture.port,
        strings.join(" ")
    )
}

/// A name: letters, digits, `_` and `-` as they are, `.` and `\` with a backslash, every other octet by its number.
fn name(label: &[u8]) -> String {
    let mut out = String::new();
    for octet in label {
        match octet {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' => out.push(char::from(*octet)),
            b'.' | b'\\' => {
                out.push('\\');
                out.push(char::from(*octet));
            }
            _ => number(*octet, &mut out),
        }
    }
    out
}

/// A string of the TXT record, in quotes.
fn quoted(string: &[u8]) -> String {
    let mut out = String::from("\"");
    for octet in string {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*octet));
            }
            b' '..=b'~' => out.push(char::from(*octet)),
            _ => number(*octet, &mut out),
        }
    }
    out.push('"');
    out
}

fn number(octet: u8, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\{octet:03}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::examples;

    #[test]
    fn the_lines_are_those_of_avahi_browse() {
        let lines = Parsable::new(true, None);
        let mut shown = Vec::new();
        for picture in [
            examples::web_server(),
            examples::two_views(),
            examples::hostile(),
        ] {
            shown.extend(lines.came_or_went('+', &picture.identity, &picture.links));
            shown.extend(lines.resolved(&picture));
            shown.extend(lines.came_or_went('-', &picture.identity, &picture.links));
        }
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn one_family_alone_is_shown_if_that_is_wished() {
        let lines = Parsable::new(true, Some(Only::V4));
        let web = examples::web_server();
        assert_eq!(lines.came_or_went('+', &web.identity, &web.links).len(), 1);
        assert_eq!(lines.resolved(&web).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_name_or_an_attribute_holds_a_line_is_a_line(
            octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..=63)
        ) {
            proptest::prop_assert!(!name(&octets).contains([';', '\n', ' ', '"']));
            proptest::prop_assert!(quoted(&octets).chars().all(|c| (' '..='~').contains(&c)));
        }
    }
}
