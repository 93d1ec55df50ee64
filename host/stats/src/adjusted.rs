//! Quantiles over every request, with those that failed counted as slower than any that did not.
//!
//! A server that drops its slowest requests must not look faster for it. Knows values and a count of failures.

use crate::interval::Confidence;
use crate::quantile::{Quantile, Refused, interpolate_between, type7_position};
use crate::sample::{SampleError, Series};

/// Finite values in ascending order, and failures that stand above all of them; at least one of either.
///
/// ```
/// use benchhost_stats::{Adjusted, AdjustedSample, Quantile};
///
/// let sample = AdjustedSample::new((1..=95).map(f64::from).collect(), 5)?;
/// assert_eq!(sample.type7(Quantile::P50), Adjusted::Value(50.5));
/// assert_eq!(sample.type7(Quantile::P99), Adjusted::Failed);
/// # Ok::<(), benchhost_stats::SampleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AdjustedSample {
    values: Vec<f64>,
    failures: usize,
}

/// A quantile that may lie among the failures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Adjusted {
    /// A finite value.
    Value(f64),
    /// So many requests failed that the quantile has no value.
    Failed,
}

impl Adjusted {
    /// The value, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Failed => None,
        }
    }
}

impl AdjustedSample {
    /// Accepts what [`Series::new`] accepts and, beside failures, no value at all.
    pub fn new(mut values: Vec<f64>, failures: usize) -> Result<Self, SampleError> {
        if !values.is_empty() {
            values = Series::new(values)?.into_values();
        } else if failures == 0 {
            return Err(SampleError::Empty);
        }
        values.sort_unstable_by(f64::total_cmp);
        Ok(Self { values, failures })
    }

    /// Values and failures together, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.values.len() + self.failures
    }

    /// How many failed.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// The type 7 quantile over values and failures, or a refusal below [`Quantile::smallest_sample`] at 95 %.
    pub fn quantile(&self, quantile: Quantile) -> Result<Adjusted, Refused> {
        let needed = quantile.smallest_sample(Confidence::P95);
        if self.len() < needed {
            return Err(Refused { needed, have: self.len() });
        }
        Ok(self.type7(quantile))
    }

    /// The same without the refusal. A position between the last value and the first failure counts as failed.
    pub fn type7(&self, quantile: Quantile) -> Adjusted {
        let (below, weight) = type7_position(self.len(), quantile);
        match (self.values.get(below), self.values.get(below + 1)) {
            (Some(&low), Some(&high)) => Adjusted::Value(interpolate_between(low, high, weight)),
            (Some(&low), None) if weight == 0.0 => Adjusted::Value(low),
            _ => Adjusted::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn without_failures_it_is_the_plain_quantile() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 401)).collect();
        let (plain, adjusted) =
            (Sample::new(values.clone()).unwrap(), AdjustedSample::new(values, 0).unwrap());
        for q in [Quantile::P50, Quantile::P90, Quantile::P99] {
            assert_eq!(adjusted.type7(q).value().map(f64::to_bits), Some(plain.type7(q).to_bits()));
        }
    }

    #[test]
    fn failures_push_every_quantile_up_until_it_has_no_value() {
        let at = |failures: usize, q| {
            AdjustedSample::new((1..=1000).map(f64::from).collect(), failures).unwrap().quantile(q).unwrap()
        };
        assert!(at(5, Quantile::P99).value() > at(0, Quantile::P99).value());
        assert_eq!(at(11, Quantile::P99), Adjusted::Failed);
        assert!(at(11, Quantile::P90).value().is_some());
        assert_eq!(at(1001, Quantile::P50), Adjusted::Failed);
    }

    #[test]
    fn only_failures_are_a_sample_and_nothing_is_not() {
        let none = AdjustedSample::new(vec![], 400).unwrap();
        assert_eq!(none.quantile(Quantile::P99), Ok(Adjusted::Failed));
        assert_eq!(AdjustedSample::new(vec![], 0), Err(SampleError::Empty));
        assert!(AdjustedSample::new(vec![f64::INFINITY], 0).is_err());
        assert_eq!(
            AdjustedSample::new(vec![1.0; 300], 10).unwrap().quantile(Quantile::P99),
            Err(Refused { needed: 368, have: 310 })
        );
    }
}
