//! How many independent values a correlated series is worth.
//!
//! Values taken one after another in one run wait in the same queue; near saturation a thousand of them can carry
//! the information of ten. Knows order, not time.

use crate::sample::Series;

/// Products computed at one resolution; beyond it neighbours are averaged and the sum goes on at half the resolution.
const WORK: usize = 20_000_000;

/// Effective number of independent values n/τ, between 1 and n, with `τ = 1 + 2 Σ r_k`.
///
/// The sum of autocorrelations stops where the sum of two neighbours `r_2m + r_2m+1` is no longer positive
/// (initial positive sequence, Geyer 1992, Statistical Science 7). Negative correlation is not credited. A constant
/// series counts in full: nothing in it shows dependence. Where a long series stays correlated over more lags than
/// 2·10⁷ products can examine, neighbours are averaged in pairs and the pairs are examined, as often as needed (the
/// idea of batch means): a million values take a fraction of a second whatever their correlation.
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
    let count = values.len() as f64;
    let centre = crate::sample::mean(values);
    let mut centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let power = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
    let variance = power(&centred);
    if variance <= 0.0 || !variance.is_finite() {
        return 1.0;
    }
    loop {
        if let Some(time) = within_lags(&centred, WORK / centred.len()) {
            // n·Var(mean)/σ² is the same at every resolution: a batch of b values adds b·σ_b²/σ² times its own τ.
            let batch = (values.len() / centred.len()) as f64;
            return (time * batch * power(&centred) / variance).clamp(1.0, count);
        }
        // An odd value at the end is left out: it is one of more than 4000.
        centred = centred.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    }
}

/// τ of centred values if their correlation dies out, or the values end, within `lags`.
fn within_lags(centred: &[f64], lags: usize) -> Option<f64> {
    let product = |lag: usize| -> f64 { centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum() };
    let total = product(0);
    if total <= 0.0 {
        return Some(1.0);
    }
    let last_lag = (centred.len() - 1).min(lags);
    let (mut sum, mut lag) = (0.0_f64, 0);
    while lag < last_lag {
        let pair = (product(lag) + product(lag + 1)) / total;
        if pair <= 0.0 {
            break;
        }
        sum += pair;
        lag += 2;
    }
    let died_out = lag < last_lag || last_lag == centred.len() - 1;
    died_out.then(|| (2.0 * sum - 1.0).max(0.0))
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
    fn a_long_trend_is_examined_at_a_lower_resolution() {
        let trend = Series::new((0..1_000_000).map(f64::from).collect()).unwrap();
        assert!(effective_size(&trend) < 10);
    }

    #[test]
    fn the_resolution_hardly_changes_the_answer() {
        // 2000 levels from a small congruential generator, each held for 200 steps: τ is 200 by construction.
        let levels = (0..2000).scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(f64::from(*state >> 16))
        });
        let held: Vec<f64> = levels.flat_map(|level| std::iter::repeat_n(level, 200)).collect();
        let centre = crate::sample::mean(&held);
        let centred: Vec<f64> = held.iter().map(|value| value - centre).collect();
        assert_eq!(within_lags(&centred, WORK / held.len()), None, "fifty lags are too few");
        let (coarse, fine) = (correlation_time(&held), within_lags(&centred, 1000).unwrap());
        assert!((fine / coarse - 1.0).abs() < 0.1 && (coarse / 200.0 - 1.0).abs() < 0.25, "{fine} {coarse}");
    }
}
