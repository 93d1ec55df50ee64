//! The Harrell–Davis quantile: a weighted mean of all order statistics, smooth enough for a bootstrap.
//!
//! Type 7 looks at two order statistics, so its bootstrap distribution is lumpy in the tail; this one is not.
//! It is for resampling. Printed quantiles stay type 7, as everybody else's.

use crate::quantile::{Quantile, to_count};
use crate::resample::Cumulated;
use crate::special::beta_inc;

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
        let cumulated: Vec<f64> = (first..=last).map(|i| beta_inc(i as f64 / n, a, b)).collect();
        let covered = cumulated[cumulated.len() - 1] - cumulated[0];
        let weights = cumulated.windows(2).map(|pair| (pair[1] - pair[0]) / covered).collect();
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
}
