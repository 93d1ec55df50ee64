//! The run's clock. The only place in this crate and its users that reads time for a measurement.

use std::time::{Duration, Instant};

use benchhost_model::Nanos;

/// Nanoseconds since the run's epoch on the machine's monotonic clock.
///
/// On Linux [`Instant`] is `CLOCK_MONOTONIC`, read without a system call. All threads of a run hold copies of one
/// clock, so their stamps can be compared.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    epoch: Instant,
}

impl RunClock {
    /// A clock whose epoch is now.
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// The time since the epoch.
    #[inline]
    pub fn now(&self) -> Nanos {
        Nanos::from(self.epoch.elapsed())
    }

    /// The instant of a point on this clock, for timers. A point beyond what the machine can express becomes a day
    /// from now.
    pub fn instant(&self, at: Nanos) -> Instant {
        self.epoch
            .checked_add(Duration::from(at))
            .unwrap_or_else(|| Instant::now() + Duration::from_hours(24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_one_epoch_and_never_run_backwards() {
        let clock = RunClock::start();
        let copy = clock;
        let first = clock.now();
        let second = copy.now();
        assert!(second >= first);
        assert_eq!(Nanos::from(copy.instant(second) - clock.instant(Nanos::ZERO)), second);
    }

    #[test]
    fn a_point_beyond_time_does_not_panic() {
        let clock = RunClock::start();
        assert!(clock.instant(Nanos::new(u64::MAX)) > Instant::now());
    }
}
