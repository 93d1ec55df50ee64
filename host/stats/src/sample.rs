//! Values that are proved non-empty and finite: [`Series`] keeps the order of arrival, [`Sample`] is sorted once.
//!
//! Knows nothing of where the values came from; the unit is the caller's and every result is in that unit.

use std::fmt;

/// Largest magnitude accepted. Squares and sums of up to 2^53 such values stay finite, so a mean or a standard
/// deviation of an accepted series can never be infinite.
const MAX_MAGNITUDE: f64 = 1e100;

/// Why values are not a usable series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SampleError {
    /// There is no value at all.
    Empty,
    /// A value is NaN, infinite, or of a magnitude above 1e100.
    Unusable {
        /// Position of the first such value, counted from 0.
        index: usize,
        /// The value itself.
        value: f64,
    },
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the sample is empty: give at least one value"),
            Self::Unusable { index, value } => {
                write!(
                    f,
                    "value {index} of the sample is `{value}`: leave missing values out, do not encode them"
                )
            }
        }
    }
}

impl std::error::Error for SampleError {}

/// Finite values in the order they were taken; never empty.
///
/// Used for the observations of one run in time order, and for the summary values of several runs.
///
/// ```
/// use benchhost_stats::{SampleError, Series};
///
/// assert_eq!(Series::new(vec![]), Err(SampleError::Empty));
/// assert!(Series::new(vec![1.0, f64::NAN]).is_err());
/// assert_eq!(Series::new(vec![3.0, 1.0])?.values(), [3.0, 1.0]);
/// # Ok::<(), SampleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    values: Vec<f64>,
}

/// Whether a value can be reckoned with: finite, and so small that its square is finite too.
pub(crate) fn is_usable(value: f64) -> bool {
    // Written so that NaN, for which every comparison is false, is refused too.
    value.abs() <= MAX_MAGNITUDE
}

impl Series {
    /// Accepts finite values of a magnitude up to 1e100, at least one.
    pub fn new(values: Vec<f64>) -> Result<Self, SampleError> {
        if values.is_empty() {
            return Err(SampleError::Empty);
        }
        match values.iter().position(|&value| !is_usable(value)) {
            Some(index) => Err(SampleError::Unusable { index, value: values[index] }),
            None => Ok(Self { values }),
        }
    }

    /// Takes integers, for example nanoseconds. Exact below 2^53 (104 days of nanoseconds).
    pub fn from_integers(values: &[u64]) -> Result<Self, SampleError> {
        Self::new(values.iter().map(|&value| value as f64).collect())
    }

    /// The values in their original order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values in their original order, without a copy.
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// Number of values, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a series is never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Arithmetic mean.
    pub fn mean(&self) -> f64 {
        mean(&self.values)
    }

    /// The same values, sorted.
    pub fn to_sample(&self) -> Sample {
        let mut values = self.values.clone();
        values.sort_unstable_by(f64::total_cmp);
        Sample { values }
    }
}

/// Finite values in ascending order, sorted once; never empty.
///
/// ```
/// use benchhost_stats::{Sample, SampleError};
///
/// let sample = Sample::new(vec![4.0, 1.0, 3.0, 2.0])?;
/// assert_eq!((sample.len(), sample.min(), sample.max(), sample.mean()), (4, 1.0, 4.0, 2.5));
/// # Ok::<(), SampleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
}

impl Sample {
    /// Accepts what [`Series::new`] accepts and sorts it.
    pub fn new(values: Vec<f64>) -> Result<Self, SampleError> {
        let mut values = Series::new(values)?.values;
        values.sort_unstable_by(f64::total_cmp);
        Ok(Self { values })
    }

    /// Takes integers, for example nanoseconds. Exact below 2^53.
    pub fn from_integers(values: &[u64]) -> Result<Self, SampleError> {
        Self::new(values.iter().map(|&value| value as f64).collect())
    }

    /// Takes values that are known to be usable and in ascending order.
    pub(crate) fn from_ascending(values: Vec<f64>) -> Self {
        debug_assert!(values.is_sorted() && !values.is_empty());
        Self { values }
    }

    /// The values in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of values, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Arithmetic mean.
    pub fn mean(&self) -> f64 {
        mean(&self.values)
    }

    /// Standard deviation with divisor n − 1 (`numpy.std(ddof=1)`); `None` for a single value.
    pub fn sd(&self) -> Option<f64> {
        (self.len() > 1).then(|| variance(&self.values).sqrt())
    }

    /// Smallest value.
    pub fn min(&self) -> f64 {
        self.values[0]
    }

    /// Largest value.
    pub fn max(&self) -> f64 {
        self.values[self.values.len() - 1]
    }
}

/// Arithmetic mean of a non-empty slice.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let first = values.iter().sum::<f64>() / count;
    // One correction step: removes most of the rounding of the plain sum, and makes the mean of equal values exact.
    first + values.iter().map(|value| value - first).sum::<f64>() / count
}

/// Variance with divisor n − 1, in two passes; the slice holds at least two values.
pub(crate) fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_a_number_and_says_where() {
        assert_eq!(Sample::new(vec![]), Err(SampleError::Empty));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1e101] {
            match Series::new(vec![1.0, bad]) {
                Err(SampleError::Unusable { index: 1, value }) => assert_eq!(value.to_bits(), bad.to_bits()),
                other => panic!("{bad} gave {other:?}"),
            }
        }
    }

    #[test]
    fn moments_stay_finite_at_the_largest_magnitude() {
        let sample = Sample::new(vec![MAX_MAGNITUDE, -MAX_MAGNITUDE, MAX_MAGNITUDE]).unwrap();
        assert!(sample.mean().is_finite() && sample.sd().unwrap().is_finite());
    }

    #[test]
    fn sd_has_divisor_n_minus_one_and_needs_two_values() {
        // Sum of squares about the mean 5 is 32; 32/7.
        let sample = Sample::new(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert!((sample.sd().unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
        assert_eq!(Sample::new(vec![1.0]).unwrap().sd(), None);
    }

    #[test]
    fn a_large_offset_does_not_swallow_the_spread() {
        let sample =
            Sample::from_integers(&[1_000_000_000_000_001, 1_000_000_000_000_002, 1_000_000_000_000_003]);
        assert!((sample.unwrap().sd().unwrap() - 1.0).abs() < 1e-12);
    }
}
