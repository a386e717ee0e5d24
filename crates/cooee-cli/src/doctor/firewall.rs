//! Rules of a packet filter that drop multicast DNS. They are read, never changed.
//!
//! A ruleset is walked as a packet to UDP port 5353 would walk it. What a rule asks beyond that (an interface, an address, a
//! mark) may hold or not: such a rule is blamed only if the test shows that packets are lost.

mod iptables;
mod nft;

use std::collections::BTreeMap;

use super::finding::{Finding, Level};
use crate::escape;

pub(super) use iptables::parse as parse_iptables;
pub(super) use nft::parse as parse_nft;

/// The chains of a packet filter by a key that jumps name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ruleset {
    chains: BTreeMap<String, Chain>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chain {
    /// For people: `inet/filter/input`.
    place: String,
    /// Packets to or from this host begin here.
    is_base: bool,
    /// What happens to those that no rule decides on: dropped, and how many were.
    drops_the_rest: Option<Option<u64>>,
    rules: Vec<Rule>,
    /// What lets mDNS through, if put before the rest.
    cure: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// As an administrator would write it.
    text: String,
    fit: Fit,
    verdict: Verdict,
    /// Packets that it has met.
    packets: Option<u64>,
}

/// Whether a rule is for a packet to UDP port 5353.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    No,
    /// It asks something that we do not know.
    Perhaps,
    Yes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Accept,
    Drop,
    Jump(String),
    Goto(String),
    Return,
    /// It only counts, logs or marks.
    None,
}

/// Something that drops multicast DNS, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Suspect {
    text: String,
    place: String,
    cure: String,
    is_certain: bool,
    packets: Option<u64>,
}

/// What could be read of the packet filter, before the test and after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FirewallFacts {
    /// Before and after; none if it could not be read.
    pub(crate) rulesets: Option<(Ruleset, Ruleset)>,
    /// Our own packets did not come back on some link; unknown if none was sent.
    pub(crate) is_something_lost: Option<bool>,
}

/// Tells what drops multicast DNS.
pub(crate) fn check(facts: &FirewallFacts) -> Vec<Finding> {
    let Some((before, after)) = &facts.rulesets else {
        let finding = Finding::new(
            "firewall-unread",
            Level::Note,
            "the rules of the packet filter could not be read",
        );
        return vec![finding.advise("'sudo cooee doctor' reads them, with nft or iptables-save")];
    };
    let earlier = before.suspects();
    let mut findings = Vec::new();
    for suspect in after.suspects() {
        let before = earlier
            .iter()
            .find(|one| one.text == suspect.text && one.place == suspect.place)
            .and_then(|one| one.packets);
        let rise = match (before, suspect.packets) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => 0,
        };
        let level = match (suspect.is_certain, facts.is_something_lost) {
            (true, Some(true) | None) => Level::Fault,
            (true, Some(false)) if rise > 0 => Level::Fault,
            (true, Some(false)) => Level::Warn,
            (false, Some(true)) if rise > 0 => Level::Fault,
            (false, Some(true)) => Level::Warn,
            // Nothing was lost, or nothing was tried: it drops something else.
            (false, _) => continue,
        };
        let (text, place) = (escape::text(&suspect.text), escape::text(&suspect.place));
        let mut shown = format!("`{text}` in {place}");
        shown += match (suspect.is_certain, level) {
            (false, _) => " may drop multicast DNS",
            (true, Level::Warn) => " drops multicast DNS, though our own packets came back",
            (true, _) => " drops multicast DNS",
        };
        if rise > 0 {
            shown += &format!(", counter rose by {rise} during the test");
        }
        findings.push(
            Finding::new("firewall", level, shown)
                .advise(escape::text(&suspect.cure))
                .fact("rule", suspect.text.as_str())
                .fact("place", suspect.place.as_str())
                .fact("rise", rise),
        );
    }
    findings
}

