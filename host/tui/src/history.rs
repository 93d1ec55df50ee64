//! The last minutes of what is watched, a sample a second. A second in which a figure was not known stays empty.

use std::collections::VecDeque;
use std::time::Duration;

use crate::snapshot::Snapshot;
use crate::words::{rate, span, thousands};

/// Samples that are kept: ten minutes.
const KEPT: usize = 600;
/// Between two samples.
const EACH: Duration = Duration::from_secs(1);

/// A figure over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Series {
    TokensS,
    Ttft,
    Itl,
    RequestsS,
    InFlight,
    Lag,
}

impl Series {
    /// In the order in which they are shown.
    pub(crate) const ALL: [Self; 6] =
        [Self::TokensS, Self::Ttft, Self::Itl, Self::RequestsS, Self::InFlight, Self::Lag];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TokensS => "tok/s",
            Self::Ttft => "TTFT p50",
            Self::Itl => "ITL p50",
            Self::RequestsS => "req/s",
            Self::InFlight => "in flight",
            Self::Lag => "harness lag p99",
        }
    }

    fn of(self, snapshot: &Snapshot) -> Option<f64> {
        let current = snapshot.current.as_ref()?;
        let recent = &current.figures.recent;
        let ns = |ns: u64| ns as f64;
        match self {
            Self::TokensS => recent.tokens_s,
            Self::Ttft => recent.ttft_p50_ns.map(ns),
            Self::Itl => recent.itl_p50_ns.map(ns),
            Self::RequestsS => recent.requests_s,
            Self::InFlight => Some(current.in_flight as f64),
            Self::Lag => current.figures.lag.map(|lag| ns(lag.ns())),
        }
    }

    /// With its unit where the name has none.
    pub(crate) fn words(self, value: f64) -> String {
        match self {
            Self::TokensS => thousands(value.round()),
            Self::RequestsS => rate(value),
            Self::InFlight => thousands(value),
            Self::Ttft | Self::Itl | Self::Lag => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "nanoseconds, which were a whole number and not below zero"
                )]
                let ns = value as u64;
                span(ns)
            }
        }
    }
}

type Sample = [Option<f64>; Series::ALL.len()];

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    samples: VecDeque<Sample>,
    /// When the next sample is due.
    due: Duration,
}

impl History {
    /// Takes a sample if a second has passed since the last; seconds that nobody looked at stay empty.
    pub(crate) fn see(&mut self, snapshot: &Snapshot) {
        if snapshot.at < self.due {
            return;
        }
        let missed = snapshot.at.saturating_sub(self.due).as_secs().min(KEPT as u64);
        for _ in 0..missed {
            self.push([None; Series::ALL.len()]);
        }
        self.push(Series::ALL.map(|series| series.of(snapshot)));
        self.due = Duration::from_secs(snapshot.at.as_secs()).saturating_add(EACH);
    }

    fn push(&mut self, sample: Sample) {
        if self.samples.len() == KEPT {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// The last `columns` stretches of `each` seconds, oldest first: the mean of what is known in each. Stretches begin at
    /// whole multiples of their length, so that a column keeps its value while it moves.
    pub(crate) fn columns(&self, series: Series, columns: usize, each: usize) -> Vec<Option<f64>> {
        let at = series as usize;
        let begun = usize::try_from(self.due.as_secs()).unwrap_or(usize::MAX);
        let first = begun.saturating_sub(self.samples.len());
        let mut out: Vec<(f64, u32)> = Vec::new();
        let mut stretch = None;
        for (second, sample) in self.samples.iter().enumerate() {
            let this = (first + second) / each.max(1);
            if stretch.replace(this) != Some(this) {
                out.push((0.0, 0));
            }
            if let (Some(value), Some((sum, n))) = (sample[at], out.last_mut()) {
                *sum += value;
                *n += 1;
            }
        }
        let from = out.len().saturating_sub(columns);
        out[from..].iter().map(|(sum, n)| (*n > 0).then(|| sum / f64::from(*n))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Current, Figures, Goal, Recent};
    use benchhost_model::Phase;

    fn at(seconds: f64, tokens_s: Option<f64>) -> Snapshot {
        let current = Current {
            title: String::new(),
            goal: Goal::Open,
            phase: Phase::Measured,
            measured_for: Duration::ZERO,
            done: 0,
            in_flight: 3,
            failed: 0,
            figures: Figures { recent: Recent { tokens_s, ..Recent::default() }, ..Figures::default() },
        };
        Snapshot { at: Duration::from_secs_f64(seconds), current: Some(current), ..Snapshot::default() }
    }

    #[test]
    fn one_sample_a_second_however_often_one_looks() {
        let mut history = History::default();
        for quarter in 0..=16 {
            history.see(&at(f64::from(quarter) / 4.0, Some(f64::from(quarter))));
        }
        assert_eq!(
            history.columns(Series::TokensS, 10, 1),
            [0.0, 4.0, 8.0, 12.0, 16.0].map(Some),
            "the first look of each second"
        );
        assert_eq!(history.columns(Series::TokensS, 2, 1), [Some(12.0), Some(16.0)], "the latest");
    }

    #[test]
    fn what_was_not_known_is_a_gap_and_no_zero() {
        let mut history = History::default();
        history.see(&at(0.0, Some(5.0)));
        history.see(&at(1.0, None));
        history.see(&at(4.0, Some(0.0)));
        assert_eq!(
            history.columns(Series::TokensS, 10, 1),
            [Some(5.0), None, None, None, Some(0.0)],
            "seconds 2 and 3 were not looked at"
        );
        history.see(&Snapshot { at: Duration::from_secs(5), ..Snapshot::default() });
        assert_eq!(history.columns(Series::InFlight, 1, 1), [None], "between two load points");
    }

    #[test]
    fn a_column_is_the_mean_of_its_seconds_and_keeps_its_place() {
        let mut history = History::default();
        for second in 0..10 {
            history.see(&at(f64::from(second), Some(f64::from(second))));
        }
        let before = history.columns(Series::TokensS, 3, 4);
        assert_eq!(before, [Some(1.5), Some(5.5), Some(8.5)]);
        history.see(&at(10.0, Some(10.0)));
        assert_eq!(history.columns(Series::TokensS, 3, 4)[..2], before[..2]);
    }

    #[test]
    fn ten_minutes_are_kept() {
        let mut history = History::default();
        for second in 0..5000 {
            history.see(&at(f64::from(second), Some(1.0)));
        }
        assert_eq!(history.columns(Series::TokensS, 9999, 1).len(), KEPT);
        history.see(&at(1e9, Some(1.0)));
        assert_eq!(history.columns(Series::TokensS, 9999, 1).iter().flatten().count(), 1, "a long sleep");
    }
}
