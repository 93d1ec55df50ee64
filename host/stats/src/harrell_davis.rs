//! The Harrell–Davis quantile: a weighted mean of all order statistics, smooth enough for a bootstrap.
//!
//! Type 7 looks at two order statistics, so its bootstrap distribution is lumpy in the tail; this one is not.
//! It is for resampling. Printed quantiles stay type 7, as everybody else's.

use crate::quantile::{Quantile, to_count};
use crate::resample::Cumulated;
use crate::special::beta_inc;

/// Least a and b from which the density of Beta(a, b) is integrated instead of taking differences of the distribution
/// function. Its standard deviation is then ten steps or more of 1/n, over which three nodes are exact to 1e-11, and a
/// million values need thousands of weights.
const SMOOTH: f64 = 100.0;

/// Integrals of the density of Beta(a, b) over each step of 1/n, up to a common factor, by three Gauss–Legendre nodes.
fn by_density(steps: std::ops::Range<usize>, n: f64, a: f64, b: f64) -> Vec<f64> {
    let ln_density = |x: f64| (a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p();
    let most = ln_density((a - 1.0) / (a + b - 2.0));
    let density = |position: f64| (ln_density(position / n) - most).exp();
    let off = 0.5 * 0.6_f64.sqrt();
    let step = |i: usize| {
        let middle = i as f64 + 0.5;
        5.0 * density(middle - off) + 8.0 * density(middle) + 5.0 * density(middle + off)
    };
    steps.map(step).collect()
}

/// Weights of the order statistics for one length of sample; zero outside the stored stretch.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    first: usize,
    weights: Vec<f64>,
}

impl Weights {
    /// `w_i = I_{i/n}(a, b) − I_{(i−1)/n}(a, b)` with a = (n+1)p, b = (n+1)(1−p)
    /// (Harrell & Davis 1982, Biometrika 69).
    pub(crate) fn new(count: usize, quantile: Quantile) -> Self {
        let (n, p) = (count as f64, quantile.get());
        let (a, b) = ((n + 1.0) * p, (n + 1.0) * (1.0 - p));
        // Ten standard deviations of Beta(a, b) on each side, and for the skewed ones at the ends of the range, which
        // fall like e^(−nd), d = 40/n; what is left out is below rounding once the rest is scaled to one.
        let reach = 10.0 * (p * (1.0 - p) / (n + 2.0)).sqrt() + 40.0 / (n + 2.0);
        let first = to_count((n * (p - reach)).floor().max(0.0));
        let last = to_count((n * (p + reach)).ceil().min(n));
        let mut weights: Vec<f64> = if a.min(b) >= SMOOTH {
            by_density(first..last, n, a, b)
        } else {
            let cumulated: Vec<f64> = (first..=last).map(|i| beta_inc(i as f64 / n, a, b)).collect();
            cumulated.windows(2).map(|pair| pair[1] - pair[0]).collect()
        };
        let covered: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= covered;
        }
        Self { first, weights }
    }

    /// The function whose steps the weights are, for resamples of about `count` values.
    pub(crate) fn cumulated(&self, count: usize) -> Cumulated {
        let mut sum = 0.0;
        let steps = std::iter::once(0.0).chain(self.weights.iter().map(|weight| {
            sum += weight;
            sum
        }));
        Cumulated::new(self.first, count, steps.collect())
    }

    /// The estimate; `ascending` has the length the weights were made for.
    pub(crate) fn apply(&self, ascending: &[f64]) -> f64 {
        self.weights.iter().zip(&ascending[self.first..]).map(|(weight, value)| weight * value).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_mirror() {
        for count in [1, 2, 5, 50, 5000] {
            for quantile in [Quantile::P50, Quantile::P90, Quantile::P99] {
                let ones = vec![1.0; count];
                assert!((Weights::new(count, quantile).apply(&ones) - 1.0).abs() < 1e-12);
                let ramp: Vec<f64> = (0..count).map(|i| i as f64 - 0.5 * (count as f64 - 1.0)).collect();
                let mirrored = Quantile::new(1.0 - quantile.get()).unwrap();
                let sum =
                    Weights::new(count, quantile).apply(&ramp) + Weights::new(count, mirrored).apply(&ramp);
                assert!(sum.abs() < 1e-9 * count as f64, "{count} {quantile:?}: {sum}");
            }
        }
    }

    #[test]
    fn the_median_of_three_has_the_closed_form_weights() {
        // a = b = 2: I_x(2, 2) = 3x² − 2x³, so the weights are 7/27, 13/27, 7/27.
        let got = Weights::new(3, Quantile::P50).apply(&[0.0, 1.0, 10.0]);
        assert!((got - (13.0 + 70.0) / 27.0).abs() < 1e-12);
    }

    #[test]
    fn the_density_gives_the_weights_that_the_distribution_function_gives() {
        for (count, p) in [(250, 0.5), (12_000, 0.99), (20_000, 0.25), (50_000, 0.5)] {
            let (n, quantile) = (count as f64, Quantile::new(p).unwrap());
            let weights = Weights::new(count, quantile);
            let (a, b) = ((n + 1.0) * p, (n + 1.0) * (1.0 - p));
            assert!(a.min(b) >= SMOOTH);
            let at = |i: usize| beta_inc((weights.first + i) as f64 / n, a, b);
            for (i, weight) in weights.weights.iter().enumerate() {
                let off = (weight - (at(i + 1) - at(i))).abs();
                // The logarithms in the distribution function reach 35 000, so it is good to some 1e-11.
                assert!(off < 1e-10, "{count} {p} {i}: {off:e}");
            }
        }
    }
}
