//! Sleeping until a moment on the monotonic clock. Knows moments; not what they are for.
//!
//! A relative sleep starts to count when the call is made, so a thread that loses its core before the call sleeps too
//! long; an absolute one does not. The kernel adds the thread's timer slack ([`crate::thread::timer_slack_min`]) and the
//! time that the scheduler needs.

use crate::clock::monotonic_ns;

/// Sleeps until `at`, a moment of [`monotonic_ns`], by the kernel alone: late by its wake-up time, never early. Returns
/// at once when the moment has passed.
pub fn sleep_until(at: u64) {
    while monotonic_ns() < at {
        once(at);
    }
}

/// One sleep; a signal may end it early.
#[cfg(target_os = "linux")]
fn once(at: u64) {
    use nix::sys::time::TimeSpec;
    use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

    let seconds = i64::try_from(at / 1_000_000_000).unwrap_or(i64::MAX);
    let nanos = i64::try_from(at % 1_000_000_000).unwrap_or(0);
    let moment = TimeSpec::new(seconds, nanos);
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &moment);
}

#[cfg(not(target_os = "linux"))]
fn once(at: u64) {
    std::thread::sleep(std::time::Duration::from_nanos(at.saturating_sub(monotonic_ns())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_early_and_a_moment_that_has_passed_takes_no_sleep() {
        let at = monotonic_ns() + 2_000_000;
        sleep_until(at);
        assert!(monotonic_ns() >= at);
        // Were it slept for, the test would not end.
        sleep_until(0);
    }
}
