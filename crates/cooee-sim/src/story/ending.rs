//! How a story has to end: in peace, all agree on what is there.

use std::collections::BTreeSet;
use std::time::Duration;

use super::resident::Seen;
use super::{Step, Story, Telling};
use crate::wire::Conditions;

/// After nothing but joins, leaves and commands: probing, renaming and asking take that long, and what went away without
/// goodbye is forgotten by its TTL and 12 s (design: a killed publisher).
const BOUND: Duration = Duration::from_secs(120 + 12 + 30);
/// Where packets were lost: the longest interval between two queries, and the TTL of what they bring.
// RFC 6762 §5.2 (6762-5.2-5)
const PATIENCE: Duration = Duration::from_secs(3600 + 600);
/// For so long nothing more may change.
const PEACE: Duration = Duration::from_secs(60);
/// How many packets each host may send in that time, both families together.
const MOST_IN_PEACE: u64 = 60;
const LOOK: Duration = Duration::from_secs(1);
/// So many looks in a row have to find agreement before it counts.
const LOOKS: u32 = 3;

impl Telling {
    /// Makes peace and looks whether all agree. Tells after how long they did.
    pub(super) fn end(&mut self, story: &Story) -> Result<Duration, String> {
        self.set_conditions(Conditions::default());
        self.happen(&Step::Heal);
        for host in 0..super::HOSTS {
            self.happen(&Step::Resume(host));
        }
        // A newcomer asks for all there is: two who share a name hear of each other only when somebody asks.
        let newcomer = super::HOSTS;
        self.hosts.push(None);
        self.join(newcomer);
        if let Some(guest) = self.hosts.last().and_then(Option::as_ref) {
            let id = guest.id;
            for kind in 0..2 {
                self.network.command(id, |node, now| node.browse(now, kind));
            }
        }
        let patience = match story.steps.iter().any(Step::is_disturbing) {
            true => PATIENCE,
            false => BOUND,
        };
        let start = self.network.now();
        let mut agreed = 0;
        loop {
            self.network.run_for(LOOK);
            self.check_rules()?;
            let passed = self.network.now().since(start);
            match self.disagreement() {
                // A goodbye that came late takes effect after a second.
                None if agreed < LOOKS => agreed += 1,
                None => {
                    self.rest()?;
                    return Ok(passed);
                }
                Some(what) if passed > patience => {
                    return Err(format!("after {} s {what}", passed.as_secs()));
                }
                Some(_) => agreed = 0,
            }
        }
    }

    /// When all agree, nothing changes any more, and every unique name has one owner.
    fn rest(&mut self) -> Result<(), String> {
        self.network.settle();
        let before = self.network.traffic().packets;
        self.network.run_for(PEACE);
        self.check_rules()?;
        let packets = self.network.traffic().packets - before;
        let most = MOST_IN_PEACE * self.hosts.iter().flatten().count() as u64;
        if packets > most {
            return Err(format!("{packets} packets in a minute of peace"));
        }
        match self.disagreement() {
            None => Ok(()),
            Some(what) => Err(format!("they had agreed, but then {what}")),
        }
    }

    /// What somebody sees that is not there, or does not see that is.
    fn disagreement(&self) -> Option<String> {
        let present = || {
            let guests = self.hosts.iter().flatten();
            guests.filter(|guest| guest.link.is_some())
        };
        let mut there: [BTreeSet<Seen>; 2] = Default::default();
        let mut names = BTreeSet::new();
        for guest in present() {
            let addresses: BTreeSet<String> = guest
                .addresses
                .iter()
                .map(|a| a.address.to_string())
                .collect();
            let (owned, ready) = self.network.node(guest.id).owned(&addresses);
            if !ready {
                return Some(format!("{} is not ready", self.network.name(guest.id)));
            }
            for (kind, seen) in owned {
                // RFC 6762 §8 (6762-8-1)
                if !names.insert(seen.instance.clone()) {
                    return Some(format!("two own {}", seen.instance));
                }
                there[usize::from(kind & 1)].insert(seen);
            }
        }
        present().find_map(|guest| {
            let node = self.network.node(guest.id);
            let mut browsed = node.browsed();
            browsed.find_map(|kind| {
                let found = node.found(kind);
                let there = &there[usize::from(kind & 1)];
                let missing: Vec<_> = there.difference(&found).collect();
                let wrong: Vec<_> = found.difference(there).collect();
                let agrees = missing.is_empty() && wrong.is_empty();
                (!agrees).then(|| {
                    let who = self.network.name(guest.id);
                    format!("{who} does not see {missing:#?} and sees {wrong:#?}")
                })
            })
        })
    }
}
