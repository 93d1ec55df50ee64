//! Quantiles of values that each stand for many: a value with weight 3 counts as if it stood there three times.
//!
//! Knows pairs of value and weight; never writes the repetitions out, so a weight may be as large as it likes.

use crate::interval::Confidence;
use crate::quantile::{Quantile, Refused, interpolate_between};
use crate::sample::{SampleError, Series};

/// Finite values in ascending order, each with a weight of at least 1; never empty.
///
/// ```
/// use benchhost_stats::{Quantile, Sample, WeightedSample};
///
/// let short = WeightedSample::new(vec![(5.0, 1), (1.0, 3)])?;
/// let long = Sample::new(vec![1.0, 1.0, 1.0, 5.0])?;
/// assert_eq!(short.type7(Quantile::P90), long.type7(Quantile::P90));
/// assert_eq!((short.total(), short.mean()), (4, 2.0));
/// # Ok::<(), benchhost_stats::SampleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedSample {
    values: Vec<f64>,
    /// Sum of the weights up to and with each value. In u128, which 2^64 weights of 2^64 cannot pass.
    up_to: Vec<u128>,
}

impl WeightedSample {
    /// Accepts what [`Series::new`] accepts, each value with its weight. Pairs of weight 0 count for nothing and are
    /// left out; if no other is there, the sample is empty.
    pub fn new(mut pairs: Vec<(f64, u64)>) -> Result<Self, SampleError> {
        Series::new(pairs.iter().map(|(value, _)| *value).collect())?;
        pairs.retain(|(_, weight)| *weight > 0);
        if pairs.is_empty() {
            return Err(SampleError::Empty);
        }
        pairs.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let mut total = 0_u128;
        let up_to = pairs.iter().map(|(_, weight)| {
            total += u128::from(*weight);
            total
        });
        let up_to = up_to.collect();
        Ok(Self { values: pairs.into_iter().map(|(value, _)| value).collect(), up_to })
    }

    /// Number of values, whatever their weights; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Sum of the weights, at least 1; `u64::MAX` if it is larger than that.
    pub fn total(&self) -> u64 {
        u64::try_from(self.up_to[self.up_to.len() - 1]).unwrap_or(u64::MAX)
    }

    /// Weighted arithmetic mean.
    pub fn mean(&self) -> f64 {
        let total = self.up_to[self.up_to.len() - 1] as f64;
        let mut before = 0;
        let mut shares = Vec::with_capacity(self.len());
        for &up_to in &self.up_to {
            shares.push((up_to - before) as f64 / total);
            before = up_to;
        }
        // Shares first: value times weight could pass the largest float, value times share cannot.
        let mean_of =
            |centre: f64| self.values.iter().zip(&shares).map(|(v, s)| (v - centre) * s).sum::<f64>();
        let first = mean_of(0.0);
        // One correction step, as for unweighted means.
        first + mean_of(first)
    }

    /// The quantile of the repeated values, or a refusal when there are fewer *values* than
    /// [`Quantile::smallest_sample`] at 95 %: a weight repeats an observation, it does not add one.
    pub fn quantile(&self, quantile: Quantile) -> Result<f64, Refused> {
        let needed = quantile.smallest_sample(Confidence::P95);
        if self.len() < needed {
            return Err(Refused { needed, have: self.len() });
        }
        Ok(self.type7(quantile))
    }

    /// Definition 7 of Hyndman & Fan (1996) on the repeated values, without that refusal: position (W − 1)·p with W
    /// the sum of the weights. Equals [`Sample::type7`](crate::Sample::type7) of the values written out, as long as W
    /// is below 2^53.
    pub fn type7(&self, quantile: Quantile) -> f64 {
        let total = self.up_to[self.up_to.len() - 1];
        let position = (total - 1) as f64 * quantile.get();
        let below = whole(position).min(total - 1);
        interpolate_between(self.at(below), self.at((below + 1).min(total - 1)), position.fract())
    }

    /// The value at an index of the repeated values, counted from 0.
    fn at(&self, index: u128) -> f64 {
        let first_past = self.up_to.partition_point(|&up_to| up_to <= index);
        self.values[first_past.min(self.values.len() - 1)]
    }
}

/// The whole part of a non-negative float.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position is at least 0 and below 2^128"
)]
fn whole(position: f64) -> u128 {
    position as u128
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    /// Pairs whose order, ties and weights differ from call to call, without a random source.
    fn pairs(count: u64, step: u64) -> Vec<(f64, u64)> {
        (0..count).map(|i| ((i * step % 23) as f64 * 0.37, i * step % 7)).collect()
    }

    #[test]
    fn small_weights_equal_the_values_written_out() {
        for (count, step) in [(2, 1), (3, 5), (10, 3), (40, 11), (400, 17)] {
            let pairs = pairs(count, step);
            let written_out =
                pairs.iter().flat_map(|(v, w)| std::iter::repeat_n(*v, usize::try_from(*w).unwrap()));
            let long = Sample::new(written_out.collect()).unwrap();
            let short = WeightedSample::new(pairs).unwrap();
            assert_eq!(short.total(), long.len() as u64);
            assert!((short.mean() - long.mean()).abs() < 1e-12);
            for p in [0.001, 0.25, 0.5, 0.9, 0.99, 0.999] {
                let q = Quantile::new(p).unwrap();
                assert_eq!(short.type7(q).to_bits(), long.type7(q).to_bits(), "{count} {step} {p}");
            }
        }
    }

    #[test]
    fn the_largest_weights_neither_allocate_nor_overflow() {
        let sample = WeightedSample::new(vec![(1.0, u64::MAX), (2.0, u64::MAX), (9.0, 1)]).unwrap();
        assert_eq!((sample.len(), sample.total()), (3, u64::MAX));
        assert!((sample.mean() - 1.5).abs() < 1e-12);
        assert!((sample.type7(Quantile::P90) - 2.0).abs() < f64::EPSILON);
        assert!((sample.type7(Quantile::new(0.2).unwrap()) - 1.0).abs() < f64::EPSILON);
        let far = WeightedSample::new(vec![(1e100, u64::MAX), (1e100, 1)]).unwrap();
        assert!(far.mean().is_finite());
    }

    #[test]
    fn weights_do_not_lift_the_floor() {
        let few = WeightedSample::new(vec![(1.0, 1_000_000); 5]).unwrap();
        assert_eq!(few.quantile(Quantile::P50), Err(Refused { needed: 6, have: 5 }));
        let enough = WeightedSample::new(vec![(1.0, 1); 6]).unwrap();
        assert_eq!(enough.quantile(Quantile::P50), Ok(1.0));
        assert_eq!(enough.quantile(Quantile::P90), Err(Refused { needed: 36, have: 6 }));
    }

    #[test]
    fn weight_0_counts_for_nothing_and_bad_values_are_refused() {
        let sample = WeightedSample::new(vec![(1.0, 2), (100.0, 0)]).unwrap();
        assert_eq!((sample.len(), sample.total()), (1, 2));
        assert_eq!(WeightedSample::new(vec![]), Err(SampleError::Empty));
        assert_eq!(WeightedSample::new(vec![(1.0, 0)]), Err(SampleError::Empty));
        assert!(WeightedSample::new(vec![(1.0, 1), (f64::NAN, 1)]).is_err());
    }
}