impl Ruleset {
    /// The chains of both.
    pub(super) fn joined(mut self, other: Self) -> Self {
        self.chains.extend(other.chains);
        self
    }

    fn suspects(&self) -> Vec<Suspect> {
        let mut suspects = Vec::new();
        for chain in self.chains.values().filter(|chain| chain.is_base) {
            let mut walk = Walk {
                ruleset: self,
                cure: &chain.cure,
                doubt: false,
                suspects: &mut suspects,
            };
            if walk.through(chain, 0) == Step::On
                && let Some(packets) = chain.drops_the_rest
            {
                let is_certain = !walk.doubt;
                suspects.push(Suspect {
                    text: "policy drop".into(),
                    place: chain.place.clone(),
                    cure: chain.cure.clone(),
                    is_certain,
                    packets,
                });
            }
        }
        suspects
    }
}

/// The way of the packet through one base chain and all that it jumps to.
struct Walk<'a> {
    ruleset: &'a Ruleset,
    cure: &'a str,
    /// A rule may have let it through already.
    doubt: bool,
    suspects: &'a mut Vec<Suspect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The rules after this one are asked.
    On,
    /// It was decided.
    Decided,
}

/// The kernel allows so many jumps.
const DEEPEST: usize = 16;

impl Walk<'_> {
    fn through(&mut self, chain: &Chain, depth: usize) -> Step {
        if depth > DEEPEST {
            return Step::On;
        }
        for rule in chain.rules.iter().filter(|rule| rule.fit != Fit::No) {
            let is_sure = rule.fit == Fit::Yes;
            let step = match &rule.verdict {
                Verdict::None => Step::On,
                Verdict::Return if is_sure => return Step::On,
                Verdict::Return => Step::On,
                Verdict::Accept => {
                    self.doubt |= !is_sure;
                    Step::Decided
                }
                Verdict::Drop => {
                    self.suspects.push(Suspect {
                        text: rule.text.clone(),
                        place: chain.place.clone(),
                        cure: self.cure.to_owned(),
                        is_certain: is_sure && !self.doubt,
                        packets: rule.packets,
                    });
                    Step::Decided
                }
                Verdict::Jump(target) | Verdict::Goto(target) => {
                    self.doubt |= !is_sure;
                    let known = self.ruleset.chains.get(target);
                    let step = known.map_or(Step::On, |target| self.through(target, depth + 1));
                    match (&rule.verdict, step) {
                        (Verdict::Goto(_), Step::On) if is_sure => return Step::On,
                        (_, step) => step,
                    }
                }
            };
            if step == Step::Decided && is_sure {
                return Step::Decided;
            }
        }
        Step::On
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::transcript;

    fn nft(rules: &str, policy: &str, packets: u64) -> Ruleset {
        let rules = rules.replace("COUNT", &packets.to_string());
        parse_nft(&format!(
            r#"{{"nftables":[{{"metainfo":{{"version":"1.1.3"}}}},
            {{"table":{{"family":"inet","name":"filter","handle":1}}}},
            {{"chain":{{"family":"inet","table":"filter","name":"input","handle":1,"type":"filter","hook":"input","prio":0,"policy":"{policy}"}}}},
            {{"chain":{{"family":"inet","table":"filter","name":"guard","handle":2}}}}{rules}]}}"#
        ))
        .unwrap()
    }

    fn rule(chain: &str, expressions: &str) -> String {
        format!(
            r#",{{"rule":{{"family":"inet","table":"filter","chain":"{chain}","handle":4,"expr":[{expressions}]}}}}"#
        )
    }

    const MDNS: &str = r#"{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":5353}}"#;
    const COUNTER: &str = r#"{"counter":{"packets":COUNT,"bytes":0}}"#;
    const DROP: &str = r#"{"drop":null}"#;
    const ACCEPT: &str = r#"{"accept":null}"#;

    fn found(rules: &str, policy: &str, is_something_lost: Option<bool>) -> String {
        let before = nft(rules, policy, 4);
        let after = nft(rules, policy, 7);
        transcript(&check(&FirewallFacts {
            rulesets: Some((before, after)),
            is_something_lost,
        }))
    }

    #[test]
    fn a_rule_that_drops_is_named_with_the_rise_of_its_counter() {
        let drop = rule("input", &format!("{MDNS},{COUNTER},{DROP}"));
        insta::assert_snapshot!(found(&drop, "accept", Some(true)));
        assert!(found(&drop, "accept", Some(false)).contains("FAULT"));
        assert!(found(&drop, "accept", None).contains("FAULT"));
    }

    #[test]
    fn a_rule_before_it_that_accepts_saves_it() {
        let accept = rule("input", &format!("{MDNS},{ACCEPT}"));
        let drop = rule("input", DROP);
        assert_eq!(found(&(accept.clone() + &drop), "drop", Some(true)), "");
        assert_eq!(found(&accept, "drop", Some(true)), "");
    }

    #[test]
    fn a_policy_that_drops_is_blamed_when_nothing_accepts() {
        let tcp = r#"{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":5353}}"#;
        let ssh = rule("input", &format!("{tcp},{ACCEPT}"));
        insta::assert_snapshot!(found(&ssh, "drop", Some(true)));
    }

    #[test]
    fn a_rule_with_an_unknown_condition_is_blamed_only_if_something_is_lost() {
        let mark = r#"{"match":{"op":"==","left":{"meta":{"key":"mark"}},"right":7}}"#;
        let drop = rule("input", &format!("{mark},{MDNS},{COUNTER},{DROP}"));
        assert_eq!(found(&drop, "accept", Some(false)), "");
        assert_eq!(found(&drop, "accept", None), "");
        assert!(found(&drop, "accept", Some(true)).contains("may drop"));
    }

    #[test]
    fn jumps_are_followed_and_loops_end() {
        let jump = rule("input", r#"{"jump":{"target":"guard"}}"#);
        let drop = rule("guard", &format!("{MDNS},{COUNTER},{DROP}"));
        assert!(found(&(jump.clone() + &drop), "accept", Some(true)).contains("inet/filter/guard"));
        let back = rule("guard", r#"{"jump":{"target":"guard"}}"#);
        assert_eq!(found(&(jump + &back), "accept", Some(true)), "");
    }

    #[test]
    fn what_cannot_be_read_is_told_as_such() {
        insta::assert_snapshot!(transcript(&check(&FirewallFacts::default())));
        assert_eq!(parse_nft("nonsense"), None);
        assert_eq!(parse_nft("{}"), Some(Ruleset::default()));
    }

    #[test]
    fn iptables_rules_are_walked_too() {
        let save = |packets: u64| {
            parse_iptables(
                &format!(
                    "\
# Generated by iptables-save
*filter
:INPUT DROP [{packets}:100]
:FORWARD ACCEPT [0:0]
:guard - [0:0]
[9:100] -A INPUT -i lo -j ACCEPT
[1:10] -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
[2:20] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A INPUT -j guard
[{packets}:20] -A guard -p udp -m multiport --dports 137,5350:5360 -j REJECT --reject-with icmp-port-unreachable
COMMIT
"
                ),
                "iptables",
            )
        };
        let facts = FirewallFacts {
            rulesets: Some((save(1), save(3))),
            is_something_lost: Some(true),
        };
        insta::assert_snapshot!(transcript(&check(&facts)));
    }

    #[test]
    fn an_iptables_rule_that_accepts_mdns_is_enough() {
        let save = parse_iptables(
            "*filter\n:INPUT DROP [0:0]\n[0:0] -A INPUT -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT\nCOMMIT\n",
            "iptables",
        );
        let facts = FirewallFacts {
            rulesets: Some((save.clone(), save)),
            is_something_lost: Some(false),
        };
        assert_eq!(check(&facts), []);
    }
}
