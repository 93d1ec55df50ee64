//! Quantiles of a sample, refused where the count cannot support them, with distribution-free intervals.
//!
//! Knows counts and ranks; nothing of what is measured.

use crate::distribution::binomial_quantile;
use crate::interval::{Confidence, Interval, OutOfRange};
use crate::sample::Sample;
use std::fmt;

/// Which quantile: a probability strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Quantile(f64);

impl Quantile {
    /// The median.
    pub const P50: Self = Self(0.50);
    /// 90th percentile.
    pub const P90: Self = Self(0.90);
    /// 95th percentile.
    pub const P95: Self = Self(0.95);
    /// 99th percentile.
    pub const P99: Self = Self(0.99);
    /// 99.9th percentile.
    pub const P999: Self = Self(0.999);

    /// Accepts a probability between 0 and 1, both excluded (use [`Sample::min`] and [`Sample::max`] for the ends).
    pub fn new(probability: f64) -> Result<Self, OutOfRange> {
        if probability > 0.0 && probability < 1.0 {
            Ok(Self(probability))
        } else {
            Err(OutOfRange {
                what: "quantile",
                value: probability,
                allowed: "between 0 and 1, both excluded",
            })
        }
    }

    /// The probability.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Smallest number of independent values for which a two-sided interval for this quantile has finite ends:
    /// the smallest n with max(p, 1−p)ⁿ ≤ (1 − confidence)/2. At 95 %: 6 for p50, 36 for p90, 72 for p95, 368 for
    /// p99, 3688 for p99.9. (Order statistics: David & Nagaraja, Order Statistics, 3rd ed., §7.1.)
    ///
    /// ```
    /// use benchhost_stats::{Confidence, Quantile};
    ///
    /// assert_eq!(Quantile::P99.smallest_sample(Confidence::P95), 368);
    /// ```
    pub fn smallest_sample(self, confidence: Confidence) -> usize {
        smallest_power_below(self.0.max(1.0 - self.0), confidence.tail())
    }
}

/// How many more observations a refused quantile needs: 0 if `effective` independent values are enough at 95 %, else
/// the missing ones at the rate at which the `count` observations so far were worth independent ones.
///
/// `effective` is [`effective_size`](crate::effective_size) of the observations, or `count` if they are independent.
///
/// ```
/// use benchhost_stats::{Quantile, needed_more};
///
/// assert_eq!(needed_more(Quantile::P99, 1000, 400), 0);
/// assert_eq!(needed_more(Quantile::P99, 300, 300), 68);
/// // Worth a quarter each: 4 · (368 − 92).
/// assert_eq!(needed_more(Quantile::P99, 368, 92), 1104);
/// ```
pub fn needed_more(quantile: Quantile, count: usize, effective: usize) -> usize {
    let needed = quantile.smallest_sample(Confidence::P95);
    let effective = effective.min(count);
    let missing = needed.saturating_sub(effective);
    if effective == 0 { missing } else { scale_up_any(missing, count, effective) }
}

/// Smallest n with `base`ⁿ ≤ `level`, both in (0, 1).
fn smallest_power_below(base: f64, level: f64) -> usize {
    to_count((level.ln() / base.ln()).ceil())
}

/// A figure was asked for that so few values cannot support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Number of independent values needed.
    pub needed: usize,
    /// Number there is.
    pub have: usize,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "needs {} independent values, there are {}: measure longer", self.needed, self.have)
    }
}

impl std::error::Error for Refused {}

impl Sample {
    /// The quantile by definition 7 of Hyndman & Fan (1996, The American Statistician 50), numpy's default, or a
    /// refusal when the sample is smaller than [`Quantile::smallest_sample`] at 95 %.
    ///
    /// ```
    /// use benchhost_stats::{Quantile, Refused, Sample};
    ///
    /// let sample = Sample::new((1..=100).map(f64::from).collect())?;
    /// assert_eq!(sample.quantile(Quantile::P50), Ok(50.5));
    /// assert_eq!(sample.quantile(Quantile::P99), Err(Refused { needed: 368, have: 100 }));
    /// # Ok::<(), benchhost_stats::SampleError>(())
    /// ```
    pub fn quantile(&self, quantile: Quantile) -> Result<f64, Refused> {
        let needed = quantile.smallest_sample(Confidence::P95);
        if self.len() < needed {
            return Err(Refused { needed, have: self.len() });
        }
        Ok(self.type7(quantile))
    }

