//! Which links somebody wants.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::link::Link;
use crate::{LinkId, LinkSet};

/// A choice of links: of those a driver uses at all, or of those one publication or question is for.
///
/// The default is a policy by role: everything that looks like a network to other machines. Left out are loopback, point-to-point links
/// (VPNs), ports of bridges and bonds, and bridges that lead to containers or virtual machines only. If that leaves nothing, all
/// multicast-capable links but loopback are taken.
///
/// A choice is looked at again whenever an interface changes, so it also speaks of interfaces that do not exist yet. Cloning is cheap.
///
/// ```
/// use cooee_mdns::net::Links;
///
/// let not_docker = Links::default().except("docker*");
/// let two = Links::from("eth0").and("wlan*");
/// let big = Links::matching(|link| link.mtu() > 1500);
/// # let _ = (not_docker, two, big);
/// ```
#[derive(Clone, Default)]
pub struct Links {
    rule: Rule,
}

#[derive(Clone, Default)]
enum Rule {
    #[default]
    ByRole,
    All,
    None,
    Loopback,
    Name(Arc<str>),
    Index(u32),
    Address(IpAddr),
    Kind(Arc<str>),
    Matching(Arc<dyn Fn(&Link) -> bool + Send + Sync>),
    And(Arc<(Self, Self)>),
    Except(Arc<(Self, Self)>),
}

impl Links {
    /// All links but loopback, whatever they lead to.
    pub fn all() -> Self {
        Rule::All.into()
    }

    /// No link.
    pub fn none() -> Self {
        Rule::None.into()
    }

    /// The loopback interface: other programs on this machine.
    pub fn loopback() -> Self {
        Rule::Loopback.into()
    }

    /// The interface with this index.
    pub fn index(index: u32) -> Self {
        Rule::Index(index).into()
    }

    /// The virtual interfaces of a kind that the system has a word for, such as `bridge` or `wireguard`.
    pub fn kind(kind: impl Into<String>) -> Self {
        Rule::Kind(kind.into().into()).into()
    }

    /// The links for which `wanted` says true. It is asked about loopback too, runs on the driver's task and must not block.
    pub fn matching(wanted: impl Fn(&Link) -> bool + Send + Sync + 'static) -> Self {
        Rule::Matching(Arc::new(wanted)).into()
    }

    /// Those of `more` as well.
    #[must_use]
    pub fn and(self, more: impl Into<Self>) -> Self {
        Rule::And(Arc::new((self.rule, more.into().rule))).into()
    }

    /// Without those of `fewer`.
    #[must_use]
    pub fn except(self, fewer: impl Into<Self>) -> Self {
        Rule::Except(Arc::new((self.rule, fewer.into().rule))).into()
    }

    /// Whether a link is among them.
    pub fn contains(&self, link: &Link) -> bool {
        self.rule.contains(link)
    }

    /// The links for one publication or question, of those there are now.
    ///
    /// The default choice is every link in use, now and later; any other has to be made again when the links change.
    pub fn among(&self, links: &[Link]) -> LinkSet {
        if matches!(self.rule, Rule::ByRole) {
            return LinkSet::All;
        }
        let chosen = links.iter().filter(|link| self.contains(link));
        LinkSet::Only(chosen.map(Link::id).collect())
    }

    /// Why a link that is not among them is not.
    pub(super) fn why_not(&self, link: &Link) -> String {
        match (&self.rule, link.role()) {
            (Rule::ByRole, Err(why)) => why.into(),
            (Rule::Except(rules), _) if rules.0.contains(link) => "excluded by choice".into(),
            (Rule::Except(rules), Err(why)) if matches!(rules.0, Rule::ByRole) => why.into(),
            _ => "not chosen".into(),
        }
    }
}

impl Rule {
    fn contains(&self, link: &Link) -> bool {
        match self {
            Self::ByRole => link.role().is_ok(),
            Self::All => !link.is_loopback(),
            Self::None => false,
            Self::Loopback => link.is_loopback(),
            // Loopback has to be meant: by its name, not by a pattern that it happens to match.
            Self::Name(pattern) if link.is_loopback() => **pattern == *link.name(),
            Self::Name(pattern) => name_matches(pattern.as_bytes(), link.name().as_bytes()),
            Self::Index(index) => link.index() == *index,
            Self::Address(address) => link.addresses().iter().any(|a| a.address == *address),
            Self::Kind(kind) => link.kind() == Some(&**kind),
            Self::Matching(wanted) => wanted(link),
            Self::And(rules) => rules.0.contains(link) || rules.1.contains(link),
            Self::Except(rules) => rules.0.contains(link) && !rules.1.contains(link),
        }
    }
}

