//! Statistics as the other tools define them, from numbers alone. They are not ours: a percentile stands here however few
//! values there are, as it does in their files.

/// Values in rising order, and what follows from them. Mean and standard deviation divide by n (numpy's defaults, which
/// vLLM bench and `AIPerf` use).
pub(super) struct Spread {
    sorted: Vec<f64>,
    pub(super) sum: f64,
    pub(super) mean: f64,
    pub(super) sd: f64,
}

impl Spread {
    /// `None` for no values.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        if sorted.is_empty() {
            return None;
        }
        let n = sorted.len() as f64;
        let sum: f64 = sorted.iter().sum();
        let mean = sum / n;
        let sd = (sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self { sorted, sum, mean, sd })
    }

    pub(super) fn n(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn min(&self) -> f64 {
        self.sorted[0]
    }

    pub(super) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// The percentile of type 7: linear between the two nearest values. `percent` from 0 to 100.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within the list")]
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        let place = percent / 100.0 * (self.sorted.len() - 1) as f64;
        let below = place.floor() as usize;
        let above = (below + 1).min(self.sorted.len() - 1);
        self.sorted[below] + (place - place.floor()) * (self.sorted[above] - self.sorted[below])
    }
}

/// Values with weights as `GuideLLM` sums them up: equal values are one, and a percentile is the smallest value at which
/// the weights so far reach the share (its `schemas/base/statistics.py`, 0.8.1).
pub(super) struct Weighted {
    /// Value and share, rising.
    shares: Vec<(f64, f64)>,
    pub(super) count: u64,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Weighted {
    /// `count` is the number of observations it tells; without it, the sum of the weights.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of counts")]
    pub(super) fn of(values: impl Iterator<Item = (f64, f64)>, count: Option<u64>) -> Self {
        let mut pairs: Vec<(f64, f64)> = values.filter(|(v, w)| v.is_finite() && *w > 0.0).collect();
        let total: f64 = pairs.iter().map(|(_, w)| w).sum();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut shares: Vec<(f64, f64)> = Vec::new();
        for (value, weight) in pairs {
            match shares.last_mut().filter(|(last, _)| last.total_cmp(&value).is_eq()) {
                Some((_, share)) => *share += weight / total,
                None => shares.push((value, weight / total)),
            }
        }
        let mean = shares.iter().map(|(v, p)| v * p).sum::<f64>();
        let variance = shares.iter().map(|(v, p)| (v - mean).powi(2) * p).sum();
        Self { count: count.unwrap_or(total.round() as u64), shares, mean, variance }
    }

    /// The rate at which things happen, weighted by how long it held: each event's weight over half the time to its
    /// neighbours; events closer than 0.1 ms are one. Times in seconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of counts")]
    pub(super) fn rate(events: impl Iterator<Item = (f64, f64)>, from: f64, until: f64) -> Self {
        let mut sorted: Vec<(f64, f64)> = events.filter(|(t, _)| (from..=until).contains(t)).collect();
        sorted.extend([(from, 0.0), (until, 0.0)]);
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut merged: Vec<(f64, f64)> = Vec::new();
        for (time, weight) in sorted {
            match merged.last_mut().filter(|(last, _)| time - *last <= 1e-4) {
                Some((_, sum)) => *sum += weight,
                None => merged.push((time, weight)),
            }
        }
        let weight: f64 = merged.iter().map(|(_, w)| w).sum();
        if merged.len() < 2 {
            return Self::of(std::iter::empty(), Some(merged.len() as u64));
        }
        let middle = |at: usize| f64::midpoint(merged[at].0, merged[at + 1].0);
        let rates = (0..merged.len()).map(|at| {
            let starts = if at == 0 { merged[0].0 } else { middle(at - 1) };
            let ends = if at + 1 == merged.len() { merged[at].0 } else { middle(at) };
            let held = (ends - starts).max(1e-6);
            (merged[at].1 / held, held)
        });
        Self::of(rates, Some(weight.round() as u64))
    }

    pub(super) fn min(&self) -> f64 {
        self.shares.first().map_or(0.0, |s| s.0)
    }

    pub(super) fn max(&self) -> f64 {
        self.shares.last().map_or(0.0, |s| s.0)
    }

    /// The value with the largest share, the smallest of several.
    pub(super) fn mode(&self) -> f64 {
        let larger = |best: (f64, f64), s: &(f64, f64)| if s.1 > best.1 { *s } else { best };
        self.shares.iter().fold((0.0, 0.0), larger).0
    }

    /// `share` from 0 to 1; 0 for no values, as theirs.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let mut reached = 0.0;
        let at = self.shares.iter().find(|(_, p)| {
            reached += p;
            reached >= share
        });
        at.map_or_else(|| self.max(), |s| s.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12 * right.abs().max(1.0), "{left} and {right}");
    }

    #[test]
    fn type_7_and_the_population_deviation() {
        // numpy: std([1, 2, 4, 8]) = 2.680951323690902, percentile(·, 90) = 6.8
        let spread = Spread::of([8.0, 1.0, f64::NAN, 4.0, 2.0].into_iter()).unwrap();
        close(spread.sd, 2.680_951_323_690_902);
        close(spread.percentile(90.0), 6.8);
        close(spread.percentile(50.0), 3.0);
        assert_eq!((spread.percentile(0.0), spread.percentile(100.0), spread.n()), (1.0, 8.0, 4));
        assert_eq!((spread.min(), spread.max(), spread.sum), (1.0, 8.0, 15.0));
        close(Spread::of([3.0].into_iter()).unwrap().percentile(99.0), 3.0);
        assert!(Spread::of(std::iter::empty()).is_none());
    }

    #[test]
    fn a_weighted_percentile_is_one_of_the_values() {
        let values = [(10.0, 1.0), (20.0, 2.0), (10.0, 1.0), (30.0, 0.0)];
        let weighted = Weighted::of(values.into_iter(), None);
        assert_eq!(weighted.count, 4);
        close(weighted.mean, 15.0);
        close(weighted.variance, 25.0);
        assert_eq!((weighted.percentile(0.5), weighted.percentile(0.51)), (10.0, 20.0));
        assert_eq!((weighted.min(), weighted.max(), weighted.mode()), (10.0, 20.0, 10.0));
        let none = Weighted::of(std::iter::empty(), None);
        assert_eq!((none.count, none.mean, none.percentile(0.5), none.max()), (0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn the_mean_rate_is_the_count_over_the_window() {
        let ends = [0.5, 1.0, 1.000_05, 3.0, 4.0, 9.0].map(|t| (t, 1.0));
        let rate = Weighted::rate(ends.into_iter(), 0.0, 4.0);
        assert_eq!(rate.count, 5);
        assert!((rate.mean - 5.0 / 4.0).abs() < 1e-5, "{}", rate.mean);
        assert!(rate.max() > rate.mean && rate.min() < rate.mean);
    }
}