    /// The same quantile without that refusal: describes these values, says little about values not seen.
    /// Equals `numpy.quantile(values, p)` to the last bit or the one before it.
    pub fn type7(&self, quantile: Quantile) -> f64 {
        let (below, weight) = type7_position(self.len(), quantile);
        interpolate(self.values(), below, weight)
    }

    /// Order-statistic interval for the quantile: ranks l and u from Bin(n, p), so that the interval
    /// [x₍l₎, x₍u₎] covers with at least the stated confidence whatever the distribution (David & Nagaraja §7.1).
    ///
    /// `independent` is the number of independent values the sample is worth: [`Sample::len`] when the values are
    /// independent, else [`effective_size`](crate::effective_size). It sets the ranks, which are then scaled to
    /// the sample (Woodruff 1952 with the effective size of Korn & Graubard 1998), and it is what a refusal
    /// looks at. A value above the length counts as the length.
    ///
    /// ```
    /// use benchhost_stats::{Confidence, Quantile, Sample};
    ///
    /// let sample = Sample::new((1..=1000).map(f64::from).collect())?;
    /// let interval = sample.quantile_interval(Quantile::P99, Confidence::P95, sample.len())?;
    /// assert_eq!((interval.low, interval.high), (983.0, 997.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn quantile_interval(
        &self,
        quantile: Quantile,
        confidence: Confidence,
        independent: usize,
    ) -> Result<Interval, Refused> {
        let have = independent.min(self.len());
        let needed = quantile.smallest_sample(confidence);
        if have < needed {
            return Err(Refused { needed, have });
        }
        let lower = binomial_quantile(confidence.tail(), have, quantile.get()).max(1);
        let upper = (binomial_quantile(1.0 - confidence.tail(), have, quantile.get()) + 1).min(have);
        let values = self.values();
        // Ranks count from 1. Rounding outwards keeps the interval on the safe side.
        let low_rank = scale(lower, self.len(), have).max(1);
        let high_rank = scale_up(upper, self.len(), have);
        Ok(Interval { low: values[low_rank - 1], high: values[high_rank - 1], confidence })
    }

    /// Value that the quantile does not exceed with the stated one-sided confidence: the smallest order statistic
    /// x₍k₎ with P(Bin(n, p) < k) ≥ confidence.
    ///
    /// This is the early-stopping rule of `MLPerf` `LoadGen` with tolerance 0: t = n − k values may lie above the
    /// bound when `I_p(n − t, t + 1) ≤ 1 − confidence`. `LoadGen` uses [`Confidence::P99`]; then p99 needs 459 values
    /// with none above, 662 with one, 2010 with ten. (`LoadGen`'s own estimate starts at t = 1 and reports the
    /// t-th largest value, one order statistic above this one.) `independent` is as in
    /// [`Sample::quantile_interval`].
    ///
    /// ```
    /// use benchhost_stats::{Confidence, Quantile, Refused, Sample};
    ///
    /// let sample = Sample::new((1..=662).map(f64::from).collect())?;
    /// assert_eq!(sample.upper_bound(Quantile::P99, Confidence::P99, 662), Ok(661.0));
    /// assert_eq!(sample.upper_bound(Quantile::P99, Confidence::P99, 458), Err(Refused { needed: 459, have: 458 }));
    /// # Ok::<(), benchhost_stats::SampleError>(())
    /// ```
    pub fn upper_bound(
        &self,
        quantile: Quantile,
        confidence: Confidence,
        independent: usize,
    ) -> Result<f64, Refused> {
        let have = independent.min(self.len());
        let needed = smallest_power_below(quantile.get(), 1.0 - confidence.get());
        if have < needed {
            return Err(Refused { needed, have });
        }
        let rank = (binomial_quantile(confidence.get(), have, quantile.get()) + 1).min(have);
        Ok(self.values()[scale_up(rank, self.len(), have) - 1])
    }
}

