//! A difference of means with its interval: Welch's for independent sides, Student's for paired ones.
//!
//! Knows numbers on one scale; whether that scale is logarithmic is the caller's affair.

use crate::distribution::student_t_critical;
use crate::interval::{Confidence, Interval};
use crate::quantile::Refused;
use crate::sample::{mean, variance};

/// A change from base to candidate with its interval, or the reason why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Candidate minus base, or candidate over base minus 1.
    pub estimate: f64,
    /// Interval for the same quantity.
    pub interval: Result<Interval, Refused>,
}

impl Effect {
    /// Whether there is an interval and 0 lies outside it. Says nothing about the margin: a change may be
    /// detected and too small to matter.
    pub fn excludes_zero(&self) -> bool {
        self.interval.is_ok_and(|interval| !interval.contains(0.0))
    }

    /// The effect with a rising function applied to the estimate and to both ends.
    pub(crate) fn map(self, rising: impl Fn(f64) -> f64 + Copy) -> Self {
        Self { estimate: rising(self.estimate), interval: self.interval.map(|interval| interval.map(rising)) }
    }
}

/// Welch's interval for the difference of two means.
pub(crate) fn welch(base: &[f64], candidate: &[f64], confidence: Confidence) -> Effect {
    let estimate = mean(candidate) - mean(base);
    let have = base.len().min(candidate.len());
    if have < 2 {
        return Effect { estimate, interval: Err(Refused { needed: 2, have }) };
    }
    let (spread, degrees) = welch_spread(base, candidate);
    let half = student_t_critical(confidence, degrees) * spread.sqrt();
    Effect { estimate, interval: Ok(around(estimate, half, confidence)) }
}

/// Welch's t of candidate minus base and its degrees of freedom; both sides hold at least two values. Without any
/// spread t is 0 for equal means and infinite for others.
pub(crate) fn welch_statistic(base: &[f64], candidate: &[f64]) -> (f64, f64) {
    let (spread, degrees) = welch_spread(base, candidate);
    let difference = mean(candidate) - mean(base);
    let t = if difference == 0.0 { 0.0 } else { difference / spread.sqrt() };
    (t, degrees)
}

/// Variance of the difference of two means, and Satterthwaite's degrees of freedom for it.
fn welch_spread(base: &[f64], candidate: &[f64]) -> (f64, f64) {
    let share = |side: &[f64]| variance(side) / side.len() as f64;
    let (of_base, spread) = (share(base), share(base) + share(candidate));
    // From the fraction of the spread each side brings, so that no unit can overflow. Without any spread the fraction is
    // 0/0, taken as one degree of freedom by the critical value, and the width is 0 all the same.
    let fraction = of_base / spread;
    let part = |fraction: f64, side: &[f64]| fraction.powi(2) / (side.len() as f64 - 1.0);
    (spread, 1.0 / (part(fraction, base) + part(1.0 - fraction, candidate)))
}

/// Student's interval for the mean of differences.
pub(crate) fn paired_t(differences: &[f64], confidence: Confidence) -> Effect {
    let (estimate, have) = (mean(differences), differences.len());
    if have < 2 {
        return Effect { estimate, interval: Err(Refused { needed: 2, have }) };
    }
    let count = have as f64;
    let error = (variance(differences) / count).sqrt();
    Effect {
        estimate,
        interval: Ok(around(estimate, student_t_critical(confidence, count - 1.0) * error, confidence)),
    }
}

fn around(centre: f64, half: f64, confidence: Confidence) -> Interval {
    Interval { low: centre - half, high: centre + half, confidence }
}
