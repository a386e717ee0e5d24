//! Stories made up from a seed.

use std::time::Duration;

use super::{Attack, HOSTS, Step, Story};
use crate::chance::Chance;
use crate::wire::Conditions;

impl Story {
    /// A story made up from a seed: the same one for the same seed.
    pub fn invent(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x5709_7E11);
        let mut story = Self::new(seed);
        story.bridged = chance.below(6) == 0;
        for host in 0..2 + chance.below(HOSTS - 1) {
            story.steps.push(Step::Join(host));
            story.steps.push(Step::Browse(host, chance.below(2)));
        }
        for _ in 0..10 + chance.below(40) {
            let step = invent_step(&mut chance);
            story.steps.push(step);
            if chance.below(3) > 0 {
                story.steps.push(Step::Wait(invent_wait(&mut chance)));
            }
        }
        story
    }
}

fn invent_step(chance: &mut Chance) -> Step {
    let host = chance.below(HOSTS);
    let service = chance.below(4) | chance.below(2) << 4;
    match chance.below(32) {
        0..=3 => Step::Join(host),
        4 => Step::Leave(host),
        5 => Step::Crash(host),
        6 => Step::Shutdown(host),
        7 => Step::Suspend(host),
        8 => Step::Resume(host),
        9 => Step::Readdress(host),
        10 => Step::Jump(host, chance.up_to(Duration::from_secs(200))),
        11..=16 => Step::Publish(host, service),
        17 => Step::Withdraw(host, service),
        18 | 19 => Step::Update(host, service),
        20 => Step::Rename(host, service),
        21..=23 => Step::Browse(host, service >> 4),
        24 => Step::StopBrowsing(host, service >> 4),
        25 | 26 => Step::Weather(invent_weather(chance)),
        27 => Step::Partition(chance.below(64)),
        28 => Step::Heal,
        _ => Step::Attack(Attack::ALL[usize::from(chance.below(Attack::ALL.len() as u8))]),
    }
}

fn invent_wait(chance: &mut Chance) -> Duration {
    let longest = match chance.below(10) {
        0..=3 => Duration::from_millis(300),
        4..=7 => Duration::from_secs(3),
        8 => Duration::from_secs(30),
        _ => Duration::from_secs(600),
    };
    chance.up_to(longest)
}

fn invent_weather(chance: &mut Chance) -> Conditions {
    let tenths = |number: u8| f64::from(number) / 10.0;
    Conditions {
        delay: chance.up_to(Duration::from_millis(20)),
        jitter: match chance.below(3) {
            0 => Duration::ZERO,
            1 => chance.up_to(Duration::from_millis(5)),
            _ => chance.up_to(Duration::from_millis(200)),
        },
        loss: tenths(chance.below(5)),
        duplication: tenths(chance.below(3)),
    }
}
