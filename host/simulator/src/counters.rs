//! Running totals and histograms that the metrics pages report.
//!
//! Numbers only: no names of metrics, no dialects, no clocks.

use std::time::Duration;

/// A cumulative histogram with upper bounds, as Prometheus defines it.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    buckets: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    const fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, buckets: Vec::new(), sum: 0.0, count: 0 }
    }

    /// Adds one observation.
    pub(crate) fn observe(&mut self, value: f64) {
        self.buckets.resize(self.bounds.len(), 0);
        for (bucket, bound) in self.buckets.iter_mut().zip(self.bounds) {
            *bucket += u64::from(value <= *bound);
        }
        self.sum += value;
        self.count += 1;
    }

    /// Pairs of upper bound and number of observations up to it.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.bounds.iter().enumerate().map(|(at, bound)| (*bound, self.buckets.get(at).copied().unwrap_or(0)))
    }

    /// Sum of all observations.
    pub(crate) fn sum(&self) -> f64 {
        self.sum
    }

    /// Number of observations.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Upper bound of the bucket that holds the quantile `share`; 0 without observations.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let rank = share * self.count as f64;
        if self.count == 0 {
            return 0.0;
        }
        self.cumulative().find(|(_, below)| *below as f64 >= rank).map_or(f64::INFINITY, |(bound, _)| bound)
    }
}

/// Bounds of first-token times, in seconds.
const FIRST_TOKEN_BOUNDS: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
    80.0,
];
/// Bounds of times between tokens, in seconds.
const BETWEEN_BOUNDS: &[f64] =
    &[0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0];
/// Bounds of whole requests, in seconds.
const WHOLE_BOUNDS: &[f64] =
    &[0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0];
/// Bounds of lengths, in tokens.
const LENGTH_BOUNDS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];

/// How a request ended, as the metrics tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By itself or at a stop text.
    Stop,
    /// At its limit.
    Length,
    /// The client went away, or a fault ended it.
    Aborted,
}

/// Totals since the start.
#[derive(Debug, Clone)]
pub(crate) struct Totals {
    /// Generating requests that were accepted.
    pub(crate) requests: u64,
    /// Those that ended by themselves.
    pub(crate) stopped: u64,
    /// Those that ended at their limit.
    pub(crate) at_limit: u64,
    /// Those that were cut off.
    pub(crate) aborted: u64,
    /// Requests that were refused.
    pub(crate) refused: u64,
    /// Prompt tokens whose processing is over, cached ones included.
    pub(crate) prompt_tokens: u64,
    /// Prompt tokens that came from the prefix cache.
    pub(crate) cached_tokens: u64,
    /// Generated tokens, counted as they are written.
    pub(crate) generated_tokens: u64,
    /// Events with tokens.
    pub(crate) steps: u64,
    /// Time spent before first tokens, in seconds.
    pub(crate) prompt_seconds: f64,
    /// Time spent after first tokens, in seconds.
    pub(crate) decode_seconds: f64,
    /// Longest sequence seen, in tokens.
    pub(crate) longest: u64,
    /// Arrival to first token, in seconds.
    pub(crate) first_token: Histogram,
    /// Between two events, in seconds.
    pub(crate) between: Histogram,
    /// Arrival to end, in seconds.
    pub(crate) whole: Histogram,
    /// Arrival to admission, in seconds.
    pub(crate) queue: Histogram,
    /// Prompt lengths of finished requests.
    pub(crate) prompt_lengths: Histogram,
    /// Answer lengths of finished requests.
    pub(crate) answer_lengths: Histogram,
}

impl Totals {
    /// All zero.
    pub(crate) const fn new() -> Self {
        Self {
            requests: 0,
            stopped: 0,
            at_limit: 0,
            aborted: 0,
            refused: 0,
            prompt_tokens: 0,
            cached_tokens: 0,
            generated_tokens: 0,
            steps: 0,
            prompt_seconds: 0.0,
            decode_seconds: 0.0,
            longest: 0,
            first_token: Histogram::new(FIRST_TOKEN_BOUNDS),
            between: Histogram::new(BETWEEN_BOUNDS),
            whole: Histogram::new(WHOLE_BOUNDS),
            queue: Histogram::new(WHOLE_BOUNDS),
            prompt_lengths: Histogram::new(LENGTH_BOUNDS),
            answer_lengths: Histogram::new(LENGTH_BOUNDS),
        }
    }

    /// Books the end of a request.
    pub(crate) fn finish(&mut self, outcome: Outcome, prompt: u32, answer: u32, whole: Duration) {
        match outcome {
            Outcome::Stop => self.stopped += 1,
            Outcome::Length => self.at_limit += 1,
            Outcome::Aborted => {
                self.aborted += 1;
                return;
            }
        }
        self.whole.observe(whole.as_secs_f64());
        self.prompt_lengths.observe(f64::from(prompt));
        self.answer_lengths.observe(f64::from(answer));
        self.longest = self.longest.max(u64::from(prompt) + u64::from(answer));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, Totals};

    #[test]
    fn histograms_are_cumulative() {
        let mut totals = Totals::new();
        for value in [0.001, 0.03, 0.03, 7.0] {
            totals.between.observe(value);
        }
        let rows: Vec<(f64, u64)> = totals.between.cumulative().collect();
        assert!(rows.is_sorted_by(|a, b| a.1 <= b.1));
        assert_eq!(rows.last().unwrap().1, 3, "7 s lies above every bound");
        assert_eq!((totals.between.count(), totals.between.quantile(0.5)), (4, 0.05));
    }

    #[test]
    fn aborted_requests_leave_no_latency() {
        let mut totals = Totals::new();
        totals.finish(Outcome::Aborted, 5, 5, Duration::from_secs(1));
        totals.finish(Outcome::Length, 5, 6, Duration::from_secs(1));
        assert_eq!((totals.aborted, totals.at_limit, totals.whole.count(), totals.longest), (1, 1, 1, 11));
    }
}
