//! Which interfaces the words of the command line mean.

use cooee::{Link, LinkStatus, Links};

use crate::args::Common;
use crate::escape;
use crate::failure::Failure;
use crate::nearest::nearest;

/// The environment's choice where the command line makes none.
pub(crate) const ENVIRONMENT: &str = "COOEE_INTERFACE";

/// The interfaces that were named: on the command line, else in the environment.
pub(crate) fn named(common: &Common, environment: Option<&str>) -> Vec<String> {
    if !common.interfaces.is_empty() {
        return common.interfaces.clone();
    }
    let names = environment.unwrap_or_default().split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The choice for the library: naming one insists, against the policy by role.
pub(crate) fn links(named: &[String], excluded: &[String]) -> Links {
    let one = |name: &String| match name.parse() {
        Ok(index) => Links::index(index),
        Err(_) => Links::from(name.as_str()),
    };
    let chosen = named.iter().map(one).reduce(Links::and).unwrap_or_default();
    excluded.iter().map(one).fold(chosen, Links::except)
}

/// The index of the interface with this name or index, if there is one.
#[cfg(unix)]
pub(crate) fn index(name: &str) -> Option<u32> {
    let index = name.parse().ok();
    index.or_else(|| nix::net::if_::if_nametoindex(name).ok())
}

/// The index of the interface with this index.
#[cfg(not(unix))]
pub(crate) fn index(name: &str) -> Option<u32> {
    name.parse().ok()
}

/// One interface of this machine, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Present {
    /// `eth0`
    pub(crate) name: String,
    /// Its index.
    pub(crate) index: u32,
    /// Why it is not used, if it is not.
    pub(crate) unused: Option<String>,
    /// It was wished for, but cannot be used now.
    pub(crate) unusable: bool,
}

impl From<&Link> for Present {
    fn from(link: &Link) -> Self {
        let (unused, unusable) = match link.status() {
            LinkStatus::InUse => (None, false),
            LinkStatus::Unusable(why) => (Some(why.clone()), true),
            LinkStatus::LeftOut(why) => (Some(why.clone()), false),
            _ => (Some("it is not used".into()), false),
        };
        Self {
            name: link.name().into(),
            index: link.index(),
            unused,
            unusable,
        }
    }
}

/// Checks that every interface that was named is there. A pattern may match nothing yet: links come later too.
///
/// # Errors
///
/// One line: which is not there, which are, the nearest.
pub(crate) fn check(named: &[String], present: &[Present]) -> Result<(), Failure> {
    for name in named {
        let is_there = match name.parse::<u32>() {
            Ok(index) => present.iter().any(|one| one.index == index),
            Err(_) => is_pattern(name) || present.iter().any(|one| one.name == *name),
        };
        if !is_there {
            let near = nearest(name, present.iter().map(|one| one.name.as_str()));
            return Err(Failure::usage(format!(
                "no interface '{}'; there {}{}",
                escape::text(name),
                listed(present),
                near.map(|near| format!("; did you mean '{}'?", escape::text(near)))
                    .unwrap_or_default()
            )));
        }
    }
    Ok(())
}

/// Why there is nothing to send on, if that is so.
pub(crate) fn trouble(present: &[Present]) -> Option<String> {
    if present.iter().any(|one| one.unused.is_none()) {
        return None;
    }
    let each: Vec<String> = present
        .iter()
        .map(|one| {
            format!(
                "{}: {}",
                escape::text(&one.name),
                one.unused.as_deref().unwrap_or_default()
            )
        })
        .collect();
    Some(match each.as_slice() {
        [] => "no usable link: there is no interface at all".into(),
        each => format!("no usable link; {}", each.join("; ")),
    })
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

fn listed(present: &[Present]) -> String {
    let names: Vec<String> = present
        .iter()
        .map(|one| match (&one.unused, one.unusable) {
            (Some(why), true) => format!("{} ({why})", escape::text(&one.name)),
            _ => escape::text(&one.name),
        })
        .collect();
    match names.as_slice() {
        [] => "is none".into(),
        [one] => format!("is {one}"),
        several => format!("are {}", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present() -> Vec<Present> {
        let one = |name: &str, index, unused: Option<&str>, unusable| Present {
            name: name.into(),
            index,
            unused: unused.map(Into::into),
            unusable,
        };
        vec![
            one("lo", 1, Some("loopback is used only when asked for"), false),
            one("eth0", 2, None, false),
            one("wlan0", 3, Some("the interface is down"), true),
        ]
    }

    #[test]
    fn an_interface_that_is_not_there_is_named_with_those_that_are() {
        let wrong = |name: &str| check(&[name.to_owned()], &present()).unwrap_err().text;
        assert_eq!(
            wrong("eht0"),
            "no interface 'eht0'; there are lo, eth0, wlan0 (the interface is down); did you mean 'eth0'?"
        );
        assert_eq!(
            wrong("7"),
            "no interface '7'; there are lo, eth0, wlan0 (the interface is down)"
        );
        assert!(wrong("\u{1b}[2J").starts_with("no interface '\\027[2J'"));
    }

    #[test]
    fn names_indices_and_patterns_pass() {
        let named = ["eth0", "2", "lo", "veth*"].map(str::to_owned);
        assert_eq!(check(&named, &present()), Ok(()));
    }

    #[test]
    fn a_machine_without_a_usable_link_is_told_why() {
        let mut present = present();
        assert_eq!(trouble(&present), None);
        present.retain(|one| one.name != "eth0");
        assert_eq!(
            trouble(&present).as_deref(),
            Some(
                "no usable link; lo: loopback is used only when asked for; wlan0: the interface is down"
            )
        );
        assert_eq!(
            trouble(&[]).as_deref(),
            Some("no usable link: there is no interface at all")
        );
    }
}
