//! Randomness from a seed.

use core::time::Duration;

/// A small generator (SplitMix64): fast, and the same on every machine. It only spreads packets in time; nothing secret hangs on it.
#[derive(Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0 if there is none. The bias of the remainder is below 2⁻³² for what we ask.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A duration in `from ..= to`, to the microsecond.
    pub(super) fn between(&mut self, (from, to): (Duration, Duration)) -> Duration {
        let span = to
            .saturating_sub(from)
            .as_micros()
            .try_into()
            .unwrap_or(u64::MAX - 1);
        from + Duration::from_micros(self.below(span + 1))
    }
}
