//! What time it is, and how long the command has run.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment at which something was seen: both clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By the wall clock.
    pub(crate) wall: SystemTime,
    /// Since the command started, monotonic.
    pub(crate) since_start: Duration,
}

impl Moment {
    /// RFC 3339 in UTC with milliseconds, for JSON.
    pub(crate) fn rfc3339(&self) -> String {
        let since_epoch = self.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since_epoch.as_secs();
        let (year, month, day) = civil(seconds / 86_400);
        let second = seconds % 86_400;
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60,
            since_epoch.subsec_millis()
        )
    }

    /// Local time of day with milliseconds, for people.
    pub(crate) fn local(&self) -> String {
        let zoned = jiff::Timestamp::try_from(self.wall)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(jiff::tz::TimeZone::system());
        zoned.strftime("%H:%M:%S%.3f").to_string()
    }

    /// Whole milliseconds since the command started.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.since_start.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Remembers when the command started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    boot_time: Option<Duration>,
    monotonic: Instant,
}

impl Clock {
    /// Starts to count.
    pub(crate) fn start() -> Self {
        Self {
            boot_time: boot_time(),
            monotonic: Instant::now(),
        }
    }

    /// Reads both clocks.
    pub(crate) fn now(&self) -> Moment {
        let since_start = match (boot_time(), self.boot_time) {
            (Some(now), Some(start)) => now.saturating_sub(start),
            _ => self.monotonic.elapsed(),
        };
        Moment {
            wall: SystemTime::now(),
            since_start,
        }
    }
}

/// The clock that goes on while the machine sleeps, where there is one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn boot_time() -> Option<Duration> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME)
        .ok()
        .map(Duration::from)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn boot_time() -> Option<Duration> {
    None
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01.
///
/// Counts in years that begin with March, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    // 0000-03-01 lies 719,468 days before 1970-01-01; 400 years are always 146,097 days.
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, millis: u64) -> Moment {
        Moment {
            wall: UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(millis),
            since_start: Duration::from_millis(231),
        }
    }

    #[test]
    fn utc_is_written_as_rfc_3339_has_it() {
        assert_eq!(at(0, 0).rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_399, 999).rfc3339(), "2000-02-28T23:59:59.999Z");
        assert_eq!(at(951_782_400, 0).rfc3339(), "2000-02-29T00:00:00.000Z");
        assert_eq!(at(1_795_375_941, 616).rfc3339(), "2026-11-22T19:32:21.616Z");
        assert_eq!(at(4_107_542_400, 0).rfc3339(), "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn a_clock_before_1970_is_no_trouble() {
        let early = Moment {
            wall: UNIX_EPOCH - Duration::from_secs(5),
            since_start: Duration::ZERO,
        };
        assert_eq!(early.rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn the_count_does_not_go_back() {
        let clock = Clock::start();
        let first = clock.now().since_start;
        assert!(clock.now().since_start >= first);
    }
}
