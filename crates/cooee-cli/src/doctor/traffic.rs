//! What came of asking: does our own packet come back, does anybody answer, in which families, by which ways?

use std::net::IpAddr;
use std::time::Duration;

use cooee_mdns::Family;

use super::finding::{Finding, Level};
use crate::escape;

/// What was heard on one link in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkTraffic {
    /// `eth0`
    pub(crate) name: String,
    /// What was heard in each family in which we speak on it.
    pub(crate) families: Vec<FamilyTraffic>,
    /// Other links on which what we sent here came in.
    pub(crate) also_heard_on: Vec<String>,
    /// Others who sent us our own packet.
    pub(crate) reflected_by: Vec<IpAddr>,
}

/// What was heard in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FamilyTraffic {
    /// Which.
    pub(crate) family: Family,
    /// Our own packet came back; unknown if none was sent.
    pub(crate) came_back: Option<bool>,
    /// Other machines that answered something.
    pub(crate) answering: u64,
    /// Other machines of which no more than questions were heard.
    pub(crate) asking: u64,
}

/// Tells of each link; `waited` is how long we listened.
pub(crate) fn check(links: &[LinkTraffic], waited: Duration) -> Vec<Finding> {
    links.iter().flat_map(|link| one(link, waited)).collect()
}

fn one(link: &LinkTraffic, waited: Duration) -> Vec<Finding> {
    let name = escape::text(&link.name);
    let finding = |check, level, text: String| Finding::new(check, level, text).on(&link.name);
    let mut findings = Vec::new();

    let of = |wanted: Option<bool>| -> Vec<Family> {
        let families = link.families.iter();
        families
            .filter(|family| family.came_back == wanted)
            .map(|family| family.family)
            .collect()
    };
    let (back, lost) = (of(Some(true)), of(Some(false)));
    if !back.is_empty() {
        findings.push(finding(
            "loopback-test",
            Level::Ok,
            format!("a packet sent on {name} came back over {}", words(&back)),
        ));
    }
    if !lost.is_empty() {
        findings.push(
            finding(
                "loopback-test",
                Level::Fault,
                format!(
                    "a packet sent on {name} over {} did not come back",
                    words(&lost)
                ),
            )
            .advise("something here drops it: see firewall"),
        );
    }

    let total = |count: fn(&FamilyTraffic) -> u64| link.families.iter().map(count).sum::<u64>();
    let (answering, asking) = (total(|one| one.answering), total(|one| one.asking));
    let seconds = waited.as_secs_f64();
    if answering > 0 {
        let most = link.families.iter().map(|one| one.answering).max();
        let families: Vec<Family> = link
            .families
            .iter()
            .filter(|one| one.answering > 0)
            .map(|one| one.family)
            .collect();
        let machines = most.unwrap_or_default();
        findings.push(
            finding(
                "answers",
                Level::Ok,
                format!(
                    "{name}: {} over {}",
                    match machines {
                        1 => "1 other machine answered".to_owned(),
                        more => format!("{more} other machines answered"),
                    },
                    words(&families)
                ),
            )
            .fact("machines", machines),
        );
        for silent in link
            .families
            .iter()
            .filter(|one| one.answering == 0 && one.asking == 0 && one.came_back != Some(false))
        {
            let there = words(&families);
            let here = words(&[silent.family]);
            findings.push(
                finding(
                    "silent-family",
                    Level::Warn,
                    format!("{name}: answers over {there}, none over {here}"),
                )
                .advise(match silent.family {
                    Family::V4 => "IGMP snooping on the switch; fine where nobody speaks IPv4",
                    Family::V6 => "MLD snooping on the switch; fine where nobody speaks IPv6",
                }),
            );
        }
    } else {
        let heard = match asking {
            0 => "no packet heard".to_owned(),
            1 => "though questions of 1 other address were heard".to_owned(),
            more => format!("though questions of {more} other addresses were heard"),
        };
        findings.push(
            finding(
                "silent-link",
                Level::Note,
                format!("{name}: no answer in {seconds} s, {heard}"),
            )
            .advise(match asking {
                0 => "nobody is there, or Wi-Fi isolation, a guest network, a VLAN, IGMP snooping without querier",
                _ => "nobody there publishes anything",
            }),
        );
    }

    for other in &link.also_heard_on {
        let other = escape::text(other);
        findings.push(
            finding(
                "same-link",
                Level::Note,
                format!("{name} and {other} are one network"),
            )
            .advise(format!("one of them is enough: '-I {other}'")),
        );
    }
    if !link.reflected_by.is_empty() {
        let by: Vec<String> = link.reflected_by.iter().map(IpAddr::to_string).collect();
        findings.push(
            finding(
                "reflector",
                Level::Warn,
                format!("{name}: our own packets come back from {}", by.join(", ")),
            )
            .advise("look for 'reflector' or 'repeater' in the settings of the router")
            .fact("by", by),
        );
    }
    findings
}

fn words(families: &[Family]) -> &'static str {
    match families {
        [Family::V4] => "IPv4",
        [Family::V6] => "IPv6",
        _ => "IPv4 and IPv6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::transcript;

    fn family(family: Family, came_back: bool, answering: u64, asking: u64) -> FamilyTraffic {
        FamilyTraffic {
            family,
            came_back: Some(came_back),
            answering,
            asking,
        }
    }

    fn link(v4: FamilyTraffic, v6: FamilyTraffic) -> LinkTraffic {
        LinkTraffic {
            name: "eth0".into(),
            families: vec![v4, v6],
            ..LinkTraffic::default()
        }
    }

    #[test]
    fn a_link_is_well_silent_half_silent_deaf_or_doubled() {
        use Family::{V4, V6};
        let cases = [
            link(family(V4, true, 3, 0), family(V6, true, 2, 1)),
            link(family(V4, true, 0, 0), family(V6, true, 0, 0)),
            link(family(V4, true, 0, 2), family(V6, true, 0, 1)),
            link(family(V4, true, 1, 0), family(V6, true, 0, 0)),
            link(family(V4, false, 0, 0), family(V6, true, 2, 0)),
            link(family(V4, false, 0, 0), family(V6, false, 0, 0)),
            LinkTraffic {
                also_heard_on: vec!["wlan0".into()],
                reflected_by: vec![IpAddr::from([192, 0, 2, 1])],
                ..link(family(V4, true, 1, 0), family(V6, true, 1, 0))
            },
            LinkTraffic {
                name: "eth0".into(),
                families: vec![FamilyTraffic {
                    came_back: None,
                    ..family(V4, false, 0, 0)
                }],
                ..LinkTraffic::default()
            },
        ];
        let told: Vec<String> = cases
            .into_iter()
            .map(|one| transcript(&check(&[one], Duration::from_secs(3))))
            .collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }
}
