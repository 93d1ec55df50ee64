//! How many independent values a correlated series is worth.
//!
//! Values taken one after another in one run wait in the same queue; near saturation a thousand of them can carry
//! the information of ten. Knows order, not time.

use crate::sample::Series;

/// Products computed at most; beyond it the correlation has not died out and the series is worth one value.
const WORK: usize = 1_000_000_000;

/// Effective number of independent values n/τ, between 1 and n, with `τ = 1 + 2 Σ r_k`.
///
/// The sum of autocorrelations stops where the sum of two neighbours `r_2m + r_2m+1` is no longer positive
/// (initial positive sequence, Geyer 1992, Statistical Science 7). Negative correlation is not credited. A constant
/// series counts in full: nothing in it shows dependence. A long series whose correlation has not died out within
/// the lags that can be computed (10⁹/n of them) is worth 1.
///
/// ```
/// use benchhost_stats::{Series, effective_size};
///
/// // Every value four times over: at most a quarter of the count is information.
/// let stairs = Series::new((0..4000).map(|i| f64::from((i / 4) * 7919 % 1009)).collect())?;
/// assert!(effective_size(&stairs) < 1100);
/// # Ok::<(), benchhost_stats::SampleError>(())
/// ```
pub fn effective_size(series: &Series) -> usize {
    let count = series.len();
    let time = correlation_time(series.values());
    crate::quantile::to_count((count as f64 / time).floor()).clamp(1, count)
}

/// `τ = 1 + 2 Σ r_k`, from 1 to n.
pub(crate) fn correlation_time(values: &[f64]) -> f64 {
    let count = values.len();
    let centre = crate::sample::mean(values);
    let centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let product = |lag: usize| -> f64 { centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum() };
    let total = product(0);
    if total <= 0.0 {
        return 1.0;
    }
    let last_lag = (count - 1).min(WORK / count);
    let mut sum = 0.0_f64;
    let mut lag = 0;
    while lag < last_lag {
        let pair = (product(lag) + product(lag + 1)) / total;
        if pair <= 0.0 {
            return (2.0 * sum - 1.0).clamp(1.0, count as f64);
        }
        sum += pair;
        lag += 2;
    }
    if last_lag < count - 1 { count as f64 } else { (2.0 * sum - 1.0).clamp(1.0, count as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_and_alternating_series_count_in_full() {
        let size = |values: Vec<f64>| effective_size(&Series::new(values).unwrap());
        assert_eq!(size(vec![5.0; 50]), 50);
        assert_eq!(size((0..50).map(|i| f64::from(i % 2)).collect()), 50);
        assert_eq!(size(vec![1.0]), 1);
        assert_eq!(size(vec![1.0, 2.0]), 2);
    }

    #[test]
    fn a_trend_is_worth_few_values() {
        let trend = Series::new((0..2000).map(f64::from).collect()).unwrap();
        assert!(effective_size(&trend) < 10);
    }

    #[test]
    fn a_trend_too_long_to_examine_is_worth_one() {
        let trend = Series::new((0..100_000).map(f64::from).collect()).unwrap();
        assert_eq!(effective_size(&trend), 1);
    }
}