/// `*` stands for any run of characters, `?` for any one.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on if the present attempt fails: after the last star, with one more character given to it.
    let mut retry: Option<(&[u8], &[u8])> = None;
    let (mut pattern, mut name) = (pattern, name);
    loop {
        match (pattern, name) {
            ([], []) => return true,
            ([b'*', after @ ..], _) => {
                retry = Some((after, name));
                pattern = after;
            }
            ([b'?', p @ ..], [_, n @ ..]) => (pattern, name) = (p, n),
            ([x, p @ ..], [y, n @ ..]) if x == y => (pattern, name) = (p, n),
            _ => match retry {
                Some((after, [_, rest @ ..])) => {
                    retry = Some((after, rest));
                    (pattern, name) = (after, rest);
                }
                _ => return false,
            },
        }
    }
}

impl From<Rule> for Links {
    fn from(rule: Rule) -> Self {
        Self { rule }
    }
}

impl From<&str> for Links {
    /// By name, in which `*` stands for any run of characters and `?` for any one: `eth*`.
    fn from(pattern: &str) -> Self {
        Rule::Name(pattern.into()).into()
    }
}

impl From<String> for Links {
    fn from(pattern: String) -> Self {
        Rule::Name(pattern.into()).into()
    }
}

impl From<LinkId> for Links {
    fn from(LinkId(index): LinkId) -> Self {
        Self::index(index)
    }
}

impl From<&Link> for Links {
    fn from(link: &Link) -> Self {
        Self::index(link.index())
    }
}

impl From<IpAddr> for Links {
    /// The link that has this address.
    fn from(address: IpAddr) -> Self {
        Rule::Address(address).into()
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.rule, f)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByRole => f.write_str("by role"),
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Loopback => f.write_str("loopback"),
            Self::Name(pattern) => write!(f, "{pattern:?}"),
            Self::Index(index) => write!(f, "index {index}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Kind(kind) => write!(f, "kind {kind:?}"),
            Self::Matching(_) => f.write_str("by a function"),
            Self::And(rules) => write!(f, "({:?} and {:?})", rules.0, rules.1),
            Self::Except(rules) => write!(f, "({:?} except {:?})", rules.0, rules.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::super::role::tests::{ethernet, loopback, of_kind};
    use super::*;

    fn machine() -> Vec<Link> {
        let link = |interface| Link::new(interface, Ok(()));
        vec![
            Link::new(loopback(), Err("loopback")),
            link(ethernet(2, "eth0")),
            link(ethernet(3, "eth1")),
            Link::new(of_kind("bridge", ethernet(4, "docker0")), Err("containers")),
        ]
    }

    fn names(links: impl Into<Links>) -> Vec<String> {
        let links = links.into();
        let machine = machine();
        let chosen = machine.iter().filter(|link| links.contains(link));
        chosen.map(|link| link.name().to_owned()).collect()
    }

    #[test]
    fn links_are_chosen_by_role_name_index_address_kind_and_function() {
        assert_eq!(names(Links::default()), ["eth0", "eth1"]);
        assert_eq!(names(Links::all()), ["eth0", "eth1", "docker0"]);
        assert_eq!(names(Links::none()), [""; 0]);
        assert_eq!(names(Links::loopback()), ["lo"]);
        assert_eq!(names("eth1"), ["eth1"]);
        assert_eq!(names("*0"), ["eth0", "docker0"]);
        assert_eq!(names(LinkId(3)), ["eth1"]);
        assert_eq!(names(IpAddr::from(Ipv4Addr::new(192, 0, 2, 2))), ["eth0"]);
        assert_eq!(names(Links::kind("bridge")), ["docker0"]);
        assert_eq!(names(Links::matching(Link::is_loopback)), ["lo"]);
    }

    #[test]
    fn choices_are_joined_and_taken_from_one_another() {
        assert_eq!(names(Links::default().except("eth0")), ["eth1"]);
        assert_eq!(
            names(Links::from("docker0").and("eth0")),
            ["eth0", "docker0"]
        );
        assert_eq!(
            names(Links::all().except("eth*").and("eth1")),
            ["eth1", "docker0"]
        );
    }

    #[test]
    fn a_pattern_takes_loopback_only_by_its_whole_name() {
        assert_eq!(names("*"), ["eth0", "eth1", "docker0"]);
        assert_eq!(names("lo"), ["lo"]);
    }

    #[test]
    fn stars_and_question_marks_match_what_they_say() {
        let matches = |pattern: &str, name: &str| name_matches(pattern.as_bytes(), name.as_bytes());
        for (pattern, name) in [
            ("", ""),
            ("*", ""),
            ("*", "x"),
            ("e*0", "eth0"),
            ("e*0", "e00"),
            ("*a*b", "xaxxab"),
            ("e??0", "eth0"),
            ("eth0*", "eth0"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "x"),
            ("?", ""),
            ("e*1", "eth0"),
            ("eth", "eth0"),
            ("*a*b", "ba"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_default_choice_among_the_links_is_all_of_them() {
        assert_eq!(Links::default().among(&machine()), LinkSet::All);
        assert_eq!(
            Links::from("eth1").among(&machine()),
            LinkSet::one(LinkId(3))
        );
        assert_eq!(
            Links::from("eth9").among(&machine()),
            LinkSet::Only([].into())
        );
    }
}
