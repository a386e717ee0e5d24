//! Which of several hosts to try first.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::browse::{Target, View};

impl View {
    /// All hosts of the service in the order in which a client should try them: the lowest priority first, among equals by
    /// lot, in proportion to their weights.
    ///
    /// `random` gives a number from the range it is asked for, each as likely as the other; so the order is as random as it
    /// is, and the same again with the same numbers.
    ///
    /// Nearly every service has one host, which is then the only element.
    // RFC 6763 §5 (6763-5-3), RFC 2782 (2782-format-4, 2782-format-5, 2782-format-6, 2782-format-8)
    #[must_use]
    pub fn targets(&self, random: impl FnMut(RangeInclusive<u32>) -> u32) -> Vec<Target> {
        let shown = Target {
            host: self.host.clone(),
            port: self.port,
            priority: self.priority,
            weight: self.weight,
            addresses: self.addresses.clone(),
        };
        in_order(
            core::iter::once(shown)
                .chain(self.others.iter().cloned())
                .collect(),
            random,
        )
    }
}

fn in_order(
    mut left: Vec<Target>,
    mut random: impl FnMut(RangeInclusive<u32>) -> u32,
) -> Vec<Target> {
    // Those of weight 0 stand first among their equals: they are drawn only by the number 0.
    left.sort_by_key(|target| (target.priority, target.weight != 0));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let equals = left.partition_point(|target| target.priority == first.priority);
        let weights = left
            .iter()
            .take(equals)
            .map(|target| u32::from(target.weight));
        let sum: u32 = weights.clone().sum();
        let drawn = random(0..=sum);
        let mut running = 0;
        let at = weights.into_iter().position(|weight| {
            running += weight;
            running >= drawn
        });
        // A number beyond the sum counts as the sum.
        ordered.push(left.remove(at.unwrap_or(equals - 1)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(priority: u16, weight: u16) -> Target {
        let host = alloc::format!("p{priority}w{weight}.local")
            .parse()
            .unwrap();
        Target {
            host,
            port: 1,
            priority,
            weight,
            addresses: Vec::new(),
        }
    }

    fn order(
        targets: &[(u16, u16)],
        random: impl FnMut(RangeInclusive<u32>) -> u32,
    ) -> Vec<(u16, u16)> {
        let targets = targets
            .iter()
            .map(|(priority, weight)| target(*priority, *weight))
            .collect();
        in_order(targets, random)
            .iter()
            .map(|target| (target.priority, target.weight))
            .collect()
    }

    #[test]
    fn the_lowest_priority_goes_first_and_weights_share_the_rest() {
        // 6763-5-3, 2782-format-4, 2782-format-5, 2782-format-6
        let mut state = 1_u32;
        let mut random = |range: RangeInclusive<u32>| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((u64::from(state) * u64::from(range.end() + 1)) >> 32) as u32
        };
        let mut heavy = 0;
        for _ in 0..10_000 {
            let ordered = order(&[(10, 0), (0, 100), (0, 300)], &mut random);
            assert_eq!(ordered.last(), Some(&(10, 0)));
            heavy += usize::from(ordered.first() == Some(&(0, 300)));
        }
        assert!(
            (7300..7700).contains(&heavy),
            "{heavy} of 10000 should be near three quarters"
        );
    }

    #[test]
    fn the_running_sum_selects() {
        // 2782-format-8
        let targets = [(0, 20), (0, 0), (0, 10)];
        assert_eq!(order(&targets, |_| 0), [(0, 0), (0, 20), (0, 10)]);
        assert_eq!(
            order(&targets, |range| *range.end()),
            [(0, 10), (0, 20), (0, 0)]
        );
        assert_eq!(
            order(&targets, |range| range.end() / 2),
            [(0, 20), (0, 10), (0, 0)]
        );
        assert_eq!(
            order(&targets, |_| u32::MAX).len(),
            3,
            "a bad number is no reason to panic"
        );
    }

    #[test]
    fn many_heavy_weights_do_not_overflow() {
        assert_eq!(
            order(&[(0, u16::MAX); 100], |range| *range.end()).len(),
            100
        );
    }
}
