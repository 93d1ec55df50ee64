//! When requests are due, in an open loop. Numbers only: no clock, no waiting.
//!
//! A [`Process`] is a pattern of arrivals whose mean rate is 1; a [`Profile`] says how the rate runs over time. The
//! pattern is laid over time by the inverse of the cumulative rate, which is exact for every profile, and gives the
//! same pattern, only closer or wider, for every rate and every ramp with the same seed.
//!
//! Offsets are absolute, from the load's start, so an error in one never moves the next. Gaps are not rescaled to make
//! the last request fall on a round time: that would condition the process and hide the noise of its rate.
//!
//! # Words in plans
//!
//! Processes: `constant`, `poisson`, `gamma:2` (coefficient of variation of the gaps; also `gamma:cv=2`), `weibull:0.7`
//! (shape; also `weibull:shape=0.7`), `mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8` (rates of the two states relative to
//! each other, and their mean lengths in seconds), `batches:8` (so many at once).
//!
//! Profiles: `10` (requests a second), `ramp:1..20 over 60s`, `ramp-exp:1..20 over 60s`, `steps:2x30s,4x30s`. The last
//! rate is held when a profile is through. Units of time: `ms`, `s`, `m`, `h`.

mod process;
mod profile;
pub(crate) mod random;
mod realised;
pub mod trace;
mod words;

use std::fmt;
use std::str::FromStr;

use benchhost_model::Nanos;

pub use process::{Mmpp, Process, Shape, Spread};
pub use profile::{Profile, RampShape};
pub use realised::{Realised, realised};
pub use words::WordsError;

/// Due times from the load's start, not falling. Endless.
pub type Schedule = Box<dyn Iterator<Item = Nanos> + Send>;

/// Requests a second: finite and above 0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// A number that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{0}` is not a rate; expected requests per second, above 0 and up to 1000000")]
pub struct RateError(f64);

impl Rate {
    /// A rate from requests a second.
    pub fn new(per_second: f64) -> Result<Self, RateError> {
        // Below the lower bound a gap would not fit the clock; above the upper one gaps would vanish in its grain.
        let sane = per_second.is_finite() && (1e-9..=1e6).contains(&per_second);
        if sane { Ok(Self(per_second)) } else { Err(RateError(per_second)) }
    }

    /// Requests a second.
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl FromStr for Rate {
    type Err = RateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.trim().parse().unwrap_or(f64::NAN))
    }
}

/// The due times of `process` under `profile`. The same seed gives the same times.
pub fn schedule(process: Process, profile: Profile, seed: u64) -> Schedule {
    if let Process::Mmpp(mmpp) = process {
        let mut states = mmpp.states(seed);
        let pattern = process::poisson(seed);
        return Box::new(pattern.map(move |at| nanos(states.time_of(at, &profile))));
    }
    Box::new(process.pattern(seed).map(move |at| nanos(profile.time_of(at))))
}

/// Equal gaps, the first request at the start.
pub fn constant(rate: Rate) -> Schedule {
    schedule(Process::Constant, Profile::Steady(rate), 0)
}

/// Independent exponential gaps, the first request after one.
pub fn poisson(rate: Rate, seed: u64) -> Schedule {
    schedule(Process::Poisson, Profile::Steady(rate), seed)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and the cast saturates"
)]
fn nanos(seconds: f64) -> Nanos {
    Nanos::new((seconds * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(process: &str, profile: &str, seed: u64, count: usize) -> Vec<u64> {
        let (process, profile) = (process.parse().unwrap(), profile.parse().unwrap());
        schedule(process, profile, seed).take(count).map(Nanos::get).collect()
    }

    const PROCESSES: [&str; 6] = [
        "constant",
        "poisson",
        "gamma:2",
        "weibull:0.7",
        "mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8",
        "batches:4",
    ];
    const PROFILES: [&str; 4] = ["10", "ramp:1..20 over 60s", "ramp-exp:1..20 over 60s", "steps:2x30s,4x30s"];

    #[test]
    fn constant_gaps_are_equal_and_do_not_drift() {
        assert_eq!(due("constant", "3", 0, 4), [0, 333_333_333, 666_666_667, 1_000_000_000]);
        let late = constant(Rate(3.0)).nth(3_000_000).unwrap();
        assert_eq!(late, Nanos::new(1_000_000_000_000_000));
    }

    #[test]
    fn a_seed_is_a_schedule_and_its_numbers_are_fixed() {
        // A change of a generator, of a stream or of a sampler would silently change every committed plan.
        assert_eq!(PROCESSES.map(|process| due(process, "10", 7, 3)), FIXED);
        for process in PROCESSES {
            assert_eq!(due(process, "10", 7, 50), due(process, "10", 7, 50));
            if process != "constant" {
                assert_ne!(due(process, "10", 7, 50), due(process, "10", 8, 50), "{process}");
            }
        }
    }

    const FIXED: [[u64; 3]; 6] = [
        [0, 100_000_000, 200_000_000],
        [142_896_153, 193_849_139, 231_761_009],
        [2_150_275, 156_453_161, 156_654_175],
        [131_548_152, 161_698_877, 181_462_982],
        [400_109_228, 542_777_589, 648_930_825],
        [571_584_611, 571_584_611, 571_584_611],
    ];

    #[test]
    fn due_times_never_fall_under_any_profile() {
        for process in PROCESSES {
            for profile in PROFILES {
                let due = due(process, profile, 3, 20_000);
                assert!(due.windows(2).all(|pair| pair[0] <= pair[1]), "{process} {profile}");
                assert!(due[19_999] > due[0]);
            }
        }
    }

    #[test]
    fn a_higher_rate_keeps_the_pattern() {
        // Not of `mmpp`: its states last so many seconds whatever the rate.
        for process in ["constant", "poisson", "gamma:0.5", "gamma:3", "weibull:2", "batches:3"] {
            for (slow, fast) in due(process, "1", 3, 50).into_iter().zip(due(process, "10", 3, 50)) {
                assert!((slow as f64 / 10.0 - fast as f64).abs() <= 1.0, "{process}");
            }
        }
    }

    #[test]
    fn every_process_has_the_rate_asked_for() {
        for process in PROCESSES {
            let due = due(process, "40", 11, 400_001);
            let rate = 400_000.0 / ((due[400_000] - due[0]) as f64 / 1e9);
            // Four standard errors; the index of dispersion of counts over long spans is what the noise scales with.
            let dispersion: f64 = match process {
                "gamma:2" | "batches:4" => 4.0,
                // (variation of a Weibull gap)^2 at shape 0.7.
                "weibull:0.7" => 2.14,
                // Of the limit, see `process`.
                "mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8" => 1.0 + 2.0 * 40.0 * 2.6449,
                _ => 1.0,
            };
            assert!((rate / 40.0 - 1.0).abs() < 4.0 * (dispersion / 4e5).sqrt(), "{process}: {rate}");
        }
    }

    #[test]
    fn a_million_arrivals_need_no_memory() {
        let mut due = poisson(Rate(1e6), 1);
        assert!(due.nth(1_000_000).unwrap() > Nanos::new(990_000_000));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in ["0", "-1", "nan", "inf", "1e9", "fast", ""] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
        assert!(" 2.5 ".parse::<Rate>().is_ok_and(|rate| rate == Rate(2.5)));
    }
}
