//! Shares of counted things: intervals for one share, the difference of two, and paired yes/no outcomes.
//!
//! Knows counts. Whether trials are independent is the caller's claim; where they are not, give an effective count.

use crate::distribution::{binomial_cdf, normal_critical};
use crate::interval::{Confidence, Interval, OutOfRange};
use crate::special::{beta_inc, bisect};

/// `successes` out of `total`, with 0 ≤ successes ≤ total and total ≥ 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    successes: u64,
    total: u64,
}

impl Proportion {
    /// Refuses a total of 0 and more successes than trials.
    pub fn new(successes: u64, total: u64) -> Result<Self, OutOfRange> {
        if total == 0 {
            return Err(OutOfRange { what: "number of trials", value: 0.0, allowed: "of at least 1" });
        }
        if successes > total {
            let value = successes as f64;
            return Err(OutOfRange {
                what: "number of successes",
                value,
                allowed: "up to the number of trials",
            });
        }
        Ok(Self { successes, total })
    }

    /// The share, 0 to 1.
    pub fn estimate(self) -> f64 {
        self.successes as f64 / self.total as f64
    }

    /// Wilson's score interval (1927, J. Am. Stat. Assoc. 22): stays within 0 to 1 and is not empty at 0 successes.
    ///
    /// ```
    /// use benchhost_stats::{Confidence, Proportion};
    ///
    /// let none_failed = Proportion::new(0, 100)?.wilson(Confidence::P95);
    /// assert_eq!(none_failed.low, 0.0);
    /// assert!((none_failed.high - 0.036_99).abs() < 1e-5);
    /// # Ok::<(), benchhost_stats::OutOfRange>(())
    /// ```
    pub fn wilson(self, confidence: Confidence) -> Interval {
        self.wilson_interval(confidence, self.total as f64)
    }

    /// Wilson's interval with the share kept and the number of trials replaced by the number of independent trials
    /// they are worth (1 to the total; others are clamped), see [`effective_size`](crate::effective_size).
    pub fn wilson_effective(self, confidence: Confidence, independent: u64) -> Interval {
        self.wilson_interval(confidence, independent.clamp(1, self.total) as f64)
    }

    /// The exact interval of Clopper & Pearson (1934, Biometrika 26): never covers less than its confidence, so it is
    /// wider than Wilson's.
    ///
    /// ```
    /// use benchhost_stats::{Confidence, Proportion};
    ///
    /// let interval = Proportion::new(0, 20)?.clopper_pearson(Confidence::P95);
    /// assert!(interval.low == 0.0 && (interval.high - 0.168_43).abs() < 1e-5);
    /// # Ok::<(), benchhost_stats::OutOfRange>(())
    /// ```
    pub fn clopper_pearson(self, confidence: Confidence) -> Interval {
        let (hits, misses) = (self.successes as f64, (self.total - self.successes) as f64);
        let tail = 0.5 * (1.0 - confidence.get());
        // P(X ≥ hits) = I_p(hits, misses + 1) rises with p, P(X ≤ hits) = 1 − I_p(hits + 1, misses) falls.
        let low = || bisect(0.0, 1.0, |p| beta_inc(p, hits, misses + 1.0) - tail);
        let high = || bisect(0.0, 1.0, |p| beta_inc(p, hits + 1.0, misses) - (1.0 - tail));
        let low = if self.successes == 0 { 0.0 } else { low() };
        let high = if self.successes == self.total { 1.0 } else { high() };
        Interval { low, high, confidence }
    }

    fn wilson_interval(self, confidence: Confidence, trials: f64) -> Interval {
        let share = self.estimate();
        let square = normal_critical(confidence).powi(2);
        let centre = (share + square / (2.0 * trials)) / (1.0 + square / trials);
        let half = (square / trials * (share * (1.0 - share) + square / (4.0 * trials))).sqrt()
            / (1.0 + square / trials);
        // Exact at the ends, where rounding would leave a stray 1e-18.
        let low = if self.successes == 0 { 0.0 } else { (centre - half).max(0.0) };
        let high = if self.successes == self.total { 1.0 } else { (centre + half).min(1.0) };
        Interval { low, high, confidence }
    }
}

