//! Sleeping until a moment on the monotonic clock. Knows moments; not what they are for.
//!
//! A relative sleep starts to count when the call is made, so a thread that loses its core before the call sleeps too
//! long; an absolute one does not. The kernel adds the thread's timer slack ([`crate::thread::timer_slack_min`]) and the
//! time that the scheduler needs, so the last stretch can be spun.

use std::hint::spin_loop;
use std::time::Duration;

/// The time on the clock that [`sleep_until`] sleeps by, in nanoseconds from its own epoch. On Linux
/// `CLOCK_MONOTONIC`, the clock of [`std::time::Instant`].
#[must_use]
pub fn now_ns() -> u64 {
    imp::now_ns()
}

/// Sleeps until `at`, a moment of [`now_ns`], by the kernel alone: late by its wake-up time, never early. Returns at
/// once when the moment has passed.
pub fn sleep_until(at: u64) {
    while now_ns() < at {
        imp::sleep_until(at);
    }
}

/// Sleeps until `spin` before `at`, then spins. Late only if the kernel's wake-up took longer than `spin`; never early.
/// The spinning costs up to `spin` of a core.
pub fn sleep_then_spin_until(at: u64, spin: Duration) {
    let spin = u64::try_from(spin.as_nanos()).unwrap_or(u64::MAX);
    sleep_until(at.saturating_sub(spin));
    while now_ns() < at {
        spin_loop();
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use nix::sys::time::TimeSpec;
    use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

    pub(super) fn now_ns() -> u64 {
        // The call fails only for a clock that does not exist.
        clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |at| {
            let (seconds, nanos) =
                (u64::try_from(at.tv_sec()).unwrap_or(0), u64::try_from(at.tv_nsec()).unwrap_or(0));
            seconds * 1_000_000_000 + nanos
        })
    }

    pub(super) fn sleep_until(at: u64) {
        let seconds = i64::try_from(at / 1_000_000_000).unwrap_or(i64::MAX);
        let nanos = i64::try_from(at % 1_000_000_000).unwrap_or(0);
        // A signal may end it early; the caller looks at the clock and comes again.
        let _ = clock_nanosleep(
            ClockId::CLOCK_MONOTONIC,
            ClockNanosleepFlags::TIMER_ABSTIME,
            &TimeSpec::new(seconds, nanos),
        );
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    static EPOCH: OnceLock<Instant> = OnceLock::new();

    pub(super) fn now_ns() -> u64 {
        u64::try_from(EPOCH.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn sleep_until(at: u64) {
        std::thread::sleep(Duration::from_nanos(at.saturating_sub(now_ns())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_early_and_a_moment_that_has_passed_takes_no_sleep() {
        for spin in [Duration::ZERO, Duration::from_micros(80), Duration::from_secs(1)] {
            let at = now_ns() + 2_000_000;
            sleep_then_spin_until(at, spin);
            assert!(now_ns() >= at);
        }
        // Were it slept for, the test would not end.
        sleep_until(0);
        sleep_then_spin_until(1, Duration::MAX);
    }

    #[test]
    fn its_clock_is_that_of_instants() {
        let (before, at) = (now_ns(), std::time::Instant::now());
        std::thread::sleep(Duration::from_millis(2));
        let slept = u64::try_from(at.elapsed().as_nanos()).unwrap();
        assert!(now_ns() - before >= slept, "both count the same nanoseconds");
    }
}
