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
    // What blocks longer than the series see is everything.
    times(values, f64::INFINITY).0
}

/// By how much the variance of a mean exceeds what blocks of `length` values show of it, 1 or more.
///
/// A mean's variance is σ²τ/n. Means of blocks of L values have `(σ²/L)(1 + 2 Σ_{k<L} (1 − k/L) r_k)`: what is correlated
/// over the edge of a block is lost (Künsch 1989, Annals of Statistics 17, §3.1), a tenth to a third of the variance at
/// L = 2τ.
pub(crate) fn lost_between_blocks(values: &[f64], length: f64) -> f64 {
    let (time, seen) = times(values, length);
    (time / seen).max(1.0)
}

/// τ, from 1 to n, and what blocks of `length` values show of it.
fn times(values: &[f64], length: f64) -> (f64, f64) {
    let count = values.len() as f64;
    let centre = crate::sample::mean(values);
    let mut centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let power = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
    let variance = power(&centred);
    if variance <= 0.0 || !variance.is_finite() {
        return (1.0, 1.0);
    }
    loop {
        let batch = (values.len() / centred.len()) as f64;
        if let Some(times) = within_lags(&centred, WORK / centred.len(), length / batch) {
            // n·Var(mean)/σ² is the same at every resolution: a batch of b values adds b·σ_b²/σ² times its own τ.
            let scale = batch * power(&centred) / variance;
            let [time, seen] = [times.0, times.1].map(|time| (time * scale).clamp(1.0, count));
            return (time, seen);
        }
        // An odd value at the end is left out: it is one of more than 4000.
        centred = centred.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    }
}

/// τ of centred values, and what blocks of `length` show of it, if their correlation dies out, or the values end, within
/// `lags`.
fn within_lags(centred: &[f64], lags: usize, length: f64) -> Option<(f64, f64)> {
    let product = |lag: usize| product(&centred[..centred.len() - lag], &centred[lag..]);
    let total = product(0);
    if total <= 0.0 {
        return Some((1.0, 1.0));
    }
    let last_lag = (centred.len() - 1).min(lags);
    let inside = |lag: usize| (1.0 - lag as f64 / length).max(0.0);
    let (mut sum, mut seen, mut lag) = (0.0_f64, 0.0_f64, 0);
    while lag < last_lag {
        let (even, odd) = (product(lag), product(lag + 1));
        let pair = (even + odd) / total;
        if pair <= 0.0 {
            break;
        }
        sum += pair;
        seen += (even * inside(lag) + odd * inside(lag + 1)) / total;
        lag += 2;
    }
    let died_out = lag < last_lag || last_lag == centred.len() - 1;
    died_out.then(|| ((2.0 * sum - 1.0).max(0.0), (2.0 * seen - 1.0).max(0.0)))
}

/// Sum of the products of two slices of one length, in eight sums that a processor adds up side by side.
fn product(left: &[f64], right: &[f64]) -> f64 {
    let (lefts, rights) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f64 = lefts.remainder().iter().zip(rights.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 8];
    for (left, right) in lefts.zip(rights) {
        for at in 0..8 {
            sums[at] += left[at] * right[at];
        }
    }
    sums.iter().sum::<f64>() + rest
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
        let all = f64::INFINITY;
        assert_eq!(within_lags(&centred, WORK / held.len(), all), None, "fifty lags are too few");
        let (coarse, fine) = (correlation_time(&held), within_lags(&centred, 1000, all).unwrap().0);
        assert!((fine / coarse - 1.0).abs() < 0.1 && (coarse / 200.0 - 1.0).abs() < 0.25, "{fine} {coarse}");
    }

    #[test]
    fn blocks_lose_what_is_correlated_over_their_edges() {
        // Each level is held for ten steps: r_k = 1 − k/10, so τ = 10, and blocks of 20 see
        // 1 + 2 Σ (1 − k/10)(1 − k/20) = 8.35 of it.
        let levels = (0..20_000).scan(7_u64, |state, _| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((*state >> 40) as f64)
        });
        let held: Vec<f64> = levels.flat_map(|level| std::iter::repeat_n(level, 10)).collect();
        let lost = lost_between_blocks(&held, 20.0);
        assert!((lost - 10.0 / 8.35).abs() < 0.05, "{lost}");
        assert!(lost_between_blocks(&held, 2000.0) < 1.01);
        assert!((lost_between_blocks(&[5.0; 50], 10.0) - 1.0).abs() < 1e-12);
    }
}
