//! When requests are due, in an open loop. Numbers only: no clock, no waiting.
//!
//! Offsets are absolute, from the load's start, so an error in one never moves the next. Gaps are not rescaled to make
//! the last request fall on a round time: that would condition the process and hide the noise of its rate.

use std::fmt;
use std::str::FromStr;

use benchhost_model::Nanos;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const NS_PER_S: f64 = 1e9;

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

/// Equal gaps, the first request at the start. Endless.
pub fn constant(rate: Rate) -> Constant {
    Constant { rate, next: 0 }
}

/// See [`constant`].
#[derive(Debug, Clone)]
pub struct Constant {
    rate: Rate,
    next: u64,
}

impl Iterator for Constant {
    type Item = Nanos;

    fn next(&mut self) -> Option<Nanos> {
        // From the index, not from the one before: rounding does not add up.
        let at = nanos(self.next as f64 / self.rate.0 * NS_PER_S);
        self.next += 1;
        Some(at)
    }
}

/// Independent exponential gaps, the first request after one. Endless; the same seed gives the same offsets.
pub fn poisson(rate: Rate, seed: u64) -> Poisson {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(ARRIVALS);
    Poisson { rate, random, at: 0.0 }
}

/// The stream of random numbers that belongs to arrivals (the text `arrivals`), so that other uses of the same seed do
/// not shift it.
const ARRIVALS: u64 = u64::from_le_bytes(*b"arrivals");

/// See [`poisson`].
#[derive(Debug, Clone)]
pub struct Poisson {
    rate: Rate,
    random: ChaCha8Rng,
    /// Nanoseconds, exact to one for 104 days.
    at: f64,
}

impl Iterator for Poisson {
    type Item = Nanos;

    fn next(&mut self) -> Option<Nanos> {
        // Inversion: -ln(u) is exponential for u uniform in (0, 1). The middle of each of 2^53 cells is never 0 or 1.
        let uniform = ((self.random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        self.at += -uniform.ln() / self.rate.0 * NS_PER_S;
        Some(nanos(self.at))
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and the cast saturates"
)]
fn nanos(at: f64) -> Nanos {
    Nanos::new(at.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: f64) -> Rate {
        Rate::new(per_second).unwrap()
    }

    #[test]
    fn constant_gaps_are_equal_and_do_not_drift() {
        let due: Vec<u64> = constant(rate(3.0)).take(4).map(Nanos::get).collect();
        assert_eq!(due, [0, 333_333_333, 666_666_667, 1_000_000_000]);
        let late = constant(rate(3.0)).nth(3_000_000).unwrap();
        assert_eq!(late, Nanos::new(1_000_000_000_000_000));
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_spread_of_an_exponential() {
        let due: Vec<f64> = poisson(rate(50.0), 1).take(20_001).map(Nanos::as_secs).collect();
        let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        let spread = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Four standard errors: 1/sqrt(n) of the mean, and about as much of the coefficient of variation.
        assert!((mean * 50.0 - 1.0).abs() < 4.0 / n.sqrt(), "mean {mean}");
        assert!((spread / mean - 1.0).abs() < 4.0 / n.sqrt(), "cv {}", spread / mean);
        let long = gaps.iter().filter(|gap| **gap > 2.0 * 0.02).count() as f64 / n;
        assert!((long - (-2.0_f64).exp()).abs() < 0.01, "share beyond twice the mean {long}");
        // Its counts in a second vary as much as their mean.
        assert!(due.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_seed_is_a_schedule() {
        let of = |seed| poisson(rate(10.0), seed).take(50).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        // Fixed numbers: a change of the generator or of the stream would silently change every committed plan.
        assert_eq!(of(7)[..3].to_vec(), FIXED.map(Nanos::new));
    }

    const FIXED: [u64; 3] = [142_896_153, 193_849_139, 231_761_009];

    #[test]
    fn a_higher_rate_keeps_the_pattern() {
        let slow = poisson(rate(1.0), 3).take(20);
        for (slow, fast) in slow.zip(poisson(rate(10.0), 3)) {
            assert!((slow.get() as f64 / 10.0 - fast.get() as f64).abs() <= 1.0);
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for bad in ["0", "-1", "nan", "inf", "1e9", "fast", ""] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
        assert!(" 2.5 ".parse::<Rate>().is_ok_and(|rate| rate == Rate(2.5)));
    }
}