/// Interval for candidate − base, two independent shares: the hybrid score interval, method 10 of Newcombe (1998,
/// Statistics in Medicine 17, 873–890).
///
/// ```
/// use benchhost_stats::{Confidence, Proportion, newcombe_difference};
///
/// let (base, candidate) = (Proportion::new(48, 80)?, Proportion::new(56, 70)?);
/// let interval = newcombe_difference(base, candidate, Confidence::P95);
/// assert!((interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
pub fn newcombe_difference(base: Proportion, candidate: Proportion, confidence: Confidence) -> Interval {
    let difference = candidate.estimate() - base.estimate();
    let (of_base, of_candidate) = (base.wilson(confidence), candidate.wilson(confidence));
    let down = (candidate.estimate() - of_candidate.low).hypot(of_base.high - base.estimate());
    let up = (of_candidate.high - candidate.estimate()).hypot(base.estimate() - of_base.low);
    Interval { low: difference - down, high: difference + up, confidence }
}

/// Two-sided exact p-value of `McNemar`'s test: of the items on which two sides disagree, `only_base` were right on one
/// side and `only_candidate` on the other (`McNemar` 1947; exact binomial form). 1 when they never disagree.
///
/// ```
/// use benchhost_stats::mcnemar_exact_p;
///
/// // 2·(1 + 6)/2^6.
/// assert!((mcnemar_exact_p(1, 5) - 14.0 / 64.0).abs() < 1e-12);
/// ```
pub fn mcnemar_exact_p(only_base: u32, only_candidate: u32) -> f64 {
    let fewer = only_base.min(only_candidate) as usize;
    let disagree = only_base as usize + only_candidate as usize;
    (2.0 * binomial_cdf(fewer, disagree, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(successes: u64, total: u64) -> Proportion {
        Proportion::new(successes, total).unwrap()
    }

    fn near(interval: Interval, low: f64, high: f64) {
        assert!((interval.low - low).abs() < 5.1e-5 && (interval.high - high).abs() < 5.1e-5, "{interval:?}");
    }

    #[test]
    fn wilson_meets_newcombes_examples() {
        // Newcombe 1998, Statistics in Medicine 17, 857–872, table I, score method without continuity correction.
        near(share(81, 263).wilson(Confidence::P95), 0.2553, 0.3662);
        near(share(15, 148).wilson(Confidence::P95), 0.0624, 0.1605);
        near(share(0, 20).wilson(Confidence::P95), 0.0, 0.1611);
        near(share(1, 29).wilson(Confidence::P95), 0.0061, 0.1718);
    }

    #[test]
    fn difference_meets_newcombes_examples() {
        // Newcombe 1998, 873–890, table II, method 10.
        let difference = |a, m, b, n| newcombe_difference(share(b, n), share(a, m), Confidence::P95);
        near(difference(56, 70, 48, 80), 0.0524, 0.3339);
        near(difference(9, 10, 3, 10), 0.1705, 0.8090);
        near(difference(5, 56, 0, 29), -0.0381, 0.1926);
        near(difference(0, 10, 0, 20), -0.1611, 0.2775);
    }

    #[test]
    fn every_share_lies_in_its_interval_and_the_ends_are_exact() {
        for total in [1, 2, 10, 1_000_000] {
            for successes in [0, 1, total / 2, total] {
                let interval = share(successes, total).wilson(Confidence::P99);
                assert!(interval.contains(share(successes, total).estimate()));
                assert!(interval.low >= 0.0 && interval.high <= 1.0 && interval.low < interval.high);
            }
        }
    }

    #[test]
    fn fewer_independent_trials_widen_the_interval() {
        let all = share(900, 1000).wilson(Confidence::P95);
        let few = share(900, 1000).wilson_effective(Confidence::P95, 50);
        assert!(few.low < all.low && few.high > all.high);
        assert_eq!(share(900, 1000).wilson_effective(Confidence::P95, 5000), all);
    }

    #[test]
    fn refuses_impossible_counts() {
        assert!(Proportion::new(0, 0).is_err());
        assert!(Proportion::new(3, 2).is_err());
        assert!((mcnemar_exact_p(0, 0) - 1.0).abs() < f64::EPSILON);
        assert!((mcnemar_exact_p(4, 4) - 1.0).abs() < f64::EPSILON);
    }
}
