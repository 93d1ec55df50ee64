//! The run's clock. The only place in this crate and its users that reads time for a measurement.

use std::time::{Duration, Instant};

use benchhost_model::Nanos;
use benchhost_os::clock::monotonic_ns;

/// Nanoseconds since the run's epoch on the machine's monotonic clock.
///
/// On Linux this is `CLOCK_MONOTONIC`, read without a system call, which [`Instant`] reads too. All threads of a run
/// hold copies of one clock, so their stamps can be compared.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    /// The epoch on the machine's clock, in nanoseconds, modulo 2⁶⁴.
    epoch_ns: u64,
    /// The epoch for timers, read right after.
    epoch: Instant,
}

impl RunClock {
    /// A clock whose epoch is now.
    pub fn start() -> Self {
        Self { epoch_ns: monotonic_ns(), epoch: Instant::now() }
    }

    /// A clock that reads `from` now: it goes on where an earlier one ended, so that no time comes twice. Its epoch may
    /// lie before the machine was started.
    pub fn continuing(from: Nanos) -> Self {
        let now = Self::start();
        let epoch = now.epoch.checked_sub(Duration::from(from)).unwrap_or(now.epoch);
        Self { epoch_ns: now.epoch_ns.wrapping_sub(from.get()), epoch }
    }

    /// The time since the epoch.
    #[inline]
    pub fn now(&self) -> Nanos {
        self.at_monotonic(monotonic_ns())
    }

    /// A point on this clock as the machine's monotonic time in nanoseconds, for absolute sleeps and for comparison with
    /// another program's stamps.
    #[inline]
    pub fn monotonic_at(&self, at: Nanos) -> u64 {
        self.epoch_ns.wrapping_add(at.get())
    }

    /// The point on this clock of a monotonic time of the machine; the epoch for one before it.
    #[inline]
    pub fn at_monotonic(&self, monotonic_ns: u64) -> Nanos {
        // Modular, since the epoch may be negative; what looks like centuries is a time before it.
        let since = monotonic_ns.wrapping_sub(self.epoch_ns);
        Nanos::new(if since > u64::MAX / 2 { 0 } else { since })
    }

    /// Occupies the thread until `at`, if that is less than a millisecond away; else returns at once.
    pub fn spin_until(&self, at: Nanos) {
        const LONGEST: Nanos = Nanos::new(1_000_000);
        if at - self.now() < LONGEST {
            while self.now() < at {
                std::hint::spin_loop();
            }
        }
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
    fn a_clock_goes_on_where_another_ended() {
        // A year: longer than this machine is up, most likely.
        let from = Nanos::new(365 * 86_400 * 1_000_000_000);
        let clock = RunClock::continuing(from);
        let now = clock.now();
        assert!(now >= from && now - from < Nanos::new(60_000_000_000), "{now}");
        assert_eq!(clock.at_monotonic(clock.monotonic_at(now)), now);
        // The two clocks are read one after the other, so they may differ by what passes in between.
        assert!(clock.instant(now) <= Instant::now() + Duration::from_secs(1));
        assert_eq!(clock.at_monotonic(clock.monotonic_at(Nanos::ZERO).wrapping_sub(5)), Nanos::ZERO);
    }

    #[test]
    fn a_short_while_can_be_spun_and_a_long_one_is_not() {
        let clock = RunClock::start();
        let at = clock.now() + Nanos::new(50_000);
        clock.spin_until(at);
        assert!(clock.now() >= at);
        // Were it spun for, the test would not end.
        clock.spin_until(Nanos::new(u64::MAX));
    }

    #[test]
    fn a_point_beyond_time_does_not_panic() {
        let clock = RunClock::start();
        assert!(clock.instant(Nanos::new(u64::MAX)) > Instant::now());
    }

    #[test]
    fn the_machines_time_of_a_point_leads_back_to_it() {
        let before = monotonic_ns();
        let clock = RunClock::start();
        let at = clock.now();
        let machine = clock.monotonic_at(at);
        assert!(before <= machine && machine <= monotonic_ns());
        assert_eq!((clock.at_monotonic(machine), clock.at_monotonic(0)), (at, Nanos::ZERO));
    }
}