/// Index below the type 7 position (n − 1)·p, and the weight of the next value.
pub(crate) fn type7_position(count: usize, quantile: Quantile) -> (usize, f64) {
    let position = (count as f64 - 1.0) * quantile.get();
    (to_count(position.floor()), position.fract())
}

/// Linear interpolation between two neighbours of an ascending slice. The upper neighbour caps the result, so that
/// rounding can never make a higher quantile smaller.
fn interpolate(ascending: &[f64], below: usize, weight: f64) -> f64 {
    let low = ascending[below];
    interpolate_between(low, ascending.get(below + 1).copied().unwrap_or(low), weight)
}

/// The point `weight` (0 to 1) of the way from `low` to `high`, never above `high`.
pub(crate) fn interpolate_between(low: f64, high: f64, weight: f64) -> f64 {
    (low + weight * (high - low)).min(high)
}

/// `rank · count / base`, rounded down. In u128, so that no count overflows.
fn scale(rank: usize, count: usize, base: usize) -> usize {
    usize::try_from(rank as u128 * count as u128 / base as u128).unwrap_or(count)
}

/// `rank · count / base`, rounded up, at most `count`.
fn scale_up(rank: usize, count: usize, base: usize) -> usize {
    scale_up_any(rank, count, base).min(count)
}

/// `part · count / base`, rounded up.
fn scale_up_any(part: usize, count: usize, base: usize) -> usize {
    usize::try_from((part as u128 * count as u128).div_ceil(base as u128)).unwrap_or(usize::MAX)
}

/// A non-negative whole float as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers pass whole, non-negative values"
)]
pub(crate) fn to_count(whole: f64) -> usize {
    whole as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_samples_are_the_published_ones() {
        for (quantile, needed) in [
            (Quantile::P50, 6),
            (Quantile::P90, 36),
            (Quantile::P95, 72),
            (Quantile::P99, 368),
            (Quantile::P999, 3688),
        ] {
            assert_eq!(quantile.smallest_sample(Confidence::P95), needed);
            let ends =
                |n: usize| Sample::new(vec![1.0; n]).unwrap().quantile_interval(quantile, Confidence::P95, n);
            assert_eq!(ends(needed - 1), Err(Refused { needed, have: needed - 1 }));
            assert!(ends(needed).is_ok());
        }
        assert_eq!(Quantile::new(0.01).unwrap().smallest_sample(Confidence::P95), 368);
    }

    #[test]
    fn early_stopping_counts_are_those_of_loadgen() {
        // (values above, smallest count that certifies p99 at 99 %).
        for (above, needed) in [(0, 459), (1, 662), (10, 2010), (50, 6898)] {
            let ramp = |n: usize| Sample::new((0..n).map(|i| i as f64).collect()).unwrap();
            let above_bound = |n: usize| {
                let bound = ramp(n).upper_bound(Quantile::P99, Confidence::P99, n).unwrap();
                ramp(n).values().iter().filter(|&&value| value > bound).count()
            };
            assert_eq!(above_bound(needed), above);
            if above > 0 {
                assert_eq!(above_bound(needed - 1), above - 1);
            }
        }
    }

    #[test]
    fn fewer_independent_values_widen_the_interval() {
        let sample = Sample::new((1..=4000).map(f64::from).collect()).unwrap();
        let width = |independent| {
            sample.quantile_interval(Quantile::P90, Confidence::P95, independent).unwrap().half_width()
        };
        assert!(width(4000) < width(400) && width(400) < width(40));
        assert!((width(9999) - width(4000)).abs() < f64::EPSILON);
    }

    #[test]
    fn one_value_is_every_descriptive_quantile() {
        let one = Sample::new(vec![7.0]).unwrap();
        assert!((one.type7(Quantile::P99) - 7.0).abs() < f64::EPSILON);
        assert_eq!(one.quantile(Quantile::P50), Err(Refused { needed: 6, have: 1 }));
    }
}
