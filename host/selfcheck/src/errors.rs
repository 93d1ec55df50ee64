//! Errors as numbers: measured minus true, gathered and summed up. Knows nothing of what was measured.

use benchhost_model::QuantilesNs;
use serde::{Deserialize, Serialize};

/// How far measurements lay from the truth.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorQuantiles {
    /// Mean of measured minus true, nanoseconds; above 0: measured too long.
    pub mean_ns: f64,
    /// Quantiles of the absolute error.
    pub abs: QuantilesNs,
}

/// The errors of every figure under one kind of stamp.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StampErrors {
    /// Of an event's time: stamp minus the server's write.
    pub receive: Option<ErrorQuantiles>,
    /// The same, of events that had their read to themselves.
    pub receive_apart: Option<ErrorQuantiles>,
    /// The same, of the first event of an answer.
    pub receive_first: Option<ErrorQuantiles>,
    /// Of the time to first token.
    pub ttft: Option<ErrorQuantiles>,
    /// Of the gap between two events.
    pub gap: Option<ErrorQuantiles>,
    /// Of the time per output token of an answer.
    pub tpot: Option<ErrorQuantiles>,
    /// Of the time from sending to the last event.
    pub e2e: Option<ErrorQuantiles>,
}

/// Errors as they come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors(Vec<i64>);

impl Errors {
    /// Adds measured minus true.
    pub(crate) fn add(&mut self, measured: u64, truth: u64) {
        self.push(difference(measured, truth));
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: i64) {
        self.0.push(error);
    }

    /// Sums up; nothing if there was none.
    pub(crate) fn summed(&self) -> Option<ErrorQuantiles> {
        if self.0.is_empty() {
            return None;
        }
        let mean_ns = self.0.iter().map(|error| *error as f64).sum::<f64>() / self.0.len() as f64;
        Some(ErrorQuantiles {
            mean_ns,
            abs: quantiles(self.0.iter().map(|error| error.unsigned_abs()).collect()),
        })
    }
}

/// `a − b`, cut to what fits.
pub(crate) fn difference(a: u64, b: u64) -> i64 {
    i64::try_from(i128::from(a) - i128::from(b)).unwrap_or(if a > b { i64::MAX } else { i64::MIN })
}

/// Quantiles at the nearest rank.
pub(crate) fn quantiles(mut values: Vec<u64>) -> QuantilesNs {
    values.sort_unstable();
    let rank = |per_mille: usize| {
        let at = (values.len() * per_mille).div_ceil(1000).saturating_sub(1);
        values.get(at).copied().unwrap_or_default()
    };
    QuantilesNs {
        count: values.len() as u64,
        p50_ns: rank(500),
        p90_ns: rank(900),
        p99_ns: rank(990),
        // Of fewer than a thousand values it is only the largest again.
        p999_ns: (values.len() >= 1000).then(|| rank(999)),
        max_ns: rank(1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_keeps_the_sign_and_the_quantiles_do_not() {
        let mut errors = Errors::default();
        assert_eq!(errors.summed(), None);
        for (measured, truth) in [(100, 90), (100, 130), (50, 50), (7, 7)] {
            errors.add(measured, truth);
        }
        let sum = errors.summed().unwrap();
        assert!((sum.mean_ns - -5.0).abs() < 1e-9);
        assert_eq!((sum.abs.count, sum.abs.p50_ns, sum.abs.max_ns, sum.abs.p999_ns), (4, 0, 30, None));
    }

    #[test]
    fn quantiles_are_read_at_the_nearest_rank() {
        let q = quantiles((1..=2000).rev().collect());
        assert_eq!((q.p50_ns, q.p90_ns, q.p99_ns, q.p999_ns, q.max_ns), (1000, 1800, 1980, Some(1998), 2000));
        assert_eq!(difference(0, u64::MAX), i64::MIN);
    }
}
